"""The endpoint /recover: two files, and what the filter between them is."""

from typing import Any

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.recovery import recover as find
from kernel_demo.sources.decoding import samples
from kernel_demo.ui.api import sent_file

QUEUE = "recover"  # the page's own button and the endpoint wait in one queue
AT_ONCE = 2
KEYS = (
    "verdict", "kernel", "size", "offset", "standard_error", "residual", "rounding_floor",
    "used_fraction", "padding", "bit_exact", "white",
)  # fmt: skip


def recover(before: gr.FileData, after: gr.FileData, max_size: int = 15) -> dict:
    """Find the filter that made `after` of `before`.

    max_size: the largest kernel to look for, odd, 3 to 31. Residual, rounding floor and offset are
    in grey levels of the after file, of which `white` is the highest: 255, or 65535 for 16-bit
    samples. /apply takes the offset as offset_levels = 255 * offset / white. Kernels are relative
    to white; kernel and offset are for sums that are rounded half up (a tool that cuts off has 0.5
    less). For one kernel a channel, kernel, offset and standard_error are lists of three. A number
    that is not known is null.
    """
    _odd(max_size)
    found = find(_samples(before, "before"), _samples(after, "after"), max_size)
    report = found.as_dict()
    return {
        **{key: report[key] for key in KEYS},
        "explanation": f"{found.explanation} {found.next_step}".strip(),
    }


def _odd(size: Any) -> None:
    if isinstance(size, bool) or not isinstance(size, int) or size % 2 == 0 or not 3 <= size <= 31:
        raise DemoError("an odd max_size from 3 to 31", repr(size)[:40], "Send 15, for example.")


def _samples(file: Any, role: str) -> np.ndarray:
    return samples(*sent_file.opened(file, role), keep_alpha=True)[0]
