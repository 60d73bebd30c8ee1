"""Borders at which a mean goes over what lies inside, and others that are no border mode."""

import cv2
import numpy as np
import pytest
from PIL import Image

from kernel_demo.export import tools
from kernel_demo.recovery import Edge, Verdict, recover
from kernel_demo.sources.bundled import FOLDER

GREY = np.asarray(Image.open(FOLDER / "gravel.jpg").convert("L"))[100:220, 100:250]
LINE = cv2.getGaussianKernel(5, 1.0)[:, 0]
DISC = np.array([[0, 1, 1], [1, 2, 1], [0, 1, 0]])


def mean_inside(picture, weights):
    """By the definition: the weighted sum of the pixels there are, over that of their weights."""
    (height, width), r = picture.shape, len(weights) // 2
    total, share = np.zeros((2, height, width))
    for (i, j), weight in np.ndenumerate(weights):
        down, right = i - r, j - r
        here = np.s_[max(0, -down) : height - max(0, down), max(0, -right) : width - max(0, right)]
        there = np.s_[max(0, down) : height + min(0, down), max(0, right) : width + min(0, right)]
        total[here] += weight * picture[there].astype(float)
        share[here] += weight
    return total / share


def rounded(values):
    return np.floor(values + 0.5 + 1e-9).astype(np.uint8)


def truncated(values):
    return np.floor(values + 1e-9).astype(np.uint8)


MEANS = {
    "box": (np.ones((3, 3)), rounded),
    "box, cut off": (np.ones((5, 5)), truncated),
    "Gaussian": (np.outer(LINE, LINE), rounded),
    "lopsided": (DISC, rounded),
}


def made_by(found, before, folder, monkeypatch):
    """What the exported program makes."""
    monkeypatch.chdir(folder)
    Image.fromarray(before).save("before.png")
    exec(tools.program(found).code, {})
    return np.asarray(Image.open("after.png"))


@pytest.mark.parametrize("name", MEANS)
def test_a_mean_of_what_is_inside_is_told(name, tmp_path, monkeypatch):
    """On all sides; the picture reproduced and the program have its very edges."""
    kernel, rule = MEANS[name]
    after = rule(mean_inside(GREY, kernel))
    found = recover(GREY, after, 5)
    assert (found.verdict, found.padding) == (Verdict.CONVOLUTION, Edge.RENORMALISED)
    assert found.as_dict()["padding"] == "renormalised"
    assert "share of the weights inside" in found.next_step
    np.testing.assert_array_equal(found.reproduction, after)
    np.testing.assert_array_equal(made_by(found, GREY, tmp_path, monkeypatch), after)


def test_scikit_images_local_mean_is_one(tmp_path, monkeypatch):
    """filters.rank.mean, where it is installed: no pixel of it is off, edges and all."""
    rank = pytest.importorskip("skimage.filters.rank")
    after = rank.mean(GREY, np.ones((5, 5), np.uint8))
    found = recover(GREY, after, 7)
    assert (found.bit_exact, found.padding) == (True, Edge.RENORMALISED)
    np.testing.assert_array_equal(made_by(found, GREY, tmp_path, monkeypatch), after)


def test_each_of_several_means_is_one(tmp_path, monkeypatch):
    """Two in turn, whole levels between."""
    box = np.ones((3, 3))
    after = rounded(mean_inside(rounded(mean_inside(GREY, box)), box))
    found = recover(GREY, after, 7)
    assert (found.roundings, found.padding) == (2, Edge.RENORMALISED)
    np.testing.assert_array_equal(made_by(found, GREY, tmp_path, monkeypatch), after)


OTHERS = {
    "odd reflection": {"mode": "reflect", "reflect_type": "odd"},
    "odd symmetry": {"mode": "symmetric", "reflect_type": "odd"},
    "mean of the line": {"mode": "mean"},
    "ramp to 0": {"mode": "linear_ramp"},
}


@pytest.mark.sweep(3)
@pytest.mark.parametrize(
    "kernel", [np.ones((5, 5)) / 25, np.outer(LINE, LINE)], ids=["box", "Gaussian"]
)
@pytest.mark.parametrize("way", OTHERS)
def test_a_border_of_no_mode_is_given_no_name(way, kernel):
    """NumPy has more ways to go on than there are modes: no side is called by one of these."""
    wide = np.pad(GREY.astype(float), 2, **OTHERS[way])
    after = rounded(cv2.filter2D(wide, cv2.CV_64F, kernel)[2:-2, 2:-2].clip(0, 255))
    found = recover(GREY, after, 5)
    assert found.verdict == Verdict.CONVOLUTION
    assert found.padding_sides == (None,) * 4


def test_a_mode_keeps_its_name_where_the_mean_is_the_same():
    """Of a pixel and its neighbour, the mean inside is the pixel: what replicate has."""
    kernel = np.array([[0, 0, 0], [0, 1, 1], [0, 0, 0]]) / 2
    wide = np.pad(GREY.astype(float), 1, mode="edge")
    found = recover(GREY, rounded(cv2.filter2D(wide, cv2.CV_64F, kernel)[1:-1, 1:-1]), 3)
    assert found.padding == "replicate"
