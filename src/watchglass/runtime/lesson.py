"""Learning the backdrop of one view: which view that is, and whether it is in front of the camera now."""

from __future__ import annotations

from typing import Final

from watchglass.core.time import MINUTE, SECOND
from watchglass.views.backdrop import BackdropLearner
from watchglass.views.scenes import TROUBLES, Familiar, Look, SceneWatch, free_name

_AWAY_MS: Final = MINUTE
_GONE_MS: Final = 5 * SECOND


class Lesson:
    """Learns one view. Only pictures that show it teach; another view of the same camera does not.

    A confirmed view is the one that ``SceneWatch`` says it is. A new one is what the first picture shows; if that has
    not come back for a minute, while no confirmed view stands, what is there then is learned instead.

    Args:
        size: (width, height) of the pictures.
        scene: the confirmed view that is to be learned anew; "" is what is in front of the camera.

    Attributes:
        learner: what has learned so far.
        scene: the view's name; "" before the first picture.
        here: whether it is in front of the camera now.
    """

    def __init__(self, size: tuple[int, int], scene: str = "") -> None:
        self.learner = BackdropLearner(*size)
        self.scene = scene
        self.here = False
        self._new: Familiar | None = None
        self._away_since: int | None = None
        self._looked_ms = 0

    def meant(self, scene: str) -> bool:
        """Whether this is the view that somebody asks for; "" asks for the one in front of the camera."""
        if scene:
            return scene == self.scene
        return self._away_since is None or self._looked_ms - self._away_since < _GONE_MS

    def attend(self, look: Look, watch: SceneWatch, trouble: str) -> None:
        """Find out whether the view is in front of the camera; called after ``watch`` has looked."""
        if trouble in TROUBLES:
            self.here = False
            return
        if not self.scene:
            self._begin(look, watch)
        self._looked_ms = look.at_ms
        if self._new is None:
            self.here = bool(self.scene) and watch.scene == self.scene
        else:
            fit, _ = self._new.fit(look, stands=self.here)
            self.here = self._new.plain or not fit.why
        if self.here:
            self._away_since = None
        elif self._away_since is None or look.at_ms < self._away_since:
            self._away_since = look.at_ms
        elif self._new is not None and not watch.scene and look.at_ms - self._away_since >= _AWAY_MS:
            self.learner.relearn()
            self.scene, self._new, self._away_since = "", None, None
            self._begin(look, watch)

    def _begin(self, look: Look, watch: SceneWatch) -> None:
        if watch.scene:
            self.scene = watch.scene
        elif not watch.comes:
            self._new = Familiar.seen(look)
            self.scene = free_name(watch.views, infrared=watch.coloured and not self._new.has_colour)
