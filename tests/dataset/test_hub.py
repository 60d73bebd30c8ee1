"""A dataset of the Hub, by the real client against a small Hub of our own; nothing is stored."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kernel_demo.imaging.kernels import named
from tests.sources import fake_hub

pytestmark = pytest.mark.tool

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def hub():
    with fake_hub.FakeHub() as served:
        yield served


def fit(hub, home, *arguments):
    """By a process of its own: the client reads its Hub's address when it is imported."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("HF_")}
    environment = kept | {
        "HF_ENDPOINT": hub.url, "NO_PROXY": "127.0.0.1", "HF_HOME": str(home / "home"),
        "HF_HUB_DISABLE_TELEMETRY": "1", "OMP_NUM_THREADS": "1",
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "kernel_demo", "fit", *map(str, arguments), "--workers", "1"],
        cwd=ROOT, env=environment, capture_output=True, text=True,
    )  # fmt: skip


@pytest.mark.slow
def test_a_split_is_streamed(hub, tmp_path):
    """All pictures of a split are learned from; no file of the dataset is on the disk then."""
    options = ("--filter", "sobel_x", "--out", tmp_path / "o", "--split", "validation")
    done = fit(hub, tmp_path, "hub:demo/good", *options)
    assert done.returncode == 0, done.stderr
    assert "from 12 pictures" in done.stdout
    kernel = np.load(tmp_path / "o/exports/kernel.npy")
    assert np.abs(kernel - named("sobel_x").values).max() < 1e-6
    stored = [
        path for path in (tmp_path / "home").rglob("*") if path.suffix in (".parquet", ".arrow")
    ]
    assert stored == []


@pytest.mark.slow
@pytest.mark.parametrize(
    ("source", "split", "status", "says"),
    [
        ("demo/damaged", "train", 1, "pictures left out: 4"),
        ("demo/folder", "train", 0, "from 4 pictures"),
        ("demo/good", "nonsense", 2, "one of train, validation"),
        ("demo/unknown", "train", 2, "which the Hub does not know"),
        ("demo/escape", "train", 2, "which did not come"),
    ],
)
def test_what_the_hub_has(hub, tmp_path, source, split, status, says):
    """Damaged rows are counted, single pictures serve too; what is not there is one sentence."""
    options = ("--filter", "sobel_x", "--split", split)
    done = fit(hub, tmp_path, f"hub:{source}", *options)
    assert says in done.stdout + done.stderr
    assert done.returncode == status
    assert "Traceback" not in done.stderr
