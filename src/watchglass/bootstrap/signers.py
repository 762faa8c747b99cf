"""What people do on machines of their own: talk to a deployment, sign, make keys, open records; and new places."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Protocol, Self

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from watchglass.bootstrap.house import House
from watchglass.bootstrap.opened import read_openings
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.time import Clock
from watchglass.edge.clock import SystemClock
from watchglass.edge.entropy import SystemEntropy
from watchglass.edge.keys import (
    new_openings_key,
    openings_key_text,
    write_openings_key,
    write_signing_key,
)
from watchglass.edge.portal_client import PortalClient
from watchglass.edge.tiles import open_tiles
from watchglass.ledger import checkpoint as checkpoints
from watchglass.ledger.keys import SignerKey
from watchglass.ledger.tiles import FULL, TileReader, decode_bundle, entries_path, first_here
from watchglass.records.act_spec import Lane
from watchglass.records.leaf import Leaf
from watchglass.records.query import SignedQuery
from watchglass.records.statement import SignedStatement, sign
from watchglass.runtime.layout import Layout, Settings, deployment_of, parse_listen, write_settings

_VIRTUAL_ONLY_FOR: Final = "demo"


class Signee(Protocol):
    """Where a signed act goes: a portal, or a deployment's directory while it does not run."""

    def standing(self) -> dict[str, Any]: ...

    def hand_in(self, statement: SignedStatement, bundle: bytes | None = None) -> dict[str, Any]: ...

    def ask(self, query: SignedQuery) -> dict[str, Any]: ...

    def segment(self, query: SignedQuery, *, limit: int) -> bytes: ...

    @property
    def ledger(self) -> str:
        """Where its ledger is read."""
        ...

    def publish(self, text: bytes, approvals: Sequence[SignedStatement]) -> dict[str, Any]: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...


class _Remote:
    def __init__(self, url: str) -> None:
        self._client = PortalClient(url)
        self.ledger = f"{url.rstrip('/')}/log"

    def standing(self) -> dict[str, Any]:
        return self._client.standing()

    def hand_in(self, statement: SignedStatement, bundle: bytes | None = None) -> dict[str, Any]:
        if bundle is None:
            return self._client.hand_in(statement.encode())
        return self._client.hand_in_with(statement.encode(), bundle)

    def ask(self, query: SignedQuery) -> dict[str, Any]:
        return self._client.ask(query.encode())

    def segment(self, query: SignedQuery, *, limit: int) -> bytes:
        return self._client.segment(query.encode(), limit=limit)

    def publish(self, text: bytes, approvals: Sequence[SignedStatement]) -> dict[str, Any]:
        body = {"text": text.decode("utf-8"), "approvals": [json.loads(part.encode()) for part in approvals]}
        return self._client.publish(json.dumps(body).encode())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


class _Here:
    def __init__(self, root: Path, clock: Clock | None) -> None:
        self._house = House(root, clock=clock)
        self.ledger = str(self._house.layout.ledger)

    def standing(self) -> dict[str, Any]:
        return self._house.describe()

    def hand_in(self, statement: SignedStatement, bundle: bytes | None = None) -> dict[str, Any]:
        answer = self._house.hand_in(statement, bundle)
        self._house.grant_releases()
        self._house.sequencer.tick((Lane.PROMPT,))
        return answer

    def ask(self, query: SignedQuery) -> dict[str, Any]:
        return self._house.ask(query)

    def segment(self, query: SignedQuery, *, limit: int) -> bytes:
        data = self._house.sealed_segment(query)
        assert len(data) <= limit
        return data

    def publish(self, text: bytes, approvals: Sequence[SignedStatement]) -> dict[str, Any]:
        answer = self._house.publish(text, approvals)
        self._house.sequencer.tick((Lane.PROMPT,))
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._house.close()


def connect(where: str, clock: Clock | None = None) -> Signee:
    """A deployment to talk to: by its portal's address, or by its directory while it does not run.

    Args:
        clock: the time in that directory's house, where it is virtual.
    """
    if where.startswith(("http://", "https://")):
        return _Remote(where)
    return _Here(Path(where), clock)


