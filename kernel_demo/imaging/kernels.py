"""Kernels: the record and its check; named ones, random ones, and what visitors bring.

A kernel is k x k float64, k odd, and is correlated with the picture, never flipped (filtering.py).
A matrix is read out of pasted text (JSON, NumPy, MATLAB, C or plain rows); nothing is evaluated.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from kernel_demo import records
from kernel_demo.errors import DemoError, finite, odd, one_of, whole
from kernel_demo.imaging.catalogue import CATALOGUE

MIN_SIZE = 3
MAX_SIZE = 31
MAX_VALUE = 1e6  # float32 pictures carry seven digits: beyond this nothing finer than 0.1 is left
MAX_SEED = 2**32 - 1
MAX_TEXT = 50_000  # characters; a 31 x 31 kernel in full precision is about 25,000

_ALIKE = str.maketrans({"\u2212": "-", "\u2013": "-", "\u2044": "/", "{": "[", "}": "]"})
_CALL = re.compile(r"(?:\w+\.)?(?:array|tensor|matrix)\(")
_ARGUMENTS = re.compile(r"(?:, ?\w+ ?= ?[\w.'\"]+)?,? ?\)")
_INNER = re.compile(r"\[([^\[\]]*)\]")
_SEPARATOR = re.compile(r"\s*,\s*|\s+")


@dataclass(frozen=True, eq=False)
class Kernel:
    """A checked kernel under a name. np.asarray(kernel) is its values."""

    name: str
    """For people: "Sobel x 3 × 3"."""
    values: NDArray[np.float64]
    """(k, k), read-only; DemoError for what is no kernel."""
    purpose: str = ""
    """What it is for, in a line."""

    def __post_init__(self) -> None:
        values = check(self.values)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    @property
    def size(self) -> int:
        """k"""
        return len(self.values)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.values, dtype=dtype) if copy else np.asarray(self.values, dtype=dtype)

    def _repr_html_(self) -> str:
        return records.shown(records.heat_map(self.values, caption=self.name), self.purpose)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as .json (name, size, kernel) or .npy, as the path ends; returns the path."""
        told = {"name": self.name, "size": self.size, "kernel": self.values}
        return records.save(path, self.values, told)


def named(key: str, size: int = 3, angle: float = 0.0) -> Kernel:
    """The catalogue's kernel of that size. DemoError for an unknown key, size or angle.

    angle: degrees, counter-clockwise from the x axis; read only where the entry takes one.
    """
    entry = CATALOGUE[one_of("a kernel of the catalogue (or random, or a matrix)", key, CATALOGUE)]
    one_of(f"a size of {entry.label}", size, entry.sizes)
    label = f"{entry.label} {size} × {size}"
    if entry.takes_angle:
        label += f" at {finite('an angle in degrees', angle, -360, 360):g}°"
    return Kernel(label, entry.build(int(size), float(angle)), entry.purpose)


def random(size: int, seed: int) -> Kernel:
    """Standard normal values / k, so that the output varies about as much as the picture does.

    size: odd, 3 to 31. seed: 0 to 2^32 - 1; the same seed gives the same kernel.
    """
    size, seed = odd("size", size, MIN_SIZE, MAX_SIZE), whole("a seed", seed, 0, MAX_SEED)
    values = np.random.default_rng(seed).standard_normal((size, size)) / size
    return Kernel(f"Random {size} × {size}, seed {seed}", values, "Noise: nothing could guess it.")


def parse(text: str, divisor: float = 1.0) -> Kernel:
    """A kernel from pasted text (_read_matrix says which), divided by the divisor."""
    if not np.isfinite(divisor) or divisor == 0:
        raise DemoError("a divisor other than 0", f"{divisor!r:.40}", "Use 1 to leave it out.")
    rows = _read_matrix(text)
    return Kernel("Your own", check([[value / divisor for value in row] for row in rows]))


def resolve(text: str | ArrayLike, size: int = 3, seed: int = 0, angle: float = 0.0) -> Kernel:
    """What `text` names: a catalogue key, "random" (with the seed), or a matrix of its own size.

    A matrix may also come as an array, or as nested lists, as a JSON client sends it.
    """
    if not isinstance(text, str):
        return Kernel("Your own", check(text))
    text = text.strip()
    if text == "random":
        return random(size, seed)
    if text.isidentifier():
        return named(text, size, angle)
    return parse(text)


def number(cell: str) -> float:
    """The value of a decimal number or of a fraction (1/9) in text.

    ValueError for what is neither, ZeroDivisionError for a fraction of zero.
    """
    above, slash, below = cell.translate(_ALIKE).partition("/")
    return float(above) / float(below) if slash else float(above)


def resized(square: np.ndarray, size: int) -> np.ndarray:
    """A centred odd square array in another odd size: zeros around it, or cut off."""
    more = (size - len(square)) // 2
    return np.pad(square, more) if more >= 0 else square[-more:more, -more:more]


