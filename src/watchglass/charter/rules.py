"""What a rule of lint is: a severity, the law behind it, and a generator that yields where a charter falls short."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from watchglass.charter.model import Charter, Deployment
from watchglass.charter.parse import Path

Severity = Literal["error", "warning", "notice"]

Hit = tuple[Path, str]
"""Where, and what is wrong there, as one sentence."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that lint looks for.

    Attributes:
        id: its stable name.
        about: what it asks of a charter.
        article: the law behind it, or nothing.
        fix: what to do.
        check: yields where the charter falls short.
        severity: how grave it is; ``in_trial`` where a trial is judged more mildly. The demo is too, except for errors.
        only: the one kind of deployment that it is about.
    """

    id: str
    severity: Severity
    about: str
    article: str
    fix: str
    check: Callable[[Charter], Iterator[Hit]]
    in_trial: Severity | None = None
    only: Deployment | None = None
