"""What is kept for a time in a life: keys of months, clips, alerts and originals, and their end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from made_life import Life
from made_town import Story, soon
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, hour_of, millis, minute_of, month_of
from watchglass.evidence.subsets import can_still_open

ENROLLED = (("ines", "investigator"), ("sam", "shift-lead"))
"""Whom oversight enrols each month, and for what."""


def months(life: Life) -> Story:
    """Each month oversight enrols keys, custodians publish theirs, and destroy those of months that are past."""
    town = life.town
    while not life.may_look():
        yield 30 * SECOND
    begin_month(life, month_of(town.now))
    done = {month_of(town.now)}
    while True:
        yield HOUR - town.now % HOUR + life.dice.randrange(10 * MINUTE)
        ahead = month_of(town.now + 2 * DAY)
        if ahead not in done:
            done.add(ahead)
            begin_month(life, ahead)
        if town.charter.safeguards.record is None or "keep-month-keys" in life.sins:
            continue
        for month in sorted(done):
            if month_end(month) <= town.now:
                life.tell(town.now + life.dice.randrange(8 * HOUR), destroy(life, month))


def month_end(month: str) -> int:
    """The first moment (ms) after a month."""
    begin = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    return millis((begin + timedelta(days=32)).replace(day=1))


def begin_month(life: Life, month: str) -> None:
    """Keys for a month."""
    town = life.town
    for who, role in ENROLLED:
        if (who, month) not in town.enrolled:
            town.enrol(who, role, month)
    for custodian in town.charter.safeguards.custodians:
        if (custodian.name, month) not in town.month_keys:
            town.publish_key(custodian.name, month)


def destroy(life: Life, month: str) -> Story:
    """Custodians without whom nobody can open destroy their keys of a month, once they may."""
    town = life.town
    yield 1
    charter = town.charter
    if charter.safeguards.record is None:
        return
    everybody = [each.name for each in charter.safeguards.custodians]
    for name in everybody:
        gone = {who for who, of in town.destroyed if of == month}
        if (name, month) not in town.month_keys or name in gone or not town.may_destroy(name, month):
            continue
        if can_still_open(town.subsets(charter), gone) or life.dice.random() < 1 / 2:
            town.destroy_key(name, month)
            yield soon(town, HOUR)


def retention(life: Life) -> Story:
    """What has outlived the charter's retention is destroyed."""
    town = life.town
    while True:
        yield life.plan.check_every - town.now % life.plan.check_every + life.dice.randrange(MINUTE)
        if town.standing().published in {"cosigned", "exempt"}:
            apply_retention(life)


def apply_retention(life: Life) -> None:
    """One round of it: clips, what was decided about alerts, openings that tell of alerts, originals."""
    town, keep, now = life.town, life.town.charter.safeguards.retention, life.town.now
    clips = [each for each in town.alerts.values() if (each.clip_ms or now) < now - keep.reviewer_clips_ms]
    if clips and _applied(life, "clips", len(clips), now - keep.reviewer_clips_ms):
        for each in clips:
            each.clip_ms = None
    before = now - keep.alerts_ms
    old = [each for each in town.alerts.values() if each.raised_ms < before and each.verdict is not None]
    if old and _applied(life, "alerts", len(old), before):
        for each in old:
            del town.alerts[each.id]
            _forget(life, each.leaves)
    waiting, until = {each.leaf for each in town.alerts.values()}, hour_of(before)
    told = [leaf for leaf, hour in town.of_alerts.items() if hour < until and leaf not in waiting]
    if told and _applied(life, "openings", len(told), before):
        _forget(life, told)
    over = [each for each in life.samples if each.until_ms <= now]
    if over and _applied(life, "samples", len(over), now):
        life.samples = [each for each in life.samples if each.until_ms > now]
    reports = town.charter.safeguards.reports
    before = now - (reports.kept_ms if reports is not None else 0)
    gone = [each for each in life.reports if each.taken_ms < before]
    if gone and _applied(life, "reports", len(gone), before):
        life.reports = [each for each in life.reports if each.taken_ms >= before]
    if (due := town.due_pieces()) and _applied(life, "segments", len(due), now):
        for piece in due:
            piece.destroyed = True


def _applied(life: Life, what: str, count: int, before: int) -> bool:
    """Record it; a house that keeps what it may not keep records nothing."""
    if f"keep-{what}" in life.sins:
        return False
    town = life.town
    committed = {"count": count, "before": minute_of(before)}
    town.attest("retention_applied", under=town.charter, clear={"what": what}, committed=committed)
    return True


def _forget(life: Life, leaves: list[bytes]) -> None:
    """Destroy openings."""
    for leaf in leaves:
        life.town.of_alerts.pop(leaf, None)
        life.town.log.sealed.pop(leaf, None)
