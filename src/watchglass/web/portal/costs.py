"""What it costs, on a public page: each camera a month, each confirmed alert, and how that is reckoned."""

from __future__ import annotations

import math
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from watchglass.acts.public_costs import CostFacts, cost_facts
from watchglass.acts.public_facts import Condition
from watchglass.review.costs import FEWEST_BLOCKS, FEWEST_DECODED, FEWEST_LOOKS, LEAST_SECONDS, CameraCost, Estimate
from watchglass.web.portal.render import page
from watchglass.web.portal.twins import twin

router: Final = APIRouter()

_ROOM: Final = 380
"""How long the longest bar is, in units of the drawing."""


@twin(router, "/costs")
def costs(request: Request) -> Response:
    """Costs, in sentences first."""
    house = request.app.state.house
    standing = house.standing()
    if standing.charter is None:
        return page(request, "public/nothing.html", {"condition": Condition.NO_CHARTER})
    facts = cost_facts(house.store.read(), standing, house.clock.now())
    currency = facts.prices.currency if facts.prices else ""
    data = {
        "costs": facts,
        "sentences": {
            camera.source: camera_sentences(camera, currency, whole_days=facts.whole_days) for camera in facts.cameras
        },
        "alert_sentences": alert_sentences(facts),
        "_bars": {camera.source: bars(camera, currency) for camera in facts.cameras},
        "_least": f"{FEWEST_BLOCKS} whole days" if facts.whole_days else f"{LEAST_SECONDS // 60} minutes",
        "_fewest_decoded": FEWEST_DECODED,
        "_fewest_looks": FEWEST_LOOKS,
        "_money": lambda value: money(value, currency),
    }
    return page(request, "public/costs.html", data)


def money(value: float, currency: str) -> str:
    """``1.43 EUR``; whole numbers from a hundred on; nothing is ever shown as nought that is not."""
    if 0 < value < 0.005:  # noqa: PLR2004 (rounds to nought)
        return f"less than 0.01\u00a0{currency}"
    text = f"{value:,.0f}" if value >= 100 else f"{value:.2f}"  # noqa: PLR2004 (nobody needs cents of hundreds)
    return f"{text.replace(',', chr(0x202F))}\u00a0{currency}"


def likely(of: Estimate, currency: str) -> str:
    """``likely between 1.20 EUR and 1.60 EUR``."""
    return f"likely between {money(of.low, currency)} and {money(of.high, currency)}"


def camera_sentences(camera: CameraCost, currency: str, *, whole_days: bool) -> list[str]:
    """One camera's cost, in words."""
    if camera.cores is None or camera.share is None:
        least = f"{FEWEST_BLOCKS} whole days" if whole_days else f"{LEAST_SECONDS // 60} minutes"
        measured = f"this camera was measured for {_hours(camera.hours)}"
        return [f"Not enough data yet: {measured}. A figure is shown from {least} on."]
    found = []
    if camera.total is not None and camera.hardware is not None:
        parts = f"{money(camera.hardware.value, currency)} for its share of the machine"
        if camera.energy is not None:
            parts += f" and {money(camera.energy.value, currency)} for electricity"
        found.append(
            f"Looking through this camera costs about {money(camera.total.value, currency)} a month, "
            f"{likely(camera.total, currency)}: {parts}."
        )
    share = camera.share
    found.append(f"It takes {_part(share)} of the computing time of the machine, measured over {_hours(camera.hours)}.")
    more = camera.otherwise
    if more is None:
        found.append("Not enough data yet to say what looking at every picture would have cost.")
    elif more.decoded < 1.05:  # noqa: PLR2004 (rounds to 1.0)
        found.append(
            "Nearly every picture was decoded anyway, because something moved nearly all the time. Letting the "
            f"detector look at every picture would have taken {_times(more.detected)} that."
        )
    else:
        found.append(
            f"Decoding every picture would have taken {_times(more.decoded)} that, and letting the detector look at "
            f"every picture {_times(more.detected)}."
        )
    return found


def alert_sentences(facts: CostFacts) -> list[str]:
    """What people's time and a confirmed alert cost, in words."""
    review, currency = facts.review, facts.prices.currency if facts.prices else ""
    if review is None:
        return []
    if review.minutes is None:
        seen = f"{review.decided} decisions in {review.days} days"
        return [f"Not enough data yet: {seen}. A figure is shown from {review.FEWEST} on."]
    minutes, found = review.minutes, []
    if review.month is not None:
        found.append(
            f"A person needs at most {_minutes(minutes)}, from {minutes.n} decisions. There were {review.alerts} "
            f"alerts in {review.days} days: that time costs about {money(review.month.value, currency)} a month."
        )
    if review.each is not None:
        found.append(
            f"So each alert that a person confirmed costs about {money(review.each.value, currency)}, "
            f"{likely(review.each, currency)}, cameras and people together; there were {review.confirmed} of them."
        )
    else:
        found.append(
            "Not enough data yet to say what a confirmed alert costs: every camera must have been measured, and "
            f"{review.FEWEST} alerts confirmed."
        )
    return found


def _hours(hours: float) -> str:
    return f"{round(60 * hours)} minutes" if hours < 2 else f"{round(hours)} hours"  # noqa: PLR2004 (90 minutes, 3 hours)


def _part(share: Estimate) -> str:
    """``68 of 1,000 parts (likely between 35 and 100)``; hundreds where that is fine enough."""
    whole = 100 if share.low >= 0.05 else 1000  # noqa: PLR2004 (a twentieth)
    low, value, high = math.floor(whole * share.low), round(whole * share.value), math.ceil(whole * share.high)
    return f"{value} of {whole:,} parts (likely between {low} and {high})"


def _minutes(of: Estimate) -> str:
    """``24 seconds, likely between 20 and 28``, or minutes where they are many."""
    unit, times = ("minutes", 1) if of.value >= 3 else ("seconds", 60)  # noqa: PLR2004 (people say 150 seconds, not 200)
    low, high = math.floor(times * of.low), math.ceil(times * of.high)
    return f"{round(times * of.value)} {unit} to decide about an alert, likely between {low} and {high}"


def _times(ratio: float) -> str:
    return f"{ratio:.1f} times" if ratio < 10 else f"{ratio:.0f} times"  # noqa: PLR2004 (no false precision)


def bars(camera: CameraCost, currency: str) -> list[dict[str, Any]]:
    """As it is, all decoded, all detected: bars to one scale."""
    if camera.otherwise is None or camera.cores is None:
        return []
    rows = (
        ("As it is: only where something moves", 1.0),
        ("Every picture decoded", camera.otherwise.decoded),
        ("Every picture decoded, and the detector on each", camera.otherwise.detected),
    )
    most = max(ratio for _, ratio in rows)
    return [
        {
            "words": words,
            "width": round(max(2.0, _ROOM * ratio / most), 1),
            "ratio": "1" if ratio == 1 else f"{ratio:.1f}",
            "money": money(camera.total.value * ratio, currency) if camera.total else "",
        }
        for words, ratio in rows
    ]
