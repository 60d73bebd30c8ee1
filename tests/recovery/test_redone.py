"""What no kernel does, told by doing it again; and what is nearly that is not told."""

import colorsys
import io
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import Verdict, recover, redone
from kernel_demo.recovery.alignment import prepare
from kernel_demo.recovery.explanations import Curve
from kernel_demo.sources.bundled import FOLDER

SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]], float)


def photo(name, side, mode="RGB", top=60, left=100):
    whole = np.asarray(Image.open(FOLDER / f"{name}.jpg").convert(mode))
    return np.ascontiguousarray(whole[top : top + side, left : left + side])


def saved(picture, quality, subsampling=2):
    """Out of a JPEG file that Pillow wrote."""
    file = io.BytesIO()
    whole = np.clip(np.floor(picture + 0.5), 0, 255).astype(np.uint8)
    Image.fromarray(whole).save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file)).copy()


def each_pixel(picture, change):
    """0..1 to 0..1, a pixel at a time, by the standard library."""
    rows = [change(*pixel) for pixel in (picture / 255).reshape(-1, 3).tolist()]
    return 255 * np.clip(np.array(rows), 0, 1).reshape(picture.shape)


def of_brightness(bent):
    """A change of each pixel's brightness (value of HSV) alone."""

    def change(*pixel):
        hue, saturation, value = colorsys.rgb_to_hsv(*pixel)
        return colorsys.hsv_to_rgb(hue, saturation, bent(value))

    return change


def of_hue(angle):
    def change(*pixel):
        hue, lightness, saturation = colorsys.rgb_to_hls(*pixel)
        return colorsys.hls_to_rgb((hue + angle / 360) % 1, lightness, saturation)

    return change


def run(code, before, folder, monkeypatch):
    """after.png as the program makes it."""
    monkeypatch.chdir(folder)
    Image.fromarray(before).save("before.png")
    exec(code, {})
    return np.asarray(Image.open("after.png"))


def hue_rotate(degrees):
    """Filter Effects Module Level 1 of the W3C: luma + cos * (one - luma) + sin * turn."""
    luma = np.array([[0.213, 0.715, 0.072]] * 3)
    turn = np.array([[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]])
    angle = np.radians(degrees)
    return luma + np.cos(angle) * (np.eye(3) - luma) + np.sin(angle) * turn


class TestLocalThreshold:
    """Black or white by the mean of a window."""

    @pytest.mark.parametrize(
        ("way", "words"),
        [(cv2.ADAPTIVE_THRESH_MEAN_C, "mean"), (cv2.ADAPTIVE_THRESH_GAUSSIAN_C, "Gaussian mean")],
    )
    @pytest.mark.parametrize("kind", [cv2.THRESH_BINARY, cv2.THRESH_BINARY_INV])
    def test_that_of_opencv_is_told(self, way, words, kind, tmp_path, monkeypatch):
        """Its size, and a program that makes all of the file."""
        before = photo("camera", 160, "L")
        after = cv2.adaptiveThreshold(before, 255, way, kind, 11, 4)
        found = recover(before, after, 7)
        assert found.verdict == Verdict.NOT
        assert f"the {words}" in found.alternative.name
        assert found.alternative.parameters["size"] == 11
        assert found.alternative.reproduced == 1
        made = run(found.alternative.code, before, tmp_path, monkeypatch)
        assert np.array_equal(made, after)

    def test_each_channel_by_itself_is_told(self):
        """As ImageMagick does it, by a mean that is not rounded."""
        before = photo("cat", 160)
        mean = cv2.blur(before.astype(float), (5, 5), borderType=cv2.BORDER_REPLICATE)
        after = np.where(before - mean > 255 * 0.05, 255, 0).astype(np.uint8)
        found = recover(before, after, 7)
        assert found.verdict == Verdict.NOT
        assert found.alternative.reproduced == 1

    def test_a_kernel_that_leaves_black_and_white_is_not_denied(self):
        """25 times the difference from the mean, of a picture of black and white: a kernel."""
        grey = photo("camera", 160, "L")
        before = np.where(grey > 110, 255, 0).astype(np.uint8)
        kernel = -np.ones((5, 5))
        kernel[2, 2] = 24
        after = np.clip(cv2.filter2D(before, cv2.CV_64F, kernel), 0, 255).astype(np.uint8)
        assert set(np.unique(after)) == {0, 255}
        assert recover(before, after, 7).verdict != Verdict.NOT

    def test_another_window_is_not_told(self):
        """A threshold at the median of one, and one pixel in a hundred the other way."""
        before = photo("camera", 160, "L")
        mean = cv2.blur(before, (7, 7), borderType=cv2.BORDER_REPLICATE).astype(int)
        other = np.random.default_rng(0).random(before.shape) < 0.01
        for after in (before > cv2.medianBlur(before, 7), (before > mean + 3) ^ other):
            found = recover(before, np.where(after, 255, 0).astype(np.uint8), 7)
            assert found.alternative is None or "window" not in found.alternative.name


