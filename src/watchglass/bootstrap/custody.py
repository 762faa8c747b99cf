"""What a custodian does on their own machine: keys of a month, requests, holds.

Before anything is sealed anew, the request is checked here, against the log that witnesses cosigned, the charter in it
and the keys that oversight enrolled in it. What differs is named, and nothing is handed on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass.bootstrap.office import Office, Sight
from watchglass.bootstrap.told import hash_of, octets, part, rows
from watchglass.charter.phrases import duration
from watchglass.core import canonical
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.core.time import DAY, SECOND, iso, month_of
from watchglass.evidence.custody import Bundle, Kind, Terms, open_bundle, reseal
from watchglass.evidence.header import Header, read_header
from watchglass.evidence.release import REQUESTED, Request, approval, check_request, check_segment, read_request
from watchglass.evidence.shares import Shares, unwrap_shares
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.policy import Accepted
from watchglass.records import commitment
from watchglass.records.fields import IDENTIFIER, MONTH
from watchglass.records.leaf import Leaf
from watchglass.records.opening import Opened, parse_plaintext
from watchglass.records.statement import SignedStatement, verify

HASH: Final = 32
_ROLE: Final = "custodian"
_AHEAD_MS: Final = 31 * DAY


@dataclass(frozen=True, slots=True)
class Case:
    """The case of a request, its signature, record and values verified."""

    id: str
    number: str
    authority: str
    reason: str
    until_ms: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that was verified.

    Attributes:
        answers: who answered, as the portal says. segments: how many, as the portal says.
    """

    request: Request
    case: Case
    accepted: Accepted
    enrolment: bytes
    answers: tuple[Mapping[str, Any], ...]
    segments: int

    def as_json(self) -> dict[str, Any]:
        """What is asked, for people and programs."""
        request, case = self.request, self.case
        return {
            "id": request.identifier,
            "source": request.source,
            "purpose": request.purpose,
            "from": iso(request.from_ms),
            "to": iso(request.to_ms),
            "seconds": (request.to_ms - request.from_ms) // SECOND,
            "reason": request.reason,
            "valid_until": iso(request.until_ms),
            "asked_by": request.by.name,
            "key": str(request.by),
            "case": {
                "id": case.id,
                "number": case.number,
                "authority": case.authority,
                "reason": case.reason,
                "until": iso(case.until_ms),
            },
            "segments": self.segments,
            "answers": [dict(each) for each in self.answers],
            "leaf_hash": b64(request.leaf_hash),
        }


@dataclass(frozen=True, slots=True)
class Hold:
    """An order to keep originals, its signature and record verified."""

    id: str
    leaf_hash: bytes
    source: str
    from_ms: int
    to_ms: int
    reason: str
    until_ms: int
    role: str

    def covers(self, header: Header) -> bool:
        """Whether a segment is among what is held."""
        context = header.context
        return context.source == self.source and context.from_ms < self.to_ms and context.to_ms > self.from_ms

    def as_json(self) -> dict[str, Any]:
        """What is held, for people and programs."""
        return {
            "id": self.id,
            "source": self.source,
            "from": iso(self.from_ms),
            "to": iso(self.to_ms),
            "reason": self.reason,
            "until": iso(self.until_ms),
            "ordered_by": self.role,
            "leaf_hash": b64(self.leaf_hash),
        }


def consequences(told: Mapping[str, Any]) -> dict[str, str]:
    """What approving a request means, in plain words; ``told`` as ``Waiting.as_json`` gives it."""
    return {
        "What will happen": f"Your shares of {_pieces(int(told['segments']))} of “{told['source']}” are sealed "
        f"anew, on this machine, to the key of case {told['case']['number']}. Once enough custodians have approved, "
        "and witnesses have cosigned that, the investigator can open the video.",
        "Who will see it": f"{told['asked_by']} sees the original video, with everybody in it, of "
        f"{duration(int(told['seconds']) * SECOND)}. The public sees that a custodian approved a request, not which "
        "one. Oversight sees everything but the video.",
        "What cannot be undone": "An approval cannot be taken back, and what was once opened cannot be made unseen. "
        "The record of it stays in the public ledger.",
    }


