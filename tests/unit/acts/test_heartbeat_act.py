"""Heartbeats as the house takes them in: only the named recorder's, whole, in order; what is false stays out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from watchglass.acts.apply_retention import apply_retention
from watchglass.acts.heartbeat import SET_BACK_MS, Kept, Link, keep_beats, name_recorder
from watchglass.acts.run_record import start_run, stop_run
from watchglass.charter.model import Charter
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, DidNotVerify, Problem
from watchglass.core.time import HOUR, MINUTE, SECOND
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.perception.messages import Follow, Health, Heartbeats, RecorderKey
from watchglass.runtime.pulses import Pulses
from world import World, make_house

ENTROPY = SeededEntropy("recorders")
EVERY = 10
"""Seconds: what the demo's charter asks for."""


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path) as made:
        yield made


def charter_of(world: World) -> Charter:
    charter = world.standing().charter
    assert charter is not None
    assert charter.ledger.heartbeat_every_ms == EVERY * SECOND
    return charter


def a_run(world: World) -> str:
    return start_run(world.house.acting, charter_of(world), {}, ["street"]).value


class Recorder:
    """Signs as a worker does, and lies where a test says so."""

    def __init__(self, world: World, run: str, *, named: bool = True, sources: tuple[str, ...] = ("street",)) -> None:
        self.world, self.run = world, run
        self.key = SignerKey.generate("recorder/street", ENTROPY)
        self.link = Link()
        if named:
            links = name_recorder(world.house.acting, charter_of(world), run, self.vkey, sources).value
            self.link = links["street"]
        self.at_s = world.clock.now() // SECOND

    @property
    def vkey(self) -> str:
        return str(self.key.verifier)

    def beat(self, *, key: SignerKey | None = None, charter: bytes | None = None, **lies: Any) -> bytes:
        clear: dict[str, Any] = {
            "source": "street",
            "run": self.run,
            "sequence": self.link.sequence + 1,
            "previous": b64(self.link.leaf_hash) if self.link.leaf_hash else None,
            "from_s": self.at_s - EVERY,
            "to_s": self.at_s,
            "software": "watchglass-test",
            "models": {},
            "running": ["on-the-lawn"],
            "received": 250,
        }
        signed = {"decoded": 3, "dropped": 0, "alerts": 1, "segments": b64(sha256(b""))}
        now = lies.pop("now", self.world.clock.now())
        origin = lies.pop("origin", None)
        statement = self.world.sign(
            "heartbeat",
            "recorder",
            clear | lies,
            signed,
            key=key or self.key,
            charter=charter or charter_of(self.world).sha256,
            now=now,
            origin=origin,
        )
        return statement.encode()

    def keep(self, *statements: bytes) -> Kept:
        kept = keep_beats(self.world.house.acting, self.run, statements).value
        self.link = kept.links.get("street", self.link)
        return kept

    def pass_time(self, seconds: int = EVERY) -> None:
        self.world.clock.advance(seconds * SECOND)
        self.at_s += seconds


def rows(world: World, table: str) -> list[dict[str, Any]]:
    return [dict(row) for row in world.house.store.read().all(f"SELECT * FROM {table}")]


def test_a_recorder_is_named_with_its_run_its_key_and_its_sources(world: World) -> None:
    run = a_run(world)
    recorder = Recorder(world, run)
    (record,) = world.records("recorder_named")
    assert record.leaf.clear == {"run": run, "vkey": recorder.vkey, "sources": ["street"]}
    assert recorder.link == Link()


def test_beats_make_one_chain_and_are_sealed_to_oversight(world: World) -> None:
    recorder = Recorder(world, a_run(world))
    for _ in range(3):
        recorder.pass_time()
        assert not recorder.keep(recorder.beat()).turned
    records = world.records("heartbeat")
    assert [record.leaf.clear["sequence"] for record in records] == [0, 1, 2]
    hashes = [None, *(b64(record.hash) for record in records)]
    assert [record.leaf.clear["previous"] for record in records] == hashes[:-1]
    assert {record.leaf.role for record in records} == {"recorder"}
    assert records[0].fields["alerts"] == 1
    assert recorder.link.leaf_hash == records[-1].hash
    (told,) = rows(world, "watched")
    assert (told["beats"], told["to_s"] - told["from_s"], told["state"]) == (3, 3 * EVERY, "seen")
    assert told["first_leaf_hash"] == records[0].hash
    assert told["last_leaf_hash"] == records[-1].hash


