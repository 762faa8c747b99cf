"""Act: a person looks at a mosaicked clip. Recorded once for each person and alert."""

from __future__ import annotations

from watchglass.access.roles import Grant, May
from watchglass.acts.alerts import the_alert
from watchglass.acts.context import Acting, attest, same
from watchglass.charter.permit import Permit, ShowReviewerView
from watchglass.core.errors import Problem
from watchglass.records.outbox import Transaction
from watchglass.views.clip import open_clip


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
    seen = reader.one("SELECT 1 FROM clip_view WHERE alert = ? AND account = ?", alert_id, grant.person.account)
    if seen is None:
        acting.store.commit(lambda tx: _record(acting, tx, grant, permit, alert_id))
    return mp4


def _record(acting: Acting, tx: Transaction, grant: Grant, permit: Permit, alert_id: str) -> None:
    known = tx.one("SELECT 1 FROM clip_view WHERE alert = ? AND account = ?", alert_id, grant.person.account)
    if known is not None:
        return
    attest(
        acting,
        tx,
        "clip_viewed",
        by=grant,
        under=permit,
        committed={"alert": alert_id},
        refs=[the_alert(tx, alert_id).leaf_hash],
    )
    tx.insert("clip_view", {"alert": alert_id, "account": grant.person.account, "first_ms": acting.clock.now()})
