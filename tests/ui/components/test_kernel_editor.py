"""The grid in which a kernel is made by hand."""

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.ui.components import kernel_editor


def test_what_is_put_in_comes_out():
    """A kernel survives the way through the grid, of any size, to the last bit."""
    for kernel in (
        np.random.default_rng(3).normal(size=(5, 5)),
        np.full((3, 3), 1 / 9),
        np.array([[-0.0, 1e-30, -2 / 7], [0.1, 1e6, 1 / 3], [0.1 + 0.2, -3, 16]]),
    ):
        value = kernel_editor.editor_value(kernel)
        read = kernel_editor.read(value)
        np.testing.assert_array_equal(read, kernel)
        np.testing.assert_array_equal(
            kernel_editor.read(kernel_editor.fitted(value, 5)), framed(kernel)
        )


def framed(kernel):
    """With zeros around it up to 5 x 5."""
    return np.pad(kernel, (5 - len(kernel)) // 2)


def test_a_simple_fraction_is_written_as_one():
    """A box blur is ninths, which no decimal is; what is short in decimals stays so."""
    written = kernel_editor.editor_value(np.array([[1 / 9, -2 / 9, 0.25], [3, -0.0, 1e-4]]))
    assert written == {"rows": [["1/9", "-2/9", "0.25"], ["3", "0", "0.0001"]]}


@pytest.mark.parametrize(
    ("cell", "value"),
    [("1/3", 1 / 3), ("-2/9", -2 / 9), ("\u22122/9", -2 / 9), (" 1 / 8 ", 0.125), ("1.5/0.5", 3)],
)
def test_a_cell_takes_a_fraction(cell, value):
    """As it is written on paper, with the minus of a typesetter too."""
    rows = [["0"] * 3 for _ in range(3)]
    rows[1][1] = cell
    assert kernel_editor.read({"rows": rows})[1, 1] == value


@pytest.mark.parametrize(("size", "expected"), [(5, 0.0), (1, None)])
def test_another_size_keeps_the_centre(size, expected):
    """Growing frames by zeros, shrinking cuts; the middle weight stays in the middle."""
    value = kernel_editor.editor_value(np.arange(1.0, 10).reshape(3, 3))
    rows = kernel_editor.fitted(value, size)["rows"]
    assert len(rows) == size
    assert float(rows[size // 2][size // 2]) == 5
    if expected is not None:
        assert float(rows[0][0]) == expected


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("", "empty cell in row 2, column 3"),
        ("abc", "'abc' in row 2, column 3"),
        ("1/0", "'1/0' in row 2, column 3"),
        ("1/2/3", "'1/2/3' in row 2, column 3"),
        ("2*3", "such as -1, 0.5 or 1/9"),
        ("nan", "(?i)nan"),
        ("1e9", "^Expected weights up to a million; got 1e9 in row 2, column 3"),
    ],
)
def test_a_cell_that_cannot_be_used_is_named(cell, words):
    """The message says which cell to mend."""
    value = kernel_editor.editor_value(np.ones((3, 3)))
    value["rows"][1][2] = cell
    with pytest.raises(DemoError, match=words):
        kernel_editor.read(value)


@pytest.mark.parametrize("value", [None, {}, {"rows": []}, {"rows": [["1", "2"], ["3"]]}])
def test_a_grid_that_is_none_is_refused(value):
    """What a client sends in place of a grid is an error with a sentence, not a crash."""
    with pytest.raises(DemoError):
        kernel_editor.read(value)
