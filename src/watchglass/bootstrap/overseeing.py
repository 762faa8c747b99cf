"""What oversight does on its own machine: stop and let run, enrol, judge signals; and the register of what was signed.

What stops something needs no proof: an order to stop is signed under the charter that the portal names, also where the
log is not accepted. What lets something run again, or lets a key speak, rests on the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from watchglass.access.misuse import Finding, Kind, Signal
from watchglass.bootstrap import orders
from watchglass.bootstrap.holding import offices
from watchglass.bootstrap.keyring import SIGNED
from watchglass.bootstrap.office import Office, Sight
from watchglass.bootstrap.orders import Order
from watchglass.bootstrap.rostering import Listed, check_person
from watchglass.bootstrap.witnessed import Entry
from watchglass.charter.words import sentence
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.core.time import DAY, month_of
from watchglass.ledger.keys import VerifierKey
from watchglass.records.statement import SignedStatement, verify_leaf
from watchglass.records.vocabulary import ACTS

FINDINGS: Final[Mapping[str, str]] = {
    Finding.EXPLAINED: "there was a good cause that no record told",
    Finding.MISTAKE: "a mistake, without intent",
    Finding.MISUSE: "misuse",
    Finding.UNCLEAR: "it could not be found out",
}
_OF_LIMITS: Final = frozenset({"resumption_proposed", "analytic_resumed"})
_HASH: Final = 32
_LAST_DAYS: Final = 7 * DAY
_SEEKERS: Final = frozenset({"investigator", "shift-lead"})
_WRONG: Final = "Do nothing with it; keep what you saw, and look why the portal shows it."


def hand(office: Office, order: Order, *, role: str = "oversight") -> dict[str, Any]:
    """Sign an order with the identity key, hand it in, and keep what was signed in the folder of keys.

    Raises:
        Refused: the charter in force pins this key for somebody else than ``role``.
        DidNotVerify: the log is not accepted (but for an order to stop), or the receipt is not the log's.
    """
    if order.act == "suspension_ordered":
        charter = office.portal.standing().get("charter")
        if charter is None:
            raise Problem("This deployment has no charter yet.", fix="There is nothing to suspend.")
        under = unb64(str(charter["sha256"]), length=_HASH)
    else:
        sight = office.look()
        _check_office(office, sight, role)
        _check_refs(sight, order)
        under = sight.charter.sha256
    statement = office.sign(order.act, role, under=under, clear=order.clear, committed=order.committed, refs=order.refs)
    return office.hand_in_kept(f"{SIGNED}{office.number()}", statement)


# ---- what runs -------------------------------------------------------------------------------------------------------


def running(office: Office) -> dict[str, Any]:
    """What runs, and what oversight stopped.

    Returns:
        ``analytics`` (name, words as the log shows the charter, runs, reasons), ``orders`` that stand, ``past`` ones,
        ``people_do``, and ``problem``: why the log is not accepted, or None.
    """
    told = office.portal.standing()
    try:
        charter, problem = office.look().charter, None
    except WatchglassError as error:
        charter, problem = None, {"message": error.message, "fix": error.fix}
    now = {str(each["name"]): each for each in told.get("analytics") or ()}
    names = [each.name for each in charter.analytics] if charter else (told.get("charter") or {}).get("analytics", [])
    return {
        "analytics": [
            {
                "name": name,
                "words": sentence(charter, charter.analytic(name)) if charter else "",
                "runs": now.get(name, {}).get("runs"),
                "reasons": now.get(name, {}).get("reasons", []),
            }
            for name in names
        ],
        "orders": _standing_orders(told),
        "past": [each for each in told.get("suspensions") or () if each["resumed"]][-5:],
        "people_do": charter.safeguards.on_suspension.people_do
        if charter and charter.safeguards.on_suspension
        else None,
        "problem": problem,
    }


def stopped(office: Office) -> list[str]:
    """What oversight stopped and has not let run again: names of analytics, or ``everything``."""
    return [str(each["analytic"] or "everything") for each in _standing_orders(office.portal.standing())]


def _standing_orders(told: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in told.get("suspensions") or () if not each["resumed"]]


def suspension(office: Office, analytic: str | None, reason: str) -> Order:
    """An order to stop, for something that there is.

    Raises:
        BadInput: there is no such analytic.
    """
    names = (office.portal.standing().get("charter") or {}).get("analytics", [])
    if analytic is not None and analytic not in names:
        raise BadInput("There is no analytic of that name.", fix=f"Choose one of these: {', '.join(names)}.")
    return orders.suspension(analytic, reason)


def resumption(office: Office, leaf: str, reason: str, what_changed: str) -> Order:
    """The lifting of the order with that leaf hash.

    Raises:
        Problem: no such order stands.
    """
    stand = [each for each in office.portal.standing().get("suspensions") or () if each["leaf_hash"] == leaf]
    analytic = stand[0]["analytic"] if stand else None
    return orders.resumption(stand, analytic, reason, what_changed)


def _check_refs(sight: Sight, order: Order) -> None:
    """A lifting must be of an order in the log, with that scope: the portal's list is not believed for it."""
    if order.act in _OF_LIMITS:
        _check_stop(sight, order)
        return
    for ref in order.refs:
        entry = sight.log.find(ref, "the order that this lifts")
        if entry.leaf.act != "suspension_ordered" or dict(entry.leaf.clear) != dict(order.clear):
            raise DidNotVerify(
                "The portal shows another order under this number than the log holds.", fix=_WRONG, index=entry.index
            )


