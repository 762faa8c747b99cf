"""An honest life of a deployment, from a seed: days to months of charters, alerts, cases, orders and beats.

What people and recorders do are stories: generators that wait by yielding milliseconds. A schedule plays them all on
one virtual clock, and the log takes in what they record at its own moments, as the house's sequencer does.
"""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any, Final
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from made_charter import Look, Rules, Sealed, hash_of
from made_conditions import ASKED
from made_drills import Drills
from made_limits import Judge
from made_log import Log, Watcher
from made_recalibrated import Recalibrations
from made_town import SOFTWARE, Order, Story, Town
from watchglass.charter.decide import in_force
from watchglass.charter.hours import look as within_hours
from watchglass.charter.model import Charter
from watchglass.core.digest import b64
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, minute_of, moment
from watchglass.edge.clock import VirtualClock
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger.keys import KeyType, SignerKey
from watchglass.records.act_spec import Lane
from watchglass.records.recorder import Recorder
from watchglass.runtime.pulse import segments_root

BEGIN: Final = 1_795_435_200_000  # 2026-11-23T12:00:00Z
ZONES: Final = ("UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Auckland")
HOURS: Final = (None, None, "01:00-04:30", "22:00-06:00", "08:30-17:00")
DAYS: Final = ((), (), ("mon", "tue", "wed", "thu", "fri"), ("sat", "sun"))
CUSTODIANS: Final = ("control-room", "dpo", "oversight", "clerk-of-the-court")
PICTURES_A_SECOND: Final = 5
MILD: Final = 0.3
STRICT: Final = 0.6
"""Shares of alerts that must be right: one that is kept where people mostly confirm, and one that is soon crossed."""
LONG: Final = 10
"""Days from which a life is sparse, so that a month costs no more than a busy week."""


@dataclass(frozen=True)
class Plan:
    """What a life is made of; ``plan`` draws one from a seed.

    Attributes:
        days: how long it lasts. alerts_a_day: of each analytic that may run.
        charters: how often the charter changes; gap: the first runs out before the next begins.
        check_every: how often retention looks (ms).
        year: that year begins, late as it may be, with what an audit remembers.
        spacing_ms: how long between two records of cosigned checkpoints, as long as nobody waits for one.
        unseen_ms: for how long no witness answers, after the first day.
        all_day: every analytic may run at any time, or in ``hours``; else hours and days are drawn.
        samples: what was not alerted is looked at by lot.
        drills: people stage drills.
        reports: what others note down is compared with alerts.
        reads: what was judged is judged again at a share, and there are checks.
        precision: of some analytics, the share of alerts that must be right; None: no limits are published.
        suspensions, cases, emergencies, holds, stops, asides: how many of each story are told.
    """

    seed: int
    days: float
    kind: str = "production"
    zone: str = "UTC"
    begin: int = BEGIN
    sources: int = 2
    witnesses: int = 2
    quorum: int = 1
    alerts_a_day: float = 8.0
    heartbeat_ms: int | None = 15 * MINUTE
    witnessed_ms: int | None = None
    spacing_ms: int = 0
    unseen_ms: int = 0
    pace: tuple[int, int, int] = (MINUTE, HOUR, 2 * HOUR)
    sealing: bool = True
    custodians: int = 3
    k: int = 2
    one_of: tuple[str, ...] = ("oversight",)
    keep_ms: int = 2 * DAY
    glass: bool = True
    clips_ms: int = 7 * DAY
    alerts_kept_ms: int = 365 * DAY
    review_ms: int = 10 * MINUTE
    reads: bool = False
    samples: bool = False
    drills: bool = False
    reports: bool = False
    precision: float | None = None
    hours: str | None = None
    all_day: bool = False
    charters: int = 1
    new_oversight: bool = True
    gap: bool = False
    suspensions: int = 1
    cases: int = 1
    emergencies: int = 1
    holds: int = 1
    stops: int = 1
    asides: float = 1.0
    audits: bool = True
    year: bool = False
    check_every: int = HOUR


