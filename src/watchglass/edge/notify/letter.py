"""What a way out is given, and how it says that it could not deliver."""

from __future__ import annotations

from dataclasses import dataclass

from watchglass.core.errors import Problem


@dataclass(frozen=True, slots=True)
class Letter:
    """One notice, ready to go.

    Attributes:
        id: the same at every attempt, so that a receiver can tell a second copy.
        analytic: the rule that it is about; MQTT has a topic for each.
        body: exactly these bytes are sent, and signed.
    """

    id: str
    analytic: str
    body: bytes


class Undelivered(Problem):
    """A notice did not arrive, as far as we know.

    Args:
        final: whether another attempt is pointless.
        after_ms: how long the receiver asks us to wait; None where it does not say.
    """

    def __init__(self, message: str, *, fix: str, final: bool = False, after_ms: int | None = None) -> None:
        super().__init__(message, fix=fix)
        self.final = final
        self.after_ms = after_ms
