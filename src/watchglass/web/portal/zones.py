"""The zone editor: areas, lines, hidden and grey parts, drawn on the confirmed empty scene, into the charter's draft.

The page is a form that works without a script; ``zones.js`` puts the picture in front of the same form. What is saved
is a draft: nothing that runs changes before the authority and oversight have signed it.
"""

from __future__ import annotations

import hmac
import struct
from dataclasses import dataclass
from typing import Any, Final

from anyio import to_thread
from fastapi import APIRouter, Request, Response

from watchglass.acts.confirm_backdrop import confirmed
from watchglass.acts.public_charter import versions
from watchglass.acts.save_draft import save_draft
from watchglass.charter.diff import compare
from watchglass.charter.model import Charter, Source
from watchglass.charter.parse import CharterErrors, CharterRefused, parse
from watchglass.core.digest import sha256
from watchglass.core.errors import Problem
from watchglass.web.portal.answers import NotFound, wants_data
from watchglass.web.portal.context import grant_of, house_of, reader_of, receipts_json
from watchglass.web.portal.drawing import (
    EMPTY,
    KINDS,
    Found,
    Shape,
    arrow,
    ground_from,
    ground_of,
    judge,
    shapes_from,
    shapes_of,
    surveyed,
)
from watchglass.web.portal.render import as_json, page
from watchglass.web.portal.sources import scene_png
from watchglass.web.portal.twins import twin

router: Final = APIRouter(include_in_schema=False)

_FIELDS: Final = 1_000
_UNKNOWN_SIZE: Final = (640, 360)
_NO_DRAFT: Final = "none"


@dataclass(frozen=True, slots=True)
class Draft:
    """The charter that is worked on.

    Attributes:
        data: its bytes. there: whether the file exists; otherwise the newest published charter is what it begins with.
        version: the version that it gets when it is saved.
        faults: why it cannot be read; then ``charter`` is None.
    """

    data: bytes
    there: bool
    charter: Charter | None
    version: int
    faults: tuple[str, ...] = ()

    @property
    def mark(self) -> str:
        """What a form carries, so that nobody overwrites what they have not seen."""
        return sha256(self.data).hex() if self.there else _NO_DRAFT

    def source(self, name: str) -> Source:
        """The source called ``name`` in the draft.

        Raises:
            NotFound: there is none.
        """
        found = next((source for source in self.charter.sources if source.name == name), None) if self.charter else None
        if found is None:
            raise NotFound
        return found


def draft_of(request: Request) -> Draft:
    """The draft as it lies in the deployment now."""
    house = house_of(request)
    published = versions(reader_of(request), house.standing(), house.clock.now())
    newest = max((version.version for version in published), default=0)
    stands = house.standing().charter
    file = house.draft.read()
    data = file if file is not None else stands.data if stands is not None else None
    if data is None:
        raise Problem(
            "There is no charter to draw in: no draft, and nothing in force.",
            fix="Write one first: docs/how-to/write-a-charter.md shows how.",
        )
    try:
        charter = parse(data)
    except CharterErrors as errors:
        return Draft(data, file is not None, None, 0, tuple(errors.lines()))
    except CharterRefused as refused:
        return Draft(data, file is not None, None, 0, (*refused.reasons, *refused.lines()))
    return Draft(data, file is not None, charter, max(charter.version, newest + 1))


# ---- pages -----------------------------------------------------------------------------------------------------------


@twin(router, "/sources/{name}/zones")
def zones(request: Request, name: str) -> Response:
    """What is drawn in the draft, on the picture and as numbers."""
    draft = draft_of(request)
    if draft.charter is None:
        return page(request, "sources/zones_unreadable.html", {"source": name, "faults": draft.faults})
    source = draft.source(name)
    size = _size(request, source)
    found = surveyed(shapes_of(draft.charter, source), ground_of(source), (size["width"], size["height"]))
    return _editor(request, name, draft, Found(*found))


@router.get("/sources/{name}/zones/backdrop.png")
def backdrop(request: Request, name: str) -> Response:
    """The confirmed empty scene; nothing else is ever shown to draw on."""
    return Response(scene_png(request, name), media_type="image/png")


@router.get("/sources/{name}/zones/charter.yaml")
def text(request: Request, name: str) -> Response:
    """The draft's exact bytes, for those who sign."""
    draft = draft_of(request)
    if not draft.there:
        raise NotFound
    headers = {"content-disposition": f'attachment; filename="charter-{draft.version if draft.charter else 0}.yaml"'}
    del name
    return Response(draft.data, media_type="application/yaml", headers=headers)


@router.post("/sources/{name}/zones")
async def drawn(request: Request, name: str) -> Response:
    """Judge a drawing and say what it would change; or save it, if that was seen before."""
    form = await request.form(max_fields=_FIELDS)
    fields = [(key, value) for key, value in form.multi_items() if isinstance(value, str)]
    return await to_thread.run_sync(_drawn, request, name, fields)


