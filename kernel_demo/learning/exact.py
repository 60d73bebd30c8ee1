"""Learning on the exact gradient: after one pass over the pictures a step costs microseconds."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.learning import devices
from kernel_demo.learning.certificate import Optimum
from kernel_demo.learning.descent import OPTIMIZERS, Quadratic
from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.learning.model import INITS, SingleConv
from kernel_demo.learning.settings import MAX_RATE, MAX_SEED, whole
from kernel_demo.learning.statistics import Statistics
from kernel_demo.learning.stopping import DIVERGED, Cause, Stop
from kernel_demo.learning.training import Progress

MAX_STEPS = 10_000_000
MIN_RATE = 1e-12
SHARE, GAP = 20, 500  # a Progress every step at first, then 5 % apart, at most 500 steps


@dataclass(frozen=True)
class ExactSettings:
    """One run on the exact gradient. DemoError where a value is out of its bounds."""

    optimizer: str = "kfac"  # one of descent.OPTIMIZERS
    learning_rate: float | None = None  # None: the optimizer's own; L-BFGS needs none
    steps: int = 10_000
    init: str = "normal"  # one of model.INITS: the start is SingleConv's of the same seed
    seed: int = 0
    offset: bool = False  # also learn an offset; it starts at 0

    def __post_init__(self) -> None:
        for name, choices in (("optimizer", tuple(OPTIMIZERS)), ("init", INITS)):
            if getattr(self, name) not in choices:
                expected = f"{name} to be one of {', '.join(choices)}"
                raise DemoError(expected, repr(getattr(self, name)), f"Choose {choices[0]}.")
        object.__setattr__(self, "steps", whole("steps", self.steps, 1, MAX_STEPS))
        object.__setattr__(self, "seed", whole("seed", self.seed, 0, MAX_SEED))
        rate = self.learning_rate
        if rate is None:
            return
        number = not isinstance(rate, bool) and isinstance(rate, Real)
        if not number or not MIN_RATE <= rate <= MAX_RATE:
            expected = f"learning rate to be a number from {MIN_RATE:g} to {MAX_RATE:g}"
            raise DemoError(expected, repr(rate), "Choose a number in that range.")
        object.__setattr__(self, "learning_rate", float(rate))


def train_exact(
    statistics: Statistics,
    settings: ExactSettings | None = None,
    truth: np.ndarray | None = None,
    *,
    resume: Progress | None = None,
    deadline: float | None = None,
    spent: float = 0.0,
) -> Iterator[Progress]:
    """Full-batch training by the sums alone; yields step 0 at once, then as `next_shown` says.

    It stops when nothing is left to learn, after the last step, when it diverges, or `deadline`
    seconds after it began. Nothing is held out: `validation_loss` is the loss over all pixels, in
    the pictures' units. truth: (k, k) for kernel_error. resume: a Progress of the same settings;
    going on from it gives the same weights as never having stopped. spent: seconds that the sums
    took, to be counted. DemoError: sums of no pixel, or a Progress of another optimizer or size.
    """
    settings = settings or ExactSettings()
    _check_pixels(statistics)
    if resume is not None and resume.state["method"] != settings.optimizer:
        received = f"{settings.optimizer} after {resume.state['method']}"
        raise DemoError("the optimizer that was paused", received, "Start learning anew.")
    if resume is not None and len(resume.state["point"]) != statistics.size**2 + settings.offset:
        raise DemoError("the kernel that was paused", "another size", "Start learning anew.")
    return _train(statistics, settings, truth, resume, deadline, spent)


def closed_form(
    statistics: Statistics,
    truth: np.ndarray | None = None,
    *,
    offset: bool = False,
    spent: float = 0.0,
) -> Progress:
    """The best kernel by one solve, as the Progress of a run of one step.

    spent: seconds that the sums took, to be counted. DemoError: sums of no pixel.
    """
    _check_pixels(statistics)
    began = time.perf_counter()
    solution = statistics.solve(offset)
    return _progress(
        (solution.kernel, solution.offset),
        (solution.residual**2, 0.0),
        truth,
        step=1,
        steps=1,
        seconds=spent + time.perf_counter() - began,
        stop=Stop(Cause.SINGULAR, solution) if solution.singular else Stop(Cause.SOLVED),
        state={"method": "closed_form"},
    )


def next_shown(step: int) -> int:
    """The step of the Progress after that of `step`: steps alone decide, never a clock."""
    return step + min(max(1, step // SHARE), GAP)


def _train(statistics, settings, truth, resume, deadline, spent) -> Iterator[Progress]:
    began = since = time.perf_counter()
    optimum = Optimum(statistics, settings.offset)
    quadratic = Quadratic(statistics, settings.offset)
    update = OPTIMIZERS[settings.optimizer](quadratic, settings.learning_rate)
    point, step = quadratic.point(_start(statistics.size, settings), 0.0), 0
    if resume is not None:
        point, step, spent = resume.state["point"].copy(), resume.step, resume.seconds
        update.restore(resume.state)
    while True:
        model = quadratic.kernel(point)
        excess = optimum.excess(*model)
        loss = optimum.solution.residual**2 + excess
        stop = _stop(statistics, optimum, model, loss)
        if step >= settings.steps:
            stop = stop or Stop(Cause.STEPS, step)
        if deadline is not None and time.perf_counter() - began >= deadline:
            stop = stop or Stop(Cause.TIME, deadline)
        spent += time.perf_counter() - since
        yield _progress(
            model,
            (loss, excess),
            truth,
            step=step,
            steps=settings.steps,
            seconds=spent,
            stop=stop,
            state={"method": settings.optimizer, "point": point.copy(), **update.state()},
        )
        if stop:
            return
        since = time.perf_counter()
        for _ in range(min(next_shown(step), settings.steps) - step):
            point = update(point)
            step += 1


def _start(size: int, settings: ExactSettings) -> np.ndarray:
    return SingleConv(size, settings.init, settings.seed).kernel()


def _stop(statistics: Statistics, optimum: Optimum, model: tuple, loss: float) -> Stop | None:
    """Why to stop here; None: go on."""
    # trace / count bounds the loss that a kernel with weights of about 1 / k can start from.
    if not loss <= DIVERGED * np.trace(statistics.gram) / statistics.count:
        return Stop(Cause.DIVERGED)
    return Stop(Cause.OPTIMUM) if optimum.reached(*model) else None


def _progress(model: tuple, losses: tuple, truth: np.ndarray | None, **figures) -> Progress:
    (kernel, offset), (loss, excess) = model, losses
    return Progress(
        loss=loss,
        validation_loss=loss,
        kernel=kernel,
        offset=offset,
        kernel_error=None if truth is None else kernel_error(kernel, truth),
        excess_loss=excess,
        device=devices.name("cpu"),
        **figures,
    )


def _check_pixels(statistics: Statistics) -> None:
    if not statistics.count:
        raise DemoError("pictures to learn from", "sums of no pixel", "Add a picture pair.")
