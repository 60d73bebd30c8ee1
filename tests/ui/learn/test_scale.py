"""The scale of "How sure is this?", against places worked out by hand."""

import re

import pytest

from kernel_demo.ui.learn.scale import scale


def places(drawn: str) -> list[float]:
    return [float(at) for at in re.findall(r'<p style="--at:([\d.]+)%">', drawn)]


def test_each_tenth_is_as_far_as_the_next():
    """From 1 down to 10⁻⁹: 0.1, 1e-3 and 1e-9 stand at 1/9, 3/9 and 9/9."""
    drawn = scale([("a", "{} off", 0.1), ("b", "± {}", 1e-3), ("c", "± {}", 1e-9)])
    assert places(drawn) == pytest.approx([100 / 9, 300 / 9, 100], abs=0.1)
    assert "0.100 off" in drawn
    assert "± 1.0·10⁻⁹" in drawn
    assert drawn.count("<i ") == 10
    assert [one for one in ("1<", "10⁻³", "10⁻⁶", "10⁻⁹") if one not in drawn] == []


def test_what_is_beyond_one_and_what_is_nothing():
    """A weight that is 30 off has its place; no error at all is at the small end."""
    drawn = scale([("a", "{}", 30), ("b", "{}", 0)])
    assert places(drawn) == pytest.approx([100 * (2 - 1.4771) / 5, 100], abs=0.1)


def test_what_is_not_known_is_not_drawn():
    """Without a finite figure there is no scale."""
    assert scale([("a", "{}", float("inf")), ("b", "{}", float("nan"))]) == ""
    assert "<b>a" not in scale([("a", "{}", float("inf")), ("b", "{}", 1e-3)])
