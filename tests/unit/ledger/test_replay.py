"""The replay finds every changed byte and names it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import merkle, note, policy
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.growth import Growth
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.tiles import encode_bundle
from watchglass.ledger.verify import verify_log

LOG = SignerKey.from_seed("log.example", b"l" * 32)
WITNESS = SignerKey.from_seed("w1.example", b"w" * 32, KeyType.COSIGNATURE_V1)
TRUST = policy.parse(f"log {LOG.verifier}\nwitness w1 {WITNESS.verifier}\nquorum w1\n".encode())


class Memory:
    """A log's files in memory, listed like a directory."""

    def __init__(self, entries: list[bytes], at: tuple[int, ...]) -> None:
        """Publish a checkpoint at each size in ``at``, keeping every file."""
        self.files: dict[str, bytes] = {}
        growth = Growth()
        for size in at:
            growth.append(entries[growth.size : size])
            self.files.update(growth.files())
            growth.written()
            checkpoint = Checkpoint(LOG.name, size, growth.root())
            cosigned = note.sign_text(checkpoint.text, WITNESS, seconds=1_000 + size)
            self.files["checkpoint"] = note.add_signatures(checkpoint.sign([LOG]), [cosigned])

    def read(self, path: str) -> bytes | None:
        return self.files.get(path)

    def paths(self) -> Iterator[str]:
        return (path for path in self.files if path != "checkpoint")


def entries(n: int) -> list[bytes]:
    return [b"%d" % i for i in range(n)]


def refused(log: Memory, **options: object) -> DidNotVerify:
    with pytest.raises(DidNotVerify) as caught:
        verify_log(log, TRUST, **options)  # type: ignore[arg-type]  # options are named by the caller
    return caught.value


def test_a_good_log_verifies_and_says_what_it_is() -> None:
    log = Memory(entries(700), (1, 3, 256, 300, 700))
    calls: list[tuple[int, int]] = []
    leaves: list[bytes] = []
    verified = verify_log(
        log, TRUST, progress=lambda *done: calls.append(done), on_bundle=lambda _, hashes: leaves.extend(hashes)
    )
    assert verified.trusted
    assert verified.witnesses == (("w1", 1_700),)
    assert verified.files == len(log.files)
    assert verified.octets == sum(map(len, log.files.values()))
    assert calls == [(256, 700), (512, 700), (700, 700)]
    assert merkle.root(leaves) == verified.checkpoint.root
    alone = verify_log(log)
    assert not alone.trusted
    assert alone.as_json()["result"] == "self-consistent"


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 512])
def test_sizes_around_the_edges(size: int) -> None:
    verify_log(Memory(entries(size), (size,)), TRUST)


def test_three_levels_of_tiles() -> None:
    log = Memory(entries(65_536 + 257), (65_536 + 257,))
    assert {"tile/2/000.p/1", "tile/1/000", "tile/1/001.p/1"} <= set(log.files)
    assert verify_log(log, TRUST).checkpoint.size == 65_793
    for path in ("tile/2/000.p/1", "tile/1/000", "tile/1/001.p/1", "tile/0/255", "tile/entries/256"):
        good = log.files[path]
        log.files[path] = good[:-1] + bytes([good[-1] ^ 1])
        error = refused(log)
        assert error.details["path"] == path
        log.files[path] = good


def test_every_single_flipped_byte_is_found() -> None:
    """Exhaustive: each byte of each file, full and partial tiles of earlier checkpoints among them."""
    log = Memory([b"%d" % (i % 10) for i in range(259)], (2, 259))
    flips = 0
    for path, good in list(log.files.items()):
        for at in range(len(good)):
            log.files[path] = good[:at] + bytes([good[at] ^ (1 << (at % 8))]) + good[at + 1 :]
            error = refused(log)
            assert error.details.get("path", "checkpoint") == path or path == "checkpoint", (path, at)
            flips += 1
        log.files[path] = good
    assert flips == sum(map(len, log.files.values())) > 9_000


