"""Act: the mosaicked clip of an alert is sealed under a key of its own and kept until retention destroys the key."""

from __future__ import annotations

from watchglass.acts.alerts import the_alert
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.charter.permit import KeepClip, Permit
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import Problem
from watchglass.perception.messages import Clip
from watchglass.records.outbox import Transaction
from watchglass.views.clip import seal_clip

_KEY_BYTES = 32
_NONCE_BYTES = 12
_NAME_BYTES = 4


def keep_clip(acting: Acting, permit: Permit, clip: Clip) -> Done[None]:
    """Seal and keep the clip of an alert, which has its incident's id.

    The ciphertext reaches the disk before the row that holds its key.
    """
    alert_id = clip.incident
    asked = permit.require(KeepClip, acting.clock.now())
    key, nonce = acting.entropy.bytes(_KEY_BYTES), acting.entropy.bytes(_NONCE_BYTES)
    sealed = seal_clip(key, nonce, clip.mp4, alert_id.encode())
    name = f"{alert_id}-{acting.entropy.bytes(_NAME_BYTES).hex()}"
    acting.clips.write(name, sealed)

    def act(tx: Transaction) -> None:
        alert = the_alert(tx, alert_id)
        same(asked.analytic, alert.analytic)
        if tx.one("SELECT 1 FROM clip WHERE alert = ?", alert_id):
            raise Problem("This alert has its clip already.", fix="Nothing needs to be done; the first one stays.")
        masked = round(clip.masked_share * 1000)
        digest = sha256(sealed)
        attest(
            acting,
            tx,
            "clip_kept",
            by=None,
            under=permit,
            committed={
                "alert": alert_id,
                "ciphertext_sha256": b64(digest),
                "seconds_ms": round(clip.seconds * 1000),
                "masked_per_mille": masked,
            },
            refs=[alert.leaf_hash],
        )
        tx.insert(
            "clip",
            {
                "alert": alert_id,
                "path": name,
                "key": key,
                "bytes": len(sealed),
                "seconds": clip.seconds,
                "masked_per_mille": masked,
                "sha256": digest,
                "made_ms": acting.clock.now(),
                "withheld_per_mille": round(clip.withheld_share * 1000),
                "withheld_why": clip.withheld_why,
            },
        )

    try:
        return do(acting, act)
    except BaseException:
        acting.clips.destroy(name)
        raise
