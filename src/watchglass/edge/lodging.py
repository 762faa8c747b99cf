"""What was lodged with a witness, on disk; and the client that lodges and that looks what was lodged.

``lodged/<SHA-256 of the origin>/<n>.json`` is canonical JSON with the bytes and the witness's receipt for them. It is
on disk before the receipt leaves, and is never changed or removed.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from watchglass.core import canonical
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.errors import BadInput, CannotRecord, Problem, Refused
from watchglass.core.time import SECOND, Clock
from watchglass.edge.tiles import write_durably
from watchglass.ledger.keys import SignerKey, VerifierKey
from watchglass.ledger.lodging import MAX_BODY_BYTES, MOST_LODGED, Lodged, open_receipt
from watchglass.records.lodging import parcel_of

PAGE: Final = 100
"""Things in one list."""
_VERSION: Final = 1
_MEMBERS: Final = frozenset({"watchglass_lodged", "origin", "kind", "at_s", "body", "note"})
_MOST_BYTES: Final = 2 * MAX_BODY_BYTES
PLAIN: Final = {"accept-encoding": "identity"}
"""Asks for a body as it is: what is read is bounded before it could be unpacked."""
_TIMEOUT_S: Final = 10.0


def folder_of(origin: str) -> str:
    """What a log is called in addresses and folders: the hex SHA-256 of its origin."""
    return sha256(origin.encode()).hex()


@dataclass(frozen=True, slots=True)
class Kept:
    """One lodged thing: its number in its log's list, its kind, when it came, the bytes, and the receipt."""

    n: int
    origin: str
    kind: str
    at_s: int
    body: bytes
    note: bytes

    def line(self) -> dict[str, Any]:
        """How a list tells of it."""
        return {"n": self.n, "kind": self.kind, "sha256": b64(sha256(self.body)), "at_s": self.at_s}

    def encode(self) -> bytes:
        """The file, and what the witness answers."""
        return canonical.encode(
            {
                "watchglass_lodged": _VERSION,
                "origin": self.origin,
                "kind": self.kind,
                "at_s": self.at_s,
                "body": b64(self.body),
                "note": self.note.decode("utf-8"),
            }
        )

    @classmethod
    def parse(cls, n: int, data: bytes) -> Kept:
        """The lodged thing in a file or an answer; no signature is checked here.

        Raises:
            BadInput: it is none.
        """
        value = canonical.decode(data)
        if type(value) is not dict or value.keys() != _MEMBERS or value["watchglass_lodged"] != _VERSION:
            raise BadInput("This is not something that was lodged, version 1.", fix="Ask the witness again.")
        texts = [value[name] for name in ("origin", "kind", "body", "note")]
        if not all(type(text) is str for text in texts) or type(value["at_s"]) is not int:
            raise BadInput("A part of what was lodged is not text.", fix="Ask the witness again.")
        return cls(n, texts[0], texts[1], value["at_s"], unb64(texts[2]), texts[3].encode())


