"""A guarded world behind its real portal, with every signer at a machine of their own: key folders and trust files."""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

import av
import numpy as np
import pytest
import uvicorn
from starlette.types import ASGIApp

from guarded import Guarded, guarded
from watchglass.acts.seal_segment import seal_segment
from watchglass.bootstrap import Keyring, Office, SystemClock, custody, seeking, witnessed
from watchglass.charter.permit import SealSegment
from watchglass.cli.serving import listen
from watchglass.core.time import DAY, SECOND, month_of
from watchglass.edge.keys import write_openings_key, write_signing_key
from watchglass.web.portal.app import create_app


class HasApp(Protocol):
    """A desk."""

    def app(self) -> ASGIApp: ...


Made = TypeVar("Made", bound=HasApp)


@contextmanager
def served(app: ASGIApp) -> Iterator[str]:
    """An application on a free port of loopback."""
    with _on_loopback(lambda _port: app) as url:
        yield url


@contextmanager
def serving(make: Callable[[int], Made]) -> Iterator[tuple[str, Made]]:
    """A desk that must know its port, on a free one."""
    made: list[Made] = []

    def build(port: int) -> ASGIApp:
        made.append(make(port))
        return made[0].app()

    with _on_loopback(build) as url:
        yield url, made[0]


@contextmanager
def _on_loopback(build: Callable[[int], ASGIApp]) -> Iterator[str]:
    listener = listen("127.0.0.1", 0)
    port = listener.getsockname()[1]
    config = uvicorn.Config(build(port), log_level="warning", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()


def a_film(seconds: int, *, shade: int = 0, fps: int = 5, width: int = 160) -> bytes:
    """A small fragmented MP4, as the recorder makes it; its pictures have one shade of grey."""
    target = io.BytesIO()
    options = {"movflags": "frag_keyframe+empty_moov+default_base_moof", "fflags": "+bitexact"}
    with av.open(target, "w", format="mp4", options=options) as container:
        stream = container.add_stream("libx264", rate=fps, options={"preset": "ultrafast", "threads": "1"})
        stream.width, stream.height, stream.pix_fmt = width, 96, "yuv420p"
        stream.codec_context.gop_size = fps
        picture = np.full((96, width, 3), shade, np.uint8)
        for number in range(seconds * fps):
            picture[:8, :8] = 255 * (number % 2)
            frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return target.getvalue()


@dataclass
class Signers:
    """Everybody's machines around one portal.

    Attributes:
        folder: below it a folder for each person, with ``keys`` and ``trust``.
    """

    scene: Guarded
    url: str
    folder: Path
    offices: list[Office] = field(default_factory=list)

    def machine(self, who: str) -> Path:
        """The folder of somebody's machine; made with their identity key when it is first asked for."""
        folder = self.folder / who
        if not folder.exists():
            (folder / "keys").mkdir(parents=True, mode=0o700)
            write_signing_key(folder / "keys" / "identity.key", self.scene.keys[who])
            self.scene.world.trust_file(folder / "trust")
        return folder

    def words(self, who: str, url: str | None = None) -> list[str]:
        """The arguments that every command of somebody takes."""
        machine = self.machine(who)
        return [url or self.url, "--keys", str(machine / "keys"), "--trust", str(machine / "trust")]

    def office(self, who: str, url: str | None = None) -> Office:
        machine = self.machine(who)
        ring = Keyring(machine / "keys", lambda file: f"no passphrase for {file}")
        office = Office(url or self.url, ring, machine / "trust", clock=self.scene.world.clock)
        self.offices.append(office)
        return office

    def settle(self) -> None:
        """What was handed in is granted where enough approved, published and cosigned."""
        self.scene.world.house.grant_releases()
        self.scene.world.settle()

    def adopt(self, who: str) -> None:
        """Give a custodian's machine the sealing key that the scene published for them."""
        period = month_of(self.scene.now)
        file = self.machine(who) / "keys" / f"{period}.key"
        write_openings_key(file, self.scene.sealing[who], what=f"sealing key of {period}")

    def film(self, count: int = 3) -> list[str]:
        """Seal and keep so many segments of real video, ten seconds each; their ids."""
        house, last, ids = self.scene.world.house, self.scene.now, []
        for place in range(count):
            end = last - (count - 1 - place) * 10 * SECOND
            sealed = self.scene.sealed(self.scene.context(end - 10 * SECOND, end), a_film(10, shade=60 * place))
            permit = self.scene.world.permit(SealSegment("street", "on-the-lawn"))
            ids.append(seal_segment(house.acting, permit, sealed).value)
        self.settle()
        return ids

    # ---- the story ---------------------------------------------------------------------------------------------------

    def case(self, **more: Any) -> str:
        asked = {
            "purpose": self.scene.purpose,
            "number": "EX-2026-17",
            "authority": "Order of the district court of Exampleton, 7 Gs 112/26",
            "reason": "Somebody fell at the assembly point.",
            "until_ms": self.scene.now + 30 * DAY,
        }
        done = seeking.open_case(self.office("investigator"), **{**asked, **more})
        self.settle()
        return str(done["case"])

    def request(self, case: str | None = None, **more: Any) -> str:
        asked = {
            "source": "street",
            "from_ms": self.scene.now - 60 * SECOND,
            "to_ms": self.scene.now,
            "reason": "To see how the person fell, and who helped.",
        }
        done = seeking.request(self.office("investigator"), case or self.case(), **{**asked, **more})
        self.settle()
        return str(done["request"])

    def request_of_film(self, **more: Any) -> str:
        """A request for a minute of which something was kept."""
        self.film()
        return self.request(**more)

    def granted(self, names: tuple[str, ...] = ("oversight", "dpo")) -> str:
        number = self.request()
        for name in names:
            self.adopt(name)
            custody.approve(self.office(name), number)
        self.settle()
        return number

    def taken(self) -> str:
        number = self.granted()
        seeking.take(self.office("investigator"), number)
        self.settle()
        return number


@contextmanager
def signers(folder: Path, **more: Any) -> Iterator[Signers]:
    """A guarded world at the time that it is, served by its portal.

    Its log is cosigned when a test says so and never meanwhile: nobody waits half a second for that, eight times.
    """
    clock = more.pop("clock", None) or SystemClock()
    with (
        pytest.MonkeyPatch.context() as hurried,
        guarded(folder / "world", clock=clock, **more) as scene,
        served(create_app(scene.world.house)) as url,
    ):
        hurried.setattr(witnessed, "_PAUSE_S", 0.01)
        made = Signers(scene, url, folder / "machines")
        try:
            yield made
        finally:
            for office in made.offices:
                office.close()
