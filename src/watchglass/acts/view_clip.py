"""Act: a person looks at a mosaicked clip. Every look is recorded.

What is fetched within ten minutes of the beginning of a look is part of it: a player fetches piece by piece, and plays
what it has again and again, which nobody could tell from opening it anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from watchglass.access.roles import Grant, May
from watchglass.acts.alerts import the_alert
from watchglass.acts.context import Acting, attest, same
from watchglass.charter.permit import Permit, ShowReviewerView
from watchglass.core.errors import Problem
from watchglass.core.time import MINUTE
from watchglass.records.outbox import Reader, Transaction
from watchglass.views.clip import open_clip

LOOK_MS: Final = 10 * MINUTE
"""How long a look lasts; what is opened later is another one."""


@dataclass(frozen=True, slots=True)
class KeptClip:
    """What is known of an alert's clip without looking at it.

    Attributes:
        withheld_per_mille: how much of it is plates with words instead of pictures.
        withheld_why: why most of that is; goes on from "withheld, because …".
        destroyed: its key is gone.
    """

    withheld_per_mille: int
    withheld_why: str
    destroyed: bool


def kept_clip(reader: Reader, alert_id: str) -> KeptClip | None:
    """The clip of an alert; None where there is none (yet)."""
    row = reader.one(
        "SELECT withheld_per_mille, withheld_why, destroyed_ms FROM clip WHERE alert = ? ORDER BY id DESC LIMIT 1",
        alert_id,
    )
    if row is None:
        return None
    return KeptClip(row["withheld_per_mille"], row["withheld_why"], row["destroyed_ms"] is not None)


def view_clip(acting: Acting, grant: Grant, permit: Permit, alert_id: str) -> bytes:
    """The clip as MP4 bytes, after the record that it was looked at.

    Raises:
        Problem: there is no clip yet, or its key was destroyed.
        CannotRecord: the look could not be recorded, so nothing is shown.
    """
    grant.require(May.SEE_CLIP)
    asked = permit.require(ShowReviewerView, acting.clock.now())
    reader = acting.store.read()
    alert = the_alert(reader, alert_id)
    same(asked.source, alert.source)
    same(asked.purpose, alert.purpose)
    row = reader.one("SELECT * FROM clip WHERE alert = ? ORDER BY id DESC LIMIT 1", alert_id)
    if row is None:
        raise Problem("The clip is not there yet.", fix="It follows the alert within seconds; reload the page.")
    if row["key"] is None:
        raise Problem(
            "This clip was destroyed at the end of its retention.", fix="The verdict and the rule that fired remain."
        )
    mp4 = open_clip(row["key"], acting.clips.read(row["path"]), alert_id.encode())
    if not _looking(reader, grant.person.account, alert_id, acting.clock.now()):
        acting.store.commit(lambda tx: _record(acting, tx, grant, permit, alert_id))
    return mp4


def _record(acting: Acting, tx: Transaction, grant: Grant, permit: Permit, alert_id: str) -> None:
    account, now = grant.person.account, acting.clock.now()
    if _looking(tx, account, alert_id, now):
        return
    leaf = attest(
        acting,
        tx,
        "clip_viewed",
        by=grant,
        under=permit,
        committed={"alert": alert_id},
        refs=[the_alert(tx, alert_id).leaf_hash],
    )
    tx.insert("clip_view", {"alert": alert_id, "account": account, "at_ms": now, "leaf_hash": leaf})


def _looking(reader: Reader, account: int, alert_id: str, now: int) -> bool:
    """Whether a look that is recorded goes on."""
    row = reader.one(
        "SELECT 1 FROM clip_view WHERE alert = ? AND account = ? AND at_ms > ? AND at_ms <= ?",
        alert_id,
        account,
        now - LOOK_MS,
        now,
    )
    return row is not None
