"""Make ``docs/reference/audit-breaches.md``: what was planted in dishonest deployments, and what the audit named.

watchglass bench audit --json > docs/figures/audit.json
python tools/audit_breaches_page.py > docs/reference/audit-breaches.md
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "benchmarks"))

from dishonest import Lie  # noqa: E402 (the folder has just become known)
from lies import LIES, PENDING  # noqa: E402

FIGURES = ROOT / "docs/figures/audit.json"
_HEAD = """# What the audit catches

Anybody can write a report that says "no breach". So [the audit](../explanation/what-the-audit-proves.md) is tried on
deployments that are dishonest on purpose. A generator makes lawful lives of a deployment, hours to weeks long, from a
seed: charters that change and so do their keys, alerts and verdicts, orders to stop, cases and releases, holds,
heartbeats, witnesses with clocks of their own. Its records are made by the product's own recorder, its logs by the
product's own ledger. Into each life one lie is planted. The audit must name the promise that the lie breaks, with the
entries that show it, **and no other promise**; in honest lives it must name nothing at all. Where a lie cannot be told
without breaking a second promise, the table says so.

*Anybody* means that public data are enough. *Oversight* means that the sealed openings are needed, which only
oversight can open; without them the audit accuses nobody of it.

What no lie here shows, no audit can see: a second cable, code that is not what it says, custodians who agree without
a request, copies made after a lawful opening. The audit's report begins with that list.
"""
_FOOT = """
Made by `watchglass bench audit --json` and `tools/audit_breaches_page.py`; how each figure is measured stands in
[the figures](figures.md). The lies are in `benchmarks/lies_*.py`, and a test tells each of them anew at every change,
and some in deployments drawn at random.
"""


def page() -> str:
    """The whole page."""
    figures = {each["name"]: each for each in json.loads(FIGURES.read_text("utf-8"))["figures"]}
    told = {name: (named, of) for name, named, of in figures["breaches_named"]["told"]}
    lines = [_HEAD, _counts(figures), "## Planted and named", ""]
    lines += [
        "| What is done | The promise that is named | Also broken by it | Seen by | Named |",
        "|---|---|---|---|---|",
    ]
    lines += [_row(lie, *told[lie.name]) for lie in LIES]
    lines += ["", "## Not built yet", ""]
    lines += ["These cannot be lied about yet: the audit says of each promise that this version does not make it.", ""]
    lines += ["| What would be done | The promise |", "|---|---|"]
    lines += [f"| {what} | `{promise}` |" for promise, what in PENDING.items()]
    return "\n".join(lines) + "\n" + _FOOT


def _counts(figures: dict[str, Any]) -> str:
    planted, found = figures["breaches_planted"], figures["breaches_named"]
    honest, pending = figures["honest_deployments_flagged"], figures["breaches_pending"]
    return (
        f"{planted['value']:,.0f} breaches were planted ({planted['note']}), and {found['value']:,.0f} were named.\n"
        f"Of {honest['n']:,} honest deployments {honest['value']:.0f} were accused ({honest['note']}).\n"
        f"{pending['value']:.0f} promises are not made yet.\n"
    )


def _row(lie: Lie, named: int, of: int) -> str:
    also = ", ".join(f"`{each}`" for each in lie.promises[1:])
    who = "oversight" if lie.depth == "openings" else "anybody"
    shown = "yes" if named == of else f"**{named} of {of} times**"
    return f"| {lie.told} | `{lie.promises[0]}` | {also} | {who} | {shown} |"


if __name__ == "__main__":
    print(page(), end="")
