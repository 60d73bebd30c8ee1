"""What questions 4 to 7 say: speed, a small model, when to stop, depth."""

from kernel_demo.numbers import at_most, duration, figure
from kernel_demo.ui.learn.certificate_words import TITLE as CERTIFICATE

TRUE, LEARNED = "true", "learned"
STEP = "step"
FINISHED = "finished"


def power(decade: int) -> str:
    """10⁻³, for an axis."""
    if decade in (0, 1):
        return str(10**decade)
    return "10" + str(decade).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


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


def speed_finding(rows) -> str:
    learned = [row for row in rows if row.kernel_error is not None]
    best = min(learned, key=lambda row: row.kernel_error)
    fastest = max(rows, key=lambda row: row.megapixels_per_second)
    return (
        f"Most pixels per second: {SPEED_WAYS[fastest.key]}. Nearest to the true kernel: "
        f"{SPEED_WAYS[best.key]}, {figure(best.kernel_error)} after {duration(best.seconds)}."
    )


# 5. Small
KERNEL = "Kernel"
SMALL_TABLE = (
    "Stored as",
    "bytes",
    "kernel error",
    "output error, grey levels",
    "products a pixel",
    "time",
)
SMALL_KINDS = {
    "float32": "32-bit floats",
    "float16": "16-bit floats",
    "bfloat16": "bfloat16",
    "int8": "8-bit integers, one scale",
    "int4": "4-bit integers, one scale",
    "separable": "columns and rows, 32-bit floats",
}
SMALL_KERNELS = {
    "sobel_x 3": "Sobel x 3 × 3",
    "gaussian 9": "Gaussian 9 × 9",
    "sharpen 3": "Sharpen 3 × 3",
    "log 9": "Laplacian of Gaussian 9 × 9",
    "random 7": "Random 7 × 7",
}
COLUMN, ROW = "column", "row"


def small_finding(eight_bit_error: float, output: float, rank: int, size: int) -> str:
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


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def integers(scale: float) -> str:
    return f"8-bit integers, times {figure(scale)}"


# 6. Complete
RULES = {
    "loss": "The loss is small: 99 % explained",
    "validation": "The validation curve is flat",
    "patience": "Patience: 50 steps without progress",
}
RULES_TABLE = ("Rule", "“complete” at step", "loss then", "kernel error then")
STILL_WATCHING = "not yet"
STANDARD_ERRORS = "standard errors from the best: the certificate's measure, now"
LOSS_SHARE = "of the variance not explained, now"
ERROR_NOW = "largest weight error, now"
LOSS_CURVE, ERROR_CURVE = "share of variance not explained", "kernel error"
OPEN_CERTIFICATE = f"Open “{CERTIFICATE}”"
COMPLETE_CHART = "Both fall, but not together"


def complete_finding(verdicts, done: bool) -> str:
    if not verdicts:
        return "No rule has called it complete so far."
    worst = max(verdict.kernel_error for verdict in verdicts)
    last = verdicts[-1].step
    whose = "All three rules" if len(verdicts) == len(RULES) else f"{len(verdicts)} of 3 rules"
    return (
        f"{whose} had called it complete by step {last}, with weights off by up to "
        f"{at_most(worst)}. "
        + (f"What does tell is “{CERTIFICATE}” on the tab Learn." if done else "")
    ).strip()


# 7. Depth
TARGET = "Filter to learn"
DEPTH_TABLE = ("Model", "weights", "step", "PSNR on pictures held out")
ONE_LAYER, DEEP = "one layer", "deep network, three layers"
DEPTH_CHART = "PSNR, dB, on pictures held out"
STACK = "And the opposite: three linear layers"
STACK_CHART = "Kernel error of Sobel"
SINGLE, STACKED = "one 7 × 7 layer", "three 3 × 3 layers"
STACK_TABLE = ("Model", "weights", "step", "seconds", "kernel error")
FACTORS = ("first layer", "second", "third")
THEIR_PRODUCT = "the one kernel that they are"
TARGET_KERNEL = "true, framed by zeros"


def decibels(value: float) -> str:
    return "∞" if value == float("inf") else f"{value:.1f} dB".replace("-", "−")


def depth_finding(shallow: float, deep: float, why: str) -> str:
    gain = deep - shallow
    if gain >= 3:
        return f"{why} The deep network is {gain:.1f} dB better, on pictures it has never seen."
    if gain >= 0.05:  # that is, 0.1 as it is written
        return f"{why} So far the deep network is {gain:.1f} dB better."
    return f"{why} So far the deep network is no better."


def stack_finding(single: float, stacked: float) -> str:
    return (
        "Without a bend between them, three layers are one kernel, "
        + (f"{figure(stacked / single)} times further from the truth " if stacked > single else "")
        + "for all their trouble."
    )
