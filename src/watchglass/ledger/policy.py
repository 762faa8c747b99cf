"""Trust files: C2SP tlog-policy. Which logs and witnesses a person trusts, and how many witnesses must agree.

Three conventions go with a trust file ``FILE``: ``FILE.seen`` holds the last checkpoint that was seen of each of its
logs, ``FILE.oversight`` the first oversight key; both are read and written at the edge. And a trust file that names a
``demo.`` or ``trial.`` log names no other log, so that nobody mistakes one for the real thing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from enum import StrEnum

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import SECOND, iso
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.checkpoint import SignedCheckpoint
from watchglass.ledger.keys import KeyType, VerifierKey

MAX_BYTES = 1 << 20
NO_QUORUM = "none"
_KEYWORDS = ("log", "witness", "group", "quorum")
_CALENDAR_ENDS = 253_402_300_800
"""The POSIX second at which the year 10000 begins."""
_COUNT = re.compile(r"[1-9][0-9]{0,5}")


class Deployment(StrEnum):
    """What kind of deployment keeps a log; its origin says so."""

    PRODUCTION = "production"
    DEMO = "demo"
    TRIAL = "trial"

    @classmethod
    def of(cls, origin: str) -> Deployment:
        """The kind that ``origin`` declares."""
        for kind in (cls.DEMO, cls.TRIAL):
            if origin.startswith(f"{kind.value}."):
                return kind
        return cls.PRODUCTION

    @property
    def sentence(self) -> str | None:
        """What a person must be told about results on such a log; None where there is nothing to say."""
        return _SENTENCES.get(self)


_SENTENCES = {
    Deployment.DEMO: "This log is a demonstration: one computer plays every part, so it proves nothing about a real "
    "deployment.",
    Deployment.TRIAL: "This log is a trial: one person holds every key and no witness watches, so it binds nobody.",
}


@dataclass(frozen=True, slots=True)
class Log:
    """A trusted log; its key's name is its origin."""

    key: VerifierKey
    url: str | None = None

    @property
    def origin(self) -> str:
        """The origin line of its checkpoints."""
        return self.key.name


