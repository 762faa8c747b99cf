"""Retention of cases, requests, orders to keep and signals: after they are over, with what opens their entries."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from guarded import Guarded, enrol, guarded
from watchglass.acts.apply_retention import apply_retention
from watchglass.acts.cases import cases_of
from watchglass.acts.misuse import look_for_misuse, public_counts, signals
from watchglass.bootstrap import SeededEntropy
from watchglass.core.digest import b64
from watchglass.core.errors import CannotRecord
from watchglass.core.time import DAY, HOUR, SECOND
from watchglass.evidence.custody import reseal
from watchglass.evidence.header import read_header
from watchglass.evidence.shares import unwrap_shares
from watchglass.ledger.keys import SignerKey
from watchglass.records.outbox import Transaction

YEAR = 365 * DAY
TABLES = ("evidence_case", "release_request", "release_answer", "release_denied", "hold", "hold_share", "misuse_signal")


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Guarded]:
    with guarded(tmp_path) as made:
        yield made


def pass_by(scene: Guarded, ms: int) -> None:
    scene.world.clock.advance(ms)  # type: ignore[attr-defined]


def retain(scene: Guarded) -> dict[str, int]:
    """One round of retention by the charter that was in force, whose own days may be over by then."""
    charter = scene.world.standing().charter
    assert charter is not None
    return apply_retention(scene.world.house.acting, charter)


def rows(scene: Guarded, table: str) -> list[Any]:
    return list(scene.world.house.store.read().all(f"SELECT * FROM {table}"))


def openings(scene: Guarded, *acts: str) -> dict[str, int]:
    """How many entries of each of these acts can still be opened."""
    reader = scene.world.house.store.read()
    found = {}
    for act in acts:
        row = reader.one("SELECT count(*) AS n FROM opening JOIN entry USING (idx) WHERE act = ?", act)
        assert row is not None
        found[act] = row["n"]
    return found


def close(scene: Guarded, case: tuple[str, bytes]) -> None:
    values = {"case": case[0], "opened": b64(case[1]), "result": "Charges were brought."}
    scene.hand_in(scene.sign("case_closed", "investigator", values, purpose=scene.purpose))


def glass(scene: Guarded) -> tuple[str, bytes]:
    values = {
        "request": scene.number(),
        "source": "street",
        "from_ms": scene.now - 60 * SECOND,
        "to_ms": scene.now,
        "reason": "A child is missing.",
        "follow_up_by_ms": scene.now + 24 * HOUR,
    }
    leaf = scene.hand_in(scene.sign("glass_broken", "shift-lead", values, purpose=scene.purpose))
    return str(values["request"]), leaf


def report(scene: Guarded, used: tuple[str, bytes]) -> None:
    said = {"request": used[0], "report": "She was found at the steps.", "case": None}
    scene.hand_in(scene.sign("glass_followed_up", "shift-lead", said, purpose=scene.purpose, refs=[used[1]]))


def keep(scene: Guarded, hold: str, who: str) -> None:
    """A custodian seals their shares anew for an order to keep."""
    leaf = scene.world.records("hold_ordered")[-1].hash
    private = X25519PrivateKey.from_private_bytes(scene.entropy.bytes(32))
    headers = [read_header(bytes(row["header"])) for row in rows(scene, "segment") if row["header"]]
    shares = [unwrap_shares(header, who, scene.sealing[who]) for header in headers]
    bundle = reseal(scene.hold_terms(leaf, who, private.public_key()), shares)
    values = {
        "hold": hold,
        "custodian": who,
        "recipient": b64(private.public_key().public_bytes_raw()),
        "bundle_sha256": b64(bundle.sha256),
    }
    scene.hand_in(scene.sign("hold_kept", who, values, refs=[leaf]), bundle.encoded)


def lift(scene: Guarded, hold: str) -> None:
    leaf, key = scene.world.records("hold_ordered")[-1].hash, scene.world.keys["oversight"]
    values = {"hold": hold, "reason": "The complaint was withdrawn."}
    scene.hand_in(scene.sign("hold_lifted", "oversight", values, role="oversight", key=key, refs=[leaf]))


# ---- shares --------------------------------------------------------------------------------------------------------


def test_shares_for_a_request_go_when_it_has_run_out(scene: Guarded) -> None:
    scene.record()
    scene.requested()
    request = scene.granted()
    pass_by(scene, 23 * HOUR)
    assert retain(scene)["shares"] == 0
    assert {len(bytes(row["bundle"])) > 0 for row in rows(scene, "release_answer")} == {True}
    pass_by(scene, HOUR)
    assert retain(scene)["shares"] == 2
    assert {bytes(row["bundle"]) for row in rows(scene, "release_answer")} == {b""}
    assert {row["request"] for row in rows(scene, "release_answer")} == {request}  # that they agreed stays known
    scene.world.settle()
    (record,) = scene.world.records("retention_applied")
    assert (record.leaf.clear, record.fields["count"]) == ({"what": "shares"}, 2)
    assert retain(scene)["shares"] == 0


def test_shares_for_an_order_to_keep_go_with_what_it_kept_and_not_before(scene: Guarded) -> None:
    scene.record()
    hold = scene.order_hold(until_ms=scene.now + 30 * DAY)
    keep(scene, hold, "dpo")
    pass_by(scene, 4 * DAY)
    assert (retain(scene)["shares"], retain(scene)["segments"]) == (0, 0)
    assert scene.ask("segments", "dpo", hold)["hold_bundles"]
    pass_by(scene, 27 * DAY)
    done = retain(scene)
    assert (done["shares"], done["segments"]) == (1, 3)
    assert [bytes(row["bundle"]) for row in rows(scene, "hold_share")] == [b""]


def test_shares_of_one_order_stay_while_another_keeps_the_same(scene: Guarded) -> None:
    scene.record()
    first = scene.order_hold()
    keep(scene, first, "dpo")
    scene.order_hold(until_ms=scene.now + 20 * DAY)
    leaf, key = scene.world.records("hold_ordered")[0].hash, scene.world.keys["oversight"]
    values = {"hold": first, "reason": "The complaint was withdrawn."}
    scene.hand_in(scene.sign("hold_lifted", "oversight", values, role="oversight", key=key, refs=[leaf]))
    pass_by(scene, 4 * DAY)
    assert (retain(scene)["shares"], retain(scene)["segments"]) == (0, 0)
    pass_by(scene, 17 * DAY)
    done = retain(scene)
    assert (done["shares"], done["segments"]) == (1, 3)


# ---- cases and requests ------------------------------------------------------------------------------------------


def test_a_case_goes_a_year_after_it_was_closed_with_all_that_was_asked_in_it(scene: Guarded) -> None:
    scene.record()
    case = scene.open_case()
    request = scene.granted(case=case)
    scene.hand_in(scene.taking(request))
    denied = scene.request(case, until_ms=scene.now + 48 * HOUR)
    with pytest.raises(Exception, match="valid for"):
        scene.hand_in(denied)
    pass_by(scene, 2 * HOUR)
    close(scene, case)
    other = scene.open_case(until_ms=scene.now + 366 * DAY)
    scene.world.settle()
    acts = ("case_opened", "case_closed", "release_requested", "release_approved", "release_granted", "release_taken")
    before = openings(scene, *acts, "release_denied")
    assert before == {**dict.fromkeys(acts, 1), "case_opened": 2, "release_approved": 2, "release_denied": 1}
    pass_by(scene, YEAR - HOUR)
    retain(scene)
    assert len(rows(scene, "evidence_case")) == 2
    assert openings(scene, "case_opened", "release_requested") == {"case_opened": 2, "release_requested": 1}
    pass_by(scene, DAY)
    size = scene.world.house.sequencer.head.size
    assert retain(scene)["accesses"] > 0
    assert [row["id"] for row in rows(scene, "evidence_case")] == [other[0]]  # it has not run out
    for table in ("release_request", "release_answer", "release_denied"):
        assert rows(scene, table) == [], table
    assert openings(scene, *acts, "release_denied") == {
        **dict.fromkeys(acts, 0),
        "case_opened": 1,
        "release_denied": 0,
    }
    scene.world.settle()
    assert scene.world.house.sequencer.head.size > size  # the ledger only grows
    reader = scene.world.house.store.read()
    kept = {row["act"] for row in reader.all("SELECT act FROM entry")}
    assert set(acts) <= kept
    assert any(record.leaf.clear == {"what": "accesses"} for record in scene.world.records("retention_applied"))


def test_a_case_that_nobody_closed_goes_a_year_after_its_end(scene: Guarded) -> None:
    scene.open_case(until_ms=scene.now + 30 * DAY)
    pass_by(scene, 30 * DAY + YEAR - HOUR)
    retain(scene)
    assert len(cases_of(scene.world.house.store.read(), "Ines Vermaat")) == 1
    pass_by(scene, 2 * HOUR)
    retain(scene)
    assert rows(scene, "evidence_case") == []


def test_an_emergency_that_nobody_reported_on_is_never_forgotten(scene: Guarded) -> None:
    scene.record()
    told, untold = glass(scene), glass(scene)
    report(scene, told)
    scene.world.settle()
    pass_by(scene, 3 * YEAR)
    retain(scene)
    assert [row["id"] for row in rows(scene, "release_request")] == [untold[0]]
    assert openings(scene, "glass_broken", "glass_followed_up") == {"glass_broken": 1, "glass_followed_up": 0}


def test_a_signal_goes_a_year_after_it_was_settled_and_not_while_it_is_open(scene: Guarded) -> None:
    scene.record()
    glass(scene)
    pass_by(scene, 25 * HOUR)
    charter = scene.world.standing().charter
    assert charter is not None
    (found,) = look_for_misuse(scene.world.house.acting, charter)
    scene.world.settle()
    pass_by(scene, 2 * YEAR)
    retain(scene)
    assert [each.signal.id for each in signals(scene.world.house.store.read())] == [found]
    assert openings(scene, "misuse_signalled") == {"misuse_signalled": 1}
    settled = scene.now - YEAR + HOUR

    def settle(tx: Transaction) -> None:
        tx.execute("UPDATE misuse_signal SET finding = 'mistake', settled_ms = ?", settled)

    scene.world.house.store.commit(settle)
    retain(scene)
    assert len(rows(scene, "misuse_signal")) == 1
    pass_by(scene, 2 * HOUR)
    retain(scene)
    assert rows(scene, "misuse_signal") == []
    assert openings(scene, "misuse_signalled") == {"misuse_signalled": 0}


def test_the_public_is_told_of_no_quarter_whose_signals_may_be_gone(scene: Guarded) -> None:
    scene.world.settle()
    reader = scene.world.house.store.read()
    later = scene.now + 400 * DAY
    assert [each.quarter for each in public_counts(reader, later, YEAR)] == ["2027-Q3", "2027-Q2", "2027-Q1"]
    assert [each.quarter for each in public_counts(reader, later, 2 * YEAR)][-1] == "2026-Q4"


def test_orders_to_keep_and_enrolled_keys_are_forgotten_too(scene: Guarded) -> None:
    scene.record()
    hold = scene.order_hold()
    keep(scene, hold, "dpo")
    lift(scene, hold)
    scene.world.settle()
    pass_by(scene, 4 * DAY)
    retain(scene)
    pass_by(scene, YEAR + HOUR)
    retain(scene)
    for table in ("hold", "hold_share", "segment"):
        assert rows(scene, table) == [], table
    assert len(rows(scene, "enrolled_key")) == 2  # of that very month a part is not over for so long
    pass_by(scene, 31 * DAY)
    enrol(scene.world, "investigator", "Ivo", SignerKey.generate("ivo.example", SeededEntropy("ivo")))
    scene.world.settle()
    retain(scene)
    assert [row["person"] for row in rows(scene, "enrolled_key")] == ["Ivo"]
    assert openings(scene, "key_enrolled", "hold_ordered", "hold_kept", "hold_lifted") == {
        "key_enrolled": 1,
        "hold_ordered": 0,
        "hold_kept": 0,
        "hold_lifted": 0,
    }


def test_what_cannot_be_recorded_is_not_forgotten(scene: Guarded) -> None:
    scene.open_case(until_ms=scene.now + DAY)
    pass_by(scene, YEAR + 2 * DAY)
    scene.world.break_the_log("retention_applied")
    with pytest.raises(CannotRecord):
        retain(scene)
    assert len(rows(scene, "evidence_case")) == 1
    scene.world.mend_the_log()
    retain(scene)
    assert rows(scene, "evidence_case") == []
