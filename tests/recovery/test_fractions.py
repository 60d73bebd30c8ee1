"""Round numbers: claimed where NumPy's exact sums give every pixel and nothing else would."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from kernel_demo.recovery import Verdict, alignment, fitting, fractions, recover
from kernel_demo.recovery.explanations import Reason, Rounding
from kernel_demo.sources.bundled import FOLDER

SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
BOX = np.ones((3, 3), int)
EMBOSS = np.array([[-1, 0, 0], [0, 1, 0], [0, 0, 0]])
BINOMIAL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1])
PHOTOS = ("astronaut", "brick", "camera", "cat", "coffee", "galaxies", "gravel", "rocket")


def photo(name: str, height: int = 120, width: int = 160) -> np.ndarray:
    picture = np.asarray(Image.open(FOLDER / f"{name}.jpg").convert("L"))
    top, left = picture.shape[0] // 3, picture.shape[1] // 3
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


CAT = photo("cat", 200, 240)


def gaussian(size: int, sigma: float) -> np.ndarray:
    line = np.exp(-0.5 * ((np.arange(size) - size // 2) / sigma) ** 2)
    return np.outer(line, line) / line.sum() ** 2


def filtered(picture, kernel, offset=0.0, low=0, high=255) -> np.ndarray:
    """NumPy's own rounding and clipping of the sums in float64."""
    value = cv2.filter2D(picture.astype(float), -1, np.asarray(kernel, float)) + offset
    return np.clip(np.floor(value + 0.5), low, high).astype(picture.dtype)


def found(before: np.ndarray, after: np.ndarray, size: int = 7):
    pair, _ = alignment.prepare(before, after, size)
    planes = alignment.planes_of([pair])
    fit = fitting.fit(planes, size)
    return None if fit is None else fractions.find(fit, planes)


@pytest.mark.sweep(3)
@pytest.mark.parametrize("name", PHOTOS)
@pytest.mark.parametrize(
    ("numerators", "divisor", "offset"),
    [(SOBEL, 4, 128), (SHARPEN, 1, 0), (BOX, 9, 0), (EMBOSS, 1, 128), (BINOMIAL, 256, 0)],
    ids=["Sobel", "sharpen", "box", "emboss", "binomial"],
)
def test_whole_numbers_are_told_from_small_photos(name, numerators, divisor, offset):
    """Every pixel, and the very numbers, from 120 x 160 pixels."""
    before = photo(name)
    whole = found(before, filtered(before, numerators / divisor, offset))
    assert whole.numerators.tolist() == numerators.tolist()
    assert (whole.divisor, whole.offset, whole.left_out) == (divisor, offset, 0)
    edge = len(numerators) // 2
    assert whole.pixels == (120 - 2 * edge) * (160 - 2 * edge)


def test_a_small_picture_of_many_patches_is_enough():
    """Of 32 x 32 pixels of noise all patches differ."""
    before = np.random.default_rng(0).integers(0, 256, (32, 32)).astype(np.uint8)
    for numerators, divisor in ((BOX, 9), (SHARPEN, 1), (SOBEL, 4)):
        assert found(before, filtered(before, numerators / divisor, 20)).divisor == divisor


@pytest.mark.parametrize("clip", [(16, 235), (1, 254), (0, 250)])
def test_the_levels_at_which_the_file_is_cut_off(clip):
    """Predictions are clipped as the file is: video levels, a level less at each end."""
    whole = found(CAT, filtered(CAT, SHARPEN, 0, *clip))
    assert whole.numerators.tolist() == SHARPEN.tolist()
    assert (whole.offset, whole.rounding, whole.pixels) == (0, Rounding.NONE, 198 * 238)


@pytest.mark.parametrize("white", [1023, 4095])
def test_sixteen_bits_that_are_not_used_to_the_end(white):
    """Ten or twelve bits in a file of sixteen are cut off at their own white."""
    deep = np.floor(CAT.astype(float) * white / 255 + 0.5).astype(np.uint16)
    whole = found(deep, filtered(deep, SHARPEN, 0, 0, white))
    assert (whole.numerators.tolist(), whole.left_out) == (SHARPEN.tolist(), 0)


