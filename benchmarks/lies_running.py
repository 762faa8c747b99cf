"""Lies about what runs: suspensions, hours, analytics, models, alerts that nobody decides, heartbeats, charters."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from dishonest import Lie
from made_charter import hash_of, text_of
from made_life import Life, local_day
from made_stories import alert, lifted, ordered, raise_alert, scope, verdict, withdraw
from made_town import EXPLANATION, Order, Search, Story, Version
from watchglass.access.roles import May, Role
from watchglass.charter.decide import in_force
from watchglass.charter.hours import look as within_hours
from watchglass.charter.parse import parse
from watchglass.core.digest import b64, sha256
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.ledger.keys import SignerKey

LUCKY: Final = {"number": 999_999, "below": 300_000}
"""A lawful draw by which nobody judges again."""
DECIDED: Final = "alerts"
SUSPENDED: Final = "suspensions"
HOURS: Final = "hours"
OBEYED: Final = "obeyed"
BEATS: Final = "heartbeats"
DARK: Final = "dark-time"
ALLOWED: Final = "allowed"
CHARTERS: Final = "charters"
UNDER: Final = "under-charter"


def running(life: Life) -> Story:
    """Wait until the house runs."""
    while life.under is None:
        yield MINUTE


def some_look(life: Life) -> str:
    """An analytic that looks at people."""
    assert life.under is not None
    return next(each.name for each in life.under.analytics if each.kind != "camera_fault")


def forged_alert(life: Life, name: str, **otherwise: Any) -> Story:
    """An alert that the charter did not allow, and its verdict; planted."""
    town = life.town
    charter = town.charter
    more = {"purpose": charter.analytic(name).purpose, **otherwise}
    made = raise_alert(life, name, charter, town.now, **more)
    town.planted.append(made.leaf)
    yield MINUTE
    by = town.grant(Role.REVIEWER, May.DECIDE_ALERT)
    committed = {"alert": made.id, "verdict": "reject", "reason": "seen", "handed_to": None, "read": 1, "draw": LUCKY}
    made.verdict = town.attest(
        "alert_decided", under=charter, by=by, committed=committed, refs=[made.leaf], purpose=made.purpose
    )


# ---- alerts ----------------------------------------------------------------------------------------------------------


def never_decided(life: Life) -> Story:
    """An alert waits for ever."""
    yield from running(life)
    known = set(life.town.alerts)
    yield from alert(life, some_look(life), decided=False)
    life.town.planted += [made.leaf for number, made in life.town.alerts.items() if number not in known]


def decided_late(life: Life) -> Story:
    """An alert is decided hours late."""
    yield from running(life)
    known = set(life.town.alerts)
    yield from alert(life, some_look(life), decided=False)
    new = [made for number, made in life.town.alerts.items() if number not in known]
    yield 4 * HOUR
    life.town.planted += [verdict(life, made) for made in new]


def withdrawn_for_good(life: Life) -> Story:
    """A verdict is taken back, and nobody decides again."""
    yield from running(life)
    known = set(life.town.alerts)
    yield from alert(life, some_look(life), decided=False)
    new = [made for number, made in life.town.alerts.items() if number not in known]
    yield MINUTE
    for made in new:
        verdict(life, made)
        yield 5 * SECOND
        life.town.planted.append(made.leaf)
        withdraw(life, made)


def decided_twice(life: Life) -> Story:
    """Two verdicts about one alert stand side by side."""
    yield from running(life)
    known = set(life.town.alerts)
    yield from alert(life, some_look(life), decided=False)
    new = [made for number, made in life.town.alerts.items() if number not in known]
    yield MINUTE
    for made in new:
        verdict(life, made)
        yield MINUTE
        life.town.planted.append(verdict(life, made))


# ---- suspensions and hours -------------------------------------------------------------------------------------------


def an_order(life: Life, name: str | None) -> Search[Order]:
    yield from running(life)
    return (yield from ordered(life, name))


def alert_while_suspended(life: Life) -> Story:
    """An analytic that was ordered to stop raises an alert hours later."""
    yield from running(life)
    name = some_look(life)
    order = yield from an_order(life, name)
    yield 5 * HOUR
    yield from forged_alert(life, name)
    yield 5 * HOUR
    yield from lifted(life, order)


def beat_while_suspended(life: Life) -> Story:
    """A heartbeat says that an analytic ran that was ordered to stop."""
    yield from running(life)
    name = some_look(life)
    order = yield from an_order(life, name)
    yield 5 * HOUR
    source = life.town.charter.analytic(name).source
    every = life.plan.heartbeat_ms
    assert every is not None
    names = life.ran(life.town.charter, source, life.town.now - 1, life.town.now)
    life.next_beat[source] = {"running": sorted({*names, name}), "received": every // SECOND}
    yield 5 * HOUR
    yield from lifted(life, order)


def outside_hours(life: Life) -> Story:
    """An analytic for the night raises an alert at noon."""
    yield from running(life)
    town, name = life.town, some_look(life)
    analytic = town.charter.analytic(name)
    near = range(-2 * HOUR, 3 * HOUR, HOUR)
    while any(
        within_hours(analytic.hours, analytic.days, town.charter.timezone, town.now + far).within for far in near
    ):
        yield HOUR
    yield from forged_alert(life, name)


def never_obeyed(life: Life) -> Story:
    """Oversight orders an analytic to stop, and the house never says that it did."""
    yield from running(life)
    order = yield from ordered(life, some_look(life), obeyed=False)
    life.town.planted.append(order.leaf)


def obeyed_late(life: Life) -> Story:
    """The house needs eleven seconds to stop."""
    yield from running(life)
    order = yield from ordered(life, some_look(life), obeyed=False)
    yield 11 * SECOND
    clear = {**scope(order.analytic), "within_ms": 11_000}
    leaf = life.town.attest("suspension_obeyed", under=life.town.charter, clear=clear, refs=[order.leaf])
    life.town.planted.append(leaf)


def lifted_by_the_house(life: Life) -> Story:
    """The house lifts an order by itself, with a key that is not oversight's."""
    yield from running(life)
    order = yield from ordered(life, some_look(life))
    yield 3 * HOUR
    key = SignerKey.generate(life.town.keys["oversight-office"].name, life.town.entropy)
    leaf = life.town.signed(
        "suspension_lifted",
        key,
        "oversight",
        clear=scope(order.analytic),
        committed={"reason": EXPLANATION, "what_changed": "Nothing."},
        refs=[order.leaf],
    )
    life.town.planted.append(leaf)


