"""Act: oversight enrols one person's signing key for one role and one month."""

from __future__ import annotations

from watchglass.acts.handed import Handed
from watchglass.core.errors import Problem
from watchglass.core.time import month_of
from watchglass.ledger.keys import VerifierKey


def enrol(handed: Handed) -> None:
    """From now on this key speaks for that person in that role, until the month ends."""
    clear, tx = handed.clear, handed.tx
    if clear["month"] < month_of(handed.now):
        raise Problem("That month is over.", fix="Enrol the key for this month or a later one.")
    key = VerifierKey.parse(clear["vkey"])
    person, month = str(handed.values["person"]), clear["month"]
    known = tx.all("SELECT vkey, person, month FROM enrolled_key")
    if any((row["person"], row["month"]) == (person, month) or _same(row["vkey"], key) for row in known):
        raise Problem(
            "This key, or this person for that month, is enrolled already.",
            fix="One person has one key a month: enrol another month, or another person with a key of their own.",
        )
    tx.insert(
        "enrolled_key",
        {
            "vkey": clear["vkey"],
            "role": clear["enrolled_role"],
            "month": month,
            "person": person,
            "leaf_hash": handed.leaf_hash,
        },
    )


def _same(vkey: str, key: VerifierKey) -> bool:
    """Whether it is the same key, whatever name it was given."""
    return VerifierKey.parse(vkey).public == key.public
