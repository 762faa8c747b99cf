"""The room that authority and oversight share: the charter that waits for both, and what each of them signed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from watchglass.bootstrap import approving, overseeing
from watchglass.core.errors import Problem
from watchglass.web.desk.pages import SURE, Card, Fields, Get, Keeper, Look, Post, confirm, said

_FIRST: Final = (
    "Your signature waits beside the draft, for an hour, until the other one signs too. Then it is published."
)
_SECOND: Final = (
    "The other has signed. With your signature it is published. It comes into force on its first day, once "
    "witnesses have cosigned the ledger that holds it."
)
_SEEN: Final = "Everybody reads the whole charter, and that you approved it, once it is published."
_STAYS: Final = "A published charter stays in the ledger. Another one can take its place."


class Charters:
    """The pages of whoever approves charters."""

    roles = ("authority", "oversight")
    links = (("/charter", "Charter"), ("/holds", "Holds"), ("/signed", "What I signed"))

    def __init__(self, desk: Keeper) -> None:
        self._desk = desk

    def gets(self) -> Mapping[str, Get]:
        return {"/charter": self.charter, "/signed": self.signed}

    def posts(self) -> Mapping[str, Post]:
        return {"/charter/approve": self.approve}

    def waits(self) -> tuple[Look, ...]:
        """What of this room is told on the first page."""
        return (self._draft,)

    def _draft(self, sight: Any) -> list[Card]:
        """The draft, where it waits for whoever sits here."""
        found = approving.waiting(self._desk.office, sight)
        if found is None or found.charter is None or not found.mine:
            return []
        others = f" The {' and the '.join(found.approved)} has signed it." if found.approved else ""
        text = f"It says in plain words what would change.{others}"
        return [
            Card(f"Charter version {found.charter.version} waits for you", text, "/charter", "Read it", urgent=True)
        ]

    def charter(self, _request: Request) -> Response:
        """What waits, with the difference to what is in force in plain words; and every version that was approved."""
        sight = self._desk.office.look()
        found = approving.waiting(self._desk.office, sight)
        return self._desk.page(
            "charter.html",
            waits=None if found is None else approving.told(sight, found),
            versions=approving.versions(sight),
            ledger=sight.as_json()["ledger"],
        )

    def approve(self, request: Request, fields: Fields) -> Response:
        """Approve the draft that was seen."""
        office = self._desk.office
        role, seen = said(fields, "role", "as whom"), said(fields, "seen", "which draft")
        if SURE in fields:
            done = approving.approve(office, role, seen)
            return self._desk.receipt_for({**done, "next": "/charter"})
        sight = office.look()
        found = approving.waiting(office, sight)
        if found is None:
            raise Problem("No charter waits for a signature.", fix="It may have been published meanwhile.")
        order = approving.order(sight, found, role, seen)
        version = order.clear["version"]
        return confirm(
            self._desk,
            request,
            fields,
            order,
            title=f"Approve version {version}?",
            button=f"Approve version {version} as {role}",
            back="/charter",
            when="" if found.approved else "once the other has signed too",
            after={
                "What will happen": _SECOND if found.approved else _FIRST,
                "Who will see it": _SEEN,
                "What cannot be undone": _STAYS,
            },
        )

    def signed(self, _request: Request) -> Response:
        """Everything that was signed with the key of whoever sits here."""
        sight = self._desk.office.look()
        done = overseeing.register(self._desk.office, sight)
        return self._desk.page("signed.html", done=done, ledger=sight.as_json()["ledger"])
