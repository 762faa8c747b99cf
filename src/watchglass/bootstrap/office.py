"""A signer at their own machine: their keys, their trust file, and a portal whose word is not taken for anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from watchglass.bootstrap.copies import Copies
from watchglass.bootstrap.keyring import Keyring
from watchglass.bootstrap.signers import Signee, connect
from watchglass.bootstrap.told import obj, rows
from watchglass.bootstrap.witnessed import Entry, Witnessed, look
from watchglass.charter.model import Charter
from watchglass.core import canonical
from watchglass.core.digest import b64, sha256, unb64
from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, DidNotVerify, Refused
from watchglass.core.time import Clock, iso
from watchglass.edge.clock import SystemClock, VirtualClock
from watchglass.edge.entropy import SystemEntropy
from watchglass.edge.tiles import HttpTiles, open_tiles
from watchglass.edge.trust import keeping_evidence, load_trust
from watchglass.ledger import receipt as receipts
from watchglass.ledger.keys import VerifierKey
from watchglass.ledger.merkle import leaf_hash
from watchglass.ledger.policy import Deployment
from watchglass.ledger.tiles import TileReader
from watchglass.ledger.verify import verify_log
from watchglass.records.leaf import Leaf
from watchglass.records.query import ask
from watchglass.records.statement import SignedStatement, sign

LOG_COPIES: Final = "log"
"""The folder beside the keys in which the log's full tiles and bundles are kept."""
_HASH: Final = 32


def copies_of(keys: Path, origin: str) -> Path:
    """Where a signer's folder of keys has its copies of a log."""
    return keys / LOG_COPIES / sha256(origin.encode())[:8].hex()


def adopt(archive: str, keys: Path, trust_file: Path) -> dict[str, Any]:
    """Take the entries of an archive over into a signer's copies, so that their machine can read the whole log again.

    Args:
        archive: the archive's folder or address. keys: the signer's folder of keys.

    Raises:
        DidNotVerify: it is not an archive of the log that the trust file names, or is damaged.
        BadInput: there is none. CannotRecord: the folder cannot be written.
    """
    if not keys.is_dir():
        raise BadInput(f"There is no folder {keys}.", fix="Give the folder that your keys are in.")
    trust = load_trust(trust_file)
    with closing(open_tiles(archive)) as tiles:
        with keeping_evidence(trust):
            verified = verify_log(tiles, trust.policy, archived=True)
        checkpoint = verified.checkpoint
        count = Copies(tiles, copies_of(keys, checkpoint.origin)).adopt(tiles, checkpoint.size)
    return {
        "origin": checkpoint.origin,
        "size": checkpoint.size,
        "from_entry": verified.unread,
        "bundles": count,
        "keys": str(keys),
    }


@dataclass(frozen=True, slots=True)
class Sight:
    """What a signer relies on when they decide: the log, and the charter that it shows to be in force."""

    log: Witnessed
    charter: Charter
    now: int

    @property
    def oversight(self) -> VerifierKey:
        """Oversight's key by that charter."""
        return VerifierKey.parse(self.charter.oversight.key)

    @property
    def custodians(self) -> dict[str, VerifierKey]:
        """The identity keys of that charter's custodians by name."""
        return {each.name: VerifierKey.parse(each.key) for each in self.charter.safeguards.custodians}

    def published(self) -> dict[tuple[str, str], Entry]:
        """The records of custodians' keys, by custodian and month: the first that each signed for that month."""
        return self._of_custodians("sealing_key_published")

    def destroyed(self) -> dict[tuple[str, str], Entry]:
        """The records of custodians' keys that are gone, by custodian and month."""
        return self._of_custodians("period_destroyed")

    def is_enrolled(self, key: VerifierKey, role: str, month: str) -> bool:
        """Whether oversight enrolled a key for that role and month."""
        try:
            self.log.enrolment(key, role=role, month=month)
        except DidNotVerify:
            return False
        return True

    def lifted(self) -> set[bytes]:
        """The leaf hashes of the orders to hold that whoever could has lifted."""
        found = set[bytes]()
        for entry in self.log.of("hold_lifted"):
            with suppress(DidNotVerify):  # somebody else's signature lifts nothing
                self.log.check_signer(entry)
                found.update(entry.leaf.refs)
        return found

    def _of_custodians(self, act: str) -> dict[tuple[str, str], Entry]:
        """The records of an act that who was this custodian then did sign; the first for each custodian and month."""
        found: dict[tuple[str, str], Entry] = {}
        for entry in self.log.of(act):
            name, period = str(entry.leaf.clear["custodian"]), str(entry.leaf.clear["period"])
            if (name, period) not in found:
                with suppress(DidNotVerify):
                    self.log.check_signer(entry, name)
                    found[name, period] = entry
        return found

    def as_json(self) -> dict[str, Any]:
        """What it rests on, for people and programs."""
        return {
            "ledger": self.log.as_json(),
            "charter": {
                "name": self.charter.charter,
                "version": self.charter.version,
                "sha256": self.charter.digest,
                "until": self.charter.in_force.until.isoformat(),
            },
        }


