"""The compliance audit on anybody's machine: a ledger, a trust file, and whatever else there is to hold against it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass import __version__
from watchglass.bootstrap import carrying
from watchglass.bootstrap.archived import Archivals
from watchglass.bootstrap.carrying import Again
from watchglass.bootstrap.opened import OpenedRecords, read_openings
from watchglass.core import canonical
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem, WatchglassError
from watchglass.core.time import Clock, iso
from watchglass.edge.clock import SystemClock
from watchglass.edge.lodging import Kept, LodgingClient
from watchglass.edge.tiles import open_whole, write_durably
from watchglass.edge.trust import Trust, keeping_evidence, load_trust, pin_oversight, remember
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger import receipt as receipts
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.merkle import HASH_BYTES, leaf_hash
from watchglass.ledger.policy import told
from watchglass.ledger.replay import Progress
from watchglass.ledger.tiles import CHECKPOINT, FULL, TileReader, first_here
from watchglass.ledger.verify import Verified, verify_log
from watchglass.oversight.audit import Auditor
from watchglass.oversight.carried import FORM
from watchglass.oversight.given import Lodged, Promised
from watchglass.oversight.hashes import Hashes
from watchglass.oversight.report import Differences, Report, differences

_VERSION: Final = 1
_MEMBERS: Final = frozenset({"watchglass_audited", "checkpoint", "memory", "report", "opened_with"})
_LARGEST_RECEIPT: Final = 1 << 20
_MOST_LODGED: Final = 10_000
_MOST_LODGED_BYTES: Final = 64 << 20


@dataclass(frozen=True, slots=True)
class Before:
    """What this machine's last audit left beside the trust file: where it ended, what it remembers, what it said."""

    checkpoint: bytes
    memory: bytes
    report: dict[str, Any]

    @property
    def size(self) -> int:
        """How many entries it covered."""
        return checkpoints.parse(self.checkpoint).checkpoint.size


def audit(
    where: str,
    trust_file: Path,
    *,
    openings: Path | None = None,
    keys: Sequence[X25519PrivateKey] = (),
    receipts: Path | None = None,
    lodged: Sequence[str] = (),
    from_start: bool = False,
    from_year: int | None = None,
    archives: Sequence[str] = (),
    carry: bool = False,
    progress: Progress | None = None,
    clock: Clock | None = None,
) -> dict[str, Any]:
    """Verify a ledger and audit it; remember both beside the trust file, for the next time.

    Args:
        where: the ledger's directory or address.
        openings: a file or folder from the openings page; keys: oversight's openings key, or all that it has had.
        receipts: a folder of receipts that people were given.
        lodged: witnesses' addresses, or folders of what was lodged with them.
        from_start: read everything again.
        from_year: take over what the log carried into this year, and read what follows.
        archives: where entries were archived that the ledger no longer serves.
        carry: make the state that these entries leave, too; oversight signs its hash with what was found.

    Returns:
        What ``watchglass audit --json`` prints: the report, and how it came about.

    Raises:
        DidNotVerify: it is not the log that the trust file and this machine know; there is nothing to audit then.
        BadInput: something that was given cannot be read.
    """
    trust = load_trust(trust_file)
    now = (clock or SystemClock()).now()
    opened = read_openings(openings, *keys) if openings is not None and keys else None
    kept = _read_receipts(receipts) if receipts is not None else []
    if from_year is not None and (openings is not None or from_start):
        raise BadInput(
            "An audit that begins with a year takes over what everybody can see, and no sealed details.",
            fix="Leave --from-year out, or leave out --openings and --from-start.",
        )
    with closing(open_whole(where, archives)) as reader:
        head = _head(reader)
        origin = head.origin
        _same_log(opened, origin)
        problems: list[str] = []
        orders = [one for source in lodged for one in _lodged(source, origin, trust, problems)]
        remembered = Path(f"{trust_file}.audited-{'structure' if opened is None else 'openings'}")
        opened_with = sorted(b64(each.public_key().public_bytes_raw()) for each in keys)
        before = None if from_start else _before(remembered, origin, opened_with)
        again = Again(reader, head.size)
        given: dict[str, Any] = {
            "policy": trust.policy,
            "oversight": trust.oversight,
            "receipts": kept,
            "lodged": orders,
            "now_ms": now,
            "remake": again,
        }
        auditor, resumed = _resumed(before, origin, given, opened, from_year)
        if auditor is None and from_year is not None:
            auditor, verified = _from_year(reader, trust, origin, from_year, given, again, progress)
        else:
            auditor = auditor or Auditor(origin, openings=opened, **given)
            again.beside(auditor)
            verified = _verify(reader, trust, auditor, before if resumed else None, progress, where)
        again.check()
        state = again.state(verified.checkpoint.size) if carry else None
    report = auditor.finish(verified.checkpoint, verified.witnesses)
    changed = _changed(before, report)
    problems += _remember(trust, remembered, verified, auditor, report, opened_with)
    return {
        "ok": not report.breaches and not problems,
        "verdict": _verdict(report),
        **report.as_json(),
        "witnesses": told(verified.witnesses),
        "deployment": verified.deployment.value,
        "continues": verified.seen_size,
        "form": FORM,
        "state": None if state is None else b64(sha256(state)),
        "resumed_from": before.size if before is not None and resumed else 0,
        "changed": changed,
        "problems": problems,
        "report_sha256": b64(report.sha256),
        "made": iso(now),
        "where": where,
        "trust": str(trust_file),
        "version": __version__,
    }


