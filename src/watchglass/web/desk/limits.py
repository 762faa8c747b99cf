"""The room of published limits: the authority says what was changed, oversight lets a stopped analytic run again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from watchglass.bootstrap import orders, overseeing
from watchglass.bootstrap.orders import Order
from watchglass.web.desk.pages import SURE, Card, Fields, Get, Keeper, Look, Post, confirm, said

_PROPOSE: Final = {
    "What will happen": "Oversight reads what you say, and decides. Nothing runs because of this alone.",
    "Who will see it": "Everybody sees that you proposed it, and reads on the register what you say was changed.",
    "What cannot be undone": "The record stays. You can propose again with other words.",
}
_RESUME: Final = {
    "What will happen": "It runs again, on trial, once witnesses have cosigned the ledger that holds this: its alerts "
    "go to reviewers, and nothing leaves their queue until they show that it keeps its limit.",
    "Who will see it": "Everybody sees that it may run again. Why is sealed to oversight.",
    "What cannot be undone": "The record stays. You can stop it at any time, and so can its limit.",
}


@dataclass(frozen=True, slots=True)
class _Form:
    """What one office signs about a stop: the order made of what it says in ``field``, and the page before it."""

    order: Callable[[Iterable[Mapping[str, Any]], str, str], Order]
    field: str
    what: str
    after: Mapping[str, str]
    title: str
    button: str
    role: str


_PROPOSAL: Final = _Form(
    orders.proposal,
    "what_changed",
    "what was changed",
    _PROPOSE,
    "Propose that {} runs again?",
    "Propose it",
    "authority",
)
_RESUMPTION: Final = _Form(
    orders.resumption_of_limit,
    "reason",
    "why it may run again",
    _RESUME,
    "Let {} run again?",
    "Let it run, on trial",
    "oversight",
)


class Limits:
    """The pages of whoever signs for authority or oversight, about what limits stopped."""

    roles = ("authority", "oversight")
    links = (("/limits", "Limits"),)

    def __init__(self, desk: Keeper) -> None:
        self._desk = desk

    def gets(self) -> Mapping[str, Get]:
        return {"/limits": self.limits}

    def posts(self) -> Mapping[str, Post]:
        return {"/limits/propose": self.propose, "/limits/resume": self.resume}

    def waits(self) -> tuple[Look, ...]:
        """What of this room is told on the first page."""
        return (self._stopped,)

    def _stopped(self, _sight: Any) -> list[Card]:
        told = overseeing.limits(self._desk.office)
        found = orders.stopped_by_limit(told["quality"])
        if "authority" in told["signs_as"]:
            found = [each for each in found if not each["stop"]["proposals"]]
            text = "Its limit stopped it. It runs again only when you say what was changed, and oversight agrees."
        else:
            found = [each for each in found if each["stop"]["proposals"]]
            text = "Its limit stopped it. The authority says what was changed, and proposes that it runs again."
        return [Card(f"{each['analytic']} is stopped by its limit", text, "/limits", "Look at it") for each in found]

    def limits(self, _request: Request) -> Response:
        """How each analytic stands, with the forms for what was stopped."""
        return self._desk.page("limits.html", told=overseeing.limits(self._desk.office))

    def propose(self, request: Request, fields: Fields) -> Response:
        """Say what was changed."""
        return self._sign(request, fields, _PROPOSAL)

    def resume(self, request: Request, fields: Fields) -> Response:
        """Let it run again."""
        return self._sign(request, fields, _RESUMPTION)

    def _sign(self, request: Request, fields: Fields, form: _Form) -> Response:
        told = overseeing.limits(self._desk.office)
        name = said(fields, "analytic", "which analytic")
        order = form.order(told["quality"], name, said(fields, form.field, form.what))
        if SURE not in fields:
            return confirm(
                self._desk,
                request,
                fields,
                order,
                title=form.title.format(name),
                button=form.button,
                back="/limits",
                after=form.after,
            )
        done = overseeing.hand(self._desk.office, order, role=form.role)
        return self._desk.receipt_for({**done, "next": "/limits"})
