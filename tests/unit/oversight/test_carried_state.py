"""What a year carries over, as a file: its bytes stay, its shapes are known, a hostile one is refused in words."""

from __future__ import annotations

import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_audit_machinery import eventful

from watchglass.core.errors import BadInput
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.tiles import MAX_STATE_BYTES
from watchglass.oversight import carried
from watchglass.oversight.audit import Auditor
from watchglass.oversight.carried import FORM, SHAPES, Carried
from watchglass.oversight.hashes import Hashes
from watchglass.oversight.report import State

VECTORS = Path(__file__).parents[2] / "vectors/years"
ORIGIN = "small.example/log"
LATER = 1_830_000_000_000


def state_of(entries: list[bytes]) -> bytes:
    auditor = Auditor.unaided(ORIGIN)
    for index, data in enumerate(entries):
        auditor.see(index, data, leaf_hash(data))
    return auditor.carried()


def taken(read: Carried, entries: list[bytes], **more: Any) -> Auditor:
    hashes = Hashes()
    for data in entries:
        hashes.append(leaf_hash(data))
    return Auditor.from_carried(read, hashes, ORIGIN, **{"policy": None, "oversight": None, "now_ms": LATER, **more})


@pytest.fixture(scope="module")
def entries() -> list[bytes]:
    return eventful().entries


@pytest.fixture(scope="module")
def state(entries: list[bytes]) -> bytes:
    return state_of(entries)


def test_the_bytes_of_a_state_stay() -> None:
    """Whoever changes what is found in old entries, or how it is said, counts ``carried.VERSION`` up.

    Then `python tests/vectors/years/make.py` writes both files again.
    """
    entries = json.loads((VECTORS / "entries.json").read_text("utf-8"))
    written = (VECTORS / "state.json").read_bytes()
    assert state_of([each.encode() for each in entries]) == written


def test_a_state_is_taken_up_and_written_again(entries: list[bytes], state: bytes) -> None:
    read = carried.read(state, ORIGIN)
    assert (read.size, read.form) == (len(entries), FORM)
    assert taken(read, entries).carried() == state


def test_the_shape_of_everything_that_a_promise_keeps_is_known() -> None:
    keeps = {each.name: set(each.keeps) for each in Auditor.unaided(ORIGIN).promises if each.keeps}
    assert keeps == {name: set(shape) for name, shape in SHAPES.items()}, "name it in oversight/carried.py"


def test_other_files_are_refused_in_words(entries: list[bytes], state: bytes) -> None:
    for data in (b"", b"{}", b"[]", b"null", b'{"d":3}', state[:-1], state[1:], b"[" * 100_000, b"\xff" * 9):
        with pytest.raises(BadInput, match="damaged"):
            carried.read(data, ORIGIN)
    with pytest.raises(BadInput, match=r"rules of the form '0-old'"):
        carried.read(state.replace(FORM.encode(), b"0-old"), ORIGIN)
    with pytest.raises(BadInput, match=r"not of elsewhere\.example"):
        carried.read(state, "elsewhere.example")
    with pytest.raises(BadInput, match="other entries"):
        taken(carried.read(state, ORIGIN), [*entries[:-1], b"another"])
    with pytest.raises(BadInput, match="other entries"):
        taken(carried.read(state, ORIGIN), entries[:-1])


@pytest.mark.parametrize("bomb", [b"[" * 9_000_000, b"0," * 9_000_000, b" " * (MAX_STATE_BYTES + 1), b'{"d":' * 90_000])
def test_a_bomb_is_refused_before_it_is_read(bomb: bytes) -> None:
    tracemalloc.start()
    with pytest.raises(BadInput, match="damaged"):
        carried.read(bomb, ORIGIN)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 54), 1 << 54) | st.floats(allow_nan=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("btsdx"), inner, max_size=1),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every list or dictionary in it, with each of its places."""
    found = []
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inside:
        found.append((value, key))
        found += places(each)
    return found


@settings(max_examples=12, deadline=None, derandomize=True)
@given(data=st.data())
def test_a_state_that_somebody_made_up_never_stops_an_audit(
    entries: list[bytes], state: bytes, data: st.DataObject
) -> None:
    value = json.loads(state)
    every = places(value)
    for _ in range(data.draw(st.integers(1, 3))):
        holder, key = every[data.draw(st.integers(0, len(every) - 1))]
        old = holder[key]
        number = isinstance(old, int) and not isinstance(old, bool) and data.draw(st.booleans())
        holder[key] = data.draw(st.integers(-(1 << 53), 1 << 53) if number else _JSON)
    try:
        auditor = taken(carried.read(json.dumps(value).encode(), ORIGIN), entries, begun=2027)
    except BadInput:
        return
    more = [*entries, *entries[5:], b"nonsense"]
    for index, entry in enumerate(more[len(entries) :], len(entries)):
        auditor.see(index, entry, leaf_hash(entry))
    report = auditor.finish(Checkpoint(ORIGIN, len(more), auditor.world.hashes.root(len(more))), ())
    assert {each.state for each in report.findings} <= set(State)
    report.encode()


def test_what_a_made_up_state_provokes_is_said_and_no_promise_is_called_kept(
    entries: list[bytes], state: bytes
) -> None:
    read = carried.read(state, ORIGIN)
    read.promises["dark-time"]["every"].clear()
    read.promises["dark-time"]["runs"]["street"] = [("r", True, 1, None, None, ())]
    read.promises["dark-time"]["breaches"].clear()
    auditor = taken(read, entries, begun=2027)
    report = auditor.finish(Checkpoint(ORIGIN, len(entries), auditor.world.hashes.root(len(entries))), ())
    finding = report.by_promise["dark-time"]
    assert finding.state is State.UNSEEN
    assert "stumbled" in finding.sentence
