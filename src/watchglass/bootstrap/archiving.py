"""``watchglass ledger archive``: entries of past years go to a folder that verifies and audits by itself (ADR 38).

The order: copy, synced, and verify the copy; record that they are archived; let witnesses cosign that; bring the copy
up to that checkpoint; verify it as a stranger would; and only then remove, from the first entry on. Wherever it stops,
the same command goes on, and what is not in the copy is not removed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final

from watchglass.acts.archive_entries import archivable, archive_entries
from watchglass.acts.years import ARCHIVED, Archive, archives
from watchglass.bootstrap.house import House
from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem
from watchglass.core.time import Clock, iso
from watchglass.edge.keys import read_signing_key
from watchglass.edge.tiles import TileDirectory, exclusive, sync_folder, write_durably
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger import policy as policies
from watchglass.ledger.policy import Policy, told
from watchglass.ledger.replay import Progress
from watchglass.ledger.tiles import (
    CHECKPOINT,
    ENTRIES,
    FULL,
    Tile,
    first_here,
    read_tile,
    state_path,
    tiles_for,
)
from watchglass.ledger.verify import Verified, verify_log
from watchglass.records.act_spec import Lane
from watchglass.records.vocabulary import ACTS
from watchglass.runtime.layout import Layout, read_settings

_LOCK: Final = ".lock"
_OURS: Final = frozenset({_LOCK, CHECKPOINT, "tile", "years", "README.txt"})
_BATCH: Final = 128
_README: Final = """\
An archive of the ledger of {origin}: {size:,} entries, as of {time}.

Entries {here:,} to {last:,} are here; the hashes of all of them are. The ledger itself no longer serves those before
{before:,}. With a Watchglass on this machine and a trust file of the deployment:

  watchglass ledger verify {name} --trust FILE
  watchglass ledger verify ADDRESS-OF-THE-LEDGER --archive {name} --trust FILE
  watchglass audit ADDRESS-OF-THE-LEDGER --archive {name} --trust FILE

The files are C2SP tlog-tiles: any web server can serve them, and other people's programs can check them. Keep more than
one copy, on machines of more than one owner: what is lost here is lost.
"""


@dataclass(frozen=True, slots=True)
class _Copying:
    """From where to where."""

    ledger: TileDirectory
    archive: TileDirectory
    progress: Progress | None

    def bring_up(self) -> bytes:
        """Copy what the archive lacks, up to the present checkpoint; that one comes last.

        Raises:
            CannotRecord: the folder cannot be written, or holds other files of the same name.
            BadInput: the ledger lacks a file that the archive lacks too.
        """
        note = self.ledger.read(CHECKPOINT)
        if note is None:
            raise BadInput("This ledger has no checkpoint yet.", fix="Start the deployment once: `watchglass run`.")
        size = checkpoints.parse(note).checkpoint.size
        here = first_here(self.ledger, size)
        wanted = iter(self._wanted(size, here))
        while tiles := list(islice(wanted, _BATCH)):
            self.archive.write([(tile.path, read_tile(self.ledger, tile)) for tile in tiles])
            if self.progress:
                self.progress(min(size, (tiles[-1].index + 1) * FULL) if tiles[-1].level == ENTRIES else size, size)
        self._states()
        self.archive.publish(note)
        needed = {tile.path for tile in tiles_for(size)}
        for path in [path for path in self.archive.paths() if path not in needed]:
            (self.archive.path / path).unlink()
        return note

    def _wanted(self, size: int, here: int) -> Iterable[Tile]:
        """What the checkpoint needs, but for the archived entries and for full files that the archive has.

        Those it has are not compared here, for the archive is verified as a whole; one that is damaged is named there.
        """
        for tile in tiles_for(size):
            gone = tile.level == ENTRIES and tile.index * FULL < here
            if not gone and not (tile.width == FULL and (self.archive.path / tile.path).is_file()):
                yield tile

    def _states(self) -> None:
        for file in sorted((self.ledger.path / "years").glob("[0-9][0-9][0-9][0-9].state")):
            data = self.ledger.read(state_path(int(file.stem)))
            if data is not None and self.archive.read(state_path(int(file.stem))) != data:
                self.archive.keep_state(int(file.stem), data)


def archive(
    root: Path,
    year: int,
    folder: Path,
    kept_by: str,
    *,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Archive the entries before ``year`` of the deployment at ``root``, while it does not run.

    Args:
        folder: a new one, or one that an earlier try began. kept_by: who has it from now on, in a line for everybody.

    Raises:
        BadInput: the wrong folder, or no such year. Refused: it is too early.
        CannotRecord: a disk is full, or the deployment runs. DidNotVerify: the ledger or the copy is damaged.
        Problem: witnesses have not cosigned the record yet; nothing was removed.
    """
    ACTS[ARCHIVED].clear["kept_by"].check(kept_by, "kept_by")
    layout = Layout(root)
    origin = read_settings(layout).origin
    _check_folder(layout, folder, origin)
    ledger, copy = TileDirectory(layout.ledger), TileDirectory(folder)
    copying = _Copying(ledger, copy, progress)
    if ledger.read(state_path(year)) is None:
        raise BadInput(
            f"{year} has not begun in this ledger: it has no {state_path(year)}.",
            fix="A year begins in January, once oversight has published an audit, or a week later.",
        )
    with exclusive(folder / _LOCK):
        key = read_signing_key(layout.log_key).verifier
        first = _whole(copying, policies.parse(f"log {key}\nquorum none\n".encode()), onward=None)
        with House(root, clock=clock) as house:
            done, policy = _record(house, year, kept_by)
            verified = _whole(copying, policy, onward=first.signed.note.encode())
            earlier = max((each.before for each in archives(house.store.read()) if each.year < year), default=0)
            _check_copy(copy, verified, earlier)
            _explain(folder, verified, earlier, done.before, house.clock)
            bundles, octets = _remove(ledger, copy, earlier, done.before)
    return {
        "origin": origin,
        "year": year,
        "before": done.before,
        "folder": str(folder),
        "kept_by": done.kept_by,
        "record": done.index,
        "size": verified.checkpoint.size,
        "witnesses": told(verified.witnesses),
        "bundles_removed": bundles,
        "bytes_removed": octets,
        "notice": verified.deployment.sentence,
    }


