"""What workers say of moments without an alert becomes samples, and their clips are kept; without a clause nothing."""

from __future__ import annotations

from pathlib import Path

from watchglass.perception.messages import DRAWN_OF, Clip, SamplesSpec, Unalerted
from watchglass.runtime.bus import Bus
from watchglass.runtime.intake import Intake
from watchglass.runtime.specs import samples_of
from world import make_house

ASKED = "review: {within: 2m}\n  samples: {near_misses: 5%, very_near_misses: 20%, quiet_a_day: 1, kept: 7d}"


def test_a_drawn_moment_and_its_clip_are_taken_and_no_alert_comes_of_it(tmp_path: Path) -> None:
    with make_house(tmp_path) as world:
        intake = Intake(world.house.acting, world.house.standing, Bus())
        charter = world.house.standing().charter
        assert charter is not None
        assert samples_of(charter) is None
        analytic = charter.analytics[0]
        now, number = world.clock.now(), "00000000000000aa"
        moment = Unalerted(number, analytic.source, analytic.name, "near", now, 7, 50_000_000, 600)
        intake.record(moment)  # the charter does not ask for it
        assert intake.tally.refused == 1
        world.publish(world.edited(("review: {within: 2m}", ASKED)))
        charter = world.house.standing().charter
        assert charter is not None
        assert samples_of(charter) == SamplesSpec(DRAWN_OF // 20, DRAWN_OF // 5, 11_574)
        intake.record(moment)
        intake.record(Clip(number, analytic.source, b"film", 8.0, 0.3))
        intake.record(Clip("00000000000000bb", analytic.source, b"nobody's", 8.0, 0.3))
        reader = world.house.store.read()
        [row] = reader.all("SELECT id, path FROM sample")
        assert (row["id"], row["path"] is not None) == (number, True)
        assert not intake.waits
        assert reader.one("SELECT 1 FROM alert") is None
        assert len(list(world.house.acting.clips.kept())) == 1
