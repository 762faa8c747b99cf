"""A camera whose clock jumps, from the packet to the incident."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rtsp_camera import film

from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.inference import load
from watchglass.edge.video import VideoFile
from watchglass.perception.messages import AnalyticSpec, Incident, SourceSpec
from watchglass.perception.pipeline import Pipeline
from watchglass.runtime.painting import ViewPainter


def test_a_jump_of_the_cameras_clock_becomes_one_incident_and_the_looking_goes_on(tmp_path: Path) -> None:
    file = VideoFile(film(tmp_path / "a.mp4", 12))
    rule = AnalyticSpec("fault", "camera_fault", None, {"for_ms": 5_000})
    spec = SourceSpec("cam", "", (rule,), kind="rtsp")
    size = (file.width, file.height)
    pipeline = Pipeline(
        spec,
        size,
        decoder=file.decoder(),
        detector=load(),
        painter=ViewPainter(spec, size),
        entropy=SeededEntropy("x"),
        allowed=lambda: frozenset({"fault"}),
    )
    incidents = []
    for i, packet in enumerate(file.packets(1_000_000)):
        jumped = replace(packet, jumped_ms=-7_200_000) if i == 60 else packet
        incidents += [event for event in pipeline.feed(jumped) if isinstance(event, Incident)]
    (incident,) = incidents
    assert incident.facts["condition"] == "clock"
    assert incident.facts["jump_s"] == -7200.0
    assert 1_006_000 <= incident.at_ms <= 1_008_500
    assert pipeline.frames == 120
