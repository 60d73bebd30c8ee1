"""A single convolution layer: all that a linear filter is."""

import numpy as np
import torch
from torch import nn

from kernel_demo.errors import DemoError
from kernel_demo.imaging.kernels import MAX_SIZE, MIN_SIZE
from kernel_demo.learning.layer import CorrelationLayer

INITS = ("normal", "uniform", "zeros", "identity")


class SingleConv(nn.Module):
    """One k x k correlation without padding: N x 1 x H x W -> N x 1 x (H - k + 1) x (W - k + 1).

    init: normal (standard normal / k, like a random kernel), uniform (the same variance),
    zeros, or identity (starts as "does nothing").
    offset: also learn a scalar that is added to every pixel; it starts at 0.
    DemoError: a size that is even or out of range; an unknown init.
    """

    def __init__(self, size: int, init: str = "normal", seed: int = 0, offset: bool = False):
        super().__init__()
        if size % 2 == 0 or not MIN_SIZE <= size <= MAX_SIZE:
            raise DemoError(
                f"an odd kernel size from {MIN_SIZE} to {MAX_SIZE}", f"{size}", "Choose 3, 5 or 7."
            )
        self.size = size
        self.conv = CorrelationLayer(size, offset)
        with torch.no_grad():
            self.conv.weight.copy_(_initial(size, init, seed)[None, None])
            if offset:
                self.conv.bias.zero_()

    def forward(self, before: torch.Tensor) -> torch.Tensor:
        return self.conv(before)

    def kernel(self) -> np.ndarray:
        """(k, k) float64, a copy."""
        return self.conv.weight.detach()[0, 0].cpu().numpy().astype(np.float64)

    def offset(self) -> float:
        """What is added to every pixel; 0 where none is learned."""
        return 0.0 if self.conv.bias is None else self.conv.bias.item()


def _initial(size: int, init: str, seed: int) -> torch.Tensor:
    """(k, k) float32."""
    generator = torch.Generator().manual_seed(seed)
    if init == "normal":
        return torch.randn(size, size, generator=generator) / size
    if init == "uniform":
        return (torch.rand(size, size, generator=generator) * 2 - 1) * 3**0.5 / size
    if init not in INITS:
        raise DemoError(
            f"an initialisation out of {', '.join(INITS)}", repr(init), "Choose normal."
        )
    weights = torch.zeros(size, size)
    if init == "identity":
        weights[size // 2, size // 2] = 1.0
    return weights
