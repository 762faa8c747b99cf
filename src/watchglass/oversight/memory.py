"""What an audit remembers between two runs, as JSON: plain values, with a tag where JSON has no such thing.

Nothing in it can make the reader do anything but build these values. It is the auditor's own file: whoever can change
it can make the auditor blind, as whoever can change the auditor's programs can.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput
from watchglass.oversight.report import Breach

_BYTES: Final = "b"
_TUPLE: Final = "t"
_SET: Final = "s"
_PAIRS: Final = "d"
_BREACH: Final = "x"


def pack(value: object) -> Any:  # noqa: PLR0911  (a case for each type)
    """``value`` as JSON has it: numbers, texts and lists as they are, all else as ``{tag: …}``."""
    match value:
        case None | bool() | int() | str():
            return value
        case list():
            return [pack(each) for each in value]
        case tuple():
            return {_TUPLE: [pack(each) for each in value]}
        case set() | frozenset():
            return {_SET: [pack(each) for each in sorted(value)]}
        case dict():
            return {_PAIRS: [[pack(key), pack(each)] for key, each in value.items()]}
        case bytes() | bytearray():
            return {_BYTES: b64(bytes(value))}
        case Breach():
            return {_BREACH: [value.promise, value.sentence, list(value.entries), value.hour]}
    raise AssertionError(f"an audit cannot remember a {type(value).__name__}")


def unpack(value: Any) -> Any:
    """The value behind ``pack``.

    Raises:
        BadInput: it is of another form.
    """
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, list):
        return [unpack(each) for each in value]
    if isinstance(value, dict) and len(value) == 1:
        ((tag, inside),) = value.items()
        if tag in _MAKERS:
            try:
                return _MAKERS[tag](inside)
            except (TypeError, ValueError, AttributeError) as error:
                raise damaged() from error
    raise damaged()


def _breach(inside: Any) -> Breach:
    promise, sentence, entries, hour = inside
    return Breach(str(promise), str(sentence), tuple(int(each) for each in entries), hour)


_MAKERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    _BYTES: unb64,
    _TUPLE: lambda inside: tuple(unpack(each) for each in inside),
    _SET: lambda inside: {unpack(each) for each in inside},
    _PAIRS: lambda inside: {unpack(key): unpack(each) for key, each in inside},
    _BREACH: _breach,
}


def write(value: Mapping[str, object]) -> bytes:
    """``value`` as a file."""
    return json.dumps(pack(dict(value)), separators=(",", ":")).encode()


def read(data: bytes) -> dict[str, Any]:
    """The value in a file.

    Raises:
        BadInput: it is of another form.
    """
    try:
        value = unpack(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise damaged() from error
    if not isinstance(value, dict):
        raise damaged()
    return value


def damaged() -> BadInput:
    """What to say of a memory that is none."""
    return BadInput(
        "What the last audit remembered is damaged, or was written by another version.",
        fix="Audit from the start: leave that file out. The result is the same; it only takes longer.",
    )
