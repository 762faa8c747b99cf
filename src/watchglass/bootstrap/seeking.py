"""What somebody who asks for originals does on their own machine: cases, requests, taking, opening, emergencies."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass.bootstrap.custody import check_record, opened_of, statement_of
from watchglass.bootstrap.office import Office, Sight
from watchglass.bootstrap.told import count, hash_of, octets, part, parts, rows
from watchglass.bootstrap.witnessed import Entry
from watchglass.charter.phrases import duration
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused
from watchglass.core.time import SECOND, iso, month_of
from watchglass.edge.tiles import write_durably
from watchglass.evidence.custody import Bundle, Kind, open_bundle
from watchglass.evidence.envelope import Opener, check_recorded
from watchglass.evidence.header import END_OF_TIME, LONGEST, PREFIX, Header, read_header
from watchglass.evidence.release import Request, check_approval, check_segment, read_request
from watchglass.evidence.shares import Shares, recover, unwrap_glass
from watchglass.evidence.subsets import MOST_CUSTODIANS
from watchglass.ledger.keys import VerifierKey
from watchglass.records.fields import HASH, IDENTIFIER, NAME, FieldType, ListOf, Members, OrNull, Text, Whole
from watchglass.records.opening import Opened as OpenedField
from watchglass.records.statement import SignedStatement, verify

BROKEN: Final = "glass_broken"
_SEEKER: Final = "investigator"
_BREAKERS: Final = ("shift-lead", "investigator")
_SHARES_BYTES: Final = 1 << 20
_INSTANT: Final = Whole(0, END_OF_TIME - 1)
_CASE: Final[Mapping[str, FieldType]] = {
    "id": IDENTIFIER,
    "number": Text(100),
    "purpose": NAME,
    "until_ms": _INSTANT,
    "closed_ms": OrNull(_INSTANT),
}
_REQUEST: Final[Mapping[str, FieldType]] = {
    "id": IDENTIFIER,
    "source": NAME,
    "from_ms": _INSTANT,
    "to_ms": _INSTANT,
    "until_ms": _INSTANT,
    "approved_by": ListOf(NAME, MOST_CUSTODIANS),
    "refused_by": ListOf(Members({"custodian": NAME, "reason": Text(2_000)}), MOST_CUSTODIANS),
    "granted": OrNull(HASH),
    "taken_ms": OrNull(_INSTANT),
    "followed_ms": OrNull(_INSTANT),
}
_PRIVATE_FOLDER: Final = 0o700
_PRIVATE_FILE: Final = 0o600


@dataclass(frozen=True, slots=True)
class Piece:
    """One opened segment.

    Attributes:
        plaintext: fragmented MP4. sha256: of the whole sealed object, as its record commits to it.
        record: its record in the log, with what the house opened of it; None where the log does not show it yet.
    """

    header: Header
    plaintext: bytes
    sha256: bytes
    record: Entry | None
    opened: Mapping[str, OpenedField]


Recorded = tuple[Entry | None, Mapping[str, OpenedField]]


@dataclass(frozen=True, slots=True)
class Approval:
    """A custodian's approval that was verified, and its record."""

    custodian: str
    statement: SignedStatement
    record: Entry
    bundle: Bundle


@dataclass(frozen=True, slots=True)
class Release:
    """A release that was verified, ready to be opened.

    Attributes:
        number: its id: the player draws it over the picture.
        record: of the request; None for an emergency that was recorded so lately that no witness has cosigned it yet.
        request: None where the glass was broken.
        granted, taken: their records; None where the glass was broken.
        recorded: for each segment its record; None where the log does not show yet what was sealed there.
    """

    number: str
    statement: SignedStatement
    record: Entry | None
    request: Request | None
    granted: Entry | None
    taken: Entry | None
    approvals: tuple[Approval, ...]
    headers: Mapping[str, Header]
    rows: Mapping[str, Mapping[str, Any]]
    recorded: Mapping[str, Recorded]
    sight: Sight

    def as_json(self) -> dict[str, Any]:
        """What it is, for people and programs."""
        values = self.statement.values
        return {
            "release": self.number,
            "source": values["source"],
            "from": iso(values["from_ms"]),
            "to": iso(values["to_ms"]),
            "reason": values["reason"],
            "emergency": self.request is None,
            "approved_by": [each.custodian for each in self.approvals],
            "segments": len(self.headers),
            "shows_from": iso(min(header.context.from_ms for header in self.headers.values())),
            "shows_to": iso(max(header.context.to_ms for header in self.headers.values())),
            "unrecorded": sorted(name for name, (record, _) in self.recorded.items() if record is None),
            "gaps": [{"from": iso(begin), "to": iso(end)} for begin, end in self._gaps()],
        }

    def _gaps(self) -> Iterator[tuple[int, int]]:
        """The times between two segments of which nothing was recorded; a player shows the last picture meanwhile."""
        contexts = sorted((header.context for header in self.headers.values()), key=lambda each: each.from_ms)
        for before, after in pairwise(contexts):
            if after.from_ms > before.to_ms + SECOND:
                yield before.to_ms, after.from_ms


