"""Trust files on disk: ``FILE`` (tlog-policy), ``FILE.seen`` (last checkpoints seen), ``FILE.oversight`` (first key).

``FILE.evidence/`` holds both checkpoints of each log that contradicted what was seen of it (``ledger.fork``).

``FILE.seen`` holds one signed checkpoint for each log, one after the other with a blank line between; for a trust
file with one log it is exactly that log's checkpoint.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify
from watchglass.core.time import Clock
from watchglass.edge.clock import SystemClock
from watchglass.edge.tiles import exclusive, write_durably
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger import policy as policies
from watchglass.ledger.fork import LogForked
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.policy import Policy

_MAX_BYTES = 4 << 20
_HERE = "whoever verified it here"


@dataclass(frozen=True, slots=True)
class Trust:
    """A trust file and what lies beside it. ``seen`` maps an origin to the last checkpoint seen, as signed bytes."""

    path: Path
    policy: Policy
    seen: dict[str, bytes]
    oversight: VerifierKey | None


def load_trust(path: Path) -> Trust:
    """Read the trust file at ``path`` and its companions.

    Raises:
        BadInput: it is missing or not a trust file.
        DidNotVerify: what it remembers is damaged.
    """
    data = _read(path)
    if data is None:
        raise BadInput(f"There is no trust file at {path}.", fix="Check the path, or ask oversight for its trust file.")
    oversight = _read(_beside(path, "oversight"))
    return Trust(
        path,
        policies.parse(data),
        _parse_seen(path),
        VerifierKey.parse(oversight.decode("utf-8", "replace").strip()) if oversight is not None else None,
    )


def remember(trust: Trust, checkpoint: bytes) -> None:
    """Put a *verified* checkpoint into ``FILE.seen``; a smaller one than is there never replaces it.

    Raises:
        CannotRecord: the file cannot be written.
        DidNotVerify: what it remembers is damaged.
    """
    now = checkpoints.open_checkpoint(checkpoint, trust.policy.keys).checkpoint
    with exclusive(_beside(trust.path, "seen.lock"), wait=True):
        seen = _parse_seen(trust.path)
        before = seen.get(now.origin)
        if before is not None and checkpoints.parse(before).checkpoint.size > now.size:
            return
        seen[now.origin] = checkpoint
        write_durably([(_beside(trust.path, "seen"), b"\n".join(seen.values()))])


def pin_oversight(trust: Trust, key: VerifierKey) -> None:
    """Write the first oversight key of a log that was verified into ``FILE.oversight``; one that is there stays.

    Raises:
        CannotRecord: the file cannot be written.
    """
    with exclusive(_beside(trust.path, "seen.lock"), wait=True):
        if not _beside(trust.path, "oversight").exists():
            write_durably([(_beside(trust.path, "oversight"), f"{key}\n".encode())])


@contextmanager
def keeping_evidence(trust: Trust, clock: Clock | None = None) -> Iterator[None]:
    """Whatever verification within this finds to contradict what was seen: keep both checkpoints beside the trust file.

    Raises:
        DidNotVerify: as before, and where both checkpoints lie.
    """
    try:
        yield
    except LogForked as error:
        origin = checkpoints.parse(error.known).checkpoint.origin
        keys = [log.key for log in trust.policy.logs if log.origin == origin]
        fork = error.evidence(keys, by=_HERE, at_ms=(clock or SystemClock()).now())
        path = _beside(trust.path, "evidence") / f"{fork.name}.json"
        try:
            if not path.exists():
                write_durably([(path, fork.encode())])
            kept = f"Both checkpoints are in {path}."
        except CannotRecord as failed:
            kept = f"They could not be kept: {failed.message}"
        raise DidNotVerify(f"{error.message} {kept}", fix=error.fix, **error.details, evidence=str(path)) from error


def _parse_seen(path: Path) -> dict[str, bytes]:
    data = _read(_beside(path, "seen"))
    if data is None:
        return {}
    blocks = data.split(b"\n\n")
    seen = {}
    try:
        if len(blocks) % 2:
            raise BadInput("It is cut off.", fix="Restore it.")
        for at in range(0, len(blocks), 2):
            note = blocks[at] + b"\n\n" + blocks[at + 1].removesuffix(b"\n") + b"\n"
            origin = checkpoints.parse(note).checkpoint.origin
            if origin in seen:
                raise BadInput("It names a log twice.", fix="Restore it.")
            seen[origin] = note
    except BadInput as error:
        raise DidNotVerify(
            f"{_beside(path, 'seen')}, which remembers what was seen before, is damaged: {error.message}",
            fix="Restore it from a copy; without it a rewritten log cannot be told from the real one.",
        ) from error
    return seen


def _beside(path: Path, suffix: str) -> Path:
    return path.with_name(f"{path.name}.{suffix}")


def _read(path: Path) -> bytes | None:
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise BadInput(
            f"{path} cannot be read: {error.strerror}.", fix="Check the path and its permissions."
        ) from error
    if len(data) > _MAX_BYTES:
        raise BadInput(f"{path} is far too large for its kind.", fix="Check the path.")
    return data
