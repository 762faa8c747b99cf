"""The text of a charter from a few choices. The product's own parser reads it, its lint lets it pass.

The chances of a charter (``Rules``) are what an honest or dishonest deployment varies: hours and time zones, who must
agree, how long things are kept, who oversees.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from watchglass.core.digest import sha256

DURATIONS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s"))


@dataclass(frozen=True)
class Look:
    """An analytic: its name, what it notices, where, and when."""

    name: str
    kind: str
    source: str
    purpose: str
    hours: str | None = None
    days: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sealed:
    """What a charter says of originals: who must agree, of whom, how long they are kept, and the emergency rule."""

    custodians: tuple[tuple[str, str], ...]
    k: int
    one_of: tuple[str, ...]
    keep_ms: int
    valid_ms: int
    glass_key: str | None = None
    follow_up_ms: int = 86_400_000


@dataclass(frozen=True)
class Rules:
    """Everything of a charter that varies."""

    version: int
    since: date
    until: date
    timezone: str
    authority: str
    oversight: str
    openings: str
    witnesses: tuple[str, ...]
    sources: tuple[str, ...]
    looks: tuple[Look, ...]
    models: tuple[str, ...]
    sealed: Sealed | None
    clips_ms: int = 7 * 86_400_000
    alerts_ms: int = 365 * 86_400_000
    review_ms: int = 120_000
    reads: str = ""
    samples: str = ""
    reports: str = ""
    quality: str = ""
    conditions: str = ""
    pace: tuple[int, int, int] = (60_000, 3_600_000, 7_200_000)
    heartbeat_ms: int | None = None
    witnessed_ms: int | None = None
    may: tuple[str, ...] = ("suspend", "inspect")


def hash_of(model: str) -> bytes:
    """The SHA-256 of a made-up model's weights."""
    return sha256(b"weights of " + model.encode())


def duration(ms: int) -> str:
    """``90m``: the longest unit that fits."""
    return next(f"{ms // unit}{letter}" for unit, letter in DURATIONS if ms % unit == 0)


def text_of(rules: Rules) -> str:
    """The charter."""
    return "\n".join(
        [
            "watchglass: 1",
            "charter: square",
            f"version: {rules.version}",
            f"timezone: {rules.timezone}",
            "authority:",
            "  name: Town of Exampleton",
            "  contact: privacy@exampleton.example",
            "  regime: gdpr",
            f'  key: "{rules.authority}"',
            f'in_force: {{from: "{rules.since}", until: "{rules.until}"}}',
            "purposes:",
            *_purposes(rules),
            "models:",
            *[f"  {name}: sha256:{hash_of(name).hex()}" for name in rules.models],
            "sources:",
            *[line for name in rules.sources for line in _source(name, rules.conditions)],
            "analytics:",
            *[_look(rules, look) for look in rules.looks],
            "safeguards:",
            "  public_view: {mode: painted, delay: 15m, hide_below: 3, grid_m: 1}",
            "  reviewer_view: mosaic",
            *_kept(rules),
            f"  review: {{within: {duration(rules.review_ms)}{rules.reads}}}",
            *([f"  {rules.samples}"] if rules.samples else []),
            *([f"  {rules.reports}"] if rules.reports else []),
            "  on_suspension: {tell: [oversight, shift-lead], people_do: Patrols go past every half hour.}",
            *([rules.quality] if rules.quality else []),
            _ledger(rules),
            "oversight:",
            "  body: Exampleton Privacy Board",
            f'  key: "{rules.oversight}"',
            f'  openings_key: "{rules.openings}"',
            f"  may: [{', '.join(rules.may)}]",
            *_witnesses(rules),
            "",
        ]
    )


def _purposes(rules: Rules) -> list[str]:
    names = sorted({look.purpose for look in rules.looks})
    return [
        f"  {name}: {{text: Notice what happens in the {name} part of the square., "
        "legal_basis: GDPR Art. 6(1)(e); Exampleton by-law 12}"
        for name in names
    ]


def _source(name: str, conditions: str) -> list[str]:
    return [
        f"  {name}:",
        "    kind: file",
        f"    path: {name}.mp4",
        "    loop: true",
        f"    place: {{name: The {name} corner, lat: 51.0, lon: 1.0}}",
        "    view: {width_m: 16, ground: [[0, 410], [768, 390], [768, 576], [0, 576]]}",
        "    picture: {width: 768, height: 576}",
        *([f"    conditions: {conditions}"] if conditions else []),
        "    zones:",
        "      lawn: {polygon: [[120, 300], [700, 280], [768, 576], [40, 576]], area_m2: 140}",
    ]


def _look(rules: Rules, look: Look) -> str:
    parts = [f"kind: {look.kind}", f"source: {look.source}", f"purpose: {look.purpose}"]
    if look.kind == "camera_fault":
        parts.append("for: 5s")
    else:
        parts += ["zone: lawn", f"model: {rules.models[0]}", "for: 2s"]
        parts.append("people_per_m2: 0.3" if look.kind == "crowd_density" else "of: [person]")
    if look.hours:
        parts.append(f'hours: "{look.hours}"')
    if look.days:
        parts.append(f"days: [{', '.join(look.days)}]")
    return f"  {look.name}: {{{', '.join(parts)}}}"


def _kept(rules: Rules) -> list[str]:
    plain = f"reviewer_clips: {duration(rules.clips_ms)}, alerts: {duration(rules.alerts_ms)}"
    if rules.sealed is None:
        return [f"  retention: {{{plain}}}"]
    sealed = rules.sealed
    one_of = f", one_of: [{', '.join(sealed.one_of)}]" if sealed.one_of else ""
    glass = ""
    if sealed.glass_key is not None:
        glass = (
            f', break_glass: {{key: "{sealed.glass_key}", by: [shift-lead], longest: 10m, not_older_than: 2h, '
            f"follow_up: {duration(sealed.follow_up_ms)}}}"
        )
    return [
        f"  retention: {{sealed: {duration(sealed.keep_ms)}, {plain}}}",
        "  record: {when: incidents, before: 20s, after: 40s, segment: 10s}",
        "  custodians:",
        *[f'    {name}: "{key}"' for name, key in sealed.custodians],
        (
            f"  release: {{custodians: {sealed.k} of {len(sealed.custodians)}{one_of}, "
            f"needs: [case, legal_authority, reason], valid: {duration(sealed.valid_ms)}, longest: 1h{glass}}}"
        ),
    ]


def _ledger(rules: Rules) -> str:
    checkpoint, batch, merge = rules.pace
    parts = [
        f"checkpoint_every: {duration(checkpoint)}",
        f"batch_every: {duration(batch)}",
        f"merge_within: {duration(merge)}",
    ]
    if rules.heartbeat_ms is not None:
        parts.append(f"heartbeat_every: {duration(rules.heartbeat_ms)}")
    if rules.witnessed_ms is not None:
        parts.append(f"witnessed_within: {duration(rules.witnessed_ms)}")
    return f"ledger: {{{', '.join(parts)}}}"


def _witnesses(rules: Rules) -> list[str]:
    if not rules.witnesses:
        return []
    return ["  witnesses:", *[f'    - {{key: "{key}", url: "https://witness.example"}}' for key in rules.witnesses]]
