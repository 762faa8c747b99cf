"""YAML as a plain tree of text: positions kept, no type guessed.

Only what a charter needs is understood: mappings, lists and scalars. Anchors, aliases, tags, directives, merge keys,
several documents and repeated keys are refused, because each of them lets a file mean something else than it shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from watchglass.core.errors import BadInput

MAX_BYTES = 60_000
"""A charter must fit, as base64 or as text, into one entry of the ledger."""

MAX_DEPTH = 12


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in the file; both count from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar, exactly as written (quotes and escapes resolved)."""

    text: str
    spot: Spot


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    spot: Spot


@dataclass(frozen=True, slots=True)
class Block:
    """A mapping; keys in the order of the file, none twice."""

    entries: tuple[tuple[Text, Node], ...]
    spot: Spot

    def get(self, key: str) -> Node | None:
        """The node under ``key``, if it is there."""
        return next((node for text, node in self.entries if text.text == key), None)


Node = Text | Items | Block


class TreeError(BadInput):
    """The bytes are not the kind of YAML that a charter may be written in."""

    def __init__(self, message: str, *, fix: str, spot: Spot) -> None:
        super().__init__(message, fix=fix, line=spot.line, column=spot.column)
        self.spot = spot


def grow(data: bytes) -> Block:
    """The tree of a charter file.

    Raises:
        TreeError: the bytes are too many, not UTF-8, not YAML, or use a part of YAML that charters may not use.
    """
    if len(data) > MAX_BYTES:
        raise TreeError(
            f"The charter has {len(data)} bytes; at most {MAX_BYTES} fit into one ledger entry.",
            fix="Shorten its texts, or write one charter per place.",
            spot=Spot(1, 1),
        )
    events = _events(_decoded(data))
    start = next(events, None)
    if not isinstance(start, MappingStartEvent):
        raise TreeError(
            "A charter is a list of `name: value` lines, and this file is not.",
            fix="Begin the file with `watchglass: 1`.",
            spot=_spot(start) if start else Spot(1, 1),
        )
    tree = _mapping(start, events, depth=1)
    rest = next(events, None)
    if rest is not None:
        raise TreeError("There is a second document in this file.", fix="Keep one charter per file.", spot=_spot(rest))
    return tree


def _decoded(data: bytes) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise TreeError("The file is not UTF-8 text.", fix="Save it as UTF-8.", spot=Spot(line, 1)) from error
    if text.startswith("\ufeff"):
        raise TreeError(
            "The file begins with a byte order mark.", fix="Save it as UTF-8 without a mark.", spot=Spot(1, 1)
        )
    return text


def _events(text: str) -> Iterator[Event]:
    """The events inside the one document, with everything refused that a charter may not use."""
    try:
        for event in yaml.parse(text, Loader=yaml.BaseLoader):
            if isinstance(event, DocumentStartEvent) and (event.version or event.tags):
                raise TreeError("`%` directives are not used in charters.", fix="Remove the line.", spot=_spot(event))
            if isinstance(event, StreamEndEvent):
                return
            if isinstance(event, AliasEvent | ScalarEvent | SequenceStartEvent | MappingStartEvent):
                _plain(event)
            if isinstance(
                event,
                AliasEvent | ScalarEvent | SequenceStartEvent | SequenceEndEvent | MappingStartEvent | MappingEndEvent,
            ):
                yield event
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        spot = Spot(mark.line + 1, mark.column + 1) if mark else Spot(1, 1)
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise TreeError(
            f"This is not well-formed YAML: {what}.",
            fix="Look at the indentation, the colons and the quotes on this line and the one before it.",
            spot=spot,
        ) from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        raise TreeError(
            "The file holds a character or an escape that YAML text cannot hold.",
            fix="Remove control characters and unusual escapes.",
            spot=Spot(1, 1),
        ) from error
    raise AssertionError("a stream always ends")  # pragma: no cover


def _plain(event: AliasEvent | ScalarEvent | SequenceStartEvent | MappingStartEvent) -> None:
    if event.anchor is not None:
        raise TreeError(
            "Anchors (&) and aliases (*) are not used in charters: a reader must see each value where it applies.",
            fix="Write the value out, or put the text into quotes.",
            spot=_spot(event),
        )
    if isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent) and event.tag is not None:
        raise TreeError(
            f"Tags such as {event.tag!r} are not used in charters.", fix="Remove the tag.", spot=_spot(event)
        )


def _spot(event: Event) -> Spot:
    mark = event.start_mark
    return Spot(mark.line + 1, mark.column + 1) if mark else Spot(1, 1)


def _node(event: Event, events: Iterator[Event], depth: int) -> Node:
    if depth > MAX_DEPTH:
        raise TreeError("This is nested deeper than any charter needs.", fix="Check the brackets.", spot=_spot(event))
    if isinstance(event, ScalarEvent):
        return _scalar(event)
    if isinstance(event, MappingStartEvent):
        return _mapping(event, events, depth)
    items: list[Node] = []
    for item in events:
        if isinstance(item, SequenceEndEvent):
            break
        items.append(_node(item, events, depth + 1))
    return Items(tuple(items), _spot(event))


def _scalar(event: ScalarEvent) -> Text:
    text: str = event.value
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise TreeError(
            "A text holds half of a surrogate pair, which is not Unicode.",
            fix="Write the character itself.",
            spot=_spot(event),
        )
    return Text(text, _spot(event))


def _mapping(start: Event, events: Iterator[Event], depth: int) -> Block:
    entries: list[tuple[Text, Node]] = []
    seen: dict[str, Spot] = {}
    for event in events:
        if isinstance(event, MappingEndEvent):
            break
        if not isinstance(event, ScalarEvent):
            raise TreeError("A name must be plain text.", fix="Write `name: value`.", spot=_spot(event))
        key = _scalar(event)
        if key.text == "<<":
            raise TreeError("Merge keys (<<) are not used in charters.", fix="Write it out.", spot=key.spot)
        if key.text in seen:
            raise TreeError(
                f"{key.text!r} is written twice here; the first is on line {seen[key.text].line}.",
                fix="Keep one of them.",
                spot=key.spot,
            )
        seen[key.text] = key.spot
        entries.append((key, _node(next(events), events, depth + 1)))
    return Block(tuple(entries), _spot(start))
