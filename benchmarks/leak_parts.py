"""The parts of ``bench leak``: each plays its films through the real line and lets the attackers look."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

import leak_scenes as scenes
from canvas import cache_folder, digest
from evaluate import Counts
from leak_attack import OWN, attack, people_attack
from leak_control import Found, Views, judged
from leak_figures import FaceSeen, PlateRead, Result
from leak_line import NOBODY, Frame, Operator, Piece, Setting, Shot, run, sees_anybody
from leak_measure import Image, Leak, grey_share, hits, read_of, shown_people
from watchglass.core.geometry import BoolArray, FloatArray, feet
from watchglass.edge.inference import NanoDet

Progress = Callable[[str], None]
PEOPLE = ("hog",)
FACES = ("centerface", "mtcnn", "haar")
DROPPED = 0.3

PETS_SIZE = (768, 576)
WIDTH_M, GRID_M = 16.2, 1.0
"""Metres across the picture, as the demo's charter states them for this camera, and a charter's default grid."""

_AFTER_MS = 60_000


# ---- PETS ------------------------------------------------------------------------------------------------------------


def pets(data: Path, detector: NanoDet, result: Result, *, quick: bool, progress: Progress) -> None:
    """PETS with truth: 30 % of detections dropped and all of one person's; then with none dropped."""
    views = Views(*scenes.pets_empty(data), scenes.pets_moments(data))
    step, first, then = (2, 650, 250) if quick else (1, scenes.PETS_ALL, scenes.PETS_TRUTH)
    progress("PETS with truth, detections dropped ...")
    who = scenes.longest_in_view(data)
    setting = Setting(dropped=DROPPED, width_m=WIDTH_M, grid_m=GRID_M)
    kept: list[Shot] = []
    total = Leak()
    film = scenes.pets(data, step=step, unseen=who, first=first, then=then)
    for shot in shots(film, detector, Operator(), setting, lambda f: f.tag % (5 * step) == 0):
        _note_view(result, views, shot)
        if shot.frame.scored and shot.age_ms is not None:
            total += views.leak(shot)
            if shot.frame.tag % (50 if quick else 10) == 0:
                kept.append(shot)
    result.leaks["PETS"] = total
    _attack_painted("PETS", kept, views, detector, PEOPLE, result)
    progress("PETS with truth, none dropped ...")
    setting = Setting(dropped=0.0, width_m=WIDTH_M, grid_m=GRID_M)
    cell = result.cell_px = GRID_M * PETS_SIZE[0] / WIDTH_M
    truth: dict[int, FloatArray] = {}
    seen: list[tuple[int, FloatArray]] = []
    # Marks stand on a confirmed view, and are no different on one that was confirmed early.
    first, operator = (350, Operator(patience_ms=30_000)) if quick else (first, Operator())
    film = scenes.pets(data, step=step, first=first, then=then)
    for shot in shots(film, detector, operator, setting, lambda f: f.scored):
        people = shot.frame.people
        truth[shot.frame.at_ms] = feet(people[_in_view(people, PETS_SIZE)])
        seen.append((shot.moment_ms, shot.people))
    result.shown = with_marks(seen, truth, cell, 0)
    late = {lag_ms: share_of(with_marks(seen, truth, cell, lag_ms)) for lag_ms in range(0, 3000, 200)}
    best = max(late, key=lambda lag_ms: late[lag_ms])
    if best:
        result.notes["marks"] = f"marks lag: against where people were {best / 1000:.1f} s before, {late[best]:.3f}"


def with_marks(
    seen: Sequence[tuple[int, FloatArray]], truth: Mapping[int, FloatArray], cell: float, lag_ms: int
) -> list[Counts]:
    """For each published moment, how many people have a mark of their own.

    Args:
        seen: the moment that each view says it shows, and its marks (m, 2).
        truth: where people stood (n, 2), by moment.
        cell: as in ``shown_people``.
        lag_ms: marks are compared with where people were so much earlier.
    """
    moments = [(truth[at - lag_ms], marks) for at, marks in seen if at - lag_ms in truth]
    return [Counts(shown_people(there, marks, cell), len(marks), len(there)) for there, marks in moments]


def share_of(counts: Sequence[Counts]) -> float:
    """The share of those who are there that were found."""
    return sum(c.right for c in counts) / max(1, sum(c.there for c in counts))


def shots(
    film: Iterator[Frame], detector: NanoDet, operator: Operator, setting: Setting, wanted: Callable[[Frame], bool]
) -> Iterator[Shot]:
    """What was published of the wanted frames of a film without clips."""
    for made in run(film, detector, operator, setting, wanted):
        assert isinstance(made, Shot)
        yield made


