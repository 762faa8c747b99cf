from __future__ import annotations

import pytest

from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem, Refused, WatchglassError


@pytest.mark.parametrize(
    ("kind", "code"), [(Problem, 1), (BadInput, 2), (Refused, 3), (DidNotVerify, 4), (CannotRecord, 1)]
)
def test_exit_codes_and_json(kind: type[WatchglassError], code: int) -> None:
    error = kind("It broke.", fix="Mend it.", place=3)
    assert kind.exit_code == code
    told = error.as_json()
    assert told.pop("reasons", None) in (None, ["It broke."])
    assert told == {"error": kind.__name__, "message": "It broke.", "fix": "Mend it.", "place": 3}
    assert str(error) == "It broke."


def test_refusals_give_all_their_reasons() -> None:
    assert Refused("No.", fix="Ask.", reasons=("a", "b")).as_json()["reasons"] == ["a", "b"]
