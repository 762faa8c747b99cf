"""A world whose charter records originals: three custodians with keys of their own, an investigator, sealed segments.

Everything is the product's: the shares are opened and sealed anew as a custodian's machine does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from watchglass.acts.releases import as_signed, request_of, segments_of
from watchglass.acts.seal_segment import SealedSegment, seal_segment
from watchglass.charter.permit import SealSegment
from watchglass.core.digest import b64, unb64
from watchglass.core.time import DAY, HOUR, SECOND, month_of
from watchglass.edge.entropy import SeededEntropy
from watchglass.evidence.custody import Bundle, Kind, Terms, reseal
from watchglass.evidence.envelope import seal
from watchglass.evidence.header import Context
from watchglass.evidence.shares import SealingKeys, Shares, unwrap_shares
from watchglass.evidence.subsets import permitted_subsets
from watchglass.ledger.keys import SignerKey
from watchglass.records.query import ask
from watchglass.records.statement import SignedStatement
from world import World, make_house

CUSTODIANS: Final = ("control-room", "dpo", "oversight")
BEGUN: Final = 10 * SECOND
"""How long before now the first segment of a scene ends."""

_LINES: Final = """  retention: {{sealed: 3d, reviewer_clips: 7d, alerts: 1y}}
  record: {{when: incidents, before: 20s, after: 40s, segment: 10s}}
  custodians:
    control-room: "{control-room}"
    dpo: "{dpo}"
    oversight: "{oversight}"
  release:
    custodians: 2 of 3
    one_of: [oversight]
    valid: 24h
    longest: 1h
    break_glass: {{key: "{glass}", by: [shift-lead], longest: 10m, not_older_than: 2h, follow_up: 24h}}
