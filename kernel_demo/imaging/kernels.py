"""Kernels: the record and its check; named ones, random ones, and what visitors bring.

A kernel is k x k float64, k odd, and is correlated with the picture, never flipped (filtering.py).
"""

from dataclasses import dataclass

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.imaging.parsing import read_matrix

MIN_SIZE = 3
MAX_SIZE = 31
MAX_VALUE = 1e6  # float32 pictures carry seven digits: beyond this nothing finer than 0.1 is left
MAX_SEED = 2**32 - 1


@dataclass(frozen=True, eq=False)
class Kernel:
    """A checked kernel under a name. np.asarray(kernel) is its values."""

    name: str  # what a visitor reads: "Sobel x 3 x 3"
    values: np.ndarray  # k x k float64, read-only; DemoError if check() refuses them
    purpose: str = ""  # one line on what it is for

    def __post_init__(self) -> None:
        values = check(self.values)
        values.setflags(write=False)
        object.__setattr__(self, "values", values)

    @property
    def size(self) -> int:
        """k"""
        return len(self.values)

    @property
    def radius(self) -> int:
        """k // 2"""
        return len(self.values) // 2

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        return np.array(self.values, dtype=dtype) if copy else np.asarray(self.values, dtype=dtype)


def named(key: str, size: int = 3, angle: float = 0.0) -> Kernel:
    """The catalogue's kernel of that size. DemoError for an unknown key, size or angle.

    angle: degrees, counter-clockwise from the x axis; read only where the entry takes one.
    """
    if key not in CATALOGUE:
        raise DemoError(f"a kernel of the catalogue ({', '.join(CATALOGUE)})", *_unknown(key))
    entry = CATALOGUE[key]
    if size not in entry.sizes:
        sizes = ", ".join(map(str, entry.sizes))
        raise DemoError(f"size {sizes} for {entry.label}", f"{size!r:.40}", "Choose another size.")
    if entry.takes_angle and not np.isfinite(angle):
        raise DemoError("an angle in degrees", f"{angle!r:.40}", "Choose one from 0 to 180.")
    label = f"{entry.label} {size}×{size}"
    if entry.takes_angle:
        label += f" at {angle:g}°"
    return Kernel(label, entry.build(int(size), float(angle)), entry.purpose)


def random(size: int, seed: int) -> Kernel:
    """Standard normal values / k, so that the output varies about as much as the picture does.

    size: odd, 3 to 31. seed: 0 to 2^32 - 1; the same seed gives the same kernel.
    """
    if not isinstance(size, (int, np.integer)) or not _is_size(size):
        raise DemoError(f"an odd size from {MIN_SIZE} to {MAX_SIZE}", f"{size!r:.40}", _ODD)
    if not isinstance(seed, (int, np.integer)) or not 0 <= seed <= MAX_SEED:
        raise DemoError(
            f"a seed from 0 to {MAX_SEED}", f"{seed!r:.40}", "Choose a whole number in that range."
        )
    values = np.random.default_rng(seed).standard_normal((size, size)) / size
    return Kernel(f"Random {size}×{size}, seed {seed}", values, "Noise: nothing could guess it.")


def parse(text: str, divisor: float = 1.0) -> Kernel:
    """A kernel from pasted text (parsing.read_matrix says which), divided by the divisor."""
    if not np.isfinite(divisor) or divisor == 0:
        raise DemoError("a divisor other than 0", f"{divisor!r:.40}", "Use 1 to leave it out.")
    rows = read_matrix(text)
    return Kernel("Your own", [[value / divisor for value in row] for row in rows])


def resolve(text: str | list, size: int = 3, seed: int = 0, angle: float = 0.0) -> Kernel:
    """What `text` names: a catalogue key, "random" (with the seed), or a matrix of its own size.

    A matrix may also come as nested lists, as a JSON client sends it.
    """
    if not isinstance(text, str):
        return Kernel("Your own", text)
    text = text.strip()
    if text == "random":
        return random(size, seed)
    if text.isidentifier():
        return named(text, size, angle)
    return parse(text)


def check(values) -> np.ndarray:
    """The values as a new k x k float64 array, k odd from 3 to 31.

    values: an array or nested lists. DemoError, with the reason, for anything that is no such
    kernel: ragged, empty, not square, even, too small or large, not numbers, NaN, infinite, beyond
    10^6, or zero everywhere.
    """
    try:
        array = np.array(values)
    except ValueError:  # NumPy's word for ragged nested lists
        raise _refused("rows of different lengths", "Give every row as many numbers.") from None
    if array.size == 0:
        raise _refused("nothing", "Fill in at least 3 rows of 3 numbers.")
    if array.dtype.kind not in "iufb":
        raise _refused("something that is not a number", "Use numbers such as -1, 0.5 or 1e-3.")
    if array.ndim != 2 or array.shape[0] != array.shape[1]:
        shape = " × ".join(map(str, array.shape)) or "a single number"
        raise _refused(shape, "Give as many rows as columns.")
    size = len(array)
    if not _is_size(size):
        remedy = "Add a row and a column of zeros." if MIN_SIZE <= size < MAX_SIZE else _ODD
        raise _refused(f"{size} × {size}", remedy)
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise _refused("NaN or Infinity", "Use finite numbers.")
    if np.abs(array).max() > MAX_VALUE:
        raise _refused(
            f"{array.flat[np.abs(array).argmax()]:g}", "Use numbers up to a million; divide them."
        )
    if not array.any():
        raise _refused("zeros only", "They turn every picture black: set at least one number.")
    return array


_ODD = f"Choose an odd number from {MIN_SIZE} to {MAX_SIZE}."


def _is_size(size: int) -> bool:
    return MIN_SIZE <= size <= MAX_SIZE and size % 2 == 1


def _unknown(key: object) -> tuple[str, str]:
    return f"{key!r:.40}", "Choose one of these, random, or write a matrix."


def _refused(received: str, remedy: str) -> DemoError:
    size = f"odd size, {MIN_SIZE} to {MAX_SIZE}"
    return DemoError(f"a square kernel of finite numbers and {size}", received, remedy)