def plan(seed: int, *, days: float | None = None) -> Plan:
    """A random lawful plan."""
    dice = Random(f"plan {seed}")  # noqa: S311 (a schedule, not a secret)
    n = dice.choice((2, 3, 4))
    witnesses = dice.choice((1, 2, 3))
    kind = dice.choice(("production", "production", "production", "demo", "trial"))
    trial = kind == "trial"
    span = days if days is not None else dice.choice((1.5, 4.0, 9.0, 9.0, 40.0))
    span = min(span, 12.0) if trial else span
    checkpoint, batch = dice.choice((MINUTE, 5 * MINUTE)), dice.choice((15 * MINUTE, HOUR, 4 * HOUR))
    clips = dice.choice((DAY, 7 * DAY))
    made = Plan(
        seed,
        span,
        kind,
        dice.choice(ZONES),
        # Somewhere in two years: changes of the clocks, ends of months and of years are among them.
        begin=BEGIN + dice.randrange(700) * DAY + dice.randrange(DAY),
        sources=dice.choice((1, 2, 3)),
        witnesses=0 if trial else witnesses,
        quorum=dice.randint(1, witnesses),
        alerts_a_day=dice.choice((1.0, 3.0) if span > LONG else (4.0, 15.0)),
        heartbeat_ms=dice.choice((None, HOUR, HOUR) if span > LONG else (None, 10 * MINUTE, 30 * MINUTE)),
        witnessed_ms=None if trial else dice.choice((None, 6 * HOUR)),
        spacing_ms=dice.choice((0, 0, 30 * MINUTE, 4 * HOUR)),
        pace=(checkpoint, batch, 2 * batch),
        sealing=not trial and dice.random() < 0.85,
        custodians=n,
        k=2 if n < 4 else dice.choice((2, 3)),
        one_of=dice.choice(((), ("oversight",), ("dpo", "oversight"))) if n > 2 else (),
        keep_ms=dice.choice((12 * HOUR, 2 * DAY, 5 * DAY)),
        glass=dice.random() < 0.7,
        clips_ms=clips,
        alerts_kept_ms=dice.choice((2 * DAY, 20 * DAY, 365 * DAY)),
        review_ms=dice.choice((2 * MINUTE, 10 * MINUTE, 2 * HOUR)),
        charters=0 if trial else dice.choice((0, 1, 2)),
        new_oversight=dice.random() < 1 / 2,
        gap=dice.random() < 1 / 4,
        suspensions=dice.choice((0, 1, 3)),
        cases=dice.choice((0, 2, 4)),
        emergencies=dice.choice((0, 1, 2)),
        holds=dice.choice((0, 1, 2)),
        stops=dice.choice((0, 1, 2)),
        check_every=dice.choice((HOUR, HOUR, DAY)),
        year=not trial and dice.random() < 1 / 4,
        reads=clips > 2 * DAY and dice.random() < 3 / 4,
        drills=Random(f"drills {seed}").random() < 1 / 2,  # noqa: S311 (a schedule, not a secret)
        reports=Random(f"reports {seed}").random() < 1 / 2,  # noqa: S311 (a schedule, not a secret)
        samples=Random(f"samples {seed}").random() < 1 / 2,  # noqa: S311 (a schedule, not a secret)
        precision=dice.choice((None, MILD, STRICT)),
    )
    # A charter that ends before its limits could act is refused; one with a gap behind it ends soon.
    return replace(made, precision=None) if made.gap and made.charters else made


