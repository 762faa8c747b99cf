"""Audit sets: labelled pictures that show how well a detector sees different things, and what nobody has tested.

A personal trait (age, skin tone, a wheelchair) may be a stratum here and nowhere else. To ask of a running camera
whether it misses wheelchair users, the system would have to tell who uses one, and that it may never do (law 3). An
audit set is made for the question: the people in it were asked, their traits were written down by a person, and no
picture of a running camera is in it. So a set with any stratum that may be a personal trait has to say how they agreed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from watchglass.core.errors import BadInput

MOST_ITEMS: Final = 20_000
"""That are looked at."""

MOST_LISTED: Final = 200_000
"""That are labelled: of a long clip not every frame need be looked at."""

MOST_BOXES: Final = 1_000
"""In one picture."""

MOST_GROUPS: Final = 24
"""Of one stratum: beyond, intervals that hold together say nothing any more."""

MOST_STRATA: Final = 12

DERIVED: Final = ("size", "brightness", "contrast", "occlusion", "crowding")
"""Strata that are measured in the pictures where a set does not annotate them."""

OF_THE_SCENE: Final = frozenset(
    (
        *DERIVED, "light", "weather", "season", "hour", "daypart", "place", "camera", "source", "lens", "angle",
        "view", "distance", "indoor", "infrared", "compression", "resolution", "blur", "truncated",
    )
)  # fmt: skip
"""Strata about the scene and the camera. Whatever is not among them is taken for a personal trait."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_VALUE: Final = re.compile(r"[\w .,+<>=/()-]{1,60}")


@dataclass(frozen=True, slots=True)
class Aspect:
    """Something that a detector may be worse at, and that has to be tested to be known.

    Attributes:
        stratum: what an audit set calls it.
        words: for people.
    """

    stratum: str
    words: str


ASPECTS: Final = (
    Aspect("age", "age"),
    Aspect("skin_tone", "skin tone"),
    Aspect("mobility_aid", "wheelchair users and people with walking aids"),
    Aspect("gender", "gender"),
    Aspect("clothing", "clothing and head coverings"),
    Aspect("carrying", "people who carry or push something"),
    Aspect("weather", "rain, snow and fog"),
    Aspect("light", "night and street light"),
    Aspect("infrared", "infrared light"),
    Aspect("size", "how large things look"),
    Aspect("brightness", "dark and bright things"),
    Aspect("contrast", "things that look like what is behind them"),
    Aspect("occlusion", "things that are partly hidden"),
)


