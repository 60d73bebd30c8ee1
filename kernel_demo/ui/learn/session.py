"""What one visitor is doing: the experiment that was set up, and how far it has come.

Both records are frozen: an event gets one, and returns the next. They hold plain values and small
arrays only, never pictures, so that a visitor who leaves costs nothing.
"""

from dataclasses import dataclass, replace

import numpy as np

from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.training import Cause, Progress, Stop, TrainSettings
from kernel_demo.ui.components.history import History
from kernel_demo.ui.pictures import PictureChoice

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


@dataclass(frozen=True, eq=False)
class Session:
    """One visitor's run, from the click on Learn to its result."""

    number: int = 0  # counts the runs of this visitor: the live view tells them apart by it
    experiment: Experiment | None = None
    progress: Progress | None = None  # the last one; enough to resume
    history: History = History()  # the curves up to `progress`, and no further
    patch: np.ndarray | None = None  # H x W uint8, the piece of a picture shown while learning
    running: bool = False

    @property
    def kernel(self) -> np.ndarray | None:
        """(k, k) as learned so far; None before learning, and after learning diverged."""
        progress = self.progress
        if progress is None or (progress.stop and progress.stop.cause is Cause.DIVERGED):
            return None
        return progress.kernel if np.isfinite(progress.kernel).all() else None

    @property
    def paused(self) -> bool:
        """Whether there is a run to go on with."""
        return self.progress is not None and not self.progress.done and not self.running

    def stopped(self) -> "Session":
        """The same run, ended here by the visitor."""
        if self.progress is None or self.progress.done:
            return replace(self, running=False)
        ended = replace(self.progress, stop=Stop(Cause.VISITOR))
        return replace(self, progress=ended, running=False)
