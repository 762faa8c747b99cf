"""What an audit may be given besides the log: receipts that people kept, and orders that were lodged with a witness."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from watchglass.ledger.receipt import Receipt
from watchglass.records.leaf import Leaf


@dataclass(frozen=True, slots=True)
class Promised:
    """A receipt, and the leaf hash (32 bytes) that it was given for. ``name``: how the report calls it."""

    name: str
    receipt: Receipt
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Lodged:
    """What was lodged with a witness: the body, and the note with which the witness took it."""

    name: str
    body: bytes
    note: bytes


class Openings(Protocol):
    """What oversight can open."""

    def values(self, leaf: Leaf, leaf_hash: bytes) -> dict[str, Any] | None:
        """The committed values by field; None where there is no opening (any more).

        Raises:
            DidNotVerify: what is there is not what the leaf committed to.
        """
        ...
