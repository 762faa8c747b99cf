"""COCO's form: ``images``, ``annotations``, ``categories``; strata in ``attributes``, as annotation tools write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from watchglass.core.errors import BadInput
from watchglass.edge.audit_sets.folder import MOST_LABELS, PICTURES, Folder, number, parsed_json, picture_size
from watchglass.edge.audit_sets.strata import strata_of
from watchglass.quality.audit_set import MOST_BOXES, AuditSet, Box, Item, within

Classes = Mapping[str, tuple[str, ...]]
_FOLDERS: Final = ("", "images/", "pictures/")
_CORNERS: Final = 4
_SLACK: Final = 1.0
"""Pixels by which a box may stick out: labels are rounded."""


@dataclass(frozen=True, slots=True)
class About:
    """What a set says about itself."""

    name: str
    what: str = ""
    agreed: str = ""
    pictures: str = ""


def read(folder: Folder, name: str, classes: Classes, about: About) -> AuditSet:
    """A set of which ``name`` holds the labels.

    Raises:
        BadInput: it is no COCO file, names what is not there, or lies about sizes.
    """
    data = parsed_json(folder.text(name, MOST_LABELS), name)
    if not isinstance(data, dict) or not all(
        isinstance(data.get(key), list) for key in ("images", "annotations", "categories")
    ):
        raise BadInput(
            f"{name} is no COCO file: it needs the lists images, annotations and categories.",
            fix="Export it as COCO object detection.",
        )
    kinds, left_out = _kinds(data["categories"], classes, name)
    boxes = _boxes(data["annotations"], kinds, name)
    items = [
        _item(folder, image, boxes.pop(_id(image, "id", name), []), about.pictures)
        for image in _dicts(data["images"], "images", name)
    ]
    if boxes:
        raise BadInput(f"{name} has annotations of {len(boxes)} pictures that it does not list.", fix="Export it anew.")
    twice = [file for file, count in Counter(item.file for item in items).items() if count > 1]
    if twice:
        raise BadInput(f"{name} lists {twice[0]} twice.", fix="Leave one of them out.")
    notes = (f"Left out, because nothing here looks for it: {', '.join(left_out)}.",) if left_out else ()
    present = tuple(kind for kind in classes if kind in kinds.values())
    return AuditSet(about.name, about.what, present, tuple(items), "", "coco", about.agreed, notes)


def _kinds(categories: list[Any], classes: Classes, name: str) -> tuple[dict[int, str], tuple[str, ...]]:
    """Category -> kind, and the names of those that are of no kind."""
    of_class = {label: kind for kind, labels in classes.items() for label in (kind, *labels)}
    kinds, left_out = {}, []
    for category in _dicts(categories, "categories", name):
        label = str(category.get("name", ""))[:60]
        if label.lower() in of_class:
            kinds[_id(category, "id", name)] = of_class[label.lower()]
        else:
            left_out.append(label)
    if not kinds:
        raise BadInput(
            f"{name} labels no kind of thing that is known here.",
            fix=f"Name a category one of: {', '.join(sorted(of_class))}.",
        )
    return kinds, tuple(sorted(left_out)[:20])


def _boxes(annotations: list[Any], kinds: Mapping[int, str], name: str) -> dict[int, list[dict[str, Any]]]:
    result: dict[int, list[dict[str, Any]]] = {}
    for note in _dicts(annotations, "annotations", name):
        image = _id(note, "image_id", name)
        kind = kinds.get(_id(note, "category_id", name))
        found = result.setdefault(image, [])
        if kind is not None:
            found.append({**note, "kind": kind})
    return result


def _item(folder: Folder, image: dict[str, Any], notes: list[dict[str, Any]], pictures: str) -> Item:
    given = image.get("file_name")
    stem = f"{pictures.strip('/')}/" if pictures else ""
    there = (f"{stem}{part}{given}" for part in _FOLDERS)
    file = next((name for name in there if folder.has(name)), given)
    place = folder.place(file, PICTURES)
    size = picture_size(place, str(file))
    stated = (image.get("width"), image.get("height"))
    if stated != size:
        turned = " It may be stored turned; save it upright." if stated == size[::-1] else ""
        raise BadInput(
            f"{file} has {size[0]}x{size[1]} pixels, and its labels say {stated[0]}x{stated[1]}.{turned}",
            fix="Label the picture that is in the folder.",
        )
    if len(notes) > MOST_BOXES:
        raise BadInput(f"{file} has {len(notes)} boxes; at most {MOST_BOXES}.", fix="Leave it out.")
    boxes = tuple(_box(note, size, f"{file}, annotation {note.get('id')}") for note in notes)
    return Item(str(file), None, size, boxes, strata_of(image.get("attributes"), str(file)))


def _box(note: dict[str, Any], size: tuple[int, int], where: str) -> Box:
    ignored = bool(note.get("iscrowd", 0)) or bool(note.get("ignore", 0))
    corners = box_within(note.get("bbox"), size, where)
    return Box(note["kind"], corners, ignored, strata_of(note.get("attributes"), where))


def box_within(bbox: object, size: tuple[int, int], where: str) -> tuple[float, float, float, float]:
    """Corners from ``[x, y, width, height]``, cut off at the edges.

    Raises:
        BadInput: it is no box, or lies outside the picture by more than rounding explains.
    """
    if not isinstance(bbox, list) or len(bbox) != _CORNERS:
        raise BadInput(f"{where}: a box is [x, y, width, height].", fix="Write four numbers of pixels.")
    x, y, wide, high = (number(value, f"{where}: a side of its box") for value in bbox)
    if wide <= 0 or high <= 0:
        raise BadInput(f"{where}: its box has no area.", fix="Write [x, y, width, height], both above 0.")
    if min(x, y) < -_SLACK or x + wide > size[0] + _SLACK or y + high > size[1] + _SLACK:
        raise BadInput(
            f"{where}: its box lies outside the picture of {size[0]}x{size[1]} pixels.",
            fix="Correct the box, or cut it off at the picture's edge.",
        )
    cut, share = within((x, y, x + wide, y + high), size)
    if not share:
        raise BadInput(f"{where}: its box lies outside the picture.", fix="Correct the box.")
    return cut


def _dicts(values: list[Any], what: str, name: str) -> list[dict[str, Any]]:
    for value in values:
        if not isinstance(value, dict):
            raise BadInput(f"{name}: {what} holds something that is no object.", fix="Export it as COCO.")
    return values


def _id(value: dict[str, Any], key: str, name: str) -> int:
    found = value.get(key)
    if isinstance(found, bool) or not isinstance(found, int):
        raise BadInput(f"{name}: {key} is {found!r}, which is no whole number.", fix="Export it as COCO.")
    return found
