"""What lint looks for in samples of what was not alerted: how long they are kept, what they cost, what they tell."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

from watchglass.charter.model import Charter
from watchglass.charter.phrases import count, duration
from watchglass.charter.rules import Hit, Rule
from watchglass.charter.sample_words import ANSWER_SECONDS

CLIP_SECONDS: Final = 8
"""How long the clip of a quiet moment is."""
_WEEK_S: Final = 7 * 24 * 3600
_AT: Final = ("safeguards", "samples")


def outlive_clips(charter: Charter) -> Iterator[Hit]:
    samples, clips = charter.safeguards.samples, charter.safeguards.retention.reviewer_clips_ms
    if samples is not None and samples.kept_ms > clips:
        told = f"Clips of what was not alerted would be kept for {duration(samples.kept_ms)}, those of alerts for"
        yield (*_AT, "kept"), f"{told} {duration(clips)}."


def who_looks(charter: Charter) -> Iterator[Hit]:
    samples = charter.safeguards.samples
    if samples is None:
        return
    runs = sum(analytic.kind != "camera_fault" for analytic in charter.analytics)
    quiet = 7 * samples.quiet_a_day * runs
    minutes = math.ceil(quiet * ANSWER_SECONDS / 60)
    near, very = samples.near_misses, samples.very_near
    told = (
        f"Reviewers look at them when no alert waits, about {ANSWER_SECONDS} seconds each. Quiet moments take at most "
        f"{count(minutes)} {'minute' if minutes == 1 else 'minutes'} a week together ({count(quiet)} clips). Of 1,000 "
        f"near-misses {near} are looked at, in {math.ceil(near * ANSWER_SECONDS / 60)} minutes; of 1,000 very near "
        f"ones {very}, in {math.ceil(very * ANSWER_SECONDS / 60)} minutes."
    )
    yield _AT, told


def what_is_learnt(charter: Charter) -> Iterator[Hit]:
    samples = charter.safeguards.samples
    if samples is None:
        return
    told = "Near-misses tell of what came near a threshold, and nothing of what did not; only staged drills do."
    if samples.quiet_a_day:
        weeks = 365 * samples.quiet_a_day * CLIP_SECONDS / _WEEK_S
        told += (
            f" Quiet moments tell little of what is rare: when a year of them shows nothing missed, that says “fewer "
            f"than {-math.log(0.05) / weeks:,.0f} a camera-week” and no more."
        )
    yield _AT, told


SAMPLE_RULES: Final = (
    Rule(
        "samples-kept",
        "warning",
        "What was not alerted is kept no longer than what was.",
        "GDPR Art. 5(1)(c), (e); LED Art. 4(1)(c), (e)",
        "Let `samples.kept` be at most `retention.reviewer_clips`, or say in public why people need longer to look.",
        outlive_clips,
        "notice",
    ),
    Rule(
        "samples-cost",
        "notice",
        "Who looks at samples, and how long that takes.",
        "EU AI Act Art. 26(2)",
        "Nothing to do, if there are people who have the time.",
        who_looks,
    ),
    Rule(
        "samples-learnt",
        "notice",
        "What samples can tell.",
        "EU AI Act Art. 15(3)",
        "Nothing to do; plan staged drills too if you promise how much is noticed.",
        what_is_learnt,
    ),
)
"""Of a charter that has what was not alerted looked at."""
