"""Act: a segment that was sealed in the recorder's memory is kept. Its plaintext never reaches the house."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from watchglass.acts.context import Acting, Done, do, prepare, same
from watchglass.charter.permit import Permit, SealSegment
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify, Problem, WatchglassError
from watchglass.evidence.envelope import check_recorded, check_size
from watchglass.evidence.header import PREFIX, Header, read_header
from watchglass.records.opening import parse_plaintext, plaintext_of
from watchglass.records.outbox import Transaction

SHOWN: Final = ("segment", "source", "from_ms", "to_ms", "ciphertext_sha256", "key_commitment")
"""What of a segment's record custodians and whoever it is released to are shown, to compare it with the header."""


@dataclass(frozen=True, slots=True)
class SealedSegment:
    """What the recorder hands over.

    Attributes:
        data: the whole sealed object: header and chunks.
        sha256: of ``data``, reckoned by the recorder.
        alert: the incident around which it was recorded; None where everything is.
    """

    data: bytes
    sha256: bytes
    alert: str | None


def seal_segment(acting: Acting, permit: Permit, sealed: SealedSegment) -> Done[str]:
    """Keep the segment: the ciphertext reaches the object store before the row that holds its wrapped shares.

    Returns:
        The segment's number.

    Raises:
        Refused: the permit is for another source.
        DidNotVerify: it did not arrive as it was sealed, or the header is for another deployment, charter or purpose
            than the permit's.
        CannotRecord: the object store or the database cannot take it now. Nothing was recorded; try again.
    """
    asked = permit.require(SealSegment, acting.clock.now())
    header = read_header(sealed.data)
    check_recorded(sealed.data, sha256=sealed.sha256, key_commitment=header.key_commitment)
    check_size(header, sealed.data)
    context = header.context
    same(asked.source, context.source)
    if (context.origin, context.charter, context.purpose) != (acting.origin, permit.charter_sha256, permit.purpose):
        raise DidNotVerify(
            "This segment was sealed for another deployment, charter or purpose.",
            fix="It is not kept. It was sealed while the charter changed; the next one fits.",
            segment=context.segment,
        )
    name = context.segment
    end = PREFIX + len(header.encoded)
    acting.objects.write(name, sealed.data[end:])

    def act(tx: Transaction) -> str:
        if tx.one("SELECT 1 FROM segment WHERE id = ?", name):
            raise Problem("This segment is kept already.", fix="Nothing needs to be done.")
        leaf, opened = _record(acting, tx, permit, header, sealed)
        tx.insert(
            "segment",
            {
                "id": name,
                "source": context.source,
                "purpose": context.purpose,
                "from_ms": context.from_ms,
                "to_ms": context.to_ms,
                "period": context.period,
                "charter": context.charter,
                "alert": sealed.alert,
                "path": name,
                "header": sealed.data[:end],
                "opened": opened,
                "bytes": len(sealed.data),
                "sha256": sealed.sha256,
                "key_commitment": header.key_commitment,
                "made_ms": acting.clock.now(),
                "keep_until_ms": context.keep_until_ms,
                "leaf_hash": leaf,
            },
        )
        return name

    try:
        return do(acting, act)
    except BaseException:
        if acting.store.read().one("SELECT 1 FROM segment WHERE id = ?", name) is None:
            with suppress(WatchglassError):  # what is left over is swept up by retention, a day later
                acting.objects.destroy(name)
        raise


def whole(acting: Acting, path: str, header: bytes) -> bytes:
    """The sealed object again, as the recorder made it.

    Raises:
        BadInput: its chunks are not in the object store (any more).
    """
    chunks = acting.objects.read(path)
    if not chunks:
        raise BadInput("This segment's chunks are empty.", fix="Restore the folder of sealed segments from a backup.")
    return header + chunks


def _record(
    acting: Acting, tx: Transaction, permit: Permit, header: Header, sealed: SealedSegment
) -> tuple[bytes, bytes]:
    """Write the record; its leaf hash, and what opens the part of it that goes to whom the segment is released."""
    context = header.context
    leaf = prepare(
        acting,
        tx,
        "segment_sealed",
        None,
        permit,
        committed={
            "source": context.source,
            "from_ms": context.from_ms,
            "to_ms": context.to_ms,
            "segment": context.segment,
            "alert": sealed.alert,
            "ciphertext_sha256": b64(sealed.sha256),
            "key_commitment": b64(header.key_commitment),
            "bytes": len(sealed.data),
        },
    )
    assert leaf.opening is not None  # this act always commits to something
    fields = parse_plaintext(leaf.opening)
    return tx.record(leaf), plaintext_of({name: fields[name] for name in SHOWN})
