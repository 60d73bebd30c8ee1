"""What a record shows in a notebook, and writes to a file."""

import html
import json
import math
import os
from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.numbers import short

NUMBERS = 9  # k up to which a heat map has its numbers; beyond, they are in the titles of the cells
# The page's own: blue below zero, orange above, which colour-blind eyes tell apart.
POSITIVE, NEGATIVE = "234, 147, 80", "91, 155, 213"
STYLE = (  # squares, wider where numbers are long
    "box-sizing: border-box; min-width: 2em; height: 2em; padding: 0.15em 0.4em; "
    "text-align: center; background: rgba({}, {:.2f})"
)


def heat_map(values: np.ndarray, errors: np.ndarray | None = None, caption: str = "") -> str:
    """An HTML table of the weights (k x k), coloured by size and sign, zero without a colour.

    errors: (k, k), their standard errors, told when a cell is pointed at.
    """
    values = np.asarray(values, np.float64)
    largest = np.abs(values).max(initial=0.0, where=np.isfinite(values)) or 1.0
    bars = np.full(values.shape, np.nan) if errors is None else np.asarray(errors)
    rows = "".join(
        "<tr>" + "".join(_cell(*cell, largest, len(values)) for cell in zip(*row, strict=True))
        + "</tr>" for row in zip(values.tolist(), bars.tolist(), strict=True)
    )  # fmt: skip
    told = f"<caption>{html.escape(caption)}</caption>" if caption else ""
    return f'<table style="border-collapse: collapse; white-space: nowrap">{told}{rows}</table>'


def _cell(value: float, error: float, largest: float, size: int) -> str:
    strength = min(abs(value) / largest, 1.0) if math.isfinite(value) else 0.0
    style = STYLE.format(NEGATIVE if value < 0 else POSITIVE, strength)
    title = f"{value:.17g}" + ("" if math.isnan(error) else f" ± {error:.2g}")
    text = short(value) if size <= NUMBERS and math.isfinite(value) else ""
    return f'<td style="{style}" title="{title}">{text}</td>'


def shown(*parts: str) -> str:
    """The parts of a record below each other: sentences (escaped), and tables as they are."""
    return "".join(
        part if part.startswith("<table") else f"<p>{html.escape(part)}</p>"
        for part in parts if part
    )  # fmt: skip


def save(path: str | os.PathLike[str], kernel: np.ndarray | None, told: Mapping[str, Any]) -> Path:
    """Write a record, and return its path: `.json` has all that is told, `.npy` the kernel.

    told: plain types and arrays; infinity and NaN become null. DemoError: another ending, a record
    without a kernel as .npy, or a place that cannot be written to.
    """
    path = Path(path)
    ending = path.suffix.lower()
    if ending not in (".json", ".npy"):
        raise DemoError("a file that ends in .json or .npy", f"“{path.name}”", "Name it so.")
    if ending == ".npy" and kernel is None:
        raise DemoError("a record that has a kernel", "one without", "Save it as .json.")
    try:
        if ending == ".npy":
            np.save(path, np.asarray(kernel, np.float64))
        else:
            path.write_text(json.dumps(plain(told), indent=2, allow_nan=False), encoding="utf-8")
    except OSError as error:
        reason = error.strerror or "an error"
        raise DemoError("a place to write to", f"“{path}”: {reason}", "Choose another.") from None
    return path


def plain(value: Any) -> Any:
    """The same in plain types: records are dicts, codes their words, infinity and NaN None."""
    if is_dataclass(value):
        value = vars(value)
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    return None if isinstance(value, float) and not math.isfinite(value) else value
