"""What a charter says about how well its analytics must work: limits that stop an analytic which crosses them.

Every limit is kept in thousandths, as a whole number, so that it is the same on every machine that replays it: a share
of 0.6 as 600, 3 false alerts a week as 3000, twice as often as 2000.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Final, Literal

from watchglass.charter import schema
from watchglass.charter.schema import Key, LooseEnd, Many, Named, Part
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY

LimitName = Literal[
    "precision_at_least",
    "false_alerts_per_week",
    "reviewed_in_time_at_least",
    "undecided_at_most",
    "disparity_at_most",
    "recall_at_least",
]
LIMITS: Final[tuple[LimitName, ...]] = (
    "precision_at_least",
    "false_alerts_per_week",
    "reviewed_in_time_at_least",
    "undecided_at_most",
    "disparity_at_most",
    "recall_at_least",
)
"""Every limit that a charter may state, by its key; each stated one is a test of its own."""

Stratum = Literal["day", "night"]
STRATA: Final[tuple[Stratum, ...]] = ("day", "night")
"""What alerts may be told apart by: whether the sun is up at the camera's place. Never a trait of a person (law 3)."""

LONGEST_TRIAL_MS: Final = 365 * DAY
AGAIN_WITHIN_MS: Final = 90 * DAY
"""After a second suspension within this only a new charter version lets an analytic run again."""

_STRATUM: Final = replace(schema.word(*STRATA), expects="day or night, and never a trait of a person")


@dataclass(frozen=True, slots=True)
class QualityLimits:
    """The limits of one analytic. Each stated limit is tested after every final verdict; crossing one suspends it.

    Attributes:
        name: the analytic; ``analytic`` is the same.
        precision_at_least: thousandths of its final alerts that must be right.
        false_alerts_per_week: thousandths of a final alert that may be wrong in each week that it ran.
        reviewed_in_time_at_least: thousandths of its alerts that a person decides within ``safeguards.review.within``.
        undecided_at_most: thousandths of its final alerts that may stay open or unsure.
        disparity_at_most: how many thousandths as often alerts may be wrong in one stratum as in the other; over 1000.
        trial_ms: how long a trial may last before it ends in a suspension.
    """

    name: str
    expected_alerts_per_week: Annotated[
        float,
        Key(
            schema.number(0.01, 100_000),
            "How many alerts a week are expected; `charter check` reckons with it how soon each limit would notice.",
        ),
    ]
    precision_at_least: Annotated[
        int | None, Key(schema.share(1, 999), "How large a share of its alerts must be right.")
    ] = None
    false_alerts_per_week: Annotated[
        int | None, Key(schema.thousandths(10, 10_000_000), "How many wrong alerts a week are borne.")
    ] = None
    reviewed_in_time_at_least: Annotated[
        int | None,
        Key(schema.share(1, 999), "How large a share of alerts a person decides within `review.within`."),
    ] = None
    undecided_at_most: Annotated[
        int | None, Key(schema.share(1, 999), "How large a share of its alerts may stay without an answer, or unsure.")
    ] = None
    strata: Annotated[
        tuple[Stratum, ...],
        Key(Many(_STRATUM, fewest=2, most=len(STRATA)), "What `disparity_at_most` compares."),
    ] = ()
    disparity_at_most: Annotated[
        int | None,
        Key(schema.thousandths(1_100, 100_000), "How many times as often it may be wrong in one as in the other."),
    ] = None
    trial_ms: Annotated[
        int | None,
        Key(
            schema.DURATION,
            "How long it may stay on trial. On trial nothing leaves the reviewers' queue, until its alerts have shown "
            "that it keeps `precision_at_least`; when the time is over without that, it is suspended.",
            "trial",
        ),
    ] = None
    recall_at_least: Annotated[
        int | None, Key(schema.share(1, 999), "How large a share of staged drills it must notice.")
    ] = None
    drills_planned: Annotated[
        int | None, Key(schema.whole(1, 100_000), "How many drills are staged while the charter is in force.")
    ] = None

    def __post_init__(self) -> None:
        if not self.stated:
            raise BadInput(
                "This states no limit at all.",
                fix="Write for example `precision_at_least: 0.6` with `trial: 60d`, or remove the section.",
            )
        if len(set(self.strata)) != len(self.strata):
            raise BadInput("`strata` names one twice.", fix="Write `strata: [day, night]`.")
        self._go_together()
        if self.trial_ms is not None and not DAY <= self.trial_ms <= LONGEST_TRIAL_MS:
            raise BadInput("A trial lasts from a day to a year.", fix="Write for example `trial: 60d`.")

    def _go_together(self) -> None:
        """What means nothing without the other."""
        if self.disparity_at_most is not None and not self.strata:
            raise BadInput(
                "`disparity_at_most` does not say what is compared.", fix="Add `strata: [day, night]`, or remove it."
            )
        if self.strata and self.disparity_at_most is None:
            raise BadInput(
                "`strata` are compared by `disparity_at_most`, and there is none.",
                fix="Add for example `disparity_at_most: 2`, or remove `strata`.",
            )
        if self.precision_at_least is not None and self.trial_ms is None:
            raise BadInput(
                "Trust in `precision_at_least` is earned on trial, and no length is given for it.",
                fix="Add for example `trial: 60d`.",
            )
        if self.trial_ms is not None and self.precision_at_least is None:
            raise BadInput(
                "A trial ends when `precision_at_least` is shown to be kept, and there is none.",
                fix="Add for example `precision_at_least: 0.6`, or remove `trial`.",
            )
        if (self.recall_at_least is None) != (self.drills_planned is None):
            raise BadInput(
                "`recall_at_least` is measured by staged drills, so it goes together with `drills_planned`.",
                fix="Write both or neither.",
            )

    @property
    def analytic(self) -> str:
        """The analytic that the limits are for."""
        return self.name

    @property
    def stated(self) -> tuple[LimitName, ...]:
        """The limits that are written, in the order of ``LIMITS``."""
        return tuple(limit for limit in LIMITS if getattr(self, limit) is not None)

    def tested(self, limit: LimitName) -> int:
        """A stated limit as its test takes it, in thousandths: where so much must be reached, how much may be missed.

        Raises:
            BadInput: the limit is not stated.
        """
        value: int | None = getattr(self, limit)
        if value is None:
            raise BadInput(f"{self.name!r} has no limit {limit!r}.", fix=f"Use one of these: {', '.join(self.stated)}.")
        return 1000 - value if limit.endswith("_at_least") else value


