"""Acts: a person looks at a drawn moment, which is recorded; and says whether anything had happened in it."""

from __future__ import annotations

from typing import Final, Literal

from watchglass.access.roles import Grant, May
from watchglass.acts.context import Acting, Done, attest, do, same
from watchglass.acts.samples import Sample, for_person
from watchglass.acts.view_clip import LOOK_MS
from watchglass.charter.permit import Decide, Permit, ShowReviewerView
from watchglass.core.errors import Problem
from watchglass.records.outbox import Reader, Transaction
from watchglass.views.clip import open_clip

Answer = Literal["yes", "no", "cannot-tell"]
ANSWERS: Final[tuple[Answer, ...]] = ("yes", "no", "cannot-tell")


def view_sample(acting: Acting, grant: Grant, permit: Permit, number: str) -> bytes:
    """The clip as MP4 bytes, after the record that it was looked at.

    Raises:
        Problem: it does not wait for this person, or its clip is gone.
        CannotRecord: the look could not be recorded, so nothing is shown.
    """
    grant.require(May.SEE_CLIP)
    asked = permit.require(ShowReviewerView, acting.clock.now())
    reader, account = acting.store.read(), grant.person.account
    sample = for_person(reader, number, account, acting.clock.now())
    same(asked.source, sample.source)
    same(asked.purpose, sample.purpose)
    mp4 = _opened(acting, reader, sample)
    if not _looked(reader, account, number, acting.clock.now() - LOOK_MS):
        acting.store.commit(lambda tx: _record(acting, tx, grant, permit, number))
    return mp4


def judge_sample(acting: Acting, grant: Grant, permit: Permit, number: str, answer: Answer) -> Done[Sample]:
    """Record the answer. Nobody is sent anywhere, and nobody hears of it but who counts.

    Raises:
        Problem: it does not wait for this person, or they have not looked at it.
    """
    grant.require(May.DECIDE_ALERT)
    asked = permit.require(Decide, acting.clock.now())

    def act(tx: Transaction) -> Sample:
        now, account = acting.clock.now(), grant.person.account
        sample = for_person(tx, number, account, now)
        same(asked.analytic, sample.analytic)
        if not _looked(tx, account, number, 0):
            raise Problem("You have not looked at it yet.", fix="Play the clip, then answer.")
        attest(
            acting,
            tx,
            "sample_judged",
            by=grant,
            under=permit,
            committed={"sample": number, "answer": answer},
            refs=[sample.leaf_hash],
        )
        tx.execute(
            "UPDATE sample SET answer = ?, account = ?, judged_ms = ? WHERE id = ?", answer, account, now, number
        )
        return sample

    return do(acting, act)


def _opened(acting: Acting, reader: Reader, sample: Sample) -> bytes:
    """The clip: a sample's own, or that of the old alert."""
    if sample.kind == "known":
        sql, whose = "SELECT key, path FROM clip WHERE alert = ? AND destroyed_ms IS NULL", sample.of_alert or ""
    else:
        sql, whose = "SELECT key, path FROM sample WHERE id = ?", sample.id
    row = reader.one(sql, whose)
    if row is None or row["key"] is None:
        raise Problem("This clip is not there any more.", fix="Open the list for the next one.")
    return open_clip(row["key"], acting.clips.read(row["path"]), whose.encode())


def _record(acting: Acting, tx: Transaction, grant: Grant, permit: Permit, number: str) -> None:
    account, now = grant.person.account, acting.clock.now()
    if _looked(tx, account, number, now - LOOK_MS):
        return
    sample = for_person(tx, number, account, now)
    committed = {"sample": number}
    leaf = attest(
        acting, tx, "sample_viewed", by=grant, under=permit, committed=committed, refs=[sample.leaf_hash]
    )  # fmt: skip
    tx.insert("sample_view", {"sample": number, "account": account, "at_ms": now, "leaf_hash": leaf})


def _looked(reader: Reader, account: int, number: str, since_ms: int) -> bool:
    sql = "SELECT 1 FROM sample_view WHERE sample = ? AND account = ? AND at_ms > ?"
    return reader.one(sql, number, account, since_ms) is not None
