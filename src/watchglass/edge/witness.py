"""A witness's memory on disk: what it cosigned last, evidence of forks, and what was lodged with it.

One file per log, named by the SHA-256 of its origin, holds the last cosigned checkpoint with the witness's own
cosignature, so that a file that was changed by anybody else is noticed and nothing is cosigned on top of it.
``evidence/`` holds a file for each pair of checkpoints that contradict each other (``ledger.fork``).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import httpx

from watchglass.core.digest import sha256
from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, DidNotVerify, Problem
from watchglass.core.time import SECOND, Clock
from watchglass.edge.clock import SystemClock
from watchglass.edge.entropy import SystemEntropy
from watchglass.edge.lodging import PLAIN, LodgingShelf, read_short
from watchglass.edge.tiles import exclusive, write_durably
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger import note as notes
from watchglass.ledger import witness as rules
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.fork import Fork, ForkKind
from watchglass.ledger.keys import KeyType, SignerKey, VerifierKey

KEY_FILE = "witness.key"
EVIDENCE: Final = "evidence"
MOST_UNPROVEN: Final = 16
"""Checkpoints without a proof that are kept of each log: anybody can send one with a bad proof."""
MOST_FORKS: Final = 64
"""Contradictions that are kept of each log: one is enough, and whoever holds the log's key could sign any number."""
TIMEOUT_S: Final = 10.0
"""For each step of a conversation with a witness, and for the whole of it."""
_SECRET = 0o600


def new_witness(directory: Path, name: str, entropy: Entropy | None = None) -> VerifierKey:
    """Make a witness in ``directory`` with a fresh key (of the system's randomness), and give its public key.

    Raises:
        BadInput: there is a witness there already, or the name is not possible.
    """
    signer = SignerKey.generate(name, entropy or SystemEntropy(), KeyType.COSIGNATURE_V1)
    with exclusive(directory / ".lock"):
        if (directory / KEY_FILE).exists():
            raise BadInput(f"There is a witness in {directory} already.", fix="Choose another directory.")
        write_durably([(directory / KEY_FILE, f"{signer.export()}\n".encode())], mode=_SECRET)
    return signer.verifier


