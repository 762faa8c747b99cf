"""Acts: an operator lets what an analytic's own alerts taught say how likely the next ones are right, or takes it back.

It changes what people are told of an alert and nothing else: no alert is raised, held back or sent by a probability, so
no test of a limit begins anew. What is put in force is what was shown, and each alert keeps what was said of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchglass.access.roles import Grant, May
from watchglass.acts.charter_text import the_charter
from watchglass.acts.context import Acting, Done, attest, do
from watchglass.acts.final_alerts import batch
from watchglass.charter.model import Charter
from watchglass.charter.renewed import rule_of
from watchglass.core.digest import b64
from watchglass.core.errors import Problem, Refused
from watchglass.quality import finality, recalibration
from watchglass.quality.recalibration import Judged, Recalibration
from watchglass.records.outbox import Reader, Transaction, Value

_ALL_THAT_LIMITS_ASK: Final = "precision_at_least"
_SCORES: Final = (
    "SELECT o.number, a.score_per_mille, a.probability_per_mille "
    "FROM alert_order AS o JOIN alert AS a ON a.id = o.alert WHERE o.analytic = ?"
)


@dataclass(frozen=True, slots=True)
class InForce:
    """A calibration that was put in force.

    Attributes:
        leaf_hash: of its record. charter: the one that it was learnt under, SHA-256.
        facts: what the record commits to. over_ms: None while it stands.
    """

    leaf_hash: bytes
    analytic: str
    charter: bytes
    facts: Mapping[str, Any]
    since_ms: int
    over_ms: int | None

    @property
    def points(self) -> tuple[tuple[int, int, int], ...]:
        """(least score, right, n) of each step."""
        return recalibration.points_of([(each["least"], each["right"], each["n"]) for each in self.facts["points"]])


@dataclass(frozen=True, slots=True)
class Said:
    """One final alert, for what watches ask besides: undecided ones too."""

    number: int
    raised_ms: int
    leaf: bytes
    score: int | None
    said: int | None
    value: finality.Value


def final_alerts(reader: Reader, charter: Charter, analytic: str, now_ms: int) -> list[Said]:
    """An analytic's final alerts under the model and rule that run now, in order, up to the first that is not final.

    Drills, second reads and checks are no alerts of it. What retention has destroyed is gone.
    """
    told = {row["number"]: row for row in reader.all(_SCORES, analytic)}
    now = rule_of(charter, analytic)
    same: dict[bytes, bool] = {}
    found: list[Said] = []
    after = 0
    while alerts := batch(reader, analytic, after, _ALL_THAT_LIMITS_ASK, now_ms):
        after = alerts[-1].number
        for each in alerts:
            row, counted = told.get(each.number), each.counted
            if row is None or counted is None or counted.value is None:
                continue
            digest = each.charter.sha256
            if digest not in same:
                same[digest] = rule_of(each.charter, analytic) == now
            if same[digest]:
                scores = row["score_per_mille"], row["probability_per_mille"]
                found.append(Said(each.number, counted.raised_ms, each.leaf_hash, *scores, counted.value))
    return found


def to_learn_from(alerts: list[Said]) -> list[Judged]:
    """Those that were right or wrong, and have a score."""
    known = (each for each in alerts if each.score is not None and each.value is not finality.Value.UNDECIDED)
    return [Judged(each.leaf, each.score or 0, each.said, each.value is finality.Value.RIGHT) for each in known]


def proposal(reader: Reader, charter: Charter, analytic: str, now_ms: int) -> Recalibration:
    """What would be put in force now.

    Raises:
        Refused: there is not enough to learn from; it says what is missing.
    """
    charter.analytic(analytic)
    return recalibration.learn(to_learn_from(final_alerts(reader, charter, analytic, now_ms)))


def recalibrate(acting: Acting, grant: Grant, charter: Charter, analytic: str, *, last: bytes) -> Done[bytes]:
    """Put in force what the alerts up to ``last`` taught.

    Args:
        last: the record of the last alert of the proposal that the operator looked at.

    Returns:
        The leaf hash of the record, by which alerts name it.

    Raises:
        Refused: there is not enough, or it is no better on later alerts than what is said now.
        Problem: another alert became final since.
    """
    grant.require(May.RECALIBRATE)

    def act(tx: Transaction) -> bytes:
        now = acting.clock.now()
        found = proposal(tx, charter, analytic, now)
        if found.last != last:
            raise Problem(
                "More alerts became final since you looked, so nothing was changed.", fix="Look again, then decide."
            )
        if not found.better:
            raise Refused(
                "On later alerts this is no nearer to what came true than what is said now.",
                fix="Leave it, or wait until there are more alerts to learn from.",
            )
        facts = facts_of(found)
        clear = {"analytic": analytic, "cause": "renewed" if ever(tx, analytic) else "learnt"}
        what = {"calibration": facts}
        leaf = attest(acting, tx, "recalibrated", by=grant, under=charter, clear=clear, committed=what)
        _end(tx, analytic, now)
        row: dict[str, Value] = {"leaf_hash": leaf, "analytic": analytic, "charter": charter.sha256, "since_ms": now}
        tx.insert("recalibration", {**row, "facts": json.dumps(facts)})
        return leaf

    return do(acting, act)


def withdraw_recalibration(acting: Acting, grant: Grant, charter: Charter, analytic: str) -> Done[None]:
    """Let the next alerts say again what test clips say, where they say anything.

    Raises:
        Problem: none stands.
    """
    grant.require(May.RECALIBRATE)

    def act(tx: Transaction) -> None:
        if standing(tx, analytic) is None:
            raise Problem("Nothing learnt from this rule's alerts is in force.", fix="Nothing needs to be done.")
        clear = {"analytic": analytic, "cause": "withdrawn"}
        attest(acting, tx, "recalibrated", by=grant, under=charter, clear=clear, committed={"calibration": None})
        _end(tx, analytic, acting.clock.now())

    return do(acting, act)


def standing(reader: Reader, analytic: str) -> InForce | None:
    """What was put in force last for an analytic and not taken back."""
    row = reader.one("SELECT * FROM recalibration WHERE analytic = ? AND over_ms IS NULL", analytic)
    return _in_force(row) if row is not None else None


def ever(reader: Reader, analytic: str) -> bool:
    """Whether anything was ever put in force for it."""
    return reader.one("SELECT 1 FROM recalibration WHERE analytic = ?", analytic) is not None


def in_force(reader: Reader, analytic: str, charter: Charter) -> InForce | None:
    """What says how likely alerts under ``charter`` are right; None: only test clips do.

    Under another model or rule than it was learnt from it says nothing.
    """
    found = standing(reader, analytic)
    if found is None or found.charter == charter.sha256:
        return found
    other = the_charter(reader, found.charter)
    return found if rule_of(other, analytic) == rule_of(charter, analytic) else None


def by_record(reader: Reader, leaf_hash: bytes) -> InForce | None:
    """The one that an alert names."""
    row = reader.one("SELECT * FROM recalibration WHERE leaf_hash = ?", leaf_hash)
    return _in_force(row) if row is not None else None


def facts_of(found: Recalibration) -> dict[str, Any]:
    """What a record commits to."""
    return {
        "points": [{"least": least, "right": right, "n": n} for least, right, n in found.points],
        "learnt": found.learnt,
        "shown": found.shown,
        "first": b64(found.first),
        "last": b64(found.last),
        "before": found.before.as_json() if found.before else None,
        "after": found.after.as_json(),
    }


def _end(tx: Transaction, analytic: str, now: int) -> None:
    tx.execute("UPDATE recalibration SET over_ms = ? WHERE analytic = ? AND over_ms IS NULL", now, analytic)


def _in_force(row: Any) -> InForce:
    facts = json.loads(row["facts"])
    return InForce(
        bytes(row["leaf_hash"]), row["analytic"], bytes(row["charter"]), facts, row["since_ms"], row["over_ms"]
    )
