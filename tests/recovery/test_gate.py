"""What the whole of it says of pairs of which the truth is known: the verdict and its reason."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps
from scipy import ndimage

from kernel_demo.recovery import Edge, Verdict, recover
from kernel_demo.recovery.explanations import Left, Reason
from kernel_demo.sources.bundled import FOLDER

HEIGHT, WIDTH = 120, 160


def photo(name, mode="L", top=100, left=100, height=HEIGHT, width=WIDTH):
    picture = np.asarray(Image.open(FOLDER / f"{name}.jpg").convert(mode))
    return np.ascontiguousarray(picture[top : top + height, left : left + width])


def gaussian(size, sigma):
    line = np.exp(-0.5 * ((np.arange(size) - size // 2) / sigma) ** 2)
    return np.outer(line, line) / line.sum() ** 2


def exactly(picture, kernel, offset=0):
    """The sums in float64 by OpenCV, reflected at the border."""
    return cv2.filter2D(picture.astype(float), cv2.CV_64F, np.asarray(kernel, float)) + offset


def as_file(values, low=0, high=255, kind=np.uint8):
    return np.clip(np.floor(values + 0.5), low, high).astype(kind)


def filtered(picture, kernel, offset=0):
    return as_file(exactly(picture, kernel, offset))


def as_jpeg(picture, quality, subsampling=0):
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(data))


def bars_off(found, true):
    """The largest error of a weight in its bars; what is left out has the largest bar of all."""
    worst = 0.0
    for a, b in np.ndindex(found.kernel.shape[:2]):
        own = true if found.kernel.shape[1] == 1 or a == b else np.zeros((1, 1))
        side = max(found.size, len(own))
        kernel, bars, own = (
            np.pad(v, (side - len(v)) // 2)
            for v in (found.kernel[a, b], found.standard_error[a, b], own)
        )
        off = np.maximum(np.abs(kernel - own) - 1e-7, 0)
        bars = np.maximum(np.where(bars > 0, bars, bars.max()), 1e-12)
        worst = max(worst, float((off / bars).max()))
    return worst


CAMERA, CAT, COFFEE = photo("camera"), photo("cat", top=60), photo("coffee", "RGB")
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]

SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
EMBOSS = np.array([[0, 0, 0], [0, 1, 0], [-1, 0, 0]])
LAPLACE = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]) / 8
BOX = np.full((3, 3), 1 / 9)
RANDOM = np.random.default_rng(5).normal(0, 0.2, (5, 5)) + np.eye(5) * 0.2
NINE = np.arange(1, 10).reshape(3, 3) / 45
GHOST = np.zeros((41, 41))
GHOST[20, 20], GHOST[20, 40] = 0.7, 0.3

SQUARE = np.full((HEIGHT, WIDTH), 40, np.uint8)
SQUARE[30:90, 40:120] = 200
PIXEL = np.full((HEIGHT, WIDTH), 128, np.uint8)
PIXEL[60, 80] = 250
TARGETS = {
    "checkerboard": as_file(60 + 120 * ((ROWS // 8 + COLUMNS // 8) % 2)),
    "square": SQUARE,
    "ramp": as_file(20 + COLUMNS),
    "one pixel": PIXEL,
}
KERNELS = {
    "Gaussian": (gaussian(7, 0.8), 0),
    "sharpen": (SHARPEN, 0),
    "Sobel": (SOBEL / 4, 128),
    "nine": (NINE, 0),
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kernel", KERNELS)
def test_what_repeats_itself_tells_no_kernel(target, kernel):
    """A few different patches fit many kernels: it is said to be the picture's fault."""
    before = TARGETS[target]
    found = recover(before, filtered(before, *KERNELS[kernel]), 9)
    assert found.verdict == Verdict.UNDETERMINED
    # Sobel makes two levels of a ramp: the one at the border and the one elsewhere.
    few = {Reason.FEW_LEVELS} if (target, kernel) == ("ramp", "Sobel") else set()
    assert found.reason.code in {Reason.TARGET, Reason.SMOOTH} | few