def _head(reader: TileReader) -> Checkpoint:
    data = reader.read(CHECKPOINT)
    if data is None:
        raise BadInput(
            "There is no checkpoint here, so this is not a log.",
            fix="Give a ledger's directory or address: the one that holds the file `checkpoint`.",
        )
    return checkpoints.parse(data).checkpoint


def _same_log(opened: OpenedRecords | None, origin: str) -> None:
    if opened is not None and opened.origin != origin:
        raise BadInput(
            f"The openings are of {opened.origin}, and the ledger is {origin}.", fix="Give those of this deployment."
        )


def _resumed(
    before: Before | None, origin: str, given: dict[str, Any], opened: OpenedRecords | None, from_year: int | None
) -> tuple[Auditor | None, bool]:
    """The auditor that goes on from where the last one ended; None where there is none, or it began otherwise."""
    if before is None:
        return None, False
    try:
        auditor = Auditor.from_memory(before.memory, origin, openings=opened, **given)
    except BadInput:  # of another version, or another trust file: nothing is lost by reading all of it again
        return None, False
    begun = auditor.world.begun
    if from_year is not None and (begun is None or begun.year != from_year):
        return None, False
    return auditor, True


def _verify(
    reader: TileReader, trust: Trust, auditor: Auditor, before: Before | None, progress: Progress | None, where: str
) -> Verified:
    def take(first: int, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        for at, (data, digest) in enumerate(zip(entries, hashes, strict=True), first):
            auditor.see(at, data, digest)

    try:
        with keeping_evidence(trust):
            return verify_log(
                reader,
                trust.policy,
                seen=trust.seen,
                progress=progress,
                on_entries=take,
                onward=None if before is None else before.checkpoint,
            )
    except DidNotVerify as error:
        if "archived" not in error.details:
            raise
        raise BadInput(
            f"{error.message} An audit from the start cannot read them.",
            fix=f"Begin with a year: `watchglass audit {where} --trust {trust.path} --from-year YEAR`; the ledger's "
            "folder `years` has a file of each. Or give `--archive DIR_OR_URL`, where they are kept.",
            archived=error.details["archived"],
        ) from error


def _from_year(
    reader: TileReader,
    trust: Trust,
    origin: str,
    year: int,
    given: dict[str, Any],
    again: Again,
    progress: Progress | None,
) -> tuple[Auditor, Verified]:
    """Verify the log, and audit what follows a year's state; of what is before it only the hashes are read.

    Raises:
        DidNotVerify: the log does not say that the year began with this state.
        BadInput: there is no such state, or entries after it are not there.
    """
    carried = carrying.read_state(reader, year, origin)
    begin = carried.size - carried.size % FULL
    hashes, archivals, begun = Hashes(), Archivals(), Begins()

    def keep(first: int, leaves: Sequence[bytes]) -> None:
        for leaf in leaves[: max(0, carried.size - first)]:
            hashes.append(leaf)
        if begun.auditor is None and hashes.size == carried.size:
            begun.auditor = Auditor.from_carried(carried, hashes, origin, begun=year, **given)
            again.beside(begun.auditor)

    def take(first: int, entries: Sequence[bytes], leaves: Sequence[bytes]) -> None:
        archivals.take(first, entries, leaves)
        auditor = begun.auditor
        for at, (data, digest) in enumerate(zip(entries, leaves, strict=True), first):
            if auditor is not None and at >= carried.size:
                auditor.see(at, data, digest)

    with keeping_evidence(trust):
        verified = verify_log(
            reader,
            trust.policy,
            seen=trust.seen,
            progress=progress,
            on_bundle=keep,
            on_entries=take,
            archived=True,
            unread_before=carried.size,
        )
    if verified.unread > begin:
        raise BadInput(
            f"The entries before {verified.unread:,} are not here, and {year} begins with entry {carried.size:,}.",
            fix="Begin with a later year, or give `--archive DIR_OR_URL`, where they are kept.",
        )
    archivals.check(replace(verified, unread=first_here(reader, verified.checkpoint.size)))
    auditor = begun.auditor
    if auditor is None or auditor.years.taken_over(auditor.world) is None:
        raise carrying.other_state(year)
    return auditor, verified


@dataclass(slots=True)
class Begins:
    """The audit that begins once the hashes before its year are there."""

    auditor: Auditor | None = None


def _verdict(report: Report) -> str:
    broken, kept = len(report.broken), report.counts()["kept"]
    if not broken:
        return f"No breach was found: {kept} promises were kept, as far as this audit can see."
    times = "once" if report.breaches == 1 else f"{report.breaches:,} times"
    return f"{broken} {'promise was' if broken == 1 else 'promises were'} broken, {times} in all; {kept} were kept."


# ---- from one audit to the next --------------------------------------------------------------------------------------


def _before(file: Path, origin: str, opened_with: list[str]) -> Before | None:
    """What the last audit left; None where there is none that can be used, for then everything is read again."""
    try:
        value = json.loads(file.read_bytes())
        if value.keys() != _MEMBERS or (value["watchglass_audited"], value["opened_with"]) != (_VERSION, opened_with):
            return None
        before = Before(value["checkpoint"].encode(), unb64(value["memory"]), value["report"])
        return before if checkpoints.parse(before.checkpoint).checkpoint.origin == origin else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, WatchglassError):
        return None


