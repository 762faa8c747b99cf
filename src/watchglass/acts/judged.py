"""How analytics stand to their published limits, read from the rows of ``acts.judge``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from watchglass.acts.charter_text import charter_of
from watchglass.acts.rows import as_value
from watchglass.charter.decide import Suspension
from watchglass.charter.model import Charter
from watchglass.charter.renewed import rule_of
from watchglass.core.digest import b64
from watchglass.core.time import iso
from watchglass.quality.judging import RECALL, TESTED, Testing, testing_from
from watchglass.quality.states import LATELY_MS, Stands, State, Why
from watchglass.records.outbox import Reader, Row

BY_LIMIT: Final = "its published limit"
"""Who stopped it, as sentences for people say it."""

WHY: Final[dict[str, str]] = {
    Why.NEW: "It is new here, and has not shown yet how well it works.",
    Why.CHANGED: "Its model or its rule was changed, so it has to show anew how well it works.",
    Why.RESUMED: "It was stopped, and oversight lets it show anew how well it works.",
    Why.TRUSTED: "Its alerts have shown that it keeps the published limit.",
    Why.EXPIRED: "Its trial is over, and its alerts had not shown that it keeps the published limit.",
    Why.ENOUGH: "There are enough alerts to tell, and no limit is crossed.",
    Why.TOO_FEW: "There were too few alerts lately to tell how well it works.",
    "precision_at_least": "Too many of its alerts were wrong, or were left without an answer.",
    "false_alerts_per_week": "It raised too many wrong alerts a week.",
    "reviewed_in_time_at_least": "Too many of its alerts were not looked at in time.",
    "undecided_at_most": "Too many of its alerts were left without an answer.",
    "disparity_at_most": "It was wrong far more often by day than by night, or the other way round.",
    "recall_at_least": "It missed too many of the staged drills.",
}
"""Why a state began, in a sentence for everybody."""
STATE_WORDS: Final[dict[State, str]] = {
    State.TRIAL: "on trial",
    State.WITHIN: "within its limits",
    State.UNKNOWN: "not enough data to tell",
    State.SUSPENDED: "suspended by its limit",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """How one analytic stands. ``epoch``: how often it was resumed. ``charter``: it was last looked at under."""

    analytic: str
    state: State
    why: str
    since_ms: int
    trial_ends_ms: int | None
    trusted_ms: int | None
    epoch: int
    charter: bytes
    leaf_hash: bytes

    @property
    def stands(self) -> Stands:
        """The part that ``quality.states`` moves."""
        return Stands(self.state, self.why, self.since_ms, self.trial_ends_ms, self.trusted_ms)

    @property
    def holds_back(self) -> bool:
        """Whether nothing of it leaves the reviewers' queue: on trial, or stopped while it was."""
        return self.state is State.TRIAL or (self.state is State.SUSPENDED and self.trial_ends_ms is not None)


@dataclass(frozen=True, slots=True)
class Stop:
    """An analytic that a limit stopped.

    Attributes:
        version: of the charter that was in force. resumed: the record by which oversight lets it run again.
        over_ms: when that took effect.
    """

    leaf_hash: bytes
    analytic: str
    why: str
    version: int
    stopped_ms: int
    obeyed_ms: int | None
    resumed: bytes | None
    resumed_ms: int | None
    over_ms: int | None


@dataclass(frozen=True, slots=True)
class Progress:
    """A test as far as it has come.

    Attributes:
        testing: None where no charter states that limit.
        cursor: the number of the last alert that was considered. first, last: the records of those it counted.
    """

    testing: Testing | None
    cursor: int
    first: bytes | None = None
    last: bytes | None = None


def judged_of(reader: Reader, analytic: str) -> Judged | None:
    """How it stands; None: it was not looked at yet, or the charter states no limits for it."""
    row = reader.one("SELECT * FROM judged WHERE analytic = ?", analytic)
    return _judged(row) if row else None


def all_judged(reader: Reader) -> dict[str, Judged]:
    """How each stands, by its name."""
    return {row["analytic"]: _judged(row) for row in reader.all("SELECT * FROM judged")}


def open_stop(reader: Reader, analytic: str) -> Stop | None:
    """The stop by a limit that holds for it."""
    row = reader.one("SELECT * FROM limit_stop WHERE analytic = ? AND over_ms IS NULL", analytic)
    return as_value(Stop, row) if row else None


