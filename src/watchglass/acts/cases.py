"""Acts: an investigator opens a case with a legal authority, and closes it. Originals are asked for within a case."""

from __future__ import annotations

from dataclasses import dataclass

from watchglass.acts.handed import Handed
from watchglass.acts.rows import as_value
from watchglass.charter.decide import decide
from watchglass.charter.permit import OpenCase
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import DidNotVerify, Problem, Refused
from watchglass.core.time import DAY, iso
from watchglass.records.outbox import Reader

LONGEST_MS = 366 * DAY
"""A case that lasts longer is opened again, with its legal authority looked at again."""


@dataclass(frozen=True, slots=True)
class Case:
    """A case as the house knows it.

    Attributes:
        number: the body's own reference. authority: the warrant, order or article that it rests on.
        case_key: 32 bytes of X25519; shares are sealed anew to it.
        person: who opened it, as oversight enrolled them.
    """

    id: str
    number: str
    authority: str
    reason: str
    purpose: str
    case_key: bytes
    until_ms: int
    opened_ms: int
    closed_ms: int | None
    person: str
    statement: bytes
    leaf_hash: bytes


def case_of(reader: Reader, number: str) -> Case:
    """The case with that id.

    Raises:
        Problem: there is none.
    """
    row = reader.one("SELECT * FROM evidence_case WHERE id = ?", number)
    if row is None:
        raise Problem("There is no such case.", fix="Open one first: `watchglass case open`.")
    return as_value(Case, row)


def cases_of(reader: Reader, person: str) -> list[Case]:
    """The cases that a person opened, the newest first."""
    rows = reader.all("SELECT * FROM evidence_case WHERE person = ? ORDER BY opened_ms DESC", person)
    return [as_value(Case, row) for row in rows]


def open_case(handed: Handed) -> None:
    """A case is open from now on; whether its legal authority holds is for custodians and oversight to judge."""
    values, purpose = handed.values, str(handed.statement.leaf.purpose)
    decide(handed.standing, OpenCase(purpose), handed.now)
    if not handed.now < values["until_ms"] <= handed.now + LONGEST_MS:
        raise Refused(
            f"A case lasts until a day within the next year, not until {iso(values['until_ms'])}.",
            fix="Give `--until` a day within the next 366.",
        )
    if handed.tx.one("SELECT 1 FROM evidence_case WHERE id = ?", values["case"]):
        raise Problem("A case has this id already.", fix="Open it again; the command draws another id.")
    handed.tx.insert(
        "evidence_case",
        {
            "id": values["case"],
            "number": values["number"],
            "authority": values["authority"],
            "reason": values["reason"],
            "purpose": purpose,
            "case_key": unb64(values["case_key"], length=32),
            "until_ms": values["until_ms"],
            "opened_ms": handed.now,
            "person": handed.person,
            "statement": handed.statement.encode(),
            "leaf_hash": handed.leaf_hash,
        },
    )


def close_case(handed: Handed) -> None:
    """Nothing more can be asked for, approved or granted within it; what was granted already may still be taken."""
    case = own_case(handed)
    handed.tx.execute("UPDATE evidence_case SET closed_ms = ? WHERE id = ?", handed.now, case.id)


def own_case(handed: Handed) -> Case:
    """The open case that a statement names, if its signer opened it and it is for the statement's purpose.

    Raises:
        Refused: it is another person's, closed, or has run out.
        DidNotVerify: the statement names another record of it, or another purpose.
    """
    case = case_of(handed.tx, str(handed.values["case"]))
    if case.person != handed.person:
        raise Refused("This case was opened by somebody else.", fix="Open a case of your own, with its own authority.")
    if handed.values["opened"] != b64(case.leaf_hash):
        raise DidNotVerify("This names another record of the case.", fix="Fetch your cases again, then sign once more.")
    if handed.statement.leaf.purpose != case.purpose:
        raise DidNotVerify(
            f"This case is for the purpose “{case.purpose}”.", fix="Ask under the purpose that the case was opened for."
        )
    check_open(handed.tx, case.id, handed.now)
    return case


def check_open(reader: Reader, number: str, now_ms: int) -> None:
    """Check that the case with that id is neither closed nor over.

    Raises:
        Refused: it is. Problem: there is none.
    """
    case, fix = case_of(reader, number), "Open a new one, with its own legal authority."
    if case.closed_ms is not None:
        raise Refused(f"This case was closed at {iso(case.closed_ms)}.", fix=fix)
    if case.until_ms <= now_ms:
        raise Refused(f"This case ran out at {iso(case.until_ms)}.", fix=fix)
