"""A single convolution layer: all that a linear filter is."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from kernel_demo.errors import DemoError
from kernel_demo.imaging.kernels import MAX_SIZE, MIN_SIZE

INITS = ("normal", "uniform", "zeros", "identity")
BLOCK = 32  # columns of one product on the CPU, see _RowConv


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
        return self.conv.weight.detach()[0, 0].double().cpu().numpy().copy()

    def offset(self) -> float:
        """What is added to every pixel; 0 where none is learned."""
        return 0.0 if self.conv.bias is None else self.conv.bias.item()


class CorrelationLayer(nn.Conv2d):
    """nn.Conv2d(1, 1, size), by a faster way on the CPU."""

    def __init__(self, size: int, offset: bool):
        super().__init__(1, 1, size, bias=offset)

    def reset_parameters(self) -> None:
        """Nothing: SingleConv sets the weights, and torch would draw from the global generator."""

    def forward(self, before: torch.Tensor) -> torch.Tensor:
        plain = before.device.type == "cpu" and before.dtype == self.weight.dtype
        if not plain or before.requires_grad:
            return super().forward(before)
        after = _RowConv.apply(before, self.weight)
        return after if self.bias is None else after + self.bias


class _RowConv(torch.autograd.Function):
    """Correlation of one channel as matrix products over picture rows.

    Row i of the kernel turns rows of pictures into rows of results by a banded matrix,
    B_i[u, v] = kernel[i, u - v]: after = sum_i before[i : i + rows] @ B_i, one product for the
    rows of all tiles at once. The gradient of B_i is before[i : i + rows]' @ gradient, and that
    of kernel[i, j] the sum of its j-th diagonal. Though most of a band is zeros, on two cores
    this takes a quarter of the time of torch's one-channel convolution and its gradient.
    """

    @staticmethod
    def forward(ctx, before: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(before, weight)
        n, _, height, width = before.shape
        size = weight.shape[-1]
        rows = n * height - size + 1  # those that span two tiles are computed and left out
        flat = before.reshape(n * height, width)
        after = before.new_empty(n * height, width - size + 1)
        for left, right in _blocks(after.shape[1]):
            bands = before.new_zeros(size, right - left + size - 1, right - left)
            _diagonals(bands, size).copy_(weight[0, 0, :, :, None])
            part = after[:rows, left:right]
            torch.mm(flat[:rows, left : right + size - 1], bands[0], out=part)
            for i in range(1, size):
                part.addmm_(flat[i : i + rows, left : right + size - 1], bands[i])
        return after.view(n, 1, height, -1)[:, :, : height - size + 1]

    @staticmethod
    def backward(ctx, gradient: torch.Tensor):
        before, weight = ctx.saved_tensors
        n, _, height, width = before.shape
        size = weight.shape[-1]
        rows = n * height - size + 1
        flat = before.reshape(n * height, width)
        # Zeros where a row spans two tiles.
        padded = F.pad(gradient, (0, 0, 0, size - 1)).view(n * height, -1)[:rows]
        result = torch.zeros_like(weight)
        for left, right in _blocks(padded.shape[1]):
            bands = before.new_empty(size, right - left + size - 1, right - left)
            for i in range(size):
                rows_i = flat[i : i + rows, left : right + size - 1]
                torch.mm(rows_i.t(), padded[:, left:right], out=bands[i])
            result[0, 0] += _diagonals(bands, size).sum(2)
        return None, result


def _blocks(width: int) -> list[tuple[int, int]]:
    return [(left, min(left + BLOCK, width)) for left in range(0, width, BLOCK)]


def _diagonals(bands: torch.Tensor, size: int) -> torch.Tensor:
    """A view (k, k, width) of the entries [i, u, v] with u - v = j, for each i and j."""
    _, height, width = bands.shape
    return bands.as_strided((size, size, width), (height * width, width, width + 1))


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
