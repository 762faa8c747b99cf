"""``watchglass quality audit-set`` and ``quality disparity``: who is missed, who is watched, who is acted on."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from watchglass import __version__
from watchglass.cli.output import Result
from watchglass.core.errors import BadInput

_ROWS: Final = ("source", "hour", "alerts", "confirmed", "camera_hours")
_PERCENT: Final = 100


def add(commands: Any) -> None:
    """Add both commands to the group ``quality``."""
    audit = commands.add_parser("audit-set", help="how well a detector sees different things, on labelled pictures")
    audit.add_argument("folder", type=Path, metavar="DIR", help="a folder with audit-set.yaml, a COCO file or gt.txt")
    audit.add_argument("--model", type=Path, metavar="FILE", help="weights to test (default: those that ship)")
    audit.add_argument("--every", type=_positive, default=1, metavar="N", help="look at one frame in N of each clip")
    audit.add_argument(
        "--fewest", type=_positive, default=20, metavar="N", help="a group needs so many things (default 20)"
    )
    audit.add_argument(
        "--store", type=Path, metavar="WHERE",
        help="keep the result in the model's card: a deployment's folder, or a file NAME.audits.json",
    )  # fmt: skip
    audit.set_defaults(run=_audit, render=_render_audit)
    disparity = commands.add_parser("disparity", help="groups in a table side by side, with intervals")
    disparity.add_argument("files", type=Path, nargs="+", metavar="FILE", help="CSV, also gzipped")
    disparity.add_argument("--areas", type=Path, metavar="FILE", help="areas with their sources and residents")
    disparity.add_argument("--by", metavar="COLUMN", help="the column whose values are the groups")
    disparity.add_argument("--outcome", metavar="COLUMN=VALUE", type=_pair, help="what happened")
    disparity.add_argument(
        "--among", action="append", default=[], metavar="COLUMN=VALUE", type=_pair,
        help="count only such lines; may be given again",
    )  # fmt: skip
    disparity.add_argument(
        "--without", action="append", default=[], metavar="GROUP", help="leave this group out; may be given again"
    )
    disparity.add_argument(
        "--block", default="", metavar="COLUMN", help="lines with the same value are not independent"
    )
    disparity.add_argument("--reference", default="", metavar="GROUP", help="compare each group with this one")
    disparity.add_argument("--residents", type=Path, metavar="FILE", help="CSV of group,residents: rates for each")
    disparity.add_argument(
        "--fewest", type=_positive, default=20, metavar="N", help="a group needs so many lines (default 20)"
    )
    disparity.set_defaults(run=_disparity, render=_render_disparity)


def _positive(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:  # noqa: PLR2004 # a number that somebody means
        raise argparse.ArgumentTypeError(f"{text!r} is no count from 1 on")
    return int(text)


def _pair(text: str) -> tuple[str, str]:
    column, sign, value = text.partition("=")
    if not sign or not column or not value:
        raise argparse.ArgumentTypeError(f"{text!r} is not COLUMN=VALUE")
    return column, value


# ---- audit sets ------------------------------------------------------------------------------------------------------


def _audit(args: argparse.Namespace) -> Result:
    from watchglass.bootstrap import audit_sets  # noqa: PLC0415 # slow

    if args.store is not None and args.fewest < audit_sets.FEWEST:
        raise BadInput(
            f"What is kept in a card rests on at least {audit_sets.FEWEST} things in each group.",
            fix="Leave --fewest out, or do not keep the result.",
        )
    weights = None if args.model is None else audit_sets.weights_of(args.model)
    name = "" if weights is None else str(weights.card["name"])
    place = None if args.store is None else audit_sets.place_of(args.store, name or audit_sets.MODEL)
    with _progress() as told:
        found = audit_sets.audit(args.folder, weights=weights, every=args.every, fewest=args.fewest, progress=told)
    result: Result = {"command": "quality audit-set", "version": __version__, **found.as_json()}
    result["not_tested"] = list(audit_sets.untested([found.as_json()]))
    result["kept_in"] = None
    if place is not None:
        result["date"] = audit_sets.keep_in(place, found)["date"]
        result["kept_in"] = str(place)
    return result


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None] | None]:
    """On a terminal a line that says how far it is; nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    yield lambda done, of: print(f"\r{done} of {of} pictures", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)


