"""What the public reads about the charter's versions: when each was published, who signed it, and where that stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from watchglass.acts.public_facts import Condition, condition
from watchglass.charter.decide import Standing
from watchglass.core.time import iso
from watchglass.records.outbox import Reader


@dataclass(frozen=True, slots=True)
class Approval:
    """One signature over a charter's bytes, as the ledger holds it."""

    as_role: str
    leaf_hash: bytes
    index: int | None


@dataclass(frozen=True, slots=True)
class Version:
    """A charter that was published."""

    version: int
    sha256: bytes
    published_ms: int
    leaf_hash: bytes
    index: int | None
    approvals: tuple[Approval, ...]
    in_force: bool

    DERIVED: ClassVar = ("published",)

    @property
    def published(self) -> str:
        """When, as ISO 8601."""
        return iso(self.published_ms)


_VERSIONS: Final = (
    "SELECT charter_version.version, charter_version.sha256, charter_version.published_ms, charter_version.leaf_hash, "
    "entry.idx FROM charter_version LEFT JOIN entry ON entry.leaf_hash = charter_version.leaf_hash "
    "ORDER BY charter_version.version DESC, charter_version.published_ms DESC"
)
_APPROVALS: Final = (
    "SELECT charter_approval.as_role, charter_approval.leaf_hash, entry.idx FROM charter_approval "
    "LEFT JOIN entry ON entry.leaf_hash = charter_approval.leaf_hash WHERE charter_approval.sha256 = ? "
    "ORDER BY charter_approval.as_role"
)


def versions(reader: Reader, standing: Standing, now_ms: int) -> tuple[Version, ...]:
    """Every published charter, newest first, with its approvals and their places in the ledger."""
    holds = condition(standing, now_ms) in {Condition.IN_FORCE, Condition.PARTLY_SUSPENDED, Condition.SUSPENDED}
    current = standing.charter.sha256 if standing.charter and holds else None
    return tuple(
        Version(
            version=row["version"],
            sha256=row["sha256"],
            published_ms=row["published_ms"],
            leaf_hash=row["leaf_hash"],
            index=row["idx"],
            approvals=tuple(
                Approval(found["as_role"], found["leaf_hash"], found["idx"])
                for found in reader.all(_APPROVALS, row["sha256"])
            ),
            in_force=row["sha256"] == current,
        )
        for row in reader.all(_VERSIONS)
    )


def text_of_version(reader: Reader, version: int) -> bytes | None:
    """The exact bytes of a published charter, or None where there is no such version."""
    row = reader.one("SELECT text FROM charter_version WHERE version = ? ORDER BY published_ms DESC LIMIT 1", version)
    return bytes(row["text"]) if row else None
