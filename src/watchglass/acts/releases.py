"""Acts: an investigator asks for originals; custodians approve or refuse; the one who asked takes what was granted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchglass.acts.approvals import approvals_of, enough
from watchglass.acts.at_once import check_clock
from watchglass.acts.cases import check_open, own_case
from watchglass.acts.context import Acting, attest, do
from watchglass.acts.handed import Handed, not_sealing
from watchglass.acts.segments import Segment, check_can_open, held, segments_in
from watchglass.charter.decide import Standing, decide
from watchglass.charter.model import Charter
from watchglass.charter.permit import GrantRelease, RequestRelease
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.core.time import SECOND, iso
from watchglass.evidence.custody import Bundle
from watchglass.evidence.release import Request, check_approval
from watchglass.ledger.keys import VerifierKey
from watchglass.records.outbox import Reader, Row, Transaction
from watchglass.records.statement import SignedStatement

_SOME: Final = 30 * SECOND
"""What two machines' clocks may differ by when one of them reckons until when a request is valid."""


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """A request as the house knows it. Times are milliseconds; ``granted`` and ``taken`` are leaf hashes."""

    id: str
    glass: bool
    case: str | None
    source: str
    purpose: str
    from_ms: int
    to_ms: int
    reason: str
    recipient: bytes | None
    until_ms: int
    asked_ms: int
    person: str
    role: str
    vkey: str
    statement: bytes
    leaf_hash: bytes
    granted_ms: int | None
    granted: bytes | None
    taken_ms: int | None
    taken: bytes | None
    followed_ms: int | None


def request_of(reader: Reader, number: str) -> ReleaseRequest:
    """The request with that id.

    Raises:
        Problem: there is none.
    """
    row = reader.one("SELECT * FROM release_request WHERE id = ?", number)
    if row is None:
        raise Problem("There is no such request.", fix="Fetch the list again: `watchglass custodian inbox`.")
    return as_request(row)


def request(handed: Handed) -> None:
    """Put a request before the custodians, if the charter, the case and what is kept allow it at all."""
    if handed.charter.safeguards.record is None:
        raise not_sealing()
    values, now = handed.values, handed.now
    case = own_case(handed)
    if unb64(values["recipient"], length=32) != case.case_key:
        raise DidNotVerify(
            "The originals would be sealed to another key than the case's.", fix="Ask with the case's own key."
        )
    kept = segments_in(handed.tx, values["source"], values["from_ms"], values["to_ms"], purpose=case.purpose)
    asked = RequestRelease(values["source"], case.purpose, values["from_ms"], values["to_ms"], held(kept, now))
    decide(handed.standing, asked, now)
    release = handed.charter.safeguards.release
    assert release is not None
    if not now < values["until_ms"] <= now + release.valid_ms + _SOME:
        raise Refused(
            f"The charter lets a request be valid for {release.valid_ms // SECOND} s, and this one ends at "
            f"{iso(values['until_ms'])}.",
            fix="Ask again; the command reckons the end from the charter.",
        )
    if not kept:
        raise Refused(
            "Nothing of this source and time is kept for this purpose.",
            fix="Ask for a time around an alert of this purpose, within the retention of originals.",
        )
    check_can_open(handed.tx, kept, without=_own_offices(handed))
    insert(handed, case_id=case.id, recipient=case.case_key, until_ms=values["until_ms"])


def insert(handed: Handed, *, case_id: str | None, recipient: bytes | None, until_ms: int) -> None:
    """The row of a request, or of a broken glass."""
    values = handed.values
    if handed.tx.one("SELECT 1 FROM release_request WHERE id = ?", values["request"]):
        raise Problem("A request has this id already.", fix="Ask again; the command draws another id.")
    handed.tx.insert(
        "release_request",
        {
            "id": values["request"],
            "glass": int(case_id is None),
            "evidence_case": case_id,
            "source": values["source"],
            "purpose": handed.statement.leaf.purpose,
            "from_ms": values["from_ms"],
            "to_ms": values["to_ms"],
            "reason": values["reason"],
            "recipient": recipient,
            "until_ms": until_ms,
            "asked_ms": handed.now,
            "person": handed.person,
            "role": handed.statement.leaf.role,
            "vkey": handed.statement.signature.vkey,
            "statement": handed.statement.encode(),
            "leaf_hash": handed.leaf_hash,
        },
    )


