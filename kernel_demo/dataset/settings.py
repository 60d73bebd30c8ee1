"""What is asked of every shard."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass

import numpy as np

from kernel_demo.errors import DemoError, odd
from kernel_demo.imaging.kernels import MAX_SIZE, MIN_SIZE, Kernel
from kernel_demo.sources.shards import Shard

FORMAT = 2  # of a file of sums; a new one makes the old ones unknown
LUMINANCE, EACH = "luminance", "each"
CHANNELS = (LUMINANCE, "red", "green", "blue", EACH)
# k up to which every picture's own sums are kept beside those of its shard: 28 kB a picture at 9.
KEPT_SIZE = 9


@dataclass(frozen=True)
class Settings:
    """What decides the sums of a shard, and nothing else does."""

    size: int  # k of the sums
    weights: tuple[tuple[float, ...], ...] | None  # the filter that makes the afters; None: pairs
    channel: str  # one of CHANNELS
    wanted: tuple[str, ...]  # fields of a tar, columns of a Parquet file; none: any picture
    own: bool  # whether to keep what tells each picture apart, to find outliers

    @property
    def truth(self) -> np.ndarray | None:
        """(k, k) the filter within a kernel of the size that is learned; None: not known."""
        if self.weights is None:
            return None
        values = np.array(self.weights)
        return np.pad(values, (self.size - len(values)) // 2)

    @property
    def whole(self) -> bool:
        """Whether each picture's own sums are kept."""
        return self.own and self.size <= KEPT_SIZE

    def name_of(self, shard: Shard) -> str:
        """Of the file of its sums: another shard or other settings, another name."""
        told = [FORMAT, self.size, self.weights, self.channel, self.wanted, self.own]
        digest = hashlib.sha256(json.dumps([*told, shard.identity]).encode()).hexdigest()
        plain = re.sub(r"[^\w.-]+", "_", shard.name)[-60:].strip("_")
        return f"{plain}-{digest[:24]}.npz"


def settings(
    size: int | None,
    kernel: Kernel | None,
    channel: str = "",
    wanted: tuple[str, ...] = (),
    outliers: bool = True,
) -> Settings:
    """The settings of a run, checked.

    size: k; None: that of the filter, or 3. kernel: the filter, to learn it from pictures alone;
    None: pairs. channel: one of CHANNELS; "" is luminance of pictures that are filtered here, and
    of pairs each of their channels. DemoError: a size below the filter's, luminance of pairs.
    """
    chosen = odd("size", size or (kernel.size if kernel else 3), MIN_SIZE, MAX_SIZE)
    if kernel is None:
        if channel == LUMINANCE:
            raise DemoError(
                "a channel that the files of pairs have",
                "luminance, which is rounded once more: that would bias the kernel",
                "Choose each, red, green or blue.",
            )
        return Settings(chosen, None, channel or EACH, wanted or ("before", "after"), outliers)
    if chosen < kernel.size:
        raise DemoError(
            f"a size of at least {kernel.size}, that of the filter", f"{chosen}", "Choose a larger."
        )
    weights = tuple(tuple(row) for row in kernel.values.tolist())
    return Settings(chosen, weights, channel or LUMINANCE, wanted, False)
