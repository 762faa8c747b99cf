"""Plays pictures, decoded or made, through the real line, and collects the incidents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import av

from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.inference import NanoDet
from watchglass.edge.video import NeverSee, VideoPicture
from watchglass.perception.messages import AnalyticSpec, Incident, SourceSpec
from watchglass.perception.pipeline import Pipeline
from watchglass.perception.ports import Packet, Whole
from watchglass.runtime.painting import ViewPainter

Timed = tuple[int, av.VideoFrame]
"""A picture and its time, milliseconds."""

GROUP_MS = 1000


class Played(Whole):
    """A ``perception.ports.Decoder`` of packets that hold their picture."""

    def decode(self, packet: Packet) -> Sequence[VideoPicture]:
        """See ``perception.ports.Decoder.decode``."""
        assert isinstance(packet.payload, av.VideoFrame)
        return [VideoPicture(packet.payload, packet.at_ms, NeverSee(()))]

    def alone(self, packet: Packet) -> VideoPicture | None:
        """See ``perception.ports.Decoder.alone``."""
        return self.decode(packet)[0]

    def drain(self) -> Sequence[VideoPicture]:
        """See ``perception.ports.Decoder.drain``."""
        return []


@dataclass(frozen=True)
class View:
    """What the charter says of the camera.

    Attributes:
        width_m: metres across the picture.
        plane: as in ``SourceSpec``.
        overhead: it looks straight down.
    """

    width_m: float | None = None
    plane: tuple[tuple[float, float, float, float], ...] = ()
    overhead: bool = False


def frames(path: Path) -> list[av.VideoFrame]:
    """All pictures of a file."""
    with av.open(str(path)) as container:
        return [frame.reformat(format="yuv420p") for frame in container.decode(video=0)]


def held(pictures: Sequence[av.VideoFrame], fps: float, *, before_ms: int = 0, after_ms: int = 0) -> Iterator[Timed]:
    """The pictures in time, the first and the last of them repeated for so long."""
    step = 1000 / fps
    lead, tail = round(before_ms / step), round(after_ms / step)
    for number in range(-lead, len(pictures) + tail):
        yield before_ms + round(number * step), pictures[min(max(number, 0), len(pictures) - 1)]


def play(
    pictures: Iterable[Timed], rules: tuple[AnalyticSpec, ...], detector: NanoDet, view: View | None = None
) -> list[Incident]:
    """The incidents that ``rules`` tell of. Keyframes come every second, so that the gate may shut."""
    view = view or View()
    names = frozenset(rule.name for rule in rules)
    pipeline: Pipeline | None = None
    incidents: list[Incident] = []
    keyframe_ms = -GROUP_MS
    for at_ms, frame in pictures:
        if pipeline is None:
            size = (frame.width, frame.height)
            spec = SourceSpec(
                "played", "", rules, realtime=False, width_m=view.width_m, plane=view.plane, overhead=view.overhead
            )
            pipeline = Pipeline(
                spec, size, decoder=Played(), detector=detector, painter=ViewPainter(spec, size),
                entropy=SeededEntropy("eval"), allowed=lambda: names,
            )  # fmt: skip
        keyframe = at_ms - keyframe_ms >= GROUP_MS
        keyframe_ms = at_ms if keyframe else keyframe_ms
        incidents += [e for e in pipeline.feed(Packet(at_ms, keyframe, 1, frame)) if isinstance(e, Incident)]
    return incidents