@pytest.mark.sweep(3)
@pytest.mark.parametrize("numerators", [BOX, SHARPEN], ids=["box", "sharpen"])
@pytest.mark.parametrize("changes", [[1], [-3], [40], [-1] * 10, [5, -30] * 15])
def test_changed_pixels_are_counted_out_and_shown(numerators, changes):
    """A touched pixel takes nothing from the others; the mask names those that were touched."""
    divisor = int(numerators.sum())
    clean = filtered(CAT, numerators / divisor)
    after, rng = clean.astype(int), np.random.default_rng(1)
    for change in changes:
        after[rng.integers(2, 198), rng.integers(2, 238)] += change
    after = np.clip(after, 0, 255).astype(np.uint8)
    whole = found(CAT, after)
    assert whole.numerators.tolist() == numerators.tolist()
    assert (whole.divisor, whole.offset, whole.undecided) == (divisor, 0, 0)
    touched = after != clean
    assert whole.left_out == touched.sum()
    assert whole.pixels == 198 * 238 - touched.sum()
    pair, _ = alignment.prepare(CAT, after)
    mask = fractions.disobeying(whole, alignment.planes_of([pair])[0])
    assert np.array_equal(mask, touched)


def test_all_but_one_pixel_is_said_so():
    """The sentence counts what was changed; that is not bit for bit."""
    after = filtered(CAT, BOX / 9)
    after[77, 99] ^= 1
    told = recover(CAT, after, 9)
    assert (told.verdict, told.bit_exact) == (Verdict.CONVOLUTION, False)
    assert "every pixel is reproduced exactly but 1," in told.explanation


def test_changes_in_more_than_a_few_pixels_take_the_claim_away():
    """One pixel in a hundred is no slip."""
    after = filtered(CAT, BOX / 9)
    after[np.random.default_rng(0).random(after.shape) < 0.01] ^= 7
    assert found(CAT, after) is None


def test_a_near_miss_is_not_counted_out():
    """A multiple that differs by a hair misses few pixels, and each by a hair: not ninths."""
    sums = cv2.filter2D(CAT.astype(float), -1, np.ones((3, 3)))
    # Ninths fall 1/18 short of the next level at most; the brightest sums pass it here.
    brightest = np.sort(sums[1:-1, 1:-1][sums[1:-1, 1:-1] % 9 == 4])[-20]
    factor = 1 / 9 + (1 / 18) / (brightest - 0.5)
    after = np.floor(sums * factor + 0.5).astype(np.uint8)
    wrong = (after != np.floor(sums / 9 + 0.5))[1:-1, 1:-1].sum()
    assert 1 <= wrong <= 47  # no more than a thousandth
    assert found(CAT, after) is None


def test_whole_sums_have_no_undecided_ties():
    """What a sum of whole numbers is off by is not its rounding."""
    after = filtered(CAT, SHARPEN)
    less = (np.random.default_rng(0).random(after.shape) < 0.05) & (after > 1)
    assert found(CAT, after - less) is None


def drawn(what: str) -> np.ndarray:
    if what.startswith("checkerboard"):
        rows, columns = np.mgrid[:200, :200] // int(what.split()[1])
        return (60 + 120 * ((rows + columns) % 2)).astype(np.uint8)
    image = Image.new("L", (800, 800), 40)
    draw = ImageDraw.Draw(image)
    if what == "slanted edge":
        draw.polygon([(0, 0), (380, 0), (440, 800), (0, 800)], 200)
    elif what == "square":
        draw.rectangle([200, 200, 600, 600], 200)
    else:
        draw.ellipse([200, 200, 600, 600], 200)
    return np.asarray(image.resize((200, 200), Image.Resampling.BOX))


@pytest.mark.parametrize("sigma", [0.8, 1.3])
@pytest.mark.parametrize(
    "what", ["checkerboard 1", "checkerboard 8", "slanted edge", "square", "disc"]
)
def test_test_targets_fit_many_kernels(what, sigma):
    """Few distinct patches, or patches of one kind: what reproduces them is one of many."""
    before = drawn(what)
    assert found(before, filtered(before, gaussian(7, sigma)), 9) is None


@pytest.mark.sweep(4)
@pytest.mark.parametrize("slope", [1, 2])
def test_a_ramp_fits_many_kernels(slope):
    """Whatever the kernel of a ramp's derivative, it comes out constant."""
    before = np.tile(np.minimum(20 + slope * np.arange(200), 255), (200, 1)).astype(np.uint8)
    assert found(before, filtered(before, SOBEL / 4, 128)) is None