def _render_audit(result: Result) -> None:
    console = Console(highlight=False)
    tested = result["set"]
    things = ", ".join(f"{count:,} {kind}" for kind, count in tested["things"].items())
    console.print(f"[bold]{escape(tested['name'])}[/bold]  {tested['pictures']:,} pictures with {things}")
    console.print(f"set sha256 {tested['sha256']}\nmodel {escape(result['model'])}, sha256 {result['model_sha256']}")
    if tested["left_out"]:
        console.print(f"{tested['left_out']} pictures helped to make the model and are left out.")
    for note in tested["notes"]:
        console.print(escape(note))
    for table in result["tables"]:
        _print_table(console, table)
    console.print()
    console.print(f"Not tested on: {', '.join(result['not_tested']) or 'nothing that is on the list'}.")
    console.print(
        f"Each column of each table: all intervals hold together with probability {result['together']:.0%}; a group "
        f"needs {result['fewest']} things in 10 independent pictures.",
        style="dim",
    )
    if result["kept_in"]:
        console.print(f"Kept in {escape(result['kept_in'])}.")


def _print_table(console: Console, table: Mapping[str, Any]) -> None:
    console.print()
    whole = table["stratum"] == "all"
    what = table["kind"] if whole else f"{table['kind']} by {table['stratum']}"
    console.print(f"[bold]{escape(what)}[/bold]" + (f"  [dim]{escape(table['meant'])}[/dim]" if table["meant"] else ""))
    shown = Table("group", "missed", "of", "of 100, missed", "false boxes", "pictures", "of 100 pictures", box=None)
    false = {group["name"]: group for group in (table["false"] or {"groups": ()})["groups"]}
    missed = {group["name"]: group for group in table["misses"]["groups"]}
    for name in dict.fromkeys((*missed, *false)):
        shown.add_row(escape(name), *_cells(missed.get(name)), *_cells(false.get(name)))
    console.print(shown)
    for column, words in (("misses", "Missed"), ("false", "False boxes")):
        _print_apart(console, table[column], words)


def _cells(group: Mapping[str, Any] | None) -> tuple[str, str, str]:
    if group is None:
        return "", "", ""
    if not group["enough"]:
        return f"{group['happened']:,}", f"{group['of']:,}", "not enough data"
    low, high = group["interval"]
    value = f"{_PERCENT * group['value']:.3g}  ({_PERCENT * low:.3g} to {_PERCENT * high:.3g})"
    return f"{group['happened']:,}", f"{group['of']:,}", value


def _print_apart(console: Console, compared: Mapping[str, Any] | None, words: str) -> None:
    apart = compared and compared["worst_over_mean"]
    if not apart or compared is None:
        return
    low, high = apart["interval"]
    bound = "no upper bound" if high is None else f"{high:.3g}"
    value = "no ratio, for in one group it never happened" if apart["value"] is None else f"{apart['value']:.3g} times"
    sure = "more than chance" if compared["differs"] else "chance alone may be the reason"
    console.print(
        f"{words}: the highest ({escape(apart['first'])}) over the geometric mean of all: {value} "
        f"({low:.3g} to {bound}); {sure}."
    )


# ---- tables ----------------------------------------------------------------------------------------------------------


def _disparity(args: argparse.Namespace) -> Result:
    from watchglass.bootstrap import bias  # noqa: PLC0415 # NumPy, and only here

    if args.by is None and args.outcome is None:
        head = bias.columns(args.files[0])
        if not set(_ROWS) <= set(head):
            raise BadInput(
                "What should be compared is not said.",
                fix=f"Give --by COLUMN and --outcome COLUMN=VALUE, or a table with the columns {', '.join(_ROWS)}.",
            )
        return {"command": "quality disparity", "version": __version__, **bias.of_rows(args.files, args.areas)}
    if args.by is None or args.outcome is None:
        raise BadInput("A question needs groups and an outcome.", fix="Give --by COLUMN and --outcome COLUMN=VALUE.")
    question = bias.Question(
        args.by,
        args.outcome,
        tuple(args.among),
        args.block,
        args.reference,
        bias.residents(args.residents),
        tuple(args.without),
    )
    found = bias.answer(bias.lines(args.files), question, fewest=args.fewest)
    return {"command": "quality disparity", "version": __version__, **found.as_json()}