# ---- cases ---------------------------------------------------------------------------------------------------------


def open_case(
    office: Office, *, purpose: str, number: str, authority: str, reason: str, until_ms: int
) -> dict[str, Any]:
    """Open a case with its legal authority, and make its key on this machine."""
    sight = office.look()
    _enrolled(office, sight, (_SEEKER,))
    sight.charter.purpose(purpose)
    identifier = office.number()
    key = office.keys.new_case(identifier, office.entropy)
    committed = {
        "case": identifier,
        "number": number,
        "authority": authority,
        "reason": reason,
        "case_key": b64(key.public_key().public_bytes_raw()),
        "until_ms": until_ms,
    }
    statement = office.sign("case_opened", _SEEKER, under=sight.charter, purpose=purpose, committed=committed)
    done = office.hand_in_kept(identifier, statement, undo=lambda: office.keys.forget_case(identifier))
    return {"case": identifier, "number": number, "until": iso(until_ms), "file": f"case-{identifier}.key", **done}


def close_case(office: Office, number: str, result: str) -> dict[str, Any]:
    """Close a case: nothing more can be asked for within it."""
    sight = office.look()
    case = _case(office, sight, number)
    statement = office.sign(
        "case_closed",
        _SEEKER,
        under=sight.charter,
        purpose=case["purpose"],
        committed={"case": case["id"], "opened": case["leaf_hash"], "result": result},
    )
    return {"case": case["id"], "number": case["number"], **office.hand_in(statement)}


def status(office: Office) -> dict[str, Any]:
    """Own cases, requests and emergencies, as the portal tells them; what is opened is verified when it is opened."""
    told = office.ask("cases")
    cases = [
        {**parts(row, _CASE), "requests": [parts(each, _REQUEST) for each in rows(row, "requests")]}
        for row in rows(told, "cases")
    ]
    emergencies = [parts(row, _REQUEST) for row in rows(told, "emergencies")]
    return {"now": iso(office.clock.now()), "cases": cases, "emergencies": emergencies}


# ---- requests ------------------------------------------------------------------------------------------------------


def request(office: Office, case: str, *, source: str, from_ms: int, to_ms: int, reason: str) -> dict[str, Any]:
    """Ask the custodians for originals within a case."""
    sight = office.look()
    found = _case(office, sight, case)
    rule = sight.charter.safeguards.release
    if rule is None:
        raise Refused("The charter in force records no original video.", fix="There is nothing to ask for.")
    identifier, key = office.number(), office.keys.case(found["id"])
    until = sight.now + rule.valid_ms
    statement = office.sign(
        "release_requested",
        _SEEKER,
        under=sight.charter,
        purpose=found["purpose"],
        committed={
            "request": identifier,
            "source": source,
            "from_ms": from_ms,
            "to_ms": to_ms,
            "case": found["id"],
            "opened": found["leaf_hash"],
            "reason": reason,
            "recipient": b64(key.public_key().public_bytes_raw()),
            "until_ms": until,
        },
    )
    done = office.hand_in_kept(identifier, statement)
    return {
        "request": identifier,
        "case": found["id"],
        "source": source,
        "from": iso(from_ms),
        "to": iso(to_ms),
        "valid_until": iso(until),
        "asked": f"{rule.k} of {rule.n} custodians"
        + (f", among them {' or '.join(rule.one_of)}" if rule.one_of else ""),
        **done,
    }


def take(office: Office, number: str) -> dict[str, Any]:
    """Sign that what was granted is taken to this machine. From here on the house hands it out."""
    sight = office.look()
    row = _own_request(office, number)
    if row.get("granted") is None:
        raise Refused("This request is not granted (yet).", fix="See `watchglass case status` for who has approved.")
    granted, asked = sight.log.find(hash_of(row, "granted"), "the grant"), _asked(office, sight, row)
    if granted.leaf.act != "release_granted" or granted.leaf.refs != (asked,):
        raise _differs("granted", "What the portal shows as the grant is the record of something else.")
    statement = office.sign(
        "release_taken",
        _SEEKER,
        under=sight.charter,
        purpose=granted.leaf.purpose,
        committed={"request": _id(row), "segments": count(row, "segments")},
        refs=[granted.hash],
    )
    done = office.hand_in(statement)
    until = iso(count(row, "until_ms"))
    return {"request": row["id"], "segments": row["segments"], "valid_until": until, **done}


