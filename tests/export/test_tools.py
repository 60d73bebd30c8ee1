"""The calls of the tools themselves: each makes, pixel by pixel, what was told of it."""

import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.export.tools import own_call
from kernel_demo.recovery import formulas
from kernel_demo.recovery.explanations import Rounding
from kernel_demo.recovery.passes import Family, Pass, Way

PHOTO = Path(__file__).parents[2] / "examples" / "cat.jpg"
LINE = np.ones(3) / 3


def lines(*weights: np.ndarray, rule=Rounding.TRUNCATE) -> Way:
    return Way(tuple(Pass(one, rule) for one in weights))


COLUMNS_FIRST, ROWS_FIRST = lines(LINE[:, None], LINE[None]), lines(LINE[None], LINE[:, None])
DEEP = Way(
    (Pass(formulas.FORMULAS[Family.GAUSSIAN]({"sigma": 1.3, "size": 11}), finer=formulas.DEEP),
     Pass(np.ones((1, 1)), Rounding.TRUNCATE)),
    None, Family.GAUSSIAN, {"sigma": 1.3, "size": 11},
)  # fmt: skip
WAYS = {
    "GaussianBlur(1.5)": formulas.by_pillow_gaussian(1.5),
    "BoxBlur(2.3)": formulas.by_pillow_box(2.3),
    "UnsharpMask(2, 150, 0)": formulas.by_pillow_unsharp(2.0, 150),
    "gaussian_filter(before, 1.5, axes=(0, 1))": formulas.by_gaussian(1.5, COLUMNS_FIRST, 13),
}
COMMANDS = {"-blur 0x1.5": formulas.by_magick_blur(1.5), "Gaussian:5x1.3": DEEP}


def made_by(code: str, folder: Path) -> np.ndarray:
    """What a Python program makes of the photo."""
    Image.open(PHOTO).convert("L").crop((40, 30, 240, 180)).save(folder / "before.png")
    exec(code.replace("before.png", f"{folder}/before.png").replace("after.png", f"{folder}/a.png"))
    return np.asarray(Image.open(folder / "a.png"))


@pytest.mark.parametrize("call", WAYS)
def test_the_call_makes_the_pixels_of_the_way(call, tmp_path):
    """By Pillow and SciPy, inside the picture: none is off."""
    way = WAYS[call]
    made = own_call(way)
    assert call in made.code
    after = made_by(made.code, tmp_path)
    down, right = way.reach
    expected = way.made(np.asarray(Image.open(tmp_path / "before.png")))
    np.testing.assert_array_equal(after[down:-down, right:-right], expected)


def test_opencv_is_called_with_sigma_and_size(tmp_path):
    """The call makes what cv2.GaussianBlur made."""
    figures = {"sigma": 1.2, "size": 7}
    way = Way((Pass(np.eye(7)),), None, Family.OPENCV_GAUSSIAN, figures)
    after = made_by(own_call(way).code, tmp_path)
    before = np.asarray(Image.open(tmp_path / "before.png"))
    np.testing.assert_array_equal(after, cv2.GaussianBlur(before, (7, 7), 1.2))


@pytest.mark.parametrize("call", COMMANDS)
def test_imagemagick_is_called_by_sigma(call):
    """One option, and no digits of weights."""
    assert call in own_call(COMMANDS[call]).code


@pytest.mark.tool
@pytest.mark.parametrize("call", COMMANDS)
def test_imagemagick_makes_the_pixels_of_the_way(call, tmp_path):
    """The version that cuts off to 8 bits, where it is installed."""
    if shutil.which("convert") is None:
        pytest.skip("ImageMagick 6 is not installed")
    Image.open(PHOTO).convert("L").crop((40, 30, 240, 180)).save(tmp_path / "before.png")
    way = COMMANDS[call]
    command = own_call(way).code.replace("magick", "convert", 1).split()
    subprocess.run(command, cwd=tmp_path, check=True)
    after = np.asarray(Image.open(tmp_path / "after.png").convert("L"))
    expected = way.made(np.asarray(Image.open(tmp_path / "before.png")))
    down, right = way.reach
    assert (after[down:-down, right:-right] == expected).mean() > 0.9999


@pytest.mark.parametrize("way", [ROWS_FIRST, formulas.by_gaussian(1.5, ROWS_FIRST, 13)])
def test_a_way_of_no_tool_has_no_call(way):
    """Rows first is not SciPy's way."""
    assert own_call(way) is None
