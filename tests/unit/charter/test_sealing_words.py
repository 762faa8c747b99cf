"""What residents read about original video, and what they read when it changes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from watchglass.charter.diff import Change, compare
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.charter.words import explain
from watchglass.ledger.keys import KeyType, VerifierKey

DPO = "    dpo: dpo.exampleton.example/custodian+0eccfc64+AfB+TDPgvCf+oEFUf7/xXmZs3tuHNCgkrz6AWczGv+Nv\n"
GLASS = (
    "    break_glass: {key: tUPpHbBWWqweRtkDe/zYFnzgoumono9Estf/3f9gW2M=, by: [shift-lead], longest: 10m, "
    "not_older_than: 2h, follow_up: 24h}\n"
)


def section(data: bytes | Charter, name: str) -> str:
    charter = data if isinstance(data, Charter) else parse(data)
    return " ".join(line for part in explain(charter) if part.id == name for line in part.sentences)


def a_custodian(name: str, number: int) -> str:
    return f"    {name}: {VerifierKey(name, KeyType.ED25519, bytes([number]) * 32)}\n"


def test_a_resident_reads_which_pairs_can_open_it(sealed_charter: Charter) -> None:
    told = section(sealed_charter, "original")
    for words in (
        "The machine that records it cannot open it",
        "Three custodians keep the keys, on machines of their own: “control room”, “dpo” and “oversight”.",
        "Two of them must agree, and “oversight” must be one of them.",
        "Only these can open it together: “control room” with “oversight”; or “dpo” with “oversight”.",
        "Without “oversight” the others cannot, however many agree.",
        "If the key of “oversight” is lost, nobody can open it any more.",
        "at most 1 hour of video at a time, and never agree to it themselves",
        "A request runs out after 1 day.",
        "a shift lead may open up to 10 minutes of the last 2 hours at once, without anybody's agreement",
        "oversight is told at once",
        "must be explained within 1 day",
        "The lock itself cannot keep the emergency key to this",
    ):
        assert words in told, words


def test_how_long_it_is_kept_is_said_with_the_longest_life_of_a_copy(sealed_charter: Charter, charter: Charter) -> None:
    told = section(sealed_charter, "kept")
    assert "only around alerts, from 20 seconds before until 40 seconds after" in told
    assert "deleted after 3 days" in told
    assert "when it is 34 days old" in told
    assert "is black in it too" in told
    assert "not recorded" not in told
    assert "The original video is not recorded." in section(charter, "kept")


def test_a_charter_that_records_nothing_has_no_such_section(charter: Charter) -> None:
    assert "original" not in {part.id for part in explain(charter)}
    assert "judge how well" not in section(charter, "checked")


def test_what_the_access_record_is_for_is_said(reseal) -> None:
    assert "never used to judge how well somebody works" in section(reseal(), "checked")
    only = section(reseal(("lawfulness, self-monitoring, integrity, criminal-proceedings", "lawfulness")), "checked")
    assert "is there only to check that looking was lawful." in only
    kept = "Cases, requests for original video and signals of misuse are kept until 1 year after they are over."
    assert kept in section(reseal(), "checked")


def test_without_somebody_in_particular_all_pairs_are_told(reseal) -> None:
    told = section(reseal(("    one_of: [oversight]", "   ")), "original")
    assert "“control room” with “dpo”; or “control room” with “oversight”; or “dpo” with “oversight”" in told
    assert "Without" not in told
    assert "is lost" not in told


def test_without_an_emergency_rule_none_is_told(reseal) -> None:
    assert "emergency" not in section(reseal((GLASS, "")), "original")


def test_one_alone_is_said_plainly(reseal) -> None:
    told = section(reseal(("2 of 3", "1 of 3"), ("[oversight]", "[oversight, dpo]")), "original")
    assert "A single one of these can open it alone: “dpo” and “oversight”." in told


def test_all_of_the_time_is_said(reseal) -> None:
    told = section(reseal(("when: incidents, before: 20s, after: 40s", "when: always")), "kept")
    assert "The original video of Harbour steps is kept all the time." in told


def test_many_groups_are_counted_instead(reseal) -> None:
    more = "".join(a_custodian(f"c{number}", number) for number in range(1, 4))
    told = section(reseal((DPO, DPO + more), ("2 of 3", "3 of 6"), ("    one_of: [oversight]", "   ")), "original")
    assert "That makes 20 groups of three who can open it together." in told


def test_sentences_are_short_and_whole(sealed_charter: Charter) -> None:
    lines = [line for part in explain(sealed_charter) if part.id in {"kept", "original"} for line in part.sentences]
    assert all(line.endswith(".") and line[0].isupper() for line in lines)
    assert all(len(line.split()) <= 42 for line in lines)
    assert sum(len(re.findall(r"\w+", line)) for line in lines) / len(lines) < 20


def changes(old: Charter, data: bytes) -> list[Change]:
    return compare(old, parse(data))


@pytest.mark.parametrize(
    ("old", "new", "weight"),
    [
        ("when: incidents, before: 20s, after: 40s", "when: always", "widening"),
        ("before: 20s", "before: 30s", "widening"),
        ("after: 40s", "after: 30s", "narrowing"),
        ("segment: 10s", "segment: 20s", "maintenance"),
        (", sources: [steps-cam]", "", "widening"),
        ("custodians: 2 of 3", "custodians: 3 of 3", "narrowing"),
        ("custodians: 2 of 3", "custodians: 1 of 3", "widening"),
        ("    one_of: [oversight]", "   ", "widening"),
        ("one_of: [oversight]", "one_of: [oversight, dpo]", "widening"),
        ("one_of: [oversight]", "one_of: [dpo]", "widening"),
        ("valid: 24h", "valid: 48h", "widening"),
        ("valid: 24h", "valid: 12h", "narrowing"),
        ("longest: 1h", "longest: 2h", "widening"),
        (GLASS, "", "narrowing"),
        ("by: [shift-lead]", "by: [shift-lead, investigator]", "widening"),
        ("longest: 10m", "longest: 20m", "widening"),
        ("not_older_than: 2h", "not_older_than: 1h", "narrowing"),
        ("follow_up: 24h", "follow_up: 48h", "widening"),
        ("sealed: 72h", "sealed: 96h", "widening"),
        ("sealed: 72h", "sealed: 48h", "narrowing"),
        ("[lawfulness, self-monitoring, integrity, criminal-proceedings]", "[lawfulness]", "narrowing"),
        ("  access_log: {uses: [lawfulness, self-monitoring, integrity, criminal-proceedings]}\n", "", "maintenance"),
    ],
)
def test_loosening_is_shown_as_such(reseal, sealed_charter: Charter, old: str, new: str, weight: str) -> None:
    found = changes(sealed_charter, reseal((old, new)))
    assert [change.weight for change in found] == [weight]
    assert found[0].sentence.endswith(".")


def test_a_rule_can_be_loosened_while_more_must_agree(reseal, sealed_charter: Charter) -> None:
    data = reseal((DPO, DPO + a_custodian("press-office", 1) + a_custodian("mayor", 2)), ("2 of 3", "3 of 5"))
    found = changes(sealed_charter, data)
    assert {change.weight for change in found} == {"widening"}
    assert "To open original video, 3 of 5 custodians must now agree; before: 2 of 3." in {c.sentence for c in found}
    assert "New: “press office” keeps keys to original video." in {change.sentence for change in found}


def test_a_custodian_with_another_key_may_be_somebody_else(reseal, sealed_charter: Charter) -> None:
    (change,) = changes(sealed_charter, reseal((DPO, a_custodian("dpo", 9))))
    assert change.weight == "widening"
    assert "“dpo” now has another key" in change.sentence


def test_beginning_to_record_widens_and_ending_narrows(charter: Charter, sealed_charter: Charter) -> None:
    begin, end = compare(charter, sealed_charter), compare(sealed_charter, charter)
    told = {change.sentence for change in begin if change.weight == "widening"}
    assert (
        "Original video is now recorded, locked, around alerts: from 20 seconds before until 40 seconds after." in told
    )
    assert (
        "Original video can now be opened when 2 of 3 custodians agree, “oversight” among them; and in an emergency "
        "one person may open up to 10 minutes of the last 2 hours alone, at once."
    ) in told
    assert all(change.weight == "narrowing" for change in end)
    assert "Original video is no longer recorded." in {change.sentence for change in end}


def test_an_emergency_rule_that_comes_is_told_with_its_reach(reseal, sealed_charter: Charter) -> None:
    without = parse(reseal((GLASS, "")))
    (change,) = compare(without, sealed_charter)
    assert change.weight == "widening"
    assert "may open up to 10 minutes of the last 2 hours alone, at once" in change.sentence


def test_a_limit_to_the_access_record_that_falls_away_widens(reseal, sealed_charter: Charter) -> None:
    narrow = parse(reseal(("[lawfulness, self-monitoring, integrity, criminal-proceedings]", "[lawfulness]")))
    loose = replace(narrow, safeguards=replace(narrow.safeguards, access_log=None), data=b"x")
    assert [change.weight for change in compare(narrow, loose)] == ["widening"]
    assert sealed_charter.safeguards.log_uses == loose.safeguards.log_uses
