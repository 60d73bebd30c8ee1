"""A shard -> its sums: a pure function, and the small file that they are kept in."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from zipfile import BadZipFile

import numpy as np

from kernel_demo.dataset import planes
from kernel_demo.dataset.planes import Plane, Prediction
from kernel_demo.dataset.settings import Settings
from kernel_demo.dataset.totals import Array, Total, length, packed
from kernel_demo.errors import DemoError
from kernel_demo.learning.statistics import Statistics
from kernel_demo.sources.members import Sample, members
from kernel_demo.sources.shards import Fault, Shard

NAMED = 100  # faults that are named; the others are counted
# Relative to the sums that it is a difference of, a squared error is not told apart from zero.
LOST = 64 * np.finfo(np.float64).eps


@dataclass(frozen=True, eq=False)
class ShardSums:
    """What one shard leaves, and all that is ever sent of it."""

    size: int  # k
    total: Total
    peak: float  # white: 255 or 65535; 0 of no picture
    whole: bool  # whether all sums are whole numbers, and exact
    pictures: int  # used
    pixels: int  # used
    clipped: int  # pixels that may have been clipped, and are not used
    left_out: int  # pictures
    faults: tuple[Fault, ...]  # the first of those left out
    names: tuple[str, ...] = ()  # of the pictures used, where their own sums are kept
    counts: Array = field(default_factory=lambda: np.zeros(0))  # (pictures,) pixels of each
    own: Array = field(default_factory=lambda: np.zeros(0))  # squared error of each's own kernel
    # (pictures, k*k + 1): each's own kernel and offset, NaN where it does not tell.
    kernels: Array = field(default_factory=lambda: np.zeros((0, 1)))
    # (pictures, length(k)): the sums of each; or, of larger kernels, (pictures, 1): the squared
    # error of the kernel that the shard's first pictures predict.
    each: Array = field(default_factory=lambda: np.zeros((0, 0)))

    def to_bytes(self) -> bytes:
        """As a .npz file."""
        told = {
            "size": self.size, "peak": self.peak, "whole": self.whole, "pictures": self.pictures,
            "pixels": self.pixels, "clipped": self.clipped, "left_out": self.left_out,
            "faults": [[fault.name, fault.reason] for fault in self.faults], "names": self.names,
        }  # fmt: skip
        file = io.BytesIO()
        np.savez_compressed(
            file,
            told=np.frombuffer(json.dumps(told).encode(), np.uint8),
            high=self.total.high, low=self.total.low,
            counts=self.counts, own=self.own, kernels=self.kernels, each=self.each,
        )  # fmt: skip
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> ShardSums:
        """What to_bytes() wrote. ValueError for anything else, such as half a file."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as held:
                arrays = {name: held[name] for name in held.files}
            told = json.loads(arrays["told"].tobytes())
            faults = tuple(Fault(*fault) for fault in told.pop("faults"))
            names = tuple(told.pop("names"))
            total = Total(arrays["high"], arrays["low"])
            if len(total.high) != length(told["size"]):
                raise ValueError("sums of another size")
            own = {name: arrays[name] for name in ("counts", "own", "kernels", "each")}
            return cls(total=total, faults=faults, names=names, **told, **own)
        except (BadZipFile, KeyError, TypeError, EOFError, OSError, ValueError) as error:
            raise ValueError(f"no file of sums: {error}") from None


def sum_shard(
    shard: Shard, settings: Settings, seen: Callable[[int], None] = lambda pixels: None
) -> ShardSums:
    """The sums of all pictures of a shard, in its own order.

    seen: told the pixels of each picture that was read. OSError where the shard cannot be read; a
    picture that cannot is counted and named.
    """
    gathered = _Gathering(settings)
    waiting: list[tuple[str, list[Plane]]] = []
    guess: Prediction | None = None
    guessed = settings.weights is not None
    for item in _opened(shard, settings):
        if isinstance(item, Fault):
            gathered.leave_out(item)
            continue
        seen(sum(plane.before.size for plane in item[1]))
        waiting.append(item)
        if guessed or len(waiting) == planes.GUESSED:
            guess = guess if guessed else _predicted(waiting, settings)
            guessed = True
            for name, pair in waiting:
                gathered.take(name, pair, guess)
            waiting = []
    if waiting:
        guess = guess if guessed else _predicted(waiting, settings)
        for name, pair in waiting:
            gathered.take(name, pair, guess)
    return gathered.result()


def _predicted(waiting: list[tuple[str, list[Plane]]], settings: Settings) -> Prediction | None:
    return planes.prediction([plane for _, pair in waiting for plane in pair], settings.size)


