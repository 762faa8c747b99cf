"""What a year carries over, on anybody's machine: made from a ledger's entries, and read back out of its folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from watchglass.bootstrap.archived import Archivals
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.edge.tiles import open_whole, write_durably
from watchglass.edge.trust import load_trust
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.replay import Progress
from watchglass.ledger.tiles import (
    ENTRIES,
    FULL,
    MAX_STATE_BYTES,
    Tile,
    TileReader,
    decode_bundle,
    read_tile,
    state_path,
)
from watchglass.ledger.verify import verify_log
from watchglass.oversight import carried as states
from watchglass.oversight.audit import Auditor
from watchglass.oversight.carried import Carried
from watchglass.oversight.hashes import Hashes
from watchglass.oversight.remaking import Remaker, Source


@dataclass(frozen=True, slots=True)
class Made:
    """A state and what it is of. ``began``: the year whose state it goes on from; None: from the first entry."""

    origin: str
    size: int
    root: bytes
    data: bytes
    began: int | None

    @property
    def sha256(self) -> bytes:
        """Of the file: what `year_began` names."""
        return sha256(self.data)


def make(
    where: str,
    size: int | None,
    *,
    trust_file: Path | None = None,
    archives: Sequence[str] = (),
    progress: Progress | None = None,
) -> Made:
    """Verify a ledger, and make the state that its first ``size`` entries leave.

    Where its first entries were archived, the state goes on from that of the oldest year whose entries are there.

    Args:
        where: the ledger's directory or address. size: None: all that there are. trust_file: checks who signed it.

    Raises:
        DidNotVerify: the ledger is not whole. BadInput: there are fewer entries, or too many were archived.
    """
    trust = None if trust_file is None else load_trust(trust_file)
    hashes, archivals = Hashes(), Archivals()

    def keep(first: int, leaves: Sequence[bytes]) -> None:
        del first
        for leaf in leaves:
            hashes.append(leaf)

    with closing(open_whole(where, archives)) as reader:
        verified = verify_log(
            reader,
            None if trust is None else trust.policy,
            seen=None if trust is None else trust.seen,
            progress=progress,
            on_bundle=keep,
            on_entries=archivals.take,
            archived=True,
        )
        archivals.check(verified)
        checkpoint = verified.checkpoint
        wanted = checkpoint.size if size is None else size
        if not 1 <= wanted <= checkpoint.size:
            raise BadInput(
                f"This log has {checkpoint.size:,} entries, not {wanted:,}.", fix="Give a size that it has had."
            )
        began, begin = None, None
        if verified.unread:
            began, begin = _earliest(reader, checkpoint.origin, archivals, verified.unread, wanted, hashes)
        source = source_of(reader, checkpoint.size, hashes.leaf)
        data = Remaker(checkpoint.origin, source, begin=begin).state(wanted)
    return Made(checkpoint.origin, wanted, hashes.root(wanted), data, began)


def write(made: Made, file: Path) -> dict[str, object]:
    """Put a state into a file; what ``watchglass ledger carry --json`` prints.

    Raises:
        CannotRecord: the disk refuses.
    """
    write_durably([(file, made.data)])
    return {
        "origin": made.origin,
        "size": made.size,
        "root": b64(made.root),
        "form": states.FORM,
        "sha256": b64(made.sha256),
        "bytes": len(made.data),
        "began": made.began,
        "file": str(file),
    }


def _earliest(
    reader: TileReader, origin: str, archivals: Archivals, unread: int, wanted: int, hashes: Hashes
) -> tuple[int, tuple[Carried, Hashes]]:
    """The state of the oldest year whose entries are all there, as the log's record names it."""
    for year, (_, size, state) in sorted(archivals.years.items()):
        if unread - unread % FULL <= size <= wanted and size >= unread:
            carried = read_state(reader, year, origin)
            if (b64(carried.sha256), carried.size) != (state, size):
                raise other_state(year)
            return year, (carried, first_of(hashes, size))
    raise BadInput(
        f"The first {unread:,} entries are archived, and no year begins between them and {wanted:,}.",
        fix="Give the archive with --archive, or a later size.",
    )


