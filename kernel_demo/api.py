"""The names of `import kernel_demo as kd`: arrays in, frozen records out.

Pictures are arrays, H x W or H x W x 3 (red, green, blue): uint8, uint16, or floats with black 0
and white 1. What has an `__array__` (a Pillow picture, a tensor on the CPU) will do; `cv2.imread`
gives blue first: `[..., ::-1]` turns it over. Results in floats have the units of the picture
before: 0 to 255 of an 8-bit one, as `apply` returns them. Kernels are k x k, k odd, from 3 to 31,
and are correlated with the picture, never flipped, as `torch.nn.Conv2d`, `cv2.filter2D` and
`scipy.ndimage.correlate` do it:

    after[y, x] = sum over i, j of
        kernel[i, j] * before[y + i - r, x + j - r] + offset,  r = k // 2

What comes back are frozen records: a notebook draws them, `save("found.json")` or
`save("kernel.npy")` writes them. What cannot be used is a DemoError, in one sentence.
`kernel_demo.export` has kernels as files and as code.
"""

from __future__ import annotations

import os
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
from kernel_demo.learning.model import layers
from kernel_demo.learning.statistics import Solution, Statistics, accumulate, trusted
from kernel_demo.learning.training import Progress, TrainSettings, train
from kernel_demo.recovery import Recovery

__all__ = [
    "kernel", "apply", "learn", "fit", "recover",
    "Kernel", "Progress", "Solution", "Recovery", "DemoError",
]  # fmt: skip

Pictures: TypeAlias = ArrayLike | Sequence[ArrayLike]
Masked: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray | None]


