"""What is put before people again in a life: second and third judgements, checks, and the record that closes a day."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from made_life import Life
from made_town import MadeAlert, Story
from watchglass.access.roles import Role
from watchglass.charter.permit import RaiseAlert
from watchglass.core.digest import b64
from watchglass.core.time import DAY, MINUTE, SECOND
from watchglass.review.model import VerdictValue
from watchglass.review.reads import Judged

AGAIN = {"second": 2, "third": 3, "check": None}
TRIES = 90
"""How often the charter is asked whether it may be shown, every half hour: long enough for any stop that is excused."""

Clip = Callable[[Life, MadeAlert], Story]
Verdict = Callable[[Life, MadeAlert], bytes]


def judged_again(life: Life, made: MadeAlert, clip: Clip, verdict: Verdict) -> Story:
    """Another person judges it where that was drawn, a third where two differ; sometimes it serves as a check."""
    town, dice = life.town, life.dice
    yield dice.randrange(5 * MINUTE, 30 * MINUTE)
    said, leaves = [made.said], [made.verdict]
    if made.drawn:
        for why in ("second", "third"):
            copy = yield from shown(life, made, why, clip, verdict)
            if copy is None:
                return
            said.append(copy.said)
            leaves.append(copy.verdict)
            if said[0] == said[1]:
                break
        judged = Judged(*(VerdictValue(each) for each in said))
        row = {
            "alert": b64(made.leaf),
            "reads": [b64(leaf) for leaf in leaves if leaf],
            "value": judged.value.value,
            "told": "yes" if judged.tell else "no",
        }
        life.closed.append((town.now, row))
    known = next((value for value in ("confirm", "reject") if said.count(value) > 1), None)
    if known is not None and len(made.judges) < len(town.people[Role.REVIEWER]) and dice.random() < 1 / 2:
        check = yield from shown(life, made, "check", clip, verdict)
        if check is not None:
            row = {"alert": b64(check.leaf), "of": b64(made.leaf), "truth": known}
            life.checks.append((town.now, row))


def shown(life: Life, made: MadeAlert, why: str, clip: Clip, verdict: Verdict) -> Any:
    """Show it again as soon as the charter lets, and have somebody judge it who has not; None where it never did."""
    town, dice = life.town, life.dice
    for _ in range(TRIES):
        permit = town.permit(RaiseAlert(made.look)) if life.may_look() else None
        if permit is not None:
            break
        yield 30 * MINUTE
    else:
        return None
    copy = show(life, made, why, permit)
    yield dice.randrange(SECOND, 4 * SECOND)
    yield from clip(life, copy)
    yield dice.randrange(10 * SECOND, MINUTE)
    verdict(life, copy)
    yield 11 * SECOND
    return copy


def show(life: Life, made: MadeAlert, why: str, under: Any, **otherwise: Any) -> MadeAlert:
    """Record it, as the act does. A liar gives some of it ``otherwise``."""
    town = life.town
    number = town.number()
    kind = town.charter.analytic(made.look).kind
    leaf = town.attest(
        "alert_raised",
        under=under,
        clear={"analytic": made.look, "kind": kind},
        committed={
            "alert": number,
            "source": made.source,
            "zone": None,
            "score": None,
            "probability": None,
            "why": "Shown again.",
            "again": {"of": b64(made.leaf), "why": why},
            "conditions": None,
            "calibration": None,
        },
        **otherwise,
    )
    due = town.now + town.charter.safeguards.review.within_ms
    copy = MadeAlert(
        number, leaf, made.look, made.source, town.charter.analytic(made.look).purpose, town.charter.sha256,
        town.now, due, leaves=[leaf], read=AGAIN[why], judges=made.judges, of=made,
    )  # fmt: skip
    town.alerts[number] = copy
    return copy


def closing(life: Life) -> Story:
    """At midnight (UTC) what was settled is closed, also where there is nothing."""
    town = life.town
    while True:
        yield DAY - town.now % DAY + life.dice.randrange(SECOND, MINUTE)
        if town.charter.safeguards.review.second_read is None or not life.may_look():
            continue
        midnight = town.now // DAY * DAY
        closed = [row for at, row in life.closed if at < midnight]
        checks = [row for at, row in life.checks if at < midnight]
        life.closed = [each for each in life.closed if each[0] >= midnight]
        life.checks = [each for each in life.checks if each[0] >= midnight]
        town.attest("reads_closed", under=town.charter, committed={"closed": closed, "checks": checks})
