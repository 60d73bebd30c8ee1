"""The usual signs of completion come while the kernel is still wrong."""

import cv2
import numpy as np
import pytest

from kernel_demo.imaging.kernels import named
from kernel_demo.lab.stopping import RULES, called_complete, watch
from kernel_demo.sources.bundled import photos

SOBEL = named("sobel_x").values


def test_all_three_rules_are_wrong_on_one_run():
    """On a photo, each rule calls it complete while a weight is off by more than 0.05."""
    photo = cv2.cvtColor(photos(1)[0].pixels, cv2.COLOR_RGB2GRAY)
    moments = list(watch([photo], SOBEL, steps=1500))
    last = moments[-1]
    assert last.done
    assert {verdict.rule for verdict in last.verdicts} == set(RULES)
    told = {moment.progress.step: moment.loss_share for moment in moments}
    for verdict in last.verdicts:
        assert verdict.kernel_error > 0.05
        assert verdict.loss_share == told[verdict.step]
    assert last.loss_share < 0.01
    assert last.distance > 100  # the certificate is not fooled
    assert last.progress.excess_loss > 0
    assert [len(moment.verdicts) for moment in moments] == sorted(
        len(moment.verdicts) for moment in moments
    )


@pytest.mark.parametrize(
    ("losses", "expected"),
    [
        ([1.0, 0.5, 0.3], ()),
        ([1.0, 0.5, 0.009], ("loss",)),
        # Flat for 100 steps (ten checks), and not better by 0.1 % of the start for 50.
        ([1.0] + [0.5] * 11, ("validation", "patience")),
        ([1.0, 0.5] + [0.5] * 5, ("patience",)),
        ([1.0] + [0.5 - 0.02 * i for i in range(12)], ()),
    ],
)
def test_the_rules(losses, expected):
    """Each rule on curves written down by hand, one check every ten steps, variance 1."""
    history = [(10 * number, loss) for number, loss in enumerate(losses)]
    assert called_complete(history, variance=1.0) == expected


def test_leaving_early_is_fine():
    """The run can be left at any moment."""
    picture = np.random.default_rng(0).random((60, 60))
    run = watch([picture], SOBEL)
    first = next(run)
    run.close()
    assert first.progress.step == 0
    assert first.verdicts == ()
