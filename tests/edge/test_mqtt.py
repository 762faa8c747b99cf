"""MQTT against a real mosquitto: delivery, discovery, the last will, a restart, wrong passwords, a certificate."""

from __future__ import annotations

import getpass
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from telling import Receiver, certificate, edits, fates, hangs
from watchglass.bootstrap import House
from watchglass.core.errors import BadInput
from watchglass.edge.clock import SystemClock
from watchglass.edge.notify import mqtt as module
from watchglass.edge.notify.letter import Letter, Undelivered
from watchglass.edge.notify.mqtt import Address, Broker, Shown
from world import World, make_house

MOSQUITTO = shutil.which("mosquitto") or shutil.which("/usr/sbin/mosquitto")
pytestmark = pytest.mark.skipif(
    MOSQUITTO is None, reason="mosquitto is not installed (Debian: apt-get install mosquitto)"
)

TOPIC = "watchglass/test"
LETTER = Letter("0123456789abcdef", "on-the-lawn", b'{"event_type":"confirmed"}')
SHOWN = Shown("demo.test.example", "Watchglass demo-street", {"on-the-lawn": "on-the-lawn", "fallen": "fallen"})
CONFIG = "homeassistant/event/watchglass_demo_test_example/on-the-lawn/config"


@dataclass
class Mosquitto:
    """A broker of our own on loopback, with one user if ``password`` is given."""

    folder: Path
    password: str = ""
    tls: tuple[Path, Path] | None = None
    port: int = 0

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", self.port)) as free:
            self.port = free.getsockname()[1]
        self.folder.mkdir(exist_ok=True)
        config = [
            f"user {getpass.getuser()}",
            f"listener {self.port} 127.0.0.1",
            f"allow_anonymous {'false' if self.password else 'true'}",
        ]
        if self.password:
            users = self.folder / "users"
            users.write_text(f"house:{self.password}\n", "utf-8")
            users.chmod(0o600)
            subprocess.run(["mosquitto_passwd", "-U", str(users)], check=True, capture_output=True)
            config.append(f"password_file {users}")
        if self.tls:
            config += [f"certfile {self.tls[0]}", f"keyfile {self.tls[1]}"]
        self.config = self.folder / "mosquitto.conf"
        self.config.write_text("\n".join(config) + "\n", "utf-8")
        self.start()
        return self

    def __exit__(self, _k: type[BaseException] | None, _e: BaseException | None, _t: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        assert MOSQUITTO is not None
        self.process = subprocess.Popen(
            [MOSQUITTO, "-c", str(self.config)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        until(self._answers)

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        self.process.kill()
        self.process.wait()

    @contextmanager
    def ear(self) -> Iterator[list[MQTTMessage]]:
        """Everything that is published, retained messages first."""
        heard: list[MQTTMessage] = []
        client = Client(CallbackAPIVersion.VERSION2)
        ready = threading.Event()
        if self.password:
            client.username_pw_set("house", self.password)
        if self.tls:
            client.tls_set(str(self.tls[0]))
        client.on_message = lambda _c, _d, message: heard.append(message)
        client.on_connect = lambda c, *_: c.subscribe("#", qos=1)
        client.on_subscribe = lambda *_: ready.set()
        client.connect("127.0.0.1", self.port)
        client.loop_start()
        try:
            assert ready.wait(10)
            self.client = client
            yield heard
        finally:
            client.disconnect()
            client.loop_stop()

    def retained(self) -> dict[str, bytes]:
        """What somebody sees who comes new."""
        with self.ear() as heard:
            self.client.publish("mark", b"", qos=1)
            until(lambda: any(message.topic == "mark" for message in heard))
            return {message.topic: message.payload for message in heard if message.retain}


def until(so: Callable[[], object]) -> None:
    end = time.monotonic() + 120
    while not so():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)


@contextmanager
def broker(port: int, *, shown: Shown = SHOWN, password: str = "", **more: Any) -> Iterator[Broker]:
    at = Address("127.0.0.1", port, TOPIC, "watchglass-test", "house" if password else None, tls=more.pop("tls", False))
    made = Broker(at, shown, (lambda: password) if password else None, **more)
    try:
        yield made
    finally:
        made.close()


def test_a_letter_arrives_and_home_assistant_learns_what_there_is(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "m") as mosquitto, mosquitto.ear() as heard:
        with broker(mosquitto.port) as sender:
            sender.send(LETTER)
            until(lambda: any(message.topic == f"{TOPIC}/on-the-lawn/event" for message in heard))
            (event,) = [message for message in heard if message.topic == f"{TOPIC}/on-the-lawn/event"]
            assert (event.payload, event.qos, event.retain) == (LETTER.body, 1, False)
            shown = mosquitto.retained()
            config = json.loads(shown[CONFIG])
            assert config["state_topic"] == event.topic
            assert json.loads(LETTER.body)["event_type"] in config["event_types"]
            assert shown[config["availability_topic"]] == b"online"
            assert config["unique_id"] == "watchglass_demo_test_example_on-the-lawn"
            assert f"{TOPIC}/on-the-lawn/event" not in shown, "an old alarm must not greet who comes new"
        assert mosquitto.retained()[f"{TOPIC}/status"] == b"offline"


def test_what_the_charter_no_longer_names_goes_from_home_assistant(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "m") as mosquitto:
        with broker(mosquitto.port) as sender:
            sender.send(LETTER)
        fewer = Shown(SHOWN.origin, SHOWN.place, {"fallen": "fallen"}, frozenset({"on-the-lawn"}))
        with broker(mosquitto.port, shown=fewer) as sender:
            sender.send(Letter("0" * 16, "fallen", b"{}"))
            shown = mosquitto.retained()
            assert CONFIG not in shown
            assert CONFIG.replace("on-the-lawn", "fallen") in shown
            sender.close(forget=True)
        assert mosquitto.retained() == {f"{TOPIC}/status": b"offline"}


def test_when_the_house_dies_the_broker_says_so(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "m") as mosquitto, broker(mosquitto.port) as sender:
        sender.send(LETTER)
        client = sender._client
        assert client is not None
        sock = client.socket()
        assert isinstance(sock, socket.socket)
        with mosquitto.ear() as heard:
            sock.shutdown(socket.SHUT_RDWR)
            until(lambda: any((m.topic, m.payload) == (f"{TOPIC}/status", b"offline") for m in heard))
            until(lambda: any((m.topic, m.payload) == (f"{TOPIC}/status", b"online") and not m.retain for m in heard))


def test_a_broker_that_restarts_is_found_again(tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "m") as mosquitto, broker(mosquitto.port) as sender:
        sender.send(LETTER)
        mosquitto.stop()
        mosquitto.start()
        with mosquitto.ear() as heard:
            sender.send(LETTER)
            until(lambda: any(message.payload == LETTER.body for message in heard))
        assert CONFIG in mosquitto.retained(), "what it forgot was told again"


def test_a_broker_that_is_down_gets_nothing_later_that_was_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 1.0)
    monkeypatch.setattr(module, "ACKNOWLEDGE_S", 1.0)
    with Mosquitto(tmp_path / "m") as mosquitto, broker(mosquitto.port) as sender:
        sender.send(Letter("1" * 16, "fallen", b"first"))
        mosquitto.stop()
        with pytest.raises(Undelivered, match=r"cannot be used|not acknowledge"):
            sender.send(Letter("2" * 16, "fallen", b"second"))
        mosquitto.start()
        with mosquitto.ear() as heard:
            monkeypatch.setattr(module, "CONNECT_S", 20.0)
            monkeypatch.setattr(module, "ACKNOWLEDGE_S", 20.0)
            sender.send(Letter("3" * 16, "fallen", b"third"))
            until(lambda: any(message.payload == b"third" for message in heard))
            assert all(message.payload != b"second" for message in heard)


def test_a_wrong_password_is_told_and_the_right_one_counts_without_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 2.0)
    said = "wrong"
    with Mosquitto(tmp_path / "m", password="right-password") as mosquitto:
        at = Address("127.0.0.1", mosquitto.port, TOPIC, "watchglass-test", "house", tls=False)
        sender = Broker(at, SHOWN, lambda: said)
        with pytest.raises(Undelivered, match=r"(?i)not authori[sz]ed|bad user") as caught:
            sender.send(LETTER)
        assert "wrong" not in repr(caught.value.as_json())
        said = "right-password"
        with mosquitto.ear() as heard:
            sender.send(LETTER)
            until(lambda: any(message.payload == LETTER.body for message in heard))
        sender.close()


