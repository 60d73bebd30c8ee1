"""An engine within the test's own process."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kernel_demo.dataset.engine import Event, work


@dataclass(frozen=True)
class Inline:
    """Works on the shards one after the other, in an order of its own."""

    seed: int | None = None  # of the order; None: as they come
    waits: bool = True

    def run(self, shards, settings, store) -> Iterator[Event]:
        order = np.arange(len(shards))
        if self.seed is not None:
            order = np.random.default_rng(self.seed).permutation(order)
        for at in order:
            yield Event(shards[at], work(shards[at], settings, store))
