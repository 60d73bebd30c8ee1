"""A pool of processes over the shards, on one machine. What happens in a task stays in the task.

A worker that is killed breaks the whole pool; it is made anew for what is left. The sums that were
written are there, so that at most one shard a worker is read again.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.context import BaseContext
from typing import Any, Protocol

import cv2

from kernel_demo.dataset.settings import Settings
from kernel_demo.dataset.store import Store
from kernel_demo.dataset.sums import sum_shard
from kernel_demo.errors import DemoError
from kernel_demo.learning.late import torch
from kernel_demo.sources.shards import Fault, Shard

TICK = 0.25  # seconds between two looks at what the workers have read
STRIKES = 3  # times that a shard may be at hand when a worker is killed
BREAKS = 10  # pools that may break one after the other without a single shard done
# Each worker is one thread: threads of several workers would wait for each other.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Event:
    """What an engine tells: a shard is done, or how much was read meanwhile."""

    shard: Shard | None = None  # that is done
    fault: Fault | None = None  # why it is not
    pictures: int = 0  # read so far, of all shards
    pixels: int = 0


class Engine(Protocol):
    """Has each shard worked on, in any order; the sums are then in the store."""

    @property
    def waits(self) -> bool:
        """Whether the shards are done when run() has ended."""
        ...

    def run(self, shards: Sequence[Shard], settings: Settings, store: Store) -> Iterator[Event]: ...


def work(
    shard: Shard,
    settings: Settings,
    store: Store,
    seen: Callable[[int], None] = lambda pixels: None,
) -> Fault | None:
    """A shard's sums are in the store afterwards, or it is told why not."""
    name = settings.name_of(shard)
    try:
        if name not in store:
            store.write(name, sum_shard(shard, settings, seen).to_bytes())
    except Stopped:
        return Fault(shard.name, "was not read to its end")
    except Exception as error:  # noqa: BLE001 - the task's boundary: nothing may end the run
        return Fault(shard.name, _why(error))
    return None


def _why(error: Exception) -> str:
    if isinstance(error, DemoError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"failed: {error.strerror}"
    return f"failed: {type(error).__name__}: {error}"[:200]


class Stopped(Exception):  # noqa: N818 - no error
    """Nobody waits for this shard any more."""


@dataclass(frozen=True)
class Pool:
    """The engine at home."""

    workers: int

    @property
    def waits(self) -> bool:
        """It has done all when it has ended."""
        return True

    def run(self, shards: Sequence[Shard], settings: Settings, store: Store) -> Iterator[Event]:
        """Works on the shards in this order, as many at a time as there are workers."""
        left, struck, breaks = deque(shards), Counter[str](), 0
        context = _context()
        tally = _Tally(context)
        while left and breaks < BREAKS:
            breaks += 1
            running: dict[Future[Fault | None], Shard] = {}
            pool = _pool(context, self.workers, settings, store, tally)
            try:
                for shard, fault in _through(pool, left, running, 2 * self.workers):
                    breaks = 0 if shard else breaks
                    yield tally.event(shard, fault)
            except BrokenProcessPool:
                # The first of them were being worked on when it broke.
                held = list(running.values())
                struck.update(shard.identity for shard in held[: self.workers])
                for shard in reversed(held):
                    if struck[shard.identity] < STRIKES:
                        left.appendleft(shard)
                    else:
                        fault = Fault(shard.name, f"ended its worker {STRIKES} times")
                        yield tally.event(shard, fault)
            finally:
                tally.stop.value = 1
                pool.shutdown(cancel_futures=True)
                tally.stop.value = 0
        for shard in left:
            yield tally.event(shard, Fault(shard.name, "found no worker that lived"))


def _through(
    pool: ProcessPoolExecutor,
    left: deque[Shard],
    running: dict[Future[Fault | None], Shard],
    most: int,
) -> Iterator[tuple[Shard | None, Fault | None]]:
    """Hands out what is left; BrokenProcessPool, with what was handed out in `running`."""
    while left or running:
        while left and len(running) < most:
            future = pool.submit(_work, left[0])
            running[future] = left.popleft()
        done, _ = wait(running, TICK, FIRST_COMPLETED)
        for future in [future for future in running if future in done]:
            fault = future.result()
            yield running.pop(future), fault
        if not done:
            yield None, None


class _Tally:
    """What the workers have read, and whether to stop: shared memory."""

    def __init__(self, context: BaseContext) -> None:
        self.pictures: Any = context.Value("q", 0)
        self.pixels: Any = context.Value("q", 0)
        self.stop: Any = context.Value("b", 0)

    def event(self, shard: Shard | None, fault: Fault | None) -> Event:
        return Event(shard, fault, self.pictures.value, self.pixels.value)

    def seen(self, pixels: int) -> None:
        if self.stop.value:
            raise Stopped
        for counter, more in ((self.pictures, 1), (self.pixels, pixels)):
            with counter.get_lock():
                counter.value += more


def _context() -> BaseContext:
    """Processes that start from a clean one: a fork of threads that hold locks may hang. It imports
    once what all of them need; torch is half of that."""
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__, "torch"])
    return context


def _pool(
    context: BaseContext, workers: int, settings: Settings, store: Store, tally: _Tally
) -> ProcessPoolExecutor:
    """The pool, with its first process begun while the number of threads is in the environment."""
    before = {name: os.environ.get(name) for name in THREADS}
    os.environ.update(dict.fromkeys(THREADS, "1"))
    try:
        pool = ProcessPoolExecutor(workers, context, _begin, (settings, store, tally))
        pool.submit(os.getpid)  # a BrokenProcessPool shows when it is waited for
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
    return pool


@dataclass
class _Here:
    """What a worker was begun with."""

    settings: Settings
    store: Store
    tally: _Tally


_here: list[_Here] = []


def _begin(settings: Settings, store: Store, tally: _Tally) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's, which then tells us
    alone()
    _here[:] = [_Here(settings, store, tally)]
    threading.Thread(target=_end_with_parent, daemon=True).start()


def alone() -> None:
    """Has this process compute in one thread."""
    cv2.setNumThreads(1)
    torch.set_num_threads(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(shard: Shard) -> Fault | None:
    here = _here[0]
    return work(shard, here.settings, here.store, here.tally.seen)
