"""What ``watchglass quality audit-set`` and a model's public page need. By itself, for it is slow to import."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, Final

from watchglass.bootstrap.audits_kept import in_deployment
from watchglass.core.errors import BadInput
from watchglass.core.time import iso
from watchglass.edge.audit_cards import ENDING, keep
from watchglass.edge.clock import SystemClock
from watchglass.edge.inference import MODEL, Weights, foreign
from watchglass.quality.audit_set import untested
from watchglass.quality.compare import FEWEST
from watchglass.runtime.audit_set import Audit, audit

__all__ = ["FEWEST", "MODEL", "Audit", "audit", "keep_in", "place_of", "untested", "weights_of"]

MOST_WEIGHTS: Final = 512 * 1024 * 1024


def weights_of(path: Path) -> Weights:
    """Weights from a file of one's own, under their own hash.

    Raises:
        BadInput: it cannot be read, or is no file of weights.
    """
    if not path.is_file() or path.suffix != ".onnx" or path.stat().st_size > MOST_WEIGHTS:
        raise BadInput(f"{path.name} is no file of weights.", fix="Give an .onnx file of the shipped network's form.")
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    found = foreign(path, sha256)
    return Weights(found.data, {"sha256": sha256, "name": path.stem})


def place_of(where: Path, model: str) -> Path:
    """The file that keeps results of a model: itself, or that of a deployment.

    Raises:
        BadInput: it is neither.
    """
    if where.name.endswith(ENDING):
        return where
    return in_deployment(where, model)


def keep_in(file: Path, found: Audit) -> dict[str, Any]:
    """Keep a result in a model's card, with its date; what was kept of the same set is replaced.

    Raises:
        BadInput: what is there is damaged.
    """
    audit_of = {**found.as_json(), "date": iso(SystemClock().now())[:10]}
    keep(file, json.loads(json.dumps(audit_of)))
    return audit_of
