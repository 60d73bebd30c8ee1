"""The shards' sums added up in one order, whoever made them.

What is learned from is always the first so many shards of the plan, without a gap: those that come
early wait. So neither the number of workers nor their speed decides what a run has learned.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from kernel_demo.dataset.engine import work
from kernel_demo.dataset.settings import Settings
from kernel_demo.dataset.store import Store
from kernel_demo.dataset.sums import NAMED, ShardSums
from kernel_demo.dataset.totals import Total
from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.learning.statistics import Solution, Statistics
from kernel_demo.sources.shards import Fault, Plan, Shard

# Pixels of files, however many, tell no more than so many of independent noise would. Rounding is
# none: it goes with what is in the picture (where all neighbours are equal it is none at all), in
# every picture alike, and does not average out. Measured with five 3 x 3 kernels on the bundled
# photos, 8 bits: errors up to 4.6 classical bars at 2 Mpx, up to 46 at 180 Mpx of the same, that is
# 1.1 of these; 5 on the bricks alone, whose levels are few.
COHERENT = 1e5
GROWTH = 1.2  # the sums are solved anew when there are so many times the pictures


@dataclass(frozen=True)
class Point:
    """How much was known after so many pictures."""

    pictures: int
    pixels: int
    largest_bar: float  # of the weights; inf where one is open
    kernel_error: float | None  # where the filter is known


@dataclass
class Merging:
    """The sums of the first so many shards."""

    plan: Plan
    settings: Settings
    store: Store
    offset: bool = True
    total: Total = field(init=False)
    peak: float = 0.0
    whole: bool = True
    pictures: int = 0
    pixels: int = 0
    clipped: int = 0
    left_out: int = 0
    faults: list[Fault] = field(default_factory=list)
    failed: list[Fault] = field(default_factory=list)  # whole shards
    curve: list[Point] = field(default_factory=list)
    ready: dict[str, Fault | None] = field(default_factory=dict)  # by identity
    done: int = 0  # shards that are merged, or failed
    used: list[Shard] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.total = Total.zero(self.settings.size)
        self.left_out = len(self.plan.faults)
        self.faults += self.plan.faults[:NAMED]
        self.failed += self.plan.missing

    def take(self, shard: Shard, fault: Fault | None) -> None:
        """A shard is in the store, or has failed."""
        self.ready[shard.identity] = fault

    def advance(self) -> Iterator[Point]:
        """Merge what is ready and next; a point whenever there is so much more."""
        while self.done < len(self.plan.shards):
            shard = self.plan.shards[self.done]
            if shard.identity not in self.ready:
                return
            self.done += 1
            fault = self.ready[shard.identity]
            sums = None if fault else self._load(shard)
            if sums is None:
                self.failed.append(self.ready[shard.identity] or Fault(shard.name, "failed"))
            else:
                self._add(shard, sums)
            if self.pictures and self.pictures >= GROWTH * self._last:
                yield self.solve()

    @property
    def _last(self) -> int:
        return self.curve[-1].pictures if self.curve else 0

    def _load(self, shard: Shard) -> ShardSums | None:
        """What is in the store; a file that is damaged there is made again."""
        name = self.settings.name_of(shard)
        for _ in range(2):
            try:
                return ShardSums.from_bytes(self.store.read(name))
            except ValueError:
                self.store.remove(name)
                self.ready[shard.identity] = work(shard, self.settings, self.store)
            except Exception as error:  # noqa: BLE001 - fsspec raises what its stores raise
                reason = getattr(error, "strerror", None) or type(error).__name__
                self.ready[shard.identity] = Fault(shard.name, f"left sums that fail: {reason}")
            if self.ready[shard.identity]:
                return None
        return None

    def _add(self, shard: Shard, sums: ShardSums) -> None:
        self.left_out += sums.left_out
        self.faults += sums.faults[: NAMED - len(self.faults)]
        if not sums.pictures:
            return
        if self.peak and sums.peak != self.peak:
            self.left_out += sums.pictures
            told = f"has {sums.pictures} pictures with a white of {sums.peak:g}, not {self.peak:g}"
            self.faults += [Fault(shard.name, told)][: NAMED - len(self.faults)]
            return
        self.total = self.total + sums.total
        self.peak, self.whole = sums.peak, self.whole and sums.whole
        self.pictures += sums.pictures
        self.pixels += sums.pixels
        self.clipped += sums.clipped
        self.used.append(shard)

    def solve(self) -> Point:
        """The point of what has been merged, added to the curve."""
        solution = self.solution()
        truth = self.settings.truth
        error = None if truth is None else kernel_error(solution.kernel, truth)
        point = Point(self.pictures, self.pixels, float(solution.standard_error.max()), error)
        self.curve.append(point)
        return point

    def statistics(self) -> Statistics:
        return self.total.statistics(self.settings.size, self.pixels, self.peak)

    def solution(self) -> Solution:
        return of_files(self.statistics().solve(self.offset), self.settings)

    def sums(self) -> Iterator[ShardSums]:
        """Those that were merged, one at a time, once more from the store."""
        for shard in self.used:
            yield ShardSums.from_bytes(self.store.read(self.settings.name_of(shard)))


def of_files(solution: Solution, settings: Settings) -> Solution:
    """The same with the error bars of pairs from files, which end at those of COHERENT pixels."""
    if settings.weights is not None:
        return solution
    wider = (1 + solution.pixels / COHERENT) ** 0.5
    return replace(solution, standard_error=solution.standard_error * wider)
