"""Lies about published limits."""

from __future__ import annotations

from typing import Any, Final

from dishonest import Lie
from lies_running import running
from made_life import MILD, Life
from made_limits import Case
from made_town import EXPLANATION, Search, Story
from watchglass.core.digest import b64
from watchglass.core.time import HOUR, MINUTE
from watchglass.quality.states import State

LIMITS: Final = "limits"
REPLAYED: Final = "limits-replayed"
SUSPENSIONS: Final = "suspensions"
UNREACHED: Final = 0.8
"""A third of what is made is confirmed: far below this, so that the limit is crossed in every made life."""
LITTLE: Final[dict[str, Any]] = {
    "precision": UNREACHED,
    "days": 1.5,
    "sealing": False,
    "heartbeat_ms": None,
    "cases": 0,
    "asides": 0.0,
    "alerts_a_day": 40.0,
    "review_ms": 2 * MINUTE,
    "sources": 1,
    "kind": "production",
}
"""Many alerts, mostly not confirmed, so that a limit is soon crossed."""
LOOK: Final = "intrusion-corner-0"


def stopped(life: Life) -> Search[Case]:
    """Once its limit has stopped an analytic; it runs nowhere."""
    yield from running(life)
    while True:
        case = life.judge.cases.get(LOOK)
        if case is not None and case.stands.state is State.SUSPENDED:
            return case
        yield 5 * MINUTE


def no_oversight(life: Life) -> Story:
    """The house lets it run again by itself."""
    case = yield from stopped(life)
    yield HOUR
    limits = life.town.charter.limits_of(LOOK)
    assert limits is not None
    life.judge.runs_again(LOOK, case, limits)
    life.town.planted.append(_newest(life))


def no_proposal(life: Life) -> Story:
    """Oversight lets it run again upon a proposal that was for another stop, long ago."""
    town = life.town
    case = yield from stopped(life)
    stop = case.stop
    assert stop is not None
    yield HOUR
    other = _judged(life, "new-rule", "suspended", "precision_at_least")
    clear = {"analytic": "new-rule"}
    proposal = town.signed(
        "resumption_proposed", town.keys["authority"], "authority", clear=clear,
        committed={"what_changed": EXPLANATION}, refs=[other],
    )  # fmt: skip
    yield MINUTE
    resumed = town.signed(
        "analytic_resumed", town.keys["oversight-office"], "oversight", clear={"analytic": LOOK},
        committed={"reason": EXPLANATION}, refs=[stop.leaf, proposal],
    )  # fmt: skip
    case.resumed = resumed
    town.planted += [other, resumed]


def ran_on(life: Life) -> Story:
    """It goes on raising alerts after its stop was recorded."""
    town = life.town
    yield from stopped(life)
    town.orders.clear()
    begin = (town.now // HOUR + 2) * HOUR
    while not (found := [each for each in town.alerts.values() if each.look == LOOK and each.raised_ms >= begin]):
        yield MINUTE
    town.planted.append(found[0].leaf)


def handed_over(life: Life) -> Story:
    """An alert is handed over while its analytic is on trial."""
    yield from running(life)
    while True:
        handed = [each.verdict for each in life.town.alerts.values() if each.handed and each.look == LOOK]
        if handed and handed[0] is not None:
            life.town.planted.append(handed[0])
            return
        yield MINUTE


def told_outside(life: Life) -> Story:
    """Somebody outside is told of an alert while its analytic is on trial."""
    yield from running(life)
    town = life.town
    while True:
        case = life.judge.cases.get(LOOK)
        alert = next((each for each in town.alerts.values() if each.look == LOOK and each.verdict), None)
        if alert is not None and case is not None and case.stands.state is State.TRIAL:
            yield 2 * MINUTE
            committed = {
                "notice": "00112233aabbccdd",
                "alert": alert.id,
                "destination": "elsewhere",
                "account": None,
                "status": "confirmed",
                "body_sha256": b64(bytes(32)),
            }
            leaf = town.attest("notice_decided", under=town.charter, purpose=alert.purpose, committed=committed)
            town.planted.append(leaf)
            return
        yield MINUTE


def without_trial(life: Life) -> Story:
    """The house says that it is within its limits, without having looked."""
    yield from running(life)
    while LOOK not in life.judge.cases:
        yield MINUTE
    life.town.planted.append(_judged(life, LOOK, "within", "enough"))


def _judged(life: Life, name: str, state: str, why: str) -> bytes:
    clear = {"analytic": name, "state": state, "cause": why}
    return life.town.attest("analytic_judged", under=life.town.charter, clear=clear, committed={"evidence": None})


def _newest(life: Life) -> bytes:
    """The newest record of how something stands."""
    return life.judge.records[-1]


LIMIT_LIES: Final = (
    Lie(
        "limit-runs-again-alone",
        "The house lets an analytic run again that its limit had stopped, and oversight never signed that.",
        (LIMITS,),
        no_oversight,
        changes=LITTLE,
        sins=frozenset({"no-resumption"}),
        at=0.0,
    ),
    Lie(
        "limit-ran-on",
        "An analytic goes on raising alerts after its limit was recorded to have stopped it.",
        (SUSPENSIONS,),
        ran_on,
        changes=LITTLE,
        sins=frozenset({"no-resumption"}),
        at=0.0,
    ),
    Lie(
        "limit-resumed-without-proposal",
        "Oversight lets an analytic run again, and the authority had not said what was changed.",
        (LIMITS,),
        no_proposal,
        changes=LITTLE,
        sins=frozenset({"no-resumption"}),
        at=0.0,
    ),
    Lie(
        "limit-never-acts",
        "An analytic crosses its limit, and the house does not stop it.",
        (REPLAYED,),
        depth="openings",
        changes=LITTLE,
        sins=frozenset({"never-stops"}),
    ),
    Lie(
        "limit-trusts-at-once",
        "An analytic is trusted after two alerts.",
        (REPLAYED,),
        depth="openings",
        changes={**LITTLE, "precision": MILD},
        sins=frozenset({"trusts"}),
    ),
    Lie(
        "limit-leaves-alerts-out",
        "Every third alert is left out of the tests of the limits.",
        (REPLAYED,),
        depth="openings",
        changes=LITTLE,
        sins=frozenset({"leaves-out"}),
    ),
    Lie(
        "limit-verdict-order",
        "The house tests with verdicts as they come, and waits for no alert before them.",
        (REPLAYED,),
        depth="openings",
        changes={**LITTLE, "reads": True, "precision": 0.7, "days": 4.0},
        sins=frozenset({"verdict-order"}),
    ),
    Lie(
        "limit-never-looks",
        "The charter publishes limits, and the house never tests them.",
        (LIMITS,),
        changes=LITTLE,
        sins=frozenset({"never-judges"}),
    ),
    Lie(
        "limit-hands-over-on-trial",
        "While an analytic is on trial one of its alerts is handed to those who go there.",
        (REPLAYED,),
        handed_over,
        depth="openings",
        changes={**LITTLE, "precision": MILD},
        sins=frozenset({"hands-over"}),
        at=0.0,
    ),
    Lie(
        "limit-tells-on-trial",
        "While an analytic is on trial somebody outside is told of one of its alerts.",
        (REPLAYED,),
        told_outside,
        depth="openings",
        changes={**LITTLE, "precision": MILD},
        at=0.0,
    ),
    Lie(
        "limit-without-trial",
        "A new analytic is said to be within its limits, though nothing has shown it.",
        (LIMITS,),
        without_trial,
        changes=LITTLE,
        at=0.0,
    ),
)
