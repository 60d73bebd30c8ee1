"""What one visitor is doing: the experiment, how far it has come, and the pictures that it shows.

The records are frozen: an event gets one, and returns the next. They hold plain values and small
arrays only, never pictures, so that a visitor who leaves costs nothing.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.operators import degrade
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.statistics import Statistics, accumulate, trusted
from kernel_demo.learning.training import Cause, Progress, Stop, TrainSettings
from kernel_demo.ui.components.history import History
from kernel_demo.ui.pictures import PictureChoice, gather, grey

Settings = TrainSettings | ExactSettings | None  # None: the closed form


@dataclass(frozen=True)
class Damage:
    """What happens to the after pictures on their way to the learner."""

    noise: float = 0.0  # standard deviation of Gaussian noise, grey levels
    eight_bit: bool = False  # rounded and clipped, as files are


@dataclass(frozen=True)
class Experiment:
    """All that decides what is learned, and how."""

    choice: PictureChoice
    weights: tuple[tuple[float, ...], ...]  # the true kernel, k rows of k
    damage: Damage
    settings: Settings

    @property
    def truth(self) -> np.ndarray:
        """(k, k) float64, the true kernel."""
        return np.array(self.weights)

    @property
    def taught(self) -> tuple[PictureChoice, tuple, Damage]:
        """All that decides what the learner is shown."""
        return self.choice, self.weights, self.damage


@dataclass(frozen=True, eq=False)
class Session:
    """One visitor's run, from the click on Learn to its result."""

    number: int = 0  # counts the runs of this visitor: the live view tells them apart by it
    experiment: Experiment | None = None
    progress: Progress | None = None  # the last one; enough to resume
    history: History = History()  # the curves up to `progress`, and no further
    patch: np.ndarray | None = None  # H x W uint8, the piece of a picture shown while learning
    running: bool = False  # or asked for

    @property
    def kernel(self) -> np.ndarray | None:
        """(k, k) as learned so far; None before learning, and after learning diverged."""
        progress = self.progress
        if progress is None or (progress.stop and progress.stop.cause is Cause.DIVERGED):
            return None
        return progress.kernel if np.isfinite(progress.kernel).all() else None

    @property
    def place(self) -> tuple[int, int] | None:
        """Which run it is, and its step; None before the first one."""
        return None if self.progress is None else (self.number, self.progress.step)

    @property
    def unfinished(self) -> bool:
        """Whether there is a run to go on with."""
        return self.progress is not None and not self.progress.done

    @property
    def paused(self) -> bool:
        """Whether such a run stands still."""
        return self.unfinished and not self.running

    def stopped(self) -> "Session":
        """The same run, ended here by the visitor."""
        if not self.unfinished:
            return replace(self, running=False)
        ended = replace(self.progress, stop=Stop(Cause.VISITOR))
        return replace(self, progress=ended, running=False)


@dataclass(frozen=True, eq=False)
class Shown:
    """What the result, and what can be taken along, were made from."""

    session: Session
    edges: str


@dataclass(frozen=True, eq=False)
class Lesson:
    """What the learner is shown; all arrays are read-only."""

    # Before and after the true kernel, H x W float32 each, and a mask: False where an after pixel
    # is not to be trusted; None: all are.
    pairs: tuple[tuple[np.ndarray, np.ndarray, np.ndarray | None], ...]
    note: str = ""  # what should be said of the pictures; one line

    def __post_init__(self) -> None:
        for array in (array for pair in self.pairs for array in pair if array is not None):
            array.setflags(write=False)  # one lesson serves all visitors who choose it

    def sums(self, size: int) -> tuple[Statistics, tuple[str, ...]]:
        """The exact sums for a kernel of that size, and what must be said of them."""
        statistics, problems = accumulate(self.pairs, size)
        return statistics, (*filter(None, [self.note]), *problems)


def prepare(experiment: Experiment) -> Lesson:
    """Load the pictures, filter them by the true kernel, and damage the results as asked.

    Raises DemoError where there is no picture to be had.
    """
    # The bundled photos are the same for everybody, and small; others' pictures are not kept.
    bundled = experiment.choice.source == "bundled"
    return (_prepare_bundled if bundled else _prepare)(*experiment.taught)


def _prepare(choice: PictureChoice, weights: tuple, damage: Damage) -> Lesson:
    truth = np.array(weights)
    gathered = gather(choice)
    befores = grey(gathered.photos, choice.channel)
    afters = [correlate(before, truth) for before in befores]
    masks = [None] * len(afters)
    if damage.noise or damage.eight_bit:
        damaged = [
            degrade(after, damage.noise, damage.eight_bit, seed)
            for seed, after in enumerate(afters)
        ]
        afters, masks = (list(part) for part in zip(*damaged, strict=True))
    if damage.eight_bit:
        masks = trusted(befores, afters, masks, len(truth))
    return Lesson(tuple(zip(befores, afters, masks, strict=True)), gathered.note)


_prepare_bundled = lru_cache(maxsize=4)(_prepare)
