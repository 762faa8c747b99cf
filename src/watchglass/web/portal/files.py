"""The portal's own static files, and whether it lives."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request, Response
from starlette.responses import FileResponse

from watchglass.web.portal.answers import NotFound
from watchglass.web.portal.context import house_of
from watchglass.web.portal.render import STATIC, as_json

router: Final = APIRouter(include_in_schema=False)

_YEAR: Final = "public, max-age=31536000, immutable"
_TYPES: Final = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml", ".png": "image/png"}


@router.get("/static/{path:path}")
def static_file(request: Request, path: str) -> Response:
    """Style, scripts and marks; with their hash in the query they never change."""
    file = (STATIC / path).resolve()
    if not file.is_relative_to(STATIC.resolve()) or not file.is_file() or file.suffix not in _TYPES:
        raise NotFound
    cached = _YEAR if request.query_params.get("v") else "no-cache"
    return FileResponse(file, media_type=_TYPES[file.suffix], headers={"cache-control": cached})


@router.get("/healthz")
def healthz(request: Request) -> Response:
    """Whether the portal answers and the database can be read; nothing else is told to strangers."""
    house_of(request).store.read().one("SELECT 1")
    return as_json({"ok": True})
