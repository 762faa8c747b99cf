"""Oversight's own list of who may be enrolled: a CSV file on oversight's machine, which the house never gets."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from watchglass.core.errors import BadInput, WatchglassError
from watchglass.ledger.keys import VerifierKey
from watchglass.records.vocabulary import ACTS

COLUMNS: Final = ["person", "role", "key"]
MOST: Final = 1_000
_LARGEST: Final = 1_000_000
_LONGEST_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Listed:
    """Somebody on the list.

    Attributes:
        person: who it is, as oversight knows them. role: for which role they sign.
        vkey: the public half of the key that they gave oversight last; "" where they gave none yet.
    """

    person: str
    role: str
    vkey: str


def read_roster(path: Path) -> tuple[Listed, ...]:
    """The list in a file; its first line is ``person,role,key``.

    Raises:
        BadInput: it cannot be read, or a line of it is nobody who could be enrolled.
    """
    try:
        with path.open("rb") as file:
            lines = file.read(_LARGEST).decode("utf-8").splitlines()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise BadInput(f"{path} cannot be read: {reason}.", fix="Check its name, and save it as UTF-8.") from error
    rows = csv.reader(lines)
    if next(rows, None) != COLUMNS:
        raise BadInput(f"{path} is not a list of people.", fix=f"Its first line must be: {','.join(COLUMNS)}")
    found = [_listed(path, number, row) for number, row in enumerate(rows, 2) if row]
    if len(found) > MOST:
        raise BadInput(f"{path} lists more than {MOST:,} people.", fix="Keep only those who sign.")
    return tuple(found)


def check_person(person: str, role: str, vkey: str) -> Listed:
    """Somebody who could be enrolled; ``vkey`` may be "".

    Raises:
        BadInput: the name is empty or too long, the role is none, or the key cannot be read.
    """
    roles = ACTS["key_enrolled"].clear["enrolled_role"]
    if not 0 < len(person) <= _LONGEST_NAME:
        raise BadInput(f"A name has 1 to {_LONGEST_NAME} characters.", fix="Write who it is, as in your own list.")
    roles.check(role, "role")
    if vkey:
        VerifierKey.parse(vkey)
    return Listed(person, role, vkey)


def _listed(path: Path, number: int, row: list[str]) -> Listed:
    try:
        person, role, vkey = (part.strip() for part in row)
        return check_person(person, role, vkey)
    except (ValueError, WatchglassError) as error:
        raise BadInput(
            f"Line {number} of {path} names nobody who could be enrolled.",
            fix="Write for example: Ines Vermaat,investigator,KEY. KEY is the line that they sent you, or nothing.",
        ) from error
