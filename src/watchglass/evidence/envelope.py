r"""Sealing a segment in memory, and opening it again, wholly or in part.

Each segment has a fresh data key. Its plaintext is cut into chunks of 1 MiB (the last may be shorter); each is sealed
with AES-256-GCM as STREAM does it (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its
Nonce-Reuse Misuse-Resistance, CRYPTO 2015):

nonce  7 random bytes of the segment ‖ u32 (big endian) number of the chunk ‖ 01 in the last chunk, 00 in others
AAD    "watchglass/sealed-segment/v1\n" ‖ SHA-256(header)

So no chunk can be changed, moved, left out, added, or taken from another segment, and any part can be read alone.
AES-GCM does not commit to its key; the header does, and whoever opens checks that first.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.evidence.header import (
    CHUNK,
    LONGEST,
    NONCE_BYTES,
    TAG_BYTES,
    Context,
    Header,
    Octets,
    read_header,
)
from watchglass.evidence.shares import (
    KEY_BYTES,
    SealingKeys,
    check_key,
    cipher_key,
    key_commitment,
    share_hashes,
    split,
    wrap,
    wrap_for_glass,
)
from watchglass.evidence.subsets import Subsets, check_subsets

DOMAIN: Final = b"watchglass/sealed-segment/v1\n"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A sealed segment in memory. The key that sealed it is gone.

    Attributes:
        data: the whole object, read only; write it as it is, or ``bytes(data)``.
        sha256: of ``data``: what the record of the segment commits to, with the header's ``key_commitment``.
    """

    data: memoryview
    sha256: bytes
    header: Header

    @property
    def key_commitment(self) -> bytes:
        """32 bytes."""
        return self.header.key_commitment


def seal(
    plaintext: Octets | Iterable[Octets],
    context: Context,
    keys: SealingKeys,
    subsets: Subsets,
    entropy: Entropy,
    *,
    break_glass: X25519PublicKey | None = None,
    chunk: int = CHUNK,
    into: bytearray | None = None,
) -> Sealed:
    """Seal a segment so that only the ``subsets`` can open it.

    Args:
        plaintext: the whole segment, or its pieces in order; pieces are not joined first.
        context: what it is.
        keys: each custodian's key of the context's period.
        subsets: from ``permitted_subsets``.
        entropy: gives the data key, the nonce and the random shares; HPKE's ephemeral keys are the library's own.
        break_glass: the charter's break-glass key, where it has one.
        chunk: bytes of plaintext in a chunk; a power of two.
        into: memory to write the object to, used again and again by whoever copies or writes each before the next:
            let go of what an earlier call returned, for it is overwritten. It is made longer where needed. Fresh memory
            may cost more than the cipher.

    Raises:
        BadInput: nothing to seal or too much, a custodian without a key for the period, or no permitted subsets.
    """
    check_subsets(subsets)
    parts = [plaintext] if isinstance(plaintext, Octets) else list(plaintext)
    views = [memoryview(part).cast("B") for part in parts]
    length = sum(map(len, views))
    if not 1 <= length <= LONGEST:
        raise BadInput(
            f"A segment has from 1 byte to 1 GiB; this one has {length:,}.",
            fix="Record shorter segments." if length else "Seal only what was recorded.",
            segment=context.segment,
        )
    key, nonce = entropy.bytes(KEY_BYTES), entropy.bytes(NONCE_BYTES)
    shares = split(key, subsets, entropy)
    header = Header(
        context=context,
        length=length,
        chunk=chunk,
        nonce=nonce,
        key_commitment=key_commitment(key, context),
        wrapped=wrap(context, subsets, shares, keys),
        subsets=subsets,
        hashes=tuple(share_hashes(context.sha256, subset, shares[subset]) for subset in subsets),
        break_glass=None if break_glass is None else wrap_for_glass(context, key, break_glass),
    )
    return assemble(header, key, views, into)


def assemble(header: Header, key: bytes, parts: Iterable[memoryview], into: bytearray | None = None) -> Sealed:
    """The object of a header, its data key and its plaintext. ``seal`` is what makes these three belong together."""
    if into is not None and len(into) < header.size:
        into.extend(bytes(header.size - len(into)))
    view = memoryview(bytearray(header.size) if into is None else into)[: header.size]
    start = header.start
    view[:start] = header.framed
    digest = hashlib.sha256(view[:start])
    cipher, associated = _cipher(header, key)
    for index, piece in enumerate(_cut(parts, header.chunk, header.length)):
        target = view[header.span(index)]
        cipher.encrypt_into(_nonce(header, index), piece, associated, target)
        digest.update(target)
    return Sealed(view.toreadonly(), digest.digest(), header)


def check_recorded(data: Octets, *, sha256: bytes, key_commitment: bytes) -> Header:
    """The header of ``data``, if that is exactly the object that a record commits to.

    Anybody can make an object that parses and opens, for custodians' keys are public. That the house made *this* one,
    at that time, is what the ledger says; so this is checked before anything is opened.

    Raises:
        BadInput: this is not a sealed segment.
        DidNotVerify: it is another one, or was changed.
    """
    header = read_header(data)
    if not hmac.compare_digest(hashlib.sha256(data).digest(), sha256) or header.key_commitment != key_commitment:
        raise DidNotVerify(
            f"This is not segment {header.segment} as it was recorded: a byte of it was changed, or all.",
            fix="Keep the file and the record: together they show it. Restore the file from a copy.",
            segment=header.segment,
        )
    return header


