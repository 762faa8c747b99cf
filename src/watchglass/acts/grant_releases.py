"""Act: a permitted set of custodians has approved, so the request is granted. It takes effect once it is cosigned."""

from __future__ import annotations

from watchglass.acts.approvals import approvals_of, enough
from watchglass.acts.at_once import check_clock, stands_now
from watchglass.acts.cases import check_open
from watchglass.acts.context import Acting, attest
from watchglass.acts.releases import ReleaseRequest, as_request, segments_of
from watchglass.acts.segments import held
from watchglass.charter.decide import Standing, decide
from watchglass.charter.permit import GrantRelease, Permit
from watchglass.core.digest import b64
from watchglass.core.errors import Refused
from watchglass.records.outbox import Reader, Transaction
from watchglass.records.statement import SignedStatement


def grant_releases(acting: Acting, standing: Standing, *, cosigned_size: int) -> list[str]:
    """Grant what is approved by enough custodians and still valid; the ids of the requests.

    Each is looked at inside the transaction that grants it: what was approved, sealed, closed, suspended or published a
    moment before counts.

    Cryptography has the last word: this only says when the house hands out what it could not open itself.
    """
    now, reader = acting.clock.now(), acting.store.read()
    rows = reader.all(
        "SELECT * FROM release_request WHERE glass = 0 AND granted_ms IS NULL AND until_ms > ?"
        " AND EXISTS (SELECT 1 FROM release_answer WHERE request = release_request.id AND approved = 1)",
        now,
    )
    found = map(as_request, rows)
    return [asked.id for asked in found if _grant(acting, standing, asked, cosigned_size)]


def _grant(acting: Acting, standing: Standing, asked: ReleaseRequest, cosigned_size: int) -> bool:
    if _ready(acting.store.read(), standing, asked, acting.clock.now()) is None:
        return False  # a quick no, without a transaction; it is asked again at the next round, until its own end

    def act(tx: Transaction) -> bool:
        now = acting.clock.now()
        stands = stands_now(tx, standing, cosigned_size=cosigned_size, now_ms=now)
        ready = _ready(tx, stands, asked, now)
        if ready is None or tx.one("SELECT 1 FROM release_request WHERE id = ? AND granted_ms IS NOT NULL", asked.id):
            return False
        permit, approvals, segments = ready
        leaf = attest(
            acting,
            tx,
            "release_granted",
            by=None,
            under=permit,
            clear={"approvals": sorted(b64(leaf) for leaf in approvals)},
            committed={"request": asked.id, "segments": segments},
            refs=[asked.leaf_hash],
        )
        tx.execute("UPDATE release_request SET granted_ms = ?, granted_leaf_hash = ? WHERE id = ?", now, leaf, asked.id)
        return True

    return acting.store.commit(act).value


def _ready(
    reader: Reader, stands: Standing, asked: ReleaseRequest, now: int
) -> tuple[Permit, tuple[bytes, ...], int] | None:
    """The charter's yes, the approvals that hold and the number of segments; None while it cannot be granted."""
    approvals, segments = approvals_of(reader, asked.id, now), segments_of(reader, asked)
    if asked.until_ms <= now or not enough(segments, frozenset(approvals)):
        return None
    charter = stands.charter
    if charter is None or SignedStatement.parse(asked.statement).leaf.charter != charter.sha256:
        return None
    wanted = GrantRelease(asked.source, asked.purpose, asked.from_ms, asked.to_ms, held(segments, now))
    try:
        check_clock(reader, now)
        check_open(reader, str(asked.case), now)
        return decide(stands, wanted, now), tuple(approvals.values()), len(segments)
    except Refused:
        return None
