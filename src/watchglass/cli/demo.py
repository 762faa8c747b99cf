"""``watchglass demo``: the main job on a real street, with 28 days behind it."""

from __future__ import annotations

import argparse
import logging
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from watchglass import __version__
from watchglass.bootstrap import House
from watchglass.cli.output import Result, say
from watchglass.cli.run import finish, until_stopped
from watchglass.cli.serving import Serving, listen
from watchglass.cli.status import watch
from watchglass.core.errors import BadInput, Problem
from watchglass.demo.people import ACCOUNTS
from watchglass.demo.stage import Stage, find_or_set
from watchglass.web.portal.app import create_app
from watchglass.web.portal.security import Address

_T = TypeVar("_T")

DEFAULT_STATE: Final = Path("demo-state")
_HIGHEST_PORT: Final = 65_000
_WITNESS_S: Final = 15.0
_UNTIL_WE_ARE_GONE: Final = """
import os, signal, sys, threading
from watchglass.cli.main import main
def gone():
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)
threading.Thread(target=gone, daemon=True).start()
sys.exit(main(sys.argv[1:]))
"""
"""A command that ends with the process that started it, even where that is killed: its stdin ends then."""


def add(groups: Any) -> None:
    command = groups.add_parser("demo", help="see the whole thing work on a real street, in about a minute")
    command.add_argument("--state", type=Path, default=DEFAULT_STATE, help=f"where it lives (default {DEFAULT_STATE})")
    command.add_argument("--port", type=int, default=8600, help="the portal's port on this machine (default 8600)")
    command.add_argument("--for", dest="seconds", type=float, help="stop by itself so many seconds after it is ready")
    command.set_defaults(run=_run, render=_render)


def _run(args: argparse.Namespace) -> Result:
    if not 0 < args.port <= _HIGHEST_PORT:
        raise BadInput(f"{args.port} cannot be the portal's port.", fix=f"Choose one from 1 to {_HIGHEST_PORT}.")
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    started = time.monotonic()
    with until_stopped() as stop, ExitStack() as stack:
        listener = stack.enter_context(listen("127.0.0.1", args.port))
        with _progress(quiet=args.json) as (tell, bar):
            stage = find_or_set(args.state.resolve(), args.port, _unless(stop, tell), _unless(stop, bar))
        stack.enter_context(_witness(stage))
        house = stack.enter_context(House(stage.layout.root))
        serving = Serving(create_app(house, Address()), listener)
        stack.callback(serving.close)
        stack.callback(house.bus.close)
        supervisor = house.start()
        if not args.json:
            _welcome(serving.address, stage, time.monotonic() - started)
        end = None if args.seconds is None else time.monotonic() + args.seconds
        watch(
            house,
            lambda: stop.is_set() or house.finished.is_set() or (end is not None and time.monotonic() >= end),
            quiet=args.json,
        )
        say("Stopping ...")
        result = finish(house, supervisor, stopped=stop.is_set())
    return {
        "command": "demo",
        "version": __version__,
        "ok": result["ok"],
        "alerts": result["alerts"],
        "ledger": result["ledger"],
    }


def _unless(stop: threading.Event, tell: Callable[[_T], None]) -> Callable[[_T], None]:
    """``tell``, until somebody asked to stop: setting up ends there, and the next start begins afresh."""

    def told(what: _T) -> None:
        if stop.is_set():
            raise Problem("Stopped while it was being set up.", fix="Start it again: it begins afresh.")
        tell(what)

    return told


@contextmanager
def _progress(*, quiet: bool) -> Iterator[tuple[Any, Any]]:
    """How far the preparation is: lines for what happens, a bar for the 28 days."""
    if quiet or not sys.stderr.isatty():
        yield (say, lambda _share: None)
        return
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("28 days", total=1.0)
        yield (progress.console.print, lambda share: progress.update(task, completed=share))


@contextmanager
def _witness(stage: Stage) -> Iterator[None]:
    """The demo's witness, in a process of its own with a key that this one never opens."""
    words = ("witness", "serve", str(stage.witness_folder), "--listen", f"127.0.0.1:{stage.witness_port}")
    process = subprocess.Popen(  # noqa: S603 (our own command)
        [sys.executable, "-c", _UNTIL_WE_ARE_GONE, *words, "--log", stage.log_vkey, "--oversight", stage.oversight],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        if process.poll() is not None:
            raise Problem(
                f"The demo's witness did not start: {first.strip()}",
                fix=f"Free port {stage.witness_port}, which the demo's charter names, or use another --state.",
            )
        yield
    finally:
        process.terminate()
        try:
            process.wait(_WITNESS_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stderr):
            if pipe is not None:
                pipe.close()


def _welcome(address: str, stage: Stage, seconds: float) -> None:
    me = os.path.relpath(sys.argv[0]) if sys.argv[0].endswith("watchglass") else "watchglass"
    trust = os.path.relpath(stage.trust)
    key = os.path.relpath(stage.oversight_key)
    custodian = os.path.relpath(stage.layout.people / "custodians" / "dpo")
    oversight, authority = (os.path.relpath(stage.layout.people / role) for role in ("oversight", "authority"))
    roster = os.path.relpath(stage.roster)
    say(
        f"""
Ready after {seconds:.0f} s. One computer plays everyone here; a real deployment has its board and witness elsewhere.

  Tour          {address}/tour
  Public page   {address}/
  Reviewer      {address}/review
  Responder     {address}/respond
  Oversight     {address}/oversight

  Sign in as    {", ".join(ACCOUNTS)}   password: {stage.password}

Audit it from outside, as anybody can: is the ledger whole, and was the charter kept?
  {me} audit {address}/log --trust {trust} --html audit.html
Stop an analytic, as oversight:
  {me} oversight suspend {address} --key {key} --analytic on-the-lawn --reason "a try"

Decide about original video, as a custodian at a desk of your own:
  {me} desk serve {address} --keys {custodian} --trust {trust}
As oversight: stop and resume, enrol, settle signals, sign the charter that waits:
  {me} desk serve {address} --keys {oversight} --key {key} --trust {trust} --roster {roster}
As the authority: sign the charter that waits:
  {me} desk serve {address} --keys {authority} --key {authority}/signing.key --trust {trust}

Ctrl-C stops; starting again goes on.
"""
    )


def _render(result: Result) -> None:
    alerts = ", ".join(f"{count} {kind}" for kind, count in result["alerts"].items()) or "none"
    print(f"Live alerts: {alerts}")
    print(f"Ledger: {result['ledger']['size']} entries, root {result['ledger']['root']}")
    print(f"It is in {result['ledger']['dir']}")
