r"""Places that are linked to staff: where they live, where their family does. For oversight's own machine only.

Who lives where is about people, so the house holds neither the list nor the key. Oversight keeps a list of tags,

    tag = HMAC-SHA256(key, "watchglass/linked-place/v1\n" ‖ canonical [person, source])

one for each pair of a person (or ``*``: everybody) and a source, and matches it with records that it has opened. A
list that is lost tells nothing without its key. With the key it tells everything: people and sources are few, and can
be tried one by one. So the key is kept apart from the list.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from watchglass.access.misuse.explain import Explainer, day
from watchglass.access.misuse.facts import MOSAIC, ORIGINALS, Access, Facts
from watchglass.access.misuse.signal import NOTHING_EARLIER, Earlier, Kind, Mark, Signal, patterns
from watchglass.access.misuse.thresholds import DEFAULT, Thresholds
from watchglass.core import canonical
from watchglass.core.digest import b64, unb64
from watchglass.core.errors import BadInput

KEY_BYTES: Final = 32
EVERYBODY: Final = "*"
_TAG_BYTES: Final = 32
_DOMAIN: Final = b"watchglass/linked-place/v1\n"
_HEAD: Final = "watchglass linked places, version 1"
_MOST: Final = 100_000


def tag(key: bytes, person: str, source: str) -> bytes:
    """The tag of a person's link with a source: 32 bytes.

    Raises:
        BadInput: the key is not 32 bytes, or person or source is empty.
    """
    if len(key) != KEY_BYTES:
        raise BadInput(f"The key of linked places has {KEY_BYTES} bytes.", fix="Make one from good randomness.")
    if not person or not source:
        raise BadInput("A link needs a person and a source.", fix=f"Use {EVERYBODY!r} for everybody.")
    return hmac.new(key, _DOMAIN + canonical.encode([person, source]), hashlib.sha256).digest()


@dataclass(frozen=True, slots=True)
class LinkedPlaces:
    """The tags that oversight keeps."""

    tags: frozenset[bytes]

    @classmethod
    def of(cls, key: bytes, links: Iterable[tuple[str, str]]) -> LinkedPlaces:
        """The list for pairs of a person and a source."""
        return cls(frozenset(tag(key, person, source) for person, source in links))

    def encode(self) -> bytes:
        """The file: a line of head, then a tag a line in base64, sorted so that their order tells nothing."""
        return "".join(f"{line}\n" for line in (_HEAD, *sorted(map(b64, self.tags)))).encode()

    @classmethod
    def parse(cls, data: bytes) -> LinkedPlaces:
        """The list in a file.

        Raises:
            BadInput: it is none, or not exactly as ``encode`` writes it.
        """
        try:
            head, *lines = data.decode("ascii").split("\n")
        except UnicodeDecodeError as error:
            raise BadInput("This is no list of linked places.", fix="Give the file that was written.") from error
        if head != _HEAD or not lines or lines[-1] != "" or len(lines) > _MOST:
            raise BadInput("This is no list of linked places.", fix=f"Its first line must be: {_HEAD}")
        tags = lines[:-1]
        if tags != sorted(set(tags)):
            raise BadInput("The tags are not in order, or one is there twice.", fix="Write the list anew.")
        return cls(frozenset(unb64(line, length=_TAG_BYTES) for line in tags))

    def linked(self, key: bytes, person: str, source: str) -> bool:
        """Whether a source is linked to this person or to everybody."""
        return not self.tags.isdisjoint({tag(key, person, source), tag(key, EVERYBODY, source)})


def linked_place(
    facts: Facts,
    places: LinkedPlaces,
    key: bytes,
    thresholds: Thresholds = DEFAULT,
    earlier: Earlier = NOTHING_EARLIER,
) -> tuple[Signal, ...]:
    """Accesses that somebody chose to a place linked with them; not an alert in their queue, not a dispatch.

    Oversight runs this on its own machine over records that it has opened.
    """
    explainer = Explainer(facts, thresholds)
    chosen: dict[str, list[Mark[Access]]] = {}
    known: dict[tuple[str, str], bool] = {}
    for access in facts.accesses:
        if access.source is None or access.what not in MOSAIC | ORIGINALS:
            continue
        pair = access.person, access.source
        if pair not in known:
            known[pair] = places.linked(key, *pair)
        request = explainer.request_of(access)
        if known[pair] and request is None and not explainer.assigned(access, access.at_ms + thresholds.wait_ms):
            mark = Mark(access.id, access.at_ms + thresholds.wait_ms, access)
            chosen.setdefault(access.person, []).append(mark)
    return tuple(_told(chosen, earlier, facts.until_ms))


def _told(chosen: dict[str, list[Mark[Access]]], earlier: Earlier, until_ms: int) -> Iterator[Signal]:
    for person, marks in sorted(chosen.items()):

        def says(_: int, found: Sequence[Mark[Access]], person: str = person) -> str:
            last = found[-1].value
            return (
                f"{person} looked at or asked for {last.source} on {day(last.at_ms)}, a place that is linked to them, "
                "and neither an alert nor a dispatch led there."
            )

        yield from patterns(Kind.LINKED_PLACE, person, marks, says, window_ms=1, earlier=earlier, until_ms=until_ms)
