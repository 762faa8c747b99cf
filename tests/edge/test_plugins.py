"""Other people's analytics: read without being run, run where there is nothing to take, stopped when they misbehave."""

from __future__ import annotations

import gc
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from watchglass.cli.main import main
from watchglass.core.errors import BadInput
from watchglass.edge.plugins import jail
from watchglass.edge.plugins.host import Sandboxed, enforceable
from watchglass.edge.plugins.installed import PlugIn, installed, plug_in
from watchglass.perception.analytics.rule import Scene
from watchglass.perception.messages import AnalyticSpec, ZoneSpec
from watchglass.perception.observation import Tracks
from watchglass.runtime.rules import rule_of

WHY_NOT = enforceable()
locked = pytest.mark.skipif(WHY_NOT is not None, reason=f"plug-ins are refused on this machine: {WHY_NOT}")

CARD = {
    "rule": "More than so many things are in view.",
    "needs": "area",
    "sees": ["tracks"],
    "parameters": [
        {"key": "most", "unit": "things", "default": 1, "lowest": 0, "highest": 50, "means": "How many are fine."}
    ],
    "evidence": "How many there are.",
    "fails": ["It counts what the detector finds, which in a crowd is too little."],
}

GOOD = """
from tally.count import of

class TooMany:
    def __init__(self, settings, zone):
        self.most = settings["most"]
        self.zone = zone

    def reset(self):
        self.most += 0

    def see(self, scene):
        n = of(scene["tracks"])
        if n <= self.most:
            return None
        return {"score": 0.5, "why": f"{n} things in view", "facts": {"things": n}}
"""


def package(folder: Path, body: str, card: object = CARD, *, extra: dict[str, bytes] | None = None) -> list[str]:
    """A distribution as an installer leaves it."""
    files = {
        "tally/__init__.py": b"",
        "tally/count.py": b"def of(things):\n    return len(things)\n",
        "tally/rule.py": body.encode(),
        "tally/too-many.card.json": (card if isinstance(card, str) else json.dumps(card)).encode(),
        "tally-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tally\nVersion: 1.0\n",
        "tally-1.0.dist-info/entry_points.txt": b"[watchglass.analytics]\ntoo-many = tally.rule:TooMany\n",
        **(extra or {}),
    }
    record = "".join(f"{name},,\n" for name in files)
    for name, data in {**files, "tally-1.0.dist-info/RECORD": record.encode()}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return [str(folder)]


def found(path: list[str]) -> PlugIn:
    there = installed(path)["too-many"]
    assert isinstance(there, PlugIn), there
    return there


def scene(n: int, at_ms: int = 0) -> Scene:
    boxes = np.tile(np.array([[1, 2, 3, 9]], np.float32), (n, 1))
    tracks = Tracks(at_ms, np.arange(n), boxes, np.full(n, 0.8, np.float32), np.zeros(n, np.int8))
    return Scene(at_ms, tracks)


def run(path: list[str], **settings: float) -> Sandboxed:
    there = found(path)
    return Sandboxed(there, there.checked(settings), ZoneSpec("z", ((0, 0), (9, 0), (9, 9))))


@locked
def test_a_plug_in_sees_plain_values_and_finds(tmp_path: Path) -> None:
    rule = run(package(tmp_path, GOOD), most=2)
    try:
        assert rule.see(scene(2)) is None
        finding = rule.see(scene(3))
        assert finding is not None
        assert (finding.score, finding.why, finding.facts) == (0.5, "3 things in view", {"things": 3})
        rule.reset()
        assert rule.trouble is None
    finally:
        rule.close()


def test_nothing_is_imported_or_run_when_cards_are_read(tmp_path: Path) -> None:
    witness = tmp_path / "it-ran"
    path = package(tmp_path, f"open({str(witness)!r}, 'w')\n" + GOOD)
    assert found(path).card.rule == CARD["rule"]
    assert not witness.exists()
    assert not any(name.startswith("tally") for name in sys.modules)


ESCAPES = {
    "a file": "open('/etc/passwd').read()",
    "a folder": "__import__('os').listdir('/')",
    "a module that is not given": "import subprocess",
    "the network": "import socket; socket.socket()",
    "the posix module": "import posix; posix.open('/', 0)",
    "a process": "import posix; posix.fork()",
    "the loader behind it": "import sys; sys.modules['_io'].open_code('/etc/passwd')",
    "machine code": "import mmap; mmap.mmap(-1, 4096, prot=7)",
}


@locked
@pytest.mark.parametrize("what", ESCAPES)
def test_there_is_nothing_to_take(tmp_path: Path, what: str) -> None:
    body = GOOD.replace("        n = of", f"        {ESCAPES[what]}\n        n = of")
    rule = run(package(tmp_path, body))
    assert rule.see(scene(9)) is None
    assert rule.trouble is not None
    assert "stopped" in rule.trouble
    assert rule.see(scene(9)) is None


@locked
@pytest.mark.parametrize("what", ["open('/etc/passwd')", "import socket", "import os"])
def test_nor_while_it_is_loaded(tmp_path: Path, what: str) -> None:
    with pytest.raises(BadInput, match="does not start"):
        run(package(tmp_path, f"{what}\n" + GOOD))


