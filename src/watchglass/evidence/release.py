"""Requests for originals: what a custodian's machine checks before it hands anything on, and what an approval says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from watchglass.core import canonical
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import MINUTE, SECOND, iso
from watchglass.evidence.custody import Bundle, Kind, Terms, not_for_this
from watchglass.evidence.header import HASH_BYTES, Header
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.policy import Accepted, Deployment, Policy
from watchglass.ledger.proof import Proof
from watchglass.records import statement as statements
from watchglass.records.leaf import Leaf
from watchglass.records.statement import SignedStatement

SCOPE_DOMAIN: Final = b"watchglass/release-scope/v1\n"
REQUESTED: Final = "release_requested"
CLOCKS_APART_MS: Final = 5 * MINUTE
"""How far witnesses' clocks may be ahead of this machine's before this one's is called wrong."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request for originals, its signature and openings verified.

    Attributes:
        leaf_hash: of its record, as the log holds it.
        identifier: 16 hex digits. case: likewise; opened: leaf hash of the record that opened the case.
        recipient: the case's public key, to which shares are sealed.
        until_ms: when it ends. by: the requester's key.
    """

    leaf_hash: bytes
    identifier: str
    origin: str
    charter: bytes
    purpose: str
    source: str
    from_ms: int
    to_ms: int
    case: str
    opened: bytes
    reason: str
    recipient: bytes
    until_ms: int
    by: VerifierKey

    @property
    def scope_sha256(self) -> bytes:
        """What an approval says of the scope: the hash of source, times, purpose and case."""
        scope = {
            "case": self.case,
            "from_ms": self.from_ms,
            "purpose": self.purpose,
            "source": self.source,
            "to_ms": self.to_ms,
        }
        return sha256(SCOPE_DOMAIN + canonical.encode(scope))

    def terms(self, custodian: str) -> Terms:
        """What a custodian's bundle for this request is bound to."""
        return Terms(Kind.RELEASE, self.leaf_hash, self.charter, self.recipient, custodian)


def read_request(
    statement: SignedStatement, leaf: bytes, *, origin: str, keys: Mapping[str, Sequence[VerifierKey]]
) -> Request:
    """The request in a statement, if the requester signed it for this log and ``leaf`` is its record.

    Args:
        statement: as the requester made it, with the openings.
        leaf: the bytes of its entry in the log.
        keys: for each role the keys that may speak for it: those that oversight enrolled for the month.

    Raises:
        BadInput: it is no request. DidNotVerify: signature, opening or record do not belong together.
    """
    if statement.leaf.act != REQUESTED:
        raise BadInput(f"This statement is '{statement.leaf.act}', not a request.", fix="Give the request's statement.")
    values = statements.verify(statement, origin=origin, keys=keys)
    recorded = Leaf.parse(leaf)
    if recorded.body() != statement.leaf.body() or recorded.signature != statement.leaf.signature:
        raise DidNotVerify(
            "The log holds another request than the one that was signed.",
            fix="Approve nothing: keep both, and tell oversight.",
            field="leaf",
        )
    assert statement.leaf.charter is not None
    assert statement.leaf.purpose is not None
    return Request(
        leaf_hash=leaf_hash(leaf),
        identifier=values["request"],
        origin=origin,
        charter=statement.leaf.charter,
        purpose=statement.leaf.purpose,
        source=values["source"],
        from_ms=values["from_ms"],
        to_ms=values["to_ms"],
        case=values["case"],
        opened=unb64(values["opened"], length=HASH_BYTES),
        reason=values["reason"],
        recipient=unb64(values["recipient"], length=HASH_BYTES),
        until_ms=values["until_ms"],
        by=statement.signature.key,
    )


def check_request(
    request: Request,
    proof: Proof,
    policy: Policy,
    *,
    custodians: Iterable[VerifierKey],
    charter: bytes,
    now: int,
    seen: Mapping[str, bytes] | None = None,
) -> Accepted:
    """What a custodian's client verifies before it seals anything anew (law 12). Returns the checkpoint accepted.

    Args:
        request: from ``read_request``.
        proof: that its record is in the log.
        policy: the custodian's own trust file. seen: the last checkpoint that it remembers of each log.
        custodians: the identity keys of the charter's custodians; none of them may be the requester's.
        charter: SHA-256 of the charter that the custodian knows to be in force.
        now: this machine's time.

    Raises:
        DidNotVerify: another charter, an unproven record, no witness, a clock that is behind.
        BadInput: the request is over, asks for the future or for nothing, or was made by a custodian.
    """
    if request.charter != charter:
        raise DidNotVerify(
            "This request was made under another charter than the one in force.",
            fix="Ask the investigator to request again under the charter in force.",
            field="charter",
        )
    accepted = proof.check(request.leaf_hash, policy, seen=seen)
    found = accepted.signed.checkpoint.origin
    if found != request.origin:
        raise DidNotVerify(
            f"The proof is of the log {found}, the request is for {request.origin}.",
            fix="Ask for the proof again.",
            field="origin",
        )
    if not accepted.witnesses and policy.deployment is not Deployment.TRIAL:
        raise DidNotVerify(
            "No witness has cosigned a checkpoint with this request.",
            fix="Wait for the next checkpoint; the trust file must name at least one witness.",
            field="witnesses",
        )
    _check_times(request, accepted, now)
    if any(key.public == request.by.public for key in custodians):
        raise BadInput(
            "A custodian made this request; nobody decides on their own.",
            fix="Refuse it. Somebody who is no custodian may ask.",
            field="by",
        )
    return accepted


