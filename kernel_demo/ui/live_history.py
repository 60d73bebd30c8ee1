"""The curves of one run, bounded however long it runs."""

import base64
import math

import numpy as np

LIMIT = 400
LARGEST = float(np.finfo(np.float32).max)
CHUNK = 32  # points to a base64 string: of a growing curve, only the last string is sent again


def encode(values) -> str:
    """Base64 of little-endian float32, row by row."""
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode("ascii")


class Curve:
    """Points (step, value), thinned by halves: at most `limit`, the first and the last among them.

    Values that are not finite in float32 are left out.
    """

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._kept: list[tuple[float, float]] = []
        self._last: tuple[float, float] | None = None
        self._stride = 1
        self._seen = 0

    def add(self, step: int, value: float | None) -> None:
        if value is None or not math.isfinite(value) or abs(value) > LARGEST:
            return
        self._last = (step, value)
        if self._seen % self._stride == 0:
            if len(self._kept) == self._limit - 1:
                self._kept = self._kept[::2]
                self._stride *= 2
            if self._seen % self._stride == 0:
                self._kept.append(self._last)
        self._seen += 1

    def points(self) -> list[tuple[float, float]]:
        if self._last is None or self._kept[-1] == self._last:
            return list(self._kept)
        return [*self._kept, self._last]

    def encode(self) -> list[str]:
        """Chunks of float32 pairs (step, value)."""
        points = self.points()
        return [encode(points[i : i + CHUNK]) for i in range(0, len(points), CHUNK)]


class History:
    """Loss, validation loss and kernel error of one run. `add` each Progress, shown or not."""

    def __init__(self, limit: int = LIMIT) -> None:
        self.loss = Curve(limit)
        self.validation = Curve(limit)
        self.error = Curve(limit)

    def add(self, progress) -> None:
        self.loss.add(progress.step, progress.loss)
        self.validation.add(progress.step, progress.validation_loss)
        self.error.add(progress.step, progress.kernel_error)

    def encode(self) -> dict[str, list[str]]:
        return {
            "loss": self.loss.encode(),
            "validation": self.validation.encode(),
            "error": self.error.encode(),
        }
