"""Reasons that say nothing, and reasons that are copied from one case to the next. No language model: words counted.

*Vague*: after folding case and dropping figures, punctuation and the words of a printed list (``check``, ``as
requested``, ``police matter``), fewer than two different words of three letters or more are left.

*Copied*: the three-letter pieces of two reasons, without figures, agree by at least 0.8 (Jaccard: shared pieces over
all pieces; A. Broder, "On the resemblance and containment of documents", 1997), and the two are of different cases.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from watchglass.access.misuse.explain import Explainer, day
from watchglass.access.misuse.facts import Access, What
from watchglass.access.misuse.signal import Earlier, Kind, Mark, Signal, patterns
from watchglass.core.time import DAY

REASONED: frozenset[What] = frozenset({What.CASE_OPENED, What.RELEASE_REQUEST, What.GLASS_BROKEN})
"""What cannot be done without a reason."""

_PIECE = 3
_LETTERS = 3


def words(reason: str) -> tuple[str, ...]:
    """Its words in small letters, without accents, figures and punctuation."""
    plain = unicodedata.normalize("NFKD", reason.casefold())
    kept = "".join(letter if letter.isalpha() else "" if unicodedata.combining(letter) else " " for letter in plain)
    return tuple(kept.split())


def vague(reason: str, generic: frozenset[str], telling_words: int) -> bool:
    """Whether fewer than ``telling_words`` different words say something."""
    telling = {word for word in words(reason) if len(word) >= _LETTERS and word not in generic}
    telling = {word for word in telling if len(set(word)) > 1}
    return len(telling) < telling_words


def pieces(reason: str) -> frozenset[str]:
    """Every run of three characters of its words, joined by single spaces."""
    text = " ".join(words(reason))
    return frozenset(text[at : at + _PIECE] for at in range(max(1, len(text) - _PIECE + 1))) if text else frozenset()


def alike(one: frozenset[str], other: frozenset[str]) -> float:
    """Shared pieces over all pieces; 0 where there are none."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def vague_reason(
    explainer: Explainer, person: str, accesses: Sequence[Access], earlier: Earlier, until_ms: int
) -> Iterator[Signal]:
    """Several reasons of one person that say nothing."""
    limits = explainer.thresholds
    marks = [
        Mark(access.id, access.at_ms, access)
        for access in accesses
        if access.what in REASONED and vague(access.reason, limits.generic, limits.telling_words)
    ]

    def says(_: int, found: Sequence[Mark[Access]]) -> str | None:
        if len(found) < limits.vague_times:
            return None
        last = found[-1].value
        return (
            f"{person} gave {len(found)} reasons within {limits.reason_window_ms // DAY} days that do not say what "
            f"happened, the last on {day(last.at_ms)}: “{_shown(last.reason)}”."
        )

    yield from patterns(
        Kind.VAGUE_REASON, person, marks, says,
        window_ms=limits.reason_window_ms, earlier=earlier, until_ms=until_ms,
    )  # fmt: skip


class Reasons:
    """All reasons, to find which are copies of an earlier one, whoever wrote that."""

    def __init__(self, explainer: Explainer, accesses: Sequence[Access]) -> None:
        self.copies: dict[str, list[Access]] = {}
        limits = explainer.thresholds
        recent: list[tuple[Access, frozenset[str]]] = []
        for access in accesses:
            if access.what not in REASONED:
                continue
            found = pieces(access.reason)
            recent = [each for each in recent if each[0].at_ms > access.at_ms - limits.reason_window_ms]
            if found and any(
                _other_case(old, access)
                and _could(found, theirs, limits.alike)
                and alike(found, theirs) >= limits.alike
                for old, theirs in recent
            ):
                self.copies.setdefault(access.person, []).append(access)
            recent.append((access, found))


def copied_reason(
    reasons: Reasons, explainer: Explainer, person: str, earlier: Earlier, until_ms: int
) -> Iterator[Signal]:
    """Several reasons of one person that were taken from other cases."""
    limits = explainer.thresholds

    def says(_: int, found: Sequence[Mark[Access]]) -> str | None:
        if len(found) < limits.copied_times:
            return None
        last = found[-1].value
        return (
            f"{person} gave the words of another case as the reason {len(found)} times within "
            f"{limits.reason_window_ms // DAY} days, the last time on {day(last.at_ms)}: “{_shown(last.reason)}”."
        )

    marks = [Mark(access.id, access.at_ms, access) for access in reasons.copies.get(person, ())]
    yield from patterns(
        Kind.COPIED_REASON, person, marks, says,
        window_ms=limits.reason_window_ms, earlier=earlier, until_ms=until_ms,
    )  # fmt: skip


def _other_case(old: Access, new: Access) -> bool:
    return old.case is None or new.case is None or old.case != new.case


def _could(one: frozenset[str], other: frozenset[str], least: float) -> bool:
    """Whether sizes alone allow such a likeness: a quick no."""
    return min(len(one), len(other)) >= least * max(len(one), len(other))


def _shown(reason: str, most: int = 120) -> str:
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in reason).split())
    return text if len(text) <= most else text[: most - 1] + "…"
