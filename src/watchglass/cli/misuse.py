"""``watchglass oversight misuse|link``: signals of misuse in opened records, on oversight's own machine."""

from __future__ import annotations

import argparse
import csv
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from watchglass.access.misuse import LinkedPlaces, Shift, Signal, cannot_judge, linked_place, misuse_signals
from watchglass.access.misuse.opened import facts_of
from watchglass.access.misuse.places import KEY_BYTES, tag
from watchglass.bootstrap import SystemEntropy
from watchglass.cli.output import Result
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput
from watchglass.core.time import iso, millis

_PRIVATE: Final = 0o600
_COLUMNS: Final = ["person", "from", "to"]


def add(commands: Any) -> None:
    """Put both commands into the group ``oversight``."""
    signals = commands.add_parser("misuse", help="look for signals of misuse in records that you have opened")
    signals.add_argument("opened", type=Path, help="what `watchglass oversight open --json` printed")
    signals.add_argument("--roster", type=Path, help="who was on duty: a CSV file with the columns person,from,to")
    signals.add_argument("--places", type=Path, help="your list of places that are linked to staff")
    signals.add_argument("--places-key", type=Path, help="its key")
    signals.set_defaults(run=_misuse, render=_say)
    link = commands.add_parser(
        "link", help="put a place that is linked to somebody on your list; only keyed hashes are written"
    )
    link.add_argument("person", help="the account's name, or * for everybody")
    link.add_argument("source", help="the source's name in the charter")
    link.add_argument("--places", type=Path, required=True, help="your list; made if it is not there")
    link.add_argument("--places-key", type=Path, required=True, help="its key; made if it is not there")
    link.set_defaults(run=_link, render=_say_linked)


def _misuse(args: argparse.Namespace) -> Result:
    if (args.places is None) != (args.places_key is None):
        raise BadInput("The list of linked places and its key belong together.", fix="Give both, or neither.")
    facts = facts_of(records_of(_json(args.opened)), tuple(_shifts(args.roster)) if args.roster else ())
    signals = list(misuse_signals(facts))
    if args.places is not None:
        signals += linked_place(facts, LinkedPlaces.parse(_read(args.places)), _key(args.places_key))
    signals.sort(key=lambda signal: (signal.at_ms, signal.kind, signal.id))
    return {"signals": [_told(signal) for signal in signals], "cannot_judge": list(cannot_judge(facts))}


def _told(signal: Signal) -> dict[str, Any]:
    return {
        "signal": signal.id,
        "kind": signal.kind.value,
        "at": iso(signal.at_ms),
        "sentence": signal.sentence,
        "evidence": list(signal.evidence),
    }


def _link(args: argparse.Namespace) -> Result:
    if args.places.exists() and not args.places_key.exists():
        raise BadInput(f"{args.places} is there, and its key is not.", fix="Give the key that it was made with.")
    if not args.places_key.exists():
        _write(args.places_key, b64(SystemEntropy().bytes(KEY_BYTES)).encode() + b"\n")
    key = _key(args.places_key)
    known = LinkedPlaces.parse(_read(args.places)) if args.places.exists() else LinkedPlaces(frozenset())
    tags = known.tags | {tag(key, args.person, args.source)}
    _write(args.places, LinkedPlaces(tags).encode())
    return {"links": len(tags), "added": len(tags) - len(known.tags)}


def records_of(answer: object) -> Sequence[Mapping[str, Any]]:
    """The records in the answer of ``oversight open --json``.

    Raises:
        BadInput: it is something else.
    """
    entries = answer.get("entries") if isinstance(answer, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise BadInput(
            "This is not what `watchglass oversight open --json` printed.", fix="Give the whole of its answer."
        )
    return entries


def _shifts(path: Path) -> Iterator[Shift]:
    rows = csv.reader(_read(path).decode("utf-8", "replace").splitlines())
    if next(rows, None) != _COLUMNS:
        raise BadInput(f"{path} is not a roster.", fix=f"Its first line must be: {','.join(_COLUMNS)}")
    for number, row in enumerate(rows, 2):
        try:
            person, begin, end = row
            yield Shift(person, _moment(begin), _moment(end))
        except ValueError as error:
            raise BadInput(
                f"Line {number} of {path} is not a shift.",
                fix="Write for example: robin,2026-11-23T06:00+01:00,2026-11-23T14:00+01:00",
            ) from error


def _moment(text: str) -> int:
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(text)
    return millis(when)


def _key(path: Path) -> bytes:
    return unb64(_read(path).decode("ascii", "replace").strip(), length=KEY_BYTES)


def _json(path: Path) -> object:
    try:
        return json.loads(_read(path))
    except ValueError as error:
        raise BadInput(f"{path} is not JSON.", fix="Give what `watchglass oversight open --json` printed.") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.", fix="Check its name.") from error


def _write(path: Path, data: bytes) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    part = path.with_name(path.name + ".part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise BadInput(f"{path} cannot be written: {error.strerror}.", fix="Choose another place.") from error


def _say(result: Result) -> None:
    for signal in result["signals"]:
        print(f"{signal['at']}  {signal['kind']}\n  {signal['sentence']}")
    if not result["signals"]:
        print("No signals.")
    for sentence in result["cannot_judge"]:
        print(f"Not judged: {sentence}")
    print("A signal is a question, not a finding: ask before you conclude. It says nothing of how well anybody works.")


def _say_linked(result: Result) -> None:
    print(f"{result['links']} links on the list. Keep list and key apart; the house gets neither.")
