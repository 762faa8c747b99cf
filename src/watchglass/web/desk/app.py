"""``watchglass desk serve``: the pages of one signer, on loopback. See ADR 0031."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from watchglass.bootstrap import Office, custody, exporting, holding, join_video, seeking
from watchglass.core.digest import unb64
from watchglass.core.errors import BadInput, DidNotVerify, Problem, Refused, WatchglassError
from watchglass.core.time import iso
from watchglass.web.desk.audits import Audits
from watchglass.web.desk.charters import Charters
from watchglass.web.desk.limits import Limits
from watchglass.web.desk.oversight import Oversight
from watchglass.web.desk.pages import Card, Fields, Room, end, environment, said, scope
from watchglass.web.desk.theatre import Shown, Theatre, ranged
from watchglass.web.desk.wall import NoSession, Session, Wall, form

STATIC: Final = Path(__file__).parent / "static"
_FILES: Final = {"desk.css": "text/css; charset=utf-8", "favicon.svg": "image/svg+xml"}
_STATUS: Final = ((NoSession, 403), (Refused, 403), (BadInput, 400), (DidNotVerify, 409), (Problem, 409))
_PAST: Final = 20
_DO: Final = {
    "sealing_key_published": "Your key is published",
    "period_destroyed": "Your key is destroyed",
    "release_approved": "Approved",
    "release_refused": "Refused",
    "hold_kept": "The hold is kept",
    "hold_ordered": "The hold is ordered",
    "hold_lifted": "The hold is lifted",
    "case_opened": "The case is open",
    "case_closed": "The case is closed",
    "release_requested": "Asked",
    "release_taken": "Taken",
    "glass_broken": "The glass is broken",
    "glass_followed_up": "Explained",
    "suspension_ordered": "Ordered to stop",
    "suspension_lifted": "May run again",
    "resumption_proposed": "Proposed",
    "analytic_resumed": "May run again, on trial",
    "key_enrolled": "Enrolled",
    "misuse_settled": "Settled",
    "charter_approved": "You approved it",
}


class Desk:
    """The pages of one signer.

    Args:
        office: their keys, their trust file, their portal.
        session: who may see the pages.
        exports: the folder into which exports are written.
        glass: the emergency key, where this signer holds it.
        roster: oversight's list of who may be enrolled.
    """

    def __init__(
        self,
        office: Office,
        session: Session,
        *,
        exports: Path,
        glass: X25519PrivateKey | None = None,
        roster: Path | None = None,
    ) -> None:
        self.office = office
        self.session = session
        self.exports = exports
        self.glass = glass
        self.roster = roster
        self.rooms: Sequence[Room] = (Oversight(self), Audits(self), Charters(self), Limits(self))
        self._who: dict[str, Any] | None = None
        self.theatre = Theatre()
        self.receipts: dict[str, dict[str, Any]] = {}
        self._one = threading.Lock()

    def app(self) -> Starlette:
        """The application."""
        get, post = self._get, self._post
        routes = [
            Route("/static/{name}", self._static, methods=["GET"]),
            get("/", self.home),
            get("/requests/{id}", self.request),
            post("/requests/{id}/approve", self.approve),
            post("/requests/{id}/refuse", self.refuse),
            get("/keys", self.keys),
            post("/keys/publish", self.publish),
            get("/keys/{id}/destroy", self.destroying),
            post("/keys/{id}/destroy", self.destroy),
            post("/holds/{id}/keep", self.keep),
            get("/holds", self.holds),
            post("/holds", self.order),
            post("/holds/{id}/lift", self.lift),
            get("/cases", self.cases),
            post("/cases", self.open_case),
            get("/cases/{id}", self.case),
            post("/cases/{id}/ask", self.ask),
            post("/cases/{id}/close", self.close_case),
            get("/asked/{id}", self.asked),
            post("/asked/{id}/take", self.take),
            post("/asked/{id}/open", self.open),
            post("/asked/{id}/export", self.export),
            get("/play/{id}", self.play),
            get("/play/{id}/video.mp4", self.video),
            post("/play/{id}/close", self.close),
            get("/emergency", self.emergency),
            post("/emergency", self.break_glass),
            post("/emergency/{id}/follow-up", self.follow_up),
            get("/receipts/{id}", self.receipt),
        ]
        for room in self.rooms:
            routes += [get(path, handler) for path, handler in room.gets().items()]
            routes += [post(path, handler) for path, handler in room.posts().items()]
        app = Starlette(
            routes=routes,
            middleware=[Middleware(Wall, session=self.session, answer=self._error)],
            exception_handlers={WatchglassError: self._known, HTTPException: self._unknown},
        )
        app.router.redirect_slashes = False
        return app

    # ---- the custodian -------------------------------------------------------------------------------------------

    def home(self, _request: Request) -> Response:
        """Who this is, and what waits."""
        sight = self.office.look()
        who = self._who = holding.offices(self.office, sight)
        inbox = custody.inbox(self.office) if who["custodian"] else None
        cards = [card for room in self.rooms if set(room.roles) & set(who["signs_as"]) for card in _cards(room, sight)]
        cards.sort(key=lambda card: not card.urgent)
        return self.page("home.html", who=who, inbox=inbox, cards=cards, sight=sight.as_json())

    def request(self, request: Request) -> Response:
        """One request on one page: what is asked, for which case, why, and what approving means."""
        told = self._waiting(request.path_params["id"])
        return self.page("request.html", request=told)

    def approve(self, request: Request, fields: Fields) -> Response:
        """Verify again, seal anew, sign, hand in."""
        seen = fields.get("seen", "")
        unb64(seen, length=custody.HASH)
        return self.receipt_for(custody.approve(self.office, request.path_params["id"], seen=seen))

    def refuse(self, request: Request, fields: Fields) -> Response:
        """Refuse, with the reason."""
        reason = said(fields, "reason", "why you refuse")
        return self.receipt_for(custody.refuse(self.office, request.path_params["id"], reason))

    def keys(self, _request: Request) -> Response:
        """A custodian's months."""
        return self.page("keys.html", inbox=custody.inbox(self.office))

    def publish(self, _request: Request, fields: Fields) -> Response:
        """Make and publish the key of a month."""
        return self.receipt_for(custody.rotate(self.office, fields.get("month") or None))

    def destroying(self, request: Request) -> Response:
        """What destroying a month's key means."""
        return self.page("destroy.html", month=request.path_params["id"])

    def destroy(self, request: Request, fields: Fields) -> Response:
        """Record it, then destroy the file."""
        month = request.path_params["id"]
        if fields.get("month") != month:
            raise BadInput(f"You did not write {month}, so nothing was done.", fix="Write the month to confirm it.")
        return self.receipt_for(custody.destroy_period(self.office, month))

    def keep(self, request: Request, _fields: Fields) -> Response:
        """Seal the shares of what is held to a key of the hold."""
        return self.receipt_for(custody.keep_hold(self.office, request.path_params["id"]))

    # ---- oversight and the authority -----------------------------------------------------------------------------

    def holds(self, _request: Request) -> Response:
        """The holds that were ordered here."""
        sight = self.office.look()
        return self.page("holds.html", orders=holding.orders(self.office), sources=_sources(sight), fields={})

    def order(self, _request: Request, fields: Fields) -> Response:
        """Order a hold."""
        until = end(fields, "until", "until when")
        return self.receipt_for(holding.order_hold(self.office, **scope(fields), until_ms=until))

    def lift(self, request: Request, fields: Fields) -> Response:
        """Lift a hold."""
        reason = said(fields, "reason", "why it is lifted")
        return self.receipt_for(holding.lift_hold(self.office, request.path_params["id"], reason))

    # ---- who asks ------------------------------------------------------------------------------------------------

    def cases(self, _request: Request) -> Response:
        """An investigator's cases."""
        sight = self.office.look()
        told = seeking.status(self.office)
        purposes = [{"name": each.name, "text": each.text} for each in sight.charter.purposes]
        return self.page("cases.html", told=told, purposes=purposes)

    def open_case(self, _request: Request, fields: Fields) -> Response:
        """Open a case."""
        done = seeking.open_case(
            self.office,
            purpose=said(fields, "purpose", "the purpose"),
            number=said(fields, "number", "your reference"),
            authority=said(fields, "authority", "the legal authority"),
            reason=said(fields, "reason", "what it is about"),
            until_ms=end(fields, "until", "until when"),
        )
        return self.receipt_for({**done, "next": f"/cases/{done['case']}"})

    def case(self, request: Request) -> Response:
        """One case, what was asked within it, and the form to ask."""
        sight = self.office.look()
        return self.page(
            "case.html",
            case=self._case(request.path_params["id"]),
            sources=_sources(sight),
            allowed=seeking.allowed(sight),
        )

    def ask(self, request: Request, fields: Fields) -> Response:
        """Ask the custodians."""
        done = seeking.request(self.office, request.path_params["id"], **scope(fields))
        return self.receipt_for({**done, "next": f"/asked/{done['request']}"})

    def close_case(self, request: Request, fields: Fields) -> Response:
        """Close a case."""
        result = said(fields, "result", "what came of it")
        return self.receipt_for(seeking.close_case(self.office, request.path_params["id"], result))

    def asked(self, request: Request) -> Response:
        """One request of one's own: who answered, and what comes next."""
        number = request.path_params["id"]
        return self.page("asked.html", asked=self._own(number), opened=number in self.theatre.open_now())

    def take(self, request: Request, _fields: Fields) -> Response:
        """Take what was granted."""
        done = seeking.take(self.office, request.path_params["id"])
        return self.receipt_for({**done, "next": f"/asked/{done['request']}"})

    def open(self, request: Request, _fields: Fields) -> Response:
        """Fetch, verify and open a release, into memory."""
        found = seeking.release(self.office, request.path_params["id"])
        size = sum(header.length for header in found.headers.values())
        if size > MOST_OPENED:
            raise BadInput(
                "This release is larger than what a desk opens in memory.", fix="Export it, or open it into a folder."
            )
        video = join_video(
            (piece.header.context.from_ms, piece.plaintext)
            for piece in seeking.opened(self.office, found, self.glass if found.request is None else None)
        )
        about = {**found.as_json(), "by": self.office.keys.identity().verifier.name, "at": iso(self.office.clock.now())}
        self.theatre.show(found.number, Shown(video, about))
        return RedirectResponse(f"/play/{found.number}", 303)

    def export(self, request: Request, fields: Fields) -> Response:
        """Write a release as one MP4 with its manifest."""
        number = request.path_params["id"]
        self.exports.mkdir(mode=0o700, parents=True, exist_ok=True)
        done = exporting.export(
            self.office,
            number,
            self.exports / f"release-{number}.mp4",
            glass=self.glass,
            with_case="case" in fields,
            with_reason="reason" in fields,
        )
        return self.page("exported.html", done=done)

    def play(self, request: Request) -> Response:
        """The player, with the release's number over the picture."""
        number = request.path_params["id"]
        return self.page("play.html", number=number, about=self.theatre.get(number).about)

    def video(self, request: Request) -> Response:
        """The opened video, from memory."""
        return ranged(self.theatre.get(request.path_params["id"]).video, request.headers.get("range"))

    def close(self, request: Request, _fields: Fields) -> Response:
        """Let go of an opened release."""
        number = request.path_params["id"]
        self.theatre.close(number)
        return RedirectResponse(f"/asked/{number}", 303)

    def emergency(self, _request: Request) -> Response:
        """The charter's emergency rule, and what was opened by it."""
        sight = self.office.look()
        rule = sight.charter.safeguards.release
        return self.page(
            "emergency.html",
            told=seeking.status(self.office),
            sources=_sources(sight),
            purposes=[{"name": each.name, "text": each.text} for each in sight.charter.purposes],
            rule=None if rule is None else rule.break_glass,
            key_here=self.glass is not None,
        )

    def break_glass(self, _request: Request, fields: Fields) -> Response:
        """Open at once; recorded first."""
        done = seeking.break_glass(self.office, purpose=said(fields, "purpose", "the purpose"), **scope(fields))
        return self.receipt_for({**done, "next": f"/asked/{done['request']}"})

    def follow_up(self, request: Request, fields: Fields) -> Response:
        """Explain an emergency."""
        report = said(fields, "report", "what was seen and done")
        case = fields.get("case", "").strip() or None
        return self.receipt_for(seeking.follow_up(self.office, request.path_params["id"], report=report, case=case))

    # ---- receipts ------------------------------------------------------------------------------------------------

    def receipt(self, request: Request) -> Response:
        """What the person holds after an act: the promise, and its entry once it is in the cosigned ledger."""
        done = self.receipts.get(request.path_params["id"])
        if done is None:
            raise Problem("There is no such receipt on this desk.", fix="See the ledger: every act is in it.")
        title = _DO.get(done["act"], "Done")
        try:
            sight = self.office.look()
        except WatchglassError as error:  # what was signed was signed, also where the log is not accepted now
            return self.page("receipt.html", done=done, index=None, ledger=None, title=title, problem=error)
        leaf = done["leaf_hash"]  # None where nothing is recorded yet: an approval that waits for the other
        index = None if leaf is None else sight.log.index_of(unb64(leaf, length=custody.HASH))
        ledger = sight.as_json()["ledger"]
        return self.page("receipt.html", done=done, index=index, ledger=ledger, title=title, problem=None)

    def receipt_for(self, done: dict[str, Any]) -> Response:
        """Keep what the person holds after an act, and lead them to it."""
        if "leaf_hash" not in done:  # nothing new was recorded
            return RedirectResponse("/keys", 303)
        number = self.office.number()
        self.receipts[number] = done
        while len(self.receipts) > _PAST:
            self.receipts.pop(next(iter(self.receipts)))
        return RedirectResponse(f"/receipts/{number}", 303)

    # ---- what is behind every page -------------------------------------------------------------------------------

    def _waiting(self, number: str) -> dict[str, Any]:
        inbox = custody.inbox(self.office)
        for told in inbox["requests"]:
            if told["id"] == number:
                return {**told, "custodian": inbox["custodian"]}
        raise Problem("No such request waits for an answer.", fix="It may have run out; go back to the inbox.")

    def _case(self, number: str) -> dict[str, Any]:
        for case in seeking.status(self.office)["cases"]:
            if case.get("id") == number:
                return dict(case)
        raise Problem("You have no such case.", fix="Go back to your cases.")

    def _own(self, number: str) -> dict[str, Any]:
        told = seeking.status(self.office)
        for case in told["cases"]:
            for asked in case.get("requests", []):
                if asked.get("id") == number:
                    return {**asked, "case": case, "emergency": False}
        for asked in told["emergencies"]:
            if asked.get("id") == number:
                return {**asked, "case": None, "emergency": True}
        raise Problem("You asked for nothing with that number.", fix="Go back to your cases.")

    def _links(self) -> list[tuple[str, str]]:
        """The pages of whoever sits here; all of them while the log has not said who that is.

        Whoever it is must reach what needs no proof, an order to stop, also where the log is not accepted.
        """
        who = self._who or {"custodian": True, "enrolled": True, "signs_as": ["oversight", "authority"]}
        found = [("/", "Inbox")]
        if who["custodian"]:
            found.append(("/keys", "My keys"))
        if who["enrolled"]:
            found += [("/cases", "Cases"), ("/emergency", "Emergency")]
        for room in self.rooms:
            if set(room.roles) & set(who["signs_as"]):
                found += room.links
        return found

    def page(self, template: str, status: int = 200, **data: Any) -> Response:
        """A page of this desk."""
        common = {
            "csrf": self.session.csrf,
            "origin": self.office.origin,
            "deployment": str(self.office.standing.get("deployment", "")),
            "now_ms": self.office.clock.now(),
            "today": iso(self.office.clock.now())[:10],
            "name": self.office.keys.identity().verifier.name,
            "links": self._links(),
        }
        html = environment().get_template(template).render(**common, **data)
        return Response(html, status, media_type="text/html; charset=utf-8")

    def _get(self, path: str, handler: Callable[[Request], Response]) -> Route:
        async def endpoint(request: Request) -> Response:
            return await run_in_threadpool(self._alone, handler, request)

        return Route(path, endpoint, methods=["GET"], name=handler.__name__)

    def _post(self, path: str, handler: Callable[[Request, Fields], Response]) -> Route:
        async def endpoint(request: Request) -> Response:
            fields = await form(request, self.session)
            return await run_in_threadpool(self._alone, handler, request, fields)

        return Route(path, endpoint, methods=["POST"], name=handler.__name__)

    def _alone(self, handler: Callable[..., Response], *given: Any) -> Response:
        """One thing at a time: it is one person's desk. The player alone does not wait."""
        if handler == self.video:
            return handler(*given)
        with self._one:
            return handler(*given)

    async def _static(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in _FILES:
            raise HTTPException(404)
        return Response(_static_bytes(name), media_type=_FILES[name])

    async def _known(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, WatchglassError)
        return await run_in_threadpool(self._error, request, error)

    async def _unknown(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        problem = Problem("There is no such page on this desk.", fix="Go back to the first page.")
        return self._error(request, problem, status=error.status_code)

    def _error(self, _request: Request, error: WatchglassError, status: int = 0) -> Response:
        status = status or next((code for kind, code in _STATUS if isinstance(error, kind)), 500)
        inside = not isinstance(error, NoSession)
        html = (
            environment()
            .get_template("error.html")
            .render(
                error=error,
                inside=inside,
                reasons=getattr(error, "reasons", ()),
                name="",
                origin="",
                deployment="",
                links=self._links() if inside else (),
            )
        )
        return Response(html, status, media_type="text/html; charset=utf-8")


MOST_OPENED: Final = 512 << 20
"""Bytes of video that a desk opens in memory at once."""


@cache
def _static_bytes(name: str) -> bytes:
    return (STATIC / name).read_bytes()


def _cards(room: Room, sight: Any) -> Iterator[Card]:
    """What waits in a room. What goes wrong with one look is told in its place, and hides no other."""
    for look in room.waits():
        try:
            yield from look(sight)
        except WatchglassError as error:
            text = f"{error.message} {error.fix}"
            yield Card("Something could not be looked up", text, room.links[0][0], "Look there", urgent=True)


def _sources(sight: Any) -> list[str]:
    return [source.name for source in sight.charter.sources if sight.charter.records(source.name)]