def check(values: ArrayLike) -> NDArray[np.float64]:
    """The values as a new k x k float64 array, k odd from 3 to 31.

    values: an array or nested lists; (1, 1, k, k) as well, which torch.nn.Conv2d's weight is, and
    what is recovered. DemoError, with the reason, for anything that is no such kernel: ragged,
    empty, not square, even, too small or large, not numbers, NaN, infinite, beyond 10^6, or zero
    everywhere.
    """
    try:
        array = np.asarray(values)
    except ValueError:  # NumPy's word for ragged nested lists
        raise _refused("rows of different lengths", "Give every row as many numbers.") from None
    except (RuntimeError, TypeError):  # torch's words for a gradient, or another device
        remedy = "Of a tensor, give tensor.detach().cpu()."
        raise _refused(f"a {type(values).__name__} that NumPy cannot read", remedy) from None
    if array.size == 0:
        raise _refused("nothing", "Fill in at least 3 rows of 3 numbers.")
    if array.dtype.kind not in "iufb":
        raise _refused("something that is not a number", "Use numbers such as -1, 0.5 or 1e-3.")
    if array.shape[:-2] == (1, 1):
        array = array[0, 0]
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        shape = " × ".join(map(str, array.shape)) or "a single number"
        remedy = "Give as many rows as columns." if array.ndim < 3 else "Give one at a time."
        raise _refused(shape, remedy)
    size = len(array)
    if not MIN_SIZE <= size <= MAX_SIZE:
        remedy = f"Choose an odd number from {MIN_SIZE} to {MAX_SIZE}."
        raise _refused(f"{size} × {size}", remedy)
    if size % 2 == 0:
        raise _refused(f"{size} × {size}", "Add a row and a column of zeros.")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise _refused("NaN or Infinity", "Use finite numbers.")
    if np.abs(array).max() > MAX_VALUE:
        most = f"{array.flat[np.abs(array).argmax()]:g}"
        raise DemoError("weights up to a million", most, "Divide all of them by one number.")
    if not array.any():
        remedy = "They turn every picture black: set at least one."
        raise DemoError("at least one weight other than 0", "zeros only", remedy)
    return array


def _refused(received: str, remedy: str) -> DemoError:
    size = f"odd size, {MIN_SIZE} to {MAX_SIZE}"
    return DemoError(f"a square kernel of finite numbers and {size}", received, remedy)


def _read_matrix(text: str) -> list[list[float]]:
    """The rows of numbers in a text; they may be ragged: check() judges the shape.

    Understood: [[1, 2], [3, 4]], np.array(...) and array(..., dtype=...), {{1, 2}, {3, 4}},
    [1 2; 3 4], and plain rows: one a line (or between semicolons), numbers between commas, spaces
    or tabs. A number may be a fraction (1/9). A last "/ 16" after a bracket or space divides all.
    DemoError for anything else.
    """
    if len(text) > MAX_TEXT:
        raise _unreadable(
            f"a text of {len(text) // 1000} thousand characters", "Paste the matrix alone."
        )
    body, divisor = _split_divisor(text.translate(_ALIKE).strip().rstrip(";").rstrip())
    # "1 / 9" becomes "1/9", so that a space always separates.
    body = "/".join(part.strip() for part in _unwrap(body).split("/"))
    rows = [[_number(cell) / divisor for cell in _cells(row)] for row in _rows(body)]
    if not rows:
        raise _unreadable("nothing", "Write one row of numbers a line, such as 0 -1 0.")
    return rows


def _split_divisor(text: str) -> tuple[str, float]:
    head, slash, tail = text.rpartition("/")
    tail = tail.strip()
    if not slash or not head or not (head[-1].isspace() or head[-1] in "])"):
        return text, 1.0
    if not tail or set(tail) & set(" \t\n,;[]()"):
        return text, 1.0
    divisor = _number(tail)
    if divisor == 0:
        raise _unreadable("a divisor of 0", "Divide by another number.")
    return head.strip(), divisor


def _unwrap(text: str) -> str:
    """The brackets inside array( ... , dtype=...)."""
    call = _CALL.match(text)
    if not call:
        return text
    inner = text[call.end() :]
    end = inner.rfind("]") + 1
    if not end or not _ARGUMENTS.fullmatch(" ".join(inner[end:].split())):
        raise _unreadable(_quoted(text), "Paste the whole of array([[...], [...]]).")
    return inner[:end].strip()


def _rows(text: str) -> list[str]:
    rows = _INNER.findall(text)
    around = _INNER.sub("", text).strip()
    if not rows and "[" not in text and "]" not in text:
        return [row for row in re.split(r"[\n;]", text) if row.strip()]
    if len(rows) == 1 and not around:  # [1 2; 3 4]
        return _rows(rows[0])
    if around[:1] + around[-1:] != "[]" or around[1:-1].strip(",; \t\r\n"):
        remedy = "Put each row in brackets and all rows in one more pair."
        raise _unreadable(_quoted(text), remedy)
    return rows


def _cells(row: str) -> list[str]:
    row = row.strip().removesuffix(",").rstrip()
    return _SEPARATOR.split(row) if row else []


def _number(cell: str) -> float:
    try:
        return number(cell)
    except ValueError:
        raise _unreadable(_quoted(cell), "Use numbers such as -1, 0.5 or 1/9.") from None
    except ZeroDivisionError:
        raise _unreadable(f"the fraction {_quoted(cell)}", "Divide by another number.") from None


def _quoted(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:40] + "…") if text else "an empty cell"


def _unreadable(received: str, remedy: str) -> DemoError:
    return DemoError("a square matrix of numbers, as JSON, NumPy or plain rows", received, remedy)
