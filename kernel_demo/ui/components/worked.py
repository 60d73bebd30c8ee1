"""The arithmetic of a pixel, below the pictures of a result: what the browser works it out from.

A record holds the picture before the filter, without loss, and the kernels. worked.js does the rest
at the pointer's pace, without a request.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from markupsafe import Markup

from kernel_demo.imaging.filtering import LUMINANCE
from kernel_demo.ui.components import rendered, script
from kernel_demo.ui.html import filled
from kernel_demo.ui.pictures import data_url, middle

MOST, SIDE = 2**20, 1024  # pixels: up to MOST a picture is sent whole, of others the middle
DEEP, FINE = 65535, 257  # white of 16-bit samples; in them, one level of 8 bits
LEVELS = 255  # white, in what is told
NAMES = ("red", "green", "blue")

SCRIPTS = ("drawing", "arithmetic", "worked")
WORDS = {
    "square": "at the square",
    "rounded": "pixels, rounded",
    "made_up": "made up: {border}",
    "lacking": "not held here",
    "products": "products, rounded",
    "many_products": "{count} products",
    "new_pixel": "new pixel",
    "unrounded": "The products are added up before they are rounded.",
    "tag_learned": "learned",
    "patch": "The pixels at the square",
    "kernel": "The kernel",
}
BELOW = {
    "walk": "arrow keys choose the pixel that is worked out",
    "cut": "{beside}, cut off",
    "apart": "{beside}, apart by {difference}",
    "at": "Pixel {x}, {y}",
    "of_channel": "Pixel {x}, {y}, {channel}",
    "sum": "{terms} = {sum}",
    "offset": "{offset} (offset)",
    "piece": "Of a picture this large the middle, {width} × {height} pixels, can be pointed at.",
    "channel": "Channel",
    "from": list(NAMES),
    "unseen": "its patch goes beyond the edge, where no rule is known",
}


def whole(pixels: np.ndarray) -> bool:
    """Whether a picture of this size is sent whole."""
    return pixels.shape[0] * pixels.shape[1] <= MOST


def piece(pixels: np.ndarray, url_of: Callable = data_url) -> dict:
    """A picture without loss, or the middle of a large one, and its place: left, top.

    pixels: H x W or H x W x 3; uint8, uint16, or 0..1, rounded to 16 bits. `fine` has the low
    bytes of what needs 16 bits, `url` then the high ones. url_of: gives a picture its address.
    """
    height, width = pixels.shape[:2]
    sent = pixels if whole(pixels) else middle(pixels, SIDE, SIDE)
    top, left = (height - len(sent)) // 2, (width - sent.shape[1]) // 2
    high, low = _bytes(sent)
    return {
        "url": url_of(high),
        "fine": "" if low is None else url_of(low),
        "left": left,
        "top": top,
        "width": sent.shape[1],
        "height": len(sent),
        "of": [height, width],
    }


def side(
    terms: Sequence[tuple[int, np.ndarray]], border: str | None, offset: float = 0.0,
    around: float | Sequence[float] = 0.0,
) -> dict:  # fmt: skip
    """A sum of planes through kernels (k x k): (number of the plane, kernel) each.

    border: what lies beyond the picture; None: not known. offset, and around, the value there under
    `constant` (one, or one a plane): white is 1.
    """
    return {
        "terms": [{"plane": plane, "kernel": doubles(kernel)} for plane, kernel in terms],
        "border": border,
        "offset": LEVELS * offset,
        "around": (LEVELS * np.atleast_1d(around)).tolist(),
    }


def record(
    source: Mapping, size: int, outputs: Sequence[Mapping], *, name: str, beside: str,
    planes: Sequence[Sequence[float]] | None = None, shift: tuple[int, int] = (0, 0),
    target: Mapping | None = None, start: tuple[int, int] | None = None,
) -> dict:  # fmt: skip
    """All that the arithmetic of a result hangs on.

    source: a `piece`. outputs: one a channel, {"name", "side", "beside"}: a `side`, and one to be
    told beside it, or None. name: what the kernel is called; beside: what the other one is, "{sum}"
    for its value. planes: shares of red, green and blue; one of grey, or each of them, by default.
    shift: rows, columns to the pixel of the source under one of the result. target: a `piece` of
    what there should be, told instead of another sum. start: x, y of the pixel shown first.
    """
    return {
        "source": source,
        "size": size,
        "outputs": list(outputs),
        "name": name,
        "beside": beside,
        "planes": [list(plane) for plane in planes or [(1, 0, 0)]],
        "shift": list(shift),
        "target": target,
        "start": start and {"x": start[0], "y": start[1]},
    }


def html(made: Mapping) -> str:
    """The arithmetic of a `record` in an answer, below pictures made by `view`.

    It needs `in_html()` as the script of the place where it is to be.
    """
    inside = Markup(rendered("worked", words=WORDS | BELOW))
    return filled('<div data-record="{}">{}</div>', json.dumps(made), inside)


def in_html() -> str:
    """The script of a place that answers are put into."""
    return script(*SCRIPTS, "pointed")


def view(url: str, name: str, part: tuple[int, int, int, int], border: str) -> str:
    """A picture to point at: left, top, width and height of what it shows, under a border mode."""
    return filled(
        '<div data-pixels="{}" data-border="{}" tabindex="0" role="group" aria-label="{}">'
        '<img src="{}" alt="{}"><i class="kd-mark" hidden></i></div>',
        json.dumps(part), border, f"{name}: {BELOW['walk']}", url, name,
    )  # fmt: skip


def planes_of(pixels: np.ndarray) -> tuple[tuple[float, ...], ...]:
    """Every channel of a picture as a plane of its own."""
    return ((1, 0, 0),) if pixels.ndim == 2 else ((1, 0, 0), (0, 1, 0), (0, 0, 1))


def plane_named(channel: str) -> tuple[float, ...]:
    """The plane that is learned from; of a grey picture it is the picture, too."""
    return LUMINANCE if channel == "luminance" else tuple(float(channel == one) for one in NAMES)


def _bytes(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """8 bits; or the high and the low ones of 16."""
    if pixels.dtype == np.uint8:
        return pixels, None
    deep = pixels
    if pixels.dtype != np.uint16:
        deep = np.rint(np.clip(pixels, 0, 1) * np.float64(DEEP)).astype(np.uint16)
    if not (deep % FINE).any():
        return (deep // FINE).astype(np.uint8), None
    return (deep >> 8).astype(np.uint8), (deep & 255).astype(np.uint8)


def doubles(matrix: np.ndarray) -> str:
    """Its values, row by row, as base64 of little-endian float64."""
    return base64.b64encode(np.asarray(matrix, "<f8").tobytes()).decode("ascii")
