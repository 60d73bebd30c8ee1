"""How much smaller noise in before has made a kernel than it is.

Independent noise of variance s^2 in before adds s^2 to the diagonal of X'X / n and nothing to X'y:
least squares gives w = (G - s^2) G^-1 K, with G = X'X / n as it is seen (errors in variables:
Fuller, Measurement Error Models, 1987, section 1.2). The tool did not see that noise, so that w
makes of it what after lacks: noise of the colour of w * w, while noise of after and rounding are
white. So s^2 is the slope of the autocovariance of what w leaves on that of w with itself, at every
distance but 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.recovery.alignment import Plane
from kernel_demo.recovery.halves import Drawn

CLEAR = 5.0  # standard errors of s^2
# Share of a direction's variance that may be noise, for its weights to be told at all; and of which
# it is taken to be signal, at least, for the bars of the others.
HIDDEN, SIGNAL = 0.5, 0.1
FAINT = 0.01  # squared autocovariance of the kernel beside that at distance 0
# Share of the autocovariances' energy that s^2 explains, at least, where noise of before is it.
OF_THAT_COLOUR = 0.7


@dataclass(frozen=True, eq=False)
class Attenuation:
    """What noise in before may have done to a kernel; variances in working units."""

    variance: float  # s^2; below 0 by chance
    error: float  # its standard error
    coloured: float  # share of the autocovariances' energy that s^2 explains
    smallest: float  # variance of before in the direction of a patch in which it varies least
    bars: np.ndarray  # k x k: by how much it has made the weights smaller, root mean square

    @property
    def clear(self) -> bool:
        """Whether there is such noise, and little else that is coloured."""
        return self.variance > CLEAR * self.error and self.coloured > OF_THAT_COLOUR

    @property
    def hides(self) -> bool:
        """Whether that is half of what before shows in some direction: its weights are open."""
        return self.clear and self.variance > HIDDEN * self.smallest


def attenuation(tiles: list[Plane], drawn: Drawn, kernel: np.ndarray, offset: float) -> Attenuation:
    """Of a kernel (k x k) fitted to the tiles; drawn: some of their pixels, of its support."""
    reach = len(kernel) - 1
    own = _correlated(kernel, reach)
    # Each distance once: what is a way down is the same way up.
    once = np.arange(own.size).reshape(own.shape) > own.size // 2
    own, none = own[once], np.zeros(kernel.shape)
    left, error = (values[once] for values in _autocovariance(tiles, kernel, offset))
    energy = float(own @ own)
    gram = drawn.patches.T @ drawn.patches / len(drawn.after)
    values, vectors = np.linalg.eigh(gram)
    # A pixel nearly by itself gives noise no colour. Noise of before would have left it a blur.
    if energy <= FAINT * float((kernel**2).sum()) ** 2:
        return Attenuation(0.0, np.inf, 0.0, float(values[0]), none)
    variance = float(own @ left) / energy
    spread = float(np.sqrt((own * error) @ (own * error))) / energy
    # Noise is not more than all that before shows where it varies least.
    likely = min(np.hypot(max(variance, 0.0), spread), max(float(values[0]), 0.0))
    signal = np.maximum(np.maximum(values - likely, SIGNAL * values), 1e-12 * values[-1])
    bars = none.copy()
    bars[drawn.free] = np.abs(vectors @ (likely / signal * (vectors.T @ kernel[drawn.free])))
    coloured = max(variance, 0.0) ** 2 * energy / max(float(left @ left), 1e-300)
    return Attenuation(variance, spread, coloured, float(values[0]), bars)


def _autocovariance(
    tiles: list[Plane], kernel: np.ndarray, offset: float
) -> tuple[np.ndarray, np.ndarray]:
    """Of what a kernel leaves, up to k - 1 pixels down and right, and its standard errors.

    (2 k - 1) x (2 k - 1) each, distance 0 in the middle. The error of a mean of products of n pairs
    of independent pixels is (sum of squared products)^(1/2) / n.
    """
    reach = len(kernel) - 1
    products, squares, pairs = np.zeros((3, 2 * reach + 1, 2 * reach + 1))
    for tile in tiles:
        if min(tile.after.shape) < len(kernel):
            continue
        inner = tile.inside(len(kernel))
        made = correlate_valid(tile.before.astype(np.float64), kernel, offset)
        left = np.where(tile.used[inner], tile.after[inner] - made, 0)
        products = products + _correlated(left, reach)
        squares = squares + _correlated(left**2, reach)
        pairs = pairs + _correlated(tile.used[inner].astype(np.float64), reach)
    pairs = np.maximum(pairs, 1)
    return products / pairs, np.sqrt(np.maximum(squares, 0)) / pairs


def _correlated(values: np.ndarray, reach: int) -> np.ndarray:
    """Sums of products with itself, up to `reach` pixels away: (2 reach + 1) a side."""
    sides = [side + reach for side in values.shape]
    found = np.fft.irfft2(np.abs(np.fft.rfft2(values, sides)) ** 2, sides)
    return np.roll(found, (reach, reach), (0, 1))[: 2 * reach + 1, : 2 * reach + 1]
