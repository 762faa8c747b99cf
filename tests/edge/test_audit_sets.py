"""Audit sets from folders: three forms, the real detector on the demo's street, and everything that is refused."""

from __future__ import annotations

import json
import shutil
import struct
import zlib
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from watchglass.bootstrap import audit_sets
from watchglass.bootstrap.audits_kept import in_deployment, results_of
from watchglass.cli.main import main
from watchglass.core.errors import BadInput
from watchglass.edge.audit_cards import kept
from watchglass.edge.audit_sets import frames, read
from watchglass.edge.inference import NanoDet, load, shipped
from watchglass.edge.upright import UprightFile
from watchglass.perception.ports import Image
from watchglass.quality.audit_set import covered, untested
from watchglass.runtime.audit_set import audit
from watchglass.runtime.layout import Layout

STREET = Path(__file__).resolve().parents[2] / "src/watchglass/demo/street.mp4"
CLASSES = {"person": ("person",), "vehicle": ("car", "bus"), "bicycle": ("bicycle",), "bag": ("backpack",)}


@pytest.fixture(scope="module")
def detector() -> NanoDet:
    return load()


@pytest.fixture(scope="module")
def street(detector: NanoDet) -> tuple[Image, list[list[float]]]:
    """A picture of the street, and the people whom the detector is sure of: [x, y, width, height]."""
    file = UprightFile(STREET)
    decoder = file.decoder()
    pictures = (picture for packet in file.packets(0) for picture in decoder.decode(packet))
    image = next(islice(pictures, 60, None)).bgr()
    found = detector.detect(image)
    sure = found.boxes[(found.scores > 0.55) & (found.kinds == 0)].tolist()
    assert len(sure) >= 2
    return image, [[x1, y1, x2 - x1, y2 - y1] for x1, y1, x2, y2 in sure]


def png(folder: Path, name: str, image: Image) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(folder / name), image)


def own(folder: Path, **head: Any) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "audit-set.yaml").write_text(json.dumps({"audit_set": 1, "kinds": ["person"], **head}), "utf-8")
    return folder


def small() -> Image:
    return np.full((60, 80, 3), 90, np.uint8)


# ---- what is found --------------------------------------------------------------------------------------------------


def test_what_was_missed_and_what_was_false_is_counted(
    tmp_path: Path, street: tuple[Image, list[list[float]]], detector: NanoDet
) -> None:
    """One labelled thing that is not there is a miss; one person who is not labelled is a false box."""
    image, people = street
    items = []
    for number in range(3):
        # The same picture a little brighter each time: other bytes, the same people.
        png(tmp_path / "set", f"p/{number}.png", np.clip(image.astype(int) + number % 3, 0, 255).astype(np.uint8))
        boxes: list[dict[str, Any]] = [{"box": box, "strata": {"truth": "there"}} for box in people[1:]]
        boxes.append({"box": [2, 2, 20, 40], "strata": {"truth": "nowhere"}})
        items.append({"picture": f"p/{number}.png", "boxes": boxes, "strata": {"light": "day"}})
    own(tmp_path / "set", name="street", items=items, agreed="made up for a test")
    done = audit(tmp_path / "set", detector=detector)
    tables = {table.stratum: table for table in done.tables}
    there, nowhere = tables["truth"].misses.group("there"), tables["truth"].misses.group("nowhere")
    assert there is not None
    assert nowhere is not None
    assert (there.happened, there.of) == (0, 3 * (len(people) - 1))
    assert (nowhere.happened, nowhere.of) == (3, 3)
    assert tables["all"].false is not None
    false = tables["all"].false.groups[0]
    assert false.happened >= 3, "the person who is not labelled"
    assert tables["light"].annotated
    assert tables["light"].misses.groups[0].name == "day"
    assert not tables["size"].annotated
    assert done.model_sha256 == shipped().sha256
    assert "age" in untested([done.as_json()])


def test_who_is_ignored_is_neither_missed_nor_false(
    tmp_path: Path, street: tuple[Image, list[list[float]]], detector: NanoDet
) -> None:
    image, people = street
    png(tmp_path / "set", "a.png", image)
    whole = [0, 0, image.shape[1], image.shape[0]]
    own(tmp_path / "set", items=[{"picture": "a.png", "boxes": [{"box": whole, "ignore": True}]}])
    table = audit(tmp_path / "set", detector=detector).tables[0]
    assert table.misses.groups[0].of == 0
    assert table.false is not None
    assert table.false.groups[0].happened == 0
    assert people


