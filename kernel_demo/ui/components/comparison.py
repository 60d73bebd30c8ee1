"""Two pictures under a divider, their difference, and what the figures say.

Signed outputs are drawn as blue (below zero) and orange (above) whose opacity is the magnitude, so
that zero is the page's own ground in light and in dark. Pictures travel as PNG inside the value:
no file is written and no other visitor can ask for one.
"""

import io
import re
import unicodedata

import gradio as gr
import numpy as np
from PIL import Image

from kernel_demo.imaging.filtering import to_uint8
from kernel_demo.numbers import factor
from kernel_demo.ui import theme
from kernel_demo.ui.components import from_files, worked
from kernel_demo.ui.pictures import data_url, fit, png_url

LONGEST = 1024  # pixels of the longer side on the page; the figures are those of the full size
WORDS = (
    worked.WORDS
    | worked.BELOW
    | {
        "pictures": f"Two pictures under a divider: {worked.BELOW['walk']}",
        "difference": f"Their difference: {worked.BELOW['walk']}",
        "save": "Save what is shown as PNG:",
        "divider": "Move the divider between the two pictures",
    }
)
SHADES = 127  # of blue, and of orange
# Of full opacity in a signed map: a share of the strongest value, and eight grey levels, at least.
STRONGEST, LEAST = 1 / 8, 8 / 255
BELOW = 0.05  # the share of an output below zero that makes it a signed map
FAINT = 0.5 / 255  # hardly anything: half a grey level on average
DARK = 0.25  # of a flat picture's grey: what a kernel that takes off most of what it adds leaves
NEGATIVE, POSITIVE = theme.colour("negative"), theme.colour("positive")


def component(elem_id: str) -> gr.HTML:
    """The view; its value is what `view()` returns, or None."""
    return from_files("comparison", None, elem_id, words=WORDS, shared=worked.SCRIPTS)


def signed(values: np.ndarray, scale: float) -> np.ndarray:
    """H x W signed values as RGBA; `scale` is the value of full opacity."""
    opacity = np.clip(np.abs(values) / max(scale, np.finfo(float).tiny), 0, 1)
    rgba = np.empty((*values.shape, 4), np.uint8)
    rgba[..., :3] = np.where((values < 0)[..., None], NEGATIVE, POSITIVE)
    rgba[..., 3] = np.rint(255 * opacity)
    return rgba


RAMP = signed(np.arange(-SHADES, SHADES + 1), SHADES)


def signed_url(values: np.ndarray, scale: float) -> str:
    """H x W signed values as a PNG in a URL: `signed`, in SHADES either way, at half the bytes."""
    share = np.clip(values / max(scale, np.finfo(float).tiny), -1, 1)
    image = Image.fromarray(np.rint(SHADES * share + SHADES).astype(np.uint8))
    image.putpalette(RAMP[:, :3].tobytes())
    file = io.BytesIO()
    image.save(file, "PNG", transparency=RAMP[:, 3].tobytes())
    return png_url(file.getvalue())


def is_signed(output: np.ndarray, kernel: np.ndarray) -> bool:
    """Whether the output of a kernel is a signed map, not a photo; pictures.js has the same rule.

    output: 0..1 or signed. A kernel that takes off nearly all that it adds (Gabor's) makes no photo
    of one, even where little comes out below zero. Where hardly anything is left of the output, the
    kernel tells: whether a flat picture comes out near zero.
    """
    total, flat = float(np.abs(output).mean()), abs(float(kernel.sum()))
    if total < FAINT:
        return flat < 0.5
    balanced = flat < DARK * min(1.0, float(np.abs(kernel).sum()))
    return balanced or bool(-np.minimum(output, 0).mean() >= BELOW * total)


def strongest(difference: np.ndarray, longest: int) -> np.ndarray:
    """Shrink an H x W (x 3) difference to one plane that keeps its largest errors in sight.

    Each block of pixels keeps its most extreme value of any channel.
    """
    high, low = difference, difference
    if difference.ndim == 3:
        high, low = difference.max(axis=2), difference.min(axis=2)
    block = -(-max(difference.shape[:2]) // longest)
    if block > 1:
        for axis in (0, 1):
            starts = np.arange(0, difference.shape[axis], block)
            high = np.maximum.reduceat(high, starts, axis)
            low = np.minimum.reduceat(low, starts, axis)
    return np.where(high > -low, high, low)


def view(
    first: np.ndarray,
    second: np.ndarray,
    names: tuple[str, str],
    *,
    is_map: bool,
    figures: tuple[tuple[str, str], ...] = (),
    note: str = "",
    arithmetic: dict | None = None,
) -> dict:
    """The value for the component.

    first, second: H x W or H x W x 3 float32, 0..1 or signed when `is_map`; their scale is then
    that of the second, the true one.
    figures: (number, meaning) pairs, already worded. arithmetic: a record of `worked`, of the same
    pixels.
    """
    difference = (second - first).astype(np.float32)
    largest = float(np.abs(difference).max())
    # The gain is a power of ten that brings the largest difference to between 0.1 and 1.
    gain = 10.0 ** np.clip(np.floor(-np.log10(largest)), 0, 9) if largest > 0 else 1.0
    scale = _full(second) if is_map else 1.0  # one for both pictures
    height, width = first.shape[:2]
    alike = 2 * 255 * largest < scale  # apart by less than half a level: one picture serves both
    return {
        "first": _drawn(first, is_map, scale),
        "second": "" if alike else _drawn(second, is_map, scale),
        "difference": signed_url(strongest(difference, LONGEST) * gain, 1.0),
        "names": list(names),
        "gain": _gain(gain, largest),
        "width": width,
        "height": height,
        "figures": [list(figure) for figure in figures],
        "note": note,
        "worked": arithmetic,
    }


def saved(shown: dict, picture: str, difference: str) -> dict:
    """A value of `view` with links that save its second picture and its difference, as shown.

    picture, difference: what a visitor calls them. Their files' names have the factor, and how much
    smaller than the whole they are.
    """
    longest = max(shown["width"], shown["height"])
    smaller = f" at 1 to {longest / LONGEST:.3g}" if longest > LONGEST else ""
    named = [(picture, picture, "second"), (difference, shown["gain"], "difference")]
    return shown | {
        "files": [[text, file_name(told + smaller), which] for text, told, which in named]
    }


def file_name(told: str) -> str:
    """Words as the name of a PNG: "residual × 2·10⁴" as residual_times_2e4.png."""
    plain = re.sub(r"(?:(\d)·)?10([⁰¹²³⁴⁵⁶⁷⁸⁹]+)", lambda m: f"{m[1] or 1}e{m[2]}", told)
    plain = unicodedata.normalize("NFKC", plain.replace("×", "times"))
    return re.sub(r"[^\w.]+", "_", plain).strip("_").lower() + ".png"


def _full(values: np.ndarray) -> float:
    """The magnitude of full opacity in a signed map.

    The 98th percentile, so that one bright edge hides no other; of a picture that is flat nearly
    everywhere that is the rounding of zeros, which the share of the strongest value keeps pale.
    """
    magnitude = np.abs(values)
    return max(float(np.percentile(magnitude, 98)), STRONGEST * float(magnitude.max()), LEAST)


def _drawn(image: np.ndarray, is_map: bool, scale: float) -> str:
    small = fit(image, LONGEST)
    return signed_url(small, scale) if is_map else data_url(to_uint8(small))


def _gain(gain: float, largest: float) -> str:
    if largest == 0:
        return "difference: none"
    return f"difference {factor(gain)}"
