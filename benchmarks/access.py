"""How long it takes to decide who may do what. Read by ``watchglass bench access``.

A decision is one call of Cedar: a question against policies, schema and entities that were prepared once. The policies
are those of a charter with sealed originals, three custodians and an emergency rule; the 1,000 entities are 650 people
with one or two roles, 50 signers, 200 cases and 100 requests. Each decision is about another of them, in a seeded
order. ``authorise`` is what the portal and the acts call: it also describes who asks to Cedar, reads the answer and
makes the grant or the refusal. The same decision from text parses policies, schema and entities anew each time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import cedarpy
import numpy as np

from measures import Figure, figure, quantile, quantile_interval
from watchglass.access.about import About, AboutCase, AboutRequest
from watchglass.access.authorise import authorise, known, question
from watchglass.access.policies import Policies, encode, entities_of, policies_for, public_half, schema_text
from watchglass.access.roles import GRANTS, Actor, May, Person, Role, Signer
from watchglass.charter.sealing import Custodian, GlassRule, Quorum, Release
from watchglass.core.errors import Refused
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.edge.entropy import SeededEntropy
from watchglass.ledger.keys import SignerKey

Progress = Callable[[str], None]

TARGET_US = 200.0
NOW = 1_795_435_200_000
PEOPLE, SIGNERS, CASES, REQUESTS = 650, 50, 200, 100
DECISIONS, QUICK = 20_000, 2_000
FROM_TEXT, FROM_TEXT_QUICK = 300, 40
COLD, COLD_QUICK = 1_000, 200
STAFF = [role for role in Role if role is not Role.PUBLIC]
SIGNING = (Role.CUSTODIAN, Role.INVESTIGATOR, Role.SHIFT_LEAD, Role.OVERSIGHT)
IN_THE_PORTAL = sorted({act for acts in GRANTS.values() for act in acts})
OF_CASES = (May.OPEN_CASE, May.CLOSE_CASE, May.REQUEST_RELEASE)
OF_REQUESTS = (May.APPROVE_RELEASE, May.REFUSE_RELEASE, May.TAKE_RELEASE, May.FOLLOW_UP_GLASS)


@dataclass(frozen=True)
class Town:
    """Everybody and everything that is asked about."""

    policies: Policies
    people: list[Person]
    signers: list[Signer]
    cases: list[AboutCase]
    requests: list[AboutRequest]

    def entities(self) -> Iterator[dict[str, Any]]:
        """All of them, as Cedar is told of them."""
        actors: list[Actor] = [*self.people, *self.signers]
        things: list[About] = [*self.cases, *self.requests]
        for who in actors:
            yield known(who, None)[0]
        for about in things:
            yield known(None, about)[1]


Question = tuple[Actor, May, About | None]


def figures(*, quick: bool, progress: Progress) -> list[Figure]:
    """The figures of ``watchglass bench access``."""
    dice = random.Random(20261123)  # noqa: S311 (a seeded order)
    town = make_town(dice)
    questions = [ask(dice, town) for _ in range(QUICK if quick else DECISIONS)]
    entities = list(town.entities())
    assert len({(each["uid"]["type"], each["uid"]["id"]) for each in entities}) == 1_000
    document = encode(*entities)
    prepared = entities_of(document)
    requests = [question(*each, None if each[2] is None else NOW) for each in questions]
    progress(f"{len(questions):,} decisions with {len(entities):,} entities, prepared")
    decisions = timed(lambda request: town.policies.decide(request, prepared), requests)
    progress("the whole of authorise")
    whole = timed(lambda each: may(town.policies, each), questions)
    progress("authorise, with other work between")
    cold = timed(lambda each: may(town.policies, each), questions[: COLD_QUICK if quick else COLD], between=other_work)
    progress("the same from text each time")
    text, schema = town.policies.text, schema_text()
    some = requests[: FROM_TEXT_QUICK if quick else FROM_TEXT]
    slow = timed(lambda request: cedarpy.is_authorized(request, text, document, schema), some)
    yes = sum(may(town.policies, each) for each in questions)
    note = f"{len(town.policies.rules)} rules; {yes} of {len(questions)} answers are yes"
    return [
        _figure("decision_us_1000_entities", decisions, 0.5, TARGET_US, note=note, against="decision_from_text_us"),
        _figure("decision_p95_us_1000_entities", decisions, 0.95, TARGET_US, note=note),
        _figure("authorise_us", whole, 0.5, note="as the portal and the acts call it, to the grant or the refusal"),
        _figure("authorise_p95_us", whole, 0.95),
        _figure("authorise_cold_us", cold, 0.5, note="32 MB were read between any two, so that no cache is warm"),
        _figure("decision_from_text_us", slow, 0.5, note="policies, schema and 1,000 entities as text each time"),
        _figure("decision_from_text_p95_us", slow, 0.95),
    ]


def make_town(dice: random.Random) -> Town:
    """Policies with every kind of rule, and 1,000 people, signers, cases and requests."""
    keys = [SignerKey.generate(f"k{n}.example", SeededEntropy(f"k{n}")).verifier for n in range(SIGNERS)]
    custodians = tuple(Custodian(f"custodian-{n}", str(keys[n])) for n in range(3))
    glass = GlassRule("x25519", ("shift-lead", "investigator"), 10 * MINUTE, 2 * HOUR, DAY)
    policies = policies_for(custodians, Release(Quorum(2, 3), (custodians[0].name,), break_glass=glass))
    signers = [Signer(one.name, Role.CUSTODIAN, public_half(one.key)) for one in custodians]
    signers += [Signer(f"s{n}", dice.choice(SIGNING), public_half(str(keys[n]))) for n in range(3, SIGNERS)]
    people = [Person(n, f"p{n}", frozenset(dice.sample(STAFF, dice.randint(1, 2)))) for n in range(PEOPLE)]
    asking = [each for each in signers if each.role == Role.INVESTIGATOR]
    cases = [
        AboutCase(f"c{n}", dice.choice(asking).name, "an order", "a fall", NOW + dice.randint(-HOUR, DAY))
        for n in range(CASES)
    ]
    makers = [dice.choice(asking) for _ in range(REQUESTS)]
    requests = [AboutRequest(f"r{n}", by.name, by.key, NOW + dice.randint(-HOUR, DAY)) for n, by in enumerate(makers)]
    return Town(policies, people, signers, cases, requests)


def ask(dice: random.Random, town: Town) -> Question:
    """Two of three questions are of people in the portal; the others of signers, about cases and requests."""
    if dice.random() < 2 / 3:
        return dice.choice(town.people), dice.choice(IN_THE_PORTAL), None
    who = dice.choice(town.signers)
    if dice.random() < 1 / 2:
        return who, dice.choice(OF_CASES), dice.choice(town.cases)
    return who, dice.choice(OF_REQUESTS), dice.choice(town.requests)


def may(policies: Policies, asked: Question) -> bool:
    """Whether ``authorise`` gives a grant."""
    who, what, about = asked
    try:
        authorise(who, what, under=policies, about=about, now_ms=None if about is None else NOW)
    except Refused:
        return False
    return True


_OTHER = np.ones(4_000_000)


def other_work() -> object:
    """What a server does besides: here, it reads 32 MB."""
    return _OTHER.sum()


def timed(
    call: Callable[[Any], object], values: Sequence[Any], *, between: Callable[[], object] = lambda: None
) -> list[float]:
    """Microseconds of each call, after a tenth of them to warm up; ``between`` is not counted."""
    for value in values[: max(1, len(values) // 10)]:
        call(value)
    found = []
    for value in values:
        between()
        begun = time.perf_counter_ns()
        call(value)
        found.append((time.perf_counter_ns() - begun) / 1000)
    return found


def _figure(
    name: str, values: list[float], share: float, target: float | None = None, *, note: str = "", against: str = ""
) -> Figure:
    return figure(
        name,
        quantile(values, share),
        target,
        unit="us",
        interval=quantile_interval(values, share),
        n=len(values),
        against=against or None,
        note=note,
    )