@dataclass(frozen=True, slots=True)
class Quality:
    """How well all of it must work, and how rarely a good analytic may be stopped by chance.

    Attributes:
        alpha: thousandths; the chance that any limit ever stops an analytic that keeps it, all limits together. For
            each analytic on trial, also the chance that it is trusted without keeping its precision: that is another
            mistake, so nothing of alpha is taken for it.
        fewest: below so many final alerts no rate is published.
    """

    limits: Annotated[
        tuple[QualityLimits, ...],
        Key(Named(Part(QualityLimits)), "The limits of the analytic of this name.", schema.ANY),
    ]
    alpha: Annotated[
        int,
        Key(
            schema.share(1, 200),
            "The chance that a limit ever stops an analytic which keeps it: of all limits together, split equally.",
        ),
    ] = 50
    fewest: Annotated[
        int, Key(schema.whole(5, 10_000), "Below so many final alerts a rate is shown as not enough data.")
    ] = 20

    def __post_init__(self) -> None:
        if not self.limits:
            raise BadInput(
                "No analytic has a limit here.",
                fix="Name an analytic, and indent its limits under it: `precision_at_least: 0.6`, `trial: 60d`.",
            )

    @property
    def tests(self) -> tuple[tuple[str, LimitName], ...]:
        """Every stated limit, as (analytic, limit), in the order of the file; each is a test with its part of alpha."""
        return tuple((limits.name, limit) for limits in self.limits for limit in limits.stated)

    @property
    def alpha_each(self) -> float:
        """The part of alpha that each stated limit has, as a probability; all together at most ``alpha`` / 1000."""
        return self.alpha / 1000 / len(self.tests)


def quality_ends(
    quality: Quality | None, analytics: tuple[str, ...], *, people_do: bool, matures_ms: int, alerts_ms: int
) -> Iterator[LooseEnd]:
    """Everything about quality that does not fit the rest of a charter.

    Args:
        analytics: their names.
        people_do: whether ``on_suspension`` says what people do while an analytic is stopped.
        matures_ms: when an alert is final at the latest.
        alerts_ms: how long alerts are kept.
    """
    if quality is None:
        return
    at = ("quality",)
    for limits in quality.limits:
        if limits.name not in analytics:
            listed = ", ".join(analytics) or "none"
            yield LooseEnd(
                (*at, limits.name),
                f"There is no analytic called {limits.name!r}.",
                f"Use one of these: {listed}.",
                limits.name,
                analytics,
            )
    if not people_do:
        yield LooseEnd(
            at,
            "A limit stops an analytic by itself, and nothing says whom to tell and what people do then.",
            "Add `on_suspension: {tell: [oversight], people_do: …}` under `safeguards`.",
        )
    if matures_ms > alerts_ms:
        yield LooseEnd(
            ("safeguards", "review", "matures"),
            "An alert would be deleted before it is final.",
            "Let `review.matures` be at most `retention.alerts`.",
        )
