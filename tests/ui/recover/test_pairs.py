"""A visitor's files, before beside after."""

import cv2
import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.ui.recover import pairs


def test_the_total_of_a_side_is_told_as_it_is(tmp_path, monkeypatch):
    """The second of two pictures hears of the room for both, not of a limit for one."""
    monkeypatch.setattr(pairs, "MAX_TOTAL", 1_600_000)
    paths = [str(tmp_path / name) for name in ("a.png", "b.png")]
    for path in paths:
        cv2.imwrite(path, np.zeros((1000, 1040), np.uint8))
    with pytest.raises(DemoError) as caught:
        pairs.open_side(paths)
    assert str(caught.value) == (
        "Expected at most 1.6 megapixels in all files of one side together; got 1.1 megapixels in "
        "“b.png”, with 1.1 of 1.6 used and 0.5 left. Scale it down, or leave out another file."
    )


def test_two_sizes_of_a_pair_are_both_named(tmp_path):
    """As soon as both files are there, width first; nothing is said of equal ones."""
    sizes = {"a": (40, 60), "b": (30, 50), "c": (40, 60)}  # rows, columns
    for name, size in sizes.items():
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.zeros(size, np.uint8))

    def told(befores, afters):
        sides = ([str(tmp_path / f"{name}.png") for name in side] for side in (befores, afters))
        return pairs.thumbnails(*map(pairs.open_side, sides))

    assert "Before is 60 × 40 pixels, after 50 × 30." in told("a", "b")
    assert "Pair 2: before is 60 × 40 pixels, after 50 × 30." in told("ca", "ab")
    assert "Before is" not in told("a", "c")
    assert "Before is" not in told("a", "")
