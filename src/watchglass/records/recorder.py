"""Makes finished leaves: checks, salts, commitments, the sealed opening, canonical bytes and the hash.

Every act passes here, so the path is written for speed: the JSON of the opening and of the leaf is put together from
parts that are each canonical already, in canonical order. A test holds it to ``canonical.encode`` and ``Leaf``.
"""

from __future__ import annotations

import hashlib
import threading
from binascii import b2a_base64
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Final, NamedTuple

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from watchglass.core import canonical
from watchglass.core.digest import b64
from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, CannotRecord
from watchglass.core.time import HOUR as HOUR_MS
from watchglass.core.time import MINUTE as MINUTE_MS
from watchglass.core.time import Clock, hour_of, minute_of
from watchglass.ledger.merkle import leaf_hash
from watchglass.records import commitment
from watchglass.records.act_spec import ActSpec, Basis
from watchglass.records.fields import ORIGIN, PSEUDONYM, check_members
from watchglass.records.leaf import VERSION, Leaf, check_head, check_refs, check_size
from watchglass.records.opening import DOMAIN as OPENING_DOMAIN
from watchglass.records.opening import NONCE_BYTES, HourlyKey, associated_data, plaintext_of
from watchglass.records.outbox import PreparedLeaf
from watchglass.records.statement import SignedStatement
from watchglass.records.vocabulary import ACTS, check_sense, spec_of

_SALT: Final = commitment.SALT_BYTES
_PREFIX: Final = commitment.PREFIX
_TEXTS: Final = frozenset({str})
_sha256 = hashlib.sha256
_encode = canonical.encode
_encode_text = encode_basestring


class _Field(NamedTuple):
    """What of a committed field is the same each time: its place among the random bytes, and its parts as bytes."""

    name: str
    check: Callable[[object, str], None]
    salt: slice
    committed: bytes
    """What stands between salt and value in the commitment."""
    before_commitment: bytes
    """``"name":"`` and what closes the field before it, in the leaf's commitments."""
    before_salt: bytes
    """The same in the opening: ``"name":{"salt":"``."""


class _Plan(NamedTuple):
    """What of an act's leaf is the same each time."""

    spec: ActSpec
    names: frozenset[str]
    fields: tuple[_Field, ...]
    random_bytes: int


def _plan(spec: ActSpec) -> _Plan:
    fields = tuple(
        _Field(
            name,
            kind.check,
            slice(place * _SALT, (place + 1) * _SALT),
            commitment.name_part(name),
            (b'",' if place else b"") + canonical.encode(name) + b':"',
            (b"}," if place else b'{"fields":{') + canonical.encode(name) + b':{"salt":"',
        )
        for place, (name, kind) in enumerate(spec.committed.items())
    )
    return _Plan(spec, frozenset(spec.committed), fields, len(fields) * _SALT + NONCE_BYTES)


_PLANS: Final[Mapping[str, _Plan]] = {name: _plan(spec) for name, spec in ACTS.items()}


class _Head(NamedTuple):
    """The parts of a leaf that its act, actor, charter, purpose, role and clear fields fix, already checked."""

    to_commitments: bytes
    to_refs: bytes
    to_end: bytes


def _head(
    spec: ActSpec, role: str, actor: str, charter: bytes | None, purpose: str | None, clear: Mapping[str, Any]
) -> _Head:
    check_head(spec, role=role, charter=charter, purpose=purpose)
    PSEUDONYM.check(actor, "actor")
    check_members(clear, spec.clear, f"the clear part of '{spec.name}'")
    check_sense(spec, clear)
    first = {
        "act": spec.name,
        "actor": actor,
        "basis": spec.basis.value,
        "charter": None if charter is None else b64(charter),
        "clear": dict(clear),
    }
    return _Head(
        canonical.encode(first)[:-1] + b',"commitments":{',
        b',"purpose":' + canonical.encode(purpose) + b',"refs":[',
        b'],"role":' + canonical.encode(str(role)) + b',"v":' + canonical.encode(VERSION) + b"}",
    )


@lru_cache(maxsize=512)
def _known_head(
    act: str, role: str, actor: str, charter: bytes | None, purpose: str | None, clear: tuple[tuple[str, str], ...]
) -> _Head:
    """``_head``, remembered: most leaves of an hour differ in their commitments only."""
    return _head(_PLANS[act].spec, role, actor, charter, purpose, dict(clear))


@lru_cache(maxsize=8)
def _hour(number: int) -> str:
    return hour_of(number * HOUR_MS)


@lru_cache(maxsize=8)
def _minute(number: int) -> str:
    return minute_of(number * MINUTE_MS)


