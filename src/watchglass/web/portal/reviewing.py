"""What people read of how they judge: everybody their own figures, nobody another's; and which alerts are doubted."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response

from watchglass.acts import rereads, reviewer_figures
from watchglass.charter.phrases import duration
from watchglass.charter.reviewing import Review
from watchglass.core.time import DAY
from watchglass.review.bias import Pattern
from watchglass.web.portal.context import house_of, person_of, reader_of
from watchglass.web.portal.render import page
from watchglass.web.portal.staff import KIND_WORDS, place_of
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)

DOUBTED_MS: Final = 14 * DAY

PATTERN_WORDS: Final = {
    Pattern.ALWAYS_CONFIRM: "You confirmed nearly everything, real or not. Nobody can tell that from not looking. "
    "Next time, say first what would have to be in the picture, then look whether it is there.",
    Pattern.ALWAYS_REJECT: "You rejected nearly everything, real or not. Nobody can tell that from not looking. "
    "Somebody may have needed help. Look at one clip to its end before you decide.",
    Pattern.ALWAYS_UNSURE: "You were unsure about nearly everything. If the pictures do not show enough, tell your "
    "shift lead: that is a fault of the camera or of the rule, not of yours.",
    Pattern.CHANCE: "What you answered had nothing to do with what was real, as far as these checks show. A coin would "
    "do as well. Take a break, and talk with your shift lead about what such alerts look like.",
}


@twin(router, "/review/mine")
def mine(request: Request) -> Response:
    """One's own figures, for nobody else."""
    house = house_of(request)
    found = reviewer_figures.mine(reader_of(request), person_of(request).account, house.clock.now())
    pattern = found.figures.pattern
    charter = house.standing().charter
    return page(
        request,
        "staff/mine.html",
        {
            "mine": found,
            "places": {check.alert: place_of(request, check.source) for check in found.checks},
            "titles": {check.alert: KIND_WORDS[check.kind] for check in found.checks},
            "named": PATTERN_WORDS[pattern] if pattern else None,
            "rules": _rules(charter.safeguards.review) if charter else (),
        },
    )


@twin(router, "/doubts")
def doubts(request: Request) -> Response:
    """Alerts about which a second person says otherwise: somebody must look at each."""
    now = house_of(request).clock.now()
    found = rereads.differing(reader_of(request), now, now - DOUBTED_MS)
    return page(
        request,
        "staff/doubts.html",
        {
            "days": DOUBTED_MS // DAY,
            "doubts": [
                {
                    "alert": each.alert,
                    "title": KIND_WORDS[each.kind],
                    "place": place_of(request, each.source),
                    "at_ms": each.at_ms,
                    "said_ms": each.said_ms,
                    "handed": each.handed,
                }
                for each in found
            ],
        },
    )


def _rules(review: Review) -> tuple[str, ...]:
    """What the charter says about judging twice, in sentences."""
    told = []
    if review.second_read is not None:
        told.append(
            f"About {review.second_read / 10:g} of 100 alerts are judged by a second person, who does not know that "
            "they are the second, nor what the first said. It is drawn which."
        )
    if review.seeded_checks is not None:
        told.append(
            f"About {review.seeded_checks.share / 10:g} of 100 are checks: past alerts whose answer is known. They "
            "look like any other, and nobody is sent anywhere."
        )
    if told:
        told.append(f"Alerts are final after {duration(review.matures_ms)} at the latest.")
    return tuple(told)