def _check_stop(sight: Sight, order: Order) -> None:
    """A resumption must be of a stop in the log, and of a proposal for that stop: the portal is not believed for it."""
    stop = sight.log.find(order.refs[0], "the record of the stop")
    name = order.clear["analytic"]
    right = stop.leaf.act == "analytic_judged" and stop.leaf.clear["state"] == "suspended"
    right = right and stop.leaf.clear["analytic"] == name
    for ref in order.refs[1:]:
        entry = sight.log.find(ref, "the proposal")
        right = right and entry.leaf.act == "resumption_proposed" and entry.leaf.refs[0] == stop.hash
    if not right:
        raise DidNotVerify(
            "The portal shows another stop or proposal under this number than the log holds.",
            fix=_WRONG,
            index=stop.index,
        )


def limits(office: Office) -> dict[str, Any]:
    """How each analytic with published limits stands, as the portal tells it, and what I may sign.

    Returns:
        ``quality`` as the standing has it, ``signs_as``, and ``problem``: why the log is not accepted, or None.
    """
    told = office.portal.standing()
    try:
        signs_as, problem = offices(office, office.look())["signs_as"], None
    except WatchglassError as error:
        signs_as, problem = [], {"message": error.message, "fix": error.fix}
    return {"quality": list(told.get("quality") or ()), "signs_as": signs_as, "problem": problem}


# ---- who may sign ----------------------------------------------------------------------------------------------------


def people(office: Office, sight: Sight, roster: Sequence[Listed]) -> dict[str, Any]:
    """Who is enrolled, as the log shows it, and who of oversight's list waits.

    Returns:
        ``months`` (this one and the next), ``roles`` that sign something, ``enrolled`` and ``waiting``. A person waits
        for this month; in its last seven days for the next one too.
    """
    _check_oversight(office, sight)
    this, after = months(sight.now)
    told = office.ask("office").get("enrolled") or ()
    enrolled = [_enrolled(sight, each) for each in told if each.get("month") in {this, after}]
    soon = month_of(sight.now + _LAST_DAYS) != this
    known = {(each["person"], each["month"]) for each in enrolled}
    used = {str(entry.leaf.clear["vkey"]) for entry in sight.log.of("key_enrolled")}
    waiting = [
        {
            "person": each.person,
            "role": each.role,
            "month": month,
            "vkey": "" if each.vkey in used else each.vkey,
        }
        for month in ((this, after) if soon else (this,))
        for each in roster
        if (each.person, month) not in known
    ]
    glass = sight.charter.safeguards.release and sight.charter.safeguards.release.break_glass
    roles = _SEEKERS | set(glass.by if glass else ()) | {each.role for each in roster}
    return {"months": [this, after], "roles": sorted(roles), "enrolled": enrolled, "waiting": waiting}


def months(now: int) -> tuple[str, str]:
    """This month and the next one."""
    this, at = month_of(now), now
    while month_of(at) == this:
        at += DAY
    return this, month_of(at)


def enrolment(sight: Sight, *, person: str, role: str, month: str, vkey: str) -> Order:
    """An enrolment that could be accepted.

    Raises:
        BadInput: name, role, month or key cannot be used. Problem: the key was enrolled before.
    """
    check_person(person, role, vkey)
    if not vkey:
        raise BadInput("It does not say which key.", fix="Ask the person for the line that their keygen printed.")
    if month not in months(sight.now):
        raise BadInput(f"“{month[:20]}” cannot be enrolled now.", fix="Choose this month or the next one.")
    for entry in sight.log.of("key_enrolled"):
        if entry.leaf.clear["vkey"] == vkey:
            raise Problem(
                f"This key was enrolled for {entry.leaf.clear['month']} already; a key serves one month.",
                fix="Ask the person for a new one: `watchglass case keygen`.",
            )
    return orders.enrolment(person=person, role=role, month=month, vkey=vkey)


def _enrolled(sight: Sight, told: Mapping[str, Any]) -> dict[str, Any]:
    """What the portal says of an enrolment; ``index`` is the record that oversight signed, or None while it waits."""
    row = {name: str(told.get(name)) for name in ("person", "role", "month", "vkey")}
    try:
        entry = sight.log.enrolment(VerifierKey.parse(row["vkey"]), role=row["role"], month=row["month"])
    except DidNotVerify:
        return {**row, "index": None}
    return {**row, "index": entry.index}


