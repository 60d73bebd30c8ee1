"""Linear programs, solved with a bound that holds whatever the solver's arithmetic did.

Hundreds of them with a few hundred dense rows each, that differ in their goal alone and need three
digits: an interior point method of matrix products takes a hundredth of the time of a general
solver here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

STEPS = 50  # at most; ten are usual
TO_THE_EDGE = 0.995  # share of the way to the nearest limit that a step goes
ROUNDING = 1e-6  # of the bound: far more than float64's sums make of it


@dataclass(frozen=True, eq=False)
class Maximum:
    """The most of a goal: between what a point reaches and what none can exceed."""

    bound: float  # no point that keeps the limits has more
    point: np.ndarray  # one that keeps them, with nearly as much


def maximise(
    goal: np.ndarray, rows: np.ndarray, limits: np.ndarray, radius: float, gap: float
) -> Maximum:
    """The most of goal @ z where rows @ z <= limits and |z| <= radius.

    goal: m. rows: n x m. limits: n, all above 0: z = 0, where it starts, has room on every side.
    gap: share of the bound at which bound and reached are near enough.

    Mehrotra's predictor-corrector method (SIAM J. Optim. 2, 1992). The bound is that of weak
    duality: for any y >= 0, goal @ z = y @ rows @ z + (goal - rows.T @ y) @ z
    <= y @ limits + |goal - rows.T @ y| radius. It needs no convergence.
    """
    point: np.ndarray = np.zeros(len(goal))
    room = limits
    bound = radius * float(np.linalg.norm(goal))
    prices = _prices(goal, rows, room)
    for _ in range(STEPS):
        towards = None if prices is None else _newton(goal, rows, room, prices)
        if prices is None or towards is None:
            break
        move, change = towards
        point = point + _length(room, -(rows @ move)) * move
        prices = prices + _length(prices, change) * change
        room = limits - rows @ point
        unpaid = float(np.linalg.norm(goal - rows.T @ prices))
        bound = min(bound, (1 + ROUNDING) * (float(prices @ limits) + unpaid * radius))
        if bound - goal @ point <= gap * bound or not (room > 0).all():
            break
    return Maximum(bound, point)


def _prices(goal: np.ndarray, rows: np.ndarray, room: np.ndarray) -> np.ndarray | None:
    """Multipliers of the rows to start with: alike beside the room, and of the goal's size."""
    towards = _solve(rows.T @ (rows / (room**2)[:, None]), goal)
    size = -1.0 if towards is None else float(goal @ towards)
    return (size / len(goal)) ** 0.5 / room if size > 0 else None


def _newton(
    goal: np.ndarray, rows: np.ndarray, room: np.ndarray, prices: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """How point and prices are to change: Newton's step towards where room * prices is the same.

    With d = prices / room, (rows' d rows) move = goal - rows' (aim / room), and
    change = aim / room - prices + d rows move. The first step aims at 0; the second, by how well
    that goes, at less or more, and allows for the first one's products.
    """
    steep = prices / room
    weighted = rows * np.sqrt(steep)[:, None]
    matrix = weighted.T @ weighted
    move = _solve(matrix, goal)
    if move is None:
        return None
    taken = rows @ move
    change = steep * taken - prices
    now = float(room @ prices)
    then = (room - _length(room, -taken) * taken) @ (prices + _length(prices, change) * change)
    aim = ((float(then) / now) ** 3 * now / len(room) + taken * change) / room
    move = _solve(matrix, goal - rows.T @ aim)
    return None if move is None else (move, aim - prices + steep * (rows @ move))


def _solve(matrix: np.ndarray, right: np.ndarray) -> np.ndarray | None:
    """None: the rows leave a direction open, or rounding has taken over."""
    try:
        found = np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        return None
    return found if np.isfinite(found).all() else None


def _length(values: np.ndarray, change: np.ndarray) -> float:
    """How far to go, at most 1, so that values that are above 0 stay so."""
    falling = change < 0
    most = np.min(-values[falling] / change[falling], initial=np.inf)
    return min(1.0, TO_THE_EDGE * float(most))
