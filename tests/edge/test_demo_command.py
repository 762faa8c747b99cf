"""``watchglass demo`` as a newcomer meets it: ready, its figures, its log from outside, stopped, and going on."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from watchglass import __version__
from watchglass.bootstrap import new_key
from watchglass.cli.main import main
from watchglass.core.errors import BadInput
from watchglass.demo.stage import find_or_set
from world import read_json

pytestmark = pytest.mark.slow
LONGEST = 240
"""Seconds that a start may take on a machine that does other things too."""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def demo(state: Path, port: int, *words: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "watchglass", "demo", "--state", str(state), "--port", str(port)]
    with subprocess.Popen(
        [*command, *map(str, words)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        try:
            yield started
        finally:
            if started.poll() is None:
                started.kill()


class Reading:
    """Reads a process's stderr from a thread, so that a test can wait for a line of it."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.lines: list[str] = []
        self._process = process
        self._more = threading.Condition()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            with self._more:
                self.lines.append(line)
                self._more.notify_all()
        with self._more:
            self._more.notify_all()

    def until(self, words: str) -> None:
        with self._more:
            assert self._more.wait_for(
                lambda: any(words in line for line in self.lines) or self._process.poll() is not None, LONGEST
            )
        assert any(words in line for line in self.lines), "".join(self.lines)


def verified(state: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What ``ledger verify`` says from outside, with the trust file that the demo wrote."""
    trust = state.with_name(state.name + ".people") / "trust"
    code = main(["ledger", "verify", str(state / "ledger"), "--trust", str(trust), "--json"])
    told = read_json(capsys.readouterr().out)
    assert code == 0, told
    return told


def test_from_a_start_that_was_cut_off_to_one_that_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state, port = tmp_path / "state", free_port()

    # cut off while it is being set up, as by a power cut
    with demo(state, port) as cut:
        Reading(cut).until("signed by authority and oversight")
        cut.kill()
        cut.wait(30)
    assert (tmp_path / "state.people" / "being-set-up").is_file()

    # started afresh, from which it stops by itself
    with demo(state, port, "--for", 5, "--json") as first:
        reading = Reading(first)
        assert first.stdout is not None
        out = first.stdout.read()
        assert first.wait(LONGEST) == 0, "".join(reading.lines)
    figures = read_json(out)
    assert any("cut off" in line for line in reading.lines)
    assert set(figures) >= {"command", "version", "ok", "alerts", "ledger"}
    assert (figures["command"], figures["version"], figures["ok"]) == ("demo", __version__, True)
    assert set(figures["ledger"]) == {"size", "root", "dir"}
    assert figures["ledger"]["dir"] == str(state / "ledger")
    assert not (tmp_path / "state.people" / "being-set-up").exists()
    seen = verified(state, capsys)
    assert (seen["size"], seen["root"], seen["deployment"]) == (
        figures["ledger"]["size"], figures["ledger"]["root"], "demo",
    )  # fmt: skip
    assert seen["witnesses"]
    assert seen["size"] > 500  # 28 days are behind it

    # killed at work: nothing is left that would stand in the way of the next start
    with demo(state, port) as killed:
        Reading(killed).until("Ctrl-C stops")
        killed.kill()
        killed.wait(30)

    # going on as it was left, and stopped by Ctrl-C
    with demo(state, port) as second:
        reading = Reading(second)
        reading.until("Ctrl-C stops")
        told = "".join(reading.lines)
        assert "Going on with the demo" in told
        for page in ("/tour", "/review", "/respond", "/oversight"):
            assert f"http://127.0.0.1:{port}{page}" in told
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=30) as answer:
            assert answer.status == 200
        password = re.search(r"password: (\S+)", told)
        assert password
        second.send_signal(signal.SIGINT)
        assert second.stdout is not None
        out = second.stdout.read()
        assert second.wait(60) == 0, "".join(reading.lines)
    assert "Ledger: " in out
    grown = verified(state, capsys)
    assert grown["continues"] == seen["size"] < grown["size"]
    with socket.create_server(("127.0.0.1", port)):
        pass  # the port is free again


def test_somebodys_keys_are_never_cleared_away(tmp_path: Path) -> None:
    people = tmp_path / "state.people"
    people.mkdir()
    new_key(people / "signing.key", "me.example", "signing", None)
    before = (people / "signing.key").read_bytes()
    with pytest.raises(BadInput, match="somebody's keys"):
        find_or_set(tmp_path / "state", free_port(), lambda _: None, lambda _: None)
    assert (people / "signing.key").read_bytes() == before
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "letter.txt").write_text("mine")
    with pytest.raises(BadInput, match="holds no demo"):
        find_or_set(tmp_path / "other", free_port(), lambda _: None, lambda _: None)
    assert json.dumps([path.name for path in (tmp_path / "other").iterdir()]) == '["letter.txt"]'
    assert not (tmp_path / "other.people").exists()


def test_ctrl_c_while_it_is_being_set_up(tmp_path: Path) -> None:
    with demo(tmp_path / "state", free_port(), "--json") as started:
        reading = Reading(started)
        reading.until("Making keys")
        started.send_signal(signal.SIGINT)
        assert started.stdout is not None
        told = read_json(started.stdout.read())
        assert started.wait(60) == 1, "".join(reading.lines)
    assert told["error"] == "Problem"
    assert "begins afresh" in str(told["fix"])
