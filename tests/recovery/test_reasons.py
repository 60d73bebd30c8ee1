"""Why a pair is undetermined, or no convolution: nothing is said that is not so."""

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter

from kernel_demo.recovery import Verdict, fitting, recover
from kernel_demo.recovery.alignment import planes_of, prepare
from kernel_demo.recovery.explanations import Left, Other, Reason
from kernel_demo.sources.bundled import FOLDER

SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float)


def photo(name, top, left, side=112):
    picture = np.asarray(Image.open(FOLDER / f"{name}.jpg").convert("L"))
    return np.ascontiguousarray(picture[top : top + side, left : left + side])


def as_file(values):
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


def filtered(picture, kernel):
    return as_file(cv2.filter2D(picture.astype(float), cv2.CV_64F, kernel))


def gaussian(size, sigma):
    line = cv2.getGaussianKernel(size, sigma)
    return line @ line.T


def deconvolved(picture):
    """Wiener's deconvolution of a Gaussian: it reaches far."""
    response = np.zeros(picture.shape)
    response[:7, :7] = gaussian(7, 1)
    blur = np.fft.fft2(np.roll(response, (-3, -3), (0, 1)))
    inverse = np.conj(blur) / (np.abs(blur) ** 2 + 0.05)
    return as_file(np.fft.ifft2(np.fft.fft2(picture.astype(float)) * inverse).real)


def shifted(picture):
    """The same, laid twenty rows and columns aside."""
    return np.roll(deconvolved(picture), (20, 20), (0, 1))


@pytest.mark.sweep(2)
@pytest.mark.parametrize("name", ["cat", "brick"])
def test_the_middle_of_a_displaced_kernel_is_no_other_picture(name):
    """A deconvolution that reaches out of the search, and lies aside, is larger, not a turn."""
    before = photo(name, 100, 150)
    found = recover(before, shifted(before), max_size=7)
    assert found.reason.code == Reason.LARGER
    assert found.shift == (-20, -20)


def test_a_kernel_whose_middle_leaves_more_than_noise_is_larger():
    """Where two rings more leave a tenth of the variance, no noise is told of the middle."""
    before = photo("camera", 100, 150)
    found = recover(before, deconvolved(before), max_size=7)
    assert found.reason.code == Reason.LARGER


def minimum(picture):
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.RankFilter(3, 2)))


def smallest_mean(picture):
    """Kuwahara's idea: of four windows about each pixel the least mean."""
    means = cv2.blur(picture, (2, 2))
    return np.min([np.roll(means, at, (0, 1)) for at in np.ndindex(2, 2)], axis=0)


def brightest(picture):
    return np.maximum(picture, filtered(picture, gaussian(7, 1)))


@pytest.mark.parametrize(
    ("name", "at", "does"),
    [
        ("camera", (100, 150), minimum),
        ("rocket", (20, 200), minimum),
        ("brick", (100, 150), smallest_mean),
        ("brick", (100, 150), brightest),
    ],
)
def test_what_is_no_kernel_is_not_said_to_be_a_larger_one(name, at, does):
    """Each ring explains a little of a rank filter, and none of them most."""
    before = photo(name, *at)
    found = recover(before, does(before), max_size=7)
    assert found.verdict in (Verdict.UNDETERMINED, Verdict.NOT)
    assert found.reason is None or found.reason.code not in (Reason.LARGER, Reason.NOISE_BEFORE)


@pytest.mark.sweep(3)
@pytest.mark.parametrize("sigma", [2.5, 4.0])
@pytest.mark.parametrize("name", ["camera", "cat"])
def test_a_gaussian_that_was_cut_off_is_larger(name, sigma):
    """What speaks against other filters does not hide that a blur goes on."""
    before = photo(name, 100, 150)
    after = filtered(before, gaussian(25, sigma))
    assert recover(before, after, max_size=7).reason.code == Reason.LARGER


