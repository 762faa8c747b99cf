"""One deployment, put together from its parts."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Self

from watchglass import __version__
from watchglass.acts.context import Acting, Done, Objects, attest
from watchglass.acts.custody_reading import answer, guard, segment_data
from watchglass.acts.grant_releases import grant_releases
from watchglass.acts.inspect_openings import OPENINGS, answer_openings
from watchglass.acts.notice_text import Letterhead, about_nothing
from watchglass.acts.notices import Draft, Status
from watchglass.acts.public_ledger import trust_file
from watchglass.acts.publish_charter import publish_charter
from watchglass.acts.signed import accept
from watchglass.acts.standing import charter_of, describe, standing
from watchglass.acts.suspend import note_obeyed
from watchglass.acts.years import archives
from watchglass.bootstrap.awaiting import APPROVED, DRAFT, Awaiting
from watchglass.bootstrap.nightly import NightlyAudit
from watchglass.bootstrap.originals import originals
from watchglass.bootstrap.upkeep import Upkeep
from watchglass.bootstrap.watching import Watch
from watchglass.bootstrap.ways_out import portal_address, ways_out
from watchglass.bootstrap.yearly import YearBegins
from watchglass.charter.decide import Standing, decide
from watchglass.charter.model import Charter, Deployment
from watchglass.charter.permit import LookAt
from watchglass.charter.telling import speakers
from watchglass.core.digest import b64
from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, WatchglassError
from watchglass.core.time import Clock
from watchglass.edge.calibration import calibration
from watchglass.edge.clock import SystemClock
from watchglass.edge.drafts import DraftFile
from watchglass.edge.entropy import SystemEntropy
from watchglass.edge.inference import MODEL, shipped
from watchglass.edge.inference import load as load_detector
from watchglass.edge.keys import (
    parse_openings_key,
    read_signing_key,
)
from watchglass.edge.objects import CLIPS, ClipMemory, ObjectFiles
from watchglass.edge.secrets import SecretFolder
from watchglass.edge.store.committer import Store
from watchglass.edge.tiles import TileDirectory
from watchglass.edge.video import VideoFile
from watchglass.ledger.keys import SignerKey, VerifierKey
from watchglass.perception.messages import Report, SamplesSpec, SourceEnded
from watchglass.records.act_spec import Lane
from watchglass.records.query import SignedQuery
from watchglass.records.recorder import Recorder
from watchglass.records.statement import SignedStatement
from watchglass.runtime.bus import Bus
from watchglass.runtime.layout import Layout, Settings, read_settings
from watchglass.runtime.limits import Limits
from watchglass.runtime.live import Live
from watchglass.runtime.lodged import EVERY_S
from watchglass.runtime.notifier import Notifier
from watchglass.runtime.rereading import Rereading
from watchglass.runtime.sequencer import Sequencer
from watchglass.runtime.specs import specs_of
from watchglass.runtime.supervisor import Supervisor
from watchglass.runtime.worker import run_once
from watchglass.views.scenes import DAY

log = logging.getLogger(__name__)

_WATCH_S: Final = 0.25
_JOIN_S: Final = 30.0


class House:
    """One deployment, opened: its store, its log, its acts, and (once started) everything that runs.

    Args:
        root: the deployment's directory.
        clock: the time of everything in it; a virtual one only for the demo's history and tests.
    """

    def __init__(self, root: Path, *, clock: Clock | None = None, entropy: Entropy | None = None) -> None:
        self.layout = Layout(root)
        self.settings: Settings = read_settings(self.layout)
        self.origin = self.settings.origin
        self.kind: Deployment = self.settings.deployment
        self.clock: Clock = clock or SystemClock()
        self.entropy: Entropy = entropy or SystemEntropy()
        self._log_signer: SignerKey = read_signing_key(self.layout.log_key)
        if self._log_signer.name != self.origin:
            raise BadInput(
                f"The log's key is of {self._log_signer.name}, and the deployment of {self.origin}.",
                fix="Restore keys/log.key or deployment.yaml from a backup: the origin can never change.",
            )
        self.store = Store(self.layout.database, clock=self.clock, signer=self._log_signer)
        try:
            self._open()
        except BaseException:
            self.store.close()
            raise

    def _open(self) -> None:
        self.tiles = TileDirectory(self.layout.ledger)
        self.sequencer = Sequencer(self.store, self.tiles, self._log_signer, self.clock)
        self.secrets = SecretFolder(self.layout.secrets)
        clips: Objects = ClipMemory() if self.kind == "trial" else ObjectFiles(self.layout.clips, CLIPS)
        self.originals = originals(self.layout, self.settings, self.secrets)
        recorder = Recorder(origin=self.origin, clock=self.clock, entropy=self.entropy)
        self.acting = Acting(self.store, recorder, self.clock, self.entropy, clips, self.originals)
        self.draft = DraftFile(self.layout.charter)
        self.awaiting = Awaiting(self.acting, self.draft, self.kind)
        self.bus = Bus()
        self.live = Live(self.bus, self.clock)
        self.letterhead = Letterhead(self.origin, self.kind, portal_address(self.settings))
        self.notifier = Notifier(
            self.acting, self.standing, ways_out(self.settings, self.secrets, self.clock), self.letterhead
        )
        self.rereading = Rereading(self.acting, self.standing, self.bus)
        self.limits = Limits(self.acting, self.standing, self.cosigned_size, self.nudge)
        self.calibration = calibration()
        self.finished = threading.Event()
        self.failure: BaseException | None = None
        self._supervisor: Supervisor | None = None
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._configured: tuple[bytes, bytes] | None = None
        self.watch = Watch(self.acting, self.sequencer, self._take_lodged)
        self.nightly = NightlyAudit(
            *(self.layout.audits, self.layout.ledger, self.trust_file, self.clock),
            year=lambda: next((each.year for each in archives(self.store.read())), None),
        )
        yearly = YearBegins(self.acting, self.tiles, self.layout.audits / "years", self.nudge)
        self.upkeep = Upkeep(
            *(self.acting, self.store, lambda: self.standing().charter, self.originals, self.nightly, yearly),
            judge=self.limits.look,
        )
        self._open_log()
        self.configure()

    def _open_log(self) -> None:
        """Write the log's first entry, once."""
        if self.store.read().one("SELECT 1 FROM setting WHERE key = 'origin'"):
            return

        def act(tx: Any) -> None:
            attest(
                self.acting,
                tx,
                "log_opened",
                by=None,
                under=None,
                clear={"origin": self.origin, "deployment": self.kind, "software": f"watchglass-{__version__}"},
            )
            tx.insert("setting", {"key": "origin", "value": self.origin})

        self.store.commit(act)

    # ---- what stands ---------------------------------------------------------------------------------------------

    def standing(self) -> Standing:
        """What is in force now."""
        return standing(
            self.store.read(),
            deployment=self.kind,
            cosigned_size=self.cosigned_size(),
            now_ms=self.clock.now(),
            witnessed_ms=self.sequencer.cosigning.witnessed_ms(),
        )

    def describe(self) -> dict[str, Any]:
        """What stands, for a signer's machine."""
        about = describe(self.store.read(), self.standing(), origin=self.origin, cosigned_size=self.cosigned_size())
        charter = self.standing().charter
        sealing = guard(self.store.read(), charter, self.clock.now()) if charter else None
        return {**about, "log_vkey": self.log_vkey, "guard": sealing}

    def cosigned_size(self) -> int:
        """How many entries the last checkpoint covers that enough witnesses cosigned.

        That they did is recorded before this says so (``acts.note_witnessed``).
        """
        return self.sequencer.cosigned_size()

    def checkpoint(self) -> bytes | None:
        """The published checkpoint, as signed bytes."""
        return self.tiles.read("checkpoint")

    def _newest_charter(self) -> Charter | None:
        row = self.store.read().one("SELECT text FROM charter_version ORDER BY version DESC LIMIT 1")
        return charter_of(bytes(row["text"])) if row else None

    def configure(self) -> None:
        """Let the log follow the newest published charter: its pace, its witnesses, whom openings are sealed to.

        Until that charter is in force, the witnesses of the one that is are asked too: a new one who does not answer
        yet must not stop what an old one has seen.
        """
        charter, stands = self._newest_charter(), self.standing().charter
        if charter is None or stands is None or (charter.sha256, stands.sha256) == self._configured:
            return
        self._configured = (charter.sha256, stands.sha256)
        self.store.merge_within = charter.ledger.merge_within_ms
        self.acting.recorder.seal_to(parse_openings_key(charter.oversight.openings_key))
        within = [each.ledger.witnessed_within_ms for each in (stands, charter)]
        self.sequencer.pace(
            checkpoint_every=charter.ledger.checkpoint_every_ms,
            batch_every=charter.ledger.batch_every_ms,
            witnessed_within=min((each for each in within if each is not None), default=None),
        )
        self.watch.follow(stands, charter)

    @property
    def log_key(self) -> VerifierKey:
        """The public half of the log's key."""
        return self._log_signer.verifier

    def trust_file(self) -> str:
        """The trust file that the portal gives out, with the address of the letterhead."""
        return trust_file(self.log_vkey, f"{self.letterhead.base}/log", self.standing().charter)

    @property
    def log_vkey(self) -> str:
        """The log's key as trust files write it."""
        return str(self.log_key)

    # ---- what people hand in ---------------------------------------------------------------------------------------

    def hand_in(
        self, statement: SignedStatement, bundle: bytes | None = None, *, lodged_ms: int | None = None
    ) -> dict[str, Any]:
        """Take a signed act from its signer's own machine, with the re-sealed shares that some come with.

        Args:
            lodged_ms: when a witness got it, where it was lodged with one.
        """
        if statement.leaf.act == APPROVED:
            return self._approve(statement)
        cosigned = self.cosigned_size()
        done = accept(
            self.acting, self.standing(), statement, cosigned_size=cosigned, bundle=bundle, lodged_ms=lodged_ms
        )
        row = self.store.read().one("SELECT leaf FROM outbox WHERE leaf_hash = ?", done.value)
        leaf = bytes(row["leaf"]).decode("utf-8") if row else None  # None: it is in the published log already
        self.nudge()
        return {"leaf_hash": b64(done.value), "leaf": leaf, "receipt": done.receipts[0].as_json()}

    def _approve(self, statement: SignedStatement) -> dict[str, Any]:
        """Keep an approval of the draft; with the second one, publish it. Nothing is recorded before that."""
        approvals = self.awaiting.approve(self.standing(), statement)
        if approvals.missing:
            return {"leaf_hash": None, "leaf": None, "receipt": None, "waits_for": approvals.missing}
        by, role = list(approvals.valid), str(statement.leaf.clear["as_role"])
        done = self._publish(approvals.text, [approvals.valid[each] for each in by])
        self.awaiting.forget()
        row = self.store.read().one(
            "SELECT leaf_hash, outbox.leaf AS leaf FROM charter_approval LEFT JOIN outbox USING (leaf_hash)"
            " WHERE sha256 = ? AND as_role = ?",
            done.value.sha256,
            role,
        )
        assert row is not None
        return {
            "leaf_hash": b64(bytes(row["leaf_hash"])),
            "leaf": bytes(row["leaf"]).decode("utf-8") if row["leaf"] else None,
            "receipt": done.receipts[1 + by.index(role)].as_json(),  # the first is of the publication itself
            "waits_for": [],
        }

    def ask(self, query: SignedQuery) -> dict[str, Any]:
        """What the asker of a signed question may read. That openings were taken is recorded; else nothing changes."""
        if query.what == DRAFT:
            return self.awaiting.shown(self.standing(), query)
        if query.what == OPENINGS:
            return answer_openings(self.acting, self.standing(), query)
        return answer(self.acting, self.standing(), query, cosigned_size=self.cosigned_size())

    def sealed_segment(self, query: SignedQuery) -> bytes:
        """A sealed segment of a release that the asker took."""
        return segment_data(self.acting, self.standing(), query, cosigned_size=self.cosigned_size())

    def publish(self, text: bytes, approvals: Sequence[SignedStatement]) -> dict[str, Any]:
        """Take a charter that both have signed."""
        done = self._publish(text, approvals)
        return {
            "version": done.value.version,
            "sha256": done.value.digest,
            "receipt": done.receipts[0].as_json(),
        }

    def _publish(self, text: bytes, approvals: Sequence[SignedStatement]) -> Done[Charter]:
        done = publish_charter(self.acting, self.standing(), text, approvals)
        self.configure()
        self.nudge()
        return done

    def _take_lodged(self, order: SignedStatement, lodged_ms: int) -> None:
        """Obey an order that was lodged with a witness."""
        self.hand_in(order, lodged_ms=lodged_ms)

    def note_obeyed(self, order: bytes, *, within_ms: int) -> None:
        """Record that nothing of an order's scope runs; for a house without workers, where that holds at once."""
        charter = self.standing().charter
        assert charter is not None
        note_obeyed(self.acting, charter, order, within_ms=within_ms)

    def nudge(self) -> None:
        """Something was decided that cannot wait for the next half second."""
        self.sequencer.nudge((Lane.PROMPT,))
        self.bus.publish("standing", {"type": "standing"})
        if self._supervisor is not None:
            self._supervisor.wake()

    def test_of(self, destination: str) -> Draft:
        """A test for a destination of the charter, ready to be decided about.

        Raises:
            BadInput: the charter names no such destination, or nothing tells it anything.
        """
        charter = self.standing().charter
        tellers = speakers(charter, destination) if charter is not None else ()
        if charter is None or not tellers:
            known = ", ".join(each.name for each in charter.destinations) if charter else ""
            raise BadInput(
                f"No analytic of the charter tells a destination called “{destination}”.",
                fix=f"Use one of these: {known or 'there are none'}.",
            )
        number = self.entropy.bytes(8).hex()
        body = about_nothing(self.letterhead, charter, notice=number, now_ms=self.clock.now())
        return Draft(number, f"test:{number}", destination, tellers[0], None, Status.TEST, body)

    def backdrop_changed(self, source: str, scene: str) -> None:
        """An act confirmed or withdrew the backdrop of one view: worker and pages follow."""
        if self._supervisor is not None:
            self._supervisor.backdrop_changed(source, scene)

    # ---- running ---------------------------------------------------------------------------------------------------

    def start(self, *, once: bool = False) -> Supervisor:
        """Start the sequencer, the workers and what watches over both, each in threads of its own."""
        weights = shipped()
        self._supervisor = Supervisor(
            self.acting,
            self.standing,
            self.live,
            self.bus,
            media=self.layout.media,
            secret=self.secrets.get,
            models={MODEL: weights.sha256},
            more_models=self.layout.models,
            inference=self.settings.inference,
            once=once,
        )
        for store in (self.acting.clips, self.originals):
            if isinstance(store, ObjectFiles):
                with suppress(OSError):  # it says so when something is to be written
                    store.sweep()
        self.sequencer.start()
        self._thread("watch", self._watch)
        self._thread("limits", lambda: self.limits.run(self._stop))
        self._thread("lodged", self._look_for_orders)
        self._thread("rereading", lambda: self.rereading.run(self._stop))
        self._thread("upkeep", lambda: self.upkeep.run(self._stop))
        self._thread("supervisor", self._supervise)
        if not once:  # a rehearsal over files calls nobody
            self._thread("notices", lambda: self.notifier.run(self._stop))
        return self._supervisor

    def _thread(self, name: str, target: Callable[[], None]) -> None:
        thread = threading.Thread(target=target, name=f"watchglass-{name}", daemon=True)
        thread.start()
        self._threads.append(thread)

    def _supervise(self) -> None:
        assert self._supervisor is not None
        try:
            self._supervisor.run(self._stop)
        except WatchglassError as error:
            self.failure = error
            log.error("Nothing runs any more: %s %s", error.message, error.fix)
        except Exception as error:  # a thread that dies silently would leave the pages saying that all is well
            self.failure = error
            log.exception("Nothing runs any more, because of a fault in Watchglass.")
        finally:
            self.finished.set()

    def _watch(self) -> None:
        """Tell pages and workers when the log has grown or was cosigned; say once what keeps it waiting."""
        size, cosigned, complained = -1, -1, ""
        while not self._stop.wait(_WATCH_S):
            self.configure()
            if self.sequencer.head.size != size:
                size = self.sequencer.head.size
                self.bus.publish("ledger", {"type": "ledger", "size": size})
            if self.cosigned_size() != cosigned:
                cosigned = self.cosigned_size()
                self.bus.publish("standing", {"type": "standing"})
                if self._supervisor is not None:
                    self._supervisor.wake()
            problem = self.sequencer.problem
            if problem is not None and problem.message != complained:
                log.error("The ledger waits: %s %s", problem.message, problem.fix)
            complained = problem.message if problem else ""
            self.watch.complain()
            self.grant_releases()

    def _look_for_orders(self) -> None:
        """Do what oversight lodges with the witnesses, in a thread of its own: they may be slow."""
        while not self._stop.wait(EVERY_S):
            try:
                self.watch.look_for_orders()
            except WatchglassError as error:
                log.error("Lodged orders wait: %s %s", error.message, error.fix)

    def grant_releases(self) -> None:
        """Grant what enough custodians have approved, and publish that soon."""
        try:
            if grant_releases(self.acting, self.standing(), cosigned_size=self.cosigned_size()):
                self.nudge()
        except WatchglassError as error:
            log.error("Releases wait: %s %s", error.message, error.fix)

    def keep_retention(self) -> None:
        """Once an hour: destroy what the charter keeps no longer."""
        self.upkeep.keep_retention()

    def look_for_misuse(self) -> None:
        """Once an hour: judge the record of accesses. What is found goes to oversight alone."""
        self.upkeep.look_for_misuse()

    def halt(self) -> None:
        """Stop what runs; the store stays open."""
        self._stop.set()
        if self._supervisor is not None:
            self._supervisor.wake()
        for thread in self._threads:
            thread.join(_JOIN_S)
        self._threads.clear()
        self.sequencer.close()

    def close(self) -> None:
        """Stop what runs and let go of the deployment; what waits in the outbox is published at the next start."""
        self.halt()
        self.upkeep.close()
        self.watch.close()
        self.bus.close()
        self.store.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def look_once(
    house: House,
    source: str,
    start_ms: int,
    backdrop: bytes,
    on_report: Callable[[Report], None],
    *,
    samples: SamplesSpec | None = None,
) -> SourceEnded:
    """Run the real pipeline once over a file source, in this process, under the charter in force.

    Args:
        samples: what to draw of what was not alerted, where the charter has samples; without it: as that says.

    Raises:
        Refused: the charter does not allow looking at it at ``start_ms``.
    """
    now = house.standing()
    decide(now, LookAt(source), house.clock.now())
    assert now.charter is not None
    specs = specs_of(
        now.charter,
        house.layout.media,
        lambda _name: ((DAY, backdrop),),
        realtime=False,
        start_ms=start_ms,
        secret=house.secrets.get,
    )
    spec = next(spec for spec in specs if spec.name == source)
    if samples is not None and spec.samples is not None:
        spec = replace(spec, samples=samples)
    return run_once(spec, load_detector(), on_report, entropy=house.entropy)


def picture_size(video: Path) -> tuple[int, int]:
    """(width, height) of a video file in pixels.

    Raises:
        BadInput: it is not a video that can be read.
    """
    file = VideoFile(video)
    return file.width, file.height
