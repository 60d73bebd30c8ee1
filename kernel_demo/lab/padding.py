"""What happens at the edges: five borders side by side, and what padding teaches a layer."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kernel_demo.imaging.filtering import BORDERS, correlate, pad
from kernel_demo.lab.prediction import sums
from kernel_demo.learning.evaluation import GREY_LEVELS, kernel_error


@dataclass(frozen=True, eq=False)
class Bordered:
    """One picture filtered under one border mode, against the same under the reference mode."""

    border: str  # a key of BORDERS
    after: np.ndarray  # H x W (x C), not clipped
    difference: np.ndarray  # after - the reference's after, 0 wherever the whole patch is inside
    largest: float  # of the difference, in grey levels
    largest_interior: float  # the same where the whole patch is inside: 0
    differing_share: float  # of the pixels


@dataclass(frozen=True, eq=False)
class Taught:
    """The kernels learned from all pixels, padded, and from the valid pixels alone."""

    model_border: str  # of the layer that learns
    truth_border: str  # of the tool that made the after pictures
    padded: np.ndarray  # (k, k): learned from all pixels
    padded_error: float  # its largest weight error
    valid: np.ndarray  # (k, k): learned from valid pixels only
    valid_error: float
    border_share: float  # of the pixels, those whose patch leaves the picture


def side_by_side(
    picture: np.ndarray, kernel: np.ndarray, reference: str = "reflect"
) -> tuple[Bordered, ...]:
    """A picture (H x W or H x W x C, 0..1) under each border mode, in the order of BORDERS."""
    radius = len(kernel) // 2
    expected = correlate(picture, kernel, reference)
    inside = np.zeros(picture.shape[:2], bool)
    inside[radius : picture.shape[0] - radius, radius : picture.shape[1] - radius] = True
    made = []
    for border in BORDERS:
        after = correlate(picture, kernel, border)
        difference = after - expected
        off = np.abs(difference) * GREY_LEVELS
        made.append(
            Bordered(
                border,
                after,
                difference,
                float(off.max()),
                float(off[inside].max(initial=0)),
                float((off > 0).mean()),
            )
        )
    return tuple(made)


def teach(
    pictures: Sequence[np.ndarray],
    kernel: np.ndarray,
    model_border: str = "zero",
    truth_border: str = "reflect",
) -> Taught:
    """What a layer that pads with one border learns from a tool that pads with another.

    pictures: H x W, 0..1. Both kernels are the exact optima of squared loss, which any training
    ends in: over all pixels, and over those whose patch lies inside the picture.
    """
    size, radius = len(kernel), len(kernel) // 2
    befores = [np.asarray(picture, np.float64) for picture in pictures]
    afters = [correlate(before, kernel, truth_border) for before in befores]
    # Padded by the model's border, every pixel of the picture has a whole patch.
    framed = [pad(before, radius, model_border) for before in befores]
    answers = [pad(after, radius, "zero") for after in afters]
    everywhere = sums(framed, answers, size)
    inside = sums(befores, afters, size)
    padded, valid = (one.solve(offset=False).kernel for one in (everywhere, inside))
    return Taught(
        model_border,
        truth_border,
        padded,
        kernel_error(padded, kernel),
        valid,
        kernel_error(valid, kernel),
        1 - inside.count / everywhere.count,
    )
