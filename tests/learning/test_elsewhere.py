"""The core on a device that is not the CPU, as strict as CUDA is and at hand everywhere."""

from contextlib import closing, nullcontext
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from kernel_demo.imaging.kernels import random
from kernel_demo.learning.choices import METHODS
from kernel_demo.learning.layers import CorrelationLayer, SingleConv
from kernel_demo.learning.pairs import Pairs, build, teacher
from kernel_demo.learning.sums import patch_sums
from kernel_demo.learning.training import Loop, TrainSettings, train
from tests.learning.elsewhere import DEVICE, HomelessError, MixedError, elsewhere
from tests.learning.explicit import assert_close, assert_same_bits, photo_like, picture


@pytest.fixture
def strict(monkeypatch):
    """The strict device: a run is on it within `with strict:`."""
    return elsewhere(monkeypatch)


@pytest.fixture(scope="module")
def tiles():
    """Sixteen tiles of a picture after random 3 x 3 and 5 x 5 kernels, by size."""
    before = [(photo_like(112, 112) / 255).astype(np.float32)]
    kernels = {size: random(size, seed=0) for size in (3, 5)}
    return {
        size: build(before, teacher(before, kernel, 0.1), size, tile=32)
        for size, kernel in kernels.items()
    }


def last(tiles, settings, size=3, offset=True, on=None, resume=None):
    """The last Progress of a run, by default on the CPU."""
    settings = replace(settings, device="auto" if on else "cpu")
    model = SingleConv(size, seed=1, offset=offset)
    with on or nullcontext():
        *_, progress = train(model, tiles[size], settings, resume=resume)
    return progress


@pytest.mark.filterwarnings("ignore:for conv.*meta parameter")  # ours has values: they are copied
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("size", "offset", "accumulation"), [(3, True, 1), (5, False, 2)])
def test_training_goes_as_on_the_cpu(
    strict, monkeypatch, tiles, method, size, offset, accumulation
):
    """Every method ends where it ends on the CPU, paused on one and resumed on the other too."""
    # The convolution of other devices, so that the arithmetic is the same to the last bit.
    monkeypatch.setattr(CorrelationLayer, "forward", nn.Conv2d.forward)
    settings = TrainSettings(method, batch=4, accumulation=accumulation, steps=4, tile=32)
    expected = last(tiles, settings, size, offset)
    whole = last(tiles, settings, size, offset, strict)
    half = last(tiles, replace(settings, steps=2), size, offset, strict)
    rest = last(tiles, settings, size, offset, strict, resume=half)
    np.testing.assert_array_equal(whole.kernel, expected.kernel)
    np.testing.assert_array_equal(rest.kernel, whole.kernel)
    assert rest.offset == whole.offset


@pytest.mark.parametrize("method", METHODS)
def test_steps_wait_for_nothing(strict, tiles, method):
    """Over two epochs no step waits for the device; before them, the brightness is asked once."""
    settings = TrainSettings(method, batch=4, tile=32)
    model = SingleConv(3, offset=True)
    with strict:
        loop = Loop(model, tiles[3], settings, DEVICE)
        assert len(strict.waits) == 1
        for step in range(1, 2 * len(tiles[3].training) // 4):
            loop.update(step)
    assert len(strict.waits) == 1


@pytest.mark.parametrize(("method", "most"), [("kfac", 8), ("adam", 13), ("sgd", 9)])
def test_a_progress_asks_for_its_own_figures(strict, tiles, method, most):
    """From Progress to Progress, a step between, the host waits for what a Progress holds only."""
    settings = TrainSettings(method, batch=4, tile=32, check_every=1)
    model = SingleConv(3, offset=True)
    with strict, closing(train(model, tiles[3], settings)) as run:
        next(run)
        strict.waits.clear()
        next(run)
        # Losses (2), kernel (2) and offset; weights (2); of the optimizer 1, or 1 to 3 a weight.
        assert len(strict.waits) <= most


@pytest.mark.parametrize("method", ["adam", "sgd"])
def test_float64_stays_on_the_host(strict, tiles, method):
    """Training and its Progress make nothing in float64 on the device: Apple's has none."""
    last(tiles, TrainSettings(method, batch=4, steps=2, tile=32), on=strict)
    assert torch.float32 in strict.types
    assert torch.float64 not in strict.types


@pytest.mark.parametrize("share", [None, 0.8, 0.3], ids=["whole", "few out", "few in"])
@pytest.mark.parametrize("size", [3, 15])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_sums_go_as_on_the_cpu(strict, dtype, size, share):
    """By every way the sums are those of the CPU; the host waits once for each total."""
    before, after = picture((150, 170), dtype, 1), picture((150, 170), dtype, 2)
    mask = None if share is None else np.random.default_rng(3).random(before.shape) < share
    expected = patch_sums(before, after, size, mask)
    with strict:
        found = patch_sums(before, after, size, mask, DEVICE)
    (assert_close if dtype == np.float32 else assert_same_bits)(found, expected)
    assert len(strict.waits) == (2 if share == 0.8 else 1)


def a_factory_without_device(tiles):
    return tiles.before * torch.ones(1, 1, 1, 1)


def a_tensor_left_on_the_host(tiles):
    return tiles.before * torch.from_numpy(np.ones(1, np.float32))


def an_index_on_the_host(tiles):
    return tiles.before[torch.from_numpy(np.arange(2))]


def a_gradient_on_the_host(tiles):
    weight = torch.from_numpy(np.ones((1, 1, 3, 3), np.float32)).requires_grad_()
    return nn.functional.conv2d(tiles.before, weight)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (a_factory_without_device, HomelessError),
        (a_tensor_left_on_the_host, MixedError),
        (an_index_on_the_host, MixedError),
        (a_gradient_on_the_host, MixedError),
        (lambda tiles: tiles.before.numpy(), RuntimeError),
        (lambda tiles: np.asarray(tiles.before), RuntimeError),
    ],
)
def test_what_cuda_refuses_is_refused(strict, tiles, fault, error):
    """One planted fault of each kind, and the strict device finds it."""
    with strict:
        on_device = tiles[3].to(DEVICE)
        with pytest.raises(error):
            fault(on_device)


@pytest.mark.parametrize(
    "ask",
    [
        lambda x: x.sum().item(),
        lambda x: float(x.sum()),
        lambda x: bool((x > 0).any()),
        lambda x: x.cpu(),
        lambda x: x.to("cpu"),
        lambda x: x[x > 0.5],
        lambda x: x.nonzero(),
        lambda x: torch.linalg.cholesky(torch.eye(2, device=x.device)),
    ],
)
def test_what_cuda_waits_for_is_counted(strict, tiles, ask):
    """Each way to ask the device for numbers, or for how many there are, is one wait."""
    with strict:
        pixels = tiles[3].before.to(DEVICE)
        assert strict.waits == []
        ask(pixels)
        assert len(strict.waits) == 1


def test_a_planted_fault_in_training_is_found(strict, tiles, monkeypatch):
    """Weights of the pixels left on the host: training fails at its first loss."""

    def forgetful(pairs, device):
        return replace(pairs, before=pairs.before.to(device), after=pairs.after.to(device))

    monkeypatch.setattr(Pairs, "to", forgetful)
    with pytest.raises(MixedError):
        last(tiles, TrainSettings(batch=4, steps=1, tile=32), on=strict)
