"""A PNG file written row by row.

The format: PNG (third edition), W3C 2025. Each row is preceded by its filter; here always Up, the
difference to the row above, which suits what comes out of an image filter and costs one
subtraction.
"""

import struct
import zlib
from pathlib import Path
from typing import BinaryIO

import numpy as np

from kernel_demo.export.pictures import RowFile

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB = 0, 2  # colour types
_UP = 2  # filter type
_LEVEL = 1  # of zlib: the next level takes twice as long for a few per cent


class PngFile(RowFile):
    """An H x W or H x W x 3 picture of uint8 or uint16 as PNG."""

    def __init__(self, path: str | Path, shape: tuple[int, ...], dtype: np.dtype):
        if np.dtype(dtype) not in (np.uint8, np.uint16) or shape[2:] not in ((), (3,)):
            raise ValueError(f"a PNG of {shape}, {dtype}")
        super().__init__(path, shape, dtype)
        self._above = np.zeros(int(np.prod(shape[1:])) * self.dtype.itemsize, np.uint8)
        self._packer = zlib.compressobj(_LEVEL)

    def _begin(self, file: BinaryIO) -> None:
        file.write(SIGNATURE)
        height, width = self.shape[:2]
        colour = RGB if len(self.shape) == 3 else GREY
        bits = 8 * self.dtype.itemsize
        _chunk(file, b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0))

    def _write(self, file: BinaryIO, strip: np.ndarray) -> None:
        samples = strip.astype(self.dtype.newbyteorder(">"), copy=False)  # PNG's byte order
        rows = samples.reshape(len(strip), -1).view(np.uint8)
        filtered = np.empty((len(rows), rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = _UP
        filtered[0, 1:] = rows[0] - self._above  # modulo 256, as the format asks
        np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])
        self._above = rows[-1].copy()
        packed = self._packer.compress(filtered)
        if packed:
            _chunk(file, b"IDAT", packed)

    def _end(self, file: BinaryIO) -> None:
        _chunk(file, b"IDAT", self._packer.flush())
        _chunk(file, b"IEND", b"")


def _chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data)
    file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
