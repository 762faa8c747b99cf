"""Near-misses: one for one happening, at its nearest, none of what became an alert; and quiet moments drawn blindly."""

from __future__ import annotations

import pytest
from test_kinds_rules import scene

from watchglass.edge.entropy import SeededEntropy
from watchglass.perception.analytics import build
from watchglass.perception.analytics.nearing import Nearing, up_to
from watchglass.perception.messages import DRAWN_OF, AnalyticSpec, SamplesSpec, SourceSpec, Unalerted, ZoneSpec
from watchglass.perception.observation import Tracks
from watchglass.perception.ports import Packet
from watchglass.perception.ring import ClipOrder, Ring
from watchglass.perception.sampling import Sampling

ALWAYS = SamplesSpec(DRAWN_OF, DRAWN_OF, 0)
RULE = AnalyticSpec("quay", "intrusion", None, {"for_ms": 2000})


def sampling(asked: SamplesSpec | None) -> tuple[Sampling, Ring]:
    ring = Ring("street", 4000, 4000)
    return Sampling(SourceSpec("street", "film", (), samples=asked), ring, SeededEntropy("s")), ring


def packet(at_ms: int) -> Packet:
    return Packet(at_ms=at_ms, keyframe=at_ms % 1000 == 0, size=10, payload=None)


def run(asked: SamplesSpec | None, near: dict[int, float], until: int, raised: int | None = None) -> list[object]:
    """What comes of a rule that is so near at these times, looked at five times a second."""
    found: list[object] = []
    made, ring = sampling(asked)
    nearing = Nearing()
    for at_ms in range(0, until, 200):
        if at_ms in near:
            nearing.saw(at_ms, near[at_ms])
        if at_ms == raised:
            made.raised("quay", at_ms)
        ring.saw(Tracks.none(at_ms))
        found += made.looked(RULE, nearing, at_ms)
        ring.keep(packet(at_ms))
    return found


def test_one_happening_is_one_near_miss_at_its_nearest() -> None:
    moment, order = run(ALWAYS, {4000: 0.6, 6000: 0.8, 8000: 0.55}, 30_000)
    assert isinstance(moment, Unalerted)
    assert (moment.at_ms, moment.closeness, moment.band, moment.kind) == (6000, 800, "very_near", "near")
    assert isinstance(order, ClipOrder)
    assert (order.incident, order.start_ms, order.end_ms, order.whole) == (moment.id, 2000, 10_000, True)
    assert [order.packets[0].at_ms, order.packets[-1].at_ms] == [2000, 10_000]


def test_what_is_not_drawn_is_counted_and_makes_no_clip() -> None:
    [moment] = run(SamplesSpec(1, 1, 0), {4000: 0.6}, 12_000)
    assert isinstance(moment, Unalerted)
    assert not moment.drawn


@pytest.mark.parametrize(("near", "raised"), [({4000: 0.6, 4200: 1.0}, None), ({4000: 0.6}, 5000), ({4000: 0.4}, None)])
def test_what_became_an_alert_or_never_came_near_is_none(near: dict[int, float], raised: int | None) -> None:
    assert run(ALWAYS, near, 30_000, raised) == []


def test_without_the_clause_nothing_is_drawn() -> None:
    assert run(None, {4000: 0.6}, 30_000) == []


def test_quiet_moments_fall_on_every_second_alike_and_not_near_an_alert() -> None:
    often = SamplesSpec(1, 1, DRAWN_OF // 50)
    moments = [each for each in run(often, {}, 3_600_000) if isinstance(each, Unalerted)]
    assert 40 < len(moments) < 105  # 72 are expected
    assert all(each.kind == "quiet" and each.closeness is None and each.drawn for each in moments)
    alerted = [each for each in run(often, {}, 3_600_000, 1_800_000) if isinstance(each, Unalerted)]
    # nothing else changes: what was drawn has nothing to do with what happened
    assert alerted == [each for each in moments if abs(each.at_ms - 1_800_000) > 62_000]
    assert len(alerted) < len(moments)


def test_a_rule_of_an_amount_and_a_time_counts_both() -> None:
    assert up_to(0.79, 0) == 0
    assert up_to(0.8, 0) == pytest.approx(0.5)
    assert up_to(1, 0.5) == pytest.approx(0.875)


ZONE = ZoneSpec("z", ((0.0, 0.0), (400.0, 0.0), (400.0, 400.0), (0.0, 400.0)), area_m2=20.0)


def nearest(kind: str, settings: dict[str, object], looks: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The near-misses of a rule that sees so many people at these times: (when, thousandths)."""
    rule = build(AnalyticSpec("r", kind, ZONE, settings))
    found = []
    for at_ms, people in looks:
        rule.see(scene(at_ms, *((n + 1, 0, (20.0 + 30 * n, 100.0, 40.0 + 30 * n, 160.0)) for n in range(people))))
        found += [(each.at_ms, round(1000 * each.closeness)) for each in rule.nearing.over(at_ms)]  # type: ignore[attr-defined]
    return found


def test_somebody_who_leaves_in_time_was_near() -> None:
    looks = [(at, 1 if at <= 1600 else 0) for at in range(0, 12_000, 200)]
    assert nearest("intrusion", {"for_ms": 2000}, looks) == [(1600, 800)]
    stays = [(at, 1 if at <= 2400 else 0) for at in range(0, 12_000, 200)]
    assert nearest("intrusion", {"for_ms": 2000}, stays) == []


def test_a_crowd_below_the_limit_was_near() -> None:
    looks = [(at, 5 if 2000 <= at <= 4000 else 2) for at in range(0, 16_000, 200)]
    settings: dict[str, object] = {"people_per_m2": 0.3, "for_ms": 20_000}
    [(at, closeness)] = nearest("crowd_density", settings, looks)
    assert (at, closeness) == (2000, 542)  # 5 of 6 people: 83 % of the limit
    over = [(at, 6 if 2000 <= at <= 12_000 else 2) for at in range(0, 24_000, 200)]
    assert nearest("crowd_density", settings, over) == [(12_000, 875)]
