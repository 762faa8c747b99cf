"""What authority and oversight do about a charter on their own machine: read what waits, and approve it by signing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from watchglass.access.policies import policies_of
from watchglass.bootstrap import orders
from watchglass.bootstrap.awaiting import BOTH, DRAFT
from watchglass.bootstrap.custody import statement_of
from watchglass.bootstrap.holding import offices
from watchglass.bootstrap.keyring import SIGNED
from watchglass.bootstrap.office import Office, Sight
from watchglass.bootstrap.orders import Order
from watchglass.charter.decide import in_force
from watchglass.charter.diff import compare
from watchglass.charter.lint import lint
from watchglass.charter.model import Charter
from watchglass.charter.parse import read
from watchglass.charter.words import explain
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.core.time import iso
from watchglass.ledger.keys import VerifierKey
from watchglass.records.statement import SignedStatement, verify
from watchglass.runtime.layout import deployment_of

WEIGHTS: Final[Mapping[str, str]] = {
    "widening": "It may do more, or protects less",
    "narrowing": "It may do less, or protects more",
    "maintenance": "Neither more nor less",
}
Role = Literal["authority", "oversight"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A charter that waits.

    Attributes:
        text: its exact bytes: what would be signed.
        charter: what they say; None where they are no charter that could be signed, and ``problem`` says why.
        approved: by whom, in this hour. stale: by whom, longer ago: that counts no more.
        mine: as whom the identity key may still approve it.
    """

    text: bytes
    charter: Charter | None
    problem: WatchglassError | None
    approved: tuple[Role, ...]
    stale: tuple[str, ...]
    mine: tuple[Role, ...]

    @property
    def sha256(self) -> str:
        """SHA-256 of the bytes, in base64."""
        return b64(sha256(self.text))


def waiting(office: Office, sight: Sight) -> Waiting | None:
    """The draft that waits at the deployment; None where there is none, or it was published already.

    Raises:
        Refused: the charter in force pins the identity key for neither of the two.
        DidNotVerify: an approval that the portal shows is not one.
    """
    signs: list[str] = offices(office, sight)["signs_as"]
    if not signs:
        raise Refused(
            "The charter in force pins your key neither for oversight nor for the authority.",
            fix="Whoever keeps one of these keys approves charters.",
        )
    told = office.ask(DRAFT)
    if told.get("text") is None:
        return None
    text = unb64(str(told["text"]))
    if sha256(text) in {each.sha256 for each in sight.log.charters}:
        return None
    charter, problem = _read(text, sight)
    stale = tuple(str(each) for each in told.get("stale") or ())
    if charter is None:
        return Waiting(text, None, problem, (), stale, ())
    approved = tuple(_approved(office, sight, charter, each) for each in told.get("approvals") or ())
    mine = tuple(role for role in BOTH if role in signs and role not in approved)
    return Waiting(text, charter, problem, approved, stale, () if problem else _roles(mine))


def told(sight: Sight, found: Waiting) -> dict[str, Any]:
    """What waits in plain words: what changes, weighed for the people under the cameras; what is unwise; all of it.

    ``findings`` holds what is unwise and new; ``known`` what could be said of the charter in force as well.
    """
    charter = found.charter
    changes = compare(sight.charter, charter) if charter else []
    kind = deployment_of(sight.log.checkpoint.origin)
    before = {(each.rule, each.message) for each in lint(read(sight.charter.data), kind)}
    findings = lint(read(found.text), kind) if charter else []
    return {
        "sha256": found.sha256,
        "text": found.text.decode("utf-8", "replace"),
        "problem": None if found.problem is None else {"message": found.problem.message, "fix": found.problem.fix},
        "version": charter.version if charter else None,
        "name": charter.charter if charter else None,
        "from": iso(in_force(charter)[0])[:10] if charter else None,
        "until": charter.in_force.until.isoformat() if charter else None,
        "changes": {
            title: [each.sentence for each in changes if each.weight == weight] for weight, title in WEIGHTS.items()
        },
        "findings": [each.as_json() for each in findings if (each.rule, each.message) not in before],
        "known": [each.as_json() for each in findings if (each.rule, each.message) in before],
        "sections": [{"title": each.title, "sentences": list(each.sentences)} for each in explain(charter)]
        if charter
        else [],
        "approved": list(found.approved),
        "stale": list(found.stale),
        "mine": list(found.mine),
    }


