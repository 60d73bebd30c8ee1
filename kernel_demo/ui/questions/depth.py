"""Question 7: one layer against a small deep network, and against three linear layers."""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np

from kernel_demo.imaging.kernels import named
from kernel_demo.imaging.operators import OPERATORS
from kernel_demo.lab import depth
from kernel_demo.numbers import duration, figure
from kernel_demo.ui.device import LAB_DEVICE as DEVICE
from kernel_demo.ui.questions import markup as html
from kernel_demo.ui.questions import models as wording

DEADLINE = 40.0  # seconds: 1500 steps take half of that on two cores
STACK_STEPS, STACK_DEADLINE = 400, 30.0
MOST_DECIBELS = 40.0  # of the chart, at least
ERROR_DECADES = (-7.0, 1.0)


def targets() -> list[tuple[str, str]]:
    """What no kernel can do, as (label, key)."""
    return [(OPERATORS[key].label, key) for key in depth.TARGETS]


def deep(pictures: Sequence[np.ndarray], target: str) -> Iterator[str]:
    """PSNR of both on held-out pictures, live."""
    curves: tuple[list, list] = ([], [])
    race = depth.compare(pictures, target, deadline=DEADLINE, device=DEVICE)
    with closing(race) as moments:
        for moment in moments:
            for curve, psnr in zip(curves, (moment.shallow_psnr, moment.deep_psnr), strict=True):
                curve.append((moment.seconds, min(psnr, 99.0)))
            yield _raced(moment, curves, OPERATORS[target].why)


def _raced(moment: depth.Moment, curves: tuple[list, list], why: str) -> str:
    lines = [
        html.Curve(wording.ONE_LAYER, curves[0], "accent"),
        html.Curve(wording.DEEP, curves[1], "warm"),
    ]
    top = max(MOST_DECIBELS, *(value for curve in curves for _, value in curve))
    ticks = [(float(tick), str(tick)) for tick in range(0, int(top) + 1, 10)]
    sides = (
        (wording.ONE_LAYER, moment.shallow_weights, moment.shallow, moment.shallow_psnr),
        (wording.DEEP, moment.deep_weights, moment.deep, moment.deep_psnr),
    )
    rows = [
        (name, f"{weights:,}".replace(",", "\u202f"), _step(run), wording.decibels(psnr))
        for name, weights, run, psnr in sides
    ]
    return html.result(
        html.chart(
            lines, (0, max(moment.seconds, 2.0)), (0, top), ticks,
            f"{duration(moment.seconds)}", wording.DEPTH_CHART,
        ),
        html.table(wording.DEPTH_TABLE, rows),
        html.sentence(wording.depth_finding(moment.shallow_psnr, moment.deep_psnr, why)),
        done=moment.done,
        step=moment.deep.step,
        shallow=moment.shallow_psnr,
        deep=moment.deep_psnr,
    )  # fmt: skip


def linear(pictures: Sequence[np.ndarray]) -> Iterator[str]:
    """Sobel by one 7 x 7 layer and by three 3 x 3 layers with nothing between them."""
    kernel = named("sobel_x").values
    curves: tuple[list, list] = ([], [])
    race = depth.compare_stack(
        pictures, kernel, steps=STACK_STEPS, deadline=STACK_DEADLINE, device=DEVICE
    )
    with closing(race) as moments:
        for moment in moments:
            sides = ((moment.single, moment.single_error), (moment.stacked, moment.stacked_error))
            for curve, (run, error) in zip(curves, sides, strict=True):
                curve.append((run.seconds, math.log10(max(error, 1e-12))))
            yield _stacked(moment, curves, kernel)


def _stacked(moment: depth.StackMoment, curves: tuple[list, list], kernel: np.ndarray) -> str:
    lines = [
        html.Curve(wording.SINGLE, curves[0], "accent"),
        html.Curve(wording.STACKED, curves[1], "warm"),
    ]
    last = max(moment.single.seconds, moment.stacked.seconds, 1.0)
    ticks = [(float(decade), wording.power(decade)) for decade in range(-7, 2, 2)]
    sides = (
        (wording.SINGLE, depth.STACK_SIZE**2, moment.single, moment.single_error),
        (
            wording.STACKED, sum(factor.size for factor in moment.factors),
            moment.stacked, moment.stacked_error,
        ),
    )  # fmt: skip
    rows = [
        (name, str(weights), _step(run), duration(run.seconds), figure(error))
        for name, weights, run, error in sides
    ]
    truth = np.pad(kernel, (depth.STACK_SIZE - len(kernel)) // 2)
    products = [(wording.THEIR_PRODUCT, moment.product), (wording.TARGET_KERNEL, truth)]
    return html.result(
        html.chart(
            lines, (0, last), ERROR_DECADES, ticks, duration(last), wording.STACK_CHART
        ),
        html.table(wording.STACK_TABLE, rows),
        html.matrices(list(zip(wording.FACTORS, moment.factors, strict=True)), "∗∗"),
        html.matrices(products, "≈"),
        html.sentence(wording.stack_finding(moment.single_error, moment.stacked_error), "warm"),
        done=moment.done,
        step=moment.stacked.step,
        single=moment.single_error,
        stacked=moment.stacked_error,
    )  # fmt: skip


def _step(run) -> str:
    return f"{run.step}" if not run.done else f"{run.step}, {wording.FINISHED}"
