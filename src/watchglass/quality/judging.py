"""A limit of the charter, tested with one final alert after another: pure, so that a house and an auditor agree.

Each stated limit has a test of its own (``statistics.sequential``), and an analytic on trial one more, by which it
earns trust. Each takes the alerts of its analytic in the order in which they were raised, each once what the limit asks
of it is final. What a test is, follows from those alerts alone: from the charter that each was raised under, and from
how often the analytic had been resumed by then.

* Another model or rule, or a tighter limit: the test starts anew. A wider limit, or the same: its history goes on.
* A limit that was crossed starts anew once the analytic has been resumed; the others go on. Trust is earned anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from watchglass.charter.limits import LIMITS, LimitName, QualityLimits
from watchglass.charter.model import Charter
from watchglass.charter.renewed import is_sooner, rule_of
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput
from watchglass.core.time import MINUTE
from watchglass.quality.finality import Value
from watchglass.statistics.sequential import AtMost, CountAtMost, Disparity, EarnsTrust, Test, from_json

TRUST: Final = "trust"
TestName = LimitName | Literal["trust"]
TESTED: Final[tuple[TestName, ...]] = (*(name for name in LIMITS if name != "recall_at_least"), TRUST)
"""What alerts are tested for. Recall is tested by staged drills, since alerts tell nothing of what was missed."""
IN_TIME: Final = "reviewed_in_time_at_least"
RECALL: Final[TestName] = "recall_at_least"
"""Tested with drills instead of alerts: one that was noticed is taken as right, one that was missed as wrong."""
_THOUSAND: Final = 1000


@dataclass(frozen=True, slots=True)
class Counted:
    """One alert as a test takes it.

    Attributes:
        number: its place in the order of raising.
        epoch: how often its analytic had been resumed when it was raised.
        value: what it was; None where only its time is known yet (``reviewed_in_time_at_least`` asks for no more).
        in_time: whether a person had decided by its deadline.
    """

    number: int
    raised_ms: int
    epoch: int
    stratum: str
    value: Value | None
    in_time: bool | None


@dataclass(frozen=True, slots=True)
class Testing:
    """One limit's test as far as it has come.

    Attributes:
        charter: SHA-256 of the charter that its last alert was raised under.
        first, last: the numbers of the alerts that it counted first and last; None before there was one.
        last_ms: when the last one was raised, to the minute.
        taken: how many it counted. bad: how many of them were bad, in the sense of this limit.
        crossed: it has reached its bound; it counts nothing more until it starts anew.
    """

    name: TestName
    charter: bytes
    epoch: int
    test: Test
    first: int | None = None
    last: int | None = None
    last_ms: int | None = None
    taken: int = 0
    bad: int = 0
    crossed: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain values, from which ``testing_from`` makes it again."""
        plain = {name: getattr(self, name) for name in _PLAIN}
        return {**plain, "charter": b64(self.charter), "test": self.test.as_json()}


_PLAIN: Final = ("name", "epoch", "first", "last", "last_ms", "taken", "bad", "crossed")


def testing_from(value: Mapping[str, Any]) -> Testing:
    """What ``Testing.as_json`` told of."""
    plain = {name: value[name] for name in _PLAIN}
    return Testing(**plain, charter=unb64(value["charter"], length=32), test=from_json(value["test"]))


def follow(
    before: Testing | None,
    name: TestName,
    charter: Charter,
    analytic: str,
    epoch: int,
    charter_of: Callable[[bytes], Charter],
) -> Testing | None:
    """The test that stands when an alert comes that was raised under ``charter``; None where it states no such limit.

    Args:
        epoch: how often the analytic had been resumed when the alert was raised.
        charter_of: the charter with a SHA-256, of those that the test has met.
    """
    limits = charter.limits_of(analytic)
    if limits is None or bound_of(limits, name) is None:
        return None
    if before is None:
        return _begin(name, charter, limits, epoch)
    if before.charter == charter.sha256 and before.epoch == epoch:
        return before
    anew = epoch > before.epoch and (before.crossed or name == TRUST)
    old = charter_of(before.charter)
    sooner = name == IN_TIME and is_sooner(old, charter)
    same_rule = rule_of(old, analytic) == rule_of(charter, analytic)
    others = isinstance(before.test, Disparity) and set(before.test.strata) != set(limits.strata)
    if anew or sooner or others or not same_rule or _tighter(old.limits_of(analytic), limits, name):
        return _begin(name, charter, limits, epoch)
    # a test that counts over time does not count the time in which the analytic was stopped
    last_ms = before.last_ms if epoch == before.epoch else None
    return replace(
        before, charter=charter.sha256, epoch=epoch, last_ms=last_ms, test=_within(before.test, limits, name)
    )


