"""The rooms of oversight and the authority: each thing is said in words before it is signed, and only then signed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from test_desk_wall import BASE, OURS, PORT, Browser, browser, inside

from signers_world import Signers, signers
from watchglass.bootstrap import SeededEntropy, VirtualClock, new_witness, overseeing, seeking
from watchglass.core.errors import DidNotVerify, WatchglassError
from watchglass.core.time import DAY, HOUR, SECOND
from watchglass.ledger.keys import SignerKey
from watchglass.records.query import ask
from watchglass.records.statement import SignedStatement
from watchglass.web.desk.app import Desk
from watchglass.web.desk.wall import Session
from world import NOON

RETENTION = "retention: {sealed: 3d, reviewer_clips: 7d, alerts: 1y}"
NEWER = RETENTION.replace("sealed: 3d", "sealed: 4d").replace("reviewer_clips: 7d", "reviewer_clips: 5d")


@pytest.fixture
def people(tmp_path: Path) -> Iterator[Signers]:
    with signers(tmp_path / "place", clock=VirtualClock(NOON)) as made:
        made.scene.keys |= {
            "board": made.scene.world.keys["oversight"],
            "authority": made.scene.world.keys["authority"],
        }
        yield made


@pytest.fixture
def roster(tmp_path: Path) -> Path:
    file = tmp_path / "roster.csv"
    new = SignerKey.generate("noor.example", SeededEntropy("noor")).verifier
    file.write_text(f'person,role,key\n"Haddad, Noor",investigator,{new}\nIvo Maas,shift-lead,\n', "utf-8")
    return file


@pytest.fixture
def at(people: Signers, tmp_path: Path) -> Callable[..., Sitting]:
    def sit(who: str, **more: Any) -> Sitting:
        session = Session.fresh(PORT, SeededEntropy(who))
        desk = Desk(people.office(who), session, exports=tmp_path / "exports", **more)
        return Sitting(desk, inside(desk))

    return sit


class Sitting:
    """Somebody at their desk, in a browser."""

    def __init__(self, desk: Desk, window: Browser) -> None:
        self.desk = desk
        self.window = window

    def read(self, path: str) -> str:
        answer = self.window.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def send(self, path: str, **fields: str) -> httpx.Response:
        return self.window.post(path, data={"csrf": self.desk.session.csrf, **fields}, headers=OURS)

    def asks(self, path: str, **fields: str) -> str:
        """The page that asks whether one is sure; nothing was signed."""
        answer = self.send(path, **fields)
        assert answer.status_code == 200, answer.text
        assert 'name="sure"' in answer.text
        return answer.text

    def does(self, path: str, **fields: str) -> str:
        """The receipt of what was asked, and then signed with the very fields that the page carried."""
        page = self.asks(path, **fields)
        found = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page))
        carried = {name: unescape(text) for name, text in found.items()}
        assert carried == {**fields, "csrf": self.desk.session.csrf, "sure": "yes"}
        answer = self.window.post(path, data=carried, headers=OURS)
        assert answer.status_code == 303, answer.text
        self.receipt = answer.headers["location"]
        return self.read(self.receipt)


def waits(people: Signers, edit: tuple[str, str] = (RETENTION, NEWER)) -> str:
    """Somebody puts a new charter into the deployment."""
    text = people.scene.world.edited(edit)
    people.scene.world.layout.charter.write_text(text, "utf-8")
    return text


def digest(page: str) -> str:
    found = re.search(r'name="seen" value="([^"]+)"', page)
    assert found is not None
    return found[1]


# ---- stopping --------------------------------------------------------------------------------------------------------


def test_an_analytic_is_stopped_and_let_run_again(people: Signers, at: Callable[..., Sitting]) -> None:
    board, world = at("board"), people.scene.world
    page = board.asks("/running/suspend", analytic="on-the-lawn", reason="Wrong three nights in a row.")
    assert "Stop on-the-lawn?" in page
    assert "Oversight ordered everything, or one analytic, to stop." in page
    assert "Wrong three nights in a row." in page
    assert world.records("suspension_ordered") == []

    receipt = board.does("/running/suspend", analytic="on-the-lawn", reason="Wrong three nights in a row.")
    assert "not yet" in receipt
    (order,) = world.records("suspension_ordered")
    assert dict(order.leaf.clear) == {"scope": "analytic", "analytic": "on-the-lawn"}
    assert order.fields["reason"] == "Wrong three nights in a row."
    assert [each.scope for each in world.standing().suspensions] == ["on-the-lawn"]
    lifting = {
        "order": world.house.describe()["suspensions"][0]["leaf_hash"],
        "reason": "Seen.",
        "what_changed": "Zone.",
    }
    early = board.send("/running/resume", **lifting, sure="yes")
    assert (early.status_code, "The log does not hold the order" in early.text) == (409, True)

    people.settle()
    receipt = board.read(board.receipt)
    assert "as entry" in receipt
    assert "yes, in the checkpoint of" in receipt
    assert "on-the-lawn: until you let it run again" in board.read("/")
    assert "Let on-the-lawn run again?" in board.asks("/running/resume", **lifting)
    board.does("/running/resume", **lifting)
    assert "It waits for witnesses" in board.read("/running")
    people.settle()
    assert world.standing().suspensions == ()
    assert "Stopped by you" not in board.read("/running")


def test_everything_is_stopped_also_where_the_log_is_not_accepted(people: Signers, at: Callable[..., Sitting]) -> None:
    board, world = at("board"), people.scene.world
    trust = people.machine("board") / "trust"
    other = new_witness(people.folder / "other", "other.example")
    trust.write_text(re.sub(r"witness w \S+", f"witness w {other}", trust.read_text()), "utf-8")
    page = board.read("/running")
    assert "The log is not accepted on this machine." in page
    assert "on-the-lawn" in page
    assert "What runs" in board.window.get("/").text  # the way there is on the page that says what is wrong
    receipt = board.does("/running/suspend", reason="It shows another log.")
    assert "The log could not be read just now" in receipt
    assert [each.scope for each in world.standing().suspensions] == ["all"]
    lifting = {"order": world.house.describe()["suspensions"][0]["leaf_hash"], "reason": "Seen.", "what_changed": "It."}
    assert board.send("/running/resume", **lifting, sure="yes").status_code == 409
    assert world.records("suspension_lifted") == []


def test_what_there_is_not_is_neither_stopped_nor_let_run(people: Signers, at: Callable[..., Sitting]) -> None:
    board = at("board")
    assert board.send("/running/suspend", analytic="nothing", reason="So.").status_code == 400
    assert board.send("/running/suspend", analytic="on-the-lawn", reason=" ").status_code == 400
    lifting = {"order": "A" * 43 + "=", "reason": "So.", "what_changed": "So."}
    assert board.send("/running/resume", **lifting).status_code == 409
    assert people.scene.world.records("suspension_ordered") == []


def test_only_our_own_forms_and_only_oversights_key_sign(people: Signers, at: Callable[..., Sitting]) -> None:
    board, before = at("board"), people.scene.world.state()
    fields = {
        "analytic": "on-the-lawn", "reason": "So.", "sure": "yes", "person": "Mallory", "role": "investigator",
        "month": "2026-11", "vkey": str(SignerKey.generate("m.example", SeededEntropy("m")).verifier),
        "order": "A" * 43 + "=", "what_changed": "So.", "signal": "A" * 43 + "=", "finding": "explained",
    }  # fmt: skip
    cross = {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
    token = {"csrf": board.desk.session.csrf}
    rebound = browser(board.desk, BASE.replace("127.0.0.1", "evil.example"))
    others = [at("authority"), at("dpo")]
    for path in ("/running/suspend", "/running/resume", "/people/enrol", "/signals/settle", "/charter/approve"):
        assert board.window.post(path, data=fields | token, headers=cross).status_code == 403
        assert board.window.post(path, data=fields, headers=OURS).status_code == 403
        assert browser(board.desk).post(path, data=fields | token, headers=OURS).status_code == 403
        assert rebound.post(path, data=fields | token, headers=OURS).status_code == 403
        for other in others:
            assert other.send(path, **fields).status_code in {400, 403, 409}
    assert people.scene.world.state() == before


# ---- people ----------------------------------------------------------------------------------------------------------


def test_who_waits_on_oversights_own_list_is_enrolled(
    people: Signers, at: Callable[..., Sitting], roster: Path
) -> None:
    board = at("board", roster=roster)
    assert "2 people wait to be enrolled" in board.read("/")
    page = board.read("/people")
    assert "Haddad, Noor, investigator, for 2026-11" in page
    assert "Your list has no new one." in page  # Ivo Maas gave no key
    vkey = roster.read_text().splitlines()[1].rpartition(",")[2]
    noor = {"person": "Haddad, Noor", "role": "investigator", "month": "2026-11", "vkey": vkey}
    assert "Enrol Haddad, Noor?" in board.asks("/people/enrol", **noor)
    board.does("/people/enrol", **noor)
    (record,) = people.scene.world.records("key_enrolled")[-1:]
    assert (record.leaf.clear["vkey"], record.fields["person"]) == (vkey, "Haddad, Noor")
    assert "not yet" in board.read("/people")
    people.settle()
    page = board.read("/people")
    assert "signed by oversight" in page
    assert page.count("Haddad, Noor") == 1
    assert "1 person waits" in board.read("/")
    again = board.send("/people/enrol", **noor | {"person": "Another"})
    assert (again.status_code, "a key serves one month" in again.text) == (409, True)


def test_who_cannot_be_enrolled_is_said_before_anything_is_signed(people: Signers, at: Callable[..., Sitting]) -> None:
    good, board = SignerKey.generate("m.example", SeededEntropy("m")).verifier, at("board")
    fields = {"person": "Mai Ito", "role": "investigator", "month": "2026-11", "vkey": str(good)}
    for wrong in (
        {"vkey": "nonsense"}, {"role": "king"}, {"month": "2027-02"}, {"person": "x" * 101}, {"vkey": " "}
    ):  # fmt: skip
        assert board.send("/people/enrol", **fields | wrong).status_code == 400, wrong
    assert len(people.scene.world.records("key_enrolled")) == 2


def test_a_list_that_is_none_is_named_with_its_line(at: Callable[..., Sitting], tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    board = at("board", roster=file)
    for text in ("person,role\nA,investigator\n", "\xff", ""):
        file.write_bytes(text.encode("latin-1"))
        answer = board.window.get("/people")
        assert (answer.status_code, "list.csv" in answer.text) == (400, True)
    for line in ("A,king,", "A,investigator,x", "A,investigator", ",investigator,"):
        file.write_text(f"person,role,key\nB,investigator,\n{line}\n", "utf-8")
        answer = board.window.get("/people")
        assert (answer.status_code, "Line 3 of" in answer.text) == (400, True), line
    file.unlink()
    assert board.window.get("/people").status_code == 400
    assert "Something could not be looked up" in board.read("/")  # what else waits is not hidden by it


# ---- signals ---------------------------------------------------------------------------------------------------------


def unexplained(people: Signers) -> None:
    """The shift lead uses the emergency rule and never says what for; two days pass."""
    now = people.scene.now
    minute = {"source": "street", "from_ms": now - 60 * SECOND, "to_ms": now, "reason": "Somebody lies there."}
    seeking.break_glass(people.office("shift-lead"), purpose=people.scene.purpose, **minute)
    clock = people.scene.world.clock
    assert isinstance(clock, VirtualClock)
    clock.advance(2 * DAY)
    people.scene.world.house.look_for_misuse()
    people.settle()


def test_a_signal_is_settled_and_what_is_overdue_stands_first(people: Signers, at: Callable[..., Sitting]) -> None:
    people.film()
    unexplained(people)
    board = at("board")
    home = board.read("/")
    assert home.index("1 emergency overdue") < home.index("of misuse")
    page = board.read("/signals")
    assert "not explained, and overdue" in page
    assert "Somebody lies there." in page
    assert re.search(r"entry \d+ of the ledger", page)
    found = re.search(r'name="signal" value="([^"]+)"', page)
    assert found is not None
    said = {"signal": found[1], "finding": "mistake", "note": "The report was forgotten."}
    page = board.asks("/signals/settle", **said)
    assert "a signal of misuse" in page
    assert people.scene.world.records("misuse_settled") == []
    board.does("/signals/settle", **said)
    (record,) = people.scene.world.records("misuse_settled")
    assert (record.fields["finding"], record.fields["note"]) == ("mistake", "The report was forgotten.")
    assert "The report was forgotten." in board.read("/signals")
    again = board.send("/signals/settle", **said, sure="yes")
    assert (again.status_code, "No such signal waits" in again.text) == (409, True)
    assert board.send("/signals/settle", **said | {"signal": "x"}).status_code == 409


def test_a_portal_that_puts_a_signal_on_somebody_else_is_named(people: Signers) -> None:
    people.film()
    unexplained(people)
    office = people.office("board")
    sight, portal = office.look(), office.portal
    for name, value in (("person", "Somebody else"), ("kind", "vague-reason"), ("kind", "none"), ("evidence", ["x"])):
        told = portal.ask(ask("office", key=office.keys.identity(), origin=office.origin, now=sight.now))
        told["signals"][0][name] = value
        office.portal = _Changed(portal, told)  # type: ignore[assignment] # the real portal with one answer changed
        with pytest.raises(DidNotVerify, match="signal"):
            overseeing.watch(office, sight)


class _Changed:
    """A portal that gives one answer that is not the house's."""

    def __init__(self, portal: Any, answer: dict[str, Any]) -> None:
        self._portal = portal
        self._answer = answer

    def ask(self, _query: object) -> dict[str, Any]:
        return self._answer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._portal, name)


