"""A house that crosses New Year on a virtual clock: the year begins, its past is archived, and nothing is lost."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from watchglass.acts.archive_entries import archivable
from watchglass.acts.begin_year import begin_year, due
from watchglass.acts.years import GRACE_MS, archives, years
from watchglass.bootstrap import House, LocalWitness, archiving, challenging, open_bundle
from watchglass.bootstrap.archived import Archivals
from watchglass.bootstrap.opened import OpenedRecords
from watchglass.cli.main import main
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem, Refused
from watchglass.core.time import DAY, HOUR
from watchglass.edge.tiles import TileDirectory, open_whole
from watchglass.ledger import policy
from watchglass.ledger.tiles import ENTRIES, Tile, state_path
from watchglass.ledger.verify import verify_log
from watchglass.records.query import ask
from world import World, make_house, read_json
from years_world import KEEPER, NEW_YEAR, Archiver, advance, begin, fill, make_old


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> World:
    world = make_old(tmp_path_factory.mktemp("old"))
    world.house.close()
    return world


@pytest.fixture
def deployment(old: World, tmp_path: Path) -> Path:
    """A copy of it that a test may break."""
    shutil.copytree(old.layout.root, tmp_path / "deployment")
    return tmp_path / "deployment"


@pytest.fixture
def archive(old: World, deployment: Path, tmp_path: Path) -> Archiver:
    return Archiver(old, deployment, tmp_path)


# ---- a year begins ---------------------------------------------------------------------------------------------------


def test_a_year_begins_after_new_year_with_what_witnesses_saw_and_once(tmp_path: Path) -> None:
    with make_house(tmp_path) as world:
        reader, tiles = world.house.store.read(), world.house.tiles
        assert due(reader, tiles, world.clock.now()) is None, "the log began this year"
        advance(world, NEW_YEAR - HOUR)
        fill(world, 5)
        assert due(reader, tiles, NEW_YEAR + 8 * DAY) is None, "no witness saw anything of the new year"
        advance(world, NEW_YEAR + HOUR)
        fill(world, 5)
        advance(world, NEW_YEAR + 2 * HOUR)
        assert due(reader, tiles, world.clock.now()) is None, "oversight has a week to publish its audit"
        advance(world, NEW_YEAR + 7 * DAY)
        wanted = begin(world)
        (found,) = years(reader)
        assert (found.year, found.size, found.audit, found.state) == (
            *(2027, wanted.size, None),
            b64(sha256(b"state of %d" % wanted.size)),
        )
        (record,) = world.records("year_began")
        assert record.leaf.clear["root"] == b64(wanted.root)
        assert found.leaf_hash == b64(record.hash)
        assert tiles.read(state_path(2027)) == b"state of %d" % wanted.size
        assert due(reader, tiles, world.clock.now()) is None
        with pytest.raises(Problem, match="began already"):
            begin_year(world.house.acting, wanted, sha256(b""), "1-test")
        policies = policy.parse(world.trust_file(tmp_path / "trust").read_bytes())
        archivals = Archivals()
        verify_log(tiles, policies, on_entries=archivals.take)
        assert archivals.years[2027][1:] == (wanted.size, found.state)


def test_a_state_that_nobody_recorded_is_written_over(tmp_path: Path) -> None:
    with make_house(tmp_path) as world:
        advance(world, NEW_YEAR + 7 * DAY)
        fill(world, 3)
        advance(world, NEW_YEAR + 8 * DAY)
        world.house.tiles.keep_state(2027, b"of a house that was killed before it could record it")
        world.reopen()
        assert years(world.house.store.read()) == ()
        wanted = begin(world)
        assert world.house.tiles.read(state_path(2027)) == b"state of %d" % wanted.size


# ---- archiving -------------------------------------------------------------------------------------------------------


def test_entries_go_to_the_archive_and_both_still_verify(
    archive: Archiver, old: World, deployment: Path, tmp_path: Path
) -> None:
    done = archive()
    assert (done["before"], done["bundles_removed"], done["kept_by"]) == (512, 2, KEEPER)
    ledger, folder = TileDirectory(deployment / "ledger"), TileDirectory(tmp_path / "archive")
    assert ledger.read(Tile(ENTRIES, 1).path) is None
    assert ledger.read(Tile(ENTRIES, 2).path) is not None
    assert ledger.read(Tile(0, 0).path) is not None, "hashes stay"
    trust = old.trust_file(tmp_path / "trust")
    policies, archivals = policy.parse(trust.read_bytes()), Archivals()
    whole = verify_log(folder, policies)
    left = verify_log(ledger, policies, archived=True, on_entries=archivals.take)
    assert (whole.unread, left.unread) == (0, 512)
    found = archivals.check(left)
    assert found is not None
    assert (found.index, found.kept_by) == (done["record"], KEEPER)
    together = verify_log(open_whole(str(deployment / "ledger"), [str(tmp_path / "archive")]), policies)
    assert together.unread == 0
    assert (folder.path / "README.txt").read_text("utf-8").count("--archive archive") == 2
    assert folder.read(state_path(2027)) is not None
    again = archive()
    assert (again["bundles_removed"], again["record"]) == (0, done["record"]), "nothing is recorded twice"


def test_the_commands_say_what_they_did_not_read(
    archive: Archiver,
    old: World,
    deployment: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    archive()
    trust, ledger = str(old.trust_file(tmp_path / "trust")), str(deployment / "ledger")
    assert main(["ledger", "verify", ledger, "--trust", trust]) == 0
    said = capsys.readouterr().out
    assert "512 entries from before 2027 are archived. They were not read" in said
    assert KEEPER in said
    assert main(["ledger", "verify", ledger, "--trust", trust, "--archive", str(tmp_path / "archive"), "--json"]) == 0
    assert read_json(capsys.readouterr().out)["unread"] == 0
    assert main(["ledger", "prove", ledger, "--index", "3"]) == 2
    assert "--archive" in capsys.readouterr().err
    assert main(["ledger", "prove", ledger, "--index", "3", "--archive", str(tmp_path / "archive")]) == 0


def test_entries_that_are_only_gone_are_not_called_archived(deployment: Path, tmp_path: Path, old: World) -> None:
    (deployment / "ledger" / Tile(ENTRIES, 0).path).unlink()
    trust = str(old.trust_file(tmp_path / "trust"))
    assert main(["ledger", "verify", str(deployment / "ledger"), "--trust", trust]) == 4


def test_more_gone_than_was_archived_does_not_verify(
    archive: Archiver, deployment: Path, tmp_path: Path, old: World
) -> None:
    archive()
    (deployment / "ledger" / Tile(ENTRIES, 2).path).unlink()
    archivals = Archivals()
    policies = policy.parse(old.trust_file(tmp_path / "trust").read_bytes())
    verified = verify_log(TileDirectory(deployment / "ledger"), policies, archived=True, on_entries=archivals.take)
    with pytest.raises(DidNotVerify, match="the log does not say"):
        archivals.check(verified)


def test_the_past_is_archived_only_after_an_audit_or_ninety_days(old: World, deployment: Path) -> None:
    house = archiving.House(deployment, clock=old.clock)
    try:
        reader = house.store.read()
        (year,) = years(reader)
        given = {"cosigned_size": house.cosigned_size(), "head": house.sequencer.head.size}
        assert archivable(reader, house.tiles, 2027, now_ms=old.clock.now(), **given) == year
        with pytest.raises(Refused, match="everybody may copy them here until 2027-04"):
            archivable(reader, house.tiles, 2027, now_ms=year.began_ms + GRACE_MS - 1, **given)
        assert year.index is not None
        with pytest.raises(Refused, match="No quorum"):
            archivable(
                *(reader, house.tiles, 2027), now_ms=old.clock.now(), head=given["head"], cosigned_size=year.index
            )
        with pytest.raises(BadInput, match="2028 has not begun"):
            archivable(reader, house.tiles, 2028, now_ms=old.clock.now(), **given)
    finally:
        house.close()


def test_a_wrong_folder_or_year_changes_nothing(archive: Archiver, deployment: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "holiday.jpg").write_bytes(b"")
    for folder, why in (
        (other, "holds something else: holiday.jpg"),
        (other / "holiday.jpg", "is a file"),
        (deployment / "ledger" / "old", "lies within the deployment"),
        (deployment.parent, "lies within the deployment"),
    ):
        with pytest.raises(BadInput, match=why):
            archive(folder)
    with pytest.raises(BadInput, match="2028 has not begun"):
        archive(year=2028)
    for kept_by in ("", "two\nlines", "a\x1b[2Jscreen", "x" * 301):
        with pytest.raises(BadInput, match="one line"):
            archiving.archive(deployment, 2027, tmp_path / "archive", kept_by)
    assert TileDirectory(deployment / "ledger").read(Tile(ENTRIES, 0).path) is not None


def test_witnesses_who_do_not_answer_keep_everything_here(
    archive: Archiver,
    deployment: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(LocalWitness, "cosign", _no_answer)
        with pytest.raises(Problem, match="Nothing was removed"):
            archive()
    assert TileDirectory(deployment / "ledger").read(Tile(ENTRIES, 0).path) is not None
    assert archive()["bundles_removed"] == 2, "the same command goes on"


def _no_answer(*_: object) -> bytes:
    raise Problem("The witness does not answer.", fix="Start it.")


def test_a_kill_between_two_removals_is_gone_on_from(
    archive: Archiver,
    deployment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drop = TileDirectory.drop_bundle

    def killed(tiles: TileDirectory, index: int) -> int:
        if index == 1:
            raise KeyboardInterrupt
        return drop(tiles, index)

    with monkeypatch.context() as patch:
        patch.setattr(TileDirectory, "drop_bundle", killed)
        with pytest.raises(KeyboardInterrupt):
            archive()
    ledger = TileDirectory(deployment / "ledger")
    assert ledger.read(Tile(ENTRIES, 0).path) is None
    with pytest.raises(BadInput, match="an earlier try moved them"):
        archive(tmp_path / "another")
    assert ledger.read(Tile(ENTRIES, 1).path) is not None, "nothing was removed for the sake of half a copy"
    assert archive()["bundles_removed"] == 1
    with House(deployment) as house:
        assert len(archives(house.store.read())) == 1


def test_a_torn_copy_or_a_full_disk_stops_before_anything_is_removed(
    archive: Archiver,
    deployment: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / "archive"
    copy = folder / Tile(ENTRIES, 0).path
    copy.parent.mkdir(parents=True)
    copy.write_bytes((deployment / "ledger" / Tile(ENTRIES, 0).path).read_bytes()[:-1])
    with pytest.raises(DidNotVerify, match="nothing was removed"):
        archive()
    copy.unlink()

    def full(*_: object) -> None:
        raise CannotRecord("The disk refused to write: No space left on device.", fix="Make room.")

    with monkeypatch.context() as patch:
        patch.setattr(TileDirectory, "write", full)
        with pytest.raises(CannotRecord, match="No space left"):
            archive()
    assert TileDirectory(deployment / "ledger").read(Tile(ENTRIES, 0).path) is not None
    assert archive()["bundles_removed"] == 2


# ---- oversight, afterwards -------------------------------------------------------------------------------------------


def test_an_incident_is_called_missed_only_where_its_traces_could_not_be_archived(
    archive: Archiver, old: World, deployment: Path, tmp_path: Path
) -> None:
    archive()
    trust, opened = old.trust_file(tmp_path / "trust"), OpenedRecords(old.house.origin, {}, {}, [old.openings])
    begin = {"origin": old.house.origin, "source": "street", "kind": "intrusion", "salt": "0" * 16}

    def look(since: int, *archives: str) -> str | None:
        staged = challenging.Challenge(**begin, from_ms=since, to_ms=since + HOUR)
        return challenging.look(staged, str(deployment / "ledger"), trust, opened, old.clock.now(), archives).result

    with pytest.raises(Problem, match="512 older entries are archived") as caught:
        look(NEW_YEAR - 10 * DAY)
    assert KEEPER in caught.value.fix
    assert look(NEW_YEAR - 10 * DAY, str(tmp_path / "archive")) == challenging.MISSED
    assert look(NEW_YEAR + 20 * DAY) == challenging.MISSED


def test_a_sealed_detail_of_an_archived_entry_is_opened_against_the_archive(
    archive: Archiver, old: World, deployment: Path, tmp_path: Path
) -> None:
    archive()
    bundle = tmp_path / "openings.json"
    with old.reopen() as house:
        query = ask("openings", about="0", key=old.keys["oversight"], origin=house.origin, now=old.clock.now())
        bundle.write_text(json.dumps(house.ask(query)), "utf-8")
    accounts = [each["index"] for each in open_bundle(bundle, str(tmp_path / "archive"), old.openings, None)]
    assert accounts
    assert accounts[0] < 512
    assert open_bundle(bundle, str(deployment / "ledger"), old.openings, None) == []
    with pytest.raises(BadInput, match="is not here"):
        open_bundle(bundle, str(deployment / "ledger"), old.openings, accounts[0])
    assert open_bundle(bundle, str(tmp_path / "archive"), old.openings, accounts[0])
