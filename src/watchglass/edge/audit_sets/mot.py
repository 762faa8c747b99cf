"""MOT's form: ``gt.txt`` beside a clip or a folder of numbered pictures. Its people are labelled, nothing else is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from watchglass.core.errors import BadInput
from watchglass.edge.audit_sets.folder import CLIPS, MOST_LABELS, PICTURES, Folder, picture_size
from watchglass.edge.upright import UprightFile
from watchglass.quality.audit_set import MOST_BOXES, AuditSet, Box, Item, check_length, within

FRAMES_A_STRETCH: Final = 75
"""Of a folder of pictures, which does not say how fast they follow each other: three seconds at 25 a second."""

_KIND: Final = "person"
_FEWEST_COLUMNS: Final = 7
_PERSON: Final = 1
_LIKE_PEOPLE: Final = frozenset((2, 7, 8, 12))
"""On a vehicle, standing still, a distractor, a reflection: neither a miss nor a false box, as in MOT's own rules."""

_CUT: Final = 0.5
"""What is in the picture by less than that is not counted."""


@dataclass(frozen=True, slots=True)
class About:
    """What a set says about itself.

    Attributes:
        frames: the first and the last frame that are labelled, from 1; None: from the first to the last that has a box.
    """

    name: str
    what: str = ""
    agreed: str = ""
    frames: tuple[int, int] | None = None
    strata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def read(folder: Folder, labels: str, media: str, about: About) -> AuditSet:
    """A set of one clip, or of one folder of pictures.

    Raises:
        BadInput: a line cannot be read, or the pictures are not there.
    """
    rows = _rows(folder.text(labels, MOST_LABELS), labels)
    first, last = about.frames or (1, max(rows, default=0))
    if about.frames is None and not rows:
        raise BadInput(f"{labels} labels nobody.", fix="Say under `frames` which frames were looked through.")
    check_length(last - first + 1)
    outside = [frame for frame in rows if not first <= frame <= last]
    if outside:
        raise BadInput(f"{labels} labels frame {outside[0]}, outside of {first} to {last}.", fix="Correct `frames`.")
    files = _files(folder, media, first, last)
    items, cut = [], 0
    for frame in range(first, last + 1):
        file, index, size = files[frame]
        boxes = tuple(_cut_off(box, size) for box in rows.get(frame, ()))
        cut += sum(box.ignored for box in boxes) - sum(box.ignored for box in rows.get(frame, ()))
        items.append(Item(file, index, size, boxes, about.strata))
    notes = (f"{cut} boxes that are mostly outside the picture are not counted.",) if cut else ()
    return AuditSet(about.name, about.what, (_KIND,), tuple(items), "", "mot", about.agreed, notes)


def _files(folder: Folder, media: str, first: int, last: int) -> dict[int, tuple[str, int, tuple[int, int]]]:
    """Frame (from 1) -> file, index (from 0), size."""
    if media.lower().endswith(CLIPS):
        clip = UprightFile(folder.place(media, CLIPS))
        return {frame: (media, frame - 1, (clip.width, clip.height)) for frame in range(first, last + 1)}
    place = folder.root / media
    if not place.resolve().is_relative_to(folder.root) or not place.is_dir():
        raise BadInput(f"{media} is no folder of pictures.", fix="Put the pictures into img1.")
    numbered = {int(f.stem): f for f in place.iterdir() if f.stem.isdecimal() and f.suffix.lower() in PICTURES}
    result = {}
    for frame in range(first, last + 1):
        if frame not in numbered:
            raise BadInput(f"{media} has no picture {frame}, which is labelled.", fix="Put all pictures there.")
        name = folder.name_of(numbered[frame])
        result[frame] = (name, frame - 1, picture_size(folder.place(name, PICTURES), name))
    return result


def _rows(text: str, name: str) -> dict[int, list[Box]]:
    result: dict[int, list[Box]] = {}
    for count, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        frame, box = _row(line, f"{name}, line {count}")
        if box is not None:
            found = result.setdefault(frame, [])
            found.append(box)
            if len(found) > MOST_BOXES:
                raise BadInput(f"{name}: frame {frame} has more than {MOST_BOXES} boxes.", fix="Check the labels.")
    return result


def _row(line: str, where: str) -> tuple[int, Box | None]:
    try:
        values = [float(part) for part in line.split(",")]
    except ValueError as error:
        raise BadInput(f"{where} holds something that is no number.", fix="Use MOT's form.") from error
    if len(values) < _FEWEST_COLUMNS or not all(abs(v) < 1e9 for v in values):  # noqa: PLR2004 # no picture is so large
        raise BadInput(
            f"{where} has {len(values)} columns.", fix="frame,id,left,top,width,height,counts[,class,visible]"
        )
    frame, (left, top, wide, high), counts = int(values[0]), values[2:6], values[6]
    if frame < 1 or wide <= 0 or high <= 0:
        raise BadInput(f"{where}: frames count from 1, and a box has an area.", fix="Correct the line.")
    label = int(values[7]) if len(values) > _FEWEST_COLUMNS else -1
    if label > 0 and label != _PERSON and label not in _LIKE_PEOPLE:
        return frame, None
    visible = values[8] if label > 0 and len(values) > 8 and 0 <= values[8] <= 1 else None  # noqa: PLR2004 # the ninth
    ignored = counts == 0 or label in _LIKE_PEOPLE
    return frame, Box(_KIND, (left, top, left + wide, top + high), ignored, visible=visible)


def _cut_off(box: Box, size: tuple[int, int]) -> Box:
    corners, share = within(box.corners, size)
    return Box(box.kind, corners, box.ignored or share < _CUT, box.strata, box.visible)
