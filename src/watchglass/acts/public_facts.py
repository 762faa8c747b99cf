"""What the public pages read: typed, read-only, and coarse on purpose.

Counts of alerts end at the last midnight (UTC), so that nobody can watch the number move and learn that somebody was
somewhere; the ledger's lane for alerts is batched for the same reason (law 10).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, assert_never

from watchglass.acts.judged import BY_LIMIT
from watchglass.acts.public_originals import kept_line
from watchglass.acts.reading import history_until
from watchglass.charter import words
from watchglass.charter.decide import Standing, decide, in_force, is_unseen
from watchglass.charter.model import EVERYTHING, Analytic, Charter, Deployment, PublicView
from watchglass.charter.permit import Request, RunAnalytic, ShowPublicView
from watchglass.core.errors import Refused
from watchglass.core.time import DAY, HOUR, MINUTE, moment
from watchglass.records.outbox import Reader
from watchglass.review.frequency import Frequency
from watchglass.views.public import pin_radius
from watchglass.views.timeline import Shown

MONTH_DAYS: Final = 30
"""How far back "last month" looks."""

_UNKNOWN_SIZE: Final = (640, 360)


def words_of_day(ms: int) -> str:
    """``23 November 2026``, UTC."""
    return words.day(moment(ms).date())


# ---- does anything run here? ---------------------------------------------------------------------------------------


class Condition(StrEnum):
    """Whether the charter lets anything run now."""

    IN_FORCE = "in-force"
    PARTLY_SUSPENDED = "partly-suspended"
    SUSPENDED = "suspended"
    UNSEEN = "unseen"
    EXPIRED = "expired"
    NOT_YET = "not-yet"
    NOT_APPROVED = "not-approved"
    NO_CHARTER = "no-charter"


@dataclass(frozen=True, slots=True)
class Notice:
    """What everyone must know about this place, shown on top of every page."""

    kind: str
    title: str
    text: str
    href: str = ""
    link: str = ""


def condition(standing: Standing, now_ms: int) -> Condition:
    """Whether the charter lets anything run at ``now_ms``."""
    charter = standing.charter
    if charter is None:
        return Condition.NO_CHARTER
    if {"authority", "oversight"} - standing.approvals or standing.published in {"no", "waiting"}:
        return Condition.NOT_APPROVED
    begin, end = in_force(charter)
    if now_ms >= end:
        return Condition.EXPIRED
    if now_ms < begin:
        return Condition.NOT_YET
    return Condition.UNSEEN if is_unseen(standing, now_ms) else _by_orders(standing, charter)


def _by_orders(standing: Standing, charter: Charter) -> Condition:
    stopped = {order.scope for order in standing.suspensions}
    if EVERYTHING in stopped or (charter.analytics and stopped >= {item.name for item in charter.analytics}):
        return Condition.SUSPENDED
    return Condition.PARTLY_SUSPENDED if stopped else Condition.IN_FORCE


def notices(standing: Standing, now_ms: int) -> tuple[Notice, ...]:
    """The banners of this moment: what kind of deployment this is, then why something does not run."""
    return (*_of_deployment(standing.deployment, standing.charter), *_of_condition(standing, now_ms))


def _of_deployment(kind: Deployment, charter: Charter | None) -> tuple[Notice, ...]:
    if kind == "demo":
        text = "one computer plays everyone; this proves nothing about a real place."
        return (Notice("demo", "Demo:", text, "/tour", "Take the tour"),)
    if kind == "trial":
        ends = f" It ends after {words_of_day(in_force(charter)[1] - 1)}." if charter else ""
        return (Notice("trial", "Trial:", f"one person holds every key, and nobody outside watches.{ends}"),)
    return ()


def _of_condition(standing: Standing, now_ms: int) -> tuple[Notice, ...]:
    state = condition(standing, now_ms)
    charter = standing.charter
    match state:
        case Condition.IN_FORCE:
            return ()
        case Condition.NO_CHARTER:
            return (Notice("stopped", "No charter is in force.", "Nothing is being watched here."),)
        case Condition.NOT_APPROVED:
            text = "Its approvals or its publication are not complete, so nothing is being watched."
            return (Notice("stopped", "The charter is not in force.", text, "/charter", "See what is missing"),)
        case Condition.EXPIRED | Condition.NOT_YET:
            begin, end = in_force(charter) if charter else (0, 0)
            title = (
                f"The charter ran out on {words_of_day(end - 1)}."
                if state is Condition.EXPIRED
                else f"The charter comes into force on {words_of_day(begin)}."
            )
            return (Notice("stopped", title, "Nothing is being watched here.", "/charter", "Read it"),)
        case Condition.UNSEEN:
            return (_of_witnesses(standing), *_of_suspension(standing))
        case Condition.SUSPENDED | Condition.PARTLY_SUSPENDED:
            return tuple(_of_suspension(standing))
        case _:
            assert_never(state)


def _of_witnesses(standing: Standing) -> Notice:
    """Too few witnesses have cosigned for too long: it goes on by itself when they have."""
    rules = _charter(standing).ledger
    within = words.duration(rules.witnessed_within_ms or 0)
    last = f"The last time was on {words_of_day(standing.witnessed_ms)}. " if standing.witnessed_ms else ""
    title = f"Everything has stopped: witnesses outside have not confirmed the ledger for {within}."
    return Notice("stopped", title, f"{last}It goes on by itself once they have.", "/ledger", "See the ledger")


def _of_suspension(standing: Standing) -> Iterable[Notice]:
    for order in standing.suspensions:
        what = "Everything is" if order.scope == EVERYTHING else f"“{order.scope}” is"
        day = words_of_day(order.at_ms)
        if order.by == BY_LIMIT:
            text = f"It did not keep its published limit, and was stopped on {day}."
            yield Notice("stopped", f"{what} suspended.", text, f"/register/analytics/{order.scope}", "See why")
        else:
            text = f"{order.by.capitalize()} ordered it on {day}."
            yield Notice("stopped", f"{what} suspended.", text, "/ledger", "See the record")


def meanwhile(standing: Standing) -> str | None:
    """What people do instead while something is suspended; None while nothing is."""
    stop = standing.charter.safeguards.on_suspension if standing.charter else None
    return stop.people_do if stop is not None and standing.suspensions else None


# ---- what is noticed, and how often that was right -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class AnalyticFacts:
    """One rule, as the register shows it. ``why_not`` holds the charter's reasons where it may not run now."""

    name: str
    kind: str
    rule: str
    source: str
    place: str
    zone: str | None
    purpose: str
    purpose_text: str
    legal_basis: str
    model: str | None
    hours: str
    may_run: bool
    why_not: tuple[str, ...]


