"""Whether what a charter says about sealed originals fits together: all of it or none, and keys that are distinct."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from watchglass.charter.schema import LooseEnd
from watchglass.charter.sealing import MOST_CUSTODIANS, Custodian, GlassRule, Record, Release
from watchglass.core.digest import unb64
from watchglass.ledger.keys import VerifierKey


@dataclass(frozen=True, slots=True)
class Sealing:
    """The four sections about sealed originals; a charter has all of them or none."""

    record: Record | None
    custodians: tuple[Custodian, ...]
    release: Release | None
    sealed_ms: int | None


@dataclass(frozen=True, slots=True)
class Keys:
    """The other keys that a charter pins; no custodian may be one of these by another name."""

    authority: str
    oversight: str
    openings: str
    witnesses: tuple[str, ...]


_AT: Final = ("safeguards",)


def sealing_ends(sealing: Sealing, sources: tuple[str, ...], keys: Keys) -> Iterator[LooseEnd]:
    """Everything in these sections that does not fit together, or not with the rest of the charter."""
    yield from _all_or_none(sealing)
    if sealing.record is not None:
        for index, name in enumerate(sealing.record.sources):
            yield from _unknown((*_AT, "record", "sources", index), "source", name, sources)
    if sealing.custodians:
        yield from _ends_of_custodians(sealing.custodians, keys)
    if sealing.release is not None:
        yield from _ends_of_release(sealing, sealing.release, keys)


def _all_or_none(sealing: Sealing) -> Iterator[LooseEnd]:
    parts = {
        ("record",): sealing.record is not None,
        ("custodians",): bool(sealing.custodians),
        ("release",): sealing.release is not None,
        ("retention", "sealed"): sealing.sealed_ms is not None,
    }
    if not any(parts.values()):
        return
    if not parts[("record",)]:
        for path in (path for path, there in parts.items() if there):
            yield LooseEnd(
                (*_AT, *path),
                f"`{'.'.join(path)}` is about sealed originals, and nothing is recorded.",
                "Add `record`, or remove this.",
            )
        return
    for path in (path for path, there in parts.items() if not there):
        yield LooseEnd(
            (*_AT, "record"),
            f"Original video would be recorded, and `{'.'.join(path)}` is missing: {_MISSING[path]}",
            f"Add `{'.'.join(path)}` under `safeguards`, or remove `record`.",
        )


_MISSING: Final = {
    ("custodians",): "nobody would keep the keys.",
    ("release",): "nothing would say who may open it.",
    ("retention", "sealed"): "nothing would say when it is destroyed.",
}


def _ends_of_custodians(custodians: tuple[Custodian, ...], keys: Keys) -> Iterator[LooseEnd]:
    if len(custodians) > MOST_CUSTODIANS:
        yield LooseEnd(
            (*_AT, "custodians"),
            f"{len(custodians)} custodians cannot keep keys together; at most {MOST_CUSTODIANS} can.",
            "Name fewer.",
        )
    others = {_bare(key): "a witness's" for key in keys.witnesses}
    others[_bare(keys.authority)] = "the authority's"
    seen: dict[bytes, str] = {}
    for custodian in custodians:
        at, key = (*_AT, "custodians", custodian.name), _bare(custodian.key)
        whose = others.get(key)
        if key in seen:
            whose = f"{seen[key]!r}'s"
        elif key == _bare(keys.oversight) and custodian.name != "oversight":
            whose = "oversight's"
        if whose is not None:
            fix = "Let each custodian make a key on their own machine: `watchglass custodian keygen`."
            if whose == "oversight's":
                fix = "Call this custodian `oversight`, so that residents read who it is; or pin another key."
            yield LooseEnd(at, f"The key of the custodian {custodian.name!r} is {whose} key as well.", fix)
        seen.setdefault(key, custodian.name)


def _bare(vkey: str) -> bytes:
    """The key itself: the same key under two names is still one key."""
    return VerifierKey.parse(vkey).public


def _ends_of_release(sealing: Sealing, release: Release, keys: Keys) -> Iterator[LooseEnd]:
    at = (*_AT, "release")
    names = tuple(custodian.name for custodian in sealing.custodians)
    if names and release.n != len(names):
        yield LooseEnd(
            (*at, "custodians"),
            f"It says {release.custodians}, and {len(names)} {'custodian is' if len(names) == 1 else 'custodians are'} "
            "named.",
            f"Write how many of {len(names)} must agree, or name {release.n} under `custodians`.",
        )
    for index, name in enumerate(release.one_of if names else ()):
        yield from _unknown((*at, "one_of", index), "custodian", name, names)
    if sealing.sealed_ms is not None:
        yield from _too_long(release, sealing.sealed_ms)
    if sealing.record is not None and release.longest_ms < sealing.record.segment_ms:
        yield LooseEnd(
            (*at, "longest"),
            "One release would open less than one sealed piece, and pieces are opened whole.",
            "Let `release.longest` be at least `record.segment`.",
        )
    if release.break_glass is not None:
        yield from _ends_of_glass(sealing, release.break_glass, keys)


def _too_long(release: Release, sealed_ms: int) -> Iterator[LooseEnd]:
    at = (*_AT, "release")
    for path, value, what in (
        ((*at, "valid"), release.valid_ms, "A request would be valid"),
        ((*at, "longest"), release.longest_ms, "One release would open video"),
    ):
        if value > sealed_ms:
            yield LooseEnd(
                path,
                f"{what} for longer than originals are kept.",
                f"Let `release.{path[-1]}` be at most `retention.sealed`.",
            )
    glass = release.break_glass
    if glass is not None and glass.not_older_than_ms > sealed_ms:
        yield LooseEnd(
            (*at, "break_glass", "not_older_than"),
            "Breaking the glass would reach further back than originals are kept.",
            "Let `not_older_than` be at most `retention.sealed`.",
        )


def _ends_of_glass(sealing: Sealing, glass: GlassRule, keys: Keys) -> Iterator[LooseEnd]:
    at = (*_AT, "release", "break_glass")
    taken = {unb64(keys.openings): "oversight's `openings_key`", _bare(keys.oversight): "oversight's key"}
    taken |= {_bare(keys.authority): "the authority's key"}
    taken |= {_bare(custodian.key): f"the key of the custodian {custodian.name!r}" for custodian in sealing.custodians}
    whose = taken.get(unb64(glass.key))
    if whose is not None:
        yield LooseEnd(
            (*at, "key"),
            f"The key that breaks the glass is {whose} as well.",
            "Make a key that serves nothing else: `watchglass key new --kind openings`.",
        )
    if sealing.record is not None and glass.longest_ms < sealing.record.segment_ms:
        yield LooseEnd(
            (*at, "longest"),
            "Breaking the glass would open less than one sealed piece, and pieces are opened whole.",
            "Let `break_glass.longest` be at least `record.segment`.",
        )


def _unknown(path: tuple[str | int, ...], what: str, written: str, known: tuple[str, ...]) -> Iterator[LooseEnd]:
    if written not in known:
        listed = ", ".join(known) or "none"
        yield LooseEnd(path, f"There is no {what} called {written!r}.", f"Use one of these: {listed}.", written, known)
