"""What others note down, in a life: files are taken in, and now and then a row is set aside or put back."""

from __future__ import annotations

from dataclasses import dataclass

from made_life import Life
from made_town import Story
from watchglass.charter.permit import TakeReports
from watchglass.core.digest import b64, sha256
from watchglass.core.time import HOUR


@dataclass
class MadeFile:
    """A file that was taken in: its record, when, and how many of its rows are set aside."""

    leaf: bytes
    log: str
    taken_ms: int
    aside: int = 0


def reporting(life: Life) -> Story:
    """Every few hours a file comes; of some rows somebody says that no camera sees that spot, or takes that back."""
    town, dice = life.town, life.report_dice
    while True:
        yield dice.randrange(2 * HOUR, 9 * HOUR)
        if town.permit(TakeReports("dispatch")) is None:
            continue
        if not life.reports or dice.random() < 2 / 3:
            take_in(life, "dispatch")
            continue
        file = dice.choice(life.reports)
        to = "back" if file.aside and dice.random() < 1 / 2 else "aside"
        set_aside(life, file, to)


def take_in(life: Life, log: str) -> MadeFile:
    """A file is taken in on the machine itself."""
    town = life.town
    name = town.charter.analytics[0].name
    committed = {
        "rows": life.report_dice.randrange(1, 40),
        "known": 0,
        "left_out": 0,
        "dropped_columns": 3,
        "dropped_values": 20,
        "analytics": [name],
        "file_sha256": b64(sha256(life.report_dice.randbytes(8))),
        "account": None,
    }
    leaf = town.attest("reports_taken_in", under=town.charter, clear={"log": log}, committed=committed)
    made = MadeFile(leaf, log, town.now)
    life.reports.append(made)
    return made


def set_aside(life: Life, file: MadeFile, to: str, log: str = "") -> bytes:
    """A row is set aside, or put back."""
    town = life.town
    file.aside += 1 if to == "aside" else -1
    committed = {"row": life.report_dice.randrange(1, 40), "analytic": town.charter.analytics[0].name, "account": None}
    clear = {"log": log or file.log, "to": to}
    return town.attest("report_set_aside", under=town.charter, clear=clear, committed=committed, refs=[file.leaf])