def analytic_facts(standing: Standing, analytic: Analytic, now_ms: int) -> AnalyticFacts:
    """The facts about one analytic of the charter in ``standing``."""
    charter = _charter(standing)
    purpose = charter.purpose(analytic.purpose)
    why_not = refusals(standing, RunAnalytic(analytic.source, analytic.name), now_ms)
    return AnalyticFacts(
        name=analytic.name,
        kind=analytic.kind,
        rule=words.sentence(charter, analytic),
        source=analytic.source,
        place=charter.source(analytic.source).place.name,
        zone=analytic.zone,
        purpose=purpose.name,
        purpose_text=purpose.text,
        legal_basis=purpose.legal_basis,
        model=analytic.model,
        hours=f"{words.when(analytic.hours, analytic.days)} ({charter.timezone})",
        may_run=not why_not,
        why_not=why_not,
    )


def refusals(standing: Standing, request: Request, now_ms: int) -> tuple[str, ...]:
    """Why the charter says no to ``request`` now; empty where it says yes."""
    try:
        decide(standing, request, now_ms)
    except Refused as refused:
        return refused.reasons
    return ()


@dataclass(frozen=True, slots=True)
class Month:
    """What people decided about the alerts of the last 30 days, up to the last midnight (UTC)."""

    since_ms: int
    until_ms: int
    alerts: int
    right: int
    wrong: int
    unsure: int

    DERIVED: ClassVar = ("undecided", "was_wrong", "was_right")

    @property
    def undecided(self) -> int:
        """Alerts that nobody has decided yet."""
        return self.alerts - self.right - self.wrong - self.unsure

    @property
    def was_wrong(self) -> Frequency:
        """How many of the alerts were not confirmed: wrong, unclear or never decided all count against the machine."""
        return Frequency(self.alerts - self.right, self.alerts, "alerts here", "were wrong or could not be confirmed")

    @property
    def was_right(self) -> Frequency:
        """How many of the alerts a person confirmed."""
        return Frequency(self.right, self.alerts, "alerts here", "were real")


