"""How late a reviewer hears of an incident: from when it could first be known to the event in an open page.

A deployment of its own plays two made files in real time: in one it is quiet before each insertion, so that the gate is
shut; in the other somebody walks all the time at the edge of the picture, outside the rule's zone, so that it is open.
A page with the reviewer's queue stands open in headless Chromium and notes when each alert arrives.

*When it could first be known* is the first frame on which the same detector, tracker and rule, on every frame, are
satisfied (their ``for`` of a second included), at the threshold that serves them best. Where the file stands at which
moment is known from the alerts themselves: the line is deterministic, so an alert's capture time, less the time at
which the same line raises it from the file, is when the file began; all alerts must agree on it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import incidents
import portal
from canvas import HEIGHT, WIDTH, Coding, cache_folder, digest, encode
from incidents import File, Insertion, every_frame, plan, reference, score
from measures import Figure, figure, quantile, quantile_interval
from sprites import people, vehicles
from watchglass.bootstrap import House
from watchglass.edge import inference

Progress = Callable[[str], None]

OPEN_TARGET_S = 1.0
CODING = Coding()
CLOSED_TARGET_S = CODING.group_s + 1.0
COUNT = {True: 10, False: 40}
FOR_MS = 1000
REARM_MS = 5000
"""What a charter's rule has by default."""

_COMPANION = 420
"""The open file's companion walks left of this; insertions and the rule's zone are right of it."""

_IN_VIEW_S, _SHORTEST = (2.5, 10.0), 100
"""Long and large enough that what is measured is a delay: what is missed is counted by ``incidents``."""

_AGREE_MS = 60
_VERSION = 1


@dataclass(frozen=True)
class Known:
    """What is known of one insertion from its file, ms since the file began.

    Attributes:
        could: when every frame first satisfies the rule.
        raises: when the line raises it; None where it misses it.
    """

    could: int
    raises: int | None


def made(name: str, count: int, data: Path, progress: Progress) -> File:
    """The file of that name, ``open`` or ``closed``; made if it is not there."""
    within = (_COMPANION, WIDTH) if name == "open" else (0, WIDTH)
    sprites = {"person": len(people(data)), "vehicle": len(vehicles(data))}
    insertions = plan(900 + (name == "open"), count, sprites, in_view=_IN_VIEW_S, shortest=_SHORTEST, within=within)
    path = cache_folder() / f"latency-{name}-{count}-{digest(_VERSION, name, CODING, insertions)}.mp4"
    file = File(900, path, CODING, insertions)
    if not path.exists():
        progress(f"making {path.name}: {file.seconds:.0f} s (once)")
        encode(path, incidents.pictures(file, data, companions=companions(file) if name == "open" else ()), CODING)
    return file


def companions(file: File) -> tuple[Insertion, ...]:
    """Somebody who walks to and fro at the left edge, the whole time."""
    return (Insertion("person", 0.0, file.seconds, 220, 0, 0, 200.0, 900.0, 110.0, file.seconds, (0, _COMPANION)),)


def known(file: File, left: int, data: Path, progress: Progress) -> dict[int, Known]:
    """What can be known of each insertion that every frame finds, by its number."""
    detector = inference.load()
    judged = incidents.rules(FOR_MS, REARM_MS, left)
    found = every_frame(file, detector, progress)
    grid = {t: score(file.insertions, reference(file, found, t, judged)) for t in incidents.GRID}
    best = grid[max(grid, key=lambda t: (grid[t].f1, t))]
    progress(f"the line on {file.path.name}")
    line = score(file.insertions, incidents.cascade(file, data, detector, judged)[0])
    return {number: Known(could, line.when[number]) for number, could in enumerate(best.when) if could is not None}


@dataclass(frozen=True)
class Alert:
    """An alert of one source: its rule, its capture time and when the page heard of it (ms since the epoch)."""

    kind: str
    at_ms: int
    received_ms: int


def began(alerts: Sequence[Alert], file: File, facts: dict[int, Known]) -> int | None:
    """When the file began (ms since the epoch): the moment on which most alerts agree; None without any."""
    guesses = [
        alert.at_ms - fact.raises
        for alert in alerts
        for number, fact in facts.items()
        if fact.raises is not None and file.insertions[number].kind == alert.kind
    ]
    if not guesses:
        return None
    votes = {guess: sum(abs(guess - other) <= _AGREE_MS for other in guesses) for guess in guesses}
    return max(votes, key=lambda guess: votes[guess])


