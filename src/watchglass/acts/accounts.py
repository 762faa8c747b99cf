"""Acts: accounts are opened, changed and closed. Public records name neither the person nor the roles."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Final

from watchglass.access.roles import Grant, May, Person, Role
from watchglass.acts.context import Acting, Done, attest, do
from watchglass.core.errors import BadInput
from watchglass.records.outbox import Reader, Transaction

_NAME: Final = re.compile(r"[a-z][a-z0-9._-]{1,31}")


def open_account(acting: Acting, by: Grant | None, name: str, roles: Iterable[Role], password_hash: str) -> Done[int]:
    """Open an account. ``by`` is None when it is done on the machine itself (``watchglass user add``).

    Raises:
        BadInput: the name is taken or not usable, or there is no role.
    """
    if by is not None:
        by.require(May.MANAGE_ACCOUNTS)
    wanted = sorted(set(roles))
    if not _NAME.fullmatch(name):
        raise BadInput(
            f"“{name}” cannot be a sign-in name.",
            fix="Use 2 to 32 small letters, digits, dots or dashes, beginning with a letter.",
        )
    if not wanted or Role.PUBLIC in wanted:
        raise BadInput("An account needs at least one role.", fix=f"Choose from: {', '.join(list(Role)[1:])}.")

    def act(tx: Transaction) -> int:
        if tx.one("SELECT 1 FROM account WHERE name = ?", name):
            raise BadInput(f"There is already an account “{name}”.", fix="Choose another name, or change that account.")
        _attest(acting, tx, by, "opened", name, wanted)
        return tx.insert(
            "account",
            {
                "name": name,
                "roles": json.dumps(wanted),
                "password_hash": password_hash,
                "opened_ms": acting.clock.now(),
            },
        )

    return do(acting, act)


def change_roles(acting: Acting, by: Grant | None, name: str, roles: Iterable[Role]) -> Done[None]:
    """Give an account other roles; whoever is signed in with it is signed out.

    Raises:
        BadInput: there is no such account, or no role.
    """
    if by is not None:
        by.require(May.MANAGE_ACCOUNTS)
    wanted = sorted(set(roles))
    if not wanted or Role.PUBLIC in wanted:
        raise BadInput("An account needs at least one role.", fix="Close the account instead.")

    def act(tx: Transaction) -> None:
        account = _open_account_id(tx, name)
        _attest(acting, tx, by, "roles", name, wanted)
        tx.execute("UPDATE account SET roles = ? WHERE id = ?", json.dumps(wanted), account)
        tx.execute("DELETE FROM session WHERE account = ?", account)

    return do(acting, act)


def close_account(acting: Acting, by: Grant | None, name: str) -> Done[None]:
    """Close an account and end its sessions; its name stays taken."""
    if by is not None:
        by.require(May.MANAGE_ACCOUNTS)

    def act(tx: Transaction) -> None:
        account = _open_account_id(tx, name)
        _attest(acting, tx, by, "closed", name, [])
        tx.execute("UPDATE account SET closed_ms = ?, password_hash = '' WHERE id = ?", acting.clock.now(), account)
        tx.execute("DELETE FROM session WHERE account = ?", account)

    return do(acting, act)


def change_password(acting: Acting, by: Grant | None, name: str, password_hash: str) -> Done[None]:
    """Set a new password and end every session of the account. People may do this for themselves."""
    if by is not None:
        by.require(May.KEEP_OWN_ACCOUNT if by.person.name == name else May.MANAGE_ACCOUNTS)

    def act(tx: Transaction) -> None:
        account = _open_account_id(tx, name)
        _attest(acting, tx, by, "password", name, [])
        tx.execute("UPDATE account SET password_hash = ? WHERE id = ?", password_hash, account)
        tx.execute("DELETE FROM session WHERE account = ?", account)

    return do(acting, act)


def person(reader: Reader, account: int) -> Person | None:
    """The person behind an open account."""
    row = reader.one("SELECT * FROM account WHERE id = ? AND closed_ms IS NULL", account)
    if row is None:
        return None
    return Person(int(row["id"]), row["name"], frozenset(Role(role) for role in json.loads(row["roles"])))


def _open_account_id(tx: Transaction, name: str) -> int:
    row = tx.one("SELECT id FROM account WHERE name = ? AND closed_ms IS NULL", name)
    if row is None:
        raise BadInput(f"There is no open account “{name}”.", fix="Check the spelling in the list of accounts.")
    return int(row["id"])


def _attest(acting: Acting, tx: Transaction, by: Grant | None, change: str, name: str, roles: list[Role]) -> None:
    attest(
        acting,
        tx,
        "account_changed",
        by=by,
        under=None,
        clear={"change": change},
        committed={
            "account": name,
            "roles": [role.value for role in roles],
            "by": by.person.name if by else None,
        },
    )
