"""A deployment whose sealed originals go to a bucket, against a real server that speaks S3; and one without."""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from s3_store import ACCESS, BUCKET, SECRET, Server, line_to, serving

from guarded import Guarded, guarded
from watchglass.acts.apply_retention import Leftovers, apply_retention
from watchglass.bootstrap import House
from watchglass.bootstrap.originals import keeps_versions, look, originals
from watchglass.charter.model import Charter
from watchglass.cli.main import main
from watchglass.core.errors import BadInput, CannotRecord, Problem
from watchglass.core.time import DAY, HOUR, SECOND
from watchglass.edge.bucket import ObjectBucket
from watchglass.edge.objects import ObjectFiles
from watchglass.evidence.envelope import open_sealed
from watchglass.evidence.header import read_header
from watchglass.evidence.shares import recover, unwrap_shares
from watchglass.perception.messages import Health, Sealed
from watchglass.records.query import ask
from watchglass.runtime import vault as rules
from watchglass.runtime.bus import Bus
from watchglass.runtime.intake import Intake
from watchglass.runtime.supervisor import Supervisor
from watchglass.runtime.vault import Vault


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with serving("nanio", tmp_path / "store") as started:
        yield started


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Guarded]:
    with guarded(tmp_path / "world") as made:
        yield made


def point_to(scene: Guarded, port: int) -> House:
    """Let the deployment keep its originals in the bucket, and open it again."""
    house = scene.world.house
    with house.layout.settings.open("a", encoding="utf-8") as file:
        file.write(
            f"sealed:\n  store: s3\n  endpoint: http://127.0.0.1:{port}\n  bucket: {BUCKET}\n  prefix: city\n"
            "  access_key_secret: store-access\n  secret_key_secret: store-secret\n"
        )
    house.secrets.set("store-access", ACCESS)
    house.secrets.set("store-secret", SECRET)
    return scene.world.reopen()


def charter_of(scene: Guarded) -> Charter:
    charter = scene.world.standing().charter
    assert charter is not None
    return charter


def report(scene: Guarded, seconds_ago: int) -> Sealed:
    """What a worker hands over."""
    end = scene.now - seconds_ago * SECOND
    context = scene.context(end - 10 * SECOND, end)
    made = scene.sealed(context)
    return Sealed(
        "street", context.segment, "on-the-lawn", None, context.from_ms, context.to_ms, made.data, made.sha256
    )


def kept(scene: Guarded) -> list[str]:
    rows = scene.world.house.store.read().all("SELECT id FROM segment WHERE destroyed_ms IS NULL ORDER BY to_ms")
    return [row["id"] for row in rows]


def test_originals_go_to_the_bucket_and_come_back_as_they_were(scene: Guarded, server: Server) -> None:
    house = point_to(scene, server.port)
    assert isinstance(house.originals, ObjectBucket)
    ids = scene.record()
    assert not house.layout.sealed.exists() or not list(house.layout.sealed.iterdir())
    lies = [path for path in (server.folder / BUCKET / "city").rglob("*.sealed") if path.is_file()]
    assert sorted(path.stem for path in lies) == sorted(ids)
    assert all(b"a picture of somebody" not in path.read_bytes() for path in lies)
    request = scene.granted()
    scene.hand_in(scene.taking(request))
    query = ask("segment", about=f"{request}/{ids[0]}", key=scene.keys["investigator"], origin=house.origin,
                now=scene.now)  # fmt: skip
    data = house.sealed_segment(query)
    header = read_header(data)
    shares = [unwrap_shares(header, name, scene.sealing[name]) for name in ("dpo", "oversight")]
    assert open_sealed(data, recover(header, shares)).startswith(b"a picture of somebody")


