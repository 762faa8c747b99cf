"""What every page of a desk is made with: the templates, the fields of a form, the page before something is signed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Final, Protocol

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from watchglass.bootstrap import Office
from watchglass.bootstrap.orders import Order
from watchglass.core.errors import BadInput
from watchglass.core.time import iso, millis, moment
from watchglass.records.act_spec import Lane
from watchglass.records.vocabulary import ACTS

Fields = Mapping[str, str]
Get = Callable[[Request], Response]
Post = Callable[[Request, Fields], Response]
SURE: Final = "sure"
_OURS: Final = frozenset({"csrf", SURE})
_LABELS: Final[Mapping[str, str]] = {
    "alert_leaf": "Noticed by the record",
    "analytic": "Analytic",
    "as_role": "As",
    "breaches": "Breaches",
    "challenge": "Hash of the challenge",
    "depth": "Depth",
    "enrolled_role": "Role",
    "finding": "What it was",
    "found": "Promises",
    "kind": "Kind",
    "lodged": "The witness's receipt",
    "month": "Month",
    "name": "Charter",
    "note": "Why",
    "person": "Person",
    "reason": "Why",
    "report_sha256": "SHA-256 of the report",
    "result": "What came of it",
    "root": "Root of the ledger then",
    "salt": "Salt",
    "scope": "What",
    "sha256": "SHA-256 of its text",
    "signal": "Signal",
    "size": "Entries audited",
    "version": "Version",
    "vkey": "Key",
    "what_changed": "What changed",
    "hold": "Hold",
    "source": "Source",
    "from_ms": "From",
    "to_ms": "To",
    "until_ms": "Until",
}


@dataclass(frozen=True, slots=True)
class Card:
    """Something that waits for the person, on the first page.

    Attributes:
        urgent: it stands first, and is framed.
    """

    title: str
    text: str
    href: str
    link: str
    urgent: bool = False


Look = Callable[[Any], list[Card]]
"""Looks for one kind of thing that waits, in what is seen of the log. What goes wrong with one hides no other."""


class Keeper(Protocol):
    """The desk, as its rooms see it."""

    @property
    def office(self) -> Office: ...

    @property
    def roster(self) -> Path | None: ...

    def page(self, template: str, status: int = 200, **data: Any) -> Response: ...

    def receipt_for(self, done: dict[str, Any]) -> Response: ...


class Room(Protocol):
    """The pages of one office: what it answers to, and what waits there.

    Attributes:
        roles: whose room it is: ``oversight``, ``authority``. links: (path, words in the navigation).
    """

    @property
    def roles(self) -> Sequence[str]: ...

    @property
    def links(self) -> Sequence[tuple[str, str]]: ...

    def gets(self) -> Mapping[str, Get]: ...

    def posts(self) -> Mapping[str, Post]: ...

    def waits(self) -> Sequence[Look]: ...


def confirm(
    desk: Keeper,
    request: Request,
    fields: Fields,
    order: Order,
    *,
    title: str,
    button: str,
    back: str,
    after: Mapping[str, str],
    when: str = "",
) -> Response:
    """The page before something is signed: what will be signed, in words, and what follows from it.

    Its form sends the same fields to the same address again, with ``SURE``.

    Args:
        when: it is recorded, where that is not by itself.
    """
    spec = ACTS[order.act]
    soon = "at the next checkpoint" if spec.lane is Lane.PROMPT else "with the next batch of records"
    return desk.page(
        "confirm.html",
        title=title,
        button=button,
        back=back,
        action=request.url.path,
        meaning=spec.meaning,
        clear=in_words(order.clear),
        sealed=in_words(order.committed),
        when=when or soon,
        after=after,
        carried={name: value for name, value in fields.items() if name not in _OURS},
    )


def in_words(values: Mapping[str, Any]) -> dict[str, str]:
    """The fields of a record with labels for people; what is empty is left out."""
    found = {}
    for name, value in values.items():
        if value is None or name == "seen":
            continue
        if name == "scope":
            if value == "all":
                found[_LABELS[name]] = "everything"
            continue
        told = iso(value) if name.endswith("_ms") else str(value)
        found[_LABELS.get(name, name)] = told or "(nothing)"
    return found


@cache
def environment() -> Environment:
    """The templates. Everything is escaped; there is no script and no inline style."""
    made = Environment(
        loader=PackageLoader("watchglass.web.desk"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["iso"] = iso
    made.filters["moment"] = lambda ms: f"{moment(ms):%d %B %Y, %H:%M:%S} UTC".lstrip("0")
    made.filters["in_words"] = in_words
    made.filters["when"] = lambda text: f"{datetime.fromisoformat(text):%d %B %Y, %H:%M:%S} UTC".lstrip("0")
    made.filters["marked"] = _marked
    return made


def _marked(text: str) -> Markup:
    """What stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )


def said(fields: Fields, name: str, what: str) -> str:
    """What somebody wrote in a field.

    Raises:
        BadInput: nothing.
    """
    text = fields.get(name, "").strip()
    if not text:
        raise BadInput(f"It does not say {what}.", fix="Go back and fill it in.", field=name)
    return text


def scope(fields: Fields) -> dict[str, Any]:
    """Source, minutes and reason of a form about originals."""
    return {
        "source": said(fields, "source", "which source"),
        "from_ms": _moment(fields, "from", "from when"),
        "to_ms": _moment(fields, "to", "to when"),
        "reason": said(fields, "reason", "why"),
    }


def end(fields: Fields, name: str, what: str) -> int:
    """The end of a day (UTC)."""
    text = said(fields, name, what)
    try:
        day = datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError as error:
        raise BadInput(f"“{text[:40]}” is not a day.", fix="Write it like 2026-12-31.", field=name) from error
    return millis(day + timedelta(days=1))


def _moment(fields: Fields, name: str, what: str) -> int:
    text = said(fields, name, what)
    try:
        when = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"“{text[:40]}” is not a time.", fix="Write it like 2026-11-23T14:05.", field=name) from error
    return millis(when if when.tzinfo else when.replace(tzinfo=UTC))
