"""What lies beyond the picture: the five border modes, in one table.

A filter of radius r needs r pixels that the picture does not have. Every library makes them up, and
gives the ways to do so its own names; ours are the keys of BORDERS.
"""

from dataclasses import dataclass

import cv2
import numpy as np

from kernel_demo.errors import DemoError


@dataclass(frozen=True)
class Border:
    """One border mode and what the libraries call it."""

    name: str  # ours
    label: str  # what a visitor reads
    opencv: int  # a cv2.BORDER_ constant; cv2.filter2D refuses BORDER_WRAP
    torch: str | None  # mode of torch.nn.functional.pad; None: torch has no such mode
    numpy: str  # mode of numpy.pad


BORDERS: dict[str, Border] = {
    border.name: border
    for border in (
        Border("zero", "Zero (black around)", cv2.BORDER_CONSTANT, "constant", "constant"),
        Border("replicate", "Replicate (aa|abc|cc)", cv2.BORDER_REPLICATE, "replicate", "edge"),
        Border("reflect", "Reflect (cb|abc|ba)", cv2.BORDER_REFLECT_101, "reflect", "reflect"),
        # torch.nn.functional.pad cannot mirror and repeat the edge pixel: use pad() below.
        Border("symmetric", "Symmetric (ba|abc|cb)", cv2.BORDER_REFLECT, None, "symmetric"),
        Border("wrap", "Wrap (bc|abc|ab)", cv2.BORDER_WRAP, "circular", "wrap"),
    )
}


def border_named(name: str) -> Border:
    """The border mode of that name. DemoError for any other."""
    if not isinstance(name, str) or name not in BORDERS:
        raise DemoError(
            f"one of the border modes {', '.join(BORDERS)}", repr(name)[:60], "Choose one of these."
        )
    return BORDERS[name]


def pad(image: np.ndarray, radius: int, border: str = "reflect") -> np.ndarray:
    """The picture with `radius` more pixels on every side.

    image: H x W or H x W x C of any dtype, from 1 x 1 up. Where the radius exceeds the picture, the
    reflection goes to and fro as often as needed; an axis of one pixel repeats it.
    Returns (H + 2 radius) x (W + 2 radius) (x C), a new array of the same dtype.
    """
    widths = [(radius, radius)] * 2 + [(0, 0)] * (image.ndim - 2)
    return np.pad(image, widths, mode=border_named(border).numpy)


def positions(length: int, radius: int, border: str = "reflect") -> np.ndarray:
    """Where each pixel of a padded axis comes from, as int64 of length + 2 radius; -1 means zero.

    pad() for pictures too large to copy: pad(a, r, b)[y] is a[positions(len(a), r, b)[y]].
    """
    mode = border_named(border).numpy
    filler = {"constant_values": -1} if mode == "constant" else {}
    return np.pad(np.arange(length), radius, mode=mode, **filler)
