"""A run over a dataset: what is left to read, what has been learned, when to stop."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from kernel_demo.dataset import outliers
from kernel_demo.dataset.engine import Engine, Event
from kernel_demo.dataset.merging import Merging, Point, of_files
from kernel_demo.dataset.outliers import Outliers
from kernel_demo.dataset.settings import Settings
from kernel_demo.dataset.store import Store
from kernel_demo.dataset.sums import NAMED
from kernel_demo.learning.certificate import Certificate, certify
from kernel_demo.learning.statistics import Solution
from kernel_demo.sources.shards import Fault, Plan

# Fewer than these are never too many while there is more to read.
MANY_PICTURES, MANY_SHARDS = 100, 10


class Ended(Enum):
    """Why a run ended; its value says so."""

    ALL_READ = "All was read."
    KNOWN = "Every error bar is as small as was asked for."
    LEFT_OUT = "More could not be used than is tolerated."
    HANDED_OVER = "The shards were handed over; this command, started again, adds up what is there."


@dataclass(frozen=True, eq=False)
class Progress:
    """How far a run has come. The last one has a result."""

    shards: int  # that are merged, or failed
    of: int
    taken_up: int  # of them, from the store
    pictures: int  # merged, or read meanwhile: the more
    read_pixels: int  # in this run
    seconds: float
    left_out: int
    point: Point | None  # the last of the curve
    result: Result | None = None


@dataclass(frozen=True, eq=False)
class Result:
    """What a run leaves."""

    ended: Ended
    settings: Settings
    solution: Solution | None  # without the outliers; None: no picture, or no common filter
    certificate: Certificate | None
    pictures: int
    pixels: int
    clipped: int
    peak: float
    exact: bool  # whether all sums are whole numbers without any rounding
    left_out: int  # pictures
    faults: tuple[Fault, ...]
    failed: tuple[Fault, ...]  # shards
    shards: int
    shards_read: int
    shards_taken_up: int
    shards_repeated: int
    curve: tuple[Point, ...]
    outliers: Outliers | None
    seconds: float
    read_pixels: int


def fit(
    plan: Plan,
    settings: Settings,
    store: Store,
    engine: Engine,
    *,
    until: float | None = None,
    tolerate: float = 0.01,
    offset: bool = True,
) -> Iterator[Progress]:
    """Learn from all shards of a plan; those whose sums are in the store are not read again.

    until: stop when every error bar is below it. tolerate: the share of pictures, or of shards,
    that may fail. To stop is to stop iterating: what was read is in the store.
    """
    began = time.monotonic()
    merging = Merging(plan, settings, store, offset)
    there = store.names()
    left = []
    for shard in plan.shards:
        if settings.name_of(shard) in there:
            merging.take(shard, None)
        else:
            left.append(shard)
    taken_up, read = len(plan.shards) - len(left), 0
    last, ended = Event(), None
    events = engine.run(left, settings, store)
    try:
        while ended is None:
            for point in merging.advance():
                if until is not None and point.largest_bar < until:
                    ended = Ended.KNOWN
                    break
            if ended is None and _too_many(merging, tolerate):
                ended = Ended.LEFT_OUT
            yield _progress(merging, last, began, taken_up)
            if ended is None:
                event = next(events, None)
                if event is None:
                    break
                last = event
                if event.shard is not None:
                    merging.take(event.shard, event.fault)
                    read += event.fault is None
    finally:
        getattr(events, "close", lambda: None)()
    if ended is None:
        ended = Ended.ALL_READ if engine.waits or not left else Ended.HANDED_OVER
        if ended is Ended.ALL_READ and _share(merging) > tolerate:
            ended = Ended.LEFT_OUT
    result = _result(merging, ended, taken_up, read, last, time.monotonic() - began)
    progress = _progress(merging, last, began, taken_up)
    yield Progress(**{**vars(progress), "result": result})


def _share(merging: Merging) -> float:
    """Of pictures that were left out, or of shards that failed: the larger."""
    pictures = merging.left_out / max(merging.left_out + merging.pictures, 1)
    shards = len(merging.plan.shards) + len(merging.plan.missing)
    return max(pictures, len(merging.failed) / max(shards, 1))


def _too_many(merging: Merging, tolerate: float) -> bool:
    """Whether to read on is in vain."""
    done = merging.left_out + merging.pictures
    pictures = merging.left_out >= MANY_PICTURES and merging.left_out > tolerate * done
    failed = len(merging.failed)
    return pictures or (failed >= MANY_SHARDS and failed > tolerate * len(merging.plan.shards))


def _progress(merging: Merging, last: Event, began: float, taken_up: int) -> Progress:
    return Progress(
        merging.done, len(merging.plan.shards), taken_up, max(merging.pictures, last.pictures),
        last.pixels, time.monotonic() - began, merging.left_out,
        merging.curve[-1] if merging.curve else None,
    )  # fmt: skip


def _result(
    merging: Merging, ended: Ended, taken_up: int, read: int, last: Event, seconds: float
) -> Result:
    settings, found, certificate = merging.settings, None, None
    total, pixels, solution = merging.total, merging.pixels, None
    if merging.pictures:
        if merging.curve[-1].pictures < merging.pictures:
            merging.solve()
        if settings.own:
            found = outliers.find(merging.sums, pixels, merging.peak, settings)
            if found.removed is not None and found.common:
                total, pixels = total + -found.removed, pixels - found.pixels
        if found is None or found.common:  # else no kernel is that of these pictures
            statistics = total.statistics(settings.size, pixels, merging.peak)
            certificate = certify(statistics, fit_offset=merging.offset)
            solution = of_files(certificate.solution, settings)
    return Result(
        ended, settings, solution, certificate, merging.pictures, pixels, merging.clipped,
        merging.peak, merging.whole and total.fits, merging.left_out, tuple(merging.faults[:NAMED]),
        tuple(merging.failed), len(merging.plan.shards), read, taken_up, merging.plan.repeated,
        tuple(merging.curve), found, seconds, last.pixels,
    )  # fmt: skip
