"""Results of audit sets beside a model's card: ``NAME.audits.json``. Written only when somebody says so."""

from __future__ import annotations

import json
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
    if not isinstance(audit, dict) or any(key not in audit for key in _NEEDED):
        return False
    tables = audit["tables"]
    return isinstance(audit["set"], dict) and isinstance(tables, list) and all(isinstance(t, dict) for t in tables)


def _damaged(file: Path) -> BadInput:
    return BadInput(
        f"{file.name} cannot be read as results of audit sets.", fix="Restore it from a copy, or remove it."
    )
