"""A witness in the same process: for the demo, where one computer plays every part, and for tests.

The client for witnesses elsewhere is ``edge.witness.WitnessClient``; both fit the sequencer's port.
"""

from __future__ import annotations

from watchglass.core.time import SECOND, Clock
from watchglass.edge.witness import WitnessDirectory
from watchglass.ledger.witness import Request, with_answer


class LocalWitness:
    """Asks a ``WitnessDirectory`` directly, with the same request and the same checks as over HTTP.

    ``name`` is what the log calls it: its key as ``name+keyid``.
    """

    def __init__(self, witness: WitnessDirectory, clock: Clock | None = None) -> None:
        self._witness = witness
        self._clock = clock
        self.name = witness.key.label

    def cosign(self, request: Request) -> bytes:
        """The checkpoint of ``request`` with the witness's cosignature added.

        Raises:
            NotCosigned: the witness refuses.
            CannotRecord: it could not remember, so it did not cosign.
            DidNotVerify: its time is far from the log's.
        """
        answer = self._witness.add_checkpoint(request.encode()).decode()
        now_s = None if self._clock is None else self._clock.now() // SECOND
        return with_answer(request.note, answer, [self._witness.key], now_s=now_s)
