"""Addresses of cameras: what of them may be shown, and which are none. Passwords and tokens stand in them."""

from __future__ import annotations

from typing import Final
from urllib.parse import SplitResult, urlsplit

from watchglass.core.errors import BadInput

_HIDDEN: Final = "…"


def shown(address: str) -> str:
    """What may be printed of an address: its scheme, host and port; a device's or file's path as it is.

    Names, passwords and tokens stand before the host, in the path and in the query, so none of these is shown; and
    nothing at all where it is not certain which part is the host.
    """
    scheme, mark, _ = address.partition("://")
    if not mark:
        return address
    try:
        parts = _split(address)
    except BadInput:
        return f"{scheme}://{_HIDDEN}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    return f"{scheme}://{host}" + (f":{parts.port}" if parts.port else "")


def checked(address: str, schemes: tuple[str, ...]) -> str:
    """The address, if it is one.

    Raises:
        BadInput: it has another scheme, no host, or characters that should have been escaped. Shows nothing of it.
    """
    scheme = address.partition("://")[0] if "://" in address else ""
    if scheme not in schemes:
        raise BadInput(
            f"The address of a camera begins with {' or '.join(f'{each}://' for each in schemes)}.",
            fix="Correct the address in the charter, or the secret that holds it.",
        )
    _split(address)
    return address


def _split(address: str) -> SplitResult:
    """The parts. A slash or an at sign inside a password moves the host's place, so it must be escaped."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        parts, port = SplitResult("", "", "", "", ""), None
    whole = not any(not c.isprintable() or c.isspace() for c in address) and address.count("@") <= 1
    inside = "@" not in address or "@" in parts.netloc
    if not (parts.hostname and whole and inside) or port == 0:
        raise BadInput(
            "The address of a camera cannot be read.",
            fix="Write it as scheme://name:password@host:port/path, and in name, password and path write special "
            "characters as %40 for @, %2F for /, %3A for : and so on.",
        )
    return parts