def _drawn(request: Request, name: str, fields: list[tuple[str, str]]) -> Response:
    draft, values = draft_of(request), dict(fields)
    if draft.charter is None:
        raise Problem(
            "The draft has mistakes now, so nothing can be drawn in it.",
            fix="Correct it by hand: `watchglass charter check` tells each mistake with its line.",
        )
    if not hmac.compare_digest(values.get("draft", "").encode(), draft.mark.encode()):
        raise Problem(
            "Somebody has changed the draft since you opened this page, so nothing was saved.",
            fix="Open the page anew, look at their changes, and draw yours again.",
        )
    source = draft.source(name)
    shapes = shapes_from(fields, shapes_of(draft.charter, source))
    size = _size(request, source)
    found = judge(
        draft.data,
        draft.charter,
        name,
        shapes,
        ground_from(fields, ground_of(source)),
        version=draft.version,
        size=(size["width"], size["height"]) if size["known"] else None,
    )
    seen = found.text is not None and hmac.compare_digest(values.get("seen", "").encode(), _mark(found).encode())
    if found.text is None or values.get("do") != "save" or not seen:
        return _editor(request, name, draft, found, asked=True)
    return _save(request, name, draft, found.text)


def _save(request: Request, name: str, draft: Draft, new: bytes) -> Response:
    house = house_of(request)
    shown = sha256(draft.data) if draft.there else None
    under = house.standing().charter
    done = save_draft(house.acting, grant_of(request), house.draft, new, shown=shown, source=name, under=under)
    data = {
        "source": name,
        "version": done.value.version,
        "sha256": done.value.sha256,
        "receipts": receipts_json(done.receipts),
        "origin": house.origin,
    }
    return as_json(data) if wants_data(request) else page(request, "sources/zones_saved.html", data)


def _editor(request: Request, name: str, draft: Draft, found: Found, *, asked: bool = False) -> Response:
    assert draft.charter is not None  # the callers have looked
    source = draft.source(name)
    stands = house_of(request).standing().charter
    size = _size(request, source)
    data = {
        "source": name,
        "place": source.place.name,
        "picture": {**size, "url": _backdrop_url(request, name)},
        "draft": {
            "file": draft.there,
            "version": draft.charter.version,
            "next_version": draft.version,
            "mark": draft.mark,
            "same_as_in_force": stands is not None and stands.data == draft.data,
            "in_force": stands.version if stands is not None else None,
        },
        "shapes": found.shapes,
        "ground": found.ground,
        "asked": asked,
        "faults": found.faults,
        "changes": found.changes,
        "against_in_force": _against(stands, draft, found),
        "lines": found.lines,
        "seen": _mark(found),
        "_drawn": [_figure(shape, size["width"]) for shape in found.shapes if not shape.removed],
        "_new": {kind: Shape(f"{EMPTY}{kind}", kind, "", "", "") for kind in KINDS},
    }
    if wants_data(request):
        return as_json(data, status=400 if asked and not found.fine else 200)
    return page(request, "sources/zones.html", data, status=400 if asked and not found.fine else 200)


def _against(stands: Charter | None, draft: Draft, found: Found) -> Any:
    """Everything that would change for residents, where the draft already differed from what is in force."""
    if stands is None or found.charter is None or stands.data == draft.data:
        return None
    return compare(stands, found.charter)


def _mark(found: Found) -> str:
    return sha256(found.text).hex() if found.text is not None else ""


def _size(request: Request, source: Source) -> dict[str, Any]:
    """The picture's size: as the charter states it, as the worker saw it, or as the backdrop has it."""
    if source.picture is not None:
        return {"width": source.picture.width, "height": source.picture.height, "known": True}
    live = house_of(request).live.size(source.name)
    scene = confirmed(reader_of(request), source.name)
    if live is None and scene is not None and scene.png[12:16] == b"IHDR":
        live = struct.unpack(">II", scene.png[16:24])
    width, height = live or _UNKNOWN_SIZE
    return {"width": width, "height": height, "known": live is not None}


def _backdrop_url(request: Request, name: str) -> str | None:
    found = confirmed(reader_of(request), name)
    return f"/sources/{name}/zones/backdrop.png?v={found.id}" if found else None


def _figure(shape: Shape, width: int) -> dict[str, Any]:
    """A shape as the picture shows it without a script."""
    n = max(len(shape.points), 1)
    return {
        "id": shape.id,
        "kind": shape.kind,
        "label": shape.name.replace("-", " "),
        "points": " ".join(f"{x:g},{y:g}" for x, y in shape.points),
        "ends": shape.points,
        "x": round(sum(x for x, _ in shape.points) / n, 1),
        "y": round(sum(y for _, y in shape.points) / n, 1),
        "arrow": arrow(shape.points, width / 20) if shape.kind == "line" else "",
    }
