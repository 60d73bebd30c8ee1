"""What the page begins with, worked out beforehand: `python .ci/begun.py` writes it.

The first picture of the page has a random kernel, its loss, and the sums of its pictures. To work
them out takes torch, which takes seconds to load: it is done while the page is already served, see
showing.warm().
"""

import json
from functools import cache
from importlib import metadata
from pathlib import Path

import numpy as np

from kernel_demo.learning.statistics import Statistics

FILE = Path(__file__).with_name("begun.json")


def kernel(experiment: str) -> np.ndarray | None:
    """The random start that this version of torch draws, (k, k); None: it is not known.

    experiment: its key.
    """
    kept = _kept()
    known = kept["experiment"] == experiment and kept["torch"] == version()
    return np.array(kept["kernel"]) if known else None


def version() -> str:
    """That of torch, which is not loaded for it."""
    return metadata.version("torch").partition("+")[0]


def losses(experiment: str, kernel: np.ndarray) -> tuple[float, float] | None:
    """The loss of a random start, and that of the tiles held out; None: they are not known.

    experiment: its key. kernel: (k, k), the start; another version of torch may draw another one.
    """
    kept = _kept()
    known = kept["experiment"] == experiment and np.array_equal(kept["kernel"], kernel)
    return (kept["loss"], kept["validation_loss"]) if known else None


def sums(lesson: str) -> Statistics | None:
    """Those of a lesson, by its name; None: they are not known."""
    kept = _kept()
    if kept["lesson"] != lesson:
        return None
    arrays = ("gram", "cross", "patch_sum")
    return Statistics(
        **{
            name: np.array(value) if name in arrays else value
            for name, value in kept["sums"].items()
        }
    )


@cache
def _kept() -> dict:
    return json.loads(FILE.read_text("utf-8"))
