"""The portal of a small real deployment, and people who sign in to it through the real page."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import anyio
import httpx
from a_street import Seeded, Street, make_street
from fastapi import FastAPI

from watchglass.access.passwords import hash_password
from watchglass.access.roles import Role
from watchglass.acts.accounts import open_account
from watchglass.acts.keep_clip import keep_clip
from watchglass.acts.raise_alert import raise_alert
from watchglass.charter.decide import decide
from watchglass.charter.permit import KeepClip, RaiseAlert
from watchglass.core.time import MINUTE
from watchglass.perception.messages import Clip, Incident
from watchglass.review.model import Alert
from watchglass.web.portal.app import create_app
from watchglass.web.portal.security import Address

PASSWORD = "four random words here"
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x03\x00\x00\x00\x02\x40\x08\x02\x00\x00\x00"  # 768 x 576
MP4 = b"\x00\x00\x00\x18ftypmp42" + bytes(range(256)) * 8
DATA = {"accept": "application/json"}
OURS = {"origin": "http://localhost", "sec-fetch-site": "same-origin"}


class Someone:
    """One browser at one address; nobody has signed in yet."""

    def __init__(self, app: FastAPI, base: str = "http://localhost", address: str = "192.0.2.1") -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False, client=(address, 50_000))
        self.client = httpx.AsyncClient(transport=transport, base_url=base)
        self.csrf = ""

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """One request, exactly as given; redirects are not followed."""
        return anyio.run(partial(self.client.request, method, path, **more))

    def get(self, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.send("GET", path, headers=headers)

    def post(
        self, path: str, fields: dict[str, object] | None = None, headers: dict[str, str] | None = None
    ) -> httpx.Response:
        """What a form of ours sends."""
        sent = {"csrf": self.csrf, **(fields or {})}
        return self.send("POST", path, data=sent, headers={**OURS, **(headers or {})})

    def sign_in(self, name: str, password: str = PASSWORD) -> httpx.Response:
        answer = self.post("/login", {"name": name, "password": password})
        if answer.status_code == 303:
            self.learn()
        return answer

    def learn(self) -> None:
        """Read the session's token from a page, as a form would carry it."""
        found = re.search(r'name="csrf" value="([^"]+)"', self.get("/account").text)
        assert found
        self.csrf = found[1]


@dataclass
class Portal:
    street: Street
    app: FastAPI
    people: dict[str, Someone] = field(default_factory=dict)
    raised: int = 0

    def someone(self, base: str = "http://localhost", address: str = "192.0.2.1") -> Someone:
        return Someone(self.app, base, address)

    def person(self, name: str) -> Someone:
        """The browser of an account, signed in once (without typing the password: test_security does that)."""
        if name not in self.people:
            self.people[name] = browser = self.someone(address=f"198.51.100.{len(self.people) + 1}")
            sessions, reader = self.app.state.sessions, self.street.house.store.read()
            row = reader.one("SELECT id FROM account WHERE name = ?", name)
            assert row is not None
            browser.client.cookies.set(sessions.cookie, sessions._open(row["id"]))  # hashing is slow on purpose
            browser.learn()
        return self.people[name]

    def alert(
        self, *, clip: bool = False, analytic: str = "on-the-lawn", kind: str = "intrusion", sure: float | None = None
    ) -> Alert:
        house, now = self.street.house, self.street.clock.now()
        self.raised += 1
        zone = {"on-the-lawn": "lawn", "gathering": "assembly-point"}[analytic]
        new = Incident(
            id=f"{self.raised:016x}",
            source="street",
            analytic=analytic,
            kind=kind,
            zone=zone,
            at_ms=now - 700,
            score=0.713,
            why="2 persons inside 'lawn' for 1.2 s <script>",
            facts={"count": 2},
            boxes=((10, 20, 30, 60, 0),),
            still=PNG,
            probability=sure,
        )
        permit = decide(house.standing(), RaiseAlert(analytic, now), now)
        alert = raise_alert(house.acting, permit, new, review_within_ms=2 * MINUTE).value
        if clip:
            permit = decide(house.standing(), KeepClip(analytic), now)
            keep_clip(house.acting, permit, Clip(alert.id, alert.source, MP4, 8.0, 0.3))
        return alert


@cache
def _hashed() -> str:
    return hash_password(PASSWORD, Seeded("passwords"))


def make_portal(
    folder: Path, *, address: Address | None = None, wrap: Callable[[Street], None] | None = None
) -> Portal:
    """A deployment with a charter in force and one account for each role, named like it; and ``rosa``, who reviews."""
    street = make_street(folder)
    street.publish()
    hashed = _hashed()
    for role in list(Role)[1:]:
        open_account(street.house.acting, None, role.value, [role], hashed)
    open_account(street.house.acting, None, "rosa", [Role.REVIEWER], hashed)
    if wrap:
        wrap(street)
    return Portal(street, create_app(street.house, address))
