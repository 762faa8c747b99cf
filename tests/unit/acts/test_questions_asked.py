"""Signed questions: every question, asked with every key, answered to whom it is listed for and to nobody else.

Who may is written down a second time here, by hand; what the house answers and what Cedar says must both agree with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from guarded import CUSTODIANS, Guarded, enrol, guarded
from watchglass.access.policies import policies_for, policies_of
from watchglass.access.roles import GRANTS, SIGNED_IN, May
from watchglass.acts import custody_reading, who_asks
from watchglass.acts.who_asks import QUESTIONS
from watchglass.bootstrap import SeededEntropy
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused
from watchglass.core.time import DAY, HOUR, SECOND
from watchglass.ledger.keys import SignerKey
from watchglass.records.query import ask

KEYS = (*CUSTODIANS, "investigator", "shift-lead", "another", "reviewer", "stranger", "authority", "board")
HOUSES = ("inbox", "segments", "cases", "release", "segment", "office", "draft", "openings")


def expected(what: str, who: str, about: str) -> bool:
    """Whether this key may ask that about this, by what stands here and nothing else."""
    match what:
        case "inbox":
            return who in CUSTODIANS
        case "segments":
            return who in CUSTODIANS and about in {"request", "hold"}
        case "cases":
            return who in {"investigator", "another", "shift-lead"}
        case "release" | "segment":
            return (who, about) in {("investigator", "request"), ("shift-lead", "glass")}
    if what == "openings":
        return (who, about) == ("board", "nothing")
    return who in {"office": ("board",), "draft": ("board", "authority")}[what]


class Asked:
    """A request that was taken, an order to keep and a use of the emergency rule, and everybody's keys."""

    def __init__(self, scene: Guarded) -> None:
        self.scene = scene
        (self.segment,) = scene.record(1)
        for name, role in (("another", "investigator"), ("reviewer", "reviewer"), ("stranger", "")):
            scene.keys[name] = SignerKey.generate(f"{name}.example", SeededEntropy(name))
            if role:
                enrol(scene.world, role, name, scene.keys[name])
        scene.keys |= {"authority": scene.world.keys["authority"], "board": scene.world.keys["oversight"]}
        self.about = {"request": scene.granted(), "hold": scene.order_hold(), "glass": self.glass(), "nothing": ""}
        scene.hand_in(scene.taking(self.about["request"]))
        scene.world.settle()

    def glass(self) -> str:
        scene = self.scene
        values = {
            "request": scene.number(),
            "source": "street",
            "from_ms": scene.now - 60 * SECOND,
            "to_ms": scene.now,
            "reason": "A child is missing.",
            "follow_up_by_ms": scene.now + 24 * HOUR,
        }
        scene.hand_in(scene.sign("glass_broken", "shift-lead", values, purpose=scene.purpose))
        return str(values["request"])

    def ask(self, what: str, who: str, about: str) -> object:
        scene, number = self.scene, self.about[about]
        named = f"{number}/{self.segment}" if what == "segment" else number
        if what == "openings":
            named = named or "0"
        query = ask(what, about=named, key=scene.keys[who], origin=scene.world.house.origin, now=scene.now)
        house = scene.world.house
        return house.sealed_segment(query) if what == "segment" else house.ask(query)


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asked]:
    with guarded(tmp_path_factory.mktemp("asked")) as scene:
        yield Asked(scene)


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Guarded]:
    with guarded(tmp_path) as made:
        yield made


def test_every_question_has_its_line_and_every_line_its_rule(asked: Asked) -> None:
    assert set(QUESTIONS) == set(HOUSES)
    assert set(custody_reading._ANSWERS) == set(HOUSES) - {
        "segment",
        "draft",
        "openings",
    }  # which are answered beside these
    in_the_portal = SIGNED_IN | {act for acts in GRANTS.values() for act in acts}
    policies = policies_of(asked.scene.world.standing().charter)
    for need in QUESTIONS.values():
        assert need not in in_the_portal
        assert any(rule.effect == "permit" for rule in policies.about(need)), need


@pytest.mark.parametrize("who", KEYS)
@pytest.mark.parametrize("what", HOUSES)
def test_each_key_is_answered_what_is_listed_and_nothing_else(asked: Asked, what: str, who: str) -> None:
    before, wrong = asked.scene.world.state(), []
    for about in asked.about:
        try:
            answer = asked.ask(what, who, about)
        except (Refused, Problem, BadInput):
            answer = None
        if (answer is not None) is not expected(what, who, about):
            wrong.append(f"{who} asks {what} about {about}")
    assert wrong == []
    changed = asked.scene.world.state() != before
    assert changed is ((what, who) == ("openings", "board")), "that openings were taken is recorded, and nothing else"


@pytest.mark.parametrize("what", HOUSES)
def test_the_policies_have_the_last_word(asked: Asked, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    may = [(who, about) for who in KEYS for about in asked.about if expected(what, who, about)]
    assert may
    nobody = policies_for((), None)
    bare = type(nobody)(tuple(rule for rule in nobody.rules if rule.id.startswith(("role.", "everybody"))))
    monkeypatch.setattr(who_asks, "policies_of", lambda _charter: bare)
    for who, about in may:
        with pytest.raises(Refused, match="Nobody may do this here") as caught:
            asked.ask(what, who, about)
        assert caught.value.details["policy"]


def test_a_question_that_was_signed_for_something_else_opens_no_segment(asked: Asked) -> None:
    scene = asked.scene
    named = f"{asked.about['request']}/{asked.segment}"
    for what in ("release", "cases", "inbox"):
        query = ask(what, about=named, key=scene.keys["investigator"], origin=scene.world.house.origin, now=scene.now)
        with pytest.raises(DidNotVerify, match="something else"):
            scene.world.house.sealed_segment(query)


def test_shares_are_read_only_for_what_can_still_be_answered(scene: Guarded) -> None:
    scene.record()
    request, hold = scene.requested(), scene.order_hold(until_ms=scene.now + 2 * DAY)
    for about in (request, hold):
        assert scene.ask("segments", "dpo", about)["segments"]
    scene.world.clock.advance(25 * HOUR)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="read-shares"):
        scene.ask("segments", "dpo", request)
    assert scene.ask("segments", "dpo", hold)["segments"]
    scene.world.clock.advance(DAY)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="read-shares"):
        scene.ask("segments", "dpo", hold)


def test_a_key_of_last_month_asks_nothing_any_more(scene: Guarded) -> None:
    scene.open_case()
    assert scene.ask("cases", "investigator")["cases"]
    scene.world.clock.advance(31 * DAY)  # type: ignore[attr-defined]
    with pytest.raises(Refused, match="may not read"):
        scene.ask("cases", "investigator")


def test_the_needs_of_questions_are_those_that_are_asked() -> None:
    reading = {may for may in May if may.value.startswith(("read-", "fetch-"))}
    assert set(QUESTIONS.values()) == reading
