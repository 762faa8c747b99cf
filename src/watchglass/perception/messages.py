"""What a worker process and the house say to each other. Plain picklable values; no pixels of people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from watchglass.perception.ground import Ground

DRAWN_OF: Final = 1_000_000_000
"""What a drawn number lies below."""
VERY_NEAR: Final = 750
"""Thousandths of the way to a rule's threshold from which something came very near it."""

# ---- house -> worker ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ZoneSpec:
    """A part of one source's picture: a polygon ((x, y), ...) in pixels, or a directed line of two points.

    Attributes:
        area_m2: a polygon's area on the ground, where the charter states one or the ground plane gives it.
        line: whether ``polygon`` holds the two points of a line instead. Seen from the first point towards the second,
            the allowed way across is from the left to the right as the picture shows them.
    """

    name: str
    polygon: tuple[tuple[float, float], ...]
    area_m2: float | None = None
    line: bool = False


@dataclass(frozen=True, slots=True)
class AnalyticSpec:
    """One rule as the charter states it.

    Attributes:
        settings: the kind's own (``people_per_m2``, ``for_ms``, ...).
        ground: the source's ground plane, where the charter measures it; ``Ground.flat`` where only a width is known.
    """

    name: str
    kind: str
    zone: ZoneSpec | None
    settings: Mapping[str, object] = field(default_factory=dict)
    ground: Ground | None = None


@dataclass(frozen=True, slots=True)
class SealingSpec:
    """How original video of a source is kept: sealed to custodians' keys, of which this holds public halves only.

    Attributes:
        origin: the log in which segments are recorded. charter: SHA-256 of the charter.
        always: everything is kept; otherwise what lies around incidents, ``before_ms`` and ``after_ms``.
        segment_ms: how long a segment is at least. keep_ms: for how long it is kept.
        k, one_of: how many custodians must agree, at least one of them among these.
        custodians: (name, identity key as the charter pins it).
        statements: the custodians' signed statements of their keys of the month, as they came; not verified yet.
        break_glass: the charter's emergency key, 32 bytes of X25519; None where it has none.
        purposes: (analytic, purpose) of the source's analytics.
        purpose: of what is kept where everything is.
    """

    origin: str
    charter: bytes
    always: bool
    before_ms: int
    after_ms: int
    segment_ms: int
    keep_ms: int
    k: int
    one_of: tuple[str, ...]
    custodians: tuple[tuple[str, str], ...]
    statements: tuple[bytes, ...]
    break_glass: bytes | None
    purposes: tuple[tuple[str, str], ...]
    purpose: str


