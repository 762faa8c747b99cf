"""What people and the house do in a life, one story each: charters, alerts, orders to stop, and asides.

Each is as the product lets it happen. Where the product would refuse, the story ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from made_archives import archives
from made_cases import case, emergency, hold
from made_charter import Look
from made_conditions import asked_anew, seeing_badly, seen
from made_drills import drilling
from made_keeping import months, retention
from made_life import MILD, Life, first_rules, local_day
from made_limits import judging
from made_reads import closing, judged_again
from made_recalibrated import recalibrating
from made_reports import reporting
from made_samples import sampling
from made_town import EXPLANATION, SOFTWARE, MadeAlert, Order, Search, Story, Town, soon
from made_years import state_of
from watchglass.access.roles import May, Role
from watchglass.charter.decide import in_force
from watchglass.charter.permit import (
    ConfirmBackdrop,
    Decide,
    HandOver,
    KeepClip,
    RaiseAlert,
    RunAnalytic,
    SealSegment,
    ShowReviewerView,
)
from watchglass.core.digest import b64, sha256
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, moment, month_of
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.lodging import Challenge, Lodged
from watchglass.oversight.carried import FORM
from watchglass.oversight.challenge import commitment
from watchglass.oversight.promises.every import PENDING, every
from watchglass.review.reads import WHOLE, Draw, chance

PIECE = 10 * SECOND
RIGHT_OFTEN = (*["confirm"] * 9, "reject", "unsure")
_NOTED = b'{"act":"checkpoint_witnessed"'


def live(life: Life) -> Town:
    """An honest life, from the first entry to the last."""
    begin(life)
    fill(life)
    life.play()
    return life.settle()


def begin(life: Life) -> None:
    """The log is opened, the first charter published, and once it is in force the house starts."""
    town, plan = life.town, life.plan
    clear = {"origin": town.origin, "deployment": plan.kind, "software": SOFTWARE}
    town.attest("log_opened", under=None, clear=clear)
    town.publish(first_rules(plan, town, life.dice), town.openings[0])
    town.open_accounts()
    life.tell(town.now, life.house())
    life.tell(town.now, months(life))
    life.tell(town.now, retention(life))
    life.tell(town.now, incidents(life))
    if plan.reads:
        life.tell(town.now, closing(life))
    if plan.samples:
        life.tell(town.now, sampling(life))
    if plan.reports:
        life.tell(town.now, reporting(life))
    if plan.precision is not None:
        life.tell(town.now, judging(life))
    life.tell(town.now, recalibrating(life))
    life.tell(town.now, seeing_badly(life))
    if plan.drills:
        life.tell(town.now, drilling(life))


def fill(life: Life) -> None:
    """Draw what happens, and when."""
    plan, dice, start = life.plan, life.dice, life.plan.begin + 15 * MINUTE

    def some() -> int:
        return start + dice.randrange(max(1, life.end - start - HOUR))

    for place in range(plan.charters):
        at = start + round((life.end - start) * (place + 0.1 + 0.2 * dice.random()) / plan.charters)
        life.tell(at, change_of_charter(life, last=place == plan.charters - 1))
    kinds: list[tuple[int, Callable[[Life], Story]]] = [(plan.suspensions, suspension), (plan.stops, stop_and_start)]
    if plan.sealing:
        kinds += [(plan.cases, case), (plan.emergencies, emergency), (plan.holds, hold)]
    for count, kind in kinds:
        for _ in range(count):
            life.tell(some(), kind(life))
    if plan.year:
        life.tell(some(), year(life, audited=plan.audits and dice.random() < 1 / 2))
    asides = [draft, account, backdrop, openings_taken, signal, challenge]
    for aside in [*asides, published_audit] if plan.audits else asides:
        if dice.random() < plan.asides * 2 / 3:
            life.tell(some(), aside(life))


# ---- charters --------------------------------------------------------------------------------------------------------


def change_of_charter(life: Life, *, last: bool) -> Story:
    """Another charter: other hours, times or custodians' rule; sometimes another oversight with keys of its own."""
    town, dice, plan = life.town, life.dice, life.plan
    while town.versions[-1].charter.sha256 != town.charter.sha256:
        yield HOUR  # the one before is not in force yet
    before = town.versions[-1].rules
    today, zone = local_day(town.now, before.timezone), before.timezone
    since = today + timedelta(days=dice.choice((0, 1)))
    if plan.gap and before.until < local_day(life.end, zone):
        since = before.until + timedelta(days=2)
    looks = tuple(
        replace(look, hours=dice.choice((look.hours, None))) if look.kind != "camera_fault" else look
        for look in before.looks
    )
    if dice.random() < 1 / 2:
        looks = (*looks, Look(f"new-{before.version}", "intrusion", before.sources[0], "safety"))
    rules = replace(
        before,
        version=before.version + dice.choice((1, 1, 5)),
        since=since,
        until=local_day(life.end, zone) + timedelta(days=90),
        looks=looks,
        review_ms=dice.choice((before.review_ms, 5 * MINUTE)),
        models=dice.choice((before.models, (*before.models, f"street-{before.version + 1}"))),
        conditions=asked_anew(life),
    )
    if rules.sealed is not None and dice.random() < 1 / 2:
        keep = dice.choice((DAY, 3 * DAY))
        rules = replace(rules, sealed=replace(rules.sealed, keep_ms=keep, valid_ms=DAY))
    openings, key = town.openings[-1], None
    if plan.new_oversight and last:
        openings = X25519PrivateKey.from_private_bytes(town.entropy.bytes(32))
        key = SignerKey.generate(f"new-oversight-{rules.version}.exampleton.example", town.entropy)
        public = b64(openings.public_key().public_bytes_raw())
        rules = replace(rules, oversight=str(key.verifier), openings=public)
    version = town.publish(rules, openings)
    while town.charter.sha256 != version.charter.sha256:
        yield max(5 * SECOND, in_force(version.charter)[0] - town.now)
    if key is not None:
        town.keys["oversight-office"] = key


