"""A recorder's heartbeats in the making: whole intervals, honest counts, one chain, and none while it hangs."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchglass.core.digest import b64, sha256
from watchglass.core.time import MINUTE, SECOND
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger.keys import SignerKey, VerifierKey
from watchglass.ledger.merkle import EMPTY_ROOT, leaf_hash, node_hash
from watchglass.perception.messages import (
    Follow,
    Health,
    Heartbeats,
    HeartbeatSpec,
    Incident,
    Pins,
    RecorderKey,
    Report,
    Sealed,
    SourceSpec,
)
from watchglass.records.statement import SignedStatement, verify
from watchglass.runtime import pulse as pulses
from watchglass.runtime.heart import Heart
from watchglass.runtime.pulse import HUNG_MS, MOMENT_S, SET_BACK_MS, Pulse, segments_root

ORIGIN = "demo.test.example"
T0 = 1_795_435_200  # noon, a whole minute
EVERY = 60
SPEC = HeartbeatSpec(ORIGIN, b"c" * 32, EVERY, ("street",))
RUN = "0123456789abcdef"
ON = frozenset({"lawn"})


def a_pulse(began_s: float = T0) -> Pulse:
    entropy = SeededEntropy("pulse")
    key = SignerKey.generate("recorder/a", entropy)
    return Pulse("a", SPEC, key, entropy, {"street": b"m" * 32}, round(began_s * SECOND))


def live(pulse: Pulse, from_s: float, to_s: float, running: frozenset[str] = ON, step_s: float = 0.5) -> None:
    at = from_s
    while at <= to_s:
        pulse.live(round(at * SECOND), running)
        at += step_s


def line(frames: int, decoded: int = 0, **dropped: int) -> Health:
    return Health("a", 0, 0.0, 0.0, frames, decoded, 0, (), dropped=dropped)


def after(sequence: int, to_s: int = 0) -> Follow:
    return Follow("a", RUN, sequence, bytes([sequence + 1]) * 32 if sequence >= 0 else None, to_s)


def read(data: bytes | None) -> SignedStatement:
    assert data is not None
    return SignedStatement.parse(data)


def all_of(pulse: Pulse, now_s: float, sequence: int = -1, to_s: int = 0) -> list[SignedStatement]:
    """Every beat that comes when the house answers each at once."""
    found = []
    pulse.follow(after(sequence, to_s))
    while (data := pulse.due(round(now_s * SECOND))) is not None:
        found.append(read(data))
        clear = found[-1].leaf.clear
        pulse.follow(after(clear["sequence"], clear["to_s"]))
    return found


def spans(beats: list[SignedStatement]) -> list[tuple[int, int]]:
    return [(each.leaf.clear["from_s"] - T0, each.leaf.clear["to_s"] - T0) for each in beats]


def test_intervals_end_at_whole_multiples_and_the_first_and_the_last_are_shorter() -> None:
    pulse = a_pulse(T0 + 7.2)
    live(pulse, T0 + 7.2, T0 + 130.7)
    pulse.finish((T0 + 131) * SECOND)
    assert spans(all_of(pulse, T0 + 131)) == [(8, 60), (60, 120), (120, 131)]


def test_a_quiet_source_still_beats_and_says_that_nothing_came() -> None:
    pulse = a_pulse()
    live(pulse, T0, T0 + 60)
    (beat,) = all_of(pulse, T0 + 60)
    assert (beat.leaf.clear["received"], beat.leaf.clear["running"]) == (0, ["lawn"])
    assert beat.values["alerts"] == beat.values["decoded"] == 0
    assert beat.values["segments"] == b64(EMPTY_ROOT)


def test_a_beat_is_signed_by_its_key_and_tells_what_happened() -> None:
    pulse = a_pulse()
    live(pulse, T0, T0 + 30)
    pulse.heard(
        line(100, 40, damaged_packets=2, late_ms=500, queue_ms=7, recorded_damaged_packets=9, reopened=1, clips=4)
    )
    pulse.raised()
    pulse.sealed(b"2" * 32)
    pulse.sealed(b"1" * 32)
    pulse.heard(line(250, 90, damaged_packets=3, late_ms=900))
    live(pulse, T0 + 30, T0 + 60, frozenset({"bays"}))
    (beat,) = all_of(pulse, T0 + 60)
    assert verify(beat, origin=ORIGIN, keys={"recorder": (pulse.key.verifier,)})["alerts"] == 1
    clear, values = beat.leaf.clear, beat.values
    assert (clear["received"], clear["running"]) == (250, ["bays", "lawn"])
    assert (clear["run"], clear["sequence"], clear["previous"]) == (RUN, 0, None)
    assert clear["models"] == {"street": b64(b"m" * 32)}
    assert (values["decoded"], values["dropped"]) == (90, 3)
    assert values["segments"] == b64(node_hash(leaf_hash(b"1" * 32), leaf_hash(b"2" * 32)))


def test_counters_that_begin_anew_are_not_counted_twice_nor_below_nothing() -> None:
    pulse = a_pulse()
    pulse.heard(line(100, 10))
    pulse.heard(line(30, 5))
    pulse.heard(line(40, 6))
    live(pulse, T0, T0 + 60)
    (beat,) = all_of(pulse, T0 + 60)
    assert (beat.leaf.clear["received"], beat.values["decoded"]) == (140, 16)


def test_what_ran_at_the_end_of_an_interval_is_not_said_of_the_next() -> None:
    pulse = a_pulse()
    live(pulse, T0, T0 + 59.5)
    live(pulse, T0 + 60, T0 + 120, frozenset())
    first, second = all_of(pulse, T0 + 120)
    assert first.leaf.clear["running"] == ["lawn"]
    assert second.leaf.clear["running"] == []


def test_the_next_is_signed_only_when_the_house_has_answered_for_the_last() -> None:
    pulse = a_pulse()
    live(pulse, T0, T0 + 180)
    assert pulse.due(T0 * SECOND) is None  # nobody has said yet what the first goes on from
    pulse.follow(after(-1))
    first = read(pulse.due((T0 + 180) * SECOND))
    assert pulse.due((T0 + 180) * SECOND) is None
    assert pulse.held
    pulse.follow(after(0, T0 + 60))
    second = read(pulse.due((T0 + 180) * SECOND))
    assert first.leaf.clear["previous"] is None
    assert second.leaf.clear["previous"] == b64(b"\x01" * 32)
    assert second.leaf.clear["sequence"] == 1


def test_a_beat_that_was_turned_away_is_left_out_and_the_chain_goes_on() -> None:
    pulse = a_pulse()
    live(pulse, T0, T0 + 120)
    pulse.follow(after(4))
    assert read(pulse.due((T0 + 120) * SECOND)).leaf.clear["sequence"] == 5
    pulse.follow(after(7))  # not 5: the house has another truth
    beat = read(pulse.due((T0 + 120) * SECOND))
    assert beat.leaf.clear["sequence"] == 8
    assert spans([beat]) == [(60, 120)]


def test_a_worker_that_hangs_gives_no_beat_for_that_time() -> None:
    pulse = a_pulse()
    live(pulse, T0, T0 + 20)
    live(pulse, T0 + 20 + HUNG_MS / SECOND + 50.5, T0 + 120)
    assert spans(all_of(pulse, T0 + 120)) == [(0, 20), (76, 120)]


def test_the_moment_in_which_it_ends_is_no_interval_of_its_own_unless_something_happened() -> None:
    quiet, busy = a_pulse(), a_pulse()
    for pulse in (quiet, busy):
        live(pulse, T0, T0 + 60)
    busy.sealed(b"s" * 32)
    for pulse in (quiet, busy):
        pulse.finish((T0 + 61) * SECOND)
    assert spans(all_of(quiet, T0 + 61)) == [(0, 60)]
    assert spans(all_of(busy, T0 + 61)) == [(0, 60), (60, 61)]


def test_a_stall_that_is_shorter_changes_nothing() -> None:
    pulse = a_pulse()
    live(pulse, T0, T0 + 58)
    live(pulse, T0 + 58 + HUNG_MS / SECOND, T0 + 120)
    assert spans(all_of(pulse, T0 + 120)) == [(0, 60), (60, 120)]


def test_a_clock_set_back_a_little_is_waited_for_and_no_second_told_twice() -> None:
    pulse = a_pulse()
    live(pulse, T0, T0 + 100)
    live(pulse, T0 + 40, T0 + 180)
    assert spans(all_of(pulse, T0 + 180)) == [(0, 60), (60, 120), (120, 180)]


def test_a_clock_set_back_far_begins_anew() -> None:
    pulse, back = a_pulse(), SET_BACK_MS // SECOND + 120
    live(pulse, T0, T0 + 100)
    live(pulse, T0 + 100 - back, T0 + 180 - back)
    assert spans(all_of(pulse, T0 + 180))[:3] == [(0, 60), (60, 100), (100 - back, 120 - back)]


def test_what_the_former_recorder_told_is_not_told_again_and_its_counts_are_not_lost() -> None:
    pulse = a_pulse()
    pulse.raised()
    live(pulse, T0, T0 + 60)
    pulse.raised()
    live(pulse, T0 + 60, T0 + 120)
    beats = all_of(pulse, T0 + 120, sequence=9, to_s=T0 + 70)
    assert spans(beats) == [(70, 120)]
    assert beats[0].values["alerts"] == 2


def test_a_chain_that_is_told_further_than_it_waits_keeps_what_happened_for_the_next() -> None:
    pulse = a_pulse()
    pulse.raised()
    live(pulse, T0, T0 + 60)
    pulse.follow(after(3, T0 + 60))
    assert pulse.due((T0 + 60) * SECOND) is None
    live(pulse, T0 + 60, T0 + 120)
    assert read(pulse.due((T0 + 120) * SECOND)).values["alerts"] == 1


def test_what_waits_is_bounded_and_the_beat_on_its_way_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulses, "MOST_WAITING", 3)
    pulse = a_pulse()
    live(pulse, T0, T0 + 60)
    pulse.follow(after(-1))
    assert spans([read(pulse.due((T0 + 60) * SECOND))]) == [(0, 60)]
    live(pulse, T0 + 60, T0 + 360)
    assert pulse.lost == 3
    pulse.follow(after(0, T0 + 60))
    assert spans([read(pulse.due((T0 + 360) * SECOND))]) == [(240, 300)]


@given(st.lists(st.integers(-700_000, 90_000), max_size=60), st.integers(0, 59_999))
def test_whatever_the_clock_does_intervals_are_no_longer_than_the_charter_says(steps: list[int], began: int) -> None:
    now = T0 * SECOND + began
    pulse = a_pulse(now / SECOND)
    for step in steps:
        now += step
        pulse.live(now, ON)
    pulse.finish(now)
    for start, end in spans(all_of(pulse, now / SECOND)):
        assert 0 < end - start <= EVERY


@given(st.lists(st.integers(0, HUNG_MS), max_size=60), st.integers(0, 59_999))
def test_while_it_lives_no_second_is_missing_and_none_told_twice(steps: list[int], began: int) -> None:
    now = T0 * SECOND + began
    pulse = a_pulse(now / SECOND)
    for step in steps:
        now += step
        pulse.live(now, ON)
    pulse.finish(now)
    told = spans(all_of(pulse, now / SECOND))
    assert all(left[1] == right[0] for left, right in pairwise(told))
    lived = max(0, now // SECOND - -(-(T0 * SECOND + began) // SECOND))
    assert lived - MOMENT_S <= sum(end - start for start, end in told) <= lived


def test_the_order_in_which_segments_were_sealed_tells_nothing() -> None:
    hashes = [sha256(bytes([n])) for n in range(5)]
    assert segments_root(hashes) == segments_root(reversed(hashes))


# ---- the heart of a worker -------------------------------------------------------------------------------------------


def a_heart(sent: list[Report], *names: str) -> Heart:
    specs = tuple(SourceSpec(name, "", (), heartbeat=SPEC if name != "mute" else None) for name in names)
    return Heart(specs, send=sent.append, entropy=SeededEntropy("heart"), models_of=lambda _: {}, now_ms=T0 * SECOND)


def go(heart: Heart, seconds: int) -> None:
    pairs = frozenset({("a", "lawn"), ("b", "bays")})
    for half in range(2 * seconds + 1):
        heart.beat(T0 * SECOND + 500 * half, pairs)


def test_one_key_for_one_worker_and_none_where_the_charter_asks_for_no_heartbeats() -> None:
    sent: list[Report] = []
    a_heart(sent, "a", "b", "mute")
    (named,) = sent
    assert isinstance(named, RecorderKey)
    assert named.sources == ("a", "b")
    assert VerifierKey.parse(named.vkey).name == "recorder/a"
    silent: list[Report] = []
    go(a_heart(silent, "mute"), 120)
    assert silent == []


def test_all_sources_of_a_worker_beat_in_one_message() -> None:
    sent: list[Report] = []
    heart = a_heart(sent, "a", "b")
    for name in ("a", "b"):
        heart.follow(Follow(name, RUN, -1, None, 0))
    go(heart, 60)
    (message,) = [each for each in sent if isinstance(each, Heartbeats)]
    beats = [SignedStatement.parse(data) for data in message.statements]
    assert [(each.leaf.clear["source"], each.leaf.clear["running"]) for each in beats] == [
        ("a", ["lawn"]),
        ("b", ["bays"]),
    ]


def test_reports_go_on_as_they_are_and_are_counted_on_their_way() -> None:
    sent: list[Report] = []
    heart = a_heart(sent, "a")
    incident = Incident("0" * 16, "a", "lawn", "intrusion", None, 0, None, "", {}, b"", ())
    reports: list[Report] = [
        line(50, 20),
        incident,
        Sealed("a", "1" * 16, None, None, 0, 1, b"", b"s" * 32),
        Pins("a", 0, (), 0),
        Incident("0" * 16, "elsewhere", "lawn", "intrusion", None, 0, None, "", {}, b"", ()),
    ]
    for report in reports:
        heart.send(report)
    assert sent[1:] == reports
    heart.follow(Follow("a", RUN, -1, None, 0))
    go(heart, 60)
    assert isinstance(sent[-1], Heartbeats)
    beat = SignedStatement.parse(sent[-1].statements[0])
    assert (beat.leaf.clear["received"], beat.values["alerts"]) == (50, 1)
    assert beat.values["segments"] == b64(segments_root([b"s" * 32]))


def test_at_the_end_everything_is_signed_that_the_house_answers_for() -> None:
    sent: list[Report] = []
    heart = a_heart(sent, "a")
    go(heart, 65)
    heart.finish((T0 + 70) * SECOND)
    assert not heart.settle((T0 + 70) * SECOND)
    heart.follow(Follow("a", RUN, -1, None, 0))
    assert not heart.settle((T0 + 70) * SECOND)
    heart.follow(Follow("a", RUN, 0, b"x" * 32, T0 + 60))
    assert heart.settle((T0 + 70) * SECOND)
    told = [SignedStatement.parse(each.statements[0]) for each in sent if isinstance(each, Heartbeats)]
    assert spans(told) == [(0, 60), (60, 70)]
    assert MINUTE == EVERY * SECOND
