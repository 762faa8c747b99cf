"""Tests that hold while one watches: look after every alert, stop whenever you like, and still be wrong at most alpha.

Each test is an *e-process*: a number that begins at 1, and of which the mean stays at or below 1 for as long as the
detector keeps its limit, whenever one looks. By Ville's inequality (J. Ville, Étude critique de la notion de collectif,
1939; Ramdas, Grünwald, Vovk and Shafer, "Game-theoretic statistics and safe anytime-valid inference", Statistical
Science 38 (2023), 576-601) it ever reaches 1/alpha with a chance of at most alpha. So a limit that suspends a detector
where its test reaches 1/alpha is unjust at most that often, however long the detector runs.

What is assumed: whatever came before, the next alert is wrong with a chance of at most the limit. Independence is not
needed, and bursts of alike alerts break it all the same: after a wrong one the next is more likely wrong too. Outcomes
must be given in the order in which alerts were raised, each once it is final; in the order of verdicts, where wrong
alerts are settled sooner than right ones, the bound is lost (``quality.simulate`` shows by how much).

*Prior.* A test bets on alternatives on the bad side of the limit only. How many times the odds differ from the limit's,
the smaller over the larger, is uniform between 0 and 1: half of the bets are on more than twice the limit's odds. It is
the method of mixtures (H. Robbins, Annals of Mathematical Statistics 41 (1970), 1397-1409) with 64 alternatives of
equal weight instead of an integral. A finite mixture of likelihood ratios is itself an e-process, so the number of
alternatives costs a little power and no validity; and alternatives and weights come from the four basic operations,
which all machines do alike.

All limits are whole thousandths, as a charter keeps them. A test is a value: ``after`` gives the next one. ``log_e`` is
rounded to nine decimals, so that whoever replays a test elsewhere sees the same crossing.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Final, Self

from watchglass.core.errors import BadInput
from watchglass.statistics.evalues import (
    DIGITS,
    THOUSAND,
    count_log_e,
    disparity_log_e,
    share_log_e,
    threshold,
)

WEEK_MS: Final = 7 * 24 * 60 * 60 * 1000
_FEWEST_STRATA: Final = 2
_FIX: Final = "Give counts as whole numbers from 0 on, and limits in whole thousandths."


@dataclass(frozen=True, slots=True)
class _Share:
    """A test of the share of bad ones; subclasses say on which side of the limit the alternatives are.

    Attributes:
        limit: the share of bad ones, in thousandths, 1 to 999.
        n: how many outcomes were seen.
        bad: how many of them were bad.
    """

    limit: int
    n: int = 0
    bad: int = 0

    NAME: ClassVar[str] = ""
    WORSE: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _whole(self.limit, self.n, self.bad)
        if not 0 < self.limit < THOUSAND:
            raise BadInput(f"A limit of {self.limit} thousandths cannot be tested.", fix="Give 1 to 999.")
        if self.bad > self.n:
            raise BadInput(f"{self.bad} bad ones of {self.n} cannot be.", fix=_FIX)

    def after(self, bad: bool) -> Self:
        """The test after one more outcome."""
        return replace(self, n=self.n + 1, bad=self.bad + bool(bad))

    @property
    def log_e(self) -> float:
        """The natural logarithm of the e-value; 0 before anything was seen."""
        return float(share_log_e(self.limit, self.bad, self.n, worse=self.WORSE))

    def crossed(self, alpha: float) -> bool:
        """Whether the e-value stands at 1/alpha or above, now: ask after every outcome."""
        return self.log_e >= threshold(alpha)

    def as_json(self) -> dict[str, Any]:
        """Plain values, from which ``from_json`` makes the test again."""
        return {"test": self.NAME, "limit": self.limit, "n": self.n, "bad": self.bad}


@dataclass(frozen=True, slots=True)
class AtMost(_Share):
    """Evidence against "at most ``limit`` of them are bad". Crossing suspends.

    Null: given all before, each outcome is bad with a chance of at most the limit. For every q above the limit p0 the
    mean of (q/p0)^x ((1-q)/(1-p0))^(1-x) is then at most 1, and so is that of their mixture's product. A detector
    better than its limit is tested more mildly, never more strictly: no alternative lies below the limit.
    """

    NAME: ClassVar[str] = "at_most"


@dataclass(frozen=True, slots=True)
class EarnsTrust(_Share):
    """Evidence against "at least ``limit`` of them are bad": the reverse of ``AtMost``. Crossing ends a trial well.

    Null: given all before, each outcome is bad with a chance of at least the limit. A detector at its limit or worse is
    ever trusted with a chance of at most alpha.
    """

    NAME: ClassVar[str] = "earns_trust"
    WORSE: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class CountAtMost:
    """Evidence against "at most ``limit`` a week": counts over time.

    Null: bad ones come at a rate of at most the limit, whatever came before (a point process with that intensity; a
    Poisson process is one). For each rate r times the limit, r > 1, exp(-(r-1) limit t) r^count has a mean of at most 1
    (Brémaud, Point Processes and Queues, 1981, VI.2); 1/r is uniform between 0 and 1.

    Attributes:
        limit: thousandths of a bad one in a week: 3000 is three a week.
        exposure_ms: for how long bad ones could come: time in which the detector ran.
        count: how many came.
    """

    limit: int
    exposure_ms: int = 0
    count: int = 0

    NAME: ClassVar[str] = "count_at_most"

    def __post_init__(self) -> None:
        _whole(self.limit, self.exposure_ms, self.count)
        if self.limit < 1:
            raise BadInput("A limit of nothing a week cannot be tested.", fix="Give at least one thousandth.")

    def after(self, count: int, exposure_ms: int) -> CountAtMost:
        """The test after ``exposure_ms`` more, in which ``count`` came, the last of them at its end."""
        _whole(count, exposure_ms)
        return replace(self, count=self.count + count, exposure_ms=self.exposure_ms + exposure_ms)

    @property
    def log_e(self) -> float:
        """The natural logarithm of the e-value; 0 before any time has passed."""
        return float(count_log_e(self.limit, self.count, self.exposure_ms / WEEK_MS))

    def crossed(self, alpha: float) -> bool:
        """Whether the e-value stands at 1/alpha or above, now: ask after every one that came."""
        return self.log_e >= threshold(alpha)

    def as_json(self) -> dict[str, Any]:
        """Plain values, from which ``from_json`` makes the test again."""
        return {"test": self.NAME, "limit": self.limit, "exposure_ms": self.exposure_ms, "count": self.count}


@dataclass(frozen=True, slots=True)
class Disparity:
    """Evidence against "in no stratum are bad ones more than ``limit`` times as frequent as in another".

    Universal inference (Wasserman, Ramdas and Balakrishnan, PNAS 117 (2020), 16880-16890): what a running prediction
    gave to the outcomes, over the most that any pair of shares within the limit could give. The prediction of a stratum
    is (bad + 1/2)/(n + 1) (Krichevsky and Trofimov, IEEE Transactions on Information Theory 27 (1981), 199-207). With
    more than two strata it is the mean of the pairs' e-values, which is an e-process where all pairs keep the limit.
    Which stratum comes when may depend on anything before.

    Attributes:
        limit: the ratio in thousandths, 1000 or more: 2000 is twice as often.
        strata: their names, two or more.
        n: outcomes seen in each.
        bad: bad ones in each.
    """

    limit: int
    strata: tuple[str, ...]
    n: tuple[int, ...] = ()
    bad: tuple[int, ...] = ()

    NAME: ClassVar[str] = "disparity"

    def __post_init__(self) -> None:
        nothing = (0,) * len(self.strata)
        object.__setattr__(self, "n", self.n or nothing)
        object.__setattr__(self, "bad", self.bad or nothing)
        _whole(self.limit, *self.n, *self.bad)
        if self.limit < THOUSAND:
            raise BadInput(f"A ratio of {self.limit} thousandths is below 1.", fix="Give 1000 or more.")
        if len(self.strata) < _FEWEST_STRATA or len(set(self.strata)) != len(self.strata):
            raise BadInput("A disparity is between two strata or more.", fix="Name each stratum once.")
        if not all(type(name) is str for name in self.strata):
            raise BadInput("A stratum has a name.", fix="Name strata with words.")
        if not len(self.strata) == len(self.n) == len(self.bad) or any(
            b > n for b, n in zip(self.bad, self.n, strict=True)
        ):
            raise BadInput("The counts do not fit the strata.", fix=_FIX)

    def after(self, stratum: str, bad: bool) -> Disparity:
        """The test after one more outcome.

        Raises:
            BadInput: there is no such stratum.
        """
        if stratum not in self.strata:
            raise BadInput(f"There is no stratum {stratum!r}.", fix=f"Use one of: {', '.join(self.strata)}.")
        here = self.strata.index(stratum)
        n = tuple(value + (place == here) for place, value in enumerate(self.n))
        worse = tuple(value + (place == here and bool(bad)) for place, value in enumerate(self.bad))
        return replace(self, n=n, bad=worse)

    @property
    def log_e(self) -> float:
        """The natural logarithm of the e-value; 0 before anything was seen."""
        pairs = [
            float(disparity_log_e(self.limit, [self.bad[i], self.bad[j]], [self.n[i], self.n[j]]))
            for i, j in itertools.combinations(range(len(self.strata)), 2)
        ]
        most = max(pairs)
        return round(most + math.log(sum(math.exp(pair - most) for pair in pairs) / len(pairs)), DIGITS)

    def crossed(self, alpha: float) -> bool:
        """Whether the e-value stands at 1/alpha or above, now: ask after every outcome."""
        return self.log_e >= threshold(alpha)

    def as_json(self) -> dict[str, Any]:
        """Plain values, from which ``from_json`` makes the test again."""
        return {
            "test": self.NAME,
            "limit": self.limit,
            "strata": list(self.strata),
            "n": list(self.n),
            "bad": list(self.bad),
        }


Test = AtMost | EarnsTrust | CountAtMost | Disparity

_KINDS: Final[Mapping[str, Any]] = {kind.NAME: kind for kind in (AtMost, EarnsTrust, CountAtMost, Disparity)}


def from_json(value: object) -> Test:
    """The test that ``as_json`` told of.

    Raises:
        BadInput: it is not one.
    """
    fix = "Give what `as_json` gave."
    name = value.get("test") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(name, str) or name not in _KINDS:
        raise BadInput("This is not a test of a limit.", fix=fix)
    kind = _KINDS[name]
    given = {key: tuple(one) if isinstance(one, list) else one for key, one in value.items() if key != "test"}
    if set(given) != {field.name for field in fields(kind)}:
        raise BadInput("A test of a limit lacks a part, or has one too many.", fix=fix)
    lists = {key for key, one in given.items() if isinstance(one, tuple)}
    if lists != ({"strata", "n", "bad"} if kind is Disparity else set()):
        raise BadInput("The counts do not fit the strata.", fix=fix)
    made: Test = kind(**given)
    return made


def _whole(*values: object) -> None:
    if any(type(value) is not int or value < 0 for value in values):
        raise BadInput("A test counts whole things.", fix=_FIX)
