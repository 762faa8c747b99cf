"""The draft of the charter on the house's side: what waits for two signatures, and the approvals that lie beside it.

Nothing is decided here. An approval is a file beside the draft until the other one has come; then both are put before
the act that publishes, which verifies everything again. An approval names its hour, so one that nobody answered for an
hour counts for nothing any more and is signed anew.
"""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from watchglass.acts.context import Acting
from watchglass.acts.publish_charter import check_approval, publishable
from watchglass.acts.who_asks import allow_question, office_of
from watchglass.charter.decide import Standing
from watchglass.charter.model import Charter, Deployment
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import Problem, Refused, WatchglassError
from watchglass.edge.drafts import DraftFile
from watchglass.edge.tiles import write_durably
from watchglass.records.query import SignedQuery
from watchglass.records.statement import SignedStatement, check_hour

DRAFT: Final = "draft"
"""The signed question that ``shown`` answers."""
APPROVED: Final = "charter_approved"
BOTH: Final = ("authority", "oversight")
_LARGEST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Approvals:
    """What both said of exactly the draft's bytes.

    Attributes:
        valid: by role, what was signed in this hour. stale: the roles whose approval is older than that.
    """

    text: bytes
    valid: dict[str, SignedStatement]
    stale: tuple[str, ...]

    @property
    def missing(self) -> list[str]:
        """Whose approval is needed still."""
        return [role for role in BOTH if role not in self.valid]


class Awaiting:
    """The draft and the approvals beside it: ``charter.yaml.authority.approval``, as ``charter sign`` names them.

    Args:
        acting: the house. draft: the file of the draft.
    """

    def __init__(self, acting: Acting, draft: DraftFile, deployment: Deployment) -> None:
        self._acting = acting
        self._draft = draft
        self._deployment = deployment
        self._one = threading.Lock()

    def shown(self, standing: Standing, query: SignedQuery) -> dict[str, Any]:
        """The draft's exact bytes and the approvals, for authority and oversight: nobody else may ask.

        Raises:
            DidNotVerify: the question is old, or its signature is wrong. Refused: it is another key.
        """
        charter = _in_force(standing)
        key = query.verify(origin=self._acting.origin, now=self._acting.clock.now())
        allow_question(charter, DRAFT, office_of(charter, key))
        text = self._draft.read()
        if text is None:
            return {"text": None, "sha256": None, "approvals": [], "stale": []}
        found = self._approvals(charter, text)
        return {
            "text": b64(text),
            "sha256": b64(sha256(text)),
            "approvals": [json.loads(each.encode()) for each in found.valid.values()],
            "stale": list(found.stale),
        }

    def approve(self, standing: Standing, statement: SignedStatement) -> Approvals:
        """Keep an approval of the draft.

        Raises:
            BadInput, Refused: the draft cannot be published as it is. Problem: there is none.
            DidNotVerify: the approval is of other bytes, by another key, or not of this hour.
        """
        charter, text = _in_force(standing), self._draft.read()
        if text is None:
            raise Problem("There is no draft of a charter here.", fix="Put it into the deployment as charter.yaml.")
        draft = publishable(text, self._deployment)
        check_hour(statement, now=self._acting.clock.now())
        role = check_approval(self._acting, charter, draft, statement)
        with self._one:
            write_durably([(self._beside(role), statement.encode())])
            return self._approvals(charter, text)

    def forget(self) -> None:
        """Remove what lies beside a draft that was published."""
        for role in BOTH:
            self._beside(role).unlink(missing_ok=True)

    def _approvals(self, charter: Charter, text: bytes) -> Approvals:
        valid, stale = dict[str, SignedStatement](), []
        for role in BOTH:
            try:
                with self._beside(role).open("rb") as file:
                    statement = SignedStatement.parse(file.read(_LARGEST))
                draft = publishable(text, self._deployment)
                if check_approval(self._acting, charter, draft, statement) != role:
                    continue
            except (OSError, WatchglassError):
                continue  # no file, or one that is of another draft or by another key: it counts for nothing
            try:
                check_hour(statement, now=self._acting.clock.now())
            except WatchglassError:
                stale.append(role)
            else:
                valid[role] = statement
        return Approvals(text, valid, tuple(stale))

    def _beside(self, role: str) -> Path:
        return self._draft.path.with_name(f"{self._draft.path.name}.{role}.approval")


def _in_force(standing: Standing) -> Charter:
    if standing.charter is None:
        raise Refused(
            "The first charter of a deployment is not approved from afar.",
            fix="Whoever keeps the machine publishes it there: `watchglass charter publish DIR FILE …`.",
        )
    return standing.charter
