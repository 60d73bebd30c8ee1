"""Linear layers in a row are one kernel."""

import cv2
import numpy as np
import pytest
import torch

from kernel_demo.imaging.kernels import named
from kernel_demo.lab.stacking import SIZE, compare, compose, stack

RANDOM = np.random.default_rng(0)
PICTURES = [cv2.GaussianBlur(RANDOM.random((90, 100)), (0, 0), 1) for _ in range(2)]


def test_composing_by_hand():
    """Two 3 x 3 kernels whose product is known: [1 1 1] down times [1 2 1] across, and so on."""
    down, across = np.zeros((3, 3)), np.zeros((3, 3))
    down[:, 1], across[1] = [1, 1, 1], [1, 2, 1]
    expected = np.zeros((5, 5))
    expected[1:4, 1:4] = [[1, 2, 1]] * 3
    np.testing.assert_array_equal(compose([down, across]), expected)


def test_the_product_is_what_the_stack_computes():
    """torch's three layers in a row and their one kernel give the same picture."""
    layers = stack(seed=3)
    kernel = compose([layer.kernel() for layer in layers])
    assert kernel.shape == (SIZE, SIZE)
    before = torch.from_numpy(PICTURES[0])[None, None]
    with torch.no_grad():
        after = layers.double()(before)[0, 0].numpy()
    expected = cv2.filter2D(PICTURES[0], -1, kernel)[3:-3, 3:-3]
    np.testing.assert_allclose(after, expected, atol=1e-12)


@pytest.mark.parametrize("method", ["kfac", "adam"])
def test_both_learn_the_same_function(method):
    """The stack's product nears the truth, as the single layer does; K-FAC is there, exactly."""
    moments = list(compare(PICTURES, named("sobel_x").values, method=method, steps=150))
    first, last = moments[0], moments[-1]
    assert last.done
    assert last.stacked.step == 150
    assert last.stacked_error < first.stacked_error
    np.testing.assert_array_equal(compose(last.factors), last.product)
    if method == "kfac":
        assert last.single_error < 1e-3 < last.stacked_error
