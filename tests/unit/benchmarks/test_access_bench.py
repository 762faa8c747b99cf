"""What ``bench access`` measures is what it says: 1,000 entities, both answers, and the same answer each way."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import cedarpy
import pytest

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import access as bench
from watchglass.access.authorise import question
from watchglass.access.policies import encode, entities_of, schema_text

NAMES = [
    "decision_us_1000_entities",
    "decision_p95_us_1000_entities",
    "authorise_us",
    "authorise_p95_us",
    "authorise_cold_us",
    "decision_from_text_us",
    "decision_from_text_p95_us",
]


def test_every_way_to_ask_gives_one_answer() -> None:
    dice = random.Random(7)
    town = bench.make_town(dice)
    known = list(town.entities())
    assert len({(each["uid"]["type"], each["uid"]["id"]) for each in known}) == 1_000
    document = encode(*known)
    prepared, answers = entities_of(document), set()
    for place in range(60):
        asked = bench.ask(dice, town)
        request = question(*asked, None if asked[2] is None else bench.NOW)
        answer = town.policies.decide(request, prepared)[0]
        assert answer is bench.may(town.policies, asked)
        if place < 3:
            text = cedarpy.is_authorized(request, town.policies.text, document, schema_text())
            assert text.allowed is answer
        answers.add(answer)
    assert answers == {True, False}


def test_the_figures_and_their_targets(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, count in (("QUICK", 40), ("COLD_QUICK", 5), ("FROM_TEXT_QUICK", 2)):
        monkeypatch.setattr(bench, name, count)
    found = bench.figures(quick=True, progress=lambda _said: None)
    assert [each["name"] for each in found] == NAMES
    assert [each["target"] for each in found] == [200.0, 200.0, None, None, None, None, None]
    assert [each["n"] for each in found] == [40, 40, 40, 40, 5, 2, 2]
    assert all(each["value"] > 0 and each["unit"] == "us" for each in found)
