"""Several methods learn the same kernel from the same pictures and the same start, in turns."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kernel_demo.errors import one_of
from kernel_demo.learning.choices import METHODS, default_rate, quickest_sgd
from kernel_demo.learning.exact import OPTIMIZERS, ExactSettings, learn_by_sums
from kernel_demo.learning.model import layers
from kernel_demo.learning.pairs import Pairs
from kernel_demo.learning.statistics import Pair
from kernel_demo.learning.training import (
    MAX_STEPS,
    Cause,
    Progress,
    Run,
    Stop,
    TrainSettings,
    train,
)

GOALS = (1e-2, 1e-4, 1e-6)  # kernel errors
TURN = 0.1  # seconds that a method works until the next one's turn
EXACT = {f"exact_{name}": name for name in OPTIMIZERS}
RUNNERS = (*METHODS, *EXACT, "closed_form")


@dataclass(frozen=True)
class Arrival:
    """The first Progress of a method whose kernel error was at most the goal."""

    goal: float
    seconds: float
    step: int


@dataclass(frozen=True, eq=False)
class Lane:
    """One method so far; each array has one entry for every Progress."""

    name: str
    steps: np.ndarray  # int64
    seconds: np.ndarray  # float64, the method's own: others' turns do not count
    kernel_error: np.ndarray  # float64
    kernel: np.ndarray | None  # (k, k), the latest; None before the first turn
    arrivals: tuple[Arrival, ...]  # of the goals reached so far, in the order of the goals
    done: bool
    stop: Stop | None  # None: it still runs, or just ended

    @property
    def stopped_because(self) -> str:
        """A sentence; empty while running."""
        return str(self.stop or "")


@dataclass(frozen=True, eq=False)
class Snapshot:
    """The race after a turn."""

    lanes: tuple[Lane, ...]
    done: bool


def race(
    runners: Mapping[str, Run],
    *,
    limit: float | None = None,
    turn: float = TURN,
) -> Iterator[Snapshot]:
    """Gives each runner a turn after the other; yields after every turn, the last one included.

    runners: by name, for instance from `runners`; they must know the true kernel. limit: seconds
    of its own after which a runner is taken out. To stop is to stop iterating: that closes them.
    """
    records = [_Record(name, iterator) for name, iterator in runners.items()]
    try:
        while not all(record.done for record in records):
            for record in records:
                if record.done:
                    continue
                record.run(turn, limit)
                yield Snapshot(
                    tuple(each.lane() for each in records), all(each.done for each in records)
                )
    finally:
        for record in records:
            record.iterator.close()


def runners(
    names: Sequence[str],
    pairs: Pairs,
    pictures: Sequence[Pair],
    truth: np.ndarray,
    *,
    init: str = "normal",
    seed: int = 0,
    steps: int = MAX_STEPS,
    device: str = "auto",
) -> dict[str, Run]:
    """A runner for each name (of RUNNERS), all from one start, at the `rates` of a race.

    pairs and pictures are the same pictures, as tiles for mini-batches and as (before, after) or
    (before, after, mask) for the sums; each exact runner takes its sums in its own time.
    truth: (k, k). DemoError: an unknown name.
    """
    names = [one_of("a runner", name, RUNNERS) for name in names]
    truth = np.asarray(truth, np.float64)
    made: dict[str, Run] = {}
    own = rates(names, pairs, len(truth))
    for name in names:
        if name in METHODS:
            settings = TrainSettings(
                name, own.get(name), steps=steps, patience=steps, seed=seed, device=device
            )
            layer = layers.SingleConv(len(truth), init, seed)
            made[name] = train(layer, pairs, settings, truth=truth)
        else:
            exact = None
            if name in EXACT:
                exact = ExactSettings(EXACT[name], own.get(name), steps=steps, init=init, seed=seed)
            made[name] = learn_by_sums(pictures, truth, exact)
    return made


def rates(names: Sequence[str], pairs: Pairs, size: int) -> dict[str, float]:
    """The learning rates of those that race by one that was searched for: Adam and SGD."""
    brightness = float(pairs.before.square().mean())
    searched = {"adam": default_rate("adam", size), "sgd": quickest_sgd(size, brightness)}
    makes = {name: EXACT.get(name, name) for name in names}
    return {name: searched[maker] for name, maker in makes.items() if maker in searched}


@dataclass(eq=False)
class _Record:
    """A runner and all that it has shown."""

    name: str
    iterator: Run
    shown: list[tuple[int, float, float]] = field(default_factory=list)  # step, seconds, error
    arrivals: dict[float, Arrival] = field(default_factory=dict)
    latest: Progress | None = None
    done: bool = False
    stop: Stop | None = None

    def run(self, turn: float, limit: float | None) -> None:
        """Goes on for a turn; takes one step at least."""
        until = time.perf_counter() + turn
        for progress in self.iterator:
            self._keep(progress)
            late = limit is not None and progress.seconds >= limit
            self.done = progress.done or late
            self.stop = progress.stop or (Stop(Cause.TIME, limit) if late else None)
            if self.done or time.perf_counter() >= until:
                return
        self.done = True

    def _keep(self, progress: Progress) -> None:
        self.latest = progress
        error = math.nan if progress.kernel_error is None else progress.kernel_error
        self.shown.append((progress.step, progress.seconds, error))
        for goal in GOALS:
            if goal not in self.arrivals and error <= goal:
                self.arrivals[goal] = Arrival(goal, progress.seconds, progress.step)

    def lane(self) -> Lane:
        steps, seconds, errors = zip(*self.shown, strict=True) if self.shown else ((), (), ())
        return Lane(
            self.name,
            np.array(steps, np.int64),
            np.array(seconds),
            np.array(errors),
            None if self.latest is None else self.latest.kernel,
            tuple(self.arrivals[goal] for goal in GOALS if goal in self.arrivals),
            self.done,
            self.stop,
        )