# paho-mqtt leaves the socket of a handshake that failed to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_tls_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 2.0)
    cert, key = certificate(tmp_path)
    key.chmod(0o644)
    with Mosquitto(tmp_path / "m", tls=(cert, key)) as mosquitto:
        with broker(mosquitto.port, tls=True) as sender, pytest.raises(Undelivered, match="certificate"):
            sender.send(LETTER)
        trust = ssl.create_default_context(cafile=str(cert))
        with mosquitto.ear() as heard, broker(mosquitto.port, tls=True, trust=trust) as sender:
            sender.send(LETTER)
            until(lambda: any(message.payload == LETTER.body for message in heard))


def test_one_that_takes_the_connection_and_says_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CONNECT_S", 1.0)
    with Receiver([hangs]) as silent, broker(silent.port) as sender, pytest.raises(Undelivered, match="not answer"):
        sender.send(LETTER)


def test_without_tls_only_near_brokers() -> None:
    with pytest.raises(BadInput, match="unencrypted"):
        Address("broker.example.org", 1883, TOPIC, "x", tls=False)
    for near in ("localhost", "127.0.0.1", "192.168.1.9", "mosquitto", "broker.lan"):
        Address(near, 1883, TOPIC, "x", tls=False)


def mqtt(port: int) -> str:
    return (
        f"  hook:\n    kind: mqtt\n    who: the control room\n    host: 127.0.0.1\n    port: {port}\n"
        f"    tls: false\n    topic: {TOPIC}\n    username: house\n    secret: broker_key\n"
    )


