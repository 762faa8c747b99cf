"""What holds in the very transaction of an act: what stands, and that the clock was not set back.

What the house read before may have changed since: an order to stop, or another charter.

While it runs, the clock of the house never goes backwards. Between two runs it could be set back, and what has run out
would be valid again. What people sign names its hour, so the last that was accepted tells how late it was at least.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from watchglass.acts.standing import standing
from watchglass.charter.decide import Standing
from watchglass.core.errors import Refused
from watchglass.core.time import MINUTE, iso
from watchglass.records.outbox import Reader

_APART_MS: Final = 5 * MINUTE
"""What a time server may put right."""


def stands_now(reader: Reader, known: Standing, *, cosigned_size: int, now_ms: int) -> Standing:
    """What was known to stand, with the charter, its approvals and the orders to stop as they are by now."""
    now = standing(reader, deployment=known.deployment, cosigned_size=cosigned_size, now_ms=now_ms)
    return replace(
        known,
        charter=now.charter,
        approvals=now.approvals,
        published=now.published,
        suspensions=now.suspensions,
        on_trial=now.on_trial,
    )


def check_clock(reader: Reader, now_ms: int) -> None:
    """Check that it is not earlier than when something signed was last accepted.

    Raises:
        Refused: the clock was set back.
    """
    row = reader.one("SELECT max(accepted_ms) AS last FROM statement")
    last = row["last"] if row else None
    if last is not None and now_ms < int(last) - _APART_MS:
        raise Refused(
            f"The clock here says {iso(now_ms)}, and it was {iso(int(last))} already: it was set back.",
            fix="Let whoever keeps the machine set its clock right. Until then no original video is given out.",
        )