# ---- emergencies ---------------------------------------------------------------------------------------------------


def break_glass(office: Office, *, purpose: str, source: str, from_ms: int, to_ms: int, reason: str) -> dict[str, Any]:
    """Open at once by the charter's emergency rule. Recorded first; oversight hears of it now."""
    sight = office.look()
    rule = sight.charter.safeguards.release
    if rule is None or rule.break_glass is None:
        raise Refused(
            "The charter in force has no emergency rule.", fix="Ask the custodians: `watchglass case request`."
        )
    role = _enrolled(office, sight, rule.break_glass.by)
    identifier = office.number()
    follow_up = sight.now + rule.break_glass.follow_up_ms
    statement = office.sign(
        "glass_broken",
        role,
        under=sight.charter,
        purpose=purpose,
        committed={
            "request": identifier,
            "source": source,
            "from_ms": from_ms,
            "to_ms": to_ms,
            "reason": reason,
            "follow_up_by_ms": follow_up,
        },
    )
    done = office.hand_in_kept(identifier, statement)
    return {
        "request": identifier,
        "source": source,
        "from": iso(from_ms),
        "to": iso(to_ms),
        "follow_up_by": iso(follow_up),
        **done,
    }


def follow_up(office: Office, number: str, *, report: str, case: str | None) -> dict[str, Any]:
    """Say what was seen and done in an emergency."""
    sight = office.look()
    row = _own_request(office, number)
    entry = sight.log.find(_asked(office, sight, row), "the emergency")
    if entry.leaf.act != BROKEN:
        raise _differs("leaf", f"What the portal shows as the emergency is the record of '{entry.leaf.act}'.")
    role = _enrolled(office, sight, _BREAKERS)
    statement = office.sign(
        "glass_followed_up",
        role,
        under=sight.charter,
        purpose=entry.leaf.purpose,
        committed={"request": _id(row), "report": report, "case": case},
        refs=[entry.hash],
    )
    return {"request": _id(row), **office.hand_in(statement)}


# ---- opening -------------------------------------------------------------------------------------------------------


def release(office: Office, number: str) -> Release:
    """Fetch a release that was taken (or an emergency), and verify all that it rests on. Nothing is opened yet.

    Raises:
        DidNotVerify: the request is not the one that was signed here, an approval is of another request, charter or
            key, or a segment is not what was recorded; what differs is named.
    """
    sight = office.look()
    identifier = _id(_own_request(office, number))
    answer = office.ask("release", identifier)
    told = answer.get("request")
    if not isinstance(told, dict):
        raise _differs("request", "The portal shows no request with this release.")
    statement, leaf = statement_of(told.get("statement")), hash_of(told, "leaf_hash")
    mine = office.keys.kept(identifier)
    if mine is not None and SignedStatement.parse(mine) != statement:
        raise _differs("request", "The portal shows another request than the one that was signed on this machine.")
    own = [office.keys.identity().verifier]
    record: Entry | None
    request_: Request | None = None
    granted = taken = None
    approvals: tuple[Approval, ...] = ()
    if statement.leaf.act == BROKEN:
        verify(statement, origin=office.origin, keys={statement.leaf.role: own})
        record = _emergency(sight, statement, leaf, signed_here=mine is not None)
    else:
        record = sight.log.find(leaf, "the request")
        request_ = read_request(statement, record.data, origin=office.origin, keys={_SEEKER: own})
        if request_.until_ms <= sight.now:
            raise Refused(
                f"This release was valid until {iso(request_.until_ms)}.", fix="Ask again, with a new request."
            )
        granted = sight.log.find(hash_of(answer, "granted"), "the grant")
        if granted.leaf.act != "release_granted" or granted.leaf.refs != (record.hash,):
            raise _differs("granted", "What the portal shows as the grant is of another request.")
        taken = _taken(sight, answer)
        approvals = tuple(_approval(sight, request_, row) for row in rows(answer, "approvals"))
        _check_granted(granted, approvals)
    if statement.values["request"] != identifier:
        raise _differs("request", "The portal shows another request than the one that was asked for.")
    headers, told_of = _headers(office, sight, answer, statement, request_)
    recorded = {segment: _recorded(sight, headers[segment], row) for segment, row in told_of.items()}
    return Release(
        identifier, statement, record, request_, granted, taken, approvals, headers, told_of, recorded, sight
    )


