"""Acts: a run starts and stops, so that dark time has edges."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Literal

from watchglass import __version__
from watchglass.acts.context import Acting, Done, attest, do
from watchglass.charter.model import Charter
from watchglass.core.digest import b64
from watchglass.core.time import SECOND
from watchglass.records.outbox import Transaction

Cause = Literal["asked", "sources_ended", "charter_ended", "fault", "found_after_crash"]


def start_run(
    acting: Acting, charter: Charter | None, models: Mapping[str, bytes], sources: Sequence[str]
) -> Done[str]:
    """Record which software and which models begin to look at which sources; close a run that was cut off.

    Returns:
        The run's id.
    """
    run = acting.entropy.bytes(8).hex()

    def act(tx: Transaction) -> str:
        row = tx.one("SELECT value FROM setting WHERE key = 'run'")
        if row is not None and row["value"]:
            _stop(acting, tx, row["value"], "found_after_crash", charter)
        leaf = attest(
            acting,
            tx,
            "run_started",
            by=None,
            under=charter,
            clear={
                "run": run,
                "software": f"watchglass-{__version__}",
                "models": {name: b64(digest) for name, digest in sorted(models.items())},
                "sources": sorted(sources),
            },
        )
        tx.execute(_SET_RUN, run)
        every_ms = charter.ledger.heartbeat_every_ms if charter else None
        tx.insert(
            "run",
            {
                "run": run,
                "charter": charter.sha256 if charter else None,
                "sources": json.dumps(sorted(sources)),
                "every_s": every_ms // SECOND if every_ms is not None else None,
                "started_ms": acting.clock.now(),
                "started_leaf_hash": leaf,
            },
        )
        return run

    return do(acting, act)


def stop_run(acting: Acting, charter: Charter | None, run: str, cause: Cause) -> Done[None]:
    """Record that the run ended, and why."""

    def act(tx: Transaction) -> None:
        _stop(acting, tx, run, cause, charter)
        tx.execute(_SET_RUN, "")

    return do(acting, act)


_SET_RUN = "INSERT INTO setting (key, value) VALUES ('run', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"


def _stop(acting: Acting, tx: Transaction, run: str, cause: Cause, charter: Charter | None) -> None:
    leaf = attest(acting, tx, "run_stopped", by=None, under=charter, clear={"run": run, "cause": cause})
    tx.execute(
        "UPDATE run SET stopped_ms = ?, cause = ?, stopped_leaf_hash = ? WHERE run = ?",
        acting.clock.now(),
        cause,
        leaf,
        run,
    )
