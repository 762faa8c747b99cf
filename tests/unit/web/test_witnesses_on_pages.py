"""Who may sees how each witness stands, what was lodged and not obeyed; everybody sees how many agree."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from a_portal import Portal, make_portal

from watchglass.core.errors import Problem
from watchglass.runtime.lodged import LodgedOrders


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    made = make_portal(tmp_path)
    made.street.settle()
    yield made
    made.street.house.close()


class Down:
    def cosign(self, request: object) -> bytes:
        raise Problem("The witness <b>does not</b> answer.", fix="Start it.")


def watched_by(portal: Portal, witness: Any) -> None:
    portal.street.house.sequencer.watched_by({portal.street.witness_name: witness})


def test_oversight_sees_each_witness_and_why_one_does_not_confirm(portal: Portal) -> None:
    house, oversight = portal.street.house, portal.person("oversight")
    found = oversight.get("/oversight.json").json()["witnesses"]
    assert (found["needed"], found["size"], found["cosigned_size"]) == (
        1,
        house.sequencer.head.size,
        house.cosigned_size(),
    )
    (one,) = found["witnesses"]
    assert (one["problem"], one["size"]) == (None, house.sequencer.head.size)
    assert "1 of 1 must agree" in oversight.get("/oversight").text

    watched_by(portal, Down())
    portal.alert()
    portal.street.settle()
    (one,) = oversight.get("/oversight.json").json()["witnesses"]["witnesses"]
    assert "does not</b> answer" in one["problem"]
    html = oversight.get("/oversight").text
    assert "does not confirm" in html
    assert "&lt;b&gt;does not&lt;/b&gt; answer. Start it." in html, "what a witness says is text"


def test_oversight_sees_what_was_lodged_and_not_obeyed(portal: Portal) -> None:
    orders: LodgedOrders = portal.street.house.watch.orders
    oversight = portal.person("oversight")
    assert "not obeyed" not in oversight.get("/oversight").text

    class Shelf:
        def listed(self, origin: str, start: int) -> tuple[int, list[int]]:
            return 1, list(range(start, 1))

        def fetch(self, origin: str, n: int) -> Any:
            class Kept:
                kind, at_s, body = "suspension_ordered", 1, b"{}"

            return Kept()

    orders.look({"w": Shelf()})
    html = oversight.get("/oversight").text
    assert "Lodged with a witness, and not obeyed" in html
    assert "not a signed statement" in html


def test_everybody_sees_how_many_must_agree_and_nothing_of_who_is_down(portal: Portal) -> None:
    anyone = portal.someone()
    size = portal.street.house.cosigned_size()
    assert anyone.get("/ledger.json").json()["witnesses"] == {"needed": 1, "named": 1, "cosigned_size": size}
    assert "1 of 1 witness must agree." in anyone.get("/ledger").text