# ---- charters --------------------------------------------------------------------------------------------------------


def test_both_approve_at_their_desks_and_it_is_published(people: Signers, at: Callable[..., Sitting]) -> None:
    world, text = people.scene.world, waits(people)
    authority, board = at("authority"), at("board")
    assert "Charter version 2 waits for you" in authority.read("/")
    page = authority.read("/charter")
    assert "It may do more, or protects less" in page
    assert "It may do less, or protects more" in page
    assert page.index("protects less") < page.index("protects more")
    seen = digest(page)
    asked = authority.asks("/charter/approve", role="authority", seen=seen)
    assert "until the other one signs too" in asked
    assert seen in asked
    receipt = authority.does("/charter/approve", role="authority", seen=seen)
    assert "It waits for oversight to sign version 2 too" in receipt
    assert world.records("charter_published")[1:] == []
    assert "You have signed. It waits for the other." in authority.read("/charter")
    assert authority.send("/charter/approve", role="authority", seen=seen).status_code == 409

    assert "The authority has signed it" in board.read("/")
    assert "With your signature it is published" in board.asks("/charter/approve", role="oversight", seen=seen)
    receipt = board.does("/charter/approve", role="oversight", seen=seen)
    assert "accepted and recorded" in receipt
    world.witnessed()  # by the witness of this process: the one that the charter names does not run
    people.settle()
    assert "as entry" in board.read(board.receipt)
    charter = world.standing().charter
    assert charter is not None
    assert charter.data == text.encode()
    assert "No charter waits for a signature" in board.read("/charter")
    assert "What it changed" in board.read("/charter")
    assert list(world.layout.root.glob("*.approval")) == []


