"""Somebody tampers with the demo's ledger; the command that the demo printed notices, and says where."""

from __future__ import annotations

import json
import shlex
import shutil
import time
from dataclasses import replace
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from watchglass.bootstrap import SeededEntropy, read_signing_key
from watchglass.core.digest import unb64
from watchglass.core.time import SECOND
from watchglass.edge.tiles import TileDirectory
from watchglass.edge.witness import load_witness_key
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger import note
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.growth import Growth
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.tiles import read_entry
from watchglass.records.leaf import Leaf
from watchglass.records.statement import sign

GROWS_S = 60


class Visitor:
    """Somebody outside with the trust file: the printed command, with a copy of the ledger instead of its address."""

    def __init__(self, demo: Any, folder: Path) -> None:
        self.demo, self.folder = demo, folder
        self.trust = folder / "mine.trust"
        shutil.copy(demo.people / "trust", self.trust)
        (line,) = (line for line in demo.printed if " audit " in line and "--trust" in line)
        self.printed = shlex.split(line)

    def audit(self, ledger: Path) -> tuple[int, dict[str, Any], str]:
        words = self.printed[self.printed.index("audit") :]
        words[1] = str(ledger)
        words[words.index("--trust") + 1] = str(self.trust)
        words[words.index("--html") + 1] = str(self.folder / "audit.html")
        done = self.demo.watchglass(*words, "--json")
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout), done.stderr


class Operator:
    """Whoever keeps the machine: has the log's key, and can write whatever they like into a copy."""

    def __init__(self, demo: Any, ledger: Path) -> None:
        self.ledger = ledger
        self.key = read_signing_key(demo.state / "keys" / "log.key")
        self.witness = load_witness_key(demo.people / "witness" / "witness.key")
        data = (ledger / "checkpoint").read_bytes()
        self.before = checkpoints.parse(data).checkpoint
        tiles = TileDirectory(ledger)
        self.entries = [read_entry(tiles, index, self.before.size) for index in range(self.before.size)]

    def rewrite(self, *, cosigned: bool) -> None:
        """Make a whole log of ``entries``, sign it, and have the witness sign it where it would: or was made to."""
        shutil.rmtree(self.ledger)
        self.ledger.mkdir()
        tiles, growth = TileDirectory(self.ledger), Growth()
        growth.append(self.entries)
        tiles.write(growth.files())
        now = Checkpoint(self.before.origin, growth.size, growth.root())
        data = now.sign([self.key])
        if cosigned:
            data = note.add_signatures(data, [note.sign_text(now.text, self.witness, seconds=int(time.time()))])
        tiles.publish(data)