# ---- alerts ----------------------------------------------------------------------------------------------------------


def incidents(life: Life) -> Story:
    """Now and then an analytic that runs notices something."""
    town, dice = life.town, life.dice
    while True:
        looks = len(life.under.analytics) if life.under is not None else 1
        yield max(SECOND, round(dice.expovariate(looks * life.plan.alerts_a_day / DAY)))
        if life.under is None or town.charter.sha256 != life.under.sha256:
            continue
        able = [each for each in life.under.analytics if town.permit(RunAnalytic(each.source, each.name)) is not None]
        if able:
            life.tell(town.now, alert(life, dice.choice(able).name))


def alert(life: Life, name: str, *, decided: bool = True) -> Story:
    """An incident, its clip, its original, a verdict in time, and what follows from that."""
    town, dice = life.town, life.dice
    run, captured = town.run, town.now
    yield dice.randrange(50, 1_500)
    if run is None or town.run != run:
        return
    permit = town.permit(RaiseAlert(name, captured))
    if permit is None:  # ordered to stop meanwhile: the recorder counted it, and the house keeps nothing of it
        life.raised[town.charter.analytic(name).source].append(captured)
        return
    made = raise_alert(life, name, permit, captured)
    life.tell(town.now + dice.randrange(SECOND, 5 * SECOND), clip(life, made))
    if town.charter.records(made.source):
        life.tell(town.now + PIECE, seal(life, made, captured))
    if decided:
        yield dice.randrange(SECOND, life.town.charter.safeguards.review.within_ms * 9 // 10)
        verdict(life, made)
        if dice.random() < 0.1 and town.now + 8 * SECOND < made.due_ms:
            yield dice.randrange(SECOND, 9 * SECOND)
            withdraw(life, made)
            yield dice.randrange(SECOND, max(2 * SECOND, made.due_ms - town.now - SECOND))
            verdict(life, made)
        if made.verdict is not None and town.charter.safeguards.review.second_read is not None:
            life.tell(town.now + 11 * SECOND, judged_again(life, made, clip, verdict))
        if made.verdict is not None and dice.random() < 0.4 and not life.judge.holds_back(name):
            yield from response(life, made)


def raise_alert(life: Life, name: str, under: Any, captured: int, **otherwise: Any) -> MadeAlert:
    """Record an alert, as the act does. A liar gives some of it ``otherwise``."""
    town = life.town
    analytic = town.charter.analytic(name)
    number = town.number()
    more = {"clear": {"analytic": name, "kind": analytic.kind}, **otherwise}
    score, by_clips = life.dice.randrange(300, 1001), life.dice.choice((None, life.dice.randrange(1001)))
    said, named = life.recalibrations.say(name, score, by_clips)
    leaf = town.attest(
        "alert_raised",
        under=under,
        committed={
            "alert": number,
            "source": analytic.source,
            "zone": analytic.zone,
            "score": score,
            "probability": said,
            "why": "1 person for 2.1 s",
            "again": None,
            "calibration": named,
            "conditions": seen(life, analytic.source),
        },
        **more,
    )
    due = town.now + town.charter.safeguards.review.within_ms
    purpose, charter = analytic.purpose, town.charter.sha256
    made = MadeAlert(number, leaf, name, analytic.source, purpose, charter, town.now, due, leaves=[leaf])
    town.alerts[number] = made
    life.raised[made.source].append(captured)
    life.judge.raised(made)
    life.recalibrations.raised(made, score, said, named)
    return made


def clip(life: Life, made: MadeAlert) -> Story:
    """The mosaicked clip of an alert is kept; sometimes somebody looks at it."""
    town, dice = life.town, life.dice
    yield 1
    permit = town.permit(KeepClip(made.look))
    if permit is None:
        return
    town.attest(
        "clip_kept",
        under=permit,
        committed={
            "alert": made.id,
            "ciphertext_sha256": b64(sha256(town.entropy.bytes(8))),
            "seconds_ms": 12_000,
            "masked_per_mille": dice.randrange(1001),
        },
        refs=[made.leaf],
    )
    made.clip_ms = town.now
    if dice.random() < 1 / 2:
        yield soon(town, MINUTE)
        looked = town.permit(ShowReviewerView(made.source, made.purpose), town.standing_of(made.charter))
        by = town.grant(Role.REVIEWER, May.SEE_CLIP)
        committed = {"alert": made.id}
        town.attest("clip_viewed", under=looked, by=by, committed=committed, refs=[made.leaf])


def seal(life: Life, made: MadeAlert, captured: int) -> Story:
    """The original around an alert, a piece at a time."""
    town = life.town
    for place in range(life.dice.randint(1, 4)):
        yield PIECE
        sealed_ms = town.now
        yield life.dice.randrange(50, 1_500)
        permit = town.permit(SealSegment(made.source, made.look))
        from_ms = captured + (place - 1) * PIECE
        if permit is None or not ready(town, month_of(from_ms)):
            return
        piece = town.seal(permit, made, from_ms, from_ms + PIECE)
        life.sealed[made.source].append((sealed_ms, piece.ciphertext))


def ready(town: Town, month: str) -> bool:
    """Whether every custodian has published a key for the month, and none is destroyed."""
    names = [each.name for each in town.charter.safeguards.custodians]
    return all((name, month) in town.month_keys and (name, month) not in town.destroyed for name in names)


def verdict(life: Life, made: MadeAlert) -> bytes:
    """A reviewer decides, under the charter that the alert was raised by."""
    town = life.town
    standing = town.standing_of(made.charter)
    permit = town.permit(Decide(made.look), standing)
    value = life.dice.choice(RIGHT_OFTEN if life.plan.precision == MILD else ("confirm", "reject", "unsure"))
    by = town.grant(Role.REVIEWER, May.DECIDE_ALERT, but=made.judges)
    draw = None
    if made.read == 1:
        assert standing.charter is not None
        draw = Draw(life.dice.randrange(WHOLE), chance(standing.charter.safeguards.review, 0, town.now))
        made.drawn = draw.second
    made.handed = value == "confirm" and made.read == 1 and not life.judge.holds_back(made.look)
    made.verdict = town.attest(
        "alert_decided",
        under=permit,
        by=by,
        committed={
            "alert": made.id,
            "verdict": value,
            "reason": "seen",
            "handed_to": "responder-page" if made.handed else None,
            "read": made.read,
            "draw": {"number": draw.number, "below": draw.below} if draw else None,
        },
        refs=[made.leaf],
    )
    made.judges.append(by.person.name)
    made.said = value
    life.judge.said(made, value)
    made.leaves.append(made.verdict)
    return made.verdict


def withdraw(life: Life, made: MadeAlert) -> bytes:
    """And takes it back at once."""
    town = life.town
    assert made.verdict is not None
    permit = town.permit(Decide(made.look), town.standing_of(made.charter))
    committed = {"alert": made.id}
    others = [each.name for each in town.people[Role.REVIEWER] if each.name != made.judges[-1]]
    by = town.grant(Role.REVIEWER, May.DECIDE_ALERT, but=others)
    made.judges.pop()
    life.judge.said(made, None)
    leaf = town.attest("verdict_withdrawn", under=permit, by=by, committed=committed, refs=[made.verdict])
    made.verdict = None
    return leaf


def response(life: Life, made: MadeAlert) -> Story:
    """A responder goes there."""
    town, dice = life.town, life.dice
    assert made.verdict is not None
    told = {"alert": made.id, "decided": b64(made.verdict)}
    for step in ("acknowledged", "on_the_way", "arrived"):
        yield soon(town, 3 * MINUTE)
        permit = town.permit(HandOver(made.look), town.standing_of(made.charter))
        by = town.grant(Role.RESPONDER, May.RESPOND)
        town.attest("handover_progressed", under=permit, by=by, committed={**told, "step": step})
    yield soon(town)
    permit = town.permit(HandOver(made.look), town.standing_of(made.charter))
    outcome = {"outcome": dice.choice(("found-helped", "not-found")), "action": ""}
    by = town.grant(Role.RESPONDER, May.RESPOND)
    town.attest("outcome_recorded", under=permit, by=by, committed={**told, **outcome})


# ---- orders ----------------------------------------------------------------------------------------------------------


def suspension(life: Life, *, until_lifted: int | None = None) -> Story:
    """Oversight stops an analytic, or everything; the house obeys; later it may run again."""
    town, dice = life.town, life.dice
    while life.under is None or town.run is None:
        yield 10 * MINUTE
    looks = [each.name for each in life.under.analytics]
    name = dice.choice([None, *looks])
    noticed = name or looks[0]
    if town.permit(RunAnalytic(life.under.analytic(noticed).source, noticed)) is not None:
        life.tell(town.now, alert(life, noticed))  # which the order overtakes
        yield 1
    order = yield from ordered(life, name)
    yield until_lifted if until_lifted is not None else dice.randrange(HOUR, 2 * DAY)
    if dice.random() < 0.85:
        yield from lifted(life, order)


def scope(analytic: str | None) -> dict[str, object]:
    """The clear part of an order."""
    return {"scope": "all" if analytic is None else "analytic", "analytic": analytic}


def ordered(life: Life, name: str | None, *, obeyed: bool = True) -> Search[Order]:
    """The order, and how soon it is obeyed; gives the order."""
    town = life.town
    clear, key = scope(name), town.keys["oversight-office"]
    statement = town.sign("suspension_ordered", key, "oversight", clear=clear, committed={"reason": EXPLANATION})
    if town.log.watchers and life.dice.random() < 1 / 2:  # over a witness, whom the house asks every few seconds
        body, witness = statement.encode(), town.log.watchers[0].key
        town.lodged.append((body, Lodged.of(town.origin, body, town.now // SECOND).sign(witness)))
        yield life.dice.randrange(SECOND, 10 * SECOND)
    order = Order(town.take_in(statement), name, town.now)
    town.orders.append(order)
    if obeyed:
        within = life.dice.randrange(50, 2_000)
        yield within
        clear = {**clear, "within_ms": within}
        town.attest("suspension_obeyed", under=town.charter, clear=clear, refs=[order.leaf])
    return order


def lifted(life: Life, order: Order) -> Story:
    """Oversight lets it run again; from the cosignature on it does."""
    town = life.town
    committed = {"reason": EXPLANATION, "what_changed": "The zone."}
    key = town.keys["oversight-office"]
    order.lifted = town.signed(
        "suspension_lifted", key, "oversight", clear=scope(order.analytic), committed=committed, refs=[order.leaf]
    )
    while not (town.kind == "trial" or town.log.is_cosigned(order.lifted)):
        yield SECOND
    life.resumed[order.leaf] = town.now


def stop_and_start(life: Life) -> Story:
    """Somebody stops the house for a while, and says so."""
    town = life.town
    while life.under is None:
        yield 10 * MINUTE
    life.asleep_until = max(life.asleep_until, town.now + life.dice.randrange(MINUTE, 3 * HOUR))
    life.stop("asked")


# ---- asides ----------------------------------------------------------------------------------------------------------


def draft(life: Life) -> Story:
    """An operator edits the draft of the charter."""
    town = life.town
    yield 1
    committed = {"source": "corner-0", "before": None, "sha256": b64(sha256(b"draft"))}
    clear = {"name": "square", "version": town.charter.version}
    by = town.grant(Role.OPERATOR, May.EDIT_DRAFT)
    town.attest("draft_saved", under=town.charter, by=by, clear=clear, committed=committed)


def account(life: Life) -> Story:
    """An administrator closes an account."""
    town = life.town
    yield 1
    by = town.grant(Role.ADMINISTRATOR, May.MANAGE_ACCOUNTS)
    committed = {"account": "clerk-0", "roles": [], "by": by.person.name}
    town.attest("account_changed", under=town.charter, by=by, clear={"change": "closed"}, committed=committed)


def backdrop(life: Life) -> Story:
    """An operator confirms an empty scene; later parts of it are shown anew."""
    town = life.town
    yield 1
    permit = town.permit(ConfirmBackdrop("corner-0"))
    if permit is None:
        return
    by, picture = town.grant(Role.OPERATOR, May.CONFIRM_BACKDROP), b64(sha256(b"picture"))
    clear = {"source": "corner-0"}
    committed: dict[str, object] = {"scene": "day", "picture_sha256": picture}
    town.attest("backdrop_confirmed", under=permit, by=by, clear=clear, committed=committed)
    yield soon(town, 5 * HOUR)
    if town.permit(ConfirmBackdrop("corner-0")) is None:
        return
    committed = {"scene": "day", "before_sha256": picture, "picture_sha256": b64(sha256(b"anew")), "blocks": 3}
    town.attest("backdrop_renewed", under=town.charter, clear=clear, committed=committed)


def openings_taken(life: Life) -> Story:
    """Oversight takes the sealed openings away."""
    town = life.town
    yield 1
    by = town.grant(Role.OVERSIGHT, May.TAKE_OPENINGS)
    town.attest("openings_taken", under=None, by=by, committed={"count": len(town.log.sealed)})


def signal(life: Life) -> Story:
    """The record of accesses looked odd; oversight says what it was."""
    town = life.town
    yield 1
    number = b64(sha256(town.entropy.bytes(8)))
    committed = {"signal": number, "kind": "unexplained", "sentence": EXPLANATION}
    town.attest("misuse_signalled", under=town.charter, committed=committed)
    yield soon(town, DAY)
    settled = {"signal": number, "finding": "explained", "note": ""}
    town.signed("misuse_settled", town.keys["oversight-office"], "oversight", committed=settled)


def challenge(life: Life) -> Story:
    """Oversight lodges a challenge, stages it, and later tells whether an alert came of it."""
    town = life.town
    if not town.log.watchers:
        return
    told: dict[str, Any] = {"source": "corner-0", "kind": "intrusion", "salt": town.number()}
    begin = town.now + soon(town, 5 * HOUR)
    told |= {"from_ms": begin, "to_ms": begin + MINUTE}
    key = town.keys["oversight-office"]
    body = Challenge(town.origin, commitment(town.origin, told)).sign(key)
    note = Lodged.of(town.origin, body, town.now // SECOND).sign(town.log.watchers[-1].key)
    if life.dice.random() < 1 / 2:
        town.lodged.append((body, note))
    yield begin + soon(town, 5 * HOUR) - town.now
    noticed = next((made for made in town.alerts.values() if made.raised_ms > begin), None)
    clear = {
        "challenge": b64(commitment(town.origin, told)),
        "lodged": note.decode(),
        "result": "noticed" if noticed else "missed",
    }
    committed = {**told, "alert_leaf": b64(noticed.leaf) if noticed else None, "note": EXPLANATION}
    town.signed("challenge_told", town.keys["oversight-office"], "oversight", clear=clear, committed=committed)


def year(life: Life, *, audited: bool) -> Story:
    """The year begins; with ``audited`` on the word of oversight, which audited the log and signs the state."""
    town, log = life.town, life.town.log
    while log.published is None or life.under is None:
        yield HOUR
    head = log.published.checkpoint
    state = state_of(log.entries, town.origin, head.size)
    audit = None
    if audited:
        yield soon(town, HOUR)
        audit = signed_audit(town, head, state)
    while log.watchers and not was_seen(log.entries[head.size :], head.size):
        yield 10 * MINUTE
    while audit is not None and audit not in log.places:
        yield MINUTE
    began, told = begins(town, head, state, audit=audit), moment(town.now).year
    while began not in log.places or (log.watchers and not was_seen(log.entries, log.places[began] + 1)):
        yield 10 * MINUTE
    if audit is None:  # oversight is late: what was before the year may go only after its audit
        later = signed_audit(town, log.published.checkpoint)
        while later not in log.places:
            yield MINUTE
    archives(town, began, told, head.size)


def signed_audit(town: Town, head: Checkpoint, state: bytes | None = None, *, key: SignerKey | None = None) -> bytes:
    """Oversight, or whoever's key that is, publishes that everything was kept; its leaf hash."""
    found = {make().name: "kept" for make in every(openings=False)} | {each.promise: "pending" for each in PENDING}
    clear = {
        "size": head.size,
        "root": b64(head.root),
        "depth": "structure",
        "found": found,
        "breaches": 0,
        "report_sha256": b64(sha256(b"a report")),
        "state": None if state is None else b64(sha256(state)),
    }
    return town.signed("audit_published", key or town.keys["oversight-office"], "oversight", clear=clear)


def begins(town: Town, head: Checkpoint, state: bytes, *, audit: bytes | None = None, years: int = 0) -> bytes:
    """The record that a year began; its leaf hash."""
    clear = {
        "year": moment(town.now).year + years,
        "size": head.size,
        "root": b64(head.root),
        "form": FORM,
        "state": b64(sha256(state)),
        "audit": None if audit is None else b64(audit),
    }
    return town.attest("year_began", under=None, clear=clear)


def was_seen(entries: Sequence[bytes], size: int) -> bool:
    """Whether one of these entries records that witnesses had cosigned so many."""
    notes = (json.loads(entry)["clear"]["note"] for entry in entries if entry.startswith(_NOTED))
    return any(int(note.split("\n")[1]) >= size for note in notes)


def published_audit(life: Life) -> Story:
    """Oversight audits the log, which is honest, and says so."""
    town = life.town
    while town.log.published is None or life.under is None:
        yield HOUR
    head = town.log.published.checkpoint
    yield soon(town, HOUR)
    signed_audit(town, head)
