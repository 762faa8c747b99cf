"""Dishonest deployments: each breaks one promise on purpose, in a life that is lawful otherwise.

A ``Lie`` says what the dishonest house does, which promise of the audit that breaks, and plays it. The same seed gives
the same life, so that a lie can be looked at entry by entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

from made_life import Life, Plan, plan
from made_log import Log, root_of, trust_text
from made_stories import begin, fill
from made_town import Story, Town
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.ledger.checkpoint import Checkpoint
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.note import Note, sign_text
from watchglass.oversight.given import Lodged, Promised

Depth = Literal["structure", "openings"]


@dataclass
class Made:
    """A deployment as an auditor gets it. Some lies change it after it was made.

    Attributes:
        entries: of the log. checkpoint, note, cosigned: what it is published under.
        seen: a checkpoint that somebody remembers, as a signed note.
        planted: numbers of the entries that show the lie; empty where none can.
        at_ms: the auditor's time.
    """

    town: Town
    entries: list[bytes]
    checkpoint: Checkpoint
    note: bytes
    cosigned: tuple[tuple[str, int], ...]
    trust: str
    oversight: VerifierKey
    receipts: list[Promised]
    at_ms: int
    lodged: list[Lodged] = field(default_factory=list)
    seen: bytes | None = None
    planted: list[int] = field(default_factory=list)

    def publish_again(self) -> None:
        """Let the log's key and the witnesses sign what the entries are now, as only liars do."""
        log = self.town.log
        self.checkpoint = Checkpoint(log.signer.name, len(self.entries), root_of(self.entries))
        text, seconds = self.checkpoint.text, self.at_ms // 1000
        lines = [sign_text(text, log.signer), *(sign_text(text, w.key, seconds=seconds) for w in log.watchers)]
        self.note = Note(text, tuple(lines)).encode()
        self.cosigned = tuple((each.name, seconds) for each in log.watchers)


@dataclass(frozen=True)
class Lie:
    """One way to be dishonest.

    Attributes:
        name: short, for tests and tables. told: what is done, as a sentence.
        promises: what of the audit it breaks, by name; the first is the one that it is about, the others cannot be kept
            then. depth: what data it takes to see it.
        play: the story that is told; None where only ``after`` or ``sins`` change something.
        changes: of the plan. sins: what the life leaves out. at: when the story begins, as a share of the life.
        after: changes what the auditor gets.
    """

    name: str
    told: str
    promises: tuple[str, ...]
    play: Callable[[Life], Story] | None = None
    depth: Depth = "structure"
    changes: Mapping[str, Any] = field(default_factory=dict)
    sins: frozenset[str] = frozenset()
    at: float = 0.4
    after: Callable[[Made], None] | None = None


QUIET: Final = {
    "kind": "production",
    "sealing": True,
    "custodians": 3,
    "k": 2,
    "one_of": ("oversight",),
    "keep_ms": DAY,
    "glass": True,
    "clips_ms": 7 * DAY,
    "alerts_kept_ms": 365 * DAY,
    "review_ms": 10 * MINUTE,
    "alerts_a_day": 6.0,
    "heartbeat_ms": 30 * MINUTE,
    "all_day": True,
    "charters": 0,
    "gap": False,
    "suspensions": 0,
    "cases": 1,
    "emergencies": 0,
    "holds": 0,
    "stops": 0,
    "asides": 0.5,
    "audits": False,
    "year": False,
    "check_every": HOUR,
    "precision": None,
    "reports": False,
}
"""What a lie's life is made of, unless the lie changes it: enough to lie about, and nothing that would hide it."""


def plan_of(lie: Lie, seed: int) -> Plan:
    """The plan of a lie's life."""
    drawn = plan(seed, days=3.0)
    witnesses = max(1, drawn.witnesses)
    return replace(drawn, **{**QUIET, "witnesses": witnesses, "quorum": min(drawn.quorum, witnesses), **lie.changes})


def tell(lie: Lie, seed: int) -> Made:
    """The dishonest deployment."""
    life = Life(plan_of(lie, seed))
    life.sins |= lie.sins
    begin(life)
    fill(life)
    if lie.play is not None:
        life.tell(life.plan.begin + round(lie.at * (life.end - life.plan.begin)), lie.play(life))
    life.play()
    made = handed_over(life.settle())
    if lie.after is not None:
        lie.after(made)
    return made


def handed_over(town: Town) -> Made:
    """What an auditor gets of a deployment."""
    log: Log = town.log
    assert log.published is not None
    return Made(
        town=town,
        entries=list(log.entries),
        checkpoint=log.published.checkpoint,
        note=log.published.note,
        cosigned=log.published.cosigned,
        trust=trust(log),
        oversight=VerifierKey.parse(town.versions[0].charter.oversight.key),
        receipts=[
            Promised(f"receipt-{number}", receipt, log_leaf)
            for number, (receipt, log_leaf) in enumerate(log.kept_hashes())
        ],
        at_ms=max(log.published.at_ms, town.now),
        lodged=[Lodged(f"order-{number}", body, note) for number, (body, note) in enumerate(town.lodged)],
        planted=numbers(town, town.planted),
    )


def trust(log: Log) -> str:
    """The trust file of a log."""
    return trust_text(log.signer.verifier, [(each.name, each.key.verifier) for each in log.watchers], log.quorum)


def numbers(town: Town, leaves: Sequence[bytes]) -> list[int]:
    """Where records stand in the log; those that never reached it are left out."""
    return sorted({town.log.places[leaf] for leaf in leaves if leaf in town.log.places})
