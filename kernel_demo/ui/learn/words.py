"""What the tab "Learn" says."""

from math import isnan

from kernel_demo.learning.certificate import NEAR
from kernel_demo.learning.training import Cause, Stop
from kernel_demo.numbers import figure

TITLE = "Kernel Demo"
TAGLINE = "One convolution layer learns any linear image filter from pictures alone."
TAB = "Learn"

PICTURES = "Pictures"
SPLIT_AND_COLUMN = "Grey, split, column"
LOAD = "Load"
NO_UPLOAD_YET = (
    "Choose one or more pictures. They go to this server only, no other visitor sees them, and "
    "they are deleted after about an hour."
)

FILTER = "Filter"
RANDOM = "Random"
EDIT = "Edit…"
DAMAGE = "Noise and rounding"
KERNEL_PURPOSE = {
    "random": "Random weights: nothing to guess, only to learn. The seed brings them back.",
    "own": "Type the weights, or paste a matrix below. Every odd size from 3 to 31 works.",
}
PASTE = "Paste a matrix"
PASTE_PLACEHOLDER = "[[1, 0, -1], [2, 0, -2], [1, 0, -1]]\nor rows of numbers, or NumPy's output"
DIVISOR = "Divide by"
USE_MATRIX = "Use this matrix"

LEARN = "Learn"
METHOD_PURPOSE = {
    "kfac": "Natural gradient: each step is corrected for how alike neighbouring pixels are.",
    "adam": "What most people would use. Its loss is soon small; watch the kernel error.",
    "sgd": "Plain gradients with momentum: quick on the smooth, very slow on the fine.",
    "exact": "One pass over the pictures; full-batch steps then need only its sums.",
    "closed_form": "One pass over the pictures, one solve: the best kernel they allow.",
}
DETAILS = "Rate, batch, tiles, precision, seed"
COPY_LINK = "Copy link"
PAUSE = "Pause"
RESUME = "Resume"
STEP = "Step"
STOP = "Stop"

STALE = (
    "What is greyed out here was learned with other settings than those of the page now. "
    "Learn anew, or set them back."
)
RESULT = "What each kernel makes of it"
RESULT_EMPTY = "Press Learn: a picture appears here, filtered by the true and the learned kernel."
NO_KERNEL = "Learning diverged, so there is no kernel to filter by. Lower the rate and learn again."
PICTURE = "Picture"
OWN_PICTURE = "Your picture"
TRY_OWN = "Try your own picture"
TRUE = "true"
LEARNED = "learned"

CERTIFICATE = "How sure is this?"
REMEDY = "Take more or sharper pictures, or send the probe picture through the tool."
UNDETERMINED = (
    "What these pictures cannot tell: add one of these to the kernel, and nothing changes"
)
WEAK = "What they hardly tell: these move the result by less than half a grey level"
ALL_STEPS = "More steps, or the closed form, would bring it nearer."
ERROR_BARS = "the best kernel these pictures allow, and its error bars (one standard error)"


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


def can_tell(weights: int) -> str:
    """Before learning, pictures that determine everything."""
    return f"These pictures tell all {weights} weights apart."


def cannot_tell(open_count: int, weights: int) -> str:
    """Pictures that leave combinations of weights open."""
    return f"These pictures cannot tell {open_count} of {weights} combinations of weights. {REMEDY}"


def hardly_tell(weak_count: int, weights: int) -> str:
    """Pictures that determine everything, but some of it only by less than rounding."""
    noun = "combination" if weak_count == 1 else "combinations"
    return (
        f"These pictures tell all {weights} weights apart, {weak_count} {noun} of them by less "
        "than 8-bit files keep."
    )


def distance(errors: float) -> str:
    """After learning: how many standard errors the kernel is from the best, weight by weight."""
    if errors < NEAR:
        return str(Stop(Cause.OPTIMUM))
    return (
        f"The kernel is {figure(errors)} standard errors from the best these pictures allow. "
        f"{ALL_STEPS}"
    )
