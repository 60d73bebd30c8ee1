"""The devices that this machine has: what depends on one is tested on each."""

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