class Life:
    """Plays a plan. What a dishonest house does otherwise is named in ``sins``; an honest one has none."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.dice = Random(f"life {plan.seed}")  # noqa: S311 (a schedule, not a secret)
        self.end = plan.begin + round(plan.days * DAY)
        self.town = _town(plan, self.dice)
        self.sins: set[str] = set()
        self.waiting: list[tuple[int, int, Story]] = []
        self.stories = 0
        self.under: Charter | None = None
        self.asleep_until = 0
        self.noted_ms = 0
        self.recorders: dict[str, SignerKey] = {}
        self.beat_of: dict[str, tuple[int, bytes]] = {}
        self.began: dict[str, int] = {}
        self.raised: dict[str, list[int]] = defaultdict(list)
        self.failing: dict[str, dict[str, bytes]] = defaultdict(dict)
        self.sealed: dict[str, list[tuple[int, bytes]]] = defaultdict(list)
        self.closed: list[tuple[int, Mapping[str, object]]] = []
        self.checks: list[tuple[int, Mapping[str, object]]] = []
        self.near: list[tuple[int, str, Mapping[str, object]]] = []
        self.samples: list[Any] = []
        self.reports: list[Any] = []
        self.report_dice = Random(f"reports made {plan.seed}")  # noqa: S311 (a schedule, not a secret)
        self.resumed: dict[bytes, int] = {}
        self.judge = Judge(self)
        self.drills = Drills()
        self.recalibrations = Recalibrations(self)
        self.silent_until: dict[str, int] = {}
        self.next_beat: dict[str, dict[str, object]] = {}

    # ---- the schedule ------------------------------------------------------------------------------------------------

    def tell(self, at_ms: int, story: Story) -> None:
        """Let a story begin at a time."""
        self.stories += 1
        heapq.heappush(self.waiting, (max(at_ms, self.town.now), self.stories, story))

    def play(self, until: int | None = None) -> None:
        """Play until the end, or until an earlier time."""
        end = self.end if until is None else until
        while self.waiting and self.waiting[0][0] <= end:
            at, number, story = heapq.heappop(self.waiting)
            self.pass_time(at)
            step = next(story, None)
            if step is not None:
                heapq.heappush(self.waiting, (self.town.now + max(1, step), number, story))
        self.pass_time(end)

    def pass_time(self, until: int) -> None:
        """Let time pass; the log makes its rounds."""
        town, log = self.town, self.town.log
        while (at := log.next_round()) is not None and at <= until:
            town.clock.set(max(at, town.now))
            log.round()
            if log.watchers and log.grown and log.cosigned_size == len(log.entries):
                self._note()
        town.clock.set(max(until, town.now))

    def _note(self) -> None:
        """Write down that the newest checkpoint was witnessed; once for each growth by something else."""
        log = self.town.log
        assert log.published is not None
        soon = self.town.now - self.noted_ms < self.plan.spacing_ms
        if soon and not log.waited_for:
            return
        log.grown, log.waited_for, self.noted_ms = False, False, self.town.now
        self.town.clock.set(max(self.town.now, log.published.at_ms))
        self.town.attest("checkpoint_witnessed", under=None, clear={"note": log.published.note.decode()})

    def settle(self) -> Town:
        """The end: everything that waits becomes public and is cosigned, as when somebody stops the house."""
        self.town.log.round((Lane.PROMPT, Lane.BATCH))
        return self.town

    # ---- the house ---------------------------------------------------------------------------------------------------

    def house(self) -> Story:
        """Start when a charter is in force; start anew when another one is."""
        town = self.town
        while True:
            if self.may_look() and town.now >= self.asleep_until:
                charter = town.charter
                if self.under is None or self.under.sha256 != charter.sha256:
                    if self.under is not None:
                        self.stop("charter_ended")
                        yield self.dice.randrange(100, 900)
                    self.start(charter)
            settled = self.under is not None and self.under.sha256 == town.versions[-1].charter.sha256
            yield 5 * MINUTE if settled else 20 * SECOND

    def may_look(self) -> bool:
        """Whether a charter is in force."""
        standing = self.town.standing()
        if standing.charter is None or standing.published not in {"cosigned", "exempt"}:
            return False
        begin, end = in_force(standing.charter)
        return begin <= self.town.now < end

    def start(self, charter: Charter, **otherwise: object) -> bytes:
        """A run: its start, its recorders, their beats. The leaf hash of its start."""
        town = self.town
        town.run, self.under = town.number(), charter
        sources = sorted(source.name for source in charter.sources)
        models = {model.name: b64(hash_of(model.name)) for model in charter.models}
        clear = {"run": town.run, "software": SOFTWARE, "models": models, "sources": sources, **otherwise}
        started = town.attest("run_started", under=charter, clear=clear)
        if charter.ledger.heartbeat_every_ms is None:
            return started
        for group in [sources] if self.dice.random() < 1 / 2 else [[source] for source in sources]:
            key = SignerKey.generate(f"{town.origin}/recorder-{group[0]}", town.entropy)
            clear = {"run": town.run, "vkey": str(key.verifier), "sources": group}
            town.attest("recorder_named", under=charter, clear=clear)
            for source in group:
                self.recorders[source], self.began[source] = key, town.now
                self.tell(town.now, self._beats(town.run, source, charter.ledger.heartbeat_every_ms))
        return started

    def stop(self, cause: str) -> None:
        """The run ends; recorders sign a last, shorter beat."""
        town, charter = self.town, self.under
        assert charter is not None
        if charter.ledger.heartbeat_every_ms is not None:
            for source in sorted(source.name for source in charter.sources):
                self.beat(source)
        town.attest("run_stopped", under=charter, clear={"run": town.run, "cause": cause})
        town.run, self.under = None, None

    # ---- beats -------------------------------------------------------------------------------------------------------

    def _beats(self, run: str, source: str, every: int) -> Story:
        while True:
            yield every - self.town.now % every
            if self.town.run != run:
                return
            if self.town.now >= self.silent_until.get(source, 0):
                self.beat(source, **self.next_beat.pop(source, {}))

    def beat(self, source: str, **otherwise: object) -> bytes | None:
        """A recorder signs that it lived since its last beat; None where that was in this very second."""
        town, charter = self.town, self.under
        assert charter is not None
        begin, end = self.began[source] // SECOND, town.now // SECOND
        if begin == end:
            return None
        from_ms, to_ms = begin * SECOND, end * SECOND
        running = self.ran(charter, source, from_ms, to_ms)
        looked = any(self.ran(charter, source, from_ms, to_ms, hours=False))
        received = (end - begin) * PICTURES_A_SECOND * looked
        sequence, previous = self.beat_of.get(source, (-1, None))
        alerts = sum(from_ms <= at < to_ms for at in self.raised[source])
        ciphertexts = [digest for at, digest in self.sealed[source] if from_ms <= at < to_ms]
        clear: dict[str, object] = {
            "source": source,
            "run": town.run,
            "sequence": sequence + 1,
            "previous": b64(previous) if previous else None,
            "from_s": begin,
            "to_s": end,
            "software": SOFTWARE,
            "models": {model.name: b64(hash_of(model.name)) for model in charter.models},
            "running": running,
            "received": received,
        }
        committed: dict[str, object] = {
            "decoded": received // 4,
            "dropped": received // 1000,
            "alerts": alerts,
            "segments": b64(segments_root(ciphertexts)),
            "minute": minute_of(town.now),
        }
        key, lied = otherwise.pop("key", self.recorders[source]), bool(otherwise)
        clear.update({name: value for name, value in otherwise.items() if name in clear})
        committed.update({name: value for name, value in otherwise.items() if name in committed})
        assert isinstance(key, SignerKey)
        leaf = town.signed(
            "heartbeat", key, "recorder", clear=clear, committed=committed, charter=charter, signed_ms=town.now
        )
        if lied or key is not self.recorders[source]:
            town.planted.append(leaf)
        self.beat_of[source] = (sequence + 1, leaf)
        self.began[source] = town.now
        return leaf

    def ran(self, charter: Charter, source: str, from_ms: int, to_ms: int, *, hours: bool = True) -> list[str]:
        """The analytics of a source that could run at some moment of a stretch."""
        begin, end = in_force(charter)
        from_ms, to_ms = max(from_ms, begin), min(to_ms, end)
        return sorted(
            each.name
            for each in charter.analytics_of(source)
            if any(
                not hours or within_hours(each.hours, each.days, charter.timezone, at).within
                for at in self._moments(charter, each.name, from_ms, to_ms, hours=hours)
            )
        )

    def _moments(self, charter: Charter, name: str, from_ms: int, to_ms: int, *, hours: bool) -> list[int]:
        """Moments of a stretch, between any two of which nothing changes, at which the analytic was not suspended."""
        edges = {from_ms}
        analytic = charter.analytic(name)
        at = from_ms
        while hours and (analytic.hours or analytic.days) and at < to_ms:
            until = within_hours(analytic.hours, analytic.days, charter.timezone, at).until_ms
            assert until is not None
            edges.add(at := until)
        orders = [order for order in self.town.orders if order.analytic in {None, name}]
        edges |= {self.resumed[order.leaf] for order in orders if order.leaf in self.resumed}
        return [
            at for at in sorted(edges) if from_ms <= at < to_ms and not any(self._stops(each, at) for each in orders)
        ]

    def _stops(self, order: Order, at: int) -> bool:
        return order.at_ms <= at < self.resumed.get(order.leaf, self.end + DAY)


def local_day(at_ms: int, zone: str) -> date:
    """The day by the wall clock."""
    return moment(at_ms).astimezone(ZoneInfo(zone)).date()


def first_rules(plan: Plan, town: Town, dice: Random) -> Rules:
    """The first charter of a life."""
    since = local_day(plan.begin, plan.zone)
    last = local_day(plan.begin + round(plan.days * DAY), plan.zone)
    until = since + timedelta(days=13) if plan.kind == "trial" else last + timedelta(days=60)
    if plan.gap and plan.charters:
        until = since + (last - since) * 2 // 5
    sources = tuple(f"corner-{place}" for place in range(plan.sources))
    looks = [Look(f"camera-{source}", "camera_fault", source, "upkeep") for source in sources]
    for source in sources:
        for kind in ("intrusion", "crowd_density")[: dice.randint(1, 2)]:
            hours, days = (plan.hours, ()) if plan.all_day else (dice.choice(HOURS), dice.choice(DAYS))
            looks.append(Look(f"{kind.replace('_', '-')}-{source}", kind, source, "safety", hours, days))
    names = CUSTODIANS[: plan.custodians]
    sealed = Sealed(
        tuple((name, str(town.keys[name].verifier)) for name in names),
        plan.k,
        plan.one_of,
        plan.keep_ms,
        min(DAY, plan.keep_ms),
        _public(town.entropy) if plan.glass else None,
        12 * HOUR,
    )
    return Rules(
        version=1,
        since=since,
        until=until,
        timezone=plan.zone,
        authority=str(town.keys["authority"].verifier),
        oversight=str(town.keys["oversight-office"].verifier),
        openings=b64(town.openings[0].public_key().public_bytes_raw()),
        witnesses=tuple(str(each.key.verifier) for each in town.log.watchers),
        sources=sources,
        looks=tuple(looks),
        models=("street-1",),
        conditions=ASKED[0],
        sealed=sealed if plan.sealing else None,
        clips_ms=plan.clips_ms,
        alerts_ms=plan.alerts_kept_ms,
        review_ms=plan.review_ms,
        reads=_reads(plan),
        samples="samples: {near_misses: 20%, very_near_misses: 60%, quiet_a_day: 3, kept: 1d}" if plan.samples else "",
        reports=_reports([look.name for look in looks]) if plan.reports else "",
        quality=_quality([look.name for look in looks if look.kind == "intrusion"], plan.precision),
        pace=plan.pace,
        heartbeat_ms=plan.heartbeat_ms,
        witnessed_ms=plan.witnessed_ms if plan.heartbeat_ms is not None else None,
        may=("suspend", "inspect", "audit"),
    )


def _reads(plan: Plan) -> str:
    if plan.reads:
        return ", second_read: 30%, seeded_checks: {share: 5%}, matures: 2d"
    return ", matures: 12h" if plan.precision is not None else ""


def _reports(looks: list[str]) -> str:
    """The charter's clause about what others note down."""
    return f"reports: {{from: [dispatch], of: [{', '.join(looks)}], within: 10m, kept: 1d}}"


