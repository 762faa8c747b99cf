"""What an audit cannot see. A report opens with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from watchglass.core.digest import b64
from watchglass.oversight.report import TakenOver
from watchglass.oversight.world import World

NEVER: Final = (
    "A tap that nobody recorded: a second cable, another recorder, somebody who films the screen.",
    "What was left out of the log, but where something else should have been there.",
    "Which code really ran. Names and hashes of software and models are the operator's word.",
    "Custodians who may open something together and do so without a request, on their own machines.",
    "Copies that were made after something was lawfully opened.",
    "Whether noise that was added to published numbers was honest.",
    "Whether a camera looked where the charter says, and whether what an alert says was so.",
)
"""Neither depth can see it."""
_STRUCTURE: Final = (
    "Minutes, places, cases, persons and decisions: they are sealed. What happened within one hour is not judged. An "
    "audit with oversight's openings sees them."
)
_NO_TRUST: Final = (
    "Whether this is the log that others see. No trust file was given, so the log was only compared with itself: one "
    "that was rewritten from its first entry would look the same."
)
_NO_WITNESS: Final = "When anything happened. No witness's time stands in the log, so hours are the operator's word."
_NOBODY: Final = "Whether others were shown the same. No witness cosigned this checkpoint."


_WORDS: Final = {
    "oversight": "Oversight signed it, with the key that was remembered.",
    "named": "Oversight signed it, with a key of which only what was taken over says that it is oversight's.",
    "operator": "That is the operator's word alone.",
}


def _unread(begun: TakenOver) -> str:
    return (
        f"What the {begun.size:,} entries before {begun.year} say. They were not read: what an audit of them "
        "remembers, breaches too, was taken over as the log's record of that year names it "
        f"(state {b64(begun.state)}). "
        f"{_WORDS[begun.word]} Times before are those of the witnesses that the log's own charters name."
    )


def cannot_see(world: World, *, cosigned: bool, begun: TakenOver | None = None) -> Iterator[str]:
    """What this audit could not see, the most far-reaching first."""
    if begun is not None:
        yield _unread(begun)
    if world.given.policy is None:
        yield _NO_TRUST
    elif not cosigned:
        yield _NOBODY
    if not world.times.marks:
        yield _NO_WITNESS
    yield from NEVER
    if world.openings is None:
        yield _STRUCTURE
