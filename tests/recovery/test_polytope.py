"""What one rounding allows: guaranteed intervals, the kernel in the middle, proofs of none."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import ndimage
from scipy.optimize import linprog

from kernel_demo.recovery import Channels, Verdict, recover
from kernel_demo.recovery.alignment import Plane
from kernel_demo.recovery.polytope import Interval, Polytope, allowed
from kernel_demo.sources.bundled import FOLDER

BOUND = 0.501  # what is allowed for 8 bits and small kernels
SHARPEN = np.array([[0, -1, 0], [-1, 8, -1], [0, -1, 0]]) / 4
SOFT = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
SKEW3 = np.random.default_rng(3).normal(0, 0.1, (3, 3)) + np.diag([0, 0.7, 0])
SKEW5 = np.random.default_rng(5).normal(0, 0.06, (5, 5)) + np.diag([0, 0, 0.7, 0, 0])
SKEW7 = np.random.default_rng(7).normal(0, 0.03, (7, 7)) + np.diag([0, 0, 0, 0.7, 0, 0, 0])


def photo(name: str, mode: str = "L") -> np.ndarray:
    return np.asarray(Image.open(FOLDER / f"{name}.jpg").convert(mode))


def exactly(picture: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    wide = picture.astype(float)
    return cv2.filter2D(wide, cv2.CV_64F, kernel, borderType=cv2.BORDER_REFLECT_101)


def rounded(values: np.ndarray, white: int = 255) -> np.ndarray:
    kind = np.uint8 if white == 255 else np.uint16
    return np.clip(np.floor(values + 0.5), 0, white).astype(kind)


def polytope(before, after, size, counted=None, peak=255, step=1, clip=(0, 255)) -> Polytope:
    plane = Plane(before, after, counted, peak, step, clip)
    inputs = before.shape[2:]
    return Polytope.of([plane], np.ones((*inputs, size, size), bool))


def holds(interval: Interval, kernel: np.ndarray) -> bool:
    return bool(((interval.low <= kernel) & (kernel <= interval.high)).all())


def everywhere(before: np.ndarray, after: np.ndarray, size: int, bound: float):
    """low, high and the smallest bound by HiGHS, with the constraints of all pixels."""
    radius = size // 2
    windows = np.lib.stride_tricks.sliding_window_view(before, (size, size))
    rows = np.c_[windows.reshape(-1, size**2), np.ones(windows.shape[0] * windows.shape[1])]
    y = after[radius:-radius, radius:-radius].ravel().astype(float)
    rows, y = np.split(np.unique(np.c_[rows, y], axis=0), [-1], axis=1)
    y = y.ravel()
    low, high = y > 0, y < 255
    above, limits = np.r_[-rows[low], rows[high]], np.r_[-y[low], y[high]]

    def least(goal, rows, limits):
        found = linprog(goal, rows, limits, bounds=(None, None))
        assert found.status == 0
        return found.fun

    goals = np.eye(size**2, size**2 + 1)
    ends = [[s * least(s * goal, above, limits + bound) for goal in goals] for s in (1, -1)]
    smallest = least(np.eye(size**2 + 2)[-1], np.c_[above, -np.ones(len(above))], limits)
    return *(np.reshape(end, (size, size)) for end in ends), smallest


def test_a_line_is_worked_by_hand():
    """after = w before + o at 0, 100, 200: |w - 1/2| <= bound / 100, by the first and the last."""
    before, after = np.array([[0, 100, 200]], np.uint8), np.array([[10, 60, 110]], np.uint8)
    found = polytope(before, after, 1)
    assert found.middle.largest == pytest.approx(0, abs=1e-4)
    assert found.middle.offset == pytest.approx(10, abs=1e-3)
    interval = found.interval(0.5)
    assert (interval.low.item(), interval.high.item()) == pytest.approx((0.495, 0.505), rel=1e-4)
    assert interval.tight


def test_the_smallest_bound_is_worked_by_hand():
    """With 61 in the middle the best line runs half a level below it and above the others."""
    before, after = np.array([[0, 100, 200]], np.uint8), np.array([[10, 61, 110]], np.uint8)
    found = polytope(before, after, 1)
    assert found.middle.least == pytest.approx(0.5, abs=1e-4)
    assert found.middle.least <= 0.5 <= found.middle.largest
    assert found.middle.kernel.item() == pytest.approx(0.5, abs=1e-5)
    assert found.middle.offset == pytest.approx(10.5, abs=1e-3)
    assert found.interval(0.49) is None


def test_what_was_cut_off_bounds_to_one_side():
    """250 / 2 + 10 cut off at 120 says that the line is no lower there, and no more."""
    before = np.array([[0, 100, 200, 250]], np.uint8)
    after = np.array([[10, 60, 110, 120]], np.uint8)
    cut = polytope(before, after, 1, clip=(0, 120))
    assert cut.middle.largest == pytest.approx(0, abs=1e-4)
    interval = cut.interval(0.5)
    assert (interval.low.item(), interval.high.item()) == pytest.approx((0.495, 0.505), rel=1e-4)
    assert polytope(before, after, 1).middle.least > 1


@pytest.mark.sweep(2)
@pytest.mark.parametrize("kernel", [SHARPEN, SOFT, SKEW3], ids=["sharpen", "soft", "skew"])
@pytest.mark.parametrize("picture", ["photo", "noise", "checkerboard"])
def test_intervals_are_those_of_all_constraints(picture, kernel):
    """Within a hundredth of what HiGHS makes of every pixel, and never inside of it."""
    before = {
        "photo": photo("camera")[100:140, 100:150],
        "noise": np.random.default_rng(0).integers(0, 256, (40, 40), np.uint8),
        "checkerboard": checkerboard(80, 110),
    }[picture]
    after = rounded(exactly(before, kernel))
    found = polytope(before, after, 3)
    interval = found.interval(BOUND)
    low, high, smallest = everywhere(before, after, 3, BOUND)
    assert found.middle.least <= smallest + 1e-9 <= found.middle.largest + 2e-9
    assert found.middle.known
    assert (interval.low <= low + 1e-9).all()
    assert (interval.high >= high - 1e-9).all()
    np.testing.assert_allclose(interval.high - interval.low, high - low, rtol=0.02)
    assert holds(interval, kernel)


def opencv(picture, kernel):
    return cv2.filter2D(picture, -1, kernel, borderType=cv2.BORDER_REFLECT_101)


def pillow(picture, kernel):
    weights = kernel[::-1].ravel().tolist()  # it takes rows from the lowest upwards
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.Kernel(kernel.shape, weights, 1)))


def scipy(picture, kernel):
    return rounded(ndimage.correlate(picture.astype(float), kernel, mode="mirror"))


def single(picture, kernel):
    """float32 throughout, cut off after a half was added."""
    sums = cv2.filter2D(picture.astype(np.float32), cv2.CV_32F, kernel.astype(np.float32))
    return np.clip(np.floor(sums + np.float32(0.5)), 0, 255).astype(np.uint8)


@pytest.mark.sweep(3)
@pytest.mark.parametrize(("name", "kernel"), [("camera", SKEW5), ("coffee", SKEW3)])
@pytest.mark.parametrize("tool", [opencv, pillow, scipy, single], ids=lambda tool: tool.__name__)
def test_the_truth_is_inside_and_the_middle_near_it(tool, name, kernel):
    """One rounding by each tool: a bound of a half, and errors a fifth of least squares'."""
    before = photo(name)
    after = tool(before, kernel)
    found = polytope(before, after, len(kernel))
    assert found.middle.known
    assert found.middle.largest <= BOUND
    interval = found.interval(allowed(found.middle.kernel, found.middle.offset, 255))
    assert holds(interval, kernel)
    assert holds(interval, found.middle.kernel)
    assert interval.tight
    assert (interval.high - interval.low).max() < 4e-4
    rows, y = design(before, after, len(kernel))
    plain = np.linalg.lstsq(rows, y)[0][:-1].reshape(kernel.shape)
    away = np.abs(plain - kernel).max()
    assert np.abs(found.middle.kernel - kernel).max() < away / 5