def _in_view(boxes: FloatArray, size: tuple[int, int]) -> BoolArray:
    """Whose feet are in the picture."""
    ground = feet(boxes) if len(boxes) else np.zeros((0, 2), np.float32)
    inside = (ground >= 0) & (ground < np.array(size, np.float32))
    return np.asarray(inside.all(axis=1))


def _note_view(result: Result, views: Views, shot: Shot) -> None:
    if shot.frame.at_ms < _AFTER_MS:
        return
    share = grey_share(shot.bare, views.grey)
    result.grey.append(share)
    result.withheld.append(share >= 0.999)
    if shot.age_ms is not None:
        result.ages_s.append(shot.age_ms / 1000)


def _attack_painted(
    name: str, kept: Sequence[Shot], views: Views, detector: NanoDet, names: Sequence[str], result: Result
) -> None:
    """Let the attackers look at what was published and at the camera's pictures, while the next film is played."""
    pictures = [*(shot.view for shot in kept), *(shot.frame.bgr() for shot in kept)]
    result.attacked[name] = len(kept)

    def look(shown: Sequence[Image], asked: Sequence[str]) -> Found:
        made = people_attack(shown, detector, asked)
        return {each: [made.boxes(each, number) for number in range(len(shown))] for each in made.found}

    def work() -> None:
        made = people_attack(pictures, detector, (OWN, *names))
        result.absent.update(made.absent)
        found = {each: [made.boxes(each, number) for number in range(len(pictures))] for each in made.found}
        published = {each: boxes[: len(kept)] for each, boxes in found.items()}
        result.firings[name] = judged(kept, published, views, look)
        result.before[name] = {each: sum(map(len, boxes[len(kept) :])) for each, boxes in found.items()}

    result.later.do(work)


# ---- people whom nobody detects --------------------------------------------------------------------------------------


def stays(data: Path, detector: NanoDet, result: Result, *, quick: bool, progress: Progress) -> None:
    """Undetected people who stand or sit for 15 minutes, entering at 0, 5 and 60 s."""
    fps = 2.0 if quick else 5.0
    empty, known = scenes.pets_empty(data)
    views = Views(scenes.as_decoded(empty), known)
    later = [
        scenes.Stay(0, 5.0), scenes.Stay(1, 5.0, sits=True), scenes.Stay(2, 60.0), scenes.Stay(3, 60.0, sits=True),
    ]  # fmt: skip
    early = [scenes.Stay(0, 0.0), scenes.Stay(1, 0.0, sits=True)]
    films = {
        "at 5 and 60 s": (later, *((130.0, 100_000) if quick else (900.0, 300_000))),
        "at 0 s": (early, *((80.0, 50_000) if quick else (900.0, 300_000))),
    }
    for name, (there, seconds, confirmed_ms) in films.items():
        progress(f"Undetected people who come {name} and stay, for {seconds:.0f} s ...")
        operator = Operator(after_ms=confirmed_ms, patience_ms=confirmed_ms)
        total = Leak()
        kept: list[Shot] = []
        film = scenes.car_park(data, there, seconds, fps)
        for shot in shots(film, detector, operator, Setting(dropped=DROPPED), lambda f: f.at_ms % 5000 == 0):
            if shot.age_ms is None:
                continue
            if not total.pixels and operator.proposed is not None and name == "at 0 s":
                result.refused = sees_anybody(operator.proposed, shot.frame, views.empty)
            total += views.leak(shot)
            if shot.frame.at_ms % (10_000 if quick else 30_000) == 0:
                kept.append(shot)
        if name == "at 0 s":
            result.careless = total
        else:
            result.leaks[f"people who came {name}"] = total
            _attack_painted("stays", kept[:1] if quick else kept, views, detector, PEOPLE, result)


# ---- number plates ---------------------------------------------------------------------------------------------------


def plates(data: Path, detector: NanoDet, result: Result, *, quick: bool, progress: Progress) -> None:
    """Number plates: parked from the start, read in the public view; just arrived, read in the reviewer's clip."""
    looks = [_parked(data, detector, seed, progress) for seed in range(2 if quick else 8)]
    looks += [_arriving(data, detector, 100 + seed, progress) for seed in range(1 if quick else 4)]
    before = [_around(camera, plate.box) for look in looks for plate, camera, _, _ in look]
    after = [_around(view, plate.box) for look in looks for plate, _, view, _ in look]
    made = attack(before + after, ["ocr"])
    result.absent.update(made.absent)
    known = [(plate, where) for look in looks for plate, _, _, where in look]
    for number, (plate, where) in enumerate(known if "ocr" in made.found else ()):
        texts = [[str(row[0]).upper() for row in made.found["ocr"][n]] for n in (number, len(known) + number)]
        shares = [read_of(plate.text, [*parts, "".join(parts)]) for parts in texts]
        wide = float(plate.box[2] - plate.box[0])
        result.plates.append(
            PlateRead(plate.text, wide, plate.car is not None, plate.missed, shares[0], shares[1], where)
        )


