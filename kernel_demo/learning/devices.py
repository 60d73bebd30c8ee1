"""Which device computes, what people call it, and how arrays get there."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from kernel_demo.errors import DemoError, one_of
from kernel_demo.learning.late import torch

Device: TypeAlias = "torch.device | str"
CHOICES = ("auto", "cuda", "mps", "cpu")  # after `auto` the fastest first
# One of these is there on Linux where a GPU is: NVIDIA's, on a Jetson, under Windows, AMD's.
GPU_NODES = ("/dev/nvidiactl", "/dev/nvmap", "/dev/dxg", "/dev/kfd")


def best() -> torch.device:
    """The fastest device here: CUDA, then Apple's MPS, then the CPU."""
    return torch.device(next(filter(_is_here, CHOICES[1:])))


def resolve(choice: str = "auto") -> torch.device:
    """The device of that name; `auto` is `best()`. DemoError: unknown, or not on this machine."""
    if one_of("a device", choice, CHOICES) == "auto":
        return best()
    if not _is_here(choice):
        raise DemoError("a device of this machine", choice, f"Choose auto: it has {name(best())}.")
    return torch.device(choice)


def _is_here(choice: str) -> bool:
    there: dict[str, Callable[[], bool]] = {
        "cuda": torch.cuda.is_available,
        "mps": torch.backends.mps.is_available,
    }
    return choice not in there or there[choice]()


def cores() -> int:
    """How many cores this process may use: in a container often fewer than the machine has."""
    told = hasattr(os, "sched_getaffinity")
    return len(os.sched_getaffinity(0)) if told else os.cpu_count() or 1


def name(device: torch.device | str) -> str:
    """Words for people: "NVIDIA H100", "Apple GPU", "CPU, 2 cores"."""
    kind = str(device).partition(":")[0]
    if kind == "cuda":
        return torch.cuda.get_device_name(device)
    if kind == "mps":
        return "Apple GPU"
    return f"CPU, {cores()} core{'s' if cores() != 1 else ''}"


def name_of_best() -> str:
    """The name of `best()`, without torch where no GPU can be here: the page says it at once."""
    asked = "torch" in sys.modules or sys.platform != "linux"
    return name(best() if asked or any(map(os.path.exists, GPU_NODES)) else "cpu")


def with_float64(device: torch.device) -> torch.device:
    """That device, or the CPU in place of one that has no float64: Apple's MPS."""
    return torch.device("cpu") if device.type == "mps" else device


def half_precision(device: torch.device | str) -> torch.dtype | None:
    """The 16-bit type that training can use here; None: mixed precision is of no use here.

    bfloat16 only: it has float32's range, so that the tiny squared errors of a nearly exact
    kernel do not underflow as they do in float16.
    """
    device = torch.device(device)
    if device.type == "cuda" and torch.cuda.get_device_capability(device) >= (8, 0):
        return torch.bfloat16
    return None


def from_numpy(array: np.ndarray) -> torch.Tensor:
    """torch.from_numpy, for an array that may be read-only and that nobody will write to."""
    return torch.from_numpy(array if array.flags.writeable else np.asarray(_Lent(array)))


class _Lent:
    """A read-only array under the promise not to write. torch has no such tensors, and warns.

    A view of this one says that it is writable, and keeps the array alive.
    """

    def __init__(self, array: np.ndarray) -> None:
        self.array = array
        address, _ = array.__array_interface__["data"]
        self.__array_interface__ = array.__array_interface__ | {"data": (address, False)}


def release(device: torch.device) -> None:
    """Hands cached memory of freed tensors back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