def design(before, after, size):
    """Patches with a 1, and pixels after, where these are not cut off."""
    windows = np.lib.stride_tricks.sliding_window_view(before, (size, size)).reshape(-1, size**2)
    y = after[size // 2 : -(size // 2), size // 2 : -(size // 2)].ravel()
    inside = (y > 0) & (y < 255)
    return np.c_[windows, np.ones(len(windows))][inside], y[inside].astype(float)


def test_a_large_kernel_is_inside_too():
    """7 x 7 on a part of a photo."""
    before = photo("astronaut")[:200, :300]
    found = polytope(before, rounded(exactly(before, SKEW7)), 7)
    interval = found.interval(BOUND)
    assert holds(interval, SKEW7)
    assert interval.tight
    assert (interval.high - interval.low).max() < 2e-3


@pytest.mark.sweep(2)
@pytest.mark.parametrize("name", ["camera", "gravel"])
def test_two_roundings_are_disproved(name):
    """Rows, 8 bits, columns: no kernel of any weights makes that in one, and the record says so."""
    before = photo(name)[:240, :320]
    line = np.array([[1.0, 2.0, 1.0]]) / 4
    across = rounded(cv2.filter2D(before.astype(float), -1, line))
    after = rounded(cv2.filter2D(across.astype(float), -1, line.T))
    found = polytope(before, after, 3)
    assert found.middle.least > BOUND + 0.2
    assert found.interval(BOUND) is None
    told = recover(before, after, max_size=5)
    assert told.smallest_bound == pytest.approx(found.middle.largest, abs=1e-3)
    assert told.interval is None


def checkerboard(height: int, width: int) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    return (90 + 60 * ((rows // 8 + columns // 8) % 2)).astype(np.uint8)


def test_a_test_target_leaves_wide_intervals():
    """A checkerboard: twenty times as wide as a photo of that size; a ramp: anything."""
    widths = []
    for before in (photo("camera")[:200, :200], checkerboard(200, 200)):
        interval = polytope(before, rounded(exactly(before, SKEW3)), 3).interval(BOUND)
        assert holds(interval, SKEW3)
        widths.append((interval.high - interval.low).max())
    assert widths[1] > 20 * widths[0]
    ramp = np.add.outer(np.arange(90), np.arange(120)).astype(np.uint8)
    found = polytope(ramp, rounded(exactly(ramp, SKEW3)), 3)
    assert np.isinf(found.interval(BOUND).high).all()
    assert found.middle.least == 0  # nothing is disproved


def test_too_few_pixels_tell_nothing():
    """One bright pixel on black: all around it is cut off."""
    impulse = np.zeros((80, 80), np.uint8)
    impulse[40, 40] = 255
    found = polytope(impulse, rounded(exactly(impulse, SKEW3)), 3)
    assert found.middle is None
    assert found.interval(BOUND) is None


def test_bit_depths_are_one_picture():
    """Before in 16 bits that are 8: the same set; after in 16 bits: a far smaller one."""
    before = photo("camera")[:150, :200]
    after = rounded(exactly(before, SKEW3))
    deep = before.astype(np.uint16) * 257
    narrow = polytope(before, after, 3).interval(BOUND)
    same = polytope(deep, after * np.uint16(257), 3, None, 65535, 257, (0, 65535)).interval(BOUND)
    np.testing.assert_allclose(same.low, narrow.low, atol=1e-7)
    np.testing.assert_allclose(same.high, narrow.high, atol=1e-7)
    finer = polytope(deep, rounded(exactly(deep, SKEW3), 65535), 3, None, 65535, 1, (0, 65535))
    fine = finer.interval(0.501)
    assert holds(fine, SKEW3)
    assert (fine.high - fine.low).max() < (narrow.high - narrow.low).max() / 200


def test_pixels_that_do_not_count_say_nothing():
    """A caption over the result empties the set, unless it is left out."""
    before = photo("coffee")[:200, :200]
    after, counted = rounded(exactly(before, SKEW3)), np.ones((200, 200), bool)
    after[20:30, 20:90], counted[20:30, 20:90] = 77, False
    assert polytope(before, after, 3).interval(BOUND) is None
    assert holds(polytope(before, after, 3, counted).interval(BOUND), SKEW3)


def test_one_output_of_three_inputs():
    """A mixture of colours: inputs x k x k."""
    before = photo("cat", "RGB")[:150, :200]
    kernels = np.stack([SKEW3, SOFT / 3, -SKEW3.T / 2])
    sums = sum(exactly(before[..., c], kernels[c]) for c in range(3))
    found = polytope(before, rounded(sums), 3)
    interval = found.interval(BOUND)
    assert found.middle.largest < 0.5
    assert holds(interval, kernels)
    assert (interval.high - interval.low).max() < 0.01


def test_weights_that_are_not_free_are_0():
    """Of the set and of its middle."""
    before = photo("camera")[:100, :120]
    kernel = np.array([[0, 0, 0], [0, 0.313, 0.287], [0, 0.211, 0.189]])
    plane = Plane(before, rounded(exactly(before, kernel)), None, 255, 1, (0, 255))
    found = Polytope.of([plane], kernel != 0)
    interval = found.interval(BOUND)
    assert (found.middle.kernel[kernel == 0] == 0).all()
    assert (interval.low[kernel == 0] == 0).all()
    assert holds(interval, kernel)


def test_what_is_not_worked_out_in_time_is_wide_but_holds():
    """No time at all: the squared residuals alone bound the weights."""
    before = photo("camera")[:150, :200]
    found = polytope(before, rounded(exactly(before, SKEW5)), 5)
    wide, narrow = found.interval(BOUND, until=0), found.interval(BOUND)
    assert not wide.tight
    assert (wide.low < narrow.low).all()
    assert (wide.high > narrow.high).all()
    assert np.isfinite(wide.high).all()


@pytest.mark.parametrize("size", [3, 7, 15])
@pytest.mark.parametrize("white", [255, 65535])
def test_what_is_allowed_covers_opencvs_arithmetic(size, white):
    """Its float32 keeps within it, at every pixel that is not cut off."""
    before = photo("gravel")[:200, :200]
    before = before if white == 255 else before.astype(np.uint16) * 257
    line = np.exp(-0.5 * (np.arange(size) - size // 2) ** 2 / (size / 5) ** 2)
    kernel = np.outer(line, line) / line.sum() ** 2
    after = opencv(before, kernel)
    true = ndimage.correlate(before.astype(float), kernel, mode="mirror")
    inside = (after > 0) & (after < white)
    assert np.abs(after - true)[inside].max() <= allowed(kernel, 0.0, white)


def test_the_only_kernel_of_whole_numbers():
    """Between 0.249 and 0.251 lies 1/4 alone, up to a divisor; between wider ones, others."""
    near = Interval(np.array([[0.249]]), np.array([[0.251]]))
    assert near.hold_alone(np.array([[1]]), 4)
    assert near.hold_alone(np.array([[2]]), 8)
    assert near.hold_alone(np.array([[25]]), 100)
    assert not near.hold_alone(np.array([[1]]), 3)  # 1/3 is not between
    assert not near.hold_alone(np.array([[250]]), 1000)  # 249/1000 as well
    wide = Interval(np.array([[0.2]]), np.array([[0.3]]))
    assert wide.hold_alone(np.array([[1]]), 4)
    assert not wide.hold_alone(np.array([[2]]), 8)  # 2/7 as well


def test_the_record_tells_interval_and_middle():
    """Where no round numbers are: kernel, interval and smallest bound agree, in plain data too."""
    before = photo("camera")[:200, :260]
    found = recover(before, rounded(exactly(before, SKEW5)), max_size=7)
    assert (found.verdict, found.fractions, found.size) == (Verdict.CONVOLUTION, (), 5)
    assert np.abs(found.kernel[0, 0] - SKEW5).max() < found.standard_error.max() / 3
    assert found.smallest_bound < 0.5
    assert found.interval.low.shape == found.kernel.shape
    assert holds(found.interval, SKEW5)
    assert holds(found.interval, found.kernel)
    told = json.loads(json.dumps(found.as_dict(proved=True)))
    assert np.shape(told["interval"]["low"]) == np.shape(told["interval"]["high"]) == (5, 5)
    assert told["smallest_bound"] == found.smallest_bound
    assert "interval" not in found.as_dict()


def test_round_numbers_lie_in_their_interval():
    """The kernel told is the exact one, and no other over its divisor is in the set."""
    before = photo("cat")[:150, :200]
    found = recover(before, rounded(exactly(before, SOFT)), max_size=5)
    assert np.array_equal(found.kernel[0, 0], SOFT)
    assert holds(found.interval, found.kernel)
    assert found.unrivalled
    odd = recover(before, rounded(exactly(before, SKEW3)), max_size=3)
    assert not odd.unrivalled  # no whole numbers


def test_each_channel_has_its_own():
    """Three kernels: three times the interval, in the kernels' shape."""
    before = photo("coffee", "RGB")[100:220, 200:340]
    kernels = [SKEW3, SKEW3.T, SKEW3[::-1]]
    after = [rounded(exactly(before[..., c], kernels[c])) for c in range(3)]
    found = recover(before, np.stack(after, axis=2), max_size=3)
    assert found.channels == Channels.EACH
    assert found.interval.low.shape == (3, 1, 3, 3)
    assert holds(found.interval, np.stack(kernels)[:, None])


def test_an_even_kernel_stays_one():
    """The middle of the set has no weights outside the support; the interval allows for some."""
    before = photo("camera")[:200, :260]
    kernel = np.array([[0, 0, 0], [0, 0.313, 0.287], [0, 0.211, 0.189]])
    found = recover(before, rounded(exactly(before, kernel)), max_size=5)
    assert found.support == (1, 1, 2, 2)
    assert holds(found.interval, kernel)
    assert (found.interval.low[0, 0][0] < 0).all()


def test_noise_has_no_interval():
    """More than one rounding is left: nothing is guaranteed."""
    before = photo("camera")[:200, :260]
    noise = np.random.default_rng(0).normal(0, 3, before.shape)
    found = recover(before, rounded(exactly(before, SKEW3) + noise), max_size=3)
    assert found.verdict == Verdict.NOISY
    assert found.interval is None
    assert found.smallest_bound is None
