"""Opens what one source is read from: a file, a camera's stream, and the stream beside it that clips are cut from."""

from __future__ import annotations

from pathlib import Path

from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput
from watchglass.core.time import Clock
from watchglass.edge.camera_plan import plan_of
from watchglass.edge.camera_time import CameraTime, Correction
from watchglass.edge.footage import FileFootage, Footage
from watchglass.edge.live import LiveStream
from watchglass.perception.messages import SourceSpec
from watchglass.runtime.backoff import Backoff
from watchglass.runtime.recorder import Recorder


class Opening:
    """Opens the streams of one source, as often as they are lost.

    Args:
        spec: what to open.

    Raises:
        BadInput: the spec asks for what cannot be.
    """

    def __init__(self, spec: SourceSpec, clock: Clock, entropy: Entropy) -> None:
        _check(spec)
        self._spec = spec
        self._clock = clock
        self._entropy = entropy
        self._correction = Correction()

    def looked_at(self, now: int) -> Footage:
        """What is looked at, opened anew.

        Raises:
            BadInput: it is a file that is not there or no video. A camera says so later, when it is read.
        """
        spec = self._spec
        if spec.kind == "file":
            start = now if spec.realtime else spec.start_ms
            return FileFootage(Path(spec.uri), never_see=spec.never_see, loop=spec.loop, start_ms=start)
        return self._live(spec.uri, CameraTime(lead=self._correction))

    def recorder(self) -> Recorder | None:
        """What clips are cut from, where that is a stream of its own."""
        address, size = self._spec.record_uri, self._spec.size
        if address is None or size is None:
            return None

        def connect() -> Footage:
            return self._live(address, CameraTime(follow=self._correction))

        return Recorder(connect, self._clock, Backoff(self._entropy), size)

    def _live(self, address: str, times: CameraTime) -> LiveStream:
        spec = self._spec
        plan = plan_of(spec.kind, address, transport=spec.transport)
        return LiveStream(plan, self._clock, never_see=spec.never_see, times=times, hardware=spec.hardware)


def _check(spec: SourceSpec) -> None:
    """Say what cannot be run before anything is opened."""
    if spec.kind == "file":
        return
    if not spec.realtime:
        raise BadInput(
            f"{spec.name} is a live camera, which cannot be read faster than it goes.", fix="Name a video file."
        )
    if spec.record_uri is not None and spec.size is None:
        raise BadInput(
            f"{spec.name} has two streams, and nobody says how large the recorded picture is.",
            fix="State `picture` with the width and height of the recorded stream, on which zones are drawn.",
        )
    for address in (spec.uri, spec.record_uri):
        if address is not None:
            plan_of(spec.kind, address, transport=spec.transport)
