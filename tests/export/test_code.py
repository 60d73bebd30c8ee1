"""Each snippet is run by its own tool and must make the after picture within one grey level."""

import shutil
import subprocess

import cv2
import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.export import named
from kernel_demo.export.code import snippets
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.recovery import Rounding
from kernel_demo.sources.bundled import FOLDER

pytestmark = pytest.mark.tool

# Nothing in it is symmetric: a kernel that was flipped in any way gives another picture.
ASYMMETRIC = np.array([[0.1, -0.7, 0.2], [1.1, 0.4, -0.3], [0.05, 0.25, -0.55]])
IDENTITY = np.array([[0.0, 0, 0], [0, 1, 0], [0, 0, 0]])
SOBEL = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
BORDERS = {
    "zero": "constant",
    "replicate": "edge",
    "reflect": "reflect",
    "symmetric": "symmetric",
    "wrap": "wrap",
    "constant": "constant",
}
PYTHON = ["OpenCV", "NumPy/SciPy", "PyTorch", "Pillow"]
TOOLS = [*PYTHON, "ImageMagick", "ffmpeg", "C", "Rust"]


def kernel_of(size, seed=0):
    """A random kernel with no symmetry and a sum near 1, so that few pixels are clipped."""
    kernel = np.random.default_rng(seed).normal(0, 0.5 / size, (size, size))
    return kernel + (1 - kernel.sum()) / size**2


def picture(channels, height=37, width=50):
    """Smooth shapes with noise, 8-bit, sides of different and odd length."""
    noise = np.random.default_rng(5).uniform(0, 255, (height, width, channels))
    smooth = cv2.GaussianBlur(noise, (0, 0), 2).reshape(noise.shape)
    picture = np.clip(6 * (smooth - 127) + 127 + 0.2 * (noise - 127), 0, 255).astype(np.uint8)
    return picture[:, :, 0] if channels == 1 else picture


def expected(before, kernel, offset, border, value=0.0):
    """The definition in DESIGN.md, by NumPy alone, in float64 grey levels, clipped."""
    radius = len(kernel) // 2
    widths = [(radius, radius), (radius, radius), (0, 0)][: before.ndim]
    around = {"constant_values": 255 * value} if border == "constant" else {}
    padded = np.pad(before.astype(float), widths, mode=BORDERS[border], **around)
    windows = np.lib.stride_tricks.sliding_window_view(padded, kernel.shape, (0, 1))
    return np.clip(np.einsum("...ij,ij", windows, kernel) + 255 * offset, 0, 255)


def imagemagick():
    """The command of ImageMagick 7 or 6, or None: "convert" may be another program."""
    for name in ("magick", "convert-im6.q16", "convert"):
        path = shutil.which(name)
        if path is None:
            continue
        answer = subprocess.run([path, "-version"], capture_output=True, text=True, check=False)
        if "ImageMagick" in answer.stdout:
            return path
    return None


def write_before(before, folder):
    """before.png, and before.pnm for C and Rust."""
    cv2.imwrite(str(folder / "before.png"), before)
    cv2.imwrite(str(folder / ("before.pgm" if before.ndim == 2 else "before.ppm")), before)
    for made in folder.glob("before.p[gp]m"):
        made.rename(folder / "before.pnm")


def need(found, what):
    if not found:
        pytest.skip(f"{what} is not installed")
    return found


