"""The renderer: plain values only, everything escaped, sentences for people; the plan of sources; the colours."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import ClassVar

import pytest
from a_portal import Someone
from a_street import BEGIN, make_street

from watchglass.charter.model import FileSource
from watchglass.charter.scene import Place
from watchglass.web.portal import plan, render
from watchglass.web.portal.app import create_app


class Colour(StrEnum):
    RED = "red"


@dataclass(frozen=True, slots=True)
class Thing:
    colour: Colour
    data: bytes
    DERIVED: ClassVar = ("double",)

    @property
    def double(self) -> int:
        return 2


def test_a_pages_data_is_plain_and_hides_what_is_for_the_template() -> None:
    answer = render.as_json({"thing": Thing(Colour.RED, b"\x00"), "many": ({1: None},), "_template": object()})
    assert json.loads(bytes(answer.body)) == {
        "thing": {"colour": "red", "data": "AA==", "double": 2},
        "many": [{"1": None}],
    }
    with pytest.raises(TypeError, match="cannot hold"):
        render.plain(object())


def test_code_between_backticks_and_nothing_else_becomes_markup() -> None:
    assert render.marked("a `b` <i>") == "a <code>b</code> &lt;i&gt;"
    assert "<code>" not in render.marked("an odd ` one")


def test_words() -> None:
    assert render.words_of_moment(BEGIN) == "27 October 2026, 12:00 UTC"
    assert render.words_of_count(1234567) == "1\u202f234\u202f567"
    assert (render.plural(1, "entry", "entries"), render.plural(2, "entry", "entries")) == ("1 entry", "2 entries")
    assert render.coordinates(Place("x", -1.5, -0.25)) == "1.5000° south, 0.2500° west"
    assert render.words_of_fact({"a": [1, None], "b": True}) == "a: 1, none, b: yes"
    assert (render.clip("abcdef", 3), render.clip("abc", 3)) == ("abc…", "abc")


def test_figures_are_rounded_outwards_and_never_bare() -> None:
    row = {"unit": "share", "value": 0.8821, "interval": [0.8317, 0.9188]}
    assert render.words_of_figure(row) == "88 of 100, likely 83 to 92"
    assert render.words_of_figure({"unit": "ms", "value": 12.5, "interval": None}) == "12.5 ms"


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 429, 500, 503])
def test_an_error_says_what_happened_what_was_kept_and_what_to_do(status: int) -> None:
    values = {"message": "It broke.", "fix": "Mend it.", "_title": "Broken", "_status": status, "_reasons": ()}
    template = render.environment().get_template("errors/error.html")
    html = "".join(template.blocks["main"](template.new_context(values)))
    said = [html.index(words) for words in ("It broke.", "What was kept:", "What to do:", "Mend it.")]
    assert said == sorted(said)
    assert ("/login" in html) is (status == 401)


def test_a_trial_says_what_it_is_and_when_it_ends(tmp_path: Path) -> None:
    street = make_street(tmp_path, origin="trial.street.example/log")
    try:
        street.publish(("2026-10-01", "2026-10-27"), ("2027-09-30", "2026-11-08"))
        html = Someone(create_app(street.house)).get("/").text
        assert "one person holds every key, and nobody outside watches." in html
        assert "It ends after 8 November 2026." in html
        assert "Demo:" not in html
    finally:
        street.house.close()


# ---- the plan --------------------------------------------------------------------------------------------------------


def source(name: str, lat: float, lon: float) -> FileSource:
    return FileSource(name=name, path="a.mp4", place=Place(name, lat, lon))


def test_one_source_needs_no_plan() -> None:
    assert plan.plan_of([source("a", 51, 1)]) is None


def test_north_is_up_and_distances_are_to_scale() -> None:
    made = plan.plan_of([source("south", 51.0, 1.0), source("north", 51.001, 1.0), source("east", 51.0, 1.002)])
    assert made is not None
    at = {dot.name: (dot.x, dot.y) for dot in made.dots}
    assert at["north"][1] < at["south"][1]
    assert at["east"][0] > at["south"][0]
    metres_north, metres_east = 111.32, 2 * 111.32 * 0.62932  # cos 51°
    pixels = (at["south"][1] - at["north"][1], at["east"][0] - at["south"][0])
    assert pixels[0] / metres_north == pytest.approx(pixels[1] / metres_east, rel=0.01)
    assert made.scale_px / made.scale_m == pytest.approx(pixels[0] / metres_north, rel=0.01)
    assert all(0 < x < made.width and 0 < y < made.height for x, y in at.values())


def test_sources_at_one_place_do_not_divide_by_zero() -> None:
    made = plan.plan_of([source("a", 51, 1), source("b", 51, 1)])
    assert made is not None
    assert made.dots[0].x == made.dots[1].x == made.width / 2


# ---- colours ---------------------------------------------------------------------------------------------------------


def tokens(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block))


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_every_pair_of_words_and_ground_has_the_contrast_that_wcag_asks_for() -> None:
    css = (render.STATIC / "portal.css").read_text("utf-8")
    light, by_choice, by_system = (
        tokens(css.split(start, 1)[1].split("}", 1)[0])
        for start in (":root {", ':root[data-theme="dark"] {', ':root:not([data-theme="light"]) {')
    )
    assert by_choice == by_system, "the two ways into the dark must give the same colours"
    assert light.keys() == by_choice.keys()
    for theme in (light, by_choice):
        for ground in ("paper", "surface", "sunk", "accent-wash"):
            for word in ("ink", "ink-soft", "accent", "alarm"):
                assert contrast(theme[word], theme[ground]) >= 4.5, (word, ground)
            assert contrast(theme["edge"], theme[ground]) >= 3, ("edge", ground)
        assert contrast(theme["on-accent"], theme["accent"]) >= 4.5
        assert contrast(theme["on-alarm"], theme["alarm"]) >= 4.5
        assert contrast(theme["paper"], theme["ink"]) >= 4.5
