"""The workers of a deployment: spawned, told, heard, started again when they die, and stopped in order."""

from __future__ import annotations

import logging
import multiprocessing
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

from watchglass.core.errors import BadInput
from watchglass.core.time import HOUR, SECOND, Clock
from watchglass.perception.messages import Order, Report, SourceSpec, Stop
from watchglass.runtime import worker

log = logging.getLogger(__name__)

_JOIN_S: Final = 8.0
_RESTART_S: Final = (1, 2, 4, 8, 16, 30)
_STEADY_MS: Final = 60 * SECOND
_SOUND_MS: Final = HOUR
_TOGETHER: Final = 2
"""So often may a worker die within an hour of its start before its sources are parted."""


@dataclass(slots=True)
class Worker:
    """One process and what is known of it.

    Attributes:
        crashes: how often in a row it died soon; the more, the longer it waits.
        deaths: how often in a row it died within an hour.
        again_ms: when it is due again.
    """

    specs: tuple[SourceSpec, ...]
    process: BaseProcess
    pipe: Connection
    started_ms: int
    crashes: int = 0
    deaths: int = 0
    alive: bool = True
    again_ms: int = 0


class Crew:
    """All workers.

    Args:
        inference: what runs the detector in them.
        take: gets each report, in the caller's thread.
        ended: whether a source has come to its end, so that its worker may go.
        mourn: is told of a worker that ended by itself.
        again: gives a source's spec as it must be where its worker is started again.
    """

    def __init__(
        self,
        clock: Clock,
        *,
        inference: str,
        take: Callable[[Report], None],
        ended: Callable[[str], bool],
        mourn: Callable[[Worker], None],
        again: Callable[[SourceSpec], SourceSpec] = lambda spec: spec,
    ) -> None:
        self._clock = clock
        self._inference = inference
        self._take = take
        self._ended = ended
        self._mourn = mourn
        self._again = again
        self.workers: list[Worker] = []

    def start(self, specs: tuple[SourceSpec, ...]) -> None:
        """Spawn workers for these sources."""
        self.workers = [self._spawn(group) for group in groups(specs)]

    def tell(self, order: Order) -> None:
        """Send an order to everyone."""
        for each in self.workers:
            _send(each, order)

    def tell_worker_of(self, source: str, order: Order) -> None:
        """Send an order to the worker that looks at ``source``."""
        for each in self.workers:
            if any(spec.name == source for spec in each.specs):
                _send(each, order)

    def pipes(self) -> list[Connection]:
        """What to wait on for reports."""
        return [each.pipe for each in self.workers if each.alive]

    def hear(self, ready: Iterable[object]) -> None:
        """Take one report from each pipe that is ready."""
        for each in self.workers:
            if each.pipe in ready:
                self._receive(each)

    def over(self, specs: Iterable[SourceSpec]) -> bool:
        """Whether all these sources have ended."""
        return all(self._ended(spec.name) for spec in specs)

    def all_over(self) -> bool:
        """Whether every source has ended."""
        return bool(self.workers) and all(self.over(each.specs) for each in self.workers)

    def revive(self) -> None:
        """A worker that died is started again, later each time; its sources are dark meanwhile, and that is said.

        A source that kills its worker each time (through a flaw in a decoder, for example) takes the others with it.
        So a worker that died twice goes on as two, each with half of the sources: soon the culprit is alone.
        """
        self.workers = [one for each in self.workers for one in self._revived(each)]

    def _revived(self, each: Worker) -> list[Worker]:
        now = self._clock.now()
        if each.alive and each.process.is_alive():
            return [each]
        self._drain(each)
        if self.over(each.specs):
            each.alive = False
            return [each]
        if not each.again_ms:
            lived = now - each.started_ms
            each.crashes = 0 if lived > _STEADY_MS else each.crashes
            each.deaths = 1 if lived > _SOUND_MS else each.deaths + 1
            each.again_ms = now + _RESTART_S[min(each.crashes, len(_RESTART_S) - 1)] * SECOND
            each.alive = False
            self._mourn(each)
        if now < each.again_ms:
            return [each]
        if each.process.is_alive():  # it closed its pipe and hangs
            each.process.kill()
        each.pipe.close()
        left = tuple(self._again(spec) for spec in each.specs if not self._ended(spec.name))
        parts = [left[0::2], left[1::2]] if each.deaths >= _TOGETHER and len(left) > 1 else [left]
        reborn = [self._spawn(part) for part in parts]
        for again in reborn:
            again.crashes, again.deaths = each.crashes + 1, each.deaths
        return reborn

    def stop(self) -> None:
        """Tell everyone to stop, hear what they still have to say, and see that they are gone."""
        for each in self.workers:
            if not self.over(each.specs):  # one whose sources have ended is finishing its clips
                _send(each, Stop())
        for each in self.workers:
            while each.alive and each.pipe.poll(_JOIN_S):
                self._receive(each)
            each.process.join(_JOIN_S)
            if each.process.is_alive():
                names = ", ".join(spec.name for spec in each.specs)
                log.error("The worker of %s did not end in time; what it had not sealed or sent is lost.", names)
                each.process.kill()
                each.process.join(_JOIN_S)
            each.pipe.close()
        self.workers = []

    def _spawn(self, specs: tuple[SourceSpec, ...]) -> Worker:
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=worker.main, args=(theirs, specs, self._inference), name=f"watchglass {specs[0].name}", daemon=True
        )
        process.start()
        theirs.close()
        return Worker(specs, process, ours, self._clock.now())

    def _receive(self, each: Worker) -> None:
        try:
            report = each.pipe.recv()
        except (EOFError, OSError):
            each.alive = False
        else:
            self._take(report)

    def _drain(self, each: Worker) -> None:
        """Take what a worker said before it ended: what lies in the pipe is as true as what came before it."""
        each.alive = each.alive or not each.pipe.closed
        while each.alive:
            try:
                waiting = each.pipe.poll(0)
            except OSError:
                waiting = False
            if not waiting:
                break
            self._receive(each)
        each.alive = False


def _send(to: Worker, order: Order) -> None:
    if to.alive:
        try:
            to.pipe.send(order)
        except OSError:
            to.alive = False


def groups(specs: tuple[SourceSpec, ...]) -> list[tuple[SourceSpec, ...]]:
    """Sources spread over worker processes: one core is left for the house where there is more than one."""
    if not specs:
        raise BadInput("The charter has no source.", fix="Add one under `sources`.")
    count = max(1, min(len(specs), (os.cpu_count() or 1) - 1))
    return [specs[index::count] for index in range(count)]