def opened(office: Office, found: Release, glass: X25519PrivateKey | None = None) -> Iterator[Piece]:
    """The opened segments of a release, in order of time; each is fetched, checked and opened when it is asked for.

    Args:
        glass: the charter's emergency key, for an emergency.

    Raises:
        DidNotVerify: a share or a segment is not what was sealed; custodian or segment is named.
        BadInput: these approvals are no permitted set, or a key is missing.
    """
    given = [] if found.request is None else _given(office, found, found.request)
    for header in sorted(found.headers.values(), key=lambda each: each.context.from_ms):
        if found.request is not None:
            key = recover(header, [shares[header.segment] for shares in given if header.segment in shares])
        elif glass is None:
            raise BadInput(
                "An emergency is opened with the charter's emergency key.", fix="Give its file with --glass-key."
            )
        else:
            key = unwrap_glass(header, glass)
        row = found.rows[header.segment]
        data = office.segment(found.number, header.segment, limit=min(header.size, LONGEST + PREFIX) + _SHARES_BYTES)
        digest = hash_of(row, "sha256")
        check = check_recorded(data, sha256=digest, key_commitment=header.key_commitment)
        if not hmac.compare_digest(check.sha256, header.sha256):
            raise _differs("header", f"Segment {header.segment} came with another header than was shown before.")
        record, fields = found.recorded[header.segment]
        yield Piece(header, Opener(header, key).all(data), hashlib.sha256(data).digest(), record, fields)


def write_opened(office: Office, found: Release, folder: Path, glass: X25519PrivateKey | None = None) -> list[Path]:
    """Open a release into a folder, a file for each segment: each is there wholly or not at all, for its owner alone.

    Raises:
        CannotRecord: the disk refuses. And what ``opened`` raises.
    """
    folder.mkdir(mode=_PRIVATE_FOLDER, parents=True, exist_ok=True)
    files = []
    for piece in opened(office, found, glass):
        name = f"{iso(piece.header.context.from_ms).replace(':', '')}-{piece.header.segment}.mp4"
        write_durably([(folder / name, piece.plaintext)], mode=_PRIVATE_FILE)
        files.append(folder / name)
    return files


def _emergency(sight: Sight, statement: SignedStatement, leaf: bytes, *, signed_here: bool) -> Entry | None:
    """The record of an emergency. Whoever signed it on this machine does not wait for witnesses; oversight knows."""
    try:
        return sight.log.record_of(statement, leaf, "the emergency")
    except DidNotVerify:
        if signed_here and leaf not in sight.log.hashes:
            return None
        raise


def _given(office: Office, found: Release, asked: Request) -> list[dict[str, Shares]]:
    key = office.keys.case(asked.case)
    return [
        open_bundle(each.bundle, key, found.headers, kind=Kind.RELEASE, request=asked.leaf_hash, charter=asked.charter)
        for each in found.approvals
    ]


def _approval(sight: Sight, asked: Request, row: Mapping[str, Any]) -> Approval:
    """A custodian's approval: signed by the key that the charter pins, recorded, of this request and this bundle."""
    statement = statement_of(row.get("statement"))
    charter = sight.log.charter_of(asked.charter)
    pinned = {each.name: VerifierKey.parse(each.key) for each in charter.safeguards.custodians}
    values = verify(statement, origin=sight.log.checkpoint.origin, keys={"custodian": list(pinned.values())})
    name = str(values.get("custodian"))
    if pinned.get(name) != statement.signature.key:
        raise DidNotVerify(
            f"The approval of {name} is signed with the key of another custodian.",
            fix=f"Ask {name} to approve again; keep this as evidence.",
            custodian=name,
            field="key",
        )
    bundle = Bundle.parse(octets(row, "bundle"))
    check_approval(asked, bundle, statement.leaf, values)
    entry = _record_in_log(sight, statement, name)
    return Approval(name, statement, entry, bundle)


def _record_in_log(sight: Sight, statement: SignedStatement, name: str) -> Entry:
    """The approval's record: its opening's hash is the house's, so it is found by what was signed."""
    for entry in sight.log.of("release_approved"):
        if entry.leaf.signature == statement.leaf.signature and entry.leaf.body() == statement.leaf.body():
            return entry
    raise DidNotVerify(
        f"The log does not hold the approval of {name}.",
        fix="Wait for the next checkpoint; if it stays so, open nothing and tell oversight.",
        custodian=name,
        field="leaf",
    )


def _check_granted(granted: Entry, approvals: tuple[Approval, ...]) -> None:
    named = set(granted.leaf.clear["approvals"])
    shown = {b64(each.record.hash) for each in approvals}
    if not named <= shown:
        raise _differs("approvals", "The portal leaves out an approval that the grant names.")


