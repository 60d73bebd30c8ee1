"""Learning, told step by step: what a run is told, its steps, and why it stopped."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable, Generator
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from kernel_demo import records
from kernel_demo.errors import DemoError, finite, one_of, whole
from kernel_demo.learning import devices
from kernel_demo.learning.certificate import NEAR, Optimum
from kernel_demo.learning.choices import INITS, METHODS
from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.learning.late import torch
from kernel_demo.learning.model import check_model, kfac, layers, make
from kernel_demo.learning.pairs import MAX_TILE, MIN_TILE, Pairs
from kernel_demo.learning.statistics import Solution
from kernel_demo.numbers import figure

# Steps between checks: one of K-FAC's is worth a check, of the others' many make a difference.
CHECK_EVERY = {"kfac": 1, "adam": 25, "sgd": 25}
MAX_STEPS = 100_000
MAX_BATCH = 1024
MAX_ACCUMULATION = 64
MAX_BATCH_PIXELS = 2**24  # batch x tile^2: what one forward pass holds in memory
MIN_RATE, MAX_RATE = 1e-12, 100.0
MAX_SEED = 2**32 - 1
VALIDATION_TILES = 64  # of those held out, so many are looked at, always the same ones
REPORT_SECONDS = 0.04  # from one Progress to the next, where a step takes no longer
IMPROVEMENT = 0.01  # a fall of the validation loss by less than this share counts as none
DIVERGED = 1e6  # a loss this many times the first one will not come back
FLOOR_STEPS = 5  # at the floor, so many steps without a fall suffice ...
FAR_BELOW = 0.001  # ... and none at this share of it, where few weights round less


@dataclass(frozen=True)
class TrainSettings:
    """One training run. DemoError where a value is of the wrong kind or out of its bounds."""

    method: str = "kfac"  # one of METHODS
    learning_rate: float | None = None  # None: the method's own, see model.default_rate()
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
        one_of("a method", self.method, METHODS)
        one_of("an initialisation", self.init, INITS)
        one_of("a device", self.device, devices.CHOICES)
        self._set(whole, "steps", 1, MAX_STEPS)
        self._set(whole, "batch", 1, MAX_BATCH)
        self._set(whole, "accumulation", 1, MAX_ACCUMULATION)
        self._set(whole, "tile", MIN_TILE, MAX_TILE)
        self._set(whole, "seed", 0, MAX_SEED)
        self._set(whole, "patience", 1, MAX_STEPS)
        if self.check_every is not None:
            self._set(whole, "check_every", 1, MAX_STEPS)
        if self.learning_rate is not None:
            self._set(finite, "learning_rate", MIN_RATE, MAX_RATE)
        if self.batch * self.tile**2 > MAX_BATCH_PIXELS:
            raise DemoError(
                f"at most {MAX_BATCH_PIXELS / 1e6:.3g} million pixels a forward pass",
                f"{self.batch} tiles of {self.tile} × {self.tile}",
                "Choose a smaller batch and accumulate gradients instead.",
            )

    @property
    def check_steps(self) -> int:
        """Steps from one check to the next, the method's own where none is given."""
        return self.check_every or CHECK_EVERY[self.method]

    def _set(self, check: Callable[..., float], name: str, low: float, high: float) -> None:
        value = check(name.replace("_", " "), getattr(self, name), low, high)
        object.__setattr__(self, name, value)


class Cause(Enum):
    """Why a run stopped; its value is the sentence, with a place for what it names."""

    STEPS = "All {0} steps are done."
    TIME = "The time is up: {0:g} seconds."
    DIVERGED = "Learning diverged: the loss grew without bound. Lower the learning rate."
    FLOOR = "The loss is at the floor of 32-bit arithmetic: more steps bring the kernel no nearer."
    OPTIMUM = (
        f"Nothing left to learn: the kernel is within {NEAR} standard errors of the best these "
        "pictures allow."
    )
    PATIENCE = "The validation loss has not fallen for {0} steps."
    SOLVED = "One solve gave the best kernel that these pictures allow."
    SINGULAR = "{0.cause} {0.remedy}"
    VISITOR = "Stopped by you."


@dataclass(frozen=True)
class Stop:
    """The end of a run. `str()` is its sentence."""

    cause: Cause
    named: float | Solution | None = None  # steps, seconds, or the solution that is not unique

    @property
    def complete(self) -> bool:
        """Whether nothing is left to learn."""
        return self.cause in (Cause.FLOOR, Cause.OPTIMUM)

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


