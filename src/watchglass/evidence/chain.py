"""Verifying an export years later: what a manifest's chain of custody must hold, and what it then says.

Needed are the manifest, the exported file, a trust file that names log and witnesses, and the charters, whose text is
in the chain itself. The keys that may sign follow from each other: the trust file accepts the checkpoint, the
checkpoint proves the charters' publication, the first charter approves itself and each later one is approved with the
keys before it, the charter of the request pins authority, oversight and custodians, and whoever was oversight then
enrolled the investigator's key of the month.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from watchglass.charter.model import Charter
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.errors import DidNotVerify
from watchglass.evidence.manifest import Link, Manifest, SignedManifest
from watchglass.evidence.subsets import permitted_subsets
from watchglass.evidence.succession import APPROVED, PUBLISHED, Succession, first_named, signed_by, walk
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.policy import Accepted, Deployment, Policy

REQUESTED: Final = "release_requested"
BROKEN: Final = "glass_broken"
TAKEN: Final = "release_taken"
SCOPE: Final = ("source", "from_ms", "to_ms")
"""What every export shows of the request: what each segment is compared with."""
_MONTH: Final = len("2026-11")


@dataclass(frozen=True, slots=True)
class Verified:
    """What holds of an export.

    Attributes:
        accepted: the checkpoint and who cosigned it.
        approved_by: the custodians who approved, by their names in the charter.
        shown: of the request, or of the record of the emergency: the fields that the one who exported chose to open.
        glass: nobody approved, for somebody used the charter's emergency rule.
        deployment: a demonstration or trial proves nothing about a real one, and says so.
        first_oversight: the key of oversight in the first charter of the chain, from which all others follow.
    """

    manifest: Manifest
    accepted: Accepted
    approved_by: tuple[str, ...]
    shown: Mapping[str, Any]
    glass: bool
    deployment: Deployment
    first_oversight: VerifierKey


def charter_text(manifest: Manifest) -> bytes:
    """The bytes of the charter under which the release was requested, out of the chain; nothing is verified yet.

    Raises:
        DidNotVerify: the chain lacks it.
    """
    wanted = b64(_charter_of(_root(manifest)))
    for link in manifest.of(PUBLISHED):
        text = str(link.leaf.clear["text"]).encode()
        if link.leaf.clear["sha256"] == wanted and b64(sha256(text)) == wanted:
            return text
    raise _lacks("the publication of the charter that the request names")


def verify(
    signed: SignedManifest, policy: Policy, charter: Charter, *, oversight: VerifierKey | None = None
) -> Verified:
    """What an export's manifest proves.

    Args:
        signed: the manifest. The exported file itself is checked by ``manifest.check_media``.
        policy: the trust file.
        charter: parsed from ``charter_text``.
        oversight: the key of oversight in the log's first charter, where it is known from elsewhere.

    Raises:
        DidNotVerify: with the sentence of what does not hold.
    """
    manifest = signed.manifest
    manifest.exported_by.verify(manifest.message, signed.sig)
    accepted = _included(manifest, policy)
    request = _root(manifest)
    _check_shown(request)
    glass = request.leaf.act == BROKEN
    if charter.sha256 != _charter_of(request):
        raise _wrong("The request was made under another charter than this.", "charter")
    charters = _check_charters(manifest, charter)
    first = _check_oversight(charters, oversight)
    role = _role(charter, request)
    requester = _signed(manifest, request, {role: _enrolled(manifest, charters, role, request)})
    exporters = {requester.public, *(key.public for key in _enrolled(manifest, charters, role))}
    if manifest.exported_by.public not in exporters:
        raise _wrong(f"{manifest.exported_by.name} exported this, and is not enrolled as {role}.", "exported_by")
    approved_by = () if glass else _check_approvals(manifest, charter, request, requester)
    _check_case(manifest, charters, request)
    _check_segments(manifest, request)
    return Verified(manifest, accepted, approved_by, request.values, glass, policy.deployment, first)


def _check_shown(request: Link) -> None:
    """Without what was asked for, nobody could tell whether that is what was approved and exported."""
    for name in SCOPE:
        if name not in request.opened:
            raise _lacks(f"what was asked for: `{name}` of the request is not shown", field=name)


def _included(manifest: Manifest, policy: Policy) -> Accepted:
    """Every record is in the log, under one checkpoint that witnesses cosigned, and shows what it commits to."""
    accepted = policy.accept(manifest.checkpoint)
    if accepted.signed.checkpoint.origin != manifest.origin:
        raise _wrong("The checkpoint is of another log than the manifest.", "origin")
    if not accepted.witnesses and policy.deployment is not Deployment.TRIAL:
        raise _wrong("No witness cosigned the checkpoint.", "witnesses")
    for link in manifest.chain:
        manifest.proof(link).check(link.hash, policy)
        link.check_opened()
    return accepted


def _check_charters(manifest: Manifest, charter: Charter) -> Succession:
    """Every charter of the chain follows from the one before, and the first from itself; this one is among them."""
    if charter_text(manifest) != charter.data:
        raise _wrong("The charter in the chain is another than this.", "charter")
    found = walk(manifest.chain, manifest.origin, first_named(manifest.chain))
    accepted = {each.digest for each in found.charters}
    for link in manifest.of(PUBLISHED):
        if link.leaf.clear["sha256"] not in accepted:
            _explain(manifest, link, found)
    return found


def _explain(manifest: Manifest, published: Link, found: Succession) -> NoReturn:
    """Say why a charter of the chain does not count."""
    clear = published.leaf.clear
    which = f"version {clear['version']} of the charter"
    for role, allowed in found.approvers_of(published).items():
        given = [
            link
            for link in manifest.of(APPROVED)
            if link.leaf.clear["sha256"] == clear["sha256"] and link.leaf.clear["as_role"] == role
        ]
        if not given:
            raise _lacks(f"the approval of the charter by {role}, for {which}")
        signed_by(given[0].leaf, origin=manifest.origin, keys={role: allowed})
    raise _wrong(
        f"In the chain, {which} does not follow from the one before: it was approved before it was published, its "
        "version does not count up, or its text is not what its hash says.",
        "charter",
    )


def _check_oversight(found: Succession, oversight: VerifierKey | None) -> VerifierKey:
    """The oversight of the first charter, from which all others follow, is the one that is known."""
    first = VerifierKey.parse(found.charters[0].oversight.key)
    if oversight is not None and first != oversight:
        raise DidNotVerify(
            f"The first charter in the manifest names another oversight than the one that you know: {first.name} "
            f"({first}), not {oversight}.",
            fix="Do not rely on this export: it is of another deployment, or its charter was forged, or charters "
            "before it were left out. Keep it, and ask oversight.",
            field="oversight",
        )
    return first


def _enrolled(manifest: Manifest, charters: Succession, role: str, for_link: Link | None = None) -> list[VerifierKey]:
    """The keys that oversight enrolled for a role, whoever was oversight then; for one record: in its month."""
    keys = []
    for link in manifest.of("key_enrolled"):
        clear = link.leaf.clear
        if clear["enrolled_role"] != role:
            continue
        if for_link is not None and clear["month"] != for_link.leaf.hour[:_MONTH]:
            continue
        _signed(manifest, link, {"oversight": charters.oversight_for(link)})
        keys.append(VerifierKey.parse(clear["vkey"]))
    return keys


def _check_approvals(manifest: Manifest, charter: Charter, request: Link, requester: VerifierKey) -> tuple[str, ...]:
    """A permitted subset of custodians approved this request, then it was granted, and then taken by who asked.

    The one who asked is not among them: nobody decides on their own.
    """
    rule = charter.safeguards.release
    if rule is None:
        raise _wrong("The charter knows no release.", "charter")
    names = {VerifierKey.parse(each.key): each.name for each in charter.safeguards.custodians}
    grant = _only(manifest, "release_granted")
    _refers(grant, request)
    missing = set(grant.leaf.clear["approvals"])
    approved: set[str] = set()
    for link in manifest.of("release_approved"):
        _refers(link, request)
        key = _signed(manifest, link, {"custodian": list(names)})
        if key.public == requester.public:
            raise _wrong(
                f"{names[key]} approved what they had asked for themselves.", "approvals", custodian=names[key]
            )
        if b64(link.hash) not in missing or link.index > grant.index:
            raise _wrong("The grant does not name an approval of the chain, or came before it.", "approvals")
        _check_seen(link, request, names[key])
        missing.remove(b64(link.hash))
        approved.add(names[key])
    if missing:
        raise _lacks("an approval that the grant names")
    if not any(approved.issuperset(each) for each in permitted_subsets(list(names.values()), rule.k, rule.one_of)):
        who = ", ".join(sorted(approved)) or "Nobody"
        raise _wrong(f"{who} approved, which the charter's rule does not permit.", "approvals")
    _check_taken(manifest, grant, requester)
    return tuple(sorted(approved))


def _check_seen(approval: Link, request: Link, custodian: str) -> None:
    """The custodian signed that they had seen the request in a checkpoint of the log before they approved it."""
    seen = approval.values.get("seen")
    if seen is None:
        raise _lacks(f"the checkpoint that {custodian} had seen: `seen` of the approval is not shown", field="seen")
    if not request.index < seen["size"] <= approval.index:
        raise _wrong(
            f"{custodian} approved without having seen the request in a checkpoint before.",
            "seen",
            custodian=custodian,
        )


def _check_taken(manifest: Manifest, grant: Link, requester: VerifierKey) -> None:
    """The one who asked took what was granted, and the log shows it."""
    taken = _only(manifest, TAKEN)
    if taken.leaf.refs != (grant.hash,):
        raise _wrong("What was taken is not what this grant is about.", TAKEN)
    _signed(manifest, taken, {taken.leaf.role: [requester]})


def _check_case(manifest: Manifest, charters: Succession, request: Link) -> None:
    """Where the case is shown, it was opened by an investigator before the request that names it."""
    opened = request.values.get("opened")
    for case in manifest.of("case_opened"):
        _signed(manifest, case, {"investigator": _enrolled(manifest, charters, "investigator", case)})
        if opened is None or unb64(opened) != case.hash or case.index > request.index:
            raise _wrong("The chain shows a case that the request does not name.", "case_opened")


def _check_segments(manifest: Manifest, request: Link) -> None:
    """Each segment was recorded as sealed, for the purpose of the request, and lies within what was asked for."""
    records = {link.values.get("segment"): link for link in manifest.of("segment_sealed")}
    shown = request.values
    for each in manifest.segments:
        link = records.get(each.segment)
        if link is None:
            raise _lacks(f"the record of segment {each.segment}, with `segment` opened", segment=each.segment)
        wanted = {
            "ciphertext_sha256": b64(each.sha256),
            "key_commitment": b64(each.key_commitment),
            "from_ms": each.from_ms,
            "to_ms": each.to_ms,
        }
        for name, value in wanted.items():
            if link.values.get(name) != value:
                raise _wrong(
                    f"Segment {each.segment} was recorded with another {name}, or it is not shown.",
                    name,
                    segment=each.segment,
                )
        if link.leaf.purpose != request.leaf.purpose or not (
            link.values.get("source") == shown["source"]
            and each.from_ms < shown["to_ms"]
            and each.to_ms > shown["from_ms"]
        ):
            raise _wrong(f"Segment {each.segment} is not what was asked for.", "scope", segment=each.segment)


def _refers(link: Link, request: Link) -> None:
    if link.leaf.refs != (request.hash,) or link.leaf.charter != request.leaf.charter:
        raise _wrong(f"The record of '{link.leaf.act}' in the chain is of another request or charter.", "refs")
    if link.index < request.index:
        raise _wrong(f"The record of '{link.leaf.act}' came before the request.", "index")


def _signed(manifest: Manifest, link: Link, keys: Mapping[str, Sequence[VerifierKey]]) -> VerifierKey:
    """Which of the ``keys`` of the record's role signed it. It is the key that counts: a file may name it otherwise."""
    return signed_by(link.leaf, origin=manifest.origin, keys=keys)