@pytest.mark.parametrize("name", ["camera", "brick", "cat"])
def test_levels_cut_off_below_a_few_hot_pixels_are_no_proof(name):
    """A sharpening cut off at 40 and 180, with twelve pixels of 0 or 255: never none."""
    rng, before = np.random.default_rng(7), photo(name, 100, 150)
    after = np.clip(filtered(before, SHARPEN), 40, 180)
    after[tuple(rng.integers(0, 112, (2, 12)))] = rng.choice([0, 255], 12)
    found = recover(before, after, max_size=7)
    assert found.verdict != Verdict.NOT
    assert found.reason is None or found.reason.code != Reason.ONE_COLOUR


@pytest.mark.parametrize("does", ["zoom", "ramp", "posterise", "mirror"])
def test_what_is_made_of_a_mosaic_went_through_no_jpeg(does):
    """Tiles of 4 x 4 lack the waves that JPEG takes from blocks of 8 x 8."""
    tiles = np.kron(photo("camera", 100, 150)[::4, ::4], np.ones((4, 4), np.uint8))
    after = {
        "zoom": lambda: cv2.warpAffine(tiles, np.diag([1.002, 1.002, 1])[:2], tiles.shape),
        "ramp": lambda: as_file(filtered(tiles, SHARPEN) * np.linspace(0.99, 1.01, 112)),
        "posterise": lambda: filtered(tiles // 16 * 16, SHARPEN),
        "mirror": lambda: filtered(np.ascontiguousarray(tiles[:, ::-1]), SHARPEN),
    }[does]()
    found = recover(tiles, after, max_size=7)
    assert found.compression == ""
    assert not found.verdict.linear


def test_contrast_by_tiles_is_no_matter_of_every_eighth_column():
    """CLAHE in tiles of 28 pixels varies over the picture; nothing in it has a period of 8."""
    before = photo("brick", 100, 150)
    found = recover(before, cv2.createCLAHE(2, (4, 4)).apply(before), max_size=7)
    assert found.verdict in (Verdict.UNDETERMINED, Verdict.NOT)
    assert found.alternative is None or found.alternative.kind != Other.POSITION


@pytest.mark.parametrize(("name", "at"), [("brick", (100, 150)), ("rocket", (20, 200))])
def test_sums_that_run_over_in_a_few_pixels_are_told(name, at):
    """The next step gives the tool's picture: modulo 256, as NumPy casts."""
    before = photo(name, *at)
    sums = cv2.filter2D(before.astype(float), cv2.CV_64F, SHARPEN).astype(int)
    found = recover(before, (sums % 256).astype(np.uint8), max_size=7)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.left_out.reasons == (Left.RAN_OVER,)
    inside = sums[1:-1, 1:-1]
    assert found.left_out.pixels == np.count_nonzero((inside < 0) | (inside > 255))
    assert "modulo 256" in found.next_step


def test_only_what_no_kernel_explains_is_hopeless():
    """What one rounding or cutting off leaves is looked at in full; a median's result is not."""
    before = photo("cat", 40, 60, 160)
    for after, hopeless in (
        (filtered(before, SHARPEN), False),
        (filtered(before, 3 * SHARPEN), False),
        (cv2.medianBlur(before, 5), True),
    ):
        pair, _ = prepare(before, after)
        assert fitting.hopeless(planes_of([pair]), 15) == hopeless


@pytest.mark.parametrize("does", ["caption", "clip"])
def test_other_changes_before_noise_are_no_noise_in_before(does):
    """A clean picture before is not said to be noisy where something else parted the picture."""
    rng, before = np.random.default_rng(3), photo("coffee", 100, 150)
    after = filtered(before, gaussian(5, 1)).astype(float)
    if does == "caption":
        after[-12:, :70] = np.kron(rng.integers(0, 2, (6, 35)) * 230 + 20, np.ones((2, 2)))
    else:
        after = np.clip(after, 60, 150)
    found = recover(before, as_file(after + rng.normal(0, 3, after.shape)), max_size=7)
    assert found.reason is None or found.reason.code != Reason.NOISE_BEFORE


def test_a_few_white_pixels_are_no_noise():
    """Salt in a fiftieth of a file of every second level: neither noise nor a factor of 49/50."""
    rng, before = np.random.default_rng(4), photo("gravel", 100, 150)
    after = filtered(before, SHARPEN) // 2 * 2
    after[rng.random(after.shape) < 0.02] = 255
    found = recover(before, after, max_size=7)
    assert found.verdict == Verdict.UNDETERMINED


def test_a_frame_does_not_bend_a_kernel_into_one_of_light():
    """What else explains a pair is compared on the same pixels: a frame is not its proof."""
    before = photo("rocket", 20, 200)
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    after = as_file(cv2.filter2D(before.astype(float), cv2.CV_64F, sobel) + 128) // 2 * 2
    framed = np.full_like(after, 255)
    framed[4:-4, 4:-4] = after[4:-4, 4:-4]
    found = recover(before, framed, max_size=7)
    assert not found.verdict.linear
    assert found.alternative is None or found.alternative.kind == Other.EDIT


def test_a_caption_on_a_wide_blur_is_no_proof_against_it():
    """Only a part of the picture differs, and no operation explains it: undetermined."""
    before = photo("camera", 200, 60)
    after = np.clip(filtered(before, gaussian(11, 2)), 16, 235)
    after[-12:, :70] = 20
    after[-9:-3, 4:60:3] = 235
    assert recover(before, after, max_size=7).verdict != Verdict.NOT


def sharpened(picture):
    return as_file(filtered(picture, np.array([[-1, -1, -1], [-1, 13, -1], [-1, -1, -1]]) / 5))


def in_colours(before):
    """The photo's own colours, of which before is the brightness."""
    return sharpened(cv2.imread(str(FOLDER / "cat.jpg"))[64:192, 96:224])


def of_other_photos(before):
    """Red is before sharpened; green and blue are of other pictures."""
    others = [photo(name, 40, 40, 128) for name in ("camera", "coffee")]
    return np.stack([sharpened(one) for one in (before, *others)], axis=-1)


def with_three_kernels(before):
    return np.stack([sharpened(before), before // 2, cv2.blur(before, (5, 5))], axis=-1)


def tinted(before):
    """Sepia tones, each a function of the grey."""
    return as_file(before[..., None] * np.array([1.0, 0.82, 0.6]))


def tinted_median(before):
    return tinted(cv2.medianBlur(before, 3))


def coloured_by_a_table(before):
    return cv2.applyColorMap(before, cv2.COLORMAP_JET)


@pytest.mark.parametrize(
    ("does", "told"),
    [
        (in_colours, True),
        (of_other_photos, True),
        (with_three_kernels, False),
        (tinted, False),
        (tinted_median, False),
        (coloured_by_a_table, False),
    ],
)
def test_colours_that_a_grey_picture_has_not(does, told):
    """Colours of another picture are undetermined for that reason; those made of the grey are found
    as before, or are no convolution for another."""
    before = cv2.imread(str(FOLDER / "cat.jpg"), cv2.IMREAD_GRAYSCALE)[64:192, 96:224]
    found = recover(before, does(before), 5)
    assert (found.reason is not None and found.reason.code == Reason.NO_COLOURS) == told
    assert found.verdict == Verdict.UNDETERMINED or not told
    assert found.verdict.linear == (does in (with_three_kernels, tinted))


@pytest.mark.parametrize("side", [3, 4, 6])
def test_a_picture_of_few_pixels_is_too_small_first(side):
    """Of one colour or not: it has fewer than ten patches for each weight of 3 x 3."""
    noise = np.random.default_rng(0).integers(0, 256, (side, side), np.uint8)
    for before in (np.full((side, side), 77, np.uint8), noise):
        found = recover(before, cv2.blur(before, (3, 3)), 3)
        assert found.verdict == Verdict.UNDETERMINED
        assert found.reason.code == Reason.TINY
        assert f"number {(side - 2) ** 2}," in found.explanation


def test_a_table_of_colours_makes_the_file_again(tmp_path, monkeypatch):
    """OpenCV's colours for heat, of a grey picture: three curves, and their program."""
    before = cv2.imread(str(FOLDER / "cat.jpg"), cv2.IMREAD_GRAYSCALE)[64:192, 96:224]
    after = coloured_by_a_table(before)
    other = recover(before, after, 3).alternative
    assert (other.kind, other.reproduced) == (Other.CURVE, 1)
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("before.png", before)
    exec(other.code, {})
    np.testing.assert_array_equal(cv2.imread("after.png")[..., ::-1], after)
