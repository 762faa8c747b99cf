"""What a signer's machine takes from a log: charters that could be approved, keys that oversight enrolled, no more."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from signers_world import Signers, signers
from watchglass.acts.context import attest
from watchglass.bootstrap import House, Keyring, SeededEntropy, VirtualClock, custody, holding
from watchglass.bootstrap.witnessed import look
from watchglass.charter.parse import parse
from watchglass.cli.main import main
from watchglass.core.errors import BadInput, DidNotVerify, Refused
from watchglass.core.time import DAY, HOUR, month_of
from watchglass.edge.keys import is_encrypted
from watchglass.ledger.keys import SignerKey
from watchglass.records.outbox import Transaction
from world import NOON, read_json


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Signers]:
    with signers(tmp_path / "place", clock=VirtualClock(NOON)) as made:
        yield made


def forge(people: Signers, text: str, keys: dict[str, SignerKey]) -> None:
    """The house itself writes a charter into its log, with approvals by ``keys``."""
    house, charter = people.scene.world.house, parse(text.encode())
    approved = [
        people.scene.sign(
            "charter_approved",
            role,
            {},
            clear={
                "name": charter.charter,
                "version": charter.version,
                "sha256": charter.digest,
                "as_role": role,
                "seen": None,
            },
            role=role,
            key=key,
            charter=None,
        )
        for role, key in keys.items()
    ]

    def act(tx: Transaction) -> None:
        clear = {"name": charter.charter, "version": charter.version, "sha256": charter.digest, "text": text}
        under = house.standing().charter
        attest(house.acting, tx, "charter_published", by=None, under=under, clear=clear, committed={"account": "house"})
        for statement in approved:
            tx.record(house.acting.recorder.signed(statement))

    house.store.commit(act)
    people.settle()


def versions(people: Signers) -> list[int]:
    office = people.office("dpo")
    return [charter.version for charter in office.look().log.charters]


def test_a_later_charter_counts_if_the_one_before_approved_it(people: Signers) -> None:
    assert versions(people) == [1]
    world = people.scene.world
    world.publish(world.edited(("review: {within: 2m}", "review: {within: 3m}")))
    people.settle()
    assert versions(people) == [1, 2]
    assert people.office("dpo").look().charter.version == 2


def test_a_charter_that_the_house_made_for_itself_counts_for_nothing(people: Signers) -> None:
    world = people.scene.world
    mine = {role: SignerKey.generate(f"{role}.example", SeededEntropy(role)) for role in ("authority", "oversight")}
    text = world.edited(*[(str(world.keys[role].verifier), str(mine[role].verifier)) for role in mine])
    forge(people, text, mine)
    assert versions(people) == [1]
    halfway = world.edited(("review: {within: 2m}", "review: {within: 9m}"))
    forge(people, halfway, {"authority": world.keys["authority"], "oversight": mine["oversight"]})
    assert versions(people) == [1]
    forge(people, halfway, {"oversight": world.keys["oversight"]})
    assert versions(people) == [1]
    forge(people, halfway, {"authority": world.keys["authority"], "oversight": world.keys["oversight"]})
    with pytest.raises(DidNotVerify, match="shows another charter"):  # both did sign it, and the portal hides it
        people.office("dpo").look()


def test_a_charter_whose_days_are_over_allows_nothing(people: Signers) -> None:
    office = people.office("dpo")
    log = office.look().log
    with pytest.raises(DidNotVerify, match="ended at"):
        log.charter(people.scene.now + 400 * DAY)
    with pytest.raises(DidNotVerify, match="no charter"):
        log.charter(people.scene.now - 400 * DAY)
    with pytest.raises(DidNotVerify, match="no charter with this hash"):
        log.charter_of(bytes(32))


def test_only_oversight_enrols(people: Signers) -> None:
    house, other = people.scene.world.house, SignerKey.generate("other.example", SeededEntropy("other"))
    month = month_of(people.scene.now)
    clear = {"enrolled_role": "investigator", "vkey": str(other.verifier), "month": month}
    by_dpo = people.scene.sign(
        "key_enrolled", "oversight", {"person": "Otto"}, clear=clear, role="oversight", key=people.scene.keys["dpo"]
    )
    house.store.commit(lambda tx: tx.record(house.acting.recorder.signed(by_dpo)))
    people.settle()
    sight = people.office("dpo").look()
    with pytest.raises(DidNotVerify, match=r"enrolled the key other\.example for no investigator"):
        sight.log.enrolment(other.verifier, role="investigator", month=month)
    known = people.scene.keys["investigator"].verifier
    assert sight.log.enrolment(known, role="investigator", month=month).hash
    for role, when in (("reviewer", month), ("investigator", "2026-10")):
        with pytest.raises(DidNotVerify):
            sight.log.enrolment(known, role=role, month=when)


def test_a_checkpoint_without_its_witness_is_waited_for_and_then_refused(people: Signers) -> None:
    office = people.office("dpo")
    office.look()
    people.scene.world.witnessed(watch=False)
    people.scene.hand_in(people.scene.case())
    people.scene.world.settle()
    paused: list[float] = []
    with pytest.raises(DidNotVerify, match="Too few trusted witnesses"):
        look(office.trust, people.scene.world.house.tiles, people.scene.now, pause=paused.append)
    assert len(paused) == 7
    people.scene.world.witnessed()
    people.settle()
    assert office.look().log.checkpoint.size > 0


def test_a_trust_file_without_witnesses_is_not_enough(people: Signers) -> None:
    trust = people.machine("dpo") / "trust"
    trust.write_text(f"log {people.scene.world.house.log_vkey}\nquorum none\n")
    with pytest.raises(DidNotVerify, match="asks for none"):
        people.office("dpo").look()


def test_what_a_key_may_do_is_read_from_charter_and_log(people: Signers) -> None:
    office = people.office("investigator")
    assert holding.offices(office, office.look())["enrolled"] == ["investigator"]
    office = people.office("dpo")
    told = holding.offices(office, office.look())
    assert (told["custodian"], told["enrolled"], told["signs_as"]) == ("dpo", [], [])
    with pytest.raises(Refused, match="neither for oversight nor for the authority"):
        holding.order_hold(office, source="street", from_ms=0, to_ms=1, until_ms=2, reason="No.")


def test_a_deployment_that_does_not_run_is_spoken_to_in_its_directory(tmp_path: Path) -> None:
    with signers(tmp_path / "place", clock=VirtualClock(NOON), keys=False) as people:
        world = people.scene.world
        world.house.close()
        try:
            office = people.office("dpo", str(world.layout.root))
            assert custody.inbox(office)["requests"] == []
            done = custody.rotate(office)
            assert (done["act"], done["custodian"]) == ("sealing_key_published", "dpo")
        finally:
            people.offices.pop().close()
            world.house = House(world.layout.root, clock=world.clock)


def test_one_passphrase_protects_every_key_of_a_folder(tmp_path: Path) -> None:
    folder, asked = tmp_path / "keys", []
    Keyring.make(folder, "dpo.example", "correct horse", SeededEntropy("a"))
    assert oct(folder.stat().st_mode)[-3:] == "700"
    ring = Keyring(folder, lambda file: asked.append(file.name) or "correct horse")  # type: ignore[func-returns-value]
    ring.identity()
    made = ring.new_month("2026-11", SeededEntropy("b"))
    assert is_encrypted(folder / "2026-11.key")
    again = Keyring(folder, lambda _file: "correct horse").month("2026-11")
    assert again is not None
    assert again.private_bytes_raw() == made.private_bytes_raw()
    assert asked == ["identity.key"]
    with pytest.raises(BadInput, match="does not open"):
        Keyring(folder, lambda _file: "wrong").identity()
    for number in ("../x", "0" * 15, "case"):
        with pytest.raises(BadInput):
            ring.case(number)
    with pytest.raises(BadInput, match="month"):
        ring.month("../../etc")


# ---- the desk as a process -------------------------------------------------------------------------------------------


def test_a_desk_is_served_by_its_command_and_stops_when_told(tmp_path: Path) -> None:
    with signers(tmp_path / "place") as people:
        words = [sys.executable, "-m", "watchglass", "desk", "serve", *people.words("dpo"), "--json"]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=tmp_path
        ) as desk:
            try:
                address = _printed(desk)
                with httpx.Client(timeout=30) as client:
                    assert client.get(address.partition("?")[0]).status_code == 403
                    answer = client.get(address)
                    assert answer.status_code == 303
                    page = client.get(address.partition("?")[0])
                    assert "You are the custodian" in page.text
                desk.send_signal(signal.SIGINT)
                out, err = desk.communicate(timeout=30)
                assert desk.returncode == 0, err
                assert read_json(out)["stopped"]
            finally:
                if desk.poll() is None:
                    desk.kill()


def _printed(desk: subprocess.Popen[str]) -> str:
    assert desk.stderr is not None
    for line in desk.stderr:
        found = re.search(r"http://127\.0\.0\.1:\d+/\?token=[0-9a-f]{64}", line)
        if found:
            return found[0]
    raise AssertionError("the desk printed no address")


@pytest.mark.parametrize("host", ["0.0.0.0", "localhost", "192.0.2.1", "::1"])
def test_a_desk_listens_to_nobody_else(capsys: pytest.CaptureFixture[str], people: Signers, host: str) -> None:
    code = main(["desk", "serve", *people.words("dpo"), "--host", host, "--json"])
    told: dict[str, Any] = read_json(capsys.readouterr().out)
    assert (code, told["error"]) == (2, "BadInput")
    assert "127.0.0.1 only" in told["message"]


def test_a_virtual_time_is_for_the_demo_alone(people: Signers, capsys: pytest.CaptureFixture[str]) -> None:
    later = people.scene.now + HOUR
    code = main(["custodian", "inbox", *people.words("dpo"), "--virtual-time", str(later), "--json"])
    assert (code, read_json(capsys.readouterr().out).get("error")) == (4, "DidNotVerify")  # the house's clock differs
    trust = people.machine("dpo") / "trust"
    trust.write_text(trust.read_text().replace("demo.test.example", "city.example"))
    code = main(["custodian", "inbox", *people.words("dpo"), "--virtual-time", str(later), "--json"])
    assert code == 2
