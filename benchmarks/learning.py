"""A known kernel learned from the bundled photos: how exactly, in how many steps, how fast."""

import time
from itertools import takewhile
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from kernel_demo.imaging.kernels import CATALOGUE, named, random
from kernel_demo.learning import devices
from kernel_demo.learning.choices import default_rate
from kernel_demo.learning.layers import SingleConv
from kernel_demo.learning.pairs import build, teacher
from kernel_demo.learning.training import TrainSettings, train

TITLE = "Learning a known kernel"
EXAMPLES = Path(__file__).parents[1] / "examples"
STEPS = 100
RANDOM_SIZES = (3, 5, 7, 9, 15)
# On which Adam and SGD are tried at each of their rates.
SEARCHED = ("Sobel x 3 × 3", "Random 9 × 9, seed 0", "Random 15 × 15, seed 0")
RATES = {  # those of SGD are times 1 / k^2
    "adam": (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0),
    "sgd": (0.2, 0.5, 1.0, 1.8, 3.0, 4.5, 6.0, 8.0),
}
ADAM_STEPS = 3000  # within which Adam, at each of its rates, may reach 1e-4
NEAR = 0.1  # its rate that is tried first
TIMED_STEPS = {3: 200, 9: 120, 15: 60}  # by the size of the kernel
ROUNDS = 3
ENDLESS = 100_000


def run(report):
    photos = load_photos()
    _kernel_errors(report, photos)
    _every_size(report, photos)
    _time_to_learn(report, photos)
    _first_progress(report, photos)
    for size, steps in TIMED_STEPS.items():
        _steps_a_second(report, photos, size, steps)
    pixels = sum(photo.size for photo in photos) / 1e6
    report.note(
        f"{devices.name(devices.best())}; {len(photos)} bundled photos, {pixels:.1f} Mpx, grey; "
        "batches of 32 tiles of 64 x 64; the same start, batches and steps for every method; on "
        f"{', '.join(SEARCHED)} Adam at the best of {len(RATES['adam'])} rates, SGD at that of "
        f"{len(RATES['sgd'])}, else both at the page's."
    )


def load_photos():
    """The bundled photos, grey, H x W float32 in 0..1: by OpenCV, for machines without Pillow."""
    files = sorted(EXAMPLES.glob("*.jpg"))
    pictures = [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE) for file in files]
    return [picture.astype(np.float32) / 255 for picture in pictures]


def tiles(photos, kernel, device="auto"):
    device = devices.resolve(device)
    return build(photos, teacher(photos, kernel), kernel.size, device=device)


def learn(tiles, kernel, method="kfac", rate=None, steps=STEPS, device="auto"):
    """Every Progress of a run."""
    settings = TrainSettings(method, rate, steps=steps, patience=ENDLESS, device=device)
    return train(SingleConv(kernel.size), tiles, settings, truth=kernel.values)


def seconds_to(
    error, tiles, kernel, method="kfac", rate=None, steps=STEPS, device="auto", within=np.inf
):
    """Until the kernel error is that small, checks and reports included; inf: not within so many
    steps or seconds."""
    run = learn(tiles, kernel, method, rate, steps, device)
    timely = takewhile(lambda p: p.seconds <= within, run)
    return next((p.seconds for p in timely if p.kernel_error <= error), np.inf)


def _nearest(laid, kernel, method):
    """The smallest kernel error after STEPS steps, and the rate that gave it."""
    rates = [default_rate(method, kernel.size)]
    if kernel.name in SEARCHED:
        rates = [rate / kernel.size**2 if method == "sgd" else rate for rate in RATES[method]]
    results = []
    for rate in rates:
        *_, last = learn(laid, kernel, method, rate)
        if np.isfinite(last.kernel_error):
            results.append((last.kernel_error, rate))
    return min(results)


def _kernel_errors(report, photos):
    """Each named kernel at its smallest size, and random ones, beside Adam and SGD."""
    chosen = [named(key, min(entry.sizes)) for key, entry in CATALOGUE.items()]
    for kernel in [*chosen, *(random(size, seed=0) for size in RANDOM_SIZES)]:
        laid = tiles(photos, kernel)
        *_, last = learn(laid, kernel)
        others = {method: _nearest(laid, kernel, method) for method in RATES}
        report.row(
            f"kernel error, {kernel.name}",
            asked=f"<= 1e-5 in {STEPS} steps",
            got=f"{last.kernel_error:.0e} in {last.step} steps",
            beside=", ".join(
                f"{method.upper() if method == 'sgd' else 'Adam'} {error:.2g} (rate {rate:.2g})"
                for method, (error, rate) in others.items()
            ),
            met=last.kernel_error <= 1e-5,
        )