def test_beats_that_say_something_else_are_told_apart(world: World) -> None:
    recorder = Recorder(world, a_run(world))
    for lies in ({}, {"received": 0}, {"received": 0, "running": []}, {}):
        recorder.pass_time()
        recorder.keep(recorder.beat(**lies))
    recorder.pass_time(3 * EVERY)
    recorder.keep(recorder.beat())
    told = rows(world, "watched")
    assert [row["state"] for row in told] == ["seen", "blind", "idle", "seen", "seen"]
    assert told[-1]["from_s"] - told[-2]["to_s"] == 2 * EVERY


@pytest.mark.parametrize(
    ("lies", "says"),
    [
        ({"sequence": 7}, "does not follow"),
        ({"previous": b64(bytes(32))}, "does not follow"),
        ({"run": "f" * 16}, "another run or charter"),
        ({"charter": bytes(32)}, "another run or charter"),
        ({"from_s": 1_795_435_200 - 3600}, "too long"),
        ({"from_s": 1_795_435_200 + 60, "to_s": 1_795_435_200 + 60}, "empty"),
        ({"from_s": 1_795_435_200 + 100, "to_s": 1_795_435_200 + 109}, "not over yet"),
        ({"source": "harbour"}, "may not speak for it"),
        ({"key": SignerKey.generate("recorder/street", SeededEntropy("a thief"))}, "may not speak for it"),
        ({"now": 1_795_435_200_000 - 3 * HOUR}, "signed in the hour"),
        ({"origin": "other.example"}, "other.example"),
    ],
)
def test_a_false_beat_stays_out_and_nothing_of_it_is_written(world: World, lies: dict[str, Any], says: str) -> None:
    recorder = Recorder(world, a_run(world))
    recorder.pass_time()
    before = world.state()
    (turned,) = recorder.keep(recorder.beat(**lies)).turned
    assert says in turned.error.message
    assert world.state() == before
    assert not recorder.keep(recorder.beat()).turned


def test_what_is_no_beat_at_all_stays_out(world: World) -> None:
    recorder = Recorder(world, a_run(world))
    other = world.sign("suspension_ordered", "oversight", {"scope": "all", "analytic": None}, {"reason": "x"})
    before = world.state()
    kept = recorder.keep(b"", b"{}", other.encode(), recorder.beat()[:-90] + b"\n")
    assert len(kept.turned) == 4
    assert world.state() == before


def test_a_changed_number_breaks_the_signature(world: World) -> None:
    recorder = Recorder(world, a_run(world))
    recorder.pass_time()
    (turned,) = recorder.keep(recorder.beat().replace(b'"received":250', b'"received":251')).turned
    assert isinstance(turned.error, DidNotVerify)
    assert turned.own


def test_a_changed_opening_does_not_match_what_was_signed(world: World) -> None:
    recorder = Recorder(world, a_run(world))
    recorder.pass_time()
    data = recorder.beat()
    assert b'"value":3' in data
    (turned,) = recorder.keep(data.replace(b'"value":3', b'"value":4')).turned
    assert isinstance(turned.error, DidNotVerify)


def test_a_beat_counts_once(world: World) -> None:
    recorder = Recorder(world, a_run(world))
    recorder.pass_time()
    beat = recorder.beat()
    assert not recorder.keep(beat).turned
    (turned,) = recorder.keep(beat).turned
    assert isinstance(turned.error, Problem)
    assert turned.own
    assert len(world.records("heartbeat")) == 1