def kernel(what: str | ArrayLike, size: int = 3, *, seed: int = 0, angle: float = 0.0) -> Kernel:
    """A kernel by its name, `"random"`, or a matrix (nested lists, an array, or pasted text).

    what: `identity`, `sobel_x`, `sobel_y`, `scharr_x`, `scharr_y`, `prewitt_x`, `prewitt_y`,
    `roberts_down`, `roberts_up`, `laplacian_4`, `laplacian_8`, `sharpen`, `unsharp`, `emboss`,
    `box`, `gaussian`, `motion_blur`, `log`, `gabor`; or k x k numbers, also as (1, 1, k, k), which
    `torch.nn.Conv2d.weight` and `Recovery.kernel` are.
    size: k, odd, of what has several sizes. seed: of a random one, whose entries are normal with
    a deviation of 1 / k. angle: degrees counter-clockwise, of `motion_blur` and `gabor`.
    DemoError: no such kernel, or not of that size; its sentence lists what there is.

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
    border_value: float = 0.0, offset: float = 0.0,
) -> np.ndarray:  # fmt: skip
    """The filtered picture: of the same shape and units, as floats, neither rounded nor clipped.

    kernel: as for `kernel`; a name means its 3 x 3. border: what lies beyond the edges: `zero`,
    `replicate` (aa|abc|cc), `reflect` (cb|abc|ba), `symmetric` (ba|abc|cb), `wrap` (bc|abc|ab), or
    `constant`: border_value. That and offset, which is added to each pixel, are in the picture's
    units. Each channel is filtered by itself, alpha too; NaN spreads to all whose patch has it.
    Returns float64 of a float64 picture, else float32; computed in float64.
    DemoError: no such kernel or border, or what is no picture.

    >>> import numpy as np
    >>> import kernel_demo as kd
    >>> step = np.zeros((5, 5), np.uint8)
    >>> step[:, 3:] = 10
    >>> kd.apply(step, "sobel_x")[2]
    array([ 0.,  0., 40., 40.,  0.], dtype=float32)
    """
    added = finite("an offset", offset, -kernels.MAX_VALUE, kernels.MAX_VALUE)
    around = finite("a border value", border_value, -kernels.MAX_VALUE, kernels.MAX_VALUE)
    return correlate(_picture(picture), _kernel(kernel).values, border, added, around)


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
    truth: str | ArrayLike | Kernel | None = None,
) -> Iterator[Progress]:
    """Train a single convolution layer, size x size, on pictures before and after a filter.

    Iterate over it: each Progress has `step`, `loss` (mean squared, white is 1), `kernel` (k x k
    float64), `kernel_error` (the largest |learned - true| where truth is given: a kernel of that
    size, or its name) and, at the end, `stopped_because`. To stop is to stop iterating.

    befores, afters: one picture, or a sequence of them, each pair of one shape. Channels of a
    colour picture go through the same kernel. Only pixels whose whole patch lies inside count, and
    of integer pictures those that are not clipped.
    method: `kfac` (the natural gradient: Grosse & Martens 2016, arXiv:1602.01407), `adam`, `sgd`.
    steps: the most there will be. learning_rate: None is the method's own, the best of a search.
    offset: learn one as well; it comes back relative to white.
    seed: of the first weights and the order of tiles. device: `auto`, `cpu`, `cuda`, `mps`.
    DemoError, at the call: pictures that do not fit together or are smaller than the kernel, and
    settings that there are not.

    >>> import numpy as np
    >>> import kernel_demo as kd
    >>> before = np.random.default_rng(0).random((64, 64), np.float32)
    >>> *_, last = kd.learn(before, kd.apply(before, "sharpen"), truth=kd.kernel("sharpen"))
    >>> bool(last.kernel_error < 1e-5), last.kernel.shape
    (True, (3, 3))
    """
    true = None if truth is None else kernels.resolve(truth, size=size).values
    if true is not None and len(true) != size:
        received = f"{len(true)} × {len(true)}"
        raise DemoError(f"a truth of {size} × {size}", received, f"Learn with size={len(true)}.")
    pictures = _pairs(befores, afters, size, offset)
    begun = [(*_relative(before, after), mask) for before, after, mask in pictures]
    before, after, mask = (list(part) for part in zip(*begun, strict=True))
    settings = TrainSettings(
        method, learning_rate=learning_rate, steps=steps, seed=seed, device=device
    )
    return train(
        layers.SingleConv(size, settings.init, seed, offset),
        pairs.build(before, after, size, settings.tile, seed, masks=mask),
        settings,
        truth=true,
        optimum=cache(lambda: Optimum(accumulate(begun, size)[0], offset)),
    )


def fit(befores: Pictures, afters: Pictures, size: int = 3, *, offset: bool = True) -> Solution:
    """The best kernel that the pictures allow: one pass for exact sums, one solve, and error bars.

    befores, afters: as for `learn`; of 8-bit pictures the sums are whole numbers, so that the
    kernel does not depend on their order. size: k. offset: fit one, too, in the units of after.
    Returns a Solution: `kernel` and `standard_error` (k x k float64, inf where the pictures leave
    a weight open; relative, white before is white after), `offset`, `residual` (RMS, in the units
    of after), `condition` and `rank` of X'X, `singular`, and `cause` and `remedy` where it is.
    The bars take what is left as noise, independent and of one strength. Whether a convolution made
    the pictures at all, `recover` finds out; and rounding is noise only nearly: where most results
    lie within a few levels of 8 bits, errors are twice as large (measured on the bundled photos).
    DemoError: pictures that do not fit together, or of which none can be used.

    >>> import numpy as np
    >>> import kernel_demo as kd
    >>> before = np.random.default_rng(0).integers(0, 256, (64, 64)).astype(np.uint8)
    >>> kd.fit(before, kd.apply(before, "sobel_x")).kernel.round(6) + 0.0
    array([[-1.,  0.,  1.],
           [-2.,  0.,  2.],
           [-1.,  0.,  1.]])
    """
    pictures = [(_in_units_of(*pair), *pair[1:]) for pair in _pairs(befores, afters, size, offset)]
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
    convolution, undetermined), `kernel` (outputs, inputs, k, k; `apply` takes it where it is one),
    `standard_error`, `interval`, `offset` (grey levels), `padding`, `bit_exact`, `explanation`,
    `next_step`. Where a tool rounds several times, `kernel_demo.export.tools.program(found)` is the
    program that does so. It takes seconds; `interval`, which `save` writes, up to twenty more.
    Any two pictures have one; DemoError is for arrays that are no pictures.

    >>> import numpy as np
    >>> import kernel_demo as kd
    >>> before = np.random.default_rng(0).integers(0, 200, (64, 64)).astype(np.uint8)
    >>> found = kd.recover(before, np.rint(kd.apply(before, "box")).astype(np.uint8), max_size=5)
    >>> str(found.verdict), found.catalogue_name, found.padding
    ('convolution', 'Box blur 3 × 3', 'reflect')
    """
    return recovery.recover(_array(before), _array(after), max_size)


