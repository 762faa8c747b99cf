"""Which moments without an alert people are to look at: drawn here, before anybody knows what a person would see.

For each near-miss one number is drawn when it begins, so that its clip can be held in memory until it is over; how near
it came decides below which number it is taken. For each second that a rule runs one number is drawn, whatever is in the
picture. Of what is not taken nothing leaves this process but that it happened.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from watchglass.core.entropy import Entropy
from watchglass.core.time import MINUTE, SECOND
from watchglass.perception.analytics.nearing import Happening, Nearing
from watchglass.perception.messages import DRAWN_OF, VERY_NEAR, AnalyticSpec, SamplesSpec, SourceSpec, Unalerted
from watchglass.perception.ring import ClipOrder, Ring

ALERTED_MS: Final = MINUTE
"""What is so near an alert, before or after (and the time for which the rule must hold), is not unalerted."""
_SAME_MS: Final = 10 * SECOND
"""A near-miss so near an alert of the same rule is the beginning or the end of what was alerted."""
_MOST_SECONDS: Final = 20
"""So many seconds may pass between two looks; more is a gap, in which nothing ran."""
_MOST_HELD: Final = 4
_BYTES: Final = 8


@dataclass(slots=True)
class _Held:
    """A moment that may be taken; its clip is held until that is known."""

    id: str
    number: int
    at_ms: int
    held: bool
    order: ClipOrder | None = None


class Sampling:
    """The moments of one source.

    Args:
        spec: of the source; ``samples`` says with which chance.
    """

    def __init__(self, spec: SourceSpec, ring: Ring, entropy: Entropy) -> None:
        self._source = spec.name
        self._after_ms = spec.clip_after_ms
        self._asked = spec.samples
        self._ring = ring
        self._entropy = entropy
        self._near: dict[tuple[str, int], _Held] = {}
        self._quiet: dict[str, list[_Held]] = {}
        self._ran: dict[str, int] = {}
        self._raised: dict[str, deque[int]] = {}

    def raised(self, analytic: str, at_ms: int) -> None:
        """There is an alert."""
        self._raised.setdefault(analytic, deque(maxlen=64)).append(at_ms)

    def looked(self, spec: AnalyticSpec, nearing: Nearing | None, at_ms: int) -> Iterator[Unalerted | ClipOrder]:
        """A rule was asked about this moment; what was drawn and is over now."""
        asked = self._asked
        if asked is None or spec.kind == "camera_fault":
            return
        if nearing is not None:
            yield from self._nearly(spec.name, nearing, asked, at_ms)
        yield from self._unasked(spec, asked, at_ms)

    def clear(self) -> None:
        """Forget what is held: nobody sees how it ends."""
        for each in (*self._near.values(), *(one for held in self._quiet.values() for one in held)):
            self._ring.release(each.id)
        self._near.clear()
        self._quiet.clear()
        self._ran.clear()

    # ---- near-misses -------------------------------------------------------------------------------------------------

    def _nearly(self, name: str, nearing: Nearing, asked: SamplesSpec, at_ms: int) -> Iterator[Unalerted | ClipOrder]:
        ended = nearing.over(at_ms)
        going = {each.serial: each for each in nearing}
        for each in going.values():
            self._follow(name, each, asked, at_ms)
        for happening in ended:
            held = self._near.pop((name, happening.serial), None) or self._begun(happening, asked)
            order = held.order or (self._ring.cut(held.id) if held.held else None)
            self._ring.release(held.id)
            if any(abs(raised - happening.at_ms) <= _SAME_MS for raised in self._raised.get(name, ())):
                continue
            closeness = min(999, max(500, int(1000 * happening.closeness)))
            below = asked.very_near if closeness >= VERY_NEAR else asked.near
            moment = Unalerted(
                held.id, self._source, name, "near", happening.at_ms, held.number, below, closeness
            )  # fmt: skip
            yield moment
            if moment.drawn and order is not None:
                yield order
        for key in [key for key in self._near if key[0] == name and key[1] not in going]:
            self._ring.release(self._near.pop(key).id)  # it became an alert, or was cut off

    def _follow(self, name: str, happening: Happening, asked: SamplesSpec, at_ms: int) -> None:
        held = self._near.get((name, happening.serial))
        if held is None:
            held = self._near[name, happening.serial] = self._begun(happening, asked)
        if not held.held:
            return
        if held.at_ms != happening.at_ms:
            held.at_ms, held.order = happening.at_ms, None
            self._ring.hold(held.id, held.at_ms)
        elif held.order is None and at_ms > held.at_ms + self._after_ms:
            held.order = self._ring.cut(held.id)
            self._ring.release(held.id)

    def _begun(self, happening: Happening, asked: SamplesSpec) -> _Held:
        number = self._draw()
        may = number < max(asked.near, asked.very_near) and sum(each.held for each in self._near.values()) < _MOST_HELD
        held = _Held(self._entropy.bytes(_BYTES).hex(), number, happening.at_ms, may)
        if may:
            self._ring.hold(held.id, held.at_ms)
        return held

    # ---- quiet moments -----------------------------------------------------------------------------------------------

    def _unasked(self, spec: AnalyticSpec, asked: SamplesSpec, at_ms: int) -> Iterator[Unalerted | ClipOrder]:
        name, last = spec.name, self._ran.get(spec.name)
        self._ran[name] = at_ms
        if not asked.quiet:
            return
        held = self._quiet.setdefault(name, [])
        if last is not None and 0 < at_ms - last <= _MOST_SECONDS * SECOND:
            for second in range(last // SECOND + 1, at_ms // SECOND + 1):
                number = self._draw()
                if number < asked.quiet and len(held) < _MOST_HELD:
                    one = _Held(self._entropy.bytes(_BYTES).hex(), number, second * SECOND, held=True)
                    self._ring.hold(one.id, one.at_ms)
                    held.append(one)
        within = ALERTED_MS + _for_ms(spec)
        for one in tuple(held):
            if one.order is None and at_ms > one.at_ms + self._after_ms:
                one.order = self._ring.cut(one.id)
                self._ring.release(one.id)
            if at_ms < one.at_ms + within:
                continue
            held.remove(one)
            self._ring.release(one.id)
            if not any(abs(raised - one.at_ms) <= within for raised in self._raised.get(name, ())):
                yield Unalerted(one.id, self._source, name, "quiet", one.at_ms, one.number, asked.quiet)
                if one.order is not None:
                    yield one.order

    def _draw(self) -> int:
        return int.from_bytes(self._entropy.bytes(_BYTES), "big") % DRAWN_OF


def _for_ms(spec: AnalyticSpec) -> int:
    value = spec.settings.get("for_ms", 0)
    return int(value) if isinstance(value, int | float) else 0