@dataclass(frozen=True, slots=True)
class Box:
    """One labelled thing.

    Attributes:
        kind: of ``perception.observation.KINDS``.
        corners: x1, y1, x2, y2 in pixels of the picture, within it.
        ignored: neither a miss nor a false box here (a crowd, a reflection, what the picture's edge cuts off).
        strata: name -> value.
        visible: the share that can be seen, where it was annotated.
    """

    kind: str
    corners: tuple[float, float, float, float]
    ignored: bool = False
    strata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    visible: float | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One labelled picture: a file, or one frame of a clip.

    Attributes:
        file: relative to the set's folder, with slashes.
        frame: which picture of the clip, from 0; None for a picture of its own.
        size: width and height in pixels.
        strata: of the whole picture; its boxes have them too.
    """

    file: str
    frame: int | None
    size: tuple[int, int]
    boxes: tuple[Box, ...]
    strata: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class AuditSet:
    """A checked set.

    Attributes:
        name: what it calls itself.
        what: one sentence.
        kinds: of which everything in the pictures is labelled. Only for these can a false box be told.
        items: in the order of the set; frames of one clip stand together, in time order.
        sha256: of the labels and of every picture and clip (hexadecimal): what was tested, to the byte.
        format: ``watchglass``, ``coco`` or ``mot``.
        agreed: how the people in it agreed, where a personal trait is among the strata.
        notes: what was found on reading it that a person should know.
    """

    name: str
    what: str
    kinds: tuple[str, ...]
    items: tuple[Item, ...]
    sha256: str
    format: str
    agreed: str = ""
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.items:
            raise BadInput("This audit set has no picture.", fix="List pictures or clips under `items`.")
        if not self.kinds:
            raise BadInput("This audit set labels no kind of thing.", fix="Say under `kinds` what is labelled.")
        check_length(len(self.items))
        _check_strata(self.items)
        traits = personal(self.strata)
        if traits and not self.agreed.strip():
            raise BadInput(
                f"This audit set annotates {', '.join(traits)}, which may be personal traits, and does not say how the "
                "people in it agreed.",
                fix="Say so under `agreed` in audit-set.yaml; a set whose people were not asked may not be used.",
            )

    @property
    def strata(self) -> tuple[str, ...]:
        """The names of all that is annotated, in order."""
        names: dict[str, None] = {}
        for item in self.items:
            names.update(dict.fromkeys(item.strata))
            for box in item.boxes:
                names.update(dict.fromkeys(box.strata))
        return tuple(names)

    def boxes(self, kind: str) -> int:
        """How many of a kind count."""
        return sum(box.kind == kind and not box.ignored for item in self.items for box in item.boxes)


def check_length(listed: int) -> None:
    """Refuse sets that are longer than anybody labels. To be called before a list of that length is made."""
    if listed > MOST_LISTED:
        raise BadInput(
            f"This audit set lists {listed:,} pictures; at most {MOST_LISTED:,} can be.",
            fix="Draw a random part of them; check `frames` and the frame numbers.",
        )


def personal(strata: Iterable[str]) -> tuple[str, ...]:
    """Those that may be personal traits: all that are not known to be about the scene."""
    return tuple(name for name in strata if name not in OF_THE_SCENE)


def check_stratum(name: str, value: str) -> None:
    """Refuse names and values that no table can show.

    Raises:
        BadInput: they are no short words.
    """
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"{name!r} cannot be the name of a stratum.", fix="Use small letters, digits and underscores: skin_tone."
        )
    if not _VALUE.fullmatch(value):
        raise BadInput(f"{value!r} cannot be a value of {name}.", fix="Use at most sixty letters, digits and spaces.")


def _check_strata(items: Sequence[Item]) -> None:
    values: dict[str, set[str]] = {}
    for item in items:
        for name, value in item.strata.items():
            values.setdefault(name, set()).add(value)
        for box in item.boxes:
            for name, value in box.strata.items():
                values.setdefault(name, set()).add(value)
    if len(values) > MOST_STRATA:
        raise BadInput(
            f"This audit set has {len(values)} strata; at most {MOST_STRATA} are told apart.",
            fix="Leave out those that nobody asks about.",
        )
    for name, found in values.items():
        if len(found) > MOST_GROUPS:
            raise BadInput(
                f"The stratum {name} has {len(found)} values; at most {MOST_GROUPS} are told apart.",
                fix="Put values that belong together into one group.",
            )


def within(
    corners: tuple[float, float, float, float], size: tuple[int, int]
) -> tuple[tuple[float, float, float, float], float]:
    """A box cut off at the picture's edges, and the share of it that is within; 0 where it lies wholly outside."""
    x1, y1, x2, y2 = corners
    wide, high = size
    cut = (min(max(x1, 0.0), wide), min(max(y1, 0.0), high), min(max(x2, 0.0), wide), min(max(y2, 0.0), high))
    area = (x2 - x1) * (y2 - y1)
    return cut, (cut[2] - cut[0]) * (cut[3] - cut[1]) / area if area > 0 else 0.0


# ---- what follows from a set's figures -------------------------------------------------------------------------------


def covered(audit: Mapping[str, Any]) -> frozenset[str]:
    """The strata that one kept audit (``Audit.as_json``) has really compared: two groups with enough data.

    What may be a trait of people has to be compared for people.
    """
    found: set[str] = set()
    for table in audit.get("tables", ()):
        if table["kind"] != "person" and personal((table["stratum"],)):
            continue
        enough = Counter(table["stratum"] for group in table["misses"]["groups"] if group["enough"])
        found.update(name for name, count in enough.items() if count >= 2)  # noqa: PLR2004 # a comparison is of two
    return frozenset(found)


def untested(audits: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """What no audit has compared, as words for people, the most personal first."""
    tested = frozenset[str]().union(*(covered(audit) for audit in audits))
    return tuple(aspect.words for aspect in ASPECTS if aspect.stratum not in tested)
