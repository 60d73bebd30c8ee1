"""K-FAC against the closed form it stands for, and what it is refused for."""

import numpy as np
import pytest
import torch
from torch import nn

from kernel_demo.errors import DemoError
from kernel_demo.learning.choices import METHODS, default_rate, quickest_sgd
from kernel_demo.learning.kfac import KFAC
from kernel_demo.learning.layers import SingleConv
from kernel_demo.learning.model import check_model, make


def problem(size=3, offset=0.0, n=4, side=24, seed=0):
    """Tiles, their answers by a random kernel, and that kernel (flattened, offset last)."""
    generator = torch.Generator().manual_seed(seed)
    before = torch.rand(n, 1, side, side, generator=generator, dtype=torch.float64)
    kernel = torch.randn(size, size, generator=generator, dtype=torch.float64) / size
    after = nn.functional.conv2d(before, kernel[None, None]) + offset
    return before, after, np.append(kernel.numpy().ravel(), offset)


def patches(before, size):
    """(n, k^2) float64, by NumPy."""
    views = np.lib.stride_tricks.sliding_window_view(before.numpy()[:, 0], (size, size), (1, 2))
    return views.reshape(-1, size * size)


def backward(model, before, after, weight=None):
    weight = torch.ones_like(after) if weight is None else weight
    device = next(model.parameters()).device
    before, after, weight = (tensor.to(device) for tensor in (before, after, weight))
    model.zero_grad()
    error = model(before) - after
    (weight * error.square()).sum().div(weight.sum()).backward()


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("offset", [None, 0.7])
def test_one_full_step_is_least_squares(device64, size, offset):
    """With every patch and lr 1, one step lands on the closed form by numpy.linalg.lstsq."""
    before, after, _ = problem(size, offset or 0.0)
    after = after + torch.randn(after.shape, generator=torch.Generator().manual_seed(9)) * 0.1
    model = SingleConv(size, seed=1, offset=offset is not None).double().to(device64)
    optimizer = KFAC(model.conv, lr=1.0, damping=0.0, samples=10**9)
    backward(model, before, after)
    optimizer.step()

    X = patches(before, size)
    if offset is not None:
        X = np.column_stack([X, np.ones(len(X))])
    expected = np.linalg.lstsq(X, after.numpy().ravel(), rcond=None)[0]
    learned = np.append(model.kernel().ravel(), [model.offset()] if offset is not None else [])
    assert np.abs(learned - expected).max() < 1e-9  # float64, condition number of X'X near 100


def test_step_follows_its_formula(device64):
    """w - lr (2 A + damping tr(A) / n I)^-1 gradient, by NumPy, over two steps of running A."""
    lr, damping, decay = 0.3, 0.01, 0.8
    model = SingleConv(3, seed=1).double().to(device64)
    optimizer = KFAC(model.conv, lr, damping, decay, samples=10**9)
    weights = model.kernel().ravel()
    moment = np.zeros((9, 9))
    for step in (1, 2):
        before, after, _ = problem(seed=step)
        X, y = patches(before, 3), after.numpy().ravel()
        gradient = 2 * X.T @ (X @ weights - y) / len(y)
        moment = decay * moment + (1 - decay) * X.T @ X / len(y)
        A = moment / (1 - decay**step)
        damped = 2 * A + damping * np.trace(A) / 9 * np.eye(9)
        weights = weights - lr * np.linalg.solve(damped, gradient)
        backward(model, before, after)
        optimizer.step()
        assert np.abs(model.kernel().ravel() - weights).max() < 1e-12


def test_pixels_without_weight_shape_nothing(device64):
    """Masked pixels, whatever lies under them, leave the step as it is without their tile."""
    before, after, _ = problem()
    weight = torch.ones_like(after)
    weight[2:] = 0
    spoilt = before.clone()
    spoilt[2:] *= 1000
    results = []
    for tiles, answers, weights in [
        (before[:2], after[:2], None),
        (spoilt, after, weight),
    ]:
        model = SingleConv(3, seed=1).double().to(device64)
        optimizer = KFAC(model.conv, lr=0.5, samples=10**9)
        optimizer.pixel_weight = None if weights is None else weights.to(device64)
        backward(model, tiles, answers, weights)
        optimizer.step()
        results.append(model.kernel())
    assert np.abs(results[0] - results[1]).max() < 1e-12


