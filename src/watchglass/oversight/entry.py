"""An entry as the audit sees it, read strictly. Most entries begin and end like one that was read wholly before.

What the server attests differs from the last of its kind in commitments, opening and hour only. So the first of a kind
is read by ``Leaf.parse``, and what it begins with (act, actor, charter, what stands in clear) is remembered. Another
entry with the same beginning needs only its rest compared with one regular expression, made from the vocabulary, that
matches nothing but canonical bytes. A test holds the two ways together.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from watchglass.core.time import HOUR as HOUR_MS
from watchglass.core.time import hour_of, millis
from watchglass.records.act_spec import ActSpec, Basis
from watchglass.records.leaf import LARGEST, Leaf
from watchglass.records.vocabulary import ACTS

_CUT: Final = b',"commitments":{'
_HASH: Final = rb"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]="
_MOST: Final = 8_192
"""Beginnings, ends and hours that are remembered; then they are learnt anew."""
_LONGEST: Final = 2_048
"""A beginning with more bytes than this will not come again."""


class Entry:
    """One well-formed entry.

    Attributes:
        hour: whole hours since 1970. refs: leaf hashes.
        clear: what everyone reads; shared between entries that begin alike, so nobody may change it.
        signed: whether its act is one that its actor signs.
    """

    __slots__ = (
        "_leaf",
        "act",
        "charter",
        "clear",
        "data",
        "hash",
        "hour",
        "index",
        "purpose",
        "refs",
        "role",
        "signed",
    )

    def __init__(
        self,
        index: int,
        data: bytes,
        digest: bytes,
        act: str,
        role: str,
        charter: bytes | None,
        purpose: str | None,
        hour: int,
        refs: tuple[bytes, ...],
        clear: Mapping[str, Any],
        leaf: Leaf | None,
        *,
        signed: bool,
    ) -> None:
        self.index = index
        self.data = data
        self.hash = digest
        self.act = act
        self.role = role
        self.charter = charter
        self.purpose = purpose
        self.hour = hour
        self.refs = refs
        self.clear = clear
        self.signed = signed
        self._leaf = leaf

    @property
    def leaf(self) -> Leaf:
        """All of it, for those who need signature or commitments."""
        if self._leaf is None:
            self._leaf = Leaf.parse(self.data)
        return self._leaf

    @property
    def begins_ms(self) -> int:
        """The first moment of its hour."""
        return self.hour * HOUR_MS

    @property
    def ends_ms(self) -> int:
        """The first moment after its hour."""
        return (self.hour + 1) * HOUR_MS


class Record:
    """An entry as the rules of succession take one."""

    __slots__ = ("index", "leaf")

    def __init__(self, index: int, leaf: Leaf) -> None:
        self.index = index
        self.leaf = leaf


@lru_cache(maxsize=_MOST)
def hour_number(text: str) -> int:
    """Whole hours since 1970 of an hour that was checked (`2026-11-23T14Z`)."""
    return millis(datetime.strptime(text, "%Y-%m-%dT%HZ").replace(tzinfo=UTC)) // HOUR_MS


def hour_text(number: int) -> str:
    """`2026-11-23T14Z`."""
    return hour_of(number * HOUR_MS)


class _Kind:
    """What is known of an attested act: how the rest of its entries looks after a beginning."""

    __slots__ = ("ends", "rest", "spec")

    def __init__(self, spec: ActSpec) -> None:
        commitments = b",".join(b'"%b":"%b"' % (name.encode(), _HASH) for name in spec.committed)
        opening = b',"opening":"%b"' % _HASH if spec.committed else b""
        refs = b",".join([b'"(%b)"' % _HASH] * len(spec.refs_to))
        self.spec = spec
        self.rest = re.compile(
            re.escape(_CUT)
            + commitments
            + rb'\},"hour":"([0-9TZ-]{14})"'
            + opening
            + rb',"purpose":("[A-Za-z0-9._-]{1,64}"|null),"refs":\['
            + refs
            + rb'\],"role":"([a-z-]{1,40})","v":1\}'
        )
        self.ends: dict[tuple[bytes, bytes], tuple[str | None, str]] = {}
        """(purpose, role) as they stand there -> their values, once ``Leaf`` has accepted them together."""


class _Beginning:
    __slots__ = ("charter", "clear", "kind")

    def __init__(self, kind: _Kind, charter: bytes | None, clear: Mapping[str, Any]) -> None:
        self.kind = kind
        self.charter = charter
        self.clear = clear


class EntryReader:
    """Reads entries. What it remembers is bounded, and only ever saves time."""

    def __init__(self) -> None:
        self._kinds = {spec.name: _Kind(spec) for spec in ACTS.values() if spec.basis is Basis.ATTESTED}
        self._beginnings: dict[bytes, _Beginning] = {}
        self._hours: dict[bytes, int] = {}

    def read(self, index: int, data: bytes, digest: bytes) -> Entry:
        """The entry in ``data``.

        Raises:
            BadInput: it is not a leaf of the vocabulary, in its canonical form. ValueError, RecursionError: likewise.
        """
        beginning = self._beginnings.get(data[: data.find(_CUT)])
        if beginning is not None and len(data) <= LARGEST:
            kind = beginning.kind
            found = kind.rest.fullmatch(data, data.find(_CUT))
            if found is not None:
                groups = found.groups()
                hour, end = self._hours.get(groups[0]), kind.ends.get((groups[1], groups[-1]))
                if hour is not None and end is not None:
                    refs = tuple([a2b_base64(each) for each in groups[2:-1]])
                    return Entry(
                        index, data, digest, kind.spec.name, end[1], beginning.charter, end[0], hour, refs,
                        beginning.clear, None, signed=False,
                    )  # fmt: skip
        return self._wholly(index, data, digest)

    def _wholly(self, index: int, data: bytes, digest: bytes) -> Entry:
        leaf = Leaf.parse(data)
        hour = hour_number(leaf.hour)
        signed = leaf.spec.basis is Basis.SIGNED
        if not signed:
            self._learn(data, leaf, hour)
        return Entry(
            index, data, digest, leaf.act, leaf.role, leaf.charter, leaf.purpose, hour, leaf.refs, leaf.clear, leaf,
            signed=signed,
        )  # fmt: skip

    def _learn(self, data: bytes, leaf: Leaf, hour: int) -> None:
        cut, kind = data.find(_CUT), self._kinds[leaf.act]
        found = kind.rest.fullmatch(data, cut) if 0 < cut <= _LONGEST else None
        if found is None:
            return
        if len(self._beginnings) >= _MOST or len(self._hours) >= _MOST or len(kind.ends) >= _MOST:
            self._beginnings.clear()
            self._hours.clear()
            kind.ends.clear()
        groups = found.groups()
        self._hours[groups[0]] = hour
        kind.ends[groups[1], groups[-1]] = (leaf.purpose, leaf.role)
        self._beginnings[data[:cut]] = _Beginning(kind, leaf.charter, leaf.clear)
