"""`import kernel_demo as kd`: the names that scripts and notebooks use."""

import ast
import doctest
import json
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
import torch
from PIL import Image, ImageFilter
from scipy import ndimage

import kernel_demo as kd
from kernel_demo import api, records
from kernel_demo.errors import DemoError
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.imaging.filtering import MODES

ROOT = Path(__file__).parents[1]
FUNCTIONS = {"kernel", "apply", "learn", "fit", "recover"}
SHARPEN = np.array([[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]])


@pytest.fixture(scope="module")
def photo():
    """The camera man, 8-bit grey."""
    return cv2.imread(f"{ROOT}/examples/camera.jpg", cv2.IMREAD_GRAYSCALE)


@pytest.fixture(scope="module")
def colour():
    """The coffee cup, 8-bit red, green, blue."""
    return cv2.imread(f"{ROOT}/examples/coffee.jpg")[..., ::-1]


@pytest.mark.tool
def test_the_import_loads_nothing():
    """`import kernel_demo` alone loads neither NumPy nor torch; the first name used loads both."""
    code = """
import sys, kernel_demo as kd
assert not {"numpy", "torch", "cv2", "gradio"} & sys.modules.keys(), "loaded too much"
assert {"kernel", "apply", "learn", "fit", "recover"} <= set(dir(kd))
kd.kernel
assert "numpy" in sys.modules and "gradio" not in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_examples_of_the_docstrings_hold():
    """Each public function has an example, and it gives what it says."""
    found = [test for test in doctest.DocTestFinder().find(api) if test.examples]
    assert {test.name.rpartition(".")[2] for test in found} == FUNCTIONS
    for test in found:
        assert doctest.DocTestRunner().run(test).failed == 0


def test_the_names():
    """Five functions, the four records that come out of them, and the error: all are kd's own."""
    records_and_error = {"Kernel", "Progress", "Solution", "Recovery", "DemoError"}
    assert set(kd.__all__) == set(api.__all__) == FUNCTIONS | records_and_error
    assert kd.DemoError is DemoError
    assert isinstance(kd.kernel("box"), kd.Kernel)


def test_the_reference_names_every_kernel():
    """Who reads `help(kd.kernel)` knows all names, without a guess."""
    told = re.search(r"what: (.*?); or", kd.kernel.__doc__, re.DOTALL)[1]
    assert re.findall(r"`(\w+)`", told) == list(CATALOGUE)


def test_the_reference_names_every_border():
    """And all that `kd.apply` may put beyond the edges."""
    told = re.search(r"border: (.*?): border_value", kd.apply.__doc__, re.DOTALL)[1]
    assert set(re.findall(r"`(\w+)`", told)) == set(MODES)


def test_what_is_no_name():
    """A name that there is not is an AttributeError, as of any module."""
    with pytest.raises(AttributeError, match="no attribute 'kernels_of_truth'"):
        _ = kd.kernels_of_truth


def test_a_kernel_by_name_and_by_hand():
    """A name, nested lists, an array and pasted text give the same weights."""
    by_hand = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
    for what in ("sharpen", by_hand, np.array(by_hand), json.dumps(by_hand), kd.kernel("sharpen")):
        np.testing.assert_array_equal(kd.kernel(what).values, SHARPEN)
    np.testing.assert_array_equal(kd.kernel("random", 5, seed=3), kd.kernel("random", 5, seed=3))


@pytest.mark.parametrize(
    ("border", "scipy"),
    [("reflect", "mirror"), ("zero", "constant"), ("symmetric", "reflect"), ("wrap", "grid-wrap")],
)
def test_apply_is_scipys_correlate(colour, border, scipy):
    """Each channel is what SciPy's correlate makes of it, in its own units, edges and all."""
    weights = kd.kernel("random", 7, seed=1)
    made = kd.apply(colour, weights, border=border, offset=3.0)
    for n in range(3):
        own = ndimage.correlate(colour[..., n].astype(float), weights.values, mode=scipy) + 3.0
        np.testing.assert_allclose(made[..., n], own, atol=1e-3)
    assert made.shape == colour.shape
    assert made.dtype == np.float32


def test_apply_with_a_value_around(colour):
    """`constant` puts one value around, in the picture's units, as SciPy's cval does."""
    weights = kd.kernel("gaussian", 5)
    made = kd.apply(colour, weights, border="constant", border_value=30)
    own = ndimage.correlate(colour[..., 1].astype(float), weights.values, mode="constant", cval=30)
    np.testing.assert_allclose(made[..., 1], own, atol=1e-4)