WRONG = {
    "slow": "while True: pass",
    "hungry": "x = bytearray(10**9)",
    "garbage on the pipe": "import sys; sys.stdout.write('x' * 99999 + '\\n'); sys.stdout.flush()",
    "no finding": "return 7",
    "a score that is none": "return {'score': 2, 'why': 'w'}",
    "a score that is no number": "return {'score': float('nan'), 'why': 'w'}",
    "a book instead of a sentence": "return {'score': None, 'why': 'w' * 5000}",
    "a text among the facts": "return {'score': None, 'why': 'w', 'facts': {'who': 'somebody'}}",
    "an end": "raise SystemExit",
}


@locked
@pytest.mark.parametrize("what", WRONG)
def test_one_that_misbehaves_is_stopped_and_says_why(tmp_path: Path, what: str) -> None:
    rule = run(package(tmp_path, GOOD.replace("        n = of", f"        {WRONG[what]}\n        n = of")))
    assert rule.see(scene(9)) is None
    assert rule.trouble is not None


def test_the_hash_covers_every_file_and_the_charter_pins_it(tmp_path: Path) -> None:
    path = package(tmp_path, GOOD)
    sha256 = found(path).sha256
    assert plug_in("too-many", sha256, path).package == "tally 1.0"
    (tmp_path / "tally/count.py").write_text("def of(things):\n    return 99\n")
    with pytest.raises(BadInput, match="another hash"):
        plug_in("too-many", sha256, path)
    with pytest.raises(BadInput, match="not installed"):
        plug_in("never", sha256, path)


@pytest.mark.parametrize(
    ("card", "says"),
    [
        ("{", "not written right"),
        ("[]", "not written right"),
        ({**CARD, "sees": ["pixels"]}, "not written right"),
        ({**CARD, "rule": ""}, "not written right"),
        ({key: value for key, value in CARD.items() if key != "fails"}, "not written right"),
        ({**CARD, "parameters": [{"key": "Most!"}]}, "not written right"),
    ],
)
def test_a_card_that_is_none_is_told_and_others_go_on(tmp_path: Path, card: object, says: str) -> None:
    there = installed(package(tmp_path, GOOD, card))["too-many"]
    assert isinstance(there, BadInput)
    assert says in there.message


def test_compiled_parts_are_refused(tmp_path: Path) -> None:
    there = installed(package(tmp_path, GOOD, extra={"tally/fast.so": b"\x7fELF"}))["too-many"]
    assert isinstance(there, BadInput)
    assert "compiled" in there.message


@pytest.mark.parametrize(("settings", "says"), [({"least": 1}, "no setting"), ({"most": 51}, "is 51")])
def test_settings_are_held_against_the_card(tmp_path: Path, settings: dict[str, float], says: str) -> None:
    with pytest.raises(BadInput, match=says):
        found(package(tmp_path, GOOD)).checked(settings)


def test_where_plug_ins_are_refused_it_is_the_machine_and_not_the_lock() -> None:
    """The tests above are skipped where nothing can be locked; a lock that is open must not look like that."""
    assert WHY_NOT is None or WHY_NOT.startswith(("no table", "the kernel", sys.platform)), WHY_NOT


def test_machines_without_a_table_are_refused() -> None:
    with pytest.raises(jail.Unenforceable, match="riscv64"):
        jail.rules("riscv64")
    assert len(jail.rules("aarch64")) % 8 == 0


@locked
def test_a_charter_s_rule_is_the_plug_in_that_it_pins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    sha256 = found(package(tmp_path, GOOD)).sha256
    zone = ZoneSpec("z", ((0, 0), (9, 0), (9, 9)))
    settings = {"plug_in": "too-many", "sha256": sha256, "for_ms": 1000, "most": 2.0}
    rule = rule_of(AnalyticSpec("busy", "plug_in", zone, settings))
    assert [rule.see(scene(3, at_ms)) is not None for at_ms in (0, 500, 1000, 1500)] == [False, False, True, False]
    with pytest.raises(BadInput, match="another hash"):
        rule_of(AnalyticSpec("busy", "plug_in", zone, {**settings, "sha256": "0" * 64}))
    with pytest.raises(BadInput, match="not numbers"):
        rule_of(AnalyticSpec("busy", "plug_in", zone, {**settings, "most": "many"}))


@locked
def test_its_process_ends_with_the_rule(tmp_path: Path) -> None:
    rule = run(package(tmp_path, GOOD))
    process = rule._process  # there is no other way to see it
    del rule
    gc.collect()
    assert process.poll() is not None


def test_the_command_lists_and_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package(tmp_path, GOOD)
    assert main(["plugin", "list", "--json"]) == 0
    assert "too-many" in {row["name"] for row in json.loads(capsys.readouterr().out)["plug_ins"]}
    assert main(["plugin", "show", "too-many", "--source"]) == 0
    assert "class TooMany" in capsys.readouterr().out
    assert main(["plugin", "show", "never"]) == 2
