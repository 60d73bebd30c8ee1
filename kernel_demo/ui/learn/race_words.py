"""What the card "Race" says beside its chart."""

from kernel_demo.learning.race import GOALS
from kernel_demo.learning.statistics import Solution
from kernel_demo.numbers import figure

METHODS_LABEL = "Who races"
START = "Race"
STOP = "Stop"
TOO_FEW = "Choose at least two methods."


def too_large(size: int, largest: int) -> str:
    """Why kernels of that size do not race."""
    return (
        f"Races are for kernels up to {largest} × {largest}: at {size} × {size} a single turn "
        "takes longer than the whole race."
    )


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
