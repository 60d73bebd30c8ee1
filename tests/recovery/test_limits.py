"""What recover() says of pictures that can tell little, and of operations that are no filter."""

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import Verdict, recover, recover_many
from kernel_demo.sources.bundled import FOLDER

CAMERA = np.asarray(Image.open(FOLDER / "camera.jpg").convert("L"))
SKY, GRASS = CAMERA[:100, :100], CAMERA[300:400, :100]


@pytest.mark.parametrize("picture", [SKY, GRASS], ids=["sky", "grass"])
@pytest.mark.parametrize("side", [5, 13])
def test_a_smooth_picture_is_no_evidence(picture, side):
    """Where many blurs leave the same grey levels, none of them is called the right one."""
    found = recover(picture, cv2.GaussianBlur(picture, (side, side), 2))
    assert found.verdict == Verdict.UNDETERMINED


def test_round_numbers_are_evidence_even_in_a_smooth_picture():
    """Fractions that reproduce every pixel of a sky prove the kernel."""
    found = recover(SKY, cv2.filter2D(SKY, -1, np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])))
    assert (found.verdict, found.bit_exact) == (Verdict.CONVOLUTION, True)


@pytest.mark.parametrize("size", [(8, 220), (24, 24)])
def test_thin_and_small_pictures_do(size):
    """A few rows, or a stamp, are enough for a small kernel."""
    part = CAMERA[200 : 200 + size[0], 200 : 200 + size[1]]
    assert recover(part, cv2.blur(part, (3, 3))).bit_exact


@pytest.mark.parametrize(
    ("part", "side", "told"),
    [
        (CAMERA[:32, :32], 9, "smooth"),
        (CAMERA[200:208, 100:320], 7, "up to 3 × 3 only"),
        (CAMERA[100:132, 100:340], 31, "up to 15 × 15 only"),
        (CAMERA[200:201, 200:205], 1, "pixels"),
    ],
)
def test_what_a_small_picture_cannot_tell_is_undetermined(part, side, told):
    """No filter is called something else because there was no room to look for it."""
    found = recover(part, cv2.blur(part, (side, side)), max_size=31 if side == 31 else 15)
    assert found.verdict == Verdict.UNDETERMINED
    assert told in found.explanation
    assert "Search again" not in found.next_step


def test_what_explains_a_small_picture_is_named():
    """A median that reproduces the pixels is one, however few sizes could be searched."""
    part = CAMERA[200:240, 200:240]
    found = recover(part, cv2.medianBlur(part, 3))
    assert found.verdict == Verdict.NOT
    assert "median" in found.explanation


@pytest.mark.parametrize("rows", [1, 2])
def test_a_pair_smaller_than_the_kernel_does_no_harm(rows):
    """Beside another pair that tells the kernel, a scrap is of no weight."""
    part = CAMERA[200:300, 200:300]
    pairs = [(p, cv2.blur(p, (3, 3))) for p in (part, part[:rows], part[:rows, :rows])]
    found = recover_many(pairs)
    assert found.bit_exact
    assert found.fractions[0].pixels == 98 * 98


@pytest.mark.parametrize("shape", [(100, 100), (100, 100, 3)])
def test_a_blank_after_shows_no_filter(shape):
    """A kernel of zeros would explain it; it is told to be no evidence instead."""
    found = recover(
        np.broadcast_to(SKY.T if len(shape) == 2 else SKY[..., None], shape),
        np.full(shape, 77, np.uint8),
    )
    assert found.verdict == Verdict.UNDETERMINED
    assert "one colour" in found.explanation
