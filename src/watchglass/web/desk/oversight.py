"""Oversight's room: what runs and what it stopped, whose keys may sign, signals of misuse and emergencies."""

from __future__ import annotations

from collections.abc import Mapping, Sized
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from watchglass.bootstrap import overseeing, rostering
from watchglass.bootstrap.orders import Order
from watchglass.bootstrap.rostering import Listed
from watchglass.web.desk.pages import SURE, Card, Fields, Get, Keeper, Look, Post, confirm, said

_STOP: Final = {
    "What will happen": "It stops within two seconds; no witness is waited for. Alerts that were raised before can "
    "still be decided.",
    "Who will see it": "Everybody sees what stopped and in which hour. Why is sealed: only oversight can read it.",
    "What cannot be undone": "The order stays in the ledger. You lift it with a second order.",
}
_RESUME: Final = {
    "What will happen": "It runs again once witnesses have cosigned the ledger that holds this. If another order "
    "stands for it, it stays stopped.",
    "Who will see it": "Everybody sees that it may run again. Why, and what changed, is sealed to oversight.",
    "What cannot be undone": "The record stays. You can stop it again at any time.",
}
_ENROL: Final = {
    "What will happen": "What this key signs counts as this person's, in this role, until the month ends.",
    "Who will see it": "Everybody sees that a key was enrolled for this role. Whose it is, is sealed to oversight.",
    "What cannot be undone": "An enrolment is not taken back. One person has one key a month. If the key is lost or "
    "stolen, suspend, and tell the authority.",
}
_SETTLE: Final = {
    "What will happen": "The signal counts as settled. What follows for anybody is not for this software.",
    "Who will see it": "Only oversight can read which signal, and what it was. Everybody sees, after the quarter, how "
    "many there were, where enough people work.",
    "What cannot be undone": "A finding stays. It may never be used to judge how well somebody works.",
}


