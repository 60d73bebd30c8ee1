"""Questions 4 to 7: what makes it fast, what makes it small, when to stop, and depth."""

import math
from collections.abc import Iterator, Sequence
from contextlib import closing

import numpy as np

from kernel_demo.errors import one_of
from kernel_demo.export.compression import KINDS, Compressed, Effect, compress
from kernel_demo.export.compression import measure as measure_effect
from kernel_demo.imaging.kernels import named, resolve
from kernel_demo.lab import depth
from kernel_demo.lab.speed import Row, rows
from kernel_demo.lab.stopping import RULES, Moment, watch
from kernel_demo.numbers import at_most, count, duration, figure
from kernel_demo.ui.components import chart
from kernel_demo.ui.device import LAB_DEVICE as DEVICE
from kernel_demo.ui.html import CERTIFICATE, quiet
from kernel_demo.ui.questions import markup
from kernel_demo.ui.questions.card import LEARNED, TRUE, Answer, answer

STEPS = 1500  # of question 6
DEADLINE = 40.0  # seconds: 1500 steps of question 7 take half of that on two cores
STACK_STEPS, STACK_DEADLINE = 400, 30.0
DECADES = (-4, 1)  # of the chart of question 6
STACK_DECADES = (-7, 1)
TEN, MOST_DECIBELS = 10, 40  # of the chart of question 7: a line at every ten, to 40 at least
FACTORS_SHOWN = 1  # a kernel of a higher rank is told in words


# 4. Speed

SPEED_TABLE = ("Way", "device", "steps", "seconds", "Mpx per second", "kernel error")
SPEED_WAYS = {
    "one_tile": "one tile a step",
    "batch": "32 tiles a step",
    "accumulation": "4 × 8 tiles a step",
    "mixed_precision": "32 tiles, mixed precision",
    "cpu": "32 tiles, on the processor",
    "eager": "apply, call by call",
    "cuda_graph": "apply, as a CUDA graph",
    "sums": "exact sums, one pass",
}


SPEED_NOTE = (
    "All that learn here have the same answers, 32-bit floats, which hold seven digits: that is "
    "what is left as the error of the exact sums. Question 1 takes whole numbers, whose sums have "
    "no rounding at all."
)


def measure(pictures: Sequence[np.ndarray]) -> Iterator[Answer]:
    """Ways to learn, timed on this machine: the table, a row longer each time."""
    measured: list[Row] = []
    with closing(rows(pictures, named("sobel_x").values, device=DEVICE)) as timed:
        for row in timed:
            measured.append(row)
            yield answer(_speed_table(measured), done=False, rows=len(measured))
    learned = [row for row in measured if row.kernel_error is not None]
    best = min(learned, key=lambda row: row.kernel_error)
    fastest = max(measured, key=lambda row: row.megapixels_per_second)
    yield answer(
        _speed_table(measured),
        quiet(SPEED_NOTE),
        finding=f"Most pixels per second: {SPEED_WAYS[fastest.key]}. Nearest to the true kernel: "
        f"{SPEED_WAYS[best.key]}, {figure(best.kernel_error)} after {duration(best.seconds)}.",
        rows=len(measured),
    )


def _speed_table(measured: Sequence[Row]) -> str:
    cells = [
        (
            SPEED_WAYS[row.key],
            row.device,
            str(row.steps),
            duration(row.seconds),
            figure(row.megapixels_per_second),
            figure(row.kernel_error),
        )
        for row in measured
    ]
    return markup.table(SPEED_TABLE, cells)


# 5. Small

SMALL_KERNELS = {
    "sobel_x 3": "Sobel x 3 × 3",
    "gaussian 9": "Gaussian 9 × 9",
    "sharpen 3": "Sharpen 3 × 3",
    "log 9": "Laplacian of Gaussian 9 × 9",
    "random 7": "Random 7 × 7",
}
SMALL_TABLE = (
    "Stored as", "bytes", "kernel error", "output error, grey levels", "products a pixel", "time",
)  # fmt: skip
SMALL_NOTE = (
    "Where the output is off and the kernel is not, that is the rounding of 32-bit sums. All but "
    "the last are made 32-bit floats again to be applied: small numbers save memory, not time."
)
SMALL_KINDS = {
    "float32": "32-bit floats",
    "float16": "16-bit floats",
    "bfloat16": "bfloat16",
    "int8": "8-bit integers, one scale",
    "int4": "4-bit integers, one scale",
    "separable": "columns and rows, 32-bit floats",
}


def resolved(choice: str) -> np.ndarray:
    """The kernel of a choice: its name and size."""
    name, size = choice.split()
    return resolve(name, size=int(size)).values


