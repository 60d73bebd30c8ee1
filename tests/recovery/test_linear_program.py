"""The bound on a linear program holds whatever the solver did; with its steps it is near."""

import numpy as np
import pytest
from scipy.optimize import linprog

from kernel_demo.recovery import linear_program
from kernel_demo.recovery.linear_program import maximise


def problem(seed: int, unknowns: int = 8, count: int = 60):
    """goal, rows, limits of a bounded set around 0, and the most of the goal by HiGHS."""
    rng = np.random.default_rng(seed)
    rows, limits = rng.normal(size=(count, unknowns)), rng.uniform(0.01, 1, count)
    goal = rng.normal(size=unknowns)
    found = linprog(-goal, rows, limits, bounds=(None, None))
    assert found.status == 0
    return goal, rows, limits, -found.fun


@pytest.mark.parametrize("seed", range(20))
def test_the_maximum_is_that_of_highs(seed):
    """To the gap asked for, from above; the point keeps every limit."""
    goal, rows, limits, most = problem(seed)
    found = maximise(goal, rows, limits, radius=1e3, gap=1e-4)
    assert most <= found.bound <= most * (1 + 2e-4)
    assert (rows @ found.point <= limits).all()
    assert goal @ found.point >= most * (1 - 2e-4)


@pytest.mark.parametrize("steps", range(6))
def test_a_bound_holds_after_any_number_of_steps(steps, monkeypatch):
    """None, or too few to come near: what is told is no less than the most."""
    monkeypatch.setattr(linear_program, "STEPS", steps)
    for seed in range(20):
        goal, rows, limits, most = problem(seed)
        assert maximise(goal, rows, limits, radius=10.0, gap=1e-4).bound >= most


def test_without_rows_that_end_it_the_radius_does():
    """Where a direction is open, the bound is that of the ball."""
    goal, rows = np.array([3.0, 4.0]), np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert maximise(goal, rows, np.ones(2), radius=10.0, gap=1e-4).bound == pytest.approx(50)


def test_a_corner_of_many_rows_is_found():
    """Degenerate: a pyramid of 64 sides whose apex is at height 1, each side given twice."""
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    sides = np.stack([np.cos(angle), np.sin(angle), np.ones(64)], axis=1)
    rows = np.concatenate([sides, sides, [[0, 0, -1.0]]])
    found = maximise(np.array([0, 0, 1.0]), rows, np.ones(129), radius=100.0, gap=1e-4)
    assert found.bound == pytest.approx(1, abs=2e-4)
