"""The folder of an audit set: nothing outside it is opened, and nothing is decoded before its size is known."""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, Final

import cv2
import numpy as np
import yaml

from watchglass.core.canonical import encode
from watchglass.core.errors import BadInput
from watchglass.edge.limits import MOST_PIXELS, MOST_SIDE
from watchglass.perception.ports import Image

MOST_LABELS: Final = 64 * 1024 * 1024
MOST_YAML: Final = 4 * 1024 * 1024
MOST_PICTURE: Final = 64 * 1024 * 1024
PICTURES: Final = (".jpg", ".jpeg", ".png")
CLIPS: Final = (".mp4", ".m4v", ".mov", ".avi", ".mkv")

_LONGEST: Final = 500
_PIECE: Final = 1 << 20
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_FRAME_OF: Final = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
"""JPEG markers that begin a frame, and so say how large the picture is (ITU-T T.81, table B.1)."""

_ALONE: Final = frozenset((0x01, *range(0xD0, 0xD8)))


@dataclass(slots=True)
class Folder:
    """The folder of one set, and the hashes of what was taken from it.

    Raises:
        BadInput: it is no folder.
    """

    root: Path
    hashes: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.root.is_dir():
            raise BadInput(f"{self.root.name or self.root} is no folder.", fix="Give the folder of an audit set.")
        self.root = self.root.resolve()

    def place(self, name: object, endings: tuple[str, ...] = ()) -> Path:
        """The file of that name, if it is one and lies in the folder.

        Raises:
            BadInput: it is not there, lies elsewhere, or has another ending.
        """
        if not isinstance(name, str) or not 0 < len(name) <= _LONGEST or "\\" in name or "\0" in name:
            raise BadInput(
                f"{str(name)[:60]!r} is no name of a file.", fix="Write it with slashes, relative to the folder."
            )
        parts = PurePosixPath(name).parts
        if name.startswith("/") or ".." in parts:
            raise BadInput(f"{name} leads outside the set's folder.", fix="Put the file into the folder of the set.")
        file = self.root.joinpath(*parts)
        try:
            real = file.resolve()
            there = real.is_file()
        except (OSError, RuntimeError) as error:  # links that lead in a circle, a part that is too long
            raise BadInput(f"{name[:60]} leads nowhere.", fix="Put the file itself into the folder.") from error
        if not real.is_relative_to(self.root):
            raise BadInput(
                f"{name} is a link that leads outside the set's folder.",
                fix="Copy the file into the folder of the set.",
            )
        if not there:
            raise BadInput(f"{name} is not there.", fix="Put the file into the set's folder, or correct its labels.")
        if endings and real.suffix.lower() not in endings:
            raise BadInput(f"{name} is not of a kind that is read here.", fix=f"Use {', '.join(endings)}.")
        return file

    def has(self, name: object) -> bool:
        """Whether something of that name is there; what cannot be a name is not."""
        try:
            return isinstance(name, str) and len(name) <= _LONGEST and (self.root / name).exists()
        except OSError:
            return False

    def name_of(self, file: Path) -> str:
        return file.relative_to(self.root).as_posix()

    def text(self, name: str, most: int) -> str:
        """A file of labels as text; it becomes a part of the set's hash.

        Raises:
            BadInput: it is too large, or no UTF-8.
        """
        file = self.place(name)
        if file.stat().st_size > most:
            raise BadInput(
                f"{name} has more than {most // 1024 // 1024} MB of labels.", fix="Use COCO, or draw a part of the set."
            )
        data = file.read_bytes()
        self.hashes[name] = hashlib.sha256(data).hexdigest()
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInput(f"{name} is not UTF-8.", fix="Save it as UTF-8.") from error

    def note(self, name: str) -> str:
        """The SHA-256 (hexadecimal) of a picture or clip, which becomes a part of the set's."""
        if name not in self.hashes:
            sha256 = hashlib.sha256()
            with self.place(name).open("rb") as file:
                while piece := file.read(_PIECE):
                    sha256.update(piece)
            self.hashes[name] = sha256.hexdigest()
        return self.hashes[name]

    def sha256(self) -> str:
        """Of everything that was taken from the folder: the hash of the canonical list of names and hashes."""
        return hashlib.sha256(encode(self.hashes)).hexdigest()


def parsed_yaml(text: str, name: str) -> Any:
    """Plain YAML: no anchors, no tags, no key twice.

    Raises:
        BadInput: it is not.
    """
    try:
        return yaml.load(text, Loader=_Plain)  # noqa: S506 # a safe loader with less
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        why = getattr(error, "problem", None) or "it is not well formed"
        raise BadInput(f"{name} cannot be read{where}: {why}.", fix="Correct it; the form is that of YAML.") from error


class _Plain(yaml.SafeLoader):
    """Neither anchors, which let a small file be a huge one, nor keys twice, which let it mean two things."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call] # PyYAML's types leave it out
            raise yaml.composer.ComposerError(None, None, "anchors and aliases are not read here", event.start_mark)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # PyYAML's
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, f"{key.value} is there twice", key.start_mark)
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def parsed_json(text: str, name: str) -> Any:
    """Raises BadInput where it is no JSON."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{name} is no JSON that can be read: {error}.", fix="Export it anew.") from error


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no number")


def number(value: object, what: str) -> float:
    """Raises BadInput where it is no finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise BadInput(f"{what} is {value!r}, which is no number.", fix="Write a number of pixels.")
    return float(value)


def picture_size(file: Path, name: str) -> tuple[int, int]:
    """Width and height as the file's head says, before anything is decoded.

    Raises:
        BadInput: it is neither PNG nor JPEG, or too large.
    """
    if file.stat().st_size > MOST_PICTURE:
        raise BadInput(f"{name} has more than {MOST_PICTURE >> 20} MB.", fix="Use a picture as a camera gives it.")
    head = file.read_bytes()
    size = _png(head) if head.startswith(_PNG) else _jpeg(head)
    if size is None or min(size) < 1:
        raise BadInput(f"{name} is no picture that is read here.", fix="Use JPEG or PNG files that are undamaged.")
    if max(size) > MOST_SIDE or size[0] * size[1] > MOST_PIXELS:
        raise BadInput(
            f"{name} has {size[0]}x{size[1]} pixels, which is too many.",
            fix=f"Use pictures of at most {MOST_SIDE} pixels each way and {MOST_PIXELS // 1_000_000} megapixels.",
        )
    return size


def _png(data: bytes) -> tuple[int, int] | None:
    if len(data) < 24 or data[12:16] != b"IHDR":  # noqa: PLR2004 # where a PNG's head ends
        return None
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _jpeg(data: bytes) -> tuple[int, int] | None:
    if data[:2] != b"\xff\xd8":
        return None
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:  # noqa: PLR2004 # every marker begins so
            return None
        marker = data[at + 1]
        if marker == 0xFF or marker in _ALONE:  # noqa: PLR2004 (a fill byte of JPEG)
            at += 1 if marker == 0xFF else 2  # noqa: PLR2004 (likewise)
            continue
        if marker in _FRAME_OF:
            return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return None


def decoded(file: Path, name: str) -> Image:
    """The picture as it is stored, not turned by what is written beside it: labels are of these pixels.

    Raises:
        BadInput: it is damaged.
    """
    data = np.fromfile(file, np.uint8)
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_IGNORE_ORIENTATION)
    except cv2.error:
        image = None
    if image is None:
        raise BadInput(f"{name} cannot be decoded.", fix="Replace it with one that is undamaged.")
    return np.asarray(image, np.uint8)
