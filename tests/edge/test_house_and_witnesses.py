"""A deployment and its witnesses: what is lodged is obeyed, what is cosigned is recorded; without them it stops."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ledger_world import serve_app

from watchglass.acts.note_witnessed import ACT
from watchglass.acts.public_facts import Condition, condition, notices
from watchglass.acts.public_ledger import trust_file
from watchglass.bootstrap import open_witness
from watchglass.charter.decide import decide
from watchglass.charter.permit import RunAnalytic
from watchglass.cli.main import main
from watchglass.core.errors import CannotRecord, Problem, Refused
from watchglass.core.time import HOUR, MINUTE, SECOND
from watchglass.edge.clock import SystemClock, VirtualClock
from watchglass.edge.lodging import Kept, folder_of
from watchglass.edge.witness import WitnessDirectory
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger import policy
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.lodging import Challenge
from watchglass.records.statement import SignedStatement
from watchglass.runtime.lodged import LodgedOrders
from world import NOON, World, make_house, read_json

RUN = RunAnalytic("street", "on-the-lawn")
WITHIN = (", heartbeat_every: 10s}", ", heartbeat_every: 10s, witnessed_within: 30m}")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with make_house(tmp_path, edits=[WITHIN]) as world:
        yield world


def clock_of(world: World) -> VirtualClock:
    assert isinstance(world.clock, VirtualClock)
    return world.clock


# ---- without witnesses it stops ------------------------------------------------------------------------------------


def test_without_witnesses_everything_stops_and_goes_on_by_itself_when_they_are_back(world: World) -> None:
    assert decide(world.standing(), RUN, world.clock.now())
    world.witnessed(watch=False)
    clock_of(world).advance(29 * MINUTE)
    world.settle()
    assert decide(world.standing(), RUN, world.clock.now())
    clock_of(world).advance(MINUTE)
    world.settle()
    with pytest.raises(Refused, match="Too few witnesses have confirmed the ledger since") as caught:
        decide(world.standing(), RUN, world.clock.now())
    assert "longer than 30 minutes" in caught.value.message
    assert condition(world.standing(), world.clock.now()) is Condition.UNSEEN
    (demo, notice) = notices(world.standing(), world.clock.now())
    assert demo.kind == "demo"
    assert notice.kind == "stopped"
    assert "witnesses" in notice.title
    world.witnessed()
    world.settle()
    assert decide(world.standing(), RUN, world.clock.now())
    assert condition(world.standing(), world.clock.now()) is Condition.IN_FORCE


def test_a_restart_does_not_make_old_cosignatures_fresh(world: World) -> None:
    world.witnessed(watch=False)
    clock_of(world).advance(31 * MINUTE)
    world.house.close()
    world.house = type(world.house)(world.layout.root, clock=world.clock)
    with pytest.raises(Refused, match="Too few witnesses"):
        decide(world.standing(), RUN, world.clock.now())


def test_what_people_sign_is_still_taken_while_it_stands(world: World) -> None:
    world.witnessed(watch=False)
    clock_of(world).advance(40 * MINUTE)
    order = world.suspend("on-the-lawn")
    assert order
    with pytest.raises(Refused, match=r"Too few witnesses.*suspended by oversight|suspended.*Too few"):
        decide(world.standing(), RUN, world.clock.now())


# ---- what was cosigned is recorded ---------------------------------------------------------------------------------


def grow(world: World) -> None:
    world.raise_alert()
    clock_of(world).advance(MINUTE)
    world.settle()


def test_a_cosigned_checkpoint_is_recorded_once_for_each_growth_by_something_else(world: World) -> None:
    house = world.house
    world.settle()
    before = len(world.records(ACT))
    note = str(world.records(ACT)[-1].leaf.clear["note"]).encode()
    opened = checkpoints.open_checkpoint(note, [house.log_key, world.witness_key])
    assert opened.checkpoint.size == house.cosigned_size()
    assert {v.seconds for v in opened.note.verified if v.seconds is not None} == {NOON // SECOND}
    for _ in range(5):
        clock_of(world).advance(10 * MINUTE)
        world.settle()
    assert len(world.records(ACT)) == before, "its own growth is nothing to tell"
    for count in (1, 2, 3):
        grow(world)
        assert len(world.records(ACT)) == before + count


def test_records_are_spaced_where_nobody_waits_for_them(world: World) -> None:
    world.settle()
    before = len(world.records(ACT))
    world.house.watch.spacing_ms = HOUR
    for _ in range(5):
        grow(world)
    assert len(world.records(ACT)) == before
    clock_of(world).advance(HOUR)
    world.settle()
    grow(world)
    assert len(world.records(ACT)) == before + 1


def test_after_a_restart_it_goes_on_where_it_was(world: World) -> None:
    world.settle()
    clock_of(world).advance(MINUTE)
    world.settle()
    before = len(world.records(ACT))
    world.reopen()
    world.settle()
    assert len(world.records(ACT)) == before
    grow(world)
    assert len(world.records(ACT)) == before + 1


def test_without_enough_witnesses_nothing_is_recorded(world: World) -> None:
    world.settle()
    before = len(world.records(ACT))
    world.witnessed(watch=False)
    grow(world)
    assert len(world.records(ACT)) == before


# ---- what is lodged is obeyed --------------------------------------------------------------------------------------


class Shelf:
    """A witness's shelf in this process; ``lie`` changes what it hands out."""

    def __init__(self, world: World, directory: WitnessDirectory) -> None:
        self.world = world
        self.shelf = directory.shelf
        self.lie: dict[str, Any] = {}
        self.fetched = 0

    def lodge(self, statement: SignedStatement) -> None:
        self.shelf.lodge(statement.encode())

    def listed(self, origin: str, start: int) -> tuple[int, list[int]] | None:
        if "listed" in self.lie:
            found: tuple[int, list[int]] | None = self.lie["listed"]
            return found
        listed = self.shelf.listed(folder_of(origin), start)
        assert listed is not None
        return listed["count"], [line["n"] for line in listed["lodged"]]

    def fetch(self, origin: str, n: int) -> Any:
        self.fetched += 1
        if "fetch" in self.lie:
            raise self.lie["fetch"]
        data = self.shelf.one(folder_of(origin), n)
        assert data is not None
        kept = Kept.parse(n, data)
        return Kept(n, kept.origin, kept.kind, self.lie.get("at_s", kept.at_s), kept.body, kept.note)


