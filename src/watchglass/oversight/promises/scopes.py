"""What custodians approved, and what was granted, is what was asked for, and within the charter."""

from __future__ import annotations

from typing import Any

from watchglass.charter.phrases import duration
from watchglass.core import canonical
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.time import DAY
from watchglass.evidence.release import SCOPE_DOMAIN
from watchglass.oversight.entry import Entry
from watchglass.oversight.minutes import minute_ms
from watchglass.oversight.promises.promise import CUSTODIAN, OPERATOR, Promise, count
from watchglass.oversight.promises.releases import custodian_of
from watchglass.oversight.world import End, World

_FORGET_MS = 30 * DAY


class Scopes(Promise):
    name = "scopes"
    title = "What custodians approved and what was granted is exactly what was asked for, and within the charter."
    depth = "openings"
    acts = frozenset({"release_requested", "release_approved", "release_refused", "release_granted", "glass_broken"})
    keeps = ("requests",)

    def __init__(self) -> None:
        super().__init__()
        self.requests: dict[int, dict[str, Any]] = {}

    def see(self, entry: Entry, world: World) -> None:
        values = world.opened(entry)
        if values is None:
            return
        self.checked += 1
        if entry.act in ("release_requested", "glass_broken"):
            self._asked(entry, values, world)
            return
        index = world.references.index(entry.refs[0], "release_requested")
        asked = self.requests.get(-1 if index is None else index)
        if index is None or asked is None:
            return
        if values["request"] != asked["request"]:
            self.breach(f"('{entry.act}') is about another request than it refers to", OPERATOR, world, entry, index)
        elif entry.act == "release_approved":
            wrong = self._approved(entry, values, asked, index, world)
            if wrong:
                self.breach(f"approves {wrong}", CUSTODIAN, world, entry, index)

    def _asked(self, entry: Entry, values: dict[str, Any], world: World) -> None:
        known = world.under(entry)
        at = minute_ms(values["minute"])
        if entry.act == "release_requested":
            self.requests = {index: each for index, each in self.requests.items() if each["until_ms"] + _FORGET_MS > at}
            self.requests[entry.index] = {**values, "purpose": entry.purpose}
        release = known.charter.safeguards.release if known is not None else None
        if known is None or release is None:
            return
        rule = release.break_glass if entry.act == "glass_broken" else release
        length = values["to_ms"] - values["from_ms"]
        if rule is not None and not 0 < length <= rule.longest_ms:
            what = f"('{entry.act}') opens {duration(max(0, length))} of video, and the charter lets one open"
            self.breach(f"{what} {duration(rule.longest_ms)}", OPERATOR, world, entry, known.index)
        elif not known.charter.records(values["source"]):
            what = f"('{entry.act}') is about a source of which the charter keeps no originals"
            self.breach(what, OPERATOR, world, entry, known.index)

    def _approved(  # noqa: PLR0911  (a case for each thing that can be wrong)
        self, entry: Entry, values: dict[str, Any], asked: dict[str, Any], index: int, world: World
    ) -> str:
        """What an approval is of instead; empty where it is of the request."""
        scope = {name: asked[name] for name in ("case", "from_ms", "purpose", "source", "to_ms")}
        if values["scope_sha256"] != b64(sha256(SCOPE_DOMAIN + canonical.encode(scope))):
            return "another scope than was asked for"
        if values["recipient"] != asked["recipient"]:
            return "for another key than the request's"
        if values["until_ms"] > asked["until_ms"]:
            return "for longer than was asked for"
        signature, known = entry.leaf.signature, world.under(entry)
        if known is not None and signature is not None:
            name = custodian_of(known.charter, signature.key.public)
            if name is not None and name != values["custodian"]:
                return "in the name of another custodian than whose key signed"
        seen = values["seen"]
        if not world.trial and seen["size"] <= index:
            return "before the request was in the log that it says it saw"
        if seen["size"] <= world.size and world.hashes.root(seen["size"]) != unb64(seen["root"]):
            return "having seen another log than this: it forked, or the past was rewritten"
        return ""

    def how(self, world: World, end: End) -> str:
        del world, end
        return (
            f"{count(self.checked, 'opened record')} of requests, answers and grants: same request, same scope, same "
            "key; how much video; that each custodian had seen the request in this very log."
        )
