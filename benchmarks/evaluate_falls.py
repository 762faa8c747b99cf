"""How well ``fall`` and ``person_down`` see, on URFD, through the real line.

A clip ends soon after the person lies, so its last picture is repeated for ``HOLD_MS``. Nothing is known of a room
before its clip begins: that is how a camera is on its first day. The clip as it is gives the figures; the same clip
with its first picture repeated for a moment, so that the detector looks at other moments, shows how much is luck.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from evaluate import Figure, Progress, figure, wilson
from replay import View, frames, held, play
from watchglass.edge.inference import NanoDet, load
from watchglass.perception.messages import AnalyticSpec

HOLD_MS = 12_500
OVERHEAD_M = 3.2
"""Metres across the overhead picture: our estimate, from a stretched body in it; the set does not say."""

EARLY_MS = 200
LATE_MS = 3_000
DOWN_MS = 10_000
DOWN_SPREAD_MS = 2_500
"""``person_down`` is due ten seconds after the labels say lying; the labels carry over between cameras roughly."""

_WALK_FPS = 10.0
PHASES_MS = (0, 100, 200, 300)
RULES = (AnalyticSpec("fall", "fall", None, {}), AnalyticSpec("down", "person_down", None, {}))


@dataclass(frozen=True)
class Told:
    """What was told of one clip.

    Attributes:
        fall_ms, down_ms: when the true ones began; None where nobody falls.
        on_purpose: somebody lies down in it on purpose.
        falls, downs: when the rules told of one.
        scores: the raw scores of ``falls``, then of ``downs``.
    """

    name: str
    overhead: bool
    fall_ms: int | None
    down_ms: int | None
    on_purpose: bool
    falls: tuple[int, ...]
    downs: tuple[int, ...]
    scores: tuple[float | None, ...] = ()

    @property
    def fall_found(self) -> bool:
        """Whether it was told at most three seconds after it began."""
        return self.fall_ms is not None and any(self._is_right_fall(at) for at in self.falls)

    @property
    def down_found(self) -> bool:
        """Whether it was told when it was due."""
        return self.down_ms is not None and any(self._is_right_down(at) for at in self.downs)

    @property
    def false_falls(self) -> int:
        """How many tellings of a fall are of none."""
        return sum(not self._is_right_fall(at) for at in self.falls)

    @property
    def false_downs(self) -> int:
        """How many tellings of somebody down are of nobody."""
        return sum(not self._is_right_down(at) for at in self.downs)

    def rows(self, kind: str) -> list[object]:
        """As ``kinds_score.Told``, for calibration. Who lies down on purpose has not fallen, but is down."""
        fell, lay = len(self.falls), len(self.downs)
        if len(self.scores) != fell + lay or (kind == "person_down" and self.on_purpose):
            return []
        clip = Path(self.name).stem
        if kind == "fall":
            return [
                [s, int(self._is_right_fall(at)), clip] for at, s in zip(self.falls, self.scores[:fell], strict=True)
            ]
        return [[s, int(self._is_right_down(at)), clip] for at, s in zip(self.downs, self.scores[fell:], strict=True)]

    def _is_right_fall(self, at: int) -> bool:
        return self.fall_ms is not None and -EARLY_MS <= at - self.fall_ms <= LATE_MS

    def _is_right_down(self, at: int) -> bool:
        return self.down_ms is not None and abs(at - self.down_ms - DOWN_MS) <= DOWN_SPREAD_MS


def clips(data: Path) -> dict[str, dict[str, object]]:
    """The truth of each clip, by its path in the set."""
    truth = json.loads((data / "media/urfd/truth.json").read_text())
    return {name: {**clip, "fps": truth["fps"]} for name, clip in truth["clips"].items()}


def watch(data: Path, name: str, detector: NanoDet, phase_ms: int = 0) -> Told:
    """Play one clip."""
    truth = clips(data)[name]
    overhead = truth["cam"] == "cam1"
    began = {one["kind"]: round(one["start_s"] * 1000) for one in truth["incidents"]}  # type: ignore[attr-defined] # JSON
    view = View(width_m=OVERHEAD_M if overhead else None, overhead=overhead)
    pictures = held(frames(data / "media/urfd" / name), float(str(truth["fps"])), before_ms=phase_ms, after_ms=HOLD_MS)
    incidents = play(pictures, RULES, detector, view)
    at = {rule.name: tuple(i.at_ms - phase_ms for i in incidents if i.analytic == rule.name) for rule in RULES}
    scores = [i.score for rule in RULES for i in incidents if i.analytic == rule.name]
    return Told(
        name, overhead, began.get("fall"), began.get("person_down"),
        "informational_lying_not_fall" in truth, at["fall"], at["down"],
        tuple(None if s is None else round(s, 3) for s in scores),
    )  # fmt: skip


# ---- figures ---------------------------------------------------------------------------------------------------------


def _share(name: str, right: int, of: int, target: float | None, note: str) -> Figure:
    if not of:
        return figure(name, None, target, None, 0, note)
    few = "; not enough data" if of < 30 else ""
    return figure(name, right / of, target, wilson(right, of), of, note + few)


def _recalls(told: Sequence[Told], others: Sequence[Told], ending: str, where: str) -> list[Figure]:
    """Recall and precision of both kinds for one kind of camera."""
    fell = [t for t in told if t.fall_ms is not None]
    daily = [t for t in told if t.fall_ms is None and not t.on_purpose]
    found = [t for t in fell if t.fall_found]
    delays = [min(at for at in t.falls if at >= (t.fall_ms or 0) - EARLY_MS) - (t.fall_ms or 0) for t in found]
    late = f", median {median(delays) / 1000:.1f} s after it began" if delays else ""
    missed = ", ".join(Path(t.name).stem for t in fell if not t.fall_found) or "none"
    halves = [[t for t in fell if int(Path(t.name).stem.split("-")[1]) % 2 == odd] for odd in (1, 0)]
    parts = " and ".join(
        f"{sum(t.fall_found for t in half)}/{len(half)} of {word}"
        for half, word in zip(halves, ("odd", "even"), strict=True)
    )
    other = [t for t in others if t.fall_ms is not None]
    phases = f"; at other moments of looking {sum(t.fall_found for t in other)}/{len(other)}" if other else ""
    false = sum(t.false_falls for t in [*fell, *daily])
    down = [t for t in fell if t.down_found]
    not_down = ", ".join(Path(t.name).stem for t in fell if not t.down_found) or "none"
    false_down = sum(t.false_downs for t in [*fell, *daily])
    among = f"{len(fell)} clips with a fall and {len(daily)} of daily living"
    return [
        _share(f"fall_recall{ending}", len(found), len(fell), 0.85,
               f"URFD, {where}, told within 3 s of its beginning{late}; {parts}{phases}; missed: {missed}"),
        _share(f"fall_precision{ending}", len(found), len(found) + false, None, f"URFD, {where}, {among}"),
        _share(f"person_down_recall{ending}", len(down), len(fell), None,
               f"URFD, {where}, last picture held, told {DOWN_MS / 1000:g} s after lying begins; missed: {not_down}"),
        _share(f"person_down_precision{ending}", len(down), len(down) + false_down, None,
               f"URFD, {where}, {among}, last picture held"),
    ]  # fmt: skip


def _daily(told: Sequence[Told], others: Sequence[Told]) -> list[Figure]:
    daily = [t for t in told if t.fall_ms is None and not t.on_purpose]
    again = [t for t in others if t.fall_ms is None and not t.on_purpose]
    on_purpose = [t for t in told if t.on_purpose]
    false = [t for t in daily if t.falls]
    names = ", ".join(Path(t.name).stem for t in false) or "none"
    phases = f"; at other moments of looking {sum(bool(t.falls) for t in again)}/{len(again)}" if again else ""
    rate = len(false) / len(daily) if daily else None
    lay = len([t for t in on_purpose if t.falls])
    return [
        figure("fall_false_per_adl_clip", rate, 0.1, wilson(len(false), len(daily)) if daily else None, len(daily),
               f"URFD daily living, oblique, lying down on purpose left out; told: {names}{phases}",
               better="lower", ok=None if rate is None else rate <= 0.1),
        figure("fall_false_per_adl_clip_overhead", None, 0.1, None, 0, "no daily living from above in the data"),
        figure("fall_told_of_lying_on_purpose", lay / len(on_purpose) if on_purpose else None, None,
               wilson(lay, len(on_purpose)) if on_purpose else None, len(on_purpose),
               "URFD daily living, somebody lies down on a bed on purpose; not enough data", better="lower"),
    ]  # fmt: skip


def _elsewhere(data: Path, detector: NanoDet) -> Figure:
    """PETS and UCSD, where nobody falls at all."""
    seconds, told = 0.0, 0
    rows: list[list[object]] = []
    for path in (data / "media/pets_s2l1/vtest.avi", *sorted((data / "media/ucsd_ped2").glob("*.mp4"))):
        if path.is_file():
            pictures = frames(path)
            seconds += len(pictures) / _WALK_FPS
            incidents = play(held(pictures, _WALK_FPS), RULES, detector)
            told += len(incidents)
            rows += [[i.score, 0, path.stem] for i in incidents if i.analytic == "fall"]
    note = f"PETS2009 S2.L1 and UCSD ped2, {seconds:.0f} s of people who walk, told {told} times; not enough data"
    return figure("fall_false_per_hour_of_walking", told / seconds * 3600 if seconds else None, None, None,
                  told, note, better="lower", unit="1/h", told=rows)  # fmt: skip


def figures(*, data: Path, quick: bool, progress: Progress) -> list[Figure]:
    """Falls and people down. Null where the data are absent.

    Args:
        data: the folder of real data.
        quick: every eighth clip, as it is; otherwise all of them, again at other moments of looking, and other footage.
        progress: told what is happening.
    """
    if not (data / "media/urfd/truth.json").is_file():
        note = "URFD not found; set WATCHGLASS_DATA"
        names = ("fall_recall", "fall_false_per_adl_clip", "fall_recall_overhead", "person_down_recall")
        return [figure(name, None, None, None, 0, note) for name in names]
    detector = load()
    names_of = [name for i, name in enumerate(sorted(clips(data))) if not quick or i % 8 == 1]
    told: dict[int, list[Told]] = {}
    for phase in PHASES_MS[: 1 if quick else None]:
        progress(f"falls on URFD, moment of looking {phase} ms")
        told[phase] = [watch(data, name, detector, phase) for name in names_of]
    asis, others = told[0], [t for phase, those in told.items() if phase for t in those]
    result: list[Figure] = []
    for overhead, ending, where in ((False, "", "oblique camera"), (True, "_overhead", "overhead camera")):
        mine = [[t for t in group if t.overhead == overhead] for group in (asis, others)]
        result += _recalls(mine[0], mine[1], ending, where)
    result += _daily([t for t in asis if not t.overhead], [t for t in others if not t.overhead])
    for kind, name in (("fall", "fall_precision"), ("person_down", "person_down_precision")):
        of_kind = next(one for one in result if one["name"] == name)
        of_kind["told"] = [row for one in asis for row in one.rows(kind)]
    if quick:
        return result
    progress("falls where nobody falls")
    return [*result, _elsewhere(data, detector)]
