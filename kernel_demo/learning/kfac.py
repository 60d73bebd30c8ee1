"""K-FAC, the natural gradient of one convolution layer, and exact there."""

from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from kernel_demo.learning import devices

SAMPLES = 2048  # patches that a step adds to the running covariance, at least ...
SAMPLES_A_WEIGHT = 4  # ... and as many a weight: fewer make the first steps wild


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


def _spread(total: int, count: int, turn: int, device: torch.device) -> torch.Tensor:
    """(count,) int64 positions below total, evenly spread, and others at each turn.

    Multiples of the golden section modulo 1 (a Kronecker sequence) are evenly spread however
    many are taken; this one is in integers, so that it is the same on every device.
    """
    stride = round(total * 0.6180339887) | 1
    first = turn * count % total
    return (torch.arange(first, first + count, device=device) * stride + turn) % total
