"""`python -m kernel_demo apply`: filters of any picture, against OpenCV on the whole."""

import io
import json
import re
import resource
from contextlib import contextmanager, redirect_stderr

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.__main__ import main
from kernel_demo.commands import apply as command_apply
from kernel_demo.imaging.filtering import BORDERS
from kernel_demo.imaging.kernels import named
from kernel_demo.sources import decoding

RANDOM = np.random.default_rng(0)
COLOUR = RANDOM.integers(0, 256, (150, 211, 3)).astype(np.uint8)
DEEP = RANDOM.integers(0, 65536, (90, 77)).astype(np.uint16)


def apply(*arguments) -> tuple[int, str]:
    """The exit status and what was written to stderr."""
    with redirect_stderr(io.StringIO()) as said:
        return main(["apply", *map(str, arguments)]), said.getvalue()


def expected(picture: np.ndarray, kernel: np.ndarray, border: int, offset: float = 0) -> np.ndarray:
    """OpenCV on the whole, in float64, rounded and clipped like a file."""
    most = np.iinfo(picture.dtype).max
    after = cv2.filter2D(picture.astype(float), -1, kernel, delta=offset, borderType=border)
    return np.floor(np.clip(after, 0, most) + 0.5).astype(picture.dtype)


@pytest.mark.parametrize("border", [name for name in BORDERS if name != "wrap"])
def test_a_png_in_colour(tmp_path, border, monkeypatch):
    """Every border mode, in several tiles: the same bytes as OpenCV on the whole."""
    monkeypatch.setattr(command_apply, "TILE", 64)
    cv2.imwrite(str(tmp_path / "in.png"), COLOUR)
    status, said = apply(
        tmp_path / "in.png", tmp_path / "out.png", "--kernel", "sharpen", "--border", border
    )
    assert status == 0
    assert "100% of 211 x 150" in said
    kernel = named("sharpen").values
    got = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(got, expected(COLOUR, kernel, getattr(cv2, BORDERS[border].opencv)))


def test_sixteen_bits_a_matrix_and_an_offset(tmp_path):
    """16-bit samples stay 16-bit; a JSON matrix and an offset in the picture's own levels."""
    cv2.imwrite(str(tmp_path / "in.png"), DEEP)
    matrix = "[[0,0,0],[-1,0,1],[0,0,0]]"
    options = ["--kernel", matrix, "--offset", "32768"]
    assert apply(tmp_path / "in.png", tmp_path / "out.png", *options)[0] == 0
    got = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    kernel = np.array([[0, 0, 0], [-1, 0, 1], [0, 0, 0]], float)
    assert np.array_equal(got, expected(DEEP, kernel, cv2.BORDER_REFLECT_101, 32768))


@pytest.mark.parametrize("name", ["found.json", "kernel.npy", "plain.json"])
def test_a_kernel_in_a_file(tmp_path, name):
    """What a record's save() has written, or a bare matrix, is applied as the name of it is."""
    if name == "plain.json":
        (tmp_path / name).write_text(json.dumps(named("emboss").values.tolist()))
    else:
        named("emboss").save(tmp_path / name)
    cv2.imwrite(str(tmp_path / "in.png"), DEEP)
    assert apply(tmp_path / "in.png", tmp_path / "out.png", "--kernel", tmp_path / name)[0] == 0
    got = cv2.imread(str(tmp_path / "out.png"), cv2.IMREAD_UNCHANGED)
    oracle = expected(DEEP, named("emboss").values, cv2.BORDER_REFLECT_101)
    assert np.array_equal(got, oracle)


@pytest.mark.parametrize("text", [None, "{}", "[[1, 2]", '{"kernel": null}', "[1, 2]"])
def test_a_file_without_a_kernel(tmp_path, text):
    """One sentence, and no picture."""
    if text is not None:
        (tmp_path / "found.json").write_text(text)
    cv2.imwrite(str(tmp_path / "in.png"), DEEP)
    kernel = tmp_path / "found.json"
    status, said = apply(tmp_path / "in.png", tmp_path / "out.png", "--kernel", kernel)
    assert status == 2
    assert re.fullmatch(r"Expected a .* kernel.*; got .*\.\n", said)
    assert not (tmp_path / "out.png").exists()


@pytest.mark.parametrize(("picture", "levels"), [(COLOUR, 1), (DEEP, 257)])
def test_an_offset_in_255ths_of_white(tmp_path, picture, levels):
    """It is as much of white in 16 bits as in 8, and is added to the one in the picture's own."""
    np.save(tmp_path / "in.npy", picture)
    options = ["--kernel", "emboss", "--offset-levels", "100.5", "--offset", "3"]
    assert apply(tmp_path / "in.npy", tmp_path / "out.npy", *options)[0] == 0
    oracle = expected(picture, named("emboss").values, cv2.BORDER_REFLECT_101, 100.5 * levels + 3)
    assert np.array_equal(np.load(tmp_path / "out.npy"), oracle)


