"""A kernel for each channel of after from each of before: colour matrices, luma filters."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.learning.certificate import ROUNDING
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.fitting import FEW, SEVERAL_ROUNDINGS

PIXELS = 40_000
SIZES = (1, 3, 5, 7)  # three kernels of 7 x 7 are 147 unknowns for each channel
# Shares of a channel's residual that nonlinear functions of the colours may explain. Measured over
# matrices and luma filters: rounding follows the picture up to 0.19 (skies), what else is left up
# to 0.08; saturation, hue and Lab, of 3 % and more: 0.26 to 1.
CURVED_ROUNDING, CURVED = 0.25, 0.1


@dataclass(frozen=True, eq=False)
class Mixture:
    """The least-squares kernels, in working units."""

    kernels: np.ndarray  # A x B x k x k, k >= 3
    offsets: np.ndarray  # A
    standard_error: np.ndarray  # A x B x k x k
    residual: float  # RMS over all channels
    beyond_2: float  # share of samples more than two grey levels off: impossible for rounding
    curved: float  # share of a channel's residual that nonlinear functions of the colours explain
    floor: float  # RMS of rounding
    explained: float  # share of the after picture's variance
    condition: float

    @property
    def at_floor(self) -> bool:
        """Nothing but rounding is left."""
        bounded = self.beyond_2 < FEW / 10 and self.curved < CURVED_ROUNDING
        return bounded and self.residual <= SEVERAL_ROUNDINGS * self.floor


def fit(pairs: list[Pair], sizes: tuple[int, ...] = SIZES) -> Mixture | None:
    """The smallest size at the floor, else the one that the information criterion prefers."""
    best, best_score = None, np.inf
    for size in sizes:
        drawn = _drawn(pairs, size)
        if drawn is None:
            continue
        found = _solved(*drawn, size, pairs[0].step)
        if found.at_floor:
            return found
        count = len(drawn[1])
        score = count * np.log(found.residual**2) + np.log(count) * drawn[0].shape[1]
        if score < best_score:
            best, best_score = found, score
    return best


def _drawn(pairs: list[Pair], size: int):
    """Patches of all channels (n x (B*k*k + 1)) and the pixels after them (n x A), unclipped."""
    rng, edge, patches, answers = np.random.default_rng(0), size // 2, [], []
    for pair in pairs:
        before, after, opaque = pair.overlap()
        if min(after.shape[:2]) <= 2 * edge + 2:
            continue
        usable = ((after > 0) & (after < pair.peak)).all(axis=2)
        if opaque is not None:
            usable &= opaque
        height, width = usable.shape
        rows, columns = np.nonzero(usable[edge : height - edge, edge : width - edge])
        if len(rows) == 0:
            continue
        chosen = rng.permutation(len(rows))[: PIXELS // len(pairs)]
        windows = sliding_window_view(before, (size, size), axis=(0, 1))
        patches.append(windows[rows[chosen], columns[chosen]].reshape(len(chosen), -1))
        answers.append(after[rows[chosen] + edge, columns[chosen] + edge])
    if not patches or sum(map(len, patches)) < 20 * patches[0].shape[1]:
        return None
    design = np.concatenate(patches).astype(np.float64)
    return np.c_[design, np.ones(len(design))], np.concatenate(answers).astype(np.float64)


def _solved(design: np.ndarray, answers: np.ndarray, size: int, step: int) -> Mixture:
    gram = design.T @ design
    values, vectors = np.linalg.eigh(gram)
    inverse = vectors * np.where(values > 1e-14 * values[-1], 1 / np.maximum(values, 1e-300), 0)
    inverse = inverse @ vectors.T
    weights = inverse @ (design.T @ answers)
    weights += inverse @ (design.T @ (answers - design @ weights))  # refined once
    rest = answers - design @ weights
    variance = (rest**2).mean(axis=0)
    errors = np.sqrt(np.outer(np.diag(inverse), variance).clip(0))
    channels, colours = answers.shape[1], (design.shape[1] - 1) // size**2
    kernels, spread = (
        np.moveaxis(v[:-1].reshape(colours, size, size, channels), -1, 0) for v in (weights, errors)
    )
    if size == 1:
        kernels, spread = (np.pad(v, [(0, 0), (0, 0), (1, 1), (1, 1)]) for v in (kernels, spread))
    return Mixture(
        kernels=kernels,
        offsets=weights[-1],
        standard_error=spread,
        residual=float(np.sqrt(variance.mean())),
        beyond_2=float((np.abs(rest) > 2.02 * step).mean()),
        curved=_curved(design, rest, size, step),
        floor=ROUNDING * step,
        explained=float(1 - variance.mean() / max(answers.var(axis=0).mean(), 1e-12)),
        condition=float(values[-1] / max(values[0], 1e-300)),
    )


def _curved(design: np.ndarray, rest: np.ndarray, size: int, step: int) -> float:
    """The largest share of a channel's residual that saturation, hue and curves would explain."""
    red, green, blue = design[:, size**2 // 2 : -1 : size**2].T
    features = [
        np.maximum(np.maximum(red, green), blue),
        np.minimum(np.minimum(red, green), blue),
        *(np.abs(a - b) for a, b in ((red, green), (green, blue), (blue, red))),
        *(a * b for a, b in combinations_with_replacement((red, green, blue), 2)),
    ]
    unseen = np.stack([feature / np.abs(feature).max(initial=1) for feature in features], axis=1)
    unseen -= design @ np.linalg.lstsq(design, unseen, rcond=1e-9)[0]
    explained = unseen @ np.linalg.lstsq(unseen, rest, rcond=1e-9)[0]
    left = np.maximum((rest**2).mean(axis=0), (0.01 * step) ** 2)  # nearly exact ones have none
    return float(((explained**2).mean(axis=0) / left).max())