def test_apply_what_torch_and_recover_hold(photo):
    """A weight of torch.nn.Conv2d, (1, 1, k, k), is that layer's filter; several are refused."""
    layer = torch.nn.Conv2d(1, 1, 5, padding=2, bias=False)
    weight = layer.weight.detach()
    made = kd.apply(photo / 255, weight, border="zero")
    own = layer(torch.from_numpy(photo / 255).float()[None, None]).detach().numpy()[0, 0]
    np.testing.assert_allclose(made, own, atol=1e-5)
    with pytest.raises(DemoError, match="3 × 1 × 5 × 5. Give one at a time"):
        kd.apply(photo, weight.repeat(3, 1, 1, 1))
    with pytest.raises(DemoError, match=r"tensor\.detach\(\)"):
        kd.apply(photo, layer.weight)


def test_what_is_recovered_can_be_applied(photo):
    """What recover finds of Pillow's sharpening makes, rounded, Pillow's own picture inside."""
    after = Image.fromarray(photo).filter(ImageFilter.SHARPEN)
    again = kd.apply(photo, kd.recover(photo, after, 3).kernel)
    again = np.floor(np.clip(again, 0, 255) + 0.5)
    np.testing.assert_array_equal(again[1:-1, 1:-1], np.asarray(after)[1:-1, 1:-1])


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_fit_is_relative(photo, depth):
    """Whatever the types, white before is white after, as for learn and recover."""
    white = np.iinfo(depth).max
    for before in (photo, photo / 255, (photo / 255).astype(np.float32)):
        after = np.rint(cv2.filter2D(photo / 255, -1, SHARPEN).clip(0, 1) * white).astype(depth)
        np.testing.assert_allclose(kd.fit(before, after).kernel, SHARPEN, atol=1e-3)


def test_fit_of_8_bits(photo):
    """A sharpening by OpenCV, rounded and cut off at black and white: what is clipped is left out,
    and the truth lies within a few error bars; of a blur, too."""
    found = kd.fit(photo, cv2.filter2D(photo, -1, SHARPEN))
    np.testing.assert_allclose(found.kernel, SHARPEN, atol=1e-6)
    box = kd.fit(photo, cv2.blur(photo, (5, 5)), 5)
    assert (abs(box.kernel - 1 / 25) < 5 * box.standard_error).all()
    assert 0.25 < box.residual < 0.32  # of rounding alone: 12**-0.5 grey levels


def test_fit_does_not_depend_on_the_order(photo, colour):
    """Of 8-bit pictures the kernel is the same to the last bit, whichever comes first."""
    pictures = [photo, *np.moveaxis(colour, 2, 0)]
    afters = [cv2.blur(one, (3, 3)) for one in pictures]
    one, other = kd.fit(pictures, afters, 3), kd.fit(pictures[::-1], afters[::-1], 3)
    np.testing.assert_array_equal(one.kernel, other.kernel)


def test_learn_a_colour_picture(colour):
    """All channels through one layer: K-FAC finds SciPy's Sobel, and says why it stops."""
    after = np.stack([ndimage.sobel(colour[..., n] / 255, axis=1) for n in range(3)], axis=2)
    progress = list(kd.learn(colour / 255, after, 3, truth=kd.kernel("sobel_x")))
    assert progress[0].step == 0
    assert progress[-1].kernel_error < 1e-6
    assert progress[-1].stopped_because


def test_learn_takes_integers_in_their_own_units(photo):
    """An 8-bit after is 255ths of white; floats after an 8-bit before are in grey levels."""
    for after in (cv2.filter2D(photo, -1, SHARPEN), kd.apply(photo, SHARPEN)):
        *_, last = kd.learn(photo, after, truth="sharpen")
        assert last.kernel_error < 1e-5


def test_recover_what_pillow_did(colour):
    """Pillow's own emboss, with its offset of 128: the integers of its source (BuiltinFilter.py:
    -1 and 1), which it applies with its rows turned over, bit for bit."""
    emboss = Image.fromarray(colour).filter(ImageFilter.EMBOSS)
    found = kd.recover(colour, emboss, 5)
    assert str(found.verdict) == "convolution"
    assert found.bit_exact
    np.testing.assert_array_equal(found.kernel[0, 0], [[0, 0, 0], [0, 1, 0], [-1, 0, 0]])
    assert found.offset == 128


