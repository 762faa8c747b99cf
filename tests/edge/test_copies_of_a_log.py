"""Copies of a log on a signer's machine: what never changes is fetched once, and what does not fit is thrown away."""

from __future__ import annotations

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from signers_world import Signers, signers
from watchglass.acts.context import attest
from watchglass.bootstrap import VirtualClock, custody
from watchglass.bootstrap.copies import Copies
from watchglass.bootstrap.office import LOG_COPIES, Office, Sight, adopt
from watchglass.cli.main import main
from watchglass.cli.offices import render_ledger
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.tiles import FULL, Tile, decode_bundle, encode_bundle
from watchglass.records.outbox import Transaction
from world import NOON

LONG = 2 * FULL + 100


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Signers]:
    """A log of more than two full tiles."""
    with signers(tmp_path, clock=VirtualClock(NOON)) as made:
        house = made.scene.world.house

        def act(tx: Transaction) -> None:
            for _ in range(LONG):
                attest(
                    house.acting, tx, "release_denied", by=None, under=house.standing().charter,
                    committed={"statement_sha256": "A" * 43 + "=", "by": "x", "case": None, "source": None, "why": "y"},
                )  # fmt: skip

        house.store.commit(act)
        made.settle()
        yield made


class Counted:
    """The log, and what was read of it."""

    def __init__(self, log: object) -> None:
        self.log = log
        self.paths: list[str] = []

    def read(self, path: str) -> bytes | None:
        self.paths.append(path)
        data: bytes | None = self.log.read(path)  # type: ignore[attr-defined]  # a reader of tiles
        return data


def looked(office: Office) -> tuple[Sight, list[str]]:
    """What a look finds, and which full tiles and bundles it fetched."""
    copies = office._log
    assert isinstance(copies, Copies)
    counted = Counted(copies._log)
    copies._log = counted
    try:
        sight = office.look()
    finally:
        copies._log = counted.log  # type: ignore[assignment]
    return sight, [path for path in counted.paths if path != "checkpoint" and Tile.parse(path).width == FULL]


def kept(people: Signers) -> list[Path]:
    return sorted(file for file in (people.machine("dpo") / "keys" / LOG_COPIES).rglob("*") if file.is_file())


FULL_FILES = ["tile/0/000", "tile/0/001", "tile/entries/000", "tile/entries/001"]


def test_full_files_are_fetched_once_and_hashed_each_time(people: Signers) -> None:
    first, fetched = looked(people.office("dpo"))
    assert sorted(fetched) == FULL_FILES
    assert [stat.S_IMODE(file.stat().st_mode) for file in kept(people)] == [0o600] * len(FULL_FILES)
    folder = people.machine("dpo") / "keys" / LOG_COPIES
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    again, fetched = looked(people.office("dpo"))
    assert fetched == []
    assert (again.log.hashes, again.log.checkpoint) == (first.log.hashes, first.log.checkpoint)
    assert not again.log.fetched_again
    assert len(kept(people)) == len(FULL_FILES)


def _flip(data: bytes) -> bytes:
    return data[:100] + bytes([data[100] ^ 1]) + data[101:]


def _another_entry(data: bytes) -> bytes:
    entries = decode_bundle(data, FULL)
    return encode_bundle([b'{"act":"key_enrolled"}', *entries[1:]])


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("entries/000", lambda data: data[:-5]),
        ("entries/000", lambda data: b""),
        ("entries/001", _flip),
        ("entries/000", _another_entry),
        ("0/001", _flip),
        ("0/000", lambda data: data + b"\0"),
    ],
)
def test_a_copy_that_was_torn_or_changed_is_thrown_away_and_fetched_again(
    people: Signers, name: str, change: object, capsys: pytest.CaptureFixture[str]
) -> None:
    before, _ = looked(people.office("dpo"))
    (file,) = [file for file in kept(people) if str(file).endswith(name)]
    file.write_bytes(change(file.read_bytes()))  # type: ignore[operator]  # one of the functions above
    after, fetched = looked(people.office("dpo"))
    assert (after.log.hashes, after.log.fetched_again) == (before.log.hashes, True)
    assert sorted(set(fetched)) == FULL_FILES
    render_ledger(after.as_json())
    assert "thrown away, and all of it was fetched again" in capsys.readouterr().out
    _, fetched = looked(people.office("dpo"))
    assert fetched == []


