"""``watchglass quality reports``: what others noted down, taken in on the machine itself while it does not run.

While it runs, the page `/reports` does the same.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, cast

from watchglass.acts.public_reports import FATES, imports, of_rule
from watchglass.acts.reports import clause_of, set_report_aside, take_reports
from watchglass.bootstrap import House
from watchglass.charter.decide import decide
from watchglass.charter.permit import TakeReports
from watchglass.charter.reporting import LOGS
from watchglass.cli.output import Result
from watchglass.core.errors import BadInput
from watchglass.core.time import iso
from watchglass.quality.report_rows import LEAVE_OUT, MOST_BYTES, Asked, LeaveOut, mapping_of


def add(commands: Any) -> None:
    """Add the commands."""
    take = commands.add_parser("reports", help="take in a log that others keep, to match it with alerts")
    take.add_argument("directory", type=Path, metavar="DIR", help="the deployment")
    take.add_argument("file", type=Path, metavar="FILE", help="CSV with the columns time, source (or lat, lon), kind")
    take.add_argument("--from", dest="log", required=True, choices=LOGS, help="whose log it is")
    take.add_argument("--kind", help="what every row is about, where the file does not say")
    take.add_argument("--map", type=Path, help="what their words mean: a line `their word = ours` for each kind")
    take.add_argument("--timezone", help="in which zone its times are, such as Europe/Berlin, where they do not say")
    take.add_argument(
        "--leave-out",
        default="",
        help=f"rows to leave out and count instead of refusing the file: {','.join(LEAVE_OUT)}",
    )
    take.set_defaults(run=_take, render=_render_take)
    show = commands.add_parser("reported", help="every row that was taken in, and what became of it")
    show.add_argument("directory", type=Path, metavar="DIR", help="the deployment")
    show.set_defaults(run=_show, render=_render_show)
    aside = commands.add_parser("set-aside", help="say of a row that the camera does not see that spot")
    aside.add_argument("directory", type=Path, metavar="DIR", help="the deployment")
    aside.add_argument("report", type=int, help="its number, as `quality reported` shows it")
    aside.add_argument("--back", action="store_true", help="take that back")
    aside.set_defaults(run=_aside, render=_render_aside)


def _take(args: argparse.Namespace) -> Result:
    left = frozenset(word for word in args.leave_out.split(",") if word)
    if left - set(LEAVE_OUT):
        raise BadInput("Only some rows may be left out.", fix=f"Use these words: {','.join(LEAVE_OUT)}.")
    kinds = mapping_of(_text(args.map)) if args.map is not None else {}
    asked = Asked(kinds, args.kind, args.timezone, cast("frozenset[LeaveOut]", left))
    data = _bytes(args.file)
    with House(args.directory) as house:
        standing = house.standing()
        permit = decide(standing, TakeReports(args.log), house.clock.now())
        assert standing.charter is not None  # it gave the permit
        made = take_reports(house.acting, None, permit, standing.charter, data, asked).value
    file = made.file
    return {
        "log": made.log,
        "read": file.read,
        "new": made.new,
        "known": made.known,
        "left_out": dict(file.left_out),
        "dropped_columns": file.dropped_columns,
        "dropped_values": file.dropped_values,
    }


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", fix="Check the path.") from error


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8 text.", fix="Save it as UTF-8.") from error


def _render_take(result: Result) -> None:
    known = f", {result['known']:,} known already" if result["known"] else ""
    print(f"{result['read']:,} rows read from the log '{result['log']}': {result['new']:,} new{known}.")
    for why, number in result["left_out"].items():
        print(f"Left out, {why}: {number:,}.")
    columns = result["dropped_columns"]
    print(
        f"Dropped unread: {columns} column{'' if columns == 1 else 's'} with {result['dropped_values']:,} values. "
        "Of each row only its minute, source and kind are kept."
    )
    if not result["new"]:
        print("Nothing of it was new, so nothing was recorded.")


def _show(args: argparse.Namespace) -> Result:
    with House(args.directory) as house:
        charter, reader = house.standing().charter, house.store.read()
        reports = clause_of(charter)
        assert charter is not None  # it has the clause
        now = house.clock.now() + 1
        rows = [
            {"report": each.id, "log": each.log, "analytic": name, "at": iso(each.at_ms), "fate": each.fate}
            for name in reports.of
            for each in of_rule(reader, charter, charter.analytic(name), now)
        ]
        return {"imports": imports(reader), "rows": rows}


def _render_show(result: Result) -> None:
    if not result["rows"]:
        print("No row about a rule is kept.")
    for row in result["rows"]:
        print(f"{row['report']}  {row['at']}  {row['log']}  {row['analytic']}: {FATES[row['fate']]}")


def _aside(args: argparse.Namespace) -> Result:
    with House(args.directory) as house:
        charter = house.standing().charter
        clause_of(charter)
        assert charter is not None  # it has the clause
        set_report_aside(house.acting, None, charter, args.report, "back" if args.back else "aside")
    return {"report": args.report, "to": "back" if args.back else "aside"}


def _render_aside(result: Result) -> None:
    where = "is set aside: both figures are told, with it and without it" if result["to"] == "aside" else "counts again"
    print(f"Report {result['report']} {where}.")
