"""What the panel "How sure is this?" says."""

from kernel_demo.learning.certificate import NEAR
from kernel_demo.learning.training import Cause, Stop
from kernel_demo.numbers import figure

TITLE = "How sure is this?"
REMEDY = "Take more or sharper pictures, or send the probe picture through the tool."
UNDETERMINED = (
    "What these pictures cannot tell: add one of these to the kernel, and nothing changes"
)
WEAK = "What they hardly tell: these move the result by less than half a grey level"
ALL_STEPS = "More steps, or the closed form, would bring it nearer."
ERROR_BARS = "the best kernel these pictures allow, and its error bars (one standard error)"


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


def learned(distance: float) -> str:
    """After learning: the distance to the best kernel, weight by weight."""
    if distance < NEAR:
        return str(Stop(Cause.OPTIMUM))
    return (
        f"The kernel is {figure(distance)} standard errors from the best these pictures allow. "
        f"{ALL_STEPS}"
    )


def figures(condition: float, pixels: int, error_bar: float) -> str:
    """The figures below the sentence, before learning: error bars for 8-bit files."""
    return (
        f"condition number {figure(condition)} · {count(pixels)} pixels · error bars of 8-bit "
        f"files ± {figure(error_bar)}"
    )


def figures_after(
    condition: float, pixels: int, error_bar: float, error: float, excess: float
) -> str:
    """The figures below the sentence, after learning: predicted beside measured."""
    return (
        f"condition number {figure(condition)} · {count(pixels)} pixels · error bars of the best "
        f"kernel ± {figure(error_bar)} · measured kernel error {figure(error)} · excess loss "
        f"(above the best kernel's) {figure(excess)}"
    )


def count(number: int) -> str:
    """1 398 200: thin groups of three."""
    return f"{number:,}".replace(",", "\u202f")
