"""The large stream of a camera whose small one is looked at: kept in memory for clips, never decoded for looking."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from watchglass.core.errors import BadInput
from watchglass.core.time import Clock
from watchglass.edge.footage import Footage
from watchglass.perception.ports import Detector, Packet
from watchglass.runtime.backoff import Backoff
from watchglass.runtime.clips import Studio


class Recorder:
    """Takes the packets of the recorded stream. What goes wrong here is told, and the looking goes on without it.

    Args:
        connect: begins a connection; must not block.
        size: (width, height) that the charter says the picture has.
    """

    def __init__(self, connect: Callable[[], Footage], clock: Clock, backoff: Backoff, size: tuple[int, int]) -> None:
        self._connect = connect
        self._clock = clock
        self._backoff = backoff
        self._size = size
        self._footage: Footage | None = None
        self._former: Footage | None = None
        self._dropped: Counter[str] = Counter()
        self._cpu = 0.0
        self._fault = ""

    @property
    def fault(self) -> str:
        """Why there may be no clips at present; empty while there is nothing to say."""
        if self._fault:
            return f"no clips: {self._fault}"
        size = self._footage.size if self._footage else None
        if size is not None and size != self._size:
            wide, high = self._size
            return f"no clips: the recorded picture is {size[0]}x{size[1]}, the charter's {wide}x{high}"
        return ""

    @property
    def dropped(self) -> dict[str, int]:
        """Lost work per cause."""
        now = self._footage.dropped if self._footage else {}
        return {f"recorded_{name}": count for name, count in (self._dropped + Counter(now)).items()}

    @property
    def cpu_seconds(self) -> float:
        """What reading has cost."""
        return self._cpu + (self._footage.cpu_seconds if self._footage else 0.0)

    def take(self) -> Packet | None:
        """The next packet that has arrived; None while there is none. Connects and reconnects by itself.

        Raises:
            BadInput: the connection is lost. Clips that wait must be cut before more is taken: what comes then may be
                of another kind.
        """
        now = self._clock.now()
        if self._footage is None:
            if now >= self._backoff.due_ms:
                self._footage = self._connect()
            return None
        try:
            packet = self._footage.take()
        except BadInput as error:
            self._lose(error.message)
            self._backoff.failed(now)
            self._dropped["reopened"] += 1
            raise
        if packet is not None:
            self._backoff.begun(now)
            self._fault = ""
        return packet

    @property
    def footage(self) -> Footage | None:
        """The stream that packets come from, or came from last; None while it is not known what it is."""
        return self._footage if self._footage is not None and self._footage.size else self._former

    def studio(self, backdrops: tuple[bytes, ...], detector: Detector) -> Studio | None:
        """What clips of the recorded stream are made with (see ``Studio``); None while it is not known what it is."""
        footage = self.footage
        if footage is None:
            return None
        return Studio(footage.decoder, self._size, footage.fps, backdrops, detector)

    def close(self) -> None:
        """Give it up for now."""
        self._lose("")
        self._backoff.again()

    def _lose(self, fault: str) -> None:
        self._fault = fault
        if self._footage is not None:
            self._dropped.update(self._footage.dropped)
            self._cpu += self._footage.cpu_seconds
            self._footage.close()
            self._former, self._footage = self._footage if self._footage.size else self._former, None
