"""What is shown is what is certified, of several roundings: page, endpoint and code go one way."""

import re

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import ndimage

from kernel_demo.numbers import percent
from kernel_demo.sources.bundled import FOLDER
from tests.ui.recover.asking import asked

GREY = np.asarray(Image.open(FOLDER / "camera.jpg").convert("L"))[100:240, 100:280]
COLOUR = np.asarray(Image.open(FOLDER / "cat.jpg").convert("RGB"))[60:180, 120:260]
ROW, COLUMN = np.array([1, 2, 4, 2.5, 0.5]) / 10, np.array([0.05, 0.25, 0.4, 0.2, 0.1])


def pillow(before, tool):
    return np.asarray(Image.fromarray(before).filter(tool))


def line_by_line(before):
    """Rows, whole levels, columns; beyond the border each goes on with the last pixel: the sums."""
    wide = np.pad(before.astype(float), ((0, 0), (2, 2)), mode="edge")
    rows = sum(w * wide[:, i : i + before.shape[1]] for i, w in enumerate(ROW))
    tall = np.pad(np.floor(rows + 0.5 + 1e-9), ((2, 2), (0, 0)), mode="edge")
    return sum(w * tall[i : i + len(before)] for i, w in enumerate(COLUMN))


SUMS = line_by_line(GREY)
# before, after, the beginning of its program's tool, the border
PAIRS = {
    "Pillow's blur": (GREY, pillow(GREY, ImageFilter.GaussianBlur(1)), "Pillow", "replicate"),
    "Pillow's blur of colours": (
        COLOUR, pillow(COLOUR, ImageFilter.GaussianBlur(1)), "Pillow", "replicate",
    ),
    "unsharp": (GREY, pillow(GREY, ImageFilter.UnsharpMask(1, 150, 0)), "Pillow", "replicate"),
    "SciPy's blur": (GREY, ndimage.gaussian_filter(GREY, 1), "NumPy/SciPy", "symmetric"),
    "lines": (GREY, np.floor(SUMS + 0.5 + 1e-9).astype(np.uint8), "OpenCV", "replicate"),
    "boxes": (GREY, cv2.blur(cv2.blur(GREY, (3, 3)), (3, 3)), "OpenCV", "reflect"),
}  # fmt: skip


QUICK = ("Pillow's blur", "boxes")


@pytest.fixture(
    params=[
        name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in PAIRS
    ],
    scope="module",
)
def told(request, client, tmp_path_factory):
    """(name, the page's updates, the endpoint's answer, the file that the page's code makes)."""
    before, after, *_ = PAIRS[request.param]
    tmp_path = tmp_path_factory.mktemp("pair")
    page, answer = asked(client, tmp_path, before, after, 9)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)  # the code reads before.png and writes after.png
        exec(page["take"]["snippets"][0]["code"], {})
        made = np.asarray(Image.open("after.png"))
    return request.param, page, answer, made


def test_the_code_makes_the_file_edges_and_all(told):
    """By the tool's own function, or each filter written out; the endpoint has the same code."""
    name, page, answer, made = told
    _, after, tool, border = PAIRS[name]
    assert page["take"]["snippets"][0]["tool"] == tool
    assert page["take"]["snippets"][0]["code"] == answer["code"]
    assert answer["padding"] == border
    right = (made == after).mean()
    assert right == 1 or (name == "lines" and right > 0.99)


def test_the_share_told_is_that_of_the_code(told):
    """Counted here, where the patch lies inside; the sentence and the picture have it as well."""
    name, page, answer, made = told
    inner = np.s_[(r := answer["size"] // 2) : -r, r:-r]
    same = (made == PAIRS[name][1])[inner].mean()
    assert answer["reproduced"] == pytest.approx(same, abs=1e-12)
    assert answer["roundings"] > 1
    assert f"it makes {percent(same)} of the pixels exactly" in page["verdict"]
    (share, _), _ = page["reproduced"]["value"]["figures"]
    assert share == percent(same, 2)


def test_one_rounding_alone_is_left_of_it(told):
    """What is left before the last rounding; not what several roundings leave of the kernel."""
    name, page, answer, _ = told
    if name == "lines":
        inner = np.s_[(r := answer["size"] // 2) : -r, r:-r]
        left = (PAIRS[name][1] - SUMS)[inner]
        assert answer["residual"] == pytest.approx(np.sqrt((left**2).mean()), rel=0.01)
    if name != "unsharp":  # whole per cents of whole levels: halves
        assert answer["residual"] == pytest.approx(12**-0.5, rel=0.1)
    assert f"<dd>{answer['roundings']} times on its way" in page["kernel"]
    note = page["take"]["note"]
    assert "The first program rounds as often as the tool" in note


def test_the_largest_difference_is_that_of_the_code(told):
    """The picture reproduced is the code's, edges included."""
    name, page, _, made = told
    _, (largest, _) = page["reproduced"]["value"]["figures"]
    assert float(largest) == np.abs(PAIRS[name][1].astype(int) - made).max()


def test_weights_stay_those_of_the_kernel(told):
    """An impulse's answer but for the rounding: the row of the lines times the column."""
    name, page, answer, _ = told
    if name == "lines":
        kernel = np.array(answer["kernel"])
        middle = np.s_[(r := len(kernel) // 2) - 2 : r + 3]
        np.testing.assert_allclose(kernel[middle, middle], np.outer(COLUMN, ROW), atol=2e-4)
    assert len(re.findall('title="([^" ]+)[^"]*"', page["kernel"])) == answer["size"] ** 2