# ---- what the charter does not name ----------------------------------------------------------------------------------


def unknown_analytic(life: Life) -> Story:
    yield from running(life)
    yield from forged_alert(life, some_look(life), clear={"analytic": "faces", "kind": "intrusion"})


def other_kind(life: Life) -> Story:
    yield from running(life)
    name = some_look(life)
    kind = life.town.charter.analytic(name).kind
    other = "crowd_density" if kind == "intrusion" else "intrusion"
    yield from forged_alert(life, name, clear={"analytic": name, "kind": other})


def other_purpose(life: Life) -> Story:
    yield from running(life)
    yield from forged_alert(life, some_look(life), purpose="advertising")


def start_otherwise(life: Life, **otherwise: object) -> Story:
    """The house stops, and starts with something that the charter does not name."""
    yield from running(life)
    life.stop("asked")
    yield SECOND
    life.town.planted.append(life.start(life.town.charter, **otherwise))


def other_model(life: Life) -> Story:
    yield from start_otherwise(life, models={"street-1": b64(hash_of("faces-2"))})


def other_source(life: Life) -> Story:
    sources = [f"corner-{place}" for place in range(life.plan.sources)]
    yield from start_otherwise(life, sources=["back-yard", *sources])


def beat_other_model(life: Life) -> Story:
    yield from running(life)
    life.next_beat["corner-0"] = {"models": {"street-1": b64(hash_of("faces-2"))}}


# ---- heartbeats ------------------------------------------------------------------------------------------------------


