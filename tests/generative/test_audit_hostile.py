"""The auditor reads an adversary's data: whatever stands in an entry, it goes on, says so, and keeps little."""

from __future__ import annotations

import json
import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from thorough import tries
from watchglass.acts.run_record import start_run
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.growth import Growth
from watchglass.ledger.merkle import leaf_hash
from watchglass.oversight.audit import Auditor
from watchglass.oversight.report import MOST_BREACHES, Report
from world import make_house

ORIGIN = "demo.test.example"


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """The entries of a small real log: a charter, a run, alerts, verdicts, an order to stop."""
    with make_house(tmp_path_factory.mktemp("life")) as world:
        start_run(world.house.acting, world.house.standing().charter, {}, ["street"])
        for _ in range(3):
            world.decide(world.raise_alert())
        world.suspend("on-the-lawn")
        world.settle()
        return world.entries()


def read(entries: list[bytes]) -> Report:
    auditor = Auditor(ORIGIN, policy=None, oversight=None, now_ms=1_795_435_200_000)
    growth = Growth()
    for index, data in enumerate(entries):
        auditor.see(index, data, leaf_hash(data))
    growth.append(entries)
    report = auditor.finish(Checkpoint(ORIGIN, len(entries), growth.root()), ())
    again = Auditor.from_memory(auditor.memory(), ORIGIN, policy=None, oversight=None, now_ms=1_795_435_200_000)
    assert again.finish(Checkpoint(ORIGIN, len(entries), growth.root()), ()) == report
    assert "stumbled" not in json.dumps(report.as_json())
    return report


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=20,
)
slow = settings(max_examples=tries(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@slow
@given(entry=st.binary(max_size=400) | _JSON.map(lambda value: json.dumps(value).encode()), at=st.integers(0, 30))
def test_foreign_bytes_are_a_breach_and_no_more(life: list[bytes], entry: bytes, at: int) -> None:
    place = min(at, len(life))
    report = read([*life[:place], entry, *life[place:]])
    (named,) = [each for each in report.by_promise["well-formed"].breaches if place in each.entries][:1] or [None]
    assert named is not None


@slow
@given(data=st.data())
def test_a_real_entry_with_other_values_never_stops_it(life: list[bytes], data: st.DataObject) -> None:
    entries = list(life)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(entries) - 1))
        value = json.loads(life[at])
        member = data.draw(st.sampled_from(sorted(value)))
        inside = value[member]
        if isinstance(inside, dict) and inside and data.draw(st.booleans()):
            inside[data.draw(st.sampled_from(sorted(inside)))] = data.draw(_JSON)
        else:
            value[member] = data.draw(_JSON)
        entries[at] = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()
    read(entries)


@slow
@given(data=st.data())
def test_any_order_any_repetition(life: list[bytes], data: st.DataObject) -> None:
    read(data.draw(st.lists(st.sampled_from(life), max_size=2 * len(life))))


def test_a_flood_of_nonsense_costs_little_memory() -> None:
    auditor = Auditor(ORIGIN, policy=None, oversight=None, now_ms=1_795_435_200_000)
    growth, flood = Growth(), 20_000
    tracemalloc.start()
    for index in range(flood):
        data = b'{"act":"%d","hour":"%s"}' % (index, b"x" * 200)
        digest = leaf_hash(data)
        auditor.see(index, data, digest)
        growth.append([data], [digest])
    report = auditor.finish(Checkpoint(ORIGIN, flood, growth.root()), ())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    finding = report.by_promise["well-formed"]
    assert (finding.total, len(finding.breaches)) == (flood, MOST_BREACHES)
    assert peak < flood * 400


def test_the_largest_entries_are_read_and_not_kept() -> None:
    auditor = Auditor(ORIGIN, policy=None, oversight=None, now_ms=1_795_435_200_000)
    tracemalloc.start()
    for index in range(300):
        data = (b'{"v":1,"act":"alert_raised","clear":{"analytic":"%s"}}' % (b"%d" % index * 20_000))[:65_535]
        auditor.see(index, data, leaf_hash(data))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 << 20
