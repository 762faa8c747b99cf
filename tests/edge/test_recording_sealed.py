"""From the camera's packets to sealed segments: a real video, the real line, a house that keeps what it cannot read."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from guarded import CUSTODIANS, Guarded, guarded
from watchglass.bootstrap import SeededEntropy
from watchglass.core import canonical
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, month_of
from watchglass.demo import CHARTER
from watchglass.edge.inference import load
from watchglass.edge.video import VideoFile
from watchglass.evidence.envelope import open_sealed
from watchglass.evidence.header import read_header
from watchglass.evidence.shares import recover, unwrap_shares
from watchglass.ledger.keys import SignerKey
from watchglass.perception.messages import Incident, Report, Sealed, SourceSpec
from watchglass.records.statement import SignedStatement
from watchglass.runtime.bus import Bus
from watchglass.runtime.intake import Intake
from watchglass.runtime.live import Live
from watchglass.runtime.sealing import keys_of, subsets_of
from watchglass.runtime.specs import sealing_of, specs_of
from watchglass.runtime.supervisor import Supervisor
from watchglass.runtime.worker import run_once

STREET = CHARTER.with_name("street.mp4")
BEGINS = 60 * SECOND


_LINES = CHARTER.read_text("utf-8").splitlines(keepends=True)
_PLACE = _LINES.index("    never_see:\n")
NEVER_SEE = "".join(_LINES[_PLACE : _PLACE + 2])
"""What the demo's camera hides."""


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Guarded]:
    with guarded(tmp_path, media=STREET, edits=[(NEVER_SEE, "")]) as made:
        yield made


Street = tuple[Guarded, tuple[Report, ...]]


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """Such a house, and what its worker reports of the whole video."""
    with guarded(tmp_path_factory.mktemp("street"), media=STREET, edits=[(NEVER_SEE, "")]) as made:
        yield made, tuple(filmed(made))


def spec_of(scene: Guarded) -> SourceSpec:
    """The source as its worker is told of it."""
    house, charter = scene.world.house, scene.world.standing().charter
    assert charter is not None
    statements = tuple(
        bytes(row["statement"])
        for row in house.store.read().all("SELECT statement FROM sealing_key ORDER BY custodian")
    )
    (spec,) = specs_of(
        charter,
        house.layout.media,
        lambda _: (),
        realtime=False,
        start_ms=scene.now - BEGINS,
        sealing=lambda source: sealing_of(charter, source, origin=house.origin, statements=statements),
    )
    return spec


def filmed(scene: Guarded, spec: SourceSpec | None = None) -> list[Report]:
    """What a worker reports of the whole video."""
    reports: list[Report] = []
    run_once(spec or spec_of(scene), load(), reports.append, entropy=SeededEntropy("filmed"))
    return reports


def opened(scene: Guarded, data: bytes, *who: str) -> bytes:
    """The video in a sealed segment, for these custodians together."""
    header = read_header(data)
    return open_sealed(data, recover(header, [unwrap_shares(header, name, scene.sealing[name]) for name in who]))


def test_what_lies_around_an_incident_is_sealed_and_kept_and_is_the_cameras_own_video(street: Street) -> None:
    scene, reports = street
    incidents = {report.id: report for report in reports if isinstance(report, Incident)}
    sealed = [report for report in reports if isinstance(report, Sealed)]
    assert incidents
    assert sealed
    for each in sealed:
        assert each.incident is not None
        near = incidents[each.incident].at_ms
        assert near - 20 * SECOND - 2 * SECOND <= each.from_ms < each.to_ms <= near + 120 * SECOND
    house = scene.world.house
    intake = Intake(house.acting, house.standing, Bus())
    for report in reports:
        if isinstance(report, Incident | Sealed):
            intake.record(report)
    assert intake.vault.settle(60)
    assert not intake.waits
    intake.close()
    assert intake.tally.lost == 0
    assert len(scene.world.records("segment_sealed")) == len(sealed)
    rows = house.store.read().all("SELECT * FROM segment ORDER BY from_ms")
    file = VideoFile(STREET)
    shown = [(packet.at_ms, packet) for packet in file.packets(scene.now - BEGINS)]
    for row in rows:
        data = bytes(row["header"]) + house.acting.objects.read(row["path"])
        mp4 = opened(scene, data, "dpo", "oversight")
        assert b"encoder" not in mp4
        with av.open(io.BytesIO(mp4)) as container:
            kept = [bytes(packet) for packet in container.demux(video=0) if packet.size]
        original = [bytes(p.payload) for at, p in shown if row["from_ms"] <= at < row["to_ms"]]  # type: ignore[call-overload]
        assert kept == original
    for path in scene.world.layout.root.rglob("*"):
        if path.is_file() and path.name != "street.mp4":
            assert original[0][:64] not in path.read_bytes(), "no original lies anywhere in the clear"


