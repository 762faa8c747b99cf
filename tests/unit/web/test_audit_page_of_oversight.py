"""What oversight says in public stands on the page of the audit, and what contradicts last night's is marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from a_portal import Someone
from a_street import Seeded, Street, make_street

from watchglass.core.digest import b64
from watchglass.core.time import DAY
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.lodging import Lodged
from watchglass.web.portal.app import create_app

HASH = b64(bytes(32))


@pytest.fixture
def street(tmp_path: Path) -> Iterator[Street]:
    made = make_street(tmp_path)
    made.publish()
    made.clock.advance(DAY)
    made.settle()
    yield made
    made.house.close()


def size_of(street: Street) -> int:
    data = street.house.checkpoint()
    assert data is not None
    return checkpoints.parse(data).checkpoint.size


def publish(street: Street, found: dict[str, str], depth: str = "structure") -> None:
    data = street.house.checkpoint()
    assert data is not None
    at = checkpoints.parse(data).checkpoint
    clear: dict[str, Any] = {
        "size": at.size,
        "root": b64(at.root),
        "depth": depth,
        "found": found,
        "breaches": sum(state == "broken" for state in found.values()),
        "report_sha256": HASH,
    }
    street.hand_in(street.signed("audit_published", "oversight", clear, {}))
    street.settle()


def tell(street: Street, result: str, witness: SignerKey) -> None:
    note = Lodged.of(street.house.origin, b"a challenge", street.clock.now() // 1000).sign(witness).decode()
    committed = {
        "source": "street",
        "kind": "intrusion",
        "from_ms": 1,
        "to_ms": 2,
        "salt": "00" * 8,
        "alert_leaf": None,
        "note": "",
    }
    clear: dict[str, object] = {"challenge": HASH, "lodged": note, "result": result}
    street.hand_in(street.signed("challenge_told", "oversight", clear, committed))
    street.settle()


class LastNight:
    """What the nightly audit left, where a test says what that is; the house only reads it."""

    def __init__(self, latest: dict[str, Any] | None) -> None:
        self._latest = latest

    def days(self) -> list[str]:
        return []

    def latest(self) -> dict[str, Any] | None:
        return self._latest

    def close(self) -> None:
        """Nothing runs."""


def data_of(street: Street) -> dict[str, Any]:
    value: dict[str, Any] = Someone(create_app(street.house)).get("/audit.json").json()
    return value


def finding(promise: str, state: str, *breaches: tuple[int, str]) -> dict[str, Any]:
    told = [{"entries": [index], "sentence": sentence} for index, sentence in breaches]
    return {"promise": promise, "state": state, "breaches": told}


def test_nothing_was_said_yet(street: Street) -> None:
    data = data_of(street)
    assert (data["published"], data["challenges"]) == ([], [])
    html = Someone(create_app(street.house)).get("/audit").text
    assert "It has published none yet." in html
    assert "It has told of none yet." in html


def test_a_published_audit_stands_there_with_its_entry(street: Street) -> None:
    publish(street, {"alerts": "kept", "obeyed": "broken", "hours": "unseen", "budget": "pending"})
    (audit,) = data_of(street)["published"]
    assert audit["found"] == {"kept": 1, "broken": 1, "unseen": 1, "pending": 1}
    assert ([each["promise"] for each in audit["broken"]], audit["breaches"], audit["compared"]) == (
        ["obeyed"],
        1,
        False,
    )
    html = Someone(create_app(street.house)).get("/audit").text
    assert f'href="/ledger/entries/{audit["index"]}"' in html
    assert "newer than that" in html
    assert "Broken: Every order of oversight to stop was obeyed within two seconds." in html
    entry = Someone(create_app(street.house)).get(f"/ledger/entries/{audit['index']}.json").json()
    assert entry["entry"]["act"] == "audit_published"


def test_one_that_says_otherwise_than_last_nights_is_marked(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    publish(street, {"alerts": "kept"})
    publish(street, {"alerts": "kept", "obeyed": "broken"})
    publish(street, {"alerts": "kept", "obeyed": "kept"}, "openings")
    third, second, first = (each["index"] for each in data_of(street)["published"])
    findings = [
        finding("alerts", "broken"),
        finding("obeyed", "kept"),
        finding("audits", "broken", (first, "Entry says what is not so.")),
    ]
    last = {"size": third, "findings": findings}  # it ended just before the third
    monkeypatch.setattr(street.house, "nightly", LastNight(last))
    newest, middle, oldest = data_of(street)["published"]
    assert (newest["compared"], newest["differs"]) == (False, False)
    assert (middle["compared"], middle["differs"]) == (True, True)
    (said,) = middle["otherwise"]
    assert said.endswith("calls it kept: Every order of oversight to stop was obeyed within two seconds.")
    assert oldest["otherwise"] == ["Entry says what is not so."]
    html = Someone(create_app(street.house)).get("/audit").text
    assert html.count("says otherwise") == 2
    monkeypatch.setattr(street.house, "nightly", LastNight({"error": "BadInput", "message": "no"}))
    assert [each["compared"] for each in data_of(street)["published"]] == [False] * 3
    assert second < third


def test_the_newest_twenty_are_shown(street: Street) -> None:
    for _ in range(22):
        publish(street, {"alerts": "kept"})
    shown = [each["index"] for each in data_of(street)["published"]]
    assert shown == sorted(shown, reverse=True)
    newest = street.house.store.read().one("SELECT max(idx) AS at FROM entry WHERE act = 'audit_published'")
    assert newest is not None
    assert (len(shown), shown[0]) == (20, newest["at"])


def test_challenges_that_were_told(street: Street) -> None:
    stranger = SignerKey.generate("witness.elsewhere", Seeded("stranger"), KeyType.COSIGNATURE_V1)
    known = street.witness._witness._signer  # the street's own
    tell(street, "missed", stranger)
    tell(street, "noticed", known)
    noticed, missed = data_of(street)["challenges"]
    assert (noticed["result"], noticed["lodged_ms"]) == ("noticed", street.clock.now() // 1000 * 1000)
    assert (missed["result"], missed["lodged_ms"]) == ("missed", None)
    html = Someone(create_app(street.house)).get("/audit").text
    assert f'href="/ledger/entries/{noticed["index"]}"' in html
    assert "with none that the charter names" in html
