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
