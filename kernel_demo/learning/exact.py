"""Learning on the exact gradient: after one pass over the pictures a step costs microseconds.

The squared loss as a quadratic of the weights, four ways down it, and the solve that needs none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from kernel_demo.errors import DemoError, finite, one_of, whole
from kernel_demo.learning import devices
from kernel_demo.learning.certificate import Optimum
from kernel_demo.learning.choices import INITS, MOMENTUM, default_rate
from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.learning.model import layers
from kernel_demo.learning.statistics import Pair, Solution, Statistics, accumulate
from kernel_demo.learning.training import (
    DIVERGED,
    MAX_RATE,
    MAX_SEED,
    MIN_RATE,
    Cause,
    Progress,
    Run,
    Stop,
)

Model: TypeAlias = tuple[np.ndarray, float]  # kernel (k, k), offset
MAX_STEPS = 10_000_000
SHARE, GAP = 20, 500  # a Progress every step at first, then 5 % apart, at most 500 steps
BETA_1, BETA_2, EPSILON = 0.9, 0.999, 1e-8  # Adam's, as in the paper
DAMPING = 1e-6  # of K-FAC, relative to the mean diagonal entry of X'X
MEMORY = 10  # pairs that L-BFGS remembers


class Quadratic:
    """Mean squared error as v'Hv / 2 - c'v + constant; v holds the kernel, then the offset.

    Pictures are taken in 0..1 whatever their own units, as in mini-batch training: learning rates
    mean the same there and here.
    """

    def __init__(self, statistics: Statistics, offset: bool) -> None:
        peak, count = statistics.peak or 1.0, max(statistics.count, 1)
        self.size, self.has_offset, self.peak = statistics.size, offset, peak
        hessian, linear = statistics.gram / peak**2, statistics.cross / peak**2
        if offset:
            column = statistics.patch_sum[:, None] / peak
            hessian = np.block([[hessian, column], [column.T, np.full((1, 1), count)]])
            linear = np.append(linear, statistics.after_sum / peak)
        self.hessian, self.linear = 2 / count * hessian, 2 / count * linear

    def gradient(self, point: np.ndarray) -> np.ndarray:
        return self.hessian @ point - self.linear

    def point(self, kernel: np.ndarray, offset: float) -> np.ndarray:
        """v of a kernel and an offset in the pictures' units."""
        tail = [offset / self.peak] if self.has_offset else []
        return np.append(np.asarray(kernel, np.float64).ravel(), tail)

    def kernel(self, point: np.ndarray) -> Model:
        """Kernel (a copy) and offset of v."""
        kernel = point[: self.size**2].reshape(self.size, self.size).copy()
        return kernel, float(point[-1] * self.peak) if self.has_offset else 0.0


class Descent:
    """A way down a quadratic: called with a point, it answers with the next one."""

    remembers: tuple[str, ...] = ()  # the attributes that the next step depends on

    def __init__(self, quadratic: Quadratic, rate: float | None) -> None:
        """rate: None for the way's own."""
        raise NotImplementedError

    def __call__(self, point: np.ndarray) -> np.ndarray:
        raise NotImplementedError

    def state(self) -> dict[str, Any]:
        return {name: deepcopy(getattr(self, name)) for name in self.remembers}

    def restore(self, state: dict[str, Any]) -> None:
        for name in self.remembers:
            setattr(self, name, deepcopy(state[name]))


class SGD(Descent):
    """Heavy ball: m <- 0.9 m + g, v <- v - lr m (Polyak 1964), as torch.optim.SGD has it."""

    remembers = ("momentum",)

    def __init__(self, quadratic: Quadratic, rate: float | None) -> None:
        self.quadratic = quadratic
        self.rate = rate or default_rate("sgd", quadratic.size)
        self.momentum = np.zeros(len(quadratic.linear))

    def __call__(self, point: np.ndarray) -> np.ndarray:
        self.momentum = MOMENTUM * self.momentum + self.quadratic.gradient(point)
        return point - self.rate * self.momentum


class Adam(Descent):
    """Kingma & Ba 2015, algorithm 1, with the bias correction in the step length (section 2)."""

    remembers = ("mean", "square", "steps")

    def __init__(self, quadratic: Quadratic, rate: float | None) -> None:
        self.quadratic = quadratic
        self.rate = rate or default_rate("adam", quadratic.size)
        self.mean, self.square = np.zeros((2, len(quadratic.linear)))
        self.steps = 0

    def __call__(self, point: np.ndarray) -> np.ndarray:
        gradient = self.quadratic.gradient(point)
        self.steps += 1
        self.mean = BETA_1 * self.mean + (1 - BETA_1) * gradient
        self.square = BETA_2 * self.square + (1 - BETA_2) * gradient * gradient
        correction = np.sqrt(1 - BETA_2**self.steps)
        length = self.rate * correction / (1 - BETA_1**self.steps)
        return point - length * self.mean / (np.sqrt(self.square) + EPSILON * correction)


