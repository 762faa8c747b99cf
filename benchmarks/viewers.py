"""What the public view adds: from a worker's report of marks to the last of 200 viewers, and what a viewer costs.

A process of its own opens a deployment and serves its portal as ``watchglass run`` does. In place of a camera a thread
writes reports into a pipe four times a second, as a worker's mailbox does, and another takes them out and gives them to
the house, as the supervisor does. The viewers are plain HTTP clients in this process, each with a connection of its own
to the stream of server-sent events. Both clocks are this machine's.
"""

from __future__ import annotations

import asyncio
import json
import math
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import portal
from watchglass.bootstrap import House
from watchglass.cli.serving import Serving, listen
from watchglass.demo import STREET
from watchglass.perception.messages import Pin, Pins
from watchglass.web.portal.app import create_app

VIEWERS = 200
SECONDS = {True: 8, False: 60}
HZ = 4
MARKS = 12
SETTLE_S = 2.0
TARGET_MS = 300.0
_ACROSS, _STEP, _SIGN = 32, 20, 3


def figures(*, quick: bool, progress: Callable[[str], None]) -> list[dict[str, Any]]:
    """The figures ``view_added_*`` and ``view_cpu_us_per_message``."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "bench"
        portal.deployment(root, {"street.mp4": Path(str(STREET))}, portal.one_street)
        progress(f"Showing the public view to one viewer, then to {VIEWERS}, for {SECONDS[quick]} s each ...")
        alone = run(root, 1, SECONDS[quick])
        many = run(root, VIEWERS, SECONDS[quick])
    waits = sorted(many.waits_ms)
    n, most = len(waits), waits[min(len(waits) - 1, int(0.95 * len(waits)))]
    note = f"{HZ} reports a second, {MARKS} marks; from the worker's report until the last of {VIEWERS} viewers has it"
    cost = 1e6 * (many.cpu_s - alone.cpu_s) / max(1, many.received - alone.received)
    return [
        _figure("view_added_p50_ms", waits[n // 2], "ms", None, portal.interval(waits, 0.5), n, note),
        _figure("view_added_p95_ms", most, "ms", TARGET_MS, portal.interval(waits, 0.95), n, note),
        _figure(
            "view_cpu_us_per_message", cost, "µs", None, None, many.received,
            f"what the house takes with {VIEWERS} viewers beyond what it takes with one, by message and viewer",
        ),
    ]  # fmt: skip


def _figure(
    name: str, value: float, unit: str, target: float | None, interval: list[float] | None, n: int, note: str
) -> dict[str, Any]:
    return {
        "name": name,
        "value": round(value, 2) if math.isfinite(value) else None,
        "unit": unit,
        "better": "lower",
        "target": target,
        "ok": None if target is None else value <= target,
        "interval": interval if interval is None or all(map(math.isfinite, interval)) else None,
        "n": n,
        "against": None,
        "note": note,
    }


@dataclass(frozen=True)
class Watched:
    """What one run gave: how long each message took to the last viewer, how many arrived in all, the house's CPU."""

    waits_ms: list[float]
    received: int
    cpu_s: float


