"""What people and recorders sign is signed by a key that could speak for them then."""

from __future__ import annotations

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.oversight.entry import Entry
from watchglass.oversight.keys import why_not
from watchglass.oversight.promises.promise import OPERATOR, SIGNER, Promise, count
from watchglass.oversight.world import End, World


class Signatures(Promise):
    name = "signatures"
    title = "What people and recorders sign is signed with a key that was theirs to speak with then."
    keeps = ("unjudged", "known")

    def __init__(self) -> None:
        super().__init__()
        self.unjudged = 0
        self.known: dict[bytes, int] = {}

    def good(self, entry: Entry, world: World) -> None:
        """A signature is genuine."""
        self.checked += 1
        if entry.act == "heartbeat":
            return  # each names the one before it, so none comes twice
        signature = entry.leaf.signature
        assert signature is not None
        before = self.known.setdefault(signature.sig, entry.index)
        if before != entry.index:
            self.breach(f"is '{entry.act}', signed once and recorded again", OPERATOR, world, entry, before)

    def bad(self, entry: Entry, error: DidNotVerify | BadInput, world: World) -> None:
        """A signature is not what it should be; the entry counts for nothing elsewhere."""
        self.checked += 1
        if world.charters.unread and error.details.get("field") == "sig.key":
            self.unjudged += 1
            return
        self.breach(f"is '{entry.act}' in the name of {entry.role}, and {why_not(error)}", SIGNER, world, entry)

    def unseen(self, world: World, end: End) -> str | None:
        del world, end
        if not self.unjudged:
            return None
        return (
            f"{count(self.unjudged, 'signature')} may be by keys of a charter that this version cannot read. Audit "
            "with the version of Watchglass that published it."
        )

    def how(self, world: World, end: End) -> str:
        del end
        return (
            f"{count(self.checked, 'signature')} verified against the keys that charters pin, that oversight enrolled "
            f"for a month ({len(world.keys.enrolled):,}) or that were named for a run "
            f"({len(world.keys.recorders):,}). A record whose signature fails counts for nothing in what follows."
        )
