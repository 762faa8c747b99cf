"""Act: a moment about which nobody was alerted is counted, and where it was drawn, people are to look at it.

Sometimes an old alert whose answer is known goes among them, so that nobody can tell what they look at, and it shows
how much people see in such a clip. Everything stands in one random order. Nobody outside hears of any of it.
"""

from __future__ import annotations

from typing import Final

from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.acts.rereads import settled_truth
from watchglass.acts.shown import FIRST
from watchglass.charter.permit import Permit, TakeSample
from watchglass.core.digest import b64
from watchglass.core.time import DAY, minute_of
from watchglass.perception.messages import DRAWN_OF, Unalerted
from watchglass.records.outbox import Row, Transaction, Value
from watchglass.review.model import VerdictValue

KNOWN_BELOW: Final = DRAWN_OF // 10
"""With each sample an old alert is put among them with this chance."""
_AMONG: Final = 40
_ID_BYTES: Final = 8
_PLACE_BYTES: Final = 6


def take_sample(acting: Acting, permit: Permit, moment: Unalerted, *, kept_ms: int) -> Done[str | None]:
    """Count it; and where it is drawn, let people look at it for ``kept_ms`` at most.

    Returns:
        The sample's id, which is the moment's; None where it was not drawn.
    """
    same(permit.require(TakeSample, acting.clock.now()).analytic, moment.analytic)

    def act(tx: Transaction) -> str | None:
        now = acting.clock.now()
        if moment.band is not None:
            day = moment.at_ms // DAY * DAY
            counted: dict[str, Value] = {"number": moment.number, "below": moment.below, "told": 0}
            tx.insert("near_miss", {"analytic": moment.analytic, "band": moment.band, "day_ms": day, **counted})
        if not moment.drawn:
            return None
        own: dict[str, Value] = {"kind": moment.kind, "band": moment.band, "number": moment.number}
        _put(acting, tx, permit, moment.id, moment.source, moment.analytic, moment.at_ms, now + kept_ms,
             {**own, "below": moment.below}, moment.closeness)  # fmt: skip
        number = _draw(acting)
        if number < KNOWN_BELOW and (known := _known(acting, tx, moment.analytic, now)) is not None:
            row, truth = known
            old: dict[str, Value] = {"kind": "known", "band": None, "number": number, "below": KNOWN_BELOW}
            _put(acting, tx, permit, acting.entropy.bytes(_ID_BYTES).hex(), row["source"], row["analytic"],
                 row["at_ms"], now + kept_ms, {**old, "of_alert": row["id"], "truth": truth.value}, None,
                 row["leaf_hash"])  # fmt: skip
        return moment.id

    return do(acting, act)


def _put(
    acting: Acting,
    tx: Transaction,
    permit: Permit,
    sample: str,
    source: str,
    analytic: str,
    at_ms: int,
    until_ms: int,
    own: dict[str, Value],
    closeness: int | None,
    of: bytes | None = None,
) -> None:
    leaf = attest(
        acting,
        tx,
        "sample_taken",
        by=None,
        under=permit,
        committed={
            **{name: own[name] for name in ("kind", "band", "number", "below")},
            "sample": sample,
            "analytic": analytic,
            "source": source,
            "closeness": closeness,
            "of": None if of is None else b64(of),
            "kept_until": minute_of(until_ms),
        },
    )
    tx.insert(
        "sample",
        {
            **own,
            "id": sample,
            "analytic": analytic,
            "source": source,
            "purpose": permit.purpose,
            "charter": permit.charter,
            "at_ms": at_ms,
            "taken_ms": acting.clock.now(),
            "kept_until_ms": until_ms,
            "place": int.from_bytes(acting.entropy.bytes(_PLACE_BYTES), "big"),
            "leaf_hash": leaf,
        },
    )


def _known(acting: Acting, tx: Transaction, analytic: str, now: int) -> tuple[Row, VerdictValue] | None:
    """An old alert of that analytic whose answer is known, whose clip is there, and that never served before."""
    rows = tx.all(
        "SELECT * FROM alert WHERE analytic = ? AND state = 'decided' "  # noqa: S608 (constant text)
        "AND id IN (SELECT alert FROM clip WHERE destroyed_ms IS NULL) "
        f"AND id NOT IN (SELECT of_alert FROM sample WHERE of_alert IS NOT NULL) AND {FIRST} "
        "ORDER BY raised_ms DESC LIMIT ?",
        analytic,
        _AMONG,
    )
    able = [(row, truth) for row in rows if (truth := settled_truth(tx, row["id"], now)) is not None]
    return able[_draw(acting) % len(able)] if able else None


def _draw(acting: Acting) -> int:
    return int.from_bytes(acting.entropy.bytes(_ID_BYTES), "big") % DRAWN_OF
