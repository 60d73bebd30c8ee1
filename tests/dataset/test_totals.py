"""Sums that lose nothing, against Python's whole numbers and fractions."""

from fractions import Fraction

import numpy as np
import pytest

from kernel_demo.dataset.totals import EXACT, Total, length, packed, unpacked
from kernel_demo.learning.statistics import Statistics
from tests.dataset.making import filtered, picture


def exactly(total: Total) -> list[Fraction]:
    both = zip(total.high.tolist(), total.low.tolist(), strict=True)
    return [Fraction(high) + Fraction(low) for high, low in both]


@pytest.mark.parametrize("largest", [2**20, 2**52, 2**60, 2**90])
def test_whole_numbers_are_exact_in_any_order(largest):
    """Equal to Python's own sum, and the same bits however they were added."""
    rng = np.random.default_rng(0)
    parts = [
        Total.of(np.floor(rng.random(5) * 2.0**52) * max(1, largest // 2**52)) for _ in range(200)
    ]
    sums = [sum(values) for values in zip(*map(exactly, parts), strict=True)]
    found = []
    for seed in range(4):
        total = Total.of(np.zeros(5))
        for at in np.random.default_rng(seed).permutation(len(parts)):
            total = total + parts[at]
        assert exactly(total) == sums
        assert total.fits
        found.append((total.high.tobytes(), total.low.tobytes()))
    assert len(set(found)) == 1


def test_merged_by_halves_is_the_same():
    """Not only the order but the grouping is of no account for whole numbers."""
    rng = np.random.default_rng(1)
    parts = [Total.of(np.floor(rng.random(3) * 2.0**53)) for _ in range(64)]
    whole = parts[0]
    for part in parts[1:]:
        whole = whole + part
    while len(parts) > 1:
        parts = [a + b for a, b in zip(parts[::2], parts[1::2], strict=True)]
    assert parts[0].high.tobytes() == whole.high.tobytes()
    assert parts[0].low.tobytes() == whole.low.tobytes()


def test_other_numbers_are_compensated():
    """A million tenths are right to 30 digits, where plain float64 is off in the eleventh."""
    tenth, total = Total.of(np.array([0.1])), Total.of(np.zeros(1))
    for _ in range(20):
        tenth = tenth + tenth  # doubling is exact
    for _ in range(1000):
        total = total + tenth
    truth = 1000 * 2**20 * Fraction(0.1)
    assert abs(exactly(total)[0] - truth) <= truth * Fraction(2) ** -100


def test_the_limit_is_told():
    """Beyond 2**104 whole numbers are no longer promised to be exact."""
    assert Total.of(np.array([EXACT / 2])).fits
    assert not (Total.of(np.array([EXACT])) + Total.of(np.array([1.0]))).fits


def test_what_is_taken_away_is_gone():
    """A part that was added and taken away again leaves the bits of the rest."""
    rng = np.random.default_rng(2)
    a, b = (Total.of(np.floor(rng.random(4) * 2.0**53)) for _ in range(2))
    rest = a + b + -b
    assert rest.high.tobytes() == a.high.tobytes()
    assert not rest.low.any()


def test_packed_and_unpacked():
    """The same sums, of half the length: X'X is symmetric."""
    before = picture(0)
    sums = Statistics.from_pair(before, filtered(before), 5)
    vector = packed(sums)
    assert len(vector) == length(5) == 25 * 26 // 2 + 52
    back = unpacked(vector, 5, sums.count, sums.peak)
    for name in ("gram", "cross", "patch_sum"):
        assert np.array_equal(getattr(back, name), getattr(sums, name))
    assert (back.energy, back.after_sum, back.count) == (sums.energy, sums.after_sum, sums.count)
