"""A picture as tiles: filter one of any size in bounded memory, with the very same result.

A tile is read with a halo of r more pixels on every side: real neighbours inside the picture, the
border mode's at its rim. So each output pixel sees the patch that it would see in the whole.
"""

from collections.abc import Iterator

import cv2
import numpy as np

from kernel_demo.imaging.borders import positions


def iter_tiles(height: int, width: int, tile: int) -> Iterator[tuple[slice, slice]]:
    """The picture as (rows, columns), row by row; each pixel is in one, of at most tile x tile."""
    for top in range(0, height, tile):
        for left in range(0, width, tile):
            yield (
                slice(top, min(top + tile, height)),
                slice(left, min(left + tile, width)),
            )


def apply_tiled(
    image: np.ndarray,
    kernel: np.ndarray,
    border: str = "reflect",
    offset: float = 0.0,
    tile: int = 1024,
) -> np.ndarray:
    """filtering.correlate(), tile by tile: the same arguments, dtype and result.

    Up to 7 x 7 the result is the same bit for bit; above that OpenCV sums by DFT, and the order of
    its sums depends on the tile: about 1e-15 of the largest value, before rounding to float32.
    """
    dtype = np.float64 if image.dtype == np.float64 else np.float32
    result = np.empty(image.shape, dtype)
    for _ in apply_tiles(image, result, kernel, border, offset, tile, working=np.float64):
        pass
    return result


def apply_tiles(
    source: np.ndarray,
    sink: np.ndarray,
    kernel: np.ndarray,
    border: str = "reflect",
    offset: float = 0.0,
    tile: int = 1024,
    working: type = np.float32,
) -> Iterator[float]:
    """Filter source into sink; yields the fraction done after each tile. To cancel, stop iterating.

    source, sink: H x W or H x W x C of the same shape, sliced like arrays (np.memmap serves, so
    that neither has to fit in memory); they must not overlap. kernel: k x k, k odd.
    Units are the source's, the offset's too; a sink of 8- or 16-bit integers gets the result
    rounded to nearest (halves up) and clipped to its range.
    working: the dtype of the sums. float32 errs by about 1e-7 of the largest value (not at all for
    integer kernels on 8-bit pictures); float64 is half as fast.
    Memory beyond source and sink: a few tiles.
    """
    weights = np.asarray(kernel, np.float64)
    radius = len(weights) // 2
    height, width = source.shape[:2]
    from_rows = positions(height, radius, border)
    from_columns = positions(width, radius, border)
    sides = [min(tile, side) + 2 * radius for side in (height, width)]
    # One place for every tile's result: fresh memory for each would take as long as its sums.
    place = np.empty(int(np.prod([*sides, *source.shape[2:]])), working)
    done = 0
    for rows, columns in iter_tiles(height, width, tile):
        halo = _read(
            source,
            from_rows[rows.start : rows.stop + 2 * radius],
            from_columns[columns.start : columns.stop + 2 * radius],
            working,
        )
        into = place[: halo.size].reshape(halo.shape)
        filtered = cv2.filter2D(halo, -1, weights, dst=into, delta=offset).reshape(halo.shape)
        inner = filtered[radius : len(halo) - radius, radius : halo.shape[1] - radius]
        sink[rows, columns] = _rounded(inner, sink.dtype)
        done += inner.shape[0] * inner.shape[1]
        yield done / (height * width)


def _read(source: np.ndarray, rows: np.ndarray, columns: np.ndarray, dtype: type) -> np.ndarray:
    """The pixels at rows x columns; a position of -1 is zero."""
    if _consecutive(rows) and _consecutive(columns):
        return np.asarray(source[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1], dtype)
    block = np.asarray(source[np.ix_(rows, columns)], dtype)
    block[rows < 0] = 0
    block[:, columns < 0] = 0
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
