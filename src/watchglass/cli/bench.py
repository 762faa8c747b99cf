"""``watchglass bench`` : measure, and print what FIGURES names. Needs a checkout, where the benchmarks lie."""

from __future__ import annotations

import argparse
import functools
import importlib.util
import os
import platform
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from watchglass import __version__
from watchglass.cli.output import Result, say
from watchglass.core.errors import BadInput

NAMES: Final = (
    "perception", "ledger", "portal", "fuzz", "paint", "leak", "seal", "misuse", "access", "audit", "audit_set",
    "disparity",
)  # fmt: skip
_FOLDER: Final = Path(__file__).resolve().parents[3] / "benchmarks"


def add(groups: Any) -> None:
    command = groups.add_parser("bench", help="measure how fast it is (needs a checkout)")
    command.add_argument("name", choices=NAMES, help="what to measure")
    command.add_argument("--quick", action="store_true", help="under a minute, with wider intervals")
    command.add_argument(
        "--only", action="append", default=[], metavar="PART", help="measure this part alone; may be given again"
    )
    command.set_defaults(run=_run, render=render)


def _run(args: argparse.Namespace) -> Result:
    module = load(args.name)
    parts = tuple(getattr(module, "PARTS", ()))
    unknown = [part for part in args.only if part not in parts]
    if unknown:
        known = f"Use one or more of: {', '.join(parts)}." if parts else f"Leave --only out: {args.name} is one part."
        raise BadInput(f"The benchmark {args.name!r} has no part {unknown[0]!r}.", fix=known)
    chosen = functools.partial(module.figures, only=args.only) if args.only else module.figures
    return measured("bench " + args.name, chosen, quick=args.quick)


def load(name: str) -> ModuleType:
    """The module of that name in ``benchmarks/``.

    Raises:
        BadInput: this is not a checkout.
    """
    file = _FOLDER / f"{name}.py"
    if not file.is_file():
        raise BadInput(
            "The benchmarks are not part of the installed package.",
            fix="Clone the repository and run it there: make bench.",
        )
    import sys  # noqa: PLC0415 (only a checkout needs its path)

    if str(_FOLDER) not in sys.path:
        sys.path.insert(0, str(_FOLDER))
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def measured(command: str, figures: Callable[..., list[dict[str, Any]]], *, quick: bool) -> Result:
    """Run ``figures`` and put its answer into the form that every figure has."""
    found = figures(quick=quick, progress=say)
    return {"command": command, "version": __version__, "machine": machine(), "figures": found}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "system": platform.system(),
        "architecture": platform.machine(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "processor": _processor(),
    }


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def render(result: Result) -> None:
    """Print the figures as a table."""
    table = Table("figure", "value", "unit", "target", "", "interval", "n", box=None, header_style="bold")
    for figure in result["figures"]:
        value = figure.get("value")
        interval = figure.get("interval")
        table.add_row(
            figure["name"],
            "not measured" if value is None else f"{value:,.4g}",
            str(figure.get("unit") or ""),
            "" if figure.get("target") is None else f"{figure['target']:g}",
            {True: "met", False: "missed", None: ""}[figure.get("ok")],
            "" if not interval else f"{interval[0]:,.4g} to {interval[1]:,.4g}",
            str(figure.get("n") or ""),
        )
    console = Console()
    console.print(table)
    for figure in result["figures"]:
        if figure.get("note"):
            console.print(f"{figure['name']}: {figure['note']}", style="dim", highlight=False)
