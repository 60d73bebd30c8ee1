"""recover(): what a pair of pictures tells of the filter between them."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import BORDERS, correlate
from kernel_demo.imaging.kernels import random
from kernel_demo.imaging.tiles import apply_tiles
from kernel_demo.recovery import Verdict, recover_many
from kernel_demo.recovery import recover as search
from kernel_demo.sources.bundled import FOLDER


def photo(name: str, mode: str = "L") -> np.ndarray:
    return np.asarray(Image.open(FOLDER / f"{name}.jpg").convert(mode))


CAT = photo("cat")[20:220, 100:340]
COLOUR = photo("cat", "RGB")[20:220, 100:340]
SHARPEN = np.array([[-1, -1, -1], [-1, 16, -1], [-1, -1, -1]])


def recover(before: np.ndarray, after: np.ndarray, max_size: int = 9):
    """The search up to 9 x 9 unless asked: a third of the time of 15 x 15."""
    return search(before, after, max_size)


def sharpened(picture: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.SHARPEN))


def as_file(values: np.ndarray, peak: int = 255) -> np.ndarray:
    """Rounded half up and clipped, uint8 or uint16."""
    return np.clip(np.floor(values + 0.5), 0, peak).astype(np.uint8 if peak == 255 else np.uint16)


@pytest.mark.sweep(7)
@pytest.mark.parametrize("border", list(BORDERS))
@pytest.mark.parametrize("size", [3, 7])
def test_finds_a_random_kernel_and_its_border(border, size):
    """Any kernel comes back within its error bars, with its size, offset and border mode."""
    true = random(size, seed=size).values * 0.5
    after = as_file(correlate(CAT.astype(float), true, border, offset=110))
    found = recover(CAT, after)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.size == size
    # For radius 1 the edge pixel is what lies beyond the edge in both modes.
    same = {"symmetric": "replicate"} if size == 3 else {}
    assert found.padding == same.get(border, border)
    # 5 standard errors: of 49 weights one in 35,000 tests lies farther off.
    assert (np.abs(found.kernel - true) <= 5 * found.standard_error).all()
    assert found.offset == pytest.approx(110, abs=0.1)
    assert found.residual == pytest.approx(found.rounding_floor, rel=0.03)
    assert np.abs(found.reproduction.astype(int) - after).max() <= 1


@pytest.mark.parametrize(
    ("numerators", "divisor", "rule", "function"),
    [
        ([[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16, "half up", lambda v: np.floor(v + 0.5)),
        ([[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16, "half even", np.rint),
        ([[1, 2, 1], [2, 4, 2], [1, 2, 1]], 16, "truncate", np.floor),
        ([[0, -1, 0], [-1, 9, -2], [0, -1, 0]], 4, "half up", lambda v: np.floor(v + 0.5)),
        ([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], 1, "none needed", np.rint),
    ],
)
def test_round_numbers_reproduce_every_pixel(numerators, divisor, rule, function):
    """Whole numbers, divisor and rounding rule are found, and all pixels inside are counted."""
    value = cv2.filter2D(CAT.astype(float), -1, np.array(numerators, float)) / divisor
    found = recover(CAT, np.clip(function(value), 0, 255).astype(np.uint8))
    assert found.bit_exact
    assert found.fractions[0].numerators.tolist() == numerators
    assert (found.fractions[0].divisor, found.fractions[0].rounding) == (divisor, rule)
    assert found.fractions[0].pixels == 198 * 238
    if rule != "half even":
        applied = correlate(CAT.astype(float), found.kernel[0, 0], found.padding or "reflect")
        assert np.array_equal(as_file(applied + found.offset), found.reproduction)


def test_the_projects_own_results_are_exact():
    """Sums that end in one half fall as `apply` lets them fall: the half is added last."""
    after = np.empty_like(CAT)
    kernel = np.array([[1, 0, 1], [0, 2, 0], [1, 0, 1]]) / 6
    assert list(apply_tiles(CAT, after, kernel, "reflect", 0, working=np.float64))[-1] == 1
    found = recover(CAT, after)
    assert (found.bit_exact, found.fractions[0].divisor) == (True, 6)


def test_one_wrong_pixel_is_not_bit_exact():
    """The claim is about every pixel: one grey level off in one pixel takes it away."""
    after = sharpened(CAT).copy()
    after[77, 99] ^= 1
    found = recover(CAT, after)
    assert found.verdict == Verdict.CONVOLUTION
    assert not found.bit_exact


def test_gaussian_in_fixed_point_is_exact():
    """OpenCV blurs 8-bit pictures by n / 256 per axis: found as whole numbers over 65536."""
    found = recover(CAT, cv2.GaussianBlur(CAT, (7, 7), 1.2))
    assert (found.bit_exact, found.fractions[0].divisor) == (True, 65536)
    assert found.catalogue_name.startswith("Gaussian blur, sigma 1.")
    assert found.padding == "reflect"


@pytest.mark.parametrize(
    ("kernel", "support"),
    [
        (np.array([[1.0, 0.0], [0.0, -1.0]]), (0, 0, 2, 2)),
        (np.full((4, 4), 1 / 16), (0, 0, 4, 4)),
        (np.full((1, 5), 0.2), (2, 0, 1, 5)),
    ],
    ids=["Roberts 2 x 2", "box 4 x 4", "line 1 x 5"],
)
def test_even_and_narrow_kernels_come_out_as_such(kernel, support):
    """A kernel with an even side, or narrower than it is long, is told by its support."""
    found = recover(CAT, cv2.filter2D(CAT, -1, kernel, delta=60 if kernel.sum() == 0 else 0))
    assert found.verdict == Verdict.CONVOLUTION
    assert found.support == support
    assert found.bit_exact


@pytest.mark.sweep(2)
@pytest.mark.parametrize("shift", [(2, -3), (25, -13)])
def test_a_shift_is_found_and_told(shift):
    """Near, the kernel is off centre; far, the pictures are laid over each other anew."""
    found = recover(CAT, np.roll(sharpened(CAT), shift, (0, 1))[: 200 - 30, 30:])
    assert found.verdict == Verdict.CONVOLUTION
    assert any("shifted" in note for note in found.notes)
    assert found.bit_exact


def test_swapped_files_are_told():
    """Where only the way back is a convolution, the files were swapped."""
    found = recover(sharpened(CAT), CAT)
    assert (found.verdict, found.swapped, found.bit_exact) == (Verdict.CONVOLUTION, True, True)
    assert "swapped" in found.explanation


def test_the_way_back_of_a_mild_sharpening_is_not_taken():
    """Pillow's unsharp mask rounds seven times; its inverse, a blur, hides that. Not swapped."""
    after = np.asarray(Image.fromarray(CAT).filter(ImageFilter.UnsharpMask(1, 80, 0)))
    found = recover(CAT, after)
    # Seven roundings of a smooth picture go with it: then it is not told either.
    assert found.verdict in (Verdict.NOISY, Verdict.UNDETERMINED)
    assert not found.swapped
    assert found.kernel[0, 0, found.size // 2, found.size // 2] > 1


def test_valid_output_is_welcome():
    """An after smaller by k - 1 lies over the middle of before."""
    found = recover(CAT, sharpened(CAT)[1:-1, 1:-1])
    assert (found.verdict, found.bit_exact, found.shift) == (Verdict.CONVOLUTION, True, (1, 1))
    assert np.array_equal(found.reproduction, sharpened(CAT)[1:-1, 1:-1])


def test_several_pairs_are_one_filter():
    """Sums of several pairs: pixels of all are reproduced."""
    parts = [CAT[:100], CAT[100:]]
    found = recover_many([(part, sharpened(part)) for part in parts])
    assert found.fractions[0].pixels == 2 * 98 * 238


@pytest.mark.parametrize("depths", [(8, 16), (16, 8), (16, 16)])
def test_bit_depths(depths):
    """White is white in both: a box blur is a box blur whatever the depths of the files."""
    deep = CAT.astype(np.uint16) * 257
    deep += np.random.default_rng(0).integers(0, 200, CAT.shape).astype(np.uint16)
    before = CAT if depths[0] == 8 else deep
    scale = (257 if depths[1] == 16 else 1) / (257 if depths[0] == 16 else 1)
    blurred = cv2.blur(before.astype(float), (3, 3)) * scale
    found = recover(before, as_file(blurred, 255 if depths[1] == 8 else 65535))
    assert (found.verdict, found.bit_exact) == (Verdict.CONVOLUTION, True)
    assert np.allclose(found.kernel, 1 / 9)
    assert found.white == (255 if depths[1] == 8 else 65535)


@pytest.mark.parametrize("crop", [0, 1])
@pytest.mark.parametrize("hidden", ["before", "after", "both"])
def test_transparent_pixels_are_left_out(hidden, crop):
    """Nonsense under full transparency does not disturb the kernel, nor the proof of it."""
    alpha = np.full((*CAT.shape, 1), 255, np.uint8)
    alpha[50:90, 60:120] = 0
    after = np.repeat(sharpened(CAT)[..., None], 3, axis=2)
    after[50:90, 60:120] = 7
    before = np.repeat(CAT[..., None], 3, axis=2)
    if hidden != "after":
        before = np.dstack([before, alpha])
    if hidden != "before":
        after = np.dstack([after, alpha])
    inner = np.s_[crop : len(CAT) - crop, crop : CAT.shape[1] - crop]
    found = recover(before, after[inner])
    assert (found.verdict, found.bit_exact) == (Verdict.CONVOLUTION, True)
    assert found.fractions[0].numerators.tolist() == SHARPEN.tolist()
    assert found.fractions[0].pixels <= 198 * 238 - 40 * 60
    assert any("not opaque" in note for note in found.notes)


def test_alpha_that_hides_nearly_all_is_told_to_be_ignored():
    """Where hardly a pixel is opaque, all are used, and the note says so."""
    alpha = np.zeros_like(CAT)
    alpha[:9] = 255
    found = recover(np.dstack([CAT, alpha]), sharpened(CAT))
    assert found.bit_exact
    assert "hardly any pixel is opaque" in found.notes[0]


@pytest.mark.parametrize(
    "before",
    [
        np.full((60, 80), 99, np.uint8),
        np.tile(np.arange(200, dtype=np.uint8), (60, 1)),
        (np.indices((60, 80)).sum(axis=0) % 2 * 100).astype(np.uint8) + 50,
    ],
    ids=["constant", "ramp", "checkerboard"],
)
def test_plain_pictures_leave_it_undetermined(before):
    """A picture that many kernels treat alike is told to be no evidence, and gets no bar."""
    found = recover(before, cv2.blur(before, (3, 3)))
    assert found.verdict == Verdict.UNDETERMINED
    assert found.as_dict()["standard_error"] is None
    assert "probe" in found.next_step


def test_a_kernel_larger_than_the_search_is_told():
    """A blur wider than max_size asks for a larger search, and is then found."""
    blurred = cv2.blur(CAT, (11, 11))
    found = recover(CAT, blurred, max_size=5)
    assert found.verdict == Verdict.UNDETERMINED
    assert "5 × 5" in found.explanation
    assert "larger than the largest size searched" in found.explanation
    assert recover(CAT, blurred, max_size=11).bit_exact


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (CAT[:1, :1], CAT[:1, :1]),
        (CAT[:5, :5], CAT[:5, :5]),
        (CAT, np.zeros_like(CAT)),
        (np.zeros_like(CAT), CAT),
        (CAT, CAT[::2, ::2]),
        (CAT, np.rot90(CAT)),
        (CAT, np.random.default_rng(0).integers(0, 256, CAT.shape).astype(np.uint8)),
        (CAT, COLOUR),
        (CAT[:, :9], sharpened(CAT)[:, :9]),
        (CAT.astype(np.uint16), COLOUR.astype(np.uint16)),
    ],
)
def test_never_fails_on_pictures(before, after):
    """Any two pictures have a verdict, with its sentences, in plain types for JSON."""
    found = recover(before, after)
    assert found.verdict
    assert found.explanation.endswith((".", "?"))
    assert found.next_step.endswith(".")
    assert set(json.loads(json.dumps(found.as_dict()))) >= {"verdict", "kernel", "explanation"}


@pytest.mark.parametrize(
    ("pairs", "size"),
    [([], 15), ([(CAT, CAT)], 4), ([(CAT, CAT)], 33), ([(CAT / 255, CAT)], 15)],
)
def test_what_a_caller_can_put_right(pairs, size):
    """No pair, a bad size and arrays that are no samples of a file are refused with a remedy."""
    with pytest.raises(DemoError):
        recover_many(pairs, size)


def test_noise_leaves_a_convolution_with_noise():
    """Gaussian noise of 3 levels: the kernel within its error bars, the residual the noise."""
    true = SHARPEN / 8
    noise = np.random.default_rng(0).normal(0, 3, CAT.shape)
    found = recover(CAT, as_file(correlate(CAT.astype(float), true) + noise))
    assert found.verdict == Verdict.NOISY
    assert found.residual == pytest.approx(3, rel=0.05)
    assert (np.abs(found.kernel - true) <= 5 * found.standard_error).all()