class KFAC(Descent):
    """v <- v - lr (H + damping I)^-1 g: the damped Newton step (Grosse & Martens 2016).

    The same as `model.KFAC` once its running covariance is the one of all patches.
    """

    def __init__(self, quadratic: Quadratic, rate: float | None) -> None:
        self.quadratic = quadratic
        hessian, n = quadratic.hessian, len(quadratic.linear)
        damped = hessian + DAMPING * np.trace(hessian) / 2 / n * np.eye(n)
        # The pseudo-inverse: pictures that are black all over have a Hessian of zeros.
        inverse = np.linalg.pinv(damped, hermitian=True)
        self.step = (rate or default_rate("kfac", quadratic.size)) * inverse

    def __call__(self, point: np.ndarray) -> np.ndarray:
        return point - self.step @ self.quadratic.gradient(point)


class LBFGS(Descent):
    """Nocedal & Wright, "Numerical Optimization", algorithm 7.4, with the exact line search.

    Along p a quadratic is least at t = -g'p / p'Hp. It needs no learning rate.
    """

    remembers = ("pairs",)

    def __init__(self, quadratic: Quadratic, rate: float | None) -> None:
        self.quadratic = quadratic
        # (s, y, 1 / y's): step, change of gradient; the latest ones
        self.pairs: list[tuple[np.ndarray, np.ndarray, float]] = []

    def __call__(self, point: np.ndarray) -> np.ndarray:
        gradient = self.quadratic.gradient(point)
        direction = -self._times_inverse(gradient)
        change = self.quadratic.hessian @ direction
        curvature = direction @ change
        if not curvature > 0:  # at the optimum, or in directions that the pictures never excite
            return point
        length = -(gradient @ direction) / curvature
        step, change = length * direction, length * change
        overlap = step @ change
        if overlap > 0:
            self.pairs = [*self.pairs, (step, change, float(1 / overlap))][-MEMORY:]
        return point + step

    def _times_inverse(self, gradient: np.ndarray) -> np.ndarray:
        """The two-loop recursion: the remembered inverse Hessian times the gradient."""
        result, shares = gradient.copy(), []
        for s, y, rho in reversed(self.pairs):
            shares.append(rho * (s @ result))
            result -= shares[-1] * y
        if self.pairs:
            _, y, rho = self.pairs[-1]
            result /= rho * (y @ y)
        for (s, y, rho), share in zip(self.pairs, reversed(shares), strict=True):
            result += (share - rho * (y @ result)) * s
        return result


OPTIMIZERS: dict[str, type[Descent]] = {"kfac": KFAC, "adam": Adam, "sgd": SGD, "lbfgs": LBFGS}


@dataclass(frozen=True)
class ExactSettings:
    """One run on the exact gradient. DemoError where a value is out of its bounds."""

    optimizer: str = "kfac"  # one of OPTIMIZERS
    learning_rate: float | None = None  # None: the optimizer's own; L-BFGS needs none
    steps: int = 10_000
    init: str = "normal"  # one of model.INITS: the start is SingleConv's of the same seed
    seed: int = 0
    offset: bool = False  # also learn an offset; it starts at 0

    def __post_init__(self) -> None:
        one_of("an optimizer", self.optimizer, OPTIMIZERS)
        one_of("an initialisation", self.init, INITS)
        object.__setattr__(self, "steps", whole("steps", self.steps, 1, MAX_STEPS))
        object.__setattr__(self, "seed", whole("seed", self.seed, 0, MAX_SEED))
        if self.learning_rate is not None:
            rate = finite("learning rate", self.learning_rate, MIN_RATE, MAX_RATE)
            object.__setattr__(self, "learning_rate", rate)


def train_exact(
    statistics: Statistics,
    settings: ExactSettings | None = None,
    truth: np.ndarray | None = None,
    *,
    resume: Progress | None = None,
    deadline: float | None = None,
    spent: float = 0.0,
    report: Callable[[int], bool] | None = None,
) -> Run:
    """Full-batch training by the sums alone; yields step 0 at once, then as `next_shown` says.

    It stops when nothing is left to learn, after the last step, when it diverges, or `deadline`
    seconds after it began. Nothing is held out: `validation_loss` is the loss over all pixels, in
    the pictures' units. truth: (k, k) for kernel_error. resume: a Progress of the same settings;
    going on from it gives the same weights as never having stopped. spent: seconds that the sums
    took, to be counted. report: says at which steps there is to be a Progress too; it changes no
    weight, and no end. DemoError: sums of no pixel, or a Progress of another optimizer or size.
    """
    settings = settings or ExactSettings()
    _check_pixels(statistics)
    if resume is not None and resume.state["method"] != settings.optimizer:
        received = f"{settings.optimizer} after {resume.state['method']}"
        raise DemoError("the optimizer that was paused", received, "Start learning anew.")
    if resume is not None and len(resume.state["point"]) != statistics.size**2 + settings.offset:
        raise DemoError("the kernel that was paused", "another size", "Start learning anew.")
    return _train(statistics, settings, truth, resume, deadline, spent, report)


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
        solution,
        step=1,
        steps=1,
        seconds=spent + time.perf_counter() - began,
        stop=Stop(Cause.SINGULAR, solution) if solution.singular else Stop(Cause.SOLVED),
        state={"method": "closed_form"},
    )


