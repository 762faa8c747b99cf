"""Lies about the records themselves: signatures, times, receipts, the past, what was lodged, published audits."""

from __future__ import annotations

import json
from typing import Any, Final

from dishonest import Lie, Made
from lies_running import LUCKY, forged_alert, running, some_look
from made_cases import open_case, the_piece
from made_keeping import month_end
from made_life import Life
from made_log import root_of
from made_stories import alert, ordered, raise_alert, scope, verdict, withdraw
from made_town import EXPLANATION, Story
from watchglass.access.roles import May, Role
from watchglass.charter.hours import look as within_hours
from watchglass.charter.permit import RaiseAlert
from watchglass.core import canonical
from watchglass.core.digest import b64, sha256
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, hour_of, minute_of, month_of
from watchglass.edge.clock import VirtualClock
from watchglass.ledger import receipt as receipts
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.lodging import Challenge
from watchglass.ledger.lodging import Lodged as LodgedNote
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.note import Note, sign_text
from watchglass.oversight.challenge import commitment
from watchglass.records.act_spec import ALLOWED_BY, Lane
from watchglass.records.outbox import PreparedLeaf
from watchglass.records.recorder import Recorder

SIGNED: Final = "signatures"
TIMES: Final = "times"
INTACT: Final = "intact"
RECEIPTS: Final = "receipts"


# ---- keys ------------------------------------------------------------------------------------------------------------


def stranger(life: Life) -> Story:
    """Somebody whose key oversight never enrolled opens a case."""
    piece, _ = yield from the_piece(life)
    key = SignerKey.generate("nobody.exampleton.example", life.town.entropy)
    life.town.planted.append(open_case(life, key, piece.purpose)[1])


def last_months_key(life: Life) -> Story:
    """A case is opened with a key that was enrolled for the month before."""
    town, month = life.town, month_of(life.plan.begin)
    piece, _ = yield from the_piece(life)
    yield max(1, month_end(month) + 4 * HOUR - town.now)
    key = town.key_of("ines", month=month)
    assert key is not None
    town.planted.append(open_case(life, key, piece.purpose)[1])


def another_role(life: Life) -> Story:
    """The shift lead opens a case as if they were the investigator."""
    piece, _ = yield from the_piece(life)
    key = life.town.key_of("sam")
    assert key is not None
    life.town.planted.append(open_case(life, key, piece.purpose)[1])


def enrolled_by_the_house(life: Life) -> Story:
    """The house enrols a key in oversight's name."""
    yield from running(life)
    town = life.town
    liar = SignerKey.generate(town.keys["oversight-office"].name, town.entropy)
    key = SignerKey.generate("friend.exampleton.example", town.entropy)
    clear = {"enrolled_role": "investigator", "vkey": str(key.verifier), "month": month_of(town.now)}
    town.planted.append(town.signed("key_enrolled", liar, "oversight", clear=clear, committed={"person": "friend"}))


def two_keys(life: Life) -> Story:
    """One person gets a second key for a month, in another name's place."""
    yield from running(life)
    town = life.town
    key = SignerKey.generate("ines-again.exampleton.example", town.entropy)
    clear = {"enrolled_role": "investigator", "vkey": str(key.verifier), "month": month_of(town.now)}
    own = town.keys["oversight-office"]
    town.planted.append(town.signed("key_enrolled", own, "oversight", clear=clear, committed={"person": "ines"}))


def enrolled_twice(life: Life) -> Story:
    """The key of the shift lead is enrolled for the investigator too."""
    yield from running(life)
    town = life.town
    month = month_of(town.now)
    key = town.key_of("sam")
    assert key is not None
    clear = {"enrolled_role": "investigator", "vkey": str(key.verifier), "month": month}
    own = town.keys["oversight-office"]
    town.planted.append(town.signed("key_enrolled", own, "oversight", clear=clear, committed={"person": "other"}))


def enrolled_afterwards(life: Life) -> Story:
    """A key is enrolled for a month that was over long ago."""
    yield from running(life)
    town = life.town
    key = SignerKey.generate("late.exampleton.example", town.entropy)
    clear = {"enrolled_role": "investigator", "vkey": str(key.verifier), "month": month_of(town.now - 40 * DAY)}
    own = town.keys["oversight-office"]
    town.planted.append(town.signed("key_enrolled", own, "oversight", clear=clear, committed={"person": "late"}))