def _check_folder(layout: Layout, folder: Path, origin: str) -> None:
    """Check that a folder is new, or an archive of this log, and lies outside the deployment."""
    inside = layout.root.resolve()
    where = folder.resolve()
    if where == inside or inside in where.parents or where in inside.parents:
        raise BadInput(
            f"{folder} lies within the deployment, or the deployment within it.",
            fix="Choose a folder on another disk; best on a machine of somebody else.",
        )
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is a file.", fix="Choose a new folder.")
    strange = sorted(each.name for each in folder.iterdir() if each.name not in _OURS) if folder.is_dir() else []
    if strange:
        raise BadInput(
            f"{folder} holds something else: {strange[0]}.", fix="Choose a new folder, or the one that you began with."
        )
    note = TileDirectory(folder).read(CHECKPOINT) if folder.is_dir() else None
    if note is not None and checkpoints.parse(note).checkpoint.origin != origin:
        raise BadInput(
            f"{folder} is an archive of {checkpoints.parse(note).checkpoint.origin}, not of {origin}.",
            fix="Choose a new folder.",
        )


def _whole(copying: _Copying, policy: Policy, *, onward: bytes | None) -> Verified:
    """Bring the copy up to date, and verify it."""
    copying.bring_up()
    try:
        return verify_log(copying.archive, policy, onward=onward, archived=True)
    except DidNotVerify as error:
        if "quorum" in error.details:
            raise _waits(error.message) from error
        raise DidNotVerify(
            f"The copy in {copying.archive.path} does not verify, so nothing was removed: {error.message}",
            fix="Run `watchglass ledger verify` on the deployment's ledger. If that verifies, the copy is damaged: "
            "remove the file that is named, or the whole folder if nothing was removed before, and try again.",
            **error.details,
        ) from error


def _record(house: House, year: int, kept_by: str) -> tuple[Archive, Policy]:
    """Record it, once, and see that witnesses have cosigned the record."""
    house.sequencer.tick((Lane.PROMPT,))
    head = house.sequencer.head.size
    reader, now = house.store.read(), house.clock.now()
    began = archivable(reader, house.tiles, year, cosigned_size=house.cosigned_size(), head=head, now_ms=now)
    archive_entries(house.acting, began, kept_by)
    house.sequencer.tick((Lane.PROMPT,))
    found = next(each for each in archives(house.store.read()) if each.year == year)
    if found.index is None or found.index >= house.cosigned_size():
        raise _waits("The record that entries are archived is written, and too few witnesses have cosigned it.")
    return found, policies.parse(house.trust_file().encode())


def _waits(message: str) -> Problem:
    return Problem(
        f"{message} Nothing was removed.",
        fix="See whether the witnesses answer (`watchglass status`), then run the same command again.",
    )


def _check_copy(copy: TileDirectory, verified: Verified, earlier: int) -> None:
    """Check that the copy has all entries but those that an earlier year's archive has."""
    here = first_here(copy, verified.checkpoint.size)
    if here > earlier:
        raise BadInput(
            f"Entries {earlier} to {here - 1} are neither in the ledger nor in {copy.path}: an earlier try moved them "
            "to another folder.",
            fix="Give the folder that you began with. Nothing was removed now.",
        )


def _explain(folder: Path, verified: Verified, here: int, before: int, clock: Clock) -> None:
    checkpoint = verified.checkpoint
    text = _README.format(
        origin=checkpoint.origin,
        size=checkpoint.size,
        time=iso(clock.now()),
        here=here,
        last=checkpoint.size - 1,
        before=before,
        name=folder.name,
    )
    write_durably([(folder / "README.txt", text.encode())])


def _remove(ledger: TileDirectory, copy: TileDirectory, earlier: int, before: int) -> tuple[int, int]:
    """Remove the bundles from ``earlier`` to ``before``, the first one first; how many, and how many bytes."""
    count = octets = 0
    folders = set[Path]()
    for index in range(earlier // FULL, before // FULL):
        path = Tile(ENTRIES, index).path
        data = ledger.read(path)
        if data is None:
            continue
        if copy.read(path) != data:
            raise DidNotVerify(
                f"{path} in {copy.path} is not what the ledger holds.",
                fix="Keep both, and look at that disk.",
                path=path,
            )
        octets += ledger.drop_bundle(index)
        folders.add((ledger.path / path).parent)
        count += 1
    try:
        for folder in folders:
            sync_folder(folder)
    except OSError as error:
        raise CannotRecord(
            f"The ledger's folder cannot be synced: {error.strerror}.", fix="Look at that disk, then try again."
        ) from error
    return count, octets
