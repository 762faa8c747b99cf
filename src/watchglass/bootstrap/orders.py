"""What authority and oversight can say, before it is signed: the same for the commands and for the desk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from watchglass.charter.model import Charter
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import Problem
from watchglass.ledger.checkpoint import Checkpoint

_HASH = 32


@dataclass(frozen=True, slots=True)
class Order:
    """An act that is ready to be signed.

    Attributes:
        clear: what everybody will read. committed: what is sealed to oversight. refs: the records that it is about.
    """

    act: str
    clear: Mapping[str, Any] = field(default_factory=dict)
    committed: Mapping[str, Any] = field(default_factory=dict)
    refs: tuple[bytes, ...] = ()


def suspension(analytic: str | None, reason: str) -> Order:
    """Let one analytic, or everything, stop."""
    return Order("suspension_ordered", _scope(analytic), {"reason": reason})


def resumption(suspensions: Iterable[Mapping[str, Any]], analytic: str | None, reason: str, what_changed: str) -> Order:
    """Let run again what was stopped: the newest order of that scope that nobody lifted.

    Args:
        suspensions: as ``/api/v1/standing`` tells them.

    Raises:
        Problem: nothing of that scope is suspended.
    """
    scope = _scope(analytic)
    found = [
        order
        for order in suspensions
        if (order["scope"], order["analytic"]) == (scope["scope"], analytic) and not order["lifted"]
    ]
    if not found:
        raise Problem(
            "Nothing of that name is suspended.", fix="See what is: the portal's home page and /oversight/suspend."
        )
    refs = (unb64(str(found[-1]["leaf_hash"]), length=_HASH),)
    return Order("suspension_lifted", scope, {"reason": reason, "what_changed": what_changed}, refs)


def proposal(quality: Iterable[Mapping[str, Any]], analytic: str, what_changed: str) -> Order:
    """The authority states what was changed, so that an analytic may run again that its limit stopped.

    Args:
        quality: as ``/api/v1/standing`` tells it.

    Raises:
        Problem: no limit stops it.
    """
    stop = _stop_of(quality, analytic)
    refs = (unb64(str(stop["leaf_hash"]), length=_HASH),)
    return Order("resumption_proposed", {"analytic": analytic}, {"what_changed": what_changed}, refs)


def resumption_of_limit(quality: Iterable[Mapping[str, Any]], analytic: str, reason: str) -> Order:
    """Oversight lets it run again, upon the authority's newest proposal.

    Raises:
        Problem: no limit stops it, or nobody has proposed it.
    """
    stop = _stop_of(quality, analytic)
    if not stop["proposals"]:
        raise Problem(
            f"Nobody has proposed that {analytic!r} may run again.",
            fix="First the authority states what was changed: `watchglass quality propose-resumption`.",
        )
    refs = tuple(unb64(str(each["leaf_hash"]), length=_HASH) for each in (stop, stop["proposals"][-1]))
    return Order("analytic_resumed", {"analytic": analytic}, {"reason": reason}, refs)


def stopped_by_limit(quality: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What limits stop, as the standing tells it; without those that wait for witnesses only."""
    return [each for each in quality if each.get("stop") and not each["stop"]["resumed"]]


def _stop_of(quality: Iterable[Mapping[str, Any]], analytic: str) -> Mapping[str, Any]:
    found = next((each for each in stopped_by_limit(quality) if each["analytic"] == analytic), None)
    if found is None:
        raise Problem(
            f"No limit stops an analytic called {analytic!r}.", fix="`watchglass quality state` tells how each stands."
        )
    stop: Mapping[str, Any] = found["stop"]
    return stop


def enrolment(*, person: str, role: str, month: str, vkey: str) -> Order:
    """Let somebody's key speak for them in a role, for a month."""
    return Order("key_enrolled", {"enrolled_role": role, "vkey": vkey, "month": month}, {"person": person})


def settlement(*, signal: str, finding: str, note: str) -> Order:
    """Say what was made of a signal of misuse."""
    return Order("misuse_settled", {}, {"signal": signal, "finding": finding, "note": note})


def approval(charter: Charter, role: Literal["authority", "oversight"], seen: Checkpoint | None) -> Order:
    """Approve exactly this charter, having seen the log at ``seen``."""
    return Order(
        "charter_approved",
        {
            "name": charter.charter,
            "version": charter.version,
            "sha256": charter.digest,
            "as_role": role,
            "seen": None if seen is None else {"size": seen.size, "root": b64(seen.root)},
        },
    )


def _scope(analytic: str | None) -> dict[str, Any]:
    return {"scope": "all" if analytic is None else "analytic", "analytic": analytic}