# ---- misuse, emergencies ---------------------------------------------------------------------------------------------


def watch(office: Office, sight: Sight) -> dict[str, Any]:
    """Signals of misuse with their evidence, and uses of the emergency rule; what waits for somebody comes first.

    The words are the house's. Each signal's number is the hash of what it says of whom and why, and is reckoned again
    here; each piece of evidence has the entry that the log holds it as, or None where it is no record or not there yet.
    """
    _check_oversight(office, sight)
    told = office.ask("office")
    signals = [_signal(sight, each) for each in told.get("signals") or ()]
    emergencies = [
        {**each, "late": bool(each["overdue"]), "waits": each["followed_ms"] is None}
        for each in told.get("emergencies") or ()
    ]
    return {
        "signals": sorted(signals, key=lambda each: each["finding"] is not None),
        "emergencies": sorted(emergencies, key=lambda each: not each["waits"]),
        "judged_until_ms": told.get("judged_until_ms"),
        "cannot_judge": told.get("cannot_judge") or [],
    }


def settlement(told: Mapping[str, Any], number: str, finding: str, note: str) -> Order:
    """What is made of one of the signals that ``watch`` told.

    Raises:
        Problem: there is no such signal, or it was settled. BadInput: there is no such finding.
    """
    for each in told["signals"]:
        if each["id"] == number and each["finding"] is None:
            break
    else:
        raise Problem("No such signal waits.", fix="Go back to the signals; it may have been settled meanwhile.")
    if finding not in FINDINGS:
        raise BadInput("It does not say what it was.", fix=f"Choose one of these: {', '.join(FINDINGS)}.")
    return orders.settlement(signal=number, finding=finding, note=note)


def _signal(sight: Sight, told: Mapping[str, Any]) -> dict[str, Any]:
    try:
        signal = Signal(
            Kind(told["kind"]),
            str(told["person"]),
            str(told["sentence"]),
            tuple(told["evidence"]),
            int(told["at_ms"]),
            told["other"],
        )
    except (KeyError, TypeError, ValueError, BadInput) as error:
        raise DidNotVerify("The portal shows something as a signal that is none.", fix=_WRONG) from error
    if signal.id != told.get("id"):
        raise DidNotVerify(
            f"The portal shows the signal {told.get('id')}, and what it says makes {signal.id}.", fix=_WRONG
        )
    evidence = [{"leaf": each, "index": _index(sight, each)} for each in signal.evidence]
    return {**told, "evidence": evidence}


def _index(sight: Sight, leaf: str) -> int | None:
    try:
        return sight.log.index_of(unb64(leaf, length=_HASH))
    except BadInput:
        return None  # evidence that is no record, such as a month without a review


# ---- the register ----------------------------------------------------------------------------------------------------


def register(office: Office, sight: Sight) -> list[dict[str, Any]]:
    """What was signed with the identity key, the newest first: from the log, and what still waits for it.

    ``sealed`` holds what everybody else reads as commitments only; it is known where it was signed from this folder.
    """
    mine, kept = office.keys.identity().verifier, dict(_kept(office))
    found = []
    for entry in sight.log.governing:
        signature = entry.leaf.signature
        if signature is not None and signature.key.public == mine.public:
            with suppress(DidNotVerify):
                verify_leaf(entry.leaf, origin=office.origin, keys={entry.leaf.role: [signature.key]})
                found.append(_told(entry, kept.pop(signature.sig, None)))
    waits = [_told(None, each) for each in kept.values()]
    return [*reversed(waits), *reversed(found)]


def _kept(office: Office) -> Iterator[tuple[bytes, SignedStatement]]:
    for name in office.keys.signed():
        data = office.keys.kept(name)
        with suppress(BadInput):
            statement = SignedStatement.parse(data or b"")
            yield statement.signature.sig, statement


def _told(entry: Entry | None, statement: SignedStatement | None) -> dict[str, Any]:
    leaf = entry.leaf if entry is not None else statement.leaf if statement is not None else None
    assert leaf is not None  # one of the two is there
    sealed = statement.values if statement is not None else {}
    return {
        "act": leaf.act,
        "meaning": ACTS[leaf.act].meaning,
        "hour": leaf.hour,
        "index": None if entry is None else entry.index,
        "leaf_hash": None if entry is None else b64(entry.hash),
        "clear": {name: value for name, value in leaf.clear.items() if name != "seen"},
        "sealed": {name: value for name, value in sealed.items() if name != "minute"},
    }


def _check_oversight(office: Office, sight: Sight) -> None:
    _check_office(office, sight, "oversight")


def _check_office(office: Office, sight: Sight, role: str) -> None:
    if role not in offices(office, sight)["signs_as"]:
        whose = "the authority" if role == "authority" else role
        raise Refused(
            f"The charter in force does not pin your key for {whose}.",
            fix=f"Only whoever keeps {whose}'s key sees and signs this.",
        )
