"""Choosing a device, and naming it."""

import gc
import weakref

import numpy as np
import pytest
import torch

from kernel_demo.errors import DemoError
from kernel_demo.learning import devices


def test_auto_is_the_best():
    """`auto` is the device that best() chooses, and it can compute."""
    device = devices.resolve("auto")
    assert device == devices.best()
    assert (torch.ones(2, device=device) + 1).sum().item() == 4


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (False, True, "mps"), (False, False, "cpu"), (True, False, "cuda")],
)
def test_order_of_preference(monkeypatch, cuda, mps, expected):
    """CUDA goes before MPS, and MPS before the CPU."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert devices.best().type == expected


@pytest.mark.parametrize("choice", ["tpu", "", "cuda:99", None])
def test_unknown_device_is_refused(choice):
    """A device that is not on the list is refused with the list."""
    with pytest.raises(DemoError, match="auto, cuda, mps, cpu"):
        devices.resolve(choice)


@pytest.mark.parametrize("choice", ["cuda", "mps"])
def test_absent_device_is_refused(monkeypatch, choice):
    """A device that this machine lacks is refused, and the message names what it has."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(DemoError, match="CPU"):
        devices.resolve(choice)


@pytest.mark.parametrize(("cores", "words"), [(1, "CPU, 1 core"), (2, "CPU, 2 cores")])
def test_name_of_the_cpu(monkeypatch, cores, words):
    """The CPU is named with the number of cores that this process may use."""
    monkeypatch.setattr(devices.os, "sched_getaffinity", lambda pid: set(range(cores)), False)
    assert devices.name("cpu") == words


def test_no_half_precision_on_the_cpu():
    """Mixed precision is offered only where it helps."""
    assert devices.half_precision("cpu") is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_name_of_the_gpu():
    """A GPU is named as its maker names it."""
    assert devices.name("cuda") == torch.cuda.get_device_properties(0).name


def test_a_read_only_array_is_lent_without_a_copy(warnings_raise):
    """The tensor lies on the array's own memory, outlives its name, and warns of nothing."""
    array = np.arange(12.0).reshape(3, 4)[:, 1:]
    array.setflags(write=False)
    address = array.ctypes.data
    tensor = devices.from_numpy(array)
    assert tensor.data_ptr() == address
    assert tensor.tolist() == array.tolist()
    assert not array.flags.writeable
    base = weakref.ref(array.base)
    del array
    gc.collect()
    assert base() is not None
    del tensor
    gc.collect()
    assert base() is None
