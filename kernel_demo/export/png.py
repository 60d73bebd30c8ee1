"""A PNG file written row by row, so that the picture never has to be in memory as a whole.

The format: PNG (third edition), W3C 2025. Each row is preceded by its filter; here always Up, the
difference to the row above, which suits what comes out of an image filter and costs one
subtraction.
"""

import struct
import zlib
from pathlib import Path

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB = 0, 2  # colour types
_UP = 2  # filter type
_LEVEL = 1  # of zlib: the next level takes twice as long for a few per cent


class PngFile:
    """An H x W or H x W x 3 picture of uint8 or uint16 on its way to a file.

    Tiles are assigned as to an array, `file[rows, columns] = values`, row of tiles by row of
    tiles, as imaging.tiles.apply_tiles() does: a row of tiles is written when it is whole. Use it
    as a context manager; if that ends by an exception, the unfinished file is removed.
    """

    def __init__(self, path: str | Path, shape: tuple[int, ...], dtype: np.dtype):
        if np.dtype(dtype) not in (np.uint8, np.uint16) or shape[2:] not in ((), (3,)):
            raise ValueError(f"a PNG of {shape}, {dtype}")
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self._path = Path(path)
        self._strip: np.ndarray | None = None
        self._top = self._filled = 0
        self._above = np.zeros(self._row_bytes(), np.uint8)
        self._packer = zlib.compressobj(_LEVEL)

    def __enter__(self) -> "PngFile":
        self._file = self._path.open("wb")
        self._file.write(SIGNATURE)
        height, width = self.shape[:2]
        colour = RGB if len(self.shape) == 3 else GREY
        bits = 8 * self.dtype.itemsize
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))
        return self

    def __exit__(self, kind, error, trace) -> None:
        whole = kind is None and self._top == self.shape[0]
        if whole:
            self._chunk(b"IDAT", self._packer.flush())
            self._chunk(b"IEND", b"")
        self._file.close()
        if not whole:
            self._path.unlink(missing_ok=True)
        if kind is None and not whole:
            raise ValueError(f"{self._top} of {self.shape[0]} rows were written")

    def __setitem__(self, place: tuple[slice, slice], values: np.ndarray) -> None:
        rows, columns = place
        if self._strip is None:
            strip = (rows.stop - rows.start, *self.shape[1:])
            self._strip, self._filled = np.empty(strip, self.dtype), 0
        if rows.start != self._top or rows.stop - rows.start != len(self._strip):
            raise ValueError("tiles come row by row")
        self._strip[:, columns] = values
        self._filled += columns.stop - columns.start
        if self._filled == self.shape[1]:
            self._write(self._strip)
            self._top, self._strip = rows.stop, None

    def _write(self, strip: np.ndarray) -> None:
        samples = strip.astype(self.dtype.newbyteorder(">"), copy=False)  # PNG's byte order
        rows = samples.reshape(len(strip), -1).view(np.uint8)
        filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = _UP
        filtered[0, 1:] = rows[0] - self._above  # modulo 256, as the format asks
        np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
        self._above = rows[-1].copy()
        packed = self._packer.compress(filtered)
        if packed:
            self._chunk(b"IDAT", packed)

    def _row_bytes(self) -> int:
        return int(np.prod(self.shape[1:])) * self.dtype.itemsize

    def _chunk(self, kind: bytes, data: bytes) -> None:
        self._file.write(struct.pack(">I", len(data)) + kind + data)
        self._file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
