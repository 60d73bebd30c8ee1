"""Which pixels of clipped pictures can be trusted, when there is noise.

A file clips what is below 0 or above white. To leave out the pixels that *are* 0 or white is right
without noise. With noise it keeps, near the ends, just those pixels whose noise pointed inward, and
least squares is biased by many error bars: selection on the response (Tobin, "Estimation of
relationships for limited dependent variables", Econometrica 26, 1958). Selection by the *predicted*
value depends on the before picture alone and biases nothing.
"""

from collections.abc import Sequence

import numpy as np

from kernel_demo.imaging.filtering import correlate
from kernel_demo.learning.statistics import accumulate

MARGIN = 4.0  # standard deviations of the residual: so far from the ends, clipping is rare
ROUNDS = 3  # the first fit is the biased one; two more settle the margins


def trusted(
    befores: Sequence[np.ndarray],
    afters: Sequence[np.ndarray],
    masks: Sequence[np.ndarray],
    size: int,
) -> tuple[np.ndarray, ...]:
    """Masks of the after pixels whose predicted value lies well inside 0..1.

    befores, afters: H x W float, 0..1. masks: H x W bool, False on pixels that were clipped, for
    the first fit. size: of the kernel that is fitted. Masks that would leave less than the
    unknowns are given back as they came.
    """
    chosen = tuple(masks)
    for _ in range(ROUNDS):
        statistics, _ = accumulate(zip(befores, afters, chosen, strict=True), size)
        if statistics.count <= size**2:
            return tuple(masks)
        best = statistics.solve(offset=False)
        margin = MARGIN * best.residual
        predicted = [correlate(before, best.kernel) for before in befores]
        chosen = tuple((value > margin) & (value < 1 - margin) for value in predicted)
    enough = sum(int(mask.sum()) for mask in chosen) > 4 * size**2
    return chosen if enough else tuple(masks)
