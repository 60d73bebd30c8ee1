"""What a layer is shown, on the page."""

import numpy as np
import pytest

from kernel_demo.imaging import kernels
from kernel_demo.learning.training import TrainSettings
from kernel_demo.ui.learn.session import Damage, Experiment, prepare
from kernel_demo.ui.pictures import PictureChoice

SOBEL = tuple(map(tuple, kernels.named("sobel_x").values.tolist()))


@pytest.mark.parametrize(
    "damage", [Damage(), Damage(noise=2.0), Damage(eight_bit=True)], ids=["none", "noise", "file"]
)
def test_nobody_can_write_into_a_shared_lesson(damage):
    """The lesson of the bundled photos is everybody's: each of its arrays is read-only."""
    experiment = Experiment(PictureChoice(count=2), SOBEL, damage, TrainSettings())
    taught = prepare(experiment)
    assert prepare(experiment) is taught
    arrays = [array for pair in taught.pairs for array in pair if array is not None]
    assert len(arrays) >= 4
    for array in arrays:
        with pytest.raises(ValueError, match="read-only"):
            np.copyto(array, 0)
