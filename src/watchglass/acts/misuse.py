"""Acts: the house looks for signals of misuse in what it recorded; oversight says what it made of each.

Nothing here counts, orders or weighs people. The ids of the facts are the hashes of their leaves, as in what oversight
opens on its own machine, so that both find the same signals under the same names.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from watchglass.access.misuse.counts import QuarterlyCounts, quarter_of, quarterly_counts
from watchglass.access.misuse.facts import (
    Access,
    Approval,
    Case,
    Disposition,
    Facts,
    Finding,
    GlassBreak,
    Incident,
    Review,
    Verdict,
    What,
)
from watchglass.access.misuse.judge import misuse_signals
from watchglass.access.misuse.signal import OVERSIGHT, Earlier, Kind, Signal
from watchglass.access.misuse.thresholds import DEFAULT
from watchglass.acts.context import Acting, attest
from watchglass.acts.handed import Handed
from watchglass.charter.model import Charter
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, Problem
from watchglass.core.time import HOUR, millis, moment
from watchglass.records.outbox import Reader, Row, Transaction
from watchglass.records.statement import SignedStatement

EVERY_MS: Final = HOUR
_JUDGED: Final = "misuse_judged_until"
_QUARTERS: Final = 8
_HASH: Final = 32


@dataclass(frozen=True, slots=True)
class Known:
    """A signal as it is kept, and what oversight made of it.

    Attributes:
        index: its entry in the ledger; None while it waits. settled_index: that of what was made of it.
    """

    signal: Signal
    index: int | None
    finding: Finding | None
    note: str | None
    settled_ms: int | None
    settled_index: int | None


def look_for_misuse(acting: Acting, charter: Charter) -> list[str]:
    """Judge what became judgeable since the last time; the ids of the new signals.

    Each new one is recorded, with what it says committed for oversight alone.
    """
    now, reader = acting.clock.now(), acting.store.read()
    until = judged_until(reader)
    if until is not None and now < until + EVERY_MS:
        return []
    known = [each.signal for each in signals(reader)]
    earlier = Earlier(-1 if until is None else until, tuple(known))
    told = {each.id for each in known}
    found = [each for each in misuse_signals(facts_of(reader, now), DEFAULT, earlier) if each.id not in told]

    def act(tx: Transaction) -> list[str]:
        for signal in found:
            leaf = attest(
                acting,
                tx,
                "misuse_signalled",
                by=None,
                under=charter,
                committed={"signal": signal.id, "kind": signal.kind.value, "sentence": signal.sentence},
            )
            tx.insert("misuse_signal", {**_row(signal), "leaf_hash": leaf})
        tx.execute("DELETE FROM setting WHERE key = ?", _JUDGED)
        tx.insert("setting", {"key": _JUDGED, "value": str(now)})
        return [signal.id for signal in found]

    return acting.store.commit(act).value


def settle(handed: Handed) -> None:
    """Oversight said what it made of a signal; also of one that it found on its own machine, which the house has not.

    Raises:
        Problem: it said so before.
    """
    values = handed.values
    row = handed.tx.one("SELECT finding FROM misuse_signal WHERE id = ?", values["signal"])
    if row is not None and row["finding"] is not None:
        raise Problem("This signal was settled before.", fix="What was made of it stays; there is nothing more to do.")
    handed.tx.execute(
        "UPDATE misuse_signal SET finding = ?, note = ?, settled_ms = ?, settled_leaf_hash = ? WHERE id = ?",
        values["finding"],
        values["note"],
        handed.now,
        handed.leaf_hash,
        values["signal"],
    )


# ---- reading ---------------------------------------------------------------------------------------------------------


def judged_until(reader: Reader) -> int | None:
    """Up to when the record of accesses was judged; None before the first time."""
    row = reader.one("SELECT value FROM setting WHERE key = ?", _JUDGED)
    return int(row["value"]) if row else None


def signals(reader: Reader) -> tuple[Known, ...]:
    """Every signal that is kept, the newest first."""
    rows = reader.all(
        "SELECT misuse_signal.*, told.idx AS told_idx, settled.idx AS settled_idx FROM misuse_signal"
        " LEFT JOIN entry AS told ON told.leaf_hash = misuse_signal.leaf_hash"
        " LEFT JOIN entry AS settled ON settled.leaf_hash = misuse_signal.settled_leaf_hash"
        " ORDER BY misuse_signal.at_ms DESC, id"
    )
    return tuple(_known(row) for row in rows)


def entries_of(reader: Reader, leaves: Iterable[str]) -> dict[str, int]:
    """The entries in the ledger of these leaf hashes (base64), as far as they are in it."""
    found = {}
    for leaf in set(leaves):
        try:
            octets = unb64(leaf, length=_HASH)
        except BadInput:
            continue  # evidence that is no record, such as a month without a review
        row = reader.one("SELECT idx FROM entry WHERE leaf_hash = ?", octets)
        if row is not None:
            found[leaf] = int(row["idx"])
    return found


def public_counts(reader: Reader, now_ms: int, keep_ms: int) -> tuple[QuarterlyCounts, ...]:
    """What the public learns of the quarters that are over, the newest first; withheld where few people work.

    Args:
        keep_ms: how long settled signals are kept; of a quarter that began before that nothing is told any more, since
            some of its signals may be gone.
    """
    first = reader.one("SELECT hour FROM entry WHERE idx = 0")
    if first is None:
        return ()
    begun, known = _hour(first["hour"]), signals(reader)
    dispositions = tuple(_dispositions(known))
    found = []
    for name in _quarters(begun, now_ms):
        begin, end = quarter_of(name)
        if begin < now_ms - keep_ms:
            continue
        staff = reader.one(
            "SELECT count(*) AS n FROM account WHERE opened_ms <= ? AND (closed_ms IS NULL OR closed_ms >= ?)",
            max(begin, begun),
            end,
        )
        assert staff is not None
        found.append(quarterly_counts((each.signal for each in known), dispositions, name, int(staff["n"])))
    return tuple(found)


def facts_of(reader: Reader, now_ms: int) -> Facts:
    """What the house knows of who looked at what, and of what may explain it.

    There is no roster, no dispatch by name and no outcome among it; ``cannot_judge`` says what follows from that.
    """
    since = now_ms - DEFAULT.lookback_ms
    first = reader.one("SELECT hour FROM entry WHERE idx = 0")
    requests = reader.all("SELECT * FROM release_request WHERE asked_ms > ?", since)
    accesses = (*_looks(reader, since), *_cases_opened(reader, since), *_requests(requests), *_taken(requests))
    return Facts(
        from_ms=max(since, _hour(first["hour"]) if first else since),
        until_ms=max([now_ms, *(access.at_ms for access in accesses)]),  # later only where the clock was set back
        accesses=accesses,
        cases=tuple(
            Case(row["id"], row["opened_ms"], frozenset({row["person"]}), row["closed_ms"])
            for row in reader.all("SELECT id, opened_ms, person, closed_ms FROM evidence_case")
        ),
        incidents=tuple(
            Incident(row["id"], row["source"], row["raised_ms"], row["settled_ms"], again=bool(row["again"]))
            for row in reader.all(
                "SELECT alert.id, source, raised_ms, verdict.decided_ms AS settled_ms, alert.id IN"
                " (SELECT alert FROM shown_again) AS again FROM alert LEFT JOIN verdict"
                " ON verdict.alert = alert.id AND verdict.withdrawn_ms IS NULL WHERE raised_ms > ?",
                since,
            )
        ),
        verdicts=tuple(
            Verdict(b64(bytes(row["leaf_hash"])), row["alert"], row["name"], row["decided_ms"])
            for row in reader.all(
                "SELECT verdict.leaf_hash, alert, name, decided_ms FROM verdict JOIN account"
                " ON account.id = verdict.account WHERE decided_ms > ?",
                since,
            )
        ),
        approvals=tuple(_answers(reader, since)),
        breaks=tuple(_breaks(requests)),
        reviews=tuple(
            Review(b64(bytes(row["leaf_hash"])), OVERSIGHT, _hour(row["hour"]))
            for row in reader.all("SELECT leaf_hash, hour FROM entry WHERE act IN ('openings_taken', 'misuse_settled')")
        ),
        dispositions=tuple(_dispositions(signals(reader))),
    )


def _looks(reader: Reader, since: int) -> Iterator[Access]:
    for row in reader.all(
        "SELECT clip_view.*, name, source FROM clip_view JOIN account ON account.id = clip_view.account"
        " JOIN alert ON alert.id = clip_view.alert WHERE clip_view.at_ms > ?",
        since,
    ):
        number = b64(bytes(row["leaf_hash"])) if row["leaf_hash"] else f"clip-view:{row['alert']}:{row['account']}"
        yield Access(number, row["name"], row["at_ms"], What.CLIP_VIEW, source=row["source"], alert=row["alert"])


def _cases_opened(reader: Reader, since: int) -> Iterator[Access]:
    for row in reader.all("SELECT * FROM evidence_case WHERE opened_ms > ?", since):
        yield Access(
            b64(bytes(row["leaf_hash"])),
            row["person"],
            row["opened_ms"],
            What.CASE_OPENED,
            case=row["id"],
            purpose=row["purpose"],
            reason=row["reason"],
        )


def _requests(rows: Sequence[Row]) -> Iterator[Access]:
    for row in rows:
        yield Access(
            b64(bytes(row["leaf_hash"])),
            row["person"],
            row["asked_ms"],
            What.GLASS_BROKEN if row["glass"] else What.RELEASE_REQUEST,
            row["source"],
            row["from_ms"],
            row["to_ms"],
            case=row["evidence_case"],
            purpose=row["purpose"],
            reason=row["reason"],
        )


def _taken(rows: Sequence[Row]) -> Iterator[Access]:
    for row in rows:
        if row["taken_ms"] is not None:
            yield Access(
                b64(bytes(row["taken_leaf_hash"])),
                row["person"],
                row["taken_ms"],
                What.RELEASE_TAKEN,
                row["source"],
                row["from_ms"],
                row["to_ms"],
                case=row["evidence_case"],
                purpose=row["purpose"],
                request=row["id"],
            )


def _answers(reader: Reader, since: int) -> Iterator[Approval]:
    for row in reader.all(
        "SELECT release_answer.*, person, asked_ms, release_request.leaf_hash AS asked FROM release_answer"
        " JOIN release_request ON release_request.id = release_answer.request WHERE answered_ms > ?",
        since,
    ):
        yield Approval(
            b64(bytes(row["leaf_hash"])),
            b64(bytes(row["asked"])),
            row["person"],
            row["custodian"],
            row["asked_ms"],
            row["answered_ms"],
            bool(row["approved"]),
        )


def _breaks(rows: Sequence[Row]) -> Iterator[GlassBreak]:
    for row in rows:
        if row["glass"]:
            due = int(SignedStatement.parse(bytes(row["statement"])).values["follow_up_by_ms"])
            yield GlassBreak(
                b64(bytes(row["leaf_hash"])),
                row["person"],
                row["asked_ms"],
                max(due, row["asked_ms"]),
                row["followed_ms"],
            )


def _dispositions(known: tuple[Known, ...]) -> Iterator[Disposition]:
    for each in known:
        if each.finding is not None and each.settled_ms is not None:
            yield Disposition(each.signal.id, each.settled_ms, each.finding)


def _row(signal: Signal) -> Mapping[str, Any]:
    return {
        "id": signal.id,
        "kind": signal.kind.value,
        "person": signal.person,
        "other": signal.other,
        "sentence": signal.sentence,
        "evidence": json.dumps(signal.evidence),
        "at_ms": signal.at_ms,
    }


def _known(row: Row) -> Known:
    signal = Signal(
        Kind(row["kind"]),
        row["person"],
        row["sentence"],
        tuple(json.loads(row["evidence"])),
        row["at_ms"],
        row["other"],
    )
    finding = Finding(row["finding"]) if row["finding"] else None
    return Known(signal, row["told_idx"], finding, row["note"], row["settled_ms"], row["settled_idx"])


def _hour(hour: str) -> int:
    return millis(datetime.strptime(hour, "%Y-%m-%dT%HZ").replace(tzinfo=UTC))


def _quarters(begun: int, now_ms: int) -> Iterator[str]:
    """The quarters that are over and in which something was recorded, the newest first."""
    at, last = moment(begun), moment(now_ms)
    names = [
        f"{year}-Q{quarter}"
        for year in range(at.year, last.year + 1)
        for quarter in range(1, 5)
        if begun < quarter_of(f"{year}-Q{quarter}")[1] <= now_ms
    ]
    return reversed(names[-_QUARTERS:])
