"""From a page's data to bytes: HTML for people, the same data as JSON for the ``.json`` twin of the page.

A handler gathers plain data (frozen dataclasses, mappings, sequences) and calls ``page``. Nothing is computed in a
template that the JSON does not also hold. Autoescape is on for every template; there is no inline style or script, so
that the content security policy can forbid both.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, Final

from fastapi import Request, Response
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from watchglass.acts.public_facts import words_of_day
from watchglass.acts.public_ledger import Day
from watchglass.charter import words
from watchglass.charter.scene import Place
from watchglass.core.digest import b64
from watchglass.core.time import iso, moment
from watchglass.web.portal.chrome import chrome

STATIC: Final = Path(__file__).parent / "static"
"""What is served under ``/static``."""

_JSON: Final = ".json"
_THIN: Final = "\u202f"


def page(
    request: Request,
    template: str,
    data: Mapping[str, object],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer to ``request``: ``template`` filled with ``data``, or ``data`` itself where the path ends in .json.

    The template sees every key of ``data``, and ``chrome`` (the frame: banners, navigation, the person). Keys that
    begin with an underscore are for the template only and stay out of the JSON.
    """
    if request.url.path.endswith(_JSON):
        return as_json(data, status=status, headers=headers)
    html = environment().get_template(template).render(chrome=chrome(request), **data)
    return Response(html, status_code=status, media_type="text/html; charset=utf-8", headers=dict(headers or {}))


def as_json(data: Mapping[str, object], *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """``data`` as indented JSON, without the keys that begin with an underscore."""
    shown = {key: plain(value) for key, value in data.items() if not key.startswith("_")}
    body = json.dumps(shown, ensure_ascii=False, indent=2) + "\n"
    return Response(body, status_code=status, media_type="application/json", headers=dict(headers or {}))


def plain(value: object) -> Any:
    """``value`` in JSON's own types: dataclasses become objects, enums their values, bytes base64.

    Raises:
        TypeError: the value has no plain form; a page's data must.
    """
    if isinstance(value, Enum):
        return plain(value.value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, bytes):
        return b64(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        shown = {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        for name in getattr(value, "DERIVED", ()):
            shown[name] = plain(getattr(value, name))
        return shown
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, Iterable):
        return [plain(item) for item in value]
    raise TypeError(f"a page's data cannot hold a {type(value).__name__}")


@cache
def environment() -> Environment:
    """The one Jinja environment: strict about undefined names, autoescaping everything."""
    made = Environment(
        loader=PackageLoader("watchglass.web.portal", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        iso=iso,
        moment=words_of_moment,
        day=words_of_day,
        clock=clock_time,
        duration=words.duration,
        count=words_of_count,
        clip=clip,
        plural=plural,
        b64=b64,
        fact=words_of_fact,
        figure=words_of_figure,
        marked=marked,
        coordinates=coordinates,
        middle=middle,
        growth_line=growth_line,
        listed=lambda items, last="and": words.listed(list(items), last),
    )
    made.globals.update(static=static)
    return made


@cache
def static(name: str) -> str:
    """The address of a static file, with its hash, so that it can be cached for a year and still change at once."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def words_of_moment(ms: int) -> str:
    """``23 November 2026, 14:05 UTC``."""
    return f"{words_of_day(ms)}, {clock_time(ms)} UTC"


def clock_time(ms: int) -> str:
    """``14:05``, UTC."""
    return f"{moment(ms):%H:%M}"


def words_of_count(n: int) -> str:
    """``12 345`` with a narrow space that does not break."""
    return f"{n:,}".replace(",", _THIN)


def plural(n: int, word: str, many: str = "") -> str:
    """``1 alert``, ``2 alerts``."""
    return f"{words_of_count(n)} {word if n == 1 else many or word + 's'}"


def clip(text: str, length: int) -> str:
    """The first ``length`` characters, with an ellipsis where something is left out."""
    return text if len(text) <= length else text[:length] + "…"


def words_of_fact(value: object) -> str:
    """A plain value from a record or a card, for people: lists with commas, nothing as a dash."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {words_of_fact(item)}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(words_of_fact(item) for item in value)
    return str(value)


def words_of_figure(row: Mapping[str, Any]) -> str:
    """A measured figure for people: a share as ``88 of 100, likely 83 to 92``, rounded outwards; others as they are."""
    value, interval = row["value"], row.get("interval")
    if row["unit"] != "share":
        likely = f", likely {interval[0]:g} to {interval[1]:g}" if interval else ""
        return f"{value:g} {row['unit']}{likely}"
    likely = f", likely {math.floor(100 * interval[0])} to {math.ceil(100 * interval[1])}" if interval else ""
    return f"{round(100 * value)} of 100{likely}"


def marked(text: str) -> Markup:
    """The text, escaped, with what stands between backticks as code."""
    parts = str(escape(text)).split("`")
    odd = len(parts) % 2 == 0
    html = "".join(f"<code>{part}</code>" if at % 2 and not odd else part for at, part in enumerate(parts))
    return Markup(html)  # noqa: S704  # every part was escaped above


def coordinates(place: Place) -> str:
    """``51.4379° north, 0.9449° west``."""
    north, east = ("north" if place.lat >= 0 else "south"), ("east" if place.lon >= 0 else "west")
    return f"{abs(place.lat):.4f}° {north}, {abs(place.lon):.4f}° {east}"


def middle(corners: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The mean of a polygon's corners: where its label stands."""
    n = len(corners)
    return round(sum(x for x, _ in corners) / n, 1), round(sum(y for _, y in corners) / n, 1)


def growth_line(days: Sequence[Day], width: float, height: float) -> str:
    """The points of the ledger's size by day as an SVG path, in a box whose upper left corner is (8, 18)."""
    most = max(day.total for day in days)
    step = width / max(len(days) - 1, 1)
    return " L".join(f"{8 + at * step:.1f} {18 + height * (1 - day.total / most):.1f}" for at, day in enumerate(days))