class Oversight:
    """The pages of oversight alone."""

    roles = ("oversight",)
    links = (("/running", "What runs"), ("/people", "People"), ("/signals", "Signals"))

    def __init__(self, desk: Keeper) -> None:
        self._desk = desk

    def gets(self) -> Mapping[str, Get]:
        return {"/running": self.running, "/people": self.people, "/signals": self.signals}

    def posts(self) -> Mapping[str, Post]:
        return {
            "/running/suspend": self.suspend,
            "/running/resume": self.resume,
            "/people/enrol": self.enrol,
            "/signals/settle": self.settle,
        }

    def waits(self) -> tuple[Look, ...]:
        """What of this room is told on the first page."""
        return (self._overdue, self._listed, self._stopped)

    def _overdue(self, sight: Any) -> list[Card]:
        """Emergencies that nobody has explained, and signals that nobody has settled."""
        watched = overseeing.watch(self._desk.office, sight)
        late = [each for each in watched["emergencies"] if each["waits"] and each["late"]]
        due = [each for each in watched["emergencies"] if each["waits"] and not each["late"]]
        signals = [each for each in watched["signals"] if each["finding"] is None]
        cards = []
        if late:
            text = "The emergency rule was used, and nobody has said what for in time. Ask the person."
            cards.append(_card(late, "emergency", "emergencies", "overdue", text, "/signals#emergencies", urgent=True))
        if due:
            text = "The emergency rule was used. A report is due."
            cards.append(_card(due, "emergency", "emergencies", "to be explained", text, "/signals#emergencies"))
        if signals:
            text = "A signal is a question, with its evidence. Say what you made of it."
            cards.append(_card(signals, "signal", "signals", "of misuse", text, "/signals", urgent=True))
        return cards

    def _listed(self, sight: Any) -> list[Card]:
        """Who of oversight's list waits to be enrolled."""
        found = overseeing.people(self._desk.office, sight, self._roster())["waiting"]
        names = sorted({each["person"] for each in found})
        text = f"{', '.join(names)}: on your list, and not enrolled."
        return [_card(names, "person waits", "people wait", "to be enrolled", text, "/people")] if names else []

    def _stopped(self, _sight: Any) -> list[Card]:
        """What oversight itself stopped."""
        found = overseeing.stopped(self._desk.office)
        text = f"{', '.join(found)}: until you let it run again."
        return [_card(found, "order", "orders", "to stop", text, "/running")] if found else []

    # ---- what runs ---------------------------------------------------------------------------------------------------

    def running(self, _request: Request) -> Response:
        """What runs, with the forms to stop it; what was stopped, with the forms to let it run."""
        return self._desk.page("running.html", now=overseeing.running(self._desk.office))

    def suspend(self, request: Request, fields: Fields) -> Response:
        """Stop one analytic, or everything."""
        analytic = fields.get("analytic", "").strip() or None
        order = overseeing.suspension(self._desk.office, analytic, said(fields, "reason", "why it shall stop"))
        name = analytic or "everything"
        return self._sign(
            request, fields, order, title=f"Stop {name}?", button=f"Stop {name}", back="/running", after=_STOP
        )

    def resume(self, request: Request, fields: Fields) -> Response:
        """Let run again what was stopped."""
        order = overseeing.resumption(
            self._desk.office,
            said(fields, "order", "which order"),
            said(fields, "reason", "why it may run again"),
            said(fields, "what_changed", "what changed"),
        )
        name = order.clear["analytic"] or "everything"
        return self._sign(
            request, fields, order, title=f"Let {name} run again?", button="Let it run", back="/running", after=_RESUME
        )

    # ---- people ------------------------------------------------------------------------------------------------------

    def people(self, _request: Request) -> Response:
        """Who waits, who is enrolled, and the form for somebody else."""
        sight = self._desk.office.look()
        told = overseeing.people(self._desk.office, sight, self._roster())
        return self._desk.page("people.html", told=told, roster=self._desk.roster, ledger=sight.as_json()["ledger"])

    def enrol(self, request: Request, fields: Fields) -> Response:
        """Enrol somebody's key."""
        order = overseeing.enrolment(
            self._desk.office.look(),
            person=said(fields, "person", "who it is"),
            role=said(fields, "role", "for which role"),
            month=said(fields, "month", "for which month"),
            vkey=said(fields, "vkey", "which key"),
        )
        name = order.committed["person"]
        return self._sign(
            request, fields, order, title=f"Enrol {name}?", button=f"Enrol {name}", back="/people", after=_ENROL
        )

    def _roster(self) -> tuple[Listed, ...]:
        return () if self._desk.roster is None else rostering.read_roster(self._desk.roster)

    # ---- signals -----------------------------------------------------------------------------------------------------

    def signals(self, _request: Request) -> Response:
        """Signals of misuse, each with its evidence and the form to settle it; uses of the emergency rule."""
        sight = self._desk.office.look()
        told = overseeing.watch(self._desk.office, sight)
        return self._desk.page(
            "signals.html", told=told, findings=overseeing.FINDINGS, ledger=sight.as_json()["ledger"]
        )

    def settle(self, request: Request, fields: Fields) -> Response:
        """Say what was made of a signal."""
        told = overseeing.watch(self._desk.office, self._desk.office.look())
        number = said(fields, "signal", "which signal")
        finding, note = said(fields, "finding", "what it was"), fields.get("note", "").strip()
        order = overseeing.settlement(told, number, finding, note)
        sentence = next(each["sentence"] for each in told["signals"] if each["id"] == number)
        return self._sign(
            request,
            fields,
            order,
            title="Settle this signal?",
            button="Settle it",
            back="/signals",
            after={"What it is about": sentence, **_SETTLE},
        )

    def _sign(self, request: Request, fields: Fields, order: Order, **words: Any) -> Response:
        """Ask first; sign where the person is sure."""
        if SURE not in fields:
            return confirm(self._desk, request, fields, order, **words)
        return self._desk.receipt_for({**overseeing.hand(self._desk.office, order), "next": words["back"]})


def _card(found: Sized, one: str, more: str, what: str, text: str, href: str, *, urgent: bool = False) -> Card:
    single = len(found) == 1
    title = f"{len(found)} {one if single else more} {what}"
    return Card(title, text, href, "Look at it" if single else "Look at them", urgent=urgent)
