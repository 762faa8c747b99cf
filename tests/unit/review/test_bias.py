"""What checks show of people: whoever does not look is named, whoever looks is not, and few answers show nothing."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from watchglass.charter.reviewing import Review, SeededChecks
from watchglass.core.errors import BadInput
from watchglass.core.time import HOUR, MINUTE
from watchglass.review.bias import GROUP, Answer, Pattern, figures, fisher, pattern, shift_of, together
from watchglass.review.model import Outcome, VerdictValue
from watchglass.review.reads import WHOLE, Draw, Judged, alike, chance, owed
from watchglass.review.seeds import Settled, checks_owed, now_is_the_moment, pick, truth_of

CONFIRM, REJECT, UNSURE = VerdictValue
NOON = 1_795_435_200_000  # 2026-11-23T12:00:00Z
Habit = Callable[[VerdictValue, random.Random], VerdictValue]


def careful(truth: VerdictValue, dice: random.Random) -> VerdictValue:
    """Right nine times of ten."""
    return truth if dice.random() < 0.9 else dice.choice([value for value in VerdictValue if value is not truth])


HABITS: dict[str, tuple[Habit, Pattern | None]] = {
    "always confirms": (lambda _truth, _dice: CONFIRM, Pattern.ALWAYS_CONFIRM),
    "always rejects": (lambda _truth, _dice: REJECT, Pattern.ALWAYS_REJECT),
    "always unsure": (lambda _truth, _dice: UNSURE, Pattern.ALWAYS_UNSURE),
    "throws a coin": (lambda _truth, dice: dice.choice((CONFIRM, REJECT)), Pattern.CHANCE),
    "looks": (careful, None),
}


def answers(habit: Habit, n: int, seed: int, account: int = 1) -> list[Answer]:
    dice = random.Random(seed)
    truths = [CONFIRM if number % 2 else REJECT for number in range(n)]
    return [
        Answer(account, truth, habit(truth, dice), NOON + place * HOUR, (place % 8) * HOUR, 1 + place % 12)
        for place, truth in enumerate(truths)
    ]


@pytest.mark.parametrize(("habit", "named"), HABITS.values(), ids=HABITS)
def test_whoever_does_not_look_is_named_within_two_months_of_checks(habit: Habit, named: Pattern | None) -> None:
    found = [pattern(answers(habit, 20, seed)) for seed in range(200)]  # ten a month: the charter's minimum
    share = found.count(named) / len(found)
    assert share == 1 if named not in (Pattern.CHANCE, None) else share >= 0.9, found
    assert pattern(answers(habit, 9, 1)) is None  # too few to say anything


def test_figures_say_what_was_confirmed_though_wrong_and_under_which_conditions() -> None:
    tired = [
        Answer(1, REJECT, CONFIRM if hours >= 6 else REJECT, NOON, hours * HOUR, 1 + hours)
        for hours in range(8)
        for _ in range(6)
    ]
    found = figures(tired, [(CONFIRM, CONFIRM)] * 12 + [(CONFIRM, REJECT)] * 12)
    assert (found.wrong_confirmed.k, found.wrong_confirmed.n) == (12, 48)
    assert [(each.wrong_confirmed.k, each.wrong_confirmed.n) for each in found.by_hour] == [
        (0, 12),
        (0, 12),
        (0, 12),
        (12, 12),
    ]
    assert sum(each.right.n for each in found.by_length) == 48
    assert "after 6 hours" in found.by_hour[-1].what
    assert (found.twice.k, found.twice.n) == (12, 24)
    assert found.agreement.value is not None
    assert found.agreement.low is not None
    assert found.agreement.low < found.agreement.value < 0.2
    assert not figures([], []).right.enough


def test_a_group_is_shown_from_five_people_on_and_names_nobody() -> None:
    habit = HABITS["always confirms"][0]
    people = [answers(habit, 20, seed, account=seed) for seed in range(GROUP)]
    assert together([each for one in people[:-1] for each in one], [], judges=9) is None
    found = together([each for one in people for each in one], [], judges=9)
    assert found is not None
    assert (found.people, found.pattern) == (GROUP, None)


def test_of_a_group_no_single_figure_is_of_fewer_than_five_people() -> None:
    people = [Answer(who, CONFIRM, CONFIRM, NOON, HOUR, 1) for who in range(GROUP) for _ in range(4)]
    late = [Answer(who, REJECT, CONFIRM, NOON, 7 * HOUR, 12) for who in range(GROUP - 1) for _ in range(6)]
    pairs = [(CONFIRM, CONFIRM), (CONFIRM, REJECT)] * 15
    found = together(people + late, pairs, judges=GROUP - 1)
    assert found is not None
    assert (found.right.n, found.real_confirmed.n) == (44, 20)
    assert [each.what for each in found.by_hour] == ["in hours 1 and 2 of a shift"]
    assert [each.what for each in found.by_length] == ["while nothing else waited"]
    for hidden in (found.wrong_confirmed, found.twice):
        assert (hidden.n, "5 people or more" in hidden.sentence) == (0, True)
    assert (found.agreement.units, found.agreement.low) == (0, None)
    more = together([*people, *late, Answer(9, REJECT, REJECT, NOON, 7 * HOUR, 12)], pairs, judges=GROUP)
    assert more is not None
    assert [each.wrong_confirmed.n for each in more.by_hour] == [0, 25]
    assert (more.wrong_confirmed.n, more.twice.n, more.agreement.units) == (25, 30, 30)


def test_fishers_test_is_the_textbooks() -> None:
    # Fisher's tea: 3 of 4 right each way, one-sided 17/70 (The Design of Experiments, 1935, chapter II).
    assert fisher(3, 4, 1, 4) == pytest.approx(17 / 70)
    assert fisher(0, 4, 4, 4) == 1.0


def test_a_shift_begins_after_a_long_pause() -> None:
    times = [NOON, NOON + HOUR, NOON + 12 * HOUR, NOON + 13 * HOUR]
    assert shift_of(times, NOON + HOUR) == HOUR
    assert shift_of(times, NOON + 13 * HOUR) == HOUR
    assert shift_of([], NOON) == 0


# ---- who judges, and when --------------------------------------------------------------------------------------------


def test_a_minimum_a_month_is_reached_by_raising_the_chance_in_steps() -> None:
    review = Review(120_000, 100, 10)
    begin = NOON - 22 * 24 * HOUR - 12 * HOUR  # the first of the month
    assert chance(Review(120_000), 0, NOON) == 0
    assert chance(review, 10, NOON) == 100_000  # enough: the share alone
    assert owed(10, begin) == 1
    assert chance(review, 0, begin) == WHOLE // 2
    assert owed(10, NOON) == 9
    assert chance(review, 8, NOON) == WHOLE // 2
    assert chance(review, 7, NOON) == WHOLE
    assert owed(10, begin + 27 * 24 * HOUR) == 10
    dice, drawn = random.Random(5), 0
    for place in range(60):  # two verdicts a day
        drawn += Draw(dice.randrange(WHOLE), chance(review, drawn, begin + place * 12 * HOUR)).second
    assert drawn >= 10
    with pytest.raises(BadInput):
        Draw(WHOLE, 1)


@pytest.mark.parametrize(
    ("judged", "value", "settled", "tell"),
    [
        (Judged(CONFIRM), CONFIRM, False, False),
        (Judged(CONFIRM, CONFIRM), CONFIRM, True, False),
        (Judged(CONFIRM, REJECT), UNSURE, False, True),
        (Judged(CONFIRM, REJECT, REJECT), REJECT, True, True),
        (Judged(REJECT, CONFIRM, UNSURE), UNSURE, True, True),
        (Judged(REJECT, UNSURE, REJECT), REJECT, True, False),
        (Judged(UNSURE, CONFIRM), UNSURE, False, True),
    ],
)
def test_what_is_made_of_judgements(judged: Judged, value: VerdictValue, settled: bool, tell: bool) -> None:
    assert (judged.value, judged.settled, judged.tell) == (value, settled, tell)


def test_an_answer_is_known_only_where_two_say_so_or_it_was_found() -> None:
    assert truth_of(Judged(CONFIRM, CONFIRM), None) is CONFIRM
    assert truth_of(Judged(REJECT, CONFIRM, REJECT), None) is REJECT
    assert truth_of(Judged(REJECT, CONFIRM, UNSURE), None) is None
    assert truth_of(Judged(CONFIRM), None) is None
    assert truth_of(Judged(CONFIRM), Outcome.FOUND_HELPED) is CONFIRM
    assert truth_of(Judged(CONFIRM), Outcome.NOT_FOUND) is None
    assert truth_of(Judged(CONFIRM, REJECT), Outcome.FOUND_HELPED) is None


def test_checks_come_at_their_share_and_to_each_who_lacks_them() -> None:
    rules = SeededChecks(20, 10)
    assert checks_owed(rules, 100, 1, [10], NOON)
    assert not checks_owed(rules, 100, 2, [10], NOON)
    assert checks_owed(rules, 100, 2, [10, 8], NOON)
    old = Settled("a", "x", NOON - 24 * HOUR, CONFIRM, NOON + 3 * HOUR)
    wrong = Settled("b", "x", NOON - 26 * HOUR, REJECT, NOON + 3 * HOUR)
    young = Settled("c", "x", NOON - HOUR, REJECT, NOON + 3 * HOUR)
    going = Settled("d", "x", NOON - 24 * HOUR, REJECT, NOON + HOUR)
    night = Settled("e", "x", NOON - 34 * HOUR, REJECT, NOON + 3 * HOUR)
    worn = Settled("f", "x", NOON - 24 * HOUR, REJECT, NOON + 3 * HOUR, 2)
    assert pick([young, going, night, worn], NOON, 0, 0) is None
    assert pick([old, wrong], NOON, 1, 7) is old
    assert pick([old, wrong], NOON, 0, 7) is wrong
    assert pick([old], NOON, 0, 7) is old
    assert alike(NOON, NOON + 24 * HOUR)
    dice = random.Random(1)
    waits = []
    for _ in range(300):
        steps = 0
        while not now_is_the_moment(dice.randrange(WHOLE), 10_000):
            steps += 1
        waits.append(steps * 10_000)
    assert sum(waits) / len(waits) == pytest.approx(20 * MINUTE, rel=0.2)
