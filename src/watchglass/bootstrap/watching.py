"""A deployment's witnesses: who is asked, how many must agree, what is lodged with them, what the ledger says of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from watchglass.acts.context import Acting
from watchglass.acts.note_witnessed import note_witnessed
from watchglass.charter.model import Charter
from watchglass.edge.lodging import LodgingClient
from watchglass.edge.witness import WitnessClient
from watchglass.ledger.keys import VerifierKey
from watchglass.records.outbox import Transaction
from watchglass.records.statement import SignedStatement
from watchglass.runtime.lodged import LodgedOrders, Turned
from watchglass.runtime.sequencer import Sequencer

log = logging.getLogger(__name__)

_NOBODY: Final = "nobody"


@dataclass(frozen=True, slots=True)
class WitnessFacts:
    """How one witness stands.

    Attributes:
        name: its key's name. address: where it is asked.
        size: how many entries it has cosigned; asked_ms: when it was asked that; None: never.
        problem: why it does not cosign now; orders: why what is lodged there cannot be seen now. None: all is well.
    """

    name: str
    address: str
    size: int
    asked_ms: int | None
    problem: str | None
    orders: str | None


@dataclass(frozen=True, slots=True)
class WatchFacts:
    """How the witnesses stand together.

    Attributes:
        needed: how many of them must agree. cosigned_size: up to which entry enough of them have.
        witnessed_ms: when enough of them were asked that have cosigned since.
        turned_away: orders that were lodged with them and not obeyed, newest first.
    """

    needed: int
    size: int
    cosigned_size: int
    witnessed_ms: int | None
    witnesses: tuple[WitnessFacts, ...]
    turned_away: tuple[Turned, ...]


class Watch:
    """Keeps the sequencer's witnesses those of the charter, and does what is lodged with them.

    Attributes:
        spacing_ms: how long between two records of what witnesses cosigned, while nobody waits for them. Live it is 0:
            the log grows every `checkpoint_every` anyway.

    Args:
        take: does what a lodged order says.
    """

    def __init__(self, acting: Acting, sequencer: Sequencer, take: Callable[[SignedStatement, int], object]) -> None:
        self._acting = acting
        self._sequencer = sequencer
        self._clients: dict[str, tuple[WitnessClient, LodgingClient]] = {}
        self._opened: dict[tuple[str, str], tuple[WitnessClient, LodgingClient]] = {}
        self._needed = 0
        self.spacing_ms = 0
        self._complained: dict[str, str] = {}
        sequencer.cosigning.on_agreement(self._note)
        self.orders = LodgedOrders(acting.store, acting.clock, acting.origin, take)

    def follow(self, stands: Charter, newest: Charter) -> None:
        """Ask the witnesses of both charters; either's agreement is enough (see ADR 16)."""
        clients: dict[str, tuple[WitnessClient, LodgingClient]] = {}
        for witness in (*stands.oversight.witnesses, *newest.oversight.witnesses):
            key = VerifierKey.parse(witness.key)
            clients[key.label] = self._client_of(key, witness.url)
        self._clients = clients
        agreements = [each for each in (stands.oversight.agreement, newest.oversight.agreement) if each is not None]
        self._sequencer.watched_by({name: client for name, (client, _) in self._clients.items()}, agreements)
        self._needed = stands.oversight.agreement.needed if stands.oversight.agreement else 0

    def _client_of(self, key: VerifierKey, url: str) -> tuple[WitnessClient, LodgingClient]:
        """The two that speak with a witness. They stay open until the end: somebody may be speaking just now."""
        at = (str(key), url)
        if at not in self._opened:
            self._opened[at] = (WitnessClient(url, [key], clock=self._acting.clock), LodgingClient(url, key))
        return self._opened[at]

    def _note(self, tx: Transaction, size: int, note: bytes) -> None:
        """Record what enough witnesses cosigned, in the transaction that makes it count."""
        note_witnessed(self._acting, tx, size, note, spacing_ms=self.spacing_ms)

    def look_for_orders(self) -> None:
        """Fetch what is lodged with the witnesses, and do it."""
        self.orders.look({name: shelf for name, (_, shelf) in self._clients.items()})

    def complain(self) -> None:
        """Say once what each witness that does not cosign says, and when it does again."""
        now = {each.name: each.problem for each in self._sequencer.cosigning.witnessing() if each.problem}
        for name, problem in now.items():
            if self._complained.get(name) != problem:
                log.warning("The witness %s does not cosign: %s", name.partition("+")[0], problem)
        for name in self._complained.keys() - now.keys():
            log.warning("The witness %s cosigns again.", name.partition("+")[0])
        self._complained = now

    def facts(self) -> WatchFacts:
        """How all of them stand, for people."""
        found = []
        for each in self._sequencer.cosigning.witnessing():
            client = self._clients.get(each.name)
            trouble = self.orders.problems.get(each.name)
            found.append(
                WitnessFacts(
                    each.name.partition("+")[0],
                    client[1].url if client else _NOBODY,
                    each.size,
                    each.asked_ms,
                    each.problem,
                    f"{trouble.message} {trouble.fix}" if trouble else None,
                )
            )
        return WatchFacts(
            self._needed,
            self._sequencer.head.size,
            self._sequencer.cosigned_size(),
            self._sequencer.cosigning.witnessed_ms(),
            tuple(found),
            self.orders.turned_away,
        )

    def close(self) -> None:
        """Close the connections."""
        for clients in self._opened.values():
            for client in clients:
                client.close()