def _folder(origin: str) -> str:
    return folder_of(origin)


@pytest.fixture
def shelf(world: World) -> Shelf:
    people = world.folder / "people" / "witness"
    oversight = [world.keys["oversight"].verifier]
    return Shelf(world, open_witness(people, [world.house.log_key], oversight=oversight, clock=world.clock))


def order(world: World, analytic: str | None = "on-the-lawn") -> SignedStatement:
    clear = {"scope": "all" if analytic is None else "analytic", "analytic": analytic}
    return world.sign("suspension_ordered", "oversight", clear, {"reason": "Lodged."})


def look(world: World, **shelves: Any) -> LodgedOrders:
    world.house.watch.orders.look(shelves)
    return world.house.watch.orders


def stopped(world: World) -> list[str]:
    return [each.scope for each in world.standing().suspensions]


def test_a_lodged_order_is_obeyed_and_its_lifting_too(world: World, shelf: Shelf) -> None:
    shelf.lodge(order(world))
    orders = look(world, w=shelf)
    assert stopped(world) == ["on-the-lawn"]
    assert orders.turned_away == ()
    leaf = world.records("suspension_ordered")[0].leaf.hash()
    shelf.lodge(world.lift(leaf, "on-the-lawn"))
    look(world, w=shelf)
    world.settle()
    assert stopped(world) == []
    assert shelf.fetched == 2, "each once"
    world.reopen()
    look(world, w=shelf)
    assert shelf.fetched == 2, "also after a restart"


def test_an_order_that_was_lodged_while_the_house_was_away_is_obeyed_late(world: World, shelf: Shelf) -> None:
    statement = order(world)
    shelf.lodge(statement)
    clock_of(world).advance(7 * HOUR)
    with pytest.raises(Exception, match="was signed in the hour"):
        world.house.hand_in(statement)
    look(world, w=shelf)
    assert stopped(world) == ["on-the-lawn"]


def test_an_order_that_came_both_ways_is_one_order(world: World, shelf: Shelf) -> None:
    statement = order(world, None)
    shelf.lodge(statement)
    world.house.hand_in(statement)
    orders = look(world, w=shelf, v=shelf)
    assert stopped(world) == ["all"]
    assert orders.turned_away == ()
    assert len(world.records("suspension_ordered")) == 1


