"""Sealed originals in a charter: what is read, what does not fit together, and where that is written."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchglass.charter.model import AccessLog, Charter, Custodian, GlassRule, Quorum, Record, Release
from watchglass.charter.parse import CharterErrors, CharterRefused, Fault, parse
from watchglass.charter.redraw import Drawn, Hidden, redraw
from watchglass.charter.sealing import NEEDS, USES, groups
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.ledger.keys import KeyType, VerifierKey

RECORD = "  record: {when: incidents, before: 20s, after: 40s, segment: 10s, sources: [steps-cam]}\n"
DPO = "    dpo: dpo.exampleton.example/custodian+0eccfc64+AfB+TDPgvCf+oEFUf7/xXmZs3tuHNCgkrz6AWczGv+Nv\n"
KEY = "tUPpHbBWWqweRtkDe/zYFnzgoumono9Estf/3f9gW2M="
GLASS = f"{{key: {KEY}, by: [shift-lead], longest: 10m, not_older_than: 2h, follow_up: 24h}}"


def faults(data: bytes) -> tuple[Fault, ...]:
    with pytest.raises(CharterErrors) as caught:
        parse(data)
    assert all(fault.fix.endswith(".") and fault.message.endswith(".") for fault in caught.value.faults)
    return caught.value.faults


def test_every_section_is_read_as_it_is_written(sealed_charter: Charter) -> None:
    rules = sealed_charter.safeguards
    assert rules.record == Record("incidents", 20 * SECOND, 40 * SECOND, 10 * SECOND, ("steps-cam",))
    assert [custodian.name for custodian in rules.custodians] == ["dpo", "oversight", "control-room"]
    assert sealed_charter.custodian("oversight").key == sealed_charter.oversight.key
    assert rules.release == Release(
        Quorum(2, 3), ("oversight",), NEEDS, DAY, HOUR,
        GlassRule(KEY, ("shift-lead",), 10 * MINUTE, 2 * HOUR, DAY),
    )  # fmt: skip
    assert (rules.release.k, rules.release.n, rules.release.groups_count, rules.release.shares) == (2, 3, 2, 4)
    assert rules.retention.sealed_ms == 3 * DAY
    assert rules.log_uses == USES
    assert sealed_charter.records("steps-cam")


def test_what_is_left_out_has_its_default(reseal) -> None:
    data = reseal(
        (RECORD, "  record: {when: incidents, after: 40s}\n"),
        ("    needs: [case, legal_authority, reason]\n    valid: 24h\n    longest: 1h\n", ""),
        (f"    break_glass: {GLASS}\n", ""),
        ("  access_log: {uses: [lawfulness, self-monitoring, integrity, criminal-proceedings]}\n", ""),
    )
    charter = parse(data)
    rules = charter.safeguards
    assert rules.record == Record("incidents", 0, 40 * SECOND, 10 * SECOND, ())
    assert charter.records("steps-cam")
    assert rules.release == Release(Quorum(2, 3), ("oversight",), NEEDS, DAY, HOUR, None)
    assert rules.access_log is None
    assert rules.log_uses == USES


def test_a_charter_without_these_sections_records_nothing(charter: Charter) -> None:
    assert not charter.records("steps-cam")
    assert charter.safeguards.custodians == ()
    assert charter.safeguards.retention.sealed_ms is None


ALL_OF_IT = [
    (RECORD, "", {"custodians", "release", "retention.sealed"}, "nothing is recorded"),
    ("  retention: {sealed: 72h, ", "  retention: {", {"record"}, "`retention.sealed` is missing"),
]


@pytest.mark.parametrize(("old", "new", "paths", "words"), ALL_OF_IT, ids=["record", "sealed"])
def test_the_sections_stand_together_or_not_at_all(reseal, old: str, new: str, paths: set[str], words: str) -> None:
    found = faults(reseal((old, new)))
    assert {fault.path for fault in found} == {f"safeguards.{path}" for path in paths}
    assert all(words in fault.message for fault in found)


def test_recording_needs_somebody_who_keeps_the_keys_and_a_rule(sealed: str) -> None:
    start, end = sealed.index("  custodians:  "), sealed.index("  release:\n")
    (fault,) = faults((sealed[:start] + sealed[end:]).encode())
    assert "`custodians` is missing" in fault.message
    (fault,) = faults((sealed[:end] + sealed[sealed.index("  retention:") :]).encode())
    assert "`release` is missing" in fault.message
    line = sealed.splitlines().index(RECORD.rstrip()) + 1
    assert fault.line == line


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ("when: incidents", "when: incident", "record.when", "Did you mean `incidents`"),
        ("when: incidents", "when: always", "record", "nothing is before or after"),
        ("before: 20s, after: 40s, ", "", "record", "a second to an hour after"),
        ("before: 20s", "before: 11m", "record", "At most 10 minutes"),
        ("segment: 10s", "segment: 6m", "record", "second to five minutes"),
        ("sources: [steps-cam]", "sources: [step-cam]", "record.sources[0]", "Did you mean `steps-cam`"),
        ("sources: [steps-cam]", "sources: [steps-cam, steps-cam]", "record", "twice"),
        ("sources: [steps-cam]", "sources: []", "record.sources", "1 to"),
        ("  record: {when", "  record: {whem: incidents, when", "record.whem", "Did you mean `when`"),
        ("  release:\n", "  release:\n    brake_glass: no\n", "release.brake_glass", "Did you mean `break_glass`"),
        ("custodians: 2 of 3", "custodians: 2 of 4", "release.custodians", "3 custodians are named"),
        ("custodians: 2 of 3", "custodians: 4 of 3", "release.custodians", "can never agree"),
        ("custodians: 2 of 3", "custodians: 0 of 3", "release.custodians", "can never agree"),
        ("custodians: 2 of 3", "custodians: two of three", "release.custodians", "such as 2 of 3"),
        ("custodians: 2 of 3", "custodians: 2/3", "release.custodians", "such as 2 of 3"),
        ("one_of: [oversight]", "one_of: [oversigth]", "release.one_of[0]", "Did you mean `oversight`"),
        ("one_of: [oversight]", "one_of: [dpo, dpo]", "release", "twice"),
        ("one_of: [oversight]", "one_of: []", "release.one_of", "1 to"),
        ("[case, legal_authority, reason]", "[case, reason]", "release", "always needs a case"),
        ("[case, legal_authority, reason]", "[case, reason, reason]", "release", "always needs a case"),
        ("[case, legal_authority, reason]", "[case, warrant, reason]", "release.needs[1]", "legal_authority"),
        ("valid: 24h", "valid: 1m", "release", "ten minutes to a week"),
        ("valid: 24h", "valid: 8d", "release", "ten minutes to a week"),
        ("valid: 24h", "valid: 4d", "release.valid", "longer than originals are kept"),
        ("sealed: 72h", "sealed: 30m", "release.valid", "longer than originals are kept"),
        ("longest: 1h", "longest: 2d", "release", "second to a day"),
        ("longest: 1h", "longest: 9m", "release", "more than a release"),
        ("by: [shift-lead]", "by: [administrator]", "release.break_glass.by[0]", "shift-lead or investigator"),
        ("by: [shift-lead]", "by: []", "release.break_glass.by", "1 to 2"),
        ("by: [shift-lead]", "by: [shift-lead, shift-lead]", "release.break_glass", "twice"),
        ("longest: 10m", "longest: 2h", "release.break_glass", "at most an hour"),
        ("longest: 10m", "longest: 5s", "release.break_glass.longest", "less than one sealed piece"),
        ("not_older_than: 2h", "not_older_than: 2d", "release.break_glass", "not older than a day"),
        ("follow_up: 24h", "follow_up: 8d", "release.break_glass", "within a week"),
        (KEY, KEY[:-2] + "==", "release.break_glass.key", "base64"),
        ("uses: [lawfulness, ", "uses: [lawfullness, ", "access_log.uses[0]", "Did you mean `lawfulness`"),
        ("uses: [lawfulness, ", "uses: [", "access_log", "looked unlawfully"),
        ("uses: [lawfulness, ", "uses: [lawfulness, lawfulness, ", "access_log.uses", "1 to 4"),
        ("+0eccfc64+", "+0eccfc65+", "custodians.dpo", "does not belong"),
        ("    dpo: ", "    DPO: ", "custodians.DPO", "small letters"),
    ],
)
def test_each_mistake_has_its_place_and_a_way_out(reseal, old: str, new: str, path: str, words: str) -> None:
    found = faults(reseal((old, new)))
    assert f"safeguards.{path}" in [fault.path for fault in found]
    assert any(words in f"{fault.message} {fault.fix}" for fault in found)


def test_the_line_is_the_one_where_it_stands(reseal) -> None:
    data = reseal(("custodians: 2 of 3", "custodians: 2 of 4"))
    (fault,) = faults(data)
    assert data.decode().splitlines()[fault.line - 1].strip() == "custodians: 2 of 4"


def test_a_release_that_opens_less_than_a_piece_is_told(reseal) -> None:
    (fault,) = faults(
        reseal(("segment: 10s", "segment: 5m"), ("longest: 1h", "longest: 4m"), (f"    break_glass: {GLASS}\n", ""))
    )
    assert fault.path == "safeguards.release.longest"
    assert "less than one sealed piece" in fault.message


def test_an_emergency_does_not_reach_back_further_than_originals_are_kept(reseal) -> None:
    found = faults(reseal(("sealed: 72h", "sealed: 90m"), ("valid: 24h", "valid: 1h")))
    assert [fault.path for fault in found] == ["safeguards.release.break_glass.not_older_than"]


def renamed(vkey: str, name: str, kind: KeyType = KeyType.ED25519) -> str:
    return str(VerifierKey(name, kind, VerifierKey.parse(vkey).public))


def test_one_key_never_stands_for_two(reseal, sealed_charter: Charter) -> None:
    dpo = sealed_charter.custodian("dpo").key
    for other, whose in (
        (renamed(sealed_charter.custodian("control-room").key, "b"), "'dpo''s"),
        (renamed(sealed_charter.authority.key, "b"), "the authority's"),
        (renamed(sealed_charter.oversight.witnesses[0].key, "b"), "a witness's"),
        (renamed(sealed_charter.oversight.key, "b"), "oversight's"),
    ):
        found = faults(reseal((dpo, other)))
        assert any(f"is {whose} key as well" in fault.message for fault in found), whose
        assert all(fault.path.startswith("safeguards.custodians.") for fault in found)


def test_a_witness_key_is_no_custodians_key(reseal, sealed_charter: Charter) -> None:
    dpo = sealed_charter.custodian("dpo").key
    (fault,) = faults(reseal((dpo, renamed(dpo, "b", KeyType.COSIGNATURE_V1))))
    assert "a witness" in fault.message


def test_oversight_may_be_a_custodian_with_its_own_key_if_it_is_called_so(reseal) -> None:
    data = reseal(("    oversight: privacy", "    board: privacy"), ("one_of: [oversight]", "one_of: [board]"))
    (fault,) = faults(data)
    assert fault.path == "safeguards.custodians.board"
    assert "Call this custodian `oversight`" in fault.fix


@pytest.mark.parametrize("whose", ["openings", "authority", "oversight", "dpo"])
def test_the_key_that_breaks_the_glass_serves_nothing_else(reseal, sealed_charter: Charter, whose: str) -> None:
    bare = {
        "openings": sealed_charter.oversight.openings_key,
        **{
            name: b64(VerifierKey.parse(key).public)
            for name, key in {
                "authority": sealed_charter.authority.key,
                "oversight": sealed_charter.oversight.key,
                "dpo": sealed_charter.custodian("dpo").key,
            }.items()
        },
    }
    (fault,) = faults(reseal((KEY, bare[whose])))
    assert fault.path == "safeguards.release.break_glass.key"
    assert whose.split(maxsplit=1)[0] in fault.message


def test_more_custodians_than_can_keep_keys_together_are_too_many(reseal) -> None:
    many = "".join(
        f"    c{number}: {VerifierKey(f'c{number}', KeyType.ED25519, bytes([number]) * 32)}\n"
        for number in range(1, 18)
    )
    found = faults(reseal((DPO, many), ("custodians: 2 of 3", "custodians: 2 of 19")))
    assert [fault.path for fault in found] == ["safeguards.custodians"]
    assert "at most 16" in found[0].message


@pytest.mark.parametrize(
    "use", ["performance-management", "performance", "staff-performance", "productivity", "disciplinary", "appraisals"]
)
def test_the_access_log_never_judges_how_well_staff_work(reseal, use: str) -> None:
    with pytest.raises(CharterRefused) as caught:
        parse(reseal(("uses: [lawfulness, ", f"uses: [{use}, lawfulness, ")))
    (refusal,) = caught.value.refusals
    assert refusal.rule == "staff-performance"
    assert "LED Art. 25(2)" in refusal.article
    assert refusal.path == "safeguards.access_log.uses[0]"


def test_a_section_of_that_name_is_refused_too(reseal) -> None:
    with pytest.raises(CharterRefused) as caught:
        parse(reseal(("access_log: {", "access_log: {performance_reviews: monthly, ")))
    assert caught.value.refusals[0].rule == "staff-performance"


def test_charters_made_by_hand_are_checked_as_well(sealed_charter: Charter) -> None:
    rules = sealed_charter.safeguards
    with pytest.raises(BadInput, match="`custodians` is missing"):
        replace(sealed_charter, safeguards=replace(rules, custodians=()))
    with pytest.raises(BadInput, match="Two things have one name"):
        replace(sealed_charter, safeguards=replace(rules, custodians=(*rules.custodians[:2], rules.custodians[0])))
    with pytest.raises(BadInput, match="looked unlawfully"):
        AccessLog(("integrity",))


def test_the_groups_are_exactly_those_that_the_rule_permits() -> None:
    people = tuple(Custodian(name, "") for name in ("c", "a", "b", "d"))
    assert [*groups(people, Release(Quorum(2, 4), ("b", "d")))] == [
        ("a", "b"), ("a", "d"), ("b", "c"), ("b", "d"), ("c", "d"),
    ]  # fmt: skip
    assert Release(Quorum(2, 4), ("b", "d")).groups_count == 5
    assert [*groups(people[:3], Release(Quorum(3, 3)))] == [("a", "b", "c")]


def test_the_zone_editor_keeps_these_sections(sealed: str, sealed_charter: Charter) -> None:
    source = sealed_charter.source("steps-cam")
    zones = [Drawn(z.name, z.points, "line" if z.line else "polygon", z.area_m2, z.name) for z in source.zones]
    zones[0] = Drawn("stairs", ((100, 300), (700, 280), (768, 576)), "polygon", 120, "steps")
    hidden = [Hidden(area.corners, index) for index, area in enumerate(source.never_see)]
    drawn = redraw(sealed.encode(), "steps-cam", zones, hidden, version=4)
    after = parse(drawn)
    assert after.safeguards == sealed_charter.safeguards
    assert drawn.decode()[drawn.decode().index("safeguards:") :] == sealed[sealed.index("safeguards:") :]
