"""The public pages: home, tour, register, charter. The view and the ledger have files of their own beside this one.

Every page is also data: the same handler answers ```…`.json`` with the data that fills the template.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, Final

from fastapi import APIRouter, Request, Response

from watchglass.access.policies import policies_of
from watchglass.acts import how_sure, judged, public_originals
from watchglass.acts import public_charter as charters
from watchglass.acts import public_facts as facts
from watchglass.acts.conditions_reading import public_words
from watchglass.acts.watched_times import watched
from watchglass.charter import words
from watchglass.charter.decide import Standing
from watchglass.charter.diff import compare
from watchglass.charter.model import Charter, FileSource
from watchglass.charter.parse import parse
from watchglass.charter.promised import promised
from watchglass.core.digest import b64
from watchglass.core.errors import BadInput
from watchglass.web.portal import audits, costs, heartbeats, how_well, originals, public_log, public_view, tested
from watchglass.web.portal.answers import NotFound
from watchglass.web.portal.plan import plan_of
from watchglass.web.portal.promises import PROMISES, Built
from watchglass.web.portal.render import page
from watchglass.web.portal.twins import twin

router: Final = APIRouter()
router.include_router(public_view.router)
router.include_router(public_log.router)
router.include_router(costs.router)
router.include_router(how_well.router)
router.include_router(originals.router)
router.include_router(heartbeats.router)
router.include_router(audits.router)

_CARDS: Final = "perception/weights"


@twin(router, "/", "/index.json")
def home(request: Request) -> Response:
    """A resident's first screen."""
    house = request.app.state.house
    standing, now = house.standing(), house.clock.now()
    charter: Charter | None = standing.charter
    if charter is None:
        return page(request, "public/nothing.html", {"condition": facts.Condition.NO_CHARTER})
    first = charter.sources[0].name
    data = {
        "condition": facts.condition(standing, now),
        "authority": charter.authority.name,
        "contact": charter.authority.contact,
        "oversight": charter.oversight.body,
        "places": [source.place.name for source in charter.sources],
        "view": public_view.facts_of(request, first),
        "looks_for": [facts.analytic_facts(standing, analytic, now) for analytic in charter.analytics],
        "kept": facts.kept(charter),
        "month": facts.month(house.store.read(), now),
        "consulted_on": False,
        "meanwhile": facts.meanwhile(standing),
    }
    return page(request, "public/home.html", data)


@twin(router, "/tour")
def tour(request: Request) -> Response:
    """The twelve promises, and how much of each this version keeps."""
    counts = {built.value: sum(promise.built is built for promise in PROMISES) for built in Built}
    return page(request, "public/tour.html", {"promises": PROMISES, "counts": counts})


# ---- the register --------------------------------------------------------------------------------------------------


@twin(router, "/register")
def register(request: Request) -> Response:
    """Every source, every rule, every model."""
    standing, now = _standing(request)
    charter = standing.charter
    if charter is None:
        return page(request, "public/nothing.html", {"condition": facts.Condition.NO_CHARTER})
    reader = request.app.state.house.store.read()
    data = {
        "sources": [
            {
                **_source(charter, source.name),
                "watched": watched(reader, charter, source.name, now, most=0).sentences,
                "conditions": public_words(reader, source),
            }
            for source in charter.sources
        ],
        "analytics": [facts.analytic_facts(standing, analytic, now) for analytic in charter.analytics],
        "limits": {each["analytic"]: each for each in judged.about(reader, charter)},
        "purposes": charter.purposes,
        "models": [
            {
                "name": model.name,
                "digest": model.digest,
                "not_tested": tested.facts_of(request.app.state.house, model.name, model.digest)["not_tested"],
            }
            for model in charter.models
        ],
        "_plan": plan_of(charter.sources),
    }
    return page(request, "public/register.html", data)


@twin(router, "/register/sources/{name}")
def source(request: Request, name: str) -> Response:
    """One source: what it shows, its areas, what looks at it."""
    standing, now = _standing(request)
    charter = _in(standing)
    the_source = next((item for item in charter.sources if item.name == name), None)
    if the_source is None:
        raise NotFound
    data = {
        "source": _source(charter, name),
        "view": public_view.facts_of(request, name),
        "zones": [
            {
                "name": zone.name,
                "shape": "line" if zone.line else "polygon",
                "corners": zone.points,
                "area_m2": zone.area_m2,
            }
            for zone in the_source.zones
        ],
        "never_see": [polygon.corners for polygon in the_source.never_see],
        "never_show": [polygon.corners for polygon in the_source.never_show],
        "analytics": [facts.analytic_facts(standing, item, now) for item in charter.analytics_of(name)],
        "originals": public_originals.of_source(charter, name),
        "originals_recorded": charter.records(name),
        "conditions": public_words(request.app.state.house.store.read(), the_source),
        "watched": watched(request.app.state.house.store.read(), charter, name, now, most=0).sentences,
    }
    return page(request, "public/source.html", data)


