"""The device borrowed for one run: on a Space with ZeroGPU by its decorator, elsewhere as it is.

`spaces` must be imported before torch touches CUDA, so the page imports this module first.
Arguments and yields travel between processes there: NumPy and plain types only.
"""

import os
import time
from collections.abc import Iterator

import numpy as np

# `spaces` reads the variable the same way. Where it is not set the package may be installed all the
# same, and lends nothing.
if os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true"):
    import spaces
else:
    spaces = None

from kernel_demo.learning import devices, pairs, training
from kernel_demo.learning.certificate import Optimum
from kernel_demo.learning.exact import closed_form, train_exact
from kernel_demo.learning.model import SingleConv
from kernel_demo.learning.training import Progress, TrainSettings
from kernel_demo.ui.learn.lesson import Lesson, sums
from kernel_demo.ui.learn.session import Settings

# What a Space lends of its GPU belongs to the runs of the tab "Learn".
LAB_DEVICE = "cpu" if spaces else "auto"
GPU_SECONDS = 20  # what a run may take of a visitor's quota on ZeroGPU
# The longest run of all: a client that never reads must not hold the device. ZeroGPU would end it
# by an error, so that there it ends itself a little before.
RUN_SECONDS = GPU_SECONDS - 2.0 if spaces else 600.0


def _learn(
    lesson: Lesson, truth: np.ndarray, settings: Settings, resume: Progress | None = None
) -> Iterator[Progress]:
    """Learn the true kernel (k, k) from a lesson by the method that the settings stand for.

    The truth itself is used for the kernel error only. settings None: the closed form.
    """
    if isinstance(settings, TrainSettings):
        yield from _by_batches(lesson, truth, settings, resume)
        return
    began = time.perf_counter()
    statistics, _ = sums(lesson, len(truth))
    spent = time.perf_counter() - began
    if settings is None:
        yield closed_form(statistics, truth, spent=spent)
    else:
        yield from train_exact(
            statistics, settings, truth, resume=resume, deadline=RUN_SECONDS, spent=spent
        )


def _by_batches(lesson, truth, settings, resume) -> Iterator[Progress]:
    size = len(truth)
    device = devices.resolve(settings.device)
    data = pairs.build(
        lesson.befores,
        lesson.afters,
        size,
        tile=settings.tile,
        seed=settings.seed,
        device=device,
        masks=lesson.masks,
    )
    model = SingleConv(size, init=settings.init, seed=settings.seed)
    yield from training.train(
        model,
        data,
        settings,
        truth=truth,
        resume=resume,
        deadline=RUN_SECONDS,
        optimum=lambda: Optimum(sums(lesson, size)[0], offset=False),
    )


learn = spaces.GPU(duration=GPU_SECONDS)(_learn) if spaces else _learn
