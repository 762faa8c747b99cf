"""A signer's own machine talks to a deployment's portal: asks what stands, hands in what was signed."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Final

import httpx

from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem, Refused, WatchglassError

_TIMEOUT_S: Final = 20.0
_LARGEST: Final = 1 << 20
LARGEST_ANSWER: Final = 192 << 20
"""Of a signed question: the headers of an hour of segments, and the bundles of every custodian."""
_TOO_MANY: Final = 429
_PATIENCE: Final = 60
_PAUSE_S: Final = 5.0
_KINDS: Final[Mapping[str, type[WatchglassError]]] = {
    "Refused": Refused,
    "BadInput": BadInput,
    "DidNotVerify": DidNotVerify,
    "CannotRecord": CannotRecord,
}


class PortalClient:
    """Speaks the portal's API. Trusts nothing in its answers that a signature or the ledger does not show.

    Args:
        url: the portal's address, as for a browser.
        pause: waits so many seconds where the portal says that there were too many questions.
    """

    def __init__(self, url: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        if not url.startswith(("http://", "https://")):
            raise BadInput(f"{url} is not an address.", fix="Write it as for a browser, beginning with https://.")
        self._url = url.rstrip("/")
        self._pause = pause
        self._client = httpx.Client(timeout=_TIMEOUT_S, follow_redirects=False)

    def standing(self) -> dict[str, Any]:
        """What is in force and what is suspended, as the portal says."""
        return self._ask("GET", "/api/v1/standing")

    def hand_in(self, statement: bytes) -> dict[str, Any]:
        """Hand in a signed statement; the portal's answer with the receipt."""
        return self._ask("POST", "/api/v1/signed-acts", statement)

    def publish(self, body: bytes) -> dict[str, Any]:
        """Hand in a charter with its approvals."""
        return self._ask("POST", "/api/v1/charters", body)

    def hand_in_with(self, statement: bytes, bundle: bytes) -> dict[str, Any]:
        """Hand in a signed statement together with re-sealed shares."""
        body = {"statement": json.loads(statement), "bundle": b64encode(bundle).decode()}
        return self._ask("POST", "/api/v1/bundles", json.dumps(body).encode())

    def ask(self, query: bytes) -> dict[str, Any]:
        """What the portal answers to a signed question."""
        return self._ask("POST", "/api/v1/queries", query, limit=LARGEST_ANSWER)

    def segment(self, query: bytes, *, limit: int) -> bytes:
        """The bytes of a sealed segment, at most ``limit``; whether they are the right ones is for the caller to check.

        Raises:
            Problem: it is longer than it can be, or the portal does not answer.
        """
        data, status = self._send("POST", "/api/v1/segments", query, limit=limit)
        if status == httpx.codes.OK:
            return data
        raise _as_error(self._known(data, status))

    def _ask(self, method: str, path: str, body: bytes | None = None, *, limit: int = _LARGEST) -> dict[str, Any]:
        data, status = self._send(method, path, body, limit=limit)
        value = self._known(data, status)
        if httpx.codes.is_success(status):
            return value
        raise _as_error(value)

    def _send(self, method: str, path: str, body: bytes | None, *, limit: int) -> tuple[bytes, int]:
        """The answer's bytes and status. A portal that is asked too fast is asked again, more slowly."""
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        for left in reversed(range(_PATIENCE)):
            try:
                with self._client.stream(method, self._url + path, content=body, headers=headers) as answer:
                    data = _bounded(answer, limit)
            except httpx.HTTPError as error:
                raise Problem(
                    f"{self._url} does not answer: {error}.",
                    fix="Check the address, and that the deployment is running; then look whether it was done.",
                ) from error
            if answer.status_code != _TOO_MANY or not left:
                break
            self._pause(_PAUSE_S)
        return data, answer.status_code

    def _known(self, data: bytes, status: int) -> dict[str, Any]:
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise Problem(
                f"{self._url} answered {status} without data.",
                fix="Check that this is the address of a Watchglass portal.",
            )
        return value

    def close(self) -> None:
        self._client.close()


def _bounded(answer: httpx.Response, limit: int) -> bytes:
    """What an answer holds; one without an end is not read to its end."""
    data = bytearray()
    for part in answer.iter_bytes():
        data += part
        if len(data) > limit:
            raise Problem("The portal's answer is too large to be one.", fix="Check the address.")
    return bytes(data)


def _as_error(value: dict[str, Any]) -> WatchglassError:
    kind = _KINDS.get(str(value.get("error")), Problem)
    message, fix = str(value.get("message", "The portal refused.")), str(value.get("fix", "Look at the portal's log."))
    reasons = value.get("reasons")
    if kind is Refused and isinstance(reasons, list):
        return Refused(message, fix=fix, reasons=tuple(str(reason) for reason in reasons))
    return kind(message, fix=fix)
