"""What the card "Race" says."""

from collections.abc import Sequence

from kernel_demo.learning.race import GOALS, Lane
from kernel_demo.learning.statistics import Solution
from kernel_demo.numbers import figure

TITLE = "Race"
INVITATION = (
    "The methods learn your kernel from the same pictures and the same start, side by side. "
    "Press Race: who gets how close, and when?"
)
METHODS_LABEL = "Who races"
METHODS = [
    ("K-FAC", "kfac"),
    ("Adam", "adam"),
    ("SGD", "sgd"),
    ("Exact L-BFGS", "exact_lbfgs"),
    ("Closed form", "closed_form"),
    ("Exact K-FAC", "exact_kfac"),
    ("Exact Adam", "exact_adam"),
    ("Exact SGD", "exact_sgd"),
]
LABELS = {name: label for label, name in METHODS}
START = "Race"
STOP = "Stop"
TOO_FEW = "Choose at least two methods."
STOPPED = "Stopped by you."
PREPARING = "Preparing the pictures…"
GOAL_NAMES = {1e-2: "10⁻²", 1e-4: "10⁻⁴", 1e-6: "10⁻⁶"}
GOAL_WORDS = {1e-2: "a hundredth", 1e-4: "a ten-thousandth", 1e-6: "a millionth"}
WORDS = {
    "error": "Kernel error",
    "by_seconds": "against seconds",
    "by_steps": "against steps",
    "method": "Method",
    "within": "within",
    "now": "error",
    "first": "first",
    "never": "not reached",
    "stopped": STOPPED,
}


def too_large(size: int, largest: int) -> str:
    """Why kernels of that size do not race."""
    return (
        f"Races are for kernels up to {largest} × {largest}: at {size} × {size} a single turn "
        "takes longer than the whole race."
    )


def rules(limit: float) -> str:
    """What stands under the curves until the end."""
    return f"Each method has {limit:g} seconds of its own; the turns of the others do not count."


def steps(count: int) -> str:
    """Below a time: how many steps that was."""
    return f"{count:,} step{'' if count == 1 else 's'}".replace(",", " ")


def seconds(value: float) -> str:
    """A time in a cell."""
    return f"{figure(value)} s"


def verdict(lanes: Sequence[Lane], limit: float) -> str:
    """Who won, and who did not arrive."""
    for goal in reversed(GOALS):
        times = {
            arrival.seconds: lane.name
            for lane in lanes
            for arrival in lane.arrivals
            if arrival.goal == goal
        }
        if times:
            first = min(times)
            won = f"First within {GOAL_WORDS[goal]}: {LABELS[times[first]]}, in {seconds(first)}."
            return " ".join(filter(None, [won, _left_behind(lanes, goal, limit)]))
    return f"Nobody came within {GOAL_WORDS[GOALS[0]]} in {limit:g} seconds."


def _left_behind(lanes: Sequence[Lane], goal: float, limit: float) -> str:
    late = [
        LABELS[lane.name]
        for lane in lanes
        if goal not in [arrival.goal for arrival in lane.arrivals]
    ]
    if not late:
        return "All arrived."
    *others, last = late
    names = f"{', '.join(others)} and {last}" if others else last
    return f"{names} did not arrive in {limit:g} seconds."


def why(solution: Solution, best_error: float) -> str:
    """What the pictures have to do with it; best_error: of the best kernel that they allow."""
    if solution.singular:
        return f"{solution.cause} {solution.remedy}"
    reason = (
        f"Why: the condition number of these pictures is {figure(solution.condition)}. Plain "
        "gradients need steps in proportion to it for the finest patterns; K-FAC, L-BFGS and the "
        "closed form correct for it."
    )
    if best_error <= GOALS[-1]:
        return reason
    return (
        f"{reason} Even the best kernel that these noisy pictures allow is {figure(best_error)} "
        "from the true one."
    )