def _remember(
    trust: Trust, file: Path, verified: Verified, auditor: Auditor, report: Report, opened_with: list[str]
) -> list[str]:
    note = verified.signed.note.encode()
    first = None
    unread = auditor.world.begun is not None
    if trust.oversight is None and not unread and (charters := auditor.world.charters.order):
        first = VerifierKey.parse(charters[0].charter.oversight.key)
        auditor.pinned(first)
    value = {
        "watchglass_audited": _VERSION,
        "checkpoint": note.decode("utf-8"),
        "memory": b64(auditor.memory()),
        "report": report.as_json(),
        "opened_with": opened_with,
    }
    try:
        remember(trust, note)
        if first is not None:
            pin_oversight(trust, first)
        write_durably([(file, json.dumps(value, ensure_ascii=False).encode())], mode=0o600)
    except CannotRecord as error:
        return [f"What was seen could not be remembered. {error.message}"]
    return []


def _changed(before: Before | None, report: Report) -> list[str]:
    if before is None:
        return []
    try:
        return list(_told(differences(before.report, report)))
    except BadInput:
        return []


def _told(found: Differences) -> Iterator[str]:
    yield f"{found.after - found.before:,} more entries."
    for promise, was, now in found.changed:
        yield f"{promise}: was {was or 'not there'}, is {now or 'not there any more'}."
    for breach in found.new:
        yield f"New: {breach.sentence}"
    for _, sentence in found.gone:
        yield f"No longer found: {sentence}"


