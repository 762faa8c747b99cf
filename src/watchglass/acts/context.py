"""What every act is given: the store, the recorder, the clock. And what every act gives back."""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

from watchglass.access.roles import Grant
from watchglass.charter.model import Charter
from watchglass.charter.permit import Permit
from watchglass.core.entropy import Entropy
from watchglass.core.errors import Refused
from watchglass.core.time import Clock, month_of
from watchglass.ledger.receipt import Receipt
from watchglass.records.act_spec import ALLOWED_BY, Need
from watchglass.records.outbox import PreparedLeaf, Store, Transaction
from watchglass.records.recorder import Recorder
from watchglass.records.vocabulary import ACTS

T = TypeVar("T")

HOUSE: Final = "house"
"""The role and actor of what the software does by itself; attested, like all that the server states."""

_PSEUDONYM_BYTES: Final = 8
_PSEUDONYM_LETTERS: Final = 12


class Objects(Protocol):
    """Where ciphertext lies: the mosaicked clips of alerts, and the chunks of sealed segments.

    An object never changes: the same bytes may be written again, others under its name may not. What cannot be done now
    raises a ``WatchglassError``; ``CannotRecord`` where it should be tried again later.
    """

    def write(self, name: str, ciphertext: bytes) -> None: ...

    def read(self, name: str) -> bytes: ...

    def destroy(self, name: str) -> object:
        """Remove it; no error where there is none."""
        ...

    def kept(self) -> Iterable[tuple[str, int]]:
        """Every object there is: its name, and when it was written (milliseconds since 1970)."""
        ...


@dataclass(frozen=True, slots=True)
class Acting:
    """What acts need from below and from the edge."""

    store: Store
    recorder: Recorder
    clock: Clock
    entropy: Entropy
    clips: Objects
    objects: Objects

    @property
    def origin(self) -> str:
        """The log that these acts are recorded in."""
        return self.recorder.origin


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """An act that happened: its value, and a log-signed receipt for each record it wrote."""

    value: T
    receipts: tuple[Receipt, ...]


def same(asked: str, name: str) -> None:
    """Check that a permit was asked for the thing that the act is done to.

    Raises:
        Refused: it is for another one.
    """
    if asked != name:
        raise Refused(f"This permit is for “{asked}”, not for “{name}”.", fix="Ask the charter for this act.")


def do(acting: Acting, act: Callable[[Transaction], T]) -> Done[T]:
    """Run ``act`` in one transaction with its records."""
    committed = acting.store.commit(act)
    return Done(committed.value, committed.receipts)


def attest(
    acting: Acting,
    tx: Transaction,
    act: str,
    *,
    by: Grant | None,
    under: Permit | Charter | None,
    clear: Mapping[str, object] | None = None,
    committed: Mapping[str, object] | None = None,
    refs: Sequence[bytes] = (),
) -> bytes:
    """Write the record of an act that the server attests, inside the act's own transaction.

    The person, where there is one, appears in public under this month's pseudonym only; the account's name goes into
    a commitment that oversight alone can open.

    Returns:
        The record's leaf hash.
    """
    given = (by, under, clear, committed, refs)
    return tx.record(prepare(acting, tx, act, *given))


def prepare(
    acting: Acting,
    tx: Transaction,
    act: str,
    by: Grant | None,
    under: Permit | Charter | None,
    clear: Mapping[str, object] | None = None,
    committed: Mapping[str, object] | None = None,
    refs: Sequence[bytes] = (),
) -> PreparedLeaf:
    """The record of an act, not written yet: for an act that shows what opens it to somebody besides oversight."""
    hidden = dict(committed or {})
    if by is not None:
        hidden.setdefault("account", by.person.name)
    if ALLOWED_BY in ACTS[act].committed:
        hidden[ALLOWED_BY] = by.as_json() if by else None
    charter = under.charter_sha256 if isinstance(under, Permit) else under.sha256 if under else None
    names_purpose = isinstance(under, Permit) and ACTS[act].purpose is not Need.NEVER
    return acting.recorder.attested(
        act,
        role=str(by.role) if by else HOUSE,
        actor=pseudonym(acting, tx, by.person.account) if by else HOUSE,
        charter=charter,
        purpose=under.purpose if names_purpose and isinstance(under, Permit) else None,
        clear=clear,
        committed=hidden,
        refs=refs,
    )


def pseudonym(acting: Acting, tx: Transaction, account: int) -> str:
    """What public records call ``account`` this month: random, and new each month."""
    month = month_of(acting.clock.now())
    row = tx.one("SELECT value FROM pseudonym WHERE account = ? AND month = ?", account, month)
    if row is not None:
        return str(row["value"])
    value = "p-" + b32encode(acting.entropy.bytes(_PSEUDONYM_BYTES)).decode().lower()[:_PSEUDONYM_LETTERS]
    tx.insert("pseudonym", {"account": account, "month": month, "value": value})
    return value
