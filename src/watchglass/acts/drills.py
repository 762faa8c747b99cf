"""Acts: a staged drill is announced, begun, ended or told of afterwards, and called off before its time.

Nobody says whether it was noticed: ``acts.score_drills`` works that out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

from watchglass.access.roles import Grant, May
from watchglass.acts.charter_text import the_charter
from watchglass.acts.context import Acting, Done, attest, do
from watchglass.charter.model import Charter
from watchglass.core.errors import BadInput, Problem
from watchglass.core.time import DAY, MINUTE
from watchglass.quality.drilled import (
    LATE_MS,
    LONGEST_RUN_MS,
    MOST_A_DAY,
    Cause,
    Result,
    Times,
    check_window,
    gap_ms,
    outside_hours,
    reach_ms,
)
from watchglass.records.outbox import Reader, Row, Transaction

LONGEST_WORDS: Final = 500


@dataclass(frozen=True, slots=True)
class Drill:
    """One drill, as far as it has come.

    Attributes:
        what: what is played, in plain words.
        reach_ms: how long after its end an alert is still its own.
        charter: the one under which it was run, or planned.
        told: who gave its times: somebody there and then, or afterwards.
        number: its place in the order of scoring; stratum, result, cause: once it was scored.
    """

    id: str
    analytic: str
    source: str
    what: str
    from_ms: int
    to_ms: int
    reach_ms: int
    planned_ms: int
    charter: bytes
    begun_ms: int | None
    ended_ms: int | None
    told: Literal["there", "afterwards"] | None
    called_off_ms: int | None
    reason: str | None
    stratum: Literal["day", "night"] | None
    result: Result | None
    cause: Cause | None
    epoch: int | None
    number: int | None
    scored_ms: int | None
    leaf_hash: bytes
    scored_leaf: bytes | None

    @property
    def times(self) -> Times:
        """As the pure rules take them."""
        return Times(self.from_ms, self.to_ms, self.begun_ms, self.ended_ms)

    @property
    def open(self) -> bool:
        """Whether it is neither scored nor called off."""
        return self.scored_ms is None and self.called_off_ms is None


def drill_from(row: Row) -> Drill:
    """A drill from its row."""
    plain = {name: row[name] for name in Drill.__slots__}
    plain["result"] = Result(row["result"]) if row["result"] else None
    plain["cause"] = Cause(row["cause"]) if row["cause"] else None
    return Drill(**plain)


def the_drill(reader: Reader, drill_id: str) -> Drill:
    """The drill with this id.

    Raises:
        BadInput: there is none.
    """
    row = reader.one("SELECT * FROM drill WHERE id = ?", drill_id)
    if row is None:
        raise BadInput("There is no such drill.", fix="Look at the list of drills again.")
    return drill_from(row)


def drills(reader: Reader, *, most: int = 1_000) -> list[Drill]:
    """Every drill, the latest time first."""
    return [drill_from(row) for row in reader.all("SELECT * FROM drill ORDER BY from_ms DESC LIMIT ?", most)]


def open_drills(reader: Reader, analytic: str) -> list[Drill]:
    """The drills of a rule that are neither scored nor called off, in the order of their times."""
    sql = "SELECT * FROM drill WHERE analytic = ? AND scored_ms IS NULL AND called_off_ms IS NULL ORDER BY from_ms"
    return [drill_from(row) for row in reader.all(sql, analytic)]


def announced_at(reader: Reader, source: str, at_ms: int) -> Drill | None:
    """The drill that is announced at a camera at a moment: for those who go there, never for those who judge."""
    row = reader.one(
        "SELECT * FROM drill WHERE source = ?1 AND called_off_ms IS NULL AND from_ms <= ?2 "
        "AND to_ms + ?3 + reach_ms >= ?2 ORDER BY from_ms LIMIT 1",
        source,
        at_ms,
        LONGEST_RUN_MS,
    )
    return drill_from(row) if row else None


def plan_drill(
    acting: Acting, grant: Grant, charter: Charter, analytic: str, what: str, from_ms: int, to_ms: int
) -> Done[Drill]:
    """Announce a drill for a rule of the charter in force.

    Args:
        what: what will be played, in plain words; sealed to those who run drills and to oversight.
        from_ms, to_ms: the time in which it is to be run.

    Raises:
        BadInput: the time cannot be one of a drill, or the rule does not run then. Problem: there are others too near.
    """
    grant.require(May.PLAN_DRILL)
    now = acting.clock.now()
    from_ms, to_ms = from_ms // MINUTE * MINUTE, to_ms // MINUTE * MINUTE
    check_window(from_ms, to_ms, now)
    words = _words(what, "what")
    rule = charter.analytic(analytic)
    if outside_hours(charter, rule, (from_ms, to_ms - 1)):
        raise BadInput(f"{analytic!r} does not run at that time.", fix="Choose a time within its hours.", field="from")
    reach = reach_ms(rule)

    def act(tx: Transaction) -> Drill:
        _room(tx, analytic, from_ms, to_ms, reach)
        drill = acting.entropy.bytes(8).hex()
        leaf_hash = attest(
            acting,
            tx,
            "drill_planned",
            by=grant,
            under=charter,
            clear={"drill": drill, "analytic": analytic, "source": rule.source, "day": day_of(from_ms)},
            committed={"from_ms": from_ms, "to_ms": to_ms, "what": words},
        )
        tx.insert(
            "drill",
            {
                "id": drill,
                "analytic": analytic,
                "source": rule.source,
                "what": words,
                "from_ms": from_ms,
                "to_ms": to_ms,
                "reach_ms": reach,
                "planned_ms": now,
                "charter": charter.sha256,
                "leaf_hash": leaf_hash,
            },
        )
        return the_drill(tx, drill)

    return do(acting, act)


def begin_drill(acting: Acting, grant: Grant, charter: Charter, drill_id: str) -> Done[Drill]:
    """Somebody on the spot says: it begins now.

    Raises:
        Problem: it is not its time, or it was begun or called off.
    """
    grant.require(May.RUN_DRILL)

    def act(tx: Transaction) -> Drill:
        now, drill = acting.clock.now(), _open(tx, drill_id)
        if drill.begun_ms is not None:
            raise Problem("This drill was begun already.", fix="Reload the page.")
        if not drill.from_ms <= now <= drill.to_ms:
            raise Problem(
                "A drill begins within its announced time, and it is not that time now.",
                fix="Run it in its time, or call it off before that begins.",
            )
        charter.analytic(drill.analytic)
        committed = {"begun_ms": now}
        attest(acting, tx, "drill_begun", by=grant, under=charter, committed=committed, refs=[drill.leaf_hash])
        tx.execute(
            "UPDATE drill SET begun_ms = ?, told = 'there', charter = ? WHERE id = ?", now, charter.sha256, drill_id
        )
        return the_drill(tx, drill_id)

    return do(acting, act)


def end_drill(acting: Acting, grant: Grant, charter: Charter, drill_id: str) -> Done[Drill]:
    """Somebody on the spot says: it is over now. Without that it is over a quarter of an hour after its beginning.

    Raises:
        Problem: it was not begun, or is over.
    """
    grant.require(May.RUN_DRILL)

    def act(tx: Transaction) -> Drill:
        now, drill = acting.clock.now(), _open(tx, drill_id)
        if drill.begun_ms is None or drill.ended_ms is not None or now > drill.begun_ms + LONGEST_RUN_MS:
            raise Problem("This drill does not run now.", fix="Reload the page.")
        return _ended(acting, tx, grant, charter, drill, drill.begun_ms, now)

    return do(acting, act)


def tell_drill(
    acting: Acting, grant: Grant, charter: Charter, drill_id: str, begun_ms: int, ended_ms: int
) -> Done[Drill]:
    """Somebody says afterwards when it was: only where its announced time was so short that nothing could be chosen.

    Raises:
        BadInput: those times do not lie within the announced one. Problem: it is too early, too late, or told already.
    """
    grant.require(May.RUN_DRILL)

    def act(tx: Transaction) -> Drill:
        now, drill = acting.clock.now(), _open(tx, drill_id)
        if not drill.times.narrow:
            raise Problem(
                "Its announced time is longer than a quarter of an hour, so its times cannot be told afterwards.",
                fix="Say “begun” and “ended” on the spot; or plan the next one for a shorter time.",
            )
        if drill.begun_ms is not None or not ended_ms <= now <= drill.to_ms + LATE_MS:
            raise Problem(
                "Its times are told once, after it, and within an hour after its announced time.",
                fix="Reload the page.",
            )
        if not drill.from_ms <= begun_ms <= ended_ms <= drill.to_ms:
            raise BadInput(
                "These times do not lie within the announced one.", fix="Give the times as they were.", field="begun"
            )
        return _ended(acting, tx, grant, charter, drill, begun_ms, ended_ms, afterwards=True)

    return do(acting, act)


def call_off_drill(acting: Acting, grant: Grant, charter: Charter, drill_id: str, reason: str) -> Done[Drill]:
    """Call a drill off before its time.

    Raises:
        Problem: its time has begun. BadInput: there is no reason.
    """
    grant.require(May.PLAN_DRILL)
    words = _words(reason, "reason")

    def act(tx: Transaction) -> Drill:
        now, drill = acting.clock.now(), _open(tx, drill_id)
        if now >= drill.from_ms:
            raise Problem(
                "Its time has begun, so it cannot be called off any more: what is not run counts as missed.",
                fix="Run it, if there is time.",
            )
        committed = {"reason": words}
        attest(acting, tx, "drill_called_off", by=grant, under=charter, committed=committed, refs=[drill.leaf_hash])
        tx.execute("UPDATE drill SET called_off_ms = ?, reason = ? WHERE id = ?", now, words, drill_id)
        return the_drill(tx, drill_id)

    return do(acting, act)


def charter_of_drill(reader: Reader, drill: Drill) -> Charter:
    """The charter under which it was run, or planned."""
    return the_charter(reader, drill.charter)


def day_of(at_ms: int) -> str:
    """The day in UTC, as records write it."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%d")