FLAT = np.zeros((9, 9))
BAD = {
    "no picture": (lambda: kd.learn([], []), "at least one picture"),
    "one after missing": (lambda: kd.fit([FLAT, FLAT], [FLAT]), "2 before and 1"),
    "another size": (lambda: kd.fit(FLAT, FLAT[:, 1:]), "9 × 9 and 9 × 8"),
    "text": (lambda: kd.apply("photo.png", "box"), "the name of a file. Open it"),
    "paths": (lambda: kd.fit([Path("a.png")], [Path("b.png")]), "the name of a file. Open it"),
    "paths to recover": (lambda: kd.recover("a.png", "b.png"), "the name of a file. Open it"),
    "on a device": (lambda: kd.apply(torch.ones(9, 9, device="meta"), "box"), "detach().cpu()"),
    "with a gradient": (lambda: kd.fit(torch.ones(9, 9).requires_grad_(), FLAT), "detach().cpu()"),
    "rows of different lengths": (lambda: kd.fit([[[0.0, 1.0], [2.0]]], [FLAT]), "cannot read"),
    "nothing": (lambda: kd.apply(None, "box"), "NoneType"),
    "no pixels": (lambda: kd.fit(FLAT[:0], FLAT[:0]), "0 × 9. Give one that has pixels"),
    "a stack": (lambda: kd.fit(np.ones((7, 9, 9)), np.ones((7, 9, 9))), "as a list"),
    "a truth of another size": (lambda: kd.learn(FLAT, FLAT, truth=np.ones((5, 5))), "size=5"),
    "a truth that there is not": (lambda: kd.learn(FLAT, FLAT, truth="sobel"), "sobel_x"),
    "floats to recover": (lambda: kd.recover(FLAT, FLAT), "float64 of shape (9, 9). Give the"),
    "whole numbers of 64 bits": (lambda: kd.apply(np.ones((9, 9), int), "box"), "int64"),
    "channels first": (lambda: kd.apply(np.ones((3, 9, 9)), "box"), "3 × 9 × 9"),
    "an even size": (lambda: kd.fit(FLAT, FLAT, 4), "an odd size"),
    "smaller than the kernel": (lambda: kd.fit(FLAT[:2, :2], FLAT[:2, :2]), "at least 3 × 3"),
    "no name": (lambda: kd.kernel("sobell"), "sobel_x"),
    "no border": (lambda: kd.apply(FLAT, "box", border="mirror"), "a border mode"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_told_in_a_sentence(name):
    """What cannot be used is a DemoError at the call, and says what came and what is expected."""
    call, said = BAD[name]
    with pytest.raises(DemoError, match=re.escape(said)):
        call()


@pytest.fixture(scope="module")
def made(photo) -> dict:
    """A record of each kind."""
    after = cv2.filter2D(photo, -1, SHARPEN)
    *_, last = kd.learn(photo, after, truth=SHARPEN)
    return {
        "Kernel": kd.kernel("sharpen"), "Progress": last, "Solution": kd.fit(photo, after),
        "Recovery": kd.recover(photo, after, 5), "not": kd.recover(photo, photo[::-1].copy(), 5),
    }  # fmt: skip


@pytest.mark.parametrize("kind", ["Kernel", "Progress", "Solution", "Recovery"])
def test_a_record_is_saved(made, kind, tmp_path):
    """.npy holds the kernel, .json all that is told, in plain types, without infinity."""
    record = made[kind]
    written = record.save(tmp_path / "record.npy")
    np.testing.assert_allclose(np.load(written).squeeze(), SHARPEN, atol=1e-5)
    told = json.loads(record.save(str(tmp_path / "record.json")).read_text(encoding="utf-8"))
    np.testing.assert_allclose(told["kernel"], SHARPEN, atol=1e-5)
    with pytest.raises(DemoError, match=r"ends in \.json or \.npy"):
        record.save(tmp_path / "record.txt")
    with pytest.raises(DemoError, match="a place to write to"):
        record.save(tmp_path / "nowhere" / "record.json")


@pytest.mark.parametrize("kind", ["Kernel", "Progress", "Solution", "Recovery"])
def test_a_record_in_a_notebook(made, kind):
    """A table with every weight, blue where it is below zero and orange where it is above."""
    html = made[kind]._repr_html_()
    cells = re.findall(r'background: rgba\((\d+), \d+, \d+, ([\d.]+)\)" title="([^" ]+)', html)
    assert len(cells) == 9
    weights = [float(value) for *_, value in cells]
    np.testing.assert_allclose(weights, SHARPEN.ravel(), atol=1e-5)
    assert [red == "91" for red, strength, _ in cells if strength != "0.00"] == [
        True, True, False, True, True
    ]  # fmt: skip
    ElementTree.fromstring(f"<div>{html}</div>")


def test_what_is_no_convolution_shows_no_kernel(made):
    """A picture upside down: the sentence, and no table of weights that there are not."""
    html = made["not"]._repr_html_()
    assert "<table" not in html
    assert "upside down" in html.lower()


def test_a_name_cannot_break_the_page():
    """What comes from outside is escaped."""
    assert "<script" not in records.shown("<script>alert(1)</script>")
    assert "<script" not in records.heat_map(np.ones((3, 3)), caption="<script>")


def test_every_public_function_says_what_it_takes():
    """Each parameter that is no option of its own name is told in the docstring, and its type."""
    tree = ast.parse(Path(api.__file__).read_text(encoding="utf-8"))
    functions = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name in FUNCTIONS
    ]
    assert len(functions) == len(FUNCTIONS)
    for function in functions:
        arguments = function.args.args + function.args.kwonlyargs
        assert all(argument.annotation for argument in arguments)
        assert function.returns is not None
        said = ast.get_docstring(function)
        for argument in arguments:
            assert argument.arg in said or argument.arg in ("picture", "kernel"), argument.arg
