"""Which audit sets a model was tested on, as its card says: results that ship with it, and a deployment's own."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Final

from watchglass.core.errors import BadInput
from watchglass.edge.audit_cards import ENDING, kept
from watchglass.quality.audit_set import untested
from watchglass.runtime.layout import SETTINGS, Layout

_SHIPPED: Final = "weights"


@dataclass(frozen=True, slots=True)
class Results:
    """What is known about one model.

    Attributes:
        audits: results for exactly these weights: the deployment's own first, then those that ship.
        own: how many are the deployment's own.
        untested: what none of them compares, in words.
        problem: why some results could not be read, or "".
    """

    audits: tuple[dict[str, Any], ...]
    own: int
    untested: tuple[str, ...]
    problem: str = ""


def in_deployment(root: Path, model: str) -> Path:
    """Where a deployment keeps its results.

    Raises:
        BadInput: it is no deployment, or the name is none.
    """
    layout = Layout(root)
    if not layout.settings.is_file():
        raise BadInput(
            f"{root} is no deployment: it has no {SETTINGS}.",
            fix=f"Give a deployment's folder, or a file whose name ends in {ENDING}.",
        )
    if not model.replace("-", "").replace("_", "").isalnum():
        raise BadInput(f"{model!r} is no name of a model.", fix="Name the file as the charter names the model.")
    return layout.models / f"{model}{ENDING}"


def results_of(layout: Layout | None, model: str, sha256: str) -> Results:
    """What is known about the model of that name and hash. Never raises for what a file says.

    Args:
        layout: of a deployment; None for what ships alone.
        model: its name.
        sha256: of its weights, hexadecimal.
    """
    shipped = resources.files("watchglass.perception") / _SHIPPED / f"{model}{ENDING}"
    own, problem = _read(layout.models / f"{model}{ENDING}", sha256) if layout is not None else ((), "")
    ours, another = _read(shipped, sha256) if isinstance(shipped, Path) else ((), "")
    return Results((*own, *ours), len(own), untested((*own, *ours)), problem or another)


def _read(place: Path, sha256: str) -> tuple[tuple[dict[str, Any], ...], str]:
    """What is kept there about these weights, and why it could not be read."""
    try:
        return tuple(one for one in kept(place) if one["model_sha256"] == sha256), ""
    except (BadInput, OSError) as error:
        return (), str(error)
