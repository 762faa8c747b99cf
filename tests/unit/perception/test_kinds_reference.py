"""The page about the kinds of incident is what the cards say, and every kind has a card."""

from __future__ import annotations

from pathlib import Path

from watchglass.perception.analytics import KINDS_OF_INCIDENT
from watchglass.perception.analytics.reference import cards, page

PAGE = Path(__file__).parents[3] / "docs/reference/incident-kinds.md"


def test_the_page_is_made_from_the_cards() -> None:
    run = "run: python -m watchglass.perception.analytics.reference > docs/reference/incident-kinds.md"
    assert PAGE.read_text("utf-8") == page(), run


def test_every_kind_has_a_card_of_its_own_name() -> None:
    assert [card.kind for card in cards()] == list(KINDS_OF_INCIDENT)


def test_every_card_says_how_it_fails_and_what_each_setting_means() -> None:
    for card in cards():
        assert len(card.fails) >= 3, card.kind
        assert all(p.key and p.unit and p.means.endswith(".") for p in card.parameters), card.kind
        assert all(text.endswith(".") for text in (card.rule, card.evidence, *card.fails)), card.kind
