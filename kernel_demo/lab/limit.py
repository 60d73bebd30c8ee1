"""One way to break it: the record, and the pictures as a file holds them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kernel_demo.imaging.filtering import to_uint8
from kernel_demo.learning.evaluation import kernel_error


@dataclass(frozen=True, eq=False)
class Limit:
    """One way to break it, foretold and tried."""

    key: str  # a key of LIMITS
    measure: str  # "kernel": largest weight error; "output": RMS error in grey levels
    predicted: float  # by theory, from the before pictures and the truth alone
    measured: float  # of the kernel that was then found
    truth: np.ndarray | None  # (k, k); None where there is no such kernel
    learned: np.ndarray  # (k, k), same size as the truth where there is one
    remedied: float | None = None  # the error with the remedy applied; None: there is none
    figures: dict[str, float] = field(default_factory=dict)  # what else a sentence may name


def levels(pictures: Sequence[np.ndarray]) -> list[np.ndarray]:
    """As an 8-bit file holds them: whole grey levels 0..255, as float64."""
    return [to_uint8(picture).astype(np.float64) for picture in pictures]


def as_file(exact: np.ndarray) -> np.ndarray:
    """Any grey levels as an 8-bit file holds them: rounded, cut at 0 and 255."""
    return np.floor(np.clip(exact, 0, 255) + 0.5)


def kernel_limit(
    key: str,
    predicted: float,
    truth: np.ndarray,
    learned: np.ndarray,
    remedied: np.ndarray | None = None,
    figures: dict[str, float] | None = None,
) -> Limit:
    """A Limit told by the largest weight error of the kernels learned without and with a remedy."""
    return Limit(
        key,
        "kernel",
        float(predicted),
        kernel_error(learned, truth),
        truth,
        learned,
        None if remedied is None else kernel_error(remedied, truth),
        figures or {},
    )
