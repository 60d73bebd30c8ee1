"""The numbered scripts in examples/ run as they are."""

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.tool

SCRIPTS = sorted((Path(__file__).parents[1] / "examples").glob("[0-9]*.py"))


@pytest.mark.sweep(3)
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_example_runs(script):
    """A script ends well and says something, from whatever folder it is started."""
    result = subprocess.run(
        [sys.executable, str(script)], capture_output=True, text=True, timeout=120, cwd="/"
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()
