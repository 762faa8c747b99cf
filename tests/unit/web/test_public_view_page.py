"""The painted view: late, coarse, grey where the charter or an operator does not say yes; and its stream."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from a_portal import Someone
from a_street import Street, make_street

from watchglass import demo
from watchglass.core.time import DAY, HOUR, MINUTE
from watchglass.perception.messages import Pins
from watchglass.views.backdrop import Backdrop
from watchglass.views.public import GREY, ground
from watchglass.web.portal import public_view
from watchglass.web.portal.app import create_app

BACKDROP = Backdrop.from_png(demo.BACKDROP.read_bytes())
MARKS = ((100, 320, 0), (180, 420, 0), (620, 250, 1))


@pytest.fixture
def street(tmp_path: Any) -> Any:
    made = make_street(tmp_path)
    yield made
    made.house.close()


def view_of(street: Street) -> dict[str, Any]:
    return dict(Someone(create_app(street.house)).get("/view/street.json").json()["view"])


def test_live_where_the_charter_says_live(street: Street) -> None:
    street.publish()
    street.show(MARKS, 2)
    view = view_of(street)
    assert (view["state"], view["when"], view["people"]) == ("live", "Live", 2)
    assert sorted(pin[2] for pin in view["pins"]) == [0, 0, 1]
    assert "It is live, because the charter says so." in view["why"]


def test_nothing_younger_than_the_delay_is_ever_shown(street: Street) -> None:
    street.publish(("delay: 0s", "delay: 15m"))
    street.show(MARKS, 2)
    assert (view_of(street)["state"], view_of(street)["pins"]) == ("none", [])
    street.clock.advance(15 * MINUTE - 1)
    assert view_of(street)["pins"] == []
    street.clock.advance(1)
    view = view_of(street)
    assert (view["state"], view["when"], len(view["pins"])) == ("late", "15 minutes late", 3)


def test_fewer_than_the_threshold_shows_nobody_and_no_number(street: Street) -> None:
    street.publish(("hide_below: 0", "hide_below: 3"))
    street.show(MARKS, 2)
    view = view_of(street)
    assert (view["hidden"], view["pins"], view["people"]) == (True, [], None)
    html = Someone(create_app(street.house)).get("/view/street").text
    assert "Too few people are in view to show any." in html
    assert "2 people" not in html


def test_grey_with_a_sentence_until_somebody_confirmed_the_empty_scene(street: Street) -> None:
    street.publish()
    street.show(MARKS, 2, backdrop=False)
    view = view_of(street)
    assert (view["backdrop"], view["pins"], view["people"], view["age"]) == (None, [], None, None)
    assert "nobody has confirmed yet" in view["why_grey"]
    visitor = Someone(create_app(street.house))
    assert visitor.get("/view/street/backdrop.png").status_code == 403
    assert view["why_grey"] in visitor.get("/").text


def test_grey_with_the_reason_where_no_confirmed_view_is_in_front_of_the_camera(street: Street) -> None:
    street.publish()
    street.show(MARKS, 2)
    street.clock.advance(1000)
    street.house.live.take_pins(Pins("street", street.clock.now(), (), 0, unsure="the camera is covered"))
    view = view_of(street)
    assert (view["state"], view["backdrop"], view["pins"]) == ("unsure", None, [])
    assert view["why_grey"] == "Grey, because the camera is covered."
    visitor = Someone(create_app(street.house))
    assert grey(picture(visitor.get("/view/street/still.png").content)).all()
    html = visitor.get("/view/street").text
    assert "Grey, because the camera is covered." in html
    assert "Nobody is counted while it is grey." in html


def test_grey_when_nothing_comes_any_more(street: Street) -> None:
    street.publish()
    street.show(MARKS, 2)
    street.clock.advance(MINUTE)
    view = view_of(street)
    assert (view["state"], view["backdrop"], view["pins"]) == ("none", None, [])
    assert view["why_grey"] == "Grey, because nothing has come from this camera."


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (0, "a minute"),
        (2 * MINUTE, "2 minutes"),
        (119 * MINUTE, "119 minutes"),
        (3 * HOUR, "3 hours"),
        (2 * DAY, "2 days"),
    ],
)
def test_how_old_the_empty_scene_is_stands_beside_it(street: Street, ms: int, words: str) -> None:
    street.publish()
    street.show(MARKS, 2)
    street.clock.advance(ms)
    street.house.live.take_pins(Pins("street", street.clock.now(), (), 0, "day"))
    sentence = f"The empty scene was confirmed {words} ago."
    assert view_of(street)["age"] == sentence
    assert sentence in Someone(create_app(street.house)).get("/view/street").text


# ---- another time, size, source or version ---------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["", ".json", "/still.png", "/now.webp", "/events", "/backdrop.png"])
@pytest.mark.parametrize("query", ["at=2026-11-25T11:00", "width=4000", "source=yard", "v=day.0.even&at=1", "delay=0s"])
def test_another_time_size_or_source_is_refused_with_a_clear_page(street: Street, page: str, query: str) -> None:
    street.publish()
    street.show(MARKS, 2)
    answer = Someone(create_app(street.house)).get(f"/view/street{page}?{query}")
    assert answer.status_code == 403
    assert "No other can be asked for." in answer.text


@pytest.mark.parametrize("page", ["", ".json", "/still.png", "/now.webp", "/events", "/backdrop.png"])
def test_a_source_that_is_not_in_the_charter_is_not_there(street: Street, page: str) -> None:
    street.publish()
    street.show(MARKS, 2)
    assert Someone(create_app(street.house)).get(f"/view/yard{page}").status_code == 404


def test_an_old_or_withdrawn_empty_scene_is_handed_out_by_nobody(street: Street) -> None:
    street.publish()
    street.show(MARKS, 2)
    visitor = Someone(create_app(street.house))
    first = view_of(street)["backdrop"]
    answer = visitor.get(first)
    assert answer.status_code == 200
    png = Backdrop(np.zeros((576, 768, 3), np.uint8), np.ones((576, 768), bool)).to_png()
    street.house.live.set_backdrop("street", "day", "2", png)
    assert visitor.get(first).status_code == 403
    assert visitor.get(first, headers={"if-none-match": answer.headers["etag"]}).status_code == 403
    second = view_of(street)["backdrop"]
    assert second != first
    assert visitor.get(second).status_code == 200
    street.house.live.set_backdrop("street", "day", "", None)
    for address in (second, "/view/street/backdrop.png"):
        refused = visitor.get(address)
        assert refused.status_code == 403
        assert "replaced or withdrawn" in refused.text
    assert grey(picture(visitor.get("/view/street/still.png").content)).all()
    assert view_of(street)["pins"] == []


def test_nobody_may_keep_a_picture_of_now(street: Street) -> None:
    street.publish()
    street.show(MARKS, 2)
    for name in ("still.png", "now.webp"):
        answer = Someone(create_app(street.house)).get(f"/view/street/{name}")
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["cross-origin-resource-policy"] == "cross-origin"


# ---- what the charter never shows ------------------------------------------------------------------------------------


def test_what_is_never_shown_is_grey_unmarked_and_not_counted(street: Street) -> None:
    street.publish(
        ("    never_see:", "    never_show: [[[90, 310], [110, 310], [110, 330], [90, 330]]]\n    never_see:")
    )
    street.show(MARKS, 2)
    view = view_of(street)
    assert (view["people"], len(view["pins"])) == (1, 2)
    visitor = Someone(create_app(street.house))
    for path in ("/view/street/still.png", view["backdrop"]):
        shown = picture(visitor.get(path).content)
        assert grey(shown[288:352, 64:128]).all()
        assert not grey(shown).all()
    still = picture(visitor.get("/view/street/still.png").content)
    empty = ground(BACKDROP, (768, 576))
    assert (still[:280] == empty[:280]).mean() > 0.99


def amended(street: Street, before: str, after: str) -> None:
    """Another version of the charter comes into force."""
    version = int(street.text.split("version: ", 1)[1].split(maxsplit=1)[0])
    street.clock.advance(1000)
    street.publish((f"version: {version}", f"version: {version + 1}"), (before, after))


def test_a_browser_does_not_keep_an_empty_scene_of_which_the_charter_now_shows_less(street: Street) -> None:
    street.publish()
    street.show(MARKS, 2)
    visitor = Someone(create_app(street.house))
    address, etag = view_of(street)["backdrop"], visitor.get("/view/street/backdrop.png").headers["etag"]
    amended(
        street, "    never_see:", "    never_show: [[[90, 310], [110, 310], [110, 330], [90, 330]]]\n    never_see:"
    )
    street.show(MARKS, 2)
    assert visitor.get(address).status_code == 403
    answer = visitor.get("/view/street/backdrop.png", headers={"if-none-match": etag})
    assert answer.status_code == 200
    assert grey(picture(answer.content)[288:352, 64:128]).all()


def test_what_the_charter_never_sees_is_black_also_in_a_scene_that_was_confirmed_before(street: Street) -> None:
    street.publish()
    street.show((), 0)
    visitor = Someone(create_app(street.house))
    before = picture(visitor.get("/view/street/still.png").content)
    etag = visitor.get("/view/street/backdrop.png").headers["etag"]
    amended(street, "    never_see:\n", "    never_see:\n      - [[96, 320], [160, 320], [160, 384], [96, 384]]\n")
    street.show((), 0)
    answer = visitor.get("/view/street/backdrop.png", headers={"if-none-match": etag})
    assert answer.status_code == 200
    for shown in (picture(answer.content), picture(visitor.get("/view/street/still.png").content)):
        part = shown[320:385, 96:161]
        assert (part == part[0, 0]).all()
        assert part.max() < 64
        assert (shown == before).all(axis=2).sum() >= 576 * 768 - 65 * 65


def test_between_a_new_charter_and_whoever_follows_it_nothing_is_shown(street: Street) -> None:
    street.publish()
    street.show(MARKS, 2)
    assert view_of(street)["backdrop"] is not None
    amended(street, "delay: 0s", "delay: 15m")
    view = view_of(street)
    assert (view["state"], view["backdrop"], view["pins"], view["people"]) == ("none", None, [], None)
    assert grey(picture(Someone(create_app(street.house)).get("/view/street/now.webp").content)).all()


def test_the_register_says_what_is_never_shown(street: Street) -> None:
    door = "[[90, 310], [110, 310], [110, 330], [90, 330]]"
    street.publish(("    never_see:", f"    never_show: [{door}]\n    never_see:"))
    visitor = Someone(create_app(street.house))
    html = visitor.get("/register/sources/street").text
    assert "never shown to the public" in html
    assert 'class="never-show" points="90.0,310.0' in html
    assert "1 part is never shown in the public view." in visitor.get("/register").text
    assert visitor.get("/register/sources/street.json").json()["never_show"] == [
        [[90, 310], [110, 310], [110, 330], [90, 330]]
    ]


def grey(shown: Any) -> Any:
    return np.abs(shown.astype(int) - GREY).max(axis=2) < 24


def test_the_still_is_the_painted_picture(street: Street) -> None:
    street.publish()
    street.show((), 0)
    visitor = Someone(create_app(street.house))
    empty = picture(visitor.get("/view/street/still.png").content)
    street.clock.advance(1000)
    street.show(MARKS, 2)
    marked = picture(visitor.get("/view/street/still.png").content)
    assert empty.shape == marked.shape == (576, 768, 3)
    changed = (empty != marked).any(axis=2)
    for x, y, _ in MARKS:
        assert changed[y - 10 : y + 10, x - 10 : x + 10].mean() > 0.5
    assert changed.mean() < 0.01


@pytest.mark.parametrize(("accept", "kind"), [("image/webp,*/*", "webp"), ("image/png", "png"), ("*/*", "png")])
def test_the_empty_scene_is_given_as_the_browser_can_read_it(street: Street, accept: str, kind: str) -> None:
    street.publish()
    street.show(MARKS, 2)
    visitor = Someone(create_app(street.house))
    answer = visitor.get("/view/street/backdrop.png", headers={"accept": accept})
    assert (answer.headers["content-type"], answer.headers["vary"]) == (f"image/{kind}", "accept")
    assert answer.headers["cache-control"] == "no-cache"
    assert picture(answer.content).shape == (576, 768, 3)
    assert kind == "png" or len(answer.content) < 60_000
    again = visitor.get(
        "/view/street/backdrop.png", headers={"accept": accept, "if-none-match": answer.headers["etag"]}
    )
    assert (again.status_code, again.content) == (304, b"")


def test_the_stream_tells_the_present_then_every_change_and_ends_with_the_house(street: Street) -> None:
    street.publish()
    street.show(MARKS, 2)
    app = create_app(street.house)
    request: Any = SimpleNamespace(app=app)

    async def listen() -> list[dict[str, Any]]:
        stream = public_view._events(request, "street")
        told = [await told_next(stream)]
        street.clock.advance(500)
        await asyncio.to_thread(street.show, MARKS[:1], 1)
        told.append(await told_next(stream))
        await asyncio.to_thread(street.suspend)
        while told[-1]["state"] != "stopped":
            told.append(await told_next(stream))
        street.house.bus.close()
        async for _ in stream:
            pass
        return told

    told = asyncio.run(asyncio.wait_for(listen(), 20))
    assert [len(event["pins"]) for event in told[:2]] == [3, 1]
    assert told[-1] == {
        "state": "stopped",
        "when": "Not shown",
        "pins": [],
        "people": None,
        "hidden": False,
        "backdrop": None,
        "age": None,
        "why_grey": "The charter does not allow this view now, so it is grey.",
    }


async def told_next(stream: AsyncIterator[bytes]) -> dict[str, Any]:
    async for message in stream:
        if message.startswith(b"data: "):
            return dict(json.loads(message[6:]))
    raise AssertionError("the stream ended")


def picture(data: bytes) -> Any:
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
