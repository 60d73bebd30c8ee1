"""A gallery of ways to break it: each foretold by theory, then tried."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging.kernels import check
from kernel_demo.lab import bad_pictures, wrong_models
from kernel_demo.lab.limit import Limit

LIMITS: dict[str, Callable[[Sequence[np.ndarray], np.ndarray, int], Limit]] = {
    case.__name__: case
    for case in (
        bad_pictures.constant,
        bad_pictures.blurred,
        bad_pictures.eight_bit_clipping,
        bad_pictures.jpeg_file,
        bad_pictures.noise_after,
        bad_pictures.noise_before,
        wrong_models.wrong_padding,
        wrong_models.model_too_small,
        wrong_models.model_too_large,
        wrong_models.even_kernel,
        wrong_models.varying_filter,
        wrong_models.non_linear,
    )
}
LARGEST_KERNEL = 15
MIN_SIDE = 64  # several times the largest kernel


def break_it(key: str, pictures: Sequence[np.ndarray], kernel: np.ndarray, seed: int = 0) -> Limit:
    """One case of LIMITS on grey pictures (H x W, 0..1), at least MIN_SIDE on each side.

    kernel: (k, k), k up to LARGEST_KERNEL. seed: of the noise and of the kernel that is too large.
    DemoError: an unknown key, no or too small a picture, too large a kernel.
    """
    if key not in LIMITS:
        raise DemoError(f"one of {', '.join(LIMITS)}", repr(key)[:60], "Choose one of these.")
    values = check(kernel)
    if len(values) > LARGEST_KERNEL:
        raise DemoError(
            f"a kernel up to {LARGEST_KERNEL} x {LARGEST_KERNEL}",
            f"{len(values)} x {len(values)}",
            "Choose a smaller kernel.",
        )
    if not pictures or min(min(picture.shape) for picture in pictures) < MIN_SIDE:
        raise DemoError(
            f"pictures of at least {MIN_SIDE} x {MIN_SIDE} pixels",
            "a smaller one" if pictures else "none",
            "Choose larger pictures.",
        )
    return LIMITS[key](pictures, values, seed)


def gallery(pictures: Sequence[np.ndarray], kernel: np.ndarray, seed: int = 0) -> Iterator[Limit]:
    """All cases of LIMITS, one after the other."""
    for key in LIMITS:
        yield break_it(key, pictures, kernel, seed)