def test_the_house_cannot_open_what_it_keeps_nor_can_two_without_oversight(street: Street) -> None:
    scene, reports = street
    sealed = next(report for report in reports if isinstance(report, Sealed))
    with pytest.raises(BadInput, match="missing is oversight"):
        opened(scene, sealed.data, "dpo", "control-room")
    assert opened(scene, sealed.data, "control-room", "oversight") == opened(scene, sealed.data, "dpo", "oversight")


def test_what_must_never_be_seen_is_black_in_what_is_kept(tmp_path: Path) -> None:
    with guarded(tmp_path, media=STREET) as scene:
        (area,) = spec_of(scene).never_see
        (left, top), (right, bottom) = np.min(area, axis=0).astype(int), np.max(area, axis=0).astype(int)
        sealed = next(report for report in filmed(scene) if isinstance(report, Sealed))
        with av.open(io.BytesIO(opened(scene, sealed.data, "dpo", "oversight"))) as container:
            for frame in container.decode(video=0):
                shown = frame.to_ndarray(format="gray")
                assert shown[top + 8 : bottom - 8, left + 8 : right - 8].max() < 24
                assert shown[300:, 300:].std() > 5


def test_nothing_is_kept_where_the_charter_records_nothing(scene: Guarded) -> None:
    reports = filmed(scene, replace(spec_of(scene), sealing=None))
    assert any(isinstance(report, Incident) for report in reports)
    assert not any(isinstance(report, Sealed) for report in reports)


# ---- to whose keys ---------------------------------------------------------------------------------------------------


def test_a_custodian_without_a_key_is_left_out_and_without_oversights_nothing_is_kept(tmp_path: Path) -> None:
    with guarded(tmp_path, media=STREET, keys=False) as scene:
        scene.publish_keys(["oversight", "dpo"])
        spec = spec_of(scene).sealing
        assert spec is not None
        keys = keys_of(spec, spec.statements, month_of(scene.now))
        assert subsets_of(spec, keys) == (("dpo", "oversight"),)
        sealed = next(report for report in filmed(scene) if isinstance(report, Sealed))
        assert set(read_header(sealed.data).wrapped) == {"dpo", "oversight"}
    with guarded(tmp_path / "other", media=STREET, keys=False) as scene:
        scene.publish_keys(["control-room", "dpo"])
        reports = filmed(scene)
        assert not any(isinstance(report, Sealed) for report in reports)
        spec = spec_of(scene).sealing
        assert spec is not None
        with pytest.raises(BadInput, match="without oversight"):
            subsets_of(spec, keys_of(spec, spec.statements, month_of(scene.now)))


def test_what_was_filmed_before_midnight_is_sealed_after_it_when_the_month_ends_there(scene: Guarded) -> None:
    """A piece is sealed when it is whole, seconds or minutes after its beginning, and to the keys of that."""
    house = scene.world.house
    works = Supervisor(house.acting, house.standing, Live(house.bus, house.clock), house.bus,
                       media=house.layout.media, models={})  # fmt: skip
    spec = spec_of(scene).sealing
    assert spec is not None
    begun, month = scene.now, month_of(scene.now)
    midnight = next(begun + ms for ms in range(-begun % DAY, 32 * DAY, DAY) if month_of(begun + ms) > month)
    for late in (-1, 0, 20 * MINUTE):
        scene.world.clock.set(midnight + late)  # type: ignore[attr-defined]
        keys = keys_of(spec, works._statements(), month_of(midnight - 10 * SECOND))
        assert len(subsets_of(spec, keys)) == 2
    scene.world.clock.set(midnight + 2 * HOUR)  # type: ignore[attr-defined]
    assert works._statements() == (), "later nothing of that month can come any more"


def test_a_forged_key_is_named_and_nothing_is_sealed_to_it(scene: Guarded) -> None:
    spec = spec_of(scene).sealing
    assert spec is not None
    month = month_of(scene.now)
    mine = b64(X25519PrivateKey.generate().public_key().public_bytes_raw())
    clear = {"custodian": "dpo", "period": month, "key": mine}
    forger = SignerKey.generate("dpo.example", SeededEntropy("forger"))
    forged = scene.sign("sealing_key_published", "dpo", {}, clear=clear, key=forger).encode()
    with pytest.raises(DidNotVerify, match="not signed by dpo"):
        keys_of(spec, (forged,), month)
    honest = scene.sign("sealing_key_published", "dpo", {}, clear={**clear, "key": b64(bytes(31) + b"\1")}).encode()
    value = json.loads(honest)
    value["leaf"]["clear"]["key"] = mine
    with pytest.raises(DidNotVerify, match="not signed by dpo"):
        keys_of(spec, (canonical.encode(value) + b"\n",), month)
    elsewhere = scene.sign("sealing_key_published", "dpo", {}, clear=clear, origin="other.example").encode()
    with pytest.raises(DidNotVerify, match="other"):
        keys_of(spec, (elsewhere,), month)
    other = SignedStatement.parse(spec.statements[0])
    assert keys_of(spec, (other.encode(),), "2027-01").public == {}
    assert set(keys_of(spec, spec.statements, month).public) == set(CUSTODIANS)
