"""A signer's own machine talks to a deployment's portal: asks what stands, hands in what was signed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

from watchglass.core.errors import BadInput, CannotRecord, DidNotVerify, Problem, Refused, WatchglassError

_TIMEOUT_S: Final = 20.0
_LARGEST: Final = 1 << 20
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
    """

    def __init__(self, url: str) -> None:
        if not url.startswith(("http://", "https://")):
            raise BadInput(f"{url} is not an address.", fix="Write it as for a browser, beginning with https://.")
        self._url = url.rstrip("/")
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

    def _ask(self, method: str, path: str, body: bytes | None = None) -> dict[str, Any]:
        headers = {"Accept": "application/json"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            with self._client.stream(method, self._url + path, content=body, headers=headers) as answer:
                value = _object(answer)
        except httpx.HTTPError as error:
            raise Problem(
                f"{self._url} does not answer: {error}.",
                fix="Check the address, and that the deployment is running. Nothing was changed.",
            ) from error
        if not isinstance(value, dict):
            raise Problem(
                f"{self._url} answered {answer.status_code} without data.",
                fix="Check that this is the address of a Watchglass portal.",
            )
        if answer.is_success:
            return value
        raise _as_error(value)

    def close(self) -> None:
        self._client.close()


def _object(answer: httpx.Response) -> object:
    """The JSON in an answer, or None; an answer without an end is not read to its end."""
    data = bytearray()
    for part in answer.iter_bytes():
        data += part
        if len(data) > _LARGEST:
            raise Problem("The portal's answer is too large to be one.", fix="Check the address.")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _as_error(value: dict[str, Any]) -> WatchglassError:
    kind = _KINDS.get(str(value.get("error")), Problem)
    message, fix = str(value.get("message", "The portal refused.")), str(value.get("fix", "Look at the portal's log."))
    reasons = value.get("reasons")
    if kind is Refused and isinstance(reasons, list):
        return Refused(message, fix=fix, reasons=tuple(str(reason) for reason in reasons))
    return kind(message, fix=fix)
