"""The recorder of the demo's made history: heartbeats once an hour, on the virtual clock.

It counts, signs and chains as a worker's does, and the house takes its beats as it takes theirs. What it says to have
received is what the clip would have sent had it played all the time; no camera was looked at then, and pages say so.
"""

from __future__ import annotations

from collections.abc import Iterable

from watchglass.acts.heartbeat import Link, keep_beats, name_recorder
from watchglass.bootstrap import MODEL, House, shipped
from watchglass.core.errors import Problem
from watchglass.core.time import DAY, SECOND
from watchglass.demo.originals import charter_in
from watchglass.ledger.keys import SignerKey
from watchglass.perception.messages import Follow, Health
from watchglass.runtime.pulse import Pulse
from watchglass.runtime.specs import heartbeat_of, lease_of


class Recorder:
    """Signs for one source through one run.

    Args:
        seconds: how long the clip plays. looked: what the pipeline counted when it looked at it once.
    """

    def __init__(self, house: House, source: str, run: str, *, seconds: float, looked: Health) -> None:
        charter = charter_in(house)
        spec = heartbeat_of(charter, charter.source(source), origin=house.origin)
        if spec is None:
            raise Problem("The demo's charter asks for no heartbeats.", fix="Restore demo/charter.yaml.in.")
        self._house, self._source, self._run = house, source, run
        self._seconds, self._looked = seconds, looked
        self._began_ms = house.clock.now()
        key = SignerKey.generate(f"recorder/{source}", house.entropy)
        models = {MODEL: bytes.fromhex(shipped().sha256)}
        self._pulse = Pulse(source, spec, key, house.entropy, models, self._began_ms, hung_ms=DAY)
        links = name_recorder(house.acting, charter, run, str(key.verifier), [source]).value
        self._follow(links[source])
        self.live()

    def raised(self) -> None:
        """An incident was raised."""
        self._pulse.raised()

    def sealed(self, ciphertexts: Iterable[bytes]) -> None:
        """Pieces with these hashes were sealed."""
        for each in ciphertexts:
            self._pulse.sealed(each)

    def live(self) -> None:
        """It is there now; what may run at this moment runs."""
        now = self._house.clock.now()
        played = (now - self._began_ms) / SECOND / self._seconds
        frames, decoded = round(self._looked.frames * played), round(self._looked.decoded * played)
        self._pulse.heard(Health(self._source, now, 0.0, 0.0, frames, decoded, 0, ()))
        running = lease_of(self._house.standing(), now).running
        self._pulse.live(now, frozenset(analytic for source, analytic in running if source == self._source))
        self._send()

    def finish(self) -> None:
        """The run is about to end."""
        self.live()
        self._pulse.finish(self._house.clock.now())
        self._send()

    def _send(self) -> None:
        house = self._house
        while (beat := self._pulse.due(house.clock.now())) is not None:
            kept = keep_beats(house.acting, self._run, [beat]).value
            if kept.turned:
                raise kept.turned[0].error
            self._follow(kept.links[self._source])

    def _follow(self, link: Link) -> None:
        self._pulse.follow(Follow(self._source, self._run, link.sequence, link.leaf_hash, link.to_s))
