"""The detector: NanoDet int8 on ONNX Runtime, or on OpenVINO behind the same port. One thread each, if nobody asks.

Pre- and post-processing follow NanoDet (Lyu 2020, https://github.com/RangiLyu/nanodet): integral boxes as in
"Generalized Focal Loss" (Li et al. 2020), class-wise non-maximum suppression. The network is fully convolutional: it
reads a picture of any shape, filled up to multiples of 32, so that nothing is spent on the bars of a letterbox.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from pathlib import Path
from threading import get_ident
from typing import Any, Final

import cv2
import numpy as np
import onnxruntime
from numpy.typing import NDArray

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.geometry import FloatArray, iou
from watchglass.perception.observation import Detections
from watchglass.perception.ports import Image

MODEL: Final = "nanodet-416-int8"
SIDE: Final = 512
"""The longer side at which a whole picture is looked at. A person is found from about 28 pixels tall upwards."""

LARGEST: Final = 640
"""A picture whose longer side is longer is made smaller first: beyond, accuracy no longer rises, and cost does."""

STRIDES: Final = (8, 16, 32)
FLOOR: Final = 0.25
"""Boxes with a lower score are not even handed to the tracker."""

_MEAN: Final = (103.53, 116.28, 123.675)
_STD: Final = (57.375, 57.12, 58.395)
_BINS: Final = 11
_SCORES: Final = 80
_NMS_IOU: Final = 0.6
_MOST: Final = 100
_SHAPES: Final = 12

# COCO's class numbers (80-class order) behind each of observation.KINDS, in that order.
_CLASSES: Final = ((0,), (2, 3, 5, 6, 7, 8), (1,), (24, 26, 28))

Run = Callable[[FloatArray], list[FloatArray]]
"""(1, 3, h, w) in; scores of stride 8, 16, 32, then boxes of stride 8, 16, 32 out, each (1, cells, columns)."""

_OUTPUTS: Final = [f"scores_{s}" for s in STRIDES] + [f"boxes_{s}" for s in STRIDES]


@dataclass(frozen=True, slots=True)
class Weights:
    """The shipped weights with their card, checked against each other.

    Raises:
        DidNotVerify: the file is not the one that the card describes.
    """

    data: bytes
    card: Mapping[str, Any]

    def __post_init__(self) -> None:
        found = hashlib.sha256(self.data).hexdigest()
        if found != self.card["sha256"]:
            raise DidNotVerify(
                "The detector's weights are not those that the model card describes.",
                fix="Install the package again, or rebuild the weights with tools/build_model.py.",
                expected=str(self.card["sha256"]),
                found=found,
            )

    @property
    def sha256(self) -> str:
        """The hash by which a charter names this model (hex)."""
        return str(self.card["sha256"])


def shipped() -> Weights:
    """The weights and the model card inside the package."""
    folder = resources.files("watchglass.perception") / "weights"
    card = json.loads((folder / f"{MODEL}.json").read_text("utf-8"))
    return Weights((folder / f"{MODEL}.onnx").read_bytes(), card)


def foreign(path: Path, sha256: str) -> Weights:
    """Other weights of the same network, from a file that a charter names by its hash.

    They are read by the decoder below, which knows four kinds of thing: whatever a model was trained for, it cannot
    say anything else here.

    Raises:
        BadInput: the file cannot be read.
        DidNotVerify: it is not the one that the charter names.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadInput(f"The model {path.stem} cannot be read.", fix=f"Put {path.name} into models/.") from error
    return Weights(data, {"sha256": sha256})


