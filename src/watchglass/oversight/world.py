"""What all promises share, worked out once an entry: charters, keys, times, references, orders to stop."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from watchglass.core.errors import BadInput, DidNotVerify, WatchglassError
from watchglass.core.time import HOUR
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.policy import Deployment, Policy
from watchglass.oversight.charters import Charters, Known, key_of
from watchglass.oversight.entry import Entry
from watchglass.oversight.given import Lodged, Openings, Promised
from watchglass.oversight.hashes import Hashes
from watchglass.oversight.keys import Keys, Named
from watchglass.oversight.orders import Order, Orders
from watchglass.oversight.references import References
from watchglass.oversight.times import Seen, Times, read_note


@dataclass(frozen=True, slots=True)
class Given:
    """What the audit was given besides the log.

    Attributes:
        policy: the trust file; None: the log's own word for its witnesses.
        oversight: the first oversight key, as somebody remembered it.
        now_ms: the auditor's time.
    """

    policy: Policy | None
    oversight: VerifierKey | None
    openings: Openings | None
    receipts: tuple[Promised, ...]
    lodged: tuple[Lodged, ...]
    now_ms: int


@dataclass(frozen=True, slots=True)
class Begun:
    """What an audit took over unread: the state with which a year began.

    Attributes:
        size: of the entries before it. state: the SHA-256 of the file.
    """

    year: int
    size: int
    state: bytes


@dataclass(frozen=True, slots=True)
class End:
    """Where the log ends: its checkpoint, who cosigned it, and as of when it is judged.

    ``at_ms`` is the latest cosignature; without one the end of the newest hour that an entry names, but not later than
    the auditor's own time.
    """

    checkpoint: Checkpoint
    cosigned: tuple[tuple[str, int], ...]
    at_ms: int


class World:
    """Everything that is known of the log up to the entry that is being read.

    Attributes:
        size: how many entries were read. newest_hour: the latest hour that an attested entry named.
        judged: which promises were broken already by the first so many entries.
        note: the checkpoint that the present entry records, if it is such an entry; note_fits: it is one of this log.
        begun: what was taken over unread; None: everything was read.
        form: of the rules by which this version makes a state. remake: the hash of the state that the first so many
            entries leave, made from them; None where they are not there.
    """

    def __init__(self, origin: str, given: Given) -> None:
        self.origin = origin
        self.deployment = Deployment.of(origin)
        self.given = given
        self.hashes = Hashes()
        self.size = 0
        self.newest_hour = 0
        self.charters = Charters(origin)
        self.keys = Keys(origin, self.charters)
        self.times = Times()
        self.references = References()
        self.orders = Orders()
        self.note: Seen | BadInput | None = None
        self.note_fits = False
        self._opened_at = -1
        self._opened: dict[str, Any] | None = None
        self.opening_wrong: WatchglassError | None = None
        self.judged: Callable[[int], Collection[str]] = _nothing
        self.begun: Begun | None = None
        self.form = ""
        self.remake: Callable[[int], bytes | None] = _not_made

    @property
    def openings(self) -> Openings | None:
        """What oversight can open; None at the depth of structure."""
        return self.given.openings

    @property
    def trial(self) -> bool:
        """A trial waits for no witness."""
        return self.deployment is Deployment.TRIAL

    def opened(self, entry: Entry) -> dict[str, Any] | None:
        """What an entry commits to; None at the depth of structure, or where it cannot be opened (any more)."""
        if self.given.openings is None:
            return None
        if self._opened_at != entry.index:
            self._opened_at, self.opening_wrong = entry.index, None
            try:
                self._opened = self.given.openings.values(entry.leaf, entry.hash)
            except (DidNotVerify, BadInput) as error:
                self._opened, self.opening_wrong = None, error
        return self._opened

    def log_key(self) -> VerifierKey | None:
        """The log's key, from the trust file."""
        policy = self.given.policy
        return next((log.key for log in policy.logs if log.origin == self.origin), None) if policy else None

    def witness_keys(self) -> Sequence[VerifierKey]:
        """The witnesses whose times count: those of the trust file, or those that the log's charters pin."""
        if self.given.policy is not None:
            return [witness.key for witness in self.given.policy.witnesses]
        keys = (key_of(one.key) for each in self.charters.order for one in each.charter.oversight.witnesses)
        return list(dict.fromkeys(keys))  # each once, or many charters would fill the few signatures that are verified

    def under(self, entry: Entry) -> Known | None:
        """The charter that an entry was made under, if it counts."""
        return None if entry.charter is None else self.charters.by_hash.get(entry.charter)

    def take(self, entry: Entry) -> None:
        """Take a well-formed entry, its signature checked, before the promises look at it."""
        if not entry.signed and entry.hour > self.newest_hour:
            self.newest_hour = entry.hour
        charters = self.charters
        if entry.act in _OF_CHARTERS or entry.charter not in charters.under:
            charters.see(entry)
        if entry.act == _NOTED:
            self._note(entry)
        elif entry.act in _OF_KEYS:
            self.keys.see(entry)
        elif entry.act in _OF_ORDERS:
            self.orders.see(entry, self.references, self.newest_hour)

    def _note(self, entry: Entry) -> None:
        """An entry records a checkpoint that witnesses cosigned."""
        try:
            seen = read_note(str(entry.clear["note"]).encode(), self.witness_keys())
        except BadInput as error:
            self.note, self.note_fits = error, False
            return
        checkpoint = seen.checkpoint
        self.note = seen
        self.note_fits = (
            checkpoint.origin == self.origin
            and checkpoint.size <= entry.index
            and self.hashes.root(checkpoint.size) == checkpoint.root
        )
        if self.note_fits and seen.times:
            self.times.mark(entry.index, seen)
            self.charters.cosigned(checkpoint.size, seen.latest_ms)

    def memory(self) -> dict[str, object]:
        """Plain values, for ``recall``."""
        times, orders, keys = self.times, self.orders.by_index.values(), self.keys
        return {
            "size": self.size,
            "newest_hour": self.newest_hour,
            "hashes": [bytes(level) for level in self.hashes.levels],
            "charters": self.charters.memory(),
            "enrolled": keys.enrolled,
            "recorders": [(each.index, each.run, each.vkey, each.sources) for each in keys.recorders.values()],
            "times": {name: getattr(times, name) for name in times.__slots__},
            "references": self.references.kept,
            "orders": [tuple(getattr(each, name) for name in each.__slots__) for each in orders],
        }

    def recall(self, kept: Mapping[str, Any]) -> None:
        """Take up what ``memory`` gave."""
        self.size, self.newest_hour = kept["size"], kept["newest_hour"]
        self.hashes = Hashes([bytearray(level) for level in kept["hashes"]])
        self.charters.recall(kept["charters"])
        self.keys.enrolled = kept["enrolled"]
        self.keys.recorders = {each[2]: Named(*each) for each in kept["recorders"]}
        for name in self.times.__slots__:
            setattr(self.times, name, kept["times"][name])
        self.references.kept = kept["references"]
        for values in kept["orders"]:
            order = Order(0, 0, "")
            for name, value in zip(order.__slots__, values, strict=True):
                setattr(order, name, value)
            self.orders.add(order)

    def end(self, checkpoint: Checkpoint, cosigned: Sequence[tuple[str, int]], latest_ms: int | None) -> End:
        """Where the log ends."""
        newest = (self.newest_hour + 1) * HOUR if self.newest_hour else 0
        return End(checkpoint, tuple(cosigned), latest_ms if latest_ms is not None else min(newest, self.given.now_ms))


def _nothing(size: int) -> Collection[str]:
    """Before anybody judges, nothing is broken."""
    del size
    return ()


def _not_made(size: int) -> None:
    """Where nobody can read the entries a second time, no state is made."""
    del size


_NOTED: Final = "checkpoint_witnessed"
_OF_CHARTERS: Final = frozenset({"charter_published", "charter_approved"})
_OF_KEYS: Final = frozenset({"key_enrolled", "recorder_named"})
_OF_ORDERS: Final = frozenset(
    {
        "suspension_ordered",
        "suspension_obeyed",
        "suspension_lifted",
        "analytic_judged",
        "limit_obeyed",
        "analytic_resumed",
    }
)