def test_another_draft_than_the_one_that_was_seen_is_not_signed(people: Signers, at: Callable[..., Sitting]) -> None:
    authority = at("authority")
    waits(people)
    seen = digest(authority.read("/charter"))
    waits(people, (RETENTION, NEWER.replace("4d", "30d")))
    answer = authority.send("/charter/approve", role="authority", seen=seen, sure="yes")
    assert (answer.status_code, "Another draft waits now" in answer.text) == (409, True)
    assert list(people.scene.world.layout.root.glob("*.approval")) == []


def test_an_approval_counts_for_an_hour_and_for_its_draft_only(people: Signers, at: Callable[..., Sitting]) -> None:
    authority, board = at("authority"), at("board")
    waits(people)
    authority.does("/charter/approve", role="authority", seen=digest(authority.read("/charter")))
    waits(people, (RETENTION, NEWER.replace("4d", "30d")))
    assert "has not signed" in board.read("/charter")
    waits(people)
    assert "has signed, in the last hour" in board.read("/charter")
    clock = people.scene.world.clock
    assert isinstance(clock, VirtualClock)
    clock.advance(3 * HOUR)
    people.settle()
    page = board.read("/charter")
    assert "signed more than an hour ago" in page
    receipt = board.does("/charter/approve", role="oversight", seen=digest(page))
    assert "It waits for authority to sign version 2 too" in receipt


