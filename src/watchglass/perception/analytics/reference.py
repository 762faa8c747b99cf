"""Writes docs/reference/incident-kinds.md from the cards, so that the page cannot drift from the rules.

Run ``python -m watchglass.perception.analytics.reference > docs/reference/incident-kinds.md`` after a card has changed.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Final

from watchglass.perception.analytics import KINDS_OF_INCIDENT
from watchglass.perception.analytics.card import Card

_INTRO: Final = """\
# Kinds of incident

<!-- Made by `python -m watchglass.perception.analytics.reference`; a test fails when it and the cards differ. -->

What Watchglass can notice, each kind with its whole rule, its settings, and how it is known to fail. A charter names
those that run; [its language](charter.md) says how. An incident is a hypothesis that a person decides. How often each
kind is right and what it misses is [measured](figures.md), on real video where there is some with truth.

A rule is given tracks (boxes with a kind, followed within one camera for as long as they are in view), the zone, and
what perception found about the camera or the scene. It is never given a picture. There is no kind that is about who
somebody is, and none that is about [being somewhere for long](../adr/0018-no-loitering.md).

A *near-miss* is what came half of the way to the threshold or more and never reached it; it counts once, when it is
over, and only [where a charter asks for samples](../how-to/look-at-what-was-not-alerted.md). Very near is from three
quarters of the way on.

`for` in a charter is `for_ms` here; a charter writes it as `for: 5s`.
"""

_GIVEN: Final = {
    "tracks": "tracks",
    "found": "the boxes that the detector found, before they are followed",
    "statics": "what has changed in the scene and stays",
    "condition": "what is wrong with the camera",
}


def page() -> str:
    """The whole page as Markdown."""
    return _INTRO + "".join("\n" + "\n".join(_lines(card)) + "\n" for card in cards())


def cards() -> tuple[Card, ...]:
    """The cards of all kinds, in the order of ``KINDS_OF_INCIDENT``."""
    return tuple(card for made in KINDS_OF_INCIDENT.values() if isinstance(card := getattr(made, "card", None), Card))


def _lines(card: Card) -> Iterator[str]:
    yield f"## `{card.kind}`"
    yield ""
    yield card.rule
    yield ""
    yield f"- needs: {card.needs or 'nothing but the camera'}"
    yield f"- is given: {', '.join(_GIVEN[what] for what in card.sees)}"
    yield f"- an incident says: {card.evidence}"
    yield f"- a near-miss: {card.near or 'none is told'}"
    yield ""
    if card.parameters:
        yield "| Setting | Unit | Default | Means |"
        yield "|---|---|---|---|"
        for setting in card.parameters:
            default = setting.default or "the charter must say it"
            yield f"| `{setting.key}` | {setting.unit} | {default} | {setting.means} |"
        yield ""
    yield "Known to fail:"
    yield ""
    yield from (f"- {failure}" for failure in card.fails)


if __name__ == "__main__":
    sys.stdout.write(page())
