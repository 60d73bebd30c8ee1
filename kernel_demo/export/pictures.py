"""A picture on its way to a file, so that it never has to be in memory as a whole: all, or no file.

It is written beside its place under another name, and takes the place when every row is there. So
whatever goes wrong (a full disk, Ctrl-C, too few rows) leaves what was there before.
"""

import os
import secrets
import shutil
import struct
import zlib
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_GREY, _RGB = 0, 2  # colour types
_UP = 2  # filter type
_LEVEL = 1  # of zlib: the next level takes twice as long for a few per cent


ZERO = 2**15  # the sample of zero in a signed picture
LEVELS = 255  # grey levels from black to white


def signed_samples(values: np.ndarray) -> tuple[np.ndarray, float]:
    """Signed values, 1 being white, as uint16 about ZERO; and the factor, a power of ten.

    A sample is ZERO + factor x grey level, rounded; the factor is the largest that cuts nothing.
    """
    levels = LEVELS * np.asarray(values, np.float64)
    most = float(np.abs(levels).max(initial=0))
    power = np.clip(np.floor(np.log10((ZERO - 1) / most)), -9, 15) if most else 0
    factor = 10.0**power
    return np.rint(ZERO + factor * levels).astype(np.uint16), factor


class RowFile:
    """An H x W (x C) picture in a file; a format says how it begins, goes on and ends.

    Tiles are assigned as to an array, `file[rows, columns] = values`, row of tiles by row of
    tiles, as imaging.tiles.apply_tiles() does: a row of tiles is written when it is whole. Use it
    as a context manager. OSError: a place that cannot be written to, or is full. ValueError: rows
    that are missing at the end.
    """

    def __init__(self, path: str | Path, shape: tuple[int, ...], dtype: np.dtype):
        self.shape, self.dtype = tuple(shape), np.dtype(dtype)
        self._path = Path(os.path.realpath(path))  # what a link points at is replaced, not the link
        self._unfinished = self._path.with_name(f".unfinished-{secrets.token_hex(8)}")
        self._strip: np.ndarray | None = None
        self._top = self._filled = 0

    def __enter__(self) -> "RowFile":
        if self._path.exists():
            self._path.open("r+b").close()  # a folder, or what must not be changed, is told now
        self._file = self._unfinished.open("xb")
        self._begin(self._file)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._finish()
        finally:
            with suppress(OSError):  # of what is thrown away; a finished file is closed already
                self._file.close()
            self._unfinished.unlink(missing_ok=True)

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
            self._write(self._file, self._strip)
            self._top, self._strip = rows.stop, None

    def _finish(self) -> None:
        if self._top != self.shape[0]:
            raise ValueError(f"{self._top} of {self.shape[0]} rows were written")
        self._end(self._file)
        self._file.close()
        if self._path.exists():
            shutil.copymode(self._path, self._unfinished)
        self._unfinished.replace(self._path)

    def _begin(self, file: BinaryIO) -> None:
        raise NotImplementedError

    def _write(self, file: BinaryIO, strip: np.ndarray) -> None:
        raise NotImplementedError

    def _end(self, file: BinaryIO) -> None:
        """What comes after the last row."""


class NpyFile(RowFile):
    """As numpy.save writes it.

    Written rather than mapped: on a full disk a mapping ends the process instead of raising.
    """

    def _begin(self, file: BinaryIO) -> None:
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": self.shape}
        np.lib.format.write_array_header_1_0(file, header)

    def _write(self, file: BinaryIO, strip: np.ndarray) -> None:
        file.write(strip.data)


class PngFile(RowFile):
    """An H x W or H x W x 3 picture of uint8 or uint16 as PNG (third edition, W3C 2025).

    Each row is preceded by its filter; here always Up, the difference to the row above, which
    suits what comes out of an image filter and costs one subtraction.
    """

    def __init__(self, path: str | Path, shape: tuple[int, ...], dtype: np.dtype):
        if np.dtype(dtype) not in (np.uint8, np.uint16) or shape[2:] not in ((), (3,)):
            raise ValueError(f"a PNG of {shape}, {dtype}")
        super().__init__(path, shape, dtype)
        self._above = np.zeros(int(np.prod(shape[1:])) * self.dtype.itemsize, np.uint8)
        self._packer = zlib.compressobj(_LEVEL)

    def _begin(self, file: BinaryIO) -> None:
        file.write(_SIGNATURE)
        height, width = self.shape[:2]
        colour = _RGB if len(self.shape) == 3 else _GREY
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
        packed = self._packer.compress(filtered.data)
        if packed:
            _chunk(file, b"IDAT", packed)

    def _end(self, file: BinaryIO) -> None:
        _chunk(file, b"IDAT", self._packer.flush())
        _chunk(file, b"IEND", b"")


def _chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">I", len(data)) + kind + data)
    file.write(struct.pack(">I", zlib.crc32(data, zlib.crc32(kind))))