@dataclass(frozen=True, slots=True)
class HeartbeatSpec:
    """How whoever looks at a source signs that it is there.

    Attributes:
        origin: the log in which heartbeats are recorded. charter: SHA-256 of the charter.
        every_s: the length of an interval in seconds.
        models: what the charter calls the weights that look at the source.
    """

    origin: str
    charter: bytes
    every_s: int
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SamplesSpec:
    """With which chance what was not alerted is looked at, in parts of ``DRAWN_OF``.

    Attributes:
        near, very_near: of each moment that came near a rule's threshold.
        quiet: of each second that a rule runs.
    """

    near: int
    very_near: int
    quiet: int


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One source as a worker needs it.

    Attributes:
        uri: what is looked at: a file's path, an address (``rtsp://``, ``http://``) or a device. Secrets are in it:
            it is never logged, reported or shown.
        kind: ``file``, ``rtsp``, ``mjpeg`` or ``webcam``.
        weights, weights_sha256: the file that holds the model that the charter names, and its hash; None is ours.
        record_uri: the stream that clips are cut from, where the camera has another one for looking at.
        transport: for ``rtsp``: ``tcp`` or ``udp``.
        hardware: decode on the machine's hardware where it has any; otherwise in software, and say so.
        loop: play the file again and again as if it were live; the seam resets tracks without a fault.
        realtime: pace by the clock; otherwise as fast as the machine can, with time taken from the file.
        start_ms: the capture time of the first frame when not ``realtime``.
        size: (width, height) that zones and ``never_see`` were drawn on; None takes the file's own. A picture of
            another size is not looked at: it is a camera fault.
        never_see: polygons painted black before anything looks at the picture.
        never_show: polygons that are looked at, and that have no marks in the public view.
        width_m: metres across the picture's width, where the charter states it.
        plane: points of the ground plane: (x, y in pixels, X, Y in metres); four or more, or none.
        overhead: the camera looks straight down.
        backdrops: (scene, PNG bytes) of each view of this source whose backdrop is confirmed.
        grid_m, pin_hz: how coarse and how often pins are reported.
        sealing: how original video is kept; None where it is not.
        heartbeat: how heartbeats are signed; None where the charter does not ask for any.
        samples: how much of what was not alerted is looked at; None where the charter does not ask for it.
        clip_before_ms, clip_after_ms: how much of the mosaicked clip lies before and after the incident.
    """

    name: str
    uri: str = field(repr=False)
    analytics: tuple[AnalyticSpec, ...]
    loop: bool = False
    realtime: bool = True
    start_ms: int = 0
    gate: str = "auto"
    never_see: tuple[tuple[tuple[float, float], ...], ...] = ()
    never_show: tuple[tuple[tuple[float, float], ...], ...] = ()
    width_m: float | None = None
    backdrops: tuple[tuple[str, bytes], ...] = ()
    grid_m: float = 1.0
    pin_hz: float = 4.0
    clip_before_ms: int = 4000
    clip_after_ms: int = 4000
    size: tuple[int, int] | None = None
    weights: str | None = None
    weights_sha256: str = ""
    kind: str = "file"
    record_uri: str | None = field(default=None, repr=False)
    transport: str = "tcp"
    hardware: bool = False
    plane: tuple[tuple[float, float, float, float], ...] = ()
    overhead: bool = False
    sealing: SealingSpec | None = None
    heartbeat: HeartbeatSpec | None = None
    samples: SamplesSpec | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """What may run, and until when. A worker whose lease has run out stops its analytics (fail closed).

    The house renews it twice a second from ``charter.decide``; ``running`` holds (source, analytic) pairs.
    ``look`` are the sources that may be looked at at all (public view, health).
    """

    charter: str
    running: frozenset[tuple[str, str]]
    look: frozenset[str]
    until_ms: int


@dataclass(frozen=True, slots=True)
class SetBackdrop:
    """The confirmed backdrop (PNG bytes) of one view of a source, or None to withdraw it: that view is grey again."""

    source: str
    scene: str
    png: bytes | None


@dataclass(frozen=True, slots=True)
class ProposeBackdrop:
    """Ask the worker for the backdrop as it has learned it so far.

    Attributes:
        scene: the view that is meant; "" is the one that is in front of the camera, or being learned, now.
    """

    source: str
    scene: str = ""


@dataclass(frozen=True, slots=True)
class SetSealingKeys:
    """The custodians' signed statements of their keys, as they stand now."""

    statements: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Follow:
    """What the next heartbeat of a source goes on from: the last one that is recorded.

    It answers a recorder's key, each heartbeat that was taken, and each that was turned away.

    Attributes:
        run: that is going on.
        sequence: of the last heartbeat; -1 where there was none. leaf_hash: of its record.
        to_s: the next interval does not begin before this second.
    """

    source: str
    run: str
    sequence: int
    leaf_hash: bytes | None
    to_s: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish the current frame, report and end."""


Order = Lease | SetBackdrop | ProposeBackdrop | SetSealingKeys | Follow | Stop

# ---- worker -> house ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SourceOpened:
    source: str
    width: int
    height: int
    fps: float


@dataclass(frozen=True, slots=True)
class Pin:
    """A mark in the public view: snapped centre (pixels), and an index into ``observation.KINDS``."""

    x: int
    y: int
    kind: int


@dataclass(frozen=True, slots=True)
class Pins:
    """The public view at one moment: where marks stand, and nothing else.

    Attributes:
        people: counts persons in view.
        scene: which of the source's confirmed views is in front of the camera ("day", "infrared", "day-2", …).
            "" is none, or it is not sure: the public view is grey then, and shows no marks.
        unsure: why there is none, in plain words; "" where a scene fits.
        light: how the light of now differs from that of the scene's backdrop: 12 factors in sixty-fourths, row by row
            (``views.light``). () is the same light.
    """

    source: str
    at_ms: int
    pins: tuple[Pin, ...]
    people: int
    scene: str = ""
    unsure: str = ""
    light: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Incident:
    """The hypothesis that something of a kind happened.

    Attributes:
        id: 16 hex digits, random.
        at_ms: capture time at which the rule was satisfied (its ``for`` included).
        score: the raw score that the rule rests on, 0..1, not calibrated; None where a rule has none (camera faults).
        why: the rule that fired in words ("3 persons inside 'track' for 2.1 s").
        facts: numbers behind ``why``; plain values.
        still: PNG of the painted still with the zone drawn; no pixel of a person.
        boxes: ((x1, y1, x2, y2, kind), ...) pixels, for the reviewer's overlay.
        probability: how likely it is right, from test clips (``calibration``); None where too little is known.
        brightness: of the picture, 0 black to 255 white (``fitness``); None where it is not known.
        infrared: whether the confirmed view in front of the camera is one in infrared; None where none is.
    """

    id: str
    source: str
    analytic: str
    kind: str
    zone: str | None
    at_ms: int
    score: float | None
    why: str
    facts: Mapping[str, object]
    still: bytes
    boxes: tuple[tuple[int, int, int, int, int], ...]
    probability: float | None = None
    brightness: float | None = None
    infrared: bool | None = None


@dataclass(frozen=True, slots=True)
class Unalerted:
    """A moment about which nobody was alerted, and whether it is drawn for people to look at.

    Attributes:
        id: 16 hex digits, random; the clip that follows where it is drawn has it too.
        kind: ``near``, it came near the rule's threshold; ``quiet``, whatever was in the picture.
        at_ms: capture time: when it came nearest.
        number, below: what was drawn, from 0 to ``DRAWN_OF``, and below which it is looked at.
        closeness: how near it came, thousandths from 500 to 999; None of a quiet moment.
    """

    id: str
    source: str
    analytic: str
    kind: Literal["near", "quiet"]
    at_ms: int
    number: int
    below: int
    closeness: int | None = None

    @property
    def band(self) -> Literal["near", "very_near"] | None:
        """How near, roughly: the share that is drawn depends on it."""
        if self.closeness is None:
            return None
        return "very_near" if self.closeness >= VERY_NEAR else "near"

    @property
    def drawn(self) -> bool:
        """Whether people look at it."""
        return self.number < self.below


@dataclass(frozen=True, slots=True)
class Clip:
    """The mosaicked clip of an incident: MP4 (H.264), no audio, no metadata.

    Attributes:
        masked_share: mean share of each frame that is mosaicked or withheld, 0..1.
        withheld_share: share of the frames that are withheld: plates with words instead of pictures.
        withheld_why: why most of them are, in words that go on from "withheld, because …"; "" without any.
    """

    incident: str
    source: str
    mp4: bytes
    seconds: float
    masked_share: float
    withheld_share: float = 0.0
    withheld_why: str = ""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A few seconds of original video, sealed in the worker's memory; neither worker nor house can open them.

    Attributes:
        segment: 16 hex digits.
        analytic, incident: around whose incident it was kept; None where everything is.
        data: the whole sealed object. sha256: of it.
    """

    source: str
    segment: str
    analytic: str | None
    incident: str | None
    from_ms: int
    to_ms: int
    data: bytes = field(repr=False)
    sha256: bytes


