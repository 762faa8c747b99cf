"""Real files, a real web server, and a reader that somebody else wrote."""

from __future__ import annotations

import http.server
import os
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from ledger_world import LOG, WITNESS, World, entries, serve_directory
from tlog_scales import backend, signing
from tlog_scales import tiles as their_tiles
from tlog_scales.reader import TilesReader
from tlog_scales.writer import TilesWriter

from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem
from watchglass.edge import tiles
from watchglass.edge.tiles import HttpTiles, TileDirectory, open_tiles
from watchglass.edge.trust import load_trust, remember
from watchglass.ledger import merkle, policy
from watchglass.ledger.verify import verify_log


@pytest.fixture
def world(tmp_path: Path) -> World:
    world = World(tmp_path / "ledger")
    world.grow(entries(3))
    world.grow(entries(300, 3))
    return world


def test_an_independent_reader_agrees(tmp_path: Path) -> None:
    world = World(tmp_path / "ledger")
    world.grow(entries(1000))
    old_root = world.growth.root()
    world.grow(entries(65_536, 1000))
    size, root = world.growth.size, world.growth.root()
    reader = TilesReader(backend.LocalBackend(tmp_path / "ledger"))
    checkpoint = reader.get_checkpoint()
    assert (checkpoint.origin, checkpoint.size, checkpoint.root_hash) == (LOG.name, size, root)
    checkpoint.verify(signing.Vkey.from_string(str(LOG.verifier)))
    checkpoint.verify(signing.Vkey.from_string(str(WITNESS.verifier)))
    assert reader.calculate_root_hash() == root
    for index in (0, 255, 256, 999, 65_535, 65_536, size - 1):
        assert reader.get_entry(index) == entries(1, index)[0]
        theirs = reader.get_inclusion_proof(index, size)
        theirs.check(their_tiles.leaf_hash(entries(1, index)[0]), root)
        merkle.check_inclusion(merkle.leaf_hash(entries(1, index)[0]), index, size, theirs.node_hashes, root)
    between = reader.get_consistency_proof(1000, size)
    between.check(old_root, root)
    merkle.check_consistency(1000, size, old_root, root, between.node_hashes)


def test_a_log_that_somebody_elses_writer_wrote_verifies_and_has_the_same_bytes(tmp_path: Path) -> None:
    ours, theirs = World(tmp_path / "ours"), TilesWriter.create(tmp_path / "theirs", LOG.name)
    signer = signing.PlainEd25519Signer(LOG.name, b"l" * 32)
    for step in (3, 253, 1, 600):
        for entry in entries(step, ours.growth.size):
            theirs.add_leaf(entry)
        theirs.commit([signer], gc=False)
        ours.grow(entries(step, ours.growth.size))
    trust = policy.parse(f"log {LOG.verifier}\nquorum none\n".encode())
    verified = verify_log(TileDirectory(tmp_path / "theirs"), trust)
    assert verified.checkpoint.root == ours.growth.root()
    written = {path: ours.tiles.read(path) for path in ours.tiles.paths()}
    assert written == {path: (tmp_path / "theirs" / path).read_bytes() for path in written}


def test_a_log_verifies_the_same_from_disk_and_over_http(world: World, tmp_path: Path) -> None:
    trust = load_trust(world.trust(tmp_path / "trust"))
    here = verify_log(open_tiles(str(world.tiles.path)), trust.policy)
    with serve_directory(world.tiles.path) as url:
        reader = open_tiles(f"{url}/")
        there = verify_log(reader, trust.policy)
        reader.close()
    assert here.signed == there.signed
    assert here.files == there.files + 2, "a directory also lists the first checkpoint's partial files"


def test_what_was_seen_is_remembered_and_held_against_the_log(world: World, tmp_path: Path) -> None:
    path = world.trust(tmp_path / "trust")
    assert load_trust(path).seen == {}
    verified = verify_log(world.tiles, load_trust(path).policy)
    remember(load_trust(path), verified.signed.note.encode())
    assert (tmp_path / "trust.seen").read_bytes() == world.tiles.read("checkpoint")

    world.grow(entries(10, 303))
    trust = load_trust(path)
    later = verify_log(world.tiles, trust.policy, seen=trust.seen)
    assert (later.seen_size, later.checkpoint.size) == (303, 313)
    remember(trust, later.signed.note.encode())
    remember(trust, verified.signed.note.encode())
    assert load_trust(path).seen[LOG.name] == later.signed.note.encode(), "memory never goes back"

    rewritten = World(tmp_path / "rewritten")
    rewritten.grow([*entries(100), b"forged", *entries(250, 101)])
    verify_log(rewritten.tiles, trust.policy)
    with pytest.raises(DidNotVerify, match="rewritten"):
        verify_log(rewritten.tiles, trust.policy, seen=load_trust(path).seen)


def test_a_memory_of_several_logs_is_read_back(world: World, tmp_path: Path) -> None:
    path = world.trust(tmp_path / "trust")
    mine = world.tiles.read("checkpoint")
    assert mine is not None
    other = mine.replace(b"log.example\n", b"other.example\n", 1)
    (tmp_path / "trust.seen").write_bytes(mine + b"\n" + other)
    assert load_trust(path).seen == {"log.example": mine, "other.example": other}
    for damaged in (b"", mine[:-1] + b"x", mine + b"\n" + mine, mine + b"\n" + other[:20]):
        (tmp_path / "trust.seen").write_bytes(damaged)
        with pytest.raises(DidNotVerify):
            load_trust(path)


