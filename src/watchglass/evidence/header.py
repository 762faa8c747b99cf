r"""What stands before the ciphertext of a sealed segment. The byte format: docs/reference/sealed-segment.md.

object = "WGSEAL1\n" ‖ u32 (big endian) length of the header ‖ header ‖ chunks

The header is canonical JSON. Everything that was sealed is bound to its bytes: each chunk is authenticated together
with the header's SHA-256. Nothing in a header is trusted because it parses; see ``envelope.check_recorded``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from watchglass.core import canonical
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.errors import BadInput
from watchglass.core.time import month_of
from watchglass.evidence.subsets import MOST_CUSTODIANS, MOST_SHARES, Subset, Subsets, check_subsets, custodians_of
from watchglass.records.fields import (
    HASH,
    IDENTIFIER,
    MONTH,
    NAME,
    ORIGIN,
    FieldType,
    ListOf,
    Members,
    OrNull,
    Text,
    Whole,
    check_members,
)

Octets = bytes | bytearray | memoryview

MAGIC: Final = b"WGSEAL1\n"
VERSION: Final = 1
CONTEXT_DOMAIN: Final = b"watchglass/sealed-context/v1\n"
PREFIX: Final = len(MAGIC) + 4
LARGEST_HEADER: Final = 1 << 20
LONGEST: Final = 1 << 30
"""Bytes of plaintext: a segment is sealed in memory."""
CHUNK: Final = 1 << 20
LEAST_CHUNK: Final = 1 << 12
LARGEST_CHUNK: Final = 1 << 22
TAG_BYTES: Final = 16
NONCE_BYTES: Final = 7
HASH_BYTES: Final = 32
SHARE_BYTES: Final = 32
HPKE_BYTES: Final = 48
"""What HPKE adds: the encapsulated key (32) and the tag (16)."""
END_OF_TIME: Final = 253_402_300_800_000
"""The year 10000, in milliseconds since 1970."""

_INSTANT: Final = Whole(0, END_OF_TIME - 1)
_CONTEXT: Final[Mapping[str, FieldType]] = {
    "origin": ORIGIN,
    "source": NAME,
    "segment": IDENTIFIER,
    "from_ms": _INSTANT,
    "to_ms": _INSTANT,
    "charter": HASH,
    "purpose": NAME,
    "retention": NAME,
    "period": MONTH,
    "keep_until_ms": _INSTANT,
}
_B64: Final = Text(LARGEST_HEADER)
_HEADER: Final[Mapping[str, FieldType]] = {
    "v": Whole(VERSION, VERSION),
    "context": Members(_CONTEXT),
    "length": Whole(1, LONGEST),
    "chunk": Whole(LEAST_CHUNK, LARGEST_CHUNK),
    "nonce": _B64,
    "key_commitment": HASH,
    "custodians": ListOf(Members({"custodian": NAME, "sealing_key": IDENTIFIER, "wrapped": _B64}), MOST_CUSTODIANS),
    "subsets": ListOf(
        Members({"custodians": ListOf(NAME, MOST_CUSTODIANS), "share_sha256": ListOf(HASH, MOST_CUSTODIANS)}),
        MOST_SHARES,
    ),
    "break_glass": OrNull(Members({"key": IDENTIFIER, "wrapped": _B64})),
}


@dataclass(frozen=True, slots=True)
class Context:
    """What a segment is, and under which charter it was recorded. Everything sealed is bound to it.

    Attributes:
        origin: the log in which its record stands.
        segment: 16 hex digits. source, purpose, retention: names of the charter.
        from_ms, to_ms: what it shows, milliseconds since 1970 UTC; ``to_ms`` is not in it.
        charter: SHA-256 of the charter's bytes.
        period: the month of ``from_ms``: to the keys of which month the shares are sealed.
        keep_until_ms: when its retention ends.
    """

    origin: str
    source: str
    segment: str
    from_ms: int
    to_ms: int
    charter: bytes
    purpose: str
    retention: str
    period: str
    keep_until_ms: int
    sha256: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if type(self.charter) is not bytes or len(self.charter) != HASH_BYTES:
            raise _not_a_context("`charter` must be the 32 bytes of a hash", "charter")
        values = self.as_json()
        check_members(values, _CONTEXT, "the context of a segment")
        if not self.from_ms < self.to_ms <= self.keep_until_ms:
            raise _not_a_context("a segment begins before it ends, and is kept at least until then", "to_ms")
        if self.period != month_of(self.from_ms):
            raise _not_a_context(f"its period is the month in which it begins, {month_of(self.from_ms)}", "period")
        object.__setattr__(self, "sha256", sha256(CONTEXT_DOMAIN + canonical.encode(values)))

    def as_json(self) -> dict[str, Any]:
        """As it stands in the header."""
        return {
            "origin": self.origin,
            "source": self.source,
            "segment": self.segment,
            "from_ms": self.from_ms,
            "to_ms": self.to_ms,
            "charter": b64(self.charter),
            "purpose": self.purpose,
            "retention": self.retention,
            "period": self.period,
            "keep_until_ms": self.keep_until_ms,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Context:
        """The context behind ``as_json``.

        Raises:
            BadInput: it is not exactly such an object.
        """
        check_members(value, _CONTEXT, "the context of a segment")
        return cls(**{**value, "charter": unb64(value["charter"], length=HASH_BYTES)})


@dataclass(frozen=True, slots=True)
class Wrapped:
    """Something sealed by HPKE to one key: ``enc (32) ‖ ciphertext ‖ tag (16)``.

    ``key``: the key's id, see ``key_id``.
    """

    key: str
    sealed: bytes

    def __post_init__(self) -> None:
        IDENTIFIER.check(self.key, "key")


def key_id(public: bytes) -> str:
    """How a header names an X25519 key: the first 8 bytes of the SHA-256 of its 32 bytes, as 16 hex digits."""
    return sha256(public)[:8].hex()


@dataclass(frozen=True, slots=True)
class Header:
    """A parsed header, kept with its bytes.

    Attributes:
        length: bytes of plaintext. chunk: bytes of plaintext in each chunk but the last.
        nonce: 7 bytes. key_commitment: 32 bytes.
        wrapped: for each custodian, their shares of every subset that they are in, in the order of ``subsets``.
        hashes: for each subset, the hash of each custodian's share, in the order of the subset.
        break_glass: the data key, sealed to the charter's break-glass key; None where there is no such rule.
        encoded: the header's bytes; sha256: their hash.
    """

    context: Context
    length: int
    chunk: int
    nonce: bytes
    key_commitment: bytes
    wrapped: Mapping[str, Wrapped]
    subsets: Subsets
    hashes: tuple[tuple[bytes, ...], ...]
    break_glass: Wrapped | None
    encoded: bytes = field(init=False, repr=False, compare=False)
    sha256: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "wrapped", MappingProxyType(dict(self.wrapped)))
        check_subsets(self.subsets)
        self._check_sizes()
        if tuple(self.wrapped) != custodians_of(self.subsets):
            raise _not_a_header("shares are wrapped for exactly those custodians who are in a permitted subset")
        for name, wrapped in self.wrapped.items():
            if len(wrapped.sealed) != HPKE_BYTES + SHARE_BYTES * len(self.subsets_of(name)):
                raise _not_a_header(f"the wrapped shares of '{name}' have another length", custodian=name)
        if self.break_glass is not None and len(self.break_glass.sealed) != HPKE_BYTES + SHARE_BYTES:
            raise _not_a_header("the wrapped break-glass key has another length")
        encoded = canonical.encode(self._as_json())
        if len(encoded) > LARGEST_HEADER:
            raise _not_a_header("it is longer than a megabyte")
        object.__setattr__(self, "encoded", encoded)
        object.__setattr__(self, "sha256", sha256(encoded))

    def _check_sizes(self) -> None:
        if not 1 <= self.length <= LONGEST:
            raise _not_a_header("a segment has from 1 byte to 1 GiB of plaintext")
        if self.chunk & (self.chunk - 1) or not LEAST_CHUNK <= self.chunk <= LARGEST_CHUNK:
            raise _not_a_header("a chunk has a power of two of bytes, 4 KiB to 4 MiB")
        if len(self.nonce) != NONCE_BYTES or len(self.key_commitment) != HASH_BYTES:
            raise _not_a_header("a nonce has 7 bytes and a key commitment 32")
        if tuple(map(len, self.hashes)) != tuple(map(len, self.subsets)):
            raise _not_a_header("there is one hash for each share")

    @property
    def segment(self) -> str:
        """The segment's id."""
        return self.context.segment

    @property
    def framed(self) -> bytes:
        """What the object begins with: magic, length, header. The chunks follow."""
        return MAGIC + len(self.encoded).to_bytes(4, "big") + self.encoded

    @property
    def start(self) -> int:
        """Where the first chunk begins in the object."""
        return PREFIX + len(self.encoded)

    @property
    def chunks(self) -> int:
        """How many chunks there are."""
        return -(-self.length // self.chunk)

    @property
    def size(self) -> int:
        """Bytes of the whole object."""
        return self.start + self.length + TAG_BYTES * self.chunks

    def span(self, index: int) -> slice:
        """Where chunk ``index`` lies in the object, its tag included."""
        if not 0 <= index < self.chunks:
            raise BadInput(f"Segment {self.segment} has no chunk {index}.", fix=f"It has {self.chunks}.", chunk=index)
        begin = self.start + index * (self.chunk + TAG_BYTES)
        return slice(begin, min(begin + self.chunk + TAG_BYTES, self.size))

    def subsets_of(self, custodian: str) -> Subsets:
        """The permitted subsets that a custodian is in, in order."""
        return tuple(each for each in self.subsets if custodian in each)

    def share_hash(self, subset: Subset, custodian: str) -> bytes:
        """The hash of one share.

        Raises:
            BadInput: there is no such subset, or no such custodian in it.
        """
        if subset not in self.subsets or custodian not in subset:
            raise BadInput(
                f"{' and '.join(subset)} are no permitted set with {custodian} for segment {self.segment}.",
                fix="Use one of the sets that its header names.",
                custodian=custodian,
                segment=self.segment,
            )
        return self.hashes[self.subsets.index(subset)][subset.index(custodian)]

    def _as_json(self) -> dict[str, Any]:
        return {
            "v": VERSION,
            "context": self.context.as_json(),
            "length": self.length,
            "chunk": self.chunk,
            "nonce": b64(self.nonce),
            "key_commitment": b64(self.key_commitment),
            "custodians": [
                {"custodian": name, "sealing_key": wrapped.key, "wrapped": b64(wrapped.sealed)}
                for name, wrapped in self.wrapped.items()
            ],
            "subsets": [
                {"custodians": list(subset), "share_sha256": [b64(each) for each in hashes]}
                for subset, hashes in zip(self.subsets, self.hashes, strict=True)
            ],
            "break_glass": self.break_glass and {"key": self.break_glass.key, "wrapped": b64(self.break_glass.sealed)},
        }

    @classmethod
    def parse(cls, encoded: bytes) -> Header:
        """The header whose bytes are exactly ``encoded``.

        Raises:
            BadInput: they are not canonical, or not a header of version 1.
        """
        try:
            value = canonical.decode(encoded)
            if type(value) is not dict:
                raise _not_a_header("a header is a JSON object")
            check_members(value, _HEADER, "the header of a sealed segment")
            return cls(
                context=Context.from_json(value["context"]),
                length=value["length"],
                chunk=value["chunk"],
                nonce=unb64(value["nonce"], length=NONCE_BYTES),
                key_commitment=unb64(value["key_commitment"]),
                wrapped=_wrapped_from(value["custodians"]),
                subsets=tuple(tuple(each["custodians"]) for each in value["subsets"]),
                hashes=tuple(tuple(map(unb64, each["share_sha256"])) for each in value["subsets"]),
                break_glass=value["break_glass"]
                and Wrapped(value["break_glass"]["key"], unb64(value["break_glass"]["wrapped"])),
            )
        except BadInput as error:
            if error.message.startswith(_NOT_A_HEADER):
                raise
            raise BadInput(f"{_NOT_A_HEADER}{error.message}", fix=_FIX, **error.details) from error


def header_length(data: Octets) -> int:
    """The length of the header, from the first 12 bytes of an object: what to read next is as long.

    Raises:
        BadInput: this does not begin like a sealed segment.
    """
    if len(data) < PREFIX or bytes(data[: len(MAGIC)]) != MAGIC:
        raise BadInput("This is not a sealed segment.", fix="Give a file that the recorder wrote, whole.")
    length = int.from_bytes(data[len(MAGIC) : PREFIX], "big")
    if length > LARGEST_HEADER:
        raise _not_a_header("it is longer than a megabyte")
    return length


def read_header(data: Octets) -> Header:
    """The header at the beginning of ``data``, which may go on with chunks or end there.

    Raises:
        BadInput: this is not a sealed segment, or is cut within its header.
    """
    length = header_length(data)
    encoded = bytes(data[PREFIX : PREFIX + length])
    if len(encoded) != length:
        raise _not_a_header("it is cut off")
    return Header.parse(encoded)


def _wrapped_from(rows: list[dict[str, str]]) -> dict[str, Wrapped]:
    names = [row["custodian"] for row in rows]
    if names != sorted(set(names)):
        raise _not_a_header("custodians are sorted, each named once")
    return {row["custodian"]: Wrapped(row["sealing_key"], unb64(row["wrapped"])) for row in rows}


_NOT_A_HEADER: Final = "This is not the header of a sealed segment: "
_FIX: Final = "Use the object as it was written; docs/reference/sealed-segment.md describes every byte."


def _not_a_context(message: str, name: str) -> BadInput:
    return BadInput(f"This is not the context of a segment: {message}.", fix="Correct this field.", field=name)


def _not_a_header(message: str, **details: str) -> BadInput:
    return BadInput(f"{_NOT_A_HEADER}{message}.", fix=_FIX, **details)
