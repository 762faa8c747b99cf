"""The rules of a witness (c2sp.org/tlog-witness), without any IO: what it cosigns and what it refuses.

A witness remembers the last checkpoint it cosigned of each log and cosigns only what continues it. Checking against
that memory and replacing it must happen under one lock, and the new memory must be on disk before the answer leaves;
the edge sees to both.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput, DidNotVerify, WatchglassError
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger import merkle
from watchglass.ledger import note as notes
from watchglass.ledger.checkpoint import Checkpoint, SignedCheckpoint
from watchglass.ledger.fork import ForkKind
from watchglass.ledger.keys import KeyType, VerifierKey
from watchglass.ledger.policy import moment_of

MAX_PROOF_LINES = 63
MAX_REQUEST_BYTES = 64 << 10
SIZE_CONTENT_TYPE = "text/x.tlog.size"
CLOCKS_APART_S = 300
"""How far a witness's time may be from the log's before one of the two clocks is called wrong."""


class NotCosigned(WatchglassError):
    """The witness says no. ``status`` is the HTTP status; ``size`` the size that it knows, on a conflict."""

    exit_code = 1

    def __init__(self, status: HTTPStatus, message: str, *, fix: str, size: int | None = None) -> None:
        super().__init__(message, fix=fix, status=int(status), size=size)
        self.status = status
        self.size = size


class Forked(NotCosigned):
    """The checkpoint contradicts what the witness cosigned, or was not shown to continue it: both are to be kept."""

    def __init__(self, kind: ForkKind, status: HTTPStatus, message: str, *, fix: str, size: int | None = None) -> None:
        super().__init__(status, message, fix=fix, size=size)
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Request:
    """An ``add-checkpoint`` request: the size that the log believes the witness knows, the proof from it, the note."""

    old: int
    proof: tuple[bytes, ...]
    note: bytes

    def encode(self) -> bytes:
        """The body of the request."""
        lines = [f"old {self.old}", *(b64(part) for part in self.proof)]
        return "".join(f"{line}\n" for line in lines).encode() + b"\n" + self.note

    @classmethod
    def parse(cls, body: bytes) -> Request:
        """Read the body of a request.

        Raises:
            NotCosigned: 400, it is malformed.
        """
        try:
            return cls._parse(body)
        except (BadInput, UnicodeDecodeError) as error:
            raise NotCosigned(
                HTTPStatus.BAD_REQUEST,
                error.message if isinstance(error, BadInput) else "The request is not text.",
                fix="Send the request as c2sp.org/tlog-witness says.",
            ) from error

    @classmethod
    def _parse(cls, body: bytes) -> Request:
        head, blank, note = body.partition(b"\n\n")
        if not blank or len(body) > MAX_REQUEST_BYTES:
            raise BadInput("The request has no blank line, or is too long.", fix="Send a shorter note.")
        first, *lines = head.decode("ascii").split("\n")
        if not first.startswith("old ") or len(lines) > MAX_PROOF_LINES:
            raise BadInput("A request begins with `old N` and up to 63 hashes.", fix="Send it like that.")
        old = checkpoints.parse_size(first.removeprefix("old "))
        return cls(old, tuple(unb64(line, length=merkle.HASH_BYTES) for line in lines), note)


def authenticate(request: Request, logs: Mapping[str, Sequence[VerifierKey]]) -> SignedCheckpoint:
    """The checkpoint in ``request``, if its log is known and signed it.

    Args:
        request: What was sent.
        logs: The keys of each known log, by origin.

    Raises:
        NotCosigned: 400 malformed, 404 unknown log, 403 no good signature.
    """
    try:
        origin = checkpoints.parse(request.note).checkpoint.origin
    except BadInput as error:
        raise NotCosigned(HTTPStatus.BAD_REQUEST, error.message, fix=error.fix) from error
    keys = logs.get(origin)
    if not keys:
        raise NotCosigned(
            HTTPStatus.NOT_FOUND,
            f"This witness does not know the log {origin}.",
            fix="Ask its operator to add the log.",
        )
    try:
        return checkpoints.open_checkpoint(request.note, keys)
    except DidNotVerify as error:
        raise NotCosigned(HTTPStatus.FORBIDDEN, error.message, fix="Sign the checkpoint with the log's key.") from error


def advance(latest: Checkpoint | None, request: Request, checkpoint: Checkpoint) -> Checkpoint:
    """What the witness remembers after this request, if it may cosign.

    Args:
        latest: The last checkpoint of this log that it cosigned, or None.
        request: What was sent.
        checkpoint: The authenticated checkpoint in it.

    Raises:
        NotCosigned: 400 old > new, 409 not the size that the witness knows, 422 the proof does not hold.
        Forked: 409 another root for the size that it knows, whatever the request says the old size is; 422 a larger
            tree whose proof does not hold.
    """
    known = latest.size if latest else 0
    if request.old > checkpoint.size:
        raise NotCosigned(
            HTTPStatus.BAD_REQUEST, "The old size is larger than the new one.", fix="Send the sizes in order."
        )
    if latest and checkpoint.size == known and checkpoint.root != latest.root:
        raise Forked(
            ForkKind.SAME_SIZE,
            HTTPStatus.CONFLICT,
            f"This witness cosigned another tree of {known} entries: the log has forked.",
            fix="Keep both checkpoints: together they are evidence.",
            size=known,
        )
    if request.old != known:
        raise NotCosigned(
            HTTPStatus.CONFLICT,
            f"This witness knows the log at size {known}, not {request.old}.",
            fix=f"Send a proof from size {known}.",
            size=known,
        )
    try:
        merkle.check_consistency(
            known, checkpoint.size, latest.root if latest else merkle.EMPTY_ROOT, checkpoint.root, request.proof
        )
    except DidNotVerify as error:
        if 0 < known < checkpoint.size:
            raise Forked(ForkKind.UNPROVEN, HTTPStatus.UNPROCESSABLE_ENTITY, error.message, fix=error.fix) from error
        raise NotCosigned(HTTPStatus.UNPROCESSABLE_ENTITY, error.message, fix=error.fix) from error
    return checkpoint


def logs_by_origin(keys: Iterable[VerifierKey]) -> dict[str, tuple[VerifierKey, ...]]:
    """Log keys by the origin that they speak for.

    Raises:
        BadInput: a key is not a log's (type 01).
    """
    logs: dict[str, tuple[VerifierKey, ...]] = {}
    for key in keys:
        if key.kind is not KeyType.ED25519:
            raise BadInput(f"{key} is not a log's key.", fix="Give the log's verifier key (type 01).")
        logs[key.name] = (*logs.get(key.name, ()), key)
    return logs


def with_answer(note: bytes, answer: str, keys: Iterable[VerifierKey], *, now_s: int | None = None) -> bytes:
    """The checkpoint ``note`` with those cosignatures of a witness's ``answer`` that are by one of ``keys``.

    Args:
        now_s: the log's own time in POSIX seconds, to which the witness's must be near. None: not compared.

    Raises:
        BadInput: the answer is not signature lines.
        DidNotVerify: none of them is by one of ``keys``, or one is and fails, or carries a time that is far off.
    """
    trusted = list(keys)
    lines = notes.parse_signature_lines(answer)
    ours = [line for line in lines if any(line.is_by(key) for key in trusted)]
    if not ours:
        raise DidNotVerify(
            "The witness answered without a cosignature by its known key.",
            fix="Check the witness's key in the configuration.",
        )
    text = notes.parse_note(note).text
    for verified in notes.open_note(notes.Note(text, tuple(ours)).encode(), trusted).verified:
        if now_s is not None and verified.seconds is not None and abs(verified.seconds - now_s) > CLOCKS_APART_S:
            raise DidNotVerify(
                f"The witness {verified.key.name} says that it is {moment_of(verified.seconds)}, and here it is "
                f"{moment_of(now_s)}: one of the two clocks is wrong, so its cosignature is not used.",
                fix="Set this machine's clock right; if it is, ask the witness's operator to set theirs.",
                witness_s=verified.seconds,
                here_s=now_s,
            )
    return notes.replace_signatures(note, ours)


def refusal(status: int, body: str) -> NotCosigned:
    """The refusal that a witness's HTTP answer means: ``status`` and ``body`` as they came."""
    try:
        known = HTTPStatus(status)
    except ValueError:
        known = HTTPStatus.BAD_GATEWAY
    size = None
    if known is HTTPStatus.CONFLICT:
        try:
            size = checkpoints.parse_size(body.removesuffix("\n"))
        except BadInput:
            size = None
    what = f"it knows the log at size {size}" if size is not None else body.strip()[:200] or known.phrase
    return NotCosigned(
        known,
        f"The witness did not cosign ({status}): {what}.",
        fix="Send a proof from the size it knows." if size is not None else "Ask the witness's operator.",
        size=size,
    )
