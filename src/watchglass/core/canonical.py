"""The one canonical encoding: RFC 8785 (JCS) over the I-JSON values that records use.

Allowed are objects with string keys, arrays, strings, booleans, null, and integers of at most 53 bits.
Floating-point numbers are refused: a record that needs a fraction writes a scaled integer or a string, so that no
two implementations can disagree about its bytes.

Python's JSON encoder with sorted keys and no ASCII escapes writes exactly what RFC 8785 asks for these values, with
one exception: RFC 8785 sorts keys by UTF-16 code units, Python by code points. The two differ only where a key holds
a character beyond ASCII, so such values are put in order first.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import Any, Final

from watchglass.core.errors import BadInput

MAX_INTEGER: Final = 2**53 - 1
DEEPEST: Final = 64
"""How many lists and objects may lie in one another."""

_PLAIN: Final = frozenset({str, bool, type(None)})
_KEYS: Final = frozenset({str})


def _make_writer(*, sort_keys: bool) -> Callable[[Any], str]:
    """``value -> text``. CPython's own encoder, made once instead of once a call; else the public one."""
    make = json.encoder.c_make_encoder  # type: ignore[attr-defined]  # CPython's, or None; typeshed does not list it
    encoder = json.JSONEncoder(
        ensure_ascii=False, separators=(",", ":"), sort_keys=sort_keys, allow_nan=False, check_circular=False
    )
    if make is None:
        return encoder.encode
    chunks = make(None, encoder.default, encode_basestring, None, ":", ",", sort_keys, False, False)

    def write(value: Any) -> str:
        return "".join(chunks(value, 0))

    return write


_write_sorted: Final = _make_writer(sort_keys=True)
_write_as_is: Final = _make_writer(sort_keys=False)


def encode(value: object) -> bytes:
    """The canonical bytes of ``value``.

    Raises:
        BadInput: the value holds a float, a large integer, a key that is not a string, or text that is not Unicode,
            or is nested deeper than ``DEEPEST``.
    """
    kind = type(value)
    try:
        if kind is str:
            return encode_basestring(value).encode()  # type: ignore[arg-type]  # kind is str
        if kind is int and -MAX_INTEGER <= value <= MAX_INTEGER:  # type: ignore[operator]  # kind is int
            return b"%d" % value  # type: ignore[str-format]  # kind is int
        if _check(value, kind, "$", DEEPEST):
            return _write_as_is(_in_utf16_order(value)).encode()
        if kind is dict or kind is list or kind is tuple:
            return _write_sorted(value).encode()
        return json.dumps(value).encode()
    except UnicodeEncodeError as error:
        raise BadInput(
            "A text holds half of a surrogate pair, which is not Unicode.", fix="Send the text as valid UTF-8."
        ) from error


def decode(data: bytes) -> Any:
    """The value whose canonical bytes are exactly ``data``.

    Raises:
        BadInput: ``data`` is not JSON, or is JSON in any other form than the canonical one.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise BadInput(
            "These bytes are not JSON.", fix="Check that the file is complete and is the one you meant."
        ) from error
    if encode(value) != data:
        raise BadInput(
            "This JSON is not in canonical form (RFC 8785), so its bytes cannot be what was signed.",
            fix="Use the bytes as they were written; do not format or re-save them.",
        )
    return value


def _check(value: Any, kind: type, path: str, depth: int) -> bool:
    """Refuse what has no canonical form; tell whether keys beyond ASCII need UTF-16 ordering.

    Sets of types and one joined string of keys let the interpreter look at a whole object at once: most objects
    hold only texts, and pass without a Python-level loop.
    """
    if kind is dict:
        if not _KEYS.issuperset(map(type, value)):
            raise BadInput(f"A key at {path} is not a string.", fix="Use strings as keys.")
        beyond = not "".join(value).isascii()
        if not _PLAIN.issuperset(map(type, value.values())):
            for key, item in value.items():
                beyond |= _check_item(item, key, depth)
        return beyond
    if kind is list or kind is tuple:
        beyond = False
        for item in value:
            beyond |= _check_item(item, path, depth)
        return beyond
    return _check_item(value, path, depth)


def _check_item(item: Any, path: str, depth: int) -> bool:
    kind = type(item)
    if kind in _PLAIN:
        return False
    if kind is int:
        if not -MAX_INTEGER <= item <= MAX_INTEGER:
            raise BadInput(f"The number at {path} does not fit into 53 bits.", fix="Write it as a string.")
        return False
    if kind is dict or kind is list or kind is tuple:
        if not depth:
            raise BadInput(f"The value is nested more than {DEEPEST} deep.", fix="Nest fewer lists and objects.")
        return _check(item, kind, path, depth - 1)
    raise BadInput(
        f"The value at {path} is a {kind.__name__}, which records cannot hold.",
        fix="Use text, whole numbers, true, false, null, lists and objects.",
    )


def _in_utf16_order(value: object) -> object:
    if isinstance(value, dict):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be", "surrogatepass"))
        return {key: _in_utf16_order(item) for key, item in pairs}
    if isinstance(value, list | tuple):
        return [_in_utf16_order(item) for item in value]
    return value
