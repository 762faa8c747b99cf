"""Read an audit set: its own form, COCO or MOT. Everything is checked before the first picture is looked at.

The own form is ``audit-set.yaml``. COCO is the "object detection" form (Lin et al., "Microsoft COCO", 2014); strata are
the ``attributes`` of its pictures and annotations. MOT is ``gt.txt`` as in MOT16 (Milan et al., "MOT16: a benchmark for
multi-object tracking", 2016): frames count from 1, a 0 in the seventh column is ignored, the ninth is visibility.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from watchglass.core.errors import BadInput
from watchglass.edge.audit_sets import coco, mot, own
from watchglass.edge.audit_sets.folder import CLIPS, Folder, decoded
from watchglass.edge.upright import UprightFile
from watchglass.perception.ports import Image, Picture
from watchglass.quality.audit_set import AuditSet, Item

HEAD: Final = "audit-set.yaml"
_MOT: Final = ("gt/gt.txt", "gt.txt")


def read(root: Path, classes: Mapping[str, tuple[str, ...]]) -> tuple[AuditSet, dict[str, str]]:
    """A set and the SHA-256 of each of its files, by name.

    Args:
        root: the set's folder.
        classes: COCO's names behind each kind of thing, from the model card.

    Raises:
        BadInput: it cannot be used, and why.
    """
    folder = Folder(root)
    if (folder.root / HEAD).exists():
        found = own.read(folder, HEAD, classes)
    elif labels := next((name for name in _MOT if (folder.root / name).exists()), None):
        found = mot.read(folder, labels, _media(folder), mot.About(folder.root.name))
    else:
        found = coco.read(folder, _only_json(folder), classes, coco.About(folder.root.name))
    for item in found.items:
        folder.note(item.file)
    checked = AuditSet(
        found.name, found.what, found.kinds, found.items, folder.sha256(), found.format, found.agreed, found.notes
    )
    return checked, dict(folder.hashes)


def _only_json(folder: Folder) -> str:
    names = sorted(file.name for file in folder.root.glob("*.json"))
    if len(names) != 1:
        there = f"there are {len(names)} JSON files" if names else "there is none"
        raise BadInput(
            f"This folder has no {HEAD}, no gt.txt, and no single COCO file: {there}.",
            fix=f"Write {HEAD}, or put one COCO file beside the pictures.",
        )
    return names[0]


def _media(folder: Folder) -> str:
    if (folder.root / "img1").is_dir():
        return "img1"
    clips = sorted(f.name for f in folder.root.iterdir() if f.suffix.lower() in CLIPS)
    if len(clips) != 1:
        raise BadInput(
            f"Beside gt.txt there are {len(clips)} clips and no folder img1.", fix="Put one clip or img1 beside it."
        )
    return clips[0]


# ---- pictures --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture of the set, decoded.

    Attributes:
        item: its labels.
        unit: the picture's name, or the stretch of ``STRETCH_S`` of its clip.
        small: (h, w, 3) as the detector is given it.
        luma: (height, width) of the whole picture.
    """

    item: Item
    unit: str
    small: Image
    luma: Image


STRETCH_S: Final = 3.0
"""Pictures of one clip within so many seconds count as one unit: what is missed in one is mostly missed in the next."""


def frames(root: Path, chosen: AuditSet, side: int) -> Iterator[Frame]:
    """Each picture with its labels, in order. Clips are decoded once.

    Args:
        root: the set's folder.
        chosen: what ``read`` gave, or a part of it.
        side: the longer side of ``Frame.small``; none is made larger.

    Raises:
        BadInput: a file is damaged, or a clip ends before its labels do.
    """
    clip: list[Item] = []
    for item in (*chosen.items, None):
        if clip and (item is None or item.file != clip[0].file or item.frame is None):
            yield from _clip(root, clip, side)
            clip = []
        if item is None:
            continue
        if item.frame is None or not item.file.lower().endswith(CLIPS):
            yield _still(root, item, side)
        else:
            clip.append(item)


def _still(root: Path, item: Item, side: int) -> Frame:
    image = decoded(root / item.file, item.file)
    if (image.shape[1], image.shape[0]) != item.size:
        raise BadInput(f"{item.file} decodes to another size than its head says.", fix="Replace the picture.")
    scale = min(1.0, side / max(item.size))
    size = max(1, round(item.size[0] * scale)), max(1, round(item.size[1] * scale))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA) if scale < 1 else image
    unit = item.file if item.frame is None else f"{Path(item.file).parent}#{item.frame // mot.FRAMES_A_STRETCH}"
    return Frame(item, unit, np.asarray(small, np.uint8), _luma(image))


def _luma(image: Image) -> Image:
    return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)


def _clip(root: Path, items: list[Item], side: int) -> Iterator[Frame]:
    file = UprightFile(root / items[0].file)
    wanted = {item.frame: item for item in items}
    last = max(frame for frame in wanted if frame is not None)
    length = max(1, round(file.fps * STRETCH_S))
    found = 0
    for index, picture in enumerate(_pictures(file)):
        item = wanted.get(index)
        if item is not None:
            found += 1
            unit = f"{item.file}#{index // length}"
            yield Frame(item, unit, picture.small(side), _luma(picture.bgr()))
        if index >= last:
            break
    if found < len(wanted):
        raise BadInput(
            f"{items[0].file} has fewer pictures than its labels: frame {last + 1} is labelled.",
            fix="Use the clip that was labelled, or correct `frames`.",
        )


def _pictures(file: UprightFile) -> Iterator[Picture]:
    decoder = file.decoder()
    for packet in file.packets(0):
        yield from decoder.decode(packet)
    yield from decoder.drain()
