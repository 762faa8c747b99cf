"""A notice as a signed HTTP request (Standard Webhooks 1.0.0: HMAC-SHA256 over ``id.timestamp.body``).

The receiver may be down, slow or lying. So: one deadline for the whole request, no redirects, no proxy or password
from the environment, and of the answer only the status is read, never the body.
"""

from __future__ import annotations

import asyncio
import binascii
import hashlib
import hmac
import ssl
from base64 import b64decode, b64encode
from collections.abc import Callable
from typing import Final
from urllib.parse import urlsplit

import httpx

from watchglass import __version__
from watchglass.core.errors import BadInput
from watchglass.core.reach import is_near
from watchglass.core.time import SECOND, Clock
from watchglass.edge.notify.letter import Letter, Undelivered

DEADLINE_S: Final = 15.0
"""From the first byte of the connection to the status of the answer. Standard Webhooks advises 15 to 30 seconds."""
_CONNECT_S: Final = 5.0

PREFIX: Final = "whsec_"
FEWEST_BYTES: Final = 24
MOST_BYTES: Final = 64
"""How long a signing key is: 192 to 512 bits, as the standard asks."""

_GONE: Final = 410
_LONGEST_WAIT_S: Final = 600


def parse_secret(text: str) -> tuple[bytes, ...]:
    """The signing keys of a secret: one or more ``whsec_…`` with spaces between, the newest first.

    With two of them every request carries two signatures, so that a receiver can change over without a gap.

    Raises:
        BadInput: it is none. Never quotes it.
    """
    keys = tuple(_key(part) for part in text.split())
    if not keys:
        raise BadInput("The secret of the webhook is empty.", fix=_FIX)
    return keys


_FIX: Final = "Set it again: `whsec_` and 24 to 64 random bytes in base64, as `openssl rand -base64 32` makes them."


def _key(text: str) -> bytes:
    if not text.startswith(PREFIX):
        raise BadInput(f"The secret of the webhook does not begin with {PREFIX}.", fix=_FIX)
    try:
        key = b64decode(text.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadInput("The secret of the webhook is not base64.", fix=_FIX) from error
    if not FEWEST_BYTES <= len(key) <= MOST_BYTES:
        raise BadInput(f"The secret of the webhook has {len(key)} bytes.", fix=_FIX)
    return key


def signature(keys: tuple[bytes, ...], letter: Letter, at_s: int) -> str:
    """The header ``webhook-signature``: one ``v1,base64`` for each key."""
    signed = b"%b.%d.%b" % (letter.id.encode(), at_s, letter.body)
    return " ".join(f"v1,{b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}" for key in keys)


def check_url(url: str) -> str:
    """``url``, if a notice may go there: https, or http to this machine and private networks.

    Raises:
        BadInput: it may not.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise BadInput(f"“{url[:200]}” is not an address of a webhook.", fix="Write https:// and the rest of it.")
    if parts.username is not None or parts.password is not None:
        raise BadInput(
            "An address with a password in it would publish the password: the charter is public.",
            fix="Take it out; the signature shows the receiver who sends.",
        )
    if parts.scheme == "http" and not is_near(parts.hostname):
        raise BadInput(
            f"Notices to {parts.hostname} would travel unencrypted through the open network.",
            fix="Use https; plain http is for this machine and private networks.",
        )
    return url


class Webhook:
    """Sends letters to one address.

    Args:
        secret: gives the secret's text; asked at every attempt, so that a new one counts at once.
        trust: whose certificates are believed; the machine's own store by default.
    """

    def __init__(
        self, url: str, secret: Callable[[], str], clock: Clock, *, trust: ssl.SSLContext | None = None
    ) -> None:
        self._url = check_url(url)
        self._secret = secret
        self._clock = clock
        self._trust = trust or ssl.create_default_context()

    def send(self, letter: Letter) -> None:
        """Deliver ``letter``: any status from 200 to 299 says that the receiver has it.

        Raises:
            Undelivered: it did not answer so within ``DEADLINE_S``.
            BadInput: there is no usable secret.
        """
        keys = parse_secret(self._secret())
        at_s = self._clock.now() // SECOND
        headers = {
            "content-type": "application/json",
            "user-agent": f"watchglass/{__version__}",
            "accept-encoding": "identity",
            "webhook-id": letter.id,
            "webhook-timestamp": str(at_s),
            "webhook-signature": signature(keys, letter, at_s),
        }
        try:
            status, wait = asyncio.run(self._post(letter.body, headers))
        except TimeoutError as error:
            raise Undelivered(
                f"There was no answer within {DEADLINE_S:.0f} seconds.", fix="Look why the receiver is so slow."
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError) as error:
            raise Undelivered(
                f"It cannot be reached: {_said(error)}.", fix="Check that the receiver runs, and its certificate."
            ) from error
        if not httpx.codes.is_success(status):
            raise _refusal(status, wait)

    async def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """Status and ``Retry-After`` of the answer; its body is never read."""
        timeout = httpx.Timeout(DEADLINE_S, connect=_CONNECT_S)
        async with (
            asyncio.timeout(DEADLINE_S),
            httpx.AsyncClient(verify=self._trust, timeout=timeout, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", self._url, content=body, headers=headers) as answer,
        ):
            return answer.status_code, answer.headers.get("retry-after", "")

    def keep(self) -> None:
        """Nothing is kept open between letters."""

    def close(self, *, forget: bool = False) -> None:
        """Nothing is open."""


def _refusal(status: int, wait: str) -> Undelivered:
    if httpx.codes.is_redirect(status):
        return Undelivered(
            f"It answered {status} and points elsewhere; notices go nowhere that the charter does not name.",
            fix="Write the final address into the charter.",
        )
    after = min(int(wait), _LONGEST_WAIT_S) * SECOND if wait.isascii() and wait.isdecimal() else None
    return Undelivered(
        f"It answered {status}.",
        fix="Look into the receiver's own log; 401 and 403 often mean another secret, or a clock that is wrong.",
        final=status == _GONE,
        after_ms=after,
    )


def _said(error: Exception) -> str:
    """What the library says, short and on one line."""
    return " ".join(str(error).split())[:160].rstrip(".") or type(error).__name__