@dataclass(frozen=True, eq=False)
class Progress:
    """Where training stands after a step. Owns plain copies; enough to go on from (`resume`)."""

    step: int
    """0: before any update."""
    steps: int
    """The last step there will be."""
    loss: float
    """Mean squared error (white is 1) of this very model over the batch of the next step."""
    validation_loss: float
    """Mean squared error over tiles never trained on, at the latest check."""
    kernel: NDArray[np.float64] | None
    """(k, k); None: the model is not a single convolution."""
    offset: float
    """Relative to white; 0 where none is learned."""
    kernel_error: float | None
    """The largest |learned - true| of a weight, where the truth is known."""
    excess_loss: float | None
    """Loss above that of the exact optimum, where that is known."""
    seconds: float
    """Spent learning; the watcher's time between two Progress is not counted."""
    device: str
    """Its name, for people."""
    stop: Stop | None
    """Why it ended; None while running."""
    state: dict[str, Any] = field(repr=False)
    """What a run goes on from: NumPy arrays and plain numbers."""
    allowed: float | None = None
    """The largest standard error of the exact optimum, where that is known."""

    @property
    def done(self) -> bool:
        """Whether it is the last one."""
        return self.stop is not None

    @property
    def stopped_because(self) -> str:
        """Why it ended, in a sentence; empty while running."""
        return str(self.stop or "")

    def _repr_html_(self) -> str:
        error = "" if self.kernel_error is None else f", kernel error {figure(self.kernel_error)}"
        said = f"Step {self.step} of {self.steps}: loss {figure(self.loss)}{error}."
        table = "" if self.kernel is None else records.heat_map(self.kernel)
        return records.shown(table, f"{said} {self.stopped_because}")

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as .json (all but its state) or its kernel as .npy; returns the path."""
        told = {name: value for name, value in vars(self).items() if name not in ("stop", "state")}
        told |= {"done": self.done, "stopped_because": self.stopped_because}
        return records.save(path, self.kernel, told)


Run: TypeAlias = Generator[Progress, None, None]  # close() ends it, as does a loop that is left


def train(
    model: torch.nn.Module,
    pairs: Pairs,
    settings: TrainSettings,
    *,
    truth: np.ndarray | None = None,
    resume: Progress | None = None,
    deadline: float | None = None,
    optimum: Callable[[], Optimum] | None = None,
    report: Callable[[int], bool] | None = None,
) -> Run:
    """Trains the model in place; yields a Progress at step 0 at once, then every few steps.

    Checks its arguments at the call, then yields. To stop is to stop iterating: that frees the
    device and leaves the model on the CPU. Where to check and stop is decided by steps alone;
    between checks a Progress is also made every REPORT_SECONDS, which changes nothing else.

    model: N x 1 x (T + 2r)^2 -> N x 1 x T^2; a SingleConv, or any other (its kernel is None).
    truth: (k, k), the true kernel, for kernel_error.
    resume: goes on from that Progress (it is yielded again first), on the same pairs. On the
    same device the weights become, bit for bit, those of never having stopped.
    deadline: seconds after which it stops, the watcher's time included.
    optimum: gives the best that the same pictures allow; called once, after the first Progress,
    so that nobody waits for its sums. Then every Progress has its excess loss, and a single layer
    that has reached the optimum stops.
    report: says at which steps there is to be a Progress too; it changes no weight, and no end.
    DemoError: K-FAC for another model than one convolution, mixed precision where there is none,
    a device that is not there, a Progress of another method or model.
    """
    device = devices.resolve(settings.device)
    half = devices.half_precision(device) if settings.mixed_precision else None
    if settings.mixed_precision and half is None:
        received = devices.name(device)
        raise DemoError("a GPU with bfloat16 for mixed precision", received, "Switch it off.")
    check_model(settings.method, model)
    _check_sizes(model, pairs)
    if resume is not None:
        _check_resume(resume, model, settings)
    begin = partial(Loop, model, pairs, settings, device, half, truth)
    return _train(begin, resume, deadline, optimum, report)


def _train(
    begin: Callable[[], Loop],
    resume: Progress | None,
    deadline: float | None,
    optimum: Callable[[], Optimum] | None,
    report: Callable[[int], bool] | None,
) -> Run:
    started = time.monotonic()
    loop = begin()
    settings, device = loop.settings, loop.pairs.device
    try:
        loop.start(resume)
        since, resumed = time.monotonic(), resume is not None
        while True:
            check = loop.step % settings.check_steps == 0 or loop.step >= settings.steps
            overdue = deadline is not None and time.monotonic() - started >= deadline
            wanted = check or overdue or resumed or (report is not None and report(loop.step))
            if wanted or time.monotonic() - since >= REPORT_SECONDS:
                # A resumed Progress was checked when it was made.
                stop = loop.check() if check and not resumed else None
                if loop.step >= settings.steps:
                    stop = stop or Stop(Cause.STEPS, loop.step)
                if overdue:
                    stop = stop or Stop(Cause.TIME, deadline)
                loop.look(last=stop is not None)
                loop.seconds += time.monotonic() - since
                yield loop.progress(stop)
                if stop:
                    return
                if optimum and loop.optimum is None and loop.single:
                    loop.optimum = optimum()
                since, resumed = time.monotonic(), False
            loop.update(loop.step + 1)
    finally:
        loop.close()
        del loop  # and with it the tiles on the device
        devices.release(device)


class Loop:
    """Model, tiles and optimizer on one device. A step waits for the device nowhere."""

    def __init__(
        self,
        model: torch.nn.Module,
        pairs: Pairs,
        settings: TrainSettings,
        device: torch.device,
        half: torch.dtype | None = None,
        truth: np.ndarray | None = None,
    ) -> None:
        """half: the type for mixed precision, or None. truth: (k, k), for the kernel error."""
        self.settings, self.half, self.truth = settings, half, truth
        self.model = model.to(device)
        self.optimizer = make(settings.method, self.model, settings.learning_rate)
        self.pairs = pairs.to(device)
        self.counts = self.pairs.weight.sum((1, 2, 3))  # (N,) valid pixels of each tile
        held = self.pairs.before[self.pairs.validation[:VALIDATION_TILES]]
        self.brightness = held.square().mean().item()
        self.step, self.validation_loss = 0, math.inf
        self.loss: torch.Tensor | float | None = None  # over the next step's batch, once asked for
        self.seconds, self.watch = 0.0, Watch()
        self.optimum: Optimum | None = None  # once it is known
        self._epoch, self._order = -1, self.pairs.training
        self._steep = False  # whether the gradient of the next step is there

    @property
    def single(self) -> layers.SingleConv | None:
        """The model, if it is a single layer."""
        return self.model if isinstance(self.model, layers.SingleConv) else None

    def start(self, resume: Progress | None) -> None:
        """Gets the first loss, or puts everything where it was."""
        if resume is None:
            self.look(last=True)  # who asks for the start alone needs no gradient
            return
        self.step, self.seconds = resume.step, resume.seconds
        self.loss, self.validation_loss = resume.loss, resume.validation_loss
        self.watch = Watch(**resume.state["watch"])
        if resume.done:
            self.watch.best_step = resume.step  # who goes on after the end wants more patience
        self.model.load_state_dict(_to_torch(resume.state["weights"]))
        groups = self.optimizer.state_dict()["param_groups"]
        saved = {"state": _to_torch(resume.state["optimizer"]), "param_groups": groups}
        self.optimizer.load_state_dict(saved)

    def update(self, step: int) -> None:
        """Makes step number 1, 2, ...: by the gradient that was looked at, where one was."""
        if not self._steep:
            self._differentiate(step)
        self.optimizer.step()
        self.step, self.loss, self._steep = step, None, False

    def look(self, last: bool) -> None:
        """Takes the loss over the batch of the next step, () on the device, where it is not known.

        last: no step follows; else its gradient, which is needed for it anyway, is taken at once.
        """
        if self.loss is None and not last:
            self._differentiate(self.step + 1)
        elif self.loss is None:
            with torch.no_grad():
                self.loss = self._mean_loss(self._chosen(self.step + 1))

    def _differentiate(self, step: int) -> None:
        self.optimizer.zero_grad(set_to_none=True)
        chosen = self._chosen(step)
        count = self.counts[chosen].sum()
        self.loss, self._steep = 0.0, True
        for part in chosen.split(self.settings.batch):
            share = self._squared_error(part) / count
            share.backward()
            self.loss = self.loss + share.detach()

    def check(self) -> Stop | None:
        """Takes the loss over (at most VALIDATION_TILES of) the tiles held out. Why to stop."""
        held = self.pairs.validation[:VALIDATION_TILES]
        with torch.no_grad():
            self.validation_loss, floor = self._mean_loss(held).item(), self._floor()
        stop = self.watch.check(self.step, self.validation_loss, floor, self.settings.patience)
        # Where the pictures hold no noise, float32 can come nearer than the error bars ask for.
        if self.optimum is None or self.optimum.solution.residual**2 <= floor:
            return stop
        single = self.single
        reached = single and self.optimum.reached(single.kernel(), single.offset())
        return Stop(Cause.OPTIMUM) if reached else stop

    def progress(self, stop: Stop | None) -> Progress:
        single, optimum, truth = self.single, self.optimum, self.truth
        kernel = single.kernel() if single else None
        offset = single.offset() if single else 0.0
        assert self.loss is not None  # look() comes first
        return Progress(
            step=self.step,
            steps=self.settings.steps,
            loss=float(self.loss),
            validation_loss=self.validation_loss,
            kernel=kernel,
            offset=offset,
            kernel_error=None if kernel is None or truth is None else kernel_error(kernel, truth),
            excess_loss=optimum.excess(kernel, offset) if optimum and kernel is not None else None,
            seconds=self.seconds,
            device=devices.name(self.pairs.device),
            stop=stop,
            state={
                "method": self.settings.method,
                "weights": _to_numpy(self.model.state_dict()),
                "optimizer": _to_numpy(self.optimizer.state_dict()["state"]),
                "watch": asdict(self.watch),
            },
            allowed=None if optimum is None else float(optimum.solution.standard_error.max()),
        )

    def close(self) -> None:
        """Leaves the model on the CPU as it would be without this loop."""
        if isinstance(self.optimizer, kfac.KFAC):
            self.optimizer.close()
        self.model.zero_grad(set_to_none=True)
        self.model.to("cpu")

    def _floor(self) -> float:
        """The mean squared error that rounding leaves of an exact kernel.

        A result's rounding error is about the precision times the sum of |kernel| |before|.
        In mixed precision 0: its errors are larger, but steps average them out.
        """
        if self.half:
            return 0.0
        gain = float(np.abs(self.single.kernel()).sum()) if self.single else 1.0
        return (torch.finfo(torch.float32).eps * gain) ** 2 * self.brightness

    def _chosen(self, step: int) -> torch.Tensor:
        """Indices of the tiles of a step: a function of the seed and the step alone.

        Each epoch goes once through the training tiles in an order of its own.
        """
        training = self.pairs.training
        size = min(self.settings.batch * self.settings.accumulation, len(training))
        epoch, place = divmod(step - 1, len(training) // size)
        if epoch != self._epoch:
            rng = np.random.default_rng((self.settings.seed, epoch))
            order = torch.from_numpy(rng.permutation(len(training)))
            if training.is_cuda:
                order = order.pin_memory()  # else the copy waits for the device
            self._epoch = epoch
            self._order = training[order.to(training.device, non_blocking=True)]
        return self._order[place * size : (place + 1) * size]

    def _squared_error(self, chosen: torch.Tensor) -> torch.Tensor:
        """sum weight (out - after)^2 over the chosen tiles, ()."""
        before, after, weight = (
            tiles.index_select(0, chosen)
            for tiles in (self.pairs.before, self.pairs.after, self.pairs.weight)
        )
        if isinstance(self.optimizer, kfac.KFAC):
            self.optimizer.pixel_weight = weight
        with torch.autocast(before.device.type, self.half) if self.half else nullcontext():
            out = self.model(before)
        return layers.SquaredError.apply(out.float(), after, weight)  # type: ignore[no-untyped-call]  # torch's own

    def _mean_loss(self, chosen: torch.Tensor) -> torch.Tensor:
        parts = (self._squared_error(part) for part in chosen.split(self.settings.batch))
        return sum(parts, self.counts.new_zeros(())) / self.counts[chosen].sum()


def _to_numpy(state: Any) -> Any:
    """A deep copy with every tensor as an array."""
    if isinstance(state, dict):
        return {key: _to_numpy(value) for key, value in state.items()}
    return state.detach().cpu().numpy().copy() if isinstance(state, torch.Tensor) else state


def _to_torch(state: Any) -> Any:
    if isinstance(state, dict):
        return {key: _to_torch(value) for key, value in state.items()}
    return torch.from_numpy(state.copy()) if isinstance(state, np.ndarray) else state


def _check_sizes(model: torch.nn.Module, pairs: Pairs) -> None:
    if isinstance(model, layers.SingleConv) and model.size != 2 * pairs.radius + 1:
        sizes = [f"{size} × {size}" for size in (2 * pairs.radius + 1, model.size)]
        raise DemoError(
            f"a model of {sizes[0]}, as the tiles are", sizes[1], "Make both for one size."
        )


def _check_resume(resume: Progress, model: torch.nn.Module, settings: TrainSettings) -> None:
    state = resume.state
    if state["method"] != settings.method:
        received = f"{settings.method} after {state['method']}"
        raise DemoError("the method that was paused", received, "Start learning anew.")
    own = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if own != {name: value.shape for name, value in state["weights"].items()}:
        raise DemoError("the model that was paused", "another one", "Start learning anew.")
