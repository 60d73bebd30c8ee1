"""Learning, told step by step: everything that learns goes through train()."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import numpy as np
from torch import nn

from kernel_demo.errors import DemoError
from kernel_demo.learning import devices
from kernel_demo.learning.certificate import Optimum
from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.learning.loop import Loop
from kernel_demo.learning.model import SingleConv
from kernel_demo.learning.optimizers import check_model
from kernel_demo.learning.pairs import Pairs
from kernel_demo.learning.settings import TrainSettings
from kernel_demo.learning.stopping import Cause, Stop, Watch

__all__ = ["Progress", "TrainSettings", "train"]

REPORT_SECONDS = 0.04  # from one Progress to the next, where a step takes no longer


@dataclass(frozen=True, eq=False)
class Progress:
    """Where training stands after a step. Owns plain copies; enough to go on from (`resume`)."""

    step: int  # 0: before any update
    steps: int  # the last step there will be
    loss: float  # mean squared error over the latest batch, before its update
    validation_loss: float  # mean squared error over tiles never trained on, at the latest check
    kernel: np.ndarray | None  # (k, k) float64; None: the model is not a single convolution
    offset: float
    kernel_error: float | None  # max |learned - true|, where the truth is known
    excess_loss: float | None  # loss above that of the exact optimum, where that is known
    seconds: float  # spent learning; the watcher's time between two Progress is not counted
    device: str  # its name, for people
    stop: Stop | None  # None while running
    state: dict  # NumPy arrays and plain numbers

    @property
    def done(self) -> bool:
        return self.stop is not None

    @property
    def stopped_because(self) -> str:
        """A sentence; empty while running."""
        return str(self.stop or "")


def train(
    model: nn.Module,
    pairs: Pairs,
    settings: TrainSettings,
    *,
    truth: np.ndarray | None = None,
    resume: Progress | None = None,
    deadline: float | None = None,
    optimum: Callable[[], Optimum] | None = None,
) -> Iterator[Progress]:
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
    return _train(model, pairs, settings, device, half, truth, resume, deadline, optimum)


def _train(
    model, pairs, settings, device, half, truth, resume, deadline, optimum
) -> Iterator[Progress]:
    started, best = time.monotonic(), None
    loop = Loop(model, pairs, settings, device, half)
    try:
        step, loss, validation, spent, watch = _start(loop, resume)
        since, resumed = time.monotonic(), resume is not None
        while True:
            check = step % settings.check_steps == 0 or step >= settings.steps
            overdue = deadline is not None and time.monotonic() - started >= deadline
            if check or overdue or resumed or time.monotonic() - since >= REPORT_SECONDS:
                stop = None
                if check and not resumed:  # a resumed Progress was checked when it was made
                    validation = loop.validation_loss()
                    stop = _verdict(loop, watch, step, validation, best)
                if step >= settings.steps:
                    stop = stop or Stop(Cause.STEPS, step)
                if overdue:
                    stop = stop or Stop(Cause.TIME, deadline)
                spent += time.monotonic() - since
                yield _progress(loop, watch, step, loss, validation, stop, spent, truth, best)
                if stop:
                    return
                if optimum and best is None and isinstance(model, SingleConv):
                    best = optimum()
                since, resumed = time.monotonic(), False
            step += 1
            loss = loop.update(step)
    finally:
        loop.close()
        del loop  # and with it the tiles on the device
        devices.release(device)


def _start(loop: Loop, resume: Progress | None):
    """Step, losses, seconds and Watch to begin with; a resumed loop is put where it was."""
    if resume is None:
        return 0, loop.batch_loss(1), math.inf, 0.0, Watch()
    loop.restore(resume.state)
    watch = Watch(**resume.state["watch"])
    if resume.done:
        watch.best_step = resume.step  # who goes on after the end wants more patience
    return resume.step, resume.loss, resume.validation_loss, resume.seconds, watch


def _verdict(loop: Loop, watch: Watch, step: int, validation: float, best) -> Stop | None:
    """Why to stop at this check; None: go on."""
    floor = loop.floor()
    stop = watch.check(step, validation, floor, loop.settings.patience)
    return Stop(Cause.OPTIMUM) if best and _is_learned(best, loop.model, floor) else stop


def _is_learned(best: Optimum, model: SingleConv, floor: float) -> bool:
    # Where the pictures hold no noise, float32 can come nearer than the error bars ask for.
    noisy = best.solution.residual**2 > floor
    return noisy and best.reached(model.kernel(), model.offset())


def _progress(loop, watch, step, loss, validation, stop, seconds, truth, best) -> Progress:
    single = isinstance(loop.model, SingleConv)
    kernel = loop.model.kernel() if single else None
    return Progress(
        step=step,
        steps=loop.settings.steps,
        loss=float(loss),
        validation_loss=validation,
        kernel=kernel,
        offset=loop.model.offset() if single else 0.0,
        kernel_error=kernel_error(kernel, truth) if single and truth is not None else None,
        excess_loss=best.excess(kernel, loop.model.offset()) if best else None,
        seconds=seconds,
        device=devices.name(loop.pairs.device),
        stop=stop,
        state={**loop.state(), "watch": asdict(watch)},
    )


def _check_sizes(model: nn.Module, pairs: Pairs) -> None:
    if isinstance(model, SingleConv) and model.size != 2 * pairs.radius + 1:
        sizes = [f"{size} x {size}" for size in (2 * pairs.radius + 1, model.size)]
        raise DemoError(
            f"a model of {sizes[0]}, as the tiles are", sizes[1], "Make both for one size."
        )


def _check_resume(resume: Progress, model: nn.Module, settings: TrainSettings) -> None:
    state = resume.state
    if state["method"] != settings.method:
        received = f"{settings.method} after {state['method']}"
        raise DemoError("the method that was paused", received, "Start learning anew.")
    own = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    if own != {name: value.shape for name, value in state["weights"].items()}:
        raise DemoError("the model that was paused", "another one", "Start learning anew.")
