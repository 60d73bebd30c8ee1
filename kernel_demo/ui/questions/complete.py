"""Question 6: three usual ways to decide that training is complete, and what they miss."""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np

from kernel_demo.imaging.kernels import named
from kernel_demo.lab.stopping import RULES, Moment, watch
from kernel_demo.numbers import figure
from kernel_demo.ui.device import LAB_DEVICE as DEVICE
from kernel_demo.ui.questions import markup as html
from kernel_demo.ui.questions import models as wording

STEPS = 1500
DEADLINE = 40.0  # seconds
DECADES = (-4.0, 1.0)  # of the chart


def watch_rules(pictures: Sequence[np.ndarray]) -> Iterator[str]:
    """Sobel by Adam, asking each rule as it goes."""
    kernel = named("sobel_x").values
    losses, errors = [], []
    run = watch(pictures, kernel, steps=STEPS, deadline=DEADLINE, device=DEVICE)
    with closing(run) as moments:
        for moment in moments:
            step = moment.progress.step
            losses.append((step, math.log10(max(moment.loss_share, 1e-12))))
            errors.append((step, math.log10(max(moment.progress.kernel_error, 1e-12))))
            yield _shown(moment, losses, errors, kernel)


def _shown(moment: Moment, losses: list, errors: list, kernel: np.ndarray) -> str:
    progress = moment.progress
    curves = [
        html.Curve(wording.LOSS_CURVE, losses, "accent"),
        html.Curve(wording.ERROR_CURVE, errors, "warm"),
    ]
    last = max(progress.step, 100)
    ticks = [(float(decade), wording.power(decade)) for decade in range(-4, 2)]
    shown = [(wording.TRUE, kernel), (wording.LEARNED, progress.kernel)]
    figures = (
        (f"{moment.loss_share:.2%}", wording.LOSS_SHARE),
        (figure(progress.kernel_error), wording.ERROR_NOW),
        (figure(moment.distance), wording.STANDARD_ERRORS),
    )
    return html.result(
        html.beside(
            html.matrices(shown, decimals=2),
            html.chart(
                curves, (0, last), DECADES, ticks,
                f"{wording.STEP} {progress.step}", wording.COMPLETE_CHART,
            ),
        ),
        html.table(wording.RULES_TABLE, _rows(moment)),
        html.facts(figures),
        html.sentence(wording.complete_finding(moment.verdicts, moment.done), "warm"),
        done=moment.done,
        step=progress.step,
        verdicts=len(moment.verdicts),
        kernel_error=progress.kernel_error,
    )  # fmt: skip


def _rows(moment: Moment) -> list[tuple[str, ...]]:
    said = {verdict.rule: verdict for verdict in moment.verdicts}
    rows = []
    for rule in RULES:
        verdict = said.get(rule)
        cells = (wording.STILL_WATCHING, "–", "–")
        if verdict:
            cells = (str(verdict.step), figure(verdict.loss), figure(verdict.kernel_error))
        rows.append((wording.RULES[rule], *cells))
    return rows
