"""What a reviewer reads about a clip: when it comes, that a mosaic is not anonymity, and what of it is withheld."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from a_portal import MP4, Portal, make_portal

from watchglass.acts.keep_clip import keep_clip
from watchglass.acts.view_clip import KeptClip
from watchglass.charter.decide import decide
from watchglass.charter.permit import KeepClip
from watchglass.core.time import SECOND
from watchglass.perception.messages import Clip
from watchglass.web.portal.clip_words import FOLLOWS_WITHIN, clip_words

WHY = "its light is too far from that of the confirmed empty scene"


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    made = make_portal(tmp_path_factory.mktemp("clip-words"))
    yield made
    made.street.house.close()


@pytest.mark.parametrize(
    ("per_mille", "share"),
    [(1000, "Nearly all"), (700, "Most"), (500, "About half"), (333, "About a third"), (200, "About a fifth")],
)
def test_what_is_withheld_is_said_in_words(per_mille: int, share: str) -> None:
    words = clip_words(KeptClip(per_mille, WHY, destroyed=False), 0)
    assert words == f"Mosaicked clip. A mosaic is not anonymity. {share} of it is withheld, because {WHY}."
    assert clip_words(KeptClip(10, WHY, destroyed=False), 0).endswith(f"A small part of it is withheld, because {WHY}.")


def test_a_clip_that_is_not_there_is_not_promised_for_ever() -> None:
    assert f"follows, usually within {FOLLOWS_WITHIN} seconds." in clip_words(None, 5 * SECOND)
    assert "No clip of this alert could be made" in clip_words(None, 90 * SECOND)
    assert "destroyed" in clip_words(KeptClip(0, "", destroyed=True), 90 * SECOND)


def test_the_page_says_it_and_gives_it_to_the_script(portal: Portal) -> None:
    reviewer, house = portal.person("reviewer"), portal.street.house
    whole = portal.alert(clip=True)
    assert "A mosaic is not anonymity. <a href" in reviewer.get(f"/review/alerts/{whole.id}").text
    alert = portal.alert()
    assert "The mosaicked clip follows" in reviewer.get(f"/review/alerts/{alert.id}").text
    permit = decide(house.standing(), KeepClip(alert.analytic), portal.street.clock.now())
    keep_clip(house.acting, permit, Clip(alert.id, alert.source, MP4, 8.0, 0.7, 0.5, WHY))
    said = f"Mosaicked clip. A mosaic is not anonymity. About half of it is withheld, because {WHY}."
    assert reviewer.get(f"/review/alerts/{alert.id}.json").json()["clip_words"] == said
    page = reviewer.get(f"/review/alerts/{alert.id}").text
    assert f'data-words="{said}"' in page