Looks = list[tuple[scenes.Plate, Image, Image, str]]
"""Plates, the camera's picture, what is shown of it in the same size, and where."""


def _parked(data: Path, detector: NanoDet, seed: int, progress: Progress) -> Looks:
    progress("Parked number plates ...")
    there, film = scenes.car_with_plate(data, seed, 50.0, 2.0)
    last: Shot | None = None
    for shot in shots(film, detector, Operator(), Setting(dropped=DROPPED), lambda f: f.at_ms % 1000 == 0):
        last = shot if shot.age_ms is not None else last
    return [(plate, last.frame.bgr(), last.view, "painted") for plate in there] if last is not None else []


def _arriving(data: Path, detector: NanoDet, seed: int, progress: Progress) -> Looks:
    progress("Number plates that arrive ...")
    there, film = scenes.car_with_plate(data, seed, 60.0, 4.0, arrive_s=48.0)
    camera: Image | None = None
    clip: Image | None = None
    setting = Setting(dropped=DROPPED, clips_ms=8000)
    look_ms = 51_000
    for made in run(
        film, detector, Operator(), setting, lambda f: f.at_ms == look_ms,
        cut=lambda order: order.start_ms <= look_ms <= order.end_ms,
    ):  # fmt: skip
        if isinstance(made, Shot):
            camera = made.frame.bgr()
        elif look_ms in made.times:
            clip = made.pictures()[made.times.index(look_ms)]
    if camera is None or clip is None:
        return []
    (large,) = _images([cv2.resize(clip, (scenes.WIDE, scenes.HIGH), interpolation=cv2.INTER_LINEAR)])
    return [(plate, camera, large, "mosaic") for plate in there]


def _around(picture: Image, box: FloatArray) -> Image:
    """A plate with room around it, enlarged twice: as somebody would who wants to read it."""
    x1, y1, x2, y2 = (round(float(v)) for v in box)
    margin = x2 - x1
    part = picture[max(0, y1 - margin) : y2 + margin, max(0, x1 - margin) : x2 + margin]
    return cv2.resize(part, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC).astype(np.uint8)


# ---- faces -----------------------------------------------------------------------------------------------------------


