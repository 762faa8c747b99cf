"""What lint asks of a charter that keeps original video: each rule with its law, and where a charter falls short."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchglass.charter.model import Charter
from watchglass.charter.phrases import capital, count, duration, somebody
from watchglass.charter.rules import Hit, Rule
from watchglass.charter.sealed_words import longest_life
from watchglass.charter.sealing import MOST_SHARES
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.ledger.keys import VerifierKey

_AT: Final = ("safeguards",)
_RELEASE: Final = (*_AT, "release")

_WIDE: Final = 5 * MINUTE
_LONG: Final = 4 * HOUR
_OPEN_LONG: Final = 3 * DAY
_KEPT_LONG: Final = 7 * DAY
_EXPLAINED_LATE: Final = 3 * DAY


def alone(charter: Charter) -> Iterator[Hit]:
    release = charter.safeguards.release
    if release is not None and release.k == 1:
        yield (*_RELEASE, "custodians"), "One custodian alone could open everything, and nobody would have to agree."


def too_many_shares(charter: Charter) -> Iterator[Hit]:
    release = charter.safeguards.release
    if release is not None and release.shares > MOST_SHARES:
        yield (
            (*_RELEASE, "custodians"),
            (
                f"Every sealed piece would carry {release.shares} shares of its key ({release.groups_count} groups of "
                f"{count(release.k)}), and at most {MOST_SHARES} are made."
            ),
        )


def all_needed(charter: Charter) -> Iterator[Hit]:
    release = charter.safeguards.release
    if release is not None and release.k == release.n > 1:
        yield (
            (*_RELEASE, "custodians"),
            f"All {count(release.n)} custodians must agree: when one loses their key, nothing can be opened any more.",
        )


def nobody_outside(charter: Charter) -> Iterator[Hit]:
    release = charter.safeguards.release
    if release is not None and not release.one_of and release.k < release.n:
        yield _RELEASE, f"Any {count(release.k)} custodians may open originals, and nobody in particular is needed."


def other_oversight(charter: Charter) -> Iterator[Hit]:
    for custodian in charter.safeguards.custodians:
        if custodian.name == "oversight" and _bare(custodian.key) != _bare(charter.oversight.key):
            yield (
                (*_AT, "custodians", "oversight"),
                (
                    "The custodian called oversight has another key than oversight signs with, so nothing here shows "
                    "that it is theirs."
                ),
            )


def _bare(vkey: str) -> bytes:
    return VerifierKey.parse(vkey).public


def wide(charter: Charter) -> Iterator[Hit]:
    record = charter.safeguards.record
    if record is not None and record.before_ms + record.after_ms > _WIDE:
        yield (
            (*_AT, "record"),
            (
                f"Around each alert {duration(record.before_ms + record.after_ms)} of original video would be kept, "
                "with everybody who happens to pass."
            ),
        )


def everything(charter: Charter) -> Iterator[Hit]:
    record = charter.safeguards.record
    if record is not None and record.when == "always":
        yield (*_AT, "record", "when"), "Everybody who passes would be recorded, whether or not anything happens."


def kept_long(charter: Charter) -> Iterator[Hit]:
    kept = charter.safeguards.retention.sealed_ms
    if kept is not None and kept > _KEPT_LONG:
        yield (
            (*_AT, "retention", "sealed"),
            (
                f"Originals would be kept for {duration(kept)}, and copies could be opened for up to "
                f"{duration(longest_life(kept))}."
            ),
        )


def outlives(charter: Charter) -> Iterator[Hit]:
    keep = charter.safeguards.retention
    if keep.sealed_ms is not None and keep.sealed_ms > keep.alerts_ms:
        yield (
            (*_AT, "retention", "sealed"),
            "Originals would be kept longer than what was decided about the alerts that they are for.",
        )


def opens_much(charter: Charter) -> Iterator[Hit]:
    release = charter.safeguards.release
    if release is not None and release.longest_ms > _LONG:
        yield (*_RELEASE, "longest"), f"One release could open {duration(release.longest_ms)} of everybody's day."


def valid_long(charter: Charter) -> Iterator[Hit]:
    release = charter.safeguards.release
    if release is not None and release.valid_ms > _OPEN_LONG:
        yield (*_RELEASE, "valid"), f"A request could lie open for {duration(release.valid_ms)}, agreed to and unused."


def glass(charter: Charter) -> Iterator[Hit]:
    release = charter.safeguards.release
    rule = release.break_glass if release is not None else None
    if rule is not None:
        yield (
            (*_RELEASE, "break_glass"),
            (
                f"{capital(somebody(rule.by))} may open {duration(rule.longest_ms)} of the last "
                f"{duration(rule.not_older_than_ms)} without any custodian, and a stolen key opens everything. "
                "Each use is recorded before anything opens, told to oversight at once, shown on its page until it is "
                f"explained, and late after {duration(rule.follow_up_ms)}."
            ),
        )


def explained_late(charter: Charter) -> Iterator[Hit]:
    release = charter.safeguards.release
    rule = release.break_glass if release is not None else None
    if rule is not None and rule.follow_up_ms > _EXPLAINED_LATE:
        yield (
            (*_RELEASE, "break_glass", "follow_up"),
            f"Why originals were opened would be known only after {duration(rule.follow_up_ms)}.",
        )


def encoded_anew(charter: Charter) -> Iterator[Hit]:
    for source in charter.sources:
        if source.never_see and charter.records(source.name):
            yield (
                ("sources", source.name, "never_see"),
                (
                    f"What {source.name!r} records is encoded anew, so that its `never_see` areas are black in the "
                    "sealed video too. Instead of packets that are copied, every recorded second is decoded and "
                    "encoded once, and what is kept is no longer the camera's own stream."
                ),
            )


def in_a_trial(charter: Charter) -> Iterator[Hit]:
    if charter.safeguards.record is not None:
        yield (*_AT, "record"), "A trial keeps no original video: one person there would hold every key."


SEALING_RULES: Final = (
    Rule(
        "sealed-alone",
        "error",
        "Nobody can open originals alone.",
        "GDPR Art. 32(1)(b); LED Art. 29",
        "Let at least two custodians agree, such as `custodians: 2 of 3`.",
        alone,
    ),
    Rule(
        "sealed-shares",
        "error",
        f"A sealed piece carries at most {MOST_SHARES} shares of its key.",
        "",
        "Name fewer custodians, or let fewer of them agree: 2 of 3 makes 6, 3 of 5 makes 30.",
        too_many_shares,
    ),
    Rule(
        "sealed-spare",
        "warning",
        "Originals can still be opened when one custodian is gone.",
        "GDPR Art. 32(1)(c)",
        "Name one custodian more than must agree.",
        all_needed,
    ),
    Rule(
        "sealed-outside",
        "warning",
        "Somebody outside the authority agrees to each release.",
        "GDPR Art. 32(1)(b); LED Art. 29",
        "Add `one_of` with a custodian who is not part of the authority, such as oversight.",
        nobody_outside,
    ),
    Rule(
        "custodian-oversight",
        "notice",
        "A custodian called oversight is oversight.",
        "",
        "Let oversight confirm that the key is theirs, or pin the key that they sign with.",
        other_oversight,
    ),
    Rule(
        "record-wide",
        "warning",
        "Around an alert at most five minutes of original video are kept.",
        "GDPR Art. 5(1)(c); LED Art. 4(1)(c)",
        "Shorten `before` and `after` to what shows the incident, such as 20s and 40s.",
        wide,
    ),
    Rule(
        "record-always",
        "warning",
        "Original video is kept around alerts, not always.",
        "GDPR Art. 5(1)(c); LED Art. 4(1)(c)",
        "Write `when: incidents`, or publish why that is not enough.",
        everything,
    ),
    Rule(
        "retention-sealed",
        "warning",
        "Originals are kept for at most a week.",
        "GDPR Art. 5(1)(e); LED Art. 5",
        "Shorten `retention.sealed`, such as 72h; what a case needs is held by a case.",
        kept_long,
    ),
    Rule(
        "retention-sealed-order",
        "warning",
        "No original outlives its alert.",
        "GDPR Art. 5(1)(e); LED Art. 5",
        "Keep originals for a shorter time than alerts.",
        outlives,
    ),
    Rule(
        "release-wide",
        "warning",
        "One release opens at most four hours.",
        "GDPR Art. 5(1)(c); LED Art. 4(1)(c)",
        "Shorten `release.longest`, such as 1h; a case may ask again.",
        opens_much,
    ),
    Rule(
        "release-valid",
        "warning",
        "A request runs out within three days.",
        "GDPR Art. 32(1)(b); LED Art. 29",
        "Shorten `release.valid`, such as 24h.",
        valid_long,
    ),
    Rule(
        "break-glass",
        "warning",
        "Nobody opens originals without custodians, not even in an emergency.",
        "GDPR Art. 32(1)(b); LED Art. 29",
        "Remove `break_glass`, or let a person read this, and publish why waiting for custodians costs lives.",
        glass,
    ),
    Rule(
        "break-glass-explained",
        "warning",
        "Whoever breaks the glass says why within three days.",
        "LED Art. 25(1); GDPR Art. 5(2)",
        "Shorten `follow_up`, such as 24h.",
        explained_late,
    ),
    Rule(
        "sealed-never-see",
        "notice",
        "What may not be seen is not in sealed video either.",
        "GDPR Art. 25(1); LED Art. 20",
        "Nothing to do, if the machine can do it. Without `record` for this source it costs nothing.",
        encoded_anew,
    ),
    Rule(
        "trial-record",
        "error",
        "A trial keeps no original video.",
        "",
        "Remove `record`, `custodians`, `release` and `retention.sealed`.",
        in_a_trial,
        only="trial",
    ),
)