class TestContrast:
    """A curve of the brightness, with hue and saturation as they were."""

    @pytest.mark.parametrize("sign", [1, -1])
    def test_imagemagicks_is_told(self, sign, tmp_path, monkeypatch):
        """Every pixel comes out, and the program's file is the tool's."""
        before = photo("cat", 96)

        def bent(value):
            sine = 0.5 * (np.sin(np.pi * (value - 0.5)) + 1)
            return value + 0.5 * sign * (sine - value)

        after = np.floor(each_pixel(before, of_brightness(bent)) + 0.5).astype(np.uint8)
        found = recover(before, after, 7)
        assert found.verdict == Verdict.NOT
        assert ("more" if sign > 0 else "less") in found.alternative.name
        assert found.alternative.reproduced > 0.999
        made = run(found.alternative.code, before, tmp_path, monkeypatch)
        assert np.mean(made == after) > 0.999

    def test_another_curve_is_not_told_as_it(self):
        """Three fifths of that curve's bend."""
        before = photo("cat", 96)

        def bent(value):
            return value - 0.3 * (0.5 * (np.sin(np.pi * (value - 0.5)) + 1) - value)

        after = np.floor(each_pixel(before, of_brightness(bent)) + 0.5).astype(np.uint8)
        other = recover(before, after, 7).alternative
        assert other is None or "contrast of the brightness" not in other.name


class TestBehindJpeg:
    """What makes the file, compressed as after was."""

    def test_a_threshold_of_grey_is_told(self):
        before = photo("coffee", 256, left=200)
        grey = before @ np.array([0.3, 0.6, 0.1])
        after = saved(np.where(grey >= 128, 255, 0), 75)
        found = recover(before, after, 7)
        assert found.verdict == Verdict.NOT
        assert found.alternative.parameters["curve"] == Curve.THRESHOLD
        assert found.alternative.parameters["from"] == pytest.approx(128, abs=0.5)

    @pytest.mark.sweep(3)
    @pytest.mark.parametrize("factor", [8, 24, 48])
    def test_a_steep_line_is_no_threshold(self, factor):
        """As many times the difference from 128, cut off: a kernel of one weight."""
        before = photo("coffee", 256, left=200)
        grey = before @ np.array([0.3, 0.6, 0.1])
        found = recover(before, saved(factor * (grey - 128) + 127.5, 75), 7)
        assert found.verdict != Verdict.NOT

    @pytest.mark.sweep(3)
    @pytest.mark.parametrize("quality", [75, 95])
    @pytest.mark.parametrize(("mode", "factor"), [("L", 8), ("RGB", 3)])
    def test_a_strong_contrast_is_no_curve(self, mode, factor, quality):
        """JPEG bends where a line is cut off, and smears colours: a kernel of one weight."""
        before = photo("coffee", 160, mode, left=200)
        found = recover(before, saved(factor * (before - 128.0) + 127.5, quality), 5)
        assert found.verdict != Verdict.NOT

    def test_a_gamma_curve_is_still_told(self):
        """The same picture by x^(1/2.2)."""
        before = photo("coffee", 160, left=200)
        found = recover(before, saved(255 * (before / 255) ** (1 / 2.2), 95), 5)
        assert found.verdict == Verdict.NOT
        assert found.alternative.parameters["exponent"] == pytest.approx(1 / 2.2, rel=0.05)

    def test_a_sobel_that_is_cut_off_and_squared_is_told(self):
        """As the Go library bild does it."""
        before = photo("astronaut", 192)
        ends = (cv2.filter2D(before.astype(float), -1, one) for one in (SOBEL, -SOBEL.T))
        after = saved(sum(np.clip(end, 0, 255) ** 2 for end in ends) / 255, 95)
        found = recover(before, after, 7)
        assert found.verdict == Verdict.NOT
        assert "squared Sobel" in found.alternative.name

    @pytest.mark.sweep(2)
    @pytest.mark.parametrize("kernel", [SOBEL, -SOBEL.T, 9 * np.eye(9)[4].reshape(3, 3) - 1])
    def test_a_derivative_that_is_cut_off_is_not_denied(self, kernel):
        """It is a kernel, though half of its picture is black."""
        before = photo("astronaut", 192)
        after = saved(cv2.filter2D(before.astype(float), -1, kernel), 95)
        assert recover(before, after, 7).verdict != Verdict.NOT

    def test_a_change_of_hue_is_told(self):
        before = photo("cat", 128)
        found = recover(before, saved(each_pixel(before, of_hue(-42)), 85, 0), 7)
        assert found.verdict == Verdict.NOT
        assert found.alternative.parameters["angle"] == pytest.approx(-42, abs=1)

    @pytest.mark.sweep(3)
    @pytest.mark.parametrize("quality", [75, 95])
    @pytest.mark.parametrize("angle", [8, -42, 120])
    def test_a_matrix_that_turns_the_hue_is_not_denied(self, angle, quality):
        """hue-rotate of the W3C's Filter Effects: it mixes channels and no more."""
        before = photo("coffee", 160, left=200)
        after = saved(before @ hue_rotate(angle).T, quality)
        found = recover(before, after, 7)
        assert found.verdict != Verdict.NOT
        (pair, _), wrong = prepare(before, after, 7), np.roll(after, 40, axis=0)
        told = {"compression": "JPEG", "kernel": 1, "reproduction": wrong, "residual": 40.0}
        assert redone.find([pair], SimpleNamespace(**told)) is None
