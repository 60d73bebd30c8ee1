"""The machine that training turns: batches in, steps made, its whole state out and in again."""

from contextlib import nullcontext

import numpy as np
import torch
from torch import nn

from kernel_demo.learning.model import SingleConv
from kernel_demo.learning.optimizers import KFAC, make
from kernel_demo.learning.pairs import Pairs
from kernel_demo.learning.settings import TrainSettings

VALIDATION_TILES = 64  # of those held out, so many are looked at, always the same ones


class Loop:
    """Model, tiles and optimizer on one device. A step waits for the device nowhere."""

    def __init__(self, model: nn.Module, pairs: Pairs, settings: TrainSettings, device, half=None):
        """half: the type for mixed precision, or None."""
        self.settings, self.half = settings, half
        self.model = model.to(device)
        self.optimizer = make(settings.method, self.model, settings.learning_rate)
        self.pairs = pairs.to(device)
        self.counts = self.pairs.weight.sum((1, 2, 3))  # (N,) valid pixels of each tile
        held = self.pairs.before[self.pairs.validation[:VALIDATION_TILES]]
        self.brightness = held.square().mean().item()
        self._epoch, self._order = -1, self.pairs.training

    def update(self, step: int) -> torch.Tensor:
        """Makes step number 1, 2, ...; the loss of its batch before it, () on the device."""
        self.optimizer.zero_grad(set_to_none=True)
        chosen = self._chosen(step)
        count = self.counts[chosen].sum()
        loss = 0.0
        for part in chosen.split(self.settings.batch):
            share = self._squared_error(part) / count
            share.backward()
            loss = loss + share.detach()
        self.optimizer.step()
        return loss

    @torch.no_grad()
    def batch_loss(self, step: int) -> torch.Tensor:
        """The loss that update(step) would return, without the update."""
        return self._mean_loss(self._chosen(step))

    @torch.no_grad()
    def validation_loss(self) -> float:
        """Mean squared error over (at most VALIDATION_TILES of) the tiles held out."""
        return self._mean_loss(self.pairs.validation[:VALIDATION_TILES]).item()

    def floor(self) -> float:
        """The mean squared error that rounding leaves of an exact kernel.

        A result's rounding error is about the precision times the sum of |kernel| |before|.
        In mixed precision 0: its errors are larger, but steps average them out.
        """
        if self.half:
            return 0.0
        gain = 1.0
        if isinstance(self.model, SingleConv):
            gain = float(np.abs(self.model.kernel()).sum())
        precision = torch.finfo(torch.float32).eps
        return (precision * gain) ** 2 * self.brightness

    def state(self) -> dict:
        """Weights and optimizer as NumPy arrays and plain numbers."""
        return {
            "method": self.settings.method,
            "weights": _to_numpy(self.model.state_dict()),
            "optimizer": _to_numpy(self.optimizer.state_dict()["state"]),
        }

    def restore(self, state: dict) -> None:
        self.model.load_state_dict(_to_torch(state["weights"]))
        groups = self.optimizer.state_dict()["param_groups"]
        saved = {"state": _to_torch(state["optimizer"]), "param_groups": groups}
        self.optimizer.load_state_dict(saved)

    def close(self) -> None:
        """Leaves the model on the CPU as it would be without this loop."""
        if isinstance(self.optimizer, KFAC):
            self.optimizer.close()
        self.model.zero_grad(set_to_none=True)
        self.model.to("cpu")

    def _chosen(self, step: int) -> torch.Tensor:
        """Indices of the tiles of a step: a function of the seed and the step alone.

        Each epoch goes once through the training tiles in an order of its own.
        """
        training = self.pairs.training
        size = min(self.settings.batch * self.settings.accumulation, len(training))
        epoch, place = divmod(step - 1, len(training) // size)
        if epoch != self._epoch:
            rng = np.random.default_rng((self.settings.seed, epoch))
            order = torch.from_numpy(rng.permutation(len(training)))
            if training.is_cuda:
                order = order.pin_memory()  # else the copy waits for the device
            self._epoch = epoch
            self._order = training[order.to(training.device, non_blocking=True)]
        return self._order[place * size : (place + 1) * size]

    def _squared_error(self, chosen: torch.Tensor) -> torch.Tensor:
        """sum weight (out - after)^2 over the chosen tiles, ()."""
        before, after, weight = (
            tiles.index_select(0, chosen)
            for tiles in (self.pairs.before, self.pairs.after, self.pairs.weight)
        )
        if isinstance(self.optimizer, KFAC):
            self.optimizer.pixel_weight = weight
        with self._autocast():
            out = self.model(before)
        return _SquaredError.apply(out.float(), after, weight)

    def _mean_loss(self, chosen: torch.Tensor) -> torch.Tensor:
        total = sum(self._squared_error(part) for part in chosen.split(self.settings.batch))
        return total / self.counts[chosen].sum()

    def _autocast(self):
        if self.half is None:
            return nullcontext()
        return torch.autocast(self.pairs.device.type, self.half)


class _SquaredError(torch.autograd.Function):
    """sum (weight (out - after))^2, (), for weights of 0 and 1: in half the passes of autograd."""

    @staticmethod
    def forward(ctx, out, after, weight):
        error = torch.sub(out, after).mul_(weight)
        ctx.save_for_backward(error)
        return error.square().sum()

    @staticmethod
    def backward(ctx, gradient):
        (error,) = ctx.saved_tensors
        return error * (2 * gradient), None, None


def _to_numpy(state: dict) -> dict:
    """A deep copy with every tensor as an array."""
    if isinstance(state, dict):
        return {key: _to_numpy(value) for key, value in state.items()}
    return state.detach().cpu().numpy().copy() if isinstance(state, torch.Tensor) else state


def _to_torch(state: dict) -> dict:
    if isinstance(state, dict):
        return {key: _to_torch(value) for key, value in state.items()}
    return torch.from_numpy(state.copy()) if isinstance(state, np.ndarray) else state
