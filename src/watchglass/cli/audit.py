"""``watchglass audit``: whether a deployment kept its promises, derived again from its ledger by anybody."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from watchglass.bootstrap import auditing
from watchglass.cli.key import openings_key
from watchglass.cli.output import Result
from watchglass.core.errors import BadInput
from watchglass.web.report.page import STATES, render

_SHOWN = 20
"""Breaches of one promise that the terminal lists; the JSON and the HTML have all that the audit kept."""


def add(groups: Any) -> None:
    """Add the command."""
    audit = groups.add_parser("audit", help="derive again, from outside, whether a deployment kept its promises")
    audit.add_argument("where", metavar="DIR_OR_URL", help="the ledger's directory or its address")
    audit.add_argument(
        "--trust", type=Path, required=True, metavar="FILE", help="trust file: whom you believe; FILE.seen remembers"
    )
    audit.add_argument(
        "--openings", type=Path, metavar="DIR", help="sealed details, for oversight: the openings page's files"
    )
    audit.add_argument(
        "--key",
        type=Path,
        action="append",
        default=[],
        metavar="FILE",
        help="oversight's openings key, with --openings; may be repeated for one that it had before",
    )
    audit.add_argument(
        "--receipts", type=Path, metavar="DIR", help="receipts that you were given, to see whether they were honoured"
    )
    audit.add_argument(
        "--lodged", action="append", default=[], metavar="DIR_OR_URL", help="a witness to ask what was lodged with it"
    )
    audit.add_argument("--html", type=Path, metavar="FILE", help="write the report as one HTML file too")
    audit.add_argument(
        "--from-start", action="store_true", help="read everything again, not only what came since your last audit"
    )
    audit.add_argument(
        "--from-year",
        type=int,
        metavar="YEAR",
        help="read only what came since this year began, and take over what the log carried into it",
    )
    audit.add_argument(
        "--archive",
        action="append",
        default=[],
        metavar="DIR_OR_URL",
        help="where entries were archived that the ledger no longer serves. May be repeated",
    )
    audit.add_argument(
        "--carry",
        action="store_true",
        help="also make what an audit remembers of these entries, so that oversight can sign it and a year begin there",
    )
    audit.set_defaults(run=_run, render=_render)


def _run(args: argparse.Namespace) -> Result:
    if (args.openings is None) != (not args.key):
        raise BadInput(
            "Sealed details need the key that opens them, and the key needs the details.",
            fix="Give both --openings DIR and --key FILE, or neither.",
        )
    progress = _progress if sys.stderr.isatty() and not args.json else None
    result = auditing.audit(
        args.where,
        args.trust,
        openings=args.openings,
        keys=[openings_key(file) for file in args.key],
        receipts=args.receipts,
        lodged=args.lodged,
        from_start=args.from_start,
        from_year=args.from_year,
        archives=args.archive,
        carry=args.carry,
        progress=progress,
    )
    if args.html is not None:
        args.html.write_text(render(result), "utf-8")
        result["html"] = str(args.html)
    return result


def _progress(done: int, size: int) -> None:
    if done == size or done % (1 << 12) == 0:
        print(f"\r{done:,} of {size:,} entries", end="", file=sys.stderr, flush=True)


def _render(result: Result) -> None:
    if sys.stderr.isatty():
        print("\r\x1b[K", end="", file=sys.stderr)
    print(f"Audit of {result['origin']}, {result['size']:,} entries, root {result['root']}")
    for witness in result["witnesses"]:
        print(f"Cosigned by {witness['name']} at {witness['time']}.")
    print("\nWhat this audit cannot see:")
    for each in result["cannot_see"]:
        print(f"  - {each}")
    for state in ("kept", "unseen", "pending", "broken"):
        _render_findings(state, [each for each in result["findings"] if each["state"] == state])
    print()
    _render_how(result)
    print(result["verdict"])


def _render_how(result: Result) -> None:
    """What came of it besides."""
    for line in result["changed"]:
        print(f"Since your last audit: {line}")
    if result["resumed_from"]:
        print(f"{result['resumed_from']:,} entries were audited here before; --from-start reads them again.")
    for line in (*result["problems"], result["notice"]):
        if line:
            print(line)
    if result["state"] is not None:
        print(f"What an audit remembers of these entries (form {result['form']}) has the SHA-256 {result['state']}.")
    if "html" in result:
        print(f"The report is in {result['html']}.")


def _render_findings(state: str, findings: Sequence[Mapping[str, Any]]) -> None:
    if not findings:
        return
    print(f"\n{STATES[state]} ({len(findings)}):")
    for finding in findings:
        print(f"  {finding['title']} {finding['sentence']}")
        for breach in finding["breaches"][:_SHOWN]:
            numbers = ", ".join(map(str, breach["entries"]))
            print(f"    - {'entries ' + numbers if numbers else 'no entry'}: {breach['sentence']}")
        if finding["total"] > _SHOWN:
            print(f"    and {finding['total'] - _SHOWN:,} more (--json or --html lists more)")
