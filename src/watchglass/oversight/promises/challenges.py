"""A challenge was lodged with a witness before it was staged, and what is told of it is what was lodged."""

from __future__ import annotations

from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import HOUR, SECOND, iso
from watchglass.ledger.lodging import open_challenge, open_receipt
from watchglass.oversight import tolerances
from watchglass.oversight.challenge import commitment
from watchglass.oversight.charters import key_of
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import OVERSIGHT, Promise, count
from watchglass.oversight.world import End, World


class Challenges(Promise):
    name = "challenges"
    title = "Incidents that oversight staged were lodged with a witness before, and are told as they were lodged."
    acts = frozenset({"challenge_told"})
    keeps = ("missed", "told")

    def __init__(self) -> None:
        super().__init__()
        self.missed = 0
        self.told: list[tuple[bytes, str, int, int]] = []
        """The hash of what was lodged by its receipt, the challenge that is told of, the entry, and its hour."""

    def see(self, entry: Entry, world: World) -> None:
        self.checked += 1
        clear = entry.clear
        self.missed += clear["result"] == "missed"
        try:
            lodged = open_receipt(str(clear["lodged"]).encode(), world.witness_keys())
        except (BadInput, DidNotVerify):
            what = "tells of a challenge without a known witness's receipt that it was lodged before"
            self.breach(what, OVERSIGHT, world, entry)
            return
        at_ms = lodged.seconds * SECOND
        if lodged.origin != world.origin:
            self.breach("tells of a challenge that was lodged for another log", OVERSIGHT, world, entry)
        elif at_ms > entry.ends_ms + tolerances.SIGNER_HOURS * HOUR:
            self.breach(f"tells of a challenge that was lodged only at {iso(at_ms)}", OVERSIGHT, world, entry)
        self.told.append((lodged.sha256, str(clear["challenge"]), entry.index, entry.hour))
        self._opened(entry, at_ms, world)

    def ends(self, world: World, end: End) -> None:
        """Where somebody gave what was lodged, it must be what is told of."""
        del end
        lodged = self._lodged(world)
        for digest, challenge, index, hour in self.told:
            if lodged.get(digest, challenge) != challenge:
                what = "tells of another challenge than the receipt is for"
                self.breach(what, OVERSIGHT, world, index, hour=hour)

    def _lodged(self, world: World) -> dict[bytes, str]:
        """What was given of what was lodged: the hash that its receipt names, to the challenge in it."""
        keys = [key_of(each.charter.oversight.key) for each in world.charters.order]
        found = {}
        for each in world.given.lodged:
            try:
                receipt = open_receipt(each.note, world.witness_keys(), body=each.body)
                found[receipt.sha256] = b64(open_challenge(each.body, keys).sha256)
            except (BadInput, DidNotVerify):
                continue
        return found

    def _opened(self, entry: Entry, lodged_ms: int, world: World) -> None:
        """With the opening: that it was lodged before it happened, that it is what was lodged, and what noticed it."""
        values = world.opened(entry)
        if values is None:
            return
        if b64(commitment(world.origin, values)) != entry.clear["challenge"]:
            self.breach("tells of something else than was lodged", OVERSIGHT, world, entry)
        elif lodged_ms > values["from_ms"] + tolerances.CLOCKS_APART:
            self.breach(
                f"tells of a challenge that was lodged at {iso(lodged_ms)}, when it had begun already",
                OVERSIGHT,
                world,
                entry,
            )
        noticed = entry.clear["result"] == "noticed"
        if noticed and (values["alert_leaf"] is None or not _alert(values["alert_leaf"], world)):
            self.breach("says that a challenge was noticed, and names no alert of the log", OVERSIGHT, world, entry)

    def how(self, world: World, end: End) -> str:
        del end
        lodged = self._lodged(world)
        matched = sum(digest in lodged for digest, *_ in self.told)
        deep = "" if world.openings is None else " With the openings: each is what was lodged, before it began."
        return (
            f"{count(self.checked, 'challenge')} told, each with a witness's receipt from before; {self.missed:,} of "
            f"them were missed, which is no breach. Of {matched:,} somebody gave what was lodged.{deep}"
        )


def _alert(leaf: str, world: World) -> bool:
    return world.references.index(unb64(leaf), "alert_raised") is not None