def test_the_whole_way_from_a_verdict_to_a_control_room(tmp_path: Path) -> None:
    """The house in its own threads; then the destination leaves the charter, and with it what Home Assistant shows."""
    with (
        Mosquitto(tmp_path / "m", password="right-password") as mosquitto,
        make_house(tmp_path / "h", clock=SystemClock(), edits=edits(mqtt(mosquitto.port))) as world,
        mosquitto.ear() as heard,
        notifying(world),
    ):
        world.house.secrets.set("broker_key", "right-password")
        until(lambda: mosquitto.retained().get(f"{TOPIC}/status") == b"online")
        alert = world.raise_alert("fallen", kind="person_down")
        until(lambda: [m for m in heard if m.topic == f"{TOPIC}/fallen/event"])
        world.decide(alert)
        until(lambda: fates(world, alert) == [("unconfirmed", "delivered"), ("confirmed", "delivered")])
        until(lambda: len([m for m in heard if m.topic == f"{TOPIC}/fallen/event"]) == 2)
        said = [json.loads(m.payload) for m in heard if m.topic == f"{TOPIC}/fallen/event"]
        assert [one["event_type"] for one in said] == ["unconfirmed", "confirmed"]
        assert [one["data"]["alert"] for one in said] == [alert.id] * 2
        order = world.suspend()
        until(lambda: mosquitto.retained()[f"{TOPIC}/status"] == b"offline")
        world.house.hand_in(world.lift(order))
        world.settle()
        until(lambda: mosquitto.retained()[f"{TOPIC}/status"] == b"online")
        text = world.edited(("    tell: [hook]\n", ""), ("    tell: [hook]\n    notify: at_once\n", ""))
        start = text.index("destinations:\n")
        world.publish(text[:start] + text[text.index("safeguards:\n") :])
        until(lambda: mosquitto.retained() == {f"{TOPIC}/status": b"offline"})


@contextmanager
def notifying(world: World) -> Iterator[House]:
    stop = threading.Event()
    thread = threading.Thread(target=world.house.notifier.run, args=(stop,))
    thread.start()
    try:
        yield world.house
    finally:
        stop.set()
        thread.join()
