"""Plain words: every part of a charter is told, in short sentences."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from watchglass.charter.hours import HOURS
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.charter.words import duration, explain, listed, sentence, things, when
from watchglass.ledger.keys import KeyType, SignerKey


def told(charter: Charter) -> str:
    return "\n".join(line for section in explain(charter) for line in section.sentences)


@pytest.mark.parametrize(
    ("ms", "words"),
    [(0, "0 seconds"), (1000, "1 second"), (90_000, "1 minute 30 seconds"), (900_000, "15 minutes"),
     (259_200_000, "3 days"),
     (31_536_000_000, "1 year"), (7 * 86_400_000, "7 days"), (1500, "1 second 500 milliseconds")],
)  # fmt: skip
def test_lengths_of_time(ms: int, words: str) -> None:
    assert duration(ms) == words


@pytest.mark.parametrize(
    ("hours", "days", "words"),
    [
        (None, (), "all day, every day"),
        ("01:00-04:30", (), "between 01:00 and 04:30"),
        ("22:00-06:00", (), "between 22:00 and 06:00 the next morning"),
        ("22:00-20:00", (), "between 22:00 and 20:00 the next day"),
        ("08:00-18:00", ("mon", "tue", "wed", "thu", "fri"), "between 08:00 and 18:00, from Monday to Friday"),
        (
            "22:00-06:00",
            ("fri", "sat"),
            "between 22:00 and 06:00 the next morning, on nights that begin on Friday and Saturday",
        ),
        (None, ("mon", "wed", "fri"), "all day, on Monday, Wednesday and Friday"),
    ],
)
def test_hours_and_days(hours: str | None, days: tuple[str, ...], words: str) -> None:
    assert when(HOURS.read(hours) if hours else None, days) == words


def test_one_sentence_says_what_an_analytic_does(charter: Charter) -> None:
    assert sentence(charter, charter.analytic("on-the-track")) == (
        "Tells a person when anyone or a vehicle is in the area “track” (Harbour steps) for 2 seconds or longer, "
        "between 01:00 and 04:30."
    )
    assert sentence(charter, charter.analytic("crowding")) == (
        "Tells a person when there are 42 or more people in the area “steps” (Harbour steps; that is one on every "
        "3 square metres) for 20 seconds or longer, all day, every day."
    )
    assert "black, frozen, blurred, moved or lost" in sentence(charter, charter.analytic("camera-health"))


def test_a_thin_crowd_is_told_in_whole_people(edit) -> None:
    thin = parse(edit(("people_per_m2: 0.3", "people_per_m2: 0.08")))
    assert "there are 12 or more people" in sentence(thin, thin.analytic("crowding"))
    assert "one on every 12 square metres" in sentence(thin, thin.analytic("crowding"))


def test_lists_and_kinds() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
    assert things(("person", "vehicle", "bag")) == "anyone, a vehicle or a bag"


def test_a_resident_reads_what_matters(charter: Charter) -> None:
    text = told(charter)
    for words in (
        "City of Exampleton is responsible",
        "privacy@exampleton.example",
        "30 November 2027",
        "15 minutes late",
        "fewer than three people",
        "kept for 7 days",
        "kept for 1 year",
        "within 2 minutes",
        "Exampleton Privacy Board",
        "double patrols",
        "not consulted on",
        "painted black",
    ):
        assert words in text


def test_what_is_live_or_unwatched_is_said(charter: Charter, edit) -> None:
    live = parse(edit(("delay: 15m", "delay: 0s"), ("hide_below: 3", "hide_below: 0")))
    assert "It is live." in told(live)
    assert "shows no pins while" not in told(live)
    alone = replace(charter, oversight=replace(charter.oversight, witnesses=()))
    assert "nobody outside would notice" in told(alone)


def test_sentences_are_short_and_whole(charter: Charter) -> None:
    own = [line for section in explain(charter) if section.id != "why" for line in section.sentences]
    for line in own:
        assert line.endswith("."), line
        assert line[0].isupper() or line[0].isdigit(), line
        assert len(line.split()) <= 42, line
    words = [len(re.findall(r"\w+", line)) for line in own]
    assert sum(words) / len(words) < 20


def test_no_word_that_the_house_does_not_use(charter: Charter) -> None:
    assert not re.search(r"\b(threat|suspect|subject|user|positive)\b", told(charter), re.IGNORECASE)


def test_a_resident_reads_how_many_witnesses_must_agree_and_what_happens_without_them(edit) -> None:
    def checked(data: bytes) -> str:
        return " ".join(next(section for section in explain(parse(data)) if section.id == "checked").sentences)

    keys = [SignerKey.from_seed(f"w{n}.example", bytes([n]) * 32, KeyType.COSIGNATURE_V1) for n in (1, 2)]
    lines = "".join(f'    - {{key: {key.verifier}, url: "https://{key.name}"}}\n' for key in keys)
    three = ("  witnesses:\n", f"  witnesses:\n{lines}")
    assert "have not confirmed the ledger for 1 hour, everything stops until they have" in checked(edit())
    assert "the software goes on" in checked(edit((", witnessed_within: 1h", "")))
    assert "One witness outside" in checked(edit())
    assert "Three witnesses outside keep watch" in checked(edit(three))
    assert "Two of them must have confirmed it before new rules hold" in checked(edit(three))
    assert "All of them must have confirmed it" in checked(
        edit(three, ("  witnesses:\n", "  quorum: 3\n  witnesses:\n"))
    )


def test_a_resident_reads_how_often_a_heartbeat_is_signed_or_that_none_is(edit) -> None:
    def checked(data: bytes) -> str:
        return " ".join(next(section for section in explain(parse(data)) if section.id == "checked").sentences)

    assert "signs a heartbeat every minute, quiet or not" in checked(edit())
    assert "signs a heartbeat every 10 seconds, quiet" in checked(
        edit(("heartbeat_every: 60s", "heartbeat_every: 10s"))
    )
    assert "nobody can tell whether a time was left out" in checked(edit((", heartbeat_every: 60s", "")))
    assert "publish what it finds" in checked(edit(("may: [suspend, inspect]", "may: [inspect, audit]")))