def test_every_bit_of_a_tiny_log() -> None:
    log = Memory([b"a", b"", b"ccc"], (3,))
    for path, good in list(log.files.items()):
        for at in range(len(good) * 8):
            log.files[path] = good[: at // 8] + bytes([good[at // 8] ^ (1 << (at % 8))]) + good[at // 8 + 1 :]
            refused(log)
        log.files[path] = good


@pytest.mark.parametrize("index", [0, 5, 255, 256, 299])
def test_a_changed_entry_is_named(index: int) -> None:
    log = Memory(entries(300), (300,))
    changed = entries(300)
    changed[index] = b"x" * len(changed[index])
    first = index // 256 * 256
    path = "tile/entries/000" if first == 0 else "tile/entries/001.p/44"
    log.files[path] = encode_bundle(changed[first : first + 256])
    error = refused(log)
    assert (error.details["entry"], error.details["path"], error.details["suspect"]) == (index, path, "entry")


@pytest.mark.parametrize(("path", "at", "entry"), [("tile/0/000", 7, 7), ("tile/0/001.p/44", 3, 259)])
def test_a_changed_tile_is_told_from_a_changed_entry(path: str, at: int, entry: int) -> None:
    log = Memory(entries(300), (300,))
    good = log.files[path]
    log.files[path] = good[: at * 32] + bytes(32) + good[at * 32 + 32 :]
    error = refused(log)
    assert (error.details["path"], error.details["entry"], error.details["suspect"]) == (path, entry, "tile")


def test_an_entry_and_its_tile_changed_together_are_found_one_level_up() -> None:
    log = Memory(entries(600), (600,))
    forged = Memory([*entries(300), b"forged", *entries(600)[301:]], (600,))
    for path in ("tile/entries/001", "tile/0/001"):
        log.files[path] = forged.files[path]
    error = refused(log)
    assert error.details["entry"] == 256
    assert "entries 256 to 511" in error.message.lower()
    log.files["tile/1/000.p/2"] = forged.files["tile/1/000.p/2"]
    assert refused(log).details["path"] == "checkpoint"


@pytest.mark.parametrize(
    "path", ["tile/entries/000", "tile/entries/001.p/44", "tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"]
)
def test_a_missing_or_torn_file_is_named(path: str) -> None:
    log = Memory(entries(300), (300,))
    good = log.files.pop(path)
    assert refused(log).details["path"] == path
    for torn in (b"", good[:-1], good[: len(good) // 2], good + b"\0"):
        log.files[path] = torn
        assert refused(log).details["path"] == path


def test_a_partial_tile_may_be_replaced_by_the_full_one_but_not_by_another() -> None:
    log = Memory(entries(300), (100,))
    later = Memory(entries(300), (100, 300))
    for path in ("tile/entries/000", "tile/0/000"):
        log.files[path] = later.files[path]
        del log.files[f"{path}.p/100"]
    verified = verify_log(log, TRUST)
    assert verified.unpublished == ("tile/entries/000", "tile/0/000")
    log.files["tile/0/000"] = bytes(8192)
    assert refused(log).details["suspect"] == "tile"


def test_a_log_may_drop_an_old_partial_file_while_it_is_verified() -> None:
    class Growing(Memory):
        def paths(self) -> Iterator[str]:
            return iter([*super().paths(), "tile/0/000.p/9", "tile/entries/000.p/9"])

    verify_log(Growing(entries(300), (300,)), TRUST)


def test_strangers_are_reported() -> None:
    log = Memory(entries(3), (3,))
    log.files["tile/0/README"] = b"hello"
    assert verify_log(log, TRUST).strangers == ("tile/0/README",)


def test_truncation_rollback_and_a_rewritten_log_are_found_against_what_was_seen() -> None:
    log = Memory(entries(700), (300, 700))
    seen = {LOG.name: log.files["checkpoint"]}
    at_300 = {LOG.name: Memory(entries(300), (300,)).files["checkpoint"]}
    assert verify_log(log, TRUST, seen=at_300).seen_size == 300
    assert verify_log(log, TRUST, seen=seen).seen_size == 700

    rolled_back = Memory(entries(300), (300,))
    verify_log(rolled_back, TRUST)
    assert "taken away" in refused(rolled_back, seen=seen).message

    for size in (700, 900):
        rewritten = Memory([*entries(250), b"nothing happened", *entries(size)[251:]], (size,))
        verify_log(rewritten, TRUST)
        assert "rewritten" in refused(rewritten, seen=seen).message
        assert "rewritten" in refused(rewritten, seen=at_300).message


def test_a_damaged_memory_is_not_ignored() -> None:
    log = Memory(entries(5), (5,))
    checkpoint = log.files["checkpoint"]
    assert "itself does not verify" in refused(log, seen={LOG.name: checkpoint.replace(b"\n5\n", b"\n4\n")}).message
    assert "itself does not verify" in refused(log, seen={LOG.name: checkpoint[:-9]}).message
    other = SignerKey.from_seed("other.example", b"o" * 32)
    elsewhere = Checkpoint(other.name, 0, merkle.EMPTY_ROOT).sign([other])
    refused(log, seen={LOG.name: elsewhere})
    with pytest.raises(BadInput):
        verify_log(log, seen={LOG.name: checkpoint})


def test_a_checkpoint_without_its_witness_is_refused() -> None:
    log = Memory(entries(5), (5,))
    parsed = note.parse_note(log.files["checkpoint"])
    log.files["checkpoint"] = note.Note(parsed.text, parsed.signatures[:1]).encode()
    assert "Too few" in refused(log).message


def test_where_there_is_no_log() -> None:
    log = Memory([], ())
    with pytest.raises(BadInput):
        verify_log(log, TRUST)


@pytest.mark.parametrize("before", [1, 255, 256, 257, 511, 512, 700, 65_536, 65_537, 66_000])
def test_reading_onward_reads_what_is_new_and_no_more(before: int) -> None:
    everything = entries(66_050)
    log = Memory(everything, (before, 66_050))
    seen = {LOG.name: Memory(everything, (before,)).files["checkpoint"]}
    got: list[tuple[int, bytes]] = []
    reads: list[str] = []

    class Counting:
        def read(self, path: str) -> bytes | None:
            reads.append(path)
            return log.read(path)

    verified = verify_log(
        Counting(),
        TRUST,
        onward=seen[LOG.name],
        on_entries=lambda first, found, hashes: got.extend(
            (first + at, data) for at, data in enumerate(found) if merkle.leaf_hash(data) == hashes[at]
        ),
    )
    start = (before - 1) // 256 * 256
    assert got == list(enumerate(everything))[start:]
    assert verified.checkpoint.size == 66_050
    assert sum("entries" in path for path in reads) == len(range(start, 66_050, 256))


def test_reading_onward_still_finds_another_past_by_its_root() -> None:
    everything = entries(66_050)
    seen = {LOG.name: Memory(everything, (1_000,)).files["checkpoint"]}
    other = Memory([b"other", *everything[1:]], (66_050,))
    assert "past was rewritten" in refused(other, onward=seen[LOG.name]).message
    torn = Memory(everything, (66_050,))
    torn.files["tile/1/000"] = torn.files["tile/1/000"][:-32]
    assert refused(torn, onward=seen[LOG.name]).details["path"] == "tile/1/000"
    changed = Memory(everything, (66_050,))
    changed.files["tile/1/000"] = bytes(32) + changed.files["tile/1/000"][32:]
    assert "past was rewritten" in refused(changed, onward=seen[LOG.name]).message


def test_reading_onward_meets_what_was_seen_later_too() -> None:
    everything = entries(900)
    notes = {size: Memory(everything, (size,)).files["checkpoint"] for size in (300, 700)}
    log = Memory(everything, (900,))
    assert verify_log(log, TRUST, seen={LOG.name: notes[700]}, onward=notes[300]).seen_size == 700
    other = Memory([*everything[:500], b"other", *everything[501:]], (900,))
    assert verify_log(other, TRUST, onward=notes[300]).checkpoint.size == 900
    assert "first 700 entries" in refused(other, seen={LOG.name: notes[700]}, onward=notes[300]).message
    assert "taken away" in refused(Memory(everything, (200,)), onward=notes[300]).message
