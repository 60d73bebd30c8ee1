"""Card 2 of the tab "Learn": what choosing a kernel does."""

import numpy as np
import pytest

from kernel_demo.ui.components import kernel_editor
from kernel_demo.ui.learn import tab


def size_of(*chosen):
    update = tab.kernel_chosen(*chosen)[0]
    assert update["value"] in [value for _, value in update["choices"]]
    return update["value"]


@pytest.mark.parametrize(("rows", "before"), [(3, 9), (9, 3), (17, 3)])
def test_ones_own_kernel_has_the_size_of_its_grid(rows, before):
    """Size says what is learned, whatever it said for the kernel chosen before."""
    grid = kernel_editor.editor_value(np.eye(rows))
    assert size_of("own", before, grid) == rows


@pytest.mark.parametrize(
    ("kernel", "before", "size"), [("random", 9, 9), ("random", 17, 15), ("sobel_x", 3, 3)]
)
def test_other_kernels_keep_the_size_or_take_the_nearest(kernel, before, size):
    """The grid, which is out of sight, does not count."""
    assert size_of(kernel, before, kernel_editor.editor_value(np.eye(5))) == size


@pytest.mark.parametrize("grid", [None, {}, {"rows": []}])
def test_no_grid_changes_no_size(grid):
    """A client may send anything in place of the grid."""
    assert size_of("own", 5, grid) == 5
