"""What was not alerted, in a life: near-misses counted, those that the lot falls on looked at, and quiet moments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from made_life import Life
from made_town import Story
from watchglass.access.roles import May, Role
from watchglass.charter.permit import Decide, ShowReviewerView, TakeSample
from watchglass.core.digest import b64, sha256
from watchglass.core.time import DAY, HOUR, MINUTE, SECOND, minute_of
from watchglass.runtime.specs import samples_of

WHOLE: Final = 1_000_000_000


@dataclass
class MadeSample:
    """A moment that people are to look at, and until when."""

    id: str
    leaf: bytes
    look: str
    source: str
    until_ms: int


def sampling(life: Life) -> Story:
    """Now and then something comes near, or the lot falls on a quiet moment; each midnight it is counted."""
    town, dice = life.town, life.dice
    midnight = town.now // DAY * DAY + DAY
    while True:
        yield min(dice.randrange(HOUR, 5 * HOUR), max(1, midnight - town.now + MINUTE))
        if town.now >= midnight:
            if life.may_look():
                counting(life, midnight - DAY)
            midnight = town.now // DAY * DAY + DAY
            continue
        name = dice.choice(town.charter.analytics).name
        permit = town.permit(TakeSample(name, town.now)) if life.may_look() else None
        if permit is None:
            continue
        made = near(life, name, permit) if dice.random() < 4 / 5 else quiet(life, name, permit)
        if made is not None:
            life.tell(town.now + 9 * SECOND, looked_at(life, made))


def near(life: Life, name: str, permit: Any, number: int | None = None) -> MadeSample | None:
    """Something comes near; None where the lot does not fall on it."""
    asked = samples_of(life.town.charter)
    assert asked is not None
    closeness = life.dice.randrange(500, 1000)
    band, below = ("very_near", asked.very_near) if closeness >= 750 else ("near", asked.near)
    drawn = life.dice.randrange(WHOLE) if number is None else number
    life.near.append((life.town.now // DAY * DAY, name, {"number": drawn, "below": below, "band": band}))
    if drawn >= below:
        return None
    return take(life, name, permit, kind="near", number=drawn, below=below, band=band, closeness=closeness)


def quiet(life: Life, name: str, permit: Any) -> MadeSample | None:
    """The lot falls on a moment, whatever is in the picture."""
    asked = samples_of(life.town.charter)
    assert asked is not None
    return take(life, name, permit, kind="quiet", number=life.dice.randrange(asked.quiet), below=asked.quiet)


def take(life: Life, name: str, permit: Any, **values: Any) -> MadeSample:
    """Record that people are to look at it, as the act does."""
    town, number = life.town, life.town.number()
    samples = town.charter.safeguards.samples
    until = town.now + (samples.kept_ms if samples else DAY)
    source = town.charter.analytic(name).source
    committed = {"band": None, "closeness": None, "of": None, "kept_until": minute_of(until), **values}
    committed |= {"sample": number, "analytic": name, "source": source}
    leaf = town.attest("sample_taken", under=permit, committed=committed)
    return MadeSample(number, leaf, name, source, until)


def looked_at(life: Life, made: MadeSample) -> Story:
    """Its clip is kept; hours later somebody looks and answers, mostly."""
    town, dice = life.town, life.dice
    permit = town.permit(TakeSample(made.look, town.now))
    if permit is None:
        return
    committed = {"sample": made.id, "ciphertext_sha256": b64(sha256(made.id.encode())), "seconds_ms": 8000}
    clip = {**committed, "masked_per_mille": 300}
    town.attest("sample_kept", under=permit, committed=clip, refs=[made.leaf])
    life.samples.append(made)
    yield dice.randrange(MINUTE, 20 * HOUR)
    if dice.random() < 4 / 5 and town.now < made.until_ms:
        answer(life, made)
        yield 1


def answer(life: Life, made: MadeSample) -> bytes | None:
    """Somebody looks at it and says what they see; the record of that, or None where they may not."""
    town = life.town
    purpose = town.charter.analytic(made.look).purpose
    under = town.permit(ShowReviewerView(made.source, purpose)), town.permit(Decide(made.look))
    if None in under:
        return None
    own = {"sample": made.id}
    by = town.grant(Role.REVIEWER, May.SEE_CLIP)
    town.attest("sample_viewed", under=under[0], by=by, committed=own, refs=[made.leaf])
    said = {**own, "answer": life.dice.choice(("yes", "no", "no", "cannot-tell"))}
    by = town.grant(Role.REVIEWER, May.DECIDE_ALERT)
    return town.attest("sample_judged", under=under[1], by=by, committed=said, refs=[made.leaf])


def counting(life: Life, day: int) -> dict[str, bytes]:
    """The night's record for each analytic, and for each earlier day that was not counted yet; the last of each."""
    town = life.town
    names = {(day, each.name) for each in town.charter.analytics}
    told: dict[str, bytes] = {}
    due = [each for each in life.near if each[0] <= day]
    life.near = [each for each in life.near if each[0] > day]
    for of, name in sorted(names | {(each[0], each[1]) for each in due}):
        draws = [draw for on, look, draw in due if (on, look) == (of, name)]
        committed = {"day": of, "draws": draws}
        clear = {"analytic": name}
        told[name] = town.attest("near_misses_counted", under=town.charter, clear=clear, committed=committed)
    return told
