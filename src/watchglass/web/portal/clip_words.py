"""What a reviewer reads beside an alert's picture: whether the clip is there, and what of it is withheld."""

from __future__ import annotations

from typing import Final

from watchglass.acts.view_clip import KeptClip
from watchglass.core.time import SECOND

FOLLOWS_WITHIN: Final = 10
"""Seconds after the alert: four are filmed, the rest makes the clip (``clip_ready_p95_s`` of ``bench perception``)."""

_COMES_NO_MORE_MS: Final = 60 * SECOND
_SHARES: Final = (
    (950, "Nearly all"),
    (600, "Most"),
    (400, "About half"),
    (280, "About a third"),
    (150, "About a fifth"),
)


def clip_words(kept: KeptClip | None, since_ms: int) -> str:
    """The words under the picture.

    Args:
        kept: the alert's clip, if there is one.
        since_ms: how long ago the alert was raised.
    """
    if kept is None:
        if since_ms < _COMES_NO_MORE_MS:
            return f"Painted still. The mosaicked clip follows, usually within {FOLLOWS_WITHIN} seconds."
        return "Painted still. No clip of this alert could be made: decide by the still, or choose unsure."
    if kept.destroyed:
        return "Painted still. The clip was destroyed at the end of its retention."
    words = "Mosaicked clip. A mosaic is not anonymity."
    if not kept.withheld_per_mille:
        return words
    share = next((word for least, word in _SHARES if kept.withheld_per_mille >= least), "A small part")
    return f"{words} {share} of it is withheld, because {kept.withheld_why}."
