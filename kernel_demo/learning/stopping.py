"""When training ends before its last step, and why."""

import math
from dataclasses import dataclass

IMPROVEMENT = 0.01  # a fall of the validation loss by less than this share counts as none
DIVERGED = 1e6  # a loss this many times the first one will not come back
LOST = "Learning diverged: the loss grew without bound. Lower the learning rate."
FLOOR_STEPS = 5  # at the floor, so many steps without a fall suffice ...
FAR_BELOW = 0.001  # ... and none at this share of it, where few weights round less


@dataclass
class Watch:
    """Follows the validation loss from check to check. Its fields are all it remembers."""

    first: float = math.inf
    best: float = math.inf
    best_step: int = 0

    def check(self, step: int, loss: float, floor: float, patience: int) -> str:
        """Why to stop at this step, in a sentence; empty: go on.

        floor: the squared error that float32 leaves of an exact kernel.
        """
        if self.first == math.inf:
            self.first = loss
        if not math.isfinite(loss) or loss > DIVERGED * self.first:
            return LOST
        if loss < self.best * (1 - IMPROVEMENT):
            self.best, self.best_step = loss, step
        waited = step - self.best_step
        if loss <= FAR_BELOW * floor or (loss <= floor and waited >= FLOOR_STEPS):
            return "Nothing left to learn: the loss is at the floor of 32-bit arithmetic."
        if waited >= patience:
            return f"The validation loss has not fallen for {waited} steps."
        return ""
