"""A small real deployment for the tests of the portal: real store, log and acts, and the real witness in process."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from limited import without_limits
from watchglass.access.authorise import authorise
from watchglass.access.roles import May, Person, Role
from watchglass.acts.accounts import open_account
from watchglass.acts.decide_alert import decide_alert
from watchglass.acts.raise_alert import raise_alert
from watchglass.bootstrap import House, VirtualClock, make_deployment
from watchglass.charter.decide import decide
from watchglass.charter.model import Charter
from watchglass.charter.parse import parse
from watchglass.charter.permit import Decide, RaiseAlert
from watchglass.core.digest import unb64
from watchglass.core.time import DAY, MINUTE
from watchglass.edge.keys import new_openings_key, openings_key_text
from watchglass.edge.witness import WitnessDirectory
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.ledger.witness import Request, with_answer
from watchglass.perception.messages import Incident, Pin, Pins
from watchglass.records.act_spec import Lane
from watchglass.records.statement import SignedStatement, sign
from watchglass.review.model import VerdictValue

NOON = 1_795_608_000_000  # 2026-11-25T12:00:00Z
BEGIN = NOON - 29 * DAY
ORIGIN = "demo.street.example/log"
CUSTODIANS = {"control-room": "control-room", "dpo": "dpo", "board-custodian": "oversight"}
"""The custodians' keys here, and their names in the charter."""


class Seeded:
    """Bytes that are the same in every run."""

    def __init__(self, seed: str) -> None:
        self._seed, self._n = seed.encode(), 0

    def bytes(self, n: int) -> bytes:
        self._n += 1
        return hashlib.shake_256(self._seed + self._n.to_bytes(8, "big")).digest(n)


class InProcess:
    """The real witness, without HTTP between."""

    def __init__(self, witness: WitnessDirectory) -> None:
        self._witness = witness

    def cosign(self, request: Request) -> bytes:
        answer = self._witness.add_checkpoint(request.encode())
        return with_answer(request.note, answer.decode(), [self._witness.key])


@dataclass(slots=True)
class Street:
    """A house with what people need to act in it."""

    house: House
    clock: VirtualClock
    text: str
    keys: dict[str, SignerKey]
    witness: InProcess
    witness_name: str

    def publish(self, *edits: tuple[str, str]) -> Charter:
        """Sign and publish the charter with ``edits`` made to its text, and let the witness cosign it."""
        for old, new in edits:
            assert old in self.text, old
            self.text = self.text.replace(old, new)
        charter = parse(self.text.encode())
        self.house.publish(self.text.encode(), [self._approval(charter, role) for role in ("authority", "oversight")])
        self.house.sequencer.watched_by({self.witness_name: self.witness})
        self.settle()
        return charter

    def _approval(self, charter: Charter, role: str) -> SignedStatement:
        clear = {
            "name": charter.charter,
            "version": charter.version,
            "sha256": charter.digest,
            "as_role": role,
            "seen": None,
        }
        return self.signed("charter_approved", role, clear, {})

    def signed(
        self,
        act: str,
        key: str,
        clear: dict[str, object],
        committed: dict[str, object],
        refs: Iterable[bytes] = (),
        *,
        role: str | None = None,
        purpose: str | None = None,
    ) -> SignedStatement:
        """An act signed by the holder of ``key``, in the role of that name unless told."""
        standing = self.house.standing()
        return sign(
            act,
            role=role or key,
            key=self.keys[key],
            origin=self.house.origin,
            now=self.clock.now(),
            entropy=Seeded(f"{act}{key}{self.clock.now()}"),
            charter=standing.charter.sha256 if standing.charter and act != "charter_approved" else None,
            purpose=purpose,
            clear=clear,
            committed=committed,
            refs=tuple(refs),
        )

    def hand_in(self, statement: SignedStatement) -> bytes:
        """Hand it in, and let it become public and cosigned; the leaf hash of its record."""
        leaf = unb64(self.house.hand_in(statement)["leaf_hash"], length=32)
        self.settle()
        return leaf

    def suspend(self, analytic: str | None = None) -> bytes:
        """Oversight orders a stop; the leaf hash of its order."""
        scope = "all" if analytic is None else "analytic"
        statement = self.signed(
            "suspension_ordered", "oversight", {"scope": scope, "analytic": analytic}, {"reason": "A test."}
        )
        self.house.hand_in(statement)
        self.settle()
        return statement.leaf.hash() if statement.leaf.opening else b""

    def settle(self) -> None:
        """Let everything that is recorded become public and cosigned."""
        self.house.sequencer.tick(tuple(Lane))

    def alerts(self, verdicts: Iterable[VerdictValue | None], analytic: str = "on-the-lawn") -> None:
        """One alert every few hours with these verdicts; None: nobody has decided."""
        reviewer = self.reviewer()
        for n, verdict in enumerate(verdicts):
            self.clock.advance(97 * MINUTE)
            now, acting = self.clock.now(), self.house.acting
            standing = self.house.standing()
            new = Incident(
                id=hashlib.sha256(f"{analytic}{now}{n}".encode()).hexdigest()[:16],
                source="street",
                analytic=analytic,
                kind="intrusion",
                zone="lawn",
                at_ms=now,
                score=0.7,
                why="1 person inside 'lawn' for 1.2 s",
                facts={},
                boxes=(),
                still=b"-",
            )
            raised = raise_alert(
                acting, decide(standing, RaiseAlert(analytic, now), now), new, review_within_ms=2 * MINUTE
            )
            if verdict is not None:
                grant = authorise(reviewer, May.DECIDE_ALERT)
                decide_alert(acting, grant, decide(standing, Decide(analytic), now), raised.value.id, verdict)

    def reviewer(self) -> Person:
        row = self.house.store.read().one("SELECT id FROM account WHERE name = 'rita'")
        number = row["id"] if row else open_account(self.house.acting, None, "rita", [Role.REVIEWER], "-").value
        return Person(number, "rita", frozenset({Role.REVIEWER}))

    def show(self, pins: tuple[tuple[int, int, int], ...], people: int, *, backdrop: bool = True) -> None:
        """Let marks be in view, on the confirmed backdrop that ships with the demo."""
        charter = self.house.standing().charter
        assert charter is not None
        self.house.live.follow(charter)
        self.house.live.opened("street", 768, 576)
        if backdrop:
            png = resources.files("watchglass").joinpath("demo/backdrop.png").read_bytes()
            self.house.live.set_backdrop("street", "day", "1", png, self.clock.now())
        self.house.live.take_pins(Pins("street", self.clock.now(), tuple(Pin(*pin) for pin in pins), people, "day"))


