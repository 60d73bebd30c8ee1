"""What the tab "Questions" says: the questions, their answers, and what each experiment showed."""

from dataclasses import dataclass

from kernel_demo.ui.wording.certificate import TITLE as CERTIFICATE
from kernel_demo.ui.wording.numbers import duration, figure

TAB = "Questions"
INTRODUCTION = "Eight questions, each answered by an experiment on the pictures at hand."
CONTENTS = "The questions"

PICTURES = "Pictures"
SOURCES = [("Bundled", "bundled"), ("Mine", "mine")]
UPLOAD = "Your pictures"
NO_UPLOAD_YET = "Choose one or more pictures; every experiment then uses them."
MIDDLE = "Of a picture larger than {side} × {side}, the middle is used."

STOP = "Stop"
STOPPED = "Stopped by you."
WORKING = "Working…"


@dataclass(frozen=True)
class Question:
    """One of the eight."""

    key: str
    short: str  # for the list of questions
    question: str
    answer: str
    button: str


QUESTIONS = {
    question.key: question
    for question in (
        Question(
            "size",
            "Huge or odd sizes",
            "What if the picture is huge, or an odd size?",
            "Cut it into tiles that overlap by the kernel's radius: their sums add up, their "
            "outputs join, and nothing changes.",
            "Learn and apply it in tiles",
        ),
        Question(
            "edges",
            "The edges",
            "What happens at the edges?",
            "The filter needs pixels there that the picture does not have. Whatever is made up for "
            "them, learning must leave them out: only pixels whose whole patch is inside count.",
            "Compare five borders",
        ),
        Question(
            "anywhere",
            "Fully convolutional",
            "Is it fully convolutional?",
            "Yes. The layer has weights but no size: what it learned on tiles of 64 × 64 it "
            "applies to a panorama as it is.",
            "Learn on tiles, apply to a panorama",
        ),
        Question(
            "speed",
            "Speed",
            "What makes it fast?",
            "Better steps rather than more of them: batches that keep the device busy, and, where "
            "squared loss is all you want, one pass of exact sums.",
            "Measure on this machine",
        ),
        Question(
            "small",
            "A small model",
            "What if the model must be small?",
            "A kernel of whole numbers survives 8-bit integers exactly, and one that is a column "
            "times a row needs 2 k numbers instead of k × k.",
            "Compress it",
        ),
        Question(
            "complete",
            "When to stop",
            "When is training complete?",
            "When the kernel is within its error bars of the best that the pictures allow. A small "
            "loss, a flat curve or lost patience says so long before.",
            "Watch the usual rules fail",
        ),
        Question(
            "depth",
            "Depth",
            "When does depth help?",
            "When the filter is not linear, and only then: no kernel can do it, but layers with a "
            "bend between them can.",
            "Race one layer against a deep network",
        ),
        Question(
            "limits",
            "Limits",
            "Any kernel at all? What are the limits?",
            "Any kernel that the pictures show. Here are twelve ways to break that, each foretold "
            "by theory before it is tried.",
            "Try all twelve",
        ),
    )
}

STEP = "step"
LEARNED = "learned"
FINISHED = "finished"


def power(decade: int) -> str:
    """10⁻³, for an axis."""
    if decade in (0, 1):
        return str(10**decade)
    return "10" + str(decade).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))


