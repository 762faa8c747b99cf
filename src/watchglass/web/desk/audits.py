"""Oversight's room of audits: publish what one found, tell what came of a challenge. Both are files on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from watchglass.bootstrap import overseeing, publishing
from watchglass.bootstrap.publishing import Publishable
from watchglass.web.desk.pages import SURE, Fields, Get, Keeper, Look, Post, confirm, said

_PAGE: Final = "/audits"
_AUDIT: Final = {
    "What will happen": "The ledger holds what you found, and the hash of your report. The report itself stays here.",
    "Who will see it": "Everybody. The portal shows it beside last night's audit and marks where the two do not agree.",
    "What cannot be undone": "It stays. Whoever audits later sees if you called something kept that was broken.",
}
_TELL: Final = {
    "What will happen": "The ledger says whether it was noticed, with the witness's receipt from before.",
    "Who will see it": "Everybody sees the result. Which camera, when, and your note are sealed to oversight.",
    "What cannot be undone": "It stays. A challenge is told once.",
}


class Audits:
    """Reports and challenges."""

    roles = ("oversight",)
    links = ((_PAGE, "Audits"),)

    def __init__(self, desk: Keeper) -> None:
        self._desk = desk

    def gets(self) -> Mapping[str, Get]:
        return {_PAGE: self.audits}

    def posts(self) -> Mapping[str, Post]:
        return {f"{_PAGE}/publish": self.publish, f"{_PAGE}/tell": self.tell}

    def waits(self) -> tuple[Look, ...]:
        """Nothing here waits: whether to publish is for oversight to say."""
        return ()

    def audits(self, _request: Request) -> Response:
        """What lies beside the trust file, and the forms for what lies elsewhere."""
        folder = self._desk.office.trust.resolve().parent
        reports, challenges = publishing.offered(folder, self._desk.office.origin)
        return self._desk.page("audits.html", folder=folder, reports=reports, challenges=challenges)

    def publish(self, request: Request, fields: Fields) -> Response:
        """Sign what an audit found."""
        found = publishing.report(_file(fields), self._desk.office.origin)
        after = {"The report": found.words, **_AUDIT}
        return self._sign(request, fields, found, "Publish this audit?", "Publish it", after)

    def tell(self, request: Request, fields: Fields) -> Response:
        """Sign what came of a challenge."""
        found = publishing.challenge(_file(fields), fields.get("note", "").strip(), self._desk.office.origin)
        after = {"The challenge": found.words, **_TELL}
        return self._sign(request, fields, found, "Tell this challenge?", "Tell it", after)

    def _sign(
        self, request: Request, fields: Fields, found: Publishable, title: str, button: str, after: Mapping[str, str]
    ) -> Response:
        publishing.changed(found, fields.get("seen", ""))
        if SURE in fields:
            return self._desk.receipt_for({**overseeing.hand(self._desk.office, found.order), "next": _PAGE})
        shown = replace(found.order, clear=publishing.as_told(found.order))
        carried = {**fields, "seen": found.seen}
        return confirm(self._desk, request, carried, shown, title=title, button=button, back=_PAGE, after=after)


def _file(fields: Fields) -> Path:
    return Path(said(fields, "file", "which file"))