def _root(manifest: Manifest) -> Link:
    """What the export goes back to: a request, or the use of the emergency rule."""
    found = manifest.of(REQUESTED) + manifest.of(BROKEN)
    if len(found) != 1:
        raise _lacks(f"exactly one request or use of the emergency rule (it has {len(found)})")
    return found[0]


def _role(charter: Charter, request: Link) -> str:
    """In which role somebody may have signed this record, under this charter."""
    role, rule = request.leaf.role, charter.safeguards.release
    if request.leaf.act == BROKEN and (rule is None or rule.break_glass is None or role not in rule.break_glass.by):
        raise _wrong(f"The charter lets nobody open originals in an emergency as {role}.", BROKEN)
    return role


def _only(manifest: Manifest, act: str) -> Link:
    found = manifest.of(act)
    if len(found) != 1:
        raise _lacks(f"exactly one record of '{act}' (it has {len(found)})")
    return found[0]


def _charter_of(link: Link) -> bytes:
    assert link.leaf.charter is not None  # the act's leaves always name one
    return link.leaf.charter


def _lacks(what: str, **details: str) -> DidNotVerify:
    return DidNotVerify(f"The chain of custody lacks {what}.", fix="Ask for the export again, whole.", **details)


def _wrong(message: str, name: str, **details: str) -> DidNotVerify:
    return DidNotVerify(
        message, fix="Do not rely on this export; keep it, and ask oversight about it.", field=name, **details
    )
