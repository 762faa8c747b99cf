"""Look at an audit set with the product's own detector, as a running camera does, and say what it missed.

A picture is looked at as a whole at the detector's own side, and a box counts from the score that begins a track
(``perception.track.BIRTH``): what stays below it never becomes anything that a rule could see. It is found where a box
of its kind overlaps it by half (IoU, one to one, exactly assigned), as everywhere in the evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from watchglass.core.errors import BadInput
from watchglass.core.geometry import BoolArray, FloatArray, iou
from watchglass.edge.audit_sets import Frame, frames, read
from watchglass.edge.inference import Weights, load, shipped
from watchglass.perception.assign import FORBIDDEN, assign
from watchglass.perception.observation import KINDS, Detections
from watchglass.perception.ports import Detector
from watchglass.perception.track import BIRTH
from watchglass.quality import appearance
from watchglass.quality.audit_set import MOST_ITEMS, AuditSet, Box
from watchglass.quality.audited import Look, Table, Thing, tables
from watchglass.quality.compare import ALPHA, FEWEST

OVERLAP: Final = 0.5
_MOSTLY: Final = 0.5
"""A box that lies so much within an ignored one is no false box."""

Progress = Callable[[int, int], None]
"""Told how many pictures of how many were looked at."""


@dataclass(frozen=True, slots=True)
class Audit:
    """What was found.

    Attributes:
        tested: the set, or the part of it that was looked at.
        left_out: pictures that had helped to make the model, and so say nothing about it.
        every: one frame in so many of each clip was looked at.
        model, model_sha256: whose detections.
        fewest: what a group needs.
        tables: by kind and stratum.
    """

    tested: AuditSet
    left_out: int
    every: int
    model: str
    model_sha256: str
    alpha: float
    fewest: int
    tables: tuple[Table, ...]

    def as_json(self) -> dict[str, Any]:
        """As it is printed, and kept in the model card."""
        chosen = self.tested
        return {
            "set": {
                "name": chosen.name,
                "what": chosen.what,
                "sha256": chosen.sha256,
                "format": chosen.format,
                "agreed": chosen.agreed,
                "kinds": list(chosen.kinds),
                "pictures": len(chosen.items),
                "left_out": self.left_out,
                "every": self.every,
                "things": {kind: chosen.boxes(kind) for kind in chosen.kinds},
                "notes": list(chosen.notes),
            },
            "model": self.model,
            "model_sha256": self.model_sha256,
            "score_at_least": {kind: BIRTH[KINDS.index(kind)] for kind in chosen.kinds},
            "overlap": OVERLAP,
            "together": 1 - self.alpha,
            "fewest": self.fewest,
            "tables": [table.as_json() for table in self.tables],
        }


def audit(
    root: Path,
    *,
    weights: Weights | None = None,
    every: int = 1,
    alpha: float = ALPHA,
    fewest: int = FEWEST,
    progress: Progress | None = None,
    detector: Detector | None = None,
) -> Audit:
    """Look at the set in a folder.

    Args:
        root: the folder.
        weights: of the detector; the shipped ones, if none are given.
        every: look at one frame in so many of each clip.
        alpha, fewest: as in ``quality.compare``.
        progress: told how far it is.
        detector: looks; one with those weights, if none is given.

    Raises:
        BadInput: the set cannot be used, and why.
    """
    if every < 1:
        raise BadInput("One frame in none cannot be looked at.", fix="Give --every 1 or more.")
    ours = shipped()
    weights = weights or ours
    classes = {kind: tuple(ours.card["kinds"][kind]) for kind in KINDS}
    whole, hashes = read(root, classes)
    chosen, left_out = _fresh(whole, hashes, weights.card, every)
    detector = detector or load(weights=weights, floor=min(BIRTH))
    looks: dict[str, list[Look]] = {kind: [] for kind in chosen.kinds}
    for count, frame in enumerate(frames(root.resolve(), chosen, detector.side), 1):
        for kind, look in _looks(frame, detector, chosen.kinds):
            looks[kind].append(look)
        if progress is not None:
            progress(count, len(chosen.items))
    found = [t for kind in chosen.kinds for t in tables(kind, looks[kind], chosen.strata, alpha=alpha, fewest=fewest)]
    name = str(weights.card.get("name", "another model"))
    return Audit(chosen, left_out, every, name, weights.sha256, alpha, fewest, tuple(found))


def _fresh(whole: AuditSet, hashes: Mapping[str, str], card: Mapping[str, Any], every: int) -> tuple[AuditSet, int]:
    """The set without pictures that made the model, one frame in ``every`` of clips; and how many were left out."""
    used = frozenset(card.get("calibration", {}).get("pictures", {}).values())
    fresh = tuple(item for item in whole.items if hashes[item.file] not in used)
    if not fresh:
        raise BadInput(
            "Every picture of this set has helped to make the model, so it would say nothing.",
            fix="Use pictures that are not in the model card's list.",
        )
    looked_at = tuple(item for item in fresh if item.frame is None or item.frame % every == 0)
    if not looked_at:
        raise BadInput("No labelled frame is left to look at.", fix="Give a smaller --every.")
    if len(looked_at) > MOST_ITEMS:
        raise BadInput(
            f"{len(looked_at):,} pictures would be looked at; at most {MOST_ITEMS:,} are.",
            fix="Draw a random part of them, or look at every tenth frame with --every 10.",
        )
    return replace(whole, items=looked_at), len(whole.items) - len(fresh)


def _looks(frame: Frame, detector: Detector, kinds: Sequence[str]) -> Iterator[tuple[str, Look]]:
    found = detector.detect(frame.small)
    scale = frame.small.shape[1] / frame.item.size[0]
    of_picture = appearance.of_picture(frame.luma)
    boxes = np.array([box.corners for box in frame.item.boxes], np.float32).reshape(-1, 4)
    hidden = appearance.hidden(boxes)
    for kind in kinds:
        mine = [i for i, box in enumerate(frame.item.boxes) if box.kind == kind]
        there = sum(not frame.item.boxes[i].ignored for i in mine)
        strata = {**of_picture, "crowding": appearance.crowding_of(there), **frame.item.strata}
        claimed = _claimed(found, kind) / np.float32(scale)
        hits, false = _matched(claimed, [frame.item.boxes[i] for i in mine])
        things = tuple(
            Thing(hit, _strata(frame, frame.item.boxes[i], float(hidden[i]), scale, strata["crowding"]))
            for i, hit in zip(mine, hits, strict=True)
            if not frame.item.boxes[i].ignored
        )
        empty = tuple({"size": appearance.size_of(appearance.side(_corners(box), scale))} for box in false)
        yield kind, Look(frame.unit, strata, things, empty)


def _claimed(found: Detections, kind: str) -> FloatArray:
    index = KINDS.index(kind)
    return np.asarray(found.boxes[(found.kinds == index) & (found.scores >= BIRTH[index])], np.float32)


def _matched(claimed: FloatArray, there: Sequence[Box]) -> tuple[list[bool], FloatArray]:
    """For each labelled box whether it was found, and the boxes in which nothing is."""
    truth = np.array([box.corners for box in there], np.float32).reshape(-1, 4)
    counts = np.array([not box.ignored for box in there], bool)
    overlap = iou(claimed, truth[counts])
    pairs = assign(np.where(overlap >= OVERLAP, 1 - overlap, FORBIDDEN).astype(np.float64))
    hits = [False] * len(there)
    places = np.flatnonzero(counts)
    for _, column in pairs:
        hits[int(places[column])] = True
    left = np.ones(len(claimed), bool)
    left[[row for row, _ in pairs]] = False
    rest = claimed[left]
    return hits, np.asarray(rest[~_mostly_within(rest, truth[~counts])], np.float32)


def _mostly_within(boxes: FloatArray, areas: FloatArray) -> BoolArray:
    """Which boxes lie mostly within one of the areas: (n,) bool."""
    corner = np.maximum(boxes[:, None, :2], areas[None, :, :2])
    other = np.minimum(boxes[:, None, 2:], areas[None, :, 2:])
    size = np.clip(other - corner, 0, None)
    own = np.maximum((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]), 1e-9)
    within: BoolArray = (size[..., 0] * size[..., 1] >= _MOSTLY * own[:, None]).any(axis=1)
    return within


def _strata(frame: Frame, box: Box, hidden: float, scale: float, crowding: str) -> dict[str, str]:
    """Of one thing: what is measured, then what is annotated of the picture, then of it."""
    share = hidden if box.visible is None else 1 - box.visible
    return {
        "crowding": crowding,
        **appearance.of_thing(frame.luma, box.corners),
        "size": appearance.size_of(appearance.side(box.corners, scale)),
        "occlusion": appearance.occlusion_of(share),
        **frame.item.strata,
        **box.strata,
    }


def _corners(box: FloatArray) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = box.tolist()
    return x1, y1, x2, y2