def make_street(folder: Path, *, origin: str = ORIGIN) -> Street:
    """A deployment without a charter, with its clock 29 days before ``NOON``."""
    make_deployment(folder / "deployment", origin, "127.0.0.1:8600")
    clock = VirtualClock(BEGIN)
    house = House(folder / "deployment", clock=clock)
    keys = {
        role: SignerKey.generate(f"exampleton/{role}", Seeded(role)) for role in ("authority", "oversight", *CUSTODIANS)
    }
    witness_key = SignerKey.generate("witness.example", Seeded("witness"), KeyType.COSIGNATURE_V1)
    (folder / "witness").mkdir()
    witness = WitnessDirectory(folder / "witness", witness_key, [house.log_key], clock)
    text = without_limits(resources.files("watchglass").joinpath("demo/charter.yaml.in").read_text("utf-8"))
    card = resources.files("watchglass").joinpath("perception/weights/nanodet-416-int8.json").read_text("utf-8")
    model = card.split('"sha256": "', 1)[1][:64]
    filled = {
        "@AUTHORITY_KEY@": str(keys["authority"].verifier),
        "@OVERSIGHT_KEY@": str(keys["oversight"].verifier),
        "@OPENINGS_KEY@": openings_key_text(new_openings_key(Seeded("openings")).public_key()),
        "@WITNESS_KEY@": str(witness_key.verifier),
        "@WITNESS_URL@": "http://127.0.0.1:1",
        "@MODEL_HASH@": f"sha256:{model}",
        "@FROM@": "2026-10-01",
        "@UNTIL@": "2027-09-30",
        "@GLASS_KEY@": openings_key_text(new_openings_key(Seeded("glass")).public_key()),
        **{f"@{name.upper()}_CUSTODIAN@": str(keys[key].verifier) for key, name in CUSTODIANS.items()},
    }
    for name, value in filled.items():
        text = text.replace(name, value)
    if origin.startswith("trial."):
        text = without_originals(text)
    return Street(house, clock, text, keys, InProcess(witness), witness_key.verifier.label)


def without_originals(text: str) -> str:
    """The charter's text without anything about original video."""
    begin, end = text.index("  record:"), text.index("  review: {within")
    return text[:begin] + "  retention: {reviewer_clips: 7d, alerts: 1y}\n" + text[end:]


__all__ = ["BEGIN", "DAY", "NOON", "ORIGIN", "Street", "make_street", "without_originals"]
