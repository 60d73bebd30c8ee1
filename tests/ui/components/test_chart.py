"""Curves in an answer, as its script gets them."""

import json
import math
import re
from html import unescape

from kernel_demo.ui.components import chart


def figures(html):
    return json.loads(unescape(re.search(r'data-chart="([^"]*)"', html)[1]))


def test_a_long_curve_keeps_its_ends():
    """A long curve is sent with few points, its first and last among them."""
    points = [(x, x / 10) for x in range(10_001)]
    ((tone, sent),) = figures(chart.html("t", {"a": points}, (-4, 1), "step {}"))["curves"]
    assert tone == "accent"
    assert len(sent) <= chart.POINTS + 2
    assert sent[0] == [0, 0]
    assert sent[-1] == [10_000, 1000]


def test_what_is_no_number_is_left_out():
    """A run that went astray sends the points that can be drawn, as JSON that a browser reads."""
    points = [(0, 1.0), (1, math.nan), (2, math.inf), (3, 2.0)]
    ((_, sent),) = figures(chart.html("t", {"a": points}, (-4, 1), "{}"))["curves"]
    assert sent == [[0, 1.0], [3, 2.0]]


def test_numbers_are_as_long_as_can_be_seen():
    """Updates are small: a number of a curve has five digits, and errs by less than 1 in 10^4; a
    plot is a few hundred pixels high."""
    points = [(math.pi * 10**power, math.e / 10**power) for power in range(-12, 12)]
    ((_, sent),) = figures(chart.html("t", {"a": points}, (-4, 1), "{}"))["curves"]
    for told, known in zip(sent, points, strict=True):
        assert all(len(f"{value:.12e}".split("e")[0].rstrip("0")) <= 6 for value in told)
        assert all(math.isclose(*pair, rel_tol=1e-4) for pair in zip(told, known, strict=True))
