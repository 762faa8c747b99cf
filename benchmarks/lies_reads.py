"""Lies about what is put before people again."""

from __future__ import annotations

from typing import Any, Final

from dishonest import Lie
from lies_running import running, some_look
from made_life import Life
from made_reads import show
from made_stories import clip, raise_alert, verdict
from made_town import MadeAlert, Search, Story
from watchglass.access.roles import May, Role
from watchglass.charter.permit import Decide, HandOver, RaiseAlert
from watchglass.core.digest import b64
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND

READS: Final = "reads"
TWICE: Final = {
    "reads": True,
    "days": 1.0,
    "sealing": False,
    "heartbeat_ms": None,
    "cases": 0,
    "asides": 0.0,
    "alerts_a_day": 2.0,
}
"""Little besides: what is lied about here takes no originals and no beats."""


def decided(life: Life, *, drawn: bool | None = None) -> Search[MadeAlert]:
    """An alert with its clip and a verdict; drawn for a second judgement or not, where that is asked for."""
    yield from running(life)
    town, name = life.town, some_look(life)
    while True:
        permit = town.permit(RaiseAlert(name))
        assert permit is not None
        made = raise_alert(life, name, permit, town.now)
        yield from clip(life, made)
        yield MINUTE
        verdict(life, made)
        yield 5 * MINUTE
        if drawn is None or made.drawn is drawn:
            return made


def put_again(life: Life, made: MadeAlert, why: str) -> Search[MadeAlert]:
    """It is shown again, with its clip, and somebody is about to judge it."""
    permit = life.town.permit(RaiseAlert(made.look))
    assert permit is not None
    copy = show(life, made, why, permit)
    yield from clip(life, copy)
    yield 30 * SECOND
    return copy


def say(life: Life, copy: MadeAlert, by: str | None = None, **otherwise: Any) -> bytes:
    """A judgement of it, as the act records one, but for what is ``otherwise``."""
    town = life.town
    others = [each.name for each in town.people[Role.REVIEWER] if by is not None and each.name != by]
    grant = town.grant(Role.REVIEWER, May.DECIDE_ALERT, but=others or copy.judges)
    committed = {
        "alert": copy.id,
        "verdict": "confirm",
        "reason": "seen",
        "handed_to": None,
        "read": copy.read,
        "draw": None,
        **otherwise,
    }
    under = town.permit(Decide(copy.look))
    copy.verdict = town.attest("alert_decided", under=under, by=grant, committed=committed, refs=[copy.leaf])
    copy.leaves.append(copy.verdict)
    return copy.verdict


def handed_over(life: Life) -> Story:
    """A check is handed to those who go there."""
    made = yield from decided(life)
    copy = yield from put_again(life, made, "check")
    life.town.planted.append(say(life, copy, handed_to="responder-page"))


def gone_to(life: Life) -> Story:
    """Somebody goes there because of a check."""
    made = yield from decided(life)
    town = life.town
    copy = yield from put_again(life, made, "check")
    said = say(life, copy)
    yield MINUTE
    by, under = town.grant(Role.RESPONDER, May.RESPOND), town.permit(HandOver(copy.look))
    committed = {"alert": copy.id, "decided": b64(said), "step": "arrived"}
    town.planted.append(town.attest("handover_progressed", under=under, by=by, committed=committed))


def same_person(life: Life) -> Story:
    """Whoever judged first judges second too."""
    made = yield from decided(life, drawn=True)
    copy = yield from put_again(life, made, "second")
    life.town.planted.append(say(life, copy, by=made.judges[0]))


def outlived(life: Life) -> Story:
    """A check shows what had to be destroyed days ago."""
    made = yield from decided(life)
    yield 3 * DAY
    while life.town.permit(RaiseAlert(made.look)) is None:
        yield HOUR
    copy = yield from put_again(life, made, "check")
    life.town.planted.append(copy.leaf)
    say(life, copy)


def picked(life: Life) -> Story:
    """An alert is judged again that was not drawn for it."""
    made = yield from decided(life, drawn=False)
    copy = yield from put_again(life, made, "second")
    life.town.planted.append(copy.leaf)
    say(life, copy)


def left_out(life: Life) -> Story:
    """What was drawn for a second judgement never has one."""
    made = yield from decided(life, drawn=True)
    assert made.verdict is not None
    life.town.planted.append(made.leaf)


def drawn_less(life: Life) -> Story:
    """A verdict is drawn with a smaller chance than the charter's."""
    yield from running(life)
    town, name = life.town, some_look(life)
    permit = town.permit(RaiseAlert(name))
    assert permit is not None
    made = raise_alert(life, name, permit, town.now)
    yield MINUTE
    town.planted.append(say(life, made, draw={"number": 999_999, "below": 10}))


def closed_otherwise(life: Life) -> Story:
    """What is said of an alert in the end is not what people judged."""
    made = yield from decided(life, drawn=True)
    copy = yield from put_again(life, made, "second")
    other = "reject" if made.said == "confirm" else "confirm"
    second = say(life, copy, verdict=made.said)
    yield HOUR
    row = {"alert": b64(made.leaf), "reads": [b64(made.verdict or b""), b64(second)], "value": other, "told": "no"}
    town = life.town
    committed = {"closed": [row], "checks": []}
    town.planted.append(town.attest("reads_closed", under=town.charter, committed=committed))


def _lie(name: str, told: str, play: Any, **changes: Any) -> Lie:
    return Lie(name, told, (READS,), play, depth="openings", changes={**TWICE, **changes})


ABOUT_READS: Final[tuple[Lie, ...]] = (
    _lie("check-handed-over", "A check is handed over to those who go there.", handed_over),
    _lie("check-gone-to", "Somebody goes there because of a check.", gone_to),
    _lie("read-by-the-same", "The same person judges an alert first and second.", same_person),
    _lie("check-outlives", "A check shows what had to be destroyed days ago.", outlived, clips_ms=DAY, days=6.0),
    _lie("read-not-drawn", "An alert is judged again that was not drawn for it.", picked),
    _lie("read-left-out", "An alert is drawn for a second judgement, and has none.", left_out, days=6.0),
    _lie("drawn-less", "A verdict is drawn with a smaller chance than the charter's.", drawn_less),
    _lie("closed-otherwise", "What is made of an alert is not what people judged.", closed_otherwise),
)
