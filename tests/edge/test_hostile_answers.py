"""Whatever a portal answers: a signer's machine says what is wrong, hands nothing on, and does not fall over."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from signers_world import Signers, signers
from watchglass.bootstrap import Keyring, Office, VirtualClock, custody, exporting, seeking
from watchglass.cli.case import _render_release, _render_status
from watchglass.cli.custodian import _render_inbox
from watchglass.core.errors import WatchglassError
from world import NOON

JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 2**53 - 1, 2**70, 1.5, "", "x", "../../etc/passwd", "\ud800", "A" * 43 + "=", [], [None], ["x"],
    {}, {"id": 1}, [[[]]], {"statement": {}},
)  # fmt: skip
"""What stands in place of some part of an answer."""
TRIES = 40


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Signers]:
    with signers(tmp_path, clock=VirtualClock(NOON)) as made:
        made.film()
        yield made


class Replayed(Office):
    """An office whose portal's answers were changed; everything else is real."""

    told: dict[str, Any]

    def ask(self, what: str, about: str = "") -> dict[str, Any]:
        answer: dict[str, Any] = copy.deepcopy(self.told[what])
        return answer


def nodes(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every part of an answer, the deep ones too."""
    yield at
    if isinstance(value, dict):
        for name, part in value.items():
            yield from nodes(part, (*at, name))
    elif isinstance(value, list):
        for place, part in enumerate(value[:3]):
            yield from nodes(part, (*at, place))


def with_junk(value: Any, at: tuple[Any, ...], junk: Any) -> Any:
    """The answer with something else at one place; an answer is always an object, the client sees to that."""
    changed = copy.deepcopy(value)
    if not at:
        return junk if isinstance(junk, dict) else {}
    inside = changed
    for step in at[:-1]:
        inside = inside[step]
    inside[at[-1]] = junk
    return changed


def replayed(people: Signers, who: str, told: dict[str, Any]) -> Replayed:
    machine = people.machine(who)
    office = Replayed(people.url, Keyring(machine / "keys", str), machine / "trust", clock=people.scene.world.clock)
    office.told = told
    people.offices.append(office)
    return office


def attack(people: Signers, who: str, about: dict[str, str], deeds: list[Callable[[Office], Any]], seed: str) -> int:
    """Change one part of one answer each time, and do everything; how often something was refused."""
    draw = random.Random(seed)
    office = people.office(who)
    told = {what: office.ask(what, number) for what, number in about.items()}
    refused = 0
    fake = replayed(people, who, told)
    for _ in range(TRIES):
        what = draw.choice(sorted(told))
        places = list(nodes(told[what]))
        fake.told = {**told, what: with_junk(told[what], draw.choice(places), draw.choice(JUNK))}
        for deed in deeds:
            try:
                deed(fake)
            except WatchglassError:
                refused += 1
    return refused


def test_a_custodian_survives_any_answer_and_signs_nothing_of_it(people: Signers) -> None:
    people.adopt("dpo")
    hold = people.scene.order_hold()
    number = people.request()

    def inbox(office: Office) -> None:
        _render_inbox(custody.inbox(office))

    def look(office: Office) -> None:
        custody.verified_request(office.look(), office.ask("inbox"), number)

    def headers(office: Office) -> None:
        custody._headers(office.look(), office.ask("segments"))

    refused = attack(people, "dpo", {"inbox": "", "segments": number}, [inbox, look, headers], "custodian")
    assert refused > TRIES // 4
    assert people.scene.world.records("release_approved") == []
    assert custody.keep_hold(people.office("dpo"), hold)["kept"] == 3


def test_an_investigator_survives_any_answer_and_opens_nothing_else(people: Signers, tmp_path: Path) -> None:
    number = people.taken()
    office = people.office("investigator")
    plain = {piece.plaintext for piece in seeking.opened(office, seeking.release(office, number))}

    def status(office: Office) -> None:
        _render_status(seeking.status(office))

    def opened(office: Office) -> None:
        found = seeking.release(office, number)
        _render_release(found.as_json())
        assert {piece.plaintext for piece in seeking.opened(office, found)} <= plain

    def follow(office: Office) -> None:
        seeking.follow_up(office, number, report="Nothing.", case=None)

    refused = attack(people, "investigator", {"cases": "", "release": number}, [status, opened, follow], "investigator")
    assert refused > TRIES
    exporting.export(people.office("investigator"), number, tmp_path / "a.mp4")


class Shows:
    """A portal that is asked for its standing alone."""

    def __init__(self, shown: dict[str, Any]) -> None:
        self.shown = shown

    def standing(self) -> dict[str, Any]:
        return self.shown


def test_what_the_portal_says_of_charter_and_keys_may_be_anything(people: Signers) -> None:
    office = people.office("dpo")
    standing, draw = office.portal.standing(), random.Random("standing")

    portal = Shows(standing)
    places = [at for at in nodes(standing) if at[:1] in (("charter",), ("guard",))]
    real, office.portal = office.portal, portal  # type: ignore[assignment]  # all that is asked of it here
    try:
        for _ in range(TRIES):
            portal.shown = with_junk(standing, draw.choice(places), draw.choice(JUNK))
            with suppress(WatchglassError):
                office.look()
    finally:
        office.portal = real