def custodian_name(sight: Sight, key: VerifierKey) -> str:
    """The custodian whom the charter in the log pins this identity key for.

    Raises:
        Refused: it pins it for nobody.
    """
    for name, pinned in sight.custodians.items():
        if pinned.public == key.public:
            return name
    raise Refused(
        f"The charter in force pins the key {key.name} for no custodian.",
        fix="Give the line that `watchglass custodian keygen` printed to whoever writes the charter; or use the folder "
        "of the key that is pinned.",
    )


# ---- keys of a month -----------------------------------------------------------------------------------------------


def rotate(office: Office, period: str | None = None) -> dict[str, Any]:
    """Make this month's key (or the next's), sign it with the identity key, and publish it.

    Raises:
        Problem: a key was published for that month already.
    """
    sight = office.look()
    name = custodian_name(sight, office.keys.identity().verifier)
    period = _publishable(period, sight.now)
    before = sight.published().get((name, period))
    mine = office.keys.month(period)
    if before is not None:
        raise _published_already(name, period, None if mine is None else _public(mine), before.leaf.clear["key"])
    key = office.keys.new_month(period, office.entropy)
    statement = office.sign(
        "sealing_key_published",
        _ROLE,
        under=sight.charter,
        clear={"custodian": name, "period": period, "key": _public(key)},
    )
    done = office.hand_in(statement)
    return {"custodian": name, "period": period, "key": _public(key), "file": f"{period}.key", **done}


def destroy_period(office: Office, period: str) -> dict[str, Any]:
    """Record that a month's key is gone, and only when that was accepted destroy the file.

    Raises:
        Problem: no such key was published, or it is not here. Refused: that month is not over.
    """
    MONTH.check(period, "month")
    sight = office.look()
    name = custodian_name(sight, office.keys.identity().verifier)
    if period >= month_of(sight.now):
        raise Refused(f"{period} is not over, and segments are still sealed to this key.", fix="Wait until it is over.")
    published = sight.published().get((name, period))
    if published is None:
        raise Problem(
            f"The log shows no key of {name} for {period}.", fix="See `watchglass custodian inbox`: it lists your keys."
        )
    key = office.keys.month(period)
    recorded = (name, period) in sight.destroyed()
    if recorded and key is not None:  # this machine stopped before the file was gone
        office.keys.destroy_month(period)
        return {"custodian": name, "period": period, "file": f"{period}.key", "recorded_before": True}
    if key is not None and _public(key) != published.leaf.clear["key"]:
        raise DidNotVerify(
            f"The key of {period} in this folder is not the one that {name} published.",
            fix="Destroy the one that was published, where it lies; this one opens nothing.",
            field="key",
        )
    if key is None:
        raise Problem(
            f"The key of {period} is not in this folder, so nothing was recorded.",
            fix="Use the folder that holds it. If it was lost, tell oversight: a lost key is not a destroyed one.",
        )
    statement = office.sign(
        "period_destroyed",
        _ROLE,
        under=sight.charter,
        clear={"custodian": name, "period": period},
        refs=[published.hash],
    )
    done = office.hand_in(statement)
    office.keys.destroy_month(period)
    return {"custodian": name, "period": period, "file": f"{period}.key", "recorded_before": False, **done}


# ---- what waits ----------------------------------------------------------------------------------------------------


def inbox(office: Office) -> dict[str, Any]:
    """What waits for this custodian: requests and holds, each verified or with what is wrong with it; and the keys."""
    sight = office.look()
    name = custodian_name(sight, office.keys.identity().verifier)
    told = office.ask("inbox")
    requests = [_shown(sight, name, row) for row in rows(told, "requests")]
    holds = []
    for row in rows(told, "holds"):
        try:
            holds.append({**_hold(sight, row).as_json(), "kept": bool(row.get("kept")), "verified": True})
        except WatchglassError as error:
            holds.append({"id": str(row.get("id"))[:16], "verified": False, **_wrong(error)})
    return {
        "custodian": name,
        "now": iso(sight.now),
        **sight.as_json(),
        "requests": requests,
        "holds": holds,
        "keys": _own_keys(office, sight, name),
    }


def verified_request(sight: Sight, told: Mapping[str, Any], number: str) -> Waiting:
    """The request with that id (or the only one that begins like it) out of an inbox, verified.

    Raises:
        Problem: there is none. DidNotVerify, BadInput: what differs is named.
    """
    found = [row for row in rows(told, "requests") if number and str(row.get("id")).startswith(number)]
    if len(found) != 1:
        raise Problem(
            f"No request “{number}” waits for an answer." if not found else f"Several requests begin with “{number}”.",
            fix="See `watchglass custodian inbox`, and give its id in full.",
        )
    return _waiting(sight, found[0])


