"""The tool's own function, where a filter is known by its parameters: one call, the same pixels."""

from __future__ import annotations

from kernel_demo.export.code import Snippet
from kernel_demo.recovery.explanations import Rounding
from kernel_demo.recovery.formulas import scipy_size
from kernel_demo.recovery.passes import Family, Way

_PILLOW = """\
from PIL import Image, ImageFilter

before = Image.open("before.png")
before.filter(ImageFilter.{call}).save("after.png")
"""
_OPENCV = """\
import cv2

before = cv2.imread("before.png", cv2.IMREAD_ANYCOLOR)
cv2.imwrite("after.png", cv2.GaussianBlur(before, ({size}, {size}), {sigma}))
"""
_SCIPY = """\
import numpy as np
from PIL import Image
from scipy import ndimage

before = np.asarray(Image.open("before.png").convert("L"))
after = ndimage.gaussian_filter(before, {sigma})  # 8 bits: cut off after each axis
Image.fromarray(after).save("after.png")
"""
_MAGICK = "magick before.png {call} -depth 8 after.png\n"
_INSTALL = "pip install {}"
_MAGICK_NOTE = "ImageMagick 6, in which the program is called convert, cuts off to 8 bits as here."


def own_call(way: Way) -> Snippet | None:
    """The call of a tool that makes what the way makes. None: no tool's function is known."""
    figures = {name: f"{value:.6g}" for name, value in way.parameters.items()}
    pillow = {
        Family.PILLOW_GAUSSIAN: "GaussianBlur({radius})",
        Family.PILLOW_BOX: "BoxBlur({radius})",
        Family.PILLOW_UNSHARP: "UnsharpMask({radius}, {percent}, 0)",
    }.get(way.family)
    if pillow is not None:
        code = _PILLOW.format(call=pillow.format(**figures))
        return Snippet("Pillow", code, _INSTALL.format("pillow"))
    if way.family == Family.OPENCV_GAUSSIAN:
        return Snippet("OpenCV", _OPENCV.format(**figures), "pip install opencv-python-headless")
    magick = _magick(way, figures)
    if magick:
        return Snippet("ImageMagick", _MAGICK.format(call=magick), _MAGICK_NOTE)
    if _by_scipy(way):
        return Snippet("NumPy/SciPy", _SCIPY.format(**figures), _INSTALL.format("scipy pillow"))
    return None


def _magick(way: Way, figures: dict[str, str]) -> str:
    """The option, of what keeps 16 bits between."""
    if way.family == Family.MAGICK_BLUR:
        return "-blur 0x{sigma}".format(**figures)
    deep = way.family == Family.GAUSSIAN and way.roundings == 1 and way.passes[0].finer > 1
    radius = int(way.parameters.get("size", 1)) // 2
    return f"-morphology Convolve Gaussian:{radius}x{figures['sigma']}" if deep else ""


def _by_scipy(way: Way) -> bool:
    """Whether it is gaussian_filter of 8 bits: columns first, both cut off, to four sigma."""
    if way.family != Family.GAUSSIAN or len(way.passes) != 2:
        return False
    column, row = way.passes
    cut_off = {one.rounding for one in way.passes} == {Rounding.TRUNCATE}
    across = row.weights.shape[0] == 1 and column.weights.shape[1] == 1
    return cut_off and across and way.parameters["size"] == scipy_size(way.parameters["sigma"])