def _ended(
    acting: Acting,
    tx: Transaction,
    grant: Grant,
    charter: Charter,
    drill: Drill,
    begun_ms: int,
    ended_ms: int,
    *,
    afterwards: bool = False,
) -> Drill:
    told = "afterwards" if afterwards else "there"
    attest(
        acting,
        tx,
        "drill_ended",
        by=grant,
        under=charter,
        clear={"told": told},
        committed={"begun_ms": begun_ms, "ended_ms": ended_ms},
        refs=[drill.leaf_hash],
    )
    under = charter.sha256 if afterwards else drill.charter
    tx.execute(
        "UPDATE drill SET begun_ms = ?, ended_ms = ?, told = ?, charter = ? WHERE id = ?",
        *(begun_ms, ended_ms, told, under, drill.id),
    )
    return the_drill(tx, drill.id)


def _open(tx: Transaction, drill_id: str) -> Drill:
    drill = the_drill(tx, drill_id)
    if drill.called_off_ms is not None:
        raise Problem("This drill was called off.", fix="Plan another one.")
    if drill.scored_ms is not None:
        raise Problem("This drill is over.", fix="Plan another one.")
    return drill


def _room(tx: Transaction, analytic: str, from_ms: int, to_ms: int, reach: int) -> None:
    """Drills of a rule are apart, and few a day."""
    rows = tx.all("SELECT from_ms, to_ms FROM drill WHERE analytic = ? AND called_off_ms IS NULL", analytic)
    gap = gap_ms(reach)
    if any(row["from_ms"] < to_ms + gap and from_ms < row["to_ms"] + gap for row in rows):
        raise Problem(
            "Another drill of this rule is announced for that time, or just before or after it.",
            fix="Choose another time.",
        )
    if sum(row["from_ms"] // DAY == from_ms // DAY for row in rows) >= MOST_A_DAY:
        raise Problem(f"A rule has at most {MOST_A_DAY} drills a day.", fix="Choose another day.")


def _words(text: str, field: str) -> str:
    words = " ".join(text.split())
    if not words or len(words) > LONGEST_WORDS:
        raise BadInput(
            f"Say it in 1 to {LONGEST_WORDS} characters.", fix="Write a plain sentence, without names.", field=field
        )
    return words