def silence(life: Life) -> Story:
    """A recorder is switched off for some hours, and nothing says so."""
    yield from running(life)
    town, begun = life.town, life.town.now
    life.silent_until["corner-0"] = begun + 5 * HOUR
    yield 5 * HOUR
    life.began["corner-0"] = town.now
    town.planted.append(life.beat_of["corner-0"][1])


def cut_chain(life: Life) -> Story:
    yield from running(life)
    yield HOUR
    life.next_beat["corner-0"] = {"previous": b64(sha256(b"another beat"))}


def same_sequence(life: Life) -> Story:
    yield from running(life)
    yield HOUR
    life.next_beat["corner-0"] = {"sequence": 0}


def forged_beat(life: Life) -> Story:
    """Somebody who is no recorder signs a heartbeat."""
    yield from running(life)
    yield HOUR
    key = SignerKey.generate("liar.example/recorder", life.town.entropy)
    life.next_beat["corner-0"] = {"key": key}


def overlapping(life: Life) -> Story:
    """A heartbeat tells a time again that was told before."""
    yield from running(life)
    yield HOUR
    every = life.plan.heartbeat_ms
    assert every is not None
    begin = (life.town.now - life.town.now % every) // SECOND
    life.next_beat["corner-0"] = {"from_s": begin - every // SECOND // 2}


def too_long(life: Life) -> Story:
    """A heartbeat is of a longer time than the charter lets one be."""
    yield from running(life)
    yield 2 * HOUR
    every = life.plan.heartbeat_ms
    assert every is not None
    life.silent_until["corner-0"] = life.town.now + every
    life.next_beat["corner-0"] = {"decoded": 1}
    yield every


def more_alerts(life: Life) -> Story:
    """Recorders counted seven alerts that the log does not show: they were left out."""
    yield from running(life)
    yield HOUR
    life.next_beat["corner-0"] = {"alerts": 7}


def other_segments(life: Life) -> Story:
    """Recorders sealed originals that the log does not show."""
    yield from running(life)
    yield HOUR
    life.next_beat["corner-0"] = {"segments": b64(sha256(b"another root"))}


def unseen(life: Life) -> Story:
    """No witness answers for half a day, and everything runs on."""
    yield from running(life)
    life.town.unseen = True
    yield life.plan.begin + DAY + 10 * HOUR - life.town.now
    life.town.planted.append(life.beat_of["corner-0"][1])


# ---- charters --------------------------------------------------------------------------------------------------------


def publish_with(life: Life, roles: dict[str, SignerKey | None], **changes: Any) -> Version:
    """Publish another version with these approvals only; None signs with the key that stands."""
    town = life.town
    before = town.versions[-1].rules
    rules = replace(before, version=before.version + 1, since=local_day(town.now, before.timezone), **changes)
    text = text_of(rules)
    charter = parse(text.encode())
    clear = {"name": charter.charter, "version": charter.version, "sha256": charter.digest, "text": text}
    leaf = town.attest(
        "charter_published", under=town.charter, clear=clear, committed={"account": "operator-of-the-machine"}
    )
    for role, key in roles.items():
        town.take_in(town.approval(charter, role, key))
    return Version(rules, charter, leaf, [])


def without_oversight(life: Life) -> Story:
    """A charter is published that oversight never approved; nothing runs under it."""
    yield from running(life)
    life.town.planted.append(publish_with(life, {"authority": None}).leaf)


def run_without_oversight(life: Life) -> Story:
    """A charter that oversight never approved, and the house runs under it."""
    yield from running(life)
    town = life.town
    version = publish_with(life, {"authority": None})
    yield HOUR
    committed = {"signal": b64(sha256(b"odd")), "kind": "unexplained", "sentence": EXPLANATION}
    town.planted.append(town.attest("misuse_signalled", under=version.charter, committed=committed))


def swapped_key(life: Life) -> Story:
    """A charter that names another oversight is approved with that other key, not with the one that stands."""
    yield from running(life)
    town = life.town
    key = SignerKey.generate("friendly-oversight.example", town.entropy)
    openings = X25519PrivateKey.from_private_bytes(town.entropy.bytes(32))
    public = b64(openings.public_key().public_bytes_raw())
    version = publish_with(life, {"authority": None, "oversight": key}, oversight=str(key.verifier), openings=public)
    town.planted.append(version.leaf)


def forged_charter_approval(life: Life) -> Story:
    yield from running(life)
    town = life.town
    key = SignerKey.generate(town.keys["oversight-office"].name, town.entropy)
    town.planted.append(publish_with(life, {"authority": None, "oversight": key}).leaf)


def same_version(life: Life) -> Story:
    """Another charter is published under a version that stood already."""
    yield from running(life)
    town = life.town
    before = town.versions[-1].rules
    rules = replace(before, review_ms=2 * HOUR)
    text = text_of(rules)
    charter = parse(text.encode())
    clear = {"name": charter.charter, "version": charter.version, "sha256": charter.digest, "text": text}
    leaf = town.attest(
        "charter_published", under=town.charter, clear=clear, committed={"account": "operator-of-the-machine"}
    )
    for role in ("authority", "oversight"):
        town.take_in(town.approval(charter, role))
    town.planted.append(leaf)


def other_text(life: Life) -> Story:
    """The published text is not what the approved hash names."""
    yield from running(life)
    town = life.town
    before = town.versions[-1].rules
    text = text_of(replace(before, version=before.version + 1))
    clear = {"name": "square", "version": before.version + 1, "sha256": b64(sha256(b"another text")), "text": text}
    town.planted.append(
        town.attest("charter_published", under=town.charter, clear=clear, committed={"account": "operator"})
    )


def after_its_end(life: Life) -> Story:
    """The charter ran out, and an alert is raised."""
    while life.town.now < in_force(life.town.charter)[1] + 6 * HOUR:
        yield HOUR
    charter = life.town.charter
    name = next(each.name for each in charter.analytics if each.kind != "camera_fault")
    yield from forged_alert(life, name)


def under_the_old(life: Life) -> Story:
    """Another charter stands for hours, and an alert is raised under the one before."""
    yield from running(life)
    town, old = life.town, life.town.charter
    while town.charter.sha256 == old.sha256:
        yield HOUR
    yield 6 * HOUR
    name = next(each.name for each in old.analytics if each.kind != "camera_fault")
    purpose = old.analytic(name).purpose
    made = raise_alert(life, name, old, town.now, purpose=purpose)
    town.planted.append(made.leaf)
    yield MINUTE
    by = town.grant(Role.REVIEWER, May.DECIDE_ALERT)
    committed = {"alert": made.id, "verdict": "reject", "reason": "seen", "handed_to": None, "read": 1, "draw": LUCKY}
    made.verdict = town.attest(
        "alert_decided", under=old, by=by, committed=committed, refs=[made.leaf], purpose=purpose
    )


def before_its_day(life: Life) -> Story:
    """A charter for the day after tomorrow: an alert is raised under it today."""
    yield from running(life)
    town = life.town
    before = town.versions[-1].rules
    since = local_day(town.now, before.timezone) + timedelta(days=4)
    version = town.publish(
        replace(before, version=before.version + 1, since=since, until=since + timedelta(days=90)), town.openings[-1]
    )
    yield 6 * HOUR
    charter = version.charter
    name = next(each.name for each in charter.analytics if each.kind != "camera_fault")
    made = raise_alert(life, name, charter, town.now, purpose=charter.analytic(name).purpose)
    town.planted.append(made.leaf)
    yield MINUTE
    verdict(life, made)


RUNNING: Final = (
    Lie("never-decided", "An alert waits, and nobody ever decides.", (DECIDED,), never_decided),
    Lie("decided-late", "An alert is decided hours after its time.", (DECIDED,), decided_late),
    Lie("withdrawn", "A verdict is taken back, and nobody decides again.", (DECIDED,), withdrawn_for_good),
    Lie("decided-twice", "Two verdicts about one alert stand at once.", (DECIDED,), decided_twice),
    Lie("ran-suspended", "An analytic raises an alert while it is suspended.", (SUSPENDED,), alert_while_suspended),
    Lie(
        "beat-suspended",
        "A recorder says that an analytic ran that was suspended.",
        (SUSPENDED,),
        beat_while_suspended,
    ),
    Lie("never-obeyed", "An order to stop is never obeyed.", (OBEYED,), never_obeyed),
    Lie("obeyed-late", "An order to stop is obeyed after eleven seconds.", (OBEYED,), obeyed_late),
    Lie("lifted-alone", "The house lifts an order in oversight's name.", ("signatures",), lifted_by_the_house),
    Lie(
        "outside-hours",
        "An analytic raises an alert outside its hours.",
        (HOURS,),
        outside_hours,
        changes={"hours": "01:00-04:30"},
    ),
    Lie("unknown-analytic", "An analytic runs that the charter does not name.", (ALLOWED,), unknown_analytic),
    Lie("other-kind", "An analytic notices what the charter does not let it notice.", (ALLOWED,), other_kind),
    Lie("other-purpose", "An alert is raised for a purpose that the charter does not have.", (ALLOWED,), other_purpose),
    Lie("other-model", "The house runs another model than the charter's.", (ALLOWED,), other_model),
    Lie("beat-other-model", "A recorder says that it ran another model.", (ALLOWED,), beat_other_model),
    Lie("other-source", "The house looks at a camera that the charter does not name.", (ALLOWED,), other_source),
    Lie("dark-time", "A recorder is switched off for hours, and nothing says why.", (DARK,), silence),
    Lie("beat-cut", "A heartbeat does not name the one before it.", (BEATS,), cut_chain),
    Lie("beat-counted-anew", "The heartbeats of a source are counted anew.", (BEATS,), same_sequence),
    Lie("beat-too-long", "A heartbeat is of twice the time that the charter lets one be.", (BEATS,), too_long),
    Lie("beat-told-twice", "A heartbeat tells a time again that was told before.", (BEATS,), overlapping),
    Lie("beat-forged", "Somebody who is no recorder signs a heartbeat.", ("signatures", BEATS), forged_beat),
    Lie(
        "unseen",
        "No witness answers for half a day, the charter lets it run two hours so, and everything runs on.",
        ("fresh-witnesses",),
        unseen,
        changes={"witnessed_ms": 2 * HOUR, "unseen_ms": 12 * HOUR},
        at=0.05,
    ),
    Lie("no-oversight", "A charter is published without oversight's approval.", (CHARTERS,), without_oversight),
    Lie(
        "run-without-oversight",
        "Something is done under a charter that oversight never approved.",
        (UNDER, CHARTERS),
        run_without_oversight,
    ),
    Lie(
        "swapped-oversight",
        "A charter brings its own oversight, whose key approves it, instead of the one that stands.",
        (CHARTERS, "signatures"),
        swapped_key,
    ),
    Lie(
        "forged-oversight",
        "Oversight's approval of a charter is signed with another key of the same name.",
        (CHARTERS, "signatures"),
        forged_charter_approval,
    ),
    Lie("same-version", "Another charter is published under a version that stands already.", (CHARTERS,), same_version),
    Lie("other-text", "The text of a published charter is not what its hash names.", (CHARTERS,), other_text),
    Lie(
        "after-its-end",
        "An alert is raised under a charter that has run out.",
        (UNDER,),
        after_its_end,
        changes={"gap": True, "charters": 1, "days": 5.0},
    ),
    Lie(
        "under-the-old",
        "An alert is raised under a charter that another one had replaced.",
        (UNDER,),
        under_the_old,
        changes={"charters": 1, "new_oversight": False},
        at=0.02,
    ),
    Lie("before-its-day", "An alert is raised under a charter days before it holds.", (UNDER,), before_its_day),
    Lie(
        "alerts-left-out",
        "A recorder counted alerts that the log does not show.",
        ("counts",),
        more_alerts,
        depth="openings",
    ),
    Lie(
        "originals-left-out",
        "A recorder sealed originals that the log does not show.",
        ("counts",),
        other_segments,
        depth="openings",
    ),
)
