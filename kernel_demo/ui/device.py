"""The device borrowed for one run: on a Space with ZeroGPU by its decorator, elsewhere as it is.

`spaces` must be imported before torch touches CUDA, so the page imports this module first.
Arguments and yields travel between processes there: NumPy and plain types only.
"""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache, partial, wraps

import numpy as np

# `spaces` reads the variable the same way. Where it is not set the package may be installed all the
# same, and lends nothing.
if os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true"):
    import spaces
else:
    spaces = None

from kernel_demo.errors import DemoError
from kernel_demo.learning import devices, pairs, training
from kernel_demo.learning.certificate import Optimum
from kernel_demo.learning.exact import ExactSettings, learn_by_sums, train_exact
from kernel_demo.learning.model import layers
from kernel_demo.learning.statistics import accumulate
from kernel_demo.learning.training import Progress, TrainSettings
from kernel_demo.ui.components.kept import spread

# (before, after, mask) of each picture: H x W float32, and where an after pixel is to be trusted.
Pictures = Sequence[tuple[np.ndarray, np.ndarray, np.ndarray | None]]

# What a Space lends of its GPU belongs to the runs of the tab "Learn".
LAB_DEVICE = "cpu" if spaces else "auto"
GPU_SECONDS = 20  # what a run may take of a visitor's quota on ZeroGPU
# The longest run of all: a client that never reads must not hold the device. ZeroGPU would end it
# by an error, so that there it ends itself a little before.
RUN_SECONDS = GPU_SECONDS - 2.0 if spaces else 600.0


def tiles(pictures: Pictures, size: int, settings, device: str = LAB_DEVICE) -> pairs.Pairs:
    """The pictures as tiles for a size x size kernel, laid on the device.

    settings: say the side of a tile, and the seed; those that know no tiles get the usual ones.
    """
    befores, afters, masks = zip(*pictures, strict=True)
    return pairs.build(
        befores,
        afters,
        size,
        tile=getattr(settings, "tile", TrainSettings().tile),
        seed=settings.seed,
        device=devices.resolve(device),
        masks=masks,
    )


def _learn(
    pictures: Pictures,
    truth: np.ndarray,
    settings: TrainSettings | ExactSettings | None,
    resume: Progress | None = None,
    rates: Sequence[tuple[int, float | None]] = (),
    told: Sequence[int] = (),
    offset: bool = False,
) -> Iterator[Progress]:
    """Learn the true kernel (k, k) from pictures by the method that the settings stand for.

    The truth itself is used for the kernel error only. settings None: the closed form.
    There is a Progress at each step that is kept (`kept.spread`) and at those that are `told`.
    rates: (step, rate) in ascending order; from that step on the rate counts, None: the method's.
    offset: learn one as well, relative to white.
    """
    if settings is None:
        yield from learn_by_sums(pictures, truth, None, offset=offset)
        return
    if isinstance(settings, ExactSettings):
        settings = replace(settings, offset=offset)
    parts = [*rates] or [(0, settings.learning_rate)]
    ends = [step for step, _ in parts[1:]]
    wanted = {*told, *ends}
    kept = lambda step: step in wanted or spread(step, settings.steps)  # noqa: E731
    begin = _beginning(pictures, truth, settings, offset, kept)
    for (_, rate), end in zip(parts, [*ends, settings.steps + 1], strict=True):
        if resume is not None and resume.step >= end:
            continue
        with closing(begin(replace(settings, learning_rate=rate), resume=resume)) as progresses:
            for resume in progresses:
                yield resume
                if resume.step >= end:
                    break
        if resume.done:
            return


def _beginning(
    pictures: Pictures, truth: np.ndarray, settings, offset: bool, report: Callable
) -> Callable:
    """What trains at the rate of its settings, from a Progress on; pictures are prepared once."""
    size, began = len(truth), time.monotonic()
    told = {"truth": truth, "report": report}
    if isinstance(settings, TrainSettings):
        laid = tiles(pictures, size, settings, settings.device)
        told["optimum"] = cache(lambda: Optimum(accumulate(pictures, size)[0], offset))
        layer = layers.SingleConv(size, settings.init, settings.seed, offset)
        train = partial(training.train, layer, laid)
    else:
        statistics, _ = accumulate(pictures, size)
        told["spent"] = time.monotonic() - began
        train = partial(train_exact, statistics)
    return lambda settings, resume: train(
        settings, resume=resume, deadline=RUN_SECONDS - (time.monotonic() - began), **told
    )


def _shipped(*arguments) -> Iterator[Progress | DemoError]:
    """The same where an error comes out as the name of its class: its sentence is an item."""
    try:
        yield from _learn(*arguments)
    except DemoError as error:
        yield error


def _unpacked(lent: Callable) -> Callable:
    """What `_shipped` is lent as, with its errors raised on this side."""

    @wraps(lent)
    def learn(*arguments) -> Iterator[Progress]:
        with closing(lent(*arguments)) as items:
            for item in items:
                if isinstance(item, DemoError):
                    raise item
                yield item

    return learn


learn = _unpacked(spaces.GPU(duration=GPU_SECONDS)(_shipped)) if spaces else _learn