def versions(sight: Sight) -> list[dict[str, Any]]:
    """The charters that both approved, the newest first; which is in force, and what the newest change was."""
    found, before = [], None
    for charter in sight.log.charters:
        found.append(
            {
                "version": charter.version,
                "name": charter.charter,
                "sha256": charter.digest,
                "from": iso(in_force(charter)[0])[:10],
                "until": charter.in_force.until.isoformat(),
                "in_force": charter.sha256 == sight.charter.sha256,
                "to_come": in_force(charter)[0] > sight.now,
                "changes": [each.sentence for each in compare(before, charter)] if before else [],
            }
        )
        before = charter
    return found[::-1]


def order(sight: Sight, found: Waiting, role: str, seen: str) -> Order:
    """The approval of what was seen.

    Raises:
        Problem: another draft lies there now, it cannot be signed, or was approved as this already.
    """
    if found.sha256 != seen:
        raise Problem(
            "Another draft waits now than the one that you saw, so nothing was signed.",
            fix="Go back, and read what changed since.",
        )
    mine = next((each for each in found.mine if each == role), None)
    if found.charter is None or found.problem is not None or mine is None:
        raise found.problem or Problem("You have approved this already.", fix="It waits for the other signature.")
    return orders.approval(found.charter, mine, sight.log.checkpoint)


def approve(office: Office, role: str, seen: str) -> dict[str, Any]:
    """Approve the draft that was seen; with the second approval the house publishes it.

    Returns:
        ``waits_for``: whose approval is needed still; with the last one ``leaf_hash``, ``recorded_by`` and the
        receipt.

    Raises:
        Problem: another draft lies there now, or nothing is to be approved as this.
    """
    sight = office.look()
    found = waiting(office, sight)
    if found is None:
        raise Problem("No charter waits for a signature.", fix="It may have been published meanwhile.")
    wanted = order(sight, found, role, seen)
    statement = office.sign(wanted.act, role, under=None, clear=wanted.clear)
    name = f"{SIGNED}{office.number()}"
    office.keys.keep(name, statement.encode())
    try:
        answer = office.portal.hand_in(statement)
    except (Refused, BadInput):
        office.keys.forget(name)
        raise
    if answer.get("receipt") is not None:
        done = office.receipt_of(statement, answer)
    else:
        done = {"act": wanted.act, "leaf_hash": None, "recorded_by": None}
    return {**done, "waits_for": list(answer.get("waits_for") or ()), "version": wanted.clear["version"]}


def _read(text: bytes, sight: Sight) -> tuple[Charter | None, WatchglassError | None]:
    """The charter in a draft, and why it cannot be signed as it is."""
    try:
        parsed = read(text)
        policies_of(parsed.charter)
    except WatchglassError as error:
        return None, error
    charter = parsed.charter
    newest = max(each.version for each in sight.log.charters)
    if charter.version <= newest:
        return charter, Problem(
            f"Its version {charter.version} does not count up from version {newest}, which was published.",
            fix=f"Whoever writes the draft puts `version: {newest + 1}` into it.",
        )
    errors = [each for each in lint(parsed, deployment_of(sight.log.checkpoint.origin)) if each.severity == "error"]
    if errors:
        return charter, Refused(f"It cannot be published: {errors[0].message}", fix=errors[0].fix)
    return charter, None


def _approved(office: Office, sight: Sight, charter: Charter, shown: object) -> Role:
    """As whom an approval that the portal shows was signed, over exactly this draft; the house says which count."""
    statement: SignedStatement = statement_of(shown)
    keys = {
        "authority": [VerifierKey.parse(sight.charter.authority.key)],
        "oversight": [VerifierKey.parse(sight.charter.oversight.key)],
    }
    verify(statement, origin=office.origin, keys=keys)
    clear = statement.leaf.clear
    if statement.leaf.act != "charter_approved" or clear["sha256"] != charter.digest:
        raise DidNotVerify(
            "The portal shows an approval of something else as one of this draft.",
            fix="Sign nothing; tell whoever runs the portal, and the other who signs.",
        )
    return _roles((str(statement.leaf.role),))[0]


def _roles(names: tuple[str, ...]) -> tuple[Role, ...]:
    return tuple("authority" if each == "authority" else "oversight" for each in names)