def delays(alerts: Sequence[Alert], file: File, facts: dict[int, Known]) -> list[float]:
    """Seconds from when each insertion could be known to its first alert's arrival; what was missed has none."""
    start = began(alerts, file, facts)
    if start is None:
        return []
    result = []
    for number, fact in facts.items():
        insertion = file.insertions[number]
        first, last = insertion.start * 1000, (insertion.start + insertion.seconds) * 1000 + incidents.GRACE_MS
        mine = [a for a in alerts if a.kind == insertion.kind and first <= a.at_ms - start <= last]
        if mine:
            result.append((min(a.received_ms for a in mine) - start - fact.could) / 1000)
    return result


def latency(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """``latency_open_p95_s`` and ``latency_closed_p95_s``, with their medians."""
    targets = {"open": OPEN_TARGET_S, "closed": CLOSED_TARGET_S}
    missing = "" if portal.CHROMIUM else "needs a system Chromium (apt-get install chromium)"
    missing = missing or incidents.missing_data(data)
    if missing:
        return [figure(f"latency_{name}_p95_s", None, t, unit="s", note=missing) for name, t in targets.items()]
    files = {name: made(name, COUNT[quick], data, progress) for name in targets}
    lefts = {"open": _COMPANION, "closed": 0}
    facts = {name: known(file, lefts[name], data, progress) for name, file in files.items()}
    alerts = _arrivals(files, lefts, progress)
    result = []
    for name, target in targets.items():
        seconds = delays(alerts[name], files[name], facts[name])
        lost = len(facts[name]) - len(seconds)
        scene = "somebody else moves all the time" if name == "open" else "quiet before each"
        there = len(files[name].insertions)
        note = (
            f"{scene}; GOP {CODING.group_s:g} s; for 1 s; {len(facts[name])} of {there} insertions known from every "
            f"frame, {lost} of them without an alert; negative where the line was sure before every frame was; "
            f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores when it ended"
        )
        if 2 * len(seconds) < sum(fact.raises is not None for fact in facts[name].values()):
            seconds, note = [], f"this machine was too busy to play in real time: most alerts did not arrive; {note}"
        for share, label in ((0.95, "p95"), (0.5, "p50")):
            result.append(
                figure(
                    f"latency_{name}_{label}_s", quantile(seconds, share) if seconds else None,
                    target if label == "p95" else None, unit="s",
                    interval=quantile_interval(seconds, share) if seconds else None, n=len(seconds),
                    against="the first frame on which every frame satisfies the rule", note=note,
                )
            )  # fmt: skip
    return result


def _arrivals(files: dict[str, File], lefts: dict[str, int], progress: Progress) -> dict[str, list[Alert]]:
    """Play the files in a deployment, all at once, and note what reaches the page."""

    def charter(me: str, openings: str) -> dict[str, Any]:
        sources, analytics = {}, {}
        for name, left in lefts.items():
            corners = [[left, 0], [WIDTH - 1, 0], [WIDTH - 1, HEIGHT - 1], [left, HEIGHT - 1]]
            sources[name] = portal.source(f"{name}.mp4", {f"{name}-all": {"polygon": corners}})
            for kind in ("person", "vehicle"):
                analytics[f"{name}-{kind}"] = portal.intrusion(name, f"{name}-all", kind)
        return portal.charter(me, openings, sources, analytics)

    seconds = round(max(file.seconds for file in files.values())) + 20
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "bench"
        portal.deployment(root, {f"{name}.mp4": file.path for name, file in files.items()}, charter)
        progress(f"Watching an open reviewer page for {seconds} s ...")
        arrived = portal.watch(root, seconds)
        with House(root) as house:
            rows = house.store.read().all("SELECT id, analytic, source, at_ms FROM alert")
    result: dict[str, list[Alert]] = {name: [] for name in files}
    for row in rows:
        if row["id"] in arrived:
            kind = row["analytic"].rpartition("-")[2]
            result[row["source"]].append(Alert(kind, row["at_ms"], arrived[row["id"]].received_ms))
    return result
