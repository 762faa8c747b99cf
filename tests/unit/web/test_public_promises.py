"""The tour claims nothing that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from watchglass.charter.unbuilt import NOT_BUILT
from watchglass.cli.main import parser as command_line
from watchglass.web.portal.promises import PROMISES, Built, Promise
from watchglass.web.portal.routes import Table


def test_there_are_twelve_in_order() -> None:
    assert [promise.number for promise in PROMISES] == list(range(1, 13))


def test_every_page_of_the_tour_exists() -> None:
    for promise in PROMISES:
        if promise.page:
            assert Table().find("GET", promise.page) is not None, promise.page


def test_every_command_of_the_tour_is_one_that_the_command_line_knows(capsys: pytest.CaptureFixture[str]) -> None:
    parser = command_line()
    for promise in PROMISES:
        for command in re.findall(r"watchglass [a-z -]+", promise.command):
            words = [word for word in command.split()[1:] if not word.startswith("-")]
            with pytest.raises(SystemExit) as left:
                parser.parse_args([*words, "--help"])
            assert left.value.code == 0, command
    capsys.readouterr()


def test_nothing_is_called_built_without_a_trial() -> None:
    with pytest.raises(ValueError, match="without a page"):
        Promise(1, "need", "answer", Built.PARTLY, "now", "missing")
    with pytest.raises(ValueError, match="something is missing"):
        Promise(1, "need", "answer", Built.BUILT, "now", "missing", "/", "page", "try", "command")
    with pytest.raises(ValueError, match="nothing is said to be missing"):
        Promise(1, "need", "answer", Built.NOT_YET, "now", "")


def test_what_the_tour_calls_not_built_is_refused_by_the_charter_or_absent() -> None:
    """Rows that lean on a refusal by name; building the safeguard must change the row."""
    refused = {row.path for row in NOT_BUILT}
    leans_on = {3: "statistics", 4: "costs", 12: "consultation"}
    for number, path in leans_on.items():
        promise = PROMISES[number - 1]
        assert (path in refused) is (promise.built is not Built.BUILT), path


def test_the_tests_named_in_the_module_exist() -> None:
    text = (Path(__file__).parents[3] / "src/watchglass/web/portal/promises.py").read_text("utf-8")
    assert Path(__file__).relative_to(Path(__file__).parents[3]).as_posix() in text
