"""The demo's material is what its notice, charter and labels say, and the pipeline finds what is labelled."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from watchglass import demo
from watchglass.charter.lint import lint
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse, read
from watchglass.edge.encode import decode_png
from watchglass.edge.inference import load, shipped
from watchglass.edge.video import NeverSee
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.perception.messages import Clip, Incident, Report
from watchglass.review.model import Outcome, VerdictValue, check_reason
from watchglass.runtime.specs import specs_of
from watchglass.runtime.worker import run_once
from watchglass.views.backdrop import Backdrop
from watchglass.views.mosaic import mosaic
from watchglass.views.public import paint

PERSON = 0
SURE = 0.5


def vkey(name: str, kind: KeyType = KeyType.ED25519) -> str:
    return str(SignerKey.from_seed(name, hashlib.sha256(name.encode()).digest(), kind).verifier)


@pytest.fixture(scope="module")
def charter_text() -> str:
    text = demo.CHARTER.read_text("utf-8")
    for name, value in {
        "AUTHORITY_KEY": vkey("authority"),
        "OVERSIGHT_KEY": vkey("oversight"),
        "OPENINGS_KEY": base64.b64encode(bytes(32)).decode(),
        "WITNESS_KEY": vkey("witness", KeyType.COSIGNATURE_V1),
        "WITNESS_URL": "http://127.0.0.1:8601",
        "MODEL_HASH": f"sha256:{shipped().sha256}",
        "FROM": "2026-01-01",
        "UNTIL": "2026-12-31",
        "CONTROL-ROOM_CUSTODIAN": vkey("control-room"),
        "DPO_CUSTODIAN": vkey("dpo"),
        "OVERSIGHT_CUSTODIAN": vkey("oversight-custodian"),
        "GLASS_KEY": base64.b64encode(bytes(31) + b"\x09").decode(),
    }.items():
        assert f'"@{name}@"' in text
        text = text.replace(f"@{name}@", value)
    return text


@pytest.fixture(scope="module")
def charter(charter_text: str) -> Charter:
    return parse(charter_text.encode())


@pytest.fixture(scope="module")
def reports(charter: Charter) -> list[Report]:
    """Everything that the real pipeline says about the clip, once from its beginning to its end."""
    (spec,) = specs_of(
        charter, Path(str(demo.FOLDER)), lambda _: (("day", demo.BACKDROP.read_bytes()),), realtime=False, start_ms=0
    )
    found: list[Report] = []
    ended = run_once(spec, load(), found.append)
    assert ended.error is None
    assert ended.frames == 610
    return found


def incidents(reports: list[Report]) -> list[Incident]:
    return [report for report in reports if isinstance(report, Incident)]


def labels() -> list[dict]:
    return json.loads(demo.LABELS.read_text("utf-8"))["labels"]


def test_the_clip_is_a_camera_s_minute():
    data = demo.STREET.read_bytes()
    assert len(data) < 2_500_000
    with av.open(io.BytesIO(data)) as container:
        (stream,) = container.streams
        assert (stream.codec_context.name, stream.width, stream.height) == ("h264", 768, 576)
        assert stream.average_rate == Fraction(10)
        assert not stream.codec_context.has_b_frames
        packets = [packet for packet in container.demux(stream) if packet.size]
    assert 600 <= len(packets) <= 790
    assert [at for at, packet in enumerate(packets) if packet.is_keyframe] == list(range(0, len(packets), 10))


def test_the_notice_names_source_licence_and_hash():
    notice = demo.NOTICE.read_text("utf-8")
    for word in (
        "opencv-doc",
        "PETS 2009",
        "Apache-2.0",
        "45cddc9490be69345cbdab64ca583be65987e864ca408038e648db99e10516cf",
    ):
        assert word in notice


def test_nobody_is_in_the_backdrop():
    """The detector finds no person in it that it does not take a cone or a tripod for, at the tracker's threshold."""
    backdrop = Backdrop.from_png(demo.BACKDROP.read_bytes())
    assert backdrop.size == (768, 576)
    assert backdrop.share > 0.97
    found = load().detect(paint(backdrop, backdrop.size, ()))
    assert found.scores[found.kinds == PERSON].max(initial=0) < SURE


