"""A single convolution layer, all that a linear filter is, and the optimizers with their rates.

K-FAC, its natural gradient, is for this layer alone; every other method is torch's own.
"""

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.optim import Optimizer

from kernel_demo.errors import DemoError, odd, one_of
from kernel_demo.imaging.kernels import MAX_SIZE, MIN_SIZE
from kernel_demo.learning import devices

# On a GPU, cuDNN convolves. Left alone it rounds float32 to the 10 bits of TF32, and with it the
# learned kernel; and it adds some gradients up in an order of the moment, so that a resumed run is
# not the one that never stopped. Said once for the process: a switch around each convolution would
# be thrown for other threads too.
torch.backends.cudnn.allow_tf32 = False
torch.backends.cudnn.deterministic = True

INITS = ("normal", "uniform", "zeros", "identity")
METHODS = ("kfac", "adam", "sgd")
MOMENTUM = 0.9  # of sgd
SAMPLES = 2048  # patches that a step adds to the running covariance, at least ...
SAMPLES_A_WEIGHT = 4  # ... and as many a weight: fewer make the first steps wild
FEW = 9  # weights up to which _ShiftConv is the faster way
# Adam's learning rate from that size on: found by benchmarks/rates.py, 200 steps on the bundled
# photos, nine rates from 0.005 to 2, five to seven kernels a size (rates.json has every error). Up
# to 7 x 7 that which is best for Sobel x, whose weights (up to 2, 12 and 100) ask for the most; no
# other kernel is more than 1.3 times as far off as at a rate of its own. From 9 x 9 on that whose
# worst such ratio is least: 1.05, and no rate is better by more than a tenth.
ADAM_RATES = {3: 0.2, 5: 0.2, 7: 2.0, 9: 0.02}
TRIED = {"adam": 9, "sgd": 8}  # rates, for each size
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


