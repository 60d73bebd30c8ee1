"""Whether one kernel holds everywhere: what it leaves, explained anew in each cell of the picture.

A change of size and back, a small turn or a lens filter each place in its own way, and what one
kernel leaves of that looks like noise: as strong in dark as in bright parts, and white. But within
a cell of some pixels the filter is nearly one kernel. Where a kernel holds everywhere, another one
for each cell explains of what is left no more than chance: Fisher's F, the mean square of what it
explains over that of what then remains, is 1.

Noise and losses hide that where the filter changes slowly, and little. So the scores of whole
blocks, by which a likelihood would move the kernel, are looked at for what grows or fades over the
picture (Rao's score test, Proc. Camb. Phil. Soc. 44, 1948; its variance by the scatter of blocks).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.recovery.alignment import Plane

CELL = 24  # pixels a side: several to a period of 100 / 99, or 110 / 100
SIDE = 3  # of a cell's own kernel: what differs between near places is its slope
MOST = 400  # cells
USED = 0.5  # share of a cell's pixels that must count
CLEAR = 4.0  # times the noise from where it clips
FLAT = 1.0  # grey levels of standard deviation below which a cell says nothing
DAMPED = 1e-6  # of the trace of X'X, added to its diagonal
# F of true convolutions with noise is within 0.1 of 1; of changes of size and back from 4 on.
BY_CHANCE, DEVIATIONS = 1.5, 5.0
# What a slow change of the filter adds to it, of before as of its own result: brightness, contrast,
# displacement, sharpness along rows, along columns and in all directions.
ADDED = np.array([
    [[0, 0, 0], [0, 1, 0], [0, 0, 0]],
    [[0, -1, 0], [0, 0, 0], [0, 1, 0]],
    [[0, 0, 0], [-1, 0, 1], [0, 0, 0]],
    [[0, 1, 0], [0, -2, 0], [0, 1, 0]],
    [[0, 0, 0], [1, -2, 1], [0, 0, 0]],
    [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
], float)  # fmt: skip
# Chi-squared of 5 degrees, the largest of all of them. Of 231 true kernels behind JPEG that are
# told, it was above 20 for three, 30 at most; with noise true kernels reach 17. Sharpening that is
# a quarter more or less at a side reaches 50 to 230, to two of the corners 28 to 110; a lens that
# bends by 0.15 pixels as much, a bump in the middle 10 to 80.
GROWS = 18.0
# Times the sums along lines scatter more than their parts: of true kernels with noise, or two
# roundings, 1.3 at most in 120 pairs; of rows that have gains of their own, 0.1 % apart, 7.
IN_LINES = 2.0
BLOCK = 16  # pixels a side, whose noise is taken for independent of the next block's
FEWEST = 40  # blocks, or lines


def differ(kernel: np.ndarray, offset: float, noise: float, planes: Sequence[Plane]) -> bool:
    """Whether cells of the planes clearly have kernels of their own.

    kernel: k x k, which was fitted to the planes; offset, and noise (RMS of what is left): in
    working units.
    """
    explained = left = 0.0
    weights = pixels = 0
    for patches, rest in _cells(kernel, offset, noise, planes):
        gram = patches.T @ patches
        gram[np.diag_indices_from(gram)] += DAMPED * np.trace(gram)
        cross = patches.T @ rest
        own = float(cross @ np.linalg.solve(gram, cross))
        explained += own
        left += float(rest @ rest) - own
        weights += SIDE**2
        pixels += len(rest)
    free = pixels - weights - weights // SIDE**2  # each cell has a mean, too
    if free <= 0 or left <= 0:
        return False
    f = (explained / weights) / (left / free)
    return f > max(BY_CHANCE, 1 + DEVIATIONS * (2 / weights + 2 / free) ** 0.5)


def _cells(
    kernel: np.ndarray, offset: float, noise: float, planes: Sequence[Plane]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of each cell that says something: patches (n x 9) and what the kernel leaves (n), centred."""
    told = 0
    for plane in planes:
        rest, used = plane.left(kernel, offset, CLEAR * noise)
        around = np.pad(plane.before.astype(np.float64), SIDE // 2, "edge")
        windows = sliding_window_view(around, (SIDE, SIDE))
        edge = max(SIDE // 2, len(kernel) // 2)
        for top in range(edge, rest.shape[0] - edge - CELL + 1, CELL):
            for left in range(edge, rest.shape[1] - edge - CELL + 1, CELL):
                at = np.s_[top : top + CELL, left : left + CELL]
                counted = used[at]
                if told == MOST or counted.mean() < USED:
                    continue
                patches = windows[at][counted].reshape(-1, SIDE**2)
                patches = patches - patches.mean(axis=0)
                if patches.std() < FLAT * plane.step:
                    continue
                told += 1
                yield patches, rest[at][counted] - rest[at][counted].mean()


def additions(kernel: np.ndarray) -> np.ndarray:
    """What a slow change of the filter may add to a kernel (k x k): d x (k*k + 1), with offsets.

    ADDED to before, and to what the kernel makes of it, as far as it lies within k x k.
    """
    alone = np.zeros(kernel.shape)
    alone[len(kernel) // 2, len(kernel) // 2] = 1
    added = [
        cv2.filter2D(part, cv2.CV_64F, stencil, borderType=cv2.BORDER_CONSTANT).ravel()
        for part in (alone, np.ascontiguousarray(kernel, np.float64))
        for stencil in ADDED
    ]
    square = np.array([*added, np.zeros(kernel.size)])
    return np.c_[square, np.eye(len(square))[-1]]


def trend(scores: np.ndarray, cross: np.ndarray, wide: np.ndarray, place: np.ndarray) -> float:
    """How clearly what blocks of the picture add to a kernel goes with their place: chi-squared.

    scores: b x (m + d), of b blocks, slopes of their log likelihoods by the kernel's m unknowns,
    which are at their likeliest, and by d additions; cross: b x d x m, each block's information of
    both; wide: m x m, that of all blocks among the unknowns; place: b x 2, row and column in the
    picture, 0 to 1. Of the addition that goes with it most, with 5 degrees of freedom.
    """
    unknowns = len(wide)
    down, across = 2 * place.T - 1
    slow = np.stack([down, across, down**2, across**2, down * across], axis=1)
    # What the unknowns follow of an addition that changes so, and what is left for it.
    followed = np.einsum("bs,bdm->dsm", slow, cross) @ np.linalg.pinv(wide, hermitian=True)
    own = slow[:, None] * scores[:, unknowns:, None]  # b x d x s
    own = own - np.einsum("bm,dsm->bds", scores[:, :unknowns], followed)
    spread = np.einsum("bds,bdt->dst", own, own)
    total = own.sum(axis=0)
    inverse = np.linalg.pinv(spread, rcond=1e-9, hermitian=True)
    return float(np.einsum("ds,dst,dt->d", total, inverse, total).max())


def grow(kernel: np.ndarray, offset: float, noise: float, planes: Sequence[Plane]) -> bool:
    """Whether what the kernel leaves of the planes clearly asks for changes with its place.

    By trend() of least squares; arguments as differ()'s. Only what may change is fitted once more
    to the whole: the kernel's other weights take from a change, never add to it.
    """
    parts = [_by_blocks(kernel, offset, noise, plane) for plane in planes]
    scores, cross, place = map(np.concatenate, zip(*parts, strict=True))
    wide = cross.sum(axis=0)
    scores = scores - cross @ (np.linalg.pinv(wide, 1e-9, hermitian=True) @ scores.sum(axis=0))
    return len(place) > FEWEST and trend(np.tile(scores, 2), cross, wide, place) > GROWS


def _by_blocks(
    kernel: np.ndarray, offset: float, noise: float, plane: Plane
) -> tuple[np.ndarray, ...]:
    """Of b blocks: sums of what may be added times what is left (b x d), products of what may be
    added (b x d x d), and places (b x 2)."""
    rest, used = plane.left(kernel, offset, CLEAR * noise)
    before = plane.before.astype(np.float64) - plane.before.mean()
    pictures = before, cv2.filter2D(before, cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT_101)
    rows, columns = (extent // BLOCK for extent in rest.shape)
    added = [cv2.filter2D(one, cv2.CV_64F, stencil) for one in pictures for stencil in ADDED]
    added = [one / max(one.std(), 1e-9) for one in added] + [np.ones(rest.shape)]

    def cut(picture: np.ndarray) -> np.ndarray:
        whole = picture[: rows * BLOCK, : columns * BLOCK]
        return whole.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2).reshape(-1, BLOCK**2)

    design = np.stack([cut(one * used) for one in added], axis=1)
    at = np.indices((rows, columns)).reshape(2, -1).T
    top, left, bottom, right = plane.place
    place = [top, left] + (at + 0.5) * BLOCK / rest.shape * [bottom - top, right - left]
    scores = (design @ cut(rest)[..., None])[..., 0]
    return scores, design @ design.swapaxes(1, 2), place


def in_lines(kernel: np.ndarray, offset: float, noise: float, planes: Sequence[Plane]) -> bool:
    """Whether what the kernel leaves goes together along rows, or columns, by more than chance.

    Squares of a line's sum over those of its parts' sums, BLOCK pixels each: 1 where the parts know
    nothing of each other, and as many as there are where all of them go together. Parts in which
    before is flat do not count: their rounding errors are alike. Arguments as differ()'s.
    """
    for plane in planes:
        rest, used = plane.left(kernel, offset, CLEAR * noise)
        rest = np.where(used, rest - rest[used].mean(), 0) if used.any() else rest
        for lines, before in ((rest, plane.before), (rest.T, plane.before.T)):
            within = np.s_[:, : lines.shape[1] // BLOCK * BLOCK]
            parts, seen = (part[within].reshape(len(part), -1, BLOCK) for part in (lines, before))
            sums = np.where(seen.std(axis=2) < FLAT * plane.step, 0, parts.sum(axis=2))
            own = float((sums**2).sum())
            whole = float((sums.sum(axis=1) ** 2).sum())
            if whole > IN_LINES * own and np.count_nonzero(sums.any(axis=1)) >= FEWEST:
                return True
    return False
