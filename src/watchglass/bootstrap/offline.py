"""Everything that an audit reads, in one folder: a verified copy of the ledger, the trust file, the sealed details.

A crash leaves the last whole copy. What is fetched lies aside until all of it was verified, and the checkpoint comes
last; so the next export begins where the last one that ended had begun, and fetches only what is new.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

from watchglass.bootstrap import archived
from watchglass.bootstrap.archived import Archivals
from watchglass.bootstrap.signers import Signee, connect
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify
from watchglass.core.time import Clock, iso
from watchglass.edge.clock import SystemClock
from watchglass.edge.tiles import TileDirectory, exclusive, open_whole, sync_folder, write_durably
from watchglass.edge.trust import Trust, keeping_evidence, load_trust, pin_oversight, remember
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.policy import told
from watchglass.ledger.replay import Progress
from watchglass.ledger.tiles import (
    CHECKPOINT,
    ENTRIES,
    FULL,
    Tile,
    TileReader,
    is_state,
    read_tile,
    state_path,
    tiles_for,
)
from watchglass.ledger.verify import Verified, verify_log
from watchglass.records.query import ask

_COMING: Final = ".coming"
_LOCK: Final = ".lock"
_PRIVATE: Final = 0o600
_README: Final = """\
Everything that an audit of {origin} reads, as of {time}. It needs no network.

  ledger/      a verified copy of the public ledger: {size:,} entries{archived}
  trust        whose signatures the maker of this folder believes; if that was not you, use your own trust file
  openings/    sealed details of records, for the holder of oversight's openings key alone

With a Watchglass on this machine, in this folder:

  watchglass ledger verify ledger --trust trust
  watchglass audit ledger --trust trust --html audit.html

And whoever holds the openings key:

  watchglass audit ledger --trust trust --openings openings --key openings.key --html audit.html

The ledger is C2SP tlog-tiles, so other people's programs can check it too. Export into this folder again, and only
what is new is fetched. Openings that retention has destroyed meanwhile stay in the files here: delete them when the
charter's time for them is over.
"""


@dataclass(frozen=True, slots=True)
class Places:
    """Where things lie in the folder."""

    folder: Path

    @property
    def ledger(self) -> Path:
        """The verified copy."""
        return self.folder / "ledger"

    @property
    def coming(self) -> Path:
        """What was fetched and is not verified yet."""
        return self.folder / _COMING

    @property
    def trust(self) -> Path:
        """The trust file's copy."""
        return self.folder / "trust"

    @property
    def openings(self) -> Path:
        """Sealed details, a file for each export."""
        return self.folder / "openings"


class Fetching:
    """A log of which full tiles are taken from a copy where there is one, and kept aside where there is none.

    Args:
        log: where the log's files are. kept: the verified copy. coming: where what is new lies until it was verified.
    """

    def __init__(self, log: TileReader, kept: TileDirectory, coming: TileDirectory) -> None:
        self._log = log
        self._kept = kept
        self._coming = coming
        self._small: dict[str, bytes | None] = {}
        self.fetched = 0
        """How many files came from the log itself."""
        self.reused = 0
        """How many came from the copy."""

    def read(self, path: str) -> bytes | None:
        """The bytes of a file of the log; each is fetched once, so that what was verified is what is kept."""
        if path == CHECKPOINT or is_state(path) or Tile.parse(path).width != FULL:
            if path not in self._small:
                self._small[path] = self._fetch(path)
            return self._small[path]
        data = self._kept.read(path)
        if data is not None:
            self.reused += 1
            return data
        data = self._coming.read(path)
        if data is None and (data := self._fetch(path)) is not None:
            self._coming.write([(path, data)])
        return data

    def lacks(self, path: str) -> bool:
        """Whether it is a full bundle of entries that is in the copy neither, of a log whose start is archived."""
        with suppress(BadInput):
            tile = Tile.parse(path)
            gone = tile.level == ENTRIES and tile.width == FULL and self.read(path) is None
            return gone and self._log.read(Tile(ENTRIES, 0).path) is None
        return False

    def _fetch(self, path: str) -> bytes | None:
        self.fetched += 1
        return self._log.read(path)


