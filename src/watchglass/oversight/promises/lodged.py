"""An order to stop that was lodged with a witness was recorded and obeyed like any other."""

from __future__ import annotations

from typing import Final

from watchglass.charter.model import EVERYTHING
from watchglass.core.errors import WatchglassError
from watchglass.core.time import HOUR, SECOND, iso
from watchglass.evidence.succession import signed_by
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.lodging import open_receipt
from watchglass.oversight import tolerances
from watchglass.oversight.acts import RUNS
from watchglass.oversight.charters import key_of
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World
from watchglass.records.statement import SignedStatement

_ORDERS: Final = frozenset({"suspension_ordered", "suspension_lifted"})


class LodgedOrders(Promise):
    name = "lodged"
    title = "What oversight lodged with a witness was recorded and obeyed."
    acts = _ORDERS | RUNS
    keeps = ("recorded", "ran")

    def __init__(self) -> None:
        super().__init__()
        self.recorded: dict[bytes, int] = {}
        """Signatures of orders in the log, and where they stand."""
        self.ran: dict[str, tuple[int, int]] = {}
        """For each analytic, and for everything, the last hour in which it ran, and the entry that shows it."""

    def see(self, entry: Entry, world: World) -> None:
        del world
        if entry.act in _ORDERS:
            signature = entry.leaf.signature
            assert signature is not None
            self.recorded.setdefault(signature.sig, entry.index)
            return
        names = (EVERYTHING, entry.clear["analytic"]) if entry.act == "alert_raised" else (EVERYTHING,)
        for name in names:
            hour, _ = self.ran.get(name, (-1, 0))
            if entry.hour > hour:
                self.ran[name] = (entry.hour, entry.index)

    def ends(self, world: World, end: End) -> None:
        for each in world.given.lodged:
            taken = _read(each.body, each.note, world)
            if taken is None:
                continue
            statement, at_ms = taken
            self.checked += 1
            name = f"The order '{each.name}'"
            due = at_ms + tolerances.LODGED_REACHES + world.charters.merge_within()
            index = self.recorded.get(statement.signature.sig)
            told = f"was lodged with a witness at {iso(at_ms)}"
            if index is None and due < end.at_ms:
                ran = self._ran_on(statement, at_ms)
                went = ", and what it stops ran on" if ran else ""
                self.breach(f"{told}, and the log does not hold it{went}", OPERATOR, world, *ran, instead=name)
            elif index is not None and world.times.merged_after(index) > due + tolerances.CLOCKS_APART:
                late = iso(world.times.merged_after(index))
                self.breach(f"{told}, and entered the log only after {late}", OPERATOR, world, index, instead=name)

    def _ran_on(self, statement: SignedStatement, at_ms: int) -> tuple[int, ...]:
        clear = statement.leaf.clear
        if statement.leaf.act != "suspension_ordered":
            return ()
        hour, index = self.ran.get(EVERYTHING if clear["scope"] == EVERYTHING else clear["analytic"], (-1, 0))
        return (index,) if hour > (at_ms + tolerances.LODGED_REACHES) // HOUR else ()

    def unseen(self, world: World, end: End) -> str | None:
        del end
        if self.checked:
            return None
        if world.given.lodged:
            return "Nothing of what was given is an order by oversight with a known witness's receipt."
        return "Nothing was given that was lodged with a witness: `--lodged`."

    def how(self, world: World, end: End) -> str:
        del end
        others = len(world.given.lodged) - self.checked
        strange = f" {count(others, 'other thing')} that was lodged is no order, or has no known witness's receipt."
        return (
            f"{count(self.checked, 'lodged order')}, each with a witness's receipt, looked up in the log by its "
            "signature." + (strange if others else "")
        )


def _read(body: bytes, note: bytes, world: World) -> tuple[SignedStatement, int] | None:
    """An order that oversight signed for this log, and when a known witness took it; None where it is none."""
    try:
        statement = SignedStatement.parse(body)
        receipt = open_receipt(note, world.witness_keys(), body=body)
        if statement.leaf.act not in _ORDERS or {receipt.origin, statement.origin} != {world.origin}:
            return None
        signed_by(statement.leaf, origin=world.origin, keys={"oversight": _oversight(world)})
    except WatchglassError:
        return None
    return statement, receipt.seconds * SECOND


def _oversight(world: World) -> list[VerifierKey]:
    return [key_of(each.charter.oversight.key) for each in world.charters.order]
