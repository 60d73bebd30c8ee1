"""Sentences and bars beside a verdict: each with the pictures on which it would be false."""

import io
import shutil
import subprocess

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import Verdict, recover, reporting
from kernel_demo.recovery.explanations import Other
from kernel_demo.sources.bundled import FOLDER

SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float)
LUMA = np.array([0.299, 0.587, 0.114])
CUT_OFF = "cuts fractions off"


def photo(name, rows, columns, mode="L", top=100, left=100):
    whole = np.asarray(Image.open(FOLDER / f"{name}.jpg").convert(mode))
    return np.ascontiguousarray(whole[top : top + rows, left : left + columns])


def out_of_jpeg(picture, quality, subsampling=2):
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file)).copy()


def painted(picture, top, left, height, width, cb=12, cr=-18):
    """The same with one Cb and Cr in a box, and every pixel's luminance as it was (Rec. 601)."""
    wide = picture.astype(float)
    luma = wide[top : top + height, left : left + width] @ LUMA
    red, blue = luma + 1.402 * cr, luma + 1.772 * cb
    green = (luma - LUMA[0] * red - LUMA[2] * blue) / LUMA[1]
    wide[top : top + height, left : left + width] = np.dstack([red, green, blue])
    return np.clip(np.rint(wide), 0, 255).astype(np.uint8)


def test_bars_without_time_for_the_interval_are_no_smaller(monkeypatch):
    """Where rounding leaves room, as in a smooth picture, and no end of the set is worked out."""
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(96), np.fft.fftfreq(96)))
    frequency[0, 0] = 1
    noise = np.random.default_rng(3).standard_normal((96, 96))
    values = np.fft.ifft2(np.fft.fft2(noise) / frequency**1.6).real
    before = np.clip(127 + 40 * values / values.std(), 20, 235).round().astype(np.uint8)
    true = np.random.default_rng(1).random((3, 3))
    true /= true.sum()
    after = np.floor(cv2.filter2D(before, cv2.CV_64F, true) + 0.5).astype(np.uint8)
    in_time = recover(before, after, 5)
    monkeypatch.setattr(reporting, "WIDENED", -1.0)
    too_late = recover(before, after, 5)
    assert too_late.verdict == in_time.verdict == Verdict.CONVOLUTION
    assert (too_late.standard_error >= in_time.standard_error).all()
    off = np.abs(too_late.kernel[0, 0] - np.pad(true, (too_late.size - 3) // 2))
    assert (off <= 3 * too_late.standard_error[0, 0]).all()


@pytest.mark.sweep(4)
@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("quality", [95, 75])
@pytest.mark.parametrize("box", [(40, 60, 48, 48), (64, 32, 10, 12)])
def test_another_colour_of_the_same_brightness_is_a_change(box, quality, subsampling):
    """JPEG's luminance alone shows none of it: neither "no filter" nor the identity is told."""
    before = photo("cat", 144, 192, "RGB", 40, 80)
    found = recover(before, out_of_jpeg(painted(before, *box), quality, subsampling), 5)
    assert found.alternative is None or found.alternative.kind != Other.LOSSES
    assert not found.verdict.linear


def test_losses_alone_are_still_no_filter():
    """The same picture, not painted."""
    before = photo("cat", 144, 192, "RGB", 40, 80)
    found = recover(before, out_of_jpeg(before, 95), 5)
    assert found.verdict == Verdict.NOT
    assert found.alternative.kind == Other.LOSSES


@pytest.mark.parametrize("cut", [False, True])
def test_in_16_bits_fractions_are_cut_off_only_where_they_are(cut):
    """By half a 65,535th; half of a 255th is an offset like any other."""
    rng = np.random.default_rng(0)
    before = photo("camera", 140, 140).astype(np.uint16) * 200 + rng.integers(0, 200, (140, 140))
    before = before.astype(np.uint16)
    true = rng.random((3, 3))
    values = cv2.filter2D(before, cv2.CV_64F, true / true.sum())
    for offset in (0.0, -128.5 if not cut else 40.0):
        after = np.floor(values + offset + (0 if cut else 0.5)).clip(0, 65535).astype(np.uint16)
        found = recover(before, after, 5)
        assert found.verdict == Verdict.CONVOLUTION
        assert any(CUT_OFF in note for note in found.notes) == (cut and offset == 0)


@pytest.mark.parametrize("quality", [90, 75])
def test_the_share_of_coefficients_is_that_of_another_encoder(quality):
    """Of OpenCV's own file of the kernel's picture, read by its own transform."""
    before = photo("camera", 256, 256)
    values = np.clip(cv2.filter2D(before, cv2.CV_64F, SHARPEN), 0, 255).astype(np.uint8)
    found = recover(before, out_of_jpeg(values, quality), 5)
    assert found.verdict == Verdict.NOISY
    made = cv2.filter2D(before, cv2.CV_64F, found.kernel[0, 0]) + found.offset
    whole = np.clip(np.floor(made + 0.5), 0, 255).astype(np.uint8)
    _, data = cv2.imencode(".jpg", whole, [cv2.IMWRITE_JPEG_QUALITY, quality])
    again = cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)
    share = alike(again, out_of_jpeg(values, quality), quality)
    assert found.coefficients == pytest.approx(share, abs=0.002)


@pytest.mark.sweep(2)
@pytest.mark.tool
@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="no ffmpeg")
@pytest.mark.parametrize("quality", [2, 4])
def test_of_ffmpegs_file_no_more_coefficients_are_told_than_are_alike(quality, tmp_path):
    """Its transform and its rounding are its own: a file of the same picture differs a little."""
    before = photo("camera", 256, 256)
    values = np.clip(cv2.filter2D(before, cv2.CV_64F, SHARPEN), 0, 255).astype(np.uint8)
    Image.fromarray(values).save(tmp_path / "in.png")
    run = ["ffmpeg", "-loglevel", "error", "-i", "in.png", "-pix_fmt", "yuvj420p", "-q:v"]
    subprocess.run([*run, str(quality), "out.jpg"], cwd=tmp_path, check=True)
    file = Image.open(tmp_path / "out.jpg")
    found = recover(before, np.asarray(file.convert("L")).copy(), 5)
    if found.coefficients is None or not found.verdict.linear:
        return
    made = np.clip(np.floor(cv2.filter2D(before, cv2.CV_64F, found.kernel[0, 0]) + found.offset
                            + 0.5), 0, 255).astype(np.uint8)  # fmt: skip
    again = io.BytesIO()
    Image.fromarray(made).save(again, "JPEG", qtables=file.quantization)
    steps = np.array(file.quantization[0]).reshape(8, 8)
    read = [np.asarray(Image.open(data).convert("L")) for data in (again, tmp_path / "out.jpg")]
    assert found.coefficients <= alike_by(*read, steps) + 0.005


