"""A log whose first entries were archived: their hashes still lead to the checkpoint; nobody says they were read."""

from __future__ import annotations

import pytest
from test_replay import LOG, TRUST, Memory, entries

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger.merkle import leaf_hashes
from watchglass.ledger.tiles import Tile, first_here, is_state, state_path
from watchglass.ledger.verify import verify_log

SIZE = 256 * 5 + 40
SEEN = (3, 300, 700, SIZE)


def archived(bundles: int, at: tuple[int, ...] = SEEN) -> Memory:
    log = Memory(entries(SIZE), at)
    for index in range(bundles):
        for path in [path for path in log.files if path.startswith(Tile(-1, index).path)]:
            del log.files[path]
    return log


@pytest.mark.parametrize("bundles", [0, 1, 2, 4, 5])
def test_hashes_stand_for_what_is_archived_and_only_what_is_there_is_read(bundles: int) -> None:
    log, read, hashes = archived(bundles), list[int](), list[bytes]()
    before = Memory(entries(SIZE), (300,)).files["checkpoint"]
    verified = verify_log(
        log,
        TRUST,
        seen={LOG.name: before},
        on_bundle=lambda _, found: hashes.extend(found),
        on_entries=lambda first, found, _: read.extend(range(first, first + len(found))),
        archived=True,
    )
    assert verified.unread == bundles * 256 == first_here(log, SIZE)
    assert verified.as_json()["unread"] == bundles * 256
    assert read == list(range(bundles * 256, SIZE))
    assert hashes == leaf_hashes(entries(SIZE))
    assert verified.seen_size == 300


def test_nobody_reads_an_archived_log_by_accident() -> None:
    with pytest.raises(DidNotVerify) as caught:
        verify_log(archived(2), TRUST)
    assert "entries before 512 are not here" in caught.value.message
    assert "--archive" in caught.value.fix
    assert caught.value.details["archived"] == 512


def test_only_the_start_may_be_missing() -> None:
    log = archived(2)
    del log.files[Tile(-1, 3).path]
    with pytest.raises(DidNotVerify, match="is missing"):
        verify_log(log, TRUST, archived=True)


def test_a_tile_of_hashes_is_never_archived() -> None:
    log = archived(2)
    del log.files[Tile(0, 1).path]
    with pytest.raises(DidNotVerify, match=r"tile/0/001 is missing"):
        verify_log(log, TRUST, archived=True)


def test_a_changed_hash_of_an_archived_entry_does_not_lead_to_the_checkpoint() -> None:
    log = archived(2)
    path = Tile(0, 1).path
    log.files[path] = bytes(32) + log.files[path][32:]
    with pytest.raises(DidNotVerify) as caught:
        verify_log(log, TRUST, archived=True)
    assert caught.value.details["path"] == "tile/0/001.p/44"  # what a checkpoint of 300 left begins otherwise
    log = archived(2, (SIZE,))
    log.files[path] = bytes(32) + log.files[path][32:]
    with pytest.raises(DidNotVerify) as caught:
        verify_log(log, TRUST, archived=True)
    assert (caught.value.details["path"], caught.value.details["entry"]) == (path, 256)
    log.files[path] = b"torn"
    with pytest.raises(DidNotVerify, match="torn"):
        verify_log(log, TRUST, archived=True)


def test_what_is_left_of_an_archived_bundle_must_fit() -> None:
    log = archived(2)
    log.files[Tile(-1, 1, 44).path] = Memory(entries(SIZE), (300,)).files[Tile(-1, 1, 44).path]
    assert verify_log(log, TRUST, archived=True).unread == 512
    log.files[Tile(-1, 1, 44).path] = Memory([b"x", *entries(SIZE)], (300,)).files[Tile(-1, 1, 44).path]
    with pytest.raises(DidNotVerify, match="holds other entries"):
        verify_log(log, TRUST, archived=True)


def test_what_was_read_before_is_not_called_unread() -> None:
    log = archived(2)
    whole = Memory(entries(SIZE), (700,)).files["checkpoint"]
    read: list[int] = []
    verified = verify_log(log, TRUST, onward=whole, on_entries=lambda first, *_: read.append(first), archived=True)
    assert (verified.unread, read[0]) == (0, 512)
    early = Memory(entries(SIZE), (300,)).files["checkpoint"]
    assert verify_log(log, TRUST, onward=early, archived=True).unread == 512


def test_names_of_carried_states() -> None:
    assert state_path(2027) == "years/2027.state"
    assert is_state("years/2027.state")
    assert not is_state("years/27.state")
    assert not is_state("../years/2027.state")
    with pytest.raises(BadInput):
        Tile.parse("years/2027.state")
