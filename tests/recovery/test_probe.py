"""The probe through tools of 8 bits, filtered by OpenCV: the kernel comes back."""

import cv2
import numpy as np
import pytest

from kernel_demo.imaging.catalogue import CATALOGUE, identity, sobel_x
from kernel_demo.imaging.kernels import named, random, resized
from kernel_demo.imaging.probe import probe
from kernel_demo.recovery import Verdict, recover

# At the smallest size of each, and where the weights are largest, the blur strongest, the wave
# weakest; Laplacians with either sign.
KERNELS = {
    f"{key} {entry.sizes[0]}": named(key, entry.sizes[0]) for key, entry in CATALOGUE.items()
}
KERNELS |= {
    f"{key} {size}": named(key, size)
    for key, size in (
        ("sobel_x", 7),
        ("sobel_y", 7),
        ("prewitt_x", 9),
        ("gaussian", 15),
        ("log", 15),
    )
}
KERNELS |= {f"-{key}": -named(key).values for key in ("laplacian_4", "laplacian_8")}
KERNELS["motion_blur 9 at 30"] = named("motion_blur", 9, 30)
KERNELS |= {f"random {size}": random(size, 1) for size in (3, 7)}
KERNELS = {name: np.asarray(kernel, np.float64) for name, kernel in KERNELS.items()}
# Tools add mid-grey to what would be half below black.
CASES = [
    (name, offset)
    for name, values in KERNELS.items()
    for offset in ((0, 128) if values.min() < 0 else (0,))
]


def sent(kernel: np.ndarray, offset: float = 0) -> np.ndarray:
    """The probe as OpenCV filters it: rounded, and cut at black and white."""
    return cv2.filter2D(probe(), -1, kernel, delta=offset, borderType=cv2.BORDER_REFLECT_101)


@pytest.mark.sweep(11)
@pytest.mark.parametrize(("name", "offset"), CASES)
def test_every_named_kernel_comes_back(name, offset):
    """Clipped as it is, with mid-grey added or not: verdict, kernel and offset."""
    kernel = KERNELS[name]
    found = recover(probe(), sent(kernel, offset), max(7, len(kernel)))
    assert found.verdict == Verdict.CONVOLUTION
    size = max(found.size, len(kernel))
    error = np.abs(resized(found.kernel[0, 0], size) - resized(kernel, size)).max()
    # Whole weights come back exactly; of the others 8 bits leave some hundredths of a grey level.
    whole = (kernel == np.rint(kernel)).all()
    assert error <= (1e-9 if whole else 3e-3 * np.abs(kernel).max())
    assert found.offset == pytest.approx(offset, abs=1e-9 if whole else 0.1)


@pytest.mark.slow
@pytest.mark.parametrize("key", CATALOGUE)
def test_every_size_comes_back(key):
    """All kernels of the page at all their sizes, searched as far as the page searches."""
    for size in CATALOGUE[key].sizes:
        kernel = named(key, size).values
        for offset in (0, 128) if kernel.min() < 0 else (0,):
            found = recover(probe(), sent(kernel, offset), 15)
            assert found.verdict == Verdict.CONVOLUTION, (size, offset)
            most = max(found.size, size)
            error = np.abs(resized(found.kernel[0, 0], most) - resized(kernel, most)).max()
            assert error <= 3e-3 * np.abs(kernel).max(), (size, offset)


@pytest.mark.parametrize(
    "kernel",
    [sobel_x(11), np.ones((7, 7)), -identity(3)],
    ids=["too strong", "too bright", "too dark"],
)
def test_what_comes_back_black_and_white_tells_nothing(kernel):
    """Where hardly a pixel is left between them, nothing is claimed."""
    assert recover(probe(), sent(kernel), 11).verdict == Verdict.UNDETERMINED
