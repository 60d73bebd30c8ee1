"""What makes it fast: a small table, measured on this very machine."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kernel_demo.learning import devices
from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.learning.late import torch
from kernel_demo.learning.model import layers
from kernel_demo.learning.pairs import Pairs, build, teacher
from kernel_demo.learning.statistics import accumulate
from kernel_demo.learning.training import TrainSettings, train

SECONDS = 1.0  # for each row
TILE = 64
BATCH = 32
MAX_STEPS = 300
APPLICATIONS = 200


@dataclass(frozen=True)
class Row:
    """One way to learn the kernel, and how far it came in its second."""

    key: str  # which: see rows()
    device: str  # its name
    batch: int  # tiles a forward pass; 0: whole pictures
    accumulation: int  # forward passes a step
    steps: int
    seconds: float
    megapixels_per_second: float  # pixels of the after pictures that were learned from
    kernel_error: float | None  # largest weight error at the end; None: nothing was learned


def rows(
    pictures: Sequence[np.ndarray], kernel: np.ndarray, *, device: str = "auto", seed: int = 0
) -> Iterator[Row]:
    """Measures on pictures (H x W, 0..1), at most SECONDS a row.

    Learning by K-FAC: one_tile, batch, accumulation, mixed_precision (where the device has
    bfloat16) and cpu (where the device is another); applying, where there is CUDA: eager and
    cuda_graph; and sums, the exact way. DemoError where build() or train() finds fault.
    """
    pairs = build(pictures, teacher(pictures, kernel), len(kernel), TILE, seed)
    usual = TrainSettings(
        batch=BATCH, tile=TILE, steps=MAX_STEPS, patience=MAX_STEPS, seed=seed, device=device
    )
    chosen = devices.resolve(device)
    ways = {
        "one_tile": replace(usual, batch=1),
        "batch": usual,
        "accumulation": replace(usual, batch=8, accumulation=4),
    }
    if devices.half_precision(chosen) is not None:
        ways["mixed_precision"] = replace(usual, mixed_precision=True)
    if chosen.type != "cpu":
        ways["cpu"] = replace(usual, device="cpu")
    for key, settings in ways.items():
        yield _trained(key, pairs, kernel, settings)
    if chosen.type == "cuda":
        yield from _applied(pairs.before[:BATCH].to(chosen), len(kernel), seed)
    yield _summed(pictures, kernel)


def _trained(key: str, pairs: Pairs, kernel: np.ndarray, settings: TrainSettings) -> Row:
    model = layers.SingleConv(len(kernel), settings.init, settings.seed)
    run = train(model, pairs, settings, truth=kernel, deadline=SECONDS)
    first = last = next(run)
    for last in run:  # noqa: B007 - the last one is what counts
        pass
    tiles = min(settings.batch * settings.accumulation, len(pairs.training))
    seconds = max(last.seconds - first.seconds, 1e-9)
    pixels = last.step * tiles * TILE**2
    return Row(
        key,
        last.device,
        settings.batch,
        settings.accumulation,
        last.step,
        seconds,
        pixels / seconds / 1e6,
        last.kernel_error,
    )


def _applied(before: torch.Tensor, size: int, seed: int) -> Iterator[Row]:
    """The layer on one batch, launched call by call, and replayed as one CUDA graph.

    A small convolution takes less time than its launch: a graph launches all of it at once.
    https://pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
    """
    layer = layers.SingleConv(size, seed=seed).requires_grad_(False).to(before.device)
    side = torch.cuda.Stream()  # capture needs a layer that ran before, on a stream of its own
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        layer(before)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        layer(before)
    for key, call in (("eager", lambda: layer(before)), ("cuda_graph", graph.replay)):
        torch.cuda.synchronize()
        start = time.perf_counter()
        for _ in range(APPLICATIONS):
            call()
        torch.cuda.synchronize()
        seconds = time.perf_counter() - start
        pixels = len(before) * TILE**2 * APPLICATIONS
        name = devices.name(before.device)
        yield Row(key, name, len(before), 1, APPLICATIONS, seconds, pixels / seconds / 1e6, None)


def _summed(pictures: Sequence[np.ndarray], kernel: np.ndarray) -> Row:
    """One pass of exact sums over whole pictures, and the closed form."""
    afters = teacher(pictures, kernel)
    start = time.perf_counter()
    statistics, _ = accumulate(zip(pictures, afters, strict=True), len(kernel))
    solution = statistics.solve(offset=False)
    seconds = time.perf_counter() - start
    return Row(
        "sums",
        devices.name("cpu"),
        0,
        1,
        1,
        seconds,
        statistics.count / seconds / 1e6,
        kernel_error(solution.kernel, kernel),
    )
