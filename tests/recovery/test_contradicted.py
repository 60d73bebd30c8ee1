"""Nothing is told that the pair contradicts: ties, bars, names, alternatives, edits, noise."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from kernel_demo.recovery import Verdict, known, recover
from kernel_demo.recovery.explanations import Curve, Other
from kernel_demo.sources.bundled import FOLDER

BARS = 5
SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float)


def smooth(side: int, power: float, seed: int) -> np.ndarray:
    """Noise with a spectrum that falls like 1 / frequency^power, in grey levels 20 to 235."""
    frequency = np.fft.fftfreq(side)
    distance = np.hypot(*np.meshgrid(frequency, frequency))
    distance[0, 0] = 1
    noise = np.random.default_rng(seed).standard_normal((side, side))
    values = np.fft.ifft2(np.fft.fft2(noise) / distance**power).real
    values = (values - values.mean()) / values.std()
    return np.clip(127.5 + 43 * values, 20, 235).round().astype(np.uint8)


def filtered(before: np.ndarray, kernel: np.ndarray, half: float = 0.5) -> np.ndarray:
    values = cv2.filter2D(before.astype(np.float64), cv2.CV_64F, kernel)
    return np.clip(np.floor(values + half), 0, 255).astype(np.uint8)


def photo(name: str, side: int, mode: str = "L") -> np.ndarray:
    whole = np.asarray(Image.open(FOLDER / f"{name}.jpg").convert(mode))
    return np.ascontiguousarray(whole[100 : 100 + side, 150 : 150 + side])


def screen(side: int) -> np.ndarray:
    """Buttons with words, in strong colours."""
    picture = Image.new("RGB", (side, side), (240, 240, 245))
    draw, rng = ImageDraw.Draw(picture), np.random.default_rng(0)
    for number in range(12):
        (x, y), (w, h) = rng.integers(0, side - 30, 2), rng.integers(15, 60, 2)
        colour = tuple(int(value) for value in rng.integers(0, 255, 3))
        ends = (int(x), int(y), int(x + w), int(y + h))
        draw.rounded_rectangle(ends, 4, fill=colour, outline=(90, 90, 90))
        draw.text((int(x) + 3, int(y) + 3), "Open", fill=(0, 0, 0) if number % 2 else (255,) * 3)
    return np.asarray(picture).copy()


def within_bars(found, kernel: np.ndarray) -> bool:
    off = np.abs(found.kernel[0, 0] - np.pad(kernel, (found.size - len(kernel)) // 2))
    return bool((off <= BARS * found.standard_error[0, 0] + 1e-9).all())


def gaussian(sigma: float) -> np.ndarray:
    row = cv2.getGaussianKernel(3, sigma)
    return row @ row.T


def disc() -> np.ndarray:
    """A Gaussian of sigma 1.5 on the 13 pixels nearest to the middle."""
    distance = np.hypot(*np.mgrid[-2:3, -2:3])
    weights = np.where(distance <= 2, np.exp(-(distance**2) / 4.5), 0)
    return weights / weights.sum()


class TestTies:
    """Whole numbers miss pixels that lie between two levels; another kernel makes them all."""

    @pytest.mark.sweep(3)
    @pytest.mark.parametrize("seed", [0, 3, 11])
    @pytest.mark.parametrize(
        ("kernel", "half", "power"), [(gaussian(0.8), 0.5, 1.6), (disc(), 0.0, 2.0)]
    )
    def test_of_a_smooth_picture_no_whole_numbers_are_told(self, kernel, half, power, seed):
        """88ths and 41sts come near in smooth pictures, but for ties that the truth decides."""
        before = smooth(96, power, seed)
        found = recover(before, filtered(before, kernel, half), 7)
        assert not found.fractions
        assert not found.verdict.linear or within_bars(found, kernel)

    @pytest.mark.parametrize("seed", [100, 102])
    def test_of_two_levels_no_whole_numbers_are_told(self, seed):
        """In a picture of 60 and 200 alone, a wrong divisor makes every pixel a tie."""
        before = smooth(96, 1.0, 5)
        before = np.where(before > np.median(before), 200, 60).astype(np.uint8)
        kernel = np.random.default_rng(seed).random((3, 3))
        found = recover(before, filtered(before, kernel / kernel.sum()), 7)
        assert not found.fractions

    def test_a_tool_that_decides_them_by_its_arithmetic_keeps_its_whole_numbers(self):
        """A Fourier transform leaves 1e-13 of a level, up and down: that is no other kernel."""
        before = photo("camera", 240)
        numbers = np.array([[1, 2, 0], [3, 0, 2], [1, 0, 1]])
        padded = np.zeros(before.shape)
        padded[:3, :3] = numbers[::-1, ::-1] / 10
        spectrum = np.fft.rfft2(np.roll(padded, (-1, -1), (0, 1)))
        values = np.fft.irfft2(np.fft.rfft2(before.astype(float)) * spectrum, before.shape)
        after = np.clip(np.rint(values), 0, 255).astype(np.uint8)
        (whole,) = recover(before, after, 7).fractions
        assert whole.divisor == 10
        np.testing.assert_array_equal(whole.numerators, numbers)


class TestBars:
    """They hold what one rounding leaves open."""

    @pytest.mark.sweep(3)
    @pytest.mark.parametrize("seed", range(2, 5))
    def test_in_a_smooth_picture(self, seed):
        """Of round(0.149 n) for whole n up to 7, any slope from 1/8 to 1/6 gives the same."""
        kernel = np.array([[0, 0.37, 0], [0.37, 1, 0.37], [0, 0.37, 0]]) / 2.48
        before = smooth(96, 2.0, seed)
        found = recover(before, filtered(before, kernel), 7)
        assert not found.verdict.linear or within_bars(found, kernel)

    def test_of_whole_numbers_in_few_pixels(self):
        """Words through Sharpen are mostly cut off; what is left obeys it without any rounding."""
        picture = Image.new("L", (112, 112), 255)
        draw = ImageDraw.Draw(picture)
        for row in range(2, 96, 16):
            draw.text((2, row), "Sphinx of black quartz", fill=0)
        draw.rectangle((0, 98, 112, 112), fill=0)
        draw.text((3, 99), "judge my vow", fill=255)
        before = np.asarray(picture).copy()
        found = recover(before, filtered(before, SHARPEN), 7)
        assert not found.verdict.linear or within_bars(found, SHARPEN)

    def test_a_name_that_they_speak_against_is_not_told(self):
        """Neighbours of 0.97 about -3.9 are no Laplacian, whatever its scale."""
        kernel = np.array([[0, 0.97, 0], [0.97, -3.9, 0.97], [0, 0.97, 0]])
        before = smooth(112, 1.0, 1)
        values = cv2.filter2D(before.astype(np.float64), cv2.CV_64F, kernel) + 128
        noise = np.random.default_rng(70).normal(0, 0.5, before.shape)
        after = np.clip(np.floor(values + noise + 0.5), 0, 255).astype(np.uint8)
        found = recover(before, after, 7)
        assert found.verdict.linear
        assert "Laplacian" not in found.catalogue_name

    def test_a_scale_that_they_tell_from_1_is_told(self):
        """Sharpen by 0.996 is Sharpen only where bars are no less than that."""
        told = [
            str(known.kernel(0.996 * SHARPEN, errors=np.full((3, 3), bar))) for bar in (1e-4, 0.01)
        ]
        assert told == ["Sharpen 3 × 3, times 0.996", "Sharpen 3 × 3"]


class TestAlternatives:
    """None is told whose own figures, or the picture before, contradict it."""

    def test_a_curve_on_few_levels_is_no_posterisation(self):
        """Sixteen levels before, sixteen after."""
        grey = Image.open(FOLDER / "cat.jpg").convert("RGB").quantize(16, dither=0).convert("L")
        before = np.ascontiguousarray(np.asarray(grey)[100:212, 200:312])
        share = before / 255.0
        after = np.floor(255 * (3 * share**2 - 2 * share**3) + 0.5).astype(np.uint8)
        found = recover(before, after, 7).alternative
        assert found.kind == Other.CURVE
        assert found.parameters["curve"] != Curve.POSTERISED

    def test_what_leaves_more_than_the_kernel_is_not_told(self):
        """Red sharpened, green blurred, blue through a median: no median of all."""
        before = photo("cat", 112, "RGB")
        after = np.dstack([
            filtered(before[..., 0], SHARPEN),
            filtered(before[..., 1], gaussian(1.0)),
            cv2.medianBlur(before[..., 2].copy(), 3),
        ])  # fmt: skip
        found = recover(before, after, 7)
        other = found.alternative
        assert other is None or other.residual is None or other.residual <= found.residual

    def test_nearly_all_cut_off_is_no_posterisation(self):
        """A dozen levels are left between black and white of a kernel with large weights."""
        before = np.asarray(Image.fromarray(screen(128)).convert("L")).copy()
        kernel = np.random.default_rng(5).normal(size=(5, 5))
        after = filtered(before, 6 * kernel)
        found = recover(before, after, 7)
        assert np.mean((after == 0) | (after == 255)) > 0.9
        assert found.verdict != Verdict.NOT

    def test_a_matrix_that_is_cut_off_is_not_more_than_a_matrix(self):
        """Sepia: bright colours end at 255."""
        matrix = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]]
        before = screen(128)
        after = np.clip(np.floor(before @ np.array(matrix).T + 0.5), 0, 255).astype(np.uint8)
        assert recover(before, after, 7).verdict != Verdict.NOT

    def test_losses_of_jpeg_are_no_edit(self):
        """Halved colours stray by more than 40 levels beside a red button: all pixels differ."""
        before, file = screen(128), io.BytesIO()
        Image.fromarray(before).save(file, "JPEG", quality=90, subsampling=2)
        found = recover(before, np.asarray(Image.open(file)).copy(), 7).alternative
        assert found is None or found.kind != Other.EDIT

    def test_a_frame_is_no_noise(self):
        """Three black pixels at every side of a noisy picture are not 35 levels of noise."""
        before = photo("cat", 96)
        values = cv2.filter2D(before.astype(np.float64), cv2.CV_64F, SHARPEN)
        noise = np.random.default_rng(7).normal(0, 1, before.shape)
        after = np.clip(np.floor(values + noise + 0.5), 0, 255).astype(np.uint8)
        after[:3] = after[-3:] = after[:, :3] = after[:, -3:] = 0
        found = recover(before, after, 7)
        assert found.verdict != Verdict.NOISY or found.residual < 2
