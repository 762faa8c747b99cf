"""What a charter says about the people who judge alerts: how soon, how often twice, and how they are checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from watchglass.charter import schema
from watchglass.charter.schema import Key, Part
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, SECOND

MATURES_MS: Final = 14 * DAY
"""When an alert is final at the latest, where a charter does not say."""


@dataclass(frozen=True, slots=True)
class SeededChecks:
    """Known alerts, shown again among the others so that nobody can tell.

    Attributes:
        share: thousandths of the alerts that a reviewer sees.
    """

    share: Annotated[int, Key(schema.share(1, 200), "How large a share of what a reviewer sees is known already.")]
    at_least_per_reviewer_month: Annotated[
        int, Key(schema.whole(0, 1000), "But at least so many for each reviewer in a month.")
    ] = 0


@dataclass(frozen=True, slots=True)
class Samples:
    """What was not alerted is looked at too, by lot: so that what was missed can be reckoned.

    Attributes:
        near_misses: thousandths of what came near a rule's threshold. very_near_misses: of what came very near it; None
            is the same.
        quiet_a_day: moments for each 24 hours that an analytic runs, whatever is in the picture.
    """

    near_misses: Annotated[
        int, Key(schema.share(1, 1000), "How large a share of what came near a rule's threshold is looked at.")
    ]
    kept_ms: Annotated[int, Key(schema.DURATION, "For how long a sample is kept: from 1d to 90d.", "kept")]
    very_near_misses: Annotated[
        int | None,
        Key(
            schema.share(1, 1000),
            "How large a share of what came very near it: three quarters of the way and more. Without it: the same.",
        ),
    ] = None
    quiet_a_day: Annotated[
        int,
        Key(
            schema.whole(0, 24),
            "How many moments are looked at for each 24 hours that an analytic runs, whatever is in the picture.",
        ),
    ] = 0

    def __post_init__(self) -> None:
        if not DAY <= self.kept_ms <= 90 * DAY:
            raise BadInput("A sample is kept for a day to 90 days.", fix="Write for example `kept: 30d`.")
        if self.very_near_misses is not None and self.very_near_misses < self.near_misses:
            raise BadInput(
                "What came very near would be looked at less often than what only came near.",
                fix="Let `very_near_misses` be at least `near_misses`.",
            )

    @property
    def very_near(self) -> int:
        """Thousandths of what came very near that are looked at."""
        return self.near_misses if self.very_near_misses is None else self.very_near_misses


@dataclass(frozen=True, slots=True)
class Review:
    """A person decides, within a time; some decisions are made twice.

    Attributes:
        second_read: thousandths of decided alerts that another person judges too, without knowing the first verdict.
        second_read_at_least_per_reviewer_month: the least number of each reviewer's verdicts in a calendar month that
            are judged twice, as far as there are so many.
        matures_ms: how long after it was raised an alert is final at the latest.
    """

    within_ms: Annotated[int, Key(schema.DURATION, "How soon a person must have decided.", "within")]
    second_read: Annotated[
        int | None,
        Key(schema.share(1, 1000), "How large a share of decided alerts a second person judges, blind to the first."),
    ] = None
    second_read_at_least_per_reviewer_month: Annotated[
        int, Key(schema.whole(0, 1000), "But at least so many of each reviewer's verdicts in a month.")
    ] = 0
    seeded_checks: Annotated[
        SeededChecks | None, Key(Part(SeededChecks), "Known alerts among the others, to check on the checking.")
    ] = None
    matures_ms: Annotated[
        int,
        Key(
            schema.DURATION,
            "When an alert counts for `quality` at the latest, whatever is still open about it: from 1h to 90d.",
            "matures",
        ),
    ] = MATURES_MS

    def __post_init__(self) -> None:
        if self.within_ms < SECOND:
            raise BadInput("Nobody can decide in no time.", fix="Give people at least some seconds.")
        if self.second_read_at_least_per_reviewer_month and self.second_read is None:
            raise BadInput(
                "`second_read_at_least_per_reviewer_month` goes with `second_read`, and there is none.",
                fix="Add for example `second_read: 10%`, or remove it.",
            )
        if not HOUR <= self.matures_ms <= 90 * DAY:
            raise BadInput("An alert is final after an hour to 90 days.", fix="Write for example `matures: 14d`.")
        if self.matures_ms < self.within_ms:
            raise BadInput(
                "An alert would be final before a person must have decided.",
                fix="Let `matures` be longer than `within`.",
            )