def another_beginning(made: Made) -> None:
    """Whoever audits remembers another first oversight than the log's first charter names."""
    made.oversight = made.town.keys["authority"].verifier
    made.planted = [made.town.log.places[made.town.versions[0].approvals[1]]]


# ---- times -----------------------------------------------------------------------------------------------------------


def at_another_time(life: Life, ms: int, act: str, clear: dict[str, Any], committed: dict[str, Any]) -> bytes:
    """A record that names another hour than now."""
    town = life.town
    recorder = Recorder(
        origin=town.origin,
        clock=VirtualClock(town.now + ms),
        entropy=town.entropy,
        oversight=town.openings[-1].public_key(),
    )
    leaf = recorder.attested(
        act, role="house", charter=town.charter.sha256, clear=clear, committed={**committed, ALLOWED_BY: None}
    )
    return town.log.record(leaf)[0]


def backdated(life: Life) -> Story:
    """A record says that it was made a day before it was."""
    yield from running(life)
    yield DAY
    committed: dict[str, Any] = {"account": "clerk-0", "roles": [], "by": None}
    life.town.planted.append(at_another_time(life, -DAY, "account_changed", {"change": "password"}, committed))


def postdated(life: Life) -> Story:
    """A record says that it is made six hours after it is."""
    yield from running(life)
    committed: dict[str, Any] = {"account": "clerk-0", "roles": [], "by": None}
    life.town.planted.append(at_another_time(life, 6 * HOUR, "account_changed", {"change": "password"}, committed))


# ---- the log ---------------------------------------------------------------------------------------------------------


def rewritten(made: Made) -> None:
    """One entry of the past is another one, and all is signed anew. Somebody remembers the log as it was."""
    made.seen = made.note
    place = next(at for at, entry in enumerate(made.entries) if b'"act":"clip_kept"' in entry)
    made.entries[place] = made.entries[place].replace(b'"act":"clip_kept"', b'"act":"clip_lost"')
    made.publish_again()
    made.planted = []


def cut_off(made: Made) -> None:
    """The last entries are taken away. Somebody remembers that there were more."""
    made.seen = made.note
    del made.entries[-20:]
    made.publish_again()


def forked(made: Made) -> None:
    """Others were shown a log whose last entries differ."""
    entries = [*made.entries[:-3], *(b'{"another":"%d"}' % number for number in range(3))]
    log = made.town.log
    checkpoint = Checkpoint(log.signer.name, len(entries), root_of(entries))
    made.seen = checkpoint.sign([log.signer])


