"""A picture as tiles: filter one of any size in bounded memory, with the very same result.

A tile is read with a halo of r more pixels on every side: real neighbours inside the picture, the
border mode's at its rim. So each output pixel sees the patch that it would see in the whole.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import cv2
import numpy as np

from kernel_demo.imaging.filtering import CONSTANT, positions

BAND = 2**22  # values of a tile, where its size is left open: a wide one is filtered fastest
WIDEST = 2**14  # columns of such a tile, at most


class Sink(Protocol):
    """What tiles go into: an array, or what is assigned to like one."""

    @property
    def dtype(self) -> np.dtype[Any]: ...
    def __setitem__(self, place: tuple[slice, slice], values: np.ndarray, /) -> None: ...


def iter_tiles(
    height: int, width: int, rows: int, columns: int | None = None
) -> Iterator[tuple[slice, slice]]:
    """The picture as (rows, columns), row by row; each pixel is in one, of at most rows x columns.

    columns: as many as rows by default.
    """
    columns = columns or rows
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            yield (
                slice(top, min(top + rows, height)),
                slice(left, min(left + columns, width)),
            )


def apply_tiled(
    image: np.ndarray,
    kernel: np.ndarray,
    border: str = "reflect",
    offset: float = 0.0,
    tile: int | None = None,
    value: float = 0.0,
) -> np.ndarray:
    """filtering.correlate(), tile by tile: the same arguments, dtype and result.

    Up to 7 x 7 the result is the same bit for bit; above that OpenCV sums by DFT, and the order of
    its sums depends on the tile: about 1e-15 of the largest value, before rounding to float32.
    """
    dtype = np.float64 if image.dtype == np.float64 else np.float32
    result = np.empty(image.shape, dtype)
    for _ in apply_tiles(image, result, kernel, border, offset, tile, np.float64, value):
        pass
    return result


def apply_tiles(
    source: np.ndarray,
    sink: Sink,
    kernel: np.ndarray,
    border: str = "reflect",
    offset: float = 0.0,
    tile: int | None = None,
    working: type = np.float32,
    value: float = 0.0,
) -> Iterator[float]:
    """Filter source into sink; yields the fraction done after each tile. To cancel, stop iterating.

    source, sink: H x W or H x W x C of the same shape, sliced like arrays (np.memmap serves, so
    that neither has to fit in memory); they must not overlap. kernel: k x k, k odd.
    Units are the source's, the offset's too; a sink of 8- or 16-bit integers gets the result
    rounded to nearest (halves up) and clipped to its range.
    tile: side of the tiles; by default bands as wide as the picture.
    working: the dtype of the sums. float32 errs by about 1e-7 of the largest value (not at all for
    integer kernels on 8-bit pictures); float64 is half as fast.
    value: what the border mode CONSTANT puts around.
    Memory beyond source and sink: a few tiles.
    """
    weights = np.asarray(kernel, np.float64)
    radius = len(weights) // 2
    height, width = source.shape[:2]
    from_rows = positions(height, radius, border)
    from_columns = positions(width, radius, border)
    done = 0
    for rows, columns in iter_tiles(height, width, *_tile_size(source.shape, tile)):
        halo = _read(
            source,
            from_rows[rows.start : rows.stop + 2 * radius],
            from_columns[columns.start : columns.stop + 2 * radius],
            working,
            radius,
            value if border == CONSTANT else 0.0,
        )
        filtered = cv2.filter2D(halo, -1, weights, delta=offset).reshape(halo.shape)
        valid = filtered[radius : len(halo) - radius, radius : halo.shape[1] - radius]
        sink[rows, columns] = _rounded(valid, sink.dtype)
        done += (rows.stop - rows.start) * (columns.stop - columns.start)
        yield done / (height * width)


def _tile_size(shape: tuple[int, ...], tile: int | None) -> tuple[int, int]:
    if tile:
        return tile, tile
    columns = min(shape[1], WIDEST)
    return max(1, BAND // (columns * int(np.prod(shape[2:])))), columns


def _read(
    source: np.ndarray,
    rows: np.ndarray,
    columns: np.ndarray,
    dtype: type,
    radius: int,
    value: float,
) -> np.ndarray:
    """The pixels at rows x columns, the outer `radius` of them the halo; at -1 there is `value`."""
    if _consecutive(rows) and _consecutive(columns):
        return np.asarray(source[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], dtype)
    block = np.empty((len(rows), len(columns), *source.shape[2:]), dtype)
    end, last = len(rows) - radius, len(columns) - radius
    inner = np.s_[rows[radius] : rows[end - 1] + 1, columns[radius] : columns[last - 1] + 1]
    block[radius:end, radius:last] = source[inner]
    # Pixel by pixel is slow, and only the halo needs it.
    for halo in (np.s_[:radius], np.s_[end:]):
        block[halo] = source[np.ix_(rows[halo], columns)]
    for halo in (np.s_[:radius], np.s_[last:]):
        block[:, halo] = source[np.ix_(rows, columns[halo])]
    block[rows < 0] = value
    block[:, columns < 0] = value
    return block


def _consecutive(places: np.ndarray) -> bool:
    return places[0] >= 0 and bool((np.diff(places) == 1).all())


def _rounded(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The values as they go into an array of that dtype; in place, which halves the time."""
    if np.issubdtype(dtype, np.integer):
        values += 0.5
        np.floor(values, out=values)
        np.clip(values, np.iinfo(dtype).min, np.iinfo(dtype).max, out=values)
    return values
