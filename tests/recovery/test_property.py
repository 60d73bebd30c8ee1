"""Whatever the kernel, the picture and the damage: no claim that the truth contradicts."""

import io

import cv2
import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from scipy import ndimage

from kernel_demo.recovery import Verdict, recover
from kernel_demo.sources.bundled import FOLDER

PHOTOS = {
    name: np.asarray(Image.open(FOLDER / f"{name}.jpg").convert("L"))
    for name in ("astronaut", "brick", "camera", "cat", "coffee", "gravel", "rocket")
}
HEIGHT, WIDTH = 120, 160
BARS = 5  # further off than so many of its bars, a weight is wrong
SMALL = 1e-7  # exact weights have no bars, and so many digits
SEEN = 0.1  # damage to fewer pixels may be told as pixels that are left out
BLUR = np.outer([1, 2, 1], [1, 2, 1]) / 16


@st.composite
def kernels(draw):
    """(k x k, offset in grey levels): not the picture alone, brighter or darker."""
    kind = draw(st.sampled_from(("whole numbers", "real", "Gaussian")))
    if kind == "Gaussian":
        sigma = draw(st.floats(0.6, 1.4))
        line = np.exp(-0.5 * (np.arange(-3, 4) / sigma) ** 2)
        return np.outer(line, line) / line.sum() ** 2, 0
    if kind == "real":
        rng, size = np.random.default_rng(draw(st.integers(0, 999))), draw(st.sampled_from((3, 5)))
        kernel = rng.normal(0, 0.2, (size, size))
        kernel[size // 2, size // 2] += 1 - kernel.sum()
        return kernel, 0
    around = draw(st.lists(st.integers(-2, 2), min_size=8, max_size=8).filter(any))
    total = draw(st.sampled_from((0, 1, 4)))  # so much brighter, before the division
    kernel = np.insert(np.array(around, float), 4, total - sum(around)).reshape(3, 3)
    return (kernel / total, 0) if total else (kernel / np.abs(kernel).sum(), 128)


@st.composite
def pictures(draw):
    """uint8, HEIGHT x WIDTH."""
    kind = draw(st.sampled_from((*PHOTOS, "noise", "chart")))
    seed = draw(st.integers(0, 999))
    rng = np.random.default_rng(seed)
    if kind == "noise":
        return rng.integers(0, 256, (HEIGHT, WIDTH)).astype(np.uint8)
    if kind == "chart":
        return chart(rng)
    top, left = (
        rng.integers(0, whole - side + 1)
        for whole, side in zip(PHOTOS[kind].shape, (HEIGHT, WIDTH), strict=True)
    )
    return np.ascontiguousarray(PHOTOS[kind][top : top + HEIGHT, left : left + WIDTH])


def chart(rng) -> np.ndarray:
    """Discs, boxes and lines of many greys, drawn four times as large and made smaller."""
    image = Image.new("L", (4 * WIDTH, 4 * HEIGHT), 60)
    pen = ImageDraw.Draw(image)
    for number in range(40):
        x, y = rng.integers(0, 4 * WIDTH), rng.integers(0, 4 * HEIGHT)
        w, h = rng.integers(8, 120, 2)
        draw = (pen.ellipse, pen.rectangle, pen.line)[number % 3]
        draw([int(v) for v in (x, y, x + w, y + h)], fill=int(rng.integers(0, 256)))
    return np.asarray(image.resize((WIDTH, HEIGHT), Image.Resampling.BOX))


def exactly(picture, kernel, offset=0):
    """The sums in float64, reflected at the border, by OpenCV."""
    return cv2.filter2D(picture.astype(float), cv2.CV_64F, kernel) + offset


def as_file(values, low=0, high=255):
    return np.clip(np.floor(values + 0.5), low, high).astype(np.uint8)


def jpeg(picture, rng):
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=int(rng.integers(40, 96)))
    return np.asarray(Image.open(data))


def captioned(picture):
    image = Image.fromarray(picture)
    ImageDraw.Draw(image).text((12, 90), "Summer 2024", fill=255, font_size=16)
    return np.asarray(image)


def ringed(picture, before, rng):
    width, value = rng.integers(1, 3), rng.choice((-1, 0, 128))
    after = before.copy() if value < 0 else np.full_like(before, value)
    inner = np.s_[width:-width, width:-width]
    after[inner] = picture[inner]
    return after


def hot(picture, rng):
    after = picture.copy()
    after[rng.integers(5, HEIGHT - 5), rng.integers(5, WIDTH - 5)] ^= 7
    return after


def mosaic(picture, n):
    height, width = HEIGHT // n, WIDTH // n
    small = picture[: height * n, : width * n].reshape(height, n, width, n).mean(axis=(1, 3))
    whole = np.kron(small, np.ones((n, n)))
    return as_file(np.pad(whole, [(0, HEIGHT - height * n), (0, WIDTH - width * n)], "edge"))


