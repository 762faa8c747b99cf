"""What is well written and still unwise or unlawful: findings, each with its rule, its article and what to do.

An *error* stops publication, a *warning* needs a person's thought, a *notice* is shown to residents as it stands.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Final

from watchglass.charter import checks
from watchglass.charter.condition_rules import CONDITION_RULES
from watchglass.charter.model import Deployment
from watchglass.charter.parse import Parsed
from watchglass.charter.quality_rules import NO_LIMITS, QUALITY_RULES
from watchglass.charter.report_rules import REPORT_RULES
from watchglass.charter.rules import Rule, Severity
from watchglass.charter.sample_rules import SAMPLE_RULES
from watchglass.charter.sealing_rules import SEALING_RULES

__all__ = ["RULES", "Finding", "Rule", "Severity", "lint"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One place where a charter falls short of a rule."""

    rule: str
    severity: Severity
    path: str
    line: int
    column: int
    message: str
    article: str
    fix: str

    def as_json(self) -> dict[str, object]:
        """The finding as a JSON-ready object."""
        return asdict(self)


def lint(parsed: Parsed, deployment: Deployment = "production") -> list[Finding]:
    """All findings, the gravest first, then in the order of the file."""
    found: list[Finding] = []
    for rule in RULES:
        if rule.only not in (None, deployment):
            continue
        milder = deployment == "trial" or (deployment == "demo" and rule.severity != "error")
        severity = rule.in_trial if milder and rule.in_trial else rule.severity
        for path, message in rule.check(parsed.charter):
            spot = parsed.spot(path)
            dotted = ".".join(str(part) for part in path)
            found.append(Finding(rule.id, severity, dotted, spot.line, spot.column, message, rule.article, rule.fix))
    order = ("error", "warning", "notice")
    return sorted(found, key=lambda finding: (order.index(finding.severity), finding.line, finding.column))