def test_a_challenge_stays_where_it_was_lodged(world: World, shelf: Shelf) -> None:
    shelf.shelf.lodge(Challenge(world.house.origin, b"h" * 32).sign(world.keys["oversight"]))
    before = world.state()
    orders = look(world, w=shelf)
    assert orders.turned_away == ()
    assert {name: rows for name, rows in world.state().items() if name != "setting"} == {
        name: rows for name, rows in before.items() if name != "setting"
    }


def test_what_cannot_be_obeyed_is_kept_with_the_reason(world: World, shelf: Shelf) -> None:
    wrong = world.sign("suspension_ordered", "oversight", {"scope": "all", "analytic": None}, {"reason": "x"},
                       charter=b"z" * 32)  # fmt: skip
    shelf.lodge(wrong)
    orders = look(world, w=shelf)
    assert stopped(world) == []
    (turned,) = orders.turned_away
    assert turned.witness == "w"
    assert "another charter" in turned.why
    look(world, w=shelf)
    assert len(orders.turned_away) == 1
    world.reopen()
    assert world.house.watch.orders.turned_away == (turned,)
    assert [each.why for each in world.house.watch.facts().turned_away] == [turned.why]


def test_an_order_for_an_analytic_that_is_not_there_is_turned_away(world: World, shelf: Shelf) -> None:
    shelf.lodge(order(world, "nowhere"))
    orders = look(world, w=shelf)
    assert "nowhere" in orders.turned_away[0].why


def test_a_witness_cannot_make_an_order_older_or_newer_than_it_is(world: World, shelf: Shelf) -> None:
    shelf.lodge(order(world))
    shelf.lie["at_s"] = NOON // SECOND + 6 * 60
    orders = look(world, w=shelf)
    assert "in the future" in orders.turned_away[0].why
    assert stopped(world) == []


def test_an_order_is_tried_again_where_it_could_not_be_recorded(world: World, shelf: Shelf) -> None:
    shelf.lodge(order(world))
    world.break_the_log()
    orders = look(world, w=shelf)
    assert isinstance(orders.problems["w"], CannotRecord)
    assert stopped(world) == []
    world.mend_the_log()
    orders = look(world, w=shelf)
    assert orders.problems == {}
    assert stopped(world) == ["on-the-lawn"]


def test_one_witness_that_lies_or_is_down_hides_no_order_of_another(world: World, shelf: Shelf) -> None:
    shelf.lodge(order(world))
    down, odd, none = (
        Shelf(world, open_witness(world.folder / "people" / "witness", [world.house.log_key])) for _ in range(3)
    )
    down.lie["listed"] = (5, [0])
    down.lie["fetch"] = Problem("It cannot be reached.", fix="Start it.")
    odd.lie["listed"] = (1, [0])
    odd.lie["fetch"] = RuntimeError("a fault")
    none.lie["listed"] = None
    orders = look(world, down=down, odd=odd, none=none, good=shelf)
    assert stopped(world) == ["on-the-lawn"]
    assert set(orders.problems) == {"down", "odd"}
    assert "RuntimeError" in orders.problems["odd"].message


def test_a_witness_that_lost_its_memory_is_read_from_its_start(world: World, shelf: Shelf) -> None:
    shelf.lodge(order(world))
    look(world, w=shelf)
    shelf.lie["listed"] = (0, [])
    look(world, w=shelf)
    del shelf.lie["listed"]
    orders = look(world, w=shelf)
    assert shelf.fetched == 2
    assert orders.turned_away == ()
    assert stopped(world) == ["on-the-lawn"]


# ---- a running house, a real witness over HTTP, the real command ---------------------------------------------------


