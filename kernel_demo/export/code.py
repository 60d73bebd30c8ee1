"""A program as a text, and how numbers are written in one."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Snippet:
    """One complete short program or command that applies a kernel.

    It reads before.png and writes after.png (before.pnm and after.pnm where a language has no PNG
    of its own) and says in `note` how to run it, and what the tool does otherwise than asked.
    """

    tool: str  # "OpenCV"
    language: str  # for highlighting: "python", "shell", "svg", "c", "rust"
    code: str  # empty where the tool cannot apply this kernel; `note` then says why
    note: str  # one or two sentences


def number(value: float) -> str:
    """The shortest text that reads back as the same float64; never "-0.0"."""
    return repr(float(value) + 0.0)


def rows(kernel: np.ndarray, opening: str, closing: str, indent: int = 4) -> str:
    """A kernel (k, k), one line a row, its columns aligned: rows(K, "[", "],")."""
    words = [[number(value) for value in row] for row in kernel]
    width = max(len(word) for row in words for word in row)
    return "\n".join(
        " " * indent + opening + ", ".join(word.rjust(width) for word in row) + closing
        for row in words
    )


def grey_levels(offset: float) -> str:
    """An offset in the project's unit (1 is white) as 8-bit grey levels, free of rounding dust."""
    return number(round(offset * 255, 9))
