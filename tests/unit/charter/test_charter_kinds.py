"""Lines, cameras, destinations and kinds of incident: what fits together, and what is refused with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchglass.charter.lint import lint
from watchglass.charter.model import LIFE_SAFETY, Charter, Fall, PersonDown, RtspSource, WrongWay
from watchglass.charter.parse import CharterErrors, CharterRefused, parse, read
from watchglass.charter.words import explain, sentence

TEXT = (Path(__file__).parents[2] / "spec" / "charters" / "every-kind.yaml").read_text(encoding="utf-8")


def changed(old: str, new: str) -> bytes:
    assert old in TEXT, old
    return TEXT.replace(old, new, 1).encode()


def test_it_reads_what_is_written() -> None:
    charter = parse(TEXT.encode())
    quay = charter.source("quay")
    assert isinstance(quay, RtspSource)
    assert (quay.transport, quay.hardware, quay.record_url_secret) == ("udp", True, "quay_main")
    assert quay.zone("one-way").points == ((900, 500), (900, 1000))
    assert quay.view is not None
    assert quay.view.plane[2].m == (12, 20)
    assert isinstance(charter.analytic("one-way"), WrongWay)
    assert charter.analytic("running").settings == {"people": 5, "speed_m_s": 3.0, "for_ms": 2000}
    assert {"crowd_density", "crowd_surge", "fall", "person_down"} == LIFE_SAFETY
    assert {Fall.kind, PersonDown.kind} < LIFE_SAFETY


REFUSED = [
    ("line: [[900,500],[900,1000]]", "line: [[900,500],[900,500]]", "no length"),
    ("line: [[900,500],[900,1000]]", "line: [[900,500],[900,1000],[5,5]]", "2 to 2 parts"),
    ("line: [[900,500],[900,1000]]", "line: [[900,500],[900,1081]]", "outside the picture"),
    ("line: [[900,500],[900,1000]]", "polygon: [[0,0],[90,90],[0,80],[70,0]]", "crosses itself"),
    ("line: [[900,500],[900,1000]]", "polygon: [[0,0],[9,9],[18,18]]", "no area"),
    ("line: [[900,500],[900,1000]]", "line: [[900,500],[900,1000]], area_m2: 4", "no area"),
    ("{line: [[900,500],[900,1000]]}", "{area_m2: 4}", "either a polygon or a line"),
    ("zone: one-way, purpose", "zone: apron, purpose", "needs a line"),
    ("kind: crowd_surge, source: quay, zone: apron", "kind: crowd_surge, source: quay, zone: one-way", "needs an area"),
    ("transport: udp", "transport: sctp", "tcp or udp"),
    ("rtsp://quay.cameras", "rtsp://admin:secret@quay.cameras", "password stands in this address"),
    ("record_url_secret: quay_main ", "url_secret: quay_main ", "one address"),
    ("    url_secret: gate-camera\n", "", "one address"),
    ("    url_secret: gate-camera\n", "    url_secret: a\n    url: rtsp://b.example/c\n", "twice"),
    ("    url: http://stairs.cameras.example/video.mjpg\n", "", "no address"),
    ("https://harbour.", "ftp://harbour.", "an address such as"),
    ("https://harbour.", "https://x:y@harbour.", "password stands in this address"),
    ("tell: [harbour-master, control-room]", "tell: [harbour-mistress]", "no destination called"),
    ("tell: [harbour-master, control-room]", "tell: [control-room, control-room]", "twice"),
    ("for: 5s}\n  fall", "for: 5s, notify: at_once}\n  fall", "danger to life"),
    ("purpose: safety, for: 15s", "purpose: safety, for: 9s", "ten seconds"),
    ("zone: landing, purpose: safety, for: 1s", "zone: landing, purpose: safety, for: 4s", "three seconds"),
    ("    username: watchglass\n", "", "needs a password"),
    ("topic: watchglass/port", "topic: watchglass/#", "topic such as"),
    ("currency: EUR", "currency: euros", "three capital letters"),
    ("{at: [650, 500], m: [0, 20]}", "{at: [650, 500], m: [0, 2000000]}", "outside"),
]


@pytest.mark.parametrize(("old", "new", "says"), REFUSED)
def test_what_does_not_fit_is_refused_where_it_stands(old: str, new: str, says: str) -> None:
    with pytest.raises(CharterErrors) as caught:
        parse(changed(old, new))
    assert any(says in fault.message + fault.fix for fault in caught.value.faults), caught.value.lines()
    assert all(fault.line > 1 for fault in caught.value.faults)


def test_points_on_one_line_make_no_plane() -> None:
    text = TEXT
    for i, at in enumerate(("[300, 1000]", "[1700, 1000]", "[1300, 500]", "[650, 500]")):
        text = text.replace(f"at: {at}", f"at: [{100 * (i + 1)}, {50 * (i + 1)}]", 1)
    with pytest.raises(CharterErrors, match="on one line"):
        parse(text.encode())


def test_what_measures_metres_needs_a_view() -> None:
    text = changed(
        "kind: stopped_vehicle, source: gate, zone: lane, purpose: traffic, for: 60s",
        "kind: unattended_object, source: gate, zone: lane, purpose: traffic, for: 60s",
    ).decode()
    parse(text.encode())
    with pytest.raises(CharterErrors, match="how wide its view is"):
        parse(text.replace("    view: {width_m: 12}\n", "", 1).encode())


def test_a_crowd_needs_an_area_or_a_plane() -> None:
    start = TEXT.index("      plane:")
    end = TEXT.index("    zones:", start)
    with pytest.raises(CharterErrors, match="states no size"):
        parse((TEXT[:start] + TEXT[end:]).encode())


def test_loitering_is_refused_with_the_reason() -> None:
    with pytest.raises(CharterRefused, match="on purpose"):
        parse(changed("kind: stopped_vehicle", "kind: loitering"))


def test_every_kind_has_a_sentence_for_people() -> None:
    charter: Charter = parse(TEXT.encode())
    sentences = {sentence(charter, analytic) for analytic in charter.analytics}
    assert len(sentences) == len(charter.analytics)
    assert all(text.startswith("Tells a person when ") and text.endswith(".") for text in sentences)
    words = " ".join(text for section in explain(charter) for text in section.sentences)
    assert "The harbour master's office gets a message at once" in words
    assert "quay_main" not in words


def test_messages_in_the_clear_are_for_this_building_only() -> None:
    def found(data: bytes) -> list[str]:
        return [finding.path for finding in lint(read(data)) if finding.rule == "in-the-clear"]

    assert found(TEXT.encode()) == []
    assert found(changed("https://harbour.exampleton.example", "http://harbour.exampleton.example")) == [
        "destinations.harbour-master"
    ]
    assert found(changed("https://harbour.exampleton.example", "http://192.168.1.7")) == []
    assert found(changed("tls: true", "tls: false")) == ["destinations.control-room"]


def test_a_destination_and_a_plug_in_that_nothing_uses_are_told() -> None:
    data = changed("tell: [harbour-master, control-room]", "tell: [control-room]")
    assert "destinations.harbour-master" in {f.path for f in lint(read(data)) if f.rule == "unused"}
