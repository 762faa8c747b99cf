"""What waits for somebody, as oversight reads it first: what is overdue, what is stopped, what the last audit found."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from watchglass.acts import judged, misuse, oversight_reading
from watchglass.acts.oversight_reading import State
from watchglass.acts.watched_times import Watched
from watchglass.records.outbox import Reader


@dataclass(frozen=True, slots=True)
class Waits:
    """One line: what it is, how many, where to look. ``late``: a promised time is over, or a promise was broken."""

    what: str
    count: int
    sentence: str
    href: str
    late: bool


def what_waits(
    reader: Reader, now_ms: int, sources: Iterable[tuple[str, Watched]], audit: Mapping[str, Any] | None
) -> tuple[Waits, ...]:
    """Everything that waits, what is late first.

    Args:
        sources: the name of each source's place, and how steadily it was watched.
        audit: what last night's audit printed, if there is one.
    """
    found = [
        *_alerts(reader, now_ms),
        *_originals(reader, now_ms),
        *_signals(reader),
        *_stopped(reader),
        *_by_limits(reader),
    ]
    found += [*_dark(sources), *_audited(audit)]
    return tuple(sorted(found, key=lambda each: not each.late))


def _plural(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def _alerts(reader: Reader, now_ms: int) -> Iterator[Waits]:
    row = reader.one(
        "SELECT count(*) AS n, count(*) FILTER (WHERE due_ms <= ?) AS late FROM alert WHERE state = 'waiting'", now_ms
    )
    late, waiting = (int(row["late"]), int(row["n"])) if row else (0, 0)
    if late:
        said = f"{_plural(late, 'alert')} should have been decided by now, and nobody has."
        yield Waits("alerts-overdue", late, said, "/oversight?act=alert_raised", late=True)
    if waiting > late:
        said = f"{_plural(waiting - late, 'alert')} {'waits' if waiting - late == 1 else 'wait'} for a person, in time."
        yield Waits("alerts", waiting - late, said, "/oversight?act=alert_raised", late=False)


def _originals(reader: Reader, now_ms: int) -> Iterator[Waits]:
    unexplained = [each for each in oversight_reading.emergencies(reader, now_ms) if each.followed_ms is None]
    overdue = sum(each.overdue for each in unexplained)
    if overdue:
        said = f"{_plural(overdue, 'use')} of the emergency rule should have been explained by now."
        yield Waits("emergencies-overdue", overdue, said, "/oversight/releases", late=True)
    if len(unexplained) > overdue:
        said = f"{_plural(len(unexplained) - overdue, 'use')} of the emergency rule must still be explained."
        yield Waits("emergencies", len(unexplained) - overdue, said, "/oversight/releases", late=False)
    asked = sum(each.state is State.WAITING for each in oversight_reading.requests(reader, now_ms))
    if asked:
        said = f"{_plural(asked, 'request')} for original video {'waits' if asked == 1 else 'wait'} for custodians."
        yield Waits("requests", asked, said, "/oversight/releases", late=False)
    held = sum(each.lifted_ms is None and each.until_ms > now_ms for each in oversight_reading.holds(reader))
    if held:
        said = f"{_plural(held, 'order')} to keep originals beyond their time {'stands' if held == 1 else 'stand'}."
        yield Waits("holds", held, said, "/oversight/releases", late=False)


def _signals(reader: Reader) -> Iterator[Waits]:
    count = sum(each.finding is None for each in misuse.signals(reader))
    if count:
        said = f"{_plural(count, 'signal')} of misuse {'waits' if count == 1 else 'wait'} for your finding."
        yield Waits("signals", count, said, "/oversight/misuse", late=False)


def _stopped(reader: Reader) -> Iterator[Waits]:
    rows = reader.all("SELECT scope, analytic, obeyed_ms FROM suspension WHERE lifted_leaf_hash IS NULL")
    if rows:
        names = ", ".join(sorted({str(row["analytic"] or "everything") for row in rows}))
        said = f"Suspended by you, until you lift it: {names}."
        yield Waits("suspended", len(rows), said, "/oversight/suspend", late=False)


def _by_limits(reader: Reader) -> Iterator[Waits]:
    """What limits stopped: what oversight can do about it, and what waits for the authority."""
    waiting = [each for each in judged.stops(reader) if each.over_ms is None and each.resumed is None]
    rows = reader.all("SELECT DISTINCT stop FROM resumption")
    proposed = {bytes(row["stop"]) for row in rows}
    mine = [each.analytic for each in waiting if each.leaf_hash in proposed]
    others = [each.analytic for each in waiting if each.leaf_hash not in proposed]
    if mine:
        said = f"Stopped by a limit, and the authority proposes that it runs again: {', '.join(mine)}."
        yield Waits("resumptions", len(mine), said, "/oversight/suspend", late=False)
    if others:
        said = f"Stopped by a limit, until the authority says what was changed: {', '.join(others)}."
        yield Waits("stopped-by-limit", len(others), said, "/oversight/suspend", late=False)


def _dark(sources: Iterable[tuple[str, Watched]]) -> Iterator[Waits]:
    dark = [(place, found.days.dark) for place, found in sources if found.days.dark]
    if dark:
        names = ", ".join(place for place, _ in dark)
        said = f"Time that nothing accounts for, in the last 28 days: {names}."
        yield Waits("dark", len(dark), said, "#dark", late=True)


def _audited(audit: Mapping[str, Any] | None) -> Iterator[Waits]:
    if audit is None:
        return
    if "findings" not in audit:
        yield Waits("audit", 1, "The audit of last night could not be finished.", "/audit", late=True)
    elif audit["breaches"]:
        said = f"The audit of last night: {audit['verdict']}"
        yield Waits("audit", int(audit["breaches"]), said, "/audit#broken", late=True)
