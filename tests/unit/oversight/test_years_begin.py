"""A year begins with what an audit remembers of all before it: rightly, and in every wrong way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from small_log import NOON, Made, Small

from watchglass.core.digest import b64, sha256
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.tiles import FULL
from watchglass.oversight import carried
from watchglass.oversight.audit import Auditor
from watchglass.oversight.carried import FORM
from watchglass.oversight.hashes import Hashes
from watchglass.oversight.remaking import Remaker
from watchglass.oversight.report import Report, State

NEW_YEAR = NOON + 39 * DAY
"""2027-01-01T12:00Z."""


def remaker(small: Small) -> Remaker:
    def source(first: int, until: int) -> Iterator[tuple[int, bytes, bytes]]:
        return ((index, small.entries[index], leaf_hash(small.entries[index])) for index in range(first, until))

    return Remaker(small.origin, source)


def hashes(small: Small, size: int) -> Hashes:
    found = Hashes()
    for data in small.entries[:size]:
        found.append(leaf_hash(data))
    return found


@pytest.fixture
def small() -> Small:
    """An alert was raised in the old year and is decided in the new one; an order to stop stands across it."""
    made = Small().begin()
    made.suspend("on-the-lawn")
    made.pass_time(NEW_YEAR - made.clock.now())
    made.witness()
    return made


def begins(small: Small, head: Checkpoint | None = None, **otherwise: Any) -> Made:
    """A year begins at what witnesses saw last, or as it is told."""
    head = head or small.witness()[0]
    clear = {
        "year": 2027,
        "size": head.size,
        "root": b64(head.root),
        "form": FORM,
        "state": b64(sha256(remaker(small).state(head.size))),
        "audit": None,
    }
    return small.attest("year_began", clear={**clear, **otherwise})


def signs(small: Small, head: Checkpoint, state: bytes | None, who: str = "oversight") -> Made:
    """Oversight publishes an audit of exactly these entries, with the state that it made."""
    clear = {
        "size": head.size,
        "root": b64(head.root),
        "depth": "structure",
        "found": {"intact": "kept"},
        "breaches": 0,
        "report_sha256": b64(bytes(32)),
        "state": None if state is None else b64(sha256(state)),
    }
    return small.sign("audit_published", "oversight", clear=clear, key=small.keys[who])


def years(small: Small) -> list[int]:
    """What breaks the promise about years; each names the record first."""
    return small.broken(remake=remaker(small)).get("years", [])


def from_year(small: Small, size: int, **more: Any) -> Report:
    read = carried.read(remaker(small).state(size), small.origin)
    given = {"policy": small.policy(), "oversight": small.keys["oversight"].verifier, "now_ms": small.clock.now()}
    auditor = Auditor.from_carried(read, hashes(small, size), small.origin, begun=2027, **{**given, **more})
    auditor.world.remake = remaker(small)
    return small.read(auditor, size).finish(*small.ending())


# ---- rightly ---------------------------------------------------------------------------------------------------------


def test_a_year_begins_and_is_made_again(small: Small) -> None:
    begins(small)
    report = small.audit(remake=remaker(small))
    assert report.by_promise["years"].state is State.KEPT
    assert "made again from the entries and compared" in report.by_promise["years"].sentence


def test_a_year_rests_on_an_audit_that_oversight_signed(small: Small) -> None:
    head, _ = small.witness()
    audit = signs(small, head, remaker(small).state(head.size))
    begins(small, head, audit=b64(audit.hash))
    assert years(small) == []
    pinned = from_year(small, head.size)
    assert pinned.begun is not None
    assert pinned.begun.word == "oversight"
    assert "with the key that was remembered" in pinned.cannot_see[0]
    named = from_year(small, head.size, oversight=None)
    assert named.begun is not None
    assert named.begun.word == "named"


def test_years_follow_each_other_and_each_is_made_again_within_the_next(small: Small) -> None:
    begins(small)
    small.pass_time(365 * DAY)
    head, _ = small.witness()
    begins(small, head, year=2028)
    assert years(small) == []
    once = remaker(small).state(head.size)
    step = remaker(small)
    for size in (head.size - 3, head.size - 1):
        step(size)
    assert step.state(head.size) == once


def test_who_cannot_read_the_entries_again_says_so(small: Small) -> None:
    begins(small)
    finding = small.finding("years")
    assert (finding.state, "could not be made again" in finding.sentence) == (State.UNSEEN, True)


def test_a_state_of_other_rules_is_not_compared(small: Small) -> None:
    begins(small, form="9-deadbeef", state=b64(bytes(32)))
    finding = small.finding("years", remake=remaker(small))
    assert (finding.state, "9-deadbeef" in finding.sentence) == (State.UNSEEN, True)


# ---- wrongly ---------------------------------------------------------------------------------------------------------


def test_each_wrong_beginning_is_named(small: Small) -> None:
    head, _ = small.witness()
    other = begins(small, head, state=b64(sha256(b"another past")))
    small.pass_time(MINUTE)
    twice = begins(small, head)
    past, later = begins(small, head, year=2026), begins(small, head, year=2028)
    assert years(small) == [other.index, twice.index, past.index, later.index]


@pytest.mark.parametrize("wrong", [{"size": 10_000}, {"root": b64(bytes(32))}, {"size": 3}])
def test_a_year_begins_after_entries_of_this_log(small: Small, wrong: dict[str, Any]) -> None:
    made = begins(small, **wrong)
    assert years(small) == [made.index]


def test_a_year_begins_where_witnesses_had_seen_it(small: Small) -> None:
    head, _ = small.witness(hide=True)
    made = begins(small, head)
    assert "no witness had seen" in small.breach("years", remake=remaker(small)).sentence
    assert years(small) == [made.index]


def test_where_no_witness_is_recorded_a_year_and_its_archive_are_not_called_kept() -> None:
    """An operator that records no witness at all must not do better than one that records too few."""
    made = Small()
    clear = {"origin": made.origin, "deployment": made.kind, "software": "watchglass-1"}
    made.attest("log_opened", clear=clear)
    made.publish(made.text())
    made.pass_time(NEW_YEAR - made.clock.now())
    for _ in range(FULL):
        made.attest("log_opened", clear=clear)
    head, _ = made.witness(hide=True)
    began = begins(made, head)
    made.pass_time(91 * DAY)
    archived = {"year": 2027, "before": FULL, "kept_by": "Nobody."}
    gone = made.attest("entries_archived", clear=archived, refs=[began])
    told = {name: made.finding(name, remake=remaker(made)).state for name in ("years", "archived")}
    assert State.KEPT not in told.values(), "the trust file's witness is not recorded anywhere"
    broken = made.broken(policy=None, remake=remaker(made))
    assert began.index in broken["years"], "its own charter names a witness"
    assert gone.index in broken["archived"]


def test_what_a_year_rests_on_is_oversights_audit_of_that_size(small: Small) -> None:
    early, _ = small.witness()
    head, _ = small.witness()
    state = remaker(small).state(head.size)
    audits = [
        signs(small, early, remaker(small).state(early.size)),
        signs(small, head, None),
        signs(small, head, b"other"),
        signs(small, head, state, who="authority"),
    ]
    small.pass_time(HOUR)
    small.witness()
    kept = list(small.entries)
    for audit in audits:
        small.entries[:] = kept
        made = begins(small, head, audit=b64(audit.hash))
        assert years(small) == [made.index], audit


def test_oversight_answers_for_a_wrong_state_that_it_signed(small: Small) -> None:
    head, _ = small.witness()
    audit = signs(small, head, b"other")
    begins(small, head, audit=b64(audit.hash), state=b64(sha256(b"other")))
    assert "Oversight can answer" in small.breach("years", remake=remaker(small)).sentence


# ---- from the year on ------------------------------------------------------------------------------------------------


def test_what_was_broken_before_the_year_is_told_to_whoever_begins_there(small: Small) -> None:
    alert = small.alert()
    small.pass_time(5 * HOUR)
    small.witness()
    head, _ = small.witness()
    begins(small, head)
    assert set(small.broken()) >= {"alerts", "suspensions", "obeyed"}
    late = small.decide(alert)
    begun = from_year(small, head.size)
    whole = small.audit(remake=remaker(small))
    assert {each.promise: each.breaches for each in begun.broken} == {
        each.promise: each.breaches for each in whole.broken
    }
    assert any(late.index in one.entries for one in begun.by_promise["alerts"].breaches)


def test_another_first_key_than_the_remembered_one_is_named_from_a_year_too(small: Small) -> None:
    head, _ = small.witness()
    begins(small, head)
    other = small.keys["authority"].verifier
    begun = from_year(small, head.size, oversight=other)
    whole = small.audit(oversight=other, remake=remaker(small))
    assert begun.by_promise["charters"].breaches == whole.by_promise["charters"].breaches
    assert begun.by_promise["charters"].total == 1


def test_only_an_audit_of_the_log_alone_makes_a_state(small: Small) -> None:
    with pytest.raises(Exception, match="nothing else"):
        small.read(small.auditor()).carried()
    begins(small)
    with pytest.raises(Exception, match="earlier year"):
        small.read(Auditor.unaided(small.origin)).carried()