def test_numpy_files_are_mapped(tmp_path):
    """.npy in, .npy out: the same result, and the source is not read into memory."""
    np.save(tmp_path / "in.npy", DEEP)
    picture, _ = decoding.open_large(tmp_path / "in.npy", "in.npy")
    assert isinstance(picture, np.memmap)
    assert apply(tmp_path / "in.npy", tmp_path / "out.npy", "--kernel", "box")[0] == 0
    kernel = named("box").values
    assert np.array_equal(
        np.load(tmp_path / "out.npy"), expected(DEEP, kernel, cv2.BORDER_REFLECT_101)
    )


def test_more_than_the_page_takes(tmp_path):
    """A PNG of 81 Mpx is filtered, and Pillow's limit is afterwards what it was."""
    limit = Image.MAX_IMAGE_PIXELS
    Image.new("1", (9000, 9000)).save(tmp_path / "in.png")
    assert apply(tmp_path / "in.png", tmp_path / "out.png", "--kernel", "sobel_x")[0] == 0
    assert limit == Image.MAX_IMAGE_PIXELS
    assert (tmp_path / "out.png").read_bytes()[16:24] == bytes([0, 0, 0x23, 0x28] * 2)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("missing.png", "out.png", "--kernel", "box"), "“missing.png”, which cannot be opened"),
        (("in.png", "out.jpg", "--kernel", "box"), "out.jpg"),
        (("in.png", "in.png", "--kernel", "box"), "another file"),
        (("in.png", "out.png", "--kernel", "nonsense"), "nonsense"),
        (("in.png", "out.png", "--kernel", "box", "--size", "4"), "size"),
        (("in.png", "out.png", "--kernel", "box", "--offset", "nan"), "offset"),
        (("in.png", "out.png", "--kernel", "box", "--offset-levels", "inf"), "offset"),
        (("in.png", "no/folder/out.png", "--kernel", "box"), "No such file"),
        (("text.npy", "out.png", "--kernel", "box"), "NumPy"),
        (("float.npy", "out.png", "--kernel", "box"), "uint8"),
    ],
)
def test_what_can_be_put_right_is_one_sentence(tmp_path, monkeypatch, arguments, says):
    """Exit status 2, a sentence that names it, and no file left behind."""
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("in.png", COLOUR)
    (tmp_path / "text.npy").write_text("nothing")
    np.save("float.npy", np.zeros((9, 9)))
    status, said = apply(*arguments)
    assert status == 2
    assert said.startswith("Expected")
    assert says in said
    assert not list(tmp_path.glob("out.*"))


@contextmanager
def room_for(size: int):
    """No file of this process can become larger than `size` bytes: a full disk that is real."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("there", [None, b"what was there"])
@pytest.mark.parametrize("room", [50, 20_000, 90_000])  # bytes: full at once, midway, at the end
@pytest.mark.parametrize("name", ["out.png", "out.npy"])
def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch, name, room, there):
    """The sentence says why; no part of a picture is left, and an old file stays as it was."""
    monkeypatch.setattr(command_apply, "TILE", 32)
    np.save(tmp_path / "in.npy", COLOUR)  # noise: a PNG of it is as large
    if there:
        (tmp_path / name).write_bytes(there)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with room_for(room):
        status, said = apply(tmp_path / "in.npy", tmp_path / name, "--kernel", "identity")
    assert status == 2
    assert "File too large" in said
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("name", ["out.png", "out.npy"])
def test_a_result_takes_the_place_of_an_old_one(tmp_path, name):
    """Who may read the old file may read the new one; a link goes on pointing at it."""
    np.save(tmp_path / "in.npy", DEEP)
    (tmp_path / "folder").mkdir()
    old, link = tmp_path / "folder" / name, tmp_path / name
    old.write_bytes(b"old")
    old.chmod(0o640)
    link.symlink_to(old)
    assert apply(tmp_path / "in.npy", link, "--kernel", "box")[0] == 0
    assert link.is_symlink()
    assert [path.name for path in old.parent.iterdir()] == [name]
    assert old.stat().st_mode & 0o777 == 0o640
    read = np.load(old) if name == "out.npy" else cv2.imread(str(old), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(read, expected(DEEP, named("box").values, cv2.BORDER_REFLECT_101))


def test_too_large_a_picture_is_refused(tmp_path, monkeypatch):
    """Beyond the command's own limit, the size is told; nothing is decoded."""
    monkeypatch.setattr(decoding, "MAX_LARGE", 30_000)
    cv2.imwrite(str(tmp_path / "in.png"), COLOUR)
    status, said = apply(tmp_path / "in.png", tmp_path / "o.png", "--kernel", "box")
    assert status == 2
    assert "megapixels in “in.png”" in said