def check_segment(request: Request, header: Header, *, now: int, held: bool = False) -> None:
    """Check that a segment is within a request: its source, its log, its time. A segment that overlaps is within.

    Args:
        now: for its retention, which ``held`` says does not count: an order to hold has kept it.

    Raises:
        BadInput: it is not; the segment is named.
    """
    context = header.context
    why = None
    if context.origin != request.origin:
        why = f"it is of {context.origin}"
    elif context.source != request.source:
        why = f"it was recorded by {context.source}, and {request.source} was asked for"
    elif context.to_ms <= request.from_ms or context.from_ms >= request.to_ms:
        why = f"it shows {iso(context.from_ms)} to {iso(context.to_ms)}, which was not asked for"
    elif context.keep_until_ms <= now and not held:
        why = f"its retention ended at {iso(context.keep_until_ms)}"
    if why is not None:
        raise BadInput(
            f"Segment {header.segment} is not within this request: {why}.",
            fix="Seal nothing of it anew, and tell oversight: the house offered what was not asked for.",
            segment=header.segment,
        )


def approval(request: Request, bundle: Bundle, accepted: Accepted) -> dict[str, Any]:
    """What the record of an approval commits to, for ``records.statement.sign("release_approved", …)``."""
    checkpoint = accepted.signed.checkpoint
    return {
        **_approved(request, bundle),
        "until_ms": request.until_ms,
        "seen": {"size": checkpoint.size, "root": b64(checkpoint.root)},
    }


def check_approval(request: Request, bundle: Bundle, leaf: Leaf, values: Mapping[str, Any]) -> None:
    """Check that a signed approval is of this request and hands on this bundle.

    Args:
        leaf: of the approval, its signature verified. values: its opened values, verified.

    Raises:
        DidNotVerify: it is of another request, charter, scope, key or bundle; the field is named.
    """
    custodian = bundle.terms.custodian
    given: dict[str, object] = {"charter": leaf.charter, "refs": leaf.refs, "purpose": leaf.purpose, **values}
    wanted: dict[str, object] = {
        "charter": request.charter,
        "refs": (request.leaf_hash,),
        "purpose": request.purpose,
        **_approved(request, bundle),
    }
    for name, value in wanted.items():
        if given.get(name) != value:
            raise DidNotVerify(
                f"The approval of {custodian} is not of this request: its {name} is another.",
                fix=f"Ask {custodian} to approve again.",
                field=name,
                custodian=custodian,
            )
    if bundle.terms != request.terms(custodian):
        raise not_for_this(bundle.terms, "request", "another request than this")


def _approved(request: Request, bundle: Bundle) -> dict[str, str]:
    return {
        "request": request.identifier,
        "custodian": bundle.terms.custodian,
        "scope_sha256": b64(request.scope_sha256),
        "recipient": b64(request.recipient),
        "bundle_sha256": b64(bundle.sha256),
    }


def _check_times(request: Request, accepted: Accepted, now: int) -> None:
    witnessed = max((seconds for _, seconds in accepted.witnesses), default=0) * SECOND
    if witnessed > now + CLOCKS_APART_MS:
        raise DidNotVerify(
            f"Witnesses say that it is {iso(witnessed)} at least, and this machine says {iso(now)}.",
            fix="Set this machine's clock right, then look again.",
            field="now",
        )
    if max(now, witnessed) >= request.until_ms:
        raise BadInput(
            f"This request ended at {iso(request.until_ms)}.",
            fix="Ask the investigator for a new one.",
            field="until_ms",
        )
    if not request.from_ms < request.to_ms <= now:
        raise BadInput(
            "This request asks for a time that is empty or has not been yet.", fix="Refuse it.", field="to_ms"
        )