def stops(reader: Reader, analytic: str | None = None) -> list[Stop]:
    """Every stop by a limit, the newest first."""
    sql = "SELECT * FROM limit_stop WHERE ?1 IS NULL OR analytic = ?1 ORDER BY stopped_ms DESC"
    return [as_value(Stop, row) for row in reader.all(sql, analytic)]


def stop_rows(reader: Reader, analytic: str | None = None) -> list[dict[str, Any]]:
    """Every stop by a limit, the newest first, with its places in the ledger: for pages."""
    return [
        {
            "analytic": each.analytic,
            "because": WHY.get(each.why, ""),
            "stopped_ms": each.stopped_ms,
            "obeyed_ms": each.obeyed_ms,
            "over_ms": each.over_ms,
            "index": _index_of(reader, each.leaf_hash),
            "resumed_index": _index_of(reader, each.resumed) if each.resumed else None,
            "what_changed": _what_changed(reader, each.leaf_hash),
        }
        for each in stops(reader, analytic)
    ]


def _what_changed(reader: Reader, stop: bytes) -> str | None:
    """What the authority said last was changed since a stop, which everybody may read."""
    row = reader.one("SELECT what_changed FROM resumption WHERE stop = ? ORDER BY proposed_ms DESC", stop)
    return str(row["what_changed"]) if row else None


def _index_of(reader: Reader, leaf_hash: bytes) -> int | None:
    row = reader.one("SELECT idx FROM entry WHERE leaf_hash = ?", leaf_hash)
    return int(row["idx"]) if row else None


def suspensions_by_limit(reader: Reader) -> list[Suspension]:
    """The stops by limits that hold, as the charter's decision takes them."""
    rows = reader.all("SELECT analytic, stopped_ms FROM limit_stop WHERE over_ms IS NULL ORDER BY stopped_ms")
    return [Suspension(row["analytic"], BY_LIMIT, int(row["stopped_ms"])) for row in rows]


def on_trial(reader: Reader, charter: Charter) -> frozenset[str]:
    """The analytics whose alerts stay with the reviewers.

    Those too that the house has not looked at yet since they are new or were changed: it is about to.
    """
    if charter.quality is None:
        return frozenset()
    known = all_judged(reader)
    return frozenset(name for name in _with_limits(charter) if _held_back(reader, charter, name, known.get(name)))


def stays_with_reviewers(reader: Reader, charter: Charter, analytic: str) -> bool:
    """Whether nothing about this analytic's alerts may leave the reviewers' queue now.

    Args:
        charter: the one that the alert was raised under.
    """
    return _held_back(reader, charter, analytic, judged_of(reader, analytic))


def progress_of(reader: Reader, analytic: str) -> dict[str, Progress]:
    """Its tests as far as they have come; those that have met no alert yet are not among them."""
    rows = reader.all("SELECT * FROM judged_test WHERE analytic = ?", analytic)
    return {row["name"]: _tested(row) for row in rows}


def lately(reader: Reader, analytic: str, now_ms: int) -> int:
    """How many of its alerts have become final lately."""
    sql = "SELECT count(*) AS n FROM alert_order WHERE analytic = ? AND final_ms > ?"
    row = reader.one(sql, analytic, now_ms - LATELY_MS)
    return int(row["n"]) if row else 0


def about(reader: Reader, charter: Charter | None) -> list[dict[str, Any]]:
    """How each analytic with limits stands, for everybody: plain values.

    Without a count: whoever could watch one move would learn that somebody was somewhere (law 10).
    """
    if charter is None or charter.quality is None:
        return []
    known = all_judged(reader)
    return [_about(reader, charter, name, known.get(name)) for name in _with_limits(charter)]


def beside(reader: Reader, charter: Charter | None, analytic: str) -> str | None:
    """How its analytic stands, in a sentence beside an alert; None where the charter states no limits for it."""
    if charter is None or charter.limits_of(analytic) is None:
        return None
    found = judged_of(reader, analytic)
    if found is None or found.state is State.TRIAL:
        return "This rule is on trial: whatever you say, nobody is sent anywhere because of it."
    if found.state is State.SUSPENDED:
        kept = " Nobody is sent anywhere because of it." if found.holds_back else ""
        return f"This rule was stopped by its published limit.{kept}"
    if found.state is State.WITHIN:
        return f"This rule is {STATE_WORDS[found.state]}."
    return "There is not enough data lately to say how well this rule works."


