"""All promises, in the order in which a report tells them, and those that this version does not make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from watchglass.oversight.promises.accounts import Accounts
from watchglass.oversight.promises.alerts import Alerts
from watchglass.oversight.promises.allowed import Allowed
from watchglass.oversight.promises.archived import ArchivedEntries
from watchglass.oversight.promises.audits import PublishedAudits
from watchglass.oversight.promises.cases import Cases
from watchglass.oversight.promises.challenges import Challenges
from watchglass.oversight.promises.charters import CharterSuccession
from watchglass.oversight.promises.conditions import SourceConditions
from watchglass.oversight.promises.conditions_told import ConditionsTold
from watchglass.oversight.promises.counts import Counts
from watchglass.oversight.promises.dark_time import DarkTime
from watchglass.oversight.promises.disclosed import Disclosed
from watchglass.oversight.promises.drills import Drills
from watchglass.oversight.promises.drills_replayed import DrillsReplayed
from watchglass.oversight.promises.emergencies import Emergencies
from watchglass.oversight.promises.enrolments import Enrolments
from watchglass.oversight.promises.fresh import Fresh
from watchglass.oversight.promises.heartbeats import Heartbeats
from watchglass.oversight.promises.holds import Holds
from watchglass.oversight.promises.hours import InHours
from watchglass.oversight.promises.limits import Limits
from watchglass.oversight.promises.limits_replayed import LimitsReplayed
from watchglass.oversight.promises.lodged import LodgedOrders
from watchglass.oversight.promises.minutes import Minutes
from watchglass.oversight.promises.month_keys import MonthKeys
from watchglass.oversight.promises.obeyed import Obeyed
from watchglass.oversight.promises.once import Once
from watchglass.oversight.promises.one_key import OneKey
from watchglass.oversight.promises.opened import Opened
from watchglass.oversight.promises.originals import Originals
from watchglass.oversight.promises.promise import Promise
from watchglass.oversight.promises.reads import Reads
from watchglass.oversight.promises.recalibrated import Recalibrated
from watchglass.oversight.promises.receipts import Receipts
from watchglass.oversight.promises.refs import Refs
from watchglass.oversight.promises.releases import Releases
from watchglass.oversight.promises.reports import Reports
from watchglass.oversight.promises.retention import Retention
from watchglass.oversight.promises.retention_told import RetentionTold
from watchglass.oversight.promises.samples import Samples
from watchglass.oversight.promises.scopes import Scopes
from watchglass.oversight.promises.settled import Settled
from watchglass.oversight.promises.suspensions import Suspensions
from watchglass.oversight.promises.times import AgreeingTimes
from watchglass.oversight.promises.under_charter import UnderCharter
from watchglass.oversight.promises.years import Years
from watchglass.oversight.report import Depth, Finding, State

_NOT_MADE: Final = "This version does not make this promise: {}."


def _pending(name: str, title: str, why: str, depth: Depth = "structure") -> Finding:
    return Finding(name, title, _NOT_MADE.format(why), depth, State.PENDING, 0)


PENDING: Final = (
    _pending("consultation", "Every charter was consulted on and answered.", "consultations are not built"),
    _pending("budget", "The privacy budget was never overspent.", "statistics under a budget are not built"),
    _pending("requests", "Every individual's request was answered in time.", "individuals' requests are not built"),
)

_STRUCTURE: Final[tuple[Callable[[], Promise], ...]] = (
    Refs,
    Once,
    AgreeingTimes,
    Receipts,
    Years,
    ArchivedEntries,
    CharterSuccession,
    Enrolments,
    UnderCharter,
    Allowed,
    InHours,
    Suspensions,
    Obeyed,
    Limits,
    Drills,
    LodgedOrders,
    Heartbeats,
    DarkTime,
    Fresh,
    Challenges,
    Alerts,
    SourceConditions,
    Retention,
    Reports,
    Originals,
    MonthKeys,
    Releases,
    Disclosed,
    Emergencies,
    PublishedAudits,
)
"""Besides those of whether the log is one, its entries are records and its signatures genuine, which come first."""


_OPENINGS: Final[tuple[type[Promise], ...]] = (
    Opened,
    Minutes,
    LimitsReplayed,
    DrillsReplayed,
    Recalibrated,
    ConditionsTold,
    Scopes,
    Cases,
    Holds,
    RetentionTold,
    Counts,
    Accounts,
    OneKey,
    Settled,
    Reads,
    Samples,
)


def every(*, openings: bool) -> Iterator[Callable[[], Promise]]:
    """What makes each promise; those that take openings only where there are some."""
    yield from _STRUCTURE
    if openings:
        yield from _OPENINGS


def not_at_this_depth() -> tuple[Finding, ...]:
    """What is said of the promises that take openings, where there are none."""
    why = "What it takes is sealed: `--openings`, which oversight alone has."
    return tuple(Finding(each.name, each.title, why, each.depth, State.UNSEEN, 0) for each in _OPENINGS)