def run(snippet, folder):
    """Saves the program in `folder` and runs it there as its note says."""

    def call(*command):
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-500:]

    if snippet.tool in PYTHON:
        # In this process, in a namespace of its own: starting Python and torch anew takes seconds.
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(folder)
            exec(snippet.code, {"__name__": "__main__"})
    elif snippet.tool == "ImageMagick":
        program = need(imagemagick(), "ImageMagick")
        call("sh", "-c", snippet.code.replace("magick before.png", f"{program} before.png"))
    elif snippet.tool == "ffmpeg":
        need(shutil.which("ffmpeg"), "ffmpeg")
        call("sh", "-c", snippet.code)
    elif snippet.tool == "C":
        compiler = need(shutil.which("cc") or shutil.which("gcc"), "a C compiler")
        (folder / "filter.c").write_text(snippet.code)
        call(compiler, "-O2", "-Wall", "-Werror", "filter.c", "-o", "filter", "-lm")
        call("./filter")
    elif snippet.tool == "Rust":
        (folder / "filter.rs").write_text(snippet.code)
        call(need(shutil.which("rustc"), "rustc"), "-O", "filter.rs")
        call("./filter")


def apply(tool, before, kernel, offset, border, folder, value=0.0, rounding=None):
    """What the tool itself makes of `before`, uint8."""
    write_before(before, folder)
    made = snippets(kernel, offset, border, value, clipped=True, rounding=rounding)
    (snippet,) = (one for one in made if one.tool == tool)
    run(snippet, folder)
    if (folder / "after.pnm").exists():
        return cv2.imdecode(np.fromfile(folder / "after.pnm", np.uint8), cv2.IMREAD_UNCHANGED)
    after = cv2.imread(str(folder / "after.png"), cv2.IMREAD_UNCHANGED)
    if tool == "ffmpeg" and after.ndim > before.ndim:  # geq writes RGB, and says so
        assert (after == after[:, :, :1]).all()
        return after[:, :, 0]
    return after


@pytest.mark.sweep(3)
@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(
    ("size", "channels", "offset", "border"),
    [
        (3, 1, 0.0, "reflect"),
        (3, 3, 0.1, "zero"),
        (5, 1, -0.2, "replicate"),
        (5, 3, 0.0, "symmetric"),
        (3, 1, 128 / 255, "wrap"),
        (7, 3, 0.0, "reflect"),
        (15, 1, 0.0, "reflect"),
    ],
)
def test_the_tool_makes_the_after_picture(tool, size, channels, offset, border, tmp_path):
    """Unflipped, with the border asked for: every pixel within one grey level of the definition."""
    kernel = ASYMMETRIC if size == 3 else kernel_of(size)
    (snippet,) = (one for one in snippets(kernel, offset, border) if one.tool == tool)
    if not snippet.code:
        assert f"{size} × {size}" in snippet.note
        return
    before = picture(channels)
    after = apply(tool, before, kernel, offset, border, tmp_path)
    assert after.shape == before.shape
    assert np.abs(after - expected(before, kernel, offset, border)).max() <= 1.0


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize(("size", "channels", "value"), [(3, 1, 1.0), (5, 3, 200 / 255)])
def test_one_value_around(tool, size, channels, value, tmp_path):
    """What lies beyond the picture has the grey level asked for: seen along its border."""
    kernel, before = ASYMMETRIC if size == 3 else kernel_of(size), picture(channels)
    after = apply(tool, before, kernel, 0.1, "constant", tmp_path, value)
    assert np.abs(after - expected(before, kernel, 0.1, "constant", value)).max() <= 1.0


CORNER = np.array([[1, 1, 0], [1, 1, 0], [0, 0, 0]]), 4
TENTHS = np.array([[1, 2, 1], [-1, 3, 0], [1, 2, 1]]), 10  # tenths that float64 does not hold
SHARPEN = np.array([[-2, -2, -2], [-2, 32, -2], [-2, -2, -2]]), 16
NINTHS = np.ones((3, 3), int), 9


