"""Pixels that something else than the kernel has changed: found, so that they can be left out.

Least squares gives way to every pixel a little, and so misses a kernel that nearly all pixels obey
to the rounding. Here kernels are started from parts of the picture, where a caption or a frame is
not, and each is fitted again and again to the pixels that obey it best (the concentration steps of
least trimmed squares: Rousseeuw & Van Driessen, Data Min. Knowl. Discov. 12, 2006).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np

from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.recovery.alignment import Pair, Plane, common, planes_of, sample
from kernel_demo.recovery.quantisation import brightness
from kernel_demo.recovery.reproduction import rings

PIXELS = 60_000  # of the search, by the side of the kernel
SIZES = (3, 7)  # of the kernels searched for
PARTS = 4  # the picture is cut into PARTS x PARTS parts to start from
STEPS = 6
TRIED = 3  # starts that are taken further
WORTH = 0.01  # share of the pixels that a larger kernel must gain: its outliers end further inside
NEARLY_ALL = 0.97  # obey: a larger kernel need not be looked for
# One rounding puts a pixel at most half a level off; the kernel itself is not known exactly yet.
OBEYS = 1.02
GROSS = 4.0  # grey levels
COMPACT = 0.25  # share of the outliers that are surrounded by others
WRAP = 256
ALL_WRAP = 0.95  # share of the pixels that must obey modulo WRAP, if that is what happened
RAN_OVER = 0.01  # share of the sums, at least
NONE = 3e-4  # a weight that moves no pixel by more than a few hundredths of a level
MOST = 0.5  # share of the pixels that may disobey ...
A_LITTLE = 0.25  # ... of a sample, by which it is seen that they are off by little
SPOKEN_OF = 0.1  # ... and at most this share, for the kernel to be told
# What is left out lies where the picture is busy: then it is the filter that treats it otherwise.
BUSY = 0.8
LOOKED_AT = 100_000  # outliers, and as many other pixels, that are compared
DEEP = 2  # rings of so many pixels are few: they are found one by one
SOME, ALL_OF_THEM = 8, 0.8  # pixels of a colour, and the share of them that is replaced
# Blocks of a lossy file: with something in them, of so many levels; kept to that share of it;
# changed by so many levels RMS, beyond what losses are; and the least share of the latter.
BLOCK, TEXTURED, KEPT, PAINTED, SPARSE = 16, 5.0, 0.5, 40.0, 0.01
FEW = 20  # pixels: too few to say where they lie


@dataclass(frozen=True, eq=False)
class Changed:
    """What a kernel that most pixels obey says of the others."""

    pairs: list[Pair]  # with the others marked as outliers
    share: float  # of them, of the pixels whose patch lies inside
    wrapped: bool  # they are 256 off: the tool's sums ran over
    busy: bool  # they lie where the picture has most texture
    gross: bool  # most of them are further off than noise that the others do not have
    compact: bool  # they lie together, as what is painted does

    @property
    def few(self) -> bool:
        """Whether the kernel may speak of the rest: it is nearly all, and nothing chose it."""
        return 0 < self.share <= SPOKEN_OF and self.told

    @property
    def told(self) -> bool:
        """Whether an edit is what changed them: nothing in the picture chose them."""
        edit = self.gross and not self.busy and not self.wrapped
        return edit and (self.compact or self.share <= SPOKEN_OF)


def find(pairs: list[Pair]) -> Changed | None:
    """The pixels that disobey a kernel which at least half of the pixels obey.

    None: there is none, or nothing has changed the others: they are many, and off by so little that
    whatever else is changed makes the half of them no gross ones. Of one kernel for all channels,
    at most 7 x 7; pixels that are clipped count as obeying.
    """
    planes = [plane.unclipped() for plane in sample(planes_of(pairs), 10 * PIXELS)]
    best = None
    for size in SIZES:
        found = _search(planes, size)
        if found is not None and (best is None or found.share > best.share + WORTH):
            best = found
        if best is not None and best.share > NEARLY_ALL:
            break
    if best is None or (not best.wrapped and _off_by_little(planes, best)):
        return None
    return _marked(pairs, replace(best, kernel=_within(best.kernel)))


@dataclass(frozen=True, eq=False)
class _Obeyed:
    """A kernel, in working units, and the share of the pixels drawn that obey it."""

    kernel: np.ndarray  # k x k
    offset: float
    wrapped: bool
    share: float


def _search(planes: list[Plane], size: int) -> _Obeyed | None:
    """The kernel that most pixels obey; None: none that half of them do."""
    drawn = _drawn(planes, size)
    if drawn is None:
        return None
    patches, after, part = drawn
    step, best = planes[0].step, None
    for wrapped in (False, True) if planes[0].peak == WRAP - 1 else (False,):
        target = (after + WRAP / 2) % WRAP - WRAP / 2 if wrapped else after

        def obeying(
            weights: np.ndarray, wrapped: bool = wrapped, target: np.ndarray = target
        ) -> float:
            away = np.abs(_left(patches, target, weights, wrapped))
            return float((away <= OBEYS * step).mean())

        starts = [
            _solved(patches[chosen], target[chosen])
            for chosen in (np.ones(len(after), bool), *(part == p for p in range(PARTS**2)))
            if chosen.sum() >= 3 * patches.shape[1]
        ]
        for start in sorted(starts, key=obeying)[-TRIED:]:
            weights = _concentrated(patches, target, start, step, wrapped)
            share = obeying(weights)
            least = 1 - MOST
            ran_over = np.abs(after - patches @ weights) > WRAP / 2
            if wrapped and ran_over.mean() < RAN_OVER:
                continue
            if wrapped:  # of what did not obey before, most must do so now
                least = max(ALL_WRAP, (1 + best.share) / 2 if best else 0)
            if share > max(least, best.share if best else 0):
                kernel = weights[:-1].reshape(size, size)
                best = _Obeyed(kernel, float(weights[-1]), wrapped, share)
    return best


def _off_by_little(planes: list[Plane], obeyed: _Obeyed) -> bool:
    """Whether many of the pixels disobey, and half of those by much less than GROSS."""
    off = []
    for plane in planes:
        if min(plane.after.shape) < len(obeyed.kernel):
            continue
        value = correlate_valid(plane.before.astype(np.float64), obeyed.kernel, obeyed.offset)
        inner = plane.inside(len(obeyed.kernel))
        left = plane.after[inner] - np.clip(value, *plane.clip)
        counted = slice(None) if plane.counted is None else plane.counted[inner]
        off.append(np.abs(left[counted]).ravel() / plane.step)
    amounts = np.concatenate(off)
    beyond = amounts[amounts > OBEYS]
    return len(beyond) > A_LITTLE * len(amounts) and float(np.median(beyond)) < GROSS / 2


def _drawn(planes: list[Plane], size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Patches with a 1 (n x (k*k + 1)), results (n), and the part (n) of the picture."""
    rng, parts = np.random.default_rng(0), []
    for plane in planes:
        if min(plane.after.shape) < size:
            continue
        patches, after, _, share = plane.drawn(size, PIXELS // size // len(planes), rng)
        part = (share * PARTS).astype(int) @ [PARTS, 1]
        flat = patches.reshape(len(after), size * size).astype(np.float64)
        parts.append((flat, after.astype(np.float64), part))
    if not parts:
        return None
    patches, after, part = map(np.concatenate, zip(*parts, strict=True))
    if len(after) < 20 * patches.shape[1]:
        return None
    return np.c_[patches, np.ones(len(patches))], after, part


def _concentrated(
    patches: np.ndarray, target: np.ndarray, weights: np.ndarray, step: int, wrapped: bool
) -> np.ndarray:
    """Weights and offset, fitted in turn to the pixels that obey them best."""
    for _ in range(STEPS):
        left = _left(patches, target, weights, wrapped)
        away = np.abs(left)
        obeying = away <= max(OBEYS * step, float(np.quantile(away, 0.6)))
        # Where sums ran over, the level itself is unknown, but not by how far it is off.
        goal = (patches @ weights + left)[obeying] if wrapped else target[obeying]
        weights = _solved(patches[obeying], goal)
    return weights


def _left(
    patches: np.ndarray, target: np.ndarray, weights: np.ndarray, wrapped: bool
) -> np.ndarray:
    left = target - patches @ weights
    return (left + WRAP / 2) % WRAP - WRAP / 2 if wrapped else left


def _solved(patches: np.ndarray, target: np.ndarray) -> np.ndarray:
    gram = patches.T @ patches
    gram[np.diag_indices_from(gram)] += 1e-10 * np.trace(gram)
    return np.linalg.solve(gram, patches.T @ target)


def copied(pairs: list[Pair]) -> list[Pair] | None:
    """The pairs without the rings along the border that are as they were before; None: no rings."""
    marked = []
    for pair in pairs:
        if not pair.same_frame or pair.before.shape != pair.after.shape:
            return None
        kept = rings(np.logical_and.reduce(np.moveaxis(pair.after == pair.before, -1, 0)))
        marked.append(replace(pair, outliers=kept if kept[DEEP:-DEEP, DEEP:-DEEP].any() else None))
    return marked if any(pair.outliers is not None for pair in marked) else None


def only_edited(pair: Pair) -> bool:
    """Whether all pixels but the outliers are as they were before."""
    before, after, _ = pair.overlap()
    if pair.origin != (0, 0):
        return False
    same = (before == after).all(axis=2)
    _, here = common(pair.before, pair.after, pair.origin)
    return bool((same if pair.outliers is None else same | pair.outliers[here]).all())


def among_details(pair: Pair, mask: np.ndarray) -> bool:
    """Whether pixels of a mask (h x w) lie where the picture has most texture."""
    return _texture(pair, mask) > BUSY


def painted(pair: Pair, kernel: np.ndarray, offset: float) -> float:
    """The share that something else was painted over, where a lossy file keeps the rest as it was.

    0 where that is not sure: most blocks with something in them must be as before, what differs
    must differ grossly, lie together and not where the picture is busy, and the best kernel (k x k,
    of all channels) must fail there as well.
    """
    before, after, _ = pair.overlap()
    if not pair.same_frame or before.shape != after.shape or min(after.shape[:2]) < 4 * BLOCK:
        return 0.0
    wide = before.astype(np.float64)
    made = cv2.filter2D(wide, cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT_101) + offset
    made = np.clip(made.reshape(before.shape), *pair.clip)
    # In brightness: a file that halves colours smears them far from where they were.
    bright = [brightness(after - p)[..., None] for p in (wide, made)]
    gone, lost = (np.sqrt(_averages(b**2))[..., 0] / pair.step for b in bright)
    off = np.sqrt(_averages((after - wide) ** 2)) / pair.step
    spread = np.sqrt(np.maximum(_averages(wide**2) - _averages(wide) ** 2, 0)).mean(axis=2)
    off, spread = off.max(axis=2), spread / pair.step
    textured = spread > TEXTURED
    kept, changed = off < KEPT * spread, np.minimum(gone, lost) > PAINTED
    mask = np.kron(changed, np.ones((BLOCK, BLOCK))) > 0
    whole = np.zeros(after.shape[:2], bool)
    whole[: mask.shape[0], : mask.shape[1]] = mask
    share = float(changed.mean())
    most_kept = np.count_nonzero(textured & kept) > MOST * max(int(np.count_nonzero(textured)), FEW)
    sure = SPARSE < share < MOST and most_kept and together([whole])
    return share if sure and not among_details(pair, whole) else 0.0


def _averages(picture: np.ndarray) -> np.ndarray:
    """Over whole blocks: h x w x C."""
    height, width = (side // BLOCK for side in picture.shape[:2])
    inner = picture[: height * BLOCK, : width * BLOCK]
    return inner.reshape(height, BLOCK, width, BLOCK, -1).mean(axis=(1, 3))


def of_one_colour(picture: np.ndarray, mask: np.ndarray) -> bool:
    """Whether the pixels of a mask (h x w) are just those of some colours of a picture (h x w x C).

    What a caption covers has the colours of its surroundings; what a tool replaces has not.
    """
    if np.count_nonzero(mask) < SOME:
        return False
    low, high = np.quantile(picture[mask], [0.05, 0.95], axis=0)
    alike = ((picture >= low) & (picture <= high)).all(axis=2)
    return bool(mask[alike].mean() > ALL_OF_THEM)


def _within(kernel: np.ndarray) -> np.ndarray:
    """The kernel without outer rings that have no weight: pixels near the border are judged too."""
    while len(kernel) > 1 and np.abs(kernel - np.pad(kernel[1:-1, 1:-1], 1)).max() < NONE:
        kernel = kernel[1:-1, 1:-1]
    return kernel


def _marked(pairs: list[Pair], obeyed: _Obeyed) -> Changed:
    masks, textures, sizes, inside = [], [], [], 0
    for pair in pairs:
        mask = np.zeros(pair.after.shape[:2], bool)
        for plane, there, left in residuals(pair, obeyed.kernel, obeyed.offset):
            off = np.abs(left)
            beyond = off > (WRAP / 2 if obeyed.wrapped else OBEYS * plane.step)
            sizes.append(off[beyond] / plane.step)
            mask[there] |= beyond
        height, width = pair.overlap()[1].shape[:2]
        side = len(obeyed.kernel) - 1
        inside += max(0, height - side) * max(0, width - side)
        masks.append(mask)
        textures.append(_texture(pair, mask))
    share = sum(np.count_nonzero(mask) for mask in masks) / max(inside, 1)
    if share > SPOKEN_OF:
        masks = [_to_the_border(mask, len(obeyed.kernel) // 2) for mask in masks]
    marked = [
        replace(pair, outliers=mask if mask.any() else None)
        for pair, mask in zip(pairs, masks, strict=True)
    ]
    compact = together(masks)
    amounts = np.concatenate(sizes) if sizes else np.zeros(0)
    gross = amounts.size > 0 and float(np.median(amounts)) > GROSS
    return Changed(marked, share, obeyed.wrapped, max(textures) > BUSY, gross, compact)


def together(masks: list[np.ndarray]) -> bool:
    """Whether pixels lie together, as what is painted does, and are not strewn as noise is."""
    inner = sum(int(cv2.erode(mask.astype(np.uint8), np.ones((3, 3))).sum()) for mask in masks)
    return inner > COMPACT * sum(np.count_nonzero(mask) for mask in masks)


def residuals(
    pair: Pair, kernel: np.ndarray, offset: float
) -> Iterator[tuple[Plane, tuple[slice, slice], np.ndarray]]:
    """(plane, where in after it lies, what the kernel leaves of it) of each channel.

    Where is a pair of slices, of the pixels whose patch lies inside; what lies beyond the clip
    levels is taken for them. Pixels that do not count leave 0.
    """
    _, here = common(pair.before, pair.after, pair.origin)
    for plane in planes_of([pair]):
        size = len(kernel)
        if min(plane.after.shape) < size:
            continue
        inner = plane.inside(size)
        value = correlate_valid(plane.before.astype(np.float64), kernel, offset)
        left = plane.after[inner] - np.clip(value, *plane.clip)
        if plane.counted is not None:
            left[~plane.counted[inner]] = 0
        rows, columns = (
            slice(whole.start + part.start, whole.start + part.stop)
            for whole, part in zip(here, inner, strict=True)
        )
        yield plane, (rows, columns), left


def _to_the_border(mask: np.ndarray, radius: int) -> np.ndarray:
    """The mask with each pixel of its outer rings as the nearest within: no patch tells of them."""
    height, width = mask.shape
    inner = mask[radius : height - radius, radius : width - radius].astype(np.uint8)
    return cv2.copyMakeBorder(inner, radius, radius, radius, radius, cv2.BORDER_REPLICATE) > 0


def _texture(pair: Pair, mask: np.ndarray) -> float:
    """The share of pairs (an outlier, another pixel) in which the outlier has more texture.

    0.5 for a caption or a frame, which does not care what it covers; near 1 for a filter that
    treats edges otherwise than the rest (the area under the ROC curve: Mann & Whitney, 1947).
    """
    there, here = common(pair.before, pair.after, pair.origin)
    mask = mask[here]
    if np.count_nonzero(mask) < FEW or mask.all():
        return 0.5
    grey = pair.before[there].mean(axis=2).astype(np.float32)
    spread = cv2.blur(grey * grey, (5, 5)) - cv2.blur(grey, (5, 5)) ** 2
    such, others = (
        values[:: max(1, len(values) // LOOKED_AT)] for values in (spread[mask], spread[~mask])
    )
    return float(np.searchsorted(np.sort(others), such).mean() / len(others))
