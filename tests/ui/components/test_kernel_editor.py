"""The grid in which a kernel is made by hand."""

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.ui.components import kernel_editor


def test_what_is_put_in_comes_out():
    """A kernel survives the way through the grid to six digits, the grid's own."""
    kernel = np.random.default_rng(3).normal(size=(5, 5))
    read = kernel_editor.read(kernel_editor.editor_value(kernel))
    np.testing.assert_allclose(read, kernel, rtol=1e-5)


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