def small(pictures: Sequence[np.ndarray], choice: str) -> Iterator[Answer]:
    """A kernel as each of KINDS: bytes, errors and time on the first picture.

    choice: a key of SMALL_KERNELS.
    """
    kernel = resolved(one_of("a kernel of the list", choice, SMALL_KERNELS))
    stored = {kind: compress(kernel, kind) for kind in KINDS}
    effects = {kind: measure_effect(kernel, one, pictures[0]) for kind, one in stored.items()}
    eight, effect, separable = stored["int8"], effects["int8"], stored["separable"]
    integers, scale, _ = eight.stored
    columns, rows = separable.stored
    whole = f"8-bit integers, times {figure(float(scale))}"
    yield answer(
        markup.table(SMALL_TABLE, [_small_cells(stored[kind], effects[kind]) for kind in KINDS]),
        quiet(SMALL_NOTE),
        markup.matrices([(TRUE, kernel), (whole, integers.astype(float))], one_scale=False),
        markup.product(columns[:, 0], rows[0], ("column", "row"))
        if separable.rank <= FACTORS_SHOWN
        else "",
        finding=small_finding(
            eight.largest_error, effect.output_error, separable.rank, len(kernel)
        ),
        int8_error=eight.largest_error,
        int8_output=effect.output_error,
        rank=separable.rank,
    )


def _small_cells(one: Compressed, effect: Effect) -> tuple[str, ...]:
    return (
        SMALL_KINDS[one.kind],
        str(one.bytes),
        figure(one.largest_error),
        figure(effect.output_error),
        effect.passes,
        f"{effect.seconds * 1e3:.1f}\N{NO-BREAK SPACE}ms",
    )


def small_finding(eight_bit_error: float, output: float, rank: int, size: int) -> str:
    """What 8 bits cost, and what columns and rows spare."""
    eight = (
        "8-bit integers keep it exactly"
        if eight_bit_error == 0
        else f"8-bit integers changed the first picture by at most {at_most(output)} grey levels"
    )
    if rank == 1:
        return f"{eight}; and it is one column times one row: {2 * size} numbers for {size**2}."
    if rank * 2 < size:
        return (
            f"{eight}; and it is the sum of {rank} columns times rows: {2 * size * rank} numbers "
            f"for {size**2}."
        )
    return f"{eight}; as columns and rows it would need {rank} of each: no gain."


# 6. Complete

RULES_SAY = {
    "loss": "The loss is small: less than 1 % of the variance is left",
    "validation": "The curve is flat: 100 steps gained less than 1 % of its start",
    "patience": "Patience is lost: 50 steps gained less than 0.1 % of its start",
}
LOSS_SHARE = "loss, as a share of the variance (1: as a plain grey picture would do; 10⁻² is 1 %)"
RULES_TABLE = (
    "Rule", "“complete” at step", "left of the variance then", "kernel error then, at most",
)  # fmt: skip


def watch_rules(pictures: Sequence[np.ndarray]) -> Iterator[Answer]:
    """Sobel by Adam, asking three usual rules as it goes whether it is complete."""
    kernel = named("sobel_x").values
    curves = {LOSS_SHARE: [], "kernel error": []}
    run = watch(pictures, kernel, steps=STEPS, deadline=DEADLINE, device=DEVICE)
    with closing(run) as moments:
        for moment in moments:
            values = moment.loss_share, moment.progress.kernel_error
            for curve, value in zip(curves.values(), values, strict=True):
                curve.append((moment.progress.step, value))
            yield _watched(moment, curves, kernel)


def _watched(moment: Moment, curves: dict[str, list], kernel: np.ndarray) -> Answer:
    progress = moment.progress
    facts = (
        (_left(curves[LOSS_SHARE][0][1]), "of the variance was left as loss at the start"),
        (_left(moment.loss_share), "of the variance is left as loss, now"),
        (at_most(progress.kernel_error), "largest weight error, at most, now"),
        (
            figure(moment.distance),
            f"standard errors from the best kernel, now: what “{CERTIFICATE}” goes by",
        ),
    )
    cells = {
        verdict.rule: (str(verdict.step), _left(verdict.loss_share), at_most(verdict.kernel_error))
        for verdict in moment.verdicts
    }
    return answer(
        markup.beside(
            markup.matrices([(TRUE, kernel), (LEARNED, progress.kernel)], decimals=2),
            chart.html(
                "Both fall, but not together", curves, DECADES, "step {}", done=moment.done
            ),
        ),
        markup.table(
            RULES_TABLE,
            [(RULES_SAY[rule], *cells.get(rule, ("not yet", "–", "–"))) for rule in RULES],
        ),
        markup.facts(facts),
        finding=complete_finding(moment.verdicts, moment.done),
        tone="warm",
        done=moment.done,
        step=progress.step,
        verdicts=len(moment.verdicts),
        kernel_error=progress.kernel_error,
    )  # fmt: skip


def _left(share: float) -> str:
    """A share of the variance, which may be more than all of it: a start is worse than grey."""
    return f"{figure(100 * share)} %"


def complete_finding(verdicts, done: bool) -> str:
    """Which rules have called it complete, and with which error."""
    if not verdicts:
        return "No rule has called it complete so far."
    worst = max(verdict.kernel_error for verdict in verdicts)
    whose = "All three rules" if len(verdicts) == len(RULES) else f"{len(verdicts)} of 3 rules"
    told = (
        f"{whose} had called it complete by step {verdicts[-1].step}, with weights off by up to "
        f"{at_most(worst)}."
    )
    return f"{told} What does tell is “{CERTIFICATE}” on the tab Learn." if done else told


