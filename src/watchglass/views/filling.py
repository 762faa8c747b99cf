"""What is known of a picture, carried on over what is not: smooth, and never a pixel of the video."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from watchglass.core.geometry import BoolArray

Image = NDArray[np.uint8]


def carried_on(bgr: Image, known: BoolArray) -> Image:
    """``bgr`` (h, w, 3) where it is known (h, w), and elsewhere the colours beside it, ever smoother farther away.

    Pull and push (after Gortler et al., The Lumigraph, 1996): means of what is known, in ever coarser pictures, until
    each of their pixels is known; then back, where something is missing from the coarser one. Nothing that is not known
    is in the result.
    """
    if known.all() or not known.any():
        return np.where(known[..., None], bgr, np.uint8(0))
    weight = known.astype(np.float32)
    levels = [np.dstack([bgr * weight[..., None], weight])]
    while not levels[-1][..., 3].all():
        half = max(1, -(-levels[-1].shape[1] // 2)), max(1, -(-levels[-1].shape[0] // 2))
        levels.append(cv2.resize(levels[-1], half, interpolation=cv2.INTER_AREA).astype(np.float32))
    mean = levels[-1][..., :3] / levels[-1][..., 3:]
    for level in reversed(levels[:-1]):
        mean = cv2.resize(mean, level.shape[1::-1], interpolation=cv2.INTER_LINEAR).astype(np.float32)
        np.divide(level[..., :3], level[..., 3:], out=mean, where=level[..., 3:] > 0)
    return cast("Image", mean.round().clip(0, 255).astype(np.uint8))


def nearest(bgr: Image, known: BoolArray) -> Image:
    """``bgr`` (h, w, 3) where it is known (h, w), and elsewhere the colour of the nearest pixel that is.

    Small holes: between a dark and a light surface there is an edge, as there would be, and no shade between the two.
    """
    if known.all() or not known.any():
        return np.where(known[..., None], bgr, np.uint8(0))
    _, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(labels.max()) + 1, 3), np.uint8)
    colours[labels[known]] = bgr[known]
    return cast("Image", colours[labels])
