"""The sentences of the page are true of the figures as they are written."""

import re
from types import SimpleNamespace

import numpy as np
import pytest

from kernel_demo.imaging.filtering import CONSTANT
from kernel_demo.lab.limits import Limit
from kernel_demo.numbers import at_most, figure, percent, shown
from kernel_demo.recovery import Edge
from kernel_demo.ui.components import take
from kernel_demo.ui.questions import limits, models, pixels
from kernel_demo.ui.recover import finding


def read(text: str) -> float:
    """A figure as a person reads it."""
    digits, _, power = text.replace("−", "-").partition("·10")
    raised = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    return float(digits) * 10.0 ** int(raised or 0)


# Where rounding goes down, up and nowhere, and both ends of the numbers without a power of ten.
VALUES = [
    0,
    1.0007,
    0.9996,
    0.9994,
    1.006,
    2.5,
    123.4,
    1234.4,
    9999.4,
    9999.6,
    12345,
    0.001,
    3.14e-7,
]


@pytest.mark.parametrize("value", VALUES)
def test_a_bound_is_rounded_upwards(value):
    """What is read is no less than the value, and no more than one unit of its last digit above."""
    assert value <= read(at_most(value)) <= value * 1.1
    assert read(at_most(value)) - read(figure(value)) <= 0.1 * value


@pytest.mark.parametrize("value", [-0.0123, *VALUES])
def test_shown_is_what_is_read(value):
    """The number that a figure stands for."""
    assert shown(value) == pytest.approx(read(figure(value)), rel=1e-12)


@pytest.mark.parametrize(
    ("share", "decimals", "text"),
    [(1, 1, "100 %"), (0.99999, 1, "99.9 %"), (0.29, 1, "29.0 %"), (1 - 1e-8, 2, "99.99 %"),
     (0.5678, 2, "56.78 %"), (0.0, 1, "0.0 %")],
)  # fmt: skip
def test_only_all_is_a_hundred_per_cent(share, decimals, text):
    """A share below one is written below 100 %."""
    assert percent(share, decimals) == text


def limit(predicted, measured):
    return Limit("kernel", predicted, measured, None, np.zeros((3, 3)))


@pytest.mark.parametrize(
    ("predicted", "measured", "bound"),
    [
        (0.9594, 0.9595, 1.01),  # the table says 0.959 and 0.960
        (0.95901, 0.95999, 1.01),
        (1.00499, 1.01501, 1.02),  # the table says 1.00 and 1.02
        (2.0, 1.0, 0.5),
        (1.0, 1.0, 1.0),
    ],
)
def test_no_error_is_above_what_question_8_says(predicted, measured, bound):
    """The bound holds for the errors and for the figures in the table."""
    said = limits.limits_finding([limit(1.0, 0.4), limit(predicted, measured)])
    told = float(said.split("no error was above ")[1].split(" times")[0])
    assert told == pytest.approx(bound)
    assert told >= measured / predicted
    assert told >= read(figure(measured)) / read(figure(predicted))


@pytest.mark.parametrize(
    ("sentence", "told"),
    [
        (take.about("reflect", 0.0012341, 0.5), "in 8 bits by at most 0.00124"),
        (take.about("reflect", 0.5, 0.0056781), "by at most 0.00568"),
        (pixels.tiles_finding(True, 1.04e-9), "within 1.1·10⁻⁹"),
        (models.small_finding(0.1, 0.6671, 2, 3), "at most 0.668 grey levels"),
        (
            models.complete_finding([SimpleNamespace(kernel_error=0.5004, step=9)], False),
            "up to 0.501.",
        ),
        (models.depth_finding(20.0, 20.01, "Why."), "no better"),
        (finding.used(0.99999), "99.9 %, to find the kernel; the others are at black or white"),
        (finding.used(1.0), "all"),
        (finding.figures(1, 0.999999)[0][0], "99.99 %"),
        (finding.figures(0, 1.0)[0][0], "100 %"),
    ],
)  # fmt: skip
def test_bounds_and_alls_are_true(sentence, told):
    """Each "at most", "within", "up to" and "all" holds for the value behind it."""
    assert told in sentence


def test_half_of_the_points_are_not_called_more():
    """An error of exactly half the largest weight: at least half the way, and no more."""
    half = SimpleNamespace(exact=False, points=50.0)
    assert "at least half the way" in limits.guess_finding(half)


@pytest.mark.parametrize(
    ("sides", "told"),
    [
        (
            (Edge.COPIED, None, Edge.COPIED, None),
            "top and left: unchanged, as in the picture before; "
            "bottom and right: this pair does not tell",
        ),
        (
            (None, CONSTANT, "reflect", None),
            "top and right: this pair does not tell; bottom: one value around, 200; "
            "left: reflect (cb|abc|ba)",
        ),
        (
            (Edge.BLACK,) * 3 + (None,),
            "top, bottom and left: black; right: this pair does not tell",
        ),
        ((Edge.COPIED,) * 4, "unchanged, as in the picture before"),
        ((None,) * 4, "this pair does not tell"),
    ],
)
def test_borders_are_told_by_their_sides(sides, told):
    """Sides that are alike are named together, before what is said of them."""
    one = sides[0] if len(set(sides)) == 1 else None
    found = SimpleNamespace(kernel=None, padding=one, padding_sides=sides, padding_value=200)
    assert finding.edges(found) == told


def test_no_tag_is_shown_as_text(page):
    """What a part of the page has at first is HTML, not HTML that was escaped once more."""
    values = [str(getattr(part, "value", None) or "") for part in page.blocks.values()]
    assert any("<details" in value for value in values)
    shown_as_text = [value[:200] for value in values if re.search(r"&lt;/?[a-z]", value)]
    assert shown_as_text == []