def in_whole_numbers(before, numerators, divisor, border, rounding, value=51):
    """The levels that whole numbers give, with no floating point: floor(n / d + 1/2) and so on."""
    widths = [(1, 1), (1, 1), (0, 0)][: before.ndim]
    around = {"constant_values": value} if border == "constant" else {}
    padded = np.pad(before.astype(int), widths, mode=BORDERS[border], **around)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1))
    total = np.einsum("...ij,ij", windows, numerators)
    if rounding == Rounding.TRUNCATE:
        return np.clip(total // divisor, 0, 255)
    level, rest = np.divmod(2 * total + divisor, 2 * divisor)
    if rounding == Rounding.HALF_EVEN:
        level = level - ((rest == 0) & (level % 2 == 1))
    return np.clip(level, 0, 255)


@pytest.mark.sweep(7)
@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize("rounding", [Rounding.HALF_UP, Rounding.HALF_EVEN, Rounding.TRUNCATE])
@pytest.mark.parametrize("tool", TOOLS)
def test_rounded_as_the_tool_did(tool, rounding, border, tmp_path):
    """Bit for bit what whole numbers give, ties and all, or a comment that says what is not so."""
    kernels = (TENTHS, NINTHS) if tool in ("C", "Rust") else (CORNER, TENTHS, SHARPEN, NINTHS)
    for number, (numerators, divisor) in enumerate(kernels):  # to compile takes a second
        before, kernel = picture(1 if number % 2 else 3), numerators / divisor
        true = in_whole_numbers(before, numerators, divisor, border, rounding)
        offset = -0.5 / 255 if rounding == Rounding.TRUNCATE else 0.0
        made = snippets(kernel, offset, border, 0.2, clipped=True, rounding=rounding)
        (snippet,) = (one for one in made if one.tool == tool)
        folder = tmp_path / str(number)
        folder.mkdir()
        after = apply(tool, before, kernel, offset, border, folder, 0.2, rounding).astype(int)
        differ = (after - true)[after != true]
        if tool == "Pillow" and rounding == Rounding.HALF_EVEN:
            assert "rounds half up" in snippet.code
            assert (differ == 1).all()
        else:
            assert "rounds half up" not in snippet.code
            assert len(differ) == 0, (numerators, len(differ))


def test_a_rounding_in_numbers_that_float64_does_not_hold():
    """The oracle by hand: 25 / 10 is 3, 2 and 2 levels."""
    before = np.full((3, 3), 5, np.uint8)
    numerators = np.array([[0, 0, 0], [0, 5, 0], [0, 0, 0]])
    for rounding, level in zip(Rounding, (3, 3, 2, 2), strict=True):
        made = in_whole_numbers(before, numerators, 10, "reflect", rounding)
        assert (made == level).all()


@pytest.mark.parametrize("tool", ["OpenCV", "Pillow", "ImageMagick", "ffmpeg", "C", "Rust"])
def test_an_impulse_shows_the_kernel_turned_around(tool, tmp_path):
    """A white dot comes back as the kernel turned by 180 degrees: correlation, in every tool."""
    before = np.zeros((9, 11), np.uint8)
    before[4, 5] = 200
    after = apply(tool, before, ASYMMETRIC, 0.5, "reflect", tmp_path).astype(float)
    seen = (after[3:6, 4:7] - 127.5) / 200
    np.testing.assert_allclose(seen, np.clip(ASYMMETRIC[::-1, ::-1], -0.6375, 0.6375), atol=0.005)


@pytest.mark.parametrize(
    ("kernel", "offset", "filtering"),
    [
        (IDENTITY, 0.1, "convolution"),  # ffmpeg copies an identity; the offset must survive that
        (SOBEL, 0.5, "convolution"),
        (SOBEL / 4, 0.5, "geq"),
        (kernel_of(7), 0.0, "convolution"),
        (kernel_of(7), -0.1, "geq"),
    ],
)
def test_ffmpeg_in_both_its_ways(kernel, offset, filtering, tmp_path):
    """`convolution` where it is exact, else `geq`: both within one grey level."""
    before = picture(1)
    assert filtering in {one.tool: one for one in snippets(kernel, offset)}["ffmpeg"].code
    after = apply("ffmpeg", before, kernel, offset, "reflect", tmp_path)
    assert np.abs(after - expected(before, kernel, offset, "reflect")).max() <= 1.0


KEEPERS = ["OpenCV", "NumPy/SciPy", "PyTorch", "C", "Rust"]
BARS = np.full((3, 3), 2e-7)
FLAGS = {"reflect": cv2.BORDER_REFLECT_101, "zero": cv2.BORDER_CONSTANT,
         "replicate": cv2.BORDER_REPLICATE, "symmetric": cv2.BORDER_REFLECT}  # fmt: skip


def photo(channels):
    """A piece of a bundled photo, as OpenCV reads it."""
    read = cv2.IMREAD_GRAYSCALE if channels == 1 else cv2.IMREAD_COLOR
    return cv2.imread(str(FOLDER / "cat.jpg"), read)[40:160, 30:180]


def floats(tool, snippet, before, folder):
    """What the tool itself makes of `before`, in floats, grey or BGR as OpenCV has it."""
    write_before(before, folder)
    run(snippet, folder)
    (made,) = folder.glob("after.*")
    if made.suffix == ".npy":
        after = np.load(made)
        return after if after.ndim == 2 else after[..., ::-1]
    return cv2.imread(str(made), cv2.IMREAD_UNCHANGED)


@pytest.mark.sweep(4)
@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("border", ["reflect", "zero"])
@pytest.mark.parametrize("tool", KEEPERS)
def test_what_is_below_zero_is_kept(tool, border, channels, exact, tmp_path):
    """Sobel of a photo: OpenCV's own floats, negatives and all, whether or not it has its name."""
    before = photo(channels)
    kernel = SOBEL if exact else SOBEL + 1e-8
    made = snippets(kernel, border=border, bars=None if exact else BARS)
    (snippet,) = (one for one in made if one.tool == tool)
    after = floats(tool, snippet, before, tmp_path)
    true = cv2.Sobel(before, cv2.CV_64F, 1, 0, ksize=3, borderType=FLAGS[border])
    assert after.dtype == np.float32
    assert true.min() < -100
    np.testing.assert_allclose(after, true, rtol=0, atol=1e-4)
    assert "too; " in snippet.code
    assert "cut it off" in snippet.code


@pytest.mark.parametrize("tool", ["Pillow", "ImageMagick", "ffmpeg"])
def test_what_cuts_off_says_so_and_how_to_keep_it(tool, tmp_path):
    """The tools of 8 bits: a comment names the offset of 128, and with it the code keeps it."""
    before = photo(1)
    (snippet,) = (one for one in snippets(SOBEL / 8) if one.tool == tool)
    assert "8 bits: cut off below zero" in snippet.code
    assert " keeps -128 to 127: each plus 128." in snippet.code
    ways = {
        "Pillow": ("offset=0.0", "offset=128"),
        "ImageMagick": ("  -morphology", "  -define convolve:bias=50.1961% -morphology"),
        "ffmpeg": ("clip(0.5+", "clip(128.5+"),
    }
    code = snippet.code.replace(*ways[tool])
    assert code != snippet.code
    write_before(before, tmp_path)
    run(type(snippet)(tool, code, ""), tmp_path)
    after = cv2.imread(str(tmp_path / "after.png"), cv2.IMREAD_UNCHANGED).astype(float)
    after = after if after.ndim == 2 else after[..., 0]
    true = cv2.Sobel(before, cv2.CV_64F, 1, 0, ksize=3) / 8
    assert np.abs(after - 128 - true).max() <= 1


def test_a_blur_stays_a_file_of_8_bits():
    """Weights of at least 0, their sum 1, no offset: nothing can be cut off, and nobody says so."""
    for kernel in (np.full((3, 3), 1 / 9), np.full((3, 3), 1 / 9) + 1e-9):
        for snippet in snippets(kernel):
            assert "cut off" not in snippet.code
            assert ".tiff" not in snippet.code
    assert "above white too" in snippets(np.full((3, 3), 1 / 8))[0].code
    assert "after.tiff" in snippets(np.full((3, 3), 1 / 9), 0.1)[0].code
    assert "cut off" not in "".join(one.code for one in snippets(SOBEL, clipped=True))


NAMED = [
    (key, size)
    for key in named.OPENCV
    for size in CATALOGUE[key].sizes
] + [("prewitt_x", 3), ("prewitt_y", 3)]  # fmt: skip


@pytest.mark.parametrize("border", BORDERS)
@pytest.mark.parametrize(("key", "size"), NAMED)
def test_the_tools_own_function_makes_the_same(key, size, border, tmp_path):
    """Called by its name, OpenCV and SciPy make what the written weights make, to 1e-9 levels."""
    kernel = CATALOGUE[key].build(size, 0.0)
    bars = np.full(kernel.shape, 1e-12)
    before = photo(3)[:40, :50]
    cv2.imwrite(str(tmp_path / "before.png"), before)
    radius = size // 2
    widths = [(radius, radius), (radius, radius), (0, 0)]
    around = {"constant_values": 51} if border == "constant" else {}
    padded = np.pad(before.astype(float), widths, mode=BORDERS[border], **around)
    true = cv2.filter2D(padded, cv2.CV_64F, kernel)[radius:-radius, radius:-radius]
    made = snippets(kernel, border=border, value=0.2, bars=bars)[:2]
    called = [snippet for snippet in made if "kernel = " not in snippet.code]
    assert ("OpenCV" in {snippet.tool for snippet in called}) == (key in named.OPENCV)
    for snippet in called:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(tmp_path)
            exec(snippet.code, made := {})
        after = made["after"] if snippet.tool == "OpenCV" else made["after"][..., ::-1]
        np.testing.assert_allclose(after, true, rtol=0, atol=1e-9 * max(1, np.abs(kernel).sum()))


def test_a_name_is_only_given_within_the_bars():
    """One weight that differs by more than its bar: the weights are written."""
    off = SOBEL.copy()
    off[0, 1] += 3e-7
    assert "cv2.Sobel" in snippets(SOBEL + 1e-7, bars=BARS)[0].code
    assert "cv2.Sobel" not in snippets(off, bars=BARS)[0].code
    assert "cv2.Sobel" not in snippets(SOBEL)[0].code
    assert "cv2.Sobel" not in snippets(SOBEL, 0.1, bars=BARS)[0].code


def test_what_a_tool_cannot_do_is_told():
    """Pillow and SVG say which sizes they take; SVG says that it lacks the border."""
    by_tool = {one.tool: one for one in snippets(kernel_of(9), 0.0, "reflect")}
    assert {tool for tool, one in by_tool.items() if not one.code} == {"Pillow"}
    assert "no reflect border" in by_tool["SVG"].note
    assert "no constant border" in snippets(kernel_of(3), 0.0, "constant", 0.5)[6].note
    assert all(one.note for one in by_tool.values())
    large = {one.tool for one in snippets(kernel_of(17)) if not one.code}
    assert large == {"Pillow", "SVG"}


def test_numbers_lose_nothing():
    """Every weight is written so that it reads back as the same float64."""
    kernel = kernel_of(3) / 3
    for snippet in snippets(kernel, 0.0, "zero"):
        if snippet.tool not in ("ffmpeg",):
            assert all(repr(float(value)) in snippet.code for value in kernel.ravel())


@pytest.mark.parametrize(
    ("kernel", "offset", "border"),
    [(np.eye(4), 0.0, "reflect"), (np.eye(3), np.nan, "reflect"), (np.eye(3), 0.0, "mirror")],
)
def test_bad_input_is_told(kernel, offset, border):
    """An even kernel, an offset that is no number and an unknown border raise DemoError."""
    with pytest.raises(DemoError):
        snippets(kernel, offset, border)