def waiting(office: Office, number: str) -> dict[str, Any]:
    """One request that waits, verified: what a custodian reads before they decide."""
    sight = office.look()
    custodian_name(sight, office.keys.identity().verifier)
    return verified_request(sight, office.ask("inbox"), number).as_json()


def approve(office: Office, number: str, *, seen: str | None = None) -> dict[str, Any]:
    """Verify a request, seal this custodian's shares anew to its case's key, sign that and hand both in.

    Args:
        seen: the leaf hash of the request that the person looked at; no other one is approved.

    Raises:
        DidNotVerify: something of it is not what the log, the charter or a signature says; nothing was handed on.
    """
    sight = office.look()
    name = custodian_name(sight, office.keys.identity().verifier)
    told = office.ask("inbox")
    found = verified_request(sight, told, number)
    request = found.request
    if seen is not None and seen != b64(request.leaf_hash):
        raise _differs("request", "The portal shows another request now than the one that you looked at.")
    answer = office.ask("segments", request.identifier)
    headers = _headers(sight, answer)
    if not headers:
        raise Problem("Nothing of what is asked for is kept any more.", fix="Refuse the request, with this reason.")
    holds = _standing_holds(sight, told)
    for header in headers:
        _check_purpose(header, request)
        check_segment(request, header, now=sight.now, held=any(hold.covers(header) for hold in holds))
    shares = _shares(office, answer, headers, name)
    bundle = reseal(request.terms(name), shares)
    statement = office.sign(
        "release_approved",
        _ROLE,
        under=sight.charter,
        purpose=request.purpose,
        committed=approval(request, bundle, found.accepted),
        refs=[request.leaf_hash],
    )
    done = office.hand_in(statement, bundle.encoded)
    return {**found.as_json(), "custodian": name, "resealed": len(shares), **done}


def refuse(office: Office, number: str, reason: str) -> dict[str, Any]:
    """Refuse a request; the reason is for the investigator and oversight. Also what did not verify can be refused.

    Raises:
        DidNotVerify: not even its record is in the log.
    """
    sight = office.look()
    name = custodian_name(sight, office.keys.identity().verifier)
    found = [row for row in rows(office.ask("inbox"), "requests") if number and str(row.get("id")).startswith(number)]
    if len(found) != 1:
        raise Problem(f"No request “{number}” waits for an answer.", fix="See `watchglass custodian inbox`.")
    entry = sight.log.find(hash_of(found[0], "leaf_hash"), "the request")
    if entry.leaf.act != REQUESTED:
        raise _differs("leaf", f"What the portal shows as the request is the record of '{entry.leaf.act}'.")
    identifier = str(part(found[0], "id", IDENTIFIER))
    statement = office.sign(
        "release_refused",
        _ROLE,
        under=sight.charter,
        purpose=entry.leaf.purpose,
        committed={"request": identifier, "custodian": name, "reason": reason},
        refs=[entry.hash],
    )
    return {"id": identifier, "custodian": name, "reason": reason, **office.hand_in(statement)}


def keep_hold(office: Office, number: str) -> dict[str, Any]:
    """Seal this custodian's shares of what is held to a key of the hold, so that the month's key can still die."""
    sight = office.look()
    name = custodian_name(sight, office.keys.identity().verifier)
    found = [row for row in rows(office.ask("inbox"), "holds") if number and str(row.get("id")).startswith(number)]
    if len(found) != 1:
        raise Problem(f"No hold “{number}” stands.", fix="See `watchglass custodian inbox`.")
    hold = _hold(sight, found[0])
    answer = office.ask("segments", hold.id)
    headers = _headers(sight, answer)
    for header in headers:
        if not hold.covers(header):
            raise BadInput(
                f"Segment {header.segment} is not within this hold.",
                fix="Seal nothing of it anew, and tell oversight: the house offered what was not ordered.",
                segment=header.segment,
            )
    shares = _shares(office, answer, headers, name)
    key = office.keys.new_hold(hold.id, office.entropy)
    terms = Terms(Kind.HOLD, hold.leaf_hash, sight.charter.sha256, key.public_key().public_bytes_raw(), name)
    bundle = reseal(terms, shares)
    statement = office.sign(
        "hold_kept",
        _ROLE,
        under=sight.charter,
        committed={
            "hold": hold.id,
            "custodian": name,
            "recipient": _public(key),
            "bundle_sha256": b64(bundle.sha256),
        },
        refs=[hold.leaf_hash],
    )
    done = office.hand_in(statement, bundle.encoded)
    return {**hold.as_json(), "custodian": name, "kept": len(shares), "file": f"hold-{hold.id}.key", **done}


