"""A picture written tile by tile: a PNG is a PNG, and the whole file is there or none of it."""

import cv2
import numpy as np
import pytest

from kernel_demo.export.pictures import NpyFile, PngFile
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


@pytest.mark.parametrize("there", [None, b"what was there"])
@pytest.mark.parametrize("form", [PngFile, NpyFile])
def test_an_unfinished_file_leaves_what_was_there(tmp_path, form, there):
    """What ends by an exception, or too early, leaves no half picture and no other file."""
    path = tmp_path / "a"
    if there:
        path.write_bytes(there)

    def break_off():
        with form(path, (4, 4), np.uint8) as file:
            file[0:2, 0:4] = np.zeros((2, 4))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        break_off()
    with pytest.raises(ValueError, match="2 of 4 rows"), form(path, (4, 4), np.uint8) as file:
        file[0:2, 0:4] = np.zeros((2, 4))
    left = {found.name: found.read_bytes() for found in tmp_path.iterdir()}
    assert left == ({"a": there} if there else {})


@pytest.mark.parametrize("tile", [1, 7, 1000])
@pytest.mark.parametrize("shape", [(1, 1), (37, 53), (37, 53, 3)])
def test_numpy_loads_what_was_written(tmp_path, tile, shape):
    """The very bytes of numpy.save, whatever the tiles."""
    pixels = RANDOM.integers(0, 65536, shape).astype(np.uint16)
    with NpyFile(tmp_path / "a.npy", shape, np.uint16) as file:
        for place in iter_tiles(*shape[:2], tile):
            file[place] = pixels[place]
    np.save(tmp_path / "b.npy", pixels)
    assert (tmp_path / "a.npy").read_bytes() == (tmp_path / "b.npy").read_bytes()


@pytest.mark.parametrize(("shape", "dtype"), [((4, 4), np.float32), ((4, 4, 2), np.uint8)])
def test_what_a_png_cannot_hold_is_refused(tmp_path, shape, dtype):
    """Floats and two channels are a ValueError before a file is made."""
    with pytest.raises(ValueError, match="a PNG of"):
        PngFile(tmp_path / "a.png", shape, dtype)
    assert not (tmp_path / "a.png").exists()
