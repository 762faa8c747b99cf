"""Act: an operator changes the draft of the charter. Nothing that runs is touched: a draft counts once it is signed."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from watchglass.access.roles import Grant, May
from watchglass.acts.context import Acting, Done, attest, do
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import Problem
from watchglass.records.outbox import Transaction


class Drafts(Protocol):
    """Where the draft lies."""

    def read(self) -> bytes | None: ...

    def replacing(self, data: bytes) -> AbstractContextManager[None]: ...


@dataclass(frozen=True, slots=True)
class Saved:
    """A draft that was saved: its version, and the SHA-256 of its bytes."""

    version: int
    sha256: str


def save_draft(
    acting: Acting,
    grant: Grant,
    drafts: Drafts,
    text: bytes,
    *,
    shown: bytes | None,
    source: str,
    under: Charter | None,
) -> Done[Saved]:
    """Let ``text`` be the draft, if the one that was looked at still is.

    The record comes first and the file after it, so that no change is ever without its record; a machine that fails
    between the two leaves a record of a draft that was not kept, and the file as it was.

    Args:
        shown: SHA-256 of the draft that the person saw; None where there was none.
        source: whose picture was drawn on.
        under: the charter that stands, for the record.

    Raises:
        BadInput, Refused: ``text`` is not a charter.
        Problem: somebody else has changed the draft meanwhile, or it cannot be written.
    """
    grant.require(May.EDIT_DRAFT)
    charter = parse(text)
    with drafts.replacing(text):
        now = drafts.read()
        if (sha256(now) if now is not None else None) != shown:
            raise Problem(
                "Somebody has changed the draft since you opened this page, so nothing was saved.",
                fix="Reload the page, look at their changes, and draw yours again.",
            )

        def act(tx: Transaction) -> Saved:
            attest(
                acting,
                tx,
                "draft_saved",
                by=grant,
                under=under,
                clear={"name": charter.charter, "version": charter.version},
                committed={
                    "source": source,
                    "before": b64(shown) if shown is not None else None,
                    "sha256": b64(charter.sha256),
                },
            )
            return Saved(charter.version, charter.digest)

        return do(acting, act)
