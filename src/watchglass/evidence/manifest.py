r"""What goes with an export, so that anybody can verify it years later, without the house: a trust file is enough.

The manifest names the exported file by its hash, the sealed segments that it was made from, and the chain of custody:
the records of charter, approvals of the charter, enrolment, case, request, approvals, grant and segments, each with
its place in the log under one cosigned checkpoint, and with as much of it opened as the one who exports chooses. They
sign it with their own key:

message  "watchglass/export-manifest/v1\n" ‖ canonical(manifest without ``sig``)

``verify`` in ``chain`` says what follows from it. What the exported pictures show was vouched for by who exported
them; whoever also keeps sealed segments and their keys can have that checked too (``check_object``).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from watchglass.core import canonical
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.evidence.envelope import Opener, check_recorded
from watchglass.evidence.header import HASH_BYTES, Header, Octets, read_header
from watchglass.ledger.keys import SIGNATURE_BYTES, KeyType, SignerKey, VerifierKey
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.proof import MAX_HASHES, Proof
from watchglass.records import commitment
from watchglass.records.fields import (
    HASH,
    IDENTIFIER,
    ORIGIN,
    SIGNATURE,
    VKEY,
    FieldType,
    ListOf,
    Members,
    Text,
    Whole,
    check_members,
)
from watchglass.records.leaf import LARGEST, Leaf
from watchglass.records.opening import Opened

DOMAIN: Final = b"watchglass/export-manifest/v1\n"
VERSION: Final = 1
LARGEST_MANIFEST: Final = 64 << 20
_MOST: Final = 10_000
_WHOLE: Final = Whole(0, canonical.MAX_INTEGER)
_SEGMENT: Final[Mapping[str, FieldType]] = {
    "segment": IDENTIFIER,
    "from_ms": _WHOLE,
    "to_ms": _WHOLE,
    "header_sha256": HASH,
    "sha256": HASH,
    "key_commitment": HASH,
    "plain_sha256": HASH,
}
_MANIFEST: Final[Mapping[str, FieldType]] = {
    "watchglass_export": Whole(VERSION, VERSION),
    "origin": ORIGIN,
    "media": Members({"sha256": HASH, "bytes": _WHOLE, "made": Text(500)}),
    "segments": ListOf(Members(_SEGMENT), _MOST),
    "checkpoint": Text(1 << 20),
    "exported_ms": _WHOLE,
    "exported_by": VKEY,
}


@dataclass(frozen=True, slots=True)
class Segment:
    """One sealed segment that the export was made from.

    Attributes:
        header_sha256: of its header. sha256: of the whole sealed object, as its record commits to it.
        plain_sha256: of what came out; the one who exports states it.
    """

    segment: str
    from_ms: int
    to_ms: int
    header_sha256: bytes
    sha256: bytes
    key_commitment: bytes
    plain_sha256: bytes

    @classmethod
    def of(cls, header: Header, *, sha256: bytes, plain_sha256: bytes) -> Segment:
        """The entry of a segment that was opened."""
        context = header.context
        return cls(
            header.segment, context.from_ms, context.to_ms, header.sha256, sha256, header.key_commitment, plain_sha256
        )

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return {
            "segment": self.segment,
            "from_ms": self.from_ms,
            "to_ms": self.to_ms,
            "header_sha256": b64(self.header_sha256),
            "sha256": b64(self.sha256),
            "key_commitment": b64(self.key_commitment),
            "plain_sha256": b64(self.plain_sha256),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Segment:
        """The segment behind ``as_json``, its types checked."""
        hashes = ("header_sha256", "sha256", "key_commitment", "plain_sha256")
        return cls(**{**value, **{name: unb64(value[name], length=HASH_BYTES) for name in hashes}})


@dataclass(frozen=True, slots=True)
class Link:
    """One record of the chain of custody.

    Attributes:
        data: the bytes of its entry in the log. index, path: its place under the manifest's checkpoint.
        opened: what is shown of its committed fields; any of them, or none.
    """

    data: bytes
    index: int
    path: tuple[bytes, ...]
    opened: Mapping[str, Opened] = field(default_factory=dict)
    leaf: Leaf = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "leaf", Leaf.parse(self.data))

    @property
    def hash(self) -> bytes:
        """Its leaf hash."""
        return leaf_hash(self.data)

    @property
    def values(self) -> dict[str, Any]:
        """What is shown of it. Trust it only after ``check_opened``."""
        return {name: opened.value for name, opened in self.opened.items()}

    def check_opened(self) -> None:
        """Check that what is shown is what the record commits to.

        Raises:
            DidNotVerify: a field is not; it is named.
        """
        for name, opened in self.opened.items():
            if name not in self.leaf.commitments:
                raise DidNotVerify(
                    f"The manifest shows '{name}' of a record of '{self.leaf.act}', which has no such field.",
                    fix="Ask for the export again.",
                    field=name,
                )
            commitment.check(self.leaf.commitments[name], opened.salt, name, opened.value)
            try:
                self.leaf.spec.committed[name].check(opened.value, name)
            except BadInput as error:
                raise DidNotVerify(
                    f"The record of '{self.leaf.act}' commits to what no such record holds: {error.message}",
                    fix="Do not rely on this export; keep it, and ask oversight about it.",
                    field=name,
                ) from error

    def as_json(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return {
            "leaf": b64(self.data),
            "index": self.index,
            "path": [b64(part) for part in self.path],
            "opened": {name: {"salt": b64(each.salt), "value": each.value} for name, each in self.opened.items()},
        }

    @classmethod
    def from_json(cls, value: object) -> Link:
        """The link behind ``as_json``.

        Raises:
            BadInput: it is not exactly such an object, or its record is not one.
        """
        if type(value) is not dict:
            raise _not_a_manifest("a record is an object")
        opened = value.get("opened")
        if type(opened) is not dict:
            raise _not_a_manifest("what is opened of a record is an object")
        check_members({name: part for name, part in value.items() if name != "opened"}, _LINK, "a record of the chain")
        shown = {}
        for name, part in opened.items():
            if type(part) is not dict or part.keys() != {"salt", "value"} or type(part["salt"]) is not str:
                raise _not_a_manifest("an opened field has `salt` and `value`")
            shown[name] = Opened(unb64(part["salt"], length=commitment.SALT_BYTES), part["value"])
        path = tuple(unb64(each, length=HASH_BYTES) for each in value["path"])
        return cls(unb64(value["leaf"]), value["index"], path, shown)


_LINK: Final[Mapping[str, FieldType]] = {
    "leaf": Text(2 * LARGEST),
    "index": _WHOLE,
    "path": ListOf(HASH, MAX_HASHES),
}


@dataclass(frozen=True, slots=True)
class Manifest:
    """An export's manifest, without its signature.

    Attributes:
        origin: the log that everything stands in.
        media_sha256, media_bytes: of the exported file; made: how it was made from the segments, in words.
        chain: the records, in the order of the log. checkpoint: the cosigned checkpoint under which all are proven.
        exported_by: the key that signs.
    """

    origin: str
    media_sha256: bytes
    media_bytes: int
    made: str
    segments: tuple[Segment, ...]
    chain: tuple[Link, ...]
    checkpoint: bytes
    exported_ms: int
    exported_by: VerifierKey

    def __post_init__(self) -> None:
        indices = [link.index for link in self.chain]
        if not indices or indices != sorted(set(indices)) or len(indices) > _MOST:
            raise _not_a_manifest("the chain has each record once, in the order of the log")
        names = [each.segment for each in self.segments]
        if not names or len(set(names)) != len(names):
            raise _not_a_manifest("it names each segment once, and at least one")
        if self.exported_by.kind is not KeyType.ED25519:
            raise _not_a_manifest("a person's key signs it, not a witness's")

    def body(self) -> dict[str, Any]:
        """The manifest as JSON without ``sig``: what is signed."""
        return {
            "watchglass_export": VERSION,
            "origin": self.origin,
            "media": {"sha256": b64(self.media_sha256), "bytes": self.media_bytes, "made": self.made},
            "segments": [each.as_json() for each in self.segments],
            "chain": [link.as_json() for link in self.chain],
            "checkpoint": self.checkpoint.decode(),
            "exported_ms": self.exported_ms,
            "exported_by": str(self.exported_by),
        }

    def of(self, act: str) -> tuple[Link, ...]:
        """The records of one act, in order."""
        return tuple(link for link in self.chain if link.leaf.act == act)

    @property
    def message(self) -> bytes:
        """The bytes that are signed."""
        return DOMAIN + canonical.encode(self.body())

    def proof(self, link: Link) -> Proof:
        """The proof that a record is in the log."""
        return Proof(link.index, link.path, self.checkpoint)


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest with the signature of whoever exported."""

    manifest: Manifest
    sig: bytes

    def encode(self) -> bytes:
        """The file: one line of canonical JSON."""
        return canonical.encode({**self.manifest.body(), "sig": b64(self.sig)}) + b"\n"

    @classmethod
    def parse(cls, data: bytes) -> SignedManifest:
        """The manifest in a file. Nothing in it is verified yet; see ``chain.verify``.

        Raises:
            BadInput: the bytes are not a manifest.
        """
        if len(data) > LARGEST_MANIFEST or not data.endswith(b"\n"):
            raise _not_a_manifest("it is too large, or cut off")
        value = canonical.decode(data[:-1])
        if type(value) is not dict or type(value.get("chain")) is not list:
            raise _not_a_manifest("it is an object with a chain of records")
        SIGNATURE.check(value.get("sig"), "sig")
        check_members(
            {name: part for name, part in value.items() if name not in {"chain", "sig"}}, _MANIFEST, "a manifest"
        )
        manifest = Manifest(
            origin=value["origin"],
            media_sha256=unb64(value["media"]["sha256"], length=HASH_BYTES),
            media_bytes=value["media"]["bytes"],
            made=value["media"]["made"],
            segments=tuple(map(Segment.from_json, value["segments"])),
            chain=tuple(map(Link.from_json, value["chain"])),
            checkpoint=value["checkpoint"].encode(),
            exported_ms=value["exported_ms"],
            exported_by=VerifierKey.parse(value["exported_by"]),
        )
        return cls(manifest, unb64(value["sig"], length=SIGNATURE_BYTES))