def sign_statement(
    act: str,
    *,
    role: str,
    key: SignerKey,
    origin: str,
    charter: bytes | None,
    clear: Mapping[str, object],
    committed: Mapping[str, object],
    refs: Sequence[bytes] = (),
    virtual_time: int | None = None,
) -> SignedStatement:
    """Sign an act on this machine, now.

    Raises:
        BadInput: a virtual time was asked for outside the demo.
    """
    if virtual_time is not None and deployment_of(origin) != _VIRTUAL_ONLY_FOR:
        raise BadInput("Only the demo has a virtual time.", fix="Sign with the time that it is.")
    return sign(
        act,
        role=role,
        key=key,
        origin=origin,
        now=SystemClock().now() if virtual_time is None else virtual_time,
        entropy=SystemEntropy(),
        charter=charter,
        clear=clear,
        committed=committed,
        refs=refs,
    )


def new_key(file: Path, name: str, kind: Literal["signing", "openings"], passphrase: str | None) -> str:
    """Write a fresh key to ``file``; its public half as the charter writes it."""
    entropy = SystemEntropy()
    if kind == "openings":
        private: X25519PrivateKey = new_openings_key(entropy)
        write_openings_key(file, private, passphrase=passphrase)
        return openings_key_text(private.public_key())
    signer = SignerKey.generate(name, entropy)
    write_signing_key(file, signer, passphrase=passphrase)
    return str(signer.verifier)


def _entries(tiles: TileReader) -> Iterator[tuple[int, bytes]]:
    """Every entry that a log serves, with its number; use ``ledger verify`` to know that they are what was signed."""
    size = _size(tiles)
    for first in range(first_here(tiles, size), size, FULL):
        width = min(FULL, size - first)
        data = tiles.read(entries_path(first // FULL, width))
        if data is None:
            raise DidNotVerify("A part of the ledger is missing.", fix="Run `watchglass ledger verify` on it.")
        for offset, entry in enumerate(decode_bundle(data, width)):
            yield first + offset, entry


def _size(tiles: TileReader) -> int:
    signed = tiles.read("checkpoint")
    if signed is None:
        raise BadInput("There is no checkpoint at this ledger.", fix="Give the ledger's directory or address.")
    return checkpoints.parse(signed).checkpoint.size


def open_bundle(bundle: Path, ledger: str, key: X25519PrivateKey, index: int | None) -> list[dict[str, Any]]:
    """Open the sealed openings in ``bundle`` against the leaves of the ledger that they belong to.

    Raises:
        DidNotVerify: an opening does not match its leaf's commitments.
        BadInput: the entry that was asked for is archived; the archive is such a ledger too.
    """
    opened = read_openings(bundle, key)
    found = []
    tiles = open_tiles(ledger)
    if index is not None and index < (here := first_here(tiles, _size(tiles))):
        raise BadInput(
            f"Entry {index} is not here: the entries before {here} were archived, or lost.",
            fix="Give the archive as the ledger: the ledger's page says who has it.",
        )
    for number, entry in _entries(tiles):
        if index is not None and number != index:
            continue
        leaf = Leaf.parse(entry)
        fields = opened.values(leaf, leaf.hash())
        if fields is None:
            continue
        found.append(
            {
                "index": number,
                "leaf_hash": b64(leaf.hash()),
                "act": leaf.act,
                "hour": leaf.hour,
                "role": leaf.role,
                "actor": leaf.actor,
                "purpose": leaf.purpose,
                "clear": dict(leaf.clear),
                "refs": [b64(ref) for ref in leaf.refs],
                "fields": fields,
            }
        )
    return found


def make_deployment(root: Path, origin: str, listen: str) -> tuple[Layout, str]:
    """Make an empty deployment with a log key of its own.

    Returns:
        Its layout, and the log's verifier key.

    Raises:
        BadInput: there is something at ``root`` already.
    """
    layout = Layout(root)
    if root.exists() and not root.is_dir():
        raise BadInput(f"{root} is a file.", fix="Choose a new directory.")
    if root.exists() and any(root.iterdir()):
        raise BadInput(f"{root} is not empty.", fix="Choose a new directory, or continue there with `watchglass run`.")
    signer = SignerKey.generate(origin, SystemEntropy())
    Settings(origin, *parse_listen(listen))
    layout.make()
    write_signing_key(layout.log_key, signer)
    write_settings(layout, origin, listen)
    return layout, str(signer.verifier)
