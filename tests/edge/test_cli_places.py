"""Trials, ports that are taken, second processes, ledgers that cannot be written, and films that are no films."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from watchglass.bootstrap import House, SeededEntropy, SystemClock
from watchglass.cli.main import main
from watchglass.demo import STREET
from watchglass.ledger.keys import SignerKey
from world import World, make_house, read_json


def run(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, dict[str, Any]]:
    code = main([*map(str, words), "--json"])
    out = capsys.readouterr().out
    assert out.count("\n") == 1, out
    return code, read_json(out)


def now_house(tmp_path: Path, media: Path | None = Path(str(STREET)), **more: Any) -> World:
    """A deployment at the time that it is."""
    return make_house(tmp_path, clock=SystemClock(), media=media, **more)


@contextmanager
def process(*words: object) -> Iterator[subprocess.Popen[str]]:
    """A command that runs until it is stopped."""
    command = [sys.executable, "-m", "watchglass", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                started.kill()


def wait_for(enough: Any, seconds: float = 90) -> Any:
    """What ``enough`` gives once it gives something."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := enough():
            return found
        time.sleep(0.1)
    raise AssertionError("it did not happen")


def children(pid: int) -> list[int]:
    """The processes that ``pid`` started and that live."""
    return [int(word) for task in Path(f"/proc/{pid}/task").glob("*/children") for word in task.read_text().split()]


# ---- trials ------------------------------------------------------------------------------------------------------


