"""What is shown is what is certified: page, endpoint and exported code tell of one kernel."""

import re

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from kernel_demo.numbers import figure, percent, short
from kernel_demo.sources.bundled import FOLDER
from tests.ui.recover.asking import asked

COLOUR = np.asarray(Image.open(FOLDER / "cat.jpg").convert("RGB"))[60:200, 120:280]
GREY = cv2.cvtColor(COLOUR, cv2.COLOR_RGB2GRAY)
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8
STRONG = np.array([[0, -1.234, 0], [-1.234, 5.936, -1.234], [0, -1.234, 0]])
EMBOSS = np.array([[0, 0, 0], [0, 1, 0], [-1, 0, 0]], float)
BLUR = cv2.getGaussianKernel(5, 1.1) @ cv2.getGaussianKernel(5, 1.1).T


def filtered(before, kernel, offset=0.0, border=cv2.BORDER_REFLECT_101, value=0):
    r = len(kernel) // 2
    wide = cv2.copyMakeBorder(before, r, r, r, r, border, value=(value,) * 3).astype(np.float64)
    levels = cv2.filter2D(wide, cv2.CV_64F, kernel, delta=offset)[r:-r, r:-r]
    return np.clip(np.floor(levels + 0.5), 0, 255).astype(np.uint8)


def captioned(after):
    image = Image.fromarray(after)
    ImageDraw.Draw(image).text((20, 20), "Holiday", fill=255, font_size=24)
    return np.asarray(image)


NOISE = np.random.default_rng(0).normal(0, 2, GREY.shape)
# (before, the tool's result, after: the same but for what something else has changed)
PAIRS = {
    "grey, exact": (GREY, clean := filtered(GREY, SOBEL, 128), clean),
    "colour, clipped": (COLOUR, clean := filtered(COLOUR, STRONG), clean),
    "value around": (
        COLOUR, clean := filtered(COLOUR, EMBOSS, 128, cv2.BORDER_CONSTANT, 255), clean,
    ),
    "caption": (GREY, clean := filtered(GREY, BLUR), captioned(clean)),
    "noise": (
        GREY, clean := np.clip(filtered(GREY, BLUR) + NOISE, 0, 255).round().astype(np.uint8),
        clean,
    ),
}  # fmt: skip


LONG = ("colour, clipped",)


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.slow) if name in LONG else name for name in PAIRS],
    scope="module",
)
def told(request, client, tmp_path_factory):
    """(before, after, what was changed, the page's updates, the endpoint's answer, the code's)."""
    before, clean, after = PAIRS[request.param]
    tmp_path = tmp_path_factory.mktemp("pair")
    page, answer = asked(client, tmp_path, before, after, 7)
    code = page["take"]["snippets"][0]["code"]
    assert "import cv2" in code
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)  # the code reads before.png and writes after.png
        exec(code, made := {})
        made["file"] = np.asarray(Image.open("after.png"))
    made["levels"] = made["after"] if before.ndim == 2 else made["after"][..., ::-1]  # BGR
    return before, after, after != clean, page, answer, made


def shown(page, name):
    """A fact beside the kernel."""
    return re.search(f"<dt>{name}</dt><dd>(.*?)</dd>", page["kernel"])[1]


def test_page_endpoint_and_code_have_the_same_weights(told):
    """The code's weights are the endpoint's, and those in the cells to the digits written."""
    *_, page, answer, made = told
    np.testing.assert_allclose(made["kernel"], answer["kernel"], rtol=0, atol=1e-12)
    cells = re.findall('title="([^" ]+)[^"]*"', page["kernel"])
    assert cells == [short(weight) for weight in made["kernel"].ravel()]


def test_the_residual_told_is_that_of_the_code(told):
    """RMS of after minus the code's sums, where these are not clipped; no kernel but this one."""
    _, after, changed, page, answer, made = told
    r = answer["size"] // 2
    counts = np.zeros(after.shape, bool)
    counts[r:-r, r:-r] = True
    counts &= ~changed & (made["levels"] > 0) & (made["levels"] < 255)
    residual = np.sqrt(((after - made["levels"])[counts] ** 2).mean())
    # A few pixels of the caption are as they would be without it, or nearly, and may count.
    assert answer["residual"] == pytest.approx(residual, rel=1e-3, abs=1e-9)
    assert shown(page, "Left over").startswith(f"{figure(answer['residual'])} grey levels RMS")
    rounded = np.sqrt(((after - made["file"].astype(float))[counts] ** 2).mean())
    assert abs(residual - rounded) <= 0.5


def test_the_share_reproduced_is_that_of_the_code(told):
    """Pixels of the code's file that are those of after, counted here, but those changed."""
    _, after, changed, page, answer, made = told
    r = answer["size"] // 2
    inner = np.s_[r:-r, r:-r]
    same, counts = (after == made["file"])[inner], ~changed[inner]
    assert answer["reproduced"] == pytest.approx(same[counts].mean(), abs=2e-4)
    assert 0 <= 1 - counts.mean() - answer["left_out"]["share"] < 2e-4
    (share, _), (largest, _) = page["reproduced"]["value"]["figures"]
    assert share == percent(answer["reproduced"], 2)
    differences = np.abs(after.astype(int) - made["file"])
    # What the caption changes by one level is not told from rounding, and counts.
    assert float(largest) == differences[~changed | (differences <= 1)].max()


def test_exactness_is_that_of_the_code(told):
    """Where every pixel is said to be reproduced, the code's file is the tool's, edges and all."""
    _, after, _, page, answer, made = told
    assert answer["bit_exact"] == ("every one of the" in page["verdict"])
    assert answer["bit_exact"] == ("In whole numbers" in page["kernel"])
    if "bit for bit" in page["verdict"]:
        assert answer["bit_exact"]
        assert np.array_equal(made["file"], after)
