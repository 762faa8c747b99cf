"""Every page is also data: one handler answers a page's address and its ``.json`` beside it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from fastapi import APIRouter, Response

H = TypeVar("H", bound=Callable[..., Response])


def twin(router: APIRouter, path: str, data_path: str = "") -> Callable[[H], H]:
    """Register a handler for ``path`` and for its data twin (``path.json`` unless told).

    The twin comes first: a pattern such as ``/register/sources/{name}`` would take ``…/x.json`` for a name.
    """

    def register(handler: H) -> H:
        data = data_path or f"{path}.json"
        router.add_api_route(data, handler, methods=["GET"], response_model=None, name=f"{handler.__name__}_data")
        router.add_api_route(path, handler, methods=["GET"], response_model=None, include_in_schema=False)
        return handler

    return register
