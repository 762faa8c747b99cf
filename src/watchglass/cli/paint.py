"""``watchglass paint``: a copy of a video file in which nobody can be seen, made from what is known to be empty."""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

from watchglass import __version__
from watchglass.cli.output import Parser, Result, say
from watchglass.core.errors import BadInput

_RECTANGLE: Final = re.compile(r"(-?\d{1,5}),(-?\d{1,5}),(\d{1,5}),(\d{1,5})")
_MOST_FPS: Final = 60.0
_MOSAIC: Final = (
    "A mosaic is not anonymity: clothes, gait, company and the hour can tell a person to somebody who knows them."
)


class _Json(argparse.Action):
    """``--json``, ``--json -``: to stdout, instead of text. ``--json FILE``: into the file, beside the text."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: str | Sequence[Any] | None,
        option_string: str | None = None,
    ) -> None:
        del parser, option_string
        if values in (None, "-"):
            namespace.json = True
        else:
            namespace.report = Path(str(values))


def add(groups: Any) -> None:
    command: Parser = groups.add_parser("paint", help="copy a video file without anybody in it")
    command.add_argument("source", type=Path, metavar="IN", help="the video")
    command.add_argument("target", type=Path, metavar="OUT", help="the MP4 to write; it must not be there yet")
    command.add_argument(
        "--mode", choices=("painted", "mosaic"), default="painted",
        help="painted: the empty scene with a mark for each person (default); mosaic: everything is mosaicked that is "
        "not known to be empty",
    )  # fmt: skip
    scene = command.add_mutually_exclusive_group()
    scene.add_argument(
        "--backdrop", type=Path, metavar="PNG", help="an empty scene that you have looked at, from an earlier run"
    )
    scene.add_argument("--no-backdrop", action="store_true", help="paint on grey: no pixel of the video at all")
    command.add_argument(
        "--grey", action="append", default=[], type=_rectangle, metavar="X,Y,W,H",
        help="a rectangle that stays grey, in pixels; may be given again",
    )  # fmt: skip
    command.add_argument(
        "--grid", type=_positive, default=2.0, metavar="M", help="pins stand on a grid of so many metres"
    )
    command.add_argument(
        "--width-m", type=_positive, metavar="M", help="metres across the picture; without it the grid has 24 cells"
    )
    command.add_argument(
        "--hide-below", type=_count, default=0, metavar="N", help="no pins while fewer people are in view"
    )
    command.add_argument(
        "--fps", type=_rate, default=5.0, metavar="N", help="at most so many pictures a second (default 5)"
    )
    command.add_argument("--force", action="store_true", help="replace what is there")
    command.add_argument(
        "--json", action=_Json, nargs="?", default=False, metavar="FILE",
        help="print one JSON object instead of text, or write it to FILE",
    )  # fmt: skip
    command.set_defaults(run=_run, render=_render, report=None)


def _run(args: argparse.Namespace) -> Result:
    # Not sooner: the parser of every command imports this file.
    from watchglass.bootstrap.paint import Marks, Order, backdrop_beside, paint_file  # noqa: PLC0415 # slow

    order = Order(
        args.source,
        args.target,
        args.mode,
        Marks(args.grid, args.width_m, args.hide_below),
        args.fps,
        _read(args.backdrop),
        plain=args.no_backdrop,
        grey=tuple(args.grey),
        force=args.force,
    )
    _check_report(args)
    began, cpu = time.monotonic(), time.process_time()
    with _in_order(), _shown() as progress:
        done = dataclasses.asdict(paint_file(order, progress))
    result: Result = {
        "command": "paint",
        "version": __version__,
        "mode": args.mode,
        "in": args.source.name,
        "out": args.target.name,
        **done,
        "wall_s": round(time.monotonic() - began, 3),
        "cpu_s": round(time.process_time() - cpu, 3),
        "told": _told(args.mode, done),
    }
    if args.report is not None:
        args.report.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")
    if done["backdrop_file"]:
        beside = backdrop_beside(args.target)
        say(f"Look at {beside} before you give {args.target} to anybody.")
        say("Whatever is in that picture is in every frame. No rule can tell somebody who sits still from a bench.")
        say("Is somebody in it, or a name? Run it again with --grey X,Y,W,H for that place, and --force.")
    return result


def _told(mode: str, done: Result) -> list[str]:
    """What a person should know about this file."""
    told = []
    if done["too_short"] and not done["backdrop_confirmed"]:
        told.append(
            f"The file lasts {done['seconds']:.1f} s. A pixel is shown after 20 s in which it was empty, and a part of "
            "the picture ten seconds later; so this copy is grey."
            if mode == "painted"
            else f"The file lasts {done['seconds']:.1f} s, too short to learn its empty scene: all of it is mosaicked."
        )
    if done["views"] > 1:
        told.append(
            f"The camera showed {done['views']} different views. Only the one that lasted longest is shown; for the "
            "others, cut the file and paint the parts."
        )
    if done["suspected_share"]:
        told.append(
            f"{done['suspected_share']:.1%} of the picture is grey because somebody may have been still there for a "
            "good part of the time."
        )
    if done["damaged_frames"] and mode == "painted":
        told.append(f"{done['damaged_frames']} damaged pictures are grey.")
    told += [f"{count} pictures are withheld, because {why}." for why, count in (done["withheld"] or {}).items()]
    if mode == "mosaic":
        told.append(_MOSAIC)
    return told


def _render(result: Result) -> None:
    print(
        f"{result['out']}: {result['seconds']:.1f} s, {result['frames']} pictures read, {result['written']} written, "
        f"in {result['wall_s']:.1f} s."
    )
    if result["mode"] == "mosaic":
        print(f"Mosaicked: {result['mosaicked_median']:.0%} of the picture (median).")
    else:
        print(
            f"Grey: {result['grey_median']:.0%} of the picture (median). Marks: at most {result['most_pins']} at once."
        )
    for line in result["told"]:
        print(line)


def _check_report(args: argparse.Namespace) -> None:
    from watchglass.bootstrap.paint import backdrop_beside  # noqa: PLC0415 # slow

    report: Path | None = args.report
    if report is None:
        return
    others = [args.source, args.target, backdrop_beside(args.target), *([args.backdrop] if args.backdrop else [])]
    if report.resolve() in {other.resolve() for other in others}:
        raise BadInput(
            "The report may not replace a video or an empty scene.", fix="Give --json a name of its own, or none."
        )
    if report.is_dir() or not report.parent.is_dir():
        raise BadInput(f"No report can be written to {report}.", fix="Give --json a file in a folder that is there.")
    if report.exists() and not args.force:
        raise BadInput(
            f"{report} is there already.",
            fix="Give another name after --json, or add --force to replace it. For a report on the screen: --json -",
        )


def _read(path: Path | None) -> bytes | None:
    if path is None:
        return None
    if not path.is_file():
        raise BadInput(f"There is no file {path}.", fix="Give the picture that an earlier run wrote beside its copy.")
    return path.read_bytes()


@contextmanager
def _in_order() -> Iterator[None]:
    """A polite kill, or a terminal that is closed, ends like Ctrl-C: nothing unfinished is left."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _shown() -> Iterator[Callable[[str, float, float], None]]:
    """A progress bar on a terminal; silence elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _what, _done, _all: None
        return
    from rich.console import Console  # noqa: PLC0415 (slow to import, and needed here only)
    from rich.progress import (  # noqa: PLC0415 # only where a bar is shown
        BarColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[at]}"), TimeElapsedColumn()
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True) as bar:
        tasks: dict[str, Any] = {}

        def progress(what: str, done: float, total: float) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total or None, at="")
            bar.update(tasks[what], completed=done, at=f"{done:.0f} s")

        yield progress


def _rectangle(text: str) -> tuple[int, int, int, int]:
    found = _RECTANGLE.fullmatch(text.replace(" ", ""))
    if found is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not X,Y,WIDTH,HEIGHT in pixels")
    x, y, width, height = (int(part) for part in found.groups())
    return x, y, width, height


def _positive(text: str) -> float:
    return _number(text, 0.01, 100_000)


def _rate(text: str) -> float:
    return _number(text, 0.1, _MOST_FPS)


def _number(text: str, least: float, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from {least:g} to {most:g}")
    return value


def _count(text: str) -> int:
    value = _number(text, 0, 1000)
    if not value.is_integer():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(value)