def load_witness_key(path: Path) -> SignerKey:
    """The witness's key in ``path``.

    Raises:
        BadInput: there is none, it is not a witness's, or other people can read it.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"The witness's key {path} cannot be read.", fix="Make one with `watchglass witness new DIR --name NAME`."
        ) from error
    if mode & 0o077:
        raise BadInput(f"Other people can read the secret key {path}.", fix=f"Run: chmod 600 {path}")
    signer = SignerKey.parse(text)
    if signer.kind is not KeyType.COSIGNATURE_V1:
        raise BadInput(f"The key {path} is not a witness's (type 04).", fix="Give the witness's own key file.")
    return signer


def open_witness(
    directory: Path,
    logs: Iterable[VerifierKey],
    *,
    oversight: Iterable[VerifierKey] = (),
    key_file: Path | None = None,
    clock: Clock | None = None,
) -> WitnessDirectory:
    """The witness in ``directory`` that watches ``logs``; its key lies there unless ``key_file`` says otherwise.

    Args:
        oversight: the keys of those who may lodge orders and challenges with it.

    Raises:
        BadInput: there is no usable key, or one of ``logs`` is not a log's key.
    """
    signer = load_witness_key(key_file or directory / KEY_FILE)
    return WitnessDirectory(directory, signer, logs, clock or SystemClock(), oversight=oversight)


def evidence_in(directory: Path) -> list[tuple[str, Fork]]:
    """The evidence of forks that a witness kept in ``directory``, by the names of its files.

    Raises:
        BadInput: there is no witness there, or one of the files is damaged.
    """
    if not directory.is_dir():
        raise BadInput(f"There is no witness in {directory}.", fix="Give the directory that `witness new` made.")
    found = []
    for path in sorted((directory / EVIDENCE).glob("*.json")):
        try:
            found.append((path.stem, Fork.parse(path.read_bytes())))
        except (OSError, BadInput, DidNotVerify) as error:
            raise BadInput(f"{path} is damaged or cannot be read: {error}", fix="Restore it from a copy.") from error
    return found


class WitnessDirectory:
    """A witness at work. Checking and remembering happen under one lock, and memory is on disk before the answer."""

    def __init__(
        self,
        directory: Path,
        signer: SignerKey,
        logs: Iterable[VerifierKey],
        clock: Clock,
        *,
        oversight: Iterable[VerifierKey] = (),
    ) -> None:
        self._directory = directory
        self._signer = signer
        self._logs = rules.logs_by_origin(logs)
        self._clock = clock
        self._mutex = threading.Lock()
        self._shelf = LodgingShelf(directory / "lodged", signer, tuple(self._logs), tuple(oversight), clock)

    @property
    def key(self) -> VerifierKey:
        """The witness's public key."""
        return self._signer.verifier

    @property
    def origins(self) -> tuple[str, ...]:
        """The logs it watches."""
        return tuple(self._logs)

    @property
    def shelf(self) -> LodgingShelf:
        """What was lodged with it."""
        return self._shelf

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the directory for this process as long as it serves.

        Raises:
            CannotRecord: another process serves this witness.
        """
        with exclusive(self._directory / ".lock"):
            yield

    def add_checkpoint(self, body: bytes) -> bytes:
        """Answer an ``add-checkpoint`` request with signature lines.

        Raises:
            NotCosigned: the rules refuse. What contradicts its memory is on disk, with that memory, before this.
            DidNotVerify: this witness's own memory was changed; it then refuses everything for that log.
            CannotRecord: the new memory could not be written; nothing was cosigned.
        """
        request = rules.Request.parse(body)
        signed = rules.authenticate(request, self._logs)
        origin = signed.checkpoint.origin
        shown = self._by_the_log(signed.note, origin)
        with self._mutex:
            try:
                checkpoint = rules.advance(self.latest(origin), request, signed.checkpoint)
            except rules.Forked as fork:
                self._keep_evidence(origin, fork.kind, shown.encode())
                raise
            line = notes.sign_text(signed.note.text, self._signer, seconds=self._clock.now() // SECOND)
            write_durably([(self._path(origin), notes.Note(shown.text, (*shown.signatures, line)).encode())])
            self._settle(checkpoint)
        return str(line).encode()

    def latest(self, origin: str) -> Checkpoint | None:
        """The last checkpoint of ``origin`` that it cosigned, or None.

        Raises:
            DidNotVerify: the file was changed by somebody else.
        """
        try:
            data = self._path(origin).read_bytes()
        except FileNotFoundError:
            return None
        try:
            text = notes.open_note(data, [self.key]).text
            checkpoint = Checkpoint.parse_text(text)
        except (BadInput, DidNotVerify) as error:
            raise DidNotVerify(
                f"What this witness remembers of {origin} was changed: {error.message}",
                fix="Restore the witness's directory from a copy; until then it cosigns nothing for this log.",
                origin=origin,
            ) from error
        if checkpoint.origin != origin:
            raise DidNotVerify(
                f"What this witness remembers under {origin} is of {checkpoint.origin}.",
                fix="Restore the witness's directory from a copy.",
                origin=origin,
            )
        return checkpoint

    def evidence(self) -> list[tuple[str, Fork]]:
        """Every contradiction that it kept, by name.

        Raises:
            BadInput: a file of it is damaged.
        """
        return evidence_in(self._directory)

    # ---- evidence ------------------------------------------------------------------------------------------------

    def _by_the_log(self, note: notes.Note, origin: str) -> notes.Note:
        """The note with the signatures that the log made and nobody else's, which were not checked."""
        ours = tuple(line for line in note.signatures if any(line.is_by(key) for key in self._logs[origin]))
        return notes.Note(note.text, ours)

    def _keep_evidence(self, origin: str, kind: ForkKind, shown: bytes) -> None:
        """Write down both checkpoints; only so many of each log, so that nobody fills this disk."""
        known = self._path(origin).read_bytes()
        fork = Fork(kind, self.key.label, self._clock.now() // SECOND, self._logs[origin], known, shown)
        path = self._directory / EVIDENCE / f"{fork.name}.json"
        if not path.exists() and self._has_room(origin, kind):
            write_durably([(path, fork.encode())])

    def _has_room(self, origin: str, kind: ForkKind) -> bool:
        unproven = sum(1 for _ in self._unproven(origin))
        if kind is ForkKind.UNPROVEN:
            return unproven < MOST_UNPROVEN
        return sum(1 for _ in self._evidence_of(origin)) - unproven < MOST_FORKS

    def _settle(self, cosigned: Checkpoint) -> None:
        """A checkpoint that was unproven once, and is cosigned now, contradicts nothing."""
        for path, fork in tuple(self._unproven(cosigned.origin)):
            if fork.after == cosigned:
                path.unlink(missing_ok=True)

    def _unproven(self, origin: str) -> Iterator[tuple[Path, Fork]]:
        for path in self._evidence_of(origin):
            with suppress(OSError, BadInput):
                fork = Fork.parse(path.read_bytes())
                if fork.kind is ForkKind.UNPROVEN:
                    yield path, fork

    def _evidence_of(self, origin: str) -> list[Path]:
        log = sha256(origin.encode()).hex()[:16]
        return sorted((self._directory / EVIDENCE).glob(f"{log}-*.json"))

    def _path(self, origin: str) -> Path:
        return self._directory / f"{sha256(origin.encode()).hex()}.checkpoint"


class WitnessClient:
    """Asks one witness for cosignatures.

    Args:
        clock: the log's own time, to which the witness's must be near; without it that is not compared.
    """

    def __init__(
        self,
        url: str,
        keys: Sequence[VerifierKey],
        client: httpx.Client | None = None,
        *,
        clock: Clock | None = None,
        timeout_s: float = TIMEOUT_S,
    ) -> None:
        self._url = url.rstrip("/")
        self._keys = tuple(keys)
        self._clock = clock
        self._timeout_s = timeout_s
        self._client = client or httpx.Client(timeout=timeout_s, follow_redirects=False, headers=PLAIN)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def cosign(self, request: rules.Request) -> bytes:
        """The checkpoint of ``request`` with the witness's cosignature added.

        Raises:
            NotCosigned: the witness refuses; on 409 its ``size`` is where the proof has to start.
            DidNotVerify: the answer is not a cosignature by the known key, or carries a time that is far off.
            Problem: the witness cannot be reached, or does not come to an end.
        """
        until = time.monotonic() + self._timeout_s
        try:
            with self._client.stream("POST", f"{self._url}/add-checkpoint", content=request.encode()) as answer:
                status = answer.status_code
                text = read_short(answer, rules.MAX_REQUEST_BYTES, until).decode("utf-8", "replace")
        except httpx.HTTPError as error:
            raise Problem(
                f"The witness at {self._url} cannot be reached: {error or type(error).__name__}.",
                fix="Start the witness or check its address; what waits for a cosignature goes on waiting.",
            ) from error
        if status != httpx.codes.OK:
            raise rules.refusal(status, text)
        now_s = None if self._clock is None else self._clock.now() // SECOND
        return rules.with_answer(request.note, text, self._keys, now_s=now_s)

    def cosign_latest(self, note: bytes, prove: Callable[[int, int], Sequence[bytes]], *, last: int = 0) -> bytes:
        """The checkpoint ``note`` cosigned, wherever the witness stands.

        Args:
            note: The signed checkpoint.
            prove: Gives the consistency proof from a smaller size to a larger one.
            last: The size that the witness probably remembers; if it says another, that one is tried.

        Raises:
            NotCosigned: the witness refuses, or remembers a larger log than this one.
            DidNotVerify: the answer is not a cosignature by the known key.
            Problem: the witness cannot be reached.
        """
        size = checkpoints.parse(note).checkpoint.size
        try:
            return self.cosign(rules.Request(last, tuple(prove(last, size)), note))
        except rules.NotCosigned as refusal:
            if refusal.size is None or refusal.size == last or refusal.size > size:
                raise
            known = refusal.size
        return self.cosign(rules.Request(known, tuple(prove(known, size)), note))
