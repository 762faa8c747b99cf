"""Whether an analytic's alerts have begun to be otherwise than before: warnings, long before a limit acts.

A limit asks whether its bound was ever broken, so a thousand good alerts speak for an analytic that has gone bad since.
A *watch* compares with the analytic's own past: it takes the first 100 final alerts as what it was like, and bets from
then on that a change has begun (``statistics.detectors``). A warning stops nothing.

* ``wrong``: more of its alerts are not right than before. What is held to be normal is the upper end of the exact 80 %
  interval of those first alerts, so that chance in them is no change.
* ``calibration``: what comes true is no longer what was said. Nothing is taken as normal here: what was said is the
  hypothesis. Alerts without a probability or without an answer are left out.

False warnings come after 1,000 final alerts or more in the mean. After a warning a watch begins anew, with another 100
alerts as what is normal now; so it does where the model or the rule is another one, or the analytic was resumed.

A watch is a value: ``after`` gives the next one. Pure, so that a house and an auditor agree.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np

from watchglass.statistics.detectors import SHIFTS, after, begin, forecast_steps, level, share_steps, warns_at
from watchglass.statistics.evalues import ALTERNATIVES
from watchglass.statistics.intervals import clopper_pearson

What = Literal["wrong", "calibration"]
WHATS: Final[tuple[What, ...]] = ("wrong", "calibration")
NORMAL: Final = 100
"""So many final alerts say what is normal."""
RUN_LENGTH: Final = 1000
"""Final alerts to a false warning, at least, in the mean."""
_NORMAL_ALPHA: Final = 0.2
_MOST: Final = 999
_THOUSAND: Final = 1000
_LOWEST: Final = -700.0
"""Stands for minus infinity where a watch is kept: JSON has none."""


@dataclass(frozen=True, slots=True)
class Watch:
    """One watch as far as it has come.

    Attributes:
        normal, normal_bad: of the alerts that say what is normal, how many there were and how many were not right.
        taken, bad: since then. logs: the detector.
    """

    what: What
    normal: int = 0
    normal_bad: int = 0
    taken: int = 0
    bad: int = 0
    logs: tuple[float, ...] = ()

    @property
    def limit(self) -> int | None:
        """The share of bad ones that is still normal, in thousandths; None where that is not known or not asked."""
        if self.what != "wrong" or self.normal < NORMAL:
            return None
        high = clopper_pearson(self.normal_bad, self.normal, _NORMAL_ALPHA)[1]
        return min(_MOST, max(1, math.ceil(_THOUSAND * round(high, 9))))

    @property
    def log_m(self) -> float:
        """How far the detector has come: it warns at ``warns_at(RUN_LENGTH)``."""
        return float(level(np.asarray(self.logs))) if self.logs else -math.inf

    @property
    def warns(self) -> bool:
        """Whether it warns now: ask after every alert."""
        return self.log_m >= warns_at(RUN_LENGTH)

    def after(self, *, right: bool, decided: bool, said: int | None) -> Watch:
        """The watch after one more final alert.

        Args:
            right, decided: what it was. said: the probability that it was given, per mille.
        """
        if self.what == "calibration":
            return self._forecast(right, said) if decided and said is not None and 0 < said < _THOUSAND else self
        if self.normal < NORMAL:
            return replace(self, normal=self.normal + 1, normal_bad=self.normal_bad + (not right))
        limit = self.limit
        assert limit is not None  # there is enough that says what is normal
        return self._taken(share_steps(limit, not right), ALTERNATIVES, right)

    def as_json(self) -> dict[str, Any]:
        """Plain values, from which ``watch_from`` makes it again."""
        return {
            "what": self.what,
            "normal": self.normal,
            "normal_bad": self.normal_bad,
            "taken": self.taken,
            "bad": self.bad,
            "logs": list(self.logs),
        }

    def evidence(self) -> dict[str, int]:
        """What a record of a warning commits to, besides the alerts."""
        return {
            "normal": self.normal,
            "normal_bad": self.normal_bad,
            "taken": self.taken,
            "bad": self.bad,
            "log_m": round(self.log_m * _THOUSAND),
        }

    def _forecast(self, right: bool, said: int | None) -> Watch:
        return self._taken(forecast_steps((said or 0) / _THOUSAND, right), len(SHIFTS), right)

    def _taken(self, steps: Any, alternatives: int, right: bool) -> Watch:
        logs = after(np.asarray(self.logs) if self.logs else begin(alternatives), steps)
        kept = tuple(float(each) for each in np.maximum(np.round(logs, 9), _LOWEST))
        return replace(self, logs=kept, taken=self.taken + 1, bad=self.bad + (not right))


def watch_from(value: Mapping[str, Any]) -> Watch:
    """What ``Watch.as_json`` told of."""
    return Watch(**{**value, "logs": tuple(value["logs"])})
