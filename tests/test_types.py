"""The types that an editor sees behind `import kernel_demo as kd`, by mypy."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
RIGHT = """
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import assert_type

import kernel_demo as kd
from kernel_demo.imaging.kernels import Kernel
from kernel_demo.learning.statistics import Solution
from kernel_demo.learning.training import Progress
from kernel_demo.recovery import Recovery, Verdict

picture = np.zeros((64, 64), np.uint8)
sobel = kd.kernel("sobel_x", size=5)
assert_type(sobel, Kernel)
assert_type(sobel.values, NDArray[np.float64])
assert_type(sobel.save("sobel.npy"), Path)
kd.kernel([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
kd.kernel(np.ones((3, 3)))

after: np.ndarray = kd.apply(picture, sobel, border="wrap", offset=1)
kd.apply(picture, "box", border="constant", border_value=30)
kd.apply(picture, np.ones((3, 3)))

again: kd.Kernel = kd.kernel("random", 9)
kd.learn([picture], [after], size=9, truth="gaussian")
run = kd.learn([picture], [after], size=3, method="adam", truth=sobel)
assert_type(run, Iterator[Progress])
for progress in run:
    assert_type(progress.kernel, NDArray[np.float64] | None)
    assert_type(progress.kernel_error, float | None)

best = kd.fit(picture, after, 3, offset=False)
assert_type(best, Solution)
assert_type(best.standard_error, NDArray[np.float64])
assert_type(best.offset, float)

found = kd.recover(picture, after, max_size=5)
assert_type(found, Recovery)
assert_type(found.verdict, Verdict)
assert_type(found.kernel, np.ndarray | None)
assert_type(found.explanation, str)
"""
# Each with the code of its error.
WRONG = {
    'kd.fit("a")': "call-arg",
    "kd.apply(1, 2, border=3)": "arg-type",
    "kd.kernel(3, 3, 0)": "call-arg",
    "kd.kernel()": "call-arg",
    "kd.recover(before=[[0]], after=[[0]], max_size='5')": "arg-type",
    "next(kd.learn([[0]], [[0]])).loss.shape": "attr-defined",
    "kd.kernel('box').kernel": "attr-defined",
    "kd.fit([[0]], [[0]]).kernel.no_such": "attr-defined",
    "kd.undo": "attr-defined",
}

pytestmark = [pytest.mark.tool, pytest.mark.slow]  # it reads the types of torch


def checked(file: Path) -> str:
    """What mypy says of a file, by the rules of the project."""
    arguments = [sys.executable, "-m", "mypy", "--no-error-summary", str(file)]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=280)
    assert done.returncode < 2, done.stdout + done.stderr
    return done.stdout


def test_types_of_the_public_names(tmp_path):
    """Of each name the records come out, and right use is no error."""
    file = tmp_path / "right.py"
    file.write_text(RIGHT)
    assert checked(file) == ""


def test_wrong_use_is_an_error(tmp_path):
    """Missing, wrong and unknown arguments, names and attributes, each on its line, and no more."""
    file = tmp_path / "wrong.py"
    file.write_text("\n".join(["import kernel_demo as kd", *WRONG, ""]))
    said = [line for line in checked(file).splitlines() if " error: " in line]
    codes = [(int(line.split(":")[1]), line.rsplit("[", 1)[1].rstrip("]")) for line in said]
    assert dict(codes) == dict(enumerate(WRONG.values(), 2))
