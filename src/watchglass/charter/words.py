"""A charter in words that a resident of twelve understands. Used on the command line and on the public page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil
from typing import Any, Final, assert_never

from watchglass.charter.condition_words import condition_words
from watchglass.charter.hours import WEEK, Days, Hours
from watchglass.charter.model import (
    Analytic,
    CameraFault,
    Charter,
    CrowdDensity,
    CrowdSurge,
    Fall,
    FileSource,
    Intrusion,
    MjpegSource,
    PersonDown,
    PlugIn,
    PublicView,
    Regime,
    RtspSource,
    Source,
    StoppedVehicle,
    UnattendedObject,
    VehicleInPedestrianArea,
    WebcamSource,
    WrongWay,
)
from watchglass.charter.phrases import capital, count, day, duration, full_stop, listed, plain, said
from watchglass.charter.quality_words import quality_words, review_words
from watchglass.charter.report_words import report_words, reports_kept
from watchglass.charter.sample_words import sample_words, samples_kept
from watchglass.charter.sealed_words import kept_words, log_words, opened_words
from watchglass.charter.telling import told_of_stops

__all__ = [
    "Section",
    "count",
    "day",
    "duration",
    "explain",
    "full_stop",
    "listed",
    "on_days",
    "plain",
    "said",
    "sentence",
    "things",
    "when",
]

_LONG_DAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_A_RUN: Final = 3
_LAWS: Final[dict[Regime, str]] = {
    "gdpr": "the General Data Protection Regulation (GDPR)",
    "led": "the Law Enforcement Directive (EU) 2016/680",
    "other": "the data-protection law of the place",
}


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it.

    Attributes:
        id: a stable name for links.
        title: a question that a resident asks.
        sentences: the answer.
    """

    id: str
    title: str
    sentences: tuple[str, ...]


def explain(charter: Charter) -> list[Section]:
    """The whole charter in plain words."""
    sections = [
        Section("who", "Who is responsible?", tuple(_who(charter))),
        Section("why", "What is it for?", tuple(_why(charter))),
        Section("where", "Which cameras?", tuple(_where(charter))),
        Section("what", "What does it look for?", tuple(_what(charter))),
        Section("never", "What does it never do?", _NEVER),
        Section("told", "Who is told?", tuple(_told(charter))),
        Section("public", "What can everybody see?", tuple(_public(charter.safeguards.public_view))),
        Section("reviewer", "What do the people see who decide?", tuple(_reviewer(charter))),
        Section("quality", "How often may it be wrong?", tuple(quality_words(charter))),
        Section("kept", "How long is anything kept?", tuple(_kept(charter))),
        Section("original", "Who can open the original video?", tuple(opened_words(charter))),
        Section("checked", "How can it be checked, and who can stop it?", tuple(_checked(charter))),
        Section("costs", "What does it cost?", tuple(_costs(charter))),
        Section("say", "Were people asked?", ("Nobody was asked about these rules: they were not consulted on.",)),
    ]
    return [section for section in sections if section.sentences]


_NEVER: Final = (
    "It never finds out who anybody is: it has no place for a face, a name or a number plate.",
    "It does not guess what people feel, what they believe or where they come from.",
    "It does not follow anybody from one camera to another, and gives nobody a score.",
    "It never decides anything about a person. Every alert is a guess that a human checks.",
)


def _who(charter: Charter) -> Iterator[str]:
    authority = charter.authority
    yield f"{capital(authority.name)} is responsible. You can write to {authority.contact}."
    yield (
        f"These rules are version {charter.version}. They hold from {day(charter.in_force.since)} until the end of "
        f"{day(charter.in_force.until)}. After that day nothing runs."
    )
    yield f"The law that protects your data here is {_LAWS[authority.regime]}."


def _why(charter: Charter) -> Iterator[str]:
    for purpose in charter.purposes:
        yield f"{capital(said(purpose.name))}: {full_stop(purpose.text)}"
        yield f"The law that allows this: {full_stop(purpose.legal_basis)}"
        if purpose.regime is not None and purpose.regime != charter.authority.regime:
            yield f"For this, another law protects your data: {_LAWS[purpose.regime]}."