def test_copies_that_agree_with_each_other_and_not_with_the_checkpoint_are_not_believed(people: Signers) -> None:
    """Somebody on this machine writes a past of their own: bundle and tile agree, and not with the witnesses."""
    before, _ = looked(people.office("dpo"))
    (bundle,) = [file for file in kept(people) if str(file).endswith("entries/000")]
    (tile,) = [file for file in kept(people) if str(file).endswith("tile/0/000")]
    entries = decode_bundle(bundle.read_bytes(), FULL)
    entries[-1] = entries[-2]
    bundle.write_bytes(encode_bundle(entries))
    tile.write_bytes(b"".join(map(leaf_hash, entries)))
    after, _ = looked(people.office("dpo"))
    assert (after.log.hashes, after.log.fetched_again) == (before.log.hashes, True)


def test_a_log_that_was_rewritten_is_not_saved_by_copies(people: Signers) -> None:
    looked(people.office("dpo"))
    ledger = people.scene.world.layout.ledger / "tile/entries/000"
    (copy,) = [file for file in kept(people) if str(file).endswith("entries/000")]
    data = ledger.read_bytes()
    ledger.write_bytes(_flip(data))
    copy.write_bytes(_flip(data))
    with pytest.raises(DidNotVerify):
        people.office("dpo").look()
    ledger.write_bytes(data)
    assert people.office("dpo").look().log.checkpoint.size > LONG


def test_a_folder_that_cannot_be_written_keeps_nothing_and_hinders_nothing(people: Signers) -> None:
    keys = people.machine("dpo") / "keys"
    (keys / LOG_COPIES).write_bytes(b"not a folder")
    assert custody.inbox(people.office("dpo"))["custodian"] == "dpo"
    assert custody.inbox(people.office("dpo"))["custodian"] == "dpo"
    assert (keys / LOG_COPIES).read_bytes() == b"not a folder"


# ---- what the log has archived since -------------------------------------------------------------------------------


def archive(people: Signers, folder: Path) -> None:
    """Copy the log, then take its first bundle away, as ``watchglass ledger archive`` does."""
    ledger = people.scene.world.layout.ledger
    shutil.copytree(ledger, folder)
    (ledger / "tile/entries/000").unlink()


def test_whoever_read_it_before_still_signs_and_whoever_did_not_adopts_the_archive(
    people: Signers, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    number = people.request_of_film()
    people.adopt("dpo")
    looked(people.office("dpo"))
    archive(people, tmp_path / "archive")
    custody.approve(people.office("dpo"), number)
    people.settle()
    people.adopt("oversight")
    with pytest.raises(DidNotVerify, match="has archived entries that this machine has never read") as caught:
        custody.approve(people.office("oversight"), number)
    assert "watchglass ledger adopt" in caught.value.fix
    machine = people.machine("oversight")
    words = ["ledger", "adopt", str(tmp_path / "archive"), "--keys", str(machine / "keys")]
    assert main([*words, "--trust", str(machine / "trust")]) == 0
    assert "were verified" in capsys.readouterr().out
    custody.approve(people.office("oversight"), number)
    people.settle()
    granted = people.scene.world.house.store.read().one("SELECT 1 FROM entry WHERE act = 'release_granted'")
    assert granted is not None


def test_copies_that_are_nowhere_else_are_not_thrown_away(people: Signers, tmp_path: Path) -> None:
    before, _ = looked(people.office("dpo"))
    archive(people, tmp_path / "archive")
    tile = next(file for file in kept(people) if str(file).endswith("0/001"))
    tile.write_bytes(b"torn")
    after, _ = looked(people.office("dpo"))
    assert (after.log.hashes, after.log.fetched_again) == (before.log.hashes, True)
    bundle = next(file for file in kept(people) if str(file).endswith("entries/000"))
    bundle.write_bytes(_flip(bundle.read_bytes()))
    with pytest.raises(DidNotVerify, match="has a damaged copy") as caught:
        people.office("dpo").look()
    assert caught.value.details["path"] == "tile/entries/000"
    adopt(str(tmp_path / "archive"), people.machine("dpo") / "keys", people.machine("dpo") / "trust")
    assert people.office("dpo").look().log.hashes == before.log.hashes


def test_another_logs_archive_or_a_damaged_one_is_not_adopted(people: Signers, tmp_path: Path) -> None:
    archive(people, tmp_path / "archive")
    torn = tmp_path / "archive/tile/entries/001"
    torn.write_bytes(torn.read_bytes()[:-1])
    machine = people.machine("dpo")
    with pytest.raises(DidNotVerify, match="torn"):
        adopt(str(tmp_path / "archive"), machine / "keys", machine / "trust")
    with pytest.raises(BadInput, match="no folder"):
        adopt(str(tmp_path / "archive"), machine / "nowhere", machine / "trust")
    assert not (machine / "keys" / LOG_COPIES).exists()
