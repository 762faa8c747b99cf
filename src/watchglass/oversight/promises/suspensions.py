"""Nothing ran while oversight or a published limit had stopped it."""

from __future__ import annotations

from watchglass.charter.model import EVERYTHING
from watchglass.core.time import HOUR, SECOND
from watchglass.oversight.acts import RUNS
from watchglass.oversight.entry import Entry
from watchglass.oversight.orders import Order
from watchglass.oversight.promises.promise import OPERATOR, Promise, count
from watchglass.oversight.world import End, World


class Suspensions(Promise):
    name = "suspensions"
    title = "Nothing ran while oversight or a published limit had stopped it."
    acts = RUNS | {"heartbeat"}

    def see(self, entry: Entry, world: World) -> None:
        self.checked += 1
        orders = world.orders
        if not orders.by_index:
            return
        if entry.act == "heartbeat":
            self._beat(entry, world)
            return
        name = entry.clear["analytic"] if entry.act == "alert_raised" else EVERYTHING
        held = orders.held(entry.hour, EVERYTHING, name)
        if held is not None and not (entry.signed and not self._all_around(entry, held)):
            what = f"'{name}'" if held.scope == name != EVERYTHING else "everything"
            self.breach(f"('{entry.act}') came about while {what} was suspended", OPERATOR, world, entry, held.index)

    def _all_around(self, entry: Entry, held: Order) -> bool:
        """Whether it held in the hours beside too: a signer's clock may be one off."""
        return held.holds(entry.hour - 1) and held.holds(entry.hour + 1)

    def _beat(self, entry: Entry, world: World) -> None:
        """A heartbeat says to the second when what ran; only an interval wholly within is a breach."""
        first = entry.clear["from_s"] * SECOND // HOUR
        last = (entry.clear["to_s"] * SECOND - 1) // HOUR
        for name in entry.clear["running"]:
            held = world.orders.held(first, EVERYTHING, name)
            if held is not None and held.holds(last):
                self.breach(f"says that '{name}' ran while it was suspended", OPERATOR, world, entry, held.index)
                return

    def how(self, world: World, end: End) -> str:
        del end
        return (
            f"{count(self.checked, 'record')} of what looks, keeps or opens compared with "
            f"{count(len(world.orders.by_index), 'order')} to stop: none lies in an hour that one held through. (An "
            "order holds from when it was obeyed; lifting counts from its own hour.)"
        )