class KFAC(Optimizer):
    """Natural gradient for one nn.Conv2d(1, 1, k, padding=0) under mean squared error.

    K-FAC approximates a layer's Fisher matrix by A (x) G, where A is the covariance of its
    inputs and G that of its output's gradients (Martens & Grosse 2015; for convolutions, "KFC",
    Grosse & Martens 2016, arXiv:1602.01407, section 3: A is the second moment of the k x k
    patches that the kernel sees). With one output and squared error G is a constant, and the
    approximation is exact: the loss L = mean (w'x - y)^2 has the Hessian 2A, A = mean x x'.
    So the update

        w <- w - lr (2 A_t + damping tr(A_t) / n I)^-1 dL/dw

    with A_t a running average of each batch's A is Newton's, by a covariance that is
    better known at each step. An offset is one more weight whose input is always 1.

    conv: its patches are captured by a forward pre-hook while gradients are enabled.
    lr: 1 is the full Newton step. damping: relative to the mean diagonal entry of A.
    decay: of the running average, A_t = decay A_(t-1) + (1 - decay) A; bias-corrected.
    samples: patches of a batch from which A is estimated. It only shapes the step, never where
    the steps lead to, so that a part of the patches serves as well as all.
    """

    def __init__(
        self,
        conv: nn.Conv2d,
        lr: float = 0.5,
        damping: float = 1e-6,
        decay: float = 0.95,
        samples: int | None = None,
    ):
        self.size = conv.kernel_size[0]
        self.samples = samples or max(SAMPLES, SAMPLES_A_WEIGHT * conv.weight.numel())
        # (N, 1, T, T) of the coming batch, or None: all count alike
        self.pixel_weight: torch.Tensor | None = None
        # sum of x x' over sampled patches since the last step, and their number
        self._seen: tuple[torch.Tensor, torch.Tensor] | None = None
        self._has_bias = conv.bias is not None
        super().__init__(conv.parameters(), {"lr": lr, "damping": damping, "decay": decay})
        self._hook = conv.register_forward_pre_hook(self._capture)

    def close(self) -> None:
        """Takes the hook off the layer."""
        self._hook.remove()

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]  # no closure: the gradients are there
        """One natural gradient step from the gradients and the patches seen since the last."""
        group = self.param_groups[0]
        parameters = group["params"]
        if self._seen is None or any(p.grad is None for p in parameters):
            return
        moment = self._average(*self._seen, group["decay"])
        gradient = torch.cat([p.grad.flatten() for p in parameters]).to(moment)
        n = moment.shape[0]
        damped = 2 * moment
        damped.diagonal().add_(group["damping"] * moment.trace() / n)
        # cholesky_ex does not wait for the device to learn of a failure.
        factor, _ = torch.linalg.cholesky_ex(damped)
        direction = torch.cholesky_solve(gradient[:, None], factor)[:, 0]
        sizes = [p.numel() for p in parameters]
        for p, change in zip(parameters, direction.split(sizes), strict=True):
            p.sub_(change.view_as(p).to(p), alpha=group["lr"])

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """As torch's, but the covariance stays in float64 (torch casts to the weights' type)."""
        super().load_state_dict(state_dict)
        if state_dict["state"]:
            moment = state_dict["state"][0]["moment"]
            weight = self.param_groups[0]["params"][0]
            self.state[weight]["moment"] = moment.clone().to(devices.with_float64(weight.device))

    def _average(self, latest: torch.Tensor, weight: torch.Tensor, decay: float) -> torch.Tensor:
        """(n, n) float64: the bias-corrected running average, the latest patches included."""
        state = self.state[self.param_groups[0]["params"][0]]
        latest = latest / weight.clamp(min=1.0)
        self._seen = None
        if not state:
            state.update(step=0, moment=torch.zeros_like(latest))
        state["step"] += 1
        state["moment"].lerp_(latest, 1 - decay)
        return state["moment"] / (1 - decay ** state["step"])

    def _capture(self, conv: nn.Conv2d, inputs: tuple[torch.Tensor]) -> None:
        if not torch.is_grad_enabled():
            return  # the picture is only filtered, nothing is learned from it
        with torch.no_grad():
            patches, weights = self._sample(inputs[0].detach())
            device = devices.with_float64(patches.device)
            patches, weights = patches.to(device, torch.float64), weights.to(device, torch.float64)
            patches *= weights.sqrt()[:, None]
            gram, weight = patches.T @ patches, weights.sum()
            if self._seen is not None:
                gram, weight = gram + self._seen[0], weight + self._seen[1]
            self._seen = gram, weight

    def _sample(self, before: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(S, n) patches, with a 1 at their end if there is an offset, and their (S,) weights."""
        views = before[:, 0].unfold(1, self.size, 1).unfold(2, self.size, 1)  # (N, T, T, k, k)
        n, height, width = views.shape[:3]
        total = n * height * width
        steps_made = self.state[self.param_groups[0]["params"][0]].get("step", 0)
        chosen = _spread(total, min(self.samples, total), steps_made, before.device)
        where = chosen // (height * width), chosen // width % height, chosen % width
        patches = views[where].flatten(1)
        if self._has_bias:
            patches = torch.cat([patches, patches.new_ones(len(patches), 1)], dim=1)
        if self.pixel_weight is None:
            return patches, patches.new_ones(len(patches))
        return patches, self.pixel_weight[:, 0][where]


def default_rate(method: str, size: int) -> float:
    """A learning rate that serves most pictures, for a size x size kernel.

    kfac: 0.5, halves the error at each step, and noise as well. adam: ADAM_RATES. sgd: with
    momentum m it is stable below 2 (1 + m) / (2 max eigenvalue of A), and no eigenvalue of A
    exceeds its trace, at most k^2 for pictures in 0..1: so 1.8 / k^2, of the rates tried the best
    that no picture can make diverge.
    """
    if method == "adam":
        return ADAM_RATES[max(start for start in ADAM_RATES if start <= max(size, MIN_SIZE))]
    return {"kfac": 0.5, "sgd": 1.8 / size**2}[method]


def quickest_sgd(size: int, brightness: float) -> float:
    """The rate of SGD with which it races. brightness: mean square of the pictures, 0..1.

    On the bundled photos (0.2) it is 6 / k^2, of eight tried the best after 200 steps at 3 x 3 and
    5 x 5; at larger ones 8 / k^2, with which 3 x 3 diverges, is better by an eighth in the median.
    Up to which rate it is stable goes by the trace of A, which is k^2 times the brightness.
    """
    return max(1.8, 1.2 / max(brightness, 1e-3)) / size**2


def make(method: str, model: nn.Module, learning_rate: float | None = None) -> Optimizer:
    """The optimizer of that name, one of METHODS, for the model.

    The model is one that check_model() takes. learning_rate: None for default_rate().
    """
    if learning_rate is None:
        sizes = (m.kernel_size[0] for m in model.modules() if isinstance(m, nn.Conv2d))
        learning_rate = default_rate(method, max(sizes, default=3))
    if method == "kfac":
        layer = next(m for m in model.modules() if isinstance(m, nn.Conv2d))
        return KFAC(layer, lr=learning_rate)
    # Fused: one call instead of ten, which is what a step of nine weights costs.
    if method == "adam":
        return torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    return torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=MOMENTUM, fused=True)


def check_model(method: str, model: nn.Module) -> None:
    """DemoError: an unknown method; K-FAC for a model that is not one plain convolution."""
    one_of("a method", method, METHODS)
    layers = _weighted_layers(model)
    if method == "kfac" and not (len(layers) == 1 and _is_plain(layers[0])):
        told = f"{len(layers)} layers" if len(layers) != 1 else repr(layers[0])
        raise DemoError("a model of one convolution for K-FAC", told, "Choose adam.")


def _weighted_layers(model: nn.Module) -> list[nn.Module]:
    return [layer for layer in model.modules() if next(layer.parameters(False), None) is not None]


def _is_plain(layer: nn.Module) -> bool:
    """One channel to one, square, each pixel once, nothing made up at the border."""
    if not isinstance(layer, nn.Conv2d):
        return False
    asked = ((1, 1), (1, 1), (0, 0), (1, 1))
    channels = (layer.in_channels, layer.out_channels)
    square = layer.kernel_size[0] == layer.kernel_size[1]
    return square and asked == (channels, layer.stride, layer.padding, layer.dilation)


def _spread(total: int, count: int, turn: int, device: torch.device) -> torch.Tensor:
    """(count,) int64 positions below total, evenly spread, and others at each turn.

    Multiples of the golden section modulo 1 (a Kronecker sequence) are evenly spread however
    many are taken; this one is in integers, so that it is the same on every device.
    """
    stride = round(total * 0.6180339887) | 1
    first = turn * count % total
    return (torch.arange(first, first + count, device=device) * stride + turn) % total
