"""The queue of one destination: one notice at a time, tried until the receiver has it, for half an hour at most.

A destination that is down, slow or lying holds up its own queue and nothing else: each has a thread of its own, every
attempt has a deadline, and after a few failures the destination rests.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from watchglass.acts.context import Acting
from watchglass.acts.notices import Fate, Notice, Status, asked_of, has_newer, next_due, overtaken
from watchglass.acts.settle_notice import settle_notice
from watchglass.charter.decide import Standing, decide
from watchglass.charter.model import Destination
from watchglass.core.entropy import Entropy
from watchglass.core.errors import CannotRecord, Refused, WatchglassError
from watchglass.core.time import MINUTE, SECOND
from watchglass.edge.notify.letter import Letter, Undelivered

log = logging.getLogger(__name__)

LOOK_S: Final = 0.25
"""How often the database is asked what is new."""
GIVE_UP_MS: Final = 30 * MINUTE
"""A notice that is not delivered by then is a dead letter, and a person decides."""
FIRST_WAIT_MS: Final = SECOND
LONGEST_WAIT_MS: Final = MINUTE
"""Between attempts, doubling from the first to the longest, each with up to half of it more by chance."""
TRIP: Final = 3
"""After so many failures in a row a destination rests, whatever waits for it, and then is tried with one notice."""
BURST: Final = 30
PACE_MS: Final = 2 * SECOND
"""So many notices at once; beyond that one in this time, so that a rule gone wild does not bury a receiver."""
_JOIN_S: Final = 20.0


class Sender(Protocol):
    """A way out to one destination. One thread uses it."""

    def send(self, letter: Letter) -> None:
        """Deliver it.

        Raises:
            Undelivered: it did not arrive. WatchglassError: it could not even leave.
        """
        ...

    def keep(self) -> None:
        """Keep a connection open, where there is one."""
        ...

    def close(self, *, forget: bool = False) -> None:
        """Let go; with ``forget``, because the charter no longer names the destination."""
        ...


class NoWay:
    """Stands for a way out that cannot be made, so that its notices wait, say why, and end as dead letters."""

    def __init__(self, error: WatchglassError) -> None:
        self._error = error

    def send(self, _letter: Letter) -> None:
        raise Undelivered(self._error.message, fix=self._error.fix)

    def keep(self) -> None:
        """There is nothing to keep."""

    def close(self, *, forget: bool = False) -> None:
        """There is nothing to close."""


@dataclass(slots=True)
class Backoff:
    """How long to wait after failures, and when a destination rests. Times in milliseconds."""

    entropy: Entropy
    failures: int = 0
    rests_until: int = 0
    _tokens: float = BURST
    _filled_ms: int = 0

    def wait_after(self, tries: int, asked_ms: int | None = None) -> int:
        """The wait after so many failed tries: exponential, with jitter, never less than the receiver asks for."""
        step = min(FIRST_WAIT_MS << min(tries - 1, 20), LONGEST_WAIT_MS)
        chance = int.from_bytes(self.entropy.bytes(2)) / 65536
        return max(int(step * (1 + chance / 2)), asked_ms or 0)

    def failed(self, now_ms: int, asked_ms: int | None) -> None:
        """The destination did not take a notice."""
        self.failures += 1
        if self.failures >= TRIP or asked_ms:
            self.rests_until = now_ms + self.wait_after(max(1, self.failures - TRIP + 1), asked_ms)

    def worked(self) -> None:
        """The destination took a notice."""
        self.failures = 0
        self.rests_until = 0

    def may(self, now_ms: int) -> bool:
        """Whether a notice may leave now; counts it as one of the burst if so."""
        if now_ms < self.rests_until:
            return False
        self._tokens = min(BURST, self._tokens + (now_ms - self._filled_ms) / PACE_MS)
        self._filled_ms = now_ms
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


@dataclass(slots=True)
class Lane:
    """The queue of one destination: one notice at a time, the oldest first, and of each alert only the newest news.

    Attributes:
        owed: fates that could not be recorded yet; nothing is sent before they are.
    """

    acting: Acting
    standing: Callable[[], Standing]
    destination: Destination
    sender: Sender
    backoff: Backoff
    owed: dict[str, tuple[Fate, int, str]] = field(default_factory=dict)

    def step(self) -> bool:
        """Deal with one notice; whether there was one to deal with."""
        for notice_id, (fate, tries, cause) in tuple(self.owed.items()):
            self._settle(notice_id, fate, tries, cause)
        if self.owed:
            return False
        reader, now = self.acting.store.read(), self.acting.clock.now()
        notice = overtaken(reader, self.destination.name) or next_due(reader, self.destination.name, now)
        if notice is None:
            return False
        if self._ended_unsent(notice, now):
            return True
        if not self.backoff.may(now):
            return self._too_old(notice, now)
        self._send(notice)
        return True

    def _ended_unsent(self, notice: Notice, now_ms: int) -> bool:
        """Whether the notice must not leave: there is nothing to say, or newer news, or the charter says no."""
        if notice.status is Status.NOTHING:
            self._settle(notice.id, Fate.NOTHING, 0, "")
            return True
        if has_newer(self.acting.store.read(), notice):
            self._settle(notice.id, Fate.OVERTAKEN, notice.tries, notice.cause)
            return True
        try:
            decide(self.standing(), asked_of(notice), now_ms)
        except Refused as refusal:
            self._settle(notice.id, Fate.WITHHELD, notice.tries, refusal.message)
            return True
        return False

    def _send(self, notice: Notice) -> None:
        tries = notice.tries + 1
        try:
            self.sender.send(Letter(notice.id, notice.analytic, notice.body))
        except WatchglassError as error:
            self._failed(notice, tries, error)
            return
        except Exception as error:  # one fault in a library must not end a destination's thread
            log.exception("A notice to %s met a fault in Watchglass.", notice.destination)
            self._failed(notice, tries, _fault(error))
            return
        self.backoff.worked()
        self._settle(notice.id, Fate.DELIVERED, tries, "")

    def _failed(self, notice: Notice, tries: int, error: WatchglassError) -> None:
        now = self.acting.clock.now()
        asked = error.after_ms if isinstance(error, Undelivered) else None
        self.backoff.failed(now, asked)
        if tries == 1:
            log.warning("A notice to %s did not arrive and is tried again: %s", notice.destination, error.message)
        if (isinstance(error, Undelivered) and error.final) or now - notice.since_ms >= GIVE_UP_MS:
            self._settle(notice.id, Fate.UNDELIVERED, tries, error.message)
            return
        due = now + self.backoff.wait_after(tries, asked)
        try:
            self.acting.store.commit(
                lambda tx: tx.execute(
                    "UPDATE notice SET tries = ?, due_ms = ?, cause = ? WHERE id = ? AND outcome IS NULL",
                    tries,
                    due,
                    error.message,
                    notice.id,
                )
            )
        except CannotRecord:  # it is due at once then; the destination's rest slows it down
            log.warning("That a notice to %s failed could not be noted.", notice.destination)

    def _too_old(self, notice: Notice, now_ms: int) -> bool:
        if now_ms - notice.since_ms < GIVE_UP_MS:
            return False
        cause = notice.cause or "The destination took nothing for half an hour, or had too much to take."
        self._settle(notice.id, Fate.UNDELIVERED, notice.tries, cause)
        return True

    def _settle(self, notice_id: str, fate: Fate, tries: int, cause: str) -> None:
        charter = self.standing().charter
        assert charter is not None  # a notice was decided under one, and what was published stays
        try:
            settle_notice(self.acting, charter, notice_id, fate, tries=tries, cause=cause)
        except CannotRecord:
            self.owed[notice_id] = (fate, tries, cause)
            return
        except WatchglassError as error:  # retention took it away meanwhile
            log.info("A notice could not be settled: %s", error.message)
        self.owed.pop(notice_id, None)
        if fate in {Fate.UNDELIVERED, Fate.WITHHELD}:
            log.error("A notice to %s was %s: %s See /notices.", self.destination.name, fate, cause)


def _fault(error: Exception) -> Undelivered:
    return Undelivered(f"There was a fault in Watchglass: {type(error).__name__}.", fix="Report it with the log.")


class Running:
    """A lane in its thread."""

    def __init__(self, lane: Lane, key: object) -> None:
        self.lane = lane
        self.key = key
        self._stop = threading.Event()
        self._forget = False
        self._thread = threading.Thread(
            target=self._work, name=f"watchglass-notices-{lane.destination.name}", daemon=True
        )
        self._thread.start()

    def _work(self) -> None:
        complained = ""
        while not self._stop.is_set():
            busy = False
            try:
                busy = self.lane.step()
                self.lane.sender.keep()
                complained = ""
            except WatchglassError as error:
                if error.message != complained:
                    log.error("Notices to %s wait: %s %s", self.lane.destination.name, error.message, error.fix)
                complained = error.message
            except Exception:  # a thread that dies silently would leave notices waiting for ever
                log.exception("Notices to %s met a fault in Watchglass.", self.lane.destination.name)
            if not busy:
                self._stop.wait(LOOK_S)
        self.lane.sender.close(forget=self._forget)

    def stop(self, *, forget: bool = False) -> None:
        """Ask it to end after the notice at hand."""
        self._forget = forget
        self._stop.set()

    @property
    def alive(self) -> bool:
        """Whether the notice at hand, or the farewell, still takes its time."""
        return self._thread.is_alive()

    def join(self) -> None:
        """Wait for its end, for a while."""
        self._thread.join(_JOIN_S)
