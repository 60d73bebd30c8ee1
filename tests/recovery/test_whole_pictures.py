"""Pictures that were moved, turned or edited: what that is called, and what it is not."""

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import Verdict, alignment, judging, recover, search
from kernel_demo.recovery.explanations import Other, Reason, Turn
from kernel_demo.sources.bundled import FOLDER

CAT = np.array(Image.open(FOLDER / "cat.jpg"))[40:180, 60:230]
SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float)


def as_jpeg(picture: np.ndarray) -> np.ndarray:
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=95, subsampling=2)
    return np.array(Image.open(data))


@pytest.mark.sweep(2)
@pytest.mark.parametrize("spots", [1, 5])
def test_an_edit_and_no_filter_is_no_convolution(spots):
    """What is as it was, but for some pixels, is edited; a kernel beside the same spots is told."""
    at = np.random.default_rng(spots).integers(20, 120, (spots, 2))
    edited, filtered = CAT.copy(), cv2.filter2D(CAT, -1, SHARPEN)
    for picture in (edited, filtered):
        picture[tuple(at.T)] = (250, 10, 10)
    found = recover(CAT, edited)
    assert found.verdict == Verdict.NOT
    assert found.alternative.kind == Other.EDIT
    assert "0.0 %" not in found.explanation
    found = recover(CAT, filtered)
    assert found.verdict == Verdict.CONVOLUTION
    assert np.array_equal(found.kernel[0, 0], SHARPEN)


@pytest.mark.parametrize("dots", [3, 40])
def test_a_blur_of_dots_is_no_edit(dots):
    """Nothing but the dots' surroundings changes, and no part of the picture was painted over."""
    before = np.full((160, 200), 120, np.uint8)
    rng = np.random.default_rng(dots)
    before[tuple(rng.integers(10, 150, (2, dots)))] = rng.integers(140, 250, dots)
    assert recover(before, cv2.GaussianBlur(before, (5, 5), 1)).verdict != Verdict.NOT


@pytest.mark.parametrize("small", [(46, 70), (50, 64)])
def test_a_small_picture_that_goes_round_is_shifted(small):
    """What leaves on one side comes in on the other: the overlap proves the shift."""
    before = CAT[: small[0], : small[1]]
    found = recover(before, np.roll(before, (10, 20), (0, 1)))
    assert (found.verdict, found.bit_exact) == (Verdict.CONVOLUTION, True)
    assert found.shift == (-10, -20)


@pytest.mark.slow
def test_a_shift_through_a_jpeg_is_told_whole():
    """The kernel is the identity about the shift, not a spot beside its middle."""
    photo = Image.open(FOLDER / "cat.jpg")
    before = np.array(photo.resize((360, 240), Image.Resampling.BOX))  # no marks of its own file
    moved = np.zeros_like(before)
    moved[:, 80:] = before[:, :-80]
    found = recover(before, as_jpeg(moved))
    assert found.verdict == Verdict.NOISY
    assert found.shift == (0, -80)
    assert found.catalogue_name == "Identity 3 × 3"


@pytest.mark.sweep(4)
@pytest.mark.parametrize(
    ("turn", "turned"),
    [
        (Turn.ACROSS, CAT[:, ::-1]),
        (Turn.DOWN, CAT[::-1]),
        (Turn.HALF, CAT[::-1, ::-1]),
        (Turn.DOWN, 255 - CAT[::-1]),
    ],
)
def test_a_turned_picture_is_called_turned(turn, turned):
    """Mirrored, upside down or both, whatever else was done to it and to the file."""
    for after in (turned, as_jpeg(np.ascontiguousarray(turned))):
        found = recover(CAT, after)
        assert found.verdict == Verdict.NOT
        assert found.alternative.kind == Other.TURNED
        assert found.alternative.figures["turn"] == turn


def test_a_picture_that_is_its_own_mirror_image_is_not_turned():
    """A negative of a ramp is that ramp turned, and a kernel all the same."""
    ramp = np.tile(np.arange(20, 220, dtype=np.uint8), (80, 1))
    ramp += np.random.default_rng(0).integers(0, 9, ramp.shape, np.uint8)
    found = recover(ramp, 255 - ramp)
    assert found.verdict == Verdict.CONVOLUTION


@pytest.mark.parametrize(("rows", "columns"), [(0, 100), (31, 0), (60, -20)])
def test_no_kernel_makes_a_picture_so_much_larger(rows, columns):
    """By more than the largest kernel's border: scaled, sheared or another picture."""
    size = CAT.shape[1] + columns, CAT.shape[0] + rows
    found = recover(CAT[:40, :50], cv2.resize(CAT, size))
    assert found.verdict == Verdict.NOT
    assert found.alternative.kind == Other.GEOMETRY
    assert found.explanation.endswith(".")


@pytest.mark.parametrize("written", [np.array, as_jpeg])
def test_a_part_of_before_is_called_that(written):
    """What was cut out, and nothing else, is told with its place."""
    found = recover(CAT, written(CAT[35:105, 48:118]))
    assert found.verdict == Verdict.NOT
    assert found.alternative.kind == Other.CUT
    assert found.alternative.figures == {"rows": 35, "columns": 48}


def test_a_filtered_part_of_before_is_left_open():
    """Filtered and cut out of the middle, after is smaller: that is said, and nothing else."""
    found = recover(CAT, cv2.filter2D(CAT, -1, SHARPEN)[35:105, 40:110])
    assert found.verdict == Verdict.UNDETERMINED


def painted(red: bool) -> np.ndarray:
    picture = CAT.copy()
    cv2.circle(picture, (120, 60), 34, (250, 20, 10) if red else (0, 0, 0), -1)
    return picture


