"""The quantisation that a decoded JPEG file keeps: its blocks, and the steps of their coefficients.

Every coefficient of the 8 x 8 cosine transforms of a decoded JPEG is a whole multiple of a step
that can be read off.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from kernel_demo.imaging.filtering import LUMINANCE
from kernel_demo.recovery.alignment import Pair

# Annex K of ITU-T T.81, the luminance table that nearly all encoders scale (IJG's "quality").
TABLE = np.array([
    [16, 11, 10, 16, 24, 40, 51, 61],
    [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56],
    [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77],
    [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101],
    [72, 92, 95, 98, 112, 100, 103, 99],
])  # fmt: skip

# Orthonormal DCT-II of length 8: C x C' transforms a block.
COSINES = np.sqrt(2 / 8) * np.cos(np.pi * np.outer(np.arange(8), 2 * np.arange(8) + 1) / 16)
COSINES[0] /= np.sqrt(2)

READ = 4000  # blocks from which the steps are read
# Grey levels RMS in a block: rounding in the colours leaves 0.4 of the luminance, the losses of
# quality 98 0.6.
INHERITED = 0.5
# Rounding of the decoder leaves 12**-0.5 = 0.29 in a coefficient that is a multiple of the step:
# nine in ten of them within 0.48. Nine in ten of others are within 0.45 steps: 0.9 and more.
NINE_IN_TEN = 0.65
FEWEST = 50  # blocks
# The finest waves (rows, columns) of 4 x 4 pixels, and by how much more of them must vanish (below
# a level) on one of the 16 grids than on any other. Measured: WebP of qualities 30 to 80 0.08 to
# 0.25, WebP 95 0.04 to 0.18, where errors are small; filtered photos up to 0.03.
FINEST, ON_ONE_GRID = ((3, 3), (2, 3), (3, 2), (1, 3), (3, 1)), 0.06
MIDDLE = 1200  # rows and columns that tell of small blocks
# Rounding leaves less than this in a coefficient that was 0. The share of others is smaller in the
# blocks than in blocks moved by half their side: by 0.44 or less behind files too plain to tell
# their steps, by 0.73 or more in 1000 pairs without compression, where so many tell.
ZERO, ON_GRID, TELLING = 1.1, 0.5, 100
# Of a mosaic, neighbours within a tile differ so much more rarely than those of two.
TILED = 0.05


@dataclass(frozen=True)
class Compression:
    """The quantisation of a picture that went through a lossy file."""

    # 8 x 8, of a JPEG's luminance; 0 where nothing tells: everywhere if it is no JPEG.
    steps: np.ndarray
    quality: int | None  # IJG's, where the steps are those of its table

    @property
    def most(self) -> float:
        """RMS of the luminance, in levels, that rounding to known steps takes at most."""
        return float(np.sqrt((self.steps.astype(float) ** 2).mean()) / 2)

    def __str__(self) -> str:
        if not self.steps.any():
            return "JPEG, WebP or the like"
        return "JPEG" if self.quality is None else f"JPEG, quality {self.quality}"


UNKNOWN = Compression(np.zeros((8, 8), int), None)


@dataclass(frozen=True, eq=False)
class Blocks:
    """Blocks of 8 x 8 pixels of after, and what lies under and around them in before."""

    before: np.ndarray  # n x (8 + 2 radius) x (8 + 2 radius) x B
    after: np.ndarray  # n x 8 x 8: luminance in whole levels
    spoiled: np.ndarray  # n bool: some sample was cut off by the decoder
    place: np.ndarray  # n x 2: row and column in the picture, 0 to 1
    radius: int

    def __len__(self) -> int:
        return len(self.after)

    def only(self, chosen: np.ndarray) -> Blocks:
        """Those of a mask, or in a list of places."""
        parts = {name: getattr(self, name)[chosen] for name in ("before", "after", "spoiled")}
        return replace(self, **parts, place=self.place[chosen])

    def through(self, kernel: np.ndarray, offset: float, kind: type = np.float64) -> np.ndarray:
        """n x 8 x 8 x B: after as a kernel makes it, neither rounded nor cut off."""
        inset = self.radius - len(kernel) // 2
        made: np.ndarray = np.full((len(self), 8, 8, self.before.shape[-1]), offset, kind)
        for i, j in np.argwhere(kernel):
            there = np.s_[:, i + inset : i + inset + 8, j + inset : j + inset + 8]
            made += kind(kernel[i, j]) * self.before[there]
        return made


def levels(samples: np.ndarray) -> np.ndarray:
    """The luminance (...) that a file holds, of decoded samples (... x C, C = 1 or 3).

    The decoder adds whole levels to whole luminances, and the sum of the errors made by rounding is
    less than half a level: the whole number next to the weighted sum is the luminance itself.
    """
    return np.rint(brightness(samples))


def brightness(samples: np.ndarray) -> np.ndarray:
    """The luminance (...) of samples (... x C, C = 1 or 3), not rounded. float64."""
    if samples.shape[-1] == 1:
        return samples[..., 0].astype(np.float64)
    return samples @ np.array(LUMINANCE)


def coefficients(whole: np.ndarray) -> np.ndarray:
    """n x 64: the transforms of blocks (n x 8 x 8)."""
    return (COSINES @ whole @ COSINES.T).reshape(-1, 64)


def drawn(pair: Pair, radius: int, count: int, begin: int = 0) -> Blocks:
    """At most `count` blocks, by chance, that count and have their surroundings in before.

    begin: row and column of the first of them.
    """
    starts = []
    for axis, origin in enumerate(pair.origin):
        first = np.arange(begin, pair.after.shape[axis] - 7, 8)
        last = pair.before.shape[axis] - 8 - radius
        starts.append(first[(first + origin >= radius) & (first + origin <= last)])
    at: np.ndarray = np.stack(np.meshgrid(*starts, indexing="ij"), -1).reshape(-1, 2)
    at = np.random.default_rng(0).permutation(at)
    inner, outer = np.arange(8), np.arange(-radius, 8 + radius)
    y, x = (at[:, axis, None, None] for axis in (0, 1))
    counted = pair.counted
    if counted is not None:
        at = at[counted[y + inner[:, None], x + inner].all(axis=(1, 2))]
    at = at[:count]
    y, x = (at[:, axis, None, None] for axis in (0, 1))
    after = pair.after[y + inner[:, None], x + inner]
    oy, ox = pair.origin
    return Blocks(
        before=pair.before[y + oy + outer[:, None], x + ox + outer],
        after=levels(after),
        spoiled=((after == 0) | (after == 255)).any(axis=(1, 2, 3)),
        place=at / pair.after.shape[:2],
        radius=radius,
    )


def compression(pair: Pair) -> Compression | None:
    """The quantisation of an 8-bit after, if its blocks bear the marks of one.

    No steps where blocks were quantised, but too few coefficients are left to tell how.
    """
    values = _of_whole(pair, 0)
    if len(values) < FEWEST:
        return None
    found = np.array([_step(column) for column in values.T])
    if np.count_nonzero(found > 2) < 8:
        marked = _on_grid(values, _of_whole(pair, 4)) and not _mosaic(_middle(pair.before))
        return UNKNOWN if marked else None
    known = found > 2
    tables = np.stack([steps(quality).ravel() for quality in range(1, 101)])
    # A picture that was compressed before may use every second multiple only.
    fits = (found % tables == 0)[:, known].mean(axis=1) > 0.95
    agree = (tables == found)[:, known].mean(axis=1) * fits
    if agree.max() < 0.4:
        return Compression(np.where(known, found, 0).reshape(8, 8), None)
    # Where tables that fit as well differ, or the pixels contradict them, nothing is known.
    likely = tables[agree == agree.max()]
    told = [_told(values, table) for table in likely]
    likely = likely[np.array(told) == max(told)]
    doubtful = (likely != likely[0]).any(axis=0) | (known & (found % likely[0] != 0))
    quality = None if len(likely) > 1 else int((tables == likely[0]).all(axis=1).argmax()) + 1
    return Compression(np.where(doubtful, 0, likely[0]).reshape(8, 8), quality)


def in_small_blocks(pair: Pair) -> bool:
    """Whether after is made of 4 x 4 blocks that lack fine waves, as WebP's are, and before not.

    By the middle of a large picture.
    """
    after, before = (_middle(picture) for picture in (pair.after, pair.before))
    marks = _on_one_grid(levels(after))
    unlike = marks > ON_ONE_GRID and _on_one_grid(levels(before)) < marks / 2
    return unlike and not _mosaic(before)


def _middle(picture: np.ndarray) -> np.ndarray:
    """At most MIDDLE rows and columns of it."""
    rows, columns = (
        slice(max(0, side - MIDDLE) // 2, max(0, side - MIDDLE) // 2 + MIDDLE)
        for side in picture.shape[:2]
    )
    return picture[rows, columns]


def _on_one_grid(picture: np.ndarray) -> float:
    """How much larger the share of FINEST that vanish is on the first of 16 grids than the next."""
    at = np.arange(4)
    lines = np.cos(np.pi * np.outer(at, 2 * at + 1) / 8) / np.sqrt(2)
    height, width = (side // 4 * 4 for side in picture.shape)
    if height * width == 0:
        return 0.0
    shares = np.zeros((4, 4))
    for down, across in FINEST:
        wave = np.outer(lines[down], lines[across]).astype(np.float32)
        values = cv2.filter2D(picture.astype(np.float32), -1, wave, anchor=(0, 0))
        small = np.abs(values[:height, :width]) < 1
        shares += small.reshape(height // 4, 4, width // 4, 4).mean(axis=(0, 2)) / len(FINEST)
    second, first = np.sort(shares.ravel())[-2:]
    return float(first - second)


def _of_whole(pair: Pair, begin: int) -> np.ndarray:
    """n x 64: the coefficients of blocks that are not spoiled, nor as they were before.

    Those bear the marks of what before went through, at another contrast, too.
    """
    seen = drawn(pair, 0, 2 * READ, begin)
    seen = seen.only(~seen.spoiled)
    if len(seen) == 0:
        return np.zeros((0, 64))
    before = brightness(seen.before)
    (spread, both), _ = np.cov(before.ravel(), seen.after.ravel())
    contrast = both / max(spread, 1e-9)  # by least squares
    changed = (seen.after - contrast * before).std(axis=(1, 2)) > INHERITED
    return coefficients(seen.after[changed][:READ] - 128)


def _on_grid(values: np.ndarray, moved: np.ndarray) -> bool:
    """Whether more coefficients (n x 64) are 0 than of moved blocks (m x 64), and not all.

    A mosaic of as large tiles leaves none.
    """
    kept, beyond = (np.abs(part[:, 1:]) > ZERO for part in (values, moved))
    if beyond.sum() < TELLING or not kept.any():
        return False
    return bool(kept.mean() < ON_GRID * beyond.mean())


def _mosaic(picture: np.ndarray) -> bool:
    """Whether neighbours differ (but in a few pixels) in every n-th row and column only, n > 1.

    What a filter makes of such tiles lacks the same waves as blocks that were quantised.
    """
    return all(_in_steps(picture, axis) for axis in (0, 1))


def _in_steps(picture: np.ndarray, axis: int) -> bool:
    others = tuple(number for number in range(picture.ndim) if number != axis)
    differing = (np.diff(picture.astype(np.int32), axis=axis) != 0).mean(axis=others)
    for n in range(2, 9):
        on = np.arange(len(differing)) % n == differing.argmax() % n
        if differing[~on].mean() < TILED * differing[on].mean():
            return True
    return False


def _told(values: np.ndarray, table: np.ndarray) -> int:
    """How many of the values that are not 0 are multiples of the steps."""
    times = np.rint(values / table)
    return int(np.count_nonzero((np.abs(values) > 1.5) & (np.abs(values - times * table) < 0.75)))


def steps(quality: int) -> np.ndarray:
    """IJG's luminance table, 8 x 8, for a quality of 1..100 (jcparam.c)."""
    scale = 5000 // quality if quality < 50 else 200 - 2 * quality
    return np.clip((TABLE * scale + 50) // 100, 1, 255)


def _step(values: np.ndarray) -> int:
    """The largest step of which all larger values are multiples, up to rounding; 0 if none is."""
    found, sizes = 0, np.abs(values)
    for step in range(2, 256):
        sizes = sizes[sizes > max(0.4 * step, 1.1)]
        if len(sizes) < 12:
            break
        rest = np.abs(sizes - step * np.rint(sizes / step))
        if np.count_nonzero(rest < NINE_IN_TEN) > 0.9 * len(rest):
            found = step
    return found