@dataclass(frozen=True, slots=True)
class Health:
    """One line about one source, once a second. Counters are totals since the source was opened.

    Attributes:
        open_share: the share of the last minute in which the gate was open.
        dropped: lost work per cause.
        cpu_seconds: what looking at this source has cost so far, clips not included.
        decode_seconds, detect_seconds: how much of that was decoding, and how much the detector.
        group_ms: from one keyframe to the next, as seen last; None where that is not known.
        gate: how the gate works at present, in words ("keyframes every 2.0 s", "always open: …").
        kbit_s: how much comes in.
        notes: what else there is to know about the stream, a short sentence each: whose time it has, what decodes it,
            what fails in the recorded stream. Never an address.
        scene, unsure: which confirmed view is in front of the camera, or why none is (see ``Pins``).
        brightness, sharpness, zones: how good the last pictures were (``fitness.Shown``); None where that is not known.
        clock_ms: how far the camera's clock is ahead of this machine's; None where the camera has none.
        followed: how many things were followed.
    """

    source: str
    at_ms: int
    fps_in: float
    open_share: float
    frames: int
    decoded: int
    inferences: int
    running: tuple[str, ...]
    dropped: Mapping[str, int] = field(default_factory=dict)
    fault: str | None = None
    backdrop_ready: float = 0.0
    cpu_seconds: float = 0.0
    group_ms: int | None = None
    gate: str = ""
    kbit_s: float = 0.0
    decode_seconds: float = 0.0
    detect_seconds: float = 0.0
    notes: tuple[str, ...] = ()
    scene: str = ""
    unsure: str = ""
    brightness: float | None = None
    sharpness: float | None = None
    zones: float | None = None
    clock_ms: int | None = None
    followed: int = 0


@dataclass(frozen=True, slots=True)
class BackdropProposal:
    """The backdrop of one view as learned so far: PNG, and the share of its pixels that are admitted.

    Attributes:
        trouble: why there is no picture, and ``png`` is empty; "" where there is one.
    """

    source: str
    at_ms: int
    png: bytes
    ready: float
    scene: str = "day"
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class BackdropRenewal:
    """A confirmed backdrop with blocks that have changed, and have seen neither motion nor detection for 30 minutes.

    Attributes:
        scene: of which view.
        base_sha256: SHA-256 of the PNG that it renews; where that is confirmed no longer, nothing is renewed.
        png: the whole backdrop with the new blocks in it.
        blocks: how many of its blocks of 32 pixels are new.
    """

    source: str
    scene: str
    at_ms: int
    base_sha256: bytes
    png: bytes
    blocks: int


@dataclass(frozen=True, slots=True)
class SourceEnded:
    """A file came to its end, or a source was given up. Sums are over the whole run of this source."""

    source: str
    frames: int
    video_seconds: float
    cpu_seconds: float
    wall_seconds: float
    error: str | None = None


@dataclass(frozen=True, slots=True)
class RecorderKey:
    """The key that a worker made for itself, and with which it signs the heartbeats of its sources until it ends."""

    vkey: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Heartbeats:
    """Signed heartbeats (``records.statement`` files), of different sources or one after the other."""

    statements: tuple[bytes, ...] = field(repr=False)


Report = (
    SourceOpened
    | Pins
    | Incident
    | Unalerted
    | Clip
    | Sealed
    | Health
    | BackdropProposal
    | BackdropRenewal
    | SourceEnded
    | RecorderKey
    | Heartbeats
)
