"""What an audit says: findings, breaches, and how two audits of one log differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Literal

from watchglass.core import canonical
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput
from watchglass.core.time import iso

VERSION: Final = 1
MOST_BREACHES: Final = 1_000
"""Of one promise that a report lists; the others are counted."""

Depth = Literal["structure", "openings"]


class State(StrEnum):
    """What became of a promise."""

    KEPT = "kept"
    BROKEN = "broken"
    UNSEEN = "unseen"
    """This depth, or this data, cannot tell."""
    PENDING = "pending"
    """This version does not make the promise."""


@dataclass(frozen=True, slots=True)
class Breach:
    """One time that a promise was broken.

    Attributes:
        promise: its name.
        sentence: what happened, in plain words, and which institution or role can answer for it; never a person.
        entries: the numbers of the entries that show it. hour: the hour of the first of them, where there is one.
    """

    promise: str
    sentence: str
    entries: tuple[int, ...]
    hour: str | None

    def as_json(self) -> dict[str, object]:
        """As it stands in the report."""
        return {"sentence": self.sentence, "entries": list(self.entries), "hour": self.hour}


@dataclass(frozen=True, slots=True)
class Finding:
    """What the audit says about one promise.

    Attributes:
        promise: its name, which stays. title: the promise itself, as a sentence.
        sentence: how it was checked, with counts; or why it could not be.
        depth: what data it takes. checked: how many things were looked at.
        breaches: the first 1,000. total: how many there are.
    """

    promise: str
    title: str
    sentence: str
    depth: Depth
    state: State
    checked: int
    breaches: tuple[Breach, ...] = ()
    total: int = 0

    def as_json(self) -> dict[str, object]:
        """As it stands in the report."""
        return {
            "promise": self.promise,
            "title": self.title,
            "sentence": self.sentence,
            "depth": self.depth,
            "state": self.state.value,
            "checked": self.checked,
            "breaches": [each.as_json() for each in self.breaches],
            "total": self.total,
        }


@dataclass(frozen=True, slots=True)
class CharterSpan:
    """A charter that both approved, and on which days it says that it holds.

    Attributes:
        sha256: of its bytes, in base64. since, until: the first moment at which it holds, and the first at which it no
            longer does. approved: the number of the entry that completed it: the second approval.
    """

    name: str
    version: int
    sha256: str
    since: str
    until: str
    approved: int

    def as_json(self) -> dict[str, object]:
        """As it stands in the report."""
        return {
            "name": self.name,
            "version": self.version,
            "sha256": self.sha256,
            "from": self.since,
            "until": self.until,
            "approved": self.approved,
        }


@dataclass(frozen=True, slots=True)
class TakenOver:
    """What an audit that begins with a year did not read.

    Attributes:
        size: how many entries. state: the SHA-256 of what was taken over instead. word: whose word that is:
            ``oversight``, whose remembered key signed it; ``named``: a key signed it that only the state itself calls
            oversight's; ``operator``.
    """

    year: int
    size: int
    state: bytes
    word: Literal["oversight", "named", "operator"]

    def as_json(self) -> dict[str, object]:
        """As it stands in the report."""
        return {"year": self.year, "size": self.size, "state": b64(self.state), "word": self.word}


@dataclass(frozen=True, slots=True)
class Report:
    """The whole result, at one size of the log.

    Attributes:
        cannot_see: what neither depth can see, and what this one cannot; a report opens with it.
        witnesses: who cosigned the checkpoint, with POSIX seconds. witnessed_by: whose keys these are, in words.
        notice: what must be told of a demonstration or a trial; else None.
        at_ms: as of when; the latest cosignature, or the last entry's hour.
        begun: what was taken over unread; None: every entry was read.
    """

    origin: str
    size: int
    root: bytes
    depth: Depth
    charters: tuple[CharterSpan, ...]
    findings: tuple[Finding, ...]
    cannot_see: tuple[str, ...]
    witnesses: tuple[tuple[str, int], ...]
    witnessed_by: str
    notice: str | None
    at_ms: int
    begun: TakenOver | None = None
    by_promise: Mapping[str, Finding] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_promise", {each.promise: each for each in self.findings})

    @property
    def breaches(self) -> int:
        """How many breaches there are, of all promises together."""
        return sum(each.total for each in self.findings)

    @property
    def broken(self) -> tuple[Finding, ...]:
        """The promises that were broken."""
        return tuple(each for each in self.findings if each.state is State.BROKEN)

    @property
    def found(self) -> dict[str, str]:
        """For each promise its state, as `audit_published` carries it."""
        return {each.promise: each.state.value for each in self.findings}

    def counts(self) -> dict[str, int]:
        """How many promises are in each state."""
        return {state.value: sum(each.state is state for each in self.findings) for state in State}

    def as_json(self) -> dict[str, Any]:
        """The report as one object of plain values; the same log and time give the same bytes."""
        return {
            "watchglass_audit": VERSION,
            "origin": self.origin,
            "size": self.size,
            "root": b64(self.root),
            "depth": self.depth,
            "at": iso(self.at_ms),
            "begun": None if self.begun is None else self.begun.as_json(),
            "cannot_see": list(self.cannot_see),
            "notice": self.notice,
            "witnesses": [{"name": name, "seconds": seconds} for name, seconds in self.witnesses],
            "witnessed_by": self.witnessed_by,
            "charters": [each.as_json() for each in self.charters],
            "counts": self.counts(),
            "breaches": self.breaches,
            "findings": [each.as_json() for each in self.findings],
        }

    def encode(self) -> bytes:
        """The canonical bytes of the report."""
        return canonical.encode(self.as_json())

    @property
    def sha256(self) -> bytes:
        """Of the canonical bytes: what `audit_published` names."""
        return sha256(self.encode())


@dataclass(frozen=True, slots=True)
class Differences:
    """What is new since an earlier audit.

    Attributes:
        before, after: sizes. changed: (promise, state before, state after); a promise that was not there is "".
        new: breaches that were not listed before. gone: (promise, sentence) of those that are listed no longer.
    """

    before: int
    after: int
    changed: tuple[tuple[str, str, str], ...]
    new: tuple[Breach, ...]
    gone: tuple[tuple[str, str], ...]

    def as_json(self) -> dict[str, object]:
        """As one object of plain values."""
        return {
            "before": self.before,
            "after": self.after,
            "changed": [list(each) for each in self.changed],
            "new": [{"promise": each.promise, **each.as_json()} for each in self.new],
            "gone": [list(each) for each in self.gone],
        }


def differences(before: Mapping[str, Any], after: Report) -> Differences:
    """How an audit differs from an earlier one of the same log.

    Args:
        before: the earlier report's ``as_json``.

    Raises:
        BadInput: that is no report, or one of another log.
    """
    if before.get("watchglass_audit") != VERSION or not isinstance(before.get("findings"), list):
        raise BadInput(
            "This is not an audit's report of version 1.", fix="Give the JSON that `watchglass audit` wrote."
        )
    if before.get("origin") != after.origin:
        raise BadInput(
            f"That report is of {before.get('origin')}, and this one of {after.origin}.",
            fix="Compare audits of one log.",
        )
    try:
        states = {each["promise"]: each["state"] for each in before["findings"]}
        listed = {(each["promise"], one["sentence"]) for each in before["findings"] for one in each["breaches"]}
        size = int(before["size"])
    except (KeyError, TypeError, ValueError) as error:
        raise BadInput("This report is damaged.", fix="Give the file as `watchglass audit` wrote it.") from error
    now = after.found
    changed = tuple(
        (name, states.get(name, ""), now.get(name, ""))
        for name in dict.fromkeys([*now, *states])
        if states.get(name, "") != now.get(name, "")
    )
    every: Sequence[Breach] = [one for each in after.findings for one in each.breaches]
    new = tuple(one for one in every if (one.promise, one.sentence) not in listed)
    still = {(one.promise, one.sentence) for one in every}
    return Differences(size, after.size, changed, new, tuple(sorted(listed - still)))
