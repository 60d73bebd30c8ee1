"""Filters of real tools, recovered from the files that they wrote in this very test."""

import io
import os
import shutil
import subprocess

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps
from scipy import ndimage

from benchmarks.operations import OPERATIONS
from kernel_demo.recovery import Channels, Verdict, explanations
from kernel_demo.recovery import recover as search
from kernel_demo.sources.bundled import FOLDER

pytestmark = pytest.mark.tool

CAMERA = np.asarray(Image.open(FOLDER / "camera.jpg").convert("L"))[100:300, 110:350]
COFFEE = np.asarray(Image.open(FOLDER / "coffee.jpg").convert("RGB"))[50:250, 200:440]
PILLOW = (
    "BLUR", "CONTOUR", "DETAIL", "EDGE_ENHANCE", "EDGE_ENHANCE_MORE", "EMBOSS", "FIND_EDGES",
    "SHARPEN", "SMOOTH", "SMOOTH_MORE",
)  # fmt: skip
MAGICK = next(filter(shutil.which, ("magick", "convert-im6.q16")), None)
SKEW = np.array([[0, 1, 2], [-1, 4, 1], [-2, -1, 0]])


def needs(tool: str | None, name: str):
    """Skips where the tool is not installed; on CI that is a failure."""
    missing = tool is None or shutil.which(tool) is None
    return pytest.mark.skipif(missing and not os.environ.get("CI"), reason=f"{name} is missing")


def through(command: list[str], picture: np.ndarray, folder) -> np.ndarray:
    """A tool's result; IN and OUT in the command stand for the files."""
    files = {"IN": str(folder / "in.png"), "OUT": str(folder / "out.png")}
    Image.fromarray(picture).save(files["IN"])
    subprocess.run([files.get(word, word) for word in command], check=True, capture_output=True)
    return np.asarray(Image.open(files["OUT"]))


def recover(before: np.ndarray, after: np.ndarray):
    """The search up to 9 x 9: a third of the time of 15 x 15, which benchmarks/ measure."""
    return search(before, after, max_size=9)


def pillow(picture: np.ndarray, name: str) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).filter(getattr(ImageFilter, name)))


def truth(name: str, size: int) -> np.ndarray:
    """Pillow's kernel for correlation (its rows are stored upside down), as size x size."""
    shape, scale, _, values = getattr(ImageFilter, name).filterargs
    kernel = np.array(values).reshape(shape)[::-1] / scale
    more = (size - len(kernel)) // 2
    return np.pad(kernel, more) if more >= 0 else kernel[-more:more, -more:more]


@pytest.mark.parametrize("name", PILLOW)
def test_pillow_is_bit_exact(name):
    """Each of Pillow's ten filters comes back as its own fractions; the border is copied."""
    found = recover(CAMERA, pillow(CAMERA, name))
    assert found.verdict == Verdict.CONVOLUTION
    assert found.bit_exact
    assert np.allclose(found.kernel, truth(name, found.size))
    assert found.offset == getattr(ImageFilter, name).filterargs[2]
    assert found.padding == "copied"
    assert np.array_equal(found.reproduction, pillow(CAMERA, name))


@pytest.mark.parametrize(
    ("name", "quality"),
    [("SMOOTH", 95), ("SMOOTH", 75), ("SHARPEN", 50), ("EMBOSS", 75)],
)
def test_pillow_through_jpeg(name, quality):
    """From a lossy file the kernel still comes within 5 % of its largest weight."""
    data = io.BytesIO()
    Image.fromarray(pillow(CAMERA, name)).save(data, "JPEG", quality=quality)
    found = recover(CAMERA, np.asarray(Image.open(data)))
    true = truth(name, found.size)
    assert found.verdict == Verdict.NOISY
    assert np.abs(found.kernel - true).max() <= 0.05 * np.abs(true).max()
    assert found.compression == f"JPEG, quality {quality}"


def test_clipped_and_through_jpeg():
    """A third of it clipped to black, and smeared by JPEG: undetermined, not "no convolution"."""
    data = io.BytesIO()
    Image.fromarray(pillow(CAMERA, "FIND_EDGES")).save(data, "JPEG", quality=95)
    found = recover(CAMERA, np.asarray(Image.open(data)))
    assert found.verdict == Verdict.UNDETERMINED
    assert "changed once more on its way" in found.explanation


@needs(MAGICK, "ImageMagick")
@pytest.mark.parametrize("picture", [CAMERA, COFFEE], ids=["grey", "colour"])
def test_imagemagick_cuts_fractions_off(picture, tmp_path):
    """ImageMagick 6 writes 8-bit files by truncation; its border is replicated.

    scale=25%! divides by the sum (4) first: the skew kernel over 16.
    """
    matrix = "3x3:" + ",".join(map(str, SKEW.ravel()))
    scale = ["-define", "convolve:scale=25%!"]
    after = through(
        [MAGICK, "IN", *scale, "-morphology", "Correlate", matrix, "OUT"], picture, tmp_path
    )
    found = recover(picture, after)
    assert (found.verdict, found.channels, found.padding) == (
        Verdict.CONVOLUTION,
        Channels.ONE,
        "replicate",
    )
    assert np.allclose(found.kernel, SKEW / 16)
    assert (found.bit_exact, found.fractions[0].rounding) == (True, "truncate")


