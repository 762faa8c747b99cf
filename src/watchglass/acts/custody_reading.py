"""What custodians, investigators, shift leads and oversight may read with a signed question; it changes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from watchglass.access.about import AboutHold, AboutRequest
from watchglass.access.misuse import cannot_judge
from watchglass.access.policies import public_half
from watchglass.access.roles import Role, Signer
from watchglass.acts import misuse, oversight_reading
from watchglass.acts.approvals import approvals_of
from watchglass.acts.break_glass import OPEN_MS
from watchglass.acts.cases import Case, case_of, cases_of
from watchglass.acts.context import Acting
from watchglass.acts.handed import keys_of
from watchglass.acts.holds import hold_of, open_holds
from watchglass.acts.releases import ReleaseRequest, as_request, check_disclosed, request_of, segments_of
from watchglass.acts.seal_segment import whole
from watchglass.acts.sealing_keys import sealing_keys
from watchglass.acts.segments import Segment, segment_of, segments_in
from watchglass.acts.standing import is_cosigned
from watchglass.acts.who_asks import allow_question, not_yours, office_of
from watchglass.charter.decide import Standing
from watchglass.charter.model import Charter
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused
from watchglass.core.time import month_of
from watchglass.ledger.keys import VerifierKey
from watchglass.records.outbox import Reader
from watchglass.records.query import SignedQuery

_SEEKERS: Final = ("investigator", "shift-lead")


@dataclass(frozen=True, slots=True)
class _Asked:
    """A verified question: who asks (the vkey, and the custodian's name or the person), and about what."""

    acting: Acting
    reader: Reader
    standing: Standing
    charter: Charter
    cosigned_size: int
    vkey: VerifierKey
    what: str
    about: str
    now: int

    def custodian(self) -> Signer:
        """The custodian whose key asks.

        Raises:
            Refused: it is no custodian's.
        """
        for custodian in self.charter.safeguards.custodians:
            if VerifierKey.parse(custodian.key).public == self.vkey.public:
                return Signer(custodian.name, Role.CUSTODIAN, b64(self.vkey.public))
        raise not_yours()

    def person(self) -> Signer:
        """The investigator or shift lead whose key asks.

        Raises:
            Refused: oversight enrolled it for nobody, this month.
        """
        for role in _SEEKERS:
            if self.vkey in keys_of(self.acting, self.charter, role):
                row = self.reader.one("SELECT person FROM enrolled_key WHERE vkey = ?", str(self.vkey))
                assert row is not None
                return Signer(str(row["person"]), role, b64(self.vkey.public))
        raise not_yours()

    def allow(self, who: Signer) -> None:
        """Put it to the policies.

        Raises:
            Refused: they say no.
        """
        allow_question(self.charter, self.what, who)

    def allow_about(self, who: Signer, about: AboutRequest | AboutHold) -> None:
        """Put it to the policies, about a request or an order to keep.

        Raises:
            Refused: they say no.
        """
        allow_question(self.charter, self.what, who, about=about, now_ms=self.now)

    def own(self, number: str) -> ReleaseRequest:
        """The request with that id, if this key signed it.

        Raises:
            Refused: somebody else did. Problem: there is none.
        """
        asked = request_of(self.reader, number)
        if asked.vkey != str(self.vkey):
            raise not_yours()
        return asked


def answer(acting: Acting, standing: Standing, query: SignedQuery, *, cosigned_size: int) -> dict[str, Any]:
    """What may be read with this question.

    Raises:
        DidNotVerify: the question is old, or its signature is wrong.
        Refused: this key may not read that. Problem: there is no such thing.
    """
    asked = _verified(acting, standing, query, cosigned_size)
    reply = _ANSWERS.get(query.what)
    if reply is None:
        raise BadInput(f"Nobody asks for “{query.what[:40]}” here.", fix=f"Ask for {', '.join(_ANSWERS)}.")
    return reply(asked)


def segment_data(acting: Acting, standing: Standing, query: SignedQuery, *, cosigned_size: int) -> bytes:
    """The sealed object of one segment of a release that was taken; ``about`` is ``REQUEST/SEGMENT``.

    Raises:
        as ``answer``.
    """
    if query.what != "segment":
        raise DidNotVerify(
            "This question was signed for something else than a segment.", fix="Ask for “segment”, as the command does."
        )
    asked = _verified(acting, standing, query, cosigned_size)
    number, _, segment = query.about.partition("/")
    request = asked.own(number)
    _check_handed_out(asked, request)
    found = segment_of(asked.reader, segment)
    if found.id not in {each.id for each in segments_of(asked.reader, request)}:
        raise not_yours()
    return whole(acting, found.path, found.header)


def guard(reader: Reader, charter: Charter, now_ms: int) -> dict[str, Any] | None:
    """What everyone may know of how originals are sealed here; None where nothing is recorded."""
    safeguards = charter.safeguards
    if safeguards.record is None or safeguards.release is None:
        return None
    release = safeguards.release
    return {
        "custodians": {custodian.name: custodian.key for custodian in safeguards.custodians},
        "k": release.k,
        "n": release.n,
        "one_of": list(release.one_of),
        "valid_ms": release.valid_ms,
        "longest_ms": release.longest_ms,
        "break_glass": None
        if release.break_glass is None
        else {
            "key": release.break_glass.key,
            "by": list(release.break_glass.by),
            "longest_ms": release.break_glass.longest_ms,
            "not_older_than_ms": release.break_glass.not_older_than_ms,
            "follow_up_ms": release.break_glass.follow_up_ms,
        },
        "period": month_of(now_ms),
        "sealing_keys": [
            {
                "custodian": key.custodian,
                "period": key.period,
                "key": b64(key.public),
                "leaf_hash": b64(key.leaf_hash),
                "statement": json.loads(key.statement),
                "destroyed": key.destroyed,
            }
            for key in sealing_keys(reader)
        ],
    }


def _verified(acting: Acting, standing: Standing, query: SignedQuery, cosigned_size: int) -> _Asked:
    charter = standing.charter
    if charter is None:
        raise Refused("There is no charter yet, so no key is pinned.", fix="Publish a charter first.")
    now = acting.clock.now()
    vkey = query.verify(origin=acting.origin, now=now)
    return _Asked(acting, acting.store.read(), standing, charter, cosigned_size, vkey, query.what, query.about, now)


def _inbox(asked: _Asked) -> dict[str, Any]:
    """What waits for a custodian: requests that can still be answered, and holds that stand."""
    who = asked.custodian()
    asked.allow(who)
    name = who.name
    rows = asked.reader.all(
        "SELECT release_request.* FROM release_request JOIN evidence_case ON evidence_case.id = evidence_case"
        " WHERE glass = 0 AND release_request.until_ms > ? AND closed_ms IS NULL AND evidence_case.until_ms > ?"
        " ORDER BY asked_ms",
        asked.now,
        asked.now,
    )
    holds = []
    for hold in open_holds(asked.reader, asked.now):
        kept = asked.reader.one("SELECT 1 FROM hold_share WHERE hold = ? AND custodian = ?", hold.id, name)
        holds.append(
            {
                "id": hold.id,
                "leaf_hash": b64(hold.leaf_hash),
                "statement": json.loads(hold.statement),
                "kept": kept is not None,
            }
        )
    periods = [
        {"period": key.period, "key": b64(key.public), "leaf_hash": b64(key.leaf_hash), "destroyed": key.destroyed}
        for key in sealing_keys(asked.reader)
        if key.custodian == name
    ]
    return {
        "custodian": name,
        "requests": [_to_answer(asked, as_request(row)) for row in rows],
        "holds": holds,
        "periods": periods,
    }


def _to_answer(asked: _Asked, request: ReleaseRequest) -> dict[str, Any]:
    assert request.case is not None
    case = case_of(asked.reader, request.case)
    answers = asked.reader.all(
        "SELECT custodian, approved FROM release_answer WHERE request = ? ORDER BY answered_ms", request.id
    )
    enrolled = asked.reader.one("SELECT leaf_hash FROM enrolled_key WHERE vkey = ?", request.vkey)
    return {
        "id": request.id,
        "leaf_hash": b64(request.leaf_hash),
        "statement": json.loads(request.statement),
        "case": {"leaf_hash": b64(case.leaf_hash), "statement": json.loads(case.statement)},
        "enrolment": b64(enrolled["leaf_hash"]) if enrolled else None,
        "cosigned": is_cosigned(asked.reader, request.leaf_hash, asked.cosigned_size),
        "answers": [{"custodian": row["custodian"], "approved": bool(row["approved"])} for row in answers],
        "granted": request.granted is not None,
        "segments": len(segments_of(asked.reader, request)),
    }


def _headers(asked: _Asked) -> dict[str, Any]:
    """The headers of what a request or a hold is about: wrapped shares, which open nothing by themselves."""
    who = asked.custodian()
    try:
        request = request_of(asked.reader, asked.about)
    except Problem:
        hold = hold_of(asked.reader, asked.about)
        asked.allow_about(who, AboutHold(hold.id, hold.until_ms, hold.lifted_ms is not None))
        segments = segments_in(asked.reader, hold.source, hold.from_ms, hold.to_ms)
    else:
        asked.allow_about(who, _about(request))
        segments = segments_of(asked.reader, request)
    held = asked.reader.all("SELECT bundle FROM hold_share WHERE custodian = ? AND length(bundle) > 0", who.name)
    return {
        "segments": [_header(each) for each in segments],
        "hold_bundles": [b64(bytes(row["bundle"])) for row in held],
    }


def _header(segment: Segment) -> dict[str, Any]:
    return {
        "id": segment.id,
        "leaf_hash": b64(segment.leaf_hash),
        "header": b64(segment.header),
        "opened": json.loads(segment.opened)["fields"] if segment.opened else None,
        "sha256": b64(segment.sha256),
        "bytes": segment.size,
    }


def _cases(asked: _Asked) -> dict[str, Any]:
    """The cases and requests of whoever asks, and the emergencies."""
    who = asked.person()
    asked.allow(who)
    person = who.name
    broken = asked.reader.all(
        "SELECT * FROM release_request WHERE glass = 1 AND person = ? ORDER BY asked_ms DESC", person
    )
    return {
        "cases": [_case(asked, case) for case in cases_of(asked.reader, person)],
        "emergencies": [_own_request(asked, as_request(row)) for row in broken],
    }


def _case(asked: _Asked, case: Case) -> dict[str, Any]:
    rows = asked.reader.all("SELECT * FROM release_request WHERE evidence_case = ? ORDER BY asked_ms", case.id)
    return {
        "id": case.id,
        "number": case.number,
        "authority": case.authority,
        "reason": case.reason,
        "purpose": case.purpose,
        "until_ms": case.until_ms,
        "opened_ms": case.opened_ms,
        "closed_ms": case.closed_ms,
        "leaf_hash": b64(case.leaf_hash),
        "requests": [_own_request(asked, as_request(row)) for row in rows],
    }


def _own_request(asked: _Asked, request: ReleaseRequest) -> dict[str, Any]:
    granted = request.granted
    approved = sorted(approvals_of(asked.reader, request.id, asked.now))
    refused = asked.reader.all(
        "SELECT custodian, reason FROM release_answer WHERE request = ? AND approved = 0", request.id
    )
    return {
        "id": request.id,
        "leaf_hash": b64(request.leaf_hash),
        "source": request.source,
        "purpose": request.purpose,
        "from_ms": request.from_ms,
        "to_ms": request.to_ms,
        "reason": request.reason,
        "asked_ms": request.asked_ms,
        "until_ms": request.until_ms,
        "segments": len(segments_of(asked.reader, request)),
        "approved_by": approved,
        "refused_by": [{"custodian": row["custodian"], "reason": row["reason"]} for row in refused],
        "granted": b64(granted) if granted else None,
        "may_be_taken": granted is not None and is_cosigned(asked.reader, granted, asked.cosigned_size),
        "taken_ms": request.taken_ms,
        "followed_ms": request.followed_ms,
    }


def _release(asked: _Asked) -> dict[str, Any]:
    """Everything that opens a release but the case's own key."""
    request = asked.own(asked.about)
    _check_handed_out(asked, request)
    answers = asked.reader.all(
        "SELECT statement, bundle FROM release_answer WHERE request = ? AND approved = 1 AND until_ms > ?"
        " ORDER BY custodian",
        request.id,
        asked.now,
    )
    return {
        "request": {"leaf_hash": b64(request.leaf_hash), "statement": json.loads(request.statement)},
        "granted": b64(request.granted) if request.granted else None,
        "taken": b64(request.taken) if request.taken else None,
        "approvals": [
            {"statement": json.loads(row["statement"]), "bundle": b64(bytes(row["bundle"]))} for row in answers
        ],
        "segments": [_header(each) for each in segments_of(asked.reader, request)],
    }


def _office(asked: _Asked) -> dict[str, Any]:
    """What waits for oversight: signals of misuse, uses of the emergency rule, and whose keys it has enrolled."""
    asked.allow(office_of(asked.charter, asked.vkey))
    facts = misuse.facts_of(asked.reader, asked.now)
    enrolled = asked.reader.all(
        "SELECT * FROM enrolled_key WHERE month >= ? ORDER BY month, person", month_of(asked.now)
    )
    return {
        "signals": [
            {
                "id": each.signal.id,
                "kind": each.signal.kind.value,
                "person": each.signal.person,
                "other": each.signal.other,
                "sentence": each.signal.sentence,
                "evidence": list(each.signal.evidence),
                "at_ms": each.signal.at_ms,
                "finding": each.finding,
                "note": each.note,
                "settled_ms": each.settled_ms,
            }
            for each in misuse.signals(asked.reader)
        ],
        "judged_until_ms": misuse.judged_until(asked.reader),
        "cannot_judge": list(cannot_judge(facts)),
        "emergencies": [
            {**asdict(each), "overdue": each.overdue} for each in oversight_reading.emergencies(asked.reader, asked.now)
        ],
        "enrolled": [
            {**{name: row[name] for name in ("person", "role", "month", "vkey")}, "leaf_hash": b64(row["leaf_hash"])}
            for row in enrolled
        ],
    }


def _check_handed_out(asked: _Asked, request: ReleaseRequest) -> None:
    """Refuse until it was taken by a signed act; a broken glass was taken when it was broken.

    Raises:
        Refused: it was not taken, or too long ago; it is suspended; or the policies say no.
    """
    if request.glass:
        if asked.now >= request.asked_ms + OPEN_MS:
            raise Refused("What this emergency opened is no longer handed out.", fix="Request a release.")
    elif request.taken is None:
        raise Refused("This release was not taken yet.", fix="Take it first: `watchglass case take`.")
    elif asked.now >= request.until_ms:
        raise Refused("This release has run out.", fix="Ask again, with a new request.")
    check_disclosed(asked.reader, asked.standing, request, asked.now)
    asked.allow_about(asked.person(), _about(request))


def _about(request: ReleaseRequest) -> AboutRequest:
    taken = request.taken is not None
    return AboutRequest(request.id, request.person, public_half(request.vkey), request.until_ms, request.glass, taken)


_ANSWERS: Final[Mapping[str, Callable[[_Asked], dict[str, Any]]]] = {
    "inbox": _inbox,
    "segments": _headers,
    "cases": _cases,
    "release": _release,
    "office": _office,
}
