"""What each rule of lint looks for: a generator a rule, yielding where a charter falls short, and how."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from typing import Final
from urllib.parse import urlsplit

from watchglass.charter.model import LIFE_SAFETY, TRIAL_DAYS, Charter, PlugIn, WebhookDestination
from watchglass.charter.phrases import listed, said
from watchglass.charter.prohibited import mentions
from watchglass.charter.rules import Hit
from watchglass.charter.scene import HasName
from watchglass.charter.telling import told_of_stops
from watchglass.charter.words import duration
from watchglass.core.reach import is_near
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND
from watchglass.ledger.keys import VerifierKey

_A_FEW: Final = 2
_READ_AGAIN_MS: Final = 2 * DAY
"""What is judged again is shown at about the same time of day, on the next day as a rule, or the one after."""
_FINEST_GRID_M: Final = 1.0
_SOON: Final = 5 * MINUTE


# ---- the law ---------------------------------------------------------------------------------------------------


def led_authority(charter: Charter) -> Iterator[Hit]:
    led = [purpose for purpose in charter.purposes if charter.regime_of(purpose) == "led"]
    if led and not charter.authority.competent_under:
        yield (
            ("authority",),
            f"{led[0].name!r} is under the police directive, and no law makes this authority competent.",
        )


def led_law(charter: Charter) -> Iterator[Hit]:
    for purpose in charter.purposes:
        if charter.regime_of(purpose) == "led" and not purpose.national_law:
            yield ("purposes", purpose.name), f"{purpose.name!r} names no national law that implements the directive."


_EMPTY = {"none", "n/a", "na", "tbd", "todo", "unknown", "?", "-", "...", "…", "xxx"}


def legal_basis(charter: Charter) -> Iterator[Hit]:
    for purpose in charter.purposes:
        if purpose.legal_basis.strip(" .").lower() in _EMPTY:
            yield ("purposes", purpose.name, "legal_basis"), f"{purpose.name!r} names no law that permits it."


def article(charter: Charter) -> Iterator[Hit]:
    for purpose in charter.purposes:
        if not any(letter.isdigit() for letter in purpose.legal_basis):
            yield ("purposes", purpose.name, "legal_basis"), f"{purpose.name!r} names no article or section of a law."


def consent(charter: Charter) -> Iterator[Hit]:
    for purpose in charter.purposes:
        basis = purpose.legal_basis.lower()
        if "consent" in basis or "6(1)(a)" in basis.replace(" ", ""):
            yield ("purposes", purpose.name, "legal_basis"), "People who walk past a camera cannot consent to it."


def spoken_of(charter: Charter) -> Iterator[Hit]:
    for purpose in charter.purposes:
        for practice, word in mentions(purpose.text):
            yield (
                ("purposes", purpose.name, "text"),
                f"The text says {word!r}. A promise never to do it is fine; doing it is prohibited: {practice.what}.",
            )


def too_long(charter: Charter) -> Iterator[Hit]:
    days = (charter.in_force.until - charter.in_force.since).days
    if days > 2 * 366:
        yield ("in_force",), f"It would hold for {days} days without anybody having to look at it again."


def trial_too_long(charter: Charter) -> Iterator[Hit]:
    if (charter.in_force.until - charter.in_force.since).days > TRIAL_DAYS:
        yield ("in_force",), f"A trial lasts at most {TRIAL_DAYS} days."


def clips(charter: Charter) -> Iterator[Hit]:
    kept = charter.safeguards.retention.reviewer_clips_ms
    if kept > 30 * DAY:
        yield ("safeguards", "retention", "reviewer_clips"), f"Clips would be kept for {duration(kept)}."


def alerts_long(charter: Charter) -> Iterator[Hit]:
    kept = charter.safeguards.retention.alerts_ms
    if kept > 3 * 365 * DAY:
        yield ("safeguards", "retention", "alerts"), f"Decisions about alerts would be kept for {duration(kept)}."


def alerts_short(charter: Charter) -> Iterator[Hit]:
    keep = charter.safeguards.retention
    if keep.alerts_ms < 182 * DAY:
        yield (
            ("safeguards", "retention", "alerts"),
            f"Records of alerts would be gone after {duration(keep.alerts_ms)}.",
        )


def clips_outlive(charter: Charter) -> Iterator[Hit]:
    keep = charter.safeguards.retention
    if keep.reviewer_clips_ms > keep.alerts_ms:
        yield ("safeguards", "retention"), "Clips would be kept longer than the alerts that they belong to."


# ---- the public view -------------------------------------------------------------------------------------------


def live(charter: Charter) -> Iterator[Hit]:
    delay = charter.safeguards.public_view.delay_ms
    if delay < _SOON:
        how = "live" if delay == 0 else f"only {duration(delay)} late"
        yield (
            ("safeguards", "public_view", "delay"),
            f"The public view is {how}. That must be consulted on, and people were not asked.",
        )


def hide(charter: Charter) -> Iterator[Hit]:
    view = charter.safeguards.public_view
    if view.hide_below < _A_FEW:
        told = "One person alone shows in the public view"
        if view.hide_below == 0 and view.delay_ms < _SOON:
            told += ", and at once: whoever watches a door with it knows who just came, and can go after them"
        yield ("safeguards", "public_view", "hide_below"), f"{told}."


def grid(charter: Charter) -> Iterator[Hit]:
    if charter.safeguards.public_view.grid_m < _FINEST_GRID_M:
        yield ("safeguards", "public_view", "grid_m"), "Pins this exact draw the path of a person."


def scale(charter: Charter) -> Iterator[Hit]:
    for source in charter.sources:
        if source.view is None:
            yield (
                ("sources", source.name),
                f"{source.name!r} does not say how wide its view is, so nobody knows how coarse a grid in metres is.",
            )


def never_see(charter: Charter) -> Iterator[Hit]:
    for source in charter.sources:
        if not source.never_see:
            yield ("sources", source.name), f"{source.name!r} has no `never_see` areas."


# ---- people ----------------------------------------------------------------------------------------------------


def review_time(charter: Charter) -> Iterator[Hit]:
    within = charter.safeguards.review.within_ms
    for analytic in charter.analytics:
        limit = (
            5 * MINUTE if analytic.kind in LIFE_SAFETY else 8 * HOUR if analytic.kind == "camera_fault" else 30 * MINUTE
        )
        if within > limit:
            yield (
                ("safeguards", "review", "within"),
                f"{duration(within)} is long for {analytic.name!r} ({analytic.kind}); {duration(limit)} is usual.",
            )


def on_suspension(charter: Charter) -> Iterator[Hit]:
    if charter.safeguards.on_suspension is None:
        yield ("safeguards",), "Nothing says what people do while the software is stopped."


def read_again(charter: Charter) -> Iterator[Hit]:
    review, keep = charter.safeguards.review, charter.safeguards.retention.reviewer_clips_ms
    if review.second_read is not None and keep < _READ_AGAIN_MS:
        yield (
            ("safeguards", "retention", "reviewer_clips"),
            f"Clips are gone after {duration(keep)}, before a second person is shown most of what was drawn for one.",
        )


def stops_reach(charter: Charter) -> Iterator[Hit]:
    stop = charter.safeguards.on_suspension
    if stop is None or charter.quality is None:
        return
    reached = {role for destination in told_of_stops(charter) for role in destination.roles}
    without = [role for role in stop.tell if role not in reached]
    if without:
        roles = listed([said(role) for role in without])
        yield (
            ("safeguards", "on_suspension", "tell"),
            f"No message reaches {roles} when a limit stops something; only the portal's pages say it.",
        )


def always(charter: Charter) -> Iterator[Hit]:
    for analytic in charter.analytics:
        if analytic.kind == "intrusion" and analytic.hours is None:
            yield ("analytics", analytic.name), f"{analytic.name!r} runs at all hours."


def too_quick(charter: Charter) -> Iterator[Hit]:
    for analytic in charter.analytics:
        if analytic.for_ms < SECOND and analytic.needs != "line":
            yield ("analytics", analytic.name, "for"), f"{analytic.name!r} would react to a single glimpse."


def nothing(charter: Charter) -> Iterator[Hit]:
    if not charter.analytics:
        yield ("analytics",), "Nothing is noticed at all, so nothing justifies looking."


def in_the_clear(charter: Charter) -> Iterator[Hit]:
    for item in charter.destinations:
        if isinstance(item, WebhookDestination):
            host = urlsplit(item.url).hostname or ""
            clear = item.url.startswith("http://")
        else:
            host, clear = item.host, not item.tls
        if clear and not is_near(host):
            yield (
                ("destinations", item.name),
                f"Messages to {item.name!r} would go to {host} in the clear, and are not sent at all.",
            )


# ---- unused ----------------------------------------------------------------------------------------------------


def unused(charter: Charter) -> Iterator[Hit]:
    analytics = charter.analytics
    zones = {(analytic.source, analytic.zone) for analytic in analytics}
    sources = {analytic.source for analytic in analytics}
    for source in charter.sources:
        if source.name not in sources:
            yield ("sources", source.name), f"No analytic uses the source {source.name!r}; it will not be looked at."
        for zone in source.zones:
            if (source.name, zone.name) not in zones:
                yield ("sources", source.name, "zones", zone.name), f"No analytic uses the zone {zone.name!r}."
    told = {name for analytic in analytics for name in analytic.tell}
    told |= {destination.name for destination in told_of_stops(charter)}
    codes = {analytic.plug_in for analytic in analytics if isinstance(analytic, PlugIn)}
    yield from _without(charter.purposes, {a.purpose for a in analytics}, "purposes", "serves the purpose {}")
    yield from _without(charter.models, {a.model for a in analytics}, "models", "uses the model {}")
    yield from _without(charter.plug_ins, codes, "plug_ins", "uses the plug-in {}")
    yield from _without(charter.destinations, told, "destinations", "tells {} anything")


def _without(items: Iterable[HasName], used: Container[str | None], section: str, what: str) -> Iterator[Hit]:
    for item in items:
        if item.name not in used:
            yield (section, item.name), f"No analytic {what.format(repr(item.name))}."


# ---- ledger and oversight --------------------------------------------------------------------------------------


def merge(charter: Charter) -> Iterator[Hit]:
    rules = charter.ledger
    if rules.merge_within_ms < rules.batch_every_ms:
        yield ("ledger", "merge_within"), "Receipts would promise an entry sooner than the ledger makes one."
    if rules.batch_every_ms < rules.checkpoint_every_ms:
        yield ("ledger", "batch_every"), "Alerts would enter the ledger more often than it is published."


def checkpoint(charter: Charter) -> Iterator[Hit]:
    if charter.ledger.checkpoint_every_ms > 10 * MINUTE:
        yield ("ledger", "checkpoint_every"), "A suspension or a new charter would stay unseen for long."


def batch(charter: Charter) -> Iterator[Hit]:
    if charter.ledger.batch_every_ms < 15 * MINUTE:
        yield (
            ("ledger", "batch_every"),
            "The ledger would grow soon after each alert, which tells everybody that somebody was there.",
        )


def heartbeat(charter: Charter) -> Iterator[Hit]:
    every = charter.ledger.heartbeat_every_ms
    if every is None:
        yield ("ledger",), "Nobody could tell a quiet hour from one that nobody looked at, or that was left out."
    elif every > 10 * MINUTE:
        yield ("ledger", "heartbeat_every"), f"A recorder that stopped would stay unnoticed for {duration(every)}."


def same_key(charter: Charter) -> Iterator[Hit]:
    if _bare_key(charter.authority.key) == _bare_key(charter.oversight.key):
        yield ("oversight", "key"), "The authority would oversee itself: both keys are the same."


def _bare_key(vkey: str) -> bytes:
    """The key itself: the same key under two names is still one key."""
    return VerifierKey.parse(vkey).public


def witness_key(charter: Charter) -> Iterator[Hit]:
    for index, witness in enumerate(charter.oversight.witnesses):
        if _bare_key(witness.key) == _bare_key(charter.authority.key):
            yield ("oversight", "witnesses", index, "key"), "The authority would be its own witness."


def no_witness(charter: Charter) -> Iterator[Hit]:
    if not charter.oversight.witnesses:
        yield ("oversight",), "No witness is named, so nobody outside would notice a rewritten ledger."


def quorum_half(charter: Charter) -> Iterator[Hit]:
    agreement, number = charter.oversight.agreement, len(charter.oversight.witnesses)
    if agreement is not None and number > 1 and 2 * agreement.needed <= number:
        yield (
            ("oversight", "quorum"),
            f"{agreement.needed} of {number} witnesses are enough, so two groups of them could confirm two pasts.",
        )


def quorum_all(charter: Charter) -> Iterator[Hit]:
    agreement, number = charter.oversight.agreement, len(charter.oversight.witnesses)
    if agreement is not None and agreement.needed == number > 1:
        yield (
            ("oversight", "quorum" if charter.oversight.quorum else "witnesses"),
            f"All {number} witnesses must agree: while one is away, nothing new comes into force.",
        )


def unwitnessed(charter: Charter) -> Iterator[Hit]:
    if charter.ledger.witnessed_within_ms is None:
        yield ("ledger",), "If all witnesses went away, everything would run on, and nobody outside would see it."


def no_suspend(charter: Charter) -> Iterator[Hit]:
    if "suspend" not in charter.oversight.may:
        yield ("oversight", "may"), "Oversight could not stop anything."


def not_consulted(charter: Charter) -> Iterator[Hit]:
    del charter  # no version of the language that is built can name a consultation
    yield (), "This charter was not consulted on; residents read that on its page."