def half_pasted(picture, before):
    after = picture.copy()
    after[:, : WIDTH // 2] = before[::-1, : WIDTH // 2]
    return after


# What happens to the picture after: (before, its sums, rng) -> after. The kernel holds, with noise
# or for all but a few pixels.
HOLDS = {
    "nothing": lambda before, sums, rng: as_file(sums),
    "noise": lambda before, sums, rng: as_file(sums + rng.normal(0, rng.uniform(1, 8), sums.shape)),
    "JPEG": lambda before, sums, rng: jpeg(as_file(sums), rng),
    "clip levels": lambda before, sums, rng: as_file(sums, 16, 235),
    "a ring": lambda before, sums, rng: ringed(as_file(sums), before, rng),
    "a caption": lambda before, sums, rng: captioned(as_file(sums)),
    "a hot pixel": lambda before, sums, rng: hot(as_file(sums), rng),
}
# The same, and then there is no kernel, if enough pixels are hit.
BREAKS = {
    "posterised": lambda before, sums, rng: as_file(sums) // 64 * 64 + 32,
    "a mosaic": lambda before, sums, rng: mosaic(as_file(sums), int(rng.integers(2, 4))),
    "half pasted": lambda before, sums, rng: half_pasted(as_file(sums), before),
    "wrapped": lambda before, sums, rng: (np.floor(sums + 0.5) % 256).astype(np.uint8),
}
DAMAGES = (*HOLDS, *BREAKS, "noise before", "two passes", "median first")


def damaged(damage, before, kernel, offset, rng):
    """(before, after, the kernel between them; None: there is none)."""
    sums = exactly(before, kernel, offset)
    if damage in HOLDS:
        return before, HOLDS[damage](before, sums, rng), kernel
    if damage in BREAKS:
        return before, BREAKS[damage](before, sums, rng), None
    if damage == "noise before":
        noisy = as_file(before + rng.normal(0, rng.uniform(1, 4), before.shape))
        return noisy, as_file(sums), kernel
    if damage == "two passes":
        both = ndimage.convolve(np.pad(kernel, 1), BLUR, mode="constant")
        return before, as_file(exactly(as_file(exactly(before, BLUR)), kernel, offset)), both
    return before, as_file(exactly(cv2.medianBlur(before, 3), kernel, offset)), None


def bars_off(found, true) -> float:
    """The largest error of a weight in its bars; what is left out has the largest bar of all."""
    reach = 2 * max(map(abs, found.shift))
    side = max(found.size + reach, len(true))
    kernel, bars, true = (
        np.pad(v, (side - len(v)) // 2)
        for v in (found.kernel[0, 0], found.standard_error[0, 0], true)
    )
    kernel, bars = (np.roll(v, found.shift, (0, 1)) for v in (kernel, bars))
    error = np.maximum(np.abs(kernel - true) - SMALL, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.nan_to_num(error / np.where(bars > 0, bars, bars.max()), nan=0).max())


def fault(found, kernel) -> str:
    """What of the claim the truth contradicts; empty: nothing."""
    if found.verdict == Verdict.UNDETERMINED:
        return ""
    if not found.verdict.linear:
        return "" if kernel is None else f"{found.verdict}: {found.explanation}"
    if kernel is None or found.swapped:
        return str(found.verdict)
    off = bars_off(found, kernel)
    return f"{off:.0f} bars off, {found.verdict}" if off > BARS else ""


def holds(damage, kernel, offset, before, seed):
    """The claim of a damaged pair, searched up to 9 x 9, held against the truth."""
    clean = as_file(exactly(before, kernel, offset))
    seen, after, true = damaged(damage, before, kernel, offset, np.random.default_rng(seed))
    if true is None and (after != clean).mean() <= SEEN:
        return  # the damage is none
    wrong = fault(recover(seen, after, 9), true)
    assert not wrong, wrong


# No shrinking: a smaller pair tells no more, and the search for it takes minutes.
QUICK = settings(
    deadline=None, derandomize=True, max_examples=2, database=None, phases=[Phase.generate]
)
THOROUGH = settings(QUICK, max_examples=25)


@pytest.mark.sweep(4)
@pytest.mark.parametrize("damage", DAMAGES)
@QUICK
@given(kernels(), pictures(), st.integers(0, 999))
def test_no_claim_is_false(damage, kernel, before, seed):
    """A kernel within five bars, none where there is none, or undetermined."""
    holds(damage, *kernel, before, seed)


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES)
@THOROUGH
@given(kernels(), pictures(), st.integers(0, 999))
def test_no_claim_is_false_of_many(damage, kernel, before, seed):
    """The same of 350 pairs."""
    holds(damage, *kernel, before, seed)


@pytest.mark.parametrize(("seed", "sigma"), [(4, 1.0), (14, 0.7)])
def test_a_gaussian_of_a_chart(seed, sigma):
    """What rounding leaves of plain parts is no noise: bars must allow for that."""
    line = np.exp(-0.5 * (np.arange(-3, 4) / sigma) ** 2)
    kernel = np.outer(line, line) / line.sum() ** 2
    before = chart(np.random.default_rng(seed))
    assert not fault(recover(before, as_file(exactly(before, kernel)), 9), kernel)


def test_a_plain_background_is_no_kernel():
    """Two thirds of after are of one level, which a kernel without weights makes: that tells
    nothing of the rest, where noise of before was sharpened."""
    kernel = np.array([[1, -2, -1], [1, 4, 1], [0, -2, -1]], float)
    before = chart(np.random.default_rng(2))
    seen, after, _ = damaged("noise before", before, kernel, 0, np.random.default_rng(0))
    assert not fault(recover(seen, after, 9), kernel)