def approve(handed: Handed) -> None:
    """A custodian's yes, with the shares sealed anew to the case's key."""
    values = handed.values
    asked, name = _answerable(handed), str(values["custodian"])
    check_open(handed.tx, str(asked.case), handed.now)
    if not handed.cosigned(asked.leaf_hash):
        raise Refused(
            "No witness has cosigned this request yet, and nothing is disclosed before (law 12).",
            fix="Wait for the next checkpoint, then approve again.",
        )
    if values["until_ms"] > asked.until_ms or values["until_ms"] <= handed.now:
        raise DidNotVerify(
            "The approval holds longer than the request, or not at all.", fix="Approve again with the command."
        )
    data = handed.the_bundle(values["bundle_sha256"])
    bundle = Bundle.parse(data)
    if bundle.terms.custodian != name:
        raise DidNotVerify(
            f"The re-sealed shares are {bundle.terms.custodian}'s, and {name} signed for them.",
            fix="Each custodian hands in their own.",
            custodian=name,
        )
    check_approval(as_signed(asked, handed.acting.origin), bundle, handed.statement.leaf, values)
    _covers(bundle, segments_of(handed.tx, asked), name)
    _answer(handed, asked, name, approved=True, reason="", until_ms=values["until_ms"], bundle=data)


def refuse(handed: Handed) -> None:
    """A custodian's no. It can be turned into a yes by no one but a new request."""
    asked, name = _answerable(handed), str(handed.values["custodian"])
    reason = str(handed.values["reason"])
    _answer(handed, asked, name, approved=False, reason=reason, until_ms=asked.until_ms, bundle=None)


def take(handed: Handed) -> None:
    """The one who asked takes what was granted to their own machine. From here on the house hands it out."""
    asked = request_of(handed.tx, str(handed.values["request"]))
    if asked.vkey != handed.statement.signature.vkey:
        raise Refused("Somebody else asked for this.", fix="Ask for a release in a case of your own.")
    if asked.granted is None:
        raise Refused("This request is not granted (yet).", fix="Wait until enough custodians have approved.")
    if handed.statement.leaf.refs[0] != asked.granted:
        raise DidNotVerify("This names another grant.", fix="Fetch your cases again, then sign once more.")
    if not handed.cosigned(asked.granted):
        raise Refused(
            "No witness has cosigned this grant yet, and nothing is disclosed before (law 12).",
            fix="Wait for the next checkpoint, then take it.",
        )
    if asked.until_ms <= handed.now:
        raise Refused(f"This release was valid until {iso(asked.until_ms)}.", fix="Ask again, with a new request.")
    if asked.taken is not None:
        raise Problem("This was taken before.", fix="Open it on the machine that took it.")
    if SignedStatement.parse(asked.statement).leaf.charter != handed.charter.sha256:
        raise Refused("This was granted under an earlier charter.", fix="Ask again, under the one in force.")
    check_disclosed(handed.tx, handed.standing, asked, handed.now)
    handed.tx.execute(
        "UPDATE release_request SET taken_ms = ?, taken_leaf_hash = ? WHERE id = ?",
        handed.now,
        handed.leaf_hash,
        asked.id,
    )


def check_disclosed(reader: Reader, standing: Standing, asked: ReleaseRequest, now_ms: int) -> None:
    """Check, each time that something of it is given out, that it may be: that nothing stops it since it was granted.

    Raises:
        Refused: the charter no longer says yes, everything is suspended, an approval has run out, or the house's clock
            was set back.
    """
    check_clock(reader, now_ms)
    segments = segments_of(reader, asked)
    wanted = GrantRelease(asked.source, asked.purpose, asked.from_ms, asked.to_ms, held=True)
    decide(standing, wanted, now_ms)  # how old it may be was decided when it was asked for
    if not asked.glass and not enough(segments, frozenset(approvals_of(reader, asked.id, now_ms))):
        raise Refused(
            "Not enough approvals hold any more, or what was released is destroyed.",
            fix="Ask again, with a new request.",
        )


def deny(
    acting: Acting,
    charter: Charter,
    statement: SignedStatement,
    values: Mapping[str, Any],
    person: str,
    error: WatchglassError,
) -> None:
    """Record that the house did not let a request for originals through. Oversight sees who asked, and why not.

    Once for each statement: whoever saw one could otherwise hand it in again and again in its signer's name.
    """
    why = f"{error.message} {error.fix}"[:2_000]
    case, source = values.get("case"), values.get("source")

    def act(tx: Transaction) -> None:
        if tx.one("SELECT 1 FROM statement WHERE sig = ?", statement.signature.sig):
            return
        tx.insert("statement", {"sig": statement.signature.sig, "accepted_ms": acting.clock.now()})
        leaf = attest(
            acting,
            tx,
            "release_denied",
            by=None,
            under=charter,
            committed={
                "statement_sha256": b64(sha256(statement.encode())),
                "by": person[:100],
                "case": case,
                "source": source,
                "why": why,
            },
        )
        row = {"at_ms": acting.clock.now(), "person": person, "evidence_case": case, "source": source, "why": why}
        tx.insert("release_denied", {**row, "leaf_hash": leaf})

    do(acting, act)