RULES: Final = (
    Rule(
        "led-authority",
        "error",
        "An authority under the police directive is a competent one.",
        "LED Art. 3(7)",
        "Add `competent_under` with the law that makes it one, or choose another regime.",
        checks.led_authority,
    ),
    Rule(
        "led-national-law",
        "error",
        "A purpose under the police directive names the national law that implements it.",
        "LED Art. 8(2)",
        "Add `national_law` to the purpose.",
        checks.led_law,
    ),
    Rule(
        "legal-basis",
        "error",
        "Each purpose names the law or by-law that permits it.",
        "GDPR Art. 6(3); LED Art. 8",
        "Name the law and its article or number.",
        checks.legal_basis,
    ),
    Rule(
        "legal-basis-article",
        "warning",
        "A legal basis names the article or section, so that people can read it.",
        "GDPR Art. 13(1)(c)",
        "Add the number of the article, section or by-law.",
        checks.article,
    ),
    Rule(
        "consent",
        "error",
        "Consent is no basis for watching a public place.",
        "GDPR Art. 7 and recital 43",
        "Name the law that gives the authority this task.",
        checks.consent,
    ),
    Rule(
        "prohibited-words",
        "warning",
        "A purpose that speaks of a prohibited practice is read by a person.",
        "EU AI Act Art. 5",
        "Let a person read this sentence, and say plainly what is not done.",
        checks.spoken_of,
    ),
    Rule(
        "in-force",
        "warning",
        "A charter holds for at most two years.",
        "GDPR Art. 35(11)",
        "Choose an earlier last day, and review the charter before it.",
        checks.too_long,
    ),
    Rule(
        "trial-length",
        "error",
        "A trial lasts at most fourteen days.",
        "",
        "Choose an earlier last day; afterwards, find a board and a witness.",
        checks.trial_too_long,
        only="trial",
    ),
    Rule(
        "retention-clips",
        "warning",
        "Clips are kept for at most thirty days.",
        "GDPR Art. 5(1)(e); LED Art. 5",
        "Shorten it; what a case needs is held by a case.",
        checks.clips,
    ),
    Rule(
        "retention-alerts-long",
        "warning",
        "Decisions about alerts are kept for at most three years.",
        "GDPR Art. 5(1)(e); LED Art. 5",
        "Shorten it; the ledger keeps the count without the details.",
        checks.alerts_long,
    ),
    Rule(
        "retention-alerts-short",
        "warning",
        "Logs of an AI system of high risk are kept for at least six months.",
        "EU AI Act Art. 26(6)",
        "Keep alerts for at least 183 days.",
        checks.alerts_short,
        "notice",
    ),
    Rule(
        "retention-order",
        "warning",
        "No clip outlives its alert.",
        "GDPR Art. 5(1)(e)",
        "Keep clips for a shorter time than alerts.",
        checks.clips_outlive,
    ),
    Rule(
        "live-view",
        "warning",
        "A public view that is live or nearly so is a choice that people are asked about.",
        "GDPR Art. 25(2)",
        "Set `delay: 15m`, or ask the people who live and work there, and publish the reasons.",
        checks.live,
        "notice",
    ),
    Rule(
        "hide-below",
        "warning",
        "The public view is empty while a single person is in view.",
        "GDPR Art. 25(2)",
        "Set `hide_below` to 3 or more.",
        checks.hide,
        "notice",
    ),
    Rule(
        "grid",
        "warning",
        "The grid of the public view is a metre or coarser.",
        "GDPR Art. 25(2)",
        "Set `grid_m: 1`.",
        checks.grid,
        "notice",
    ),
    Rule("scale", "warning", "A source states the width of its view.", "", "Add `view: {width_m: …}`.", checks.scale),
    Rule(
        "never-see",
        "notice",
        "Private windows, doors and gardens are blacked out.",
        "GDPR Art. 25(1)",
        "Look at the picture: add `never_see` polygons for what is private, or note that nothing is.",
        checks.never_see,
    ),
    Rule(
        "review-time",
        "warning",
        "A person decides soon enough for the kind of danger.",
        "EU AI Act Art. 14",
        "Shorten `review.within`, and staff it.",
        checks.review_time,
    ),
    Rule(
        "on-suspension",
        "warning",
        "People know what to do while the software is stopped.",
        "EU AI Act Art. 26(5)",
        "Add `on_suspension` with `tell` and `people_do`.",
        checks.on_suspension,
        "notice",
    ),
    Rule(
        "read-again",
        "warning",
        "What is drawn for a second person is still there to be looked at.",
        "EU AI Act Art. 14",
        "Keep `retention.reviewer_clips` for two days at least, or leave out `review.second_read`.",
        checks.read_again,
        "notice",
    ),
    Rule(
        "stops-reach",
        "notice",
        "Whoever is to be told of a stop gets a message.",
        "",
        "Give a destination the role in its `roles`.",
        checks.stops_reach,
    ),
    Rule(
        "hours",
        "warning",
        "An area is forbidden at stated hours, not always.",
        "GDPR Art. 5(1)(c)",
        "Add `hours`, or say in the purpose why it is forbidden day and night.",
        checks.always,
        "notice",
    ),
    Rule(
        "for",
        "warning",
        "An analytic waits at least a second.",
        "GDPR Art. 5(1)(d)",
        "Write `for: 1s` or longer.",
        checks.too_quick,
    ),
    Rule(
        "nothing",
        "warning",
        "A charter notices something.",
        "GDPR Art. 5(1)(b)",
        "Add an analytic, or withdraw the charter.",
        checks.nothing,
    ),
    Rule(
        "in-the-clear",
        "error",
        "Messages that leave the building are encrypted.",
        "GDPR Art. 32(1)(a)",
        "Use `https`, or `tls: true`.",
        checks.in_the_clear,
    ),
    Rule(
        "unused",
        "warning",
        "Everything that is named is used.",
        "GDPR Art. 5(1)(c)",
        "Remove it, or add the analytic that needs it.",
        checks.unused,
    ),
    Rule(
        "ledger-order",
        "error",
        "The ledger's times fit together: checkpoint ≤ batch ≤ merge.",
        "",
        "Let `merge_within` be at least `batch_every`, and that at least `checkpoint_every`.",
        checks.merge,
    ),
    Rule(
        "checkpoint",
        "warning",
        "What is prompt shows within ten minutes.",
        "",
        "Set `checkpoint_every: 60s`.",
        checks.checkpoint,
    ),
    Rule(
        "batch",
        "warning",
        "Alerts enter the public ledger in batches of a quarter of an hour or more.",
        "GDPR Art. 25(1)",
        "Set `batch_every: 1h`.",
        checks.batch,
        "notice",
    ),
    Rule(
        "heartbeat",
        "warning",
        "Whatever looks at a camera signs that it is there, every few minutes.",
        "",
        "Write `heartbeat_every: 60s` under `ledger`.",
        checks.heartbeat,
        "notice",
    ),
    Rule(
        "own-oversight",
        "error",
        "Oversight is somebody else than the authority.",
        "",
        "Let the board outside make its own key on its own machine.",
        checks.same_key,
        "notice",
    ),
    Rule(
        "own-witness",
        "error",
        "A witness is somebody else than the authority.",
        "",
        "Name a witness outside.",
        checks.witness_key,
        "notice",
    ),
    Rule(
        "no-witness",
        "error",
        "Somebody outside cosigns the ledger.",
        "",
        "Name at least one witness under `oversight.witnesses`.",
        checks.no_witness,
        "notice",
    ),
    Rule(
        "quorum-half",
        "warning",
        "More than half of the witnesses agree.",
        "",
        "Leave `oversight.quorum` out, or raise it above half of the witnesses.",
        checks.quorum_half,
    ),
    Rule(
        "quorum-all",
        "warning",
        "One witness that is away stops nothing.",
        "",
        "Name three witnesses or more, and ask for one less than all of them.",
        checks.quorum_all,
    ),
    Rule(
        "witnessed-within",
        "warning",
        "Nothing runs for long without a witness.",
        "",
        "Write `witnessed_within: 1h` under `ledger`, or how long it may run unseen.",
        checks.unwitnessed,
        only="production",
    ),
    Rule(
        "no-suspend",
        "error",
        "Oversight may stop it.",
        "EU AI Act Art. 26(5)",
        "Add `suspend` to `oversight.may`.",
        checks.no_suspend,
        "warning",
    ),
    Rule(
        "not-consulted",
        "notice",
        "The people under the cameras were asked.",
        "GDPR Art. 35(9)",
        "Nothing to do in this version: consultations are not built yet.",
        checks.not_consulted,
    ),
    *SEALING_RULES,
    *QUALITY_RULES,
    *CONDITION_RULES,
    *SAMPLE_RULES,
    *REPORT_RULES,
    NO_LIMITS,
)
