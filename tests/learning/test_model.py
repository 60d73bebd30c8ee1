"""The one layer: what it computes, its gradient, and how it starts."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F

from kernel_demo.errors import DemoError
from kernel_demo.learning.layers import SingleConv

ASYMMETRIC = np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9.0]]) / 45


def random_tiles(*shape, seed=0, dtype=torch.float32):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_it_correlates_as_opencv_does(device):
    """after[y, x] = sum kernel[i, j] before[y + i - r, x + j - r]: not flipped, as filter2D."""
    model = SingleConv(3)
    with torch.no_grad():
        model.conv.weight.copy_(torch.from_numpy(ASYMMETRIC))
    picture = random_tiles(1, 1, 20, 31)
    expected = cv2.filter2D(picture[0, 0].double().numpy(), -1, ASYMMETRIC)[1:-1, 1:-1]
    found = model.to(device)(picture.to(device))[0, 0].detach().cpu().numpy()
    assert np.abs(found - expected).max() < 1e-6  # float32, not the 10 bits of TF32
    assert np.array_equal(model.kernel(), ASYMMETRIC.astype(np.float32))


def test_a_gpu_convolves_in_full_and_in_order():
    """cuDNN may neither round float32 to TF32 nor add up in an order of the moment."""
    assert not torch.backends.cudnn.allow_tf32
    assert torch.backends.cudnn.deterministic


# (32, 40): smaller than a block of columns; 75: two and a rest; 1 x k: one row or column of output.
SHAPES = [(1, 9, 9), (3, 32, 40), (2, 33, 75), (5, 15, 80), (2, 90, 15)]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("size", [3, 5, 9])
@pytest.mark.parametrize("offset", [False, True])
def test_every_way_equals_torch(device64, shape, size, offset):
    """Output and gradient, on each device, are torch.conv2d's on the CPU, in float64 to 1e-12."""
    n, height, width = shape
    before = random_tiles(n, 1, height, width, dtype=torch.float64)
    model = SingleConv(size, seed=1, offset=offset).double().to(device64)
    out = model(before.to(device64))
    target = random_tiles(*out.shape, seed=2, dtype=torch.float64)
    (out - target.to(device64)).square().sum().backward()

    out, model = out.cpu(), model.cpu()
    weight = model.conv.weight.detach().clone().requires_grad_()
    expected = F.conv2d(before, weight, model.conv.bias)
    (expected - target).square().sum().backward()
    assert out.shape == expected.shape
    assert (out - expected).abs().max() < 1e-12
    scale = weight.grad.abs().max()
    assert (model.conv.weight.grad.cpu() - weight.grad).abs().max() < 1e-12 * scale


def test_gradient_by_finite_differences():
    """autograd's own check of the fast way's gradient."""
    model = SingleConv(3, seed=3).double()
    before = random_tiles(2, 1, 6, 7, dtype=torch.float64)
    torch.autograd.gradcheck(
        lambda weight: torch.func.functional_call(model, {"conv.weight": weight}, before),
        model.conv.weight,
    )


def test_it_can_stand_behind_another_layer():
    """Gradients flow through it to its input, so that it can be part of a deeper model."""
    model = torch.nn.Sequential(SingleConv(3, seed=1), SingleConv(3, seed=2))
    model(random_tiles(1, 1, 12, 12)).square().sum().backward()
    assert all(p.grad.abs().sum() > 0 for p in model.parameters())


def test_any_height_and_width():
    """The layer is fully convolutional: a part of the picture gives that part of the result."""
    model = SingleConv(5, seed=1)
    picture = random_tiles(1, 1, 70, 200)
    part = model(picture[:, :, 10:40, 33:90])
    whole = model(picture)[:, :, 10:36, 33:86]
    assert (part - whole).abs().max() < 1e-6  # float32, summed in another order


@pytest.mark.parametrize("init", ["normal", "uniform"])
def test_random_starts(init):
    """Random starts have standard deviation 1 / k, and the seed decides them."""
    first, again = SingleConv(31, init, seed=5).kernel(), SingleConv(31, init, seed=5).kernel()
    assert np.array_equal(first, again)
    assert not np.array_equal(first, SingleConv(31, init, seed=6).kernel())
    # 961 draws know their deviation to about 1 / sqrt(2 * 961) = 2.3 %: four of those.
    assert first.std() * 31 == pytest.approx(1.0, abs=0.1)


def test_plain_starts():
    """`zeros` is nothing, `identity` gives the picture back."""
    assert not SingleConv(5, "zeros").kernel().any()
    picture = random_tiles(1, 1, 20, 20)
    assert torch.equal(SingleConv(5, "identity")(picture), picture[:, :, 2:-2, 2:-2])


def test_global_generator_is_left_alone():
    """Making a model draws nothing from torch's global generator."""
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    SingleConv(7, seed=2, offset=True)
    assert torch.equal(torch.rand(3), expected)


def test_kernel_and_offset_are_copies():
    """What kernel() gives is float64 of its own; an offset is 0 until it is learned."""
    model = SingleConv(3, "identity", offset=True)
    kernel = model.kernel()
    kernel[:] = 7
    assert model.kernel()[1, 1] == 1.0
    assert kernel.dtype == np.float64
    assert model.offset() == SingleConv(3).offset() == 0.0
    with torch.no_grad():
        model.conv.bias.fill_(0.5)
    assert model.offset() == 0.5


@pytest.mark.parametrize("size", [0, 1, 2, 4, 33, -3])
def test_impossible_sizes_are_refused(size):
    """Sizes that are even or out of 3..31 are refused with what would do."""
    with pytest.raises(DemoError, match="odd kernel size from 3 to 31"):
        SingleConv(size)


def test_unknown_start_is_refused():
    """An unknown initialisation is refused with the list."""
    with pytest.raises(DemoError, match="normal, uniform, zeros, identity"):
        SingleConv(3, "xavier")