def sign(manifest: Manifest, key: SignerKey) -> SignedManifest:
    """The manifest, signed by whoever exports, on their own machine.

    Raises:
        BadInput: it says that another key exports.
    """
    if key.verifier != manifest.exported_by:
        raise BadInput(
            f"The manifest says that {manifest.exported_by.name} exports, and {key.name} would sign.",
            fix="Make the manifest for the key that signs.",
        )
    return SignedManifest(manifest, key.sign(manifest.message))


def check_media(manifest: Manifest, media: Iterable[Octets] | Octets) -> None:
    """Check that a file is the one that was exported.

    Raises:
        DidNotVerify: it is another, or was changed.
    """
    digest, size = hashlib.sha256(), 0
    for piece in [media] if isinstance(media, Octets) else media:
        digest.update(piece)
        size += len(piece)
    if digest.digest() != manifest.media_sha256 or size != manifest.media_bytes:
        raise DidNotVerify(
            "This file is not the one that was exported: it is another, or was changed since.",
            fix="Ask for the file again; keep this one as evidence.",
            expected=manifest.media_sha256.hex(),
            found=digest.hexdigest(),
        )


def check_object(manifest: Manifest, data: Octets, key: bytes) -> bytes:
    """The plaintext of a sealed segment that was kept with its key, if all of it is what the manifest says.

    Raises:
        BadInput: the manifest names no such segment.
        DidNotVerify: object, key or plaintext is another than the manifest says.
    """
    identifier = read_header(data).segment
    entry = next((each for each in manifest.segments if each.segment == identifier), None)
    if entry is None:
        raise BadInput(
            f"The manifest does not name segment {identifier}.",
            fix="Give a segment that the export was made from.",
            segment=identifier,
        )
    header = check_recorded(data, sha256=entry.sha256, key_commitment=entry.key_commitment)
    plaintext = Opener(header, key).all(data)
    if sha256(plaintext) != entry.plain_sha256:
        raise DidNotVerify(
            f"Segment {identifier} holds something else than the manifest says came out of it.",
            fix="Keep segment, key and manifest: together they show that the export is not what was recorded.",
            segment=identifier,
        )
    return plaintext


def _not_a_manifest(message: str) -> BadInput:
    return BadInput(
        f"This is not the manifest of an export: {message}.", fix="Give the file as it was exported, whole."
    )
