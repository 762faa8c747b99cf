"""What the ledger's public pages read: its head, its entries in plain words, their proofs, its growth."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, ClassVar, Final

from watchglass.acts.years import archived_before
from watchglass.charter.model import Charter
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger import policy
from watchglass.ledger.keys import SIGNATURE_BYTES, VerifierKey
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.note import Note, Signature
from watchglass.ledger.note import open_note as checked_note
from watchglass.ledger.proof import Proof, prove, prove_place
from watchglass.ledger.tiles import (
    ENTRIES,
    FULL,
    HEIGHT,
    Archived,
    Tile,
    TileReader,
    decode_bundle,
    node_reader,
    read_tile,
)
from watchglass.records.leaf import Leaf
from watchglass.records.outbox import Reader

PAGE: Final = 25
"""Entries on one page of the ledger."""


@dataclass(frozen=True, slots=True)
class Signer:
    """One signature line under the checkpoint.

    Attributes:
        part: "log" or "witness", as the line's form says.
        verified: checked here against a key that this server knows; a reader should check it again for themselves.
        at_ms: when a witness signed.
    """

    name: str
    key_id: str
    part: str
    verified: bool
    at_ms: int | None


@dataclass(frozen=True, slots=True)
class Head:
    """The published checkpoint."""

    origin: str
    size: int
    root: str
    text: str
    signers: tuple[Signer, ...]

    DERIVED: ClassVar = ("witnesses",)

    @property
    def witnesses(self) -> int:
        """How many witnesses' signatures were checked here."""
        return sum(signer.part == "witness" and signer.verified for signer in self.signers)


def head(data: bytes, keys: Sequence[str]) -> Head:
    """The checkpoint in ``data``, with each signature checked where one of ``keys`` (verifier keys) is its maker's.

    Raises:
        BadInput: the bytes are not a checkpoint.
        DidNotVerify: a known key's signature fails.
    """
    signed = checkpoints.parse(data)
    known = [VerifierKey.parse(key) for key in keys]
    note = _checked(data, signed.note, known)
    times = {(item.key.name, item.key.key_id): item.seconds for item in note.verified}
    body = signed.checkpoint
    return Head(
        origin=body.origin,
        size=body.size,
        root=b64(body.root),
        text=data.decode(),
        signers=tuple(_signer(signature, times) for signature in signed.note.signatures),
    )


def _checked(data: bytes, note: Note, known: Sequence[VerifierKey]) -> Note:
    """The note with its known signatures checked; as it is where none of the keys claims to have signed."""
    if any(signature.is_by(key) for signature in note.signatures for key in known):
        return checked_note(data, known)
    return note


def _signer(signature: Signature, times: Mapping[tuple[str, bytes], int | None]) -> Signer:
    which = (signature.name, signature.key_id)
    seconds = times.get(which)
    return Signer(
        name=signature.name,
        key_id=signature.key_id.hex(),
        part="log" if len(signature.signature) == SIGNATURE_BYTES else "witness",
        verified=which in times,
        at_ms=seconds * 1000 if seconds is not None else None,
    )