# 7. Depth

DEPTH_TABLE = ("Model", "weights", "step", "PSNR on pictures held out")
ONE_LAYER, DEEP = "one layer", "deep network, three layers"
STACK_TABLE = ("Model", "weights", "step", "seconds", "kernel error")
SINGLE, STACKED = "one 7 × 7 layer", "three 3 × 3 layers"
TARGETS = {key: target.label for key, target in depth.TARGETS.items()}  # what no kernel can do
FACTORS = ("first layer", "second", "third")


def deep(pictures: Sequence[np.ndarray], target: str) -> Iterator[Answer]:
    """One layer against a small deep network: PSNR of both on held-out pictures, live."""
    curves = {ONE_LAYER: [], DEEP: []}
    race = depth.compare(pictures, target, deadline=DEADLINE, device=DEVICE)
    with closing(race) as moments:
        for moment in moments:
            curves[ONE_LAYER].append((moment.seconds, min(moment.shallow_psnr, 99.0)))
            curves[DEEP].append((moment.seconds, min(moment.deep_psnr, 99.0)))
            yield _raced(moment, curves, depth.TARGETS[target].why)


def _raced(moment: depth.Moment, curves: dict[str, list], why: str) -> Answer:
    best = max(value for curve in curves.values() for _, value in curve)
    top = max(MOST_DECIBELS, TEN * math.ceil(best / TEN))
    sides = (
        (ONE_LAYER, moment.shallow_weights, moment.shallow, moment.shallow_psnr),
        (DEEP, moment.deep_weights, moment.deep, moment.deep_psnr),
    )
    rows = [
        (name, count(weights), _step(run), _decibels(psnr)) for name, weights, run, psnr in sides
    ]
    return answer(
        chart.html(
            "PSNR, dB, on pictures held out", curves, (0, top), "{} s", every=TEN,
            done=moment.done,
        ),
        markup.table(DEPTH_TABLE, rows),
        finding=depth_finding(moment.shallow_psnr, moment.deep_psnr, why),
        done=moment.done,
        step=moment.deep.step,
        shallow=moment.shallow_psnr,
        deep=moment.deep_psnr,
    )  # fmt: skip


def depth_finding(shallow: float, deep: float, why: str) -> str:
    """How much better the deep network is, as it is written."""
    gain = round(deep, 1) - round(shallow, 1)  # of the figures in the table
    if gain >= 3:
        return f"{why} The deep network is {gain:.1f} dB better, on pictures it has never seen."
    if gain >= 0.05:  # that is, 0.1 as it is written
        return f"{why} So far the deep network is {gain:.1f} dB better."
    return f"{why} So far the deep network is no better."


def linear(pictures: Sequence[np.ndarray]) -> Iterator[Answer]:
    """Sobel by one 7 x 7 layer and by three 3 x 3 layers with nothing between them."""
    kernel = named("sobel_x").values
    curves = {SINGLE: [], STACKED: []}
    race = depth.compare_stack(
        pictures, kernel, steps=STACK_STEPS, deadline=STACK_DEADLINE, device=DEVICE
    )
    with closing(race) as moments:
        for moment in moments:
            curves[SINGLE].append((moment.single.seconds, moment.single_error))
            curves[STACKED].append((moment.stacked.seconds, moment.stacked_error))
            yield _stacked(moment, curves, kernel)


def _stacked(moment: depth.StackMoment, curves: dict[str, list], kernel: np.ndarray) -> Answer:
    weights = sum(factor.size for factor in moment.factors)
    sides = (
        (SINGLE, depth.STACK_SIZE**2, moment.single, moment.single_error),
        (STACKED, weights, moment.stacked, moment.stacked_error),
    )
    rows = [
        (name, str(weights), _step(run), duration(run.seconds), figure(error))
        for name, weights, run, error in sides
    ]
    truth = np.pad(kernel, (depth.STACK_SIZE - len(kernel)) // 2)
    products = [("the one kernel that they are", moment.product), ("true, framed by zeros", truth)]
    further = ""
    if moment.stacked_error > moment.single_error:
        ratio = moment.stacked_error / moment.single_error
        further = f"{figure(ratio)} times further from the truth "
    return answer(
        chart.html("Kernel error of Sobel", curves, STACK_DECADES, "{} s", done=moment.done),
        markup.table(STACK_TABLE, rows),
        markup.matrices(list(zip(FACTORS, moment.factors, strict=True)), "∗∗"),
        markup.matrices(products, "≈"),
        finding="Without a bend between them, three layers are one kernel, "
        f"{further}for all their trouble.",
        tone="warm",
        done=moment.done,
        step=moment.stacked.step,
        single=moment.single_error,
        stacked=moment.stacked_error,
    )  # fmt: skip


def _decibels(value: float) -> str:
    return "∞" if value == float("inf") else f"{value:.1f} dB".replace("-", "−")


def _step(run) -> str:
    return f"{run.step}, finished" if run.done else f"{run.step}"
