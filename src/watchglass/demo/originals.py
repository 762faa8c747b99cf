"""The demo's originals: cut out of the clip once as a recorder does it, and sealed anew for each scheduled incident.

What is cut and encoded (with the windows that must never be seen black in it), how it is sealed, and to whose keys, is
the running product's own code. Only the times are those of the schedule.
"""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

from watchglass.acts.seal_segment import SealedSegment, seal_segment
from watchglass.acts.sealing_keys import sealing_keys
from watchglass.bootstrap import House
from watchglass.charter.decide import decide
from watchglass.charter.model import Charter, FileSource
from watchglass.charter.permit import SealSegment
from watchglass.core.errors import Problem
from watchglass.core.time import month_of
from watchglass.edge.footage import FileFootage
from watchglass.edge.fragments import encode_anew
from watchglass.evidence.envelope import seal
from watchglass.evidence.header import Context
from watchglass.perception.messages import Incident, SealingSpec
from watchglass.perception.ports import Packet
from watchglass.perception.recording import Kept, Recording
from watchglass.runtime.sealing import keys_of, subsets_of
from watchglass.runtime.specs import sealing_of

_AT_ONCE: Final = 3


@dataclass(frozen=True, slots=True)
class Piece:
    """A few seconds of the clip as MP4; times are milliseconds from the incident, so the first is mostly negative."""

    from_ms: int
    to_ms: int
    mp4: bytes


def pieces_of(house: House, name: str, start_ms: int, incidents: Iterable[Incident]) -> dict[str, tuple[Piece, ...]]:
    """What the charter has recorded around each incident of the clip that began at ``start_ms``, by incident."""
    charter = charter_in(house)
    source = charter.source(name)
    record = charter.safeguards.record
    assert isinstance(source, FileSource)
    assert record is not None
    hidden = tuple(area.corners for area in source.never_see)
    footage = FileFootage(house.layout.media / source.path, never_see=hidden, loop=False, start_ms=start_ms)
    packets: list[Packet] = []
    while (packet := footage.take()) is not None:
        packets.append(packet)

    def recording(incident: Incident) -> Recording:
        purpose = charter.analytic(incident.analytic).purpose
        return Recording(
            name,
            purpose,
            before_ms=record.before_ms,
            after_ms=record.after_ms,
            segment_ms=record.segment_ms,
        )

    def piece(incident: Incident, one: Kept) -> Piece:
        mp4 = encode_anew(one.packets, footage.decoder(), footage.fps, footage.size)
        return Piece(one.from_ms - incident.at_ms, one.to_ms - incident.at_ms, mp4)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        coming = {
            incident.id: [pool.submit(piece, incident, one) for one in _kept(packets, recording(incident), incident)]
            for incident in incidents
        }
        return {number: tuple(each.result() for each in many) for number, many in coming.items()}


def _kept(packets: Iterable[Packet], recording: Recording, incident: Incident) -> list[Kept]:
    recording.want(incident.analytic, incident.id, incident.at_ms)
    found = [one for packet in packets for one in recording.keep(packet)]
    return [*found, *recording.finish()]


class Sealing:
    """Seals pieces of the clip as the recorder would have sealed them at the time that the schedule names."""

    def __init__(self, house: House) -> None:
        self._house = house

    def seal(self, incident: Incident, pieces: Iterable[Piece]) -> list[bytes]:
        """Seal and keep the pieces around an incident: at once, so that they reach the disk together.

        Returns:
            The SHA-256 of each sealed piece.
        """
        house, charter = self._house, charter_in(self._house)
        statements = tuple(key.statement for key in sealing_keys(house.store.read()) if not key.destroyed)
        spec = sealing_of(charter, charter.source(incident.source), origin=house.origin, statements=statements)
        if spec is None:
            raise Problem("The demo's charter records nothing.", fix="Restore demo/charter.yaml.in.")
        purpose = charter.analytic(incident.analytic).purpose
        permit = decide(house.standing(), SealSegment(incident.source, incident.analytic), house.clock.now())

        def keep(piece: Piece) -> bytes:
            sealed = self._sealed(spec, purpose, incident, piece)
            seal_segment(house.acting, permit, sealed)
            return sealed.sha256

        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return list(pool.map(keep, pieces))

    def _sealed(self, spec: SealingSpec, purpose: str, incident: Incident, piece: Piece) -> SealedSegment:
        begin, end = incident.at_ms + piece.from_ms, incident.at_ms + piece.to_ms
        keys = keys_of(spec, spec.statements, month_of(begin))
        context = Context(
            origin=spec.origin,
            source=incident.source,
            segment=self._house.entropy.bytes(8).hex(),
            from_ms=begin,
            to_ms=end,
            charter=spec.charter,
            purpose=purpose,
            retention="sealed",
            period=keys.period,
            keep_until_ms=end + spec.keep_ms,
        )
        glass = X25519PublicKey.from_public_bytes(spec.break_glass) if spec.break_glass else None
        made = seal(piece.mp4, context, keys, subsets_of(spec, keys), self._house.entropy, break_glass=glass)
        return SealedSegment(bytes(made.data), made.sha256, incident.id)


def charter_in(house: House) -> Charter:
    """The charter that stands; the demo's history has one throughout."""
    charter = house.standing().charter
    assert charter is not None
    return charter