def _where(charter: Charter) -> Iterator[str]:
    for source in charter.sources:
        yield f"{capital(source.place.name)}: {_kind_of_source(source)}."
        if source.never_see:
            areas = "One part" if len(source.never_see) == 1 else f"{capital(count(len(source.never_see)))} parts"
            verb = "is" if len(source.never_see) == 1 else "are"
            yield f"{areas} of its picture {verb} painted black before anything looks at it."
        if source.never_show:
            areas = "One part" if len(source.never_show) == 1 else f"{capital(count(len(source.never_show)))} parts"
            verb = "is" if len(source.never_show) == 1 else "are"
            yield f"{areas} of its picture {verb} never shown to the public, and who is there is not counted in it."
        yield from condition_words(source.conditions)
        if source.gate == "always_open":
            yield "The software looks closely all the time."
        else:
            yield "The software looks closely only while something moves."


def _kind_of_source(source: Source) -> str:
    match source:
        case FileSource():
            return "a video file that is played again and again, as if it were live" if source.loop else "a video file"
        case RtspSource() | MjpegSource():
            return "a camera on the network"
        case WebcamSource():
            return "a camera on the machine itself"
        case _:
            assert_never(source)


def _what(charter: Charter) -> Iterator[str]:
    if not charter.analytics:
        yield "It looks for nothing."
    for analytic in charter.analytics:
        yield sentence(charter, analytic)
    for code in charter.plug_ins:
        yield (
            f"The rule “{said(code.name)}” was written by others. It gets numbers, never pictures, and can reach "
            f"nothing else. Its fingerprint begins with {code.digest[7:15]}."
        )
    for model in charter.models:
        yield f"The software that looks is called {said(model.name)}. Its fingerprint begins with {model.digest[7:15]}."


def sentence(charter: Charter, analytic: Analytic) -> str:
    """What one analytic does, as one sentence."""
    return f"Tells a person when {_rule(charter, analytic)}, {when(analytic.hours, analytic.days)}."


def _rule(charter: Charter, analytic: Analytic) -> str:
    place = charter.source(analytic.source).place.name
    lasts = f"for {duration(analytic.for_ms)} or longer" if analytic.for_ms else "at any moment"
    if isinstance(analytic, CameraFault):
        wrong = "black, frozen, blurred, moved or lost, or its clock jumps,"
        return f"the picture of the camera at {place} is {wrong} {lasts}"
    if isinstance(analytic, CrowdDensity):
        return _crowd(charter, analytic, lasts)
    area = f"“{said(analytic.zone)}” ({place})"
    return _EVENTS[type(analytic)](analytic, area, lasts)


_EVENTS: Final[dict[type[Analytic], Callable[[Any, str, str], str]]] = {
    Intrusion: lambda rule, area, lasts: f"{things(rule.of)} is in the area {area} {lasts}",
    WrongWay: lambda rule, area, _: f"{things(rule.of)} crosses the line {area} the wrong way",
    VehicleInPedestrianArea: lambda rule, area, lasts: (
        f"{things(rule.of)} is in the area {area}, which is for people on foot, {lasts}"
    ),
    StoppedVehicle: lambda _, area, lasts: f"a vehicle comes to a stop in the area {area} and stands {lasts}",
    CrowdSurge: lambda rule, area, lasts: f"{rule.people} or more people suddenly run in the area {area} {lasts}",
    UnattendedObject: lambda rule, area, lasts: (
        f"a thing lies in the area {area} and whoever brought it is more than {plain(rule.owner_within_m)} metres away "
        f"{lasts}"
    ),
    Fall: lambda _, area, __: f"somebody falls to the ground in the area {area}",
    PlugIn: lambda rule, area, lasts: f"{rule.rule.rstrip('.')} in the area {area} {lasts}",
    PersonDown: lambda _, area, lasts: f"somebody lies on the ground in the area {area} {lasts}",
}


