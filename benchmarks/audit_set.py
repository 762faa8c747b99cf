"""What ``watchglass quality audit-set`` finds on the recordings with truth. Read by ``watchglass bench audit_set``.

Two sets are made of what ``WATCHGLASS_DATA`` holds, in a folder that is gone afterwards: a COCO file of 64 pictures of
val2017, of which the product leaves out the 32 that calibrated its weights, and a MOT folder of PETS2009 S2.L1. Nothing
in either is annotated but boxes, so all strata are measured ones. No personal trait can be tested with them.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2

from measures import Figure, figure
from watchglass.quality.audited import ALL, Table
from watchglass.quality.compare import Between, Group
from watchglass.runtime.audit_set import Audit, audit

Progress = Callable[[str], None]

SETS = ("coco", "pets")
EVERY, QUICK_EVERY = 5, 25
_COCO = {
    0: "person", 1: "bicycle", 2: "car", 3: "motorcycle", 5: "bus", 6: "train", 7: "truck", 8: "boat", 24: "backpack",
    26: "handbag", 28: "suitcase",
}  # fmt: skip
"""Number in the label files (of 80 classes) -> COCO's name; the others are not looked for."""


@contextmanager
def made(name: str, data: Path) -> Iterator[Path]:
    """The folder of a set."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / name
        root.mkdir()
        (coco_set if name == "coco" else pets_set)(data, root)
        yield root


def coco_set(data: Path, root: Path) -> None:
    """The pictures of COCO val2017 with their labels in COCO's form."""
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for number, file in enumerate(sorted((data / "images/coco/images").glob("*.jpg")), 1):
        shutil.copy(file, root / file.name)
        height, width = cv2.imread(str(file), cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION).shape[:2]
        images.append({"id": number, "file_name": file.name, "width": width, "height": height})
        label = data / "images/coco/labels" / f"{file.stem}.txt"
        for line in label.read_text().splitlines() if label.exists() else ():
            category, cx, cy, w, h = (float(v) for v in line.split()[:5])
            if int(category) in _COCO:
                box = [round((cx - w / 2) * width, 2), round((cy - h / 2) * height, 2), w * width, h * height]
                annotations.append(
                    {"id": len(annotations), "image_id": number, "category_id": int(category), "bbox": box}
                )
    categories = [{"id": category, "name": name} for category, name in _COCO.items()]
    text = json.dumps({"images": images, "annotations": annotations, "categories": categories})
    (root / "annotations.json").write_text(text, "utf-8")
    (root / "audit-set.yaml").write_text(
        "audit_set: 1\nname: coco-val2017-64\nwhat: 64 pictures of COCO val2017\ncoco: annotations.json\n", "utf-8"
    )


def pets_set(data: Path, root: Path) -> None:
    """A car park with people walking, frames 1 to 500."""
    shutil.copy(data / "media/pets_s2l1/vtest.avi", root / "vtest.avi")
    shutil.copy(data / "media/pets_s2l1/gt_mot.txt", root / "gt.txt")
    (root / "audit-set.yaml").write_text(
        "audit_set: 1\nname: pets2009-s2l1\nwhat: PETS2009 S2.L1, view 1, frames 1 to 500\n"
        "mot: gt.txt\nclip: vtest.avi\nframes: [1, 500]\n",
        "utf-8",
    )


def figures(*, quick: bool, progress: Progress) -> list[Figure]:
    """Misses and false boxes of each group that has enough data, and how far the groups are apart."""
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    if not (data / "images/coco").is_dir():
        return [figure("audit_set_misses", None, unit="share", note="WATCHGLASS_DATA names no folder with the data")]
    result = []
    for name in SETS:
        progress(f"looking at {name}")
        with made(name, data) as root:
            result += of_audit(name, audit(root, every=QUICK_EVERY if quick else EVERY))
    return result


def of_audit(name: str, done: Audit) -> list[Figure]:
    result = []
    for table in done.tables:
        result += [_miss(name, table, group) for group in table.misses.groups if group.enough]
        if table.stratum == ALL and table.false is not None:
            result += [_false(name, table, group) for group in table.false.groups if group.enough]
        apart = table.misses.worst_over_mean
        if apart is not None:
            result.append(_apart(name, table, "missed", apart))
    return result


def _name(*parts: str) -> str:
    return "_".join(part.replace(" ", "_") for part in parts if part != ALL)


def _miss(name: str, table: Table, group: Group) -> Figure:
    note = f"{group.happened} of {group.of:.0f} not found; {group.units} independent pictures or stretches of 3 s"
    return figure(
        _name(name, table.kind, "missed", table.stratum, group.name),
        group.value, unit="share", interval=_ends(group), n=int(group.of), note=note,
    )  # fmt: skip


def _false(name: str, table: Table, group: Group) -> Figure:
    return figure(
        _name(name, table.kind, "false", table.stratum, group.name), group.value, unit="boxes a picture",
        interval=_ends(group), n=int(group.of), note=f"{group.happened} false boxes in {group.of:.0f} pictures",
    )  # fmt: skip


def _apart(name: str, table: Table, what: str, apart: Between) -> Figure:
    known: Sequence[Group] = [group for group in table.misses.groups if group.enough]
    high = "no upper bound" if apart.high is None else f"{apart.high:.3g}"
    return figure(
        _name(name, table.kind, what, "by", table.stratum, "worst_over_mean"), apart.value, unit="times",
        interval=None if apart.high is None else (apart.low, apart.high), n=int(sum(group.of for group in known)),
        against="the geometric mean of the groups", note=f"worst: {apart.first}; between {apart.low:.3g} and {high}",
    )  # fmt: skip


def _ends(group: Group) -> tuple[float, float]:
    assert group.low is not None
    assert group.high is not None
    return group.low, group.high