def test_one_false_beat_among_good_ones_takes_none_with_it(world: World) -> None:
    recorder = Recorder(world, a_run(world))
    recorder.pass_time()
    good = recorder.beat()
    kept = recorder.keep(recorder.beat(sequence=5), good)
    assert len(kept.turned) == 1
    assert kept.links["street"].sequence == 0


def test_a_key_of_a_run_that_is_over_speaks_no_more(world: World) -> None:
    old = Recorder(world, a_run(world))
    old.pass_time()
    old.keep(old.beat())
    stop_run(world.house.acting, charter_of(world), old.run, "asked")
    new = Recorder(world, a_run(world))
    old.pass_time()
    (turned,) = keep_beats(world.house.acting, new.run, [old.beat()]).value.turned
    assert not turned.own


def test_another_process_goes_on_with_the_chain(world: World) -> None:
    first = Recorder(world, a_run(world))
    first.pass_time()
    first.keep(first.beat())
    second = Recorder(world, first.run)  # the worker died and was started again
    assert second.link == first.link
    second.pass_time(30)
    assert not second.keep(second.beat()).turned
    assert world.records("heartbeat")[1].leaf.clear["previous"] == b64(world.records("heartbeat")[0].hash)


def test_no_second_is_told_twice(world: World) -> None:
    recorder = Recorder(world, a_run(world))
    recorder.pass_time()
    recorder.keep(recorder.beat())
    (turned,) = recorder.keep(recorder.beat()).turned
    assert "told before" in turned.error.message


