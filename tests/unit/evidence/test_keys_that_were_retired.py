"""Whose keys counted when: keys that were retired sign nothing more, however old the hour that they write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from a_release import AUTHORITY, BOARD, NOW, STRANGER, SmallLog, signed, the_charter
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from three_custodians import ORIGIN

from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.core.digest import b64
from watchglass.core.time import HOUR
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.evidence.succession import Succession, first_named, walk
from watchglass.ledger.keys import SignerKey
from watchglass.records.leaf import Leaf
from watchglass.records.recorder import Recorder

OUTGOING = {"authority": AUTHORITY, "oversight": BOARD}
INCOMING = {
    "authority": SignerKey.generate("next.authority", SeededEntropy("next authority")),
    "oversight": SignerKey.generate("next.oversight", SeededEntropy("next oversight")),
}
THIEF = SignerKey.generate("thief.example", SeededEntropy("thief"))


def charter(version: int, keys: dict[str, SignerKey]) -> Charter:
    """The harbour charter, in force since the beginning of the month, with these keys."""
    text = the_charter().data.decode()
    for old, new in (
        ("version: 3", f"version: {version}"),
        ("from: 2026-12-01", "from: 2026-11-01"),
        (f"key: {AUTHORITY.verifier}", f"key: {keys['authority'].verifier}"),
        (f"key: {BOARD.verifier}", f"key: {keys['oversight'].verifier}"),
    ):
        assert old in text, old
        text = text.replace(old, new, 1)
    return parse(text.encode())


FIRST, SECOND = charter(1, OUTGOING), charter(2, INCOMING)


@dataclass(frozen=True)
class Entry:
    index: int
    leaf: Leaf


class Log:
    """Records one after the other, each signed in an hour of its own choice."""

    def __init__(self) -> None:
        self.small = SmallLog()

    def publish(self, new: Charter, by: dict[str, SignerKey], hour: int, *, under: Charter | None = None) -> None:
        about = {"name": new.charter, "version": new.version, "sha256": new.digest}
        house = Recorder(
            origin=ORIGIN,
            clock=VirtualClock(NOW + hour * HOUR),
            entropy=SeededEntropy(f"{new.version} {hour}"),
            oversight=X25519PrivateKey.from_private_bytes(b"p" * 32).public_key(),
        )
        made = house.attested(
            "charter_published",
            role="house",
            charter=under.sha256 if under else None,
            clear={**about, "text": new.data.decode()},
            committed={"account": "ada", "allowed_by": None},
        )
        self.small.add(made.data)
        for role, key in by.items():
            clear = {**about, "as_role": role, "seen": None}
            statement = signed(
                "charter_approved", key, role, {}, purpose=None, charter=None, clear=clear, now=NOW + hour * HOUR
            )
            self.small.signed_act(statement)

    def enrol(self, by: SignerKey, under: Charter, hour: int, key: SignerKey = STRANGER) -> int:
        clear = {"enrolled_role": "investigator", "vkey": str(key.verifier), "month": "2026-11"}
        given = {"charter": under.sha256, "purpose": None, "clear": clear, "now": NOW + hour * HOUR}
        return self._add(signed("key_enrolled", by, "oversight", {"person": f"Kim {hour}"}, **given))

    def hold(self, by: SignerKey, under: Charter, hour: int) -> int:
        scope = {"source": "steps-cam", "from_ms": 1, "to_ms": 2, "hold": "0" * 16, "reason": "A complaint."}
        given = {"charter": under.sha256, "purpose": None, "now": NOW + hour * HOUR}
        return self._add(signed("hold_ordered", by, "oversight", {**scope, "until_ms": NOW * 2}, **given))

    def _add(self, statement: object) -> int:
        self.small.signed_act(statement)  # type: ignore[arg-type]  # what `signed` gives
        return len(self.small.entries) - 1

    @property
    def records(self) -> Sequence[Entry]:
        return [Entry(index, Leaf.parse(data)) for index, data in enumerate(self.small.entries) if index]

    def succession(self) -> Succession:
        return walk(self.records, ORIGIN, first_named(self.records))

    def overseers(self, index: int) -> set[str]:
        """Who could have enrolled somebody in that record."""
        entry = next(each for each in self.records if each.index == index)
        return {key.name for key in self.succession().oversight_for(entry)}


def rotated() -> Log:
    """The keys were changed at hour 0."""
    log = Log()
    log.publish(FIRST, OUTGOING, -48)
    log.publish(SECOND, OUTGOING, 0, under=FIRST)
    assert log.succession().charters == (FIRST, SECOND)
    return log


def test_an_enrolment_from_before_the_change_stays_valid() -> None:
    log = Log()
    log.publish(FIRST, OUTGOING, -48)
    before = log.enrol(BOARD, FIRST, -24)
    log.publish(SECOND, OUTGOING, 0, under=FIRST)
    after = log.enrol(INCOMING["oversight"], SECOND, 5)
    assert log.overseers(before) == {BOARD.name}
    assert log.overseers(after) == {INCOMING["oversight"].name}


def test_an_old_hour_does_not_make_a_retired_key_count_again() -> None:
    log = rotated()
    log.enrol(INCOMING["oversight"], SECOND, 5, key=THIEF)
    backdated = log.enrol(BOARD, FIRST, -24)
    assert log.overseers(backdated) == {INCOMING["oversight"].name}


def test_retired_keys_do_not_approve_a_charter_that_the_house_dates_back() -> None:
    forged = charter(9, {"authority": THIEF, "oversight": SignerKey.generate("b", SeededEntropy("b"))})
    log = rotated()
    log.enrol(INCOMING["oversight"], SECOND, 5)
    log.publish(forged, OUTGOING, -24, under=FIRST)
    assert log.succession().charters == (FIRST, SECOND)
    log.publish(forged, INCOMING, 6, under=SECOND)  # the same text, approved by those who could
    assert log.succession().charters == (FIRST, SECOND, forged)


def test_until_a_record_is_made_under_the_new_charter_the_hour_decides() -> None:
    """The house takes up a charter once witnesses have cosigned it; what it takes in meanwhile is under the old one."""
    log = rotated()
    meanwhile = log.enrol(BOARD, FIRST, 0)
    assert log.overseers(meanwhile) == {BOARD.name, INCOMING["oversight"].name}


def test_what_comes_in_batches_was_signed_before_it_shows() -> None:
    log = rotated()
    log.enrol(INCOMING["oversight"], SECOND, 0)
    index = log.hold(BOARD, FIRST, -1)
    entry = next(each for each in log.records if each.index == index)
    assert log.succession().stood_for(entry) == [FIRST, FIRST]
    late = log.hold(BOARD, FIRST, 3)
    entry = next(each for each in log.records if each.index == late)
    assert log.succession().stood_for(entry) == [SECOND, SECOND]


def test_a_record_that_names_a_charter_nobody_approved_changes_nothing() -> None:
    log = Log()
    log.publish(FIRST, OUTGOING, -48)
    stranger = charter(7, {"authority": THIEF, "oversight": BOARD})
    log.enrol(BOARD, stranger, -24)
    later = log.enrol(BOARD, FIRST, -20, key=THIEF)
    assert log.overseers(later) == {BOARD.name}
    assert b64(stranger.sha256) in log.succession().named
