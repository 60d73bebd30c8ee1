"""The parts of the recovery, each against an oracle of its own."""

from fractions import Fraction
from itertools import product
from math import floor

import numpy as np
import pytest
from PIL import Image

from kernel_demo.numbers import rounded_up
from kernel_demo.recovery import alignment, candidates, fractions, known, registration
from kernel_demo.recovery.alignment import Plane, sample
from kernel_demo.recovery.explanations import Rounding
from kernel_demo.recovery.fractions import Fractions
from kernel_demo.sources.bundled import FOLDER

CAT = np.asarray(Image.open(FOLDER / "cat.jpg").convert("L"))


def test_nearest_plane_finds_the_closest_whole_vector():
    """In well-conditioned lattices Babai's answer is about the best of all neighbours."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        factor = np.triu(rng.normal(0, 0.1, (3, 3)), 1) + np.eye(3)
        goal = rng.uniform(-5, 5, (3, 1))
        found = candidates.nearest_plane(factor, goal)[:, 0]
        around = [np.array(step) + np.rint(goal[:, 0]) for step in product((-1, 0, 1), repeat=3)]
        best = min(around, key=lambda z: np.linalg.norm(factor @ (z - goal[:, 0])))
        error, least = (np.linalg.norm(factor @ (z - goal[:, 0])) for z in (found, best))
        assert error <= 1.2 * least + 1e-12


@pytest.mark.parametrize("rounding", [r for r in Rounding if r != Rounding.NONE])
def test_levels_are_exact(rounding):
    """Rounded grey levels equal those of exact fractions, ties included."""
    totals = np.arange(-40, 3200, 7)
    whole = Fractions(np.eye(3), 10, 3.5, rounding)
    level, tie = fractions.levels(whole, totals.astype(float), 1, (0, 255))
    for total, got, tied in zip(totals, level, tie, strict=True):
        value = Fraction(int(total), 10) + Fraction(7, 2)
        nearest = floor(value + Fraction(1, 2))
        expected = {
            "half up": nearest,
            "half even": round(value),
            "truncate": floor(value),
        }[rounding]
        assert got == min(max(expected, 0), 255)
        assert tied == ((value + (0 if rounding == "truncate" else Fraction(1, 2))) % 1 == 0)


@pytest.mark.parametrize("shift", [(12, -7), (-20, 3)])
def test_displacement_is_the_way_back(shift):
    """The origin found undoes the shift."""
    pair, _ = alignment.prepare(CAT, np.roll(CAT, shift, (0, 1)))
    assert registration.displacement(pair) == (-shift[0], -shift[1])


def test_surroundings_are_the_padded_picture():
    """Cropped or larger, each after pixel gets the patch that NumPy's padding gives it."""
    pair, notes = alignment.prepare(CAT[:60, :70], CAT[5:55, 5:65])
    assert pair.origin == (5, 5)
    assert "smaller by 10" in str(notes[0])
    assert np.array_equal(pair.surroundings(2, "reflect")[..., 0], CAT[3:57, 3:67])
    larger, _ = alignment.prepare(CAT[5:55, 5:65], CAT[:60, :70])
    padded = np.pad(CAT[5:55, 5:65], 7, mode="symmetric")
    assert np.array_equal(larger.surroundings(2, "symmetric")[..., 0], padded)


def test_a_sample_is_spread_over_the_picture():
    """Tiles of a large plane reach its four corners and hold about as many pixels as asked for."""
    black = np.zeros((2000, 3000), np.uint8)
    plane = Plane(black, black, None, 255, 1, (0, 255))
    tiles = sample([plane], 600_000)
    assert 400_000 < sum(tile.after.size for tile in tiles) < 800_000
    places = np.array([tile.place for tile in tiles])
    assert places.min() == 0
    assert places[:, 2:].max() == 1


@pytest.mark.parametrize(
    ("kernel", "name"),
    [
        (np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8, "Sobel x 3 × 3, divided by 8"),
        (
            np.array([[1, 0, -1], [2, 0, -2], [1, 0, -1]]),
            "Sobel x 3 × 3, flipped (a convolution in the strict sense)",
        ),
        (-np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]), "Laplacian, 4 neighbours 3 × 3, times −1"),
        (np.full((3, 3), 1 / 9), "Box blur 3 × 3"),
        (np.pad([[1.0]], 2), "Identity 5 × 5"),
        (np.pad([[0.005]], 1), "Change of contrast, times 0.005"),
        (np.pad([[-1.0]], 1), "Negative"),
        (np.pad(np.full((2, 4), 1 / 8), ((1, 2), (0, 1))), "Box blur 2 × 4"),
    ],
)
def test_names(kernel, name):
    """Kernels of the catalogue are known when scaled, negated or turned."""
    assert str(known.kernel(kernel)) == name


def test_an_unknown_kernel_has_no_name():
    """Random weights are called nothing."""
    assert known.kernel(np.random.default_rng(0).normal(size=(5, 5))) is None


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(1.4, 1, "2"), (0.0312, 1, "0.04"), (0.96, 1, "1"), (9.4, 1, "10"), (3.0, 1, "3"),
     (0.00123456, 2, "0.0013"), (0.0, 1, "0")],
)  # fmt: skip
def test_a_bound_is_rounded_upwards(value, digits, text):
    """Every weight is known to what is said, and not only to a little more."""
    assert rounded_up(value, digits) == text
    assert float(text) >= value
