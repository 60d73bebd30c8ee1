"""When depth helps, and when it does not: two layers or more beside a single one.

Where the target is no filter, a small deep network does what no kernel can. Both are trained by
learning.training.train(), each with the method that suits it best: the single layer by K-FAC, which
reaches the best there is for one kernel; the deep network by Adam, from that best kernel on, so
that the difference is what depth adds.

With nothing between them, three linear layers in a row are one kernel, only harder to learn. One
layer's loss is a parabola: K-FAC goes to its bottom in a few steps. Three in a row compute nothing
else, but their loss is of degree six in the weights: K-FAC for one layer does not apply, and Adam
creeps. (By Adam alone a stack is not slower per step, often faster: Arora, Cohen & Hazan 2018, "On
the optimization of deep networks: implicit acceleration by overparameterization". It costs several
times as long, though: `method` lets this be seen.)
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from kernel_demo.errors import DemoError, one_of
from kernel_demo.imaging import operators
from kernel_demo.learning import devices
from kernel_demo.learning.evaluation import kernel_error, psnr
from kernel_demo.learning.late import Late, torch
from kernel_demo.learning.model import layers
from kernel_demo.learning.pairs import Pairs, build, teacher
from kernel_demo.learning.statistics import accumulate
from kernel_demo.learning.training import Progress, Run, TrainSettings, train

if TYPE_CHECKING:
    from kernel_demo.lab import nets
else:
    nets = Late("kernel_demo.lab.nets")

RATES = (0.01, 0.003, 0.001)  # Adam's, a third of the steps each
TILE, BATCH = 32, 8
SHALLOW_STEPS, SHALLOW_BATCH = 60, 32  # K-FAC's
STACK, STACK_SIDE = 3, 3  # layers in a row, each of 3 x 3
STACK_SIZE = STACK * (STACK_SIDE - 1) + 1  # 7: what they see together
STACK_RATE = 0.03  # Adam's; of 0.003, 0.01 and 0.03 the best for the stack
_SHOWN = 256  # rows and columns of each held-out picture that PSNR is measured on
_PSNR_SECONDS = 0.5  # from one measurement to the next


@dataclass(frozen=True)
class Target:
    """What no single convolution can do."""

    label: str
    why: str  # one line: why no kernel can do it
    size: int  # side of the window that it looks at
    apply: Callable[[np.ndarray], np.ndarray]  # H x W to H x W


TARGETS = {
    "magnitude": Target(
        "Gradient magnitude",
        "It squares the slopes, so that dark to light and light to dark come out alike.",
        3,
        operators.magnitude,
    ),
    "absolute": Target("Absolute Sobel", "It folds negative values over.", 3, operators.absolute),
    "clipped": Target(
        "Clipped Sobel", "It cuts values off at black and white.", 3, operators.clipped
    ),
    "median": Target(
        "Median", "It picks one pixel by rank; it adds nothing up.", 3, operators.median
    ),
    "threshold_unsharp": Target(
        "Unsharp with threshold",
        "It acts on some pixels and leaves the rest alone.",
        5,
        operators.threshold_unsharp,
    ),
}


@dataclass(frozen=True, eq=False)
class Moment:
    """Where both stand. PSNR in dB (peak 1), on held-out pictures that neither was trained on."""

    shallow: Progress
    deep: Progress  # its step counts through all rates
    shallow_psnr: float
    deep_psnr: float
    shallow_weights: int
    deep_weights: int
    seconds: float  # since the start, of both
    done: bool


def compare(
    pictures: Sequence[np.ndarray],
    target: str = "magnitude",
    *,
    steps: int = 1500,
    seed: int = 0,
    deadline: float = 60.0,
    device: str = "auto",
) -> Iterator[Moment]:
    """Trains one layer and a deep network on an operator's answers, in turns.

    pictures: H x W, 0..1; a quarter of them (of one: its right third) is held out. target: a key of
    TARGETS. steps: of the deep network; the single layer needs a few dozen and then waits.
    DemoError: an unknown target, pictures that are too small.
    """
    chosen = TARGETS[one_of("what a kernel cannot do", target, TARGETS)]
    size, operator = chosen.size, chosen.apply
    trained, held = split(pictures)
    afters = [operator(one) for one in trained]
    pairs = build(trained, afters, size, TILE, seed)
    best = accumulate(zip(trained, afters, strict=True), size)[0].solve()
    settings = TrainSettings(
        batch=BATCH, tile=TILE, seed=seed, steps=steps, patience=steps, device=device
    )
    shallow = layers.SingleConv(size, "zeros", seed, offset=True)
    deep = nets.DeepNet(size, seed, best.kernel, best.offset)
    quick = replace(settings, batch=SHALLOW_BATCH, steps=SHALLOW_STEPS)
    exam = [(one[:_SHOWN, :_SHOWN], operator(one)[:_SHOWN, :_SHOWN]) for one in held]
    return _race(
        (shallow, train(shallow, pairs, quick)),
        (deep, _falling_rates(deep, pairs, settings)),
        exam,
        deadline,
    )


def split(pictures: Sequence[np.ndarray]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Pictures to train on, and those held out: the last quarter, or the right third of one."""
    if not pictures:
        raise DemoError("at least one picture", "none", "Choose one or more pictures.")
    if len(pictures) == 1:
        border = pictures[0].shape[1] * 2 // 3
        return [pictures[0][:, :border]], [pictures[0][:, border:]]
    held = max(1, len(pictures) // 4)
    return list(pictures[:-held]), list(pictures[-held:])


def _falling_rates(model: torch.nn.Module, pairs: Pairs, settings: TrainSettings) -> Run:
    """train() by Adam at each of RATES, each going on from where the last one ended."""
    last = None
    for number, rate in enumerate(RATES, 1):
        until = -(-settings.steps * number // len(RATES))
        stage = replace(settings, method="adam", learning_rate=rate, steps=until)
        for progress in train(model, pairs, stage, resume=last):
            last = replace(progress, steps=settings.steps)
            if not progress.done or number == len(RATES):
                yield last


def _race(
    shallow: tuple[torch.nn.Module, Run],
    deep: tuple[torch.nn.Module, Run],
    exam: Sequence[tuple[np.ndarray, np.ndarray]],
    deadline: float,
) -> Iterator[Moment]:
    """Draws from both runs in turns until both are done or the time is up."""
    with closing(shallow[1]), closing(deep[1]):
        started = measured = time.monotonic()
        latest = {"shallow": next(shallow[1]), "deep": next(deep[1])}
        scores: tuple[float, float] | None = None
        weights = [sum(w.numel() for w in model.parameters()) for model, _ in (shallow, deep)]
        while True:
            now = time.monotonic()
            done = all(one.done for one in latest.values()) or now - started >= deadline
            if done or scores is None or now - measured >= _PSNR_SECONDS:
                scores = held_psnr(shallow[0], exam), held_psnr(deep[0], exam)
                measured = now
            yield Moment(
                **latest,
                shallow_psnr=scores[0],
                deep_psnr=scores[1],
                shallow_weights=weights[0],
                deep_weights=weights[1],
                seconds=now - started,
                done=done,
            )
            if done:
                return
            for name, (_, run) in (("shallow", shallow), ("deep", deep)):
                latest[name] = next(run, latest[name])


def held_psnr(model: torch.nn.Module, exam: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """PSNR in dB over all valid pixels of pairs (before, after), H x W each, on the CPU."""
    device = next(model.parameters()).device
    made, true = [], []
    for before, after in exam:
        pixels = devices.from_numpy(np.ascontiguousarray(before, np.float32))
        with torch.no_grad():
            out = model(pixels[None, None].to(device))[0, 0].cpu().numpy()
        radius = (len(before) - len(out)) // 2
        made.append(out.ravel())
        true.append(after[radius : radius + len(out), radius : radius + out.shape[1]].ravel())
    return psnr(np.concatenate(true), np.concatenate(made))


@dataclass(frozen=True, eq=False)
class StackMoment:
    """Where both stand after about the same time."""

    single: Progress  # one layer of STACK_SIZE x STACK_SIZE
    stacked: Progress  # STACK layers of STACK_SIDE x STACK_SIDE
    factors: tuple[np.ndarray, ...]  # the stacked layers' kernels, first to last
    product: np.ndarray  # (STACK_SIZE, STACK_SIZE): the one kernel that they are
    single_error: float  # largest weight error
    stacked_error: float  # the product's
    done: bool


def compose(kernels: Sequence[np.ndarray]) -> np.ndarray:
    """The one kernel that correlating with each in turn amounts to.

    Correlation with a, then with b, is correlation with their full convolution:
    c[p] = sum over q of a[q] b[p - q], of size len(a) + len(b) - 1.
    """
    product = np.ones((1, 1))
    for kernel in kernels:
        size = len(product) + len(kernel) - 1
        grown = np.zeros((size, size))
        for (i, j), weight in np.ndenumerate(kernel):
            grown[i : i + len(product), j : j + len(product)] += weight * product
        product = grown
    return product


def compare_stack(
    pictures: Sequence[np.ndarray],
    kernel: np.ndarray,
    *,
    method: str = "kfac",
    steps: int = 600,
    seed: int = 0,
    deadline: float = 30.0,
    device: str = "auto",
) -> Iterator[StackMoment]:
    """Learns a kernel (up to 7 x 7) by one 7 x 7 layer and, by Adam, by three 3 x 3 layers.

    pictures: H x W, 0..1. method: of the single layer, "kfac" or "adam". steps: of the stack.
    Only a kernel that is a product of three can be learned by both: any 3 x 3 one is.
    DemoError where build() or train() finds fault.
    """
    truth = np.pad(kernel, (STACK_SIZE - len(kernel)) // 2)
    pairs = build(pictures, teacher(pictures, kernel), STACK_SIZE, TILE, seed)
    single = layers.SingleConv(STACK_SIZE, "normal", seed)
    stacked = nets.stack(seed, STACK, STACK_SIDE)
    adam = TrainSettings(
        "adam", STACK_RATE, BATCH, steps=steps, patience=steps, tile=TILE, seed=seed, device=device
    )
    own = adam if method == "adam" else replace(adam, method=method, learning_rate=None)
    runs = [
        train(single, pairs, own, deadline=deadline),
        train(stacked, pairs, adam, deadline=deadline),
    ]
    return _in_turns(stacked, runs, truth)


def _in_turns(
    stacked: torch.nn.Sequential, runs: list[Run], truth: np.ndarray
) -> Iterator[StackMoment]:
    with closing(runs[0]), closing(runs[1]):
        latest = [next(run) for run in runs]
        while True:
            factors = tuple(one.kernel() for one in stacked if isinstance(one, layers.SingleConv))
            kernel = latest[0].kernel
            assert kernel is not None  # of a single layer
            product = compose(factors)
            done = all(one.done for one in latest)
            yield StackMoment(
                latest[0],
                latest[1],
                factors,
                product,
                kernel_error(kernel, truth),
                kernel_error(product, truth),
                done,
            )
            if done:
                return
            # The one that has had less time goes on.
            behind = min((one.done, one.seconds, number) for number, one in enumerate(latest))[2]
            latest[behind] = next(runs[behind], latest[behind])