@pytest.mark.parametrize("bright", [158, 250])
def test_one_pixel_is_ten_patches(bright):
    """A single response, rounded, is that of many fractions."""
    before = np.full((120, 160), 128, np.uint8)
    before[60, 80] = bright
    assert found(before, filtered(before, np.arange(1, 10).reshape(3, 3) / 45)) is None


def test_patches_again_and_again_are_one_each():
    """A tile of 6 x 6 pixels has 36 patches, however often it is laid."""
    tile = np.random.default_rng(2).integers(0, 256, (6, 6)).astype(np.uint8)
    before = np.tile(tile, (30, 30))
    assert found(before, filtered(before, BOX / 9)) is None


@pytest.mark.sweep(2)
@pytest.mark.parametrize("factor", [0.01, 0.03])
def test_few_levels_tell_no_fraction(factor):
    """What is left of a picture in three or eight levels pins no factor."""
    before = photo("camera", 300, 300)
    assert found(before, filtered(before, [[0, 0, 0], [0, factor, 0], [0, 0, 0]])) is None
    assert found(before, filtered(before, gaussian(5, 1) * factor)) is None


@pytest.mark.sweep(5)
@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("name", ["camera", "cat", "gravel"])
def test_no_fractions_in_random_weights(name, size):
    """Real weights are no round numbers, over whatever divisor."""
    before, rng = photo(name, 60, 80), np.random.default_rng(3)
    for _ in range(3):
        kernel = rng.normal(0, 0.75 / size, (size, size))
        kernel[size // 2, size // 2] += 0.5
        assert found(before, filtered(before, kernel, 20)) is None


@pytest.mark.sweep(4)
@pytest.mark.parametrize("pattern", [SOBEL, np.array([[0, -1, 0], [-1, 4, -1], [0, -1, 0]])])
@pytest.mark.parametrize("factor", [0.5**0.5 / 2, 1.53662634, 0.3273260210])
def test_multiples_of_a_pattern_that_are_no_fractions(pattern, factor):
    """One real factor over 200 levels is within reach of some fraction with a large divisor."""
    assert found(CAT, filtered(CAT, pattern * factor, 128)) is None


@pytest.mark.parametrize(("size", "sigma"), [(5, 0), (7, 1.2)])
@pytest.mark.parametrize("name", ["camera", "cat", "gravel"])
def test_a_gaussian_in_fixed_point_is_told_from_its_like(name, size, sigma):
    """OpenCV's column and row over 256 are the only ones that reproduce a photo."""
    before = photo(name)
    after = cv2.GaussianBlur(before, (size, size), sigma)
    whole = found(before, after)
    line = np.rint(cv2.getGaussianKernel(size, sigma)[:, 0] * 256)
    line[size // 2] += 256 - line.sum()
    assert np.abs(whole.kernel - np.outer(line, line) / 65536).max() < 1e-12


@pytest.mark.parametrize("sigma", [0.3, 0.4])
def test_no_identity_where_a_blur_makes_the_same_file(sigma):
    """In a smooth picture a faint blur changes no level: it is not told from the picture itself."""
    down, across = np.mgrid[:150, :180]
    smooth = 30 + 200 * np.exp(-((down - 70) ** 2 + (across - 90) ** 2) / 3000)
    before = np.floor(smooth + 0.5).astype(np.uint8)
    after = np.floor(cv2.filter2D(before.astype(float), -1, gaussian(5, sigma)) + 0.5)
    assert np.array_equal(after, before)
    result = recover(before, before.copy(), 9)
    assert not result.bit_exact
    assert result.reason.code == Reason.SMOOTH


def test_bars_of_an_identity_reach_what_makes_the_same_file():
    """Of a photo as well, if it is a blur of a quarter of a pixel."""
    before = np.asarray(Image.open(FOLDER / "camera.jpg").convert("L"))[:200, :260]
    after = np.floor(cv2.filter2D(before.astype(float), -1, gaussian(5, 0.25)) + 0.5)
    assert np.array_equal(after, before)
    result = recover(before, before.copy(), 9)
    assert result.bit_exact
    inside = gaussian(5, 0.25)[1:4, 1:4]
    assert (np.abs(result.kernel[0, 0] - inside) <= 5 * result.standard_error[0, 0]).all()
    assert result.standard_error.max() < 0.01
