"""The audit: every entry read once, by every promise that it concerns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import iso
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.policy import Policy
from watchglass.oversight import carried as states
from watchglass.oversight import memory as memories
from watchglass.oversight.cannot_see import cannot_see
from watchglass.oversight.carried import Carried
from watchglass.oversight.entry import Entry, EntryReader
from watchglass.oversight.given import Lodged, Openings, Promised
from watchglass.oversight.hashes import Hashes
from watchglass.oversight.promises.charters import CharterSuccession
from watchglass.oversight.promises.every import PENDING, every, not_at_this_depth
from watchglass.oversight.promises.intact import Intact
from watchglass.oversight.promises.promise import Promise
from watchglass.oversight.promises.signatures import Signatures
from watchglass.oversight.promises.well_formed import WellFormed
from watchglass.oversight.promises.years import Years
from watchglass.oversight.report import CharterSpan, Finding, Report, State
from watchglass.oversight.times import as_of
from watchglass.oversight.world import Begun, End, Given, World
from watchglass.records.vocabulary import ACTS

Remake = Callable[[int], bytes | None]

MEMORY: Final = 2
"""The version of what is remembered; another one is not read."""
_BEGINS: Final = "log_opened"


class Auditor:
    """Reads a log, entry by entry, and says in the end what became of each promise.

    That the bytes are those that the checkpoint names is for the caller to verify first (``ledger.verify``), tiles and
    signatures of the checkpoint included; the tree is made again here all the same.

    Args:
        origin: of the log.
        policy: the trust file; None: nothing but the log's own word for its witnesses and its key.
        oversight: the first oversight key, as somebody remembered it.
        openings: what oversight can open; None: the depth of structure.
        receipts, lodged: what people kept, and what was lodged with witnesses.
        now_ms: the auditor's time.
        remake: the hash of the state (``carried``) that the first so many entries leave, for the years that begin;
            None where they cannot be read again.
    """

    def __init__(
        self,
        origin: str,
        *,
        policy: Policy | None,
        oversight: VerifierKey | None,
        openings: Openings | None = None,
        receipts: Iterable[Promised] = (),
        lodged: Iterable[Lodged] = (),
        now_ms: int,
        remake: Remake | None = None,
    ) -> None:
        given = Given(policy, oversight, openings, tuple(receipts), tuple(lodged), now_ms)
        self.world = World(origin, given)
        self.world.form = states.FORM
        if remake is not None:
            self.world.remake = remake
        self._reader = EntryReader()
        self._well_formed, self._intact, self._signatures = WellFormed(), Intact(), Signatures()
        self.promises: tuple[Promise, ...] = (
            self._intact,
            self._well_formed,
            self._signatures,
            *(make() for make in every(openings=openings is not None)),
        )
        self.years = next(each for each in self.promises if isinstance(each, Years))
        self._succession = next(each for each in self.promises if isinstance(each, CharterSuccession))
        self.world.judged = self._judged
        self._stumbled: dict[str, tuple[int, str]] = {}
        self._seers: dict[str, tuple[tuple[Promise, Callable[[Entry, World], None]], ...]] = {
            act: tuple((each, each.see) for each in self.promises if each.acts is None or act in each.acts)
            for act in ACTS
        }

    def _judged(self, size: int) -> set[str]:
        """The promises that the first ``size`` entries had broken already, as of when witnesses saw so many."""
        world = self.world
        end = End(Checkpoint(world.origin, size, world.hashes.root(size)), (), world.times.was_there(size))
        return {each.name for each in self.promises if each.broken_by(size, world, end)}

    @property
    def size(self) -> int:
        """How many entries were read."""
        return self.world.size

    # ---- reading -----------------------------------------------------------------------------------------------------

    def see(self, index: int, data: bytes, leaf_hash: bytes) -> None:
        """Take the next entry. What was read already is compared and passed over.

        Nothing in ``data`` makes it raise.

        Raises:
            BadInput: ``index`` leaves one out, which is the caller's fault.
        """
        world = self.world
        if index != world.size:
            self._again(index, leaf_hash)
            return
        try:
            entry = self._reader.read(index, data, leaf_hash)
        except Exception as error:  # noqa: BLE001  # an adversary wrote it: whatever it provokes is its own breach
            self._well_formed.bad(index, error, world)
            entry = None
        if entry is not None:
            if not entry.signed or self._genuine(entry):
                self._look(entry)
            if not index and entry.act != _BEGINS:
                self._well_formed.begins_otherwise(world)
        world.hashes.append(leaf_hash)
        world.size = index + 1

    def _genuine(self, entry: Entry) -> bool:
        try:
            self.world.keys.check(entry)
        except (DidNotVerify, BadInput) as error:
            self._well_formed.good()
            self._signatures.bad(entry, error, self.world)
            return False
        self._signatures.good(entry, self.world)
        return True

    def _look(self, entry: Entry) -> None:
        world = self.world
        try:
            world.take(entry)
        except Exception as error:  # noqa: BLE001  # such as a key that has the form of one and is none
            self._well_formed.bad(entry.index, error, world)
            return
        self._well_formed.good()
        for promise, see in self._seers[entry.act]:
            try:
                see(entry, world)
            except Exception as error:  # noqa: BLE001  # a fault of ours must neither stop it nor look like a promise kept
                self._stumbled.setdefault(promise.name, (entry.index, type(error).__name__))
        world.references.add(entry.hash, entry.index, entry.act)

    def _again(self, index: int, leaf_hash: bytes) -> None:
        if index > self.world.size:
            raise BadInput(
                f"Entry {self.world.size} comes next, not {index}.", fix="Give the entries in order, none left out."
            )
        if self.world.hashes.leaf(index) != leaf_hash:
            self._intact.replaced(index, self.world)

    # ---- the result --------------------------------------------------------------------------------------------------

    def finish(self, checkpoint: Checkpoint, cosigned: Sequence[tuple[str, int]]) -> Report:
        """What was found, as the log stands. More entries may be read afterwards.

        Args:
            checkpoint: to which all entries were verified. cosigned: by which trusted witnesses, with POSIX seconds.
        """
        world = self.world
        end = world.end(checkpoint, cosigned, as_of(cosigned))
        begun = self.years.taken_over(world)
        findings = tuple(self._finding(each, self._finish(each, end)) for each in self.promises)
        return Report(
            origin=world.origin,
            size=world.size,
            root=checkpoint.root,
            depth="structure" if world.openings is None else "openings",
            charters=tuple(
                CharterSpan(
                    each.charter.charter,
                    each.version,
                    each.charter.digest,
                    iso(each.begin_ms),
                    iso(each.end_ms),
                    each.index,
                )
                for each in world.charters.order
            ),
            findings=findings + (not_at_this_depth() if world.openings is None else ()) + PENDING,
            cannot_see=tuple(cannot_see(world, cosigned=bool(cosigned), begun=begun)),
            witnesses=tuple(cosigned),
            witnessed_by=self._witnessed_by(),
            notice=world.deployment.sentence,
            at_ms=end.at_ms,
            begun=begun,
        )

    def _finish(self, promise: Promise, end: End) -> Finding:
        """The finding of one promise; what was taken over may be made to provoke anything."""
        try:
            return promise.finish(self.world, end)
        except Exception as error:
            if self.world.begun is None:
                raise
            self._stumbled.setdefault(promise.name, (self.world.size, type(error).__name__))
            return Finding(promise.name, promise.title, "", promise.depth, State.UNSEEN, promise.checked)

    def _finding(self, promise: Promise, found: Finding) -> Finding:
        stumble = self._stumbled.get(promise.name)
        if stumble is None or found.state is State.BROKEN:
            return found
        sentence = (
            f"The audit itself stumbled at entry {stumble[0]} ({stumble[1]}): a fault in Watchglass, or an entry made "
            "to provoke one. So nobody can say that this promise was kept. Please report it."
        )
        return Finding(found.promise, found.title, sentence, found.depth, State.UNSEEN, found.checked)

    def _witnessed_by(self) -> str:
        if self.world.given.policy is not None:
            return "Witnesses are those that the trust file names."
        return "No trust file was given: witnesses are those that the log's own charters name."

    # ---- going on later ----------------------------------------------------------------------------------------------

    def pinned(self, oversight: VerifierKey) -> None:
        """Go on as if this key had been remembered: it is the one that the log's first charter names."""
        self.world.given = replace(self.world.given, oversight=oversight)

    def memory(self) -> bytes:
        """What ``from_memory`` needs to go on after the last entry that was read."""
        begun = self.world.begun
        return memories.write(
            {
                "watchglass_audit_memory": MEMORY,
                "origin": self.world.origin,
                "given": self._fingerprint(),
                "begun": None if begun is None else (begun.year, begun.size, begun.state),
                "world": self.world.memory(),
                "stumbled": self._stumbled,
                "promises": {each.name: each.memory() for each in self.promises},
            }
        )

    @classmethod
    def from_memory(
        cls,
        data: bytes,
        origin: str,
        *,
        policy: Policy | None,
        oversight: VerifierKey | None,
        openings: Openings | None = None,
        receipts: Iterable[Promised] = (),
        lodged: Iterable[Lodged] = (),
        now_ms: int,
        remake: Remake | None = None,
    ) -> Auditor:
        """The audit that remembered ``data``, ready for the next entry.

        Raises:
            BadInput: it is of another version, log, trust file or depth; the audit has to begin at the start.
        """
        kept = memories.read(data)
        auditor = cls(
            origin,
            policy=policy,
            oversight=oversight,
            openings=openings,
            receipts=receipts,
            lodged=lodged,
            now_ms=now_ms,
            remake=remake,
        )
        names = {each.name for each in auditor.promises}
        with suppress(KeyError, TypeError, ValueError, AttributeError, IndexError):
            if (
                kept["watchglass_audit_memory"] == MEMORY
                and kept["origin"] == origin
                and kept["given"] == auditor._fingerprint()
                and kept["promises"].keys() == names
            ):
                auditor._recall(kept)
                return auditor
        raise BadInput(
            "What the last audit remembered is of another version, log, trust file or depth.",
            fix="Audit from the start: leave that file out. The result is the same; it only takes longer.",
        )

    def _recall(self, kept: Mapping[str, Any]) -> None:
        self.world.recall(kept["world"])
        self.world.begun = None if kept["begun"] is None else Begun(*kept["begun"])
        self._stumbled = kept["stumbled"]
        for promise in self.promises:
            promise.recall(kept["promises"][promise.name])

    # ---- beginning with a year ---------------------------------------------------------------------------------------

    @classmethod
    def unaided(cls, origin: str, *, remake: Remake | None = None) -> Auditor:
        """Who is given nothing but the log: only such a one can make a state."""
        return cls(origin, policy=None, oversight=None, now_ms=0, remake=remake)

    def carried(self) -> bytes:
        """The state that the entries so far leave: what a year that begins after them takes over.

        The same entries give the same bytes, whoever makes them.

        Raises:
            BadInput: this audit was given something besides the log, or could not make an earlier year's state again.
        """
        given = self.world.given
        aided = (given.policy, given.oversight, given.openings) != (None, None, None) or given.receipts or given.lodged
        if aided or not self.world.size:
            raise BadInput(
                "A state is made of the log's own entries and nothing else.", fix="Begin it with `Auditor.unaided`."
            )
        if self.years.uncompared:
            raise BadInput(
                "The state of an earlier year could not be made again, so this one cannot be made either.",
                fix="Make it where all entries are, or begin with the state of the year before.",
            )
        kept = {each.name: each.memory() for each in self.promises}
        return states.write(self.world.origin, self.world.hashes, self.world.memory(), kept, self._stumbled)

    @classmethod
    def from_carried(
        cls,
        carried: Carried,
        hashes: Hashes,
        origin: str,
        *,
        policy: Policy | None,
        oversight: VerifierKey | None,
        receipts: Iterable[Promised] = (),
        lodged: Iterable[Lodged] = (),
        now_ms: int,
        remake: Remake | None = None,
        begun: int | None = None,
    ) -> Auditor:
        """An audit that takes over what ``carried.read`` read, ready for entry ``carried.size``.

        Args:
            hashes: the leaf hashes of the entries before it, from the log's hash tiles.
            begun: the year that begins with it, for the report. None: this audit made it itself, or checked it.

        Raises:
            BadInput: it is not of these entries, or holds what no audit remembers.
        """
        auditor = cls(
            origin,
            policy=policy,
            oversight=oversight,
            receipts=receipts,
            lodged=lodged,
            now_ms=now_ms,
            remake=remake,
        )
        world = states.world_of(carried, hashes)
        taken = None if begun is None else (begun, carried.size, carried.sha256)
        try:
            auditor._recall(
                {"world": world, "begun": taken, "stumbled": carried.stumbled, "promises": carried.promises}
            )
            auditor._succession.begins(auditor.world)
        except Exception as error:  # an adversary may have made it: whatever it provokes, it is none
            raise BadInput(
                "This state holds what no audit remembers.",
                fix="Take it from the ledger again, or audit from the start where all entries are.",
            ) from error
        return auditor

    def _fingerprint(self) -> str:
        """What the result depends on besides the log: whose keys count, and how deep it looks."""
        given = self.world.given
        keys = sorted(map(str, given.policy.keys)) if given.policy else ["none"]
        lodged = [b64(sha256(each.body + each.note)) for each in given.lodged]
        parts = [*keys, str(given.oversight), "structure" if given.openings is None else "openings", *lodged]
        return b64(sha256("\n".join(parts).encode()))