def learn_by_sums(
    pictures: Iterable[Pair],
    truth: np.ndarray,
    settings: ExactSettings | None,
    *,
    resume: Progress | None = None,
    deadline: float | None = None,
    offset: bool = False,
) -> Run:
    """train_exact() from pictures on (accumulate() says how); settings None: the closed form.

    offset: of the closed form, whether it has one; other settings say so themselves.
    """
    began = time.perf_counter()
    statistics, _ = accumulate(pictures, len(truth))
    spent = time.perf_counter() - began
    if settings is None:
        yield closed_form(statistics, truth, offset=offset, spent=spent)
    else:
        yield from train_exact(
            statistics, settings, truth, resume=resume, deadline=deadline, spent=spent
        )


def next_shown(step: int) -> int:
    """The step of the Progress after that of `step`: steps alone decide, never a clock."""
    return step + min(max(1, step // SHARE), GAP)


def _train(
    statistics: Statistics,
    settings: ExactSettings,
    truth: np.ndarray | None,
    resume: Progress | None,
    deadline: float | None,
    spent: float,
    report: Callable[[int], bool] | None,
) -> Run:
    began = since = time.perf_counter()
    optimum = Optimum(statistics, settings.offset)
    quadratic = Quadratic(statistics, settings.offset)
    start = layers.SingleConv(statistics.size, settings.init, settings.seed)
    update = OPTIMIZERS[settings.optimizer](quadratic, settings.learning_rate)
    point, step = quadratic.point(start.kernel(), 0.0), 0
    if resume is not None:
        point, step, spent = resume.state["point"].copy(), resume.step, resume.seconds
        update.restore(resume.state)
    due = 0  # the step at which the end is looked for, whatever is reported
    while due < step:
        due = next_shown(due)
    while True:
        model = quadratic.kernel(point)
        excess = optimum.excess(*model)
        loss = optimum.solution.residual**2 + excess
        stop = _stop(statistics, optimum, model, loss) if step >= min(due, settings.steps) else None
        if step >= settings.steps:
            stop = stop or Stop(Cause.STEPS, step)
        if deadline is not None and time.perf_counter() - began >= deadline:
            stop = stop or Stop(Cause.TIME, deadline)
        spent += time.perf_counter() - since
        state = {"method": settings.optimizer, "point": point.copy(), **update.state()}
        figures = {"step": step, "steps": settings.steps, "seconds": spent, "stop": stop}
        yield _progress(model, (loss, excess), truth, optimum.solution, state=state, **figures)
        if stop:
            return
        since = time.perf_counter()
        due = next_shown(step) if step == due else due
        told = _next_told(step, min(due, settings.steps), report)
        for _ in range(told - step):
            point = update(point)
        step = told


def _next_told(step: int, due: int, report: Callable[[int], bool] | None) -> int:
    """The first step after `step` that is reported; `due` where none is before it."""
    if report is None:
        return due
    return next((between for between in range(step + 1, due) if report(between)), due)


def _stop(statistics: Statistics, optimum: Optimum, model: Model, loss: float) -> Stop | None:
    """Why to stop here; None: go on."""
    # trace / count bounds the loss that a kernel with weights of about 1 / k can start from.
    if not loss <= DIVERGED * np.trace(statistics.gram) / statistics.count:
        return Stop(Cause.DIVERGED)
    return Stop(Cause.OPTIMUM) if optimum.reached(*model) else None


def _progress(
    model: Model,
    losses: tuple[float, float],
    truth: np.ndarray | None,
    best: Solution,
    **figures: Any,
) -> Progress:
    (kernel, offset), (loss, excess) = model, losses
    return Progress(
        loss=loss,
        validation_loss=loss,
        kernel=kernel,
        offset=offset,
        kernel_error=None if truth is None else kernel_error(kernel, truth),
        excess_loss=excess,
        allowed=float(best.standard_error.max()),
        device=devices.name("cpu"),
        **figures,
    )


def _check_pixels(statistics: Statistics) -> None:
    if not statistics.count:
        raise DemoError("pictures to learn from", "sums of no pixel", "Add a picture pair.")
