"""What sealing costs: bytes a second on one core, and against decoding. Read by ``watchglass bench seal``.

A seal here is everything that happens to a segment between its packets and the object that is written: fresh key and
shares, a hash of each share, a wrap for each custodian, header, AES-256-GCM in chunks, and the SHA-256 of the object
that its record commits to. Memory for it is used again and again; writing it is not in it. Everything is CPU time (user
and system) of one thread, so that other programs on the machine disturb it less.

The bare ciphers are measured in the same run: AES-256-GCM alone, into a buffer that is there already, in chunks of the
same size; SHA-256 alone. Sealing does both, one after the other, so it cannot be faster than both together.

``seal_overhead_ratio`` takes the packets of the stream that ``bench perception`` calls quiet (CBR, 4 Mbit/s, 1080p25)
in segments of ten seconds: CPU of putting them into fragmented MP4 and sealing that, divided by CPU of decoding the
same stream on one thread. Demultiplexing is in decoding only, for whoever watches a camera has done it already.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from canvas import file_hash
from measures import Figure, figure
from perception import DECODE, _measure
from streams import Recipe, stream
from watchglass.core.time import HOUR, SECOND, month_of
from watchglass.edge.entropy import SystemEntropy
from watchglass.edge.fragments import encode_anew, remux
from watchglass.edge.video import VideoFile
from watchglass.evidence.envelope import Opener, Sealed, seal
from watchglass.evidence.header import CHUNK, TAG_BYTES, Context, Octets
from watchglass.evidence.shares import SealingKeys, recover, unwrap_shares
from watchglass.evidence.subsets import Subsets, permitted_subsets
from watchglass.perception.ports import Packet

Progress = Callable[[str], None]

PARTS = ("rate", "rules", "overhead")
SEGMENT_BYTES = 5_000_000
"""Ten seconds at 4 Mbit/s."""
SEGMENT_MS = 10 * SECOND
BEGIN = 1_795_435_200_000
TARGET_RATE, TARGET_OVERHEAD = 1.0, 0.01
OVERHEAD_S = 60
ROUNDS = 7


@dataclass(frozen=True)
class Rule:
    """A charter's rule of release, with keys made for it."""

    name: str
    words: str
    subsets: Subsets
    private: dict[str, X25519PrivateKey]
    keys: SealingKeys

    @classmethod
    def of(cls, n: int, k: int, one_of: int = 0) -> Rule:
        """``k`` of ``n`` custodians, at least one of the first ``one_of`` of them."""
        names = [f"custodian-{number}" for number in range(1, n + 1)]
        private = {name: X25519PrivateKey.generate() for name in names}
        keys = SealingKeys(month_of(BEGIN), {name: key.public_key() for name, key in private.items()})
        subsets = permitted_subsets(names, k, names[:one_of])
        words = f"{k} of {n}" + (f", one of {one_of} named" if one_of else "")
        return cls(f"{k}of{n}" + ("_one_of" if one_of else ""), words, subsets, private, keys)

    @property
    def shares(self) -> int:
        return sum(map(len, self.subsets))

    def seal(self, plaintext: Octets | Sequence[Octets], number: int = 0) -> Sealed:
        begin = BEGIN + number * SEGMENT_MS
        context = Context(
            origin="demo.benchmark.example/log",
            source="steps-cam",
            segment=f"{number:016x}",
            from_ms=begin,
            to_ms=begin + SEGMENT_MS,
            charter=bytes(32),
            purpose="restricted-area",
            retention="sealed",
            period=month_of(begin),
            keep_until_ms=begin + SEGMENT_MS + 72 * HOUR,
        )
        return seal(plaintext, context, self.keys, self.subsets, ENTROPY, into=MEMORY)

    def open(self, sealed: Sealed) -> bytes:
        who = self.subsets[0]
        shares = [unwrap_shares(sealed.header, name, self.private[name]) for name in who]
        return Opener(sealed.header, recover(sealed.header, shares)).all(sealed.data)


