"""What recover() says of pictures that can tell little, and of operations that are no filter."""

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.learning.recovery import CONVOLUTION, UNDETERMINED, recover
from kernel_demo.sources.bundled import FOLDER

CAMERA = np.asarray(Image.open(FOLDER / "camera.jpg").convert("L"))
SKY, GRASS = CAMERA[:100, :100], CAMERA[300:400, :100]


@pytest.mark.parametrize("picture", [SKY, GRASS], ids=["sky", "grass"])
@pytest.mark.parametrize("side", [5, 13])
def test_a_smooth_picture_is_no_evidence(picture, side):
    """Where many blurs leave the same grey levels, none of them is called the right one."""
    assert recover(picture, cv2.GaussianBlur(picture, (side, side), 2)).verdict == UNDETERMINED


def test_round_numbers_are_evidence_even_in_a_smooth_picture():
    """Fractions that reproduce every pixel of a sky prove the kernel."""
    found = recover(SKY, cv2.filter2D(SKY, -1, np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])))
    assert (found.verdict, found.bit_exact) == (CONVOLUTION, True)
