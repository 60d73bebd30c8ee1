"""The curves of one run, bounded however long it runs; values that never change.

Whoever holds a history holds that of one moment: other threads, and the run itself, make new ones.
"""

import base64
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

LIMIT = 400
LARGEST = float(np.finfo(np.float32).max)
CHUNK = 32  # points to a base64 string: of a growing curve, only the last string is sent again


def encode(values) -> str:
    """Base64 of little-endian float32, row by row."""
    return base64.b64encode(np.asarray(values, "<f4").tobytes()).decode("ascii")


def in_chunks(points: Sequence) -> list[str]:
    """`encode` of CHUNK points each."""
    return [encode(points[i : i + CHUNK]) for i in range(0, len(points), CHUNK)]


def plain(value: float | None) -> float | None:
    """The value as JSON takes it, which has no NaN and no infinity."""
    return float(value) if value is not None and math.isfinite(value) else None


class Measured(NamedTuple):
    """What the curves keep of a Progress, without its arrays: thousands come between two frames."""

    step: int
    loss: float | None
    validation_loss: float | None
    kernel_error: float | None

    @classmethod
    def of(cls, progress) -> "Measured":
        """The same four figures of a `kernel_demo.learning.training.Progress`."""
        return cls(*(getattr(progress, name) for name in cls._fields))


@dataclass(frozen=True)
class Curve:
    """Points (step, value), thinned by halves: at most `limit`, the first and the last among them.

    Steps ascend: a point that is not beyond the last one is left out, and so are values that are
    not finite in float32.
    """

    limit: int = LIMIT
    kept: tuple[tuple[float, float], ...] = ()
    last: tuple[float, float] | None = None
    stride: int = 1  # of the points added, each stride-th is kept
    seen: int = 0

    def add(self, points: Iterable[tuple[int, float | None]]) -> "Curve":
        """This curve with more points, all of them at the cost of one copy."""
        kept, last, stride, seen = list(self.kept), self.last, self.stride, self.seen
        for step, value in points:
            if not _drawable(value) or (last is not None and step <= last[0]):
                continue
            last = (step, value)
            if seen % stride == 0:
                if len(kept) == self.limit - 1:
                    kept = kept[::2]
                    stride *= 2
                if seen % stride == 0:
                    kept.append(last)
            seen += 1
        return replace(self, kept=tuple(kept), last=last, stride=stride, seen=seen)

    def points(self) -> tuple[tuple[float, float], ...]:
        if self.last is None or self.kept[-1] == self.last:
            return self.kept
        return (*self.kept, self.last)

    def encode(self) -> list[str]:
        """Chunks of float32 pairs (step, value)."""
        return in_chunks(self.points())


@dataclass(frozen=True)
class History:
    """Loss, validation loss and kernel error of one run."""

    loss: Curve = Curve()
    validation: Curve = Curve()
    error: Curve = Curve()

    def add(self, measured: Sequence) -> "History":
        """This history and what came since: each a Measured, or a Progress itself."""
        return History(
            self.loss.add((one.step, one.loss) for one in measured),
            self.validation.add((one.step, one.validation_loss) for one in measured),
            self.error.add((one.step, one.kernel_error) for one in measured),
        )

    def encode(self) -> dict[str, list[str]]:
        return {
            "loss": self.loss.encode(),
            "validation": self.validation.encode(),
            "error": self.error.encode(),
        }


def _drawable(value: float | None) -> bool:
    return value is not None and math.isfinite(value) and abs(value) <= LARGEST
