"""The shipped detector: weights and card agree, both runtimes agree, and it sees what is there."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from watchglass.core.errors import BadInput, DidNotVerify
from watchglass.core.geometry import iou
from watchglass.edge.inference import Weights, load, prepare, shipped, suppress
from watchglass.edge.video import VideoFile
from watchglass.perception.observation import KINDS

DATA = Path(os.environ.get("WATCHGLASS_DATA", "../shared/data"))


@pytest.fixture(scope="module")
def street() -> np.ndarray:
    path = Path(__file__).parents[2] / "src/watchglass/demo/street.mp4"
    if not path.is_file():
        pytest.skip("the demo's clip is not in this checkout")
    file = VideoFile(path)
    (picture,) = file.decoder().decode(next(file.packets(0)))
    return picture.bgr()


def test_weights_and_card_agree_and_anything_else_does_not_verify() -> None:
    weights = shipped()
    assert weights.sha256 == weights.card["sha256"]
    with pytest.raises(DidNotVerify, match="not those"):
        Weights(weights.data[:-1] + bytes([weights.data[-1] ^ 1]), weights.card)
    with pytest.raises(DidNotVerify):
        replace(weights, card={**weights.card, "sha256": "0" * 64})


def test_the_card_says_what_a_card_must_say() -> None:
    card = json.loads(json.dumps(shipped().card))
    assert len(card["calibration"]["pictures"]) == 32
    assert {"tarball_sha256", "nanodet.json_sha256", "nanodet.bin_sha256"} <= set(card["made_from"])
    named = {figure["name"] for figure in card["measured"]}
    assert {"pets_detector_recall", "pets_detector_precision", "coco_person_recall", "coco_bag_recall"} <= named
    assert all(figure["interval"][0] <= figure["value"] <= figure["interval"][1] for figure in card["measured"])
    assert len(card["known_weaknesses"]) >= 5
    assert tuple(card["kinds"]) == KINDS


def test_prepare_fills_up_to_multiples_of_32_and_no_further() -> None:
    grey = (103, 116, 124)
    blob, scale = prepare(np.full((100, 200, 3), grey, np.uint8))
    assert (blob.shape, scale) == ((1, 3, 128, 224), 1.0)
    assert np.abs(blob[0, :, :100, :200]).max() < 0.02
    assert blob[0, :, 100:].max() < -1.7
    assert blob[0, :, :, 200:].max() < -1.7
    shapes = [prepare(np.zeros((h, w, 3), np.uint8))[0].shape[2:] for h, w in ((288, 512), (384, 512), (1080, 1920))]
    assert shapes == [(288, 512), (384, 512), (384, 640)]


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_a_part_of_any_shape_shows_what_the_whole_shows(street: np.ndarray, runtime: str) -> None:
    """The same person, in the whole picture and in windows of three shapes around them."""
    if runtime == "openvino" and find_spec("openvino") is None:
        pytest.skip("OpenVINO is an extra that is not installed")
    detector = load(runtime)
    whole = detector.detect(street)
    sure = int(np.argmax(np.where(whole.kinds == KINDS.index("person"), whole.scores, 0)))
    x, y = ((whole.boxes[sure, :2] + whole.boxes[sure, 2:]) / 2).astype(int)
    for wide, high in ((320, 320), (416, 256), (256, 384)):
        left = int(np.clip(x - wide // 2, 0, street.shape[1] - wide))
        top = int(np.clip(y - high // 2, 0, street.shape[0] - high))
        part = detector.detect(np.ascontiguousarray(street[top : top + high, left : left + wide]))
        boxes = part.boxes[part.scores > 0.4] + np.array([left, top, left, top], np.float32)
        assert iou(boxes, whole.boxes[sure : sure + 1]).max() > 0.7


def test_suppression_keeps_the_best_of_each_kind() -> None:
    boxes = np.array([[0, 0, 10, 10], [1, 0, 11, 10], [0, 0, 10, 10], [50, 50, 60, 60]], np.float32)
    kept = suppress(boxes, np.array([0.5, 0.9, 0.6, 0.4], np.float32), np.array([0, 0, 1, 0], np.int8))
    assert kept.tolist() == [1, 2, 3]


def test_people_on_a_street_are_found_and_nothing_in_nothing(street: np.ndarray) -> None:
    detector = load()
    found = detector.detect(street)
    people = found.boxes[(found.kinds == KINDS.index("person")) & (found.scores > 0.5)]
    assert len(people) >= 3
    assert (people[:, 3] - people[:, 1] > people[:, 2] - people[:, 0]).all()
    assert found.boxes.min() >= 0
    assert found.boxes[:, 2].max() <= street.shape[1]
    grey = detector.detect(np.full((300, 500, 3), 128, np.uint8))
    assert not (grey.scores > 0.4).any()


def test_boxes_follow_the_scale_of_the_picture(street: np.ndarray) -> None:
    detector = load()
    large = cv2.resize(street, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC).astype(np.uint8)
    one, two = detector.detect(street), detector.detect(large)
    sure = one.boxes[one.scores > 0.6]
    nearest = [np.abs(two.boxes / 2 - box).max(axis=1).min() for box in sure]
    assert np.median(nearest) < 4


@pytest.mark.skipif(find_spec("openvino") is None, reason="OpenVINO is an extra that is not installed")
def test_openvino_finds_the_same(street: np.ndarray) -> None:
    one, two = load().detect(street), load("openvino").detect(street)
    sure = [(b, k) for b, s, k in zip(one.boxes, one.scores, one.kinds, strict=True) if s > 0.6]
    for box, kind in sure:
        same = two.boxes[two.kinds == kind]
        assert np.abs(same - box).max(axis=1).min() < 8


def test_an_unknown_runtime_is_refused() -> None:
    with pytest.raises(BadInput, match="abacus"):
        load("abacus")


@pytest.mark.data
def test_recall_on_pictures_with_truth_is_what_the_card_claims() -> None:
    """A few PETS frames against truth: far below the card's interval something is broken."""
    truth_file = DATA / "media/pets_s2l1/truth.json"
    if not truth_file.is_file():
        pytest.skip("the PETS truth is not here; set WATCHGLASS_DATA")
    truth = json.loads(truth_file.read_text())["boxes"]
    file = VideoFile(truth_file.parent / "vtest.avi")
    decoder, detector = file.decoder(), load()
    hits = total = 0
    for index, packet in enumerate(file.packets(0)):
        if index > 240:
            break
        for picture in decoder.decode(packet):
            if index % 20:
                continue
            found = detector.detect(picture.small(detector.side))
            boxes = found.boxes[(found.kinds == 0) & (found.scores >= 0.46)] * (768 / detector.side)
            for _, x, y, w, h in truth[str(index)]:
                foot = np.array([x + w / 2, y + h])
                stands = np.stack([(boxes[:, 0] + boxes[:, 2]) / 2, boxes[:, 3]], axis=1)
                hits += bool(len(stands)) and bool((np.abs(stands - foot).max(axis=1) < 20).any())
                total += 1
    assert hits / total > 0.8


@pytest.mark.parametrize("runtime", ["onnxruntime", "openvino"])
def test_two_threads_may_look_at_the_same_time(runtime: str, street: np.ndarray) -> None:
    """A clip is looked at beside the line, by the same detector."""
    if find_spec(runtime) is None:
        pytest.skip(f"{runtime} is not installed")
    detector = load(runtime)
    alone = detector.detect(street)
    with ThreadPoolExecutor(2) as pool:
        for found in pool.map(detector.detect, [street] * 8):
            assert (found.boxes == alone.boxes).all()
