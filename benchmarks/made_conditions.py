"""Cameras that see badly in a life: dark evenings, pictures that are missing; what alerts of such times say of it.

What a charter asks is in its text; what is not met now stands in ``life.failing``, as it does in the house's database.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from made_town import Story
from watchglass.charter.model import Charter
from watchglass.core.time import HOUR, MINUTE, SECOND
from watchglass.quality.conditions import stated_by

if TYPE_CHECKING:
    from made_life import Life

MEASURED: Final = {
    "too_dark": (12_000, 30_000),
    "too_bright": (244_000, 230_000),
    "uptime": (700, 900),
    "clock": (9_000, 2_000),
}
"""What is measured and what is allowed, in thousandths; the clock in milliseconds."""
ASKED: Final = (
    "{brightness: [30, 230], uptime_at_least: 90%}",
    "{brightness: [30, 230]}",
    "{uptime_at_least: 90%}",
    "",
)
"""What a charter may ask of all its sources; the first one asks for the first time."""


def asked_anew(life: Life) -> str:
    """What the next charter asks."""
    dice = Random(f"asked {life.plan.seed} {len(life.town.versions)}")  # noqa: S311 (a schedule, not a secret)
    return dice.choice(ASKED)


def seeing_badly(life: Life) -> Story:
    """Now and then a source does not meet a condition; later it does again, or the charter asks no longer."""
    dice = Random(f"seeing badly {life.plan.seed}")  # noqa: S311 (a schedule, not a secret)
    over: dict[tuple[str, str], int] = {}
    while True:
        yield dice.randrange(5 * MINUTE, 20 * MINUTE)
        charter = life.under
        if charter is None or life.town.run is None:
            continue  # nobody looks, so nothing changes
        no_longer(life, charter)
        for source, condition in [each for each, at in over.items() if at <= life.town.now]:
            del over[source, condition]
            if condition in life.failing[source]:
                recover(life, source, condition)
        source = dice.choice(charter.sources)
        condition = dice.choice(("too_dark", "uptime"))
        free = condition not in life.failing[source.name] and stated_by(source.conditions, condition)
        waits = life.town.versions[-1].charter.sha256 != charter.sha256  # the next one may ask no longer
        if free and dice.random() < (1 / 2 if waits else 1 / 16):
            degrade(life, source.name, condition)
            over[source.name, condition] = life.town.now + dice.randrange(20 * MINUTE, 4 * HOUR)


def degrade(life: Life, source: str, condition: str) -> bytes:
    """Record that a source does not meet a condition, as the act does."""
    town = life.town
    measured, allowed = MEASURED[condition]
    clear = {"source": source, "condition": condition}
    committed = {"measured": measured, "allowed": allowed}
    leaf = town.attest("source_degraded", under=life.under, clear=clear, committed=committed)
    life.failing[source][condition] = leaf
    return leaf


def recover(life: Life, source: str, condition: str, because: str = "measured") -> bytes:
    """Record that it meets it again."""
    clear = {"source": source, "condition": condition, "because": because}
    refs = [life.failing[source].pop(condition)]
    return life.town.attest("source_recovered", under=life.under, clear=clear, refs=refs)


def no_longer(life: Life, charter: Charter) -> None:
    """What a charter asks no longer is over."""
    asked = {source.name: source.conditions for source in charter.sources}
    for source, found in life.failing.items():
        for condition in [each for each in found if not stated_by(asked.get(source), each)]:
            recover(life, source, condition, "charter")


def seen(life: Life, source: str) -> dict[str, object]:
    """Under what conditions an alert was seen."""
    failing, turn = sorted(life.failing[source]), life.town.now // SECOND
    size = (None, "small", "middle", "large")[turn % 4]
    return {
        "light": "dark" if "too_dark" in failing else (None, "dim", "bright")[turn % 3],
        "view": (None, "colour", "infrared")[turn % 5 % 3],
        "size": size,
        "crowding": None if size is None else "one",
        "degraded": failing,
    }
