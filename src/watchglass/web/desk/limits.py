"""The room of published limits: the authority says what was changed, oversight lets a stopped analytic run again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from watchglass.bootstrap import orders, overseeing
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
        told = overseeing.limits(self._desk.office)
        name = said(fields, "analytic", "which analytic")
        order = orders.proposal(told["quality"], name, said(fields, "what_changed", "what was changed"))
        if SURE not in fields:
            return confirm(
                self._desk,
                request,
                fields,
                order,
                title=f"Propose that {name} runs again?",
                button="Propose it",
                back="/limits",
                after=_PROPOSE,
            )
        done = overseeing.hand(self._desk.office, order, role="authority")
        return self._desk.receipt_for({**done, "next": "/limits"})

    def resume(self, request: Request, fields: Fields) -> Response:
        """Let it run again."""
        told = overseeing.limits(self._desk.office)
        name = said(fields, "analytic", "which analytic")
        order = orders.resumption_of_limit(told["quality"], name, said(fields, "reason", "why it may run again"))
        if SURE not in fields:
            return confirm(
                self._desk,
                request,
                fields,
                order,
                title=f"Let {name} run again?",
                button="Let it run, on trial",
                back="/limits",
                after=_RESUME,
            )
        return self._desk.receipt_for({**overseeing.hand(self._desk.office, order), "next": "/limits"})