def segments_of(reader: Reader, asked: ReleaseRequest) -> list[Segment]:
    """What a request is about and what is still kept."""
    return segments_in(reader, asked.source, asked.from_ms, asked.to_ms, purpose=asked.purpose)


def as_signed(asked: ReleaseRequest, origin: str) -> Request:
    """A request as its signer made it and as the house verified it when it came in."""
    statement = SignedStatement.parse(asked.statement)
    values, charter = statement.values, statement.leaf.charter
    assert asked.case is not None
    assert asked.recipient is not None
    assert charter is not None
    return Request(
        leaf_hash=asked.leaf_hash,
        identifier=asked.id,
        origin=origin,
        charter=charter,
        purpose=asked.purpose,
        source=asked.source,
        from_ms=asked.from_ms,
        to_ms=asked.to_ms,
        case=asked.case,
        opened=unb64(values["opened"], length=32),
        reason=asked.reason,
        recipient=asked.recipient,
        until_ms=asked.until_ms,
        by=VerifierKey.parse(asked.vkey),
    )


def as_request(row: Row) -> ReleaseRequest:
    """A row as a value."""

    def octets(name: str) -> bytes | None:
        return None if row[name] is None else bytes(row[name])

    return ReleaseRequest(
        row["id"],
        bool(row["glass"]),
        row["evidence_case"],
        row["source"],
        row["purpose"],
        row["from_ms"],
        row["to_ms"],
        row["reason"],
        octets("recipient"),
        row["until_ms"],
        row["asked_ms"],
        row["person"],
        row["role"],
        row["vkey"],
        bytes(row["statement"]),
        bytes(row["leaf_hash"]),
        row["granted_ms"],
        octets("granted_leaf_hash"),
        row["taken_ms"],
        octets("taken_leaf_hash"),
        row["followed_ms"],
    )


def _own_offices(handed: Handed) -> tuple[str, ...]:
    """The custodians that the one who asks is, and who so cannot take part."""
    return tuple(
        custodian.name
        for custodian in handed.charter.safeguards.custodians
        if custodian.name == handed.person or VerifierKey.parse(custodian.key).public == handed.key.public
    )


def _answerable(handed: Handed) -> ReleaseRequest:
    """The request that a custodian answers, if it still can be answered, and by this custodian."""
    asked = request_of(handed.tx, str(handed.values["request"]))
    name = handed.as_custodian(str(handed.values["custodian"]))
    if handed.statement.leaf.refs[0] != asked.leaf_hash or asked.glass:
        raise DidNotVerify("This answers another request.", fix="Fetch the inbox again, then answer once more.")
    if handed.statement.leaf.purpose != asked.purpose:
        raise DidNotVerify("This answers under another purpose than the request's.", fix="Answer this request.")
    if SignedStatement.parse(asked.statement).leaf.charter != handed.charter.sha256:
        raise Refused(
            "This request was made under an earlier charter.", fix="Let the investigator ask again, under this one."
        )
    if asked.until_ms <= handed.now:
        raise Refused(f"This request was valid until {iso(asked.until_ms)}.", fix="Let the investigator ask again.")
    if asked.granted is not None:
        raise Problem("This request is granted already.", fix="Nothing more needs to be done.")
    if VerifierKey.parse(asked.vkey).public == handed.key.public or asked.person in (name, handed.person):
        raise Refused("Nobody approves what they asked for themselves.", fix="Let the other custodians decide.")
    if handed.tx.one("SELECT 1 FROM release_answer WHERE request = ? AND custodian = ?", asked.id, name):
        raise Problem(f"{name} answered this request before.", fix="Nothing more needs to be done.")
    return asked


def _covers(bundle: Bundle, kept: list[Segment], name: str) -> None:
    """Check that the bundle has this custodian's shares of every segment that is asked for, and of no other."""
    wanted = {segment.id for segment in kept if name in segment.read_header().wrapped}
    if {each.segment for each in bundle.segments} != wanted:
        raise BadInput(
            f"The re-sealed shares are of {len(bundle.segments)} segments, and the request is about {len(wanted)}.",
            fix="Something was sealed or destroyed meanwhile: fetch the request again, and approve once more.",
        )


def _answer(
    handed: Handed,
    asked: ReleaseRequest,
    name: str,
    *,
    approved: bool,
    reason: str,
    until_ms: int,
    bundle: bytes | None,
) -> None:
    handed.tx.insert(
        "release_answer",
        {
            "request": asked.id,
            "custodian": name,
            "approved": int(approved),
            "reason": reason,
            "until_ms": until_ms,
            "statement": handed.statement.encode(),
            "bundle": bundle,
            "answered_ms": handed.now,
            "leaf_hash": handed.leaf_hash,
        },
    )