class Recorder:
    """Prepares leaves for ``Transaction.record``. Safe to use from many threads.

    Args:
        origin: the log's origin. clock, entropy: from the edge.
        oversight: the openings key of the charter in force; None before there is one.
    """

    def __init__(
        self, *, origin: str, clock: Clock, entropy: Entropy, oversight: X25519PublicKey | None = None
    ) -> None:
        ORIGIN.check(origin, "origin")
        self.origin = origin
        self._clock = clock
        self._entropy = entropy
        self._oversight = oversight
        self._key: HourlyKey | None = None
        self._lock = threading.Lock()
        self._aad = OPENING_DOMAIN + origin.encode() + b"\n"

    def seal_to(self, oversight: X25519PublicKey) -> None:
        """From now on, seal openings to this key: the one of the charter that is being published or in force."""
        with self._lock:
            self._oversight = oversight
            self._key = None

    def attested(
        self,
        act: str,
        *,
        role: str,
        actor: str = "house",
        charter: bytes | None,
        purpose: str | None = None,
        clear: Mapping[str, Any] | None = None,
        committed: Mapping[str, Any] | None = None,
        refs: Sequence[bytes] = (),
    ) -> PreparedLeaf:
        """A leaf that the server attests. The minute is filled in from the clock where the act commits to it.

        Args:
            act: its name in the vocabulary.
            role: in which the actor acts; purpose: the analytic's, where the act has one.
            clear: the fields that everyone can read.
            committed: the fields that only openings show.
            refs: leaf hashes of the acts that this one refers to.
            actor: ``house``, or the person's pseudonym of this month.
            charter: SHA-256 of the charter in force.

        Raises:
            BadInput: a field is not as the vocabulary says.
            CannotRecord: there is nobody to seal the opening to.
        """
        plan = _PLANS.get(act) or _plan(spec_of(act))
        spec = plan.spec
        if spec.basis is not Basis.ATTESTED:
            raise BadInput(f"The server cannot attest '{act}': its actor signs it.", fix="Use a signed statement.")
        clear = clear if clear is not None else {}
        if _TEXTS.issuperset(map(type, clear.values())):
            head = _known_head(act, role, actor, charter, purpose, tuple(clear.items()))
        else:
            head = _head(spec, role, actor, charter, purpose, clear)
        named = b""
        if refs or spec.refs_to:
            check_refs(spec, refs)
            named = b",".join([b'"%b"' % b2a_base64(ref, newline=False) for ref in refs])
        now = self._clock.now()
        hour = _hour(now // HOUR_MS)
        values = dict(committed) if committed is not None else {}
        if spec.timed and "minute" not in values:
            values["minute"] = _minute(now // MINUTE_MS)
        if values.keys() != plan.names:
            check_members(values, spec.committed, f"the committed part of '{act}'")
        shown, opening, sealed, wrapped, plaintext = b"", b"", None, None, None
        if plan.fields:
            key = self._key_for(hour)
            wrapped = key.wrapped
            shown, sealed, plaintext = self._seal(plan, values, key)
            opening = b',"opening":"%b"' % b2a_base64(_sha256(sealed).digest(), newline=False)
        data = b'%b%b},"hour":"%b"%b%b%b%b' % (
            head.to_commitments, shown, hour.encode(), opening, head.to_refs, named, head.to_end
        )  # fmt: skip
        check_size(data)
        digest = _sha256(b"\x00" + data).digest()
        return PreparedLeaf(data, digest, act, spec.lane, clear.get("analytic"), hour, sealed, wrapped, plaintext)

    def _seal(self, plan: _Plan, values: Mapping[str, Any], key: HourlyKey) -> tuple[bytes, bytes, bytes]:
        """The canonical commitments without their braces, the sealed opening, and what is sealed in it."""
        random = self._entropy.bytes(plan.random_bytes)
        commitments: list[bytes] = []
        openings: list[bytes] = []
        for name, check, place, committed, before_commitment, before_salt in plan.fields:
            value = values[name]
            check(value, name)
            try:
                text = _encode_text(value).encode() if type(value) is str else _encode(value)
            except UnicodeEncodeError:
                text = _encode(value)  # which says what is wrong with it
            salt = random[place]
            digest = _sha256(_PREFIX + salt + committed + text).digest()
            commitments += (before_commitment, b2a_base64(digest, newline=False))
            openings += (before_salt, b2a_base64(salt, newline=False), b'","value":', text)
        commitments.append(b'"')
        openings.append(b"}}}")
        shown = b"".join(commitments)
        plaintext = b"".join(openings)
        sealed = key.seal(plaintext, nonce=random[-NONCE_BYTES:], aad=b"%b{%b}" % (self._aad, shown))
        return shown, sealed, plaintext

    def signed(self, statement: SignedStatement) -> PreparedLeaf:
        """The leaf of a statement that its caller has verified, with its opening sealed to oversight.

        Raises:
            BadInput: the statement is for another log.
            CannotRecord: there is nobody to seal the opening to.
        """
        if statement.origin != self.origin:
            raise BadInput(
                f"This statement is for the log {statement.origin}, not for {self.origin}.", fix="Sign it for this log."
            )
        bare = statement.leaf
        sealed, key, opening = None, None, None
        if bare.commitments:
            key = self._key_for(_hour(self._clock.now() // HOUR_MS))
            shown = canonical.encode(bare.body()["commitments"])
            sealed = key.seal(
                plaintext_of(statement.opened),
                nonce=self._entropy.bytes(NONCE_BYTES),
                aad=associated_data(self.origin, shown),
            )
            opening = _sha256(sealed).digest()
        leaf = Leaf(
            act=bare.act,
            charter=bare.charter,
            purpose=bare.purpose,
            role=bare.role,
            actor=bare.actor,
            hour=bare.hour,
            refs=bare.refs,
            clear=bare.clear,
            commitments=bare.commitments,
            opening=opening,
            signature=bare.signature,
        )
        data = leaf.encode()
        wrapped = key.wrapped if key else None
        return PreparedLeaf(
            data, leaf_hash(data), leaf.act, leaf.spec.lane, leaf.clear.get("analytic"), leaf.hour, sealed, wrapped
        )

    def _key_for(self, hour: str) -> HourlyKey:
        """The key of ``hour``: a fresh one when the hour changes; the old one is forgotten."""
        key = self._key
        if key is not None and key.wrapped.hour == hour:
            return key
        with self._lock:
            key = self._key
            if key is None or key.wrapped.hour != hour:
                if self._oversight is None:
                    raise CannotRecord(
                        "There is no charter yet, and so no key of oversight to seal this record's details to.",
                        fix="Publish a charter whose oversight has an openings_key, then do this again.",
                    )
                key = HourlyKey.fresh(origin=self.origin, hour=hour, oversight=self._oversight, entropy=self._entropy)
                self._key = key
        return key
