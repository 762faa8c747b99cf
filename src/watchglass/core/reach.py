"""Which hosts are near: this machine, or its own network. Unencrypted messages may go there and nowhere else.

Judged by the name alone. Nothing is looked up, so that the answer is the same wherever it is asked, and a name server
cannot change it.
"""

from __future__ import annotations

import ipaddress
from typing import Final

_ENDINGS: Final = (".localhost", ".local", ".lan", ".internal", ".home.arpa")
"""Names that the open internet does not resolve: RFC 6761, 6762, 8375, and ICANN's `.internal`; `.lan` by custom."""


def is_near(host: str) -> bool:
    """Whether ``host`` (a name, or an address without brackets) is this machine or in a private network.

    A name without a dot is taken for one of the own network.
    """
    name = host.strip("[]").rstrip(".").lower()
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return bool(name) and ("." not in name or name.endswith(_ENDINGS))
    return address.is_loopback or address.is_private
