"""What oversight lodged with the witnesses: fetched every few seconds, and orders handed to the acts.

A house that is cut off from oversight, or that will not hear it, still obeys what a witness shows to everybody. Each
witness is asked by itself, so that a slow one holds up no other. What cannot be obeyed is kept with the reason.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Protocol

from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem, WatchglassError
from watchglass.core.time import MINUTE, SECOND, Clock
from watchglass.records.lodging import ORDERS
from watchglass.records.outbox import Store
from watchglass.records.statement import SignedStatement
from watchglass.runtime.aside import Aside

EVERY_S: Final = 3.0
"""How long between two looks."""
_WAIT_S: Final = 2.0
_AT_ONCE: Final = 20
_REFUSED_KEPT: Final = 20
_AHEAD_MS: Final = 5 * MINUTE
_SETTING: Final = "lodged"
_SET: Final = "INSERT INTO setting (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


class Kept(Protocol):
    """One lodged thing; its receipt was checked."""

    @property
    def kind(self) -> str: ...

    @property
    def at_s(self) -> int: ...

    @property
    def body(self) -> bytes: ...


class Shelf(Protocol):
    """A witness, as far as it keeps what is lodged."""

    def listed(self, origin: str, start: int) -> tuple[int, list[int]] | None: ...

    def fetch(self, origin: str, n: int) -> Kept: ...


@dataclass(frozen=True, slots=True)
class Turned:
    """A lodged order that was not obeyed, and why.

    Attributes:
        witness: where it lay. sha256: of its bytes, in base64. at_ms: when it was turned away.
    """

    witness: str
    sha256: str
    at_ms: int
    why: str


class LodgedOrders:
    """Looks what is lodged, and hands orders on.

    Args:
        take: does what an order says; it is given the order and when it was lodged (ms, by the witness).
    """

    def __init__(self, store: Store, clock: Clock, origin: str, take: Callable[[SignedStatement, int], object]) -> None:
        self._store = store
        self._clock = clock
        self._origin = origin
        self._take = take
        self._aside = Aside("looks-for-lodged-orders")
        self._mutex = threading.Lock()
        self.problems: dict[str, WatchglassError] = {}
        row = store.read().one("SELECT value FROM setting WHERE key = ?", _SETTING)
        value: dict[str, Any] = json.loads(row["value"]) if row else {"next": {}, "turned": []}
        self._next: dict[str, int] = {name: int(n) for name, n in value["next"].items()}
        self._turned = [Turned(**part) for part in value["turned"]]

    @property
    def turned_away(self) -> tuple[Turned, ...]:
        """The last orders that were not obeyed, newest first."""
        return tuple(reversed(self._turned))

    def look(self, shelves: Mapping[str, Shelf]) -> None:
        """Ask each witness what is new; wait a moment for the answers."""
        self._aside.run({name: self._job(name, shelf) for name, shelf in shelves.items()}, _WAIT_S)

    def _job(self, name: str, shelf: Shelf) -> Callable[[], None]:
        def ask() -> None:
            try:
                self._ask(name, shelf)
                self.problems.pop(name, None)
            except WatchglassError as error:
                self.problems[name] = error
            except Exception as error:  # noqa: BLE001  # whatever a witness sends, the others must be heard
                self.problems[name] = Problem(
                    f"Looking what is lodged stumbled: {type(error).__name__}: {error}.", fix="It is tried again."
                )

        return ask

    def _ask(self, name: str, shelf: Shelf) -> None:
        start = self._next.get(name, 0)
        listed = shelf.listed(self._origin, start)
        if listed is None:
            return  # it takes nothing
        count, numbers = listed
        if count < start:  # it lost its memory, and counts anew; what was obeyed is known here
            self._remember(name, 0)
            return
        for n in numbers[:_AT_ONCE]:
            kept = shelf.fetch(self._origin, n)
            turned = self._obey(name, kept) if kept.kind in ORDERS else None
            self._remember(name, n + 1, turned)

    def _obey(self, name: str, kept: Kept) -> Turned | None:
        """Do what was ordered; why not, where that is refused for good.

        Raises:
            CannotRecord: it could not be recorded, so it is tried again.
        """
        now = self._clock.now()
        try:
            statement = SignedStatement.parse(kept.body)
            if statement.leaf.act not in ORDERS:
                raise BadInput(f"“{statement.leaf.act}” is not done because it was lodged.", fix="Hand it in.")
            if self._is_known(statement):
                return None
            if kept.at_s * SECOND > now + _AHEAD_MS:
                raise DidNotVerify("The witness says that it was lodged in the future.", fix="Check both clocks.")
            self._take(statement, kept.at_s * SECOND)
        except CannotRecord:
            raise
        except WatchglassError as error:
            if isinstance(error, Problem) and self._is_known(statement):
                return None  # it came another way at the same moment
            return Turned(name, b64(sha256(kept.body)), now, f"{error.message} {error.fix}")
        return None

    def _is_known(self, statement: SignedStatement) -> bool:
        sig = statement.signature.sig
        return self._store.read().one("SELECT 1 FROM statement WHERE sig = ?", sig) is not None

    def _remember(self, name: str, following: int, turned: Turned | None = None) -> None:
        with self._mutex:
            after = {**self._next, name: following}
            kept = [*self._turned, turned][-_REFUSED_KEPT:] if turned else self._turned
            value = json.dumps({"next": after, "turned": [asdict(each) for each in kept]}, sort_keys=True)
            self._store.commit(lambda tx: tx.execute(_SET, _SETTING, value))
            self._next, self._turned = after, kept
