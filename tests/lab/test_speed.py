"""The table of speeds has a row for every way that this machine has."""

import numpy as np
import pytest
import torch

from kernel_demo.imaging.kernels import named
from kernel_demo.lab import speed

PICTURES = [np.random.default_rng(0).random((300, 300)).astype(np.float32)]


@pytest.fixture(autouse=True)
def _short(monkeypatch):
    monkeypatch.setattr(speed, "MAX_STEPS", 3)
    monkeypatch.setattr(speed, "SECONDS", 60)  # no clock decides, however busy the machine is


def test_a_row_for_every_way():
    """On the CPU: single tiles, batches, accumulation and the sums; the sums are exact."""
    rows = {row.key: row for row in speed.rows(PICTURES, named("sobel_x").values, device="cpu")}
    assert list(rows) == ["one_tile", "batch", "accumulation", "sums"]
    for row in rows.values():
        assert row.steps == (1 if row.key == "sums" else 3)
        assert row.seconds > 0
        assert row.megapixels_per_second > 0
    assert rows["sums"].kernel_error < 1e-5
    assert (rows["accumulation"].batch, rows["accumulation"].accumulation) == (8, 4)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_gpu_adds_its_own_ways():
    """With CUDA: the processor beside it, and the layer with and without a graph."""
    keys = [row.key for row in speed.rows(PICTURES, named("sobel_x").values, device="cuda")]
    assert {"cpu", "eager", "cuda_graph"} <= set(keys)
