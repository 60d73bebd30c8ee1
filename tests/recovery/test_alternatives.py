"""What is known beside a kernel: its program makes what is claimed, its numbers are true."""

import json

import cv2
import numpy as np
import pytest
from PIL import Image, ImageFilter, ImageOps

from kernel_demo.imaging.catalogue import gaussian
from kernel_demo.recovery import Verdict, alternatives, recover
from kernel_demo.recovery.operations import GREYS, OPERATIONS
from kernel_demo.sources.bundled import FOLDER

CAMERA = np.asarray(Image.open(FOLDER / "camera.jpg").convert("L"))[100:240, 110:270]
CAT = np.ascontiguousarray(
    np.asarray(Image.open(FOLDER / "cat.jpg").convert("RGB"))[60:200, 100:260]
)
NOISE = np.random.default_rng(0)
DEEP = CAMERA.astype(np.uint16) * 200 + NOISE.integers(0, 200, CAMERA.shape).astype(np.uint16)
SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])


def levels(values, white=255):
    """Of 0..1, rounded half up."""
    kind = np.uint8 if white == 255 else np.uint16
    return np.clip(np.floor(white * values + 0.5), 0, white).astype(kind)


def decoded(stored):
    """Light of stored values, by the formula of IEC 61966-2-1."""
    return np.where(stored <= 0.04045, stored / 12.92, ((stored + 0.055) / 1.055) ** 2.4)


def encoded(light):
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def in_light(picture, kernel):
    lit = cv2.filter2D(decoded(picture / 255.0), -1, kernel)
    return levels(encoded(np.clip(lit, 0, 1)))


def pillow(picture, change):
    return np.asarray(change(Image.fromarray(picture)))


SOBEL = cv2.Sobel(CAMERA, cv2.CV_16S, 1, 0)
# (name, before, after by another tool, parameters): all of after is reproduced
KNOWN = {
    "median": (
        "a median filter, 3 × 3", CAT, pillow(CAT, lambda p: p.filter(ImageFilter.MedianFilter(3))),
        {"size": 3, "factor": 1, "offset": 0},
    ),
    "deep median": ("a median filter, 5 × 5", DEEP, cv2.medianBlur(DEEP, 5), {"size": 5}),
    "erosion": ("an erosion, 5 × 5", CAMERA, cv2.erode(CAMERA, np.ones((5, 5))), {"size": 5}),
    "absolute": (
        "the absolute value of Sobel x", CAMERA, cv2.convertScaleAbs(SOBEL, alpha=0.5),
        {"factor": 0.5},
    ),
    "gamma": (
        "a gamma curve with exponent 0.45", CAT, levels((CAT / 255) ** (1 / 2.2)),
        {"exponent": 1 / 2.2, "offset": 0},
    ),
    "gamma, cut off": (
        "a gamma curve with exponent 0.70", CAMERA, np.uint8(255 * (CAMERA / 255) ** 0.7),
        {"exponent": 0.7, "offset": -0.5},
    ),
    "decoded": ("the curve that decodes sRGB to light", CAMERA, levels(decoded(CAMERA / 255)), {}),
    "threshold": (
        "a threshold", CAMERA, cv2.threshold(CAMERA, 120, 255, cv2.THRESH_BINARY_INV)[1],
        {"from": 121, "below": 255, "above": 0},
    ),
    "posterised": (
        "a posterisation to 8 levels", CAMERA, pillow(CAMERA, lambda p: ImageOps.posterize(p, 3)),
        {"levels": 8, "from": [32, 64, 96, 128, 160, 192, 224]},
    ),
    "equalised": ("a histogram equalisation", CAMERA, cv2.equalizeHist(CAMERA), {}),
    "equalised by Pillow": ("a histogram equalisation", CAT, pillow(CAT, ImageOps.equalize), {}),
    "solarised": (
        "a tone curve: each pixel by itself", CAMERA, pillow(CAMERA, ImageOps.solarize), {},
    ),
    "light": (
        "a convolution of the light", CAMERA, in_light(CAMERA, np.full((5, 5), 0.04)),
        {"curve": "sRGB", "size": 5, "offset": 0},
    ),
    "light, Gaussian": (
        "a convolution of the light", CAMERA, in_light(CAMERA, gaussian(7, 1.2)),
        {"curve": "sRGB", "size": 7, "sigma": 1.2},
    ),
    "matrix": ("a colour matrix", CAT, levels(CAT @ SEPIA.T / 255), {"offset": [0, 0, 0]}),
    "grey": (
        "grey of 0.299 red, 0.587 green and 0.114 blue", CAT, cv2.cvtColor(CAT, cv2.COLOR_RGB2GRAY),
        {"offset": [0]},
    ),
    "value": ("grey by the largest channel", CAT, CAT.max(axis=2), {}),
    "grey, then gamma": (
        "a gamma curve with exponent 0.60", CAT,
        levels((cv2.cvtColor(CAT, cv2.COLOR_RGB2GRAY) / 255) ** 0.6), {"exponent": 0.6},
    ),
}  # fmt: skip


