"""The device borrowed for one run: on a Space with ZeroGPU by its decorator, elsewhere as it is.

`spaces` must be imported before torch touches CUDA, so the page imports this module first.
Arguments and yields travel between processes there: NumPy and plain types only.
"""

from collections.abc import Iterator, Sequence

import numpy as np

try:
    import spaces
except ImportError:  # not on a Space
    spaces = None

from kernel_demo.learning import devices, pairs, training
from kernel_demo.learning.model import SingleConv
from kernel_demo.learning.training import Progress, TrainSettings

GPU_SECONDS = 20  # what a run may take of a visitor's quota on ZeroGPU
RUN_SECONDS = 600.0  # the longest run of all: a client that never reads must not hold the device


def _learn(
    befores: Sequence[np.ndarray],
    afters: Sequence[np.ndarray],
    truth: np.ndarray,
    settings: TrainSettings,
    resume: Progress | None = None,
) -> Iterator[Progress]:
    """Train one layer on picture pairs; see `kernel_demo.learning.training.train`.

    befores, afters: H x W float32 each, 0..1. truth: (k, k), for the kernel error only.
    """
    size = len(truth)
    device = devices.best() if settings.device == "auto" else settings.device
    data = pairs.build(befores, afters, size, tile=settings.tile, seed=settings.seed, device=device)
    model = SingleConv(size, init=settings.init, seed=settings.seed)
    yield from training.train(
        model, data, settings, truth=truth, resume=resume, deadline=RUN_SECONDS
    )


learn = spaces.GPU(duration=GPU_SECONDS)(_learn) if spaces else _learn