@pytest.mark.parametrize("red", [True, False])
def test_what_is_painted_over_is_an_edit_through_a_jpeg_too(red):
    """The rest is as it was, but for the losses: no kernel does that, and the share is told."""
    found = recover(CAT, as_jpeg(painted(red)))
    assert found.verdict == Verdict.NOT
    assert found.alternative.kind == Other.EDIT


@pytest.mark.sweep(3)
@pytest.mark.parametrize(
    "filtered",
    [
        lambda picture: cv2.filter2D(picture, -1, SHARPEN),
        lambda picture: cv2.GaussianBlur(picture, (25, 25), 4),
        lambda picture: cv2.filter2D(picture, -1, np.pad([[0.5]], ((0, 24), (0, 24)))),
    ],
    ids=["sharpened", "blurred", "a ghost"],
)
def test_a_kernel_through_a_coarse_jpeg_is_no_edit(filtered):
    """Blocks that a kernel leaves as they are, and those that it changes, are not taken for one."""
    half = CAT.copy()
    half[:, :80] = cv2.GaussianBlur(half, (0, 0), 5)[:, :80]  # as if out of focus
    data = io.BytesIO()
    Image.fromarray(filtered(half)).save(data, "JPEG", quality=30, subsampling=2)
    assert recover(half, np.array(Image.open(data))).verdict != Verdict.NOT


LAPLACIAN = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], float)
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], float)
ACROSS = np.pad(np.array([[0.3]]), ((0, 14), (0, 14))) + np.pad([[0.3]], ((14, 0), (13, 1)))
ASIDE = 40, 23  # rows, columns
NOISE = np.random.default_rng(5).integers(0, 256, (240, 300)).astype(np.uint8)


def grey(name: str) -> np.ndarray:
    return np.array(Image.open(FOLDER / f"{name}.jpg").convert("L"))


def moved_in_noise(before: np.ndarray, kernel: np.ndarray, share: float) -> np.ndarray:
    """OpenCV's filter, laid aside, with so much noise that it has this share of the variance."""
    clean = np.roll(cv2.filter2D(before, cv2.CV_64F, kernel), ASIDE, (0, 1))
    sigma = clean.std() * (1 / share - 1) ** 0.5
    after = clean + np.random.default_rng(1).normal(0, max(sigma, 1e-9), clean.shape)
    return np.clip(np.rint(128 + (after - after.mean()) * min(1, 30 / after.std())), 0, 255)


@pytest.mark.parametrize("share", [0.5, 0.06])
@pytest.mark.parametrize("kernel", [LAPLACIAN, SOBEL, cv2.getGaussianKernel(9, 2) * np.ones(9)])
@pytest.mark.parametrize("name", ["cat", "gravel"])
def test_a_displaced_filter_is_looked_at_where_it_explains_a_twentieth(name, kernel, share):
    """And not where the displacement is another one, by which no kernel explains anything."""
    before = grey(name)[:240, :300]
    after = moved_in_noise(before, kernel, share).astype(np.uint8)
    pair, _ = alignment.prepare(before, after)
    right, wrong = (replace(pair, origin=at) for at in ((-40, -23), (60, -90)))
    assert search._promising([right], 15)
    assert not search._promising([wrong], 15) or kernel.min() >= 0  # a blur is alike everywhere


@pytest.mark.sweep(4)
@pytest.mark.parametrize("share", [0.02, 0.01])
@pytest.mark.parametrize("kernel", [LAPLACIAN, ACROSS])
@pytest.mark.parametrize("before", [grey("cat")[:240, :300], NOISE], ids=["photo", "noise"])
def test_a_displaced_filter_that_is_not_looked_at_is_left_open(before, kernel, share):
    """What is denied a closer look is not called anything: there was a filter."""
    found = recover(before, moved_in_noise(before, kernel, share).astype(np.uint8))
    assert found.verdict == Verdict.UNDETERMINED


def test_a_weight_out_of_reach_is_no_noise():
    """Of noise two weights far apart, of which one is found: what is left is that noise again."""
    found = recover(NOISE, moved_in_noise(NOISE, ACROSS, 1).astype(np.uint8))
    assert found.verdict == Verdict.UNDETERMINED
    assert found.reason.code == Reason.LARGER


@pytest.mark.parametrize("name", ["coffee", "cat", "rocket"])
def test_a_changed_contrast_stays_in_its_place(name):
    """By OpenCV: CLAHE and its negative do; turned, scaled, mirrored or other pictures do not."""
    before = grey(name)
    size = before.shape[::-1]
    turns = [cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), *by) for by in ((2, 1), (0, 1.05))]
    stayed = [cv2.createCLAHE(clip).apply(before) for clip in (2, 4)]
    gone = [cv2.warpAffine(before, turn, size, borderMode=cv2.BORDER_REFLECT_101) for turn in turns]
    gone += [before[:, ::-1], cv2.resize(grey("camera"), size)]
    for pictures, expected in (([*stayed, 255 - stayed[1]], True), (gone, False)):
        for after in pictures:
            pair, _ = alignment.prepare(before, np.ascontiguousarray(after))
            assert judging._in_place(alignment.planes_of([pair])) == expected


def test_what_is_turned_is_a_change_of_geometry():
    """By ten degrees, nothing is in its place."""
    before = grey("cat")
    turn = cv2.getRotationMatrix2D((before.shape[1] / 2, before.shape[0] / 2), 10, 1)
    after = cv2.warpAffine(before, turn, before.shape[::-1], borderMode=cv2.BORDER_REFLECT_101)
    assert recover(before, after).alternative.kind == Other.GEOMETRY
