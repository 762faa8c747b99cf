"""Act: a permitted set of custodians has approved, so the request is granted. It takes effect once it is cosigned."""

from __future__ import annotations

from watchglass.acts.context import Acting, attest
from watchglass.acts.releases import ReleaseRequest, as_request, segments_of
from watchglass.acts.segments import Segment, held
from watchglass.charter.decide import Standing, decide
from watchglass.charter.permit import GrantRelease
from watchglass.core.digest import b64
from watchglass.core.errors import Refused
from watchglass.records.outbox import Reader, Transaction
from watchglass.records.statement import SignedStatement


def grant_releases(acting: Acting, standing: Standing) -> list[str]:
    """Grant what is approved by enough custodians and still valid; the ids of the requests.

    Cryptography has the last word: this only says when the house hands out what it could not open itself.
    """
    now, reader = acting.clock.now(), acting.store.read()
    rows = reader.all(
        "SELECT * FROM release_request WHERE glass = 0 AND granted_ms IS NULL AND until_ms > ?"
        " AND EXISTS (SELECT 1 FROM release_answer WHERE request = release_request.id AND approved = 1)",
        now,
    )
    return [asked.id for asked in map(as_request, rows) if _grant(acting, standing, asked, now)]


def approvals_of(reader: Reader, request: str, now_ms: int) -> dict[str, bytes]:
    """The custodians whose approval of a request holds now, each with the leaf hash of it."""
    rows = reader.all(
        "SELECT custodian, leaf_hash FROM release_answer WHERE request = ? AND approved = 1 AND until_ms > ?",
        request,
        now_ms,
    )
    return {str(row["custodian"]): bytes(row["leaf_hash"]) for row in rows}


def enough(segments: list[Segment], approved: frozenset[str]) -> bool:
    """Whether every segment has a permitted set of custodians all of whom approved."""
    return bool(segments) and all(
        any(approved.issuperset(each) for each in segment.read_header().subsets) for segment in segments
    )


def _grant(acting: Acting, standing: Standing, asked: ReleaseRequest, now: int) -> bool:
    approvals = approvals_of(acting.store.read(), asked.id, now)
    segments = segments_of(acting.store.read(), asked)
    if not enough(segments, frozenset(approvals)):
        return False
    charter = standing.charter
    if charter is None or SignedStatement.parse(asked.statement).leaf.charter != charter.sha256:
        return False
    wanted = GrantRelease(asked.source, asked.purpose, asked.from_ms, asked.to_ms, held(segments, now))
    try:
        permit = decide(standing, wanted, now)
    except Refused:
        return False  # suspended, or run out: it is asked again at the next round, until the request's own end

    def act(tx: Transaction) -> bool:
        if tx.one("SELECT 1 FROM release_request WHERE id = ? AND granted_ms IS NOT NULL", asked.id):
            return False
        leaf = attest(
            acting,
            tx,
            "release_granted",
            by=None,
            under=permit,
            clear={"approvals": sorted(b64(leaf) for leaf in approvals.values())},
            committed={"request": asked.id, "segments": len(segments)},
            refs=[asked.leaf_hash],
        )
        tx.execute("UPDATE release_request SET granted_ms = ?, granted_leaf_hash = ? WHERE id = ?", now, leaf, asked.id)
        return True

    return acting.store.commit(act).value