_VALUE: Final = "CASE WHEN verdict.drawn < verdict.drawn_below THEN reads.value ELSE verdict.value END"
"""An alert that was drawn for a second judgement counts once that is closed: nobody who is to judge it reads the first
in a number."""
_COUNTS: Final = (
    "SELECT COUNT(*) AS alerts, COALESCE(SUM(value = 'confirm'), 0) AS right_, "  # noqa: S608 (constant text)
    "COALESCE(SUM(value = 'reject'), 0) AS wrong, COALESCE(SUM(value = 'unsure'), 0) AS unsure "
    f"FROM (SELECT {_VALUE} AS value FROM alert "
    "LEFT JOIN verdict ON verdict.alert = alert.id AND verdict.withdrawn_ms IS NULL AND verdict.decided_ms < ?2 "
    "LEFT JOIN reads ON reads.alert = alert.id AND reads.closed_ms <= ?2 "
    "WHERE alert.raised_ms >= ?1 AND alert.raised_ms < ?2 AND (?3 IS NULL OR alert.analytic = ?3) "
    "AND alert.id NOT IN (SELECT alert FROM shown_again))"
)


def month(reader: Reader, now_ms: int, analytic: str | None = None) -> Month:
    """The last 30 whole days before ``now_ms``, of one analytic or of all.

    In the demo they end with its staged history: what visitors decide live never pools with it.
    """
    until = now_ms - now_ms % DAY
    if border := history_until(reader):
        until = min(until, border)
    since = until - MONTH_DAYS * DAY
    row = reader.one(_COUNTS, since, until, analytic)
    assert row is not None  # an aggregate always has a row
    return Month(since, until, row["alerts"], row["right_"], row["wrong"], row["unsure"])


@dataclass(frozen=True, slots=True)
class Kept:
    """One kind of thing and how long it is kept."""

    what: str
    how_long: str


def kept(charter: Charter) -> tuple[Kept, ...]:
    """How long anything is kept, by the charter and by what this version can record at all."""
    retention = charter.safeguards.retention
    asked = Kept(
        "Cases, requests for original video, signals of misuse",
        f"{words.duration(retention.alerts_ms)} after they are over",
    )
    return (
        Kept(*kept_line(charter)),
        Kept("Blurred clips of alerts, encrypted", words.duration(retention.reviewer_clips_ms)),
        Kept("What people decided about an alert", words.duration(retention.alerts_ms)),
        *((asked,) if charter.safeguards.record is not None else ()),
        Kept("The public ledger", "For good. It holds no picture and no name."),
    )


# ---- the painted view ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ViewFacts:
    """What the public may see of one source now.

    Attributes:
        backdrop: the address of the empty scene, or None: grey.
        pins: (x, y, kind), already set apart where they share a cell.
        at_ms: when things were where the marks stand.
        state: "live", "late", "none" (nothing to show), "unsure" (grey; see ``why_grey``) or "stopped" (the charter
            says no; see ``why_not``).
        people: how many persons were in view; None where that is hidden or unknown.
        age: how old the empty scene is, as a sentence; None where none is shown.
    """

    source: str
    place: str
    width: int
    height: int
    backdrop: str | None
    pins: tuple[tuple[int, int, int], ...]
    radius: float
    at_ms: int | None
    state: str
    when: str
    people: int | None
    hidden: bool
    age: str | None
    why: tuple[str, ...]
    why_not: tuple[str, ...]
    why_grey: str | None


