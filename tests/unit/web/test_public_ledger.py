"""The ledger's pages and files: an outsider takes only what they give, and checks it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from itertools import pairwise

import pytest
from a_portal import Someone
from a_street import DAY, ORIGIN, Street, make_street

from watchglass.acts import public_ledger
from watchglass.acts.reading import CROWD
from watchglass.core.digest import unb64
from watchglass.core.errors import DidNotVerify
from watchglass.ledger import merkle, policy
from watchglass.ledger.proof import Proof
from watchglass.ledger.tiles import tiles_for
from watchglass.records.leaf import Leaf
from watchglass.review.model import VerdictValue
from watchglass.web.portal.app import create_app


@pytest.fixture(scope="module")
def street(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Street]:
    """More than 256 entries, so that there is a full tile."""
    made = make_street(tmp_path_factory.mktemp("street"))
    made.publish()
    made.clock.advance(2 * DAY)
    made.alerts([VerdictValue.CONFIRM, VerdictValue.REJECT, VerdictValue.UNSURE] * 44)
    made.settle()
    yield made
    made.house.close()


@pytest.fixture(scope="module")
def visitor(street: Street) -> Someone:
    return Someone(create_app(street.house))


def test_every_file_of_the_log_is_served_and_the_outsider_arrives_at_its_root(visitor: Someone) -> None:
    trust = policy.parse(visitor.get("/ledger/verify?download=trust-file").content)
    checkpoint = visitor.get("/log/checkpoint")
    assert checkpoint.headers["cache-control"] == "no-cache"
    accepted = trust.accept(checkpoint.content)
    size, root = accepted.signed.checkpoint.size, accepted.signed.checkpoint.root
    assert accepted.witnesses
    assert size > 256
    hashes: list[bytes] = []
    for tile in tiles_for(size):
        answer = visitor.get(f"/log/{tile.path}")
        assert answer.status_code == 200, tile.path
        assert ("immutable" in answer.headers["cache-control"]) is (tile.width == 256)
        if tile.level == 0:
            hashes += [answer.content[at : at + 32] for at in range(0, len(answer.content), 32)]
    assert merkle.root(hashes) == root


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/999",
        "tile/0/001",
        "tile/0/000.p/256",
        "tile/9/000",
        "tile/entries/x000/000",
        "tile/../../deployment.yaml",
    ],
)
def test_what_is_not_published_is_not_served(visitor: Someone, path: str) -> None:
    assert visitor.get(f"/log/{path}").status_code == 404


def test_a_tile_that_the_checkpoint_does_not_cover_yet_stays_inside(street: Street) -> None:
    size = street.house.sequencer.head.size
    covering = [tile for tile in tiles_for(size) if tile.level == 0][-1]
    assert public_ledger.published_tile(street.house.tiles, covering.path, size)
    with pytest.raises(Exception, match="not published"):
        public_ledger.published_tile(street.house.tiles, covering.path, size - 1)


def test_an_entry_proves_itself_offline(visitor: Someone) -> None:
    trust = policy.parse(visitor.get("/ledger/verify?download=trust-file").content)
    for index in (0, 1, 100, 256):
        answer = visitor.get(f"/ledger/entries/{index}.tlog-proof")
        assert f"entry-{index}.tlog-proof" in answer.headers["content-disposition"]
        proof = Proof.parse(answer.content)
        assert proof.extra is not None
        proof.check(merkle.leaf_hash(proof.extra), trust)
        data = visitor.get(f"/ledger/entries/{index}.json").json()
        assert data["leaf"].encode() == proof.extra
        assert unb64(data["entry"]["leaf_hash"]) == merkle.leaf_hash(proof.extra)
        with pytest.raises(DidNotVerify):
            proof.check(merkle.leaf_hash(proof.extra + b" "), trust)


def test_an_entry_says_what_is_sealed_and_what_it_refers_to(visitor: Someone) -> None:
    data = visitor.get("/ledger.json").json()
    decided = next(entry for entry in data["entries"] if entry["act"] == "alert_decided")
    page = visitor.get(f"/ledger/entries/{decided['index']}.json").json()
    assert {"alert", "verdict", "reason", "account", "minute"} <= set(page["entry"]["hidden"])
    [ref] = page["refs"]
    assert ref["act"] == "alert_raised"
    assert visitor.get(f"/ledger/entries/{ref['index']}.json").json()["entry"]["leaf_hash"] == ref["leaf_hash"]
    html = visitor.get(f"/ledger/entries/{decided['index']}").text
    assert f'href="/ledger/entries/{ref["index"]}"' in html
    assert "What is sealed" in html


def test_no_page_of_the_ledger_tells_a_name_a_verdict_or_a_minute(street: Street, visitor: Someone) -> None:
    size = visitor.get("/ledger.json").json()["head"]["size"]
    for index in range(size - 12, size):
        text = visitor.get(f"/ledger/entries/{index}.json").json()["leaf"]
        for secret in ("rita", '"confirm"', '"reject"', '"unsure"'):
            assert secret not in text
        assert not re.search(r"T[0-9]{2}:[0-9]{2}", text)


def test_the_list_pages_back_to_the_first_entry_without_a_gap(visitor: Someone) -> None:
    size = visitor.get("/ledger.json").json()["head"]["size"]
    seen: list[int] = []
    before = size
    while before > 0:
        data = visitor.get(f"/ledger.json?all=1&before={before}").json()
        seen += [entry["index"] for entry in data["entries"]]
        before = seen[-1]
    assert seen == list(range(size - 1, -1, -1))
    assert visitor.get("/ledger.json?all=1&before=nonsense").json()["entries"][0]["index"] == size - 1
    acts = {entry["act"] for entry in visitor.get("/ledger.json?before=20").json()["entries"]}
    assert acts
    assert acts.isdisjoint(CROWD)


def test_growth_counts_every_entry_and_every_day(visitor: Someone) -> None:
    data = visitor.get("/ledger.json").json()
    days = [date.fromisoformat(day["day"]) for day in data["growth"]]
    assert all((after - before).days == 1 for before, after in pairwise(days))
    assert sum(day["entries"] for day in data["growth"]) == data["growth"][-1]["total"] == data["head"]["size"]


def test_who_signed_is_checked_and_said(street: Street, visitor: Someone) -> None:
    head = visitor.get("/ledger.json").json()["head"]
    assert [(signer["part"], signer["verified"]) for signer in head["signers"]] == [("log", True), ("witness", True)]
    assert (head["origin"], head["witnesses"]) == (ORIGIN, 1)
    data = street.house.checkpoint()
    assert data is not None
    unknown = public_ledger.head(data, [])
    assert not any(signer.verified for signer in unknown.signers)
    broken = data.replace(b"\n\n", b"\n\n", 1)[:-30] + b"A" * 28 + data[-2:]
    with pytest.raises(Exception, match=r"."):
        public_ledger.head(broken, [street.house.log_vkey, *witness_keys(street)])


def witness_keys(street: Street) -> list[str]:
    charter = street.house.standing().charter
    assert charter is not None
    return [witness.key for witness in charter.oversight.witnesses]


def test_the_command_is_ready_to_paste(visitor: Someone) -> None:
    data = visitor.get("/ledger/verify.json").json()
    assert data["command"] == f"watchglass ledger verify http://localhost/log --trust {data['trust_name']}"
    assert data["command"] in visitor.get("/ledger/verify").text
    assert policy.parse(data["trust_file"].encode()).logs[0].url == "http://localhost/log"


@pytest.mark.parametrize("index", ["-1", "999999", "x", "1e3", "00000000000000000001", "1.json.json"])
def test_entries_that_do_not_exist(visitor: Someone, index: str) -> None:
    assert visitor.get(f"/ledger/entries/{index}").status_code == 404


def test_a_record_of_a_later_version_is_shown_as_unknown() -> None:
    entry = public_ledger.entry_of(7, b'{"act":"teleported"}')
    assert (entry.act, entry.title) == (None, "unknown record")
    assert "cannot read this record" in entry.meaning


def test_entries_are_read_by_the_strict_parser(visitor: Someone) -> None:
    leaf = visitor.get("/ledger/entries/1.json").json()["leaf"]
    assert Leaf.parse(leaf.encode()).act == "charter_published"