def prepare(bgr: Image) -> tuple[FloatArray, float]:
    """The network's input (1, 3, h, w) for a picture (h, w, 3) uint8, and the scale that was applied to it.

    A picture larger than ``LARGEST`` is made smaller; none is made larger. What is missing to multiples of 32 is black.
    """
    height, width = bgr.shape[:2]
    scale = min(1.0, LARGEST / max(height, width))
    wide, high = max(1, round(width * scale)), max(1, round(height * scale))
    fitted = bgr if (high, wide) == (height, width) else cv2.resize(bgr, (wide, high), interpolation=cv2.INTER_LINEAR)
    blob = np.zeros((1, 3, _full(high), _full(wide)), np.float32)
    blob[0, :, :high, :wide] = fitted.transpose(2, 0, 1)
    for channel in range(3):
        plane = blob[0, channel]
        plane -= np.float32(_MEAN[channel])
        plane *= np.float32(1 / _STD[channel])
    return blob, scale


def _full(length: int) -> int:
    coarsest = STRIDES[-1]
    return -(-length // coarsest) * coarsest


@lru_cache(maxsize=32)
def _centres(high: int, wide: int) -> tuple[FloatArray, FloatArray]:
    """The cells' centres (n, 2) and strides (n,) for an input of that height and width."""
    points, strides = [], []
    for stride in STRIDES:
        across = (np.arange(wide // stride, dtype=np.float32) + 0.5) * stride
        down = (np.arange(high // stride, dtype=np.float32) + 0.5) * stride
        grid = np.stack(np.meshgrid(across, down), axis=-1).reshape(-1, 2)
        points.append(grid)
        strides.append(np.full(len(grid), stride, np.float32))
    return np.concatenate(points).astype(np.float32), np.concatenate(strides)


def suppress(boxes: FloatArray, scores: FloatArray, kinds: NDArray[np.int8]) -> NDArray[np.intp]:
    """Indices that greedy non-maximum suppression within each kind keeps, best score first (IoU above .6 goes)."""
    order = np.argsort(-scores, kind="stable")
    overlap = iou(boxes[order], boxes[order]) > _NMS_IOU
    overlap &= kinds[order][:, None] == kinds[order][None, :]
    alive = np.ones(len(order), bool)
    kept: list[int] = []
    for i in range(len(order)):
        if alive[i]:
            kept.append(i)
            alive &= ~overlap[i]
            if len(kept) == _MOST:
                break
    return order[np.array(kept, np.intp)]


class NanoDet:
    """A ``perception.ports.Detector``."""

    side = SIDE

    def __init__(self, run: Run, floor: float = FLOOR) -> None:
        self._run = run
        self._floor = floor

    def detect(self, bgr: Image) -> Detections:
        """See ``perception.ports.Detector.detect``."""
        blob, scale = prepare(bgr)
        outputs = self._run(blob)
        raw = np.concatenate([o[0] for o in outputs[:3]])
        by_kind = np.stack([raw[:, list(c)].max(axis=1) for c in _CLASSES], axis=1)
        cells, kinds = np.nonzero(by_kind >= self._floor)
        if not len(cells):
            return Detections.none()
        scores = by_kind[cells, kinds].astype(np.float32)
        points, strides = _centres(*blob.shape[2:])
        logits = np.concatenate([o[0] for o in outputs[3:]])[cells]
        boxes = _boxes(logits, points[cells], strides[cells]) / np.float32(scale)
        boxes[:, 0::2] = np.clip(boxes[:, 0::2], 0, bgr.shape[1])
        boxes[:, 1::2] = np.clip(boxes[:, 1::2], 0, bgr.shape[0])
        small = kinds.astype(np.int8)
        keep = suppress(boxes, scores, small)
        return Detections(boxes[keep], scores[keep], small[keep])


def _boxes(logits: FloatArray, centres: FloatArray, strides: FloatArray) -> FloatArray:
    """Boxes (n, 4) in the network's pixels from (n, 44) logits of the cells with those centres and strides."""
    bins = logits.reshape(-1, 4, _BINS)
    weight = np.exp(bins - bins.max(axis=-1, keepdims=True))
    weight /= weight.sum(axis=-1, keepdims=True)
    reach = (weight @ np.arange(_BINS, dtype=np.float32)) * strides[:, None]
    return np.concatenate([centres - reach[:, :2], centres + reach[:, 2:]], axis=1).astype(np.float32)


def on_onnxruntime(weights: Weights, threads: int = 1) -> Run:
    """Runs the weights on ONNX Runtime.

    Args:
        weights: of the network.
        threads: how many work on one picture; what comes out is the same. Those that wait do not spin.

    Raises:
        BadInput: they are no network that the decoder can read.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(weights.data, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # the runtime has a dozen kinds of its own
        raise BadInput("These weights are no model that can be run.", fix="Use an ONNX file as described.") from error
    _check_shape({node.name: node.shape for node in (*session.get_inputs(), *session.get_outputs())})

    def run(blob: FloatArray) -> list[FloatArray]:
        return list(session.run(_OUTPUTS, {"picture": blob}))

    return run


def _check_shape(nodes: Mapping[str, Sequence[object]]) -> None:
    """Refuse a network that does not speak the decoder's language: 80 scores and 44 sides a cell, at three strides."""
    wanted = {"picture": 3, **dict.fromkeys(_OUTPUTS[:3], _SCORES), **dict.fromkeys(_OUTPUTS[3:], 4 * _BINS)}
    at = {"picture": 1}
    fits = set(nodes) == set(wanted) and all(nodes[name][at.get(name, -1)] == n for name, n in wanted.items())
    if not fits:
        raise BadInput(
            "This model's inputs and outputs are not those that the detector's decoder reads.",
            fix=f"Export it with the input `picture` (1, 3, h, w) and the outputs {', '.join(_OUTPUTS)}.",
        )


def on_openvino(weights: Weights) -> Run:
    """Runs the weights on OpenVINO, one thread.

    Raises:
        BadInput: OpenVINO is not installed.
    """
    try:
        openvino: Any = importlib.import_module("openvino")
    except ImportError as error:
        raise BadInput(
            "OpenVINO is not installed.", fix="Install it with: pip install 'watchglass[openvino]'."
        ) from error
    core = openvino.Core()
    options = {"INFERENCE_NUM_THREADS": 1, "PERFORMANCE_HINT": "LATENCY"}

    @lru_cache(maxsize=_SHAPES)
    def compiled(shape: tuple[int, ...]) -> Any:
        # A fixed shape runs a third faster here than a free one; a source has few.
        model = core.read_model(weights.data, b"")
        model.reshape(list(shape))
        return core.compile_model(model, "CPU", options)

    @lru_cache(maxsize=2 * _SHAPES)
    def request_of(shape: tuple[int, ...], thread: int) -> tuple[Any, list[Any]]:
        # A request is for one thread: clips are looked at beside the line.
        del thread
        fixed = compiled(shape)
        return fixed.create_infer_request(), [fixed.output(name) for name in _OUTPUTS]

    def run(blob: FloatArray) -> list[FloatArray]:
        request, ports = request_of(blob.shape, get_ident())
        request.infer({"picture": blob})
        return [request.get_tensor(port).data for port in ports]

    return run


def load(
    runtime: str = "onnxruntime", floor: float = FLOOR, weights: Weights | None = None, threads: int = 1
) -> NanoDet:
    """The shipped detector, or the same with other weights.

    Args:
        runtime: ``onnxruntime`` or ``openvino``.
        floor: the lowest score that is handed on.
        weights: from ``foreign``.
        threads: how many work on one picture, on ONNX Runtime.

    Raises:
        BadInput: no such runtime, or it is not installed.
        DidNotVerify: the weights are not those of the card.
    """
    makers: dict[str, Callable[[Weights], Run]] = {
        "onnxruntime": lambda chosen: on_onnxruntime(chosen, threads),
        "openvino": on_openvino,
    }
    if runtime not in makers:
        raise BadInput(f"There is no runtime {runtime!r}.", fix="Use onnxruntime or openvino.")
    return NanoDet(makers[runtime](weights or shipped()), floor)
