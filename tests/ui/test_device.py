"""The device of a run: borrowed where ZeroGPU lends one, and only there."""

import importlib.util
import sys
from types import SimpleNamespace

import pytest

from kernel_demo.ui import device as gpu


def lend(duration):
    """`spaces.GPU` as far as we use it: marks what it was given."""

    def decorate(function):
        function.lent = duration
        return function

    return decorate


@pytest.mark.parametrize(
    ("variable", "lent", "seconds"),
    [
        (None, None, 600),  # a plain machine, or a Space with hardware of its own
        ("", None, 600),
        ("false", None, 600),
        ("true", 20, 18),
        ("1", 20, 18),
        ("True", 20, 18),
    ],
)
def test_only_zerogpu_lends_a_device(monkeypatch, variable, lent, seconds):
    """With `spaces` installed, its own variable decides how long a run may last and who lends."""
    package = SimpleNamespace(GPU=lend)
    monkeypatch.setitem(sys.modules, "spaces", package)
    monkeypatch.delenv("SPACES_ZERO_GPU", raising=False)
    if variable is not None:
        monkeypatch.setenv("SPACES_ZERO_GPU", variable)
    spec = importlib.util.spec_from_file_location("gpu_anew", gpu.__file__)
    anew = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(anew)
    assert getattr(anew.learn, "lent", None) == lent
    assert seconds == anew.RUN_SECONDS
    # By this the race and the questions choose their device.
    assert anew.spaces is (package if lent else None)
