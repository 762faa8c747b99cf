"""How fast a log is audited, and whether the audit names what is dishonest. Read by ``watchglass bench audit``.

Every log here is made by the product's own recorder, charter and ledger (``made_life``). Time is processor time of one
core. What is timed is what ``watchglass audit`` does with a log that lies in memory: every hash, tile and root is made
again, every entry is read, every signature and cosignature verified, every promise looked at. A log in which one act
in fifty is signed is what a deployment of two cameras writes that beats every half hour and has some alerts an hour.
The bare verification of the same log (no entry is read, no act judged) is timed in the same run, and so is Ed25519.

What is planted, and what the audit named, stands in docs/reference/audit-breaches.md.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

from audited import audited, auditor_of, named
from dishonest import Lie, Made, handed_over, tell
from lies import LIES, PENDING
from made_life import BEGIN, Life, Plan, plan
from made_log import MemoryTiles, files_of
from made_stories import live
from measures import Figure, figure, wilson
from watchglass.core.time import HOUR, MINUTE
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger import policy as policies
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.verify import verify_log
from watchglass.oversight.report import State

Progress = Callable[[str], None]

PARTS = ("speed", "breaches", "honest")
TARGET = 16_700
DAYS = {True: 6.0, False: 20.0}
ROUNDS = {True: 3, False: 7}
SEEDS = {True: (1,), False: (1, 2, 3)}
HONEST = {True: 12, False: 120}
SHORT = 3.0
"""Days of an honest deployment in a quick run; a long one draws them, up to forty."""
SIGNED_ONE_IN = 50


def figures(*, quick: bool, progress: Progress, only: Sequence[str] = ()) -> list[Figure]:
    """The figures of ``watchglass bench audit``."""
    parts = only or PARTS
    made: list[Figure] = []
    if "speed" in parts:
        made += _speed(DAYS[quick], ROUNDS[quick], progress)
    if "breaches" in parts:
        made += _breaches(SEEDS[quick], progress)
    if "honest" in parts:
        made += _honest(HONEST[quick], SHORT if quick else None, progress)
    return made


# ---- speed -----------------------------------------------------------------------------------------------------------


def busy(days: float) -> Made:
    """A log in which about one act in fifty is signed."""
    plan_ = Plan(
        7, days, begin=BEGIN, sources=2, witnesses=2, quorum=2, alerts_a_day=130.0, heartbeat_ms=30 * MINUTE,
        pace=(MINUTE, HOUR, 2 * HOUR), all_day=True, charters=0, suspensions=0, stops=0, cases=4,
    )  # fmt: skip
    return handed_over(live(Life(plan_)))


def beating(days: float) -> Made:
    """A log of little else than signed heartbeats."""
    plan_ = Plan(
        8, days, begin=BEGIN, sources=3, witnesses=1, alerts_a_day=0.2, heartbeat_ms=5 * MINUTE,
        pace=(HOUR, HOUR, 2 * HOUR), sealing=False, charters=0, suspensions=0, stops=0,
    )  # fmt: skip
    return handed_over(live(Life(plan_)))


def _speed(days: float, rounds: int, progress: Progress) -> list[Figure]:
    progress(f"Making {days:.0f} days of a busy deployment ...")
    log = busy(days)
    signed = sum(b'"basis":"signed"' in entry for entry in log.entries)
    size = len(log.entries)
    tiles = files_of(log.entries, log.note)
    hashes = [leaf_hash(entry) for entry in log.entries]
    progress(f"Auditing {size:,} entries, {signed:,} of them signed ...")
    bare, whole, deep = [], [], []
    for _ in range(rounds):
        bare.append(size / timed(lambda: verify(log, tiles)))
        whole.append(size / timed(lambda: audit(log, tiles, hashes, "structure")))
        deep.append(size / timed(lambda: audit(log, tiles, hashes, "openings")))
    beats = beating(days)
    beats_tiles, beats_hashes = files_of(beats.entries, beats.note), [leaf_hash(entry) for entry in beats.entries]
    count = sum(b'"basis":"signed"' in entry for entry in beats.entries)
    signatures = [count / timed(lambda: audit(beats, beats_tiles, beats_hashes, "structure")) for _ in range(rounds)]
    note = f"one act in {size / signed:.0f} is signed; verification of every byte included, processor time of one core"
    return [
        rate("audit_entries_per_s", whole, TARGET, "entries/s", size, note=note, against="audit_bare_verify_per_s"),
        rate("audit_openings_entries_per_s", deep, None, "entries/s", size, note="with every opening opened"),
        rate(
            "audit_bare_verify_per_s", bare, None, "entries/s", size,
            note="the same log: hashes, tiles, root and cosignatures only",
        ),
        rate(
            "audit_signatures_per_s", signatures, None, "signatures/s", count, against="audit_ed25519_per_s",
            note=f"{count:,} of {len(beats.entries):,} entries are signed; everything that is done with each is in it",
        ),
        rate("audit_ed25519_per_s", bare_signatures(rounds), None, "signatures/s", 2_000, note="nothing but Ed25519"),
    ]  # fmt: skip


def timed(call: Callable[[], object]) -> float:
    """Seconds of processor time."""
    begun = time.process_time()
    call()
    return time.process_time() - begun


def verify(made: Made, tiles: MemoryTiles) -> Any:
    """Every byte of a log."""
    return verify_log(tiles, policies.parse(made.trust.encode()))


def audit(made: Made, tiles: MemoryTiles, hashes: Sequence[bytes], depth: Any) -> None:
    """What the command does. The hashes come from the verification, which made them."""
    verified = verify(made, tiles)
    auditor = auditor_of(made, depth)
    for index, (data, digest) in enumerate(zip(made.entries, hashes, strict=True)):
        auditor.see(index, data, digest)
    report = auditor.finish(verified.checkpoint, verified.witnesses)
    assert not report.broken, [one.sentence for each in report.broken for one in each.breaches][:3]


def bare_signatures(rounds: int) -> list[float]:
    """How fast Ed25519 alone is."""
    key = SignerKey.generate("bench.example", SeededEntropy("bench audit"))
    message = b"x" * 700
    signature, found = key.sign(message), []

    def many() -> None:
        for _ in range(2_000):
            key.verifier.verify(message, signature)

    for _ in range(rounds):
        found.append(2_000 / timed(many))  # noqa: PERF401 (a round each)
    return found


def rate(
    name: str, values: Sequence[float], target: float | None, unit: str, n: int, *, note: str, against: str = ""
) -> Figure:
    """The median over rounds, and the least and greatest of them."""
    return figure(
        name, median(values), target, better="higher", unit=unit, interval=(min(values), max(values)), n=n,
        against=against or None, note=f"{note}; {len(values)} rounds",
    )  # fmt: skip


# ---- what is named ---------------------------------------------------------------------------------------------------


def _breaches(seeds: Sequence[int], progress: Progress) -> list[Figure]:
    progress(f"Telling {len(LIES)} lies, each in {len(seeds)} deployments ...")
    told = {lie.name: sum(is_named(lie, seed) for seed in seeds) for lie in LIES}
    planted, found = len(LIES) * len(seeds), sum(told.values())
    missed = [name for name, count in told.items() if count < len(seeds)]
    pending = pending_in(tell(LIES[0], seeds[0]))
    note = f"{len(LIES)} ways to be dishonest, each in {len(seeds)} made deployment{'s' * (len(seeds) > 1)}"
    return [
        figure("breaches_planted", planted, better="higher", unit="breaches", n=planted, note=note),
        {
            **figure(
                "breaches_named", found, planted, better="higher", unit="breaches", interval=wilson_of(found, planted),
                n=planted, against="breaches_planted",
                note="the promise, the entries that show it, and no other promise"
                + (f"; not so: {', '.join(missed)}" if missed else ""),
            ),
            "told": [[name, count, len(seeds)] for name, count in told.items()],
        },
        figure(
            "breaches_pending", len(pending), unit="breaches", n=len(PENDING),
            note=f"of what is not built yet, and said to be so: {', '.join(sorted(pending))}",
        ),
    ]  # fmt: skip


def is_named(lie: Lie, seed: int) -> bool:
    """Whether the audit names a lie, as it should."""
    made = tell(lie, seed)
    return named(lie, made.planted, audited(made, lie.depth))


def pending_in(made: Made) -> set[str]:
    """The promises that the audit says this version does not make."""
    report = audited(made).report
    assert report is not None
    return {each.promise for each in report.findings if each.state is State.PENDING}


def wilson_of(found: int, planted: int) -> tuple[float, float]:
    """Wilson's interval, as a number of breaches."""
    low, high = wilson(found, planted)
    return low * planted, high * planted


def _honest(count: int, days: float | None, progress: Progress) -> list[Figure]:
    progress(f"Making {count} honest deployments ...")
    flagged, entries, lived = 0, 0, 0.0
    for seed in range(1_000, 1_000 + count):
        made, drawn = honest(seed, days)
        flagged += any(audited(made, depth).broken for depth in ("structure", "openings"))
        entries += len(made.entries)
        lived += drawn.days
    low, high = wilson(flagged, count)
    return [
        figure(
            "honest_deployments_flagged", flagged, 0, unit="deployments", interval=(low * count, high * count), n=count,
            note=f"{lived:,.0f} days and {entries:,} entries in all, at both depths",
        )
    ]  # fmt: skip


def honest(seed: int, days: float | None) -> tuple[Made, Plan]:
    """An honest deployment, as an auditor gets it."""
    drawn = plan(seed, days=days)
    return handed_over(live(Life(replace(drawn)))), drawn
