"""Other weights of the same network: named by their hash, and read by a decoder that knows four kinds of thing."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.edge.inference import foreign, load, shipped


def test_weights_that_the_charter_names_are_used(tmp_path: Path) -> None:
    path = tmp_path / "town-square.onnx"
    path.write_bytes(shipped().data)
    detector = load(weights=foreign(path, shipped().sha256))
    picture = np.full((64, 96, 3), 90, np.uint8)
    assert len(detector.detect(picture)) == len(load().detect(picture))


def test_others_are_not(tmp_path: Path) -> None:
    path = tmp_path / "town-square.onnx"
    path.write_bytes(shipped().data + b"x")
    with pytest.raises(DidNotVerify):
        foreign(path, shipped().sha256)
    with pytest.raises(BadInput, match="cannot be read"):
        foreign(tmp_path / "never.onnx", "0" * 64)


def test_a_network_that_says_something_else_cannot_be_read(tmp_path: Path) -> None:
    """A face embedding, say: 128 numbers for a picture."""
    node = helper.make_node("ReduceMean", ["picture"], ["embedding"], axes=[2, 3], keepdims=0)
    graph = helper.make_graph(
        [node],
        "face",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, 32, 32])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [1, 3])],
    )
    path = tmp_path / "face.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8), str(path))
    weights = foreign(path, hashlib.sha256(path.read_bytes()).hexdigest())
    with pytest.raises(BadInput, match="not those that the detector's decoder reads"):
        load(weights=weights)
    path.write_bytes(b"no model")
    with pytest.raises(BadInput, match="no model that can be run"):
        load(weights=foreign(path, hashlib.sha256(b"no model").hexdigest()))
