"""Hypothesis for sealed originals in a charter: the rule is what cryptography will enforce, and no yes is too wide."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from thorough import tries
from watchglass.charter.decide import LEASE_MS, Standing, Suspension, decide, in_force
from watchglass.charter.diff import compare
from watchglass.charter.lint import lint
from watchglass.charter.model import Charter, Custodian, Quorum, Release
from watchglass.charter.parse import CharterErrors, CharterRefused, Parsed, parse, read
from watchglass.charter.permit import BreakGlass, GrantRelease, OpenCase, Permit, RequestRelease, SealSegment
from watchglass.charter.sealing import groups
from watchglass.charter.words import explain
from watchglass.core.errors import Refused
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.evidence.subsets import permitted_subsets

CHARTERS = Path(__file__).parents[1] / "spec" / "charters"
TEXT = (CHARTERS / "sealed" / "harbour-square.yaml").read_text(encoding="utf-8")
SEALED = parse(TEXT.encode())
PLAIN = parse((CHARTERS / "harbour-square.yaml").read_bytes())
SLOW_MACHINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
START, END = TEXT.index("  record:"), TEXT.index("  review:")
WORDS = sorted({word.strip(",:{}[]") for word in TEXT[START:END].split()} | {"-1", "9 of 3", "always", "dpo", "3y"})


def attempt(data: bytes) -> Parsed | CharterRefused | CharterErrors:
    try:
        return read(data)
    except (CharterRefused, CharterErrors) as error:
        return error


@settings(SLOW_MACHINE, max_examples=tries(300))
@given(st.data())
def test_these_sections_with_a_piece_written_over_never_surprise(data: st.DataObject) -> None:
    start = data.draw(st.integers(START, END))
    end = data.draw(st.integers(start, min(END, start + 40)))
    piece = data.draw(st.sampled_from(WORDS) | st.text(max_size=10))
    written = (TEXT[:start] + piece + TEXT[end:]).encode("utf-8", "surrogatepass")
    result = attempt(written)
    if not isinstance(result, Parsed):
        found = result.faults if isinstance(result, CharterErrors) else result.refusals
        assert found
        assert all(fault.message and fault.fix and fault.line >= 1 and fault.column >= 1 for fault in found)
        return
    lint(result)
    assert all(section.sentences for section in explain(result.charter))
    whole(result.charter)
    for other in (SEALED, PLAIN):
        assert all(change.sentence for change in compare(other, result.charter))
        assert all(change.sentence for change in compare(result.charter, other))


def whole(charter: Charter) -> None:
    """What is recorded has keepers, a rule that fits them, and an end; what is not has none of these."""
    rules = charter.safeguards
    there = [rules.record is not None, bool(rules.custodians), rules.release is not None]
    assert len({*there, rules.retention.sealed_ms is not None}) == 1
    if rules.release is None:
        return
    names = {custodian.name for custodian in rules.custodians}
    assert rules.release.n == len(names)
    assert set(rules.release.one_of) <= names
    assert len({custodian.key for custodian in rules.custodians}) == len(names)
    assert charter.authority.key not in {custodian.key for custodian in rules.custodians}


def rules_of(n: int) -> st.SearchStrategy[tuple[int, int, set[int]]]:
    return st.tuples(st.integers(1, n), st.just(n), st.sets(st.integers(0, n - 1), max_size=n))


sizes = st.integers(1, 7)


def of(k: int, n: int, one_of: set[int]) -> tuple[tuple[Custodian, ...], Release]:
    names = [f"c{number}" for number in range(n)]
    return tuple(Custodian(name, "") for name in reversed(names)), Release(
        Quorum(k, n), tuple(names[number] for number in sorted(one_of))
    )


@settings(SLOW_MACHINE)
@given(sizes.flatmap(rules_of))
def test_the_groups_are_the_smallest_that_the_rule_permits_and_are_counted_right(rule: tuple) -> None:
    custodians, release = of(*rule)
    found = [frozenset(group) for group in groups(custodians, release)]
    names = [custodian.name for custodian in custodians]
    permitted = [
        frozenset(some)
        for size in range(len(names) + 1)
        for some in combinations(names, size)
        if size >= release.k and (not release.one_of or set(some) & set(release.one_of))
    ]
    smallest = {some for some in permitted if not any(other < some for other in permitted)}
    assert set(found) == smallest
    assert len(found) == len(smallest) == release.groups_count
    assert release.shares == sum(len(group) for group in found)
    assert permitted_subsets(names, release.k, release.one_of) == (*groups(custodians, release),)  # what is enforced


@settings(SLOW_MACHINE)
@given(sizes.flatmap(lambda n: st.tuples(rules_of(n), rules_of(n))))
def test_a_rule_that_lets_anybody_new_in_is_never_called_narrower(pair: tuple) -> None:
    """Among the same people: whoever could not open it before and now can makes the change a widening."""
    (k, n, some), (k2, _, others) = pair
    custodians, old = of(k, n, some)
    _, new = of(k2, n, others)
    safe = SEALED.safeguards
    before = _bare(SEALED, safeguards=replace(safe, custodians=custodians, release=old))
    after = _bare(SEALED, safeguards=replace(safe, custodians=custodians, release=new), data=b"x")
    could = [set(group) for group in groups(custodians, old)]
    lets_in = any(not any(had <= set(group) for had in could) for group in groups(custodians, new))
    if lets_in:
        assert "widening" in {change.weight for change in compare(before, after)}


def _bare(charter: Charter, **changes: object) -> Charter:
    """A copy without the constructor's checks: these custodians have no keys."""
    copy: Charter = object.__new__(Charter)
    for name in Charter.__dataclass_fields__:
        object.__setattr__(copy, name, changes.get(name, getattr(charter, name)))
    return copy


