"""The real pipeline on files, and how its incidents are held against what really happened.

An incident is right when it lies within an event of its kind (from the moment at which the rule could be satisfied to
two seconds after the end) and, where the event has a place, at that place. Of several incidents about one event all
are right and the event is found once; where each thing counts (``wrong_way``, vehicles), each incident is matched to
one event. Intervals are Wilson's; rates an hour have Poisson intervals (Garwood 1936, by Wilson and Hilferty's
approximation).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evaluate import Figure, figure, wilson
from kinds_clips import Event
from watchglass.edge.entropy import SeededEntropy
from watchglass.edge.video import VideoFile
from watchglass.perception.ground import Ground
from watchglass.perception.messages import AnalyticSpec, Incident, SourceSpec
from watchglass.perception.observation import Tracks
from watchglass.perception.pipeline import Pipeline
from watchglass.perception.ports import Detector
from watchglass.runtime.painting import ViewPainter

FEW = 10
"""Below so many the note says that it is not enough data."""

_HOUR_MS = 3_600_000
_SLACK_MS = 500
_PART_MS = 10_000


# ---- the real pipeline, on a file ------------------------------------------------------------------------------------


@dataclass
class Watched:
    """What came of one file."""

    incidents: list[Incident]
    moments: list[Tracks]
    ms: int

    def of(self, rule: str) -> list[Incident]:
        """The incidents of one rule."""
        return [i for i in self.incidents if i.analytic == rule]


def watch(
    path: Path, rules: Sequence[AnalyticSpec], detector: Detector, *, ground: Ground | None = None, until: int = 10**9
) -> Watched:
    """Run a file through the pipeline, gate and all, up to frame ``until``."""
    file = VideoFile(path)
    size, plane = (file.width, file.height), ground.points if ground else ()
    spec = SourceSpec("eval", str(path), tuple(rules), realtime=False, plane=plane)
    names = frozenset(rule.name for rule in rules)
    pipeline = Pipeline(
        spec, size, decoder=file.decoder(), detector=detector, painter=ViewPainter(spec, size),
        entropy=SeededEntropy("eval"), allowed=lambda: names,
    )  # fmt: skip
    seen = Watched([], [], 0)
    for index, packet in enumerate(file.packets(0)):
        if index >= until:
            break
        seen.incidents += [event for event in pipeline.feed(packet) if isinstance(event, Incident)]
        if not seen.moments or packet.at_ms - seen.moments[-1].at_ms >= 400:
            seen.moments.append(pipeline.tracks(packet.at_ms))
        seen.ms = packet.at_ms
    return seen


# ---- scores ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Told:
    """An incident as calibration needs it: its raw score (None where the rule has none), and whether it was right.

    Attributes:
        clip: what goes together: one clip, or ten seconds of PETS, which is one long one.
        at_ms: when it was told.
    """

    score: float | None
    right: bool
    clip: str
    at_ms: int = 0

    @classmethod
    def of(cls, incident: Incident, *, right: bool, clip: str) -> Told:
        """What became of ``incident``; a clip whose name begins with PETS is parted every ten seconds."""
        part = f"PETS {incident.at_ms // _PART_MS * _PART_MS // 1000} s" if clip.startswith("PETS") else clip
        return cls(None if incident.score is None else round(incident.score, 3), right, part, incident.at_ms)

    def row(self) -> list[object]:
        """For JSON."""
        return [self.score, int(self.right), self.clip]


@dataclass
class Score:
    """Sums over clips.

    Attributes:
        right, told: incidents that were right, and all.
        found, there: events that were noticed, and all.
        ms: video watched.
        missed, wrong: in words.
        told_of: for each incident its raw score, whether it was right, and the clip: what calibration learns from.
    """

    right: int = 0
    told: int = 0
    found: int = 0
    there: int = 0
    ms: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    told_of: list[Told] = field(default_factory=list)

    def add(
        self, where: str, incidents: Sequence[Incident], events: Sequence[Event], ms: int, *, each: bool = False
    ) -> None:
        """Take in one clip. ``each``: an incident and an event belong to each other alone."""
        pairs = [[_fits(i, e) for e in events] for i in incidents]
        free = set(range(len(events)))
        for incident, fits in zip(incidents, pairs, strict=True):
            able = [k for k, fit in enumerate(fits) if fit and (k in free or not each)]
            self.told_of.append(Told.of(incident, right=bool(able), clip=where))
            if able:
                self.right += 1
                free.discard(min(able, key=lambda k: (k not in free, events[k].until_ms)))
            else:
                self.wrong.append(f"{where} at {incident.at_ms / 1000:.1f} s ({incident.why})")
        self.told += len(incidents)
        self.there += len(events)
        self.found += len(events) - len(free)
        self.ms += ms
        self.missed += [
            f"{where} {events[k].what or f'{events[k].from_ms / 1000:.1f} s'}".strip() for k in sorted(free)
        ]


def _fits(incident: Incident, event: Event) -> bool:
    if not event.from_ms - _SLACK_MS <= incident.at_ms <= event.until_ms:
        return False
    x, y = incident.facts.get("x_px"), incident.facts.get("y_px")
    return not event.boxes or (isinstance(x, int) and isinstance(y, int) and event.at(incident.at_ms, x, y))


def rate(k: int, ms: int) -> tuple[float, float, float]:
    """How many an hour, with the 95 % interval of a Poisson count."""

    def edge(n: float, z: float) -> float:
        return n * (1 - 1 / (9 * n) + z / (3 * n**0.5)) ** 3 if n else 0.0

    hours = max(ms, 1) / _HOUR_MS
    return k / hours, edge(k, -1.96) / hours, edge(k + 1, 1.96) / hours


def rows(
    kind: str, score: Score, about: str, *, recall: float | None = None, false_an_hour: float | None = None
) -> list[Figure]:
    """The figures of one kind."""
    missed = f"; missed: {'; '.join(score.missed)}" if 0 < len(score.missed) <= 4 else ""
    wrong = f"; wrong: {'; '.join(score.wrong)}" if 0 < len(score.wrong) <= 3 else ""
    per_hour, low, high = rate(len(score.wrong), score.ms)
    return [
        _share(f"{kind}_precision", score.right, score.told, about + wrong, None),
        _share(f"{kind}_recall", score.found, score.there, about + missed, recall),
        figure(
            f"{kind}_false_per_hour", per_hour, false_an_hour, (low, high), len(score.wrong),
            f"{about}; {score.ms / 60000:.1f} minutes watched", unit="1/h", better="lower",
            ok=None if false_an_hour is None else per_hour <= false_an_hour,
            told=[told.row() for told in score.told_of],
        ),
    ]  # fmt: skip


def _share(name: str, k: int, n: int, note: str, target: float | None) -> Figure:
    few = "" if n >= FEW else "; not enough data"
    if not n:
        return figure(name, None, target, None, 0, f"{note}; nothing to count: not enough data")
    return figure(name, k / n, target, wilson(k, n), n, note + few)


def nothing_real(kind: str) -> list[Figure]:
    """For kinds of which there are made clips only."""
    note = "no real recording with truth at hand; see the synthetic rows"
    return [figure(f"{kind}_{what}", None, None, None, 0, note) for what in ("precision", "recall")]


def false_only(kind: str, score: Score, about: str) -> list[Figure]:
    """For recordings in which nothing of the kind happens."""
    return rows(kind, score, about)[-1:]
