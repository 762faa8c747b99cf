"""Act: published limits are tested with what people have decided, and an analytic that crosses one is stopped.

After every verdict that becomes final, and whenever time alone changes something (a trial ends, an alert matures), the
house looks again. What is in force is obeyed in the same transaction in which it is recorded: from then on
``charter.decide`` refuses the analytic as it refuses one that oversight has stopped.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from watchglass.acts.charter_text import the_charter
from watchglass.acts.context import Acting, Done, attest, do
from watchglass.acts.drills import Drill, charter_of_drill, drill_from
from watchglass.acts.final_alerts import Known, batch, note_final
from watchglass.acts.judged import Judged, Progress, changed, judged_of, lately, open_stop, progress_of
from watchglass.acts.standing import is_cosigned
from watchglass.charter.decide import Standing, in_force
from watchglass.charter.model import Charter, Deployment, QualityLimits
from watchglass.charter.renewed import rule_of
from watchglass.core.digest import b64
from watchglass.quality.drilled import Result
from watchglass.quality.finality import Value
from watchglass.quality.judging import IN_TIME, RECALL, TESTED, TRUST, Counted, TestName, alpha_of, follow, take
from watchglass.quality.states import Stands, State, Why, begun, moved
from watchglass.records.outbox import Reader, Transaction

_THOUSANDTHS: Final = 1000


@dataclass(frozen=True, slots=True)
class Change:
    """An analytic stands otherwise from here on."""

    analytic: str
    before: State | None
    stands: Stands


def judge(acting: Acting, charter: Charter, *, effective: frozenset[bytes] = frozenset()) -> Done[list[Change]] | None:
    """Look once at every analytic that has limits, or is stopped by one.

    Args:
        charter: the one in force.
        effective: records of resumptions that witnesses have cosigned (law 12).

    Returns:
        What changed; None where nothing was to be recorded.

    Each analytic is looked at by itself: what keeps one from being judged keeps no other from being stopped.

    Raises:
        CannotRecord: something changed and could not be recorded; look again.
    """
    reader = acting.store.read()
    done: list[Done[list[Change]]] = []
    trouble: Exception | None = None
    for name in _names(reader, charter):
        try:
            if _due(acting, reader, charter, name, effective):
                done.append(do(acting, lambda tx, name=name: list(_judge(acting, tx, charter, name, effective))))  # type: ignore[misc]  # a default binds the loop's value
        except Exception as error:  # noqa: BLE001 (raised below, once all others were looked at)
            trouble = trouble or error
    if trouble is not None:
        raise trouble
    if not done:
        return None
    receipts = tuple(receipt for each in done for receipt in each.receipts)
    return Done([change for each in done for change in each.value], receipts)


def note_limit_obeyed(acting: Acting, charter: Charter, stop: bytes, *, within_ms: int) -> Done[None]:
    """Record that nothing of an analytic runs any more that a limit has stopped, and how long that took."""

    def act(tx: Transaction) -> None:
        row = tx.one("SELECT analytic FROM limit_stop WHERE leaf_hash = ? AND obeyed_ms IS NULL", stop)
        if row is None:
            return
        clear = {"analytic": row["analytic"], "within_ms": within_ms}
        attest(acting, tx, "limit_obeyed", by=None, under=charter, clear=clear, refs=[stop])
        tx.execute("UPDATE limit_stop SET obeyed_ms = ? WHERE leaf_hash = ?", acting.clock.now(), stop)

    return do(acting, act)


def resumptions_that_count(reader: Reader, deployment: Deployment, cosigned_size: int) -> frozenset[bytes]:
    """Records of resumptions that take effect: witnesses have cosigned them (law 12). A trial waits for none."""
    rows = reader.all("SELECT resumed FROM limit_stop WHERE over_ms IS NULL AND resumed IS NOT NULL")
    found = [bytes(row["resumed"]) for row in rows]
    return frozenset(each for each in found if deployment == "trial" or is_cosigned(reader, each, cosigned_size))


def stands(standing: Standing, now_ms: int) -> bool:
    """Whether there is a charter by which analytics can be judged: signed, published, and begun."""
    charter = standing.charter
    if charter is None or {"authority", "oversight"} - standing.approvals:
        return False
    return standing.published in {"cosigned", "exempt"} and in_force(charter)[0] <= now_ms


def _names(reader: Reader, charter: Charter) -> list[str]:
    """Every analytic of the charter that has limits, or was stopped by one."""
    limited = {limits.name for limits in charter.quality.limits} if charter.quality is not None else set()
    rows = reader.all("SELECT analytic FROM limit_stop WHERE over_ms IS NULL")
    stopped = {row["analytic"] for row in rows}
    return [each.name for each in charter.analytics if each.name in limited | stopped]


def _due(acting: Acting, reader: Reader, charter: Charter, name: str, effective: frozenset[bytes]) -> bool:
    """Whether anything would be written; a look that costs no transaction."""
    judged = judged_of(reader, name)
    if judged is None or judged.charter != charter.sha256:
        return True
    stop = open_stop(reader, name)
    if stop is not None and stop.resumed in effective:
        return True
    now = acting.clock.now()
    if any(batch(reader, name, test.cursor, test_name, now, most=1) for test_name, test in _tests(reader, name)):
        return True
    if _scored(reader, name, _recall(reader, name).cursor, most=1):
        return True
    return _moved(reader, charter, judged, {}, now) != judged.stands


def _judge(
    acting: Acting, tx: Transaction, charter: Charter, name: str, effective: frozenset[bytes]
) -> Iterator[Change]:
    limits = charter.limits_of(name)
    judged = judged_of(tx, name)
    now = acting.clock.now()
    if judged is None:
        change, judged = _record(acting, tx, charter, name, None, begun(limits, Why.NEW, now))
        yield change
    elif judged.charter != charter.sha256:
        found, judged = _under_another(acting, tx, charter, limits, judged)
        yield from found
    stop = open_stop(tx, name)
    if stop is not None and stop.resumed in effective:
        tx.execute("UPDATE limit_stop SET over_ms = ? WHERE leaf_hash = ?", now, stop.leaf_hash)
        judged = replace(judged, epoch=judged.epoch + 1)
        change, judged = _record(acting, tx, charter, name, judged, begun(limits, Why.RESUMED, now))
        yield change
    tests = _consume(tx, name, now)
    stands = _moved(tx, charter, judged, tests, now)
    if stands != judged.stands:
        change, _ = _record(acting, tx, charter, name, judged, stands, tests)
        yield change


def _under_another(
    acting: Acting, tx: Transaction, charter: Charter, limits: QualityLimits | None, judged: Judged
) -> tuple[list[Change], Judged]:
    """Another charter is in force: a changed model or rule starts on trial. What is stopped stays stopped."""
    tx.execute("UPDATE judged SET charter = ? WHERE analytic = ?", charter.sha256, judged.analytic)
    row = tx.one("SELECT text FROM charter_version WHERE sha256 = ?", judged.charter)
    judged = replace(judged, charter=charter.sha256)
    other = row is None or changed(charter, bytes(row["text"]), judged.analytic)
    if not other or judged.state is State.SUSPENDED:
        return [], judged
    stands = begun(limits, Why.CHANGED, acting.clock.now())
    change, judged = _record(acting, tx, charter, judged.analytic, judged, stands)
    return [change], judged


def _tests(reader: Reader, name: str) -> Iterator[tuple[TestName, Progress]]:
    """Every test that there can be, begun or not."""
    known = progress_of(reader, name)
    for test in TESTED:
        yield test, known.get(test, Progress(None, 0))


def _consume(tx: Transaction, name: str, now: int) -> dict[str, Progress]:
    """Give each test the alerts that are final by now, in their order."""
    after: dict[str, Progress] = {}
    for test_name, tested in _tests(tx, name):
        found = tested
        while alerts := batch(tx, name, found.cursor, test_name, now):
            for alert in alerts:
                found = _one(tx, found, test_name, name, alert)
                if test_name != IN_TIME and not alert.drill:
                    note_final(tx, alert)
        if found != tested:
            _write(tx, name, test_name, found)
        after[test_name] = found
    after[RECALL] = _consume_drills(tx, name)
    return after


def _recall(reader: Reader, name: str) -> Progress:
    return progress_of(reader, name).get(RECALL, Progress(None, 0))


def _scored(reader: Reader, name: str, after: int, most: int = 200) -> list[Drill]:
    """The drills of an analytic that count, in the order in which they were scored."""
    rows = reader.all(
        "SELECT * FROM drill WHERE analytic = ? AND number > ? AND result != ? ORDER BY number LIMIT ?",
        *(name, after, Result.NOT_COUNTED.value, most),
    )
    return [drill_from(row) for row in rows]


def _consume_drills(tx: Transaction, name: str) -> Progress:
    """Give the limit on what is missed the drills that were scored, in their order."""
    found = before = _recall(tx, name)
    while some := _scored(tx, name, found.cursor):
        for drill in some:
            found = _one_drill(tx, found, name, drill)
    if found != before:
        _write(tx, name, RECALL, found)
    return found


def _one_drill(tx: Transaction, tested: Progress, name: str, drill: Drill) -> Progress:
    number, epoch, under = drill.number or 0, drill.epoch or 0, charter_of_drill(tx, drill)
    testing = follow(tested.testing, RECALL, under, name, epoch, lambda digest: the_charter(tx, digest))
    if testing is None:
        return Progress(None, number)
    if testing.first is None:
        tested = replace(tested, first=None)
    if not testing.crossed:
        value = Value.RIGHT if drill.result is Result.NOTICED else Value.WRONG
        counted = Counted(number, drill.from_ms, epoch, drill.stratum or "day", value, None)
        testing = take(testing, counted, alpha_of(under, RECALL))
        tested = replace(tested, first=tested.first or drill.scored_leaf, last=drill.scored_leaf)
    return replace(tested, testing=testing, cursor=number)


def _one(tx: Transaction, tested: Progress, test_name: TestName, name: str, alert: Known) -> Progress:
    """One more alert for a test, under the charter that the alert was raised under."""
    if alert.counted is None:  # it was destroyed before it was final
        return replace(tested, cursor=alert.number)
    testing = follow(
        tested.testing,
        test_name,
        alert.charter,
        name,
        alert.counted.epoch,
        lambda digest: the_charter(tx, digest),
    )
    if testing is None:
        return Progress(None, alert.number)
    if testing.first is None:
        tested = replace(tested, first=None)
    if not testing.crossed:
        testing = take(testing, alert.counted, alpha_of(alert.charter, testing.name))
        tested = replace(tested, first=tested.first or alert.leaf_hash, last=alert.leaf_hash)
    return replace(tested, testing=testing, cursor=alert.number)


def _write(tx: Transaction, name: str, test_name: str, tested: Progress) -> None:
    tx.execute(
        "INSERT INTO judged_test (analytic, name, cursor, testing, first_leaf, last_leaf) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (analytic, name) DO UPDATE SET cursor = excluded.cursor, testing = excluded.testing, "
        "first_leaf = excluded.first_leaf, last_leaf = excluded.last_leaf",
        name,
        test_name,
        tested.cursor,
        json.dumps(tested.testing.as_json() if tested.testing else None),
        tested.first,
        tested.last,
    )


def _moved(reader: Reader, charter: Charter, judged: Judged, tests: dict[str, Progress], now: int) -> Stands:
    """The state by now. A test speaks only for the model and the rule that run, and of what came since a resumption."""
    quality = charter.quality
    crossed = [test for test, tested in tests.items() if _speaks(reader, charter, judged, tested)]
    limits = [test for test in crossed if test != TRUST]
    return moved(
        judged.stands,
        crossed=limits[0] if limits else None,
        trusted=TRUST in crossed,
        lately=lately(reader, judged.analytic, now),
        fewest=quality.fewest if quality is not None else 1,
        now_ms=now,
    )


def _speaks(reader: Reader, charter: Charter, judged: Judged, tested: Progress) -> bool:
    testing = tested.testing
    if testing is None or not testing.crossed:
        return False
    if testing.epoch < judged.epoch:  # it is why the analytic was stopped then
        return False
    under = the_charter(reader, testing.charter)
    return rule_of(under, judged.analytic) == rule_of(charter, judged.analytic)


def _record(
    acting: Acting,
    tx: Transaction,
    charter: Charter,
    name: str,
    before: Judged | None,
    stands: Stands,
    tests: dict[str, Progress] | None = None,
) -> tuple[Change, Judged]:
    """Write how an analytic stands from now on, and the record that says so."""
    leaf_hash = attest(
        acting,
        tx,
        "analytic_judged",
        by=None,
        under=charter,
        clear={"analytic": name, "state": stands.state.value, "cause": str(stands.why)},
        committed={"evidence": _evidence(stands, tests or {})},
    )
    epoch = before.epoch if before else 0
    tx.execute(
        "INSERT INTO judged (analytic, state, why, since_ms, trial_ends_ms, trusted_ms, epoch, charter, leaf_hash) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (analytic) DO UPDATE SET state = excluded.state, "
        "why = excluded.why, since_ms = excluded.since_ms, trial_ends_ms = excluded.trial_ends_ms, "
        "trusted_ms = excluded.trusted_ms, epoch = excluded.epoch, charter = excluded.charter, "
        "leaf_hash = excluded.leaf_hash",
        name,
        stands.state.value,
        str(stands.why),
        stands.since_ms,
        stands.trial_ends_ms,
        stands.trusted_ms,
        epoch,
        charter.sha256,
        leaf_hash,
    )
    if stands.state is State.SUSPENDED:
        tx.insert(
            "limit_stop",
            {
                "leaf_hash": leaf_hash,
                "analytic": name,
                "why": str(stands.why),
                "version": charter.version,
                "stopped_ms": stands.since_ms,
            },
        )
    after = judged_of(tx, name)
    assert after is not None  # it was just written
    return Change(name, before.state if before else None, stands), after


def _evidence(stands: Stands, tests: dict[str, Progress]) -> dict[str, object] | None:
    """The test that decided it; None where none did."""
    deciding = TRUST if stands.why in {Why.TRUSTED, Why.EXPIRED} else stands.why
    tested = tests.get(deciding)
    if tested is None or tested.testing is None:
        return None
    testing = tested.testing
    return {
        "test": deciding,
        "limit": testing.test.limit,
        "alerts": testing.taken,
        "bad": testing.bad,
        "log_e": round(testing.test.log_e * _THOUSANDTHS),
        "first": b64(tested.first) if tested.first else None,
        "last": b64(tested.last) if tested.last else None,
    }