# ---- verifying -----------------------------------------------------------------------------------------------------


def statement_of(value: object) -> SignedStatement:
    """A statement out of a portal's answer. Nothing in it is verified yet.

    Raises:
        BadInput: it is none.
    """
    return SignedStatement.parse(canonical.encode(value))


def check_record(header: Header, row: Mapping[str, Any], sight: Sight) -> bool:
    """Check a segment's header against its record, as far as the log holds it and its opening is shown.

    Returns:
        Whether the log holds it and its opening is shown: whether this header is known to be what was recorded.

    Raises:
        DidNotVerify: its record is another one, or commits to something else.
    """
    try:
        entry = sight.log.find(hash_of(row, "leaf_hash"), f"the record of segment {header.segment}")
    except DidNotVerify:
        return False  # records of segments come in batches: a new one is in the log a little later
    leaf, context = entry.leaf, header.context
    if (leaf.act, leaf.charter, leaf.purpose) != ("segment_sealed", context.charter, context.purpose):
        raise DidNotVerify(
            f"What was shown as the record of segment {header.segment} is another one.",
            fix="Do nothing with it: keep it, and tell oversight.",
            segment=header.segment,
        )
    if row.get("opened") is None:
        return False
    values = {name: field.value for name, field in opened_of(leaf, row).items()}
    wanted = {
        "segment": context.segment,
        "source": context.source,
        "from_ms": context.from_ms,
        "to_ms": context.to_ms,
        "key_commitment": b64(header.key_commitment),
        "ciphertext_sha256": row.get("sha256"),
    }
    for name, value in wanted.items():
        if values.get(name) != value:
            raise DidNotVerify(
                f"Segment {header.segment} was recorded with another {name} than its header says.",
                fix="Do nothing with it: keep both, and tell oversight.",
                segment=header.segment,
                field=name,
            )
    return True


def opened_of(leaf: Leaf, row: Mapping[str, Any]) -> dict[str, Opened]:
    """What the portal opens of a record, each field checked against its commitment.

    Raises:
        DidNotVerify: a field is not what was committed to, or there is no such field.
    """
    fields = parse_plaintext(canonical.encode({"fields": row["opened"]}))
    for name, opened in fields.items():
        if name not in leaf.commitments:
            raise _differs(name, f"The portal opens '{name}' of a record that has no such field.")
        commitment.check(leaf.commitments[name], opened.salt, name, opened.value)
    return fields


def _shown(sight: Sight, name: str, row: Mapping[str, Any]) -> dict[str, Any]:
    answered = any(each.get("custodian") == name for each in rows(row, "answers"))
    granted = bool(row.get("granted"))
    state = "answered" if answered else "granted" if granted else "waiting"
    try:
        told = _waiting(sight, row).as_json()
    except WatchglassError as error:
        return {"id": str(row.get("id"))[:16], "verified": False, "state": state, **_wrong(error)}
    purpose = sight.charter.purpose(told["purpose"])
    return {
        **told,
        "purpose_text": purpose.text,
        "verified": True,
        "state": state,
        "consequences": consequences(told),
    }


def _waiting(sight: Sight, row: Mapping[str, Any]) -> Waiting:
    statement = statement_of(row.get("statement"))
    month = statement.leaf.hour[: len("2026-11")]
    key = statement.signature.key
    enrolment = sight.log.enrolment(key, role="investigator", month=month)
    entry = sight.log.record_of(statement, hash_of(row, "leaf_hash"), "the request")
    request = read_request(statement, entry.data, origin=sight.log.checkpoint.origin, keys={"investigator": [key]})
    if request.identifier != row.get("id"):
        raise _differs("id", "The portal shows this request under another id than its investigator signed.")
    accepted = check_request(
        request,
        sight.log.prove(entry.index),
        sight.log.trust.policy,
        custodians=sight.custodians.values(),
        charter=sight.charter.sha256,
        now=sight.now,
        seen=sight.log.trust.seen,
    )
    _check_reach(sight, request)
    case = _case(sight, row, request)
    answers = tuple(
        {"custodian": str(each.get("custodian")), "approved": bool(each.get("approved"))}
        for each in rows(row, "answers")
    )
    return Waiting(request, case, accepted, enrolment.hash, answers, _count(row.get("segments")))


