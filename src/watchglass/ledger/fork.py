"""Two checkpoints of one log that cannot both be true, kept as evidence against whoever signed them.

The file is canonical JSON: ``{"watchglass_fork":1, "kind", "by", "at_s", "logs", "known", "shown"}`` with both signed
notes as text. Nothing in it has to be believed: both notes carry the log's own signature.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from watchglass.core import canonical
from watchglass.core.digest import sha256
from watchglass.core.errors import BadInput, Detail, DidNotVerify
from watchglass.core.time import SECOND, iso
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import VerifierKey

LARGEST_FILE: Final = 64 << 10
_VERSION: Final = 1
_MEMBERS: Final = frozenset({"watchglass_fork", "kind", "by", "at_s", "logs", "known", "shown"})
_LATEST_S: Final = 253_402_300_799
_ROOT_DIGITS: Final = 16


class ForkKind(StrEnum):
    """What is wrong between the two."""

    SAME_SIZE = "same_size"
    """Two trees of one size: nothing but two histories explains it."""
    REWRITTEN = "rewritten"
    """The entries under the second do not begin with those under the first: everything was read and hashed again."""
    SHRUNK = "shrunk"
    """The second is smaller: entries were taken away, or an old copy was shown."""
    UNPROVEN = "unproven"
    """The second came without a proof that it continues the first. Whoever sent it may only have sent a bad proof."""


@dataclass(frozen=True, slots=True)
class Fork:
    """Evidence that a log told two stories, or may have.

    Attributes:
        by: who saw it: a witness's key as ``name+keyid``, or the program.
        at_s: when, in POSIX seconds, by that one's clock.
        logs: the log's key; or its keys, where it signs with several. Each note is signed by one of them.
        known: the note that was known before; shown: the one that does not fit it. Signed bytes.
    """

    kind: ForkKind
    by: str
    at_s: int
    logs: tuple[VerifierKey, ...]
    known: bytes
    shown: bytes

    def __post_init__(self) -> None:
        if not 0 <= self.at_s <= _LATEST_S or not self.by or not self.by.isprintable():
            raise BadInput("The evidence does not say who saw it and when.", fix="Fetch the file again, unchanged.")
        if len({self.before.origin, self.after.origin, *(key.name for key in self.logs)}) != 1 or not self.logs:
            raise BadInput("The two checkpoints are not of one log.", fix="Fetch the file again, unchanged.")

    @property
    def origin(self) -> str:
        """The log's origin."""
        return self.before.origin

    @property
    def before(self) -> Checkpoint:
        """The checkpoint that was known."""
        return checkpoints.parse(self.known).checkpoint

    @property
    def after(self) -> Checkpoint:
        """The checkpoint that does not fit it."""
        return checkpoints.parse(self.shown).checkpoint

    @property
    def name(self) -> str:
        """A name for its file: the same for the same two checkpoints."""
        log = sha256(self.origin.encode()).hex()[:_ROOT_DIGITS]
        pair = sha256(f"{self.kind}\n{self.before.text}\n{self.after.text}".encode()).hex()[:_ROOT_DIGITS]
        return f"{log}-{self.before.size}-{self.after.size}-{pair}"

    @property
    def sentence(self) -> str:
        """What it shows, for people."""
        before, after, when = self.before.size, self.after.size, iso(self.at_s * SECOND)
        match self.kind:
            case ForkKind.SAME_SIZE:
                shows = (
                    f"the log {self.origin} signed two different histories of {after:,} entries. It has forked: it "
                    "showed one to some people and the other to others"
                )
            case ForkKind.REWRITTEN:
                shows = (
                    f"the log {self.origin} signed {before:,} entries, and later {after:,} that do not begin with "
                    "them. Its past was rewritten"
                )
            case ForkKind.SHRUNK:
                shows = (
                    f"the log {self.origin} showed {after:,} entries after it had signed {before:,}. Entries were "
                    "taken away, or an old copy was shown"
                )
            case ForkKind.UNPROVEN:
                shows = (
                    f"somebody showed {after:,} entries that the log {self.origin} signed, without a proof that they "
                    f"continue the {before:,} known before. If the log itself cannot prove it, it has forked"
                )
        return f"On {when}, {self.by} saw: {shows}."

    def encode(self) -> bytes:
        """The file."""
        return (
            canonical.encode(
                {
                    "watchglass_fork": _VERSION,
                    "kind": self.kind.value,
                    "by": self.by,
                    "at_s": self.at_s,
                    "logs": [str(key) for key in self.logs],
                    "known": self.known.decode("utf-8"),
                    "shown": self.shown.decode("utf-8"),
                }
            )
            + b"\n"
        )

    @classmethod
    def parse(cls, data: bytes) -> Fork:
        """The evidence in a file. No signature is checked here: see ``check``.

        Raises:
            BadInput: the bytes are not such a file.
        """
        if len(data) > LARGEST_FILE:
            raise BadInput("This file is too large to be evidence of a fork.", fix="Check the file's name.")
        value = canonical.decode(data.removesuffix(b"\n"))
        if type(value) is not dict or value.keys() != _MEMBERS or value["watchglass_fork"] != _VERSION:
            raise BadInput("This file is not evidence of a fork, version 1.", fix="Check the file's name.")
        texts = [value[name] for name in ("kind", "by", "known", "shown")]
        logs = value["logs"]
        if type(logs) is not list or not all(type(text) is str for text in (*texts, *logs)):
            raise BadInput("A part of this evidence is not text.", fix="Fetch the file again, unchanged.")
        kind, by, known, shown = texts
        if kind not in set(ForkKind) or type(value["at_s"]) is not int:
            raise BadInput(f"Evidence of the kind {kind[:30]!r} is not known.", fix="Use a newer Watchglass.")
        keys = tuple(VerifierKey.parse(text) for text in logs)
        return cls(ForkKind(kind), by, value["at_s"], keys, known.encode(), shown.encode())

    def check(self) -> Fork:
        """This evidence, if the log signed both checkpoints and they do not fit as it says.

        Raises:
            DidNotVerify: it shows nothing: a signature fails, or the two are no contradiction of this kind.
        """
        for note in (self.known, self.shown):
            checkpoints.open_checkpoint(note, self.logs)
        before, after = self.before, self.after
        fits = {
            ForkKind.SAME_SIZE: before.size == after.size and before.root != after.root,
            ForkKind.REWRITTEN: before.size <= after.size and before.root != after.root,
            ForkKind.SHRUNK: after.size < before.size,
            ForkKind.UNPROVEN: before.size < after.size,
        }[self.kind]
        if not fits:
            raise DidNotVerify(
                "These two checkpoints are no evidence: they do not contradict each other in the way that is said.",
                fix="Ask whoever sent it for the two checkpoints themselves.",
                kind=self.kind.value,
            )
        return self


class LogForked(DidNotVerify):
    """A log that contradicts what was seen of it before; ``known`` and ``shown`` are the two signed notes."""

    def __init__(
        self, message: str, *, fix: str, kind: ForkKind, known: bytes, shown: bytes, **details: Detail
    ) -> None:
        super().__init__(message, fix=fix, **details)
        self.kind = kind
        self.known = known
        self.shown = shown

    def evidence(self, logs: Iterable[VerifierKey], *, by: str, at_ms: int) -> Fork:
        """It as evidence that can be kept and handed on."""
        return Fork(self.kind, by, at_ms // SECOND, tuple(logs), self.known, self.shown)
