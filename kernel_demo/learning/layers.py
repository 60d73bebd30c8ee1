"""A single convolution layer, all that a linear filter is, and its loss, as torch has them."""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from kernel_demo.errors import odd, one_of
from kernel_demo.imaging.kernels import MAX_SIZE, MIN_SIZE
from kernel_demo.learning.choices import INITS

# On a GPU, cuDNN convolves. Left alone it rounds float32 to the 10 bits of TF32, and with it the
# learned kernel; and it adds some gradients up in an order of the moment, so that a resumed run is
# not the one that never stopped. Said once for the process: a switch around each convolution would
# be thrown for other threads too.
torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.deterministic = True

FEW = 9  # weights up to which _ShiftConv is the faster way
BLOCK = 32  # columns of one product of _RowConv


class SingleConv(nn.Module):
    """One k x k correlation without padding: N x 1 x H x W -> N x 1 x (H - k + 1) x (W - k + 1).

    init: normal (standard normal / k, like a random kernel), uniform (the same variance),
    zeros, or identity (starts as "does nothing").
    offset: also learn a scalar that is added to every pixel; it starts at 0.
    DemoError: a size that is even or out of range; an unknown init.
    """

    def __init__(self, size: int, init: str = "normal", seed: int = 0, offset: bool = False):
        super().__init__()
        self.size = odd("kernel size", size, MIN_SIZE, MAX_SIZE)
        one_of("an initialisation", init, INITS)
        self.conv = CorrelationLayer(size, offset)
        with torch.no_grad():
            self.conv.weight.copy_(_initial(size, init, seed)[None, None])
            if self.conv.bias is not None:
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
    weights = torch.zeros(size, size)
    if init == "identity":
        weights[size // 2, size // 2] = 1.0
    return weights


class CorrelationLayer(nn.Conv2d):
    """nn.Conv2d(1, 1, size) without padding, by faster ways on the CPU.

    torch's convolutions are made for many channels: with one, on two cores, the ways below take a
    third to a quarter of their time, the gradient included.
    """

    def __init__(self, size: int, offset: bool):
        super().__init__(1, 1, size, bias=offset)

    def reset_parameters(self) -> None:
        """Nothing: SingleConv sets the weights, and torch would draw from the global generator."""

    def forward(self, before: torch.Tensor) -> torch.Tensor:
        plain = before.device.type == "cpu" and before.dtype == self.weight.dtype
        if not plain or before.requires_grad:
            return super().forward(before)
        way = _ShiftConv if self.weight.numel() <= FEW else _RowConv
        after = way.apply(before, self.weight)  # type: ignore[no-untyped-call]  # torch's own
        return after if self.bias is None else after + self.bias


class _ShiftConv(torch.autograd.Function):
    """Correlation of one channel as a sum of shifted pictures, for few weights.

    In a picture laid out as one long row, the shift by (i, j) is one by i * width + j:
    after = sum over i, j of kernel[i, j] * before[i * width + j :], and the gradient of
    kernel[i, j] is the inner product of before[i * width + j :] and the gradient of after.
    """

    @staticmethod
    def forward(ctx: Any, before: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(before, weight)
        n, _, height, width = before.shape
        size = weight.shape[-1]
        after = before.new_empty(before.numel())  # rows as wide as those of before
        shifted = _shifts(before, size)
        part = after[: shifted[0].numel()]
        first, *others = weight.flatten().tolist()
        torch.mul(shifted[0], first, out=part)
        for pixels, value in zip(shifted[1:], others, strict=True):
            part.add_(pixels, alpha=value)
        return after.view(before.shape)[:, :, : height - size + 1, : width - size + 1]

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[None, torch.Tensor]:
        before, weight = ctx.saved_tensors
        size = weight.shape[-1]
        shifted = _shifts(before, size)
        # Zeros where a shifted row runs into the next one.
        flat = F.pad(gradient, (0, size - 1, 0, size - 1)).view(-1)[: shifted[0].numel()]
        return None, torch.stack([(pixels * flat).sum() for pixels in shifted]).view_as(weight)


def _shifts(before: torch.Tensor, size: int) -> list[torch.Tensor]:
    """Views of all pixels in one row, shifted by each (i, j) of a size x size kernel."""
    flat, width = before.reshape(-1), before.shape[-1]
    count = flat.numel() - (size - 1) * (width + 1)
    return [flat[i * width + j : i * width + j + count] for i in range(size) for j in range(size)]


class _RowConv(torch.autograd.Function):
    """Correlation of one channel as matrix products over picture rows, for many weights.

    Row i of the kernel turns rows of pictures into rows of results by a banded matrix,
    B_i[u, v] = kernel[i, u - v]: after = sum_i before[i : i + rows] @ B_i, one product for the
    rows of all tiles at once. The gradient of B_i is before[i : i + rows]' @ gradient, and that
    of kernel[i, j] the sum of its j-th diagonal. Most of a band is zeros; it is fast all the same.
    """

    @staticmethod
    def forward(ctx: Any, before: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
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
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[None, torch.Tensor]:
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


class SquaredError(torch.autograd.Function):
    """sum (weight (out - after))^2, (), for weights of 0 and 1: in half the passes of autograd."""

    @staticmethod
    def forward(
        ctx: Any, out: torch.Tensor, after: torch.Tensor, weight: torch.Tensor
    ) -> torch.Tensor:
        error = torch.sub(out, after).mul_(weight)
        ctx.save_for_backward(error)
        return error.square().sum()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (error,) = ctx.saved_tensors
        return error * (2 * gradient), None, None
