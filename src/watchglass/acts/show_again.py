"""Act: an incident is put before people again, for another judgement or as a check; it looks like any other alert.

It gets an id, a time and a record of its own, and its clip follows as late as the first time. The record's opening says
of what it is, and holds nothing else that the first one's did not: so nothing outlives what it was made from.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from watchglass.acts.alerts import the_alert
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.acts.rereads import settled_truth
from watchglass.acts.shown import shown_again
from watchglass.charter.permit import KeepClip, Permit, RaiseAlert
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import Problem, Refused
from watchglass.records.outbox import Row, Transaction, Value
from watchglass.review.model import Alert, AlertState
from watchglass.review.reads import Why
from watchglass.views.clip import open_clip, seal_clip

AGAIN: Final = "Shown again."
_ID_BYTES: Final = 8
_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_NAME_BYTES: Final = 4


def show_again(acting: Acting, permit: Permit, alert_id: str, why: Why, *, review_within_ms: int) -> Done[Alert]:
    """Put an alert before people again, to be decided within ``review_within_ms`` like any other.

    Raises:
        Problem: it is not decided, its picture is gone, or nobody knows the answer of what would be a check.
        Refused: it is itself one that is shown again.
    """
    asked = permit.require(RaiseAlert, acting.clock.now())

    def act(tx: Transaction) -> Alert:
        first = the_alert(tx, alert_id)
        same(asked.analytic, first.analytic)
        if shown_again(tx, alert_id) is not None:
            raise Refused("This is itself shown again.", fix="Show the alert again that it is of.")
        row = tx.one("SELECT still FROM alert WHERE id = ?", alert_id)
        gone = tx.one("SELECT 1 FROM clip WHERE alert = ? AND destroyed_ms IS NOT NULL", alert_id)
        if first.state is not AlertState.DECIDED or row is None or gone:
            raise Problem(
                "There is nothing to judge again.", fix="Take one that is decided and whose picture is there."
            )
        truth = settled_truth(tx, alert_id, acting.clock.now()) if why is Why.CHECK else None
        if why is Why.CHECK and truth is None:
            raise Problem("Nobody knows what this alert was.", fix="Take one that two people agree about.")
        number, now = acting.entropy.bytes(_ID_BYTES).hex(), acting.clock.now()
        leaf = attest(
            acting,
            tx,
            "alert_raised",
            by=None,
            under=permit,
            clear={"analytic": first.analytic, "kind": first.kind},
            committed={
                "alert": number,
                "source": first.source,
                "zone": None,
                "score": None,
                "probability": None,
                "why": AGAIN,
                "again": {"of": b64(first.leaf_hash), "why": why.value},
                "conditions": None,
                "calibration": None,
            },
        )
        tx.insert("alert", _copy(first, bytes(row["still"]), permit, number, leaf, now, now + review_within_ms))
        clip = tx.one("SELECT made_ms FROM clip WHERE alert = ? AND destroyed_ms IS NULL", alert_id)
        tx.insert(
            "shown_again",
            {
                "alert": number,
                "of_alert": alert_id,
                "of_leaf": first.leaf_hash,
                "why": why.value,
                "truth": truth.value if truth else None,
                "shown_ms": now,
                "clip_due_ms": now + max(0, clip["made_ms"] - first.raised_ms) if clip else None,
            },
        )
        return the_alert(tx, number)

    return do(acting, act)


def _copy(
    first: Alert, still: bytes, permit: Permit, number: str, leaf: bytes, now: int, due: int
) -> Mapping[str, Value]:
    return {
        "id": number,
        "source": first.source,
        "analytic": first.analytic,
        "kind": first.kind,
        "zone": first.zone,
        "purpose": permit.purpose,
        "charter": permit.charter,
        "at_ms": now - (first.raised_ms - first.at_ms),
        "raised_ms": now,
        "score_per_mille": first.score_per_mille,
        "probability_per_mille": first.probability_per_mille,
        "calibration": first.calibration,
        "why": first.why,
        "seen": json.dumps(dict(first.seen)) if first.seen is not None else None,
        "facts": json.dumps(dict(first.facts)),
        "boxes": json.dumps(first.boxes),
        "still": still,
        "state": "waiting",
        "due_ms": due,
        "leaf_hash": leaf,
    }


def show_clip(acting: Acting, permit: Permit, alert_id: str) -> Done[None] | None:
    """Keep the clip of an incident that is shown again, under a key of its own; None where the first one is gone."""
    asked = permit.require(KeepClip, acting.clock.now())
    clip = acting.store.read().one(
        "SELECT clip.* FROM clip JOIN shown_again ON of_alert = clip.alert "
        "WHERE shown_again.alert = ? AND clip.destroyed_ms IS NULL",
        alert_id,
    )
    if clip is None:
        acting.store.commit(lambda tx: _no_more(tx, alert_id))
        return None
    mp4 = open_clip(clip["key"], acting.clips.read(clip["path"]), clip["alert"].encode())
    key, nonce = acting.entropy.bytes(_KEY_BYTES), acting.entropy.bytes(_NONCE_BYTES)
    sealed = seal_clip(key, nonce, mp4, alert_id.encode())
    name = f"{alert_id}-{acting.entropy.bytes(_NAME_BYTES).hex()}"
    acting.clips.write(name, sealed)

    def act(tx: Transaction) -> None:
        same(asked.analytic, the_alert(tx, alert_id).analytic)
        if tx.one("SELECT 1 FROM clip WHERE id = ? AND destroyed_ms IS NULL", clip["id"]) is None:
            raise Problem("The clip was destroyed meanwhile.", fix="Nothing needs to be done.")
        _keep(acting, tx, permit, clip, alert_id, {"path": name, "key": key, "sha256": sha256(sealed)})

    try:
        return do(acting, act)
    except BaseException:
        acting.clips.destroy(name)
        raise


def _keep(
    acting: Acting, tx: Transaction, permit: Permit, clip: Row, alert_id: str, sealed: Mapping[str, str | bytes]
) -> None:
    digest, now = sealed["sha256"], acting.clock.now()
    assert isinstance(digest, bytes)
    attest(
        acting,
        tx,
        "clip_kept",
        by=None,
        under=permit,
        committed={
            "alert": alert_id,
            "ciphertext_sha256": b64(digest),
            "seconds_ms": round(clip["seconds"] * 1000),
            "masked_per_mille": clip["masked_per_mille"],
        },
        refs=[the_alert(tx, alert_id).leaf_hash],
    )
    same_of = ("bytes", "seconds", "masked_per_mille", "withheld_per_mille", "withheld_why")
    tx.insert("clip", {**{name: clip[name] for name in same_of}, **sealed, "alert": alert_id, "made_ms": now})
    tx.execute("UPDATE shown_again SET clip_due_ms = NULL, clip_ms = ? WHERE alert = ?", now, alert_id)


def _no_more(tx: Transaction, alert_id: str) -> None:
    tx.execute("UPDATE shown_again SET clip_due_ms = NULL WHERE alert = ?", alert_id)