def test_a_running_house_obeys_within_seconds_what_the_command_lodges(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchglass.bootstrap.house.EVERY_S", 0.2)
    with make_house(tmp_path / "town", clock=SystemClock()) as world:
        people = tmp_path / "town" / "people"
        oversight = [world.keys["oversight"].verifier]
        witness = open_witness(people / "witness", [world.house.log_key], oversight=oversight)
        with serve_app(witness) as url:
            world.publish(world.edited(("http://127.0.0.1:1", url)))
            house = world.house
            house.start()
            standing, file = tmp_path / "standing.json", tmp_path / "order"
            standing.write_text(json.dumps(house.describe()), "utf-8")
            code = main(
                ["oversight", "suspend", str(standing), "--key", str(people / "oversight.key"), "--all",
                 "--reason", "Nobody answers at the portal.", "--lodge", url, "-o", str(file), "--json"]
            )  # fmt: skip
            result = read_json(capsys.readouterr().out)
            assert (code, result["failed"]) == (0, [])
            assert [each["url"] for each in result["lodged"]] == [url]
            assert (tmp_path / "order.lodged" / "0.json").is_file()
            until = time.monotonic() + 60
            while not house.describe()["suspensions"] or not house.describe()["suspensions"][0]["obeyed"]:
                assert time.monotonic() < until
                time.sleep(0.05)
            (obeyed,) = world.records("suspension_obeyed")
            assert int(obeyed.leaf.clear["within_ms"]) <= 2500
            house.halt()


def test_lodging_asks_for_a_file_and_a_witness_that_somebody_knows(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    standing = tmp_path / "standing.json"
    standing.write_text(json.dumps(world.house.describe()), "utf-8")
    key = str(world.folder / "people" / "oversight.key")
    words = ["oversight", "suspend", str(standing), "--key", key, "--all", "--reason", "x", "--lodge"]
    now = ["--virtual-time", str(world.clock.now())]
    assert main([*words, "http://127.0.0.1:1", *now]) == 2
    assert "--output" in capsys.readouterr().err
    assert main([*words, "https://nobody.example", *now, "-o", str(tmp_path / "o")]) == 2
    assert "names no witness" in capsys.readouterr().err
    assert main([*words, "http://127.0.0.1:1", *now, "-o", str(tmp_path / "o")]) == 1
    assert "cannot be reached" in capsys.readouterr().err


# ---- pages and trust files -----------------------------------------------------------------------------------------


def test_the_facts_tell_of_each_witness_and_of_all_together(world: World) -> None:
    facts = world.house.watch.facts()
    assert (facts.needed, facts.cosigned_size, facts.witnessed_ms) == (1, facts.size, NOON)
    (witness,) = facts.witnesses
    assert (witness.name, witness.size, witness.problem) == (world.witness_key.name, facts.size, None)
    world.witnessed(watch=False)
    grow(world)
    (witness,) = world.house.watch.facts().witnesses
    assert "does not answer" in str(witness.problem)
    assert witness.size < world.house.watch.facts().size


def test_a_witness_that_stops_cosigning_is_told_of_once_and_when_it_is_back(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.witnessed(watch=False)
    grow(world)
    for _ in range(3):
        world.house.watch.complain()
    assert caplog.text.count("does not cosign") == 1
    world.witnessed()
    world.settle()
    world.house.watch.complain()
    assert "cosigns again" in caplog.text


def test_the_trust_file_asks_for_the_charters_quorum(world: World) -> None:
    keys = [SignerKey.from_seed(f"w{n}.example", bytes([n]) * 32, KeyType.COSIGNATURE_V1) for n in (1, 2)]
    lines = "".join(f'    - {{key: "{key.verifier}", url: "https://{key.name}"}}\n' for key in keys)
    charter = world.publish(world.edited(("  witnesses:\n", f"  witnesses:\n{lines}")), cosign=False)
    trusted = policy.parse(trust_file(world.house.log_vkey, "https://x.example/log", charter).encode())
    assert [group.threshold for group in trusted.groups] == [2]
    assert trusted.quorum == "witnesses"
    assert {witness.key for witness in trusted.witnesses} == {world.witness_key, *(key.verifier for key in keys)}


def test_a_new_charter_with_more_witnesses_comes_into_force_by_the_old_ones_agreement(world: World) -> None:
    keys = [SignerKey.from_seed(f"w{n}.example", bytes([n]) * 32, KeyType.COSIGNATURE_V1) for n in (1, 2)]
    lines = "".join(f'    - {{key: "{key.verifier}", url: "http://127.0.0.1:1"}}\n' for key in keys)
    world.publish(world.edited(("  witnesses:\n", f"  quorum: 3\n  witnesses:\n{lines}")))
    standing = world.standing()
    assert standing.charter is not None
    assert standing.charter.version == 2
    assert standing.published == "cosigned", "the outgoing witness has seen it"
    world.house.configure()
    world.witnessed()
    size = world.house.cosigned_size()
    grow(world)
    assert world.house.cosigned_size() == size, "from now on three must agree, and one is not enough"
    assert world.house.watch.facts().needed == 3
    clock_of(world).advance(29 * MINUTE)
    with pytest.raises(Refused, match="Too few witnesses"):
        decide(world.standing(), RUN, world.clock.now())