def forked_note(life: Life) -> Story:
    """The log records a witnessed checkpoint that is not of this log's entries."""
    yield from running(life)
    town, log = life.town, life.town.log
    assert log.published is not None
    other = Checkpoint(log.signer.name, log.published.checkpoint.size, sha256(b"another past"))
    lines = [sign_text(other.text, log.signer)]
    lines += [sign_text(other.text, each.key, seconds=town.now // SECOND) for each in log.watchers]
    note = Note(other.text, tuple(lines)).encode().decode()
    town.planted.append(town.attest("checkpoint_witnessed", under=None, clear={"note": note}))


def raw(life: Life, data: bytes) -> bytes:
    """An entry that no recorder would make."""
    leaf = PreparedLeaf(data, leaf_hash(data), "raw", Lane.PROMPT, None, hour_of(life.town.now), None, None)
    return life.town.log.record(leaf)[0]


def copied(life: Life, act: str) -> bytes:
    """The bytes of the last entry of an act."""
    return next(entry for entry in reversed(life.town.log.entries) if b'"act":"%b"' % act.encode() in entry)


def not_canonical(life: Life) -> Story:
    yield from running(life)
    yield HOUR
    value = json.loads(copied(life, "run_started"))
    life.town.planted.append(raw(life, json.dumps(value, indent=1).encode()))


def unknown_act(life: Life) -> Story:
    yield from running(life)
    yield HOUR
    value = {**json.loads(copied(life, "run_started")), "act": "face_matched"}
    life.town.planted.append(raw(life, canonical.encode(value)))


def extra_field(life: Life) -> Story:
    yield from running(life)
    yield HOUR
    value = json.loads(copied(life, "run_started"))
    value["clear"]["watched"] = "somebody"
    life.town.planted.append(raw(life, canonical.encode(value)))


def begun_again(life: Life) -> Story:
    """The log says a second time that it begins."""
    yield from running(life)
    town = life.town
    clear = {"origin": town.origin, "deployment": "production", "software": "watchglass-9.9.9"}
    town.planted.append(town.attest("log_opened", under=None, clear=clear))


def repeated(life: Life) -> Story:
    """One record stands in the log twice: two people got receipts for one and the same."""
    yield from running(life)
    every = life.town.log.pace[0]
    yield HOUR - life.town.now % HOUR + every
    leaf = denied_access(life)
    while leaf not in life.town.log.places:
        yield every
    life.town.planted.append(raw(life, life.town.log.entries[life.town.log.places[leaf]]))


def denied_access(life: Life) -> bytes:
    """A record that enters the log at once, and that nothing else follows from."""
    by = life.town.grant(Role.OVERSIGHT, May.TAKE_OPENINGS)
    return life.town.attest("openings_taken", under=None, by=by, committed={"count": 1})


def to_nothing(life: Life) -> Story:
    """A clip is kept for an alert that the log does not hold."""
    yield from running(life)
    yield from kept_for(life, sha256(b"no alert"))


def to_another_act(life: Life) -> Story:
    """A clip is kept for an alert that is none."""
    yield from running(life)
    yield from kept_for(life, life.town.versions[0].leaf)


def kept_for(life: Life, ref: bytes) -> Story:
    """A clip is kept for something."""
    town = life.town
    committed = {
        "alert": town.number(),
        "ciphertext_sha256": b64(sha256(b"clip")),
        "seconds_ms": 12_000,
        "masked_per_mille": 100,
    }
    purpose = town.charter.purposes[0].name
    leaf = town.attest("clip_kept", under=town.charter, committed=committed, refs=[ref], purpose=purpose)
    town.planted.append(leaf)
    yield 1


# ---- receipts and what was lodged ------------------------------------------------------------------------------------


def left_out(life: Life) -> Story:
    """A receipt is given, and its record never reaches the log."""
    yield from running(life)
    town, log = life.town, life.town.log
    by: dict[str, Any] = {"account": "clerk-0", "roles": [], "by": None, ALLOWED_BY: None}
    leaf = town.recorder.attested(
        "account_changed",
        role="house",
        charter=town.charter.sha256,
        clear={"change": "closed"},
        committed=by,
    )
    made = receipts.issue([leaf.leaf_hash], issued_ms=town.now, merge_by_ms=town.now + log.pace[2], signer=log.signer)
    log.kept += [(made[0], leaf.data)]


def held_back(life: Life) -> Story:
    """A record with a receipt reaches the log only half a day later."""
    yield from running(life)
    town, log = life.town, life.town.log
    leaf = town.recorder.attested(
        "account_changed",
        role="house",
        charter=town.charter.sha256,
        clear={"change": "closed"},
        committed={"account": "clerk-0", "roles": [], "by": None, ALLOWED_BY: None},
    )
    made = receipts.issue([leaf.leaf_hash], issued_ms=town.now, merge_by_ms=town.now + log.pace[2], signer=log.signer)
    log.kept += [(made[0], leaf.data)]
    yield log.pace[2] + 12 * HOUR
    log.record(leaf)
    town.planted.append(leaf.leaf_hash)


def lodged_and_ignored(life: Life) -> Story:
    """Oversight lodges an order with a witness, and the house acts as if there were none."""
    yield from running(life)
    town = life.town
    clear, key = scope(some_look(life)), town.keys["oversight-office"]
    statement = town.sign("suspension_ordered", key, "oversight", clear=clear, committed={"reason": EXPLANATION})
    body = statement.encode()
    witness = town.log.watchers[0].key
    note = LodgedNote.of(town.origin, body, town.now // SECOND).sign(witness)
    town.lodged.append((body, note))


def told_afterwards(life: Life) -> Story:
    """A challenge is told that was lodged only after its incident had been."""
    yield from running(life)
    town = life.town
    begin = town.now
    yield 3 * HOUR
    tell_challenge(life, begin, lodged_ms=town.now)
    yield HOUR


def another_challenge(life: Life) -> Story:
    """What is told of a challenge is not what was lodged."""
    yield from running(life)
    town = life.town
    lodged_ms = town.now
    yield 3 * HOUR
    tell_challenge(life, town.now - HOUR, lodged_ms=lodged_ms, other=True)


def tell_challenge(life: Life, begin: int, *, lodged_ms: int, other: bool = False, plant: bool = True) -> None:
    """Oversight tells of a challenge that was lodged at a time."""
    town = life.town
    told: dict[str, Any] = {
        "source": "corner-0",
        "kind": "intrusion",
        "from_ms": begin,
        "to_ms": begin + MINUTE,
        "salt": town.number(),
    }
    digest = commitment(town.origin, told)
    if other:
        told["from_ms"] -= HOUR
    key = town.keys["oversight-office"]
    body = Challenge(town.origin, digest).sign(key)
    note = LodgedNote.of(town.origin, body, lodged_ms // SECOND).sign(town.log.watchers[0].key)
    leaf = town.signed(
        "challenge_told",
        key,
        "oversight",
        clear={"challenge": b64(digest), "lodged": note.decode(), "result": "missed"},
        committed={**told, "alert_leaf": None, "note": EXPLANATION},
    )
    if plant:
        town.planted.append(leaf)


def audit_of_another_root(life: Life) -> Story:
    """Oversight publishes an audit of a log that this is not."""
    yield from running(life)
    yield HOUR
    publish_audit(life, root=sha256(b"another log"))


def audit_that_saw_nothing(life: Life) -> Story:
    """An audit is published that found nothing, though an alert had waited for a day."""
    yield from running(life)
    known = set(life.town.alerts)
    yield from alert(life, some_look(life), decided=False)
    new = [made for number, made in life.town.alerts.items() if number not in known]
    yield DAY
    publish_audit(life)
    for made in new:
        life.town.leaves_too.append(made.leaf)


def publish_audit(life: Life, **otherwise: Any) -> None:
    """Oversight publishes that everything is kept."""
    town = life.town
    assert town.log.published is not None
    head = town.log.published.checkpoint
    clear = {
        "size": head.size,
        "root": b64(otherwise.get("root", head.root)),
        "depth": "structure",
        "found": {"intact": "kept", "alerts": "kept", "signatures": "kept"},
        "breaches": 0,
        "report_sha256": b64(sha256(b"report")),
    }
    town.planted.append(town.signed("audit_published", town.keys["oversight-office"], "oversight", clear=clear))


# ---- minutes ---------------------------------------------------------------------------------------------------------


def minutes_late(life: Life) -> Story:
    """An alert is decided half an hour late, within one hour."""
    yield from running(life)
    town = life.town
    yield HOUR - town.now % HOUR + 2 * MINUTE
    known = set(town.alerts)
    yield from alert(life, some_look(life), decided=False)
    new = [made for number, made in town.alerts.items() if number not in known]
    yield 40 * MINUTE
    town.planted += [verdict(life, made) for made in new]


def minutes_late_again(life: Life) -> Story:
    """A verdict in time is taken back, and the next one comes half an hour late, within one hour."""
    yield from running(life)
    town = life.town
    yield HOUR - town.now % HOUR + 2 * MINUTE
    known = set(town.alerts)
    yield from alert(life, some_look(life), decided=False)
    new = [made for number, made in town.alerts.items() if number not in known]
    yield MINUTE
    for made in new:
        verdict(life, made)
        yield 5 * SECOND
        withdraw(life, made)
    yield 40 * MINUTE
    town.planted += [verdict(life, made) for made in new]


def settled_twice(life: Life) -> Story:
    """Oversight says of a signal what it was, and later says something else."""
    yield from running(life)
    town = life.town
    number = b64(sha256(town.entropy.bytes(8)))
    committed = {"signal": number, "kind": "unexplained", "sentence": EXPLANATION}
    town.attest("misuse_signalled", under=town.charter, committed=committed)
    for finding in ("misuse", "explained"):
        yield HOUR
        settled = {"signal": number, "finding": finding, "note": ""}
        leaf = town.signed("misuse_settled", town.keys["oversight-office"], "oversight", committed=settled)
    town.planted.append(leaf)


def minutes_after_the_order(life: Life) -> Story:
    """An analytic raises an alert half an hour after it was ordered to stop, within one hour."""
    yield from running(life)
    town = life.town
    yield HOUR - town.now % HOUR + 5 * MINUTE
    yield from ordered(life, some_look(life))
    yield 40 * MINUTE
    yield from forged_alert(life, some_look(life))


def minutes_outside(life: Life) -> Story:
    """An analytic until half past four raises an alert at ten to five."""
    yield from running(life)
    town = life.town
    name = some_look(life)
    analytic = town.charter.analytic(name)
    yield MINUTE - town.now % MINUTE

    def within(at: int) -> bool:
        return within_hours(analytic.hours, analytic.days, town.charter.timezone, at).within

    while within(town.now) or not within(town.now - 20 * MINUTE) or within(town.now - 19 * MINUTE):
        yield MINUTE
    yield from forged_alert(life, name)


def retention_lies(life: Life) -> Story:
    """Retention says that it destroyed everything up to a time at which that was not due."""
    yield from running(life)
    town = life.town
    committed = {"count": 3, "before": minute_of(town.now - MINUTE)}
    clear = {"what": "clips"}
    town.planted.append(town.attest("retention_applied", under=town.charter, clear=clear, committed=committed))


def nobody_allowed(life: Life) -> Story:
    """Somebody decides, and the record does not say which rule let them."""
    yield from running(life)
    town = life.town
    permit = town.permit(RaiseAlert(some_look(life), town.now))
    assert permit is not None
    made = raise_alert(life, some_look(life), permit, town.now)
    yield MINUTE
    leaf = town.recorder.attested(
        "alert_decided",
        role="reviewer",
        actor=town.pseudonym(1),
        charter=town.charter.sha256,
        purpose=made.purpose,
        committed={
            "alert": made.id,
            "verdict": "reject",
            "reason": "seen",
            "handed_to": None,
            "read": 1,
            "draw": LUCKY,
            "account": "reviewer-0",
            ALLOWED_BY: None,
        },
        refs=[made.leaf],
    )
    made.verdict = town.log.record(leaf)[0]
    town.planted.append(made.verdict)


def sealed_away(made: Made) -> None:
    """The opening of a record is not handed over, though nothing had destroyed it."""
    log = made.town.log
    place = next(at for at, entry in enumerate(made.entries) if b'"act":"account_changed"' in entry)
    log.sealed.pop(log.hashes[place])
    made.planted = [place]


def opens_otherwise(made: Made) -> None:
    """What is handed over as an opening is another record's."""
    log = made.town.log
    places = [at for at, entry in enumerate(made.entries) if b'"act":"account_changed"' in entry]
    first, second = log.hashes[places[0]], log.hashes[places[1]]
    log.sealed[first] = log.sealed[second]
    made.planted = [places[0]]


RECORDS: Final = (
    Lie("stranger", "Somebody opens a case whose key oversight never enrolled.", (SIGNED,), stranger),
    Lie(
        "last-months-key",
        "A case is opened with the key of the month before.",
        (SIGNED,),
        last_months_key,
        changes={"begin": 1_795_435_200_000 + 6 * DAY},
    ),
    Lie("another-role", "The shift lead opens a case in the investigator's role.", (SIGNED,), another_role),
    Lie("enrolled-by-the-house", "The house enrols a key in oversight's name.", (SIGNED,), enrolled_by_the_house),
    Lie("enrolled-twice", "One key is enrolled for two roles.", ("enrolments",), enrolled_twice),
    Lie("enrolled-afterwards", "A key is enrolled for a month that is over.", ("enrolments",), enrolled_afterwards),
    Lie(
        "another-beginning",
        "The first charter names another oversight than the one that is remembered.",
        ("charters",),
        after=another_beginning,
    ),
    Lie("backdated", "A record says that it was made a day earlier.", (TIMES,), backdated),
    Lie("postdated", "A record says that it was made six hours later.", (TIMES,), postdated),
    Lie("rewritten-past", "An entry of the past is changed, and all is signed anew.", (INTACT,), after=rewritten),
    Lie("cut-off", "The last entries are taken away, and what is left is signed anew.", (INTACT,), after=cut_off),
    Lie("fork", "Others were shown another log of the same size.", (INTACT,), after=forked),
    Lie("fork-noted", "The log records a cosigned checkpoint of other entries.", (INTACT,), forked_note),
    Lie(
        "not-canonical",
        "An entry has another form than the one that its bytes can have.",
        ("well-formed",),
        not_canonical,
    ),
    Lie("unknown-act", "An entry is of an act that is not in the vocabulary.", ("well-formed",), unknown_act),
    Lie("extra-field", "An entry says more than its act may.", ("well-formed",), extra_field),
    Lie("begun-again", "The log says a second time that it begins.", ("well-formed",), begun_again),
    Lie("repeated", "One record stands in the log twice.", ("once",), repeated),
    Lie("refers-to-nothing", "A record refers to one that is not there.", ("refs",), to_nothing),
    Lie("refers-to-another", "A record refers to one of another act.", ("refs",), to_another_act),
    Lie("receipt-not-honoured", "A record with a receipt never reaches the log.", (RECEIPTS,), left_out),
    Lie("held-back", "A record with a receipt enters the log half a day late.", (RECEIPTS, TIMES), held_back),
    Lie("lodged-ignored", "An order that oversight lodged with a witness is ignored.", ("lodged",), lodged_and_ignored),
    Lie(
        "challenge-afterwards",
        "A challenge is told that was lodged only when its incident was over.",
        ("challenges",),
        told_afterwards,
        depth="openings",
    ),
    Lie("audit-of-another", "A published audit is of another log.", ("audits",), audit_of_another_root),
    Lie(
        "audit-saw-nothing",
        "A published audit says that nothing was broken, though something was.",
        ("audits", "alerts"),
        audit_that_saw_nothing,
    ),
    Lie("two-keys", "One person has two keys in a month.", ("one-key",), two_keys, depth="openings"),
    Lie(
        "decided-minutes-late",
        "An alert is decided half an hour late, in its own hour.",
        ("minutes",),
        minutes_late,
        depth="openings",
    ),
    Lie(
        "decided-again-late",
        "A verdict in time is taken back, and the next one comes half an hour late, in the same hour.",
        ("minutes",),
        minutes_late_again,
        depth="openings",
    ),
    Lie("settled-twice", "Oversight settles a signal twice.", ("misuse-settled",), settled_twice, depth="openings"),
    Lie(
        "ran-minutes-after",
        "An analytic raises an alert half an hour after it was ordered to stop, in the same hour.",
        ("minutes",),
        minutes_after_the_order,
        depth="openings",
    ),
    Lie(
        "minutes-outside-hours",
        "An analytic raises an alert twenty minutes after its hours.",
        ("minutes",),
        minutes_outside,
        depth="openings",
        changes={"hours": "08:00-16:10", "zone": "UTC"},
        at=0.05,
    ),
    Lie(
        "retention-lies",
        "Retention says that it destroyed clips that were not due.",
        ("retention-told",),
        retention_lies,
        depth="openings",
    ),
    Lie(
        "nobody-allowed",
        "A verdict's record does not say which rule allowed it.",
        ("accounts",),
        nobody_allowed,
        depth="openings",
    ),
    Lie("opening-withheld", "An opening is not handed over.", ("opened",), after=sealed_away, depth="openings"),
    Lie(
        "opening-of-another",
        "The opening of a record is another's.",
        ("opened",),
        after=opens_otherwise,
        depth="openings",
    ),
    Lie(
        "challenge-changed",
        "What is told of a challenge is not what was lodged.",
        ("challenges",),
        another_challenge,
        depth="openings",
    ),
)
