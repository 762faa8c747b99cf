"""The error tree: every error says what happened and what to do next.

The five exit codes of the command line are properties of the error, so that no command has to
translate: 0 fine, 1 found a problem, 2 bad input or usage, 3 refused by the charter, 4 did not verify.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

Detail = str | int | float | bool | None


class WatchglassError(Exception):
    """Something that a person must hear about.

    Args:
        message: What happened, as one sentence.
        fix: What the person should do next, as one sentence. Never empty.
        **details: Further facts for the JSON form; plain values only, never a secret.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, fix: str, **details: Detail) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.details: Mapping[str, Detail] = details

    def as_json(self) -> dict[str, object]:
        """The error as one JSON-ready object, the same on the command line and in the API."""
        return {"error": type(self).__name__, "message": self.message, "fix": self.fix, **self.details}


class Problem(WatchglassError):
    """A check ran and found something wrong (exit 1)."""

    exit_code = 1


class BadInput(WatchglassError):
    """The person or a file gave something that cannot be used (exit 2)."""

    exit_code = 2


class Refused(WatchglassError):
    """The charter, or the law that stands above every charter, says no (exit 3)."""

    exit_code = 3

    def __init__(self, message: str, *, fix: str, reasons: tuple[str, ...] = (), **details: Detail) -> None:
        super().__init__(message, fix=fix, **details)
        self.reasons = reasons or (message,)

    def as_json(self) -> dict[str, object]:
        return {**super().as_json(), "reasons": list(self.reasons)}


class DidNotVerify(WatchglassError):
    """A signature, hash or proof is not what it claims to be (exit 4). Carries the evidence in ``details``."""

    exit_code = 4


class CannotRecord(WatchglassError):
    """The record of an act could not be written, so the act did not happen (law 1)."""

    exit_code = 1