@dataclass(frozen=True, slots=True)
class Reference:
    """An earlier entry that an entry names by its leaf hash."""

    act: str
    leaf_hash: str
    index: int | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry in plain words. ``act`` is None where this version does not know the record.

    Where it is ``archived``, act and hour are what this server remembers; only the hash is from the log.
    """

    index: int
    leaf_hash: str
    act: str | None
    meaning: str
    basis: str = ""
    hour: str = ""
    role: str = ""
    actor: str = ""
    purpose: str | None = None
    charter: str | None = None
    clear: Mapping[str, Any] | None = None
    hidden: tuple[str, ...] = ()
    seen_by: str = ""
    refs: tuple[tuple[str, str], ...] = ()
    signed_by: str | None = None
    archived: bool = False

    DERIVED: ClassVar = ("title",)

    @property
    def title(self) -> str:
        """The act as words: ``alert raised``."""
        if self.act:
            return self.act.replace("_", " ")
        return "archived entry" if self.archived else "unknown record"


def entry_of(index: int, data: bytes) -> Entry:
    """The entry whose bytes are ``data``, as far as this version can read it."""
    name = b64(leaf_hash(data))
    try:
        leaf = Leaf.parse(data)
    except BadInput as error:
        return Entry(index, name, None, f"This version cannot read this record: {error.message}")
    return Entry(
        index=index,
        leaf_hash=name,
        act=leaf.act,
        meaning=leaf.spec.meaning,
        basis=leaf.spec.basis.value,
        hour=leaf.hour,
        role=leaf.role,
        actor=leaf.actor,
        purpose=leaf.purpose,
        charter=b64(leaf.charter) if leaf.charter else None,
        clear=dict(leaf.clear),
        hidden=tuple(leaf.commitments),
        seen_by=leaf.spec.seen_by,
        refs=tuple(zip(leaf.spec.refs_to, map(b64, leaf.refs), strict=True)),
        signed_by=leaf.signature.vkey if leaf.signature else None,
    )


def _archived_entry(reader: Reader, index: int, leaf_hash: bytes) -> Entry:
    row = reader.one("SELECT act, hour FROM entry WHERE idx = ? AND leaf_hash = ?", index, leaf_hash)
    return Entry(
        index=index,
        leaf_hash=b64(leaf_hash),
        act=row["act"] if row else None,
        meaning="This entry is archived: its hash and its place are here, its words are not.",
        hour=row["hour"] if row else "",
        archived=True,
    )


def entries(reader: Reader, tiles: TileReader, size: int, before: int, count: int = PAGE) -> tuple[Entry, ...]:
    """Up to ``count`` entries below index ``before``, newest first, of the log of ``size`` entries.

    Raises:
        BadInput: the log lacks a file.
    """
    last = min(before, size)
    return entries_of(reader, tiles, size, range(last - 1, max(0, last - count) - 1, -1))


def entries_but(
    reader: Reader, acts: Sequence[str], tiles: TileReader, size: int, before: int, count: int = PAGE
) -> tuple[Entry, ...]:
    """The same, without those of some acts, which would crowd out all others.

    Raises:
        BadInput: the log lacks a file.
    """
    marks = ", ".join("?" * len(acts))
    sql = f"SELECT idx FROM entry WHERE idx < ? AND act NOT IN ({marks}) ORDER BY idx DESC LIMIT ?"  # noqa: S608  # only question marks
    rows = reader.all(sql, min(before, size), *acts, count)
    return entries_of(reader, tiles, size, [int(row["idx"]) for row in rows])


def entries_of(reader: Reader, tiles: TileReader, size: int, indices: Iterable[int]) -> tuple[Entry, ...]:
    """The entries at ``indices`` of the log of ``size`` entries.

    Raises:
        BadInput: the log lacks a file, and not because it was archived.
    """
    bundles: dict[int, Sequence[bytes]] = {}
    here, stored = archived_before(reader), node_reader(tiles, size)
    found = []
    for index in indices:
        bundle, place = divmod(index, FULL)
        if bundle not in bundles:
            width = min(FULL, size - bundle * FULL)
            try:
                bundles[bundle] = decode_bundle(read_tile(tiles, Tile(ENTRIES, bundle, width)), width)
            except BadInput:
                if index >= here:
                    raise
                bundles[bundle] = ()
        if bundles[bundle]:
            found.append(entry_of(index, bundles[bundle][place]))
        else:
            found.append(_archived_entry(reader, index, stored(0, index)))
    return tuple(found)


def proven_entry(
    reader: Reader, tiles: TileReader, index: int
) -> tuple[Entry, tuple[Reference, ...], bytes | None, Proof]:
    """Entry ``index``, what it refers to, its exact bytes, and its inclusion proof, checked before it is shown.

    The proof carries the entry in its ``extra`` line, so that one file is all that ``ledger check-proof`` needs. An
    archived entry has no bytes here, and its proof does not carry it.

    Raises:
        BadInput: there is no such entry.
        DidNotVerify: the log's files do not prove it.
    """
    try:
        data, bare = prove(tiles, index)
    except Archived:
        leaf, proof = prove_place(tiles, index)
        return _archived_entry(reader, index, leaf), (), None, proof
    proof = Proof(bare.index, bare.path, bare.checkpoint, extra=data)
    found = entry_of(index, data)
    return found, tuple(references(reader, found.refs)), data, proof


def references(reader: Reader, refs: Iterable[tuple[str, str]]) -> Iterable[Reference]:
    """Where the entries lie that ``refs`` (act, leaf hash in base64) name."""
    for act, name in refs:
        row = reader.one("SELECT idx FROM entry WHERE leaf_hash = ?", unb64(name, length=32))
        yield Reference(act, name, row["idx"] if row else None)


@dataclass(frozen=True, slots=True)
class Day:
    """How many entries carry a day's hours, and the ledger's size with them."""

    day: str
    entries: int
    total: int


def growth(reader: Reader, size: int) -> tuple[Day, ...]:
    """The ledger's growth by day, of the published entries only; days without an entry are there too."""
    rows = reader.all(
        "SELECT substr(hour, 1, 10) AS day, COUNT(*) AS n FROM entry WHERE idx < ? GROUP BY day ORDER BY day", size
    )
    counts = {date.fromisoformat(row["day"]): int(row["n"]) for row in rows}
    if not counts:
        return ()
    first, total, days = min(counts), 0, []
    for number in range((max(counts) - first).days + 1):
        day = first + timedelta(days=number)
        total += counts.get(day, 0)
        days.append(Day(day.isoformat(), counts.get(day, 0), total))
    return tuple(days)


def published_tile(tiles: TileReader, path: str, size: int) -> bytes:
    """The bytes of a file under ``tile/``, if the published checkpoint of ``size`` entries covers it.

    Raises:
        BadInput: the path names no tile, or none that was published.
    """
    tile = Tile.parse(path)
    covered = (tile.index * FULL + tile.width) << (HEIGHT * max(tile.level, 0))
    if covered > size:
        raise BadInput("This part of the log is not published.", fix="Fetch the checkpoint, and only what it covers.")
    return read_tile(tiles, tile)


def trust_file(vkey: str, url: str, charter: Charter | None) -> str:
    """A trust file (C2SP tlog-policy) for this log: its key, the charter's witnesses, and how many must agree.

    It comes from the very server that it is meant to check: a first look, to be compared with what oversight hands out.
    """
    witnesses = charter.oversight.witnesses if charter else ()
    names = [f"witness-{number}" for number in range(1, len(witnesses) + 1)]
    lines = [
        "# Given out by the log itself. Compare it with the trust file that oversight gives you.",
        f"log {vkey} {url}",
        *(f"witness {name} {witness.key} {witness.url}" for name, witness in zip(names, witnesses, strict=True)),
    ]
    agreement = charter.oversight.agreement if charter else None
    if agreement is not None and len(names) > 1:
        lines += [f"group witnesses {agreement.needed} {' '.join(names)}", "quorum witnesses"]
    else:
        lines.append(f"quorum {names[0]}" if names else "quorum none")
    text = "".join(f"{line}\n" for line in lines)
    policy.parse(text.encode())
    return text