def test_mot_and_coco_say_the_same(tmp_path: Path, detector: NanoDet) -> None:
    """Two frames of the street as a clip with gt.txt, as numbered pictures, and as COCO: the same misses."""
    rows = ["1,1,10,10,20,40,1,-1,-1,-1", "3,1,10,10,20,40,1,-1,-1,-1", "3,2,-15,10,20,40,1,-1,-1,-1"]
    clip = tmp_path / "clip"
    clip.mkdir()
    shutil.copy(STREET, clip / "street.mp4")
    (clip / "gt.txt").write_text("\n".join(rows), "utf-8")
    found, hashes = read(clip, CLASSES)
    assert [item.frame for item in found.items] == [0, 1, 2]
    assert found.boxes("person") == 2, "the third is mostly outside"
    assert "1 boxes that are mostly outside" in found.notes[0]
    assert set(hashes) == {"gt.txt", "street.mp4"}
    pictures = list(frames(clip, found, 512))
    numbered = tmp_path / "numbered"
    for number, frame in enumerate(pictures, 1):
        wide, high = frame.item.size
        whole = cv2.resize(frame.small, (wide, high))
        png(numbered, f"img1/{number:06d}.png", np.asarray(whole, np.uint8))
    (numbered / "gt").mkdir()
    (numbered / "gt/gt.txt").write_text("\n".join(rows), "utf-8")
    assert read(numbered, CLASSES)[0].items[2].boxes == found.items[2].boxes
    size = found.items[0].size
    coco = tmp_path / "coco"
    shutil.copytree(numbered / "img1", coco / "images")
    images = [{"id": n, "file_name": f"{n:06d}.png", "width": size[0], "height": size[1]} for n in (1, 2, 3)]
    notes = [{"id": n, "image_id": n, "category_id": 7, "bbox": [10, 10, 20, 40]} for n in (1, 3)]
    text = {"images": images, "annotations": notes, "categories": [{"id": 7, "name": "person"}]}
    (coco / "labels.json").write_text(json.dumps(text), "utf-8")
    same = read(coco, CLASSES)[0]
    assert [len(item.boxes) for item in same.items] == [1, 0, 1]
    tables = [audit(folder, detector=detector).tables[0] for folder in (clip, coco)]
    assert [table.misses.groups[0].of for table in tables] == [2, 2]
    assert {table.misses.groups[0].happened for table in tables} == {2}


def test_coco_gives_strata_from_attributes_and_leaves_other_kinds_out(tmp_path: Path) -> None:
    png(tmp_path, "a.png", small())
    note = {"id": 1, "image_id": 1, "category_id": 2, "bbox": [1, 1, 10, 10]}
    text = {
        "images": [{"id": 1, "file_name": "a.png", "width": 80, "height": 60, "attributes": {"Light": "dusk"}}],
        "annotations": [{**note, "attributes": {"infrared": True, "hour": 5}}, {**note, "category_id": 3}],
        "categories": [{"id": 2, "name": "Car"}, {"id": 3, "name": "zebra"}],
    }
    (tmp_path / "c.json").write_text(json.dumps(text), "utf-8")
    found = read(tmp_path, CLASSES)[0]
    assert found.kinds == ("vehicle",)
    assert dict(found.items[0].strata) == {"light": "dusk"}
    assert dict(found.items[0].boxes[0].strata) == {"infrared": "yes", "hour": "5"}
    assert "zebra" in found.notes[0]


def test_mot_visibility_and_people_who_do_not_count(tmp_path: Path) -> None:
    png(tmp_path, "img1/1.png", small())
    rows = ["1,1,1,1,10,20,1,1,0.3", "1,2,20,1,10,20,0,1,1", "1,3,40,1,10,20,1,8,1", "1,4,60,1,10,20,1,3,1"]
    (tmp_path / "gt.txt").write_text("\n".join(rows), "utf-8")
    boxes = read(tmp_path, CLASSES)[0].items[0].boxes
    assert [(box.ignored, box.visible) for box in boxes] == [(False, 0.3), (True, 1.0), (True, 1.0)]


# ---- the hash, and what made the model ------------------------------------------------------------------------------


def test_the_hash_is_of_labels_and_pictures(tmp_path: Path) -> None:
    png(tmp_path / "s", "a.png", small())
    own(tmp_path / "s", items=[{"picture": "a.png"}])
    first = read(tmp_path / "s", CLASSES)[0].sha256
    assert read(tmp_path / "s", CLASSES)[0].sha256 == first
    png(tmp_path / "s", "a.png", small() + 1)
    second = read(tmp_path / "s", CLASSES)[0].sha256
    own(tmp_path / "s", items=[{"picture": "a.png", "strata": {"light": "day"}}])
    assert len({first, second, read(tmp_path / "s", CLASSES)[0].sha256}) == 3


