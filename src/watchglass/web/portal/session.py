"""Sessions: who is signed in, kept on the server. The browser holds a random token; we keep only its SHA-256."""

from __future__ import annotations

import base64
import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from starlette.responses import Response

from watchglass.access.passwords import NOBODY, check_password
from watchglass.access.roles import Person, Role
from watchglass.core.digest import sha256
from watchglass.core.errors import DidNotVerify
from watchglass.core.time import HOUR, MINUTE, SECOND

_log: Final = logging.getLogger(__name__)

TOKEN_BYTES: Final = 32
IDLE: Final = HOUR
"""A session that nobody used for this long is over; an open queue counts as use (a quiet hour is not absence)."""
ABSOLUTE: Final = 12 * HOUR
"""A session is over after this long whatever happens: one long shift."""
_TOUCH: Final = MINUTE
_HASHES_AT_ONCE: Final = 2

_FIND: Final = (
    "SELECT session.*, account.name, account.roles FROM session JOIN account ON account.id = session.account "
    "WHERE session.token_hash = ? AND account.closed_ms IS NULL"
)


class _Clock(Protocol):
    def now(self) -> int: ...


class _Entropy(Protocol):
    def bytes(self, n: int) -> bytes: ...


class _Store(Protocol):
    def commit(self, fn: Any) -> Any: ...

    def read(self) -> Any: ...


class _Tx(Protocol):
    def one(self, sql: str, *params: object) -> Mapping[str, Any] | None: ...

    def execute(self, sql: str, *params: object) -> int: ...


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in person. ``csrf`` is the token that every form of this session carries."""

    token_hash: bytes
    person: Person
    csrf: str
    expires_ms: int


class Sessions:
    """Opens, finds and closes sessions; checks passwords.

    Args:
        secure: browsers come by https; the cookie is then Secure and bound to this host by its ``__Host-`` name.
    """

    def __init__(self, store: _Store, clock: _Clock, entropy: _Entropy, *, secure: bool) -> None:
        self._store = store
        self._clock = clock
        self._entropy = entropy
        self._secure = secure
        self._hashing = threading.BoundedSemaphore(_HASHES_AT_ONCE)  # 64 MiB each
        self.cookie: Final = "__Host-watchglass" if secure else "watchglass"

    def sign_in(self, name: str, password: str) -> tuple[Person, str]:
        """Check the password and open a fresh session (never one that existed before).

        Returns:
            The person, and the token for the cookie.

        Raises:
            DidNotVerify: no such account, another password, or a closed account; the three look and last the same.
        """
        row = self._store.read().one(
            "SELECT id, name, roles, password_hash FROM account WHERE name = ? AND closed_ms IS NULL", name
        )
        with self._hashing:
            check_password(row["password_hash"] if row else NOBODY, password)
        if row is None:  # cannot happen: no password opens NOBODY
            raise DidNotVerify("This name and password do not belong together.", fix="Check both and try again.")
        return _person(row["id"], row["name"], row["roles"]), self._open(row["id"])

    def check(self, account: int, password: str) -> None:
        """Check the password of somebody who is signed in, before it is changed.

        Raises:
            DidNotVerify: it is another one.
        """
        row = self._store.read().one("SELECT password_hash FROM account WHERE id = ?", account)
        with self._hashing:
            check_password(row["password_hash"] if row else NOBODY, password)

    def _open(self, account: int) -> str:
        token = base64.urlsafe_b64encode(self._entropy.bytes(TOKEN_BYTES)).decode().rstrip("=")
        csrf = base64.urlsafe_b64encode(self._entropy.bytes(TOKEN_BYTES)).decode().rstrip("=")
        now = self._clock.now()

        def change(tx: _Tx) -> None:
            tx.execute("DELETE FROM session WHERE expires_ms < ? OR seen_ms < ?", now, now - IDLE)
            tx.execute(
                "INSERT INTO session (token_hash, account, csrf, created_ms, seen_ms, expires_ms) "
                "VALUES (?, ?, ?, ?, ?, ?)",
                _hash(token),
                account,
                csrf,
                now,
                now,
                now + ABSOLUTE,
            )

        self._store.commit(change)
        return token

    def find(self, token: str) -> Session | None:
        """The session behind a token, or None when there is none, it is over, or the account was closed."""
        token_hash = _hash(token)
        row = self._store.read().one(_FIND, token_hash)
        now = self._clock.now()
        if row is None or now >= row["expires_ms"] or now - row["seen_ms"] > IDLE:
            return None
        if now - row["seen_ms"] > _TOUCH:
            self._touch(token_hash, now)
        person = _person(row["account"], row["name"], row["roles"])
        return Session(token_hash, person, row["csrf"], row["expires_ms"])

    def still(self, session: Session) -> bool:
        """Whether a session that holds a stream open is still good with the same roles; counts as use."""
        row = self._store.read().one(_FIND, session.token_hash)
        now = self._clock.now()
        if row is None or now >= row["expires_ms"]:
            return False
        if now - row["seen_ms"] > _TOUCH:
            self._touch(session.token_hash, now)
        return _person(row["account"], row["name"], row["roles"]) == session.person

    def _touch(self, token_hash: bytes, now: int) -> None:
        try:
            self._store.commit(
                lambda tx: tx.execute("UPDATE session SET seen_ms = ? WHERE token_hash = ?", now, token_hash)
            )
        except Exception:  # noqa: BLE001  # a full disk must not lock people out of looking; acts refuse by themselves
            _log.warning("could not note that a session was used")

    def close(self, session: Session) -> None:
        """Sign out: the token is worth nothing from now on."""
        self._store.commit(lambda tx: tx.execute("DELETE FROM session WHERE token_hash = ?", session.token_hash))

    def close_others(self, session: Session) -> None:
        """End every other session of the person, as after a change of password."""
        self._store.commit(
            lambda tx: tx.execute(
                "DELETE FROM session WHERE account = ? AND token_hash != ?",
                session.person.account,
                session.token_hash,
            )
        )

    def close_all(self, account: int) -> None:
        """End every session of an account, as when it is closed or its password reset."""
        self._store.commit(lambda tx: tx.execute("DELETE FROM session WHERE account = ?", account))

    def give(self, response: Response, token: str) -> None:
        """Set the cookie."""
        response.set_cookie(
            self.cookie,
            token,
            max_age=ABSOLUTE // SECOND,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="strict",
        )

    def take(self, response: Response) -> None:
        """Remove the cookie."""
        response.delete_cookie(self.cookie, path="/", secure=self._secure, httponly=True, samesite="strict")


def _hash(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace"))


def _person(account: int, name: str, roles: str) -> Person:
    return Person(account, name, frozenset(Role(role) for role in json.loads(roles)))
