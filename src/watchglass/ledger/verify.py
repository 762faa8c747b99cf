"""Verification from outside: signatures, witnesses, what was seen before, and every byte of the log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.checkpoint import Checkpoint, SignedCheckpoint
from watchglass.ledger.fork import ForkKind, LogForked
from watchglass.ledger.policy import Deployment, Policy, told
from watchglass.ledger.replay import OnBundle, OnEntries, Progress, Replay, Rewritten
from watchglass.ledger.tiles import CHECKPOINT, TileReader


@dataclass(frozen=True, slots=True)
class Verified:
    """A log that was re-read and re-hashed wholly.

    ``trusted`` tells whether a trust file was used: without one the log is only *self-consistent*, as a log that was
    rewritten from its first entry would be. ``seen_size`` is the size of the remembered checkpoint that it continues.
    ``unread`` is how many entries at the start are archived: their hashes fit, they themselves were not read.
    """

    signed: SignedCheckpoint
    trusted: bool
    witnesses: tuple[tuple[str, int], ...]
    seen_size: int | None
    files: int
    octets: int
    unpublished: tuple[str, ...]
    strangers: tuple[str, ...]
    unread: int = 0

    @property
    def checkpoint(self) -> Checkpoint:
        """Origin, size and root."""
        return self.signed.checkpoint

    @property
    def deployment(self) -> Deployment:
        """Production, demo or trial."""
        return Deployment.of(self.checkpoint.origin)

    def as_json(self) -> dict[str, object]:
        """The result as one JSON-ready object."""
        return {
            "result": "verified" if self.trusted else "self-consistent",
            "origin": self.checkpoint.origin,
            "size": self.checkpoint.size,
            "root": b64(self.checkpoint.root),
            "deployment": self.deployment.value,
            "notice": self.deployment.sentence,
            "witnesses": told(self.witnesses),
            "continues": self.seen_size,
            "unread": self.unread,
            "files": self.files,
            "bytes": self.octets,
            "unpublished": list(self.unpublished),
            "strangers": list(self.strangers),
        }


def verify_log(
    reader: TileReader,
    policy: Policy | None = None,
    *,
    seen: Mapping[str, bytes] | None = None,
    against: Sequence[bytes] = (),
    progress: Progress | None = None,
    on_bundle: OnBundle | None = None,
    on_entries: OnEntries | None = None,
    onward: bytes | None = None,
    archived: bool = False,
    unread_before: int = 0,
) -> Verified:
    """Verify the whole log behind ``reader``.

    Args:
        reader: Where its files are. If it can list them, partial tiles left by earlier checkpoints are compared too.
        policy: The trust file. Without it no signature can be checked.
        seen: The last checkpoint of each log that the trust file remembers, as signed bytes by origin.
        against: Checkpoints of this log that other people got, as signed bytes; it must continue them too.
        progress: Told how far it is.
        on_bundle: Given each bundle's leaf hashes once they have been compared.
        on_entries: Given each bundle's entries and leaf hashes likewise.
        onward: A checkpoint up to which this machine read the log wholly before, as signed bytes: read what follows it
            (and the smallest of the others), from the bundle on in which it ended.
        archived: Bundles may be gone at the log's start; see ``Verified.unread``. Whether the log says that they were
            archived is for the caller to see.
        unread_before: Pass over the bundles wholly before this entry as if they were archived.

    Raises:
        LogForked: it contradicts a checkpoint that was seen of it before; both are in the error.
        DidNotVerify: with the first bad entry or file in its details; see ``Replay``.
        BadInput: there is no log here.
    """
    data = reader.read(CHECKPOINT)
    if data is None:
        raise BadInput(
            "There is no checkpoint here, so this is not a log.",
            fix="Give a ledger's directory or address: the one that holds the file `checkpoint`.",
        )
    try:
        if policy:
            accepted = policy.accept(data)
            signed, witnesses = accepted.signed, accepted.witnesses
        else:
            signed, witnesses = checkpoints.parse(data), ()
    except BadInput as error:
        raise DidNotVerify(
            f"The log's checkpoint is damaged: {error.message}", fix=error.fix, path=CHECKPOINT
        ) from error
    remembered = _remembered(seen, policy, signed.checkpoint)
    begin = None if onward is None else _remembered({signed.checkpoint.origin: onward}, policy, signed.checkpoint)
    others = [_other(note, policy, signed.checkpoint) for note in against]
    earlier = [each for each in (remembered, begin, *others) if each is not None]
    for note, before in earlier:
        if signed.checkpoint.size < before.size:
            raise _shrunk(note, before, data, signed.checkpoint)
        if signed.checkpoint.size == before.size and signed.checkpoint.root != before.root:
            raise _two_trees(note, before, data, signed.checkpoint)
    continues = [before for _, before in earlier]
    replay = Replay(
        reader,
        signed.checkpoint,
        continues,
        progress,
        on_bundle,
        on_entries,
        onward=begin is not None,
        archived=archived,
        unread_before=unread_before,
    )
    try:
        replay.run()
    except Rewritten as error:
        note = next(note for note, before in earlier if before == error.remembered)
        raise LogForked(
            error.message,
            fix=error.fix,
            kind=ForkKind.REWRITTEN,
            known=note,
            shown=data,
            **error.details,
        ) from error
    return Verified(
        signed,
        policy is not None,
        witnesses,
        remembered[1].size if remembered else None,
        replay.files + 1,
        replay.octets + len(data),
        tuple(replay.unpublished),
        tuple(replay.strangers),
        replay.unread,
    )


_Seen = tuple[bytes, Checkpoint]
"""A note and the checkpoint in it, which a trusted log signed."""


def _remembered(seen: Mapping[str, bytes] | None, policy: Policy | None, now: Checkpoint) -> _Seen | None:
    """The remembered checkpoint, if it is genuine."""
    if not seen:
        return None
    if policy is None:
        raise BadInput("A remembered checkpoint needs the trust file it belongs to.", fix="Give the trust file too.")
    data = seen.get(now.origin)
    if data is None:
        return None
    try:
        before = checkpoints.open_checkpoint(data, policy.keys).checkpoint
    except (BadInput, DidNotVerify) as error:
        raise DidNotVerify(
            f"The remembered checkpoint itself does not verify: {error.message}",
            fix="Somebody changed what this machine remembers. Restore it from a copy; do not just delete it.",
        ) from error
    if before.origin != now.origin:
        raise DidNotVerify(
            f"The remembered checkpoint is of {before.origin}, this log is {now.origin}.",
            fix="Use the trust file of this log.",
        )
    return data, before


def _other(data: bytes, policy: Policy | None, now: Checkpoint) -> _Seen:
    """Another person's checkpoint, if the log signed it: whoever hands it on need not be believed."""
    if policy is None:
        raise BadInput("Another checkpoint is checked with the trust file's keys.", fix="Give the trust file too.")
    before = checkpoints.open_checkpoint(data, policy.keys).checkpoint
    if before.origin != now.origin:
        raise BadInput(
            f"The other checkpoint is of {before.origin}, this log is {now.origin}.",
            fix="Give a checkpoint of this log.",
        )
    return data, before


def _shrunk(note: bytes, before: Checkpoint, data: bytes, now: Checkpoint) -> LogForked:
    return LogForked(
        f"This log has {now.size} entries, but {before.size} were seen before: entries were taken away.",
        fix="Keep both checkpoints: together they are evidence. Show them to oversight and to the witnesses.",
        kind=ForkKind.SHRUNK,
        known=note,
        shown=data,
        path=CHECKPOINT,
        size=now.size,
        seen_size=before.size,
    )


def _two_trees(note: bytes, before: Checkpoint, data: bytes, now: Checkpoint) -> LogForked:
    return LogForked(
        f"This log signed two different trees of {now.size} entries: its past was rewritten.",
        fix="Keep both checkpoints: together they are evidence. Show them to oversight and to the witnesses.",
        kind=ForkKind.SAME_SIZE,
        known=note,
        shown=data,
        path=CHECKPOINT,
        seen_size=before.size,
        seen_root=b64(before.root),
        found=b64(now.root),
    )