def _check_reach(sight: Sight, request: Request) -> None:
    """A house that lets through what the charter forbids is not helped."""
    charter = sight.charter
    release = charter.safeguards.release
    if release is None or not charter.records(request.source):
        raise _differs("charter", f"The charter in the log releases nothing of “{request.source}”.")
    charter.purpose(request.purpose)
    if request.to_ms - request.from_ms > release.longest_ms:
        raise _differs(
            "scope",
            f"This asks for {duration(request.to_ms - request.from_ms)}; the charter allows at most "
            f"{duration(release.longest_ms)}.",
        )


def _case(sight: Sight, row: Mapping[str, Any], request: Request) -> Case:
    shown = row.get("case")
    if not isinstance(shown, dict):
        raise _differs("case", "The portal shows no case for this request.")
    statement = statement_of(shown.get("statement"))
    if statement.leaf.act != "case_opened":
        raise _differs("case", "What the portal shows as the case is none.")
    month, key = statement.leaf.hour[: len("2026-11")], statement.signature.key
    sight.log.enrolment(key, role="investigator", month=month)
    values = verify(statement, origin=sight.log.checkpoint.origin, keys={"investigator": [key]})
    entry = sight.log.record_of(statement, hash_of(shown, "leaf_hash"), "the case")
    if entry.hash != request.opened or values["case"] != request.case:
        raise _differs("case", "The portal shows another case than the one that the request names.")
    if unb64(values["case_key"], length=HASH) != request.recipient:
        raise _differs("case_key", "The request would have the shares sealed to another key than the case's.")
    if statement.leaf.purpose != request.purpose:
        raise _differs("purpose", "The case was opened for another purpose than the request's.")
    if values["until_ms"] <= sight.now:
        raise _differs("case", f"The case ran out at {iso(values['until_ms'])}.")
    return Case(values["case"], values["number"], values["authority"], values["reason"], values["until_ms"])


def _hold(sight: Sight, row: Mapping[str, Any]) -> Hold:
    statement = statement_of(row.get("statement"))
    if statement.leaf.act != "hold_ordered":
        raise _differs("hold", "What the portal shows as a hold is none.")
    entry = sight.log.record_of(statement, hash_of(row, "leaf_hash"), "the order to hold")
    values = verify(statement, origin=sight.log.checkpoint.origin, keys=sight.log.keys_then(entry))
    if values["hold"] != row.get("id"):
        raise _differs("hold", "The portal shows this hold under another id than was signed.")
    if values["until_ms"] <= sight.now or entry.hash in sight.lifted():
        raise _differs("hold", "This hold no longer stands: it ran out, or it was lifted.")
    return Hold(
        values["hold"],
        entry.hash,
        values["source"],
        values["from_ms"],
        values["to_ms"],
        values["reason"],
        values["until_ms"],
        statement.leaf.role,
    )


def _standing_holds(sight: Sight, told: Mapping[str, Any]) -> list[Hold]:
    holds = []
    for row in rows(told, "holds"):
        with suppress(WatchglassError):  # one that does not verify keeps nothing
            holds.append(_hold(sight, row))
    return holds


def _headers(sight: Sight, answer: Mapping[str, Any]) -> list[Header]:
    headers = []
    for row in rows(answer, "segments"):
        header = read_header(octets(row, "header"))
        if header.segment != row.get("id"):
            raise _differs("segment", f"The portal shows segment {header.segment} under another id.")
        if header.context.origin != sight.log.checkpoint.origin:
            raise _differs("origin", f"Segment {header.segment} is of another deployment.")
        check_record(header, row, sight)
        headers.append(header)
    return headers


def _check_purpose(header: Header, request: Request) -> None:
    if header.context.purpose != request.purpose:
        raise _differs(
            "purpose",
            f"Segment {header.segment} was recorded for “{header.context.purpose}”, and this is asked for "
            f"“{request.purpose}”.",
        )