def _render_disparity(result: Result) -> None:
    console = Console(highlight=False)
    if "watched" in result:
        _print_watched(console, result)
        return
    among = f" among {', '.join(result['among'])}" if result["among"] else ""
    console.print(f"[bold]{escape(result['outcome'])} by {escape(result['by'])}{escape(among)}[/bold]")
    console.print(f"{result['counted']:,} of {result['lines']:,} lines are counted.")
    for why, count in result["left_out"].items():
        console.print(f"  left out: {count:,}, {escape(why)}")
    _print_groups(console, result, 1000 if result["per"] == "resident" else _PERCENT, result["per"] + "s")
    for one in result["ratios"]:
        low, high = one["interval"]
        value = "no ratio" if one["value"] is None else f"{one['value']:.3g} times"
        bound = "no upper bound" if high is None else f"{high:.3g}"
        console.print(f"{escape(one['first'])}: {value} {escape(one['second'])} ({low:.3g} to {bound})")
    console.print("A difference is not its reason: see docs/explanation/who-is-watched.md.", style="dim")


def _print_groups(console: Console, compared: Mapping[str, Any], per: int, things: str) -> None:
    shown = Table("group", "happened", "of", f"per {per} {things}", box=None, header_style="bold")
    for group in compared["groups"]:
        value = "not enough data"
        if group["enough"]:
            low, high = group["interval"]
            value = f"{per * group['value']:.3g}  ({per * low:.3g} to {per * high:.3g})"
        shown.add_row(escape(group["name"]), f"{group['happened']:,}", f"{group['of']:,}", value)
    console.print(shown)
    _print_apart(console, compared, "Apart")


def _print_watched(console: Console, result: Result) -> None:
    watched = result["watched"]
    console.print("[bold]Who is watched[/bold]: camera-hours, exact")
    shown = Table("area", "sources", "camera-hours", "share", "residents", "per 1000 residents", box=None)
    for one in watched["exposure"]:
        density = one["per_1000_residents"]
        shown.add_row(
            escape(one["area"]), str(one["sources"]), f"{one['camera_hours']:,.0f}", f"{one['share']:.1%}",
            "" if one["population"] is None else f"{one['population']:,}", "" if density is None else f"{density:.3g}",
        )  # fmt: skip
    console.print(shown)
    for key, words in (("concentration", "Camera-hours over residents"), ("alerts_over_camera_hours", "Alerts")):
        _print_spread(console, watched[key], words)
    for compared, words, things in (
        (watched["alerts_per_camera_hour"], "Alerts", "camera-hours"),
        (watched["confirmed_per_camera_hour"], "Confirmed alerts", "camera-hours"),
        (result["acted_on_by_area"]["confirmed"], "Confirmed, by area", "alerts"),
        (result["acted_on_by_hour"]["confirmed"], "Confirmed, by hour", "alerts"),
        (result["acted_on_by_area"]["found"], "Found on the spot, by area", "outcomes"),
        (result["acted_on_by_hour"]["found"], "Found on the spot, by hour", "outcomes"),
    ):
        console.print()
        console.print(f"[bold]{words}[/bold]")
        _print_groups(console, compared, _PERCENT, things)


def _print_spread(console: Console, spread: Mapping[str, Any] | None, words: str) -> None:
    if spread is None:
        return
    chance = spread["by_chance"]
    by_chance = "" if chance is None else f", by chance alone {chance[0]:.2f} to {chance[1]:.2f}"
    ends = spread["interval"]
    likely = "" if ends is None else f" ({ends[0]:.1%} to {ends[1]:.1%})"
    console.print(
        f"{words}: Gini {spread['gini']:.2f}{by_chance}; {escape(spread['top'])} has {spread['top_share']:.1%}{likely} "
        f"of it, and {spread['top_expected']:.1%} of what that is set against."
    )