ENTROPY = SystemEntropy()
MEMORY = bytearray(SEGMENT_BYTES * 3 // 2)
"""Where each segment is sealed, one after the other: see ``seal``."""


def costs(work: Callable[[], object], *, quick: bool) -> list[float]:
    """CPU seconds of ``work``, once for each of so many rounds; each round is the mean of several."""
    work()
    times = 3 if quick else 20
    found = []
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(times):
            work()
        found.append((time.process_time() - began) / times)
    return found


def rate(
    name: str, seconds: Sequence[float], size: int, *, quick: bool, target: float | None = None, note: str = ""
) -> Figure:
    """Bytes a second of one core, as gigabytes: the median round, and the slowest and fastest."""
    rates = sorted(size / each / 1e9 for each in seconds)
    said = f"one core, CPU time; {len(seconds)} rounds of {3 if quick else 20}"
    return figure(
        name,
        statistics.median(rates),
        target,
        better="higher",
        unit="GB/s",
        interval=(rates[0], rates[-1]),
        n=len(rates),
        note=f"{note}; {said}" if note else said,
    )


def pieces_of(data: bytes, count: int) -> list[bytes]:
    """``data`` as a camera's packets come: one large in every fifty, which is a keyframe, and small ones."""
    weights = [20 if number % 50 == 0 else 1 for number in range(count)]
    whole, at, found = sum(weights), 0, []
    for number in range(count):
        end = len(data) * sum(weights[: number + 1]) // whole
        found.append(data[at:end])
        at = end
    return found


def _rates(*, quick: bool, progress: Progress) -> list[Figure]:
    """A segment of 5 MB: sealed whole, from packets, opened; and the ciphers alone."""
    progress("sealing segments of 5 MB")
    data, rule = os.urandom(SEGMENT_BYTES), Rule.of(3, 2, 1)
    packets, sealed = pieces_of(data, 250), rule.seal(data)
    sealed = dataclasses.replace(sealed, data=memoryview(bytes(sealed.data)))
    assert rule.open(sealed) == data
    measured = {
        "whole": costs(lambda: rule.seal(data), quick=quick),
        "packets": costs(lambda: rule.seal(packets), quick=quick),
        "opened": costs(lambda: rule.open(sealed), quick=quick),
        "aes": costs(_bare(data), quick=quick),
        "sha": costs(lambda: hashlib.sha256(data).digest(), quick=quick),
    }
    ms = {name: 1000 * statistics.median(found) for name, found in measured.items()}
    told = (
        f"{rule.words}, {ms['whole']:.2f} ms a segment, of which AES-256-GCM {ms['aes']:.2f} and SHA-256 "
        f"{ms['sha']:.2f}; target is for this one"
    )
    size = SEGMENT_BYTES
    return [
        rate("seal_gb_per_s", measured["whole"], size, quick=quick, target=TARGET_RATE, note=told),
        rate("seal_gb_per_s_packets", measured["packets"], size, quick=quick, note="from 250 packets, ten seconds"),
        rate("open_gb_per_s", measured["opened"], size, quick=quick, note="two custodians' keys, every byte checked"),
        rate("aesgcm_gb_per_s", measured["aes"], size, quick=quick, note="AES-256-GCM alone, chunks of 1 MiB"),
        rate("sha256_gb_per_s", measured["sha"], size, quick=quick, note="SHA-256 alone"),
    ]


def _bare(data: bytes) -> Callable[[], None]:
    """AES-256-GCM of ``data`` and nothing else."""
    cipher, view = AESGCM(bytes(32)), memoryview(data)
    target = memoryview(bytearray(CHUNK + TAG_BYTES))

    def run() -> None:
        for at in range(0, len(data), CHUNK):
            piece = view[at : at + CHUNK]
            cipher.encrypt_into(at.to_bytes(12, "big"), piece, b"associated", target[: len(piece) + TAG_BYTES])

    return run


def _rules(*, quick: bool, progress: Progress) -> list[Figure]:
    """What a charter's rule costs: the same segment for different sets of custodians."""
    data, found = os.urandom(SEGMENT_BYTES), []
    for rule in (Rule.of(3, 2), Rule.of(3, 2, 1), Rule.of(9, 5)):
        progress(f"sealing for {rule.words}")
        sealed = rule.seal(data)
        assert rule.open(sealed) == data
        measured = costs(lambda rule=rule: rule.seal(data), quick=quick)  # type: ignore[misc]  # a default binds it now
        note = (
            f"{rule.words}: {len(rule.subsets)} sets, {rule.shares} shares, {len(rule.private)} wraps, header of "
            f"{len(sealed.header.encoded):,} bytes, {1000 * statistics.median(measured):.2f} ms a segment"
        )
        found.append(rate(f"seal_gb_per_s_{rule.name}", measured, SEGMENT_BYTES, quick=quick, note=note))
    return found


# ---- against decoding ------------------------------------------------------------------------------------------------


def packets_of(video: VideoFile) -> list[list[Packet]]:
    """The packets of a file, in segments of ten seconds that begin with a keyframe."""
    found: list[list[Packet]] = []
    end = BEGIN
    for packet in video.packets(BEGIN):
        if packet.keyframe and packet.at_ms >= end:
            found.append([])
            end = packet.at_ms + SEGMENT_MS - 20
        found[-1].append(packet)
    return found


@dataclass(frozen=True)
class Pair:
    """CPU seconds a second of video: decoding it, putting its packets into an MP4, sealing that.

    ``burning``: where parts must never be seen, instead of the MP4: decoding, blackening, encoding anew.
    """

    decoding: float
    remuxing: float
    sealing: float
    burning: float


def _pair(path: Path, rule: Rule, *, quick: bool) -> Pair:
    side = _measure("peers", "decode", str(path), "20" if quick else "0")
    video = VideoFile(path)
    segments, times, remuxing, sealing = packets_of(video), 2 if quick else 5, 0.0, 0.0
    for _ in range(times):
        for number, packets in enumerate(segments):
            began = time.process_time()
            mp4 = remux(packets, video.coded)
            between = time.process_time()
            rule.seal(mp4, number)
            remuxing += between - began
            sealing += time.process_time() - between
            del mp4  # as in a recorder, which lets go of each before the next
    seconds = times * OVERHEAD_S
    decoding = float(side["cpu"]) / float(side["seconds"])
    return Pair(decoding, remuxing / seconds, sealing / seconds, _burning(path, segments[0]))


def _burning(path: Path, packets: list[Packet]) -> float:
    """CPU seconds a second of video for keeping it with a part blackened."""
    hidden = VideoFile(path, never_see=(((0.0, 0.0), (480.0, 0.0), (480.0, 270.0), (0.0, 270.0)),))
    began = time.process_time()
    encode_anew(packets, hidden.decoder(), hidden.fps, (hidden.width, hidden.height))
    return (time.process_time() - began) / (SEGMENT_MS / 1000)


def _overhead(data: Path, *, quick: bool, progress: Progress) -> list[Figure]:
    """CPU of keeping a second of video divided by CPU of decoding it: remux and seal, and the seal alone."""
    both, alone, burned = "seal_overhead_ratio", "seal_overhead_without_remux_ratio", "seal_burned_in_ratio"
    try:
        path = stream(Recipe("quiet", OVERHEAD_S), data, progress)
    except FileNotFoundError as error:
        note = f"its stream needs WATCHGLASS_DATA: {error}"
        return [
            figure(name, None, TARGET_OVERHEAD if name == both else None, note=note) for name in (both, alone, burned)
        ]
    rule, pairs = Rule.of(3, 2, 1), []
    for turn in range(1 if quick else 3):
        progress(f"{both}: pair {turn + 1}")
        pairs.append(_pair(path, rule, quick=quick))
    ms = {name: 1000 * statistics.median(getattr(pair, name) for pair in pairs) for name in Pair.__dataclass_fields__}
    note = (
        f"{rule.words}; a second of video: decoding {ms['decoding']:.0f} ms, packets into MP4 {ms['remuxing']:.3f} ms, "
        f"sealing {ms['sealing']:.3f} ms; stream {file_hash(path)}, {OVERHEAD_S} s"
    )

    def made(name: str, ratios: list[float], target: float | None, note: str) -> Figure:
        spread = None if len(ratios) < 2 else (min(ratios), max(ratios))
        return figure(
            name, statistics.median(ratios), target, interval=spread, n=len(ratios), against=DECODE, note=note
        )

    return [
        made(both, [(pair.remuxing + pair.sealing) / pair.decoding for pair in pairs], TARGET_OVERHEAD, note),
        made(alone, [pair.sealing / pair.decoding for pair in pairs], None, "of the same pairs"),
        made(
            burned,
            [(pair.burning + pair.sealing) / pair.decoding for pair in pairs],
            None,
            "of a source with `never_see`: what is kept is decoded, blackened and encoded anew (x264 veryfast)",
        ),
    ]


def figures(*, quick: bool, progress: Progress, only: Sequence[str] = ()) -> list[Figure]:
    """All figures of ``bench seal``, or those of some parts."""
    chosen = only or PARTS
    data = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data")).resolve()
    found: list[Figure] = []
    if "rate" in chosen:
        found += _rates(quick=quick, progress=progress)
    if "rules" in chosen:
        found += _rules(quick=quick, progress=progress)
    if "overhead" in chosen:
        found += _overhead(data, quick=quick, progress=progress)
    return found
