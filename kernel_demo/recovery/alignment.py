"""Two pictures laid over each other, and which of their pixels count.

Channels, bit depths, transparency, sizes and shifts are brought together; pixels that were clipped
or are not opaque are left out.

Everything after this works on a Pair, in *working units*: the grey levels of the deeper of the two
files. 8-bit samples beside 16-bit ones are multiplied by 257 (65535 / 255), which is exact. A Plane
is one channel before beside one after; samples of planes stand for the whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import correlate_valid, pad
from kernel_demo.learning.statistics import Statistics
from kernel_demo.recovery.explanations import Note, Told

# Sizes that differ by more were resized or are of different pictures.
MAX_DIFFERENCE = 64
# Side of the tiles of a sample: large beside a 15 x 15 patch, small beside what varies in a photo.
TILE = 192
WHOLE = 1_000_000  # places of which all are shuffled; of more, some are drawn, now and then twice
# A level is one of clipping with so many times the pixels of its neighbours.
SPIKE, NEIGHBOURS = 3, 8
STRAY = 0.002  # share of the pixels that may lie beyond such a level


@dataclass(frozen=True, eq=False)
class Pair:
    """A before and an after in working units; after[y, x] lies over before[y + oy, x + ox]."""

    before: np.ndarray  # H x W x B, uint8 or uint16 (float64 once made grey by unknown weights)
    after: np.ndarray  # h x w x A, uint8 or uint16
    opaque: np.ndarray | None  # h x w bool: where neither is transparent; None: everywhere
    origin: tuple[int, int]  # (oy, ox)
    peak: int  # white: 255 or 65535
    step: int  # one grey level of the after file: 1, or 257 where only before is 16-bit
    clip: tuple[int, int]  # the levels at which after is cut off: black and white, or less
    alpha_changed: bool = False  # the alpha channel of after is another one
    outliers: np.ndarray | None = None  # h x w bool: what something else has changed; None: nothing

    @property
    def counted(self) -> np.ndarray | None:
        """h x w bool: the pixels of after that the kernel is to explain; None: all."""
        if self.outliers is None:
            return self.opaque
        return ~self.outliers if self.opaque is None else self.opaque & ~self.outliers

    @property
    def same_frame(self) -> bool:
        """Whether both show the very same rectangle, so that the after has a border to explain."""
        return self.origin == (0, 0) and self.before.shape[:2] == self.after.shape[:2]

    def overlap(self) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """before (h' x w' x B), after (h' x w' x A) and counted where both have pixels."""
        there, here = common(self.before, self.after, self.origin)
        counted = self.counted
        return self.before[there], self.after[here], None if counted is None else counted[here]

    def plane(self) -> Plane:
        """What overlaps with all channels at once: H x W x B before, H x W x A after."""
        return Plane(*self.overlap(), self.peak, self.step, self.clip)

    @property
    def levels(self) -> np.ndarray:
        """after in its file's own grey levels."""
        return self.after if self.step == 1 else self.after // self.step

    def surroundings(
        self, radius: int, border: str, value: float | tuple[float, ...] = 0
    ) -> np.ndarray:
        """before as (h + 2 radius) x (w + 2 radius) x B: the patches of every after pixel."""
        (oy, ox), (height, width) = self.origin, self.after.shape[:2]
        down, right = height + oy - self.before.shape[0], width + ox - self.before.shape[1]
        margin = max(0, radius + max(-oy, -ox, down, right))
        top, left = oy + margin - radius, ox + margin - radius
        padded = pad(self.before, margin, border, value)
        return padded[top : top + height + 2 * radius, left : left + width + 2 * radius]


def common(
    before: np.ndarray, after: np.ndarray, origin: tuple[int, int]
) -> tuple[tuple[slice, slice], tuple[slice, slice]]:
    """(rows, columns) of before, and of after, that lie over each other; origin as in a Pair."""
    spans = []
    for axis, start in enumerate(origin):
        first, last = max(0, -start), min(after.shape[axis], before.shape[axis] - start)
        spans.append((slice(first + start, last + start), slice(first, last)))
    (there, here), (across, here_across) = spans
    return (there, across), (here, here_across)


def between(
    values: np.ndarray, clip: Sequence[float | np.ndarray], margin: float = 0
) -> np.ndarray:
    """Where values keep more than `margin` from the two levels at which they are cut off."""
    return (values > clip[0] + margin) & (values < clip[1] - margin)


