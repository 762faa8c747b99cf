"""Keys that were changed in the middle of a month, as signers' machines see it: what was signed before stays valid."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from test_exports_after_rotation import key, publish_with
from test_lying_portals import lying

from signers_world import Signers, signers
from watchglass.bootstrap import VirtualClock, custody, holding, seeking
from watchglass.core.digest import b64
from watchglass.core.errors import DidNotVerify, Refused
from watchglass.core.time import DAY, HOUR, SECOND
from watchglass.edge.keys import write_signing_key
from world import NOON


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Signers]:
    with signers(tmp_path, clock=VirtualClock(NOON)) as made:
        made.film()
        yield made


def rotated(people: Signers) -> None:
    """Oversight's key is another from now on."""
    publish_with(people, "oversight", key("next-oversight"))
    people.scene.world.clock.advance(2 * HOUR)  # type: ignore[attr-defined]  # it is a virtual clock


def order(people: Signers) -> str:
    """A hold of the last minute; it is in the cosigned log."""
    return people.scene.order_hold(from_ms=people.scene.now - 60 * SECOND, to_ms=people.scene.now)


def lift(people: Signers, hold: str, by: str | None = None) -> None:
    """Oversight lifts a hold; or the house writes a record that ``by`` signed, in oversight's name."""
    scene, world = people.scene, people.scene.world
    (ordered,) = [each for each in world.records("hold_ordered") if each.fields["hold"] == hold]
    signer = world.keys["oversight"] if by is None else scene.keys[by]
    statement = scene.sign(
        "hold_lifted", "oversight", {"hold": hold, "reason": "It was withdrawn."}, role="oversight", key=signer,
        refs=[ordered.hash],
    )  # fmt: skip
    if by is None:
        scene.hand_in(statement)
    else:
        world.house.store.commit(lambda tx: tx.record(world.house.acting.recorder.signed(statement)))
    people.settle()


def test_whom_the_oversight_before_enrolled_goes_on(people: Signers) -> None:
    """One person has one key a month, so nobody could be enrolled again."""
    rotated(people)
    people.film()
    number = people.taken()
    office = people.office("investigator")
    found = seeking.release(office, number)
    assert len(list(seeking.opened(office, found))) == 3
    assert holding.offices(office, office.look())["enrolled"] == ["investigator"]


def test_a_hold_of_the_oversight_before_is_kept_and_its_lifting_counts(people: Signers) -> None:
    people.adopt("dpo")
    hold = order(people)
    rotated(people)
    (shown,) = custody.inbox(people.office("dpo"))["holds"]
    assert (shown["verified"], shown["ordered_by"]) == (True, "oversight")
    lift(people, hold, by="investigator")  # nobody's to lift
    assert custody.keep_hold(people.office("dpo"), hold)["kept"] == 3


def test_a_hold_that_was_lifted_or_ran_out_keeps_nothing(people: Signers) -> None:
    """A portal that goes on to show it would have shares sealed anew that should be destroyed."""
    people.adopt("dpo")
    hold = order(people)
    told = people.office("dpo").ask("inbox")["holds"]
    lift(people, hold)

    def lie(what: str, value: dict[str, object]) -> None:
        if what == "inbox":
            value["holds"] = told

    with lying(people, lie) as url:
        with pytest.raises(DidNotVerify, match="no longer stands"):
            custody.keep_hold(people.office("dpo", url), hold)
        (shown,) = custody.inbox(people.office("dpo", url))["holds"]
        assert not shown["verified"]
        assert not (people.machine("dpo") / "keys" / f"hold-{hold}.key").exists()
        sight = people.office("dpo", url).look()
        assert custody._standing_holds(sight, {"holds": told}) == []


def test_a_month_published_by_a_custodian_whose_key_changed_can_still_be_destroyed(people: Signers) -> None:
    people.adopt("dpo")
    world, new = people.scene.world, key("dpo-next")
    world.publish(world.edited((str(people.scene.keys["dpo"].verifier), str(new.verifier))))
    people.scene.keys["dpo"] = new
    people.settle()
    machine = people.machine("dpo") / "keys"
    (machine / "identity.key").unlink()
    write_signing_key(machine / "identity.key", new)
    office = people.office("dpo")
    (row,) = [row for row in custody.inbox(office)["keys"] if row["period"] == "2026-11"]
    assert (row["published"], row["here"]) == (True, True)
    world.clock.advance(12 * DAY)  # type: ignore[attr-defined]  # it is a virtual clock
    assert custody.destroy_period(office, "2026-11")["file"] == "2026-11.key"
    assert not (machine / "2026-11.key").exists()


def test_a_record_that_somebody_else_signed_destroys_no_key(people: Signers) -> None:
    """The house writes that the month's key is gone, in the custodian's name."""
    people.adopt("dpo")
    hold = order(people)
    world, file = people.scene.world, people.machine("dpo") / "keys" / "2026-11.key"
    published = next(each for each in world.records("sealing_key_published") if each.leaf.clear["custodian"] == "dpo")
    forged = people.scene.sign(
        "period_destroyed", "control-room", {}, clear={"custodian": "dpo", "period": "2026-11"}, refs=[published.hash]
    )
    world.house.store.commit(lambda tx: tx.record(world.house.acting.recorder.signed(forged)))
    people.settle()
    world.clock.advance(12 * DAY)  # type: ignore[attr-defined]  # it is a virtual clock
    with pytest.raises(Refused, match=hold):
        custody.destroy_period(people.office("dpo"), "2026-11")
    assert file.exists()
    (row,) = [row for row in custody.inbox(people.office("dpo"))["keys"] if row["period"] == "2026-11"]
    assert not row["destroyed"]


def test_a_month_that_is_not_over_is_not_destroyed_whatever_the_portal_would_take(
    people: Signers, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.adopt("dpo")
    office, handed_in = people.office("dpo"), list[object]()
    monkeypatch.setattr(office.portal, "hand_in", lambda *given: handed_in.append(given))
    with pytest.raises(Refused, match="is not over"):
        custody.destroy_period(office, "2026-11")
    assert handed_in == []
    assert (people.machine("dpo") / "keys" / "2026-11.key").exists()


def test_a_refusal_is_of_the_request_that_is_shown(people: Signers) -> None:
    people.adopt("dpo")
    number = people.request()
    (case,) = people.scene.world.records("case_opened")

    def lie(what: str, value: dict[str, list[dict[str, object]]]) -> None:
        if what == "inbox":
            value["requests"][0]["leaf_hash"] = b64(case.hash)

    with lying(people, lie) as url, pytest.raises(DidNotVerify, match="is the record of 'case_opened'"):
        custody.refuse(people.office("dpo", url), number, "No.")
    assert people.scene.world.records("release_refused") == []
