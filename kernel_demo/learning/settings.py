"""What a training run can be told, and the bounds of it."""

import math
from dataclasses import dataclass
from numbers import Real

from kernel_demo.errors import DemoError
from kernel_demo.learning.devices import CHOICES
from kernel_demo.learning.model import INITS
from kernel_demo.learning.optimizers import METHODS
from kernel_demo.learning.pairs import MAX_TILE, MIN_TILE

# Steps between checks: one of K-FAC's is worth a check, of the others' many make a difference.
CHECK_EVERY = {"kfac": 1, "adam": 25, "sgd": 25}
MAX_STEPS = 100_000
MAX_BATCH = 1024
MAX_ACCUMULATION = 64
MAX_BATCH_PIXELS = 2**24  # batch x tile^2: what one forward pass holds in memory
MAX_RATE = 100.0
MAX_SEED = 2**32 - 1


@dataclass(frozen=True)
class TrainSettings:
    """One training run. DemoError where a value is of the wrong kind or out of its bounds."""

    method: str = "kfac"  # one of METHODS
    learning_rate: float | None = None  # None: the method's own, see optimizers.default_rate()
    batch: int = 32  # tiles a forward pass
    accumulation: int = 1  # forward passes a step
    steps: int = 200
    tile: int = 64  # valid pixels a side, for pairs.build()
    init: str = "normal"  # one of model.INITS, for SingleConv()
    seed: int = 0  # of the order of the batches
    patience: int = 200  # steps without a lower validation loss until it stops
    mixed_precision: bool = False  # bfloat16 on a GPU that has it
    device: str = "auto"  # one of devices.CHOICES
    check_every: int | None = None  # steps from one check of the validation loss to the next

    def __post_init__(self) -> None:
        for name, choices in (("method", METHODS), ("init", INITS), ("device", CHOICES)):
            if getattr(self, name) not in choices:
                expected = f"{name} to be one of {', '.join(choices)}"
                raise DemoError(expected, repr(getattr(self, name)), f"Choose {choices[0]}.")
        self._whole("steps", 1, MAX_STEPS)
        self._whole("batch", 1, MAX_BATCH)
        self._whole("accumulation", 1, MAX_ACCUMULATION)
        self._whole("tile", MIN_TILE, MAX_TILE)
        self._whole("seed", 0, MAX_SEED)
        self._whole("patience", 1, MAX_STEPS)
        if self.check_every is not None:
            self._whole("check_every", 1, MAX_STEPS)
        self._check_rate()
        if self.batch * self.tile**2 > MAX_BATCH_PIXELS:
            raise DemoError(
                f"at most {MAX_BATCH_PIXELS:,} pixels a forward pass",
                f"{self.batch} tiles of {self.tile} x {self.tile}",
                "Choose a smaller batch and accumulate gradients instead.",
            )

    @property
    def check_steps(self) -> int:
        """Steps from one check to the next, the method's own where none is given."""
        return self.check_every or CHECK_EVERY[self.method]

    def _whole(self, name: str, lowest: int, highest: int) -> None:
        object.__setattr__(self, name, whole(name, getattr(self, name), lowest, highest))

    def _check_rate(self) -> None:
        rate = self.learning_rate
        if rate is None:
            return
        number = not isinstance(rate, bool) and isinstance(rate, Real)
        if not number or not math.isfinite(rate) or not 0 < rate <= MAX_RATE:
            expected = f"a learning rate above 0, at most {MAX_RATE:g}"
            raise DemoError(expected, repr(rate), "Leave it empty for the method's own.")


def whole(name: str, value: object, lowest: int, highest: int) -> int:
    """A whole number in bounds, or DemoError; 32.0 is one too, as JSON clients send it."""
    number = not isinstance(value, bool) and isinstance(value, Real)
    if not number or value != value // 1 or not lowest <= value <= highest:
        words = name.replace("_", " ")
        expected = f"{words} to be a whole number from {lowest:,} to {highest:,}"
        raise DemoError(expected, repr(value), "Choose a number in that range.")
    return int(value)
