"""A witness's memory on disk and the client that asks a witness over HTTP.

One file per log, named by the SHA-256 of its origin, holds the last cosigned checkpoint with the witness's own
cosignature, so that a file that was changed by anybody else is noticed and nothing is cosigned on top of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

from watchglass.core.digest import sha256
from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, DidNotVerify, Problem
from watchglass.core.time import SECOND, Clock
from watchglass.edge.clock import SystemClock
from watchglass.edge.entropy import SystemEntropy
from watchglass.edge.tiles import TIMEOUT_SECONDS, exclusive, write_durably
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger import note as notes
from watchglass.ledger import witness as rules
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import KeyType, SignerKey, VerifierKey

KEY_FILE = "witness.key"
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
    directory: Path, logs: Iterable[VerifierKey], *, key_file: Path | None = None, clock: Clock | None = None
) -> WitnessDirectory:
    """The witness in ``directory`` that watches ``logs``; its key lies there unless ``key_file`` says otherwise.

    Raises:
        BadInput: there is no usable key, or one of ``logs`` is not a log's key.
    """
    return WitnessDirectory(directory, load_witness_key(key_file or directory / KEY_FILE), logs, clock or SystemClock())


class WitnessDirectory:
    """A witness at work. Checking and remembering happen under one lock, and memory is on disk before the answer."""

    def __init__(self, directory: Path, signer: SignerKey, logs: Iterable[VerifierKey], clock: Clock) -> None:
        self._directory = directory
        self._signer = signer
        self._logs = rules.logs_by_origin(logs)
        self._clock = clock
        self._mutex = threading.Lock()

    @property
    def key(self) -> VerifierKey:
        """The witness's public key."""
        return self._signer.verifier

    @property
    def origins(self) -> tuple[str, ...]:
        """The logs it watches."""
        return tuple(self._logs)

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
            NotCosigned: the rules refuse.
            DidNotVerify: this witness's own memory was changed; it then refuses everything for that log.
            CannotRecord: the new memory could not be written; nothing was cosigned.
        """
        request = rules.Request.parse(body)
        signed = rules.authenticate(request, self._logs)
        with self._mutex:
            checkpoint = rules.advance(self.latest(signed.checkpoint.origin), request, signed.checkpoint)
            line = notes.sign_text(signed.note.text, self._signer, seconds=self._clock.now() // SECOND)
            ours = tuple(other for other in signed.note.signatures if not other.is_by(self.key))
            memory = notes.Note(signed.note.text, (*ours, line)).encode()
            write_durably([(self._path(checkpoint.origin), memory)])
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

    def _path(self, origin: str) -> Path:
        return self._directory / f"{sha256(origin.encode()).hex()}.checkpoint"


class WitnessClient:
    """Asks one witness for cosignatures."""

    def __init__(self, url: str, keys: Sequence[VerifierKey], client: httpx.Client | None = None) -> None:
        self._url = url.rstrip("/")
        self._keys = tuple(keys)
        self._client = client or httpx.Client(timeout=TIMEOUT_SECONDS, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def cosign(self, request: rules.Request) -> bytes:
        """The checkpoint of ``request`` with the witness's cosignature added.

        Raises:
            NotCosigned: the witness refuses; on 409 its ``size`` is where the proof has to start.
            DidNotVerify: the answer is not a cosignature by the known key.
            Problem: the witness cannot be reached.
        """
        try:
            with self._client.stream("POST", f"{self._url}/add-checkpoint", content=request.encode()) as answer:
                status = answer.status_code
                text = _short(answer)
        except httpx.HTTPError as error:
            raise Problem(
                f"The witness at {self._url} cannot be reached: {error or type(error).__name__}.",
                fix="Start the witness or check its address; what waits for a cosignature goes on waiting.",
            ) from error
        if status != httpx.codes.OK:
            raise rules.refusal(status, text)
        return rules.with_answer(request.note, text, self._keys)

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


def _short(answer: httpx.Response) -> str:
    data = bytearray()
    for part in answer.iter_bytes():
        data += part
        if len(data) > rules.MAX_REQUEST_BYTES:
            raise Problem("The witness sent far too much.", fix="Check the witness's address.")
    return data.decode("utf-8", "replace")
