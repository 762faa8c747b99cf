from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from watchglass.charter.model import Charter
from watchglass.charter.parse import parse

HARBOUR = Path(__file__).parents[2] / "spec" / "charters" / "harbour-square.yaml"


@pytest.fixture(scope="session")
def harbour() -> str:
    return HARBOUR.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def charter(harbour: str) -> Charter:
    return parse(harbour.encode())


@pytest.fixture(scope="session")
def unwitnessed(charter: Charter) -> Charter:
    """The harbour charter without `witnessed_within`: for what has nothing to do with witnesses."""
    return replace(charter, ledger=replace(charter.ledger, witnessed_within_ms=None))


Edit = Callable[..., bytes]


@pytest.fixture
def edit(harbour: str) -> Edit:
    """The harbour charter with pieces replaced, each of which must be there."""

    def change(*pairs: tuple[str, str]) -> bytes:
        text = harbour
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new, 1)
        return text.encode()

    return change


SEALED = HARBOUR.parent / "sealed" / HARBOUR.name


@pytest.fixture(scope="session")
def sealed() -> str:
    """The harbour charter with sealed originals."""
    return SEALED.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def sealed_charter(sealed: str) -> Charter:
    return parse(sealed.encode())


@pytest.fixture
def reseal(sealed: str) -> Edit:
    """The sealed harbour charter with pieces replaced, each of which must be there."""

    def change(*pairs: tuple[str, str]) -> bytes:
        text = sealed
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new, 1)
        return text.encode()

    return change


JUDGED = HARBOUR.parent / "judged" / HARBOUR.name


@pytest.fixture(scope="session")
def judged() -> str:
    """The harbour charter with limits for how well it must work."""
    return JUDGED.read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def judged_charter(judged: str) -> Charter:
    return parse(judged.encode())


@pytest.fixture
def rejudge(judged: str) -> Edit:
    """The harbour charter with limits, with pieces replaced, each of which must be there."""

    def change(*pairs: tuple[str, str]) -> bytes:
        text = judged
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new, 1)
        return text.encode()

    return change
