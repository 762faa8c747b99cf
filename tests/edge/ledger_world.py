"""A whole ledger world on disk for tests: a log, a witness, a trust file, and real servers on loopback."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import uvicorn

from watchglass.cli.serving import listen
from watchglass.edge.tiles import TileDirectory
from watchglass.ledger import note
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.growth import Growth
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.web.witness.app import Witness, make_app

LOG = SignerKey.from_seed("log.example", b"l" * 32)
WITNESS = SignerKey.from_seed("w1.example", b"w" * 32, KeyType.COSIGNATURE_V1)


class World:
    """A log in a directory, written as the sequencer writes it."""

    def __init__(self, path: Path) -> None:
        self.tiles = TileDirectory(path)
        self.growth = Growth()

    def grow(self, entries: list[bytes]) -> bytes:
        """Append, write, cosign, publish; the checkpoint."""
        self.growth.append(entries)
        self.tiles.write(self.growth.files())
        self.growth.written()
        checkpoint = Checkpoint(LOG.name, self.growth.size, self.growth.root())
        line = note.sign_text(checkpoint.text, WITNESS, seconds=1_000_000 + self.growth.size)
        data = note.add_signatures(checkpoint.sign([LOG]), [line])
        self.tiles.publish(data)
        return data

    def trust(self, path: Path) -> Path:
        """Write the trust file."""
        path.write_text(f"log {LOG.verifier}\nwitness w1 {WITNESS.verifier}\nquorum w1\n")
        return path


def entries(n: int, start: int = 0) -> list[bytes]:
    return [b'{"act":"test","n":%d}' % i for i in range(start, start + n)]


@contextmanager
def serve_app(witness: Witness) -> Iterator[str]:
    """The witness's server on a free port."""
    listener = listen("127.0.0.1", 0)
    server = uvicorn.Server(uvicorn.Config(make_app(witness), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@contextmanager
def serve_directory(path: Path) -> Iterator[str]:
    """Any static web server will do."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(path))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(20)