def test_a_trial_is_ready_at_once_and_cannot_become_anything_else(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    root = tmp_path / "trial"
    code, made = run(capsys, "init", root, "--trial")
    assert code == 0
    assert re.fullmatch(r"trial\.[0-9a-f]{8}\.example", made["origin"])
    assert (made["trial"], made["name"], Path(made["people"])) == (True, "me", tmp_path / "trial.people")
    assert {path.name for path in (tmp_path / "trial.people").iterdir()} == {"signing.key", "openings.key"}
    for path in (tmp_path / "trial.people").iterdir():
        assert path.stat().st_mode & 0o077 == 0
    code, checked = run(capsys, "charter", "check", root / "charter.yaml", "--deployment", "trial")
    assert code == 0, checked
    code, checked = run(capsys, "charter", "check", root / "charter.yaml")
    assert code == 1  # it is no charter for a production deployment
    # its log verifies, and no production trust file takes it
    code, seen = run(capsys, "ledger", "verify", root / "ledger")
    assert (code, seen["deployment"]) == (0, "trial")
    (tmp_path / "trust").write_text(f"log {made['log_vkey']}\nquorum none\n")
    assert run(capsys, "ledger", "verify", root / "ledger", "--trust", tmp_path / "trust")[0] == 0
    production = SignerKey.generate("safety.example", SeededEntropy("log")).verifier
    for logs in (f"log {production}\n", f"log {production}\nlog {made['log_vkey']}\n"):
        (tmp_path / "trust").write_text(f"{logs}quorum none\n")
        code, seen = run(capsys, "ledger", "verify", root / "ledger", "--trust", tmp_path / "trust")
        assert code in (2, 4), seen
    assert run(capsys, "init", root, "--trial")[0] == 2


def test_a_trial_looks_at_ones_own_film(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, made = run(capsys, "init", tmp_path / "t", "--trial", "--video", __file__)
    assert (code, made["error"]) == (2, "BadInput")
    assert not (tmp_path / "t").exists()
    film = tmp_path / "mine.mp4"
    film.write_bytes(Path(str(STREET)).read_bytes()[:400_000])  # cut off in the middle, as a recorder leaves it
    code, made = run(capsys, "init", tmp_path / "t", "--trial", "--video", film)
    assert code in (0, 2), made
    if code == 2:  # its index lies at the end: that is told at once
        assert made["fix"]
        return
    assert "KEY" not in (tmp_path / "t" / "charter.yaml").read_text()


# ---- places ------------------------------------------------------------------------------------------------------


def test_a_port_that_is_taken(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with now_house(tmp_path, listen=f"127.0.0.1:{port}") as world:
            root = world.layout.root
        code, told = run(capsys, "run", root)
        assert (code, told["error"]) == (2, "BadInput")
        assert f"Port {port}" in told["message"]
        code, told = run(capsys, "demo", "--state", tmp_path / "demo", "--port", port)
        assert (code, told["error"]) == (2, "BadInput")
        assert not (tmp_path / "demo").exists()


def test_a_second_process_on_one_deployment(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with now_house(tmp_path) as world:
        for words in (("run", world.layout.root, "--no-portal"), ("run", world.layout.root, "--once")):
            code, told = run(capsys, *words)
            assert (code, told["error"], told["pid"]) == (2, "BadInput", str(os.getpid()))


def test_a_ledger_that_cannot_be_written(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with now_house(tmp_path) as world:
        root, ledger = world.layout.root, world.layout.ledger
        world.raise_alert()
    held = tmp_path / "held"
    ledger.rename(held)
    ledger.write_text("a file where the ledger was")
    code, told = run(capsys, "run", root, "--once")
    assert code in (1, 2, 4)
    assert told["fix"]
    ledger.unlink()
    held.rename(ledger)
    with House(root) as house:  # what was acknowledged is still there
        assert house.store.read().one("SELECT 1 FROM alert")
        house.sequencer.tick()


@pytest.mark.parametrize("film", ["no film at all", "a film cut off", "nothing"])
def test_a_film_that_cannot_be_read_is_named_and_exits_1(
    film: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with now_house(tmp_path, media=None) as world:
        root, file = world.layout.root, world.layout.media / "street.mp4"
    if film == "no film at all":
        file.write_bytes(b"\x00\x00\x00\x18ftypmp42 and then letters" * 99)
    elif film == "a film cut off":
        file.write_bytes(Path(str(STREET)).read_bytes()[:-300_000])
    code, told = run(capsys, "run", root, "--once")
    assert code == 1, told
    assert told["ok"] is False
    assert told["sources"]["street"]["error"]
    assert told["ledger"]["size"] > 0


def test_two_sources_with_one_name_are_refused_where_they_stand(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with make_house(tmp_path, charter=False) as world:
        text = world.text
    begin = text.index("  street:\n    kind: file")
    end = text.index("analytics:\n")
    file = tmp_path / "twice.yaml"
    file.write_text(text[:end].rstrip() + "\n" + text[begin:end] + text[end:])
    code, told = run(capsys, "charter", "check", file, "--deployment", "demo")
    assert (code, told["error"]) == (2, "CharterErrors")
    assert "street" in told["message"]
    assert str(text[:end].rstrip().count("\n") + 2) in told["message"]


def test_a_model_that_is_not_the_installed_one(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    edit = ('nanodet-416-int8: "sha256:', 'nanodet-416-int8: "sha256:0000')
    with make_house(tmp_path / "x", charter=False) as world:
        line = next(line for line in world.text.splitlines() if edit[0] in line)
    wrong = line[:-65] + "0" * 64 + '"'
    with now_house(tmp_path, edits=((line, wrong),)) as world:
        root = world.layout.root
    code, told = run(capsys, "run", root, "--once")
    assert (code, told["error"]) == (3, "Refused")
    assert "another hash" in told["message"]


# ---- a house at work ---------------------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_killed_house_takes_its_workers_along_and_the_next_run_says_what_happened(tmp_path: Path) -> None:
    with now_house(tmp_path) as world:
        root = world.layout.root
    with process("run", root, "--no-portal", "--json") as running:
        wait_for(lambda: any(b"spawn_main" in _command(pid) for pid in children(running.pid)))
        workers = children(running.pid)
        running.kill()
        running.wait(30)
    wait_for(lambda: not any(_alive(pid) for pid in workers))
    with process("run", root, "--no-portal", "--json") as running:
        wait_for(lambda: any(b"spawn_main" in _command(pid) for pid in children(running.pid)))
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=60)
        assert running.returncode == 0, err
    told = read_json(out)
    assert (told["stopped"], told["ok"]) == (True, True)
    world.house = type(world.house)(root)
    with world:
        causes = [record.leaf.clear["cause"] for record in world.records("run_stopped")]
    assert causes == ["found_after_crash", "asked"]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.slow
def test_a_running_deployment_is_spoken_to_over_its_portal(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with now_house(tmp_path, listen=f"127.0.0.1:{port}") as world:
        root, text = world.layout.root, world.edited(("Exampleton parks", "Exampleton meadows"))
    (tmp_path / "next.yaml").write_text(text)
    key = {role: tmp_path / "people" / f"{role}.key" for role in ("authority", "oversight")}
    url = f"http://127.0.0.1:{port}"
    with process("run", root, "--json") as running:
        wait_for(lambda: _answers(port))
        code, told = run(
            capsys, "oversight", "suspend", url, "--key", key["oversight"], "--analytic", "on-the-lawn",
            "--reason", "It counts shadows.",
        )  # fmt: skip
        assert code == 0, told
        code, told = run(
            capsys, "oversight", "suspend", url, "--key", key["authority"], "--all", "--reason", "Mine to stop."
        )
        assert (code, told["error"]) == (4, "DidNotVerify")
        code, told = run(
            capsys, "oversight", "resume", url, "--key", key["oversight"], "--all", "--reason", "r",
            "--what-changed", "w",
        )  # fmt: skip
        assert (code, told["error"]) == (1, "Problem")
        approvals: list[object] = []
        for role, file in key.items():
            code, told = run(
                capsys, "charter", "sign", tmp_path / "next.yaml", "--as", role, "--key", file,
                "--origin", world.house.origin,
            )  # fmt: skip
            approvals += ["--approval", told["approval"]]
        code, told = run(capsys, "charter", "publish", url, tmp_path / "next.yaml", *approvals)
        assert (code, told.get("version")) == (0, 2), told
        code, told = run(capsys, "charter", "publish", url, tmp_path / "next.yaml", *approvals)
        assert (code, told["error"]) == (2, "BadInput")
        assert wait_for(lambda: _verified(capsys, url))["origin"] == world.house.origin
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=60)
        assert running.returncode == 0, err
    assert read_json(out)["stopped"]
    world.house = House(root)
    with world:
        acts = [record.leaf.act for record in world.records()]
        assert "suspension_ordered" in acts
        assert acts.count("charter_published") == 2
        obeyed = world.records("suspension_obeyed")
        assert obeyed[0].leaf.clear["analytic"] == "on-the-lawn"


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _verified(capsys: pytest.CaptureFixture[str], url: str) -> dict[str, Any] | None:
    """The log over HTTP, once the charter's next version is in it; its witness is not there, so none is asked for."""
    code, told = run(capsys, "ledger", "verify", f"{url}/log")
    assert code == 0, told
    return told if told["size"] > 6 else None


def test_a_disk_that_is_full_acknowledges_nothing_and_loses_nothing(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    with now_house(tmp_path) as world:
        root = world.layout.root
        before = world.state()["account"]
    # -B: what Python keeps of its modules would be cut off too, for all who come after
    adding = [
        sys.executable,
        "-B",
        "-m",
        "watchglass",
        "user",
        "add",
        str(root),
        "rita",
        "--role",
        "clerk",
        "--generate",
    ]
    limit = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)); "
    limit += "os.execv(sys.argv[1], sys.argv[1:])"
    full = subprocess.run(
        [sys.executable, "-B", "-c", limit, *adding, "--json"], capture_output=True, text=True, timeout=60, check=False
    )
    told = read_json(full.stdout)
    assert (full.returncode, told["error"]) == (1, "CannotRecord"), full.stderr
    assert "disk" in told["message"]
    world.house = House(root)
    with world:
        assert world.state()["account"] == before
    assert run(capsys, "user", "add", root, "rita", "--role", "clerk", "--generate")[0] == 0
