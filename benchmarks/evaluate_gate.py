"""Does the gate open when something happens, and shut when nothing does? Wallflower and CDnet.

The clips are encoded anew with a keyframe every two seconds, in three phases, and run through the whole line. It is
measured whether everything was decoded: at each frame of CDnet's highway that shows a car of 150 pixels or more (by the
foreground masks), and at least once while somebody is in Wallflower's pictures; and for how much of the time in which
nothing happens (the highway without any foreground, Wallflower's swaying trees and empty rooms), from the tenth second
on. For five seconds after a light went on or off neither counts.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from evaluate import Figure, Progress, figure, wilson
from kinds_clips import frames, write
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.inference import NanoDet, load
from watchglass.edge.video import VideoFile
from watchglass.perception.messages import SourceSpec
from watchglass.perception.pipeline import Pipeline
from watchglass.runtime.painting import ViewPainter

_EVERY_S = 2.0
_PHASES = 3
_LEARNT_S = 10.0
_SEEN_PX = 150
_LIGHT_S = 5.0

Verdict = bool | str | None
"""Of a frame: the name of the event that goes on, False for nothing at all, None where it must be left out."""


def ask(
    path: Path, fps: int, phase: int, truth: Callable[[int], Verdict], detector: NanoDet
) -> tuple[dict[str, bool], int, int]:
    """For each event whether everything was decoded in it; frames decoded for nothing, of how many."""
    skipped = phase * round(_EVERY_S * fps) // _PHASES
    with tempfile.TemporaryDirectory() as folder:
        file = VideoFile(write(Path(folder) / "clip.mp4", islice(frames(path), skipped, None), fps))
        size = (file.width, file.height)
        spec = SourceSpec("gate", str(path), (), realtime=False)
        line = Pipeline(
            spec, size, decoder=file.decoder(), detector=detector, painter=ViewPainter(spec, size),
            entropy=SeededEntropy("eval"), allowed=frozenset,
        )  # fmt: skip
        events: dict[str, bool] = {}
        false = quiet = decoded = 0
        whole = False
        for number, packet in enumerate(file.packets(0)):
            for _ in line.feed(packet):
                pass
            now = line.health(packet.at_ms, fps, {}).decoded
            # A keyframe is decoded either way: it is as whole as what came before it.
            whole, decoded = (whole if packet.keyframe else now > decoded), now
            verdict = truth(number + skipped)
            if isinstance(verdict, str):
                events[verdict] = events.get(verdict, False) or whole
            elif verdict is False and number >= _LEARNT_S * fps and not packet.keyframe:
                quiet += 1
                false += whole
    return events, false, quiet


def highway(data: Path) -> Callable[[int], Verdict]:
    """CDnet: each frame with a car is an event of its own."""
    truth = json.loads((data / "media/cdnet_highway/truth.json").read_text())
    first, last = truth["gt_range"]
    blobs: dict[str, list[list[int]]] = truth["moving_blob_boxes_ltwh"]

    def at(number: int) -> Verdict:
        if not first <= number + 1 <= last:
            return None
        boxes = blobs.get(str(number + 1), [])
        if any(w * h >= _SEEN_PX for _, _, w, h in boxes):
            return f"frame {number + 1}"
        return None if boxes else False

    return at


def wallflower(clip: dict[str, list[dict[str, int | str]]]) -> Callable[[int], Verdict]:
    """Wallflower: somebody is there, a light changes, or nothing happens."""
    fps = 15

    def at(number: int) -> Verdict:
        for event in clip["events"]:
            kind, start, end = str(event["kind"]), int(event["start_frame"]), int(event["end_frame"])
            if start <= number <= end:
                if "person" in kind:
                    return kind
                return None if number - start < _LIGHT_S * fps else False
        return False

    return at


def figures(*, data: Path, quick: bool, progress: Progress) -> list[Figure]:
    """``gate_recall`` and ``gate_false_open``.

    Args:
        data: the folder of the recordings.
        quick: one phase, and of the clips the shorter ones.
        progress: told what is happening.
    """
    if not (data / "media/wallflower/truth.json").is_file():
        return [
            figure(name, None, None, None, 0, "data not found; set WATCHGLASS_DATA")
            for name in ("gate_recall", "gate_false_open")
        ]
    detector = load()
    room = json.loads((data / "media/wallflower/truth.json").read_text())["clips"]
    clips = [("highway", data / "media/cdnet_highway/highway.mp4", 25, highway(data))]
    clips += [
        (name.removesuffix(".mp4"), data / "media/wallflower" / name, 15, wallflower(c)) for name, c in room.items()
    ]
    clips = [clip for clip in clips if not quick or clip[0] != "LightSwitch"]
    hits = there = false = quiet = 0
    words = []
    for name, path, fps, truth in clips:
        progress(f"the gate on {name}")
        asked = [ask(path, fps, phase, truth, detector) for phase in range(1 if quick else _PHASES)]
        found = [opened for events, _, _ in asked for opened in events.values()]
        wrong, calm = sum(a[1] for a in asked), sum(a[2] for a in asked)
        hits, there, false, quiet = hits + sum(found), there + len(found), false + wrong, quiet + calm
        words.append(f"{name}: {sum(found)} of {len(found)} events, open for {wrong} of {calm} quiet frames")
    note = (
        "GOP 2 s, "
        + ("one phase" if quick else f"{_PHASES} phases")
        + "; frames are not independent; "
        + "; ".join(words)
    )
    return [
        figure("gate_recall", hits / max(there, 1), None, wilson(hits, there), there, note),
        figure("gate_false_open", false / max(quiet, 1), None, wilson(false, quiet), quiet, note, better="lower"),
    ]
