"""What is measured in a picture, and how looks become tables."""

from __future__ import annotations

import numpy as np
import pytest

from watchglass.core.errors import BadInput
from watchglass.quality import appearance
from watchglass.quality.audit_set import AuditSet, Box, Item, within
from watchglass.quality.audited import Look, Thing, tables


def test_brightness_and_contrast_are_those_of_the_thing() -> None:
    luma = np.full((100, 100), 120, np.uint8)
    luma[40:60, 40:60] = 20
    dark = appearance.of_thing(luma, (40.0, 40.0, 60.0, 60.0))
    assert dark == {"brightness": "dark", "contrast": "high"}
    assert appearance.of_thing(luma, (5.0, 5.0, 15.0, 15.0)) == {"brightness": "middle", "contrast": "low"}
    assert appearance.of_thing(luma, (0.0, 0.0, 100.0, 100.0)) == {"brightness": "middle"}, "nothing is around it"
    assert appearance.of_picture(np.full((10, 10), 250, np.uint8)) == {"brightness": "bright", "contrast": "low"}


def test_hidden_is_what_any_other_box_covers() -> None:
    boxes = np.array([[0, 0, 10, 10], [5, 0, 15, 10], [5, 0, 15, 10], [50, 50, 60, 60]], np.float32)
    assert appearance.hidden(boxes).tolist() == pytest.approx([0.5, 1.0, 1.0, 0.0])
    assert appearance.hidden(np.zeros((0, 4), np.float32)).shape == (0,)


@pytest.mark.parametrize(("length", "group"), [(31.9, "small"), (32.0, "medium"), (96.0, "medium"), (96.1, "large")])
def test_sizes_are_of_what_the_detector_is_given(length: float, group: str) -> None:
    assert appearance.size_of(length) == group
    assert appearance.side((0.0, 0.0, 2 * length, 2 * length), 0.5) == pytest.approx(length)


def look(unit: int, picture: str, *things: tuple[bool, str], false: tuple[str, ...] = ()) -> Look:
    return Look(
        str(unit), {"brightness": picture}, tuple(Thing(found, {"size": size}) for found, size in things),
        tuple({"size": size} for size in false),
    )  # fmt: skip


def test_false_boxes_belong_to_their_picture_or_to_their_own_size() -> None:
    looks = [look(i, "dark", (True, "small"), (False, "large"), false=("small",)) for i in range(20)]
    looks += [look(20 + i, "bright", (True, "large")) for i in range(30)]
    by = {table.stratum: table for table in tables("person", looks)}
    dark, bright = by["brightness"].false, by["size"].false
    assert dark is not None
    assert bright is not None
    assert [(g.name, g.happened, g.of) for g in dark.groups] == [("dark", 20, 20), ("bright", 0, 30)]
    assert [(g.name, g.happened, g.of) for g in bright.groups] == [
        ("small", 20, 50),
        ("medium", 0, 50),
        ("large", 0, 50),
    ]
    assert [(g.name, g.happened, g.of) for g in by["size"].misses.groups] == [("small", 0, 20), ("large", 20, 50)]
    assert by["brightness"].misses.groups == (), "things say nothing of it here"
    assert by["all"].as_json()["false"]["groups"][0]["value"] == pytest.approx(0.4)


def test_what_is_annotated_replaces_what_is_measured() -> None:
    looks = [look(i, "dark", (True, "near")) for i in range(12)]
    by = {table.stratum: table for table in tables("person", looks, ("size",))}
    assert by["size"].annotated
    assert [g.name for g in by["size"].misses.groups] == ["near"]
    assert not by["size"].as_json()["personal"]


def test_one_unit_is_one_unit_however_often_it_was_looked_at() -> None:
    looks = [look(i // 25, "dark", (i % 2 == 0, "small")) for i in range(250)]
    whole = tables("person", looks)[0]
    assert whole.misses.groups[0].units == 10
    assert whole.misses.groups[0].of == 250


def test_boxes_are_cut_off_at_the_edges() -> None:
    assert within((-10.0, 5.0, 10.0, 15.0), (100, 100)) == ((0.0, 5.0, 10.0, 15.0), 0.5)
    assert within((200.0, 5.0, 210.0, 15.0), (100, 100))[1] == 0
    assert within((5.0, 5.0, 5.0, 15.0), (100, 100))[1] == 0


def test_traits_of_people_need_their_consent_and_the_scene_does_not() -> None:
    def made(agreed: str = "", **strata: str) -> AuditSet:
        item = Item("a.png", None, (10, 10), (Box("person", (0, 0, 5, 5), strata=strata),))
        return AuditSet("s", "", ("person",), (item,), "", "watchglass", agreed)

    assert made(light="night", hour="5").strata == ("light", "hour")
    with pytest.raises(BadInput, match="skin_tone, unheard_of"):
        made(skin_tone="V", light="night", unheard_of="x")
    with pytest.raises(BadInput, match="agreed"):
        made(agreed="  ", age="70")
    assert made(agreed="they signed", age="70").strata == ("age",)
