"""Pictures beyond the page's limit, for a command that serves nobody but its own user."""

from pathlib import Path

import numpy as np
from PIL import Image

from kernel_demo.errors import DemoError
from kernel_demo.sources.decoding import samples

MAX_PIXELS = 200_000_000


def open_large(path: str | Path, name: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """(H x W or H x W x 3 samples, uint8 or uint16, notes) of a picture of up to MAX_PIXELS.

    A .npy file of such an array is mapped, not read: it costs no memory. Any other file is decoded
    as a whole by sources.decoding.samples(), which for a moment needs it twice in memory.
    Pillow's limit is one for the process; it is put back afterwards. Not for a server.
    DemoError for what is no such picture.
    """
    if Path(path).suffix == ".npy":
        return _mapped(path, name), ()
    limit = Image.MAX_IMAGE_PIXELS
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2  # Pillow refuses at twice this
    try:
        return samples(path, name, MAX_PIXELS)
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _mapped(path: str | Path, name: str) -> np.ndarray:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise DemoError(
            "a NumPy array", f"“{name}”, which is none", "Save it by numpy.save()."
        ) from None
    whole = array.dtype in (np.uint8, np.uint16) and array.shape[2:] in ((), (3,))
    if not whole or array.ndim < 2 or not 0 < array.shape[0] * array.shape[1] <= MAX_PIXELS:
        raise DemoError(
            f"H x W or H x W x 3 of uint8 or uint16, up to {MAX_PIXELS / 1e6:g} megapixels",
            f"{array.dtype} {array.shape} in “{name}”",
            "Convert it first.",
        )
    return array
