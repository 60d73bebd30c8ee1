"""The names of `import kernel_demo as kd`: arrays in, frozen records out.

Pictures are arrays, H x W or H x W x 3 (red, green, blue): uint8, uint16, or floats with black 0
and white 1. What has an `__array__` (a Pillow picture, a tensor on the CPU) will do. Kernels are
k x k, k odd, from 3 to 31, and are correlated with the picture, never flipped, as
`torch.nn.Conv2d`, `cv2.filter2D` and `scipy.ndimage.correlate` do it:

    after[y, x] = sum over i, j of kernel[i, j] * before[y + i - r, x + j - r] + offset,  r = k // 2
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from kernel_demo import recovery
from kernel_demo.errors import DemoError, finite, odd
from kernel_demo.imaging import kernels
from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import MAX_SIZE, MIN_SIZE, Kernel
from kernel_demo.learning import pairs
from kernel_demo.learning.certificate import Optimum
from kernel_demo.learning.model import SingleConv
from kernel_demo.learning.statistics import Solution, Statistics, accumulate, trusted
from kernel_demo.learning.training import Progress, TrainSettings, train
from kernel_demo.recovery import Recovery

Pictures: TypeAlias = ArrayLike | Sequence[ArrayLike]
Masked: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray | None]


def kernel(what: str | ArrayLike, size: int = 3, *, seed: int = 0, angle: float = 0.0) -> Kernel:
    """A kernel by its name, `"random"`, or a matrix (nested lists, an array, or pasted text).

    size: k, odd, of what has several sizes. seed: of a random one, whose entries are normal with
    a deviation of 1 / k. angle: degrees, of what has a direction. DemoError: no such kernel; its
    sentence lists the names.

    >>> import kernel_demo as kd
    >>> kd.kernel("sobel_x").values
    array([[-1.,  0.,  1.],
           [-2.,  0.,  2.],
           [-1.,  0.,  1.]])
    """
    return kernels.resolve(what, size=size, seed=seed, angle=angle)


_kernel = kernel  # by another name, where a parameter has this one


def apply(
    picture: ArrayLike, kernel: str | ArrayLike | Kernel, *, border: str = "reflect",
    offset: float = 0.0,
) -> np.ndarray:  # fmt: skip
    """The filtered picture: of the same shape and units, as floats, neither rounded nor clipped.

    border: what lies beyond the edges: `zero`, `replicate`, `reflect` (cb|abc|ba), `symmetric`
    (ba|abc|cb) or `wrap`. offset: added to each pixel, in the picture's units. Each channel is
    filtered by itself. Returns float64 of a float64 picture, else float32; computed in float64.

    >>> import numpy as np
    >>> import kernel_demo as kd
    >>> step = np.zeros((5, 5), np.uint8)
    >>> step[:, 3:] = 10
    >>> kd.apply(step, "sobel_x")[2]
    array([ 0.,  0., 40., 40.,  0.], dtype=float32)
    """
    added = finite("an offset", offset, -kernels.MAX_VALUE, kernels.MAX_VALUE)
    return correlate(_picture(picture), _kernel(kernel).values, border, added)


def learn(
    befores: Pictures,
    afters: Pictures,
    size: int = 3,
    *,
    method: str = "kfac",
    steps: int = 200,
    learning_rate: float | None = None,
    offset: bool = False,
    seed: int = 0,
    device: str = "auto",
    truth: ArrayLike | Kernel | None = None,
) -> Iterator[Progress]:
    """Train a single convolution layer, size x size, on pictures before and after a filter.

    Iterate over it: each Progress has `step`, `loss` (mean squared, white is 1), `kernel` (k x k
    float64), `kernel_error` (the largest |learned - true| where `truth` is given) and, at the end,
    `stopped_because`. To stop is to stop iterating.

    befores, afters: one picture, or a sequence of them, each pair of one shape. Channels of a
    colour picture go through the same kernel. Only pixels whose whole patch lies inside count, and
    of integer pictures those that are not clipped.
    method: `kfac` (the natural gradient: Grosse & Martens 2016, arXiv:1602.01407), `adam`, `sgd`.
    steps: the most there will be. learning_rate: None is the method's own, the best of a search.
    offset: learn one as well, relative to white.
    seed: of the first weights and the order of tiles. device: `auto`, `cpu`, `cuda`, `mps`.
    DemoError, at the call: pictures that do not fit together or are smaller than the kernel.

    >>> import numpy as np
    >>> import kernel_demo as kd
    >>> before = np.random.default_rng(0).random((64, 64), np.float32)
    >>> *_, last = kd.learn(before, kd.apply(before, "sharpen"), truth=kd.kernel("sharpen"))
    >>> bool(last.kernel_error < 1e-5), last.kernel.shape
    (True, (3, 3))
    """
    pictures = _pairs(befores, afters, size)
    begun = [(*_relative(before, after), mask) for before, after, mask in pictures]
    before, after, mask = (list(part) for part in zip(*begun, strict=True))
    settings = TrainSettings(
        method, learning_rate=learning_rate, steps=steps, seed=seed, device=device
    )
    return train(
        SingleConv(size, settings.init, seed, offset),
        pairs.build(before, after, size, settings.tile, seed, masks=mask),
        settings,
        truth=None if truth is None else kernels.check(np.asarray(truth)),
        optimum=cache(lambda: Optimum(accumulate(begun, size)[0], offset)),
    )


def fit(befores: Pictures, afters: Pictures, size: int = 3, *, offset: bool = True) -> Solution:
    """The best kernel that the pictures allow: one pass for exact sums, one solve, and error bars.

    befores, afters: as for `learn`; of 8-bit pictures the sums are whole numbers, so that the
    kernel does not depend on their order. size: k. offset: fit one, too, in the pictures' units.
    Returns a Solution: `kernel` and `standard_error` (k x k float64, inf where the pictures leave
    a weight open), `offset`, `residual` (RMS, in the pictures' units), `condition` and `rank` of
    X'X, `singular`, and `cause` and `remedy` where it is. The bars take what is left as noise,
    independent and of one strength. Whether a convolution made the pictures at all, `recover` finds
    out; and rounding is noise only nearly: where most results lie within a few levels of 8 bits,
    errors are twice as large (measured on the bundled photos).
    DemoError: pictures that do not fit together, or of which none can be used.

    >>> import numpy as np
    >>> import kernel_demo as kd
    >>> before = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    >>> kd.fit(before, kd.apply(before, "sobel_x")).kernel.round(6) + 0.0
    array([[-1.,  0.,  1.],
           [-2.,  0.,  2.],
           [-1.,  0.,  1.]])
    """
    pictures = _pairs(befores, afters, size)
    statistics, _ = accumulate(pictures, size)
    if statistics.count == 0:
        before, after, mask = pictures[0]
        Statistics.from_pair(before, after, size, mask)  # says why
    return statistics.solve(offset)


def recover(before: ArrayLike, after: ArrayLike, max_size: int = 15) -> Recovery:
    """The filter that made `after` of `before`: its kernel, border and proof, or that none did.

    before, after: uint8 or uint16, as the files have them, H x W or H x W x C (C = 1 to 4; alpha is
    left out). max_size: the largest kernel to look for, odd, 3 to 31.
    Returns a Recovery: `verdict` (its `str()`: convolution, convolution with noise, not a
    convolution, undetermined), `kernel` (outputs, inputs, k, k), `standard_error`, `interval`,
    `offset` (grey levels), `padding`, `bit_exact`, `explanation`, `next_step`.
    Any two pictures have one; DemoError is for arrays that are no pictures.

    >>> import numpy as np
    >>> import kernel_demo as kd
    >>> before = np.random.default_rng(0).integers(0, 200, (64, 64)).astype(np.uint8)
    >>> found = kd.recover(before, np.rint(kd.apply(before, "box")).astype(np.uint8), max_size=5)
    >>> str(found.verdict), found.catalogue_name, found.padding
    ('convolution', 'Box blur 3 × 3', 'reflect')
    """
    return recovery.recover(np.asarray(before), np.asarray(after), max_size)


def _pairs(befores: Pictures, afters: Pictures, size: int) -> list[Masked]:
    """(before, after, mask) of each channel of each picture: H x W each; mask None: all count."""
    odd("size", size, MIN_SIZE, MAX_SIZE)
    first, second = _several(befores), _several(afters)
    if not first:
        raise DemoError("at least one picture", "none", "Give one or more.")
    if len(first) != len(second):
        counts = f"{len(first)} before and {len(second)} after"
        raise DemoError("a picture after for every one before", counts, "Give both of each.")
    planes = [plane for pair in zip(first, second, strict=True) for plane in _planes(*pair)]
    masks = [_within(after) if after.dtype.kind == "u" else None for _, after in planes]
    clipped = [mask for mask in masks if mask is not None]
    if len(clipped) == len(planes):
        relative = [_relative(before, after) for before, after in planes]
        masks = [
            *trusted([one for one, _ in relative], [one for _, one in relative], clipped, size)
        ]
    return [(*plane, mask) for plane, mask in zip(planes, masks, strict=True)]


def _several(pictures: Pictures) -> list[np.ndarray]:
    """One picture, or several, as arrays."""
    if not isinstance(pictures, list | tuple):
        array = np.asarray(pictures)
        pictures = array if array.ndim == 4 else [array]
    return [_picture(one) for one in pictures]


def _picture(picture: ArrayLike) -> np.ndarray:
    """The picture as an array: H x W, or H x W x C with 1 to 4 channels."""
    array = np.asarray(picture)
    fits = array.ndim == 2 or (array.ndim == 3 and 1 <= array.shape[2] <= 4)
    if not fits or array.size == 0:
        shape = " × ".join(map(str, array.shape)) or "a single value"
        raise DemoError("a picture, H × W or H × W × 3", shape, "Put its channels last.")
    if array.dtype not in (np.uint8, np.uint16) and array.dtype.kind != "f":
        remedy = "Convert it: picture.astype(np.uint8), or to floats from 0 to 1."
        raise DemoError("a picture of uint8, uint16 or floats", str(array.dtype), remedy)
    return array


def _planes(before: np.ndarray, after: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """The pair of each channel, but for alpha."""
    if before.shape != after.shape:
        shapes = " and ".join(" × ".join(map(str, part.shape)) for part in (before, after))
        raise DemoError("before and after of one shape", shapes, "Bring both to the same size.")
    if before.ndim == 2:
        return [(before, after)]
    return [(before[..., n], after[..., n]) for n in range(before.shape[2] - 1 | 1)]


def _within(after: np.ndarray) -> np.ndarray:
    """Where it is neither black nor white: there a picture of whole levels may be cut off."""
    return (after > 0) & (after < np.iinfo(after.dtype).max)


def _relative(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pair as float32, white is 1; an after in floats has the units of an integer before."""
    white = _white(before)
    own = white if after.dtype.kind == "f" else _white(after)
    return (before / white).astype(np.float32), (after / own).astype(np.float32)


def _white(picture: np.ndarray) -> float:
    return float(np.iinfo(picture.dtype).max) if picture.dtype.kind == "u" else 1.0
