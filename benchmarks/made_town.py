"""A deployment without cameras and without a disk: its keys, its charters, its people, and every act that it records.

Whether something may be done is asked of the product (``charter.decide``, ``access.authorise``, ``publishable``); what
is recorded is made by the product (``Recorder``, ``statement.sign``). What is written here anew is only what the acts
keep in the database: which alerts wait, what is sealed, who enrolled whom. So it cannot do by mistake what the house
would refuse; to do it on purpose (``dishonest``) it has to go past these checks.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, TypeVar

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from made_charter import Rules, text_of
from made_log import Log
from watchglass.access.authorise import authorise
from watchglass.access.policies import policies_of
from watchglass.access.roles import Grant, May, Person, Role
from watchglass.acts.publish_charter import publishable
from watchglass.charter.decide import Standing, Suspension, decide, in_force
from watchglass.charter.model import EVERYTHING, Charter, Deployment
from watchglass.charter.permit import Permit, Request
from watchglass.core.digest import b64, sha256
from watchglass.core.errors import Refused
from watchglass.core.time import MINUTE, SECOND, month_of
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.evidence.subsets import permitted_subsets
from watchglass.ledger.keys import SignerKey
from watchglass.records.act_spec import ALLOWED_BY, Need
from watchglass.records.recorder import Recorder
from watchglass.records.statement import SignedStatement, sign
from watchglass.records.vocabulary import ACTS, OF_ALERTS

SOFTWARE: Final = "watchglass-0.1.0"
EXPLANATION: Final = "Somebody made this up, to see whether the audit holds."


@dataclass
class Version:
    """A charter that was published."""

    rules: Rules
    charter: Charter
    leaf: bytes
    approvals: list[bytes]


@dataclass
class Order:
    """An order to stop; ``analytic`` None stops everything."""

    leaf: bytes
    analytic: str | None
    at_ms: int
    lifted: bytes | None = None


@dataclass
class MadeAlert:
    """An alert as the database would hold it. What is shown again shares ``judges`` with what it is ``of``."""

    id: str
    leaf: bytes
    look: str
    source: str
    purpose: str
    charter: bytes
    raised_ms: int
    due_ms: int
    verdict: bytes | None = None
    clip_ms: int | None = None
    leaves: list[bytes] = field(default_factory=list)
    read: int | None = 1
    said: str = ""
    drawn: bool = False
    judges: list[str] = field(default_factory=list)
    of: MadeAlert | None = None
    handed: bool = False


@dataclass
class Piece:
    """A sealed segment."""

    id: str
    leaf: bytes
    source: str
    purpose: str
    from_ms: int
    to_ms: int
    made_ms: int
    keep_until_ms: int
    ciphertext: bytes
    glass: bool
    destroyed: bool = False


@dataclass
class MadeHold:
    """An order to keep originals."""

    id: str
    leaf: bytes
    role: str
    source: str
    from_ms: int
    to_ms: int
    until_ms: int
    kept_by: set[str] = field(default_factory=set)
    lifted: bool = False

    def holds(self, piece: Piece, now: int) -> bool:
        return (
            not self.lifted
            and self.until_ms > now
            and self.source == piece.source
            and self.from_ms < piece.to_ms
            and self.to_ms > piece.from_ms
        )


@dataclass
class MadeRequest:
    """A request for originals, or a use of the emergency rule."""

    id: str
    leaf: bytes
    case: str
    source: str
    purpose: str
    from_ms: int
    to_ms: int
    recipient: str
    until_ms: int
    key: SignerKey
    charter: bytes


@dataclass
class Town:
    """Everything that a deployment is."""

    log: Log
    clock: VirtualClock
    entropy: SeededEntropy
    dice: Random
    kind: Deployment
    recorder: Recorder
    keys: dict[str, SignerKey] = field(default_factory=dict)
    openings: list[X25519PrivateKey] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    alerts: dict[str, MadeAlert] = field(default_factory=dict)
    of_alerts: dict[bytes, str] = field(default_factory=dict)
    """Records that tell of an alert and whose openings are kept, each with its hour."""
    pieces: list[Piece] = field(default_factory=list)
    holds: list[MadeHold] = field(default_factory=list)
    enrolled: dict[tuple[str, str], SignerKey] = field(default_factory=dict)
    month_keys: dict[tuple[str, str], bytes] = field(default_factory=dict)
    destroyed: set[tuple[str, str]] = field(default_factory=set)
    people: dict[Role, list[Person]] = field(default_factory=dict)
    grants: dict[tuple[int, May, bytes], Grant] = field(default_factory=dict)
    """What was asked before: the answer is the same while the charter is."""
    pseudonyms: dict[tuple[int, str], str] = field(default_factory=dict)
    run: str | None = None
    unseen: bool = False
    """It goes on as if witnesses had just seen it."""
    planted: list[bytes] = field(default_factory=list)
    leaves_too: list[bytes] = field(default_factory=list)
    lodged: list[tuple[bytes, bytes]] = field(default_factory=list)

    # ---- what stands -------------------------------------------------------------------------------------------------

    @property
    def now(self) -> int:
        return self.clock.now()

    @property
    def origin(self) -> str:
        return self.log.signer.name

    def standing(self) -> Standing:
        """As ``acts.standing``: the newest charter that both approved, that is cosigned, and whose first day came."""
        for version in reversed(self.versions):
            if self._published(version) in {"cosigned", "exempt"} and in_force(version.charter)[0] <= self.now:
                return self._stand(version)
        return self._stand(self.versions[-1]) if self.versions else Standing(None, self.kind)

    def standing_of(self, sha256: bytes) -> Standing:
        """The standing of one exact charter, to finish what it began."""
        return self._stand(next(each for each in self.versions if each.charter.sha256 == sha256))

    def _published(self, version: Version) -> str:
        if self.kind == "trial":
            return "exempt"
        return "cosigned" if self.log.is_cosigned(version.leaf) else "waiting"

    def _stand(self, version: Version) -> Standing:
        return Standing(
            charter=version.charter,
            deployment=self.kind,
            approvals=frozenset({"authority", "oversight"}),
            published=self._published(version),  # type: ignore[arg-type]  # one of its words
            suspensions=self.suspensions(),
            witnessed_ms=self.now if self.unseen else self.log.witnessed_ms or None,
        )

    def suspensions(self) -> tuple[Suspension, ...]:
        """The orders to stop that hold: until their lifting is cosigned."""
        return tuple(
            Suspension(EVERYTHING if each.analytic is None else each.analytic, "oversight", each.at_ms)
            for each in self.orders
            if each.lifted is None or not (self.kind == "trial" or self.log.is_cosigned(each.lifted))
        )

    @property
    def charter(self) -> Charter:
        """The charter that counts now."""
        found = self.standing().charter
        assert found is not None
        return found

    @property
    def rules(self) -> Rules:
        """What the charter that counts now was made from."""
        digest = self.charter.sha256
        return next(each.rules for each in self.versions if each.charter.sha256 == digest)

    def permit(self, request: Request, standing: Standing | None = None) -> Permit | None:
        """The charter's yes; None where it says no."""
        try:
            return decide(standing or self.standing(), request, self.now)
        except Refused:
            return None

    # ---- recording ---------------------------------------------------------------------------------------------------

    def attest(
        self,
        act: str,
        *,
        under: Permit | Charter | None,
        by: Grant | None = None,
        clear: Mapping[str, Any] | None = None,
        committed: Mapping[str, Any] | None = None,
        refs: Sequence[bytes] = (),
        purpose: str | None = None,
    ) -> bytes:
        """Record what the server attests, as ``acts.context.attest`` does."""
        hidden = dict(committed or {})
        if by is not None:
            hidden.setdefault("account", by.person.name)
        if ALLOWED_BY in ACTS[act].committed:
            hidden[ALLOWED_BY] = by.as_json() if by else None
        if isinstance(under, Permit):
            purpose = under.purpose if ACTS[act].purpose is not Need.NEVER else None
        leaf = self.recorder.attested(
            act,
            role=str(by.role) if by else "house",
            actor=self.pseudonym(by.person.account) if by else "house",
            charter=under.charter_sha256 if isinstance(under, Permit) else under.sha256 if under else None,
            purpose=purpose,
            clear=clear,
            committed=hidden,
            refs=refs,
        )
        if act in OF_ALERTS:
            self.of_alerts[leaf.leaf_hash] = leaf.hour
        return self.log.record(leaf)[0]

    def sign(
        self,
        act: str,
        key: SignerKey,
        role: str,
        *,
        clear: Mapping[str, Any] | None = None,
        committed: Mapping[str, Any] | None = None,
        refs: Sequence[bytes] = (),
        purpose: str | None = None,
        charter: Charter | None = None,
        signed_ms: int | None = None,
    ) -> SignedStatement:
        """Sign an act as its signer does, on another machine, whose clock is not quite this one's."""
        return sign(
            act,
            role=role,
            key=key,
            origin=self.origin,
            now=self.now + self.dice.randrange(-90, 20) * SECOND if signed_ms is None else signed_ms,
            entropy=self.entropy,
            charter=(charter or self.charter).sha256 if charter or self.versions else None,
            purpose=purpose,
            clear=clear,
            committed=committed,
            refs=refs,
        )

    def take_in(self, statement: SignedStatement) -> bytes:
        """Record a signed act."""
        return self.log.record(self.recorder.signed(statement))[0]

    def signed(self, act: str, key: SignerKey, role: str, **more: Any) -> bytes:
        """Sign and record."""
        return self.take_in(self.sign(act, key, role, **more))

    def number(self) -> str:
        """A fresh id."""
        return self.entropy.bytes(8).hex()

    # ---- people ------------------------------------------------------------------------------------------------------

    def pseudonym(self, account: int) -> str:
        """What public records call an account this month."""
        at = (account, month_of(self.now))
        if at not in self.pseudonyms:
            self.pseudonyms[at] = "p-" + b32encode(self.entropy.bytes(8)).decode().lower()[:12]
        return self.pseudonyms[at]

    def grant(self, role: Role, what: May, *, but: Collection[str] = ()) -> Grant:
        """The right of somebody in that role, who is none of those named."""
        someone = self.dice.choice([each for each in self.people[role] if each.name not in but])
        charter = self.standing().charter
        asked = (someone.account, what, charter.sha256 if charter else b"")
        if asked not in self.grants:
            self.grants[asked] = authorise(someone, what, under=policies_of(charter))
        return self.grants[asked]

    def open_accounts(self) -> None:
        """Three reviewers, two responders, one of each other role."""
        number = 0
        for role in Role:
            if role is Role.PUBLIC:
                continue
            for place in range({Role.REVIEWER: 3, Role.RESPONDER: 2}.get(role, 1)):
                number += 1
                someone = Person(number, f"{role.value}-{place}", frozenset({role}))
                self.people.setdefault(role, []).append(someone)
                self.attest(
                    "account_changed",
                    under=self.standing().charter,
                    clear={"change": "opened"},
                    committed={"account": someone.name, "roles": [role.value], "by": None},
                )

    def key_of(self, who: str, *, month: str | None = None) -> SignerKey | None:
        """The key of somebody whom oversight enrolled for this month."""
        return self.enrolled.get((who, month or month_of(self.now)))

    def enrol(self, who: str, role: str, month: str) -> bytes:
        """Oversight enrols one person's key for a month."""
        key = SignerKey.generate(f"{who}.{month}.exampleton.example", self.entropy)
        leaf = self.signed(
            "key_enrolled",
            self.keys["oversight-office"],
            "oversight",
            clear={"enrolled_role": role, "vkey": str(key.verifier), "month": month},
            committed={"person": who},
        )
        self.enrolled[who, month] = key
        return leaf

    # ---- charters ----------------------------------------------------------------------------------------------------

    def publish(self, rules: Rules, openings: X25519PrivateKey) -> Version:
        """Both approve with the outgoing keys; publication and approvals are recorded together."""
        text = text_of(rules)
        charter = publishable(text.encode(), self.kind)
        before = self.standing().charter
        recorder = self._recorder(openings)
        leaf = recorder.attested(
            "charter_published",
            role="house",
            charter=before.sha256 if before else None,
            clear={"name": charter.charter, "version": charter.version, "sha256": charter.digest, "text": text},
            committed={"account": "operator-of-the-machine", ALLOWED_BY: None},
        )
        approvals = [recorder.signed(self.approval(charter, role)) for role in ("authority", "oversight")]
        hashes = self.log.record(leaf, *approvals)
        version = Version(rules, charter, hashes[0], hashes[1:])
        self.follow(version, openings)
        return version

    def approval(self, charter: Charter, role: str, key: SignerKey | None = None) -> SignedStatement:
        """Somebody's approval of a charter, by default with the key that stands."""
        seen = self.log.published
        head = {"size": seen.checkpoint.size, "root": b64(seen.checkpoint.root)} if seen else None
        return sign(
            "charter_approved",
            role=role,
            key=key or self.keys["oversight-office" if role == "oversight" else role],
            origin=self.origin,
            now=self.now,
            entropy=self.entropy,
            charter=None,
            clear={
                "name": charter.charter,
                "version": charter.version,
                "sha256": charter.digest,
                "as_role": role,
                "seen": head if self.dice.random() < 0.5 else None,
            },
        )

    def follow(self, version: Version, openings: X25519PrivateKey) -> None:
        """What a publication changes at once: the log's pace, and whom openings are sealed to."""
        self.versions.append(version)
        self.log.keep_pace(version.rules.pace)
        if all(each.private_bytes_raw() != openings.private_bytes_raw() for each in self.openings):
            self.openings.append(openings)
        self.recorder.seal_to(openings.public_key())

    def _recorder(self, openings: X25519PrivateKey) -> Recorder:
        return Recorder(origin=self.origin, clock=self.clock, entropy=self.entropy, oversight=openings.public_key())

    # ---- originals ---------------------------------------------------------------------------------------------------

    def subsets(self, charter: Charter) -> tuple[tuple[str, ...], ...]:
        """Whose approvals together open, by the charter."""
        release = charter.safeguards.release
        assert release is not None
        return permitted_subsets([each.name for each in charter.safeguards.custodians], release.k, release.one_of)

    def seal(self, permit: Permit, alert: MadeAlert, from_ms: int, to_ms: int) -> Piece:
        """Record a sealed piece of video."""
        keep = self.charter.safeguards.retention.sealed_ms
        assert keep is not None
        release = self.charter.safeguards.release
        assert release is not None
        ciphertext = sha256(self.entropy.bytes(16))
        number = self.number()
        leaf = self.attest(
            "segment_sealed",
            under=permit,
            committed={
                "source": alert.source,
                "from_ms": from_ms,
                "to_ms": to_ms,
                "segment": number,
                "alert": alert.id,
                "ciphertext_sha256": b64(ciphertext),
                "key_commitment": b64(sha256(ciphertext)),
                "bytes": self.dice.randrange(100_000, 2_000_000),
            },
        )
        piece = Piece(
            number, leaf, alert.source, alert.purpose, from_ms, to_ms, self.now, to_ms + keep, ciphertext,
            release.break_glass is not None,
        )  # fmt: skip
        self.pieces.append(piece)
        return piece

    def kept(self, source: str, purpose: str) -> list[Piece]:
        """What is still there of a source, for a purpose."""
        return [p for p in self.pieces if not p.destroyed and (p.source, p.purpose) == (source, purpose)]

    def held(self, piece: Piece) -> bool:
        return any(hold.holds(piece, self.now) for hold in self.holds)

    def due_pieces(self) -> list[Piece]:
        """What retention destroys now."""
        return [p for p in self.pieces if not p.destroyed and p.keep_until_ms <= self.now and not self.held(p)]

    def may_destroy(self, custodian: str, month: str) -> bool:
        """Whether a custodian may destroy a month's key now, as ``acts.sealing_keys``."""
        of_month = [piece for piece in self.pieces if month_of(piece.from_ms) == month]
        if month >= month_of(self.now) or any(piece.keep_until_ms > self.now for piece in of_month):
            return False
        return not any(
            hold.holds(piece, self.now) and custodian not in hold.kept_by
            for hold in self.holds
            for piece in of_month
            if not piece.destroyed
        )

    def destroy_key(self, custodian: str, month: str) -> bytes:
        """A custodian destroys the key of a month."""
        leaf = self.signed(
            "period_destroyed",
            self.keys[custodian],
            "custodian",
            clear={"custodian": custodian, "period": month},
            refs=[self.month_keys[custodian, month]],
        )
        self.destroyed.add((custodian, month))
        return leaf

    def publish_key(self, custodian: str, month: str) -> None:
        """A custodian publishes the key of a month."""
        public = X25519PrivateKey.from_private_bytes(self.entropy.bytes(32)).public_key().public_bytes_raw()
        self.month_keys[custodian, month] = self.signed(
            "sealing_key_published",
            self.keys[custodian],
            "custodian",
            clear={"custodian": custodian, "period": month, "key": b64(public)},
        )


Step = int
"""How many milliseconds a story waits before it goes on."""
Story = Generator[Step]
Found = TypeVar("Found")
Search = Generator[Step, None, Found]
"""A part of a story that gives something at its end."""


def soon(town: Town, longest_ms: int = 10 * MINUTE) -> Step:
    """A while."""
    return town.dice.randrange(SECOND, longest_ms)
