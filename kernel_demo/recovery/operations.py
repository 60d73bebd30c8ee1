"""Operations that are no kernel, each as a function and as the line of code that does the same.

Pictures are in 255ths of white, float32, H x W or H x W x 3 (red, green, blue): 8-bit files are as
they are, so that a sum that ends on a half does so here and there. Results are neither rounded nor
clipped. In a line of code `x` is such a picture as OpenCV has it: blue, green, red.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

import cv2
import numpy as np

from kernel_demo.imaging import kernels, operators
from kernel_demo.imaging.filtering import correlate
from kernel_demo.recovery.explanations import Curve

Filter: TypeAlias = Callable[[np.ndarray], np.ndarray]
WHITE = 255.0
REC_709 = (0.2126, 0.7152, 0.0722)  # luminance of linear red, green, blue (ITU-R BT.709)


@dataclass(frozen=True, eq=False)
class Operation:
    """What makes a picture of a picture."""

    name: str  # as one says it in a sentence
    apply: Filter
    code: str  # the same, of `x`, and of `kernel` if there is one
    parameters: dict[str, object]
    kernel: np.ndarray | None = None  # k x k, that it works with
    radius: int = 0  # pixels about each that it looks at
    border: str = "reflect"  # beyond the picture, in that code
    needs: str = ""  # functions that the code calls


def _of_window(words: str, apply: Filter, code: str, size: int) -> Operation:
    name = f"{words}, {size} × {size}"
    return Operation(name, apply, code, {"size": size}, radius=size // 2, border="replicate")


def _windows(size: int) -> tuple[Operation, ...]:
    window, edges = f"np.ones(({size}, {size}), np.uint8)", "borderType=cv2.BORDER_REPLICATE"
    dilated, eroded = f"cv2.dilate(x, {window}, {edges})", f"cv2.erode(x, {window}, {edges})"
    return (
        _of_window(
            "a median filter", partial(operators.median, size=size), f"cv2.medianBlur(x, {size})",
            size,
        ),
        _of_window("a dilation", partial(operators.dilate, size=size), dilated, size),
        _of_window("an erosion", lambda x: -operators.dilate(-x, size), eroded, size),
        _of_window(
            "a morphological gradient",
            lambda x: operators.dilate(x, size) + operators.dilate(-x, size),
            f"{dilated} - {eroded}", size,
        ),
    )  # fmt: skip


def _wide_median(size: int) -> Operation:
    code = f"cv2.medianBlur(np.rint(x).astype(np.uint8), {size}).astype(np.float32)"
    return _of_window(
        "a median filter", lambda x: WHITE * operators.median(x / WHITE, size), code, size
    )


def _absolutes(image: np.ndarray) -> np.ndarray:
    across = kernels.named("sobel_x").values
    return operators.absolute(image, across) + operators.absolute(image, across.T)


def _squares(image: np.ndarray) -> np.ndarray:
    across = kernels.named("sobel_x").values
    right, up = (np.clip(correlate(image, one), 0, WHITE) for one in (across, -across.T))
    return (right**2 + up**2) / WHITE


def _of_kernel(key: str, name: str, apply: Filter, code: str) -> Operation:
    kernel = kernels.named(key).values
    return Operation(name, apply, code, {}, kernel, len(kernel) // 2)


ACROSS, DOWN = "cv2.filter2D(x, -1, kernel)", "cv2.filter2D(x, -1, kernel.T)"
UP = "cv2.filter2D(x, -1, -kernel.T)"
TONE, REACH = 25.5, 3  # 255ths of white, pixels

# Each is fitted as after = a * operation(before) + b.
OPERATIONS: tuple[Operation, ...] = (
    *_windows(3)[:3],
    *_windows(5)[:3],
    _wide_median(9),
    _wide_median(15),
    _windows(3)[3],
    _of_kernel(
        "sobel_x", "the sum of absolute Sobel derivatives", _absolutes,
        f"np.abs({ACROSS}) + np.abs({DOWN})",
    ),
    _of_kernel(  # effect.Sobel of the Go library bild
        "sobel_x", "the sum of squared Sobel derivatives, each cut off at black and white",
        _squares, f"(np.clip({ACROSS}, 0, 255) ** 2 + np.clip({UP}, 0, 255) ** 2) / 255",
    ),
    Operation(
        "a bilateral filter", partial(operators.bilateral, tone=TONE, reach=REACH),
        f"cv2.bilateralFilter(x, 7, {TONE}, {REACH})",
        {"size": 7, "tone": TONE, "reach": REACH}, radius=3,
    ),
    *(
        _of_kernel(
            key, f"a gradient magnitude ({name})",
            partial(operators.magnitude, kernel=kernels.named(key).values),
            f"np.hypot({ACROSS}, {DOWN})",
        )
        for key, name in (("sobel_x", "Sobel"), ("scharr_x", "Scharr"), ("prewitt_x", "Prewitt"))
    ),
    *(
        _of_kernel(
            key, f"the absolute value of {label}",
            partial(operators.absolute, kernel=kernels.named(key).values), f"np.abs({ACROSS})",
        )
        for key, label in (
            ("sobel_x", "Sobel x"),
            ("sobel_y", "Sobel y"),
            ("scharr_x", "Scharr x"),
            ("scharr_y", "Scharr y"),
            ("prewitt_x", "Prewitt x"),
            ("prewitt_y", "Prewitt y"),
            ("laplacian_4", "the Laplacian, 4 neighbours"),
            ("laplacian_8", "the Laplacian, 8 neighbours"),
            ("roberts_down", "the Roberts difference, down"),
            ("roberts_up", "the Roberts difference, up"),
        )
    ),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Light:
    """A curve between stored values and light, both 0..1."""

    name: str
    decode: Callable[[np.ndarray], np.ndarray]
    encode: Callable[[np.ndarray], np.ndarray]
    code: str  # the same as the functions `decode` and `encode`


SRGB = """\
def decode(v):
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4)