def _crowd(charter: Charter, analytic: CrowdDensity, lasts: str) -> str:
    source = charter.source(analytic.source)
    where = f"the area “{said(analytic.zone)}” ({source.place.name}"
    area = source.zone(analytic.zone).area_m2
    if area is None:
        return f"it is so crowded in {where}) that there is {_density(analytic.people_per_m2)} {lasts}"
    crowd = max(1, ceil(area * analytic.people_per_m2))
    return f"there are {crowd} or more people in {where}; that is {_density(analytic.people_per_m2)}) {lasts}"


def _density(people_per_m2: float) -> str:
    if people_per_m2 >= 1:
        return f"{plain(people_per_m2)} on each square metre"
    return f"one on every {round(1 / people_per_m2)} square metres"


def _told(charter: Charter) -> Iterator[str]:
    yield "A person here decides about each alert, and hands it to a responder if it is right."
    urgent = [said(analytic.name) for analytic in charter.analytics if analytic.notify == "at_once"]
    if urgent:
        yield (f"When lives may be in danger, responders see it at once, marked as not confirmed: {listed(urgent)}.")
    for destination in charter.destinations:
        told = [analytic for analytic in charter.analytics if destination.name in analytic.tell]
        who = capital(destination.who)
        stops = destination in told_of_stops(charter)
        if stops:
            yield f"{who} gets a message when a limit stops a rule, and when that rule runs again."
        if not told:
            if not stops:
                yield f"{who} is told nothing at present."
            continue
        after = [said(analytic.name) for analytic in told if analytic.notify == "confirmed"]
        first = [said(analytic.name) for analytic in told if analytic.notify == "at_once"]
        if after:
            yield f"{who} gets a message when a person has confirmed an alert of: {listed(after)}."
        if first:
            yield (
                f"{who} gets a message at once, before a person has decided, when lives may be in danger: "
                f"{listed(first)}. The message says that nobody has confirmed it."
            )
    yield (
        "A message says what, where and when. No picture is in it, and nothing about who anybody is."
        if charter.destinations
        else "The software sends messages to nobody."
    )


def _costs(charter: Charter) -> Iterator[str]:
    costs = charter.costs
    if costs is None:
        yield "These rules do not say what the machine and the work cost."
        return
    power = f" and draws {plain(costs.watts)} watts" if costs.watts is not None else ""
    yield (
        f"The machine costs {plain(costs.hardware_per_year)} {costs.currency} a year{power}; a kilowatt-hour costs "
        f"{plain(costs.kwh_price)} {costs.currency}, and a minute of a reviewer's time {plain(costs.reviewer_minute)} "
        f"{costs.currency}."
    )
    yield "What that makes for each camera and each confirmed alert is measured, and stands on the page of costs."


def _public(view: PublicView) -> Iterator[str]:
    yield "A painted picture: the empty scene with a pin for each person or thing. No person's picture is ever in it."
    yield "A person has to confirm that nobody is in the empty scene before it is shown. Until then it is grey."
    if view.delay_ms:
        yield f"It is {duration(view.delay_ms)} late, so that nobody can follow anyone with it."
    else:
        yield "It is live."
    if view.hide_below > 1:
        yield f"It shows no pins while fewer than {count(view.hide_below)} people are there."
    yield "Nothing of it is kept, and nobody can ask for another time."
    yield f"Pins are moved to a grid of {plain(view.grid_m)} {'metre' if view.grid_m == 1 else 'metres'}."


def _reviewer(charter: Charter) -> Iterator[str]:
    yield "They see a short clip in which everything that is not the empty scene is made of large blocks (a mosaic)."
    yield "A mosaic hides faces, but somebody who knows you may still recognise your coat or your walk."
    yield f"A person must decide about each alert within {duration(charter.safeguards.review.within_ms)}."
    yield from review_words(charter)
    yield from sample_words(charter)
    yield from report_words(charter)


def _kept(charter: Charter) -> Iterator[str]:
    keep = charter.safeguards.retention
    yield from kept_words(charter)
    yield f"The blocked-out clips of alerts are kept for {duration(keep.reviewer_clips_ms)}."
    yield from samples_kept(charter)
    yield from reports_kept(charter)
    yield f"What was decided about alerts is kept for {duration(keep.alerts_ms)}."


