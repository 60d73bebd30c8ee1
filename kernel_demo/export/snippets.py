"""The learned kernel as code: short programs for nine tools, each complete.

Every tool has its own idea of a kernel (turned by 180 degrees in SVG, upside down in Pillow, whole
numbers in ffmpeg) and of a border. The programs hide this, and tests/export/test_snippets.py runs
each with the tool itself.
"""

import math

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.export import code_command, code_compiled, code_python
from kernel_demo.export.code import Snippet
from kernel_demo.imaging.filtering import border_named
from kernel_demo.imaging.kernels import check

_WRITERS = (
    code_python.opencv,
    code_python.scipy,
    code_python.torch,
    code_python.pillow,
    code_command.imagemagick,
    code_command.ffmpeg,
    code_command.svg,
    code_compiled.c,
    code_compiled.rust,
)


def snippets(
    kernel: np.ndarray, offset: float = 0.0, border: str = "reflect"
) -> tuple[Snippet, ...]:
    """Programs that apply a kernel (k, k) to an 8-bit grey or RGB file, each channel alike.

    after = round(kernel (correlated) before + 255 * offset), clipped to 0..255. `offset` is in the
    project's unit, where 1 is white; the programs write it in grey levels. One Snippet per tool,
    always in the same order, with no code where the tool cannot.
    Raises DemoError for a kernel or a border that is none.
    """
    values, name = check(kernel), border_named(border).name
    if not math.isfinite(offset):
        raise DemoError("a finite offset", str(offset), "Use a number, 0 for none.")
    return tuple(write(values, float(offset), name) for write in _WRITERS)
