"""The acts by which a source is said not to meet its charter's conditions, and to meet them again.

That a camera sees badly is everybody's to know, and the alerts that it raises meanwhile say so too. It goes in batches:
at the moment itself it would tell somebody who covers or blinds a camera that it has worked, and where a light goes on
with whoever comes, that somebody came (law 10). By how much it is off is committed.
"""

from __future__ import annotations

from typing import Final

from watchglass.core.canonical import MAX_INTEGER
from watchglass.records.act_spec import HOUSE, ActSpec, Basis, Lane
from watchglass.records.fields import NAME, Choice, ListOf, Members, OrNull, Whole

CONDITION: Final = Choice(("too_dark", "too_bright", "blurred", "zones", "uptime", "clock"))
SEEN: Final = OrNull(
    Members(
        {
            "light": OrNull(Choice(("dark", "dim", "bright"))),
            "view": OrNull(Choice(("colour", "infrared"))),
            "size": OrNull(Choice(("small", "middle", "large"))),
            "crowding": OrNull(Choice(("one", "two to four", "five or more"))),
            "degraded": ListOf(CONDITION, 8, as_set=True),
        }
    )
)
"""Under what conditions an alert was seen."""

_COUNT: Final = Whole(0, MAX_INTEGER)
_OVERSIGHT: Final = "Oversight, from the opening."

SOURCE_ACTS: Final = (
    ActSpec(
        "source_degraded",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "From here on a source does not meet a condition that its charter states for its pictures. Its analytics go "
        "on, and each of their alerts says so. By how much stands in thousandths in the opening.",
        _OVERSIGHT,
        clear={"source": NAME, "condition": CONDITION},
        committed={"measured": _COUNT, "allowed": _COUNT},
    ),
    ActSpec(
        "source_recovered",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "The source meets that condition again (`measured`), or the charter states it no longer (`charter`).",
        "Nothing is hidden but the minute.",
        clear={"source": NAME, "condition": CONDITION, "because": Choice(("measured", "charter"))},
        refs_to=("source_degraded",),
    ),
)
