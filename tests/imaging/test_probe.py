"""The probe: every contrast on every brightness, the same for the same seed."""

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.imaging.probe import BRIGHTNESSES, probe
from kernel_demo.learning.certificate import certify
from kernel_demo.learning.statistics import Statistics


def test_it_is_faint_at_the_top_and_strong_at_the_bottom():
    """On each brightness, from steps of one grey level to black and white."""
    parts = np.array_split(probe(), BRIGHTNESSES, axis=1)
    faint = [part[:8] for part in parts]
    assert all(np.ptp(part.astype(int)) in (2, 3) for part in faint)
    means = [part.mean() for part in faint]
    np.testing.assert_allclose(means, (np.arange(8) + 0.5) * 255 / 8, atol=0.5)
    for part in parts:
        assert np.isin(part[-8:], (0, 255)).mean() > 0.9
        assert 100 < part[-90:].mean() < 155


@pytest.mark.parametrize("size", [3, 15])
def test_it_tells_all_weights_apart(size):
    """Of a small and a large kernel: nothing is open, and no combination drowns in rounding."""
    picture = probe()
    certificate = certify(Statistics.from_pair(picture, picture, size))
    assert (certificate.undetermined_count, certificate.weak_count) == (0, 0)


def test_it_is_a_function_of_its_seed():
    """The same seed gives the same picture; sides out of bounds are refused."""
    assert (probe(9, 8, 1) == probe(9, 8, 1)).all()
    assert (probe(9, 8, 1) != probe(9, 8, 2)).any()
    assert probe(1, 1).shape == (1, 1)
    for sides in [(0, 5), (5, 10_000)]:
        with pytest.raises(DemoError, match="a side as a whole number from 1"):
            probe(*sides)
