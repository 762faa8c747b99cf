"""What a year carries over: all that an audit of structure remembers after so many entries, as one file.

Whoever has those entries makes the same bytes again and compares; whoever begins with the year reads none of them. The
hashes of the tree are left out: the log's own hash tiles have them. What stands here follows from the entries alone:
witnesses are those that the log's own charters pin, and nothing that an auditor was given is in it.

The file may be hostile. So it is bounded, every value in it has the shape that it must have, and it says nothing that
is not compared with the hash that the log recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.errors import BadInput
from watchglass.core.time import SECOND
from watchglass.ledger.merkle import HASH_BYTES
from watchglass.ledger.tiles import MAX_STATE_BYTES
from watchglass.oversight import memory as memories
from watchglass.oversight.hashes import Hashes
from watchglass.oversight.promises.every import every
from watchglass.oversight.promises.intact import Intact
from watchglass.oversight.promises.promise import ALWAYS, Promise
from watchglass.oversight.promises.signatures import Signatures
from watchglass.oversight.promises.well_formed import WellFormed
from watchglass.oversight.references import REFERABLE, STEP
from watchglass.oversight.report import Breach

VERSION: Final = 2
"""Counted up by whoever changes what an audit finds in old entries, or how it says it. A test holds the bytes."""
_MOST_VALUES: Final = 8_000_000
"""Of a file: so many take half a gigabyte of memory."""
_LARGEST: Final = 1 << 50
_LAST_HOUR: Final = 253_402_300_800 // 3_600
"""The year 10000."""

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
"""What would write over a terminal."""

_Due = dict[int, tuple[int, int]]
_Span = tuple[str, int, int, str, tuple[int, ...], int]
_Run = tuple[str, bool, int, int | None, str | None, tuple[int, ...]]
_Request = tuple[int, bytes, str | None, bytes, int, dict[bytes, tuple[str, int]], int | None, int | None]

SHAPES: Final[Mapping[str, Mapping[str, Any]]] = {
    "intact": {"noted": int},
    "signatures": {"unjudged": int, "known": dict[bytes, int]},
    "times": {"pending": list[tuple[int, int, int]], "witnesses": dict[str, tuple[int, int]], "notes": int},
    "years": {
        "began": list[tuple[int, int, int, bytes, str]],
        "audits": dict[bytes, tuple[int, int, str, str | None, bytes]],
        "uncompared": list[int],
        "others": list[tuple[int, str]],
    },
    "archived": {"years": dict[bytes, tuple[int, int, int, int]], "audited": int, "before": int},
    "charters": {"waiting": dict[str, tuple[int, int]], "newest": int, "began": int},
    "enrolments": {"known": dict[bytes, int]},
    "under-charter": {"unjudged": int},
    "obeyed": {"waiting": dict[int, int], "running": str | None, "idle": set[int]},
    "limits": {
        "states": dict[str, tuple[int, str]],
        "stops": dict[int, tuple[str, int, int]],
        "before": dict[int, int],
        "proposals": dict[int, int],
        "resumed": dict[int, int],
        "waiting": dict[int, int],
        "running": str | None,
        "began": dict[str, bytes],
        "owed": dict[str, tuple[int, int]],
    },
    "drills": {
        "planned": dict[int, tuple[str, str, str, str]],
        "run": set[int],
        "newest": int,
        "scored": int,
        "called_off": int,
    },
    "lodged": {"recorded": dict[bytes, int], "ran": dict[str, tuple[int, int]]},
    "heartbeats": {"last": dict[str, tuple[int, str, int, int]]},
    "dark-time": {"beats": dict[str, list[_Span]], "runs": dict[str, list[_Run]], "every": dict[str, int]},
    "fresh-witnesses": {"promised": bool},
    "challenges": {"missed": int, "told": list[tuple[bytes, str, int, int]]},
    "alerts": {
        "waiting": dict[int, tuple[int, int | None]],
        "decided": dict[int, tuple[int, int, int, int | None]],
        "withdrawn": int,
    },
    "conditions": {"open": dict[tuple[str, str], int], "begun": int},
    "reports": {"logs": dict[int, str], "aside": dict[int, int], "due": _Due, "moved": int},
    "retention": {"waiting": dict[int, int], "due": dict[str, _Due]},
    "retention-originals": {"due": dict[int, _Due], "holds": dict[int, str], "unjudged": int, "sealed": int},
    "month-keys": {
        "published": dict[tuple[str, str], int],
        "destroyed": dict[str, set[str]],
        "months": dict[str, tuple[int, bytes, int]],
        "holds": set[int],
    },
    "releases": {"kept": list[_Request], "grants": dict[int, int], "granted": int, "taken": int},
    "disclosed-after-witnesses": {"charters": set[bytes], "begun": set[int]},
    "emergencies": {"waiting": dict[int, tuple[int, int]], "explained": int},
}
"""What each promise keeps (``Promise.keeps``) and of what shape it is. One that is not named here keeps nothing."""
_EACH: Final[Mapping[str, Any]] = {"checked": int, "total": int, "first": int | None, "breaches": list[Breach]}
_WORLD: Final[Mapping[str, Any]] = {
    "newest_hour": int,
    "charters": {
        "approved": list[tuple[bytes, str, int, int | None, int | None, int | None]],
        "waiting": list[tuple[bytes, str, dict[str, list[str]], set[str]]],
        "unread": dict[bytes, int],
        "publications": int,
    },
    "enrolled": dict[tuple[str, str, bytes], int],
    "recorders": list[tuple[int, str, str, tuple[str, ...]]],
    "times": {
        "after_ms": int,
        "marks": int,
        "covered": int,
        "places": bytes,
        "afters": bytes,
        "sizes": bytes,
        "befores": bytes,
    },
    "orders": list[tuple[bool, int, int, int | None, int | None, int | None, str, int]],
    "acts": list[str],
    "references": bytes,
}
_IN_ORDER: Final = (("places", 1), ("afters", SECOND), ("sizes", 1), ("befores", SECOND))
"""Lists that only ever rise, and what their numbers are multiples of."""


def _makers() -> Iterator[Promise]:
    yield from (Intact(), WellFormed(), Signatures())
    yield from (make() for make in every(openings=False))


def _form() -> str:
    kept = [[each.name, *each.keeps] for each in _makers()]
    return f"{VERSION}-{sha256(json.dumps(kept).encode()).hex()[:8]}"


FORM: Final = _form()
"""Which rules made a state: those of another form make other bytes of the same entries."""
_NAMES: Final = frozenset(each.name for each in _makers())


@dataclass(frozen=True, slots=True)
class Carried:
    """A state that was read; its hash was not compared with anything yet.

    Attributes:
        size, root: of the entries that it is about. sha256: of the file's bytes. form: of the rules that made it.
        world, promises, stumbled: what ``Auditor.from_carried`` takes up.
    """

    origin: str
    size: int
    root: bytes
    sha256: bytes
    form: str
    world: Mapping[str, Any]
    promises: Mapping[str, Mapping[str, Any]]
    stumbled: dict[str, tuple[int, str]]


def write(
    origin: str,
    hashes: Hashes,
    world: Mapping[str, Any],
    promises: Mapping[str, Mapping[str, Any]],
    stumbled: Mapping[str, tuple[int, str]],
) -> bytes:
    """The canonical bytes of a state.

    Args:
        world, promises, stumbled: what an audit's ``memory`` has of them.

    Raises:
        BadInput: it is larger than whoever begins there would read.
    """
    kept = dict(world)
    del kept["hashes"], kept["size"]
    times = dict(kept["times"])
    for name, unit in _IN_ORDER:
        times[name] = _pressed([each // unit for each in times[name]])
    numbers = sorted(kept["references"].values())
    acts = sorted({REFERABLE[each % STEP] for each in numbers})
    place = {REFERABLE.index(act): at for at, act in enumerate(acts)}
    references = _pressed([each // STEP * STEP + place[each % STEP] for each in numbers])
    value = {
        "watchglass_carried": FORM,
        "origin": origin,
        "size": hashes.size,
        "root": b64(hashes.root(hashes.size)),
        "world": {**kept, "times": times, "acts": acts, "references": references},
        "promises": dict(promises),
        "stumbled": dict(stumbled),
    }
    data = memories.write(_in_order(value))
    if len(data) > MAX_STATE_BYTES:
        raise BadInput(
            f"The state has {len(data):,} bytes, and nobody reads more than {MAX_STATE_BYTES:,}.",
            fix="Keep all entries where they are, so that audits can begin at the start.",
        )
    return data


def read(data: bytes, origin: str) -> Carried:
    """The state in a file.

    Raises:
        BadInput: it is none, of another log, or made by rules that this version does not have.
    """
    if len(data) > MAX_STATE_BYTES or sum(map(data.count, (b",", b"[", b"{"))) > _MOST_VALUES:
        raise _damaged()
    try:
        value = memories.read(data)
    except BadInput as error:
        raise _damaged() from error
    form = value.get("watchglass_carried")
    if not isinstance(form, str):
        raise _damaged()
    if form != FORM:
        raise BadInput(
            f"This state was made by rules of the form {form[:64]!r}, and this version has {FORM}.",
            fix="Use the version of Watchglass that made it, or audit from the start where all entries are.",
        )
    shape = {
        "watchglass_carried": str,
        "origin": str,
        "size": int,
        "root": str,
        "world": _WORLD,
        "promises": {name: {**_EACH, **SHAPES.get(name, {})} for name in _NAMES},
        "stumbled": dict[str, tuple[int, str]],
    }
    if not fits(value, shape) or value["size"] < 1 or value["world"]["newest_hour"] > _LAST_HOUR:
        raise _damaged()
    if value["origin"] != origin:
        raise BadInput(f"This state is of {value['origin'][:200]}, not of {origin}.", fix="Take it from this ledger.")
    try:
        root = unb64(value["root"], length=HASH_BYTES)
    except BadInput as error:
        raise _damaged() from error
    return Carried(
        origin, value["size"], root, sha256(data), form, value["world"], value["promises"], value["stumbled"]
    )


def world_of(carried: Carried, hashes: Hashes) -> dict[str, Any]:
    """What ``World.recall`` takes up.

    Args:
        hashes: the leaf hashes of the first ``size`` entries, from the log's hash tiles.

    Raises:
        BadInput: they are not those that the state is about.
    """
    if hashes.size != carried.size or hashes.root(carried.size) != carried.root:
        raise BadInput(
            f"The state is of {carried.size:,} other entries than those of this log.", fix="Take it from this ledger."
        )
    world = dict(carried.world)
    times = dict(world["times"])
    for name, unit in _IN_ORDER:
        times[name] = [each * unit for each in _spread(times[name], carried.size)]
    acts = [REFERABLE.index(each) if each in REFERABLE else -1 for each in world.pop("acts")]
    references: dict[bytes, int] = {}
    for number in _spread(world["references"], carried.size):
        index, place = divmod(number, STEP)
        if index >= carried.size or place >= len(acts) or acts[place] < 0:
            raise _damaged()
        references.setdefault(hashes.leaf(index), index * STEP + acts[place])
    return {**world, "size": carried.size, "hashes": hashes.levels, "times": times, "references": references}


# ---- numbers that rise -----------------------------------------------------------------------------------------------


def _pressed(numbers: Sequence[int]) -> bytes:
    """Rising whole numbers as their differences, seven bits a byte, the lowest first."""
    out = bytearray()
    last = 0
    for number in numbers:
        step, last = number - last, number
        if step < 0:  # only a state that somebody made up goes back
            raise _damaged()
        while step > 0x7F:  # noqa: PLR2004  # seven bits
            out.append(step & 0x7F | 0x80)
            step >>= 7
        out.append(step)
    return bytes(out)


def _spread(data: bytes, most: int) -> list[int]:
    """What was pressed; at most ``most`` numbers, of at most 53 bits.

    Raises:
        BadInput: it is something else.
    """
    numbers: list[int] = []
    at = step = shift = 0
    for byte in data:
        step |= (byte & 0x7F) << shift
        shift += 7
        if step > _LARGEST or shift > 63:  # noqa: PLR2004  # nine bytes
            raise _damaged()
        if byte < 0x80:  # noqa: PLR2004  # the last of a number
            at += step
            numbers.append(at)
            step = shift = 0
            if len(numbers) > most or at > _LARGEST:
                raise _damaged()
    if shift:
        raise _damaged()
    return numbers


# ---- order and shape -------------------------------------------------------------------------------------------------


def _in_order(value: Any) -> Any:
    """The same with every dictionary in the order of its keys: in which order entries came changes no byte."""
    if isinstance(value, dict):
        return {key: _in_order(value[key]) for key in sorted(value)}
    if isinstance(value, list | tuple):
        return type(value)(_in_order(each) for each in value)
    return value


def fits(value: Any, shape: Any) -> bool:  # noqa: PLR0911  (a case for each kind of shape)
    """Whether a value has a shape: a type, or a dictionary of names that must all be there."""
    if isinstance(shape, Mapping):
        return (
            isinstance(value, dict)
            and value.keys() == shape.keys()
            and all(fits(value[name], each) for name, each in shape.items())
        )
    origin, inside = get_origin(shape), get_args(shape)
    if origin in (Union, UnionType):
        return any(fits(value, each) for each in inside)
    if origin is None:
        if shape is int:
            return type(value) is int and -_LARGEST <= value <= _LARGEST
        if shape is Breach:
            parts = (value.promise, value.sentence, value.entries, value.hour) if type(value) is Breach else ()
            return fits(parts, tuple[str, str, tuple[int, ...], str | None])
        if shape is str:
            return type(value) is str and not _CONTROL.search(value)
        return value is None if shape in (None, NoneType) else type(value) is shape
    if type(value) is not origin:
        return False
    if origin is dict:
        return all(fits(key, inside[0]) and fits(each, inside[1]) for key, each in value.items())
    if origin is tuple and inside[-1] is not Ellipsis:
        return len(value) == len(inside) and all(map(fits, value, inside))
    return all(fits(each, inside[0]) for each in value)


def keeps_of(promise: Promise) -> Mapping[str, Any]:
    """What a promise has to keep in a state, and of what shape."""
    return {**{name: _EACH[name] for name in ALWAYS}, **SHAPES.get(promise.name, {})}


def _damaged() -> BadInput:
    return BadInput(
        "This is not the state that a year began with, or it is damaged.",
        fix="Take it from the ledger again, or audit from the start where all entries are.",
    )