class LodgingShelf:
    """Keeps what oversight lodges, and shows it to everybody.

    Args:
        folder: where it lies. signer: the witness. origins: the logs that it watches.
        oversight: whose orders and challenges it takes; nobody's where there are none.
    """

    def __init__(
        self, folder: Path, signer: SignerKey, origins: Sequence[str], oversight: Sequence[VerifierKey], clock: Clock
    ) -> None:
        self._folder = folder
        self._signer = signer
        self._origins = tuple(origins)
        self._oversight = tuple(oversight)
        self._clock = clock
        self._mutex = threading.Lock()
        self._known: dict[str, list[Kept]] = {}

    @property
    def oversight(self) -> tuple[VerifierKey, ...]:
        """Whose orders and challenges it takes."""
        return self._oversight

    def lodge(self, body: bytes) -> bytes:
        """Keep ``body`` and give the receipt; the same bytes again give the same receipt.

        Raises:
            BadInput, Refused, DidNotVerify: it may not be lodged here; see ``records.lodging``.
            CannotRecord: it could not be kept; there is no receipt then.
        """
        now = self._clock.now()
        with self._mutex:
            for kept in (one for origin in self._origins for one in self._kept(origin)):
                if kept.body == body:
                    return kept.note
            parcel = parcel_of(body, origins=self._origins, oversight=self._oversight, now=now)
            before = self._kept(parcel.origin)
            if len(before) >= MOST_LODGED:
                raise Refused(
                    f"{MOST_LODGED:,} things are lodged here for this log already.",
                    fix="Lodge it with another witness, and ask this one's operator for room.",
                )
            note = Lodged.of(parcel.origin, body, now // SECOND).sign(self._signer)
            kept = Kept(len(before), parcel.origin, parcel.kind, now // SECOND, body, note)
            write_durably([(self._folder / folder_of(parcel.origin) / f"{kept.n}.json", kept.encode())])
            before.append(kept)
        return note

    def listed(self, folder: str, start: int = 0) -> dict[str, Any] | None:
        """What was lodged for the log of that folder, from number ``start`` on; None where it is not watched here."""
        origin = self._origin(folder)
        if origin is None:
            return None
        with self._mutex:
            kept = self._kept(origin)
            lines = [one.line() for one in kept[max(0, start) : max(0, start) + PAGE]]
            return {"origin": origin, "count": len(kept), "lodged": lines}

    def one(self, folder: str, n: int) -> bytes | None:
        """One lodged thing with its receipt, or None."""
        origin = self._origin(folder)
        if origin is None:
            return None
        with self._mutex:
            kept = self._kept(origin)
            return kept[n].encode() if 0 <= n < len(kept) else None

    def _origin(self, folder: str) -> str | None:
        return next((origin for origin in self._origins if folder_of(origin) == folder), None)

    def _kept(self, origin: str) -> list[Kept]:
        """What lies on disk, read once. A hole in the numbers or a damaged file is not passed over."""
        if origin not in self._known:
            found: list[Kept] = []
            while (path := self._folder / folder_of(origin) / f"{len(found)}.json").is_file():
                try:
                    kept = Kept.parse(len(found), path.read_bytes())
                    open_receipt(kept.note, [self._signer.verifier], body=kept.body)
                except (OSError, BadInput) as error:
                    raise CannotRecord(
                        f"{path}, which was lodged here, is damaged: {error}", fix="Restore it from a copy."
                    ) from error
                found.append(kept)
            self._known[origin] = found
        return self._known[origin]


class LodgingClient:
    """Speaks with one witness about what is lodged there.

    Args:
        key: the witness's cosigning key, by which its receipts are checked.
    """

    def __init__(self, url: str, key: VerifierKey, client: httpx.Client | None = None) -> None:
        self.url = url.rstrip("/")
        self.key = key
        self._client = client or httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False, headers=PLAIN)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def lodge(self, body: bytes) -> bytes:
        """Lodge ``body``; the witness's receipt, checked.

        Raises:
            Refused: the witness does not take it. DidNotVerify: its receipt is not by its key, or for other bytes.
            Problem: it cannot be reached, or does not take lodged things.
        """
        status, data = self._ask("POST", "/lodge", body)
        said = data.decode("utf-8", "replace").strip()[:300]
        if status in {httpx.codes.BAD_REQUEST, httpx.codes.FORBIDDEN}:
            raise Refused(f"The witness at {self.url} does not take it: {said}", fix="Lodge it with another witness.")
        if status != httpx.codes.OK:
            raise Problem(
                f"Nothing could be lodged at {self.url}: it answered {status}. {said}",
                fix="Check the address, or lodge it with another witness.",
            )
        open_receipt(data, [self.key], body=body)
        return data

    def listed(self, origin: str, start: int) -> tuple[int, list[int]] | None:
        """How many things are lodged for a log, and the numbers from ``start`` on; None: it takes no lodged things.

        Raises:
            Problem: it cannot be reached, or answers nonsense.
        """
        status, data = self._ask("GET", f"/lodged/{folder_of(origin)}?from={start}")
        if status in {httpx.codes.NOT_FOUND, httpx.codes.METHOD_NOT_ALLOWED}:
            return None
        try:
            if status != httpx.codes.OK:
                raise ValueError(status)
            value = json.loads(data)
            count, numbers = value["count"], [line["n"] for line in value["lodged"]]
            if type(count) is not int or numbers != list(range(start, start + len(numbers))) or len(numbers) > PAGE:
                raise ValueError(numbers)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise Problem(
                f"What the witness at {self.url} lists as lodged makes no sense.", fix="Ask its operator."
            ) from error
        return count, numbers

    def fetch(self, origin: str, n: int) -> Kept:
        """One lodged thing, with its receipt checked.

        Raises:
            Problem: it cannot be reached. BadInput, DidNotVerify: it answers something else.
        """
        status, data = self._ask("GET", f"/lodged/{folder_of(origin)}/{n}")
        if status != httpx.codes.OK:
            raise Problem(f"The witness at {self.url} answered {status} for number {n}.", fix="Ask its operator.")
        kept = Kept.parse(n, data)
        lodged = open_receipt(kept.note, [self.key], body=kept.body)
        if (lodged.origin, lodged.seconds) != (origin, kept.at_s):
            raise BadInput("What was lodged and its receipt do not belong together.", fix="Ask the witness's operator.")
        return kept

    def _ask(self, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
        until = time.monotonic() + _TIMEOUT_S
        try:
            with self._client.stream(method, self.url + path, content=body) as answer:
                return answer.status_code, read_short(answer, _MOST_BYTES, until)
        except httpx.HTTPError as error:
            raise Problem(
                f"The witness at {self.url} cannot be reached: {error or type(error).__name__}.",
                fix="Start the witness or check its address.",
            ) from error


def read_short(answer: httpx.Response, most: int, until: float) -> bytes:
    """The body of an answer that must be short and end soon, as it was sent.

    Args:
        most: bytes. until: on the monotonic clock.

    Raises:
        Problem: it sends more, or has not ended by then.
    """
    data = bytearray()
    for part in answer.iter_raw():
        data += part
        if len(data) > most:
            raise Problem("The witness sent far too much.", fix="Check the witness's address.")
        if time.monotonic() > until:
            raise Problem("The witness sends without coming to an end.", fix="Check the witness's address.")
    return bytes(data)