def test_pictures_that_made_the_model_are_left_out(tmp_path: Path, detector: NanoDet) -> None:
    png(tmp_path / "s", "a.png", small())
    png(tmp_path / "s", "b.png", small() + 5)
    own(tmp_path / "s", items=[{"picture": "a.png"}, {"picture": "b.png"}])
    _, hashes = read(tmp_path / "s", CLASSES)
    weights = shipped()
    card = {**weights.card, "calibration": {"pictures": {"x": hashes["a.png"]}}}
    made = type(weights)(weights.data, card)
    done = audit(tmp_path / "s", weights=made, detector=detector)
    assert (done.left_out, len(done.tested.items)) == (1, 1)
    card["calibration"] = {"pictures": {"x": hashes["a.png"], "y": hashes["b.png"]}}
    with pytest.raises(BadInput, match="helped to make the model"):
        audit(tmp_path / "s", weights=type(weights)(weights.data, card), detector=detector)


# ---- kept in the card -----------------------------------------------------------------------------------------------


def test_a_result_is_kept_only_when_asked_and_replaces_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    png(tmp_path / "s", "a.png", small())
    own(tmp_path / "s", name="tiny", items=[{"picture": "a.png"}])
    house = tmp_path / "house"
    house.mkdir()
    (house / "deployment.yaml").write_text("origin: trial.example\n", "utf-8")
    assert main(["quality", "audit-set", str(tmp_path / "s"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kept_in"] is None
    assert "skin tone" in told["not_tested"]
    assert not (house / "models").exists()
    for _ in range(2):
        assert main(["quality", "audit-set", str(tmp_path / "s"), "--store", str(house)]) == 0
    assert "Not tested on: age" in capsys.readouterr().out.replace("\n", " ")
    kept = results_of(Layout(house), audit_sets.MODEL, shipped().sha256)
    ours = [one for one in kept.audits if one["set"]["name"] == "tiny"]
    assert len(ours) == 1
    assert ours[0]["set"]["sha256"] == told["set"]["sha256"]
    assert len(ours[0]["date"]) == 10
    assert results_of(Layout(house), audit_sets.MODEL, "0" * 64).audits == ()
    place = in_deployment(house, audit_sets.MODEL)
    place.write_text("{", "utf-8")
    assert "cannot be read" in results_of(Layout(house), audit_sets.MODEL, shipped().sha256).problem
    assert main(["quality", "audit-set", str(tmp_path / "s"), "--store", str(house)]) == 2
    assert place.read_text("utf-8") == "{", "what is damaged is left for a person"
    assert main(["quality", "audit-set", str(tmp_path / "s"), "--store", str(tmp_path)]) == 2


# ---- what is refused ------------------------------------------------------------------------------------------------

Spoil = Callable[[Path], None]


def items(*boxes: dict[str, Any], **more: Any) -> Spoil:
    return lambda folder: void(own(folder, **{"items": [{"picture": "a.png", "boxes": list(boxes)}], **more}))


def head(**values: Any) -> Spoil:
    return lambda folder: void(own(folder, **values))


def text(name: str, content: str) -> Spoil:
    return lambda folder: void((folder / name).write_text(content, "utf-8"))


def coco(**changes: Any) -> Spoil:
    base = {
        "images": [{"id": 1, "file_name": "a.png", "width": 80, "height": 60}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}],
        "categories": [{"id": 1, "name": "person"}],
    }
    return text("c.json", json.dumps({**base, **changes}))


def void(_: object) -> None:
    """A spoiler returns nothing."""


def huge(folder: Path) -> None:
    """A PNG of 30,000 pixels each way in a hundred bytes, which decoded is 2.7 GB."""
    chunk = struct.pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    crc = struct.pack(">I", zlib.crc32(b"IHDR" + chunk))
    (folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + b"IHDR" + chunk + crc)
    own(folder, items=[{"picture": "a.png"}])


def outside_by_link(folder: Path) -> None:
    (folder.parent / "secret.png").write_bytes((folder / "a.png").read_bytes())
    (folder / "b.png").symlink_to(folder.parent / "secret.png")
    own(folder, items=[{"picture": "b.png"}])


def circle(folder: Path) -> None:
    (folder / "b.png").symlink_to(folder / "c.png")
    (folder / "c.png").symlink_to(folder / "b.png")
    own(folder, items=[{"picture": "b.png"}])


REFUSED: dict[str, tuple[Spoil, str]] = {
    "nothing": (lambda _: None, "no single COCO file"),
    "empty": (head(items=[]), "has no picture"),
    "no kinds": (head(items=[{"picture": "a.png"}], kinds=[]), "labels no kind"),
    "unknown kind": (head(items=[{"picture": "a.png"}], kinds=["face"]), "no kind 'face'"),
    "unknown key": (head(items=[{"picture": "a.png", "plate": "x"}]), "unknown key 'plate'"),
    "two ways": (head(items=[], coco="c.json"), "one of items, coco and mot"),
    "another form": (head(audit_set=2, items=[]), "of no form"),
    "missing": (head(items=[{"picture": "b.png"}]), "b.png is not there"),
    "above": (head(items=[{"picture": "../secret.png"}]), "leads outside"),
    "absolute": (head(items=[{"picture": "/etc/hostname"}]), "leads outside"),
    "by link": (outside_by_link, "link that leads outside"),
    "links in a circle": (circle, "leads nowhere|not there"),
    "a name that is too long": (head(items=[{"picture": "a" * 300 + ".png"}]), "leads nowhere|not there"),
    "a name that is far too long": (head(items=[{"picture": "a" * 3000}]), "no name of a file"),
    "no name": (head(items=[{"picture": None}]), "no name of a file"),
    "a folder": (head(items=[{"picture": "."}]), "not there"),
    "twice": (head(items=[{"picture": "a.png"}, {"picture": "a.png"}]), "a picture twice"),
    "no picture": (head(items=[{"picture": "audit-set.yaml"}]), "not of a kind"),
    "huge": (huge, "30000x30000"),
    "broken": (lambda f: void(((f / "a.png").write_bytes(b"x"), own(f, items=[{"picture": "a.png"}]))), "no picture"),
    "box outside": (items({"box": [70, 5, 20, 20]}), "outside the picture of 80x60"),
    "box without area": (items({"box": [5, 5, 0, 20]}), "no area"),
    "box of words": (items({"box": [5, 5, "x", 20]}), "no number"),
    "box of three": (items({"box": [5, 5, 20]}), "width, height"),
    "box not a number": (items({"box": [5, 5, float("nan"), 20]}), "no number"),
    "box of another kind": (items({"kind": "bag", "box": [5, 5, 5, 5]}), "not under `kinds`"),
    "traits unasked": (items({"box": [5, 5, 5, 5], "strata": {"skin_tone": "V"}}), "how the people in it agreed"),
    "stratum of nothing": (items({"box": [5, 5, 5, 5], "strata": {"light": ""}}), "cannot be a value"),
    "stratum of lists": (items({"box": [5, 5, 5, 5], "strata": {"light": [1]}}), "no plain value"),
    "too many groups": (
        items(*({"box": [5, 5, 5, 5], "strata": {"hour": str(n)}} for n in range(30))), "30 values"
    ),
    "anchors": (text("audit-set.yaml", "audit_set: &a 1\nitems: [*a]\n"), "anchors"),
    "key twice": (text("audit-set.yaml", "audit_set: 1\naudit_set: 1\n"), "there twice"),
    "no yaml": (text("audit-set.yaml", "["), "cannot be read"),
    "coco of words": (text("c.json", "{"), "no JSON"),
    "coco without lists": (text("c.json", "{}"), "no COCO file"),
    "coco that lies": (coco(images=[{"id": 1, "file_name": "a.png", "width": 60, "height": 80}]), "stored turned"),
    "coco without its file": (coco(images=[{"id": 1, "file_name": "b.png", "width": 1, "height": 1}]), "not there"),
    "coco of strangers": (coco(annotations=[{"image_id": 9, "category_id": 1, "bbox": [1, 1, 2, 2]}]), "does not list"),
    "coco of zebras": (coco(categories=[{"id": 1, "name": "zebra"}]), "no kind of thing"),
    "coco of infinity": (coco(annotations=[{"image_id": float("inf")}]), "no JSON"),
    "coco of long names": (coco(images=[{"id": 1, "file_name": "a" * 300, "width": 1, "height": 1}]), "nowhere"),
    "mot of words": (text("gt.txt", "1,1,a,1,1,1,1"), "beside gt.txt|no number|0 clips"),
    "mot without pictures": (text("gt.txt", "1,1,1,1,1,1,1"), "0 clips"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_used_is_refused_with_a_way_on(name: str, tmp_path: Path) -> None:
    spoil, said = REFUSED[name]
    folder = tmp_path / "set"
    png(folder, "a.png", small())
    spoil(folder)
    with pytest.raises(BadInput, match=f"(?i){said}") as caught:
        read(folder, CLASSES)
    assert caught.value.fix


def test_a_clip_that_ends_before_its_labels_do(tmp_path: Path) -> None:
    shutil.copy(STREET, tmp_path / "street.mp4")
    (tmp_path / "gt.txt").write_text("5000,1,10,10,20,40,1,-1,-1,-1", "utf-8")
    found, _ = read(tmp_path, CLASSES)
    late = type(found)(found.name, "", found.kinds, found.items[-1:], found.sha256, "mot")
    with pytest.raises(BadInput, match="fewer pictures than its labels"):
        list(frames(tmp_path, late, 512))


def test_frames_without_end_are_refused_before_they_are_listed(tmp_path: Path) -> None:
    shutil.copy(STREET, tmp_path / "street.mp4")
    (tmp_path / "gt.txt").write_text("900000000,1,10,10,20,40,1,-1,-1,-1", "utf-8")
    with pytest.raises(BadInput, match="900,000,000 pictures"):
        read(tmp_path, CLASSES)


def test_what_is_kept_rests_on_enough(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    png(tmp_path / "s", "a.png", small())
    own(tmp_path / "s", items=[{"picture": "a.png"}])
    words = ["quality", "audit-set", str(tmp_path / "s"), "--fewest", "5", "--store", str(tmp_path / "x.audits.json")]
    assert main(words) == 2
    assert "at least 20" in capsys.readouterr().err
    assert not (tmp_path / "x.audits.json").exists()


def test_the_example_of_the_reference_is_one_that_is_read(tmp_path: Path) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs/reference/audit-sets.md").read_text("utf-8")
    (tmp_path / "audit-set.yaml").write_text(page.split("```yaml\n")[1].split("```")[0], "utf-8")
    (tmp_path / "pictures").mkdir()
    assert cv2.imwrite(str(tmp_path / "pictures/0001.jpg"), np.full((480, 640, 3), 90, np.uint8))
    (tmp_path / "clips").mkdir()
    shutil.copy(STREET, tmp_path / "clips/quay.mp4")
    (tmp_path / "clips/quay.txt").write_text("1,1,10,10,20,40,1,-1,-1,-1", "utf-8")
    found = read(tmp_path, CLASSES)[0]
    assert len(found.items) == 501
    assert found.boxes("person") == 3
    assert dict(found.items[0].boxes[0].strata) == {"mobility_aid": "wheelchair"}
    assert found.items[0].boxes[1].visible == 0.4
    assert dict(found.items[500].strata) == {"light": "day"}


# ---- what a file says that somebody else wrote ----------------------------------------------------------------------


def entry(**changes: Any) -> dict[str, Any]:
    groups = [{"name": n, "happened": 1, "of": 30, "enough": True, "value": 0.1, "interval": [0, 1]} for n in "ab"]
    table = {"kind": "person", "stratum": "age", "meant": "", "misses": {"groups": groups}, "false": None}
    tested = {"name": "x", "what": "", "sha256": "0", "format": "coco", "pictures": 1, "things": {}}
    return {"set": tested, "model": "m", "model_sha256": "0", "date": "2026-11-23", "tables": [{**table, **changes}]}


def test_a_trait_of_people_is_tested_by_people_with_enough_of_them() -> None:
    assert covered(entry()) == {"age"}
    assert covered(entry(kind="bag")) == frozenset()
    assert covered(entry(kind="bag", stratum="size")) == {"size"}
    few = [{**group, "enough": False} for group in entry()["tables"][0]["misses"]["groups"]]
    assert covered(entry(misses={"groups": few})) == frozenset()
    assert untested([entry()])[0] == "skin tone"
    assert untested([])[0] == "age"


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", '{"audits": {}}', '{"audits": [1]}', '{"audits": [{}]}', "[" * 100_000,
        json.dumps({"audits": [entry(kind=1)]}), json.dumps({"audits": [entry(misses={"groups": [{"name": "a"}]})]}),
        json.dumps({"audits": [entry(misses={"groups": [], "worst_over_mean": {"value": 1}})]}),
        json.dumps({"audits": [entry(false=5)]}), json.dumps({"audits": [{**entry(), "set": {}}]}),
    ],
)  # fmt: skip
def test_results_that_are_no_results_are_said_to_be_damaged(tmp_path: Path, text: str) -> None:
    file = tmp_path / "m.audits.json"
    file.write_text(json.dumps({"audits": [entry()]}), "utf-8")
    assert len(kept(file)) == 1
    file.write_text(text, "utf-8")
    with pytest.raises(BadInput, match="cannot be read as results"):
        kept(file)
