"""What oversight lodges with witnesses from its own machine: orders that must reach the house, and challenges.

Beside the order's file ``FILE`` lies a folder ``FILE.lodged`` with what each witness keeps of it: the bytes and the
receipt, in the form in which the witness shows them, so that an audit reads either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from watchglass.core.errors import BadInput, WatchglassError
from watchglass.core.time import SECOND, iso
from watchglass.edge.lodging import Kept, LodgingClient
from watchglass.edge.tiles import write_durably
from watchglass.ledger.keys import SignerKey, VerifierKey
from watchglass.ledger.lodging import Challenge, open_receipt
from watchglass.records.lodging import CHALLENGED


@dataclass(frozen=True, slots=True)
class Lodging:
    """What one witness took.

    Attributes:
        at_s: when, by its clock. body: the lodged bytes. note: its receipt, which was checked.
    """

    witness: VerifierKey
    url: str
    kind: str
    origin: str
    at_s: int
    body: bytes
    note: bytes

    def as_json(self) -> dict[str, Any]:
        """For people and programs."""
        return {
            "witness": self.witness.name,
            "url": self.url,
            "at": iso(self.at_s * SECOND),
            "note": self.note.decode(),
        }


def witness_at(url: str, known: Iterable[Mapping[str, Any]], more: Sequence[VerifierKey] = ()) -> VerifierKey:
    """The key of the witness at ``url``.

    Args:
        known: the charter's witnesses, as ``/api/v1/standing`` tells them.
        more: keys that were given besides, for a witness that the charter does not name.

    Raises:
        BadInput: nothing says whose receipt it would be.
    """
    for witness in known:
        if str(witness["url"]).rstrip("/") == url.rstrip("/"):
            return VerifierKey.parse(str(witness["key"]))
    if len(more) == 1:
        return more[0]
    raise BadInput(
        f"The charter names no witness at {url}, so nobody knows whose receipt it would give.",
        fix="Use a witness's address from the charter, or add --witness with its verifier key.",
    )


def lodge(url: str, witness: VerifierKey, kind: str, origin: str, body: bytes) -> Lodging:
    """Lodge ``body`` with one witness.

    Raises:
        Refused: it does not take it. DidNotVerify: its receipt is not by its key, or for other bytes.
        Problem: it cannot be reached, or takes nothing.
    """
    with closing(LodgingClient(url, witness)) as client:
        note = client.lodge(body)
    lodged = open_receipt(note, [witness], body=body)
    return Lodging(witness, url, kind, origin, lodged.seconds, body, note)


def lodge_with_all(
    urls: Sequence[str], keys: Sequence[VerifierKey], kind: str, origin: str, body: bytes
) -> tuple[list[Lodging], list[tuple[str, WatchglassError]]]:
    """Lodge ``body`` with each witness: who took it, and who did not, with what they said."""
    taken, failed = [], []
    for url, key in zip(urls, keys, strict=True):
        try:
            taken.append(lodge(url, key, kind, origin, body))
        except WatchglassError as error:
            failed.append((url, error))
    return taken, failed


def lodge_challenge(url: str, witness: VerifierKey, oversight: SignerKey, origin: str, sha256: bytes) -> Lodging:
    """Sign a challenge that only this hash (32 bytes) describes, and lodge it.

    Raises: as ``lodge``.
    """
    return lodge(url, witness, CHALLENGED, origin, Challenge(origin, sha256).sign(oversight))


def keep(folder: Path, taken: Sequence[Lodging]) -> None:
    """Keep what witnesses took, with their receipts, in ``folder``.

    Raises:
        CannotRecord: the folder cannot be written.
    """
    kept = (Kept(n, one.origin, one.kind, one.at_s, one.body, one.note) for n, one in enumerate(taken))
    write_durably([(folder / f"{each.n}.json", each.encode()) for each in kept])
