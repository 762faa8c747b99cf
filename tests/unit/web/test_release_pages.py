"""Oversight's pages about originals, and the page that sends those who sign to their own desk."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import pytest
from a_portal import Portal, make_portal
from a_street import Seeded

from watchglass.access.misuse import Kind, Signal
from watchglass.acts.misuse import look_for_misuse
from watchglass.cli.main import parser
from watchglass.core.digest import b64
from watchglass.core.time import DAY, HOUR, MINUTE, month_of
from watchglass.ledger.keys import SignerKey

LEAD = SignerKey.generate("lead.example", Seeded("lead"))
INVESTIGATOR = SignerKey.generate("investigator.example", Seeded("investigator"))
HASH = b64(bytes(32))


def enrol(portal: Portal, role: str, person: str, key: SignerKey) -> None:
    street = portal.street
    clear = {"enrolled_role": role, "vkey": str(key.verifier), "month": month_of(street.clock.now())}
    street.keys[role] = key
    street.hand_in(street.signed("key_enrolled", "oversight", clear, {"person": person}))


def row_of(table: str, portal: Portal, **values: object) -> None:
    portal.street.house.store.commit(lambda tx: tx.insert(table, values))


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    """Rows as the acts write them (which ``test_acts_custody`` tests), so that each state of a request is shown."""
    made = make_portal(tmp_path_factory.mktemp("releases"))
    street = made.street
    enrol(made, "shift-lead", "Sam <b>Okoro</b>", LEAD)
    enrol(made, "investigator", "Ines Vermaat", INVESTIGATOR)
    now = street.clock.now()
    leaf = made.street.house.store.read().one("SELECT leaf_hash FROM entry WHERE act = 'key_enrolled' ORDER BY idx")
    assert leaf is not None
    known = bytes(leaf["leaf_hash"])
    values = {
        "request": "00000000000000aa",
        "source": "street",
        "from_ms": now - HOUR,
        "to_ms": now - HOUR + MINUTE,
        "reason": "A child <script> at the trench",
        "follow_up_by_ms": now + 24 * HOUR,
    }
    statement = street.signed("glass_broken", "shift-lead", {}, values, purpose="lawn")
    common = {
        "source": "street",
        "purpose": "lawn",
        "from_ms": now - HOUR,
        "to_ms": now - HOUR + MINUTE,
        "asked_ms": now,
        "vkey": str(LEAD.verifier),
        "statement": statement.encode(),
    }
    row_of(
        "evidence_case", made, id="00000000000000cc", number="EX-1", authority="Order 7 Gs 1/26", reason="r",
        purpose="lawn", case_key=bytes(32), until_ms=now + DAY, opened_ms=now, person="Ines Vermaat",
        statement=b"-", leaf_hash=bytes(32),
    )  # fmt: skip
    for number, more in {
        "00000000000000aa": {"glass": 1, "person": "Sam <b>Okoro</b>", "role": "shift-lead", "leaf_hash": known},
        "00000000000000ab": {"granted_ms": now, "granted_leaf_hash": bytes(32), "taken_ms": now,
                             "taken_leaf_hash": bytes(31) + b"t"},
        "00000000000000ac": {"granted_ms": now, "granted_leaf_hash": bytes(32)},
        "00000000000000ad": {},
        "00000000000000ae": {},
    }.items():  # fmt: skip
        asked = {"glass": 0, "evidence_case": "00000000000000cc", "recipient": bytes(32), "person": "Ines Vermaat",
                 "role": "investigator", "leaf_hash": bytes(30) + number[-2:].encode()}  # fmt: skip
        if more.get("glass"):
            asked = {}
        row_of(
            "release_request", made, id=number, reason=f"why {number}", until_ms=now + DAY,
            **{**common, **asked, **more},
        )  # fmt: skip
    row_of(
        "release_answer", made, request="00000000000000ad", custodian="dpo", approved=0, reason="Too little & vague",
        until_ms=now + DAY, statement=b"-", answered_ms=now, leaf_hash=known,
    )  # fmt: skip
    row_of(
        "release_denied", made, at_ms=now, person="Ines Vermaat", evidence_case="00000000000000cc", source="street",
        why="That is 5 hours of video.", leaf_hash=known,
    )  # fmt: skip
    row_of(
        "hold", made, id="00000000000000dd", source="street", from_ms=now - HOUR, to_ms=now, reason="A complaint.",
        until_ms=now + 90 * DAY, role="oversight", ordered_ms=now, statement=b"-", leaf_hash=known,
    )  # fmt: skip
    street.clock.advance(25 * HOUR)
    charter = street.house.standing().charter
    assert charter is not None
    look_for_misuse(street.house.acting, charter)
    street.settle()
    yield made
    street.house.close()


def test_each_request_says_where_it_stands_and_links_to_its_entries(portal: Portal) -> None:
    oversight = portal.person("oversight")
    data = oversight.get("/oversight/releases.json").json()
    states = {each["id"][-2:]: each["state"] for each in data["requests"]}
    assert states == {"ab": "opened", "ac": "ran out", "ad": "refused", "ae": "ran out"}
    refused = next(each for each in data["requests"] if each["id"].endswith("ad"))
    assert refused["answers"][0]["reason"] == "Too little & vague"
    html = oversight.get("/oversight/releases").text
    assert f'href="/ledger/entries/{refused["answers"][0]["index"]}"' in html
    assert "Too little &amp; vague" in html
    assert "That is 5 hours of video." in html
    assert "A complaint." in html


def test_an_emergency_without_a_report_is_loud_and_first(portal: Portal) -> None:
    data = portal.person("oversight").get("/oversight/releases.json").json()
    assert data["unreported"] == 1
    assert data["emergencies"][0]["overdue"] is True
    html = portal.person("oversight").get("/oversight/releases").text
    assert "Nobody has said what for" in html
    assert "Sam &lt;b&gt;Okoro&lt;/b&gt;" in html
    assert "blink" not in html


def test_a_signal_is_one_sentence_with_its_evidence_and_the_command_to_settle_it(portal: Portal) -> None:
    oversight = portal.person("oversight")
    data = oversight.get("/oversight/misuse.json").json()
    signal = next(each for each in data["signals"] if each["kind"] == Kind.GLASS_NOT_FOLLOWED.value)
    assert signal["sentence"].count(".") >= 1
    assert signal["evidence"][0]["index"] is not None
    assert data["open"] == len([each for each in data["signals"] if each["finding"] is None])
    chosen = {"signal": signal["id"], "finding": "mistake", "note": "they're new; $(rm -rf /)"}
    prepared = oversight.send("GET", "/oversight/misuse.json", params=chosen).json()
    words = shlex.split(prepared["command"])
    args = parser("oversight").parse_args(words[1:])
    assert (args.where, args.signal, args.finding, args.note) == (
        "http://localhost", signal["id"], "mistake", chosen["note"],
    )  # fmt: skip
    assert data["command"] is None  # nothing is prepared unless one is chosen
    assert prepared["open"] == data["open"]  # and looking settles nothing


def test_no_page_of_signals_holds_a_total_of_a_person(portal: Portal) -> None:
    data = portal.person("oversight").get("/oversight/misuse.json").json()
    assert set(data) == {
        "signals", "open", "judged_until", "cannot_judge", "chosen", "command", "simulated_until",
    }  # fmt: skip
    assert all("person" not in each for each in data["signals"])
    assert Signal.__slots__  # a signal has no weight: its fields are what the page shows
    assert not {"score", "weight", "rank", "count"} & set(Signal.__slots__)


def test_a_nonsense_choice_prepares_nothing(portal: Portal) -> None:
    oversight = portal.person("oversight")
    for query in (f"signal={HASH.replace('=', '%3D')}", "signal=x&finding=guilty", "finding=misuse"):
        assert oversight.get(f"/oversight/misuse.json?{query}").json()["command"] is None


@pytest.mark.parametrize(
    ("role", "sections"),
    [("investigator", ("serve", "ask")), ("custodian", ("serve", "custodian")), ("shift-lead", ("serve", "ask"))],
)
def test_the_desk_page_only_points_to_one_s_own_machine(portal: Portal, role: str, sections: tuple[str, ...]) -> None:
    someone = portal.person(role)
    html = someone.get("/desk").text
    assert {name for name in ("serve", "ask", "custodian") if f'id="{name}"' in html} == set(sections)
    assert 'method="post" action="/desk' not in html
    data = someone.get("/desk.json").json()
    words = shlex.split(data["serve"])
    assert parser("desk").parse_args(words[1:]).where == "http://localhost"
    assert parser("custodian").parse_args(shlex.split(data["inbox"])[1:]).where == "http://localhost"


def test_a_request_is_written_as_a_command_and_nothing_else(portal: Portal) -> None:
    someone = portal.person("investigator")
    asked = {
        "source": "street",
        "since": "2026-11-23T14:05",
        "until": "2026-11-23T14:10Z",
        "reason": "who's there; $(x)",
    }
    data = someone.send("GET", "/desk.json", params=asked).json()
    args = parser("case").parse_args(shlex.split(data["request"])[1:])
    assert (args.source, args.reason, args.case) == ("street", "who's there; $(x)", "CASE")
    assert "--from 2026-11-23T14:05Z --to 2026-11-23T14:10Z" in data["request"]
    odd = someone.send("GET", "/desk.json", params={"source": "roof; rm", "since": "yesterday"}).json()
    assert (odd["source"], odd["since"]) == ("street", "")
    assert "--from TIME" in odd["request"]
