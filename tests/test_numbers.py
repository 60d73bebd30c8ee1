"""Numbers as people read them; tests/ui/test_wording.py has more, beside the sentences."""

import numpy as np
import pytest

from kernel_demo.numbers import (
    at_least,
    between,
    bound,
    count,
    decimal,
    duration,
    factor,
    figure,
    powered,
    rounded_up,
    short,
    within,
)

POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (35244, "35\u202f244"),
        (1000000, "1\u202f000\u202f000"),
        (1000, "1000"),
        (np.int64(-10000), "−10\u202f000"),
    ],
)
def test_thousands_stand_apart(number, text):
    """From five digits on, by a space that is thin and never ends a line."""
    assert count(number) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.0, "0"),
        (2.0, "2.00"),
        (-0.0123, "−0.0123"),
        (1234.5, "1234"),
        (0.9996, "1.00"),
        (2.06e-8, "2.1·10⁻⁸"),
        (-3e12, "−3.0·10¹²"),
    ],
)
def test_figures_are_short(value, text):
    """Three digits, or two and a power of ten; a real minus sign; a dash for what is unknown."""
    assert figure(value) == text


@pytest.mark.parametrize("value", [0, 0.66666, 0.5, 1234.6, 12345.6, 0.99996, 3.14e-7])
def test_a_lower_bound_is_rounded_downwards(value):
    """What is read is no more than the value, and hardly less."""
    text = at_least(value).replace("·10", "e").translate(POWERS)
    assert 0.9 * value <= float(text) <= value


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.11108, 0.11113, ("0.111080", "0.111130")),
        (-0.25163, -0.24812, ("−0.2517", "−0.2481")),
        (-0.00004, 0.00013, ("−0.00004", "0.00013")),
        (-3.2, 14.1, ("−4", "15")),
    ],
)
def test_ends_are_rounded_outwards(low, high, text):
    """To two digits of what lies between."""
    assert between(low, high) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 s"),
        (0.0021, "0.0021 s"),
        (0.0631, "0.063 s"),
        (0.0996, "0.10 s"),
        (0.4, "0.40 s"),
        (1.0, "1.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
    ],
)
def test_durations_are_short(seconds, text):
    """Two digits below ten seconds, then seconds, then minutes."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.0, "1"), (-0.125, "−0.125"), (0.0625, "0.0625"), (12.3456, "12.3"),
     (0.001, "0.001"), (-0.0005, "−5·10⁻⁴"), (2.06e-12, "2·10⁻¹²"),
     (12345.6, "1.23·10⁴")],
)  # fmt: skip
def test_narrow_cells_hold_short_numbers(value, text):
    """Up to three digits and no trailing zeros; one digit and its power below 0.001."""
    assert short(value) == text


def test_powers_are_narrow():
    """One digit and the decimals asked for; no leading zeros in the power, and a real minus."""
    assert powered(0.00031) == "3·10⁻⁴"
    assert powered(3.14159e-12, 1) == "3.1·10⁻¹²"


@pytest.mark.parametrize(
    ("value", "up", "digits", "text"),
    [
        (0, False, None, "0"),
        (0.738, False, None, "0.74"),
        (0.731, True, None, "0.74"),
        (1.2345, False, None, "1.23"),
        (0.0999, False, None, "0.10"),
        (1.86e-8, False, None, "0.000\u202f000\u202f019"),
        (1.3e-9, False, 1, "0.000\u202f000\u202f001"),
        (12345.0, False, None, "1.2·10⁴"),
        (float("inf"), False, None, "∞"),
    ],
)
def test_sizes_for_people_have_no_power(value, up, digits, text):
    """Two digits that count, however many zeros stand before them; a bound is never below."""
    assert decimal(value, up, digits) == text


@pytest.mark.parametrize(
    ("times", "text"),
    [(1, "× 1"), (200, "× 200"), (1000, "× 1000"), (1e6, "× 10⁶"), (2e6, "× 2·10⁶")],
)
def test_factors_have_no_row_of_zeros(times, text):
    """By how much a difference is made larger."""
    assert factor(times) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(0.00021, 1, "0.0003"), (2.1e-5, 1, "3·10⁻⁵"), (0.063, 1, "0.07"), (1.234, 2, "1.3"),
     (0, 1, "0"), (float("inf"), 1, "∞")],
)  # fmt: skip
def test_bounds_are_rounded_upwards_and_written_alike(value, digits, text):
    """To so many digits, by a power of ten where there are many zeros."""
    assert rounded_up(value, digits) == text
    assert bound(value, digits) >= value


def test_bars_stand_after_a_thin_space():
    """± and its number stay on one line."""
    assert within("0.2") == "±\u202f0.2"