def export(
    where: str,
    folder: Path,
    trust_file: Path,
    key: SignerKey,
    *,
    archives: Sequence[str] = (),
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Bring ``folder`` up to date with a deployment.

    Args:
        archives: where entries were archived that the ledger no longer serves; they are copied too.
        where: the portal's address, or the deployment's directory while it does not run.
        key: oversight's signing key: the sealed details are given to it alone, and that they were is recorded.

    Raises:
        DidNotVerify: the ledger is not the one that the trust file, this machine or the folder know.
        Refused: the charter in force pins another key. CannotRecord: the folder cannot be written.
        BadInput: the folder is another deployment's.
    """
    clock = clock or SystemClock()
    places, trust = Places(folder), load_trust(trust_file)
    with exclusive(folder / _LOCK), connect(where, clock) as portal:
        origin = str(portal.standing()["origin"])
        before = _before(places, origin)
        with closing(open_whole(portal.ledger, archives)) as tiles:
            kept, coming = TileDirectory(places.ledger), TileDirectory(places.coming)
            shutil.rmtree(places.coming, ignore_errors=True)
            log = Fetching(tiles, kept, coming)
            verified, archivals = _verified(log, trust, before, places, progress)
            if verified.checkpoint.origin != origin:
                raise DidNotVerify(
                    f"The ledger at {portal.ledger} is of {verified.checkpoint.origin}, the portal of {origin}.",
                    fix="Check the address; if it is right, keep what you saw and ask the operator.",
                )
            note = verified.signed.note.encode()
            remember(trust, note)
            taken = _openings(portal, places, key, origin, before, clock.now())
            states = _states(log, archivals)
            _keep(log, places, note, verified, states)
        _keep_trust(trust, places, note)
    now = iso(clock.now())
    unread = f", but for the first {verified.unread:,}, which are archived" if verified.unread else ""
    text = _README.format(origin=origin, time=now, size=verified.checkpoint.size, archived=unread)
    write_durably([(folder / "README.txt", text.encode())])
    return {
        "folder": str(folder),
        "origin": origin,
        "size": verified.checkpoint.size,
        "before": 0 if before is None else checkpoints.parse(before).checkpoint.size,
        "witnesses": told(verified.witnesses),
        "notice": verified.deployment.sentence,
        "files_fetched": log.fetched,
        "files_kept": log.reused,
        **archived.as_json(verified, archivals.of(verified.unread)),
        "years": sorted(states),
        "states_missing": sorted(archivals.years.keys() - states.keys()),
        **taken,
    }


def _before(places: Places, origin: str) -> bytes | None:
    """The checkpoint of the last export into this folder.

    Raises:
        BadInput: it is of another log.
    """
    note = TileDirectory(places.ledger).read(CHECKPOINT)
    if note is not None and checkpoints.parse(note).checkpoint.origin != origin:
        raise BadInput(
            f"{places.folder} holds the ledger of {checkpoints.parse(note).checkpoint.origin}, not of {origin}.",
            fix="Give each deployment a folder of its own.",
        )
    return note


def _verified(
    log: Fetching, trust: Trust, before: bytes | None, places: Places, progress: Progress | None
) -> tuple[Verified, Archivals]:
    archivals = Archivals()
    try:
        with keeping_evidence(trust):
            verified = verify_log(
                log,
                trust.policy,
                seen=trust.seen,
                against=() if before is None else (before,),
                progress=progress,
                on_entries=archivals.take,
                archived=True,
            )
        archivals.check(verified)
    except DidNotVerify as error:
        shutil.rmtree(places.coming, ignore_errors=True)
        if log.lacks(str(error.details.get("path"))):
            raise DidNotVerify(
                f"The ledger has archived entries that no export into this folder has brought: {error.message}",
                fix="Get the archive from whoever keeps it (the ledger's page says who), and give it with `--archive`.",
                **error.details,
            ) from error
        if log.reused and not _whole(places, trust):
            raise DidNotVerify(
                f"The copy in {places.ledger} is damaged; nothing was changed.",
                fix=f"Move {places.ledger} away and export again; keep it if somebody else could have written there.",
            ) from None
        raise
    return verified, archivals


def _states(log: Fetching, archivals: Archivals) -> dict[int, bytes]:
    """What audits carry over into each year that began, as the log names it; without those that nobody serves.

    Raises:
        DidNotVerify: one is another than the log names.
    """
    found = {}
    for year, (index, _, state) in archivals.years.items():
        data = log.read(state_path(year))
        if data is not None and b64(sha256(data)) != state:
            raise DidNotVerify(
                f"The state with which {year} began is another one than entry {index} names.",
                fix="Ask the operator for the right one, and keep this one as evidence.",
                path=state_path(year),
            )
        if data is not None:
            found[year] = data
    return found


def _whole(places: Places, trust: Trust) -> bool:
    """Whether the copy still is what was kept there."""
    try:
        verify_log(TileDirectory(places.ledger), trust.policy, archived=True)
    except DidNotVerify:
        return False
    return True


def _keep(log: Fetching, places: Places, note: bytes, verified: Verified, states: Mapping[int, bytes]) -> None:
    """Put what was verified into the copy, the checkpoint last; then drop partial tiles that it does not need."""
    kept, coming = TileDirectory(places.ledger), TileDirectory(places.coming)
    needed = set[str]()
    partial: list[tuple[str, bytes]] = []
    folders = set[Path]()
    try:
        for tile in tiles_for(verified.checkpoint.size):
            needed.add(tile.path)
            if tile.width != FULL:
                partial.append((tile.path, read_tile(log, tile)))
            elif coming.read(tile.path) is not None:
                target = places.ledger / tile.path
                target.parent.mkdir(parents=True, exist_ok=True)
                (places.coming / tile.path).rename(target)
                folders.add(target.parent)
        for folder in folders:
            sync_folder(folder)
        kept.write(partial)
        for year, data in states.items():
            if kept.read(state_path(year)) != data:
                kept.keep_state(year, data)
        kept.publish(note)
        for path in [path for path in kept.paths() if path not in needed]:
            (places.ledger / path).unlink()
        shutil.rmtree(places.coming, ignore_errors=True)
    except OSError as error:
        raise CannotRecord(
            f"{places.folder} cannot be written: {error.strerror}.", fix="Make room, then export again."
        ) from error


def _openings(
    portal: Signee, places: Places, key: SignerKey, origin: str, before: bytes | None, now: int
) -> dict[str, Any]:
    """Ask for what is sealed, from the entry on at which the last export ended."""
    since = 0
    if before is not None and any(places.openings.glob("*.json")):
        since = checkpoints.parse(before).checkpoint.size
    answer = portal.ask(ask("openings", about=str(since), key=key, origin=origin, now=now))
    file = _free(places.openings, iso(now).replace(":", ""))
    write_durably([(file, json.dumps(answer, indent=1).encode())], mode=_PRIVATE)
    openings = answer.get("openings")
    return {"openings": len(openings) if isinstance(openings, list) else 0, "openings_file": str(file)}


def _free(folder: Path, name: str) -> Path:
    """A name that no file has: what an earlier export brought may be nowhere else any more."""
    names = (folder / f"{name}{'' if again == 0 else f'-{again}'}.json" for again in count())
    return next(path for path in names if not path.exists())


def _keep_trust(trust: Trust, places: Places, note: bytes) -> None:
    """The trust file, and beside it what this machine knows: so an audit offline begins with that."""
    text = trust.path.read_bytes()
    if not places.trust.exists() or places.trust.read_bytes() != text:
        write_durably([(places.trust, text)])
    own = load_trust(places.trust)
    remember(own, note)
    if trust.oversight is not None:
        pin_oversight(own, trust.oversight)