def _taken(sight: Sight, answer: Mapping[str, Any]) -> Entry | None:
    if answer.get("taken") is None:
        return None
    try:
        return sight.log.find(hash_of(answer, "taken"), "the record that it was taken")
    except DidNotVerify:
        return None  # it was taken a moment ago; the export needs it, opening does not


def _headers(
    office: Office, sight: Sight, answer: Mapping[str, Any], statement: SignedStatement, asked: Request | None
) -> tuple[dict[str, Header], dict[str, Mapping[str, Any]]]:
    headers: dict[str, Header] = {}
    told: dict[str, Mapping[str, Any]] = {}
    for row in rows(answer, "segments"):
        header = read_header(octets(row, "header"))
        context, values = header.context, statement.values
        if asked is not None:
            check_segment(asked, header, now=sight.now, held=True)
        elif (context.origin, context.source) != (office.origin, values["source"]) or not (
            context.from_ms < values["to_ms"] and context.to_ms > values["from_ms"]
        ):
            raise _differs("scope", f"Segment {header.segment} is not what was asked for.")
        if header.segment != row.get("id") or header.segment in headers:
            raise _differs("segment", f"The portal shows segment {header.segment} under another id, or twice.")
        headers[header.segment], told[header.segment] = header, row
    if not headers:
        raise Problem("Nothing of this release is kept any more.", fix="Its retention has ended.")
    return headers, told


def _recorded(sight: Sight, header: Header, row: Mapping[str, Any]) -> Recorded:
    """The record of a segment and what is opened of it, as ``check_record`` found both; nothing where it did not."""
    if not check_record(header, row, sight):
        return None, {}
    entry = sight.log.find(hash_of(row, "leaf_hash"), "the record of a segment")
    return entry, opened_of(entry.leaf, row)


def _case(office: Office, sight: Sight, number: str) -> dict[str, Any]:
    """The own case with that id (or the only one that begins like it), its record compared with what was signed."""
    found = [row for row in rows(office.ask("cases"), "cases") if number and str(row.get("id")).startswith(number)]
    if len(found) != 1:
        raise Problem(f"You have no case “{number}”.", fix="See `watchglass case status`.")
    kept = office.keys.kept(_id(found[0]))
    leaf = hash_of(found[0], "leaf_hash")
    if kept is not None:
        sight.log.record_of(SignedStatement.parse(kept), leaf, "the case")
    return parts(found[0], _CASE)


def _id(row: Mapping[str, Any]) -> str:
    return str(part(row, "id", IDENTIFIER))


def _asked(office: Office, sight: Sight, row: Mapping[str, Any]) -> bytes:
    """The leaf hash of an own request: of the record of what was signed here, where that was kept."""
    leaf, kept = hash_of(row, "leaf_hash"), office.keys.kept(_id(row))
    if kept is not None:
        sight.log.record_of(SignedStatement.parse(kept), leaf, "the request")
    return leaf


def _own_request(office: Office, number: str) -> dict[str, Any]:
    told = office.ask("cases")
    own = [row for case in rows(told, "cases") for row in rows(case, "requests")]
    own += rows(told, "emergencies")
    found = [row for row in own if number and str(row.get("id")).startswith(number)]
    if len(found) != 1:
        raise Problem(f"You have no request “{number}”.", fix="See `watchglass case status`.")
    return found[0]


def _enrolled(office: Office, sight: Sight, roles: tuple[str, ...]) -> str:
    """The role for which oversight enrolled the identity key this month.

    Raises:
        Refused: for none of these.
    """
    key, month = office.keys.identity().verifier, month_of(sight.now)
    for role in roles:
        if sight.is_enrolled(key, role, month):
            return role
    raise Refused(
        f"Oversight has not enrolled your key for {' or '.join(roles)} in {month}.",
        fix=f"Give oversight your public key, {key}. A new month needs a new enrolment.",
    )


def allowed(sight: Sight) -> str:
    """What the charter allows to ask for, in one sentence."""
    rule = sight.charter.safeguards.release
    if rule is None:
        return "The charter in force records no original video."
    kept = sight.charter.safeguards.retention.sealed_ms
    return (
        f"At most {duration(rule.longest_ms)} in one request"
        + (f", from the last {duration(kept)}" if kept else "")
        + f"; {rule.k} of {rule.n} custodians must approve within {duration(rule.valid_ms // SECOND * SECOND)}."
    )


def _differs(name: str, message: str) -> DidNotVerify:
    return DidNotVerify(message, fix="Open nothing of it, keep what you saw, and tell oversight.", field=name)