def alike(one, other, quality):
    """The share of the multiples of a quality's steps that two decoded pictures have in common."""
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "JPEG", quality=quality)
    return alike_by(one, other, np.array(Image.open(file).quantization[0]).reshape(8, 8))


def alike_by(one, other, steps):
    """The same by the steps, of the blocks that do not touch the border."""
    same = []
    for y in range(8, one.shape[0] - 8, 8):
        for x in range(8, one.shape[1] - 8, 8):
            blocks = (part[y : y + 8, x : x + 8].astype(np.float64) - 128 for part in (one, other))
            ours, theirs = (np.rint(cv2.dct(block) / steps) for block in blocks)
            same.append(ours == theirs)
    return float(np.mean(same))


def test_a_turn_of_a_picture_that_is_its_own_mirror_image_is_not_named():
    """Upside down and turned by 180 degrees are then one and the same."""
    half = photo("camera", 160, 80)
    before = np.hstack([half, half[:, ::-1]])
    found = recover(before, before[::-1].copy(), 5)
    assert found.alternative is None or found.alternative.kind != Other.TURNED
    one = recover(photo("camera", 160, 160), photo("camera", 160, 160)[::-1].copy(), 5)
    assert one.alternative.kind == Other.TURNED


def test_a_part_that_stands_in_several_places_has_none():
    """Of a pattern that repeats itself; in a photo the place is told."""
    tiles = np.tile(photo("camera", 32, 32), (5, 6))
    found = recover(tiles, tiles[32:128, 64:160].copy(), 5)
    assert found.alternative is None or found.alternative.kind != Other.CUT
    whole = photo("camera", 160, 192)
    told = recover(whole, whole[32:128, 64:160].copy(), 5).alternative
    assert told.figures == {"rows": 32, "columns": 64}