def _checked(charter: Charter) -> Iterator[str]:
    rules, oversight = charter.ledger, charter.oversight
    yield "Everything that is done is written into a public ledger that anyone can check."
    yield (
        f"New rules and stops show there within {duration(rules.checkpoint_every_ms)}, alerts and decisions within "
        f"{duration(rules.batch_every_ms)}; nothing may take longer than {duration(rules.merge_within_ms)}."
    )
    yield _heartbeats(rules.heartbeat_every_ms)
    powers = {
        "suspend": "stop it at any time",
        "inspect": "look at everything that was done",
        "audit": "check all of it against these rules, and publish what it finds",
    }
    yield f"{capital(oversight.body)} watches over it. It may {listed([powers[power] for power in oversight.may])}."
    yield from _witnesses(charter)
    stop = charter.safeguards.on_suspension
    if stop is not None:
        yield f"While it is stopped, people do this instead: {full_stop(stop.people_do)}"
        yield f"These are told: {listed([said(role) for role in stop.tell])}."
    yield from log_words(charter)


def _witnesses(charter: Charter) -> Iterator[str]:
    number, agreement = len(charter.oversight.witnesses), charter.oversight.agreement
    if agreement is None:
        yield "No witness outside keeps watch: nobody outside would notice if the ledger were rewritten."
        return
    if number == 1:
        yield "One witness outside keeps watch, so that the ledger cannot be rewritten without anyone noticing."
    else:
        yield (
            f"{capital(count(number))} witnesses outside keep watch, so that the ledger cannot be rewritten without "
            "anyone noticing."
        )
        yield (
            f"{capital(_so_many(agreement.needed, number))} of them must have confirmed it before new rules hold, "
            "before something that was stopped runs again, and before originals are opened."
        )
    within = charter.ledger.witnessed_within_ms
    if within is None:
        yield "If witnesses stop confirming the ledger, the software goes on."
    else:
        yield f"If they have not confirmed the ledger for {duration(within)}, everything stops until they have."


def _so_many(needed: int, number: int) -> str:
    return "all" if needed == number else count(needed)


def _heartbeats(every_ms: int | None) -> str:
    if every_ms is None:
        return "Nothing signs that it was looking all the time, so nobody can tell whether a time was left out."
    return (
        f"What looks at a camera signs a heartbeat every {_each(every_ms)}, quiet or not. Where one is missing, "
        "everybody sees it."
    )


def _each(ms: int) -> str:
    """``minute`` for one of them, ``10 seconds`` for more."""
    text = duration(ms)
    return text.removeprefix("1 ") if text.count(" ") == 1 else text


# ---- pieces of sentences ---------------------------------------------------------------------------------------


def when(hours: Hours | None, days: Days) -> str:
    """The hours and days in words: ``between 01:00 and 04:30``, ``all day, every day``."""
    if hours is None:
        return f"all day, {on_days(days)}" if days else "all day, every day"
    start, end = str(hours).split("-")
    clock = f"between {start} and {end}" + (" the next morning" if hours.past_midnight and hours.end <= 12 * 60 else "")
    if hours.past_midnight and hours.end > 12 * 60:
        clock += " the next day"
    if not days:
        return clock
    return f"{clock}, on nights that begin {on_days(days)}" if hours.past_midnight else f"{clock}, {on_days(days)}"


def on_days(days: Days) -> str:
    """``on Monday and Friday``, ``from Monday to Friday``."""
    indices = [WEEK.index(name) for name in days]
    if len(indices) == len(WEEK):
        return "every day"
    if len(indices) >= _A_RUN and indices[-1] - indices[0] == len(indices) - 1:
        return f"from {_LONG_DAYS[indices[0]]} to {_LONG_DAYS[indices[-1]]}"
    return f"on {listed([_LONG_DAYS[index] for index in indices])}"


def things(of: tuple[str, ...]) -> str:
    """What an analytic looks for: ``anyone or a vehicle``."""
    return listed(["anyone" if kind == "person" else f"a {kind}" for kind in of], "or")