@twin(router, "/register/analytics/{name}")
def analytic(request: Request, name: str) -> Response:
    """One rule: in words, for what, under which law, and how often it was right."""
    standing, now = _standing(request)
    charter = _in(standing)
    the_analytic = next((item for item in charter.analytics if item.name == name), None)
    if the_analytic is None:
        raise NotFound
    reader = request.app.state.house.store.read()
    month = facts.month(reader, now, name)
    calibration = request.app.state.house.calibration
    data = {
        "analytic": facts.analytic_facts(standing, the_analytic, now),
        "limits": next((each for each in judged.about(reader, charter) if each["analytic"] == name), None),
        "stops": judged.stop_rows(reader, name),
        "month": month,
        "on_test_clips": how_sure.on_test_clips(calibration, the_analytic.kind),
    }
    return page(request, "public/analytic.html", data)


@twin(router, "/register/models/{name}")
def model(request: Request, name: str) -> Response:
    """One model's card, as it ships in the package, beside the hash that the charter names."""
    standing, _ = _standing(request)
    the_model = next((item for item in _in(standing).models if item.name == name), None)
    if the_model is None:
        raise NotFound
    card = model_card(name)
    matches = card is not None and the_model.digest.removeprefix("sha256:") == card["sha256"]
    data = {
        "name": name,
        "digest": the_model.digest,
        "card": card,
        "card_matches_charter": matches,
        "tested": tested.facts_of(request.app.state.house, name, the_model.digest),
    }
    return page(request, "public/model.html", data)


@cache
def model_card(name: str) -> dict[str, Any] | None:
    """The card of a model that ships in the package, or None."""
    if not name.replace("-", "").isalnum():
        return None
    file = resources.files("watchglass").joinpath(_CARDS, f"{name}.json")
    return dict(json.loads(file.read_text("utf-8"))) if file.is_file() else None


def _source(charter: Charter, name: str) -> dict[str, object]:
    item = charter.source(name)
    return {
        "name": item.name,
        "kind": item.kind,
        "loop": isinstance(item, FileSource) and item.loop,
        "place": item.place,
        "gate": item.gate,
        "zones": [zone.name for zone in item.zones],
        "never_see_areas": len(item.never_see),
        "never_show_areas": len(item.never_show),
        "analytics": [analytic.name for analytic in charter.analytics_of(name)],
    }


# ---- the charter ---------------------------------------------------------------------------------------------------


@twin(router, "/charter")
def charter_page(request: Request) -> Response:
    """The rules in plain words."""
    standing, now = _standing(request)
    charter = standing.charter
    if charter is None:
        return page(request, "public/nothing.html", {"condition": facts.Condition.NO_CHARTER})
    published = charters.versions(request.app.state.house.store.read(), standing, now)
    return page(request, "public/charter.html", _charter_data(charter, published))


@twin(router, "/charter/versions")
def charter_versions(request: Request) -> Response:
    """Every version that was published, newest first."""
    standing, now = _standing(request)
    published = charters.versions(request.app.state.house.store.read(), standing, now)
    return page(request, "public/versions.html", {"versions": published})


@twin(router, "/charter/versions/{n}")
def charter_version(request: Request, n: str) -> Response:
    """One version: in plain words, and its exact bytes."""
    standing, now = _standing(request)
    reader = request.app.state.house.store.read()
    charter = _version(request, n)
    data = _charter_data(charter, charters.versions(reader, standing, now))
    return page(request, "public/charter.html", {**data, "text": charter.data.decode()})


@twin(router, "/charter/diff/{a}/{b}")
def charter_diff(request: Request, a: str, b: str) -> Response:
    """What changed between two versions, in words, each change classed."""
    before, after = _version(request, a), _version(request, b)
    changes = compare(before, after)
    return page(request, "public/diff.html", {"before": before.version, "after": after.version, "changes": changes})


def _charter_data(charter: Charter, published: tuple[charters.Version, ...]) -> dict[str, object]:
    this = next((version for version in published if version.sha256 == charter.sha256), None)
    older = next((version.version for version in published if version.version < charter.version), None)
    policies = policies_of(charter)
    return {
        "name": charter.charter,
        "version": charter.version,
        "sha256": charter.digest,
        "record": this,
        "sections": words.explain(charter),
        "quality": promised(charter),
        "access": {
            "rules": [{"id": rule.id, "effect": rule.effect, "words": rule.words} for rule in policies.rules],
            "policy_sha256": b64(policies.sha256),
        },
        "older": older,
        "text": None,
    }


def _version(request: Request, n: str) -> Charter:
    """The published charter of that version.

    Raises:
        NotFound: there is none.
    """
    text = None
    if n.isascii() and n.isdigit() and len(n) <= 7:  # noqa: PLR2004  # versions end at a million
        text = charters.text_of_version(request.app.state.house.store.read(), int(n))
    if text is None:
        raise NotFound
    try:
        return parse(text)
    except BadInput as error:
        raise NotFound from error


def _standing(request: Request) -> tuple[Standing, int]:
    house = request.app.state.house
    return house.standing(), house.clock.now()


def _in(standing: Standing) -> Charter:
    """The charter; without one there is nothing under the register."""
    if standing.charter is None:
        raise NotFound
    return standing.charter
