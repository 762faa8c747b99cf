"""A reviewer and the public read what scores were worth on test clips; the deployment's own verdicts come first."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from a_portal import Portal, make_portal

from watchglass.perception.calibration import Calibration, Known
from watchglass.statistics.isotonic import Block, Curve

TABLE = Calibration("ab", {"intrusion": Known(Curve((Block(0.4, 7, 14), Block(0.6, 50, 62))), False, "PETS")})
SENTENCE = "On test clips, about 8 of 10 such alerts were right (n\u00a0=\u00a062)."


@pytest.fixture
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = make_portal(tmp_path_factory.mktemp("sure"))
    made.street.house.calibration = TABLE
    yield made
    made.street.house.close()


def test_a_reviewer_reads_one_sentence_until_verdicts_here_are_enough(portal: Portal) -> None:
    reviewer = portal.person("reviewer")
    alert = portal.alert(sure=0.797)
    assert SENTENCE in reviewer.get(f"/review/alerts/{alert.id}").text
    assert reviewer.get(f"/review/alerts/{alert.id}.json").json()["on_test_clips"] == SENTENCE
    unknown = portal.alert()
    assert "On test clips" not in reviewer.get(f"/review/alerts/{unknown.id}").text
    for _ in range(20):
        decided = portal.alert()
        reviewer.post(f"/review/alerts/{decided.id}/verdict", {"value": "confirm"})
    page = reviewer.get(f"/review/alerts/{alert.id}").text
    assert "Of the last 20 alerts of this rule" in page
    assert "On test clips" not in page


def test_the_public_reads_what_is_known_of_a_kind_and_what_is_not(portal: Portal) -> None:
    page = portal.someone().get("/register/analytics/on-the-lawn").text
    assert "with a raw score below 60 of 100: about 5 of 10 were right" in page
    assert "from 60 of 100 on: about 8 of 10 were right" in page
    other = portal.someone().get("/register/analytics/gathering").text
    assert "On test clips: not enough data" in other
