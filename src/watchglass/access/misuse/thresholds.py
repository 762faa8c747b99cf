"""Every number and word that the signals are judged by, in one place, each with where it comes from.

*fact*: from published cases or studies. *assumed*: our judgement, not measured anywhere. *chosen*: the value of a
printed grid that ``benchmarks/misuse_choose.py`` picked on simulated control rooms, on other seeds than those that
``watchglass bench misuse`` reports. No threshold was fitted to real staff: there is no such data.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, MINUTE

_GENERIC = (  # noqa: SIM905  # one text, because so many quoted words would fill pages
    "a about activity all an and any are as asked at be by case cctv camera check checking clip confirm"
    " control do duty enquiries enquiry enquire etc event file follow followup footage for from further"
    " general get have i in incident info information intel investigate investigating investigation is it job"
    " law legit look looking matter monitor monitoring n na no none of official ok on operational or other our"
    " per please police possible purpose purposes query random reason reasons ref reference regarding report"
    " request requested required requirement review routine search security see seen some something stuff"
    " surveillance system tbc tbd test that the this to up usual various verify video view was we with work x"
    " xx xxx yes"
).split()

GENERIC: Final = frozenset(_GENERIC)
"""Words that say nothing of what happened. English; a deployment adds those of its own language."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """When something becomes a signal. Times are milliseconds.

    Attributes:
        linger_ms: how long after an alert was settled or a dispatch ended looking again is still explained. Assumed:
            a shift.
        lead_ms: how long before a dispatch footage may begin. Assumed.
        own_verdict_ms: how long somebody may return to an alert that they decided. Assumed.
        wait_ms: how long an access may wait for a late case number before it is judged. Chosen.
        unexplained_views: unexplained looks at mosaicked pictures or lists in one session that are a signal. Originals
            need one. Chosen.
        repeat_window_ms, repeat_days, repeat_chance: days with unexplained accesses to one source within the window,
            and how unlikely they must be were it as usual a choice as for colleagues. Assumed; chosen; chosen.
        across_window_ms, across_days, across_cases: days with accesses for a case to one source, over so many cases.
            Assumed; chosen (days).
        across_chance: and as unlikely as this, were sources chosen as colleagues choose theirs. Assumed.
        one_case_days: days with accesses to one source for one case, in the same window. Assumed.
        shift_margin_ms: overtime before and after a shift. Chosen.
        worked_verdicts: who decided so many alerts in a session worked a shift, whatever the roster says. Assumed.
        session_gap_ms: silence that ends a session. Fact: at least eight hours.
        isolated_most: an isolated session is small. Assumed.
        baseline_ms, baseline_least, baseline_share, baseline_hours: what is usual for somebody: the share of own
            accesses in the window at that hour of the day, give or take so many hours, where there are enough to say.
            Assumed; chosen (share).
        generic: words that say nothing.
        telling_words: a reason with fewer words that do say something is vague. Assumed.
        alike: Jaccard similarity of three-letter pieces from which a reason is a copy. Assumed.
        reason_window_ms, vague_times, copied_times: so many in the window. Assumed; chosen; chosen.
        closed_ms: how long after its end a case may still be worked on. Assumed.
        others_times, others_window_ms: accesses for a case of others. Assumed.
        after_ms, after_times, after_window_ms: a case opened later than this after its access; so often. Chosen;
            chosen; assumed.
        pair_window_ms, pair_least: decisions of two people that are looked at, and how many it takes. Assumed.
        pair_chance: as unlikely as this, were requests refused as often as by others. Assumed.
        hasty_ms, hasty_share: an approval as quick as this was hardly read; so many of a pair's, while not half as many
            of the others'. Assumed.
        glass_window_ms, glass_times: uses of the emergency rule by one person. Assumed; chosen.
        outcome_ms, outcome_times, outcome_window_ms: how long something may take to come of a release, and how many
            may be without. Assumed; chosen; assumed.
        verdict_ms, unjudged_times, unjudged_window_ms: the same for alerts whose clip was looked at and about which
            nobody decided. Assumed.
        settle_ms: how long oversight may take over a signal. Assumed.
        review_ms: how long the record of accesses may go unreviewed. Assumed: a month and some days.
    """

    linger_ms: int = 12 * HOUR
    lead_ms: int = 2 * HOUR
    own_verdict_ms: int = 7 * DAY
    wait_ms: int = 72 * HOUR
    unexplained_views: int = 4
    repeat_window_ms: int = 28 * DAY
    repeat_days: int = 5
    repeat_chance: float = 0.001
    across_window_ms: int = 90 * DAY
    across_days: int = 4
    across_cases: int = 3
    across_chance: float = 0.001
    one_case_days: int = 12
    shift_margin_ms: int = 3 * HOUR
    worked_verdicts: int = 3
    session_gap_ms: int = 8 * HOUR
    isolated_most: int = 5
    baseline_ms: int = 56 * DAY
    baseline_least: int = 50
    baseline_share: float = 0.02
    baseline_hours: int = 1
    generic: frozenset[str] = GENERIC
    telling_words: int = 2
    alike: float = 0.8
    reason_window_ms: int = 90 * DAY
    vague_times: int = 3
    copied_times: int = 6
    closed_ms: int = DAY
    others_times: int = 3
    others_window_ms: int = 28 * DAY
    after_ms: int = 12 * HOUR
    after_times: int = 3
    after_window_ms: int = 28 * DAY
    pair_window_ms: int = 180 * DAY
    pair_least: int = 8
    pair_chance: float = 0.01
    hasty_ms: int = MINUTE
    hasty_share: float = 0.8
    glass_window_ms: int = 90 * DAY
    glass_times: int = 3
    outcome_ms: int = 30 * DAY
    outcome_times: int = 5
    outcome_window_ms: int = 90 * DAY
    verdict_ms: int = DAY
    unjudged_times: int = 6
    unjudged_window_ms: int = 28 * DAY
    settle_ms: int = 14 * DAY
    review_ms: int = 35 * DAY

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, frozenset):
                continue
            share = isinstance(value, float)
            if value <= 0 or (share and value >= 1):
                raise BadInput(
                    f"The threshold {field.name} cannot be {value}.",
                    fix="Use a share between 0 and 1." if share else "Use a number above 0.",
                )

    @property
    def lookback_ms(self) -> int:
        """How much history a run needs before the moment from which it judges."""
        waits = max(self.wait_ms, self.outcome_ms, self.settle_ms, self.review_ms, self.own_verdict_ms)
        windows: list[int] = [getattr(self, each.name) for each in fields(self) if each.name.endswith("window_ms")]
        return max(self.baseline_ms, 2 * max(windows)) + waits + 2 * self.session_gap_ms


DEFAULT: Final = Thresholds()
