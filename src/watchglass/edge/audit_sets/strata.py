"""Strata as files give them: names in small letters, values as short text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from watchglass.core.errors import BadInput
from watchglass.quality.audit_set import check_stratum

_BETWEEN: Final = re.compile(r"[^a-z0-9]+")


def strata_of(values: object, where: str) -> Mapping[str, str]:
    """``{"Skin Tone": 4, "night": true}`` is ``{"skin_tone": "4", "night": "yes"}``; what is null is not annotated.

    Raises:
        BadInput: it is no mapping, or a value is no short text.
    """
    if values is None:
        return MappingProxyType({})
    if not isinstance(values, dict):
        raise BadInput(f"{where}: strata are no mapping.", fix="Write them as name: value.")
    result = {}
    for name, value in values.items():
        if value is None:
            continue
        if not isinstance(value, str | int | float):
            raise BadInput(f"{where}: {name} is no plain value.", fix="Write a word, a number, yes or no.")
        text = ("yes" if value else "no") if isinstance(value, bool) else str(value).strip()
        key = _BETWEEN.sub("_", str(name).lower()).strip("_")
        check_stratum(key, text)
        result[key] = text
    return MappingProxyType(result)