def run(code, before, folder, monkeypatch):
    """after.png as the program makes it."""
    monkeypatch.chdir(folder)
    Image.fromarray(before).save("before.png")
    exec(code, {})
    return np.asarray(Image.open("after.png"))


@pytest.mark.sweep(10)
@pytest.mark.parametrize("key", KNOWN)
def test_a_program_makes_the_picture_that_is_claimed(key, tmp_path, monkeypatch):
    """Its file is the tool's, all of it but the border, and the record's reproduction and share."""
    name, before, after, parameters = KNOWN[key]
    found = recover(before, after, 7)
    other = found.alternative
    assert name in other.name
    assert all(other.parameters[key] == pytest.approx(parameters[key]) for key in parameters)
    made = run(other.code, before, tmp_path, monkeypatch)
    assert made.dtype == after.dtype
    assert np.array_equal(made, other.reproduction)
    inside = np.s_[3:-3, 3:-3]
    assert np.array_equal(made[inside], after[inside])
    assert other.reproduced == 1
    assert np.array_equal(other.residual_map, after.astype(float) - made)
    assert found.verdict.linear == (key in ("matrix", "grey"))


BY_TOOL = {
    "Pillow": lambda p: np.asarray(Image.fromarray(p).convert("L")),
    "OpenCV": lambda p: cv2.cvtColor(p, cv2.COLOR_RGB2GRAY),
    "ImageMagick": lambda p: cv2.imread(
        str(FOLDER / "recover" / "coffee_grey.png"), cv2.IMREAD_GRAYSCALE
    ),
    "mean": lambda p: np.floor(p.mean(axis=2) + 0.5).astype(np.uint8),
    "Rec. 709": lambda p: levels(p @ np.array([0.212656, 0.715158, 0.072186]) / 255),
}


@pytest.mark.parametrize("tool", BY_TOOL)
def test_the_program_of_a_grey_rounds_as_the_tool_does(tool, tmp_path, monkeypatch):
    """What is certified to reproduce every pixel comes with a program that does, and figures of it.

    Pillow rounds in 16 bits, ImageMagick cuts 16 bits off to 8: a weighted sum that is rounded once
    misses some pixels of a thousand.
    """
    before = np.asarray(Image.open(FOLDER / "recover" / "coffee.png").convert("RGB"))
    after = BY_TOOL[tool](before)
    found = recover(before, after, 5)
    assert found.bit_exact
    assert np.array_equal(run(found.alternative.code, before, tmp_path, monkeypatch), after)
    assert found.alternative.reproduced == 1
    assert np.array_equal(found.alternative.reproduction, after)


def test_the_kernel_of_a_blur_in_linear_light():
    """To its bars, of one without name, where the kernel of stored values is another one."""
    true = np.random.default_rng(1).random((5, 5))
    true /= true.sum()
    other = recover(CAMERA, in_light(CAMERA, true), 7).alternative
    assert other.kernel.shape == (5, 5)
    assert (np.abs(other.kernel - true) <= 4 * other.standard_error).all()
    assert other.standard_error.max() < 0.002
    assert other.residual == pytest.approx(12**-0.5, rel=0.02)


def test_what_only_looks_like_an_operation_says_how_far():
    """A median with noise: most pixels are not reproduced, and the share is counted here."""
    noisy = cv2.medianBlur(CAMERA, 3) + NOISE.normal(0, 1.5, CAMERA.shape)
    after = np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
    found = recover(CAMERA, after, 7)
    other = found.alternative
    inner = np.s_[1:-1, 1:-1]
    assert other.reproduced == pytest.approx((other.reproduction == after)[inner].mean(), abs=1e-9)
    assert 0.1 < other.reproduced < 0.4
    assert f"against {other.residual:.2f} by that, which reproduces" in found.explanation


PLAIN = {
    "name", "parameters", "kernel", "interval", "standard_error", "curve", "matrix", "residual",
    "reproduced", "code",
}  # fmt: skip


