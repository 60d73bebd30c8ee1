"""What betrays that no kernel made a pair: what the best one leaves goes with the picture.

Noise knows nothing of the picture. So the residual is regressed on what nonlinear filters see (the
window's median, extremes, gradient magnitude, powers of the pixel: the regression specification
error test of Ramsey, J. R. Stat. Soc. B 31, 1969), and the kernel is fitted anew in thirds of the
picture (Chow, Econometrica 28, 1960). Measured over eight kinds of filter: JPEG, WebP and Gaussian
noise let at most 1.5 % of the residual's variance be explained so, operations that are no
convolution 4 % to 100 %.

Where nothing but rounding is left, a hundredth of a median filter explains less than that, and is
seen all the same: by how far the sums of residual times feature lie from what chance makes of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import cv2
import numpy as np

from kernel_demo.imaging.filtering import patch_view
from kernel_demo.recovery import blocks
from kernel_demo.recovery.alignment import Plane, between, distinct, places, sample
from kernel_demo.recovery.channels import Arrangement
from kernel_demo.recovery.fitting import NEARLY_EXACT, Fit

PIXELS = 30_000
WIDEST = 7  # size of the patches that the features and the kernels of the thirds are set against
# Shares of the residual's variance above which it may not be noise ...
FEATURES_LIMIT, PLACE_LIMIT, TONE_LIMIT = 0.03, 0.08, 0.10
# ... and above which it is not: losses of JPEG and WebP reach 0.16.
NO_NOISE = 0.2
# Another kernel in each third gains so much where the filter itself varies: 0.6 and more, while
# kernels cut off by the search gain up to 0.12, as each part of the picture bends them its own way.
VARYING = 0.4
# Standard errors by which what is left goes with a nonlinear feature. Of true kernels, 2 in 120
# reach 5 that round once, and 1 in 8 that round twice: what that swallows is small detail. Mixtures
# of the colours are set against more features; noise leaves 3.5, and what varies slowly 6 to 8.
SIGNIFICANT, BEHIND_NOISE = 5.0, 6.0
PICTURE_LIKE = 0.8  # autocorrelation above which the residual is itself a picture
UNSEEN = 1e-6  # of a feature's variance: so much is what float32 leaves of it
GROUPS = 6  # of pairs, at most, that are looked at apart
SAMPLED = 100_000  # pixels of which some are drawn for each channel
VALUES = 6_000_000  # that all patches drawn have together


@dataclass(frozen=True)
class Evidence:
    """Shares of the residual's variance, 0 to 1, and how much it looks like a picture."""

    features: float  # explained by nonlinear features of the window
    across: float  # gained by another kernel in each third of the width
    down: float  # ... of the height
    tones: float  # ... of the brightness
    autocorrelation: float  # of the residual, at one pixel's distance

    @property
    def varying(self) -> bool:
        """Whether the kernel depends on where in the picture it is."""
        return max(self.across, self.down) > VARYING

    @property
    def clearly_nonlinear(self) -> bool:
        """Whether any of them is more than losses of compression leave, too."""
        return max(self.features, self.across, self.down, self.tones) > NO_NOISE

    @property
    def nonlinear(self) -> bool:
        """Whether any of them is more than noise leaves."""
        return self.features > FEATURES_LIMIT or self.differing

    @property
    def differing(self) -> bool:
        """Whether parts of the picture, dark ones, or bright ones have kernels of their own."""
        return (
            max(self.across, self.down) > PLACE_LIMIT
            or self.tones > TONE_LIMIT
            or abs(self.autocorrelation) > PICTURE_LIKE
        )


