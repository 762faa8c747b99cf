"""What the documents say must be so: links, commands, acts, words with their files, pictures, and the how-to's code."""

from __future__ import annotations

import argparse
import re
import shlex
import struct
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from watchglass.cli.main import GROUPS, parser
from watchglass.cli.output import Parser
from watchglass.core.errors import BadInput
from watchglass.demo.people import ACCOUNTS
from watchglass.perception.analytics import Analytic, Scene
from watchglass.perception.messages import AnalyticSpec, ZoneSpec
from watchglass.perception.observation import KINDS, Tracks
from watchglass.records.vocabulary import ACTS

ROOT = Path(__file__).resolve().parents[2]
TOP = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "GLOSSARY.md")
PAGES = sorted(
    [*(ROOT / name for name in TOP), *(ROOT / "docs").rglob("*.md"), ROOT / "changelog" / "README.md"],
    key=lambda page: page.relative_to(ROOT).as_posix(),
)
LARGEST_PICTURE = 250_000

_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_FENCE = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_HEADING = re.compile(r"^#{1,6} +(.+)$", re.MULTILINE)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to headings."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    words = (re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()) for heading in _HEADING.findall(text))
    return {word.strip().replace(" ", "-") for word in words}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in _LINK.findall(_FENCE.sub("", page.read_text("utf-8"))):
        if target.startswith(("https://", "http://")):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), f"{name_of(page)} links to {target}, which is not there"
        assert file.is_relative_to(ROOT), f"{name_of(page)} links to {target}, outside the repository"
        if anchor:
            assert anchor in anchors(file), f"{name_of(page)} links to {target}; there is no such heading"


def test_every_document_can_be_found_from_the_index() -> None:
    linked = {
        (page.parent / target.partition("#")[0]).resolve()
        for page in (ROOT / "docs" / "README.md", ROOT / "docs" / "adr" / "README.md")
        for target in _LINK.findall(page.read_text("utf-8"))
    }
    lost = [name_of(page) for page in (ROOT / "docs").rglob("*.md") if page.resolve() not in linked]
    assert lost in ([], ["docs/README.md"])


# ---- commands ------------------------------------------------------------------------------------------------------