def encode(v):
    v = np.clip(v, 0, 1)
    return np.where(v <= 0.0031308, 12.92 * v, 1.055 * v ** (1 / 2.4) - 0.055)
"""
POWER = """\
def decode(v):
    return v**2.2


def encode(v):
    return np.clip(v, 0, 1) ** (1 / 2.2)
"""
LIGHTS = (
    Light("sRGB", operators.to_light, operators.from_light, SRGB),
    Light("power 2.2", lambda v: v**2.2, lambda v: np.clip(v, 0, 1) ** (1 / 2.2), POWER),
)
# Curves of each pixel by itself, 0..1: the ways between stored values and light.
BY_LIGHT = {Curve.TO_LIGHT: operators.to_light, Curve.FROM_LIGHT: operators.from_light}


def _grey(name: str, apply: Filter, code: str, needs: str = "") -> Operation:
    return Operation(f"grey by {name}", apply, code, {}, needs=needs)


def _luminance(image: np.ndarray) -> np.ndarray:
    light = operators.to_light(image / WHITE) @ np.array(REC_709)
    return WHITE * operators.from_light(light)


# Ways from colours to grey that are no weighted sum: H x W x 3 to H x W.
GREYS: tuple[Operation, ...] = (
    _grey("the largest channel (value)", lambda x: x.max(axis=2), "x.max(axis=2)"),
    _grey("the smallest channel", lambda x: x.min(axis=2), "x.min(axis=2)"),
    _grey(
        "the middle of the largest and the smallest channel (lightness)",
        lambda x: (x.max(axis=2) + x.min(axis=2)) / 2, "(x.max(axis=2) + x.min(axis=2)) / 2",
    ),
    _grey(
        "the luminance of their light", _luminance,
        f"255 * encode(decode(x / 255) @ np.array({list(REC_709[::-1])}))", SRGB,
    ),
)  # fmt: skip


# Colours as hue, saturation and lightness or brightness (Smith, SIGGRAPH 1978).


def contrast(sign: int) -> Operation:
    """ImageMagick's -contrast (1) and +contrast (-1): a sine of the brightness (enhance.c)."""
    more = "more" if sign > 0 else "less"
    return Operation(
        f"{more} contrast of the brightness, with hue and saturation as they were",
        partial(_contrasted, sign=sign), f"contrasted(x, {sign})", {"sign": sign}, needs=CONTRASTED,
    )  # fmt: skip


def _contrasted(image: np.ndarray, sign: int) -> np.ndarray:
    value = image.max(axis=2, keepdims=True).astype(np.float64) / WHITE
    bent = value + sign * (0.25 * (np.sin(np.pi * (value - 0.5)) + 1) - 0.5 * value)
    return image * np.divide(bent, value, out=np.zeros_like(value), where=value > 0)


CONTRASTED = """\
def contrasted(x, sign):
    value = x.max(axis=2, keepdims=True).astype(float) / 255
    bent = value + sign * (0.25 * (np.sin(np.pi * (value - 0.5)) + 1) - 0.5 * value)
    return x * np.divide(bent, value, out=np.zeros_like(value), where=value > 0)
"""


def hue(angle: float) -> Operation:
    """Turned by an angle, in degrees."""
    return Operation(
        f"a change of hue by {angle:g} degrees, with saturation and lightness as they were",
        partial(_in_hls, angle=angle), f"in_hls(x, {angle:g}, 1)", {"angle": angle}, needs=IN_HLS,
    )  # fmt: skip


def saturation(factor: float) -> Operation:
    """Multiplied, and cut off at 1."""
    return Operation(
        f"a change of saturation by a factor of {factor:g}, with hue and lightness as they were",
        partial(_in_hls, factor=factor), f"in_hls(x, 0, {factor:g})", {"factor": factor},
        needs=IN_HLS,
    )  # fmt: skip


def _in_hls(image: np.ndarray, angle: float = 0, factor: float = 1) -> np.ndarray:
    scaled = np.ascontiguousarray(image / WHITE, np.float32)
    h, light, s = cv2.split(cv2.cvtColor(scaled, cv2.COLOR_RGB2HLS))
    changed = cv2.merge([(h + angle) % 360, light, np.minimum(s * factor, 1)])
    return WHITE * cv2.cvtColor(changed, cv2.COLOR_HLS2RGB)


IN_HLS = """\
def in_hls(x, angle, factor):
    h, l, s = cv2.split(cv2.cvtColor(x / 255, cv2.COLOR_BGR2HLS))
    changed = cv2.merge([(h + angle) % 360, l, np.minimum(s * factor, 1).astype(np.float32)])
    return 255 * cv2.cvtColor(changed.astype(np.float32), cv2.COLOR_HLS2BGR)
"""
