"""An export: one MP4 with a signed manifest, made on the requester's machine, and verified anywhere, years later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass.bootstrap import seeking
from watchglass.bootstrap.office import Office, Sight
from watchglass.bootstrap.seeking import Release
from watchglass.bootstrap.witnessed import Entry
from watchglass.charter.parse import parse
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, Problem
from watchglass.core.time import iso, month_of
from watchglass.edge.joining import join
from watchglass.edge.tiles import write_durably
from watchglass.edge.trust import load_trust
from watchglass.evidence.chain import SCOPE, charter_text, verify
from watchglass.evidence.manifest import LARGEST_MANIFEST, Link, Manifest, Segment, SignedManifest, check_media, sign
from watchglass.evidence.succession import APPROVED, PUBLISHED
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.policy import told
from watchglass.records.opening import Opened
from watchglass.records.statement import SignedStatement

MADE: Final = (
    "The opened segments one after the other, remuxed into one MP4. Nothing was encoded again, cut or marked. Where "
    "nothing was recorded between two segments, the last picture stands still until the next one begins."
)
_CASE_SHOWN: Final = ("case", "number", "authority")
_PRIVATE: Final = 0o600
_PIECE: Final = 1 << 20


def export(
    office: Office,
    number: str,
    video: Path,
    *,
    glass: X25519PrivateKey | None = None,
    with_case: bool = False,
    with_reason: bool = False,
) -> dict[str, Any]:
    """Open a release and write it as one MP4, with a manifest ``VIDEO.manifest`` beside it.

    Args:
        glass: the emergency key, for an emergency.
        with_case: show case, number and legal authority in the manifest. with_reason: show the reason.

    Raises:
        Problem: the records of its segments are not in the log yet.
        BadInput: a file is there already.
    """
    manifest_file = manifest_of(video)
    for file in (video, manifest_file):
        if file.exists():
            raise BadInput(f"There is a file {file.name} already.", fix="Give another name; nothing is overwritten.")
    found = seeking.release(office, number)
    if found.request is not None and found.taken is None:
        raise Problem(
            "The record that this release was taken is not in the log yet, as far as witnesses have cosigned it.",
            fix="Wait for the next checkpoint, then export it.",
        )
    pieces = list(seeking.opened(office, found, glass))
    media = join((piece.header.context.from_ms, piece.plaintext) for piece in pieces)
    segments, records = [], []
    for piece in pieces:
        if piece.record is None or not piece.opened:
            raise Problem(
                f"The record of segment {piece.header.segment} is not in the log yet.",
                fix="Records of segments come in batches: try again after the charter's `batch_every`.",
                segment=piece.header.segment,
            )
        segments.append(Segment.of(piece.header, sha256=piece.sha256, plain_sha256=sha256(piece.plaintext)))
        records.append((piece.record, piece.opened))
    chain = [*_custody(office, found, with_case=with_case, with_reason=with_reason), *records]
    manifest = Manifest(
        origin=office.origin,
        media_sha256=sha256(media),
        media_bytes=len(media),
        made=MADE,
        segments=tuple(segments),
        chain=_links(found.sight, chain),
        checkpoint=found.sight.log.note,
        exported_ms=office.clock.now(),
        exported_by=office.keys.identity().verifier,
    )
    signed = sign(manifest, office.keys.identity())
    log = found.sight.log
    first = VerifierKey.parse(log.charters[0].oversight.key)
    verify(signed, log.trust.policy, log.charter_of(_charter(found)), oversight=first)
    write_durably([(manifest_file, signed.encode()), (video, media)], mode=_PRIVATE)
    return {
        **found.as_json(),
        "video": str(video),
        "manifest": str(manifest_file),
        "bytes": len(media),
        "sha256": sha256(media).hex(),
        "records": len(manifest.chain),
    }


def check(video: Path, manifest: Path, trust: Path) -> dict[str, Any]:
    """Verify an export without any server: the file, the manifest's signature, and every record of its custody.

    Raises:
        DidNotVerify: with the sentence of what does not hold; also where the trust file remembers another first
            oversight.
        BadInput: a file cannot be read, or is no manifest.
    """
    signed = SignedManifest.parse(b"".join(_chunks(manifest, LARGEST_MANIFEST + 1)))
    known = load_trust(trust)
    charter = parse(charter_text(signed.manifest))
    verified = verify(signed, known.policy, charter, oversight=known.oversight)
    check_media(signed.manifest, _chunks(video))
    inside = signed.manifest
    checkpoint = verified.accepted.signed.checkpoint
    shown = {name: iso(value) if name.endswith("_ms") else value for name, value in verified.shown.items()}
    return {
        "ok": True,
        "origin": inside.origin,
        "video": str(video),
        "sha256": inside.media_sha256.hex(),
        "made": inside.made,
        "exported_by": inside.exported_by.name,
        "exported": iso(inside.exported_ms),
        "approved_by": list(verified.approved_by),
        "emergency": verified.glass,
        "request": shown,
        "segments": [
            {"segment": each.segment, "from": iso(each.from_ms), "to": iso(each.to_ms)} for each in inside.segments
        ],
        "records": len(inside.chain),
        "size": checkpoint.size,
        "witnesses": told(verified.accepted.witnesses),
        "charter": {"name": charter.charter, "version": charter.version, "sha256": charter.digest},
        "oversight": charter.oversight.key,
        "first_oversight": str(verified.first_oversight),
        "oversight_known": None if known.oversight is None else True,
        "deployment": verified.deployment.value,
        "notice": verified.deployment.sentence,
    }


def manifest_of(video: Path) -> Path:
    """The manifest's file beside an exported video."""
    return video.with_name(f"{video.name}.manifest")


