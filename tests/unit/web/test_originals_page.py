"""What everybody reads about original video: who can open it, what was done with it, and where none is kept."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from a_portal import Portal, Someone, make_portal
from a_street import BEGIN, CUSTODIANS, Seeded, Street, make_street, without_originals

from watchglass.acts.public_originals import kept_line, months, of_source
from watchglass.charter.parse import parse
from watchglass.core.digest import b64
from watchglass.core.time import DAY, month_of
from watchglass.edge.keys import new_openings_key
from watchglass.web.portal.app import create_app

OCTOBER, NOVEMBER = "2026-10", "2026-11"


def publish_keys(street: Street, month: str) -> dict[str, bytes]:
    """Each custodian publishes a key; the leaf hash of each."""
    leaves = {}
    for key, name in CUSTODIANS.items():
        public = b64(new_openings_key(Seeded(f"{name}{month}")).public_key().public_bytes_raw())
        clear = {"custodian": name, "period": month, "key": public}
        statement = street.signed("sealing_key_published", key, clear, {}, role="custodian")
        leaves[name] = street.hand_in(statement)
    return leaves


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = make_portal(tmp_path_factory.mktemp("originals"))
    street = made.street
    october = publish_keys(street, OCTOBER)
    street.clock.set(BEGIN + 12 * DAY)
    assert month_of(street.clock.now()) == NOVEMBER
    publish_keys(street, NOVEMBER)
    clear = {"custodian": "oversight", "period": OCTOBER}
    refs = [october["oversight"]]
    street.hand_in(street.signed("period_destroyed", "board-custodian", clear, {}, refs, role="custodian"))
    street.settle()
    yield made
    street.house.close()


def test_who_can_open_originals_stands_in_short_sentences(portal: Portal) -> None:
    data = portal.someone().get("/originals.json").json()
    rules = data["rules"]
    assert rules["custodians"] == ["control-room", "dpo", "oversight"]
    assert rules["groups"] == [["control-room", "oversight"], ["dpo", "oversight"]]
    html = portal.someone().get("/originals").text
    for sentence in (*rules["kept"], *rules["log"]):
        assert sentence.split("“")[0] in html
        assert len(sentence) < 200
    assert "It is never used to judge how well somebody works." in rules["log"]
    assert data["simulated_until"] is None
    assert "simulator" not in html


def test_a_month_whose_keys_died_is_told_with_its_entries(portal: Portal) -> None:
    data = portal.someone().get("/originals.json").json()
    newest, older = data["periods"]
    assert (newest["month"], newest["can_open"], newest["destroyed"]) == (NOVEMBER, True, [])
    # oversight is one of every group, so its key alone decides
    assert (older["month"], older["can_open"], older["destroyed"]) == (OCTOBER, False, ["oversight"])
    entry = next(key for key in older["keys"] if key["custodian"] == "oversight")["destroyed_index"]
    html = portal.someone().get("/originals").text
    assert f'href="/ledger/entries/{entry}"' in html
    shown = portal.someone().get(f"/ledger/entries/{entry}.json").json()
    assert shown["entry"]["act"] == "period_destroyed"


def test_pieces_of_today_are_not_counted_yet(portal: Portal) -> None:
    reader, now = portal.street.house.store.read(), portal.street.clock.now()
    assert months(reader, now) == ()  # publishing keys is nothing that was asked for
    assert "Nothing was asked for yet" in portal.someone().get("/originals").text


def test_the_camera_s_page_says_what_keeps_originals_from_being_opened(portal: Portal) -> None:
    data = portal.someone().get("/register/sources/street.json").json()
    assert data["originals_recorded"]
    said = " ".join(data["originals"])
    assert "around alerts only, from 5 seconds before until 10 seconds after" in said
    assert "2 of these 3 must agree" in said
    assert "“oversight” must be one of them" in said
    assert "deleted after 3 days" in said
    assert "emergency key" in said
    html = portal.someone().get("/register/sources/street").text
    assert 'href="/originals"' in html


def test_the_first_page_says_how_long_they_are_kept(portal: Portal) -> None:
    kept = portal.someone().get("/index.json").json()["kept"]
    assert kept[0] == {
        "what": "Original video around alerts, locked",
        "how_long": "3 days, unless a hold keeps a part of it",
    }


def test_where_nothing_is_recorded_that_is_said(tmp_path: Path) -> None:
    street = make_street(tmp_path)
    try:
        street.text = without_originals(street.text)
        charter = street.publish()
        assert kept_line(charter)[1] == "Never kept. It passes through memory and is gone."
        assert of_source(charter, "street") == ("The original video of this camera is not recorded.",)
        app = create_app(street.house)
        html = Someone(app).get("/originals").text
        assert "Nobody, because none is kept." in html
        assert "is not recorded" in Someone(app).get("/register/sources/street").text
    finally:
        street.house.close()


def test_other_rules_are_told_as_they_are(tmp_path: Path) -> None:
    street = make_street(tmp_path)
    try:
        always = street.text.replace(
            "{when: incidents, before: 5s, after: 10s, segment: 10s}", "{when: always, segment: 10s}"
        )
        assert kept_line(parse(always.encode()))[0] == "Original video, locked"
        lines = of_source(parse(always.encode()), "street")
        assert lines[0].startswith("All of its original video is recorded.")
        alone = parse(street.text.replace("custodians: 2 of 3 ", "custodians: 1 of 3 ").encode())
        assert any(line.startswith("To open any of it, 1 of these 3 must agree") for line in of_source(alone, "street"))
    finally:
        street.house.close()


def test_without_a_charter_the_page_says_so(tmp_path: Path) -> None:
    street = make_street(tmp_path)
    try:
        assert Someone(create_app(street.house)).get("/originals").status_code == 200
    finally:
        street.house.close()
