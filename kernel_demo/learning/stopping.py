"""When training ends before its last step, and why: a code, and its sentence made here alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum

from kernel_demo.learning.certificate import NEAR
from kernel_demo.learning.solution import Solution

IMPROVEMENT = 0.01  # a fall of the validation loss by less than this share counts as none
DIVERGED = 1e6  # a loss this many times the first one will not come back
FLOOR_STEPS = 5  # at the floor, so many steps without a fall suffice ...
FAR_BELOW = 0.001  # ... and none at this share of it, where few weights round less


class Cause(Enum):
    """Why a run stopped; its value is the sentence, with a place for what it names."""

    STEPS = "All {0} steps are done."
    TIME = "The time is up: {0:g} seconds."
    DIVERGED = "Learning diverged: the loss grew without bound. Lower the learning rate."
    FLOOR = "Nothing left to learn: the loss is at the floor of 32-bit arithmetic."
    OPTIMUM = (
        f"Nothing left to learn: the kernel is within {NEAR} standard errors of the best these "
        "pictures allow."
    )
    PATIENCE = "The validation loss has not fallen for {0} steps."
    SOLVED = "One solve gave the best kernel that these pictures allow."
    SINGULAR = "{0.cause} {0.remedy}"
    VISITOR = "Stopped by you."


COMPLETE = frozenset({Cause.FLOOR, Cause.OPTIMUM})


@dataclass(frozen=True)
class Stop:
    """The end of a run. `str()` is its sentence."""

    cause: Cause
    named: float | Solution | None = None  # steps, seconds, or the solution that is not unique

    @property
    def complete(self) -> bool:
        """Whether nothing is left to learn."""
        return self.cause in COMPLETE

    def __str__(self) -> str:
        return self.cause.value.format(self.named)


@dataclass
class Watch:
    """Follows the validation loss from check to check. Its fields are all it remembers."""

    first: float = math.inf
    best: float = math.inf
    best_step: int = 0

    def check(self, step: int, loss: float, floor: float, patience: int) -> Stop | None:
        """Why to stop at this step; None: go on.

        floor: the squared error that float32 leaves of an exact kernel.
        """
        if self.first == math.inf:
            self.first = loss
        if not math.isfinite(loss) or loss > DIVERGED * self.first:
            return Stop(Cause.DIVERGED)
        if loss < self.best * (1 - IMPROVEMENT):
            self.best, self.best_step = loss, step
        waited = step - self.best_step
        if loss <= FAR_BELOW * floor or (loss <= floor and waited >= FLOOR_STEPS):
            return Stop(Cause.FLOOR)
        return Stop(Cause.PATIENCE, waited) if waited >= patience else None
