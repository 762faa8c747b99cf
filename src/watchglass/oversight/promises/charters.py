"""Every charter was put before everyone word for word, and approved by both with the keys that stood."""

from __future__ import annotations

from typing import Final

from watchglass.charter.decide import TRIAL_DAYS
from watchglass.charter.parse import CharterRefused, parse
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import WatchglassError
from watchglass.core.time import DAY, HOUR
from watchglass.evidence.succession import APPROVED, PUBLISHED
from watchglass.oversight.charters import Known, key_of, reads
from watchglass.oversight.entry import Entry
from watchglass.oversight.promises.promise import AUTHORITY, OPERATOR, OVERSIGHT, Promise, count
from watchglass.oversight.world import End, World

_TOGETHER: Final = 2
"""A publication is followed by its approvals, recorded with it."""
_HAND: Final = frozenset({"written", "not-built"})
"""Faults of a charter that another version of the language may not have; all others no charter may have."""
_MOST: Final = 1_000


class CharterSuccession(Promise):
    name = "charters"
    title = "Every charter was published word for word and approved by authority and oversight, with outgoing keys."
    acts = frozenset({PUBLISHED, APPROVED})
    keeps = ("waiting", "newest", "began")

    def __init__(self) -> None:
        super().__init__()
        self.waiting: dict[str, tuple[int, int]] = {}
        """Of publications that lack an approval: hash to (index, hour)."""
        self.newest = 0
        self.began = 0
        """The hour in which the first charter was approved."""

    def see(self, entry: Entry, world: World) -> None:
        if entry.act == PUBLISHED:
            self._published(entry, world)
            return
        digest = str(entry.clear["sha256"])
        self.checked += 1
        if digest not in self.waiting and not any(each.charter.digest == digest for each in world.charters.order):
            self.breach("approves a charter that is not in the log before it", OPERATOR, world, entry)
        elif entry.role != entry.clear["as_role"]:
            self.breach(f"approves as {entry.clear['as_role']} in the name of {entry.role}", OPERATOR, world, entry)
        known = world.charters.order[-1] if world.charters.order else None
        if known is not None and known.index == entry.index:
            self.waiting.pop(digest, None)
            self.newest = known.version
            self.began = self.began or entry.hour
            if len(world.charters.order) == 1:
                self._first_key(known, world)
            if world.trial:
                self._trial(entry, known, world)

    def begins(self, world: World) -> None:
        """An audit that takes over what came before compares the first charter's key with its own memory."""
        earlier = self.first
        for known in world.charters.order[:1]:
            self._first_key(known, world)
            self.first = known.index if self.first != earlier else earlier

    def _first_key(self, known: Known, world: World) -> None:
        first = world.given.oversight
        if first is not None and key_of(known.charter.oversight.key).public != first.public:
            self.breach(
                "completes the first charter, and it names another oversight key than the one that was "
                "remembered: this is another deployment, or its beginning was forged",
                f"{OVERSIGHT} {OPERATOR}",
                world,
                known.index,
                hour=self.began,
            )

    def _trial(self, entry: Entry, known: Known, world: World) -> None:
        """A trial lasts so many days from its first charter, and is not renewed."""
        longest = (self.began + 1) * HOUR + (TRIAL_DAYS + 1) * DAY
        if known.end_ms > longest or known.end_ms - known.begin_ms > (TRIAL_DAYS + 1) * DAY:
            what = f"completes a charter of a trial that holds longer than {TRIAL_DAYS} days from the first one"
            self.breach(what, f"{AUTHORITY} {OVERSIGHT}", world, entry)

    def _published(self, entry: Entry, world: World) -> None:
        self.checked += 1
        text = str(entry.clear["text"]).encode()
        if b64(sha256(text)) != entry.clear["sha256"]:
            self.breach("publishes a charter whose text is not the one that its hash names", OPERATOR, world, entry)
            return
        if world.charters.flooded:
            self.breach("publishes a charter after hundreds that nobody approved", OPERATOR, world, entry)
            return
        charter = reads(text)
        if charter is None:
            self._cannot_be_read(entry, text, world)
            return
        if (charter.charter, charter.version) != (entry.clear["name"], entry.clear["version"]):
            self.breach("calls the charter otherwise than its own text does", OPERATOR, world, entry)
        if charter.version <= self.newest:
            self.breach(
                f"publishes version {charter.version}, and version {self.newest} stood already", OPERATOR, world, entry
            )
            return
        if len(self.waiting) < _MOST:
            self.waiting[charter.digest] = (entry.index, entry.hour)

    def _cannot_be_read(self, entry: Entry, text: bytes, world: World) -> None:
        try:
            parse(text)
        except CharterRefused as error:
            forbidden = [fault for fault in error.refusals if fault.rule not in _HAND]
            if forbidden:
                self.breach(
                    f"publishes a charter that asks for what none may: {forbidden[0].message.rstrip('.')}",
                    f"{AUTHORITY} {OVERSIGHT}",
                    world,
                    entry,
                )
        except WatchglassError:
            return

    def ends(self, world: World, end: End) -> None:
        del end
        for index, hour in self.waiting.values():
            if world.size > index + _TOGETHER:
                self.breach(
                    "publishes a charter that authority and oversight did not both approve with the keys that stood",
                    f"{AUTHORITY} {OVERSIGHT}",
                    world,
                    index,
                    hour=hour,
                )

    def unseen(self, world: World, end: End) -> str | None:
        del end
        if not world.charters.unread:
            return None
        return (
            f"{count(len(world.charters.unread), 'published charter')} cannot be read by this version of Watchglass. "
            "Audit with the version that published it."
        )

    def how(self, world: World, end: End) -> str:
        del end
        pinned = "" if world.given.oversight is None else " The first one names the oversight key that was remembered."
        return (
            f"{count(self.checked, 'publication or approval', 'publications and approvals')} walked in the order of "
            f"the log; {count(len(world.charters.order), 'charter')} count. Versions count up, and each was approved "
            f"with the keys of the one before it.{pinned}"
        )
