"""Pixels that something else has changed: the very ones, and clip levels on known histograms."""

import cv2
import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from kernel_demo.recovery import alignment, outliers
from kernel_demo.sources.bundled import FOLDER

CAMERA = np.asarray(Image.open(FOLDER / "camera.jpg").convert("L"))[100:220, 100:260].copy()
COFFEE = np.asarray(Image.open(FOLDER / "coffee.jpg").convert("RGB"))[100:220, 100:260].copy()
SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float)
LINE = cv2.getGaussianKernel(7, 1)
GAUSSIAN = LINE @ LINE.T


def filtered(picture, kernel):
    """By OpenCV in float64, rounded and cut off."""
    values = cv2.filter2D(picture.astype(float), cv2.CV_64F, kernel)
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def find(before, after):
    return outliers.find([alignment.prepare(before, after)[0]])


def painted(clean, where):
    """With a part some thirty levels darker or brighter, and where that is (h x w bool)."""
    after = clean.copy()
    after[where] = np.where(after[where] > 128, after[where] - 30, after[where] + 30)
    mask = np.zeros(clean.shape[:2], bool)
    mask[where] = True
    return after, mask


def inside(mask, radius):
    return mask[radius:-radius, radius:-radius]


@pytest.mark.sweep(3)
@pytest.mark.parametrize("kernel", [SHARPEN, GAUSSIAN], ids=["sharpen", "Gaussian"])
@pytest.mark.parametrize(
    ("where", "few"),
    [(np.s_[40:60, 50:90], True), (np.s_[20:100, 10:90], False)],
    ids=["a few", "a third"],
)
@pytest.mark.parametrize("before", [CAMERA, COFFEE], ids=["grey", "colour"])
def test_a_painted_part_is_found_to_the_pixel(before, kernel, where, few):
    """All of it and nothing else, as a share of the pixels whose patch lies inside."""
    after, mask = painted(filtered(before, kernel), where)
    found = find(before, after)
    assert np.array_equal(found.pairs[0].outliers, mask)
    radius = 1 if kernel is SHARPEN else 3
    assert found.share == pytest.approx(inside(mask, radius).mean(), abs=1e-12)
    assert (found.wrapped, found.busy, found.few) == (False, False, few)


def test_a_frame_is_found_as_far_as_patches_reach():
    """Of a frame of six pixels those that have a patch of 7 x 7, the largest that is tried."""
    after, clean = CAMERA.copy(), filtered(CAMERA, SHARPEN)
    after[6:-6, 6:-6] = clean[6:-6, 6:-6]
    marked = find(CAMERA, after).pairs[0].outliers
    off = np.abs(after.astype(int) - clean)  # 1 may be rounding's: the kernel is not exact
    assert (inside(marked, 3) | inside(off < 2, 3)).all()
    assert not (marked & (off == 0)).any()


def test_a_clean_pair_has_none():
    """Every pixel obeys."""
    found = find(CAMERA, filtered(CAMERA, SHARPEN))
    assert (found.share, found.pairs[0].outliers, found.few) == (0, None, False)


@pytest.mark.parametrize("operation", [ndimage.sobel, ndimage.laplace])
def test_sums_that_ran_over_are_told_from_an_edit(operation):
    """SciPy's uint8 keeps sums modulo 256: those that NumPy's int64 has outside 0..255."""
    found = find(CAMERA, operation(CAMERA))
    assert found.wrapped
    assert not found.few
    true = operation(CAMERA.astype(np.int64))
    over = (true < 0) | (true > 255)
    marked = inside(found.pairs[0].outliers, 1)
    # Beyond the clip levels nothing disobeys by more than half of 256.
    far = np.abs(np.clip(true, 0, 255) - operation(CAMERA)) > 129
    assert (marked | ~inside(far, 1)).all()
    assert not (marked & ~inside(over, 1)).any()


def test_a_filter_that_minds_edges_is_busy():
    """Sharpened only where the picture has most texture: that is the filter's choice, no edit."""
    grey = CAMERA.astype(np.float32)
    spread = cv2.blur(grey * grey, (5, 5)) - cv2.blur(grey, (5, 5)) ** 2
    after = np.where(spread > np.quantile(spread, 0.8), filtered(CAMERA, SHARPEN), CAMERA)
    found = find(CAMERA, after)
    assert found.busy
    assert not found.few


@pytest.mark.parametrize(
    "after",
    [
        CAMERA[::-1],
        cv2.equalizeHist(CAMERA),
        np.random.default_rng(0).integers(0, 256, CAMERA.shape).astype(np.uint8),
    ],
    ids=["upside down", "equalised", "noise"],
)
def test_where_no_kernel_holds_for_half_of_it_nothing_is_found(after):
    """No kernel, no outliers."""
    assert find(CAMERA, np.ascontiguousarray(after)) is None


def levels(counts):
    """A picture (uint16 if need be) with so many pixels of each level, in rows of any order."""
    values = np.repeat(list(counts), list(counts.values()))
    kind = np.uint8 if values.max() < 256 else np.uint16
    return np.random.default_rng(0).permutation(values).astype(kind)[None, :, None]


EVEN = dict.fromkeys(range(16, 236), 100)
HEAPED = 1000  # pixels: ten times as many as on the levels beside


@pytest.mark.parametrize(
    ("counts", "peak", "clip"),
    [
        (EVEN | {16: HEAPED, 235: HEAPED}, 255, (16, 235)),
        (EVEN | {16: HEAPED}, 255, (16, 255)),
        (EVEN | {235: HEAPED}, 255, (0, 235)),
        (EVEN, 255, (0, 255)),
        (EVEN | {100: HEAPED}, 255, (0, 255)),  # a plain wall is no end
        (EVEN | {16: 200, 235: 200}, 255, (0, 255)),  # twice as many are chance
        (EVEN | {15: 1, 16: HEAPED, 235: HEAPED}, 255, (0, 235)),  # something lies beyond
        (dict.fromkeys(range(256), 100) | {0: HEAPED, 255: HEAPED}, 255, (0, 255)),
        (dict.fromkeys(range(1024), 100) | {1023: HEAPED}, 65535, (0, 1023)),
        ({257 * n: 100 for n in EVEN} | {257 * 235: HEAPED}, 65535, (0, 257 * 235)),  # 8 bits
        ({0: 5000, 128: 5000, 255: 5000}, 255, (0, 255)),  # few levels have no neighbours
        ({77: 5000}, 255, (0, 255)),
    ],
    ids=["both", "low", "high", "none", "wall", "twice", "beyond", "black and white", "ten bits",
         "deepened", "three levels", "one level"],
)  # fmt: skip
def test_clip_levels_are_read_off_the_histogram(counts, peak, clip):
    """The last level with three times the pixels of those beside it; else black and white."""
    assert alignment.clip_levels(levels(counts), peak) == clip
