"""What samples of what was not alerted mean, for everybody."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchglass.charter.model import Charter
from watchglass.charter.phrases import count, duration, in_natural

ANSWER_SECONDS: Final = 20
"""What one sample takes a reviewer: eight seconds of a clip, a look again, and the answer."""


def sample_words(charter: Charter) -> Iterator[str]:
    """Who looks at what was not alerted, and how much of it."""
    samples = charter.safeguards.samples
    if samples is None:
        return
    near, very = in_natural(samples.near_misses), in_natural(samples.very_near)
    much = near if near == very else f"{near} (of those that came very near, {very})"
    yield (
        f"To reckon what was missed, people also look at moments about which nobody was alerted. Of the moments that "
        f"came near an alert, {much} are drawn by lot. They see the same blocked-out kind of clip and say whether "
        f"anything had happened. Nobody is sent anywhere."
    )
    if samples.quiet_a_day:
        yield (
            f"For each 24 hours that a rule runs, {count(samples.quiet_a_day)} "
            f"{'moment is' if samples.quiet_a_day == 1 else 'moments are'} drawn whatever is in the picture."
        )


def samples_kept(charter: Charter) -> Iterator[str]:
    """How long such clips are kept."""
    samples = charter.safeguards.samples
    if samples is not None:
        yield f"The blocked-out clips of such moments are kept for {duration(samples.kept_ms)}."