def _shares(office: Office, answer: Mapping[str, Any], headers: Iterable[Header], name: str) -> list[Shares]:
    """This custodian's shares of each segment: with the month's key, or what was kept for a hold."""
    shares, held = [], None
    keys: dict[str, X25519PrivateKey | None] = {}
    for header in headers:
        if name not in header.wrapped:
            continue  # it was sealed while this custodian had no key of that month
        period = header.context.period
        if period not in keys:
            keys[period] = office.keys.month(period)
        private = keys[period]
        if private is not None:
            shares.append(unwrap_shares(header, name, private))
            continue
        if held is None:
            held = _held_shares(office, answer, {each.segment: each for each in headers}, name)
        if header.segment not in held:
            raise Problem(
                f"The key of {period} is not in this folder, and no hold kept the shares of segment {header.segment}.",
                fix="Use the folder that holds it. If it was destroyed, the other custodians decide without you.",
                period=period,
            )
        shares.append(held[header.segment])
    if not shares:
        raise Problem(
            f"None of these segments holds a share of {name}.", fix="The other custodians decide without you."
        )
    return shares


def _held_shares(
    office: Office, answer: Mapping[str, Any], headers: Mapping[str, Header], name: str
) -> dict[str, Shares]:
    """What this custodian kept for holds of these segments."""
    found: dict[str, Shares] = {}
    mine = {}
    for number in office.keys.holds():
        key = office.keys.hold(number)
        if key is not None:
            mine[key.public_key().public_bytes_raw()] = key
    kept = answer.get("hold_bundles")
    for encoded in kept if isinstance(kept, list) else ():
        bundle = Bundle.parse(unb64(str(encoded)))
        terms = bundle.terms
        private = mine.get(terms.recipient)
        if private is None or terms.custodian != name:
            continue
        wanted = Bundle(terms, tuple(each for each in bundle.segments if each.segment in headers))
        found |= open_bundle(wanted, private, headers, kind=Kind.HOLD, request=terms.request, charter=terms.charter)
    return found


def _own_keys(office: Office, sight: Sight, name: str) -> list[dict[str, Any]]:
    """The months for which this custodian has published a key, or has one here."""
    published = {period: entry for (who, period), entry in sight.published().items() if who == name}
    destroyed = {period for who, period in sight.destroyed() if who == name}
    here = set(office.keys.months())
    this = month_of(sight.now)
    return [
        {
            "period": period,
            "published": period in published,
            "here": period in here,
            "destroyed": period in destroyed,
            "this_month": period == this,
        }
        for period in sorted({*published, *here, this})
    ]


def _publishable(period: str | None, now: int) -> str:
    this, following = month_of(now), month_of(now + _AHEAD_MS)
    if period is None:
        return this
    MONTH.check(period, "month")
    if not this <= period <= following:
        raise BadInput(f"A key for {period} is not published in {this}.", fix="Give this month or the next.")
    return period


def _published_already(name: str, period: str, mine: str | None, theirs: str) -> WatchglassError:
    if mine == theirs:
        return Problem(f"{name} has published the key of {period} already; it is the one here.", fix="Nothing to do.")
    if mine is None:
        return Problem(
            f"{name} has published a key for {period} already, and it is not in this folder.",
            fix="Use the folder that holds it. If it was lost, tell oversight; the others go on until the next month.",
        )
    return DidNotVerify(
        f"The log shows another key of {name} for {period} than the one in this folder.",
        fix="If you did not publish it from another folder, somebody else has your identity key: tell oversight now.",
        field="sealing_keys",
        custodian=name,
    )


def _public(key: X25519PrivateKey) -> str:
    return b64(key.public_key().public_bytes_raw())


def _count(value: object) -> int:
    return value if type(value) is int and value >= 0 else 0


def _wrong(error: WatchglassError) -> dict[str, Any]:
    return {"problem": error.message, "fix": error.fix, "field": error.details.get("field")}


def _differs(name: str, message: str) -> DidNotVerify:
    return DidNotVerify(
        message,
        fix="Approve nothing of it. Refuse it with this reason, keep what you saw, and tell oversight.",
        field=name,
    )


def _pieces(count: int) -> str:
    return "one sealed piece" if count == 1 else f"{count} sealed pieces"
