"""The one canonical encoding: RFC 8785 (JCS) over the I-JSON values that records use.

Allowed are objects with string keys, arrays, strings, booleans, null, and integers of at most 53 bits.
Floating-point numbers are refused: a record that needs a fraction writes a scaled integer or a string, so that no
two implementations can disagree about its bytes.
"""

from __future__ import annotations

import json
from typing import Any

from watchglass.core.errors import BadInput

MAX_INTEGER = 2**53 - 1

_encoder = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False, check_circular=False
)


def encode(value: object) -> bytes:
    """The canonical bytes of ``value``.

    Raises:
        BadInput: the value holds a float, a large integer, a key that is not a string, or text that is not Unicode.
    """
    needs_utf16_order = _check(value, "$")
    if needs_utf16_order:
        value = _in_utf16_order(value)
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    else:
        text = _encoder.encode(value)
    try:
        return text.encode("utf-8")
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


def _check(value: object, path: str) -> bool:
    """Refuse what has no canonical form; tell whether keys beyond ASCII need UTF-16 ordering."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return False
    if kind is int:
        if not -MAX_INTEGER <= value <= MAX_INTEGER:  # type: ignore[operator]  # kind is int
            raise BadInput(f"The number at {path} does not fit into 53 bits.", fix="Write it as a string.")
        return False
    if kind is dict:
        beyond = False
        for key, item in value.items():  # type: ignore[attr-defined]  # kind is dict
            if type(key) is not str:
                raise BadInput(f"A key at {path} is not a string.", fix="Use strings as keys.")
            beyond |= not key.isascii()
            beyond |= _check(item, key)
        return beyond
    if kind is list or kind is tuple:
        beyond = False
        for item in value:  # type: ignore[attr-defined]  # kind is list or tuple
            beyond |= _check(item, path)
        return beyond
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
