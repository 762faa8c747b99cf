"""Verification from outside: signatures, witnesses, what was seen before, and every byte of the log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.checkpoint import Checkpoint, SignedCheckpoint
from watchglass.ledger.policy import Deployment, Policy, told
from watchglass.ledger.replay import OnBundle, OnEntries, Progress, Replay
from watchglass.ledger.tiles import CHECKPOINT, TileReader


@dataclass(frozen=True, slots=True)
class Verified:
    """A log that was re-read and re-hashed wholly.

    ``trusted`` tells whether a trust file was used: without one the log is only *self-consistent*, as a log that was
    rewritten from its first entry would be. ``seen_size`` is the size of the remembered checkpoint that it continues.
    """

    signed: SignedCheckpoint
    trusted: bool
    witnesses: tuple[tuple[str, int], ...]
    seen_size: int | None
    files: int
    octets: int
    unpublished: tuple[str, ...]
    strangers: tuple[str, ...]

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
    progress: Progress | None = None,
    on_bundle: OnBundle | None = None,
    on_entries: OnEntries | None = None,
    onward: bool = False,
) -> Verified:
    """Verify the whole log behind ``reader``.

    Args:
        reader: Where its files are. If it can list them, partial tiles left by earlier checkpoints are compared too.
        policy: The trust file. Without it no signature can be checked.
        seen: The last checkpoint of each log that the trust file remembers, as signed bytes by origin.
        progress: Told how far it is.
        on_bundle: Given each bundle's leaf hashes once they have been compared.
        on_entries: Given each bundle's entries and leaf hashes likewise.
        onward: Read only what follows the checkpoint in ``seen``, from the bundle on in which it ended.

    Raises:
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
    replay = Replay(reader, signed.checkpoint, remembered, progress, on_bundle, on_entries, onward)
    replay.run()
    return Verified(
        signed,
        policy is not None,
        witnesses,
        remembered.size if remembered else None,
        replay.files + 1,
        replay.octets + len(data),
        tuple(replay.unpublished),
        tuple(replay.strangers),
    )


def _remembered(seen: Mapping[str, bytes] | None, policy: Policy | None, now: Checkpoint) -> Checkpoint | None:
    """The remembered checkpoint, if it is genuine and the present one may continue it."""
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
    if now.size < before.size:
        raise DidNotVerify(
            f"This log has {now.size} entries, but {before.size} were seen before: entries were taken away.",
            fix="Keep both checkpoints: together they are evidence. Show them to oversight and to the witnesses.",
            path=CHECKPOINT,
            size=now.size,
            seen_size=before.size,
        )
    return before
