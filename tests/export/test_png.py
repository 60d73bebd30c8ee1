"""A PNG written tile by tile is a PNG."""

import cv2
import numpy as np
import pytest

from kernel_demo.export.png import PngFile
from kernel_demo.imaging.tiles import iter_tiles

RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize("tile", [1, 7, 64, 1000])
@pytest.mark.parametrize("shape", [(1, 1), (37, 53), (37, 53, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_opencv_reads_what_was_written(tmp_path, tile, shape, dtype):
    """Every sample comes back, whatever the tiles, the depth and the channels."""
    pixels = RANDOM.integers(0, np.iinfo(dtype).max + 1, shape).astype(dtype)
    with PngFile(tmp_path / "a.png", shape, dtype) as file:
        for place in iter_tiles(*shape[:2], tile):
            file[place] = pixels[place]
    read = cv2.imread(str(tmp_path / "a.png"), cv2.IMREAD_UNCHANGED)
    assert read.dtype == dtype
    assert np.array_equal(read[..., ::-1] if read.ndim == 3 else read, pixels)


def test_an_unfinished_file_is_removed(tmp_path):
    """What ends by an exception, or too early, leaves no half picture."""
    path = tmp_path / "a.png"

    def break_off():
        with PngFile(path, (4, 4), np.uint8) as file:
            file[0:2, 0:4] = np.zeros((2, 4))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert not path.exists()
    with pytest.raises(ValueError, match="2 of 4 rows"), PngFile(path, (4, 4), np.uint8) as file:
        file[0:2, 0:4] = np.zeros((2, 4))
    assert not path.exists()


@pytest.mark.parametrize(("shape", "dtype"), [((4, 4), np.float32), ((4, 4, 2), np.uint8)])
def test_what_a_png_cannot_hold_is_refused(tmp_path, shape, dtype):
    """Floats and two channels are a ValueError before a file is made."""
    with pytest.raises(ValueError, match="a PNG of"):
        PngFile(tmp_path / "a.png", shape, dtype)
    assert not (tmp_path / "a.png").exists()
