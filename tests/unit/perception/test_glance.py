"""When a stream is glanced at between its keyframes, and what a glance is taken to show."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from watchglass.perception.glance import EARLY_MS, LATE_MS, Glances, Trigger
from watchglass.perception.ports import Packet

SHAPE = (60, 90)
FRAME_MS = 40


def packet(at_ms: int, *, key: bool = False) -> Packet:
    return Packet(at_ms, key, 1000, None)


def planned(weights: dict[int, int], until_ms: int = 2000, usual: int = 1000) -> list[int]:
    """Capture times of the packets that are glanced at in one group; ``weights`` where they are not usual."""
    glances = Glances()
    for group in range(3):
        glances.begin(packet(2000 * group, key=True))
        for at in range(FRAME_MS, 2000, FRAME_MS):
            glances.consider(packet(2000 * group + at), usual)
    glances.begin(packet(6000, key=True))
    chosen = [glances.consider(packet(6000 + at), weights.get(at, usual)) for at in range(FRAME_MS, until_ms, FRAME_MS)]
    return [p.at_ms - 6000 for p in chosen if p is not None]


def test_once_a_second_at_the_packet_that_stands_out_most() -> None:
    assert planned({1000: 1100, 1120: 1300, 1200: 1200}) == [1120]
    assert planned({200: 1300, 1200: 1100}) == [1200]  # too early to be worth it


def test_a_long_group_is_glanced_at_again_and_again() -> None:
    at = [0, *planned({}, until_ms=12_000), 12_000]
    assert len(at) >= 10
    assert all(EARLY_MS <= b - a <= 2 * LATE_MS for a, b in pairwise(at))


def test_groups_of_a_second_need_no_glances() -> None:
    assert planned({}, until_ms=1000) == []


def test_what_comes_before_its_time_is_not_glanced_at() -> None:
    """Pictures that are predicted from both sides: coded after the one that is shown after them."""
    glances = Glances()
    glances.begin(packet(0, key=True))
    chosen = []
    for at in range(0, 2000, 160):
        for later in (160, 40, 80, 120):
            taken = glances.consider(packet(at + later), 9000 if later == 80 else 1000)
            chosen += [taken.at_ms] if taken else []
    assert chosen
    assert all(at % 160 == 0 for at in chosen)


def test_a_packet_that_stands_out_far_is_glanced_at_at_once() -> None:
    assert planned({400: 4000})[0] == 400


def test_a_packet_that_is_large_in_every_group_stands_out_no_more() -> None:
    trigger = Trigger()
    for group in range(6):
        for index in range(50):
            trigger.weigh(3500 if index == 1 else 1000 + 10 * (index % 7))
        trigger.renew(2000 * group, 20_000)
    assert not trigger.stands_out(3600)
    assert trigger.stands_out(6000)


def test_one_packet_of_each_group_that_is_always_large_is_not_preferred() -> None:
    """What is larger than the other ones says more, even if it is smaller than that one."""
    glances = Glances()
    for group in range(6):
        glances.begin(packet(2000 * group, key=True))
        chosen = []
        for at in range(FRAME_MS, 2000, FRAME_MS):
            weight = 3500 if at == 1000 else 1300 if at == 1200 else 1000 + at % 7
            taken = glances.consider(packet(2000 * group + at), weight)
            chosen += [taken.at_ms - 2000 * group] if taken else []
    assert chosen == [1200]


def test_where_nothing_is_coded_in_next_to_nothing_sizes_say_that_nothing_changed() -> None:
    trigger = Trigger()
    for i in range(100):
        trigger.weigh(115 + i % 10)
    trigger.renew(0, 70_000)
    assert trigger.calm(140)
    assert not trigger.calm(260)
    trigger.renew(0, 5_000)  # beside small keyframes it is not next to nothing
    assert not trigger.calm(120)


def test_on_a_keyframe_that_was_passed_over_a_glance_rests_only_if_some_packet_is_larger() -> None:
    glances = Glances()
    for group in range(3):
        glances.begin(Packet(2000 * group, True, 70_000, None))
        for at in range(FRAME_MS, 2000, FRAME_MS):
            glances.consider(packet(2000 * group + at), 115 + at % 11)
    assert glances.calm
    for group, weight in ((3, 120), (4, 200)):
        glances.begin(Packet(2000 * group, True, 70_000, None), passed=True)
        taken = [
            glances.consider(packet(2000 * group + at), weight if at == 1600 else 120)
            for at in range(FRAME_MS, 2000, FRAME_MS)
        ]
        assert [p.at_ms for p in taken if p] == ([] if weight == 120 else [2000 * group + 1600])
        assert glances.calm == (weight == 120)


def test_where_sizes_tell_whatever_is_larger_than_usual_is_glanced_at_at_once() -> None:
    glances = Glances()
    for group in range(4):
        glances.begin(Packet(2000 * group, True, 70_000, None), passed=group == 3)
        weights = {at: 230 if (group, at) == (3, 400) else 115 + at % 11 for at in range(FRAME_MS, 2000, FRAME_MS)}
        taken = [glances.consider(packet(2000 * group + at), weight) for at, weight in weights.items()]
    assert next(p.at_ms for p in taken if p) == 6400


def test_a_trigger_that_misfires_is_switched_off_and_tried_again_later() -> None:
    trigger = Trigger()
    for _ in range(64):
        trigger.weigh(1000)
    trigger.renew(0, 20_000)
    assert trigger.stands_out(4000)
    assert not trigger.stands_out(1500)
    for _ in range(20):
        trigger.turned_out(1000, seen=False)
    assert trigger.off
    assert not trigger.stands_out(4000)
    trigger.renew(300_000, 20_000)
    assert trigger.off
    trigger.renew(700_000, 20_000)
    assert not trigger.off
    assert trigger.stands_out(4000)
    for _ in range(100):
        trigger.turned_out(701_000, seen=True)
    assert not trigger.off


def still(rng: np.random.Generator, sigma: float) -> np.ndarray:
    return rng.normal(0, sigma, SHAPE).astype(np.float32)


@pytest.mark.parametrize("sigma", [0.0, 1.0, 3.0])
def test_noise_is_no_motion_and_a_person_is_once_the_noise_is_known(sigma: float) -> None:
    rng, glances = np.random.default_rng(4), Glances()
    seen = [glances.judge(i, still(rng, sigma)) for i in range(300)]
    assert sum(seen[60:]) <= 3
    moving = still(rng, sigma)
    moving[20:30, 40:44] += 20
    assert glances.judge(300, moving)


def test_where_something_always_sways_it_is_no_news_and_elsewhere_it_is() -> None:
    rng, glances = np.random.default_rng(5), Glances()

    def tree() -> np.ndarray:
        changes = still(rng, 0.5)
        changes[5:20, 5:20] += rng.normal(0, 12, (15, 15)).astype(np.float32)
        return changes

    for i in range(120):
        if glances.judge(i, tree()):
            glances.turned_out(real=False)
    assert sum(glances.judge(i, tree()) for i in range(200, 260)) <= 3
    person = tree()
    person[40:50, 60:64] += 20
    assert glances.judge(300, person)


def test_what_was_real_is_not_learned_as_noise() -> None:
    rng, glances = np.random.default_rng(6), Glances()
    for i in range(50):
        glances.judge(i, still(rng, 0.5))
    for i in range(50):
        person = still(rng, 0.5)
        person[40:50, 60:64] += 15
        assert glances.judge(100 + i, person), i
        glances.turned_out(real=True)


def test_a_cloud_changes_everything_and_is_no_motion() -> None:
    rng, glances = np.random.default_rng(7), Glances()
    assert not any(glances.judge(i, still(rng, 0.5) + np.float32(6)) for i in range(50))