def milliseconds(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def grey_levels(value: float) -> str:
    return figure(value)


def integers(scale: float) -> str:
    return f"8-bit integers, times {figure(scale)}"


# 1. Sizes
WHOLE, TILED, TRUE, DIFFERENCE = "learned whole", "learned in tiles", "true", "difference"


def tiles_caption(width: int, height: int, tiles: int, tile: int) -> str:
    return f"{width} × {height} pixels in {tiles} tiles of up to {tile} × {tile}"


def tiles_facts(kernel: float, output: float) -> tuple[tuple[str, str], ...]:
    return (
        (figure(kernel), "largest difference between the two kernels"),
        (figure(output), "largest difference between the two outputs, grey levels"),
    )


def tiles_finding(same: bool, error: float) -> str:
    sums = "Every sum is the same number, bit for bit" if same else "The sums differ"
    return f"{sums}. Both kernels are within {figure(error)} of the true one."


APPLY = "Apply a filter to a picture of any size"
APPLY_NOTE = (
    "Here up to {pixels} megapixels; up to 200 megapixels by the command "
    "python -m kernel_demo apply IN OUT --kernel sobel_x"
)
APPLY_BUTTON = "Choose a picture and apply"
APPLY_CANCEL = "Cancel"
APPLY_SAVE = "Save the result"
KERNEL = "Kernel"
EDGES = "Edges"
SIZE = "Size"
READING = "Reading the picture…"
SAVING = "Writing the PNG…"


def applying(done: float, megapixels: float) -> str:
    return f"{done * megapixels:.1f} of {megapixels:.1f} Mpx"


def applied(name: str, width: int, height: int, tiles: int, seconds: float) -> str:
    return (
        f"{name}: {width} × {height} pixels filtered in {tiles} "
        f"{'tile' if tiles == 1 else 'tiles'}, {duration(seconds)}."
    )


# 2. Edges
CORNER = "A corner of the blurred picture, magnified"
APART = "Its difference to Reflect"
EDGES_TABLE = ("Border", "largest difference at the border", "inside", "pixels that differ")
TAUGHT = ("true", "learned with padded pixels", "learned from valid pixels only")


def edges_finding(padded: float, valid: float, share: float) -> str:
    return (
        f"Only {share:.1%} of the pixels lie at the border, yet a zero-padded layer that counts "
        f"them errs by {figure(padded)}; the one that leaves them out, by {figure(valid)}."
    )


# 3. Anywhere
LEARNING_TILES = "Learning on tiles of 64 × 64: step {step}, kernel error {error}."
PANORAMA = "the panorama"
PANORAMA_AFTER = "through the layer"


def anywhere_facts(found) -> tuple[tuple[str, str], ...]:
    (side, _), (height, width) = found.trained_on, found.applied_to
    return (
        (f"{side} × {side}", "pixels, what it was trained on"),
        (f"{width} × {height}", "pixels, what it is applied to"),
        (str(found.weights), "weights, the same for both"),
        (figure(found.output_difference), "largest difference to the true filter, grey levels"),
    )


def anywhere_finding(found) -> str:
    times = found.applied_to[0] * found.applied_to[1] / found.trained_on[0] ** 2
    return f"The same layer, on a picture with {times:,.0f} times as many pixels as a tile."


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
COLUMN, ROW, PRODUCT = "column", "row", "their product"


def small_finding(eight_bit_error: float, output: float, rank: int, size: int) -> str:
    eight = (
        "8-bit integers keep it exactly"
        if eight_bit_error == 0
        else f"8-bit integers change a picture by at most {figure(output)} grey levels"
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
COMPLETE_CHART = "Both fall, but not together"


def complete_finding(verdicts, done: bool) -> str:
    if not verdicts:
        return "No rule has called it complete so far."
    worst = max(verdict.kernel_error for verdict in verdicts)
    last = verdicts[-1].step
    whose = "All three rules" if len(verdicts) == len(RULES) else f"{len(verdicts)} of 3 rules"
    return (
        f"{whose} had called it complete by step {last}, with weights off by up to "
        f"{figure(worst)}. "
        + (f"What does tell is “{CERTIFICATE}” on the tab Learn." if done else "")
    ).strip()


# 7. Depth
TARGET = "Filter to learn"
DEPTH_TABLE = ("Model", "weights", "step", "PSNR on pictures held out")
ONE_LAYER, DEEP = "one layer", "deep network, three layers"
DEPTH_CHART = "PSNR, dB, on pictures held out"
SECONDS = "seconds"
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
    if gain > 0:
        return f"{why} So far the deep network is {gain:.1f} dB better."
    return f"{why} So far the deep network is no better."


def stack_finding(single: float, stacked: float) -> str:
    return (
        "Without a bend between them, three layers are one kernel, "
        + (f"{figure(stacked / single)} times further from the truth " if stacked > single else "")
        + "for all their trouble."
    )
