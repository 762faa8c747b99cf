"""What one act writes: who may do it, who vouches for it, and which fields its leaf has."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from watchglass.core.errors import BadInput
from watchglass.records.fields import HASH, MINUTE, NAME, FieldType, ListOf, Members, OrNull


class Basis(StrEnum):
    """Who vouches for a leaf: the person's own key, or only the server."""

    SIGNED = "signed"
    ATTESTED = "attested"


class Lane(StrEnum):
    """How soon a leaf enters the public checkpoint (law 10)."""

    PROMPT = "prompt"
    BATCH = "batch"


class Need(StrEnum):
    """Whether a leaf names a charter or a purpose."""

    ALWAYS = "always"
    MAYBE = "maybe"
    NEVER = "never"


STAFF: Final = frozenset(
    {
        "reviewer",
        "responder",
        "shift-lead",
        "operator",
        "custodian",
        "investigator",
        "privacy-officer",
        "analyst",
        "clerk",
        "oversight",
        "administrator",
    }
)
HOUSE: Final = frozenset({"house"})
"""The software itself, when no person acts."""
RECORDER: Final = frozenset({"recorder"})
"""A process that looks at sources, with a key of its own that it made for one run."""
ROLES: Final = STAFF | HOUSE | RECORDER | {"authority"}

ALLOWED_BY: Final = "allowed_by"
"""The committed field, in what the server attests of people's acts, that says which rules of access let them."""
_ALLOWED_BY: Final = OrNull(Members({"policy": HASH, "rules": ListOf(NAME, 16, as_set=True)}))


@dataclass(frozen=True, slots=True)
class ActSpec:
    """What one act writes.

    Attributes:
        roles: the roles that may stand in the leaf.
        clear: fields that everyone can read.
        committed: fields that only openings show. ``minute`` is added; and where the server attests what people do,
            ``allowed_by``: the hash of the policies of access and the ids of the rules that let them; null: the house.
        refs_to: the acts that the leaf's refs must name, one leaf hash each; empty where the leaf has no refs.
        meaning: one sentence. seen_by: who may see what is not in clear.
        charter: whether the leaf names the charter under which the act was done; purpose: likewise.
        timed: whether the minute is committed to.
        later: fields that records of earlier versions lack; every new one has them.
    """

    name: str
    basis: Basis
    lane: Lane
    roles: frozenset[str]
    meaning: str
    seen_by: str
    clear: Mapping[str, FieldType] = field(default_factory=dict)
    committed: Mapping[str, FieldType] = field(default_factory=dict)
    refs_to: tuple[str, ...] = ()
    charter: Need = Need.ALWAYS
    purpose: Need = Need.NEVER
    timed: bool = True
    later: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not self.roles or not self.roles <= ROLES:
            raise BadInput(f"The act '{self.name}' names an unknown role.", fix="Use roles of ROLES.")
        fields = {**self.committed, "minute": MINUTE} if self.timed else dict(self.committed)
        if self.basis is Basis.ATTESTED and self.roles & STAFF:
            fields[ALLOWED_BY] = _ALLOWED_BY
            object.__setattr__(self, "later", self.later | {ALLOWED_BY})
        object.__setattr__(self, "committed", {name: fields[name] for name in sorted(fields)})
        if set(self.clear) & set(self.committed):
            raise BadInput(f"The act '{self.name}' has a field twice.", fix="A field is in clear or committed.")
