"""How the audit reads, remembers and reports: the same result however it is read, and bounds that hold."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from leaf_examples import examples
from small_log import LEDGER, NOON, Everything, Small

from thorough import tries
from watchglass.core.digest import sha256
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.ledger import merkle
from watchglass.ledger.merkle import leaf_hash
from watchglass.oversight import memory as memories
from watchglass.oversight.audit import Auditor
from watchglass.oversight.entry import EntryReader, hour_number
from watchglass.oversight.hashes import Hashes
from watchglass.oversight.promises.refs import Refs
from watchglass.oversight.report import MOST_BREACHES, Breach, State, differences
from watchglass.records.leaf import Leaf

BEATS = (LEDGER.replace(", heartbeat_every: 10s", ""), LEDGER)


def eventful() -> Small:
    """A log in which something of everything that is remembered is open at some time, and some of it is broken."""
    small = Small(edits=[BEATS]).begin()
    small.name_recorder()
    small.beat()
    alert = small.alert()
    small.enrol("investigator")
    order = small.suspend("camera")
    request = small.sign("release_requested", "investigator", purpose="lawn")
    verdict = small.decide(alert)
    small.attest("verdict_withdrawn", refs=[verdict], purpose="lawn", role="reviewer")
    small.witness()
    small.sign("release_approved", "custodian-dpo", refs=[request], purpose="lawn", custodian="dpo")
    small.attest("segment_sealed", purpose="lawn")
    small.obey(order, "camera")
    small.sign("hold_ordered", "oversight", until_ms=NOON + 90 * DAY)
    small.add(b"nothing")
    small.beat()
    small.publish(small.text(2, ("review: {within: 2m}", "review: {within: 3m}")))
    small.witness()
    small.decide(alert)
    small.attest("clip_kept", refs=[alert], purpose="lawn")
    small.stop()
    small.start("00000000000000e2")
    small.pass_time(4 * HOUR)
    small.attest("retention_applied", clear={"what": "clips"})
    small.witness()
    late = small.alert("faces")
    small.pass_time(5 * HOUR)
    small.decide(late)
    return small


# ---- reading ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("deep", [False, True])
def test_an_audit_that_was_interrupted_anywhere_says_the_same(deep: bool) -> None:
    small = eventful()
    more: dict[str, Any] = {"openings": Everything(small)} if deep else {}
    whole = small.audit(deep=deep)
    assert len(whole.broken) > 3
    for at in range(len(small.entries) + 1):
        first = small.auditor(**more)
        for index in range(at):
            first.see(index, small.entries[index], leaf_hash(small.entries[index]))
        if at:
            first.finish(*small.ending())  # which leaves nothing behind
        resumed = _resume(small, first, **more)
        assert resumed.size == at
        report = small.read(resumed, max(0, at - 2)).finish(*small.ending())  # some entries come again
        assert report.encode() == whole.encode(), at


def _resume(small: Small, auditor: Auditor, **more: Any) -> Auditor:
    given = {"policy": small.policy(), "oversight": small.keys["oversight"].verifier, "now_ms": small.clock.now()}
    return Auditor.from_memory(auditor.memory(), small.origin, **{**given, **more})


def test_what_was_remembered_fits_this_audit_or_is_refused() -> None:
    small = eventful()
    auditor = small.read(small.auditor())
    for more in ({"policy": None}, {"oversight": None}, {"openings": Everything(small)}):
        with pytest.raises(BadInput, match="another version") as refusal:
            _resume(small, auditor, **more)
        assert "from the start" in refusal.value.fix
    for data in (b"", b"{}", b"[1]", b'{"d":[[1,2]]}', auditor.memory()[:-9], auditor.memory().replace(b'"b"', b'"q"')):
        with pytest.raises(BadInput) as refusal:
            Auditor.from_memory(data, small.origin, policy=None, oversight=None, now_ms=NOON)
        assert "from the start" in refusal.value.fix


def test_entries_come_in_order_and_one_that_changed_is_named() -> None:
    small = Small().begin()
    auditor = small.read(small.auditor())
    with pytest.raises(BadInput, match="comes next"):
        auditor.see(99, b"", bytes(32))
    auditor.see(2, b"another", sha256(b"another"))
    report = auditor.finish(*small.ending())
    assert [each.promise for each in report.broken] == ["intact"]


@pytest.mark.parametrize("act", sorted({json.loads(data)["act"] for data in examples()}))
def test_the_quick_way_of_reading_reads_what_the_strict_one_does(act: str) -> None:
    reader = EntryReader()
    for data in [each for each in examples() if json.loads(each)["act"] == act]:
        for again in range(2):
            entry, leaf = reader.read(again, data, leaf_hash(data)), Leaf.parse(data)
            told = (entry.act, entry.role, entry.charter, entry.purpose, entry.refs, dict(entry.clear))
            assert told == (leaf.act, leaf.role, leaf.charter, leaf.purpose, leaf.refs, dict(leaf.clear))
            assert entry.hour == hour_number(leaf.hour)
            assert entry.leaf == leaf


@settings(max_examples=tries(300), deadline=None)
@given(data=st.data())
def test_no_changed_entry_is_read_that_the_strict_way_refuses(data: st.DataObject) -> None:
    reader = EntryReader()
    known = [each for each in examples() if b'"basis":"attested"' in each]
    for each in known:
        reader.read(0, each, b"")
    entry = bytearray(data.draw(st.sampled_from(known)))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(entry) - 1))
        match data.draw(st.sampled_from(("set", "cut", "copy", "splice"))):
            case "set":
                entry[at] = data.draw(st.sampled_from(b'"{}[],:\\nul019AZaz+/=\x00\xff'))
            case "cut":
                del entry[at : at + data.draw(st.integers(1, 60))]
            case "copy":
                entry[at:at] = entry[at : at + data.draw(st.integers(1, 60))]
            case _:
                other = data.draw(st.sampled_from(known))
                entry[at:] = other[-(len(entry) - at) :]
        if not entry:
            entry = bytearray(b"{}")
    changed = bytes(entry)
    try:
        leaf = Leaf.parse(changed)
    except (BadInput, ValueError, RecursionError):
        with pytest.raises((BadInput, ValueError, RecursionError)):
            reader.read(0, changed, b"")
    else:
        assert reader.read(0, changed, b"").leaf == leaf


# ---- parts -----------------------------------------------------------------------------------------------------------


def test_the_root_of_every_earlier_size() -> None:
    hashes, leaves = Hashes(), [sha256(str(number).encode()) for number in range(600)]
    for size, leaf in enumerate(leaves):
        if size < 40 or size in (255, 256, 257, 272, 511, 512, 513, 599):
            assert hashes.root(size) == merkle.root(leaves[:size])
        hashes.append(leaf)
    for size in (0, 1, 15, 16, 17, 255, 256, 257, 300, 512, 600):
        assert hashes.root(size) == merkle.root(leaves[:size])
    assert hashes.find(leaves[77]) == 77
    assert hashes.find(leaves[77][1:] + b"x") is None
    assert hashes.places([leaves[5], bytes(32), leaves[599]]) == {leaves[5]: 5, leaves[599]: 599}
    with pytest.raises(BadInput, match="600"):
        hashes.root(601)


def test_plain_values_are_remembered_as_they_are() -> None:
    breach = Breach("refs", "Something.", (3, 4), None)
    value = {"a": [1, None, True, "x"], "b": (b"\x00", {("k", 2): {3, 4}}), "c": {b"k": 1}, "d": breach, "e": set()}
    assert memories.read(memories.write(value)) == value
    with pytest.raises(AssertionError, match="float"):
        memories.pack(1.5)


def test_a_thousand_breaches_are_listed_and_all_are_counted() -> None:
    small = Small().begin()
    for number in range(MOST_BREACHES + 20):
        small.add(b"x%d" % number)
    found = small.finding("well-formed")
    assert (len(found.breaches), found.total) == (MOST_BREACHES, MOST_BREACHES + 20)


def test_a_fault_of_the_audit_itself_never_looks_like_a_promise_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Refs, "see", fails)
    small = Small().begin()
    small.decide(small.alert())
    report = small.audit()
    assert report.broken == ()
    assert report.by_promise["refs"].state is State.UNSEEN
    assert "stumbled at entry" in report.by_promise["refs"].sentence


# ---- reports ---------------------------------------------------------------------------------------------------------


def test_the_same_log_gives_the_same_bytes_and_their_hash_is_what_is_published() -> None:
    small = eventful()
    one, two = small.audit(), small.audit()
    assert one.encode() == two.encode()
    assert one.sha256 == sha256(one.encode())
    assert json.loads(one.encode())["counts"] == one.counts()
    assert sum(one.counts().values()) == len(one.findings)
    assert one.found["allowed"] == "broken"


def test_two_audits_are_compared() -> None:
    small = Small().begin()
    alert = small.alert()
    before = small.audit().as_json()
    assert differences(before, small.audit()).changed == ()
    small.pass_time(3 * HOUR)
    after = small.audit()
    found = differences(before, after)
    assert found.changed == (("alerts", "kept", "broken"),)
    assert [each.entries for each in found.new] == [(alert.index,)]
    small.decide(alert)
    later = differences(after.as_json(), small.audit())
    assert [name for name, _ in later.gone] == ["alerts"]
    assert later.changed == ()
    assert (found.before, later.after) == (alert.index + 1, alert.index + 2)
    for other in ({}, {**before, "origin": "elsewhere"}, {**before, "findings": [1]}, {**before, "size": None}):
        with pytest.raises(BadInput):
            differences(other, after)


def test_a_report_opens_with_what_it_cannot_see() -> None:
    small = Small().begin()
    alone = small.read(small.auditor(policy=None)).finish(small.ending()[0], ())
    assert alone.cannot_see[0].startswith("Whether this is the log that others see")
    assert "charters name" in alone.witnessed_by
    assert any("sealed" in each for each in alone.cannot_see)
    assert not any("sealed:" in each for each in small.audit(deep=True).cannot_see)
    assert small.audit().at_ms == small.clock.now() // SECOND * SECOND
    assert alone.at_ms <= small.clock.now() + MINUTE