def _every_size(report, photos):
    """K-FAC alone, each named kernel at each of its larger sizes: the worst."""
    worst, where, count = 0.0, "", 0
    for key, entry in CATALOGUE.items():
        for size in sorted(entry.sizes)[1:]:
            kernel = named(key, size)
            *_, last = learn(tiles(photos, kernel), kernel)
            worst, where = max((worst, where), (last.kernel_error, kernel.name))
            count += 1
    report.row(
        f"kernel error, all {count} larger sizes of named kernels: the worst",
        asked=f"<= 1e-5 in {STEPS} steps",
        got=f"{worst:.0e} ({where})",
        met=worst <= 1e-5,
    )


def _time_to_learn(report, photos, error=1e-4):
    """Seconds until the kernel error is 1e-4, checks and reports included, once warm."""
    kernel = named("sobel_x")
    laid = tiles(photos, kernel)

    ours = np.median([seconds_to(error, laid, kernel) for _ in range(1 + ROUNDS)])
    adam, best = np.inf, None
    for rate in sorted(RATES["adam"], key=lambda rate: abs(np.log(rate / NEAR))):
        # A rate that has taken longer than another one is not the best.
        seconds = seconds_to(error, laid, kernel, "adam", rate, ADAM_STEPS, within=adam)
        adam, best = min((adam, best), (seconds, rate), key=lambda tried: tried[0])
    if np.isfinite(adam):
        words = f"Adam {adam:.2f} s (rate {best}): {adam / ours:.0f}x"
    else:
        words = f"Adam not within {ADAM_STEPS} steps at any of {len(RATES['adam'])} rates"
    report.row(
        "seconds to kernel error 1e-4, Sobel x 3x3",
        asked=">= 10x fewer than Adam at its best rate",
        got=f"{ours:.3f} s",
        beside=words,
        met=adam >= 10 * ours,
    )


def _first_progress(report, photos):
    """From the call, the tiles lying on the device, to the first Progress, once warm."""
    kernel = named("sobel_x")
    laid = tiles(photos, kernel)
    taken = []
    for _ in range(1 + ROUNDS):
        start = time.perf_counter()
        run = learn(laid, kernel)
        next(run)
        taken.append(time.perf_counter() - start)
        run.close()
    report.row("call to first Progress, warm", got=f"{np.median(taken[1:]) * 1e3:.0f} ms")


def _steps_a_second(report, photos, size, steps):
    """Adam through train(), its checks and reports included, against a plain PyTorch loop.

    The best of several rounds each, in turns: what else the machine does only slows down.
    """
    kernel = random(size, seed=0)
    laid, afters = tiles(photos, kernel), teacher(photos, kernel)
    ours, plain, kfac = [], [], []
    for _ in range(ROUNDS):  # in turns, so that a busy moment hits both
        ours.append(steps / _timed(drain, laid, kernel, "adam", steps))
        plain.append(steps / _timed(plain_loop, photos, afters, size, steps))
        kfac.append(steps / 4 / _timed(drain, laid, kernel, "kfac", steps // 4))
    ratio = max(ours) / max(plain)
    report.row(
        f"steps a second, Adam, {size}x{size}",
        asked=">= 2x a plain PyTorch loop",
        got=f"{max(ours):.0f}",
        beside=f"plain loop {max(plain):.0f}: {ratio:.1f}x; K-FAC {max(kfac):.0f}",
        met=ratio >= 2,
    )


def _timed(function, *arguments):
    start = time.perf_counter()
    function(*arguments)
    return time.perf_counter() - start


def drain(tiles, kernel, method, steps, device="auto"):
    for _ in learn(tiles, kernel, method, steps=steps, device=device):
        pass


def plain_loop(befores, afters, size, steps, device="auto"):
    """What people write: random crops cut in NumPy, Conv2d, mean squared error, Adam."""
    device = devices.resolve(device)
    rng = np.random.default_rng(0)
    conv = nn.Conv2d(1, 1, size, bias=False).to(device)
    optimizer = torch.optim.Adam(conv.parameters(), lr=0.01)
    for _ in range(steps):
        x, y = (part.to(device) for part in crops(befores, afters, size, rng))
        optimizer.zero_grad()
        loss = nn.functional.mse_loss(conv(x), y)
        loss.backward()
        optimizer.step()
    loss.item()  # waits for the GPU


def crops(befores, afters, size, rng, batch=32, tile=64):
    """A batch of random crops and what the filter made of them, as tensors on the host."""
    radius = size // 2
    x, y = [], []
    for picture in rng.integers(len(befores), size=batch):
        before, after = befores[picture], afters[picture]
        top = rng.integers(before.shape[0] - tile - size + 2)
        left = rng.integers(before.shape[1] - tile - size + 2)
        x.append(before[top : top + tile + size - 1, left : left + tile + size - 1])
        inner = (
            slice(top + radius, top + radius + tile),
            slice(left + radius, left + radius + tile),
        )
        y.append(after[inner])
    return tuple(torch.from_numpy(np.stack(part)[:, None]) for part in (x, y))
