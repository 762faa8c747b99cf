"""``watchglass run``: a deployment at work, or each of its files once from beginning to end."""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from watchglass.bootstrap import House
from watchglass.charter.decide import decide
from watchglass.charter.permit import LookAt
from watchglass.cli.output import Result, say
from watchglass.cli.serving import Serving, listen
from watchglass.cli.status import watch
from watchglass.core.digest import b64
from watchglass.core.errors import Problem, WatchglassError
from watchglass.records.act_spec import Lane
from watchglass.runtime.supervisor import Supervisor
from watchglass.web.portal.app import create_app
from watchglass.web.portal.security import Address


def add(groups: Any) -> None:
    command = groups.add_parser("run", help="run a deployment: cameras, queue, portal, ledger")
    command.add_argument("directory", type=Path, metavar="DIR", help="the deployment")
    command.add_argument("--once", action="store_true", help="take each file to its end, as fast as it goes, and stop")
    command.add_argument("--no-portal", action="store_true", help="without pages and without an open port")
    command.set_defaults(run=_run, render=_render)


def address_for(house: House) -> Address:
    """The names that the portal answers to: this machine's, the one it listens on, and those of the settings."""
    settings = house.settings
    hosts = Address().hosts | settings.names | {settings.host}
    return Address(hosts=hosts, https=settings.https)


@contextmanager
def until_stopped() -> Iterator[threading.Event]:
    """An event that Ctrl-C or a polite kill sets, so that everything ends in order."""
    stop = threading.Event()

    def hear(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(args: argparse.Namespace) -> Result:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with until_stopped() as stop, ExitStack() as stack:
        house = stack.enter_context(House(args.directory))
        if args.once:
            _must_be_allowed(house)
        elif not args.no_portal:
            listener = listen(house.settings.host, house.settings.port)
            serving = Serving(create_app(house, address_for(house)), listener, behind_proxy=house.settings.https)
            stack.callback(serving.close)
            stack.callback(house.bus.close)
            say(f"Portal: {serving.address}/   (Ctrl-C stops)")
        supervisor = house.start(once=args.once)
        _explain_silence(house)
        watch(house, lambda: stop.is_set() or house.finished.is_set(), quiet=args.json)
        return finish(house, supervisor, stopped=stop.is_set())


def finish(house: House, supervisor: Supervisor, *, stopped: bool) -> Result:
    """Stop in order, let the last records into the log, and say what happened.

    Raises:
        WatchglassError: what ended the run before its time.
    """
    house.halt()
    if isinstance(house.failure, WatchglassError):
        raise house.failure
    if house.failure is not None:
        raise Problem(
            f"A fault in Watchglass ended the run: {house.failure}.", fix="Report it with the lines above."
        ) from house.failure
    head = house.sequencer.tick((Lane.PROMPT, Lane.BATCH))
    tally = supervisor.tally
    broken = [f"{name}: {ended.error}" for name, ended in tally.ended.items() if ended.error]
    return {
        "ok": not broken,
        "stopped": stopped,
        "sources": {
            name: {
                "frames": ended.frames,
                "video_seconds": round(ended.video_seconds, 3),
                "wall_seconds": round(ended.wall_seconds, 3),
                "cpu_seconds": round(ended.cpu_seconds, 3),
                "error": ended.error,
            }
            for name, ended in sorted(tally.ended.items())
        },
        "alerts": dict(sorted(tally.alerts.items())),
        "refused": tally.refused,
        "lost": tally.lost,
        "ledger": {"size": head.size, "root": b64(head.root), "dir": str(house.layout.ledger)},
    }


def _must_be_allowed(house: House) -> None:
    """Refuse at once what the charter would refuse anyway, with its reasons."""
    standing = house.standing()
    if standing.charter is None:
        decide(standing, LookAt(""), house.clock.now())
        return
    for source in standing.charter.sources:
        decide(standing, LookAt(source.name), house.clock.now())


def _explain_silence(house: House) -> None:
    try:
        _must_be_allowed(house)
    except WatchglassError as error:
        say(f"Nothing is looked at for now: {error.message}")
        say(f"What to do: {error.fix}")


def _render(result: Result) -> None:
    for name, source in result["sources"].items():
        print(
            f"{name}: {source['frames']} frames, {source['video_seconds']:.1f} s of video, "
            f"{source['wall_seconds']:.1f} s wall, {source['cpu_seconds']:.1f} s CPU"
            + (f" — {source['error']}" if source["error"] else "")
        )
    alerts = ", ".join(f"{count} {kind}" for kind, count in result["alerts"].items()) or "none"
    print(f"Alerts: {alerts}")
    print(f"Ledger: {result['ledger']['size']} entries, root {result['ledger']['root']}")
