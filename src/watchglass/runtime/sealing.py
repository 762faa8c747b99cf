"""Seals what is recorded, in a background thread of the worker: remuxed in memory, sealed in memory, then handed over.

The worker holds public keys only, and seals only to keys that a custodian's own identity key has signed: it checks the
signatures itself, against the identity keys that the charter pins. What it has sealed it cannot open again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from watchglass.core.entropy import Entropy
from watchglass.core.errors import WatchglassError
from watchglass.core.time import month_of
from watchglass.edge.footage import Footage
from watchglass.edge.fragments import Coded, encode_anew, remux
from watchglass.evidence.envelope import seal
from watchglass.evidence.header import Context
from watchglass.evidence.keys import sealable, sealing_keys
from watchglass.evidence.shares import SealingKeys
from watchglass.evidence.subsets import Subsets, permitted_subsets
from watchglass.ledger.keys import VerifierKey
from watchglass.perception.messages import Sealed, SealingSpec, SourceSpec
from watchglass.perception.ports import Decoder
from watchglass.perception.recording import Kept
from watchglass.records.statement import SignedStatement

log = logging.getLogger(__name__)

_MOST_WAITING: Final = 32
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Tape:
    """What the packets of a source are.

    Attributes:
        coded: the stream's parameters. decoder: makes a decoder whose pictures hide what must never be seen.
        fps: pictures a second. size: (width, height).
        burn: parts of the picture must never be seen, so what is kept is encoded anew without them.
    """

    coded: Coded
    decoder: Callable[[], Decoder]
    fps: float
    size: tuple[int, int]
    burn: bool


def tape_of(footage: Footage | None, source: SourceSpec) -> Tape | None:
    """What a stream's packets are; None while it is not known."""
    if footage is None or footage.size is None or footage.coded is None:
        return None
    return Tape(footage.coded, footage.decoder, footage.fps, footage.size, burn=bool(source.never_see))


def keys_of(spec: SealingSpec, statements: Sequence[bytes], period: str) -> SealingKeys:
    """The custodians' keys of a month, as far as they published any.

    Raises:
        DidNotVerify: a statement is forged: by another key, for another log, or changed.
    """
    identities = {name: VerifierKey.parse(vkey) for name, vkey in spec.custodians}
    published = [SignedStatement.parse(data) for data in statements]
    of_month = [each for each in published if each.leaf.clear.get("period") == period]
    return sealing_keys(of_month, origin=spec.origin, custodians=identities, period=period)


def subsets_of(spec: SealingSpec, keys: SealingKeys) -> Subsets:
    """The permitted sets of custodians all of whom have a key; without one there is nobody to seal to.

    Raises:
        BadInput: there is none.
    """
    return sealable(permitted_subsets([name for name, _ in spec.custodians], spec.k, spec.one_of), keys)


class Sealer:
    """Works through what is kept, in order. What it cannot seal is not kept, and ``trouble`` says why.

    Args:
        deliver: called in the background thread with each segment that is sealed.
    """

    def __init__(self, deliver: Callable[[Sealed], None], entropy: Entropy) -> None:
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="sealing")
        self._deliver = deliver
        self._entropy = entropy
        self._memory = bytearray()  # of the one thread; what is sealed into it is copied before the next
        self._statements: tuple[bytes, ...] | None = None
        self._waiting = 0
        self._trouble: dict[str, str] = {}
        self.dropped = 0

    @property
    def trouble(self) -> Mapping[str, str]:
        """Why originals of a source are not kept at present; nothing where they are."""
        return self._trouble

    def use_keys(self, statements: tuple[bytes, ...]) -> None:
        """Seal to the keys in these statements from now on."""
        self._statements = statements

    def take(self, kept: Kept, tape: Tape, spec: SealingSpec) -> None:
        """Seal this when those before it are; if too many wait, it is lost, and counted."""
        if self._waiting >= _MOST_WAITING:
            self.dropped += 1
            self._trouble[kept.source] = "originals are lost: more is recorded than can be sealed"
            return
        self._waiting += 1
        self._pool.submit(self._work, kept, tape, spec)

    def finish(self) -> None:
        """Wait for what was taken, then end."""
        self._pool.shutdown(wait=True)

    def abandon(self) -> None:
        """End without sealing what still waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _work(self, kept: Kept, tape: Tape, spec: SealingSpec) -> None:
        try:
            self._deliver(self._sealed(kept, tape, spec))
            self._trouble.pop(kept.source, None)
        except WatchglassError as error:
            self.dropped += 1
            if self._trouble.get(kept.source) != error.message:
                log.error("A piece of %s is not kept: %s %s", kept.source, error.message, error.fix)
            self._trouble[kept.source] = error.message
        except Exception as error:  # the thread goes on with what follows
            self.dropped += 1
            self._trouble[kept.source] = f"originals are not kept: {type(error).__name__}"
            log.exception("A piece of %s is not kept, because of a fault in Watchglass.", kept.source)
        finally:
            self._waiting -= 1

    def _sealed(self, kept: Kept, tape: Tape, spec: SealingSpec) -> Sealed:
        statements = spec.statements if self._statements is None else self._statements
        keys = keys_of(spec, statements, month_of(kept.from_ms))
        subsets = subsets_of(spec, keys)
        if tape.burn or not tape.coded.carried:
            mp4 = encode_anew(kept.packets, tape.decoder(), tape.fps, tape.size)
        else:
            mp4 = remux(kept.packets, tape.coded)
        context = Context(
            origin=spec.origin,
            source=kept.source,
            segment=self._entropy.bytes(8).hex(),
            from_ms=kept.from_ms,
            to_ms=kept.to_ms,
            charter=spec.charter,
            purpose=kept.purpose,
            retention="sealed",
            period=keys.period,
            keep_until_ms=kept.to_ms + spec.keep_ms,
        )
        glass = X25519PublicKey.from_public_bytes(spec.break_glass) if spec.break_glass else None
        made = seal(mp4, context, keys, subsets, self._entropy, break_glass=glass, into=self._memory)
        return Sealed(
            source=kept.source,
            segment=context.segment,
            analytic=kept.analytic,
            incident=kept.incident,
            from_ms=kept.from_ms,
            to_ms=kept.to_ms,
            data=bytes(made.data),
            sha256=made.sha256,
        )