def take(before: Testing, alert: Counted, alpha: float) -> Testing:
    """The test after one more alert, final in what this limit asks for.

    Args:
        alpha: the test's part of the charter's alpha.

    Raises:
        BadInput: the alert is not final, or not later than the last one.
    """
    if before.crossed:
        return before
    if before.last is not None and alert.number <= before.last:
        raise BadInput("Alerts are tested in the order in which they were raised, each once.", fix="Give the next one.")
    bad = is_bad(before.name, alert)
    at_ms = alert.raised_ms // MINUTE * MINUTE
    test, test_before = before.test, before.test
    if isinstance(test_before, CountAtMost):
        if before.last_ms is not None:  # the clock starts with an alert, which is not counted itself
            test = test_before.after(int(bad), max(0, at_ms - before.last_ms))
    elif isinstance(test_before, Disparity):
        test = test_before.after(alert.stratum, bad)
    else:
        test = test_before.after(bad)
    return replace(
        before,
        test=test,
        first=alert.number if before.first is None else before.first,
        last=alert.number,
        last_ms=at_ms,
        taken=before.taken + 1,
        bad=before.bad + bad,
        crossed=test.crossed(alpha),
    )


def is_bad(name: TestName, alert: Counted) -> bool:
    """Whether ``alert`` counts against the limit. Without an answer counts as wrong: the worst case.

    Raises:
        BadInput: the alert is not final in what this limit asks for.
    """
    known = alert.in_time if name == IN_TIME else alert.value
    if known is None:
        raise BadInput("This alert is not final.", fix="Wait until it is.")
    if name == IN_TIME:
        return not alert.in_time
    if name == "undecided_at_most":
        return alert.value is Value.UNDECIDED
    return alert.value is not Value.RIGHT


def alpha_of(charter: Charter, name: TestName) -> float:
    """The chance of a wrong answer that a test has: an equal part of alpha for each limit; for trust, all of it.

    Trust given wrongly is another error than a suspension without cause: it stops nobody, and the limits go on.
    """
    quality = charter.quality
    if quality is None:
        raise BadInput("The charter states no limits.", fix="Ask only where it does.")
    return quality.alpha / _THOUSAND if name == TRUST else quality.alpha_each


def bound_of(limits: QualityLimits, name: TestName) -> int | None:
    """The limit as its test takes it, in thousandths; None where it is not stated."""
    if name == TRUST:
        return None if limits.trial_ms is None else limits.tested("precision_at_least")
    return None if getattr(limits, name) is None else limits.tested(name)


def _begin(name: TestName, charter: Charter, limits: QualityLimits, epoch: int) -> Testing:
    bound = bound_of(limits, name)
    assert bound is not None  # whoever begins has looked
    test: Test
    match name:
        case "trust":
            test = EarnsTrust(bound)
        case "false_alerts_per_week":
            test = CountAtMost(bound)
        case "disparity_at_most":
            test = Disparity(bound, tuple(limits.strata))
        case _:
            test = AtMost(bound)
    return Testing(name, charter.sha256, epoch, test)


def _within(test: Test, limits: QualityLimits, name: TestName) -> Test:
    """The same history under the limit as it is written now."""
    bound = bound_of(limits, name)
    assert bound is not None
    return replace(test, limit=bound)


def _tighter(old: QualityLimits | None, new: QualityLimits, name: TestName) -> bool:
    """Whether the limit allows less than before."""
    if old is None:
        return True
    before, after = bound_of(old, name), bound_of(new, name)
    return before is None or after is None or after < before
