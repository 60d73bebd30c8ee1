"""Depth helps where a kernel cannot do it; linear layers in a row are one kernel."""

import cv2
import numpy as np
import pytest
import torch

from kernel_demo.errors import DemoError
from kernel_demo.imaging.kernels import named
from kernel_demo.lab.depth import (
    STACK_SIZE,
    TARGETS,
    compare,
    compare_stack,
    compose,
    held_psnr,
    split,
)
from kernel_demo.lab.nets import DeepNet, stack

RANDOM = np.random.default_rng(0)
PICTURES = [
    np.clip(0.5 + 6 * (cv2.GaussianBlur(RANDOM.random((96, 110)), (0, 0), 2) - 0.5), 0, 1)
    for _ in range(4)
]
NOISE = np.random.default_rng(0)
SMOOTH = [cv2.GaussianBlur(NOISE.random((90, 100)), (0, 0), 1) for _ in range(2)]


def test_the_deep_network_is_small_and_starts_at_its_shortcut():
    """Under 10,000 weights; at first it is nearly the kernel that it starts from."""
    start = RANDOM.random((3, 3)) / 9
    model = DeepNet(3, start=start)
    assert sum(weight.numel() for weight in model.parameters()) < 10_000
    assert sum(isinstance(part, torch.nn.Conv2d) for part in model.body) == 3
    before = torch.from_numpy(PICTURES[0].astype(np.float32))[None, None]
    with torch.no_grad():
        after = model(before)[0, 0].numpy()
    expected = cv2.filter2D(PICTURES[0], -1, start)[1:-1, 1:-1]
    assert np.abs(after - expected).max() < 0.05


def test_equal_seeds_make_equal_networks(monkeypatch):
    """The seed alone decides the start; no device's own generator is seeded or drawn from."""
    monkeypatch.setattr(torch, "manual_seed", None)
    monkeypatch.setattr(torch.random, "fork_rng", None)
    state = torch.random.get_rng_state()
    one, other, third = DeepNet(3, seed=1), DeepNet(3, seed=1), DeepNet(3, seed=2)
    assert torch.equal(torch.random.get_rng_state(), state)
    assert torch.equal(one.body[0].weight, other.body[0].weight)
    assert not torch.equal(one.body[0].weight, third.body[0].weight)


@pytest.mark.slow
def test_depth_learns_a_magnitude_that_a_kernel_cannot():
    """At least 10 dB more on pictures not seen, after 300 steps on small pictures.

    The bundled photos and 1500 steps give 20 dB and more: benchmarks/depth.py.
    """
    moments = list(compare(PICTURES, "magnitude", steps=300))
    last = moments[-1]
    assert last.done
    assert last.deep.step == 300
    assert last.deep_psnr >= last.shallow_psnr + 10
    assert moments[0].deep.step == 0
    assert last.deep_weights < 10_000
    steps = [moment.deep.step for moment in moments]
    assert steps == sorted(steps)


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_runs(target):
    """Each target starts, with the deep network no worse than the best kernel, and can be left."""
    race = compare(PICTURES, target, steps=30)
    first = next(race)
    last = list(race)[-1]
    assert last.done
    assert last.shallow.kernel.shape == (TARGETS[target].size,) * 2
    assert first.deep_psnr > last.shallow_psnr - 3
    assert last.deep.kernel is None


def test_held_out_pictures_are_not_trained_on():
    """A quarter is held out; of a single picture, its right third."""
    trained, held = split(PICTURES)
    assert [id(one) for one in trained + held] == [id(one) for one in PICTURES]
    assert len(held) == 1
    trained, held = split(PICTURES[:1])
    np.testing.assert_array_equal(np.hstack(trained + held), PICTURES[0])


def test_psnr_of_a_perfect_model_is_infinite():
    """The identity's answer to the identity, over valid pixels only."""
    before = np.float32(PICTURES[0])
    model = torch.nn.Conv2d(1, 1, 3, bias=False)
    torch.nn.init.dirac_(model.weight)
    assert held_psnr(model, [(before, before)]) == float("inf")


@pytest.mark.parametrize(
    ("pictures", "settings"),
    [
        (PICTURES, {"target": "blur"}),
        ([], {}),
    ],
)
def test_bad_input_is_told(pictures, settings):
    """An unknown target and no picture raise DemoError at the call."""
    with pytest.raises(DemoError):
        compare(pictures, **settings)


def test_composing_by_hand():
    """Two 3 x 3 kernels whose product is known: [1 1 1] down times [1 2 1] across, and so on."""
    down, across = np.zeros((3, 3)), np.zeros((3, 3))
    down[:, 1], across[1] = [1, 1, 1], [1, 2, 1]
    expected = np.zeros((5, 5))
    expected[1:4, 1:4] = [[1, 2, 1]] * 3
    np.testing.assert_array_equal(compose([down, across]), expected)


def test_the_product_is_what_the_stack_computes():
    """torch's three layers in a row and their one kernel give the same picture."""
    layers = stack(3, 3, 3)
    kernel = compose([layer.kernel() for layer in layers])
    assert kernel.shape == (STACK_SIZE, STACK_SIZE)
    before = torch.from_numpy(SMOOTH[0])[None, None]
    with torch.no_grad():
        after = layers.double()(before)[0, 0].numpy()
    expected = cv2.filter2D(SMOOTH[0], -1, kernel)[3:-3, 3:-3]
    np.testing.assert_allclose(after, expected, atol=1e-12)


@pytest.mark.parametrize("method", ["kfac", "adam"])
def test_both_learn_the_same_function(method):
    """The stack's product nears the truth, as the single layer does; K-FAC is there, exactly."""
    moments = list(compare_stack(SMOOTH, named("sobel_x").values, method=method, steps=150))
    first, last = moments[0], moments[-1]
    assert last.done
    assert last.stacked.step == 150
    assert last.stacked_error < first.stacked_error
    np.testing.assert_array_equal(compose(last.factors), last.product)
    if method == "kfac":
        assert last.single_error < 1e-3 < last.stacked_error