cameras = st.sampled_from([*["steps-cam"] * 8, "x"])
rule_names = st.sampled_from(["crowding", "on-the-track", "camera-health", "x"])
purposes = st.sampled_from([*["crowd-safety"] * 5, "restricted-area", "x"])
roles = st.sampled_from(["shift-lead", "shift-lead", "investigator", ""])
begin, end = in_force(SEALED)
moments = st.integers(begin, end) | st.integers(begin - DAY, end + DAY)
odd = st.sampled_from([-(10**20), -HOUR, 0, 10**20])


def around(limit: int) -> st.SearchStrategy[int]:
    """On a limit of the sealed charter, beside it, and anywhere up to a little beyond."""
    return st.integers(limit - 2, limit + 2) | st.integers(-5, limit + limit // 4)


GOOD = Standing(SEALED, "production", frozenset({"authority", "oversight"}), "cosigned")
standings = st.just(GOOD) | st.builds(
    Standing,
    st.sampled_from([None, PLAIN, *[SEALED] * 6]),
    st.sampled_from(["production", "trial", "trial", "demo"]),
    st.sampled_from([GOOD.approvals, GOOD.approvals, GOOD.approvals, frozenset({"authority"})]),
    st.sampled_from(["no", "waiting", "cosigned", "cosigned", "cosigned", "exempt"]),
    st.lists(
        st.builds(Suspension, st.sampled_from(["all", "crowding"]), st.just("oversight"), st.integers(0, 10**12)),
        max_size=1,
    ).map(tuple),
)


@st.composite
def requests(draw: st.DrawFn, now: int) -> SealSegment | OpenCase | RequestRelease | GrantRelease | BreakGlass:
    kind = draw(st.sampled_from([SealSegment, OpenCase, RequestRelease, GrantRelease, BreakGlass, BreakGlass]))
    if kind is SealSegment:
        return SealSegment(draw(cameras), draw(st.none() | rule_names))
    if kind is OpenCase:
        return OpenCase(draw(purposes))
    oldest, longest = (2 * HOUR, 10 * MINUTE) if kind is BreakGlass else (3 * DAY, HOUR)
    first = now - draw(around(oldest) | around(oldest) | around(oldest) | odd)
    span = (draw(cameras), draw(purposes), first, first + draw(around(longest)))
    if kind is BreakGlass:
        return BreakGlass(*span, draw(roles))
    return kind(*span, draw(st.booleans()))


def answer(standing: Standing, request: object, now: int) -> Permit | None:
    """The permit, or None after a refusal that says why and what to do; anything else fails the test."""
    try:
        return decide(standing, request, now)  # type: ignore[arg-type]  # one of the requests above
    except Refused as error:
        told = error.reasons and error.fix and all(reason.endswith(".") for reason in error.reasons)
    assert told
    return None


@settings(SLOW_MACHINE, max_examples=tries(500))
@given(standings, moments, st.data())
def test_no_yes_is_wider_older_or_later_than_the_charter_says(
    standing: Standing, now: int, data: st.DataObject
) -> None:
    request = data.draw(requests(now))
    permit = answer(standing, request, now)
    if permit is None:
        return
    charter = standing.charter
    assert charter is not None
    sealing = charter.safeguards
    assert now < permit.until_ms <= now + LEASE_MS
    assert standing.deployment != "trial"
    assert standing.approvals == {"authority", "oversight"}
    assert sealing.record is not None
    assert sealing.release is not None
    assert permit.purpose in {purpose.name for purpose in charter.purposes}
    if isinstance(request, OpenCase):
        return
    assert begin <= now < end
    assert not any(order.scope == "all" for order in standing.suspensions)
    assert charter.records(request.source)
    if isinstance(request, SealSegment):
        assert request.analytic is not None
        assert charter.analytic(request.analytic).source == request.source
        return
    assert permit.purpose in {analytic.purpose for analytic in charter.analytics_of(request.source)}
    assert request.from_ms < request.to_ms <= now
    longest, oldest = sealing.release.longest_ms, sealing.retention.sealed_ms
    if isinstance(request, BreakGlass):
        assert sealing.release.break_glass is not None
        assert request.role in sealing.release.break_glass.by
        longest, oldest = sealing.release.break_glass.longest_ms, sealing.release.break_glass.not_older_than_ms
    assert request.to_ms - request.from_ms <= longest
    assert oldest is not None
    if not getattr(request, "held", False):
        assert now - request.from_ms <= oldest


@settings(SLOW_MACHINE)
@given(
    st.integers(begin + 4 * DAY, end - 1), st.integers(0, 3 * DAY), st.integers(1, HOUR), st.sampled_from([True, False])
)
def test_whatever_lies_within_the_rule_is_allowed(now: int, back: int, length: int, grant: bool) -> None:
    """Fail closed does not mean never: all that the charter says yes to is answered with a permit."""
    first = now - back
    last = min(now, first + length)
    assume(first < last)
    kind = GrantRelease if grant else RequestRelease
    assert answer(GOOD, kind("steps-cam", "crowd-safety", first, last), now) is not None
    if back <= 2 * HOUR and last - first <= 10 * MINUTE:
        assert answer(GOOD, BreakGlass("steps-cam", "crowd-safety", first, last, "shift-lead"), now) is not None


@settings(SLOW_MACHINE)
@given(standings, moments, st.data())
def test_asking_for_less_never_turns_a_yes_into_a_no(standing: Standing, now: int, data: st.DataObject) -> None:
    first = now - data.draw(st.integers(0, 4 * DAY))
    last = first + data.draw(st.integers(2, 2 * HOUR))
    asked = RequestRelease("steps-cam", "crowd-safety", first, last)
    less = replace(asked, from_ms=data.draw(st.integers(first, last - 1)))
    less = replace(less, to_ms=data.draw(st.integers(less.from_ms + 1, last)))
    if answer(standing, asked, now) is not None:
        assert answer(standing, less, now) is not None
