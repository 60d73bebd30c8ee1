"""Noise in before that the tool did not see, against closed forms and NumPy."""

import cv2
import numpy as np
import pytest

from kernel_demo.recovery import Verdict, recover
from kernel_demo.recovery.alignment import Plane
from kernel_demo.recovery.attenuation import attenuation
from kernel_demo.recovery.halves import draw

SIDE, SPREAD, NOISE = 300, 20.0, 5.0  # of white pictures, and of noise
BLUR = np.outer([1, 2, 1], [1, 2, 1]) / 16
SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float)


def filtered(picture, kernel):
    """By OpenCV in float64."""
    return cv2.filter2D(np.asarray(picture, float), cv2.CV_64F, kernel)


def seen(before, after, kernel):
    """The attenuation of a kernel fitted to arrays without limits."""
    plane = Plane(before, after, None, 255, 1, (-1e6, 1e6)).using(np.ones(before.shape, bool))
    return attenuation([plane], draw([plane], kernel != 0), kernel, 0.0)


def fractal(rng, height=200, width=260, power=1.5):
    """1 / f^power noise by NumPy's FFT, float64 within 4..251."""
    down, right = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)
    distance = np.hypot(down, right)
    distance[0, 0] = np.inf
    waves = (rng.normal(size=(2, *distance.shape)) * [[[1]], [[1j]]]).sum(axis=0)
    picture = np.fft.irfft2(waves / distance**power, (height, width))
    return np.clip(128 + 35 * picture / picture.std(), 4, 251)


def gaussian(sigma):
    line = np.exp(-0.5 * (np.arange(-4, 5) / sigma) ** 2)
    return np.outer(line, line) / line.sum() ** 2


def as_file(values):
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


@pytest.mark.parametrize("kernel", [BLUR, SHARPEN])
def test_what_is_left_tells_the_noise_of_before(kernel):
    """Of white before (variance v + s^2 as seen) w = K v / (v + s^2), and bars are K - w.

    What w leaves is (K - w) of the clean picture less w of the noise: s^2 K * K v / (v + s^2),
    which is s^2 w * w (v + s^2) / v.
    """
    rng = np.random.default_rng(0)
    clean = rng.normal(128, SPREAD, (SIDE, SIDE))
    weaker = kernel * SPREAD**2 / (SPREAD**2 + NOISE**2)
    noisy = clean + rng.normal(0, NOISE, clean.shape)
    found = seen(noisy - 128, filtered(clean - 128, kernel), weaker)
    expected = NOISE**2 * (SPREAD**2 + NOISE**2) / SPREAD**2
    assert found.clear
    assert not found.hides
    assert found.variance == pytest.approx(expected, rel=0.05)
    assert found.bars == pytest.approx(np.abs(kernel - weaker), rel=0.15, abs=0.01)


@pytest.mark.parametrize("kernel", [BLUR, SHARPEN])
def test_noise_of_after_is_white(kernel):
    """It takes nothing from the weights: s^2 is within a few of its standard errors of 0."""
    rng = np.random.default_rng(1)
    before = rng.normal(0, SPREAD, (SIDE, SIDE))
    after = filtered(before, kernel)
    found = seen(before, after + rng.normal(0, NOISE, after.shape), kernel)
    assert abs(found.variance) < 4 * found.error
    assert not found.clear
    assert found.bars.max() < 0.01 * np.abs(kernel).max()


def test_a_pixel_by_itself_has_no_colour():
    """What a factor leaves is white whichever picture has the noise: nothing is said of it."""
    rng = np.random.default_rng(2)
    before = rng.normal(0, SPREAD, (SIDE, SIDE))
    found = seen(before, 0.8 * before, np.pad([[0.8]], 1))
    assert found.variance == 0
    assert not found.clear
    assert not found.bars.any()


@pytest.mark.sweep(3)
@pytest.mark.parametrize(("seed", "sigma", "noise"), [(0, 1.2, 3), (1, 0.7, 2), (3, 1.0, 1)])
def test_no_blur_of_a_fractal_is_told_too_narrow(seed, sigma, noise):
    """Smooth all over, no half of it differs from the other: what is left tells the noise."""
    rng, kernel = np.random.default_rng(seed), gaussian(sigma)
    clean = fractal(rng)
    before = as_file(clean + rng.normal(0, noise, clean.shape))
    found = recover(before, as_file(filtered(clean, kernel)), 9)
    if found.verdict.linear:
        size = max(found.size, len(kernel))
        told, bars, true = (
            np.pad(v, (size - len(v)) // 2)
            for v in (found.kernel[0, 0], found.standard_error[0, 0], kernel)
        )
        assert (np.abs(told - true) <= 5 * np.where(bars > 0, bars, bars.max())).all()
    else:
        assert found.verdict == Verdict.UNDETERMINED


def test_noise_of_after_is_still_told():
    """A blur of the same picture with as much noise after it keeps bars of a few per cent."""
    rng, kernel = np.random.default_rng(3), gaussian(0.8)
    before = as_file(fractal(rng, power=1.0))
    after = as_file(filtered(before, kernel) + rng.normal(0, 3, before.shape))
    found = recover(before, after, 9)
    assert found.verdict == Verdict.NOISY
    assert found.standard_error.max() < 0.03 * found.kernel.max()
