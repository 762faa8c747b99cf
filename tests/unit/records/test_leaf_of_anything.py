"""A leaf that somebody hands in may hold anything in any place; what is wrong is said, and nothing falls over."""

from __future__ import annotations

from typing import Any

import pytest

from watchglass.core.errors import BadInput
from watchglass.records.leaf import Leaf

BODY: dict[str, Any] = {
    "v": 1,
    "act": "case_closed",
    "basis": "signed",
    "charter": "A" * 43 + "=",
    "purpose": "lawn",
    "role": "investigator",
    "actor": "a.example+00000000",
    "hour": "2026-11-23T14Z",
    "refs": [],
    "clear": {},
    "commitments": dict.fromkeys(("case", "minute", "opened", "result"), "A" * 43 + "="),
}


@pytest.mark.parametrize("junk", [None, True, 7, 1.5, "", "X y", [], ["x"], {}, {"x": [1]}], ids=repr)
@pytest.mark.parametrize("name", BODY)
def test_whatever_stands_in_a_field_is_refused_by_name(name: str, junk: object) -> None:
    assert Leaf.from_body(BODY).act == "case_closed"
    if BODY[name] != junk:
        with pytest.raises(BadInput):
            Leaf.from_body({**BODY, name: junk})
