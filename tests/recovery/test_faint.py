"""Filters near the identity, or near those with a name, behind noise and losses.

None is denied, and no name is given that is another filter's.
"""

import io
from functools import cache

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import Verdict, recover
from kernel_demo.recovery.explanations import Other, Reason
from kernel_demo.sources.bundled import FOLDER

PLAIN = np.eye(1, 9, 4).reshape(3, 3)
ROUND = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]) / 4
DARKER, SOFTER, SHARPER = 0.9016 * PLAIN, PLAIN + 0.03 * ROUND, PLAIN - 0.09 * ROUND
FAINT = {"darker": DARKER, "softer": SOFTER, "sharper": SHARPER}


@cache
def photo(name: str = "camera") -> np.ndarray:
    return np.asarray(Image.open(FOLDER / f"{name}.jpg").convert("L"))[:300, :400]


def exactly(kernel: np.ndarray, name: str = "camera") -> np.ndarray:
    """By OpenCV, in float64."""
    return cv2.filter2D(photo(name).astype(float), cv2.CV_64F, kernel)


def in_8_bits(values: np.ndarray, sigma: float = 0.0) -> np.ndarray:
    noise = sigma * np.random.default_rng(0).normal(size=values.shape)
    return np.clip(np.rint(values + noise), 0, 255).astype(np.uint8)


def as_jpeg(picture: np.ndarray, quality: int) -> np.ndarray:
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=quality)
    return np.asarray(Image.open(data))


def denied(found) -> bool:
    return found.verdict == Verdict.NOT


@pytest.mark.sweep(2)
@pytest.mark.parametrize("sigma", [1, 4])
@pytest.mark.parametrize("name", FAINT)
def test_a_faint_filter_behind_noise_is_not_denied(name, sigma):
    """It lies hundreds of bars off the identity. A smoothing might be noise in before; what leaves
    less of everything, or more of fine detail, is none."""
    found = recover(photo(), in_8_bits(exactly(FAINT[name]), sigma), 5)
    if name == "softer":
        assert (found.verdict, found.reason.code) == (Verdict.UNDETERMINED, Reason.FAINT)
        assert found.catalogue_name == ""
        assert found.probe_helps
        return
    assert found.verdict == Verdict.NOISY
    off = np.abs(found.kernel[0, 0] - np.pad(FAINT[name], (len(found.kernel[0, 0]) - 3) // 2))
    assert (off <= 5 * found.standard_error[0, 0]).all()
    assert ("contrast" in found.catalogue_name) == (name == "darker")


@pytest.mark.parametrize("sigma", [1, 4])
def test_noise_alone_is_no_filter(sigma):
    """Nothing but noise was added: that is what is said."""
    found = recover(photo(), in_8_bits(photo(), sigma), 5)
    assert (found.verdict, found.alternative.kind) == (Verdict.NOT, Other.NOISE)


@pytest.mark.sweep(11)
@pytest.mark.parametrize("quality", [95, 85, 75, 60])
@pytest.mark.parametrize("name", FAINT)
@pytest.mark.parametrize("picture", ["camera", "coffee"])
def test_a_faint_filter_behind_losses_is_not_denied(name, quality, picture):
    """Nor told by another name, or with weights that are not its own."""
    kernel = FAINT[name]
    found = recover(photo(picture), as_jpeg(in_8_bits(exactly(kernel, picture)), quality), 5)
    assert not denied(found)
    if found.verdict.linear:
        off = np.abs(found.kernel[0, 0] - np.pad(kernel, (len(found.kernel[0, 0]) - 3) // 2))
        assert (off <= 5 * found.standard_error[0, 0]).all()
    assert found.catalogue_name in (
        "",
        "Change of contrast, times 0.9016",
        "Gaussian blur, sigma 0.32",
    )
    assert ("contrast" in found.catalogue_name) <= (kernel is DARKER)
    assert ("Gaussian" in found.catalogue_name) <= (kernel is SOFTER)


@pytest.mark.parametrize("quality", [85, 60])
def test_losses_alone_are_no_filter(quality):
    """What the same losses make of before is just after."""
    found = recover(photo(), as_jpeg(photo(), quality), 5)
    assert (found.verdict, found.alternative.kind) == (Verdict.NOT, Other.LOSSES)


def test_round_numbers_have_the_factor_that_they_are():
    """57/64 is not 8/9, from which it differs by 0.2 %."""
    found = recover(photo(), in_8_bits(exactly(57 / 64 * PLAIN)), 5)
    assert found.fractions[0].divisor == 64
    assert found.catalogue_name == "Change of contrast, times 0.8906"


@pytest.mark.sweep(2)
@pytest.mark.parametrize(
    ("factor", "told"), [(0.871, "times 0.871"), (0.5, "divided by 2"), (1.5, "times 3/2")]
)
def test_a_factor_behind_noise_is_told_as_it_is_known(factor, told):
    """Any number is near to some fraction such as 27/31: only those are told that are not near to
    a number by chance."""
    half = recover(photo(), in_8_bits(exactly(factor * PLAIN / 2), 1), 5)
    found = recover(photo(), in_8_bits(exactly(factor * PLAIN), 1), 5)
    assert half.verdict == found.verdict == Verdict.NOISY
    assert found.catalogue_name == f"Change of contrast, {told}"


def test_a_box_behind_noise_has_its_own_factor():
    """Each weight of 1.004 box blurs agrees with one of the box within its bars; their sum, which
    is known much better, does not."""
    found = recover(photo(), in_8_bits(exactly(np.full((3, 3), 1.004 / 9)), 1), 5)
    ninth = np.full((3, 3), 1 / 9)
    assert (np.abs(found.kernel[0, 0] - ninth) <= 5 * found.standard_error[0, 0]).all()
    assert found.catalogue_name == "Box blur 3 × 3, times 1.004"


def test_a_sigma_that_noise_hides_is_not_told():
    """3 x 3 Gaussians of sigma 6 and 10, and a box, differ by less than the bars."""
    line = cv2.getGaussianKernel(3, 10)
    found = recover(photo(), in_8_bits(exactly(line @ line.T), 1), 5)
    assert found.verdict == Verdict.NOISY
    assert "sigma" not in found.catalogue_name
    line = cv2.getGaussianKernel(5, 0.8)
    found = recover(photo(), in_8_bits(exactly(line @ line.T), 1), 5)
    assert found.catalogue_name == "Gaussian blur, sigma 0.80"
