"""The file's own coefficients as the proof of a kernel."""

import io
from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.recovery import alignment, encoder, quantisation, recompression
from kernel_demo.sources.bundled import FOLDER

CAMERA = np.asarray(Image.open(FOLDER / "camera.jpg").convert("L"))[:256, :320]
COFFEE = np.asarray(Image.open(FOLDER / "coffee.jpg").convert("RGB"))[:128, :160]
SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], float)


def filtered(picture, kernel=SHARPEN):
    """By OpenCV in float64, rounded and cut off."""
    return np.clip(np.rint(cv2.filter2D(picture.astype(float), -1, kernel)), 0, 255).astype("uint8")


def decoded(picture, quality, subsampling=0):
    data = io.BytesIO()
    Image.fromarray(picture).save(data, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(data))


def blocks_of(picture):
    height, width = picture.shape
    return picture.reshape(height // 8, 8, width // 8, 8).swapaxes(1, 2).reshape(-1, 8, 8)


@pytest.mark.parametrize("quality", [5, 50, 90, 100])
def test_the_encoder_is_the_one_of_the_file(quality):
    """Encoded and decoded by our arithmetic, no pixel differs from what Pillow's libjpeg makes."""
    picture, steps = filtered(CAMERA), quantisation.steps(quality)
    multiples = encoder.quantised(encoder.transformed(blocks_of(picture)), steps)
    again = encoder.decoded(multiples, steps)
    assert np.array_equal(again, blocks_of(decoded(picture, quality)))


def share(before, after, kernel):
    pair = alignment.prepare(before, after)[0]
    found = quantisation.compression(pair)
    return recompression.share_alike([pair], found, kernel, 0.0)


@pytest.mark.parametrize("quality", [50, 75, 95])
def test_the_right_kernel_gives_every_coefficient(quality):
    """Clipped blocks and steps of one level included; a kernel that is nearly right gives fewer."""
    after = decoded(filtered(CAMERA), quality)
    assert share(CAMERA, after, SHARPEN) == 1
    assert share(CAMERA, after, SHARPEN * 1.01) < 0.999


@pytest.mark.parametrize("subsampling", [0, 2])
def test_of_colours_the_luminance_is_counted(subsampling):
    """Chroma may be stored in half the size: the luminance is all there."""
    after = decoded(filtered(COFFEE), 75, subsampling)
    assert share(COFFEE, after, SHARPEN) == 1


def test_no_block_no_share():
    """Where before has nothing that all of a block is made of, nothing is counted."""
    pair = alignment.prepare(CAMERA, decoded(filtered(CAMERA), 75))[0]
    found = quantisation.compression(pair)
    nothing = replace(pair, outliers=np.ones(pair.after.shape[:2], bool))
    assert recompression.share_alike([nothing], found, SHARPEN, 0.0) is None


def test_round_numbers_lie_within_the_errors():
    """Eighths near Sobel / 8, with the offset's neighbours; none where errors hide the divisor."""
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
    errors = np.full((3, 3), 2e-3)
    found = list(recompression.round_numbers(sobel + 1e-3, 128.2, errors))
    assert any(np.array_equal(kernel, sobel) for kernel, _ in found)
    assert all((np.abs(kernel - sobel - 1e-3) <= 3 * errors).all() for kernel, _ in found)
    assert {offset for _, offset in found} == {128, 129}
    assert not list(recompression.round_numbers(sobel, 128.0, 0.2 + errors))
