"""Which device computes, and what people call it."""

import os

import torch

from kernel_demo.errors import DemoError

CHOICES = ("auto", "cuda", "mps", "cpu")


def best() -> torch.device:
    """The fastest device here: CUDA, then Apple's MPS, then the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def resolve(choice: str = "auto") -> torch.device:
    """The device of that name; `auto` is `best()`. DemoError: unknown, or not on this machine."""
    if choice == "auto":
        return best()
    if choice not in CHOICES:
        raise DemoError(f"a device out of {', '.join(CHOICES)}", repr(choice), "Choose auto.")
    missing = (choice == "cuda" and not torch.cuda.is_available()) or (
        choice == "mps" and not torch.backends.mps.is_available()
    )
    if missing:
        raise DemoError("a device of this machine", choice, f"Choose auto: it has {name(best())}.")
    return torch.device(choice)


def name(device: torch.device | str) -> str:
    """Words for people: "NVIDIA H100", "Apple GPU", "CPU, 2 cores"."""
    device = torch.device(device)
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    if device.type == "mps":
        return "Apple GPU"
    cores = _cores()
    return f"CPU, {cores} core{'s' if cores != 1 else ''}"


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


def release(device: torch.device) -> None:
    """Hands cached memory of freed tensors back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _cores() -> int:
    # The cores this process may use: in a container often fewer than the machine has.
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
