"""Before and after pictures as tiles on the device: what training draws its batches from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from kernel_demo.errors import DemoError, odd, whole
from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import MAX_SIZE, MIN_SIZE
from kernel_demo.learning.late import torch

Masks: TypeAlias = Sequence[np.ndarray | None]
Tiles: TypeAlias = "tuple[torch.Tensor, torch.Tensor, torch.Tensor]"  # before, after, weight
MIN_TILE, MAX_TILE = 8, 512
MAX_BYTES = 512 * 2**20  # laid on the device at most; what exceeds it is left out
VALIDATION_SHARE = 0.1


@dataclass(frozen=True, eq=False)
class Pairs:
    """N tiles of T x T valid pixels, each with the halo of r real neighbours it is computed from.

    Every valid pixel of every picture has weight 1 in exactly one tile, so that
    sum(weight * (out - after)^2) / sum(weight) over all tiles is the mean squared error
    over all valid pixels.
    """

    before: torch.Tensor  # (N, 1, T + 2r, T + 2r) float32
    after: torch.Tensor  # (N, 1, T, T) float32
    weight: torch.Tensor  # (N, 1, T, T) float32, 1: counts, 0: covered elsewhere, or masked out
    training: torch.Tensor  # (n,) int64, indices of tiles
    validation: torch.Tensor  # (m,) int64, the tenth held out
    radius: int
    tile: int

    @property
    def device(self) -> torch.device:
        return self.before.device

    def to(self, device: torch.device | str) -> Pairs:
        """The same tiles on another device; no copy where they lie there already."""
        names = ("before", "after", "weight", "training", "validation")
        return replace(self, **{name: getattr(self, name).to(device) for name in names})


@dataclass(frozen=True)
class _Place:
    """Where one tile lies: top and left of its valid pixels, and from where on they count."""

    picture: int
    top: int
    left: int
    first_row: int
    first_column: int


def teacher(
    pictures: Sequence[np.ndarray], kernel: ArrayLike, offset: float = 0.0
) -> list[np.ndarray]:
    """The after pictures of a known kernel: the reference filter's answers, H x W float32 each."""
    return [correlate(picture, kernel, offset=offset) for picture in pictures]


