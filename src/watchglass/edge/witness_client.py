"""A witness in the same process: for the demo, where one computer plays every part, and for tests.

The client for witnesses elsewhere is ``edge.witness.WitnessClient``; both fit the sequencer's port.
"""

from __future__ import annotations

from watchglass.edge.witness import WitnessDirectory
from watchglass.ledger.witness import Request, with_answer


class LocalWitness:
    """Asks a ``WitnessDirectory`` directly, with the same request and the same checks as over HTTP."""

    def __init__(self, witness: WitnessDirectory) -> None:
        self._witness = witness
        self.name = witness.key.name

    def cosign(self, request: Request) -> bytes:
        """The checkpoint of ``request`` with the witness's cosignature added.

        Raises:
            NotCosigned: the witness refuses.
            CannotRecord: it could not remember, so it did not cosign.
        """
        return with_answer(request.note, self._witness.add_checkpoint(request.encode()).decode(), [self._witness.key])