def _charter(found: Release) -> bytes:
    charter = found.statement.leaf.charter
    assert charter is not None  # a request always names one
    return charter


def _custody(
    office: Office, found: Release, *, with_case: bool, with_reason: bool
) -> list[tuple[Entry, Mapping[str, Opened]]]:
    """The records of charter, keys, case, request, approvals and grant, each with what is shown of it."""
    sight = found.sight
    chain: list[tuple[Entry, Mapping[str, Opened]]] = []
    role = found.statement.leaf.role
    months = {(str(found.statement.signature.key), found.statement.leaf.hour[: len("2026-11")])}
    months.add((str(office.keys.identity().verifier), month_of(sight.now)))
    for vkey, month in sorted(months):
        chain.append((sight.log.enrolment(VerifierKey.parse(vkey), role=role, month=month), {}))
    shown = [*SCOPE, *(["reason"] if with_reason else []), *(["case", "opened"] if with_case else [])]
    if found.record is None:
        raise Problem("The record of this emergency is not in the log yet.", fix="Wait for the next checkpoint.")
    chain.append((found.record, _some(found.statement, shown)))
    if with_case:
        chain += _case(office, found, role)
    chain += [
        (each.record, _some(each.statement, ["seen"]))
        for each in found.approvals
        if found.granted and _named(found.granted, each.record)
    ]
    chain += [(entry, {}) for entry in (found.granted, found.taken) if entry is not None]
    return [*_charters(sight, max(entry.index for entry, _ in chain)), *chain]


def _charters(sight: Sight, last: int) -> list[tuple[Entry, Mapping[str, Opened]]]:
    """Publication and approvals of each charter that both approved, up to a place in the log: keys may have changed."""
    digests = {each.charter.digest for each in sight.log.succession.approved if each.index < last}
    return [
        (entry, {})
        for act in (PUBLISHED, APPROVED)
        for entry in sight.log.of(act)
        if entry.leaf.clear["sha256"] in digests and entry.index < last
    ]


def _named(granted: Entry, approval: Entry) -> bool:
    return b64(approval.hash) in granted.leaf.clear["approvals"]


def _case(office: Office, found: Release, role: str) -> list[tuple[Entry, Mapping[str, Opened]]]:
    """The record of the case, and of the enrolment of the key that opened it."""
    if found.request is None:
        raise BadInput("An emergency belongs to no case.", fix="Leave --with-case out.")
    kept = office.keys.kept(found.request.case)
    if kept is None:
        raise Problem(
            "What was signed when the case was opened is not in this folder.",
            fix="Leave --with-case out, or restore it.",
        )
    statement = SignedStatement.parse(kept)
    entry = found.sight.log.record_of(statement, found.request.opened, "the case")
    enrolment = found.sight.log.enrolment(
        statement.signature.key, role=role, month=statement.leaf.hour[: len("2026-11")]
    )
    return [(enrolment, {}), (entry, _some(statement, _CASE_SHOWN))]


def _some(statement: SignedStatement, names: Iterable[str]) -> dict[str, Opened]:
    return {name: statement.opened[name] for name in names if name in statement.opened}


def _links(sight: Sight, chain: Iterable[tuple[Entry, Mapping[str, Opened]]]) -> tuple[Link, ...]:
    """The records in the order of the log, each once, each with its proof."""
    links: dict[int, Link] = {}
    for entry, opened in chain:
        if entry.index not in links:
            links[entry.index] = Link(entry.data, entry.index, sight.log.prove(entry.index).path, opened)
    return tuple(links[index] for index in sorted(links))


def _chunks(file: Path, most: int | None = None) -> Iterable[bytes]:
    try:
        with file.open("rb") as source:
            read = 0
            while piece := source.read(_PIECE):
                read += len(piece)
                if most is not None and read > most:
                    raise BadInput(f"{file} is too large to be a manifest.", fix="Give the file VIDEO.manifest.")
                yield piece
    except OSError as error:
        raise BadInput(f"{file} cannot be read: {error.strerror}.", fix="Check its name.") from error
