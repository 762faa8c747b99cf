"""The twelve promises of DESIGN.md, and exactly what this version does about each. Change a row with its code.

The tour is only as honest as this file: `tests/unit/web/test_public_promises.py` checks that every page exists, that
every command is one that the command line knows, and that nothing is called built without a page and a command.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Built(StrEnum):
    """How much of a promise this version keeps."""

    BUILT = "built"
    PARTLY = "partly built"
    NOT_YET = "not built yet"


@dataclass(frozen=True, slots=True)
class Promise:
    """One row of the tour.

    Attributes:
        need: what people need. answer: what Watchglass promises, whole.
        built: how much of it this version keeps. now: what there is. missing: what there is not; empty only if built.
        page, label: where to see it. try_it: what to do there. command: what checks it; empty where nothing does yet.
    """

    number: int
    need: str
    answer: str
    built: Built
    now: str
    missing: str
    page: str = ""
    label: str = ""
    try_it: str = ""
    command: str = ""

    def __post_init__(self) -> None:
        if self.built is Built.BUILT and self.missing:
            raise ValueError(f"promise {self.number} is called built, and something is missing")
        if self.built is not Built.NOT_YET and not (self.page and self.try_it and self.command):
            raise ValueError(f"promise {self.number} is called {self.built} without a page, a trial and a command")
        if self.built is not Built.BUILT and not self.missing:
            raise ValueError(f"promise {self.number} is called {self.built}, and nothing is said to be missing")


PROMISES: Final = (
    Promise(
        1,
        "Notice danger and emergencies sooner",
        "Incidents from video and event feeds come before a person in about a second.",
        Built.PARTLY,
        "Ten kinds of incident are noticed on network cameras, webcams and video files: people and vehicles where they "
        "must not be, crowds, falls, things left behind, a camera that no longer sees. Each comes up in the reviewers' "
        "queue without reloading; where lives may be in danger, responders see it at once, marked as not confirmed. "
        "How well each kind is noticed is measured against truth, and so is how long it takes.",
        "Event feeds. Some kinds were measured on composites only, because no real recording with truth was there.",
        "/review",
        "The reviewers' queue",
        "Sign in as a reviewer and wait for an alert. Press C if it is right, R if it is wrong, U if you cannot tell.",
        "watchglass eval --quick",
    ),
    Promise(
        2,
        "Handle vast amounts of data, in real time",
        "A cascade decodes and looks only where something happens; many streams on a core, a fleet on Ray.",
        Built.PARTLY,
        "A gate keeps a quiet scene cheap; only while something moves is every picture decoded, and the detector "
        "looks where it moves. What that costs, and what it misses, is measured in one run. "
        "Each source's page shows how its gate works, what was dropped and why, and the last 24 hours.",
        "More than one machine.",
        "/sources",
        "The sources' health",
        "Sign in as an operator and watch how often the gate is open.",
        "watchglass bench perception --quick",
    ),
    Promise(
        3,
        "See patterns and trends",
        "Hotspots, changes and forecasts of places and times, published with differential privacy.",
        Built.NOT_YET,
        "Nothing is counted and nothing is forecast.",
        "All of it. A charter that asks for statistics is refused, so that it promises nothing that nobody keeps.",
    ),
    Promise(
        4,
        "Cost little, and say what it costs",
        "The measured cost per camera and per confirmed alert stands on the public page.",
        Built.BUILT,
        "The page of costs says what each camera costs in a month and what each confirmed alert cost, from the "
        "charter's prices and from what was measured here, beside what it would cost to look at everything.",
        "",
        "/costs",
        "What it costs",
        "Read what one camera costs in a month, and how that number was made.",
        "watchglass bench perception --quick",
    ),
    Promise(
        5,
        "No invasion of privacy",
        "No identity anywhere in the model; a public view that is painted; originals sealed before they touch a disk.",
        Built.PARTLY,
        "There is no place for a face, a name or a number plate, and charters that ask for one are refused. The public "
        "view shows marks instead of people, on an empty scene that an operator has confirmed; where that is not sure "
        "it is grey, and says why. Original video is kept only where the charter says so, locked in memory before it "
        "reaches a disk, and no key that opens it is here. Reviewers see mosaicked clips, encrypted on disk; their "
        "keys get destroyed. What both views give away is measured with attackers that are not ours.",
        "A mosaic is not anonymity: who knows you may recognise your coat.",
        "/",
        "The painted view",
        "Open the view from the first page. Then ask for yesterday, with ?at=yesterday after its address: it refuses.",
        "watchglass bench leak --quick",
    ),
    Promise(
        6,
        "No misuse of the data",
        "Access bound to purpose and case, several custodians, and misuse signals that go to oversight.",
        Built.PARTLY,
        "No custodian opens original video alone: cryptography holds the charter's rule, and each decides with keys on "
        "a machine of their own. A request names a case, its legal authority, a camera, minutes and a reason; what is "
        "too wide, too old or for another purpose is turned away, and that is recorded. An emergency rule exists only "
        "where the charter has one, and each use of it is told. What nobody asked for is destroyed by itself. What "
        "nothing explains in the record of who looked at what goes to oversight, and nobody gets a score.",
        "Rosters, dispatches and outcomes for the signals: without them some cannot be judged. No signal finds the "
        "careful insider with a real case and patience.",
        "/originals",
        "Who can open original video",
        "Read who can open it, and what was asked and refused. Sign in as oversight and look at Originals and Signals. "
        "Sign in as an investigator: the page sends you to your own desk. Oversight's desk, which the demo's terminal "
        "names, settles the signals.",
        "watchglass evidence verify EXPORT --trust FILE",
    ),
    Promise(
        7,
        "False alarms must not harm the innocent",
        "Every alert is a guess that a human decides; measured error rates; an analytic over its published limit "
        "suspends itself.",
        Built.PARTLY,
        "Nothing happens on an alert until a person has decided about it. How often such alerts were right is shown as "
        "a natural frequency with its interval, or as “not enough data yet”. A charter can set limits: whatever "
        "crosses one stops by itself, begins on trial when it may run again, and needs two signatures for that. Staged "
        "drills show what is missed, and a limit for that stops a rule as well. Some decisions are made twice by "
        "people who do not know of each other, and reviewers are checked with known alerts.",
        "Whoever stages drills chooses what is played; nobody else checks that it is like what happens.",
        "/how-well",
        "How well it works",
        "Find the rule that its limit has stopped: in the demo, in-the-bays. Its page in the register says when it ran "
        "again, and that it was stopped a second time. Then let it run again, at both desks.",
        "watchglass quality simulate --quick",
    ),
    Promise(
        8,
        "Nothing hidden",
        "A public register, a ledger that anyone can verify, and reports made from it.",
        Built.PARTLY,
        "The register shows every source, rule, purpose and model. Everything that is done is in the ledger, and "
        "anyone can verify all of it from outside. Recorders sign a heartbeat for every interval, so the page of each "
        "camera says when it was dark. The audit's report is made from the ledger alone, and can be filed.",
        "What nobody wrote down shows only where something else should have been there.",
        "/ledger",
        "The ledger",
        "Open the latest entry and follow its proof. Look when the camera of the register was dark. Then run the "
        "command on your own machine, and change a byte of a copy of the ledger: it finds it.",
        "watchglass ledger verify URL --trust FILE",
    ),
    Promise(
        9,
        "Independent oversight and accountability",
        "Witnesses, a suspension key that outsiders hold, and a compliance audit that outsiders run.",
        Built.PARTLY,
        "Oversight signs a suspension with a key that this server does not have, and it is obeyed within two seconds. "
        "Running again needs oversight's signature in a checkpoint that enough witnesses have cosigned; orders can be "
        "lodged with them, so that none is lost. Anybody replays the ledger against its charters: each promise kept, "
        "broken, or impossible to tell. Oversight stages incidents unannounced, and signs what its audits found.",
        "The audit says of three promises that this version does not make them: consultation, requests and a privacy "
        "budget.",
        "/audit",
        "The audit, and how to do it yourself",
        "Read what last night's audit found. Run its command on your own machine: in the demo it names an emergency "
        "that nobody explained. Then suspend a rule with oversight's key, and watch the banner.",
        "watchglass audit URL --trust FILE",
    ),
    Promise(
        10,
        "People access and control their own data",
        "Ask by place and time; a copy with everyone else hidden; objection, correction, erasure; clocks that hold.",
        Built.NOT_YET,
        "You can write to the contact in the charter, as the law gives you the right to.",
        "Asking through this portal, and clocks that it keeps.",
    ),
    Promise(
        11,
        "Accurate data, free from bias",
        "Calibration, audits by strata, limits that are always valid, drills, and a look at what was not alerted.",
        Built.PARTLY,
        "A public page says of each rule how often it was right, by light and by how much was in view, with intervals; "
        "who is watched and who is acted on, by area and hour; and on what nobody tested the model. Audit sets test it "
        "on pictures of your own, by any strata. What was missed is told by staged drills, by samples of what gave no "
        "alert, and by logs that others keep. A camera that does not meet the charter's conditions is called degraded, "
        "and so are its alerts. Staff see calibration and drift from this place's own verdicts.",
        "The detector that comes with it is tested on few things: its model card lists on what it is not.",
        "/how-well",
        "How well it works",
        "Read what it missed, what that rests on, and what it was not tested on. Then compare its alerts by day and by "
        "night.",
        "watchglass quality audit-set DIR",
    ),
    Promise(
        12,
        "Public consultation",
        "Proposals are charter drafts; statements, votes and opinion groups; no draft comes into force unanswered.",
        Built.NOT_YET,
        "Every version of the rules and what changed between two of them is public. A charter that claims to have been "
        "consulted on is refused, and each one says “not consulted on”.",
        "Proposals, statements, votes and responses.",
    ),
)
"""In the order of DESIGN.md."""
