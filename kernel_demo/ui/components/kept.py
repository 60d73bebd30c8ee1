"""What is kept of one run: at most LIMIT of its steps, each with its figures and its kernel.

Records never change: whoever holds them holds those of one moment. They travel as chunks of base64
of which only the last one grows, however long the run.
"""

import base64
import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np

LIMIT = 400
SPREAD = 370  # of these, kept by their steps alone
FALLS = 20  # of these, kept because the kernel error fell: from 1 to the last bit there are 17
LARGEST = float(np.finfo(np.float32).max)
CHUNK = 32  # points of a curve to a base64 string
CHUNK_VALUES = 896  # float32 of records to a base64 string: 64 records at 3 x 3, 3 at 15 x 15


def encode(values) -> str:
    """Base64 of little-endian float32, row by row."""
    return _text(np.asarray(values, "<f4").tobytes())


def in_chunks(points: Sequence) -> list[str]:
    """`encode` of CHUNK points each."""
    return [encode(points[i : i + CHUNK]) for i in range(0, len(points), CHUNK)]


def plain(value: float | None) -> float | None:
    """The value as JSON takes it, which has no NaN and no infinity."""
    return float(value) if value is not None and math.isfinite(value) else None


@lru_cache(maxsize=256)
def _dense(most: int) -> float:
    """Up to which step c of `most` all are kept: c + c ln(most / c) is SPREAD, found by halving."""
    low, high = 0.0, float(most)
    for _ in range(60 if most > SPREAD else 0):
        middle = (low + high) / 2
        full = middle + middle * math.log(most / middle) > SPREAD
        low, high = (low, middle) if full else (middle, high)
    return high


def cell(step: int, most: int) -> int:
    """Of the steps of a run of at most `most`, those in one cell have one place together.

    Each has a cell of its own up to a step c, then all at which c ln(step / c) has the same whole
    part: evenly along an axis of logarithms. There are SPREAD of them, and those at the ends.
    """
    dense = _dense(most)
    return step if step <= dense else math.ceil(dense) + int(dense * math.log(step / dense))


def spread(step: int, most: int) -> bool:
    """Whether a step is kept whatever it brings: the first one of each cell is."""
    return cell(step, most) != cell(step - 1, most)


class Record(NamedTuple):
    """One kept step."""

    step: int
    loss: float
    validation_loss: float
    kernel_error: float
    seconds: float
    difference: np.ndarray  # (k, k): true - learned


FIGURES = len(Record._fields) - 1  # beside the kernel


@dataclass(frozen=True)
class Kept:
    """The records of one run, in the order of their steps.

    A step is kept where `spread` says so, where the kernel error fell tenfold since it last did
    (looked for at the steps that are checked), where somebody asks for it, and where the run ends.
    """

    most: int  # the last step there will be
    every: int = 1  # steps from one check, with its validation loss, to the next
    records: tuple[bytes, ...] = ()  # little-endian float32: FIGURES, then k x k
    steps: tuple[int, ...] = ()
    falls: tuple[int, ...] = ()  # the steps kept for a tenfold fall

    def add(self, progress, truth: np.ndarray, asked: bool = False) -> "Kept":
        """These and what a `kernel_demo.learning.training.Progress` tells, if it is to be kept.

        truth: (k, k), the true kernel. A step that is not beyond the last one is left out, but for
        the first: its figures may come after its kernel.
        """
        step = progress.step
        if self.steps == (step,) == (0,):
            return replace(self, records=(self._record(progress, truth),))
        if self.steps and step <= self.steps[-1]:
            return self
        fell = self._fell(progress)
        if not (fell or asked or progress.done or spread(step, self.most)):
            return self
        room = self if len(self.steps) < LIMIT else self._without_one()
        return replace(
            room,
            records=(*room.records, self._record(progress, truth)),
            steps=(*room.steps, step),
            falls=(*room.falls, step) if fell else room.falls,
        )

    def until(self, step: int) -> "Kept":
        """Those up to a step."""
        return self._only(self.steps.index(one) for one in self.steps if one <= step)

    def longer(self, most: int) -> "Kept":
        """Those that a run of so many steps has place for: it goes on where this one ended."""
        wanted, before = [], None
        for i, step in enumerate(self.steps):
            now = cell(step, most)
            if now != before or step in self.falls or i == len(self.steps) - 1:
                wanted.append(i)
            before = now
        return replace(self._only(wanted), most=most)

    def at(self, step: int) -> Record | None:
        """The last record up to a step; None before the first."""
        place = bisect_right(self.steps, step)
        return _read(self.records[place - 1]) if place else None

    def encode(self) -> list[str]:
        """Chunks of records: CHUNK_VALUES float32 each, at least one record."""
        if not self.records:
            return []
        count = max(1, CHUNK_VALUES // (len(self.records[0]) // 4))
        chunks = (self.records[i : i + count] for i in range(0, len(self.records), count))
        return [_text(b"".join(chunk)) for chunk in chunks]

    def _record(self, progress, truth: np.ndarray) -> bytes:
        figures = [getattr(progress, name) for name in Record._fields[:FIGURES]]
        if progress.step % self.every and not progress.done:  # it is that of an earlier step
            figures[Record._fields.index("validation_loss")] = None
        numbers = [math.nan if value is None else value for value in figures]
        # Subtracted in float64: in float32 the last seven digits would be rounding.
        apart = np.subtract(truth, progress.kernel, dtype=np.float64)
        with np.errstate(over="ignore"):  # of a run that diverges
            return np.append(numbers, apart).astype("<f4").tobytes()

    def _fell(self, progress) -> bool:
        """Whether the kernel error is a tenth of what it was at the latest such fall."""
        if progress.kernel_error is None or not self.steps or len(self.falls) >= FALLS:
            return False
        if progress.step % self.every:
            return False  # made because time passed: what is kept hangs on steps alone
        before = self.at(self.falls[-1] if self.falls else 0)
        return before is not None and progress.kernel_error < before.kernel_error / 10

    def _without_one(self) -> "Kept":
        """These without the first that was only asked for."""
        spare = (i for i, one in enumerate(self.steps[1:], 1)
                 if one not in self.falls and not spread(one, self.most))  # fmt: skip
        gone = next(spare, len(self.steps) - 1)
        return self._only(i for i in range(len(self.steps)) if i != gone)

    def _only(self, places: Iterable[int]) -> "Kept":
        places = [*places]
        steps = tuple(self.steps[i] for i in places)
        return replace(
            self,
            records=tuple(self.records[i] for i in places),
            steps=steps,
            falls=tuple(one for one in self.falls if one in steps),
        )


def _read(record: bytes) -> Record:
    values = np.frombuffer(record, "<f4").astype(np.float64)
    side = math.isqrt(len(values) - FIGURES)
    step, *figures = values[:FIGURES].tolist()
    return Record(int(step), *figures, values[FIGURES:].reshape(side, side))


def _text(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")
