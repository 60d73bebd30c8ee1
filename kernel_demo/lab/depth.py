"""When depth helps: one layer and a small deep network, side by side, on the same target.

Both are trained by learning.training.train(), each with the method that suits it best: the single
layer by K-FAC, which reaches the best there is for one kernel; the deep network by Adam, from that
best kernel on, so that the difference is what depth adds.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import nn

from kernel_demo.errors import DemoError
from kernel_demo.imaging.operators import OPERATORS
from kernel_demo.lab.limits import sums
from kernel_demo.learning import devices
from kernel_demo.learning.evaluation import psnr
from kernel_demo.learning.model import SingleConv
from kernel_demo.learning.pairs import Pairs, build
from kernel_demo.learning.training import Progress, TrainSettings, train

# What no single convolution can do, and how wide a window each operator looks at.
TARGETS = {"magnitude": 3, "absolute": 3, "clipped": 3, "median": 3, "threshold_unsharp": 5}
WIDTH, LAYERS = 16, 3
MIN_LAYERS, MAX_LAYERS = 2, 4
MAX_WEIGHTS = 10_000
RATES = (0.01, 0.003, 0.001)  # Adam's, a third of the steps each
TILE, BATCH = 32, 8
SHALLOW_STEPS, SHALLOW_BATCH = 60, 32  # K-FAC's
_DETAIL_GAIN, _LAST_GAIN = 5.0, 0.01  # of the first and the last layer at the start
_SHOWN = 256  # rows and columns of each held-out picture that PSNR is measured on
_PSNR_SECONDS = 0.5  # from one measurement to the next


class DeepNet(nn.Module):
    """A k x k convolution to `width` channels, then 1 x 1 convolutions with ReLU, and a shortcut.

    N x 1 x H x W -> N x 1 x (H - k + 1) x (W - k + 1). The shortcut is one more k x k kernel from
    input to output (He et al. 2016, "Deep residual learning"): the layers learn what a kernel
    cannot do. Their first kernels start with sum zero: they answer to detail, which in photos is
    far smaller than brightness, and are scaled up accordingly.
    start: (k, k), what the shortcut starts from; None: the identity.
    """

    def __init__(
        self,
        size: int,
        width: int = WIDTH,
        layers: int = LAYERS,
        seed: int = 0,
        start: np.ndarray | None = None,
    ):
        super().__init__()
        _check_layers(layers)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            body = [nn.Conv2d(1, width, size)]
            for _ in range(layers - 2):
                body += [nn.ReLU(), nn.Conv2d(width, width, 1)]
            body += [nn.ReLU(), nn.Conv2d(width, 1, 1)]
            self.body = nn.Sequential(*body)
            self.shortcut = nn.Conv2d(1, 1, size, bias=False)
        with torch.no_grad():
            nn.init.dirac_(self.shortcut.weight)
            if start is not None:
                self.shortcut.weight.copy_(torch.from_numpy(start)[None, None])
            first, last = self.body[0], self.body[-1]
            first.weight.sub_(first.weight.mean((2, 3), keepdim=True)).mul_(_DETAIL_GAIN)
            last.weight.mul_(_LAST_GAIN)
            last.bias.zero_()
        if self.weights > MAX_WEIGHTS:
            raise DemoError(
                f"at most {MAX_WEIGHTS:,} weights", f"{self.weights:,}", "Choose a smaller width."
            )

    @property
    def weights(self) -> int:
        """How many numbers are learned."""
        return sum(weight.numel() for weight in self.parameters())

    def forward(self, before: torch.Tensor) -> torch.Tensor:
        return self.shortcut(before) + self.body(before)


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
    width: int = WIDTH,
    layers: int = LAYERS,
    steps: int = 1500,
    seed: int = 0,
    deadline: float = 60.0,
    device: str = "auto",
) -> Iterator[Moment]:
    """Trains one layer and a deep network on an operator's answers, in turns.

    pictures: H x W, 0..1; a quarter of them (of one: its right third) is held out. target: a key of
    TARGETS. steps: of the deep network; the single layer needs a few dozen and then waits.
    DemoError: an unknown target, bad layers or width, pictures that are too small.
    """
    if target not in TARGETS:
        raise DemoError(f"one of {', '.join(TARGETS)}", repr(target)[:60], "Choose one of these.")
    size, operator = TARGETS[target], OPERATORS[target].apply
    trained, held = split(pictures)
    afters = [operator(one) for one in trained]
    pairs = build(trained, afters, size, TILE, seed)
    best = sums(trained, afters, size).solve()
    settings = TrainSettings(batch=BATCH, tile=TILE, seed=seed, steps=steps, device=device)
    settings = replace(settings, patience=steps)
    shallow = SingleConv(size, "zeros", seed, offset=True)
    deep = DeepNet(size, width, layers, seed, best.kernel)
    nn.init.constant_(deep.body[-1].bias, best.offset)
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


def _falling_rates(model: nn.Module, pairs: Pairs, settings: TrainSettings) -> Iterator[Progress]:
    """train() by Adam at each of RATES, each going on from where the last one ended."""
    last = None
    for number, rate in enumerate(RATES, 1):
        until = -(-settings.steps * number // len(RATES))
        stage = replace(settings, method="adam", learning_rate=rate, steps=until)
        for progress in train(model, pairs, stage, resume=last):
            last = replace(progress, steps=settings.steps)
            if not progress.done or number == len(RATES):
                yield last


def _race(shallow, deep, exam, deadline: float) -> Iterator[Moment]:
    """Draws from both runs in turns until both are done or the time is up."""
    with closing(shallow[1]), closing(deep[1]):
        started = measured = time.monotonic()
        latest = {"shallow": next(shallow[1]), "deep": next(deep[1])}
        score = {}
        while True:
            now = time.monotonic()
            done = all(one.done for one in latest.values()) or now - started >= deadline
            if done or not score or now - measured >= _PSNR_SECONDS:
                score["shallow_psnr"] = held_psnr(shallow[0], exam)
                score["deep_psnr"] = held_psnr(deep[0], exam)
                measured = now
            yield Moment(
                **latest,
                **score,
                shallow_weights=sum(weight.numel() for weight in shallow[0].parameters()),
                deep_weights=deep[0].weights,
                seconds=now - started,
                done=done,
            )
            if done:
                return
            for name, (_, run) in (("shallow", shallow), ("deep", deep)):
                latest[name] = next(run, latest[name])


@torch.no_grad()
def held_psnr(model: nn.Module, exam: Sequence[tuple[np.ndarray, np.ndarray]]) -> float:
    """PSNR in dB over all valid pixels of pairs (before, after), H x W each, on the CPU."""
    device = next(model.parameters()).device
    made, true = [], []
    for before, after in exam:
        pixels = devices.from_numpy(np.ascontiguousarray(before, np.float32))
        out = model(pixels[None, None].to(device))[0, 0].cpu().numpy()
        radius = (len(before) - len(out)) // 2
        made.append(out.ravel())
        true.append(after[radius : radius + len(out), radius : radius + out.shape[1]].ravel())
    return psnr(np.concatenate(true), np.concatenate(made))


def _check_layers(layers: int) -> None:
    if layers not in range(MIN_LAYERS, MAX_LAYERS + 1):
        raise DemoError(f"{MIN_LAYERS} to {MAX_LAYERS} layers", f"{layers}", "Choose 3.")
