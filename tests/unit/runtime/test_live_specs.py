"""What a worker is told of the live cameras of a charter, secrets included."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchglass.charter.parse import parse
from watchglass.core.errors import BadInput
from watchglass.perception.messages import SourceSpec
from watchglass.runtime.specs import specs_of

CHARTER = parse((Path(__file__).parents[2] / "spec/charters/every-kind.yaml").read_bytes())
SECRETS = {"quay_main": "rtsp://v:hunter2@quay/main", "gate-camera": "rtsps://v:hunter2@gate/"}


def secret(name: str) -> str:
    if name not in SECRETS:
        raise BadInput(f"There is no secret “{name}”.", fix="Set it.")
    return SECRETS[name]


def specs(media: Path) -> dict[str, SourceSpec]:
    made = specs_of(CHARTER, media, lambda _: (), realtime=True, start_ms=0, secret=secret)
    return {spec.name: spec for spec in made}


def test_each_kind_of_source_reaches_its_worker(tmp_path: Path) -> None:
    made = specs(tmp_path)
    quay, gate, stairs = made["quay"], made["gate"], made["stairs"]
    assert quay.kind == gate.kind == "rtsp"
    assert quay.uri.startswith("rtsp://quay.cameras.example:554/h264?")
    assert quay.record_uri == SECRETS["quay_main"]
    assert (quay.transport, quay.hardware, quay.size) == ("udp", True, (1920, 1080))
    assert quay.plane[1] == (1700, 1000, 12, 0)
    assert (gate.uri, gate.record_uri, gate.transport, gate.hardware) == (SECRETS["gate-camera"], None, "tcp", False)
    assert (stairs.kind, stairs.uri) == ("mjpeg", "http://stairs.cameras.example/video.mjpg")
    assert stairs.overhead
    assert stairs.gate == "always_open"
    assert {spec.kind for spec in made.values()} >= {"rtsp", "mjpeg"}
    assert all(not spec.loop for spec in made.values() if spec.kind != "file")
    webcams = [spec for spec in made.values() if spec.kind == "webcam"]
    assert all(spec.uri.startswith("/dev/") or spec.uri.isdecimal() for spec in webcams)


def test_a_missing_secret_is_said_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(SECRETS, "gate-camera")
    with pytest.raises(BadInput, match="gate-camera"):
        specs(tmp_path)


def test_without_a_folder_of_secrets_none_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="There are no secrets here"):
        specs_of(CHARTER, tmp_path, lambda _: (), realtime=True, start_ms=0)