"""


@dataclass
class Guarded:
    """A world with its custodians and investigator.

    Attributes:
        keys: identity keys of custodians, and ``investigator`` and ``shift-lead``.
        sealing: the custodians' X25519 keys of this month. case_key: the investigator's. glass: the emergency key.
    """

    world: World
    keys: dict[str, SignerKey]
    sealing: dict[str, X25519PrivateKey]
    case_key: X25519PrivateKey
    glass: X25519PrivateKey
    entropy: SeededEntropy
    _made: int = 0

    @property
    def now(self) -> int:
        return self.world.clock.now()

    def number(self) -> str:
        """A fresh id."""
        return self.entropy.bytes(8).hex()

    # ---- signing -----------------------------------------------------------------------------------------------------

    def sign(self, act: str, who: str, committed: Mapping[str, Any], **more: Any) -> SignedStatement:
        """Sign an act as ``who``: a custodian's name, ``investigator``, ``shift-lead``, ``oversight-office``."""
        role = more.pop("role", "custodian" if who in CUSTODIANS else who)
        purpose = more.pop("purpose", None)
        return self.world.sign(
            act,
            role,
            more.pop("clear", {}),
            committed,
            key=more.pop("key", None) or self.keys[who],
            purpose=purpose,
            **more,
        )

    def hand_in(self, statement: SignedStatement, bundle: bytes | None = None) -> bytes:
        """Hand a statement in; the leaf hash of its record."""
        return unb64(self.world.house.hand_in(statement, bundle)["leaf_hash"], length=32)

    def ask(self, what: str, who: str, about: str = "", **more: Any) -> dict[str, Any]:
        """A signed question's answer."""
        key = more.get("key", self.keys[who])
        return self.world.house.ask(ask(what, about=about, key=key, origin=self.world.house.origin, now=self.now))

    # ---- recording ---------------------------------------------------------------------------------------------------

    def publish_keys(self, names: Sequence[str] = CUSTODIANS) -> None:
        """Each custodian publishes the key of this month."""
        for name in names:
            public = b64(self.sealing[name].public_key().public_bytes_raw())
            clear = {"custodian": name, "period": month_of(self.now), "key": public}
            self.hand_in(self.sign("sealing_key_published", name, {}, clear=clear))

    def context(self, from_ms: int, to_ms: int, **more: Any) -> Context:
        charter = self.world.standing().charter
        assert charter is not None
        values: dict[str, Any] = {
            "origin": self.world.house.origin,
            "source": "street",
            "segment": self.number(),
            "from_ms": from_ms,
            "to_ms": to_ms,
            "charter": charter.sha256,
            "purpose": charter.analytic("on-the-lawn").purpose,
            "retention": "sealed",
            "period": month_of(from_ms),
            "keep_until_ms": to_ms + 3 * DAY,
        }
        return Context(**{**values, **more})

    def sealed(self, context: Context, plaintext: bytes = b"a picture of somebody " * 400) -> SealedSegment:
        """What a recorder would hand over."""
        keys = SealingKeys(context.period, {name: key.public_key() for name, key in self.sealing.items()})
        subsets = permitted_subsets(CUSTODIANS, 2, ["oversight"])
        made = seal(plaintext, context, keys, subsets, self.entropy, break_glass=self.glass.public_key())
        return SealedSegment(bytes(made.data), made.sha256, None)

    def record(self, count: int = 3, **more: Any) -> list[str]:
        """Seal and keep so many segments of ten seconds, the last of which has just ended; their ids."""
        ids = []
        for place in range(count):
            end = self.now - (count - 1 - place) * 10 * SECOND
            sealed = self.sealed(self.context(end - 10 * SECOND, end, **more))
            permit = self.world.permit(SealSegment("street", "on-the-lawn"))
            ids.append(seal_segment(self.world.house.acting, permit, sealed).value)
        return ids

    # ---- the story ---------------------------------------------------------------------------------------------------

    @property
    def purpose(self) -> str:
        charter = self.world.standing().charter
        assert charter is not None
        return charter.analytic("on-the-lawn").purpose

    def case(self, **more: Any) -> SignedStatement:
        """The statement that opens a case."""
        values = {
            "case": self.number(),
            "number": "EX-2026-17",
            "authority": "Order of the district court of Exampleton, 7 Gs 112/26",
            "reason": "Somebody fell at the assembly point.",
            "case_key": b64(self.case_key.public_key().public_bytes_raw()),
            "until_ms": self.now + 30 * DAY,
        }
        purpose = more.pop("purpose", self.purpose)
        return self.sign("case_opened", more.pop("who", "investigator"), {**values, **more}, purpose=purpose)

    def open_case(self, **more: Any) -> tuple[str, bytes]:
        """A case's id and leaf hash."""
        statement = self.case(**more)
        return statement.values["case"], self.hand_in(statement)

    def request(self, case: tuple[str, bytes], **more: Any) -> SignedStatement:
        """The statement that asks for the last minute of ``street``."""
        values = {
            "request": self.number(),
            "source": "street",
            "from_ms": self.now - 60 * SECOND,
            "to_ms": self.now,
            "case": case[0],
            "opened": b64(case[1]),
            "reason": "To see how the person fell, and who helped.",
            "recipient": b64(self.case_key.public_key().public_bytes_raw()),
            "until_ms": self.now + 24 * HOUR,
        }
        who, purpose = more.pop("who", "investigator"), more.pop("purpose", self.purpose)
        extra = {name: more.pop(name) for name in ("key", "charter") if name in more}
        return self.sign("release_requested", who, {**values, **more}, purpose=purpose, **extra)

    def requested(self, case: tuple[str, bytes] | None = None, **more: Any) -> str:
        """A request that was handed in and cosigned; its id."""
        statement = self.request(case or self.open_case(), **more)
        self.hand_in(statement)
        self.world.settle()
        return str(statement.values["request"])

    def bundle(self, request: str, who: str, **terms: Any) -> Bundle:
        """A custodian's shares for a request, opened and sealed anew."""
        reader = self.world.house.store.read()
        asked = request_of(reader, request)
        wanted = as_signed(asked, self.world.house.origin).terms(who)
        values = {name: terms.get(name, getattr(wanted, name)) for name in ("kind", "request", "charter", "recipient")}
        return reseal(Terms(**values, custodian=who), self.shares(request, who))

    def shares(self, request: str, who: str) -> list[Shares]:
        """A custodian's shares of what a request is about."""
        reader = self.world.house.store.read()
        kept = segments_of(reader, request_of(reader, request))
        return [unwrap_shares(each.read_header(), who, self.sealing[who]) for each in kept]

    def approval(self, request: str, who: str, bundle: Bundle | None = None, **more: Any) -> SignedStatement:
        """The statement of a custodian's approval."""
        house = self.world.house
        asked = request_of(house.store.read(), request)
        bundle = bundle or self.bundle(request, who)
        signed = as_signed(asked, house.origin)
        values = {
            "request": request,
            "custodian": who,
            "scope_sha256": b64(signed.scope_sha256),
            "recipient": b64(signed.recipient),
            "bundle_sha256": b64(bundle.sha256),
            "until_ms": asked.until_ms,
            "seen": {"size": house.sequencer.head.size, "root": b64(house.sequencer.head.root)},
        }
        purpose, refs = more.pop("purpose", asked.purpose), more.pop("refs", [asked.leaf_hash])
        key = more.pop("key", self.keys[who])
        return self.sign("release_approved", who, {**values, **more}, purpose=purpose, refs=refs, key=key)

    def approve(self, request: str, who: str) -> bytes:
        """A custodian approves."""
        bundle = self.bundle(request, who)
        return self.hand_in(self.approval(request, who, bundle), bundle.encoded)

    def refuse(self, request: str, who: str, reason: str = "Too much for this reason.") -> bytes:
        asked = request_of(self.world.house.store.read(), request)
        values = {"request": request, "custodian": who, "reason": reason}
        statement = self.sign("release_refused", who, values, purpose=asked.purpose, refs=[asked.leaf_hash])
        return self.hand_in(statement)

    def granted(self, **more: Any) -> str:
        """A request that two custodians approved, granted and cosigned."""
        request = self.requested(**more)
        for name in ("oversight", "dpo"):
            self.approve(request, name)
        self.world.house.grant_releases()
        self.world.settle()
        return request

    def taking(self, request: str, **more: Any) -> SignedStatement:
        """The statement with which the investigator takes what was granted."""
        asked = request_of(self.world.house.store.read(), request)
        refs = more.pop("refs", [asked.granted or bytes(32)])
        values = {"request": request, "segments": 3}
        return self.sign("release_taken", "investigator", values, purpose=asked.purpose, refs=refs, **more)

    def order_hold(self, **more: Any) -> str:
        """Oversight orders that the last minute be kept; the hold's id."""
        values = {
            "hold": self.number(),
            "source": "street",
            "from_ms": self.now - 60 * SECOND,
            "to_ms": self.now,
            "reason": "A complaint is open.",
            "until_ms": self.now + 90 * DAY,
        }
        key = self.world.keys["oversight"]
        self.hand_in(self.sign("hold_ordered", "oversight", {**values, **more}, role="oversight", key=key))
        self.world.settle()
        return str(values["hold"])

    def hold_terms(self, leaf_hash: bytes, who: str, recipient: X25519PublicKey) -> Terms:
        charter = self.world.standing().charter
        assert charter is not None
        return Terms(Kind.HOLD, leaf_hash, charter.sha256, recipient.public_bytes_raw(), who)


