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
    keeps = ("missed", "matched")

    def __init__(self) -> None:
        super().__init__()
        self.missed = 0
        self.matched = 0

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
        self._body(entry, lodged.sha256, world)
        self._opened(entry, at_ms, world)

    def _body(self, entry: Entry, digest: bytes, world: World) -> None:
        """Where somebody gave what was lodged, it must be this challenge."""
        keys = [key_of(each.charter.oversight.key) for each in world.charters.order]
        for each in world.given.lodged:
            try:
                receipt = open_receipt(each.note, world.witness_keys(), body=each.body)
                challenge = open_challenge(each.body, keys)
            except (BadInput, DidNotVerify):
                continue
            if receipt.sha256 == digest:
                self.matched += 1
                if b64(challenge.sha256) != entry.clear["challenge"]:
                    self.breach("tells of another challenge than the receipt is for", OVERSIGHT, world, entry)

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
        deep = "" if world.openings is None else " With the openings: each is what was lodged, before it began."
        return (
            f"{count(self.checked, 'challenge')} told, each with a witness's receipt from before; {self.missed:,} of "
            f"them were missed, which is no breach. Of {self.matched:,} somebody gave what was lodged.{deep}"
        )


def _alert(leaf: str, world: World) -> bool:
    return world.references.index(unb64(leaf), "alert_raised") is not None