def leaves(current: argparse.ArgumentParser, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every command of the command line: ("ledger", "verify"), ("run",), …"""
    children = [action.choices for action in current._actions if isinstance(action.choices, dict)]
    if not children:
        yield words
    for choices in children:
        for word, child in choices.items():
            if isinstance(child, Parser):
                yield from leaves(child, (*words, word))


@pytest.fixture(scope="module")
def whole() -> Parser:
    return parser()


def quoted(page: Path) -> Iterator[str]:
    """Every ``watchglass …`` command line that a page quotes, in blocks and inline."""
    text = page.read_text("utf-8")
    for _, block in _FENCE.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            command = re.match(r"\s*(?:\$ )?(?:\.venv/bin/)?(watchglass .*)", line)
            if command and not command[1].startswith("watchglass:"):
                yield command[1]
    for code in _CODE.findall(_FENCE.sub("", text)):
        if code.startswith("watchglass "):
            yield code


def is_whole(line: str) -> bool:
    """Whether a quoted line is meant to be typed; `watchglass ledger verify` in running text is only a name."""
    return not re.search(r"…|\.\.\.|[A-Z]{3,}", line)


def test_every_command_is_described(whole: Parser) -> None:
    told = "\n".join(page.read_text("utf-8") for page in PAGES)
    for words in leaves(whole):
        assert f"watchglass {' '.join(words)}" in told, f"nothing tells of `watchglass {' '.join(words)}`"


def test_the_walk_finds_the_whole_command_line(whole: Parser) -> None:
    found = set(leaves(whole))
    assert {words[0] for words in found} == set(GROUPS)
    assert {("ledger", "check-receipt"), ("oversight", "hand-in"), ("witness", "serve"), ("run",)} <= found


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_quoted_command_is_one_that_the_parser_takes(page: Path, whole: Parser) -> None:
    known = set(leaves(whole))
    for line in quoted(page):
        words = shlex.split(line)[1:]
        if not is_whole(line) or tuple(words) in known:
            names = [word for word in words if not word.startswith("-")]
            assert any(tuple(names[: len(words)]) == words for words in known) or names[0] in GROUPS, line
            continue
        if tuple(words) in {known_words[:1] for known_words in known}:  # a group's name in running text
            continue
        try:
            whole.parse_args(words)
        except BadInput as error:
            pytest.fail(f"{name_of(page)}: `{line}`: {error.message}")
        except SystemExit:  # --help, --version; our parser raises BadInput for everything that is wrong
            continue


# ---- records, words, people, pictures ------------------------------------------------------------------------------


def test_every_act_has_its_place_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "records.md").read_text("utf-8")
    for act in ACTS:
        assert f"### `{act}`" in page


@pytest.mark.parametrize("page", [page for page in PAGES if "reference" not in page.parts], ids=name_of)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    for code in _CODE.findall(_FENCE.sub("", page.read_text("utf-8"))):
        if re.fullmatch(r"(src|tests|tools|benchmarks|docs|changelog)/[\w./-]+", code):
            assert (ROOT / code).exists(), f"{name_of(page)} names {code}, which is not there"


def test_every_word_of_the_glossary_lives_somewhere() -> None:
    rows = [line for line in (ROOT / "GLOSSARY.md").read_text("utf-8").splitlines() if line.startswith("| **")]
    assert len(rows) > 40
    for row in rows:
        file = re.search(r"`(src/watchglass/[\w/]+\.py)`", row)
        assert file, f"no file in: {row}"
        assert (ROOT / file[1]).is_file(), row


def test_the_readme_names_everybody_who_can_sign_in_to_the_demo() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for name in ACCOUNTS:
        assert f"`{name}`" in readme


def test_the_readme_shows_pictures_that_exist_and_are_light() -> None:
    pictures = re.findall(r"docs/screenshots/[\w-]+\.png", (ROOT / "README.md").read_text("utf-8"))
    assert len(set(pictures)) >= 4
    for picture in pictures:
        data = (ROOT / picture).read_bytes()
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        assert len(data) < LARGEST_PICTURE, f"{picture} has {len(data)} bytes"
        width, _ = struct.unpack(">II", data[16:24])
        assert width in {1280, 390}


def test_decisions_have_their_four_parts_and_count_up() -> None:
    decisions = sorted((ROOT / "docs" / "adr").glob("0*.md"))
    assert [int(page.name[:4]) for page in decisions] == list(range(1, len(decisions) + 1))
    index = (ROOT / "docs" / "adr" / "README.md").read_text("utf-8")
    for page in decisions:
        text = page.read_text("utf-8")
        assert text.startswith(f"# {int(page.name[:4])}. ")
        for part in ("Status", "Context", "Decision", "Consequences"):
            assert re.search(rf"^(## {part}|{part}: )", text, re.MULTILINE), f"{page.name} lacks {part}"
        assert f"({page.name})" in index


def test_changelog_fragments_are_named_as_they_should_be() -> None:
    for page in (ROOT / "changelog").glob("*.md"):
        if page.name != "README.md":
            assert re.fullmatch(r"[a-z0-9-]+\.(added|changed|fixed|removed|security)\.md", page.name), page.name
            assert page.read_text("utf-8").strip()


# ---- the how-to's code ---------------------------------------------------------------------------------------------


@pytest.fixture
def queue() -> Analytic:
    """The rule that the how-to builds, taken from its page."""
    page = (ROOT / "docs" / "how-to" / "add-an-incident-kind.md").read_text("utf-8")
    code = next(block for language, block in _FENCE.findall(page) if language == "python")
    room: dict[str, object] = {}
    exec(compile(code, "add-an-incident-kind.md", "exec"), room)
    zone = ZoneSpec("counter", ((0, 0), (400, 0), (400, 400), (0, 400)))
    settings = {"people": 3, "for_ms": 10_000}
    made: Analytic = room["Queue"](AnalyticSpec("counter", "queue", zone, settings))  # type: ignore[operator]  # a class from the page
    return made


def counter(at_ms: int, people: int, step: float = 0.0, kind: str = "person") -> Scene:
    """So many things beside each other, each ``step`` pixels further every second."""
    left = np.arange(people) * 60.0 + step * at_ms / 1000
    boxes = np.stack([left, np.full(people, 100.0), left + 30, np.full(people, 180.0)], axis=1).astype(np.float32)
    kinds, scores = np.full(people, KINDS.index(kind), np.int8), np.full(people, 0.7, np.float32)
    return Scene(at_ms, Tracks(at_ms, np.arange(people) + 1, boxes, scores, kinds))


def test_the_how_to_builds_a_rule_that_fires_once_and_not_too_early(queue: Analytic) -> None:
    found = [second for second in range(60) if queue.see(counter(second * 1000, 3))]
    assert found == [14]


def test_the_how_to_builds_a_rule_that_lets_people_pass(queue: Analytic) -> None:
    assert not any(queue.see(counter(second * 1000, 2)) for second in range(30))
    assert not any(queue.see(counter(second * 1000, 4, step=25.0)) for second in range(30, 60))
    assert not any(queue.see(counter(second * 1000, 4, kind="vehicle")) for second in range(60, 90))


def test_the_how_to_builds_a_rule_that_forgets(queue: Analytic) -> None:
    assert not any(queue.see(counter(second * 1000, 3)) for second in range(13))
    queue.reset()
    found = [second for second in range(13, 40) if queue.see(counter(second * 1000, 3))]
    assert found == [27]
