"""What is in force now, read from what was recorded: charters, approvals, cosigned publication, suspensions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from watchglass.acts.charter_text import charter_of as charter_of  # noqa: PLC0414 (others take it from here)
from watchglass.acts.judged import about, on_trial, suspensions_by_limit
from watchglass.charter.decide import Publication, Standing, Suspension, in_force
from watchglass.charter.model import EVERYTHING, Deployment
from watchglass.core.digest import b64
from watchglass.core.time import iso
from watchglass.records.outbox import Reader, Row

OVERSIGHT = "oversight"


def standing(
    reader: Reader,
    *,
    deployment: Deployment,
    cosigned_size: int,
    now_ms: int,
    witnessed_ms: int | None = None,
) -> Standing:
    """The charter that counts at ``now_ms`` and all that bears on it.

    The newest version counts that is approved by both, published in a cosigned checkpoint, and whose first day has
    come; if there is none, the newest published one counts, and ``decide`` will say what it lacks.

    Args:
        cosigned_size: how many entries the last witness-cosigned checkpoint covers.
        witnessed_ms: when enough witnesses were asked that have cosigned since.
    """
    rows = reader.all("SELECT sha256, version, text, leaf_hash FROM charter_version ORDER BY version DESC")
    if not rows:
        return Standing(None, deployment)
    candidates = [replace(_standing(reader, row, deployment, cosigned_size), witnessed_ms=witnessed_ms) for row in rows]
    for candidate in candidates:
        assert candidate.charter is not None
        begun = in_force(candidate.charter)[0] <= now_ms
        if begun and len(candidate.approvals) == 2 and candidate.published in {"cosigned", "exempt"}:  # noqa: PLR2004 (authority and oversight)
            return candidate
    return candidates[0]


def standing_of(reader: Reader, sha256: bytes, *, deployment: Deployment, cosigned_size: int) -> Standing:
    """The standing of one exact charter: to finish alerts that an older one raised."""
    row = reader.one("SELECT sha256, version, text, leaf_hash FROM charter_version WHERE sha256 = ?", sha256)
    return _standing(reader, row, deployment, cosigned_size) if row else Standing(None, deployment)


def is_cosigned(reader: Reader, leaf_hash: bytes, cosigned_size: int) -> bool:
    """Whether that record lies within the first ``cosigned_size`` entries."""
    row = reader.one("SELECT idx FROM entry WHERE leaf_hash = ?", leaf_hash)
    return row is not None and int(row["idx"]) < cosigned_size


def _standing(reader: Reader, row: Row, deployment: Deployment, cosigned_size: int) -> Standing:
    approvals = reader.all("SELECT as_role FROM charter_approval WHERE sha256 = ?", row["sha256"])
    published: Publication = "waiting"
    if deployment == "trial":
        published = "exempt"
    elif is_cosigned(reader, row["leaf_hash"], cosigned_size):
        published = "cosigned"
    charter = charter_of(bytes(row["text"]))
    ordered = suspensions(reader, deployment=deployment, cosigned_size=cosigned_size)
    return Standing(
        charter=charter,
        deployment=deployment,
        approvals=frozenset(approval["as_role"] for approval in approvals),
        published=published,
        suspensions=(*ordered, *suspensions_by_limit(reader)),
        on_trial=on_trial(reader, charter),
    )


def suspensions(reader: Reader, *, deployment: Deployment, cosigned_size: int) -> tuple[Suspension, ...]:
    """Oversight's orders that hold: at once when given, until their lifting is in a cosigned checkpoint (law 12)."""
    holding = []
    for row in reader.all("SELECT * FROM suspension ORDER BY ordered_ms"):
        lifted = row["lifted_leaf_hash"]
        if lifted is not None and (deployment == "trial" or is_cosigned(reader, lifted, cosigned_size)):
            continue
        scope = EVERYTHING if row["scope"] == EVERYTHING else row["analytic"]
        holding.append(Suspension(scope, OVERSIGHT, int(row["ordered_ms"])))
    return tuple(holding)


def describe(reader: Reader, now: Standing, *, origin: str, cosigned_size: int) -> dict[str, Any]:
    """What a signer's own machine needs to know: the charter in force, every order to stop, and what limits stopped."""
    charter = now.charter
    orders = []
    for row in reader.all("SELECT * FROM suspension ORDER BY ordered_ms"):
        lifted = row["lifted_leaf_hash"]
        effective = lifted is not None and (now.deployment == "trial" or is_cosigned(reader, lifted, cosigned_size))
        orders.append(
            {
                "leaf_hash": b64(row["leaf_hash"]),
                "scope": row["scope"],
                "analytic": row["analytic"],
                "ordered": iso(row["ordered_ms"]),
                "obeyed": iso(row["obeyed_ms"]) if row["obeyed_ms"] else None,
                "lifted": lifted is not None,
                "resumed": effective,
            }
        )
    return {
        "origin": origin,
        "deployment": now.deployment,
        "charter": None
        if charter is None
        else {
            "name": charter.charter,
            "version": charter.version,
            "sha256": charter.digest,
            "from": charter.in_force.since.isoformat(),
            "until": charter.in_force.until.isoformat(),
            "approvals": sorted(now.approvals),
            "published": now.published,
            "analytics": [analytic.name for analytic in charter.analytics],
            "witnesses": [{"key": witness.key, "url": witness.url} for witness in charter.oversight.witnesses],
        },
        "suspensions": orders,
        "quality": about(reader, charter),
    }