@needs(MAGICK, "ImageMagick")
def test_imagemagick_has_faint_weights_beyond_those_that_least_squares_sees(tmp_path):
    """Its Gaussian of sigma 1 is 9 x 9: all pixels obey that, and no 7 x 7, in one rounding."""
    picture = np.asarray(Image.open(FOLDER / "camera.jpg").convert("L"))
    found = recover(
        picture, through([MAGICK, "IN", "-gaussian-blur", "0x1", "OUT"], picture, tmp_path)
    )
    assert (found.verdict, found.size) == (Verdict.CONVOLUTION, 9)
    assert found.smallest_bound < 0.501
    line = np.exp(-0.5 * np.arange(-4, 5) ** 2)
    true = np.outer(line, line) / line.sum() ** 2
    assert (np.abs(found.kernel[0, 0] - true) <= 5 * found.standard_error[0, 0]).all()


@needs(MAGICK, "ImageMagick")
def test_steps_are_not_said_to_be_one_rounding(tmp_path):
    """Its blur rounds rows, then columns: where one rounding can have made the file, that is said
    of another kernel, as the steps' own in one rounding does not.
    """
    after = through([MAGICK, "IN", "-blur", "0x1", "OUT"], CAMERA, tmp_path)
    found = recover(CAMERA, after)
    assert found.one_rounding
    assert "which its kernel in one rounding does not" in found.explanation
    assert explanations.one_rounding(found).startswith("of another kernel near this one")


@needs("ffmpeg", "ffmpeg")
@pytest.mark.parametrize("picture", [CAMERA, COFFEE], ids=["grey", "colour"])
def test_ffmpeg_has_a_border_of_its_own(picture, tmp_path):
    """ffmpeg's convolution mirrors at the top and left, and repeats the edge at the others."""
    planes = ":".join(f"{n}m={' '.join(map(str, SKEW.ravel()))}:{n}rdiv=1/4" for n in range(4))
    forms = ("gray", "gray") if picture.ndim == 2 else ("gbrp", "rgb24")
    chain = f"format={forms[0]},convolution={planes},format={forms[1]}"
    found = recover(
        picture, through(["ffmpeg", "-i", "IN", "-vf", chain, "OUT"], picture, tmp_path)
    )
    assert (found.verdict, found.bit_exact, found.size) == (Verdict.CONVOLUTION, True, 3)
    assert found.padding_sides == ("reflect", "replicate", "reflect", "replicate")


def test_scipy_truncates_and_wraps():
    """SciPy writes uint8 by cutting off; box of ninths, mode "wrap"."""
    found = recover(
        CAMERA, ndimage.uniform_filter(CAMERA.astype(float), 3, mode="wrap").astype(np.uint8)
    )
    assert (found.verdict, found.padding) == (Verdict.CONVOLUTION, "wrap")
    assert np.allclose(found.kernel, 1 / 9, atol=1e-3)


def test_opencv_sobel_has_its_name():
    """Sobel x over 4 with 128 added is called so."""
    found = recover(CAMERA, cv2.Sobel(CAMERA, cv2.CV_8U, 1, 0, scale=0.25, delta=128))
    assert found.catalogue_name == "Sobel x 3 × 3, divided by 4"
    assert (found.offset, found.padding, found.bit_exact) == (128, "reflect", True)


def _file(picture: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(picture * 255 + 0.5), 0, 255).astype(np.uint8)


SIMPLE = {key: apply for key, apply in OPERATIONS.items() if key != "clipped"}


@pytest.mark.sweep(3)
@pytest.mark.parametrize("key", SIMPLE)
def test_no_convolution_is_called_one(key):
    """Median, bilateral, magnitude, gamma, rotation, JPEG alone ... are never a convolution."""
    found = recover(CAMERA, _file(SIMPLE[key](CAMERA.astype(np.float32) / 255)))
    assert not found.verdict.linear
    # A threshold looks like noise in before, and a turn like a picture beyond the search.
    if key not in ("threshold_unsharp", "rotate"):
        assert found.verdict == Verdict.NOT


@pytest.mark.sweep(2)
@pytest.mark.parametrize(
    ("name", "after"),
    [
        ("median filter, 3 × 3", cv2.medianBlur(CAMERA, 3)),
        ("dilation, 3 × 3", cv2.dilate(CAMERA, np.ones((3, 3)))),
        ("absolute value of Sobel x", cv2.convertScaleAbs(cv2.Sobel(CAMERA, cv2.CV_16S, 1, 0))),
        ("threshold", cv2.threshold(CAMERA, 120, 255, cv2.THRESH_BINARY)[1]),
        ("gamma curve with exponent 0.50", _file((CAMERA / 255) ** 0.5)),
        ("histogram equalisation", cv2.equalizeHist(CAMERA)),
        ("posterisation to 8 levels", np.asarray(ImageOps.posterize(Image.fromarray(CAMERA), 3))),
        ("convolution of the light", _file(cv2.blur((CAMERA / 255) ** 2.2, (5, 5)) ** (1 / 2.2))),
        ("lossy compression", np.asarray(Image.open(FOLDER / "camera.jpg"))[100:300, 110:350]),
    ],
)
def test_a_known_operation_is_named(name, after):
    """What no kernel can do is called by its name where it has one."""
    before = CAMERA
    if name == "lossy compression":
        data = io.BytesIO()
        Image.fromarray(CAMERA).save(data, "JPEG", quality=60)
        after = np.asarray(Image.open(data))
    found = recover(before, after)
    assert found.verdict == Verdict.NOT
    assert name in found.alternative.name
    assert found.alternative.name in found.explanation
