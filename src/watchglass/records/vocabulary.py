"""Every act that a leaf may name, with its fields and their types. What is not here cannot be built or parsed.

Four rules hold throughout, and the tests check them:

* Every act commits to its ``minute``, but for those that may come before there is a charter and so nobody to seal an
  opening to, and those whose times are a witness's. With the salt this also makes every leaf unlike any other, so
  that one receipt never stands for two acts.
* All fields are always present (null where there is nothing to say), so that a field's absence tells nothing.
* What is finer than an hour, and whatever tells of a person, a place within a source or a decision, is committed.
* An act that refers to earlier ones names their leaf hashes, in the open only where the link itself tells nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from watchglass.core.canonical import MAX_INTEGER
from watchglass.core.errors import BadInput
from watchglass.core.time import DAY
from watchglass.records.act_spec import HOUSE, STAFF, ActSpec, Basis, Lane, Need
from watchglass.records.fields import (
    HASH,
    IDENTIFIER,
    MINUTE,
    MONTH,
    NAME,
    ORIGIN,
    VKEY,
    Choice,
    FieldType,
    ListOf,
    MapOf,
    Members,
    OrNull,
    Text,
    Whole,
)
from watchglass.records.guard_acts import GUARD_ACTS
from watchglass.records.judge_acts import JUDGE_ACTS
from watchglass.records.missed_acts import MISSED_ACTS
from watchglass.records.report_acts import REPORT_ACTS
from watchglass.records.sample_acts import SAMPLE_ACTS
from watchglass.records.source_acts import SEEN, SOURCE_ACTS
from watchglass.records.watch_acts import WATCH_ACTS

_REVIEWERS: Final = frozenset({"reviewer", "shift-lead"})
_KEEPERS: Final = frozenset({"house", "operator", "administrator"})
_ALERT: Final[Mapping[str, FieldType]] = {"alert": IDENTIFIER}
_VERDICT: Final[Mapping[str, FieldType]] = {**_ALERT, "decided": HASH}
"""The verdict that a response follows from: committed, for a public ref would tell which alerts were confirmed."""
_ACCOUNT: Final = Text(100)
_SCOPE: Final = Choice(("all", "analytic"))
_HEAD: Final = Members({"size": Whole(0, MAX_INTEGER), "root": HASH})


_OVERSIGHT = "Oversight, from the opening."
_HOUSE_AND_OVERSIGHT = "Staff on the page of this alert; oversight, from the opening."

_LIFE: Final = (
    ActSpec(
        "log_opened",
        Basis.ATTESTED,
        Lane.PROMPT,
        HOUSE,
        "The log began: always entry 0, and nothing else says so again.",
        "Nothing is hidden.",
        clear={
            "origin": ORIGIN,
            "deployment": Choice(("production", "trial", "demo")),
            "software": NAME,
        },
        charter=Need.NEVER,
        timed=False,
    ),
    ActSpec(
        "charter_published",
        Basis.ATTESTED,
        Lane.PROMPT,
        _KEEPERS | {"authority"},
        "A charter's exact text was put before everyone; whether it is in force depends on its approvals.",
        _OVERSIGHT,
        clear={"name": NAME, "version": Whole(1, 1_000_000), "sha256": HASH, "text": Text(60_000)},
        committed={"account": _ACCOUNT},
        charter=Need.MAYBE,
    ),
    ActSpec(
        "charter_approved",
        Basis.SIGNED,
        Lane.PROMPT,
        frozenset({"authority", "oversight"}),
        "The authority or oversight approved one exact charter, having seen the log at the size that it names.",
        _OVERSIGHT,
        clear={
            "name": NAME,
            "version": Whole(1, 1_000_000),
            "sha256": HASH,
            "as_role": Choice(("authority", "oversight")),
            "seen": OrNull(_HEAD),
        },
        charter=Need.MAYBE,
    ),
    ActSpec(
        "run_started",
        Basis.ATTESTED,
        Lane.PROMPT,
        HOUSE,
        "The house started, with this software, these models and these sources.",
        "Nothing is hidden.",
        clear={
            "run": IDENTIFIER,
            "software": NAME,
            "models": MapOf(HASH, 64),
            "sources": ListOf(NAME, 1_000, as_set=True),
        },
        charter=Need.MAYBE,
        timed=False,
    ),
    ActSpec(
        "run_stopped",
        Basis.ATTESTED,
        Lane.PROMPT,
        HOUSE,
        "The house stopped. A start without its stop means that it was cut off.",
        "Nothing is hidden.",
        clear={
            "run": IDENTIFIER,
            "cause": Choice(("asked", "sources_ended", "charter_ended", "fault", "found_after_crash")),
        },
        charter=Need.MAYBE,
        timed=False,
    ),
    ActSpec(
        "key_enrolled",
        Basis.SIGNED,
        Lane.PROMPT,
        frozenset({"oversight"}),
        "Oversight enrolled one person's signing key for one role and one month.",
        "Oversight, from the opening, which names the person.",
        clear={"enrolled_role": Choice(tuple(sorted(STAFF))), "vkey": VKEY, "month": MONTH},
        committed={"person": _ACCOUNT},
    ),
    ActSpec(
        "account_changed",
        Basis.ATTESTED,
        Lane.BATCH,
        STAFF | HOUSE,
        "An account was opened, closed, given other roles or another password.",
        "Administrators; oversight, from the opening.",
        clear={"change": Choice(("opened", "roles", "closed", "password"))},
        committed={
            "account": _ACCOUNT,
            "roles": ListOf(Choice(tuple(sorted(STAFF))), len(STAFF), as_set=True),
            "by": OrNull(_ACCOUNT),
        },
        charter=Need.MAYBE,
    ),
    ActSpec(
        "backdrop_confirmed",
        Basis.ATTESTED,
        Lane.PROMPT,
        frozenset({"operator", "house"}),
        "An operator said “nobody is in this picture”; from here on the public view shows it.",
        "Everyone sees the picture; oversight, from the opening, who confirmed it.",
        clear={"source": NAME},
        committed={"scene": NAME, "picture_sha256": HASH, "account": _ACCOUNT},
        later=frozenset({"scene"}),
    ),
    ActSpec(
        "backdrop_renewed",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "Parts of a published backdrop had changed and saw neither motion nor detection for 30 minutes; they are shown "
        "anew.",
        "Everyone sees the picture; oversight, from the opening, which one it replaced.",
        clear={"source": NAME},
        committed={
            "scene": NAME,
            "before_sha256": HASH,
            "picture_sha256": HASH,
            "blocks": Whole(1, 1_000_000),
        },
    ),
    ActSpec(
        "backdrop_withdrawn",
        Basis.ATTESTED,
        Lane.PROMPT,
        frozenset({"operator", "house"}),
        "A published backdrop was taken back; the public view of the source is grey again.",
        "Oversight, from the opening, who withdrew it.",
        clear={"source": NAME},
        committed={"scene": NAME, "picture_sha256": HASH, "account": _ACCOUNT},
        later=frozenset({"scene"}),
    ),
    ActSpec(
        "draft_saved",
        Basis.ATTESTED,
        Lane.BATCH,
        frozenset({"operator"}),
        "An operator changed the draft of the charter in the portal. A draft changes nothing until it is signed.",
        _OVERSIGHT,
        clear={"name": NAME, "version": Whole(1, 1_000_000)},
        committed={"source": NAME, "before": OrNull(HASH), "sha256": HASH, "account": _ACCOUNT},
        charter=Need.MAYBE,
    ),
    ActSpec(
        "retention_applied",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "What the charter's retention had outlived was destroyed: keys first, then data.",
        _OVERSIGHT,
        clear={"what": Choice(("clips", "alerts", "openings", "segments", "shares", "accesses", "samples", "reports"))},
        committed={"count": Whole(0, MAX_INTEGER), "before": MINUTE},
    ),
)

_ALERTS: Final = (
    ActSpec(
        "alert_raised",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "An analytic put an incident before the reviewers; or the house put one before them again, which only `again` "
        "tells: for a second or third person's judgement, or as a check whose answer is known.",
        _HOUSE_AND_OVERSIGHT,
        clear={"analytic": NAME, "kind": NAME},
        committed={
            **_ALERT,
            "source": NAME,
            "zone": OrNull(NAME),
            "score": OrNull(Whole(0, 1000)),
            "probability": OrNull(Whole(0, 1000)),
            "why": Text(500),
            "again": OrNull(Members({"of": HASH, "why": Choice(("second", "third", "check"))})),
            "conditions": SEEN,
            "calibration": OrNull(HASH),
        },
        purpose=Need.ALWAYS,
        later=frozenset({"probability", "again", "calibration", "conditions"}),
    ),
    ActSpec(
        "alert_decided",
        Basis.ATTESTED,
        Lane.BATCH,
        _REVIEWERS,
        "A person decided about an alert; a confirmed one was handed to those who go there, over `handed_to`. `read` "
        "says which judgement it is, null: of a check. `draw`, of a first one, was drawn in that moment: another "
        "person judges the same incident where its number is below what it names.",
        _HOUSE_AND_OVERSIGHT,
        committed={
            **_ALERT,
            "verdict": Choice(("confirm", "reject", "unsure")),
            "reason": NAME,
            "handed_to": OrNull(NAME),
            "account": _ACCOUNT,
            "read": OrNull(Whole(1, 3)),
            "draw": OrNull(Members({"number": Whole(0, 999_999), "below": Whole(0, 1_000_000)})),
        },
        refs_to=("alert_raised",),
        purpose=Need.ALWAYS,
        later=frozenset({"read", "draw"}),
    ),
    ActSpec(
        "verdict_withdrawn",
        Basis.ATTESTED,
        Lane.BATCH,
        _REVIEWERS,
        "A person took back their own verdict within the time for undoing; the alert waits again.",
        _HOUSE_AND_OVERSIGHT,
        committed={**_ALERT, "account": _ACCOUNT},
        refs_to=("alert_decided",),
        purpose=Need.ALWAYS,
    ),
    ActSpec(
        "handover_progressed",
        Basis.ATTESTED,
        Lane.BATCH,
        frozenset({"responder", "shift-lead"}),
        "A responder acknowledged, set out or arrived.",
        _HOUSE_AND_OVERSIGHT,
        committed={**_VERDICT, "step": Choice(("acknowledged", "on_the_way", "arrived")), "account": _ACCOUNT},
        purpose=Need.ALWAYS,
    ),
    ActSpec(
        "outcome_recorded",
        Basis.ATTESTED,
        Lane.BATCH,
        frozenset({"responder", "shift-lead"}),
        "A responder said what was found on the spot; the hand-over is closed.",
        _HOUSE_AND_OVERSIGHT,
        committed={
            **_VERDICT,
            "outcome": Choice(("found-helped", "found-no-help-needed", "not-found", "nobody-contacted")),
            "action": Text(1_000, may_be_empty=True),
            "account": _ACCOUNT,
        },
        purpose=Need.ALWAYS,
    ),
    ActSpec(
        "clip_kept",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "The mosaicked clip of an alert was encrypted and kept for as long as the charter says.",
        _HOUSE_AND_OVERSIGHT,
        committed={
            **_ALERT,
            "ciphertext_sha256": HASH,
            "seconds_ms": Whole(0, DAY),
            "masked_per_mille": Whole(0, 1000),
        },
        refs_to=("alert_raised",),
        purpose=Need.ALWAYS,
    ),
    ActSpec(
        "clip_viewed",
        Basis.ATTESTED,
        Lane.BATCH,
        _REVIEWERS | {"oversight"},
        "A person looked at the mosaicked clip of an alert.",
        _HOUSE_AND_OVERSIGHT,
        committed={**_ALERT, "account": _ACCOUNT},
        refs_to=("alert_raised",),
        purpose=Need.ALWAYS,
    ),
)

_VALUE: Final = Choice(("confirm", "reject", "unsure"))
_READS: Final = (
    ActSpec(
        "reads_closed",
        Basis.ATTESTED,
        Lane.BATCH,
        HOUSE,
        "Once a day, whether or not there is anything: what people made together of alerts that more than one of them "
        "judged (`closed`), and which alerts were checks, with the known answer (`checks`). From here on those who "
        "answered them may know.",
        "Reviewers what concerns them; oversight, from the opening.",
        committed={
            "closed": ListOf(
                Members({"alert": HASH, "reads": ListOf(HASH, 3), "value": _VALUE, "told": Choice(("yes", "no"))}), 200
            ),
            "checks": ListOf(Members({"alert": HASH, "of": HASH, "truth": Choice(("confirm", "reject"))}), 200),
        },
    ),
)

_NOTICE: Final[Mapping[str, FieldType]] = {
    "notice": IDENTIFIER,
    "alert": OrNull(IDENTIFIER),
    "destination": NAME,
    "account": OrNull(_ACCOUNT),
}
_TELLERS: Final = frozenset({"house", "operator", "shift-lead"})
_STAFF_AND_OVERSIGHT: Final = "Operators and shift leads on the page of notices; oversight, from the opening."

_NOTICES: Final = (
    ActSpec(
        "notice_decided",
        Basis.ATTESTED,
        Lane.BATCH,
        _TELLERS,
        "Before anything left: what one destination of the charter is told about an alert, a verdict or a stop by a "
        "limit, or that it is told nothing. Verdicts that tell nobody anything leave the same record, so that it gives "
        "no verdict away.",
        _STAFF_AND_OVERSIGHT,
        committed={
            **_NOTICE,
            "status": Choice(
                (
                    "unconfirmed",
                    "confirmed",
                    "rejected",
                    "unsure",
                    "withdrawn",
                    "nothing",
                    "test",
                    "stopped",
                    "resumed",
                ),
            ),
            "body_sha256": HASH,
        },
        purpose=Need.ALWAYS,
    ),
    ActSpec(
        "notice_settled",
        Basis.ATTESTED,
        Lane.BATCH,
        _TELLERS,
        "What became of a notice: delivered, not delivered in time, overtaken by newer news of its alert, withheld "
        "because the charter did not allow it, or given up by a person; `nothing` where nothing was to be told.",
        _STAFF_AND_OVERSIGHT,
        committed={
            **_NOTICE,
            "outcome": Choice(("delivered", "undelivered", "overtaken", "withheld", "given-up", "nothing")),
            "tries": Whole(0, MAX_INTEGER),
            "cause": Text(500, may_be_empty=True),
        },
    ),
    ActSpec(
        "notice_retried",
        Basis.ATTESTED,
        Lane.BATCH,
        _TELLERS,
        "A person had a notice sent again that had not been delivered.",
        _STAFF_AND_OVERSIGHT,
        committed={**_NOTICE},
        purpose=Need.ALWAYS,
    ),
)

_OVERSIGHTS: Final = (
    ActSpec(
        "suspension_ordered",
        Basis.SIGNED,
        Lane.PROMPT,
        frozenset({"oversight"}),
        "Oversight ordered everything, or one analytic, to stop.",
        _OVERSIGHT,
        clear={"scope": _SCOPE, "analytic": OrNull(NAME)},
        committed={"reason": Text(2_000)},
    ),
    ActSpec(
        "suspension_obeyed",
        Basis.ATTESTED,
        Lane.PROMPT,
        HOUSE,
        "The house stopped what it was ordered to stop, so many milliseconds after the order reached it.",
        _OVERSIGHT,
        clear={"scope": _SCOPE, "analytic": OrNull(NAME), "within_ms": Whole(0, MAX_INTEGER)},
        refs_to=("suspension_ordered",),
    ),
    ActSpec(
        "suspension_lifted",
        Basis.SIGNED,
        Lane.PROMPT,
        frozenset({"oversight"}),
        "Oversight allowed what it had stopped to run again; it takes effect once witnesses have cosigned it.",
        _OVERSIGHT,
        clear={"scope": _SCOPE, "analytic": OrNull(NAME)},
        committed={"reason": Text(2_000), "what_changed": Text(2_000)},
        refs_to=("suspension_ordered",),
    ),
    ActSpec(
        "openings_taken",
        Basis.ATTESTED,
        Lane.PROMPT,
        frozenset({"oversight"}),
        "Oversight took the sealed openings away, to open them on its own machine.",
        _OVERSIGHT,
        committed={"count": Whole(0, MAX_INTEGER), "account": _ACCOUNT},
        charter=Need.MAYBE,
    ),
)

ACTS: Final[Mapping[str, ActSpec]] = {
    spec.name: spec
    for spec in (
        *(*_LIFE, *_ALERTS, *_READS, *_NOTICES, *_OVERSIGHTS),
        *(*GUARD_ACTS, *WATCH_ACTS, *JUDGE_ACTS, *MISSED_ACTS, *SOURCE_ACTS),
    )
}

OF_ALERTS: Final = frozenset(
    {name for name, spec in ACTS.items() if "alert" in spec.committed}
    | {"reads_closed"}
    | SAMPLE_ACTS
    | {spec.name for spec in REPORT_ACTS}
)
"""The acts whose openings tell of alerts, or of what might have been one, and go with them."""


def spec_of(act: object) -> ActSpec:
    """The specification of an act.

    Raises:
        BadInput: there is no such act in this version.
    """
    spec = ACTS.get(act) if isinstance(act, str) else None
    if spec is None:
        raise BadInput(
            f"{str(act)[:60]!r} is not an act that this version knows.",
            fix="Check the name, or use the version of Watchglass that wrote it.",
        )
    return spec


def check_sense(spec: ActSpec, clear: Mapping[str, object]) -> None:
    """Check what no single field can: that a suspension's scope and analytic agree.

    Raises:
        BadInput: they do not.
    """
    if "scope" in spec.clear and (clear["scope"] == "analytic") != (clear["analytic"] is not None):
        raise BadInput(
            "A suspension of one analytic names it, and a suspension of all names none.",
            fix="Give scope `analytic` with its name, or scope `all` with null.",
            field="analytic",
        )