def _quality(looks: list[str], precision: float | None) -> str:
    """The charter's section for some analytics; nothing where no limits are published."""
    if precision is None:
        return ""
    rows = (
        f"  {name}: {{expected_alerts_per_week: 50, precision_at_least: {precision}, undecided_at_most: 0.6, "
        "reviewed_in_time_at_least: 0.5, trial: 20d}"
        for name in looks
    )
    return "\n".join(["quality:", *rows])


def _public(entropy: SeededEntropy) -> str:
    return b64(X25519PrivateKey.from_private_bytes(entropy.bytes(32)).public_key().public_bytes_raw())


def _town(plan: Plan, dice: Random) -> Town:
    """Keys for everybody, and an empty log."""
    entropy, clock = SeededEntropy(f"made {plan.seed}"), VirtualClock(plan.begin)
    prefix = "" if plan.kind == "production" else f"{plan.kind}."
    origin = f"{prefix}square.exampleton.example/log"
    watchers = []
    for place in range(plan.witnesses):
        key = SignerKey.generate(f"witness-{place}.example", entropy, KeyType.COSIGNATURE_V1)
        away: tuple[tuple[int, int], ...] = ()
        if place >= plan.quorum:  # the quorum is reached without it
            start = plan.begin + dice.randrange(round(plan.days * DAY))
            away = ((start, start + 6 * HOUR),)
        if plan.unseen_ms:
            away = ((plan.begin + DAY, plan.begin + DAY + plan.unseen_ms),)
        watchers.append(Watcher(f"w{place}", key, dice.choice((1, 2, 5)) * SECOND, away, dice.choice((0, 0, -2, 3))))
    log = Log(SignerKey.generate(origin, entropy), clock, dice, watchers, plan.quorum, plan.pace)
    town = Town(
        log=log,
        clock=clock,
        entropy=entropy,
        dice=dice,
        kind=plan.kind,  # type: ignore[arg-type]  # one of its words
        recorder=Recorder(origin=origin, clock=clock, entropy=entropy),
    )
    for name in ("authority", "oversight-office", *CUSTODIANS):
        town.keys[name] = SignerKey.generate(f"{name}.exampleton.example", entropy)
    town.openings.append(X25519PrivateKey.from_private_bytes(entropy.bytes(32)))
    return town