def examine(fit: Fit) -> Evidence | None:
    """The evidence from a sample of the pixels that the fit used. None: too few to tell."""
    rng = np.random.default_rng(0)
    drawn = [parts for tile in fit.tiles if (parts := _drawn(fit, tile, rng))]
    if not drawn:
        return None
    patches, features, left, places = map(np.concatenate, zip(*drawn, strict=True))
    if len(left) < 10 * (patches.shape[1] + features.shape[1]):
        return None
    design = np.concatenate([patches - patches.mean(), np.ones((len(patches), 1))], axis=1)
    both = _unexplained(design, np.concatenate([left[:, None], features], axis=1))
    left, unseen = both[:, 0], both[:, 1:]
    energy = max(float(left @ left), 1e-9)
    explained = unseen @ np.linalg.lstsq(unseen, left, rcond=1e-9)[0]
    return Evidence(
        features=float(explained @ explained) / energy,
        across=_gain(design, left, places[:, 1]),
        down=_gain(design, left, places[:, 0]),
        tones=_gain(design, left, patches.mean(axis=1)),
        autocorrelation=fit.noise.autocorrelation,
    )


def _unexplained(design: np.ndarray, values: np.ndarray) -> np.ndarray:
    """What least squares on the design's columns leaves of the values."""
    gram = design.T @ design
    gram[np.diag_indices_from(gram)] += 1e-12 * np.trace(gram)
    return values - design @ np.linalg.solve(gram, design.T @ values)


def _gain(design: np.ndarray, left: np.ndarray, order: np.ndarray) -> float:
    """Share of the residual's energy that goes when each third along `order` has its own kernel."""
    thirds = np.searchsorted(np.quantile(order, [1 / 3, 2 / 3]), order)
    energy = 0.0
    for third in range(3):
        part = thirds == third
        if np.count_nonzero(part) < 4 * design.shape[1]:
            return 0.0
        rest = _unexplained(design[part], left[part])
        energy += float(rest @ rest)
    gain = 1 - energy / max(float(left @ left), 1e-9)
    return gain - 2 * design.shape[1] / len(design)  # what two more kernels gain by chance