def mosaic(n):
    def made(picture):
        height, width = HEIGHT // n, WIDTH // n
        small = picture[: height * n, : width * n].reshape(height, n, width, n).mean(axis=(1, 3))
        return as_file(np.kron(small, np.ones((n, n))))

    return made


def half_size(how):
    def made(picture):
        small = cv2.resize(picture, (WIDTH // 2, HEIGHT // 2), interpolation=cv2.INTER_AREA)
        return cv2.resize(small, (WIDTH, HEIGHT), interpolation=how)

    return made


def rows(n):
    return lambda picture: np.where(ROWS % n == 0, filtered(picture, BOX), picture)


def posterised(bits):
    return lambda picture: np.asarray(ImageOps.posterize(Image.fromarray(picture), bits))


def painted(kernel, where):
    def made(picture):
        after = filtered(picture, kernel)
        after[where] = 90
        return after

    return made


IDENTITY = np.ones((1, 1))
LOWER_LEFT = np.s_[48:, :80]  # three tenths
UPPER_LEFT = np.s_[:72, :80]
NONE = [
    pytest.param(CAMERA, mosaic(2), "in 2 and the others (a mosaic", id="mosaic 2"),
    pytest.param(CAT, mosaic(2), "in 2 and the others (a mosaic", id="mosaic 2, cat"),
    pytest.param(CAMERA[:, :159], mosaic(3), "in 3 and the others (a mosaic", id="mosaic 3"),
    pytest.param(CAMERA, half_size(cv2.INTER_LINEAR), "in 2 and the others", id="half, linear"),
    pytest.param(CAT, half_size(cv2.INTER_CUBIC), "in 2 and the others", id="half, cubic"),
    pytest.param(CAMERA, rows(2), "one row in 2 and the others", id="every other row"),
    pytest.param(CAT, rows(3), "one row in 3 and the others", id="every third row"),
    pytest.param(CAMERA, ndimage.sobel, "run over at 256", id="Sobel of SciPy"),
    pytest.param(CAT, ndimage.laplace, "run over at 256", id="Laplacian of SciPy"),
    pytest.param(CAMERA, posterised(2), "a posterisation to 4 levels", id="posterised"),
    pytest.param(CAMERA, painted(IDENTITY, LOWER_LEFT), "an edit of a part", id="painted"),
    pytest.param(CAT, painted(SHARPEN, UPPER_LEFT), "an edit of a part", id="painted, sharpened"),
    pytest.param(CAT, painted(IDENTITY, UPPER_LEFT), "an edit of a part", id="painted, cat"),
]  # fmt: skip


@pytest.mark.sweep(3)
@pytest.mark.parametrize(("before", "operation", "name"), NONE)
def test_what_is_none_is_called_what_it_is(before, operation, name):
    """Not a convolution, and why: the place, the sums that ran over, the edit."""
    found = recover(before, operation(before), 9)
    assert found.verdict == Verdict.NOT
    assert name in found.alternative.name


def test_how_much_of_a_picture_is_edited_is_told():
    """Three tenths of the pixels, to half a per cent."""
    found = recover(CAMERA, painted(SHARPEN, LOWER_LEFT)(CAMERA), 9)
    share = float(found.alternative.name.split("picture (")[1].split(" %")[0])
    assert share == pytest.approx(30, abs=0.5)


@pytest.mark.parametrize("colours", [np.dstack([CAMERA] * 3), COFFEE], ids=["grey", "colour"])
def test_alpha_alone(colours):
    """The colours are as they were, and only the alpha channel is blurred."""
    alpha = filtered(photo("brick"), gaussian(9, 2))
    before = np.dstack([colours, np.full_like(alpha, 255)])
    found = recover(before, np.dstack([colours, alpha]), 9)
    assert (found.verdict, found.reason.code) == (Verdict.UNDETERMINED, Reason.ALPHA_ALONE)


@pytest.mark.parametrize("before", [CAMERA, CAT], ids=["camera", "cat"])
def test_larger_than_searched(before):
    """A Gaussian of 25 x 25, searched up to 9 x 9."""
    found = recover(before, filtered(before, gaussian(25, 3)), 9)
    assert (found.verdict, found.reason.code) == (Verdict.UNDETERMINED, Reason.LARGER)
    assert found.reason.figures == {"size": 9}


@pytest.mark.parametrize("before", [CAMERA, CAT], ids=["camera", "cat"])
def test_a_weight_far_beyond_the_search(before):
    """Three tenths of the picture twenty pixels aside: a kernel of 41 x 41."""
    assert recover(before, filtered(before, GHOST), 9).verdict != Verdict.NOT


@pytest.mark.slow
@pytest.mark.parametrize("kernel", [gaussian(55, 9), GHOST], ids=["Gaussian", "second image"])
def test_larger_than_can_be_searched(kernel):
    """Wider than 31 x 31: halving the pictures is the remedy, not a larger search."""
    found = recover(CAMERA, filtered(CAMERA, kernel), 31)
    assert (found.verdict, found.reason.code) == (Verdict.UNDETERMINED, Reason.TOO_LARGE)


def sharpened_exactly(found):
    assert found.verdict == Verdict.CONVOLUTION
    assert found.fractions[0].numerators.tolist() == SHARPEN.tolist()
    assert (found.fractions[0].divisor, found.offset) == (1, 0)
    return True


def test_one_pixel_of_48_000():
    """Changed by one level: the very integers, no offset, and that pixel left out."""
    before = photo("camera", height=200, width=240)
    after = filtered(before, SHARPEN)
    after[90, 100] += 1
    found = recover(before, after, 9)
    assert sharpened_exactly(found)
    assert found.left_out.reasons == (Left.CHANGED,)
    assert found.left_out.share == pytest.approx(1 / (198 * 238))
    assert np.argwhere(found.left_out.mask).tolist() == [[90, 100]]


@pytest.mark.parametrize(
    ("value", "edge", "reason"),
    [(None, Edge.COPIED, Left.COPIED), (128, Edge.PLAIN, Left.PLAIN)],
)
def test_two_border_pixels_that_were_not_filtered(value, edge, reason):
    """Two rows and columns copied or at 128: Sharpen exactly, and why they are left out."""
    after = CAT.copy() if value is None else np.full_like(CAT, value)
    after[2:-2, 2:-2] = filtered(CAT, SHARPEN)[2:-2, 2:-2]
    found = recover(CAT, after, 9)
    assert sharpened_exactly(found)
    assert (found.padding, found.left_out.reasons) == (edge, (reason,))
    assert found.left_out.mask.sum() == (after != filtered(CAT, SHARPEN))[1:-1, 1:-1].sum()


@pytest.mark.parametrize(
    ("before", "low", "high"),
    [
        (CAMERA, 16, 235),
        (CAT, 16, 235),
        (as_file(CAMERA * (1023 / 255), 0, 1023, np.uint16), 0, 1023),
    ],
    ids=["video", "video, cat", "ten bits"],
)
def test_clip_levels_are_told(before, low, high):
    """Cut off at other levels than black and white: Sharpen exactly, and the levels."""
    found = recover(before, as_file(exactly(before, SHARPEN), low, high, before.dtype), 9)
    assert sharpened_exactly(found)
    assert found.bit_exact
    assert found.clip == (low, high)


HARD = {name: as_file((picture.astype(float) - 110) * 4 + 128) for name, picture in
        (("camera", CAMERA), ("cat", CAT))}  # fmt: skip
GAIN = np.array([[1.2]])


@pytest.mark.sweep(5)
@pytest.mark.parametrize("sigma", [3, 12])
@pytest.mark.parametrize("name", HARD)
@pytest.mark.parametrize(
    "kernel", [gaussian(7, 1), BOX, SHARPEN], ids=["Gaussian", "box", "sharpen"]
)
def test_noise_where_most_pixels_are_clipped(kernel, name, sigma):
    """The pixels between black and white were chosen by their noise: weights and sum hold."""
    noise = np.random.default_rng(1).normal(0, sigma, (HEIGHT, WIDTH))
    found = recover(HARD[name], as_file(exactly(HARD[name], kernel) + noise), 9)
    assert found.verdict == Verdict.NOISY
    assert bars_off(found, kernel) <= 5
    independent = float(np.sqrt((found.standard_error**2).sum()))
    assert abs(found.kernel.sum() - kernel.sum()) <= 5 * independent


@pytest.mark.parametrize("sigma", [3, 12])
@pytest.mark.parametrize("name", HARD)
def test_a_gain_where_most_pixels_are_clipped(name, sigma):
    """Brighter by a fifth, with noise: the gain within five bars."""
    noise = np.random.default_rng(1).normal(0, sigma, (HEIGHT, WIDTH))
    found = recover(HARD[name], as_file(HARD[name] * 1.2 + noise), 9)
    assert found.verdict == Verdict.NOISY
    assert bars_off(found, GAIN) <= 5


@pytest.mark.sweep(3)
@pytest.mark.parametrize(
    ("name", "kernel", "offset", "sigma"),
    [
        ("camera", gaussian(7, 1), 0, 2),
        ("camera", SHARPEN, 0, 1),
        ("cat", SHARPEN, 0, 2),
        ("camera", SOBEL / 8, 128, 2),
        ("camera", BOX, 0, 4),
    ],
)
def test_noise_that_the_tool_did_not_see(name, kernel, offset, sigma):
    """It is in the picture before: undetermined, and how much of it there is."""
    clean = {"camera": CAMERA, "cat": CAT}[name]
    noise = np.random.default_rng(1).normal(0, sigma, clean.shape)
    found = recover(as_file(clean + noise), filtered(clean, kernel, offset), 9)
    assert (found.verdict, found.reason.code) == (Verdict.UNDETERMINED, Reason.NOISE_BEFORE)
    assert found.reason.figures["sigma"] == pytest.approx(sigma, rel=0.2)


@pytest.mark.sweep(3)
@pytest.mark.parametrize("name", ["coffee", "rocket"])
@pytest.mark.parametrize(("slope", "shift"), [(0.8, 20), (1.15, -10)])
def test_brightness_and_contrast_of_a_jpeg(name, slope, shift):
    """A kernel of one weight, through losses of colour: never called none."""
    before = photo(name, "RGB")
    found = recover(before, as_jpeg(as_file(before * slope + shift), 90, 2), 9)
    assert found.verdict != Verdict.NOT
    if found.verdict.linear:
        assert bars_off(found, slope * IDENTITY) <= 5


@pytest.mark.parametrize("picture", [photo("cat", height=300, width=451), CAT, CAMERA])
def test_brighter_is_a_filter_through_losses_too(picture):
    """Thirty levels more, saved as JPEG: not "lossy compression and no filter"."""
    found = recover(picture, as_jpeg(as_file(picture + 30.0), 95), 9)
    assert found.verdict != Verdict.NOT


@pytest.mark.sweep(9)
@pytest.mark.parametrize("factor", [0.99, 0.996, 1.004, 1.01])
@pytest.mark.parametrize("size", [(60, 80), (HEIGHT, WIDTH)])
@pytest.mark.parametrize("name", ["cat", "coffee"])
def test_a_factor_near_1_is_no_curve(name, size, factor):
    """Rounded, it is a staircase, which each curve near a line makes as well; nor is it noise."""
    before = photo(name, top=60, height=size[0], width=size[1])
    assert recover(before, as_file(factor * before), 9).verdict != Verdict.NOT


@pytest.mark.parametrize("exponent", [0.9, 0.95, 1.05])
def test_a_gamma_near_1_is_a_curve(exponent):
    """No line comes within half a level of it, however little the best one leaves."""
    found = recover(CAT, as_file(255 * (CAT / 255) ** exponent), 9)
    assert f"a gamma curve with exponent {exponent:.2f}" in found.explanation


@pytest.mark.parametrize("more", [0.0003, 0.0008])
@pytest.mark.parametrize("before", [CAMERA, CAT], ids=["camera", "cat"])
def test_bars_hold_what_rounding_hides(before, more):
    """A corner of Sharpen that moves no sum by half a level makes the same file, bit for bit."""
    kernel = SHARPEN + more * np.eye(1, 9).reshape(3, 3)
    after = filtered(before, kernel)
    found = recover(before, after, 9)
    assert bars_off(found, kernel) <= 5
    assert found.bit_exact == np.array_equal(after, filtered(before, SHARPEN))


FAINT = np.full((3, 3), 0.0019) + (1 - 9 * 0.0019) * np.eye(1, 9, 4).reshape(3, 3)


@pytest.mark.sweep(2)
@pytest.mark.sweep(2)
@pytest.mark.parametrize(
    ("before", "kernel"),
    [
        (CAMERA, FAINT),
        (photo("coffee", top=60), FAINT),
        (photo("cat", top=0, left=0, height=300, width=451), SHARPEN + 0.003 * np.eye(3)),
    ],
    ids=["faint", "faint, coffee", "Sharpen"],
)
def test_what_rounding_hides_is_not_said_to_be_larger(before, kernel):
    """Errors of rounding that follow the picture are explained by any ring, in part."""
    found = recover(before, filtered(before, kernel), 9)
    assert found.verdict == Verdict.UNDETERMINED
    assert found.reason.code in (Reason.ROUNDED, Reason.UNCLEAR)


@pytest.mark.slow
@pytest.mark.parametrize("ring", [0, 0.00125], ids=["factor", "ring"])
def test_of_what_every_pixel_obeys_the_bars_hold(ring):
    """A factor, alone or with a ring that rounding hides: that size or larger, within its bars."""
    kernel = np.array([[0, ring, 0], [ring, 0.99 - 4 * ring, ring], [0, ring, 0]])
    before = photo("coffee", top=60)
    found = recover(before, filtered(before, kernel), 9)
    assert found.verdict == Verdict.CONVOLUTION
    assert bars_off(found, kernel) <= 1
    assert found.catalogue_name == ("" if ring else "Change of contrast, times 0.99")


@pytest.mark.parametrize(
    ("name", "left", "kernel"),
    [("coffee", 150, BOX), ("coffee", 150, RANDOM), ("camera", 200, gaussian(7, 1))],
    ids=["box", "random", "Gaussian"],
)
def test_bars_hold_in_a_small_picture_of_fine_losses(name, left, kernel):
    """JPEG's finest steps are not read off 80 blocks: few blocks give way to many weights."""
    before = photo(name, left=left, height=60, width=80)
    found = recover(before, as_jpeg(filtered(before, kernel), 96))
    assert found.verdict != Verdict.NOT
    assert not found.verdict.linear or bars_off(found, kernel) <= 5


UNRELATED = [(CAMERA, CAT), (photo("gravel"), photo("brick"))]


@pytest.mark.parametrize(("before", "after"), UNRELATED, ids=["photos", "textures"])
def test_unrelated_pictures_have_no_kernel(before, after):
    """Of two photos that have nothing in common it is said that they may be other pictures."""
    found = recover(before, after, 9)
    assert found.verdict == Verdict.NOT
    assert "another picture" in found.alternative.name


@pytest.mark.parametrize(("before", "after"), UNRELATED, ids=["photos", "textures"])
def test_unrelated_pictures_have_no_operation_to_use(before, after):
    """Another picture is not advice on what to use instead of a kernel."""
    assert "Use that operation" not in recover(before, after, 9).next_step


NOISY = as_file(exactly(CAMERA, SHARPEN / 2) + np.random.default_rng(2).normal(0, 3, CAMERA.shape))


def test_a_lossy_file_is_to_be_saved_as_png():
    """JPEG's marks are in the pixels: PNG is the remedy."""
    found = recover(CAMERA, as_jpeg(filtered(CAMERA, SHARPEN / 2), 90), 9)
    assert found.compression == "JPEG, quality 90"
    assert "PNG" in found.next_step


def test_png_is_no_remedy_where_no_lossy_file_was_seen():
    """Noise that no JPEG made is not helped by another file format."""
    found = recover(CAMERA, NOISY, 9)
    assert (found.verdict, found.compression) == (Verdict.NOISY, "")
    assert "PNG" not in found.next_step


@pytest.mark.sweep(3)
@pytest.mark.parametrize("level", [0, 255], ids=["black", "white"])
@pytest.mark.parametrize("kernel", [gaussian(7, 1), SHARPEN], ids=["Gaussian", "sharpen"])
def test_a_half_in_black_or_white_is_no_result_of_the_kernel(kernel, level):
    """The kernel makes something else there: an edit, or undetermined."""
    after = filtered(CAMERA, kernel)
    after[60:] = level
    assert not recover(CAMERA, after, 9).verdict.linear


@pytest.mark.parametrize("level", [100, 170])
def test_a_painted_spot_is_no_sum_that_ran_over(level):
    """Three pixels in a hundred are of one grey; the kernel holds for all the others."""
    after = filtered(CAMERA, SHARPEN)
    after[40:60, 40:70] = level
    found = recover(CAMERA, after, 9)
    assert found.verdict == Verdict.CONVOLUTION
    assert bars_off(found, SHARPEN) <= 5


@pytest.mark.sweep(3)
@pytest.mark.parametrize(
    ("name", "kernel", "offset", "sigma"),
    [
        ("camera", EMBOSS, 128, 3),
        ("camera", LAPLACE, 128, 1),
        ("camera", gaussian(7, 0.6), 0, 3),
        ("rocket", LAPLACE, 128, 2),
        ("rocket", gaussian(7, 0.6), 0, 3),
    ],
)
def test_noise_that_the_tool_did_not_see_is_no_other_filter(name, kernel, offset, sigma):
    """There is a kernel, however it is hidden: never called none."""
    clean = photo(name, top=0, left=0) if name == "camera" else photo(name)
    noise = np.random.default_rng(1).normal(0, sigma, clean.shape)
    found = recover(as_file(clean + noise), filtered(clean, kernel, offset), 9)
    assert found.verdict != Verdict.NOT


JPEGS = {
    "sharpen": (SHARPEN, 0),
    "Gaussian": (gaussian(7, 1), 0),
    "Sobel": (SOBEL / 8, 128),
}
PHOTOS = {"grey": ("camera", "astronaut"), "colour": ("coffee", "rocket")}
GRID = [
    (kind, name, kernel, quality)
    for kind, names in PHOTOS.items()
    for name in names
    for kernel in JPEGS
    for quality in (90, 60)
]
GRID.append(("grey", "rocket", "sharpen", 60))


def marks_of(number, case):
    """A third, with each kernel, kind and quality, is quick."""
    return [pytest.mark.slow] * (number % 3 != number // 6 % 3)


@pytest.mark.parametrize(
    ("kind", "name", "kernel", "quality"),
    [pytest.param(*case, marks=marks_of(number, case)) for number, case in enumerate(GRID)],
)
def test_nothing_false_through_jpeg(kind, name, kernel, quality):
    """Grey and 4:2:0, fine and coarse: five bars, or undetermined."""
    before = photo(name, "L" if kind == "grey" else "RGB")
    kernel, offset = JPEGS[kernel]
    after = as_jpeg(filtered(before, kernel, offset), quality, 2 * (kind == "colour"))
    found = recover(before, after, 9)
    assert found.verdict != Verdict.NOT
    if found.verdict.linear:
        assert bars_off(found, kernel) <= 5


def test_bars_hold_where_noise_that_follows_the_picture_hides_the_tails():
    """Photon noise drowns the outer weights of a Gaussian: the inner ones are not told to 5 %."""
    before, true = photo("astronaut", top=0, left=0, height=512, width=512), gaussian(7, 1.0)
    after = np.random.default_rng(0).poisson(filtered(before, true)).clip(0, 255).astype(np.uint8)
    found = recover(before, after)
    if found.verdict == Verdict.UNDETERMINED:
        return
    inner = (len(true) - found.size) // 2
    off = np.abs(found.kernel[0, 0] - true[inner : len(true) - inner, inner : len(true) - inner])
    assert (off <= 5 * found.standard_error[0, 0]).all()
