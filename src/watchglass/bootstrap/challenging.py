"""Challenges: oversight stages an incident unannounced, and checks that its traces appear in the log.

What will be staged is written down first and lodged with a witness as a hash, so that neither the operator hears of it
nor oversight can say afterwards that it had meant something else. The file stays on oversight's machine until it tells.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from watchglass.bootstrap.archived import Archivals
from watchglass.bootstrap.lodging import Lodging
from watchglass.bootstrap.opened import OpenedRecords
from watchglass.bootstrap.orders import Order
from watchglass.core.digest import b64
from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, Problem
from watchglass.core.time import HOUR, MINUTE, hour_of, iso, minute_of
from watchglass.edge.tiles import open_whole, write_durably
from watchglass.edge.trust import load_trust
from watchglass.ledger.verify import verify_log
from watchglass.oversight.challenge import commitment
from watchglass.records.leaf import Leaf

_VERSION: Final = 1
_SALT_BYTES: Final = 8
_ALERT: Final = b'{"act":"alert_raised"'
NOTICED: Final = "noticed"
MISSED: Final = "missed"
LATE_MS: Final = 5 * MINUTE
"""How long after the end of what was staged an alert may still be about it."""
ENTERS_MS: Final = 3 * HOUR
"""After this an alert that is not in the log is not on its way either, unless `merge_within` is longer."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """What will be staged, and what came of it.

    Attributes:
        kind: of incident. from_ms, to_ms: between what moments. salt: keeps the hash from being guessed.
        notes: receipts of the witnesses that it was lodged with.
        result: noticed or missed, once the log was looked through; alert_leaf: what noticed it, in base64.
    """

    origin: str
    source: str
    kind: str
    from_ms: int
    to_ms: int
    salt: str
    notes: tuple[str, ...] = ()
    result: str | None = None
    alert_leaf: str | None = None

    def __post_init__(self) -> None:
        if not 0 <= self.from_ms < self.to_ms:
            raise BadInput("What is staged ends after it begins.", fix="Give --from and --to in that order.")

    @property
    def sha256(self) -> bytes:
        """The hash that is lodged."""
        return commitment(self.origin, asdict(self))

    def lodged(self, taken: Sequence[Lodging]) -> Challenge:
        """It with the receipts of those who took it."""
        return replace(self, notes=tuple(each.note.decode() for each in taken))

    def encode(self) -> bytes:
        """The file."""
        value = {"watchglass_challenge": _VERSION, **asdict(self), "notes": list(self.notes)}
        return json.dumps(value, indent=1).encode() + b"\n"

    def told(self, note: str) -> Order:
        """What oversight signs when it tells.

        Raises:
            Problem: it was not lodged, or the log was not looked through yet.
        """
        if not self.notes or self.result is None:
            raise Problem(
                "It is not known yet what came of this challenge.",
                fix="Let `watchglass oversight challenge check` look through the log first.",
            )
        clear = {"challenge": b64(self.sha256), "lodged": self.notes[0], "result": self.result}
        committed = {
            "source": self.source,
            "kind": self.kind,
            "from_ms": self.from_ms,
            "to_ms": self.to_ms,
            "salt": self.salt,
            "alert_leaf": self.alert_leaf,
            "note": note,
        }
        return Order("challenge_told", clear, committed)


def plan(origin: str, source: str, kind: str, from_ms: int, to_ms: int, entropy: Entropy) -> Challenge:
    """Write down what will be staged.

    Raises:
        BadInput: it ends before it begins.
    """
    return Challenge(origin, source, kind, from_ms, to_ms, entropy.bytes(_SALT_BYTES).hex())


def read(file: Path) -> Challenge:
    """The challenge in a file.

    Raises:
        BadInput: there is none.
    """
    try:
        value = json.loads(file.read_bytes())
        if value.pop("watchglass_challenge") != _VERSION:
            raise ValueError(file.name)
        return Challenge(**{**value, "notes": tuple(value["notes"])})
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise BadInput(f"{file} is not a challenge.", fix="Give the file that `challenge plan` wrote.") from error


def write(file: Path, challenge: Challenge) -> None:
    """Keep it, for oversight's eyes alone.

    Raises:
        CannotRecord: it cannot be written.
    """
    write_durably([(file, challenge.encode())], mode=0o600)


def look(
    challenge: Challenge,
    ledger: str,
    trust_file: Path,
    opened: OpenedRecords,
    now: int,
    archives: Sequence[str] = (),
) -> Challenge:
    """Look through the log for an alert of that source and kind in that time.

    Args:
        archives: where entries were archived that the ledger no longer serves.

    Raises:
        Problem: it is too early to say that it was missed, or it could stand among archived entries.
        BadInput: the log or the openings are of another deployment. DidNotVerify: the log is not whole.
    """
    found: list[tuple[str, bytes]] = []
    first, last = minute_of(challenge.from_ms), minute_of(challenge.to_ms + LATE_MS)

    def take(number: int, entries: Sequence[bytes], hashes: Sequence[bytes]) -> None:
        archivals.take(number, entries, hashes)
        for data, digest in zip(entries, hashes, strict=True):
            if not data.startswith(_ALERT):
                continue
            leaf = Leaf.parse(data)
            values = opened.values(leaf, digest) if leaf.clear["kind"] == challenge.kind else None
            if values is None or values.get("again") is not None:
                continue  # what was shown again was noticed before
            if values["source"] == challenge.source and first <= values["minute"] <= last:
                found.append((values["minute"], digest))

    trust, archivals = load_trust(trust_file), Archivals()
    with closing(open_whole(ledger, archives)) as reader:
        verified = verify_log(reader, trust.policy, seen=trust.seen, on_entries=take, archived=True)
    gone = archivals.check(verified)
    if {verified.checkpoint.origin, opened.origin} != {challenge.origin}:
        raise BadInput(
            f"This challenge is for {challenge.origin}; the ledger is {verified.checkpoint.origin}, the openings are "
            f"those of {opened.origin}.",
            fix="Give the ledger and the openings of that deployment.",
        )
    if not found and gone is not None and hour_of(challenge.from_ms) <= gone.began:
        raise Problem(
            f"There is no such alert in what the ledger serves, and {verified.unread:,} older entries are archived.",
            fix=f"Look again with `--archive DIR_OR_URL`. Who has them: {gone.kept_by}",
        )
    if not found and now < challenge.to_ms + ENTERS_MS:
        raise Problem(
            "There is no such alert in the log, but one could still be on its way.",
            fix=f"Alerts enter together, at fixed times. Look again after {iso(challenge.to_ms + ENTERS_MS)}, with "
            "fresh openings.",
        )
    leaf = b64(min(found)[1]) if found else None
    return replace(challenge, result=NOTICED if found else MISSED, alert_leaf=leaf)


def published(report: Any) -> Order:
    """What oversight signs to publish an audit.

    Args:
        report: what ``watchglass audit --json`` printed.

    Raises:
        BadInput: it is no such thing.
    """
    try:
        return Order(
            "audit_published",
            {
                "size": report["size"],
                "root": report["root"],
                "depth": report["depth"],
                "found": {each["promise"]: each["state"] for each in report["findings"]},
                "breaches": report["breaches"],
                "report_sha256": report["report_sha256"],
                "state": report.get("state"),
            },
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            "This is not what an audit printed.", fix="Save what `watchglass audit … --json` prints, whole."
        ) from error
