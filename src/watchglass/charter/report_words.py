"""What reports from outside mean, for everybody: in the rules in plain words, and where they change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from watchglass.charter.model import Charter
from watchglass.charter.phrases import duration, listed, said
from watchglass.charter.reporting import LogName, Reports
from watchglass.charter.weighing import Told, members_widen, more_is_wider, names

LOG_WORDS: Final[Mapping[LogName, str]] = {
    "dispatch": "the log of emergency calls",
    "complaints": "the list of complaints",
    "caretaker": "the book of those who look after the place",
}


def logs_said(logs: tuple[LogName, ...]) -> str:
    """Whose notes, in words."""
    return listed([LOG_WORDS[log] for log in logs])


def report_words(charter: Charter) -> Iterator[str]:
    """Whose notes are compared with alerts, and what of them is taken."""
    reports = charter.safeguards.reports
    if reports is None:
        return
    rules = listed([f"“{said(name)}”" for name in reports.of])
    yield (
        f"To learn what was missed, {logs_said(reports.logs)} may be compared with the alerts of {rules}. Only the "
        "minute, the camera and the kind of what happened are taken from there: no name, no number, no text. A note "
        f"and an alert count as the same when they are at most {duration(reports.within_ms)} apart."
    )


def reports_kept(charter: Charter) -> Iterator[str]:
    """How long such notes are kept."""
    reports = charter.safeguards.reports
    if reports is not None:
        yield f"What was taken from notes of others is kept for {duration(reports.kept_ms)}."


REPORTS_TOLD: Final[dict[type, dict[str, Told]]] = {
    Reports: {
        "logs": Told(
            members_widen,
            "What others note down is now compared with alerts from these: {new}; before: {old}.",
            lambda logs: logs_said(logs) if logs else "none",
        ),
        "of": Told(members_widen, "Notes of others are now compared with the alerts of: {new}; before: {old}.", names),
        "within_ms": Told(
            more_is_wider,
            "A note and an alert now count as the same when they are {new} apart; before: {old}.",
            duration,
        ),
        "kept_ms": Told(
            more_is_wider, "What was taken from notes of others is now kept for {new}, not for {old}.", duration
        ),
    },
}
