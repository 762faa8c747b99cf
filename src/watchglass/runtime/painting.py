"""Puts the views to work for one source: a ``perception.ports.Painter`` made of ``views`` and the encoders."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from watchglass.core.errors import BadInput
from watchglass.core.geometry import BoolArray, FloatArray
from watchglass.core.time import MINUTE
from watchglass.edge.encode import encode_png
from watchglass.perception.messages import BackdropProposal, BackdropRenewal, Pin, SourceSpec
from watchglass.perception.observation import Tracks
from watchglass.perception.ports import Detector, Image, Picture, View, stride_of
from watchglass.runtime.lesson import Lesson
from watchglass.runtime.scrutiny import approved, around, hidden, things
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import PlainPin, paint, snap, without
from watchglass.views.renewal import Renewal, spread
from watchglass.views.scenes import Familiar, Look, SceneWatch, free_name
from watchglass.views.smoothing import SteadyMarks

RENEW_MS: Final = 10 * MINUTE
"""A view is renewed no more often than this."""

_MOST_REGIONS: Final = 8
_LESSON_MS: Final = 30 * MINUTE

Areas = tuple[tuple[tuple[float, float], ...], ...]


@lru_cache(maxsize=1)
def _backdrop(png: bytes, size: tuple[int, int], never_see: Areas) -> Backdrop:
    """A backdrop is asked for by several in turn, and takes a tenth of a second to read."""
    return without(Backdrop.from_png(png), size, never_see)


class ViewPainter:
    """Knows the views of one source, learns new ones, and paints its stills. Paints on grey where no view is sure.

    Learning costs 18 bytes a pixel and a few milliseconds a look. So it is done for the first view, until that is
    confirmed, and whenever somebody asks for a proposal. A confirmed view is only compared, every ten seconds.
    """

    def __init__(self, spec: SourceSpec, size: tuple[int, int]) -> None:
        self._spec = spec
        self._size = size
        self._steady = SteadyMarks(size, spec.width_m, spec.grid_m, spec.never_show)
        self._watch = SceneWatch()
        self._pngs = dict(spec.backdrops)
        self._unread = list(self._pngs)
        self._shares: dict[str, float] = {}
        self._unusable = ""
        self._lesson = None if self._pngs else Lesson(size)
        self._renewal: tuple[str, Renewal] | None = None
        self._renewed_ms: int | None = None
        self._stands_since: int | None = None
        self._asked_ms: int | None = None
        self._decoded: tuple[str, Backdrop] | None = None

    @property
    def confirmed(self) -> Backdrop | None:
        """The confirmed backdrop of the view that is in front of the camera now, if that is sure."""
        scene = self._watch.scene
        if scene not in self._pngs:
            return None
        if self._decoded is None or self._decoded[0] != scene:
            self._decoded = scene, self._open(self._pngs[scene])
        return self._decoded[1]

    def confirm(self, scene: str, png: bytes | None) -> None:
        """Use this confirmed backdrop of a view from now on, or none.

        Raises:
            BadInput: not a backdrop.
        """
        if png is None:
            self._pngs.pop(scene, None)
            self._know(scene, None)
        else:
            backdrop = self._open(png)
            self._pngs[scene] = png
            self._know(scene, backdrop)
            if self._lesson is not None and self._lesson.scene in ("", scene):
                self._lesson = None
        if not self._pngs and self._lesson is None:
            self._lesson = Lesson(self._size)

    def proposal(self, at_ms: int, detector: Detector, scene: str = "") -> BackdropProposal:
        """See ``propose``; all of it at once."""
        return self.propose(at_ms, detector, scene)()

    def propose(self, at_ms: int, detector: Detector, scene: str = "") -> Callable[[], BackdropProposal]:
        """The backdrop of a view as far as it is learned, for an operator to look at. Begins to learn, if need be.

        Vehicles in it are mosaicked, and where the detector thinks that it sees a person it stays grey: an operator
        confirms what is left, and is not asked to overlook anybody. Text is made illegible.

        Args:
            scene: the view that is meant; "" is the one that is in front of the camera now.

        Returns:
            What is left to be done: finding text takes seconds at 1080p, and may be done in any thread.
        """
        if self._lesson is None or not self._lesson.meant(scene):
            self._lesson = Lesson(self._size, scene if scene in self._pngs else "")
        self._asked_ms = None
        learned = self._lesson.learner.picture()
        name = self._lesson.scene or self._watch.scene or free_name(self._watch.views, infrared=False)
        people, found = things(learned.bgr, detector)
        vehicles = np.concatenate([found, self._lesson.learner.parked])
        empty = Backdrop(learned.bgr, learned.admitted & ~around(people, learned.size))

        def finished() -> BackdropProposal:
            shown = hidden(empty, vehicles)
            return BackdropProposal(self._spec.name, at_ms, shown.to_png(), shown.share, name)

        return finished

    def renewal(self, at_ms: int, detector: Detector) -> BackdropRenewal | None:
        """The confirmed backdrop with parts that changed for good; None where there are none, or it is too soon.

        Where the detector thinks that it sees a person nothing is renewed; vehicles are mosaicked.
        """
        if self._renewal is None or self._renewal[0] != self._watch.scene:
            return None
        if self._renewed_ms is not None and 0 <= at_ms - self._renewed_ms < RENEW_MS:
            return None
        scene, renewal = self._renewal
        regions = renewal.ready(at_ms)
        if not regions:
            return None
        self._renewed_ms = at_ms
        standing = tried = self._open(self._pngs[scene])
        regions = regions[:_MOST_REGIONS]
        for region in regions:
            tried = renewal.renewed(tried, region)
            renewal.forget(region)
        parts = [spread(region, self._size) for region in regions]
        result, good = approved(standing, tried, parts, detector)
        blocks = sum(int(region.sum()) for region, fine in zip(regions, good, strict=True) if fine)
        if not blocks:
            return None
        base = hashlib.sha256(self._pngs[scene]).digest()
        return BackdropRenewal(self._spec.name, scene, at_ms, base, result.to_png(), blocks)

    # ---- perception.ports.Painter ------------------------------------------------------------------------------------

    @property
    def view(self) -> View:
        """See ``Painter.view``."""
        if self._watch.views:
            return View(self._watch.scene, self._watch.unsure, self._watch.light)
        return View(unsure=self._unusable or self._watch.unsure)

    def recognise(self, picture: Picture, trouble: str, busy: BoolArray | None) -> None:
        """See ``Painter.recognise``."""
        self._read()
        look = Look(picture.at_ms, picture.luma(), picture.chroma(), picture.black, busy)
        self._watch.look(look, trouble)
        self._teach(look, trouble)
        self._follow(picture.at_ms)

    def lose(self, why: str) -> None:
        """See ``Painter.lose``."""
        self._watch.lose(why)

    def stir(self, moving: BoolArray) -> None:
        """See ``Painter.stir``."""
        if self._renewal is not None:
            self._renewal[1].stir(moving)

    @property
    def ready(self) -> float:
        """See ``Painter.ready``. While nothing is learned: how much of a confirmed backdrop is admitted."""
        if self._lesson is not None:
            return self._lesson.learner.ready
        return self._shares.get(self._watch.scene, max(self._shares.values(), default=0.0))

    @property
    def learning(self) -> bool:
        """See ``Painter.learning``."""
        return self._lesson is not None

    def due(self, at_ms: int) -> bool:
        """See ``Painter.due``."""
        return self._learns(at_ms) or self._compares(at_ms)

    def look(
        self,
        at_ms: int,
        bgr: Image,
        masked: NDArray[np.bool_],
        vehicles: FloatArray | None = None,
        beside: NDArray[np.bool_] | None = None,
    ) -> None:
        """See ``Painter.look``."""
        if self._lesson is not None and self._learns(at_ms):
            self._lesson.learner.look(at_ms, bgr, masked, vehicles, beside)
        if self._renewal is not None and self._compares(at_ms):
            self._renewal[1].look(at_ms, bgr, masked)

    def pins(self, tracks: Tracks) -> tuple[Pin, ...]:
        """See ``Painter.pins``."""
        return tuple(Pin(*pin) for pin in self._steady.see(tracks.at_ms, tracks.ids, tracks.boxes, tracks.kinds))

    def still(self, tracks: Tracks, zone: tuple[tuple[float, float], ...] | None) -> bytes:
        """See ``Painter.still``."""
        return encode_png(paint(self.confirmed, self._size, self._snapped(tracks), zone))

    def _snapped(self, tracks: Tracks) -> tuple[PlainPin, ...]:
        return snap(tracks.boxes, tracks.kinds, self._spec.width_m, self._size[0], self._spec.grid_m)

    # ---- small things ------------------------------------------------------------------------------------------------

    def _learns(self, at_ms: int) -> bool:
        return self._lesson is not None and self._lesson.here and self._lesson.learner.due(at_ms)

    def _compares(self, at_ms: int) -> bool:
        renewal = self._renewal
        return renewal is not None and renewal[0] == self._watch.scene and renewal[1].due(at_ms)

    def _teach(self, look: Look, trouble: str) -> None:
        """Let the lesson look too. Where a view is confirmed, one that nobody asks for any more ends."""
        if self._lesson is None:
            return
        self._asked_ms = look.at_ms if self._asked_ms is None else self._asked_ms
        if self._pngs and not 0 <= look.at_ms - self._asked_ms < _LESSON_MS:
            self._lesson = None
            return
        self._lesson.attend(look, self._watch, trouble)

    def _follow(self, at_ms: int) -> None:
        """Compare the scene with its backdrop once it has stood for a minute: presets of a patrol do not."""
        scene = self._watch.scene
        if not scene or (self._renewal is not None and self._renewal[0] == scene):
            self._stands_since = None
        elif self._stands_since is None or at_ms < self._stands_since:
            self._stands_since = at_ms
        elif at_ms - self._stands_since >= MINUTE:
            self._renewal = scene, Renewal(self._open(self._pngs[scene]), stride_of(*self._size))

    def _read(self) -> None:
        """Read the backdrops that came with the spec. One that cannot be read is not used, and the view says so."""
        while self._unread:
            scene = self._unread[0]
            try:
                self._know(scene, self._open(self._pngs[scene]))
            except BadInput:
                self._unusable = "the confirmed backdrop cannot be read"
                self._unread.remove(scene)
                del self._pngs[scene]

    def _open(self, png: bytes) -> Backdrop:
        """What is in a confirmed PNG, but for what the charter no longer lets anybody see.

        Raises:
            BadInput: not a backdrop.
        """
        return _backdrop(png, self._size, self._spec.never_see)

    def _know(self, scene: str, backdrop: Backdrop | None) -> None:
        if scene in self._unread:
            self._unread.remove(scene)
        self._decoded = None
        self._shares.pop(scene, None)
        if backdrop is not None and backdrop.size == self._size:
            self._shares[scene] = backdrop.share
            self._watch.know(scene, Familiar.of(backdrop.bgr, backdrop.admitted, stride_of(*self._size)))
        else:
            self._watch.know(scene, None)
        self._unusable = ""
        if backdrop is not None and backdrop.size != self._size and not self._watch.views:
            self._unusable = "the confirmed backdrop has another size than the picture"
        if self._renewal is not None and self._renewal[0] == scene:
            if backdrop is not None and backdrop.size == self._size:
                self._renewal[1].rebase(backdrop)
            else:
                self._renewal = None
