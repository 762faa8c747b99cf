"""Tells destinations outside: finds what they must be told, decides by the charter, and keeps a queue for each.

What is to be told is found in the database, never handed over in memory, so that a crash between a verdict and its
notice loses nothing. Each notice is recorded before it leaves and sent until the receiver has said that it has it: at
least once, always with the same id and the same bytes. The charter is asked for every attempt.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from watchglass.acts.alerts import the_alert
from watchglass.acts.context import Acting
from watchglass.acts.judged import Stop, on_trial, stops
from watchglass.acts.notice_text import Letterhead, about_alert, about_stop
from watchglass.acts.notices import Draft, Fate, Status, told
from watchglass.acts.reading import history_until
from watchglass.acts.send_notice import send_notice, tell_stop
from watchglass.acts.settle_notice import settle_notice
from watchglass.acts.shown import shown_again
from watchglass.acts.standing import charter_of
from watchglass.acts.withhold_notice import withhold_notice
from watchglass.charter.decide import Standing, decide
from watchglass.charter.model import LIFE_SAFETY, Analytic, Charter, Destination
from watchglass.charter.permit import SendNotice, TellStop
from watchglass.charter.telling import speakers, told_of_stops
from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput, CannotRecord, Refused, WatchglassError
from watchglass.core.time import DAY, MINUTE
from watchglass.records.outbox import Reader, Row
from watchglass.review.model import UNDO_WINDOW, Alert, AlertState, VerdictValue
from watchglass.runtime.lane import LOOK_S, Backoff, Lane, NoWay, Running, Sender

log = logging.getLogger(__name__)

LOOK_BACK_MS: Final = DAY
"""After a stop, what happened before it is told late; what is older than a day is not told any more."""
_MARGIN_MS: Final = MINUTE

Connect = Callable[[Destination, Charter, frozenset[str]], Sender]
"""Makes the way out to a destination of a charter; the names are of analytics that told it something once."""


class Notifier:
    """One per deployment.

    Args:
        standing: what is in force now. connect: the way out to a destination.
    """

    def __init__(self, acting: Acting, standing: Callable[[], Standing], connect: Connect, head: Letterhead) -> None:
        self._acting = acting
        self._standing = standing
        self._connect = connect
        self._head = head
        self._wanted: dict[str, Destination] = {}
        self._running: dict[str, Running] = {}
        self._ending: list[Running] = []
        self._since = 0
        self._complaint = ""

    def run(self, stop: threading.Event) -> None:
        """Work until ``stop`` is set, then let the notices at hand end."""
        try:
            while not stop.wait(LOOK_S):
                try:
                    self.look()
                except CannotRecord as error:
                    self._complain("Notices wait, because nothing can be recorded", error)
                except WatchglassError as error:
                    self._complain("Notices wait", error)
                except Exception:  # who must be told must not depend on one bad row
                    log.exception("Notices met a fault in Watchglass.")
        finally:
            for each in self._running.values():
                each.stop()
            for each in (*self._running.values(), *self._ending):
                each.join()
            self._running.clear()

    def look(self) -> None:
        """One round: follow the charter, decide about what is new, withhold what nobody may take any more."""
        standing = self._standing()
        if standing.charter is None:
            return
        self._follow(standing, standing.charter)
        self.decide_new()
        self._orphans(standing.charter)
        self._complaint = ""

    def decide_new(self) -> None:
        """Decide about everything that destinations must be told and that was not decided about yet."""
        standing = self._standing()
        if standing.charter is not None:
            for draft, asked in self._new(standing.charter):  # in turn: each rests on what was decided before
                self._decide(standing, standing.charter, draft, asked)

    def post(self, destination: str) -> None:
        """Try once what waits for one destination, in this thread: for the command line, where nothing else runs."""
        charter = self._standing().charter
        known = next((each for each in charter.destinations if each.name == destination), None) if charter else None
        if charter is None or known is None:
            raise BadInput(f"The charter has no destination called “{destination}”.", fix="Look into the charter.")
        lane = self._lane(charter, known)
        try:
            while lane.step():
                pass
        finally:
            lane.sender.close()

    # ---- destinations --------------------------------------------------------------------------------------------

    def _follow(self, standing: Standing, charter: Charter) -> None:
        """A lane for each destination that may be told something now; others end."""
        self._wanted = {each.name: each for each in charter.destinations if self._open(standing, charter, each)}
        named = {each.name for each in charter.destinations}
        for name, running in tuple(self._running.items()):
            if running.key != self._key(charter, name):
                running.stop(forget=name not in named)
                self._ending.append(self._running.pop(name))
        self._ending = [each for each in self._ending if each.alive]
        ending = {each.lane.destination.name for each in self._ending}  # the old connection ends before the new begins
        for name in self._wanted.keys() - self._running.keys() - ending:
            self._running[name] = Running(self._lane(charter, self._wanted[name]), self._key(charter, name))

    def _key(self, charter: Charter, name: str) -> object:
        """What a lane depends on: when it changes, another takes its place."""
        return self._wanted.get(name), self._tellers(charter, name), charter.charter

    def _lane(self, charter: Charter, destination: Destination) -> Lane:
        gone = self._gone(destination.name, self._tellers(charter, destination.name))
        sender: Sender
        try:
            sender = self._connect(destination, charter, gone)
        except WatchglassError as error:  # its notices say why; the others must go on
            log.error("Nothing can be sent to %s: %s %s", destination.name, error.message, error.fix)
            sender = NoWay(error)
        return Lane(self._acting, self._standing, destination, sender, Backoff(self._acting.entropy))

    def _open(self, standing: Standing, charter: Charter, destination: Destination) -> bool:
        """Whether the charter lets at least one analytic tell it something now."""
        now = self._acting.clock.now()
        for name in self._tellers(charter, destination.name):
            for asked in (SendNotice(destination.name, name, decided=True), TellStop(destination.name, name)):
                try:
                    decide(standing, asked, now)
                except Refused:
                    continue
                return True
        return False

    @staticmethod
    def _tellers(charter: Charter, destination: str) -> frozenset[str]:
        return frozenset(speakers(charter, destination))

    def _gone(self, destination: str, tellers: frozenset[str]) -> frozenset[str]:
        """Analytics that some published charter let tell the destination, and this one does not."""
        rows = self._acting.store.read().all("SELECT text FROM charter_version")
        ever = {name for row in rows for name in self._tellers(charter_of(bytes(row["text"])), destination)}
        return frozenset(ever - tellers)

    # ---- what is new ---------------------------------------------------------------------------------------------

    def _new(self, charter: Charter) -> Iterator[tuple[Draft, SendNotice | TellStop]]:
        """What destinations must be told and was not decided about yet, with what the charter is asked for it."""
        reader, now = self._acting.store.read(), self._acting.clock.now()
        telling = {analytic.name: analytic for analytic in charter.analytics if analytic.tell}
        since = max(self._since or now - LOOK_BACK_MS, history_until(reader))
        if telling:
            for alert in self._raised(reader, since):
                yield from self._drafts(reader, charter, telling, alert, None)
            rows = reader.all("SELECT * FROM verdict WHERE decided_ms > ? ORDER BY id", since - UNDO_WINDOW)
            for row in rows:
                if row["decided_ms"] > history_until(reader):
                    yield from self._drafts(reader, charter, telling, the_alert(reader, row["alert"]), row)
        yield from self._stops(reader, charter, since)
        self._since = now - _MARGIN_MS

    def _stops(self, reader: Reader, charter: Charter, since_ms: int) -> Iterator[tuple[Draft, TellStop]]:
        """What roles must be told through their destinations of analytics that limits stopped, and of their return."""
        names = {each.name for each in charter.analytics if charter.limits_of(each.name) is not None}
        kept = on_trial(reader, charter)
        for stop in reversed(stops(reader) if told_of_stops(charter) else []):
            news = [(Status.STOPPED, stop.stopped_ms), (Status.RESUMED, stop.over_ms)]
            for status, at_ms in news:
                if at_ms is None or at_ms <= since_ms or stop.analytic not in names:
                    continue
                event = f"{status}:{stop.analytic}:{stop.leaf_hash.hex()}"
                for destination in self._whom(reader, charter, stop, status):
                    if told(reader, event, destination) is None:
                        number, now = self._acting.entropy.bytes(8).hex(), self._acting.clock.now()
                        body = about_stop(
                            self._head, charter, stop, status, kept=stop.analytic in kept, notice=number, now_ms=now
                        )
                        draft = Draft(number, event, destination, stop.analytic, None, status, body)
                        yield draft, TellStop(destination, stop.analytic)

    @staticmethod
    def _whom(reader: Reader, charter: Charter, stop: Stop, status: Status) -> tuple[str, ...]:
        """Whom the charter lets be told; of a stop, the one too that it came under: a later one reaches not back."""
        now = tuple(each.name for each in told_of_stops(charter))
        if status is not Status.STOPPED or stop.version == charter.version:
            return now
        row = reader.one("SELECT text FROM charter_version WHERE version = ?", stop.version)
        then = {each.name for each in told_of_stops(charter_of(bytes(row["text"])))} if row else set()
        return tuple(name for name in now if name in then)

    @staticmethod
    def _raised(reader: Reader, since_ms: int) -> Iterator[Alert]:
        rows = reader.all("SELECT id, kind FROM alert WHERE raised_ms > ? ORDER BY raised_ms", since_ms)
        for row in rows:
            if row["kind"] in LIFE_SAFETY:
                yield the_alert(reader, row["id"])

    def _drafts(
        self, reader: Reader, charter: Charter, telling: Mapping[str, Analytic], alert: Alert, verdict: Row | None
    ) -> Iterator[tuple[Draft, SendNotice]]:
        analytic = telling.get(alert.analytic)
        if analytic is None or (verdict is None and analytic.notify != "at_once"):
            return
        then = self._tell_then(reader, alert)
        kept = alert.analytic in on_trial(reader, charter)
        for destination in analytic.tell:
            if destination in then:
                for event, status in _news(reader, alert, verdict, destination):
                    if told(reader, event, destination) is None:
                        said = Status.NOTHING if kept else status  # on trial nobody outside is told, now or later
                        draft = self._draft(reader, charter, alert, event, destination, said)
                        yield draft, SendNotice(destination, alert.analytic, decided=verdict is not None)

    @staticmethod
    def _tell_then(reader: Reader, alert: Alert) -> tuple[str, ...]:
        """Whom the charter that the alert was raised under lets be told: a later one does not reach back."""
        row = reader.one("SELECT text FROM charter_version WHERE sha256 = ?", unb64(alert.charter, length=32))
        analytics = charter_of(bytes(row["text"])).analytics if row else ()
        return next((each.tell for each in analytics if each.name == alert.analytic), ())

    def _draft(
        self, reader: Reader, charter: Charter, alert: Alert, event: str, destination: str, status: Status
    ) -> Draft:
        number = self._acting.entropy.bytes(8).hex()
        body = b""
        if status is not Status.NOTHING:
            now = self._acting.clock.now()
            body = about_alert(reader, self._head, charter, alert, status, notice=number, now_ms=now)
        return Draft(number, event, destination, alert.analytic, alert.id, status, body)

    def _decide(self, standing: Standing, charter: Charter, draft: Draft, asked: SendNotice | TellStop) -> None:
        try:
            permit = decide(standing, asked, self._acting.clock.now())
        except Refused as refusal:
            withhold_notice(self._acting, charter, draft, refusal.message)
            return
        if isinstance(asked, TellStop):
            tell_stop(self._acting, permit, draft)
        else:
            send_notice(self._acting, permit, draft)

    def _orphans(self, charter: Charter) -> None:
        """Withhold what waits for a destination that may be told nothing any more."""
        busy = self._wanted.keys() | {each.lane.destination.name for each in self._ending}
        rows = self._acting.store.read().all("SELECT id, destination, status, tries FROM notice WHERE outcome IS NULL")
        for row in rows:
            if row["destination"] not in busy:
                fate = Fate.NOTHING if row["status"] == Status.NOTHING else Fate.WITHHELD
                cause = "" if fate is Fate.NOTHING else "The charter lets nobody tell this destination anything now."
                settle_notice(self._acting, charter, row["id"], fate, tries=row["tries"], cause=cause)

    def _complain(self, what: str, error: WatchglassError) -> None:
        if error.message != self._complaint:
            self._complaint = error.message
            log.error("%s: %s %s", what, error.message, error.fix)


_OF_VERDICT: Final[Mapping[VerdictValue, Status]] = {
    VerdictValue.CONFIRM: Status.CONFIRMED,
    VerdictValue.REJECT: Status.REJECTED,
    VerdictValue.UNSURE: Status.UNSURE,
}


def _news(reader: Reader, alert: Alert, verdict: Row | None, destination: str) -> Iterator[tuple[str, Status]]:
    """What there is to say to one destination about an alert (``verdict`` None) or a verdict: event and status."""
    raised = f"raised:{alert.id}"
    new = shown_again(reader, alert.id) is None  # else nobody is told anything, and the records are the same
    if verdict is None:
        yield raised, Status.UNCONFIRMED if new and alert.state is AlertState.WAITING else Status.NOTHING
        return
    decided, withdrawn = f"decided:{alert.id}:{verdict['id']}", f"withdrawn:{alert.id}:{verdict['id']}"
    value = VerdictValue(verdict["value"])
    knows = told(reader, raised, destination) is Status.UNCONFIRMED
    wanted = new and (value is VerdictValue.CONFIRM or knows)
    yield decided, _OF_VERDICT[value] if wanted and verdict["withdrawn_ms"] is None else Status.NOTHING
    if verdict["withdrawn_ms"] is not None:
        before = told(reader, decided, destination)
        yield withdrawn, Status.NOTHING if before in {None, Status.NOTHING} else Status.WITHDRAWN