def view_facts(
    standing: Standing,
    source: str,
    *,
    shown: Shown | None,
    backdrop: str | None,
    confirmed_ms: int,
    size: tuple[int, int] | None,
    now_ms: int,
) -> ViewFacts:
    """What the public may see of ``source``: nothing but grey where the charter does not say yes.

    Args:
        standing: the charter and what bears on it.
        source: a source of that charter.
        shown: the marks after the charter's delay and threshold, as ``views.timeline`` gives them.
        backdrop: names the confirmed backdrop of what is in front of the camera, or None.
        confirmed_ms: when an operator confirmed that.
        size: (width, height) of the picture where it is known.
        now_ms: the present.
    """
    charter = _charter(standing)
    the_source = charter.source(source)
    rules = charter.safeguards.public_view
    why_not = refusals(standing, ShowPublicView(source), now_ms)
    picture = the_source.picture
    width, height = size or ((picture.width, picture.height) if picture else _UNKNOWN_SIZE)
    seen = None if why_not else shown
    scene = backdrop if seen is not None else None
    state, when = _when(rules, seen, stopped=bool(why_not), sure=scene is not None)
    told = seen if scene is not None else None
    return ViewFacts(
        source=source,
        place=the_source.place.name,
        width=width,
        height=height,
        backdrop=f"/view/{source}/backdrop.png?v={scene}" if scene else None,
        pins=told.marks if told else (),
        radius=round(pin_radius(width), 1),
        at_ms=seen.marks_ms if seen else None,
        state=state,
        when=when,
        people=told.people if told else None,
        hidden=bool(told and told.hidden),
        age=f"The empty scene was confirmed {_ago(now_ms - confirmed_ms)}." if scene else None,
        why=tuple(why_so(rules)),
        why_not=why_not,
        why_grey=None if scene else _why_grey(rules, seen, stopped=bool(why_not)),
    )


def _when(rules: PublicView, seen: Shown | None, *, stopped: bool, sure: bool) -> tuple[str, str]:
    if stopped:
        return "stopped", "Not shown"
    if seen is None:
        return "none", "Nothing to show"
    if not sure:
        return "unsure", "Grey for now"
    return ("late", f"{words.duration(rules.delay_ms)} late") if rules.delay_ms else ("live", "Live")


def _why_grey(rules: PublicView, seen: Shown | None, *, stopped: bool) -> str:
    if stopped:
        return "The charter does not allow this view now, so it is grey."
    if seen is None:
        late = f" that is {words.duration(rules.delay_ms)} old" if rules.delay_ms else ""
        return f"Grey, because nothing has come from this camera{late}."
    if seen.scene:
        return "Grey, because nobody has confirmed yet that the empty scene really shows nobody."
    return f"Grey, because {seen.unsure or 'what the camera shows is none of its confirmed views'}."


def _ago(ms: int) -> str:
    """``3 hours ago``: in the largest unit of which there are two, or one minute."""
    for unit, name in ((DAY, "days"), (HOUR, "hours"), (MINUTE, "minutes")):
        if ms >= 2 * unit:
            return f"{ms // unit} {name} ago"
    return "a minute ago"


def why_so(rules: PublicView) -> Iterable[str]:
    """Why the view is as late and as coarse as it is."""
    yield "This is a painting, not a film: the empty scene, with a mark for each person or thing. All marks are alike."
    if rules.delay_ms:
        yield f"It is {words.duration(rules.delay_ms)} late, so that nobody can follow somebody with it."
    else:
        yield "It is live, because the charter says so."
    if rules.hide_below > 1:
        yield (
            f"It is empty while fewer than {rules.hide_below} people are in view, so that nobody can watch a door. "
            "That is decided half a minute at a time, so that nobody learns when the last one came."
        )
    yield f"Marks stand on a grid of {rules.grid_m:g} m: about where somebody is, and nothing of how they look or move."
    yield "Where it is grey, it is not known what is there now, or the charter never shows it."
    yield "Nothing of it is kept: there is no other time to ask for."


def _charter(standing: Standing) -> Charter:
    if standing.charter is None:
        raise Refused("There is no charter.", fix="Write, sign and publish one: `watchglass charter publish`.")
    return standing.charter
