"""What each choice of a charter costs, as Markdown: ``python benchmarks/pins_table.py``. ADR 24 quotes it."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from pins_door import told
from pins_over_time import (
    HIDE_BELOW,
    LATE_MS,
    LIVE_MS,
    PLACES,
    SPEED_S,
    UNHIDDEN,
    WATCHED,
    Scene,
    follow,
    mean,
    median,
    seconds,
    speed_errors,
    street,
    told_share,
)
from pins_scene import crowd, fewer, truth


def table(data: Path, each: int) -> str:
    """Markdown: what a charter's author buys with each choice."""
    scene = Scene.of(data, truth(data))
    lines = [*_grids(scene), "", *_crowds(scene), "", *_thresholds(data, each)]
    return "\n".join(lines)


def _grids(scene: Scene) -> list[str]:
    lines = [
        "| grid | pins a second | IDF1 | followed, median | never lost | after a photo | speed error |",
        "|---|---|---|---|---|---|---|",
    ]
    choices = [replace(UNHIDDEN, grid_m=grid) for grid in (0.25, 0.5, 1.0, 2.0, 4.0)]
    choices += [replace(UNHIDDEN, pin_hz=1.0), replace(UNHIDDEN, grid_m=2.0, pin_hz=1.0)]
    for setting in choices:
        found = follow(scene, setting)
        whole = mean(np.array([not p.lost for p in found.entries]))
        wrong, _ = speed_errors(scene, setting, SPEED_S)
        lines.append(
            f"| {setting.grid_m:g} m | {setting.pin_hz:g} | {found.idf1:.2f} | {seconds(found.entries):.1f} s | "
            f"{whole:.2f} | {seconds(found.photos):.1f} s | {median(np.concatenate(list(wrong.values()))):.2f} m/s |"
        )
    return lines


def _crowds(scene: Scene) -> list[str]:
    lines = ["| people in view | IDF1 | followed, median | never lost |", "|---|---|---|---|"]
    rng = np.random.default_rng(8)
    numbers = np.array(sorted(scene.trails))
    some = [frozenset(rng.permutation(numbers)[: len(numbers) // 2].tolist()) for _ in range(5)]
    for name, worlds in (
        ("half of the people", [fewer(scene.frames, kept) for kept in some]),
        ("all of them", [scene.frames]),
        *((f"synthetic: {times} times over", [crowd(scene.frames, times)]) for times in (2, 3, 4)),
    ):
        scenes = [Scene.of(scene.data, world) for world in worlds]
        found = [follow(one, UNHIDDEN) for one in scenes]
        entries = [p for f in found for p in f.entries]
        lines.append(
            f"| {np.mean([one.in_view for one in scenes]):.0f} ({name}) | {np.mean([f.idf1 for f in found]):.2f} | "
            f"{seconds(entries):.1f} s | {mean(np.array([not p.lost for p in entries])):.2f} |"
        )
    return lines


def _thresholds(data: Path, each: int) -> list[str]:
    lines = [
        "| people | hide_below | view open | told, live | told, late | told, if at once | only one, told, late |",
        "|---|---|---|---|---|---|---|",
    ]
    watched = [(place, 0) for place in PLACES] + [(WATCHED, 3)]
    for place, always in watched:
        made = street(data, place, each, always)
        name = f"{place}, and {always} who never leave" if always else place
        for hide_below in HIDE_BELOW:
            live = [told(hour, hide_below, LIVE_MS) for hour in made]
            late = [told(hour, hide_below, LATE_MS) for hour in made]
            plain = [told(hour, hide_below, LATE_MS, at_once=True) for hour in made]
            opened = float(np.mean([f.open_share for f in late]))
            shares = [told_share(found, lambda f: f.told) for found in (live, late, plain)]
            shares.append(told_share(late, lambda f: f.only))
            lines.append(f"| {name} | {hide_below} | {opened:.2f} | {' | '.join(shares)} |")
    return lines


def main(arguments: Sequence[str]) -> int:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="fewer hours at the door")
    chosen = options.parse_args(arguments)
    print(table(Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve(), 2 if chosen.quick else 12))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
