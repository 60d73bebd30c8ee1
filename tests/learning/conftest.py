"""The devices that this machine has: what depends on one is tested on each."""

import warnings

import pytest
import torch

THERE = {
    "cpu": True,
    "cuda": torch.cuda.is_available(),
    "mps": torch.backends.mps.is_available(),
}
DEVICES = [name for name, there in THERE.items() if there]


@pytest.fixture(scope="session", params=DEVICES)
def device(request):
    """One of devices.CHOICES that is there."""
    return request.param


@pytest.fixture(scope="session", params=[name for name in DEVICES if name != "mps"])
def device64(request):
    """One that has float64."""
    return request.param


@pytest.fixture
def warnings_raise():
    """Every warning is an error, each time anew: torch would warn once, whoever asked first."""
    always = torch.is_warn_always_enabled()
    torch.set_warn_always(True)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    torch.set_warn_always(always)