# ---- what else was given ---------------------------------------------------------------------------------------------


def _read_receipts(folder: Path) -> list[Promised]:
    """Receipts as the portal's answers were saved: JSON objects with ``receipt`` and ``leaf_hash`` or ``leaf``."""
    found = []
    for file in sorted(folder.glob("*.json")) if folder.is_dir() else [folder]:
        try:
            with file.open("rb") as opened:
                value = json.loads(opened.read(_LARGEST_RECEIPT))
            receipt = receipts.parse(canonical.encode(value["receipt"]))
            leaf = value.get("leaf")
            digest = leaf_hash(leaf.encode()) if leaf else unb64(value["leaf_hash"], length=HASH_BYTES)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, BadInput) as error:
            raise BadInput(
                f"{file} does not hold a receipt with its record.",
                fix="Save what the command printed with --json, or what the portal answered: it has `receipt` and "
                "`leaf_hash`.",
            ) from error
        found.append(Promised(file.name, receipt, digest))
    if not found:
        raise BadInput(f"There is no .json file in {folder}.", fix="Put the answers that hold receipts there.")
    return found


def _lodged(source: str, origin: str, trust: Trust, problems: list[str]) -> Iterator[Lodged]:
    """What is lodged for ``origin``, in a folder or with a witness. One that does not answer is said, and no more."""
    if not source.startswith(("http://", "https://")):
        yield from _lodged_in(Path(source), origin)
        return
    client = LodgingClient(source, _key_of(source, trust))
    try:
        listed = client.listed(origin, 0)
        numbers: list[int] = []
        while listed is not None and len(numbers) < _MOST_LODGED:
            count, found = listed
            numbers += found
            listed = client.listed(origin, len(numbers)) if found and len(numbers) < count else None
        octets = 0
        for number in numbers:
            kept = client.fetch(origin, number)
            octets += len(kept.body)
            if octets > _MOST_LODGED_BYTES:
                raise Problem("It is far too much.", fix="Ask its operator what that is.")
            yield Lodged(f"{source} {number}", kept.body, kept.note)
    except (Problem, BadInput, DidNotVerify) as error:
        problems.append(f"What was lodged at {source} could not be read. {error.message}")
    finally:
        client.close()


def _lodged_in(folder: Path, origin: str) -> Iterator[Lodged]:
    files = sorted(folder.rglob("*.json"))
    if not files:
        raise BadInput(f"There is nothing lodged in {folder}.", fix="Give a witness's folder, or its address.")
    for file in files:
        try:
            kept = Kept.parse(0, file.read_bytes())
        except (OSError, BadInput) as error:
            raise BadInput(f"{file} is not something that was lodged.", fix="Copy the folder again.") from error
        if kept.origin == origin:
            yield Lodged(file.name, kept.body, kept.note)


def _key_of(url: str, trust: Trust) -> VerifierKey:
    witnesses = trust.policy.witnesses
    named = [each for each in witnesses if each.url is not None and each.url.rstrip("/") == url.rstrip("/")]
    if not named and len(witnesses) == 1:
        named = list(witnesses)
    if not named:
        raise BadInput(
            f"The trust file does not say which witness is at {url}.",
            fix="Write the address behind that witness's key in the trust file.",
        )
    return named[0].key
