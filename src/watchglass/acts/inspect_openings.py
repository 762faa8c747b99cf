"""Act: oversight takes the sealed openings away, to open them on its own machine."""

from __future__ import annotations

import json

from watchglass.access.roles import Grant, May
from watchglass.acts.context import Acting, Done, attest, do
from watchglass.core.digest import b64
from watchglass.records.outbox import Transaction


def take_openings(acting: Acting, grant: Grant) -> Done[bytes]:
    """Every sealed opening and wrapped key that retention has left, as one JSON file; the portal cannot read it."""
    grant.require(May.TAKE_OPENINGS)

    def act(tx: Transaction) -> bytes:
        keys = [
            {"key_id": b64(row["key_id"]), "hour": row["hour"], "wrapped": b64(row["wrapped"])}
            for row in tx.all("SELECT key_id, hour, wrapped FROM opening_key ORDER BY hour")
        ]
        openings = [
            {"leaf_hash": b64(row["leaf_hash"]), "sealed": b64(row["sealed"])}
            for row in tx.all("SELECT leaf_hash, sealed FROM opening")
        ]
        attest(acting, tx, "openings_taken", by=grant, under=None, committed={"count": len(openings)})
        bundle = {"watchglass": "openings/v1", "origin": acting.origin, "keys": keys, "openings": openings}
        return json.dumps(bundle, indent=1).encode()

    return do(acting, act)
