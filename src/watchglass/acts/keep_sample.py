"""Act: the mosaicked clip of a drawn moment is sealed under a key of its own, and kept until its own end."""

from __future__ import annotations

from typing import Final

from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.acts.samples import the_sample
from watchglass.charter.permit import Permit, TakeSample
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import Problem
from watchglass.perception.messages import Clip
from watchglass.records.outbox import Transaction
from watchglass.views.clip import seal_clip

_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_NAME_BYTES: Final = 4


def keep_sample(acting: Acting, permit: Permit, clip: Clip) -> Done[None]:
    """Seal and keep the clip of a drawn moment, which has its id. The ciphertext reaches the disk before the row."""
    number = clip.incident
    asked = permit.require(TakeSample, acting.clock.now())
    key, nonce = acting.entropy.bytes(_KEY_BYTES), acting.entropy.bytes(_NONCE_BYTES)
    sealed = seal_clip(key, nonce, clip.mp4, number.encode())
    name = f"{number}-{acting.entropy.bytes(_NAME_BYTES).hex()}"
    acting.clips.write(name, sealed)

    def act(tx: Transaction) -> None:
        sample = the_sample(tx, number)
        same(asked.analytic, sample.analytic)
        if sample.path is not None or sample.kind == "known" or sample.over(acting.clock.now()):
            raise Problem("This sample has its clip already, or its time is over.", fix="Nothing needs to be done.")
        attest(
            acting,
            tx,
            "sample_kept",
            by=None,
            under=permit,
            committed={
                "sample": number,
                "ciphertext_sha256": b64(sha256(sealed)),
                "seconds_ms": round(clip.seconds * 1000),
                "masked_per_mille": round(clip.masked_share * 1000),
            },
            refs=[sample.leaf_hash],
        )
        tx.execute(
            "UPDATE sample SET path = ?, key = ?, seconds = ?, withheld_per_mille = ?, withheld_why = ? WHERE id = ?",
            name,
            key,
            clip.seconds,
            round(clip.withheld_share * 1000),
            clip.withheld_why,
            number,
        )

    try:
        return do(acting, act)
    except BaseException:
        acting.clips.destroy(name)
        raise