def test_a_draft_that_cannot_be_signed_says_why(people: Signers, at: Callable[..., Sitting]) -> None:
    text, authority, file = waits(people), at("authority"), people.scene.world.layout.charter
    for edit, words in (
        ((NEWER, "retention: {sealed: 3d}"), "cannot be read as a charter"),
        (("watchglass: 1", "watchglass: 7"), "cannot be read as a charter"),
        (("version: 2", "version: 1"), "does not count up"),
    ):
        file.write_text(text.replace(*edit, 1), "utf-8")
        page = authority.read("/charter")
        assert words in page
        assert "It cannot be signed as it is." in page
        assert 'action="/charter/approve"' not in page
        assert "version" not in authority.read("/")
    file.unlink()
    assert "No charter waits for a signature" in authority.read("/charter")


def test_nobody_else_reads_or_approves_the_draft(people: Signers, at: Callable[..., Sitting]) -> None:
    waits(people)
    assert at("dpo").window.get("/charter").status_code == 403
    world = people.scene.world
    for who in ("dpo", "investigator", "shift-lead"):
        with pytest.raises(WatchglassError):
            people.scene.ask("draft", who)
        with pytest.raises(WatchglassError):
            people.scene.ask("office", who)
    with pytest.raises(WatchglassError):
        people.scene.ask("office", "authority")
    approvals: list[SignedStatement] = world.approvals(world.edited((RETENTION, RETENTION.replace("3d", "9d"))))
    for statement in approvals:
        with pytest.raises(DidNotVerify, match="other bytes"):
            world.house.hand_in(statement)
    forged = people.scene.sign(
        "charter_approved", "dpo", {}, role="authority", charter=None, clear=dict(approvals[0].leaf.clear)
    )
    with pytest.raises(DidNotVerify):
        world.house.hand_in(forged)
    assert list(world.layout.root.glob("*.approval")) == []


# ---- the register ----------------------------------------------------------------------------------------------------


def test_the_register_shows_what_this_key_signed_and_what_only_this_folder_knows(
    people: Signers, at: Callable[..., Sitting]
) -> None:
    board = at("board")
    assert "Key enrolled" in board.read("/signed")  # before there was a desk
    board.does("/running/suspend", analytic="on-the-lawn", reason="Only for us.")
    page = board.read("/signed")
    assert "waits for the ledger" in page
    assert "Only for us." in page
    people.settle()
    page = board.read("/signed")
    assert "waits for the ledger" not in page
    assert page.index("Suspension ordered") < page.index("Key enrolled")
    assert "Suspension ordered" not in at("authority").read("/signed")
    assert "Charter approved" in at("authority").read("/signed")
