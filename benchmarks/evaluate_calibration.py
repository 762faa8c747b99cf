"""What a score is worth: for each kind of incident, and for what the detector says of single boxes.

Incidents are those of the other parts' clips. For ``intrusion`` there are more: 200 seeded zones on PETS, eight on
CDnet's highway, where nobody walks, and the insertions of ``incidents``. There the detector is ``BOLDER`` by .2, so
that more faint things are followed and more incidents are wrong; the scores are told as they were. Zones overlap: what
several of them say of the same score in the same second is one incident, and ten seconds of PETS are one clip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

import evaluate_kinds as kinds
import incidents
import kinds_clips as clips
from evaluate import Figure, Progress, figure
from evaluate_tracking import FRAMES, coco_truth, look, pets, pictures
from kinds_clips import PETS_TRUTH
from kinds_score import Told, watch
from reliability import figures_of
from watchglass.core.geometry import FloatArray, iou
from watchglass.edge import inference
from watchglass.edge.inference import NanoDet, load
from watchglass.perception.analytics import KINDS_OF_INCIDENT
from watchglass.perception.messages import AnalyticSpec, ZoneSpec
from watchglass.perception.observation import KINDS, Detections
from watchglass.perception.ports import Image

BOLDER = 0.2
ZONES = 200
INSERTIONS = 40
LEAST = 0.25
"""The least score of a box that is judged; below it hardly one is right."""

SYNTHETIC = "_synthetic"

_STAY_MS = 1_500
_SEED = 11
_BLOCK = 25
_PERSON = KINDS.index("person")


class Bold:
    """A detector whose scores are ``BOLDER`` higher, so that everything after it believes fainter things."""

    def __init__(self, detector: NanoDet) -> None:
        self._detector = detector
        self.side = detector.side

    def detect(self, bgr: Image) -> Detections:
        """See ``perception.ports.Detector.detect``."""
        seen = self._detector.detect(bgr)
        return replace(seen, scores=np.minimum(seen.scores + np.float32(BOLDER), 1).astype(np.float32))


def _once(told: Iterable[Told]) -> list[Told]:
    """Of those that zones which overlap say of one thing, one."""
    seen = {(t.clip, t.at_ms // 1000, t.score, t.right): t for t in told}
    return list(seen.values())


def _plain(told: Iterable[Told]) -> list[Told]:
    """The scores as they would be without boldness."""
    return [replace(t, score=None if t.score is None else round(max(0.0, t.score - BOLDER), 3)) for t in told]


# ---- more incidents of one kind --------------------------------------------------------------------------------------


def intrusions(data: Path, *, quick: bool, progress: Progress) -> list[Told]:
    """``intrusion`` on seeded zones, and of insertions into an empty scene."""
    bold = Bold(load(floor=inference.FLOOR - BOLDER))
    progress("calibration: zones on PETS")
    zones = clips.pets_zones(60 if quick else ZONES, _SEED)
    seen = watch(data / "media/pets_s2l1/vtest.avi", _rules(zones), bold, until=PETS_TRUTH)
    told = kinds.intrusion(kinds.Pets(seen, zones, clips.pets_ground(data)), data).told_of
    told = _once(told)
    if quick:
        return _plain(told)
    progress("calibration: zones on the highway")
    grid = [
        ((x, y), (x + 75.0, y), (x + 75.0, y + 80.0), (x, y + 80.0))
        for x in (5.0, 85.0, 165.0, 240.0)
        for y in (60.0, 150.0)
    ]
    road = watch(data / "media/cdnet_highway/highway.mp4", _rules(grid), bold)
    told += _once(Told.of(i, right=False, clip=f"highway {i.at_ms // 10_000 * 10} s") for i in road.incidents)
    return _plain([*told, *_inserted(data, bold, progress)])


def _rules(zones: Sequence[tuple[tuple[float, float], ...]]) -> list[AnalyticSpec]:
    return [
        AnalyticSpec(f"zone{k}", "intrusion", ZoneSpec(f"zone{k}", zone), {"for_ms": _STAY_MS})
        for k, zone in enumerate(zones)
    ]


def _inserted(data: Path, bold: Bold, progress: Progress) -> list[Told]:
    if incidents.missing_data(data):
        return []
    told = []
    for file in incidents.files(data, INSERTIONS, progress):
        progress(f"calibration: {file.path.name}")
        for incident in watch(file.path, incidents.RULES, bold).incidents:
            fired = incidents.Fired(incident.analytic, incident.at_ms)
            found = incidents.score(file.insertions, [fired])
            near = min(range(len(file.insertions)), key=lambda i: abs(file.insertions[i].start * 1000 - incident.at_ms))
            told.append(Told.of(incident, right=found.found > 0, clip=f"insertions {file.number} {near // 5}"))
    return told


# ---- single boxes ----------------------------------------------------------------------------------------------------


def boxes(found: Detections, kind: int, truth: FloatArray, clip: str) -> list[Told]:
    """Which of the boxes of a kind are right at IoU .5; of two for one thing only the surer is."""
    mine = np.flatnonzero((found.kinds == kind) & (found.scores >= LEAST))
    mine = mine[np.argsort(-found.scores[mine], kind="stable")]
    overlap = iou(found.boxes[mine], truth)
    free = np.ones(len(truth), bool)
    told = []
    for row, index in enumerate(mine.tolist()):
        best = int(np.argmax(np.where(free, overlap[row], -1))) if len(truth) else -1
        right = best >= 0 and bool(free[best]) and float(overlap[row, best]) >= 0.5
        if right:
            free[best] = False
        told.append(Told(round(float(found.scores[index]), 3), right, clip))
    return told


def on_pets(data: Path, detector: NanoDet, every: int) -> list[Told]:
    """Boxes of people, in blocks of 25 frames."""
    path, truth = pets(data)
    told: list[Told] = []
    for index, picture in enumerate(pictures(path)):
        if index % every == 0:
            told += boxes(look(detector, picture), _PERSON, truth[index], f"PETS block {index // _BLOCK}")
    return told


def on_coco(stills: Iterable[Path], detector: NanoDet) -> dict[str, list[Told]]:
    """Boxes of each kind, each picture a clip of its own."""
    told: dict[str, list[Told]] = {kind: [] for kind in KINDS}
    for file in stills:
        image = cv2.imread(str(file))
        assert image is not None, file
        scale = min(1.0, detector.side / max(image.shape[:2]))
        picture = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA).astype(np.uint8)
        truth, of = coco_truth(file.parent.parent / "labels" / f"{file.stem}.txt", picture.shape[1], picture.shape[0])
        found = detector.detect(picture)
        for index, kind in enumerate(KINDS):
            told[kind] += boxes(found, index, truth[of == index], file.stem)
    return told


def _boxes(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    detector = load()
    progress("calibration: boxes")
    how = f"boxes with a score of {LEAST} or more, right at IoU .5"
    every = 25 if quick else 5
    result = figures_of(
        "detector_person_pets", on_pets(data, detector, every),
        f"{how}; PETS2009 S2.L1, {-(-FRAMES // every)} of frames 0-{FRAMES - 1} in blocks of {_BLOCK}",
    )  # fmt: skip
    stills = sorted((data / "images/coco/images").glob("*.jpg"))
    # The others calibrated the int8 network.
    others = [file for file in stills if file.name not in inference.shipped().card["calibration"]["pictures"]]
    for kind, told in on_coco(others, detector).items():
        about = f"{how}; {len(others)} COCO val2017 pictures that did not calibrate the network"
        result += figures_of(f"detector_{kind}_coco", told, about)
    return result


# ---- all kinds -------------------------------------------------------------------------------------------------------


def gathered(before: Sequence[Figure]) -> dict[str, tuple[list[Told], bool, str]]:
    """By kind the incidents of the other parts, whether they are of made clips, and from where in words.

    Where one real incident or more was right, the real clips alone count. Where none was, the made clips are taken,
    and with them what was told of real clips, on which all was wrong.
    """
    real: dict[str, list[Told]] = {}
    made: dict[str, list[Told]] = {}
    about: dict[str, str] = {}
    for one in before:
        if "told" not in one:
            continue
        name = str(one["name"])
        kind = next(kind for kind in sorted(KINDS_OF_INCIDENT, key=len, reverse=True) if name.startswith(kind))
        synthetic = SYNTHETIC in name
        side = made if synthetic else real
        side.setdefault(kind, []).extend(Told(s, bool(r), str(c)) for s, r, c in one["told"])
        about.setdefault(kind + SYNTHETIC * synthetic, str(one["note"]).split(";", maxsplit=1)[0])
    result = {}
    for kind in sorted(real.keys() | made.keys()):
        mine = real.get(kind, [])
        if any(one.right for one in mine) or kind not in made:
            result[kind] = (mine, False, about[kind])
        else:
            result[kind] = ([*mine, *made[kind]], True, about[kind + SYNTHETIC])
    return result


def figures(*, data: Path, quick: bool, progress: Progress, before: Sequence[Figure] = ()) -> list[Figure]:
    """The figures ``*_calibration_error`` and ``*_brier``; null where there is not enough, or no data.

    Args:
        data: the folder of the recordings.
        quick: fewer zones and frames, and nothing but PETS.
        progress: told what is happening.
        before: the figures of the other parts, whose incidents are learnt from.
    """
    if not (data / "media/pets_s2l1/truth.json").is_file():
        note = "data not found; set WATCHGLASS_DATA"
        names = ("intrusion_calibration_error", "detector_person_pets_calibration_error")
        return [figure(name, None, None, None, 0, note) for name in names]
    known = gathered(before)
    more = intrusions(data, quick=quick, progress=progress)
    about = (
        f"PETS2009 S2.L1 frames 0-499, {60 if quick else ZONES} seeded zones (one thing in several counts once)"
        + ("" if quick else ", CDnet highway (nobody walks), 40 insertions into an empty scene")
        + f"; the detector bolder by {BOLDER}"
    )
    known["intrusion"] = (more, False, about)
    return reliabilities(known) + _boxes(data, quick=quick, progress=progress)


def reliabilities(known: Mapping[str, tuple[Sequence[Told], bool, str]]) -> list[Figure]:
    """The figures of kinds, as ``gathered`` gives them; the first of each holds what it was learnt from."""
    result: list[Figure] = []
    for kind, (told, synthetic, words) in sorted(known.items()):
        rows = figures_of(kind + SYNTHETIC * synthetic, told, words)
        rows[0]["told"] = [one.row() for one in told]
        result += rows
    return result