def test_while_the_store_is_away_segments_wait_and_none_is_half_recorded(
    scene: Guarded, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    house = point_to(scene, server.port)
    intake = Intake(house.acting, house.standing, Bus())
    server.stop()
    reports = [report(scene, ago) for ago in (20, 10, 0)]
    health = Health("street", scene.now, 25.0, 1.0, 1, 1, 1, ())
    with caplog.at_level(logging.ERROR):
        for each in reports:
            intake.record(each)
        assert not intake.vault.settle(1.5)
    assert (kept(scene), intake.vault.waiting, intake.waits, intake.tally.lost) == ([], 3, True, 0)
    assert scene.world.records("segment_sealed") == []
    assert intake.told(health).fault == "3 sealed pieces wait: the store does not answer."
    other = Health("attic", scene.now, 25.0, 1.0, 1, 1, 1, ())
    assert intake.told(other) == other
    assert len([each for each in caplog.records if "Sealed segments wait" in each.message]) == 1
    server.start()
    assert intake.vault.settle(60)
    assert kept(scene) == [each.segment for each in reports]
    assert intake.told(health) == health
    assert len(scene.world.records("segment_sealed")) == 3
    intake.close()
    assert (intake.tally.lost, intake.tally.refused) == (0, 0)


def test_the_cameras_page_says_that_its_pieces_wait(scene: Guarded, server: Server) -> None:
    house = point_to(scene, server.port)
    works = Supervisor(
        house.acting, house.standing, house.live, house.bus, media=house.layout.media, secret=house.secrets.get,
        models={}, once=True,
    )  # fmt: skip
    health = Health("street", scene.now, 25.0, 1.0, 1, 1, 1, ())
    server.stop()
    works._take(report(scene, 0))
    for _ in range(300):
        works._take(health)
        if house.live.health()["street"].fault:
            break
        works.intake.vault.settle(0.1)
    assert house.live.health()["street"].fault == "1 sealed piece waits: the store does not answer."
    server.start()
    assert works.intake.vault.settle(60)
    works._take(health)
    assert house.live.health()["street"].fault is None
    works.intake.close()


def test_what_still_waits_at_the_end_is_lost_counted_and_nowhere(scene: Guarded, server: Server) -> None:
    house = point_to(scene, server.port)
    intake = Intake(house.acting, house.standing, Bus())
    server.stop()
    for ago in (20, 10):
        intake.record(report(scene, ago))
    intake.close()
    assert (intake.tally.lost, kept(scene), intake.waits) == (2, [], False)
    intake.record(report(scene, 0))
    assert intake.tally.lost == 3
    server.start()
    assert list(house.acting.objects.kept()) == []


def test_a_ledger_that_cannot_be_written_leaves_nothing_in_the_bucket(scene: Guarded, server: Server) -> None:
    house = point_to(scene, server.port)
    intake = Intake(house.acting, house.standing, Bus())
    waits = report(scene, 0)
    with scene.world.locked():
        intake.record(waits)
        for _ in range(300):
            if intake.vault.settle(0.1) or intake.vault.trouble_of("street"):
                break
        assert "sealed piece waits" in (intake.vault.trouble_of("street") or "")
        assert (kept(scene), intake.tally.lost) == ([], 0)
    assert intake.vault.settle(60)
    assert (kept(scene), [name for name, _ in house.acting.objects.kept()]) == ([waits.segment], [waits.segment])
    intake.close()


def test_too_many_are_counted_and_the_others_are_tried_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vault alone: what it is to keep is decided here, so that each way out is met."""
    monkeypatch.setattr(rules, "MOST_SEGMENTS", 3)
    segments = [Sealed("street", f"{n:016x}", None, None, n, n + 1, b"x", bytes(32)) for n in range(5)]
    away, seen, counted = threading.Event(), [], []

    def keep(segment: Sealed) -> None:
        if not away.is_set():
            raise CannotRecord("The store is away.", fix="Wait.")
        seen.append(segment.from_ms)
        if segment.from_ms == 1:
            raise Problem("It is kept already.", fix="Nothing.")
        if segment.from_ms == 2:
            raise ZeroDivisionError

    vault = Vault(keep, counted.append, first_s=0.01)
    for each in segments[:4]:
        vault.put(each)
    assert counted == ["lost"]
    for _ in range(300):
        if "away" in (vault.trouble_of("street") or ""):
            break
        vault.settle(0.1)
    assert vault.trouble_of("street") == "3 sealed pieces wait, and 1 came too many and is lost: The store is away."
    away.set()
    assert vault.settle(30)
    vault.put(segments[4])
    assert vault.settle(30)
    vault.close()
    assert (seen, counted) == ([0, 1, 2, 4], ["lost", "lost", "lost"])


def test_a_store_that_is_too_slow_is_said_though_it_takes_everything_it_gets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_OCTETS", 25)
    segments = [Sealed("street", f"{n:016x}", None, None, n, n + 1, bytes(10), bytes(32)) for n in range(5)]
    begun, go, seen, counted = threading.Semaphore(0), threading.Semaphore(0), [], []

    def keep(segment: Sealed) -> None:
        begun.release()
        assert go.acquire(timeout=30)
        seen.append(segment.from_ms)

    vault = Vault(keep, counted.append)
    for each in segments[:4]:
        vault.put(each)
    assert begun.acquire(timeout=30)
    assert counted == ["lost", "lost"], "25 bytes hold two pieces"
    told = "2 sealed pieces are lost: the store takes them more slowly than they come"
    assert vault.trouble_of("street") == told
    assert vault.trouble_of("attic") is None
    go.release()
    assert begun.acquire(timeout=30)
    assert vault.trouble_of("street") == told, "as long as it has not caught up"
    go.release()
    assert vault.settle(30)
    assert vault.trouble_of("street") is None
    vault.put(segments[4])
    go.release()
    assert vault.settle(30)
    vault.close()
    assert (seen, counted) == ([0, 1, 4], ["lost", "lost"])


def test_that_pieces_wait_is_said_beside_another_fault(scene: Guarded, server: Server) -> None:
    house = point_to(scene, server.port)
    intake = Intake(house.acting, house.standing, Bus())
    server.stop()
    intake.record(report(scene, 0))
    black = Health("street", scene.now, 25.0, 1.0, 1, 1, 1, (), fault="black", notes=("times of arrival",))
    for _ in range(300):
        if len(intake.told(black).notes) > 1:
            break
        intake.vault.settle(0.1)
    told = intake.told(black)
    assert told.fault == "black"
    assert told.notes == ("times of arrival", "1 sealed piece waits: the store does not answer.")
    server.start()
    assert intake.vault.settle(60)
    assert intake.told(black) == black
    intake.close()


def test_a_piece_that_is_recorded_and_is_not_in_the_store_is_missed(
    scene: Guarded, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    """A store that loses, or a hand that deletes: within the hour it is known, not when somebody asks."""
    house = point_to(scene, server.port)
    ids = scene.record()
    left = Leftovers()
    apply_retention(house.acting, charter_of(scene), left)
    assert left.missing == 0
    house.originals.destroy(ids[1])
    apply_retention(house.acting, charter_of(scene), left)
    assert left.missing == 1
    with caplog.at_level(logging.ERROR):
        house.keep_retention()
    assert "recorded and not in their store: 1." in caplog.text
    server.stop()
    unknown = Leftovers()
    apply_retention(house.acting, charter_of(scene), unknown)
    assert (unknown.missing, unknown.trouble is not None) == (0, True), "what could not be listed is not missed"
    server.start()


@pytest.mark.parametrize("how", ["the next round", "house"])
def test_what_could_not_be_destroyed_is_tried_again_and_said(
    scene: Guarded, server: Server, caplog: pytest.LogCaptureFixture, how: str
) -> None:
    house = point_to(scene, server.port)
    ids = scene.record()
    scene.world.clock.advance(3 * DAY + HOUR)  # type: ignore[attr-defined]
    server.stop()
    left = Leftovers()
    with caplog.at_level(logging.ERROR):
        if how == "house":
            house.keep_retention()
            assert "3 objects whose keys are destroyed wait to be removed" in caplog.text
        else:
            assert apply_retention(house.acting, charter_of(scene), left)["segments"] == 3
            assert (left.count, left.swept) == (3, 0)
            assert left.trouble is not None
    assert kept(scene) == []
    server.start()
    assert sorted(name for name, _ in house.acting.objects.kept()) == sorted(ids)
    if how == "house":
        house.keep_retention()
        assert len(list(house.acting.objects.kept())) == 3, "within the same hour it is not tried again"
        scene.world.clock.advance(HOUR)  # type: ignore[attr-defined]
        house.keep_retention()
    else:
        again = Leftovers()
        assert apply_retention(house.acting, charter_of(scene), again)["segments"] == 0
        assert (again.count, again.trouble, again.swept) == (0, None, 3)
    assert list(house.acting.objects.kept()) == []
    assert len(scene.world.records("retention_applied")) == 1


def test_the_sweep_takes_leftovers_of_a_crash_and_leaves_what_is_kept(
    scene: Guarded, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("watchglass.acts.apply_retention._BATCH", 2)
    ids = scene.record()
    objects = scene.world.house.acting.objects
    assert isinstance(objects, ObjectFiles)
    folder = scene.world.layout.sealed
    old = scene.now - 2 * DAY
    for name, written in (("aaaa", old), ("bbbb", scene.now), ("ffffffffffffffffffff", old)):
        objects.write(name, b"left over")
        os.utime(folder / f"{name}.sealed", (written / 1000, written / 1000))
    left = Leftovers()
    assert apply_retention(scene.world.house.acting, charter_of(scene), left)["segments"] == 0
    assert left.swept == 2
    assert set(objects.names()) == {*ids, "bbbb"}
    assert scene.world.records("retention_applied") == []


def test_a_bucket_without_its_secret_stops_the_deployment_with_a_way_out(scene: Guarded, server: Server) -> None:
    house = point_to(scene, server.port)
    house.secrets.remove("store-secret")
    with pytest.raises(BadInput, match="store-secret") as error:
        originals(house.layout, house.settings, house.secrets)
    assert "watchglass secret set" in error.value.fix


def test_two_deployments_have_places_of_their_own_in_one_bucket(scene: Guarded, server: Server) -> None:
    house = point_to(scene, server.port)
    other = originals(house.layout, replace(house.settings, origin="another.example"), house.secrets)
    scene.record(1)
    assert (len(house.originals.names()), other.names()) == (1, ())


def test_status_says_where_originals_go_and_whether_that_answers(
    scene: Guarded, server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    root = str(scene.world.layout.root)
    assert main(["status", root]) == 0
    assert str(scene.world.layout.sealed) in capsys.readouterr().out
    house = point_to(scene, server.port)
    assert look(house.originals).trouble is None
    assert main(["status", root, "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["sealed_originals"]["place"].startswith(f"http://127.0.0.1:{server.port}/{BUCKET}/city/")
    assert told["sealed_originals"]["answers"] is True
    server.stop()
    assert main(["status", root]) == 1
    said = capsys.readouterr()
    assert "does not answer" in said.out
    assert SECRET not in said.out + said.err
    assert ACCESS not in said.out + said.err


def test_a_start_says_what_is_wrong_with_the_store_and_whether_it_keeps_versions(
    scene: Guarded, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    with line_to(server) as line:
        house = point_to(scene, line.port)
        assert keeps_versions(house.originals) is False
        line.down = lambda _m, status, headers, body: (status, {**headers, "x-amz-version-id": "one"}, body)
        with caplog.at_level(logging.WARNING):
            house.upkeep._look_at_originals()
        assert "keeps versions" in caplog.text
        assert "lifecycle rule" in caplog.text
        caplog.clear()
        server.stop()
        house.upkeep._look_at_originals()
        assert "Sealed originals will wait" in caplog.text
        server.start()