def _opened(shard: Shard, settings: Settings) -> Iterator[tuple[str, list[Plane]] | Fault]:
    for item in members(shard, settings.wanted):
        if isinstance(item, Fault):
            yield item
            continue
        assert isinstance(item, Sample)
        try:
            pair = planes.planes(item, settings)
        except DemoError as error:
            yield Fault(item.name, _reason(error))
        else:
            yield item.name, pair


def _reason(error: DemoError) -> str:
    return f"expected {error.expected}, got {error.received}"


class _Gathering:
    """The sums of the pictures so far."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.total = Total.zero(settings.size)
        self.peak, self.whole = 0.0, True
        self.pictures = self.pixels = self.clipped = self.left_out = 0
        self.faults: list[Fault] = []
        self.names: list[str] = []
        self.counts: list[int] = []
        self.own: list[float] = []
        self.kernels: list[Array] = []
        self.each: list[Array] = []

    def leave_out(self, fault: Fault) -> None:
        self.left_out += 1
        if len(self.faults) < NAMED:
            self.faults.append(fault)

    def take(self, name: str, pair: list[Plane], guess: Prediction | None) -> None:
        """Add a picture's sums, or say why it has none."""
        size, sums, reason = self.settings.size, None, ""
        for plane in pair:
            try:
                mask = planes.counted(plane, guess)
                new = Statistics.from_pair(plane.before, plane.after, size, mask)
            except DemoError as error:
                reason = reason or _reason(error)
                continue
            sums = new if sums is None else sums + new
        if sums is None or (self.peak and sums.peak != self.peak):
            depth = f"has a white of {sums.peak:g}, not {self.peak:g}" if sums else ""
            self.leave_out(Fault(name, depth or reason))
            return
        vector = packed(sums)
        self.total = self.total + Total.of(vector)
        self.peak = sums.peak
        self.whole &= self.settings.weights is None and bool(np.abs(vector).max() < 2.0**53)
        self.pictures += 1
        self.pixels += sums.count
        edge = size // 2 * 2
        inside = sum((p.before.shape[0] - edge) * (p.before.shape[1] - edge) for p in pair)
        self.clipped += inside - sums.count
        if self.settings.own:
            self._keep(name, sums, vector, guess)

    def _keep(self, name: str, sums: Statistics, vector: Array, guess: Prediction | None) -> None:
        """What tells this picture apart from the others, without a second reading."""
        self.names.append(name)
        self.counts.append(sums.count)
        if self.settings.whole:
            solution = sums.solve()
            self.own.append(solution.residual**2 * sums.count)
            kernel = np.append(solution.kernel, solution.offset)
            self.kernels.append(kernel * (np.nan if solution.singular else 1.0))
            self.each.append(vector)
        else:
            kernel = np.zeros(sums.size**2) if guess is None else guess.kernel.ravel()
            error = squared_error(vector, sums.count, kernel, guess.offset if guess else 0.0)
            self.own.append(np.nan)
            self.each.append(np.array([error if guess else np.nan]))

    def result(self) -> ShardSums:
        k2 = self.settings.size**2
        return ShardSums(
            self.settings.size, self.total, self.peak, self.whole, self.pictures, self.pixels,
            self.clipped, self.left_out, tuple(self.faults), tuple(self.names),
            np.array(self.counts, np.float64), np.array(self.own, np.float64),
            np.array(self.kernels).reshape(-1, k2 + 1),
            np.array(self.each).reshape(len(self.each), len(self.each[0]) if self.each else 0),
        )  # fmt: skip


def squared_error(vectors: Array, counts: Array | int, weights: Array, offset: float) -> Array:
    """Of a kernel (k*k,) and offset on each set of packed sums (..., length(k)); at least 0.

    sum (y - w'p - o)^2 = y'y - 2 w'X'y + w'X'X w - 2 o (y'1 - w'X'1) + o^2 n.
    """
    k2 = len(weights)
    rows, columns = np.triu_indices(k2)
    twice = np.where(rows == columns, 1.0, 2.0) * weights[rows] * weights[columns]
    gram, cross, plain, rest = np.split(
        vectors, [len(rows), len(rows) + k2, len(rows) + 2 * k2], -1
    )
    energy, after_sum = rest[..., 0], rest[..., 1]
    fitted = gram @ twice
    found = energy - 2 * (cross @ weights) + fitted
    found = found - 2 * offset * (after_sum - plain @ weights) + offset**2 * counts
    return np.maximum(found, LOST * (np.abs(energy) + np.abs(fitted)))