class Office:
    """Where somebody signs. Use it as a context manager.

    Args:
        where: the portal's address, or the deployment's directory while it does not run.
        keys: the signer's folder of keys.
        trust: their trust file; it names the log, so the portal cannot.
        virtual_time: the time to sign with; only in a demo.
    """

    def __init__(
        self,
        where: str,
        keys: Keyring,
        trust: Path,
        *,
        clock: Clock | None = None,
        entropy: Entropy | None = None,
        virtual_time: int | None = None,
    ) -> None:
        policy = load_trust(trust).policy
        if virtual_time is not None and policy.deployment is not Deployment.DEMO:
            raise BadInput("Only the demo has a virtual time.", fix="Sign with the time that it is.")
        virtual = None if virtual_time is None else VirtualClock(virtual_time)
        self.clock: Clock = virtual or clock or SystemClock()
        self.entropy: Entropy = entropy or SystemEntropy()
        self.keys = keys
        self.trust = trust
        self.portal: Signee = connect(where, virtual or clock)
        self._tiles = open_tiles(self.portal.ledger)
        self._log: TileReader = self._tiles
        try:
            self.standing = self.portal.standing()
            self.origin = str(self.standing.get("origin"))
            if self.origin not in {log.origin for log in policy.logs}:
                raise DidNotVerify(
                    f"The portal is of the log {self.origin}; {trust} names "
                    f"{', '.join(log.origin for log in policy.logs)}.",
                    fix="Give the trust file of this deployment, from oversight; not from the portal.",
                    field="origin",
                )
        except BaseException:
            self.close()
            raise
        if isinstance(self._tiles, HttpTiles):
            self._log = Copies(self._tiles, copies_of(keys.folder, self.origin))

    def close(self) -> None:
        """Let go of the portal."""
        self._tiles.close()
        self.portal.__exit__(None, None, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self.close()

    def look(self) -> Sight:
        """Read the log, and compare what the portal shows with it.

        Raises:
            DidNotVerify: the log is not accepted, or the portal shows another charter, custodian or key than the log.
        """
        now = self.clock.now()
        log = look(self.trust, self._log, now)
        if log.checkpoint.origin != self.origin:
            raise DidNotVerify(
                f"The ledger at {self.portal.ledger} is of {log.checkpoint.origin}, the portal of {self.origin}.",
                fix="Check the address; if it is right, do nothing and tell oversight.",
                field="origin",
            )
        sight = Sight(log, log.charter(now), now)
        self._compare(sight)
        return sight

    def ask(self, what: str, about: str = "") -> dict[str, Any]:
        """What the portal answers to a question that is signed with the identity key. Nothing in it is verified."""
        return self.portal.ask(
            ask(what, about=about, key=self.keys.identity(), origin=self.origin, now=self.clock.now())
        )

    def segment(self, request: str, segment: str, *, limit: int) -> bytes:
        """The bytes of a sealed segment of a release, as the portal gives them."""
        about = f"{request}/{segment}"
        query = ask("segment", about=about, key=self.keys.identity(), origin=self.origin, now=self.clock.now())
        return self.portal.segment(query, limit=limit)

    def sign(
        self,
        act: str,
        role: str,
        *,
        under: Charter | bytes | None,
        purpose: str | None = None,
        clear: Mapping[str, Any] | None = None,
        committed: Mapping[str, Any] | None = None,
        refs: Sequence[bytes] = (),
    ) -> SignedStatement:
        """Sign an act with the identity key, now.

        Args:
            under: the charter that the log shows, or the hash of one; None for what approves one.
        """
        return sign(
            act,
            role=role,
            key=self.keys.identity(),
            origin=self.origin,
            now=self.clock.now(),
            entropy=self.entropy,
            charter=under.sha256 if isinstance(under, Charter) else under,
            purpose=purpose,
            clear=clear,
            committed=committed,
            refs=refs,
        )

    def hand_in(self, statement: SignedStatement, bundle: bytes | None = None) -> dict[str, Any]:
        """Hand in what was signed; the receipt is checked against the log's key in the trust file.

        Returns:
            ``act``, ``leaf_hash``, ``recorded_by`` (until when it must show in the ledger) and the ``receipt``.

        Raises:
            DidNotVerify: what the portal says that it recorded is not what was signed, or the receipt is not the log's.
        """
        return self._recorded(statement, self.portal.hand_in(statement, bundle))

    def hand_in_kept(
        self, name: str, statement: SignedStatement, *, undo: Callable[[], None] = lambda: None
    ) -> dict[str, Any]:
        """Keep what was signed on this machine, then hand it in; what was refused is not kept.

        Args:
            undo: called too where it was refused. After anything else nobody here knows whether it was recorded.
        """
        self.keys.keep(name, statement.encode())
        try:
            answer = self.portal.hand_in(statement)
        except (Refused, BadInput):
            self.keys.forget(name)
            undo()
            raise
        return self._recorded(statement, answer)

    def _recorded(self, statement: SignedStatement, answer: Mapping[str, Any]) -> dict[str, Any]:
        done = self.receipt_of(statement, answer)
        if answer.get("leaf") is None:  # it is in the log already, so that is where it must be
            self.look().log.record_of(statement, unb64(done["leaf_hash"], length=_HASH), "what was handed in")
        return done

    def receipt_of(self, statement: SignedStatement, answer: Mapping[str, Any]) -> dict[str, Any]:
        """What ``hand_in`` returns, out of what the portal answered to it.

        Raises:
            DidNotVerify: as ``hand_in``.
        """
        hashed = unb64(str(answer.get("leaf_hash")), length=_HASH)
        if answer.get("leaf") is not None:
            data = str(answer["leaf"]).encode()
            leaf = Leaf.parse(data)
            signed = (leaf.body(), leaf.signature) == (statement.leaf.body(), statement.leaf.signature)
            if leaf_hash(data) != hashed or not signed:
                raise _not_recorded("it recorded another act than the one that was signed")
        receipt = receipts.parse(canonical.encode(answer.get("receipt")))
        keys = [log.key for log in load_trust(self.trust).policy.logs if log.origin == self.origin]
        if receipt.key not in keys:
            raise _not_recorded("its receipt is signed with another key than the log's")
        receipts.check(receipt, hashed, receipt.key)
        return {
            "act": statement.leaf.act,
            "leaf_hash": b64(hashed),
            "recorded_by": iso(receipt.merge_by_ms),
            "receipt": receipt.as_json(),
        }

    def number(self) -> str:
        """A fresh id: 16 hex digits."""
        return self.entropy.bytes(8).hex()

    def _compare(self, sight: Sight) -> None:
        """Compare what the portal says of charter and custodians with the charter in the log."""
        shown = self.portal.standing()
        charter = obj(shown.get("charter"))
        if charter.get("sha256") != sight.charter.digest:
            raise DidNotVerify(
                f"The portal shows another charter (version {charter.get('version')}, {charter.get('sha256')}) than "
                "the one that the log proves to be in force "
                f"(version {sight.charter.version}, {sight.charter.digest}).",
                fix="If one was just published, look again in a minute. If it stays so, do nothing and tell oversight.",
                field="charter",
            )
        guard = obj(shown.get("guard"))
        pinned = {each.name: each.key for each in sight.charter.safeguards.custodians}
        told = obj(guard.get("custodians"))
        for name in sorted(pinned.keys() | told.keys()):
            if pinned.get(name) != told.get(name):
                raise DidNotVerify(
                    f"The portal shows another key for the custodian {name} ({told.get(name, 'none')}) than the "
                    f"charter in the log pins ({pinned.get(name, 'none')}).",
                    fix="Do nothing that this portal asks for; tell oversight and this custodian.",
                    field="custodians",
                    custodian=name,
                )
        self._compare_published(sight, guard)

    def _compare_published(self, sight: Sight, guard: Mapping[str, Any]) -> None:
        """A month's key that the portal shows as published is the one that the log shows, where it shows it already."""
        published = {pair: entry.leaf.clear["key"] for pair, entry in sight.published().items()}
        for row in rows(guard, "sealing_keys"):
            recorded = published.get((str(row.get("custodian")), str(row.get("period"))))
            if recorded is not None and recorded != row.get("key"):
                raise DidNotVerify(
                    f"The portal shows another sealing key of {row.get('custodian')} for {row.get('period')} than the "
                    "one in the log.",
                    fix="Do nothing that this portal asks for; tell oversight and this custodian.",
                    field="sealing_keys",
                    custodian=str(row.get("custodian")),
                )


def _not_recorded(what: str) -> DidNotVerify:
    return DidNotVerify(
        f"The portal took it, but {what}.",
        fix="Run `watchglass ledger verify` on the ledger, keep the answer as evidence, and tell oversight.",
        field="receipt",
    )
