"""Numbers as people read them; tests/ui/test_wording.py has more, beside the sentences."""

import numpy as np
import pytest

from kernel_demo.numbers import at_least, between, count, duration, figure, powered, short

POWERS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0"),
        (999, "999"),
        (35244, "35\u202f244"),
        (1000000, "1\u202f000\u202f000"),
        (np.int64(-1000), "-1\u202f000"),
    ],
)
def test_thousands_stand_apart(number, text):
    """By a space that is thin and never ends a line, in every language of ours."""
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
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
    ],
)
def test_durations_are_short(seconds, text):
    """Tenths below ten seconds, then seconds, then minutes."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (1.0, "1"), (-0.125, "−0.125"), (0.0625, "0.0625"), (12.3456, "12.3"),
     (0.001, "0.001"), (-0.0005, "−5e−4"), (2.06e-12, "2e−12")],
)  # fmt: skip
def test_narrow_cells_hold_short_numbers(value, text):
    """Up to three digits and no trailing zeros; one digit and its power below 0.001."""
    assert short(value) == text


def test_powers_are_narrow():
    """One digit and the decimals asked for; no leading zeros in the power, and a real minus."""
    assert powered(0.00031) == "3e−4"
    assert powered(3.14159e-12, 1) == "3.1e−12"
