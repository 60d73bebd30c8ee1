"""Networks of two layers or more, as torch has them."""

import numpy as np
import torch
from torch import nn

from kernel_demo.learning.layers import SingleConv

WIDTH = 16  # channels between the layers
_DETAIL_GAIN, _LAST_GAIN = 5.0, 0.01  # of the first and the last layer at the start


class DeepNet(nn.Module):
    """A k x k convolution to WIDTH channels, two of 1 x 1 after ReLU, and a shortcut.

    N x 1 x H x W -> N x 1 x (H - k + 1) x (W - k + 1). The shortcut is one more k x k kernel from
    input to output (He et al. 2016, "Deep residual learning"): the layers learn what a kernel
    cannot do. Their first kernels start with sum zero: they answer to detail, which in photos is
    far smaller than brightness, and are scaled up accordingly.
    start: (k, k), what the shortcut starts from; None: the identity.
    offset: what is added at first.
    """

    def __init__(
        self, size: int, seed: int = 0, start: np.ndarray | None = None, offset: float = 0.0
    ):
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        first = _convolution(1, WIDTH, size, generator)
        middle = _convolution(WIDTH, WIDTH, 1, generator)
        last = _convolution(WIDTH, 1, 1, generator)
        self.body = nn.Sequential(first, nn.ReLU(), middle, nn.ReLU(), last)
        self.shortcut = nn.utils.skip_init(nn.Conv2d, 1, 1, size, bias=False)
        with torch.no_grad():
            nn.init.dirac_(self.shortcut.weight)
            if start is not None:
                self.shortcut.weight.copy_(torch.from_numpy(start)[None, None])
            first.weight.sub_(first.weight.mean((2, 3), keepdim=True)).mul_(_DETAIL_GAIN)
            last.weight.mul_(_LAST_GAIN)
            assert last.bias is not None  # _convolution() makes one
            last.bias.fill_(offset)

    def forward(self, before: torch.Tensor) -> torch.Tensor:
        return self.shortcut(before) + self.body(before)


def _convolution(inputs: int, outputs: int, size: int, generator: torch.Generator) -> nn.Conv2d:
    """nn.Conv2d as it starts by itself, but drawn from a generator of its own."""
    layer = nn.utils.skip_init(nn.Conv2d, inputs, outputs, size)
    bound = (inputs * size**2) ** -0.5
    nn.init.kaiming_uniform_(layer.weight, a=5**0.5, generator=generator)
    nn.init.uniform_(layer.bias, -bound, bound, generator=generator)
    return layer


def stack(seed: int, count: int, size: int) -> nn.Sequential:
    """Layers of size x size without bias, nothing between them: N x 1 x H x W, less k - 1 each."""
    return nn.Sequential(*(SingleConv(size, "normal", seed + number) for number in range(count)))
