"""When is training complete? Three usual answers, each wrong on one and the same run.

Plain Adam on photos: the smooth combinations of weights are learned at once and carry nearly all
of the loss; the fine ones hardly move. So the loss is small and flat long before the kernel is
right, and only a measure that weighs all combinations alike can tell: the certificate's.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kernel_demo.learning.certificate import ROUNDING, Optimum
from kernel_demo.learning.model import layers
from kernel_demo.learning.pairs import build, teacher
from kernel_demo.learning.statistics import accumulate
from kernel_demo.learning.training import Progress, TrainSettings, train

SMALL = 0.01  # a loss below this share of the after pictures' variance explains 99 % of them
FLAT, WINDOW = 0.01, 100  # the curve fell by less than 1 % of its height in 100 steps
LEAST, PATIENCE = 0.001, 50  # no step of 50 was better than the best by 0.1 % of the start
RULES = ("loss", "validation", "patience")
TILE, BATCH, CHECK_EVERY = 32, 8, 10


@dataclass(frozen=True)
class Verdict:
    """One rule called the training complete."""

    rule: str  # one of RULES
    step: int
    loss_share: float  # validation loss at that step, over the after pictures' variance
    kernel_error: float  # what the rule did not see


@dataclass(frozen=True, eq=False)
class Moment:
    """One look at the run."""

    progress: Progress  # with excess_loss, over all pixels of the pictures
    distance: float  # largest |weight - best weight|, in standard errors of 8-bit pictures
    loss_share: float  # validation loss over the after pictures' variance
    verdicts: tuple[Verdict, ...]  # of the rules that called it complete so far, in that order
    done: bool


def watch(
    pictures: Sequence[np.ndarray],
    kernel: np.ndarray,
    *,
    steps: int = 1500,
    seed: int = 0,
    deadline: float = 30.0,
    device: str = "auto",
) -> Iterator[Moment]:
    """Trains one layer by Adam, asking each rule and the certificate at every check.

    pictures: H x W, 0..1. Ends when every rule has called it complete, or as train() does.
    DemoError where build() or train() finds fault.
    """
    size = len(kernel)
    afters = teacher(pictures, kernel)
    pairs = build(pictures, afters, size, TILE, seed)
    befores = (np.asarray(one, float) for one in pictures)
    optimum = Optimum(accumulate(zip(befores, afters, strict=True), size)[0], offset=False)
    settings = TrainSettings(
        "adam", batch=BATCH, steps=steps, patience=steps, check_every=CHECK_EVERY,
        tile=TILE, seed=seed, device=device,
    )  # fmt: skip
    layer = layers.SingleConv(size, settings.init, seed)
    run = train(layer, pairs, settings, truth=kernel, deadline=deadline)
    variance = float(np.var(np.concatenate([after.ravel() for after in afters])))
    return _watched(run, optimum, variance)


def _watched(run: Iterator[Progress], optimum: Optimum, variance: float) -> Iterator[Moment]:
    bars = optimum.error_bars(ROUNDING / 255)  # of weights learned from pictures in 8 bits
    history: list[tuple[int, float]] = []  # (step, validation loss) at every check
    verdicts: dict[str, Verdict] = {}
    for progress in run:
        kernel, error = progress.kernel, progress.kernel_error
        assert kernel is not None  # of a single layer
        assert error is not None  # the truth is known
        if progress.step % CHECK_EVERY == 0 or progress.done:
            history.append((progress.step, progress.validation_loss))
            for rule in called_complete(history, variance):
                share = progress.validation_loss / variance
                verdict = Verdict(rule, progress.step, share, error)
                verdicts.setdefault(rule, verdict)
        done = progress.done or len(verdicts) == len(RULES)
        yield Moment(
            replace(progress, excess_loss=optimum.excess(kernel)),
            float(np.max(np.abs(kernel - optimum.solution.kernel) / bars)),
            progress.validation_loss / variance,
            tuple(verdicts.values()),
            done,
        )
        if done:
            return


def called_complete(history: Sequence[tuple[int, float]], variance: float) -> tuple[str, ...]:
    """The RULES that call a run complete, given (step, validation loss) at every check so far."""
    (_, first), (step, loss) = history[0], history[-1]
    complete = []
    if loss < SMALL * variance:
        complete.append("loss")
    before = [value for at, value in history if at <= step - WINDOW]
    if before and before[-1] - loss < FLAT * first:
        complete.append("validation")
    best_step, best = 0, np.inf
    for at, value in history:
        if value < best - LEAST * first:
            best_step, best = at, value
    if step - best_step >= PATIENCE:
        complete.append("patience")
    return tuple(complete)
