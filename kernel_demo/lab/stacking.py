"""The opposite of depth: three linear layers in a row are one kernel, only harder to learn.

One layer's loss is a parabola: K-FAC goes to its bottom in a few steps. Three in a row compute
nothing else, but their loss is of degree six in the weights: K-FAC for one layer does not apply,
and Adam creeps. (By Adam alone a stack is not slower per step, often faster: Arora, Cohen & Hazan
2018, "On the optimization of deep networks: implicit acceleration by overparameterization". It
costs several times as long, though: `method` lets this be seen.)
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
from torch import nn

from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.learning.model import SingleConv
from kernel_demo.learning.pairs import build, teacher
from kernel_demo.learning.training import Progress, TrainSettings, train

LAYERS, LAYER_SIZE = 3, 3
SIZE = LAYERS * (LAYER_SIZE - 1) + 1  # 7: what three 3 x 3 layers see together
RATE = 0.03  # Adam's; of 0.003, 0.01 and 0.03 the best for the stack
TILE, BATCH = 32, 8


@dataclass(frozen=True, eq=False)
class Moment:
    """Where both stand after about the same time."""

    single: Progress  # one layer of SIZE x SIZE
    stacked: Progress  # LAYERS layers of LAYER_SIZE x LAYER_SIZE
    factors: tuple[np.ndarray, ...]  # the stacked layers' kernels, first to last
    product: np.ndarray  # (SIZE, SIZE): the one kernel that they are
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
        for i, row in enumerate(kernel):
            for j, weight in enumerate(row):
                grown[i : i + len(product), j : j + len(product)] += weight * product
        product = grown
    return product


def compare(
    pictures: Sequence[np.ndarray],
    kernel: np.ndarray,
    *,
    method: str = "kfac",
    steps: int = 600,
    seed: int = 0,
    deadline: float = 30.0,
    device: str = "auto",
) -> Iterator[Moment]:
    """Learns a kernel (up to 7 x 7) by one 7 x 7 layer and, by Adam, by three 3 x 3 layers.

    pictures: H x W, 0..1. method: of the single layer, "kfac" or "adam". steps: of the stack.
    Only a kernel that is a product of three can be learned by both: any 3 x 3 one is.
    DemoError where build() or train() finds fault.
    """
    truth = np.pad(kernel, (SIZE - len(kernel)) // 2)
    pairs = build(pictures, teacher(pictures, kernel), SIZE, TILE, seed)
    single = SingleConv(SIZE, "normal", seed)
    stacked = stack(seed)
    adam = TrainSettings("adam", RATE, BATCH, steps=steps, tile=TILE, seed=seed, device=device)
    adam = replace(adam, patience=steps)
    own = adam if method == "adam" else replace(adam, method=method, learning_rate=None)
    runs = [
        train(single, pairs, own, deadline=deadline),
        train(stacked, pairs, adam, deadline=deadline),
    ]
    return _race(stacked, runs, truth)


def stack(seed: int) -> nn.Sequential:
    """Three 3 x 3 layers with no bias and nothing between them: N x 1 x H x W, smaller by 6."""
    return nn.Sequential(
        *(SingleConv(LAYER_SIZE, "normal", seed + number) for number in range(LAYERS))
    )


def _race(stacked: nn.Sequential, runs: list[Iterator[Progress]], truth) -> Iterator[Moment]:
    with closing(runs[0]), closing(runs[1]):
        latest = [next(run) for run in runs]
        while True:
            factors = tuple(layer.kernel() for layer in stacked)
            product = compose(factors)
            done = all(one.done for one in latest)
            yield Moment(
                *latest,
                factors,
                product,
                kernel_error(latest[0].kernel, truth),
                kernel_error(product, truth),
                done,
            )
            if done:
                return
            # The one that has had less time goes on.
            behind = min((one.done, one.seconds, number) for number, one in enumerate(latest))[2]
            latest[behind] = next(runs[behind], latest[behind])
