"""The list of what gave no alert: blind, one at a time, and what the public reads of the answers a day later."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from a_portal import DATA, Portal, make_portal
from a_street import Street

from watchglass.acts.keep_sample import keep_sample
from watchglass.acts.take_sample import take_sample
from watchglass.charter.decide import decide
from watchglass.charter.permit import TakeSample
from watchglass.core.time import DAY
from watchglass.perception.messages import Clip, Unalerted

LAWN = "on-the-lawn"
ASKED = "review: {within: 2m}\n  samples: {near_misses: 10%, very_near_misses: 50%, quiet_a_day: 1, kept: 7d}"


def sampled(street: Street) -> None:
    street.publish(("version: 1\n", "version: 2\n"), ("review: {within: 2m}", ASKED))


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = make_portal(tmp_path_factory.mktemp("samples"), wrap=sampled)
    yield made
    made.street.house.close()


def take(portal: Portal, number: int, *, near: bool, lot: int) -> str:
    house, now = portal.street.house, portal.street.clock.now()
    source = house.standing().charter.analytic(LAWN).source  # type: ignore[union-attr]  # one is in force
    below, closeness = (100_000_000, 600) if near else (11_574, None)
    moment = Unalerted(f"{number:016x}", source, LAWN, "near" if near else "quiet", now, lot, below, closeness)
    asked = TakeSample(LAWN, now)
    if take_sample(house.acting, decide(house.standing(), asked, now), moment, kept_ms=7 * DAY).value is None:
        return ""
    keep_sample(house.acting, decide(house.standing(), asked, now), Clip(moment.id, source, b"film", 8.0, 0.3))
    return moment.id


def test_people_judge_without_knowing_what_it_is(portal: Portal) -> None:
    reviewer = portal.person("reviewer")
    assert "Nothing to look at" in reviewer.get("/review/samples").text
    assert portal.person("responder").get("/review/samples").status_code == 403
    for number in range(220):
        take(portal, number, near=True, lot=5 if number < 22 else 500_000_000)
    for number in range(300, 304):
        take(portal, number, near=False, lot=7)
    seen: list[str] = []
    told: set[frozenset[str]] = set()
    while (listed := reviewer.get("/review/samples.json").json())["sample"] is not None:
        sample = listed["sample"]
        told.add(frozenset(f"{key}={value}" for key, value in sample.items() if key != "id"))
        page = reviewer.get("/review/samples").text
        assert "near-miss" not in page
        assert "Tell the shift lead the place" in page
        refused = reviewer.post(f"/review/samples/{sample['id']}/answer", {"answer": "no"}, headers=DATA)
        assert refused.status_code == 409  # not looked at
        assert reviewer.get(f"/review/samples/{sample['id']}/clip.mp4").content == b"film"
        said = "yes" if len(seen) % 11 == 0 else "no"
        answer = reviewer.post(f"/review/samples/{sample['id']}/answer", {"answer": said}, headers=DATA)
        assert answer.status_code == 200, answer.text
        seen.append(sample["id"])
    assert len(seen) == 26
    assert len(told) == 1  # nothing tells one kind from another
    assert seen != sorted(seen)  # in an order that was drawn
    anyone = portal.someone()
    assert "Not enough data" in anyone.get("/how-well").text or "Nothing came near" in anyone.get("/how-well").text
    portal.street.clock.advance(DAY)
    page = anyone.get("/how-well").text
    assert "Of all 220, about" in page
    assert "missed in a camera-week" in page
    table = anyone.get("/how-well/samples.csv").text.splitlines()
    [row] = [line for line in table if line.startswith(f"{LAWN},near,0.1,220,22,")]
    assert row.split(",")[9:12] != ["", "", ""]
