"""The tool's own function, where a learned kernel is one that it has under a name."""

import numpy as np

from kernel_demo.imaging.catalogue import CATALOGUE

# {size}; {border}: an argument of OpenCV's functions or nothing. Of `before`, or of it padded.
OPENCV = {
    "sobel_x": "cv2.Sobel({picture}, cv2.CV_64F, 1, 0, ksize={size}{border})",
    "sobel_y": "cv2.Sobel({picture}, cv2.CV_64F, 0, 1, ksize={size}{border})",
    "scharr_x": "cv2.Scharr({picture}, cv2.CV_64F, 1, 0{border})",
    "scharr_y": "cv2.Scharr({picture}, cv2.CV_64F, 0, 1{border})",
    "laplacian_4": "cv2.Laplacian({picture}, cv2.CV_64F, ksize=1{border})",
    "box": "cv2.blur({picture}, ({size}, {size}){border})",
    "gaussian": "cv2.GaussianBlur({picture}, ({size}, {size}), 0{border})",
}
# Of one channel; with the sizes at which SciPy has the same weights. Its Gaussian samples the curve
# at every size, OpenCV's only above 9.
_SCIPY = {
    "sobel_x": ("sobel(channel, axis=1, {mode})", (3,)),
    "sobel_y": ("sobel(channel, axis=0, {mode})", (3,)),
    "prewitt_x": ("prewitt(channel, axis=1, {mode})", (3,)),
    "prewitt_y": ("prewitt(channel, axis=0, {mode})", (3,)),
    "laplacian_4": ("laplace(channel, {mode})", (3,)),
    "box": ("uniform_filter(channel, {size}, {mode})", CATALOGUE["box"].sizes),
    "gaussian": (
        "gaussian_filter(channel, {sigma}, radius={radius}, {mode})",
        tuple(size for size in CATALOGUE["gaussian"].sizes if size > 9),
    ),
}


def key_of(kernel: np.ndarray, bars: np.ndarray) -> str | None:
    """The catalogue's name for a kernel (k, k): no weight differs by more than its bar (k, k).

    Only names that a tool has a function for. None: there is none.
    """
    size = len(kernel)
    for key in {**OPENCV, **_SCIPY}:
        entry = CATALOGUE[key]
        if size in entry.sizes and (np.abs(entry.build(size, 0.0) - kernel) <= bars).all():
            return key
    return None


def scipy_call(key: str | None, size: int, mode: str) -> str | None:
    """The call of scipy.ndimage for one channel, H x W; None where it has none."""
    call, sizes = _SCIPY.get(key or "", ("", ()))
    if size not in sizes:
        return None
    sigma = round(0.3 * ((size - 1) / 2 - 1) + 0.8, 9)  # as cv2.getGaussianKernel has it
    return "ndimage." + call.format(size=size, sigma=sigma, radius=size // 2, mode=f'mode="{mode}"')