def prepare(
    before: np.ndarray, after: np.ndarray, max_size: int = 15
) -> tuple[Pair | None, tuple[Told, ...]]:
    """The pair in working units, and what was done to it.

    before, after: uint8 or uint16, H x W or H x W x C with C = 1 (grey), 2 (grey, alpha), 3 (red,
    green, blue) or 4 (and alpha). DemoError for arrays that are no such pictures. The pair is
    None, with the reason as the last note, where the sizes cannot belong together.
    max_size: of the kernels to look for, which tells how far transparent pixels reach.
    """
    notes: list[Told] = []
    before, before_alpha = _channels(before, "before", notes)
    after, after_alpha = _channels(after, "after", notes)
    difference = [a - b for a, b in zip(after.shape[:2], before.shape[:2], strict=True)]
    if max(map(abs, difference)) > min(MAX_DIFFERENCE, min(after.shape[:2]) // 2):
        return None, (*notes, _sizes(before, after))
    if any(difference):
        notes.append(_difference(*difference))
    peaks = [int(np.iinfo(picture.dtype).max) for picture in (before, after)]
    peak = max(peaks)
    if peaks[0] != peaks[1]:
        notes.append(Told(Note.DEPTHS))
    down, right = (int(-d / 2) for d in difference)
    before, after = (_deepened(picture, peak) for picture in (before, after))
    pair = Pair(
        before, after, None, (down, right), peak, peak // peaks[1], clip_levels(after, peak)
    )
    opaque = _opaque(pair, before_alpha, after_alpha, max_size, notes)
    changed = _alpha_changed(pair, before_alpha, after_alpha)
    return replace(pair, opaque=opaque, alpha_changed=changed), tuple(notes)


def clip_levels(after: np.ndarray, peak: int) -> tuple[int, int]:
    """(low, high): the levels at which a picture is cut off: 0 and peak, if none stands out.

    Cutting off heaps all that lies beyond upon the last level: SPIKE times as many pixels there as
    on its NEIGHBOURS, the next levels that occur.
    """
    flat = np.ascontiguousarray(after).reshape(1, -1)
    count = cv2.calcHist([flat], [0], None, [peak + 1], [0, peak + 1]).ravel()
    seen = np.flatnonzero(count)
    if len(seen) < 4 * NEIGHBOURS:
        return 0, peak
    low, high = 0, peak
    if count[seen[0]] > SPIKE * count[seen[1 : NEIGHBOURS + 1]].mean() + NEIGHBOURS:
        low = int(seen[0])
    if count[seen[-1]] > SPIKE * count[seen[-NEIGHBOURS - 1 : -1]].mean() + NEIGHBOURS:
        high = int(seen[-1])
    return low, high


def heaped(after: np.ndarray, peak: int) -> bool:
    """Whether levels are cut off as in clip_levels, and a few pixels lie beyond all the same."""
    flat = np.ascontiguousarray(after).reshape(1, -1)
    count = cv2.calcHist([flat], [0], None, [peak + 1], [0, peak + 1]).ravel()
    for part in (count, count[::-1]):
        seen = np.flatnonzero(part)
        beyond = int(np.searchsorted(np.cumsum(part[seen]), STRAY * flat.size))
        level, *others = part[seen[beyond:]]
        heap = level > SPIKE * np.mean(others[:NEIGHBOURS] or 0) + NEIGHBOURS
        if beyond and len(others) >= 4 * NEIGHBOURS and heap:
            return True
    return False


def _channels(
    picture: np.ndarray, name: str, notes: list[Told]
) -> tuple[np.ndarray, np.ndarray | None]:
    """(H x W x 1 or 3, alpha H x W or None). Three equal channels are one."""
    picture = np.require(picture, requirements="W")  # torch warns of arrays that are read-only
    deep = picture[..., None] if picture.ndim == 2 else picture
    samples = picture.dtype in (np.uint8, np.uint16)
    if not samples or deep.ndim != 3 or deep.shape[2] not in (1, 2, 3, 4):
        raise DemoError(
            f"{name} as 8-bit or 16-bit samples, height x width (x channels)",
            f"{picture.dtype} of shape {picture.shape}",
            "Give the numbers of the file, unchanged: np.asarray(PIL.Image.open(path)).",
        )
    if 0 in deep.shape:
        raise DemoError(f"{name} with pixels", f"shape {picture.shape}", "Choose another file.")
    colours = 3 if deep.shape[2] >= 3 else 1
    alpha = deep[..., colours] if deep.shape[2] > colours else None
    deep = deep[..., :colours]
    few = deep[::16, ::16]
    if colours == 3 and all((part[..., :1] == part[..., 1:]).all() for part in (few, deep)):
        notes.append(Told(Note.GREY, {"name": name}))
        deep = deep[..., :1]
    return deep, alpha


def _deepened(picture: np.ndarray, peak: int) -> np.ndarray:
    deep_enough = picture.dtype == np.uint16 or peak == 255
    return picture if deep_enough else picture.astype(np.uint16) * np.uint16(257)


def _opaque(
    pair: Pair,
    before_alpha: np.ndarray | None,
    after_alpha: np.ndarray | None,
    size: int,
    notes: list[Told],
) -> np.ndarray | None:
    """Where after can be trusted: no transparent pixel in it, or in its size x size of before."""
    if before_alpha is None and after_alpha is None:
        return None
    opaque = np.ones(pair.after.shape[:2], bool)
    if before_alpha is not None:
        there, here = common(pair.before, pair.after, pair.origin)
        solid = cv2.erode(_solid(before_alpha).astype(np.uint8), np.ones((size, size)))
        opaque[here] &= solid[there] > 0
    if after_alpha is not None:
        opaque &= _solid(after_alpha)
    if opaque.mean() < 0.1:
        notes.append(Told(Note.HIDDEN))
        return None
    notes.append(Told(Note.ALPHA))
    return None if opaque.all() else opaque


def _alpha_changed(
    pair: Pair, before_alpha: np.ndarray | None, after_alpha: np.ndarray | None
) -> bool:
    if after_alpha is None:
        return False
    there, here = common(pair.before, pair.after, pair.origin)
    own = after_alpha[here] / np.iinfo(after_alpha.dtype).max
    if before_alpha is None:
        return bool((own < 1).any())
    other = before_alpha[there] / np.iinfo(before_alpha.dtype).max
    return bool((np.abs(own - other) > 1 / 255).any())


def _solid(alpha: np.ndarray) -> np.ndarray:
    return alpha == np.iinfo(alpha.dtype).max


def _sizes(before: np.ndarray, after: np.ndarray) -> Told:
    turned = before.shape[:2] == after.shape[1::-1]
    shapes = (f"{picture.shape[1]} × {picture.shape[0]}" for picture in (before, after))
    figures: dict[str, object] = dict(zip(("before", "after"), shapes, strict=True))
    return Told(Note.TURNED if turned else Note.STRANGERS, figures)


def _difference(height: int, width: int) -> Told:
    if height == width and height < 0:
        return Told(Note.SMALLER, {"pixels": -height})
    return Told(Note.OTHER_SIZE, {"columns": width, "rows": height})


@dataclass(frozen=True, eq=False)
class Plane:
    """A grey before and after of the same size, in working units."""

    before: np.ndarray  # H x W
    after: np.ndarray  # H x W
    counted: np.ndarray | None  # H x W bool: the pixels to explain; None: all
    peak: int  # white
    step: int  # one grey level of the after file
    clip: tuple[int, int]  # the levels at which after is cut off
    place: tuple[float, float, float, float] = (0, 0, 1, 1)  # top, left, bottom, right in the whole
    chosen: np.ndarray | None = None  # H x W bool: the pixels to fit to, once they are chosen

    @property
    def used(self) -> np.ndarray:
        """`chosen`, of a plane of which pixels are. ValueError for another."""
        if self.chosen is None:
            raise ValueError("choose pixels first, as unclipped() does")
        return self.chosen

    def inside(self, size: int) -> tuple[slice, slice]:
        """The pixels whose size x size patch lies inside."""
        edge, (height, width) = size // 2, self.after.shape
        return slice(edge, max(edge, height - edge)), slice(edge, max(edge, width - edge))

    def using(self, mask: np.ndarray) -> Plane:
        """The plane with those pixels of a mask chosen that count."""
        return replace(self, chosen=mask if self.counted is None else mask & self.counted)

    def unclipped(self) -> Plane:
        """With the pixels between the clip levels, where a filter's result is kept."""
        return self.using(between(self.after, self.clip))

    def predictable(self, kernel: np.ndarray, offset: float, margin: float) -> Plane:
        """With the pixels whose prediction keeps `margin` from the clip levels.

        Leaving out clipped pixels by what *came out* favours noise that points inward; leaving them
        out by what the picture before *predicts* does not bias the fit (selection on the
        regressors).
        """
        mask = np.zeros(self.after.shape, bool)
        if min(mask.shape) >= len(kernel):
            value = correlate_valid(self.before.astype(np.float64), kernel, offset)
            mask[self.inside(len(kernel))] = between(value, self.clip, margin)
        return self.using(mask)

    def left(
        self, kernel: np.ndarray, offset: float, margin: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """What a kernel leaves, and where: H x W, and H x W bool of the pixels that are chosen.

        margin: how far from the clip levels its results must lie; pixels that noise has kept from
        being clipped are no fair sample. Elsewhere 0 is left.
        """
        made = np.full(self.after.shape, np.nan)
        inner = correlate_valid(self.before.astype(np.float64), kernel, offset)
        made[self.inside(len(kernel))] = inner
        kept = self.used & between(made, self.clip, margin)
        return np.where(kept, self.after - made, 0), kept

    def drawn(self, size: int, most: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
        """Of at most so many used pixels: patches, results, places here and in the whole picture.

        n x size x size of before, n, n x 2 whole numbers and n x 2 of 0..1 (rows, columns).
        """
        at = np.argwhere(self.used[self.inside(size)])
        at = at[rng.permutation(len(at))[:most]]
        patches = sliding_window_view(self.before, (size, size))[tuple(at.T)]
        at = at + size // 2
        top, left, bottom, right = self.place
        share = np.array([top, left]) + at / self.after.shape * [bottom - top, right - left]
        return patches, self.after[tuple(at.T)], at, share

    def moved(self, down: int, right: int) -> Plane:
        """The plane with before[y + down, x + right] over after[y, x]."""
        if down == right == 0:
            return self
        return self._cut(*common(self.before, self.after, (down, right)))

    def part(self, top: int, left: int, height: int, width: int) -> Plane:
        """A rectangle of the plane."""
        at = np.s_[top : top + height, left : left + width]
        rows, columns = self.after.shape[:2]
        place = (top / rows, left / columns, (top + height) / rows, (left + width) / columns)
        return replace(self._cut(at, at), place=place)

    def _cut(self, there: tuple[slice, slice], here: tuple[slice, slice]) -> Plane:
        counted = None if self.counted is None else self.counted[here]
        return replace(self, before=self.before[there], after=self.after[here], counted=counted)


def planes_of(pairs: list[Pair], channel: int | None = None) -> list[Plane]:
    """Each channel of after (or one) with its own of before, or with the only one of before."""
    found = []
    for pair in pairs:
        before, after, counted = pair.overlap()
        for c in range(after.shape[2]) if channel is None else (channel,):
            own = before[..., min(c, before.shape[2] - 1)]
            found.append(Plane(own, after[..., c], counted, pair.peak, pair.step, pair.clip))
    return found


def sample(planes: list[Plane], pixels: int) -> list[Plane]:
    """Tiles spread evenly over all planes, about `pixels` in total; small planes are kept whole."""
    tiles = []
    for plane in planes:
        height, width = plane.after.shape[:2]
        budget = pixels / len(planes)
        if height * width <= 1.5 * budget:
            tiles.append(plane)
            continue
        tall, wide = min(TILE, height), min(TILE, width)
        count = max(1, round(budget / (tall * wide)))
        down = max(1, min(round((count * height / width) ** 0.5), height // tall))
        across = max(1, min(-(-count // down), width // wide))
        tiles += [
            plane.part(int(top), int(left), tall, wide)
            for top in np.linspace(0, height - tall, down)
            for left in np.linspace(0, width - wide, across)
        ]
    return tiles


def places(
    height: int, width: int, most: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of at most so many places by chance, none of which is looked at first."""
    count = height * width
    few = count <= WHOLE
    chosen = rng.permutation(count)[:most] if few else rng.integers(0, count, min(most, count))
    return np.divmod(chosen, width)


def sums(planes: list[Plane], size: int) -> Statistics | None:
    """Over the pixels used of all planes; None if there are fewer than four for each unknown."""
    total = Statistics.zero(size)
    for plane in planes:
        if min(plane.after.shape) < size:
            continue
        if plane.used[plane.inside(size)].sum() > size * size:
            mask = None if plane.used.all() else plane.used
            total = total + Statistics.from_pair(plane.before, plane.after, size, mask)
    return total if total.count >= 4 * (size * size + 1) else None


def share(planes: list[Plane]) -> float:
    """The share of the pixels that are used."""
    pixels = sum(plane.used.size for plane in planes)
    return sum(np.count_nonzero(plane.used) for plane in planes) / max(1, pixels)


def distinct(patches: np.ndarray) -> np.ndarray:
    """Where each of the different rows (n x m, float32 at most) stands first; in order."""
    bits = np.ascontiguousarray(patches, np.float32).view(np.uint32).astype(np.uint64)
    factors = np.random.default_rng(0).integers(1, 2**63, bits.shape[1], np.uint64) | 1
    # Modulo 2**64: a multilinear hash.
    return np.sort(np.unique(bits @ factors, return_index=True)[1])
