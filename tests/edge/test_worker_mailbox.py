"""A house that does not listen: the worker goes on, and loses only what it may lose."""

from __future__ import annotations

import multiprocessing
import time

from watchglass.perception.messages import Clip, Incident, Pins, SourceEnded
from watchglass.runtime.worker import Mailbox


def incident(n: int) -> Incident:
    still = bytes(20_000)
    return Incident(f"{n:016x}", "cam", "a", "intrusion", "z", n, 0.5, "why", {}, still, ())


def test_old_pins_give_way_and_incidents_never_do() -> None:
    ours, theirs = multiprocessing.Pipe()
    mailbox = Mailbox(theirs)
    began = time.monotonic()
    for n in range(1000):
        mailbox.send(Pins("cam", n, (), 0))
        if n % 50 == 0:
            mailbox.send(incident(n))
    mailbox.send(Clip("0" * 16, "cam", bytes(500_000), 4.0, 1.0))
    mailbox.send(SourceEnded("cam", 1, 1.0, 1.0, 1.0))
    assert time.monotonic() - began < 30  # nobody reads, and still it came here
    received = []
    while not (received and isinstance(received[-1], SourceEnded)):
        assert ours.poll(20)
        received.append(ours.recv())
    mailbox.close()
    assert [r.at_ms for r in received if isinstance(r, Incident)] == list(range(0, 1000, 50))
    assert sum(isinstance(r, Clip) for r in received) == 1
    pins = [r.at_ms for r in received if isinstance(r, Pins)]
    assert pins == sorted(pins)
    assert pins[-1] == 999
    assert len(pins) + mailbox.dropped == 1000
    assert mailbox.dropped > 500


def test_a_house_that_is_gone_is_noticed() -> None:
    ours, theirs = multiprocessing.Pipe()
    mailbox = Mailbox(theirs)
    ours.close()
    mailbox.send(incident(1))
    for _ in range(200):
        if mailbox.broken:
            break
        time.sleep(0.02)
    assert mailbox.broken
    mailbox.close()
