"""How steadily a camera was watched: words first, then the drawing, then every gap with its entries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from a_portal import Portal, make_portal

from watchglass.acts.heartbeat import Link, keep_beats, name_recorder
from watchglass.acts.run_record import start_run, stop_run
from watchglass.acts.watched_times import length, watched
from watchglass.bootstrap import House
from watchglass.core.time import DAY, HOUR, SECOND
from watchglass.ledger.keys import SignerKey
from watchglass.oversight.dark import Watch
from watchglass.perception.messages import Follow
from watchglass.runtime.pulse import Pulse
from watchglass.runtime.specs import heartbeat_of

PAGE = "/register/sources/street/heartbeats"


@pytest.fixture
def portal(tmp_path: Path) -> Iterator[Portal]:
    made = make_portal(tmp_path)
    yield made
    made.street.house.close()


class Log:
    """Runs through the real acts; long stretches of heartbeats as the act of keeping them leaves them."""

    def __init__(self, portal: Portal) -> None:
        self.portal, self.house = portal, portal.street.house
        charter = self.house.standing().charter
        assert charter is not None
        self.charter = charter
        self.run = ""

    @property
    def now_s(self) -> int:
        return self.house.clock.now() // SECOND

    def start(self) -> None:
        self.run = start_run(self.house.acting, self.charter, {}, ["street"]).value

    def stop(self) -> None:
        stop_run(self.house.acting, self.charter, self.run, "asked")

    def beats(self, seconds: int, state: str = "seen") -> None:
        """So long from now on, pass the time with heartbeats."""
        begin = self.now_s
        self.gap(seconds)
        values: dict[str, Any] = {
            "source": "street",
            "run": self.run,
            "state": state,
            "from_s": begin,
            "to_s": begin + seconds,
            "beats": seconds // 10,
            "first_leaf_hash": begin.to_bytes(32),
            "last_leaf_hash": (begin + 1).to_bytes(32),
        }
        self.house.store.commit(lambda tx: tx.insert("watched", values))

    def gap(self, seconds: int) -> None:
        """So long nothing comes."""
        self.portal.street.clock.advance(seconds * SECOND)

    def data(self) -> dict[str, Any]:
        answer = self.portal.someone().get(f"{PAGE}.json")
        assert answer.status_code == 200
        return dict(answer.json()["watched"])

    def text(self) -> str:
        answer = self.portal.someone().get(PAGE)
        assert answer.status_code == 200
        return answer.text


class Recorder:
    """Beats through the real act, as a worker does."""

    def __init__(self, house: House, run: str) -> None:
        charter = house.standing().charter
        assert charter is not None
        self.house, self.run = house, run
        key = SignerKey.generate("recorder/street", house.entropy)
        spec = heartbeat_of(charter, charter.source("street"), origin=house.origin)
        assert spec is not None
        self.pulse = Pulse("street", spec, key, house.entropy, {}, house.clock.now(), hung_ms=HOUR)
        self.follow(name_recorder(house.acting, charter, run, str(key.verifier), ["street"]).value["street"])

    def beat(self) -> None:
        self.pulse.live(self.house.clock.now(), frozenset({"on-the-lawn"}))
        while (data := self.pulse.due(self.house.clock.now())) is not None:
            kept = keep_beats(self.house.acting, self.run, [data]).value
            assert not kept.turned
            self.follow(kept.links["street"])

    def follow(self, link: Link) -> None:
        self.pulse.follow(Follow("street", self.run, link.sequence, link.leaf_hash, link.to_s))


def test_before_anything_was_watched_the_page_says_so(portal: Portal) -> None:
    log = Log(portal)
    assert "It was not watched yet" in log.text()
    assert log.data()["since_ms"] is None
    assert portal.someone().get("/register/sources/moon/heartbeats").status_code == 404


def test_a_steady_camera_has_no_dark_time(portal: Portal) -> None:
    log = Log(portal)
    log.start()
    log.beats(3600)
    text = log.text()
    assert "signs a heartbeat every 10 seconds." in text
    assert "No dark time since heartbeats are kept: wherever a heartbeat is missing, the ledger says why." in text
    assert "Nothing</h3>" in text
    data = log.data()
    assert (data["today"]["seen"], data["today"]["dark"]) == (3600, 0)


def test_a_gap_is_told_drawn_and_listed_with_its_entries(portal: Portal) -> None:
    log = Log(portal)
    log.start()
    log.beats(600)
    log.gap(75)
    log.beats(600, "blind")
    log.stop()
    log.gap(1200)
    log.start()
    log.beats(60, "idle")
    portal.street.house.sequencer.tick(("prompt", "batch"))
    text, data = log.text(), log.data()
    assert "1 minute 15 seconds of dark time since heartbeats are kept, all of it today" in text
    assert "For 10 minutes the camera sent no picture." in text
    assert "For 20 minutes it was stopped, and that is in the ledger." in text
    told = [(each["state"], each["seconds"]) for each in data["told"]]
    assert told == [("idle", 60), ("stopped", 1200), ("blind", 600), ("dark", 75)]
    runs = portal.street.house.store.read().all("SELECT idx FROM entry WHERE act LIKE 'run_%' ORDER BY idx")
    started, stopped, again = [row["idx"] for row in runs]
    assert data["told"][3]["entries"] == [None, started, stopped]  # the beats at its edges are on their way
    assert data["told"][1]["entries"] == [started, stopped, again]
    assert f'href="/ledger/entries/{stopped}"' in text
    for kind in ("beat-dark", "beat-blind", "beat-stopped"):
        assert f'<rect class="{kind}"' in text
    assert "style=" not in text


def test_not_one_dark_second_is_hidden_in_the_drawing(portal: Portal) -> None:
    log = Log(portal)
    log.start()
    log.beats(HOUR // SECOND)
    log.gap(1)
    log.beats(HOUR // SECOND)
    assert log.data()["days"]["dark"] == 1
    assert re.search(r'<rect class="beat-dark" x="\d+" y="280" width="8"', log.text())


def test_days_add_up_and_reach_back_four_weeks(portal: Portal) -> None:
    log = Log(portal)
    log.start()
    for _ in range(40):
        log.beats(DAY // SECOND - 100)
        log.gap(100)
    data = log.data()
    assert len(data["by_day"]) == 29
    assert data["days"]["dark"] == sum(day["sums"]["dark"] for day in data["by_day"])
    assert 28 * 100 <= data["days"]["dark"] <= 29 * 100
    whole = data["days"]
    assert whole["to_s"] - whole["from_s"] == whole["seen"] + whole["dark"] + whole["pending"]
    assert "in the last 28 days" in log.text()


def test_what_reaches_into_the_window_is_judged_by_what_came_before_it(portal: Portal) -> None:
    log = Log(portal)
    log.start()
    log.beats(600)
    log.stop()
    log.gap(40 * DAY // SECOND)
    log.start()
    log.beats(600)
    data = log.data()
    assert data["days"]["dark"] == 0
    assert data["days"]["stopped"] > 28 * DAY // SECOND
    assert data["told"][0]["state"] == "stopped"


def test_without_heartbeats_in_the_charter_nobody_can_tell(portal: Portal) -> None:
    portal.street.text = portal.street.text.replace("version: 1\n", "version: 2\n", 1)
    portal.street.publish((", heartbeat_every: 10s", ""))
    log = Log(portal)
    log.start()
    log.gap(3600)
    text = log.text()
    assert "The rules in force ask for no heartbeats, so nobody can tell" in text
    assert "For 1 hour the rules promised no heartbeats, so nobody can tell." in text
    assert log.data()["today"]["dark"] == 0


def test_the_demo_says_that_its_history_was_made(portal: Portal) -> None:
    log = Log(portal)
    log.start()
    log.beats(3600)
    assert "made" not in " ".join(log.data()["sentences"])
    house = portal.street.house
    made = {"key": "history_until", "value": str(house.clock.now())}
    house.store.commit(lambda tx: tx.insert("setting", made))
    text = log.text()
    assert "no camera was looked at then" in text
    assert re.search(r'<rect class="beat-seen beat-made" x="\d+" y="280"', text)
    log.gap(1800)
    log.beats(600)
    assert re.search(r'<rect class="beat-seen" x="\d+" y="280"', log.text())


def test_the_page_of_the_camera_tells_it_in_words_and_links_to_it(portal: Portal) -> None:
    log = Log(portal)
    log.start()
    log.beats(600)
    page = portal.someone().get("/register/sources/street")
    assert "No dark time since heartbeats are kept" in page.text
    assert f'href="{PAGE}"' in page.text
    assert "No dark time since heartbeats are kept" in portal.someone().get("/register").text
    twin = portal.someone().get("/register/sources/street.json").json()
    assert twin["watched"] == log.data()["sentences"]


def test_the_table_ends_somewhere_and_says_so(portal: Portal) -> None:
    log = Log(portal)
    log.start()
    for _ in range(5):
        log.beats(60)
        log.gap(60)
    found = watched(log.house.store.read(), log.charter, "street", log.house.clock.now(), most=3)
    assert [each.state for each in found.told] == [Watch.DARK] * 3
    assert found.more == 2


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(1, "1 second"), (3599, "59 minutes 59 seconds"), (3601, "1 hour 1 minute"), (172_801, "2 days 1 hour")],
)
def test_lengths_are_never_told_shorter_than_they_are(seconds: int, said: str) -> None:
    assert length(seconds) == said


def test_oversight_reads_it_of_every_camera(portal: Portal) -> None:
    log = Log(portal)
    log.start()
    log.beats(600)
    log.gap(75)
    log.beats(600)
    page = portal.person("oversight").get("/oversight").text
    assert "1 minute 15 seconds of dark time" in page
    assert f'href="{PAGE}"' in page


def test_heartbeats_do_not_crowd_everything_else_out_of_the_lists(portal: Portal) -> None:
    log = Log(portal)
    log.start()
    recorder = Recorder(log.house, log.run)
    for _ in range(30):
        log.gap(10)
        recorder.beat()
    log.house.sequencer.tick(("prompt", "batch"))
    someone = portal.someone()
    acts = [each["act"] for each in someone.get("/ledger.json").json()["entries"]]
    assert "heartbeat" not in acts
    assert "run_started" in acts
    page = someone.get("/ledger").text
    assert "Heartbeats are left out of this list" in page
    assert re.search(r'href="/ledger\?all=1&amp;before=\d+#entries"', page)
    everything = someone.get("/ledger.json?all=1").json()
    assert {each["act"] for each in everything["entries"]} == {"heartbeat"}
    assert re.search(r'href="/ledger\?all=1&amp;before=\d+#entries">Older', someone.get("/ledger?all=1").text)
    done = portal.person("oversight").get("/oversight.json").json()
    assert "heartbeat" not in {each["act"] for each in done["entries"]}
    assert done["acts"]["heartbeat"] == 30
    asked = portal.person("oversight").get("/oversight.json?act=heartbeat").json()
    assert {each["act"] for each in asked["entries"]} == {"heartbeat"}
