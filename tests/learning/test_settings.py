"""What a training run may be told."""

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.learning.settings import TrainSettings

BAD_SETTINGS = [
    {"method": "lbfgs"},
    {"init": "xavier"},
    {"device": "tpu"},
    {"steps": 0},
    {"steps": 10**9},
    {"steps": 1.5},
    {"steps": "many"},
    {"steps": True},
    {"steps": float("nan")},
    {"steps": None},
    {"batch": 0},
    {"batch": 1025},
    {"accumulation": -1},
    {"tile": 4},
    {"tile": 513},
    {"batch": 1024, "tile": 512},
    {"seed": -1},
    {"seed": 2**32},
    {"patience": 0},
    {"check_every": 0},
    {"learning_rate": 0.0},
    {"learning_rate": -1.0},
    {"learning_rate": 1e9},
    {"learning_rate": float("nan")},
    {"learning_rate": float("inf")},
    {"learning_rate": "fast"},
]


@pytest.mark.parametrize("settings", BAD_SETTINGS, ids=str)
def test_settings_out_of_range_are_refused(settings):
    """Values of the wrong kind or out of bounds are refused, and the message says what would do."""
    with pytest.raises(DemoError, match="Expected"):
        TrainSettings(**settings)


def test_whole_numbers_as_json_sends_them():
    """32.0 is 32."""
    settings = TrainSettings(batch=32.0, steps=np.int64(7))
    assert (settings.batch, settings.steps) == (32, 7)
    assert type(settings.batch) is type(settings.steps) is int
