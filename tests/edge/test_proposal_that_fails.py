"""An empty scene that cannot be made ready for an operator is answered with why, and the source goes on."""

from __future__ import annotations

import queue
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from test_incident_clips import FPS, ground, written

from watchglass.edge.clock import SystemClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.perception.messages import BackdropProposal, Report, SourceEnded, SourceSpec
from watchglass.perception.observation import KINDS, Detections
from watchglass.runtime.clips import ClipMaker
from watchglass.runtime.sealing import Sealer
from watchglass.runtime.source import Source


class Breaks:
    """A detector whose vehicle is nowhere, as a foreign model's may be, until it is mended."""

    side = 416
    mended = False

    def __init__(self, *, raises: bool = False) -> None:
        self.raises = raises

    def detect(self, bgr: NDArray[np.uint8]) -> Detections:
        del bgr
        if self.raises and not self.mended:
            raise ValueError("a model of another shape")
        if self.mended:
            return Detections.none()
        kinds = np.array([KINDS.index("vehicle")], np.int8)
        return Detections(np.full((1, 4), np.nan, np.float32), np.ones(1, np.float32), kinds)


def made(tmp_path: Path, detector: Breaks, sent: queue.Queue[Report]) -> Source:
    written(tmp_path / "street.mp4", [ground()] * FPS)
    return Source(
        SourceSpec("street", str(tmp_path / "street.mp4"), (), realtime=False),
        clock=SystemClock(),
        entropy=SeededEntropy("1"),
        detector=detector,
        send=sent.put,
        clips=ClipMaker(sent.put),
        sealer=Sealer(sent.put, SeededEntropy("2")),
        looked_at=lambda: True,
        allowed=frozenset[str],
    )


@pytest.mark.parametrize("raises", [False, True])
def test_the_operator_is_told(tmp_path: Path, raises: bool) -> None:
    """Whether it fails in the background or before that, in the thread that all sources of the worker share."""
    sent: queue.Queue[Report] = queue.Queue()
    detector = Breaks(raises=raises)
    source = made(tmp_path, detector, sent)
    source.propose_backdrop("day")
    answer = sent.get(timeout=60)
    assert isinstance(answer, BackdropProposal)
    assert (answer.source, answer.png, answer.ready) == ("street", b"", 0.0)
    assert "log says why" in answer.trouble
    detector.mended = True
    source.step()
    source.propose_backdrop("day")
    while not isinstance(answer := sent.get(timeout=60), BackdropProposal):
        pass
    assert (answer.trouble, answer.png[:4]) == ("", b"\x89PNG")


def test_an_empty_scene_that_cannot_be_read_is_not_used_and_the_worker_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    sent: queue.Queue[Report] = queue.Queue()
    detector = Breaks()
    detector.mended = True
    source = made(tmp_path, detector, sent)
    source.confirm_backdrop("day", b"not a picture")
    assert "The empty scene of street cannot be used" in caplog.text
    assert source.spec.backdrops == ()
    while source.step() is not None:
        pass
    ended = sent.queue[-1]
    assert isinstance(ended, SourceEnded)
    assert (ended.frames, ended.error) == (FPS, None)
