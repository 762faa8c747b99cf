"""What the public learns of signals, and what nobody may learn: how somebody does compared with others."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import pkgutil
import re
import typing
from collections.abc import Iterator, Mapping
from types import ModuleType
from typing import Any

import pytest

from watchglass.access import misuse
from watchglass.access.misuse import Disposition, Finding, Kind, QuarterlyCounts, Signal, quarterly_counts
from watchglass.access.misuse.counts import quarter_of
from watchglass.core.errors import BadInput
from watchglass.core.time import iso

BEGIN, END = quarter_of("2026-Q4")


def some(kind: Kind, count: int, at_ms: int = BEGIN) -> list[Signal]:
    return [Signal(kind, f"person{n}", "Words.", (f"{kind}{n}",), at_ms) for n in range(count)]


def settled(signals: list[Signal], finding: Finding) -> list[Disposition]:
    return [Disposition(each.id, END, finding) for each in signals]


def test_a_quarter_begins_and_ends_where_it_should() -> None:
    assert [iso(each) for each in quarter_of("2026-Q1")] == ["2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z"]
    assert [iso(each) for each in (BEGIN, END)] == ["2026-10-01T00:00:00Z", "2027-01-01T00:00:00Z"]


@pytest.mark.parametrize("quarter", ["2026", "2026-Q5", "2026-Q0", "0000-Q1", "2026-Q1 ", "26-Q1"])
def test_what_is_no_quarter_is_refused(quarter: str) -> None:
    with pytest.raises(BadInput):
        quarterly_counts([], [], quarter, 12)


def test_where_fewer_than_ten_work_nothing_is_told() -> None:
    counts = quarterly_counts(some(Kind.OFF_SHIFT, 30), [], "2026-Q4", 9)
    assert counts == QuarterlyCounts("2026-Q4", None, {}, {}, None)
    assert counts.withheld
    assert not quarterly_counts(some(Kind.OFF_SHIFT, 30), [], "2026-Q4", 10).withheld
    with pytest.raises(BadInput):
        quarterly_counts([], [], "2026-Q4", -1)


def test_signals_of_the_quarter_are_counted_each_once() -> None:
    own = some(Kind.OFF_SHIFT, 7)
    late, soon = some(Kind.VAGUE_REASON, 5, END), some(Kind.COPIED_REASON, 5, BEGIN - 1)
    last = some(Kind.NO_OUTCOME, 6, END - 1)
    counts = quarterly_counts([*own, *own, *late, *soon, *last], [], "2026-Q4", 12)
    assert counts.signals == 13
    assert counts.by_kind[Kind.OFF_SHIFT] == 7
    assert counts.by_kind[Kind.NO_OUTCOME] == 6
    assert counts.by_kind[Kind.VAGUE_REASON] is None


def test_findings_are_counted_by_the_last_word_and_what_is_open_is_said() -> None:
    own = some(Kind.OFF_SHIFT, 20)
    first, rest = settled(own[:5], Finding.UNCLEAR), settled(own[5:12], Finding.EXPLAINED)
    after = [dataclasses.replace(each, at_ms=END + 1, finding=Finding.MISUSE) for each in first]
    counts = quarterly_counts(own, [*after, *first, *rest], "2026-Q4", 12)
    assert counts.by_finding[Finding.MISUSE] == 5
    assert counts.by_finding[Finding.EXPLAINED] == 7
    assert counts.open == 8
    assert counts.by_finding[Finding.UNCLEAR] is None


def test_small_numbers_and_none_look_the_same() -> None:
    counts = quarterly_counts([*some(Kind.OFF_SHIFT, 7), *some(Kind.NO_OUTCOME, 4)], [], "2026-Q4", 12)
    assert {kind for kind, count in counts.by_kind.items() if count is not None} == {Kind.OFF_SHIFT}


def test_a_single_withheld_number_takes_the_next_with_it() -> None:
    signals = [each for n, kind in enumerate(Kind) for each in some(kind, 4 + n)]
    counts = quarterly_counts(signals, [], "2026-Q4", 12)
    told = list(counts.by_kind.values())
    assert told[:2] == [None, None]
    assert told[2:] == [4 + n for n in range(2, len(Kind))]


# ---- never performance management (Directive (EU) 2016/680, Art. 25(2)) --------------------------------------------


def modules() -> Iterator[ModuleType]:
    yield misuse
    for each in pkgutil.iter_modules(misuse.__path__):
        yield importlib.import_module(f"{misuse.__name__}.{each.name}")


def public() -> Iterator[tuple[str, Any]]:
    """Every public class and function of the package, methods included."""
    for module in modules():
        for name, value in vars(module).items():
            own = getattr(value, "__module__", "").startswith(misuse.__name__)
            if name.startswith("_") or not own or not (inspect.isclass(value) or inspect.isfunction(value)):
                continue
            yield f"{module.__name__}.{name}", value
            if inspect.isclass(value):
                for inner, method in vars(value).items():
                    if not inner.startswith("_") and (inspect.isfunction(method) or isinstance(method, property)):
                        yield f"{module.__name__}.{name}.{inner}", getattr(method, "fget", None) or method


def given_back(value: Any) -> Any:
    return typing.get_type_hints(value).get("return") if inspect.isfunction(value) else None


def parts(hint: Any) -> Iterator[Any]:
    yield hint
    for part in typing.get_args(hint):
        yield from parts(part)


def test_nothing_public_gives_a_number_for_each_person() -> None:
    checked = 0
    for name, value in public():
        for hint in parts(given_back(value)):
            origin = typing.get_origin(hint)
            if inspect.isclass(origin) and issubclass(origin, Mapping):
                assert typing.get_args(hint)[0] is not str, f"{name} gives back {hint}: that may be a person's number"
            if origin in {tuple, list}:
                assert {str, int} - set(typing.get_args(hint)), f"{name} gives back {hint}"
                assert {str, float} - set(typing.get_args(hint)), f"{name} gives back {hint}"
        checked += 1
    assert checked > 40


def test_nothing_public_is_called_a_rank_or_a_score_or_a_persons_total() -> None:
    words = re.compile(r"rank|score|rating|leader|league|worst|best|risk|per_person|by_person|total|performance|weight")
    for name, value in public():
        assert not words.search(name.rpartition(".")[2].lower()), name
        if dataclasses.is_dataclass(value):
            for field in dataclasses.fields(value):
                assert not words.search(field.name.lower()), f"{name}.{field.name}"


def test_a_signal_carries_no_number_but_its_time_and_cannot_be_ordered() -> None:
    numbers = {name for name, hint in typing.get_type_hints(Signal).items() if {int, float} & set(parts(hint))}
    assert numbers == {"at_ms"}
    one, other = some(Kind.OFF_SHIFT, 2)
    with pytest.raises(TypeError):
        sorted([one, other])  # type: ignore[type-var]  # that they have no order is the point


def test_what_is_published_names_nobody() -> None:
    signals = some(Kind.OFF_SHIFT, 30)
    told = repr(quarterly_counts(signals, settled(signals[:6], Finding.MISUSE), "2026-Q4", 12))
    assert "person" not in told
    assert not any(each.id in told for each in signals)
