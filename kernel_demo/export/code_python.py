"""The kernel in Python: OpenCV, SciPy, PyTorch and Pillow.

All of them correlate as the project does, but each names the borders in its own way, and Pillow
reads its kernel from the bottom row up.
"""

import numpy as np

from kernel_demo.export.code import Snippet, grey_levels, rows
from kernel_demo.imaging.filtering import BORDERS

_OPENCV = {
    "zero": "cv2.BORDER_CONSTANT",
    "replicate": "cv2.BORDER_REPLICATE",
    "reflect": "cv2.BORDER_REFLECT_101",
    "symmetric": "cv2.BORDER_REFLECT",
    "wrap": "cv2.BORDER_WRAP",
}
_SCIPY = {
    "zero": "constant",
    "replicate": "nearest",
    "reflect": "mirror",
    "symmetric": "reflect",
    "wrap": "grid-wrap",
}
# Pillow's C code has these two sizes and no other.
PILLOW_SIZES = (3, 5)

# How a float picture in grey levels becomes an 8-bit file, the same in each program below.
_ROUND = "np.clip(np.floor(after + 0.5), 0, 255).astype(np.uint8)"


def _matrix(kernel: np.ndarray) -> str:
    return "kernel = np.array([\n" + rows(kernel, "[", "],") + "\n])"


def opencv(kernel: np.ndarray, offset: float, border: str) -> Snippet:
    """cv2.filter2D; it has no BORDER_WRAP, so the picture is padded first for all borders alike."""
    radius = len(kernel) // 2
    code = f"""\
import cv2
import numpy as np

{_matrix(kernel)}
before = cv2.imread("before.png", cv2.IMREAD_ANYCOLOR).astype(np.float64)
r = {radius}
padded = cv2.copyMakeBorder(before, r, r, r, r, {_OPENCV[border]})
after = cv2.filter2D(padded, cv2.CV_64F, kernel, delta={grey_levels(offset)})[r:-r, r:-r]
cv2.imwrite("after.png", {_ROUND})
"""
    return Snippet("OpenCV", "python", code, "pip install opencv-python-headless")


def scipy(kernel: np.ndarray, offset: float, border: str) -> Snippet:
    """scipy.ndimage.correlate; SciPy's "reflect" is what NumPy calls "symmetric"."""
    code = f"""\
import numpy as np
from PIL import Image
from scipy import ndimage

{_matrix(kernel)}
before = np.asarray(Image.open("before.png"), np.float64)
if before.ndim == 3:
    kernel = kernel[:, :, None]  # each channel by itself
after = ndimage.correlate(before, kernel, mode="{_SCIPY[border]}") + {grey_levels(offset)}
Image.fromarray({_ROUND}).save("after.png")
"""
    return Snippet("NumPy/SciPy", "python", code, "pip install scipy pillow")


def torch(kernel: np.ndarray, offset: float, border: str) -> Snippet:
    """torch.nn.functional.conv2d; torch has no symmetric padding, so NumPy pads."""
    radius = len(kernel) // 2
    code = f"""\
import numpy as np
import torch
from PIL import Image

{_matrix(kernel)}
before = np.atleast_3d(np.asarray(Image.open("before.png"), np.float64))
r = {radius}
padded = np.pad(before, ((r, r), (r, r), (0, 0)), mode="{BORDERS[border].numpy}")
x = torch.from_numpy(padded).permute(2, 0, 1)[:, None]  # channels x 1 x height x width
y = torch.nn.functional.conv2d(x, torch.from_numpy(kernel)[None, None])
after = y[:, 0].permute(1, 2, 0).squeeze(2).numpy() + {grey_levels(offset)}
Image.fromarray({_ROUND}).save("after.png")
"""
    return Snippet("PyTorch", "python", code, "pip install torch pillow")


def pillow(kernel: np.ndarray, offset: float, border: str) -> Snippet:
    """PIL.ImageFilter.Kernel: 3 x 3 and 5 x 5; it leaves its border unfiltered, so NumPy pads."""
    size = len(kernel)
    if size not in PILLOW_SIZES:
        note = (
            f"Pillow's ImageFilter.Kernel takes 3 x 3 and 5 x 5 only; this one is {size} x {size}."
        )
        return Snippet("Pillow", "python", "", note)
    code = f"""\
import numpy as np
from PIL import Image, ImageFilter

kernel = [  # from the bottom row up: Pillow turns a kernel upside down
{rows(kernel[::-1], "", ",")}
]
before = np.asarray(Image.open("before.png"))
r = {size // 2}
padded = np.pad(before, [(r, r), (r, r), (0, 0)][: before.ndim], mode="{BORDERS[border].numpy}")
filtering = ImageFilter.Kernel(({size}, {size}), kernel, scale=1, offset={grey_levels(offset)})
after = Image.fromarray(padded).filter(filtering)
after.crop((r, r, after.width - r, after.height - r)).save("after.png")
"""
    note = "pip install pillow numpy. Pillow leaves the outermost pixels unfiltered: hence pad."
    return Snippet("Pillow", "python", code, note)
