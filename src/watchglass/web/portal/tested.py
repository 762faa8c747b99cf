"""On which audit sets a model was tested, and on what nobody tested it: a section of its public page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from watchglass.bootstrap import House
from watchglass.bootstrap.audits_kept import results_of

_MANY: Final = 100
_WORDS: Final = {
    "size": "how large it looks",
    "brightness": "how bright it is",
    "contrast": "how much it stands out",
    "occlusion": "how much of it is covered",
    "crowding": "how many are in the picture",
}
"""Measured strata, for people; an annotated one is called as its set calls it."""


def facts_of(house: House, name: str, digest: str) -> dict[str, Any]:
    """What is kept about the weights that the charter names.

    Args:
        house: whose deployment's own results are shown beside those that ship.
        name: of the model.
        digest: as the charter writes it.
    """
    found = results_of(house.layout, name, digest.removeprefix("sha256:"))
    return {
        "not_tested": list(found.untested),
        "problem": found.problem,
        "audits": [_audit(one, own=count < found.own) for count, one in enumerate(found.audits)],
    }


def _audit(audit: Mapping[str, Any], *, own: bool) -> dict[str, Any]:
    tested = audit["set"]
    rows = [_row(table, group) for table in audit["tables"] for group in table["misses"]["groups"] if group["of"]]
    return {
        "name": tested["name"],
        "what": tested["what"],
        "sha256": tested["sha256"],
        "date": audit["date"],
        "tested_by": "whoever runs this deployment" if own else "the makers of this software",
        "pictures": tested["pictures"],
        "things": tested["things"],
        "rows": rows,
        "apart": [said for table in audit["tables"] if (said := _apart(table))],
    }


def _row(table: Mapping[str, Any], group: Mapping[str, Any]) -> dict[str, Any]:
    """One group. Shares are of 100 things, so that nobody has to read a fraction."""
    enough = group["enough"]
    return {
        "kind": table["kind"],
        "by": table["stratum"],
        "words": _words(table["stratum"]),
        "meant": table["meant"],
        "group": group["name"],
        "n": group["of"],
        "missed": group["happened"],
        "of_100": round(_MANY * group["value"]) if enough else None,
        "between": [round(_MANY * end) for end in group["interval"]] if enough else None,
    }


def _words(stratum: str) -> str:
    return "" if stratum == "all" else _WORDS.get(stratum, stratum.replace("_", " "))


def _apart(table: Mapping[str, Any]) -> str:
    """The worst group against the mean of all, as NIST forms it, where chance is ruled out; else nothing."""
    apart = table["misses"].get("worst_over_mean")
    if not apart or apart["value"] is None or not table["misses"].get("differs"):
        return ""
    low, high = apart["interval"]
    likely = f"at least {low:.1f}" if high is None else f"between {low:.1f} and {high:.1f}"
    return (
        f"{table['kind'].capitalize()}, by {_words(table['stratum'])}: “{apart['first']}” is missed "
        f"{apart['value']:.1f} times as often as the mean of the groups (likely {likely})."
    )