def test_what_may_never_be_seen_is_black_in_the_backdrop(charter: Charter):
    (source,) = charter.sources
    backdrop = Backdrop.from_png(demo.BACKDROP.read_bytes())
    probe = np.full((576, 768, 3), 255, np.uint8)
    NeverSee(tuple(area.corners for area in source.never_see)).blacken(probe, 768, 576)
    assert (probe == 0).any()
    assert not backdrop.bgr[(probe == 0).all(axis=2)].any()


def test_the_charter_passes_its_own_checks(charter_text: str, charter: Charter):
    findings = lint(read(charter_text.encode()), "demo")
    loud = [finding.rule for finding in findings if finding.severity != "notice"]
    assert loud == ["break-glass"], findings  # which the demo shows on purpose
    assert {analytic.kind for analytic in charter.analytics} == {
        "intrusion",
        "crowd_density",
        "wrong_way",
        "camera_fault",
    }


def test_each_label_is_one_that_a_reviewer_could_give(charter: Charter):
    told = json.loads(demo.LABELS.read_text("utf-8"))
    assert told["maker"] == "a developer who viewed the clip"
    assert told["clip_sha256"] == hashlib.sha256(demo.STREET.read_bytes()).hexdigest()
    for label in labels():
        charter.analytic(label["analytic"])
        verdict = VerdictValue(label["verdict"])
        assert check_reason(verdict, label["reason"]) == label["reason"]
        assert (label["outcome"] is not None) == (verdict is VerdictValue.CONFIRM)
        assert label["outcome"] is None or Outcome(label["outcome"])
        assert 0 <= label["from_ms"] < label["until_ms"] <= 61_000
        assert label["seen"]


def test_every_incident_on_the_clip_has_one_label_and_some_are_right_and_some_wrong(reports: list[Report]):
    verdicts = []
    for incident in incidents(reports):
        fitting = [
            label
            for label in labels()
            if label["analytic"] == incident.analytic and label["from_ms"] <= incident.at_ms <= label["until_ms"]
        ]
        assert len(fitting) == 1, f"{incident.at_ms}: {incident.why}"
        verdicts.append(fitting[0]["verdict"])
    assert set(verdicts) == {"confirm", "reject"}


def test_one_to_four_alerts_a_minute(reports: list[Report]):
    assert 1 <= len(incidents(reports)) <= 4
    assert not [incident for incident in incidents(reports) if incident.kind == "camera_fault"]


def test_no_person_is_in_what_the_public_sees(reports: list[Report]):
    """In the painted stills the detector finds nothing that it would take for a person: marks are discs."""
    detector = load()
    for incident in incidents(reports):
        found = detector.detect(decode_png(incident.still))
        assert found.scores[found.kinds == PERSON].max(initial=0) < SURE


def test_the_clips_of_the_incidents_are_mosaicked(reports: list[Report]):
    clips = [report for report in reports if isinstance(report, Clip)]
    assert len(clips) == len(incidents(reports))
    for clip in clips:
        assert 0.05 < clip.masked_share < 0.7
        assert 6 <= clip.seconds <= 9


def test_a_mosaic_hides_people_from_the_detector():
    """On every fifth second of the clip: of the people whom the detector finds in it, few are found behind the mosaic.

    A mosaic is not anonymity; a detector that was trained on people still takes some mosaicked figures for people. What
    is tested is that the picture behind them is gone.
    """
    detector, backdrop = load(), Backdrop.from_png(demo.BACKDROP.read_bytes())
    seen = found_again = 0
    with av.open(io.BytesIO(demo.STREET.read_bytes())) as container:
        for at, frame in enumerate(container.decode(video=0)):
            if at % 50:
                continue
            bgr = frame.to_ndarray(format="bgr24")
            people = detector.detect(bgr)
            hidden, _ = mosaic(bgr, backdrop, people.boxes)
            seen += int(((people.kinds == PERSON) & (people.scores > SURE)).sum())
            again = detector.detect(hidden)
            found_again += int(((again.kinds == PERSON) & (again.scores > SURE)).sum())
    assert seen > 40
    assert found_again < seen / 3