def build(
    befores: Sequence[np.ndarray],
    afters: Sequence[np.ndarray],
    size: int,
    tile: int = 64,
    seed: int = 0,
    device: torch.device | str = "cpu",
    masks: Masks | None = None,
) -> Pairs:
    """Lays before/after pictures (H x W, 0..1) on the device as tiles for a size x size kernel.

    Of the afters only the interior is read, where a whole patch lies inside the picture.
    masks: True where an after pixel is to be trusted (not clipped); None: everywhere.
    seed: chooses the validation tiles (and, past MAX_BYTES, which tiles are used at all).
    DemoError: no picture; shapes that differ; NaN or infinity; every picture smaller than the
    kernel; every picture constant; nothing left by the masks.
    """
    size = odd("kernel size", size, MIN_SIZE, MAX_SIZE)
    tile = whole("tile", tile, MIN_TILE, MAX_TILE)
    masks = [None] * len(befores) if masks is None else masks
    masks = [None if mask is None else np.asarray(mask, bool) for mask in masks]
    _check_pictures(befores, afters, masks)
    fits = [min(np.shape(before)) >= size for before in befores]
    _check_fitting(befores, fits, size)
    places = [
        place
        for index, picture in enumerate(befores)
        if fits[index]
        for place in _places(index, np.shape(picture), size, tile)
    ]
    rng = np.random.default_rng(seed)
    places = _within_memory(places, size, tile, rng)
    cut = _cut(befores, afters, masks, places, size // 2, tile)
    before, after, weight = _without_empty(*cut)
    training, validation = _split(len(before), rng)
    return Pairs(before, after, weight, training, validation, size // 2, tile).to(device)


def _places(picture: int, shape: tuple[int, ...], size: int, tile: int) -> Iterator[_Place]:
    height, width = shape
    for top, first_row in _starts(height - size + 1, tile):
        for left, first_column in _starts(width - size + 1, tile):
            yield _Place(picture, top, left, first_row, first_column)


def _starts(length: int, tile: int) -> list[tuple[int, int]]:
    """Starts of tiles along one axis of valid pixels, and the first that is not covered yet.

    The last tile is shifted inward, so that it holds real pixels only.
    """
    starts = [(start, 0) for start in range(0, length - tile + 1, tile)]
    if not starts:
        return [(0, 0)]
    rest = length % tile
    return [*starts, (length - tile, tile - rest)] if rest else starts


def _cut(
    befores: Sequence[np.ndarray],
    afters: Sequence[np.ndarray],
    masks: Masks,
    places: list[_Place],
    radius: int,
    tile: int,
) -> Tiles:
    """before (N, 1, T + 2r, T + 2r), after and weight (N, 1, T, T); zeros past the picture."""
    halo = tile + 2 * radius
    before = np.zeros((len(places), 1, halo, halo), np.float32)
    after = np.zeros((len(places), 1, tile, tile), np.float32)
    weight = np.zeros_like(after)
    for n, place in enumerate(places):
        picture, answer = np.asarray(befores[place.picture]), np.asarray(afters[place.picture])
        patch = picture[place.top : place.top + halo, place.left : place.left + halo]
        before[n, 0, : patch.shape[0], : patch.shape[1]] = patch
        height, width = patch.shape[0] - 2 * radius, patch.shape[1] - 2 * radius
        top, left = place.top + radius, place.left + radius
        after[n, 0, :height, :width] = answer[top : top + height, left : left + width]
        weight[n, 0, place.first_row : height, place.first_column : width] = 1.0
        if (mask := masks[place.picture]) is not None:
            weight[n, 0, :height, :width] *= mask[top : top + height, left : left + width]
    after[weight == 0] = 0.0  # what is masked out may be anything, even NaN
    return torch.from_numpy(before), torch.from_numpy(after), torch.from_numpy(weight)


def _without_empty(before: torch.Tensor, after: torch.Tensor, weight: torch.Tensor) -> Tiles:
    """Leaves out tiles in which a mask lets nothing count."""
    kept = weight.amax((1, 2, 3)) > 0
    if not kept.any():
        raise DemoError("pixels to learn from", "masks that leave none", "Leave out fewer pixels.")
    return (before, after, weight) if kept.all() else (before[kept], after[kept], weight[kept])


def _within_memory(
    places: list[_Place], size: int, tile: int, rng: np.random.Generator
) -> list[_Place]:
    """An even random choice of tiles where all of them would exceed MAX_BYTES."""
    room = max(1, MAX_BYTES // (4 * ((tile + size - 1) ** 2 + 2 * tile**2)))
    if len(places) <= room:
        return places
    return [places[index] for index in np.sort(rng.permutation(len(places))[:room])]


def _split(count: int, rng: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """Training and validation indices. A single tile serves as both: nothing can be held out."""
    if count == 1:
        return torch.zeros(1, dtype=torch.int64), torch.zeros(1, dtype=torch.int64)
    order = torch.from_numpy(rng.permutation(count))
    held = max(1, round(VALIDATION_SHARE * count))
    return order[held:].sort().values, order[:held].sort().values


def _check_pictures(
    befores: Sequence[np.ndarray], afters: Sequence[np.ndarray], masks: Masks
) -> None:
    if len(befores) == 0:
        raise DemoError("at least one picture", "none", "Choose one or more pictures.")
    if not len(befores) == len(afters) == len(masks):
        counts = f"{len(befores)} before, {len(afters)} after, {len(masks)} masks"
        raise DemoError("an after picture for every before picture", counts, "Give both of each.")
    for number, (before, after, mask) in enumerate(zip(befores, afters, masks, strict=True), 1):
        shapes = {np.shape(array) for array in (before, after, mask) if array is not None}
        if len(shapes) > 1 or np.ndim(before) != 2:
            told = " and ".join(" × ".join(map(str, shape)) for shape in sorted(shapes))
            remedy = f"Give both of pair {number} in grey and in the same size."
            raise DemoError("before and after of one height and width", told, remedy)
        trusted = after if mask is None else np.asarray(after)[mask]
        if not (np.isfinite(before).all() and np.isfinite(trusted).all()):
            remedy = "Remove it, or mask those pixels."
            raise DemoError("finite pixels", f"NaN or infinity in picture {number}", remedy)


def _check_fitting(befores: Sequence[np.ndarray], fits: Sequence[bool], size: int) -> None:
    if not any(fits):
        height, width = max((before.shape for before in befores), key=min)
        raise DemoError(
            f"a picture of at least {size} × {size} pixels for a {size} × {size} kernel",
            f"only smaller ones, up to {width} × {height}",
            "Choose larger pictures or a smaller kernel.",
        )
    if all(np.ptp(before) == 0 for before, fit in zip(befores, fits, strict=True) if fit):
        raise DemoError(
            "a picture with some detail",
            "only pictures of one constant value",
            "Choose another: it cannot tell kernels apart, since all of equal sum answer it alike.",
        )
