"""What a charter asks of a source's pictures: below that, what is made of them is not to be relied on.

A source that does not meet a condition is *degraded*: its analytics go on, and whoever sees an alert of them is told.
Nothing is stopped by it and nothing is left out of a limit, or a dirty lens would excuse any number of false alerts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

from watchglass.charter import schema
from watchglass.charter.schema import Key, Many
from watchglass.core.errors import BadInput

WHITE: Final = 255
_LONGEST_CLOCK: Final = schema.UNITS["h"]


@dataclass(frozen=True, slots=True)
class Conditions:
    """The conditions of one source. Each is judged minute by minute.

    Attributes:
        brightness: (least, most), 0 black to 255 white.
        sharpness_at_least: thousandths. zones_in_view_at_least, uptime_at_least: thousandths of a whole.
        clock_within_ms: how far its clock may be off, either way.
    """

    brightness: Annotated[
        tuple[int, int] | None,
        Key(
            Many(schema.whole(0, WHITE), fewest=2, most=2, expects="a range as [least, most], from 0 to 255"),
            "How bright the whole picture is in the mean, from 0 (black) to 255 (white).",
        ),
    ] = None
    sharpness_at_least: Annotated[
        int | None,
        Key(
            schema.thousandths(1, 20_000),
            "How steep the steepest edges are beside the picture's contrast; the source's page shows what is usual.",
        ),
    ] = None
    zones_in_view_at_least: Annotated[
        int | None,
        Key(
            schema.share(1, 1000),
            "How much of each area that is looked at still lies in the picture where it was drawn.",
        ),
    ] = None
    uptime_at_least: Annotated[
        int | None, Key(schema.share(1, 1000), "For how much of the last hour pictures came.")
    ] = None
    clock_within_ms: Annotated[
        int | None,
        Key(schema.DURATION, "How far the camera's clock may be from this machine's, either way.", "clock_within"),
    ] = None

    def __post_init__(self) -> None:
        if self.brightness is not None and self.brightness[0] >= self.brightness[1]:
            raise BadInput(
                f"No picture is at least {self.brightness[0]} and at most {self.brightness[1]} bright: this would "
                "always fail.",
                fix="Write the darker end first, for example `brightness: [30, 230]`.",
            )
        if self.clock_within_ms is not None and not 0 < self.clock_within_ms <= _LONGEST_CLOCK:
            raise BadInput("A clock is kept within a second to an hour.", fix="Write for example `clock_within: 2s`.")
        if not self.stated:
            raise BadInput(
                "This states no condition at all.",
                fix="Write for example `brightness: [30, 230]`, or remove the section.",
            )

    @property
    def stated(self) -> tuple[str, ...]:
        """The keys that are written, in the order of this class."""
        found = {
            "brightness": self.brightness,
            "sharpness_at_least": self.sharpness_at_least,
            "zones_in_view_at_least": self.zones_in_view_at_least,
            "uptime_at_least": self.uptime_at_least,
            "clock_within": self.clock_within_ms,
        }
        return tuple(key for key, value in found.items() if value is not None)
