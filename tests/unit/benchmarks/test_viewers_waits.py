"""What the measurement of the public view counts: until the last viewer has a report, or a newer one."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3] / "benchmarks"))

import viewers


def line(number: int) -> bytes:
    pins = [[pin.x, pin.y, pin.kind] for pin in viewers._pins(number)]
    return f"data: {json.dumps({'pins': sorted(pins)})}".encode()


def test_each_report_says_which_it_is() -> None:
    assert [viewers._number(line(number)) for number in range(viewers.SECONDS[False] * viewers.HZ)] == list(
        range(viewers.SECONDS[False] * viewers.HZ)
    )
    assert viewers._number(b'data: {"pins": []}') == -1


def test_the_last_viewer_counts_and_a_newer_report_stands_for_one_that_was_skipped() -> None:
    quick = [(1.010, line(0)), (2.020, line(1)), (3.010, line(2)), (4.010, line(3))]
    slow = [(1.100, line(0)), (3.300, line(2)), (4.400, line(3))]
    waits = viewers._waits([1.0, 2.0, 3.0, 4.0], [quick, slow])
    assert [round(wait) for wait in waits] == [100, 1300, 300]


def test_a_viewer_who_hears_no_more_is_not_passed_over() -> None:
    waits = viewers._waits([1.0, 2.0, 3.0], [[(1.1, line(0))], [(1.1, line(0)), (2.1, line(1)), (3.1, line(2))]])
    assert waits[1] == float("inf")
