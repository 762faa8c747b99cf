"""Text is found by how its strokes lie, and cannot be read afterwards; what is no text mostly stays."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from watchglass.views.lettering import illegible, lettering

WIDTH, HEIGHT = 640, 360
SIGNS = ("KR24 MPZ", "Family Jansen", "PHARMACY", "No parking")


def street(seed: int = 0) -> np.ndarray:
    """Ground with large soft shades and a little noise, as cameras have."""
    rng = np.random.default_rng(seed)
    soft = cv2.resize(rng.integers(90, 170, (6, 10, 3), np.uint8), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return (soft + rng.normal(0, 2, soft.shape)).clip(0, 255).astype(np.uint8)


def hang(scene: np.ndarray, text: str, tall: int, *, ink=(20, 20, 20), ground=(225, 228, 230), slant=0.0):
    """The scene with a sign on it, and where its letters stand (h, w)."""
    font, scale = cv2.FONT_HERSHEY_DUPLEX, tall / 22
    thick = max(1, round(tall / 9))
    (wide, high), _ = cv2.getTextSize(text, font, scale, thick)
    letters = np.zeros((HEIGHT, WIDTH), np.uint8)
    left, foot = (WIDTH - wide) // 2, (HEIGHT + high) // 2
    cv2.putText(letters, text, (left, foot), font, scale, (255,), thick, cv2.LINE_AA)
    board = np.zeros_like(letters)
    cv2.rectangle(board, (left - tall, foot - high - tall // 2), (left + wide + tall, foot + tall // 2), 255, -1)
    turn = cv2.getRotationMatrix2D((WIDTH / 2, HEIGHT / 2), slant, 1)
    letters, board = (cv2.warpAffine(each, turn, (WIDTH, HEIGHT)) for each in (letters, board))
    result = scene.astype(np.float32)
    for mask, colour in ((board, ground), (letters, ink)):
        cover = mask[..., None].astype(np.float32) / 255
        result = result * (1 - cover) + cover * np.array(colour, np.float32)
    return result.round().clip(0, 255).astype(np.uint8), letters > 128


def compressed(picture: np.ndarray, quality: int) -> np.ndarray:
    return cv2.imdecode(cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_COLOR)


def covered(picture: np.ndarray, letters: np.ndarray) -> float:
    mask = np.zeros(letters.shape, bool)
    for x1, y1, x2, y2 in lettering(picture)[0]:
        mask[max(0, int(y1)) : int(np.ceil(y2)), max(0, int(x1)) : int(np.ceil(x2))] = True
    return float(mask[letters].mean())


@pytest.mark.parametrize("tall", [9, 12, 18, 26, 36])
@pytest.mark.parametrize("text", SIGNS)
def test_signs_and_plates_are_found(text: str, tall: int) -> None:
    picture, letters = hang(street(), text, tall)
    assert covered(compressed(picture, 75), letters) > 0.85


def test_tall_letters_are_found() -> None:
    picture, letters = hang(street(), "EXIT", 90)
    assert covered(picture, letters) > 0.85


@pytest.mark.parametrize(
    ("ink", "ground"),
    [((240, 240, 240), (120, 60, 20)), ((70, 70, 70), (125, 125, 125)), ((40, 40, 200), (150, 150, 150))],
    ids=["light on dark", "faint", "by colour"],
)
def test_whatever_the_colours(ink: tuple[int, int, int], ground: tuple[int, int, int]) -> None:
    picture, letters = hang(street(), "PHARMACY", 20, ink=ink, ground=ground)
    assert covered(compressed(picture, 80), letters) > 0.85


@pytest.mark.parametrize("slant", [-25.0, 12.0, 35.0])
def test_slanted_text_is_found(slant: float) -> None:
    picture, letters = hang(street(), "No parking", 18, slant=slant)
    assert covered(picture, letters) > 0.85


@pytest.mark.parametrize("tall", [9, 14, 24, 36])
def test_what_is_left_of_a_letter_is_less_than_a_stroke(tall: int) -> None:
    """Inside of the sign each pixel is the mean of a square that is taller than a letter: letters leave no edges."""
    picture, letters = hang(street(), "KR24 MPZ", tall)
    hidden = illegible(picture)
    edges = [np.abs(cv2.Laplacian(each[..., 1], cv2.CV_32F))[letters].mean() for each in (picture, hidden)]
    assert edges[1] < 0.2 * edges[0]
    two = [hang(street(), text, tall)[0] for text in ("KR24 MPZ", "RK42 ZPM")]
    apart = [np.abs(a.astype(int) - b).max() for a, b in (two, tuple(map(illegible, two)))]
    assert apart[1] < 0.45 * apart[0]


def bricks() -> np.ndarray:
    wall = np.full((HEIGHT, WIDTH, 3), (70, 80, 140), np.uint8)
    for row, y in enumerate(range(0, HEIGHT, 14)):
        cv2.line(wall, (0, y), (WIDTH, y), (150, 155, 160), 2)
        for x in range((row % 2) * 20, WIDTH, 40):
            cv2.line(wall, (x, y), (x, y + 14), (150, 155, 160), 2)
    return wall


def fence() -> np.ndarray:
    picture = street()
    for x in range(0, WIDTH, 16):
        cv2.rectangle(picture, (x, 120), (x + 5, 240), (240, 240, 240), -1)
    return picture


def crossing() -> np.ndarray:
    picture = street()
    for x in range(20, WIDTH, 60):
        cv2.rectangle(picture, (x, 150), (x + 30, 250), (235, 235, 235), -1)
    return picture


def lawn() -> np.ndarray:
    rng = np.random.default_rng(4)
    grass = cv2.GaussianBlur(rng.normal(0, 60, (HEIGHT, WIDTH, 1)), (0, 0), 1.2)[..., None]
    return (np.array([60, 130, 80]) + grass).clip(0, 255).astype(np.uint8)


@pytest.mark.parametrize("picture", [street(3), bricks(), fence(), crossing(), lawn()], ids=range(5))
def test_what_is_no_text_mostly_stays(picture: np.ndarray) -> None:
    changed = (illegible(picture) != picture).any(axis=2).mean()
    assert changed < 0.05


def test_a_picture_without_anything_and_a_tiny_one_are_left_alone() -> None:
    for picture in (np.zeros((120, 160, 3), np.uint8), street()[:9, :12].copy(), street()[:1, :1].copy()):
        assert len(lettering(picture)[0]) == 0
        assert (illegible(picture) == picture).all()