def test_accumulated_passes_are_one_batch():
    """Two passes of half the tiles make the step of one pass of all, with every patch seen."""
    before, after, _ = problem()
    results = []
    for parts in ([slice(0, 4)], [slice(0, 2), slice(2, 4)]):
        model = SingleConv(3, seed=1).double()
        optimizer = KFAC(model.conv, samples=10**9)
        for part in parts:
            error = model(before[part]) - after[part]
            (error.square().sum() / after.numel()).backward()
        optimizer.step()
        results.append(model.kernel())
    assert np.abs(results[0] - results[1]).max() < 1e-12


def test_a_part_of_the_patches_leads_to_the_same_kernel(device64):
    """Sampled patches shape the steps, not where they lead: the true kernel, to 1e-9."""
    before, after, true = problem(size=5)
    model = SingleConv(5, seed=1).double().to(device64)
    optimizer = KFAC(model.conv, samples=200)
    for _ in range(60):
        backward(model, before, after)
        optimizer.step()
    assert np.abs(model.kernel().ravel() - true[:-1]).max() < 1e-9


def test_filtering_teaches_nothing():
    """Passes without gradients add no patches, and a step without gradients changes nothing."""
    model = SingleConv(3, seed=1)
    optimizer = KFAC(model.conv)
    start = model.kernel()
    with torch.no_grad():
        model(torch.rand(2, 1, 10, 10))
    optimizer.step()
    assert np.array_equal(model.kernel(), start)


def test_state_dict_keeps_its_precision(device):
    """Saved and loaded, the covariance is the same to the last bit of float64."""
    before, after, _ = problem()
    first, second = SingleConv(3, seed=1).to(device), SingleConv(3, seed=1).to(device)
    one, two = KFAC(first.conv), KFAC(second.conv)
    backward(first, before.float(), after.float())
    one.step()
    second.load_state_dict(first.state_dict())
    two.load_state_dict(one.state_dict())
    for model, optimizer in ((first, one), (second, two)):
        backward(model, before.float(), after.float())
        optimizer.step()
    assert np.array_equal(first.kernel(), second.kernel())


def test_closed_it_leaves_no_hook():
    """After close() the layer is as it was."""
    model = SingleConv(3)
    KFAC(model.conv).close()
    assert not model.conv._forward_pre_hooks


@pytest.mark.parametrize("size", [3, 15])
def test_default_rate_of_sgd_is_stable(size):
    """On white pictures, the worst case of the bound, SGD at its default rate does not diverge."""
    before = torch.ones(2, 1, size + 7, size + 7)
    model = SingleConv(size, seed=1)
    optimizer = make("sgd", model)
    first = None
    for _ in range(50):
        backward(model, before, torch.ones(2, 1, 8, 8))
        first = first or (model(before) - 1).square().mean().item()
        optimizer.step()
    assert (model(before) - 1).square().mean().item() < max(first, 1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_rates(method):
    """make() uses the rate it is given, else the method's own."""
    model = SingleConv(5)
    assert make(method, model, 0.125).param_groups[0]["lr"] == 0.125
    assert make(method, model).param_groups[0]["lr"] == default_rate(method, 5)


@pytest.mark.parametrize("brightness", [0.05, 0.2, 0.5, 1.0])
def test_the_rate_of_the_race_is_stable(brightness):
    """Even of pictures of one brightness, whose largest eigenvalue is the whole trace."""
    before = torch.full((2, 1, 12, 12), brightness**0.5)
    model = SingleConv(5, seed=1)
    optimizer = make("sgd", model, quickest_sgd(5, brightness))
    for _ in range(200):
        backward(model, before, torch.ones(2, 1, 8, 8))
        optimizer.step()
    assert (model(before) - 1).square().mean().item() < 1e-3


NOT_PLAIN = {
    "two layers": nn.Sequential(nn.Conv2d(1, 4, 3), nn.Conv2d(4, 1, 3)),
    "padding": nn.Conv2d(1, 1, 3, padding=1),
    "channels": nn.Conv2d(3, 1, 3),
    "stride": nn.Conv2d(1, 1, 3, stride=2),
    "dilation": nn.Conv2d(1, 1, 3, dilation=2),
    "not square": nn.Conv2d(1, 1, (3, 5)),
    "not a convolution": nn.Linear(9, 1),
    "nothing to learn": nn.Identity(),
}


@pytest.mark.parametrize("case", NOT_PLAIN)
def test_kfac_is_for_one_convolution(case):
    """K-FAC is refused for any other model, with the remedy; the others take any with weights."""
    with pytest.raises(DemoError, match="one convolution for K-FAC"):
        check_model("kfac", NOT_PLAIN[case])
    check_model("adam", NOT_PLAIN[case])


def test_unknown_method_is_refused():
    """An unknown method is refused with the list."""
    with pytest.raises(DemoError, match="kfac, adam, sgd"):
        check_model("lbfgs", SingleConv(3))
