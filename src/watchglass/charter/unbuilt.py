"""What charters will be able to ask for, and this version cannot keep yet.

One row a safeguard. A charter that asks for one is refused by name, so that no charter promises what nothing keeps.
Whoever builds a safeguard removes its row here and adds its fields to the model.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Unbuilt:
    """A safeguard or function that the language knows and this version does not keep.

    Attributes:
        path: where it is written; ``*`` stands for any name. The last part may be a value (``kind=feed``).
        what: its name for people.
        says: what to tell, where the usual sentence does not fit.
    """

    path: str
    what: str
    says: str = ""

    @property
    def message(self) -> str:
        """What to tell a person who asks for it."""
        return self.says or f"This version does not build {self.what} yet, so no charter may promise it."


NOT_BUILT: Final = (
    Unbuilt("sources.*.kind=onvif", "network cameras (`kind: onvif`)"),
    Unbuilt("sources.*.kind=feed", "event feeds (`kind: feed`)"),
    Unbuilt("analytics.*.kind=line_crossing", "the analytic `line_crossing`"),
    Unbuilt(
        "analytics.*.kind=loitering",
        "the analytic `loitering`",
        "Watchglass does not build `loitering`, on purpose: it would accuse people of being there, and such alerts "
        "fall on the same people again and again.",
    ),
    Unbuilt("analytics.*.kind=fire_smoke", "the analytic `fire_smoke`"),
    Unbuilt("analytics.*.kind=feed_anomaly", "the analytic `feed_anomaly`"),
    Unbuilt("safeguards.public_view.archive", "an archive of the public view (`public_view.archive`)"),
    Unbuilt("safeguards.embargo", "embargoes after which openings are published (`embargo`)"),
    Unbuilt("statistics", "statistics under a privacy budget (`statistics`)"),
    Unbuilt("consultation", "public consultation (`consultation`)"),
    Unbuilt(
        "approvals",
        "approvals inside the charter's own file (`approvals`)",
        "This version does not build approvals inside the file: a signature cannot stand in the bytes that it signs.",
    ),
)

_FIXES: Final = {
    "safeguards.public_view.archive": "Remove it: without it nothing of the public view is kept, and nobody can ask "
    "for another time.",
    "approvals": "Remove the section: approvals are signed over the file's bytes with `watchglass charter sign`, "
    "and kept beside it.",
    "analytics.*.kind=loitering": "Say what must not happen there instead: `intrusion` with hours, "
    "`unattended_object`, `person_down` or `crowd_density`.",
    "consultation": "Remove the section; the charter then shows as not consulted on.",
}
_FIX: Final = "Remove it; the charter then does not promise it."
_FIX_KIND: Final = "Leave this out for now, or use a kind that is built; the charter then does not promise it."


def fix_for(row: Unbuilt) -> str:
    """What the person does next."""
    return _FIXES.get(row.path, _FIX_KIND if ".kind=" in row.path else _FIX)


def row_for(path: tuple[str | int, ...], value: str | None = None) -> Unbuilt | None:
    """The row for a key at ``path``, or for ``value`` written there."""
    parts = [str(part) for part in path if not isinstance(part, int)]
    for row in NOT_BUILT:
        pattern, _, wanted = row.path.partition("=")
        if (wanted or None) != value:
            continue
        pieces = pattern.split(".")
        if len(pieces) == len(parts) and all(piece in {"*", part} for piece, part in zip(pieces, parts, strict=True)):
            return row
    return None
