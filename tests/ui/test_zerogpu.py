"""On ZeroGPU what is learned travels between two processes; `spaces` alone changes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client

from benchmarks.machines import Machines
from kernel_demo.imaging import kernels
from tests.ui.test_concurrency import records, stage, steps
from tests.ui.visitor import Visitor

HERE = Path(__file__).parent / "zerogpu"
ROOT = Path(__file__).parents[2]
PATIENCE = 300


def environment(tmp_path, variable: str = "true") -> dict[str, str]:
    """That of a Space with ZeroGPU, as far as our stand-in for `spaces` goes."""
    return {
        "SPACES_ZERO_GPU": variable,
        "ZEROGPU_SEEN": str(tmp_path / "seen"),
        "PYTHONPATH": os.pathsep.join([str(HERE), str(ROOT)]),
    }


def python(tmp_path, *arguments, variable: str = "true") -> str:
    """What a program says there."""
    done = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=PATIENCE, cwd=ROOT,
        env=os.environ | environment(tmp_path, variable),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.tool
@pytest.mark.slow
@pytest.mark.timeout(PATIENCE)
def test_the_two_sides_of_a_run(tmp_path):
    """In the other process the very same is learned, to the last bit, and so is the rest of a run
    that was stopped there, at another rate; an error comes back with its whole sentence; and one
    process serves all of these, as the runs end when they are left."""
    told = json.loads(python(tmp_path, str(HERE / "borrow.py")))
    assert told["same"]
    assert told["steps"][0] == 0
    assert told["steps"][-1] == 40
    assert told["resumed"]
    assert told["said"].startswith("Expected finite pixels; got NaN or infinity in picture 1")
    where = {line.split()[0] for line in told["seen"]}
    assert where.isdisjoint({str(told["here"])})
    assert len(where) == 1
    assert [line.split()[1] for line in told["seen"]].count("begins") == 4


@pytest.mark.tool
@pytest.mark.slow
@pytest.mark.timeout(PATIENCE)
@pytest.mark.parametrize("variable", ["", "false"])
def test_spaces_without_zerogpu(tmp_path, variable):
    """Where the package is installed and nothing is lent, it is not even imported."""
    said = python(
        tmp_path, "-c",
        "from kernel_demo.ui import device; print(device.spaces, device.learn is device._learn)",
        variable=variable,
    )  # fmt: skip
    assert said.split() == ["None", "True"]


@pytest.mark.slow
@pytest.mark.served
@pytest.mark.timeout(3 * PATIENCE)
def test_the_page_on_zerogpu(tmp_path):
    """A script learns Sobel; a visitor takes it step by step, then to its end, each time from what
    came back from the other process."""
    machines = Machines(1, tmp_path, **environment(tmp_path))
    machines.start("a")
    try:
        machines.wait("a")
        address = f"http://127.0.0.1:{machines.ports['a']}"
        client = Client(address, verbose=False)
        last = client.submit(images=2, api_name="/learn").result(timeout=PATIENCE)
        np.testing.assert_allclose(last["kernel"], kernels.named("sobel_x").values, atol=1e-4)
        exact = client.submit(images=2, method="closed_form", api_name="/learn")
        assert exact.result(timeout=PATIENCE)["done"]
        visitor = Visitor(address, about="live")
        visitor.shown["count"]["value"] = 2
        for step in range(3):
            visitor.press("live", "step", data={"step": step})
        assert steps(visitor).tolist() == [0, 1, 2, 3]
        visitor.press("live", "resume", data={"step": 3})
        assert stage(visitor)["end"]["complete"]
        np.testing.assert_allclose(records(visitor)[-1, 5:], 0, atol=1e-4)
    finally:
        machines.kill("a")
    seen = (tmp_path / "seen").read_text("utf-8").splitlines()
    assert str(machines.processes["a"].pid) not in {line.split()[0] for line in seen}
    assert sum(line.endswith("begins") for line in seen) >= 6