@dataclass(frozen=True, slots=True)
class Witness:
    """A trusted witness under the name that this trust file gives it."""

    name: str
    key: VerifierKey
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Group:
    """Witnesses or groups of which at least ``threshold`` must agree."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Accepted:
    """A checkpoint that the policy accepts, and who cosigned it: (witness's name in the trust file, POSIX seconds)."""

    signed: SignedCheckpoint
    witnesses: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed trust file."""

    logs: tuple[Log, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str

    def __post_init__(self) -> None:
        special = sorted({log.origin for log in self.logs if Deployment.of(log.origin) is not Deployment.PRODUCTION})
        if special and len(self.logs) > 1:
            raise BadInput(
                f"This trust file names {special[0]}, a demonstration or trial, together with another log.",
                fix="Keep a trust file of its own for each demonstration or trial.",
                origin=special[0],
            )

    @property
    def deployment(self) -> Deployment:
        """What kind of log this policy trusts."""
        return Deployment.of(self.logs[0].origin) if self.logs else Deployment.PRODUCTION

    @property
    def keys(self) -> tuple[VerifierKey, ...]:
        """Every key in it: logs and witnesses."""
        return tuple(log.key for log in self.logs) + tuple(witness.key for witness in self.witnesses)

    def accept(self, data: bytes) -> Accepted:
        """The checkpoint in ``data``, if a trusted log signed it and the quorum cosigned it.

        Raises:
            BadInput: the bytes are not a checkpoint.
            DidNotVerify: a known signature fails, no trusted log signed, or the quorum is not reached.
        """
        kind = Deployment.of(checkpoints.parse(data).checkpoint.origin)
        if kind is not self.deployment:
            raise DidNotVerify(
                f"This is a log of a {kind.value} deployment; the trust file is for a {self.deployment.value} one.",
                fix="Use the trust file of this log. A demonstration or a trial never passes for the real thing.",
                deployment=kind.value,
            )
        signed = checkpoints.open_checkpoint(data, self.keys)
        times = {verified.key: verified.seconds for verified in signed.note.verified if verified.seconds is not None}
        cosigned = tuple((witness.name, times[witness.key]) for witness in self.witnesses if witness.key in times)
        self._check_quorum({name for name, _ in cosigned}, signed.checkpoint.origin)
        return Accepted(signed, cosigned)

    def _check_quorum(self, cosigned: Collection[str], origin: str) -> None:
        if self.quorum == NO_QUORUM:
            return
        groups = {group.name: group for group in self.groups}

        def agrees(name: str) -> bool:
            group = groups.get(name)
            if group is None:
                return name in cosigned
            return sum(map(agrees, group.members)) >= group.threshold

        if not agrees(self.quorum):
            raise DidNotVerify(
                f"Too few trusted witnesses cosigned this checkpoint of {origin}: the quorum is {self.quorum}.",
                fix="Try again after the next checkpoint; if it stays so, ask the operator and the witnesses why.",
                origin=origin,
                quorum=self.quorum,
                cosigned_by=", ".join(sorted(cosigned)) or "nobody",
            )


def told(witnesses: Iterable[tuple[str, int]]) -> list[dict[str, str]]:
    """Witnesses and their times as JSON-ready objects."""
    return [{"name": name, "time": moment_of(seconds)} for name, seconds in witnesses]


def moment_of(seconds: int) -> str:
    """POSIX seconds for people; a time beyond the calendar stays a number of seconds."""
    return iso(seconds * SECOND) if seconds < _CALENDAR_ENDS else f"{seconds} s"


def parse(data: bytes) -> Policy:
    """Read a trust file, strictly.

    Raises:
        BadInput: it is not a tlog-policy; the message names the line.
    """
    return _Parser().run(_text(data))


def _text(data: bytes) -> str:
    if len(data) > MAX_BYTES:
        raise BadInput("A trust file is a short text; this one is over a megabyte.", fix="Check the file's name.")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput("The trust file is not UTF-8 text.", fix="Save it as plain text.") from error
    for number, line in enumerate(text.split("\n"), 1):
        if any((letter < " " and letter != "\t") or letter == "\x7f" for letter in line):
            raise BadInput(
                f"Line {number} of the trust file holds a control character.",
                fix="Save it as plain text with Unix line endings.",
                line=number,
            )
    if text and not text.endswith("\n"):
        raise BadInput(
            "The last line of the trust file does not end with a newline, so it may be cut off.",
            fix="Check that the file is complete and add the newline.",
        )
    return text


@dataclass(slots=True)
class _Parser:
    logs: list[Log] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    defined: dict[str, int] = field(default_factory=dict)
    grouped: dict[str, int] = field(default_factory=dict)
    quorum: str | None = None
    line: int = 0

    def run(self, text: str) -> Policy:
        takes: Mapping[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        for self.line, raw in enumerate(text.split("\n"), 1):
            words = re.split(r"[ \t]+", raw.strip(" \t"))
            if not words[0] or words[0].startswith("#"):
                continue
            take = takes.get(words[0])
            if take is None:
                near = get_close_matches(words[0], _KEYWORDS, 1, 0.5)
                hint = f"Did you mean {near[0]}?" if near else "A line begins with log, witness, group or quorum."
                raise self._error(f"{words[0]!r} begins no line of a trust file.", hint)
            take(words[1:])
        if self.quorum is None:
            raise BadInput(
                "The trust file has no quorum line.",
                fix="Add `quorum NAME` at its end, or `quorum none` if no witness is asked for.",
            )
        return Policy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), self.quorum)

    def _log(self, words: list[str]) -> None:
        if not 1 <= len(words) <= 2:  # noqa: PLR2004  (key, perhaps address)
            raise self._error("A log line is `log KEY [URL]`.", "Give the log's verifier key.")
        key = self._key(words[0], KeyType.ED25519, "log")
        if any(log.key.public == key.public for log in self.logs):
            raise self._error("This log's key is named twice.", "Remove one of the lines.")
        self.logs.append(Log(key, words[1] if len(words) > 1 else None))

    def _witness(self, words: list[str]) -> None:
        if not 2 <= len(words) <= 3:  # noqa: PLR2004  (name, key, perhaps address)
            raise self._error("A witness line is `witness NAME KEY [URL]`.", "Give its name and its verifier key.")
        name = self._define(words[0])
        key = self._key(words[1], KeyType.COSIGNATURE_V1, "witness")
        if any(witness.key.public == key.public for witness in self.witnesses):
            raise self._error("This witness's key is named twice.", "Remove one of the lines.")
        self.witnesses.append(Witness(name, key, words[2] if len(words) > 2 else None))  # noqa: PLR2004  (the address)

    def _group(self, words: list[str]) -> None:
        if len(words) < 3:  # noqa: PLR2004  (name, threshold, members)
            raise self._error("A group line is `group NAME all|any|K MEMBER…`.", "Name at least one member.")
        members = words[2:]
        for member in members:
            self._known(member)
            if member in self.grouped:
                raise self._error(
                    f"{member} is already in the group of line {self.grouped[member]}.",
                    "Each witness or group counts once; remove it from one of them.",
                )
            self.grouped[member] = self.line
        threshold = {"all": len(members), "any": 1}.get(words[1])
        if threshold is None:
            if not _COUNT.fullmatch(words[1]):
                raise self._error(f"{words[1]!r} is not all, any or a number.", "Say how many members must agree.")
            threshold = int(words[1])
        if threshold > len(members):
            raise self._error(f"{threshold} of {len(members)} members can never agree.", "Lower the number.")
        self.groups.append(Group(self._define(words[0]), threshold, tuple(members)))

    def _quorum(self, words: list[str]) -> None:
        if len(words) != 1:
            raise self._error("A quorum line is `quorum NAME`.", "Name one witness or group, or none.")
        if self.quorum is not None:
            raise self._error("There is a second quorum line.", "Keep exactly one.")
        if words[0] != NO_QUORUM:
            self._known(words[0])
        self.quorum = words[0]

    def _define(self, name: str) -> str:
        if name == NO_QUORUM:
            raise self._error("The name none is taken: it means that no witness is asked for.", "Use another name.")
        if name in self.defined:
            raise self._error(f"{name} is already defined on line {self.defined[name]}.", "Use another name.")
        self.defined[name] = self.line
        return name

    def _known(self, name: str) -> None:
        if name not in self.defined:
            near = get_close_matches(name, self.defined, 1, 0.5)
            hint = f"Did you mean {near[0]}?" if near else "Define it on a line before this one."
            raise self._error(f"{name} is no witness or group defined above.", hint)

    def _key(self, text: str, kind: KeyType, role: str) -> VerifierKey:
        try:
            key = VerifierKey.parse(text)
        except BadInput as error:
            raise self._error(error.message, error.fix) from error
        if key.kind is not kind:
            raise self._error(
                f"The key of {key.name} is of type {key.kind:02x}; a {role}'s key is of type {kind:02x}.",
                f"Ask the {role} for its verifier key.",
            )
        return key

    def _error(self, message: str, fix: str) -> BadInput:
        return BadInput(f"Line {self.line} of the trust file: {message}", fix=fix, line=self.line)