def faces(data: Path, detector: NanoDet, result: Result, *, quick: bool, progress: Progress) -> None:
    """Faces of COCO's people in a film: found before, found in the reviewer's mosaic, fired at in the public view."""
    pictures = portraits(data, progress)
    if not pictures:
        result.notes["faces"] = "needs CenterFace to find faces to insert: make peers"
        return
    progress("Faces in a film ...")
    there = scenes.visits(pictures, 60 if quick else 160, 60_000)
    seen = {visit.number: FaceSeen(visit.width, visit.alone) for visit in there}
    moments = {visit.start_ms + at for visit in there for at in ((2000,) if quick else (1200, 2800))}
    empty = scenes.as_decoded(scenes.street(data))
    views = Views(empty, np.ones(empty.shape[:2], bool))
    setting = Setting(dropped=DROPPED, clips_ms=8000)
    painted: list[Shot] = []
    cameras: dict[int, Image] = {}
    clips: dict[int, Image] = {}
    joins = Joins(there)
    for made in run(
        scenes.crowd(data, there, 5.0 if quick else 10.0), detector, Operator(), setting, lambda f: f.at_ms in moments
    ):
        if isinstance(made, Shot):
            painted.append(made)
            cameras[made.frame.at_ms] = made.frame.bgr()
        elif isinstance(made, Piece):
            _take_clip(made, moments, clips, joins, result)
    _attack_faces(cameras, clips, there, seen, result)
    _attack_joined(joins, there, seen)
    result.faces = list(seen.values())
    chosen = painted[:: max(1, len(painted) // (6 if quick else 20))]
    _attack_painted("faces", chosen, views, detector, FACES, result)


def _take_clip(piece: Piece, moments: set[int], clips: dict[int, Image], joins: Joins, result: Result) -> None:
    result.clip_withheld_s += piece.clip.withheld_share * piece.clip.seconds
    result.clip_s += piece.clip.seconds
    for at_ms, picture in zip(piece.times, piece.pictures(), strict=False):
        joins.add(at_ms, picture)
        if at_ms in moments:
            clips[at_ms] = picture


class Joins:
    """The mean of the clip's pictures of each visit, each moved as the visit moved: what mosaics over time add up to.

    An attacker would have to guess the movement; this one is told.
    """

    def __init__(self, there: Sequence[scenes.Visit]) -> None:
        self._there = there
        self._sums: dict[int, NDArray[np.float32]] = {}
        self._counts: dict[int, int] = {}

    def add(self, at_ms: int, picture: Image) -> None:
        """Take in one picture of a clip."""
        larger = scenes.WIDE / picture.shape[1]
        for visit in self._there:
            if visit.start_ms <= at_ms < visit.end_ms:
                x, y = visit.at(at_ms)
                height, width = visit.portrait.bgr.shape[:2]
                move = np.array([[larger, 0, -x], [0, larger, -y]], np.float32)
                part = cv2.warpAffine(picture, move, (width, height), flags=cv2.INTER_LINEAR).astype(np.float32)
                self._sums[visit.number] = self._sums.get(visit.number, np.zeros_like(part)) + part
                self._counts[visit.number] = self._counts.get(visit.number, 0) + 1

    def pictures(self) -> dict[int, Image]:
        """By the number of the visit."""
        return {n: (total / self._counts[n]).round().astype(np.uint8) for n, total in self._sums.items()}


def _attack_joined(joins: Joins, there: Sequence[scenes.Visit], seen: dict[int, FaceSeen]) -> None:
    pictures = joins.pictures()
    made = attack(list(pictures.values()), FACES)
    for attacker in made.found:
        for index, number in enumerate(pictures):
            if hits(made.boxes(attacker, index), there[number].portrait.face[None]).any():
                seen[number].joined.add(attacker)


def _attack_faces(
    cameras: Mapping[int, Image], clips: Mapping[int, Image], there: Sequence[scenes.Visit],
    seen: dict[int, FaceSeen], result: Result,
) -> None:  # fmt: skip
    """Each moment three times: the camera's picture, the clip's as it is, and the clip's as large as the camera's."""
    times = sorted(set(cameras) & set(clips))
    large = [cv2.resize(clips[t], (scenes.WIDE, scenes.HIGH), interpolation=cv2.INTER_LINEAR) for t in times]
    made = attack([*(cameras[t] for t in times), *(clips[t] for t in times), *_images(large)], FACES)
    result.absent.update(made.absent)
    for attacker in made.found:
        for index, at_ms in enumerate(times):
            now = [visit for visit in there if visit.start_ms <= at_ms < visit.end_ms]
            true = np.stack([visit.face(at_ms) for visit in now]) if now else NOBODY
            scale = np.float32(clips[at_ms].shape[1] / scenes.WIDE)
            sides = (
                ("before", made.boxes(attacker, index), true),
                ("after", made.boxes(attacker, len(times) + index), true * scale),
                ("after", made.boxes(attacker, 2 * len(times) + index), true),
            )
            for side, found, faces_ in sides:
                for visit, hit in zip(now, hits(found, faces_), strict=True):
                    if hit:
                        getattr(seen[visit.number], side).add(attacker)


def _images(pictures: Sequence[Any]) -> list[Image]:
    return [np.asarray(picture, np.uint8) for picture in pictures]


def portraits(data: Path, progress: Progress) -> list[tuple[Image, FloatArray]]:
    """COCO's pictures with the faces that CenterFace finds in them, kept between runs."""
    files = sorted((data / "images/coco/images").glob("*.jpg"))
    kept = cache_folder() / f"coco-faces-{digest('coco-faces', 1, [file.name for file in files])}.json"
    if not kept.is_file():
        progress("Looking for faces in the pictures of COCO (once) ...")
        made = attack([_read(file) for file in files], ["centerface"])
        if "centerface" not in made.found:
            return []
        kept.write_text(json.dumps(made.found["centerface"]))
    result = []
    for file, rows in zip(files, json.loads(kept.read_text()), strict=True):
        clear = [row[:4] for row in rows if row[4] >= 0.5 and row[2] - row[0] >= 16]
        if clear:
            result.append((_read(file), np.array(clear, np.float32)))
    return result


def _read(file: Path) -> Image:
    picture = cv2.imread(str(file))
    assert picture is not None, file
    return picture.astype(np.uint8, copy=False)
