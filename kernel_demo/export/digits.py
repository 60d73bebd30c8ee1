"""The digits of a weight that its error bar supports: the rest is noise, and is not written."""

import numpy as np

MOST = 17  # decimals; a float64 of size 1 has no more
VISIBLE = 0.5 / 255  # where white is 1: what 8 bits do not keep


def supported(kernel: np.ndarray, bars: np.ndarray) -> np.ndarray:
    """The kernel with as few decimals in each weight as keep it within its bar.

    kernel, bars: (k, k), a bar is how far a weight may be off, in its unit; 0, or no
    finite number, where every digit counts.
    Weights known badly one by one may be known well together (their sum nearly always is). So the
    bars are halved until no pixel of any picture is moved by half a grey level: 255 sum |change|
    bounds that. Never "-0.0".
    """
    kernel, bars = np.asarray(kernel, np.float64), np.nan_to_num(bars, posinf=0)
    rounded = np.vectorize(_shortest, otypes=[float])
    while True:
        written = rounded(kernel, bars)
        if np.abs(written - kernel).sum() < VISIBLE or not bars.any():
            return written + 0.0
        bars = bars / 2


def _shortest(value: float, bar: float) -> float:
    if abs(value) <= bar:
        return 0.0
    several = (round(float(value), decimals) for decimals in range(MOST + 1))
    return next((one for one in several if abs(one - value) <= bar), float(value))
