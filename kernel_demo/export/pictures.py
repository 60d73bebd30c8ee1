"""A picture on its way to a file, so that it never has to be in memory as a whole: all, or no file.

It is written beside its place under another name, and takes the place when every row is there. So
whatever goes wrong (a full disk, Ctrl-C, too few rows) leaves what was there before.
"""

import os
import secrets
import shutil
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np


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

    def __exit__(self, kind, error, trace) -> None:
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
