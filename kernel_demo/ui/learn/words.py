"""What the tab "Learn" says."""

from math import isnan

from kernel_demo.numbers import figure

TITLE = "Kernel Demo"
TAGLINE = "One convolution layer learns any linear image filter from pictures alone."
TAB = "Learn"

PICTURES = "Pictures"
SOURCES = [("Bundled", "bundled"), ("Dataset", "hub"), ("Mine", "mine")]
DATASET = "Dataset on the Hugging Face Hub"
DATASET_INFO = "Choose one, or type any public id: owner/name"
SPLIT_AND_COLUMN = "Grey, split, column"
SPLIT_INFO = "empty: found by itself"
LOAD = "Load"
COUNT = "How many"
NO_UPLOAD_YET = (
    "Choose one or more pictures. They go to this server only, no other visitor sees them, and "
    "they are deleted after about an hour."
)
UPLOAD = "Your pictures"
CHANNEL = "Grey to learn from"
CHANNELS = [
    ("Luminance", "luminance"),
    ("Red", "red"),
    ("Green", "green"),
    ("Blue", "blue"),
]

FILTER = "Filter"
KERNEL = "Kernel"
RANDOM = "Random"
RANDOM_PURPOSE = "Random weights: nothing to guess, only to learn. The seed brings them back."
OWN = "Your own"
OWN_PURPOSE = "Type the weights, or paste a matrix below. Every odd size from 3 to 31 works."
SIZE = "Size"
ANGLE = "Angle, degrees"
EDGES = "Edges"
SEED = "Seed"
EDIT = "Edit…"
DAMAGE = "Noise and rounding"
NOISE = "Noise, grey levels"
EIGHT_BIT = "Round and clip to 8 bits, as files are"
PASTE = "Paste a matrix"
PASTE_PLACEHOLDER = "[[1, 0, -1], [2, 0, -2], [1, 0, -1]]\nor rows of numbers, or NumPy's output"
DIVISOR = "Divide by"
USE_MATRIX = "Use this matrix"

LEARN = "Learn"
METHOD = "Method"
METHODS = [
    ("K-FAC", "kfac"),
    ("Adam", "adam"),
    ("SGD", "sgd"),
    ("Exact gradient", "exact"),
    ("Closed form", "closed_form"),
]
OPTIMIZER = "Optimizer"
OPTIMIZERS = [("K-FAC", "kfac"), ("Adam", "adam"), ("SGD", "sgd"), ("L-BFGS", "lbfgs")]
METHOD_PURPOSE = {
    "kfac": "Natural gradient: each step is corrected for how alike neighbouring pixels are.",
    "adam": "What most people would use. Its loss is soon small; watch the kernel error.",
    "sgd": "Plain gradients with momentum: quick on the smooth, very slow on the fine.",
    "exact": "One pass over the pictures; full-batch steps then need only its sums.",
    "closed_form": "One pass over the pictures, one solve: the best kernel they allow.",
}
DETAILS = "Rate, batch, tiles, precision, seed"
RATE = "Learning rate"
RATE_INFO = "0: the method's own"
BATCH = "Tiles in a batch"
TILE = "Tile side, pixels"
ACCUMULATION = "Batches per step"
STEPS = "Steps"
START = "Weights start as"
STARTS = [
    ("small random numbers", "normal"),
    ("zeros", "zeros"),
    ("PyTorch's default", "uniform"),
    ("the identity", "identity"),
]
START_SEED = "Seed of start and batches"
PATIENCE = "Patience, checks without progress"
MIXED = "Mixed precision"
COPY_LINK = "Copy link"
PAUSE = "Pause"
RESUME = "Resume"
STEP = "Step"
STOP = "Stop"

RESULT = "What each kernel makes of it"
RESULT_EMPTY = "Press Learn: a picture appears here, filtered by the true and the learned kernel."
NO_KERNEL = "Learning diverged, so there is no kernel to filter by. Lower the rate and learn again."
PICTURE = "Picture"
OWN_PICTURE = "Your picture"
TRY_OWN = "Try your own picture"
TRUE = "true"
LEARNED = "learned"


def ignored(names: tuple[str, ...]) -> str:
    """What a link asked for and did not get."""
    what, left = ("settings", "they were") if len(names) > 1 else ("a setting", "it was")
    return f"This link has {what} that cannot be used, left as {left}: {', '.join(names)}."


def figures(psnr: float, ssim: float, largest: float) -> tuple[tuple[str, str], ...]:
    """The three figures under the pictures: (number, meaning)."""
    decibels = "∞" if psnr == float("inf") else f"{psnr:.1f} dB"
    return (
        (decibels, "PSNR"),
        ("–" if isnan(ssim) else f"{ssim:.4f}", "SSIM"),
        (figure(largest), "largest difference, grey levels of 255"),
    )


def shown_smaller(width: int, height: int) -> str:
    """A line for pictures that are shown smaller than they are."""
    return f"Shown smaller; the figures are those of all {width} × {height} pixels."
