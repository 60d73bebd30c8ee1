"""How a tool made a file: by its own function, one call, or each of its filters written out."""

from __future__ import annotations

from itertools import groupby

import numpy as np

from kernel_demo.export.code import ENDED, Snippet
from kernel_demo.imaging.filtering import CONSTANT, MODES
from kernel_demo.recovery import Channels, Edge, Recovery, Rounding
from kernel_demo.recovery.formulas import scipy_size
from kernel_demo.recovery.fractions import EXACT
from kernel_demo.recovery.operations import WHITE
from kernel_demo.recovery.passes import Family, Pass, Way

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

before = np.asarray(Image.open("before.png"))
after = ndimage.gaussian_filter(before, {sigma}, axes=(0, 1))  # 8 bits: cut off after each axis
Image.fromarray(after).save("after.png")
"""
_MAGICK = "magick before.png {call} -depth 8 after.png\n"
_WRITTEN_OUT = """\
import cv2
import numpy as np


def filtered(picture, weights):
    down, right = weights.shape[0] // 2, weights.shape[1] // 2
    height, width = picture.shape[:2]
    around = cv2.copyMakeBorder(picture, down, down, right, right, cv2.{border}{value})
    return cv2.filter2D(around, cv2.CV_64F, weights)[down : down + height, right : right + width]
{mean}

before = cv2.imread("before.png", cv2.IMREAD_ANYCOLOR).astype(np.float64)
after = before
{steps}cv2.imwrite("after.png", after.astype(np.uint8))
"""
_MEAN = """

def mean_inside(picture, weights):
    inside = filtered(np.ones_like(picture), weights) / weights.sum()
    return filtered(picture, weights) / inside

"""
_UNSHARP = """\
more = np.trunc((before - after) * {percent!r} / 100)
after = np.clip(before + more, 0, 255)
"""
_INSTALL = "pip install {}"
_MAGICK_NOTE = "ImageMagick 6, in which the program is called convert, cuts off to 8 bits as here."


def program(found: Recovery) -> Snippet | None:
    """What makes after.png of before.png as the tool did, by the steps of a record.

    The tool's own function, where one is known that goes on beyond the border as the pair shows;
    else each filter written out. None: of one rounding, which a kernel does under a border mode.
    """
    if found.padding == Edge.RENORMALISED and found.kernel is not None:
        if found.steps is not None and found.in_steps:
            return written_out(found.steps.way, found.padding)
        once = Pass(found.kernel[0, 0], offset=255 * float(np.mean(found.relative_offset)))
        return written_out(Way((once,)), found.padding)
    if found.steps is None:
        return None
    way, border = found.steps.way, found.padding if found.padding in MODES else None
    own = own_call(way)
    if own is not None and border in (None, _TOOLS_BORDER[own.tool]):
        return own
    value = found.padding_value if border == CONSTANT and found.padding_value is not None else 0.0
    return (
        written_out(way, border or "reflect", float(np.mean(value))) if way.roundings > 1 else None
    )


def roundings(found: Recovery) -> tuple[Rounding | None, ...]:
    """For each output of the kernels how the tool rounds, to the last tie; None: not known."""
    outputs = 0 if found.kernel is None else len(found.kernel)
    if found.white != WHITE or found.channels == Channels.MIXTURE:
        return (None,) * outputs
    if found.fractions:
        return tuple(w.rounding if w.arithmetic == EXACT else None for w in found.fractions)
    way = None if found.steps is None else found.steps.way
    if way is None or len(way.passes) > 1 or way.passes[0].finer > 1 or way.percent is not None:
        return (None,) * outputs
    return (way.passes[0].rounding,) * outputs


_TOOLS_BORDER = {
    "Pillow": "replicate",
    "ImageMagick": "replicate",
    "OpenCV": "reflect",
    "NumPy/SciPy": "symmetric",
}


def written_out(way: Way, border: str = "reflect", value: float = 0.0) -> Snippet:
    """Filter by filter, each of which rounds and goes on by a border mode.

    border: or Edge.RENORMALISED. value: what is around under CONSTANT, in grey levels.
    """
    around = f", value=[{value!r}] * 3" if border == CONSTANT else ""
    mean = border == Edge.RENORMALISED
    runs = [(one, len([*same])) for one, same in groupby(way.passes)]
    steps = "".join(_run(*each, "mean_inside" if mean else "filtered") for each in runs)
    if way.percent is not None:
        steps += _UNSHARP.format(percent=way.percent)
    parts = {"mean": _MEAN if mean else "", "value": around, "steps": steps}
    code = _WRITTEN_OUT.format(border=MODES["zero" if mean else border].opencv, **parts)
    return Snippet("OpenCV", code, "pip install opencv-python-headless")


def _run(one: Pass, times: int, does: str) -> str:
    """Lines of a filter that is applied one time or more. does: the function that filters."""
    sums = f"{does}(after, weights)" + (f" + {one.offset!r}" if one.offset else "")
    if one.finer > 1:
        sums = f"({sums}) * {one.finer}" if one.offset else f"{sums} * {one.finer}"
    ended = ENDED[one.rounding].format(sums=sums)
    ended += f" / {one.finer}" if one.finer > 1 else ""
    weights, turned = one.weights, ""
    if weights.shape[1] == 1 < weights.shape[0]:
        weights, turned = weights.T, ".T"
    rows = ",\n    ".join(f"[{', '.join(map(repr, row))}]" for row in weights.tolist())
    loop, deep = (f"for _ in range({times}):\n", "    ") if times > 1 else ("", "")
    return (
        f"weights = np.array([\n    {rows},\n]){turned}\n"
        f"{loop}{deep}after = np.clip({ended}, 0, 255)\n"
    )


def own_call(way: Way) -> Snippet | None:
    """The call of a tool that makes what the way makes. None: no tool's function is known."""
    figures = {name: f"{value:.6g}" for name, value in way.parameters.items()}
    calls: dict[Family | None, str] = {
        Family.PILLOW_GAUSSIAN: "GaussianBlur({radius})",
        Family.PILLOW_BOX: "BoxBlur({radius})",
        Family.PILLOW_UNSHARP: "UnsharpMask({radius}, {percent}, 0)",
    }
    pillow = calls.get(way.family)
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