def read_state(reader: TileReader, year: int, origin: str) -> Carried:
    """What the ledger's folder has as the state of a year; its hash is for the caller to compare.

    Raises:
        BadInput: there is none, or it is none of this log's and version's.
    """
    data = reader.read(state_path(year))
    if data is None:
        raise BadInput(
            f"This ledger has no state with which {year} began.",
            fix="Begin with another year, or at the start: leave out --from-year.",
        )
    if len(data) > MAX_STATE_BYTES:
        raise BadInput(
            f"The state of {year} is too large to be one.", fix="Audit from the start: leave --from-year out."
        )
    return states.read(data, origin)


def other_state(year: int) -> DidNotVerify:
    """What to say of a file that is not the one that the log names."""
    return DidNotVerify(
        f"The state in this ledger's folder is not the one with which {year} began, by the log's own record.",
        fix="Ask the operator for the right file, or audit from the start: leave --from-year out.",
        path=state_path(year),
    )


def first_of(hashes: Hashes, size: int) -> Hashes:
    """The first so many of these leaf hashes."""
    found = Hashes()
    for index in range(size):
        found.append(hashes.leaf(index))
    return found


def source_of(reader: TileReader, size: int, known: Callable[[int], bytes]) -> Source:
    """The entries of a log of ``size`` entries, read once more.

    Args:
        known: the leaf hash of an entry, as it was verified the first time.
    """

    def source(first: int, until: int) -> Iterator[tuple[int, bytes, bytes]]:
        for number in range(first // FULL, -(-until // FULL)):
            width = min(FULL, size - number * FULL)
            entries = decode_bundle(read_tile(reader, Tile(ENTRIES, number, width)), width)
            for index, data in enumerate(entries, number * FULL):
                if not first <= index < until:
                    continue
                leaf = leaf_hash(data)
                if leaf != known(index):
                    raise DidNotVerify(
                        f"Entry {index} is another one when it is read a second time.",
                        fix="Keep a copy of the ledger, and audit that: the operator shows different readers "
                        "different logs.",
                        entry=index,
                    )
                yield index, data, leaf

    return source


class Again:
    """Makes the states of years again while an audit reads on (``Remaker``); it starts with what is known already."""

    def __init__(self, reader: TileReader, size: int) -> None:
        self._reader = reader
        self._size = size
        self._auditor: Auditor | None = None
        self._remaker: Remaker | None = None

    def beside(self, auditor: Auditor) -> None:
        """The audit whose years are compared; all that it has read was verified."""
        self._auditor = auditor

    def __call__(self, size: int) -> bytes | None:
        """The hash of the state that the first ``size`` entries leave; None where they are not there."""
        return None if self._auditor is None else self._made_for(self._auditor, size)(size)

    def state(self, size: int) -> bytes:
        """The state itself.

        Raises:
            BadInput: the entries are not there. DidNotVerify: one is another when it is read a second time.
        """
        assert self._auditor is not None
        return self._made_for(self._auditor, size).state(size)

    def _made_for(self, auditor: Auditor, size: int) -> Remaker:
        if self._remaker is None:
            source = source_of(self._reader, self._size, auditor.world.hashes.leaf)
            self._remaker = Remaker(auditor.world.origin, source, begin=self._begin(auditor, size))
        return self._remaker

    def check(self) -> None:
        """Check that nothing was read twice and differed.

        Raises:
            DidNotVerify: something was.
        """
        problem = None if self._remaker is None else self._remaker.problem
        if isinstance(problem, DidNotVerify):
            raise problem

    def _begin(self, auditor: Auditor, size: int) -> tuple[Carried, Hashes] | None:
        """A year whose state was compared before, so that entries before it need not be read again."""
        begun = auditor.world.begun
        taken = [] if begun is None or begun.size > size else [(begun.year, begun.size, begun.state)]
        for year, count, state in [*auditor.years.sound(size), *taken]:
            try:
                carried = read_state(self._reader, year, auditor.world.origin)
            except BadInput:  # it is gone, or of other rules: then the entries before it are read again
                continue
            if (carried.sha256, carried.size) == (state, count):
                return carried, first_of(auditor.world.hashes, count)
        return None
