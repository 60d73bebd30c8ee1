"""The catalogue of named kernels: what each is called and for, and the sizes it exists in.

kernels.named() makes a Kernel of an entry.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kernel_demo.imaging import formulas

ODD_SIZES = (3, 5, 7, 9, 11, 13, 15)


@dataclass(frozen=True)
class Named:
    """An entry of the catalogue: a kernel for each of some sizes."""

    key: str
    label: str
    purpose: str  # one line, for a visitor
    sizes: tuple[int, ...]
    build: Callable[[int, float], np.ndarray]  # (size, angle in degrees) -> size x size
    takes_angle: bool = False


def _fixed(values: np.ndarray) -> Callable[[int, float], np.ndarray]:
    return lambda size, angle: values


def _sized(formula: Callable[[int], np.ndarray]) -> Callable[[int, float], np.ndarray]:
    return lambda size, angle: formula(size)


def _sized_down(formula: Callable[[int], np.ndarray]) -> Callable[[int, float], np.ndarray]:
    """The same derivative along y: transposed."""
    return lambda size, angle: formula(size).T


# cv2.Sobel takes 3, 5 and 7; at 15 its largest weight would be over 3 million.
_SOBEL_SIZES = (3, 5, 7)
# A second derivative or a wave needs more than one pixel on either side.
_WAVE_SIZES = ODD_SIZES[1:]

CATALOGUE: dict[str, Named] = {
    entry.key: entry
    for entry in (
        Named(
            "identity",
            "Identity",
            "Leaves the picture as it is: the simplest thing to learn.",
            ODD_SIZES,
            _sized(formulas.identity),
        ),
        Named(
            "sobel_x",
            "Sobel x",
            "Finds vertical edges: how fast the brightness rises to the right.",
            _SOBEL_SIZES,
            _sized(formulas.sobel_x),
        ),
        Named(
            "sobel_y",
            "Sobel y",
            "Finds horizontal edges: how fast the brightness rises downwards.",
            _SOBEL_SIZES,
            _sized_down(formulas.sobel_x),
        ),
        Named(
            "scharr_x",
            "Scharr x",
            "Finds vertical edges, and measures slanted ones more evenly than Sobel.",
            (3,),
            _fixed(formulas.SCHARR_X),
        ),
        Named(
            "scharr_y",
            "Scharr y",
            "Finds horizontal edges, and measures slanted ones more evenly than Sobel.",
            (3,),
            _fixed(formulas.SCHARR_X.T),
        ),
        Named(
            "prewitt_x",
            "Prewitt x",
            "Finds vertical edges by the slope of the best-fitting plane.",
            ODD_SIZES,
            _sized(formulas.prewitt_x),
        ),
        Named(
            "prewitt_y",
            "Prewitt y",
            "Finds horizontal edges by the slope of the best-fitting plane.",
            ODD_SIZES,
            _sized_down(formulas.prewitt_x),
        ),
        Named(
            "roberts_down",
            "Roberts, down",
            "Compares neighbours along the diagonal that falls to the right.",
            (3,),
            _fixed(formulas.ROBERTS_DOWN),
        ),
        Named(
            "roberts_up",
            "Roberts, up",
            "Compares neighbours along the diagonal that rises to the right.",
            (3,),
            _fixed(formulas.ROBERTS_UP),
        ),
        Named(
            "laplacian_4",
            "Laplacian, 4 neighbours",
            "Shows where brightness bends: fine lines, spots and both sides of an edge.",
            (3,),
            _fixed(formulas.LAPLACIAN_4),
        ),
        Named(
            "laplacian_8",
            "Laplacian, 8 neighbours",
            "The Laplacian with diagonals: fine detail in every direction.",
            (3,),
            _fixed(formulas.LAPLACIAN_8),
        ),
        Named(
            "sharpen",
            "Sharpen",
            "Makes edges crisper by adding the fine detail once more.",
            (3,),
            _fixed(formulas.SHARPEN),
        ),
        Named(
            "unsharp",
            "Unsharp mask",
            "Sharpens as photo editors do: adds what a blur would take away.",
            ODD_SIZES,
            _sized(formulas.unsharp),
        ),
        Named(
            "emboss",
            "Emboss",
            "Makes the picture look pressed into metal, lit from one corner.",
            (3,),
            _fixed(formulas.EMBOSS),
        ),
        Named(
            "box",
            "Box blur",
            "Averages all pixels of the window alike: the simplest blur.",
            ODD_SIZES,
            _sized(formulas.box),
        ),
        Named(
            "gaussian",
            "Gaussian blur",
            "A soft blur without corners: near pixels count more than far ones.",
            ODD_SIZES,
            _sized(formulas.gaussian),
        ),
        Named(
            "motion_blur",
            "Motion blur",
            "Smears along a line, as when the camera moves during the shot.",
            ODD_SIZES,
            formulas.motion_blur,
            takes_angle=True,
        ),
        Named(
            "log",
            "Laplacian of Gaussian",
            "Finds spots and edges of one scale, and ignores finer noise.",
            _WAVE_SIZES,
            _sized(formulas.laplacian_of_gaussian),
        ),
        Named(
            "gabor",
            "Gabor",
            "Answers to stripes of one width and direction, as cells in the eye's cortex do.",
            _WAVE_SIZES,
            formulas.gabor,
            takes_angle=True,
        ),
    )
}