def counts(reader: Reader, analytic: str, now_ms: int) -> dict[str, Any]:
    """How far its tests have come, for staff alone."""
    done = [(test, each.testing) for test, each in progress_of(reader, analytic).items() if each.testing is not None]
    return {
        "lately": lately(reader, analytic, now_ms),
        "tests": [
            {
                "test": test,
                "alerts": testing.taken,
                "bad": testing.bad,
                "log_e": round(testing.test.log_e, 3),
                "crossed": testing.crossed,
            }
            for test, testing in sorted(done, key=lambda each: (*TESTED, RECALL).index(each[0]))
        ],
    }


def _about(reader: Reader, charter: Charter, name: str, found: Judged | None) -> dict[str, Any]:
    quality, limits = charter.quality, charter.limits_of(name)
    assert quality is not None  # whoever asks has looked
    trial = limits is not None and limits.trial_ms is not None
    state = found.state if found else (State.TRIAL if trial else State.UNKNOWN)
    why = found.why if found else Why.NEW.value
    stop = open_stop(reader, name)
    told = charter.safeguards.on_suspension
    return {
        "analytic": name,
        "state": state.value,
        "says": STATE_WORDS[state],
        "why": why,
        "because": WHY.get(why, ""),
        "since": iso(found.since_ms) if found else None,
        "trial_ends": iso(found.trial_ends_ms) if found and found.trial_ends_ms and state is State.TRIAL else None,
        "fewest": quality.fewest,
        "alpha_each": quality.alpha_each,
        "limits": {limit: getattr(limits, limit) for limit in limits.stated} if limits is not None else {},
        "stop": _about_stop(reader, stop) if stop else None,
        "people_do": told.people_do if told is not None else None,
    }


def _about_stop(reader: Reader, stop: Stop) -> dict[str, Any]:
    proposals = reader.all("SELECT * FROM resumption WHERE stop = ? ORDER BY proposed_ms", stop.leaf_hash)
    return {
        "leaf_hash": b64(stop.leaf_hash),
        "stopped": iso(stop.stopped_ms),
        "why": stop.why,
        "obeyed": iso(stop.obeyed_ms) if stop.obeyed_ms else None,
        "resumed": stop.resumed is not None,
        "proposals": [
            {
                "leaf_hash": b64(row["leaf_hash"]),
                "what_changed": row["what_changed"],
                "proposed": iso(row["proposed_ms"]),
            }
            for row in proposals
        ],
    }


def _held_back(reader: Reader, charter: Charter, name: str, found: Judged | None) -> bool:
    limits = charter.limits_of(name)
    if found is None:
        return limits is not None and limits.trial_ms is not None
    if found.holds_back or limits is None or limits.trial_ms is None or found.charter == charter.sha256:
        return found.holds_back
    row = reader.one(
        "SELECT a.version > b.version AS newer, b.text FROM charter_version a, charter_version b "
        "WHERE a.sha256 = ? AND b.sha256 = ?",
        charter.sha256,
        found.charter,
    )
    return row is not None and bool(row["newer"]) and changed(charter, bytes(row["text"]), name)


def changed(charter: Charter, text: bytes, analytic: str) -> bool:
    """Whether an analytic is another one than in the charter of ``text``: its model or its rule."""
    return rule_of(charter_of(text), analytic) != rule_of(charter, analytic)


def _with_limits(charter: Charter) -> Iterator[str]:
    if charter.quality is not None:
        yield from (limits.name for limits in charter.quality.limits)


def _tested(row: Row) -> Progress:
    value = json.loads(row["testing"])
    testing = testing_from(value) if value is not None else None
    return Progress(testing, int(row["cursor"]), row["first_leaf"], row["last_leaf"])


def _judged(row: Row) -> Judged:
    return Judged(
        analytic=row["analytic"],
        state=State(row["state"]),
        why=row["why"],
        since_ms=row["since_ms"],
        trial_ends_ms=row["trial_ends_ms"],
        trusted_ms=row["trusted_ms"],
        epoch=row["epoch"],
        charter=bytes(row["charter"]),
        leaf_hash=bytes(row["leaf_hash"]),
    )