class Opener:
    """Opens the chunks of one segment, in any order. For players that seek and for stores that give ranges.

    Raises:
        DidNotVerify: ``key`` is not the one that the header commits to.
    """

    def __init__(self, header: Header, key: bytes) -> None:
        check_key(header, key)
        self.header = header
        self._cipher, self._associated = _cipher(header, key)

    def chunk(self, index: int, sealed: Octets) -> bytes:
        """The plaintext of chunk ``index``, from its bytes in the object (``header.span``).

        Raises:
            DidNotVerify: it was changed, cut, moved, or is of another segment.
        """
        span = self.header.span(index)
        into = bytearray(max(0, len(sealed) - TAG_BYTES))
        if len(sealed) != span.stop - span.start:
            raise self._wrong(index)
        self._open(index, sealed, into)
        return bytes(into)

    def _open(self, index: int, sealed: Octets, into: Octets) -> None:
        try:
            self._cipher.decrypt_into(_nonce(self.header, index), sealed, self._associated, into)
        except InvalidTag as error:
            raise self._wrong(index) from error

    def all(self, data: Octets) -> bytes:
        """The whole plaintext of the object ``data``. Nothing comes out unless every chunk is as it was sealed.

        Raises:
            DidNotVerify: it is cut, or has something appended, or a chunk was changed.
        """
        check_size(self.header, data)
        view, plaintext = memoryview(data), bytearray(self.header.length)
        out, size = memoryview(plaintext), self.header.chunk
        for index in range(self.header.chunks):
            self._open(index, view[self.header.span(index)], out[index * size : (index + 1) * size])
        return bytes(plaintext)

    def range(self, data: Octets, first: int, last: int) -> bytes:
        """Bytes ``first`` to ``last`` of the plaintext (both included, as HTTP counts them) of the object ``data``.

        Raises:
            BadInput: there are no such bytes.
            DidNotVerify: the object is cut or has something appended, or a chunk of the range was changed.
        """
        check_size(self.header, data)
        wanted = chunks_of(self.header, first, last)
        view = memoryview(data)
        plain = b"".join(self.chunk(index, view[self.header.span(index)]) for index in wanted)
        begin = wanted.start * self.header.chunk
        return plain[first - begin : last - begin + 1]

    def _wrong(self, index: int) -> DidNotVerify:
        return DidNotVerify(
            f"Chunk {index} of segment {self.header.segment} is not what was sealed there: it was changed, moved, cut, "
            "or belongs to another segment.",
            fix="Keep the file as evidence and restore it from a copy.",
            segment=self.header.segment,
            chunk=index,
        )


def chunks_of(header: Header, first: int, last: int) -> range:
    """Which chunks hold the bytes ``first`` to ``last`` of the plaintext, both included.

    Raises:
        BadInput: there are no such bytes.
    """
    if not 0 <= first <= last < header.length:
        raise BadInput(
            f"Segment {header.segment} has no bytes {first} to {last}.",
            fix=f"It has bytes 0 to {header.length - 1}.",
            segment=header.segment,
        )
    return range(first // header.chunk, last // header.chunk + 1)


def check_size(header: Header, data: Octets) -> None:
    """Check that an object is as long as its header says.

    Raises:
        DidNotVerify: it is cut, or something was appended.
    """
    if len(data) != header.size:
        raise DidNotVerify(
            f"Segment {header.segment} has {len(data):,} bytes and should have {header.size:,}: it was cut, or "
            "something was appended.",
            fix="Keep the file as evidence and restore it from a copy.",
            segment=header.segment,
            expected=header.size,
            found=len(data),
        )


def open_sealed(data: Octets, key: bytes) -> bytes:
    """The whole plaintext of an object.

    Raises:
        BadInput: this is not a sealed segment.
        DidNotVerify: another key, or any byte is not as it was sealed.
    """
    return Opener(read_header(data), key).all(data)


def open_range(data: Octets, key: bytes, first: int, last: int) -> bytes:
    """Bytes ``first`` to ``last`` of the plaintext, both included. See ``Opener.range``."""
    return Opener(read_header(data), key).range(data, first, last)


def _cipher(header: Header, key: bytes) -> tuple[AESGCM, bytes]:
    return AESGCM(cipher_key(key, header.context)), DOMAIN + header.sha256


def _nonce(header: Header, index: int) -> bytes:
    return header.nonce + index.to_bytes(4, "big") + (b"\x01" if index == header.chunks - 1 else b"\x00")


def _cut(parts: Iterable[memoryview], size: int, total: int) -> Iterator[memoryview]:
    """The ``total`` bytes of ``parts`` in pieces of ``size``, the last shorter; what lies in one part is not copied.

    A piece is valid only until the next one is asked for.
    """
    scratch, filled, left = memoryview(b""), 0, total
    for part in parts:
        at = 0
        while at < len(part):
            wanted = min(size, left)
            if not filled and len(part) - at >= wanted:
                yield part[at : at + wanted]
                at, left = at + wanted, left - wanted
                continue
            scratch = scratch or memoryview(bytearray(size))
            take = min(wanted - filled, len(part) - at)
            scratch[filled : filled + take] = part[at : at + take]
            filled, at = filled + take, at + take
            if filled == wanted:
                yield scratch[:wanted]
                filled, left = 0, left - wanted
