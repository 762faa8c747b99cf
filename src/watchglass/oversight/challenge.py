"""A challenge: an incident that oversight stages. What it will be is committed to before it happens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from watchglass.core import canonical
from watchglass.core.digest import sha256

DOMAIN: Final = b"watchglass/challenged/v1\n"
COMMITTED: Final = ("from_ms", "kind", "salt", "source", "to_ms")
"""What is fixed beforehand; the salt, 16 fresh hex digits, keeps it from being guessed."""


def commitment(origin: str, told: Mapping[str, Any]) -> bytes:
    """SHA-256 over what will be staged in the log's deployment: 32 bytes, which `Challenge` carries to a witness.

    Args:
        told: at least the fields of ``COMMITTED``.
    """
    return sha256(DOMAIN + origin.encode() + b"\n" + canonical.encode({name: told[name] for name in COMMITTED}))
