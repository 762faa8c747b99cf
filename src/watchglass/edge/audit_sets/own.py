"""``audit-set.yaml``: the form of Watchglass itself, and a head for sets whose labels are COCO's or MOT's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from watchglass.core.errors import BadInput
from watchglass.edge.audit_sets import coco, mot
from watchglass.edge.audit_sets.folder import MOST_YAML, PICTURES, Folder, number, parsed_yaml, picture_size
from watchglass.edge.audit_sets.strata import strata_of
from watchglass.quality.audit_set import MOST_BOXES, AuditSet, Box, Item

VERSION: Final = 1
_TOP: Final = ("audit_set", "name", "what", "agreed", "kinds", "items", "coco", "mot", "pictures", "clip", "frames")
_ITEM: Final = ("picture", "clip", "labels", "frames", "strata", "boxes")
_BOX: Final = ("kind", "box", "strata", "ignore", "visible")


def read(folder: Folder, name: str, classes: Mapping[str, tuple[str, ...]]) -> AuditSet:
    """The set of which ``name`` is the head.

    Raises:
        BadInput: it cannot be used, and why.
    """
    head = _mapping(parsed_yaml(folder.text(name, MOST_YAML), name), name, _TOP)
    if head.get("audit_set") != VERSION:
        raise BadInput(f"{name} is of no form that is known here.", fix=f"Begin it with `audit_set: {VERSION}`.")
    ways = [key for key in ("items", "coco", "mot") if head.get(key) is not None]
    if len(ways) != 1:
        raise BadInput(f"{name} needs one of items, coco and mot.", fix="Say where the labels are, once.")
    title, what, agreed = (_text(head.get(key, ""), key, name) for key in ("name", "what", "agreed"))
    title = title or folder.root.name
    if ways == ["coco"]:
        pictures = _text(head.get("pictures", ""), "pictures", name)
        labels = _text(head["coco"], "coco", name)
        return coco.read(folder, labels, classes, coco.About(title, what, agreed, pictures))
    if ways == ["mot"]:
        media = _text(head.get("clip") or head.get("pictures") or "", "clip", name)
        about = mot.About(title, what, agreed, _frames(head.get("frames"), name))
        return mot.read(folder, _text(head["mot"], "mot", name), media, about)
    kinds = _kinds(head.get("kinds"), classes, name)
    items: list[Item] = []
    for count, entry in enumerate(_list(head["items"], "items", name), 1):
        items += _items(folder, entry, kinds, f"{name}, item {count}")
    files = [item.file for item in items if item.frame is None]
    if len(set(files)) != len(files):
        raise BadInput(f"{name} lists a picture twice.", fix="Leave one of them out.")
    return AuditSet(title, what, kinds, tuple(items), "", "watchglass", agreed)


def _kinds(value: object, classes: Mapping[str, tuple[str, ...]], name: str) -> tuple[str, ...]:
    kinds = tuple(str(kind) for kind in _list(value if value is not None else [], "kinds", name))
    unknown = [kind for kind in kinds if kind not in classes]
    if unknown:
        raise BadInput(f"{name}: there is no kind {unknown[0]!r}.", fix=f"Use one or more of: {', '.join(classes)}.")
    return tuple(dict.fromkeys(kinds))


def _items(folder: Folder, value: object, kinds: tuple[str, ...], where: str) -> Sequence[Item]:
    entry = _mapping(value, where, _ITEM)
    strata = strata_of(entry.get("strata"), where)
    if entry.get("clip") is not None:
        if "person" not in kinds:
            raise BadInput(f"{where}: a clip's labels are of people.", fix="Add person to `kinds`.")
        about = mot.About("", frames=_frames(entry.get("frames"), where), strata=strata)
        labels = _text(entry.get("labels") or "", "labels", where)
        return mot.read(folder, labels, _text(entry["clip"], "clip", where), about).items
    file = folder.name_of(folder.place(entry.get("picture"), PICTURES))
    size = picture_size(folder.root / file, file)
    found = _list(entry.get("boxes") or [], "boxes", where)
    if len(found) > MOST_BOXES:
        raise BadInput(f"{where}: {len(found)} boxes; at most {MOST_BOXES}.", fix="Leave the picture out.")
    boxes = tuple(_box(box, size, kinds, f"{where}, box {count}") for count, box in enumerate(found, 1))
    return (Item(file, None, size, boxes, strata),)


def _box(value: object, size: tuple[int, int], kinds: tuple[str, ...], where: str) -> Box:
    entry = _mapping(value, where, _BOX)
    kind = entry.get("kind", kinds[0] if len(kinds) == 1 else None)
    if kind not in kinds:
        raise BadInput(f"{where}: its kind {kind!r} is not under `kinds`.", fix=f"Use one of: {', '.join(kinds)}.")
    corners = coco.box_within(entry.get("box"), size, where)
    ignored, visible = entry.get("ignore", False), entry.get("visible")
    if not isinstance(ignored, bool):
        raise BadInput(f"{where}: `ignore` is true or false.", fix="Write true where it should not count.")
    if visible is not None and not 0 <= number(visible, f"{where}: visible") <= 1:
        raise BadInput(f"{where}: `visible` is a share from 0 to 1.", fix="Write 0.4 where 40 % can be seen.")
    strata = strata_of(entry.get("strata"), where)
    return Box(str(kind), corners, ignored, strata, None if visible is None else float(visible))


def _frames(value: object, where: str) -> tuple[int, int] | None:
    if value is None:
        return None
    whole = isinstance(value, list) and all(isinstance(v, int) and not isinstance(v, bool) for v in value)
    if not isinstance(value, list) or not whole or len(value) != 2 or not 1 <= value[0] <= value[1]:  # noqa: PLR2004 # first and last
        raise BadInput(f"{where}: `frames` is [first, last], from 1.", fix="Write for example [1, 500].")
    return value[0], value[1]


def _mapping(value: object, where: str, known: tuple[str, ...]) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadInput(f"{where} is no mapping.", fix=f"Write it with the keys {', '.join(known)}.")
    unknown = [str(key) for key in value if key not in known]
    if unknown:
        raise BadInput(f"{where} has an unknown key {unknown[0]!r}.", fix=f"Use {', '.join(known)}.")
    return value


def _list(value: object, key: str, where: str) -> list[Any]:
    if not isinstance(value, list):
        raise BadInput(f"{where}: `{key}` is no list.", fix="Write it as a list.")
    return value


def _text(value: object, key: str, where: str) -> str:
    if not isinstance(value, str) or len(value) > 1000:  # noqa: PLR2004 # a sentence or a name
        raise BadInput(f"{where}: `{key}` is no text.", fix="Write a name or a sentence.")
    return value.strip()
