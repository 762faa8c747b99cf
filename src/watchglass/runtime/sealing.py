"""Seals what is recorded, in a background thread of the worker: remuxed in memory, sealed in memory, then handed over.

The worker holds public keys only, and seals only to keys that a custodian's own identity key has signed: it checks the
signatures itself, against the identity keys that the charter pins. What it has sealed it cannot open again.
"""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from watchglass.core.entropy import Entropy
from watchglass.core.errors import BadInput, WatchglassError
from watchglass.core.time import DAY, month_of
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
_MOST_OCTETS: Final = 256 * 1024 * 1024
"""So many pieces, and so many bytes of them, wait to be sealed; what comes then is lost, and counted."""
_AHEAD_MS: Final = 3 * DAY
_WORD_S: Final = 2.0
_CHECK: Final = "Check what the camera sends; let it send what it did when the charter's areas were drawn."


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


def tape_of(footage: Footage | None, source: SourceSpec, drawn_on: tuple[int, int] | None) -> Tape:
    """What a stream's packets are.

    Args:
        drawn_on: the (width, height) of the picture on which ``never_see`` was drawn.

    Raises:
        BadInput: it is not known what they are; or the picture is another than the one on which ``never_see`` was
            drawn, so that nobody knows which part of it must be black.
    """
    if footage is None or footage.size is None or footage.coded is None:
        raise BadInput("originals are not kept: it is not known what the camera sends", fix=_CHECK)
    if source.never_see and footage.size != drawn_on:
        wide, high = footage.size
        raise BadInput(
            f"originals are not kept: the recorded picture is {wide}x{high}, and its `never_see` areas were drawn on "
            "another",
            fix=_CHECK,
        )
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
        self._changed = threading.Condition()
        self._waiting = self._octets = 0
        self._trouble: dict[str, str] = {}
        self._unready: dict[str, str] = {}
        self._looked: dict[str, tuple[tuple[bytes, ...], str, str]] = {}
        self._dropped: Counter[str] = Counter()
        self.ahead: dict[str, str] = {}

    @property
    def trouble(self) -> Mapping[str, str]:
        """Why originals of a source are not kept at present; nothing where they are."""
        with self._changed:
            return {**self._trouble, **self._unready}

    @property
    def dropped(self) -> int:
        """How many pieces are lost."""
        with self._changed:
            return self._dropped.total()

    def dropped_of(self, source: str) -> int:
        """How many pieces of one source are lost."""
        with self._changed:
            return self._dropped[source]

    def use_keys(self, statements: tuple[bytes, ...]) -> None:
        """Seal to the keys in these statements from now on."""
        self._statements = statements

    def look(self, source: str, spec: SealingSpec, now_ms: int) -> None:
        """See whether anything could be sealed now, before there is anything to seal; and in three days.

        ``trouble`` says so where it could not, and ``ahead`` where it could not from the next month on. Cheap while
        nothing changes.
        """
        month, soon = month_of(now_ms), month_of(now_ms + _AHEAD_MS)
        seen = (self._in_use(spec), month, soon)
        if self._looked.get(source) == seen:
            return
        self._looked[source] = seen
        why, later = _against(spec, seen[0], month), _against(spec, seen[0], soon) if soon != month else ""
        with self._changed:
            self._unready.pop(source, None)
            self.ahead.pop(source, None)
            if why:
                log.error("No originals of %s can be kept: %s", source, why)
                self._unready[source] = why
            elif later:
                self.ahead[source] = f"from {soon} on: {later}"

    def take(self, kept: Kept, tape: Tape, spec: SealingSpec) -> None:
        """Seal this when those before it are; if too many wait, it is lost, and counted."""
        octets = sum(packet.size for packet in kept.packets)
        with self._changed:
            full = self._waiting >= _MOST_WAITING or (self._waiting and self._octets + octets > _MOST_OCTETS)
            if not full:
                self._waiting += 1
                self._octets += octets
        if full:
            self.give_up(kept, "originals are lost: more is recorded than can be sealed")
        else:
            self._pool.submit(self._work, kept, tape, spec, octets)

    def give_up(self, kept: Kept, why: str, fix: str = "") -> None:
        """Lose this, count it, and say why."""
        with self._changed:
            self._dropped[kept.source] += 1
            told, self._trouble[kept.source] = self._trouble.get(kept.source), why
        if told != why:
            log.error("A piece of %s is not kept: %s %s", kept.source, why, fix)

    def finish(self, while_waiting: Callable[[], None] = lambda: None) -> None:
        """Wait for what was taken, then end.

        Args:
            while_waiting: called every two seconds: encoding anew may take longer than anybody waits for a word.
        """
        while not self._settled():
            while_waiting()
        self._pool.shutdown(wait=True)

    def _settled(self) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting, _WORD_S)

    def abandon(self) -> None:
        """End without sealing what still waits."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _work(self, kept: Kept, tape: Tape, spec: SealingSpec, octets: int) -> None:
        try:
            self._deliver(self._sealed(kept, tape, spec))
            with self._changed:
                self._trouble.pop(kept.source, None)
        except WatchglassError as error:
            self.give_up(kept, error.message, error.fix)
        except Exception as error:  # the thread goes on with what follows
            self.give_up(kept, f"originals are not kept: {type(error).__name__}")
            log.exception("A piece of %s is not kept, because of a fault in Watchglass.", kept.source)
        finally:
            with self._changed:
                self._waiting -= 1
                self._octets -= octets
                self._changed.notify_all()

    def _in_use(self, spec: SealingSpec) -> tuple[bytes, ...]:
        return spec.statements if self._statements is None else self._statements

    def _sealed(self, kept: Kept, tape: Tape, spec: SealingSpec) -> Sealed:
        keys = keys_of(spec, self._in_use(spec), month_of(kept.from_ms))
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


def _against(spec: SealingSpec, statements: Sequence[bytes], period: str) -> str:
    """Why nothing can be sealed to a month's keys; empty where it can."""
    try:
        subsets_of(spec, keys_of(spec, statements, period))
    except WatchglassError as error:
        return error.message
    return ""