@pytest.fixture(scope="module")
def exported(demo: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What oversight's own command brought out of the running demo."""
    folder = tmp_path_factory.mktemp("exported") / "everything"
    key, trust = demo.people / "oversight" / "signing.key", demo.people / "trust"
    words = ["oversight", "export", demo.address, folder, "--trust", trust, "--key", key]
    done = demo.watchglass(*map(str, words))
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def ledger(exported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(exported / "ledger", tmp_path / "ledger"))


@pytest.fixture
def visitor_outside(demo: Any, tmp_path: Path) -> Visitor:
    return Visitor(demo, tmp_path)


def test_the_demo_itself_broke_what_its_makers_put_there_to_be_found(
    demo: Any, exported: Path, visitor_outside: Visitor
) -> None:
    code, result, _ = visitor_outside.audit(exported / "ledger")
    broken = {each["promise"] for each in result["findings"] if each["state"] == "broken"}
    assert (code, broken) == (1, {"emergencies"}), result["verdict"]
    key = demo.people / "oversight" / "openings.key"
    words = ["audit", exported / "ledger", "--trust", exported / "trust", "--openings", exported / "openings"]
    done = demo.watchglass(*map(str, words), "--key", str(key), "--json")
    deep = json.loads(done.stdout)
    assert (done.returncode, deep["depth"]) == (1, "openings")
    opened = next(each for each in deep["findings"] if each["promise"] == "opened")
    assert (opened["state"], opened["checked"] > result["size"] // 2) == ("kept", True)


def test_a_changed_byte(ledger: Path, visitor_outside: Visitor) -> None:
    bundle = ledger / "tile" / "entries" / "000"
    data = bundle.read_bytes()
    at = data.index(b'"act":"alert_decided"') + 9
    bundle.write_bytes(data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :])
    code, result, _ = visitor_outside.audit(ledger)
    assert (code, result["error"]) == (4, "DidNotVerify")


def test_an_entry_dropped_and_everything_signed_again(demo: Any, ledger: Path, visitor_outside: Visitor) -> None:
    assert visitor_outside.audit(ledger)[0] == 1  # and remembers
    operator = Operator(demo, ledger)
    victim = next(at for at, data in enumerate(operator.entries) if b'"act":"alert_decided"' in data)
    del operator.entries[victim]
    operator.rewrite(cosigned=False)
    code, result, _ = visitor_outside.audit(ledger)
    assert (code, result["error"]) == (4, "DidNotVerify"), "no witness cosigns such a past"
    operator.entries.append(operator.entries[-1])
    operator.rewrite(cosigned=True)
    code, result, _ = visitor_outside.audit(ledger)
    assert (code, result["error"]) == (4, "DidNotVerify"), "and with a bribed one, this machine remembers"
    assert "rewritten" in result["message"] or "two different trees" in result["message"]


def test_rolled_back(demo: Any, exported: Path, ledger: Path, visitor_outside: Visitor, tmp_path: Path) -> None:
    size = checkpoints.parse((ledger / "checkpoint").read_bytes()).checkpoint.size
    end = time.monotonic() + GROWS_S
    while True:
        done = demo.watchglass("audit", f"{demo.address}/log", "--trust", str(visitor_outside.trust), "--json")
        assert done.returncode == 1, done.stdout
        if json.loads(done.stdout)["size"] > size:
            break
        assert time.monotonic() < end, "the demo's ledger does not grow"
        time.sleep(2)
    code, result, _ = visitor_outside.audit(ledger)  # whole, signed and cosigned; but of yesterday
    assert (code, result["error"]) == (4, "DidNotVerify")
    assert "taken away" in result["message"]


def test_a_record_that_verifies_and_is_a_lie(demo: Any, ledger: Path, visitor_outside: Visitor) -> None:
    """The operator lifts oversight's suspension with a key of their own. The log is whole, and cosigned."""
    _, honest, _ = visitor_outside.audit(ledger)
    operator = Operator(demo, ledger)
    number = len(operator.entries)
    assert not any(number in breach["entries"] for each in honest["findings"] for breach in each["breaches"])
    order = next(data for data in operator.entries if data.startswith(b'{"act":"suspension_ordered"'))
    forged = sign(
        "suspension_lifted",
        role="oversight",
        key=SignerKey.generate("oversight.demo.watchglass.example", SeededEntropy("forger")),
        origin=operator.before.origin,
        now=int(time.time()) * SECOND,
        entropy=SeededEntropy("lie"),
        charter=unb64(honest["charters"][-1]["sha256"]),
        clear=Leaf.parse(order).clear,
        committed={"reason": "Nobody will notice.", "what_changed": "Nothing."},
        refs=[leaf_hash(order)],
    )
    operator.entries.append(replace(forged.leaf, opening=bytes(32)).encode())
    operator.rewrite(cosigned=True)
    code, result, _ = visitor_outside.audit(ledger)
    assert code == 1
    signatures = next(each for each in result["findings"] if each["promise"] == "signatures")
    (breach,) = signatures["breaches"]
    assert breach["entries"] == [number]
    assert breach["sentence"] in unescape((visitor_outside.folder / "audit.html").read_text("utf-8"))