def _pairs(befores: Pictures, afters: Pictures, size: int, offset: bool) -> list[Masked]:
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
        firsts, seconds = zip(*relative, strict=True)
        masks = [*trusted(firsts, seconds, clipped, size, offset)]
    return [(*plane, mask) for plane, mask in zip(planes, masks, strict=True)]


def _several(pictures: Pictures) -> list[np.ndarray]:
    """One picture, or several, as arrays."""
    if not isinstance(pictures, list | tuple):
        array = _array(pictures)
        pictures = array if array.ndim == 4 else [array]
    return [_picture(one) for one in pictures]


def _array(picture: Pictures | os.PathLike[str]) -> np.ndarray:
    """The picture as NumPy has it, whatever its shape."""
    if isinstance(picture, str | bytes | os.PathLike):
        remedy = "Open it: np.asarray(PIL.Image.open(path))."
        raise DemoError("a picture as an array, H × W or H × W × 3", "the name of a file", remedy)
    try:
        return np.asarray(picture)
    except (TypeError, ValueError, RuntimeError):  # on a device, with a gradient; ragged lists
        remedy = "Give np.asarray() of it; of a tensor, tensor.detach().cpu()."
        received = f"a {type(picture).__name__} that NumPy cannot read"
        raise DemoError("a picture as an array, H × W or H × W × 3", received, remedy) from None


def _picture(picture: ArrayLike) -> np.ndarray:
    """The picture as an array: H x W, or H x W x C with 1 to 4 channels."""
    array = _array(picture)
    fits = array.ndim == 2 or (array.ndim == 3 and 1 <= array.shape[2] <= 4)
    if not fits or array.size == 0:
        shape = " × ".join(map(str, array.shape))
        if array.ndim == 0:
            shape, remedy = f"a {type(picture).__name__}", "Give an array, or a list of them."
        elif array.size == 0:
            remedy = "Give one that has pixels."
        elif array.ndim == 3 and array.shape[0] <= 4:
            remedy = "Put its channels last: np.moveaxis(picture, 0, -1)."
        else:
            remedy = "Give its rows and columns; several pictures as a list of them."
        raise DemoError("a picture, H × W or H × W × 3", shape, remedy)
    if array.dtype not in (np.uint8, np.uint16) and array.dtype.kind != "f":
        remedy = "Convert it: np.asarray(picture, np.uint8), or to floats from 0 to 1."
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


def _in_units_of(before: np.ndarray, after: np.ndarray, _: np.ndarray | None) -> np.ndarray:
    """The picture before, where white is that of after: then kernels are relative."""
    factor = 1.0 if after.dtype.kind == "f" else _white(after) / _white(before)
    return before if factor == 1 else before * factor


def _relative(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The pair as float32, white is 1; an after in floats has the units of an integer before."""
    white = _white(before)
    own = white if after.dtype.kind == "f" else _white(after)
    return (before / white).astype(np.float32), (after / own).astype(np.float32)


def _white(picture: np.ndarray) -> float:
    return float(np.iinfo(picture.dtype).max) if picture.dtype.kind == "u" else 1.0
