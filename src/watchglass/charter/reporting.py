"""What a charter says about reports from outside: which logs of others may be compared with alerts, and how long."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from watchglass.charter import schema
from watchglass.charter.schema import Key, Many
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, MINUTE

LogName = Literal["dispatch", "complaints", "caretaker"]
LOGS: Final[tuple[LogName, ...]] = ("dispatch", "complaints", "caretaker")
"""The kinds of logs that there are: of emergency calls, of complaints, and the book of whoever looks after a place."""

LONGEST_MS: Final = 90 * DAY
"""No row is kept longer: what is published reaches as far back."""


@dataclass(frozen=True, slots=True)
class Reports:
    """What others noted down is matched with alerts, so that what was missed is known from outside.

    Of each row only its minute, the source, the kind and the log are kept.

    Attributes:
        logs: which logs. of: the analytics whose alerts they are matched with.
        within_ms: how far a report and an alert may be apart.
        kept_ms: how long a row is kept, from the minute that it names.
    """

    logs: Annotated[
        tuple[LogName, ...],
        Key(
            Many(schema.word(*LOGS), fewest=1, most=len(LOGS)),
            "Whose notes: of emergency calls, of complaints, or the book of whoever looks after the place.",
            "from",
        ),
    ]
    of: Annotated[
        tuple[str, ...], Key(Many(schema.NAME, fewest=1, most=200), "The analytics whose alerts they are matched with.")
    ]
    within_ms: Annotated[
        int, Key(schema.DURATION, "How far apart a report and an alert may be: from 1m to 1h.", "within")
    ]
    kept_ms: Annotated[
        int, Key(schema.DURATION, "For how long a row is kept, from the minute that it names: from 1d to 90d.", "kept")
    ]

    def __post_init__(self) -> None:
        if len(set(self.logs)) != len(self.logs) or len(set(self.of)) != len(self.of):
            raise BadInput("This names a log or an analytic twice.", fix="Name each once.")
        if not MINUTE <= self.within_ms <= HOUR:
            raise BadInput(
                "A report and an alert may be a minute to an hour apart: further apart, anything would match.",
                fix="Write for example `within: 10m`.",
            )
        if not DAY <= self.kept_ms <= LONGEST_MS:
            raise BadInput("Reports are kept for a day to 90 days.", fix="Write for example `kept: 30d`.")
