"""One source for those who keep it running: how it is now, and how it fared in the last 24 hours. Staff only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from fastapi import APIRouter, Request, Response

from watchglass.access.roles import May
from watchglass.acts.conditions_reading import DAYS, degraded_lately, input_drift, measured
from watchglass.acts.source_history import History, history
from watchglass.web.portal.context import house_of, may, reader_of
from watchglass.web.portal.render import page
from watchglass.web.portal.sources import health_of, source_of
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)

WIDTH: Final = 720
HEIGHT: Final = 90
_DAY_STEPS: Final = 96


@dataclass(frozen=True, slots=True)
class Chart:
    """One quantity over a day, as paths in a box of ``WIDTH`` by ``HEIGHT``. Gaps are gaps.

    Attributes:
        most: what the top of the box stands for.
        lines, areas: paths, one for each stretch without a gap.
        dots: (x, y) of stretches that are one step long.
    """

    title: str
    sentence: str
    unit: str
    most: float
    lines: tuple[str, ...]
    areas: tuple[str, ...]
    dots: tuple[tuple[float, float], ...]


@twin(router, "/sources/{name}")
def one_source(request: Request, name: str) -> Response:
    """Health, gate, losses, cost and detector of one source, now and in the last 24 hours."""
    source, house = source_of(request, name), house_of(request)
    past = history(reader_of(request), name, house.clock.now())
    data = {
        "now_ms": house.clock.now(),
        "source": health_of(request, name),
        "gate_rule": source.gate,
        "conditions": measured(reader_of(request), source, house.clock.now()),
        "degraded": degraded_lately(reader_of(request), name, house.clock.now()),
        "drift": [each for each in input_drift(reader_of(request), (source,), house.clock.now()) if each.warned.days],
        "_days": DAYS,
        "past": past,
        "_charts": charts(past),
        "_faults": [_span(index) for index, step in enumerate(past.steps) if step.fault_s],
        "_box": {"width": WIDTH, "height": HEIGHT},
        "_may_confirm": may(request, May.CONFIRM_BACKDROP),
        "_may_draw": may(request, May.EDIT_DRAFT),
    }
    return page(request, "sources/source.html", data)


def charts(past: History) -> list[Chart]:
    """What is drawn of a day."""
    whole = past.whole
    if not whole.heard_s:
        return []
    return [
        _chart(
            "Gate open",
            f"In all, the gate was open {_of_hundred(whole.open_share)} of the time.",
            "of the time",
            [None if step.open_share is None else 100 * step.open_share for step in past.steps],
            100,
        ),
        _chart(
            "Computing time",
            f"In all, looking took {_of_hundred(whole.core_share)} of one core.",
            "of one core",
            [None if step.core_share is None else 100 * step.core_share for step in past.steps],
            None,
        ),
        _chart(
            "Looks of the detector",
            f"In all, {whole.inferences} looks: {60 * whole.inferences / whole.heard_s:.1f} a minute.",
            "a minute",
            [60 * step.inferences / step.heard_s if step.heard_s else None for step in past.steps],
            None,
        ),
        _chart(
            "Pictures coming in",
            f"In all, {whole.fps} a second.",
            "a second",
            [step.fps for step in past.steps],
            None,
        ),
    ]


def _of_hundred(share: float | None) -> str:
    return f"{round(100 * (share or 0))} of 100 parts"


def _chart(title: str, sentence: str, unit: str, values: Sequence[float | None], most: float | None) -> Chart:
    known = [value for value in values if value is not None]
    top = most or _round_up(max(known, default=1.0))
    points = [None if value is None else _point(index, value, top) for index, value in enumerate(values)]
    lines, areas, dots = [], [], []
    for run in _runs(points):
        if len(run) == 1:
            dots.append(run[0])
            continue
        path = "M" + "L".join(f"{x} {y}" for x, y in run)
        lines.append(path)
        areas.append(f"{path}L{run[-1][0]} {HEIGHT}L{run[0][0]} {HEIGHT}Z")
    return Chart(title, sentence, unit, top, tuple(lines), tuple(areas), tuple(dots))


def _point(index: int, value: float, top: float) -> tuple[float, float]:
    return round((index + 0.5) * WIDTH / _DAY_STEPS, 1), round(HEIGHT * (1 - min(value / top, 1.0)), 1)


def _span(index: int) -> float:
    return round(index * WIDTH / _DAY_STEPS, 1)


def _runs(points: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """The stretches without a gap."""
    runs: list[list[tuple[float, float]]] = []
    before = None
    for point in points:
        if point is not None:
            if before is None:
                runs.append([])
            runs[-1].append(point)
        before = point
    return runs


def _round_up(value: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    step = 0.1
    while True:
        for times in (1, 2, 5):
            if value <= step * times:
                return round(step * times, 1)
        step *= 10
