"""Recalibration in a life: an operator lets a rule's own alerts say how likely the next ones are right.

The house's own functions, on what the life's people said; what stands is plain values here.
"""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any, Final

from made_town import Story
from watchglass.access.roles import May, Role
from watchglass.charter.renewed import rule_of
from watchglass.core.digest import b64
from watchglass.core.errors import Refused
from watchglass.core.time import HOUR
from watchglass.quality.finality import Value
from watchglass.quality.recalibration import Judged, Recalibration, learn, probability

if TYPE_CHECKING:
    from made_life import Life
    from made_town import MadeAlert

EVERY: Final = 7 * HOUR
Points = tuple[tuple[int, int, int], ...]


class Recalibrations:
    """What is in force. What a dishonest house does otherwise is named in ``life.sins``."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.dice = Random(f"recalibrated {life.plan.seed}")  # noqa: S311 (a schedule, not a secret)
        self.standing: dict[str, tuple[bytes, bytes, Points]] = {}
        self.ever: set[str] = set()
        self.told: dict[bytes, tuple[int, int | None]] = {}

    def say(self, name: str, score: int, otherwise: int | None) -> tuple[int | None, str | None]:
        """The probability of a new alert, and by which record it is said."""
        stands = self.standing.get(name)
        charter = self.life.town.charter
        if stands is None or rule_of(self._by_hash(stands[1]), name) != rule_of(charter, name):
            return otherwise, None
        said = probability(stands[2], score)
        return (1000 - (said or 0) if "tells-otherwise" in self.life.sins else said), b64(stands[0])

    def raised(self, made: MadeAlert, score: int, said: int | None, named: str | None) -> None:
        """Keep what was said of it."""
        self.told[made.leaf] = (score, said)
        if named is not None and "tells-otherwise" in self.life.sins and not self.life.town.planted:
            self.life.town.planted.append(made.leaf)

    def look(self) -> None:
        """Put in force what can be learnt by now, or now and then take back what is."""
        town = self.life.town
        for analytic in town.charter.analytics:
            if analytic.name in self.standing and self.dice.random() < 1 / 4:
                del self.standing[analytic.name]
                self._record(analytic.name, "withdrawn", None)
                continue
            try:
                found = learn(self._finals(analytic.name))
            except Refused:
                continue
            if found.better:
                self._put(analytic.name, found)

    def _put(self, name: str, found: Recalibration) -> None:
        facts: dict[str, Any] = {
            "points": [{"least": least, "right": right, "n": n} for least, right, n in found.points],
            "learnt": found.learnt,
            "shown": found.shown,
            "first": b64(found.first),
            "last": b64(found.last),
            "before": found.before.as_json() if found.before else None,
            "after": found.after.as_json(),
        }
        points = found.points
        lies = "invents-calibration" in self.life.sins
        if lies:
            points = ((points[0][0], 0, points[0][2] + 1),)
            facts["points"] = [{"least": points[0][0], "right": points[0][1], "n": points[0][2]}]
        leaf = self._record(name, "renewed" if name in self.ever else "learnt", facts)
        self.standing[name] = (leaf, self.life.town.charter.sha256, points)
        self.ever.add(name)
        if lies:
            self.life.town.planted.append(leaf)

    def _record(self, name: str, cause: str, facts: dict[str, Any] | None) -> bytes:
        town = self.life.town
        return town.attest(
            "recalibrated",
            under=town.charter,
            by=town.grant(Role.OPERATOR, May.RECALIBRATE),
            clear={"analytic": name, "cause": cause},
            committed={"calibration": facts},
        )

    def _finals(self, name: str) -> list[Judged]:
        town, judge, found = self.life.town, self.life.judge, []
        now = rule_of(town.charter, name)
        for told in judge.alerts.get(name, ()):
            charter = self._by_hash(told.made.charter)
            drills, at = self.life.drills, told.made.raised_ms
            if drills.may_hold(name, at, town.now):
                break  # it may yet turn out to be of a drill
            if drills.own(name, at):
                continue
            counted = judge.counted(told, charter, "precision_at_least")
            if counted is None:
                break
            known = told.made.id in town.alerts and rule_of(charter, name) == now
            if known and counted.value in {Value.RIGHT, Value.WRONG}:
                score, said = self.told[told.made.leaf]
                found.append(Judged(told.made.leaf, score, said, counted.value is Value.RIGHT))
        return found

    def _by_hash(self, sha256: bytes) -> Any:
        return next(each.charter for each in self.life.town.versions if each.charter.sha256 == sha256)


def recalibrating(life: Life) -> Story:
    """An operator looks now and then."""
    while True:
        yield EVERY
        if life.may_look():
            life.recalibrations.look()
