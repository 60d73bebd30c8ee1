"""The layer and the optimizers, made when they are first asked for.

K-FAC, its natural gradient, is for this layer alone; every other method is torch's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_demo.errors import DemoError, one_of
from kernel_demo.learning.choices import METHODS, MOMENTUM, default_rate
from kernel_demo.learning.late import Late, torch

if TYPE_CHECKING:
    from kernel_demo.learning import kfac as kfac
    from kernel_demo.learning import layers as layers
else:
    kfac, layers = Late("kernel_demo.learning.kfac"), Late("kernel_demo.learning.layers")


def make(
    method: str, model: torch.nn.Module, learning_rate: float | None = None
) -> torch.optim.Optimizer:
    """The optimizer of that name, one of METHODS, for the model.

    The model is one that check_model() takes. learning_rate: None for default_rate().
    """
    if learning_rate is None:
        sizes = (m.kernel_size[0] for m in model.modules() if isinstance(m, torch.nn.Conv2d))
        learning_rate = default_rate(method, max(sizes, default=3))
    if method == "kfac":
        layer = next(m for m in model.modules() if isinstance(m, torch.nn.Conv2d))
        return kfac.KFAC(layer, lr=learning_rate)
    # Fused: one call instead of ten, which is what a step of nine weights costs.
    if method == "adam":
        return torch.optim.Adam(model.parameters(), lr=learning_rate, fused=True)
    return torch.optim.SGD(model.parameters(), lr=learning_rate, momentum=MOMENTUM, fused=True)


def check_model(method: str, model: torch.nn.Module) -> None:
    """DemoError: an unknown method; K-FAC for a model that is not one plain convolution."""
    one_of("a method", method, METHODS)
    found = _weighted_layers(model)
    if method == "kfac" and not (len(found) == 1 and _is_plain(found[0])):
        told = f"{len(found)} layers" if len(found) != 1 else repr(found[0])
        raise DemoError("a model of one convolution for K-FAC", told, "Choose adam.")


def _weighted_layers(model: torch.nn.Module) -> list[torch.nn.Module]:
    return [layer for layer in model.modules() if next(layer.parameters(False), None) is not None]


def _is_plain(layer: torch.nn.Module) -> bool:
    """One channel to one, square, each pixel once, nothing made up at the border."""
    if not isinstance(layer, torch.nn.Conv2d):
        return False
    asked = ((1, 1), (1, 1), (0, 0), (1, 1))
    channels = (layer.in_channels, layer.out_channels)
    square = layer.kernel_size[0] == layer.kernel_size[1]
    return square and asked == (channels, layer.stride, layer.padding, layer.dilation)