def enrol(world: World, role: str, person: str, key: SignerKey) -> None:
    """Oversight enrols a person's key for this month."""
    clear = {"enrolled_role": role, "vkey": str(key.verifier), "month": month_of(world.clock.now())}
    world.house.hand_in(world.sign("key_enrolled", "oversight", clear, {"person": person}))


@contextmanager
def guarded(
    folder: Path, *, keys: bool = True, edits: Sequence[tuple[str, str]] = (), **more: Any
) -> Iterator[Guarded]:
    """A guarded world below ``folder``, with an investigator and a shift lead enrolled.

    Args:
        keys: let every custodian publish this month's key.
        edits: (old, new) pairs in the charter's text.
    """
    entropy = SeededEntropy("guarded")
    signers = {name: SignerKey.generate(f"{name}.example", entropy) for name in CUSTODIANS}
    glass = X25519PrivateKey.from_private_bytes(entropy.bytes(32))
    lines = _LINES.format(
        **{name: str(key.verifier) for name, key in signers.items()},
        glass=b64(glass.public_key().public_bytes_raw()),
    )
    world = make_house(folder, edits=[("  retention: {reviewer_clips: 7d, alerts: 1y}\n", lines), *edits], **more)
    with world:
        for role, person in (("investigator", "Ines Vermaat"), ("shift-lead", "Sam Okoro")):
            signers[role] = SignerKey.generate(f"{role}.example", entropy)
            enrol(world, role, person, signers[role])
        sealing = {name: X25519PrivateKey.from_private_bytes(entropy.bytes(32)) for name in CUSTODIANS}
        case_key = X25519PrivateKey.from_private_bytes(entropy.bytes(32))
        made = Guarded(world, signers, sealing, case_key, glass, entropy)
        if keys:
            made.publish_keys()
        world.settle()
        yield made