def test_a_trust_file_pins_the_first_oversight_key(world: World, tmp_path: Path) -> None:
    path = world.trust(tmp_path / "trust")
    assert load_trust(path).oversight is None
    (tmp_path / "trust.oversight").write_text(f"{LOG.verifier}\n")
    assert load_trust(path).oversight == LOG.verifier
    (tmp_path / "trust.oversight").write_text("nonsense\n")
    with pytest.raises(BadInput):
        load_trust(path)
    with pytest.raises(BadInput):
        load_trust(tmp_path / "absent")


def test_sampled_flips_on_a_larger_log_on_disk_are_found(tmp_path: Path) -> None:
    world = World(tmp_path / "ledger")
    for step in (700, 3000, 5000):
        world.grow(entries(step, world.growth.size))
    trust = load_trust(world.trust(tmp_path / "trust"))
    files = ["checkpoint", *world.tiles.paths()]
    chance = random.Random(7)
    for path in chance.choices(files, weights=[(world.tiles.path / f).stat().st_size for f in files], k=60):
        file = world.tiles.path / path
        good = file.read_bytes()
        at = chance.randrange(len(good))
        file.write_bytes(good[:at] + bytes([good[at] ^ 1 << chance.randrange(8)]) + good[at + 1 :])
        with pytest.raises(DidNotVerify) as caught:
            verify_log(world.tiles, trust.policy)
        if path != "checkpoint":
            assert caught.value.details["path"] == path
        file.write_bytes(good)
    verify_log(world.tiles, trust.policy)


def test_truncated_and_removed_files_are_named(world: World, tmp_path: Path) -> None:
    trust = load_trust(world.trust(tmp_path / "trust"))
    for path in list(world.tiles.paths()):
        file = world.tiles.path / path
        good = file.read_bytes()
        file.write_bytes(good[:-1])
        with pytest.raises(DidNotVerify) as caught:
            verify_log(world.tiles, trust.policy)
        assert caught.value.details["path"] == path
        file.write_bytes(good)


def test_tiles_are_written_once(world: World) -> None:
    world.tiles.write([("tile/1/000.p/1", (world.tiles.path / "tile/1/000.p/1").read_bytes())])
    with pytest.raises(CannotRecord, match="two things"):
        world.tiles.write([("tile/1/000.p/1", bytes(32))])
    with pytest.raises(BadInput):
        world.tiles.write([("../outside", b"")])
    with pytest.raises(BadInput):
        world.tiles.read("../trust")


def test_partials_go_only_when_the_full_file_is_there(world: World, tmp_path: Path) -> None:
    assert (world.tiles.path / "tile/0/000.p/3").is_file()
    world.tiles.drop_partials("tile/0/000")
    assert not (world.tiles.path / "tile/0/000.p").exists()
    world.tiles.drop_partials("tile/0/000")
    with pytest.raises(BadInput):
        world.tiles.drop_partials("tile/0/001")
    verify_log(world.tiles, load_trust(world.trust(tmp_path / "trust")).policy)


def test_a_crash_before_the_rename_leaves_the_old_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world.tiles.read("checkpoint")

    def no_space(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(CannotRecord, match="No space left"):
        world.tiles.publish(b"half")
    assert world.tiles.read("checkpoint") == before
    assert not [p for p in world.tiles.path.iterdir() if p.name.startswith(".writing-")]


def test_files_and_their_names_are_synced_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def watched_sync(handle: int) -> None:
        steps.append(f"sync {Path(f'/proc/self/fd/{handle}').readlink()}")
        fsync(handle)

    def watched_rename(self: Path, target: Path) -> Path:
        steps.append(f"rename {target}")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", watched_sync)
    monkeypatch.setattr(Path, "rename", watched_rename)
    tiles.write_durably([(tmp_path / "new" / "file", b"x")])
    assert steps[0].startswith(f"sync {tmp_path}/new/.writing-")
    assert steps[1] == f"rename {tmp_path}/new/file"
    assert set(steps[2:]) == {f"sync {tmp_path}/new", f"sync {tmp_path}"}


def test_one_writer_at_a_time(world: World) -> None:
    with (
        world.tiles.lock(),
        pytest.raises(CannotRecord, match="Another process"),
        TileDirectory(world.tiles.path).lock(),
    ):
        pass
    with world.tiles.lock():
        pass


def test_an_unreadable_file_is_a_problem_and_no_directory_is_bad_input(world: World, tmp_path: Path) -> None:
    (world.tiles.path / "checkpoint").unlink()
    (world.tiles.path / "checkpoint").mkdir()
    with pytest.raises(Problem):
        world.tiles.read("checkpoint")
    with pytest.raises(BadInput):
        open_tiles(str(tmp_path / "nowhere"))
    for url in ("http://", "http://x?y=1"):
        with pytest.raises(BadInput):
            open_tiles(url)


@contextmanager
def odd_server(answer: Callable[[http.server.BaseHTTPRequestHandler], None]) -> Iterator[str]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer(self)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(20)


def test_odd_servers_are_problems_with_a_reason() -> None:
    def too_much(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.wfile.write(bytes(9000))

    def elsewhere(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("location", "/elsewhere")
        handler.end_headers()

    def broken(handler: http.server.BaseHTTPRequestHandler) -> None:
        handler.send_response(500)
        handler.end_headers()

    for answer, reason in ((too_much, "more than the 8192 bytes"), (elsewhere, "302"), (broken, "500")):
        with odd_server(answer) as url, pytest.raises(Problem, match=reason), closing(HttpTiles(url)) as far:
            far.read("tile/0/000")
    with pytest.raises(Problem, match="could not be fetched"), closing(HttpTiles("http://127.0.0.1:1")) as nobody:
        nobody.read("checkpoint")
