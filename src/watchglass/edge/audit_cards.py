"""Results of audit sets beside a model's card: ``NAME.audits.json``. Written only when somebody says so."""

from __future__ import annotations

import json
import math
import os
import tempfile
from pathlib import Path
from typing import Any, Final

from watchglass.core.errors import BadInput

ENDING: Final = ".audits.json"
MOST: Final = 50
"""Sets for each model."""

MOST_BYTES: Final = 8 * 1024 * 1024
_NEEDED: Final = ("set", "model", "model_sha256", "tables", "date")
_OF_A_SET: Final = {"name": str, "what": str, "sha256": str, "format": str, "pictures": int, "things": dict}


def kept(file: Path) -> tuple[dict[str, Any], ...]:
    """What is kept there, the newest first; nothing where there is no file.

    Raises:
        BadInput: it is damaged.
    """
    if not file.is_file():
        return ()
    if file.stat().st_size > MOST_BYTES:
        raise _damaged(file)
    try:
        audits = json.loads(file.read_text("utf-8"))["audits"]
        usable = isinstance(audits, list) and all(_usable(audit) for audit in audits)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise _damaged(file) from error
    if not usable:
        raise _damaged(file)
    return tuple(audits)


def keep(file: Path, audit: dict[str, Any]) -> tuple[dict[str, Any], ...]:
    """Add a result, in the place of an earlier one of the same set and model; all or nothing.

    Raises:
        BadInput: what is there is damaged; it is left as it is.
        OSError: it cannot be written.
    """
    same = (audit["set"]["sha256"], audit["model_sha256"])
    others = [old for old in kept(file) if (old["set"]["sha256"], old["model_sha256"]) != same]
    audits = [audit, *others][:MOST]
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            json.dump({"audits": audits}, out, ensure_ascii=False, indent=1)
            out.write("\n")
            out.flush()
            os.fsync(out.fileno())
        Path(name).chmod(0o644)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return tuple(audits)


def _usable(audit: Any) -> bool:
    """Whether pages can show it: everything that they read is there and of its kind."""
    if not isinstance(audit, dict) or any(key not in audit for key in _NEEDED):
        return False
    tested, tables = audit["set"], audit["tables"]
    texts = (audit["model"], audit["model_sha256"], audit["date"])
    if not isinstance(tested, dict) or not isinstance(tables, list) or not all(isinstance(t, str) for t in texts):
        return False
    if not all(isinstance(tested.get(key), kind) for key, kind in _OF_A_SET.items()):
        return False
    return all(
        isinstance(table, dict)
        and isinstance(table.get("kind"), str)
        and isinstance(table.get("stratum"), str)
        and isinstance(table.get("meant"), str)
        and _compared(table.get("misses"))
        and (table.get("false") is None or _compared(table["false"]))
        for table in tables
    )


def _compared(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("groups"), list):
        return False
    apart = value.get("worst_over_mean")
    return all(_group(group) for group in value["groups"]) and (apart is None or _ends(apart, open_end=True))


def _group(value: Any) -> bool:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return False
    if not all(_number(value.get(key)) for key in ("happened", "of")):
        return False
    return value.get("enough") is False or (value.get("enough") is True and _ends(value, open_end=False))


def _ends(value: Any, *, open_end: bool) -> bool:
    ends = value.get("interval") if isinstance(value, dict) else None
    if not isinstance(ends, list) or len(ends) != 2:  # noqa: PLR2004 # low and high
        return False
    known = _number(value.get("value")) or (open_end and value.get("value") is None)
    return known and _number(ends[0]) and (_number(ends[1]) or (open_end and ends[1] is None))


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _damaged(file: Path) -> BadInput:
    return BadInput(
        f"{file.name} cannot be read as results of audit sets.", fix="Restore it from a copy, or remove it."
    )