def run(root: Path, viewers: int, seconds: int) -> Watched:
    """Let so many viewers watch for so long.

    Raises:
        RuntimeError: a viewer heard nothing, or the house said no.
    """
    command = [sys.executable, str(Path(__file__)), str(root), str(seconds)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as house:
        assert house.stdin is not None
        assert house.stdout is not None
        try:
            port = int(house.stdout.readline())
            heard = asyncio.run(_watch(port, viewers, lambda: _say(house, "go"), seconds))
            _say(house, "end")
            told = json.loads(house.stdout.readline())
        finally:
            house.stdin.close()
            house.wait(30)
    sent: list[float] = told["sent"]
    if any(not each for each in heard):
        raise RuntimeError("a viewer heard nothing of the public view")
    return Watched(_waits(sent, heard), sum(map(len, heard)), told["cpu_s"])


def _say(house: subprocess.Popen[str], word: str) -> None:
    assert house.stdin is not None
    house.stdin.write(word + "\n")
    house.stdin.flush()


def _waits(sent: list[float], heard: list[list[tuple[float, bytes]]]) -> list[float]:
    """For each report: milliseconds until the last viewer had it, or a newer one."""
    last = [0.0] * len(sent)
    for viewer in heard:
        done = 0
        for at, line in viewer:
            number = _number(line)
            for k in range(done, number + 1):
                last[k] = max(last[k], at)
            done = max(done, number + 1)
        for k in range(done, len(sent)):
            last[k] = float("inf")
    # the last report of all may still have been on its way when the viewers left
    return [1000 * (at - begun) for at, begun in zip(last[:-1], sent[:-1], strict=True)]


def _pins(number: int) -> tuple[Pin, ...]:
    """Marks that differ from the last; where the one bag stands says which report it is."""
    people = (Pin(20 + 50 * n, 500 + 40 * ((number + n) % 2), 0) for n in range(MARKS))
    return Pin(20 + _STEP * (number % _ACROSS), 20 + _STEP * (number // _ACROSS), _SIGN), *people


def _number(line: bytes) -> int:
    pins = json.loads(line[6:])["pins"]
    found = [(x, y) for x, y, kind in pins if kind == _SIGN]
    return (found[0][0] - 20) // _STEP + _ACROSS * ((found[0][1] - 20) // _STEP) if found else -1


# ---- the viewers -----------------------------------------------------------------------------------------------------


async def _watch(port: int, viewers: int, begin: Callable[[], None], seconds: int) -> list[list[tuple[float, bytes]]]:
    heard: list[list[tuple[float, bytes]]] = [[] for _ in range(viewers)]
    tasks = [asyncio.create_task(_view(port, each)) for each in heard]
    await asyncio.sleep(SETTLE_S)
    for each in heard:
        each.clear()
    begin()
    await asyncio.sleep(seconds + SETTLE_S)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return heard


async def _view(port: int, heard: list[tuple[float, bytes]]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /view/street/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
    try:
        while line := await reader.readline():
            if line.startswith(b"data: "):
                heard.append((time.time(), line))
    finally:
        writer.close()


# ---- the house -------------------------------------------------------------------------------------------------------


def serve(root: Path, seconds: int) -> None:
    """Open the deployment, say on which port, and report marks for so long once told to."""
    with House(root) as house:
        charter = house.standing().charter
        assert charter is not None
        house.live.follow(charter)
        house.live.opened("street", portal.WIDTH, portal.HEIGHT)
        png = resources.files("watchglass").joinpath("demo/backdrop.png").read_bytes()
        house.live.set_backdrop("street", "day", "1", png, house.clock.now())
        listener = listen("127.0.0.1", 0)
        serving = Serving(create_app(house), listener)
        print(listener.getsockname()[1], flush=True)
        sys.stdin.readline()
        sent = _report(house, seconds)
        sys.stdin.readline()
        used = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({"sent": sent, "cpu_s": used.ru_utime + used.ru_stime}), flush=True)
        house.bus.close()
        serving.close()


def _report(house: House, seconds: int) -> list[float]:
    """Write reports into a pipe on time, as a worker does; when each was written."""
    ours, theirs = multiprocessing.Pipe(duplex=False)
    sent: list[float] = []

    def take() -> None:
        while (report := ours.recv()) is not None:
            house.live.take_pins(report)

    taker = threading.Thread(target=take)
    taker.start()
    begun = time.monotonic()
    for number in range(seconds * HZ):
        time.sleep(max(0.0, begun + number / HZ - time.monotonic()))
        report = Pins("street", house.clock.now(), _pins(number), MARKS, "day")
        sent.append(time.time())
        theirs.send(report)
    theirs.send(None)
    taker.join()
    return sent


if __name__ == "__main__":
    serve(Path(sys.argv[1]), int(sys.argv[2]))