def _drawn(fit: Fit, tile: Plane, rng: np.random.Generator) -> tuple[np.ndarray, ...] | None:
    """Some of the tile's pixels: patches, features, what the kernel leaves, and places.

    n x k*k of before (k at most WIDEST), n x f, n, and n x 2: row and column in the picture, 0..1.
    """
    size = len(fit.kernel)
    cut = max(size - WIDEST, 0) // 2
    if min(tile.after.shape) <= size + 1:
        return None
    patches, after, at, share = tile.drawn(size, PIXELS // len(fit.tiles), rng)
    inner = patches[:, cut : size - cut, cut : size - cut].reshape(
        len(after), (size - 2 * cut) ** 2
    )
    left = after - np.tensordot(patches.astype(np.float64), fit.kernel, 2) - fit.offset
    features = _features(tile.before, tile.peak)[tuple(at.T)]
    return inner.astype(np.float64), features, left, share


def betrayed(found: Arrangement) -> bool:
    """Whether the little that is left goes with the picture, or its place, all the same."""
    for fit in found.fits:
        inexact = fit.residual > NEARLY_EXACT * fit.step
        seen = examine(fit) if fit.kernel.any() and fit.in_passes and inexact else None
        if seen is not None and seen.clearly_nonlinear:
            return True
    rounded = found.at_floor and found.mixed is None
    limit = SIGNIFICANT if rounded else BEHIND_NOISE
    return found.compressed is None and significance(found) > limit


def significance(found: Arrangement) -> float:
    """How many standard errors what kernels leave goes with what no kernel does, at most.

    That are nonlinear features, and linear ones that grow or fade over the picture, or are of one
    pair alone. 3 or 4 by chance. A feature is set against the patches first, so that it takes
    nothing for nonlinear that another kernel would explain; standard errors are those of blocks.
    One rounding of a true kernel's result leaves nothing of after minus that, rounded as well: so
    where one rounding is all, rounding that follows the picture is no evidence.
    """
    planes = [pair.plane() for pair in found.pairs]
    # Of each tile also which pair it is of, where kernels of their own are looked for.
    tiles = [
        (number % GROUPS, tile)
        for number, plane in enumerate(planes)
        for tile in sample([plane], SAMPLED // len(planes))
    ]
    channels = range(planes[0].after.shape[2])
    parts = [left for c in channels if (left := _left(found, tiles, c))]
    return max((_worst(*one, rounded=found.at_floor) for one in parts), default=0.0)


def _left(
    found: Arrangement, tiles: list[tuple[int, Plane]], channel: int
) -> tuple[np.ndarray, ...] | None:
    """Of pixels of the tiles: patches with a 1, features, what the kernels leave, and the block.

    n x m of the weights told, n x f, n in grey levels and n. None: too few pixels.
    """
    groups = sorted({group for group, _ in tiles})
    kernels, offsets, _ = found.kernels()
    size, mixed = kernels.shape[-1], kernels.shape[1] > 1
    inputs = range(kernels.shape[1]) if mixed else [min(channel, tiles[0][1].before.shape[2] - 1)]
    free = kernels[min(channel, len(kernels) - 1)].any(axis=0)
    unknowns = len(inputs) * int(np.count_nonzero(free)) + 1
    pixels = sum(tile.after[..., 0].size for _, tile in tiles)
    side = blocks.SIDES[-1] if found.in_one_rounding else blocks.side(pixels)
    drawn = min(PIXELS * len(groups), VALUES // (unknowns * tiles[0][1].before.shape[2]))
    most = drawn // len(tiles)
    rng, parts, last = np.random.default_rng(0), [], 0
    for group, tile in tiles:
        if min(tile.after.shape[:2]) <= size:
            continue
        windows = patch_view(tile.before, size)
        rows, columns = places(windows.shape[0], windows.shape[1], most, rng)
        at = rows + size // 2, columns + size // 2
        patches = windows[rows, columns] / tile.step
        values = _values(patches, kernels, offsets, tile.after.shape[2])
        value = values[:, channel]
        kept = between(value, [end / tile.step for end in tile.clip], 0.5)
        if tile.counted is not None:
            kept &= tile.counted[at]
        made = np.rint(value) if found.in_one_rounding else value
        left = tile.after[..., channel][at] / tile.step - made
        features = [_features(tile.before[..., c], tile.peak)[at] for c in inputs]
        features += [_of_colours(values), tile.before[at]]
        local = np.c_[_local(patches.mean(axis=1)), value]
        features.append(_products(local, _slow(tile, rows, columns)))
        features.append(np.hstack([local * (group == one) for one in groups[1:]] or [local[:, :0]]))
        block = last + blocks.numbered(rows, columns, side)
        last = int(block.max()) + 1
        own = patches[:, inputs][:, :, free].reshape(len(rows), -1)
        design = np.c_[own, np.ones(len(own))]
        parts.append([part[kept] for part in (design, np.hstack(features), left, block)])
    return _joined(parts, unknowns)


def _joined(parts: list[list[np.ndarray]], unknowns: int) -> tuple[np.ndarray, ...] | None:
    """Those of the tiles in one, without patches that come again. None: too few are left."""
    if not parts:
        return None
    joined = tuple(map(np.concatenate, zip(*parts, strict=True)))
    # A thousand equal patches are one: their errors of rounding are the same.
    first = distinct(joined[0])
    if len(first) < 12 * unknowns:
        return None
    return tuple(part[first] for part in joined)


def _values(
    patches: np.ndarray, kernels: np.ndarray, offsets: Sequence[float], outputs: int
) -> np.ndarray:
    """What the kernels make of patches (n x B x k x k): n x outputs, grey levels."""
    found = []
    for channel in range(outputs):
        own = kernels[min(channel, len(kernels) - 1)]
        seen = patches if len(own) > 1 else patches[:, [min(channel, patches.shape[1] - 1)]]
        found.append(np.tensordot(seen, own, 3) + offsets[min(channel, len(offsets) - 1)])
    return np.stack(found, axis=1)


def _worst(
    design: np.ndarray, features: np.ndarray, left: np.ndarray, block: np.ndarray, *, rounded: bool
) -> float:
    """The largest of the features' sums with the residual, in standard errors of blocks.

    Those are of what is left without the feature (Wald's test): where a few blocks have most of it,
    what it explains would else be taken for their scatter. But where rounding is all, it is no
    noise, and follows the picture a little: there with the feature (the score test), which doubts
    less.
    """
    design = design - np.append(design[:, :-1].mean(axis=0), 0)
    scale = features.std(axis=0)
    features = (features - features.mean(axis=0))[:, scale > 0] / scale[scale > 0]
    both = _unexplained(design, np.c_[left, features])
    seen = (both[:, 1:] ** 2).mean(axis=0) > UNSEEN
    left, features = both[:, :1], both[:, 1:][:, seen]
    total = (left * features).sum(axis=0)
    explained = 0.0 if rounded else features * (total / (features**2).sum(axis=0))
    scores = (left - explained) * features
    squares = (blocks.by_block(scores, block) ** 2).sum(axis=0)
    error = np.sqrt(np.maximum(squares, (scores**2).sum(axis=0)))
    return float((np.abs(total) / np.maximum(error, 1e-300)).max(initial=0))


def _of_colours(values: np.ndarray) -> np.ndarray:
    """n x f of results (n x 1 or 3): what curves, saturation and hue would make of them."""
    pairs = list(combinations(values.T, 2))
    found = [values.max(axis=1), values.min(axis=1), *(values**2).T, *(values**3).T]
    found += [part for a, b in pairs for part in (np.abs(a - b), a * b)]
    return np.stack(found, axis=1)


def _products(local: np.ndarray, slow: np.ndarray) -> np.ndarray:
    """n x f: each of the columns of one times each of the other's.

    A blur that grows, a small turn, a lens or a vignette change the picture by local derivatives
    times slow functions of the place.
    """
    return (local[:, :, None] * slow[:, None]).reshape(len(local), -1)


def _local(patches: np.ndarray) -> np.ndarray:
    """n x 7 of patches (n x k x k): a 1, the pixel, its first and second differences, Laplacian."""
    at = patches.shape[1] // 2
    middle, upper, lower, before, after = (
        patches[:, at + dy, at + dx] for dy, dx in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1))
    )
    second = upper + lower - 2 * middle, before + after - 2 * middle
    local = [np.ones(len(patches)), middle, lower - upper, after - before, *second, sum(second)]
    return np.stack(local, axis=1)


def _slow(tile: Plane, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """n x 5 of pixels of a tile: their places in the picture, 0 to 1, and products of these."""
    top, left, bottom, right = tile.place
    height, width = tile.after.shape[:2]
    down, across = top + rows / height * (bottom - top), left + columns / width * (right - left)
    return np.stack([down, across, down**2, across**2, down * across], axis=1)


def _features(before: np.ndarray, peak: int) -> np.ndarray:
    """H x W x f: what median, extremes, gradient and tone curves see, in grey levels."""
    image, white = before.astype(np.float32), np.float32(peak)
    window = np.ones((3, 3), np.uint8)
    across, down = (cv2.Sobel(image, cv2.CV_32F, *order, ksize=3) for order in ((1, 0), (0, 1)))
    detail = image - cv2.GaussianBlur(image, (0, 0), 1.5)
    small, large = 4 * white / 255, 12 * white / 255
    return np.stack(
        [
            cv2.medianBlur(image, 3),
            cv2.medianBlur(image, 5),
            cv2.dilate(image, window),
            cv2.erode(image, window),
            np.abs(across),
            np.abs(down),
            np.hypot(across, down),
            image * image / white,
            image**3 / white**2,
            np.abs(detail),
            np.sign(detail) * detail**2 / white,
            np.clip(detail, -small, small),
            np.clip(detail, -large, large),
            image * detail / white,
            cv2.bilateralFilter(image, 5, float(25 * white / 255), 2),
        ],
        axis=-1,
    )
