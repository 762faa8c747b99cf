"""Prohibited practices are refused whatever the charter says; a promise never to do them is not."""

from __future__ import annotations

import pytest

from watchglass.charter.lint import lint
from watchglass.charter.parse import CharterRefused, parse, read
from watchglass.charter.prohibited import PRACTICES, mentions, prohibited

ASKED = {
    "face_recognition": "biometric-identification",
    "facial-recognition": "biometric-identification",
    "faceRecognition": "biometric-identification",
    "face": "biometric-identification",
    "gait_analysis": "biometric-identification",
    "biometric_categorisation": "biometric-identification",
    "watchlist": "biometric-identification",
    "person_identification": "biometric-identification",
    "face_scraping": "biometric-identification",
    "scraping": "face-scraping",
    "web_crawler": "face-scraping",
    "emotion": "emotion",
    "emotion_recognition": "emotion",
    "aggression": "emotion",
    "suspicious_behaviour": "emotion",
    "ethnicity": "sensitive-traits",
    "race": "sensitive-traits",
    "gender": "sensitive-traits",
    "religion": "sensitive-traits",
    "sexual_orientation": "sensitive-traits",
    "political_opinion": "sensitive-traits",
    "trade_union_membership": "sensitive-traits",
    "age_group": "sensitive-traits",
    "licence_plate": "plate-reading",
    "plates": "plate-reading",
    "anpr": "plate-reading",
    "number-plate": "plate-reading",
    "reid": "re-identification",
    "re_identification": "re-identification",
    "cross_camera_tracking": "re-identification",
    "person_risk_score": "person-scores",
    "social_scoring": "person-scores",
    "suspect": "person-scores",
    "predictive_policing": "crime-prediction",
    "profiling": "crime-prediction",
    "crime_prediction": "crime-prediction",
    "social_media": "online-behaviour",
    "browsing_history": "online-behaviour",
    "imsi_catcher": "online-behaviour",
    "wifi_tracking": "online-behaviour",
    "audio": "listening",
    "speech_to_text": "listening",
    "performance-management": "staff-performance",
    "staff_performance": "staff-performance",
    "productivity": "staff-performance",
    "disciplinary-action": "staff-performance",
}


@pytest.mark.parametrize(("term", "practice"), sorted(ASKED.items()))
def test_each_practice_is_refused_as_a_kind_with_its_article(edit, term: str, practice: str) -> None:
    with pytest.raises(CharterRefused) as caught:
        parse(edit(("kind: intrusion", f"kind: {term}")))
    (refusal,) = caught.value.refusals
    assert refusal.rule == practice
    assert refusal.article
    assert refusal.article in refusal.message
    assert caught.value.exit_code == 3


def test_every_practice_has_a_test() -> None:
    assert {practice.id for practice in PRACTICES} == set(ASKED.values())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("of: [person, vehicle]", "of: [person, face]"),
        ("of: [person, vehicle]", "of: [person, number-plate]"),
        ("on-the-track: ", "face-match: "),
        ("  crowd-safety:\n", "  predictive-policing:\n"),
        ("  street: sha256", "  emotion-net: sha256"),
        ("people_per_m2: 0.3", "people_per_m2: 0.3, watchlist: yes"),
        ("ledger: {", "face_recognition: {on: true}\nledger: {"),
        ("loop: true", "loop: true\n    audio: true"),
        ("mode: painted", "mode: painted, blur_faces: true"),
    ],
)
def test_the_practices_are_refused_wherever_they_structure_the_charter(edit, old: str, new: str) -> None:
    with pytest.raises(CharterRefused) as caught:
        parse(edit((old, new)))
    assert caught.value.refusals[0].rule in {practice.id for practice in PRACTICES}


@pytest.mark.parametrize(
    "name", ["union-square", "race-day-crowding", "phone-box", "voice-street", "iris-lane", "surface-lot", "stage",
             "harvest-fair", "interface", "preface", "pageant", "lprunway", "station-platelets",
             "person_down", "sex-ed-museum", "performance-hall", "street-performance", "staff-entrance"]
)  # fmt: skip
def test_ordinary_names_are_not_refused(name: str) -> None:
    assert prohibited(name) is None


def test_a_promise_in_running_text_is_no_refusal_but_a_person_must_read_it(edit) -> None:
    parsed = read(edit(("early enough", "(never by emotion recognition or social media) early enough")))
    findings = [finding for finding in lint(parsed) if finding.rule == "prohibited-words"]
    assert {finding.severity for finding in findings} == {"warning"}
    assert {finding.path for finding in findings} == {"purposes.crowd-safety.text", "purposes.restricted-area.text"}


@pytest.mark.parametrize("text", ["We never use face recognition.", "No biometrics.", "not for predictive policing"])
def test_running_text_that_speaks_of_a_practice_is_noticed(text: str) -> None:
    assert [practice for practice, _ in mentions(text)]


@pytest.mark.parametrize(
    "text", ["Notice people in the union square at any age.", "Faces of buildings crumble on the track."]
)
def test_running_text_that_does_not_is_left_alone(text: str) -> None:
    assert not [practice for practice, _ in mentions(text)]
