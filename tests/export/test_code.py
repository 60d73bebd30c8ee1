"""Each snippet is run by its own tool and must make the after picture within one grey level."""

import shutil
import subprocess

import cv2
import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.export.code import snippets

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


def apply(tool, before, kernel, offset, border, folder, value=0.0):
    """What the tool itself makes of `before`, uint8."""
    cv2.imwrite(str(folder / "before.png"), before)
    cv2.imwrite(str(folder / ("before.pgm" if before.ndim == 2 else "before.ppm")), before)
    for made in folder.glob("before.p[gp]m"):
        made.rename(folder / "before.pnm")
    (snippet,) = (one for one in snippets(kernel, offset, border, value) if one.tool == tool)
    run(snippet, folder)
    if (folder / "after.pnm").exists():
        return cv2.imdecode(np.fromfile(folder / "after.pnm", np.uint8), cv2.IMREAD_UNCHANGED)
    after = cv2.imread(str(folder / "after.png"), cv2.IMREAD_UNCHANGED)
    if tool == "ffmpeg" and after.ndim > before.ndim:  # geq writes RGB, and says so
        assert (after == after[:, :, :1]).all()
        return after[:, :, 0]
    return after


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
