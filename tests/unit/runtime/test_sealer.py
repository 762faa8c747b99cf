"""The sealer: what it says before anything is recorded, what it loses and counts, and what it refuses to seal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass.core.digest import b64
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, SECOND, month_of
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.footage import Footage
from watchglass.edge.fragments import Coded
from watchglass.ledger.keys import SignerKey
from watchglass.perception.messages import Sealed, SealingSpec, SourceSpec
from watchglass.perception.ports import Packet
from watchglass.perception.recording import Kept
from watchglass.records import statement
from watchglass.runtime import sealing as rules
from watchglass.runtime.sealing import Sealer, Tape, tape_of

ORIGIN = "city.example"
CUSTODIANS = ("control-room", "dpo", "oversight")
NOW = 1_795_000_000_000  # 2026-11-18
IDENTITIES = {name: SignerKey.generate(f"{name}.example", SeededEntropy(name)) for name in CUSTODIANS}


def published(name: str, period: str) -> bytes:
    """A custodian's signed statement of a key of a month."""
    public = X25519PrivateKey.from_private_bytes(SeededEntropy(name + period).bytes(32)).public_key()
    return statement.sign(
        "sealing_key_published",
        origin=ORIGIN,
        role="custodian",
        key=IDENTITIES[name],
        charter=bytes(32),
        now=NOW,
        clear={"custodian": name, "period": period, "key": b64(public.public_bytes_raw())},
        entropy=SeededEntropy("statement"),
    ).encode()


def spec(*statements: bytes) -> SealingSpec:
    return SealingSpec(
        origin=ORIGIN,
        charter=bytes(32),
        always=True,
        before_ms=0,
        after_ms=0,
        segment_ms=10 * SECOND,
        keep_ms=3 * DAY,
        k=2,
        one_of=("oversight",),
        custodians=tuple((name, str(key.verifier)) for name, key in IDENTITIES.items()),
        statements=statements,
        break_glass=None,
        purposes=(("in", "safety"),),
        purpose="safety",
    )


def piece(source: str = "street", size: int = 10) -> Kept:
    return Kept(source, "safety", None, None, (Packet(NOW, True, size, None),), NOW, NOW + SECOND)


@pytest.fixture
def sealer() -> Iterator[Sealer]:
    made = Sealer(lambda _: None, SeededEntropy("sealer"))
    yield made
    made.abandon()


def test_that_too_few_custodians_have_keys_is_said_before_there_is_anything_to_seal(sealer: Sealer) -> None:
    month = month_of(NOW)
    sealer.look("street", spec(published("dpo", month), published("control-room", month)), NOW)
    assert "without oversight" in sealer.trouble["street"]
    assert sealer.dropped == 0
    enough = (published("dpo", month), published("oversight", month))
    sealer.use_keys(enough)
    sealer.look("street", spec(), NOW)
    assert sealer.trouble == {}


def test_that_nobody_has_a_key_of_the_next_month_is_said_three_days_ahead(sealer: Sealer) -> None:
    month = month_of(NOW)
    works = spec(published("dpo", month), published("oversight", month))
    sealer.look("street", works, NOW)
    assert (sealer.trouble, sealer.ahead) == ({}, {})
    late = NOW + 11 * DAY
    assert (month_of(late), month_of(late + 2 * DAY)) == (month, "2026-12")
    sealer.look("street", works, late)
    assert sealer.trouble == {}
    assert sealer.ahead["street"].startswith("from 2026-12 on: Nothing can be recorded: without")
    sealer.use_keys((*works.statements, published("dpo", "2026-12"), published("oversight", "2026-12")))
    sealer.look("street", works, late)
    assert sealer.ahead == {}
    sealer.use_keys(works.statements)
    sealer.look("street", works, late + 2 * DAY)
    assert "2026-12" not in sealer.ahead
    assert "without" in sealer.trouble["street"]


def waits(sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Let the sealer's thread wait within its work."""
    go = threading.Event()
    monkeypatch.setattr(sealer, "_sealed", lambda kept, _tape, _spec: go.wait(30) and kept)
    return go


def test_what_comes_too_fast_is_lost_counted_and_said(sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    go = waits(sealer, monkeypatch)
    monkeypatch.setattr(rules, "_MOST_WAITING", 3)
    for _ in range(5):
        sealer.take(piece(), cast("Tape", None), spec())
    assert (sealer.dropped, sealer.dropped_of("street"), sealer.dropped_of("attic")) == (2, 2, 0)
    assert "more is recorded than can be sealed" in sealer.trouble["street"]
    go.set()
    sealer.finish()
    assert sealer.dropped == 2


def test_large_pieces_wait_in_bounded_memory(sealer: Sealer, monkeypatch: pytest.MonkeyPatch) -> None:
    go = waits(sealer, monkeypatch)
    monkeypatch.setattr(rules, "_MOST_OCTETS", 100)
    for size in (500, 60, 30):
        sealer.take(piece(size=size), cast("Tape", None), spec())
    assert sealer.dropped == 2, "one is always taken, however large"
    go.set()
    assert sealer._settled()
    for size in (60, 30):
        sealer.take(piece(size=size), cast("Tape", None), spec())
    sealer.finish()
    assert sealer.dropped == 2


def test_while_it_finishes_it_lets_its_worker_say_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_WORD_S", 0.01)
    done: list[Sealed] = []
    sealer = Sealer(done.append, SeededEntropy("sealer"))
    go = waits(sealer, monkeypatch)
    sealer.take(piece(), cast("Tape", None), spec())
    words: list[int] = []

    def word() -> None:
        words.append(len(done))
        if len(words) == 3:
            go.set()

    sealer.finish(word)
    assert words[:3] == [0, 0, 0]
    assert len(done) == 1


class Stream:
    """A stream of which only the shape matters here."""

    def __init__(self, size: tuple[int, int] | None) -> None:
        self.size = size
        self.coded = cast("Coded", object())
        self.fps = 25.0
        self.decoder: Callable[[], None] = lambda: None


HIDDEN = SourceSpec("street", "x", (), never_see=(((0.0, 0.0), (9.0, 0.0), (9.0, 9.0)),))


def tape(size: tuple[int, int] | None, source: SourceSpec, drawn_on: tuple[int, int] | None) -> Tape:
    return tape_of(cast("Footage", Stream(size)), source, drawn_on)


def test_areas_that_were_drawn_on_another_picture_are_not_burned_into_the_wrong_place() -> None:
    assert tape((1920, 1080), HIDDEN, (1920, 1080)).burn
    for drawn_on in ((1280, 720), None):
        with pytest.raises(BadInput, match="1920x1080, and its `never_see` areas were drawn on another"):
            tape((1920, 1080), HIDDEN, drawn_on)
    assert not tape((1920, 1080), replace(HIDDEN, never_see=()), (1280, 720)).burn


@pytest.mark.parametrize("footage", [None, Stream(None), SimpleNamespace(size=(2, 2), coded=None)])
def test_what_is_not_known_is_not_sealed_and_that_is_an_error(footage: object) -> None:
    with pytest.raises(BadInput, match="not known what the camera sends"):
        tape_of(cast("Footage | None", footage), HIDDEN, (2, 2))
