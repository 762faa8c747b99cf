"""Act: a charter that both have signed is put before everyone. It comes into force once witnesses have cosigned it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from watchglass.access.policies import policies_of
from watchglass.acts.context import Acting, Done, attest, do
from watchglass.charter.decide import TRIAL_DAYS, Standing, in_force
from watchglass.charter.lint import lint
from watchglass.charter.model import Charter, Deployment
from watchglass.charter.parse import Parsed, read
from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput, DidNotVerify, Refused
from watchglass.core.time import DAY
from watchglass.ledger.keys import VerifierKey
from watchglass.records.outbox import Transaction
from watchglass.records.recorder import Recorder
from watchglass.records.statement import SignedStatement, check_hour, verify

BY_HAND = "operator-of-the-machine"


def publish_charter(
    acting: Acting, standing: Standing, text: bytes, approvals: Sequence[SignedStatement]
) -> Done[Charter]:
    """Verify both approvals over exactly these bytes, and record charter and approvals together.

    While a charter stands, its own keys (the outgoing ones) must have approved the new one.

    Raises:
        BadInput: the charter cannot be used, its rules of access do not fit together, or its version does not count up.
        DidNotVerify: an approval is missing, by the wrong key, or of other bytes.
        Refused: the charter's lint finds an error, or a trial would be renewed.
    """
    charter = publishable(text, standing.deployment)
    for statement in approvals:
        check_hour(statement, now=acting.clock.now())
    _check_approvals(acting, standing.charter, charter, approvals)
    openings = X25519PublicKey.from_public_bytes(unb64(charter.oversight.openings_key, length=32))
    # Only this act is sealed to the new key before it stands: if it fails, everything goes on under the old one.
    recorder = Recorder(origin=acting.origin, clock=acting.clock, entropy=acting.entropy, oversight=openings)
    publishing = replace(acting, recorder=recorder)

    def act(tx: Transaction) -> Charter:
        _counts_up(tx, charter)
        if standing.deployment == "trial":
            _within_trial(tx, charter)
        now = acting.clock.now()
        leaf_hash = attest(
            publishing,
            tx,
            "charter_published",
            by=None,
            under=standing.charter,
            clear={
                "name": charter.charter,
                "version": charter.version,
                "sha256": charter.digest,
                "text": text.decode("utf-8"),
            },
            committed={"account": BY_HAND},
        )
        tx.insert(
            "charter_version",
            {
                "sha256": charter.sha256,
                "version": charter.version,
                "text": text,
                "published_ms": now,
                "leaf_hash": leaf_hash,
            },
        )
        for statement in approvals:
            approval = tx.record(recorder.signed(statement))
            tx.insert(
                "charter_approval",
                {
                    "sha256": charter.sha256,
                    "as_role": statement.leaf.clear["as_role"],
                    "statement": statement.encode(),
                    "leaf_hash": approval,
                },
            )
        return charter

    done = do(acting, act)
    acting.recorder.seal_to(openings)
    return done


def publishable(text: bytes, deployment: Deployment) -> Charter:
    """The charter in ``text``, if both could sign it and have it published.

    Raises:
        BadInput: it cannot be used, or its rules of access do not fit together. Refused: its lint finds an error.
    """
    parsed = read(text)
    _lint(parsed, deployment)
    policies_of(parsed.charter)  # checked against their schema now, and not first when somebody asks
    return parsed.charter


def _lint(parsed: Parsed, deployment: Deployment) -> None:
    errors = [finding for finding in lint(parsed, deployment) if finding.severity == "error"]
    if errors:
        raise Refused(
            "This charter cannot be published: " + errors[0].message,
            fix=errors[0].fix,
            reasons=tuple(finding.message for finding in errors),
        )


def check_approval(
    acting: Acting, outgoing: Charter | None, charter: Charter, statement: SignedStatement
) -> Literal["authority", "oversight"]:
    """As whom somebody approved exactly this charter.

    Args:
        outgoing: the charter that stands, whose keys count; the new one's own count where there is none.

    Raises:
        DidNotVerify: it is no approval, by the wrong key, or of other bytes.
    """
    keys = {
        "authority": [VerifierKey.parse((outgoing or charter).authority.key)],
        "oversight": [VerifierKey.parse((outgoing or charter).oversight.key)],
    }
    verify(statement, origin=acting.origin, keys=keys)
    clear = statement.leaf.clear
    if statement.leaf.act != "charter_approved" or clear["as_role"] != statement.leaf.role:
        raise DidNotVerify("This is not an approval of a charter.", fix="Use what `watchglass charter sign` wrote.")
    if clear["sha256"] != charter.digest:
        raise DidNotVerify(
            f"The {clear['as_role']} signed other bytes than this file's.",
            fix="The file was changed after it was signed. Let both sign this version of it.",
            signed=clear["sha256"],
            file=charter.digest,
        )
    return "authority" if clear["as_role"] == "authority" else "oversight"


def _check_approvals(
    acting: Acting, outgoing: Charter | None, charter: Charter, approvals: Sequence[SignedStatement]
) -> None:
    seen = {check_approval(acting, outgoing, charter, statement) for statement in approvals}
    missing = {"authority", "oversight"} - seen
    if missing:
        raise DidNotVerify(
            f"The approval of {' and '.join(sorted(missing))} is missing.",
            fix="Both sign on their own machines: `watchglass charter sign FILE --as ROLE --key KEY`.",
        )


def _counts_up(tx: Transaction, charter: Charter) -> None:
    row = tx.one("SELECT max(version) AS version FROM charter_version")
    newest = int(row["version"] or 0) if row else 0
    if charter.version <= newest:
        raise BadInput(
            f"Version {charter.version} is not newer than version {newest}, which was published.",
            fix=f"Write `version: {newest + 1}` and let both sign again.",
        )


def _within_trial(tx: Transaction, charter: Charter) -> None:
    row = tx.one("SELECT min(published_ms) AS begun FROM charter_version")
    begun = row["begun"] if row else None
    if begun is not None and in_force(charter)[1] > int(begun) + (TRIAL_DAYS + 1) * DAY:
        raise Refused(
            f"A trial lasts {TRIAL_DAYS} days from its first charter and cannot be renewed.",
            fix="Make a deployment with a board of its own: `watchglass init DIR`.",
        )
