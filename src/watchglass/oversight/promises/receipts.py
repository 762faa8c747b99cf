"""What the log gave a receipt for is in it, and was in time."""

from __future__ import annotations

from watchglass.core.errors import DidNotVerify
from watchglass.core.time import iso
from watchglass.ledger import receipt as receipts
from watchglass.oversight import tolerances
from watchglass.oversight.given import Promised
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World


class Receipts(Promise):
    name = "receipts"
    title = "Whatever the log gave a receipt for is in it, and came in time."

    def ends(self, world: World, end: End) -> None:
        key = world.log_key()
        if key is None:
            return
        given = world.given.receipts
        places = world.hashes.places({each.leaf for each in given})
        for each in given:
            try:
                receipts.check(each.receipt, each.leaf, key)
            except DidNotVerify:
                continue  # it is not the log's, so the log need not keep it
            self.checked += 1
            due = each.receipt.merge_by_ms
            index = places.get(each.leaf)
            if index is None and end.cosigned and end.at_ms > due + tolerances.CLOCKS_APART:
                self._breach(each, f"promised a record by {iso(due)}, and at {iso(end.at_ms)} it is not there", world)
            elif index is not None and world.times.merged_after(index) > due + tolerances.CLOCKS_APART:
                late = iso(world.times.merged_after(index))
                self._breach(each, f"promised a record by {iso(due)}, and it came after {late}", world, index)

    def _breach(self, each: Promised, what: str, world: World, *entries: int) -> None:
        self.breach(what, OPERATOR, world, *entries, instead=f"The receipt '{each.name}'")

    def unseen(self, world: World, end: End) -> str | None:
        del end
        if not world.given.receipts:
            return "No receipts were given. Whoever keeps one can have it checked: `--receipts`."
        if world.log_key() is None:
            return "Without a trust file nobody can tell whether a receipt is the log's."
        return None

    def how(self, world: World, end: End) -> str:
        del end
        others = len(world.given.receipts) - self.checked
        strange = f" {count(others, 'other')} are not this log's and were left out." if others else ""
        return f"{count(self.checked, 'receipt')} verified with the log's key and looked up.{strange}"
