"""One source, from packets to incidents. Deterministic: clock, entropy, decoder, detector and painter are handed in."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

import numpy as np

from watchglass.core.entropy import Entropy
from watchglass.core.geometry import BoolArray
from watchglass.perception.analytics import Analytic, Finding, Scene, build
from watchglass.perception.analytics.card import Card
from watchglass.perception.calibration import Calibration
from watchglass.perception.cascade import LONGEST_GROUP_MS, QUIET_MS, Cascade, Look, OpenShare
from watchglass.perception.fitness import Fitness
from watchglass.perception.gate import Habit
from watchglass.perception.ground import Ground
from watchglass.perception.health import Condition, HealthWatch
from watchglass.perception.messages import AnalyticSpec, Health, Incident, Pins, SourceSpec, Unalerted
from watchglass.perception.observation import Detections, Tracks
from watchglass.perception.ports import Decoder, Detector, Image, Packet, Painter, Picture, stride_of
from watchglass.perception.recording import Kept, Recording
from watchglass.perception.ring import ClipOrder, Ring
from watchglass.perception.sampling import Sampling
from watchglass.perception.sight import Sight
from watchglass.perception.statics import StaticWatch

WATCH_MS: Final = 1000
_MINUTE: Final = 60_000
_ACCEPT_MS: Final = 30 * _MINUTE
"""A view that has been another one for so long is the view: snow fell, or the operator left the camera as it is."""
_CALM_MS: Final = 2_000
"""Who has just fallen moves no more: rules about postures need some looks at them all the same."""
_UNSEEN_MS: Final = LONGEST_GROUP_MS + 3_000
"""A picture is looked at once in the longest group, at least."""
_SAME_VIEW_MS: Final = 10_000
"""For so long the view is taken for the same while the gate sees nothing that differs."""
_FADED: Final = 0.6
"""Where so much of the colour is left, or more, the camera has not turned to infrared."""
_PERSON: Final = 0
_RATES: Final = 6
"""Lines of health over which the rate of a stream is averaged."""

Event = Incident | Unalerted | Pins | ClipOrder | Kept


class Pipeline:
    """Understands one source.

    Args:
        spec: the source and its rules.
        size: (width, height) that zones and ``never_see`` were drawn on. Pictures of another size are not looked at.
        decoder, detector, painter, entropy: the world outside.
        allowed: names of the rules that may run at this very moment. Asked before each judgement: a rule whose lease
            has run out stops within the frame.
        rule_of: makes each rule; plug-ins are made elsewhere.
        calibration: what scores are worth, if they are those of the detector that it was made with.
    """

    def __init__(
        self,
        spec: SourceSpec,
        size: tuple[int, int],
        *,
        decoder: Decoder,
        detector: Detector,
        painter: Painter,
        entropy: Entropy,
        allowed: Callable[[], frozenset[str]],
        rule_of: Callable[[AnalyticSpec], Analytic] = build,
        calibration: Calibration | None = None,
    ) -> None:
        self.spec = spec
        self.frames = 0
        self.fault: str | None = None
        self._size = size
        self._painter = painter
        self._entropy = entropy
        self._allowed = allowed
        self._calibration = calibration
        self._watch = HealthWatch(stride=stride_of(*size))
        self._fitness = Fitness(_zones(spec), size)
        self._ground = _ground(spec, size)
        self._ring = Ring(spec.name, spec.clip_before_ms, spec.clip_after_ms)
        self._sampling = Sampling(spec, self._ring, entropy)
        self._recordings = _recordings(spec)
        self._rules: dict[str, tuple[AnalyticSpec, Analytic]] = {
            a.name: (a, rule_of(replace(a, ground=a.ground or self._ground))) for a in spec.analytics
        }
        seen = {what for _, rule in self._rules.values() for what in _sees(rule)}
        postures = "found" in seen
        self._cascade = Cascade(
            decoder,
            always_open=spec.gate == "always_open",
            quiet_ms=QUIET_MS + 1000 * postures,
            exact=lambda: painter.learning,
        )
        self._sight = Sight(size, detector, calm_ms=_CALM_MS if postures else 0)
        self._habit = Habit()
        self._moving: BoolArray | None = None
        self._statics = StaticWatch(stride_of(*size)) if "statics" in seen else None
        self._running: frozenset[str] = frozenset()
        self._condition: Condition | None = None
        self._tint = 0.0
        self._turn = 0
        self._at_ms = 0
        self._seen_ms: int | None = None
        self._last = dict.fromkeys(("watch", "pins", "view"), -(10**9))
        self._open = OpenShare()
        self._bytes = 0
        self._told: deque[tuple[int, int]] = deque(maxlen=_RATES)

    # ---- what the worker calls -------------------------------------------------------------------------------------

    def feed(self, packet: Packet) -> Iterator[Event]:
        """What follows from the next packet. Must be taken to the end."""
        if packet.turn != self._turn:
            yield from self.put_away()
            self._seam(packet.turn)
        if packet.jumped_ms:
            self._watch.jumped(packet.at_ms, packet.jumped_ms)
        self.frames += 1
        self._at_ms = packet.at_ms
        self._bytes += packet.size
        for look in self._cascade.feed(packet, lambda: self._sight.busy(packet.at_ms)):
            yield from self._look(look)
            self._seen_ms = packet.at_ms
        yield from self._unseen(packet.at_ms)
        self._open.saw(packet.at_ms, is_open=self._cascade.is_open)
        if self.spec.record_uri is None:
            yield from self.record(packet)

    def record(self, packet: Packet) -> Iterator[Event]:
        """Keep the next packet of the recorded stream, where that is another than the one that is looked at."""
        yield from self._ring.keep(packet)
        for recording in self._recordings.values():
            yield from recording.keep(packet)

    def record_lost(self) -> Iterator[Event]:
        """The recorded stream broke: the clips that still wait, with what there is; what comes next begins anew."""
        yield from self._end_recordings()
        self._ring.cut_off()

    def record_anew(self) -> None:
        """The recorded stream is back, perhaps with another codec: what comes is not put together with what was."""
        for recording in self._recordings.values():
            recording.begin_anew()

    def lost(self, at_ms: int) -> Iterator[Event]:
        """Say that no packet came though one was due; call it once a second while that lasts."""
        if self.spec.record_uri is None:  # else the recorded stream may go on, and says so itself where it does not
            for recording in self._recordings.values():
                yield from recording.idle(at_ms)
        yield from self._blind(at_ms)

    def _blind(self, at_ms: int) -> Iterator[Event]:
        """There is no picture to look at."""
        self._at_ms = at_ms
        self._condition = self._watch.lost(at_ms)
        self._fitness.forget()
        yield from self._ring.finish()
        self._sight.forget()
        self._painter.lose("no picture comes")
        yield from self._judge(Tracks.none(at_ms))
        if self.spec.pin_hz:
            yield self._pins(at_ms)

    def reopened(self, decoder: Decoder) -> None:
        """The source is back, perhaps with another codec: its packets need this decoder from now on."""
        self._forget()
        if self.spec.record_uri is None:
            self.record_anew()
        self._cascade.decode_with(decoder)

    def pause(self) -> None:
        """Nothing may be looked at: forget packets, pictures and tracks at once."""
        self._forget()
        for recording in self._recordings.values():
            recording.clear()

    def _forget(self) -> None:
        """Forget what was seen. What is wanted of the original is still wanted of what comes."""
        self._allow(frozenset())
        self._fitness.forget()
        self._painter.lose("the camera is not looked at")
        self._seen_ms = None
        self._sampling.clear()
        self._ring.clear()
        self._sight.forget()
        self._cascade.reset()
        if self._statics:
            self._statics.seam(self._at_ms)

    @property
    def inferences(self) -> int:
        """How often the detector has looked since the source was opened."""
        return self._sight.inferences

    def tracks(self, at_ms: int) -> Tracks:
        """What is in view at ``at_ms``, as far as the pipeline knows."""
        return self._sight.tracks(at_ms)

    def finish(self) -> Iterator[Event]:
        """The source ended: the clips that still wait, and what is kept."""
        yield from self._end_recordings()

    def broke(self) -> Iterator[Event]:
        """The stream that is looked at broke: the same, but for a recorded stream of its own, which goes on."""
        yield from self._ring.finish()
        if self.spec.record_uri is None:
            yield from self.put_away()

    def put_away(self) -> Iterator[Event]:
        """What is kept of the original so far."""
        for recording in self._recordings.values():
            yield from recording.finish()

    @property
    def recording_trouble(self) -> str:
        """Why less of the original is kept than the charter says; empty while nothing is missing."""
        return next((each.trouble for each in self._recordings.values() if each.trouble), "")

    def _end_recordings(self) -> Iterator[Event]:
        yield from self._ring.finish()
        yield from self.put_away()

    def health(self, at_ms: int, fps_in: float, dropped: dict[str, int]) -> Health:
        """One line about the source."""
        lost = {
            "damaged_packets": self._cascade.damaged,
            "damaged_pictures": self._cascade.flawed,
            "orphaned_packets": self._cascade.orphans,
            "too_long_groups": self._cascade.overflows,
            "originals_cut": sum(each.dropped for each in self._recordings.values()),
        }
        self._told.append((self._at_ms, self._bytes))
        then_ms, then = self._told[0]
        span = self._at_ms - then_ms
        shown = self._fitness.at(self._at_ms)
        return Health(
            source=self.spec.name,
            at_ms=at_ms,
            fps_in=fps_in,
            open_share=self._open.share,
            frames=self.frames,
            decoded=self._cascade.decoded,
            inferences=self._sight.inferences,
            running=tuple(sorted(self._running)),
            dropped={**dropped, **{cause: count for cause, count in lost.items() if count}},
            fault=self.fault or (self._condition.name if self._condition else None) or self._troubles(),
            backdrop_ready=self._painter.ready,
            scene=self._painter.view.scene,
            unsure=self._painter.view.unsure,
            group_ms=self._cascade.group_ms,
            gate=self._cascade.words(),
            kbit_s=round(8 * (self._bytes - then) / span, 1) if span > 0 else 0.0,
            brightness=shown.brightness,
            sharpness=shown.sharpness,
            zones=shown.zones,
            followed=self._sight.followed,
        )

    # ---- looking ---------------------------------------------------------------------------------------------------

    def _look(self, look: Look) -> Iterator[Event]:
        picture = look.picture
        at_ms = picture.at_ms
        if (picture.width, picture.height) != self._size:
            yield from self._wrong_size(picture)
            return
        self.fault = None
        if not look.open:
            self._sight.rest()
        else:
            self._sight.move(picture, breaks=look.breaks)
            self._stir(at_ms)
        detects = self._sight.detect(picture, is_open=look.open)
        if detects and len(self._sight.found):
            self._painter.stir(self._sight.found_at)
        watches = self._due("watch", at_ms, WATCH_MS)
        if watches:
            self._watch_health(look)
        if detects or watches or not look.open:
            tracks = self._sight.tracks(at_ms)
            self._ring.saw(tracks)
            yield from self._judge(tracks, self._sight.found if detects and look.open else None)
        if self._painter.due(at_ms):
            self._teach(picture)
        if self.spec.pin_hz and self._due("pins", at_ms, round(1000 / self.spec.pin_hz) - 10):
            yield self._pins(at_ms)

    def _teach(self, picture: Picture) -> None:
        """Let the painter learn from a picture what is not masked."""
        at_ms = picture.at_ms
        masked, vehicles = self._sight.unlearnable(at_ms), self._sight.vehicles(at_ms)
        beside = self._sight.unlearnable(at_ms, vehicles=False) if len(vehicles) else masked
        self._painter.look(at_ms, picture.bgr(), masked, vehicles, beside)

    def _stir(self, at_ms: int) -> None:
        """Keep the gate open, if the last look for motion shows some where there is not always some."""
        moving, before = self._sight.moving, self._moving
        self._moving = moving
        if moving is not None and moving is not before:
            self._painter.stir(moving)
        if moving is not None and moving is not before and self._habit.news(moving, self._sight.busy(at_ms)):
            self._cascade.stir(at_ms)

    def _watch_health(self, look: Look) -> None:
        picture = look.picture
        sample = picture.luma()
        self._condition = self._watch.look(picture.at_ms, sample, picture.edges())
        self._recognise(look)
        self._cascade.attentive = self._watch.suspects or bool(self._statics and self._statics.changes)
        if look.open:
            busy = self._sight.busy(picture.at_ms)
            moves = self._sight.moving
            moving = moves if busy is None else (busy if moves is None else busy | moves)
            self._cascade.gate.look(picture.at_ms, sample, moving)
        self._fitness.look(
            picture.at_ms,
            level=self._watch.level,
            sharpness=self._watch.sharpness,
            black=picture.black,
            condition=self._condition,
            scene=self._painter.view.scene,
        )
        if (
            self._condition
            and self._condition.name == "moved"
            and picture.at_ms - self._condition.since_ms > _ACCEPT_MS
        ):
            self._fitness.accept(self._condition)
            self._watch.accept_scene()
        if self._statics:
            self._watch_statics(picture.at_ms, sample)

    def _recognise(self, look: Look) -> None:
        """Which view it is. Shut, with a view that is known, the gate has just said that nothing differs in luma."""
        at_ms, tint = look.picture.at_ms, _tint(look.picture)
        same = not look.open and self._painter.view.scene and not self._watch.suspects and self._condition is None
        same = same and _FADED * self._tint <= tint <= self._tint / _FADED + 1
        due = self._due("view", at_ms, _SAME_VIEW_MS)
        if due:
            self._tint += (tint - self._tint) / 2
        if due or not same:
            self._painter.recognise(
                look.picture, self._condition.name if self._condition else "", self._sight.busy(at_ms)
            )

    def _watch_statics(self, at_ms: int, sample: Image) -> None:
        assert self._statics is not None
        if self._condition is None:
            self._statics.look(at_ms, sample, self._sight.busy(at_ms))
        elif self._condition.name == "moved":
            self._statics.reset()

    def _judge(self, tracks: Tracks, found: Detections | None = None) -> Iterator[Event]:
        self._allow(self._allowed())
        scene = Scene(
            tracks.at_ms,
            tracks,
            self._condition,
            statics=self._statics.changes if self._statics else (),
            found=found,
            window=self._sight.window,
            ground=self._ground,
            overhead=self.spec.overhead,
        )
        for name, (spec, rule) in self._rules.items():
            if name not in self._running:
                continue
            finding = rule.see(scene)
            if finding is not None:
                self._sampling.raised(name, tracks.at_ms)
                yield self._incident(spec, finding, tracks)
            yield from self._sampling.looked(spec, getattr(rule, "nearing", None), tracks.at_ms)

    def _incident(self, spec: AnalyticSpec, finding: Finding, tracks: Tracks) -> Incident:
        identity = self._entropy.bytes(8).hex()
        self._ring.want(identity, tracks.at_ms)
        self._keep_around(spec.name, identity, tracks.at_ms)
        boxes = np.rint(tracks.boxes).astype(int)
        shown = self._fitness.at(tracks.at_ms)
        return Incident(
            id=identity,
            source=self.spec.name,
            analytic=spec.name,
            kind=spec.kind,
            zone=spec.zone.name if spec.zone else None,
            at_ms=tracks.at_ms,
            score=finding.score,
            why=finding.why,
            facts=finding.facts,
            still=self._painter.still(tracks, spec.zone.polygon if spec.zone else None),
            boxes=tuple(
                (int(a), int(b), int(c), int(d), int(k)) for (a, b, c, d), k in zip(boxes, tracks.kinds, strict=True)
            )
            + finding.boxes,
            probability=self._calibration.probability(spec.kind, finding.score) if self._calibration else None,
            brightness=shown.brightness,
            infrared=shown.infrared,
        )

    def _keep_around(self, analytic: str, incident: str, at_ms: int) -> None:
        """Keep the original around an incident, where the charter says so."""
        sealing = self.spec.sealing
        purpose = dict(sealing.purposes).get(analytic) if sealing else None
        if purpose in self._recordings:
            self._recordings[purpose].want(analytic, incident, at_ms)

    def _pins(self, at_ms: int) -> Pins:
        view = self._painter.view
        if not view.scene:
            return Pins(self.spec.name, at_ms, (), 0, unsure=view.unsure)
        tracks = self._sight.tracks(at_ms)
        people = int((tracks.kinds == _PERSON).sum())
        return Pins(self.spec.name, at_ms, self._painter.pins(tracks), people, view.scene, light=view.light)

    def _unseen(self, at_ms: int) -> Iterator[Event]:
        """Packets come, and for long no picture could be made of any: as bad as if none came."""
        if self._seen_ms is None:
            self._seen_ms = at_ms
        if at_ms - self._seen_ms > _UNSEEN_MS and self._due("watch", at_ms, WATCH_MS):
            self.fault = "no picture can be made of what comes: it is damaged, or has no keyframes"
            yield from self._blind(at_ms)

    def _wrong_size(self, picture: Picture) -> Iterator[Event]:
        """Zones and blacked-out areas no longer fit, so nothing is looked at; the fault says so."""
        width, height = self._size
        self.fault = (
            f"the picture is {picture.width}x{picture.height}; the charter's zones were drawn on {width}x{height}"
        )
        if not self._due("watch", picture.at_ms, WATCH_MS):
            return
        if self._condition is None or "width_px" not in self._condition.facts:
            facts = {"width_px": float(picture.width), "height_px": float(picture.height)}
            self._condition = Condition("moved", picture.at_ms, facts)
            self._sight.forget()
        self._painter.lose("the picture has another size than the charter says")
        yield from self._judge(Tracks.none(picture.at_ms))
        if self.spec.pin_hz:
            yield self._pins(picture.at_ms)

    # ---- small things ----------------------------------------------------------------------------------------------

    def _allow(self, running: frozenset[str]) -> None:
        for name in self._running - running:
            if name in self._rules:
                self._rules[name][1].reset()
        self._running = frozenset(n for n in running & self._rules.keys() if not _trouble(self._rules[n][1]))

    def _troubles(self) -> str | None:
        """What keeps a plug-in from judging."""
        return next((told for _, rule in self._rules.values() if (told := _trouble(rule))), None)

    def _seam(self, turn: int) -> None:
        self._turn = turn
        self._sampling.clear()
        self._sight.forget()
        self._watch.seam()
        if self._statics:
            self._statics.seam(self._at_ms)
        self._cascade.reset()
        for _, rule in self._rules.values():
            rule.reset()

    def _due(self, what: str, at_ms: int, every_ms: int) -> bool:
        if 0 <= at_ms - self._last[what] < every_ms:
            return False
        self._last[what] = at_ms
        return True


def _tint(picture: Picture) -> float:
    """How much colour there is: mean distance of chroma from none, in levels; 0 where there is none."""
    chroma = picture.chroma()
    return float(np.abs(chroma.astype(np.int16) - 128).mean()) if chroma.size else 0.0


def _recordings(spec: SourceSpec) -> dict[str, Recording]:
    """What is kept of a source, for each purpose by itself: one purpose's originals are not another's."""
    sealing = spec.sealing
    if sealing is None:
        return {}
    purposes = [sealing.purpose] if sealing.always else sorted({purpose for _, purpose in sealing.purposes})
    return {
        purpose: Recording(
            spec.name,
            purpose,
            before_ms=sealing.before_ms,
            after_ms=sealing.after_ms,
            segment_ms=sealing.segment_ms,
            always=sealing.always,
        )
        for purpose in purposes
    }


def _zones(spec: SourceSpec) -> list[tuple[tuple[float, float], ...]]:
    """The areas that the source's rules look at."""
    return [each.zone.polygon for each in spec.analytics if each.zone is not None and not each.zone.line]


def _ground(spec: SourceSpec, size: tuple[int, int]) -> Ground | None:
    """The ground plane that the charter measured, else the rough scale that it states, else nothing."""
    if spec.plane:
        return Ground(spec.plane)
    return Ground.flat(spec.width_m / size[0]) if spec.width_m else None


def _sees(rule: Analytic) -> tuple[str, ...]:
    """What a rule is given, as its card says."""
    card = getattr(rule, "card", None)
    return card.sees if isinstance(card, Card) else ()


def _trouble(rule: Analytic) -> str | None:
    """Why a rule that runs elsewhere was stopped; ours never are."""
    told: str | None = getattr(rule, "trouble", None)
    return told
