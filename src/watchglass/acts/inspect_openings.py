"""Acts: oversight takes the sealed openings away, to open them on its own machine."""

from __future__ import annotations

import json
import re
from typing import Any, Final

from watchglass.access.roles import Grant, May, Role
from watchglass.acts.context import HOUSE, Acting, Done, attest, do
from watchglass.acts.who_asks import allow_question, not_yours, office_of
from watchglass.charter.decide import Standing
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput
from watchglass.records.act_spec import ALLOWED_BY
from watchglass.records.leaf import signer_name
from watchglass.records.outbox import Transaction
from watchglass.records.query import SignedQuery

OPENINGS: Final = "openings"
"""The signed question that ``answer_openings`` answers; what it is about is the entry to begin with."""
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,14}")
_TAKEN: Final = "openings_taken"


def take_openings(acting: Acting, grant: Grant) -> Done[bytes]:
    """Every sealed opening and wrapped key that retention has left, as one JSON file; the portal cannot read it."""
    grant.require(May.TAKE_OPENINGS)

    def act(tx: Transaction) -> bytes:
        bundle = _bundle(tx, acting.origin, 0)
        attest(acting, tx, _TAKEN, by=grant, under=None, committed={"count": len(bundle["openings"])})
        return json.dumps(bundle, indent=1).encode()

    return do(acting, act)


def answer_openings(acting: Acting, standing: Standing, query: SignedQuery) -> dict[str, Any]:
    """The same for whoever asks with the key that the charter pins for oversight; it is recorded likewise.

    Nobody is signed in then, so the record's actor is the house, which attests it; the key stands in what is sealed.

    Raises:
        DidNotVerify: the question is old, or its signature is wrong. Refused: it is another key.
        BadInput: what it is about is no entry's number.
    """
    key = query.verify(origin=acting.origin, now=acting.clock.now())
    charter = standing.charter
    if charter is None:
        raise not_yours()
    grant = allow_question(charter, OPENINGS, office_of(charter, key))
    if not _INDEX.fullmatch(query.about):
        raise BadInput("This question does not say from which entry on.", fix="Ask about 0 for all openings.")
    since = int(query.about)

    def act(tx: Transaction) -> dict[str, Any]:
        bundle = _bundle(tx, acting.origin, since)
        tx.record(
            acting.recorder.attested(
                _TAKEN,
                role=Role.OVERSIGHT.value,
                actor=HOUSE,
                charter=None,
                committed={
                    "count": len(bundle["openings"]),
                    "account": signer_name(key),
                    ALLOWED_BY: grant.as_json(),
                },
            )
        )
        return bundle

    return do(acting, act).value


def _bundle(tx: Transaction, origin: str, since: int) -> dict[str, Any]:
    """The openings of entry ``since`` and later ones, with the keys that they need."""
    keys = tx.all(
        "SELECT key_id, hour, wrapped FROM opening_key"
        " WHERE key_id IN (SELECT key_id FROM opening WHERE idx >= ?) ORDER BY hour",
        since,
    )
    openings = tx.all(
        "SELECT leaf_hash, sealed FROM opening JOIN opening_key USING (key_id) WHERE idx >= ? ORDER BY idx", since
    )
    return {
        "watchglass": "openings/v1",
        "origin": origin,
        "keys": [{"key_id": b64(row["key_id"]), "hour": row["hour"], "wrapped": b64(row["wrapped"])} for row in keys],
        "openings": [{"leaf_hash": b64(row["leaf_hash"]), "sealed": b64(row["sealed"])} for row in openings],
    }