def test_after_the_clock_was_set_back_far_the_chain_begins_again_in_the_open(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder(world, a_run(world))
    recorder.pass_time(SET_BACK_MS // SECOND + 3600)
    recorder.keep(recorder.beat())
    monkeypatch.setattr(world.clock, "_now", world.clock.now() - SET_BACK_MS - 30 * MINUTE)
    other = Recorder(world, recorder.run)
    assert other.link.to_s == 0
    assert not other.keep(other.beat()).turned
    first, second = world.records("heartbeat")
    assert second.leaf.clear["from_s"] < first.leaf.clear["to_s"]  # everybody can see it


def test_a_key_is_named_once_and_signs(world: World) -> None:
    run = a_run(world)
    recorder = Recorder(world, run)
    acting, charter = world.house.acting, charter_of(world)
    with pytest.raises(BadInput, match="named before"):
        name_recorder(acting, charter, run, recorder.vkey, ["street"])
    with pytest.raises(BadInput, match="no source called harbour"):
        name_recorder(acting, charter, run, str(SignerKey.generate("r", ENTROPY).verifier), ["harbour"])
    with pytest.raises(BadInput, match="no source"):
        name_recorder(acting, charter, run, str(SignerKey.generate("r", ENTROPY).verifier), [])
    witness = SignerKey.generate("w", ENTROPY, KeyType.COSIGNATURE_V1)
    with pytest.raises(BadInput, match="Ed25519"):
        name_recorder(acting, charter, run, str(witness.verifier), ["street"])
    assert len(world.records("recorder_named")) == 1


def test_a_run_keeps_its_edges(world: World) -> None:
    run = a_run(world)
    stop_run(world.house.acting, charter_of(world), run, "asked")
    cut = a_run(world)
    a_run(world)
    kept = {row["run"]: (row["cause"], row["every_s"]) for row in rows(world, "run")}
    assert kept[run] == ("asked", EVERY)
    assert kept[cut] == ("found_after_crash", EVERY)
    assert [cause for cause, _ in kept.values()].count(None) == 1


def test_what_opens_a_heartbeat_is_destroyed_when_the_alerts_of_its_time_are(world: World) -> None:
    recorder = Recorder(world, a_run(world))
    recorder.pass_time()
    recorder.keep(recorder.beat())
    world.settle()
    charter = charter_of(world)
    recorder.pass_time(charter.safeguards.retention.alerts_ms // SECOND + 2 * 3600)
    recorder.keep(recorder.beat())
    world.settle()
    assert [bool(record.fields) for record in world.records("heartbeat")] == [True, True]
    assert apply_retention(world.house.acting, charter)["openings"] >= 1
    assert [bool(record.fields) for record in world.records("heartbeat")] == [False, True]
    assert {"what": "openings"} in [record.leaf.clear for record in world.records("retention_applied")]
    assert apply_retention(world.house.acting, charter)["openings"] == 0


# ---- in the house ----------------------------------------------------------------------------------------------------


class Office:
    """The house's side, with what it answers."""

    def __init__(self, world: World) -> None:
        self.answers: list[Follow] = []
        self.pulses = Pulses(world.house.acting, lambda _, order: self.answers.append(order))
        self.run = a_run(world)
        self.pulses.begin(charter_of(world), self.run)
        self.recorder = Recorder(world, self.run, named=False)
        self.pulses.take(RecorderKey(self.recorder.vkey, ("street",)))

    def beat(self, **lies: Any) -> None:
        self.recorder.link = Link(self.answers[-1].sequence, self.answers[-1].leaf_hash)
        self.pulses.take(Heartbeats((self.recorder.beat(**lies),)))

    def health(self, fault: str | None = None) -> Health:
        return self.pulses.told(Health("street", 0, 0.0, 0.0, 0, 0, 0, (), fault=fault))


def test_a_recorder_is_told_what_to_go_on_from_and_that_each_beat_was_taken(world: World) -> None:
    office = Office(world)
    assert office.answers == [Follow("street", office.run, -1, None, 0)]
    office.recorder.pass_time()
    office.beat()
    (record,) = world.records("heartbeat")
    assert office.answers[-1] == Follow("street", office.run, 0, record.hash, record.leaf.clear["to_s"])
    assert office.health().fault is None
    assert office.health().notes == ()


def test_a_beat_that_is_turned_away_is_answered_and_shows_in_the_sources_health(world: World) -> None:
    office = Office(world)
    office.recorder.pass_time()
    office.beat(sequence=9)
    assert office.answers[-1] == Follow("street", office.run, -1, None, 0)
    assert "1 heartbeat was turned away" in office.health().notes[0]
    office.beat(sequence=9)
    assert "2 heartbeats were turned away" in office.health().notes[0]


def test_who_may_not_speak_for_a_source_gets_no_answer_that_would_mislead_its_recorder(world: World) -> None:
    office = Office(world)
    office.recorder.pass_time()
    answers = len(office.answers)
    office.beat(key=SignerKey.generate("recorder/street", ENTROPY))
    assert len(office.answers) == answers
    assert "may not speak" in office.health().notes[0]


def test_an_overdue_heartbeat_shows_in_the_sources_health(world: World) -> None:
    office = Office(world)
    assert office.health().fault is None
    office.recorder.pass_time(2 * EVERY + 15)
    assert office.health().fault is None
    office.recorder.pass_time(1)
    assert office.health().fault == "no heartbeat was recorded in this run"
    office.beat()
    assert office.health().fault is None
    office.recorder.pass_time(2 * EVERY + 16)
    assert str(office.health().fault).startswith("no heartbeat was recorded since 2026-11-23T12:00")
    told = office.health("lost")
    assert told.fault == "lost"
    assert "no heartbeat" in told.notes[0]


def test_while_nothing_can_be_recorded_a_beat_waits_and_its_recorder_with_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    office = Office(world)
    office.recorder.pass_time()
    answers = len(office.answers)
    with monkeypatch.context() as broken:
        broken.setattr(world.house.acting.recorder, "_oversight", None)
        broken.setattr(world.house.acting.recorder, "_key", None)
        office.beat()
        assert len(office.answers) == answers
        assert world.records("heartbeat") == []
    office.pulses.retry()
    assert office.answers[-1].sequence == 0
    assert len(world.records("heartbeat")) == 1


def test_after_the_end_of_a_run_nobody_is_listened_to(world: World) -> None:
    office = Office(world)
    office.pulses.end()
    office.recorder.pass_time()
    before = world.state()
    office.beat()
    office.pulses.take(RecorderKey(str(SignerKey.generate("r", ENTROPY).verifier), ("street",)))
    assert world.state() == before