def as_json(key, proved=False):
    _, before, after, _ = KNOWN[key]
    return json.loads(json.dumps(recover(before, after, 5).as_dict(proved)))


def test_it_is_plain_data():
    """Every key is there, null where it does not apply, and the name alone under the old words."""
    told = as_json("gamma")
    assert set(told["alternative"]) == PLAIN
    assert told["alternative_name"] == told["alternative"]["name"]
    seen = np.unique(CAT)
    curve = np.array(told["alternative"]["curve"])
    np.testing.assert_allclose(curve[seen], 255 * (seen / 255) ** (1 / 2.2), atol=1e-9)
    assert all(told["alternative"][key] is None for key in ("kernel", "matrix", "interval"))
    assert as_json("median")["alternative"]["curve"] is None


def test_a_matrix_has_an_interval():
    """Of each number, and the truth lies inside."""
    other = as_json("matrix", proved=True)["alternative"]
    assert np.shape(other["matrix"]) == np.shape(other["standard_error"]) == (3, 3)
    low, high = (np.array(other["interval"][end]) for end in ("low", "high"))
    assert ((low <= SEPIA) & (high >= SEPIA)).all()
    assert (high - low).max() < 0.02
    assert as_json("matrix")["alternative"]["interval"] is None


def test_what_cannot_be_done_again_has_no_program():
    """A picture turned by five degrees has a name at most."""
    turn = cv2.getRotationMatrix2D((80, 70), 5, 1)
    turned = cv2.warpAffine(CAMERA, turn, CAMERA.shape[::-1], borderMode=cv2.BORDER_REFLECT_101)
    found = recover(CAMERA, turned, 7)
    assert not found.verdict.linear
    assert found.alternative is None or found.alternative.code == ""


@pytest.mark.parametrize("operation", [*OPERATIONS, *GREYS], ids=lambda one: one.name)
def test_each_line_of_code_does_what_the_function_does(operation):
    """OpenCV's way and the function's are the same, but for the border."""
    picture = CAT.astype(np.float32)
    names = {"cv2": cv2, "np": np, "x": picture[..., ::-1], "kernel": operation.kernel}
    names["x"] = np.ascontiguousarray(names["x"])
    exec(operation.needs, names)
    by_code = eval(operation.code, names)
    by_code = by_code[..., ::-1] if by_code.ndim == 3 else by_code
    inside = np.s_[4:-4, 4:-4]
    np.testing.assert_allclose(by_code[inside], operation.apply(picture)[inside], atol=1e-3)


def test_the_plainest_way_to_say_it_is_taken():
    """x^(1/1.8) is found as that, not as 0.5556, and its picture is the same."""
    other = recover(CAMERA, levels((CAMERA / 255) ** (1 / 1.8)), 5).alternative
    assert other.parameters["exponent"] == 1 / 1.8
    assert "** 0.5555555555555556" in other.code


def test_a_verdict_without_alternative_has_none():
    """A convolution of each channel alike is no matrix."""
    found = recover(CAT, cv2.blur(CAT, (3, 3)), 5)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.alternative is None
    assert alternatives.matrix(found, []) is None


def limited(picture):
    """To levels 16 to 235 and back, as video goes, by OpenCV."""
    narrow = cv2.convertScaleAbs(picture, alpha=219 / 255, beta=16)
    return levels((narrow.astype(float) - 16) / 219)


def rec709(picture):
    """From light by Rec. 709's curve: close to one of gamma, but for its straight foot."""
    lit = decoded(picture / 255)
    return levels(np.where(lit < 0.018, 4.5 * lit, 1.099 * lit**0.45 - 0.099))


@pytest.mark.parametrize("operation", [limited, rec709])
@pytest.mark.parametrize("before", [CAMERA, CAT], ids=["grey", "colour"])
def test_a_curve_is_called_gamma_only_for_what_its_exponent_makes(before, operation):
    """The share and the picture are those of x^g with the exponent told; else it has no name."""
    after = operation(before)
    other = recover(before, after, 7).alternative
    if "exponent" in other.parameters:
        made = levels((before / 255.0) ** other.parameters["exponent"])
        assert other.reproduced == (made == after).mean() > 0.99
        assert abs(255 * (before / 255.0) ** other.parameters["exponent"] - before).max() > 0.5
    else:
        assert "gamma" not in other.name
        assert (other.parameters["curve"], other.reproduced) == ("tone curve", 1)
        assert np.array_equal(other.reproduction, after)
