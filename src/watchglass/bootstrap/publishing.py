"""What oversight may publish from its own machine: reports of its audits, and challenges whose end it knows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from watchglass.bootstrap import carrying, challenging
from watchglass.bootstrap.orders import Order
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, DidNotVerify, WatchglassError

_LARGEST: Final = 64 << 20
_OFFERED: Final = 5
_LOOKED_AT: Final = 200


@dataclass(frozen=True, slots=True)
class Publishable:
    """Something that could be signed.

    Attributes:
        file: where it lies. words: what it is. seen: the hash of its bytes, so that what is signed is what was shown.
    """

    file: Path
    words: str
    seen: str
    order: Order


def report(file: Path, origin: str) -> Publishable:
    """The report that ``watchglass audit … --json`` printed.

    Raises:
        BadInput: it is none, or of another log.
    """
    data = _bytes(file)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _no_report(file) from error
    if not isinstance(value, dict) or "verdict" not in value:
        raise _no_report(file)
    order = challenging.published(value)
    _same(file, str(value.get("origin")), origin)
    words = f"{value['size']:,} entries, made {value.get('made', 'at an unknown time')}: {value['verdict']}"
    return Publishable(file, words, sha256(data).hex(), order)


def carried(value: Any) -> Any:
    """A report with the state of what it is about: where it has none, that is made here from the ledger.

    Args:
        value: what ``watchglass audit … --json`` printed, on this machine or on another.

    Raises:
        BadInput: the ledger cannot be read here. DidNotVerify: it is another one than the report is about.
    """
    if not isinstance(value, dict) or value.get("state") is not None or "where" not in value:
        return value
    made = carrying.make(str(value["where"]), value.get("size"), trust_file=Path(str(value.get("trust"))))
    if (made.origin, b64(made.root)) != (value.get("origin"), value.get("root")):
        raise DidNotVerify(
            f"The ledger at {value['where']} is not the one that this report is about.",
            fix="Audit again with --carry, and sign that report.",
        )
    return {**value, "state": b64(made.sha256)}


def challenge(file: Path, note: str, origin: str) -> Publishable:
    """A challenge, after ``watchglass oversight challenge check`` looked through the log.

    Raises:
        BadInput: it is none, or of another log. Problem: what came of it is not known yet.
    """
    found = challenging.read(file)
    _same(file, found.origin, origin)
    words = f"{found.kind} at {found.source}: {found.result or 'not looked for yet'}"
    return Publishable(file, words, sha256(_bytes(file)).hex(), found.told(note))


def offered(folder: Path, origin: str) -> tuple[list[Publishable], list[Publishable]]:
    """The newest reports and challenges in a folder that could be signed for this log."""
    reports: list[Publishable] = []
    challenges: list[Publishable] = []
    for file in _newest(folder):
        for found, read in ((reports, report), (challenges, _untold)):
            try:
                if len(found) < _OFFERED:
                    found.append(read(file, origin))
            except WatchglassError:  # another file, another log, or nothing to tell yet
                continue
    return reports, challenges


def _untold(file: Path, origin: str) -> Publishable:
    return challenge(file, "", origin)


def _newest(folder: Path) -> list[Path]:
    """Files of a folder that could be one of them, the newest first."""
    try:
        files = [file for file in folder.iterdir() if file.suffix in {".json", ".challenge"} and file.is_file()]
        files.sort(key=lambda file: file.stat().st_mtime_ns, reverse=True)
    except OSError:
        return []
    return files[:_LOOKED_AT]


def _bytes(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(_LARGEST)
    except (OSError, ValueError) as error:
        raise BadInput(f"{file} cannot be read.", fix="Check its name.") from error


def _no_report(file: Path) -> BadInput:
    return BadInput(f"{file} is not what an audit printed.", fix="Save what `watchglass audit … --json` prints, whole.")


def _same(file: Path, found: str, origin: str) -> None:
    if found != origin:
        raise BadInput(f"{file} is about {found}, not about {origin}.", fix="Choose one of this deployment.")


def changed(what: Publishable, seen: str) -> None:
    """Check that a file is still what was shown.

    Raises:
        BadInput: it is not.
    """
    if seen and seen != what.seen:
        raise BadInput(f"{what.file} changed since you looked at it.", fix="Go back and look at it again.")


def as_told(order: Order) -> dict[str, Any]:
    """The order's public fields with the promises in words: by state, and what is broken first."""
    clear = dict(order.clear)
    if isinstance(states := clear.get("found"), dict):
        groups = {
            state: sorted(name for name, each in states.items() if each == state)
            for state in ("broken", "kept", "unseen", "pending")
        }
        clear["found"] = "; ".join(f"{state}: {', '.join(names) or 'none'}" for state, names in groups.items())
    return clear
