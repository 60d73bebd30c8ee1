"""Matrices as people paste them."""

import json

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.imaging.kernels import named, parse, random, resolve
from kernel_demo.imaging.parsing import MAX_TEXT

SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
BINOMIAL = np.outer([1, 2, 1], [1, 2, 1])


@pytest.mark.parametrize(
    "text",
    [
        "[[0, -1, 0], [-1, 5, -1], [0, -1, 0]]",
        "[[0,-1,0],[-1,5,-1],[0,-1,0],]",
        "  [[0., -1.0, 0e0],\n [-1, +5, -1],\n [0, -1, 0]]  ",
        "np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])",
        "numpy.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]], dtype=np.float32)",
        "array([[ 0, -1,  0],\n       [-1,  5, -1],\n       [ 0, -1,  0]], dtype='int64')",
        "tensor([[ 0., -1.,  0.],\n        [-1.,  5., -1.],\n        [ 0., -1.,  0.]])",
        "[[ 0 -1  0]\n [-1  5 -1]\n [ 0 -1  0]]",
        "{{0, -1, 0}, {-1, 5, -1}, {0, -1, 0}};",
        "[0 -1 0; -1 5 -1; 0 -1 0]",
        "0 -1 0\n-1 5 -1\n0 -1 0",
        "0,-1,0\r\n-1,5,-1\r\n0,-1,0\r\n",
        "0\t-1\t0\n\n-1\t5\t-1\n0\t-1\t0",
        "0, -1, 0,\n-1, 5, -1,\n0, -1, 0",
        "0 -1 0; -1 5 -1; 0 -1 0;",
        "0 \u22121 0\n\u22121 5 \u22121\n0 \u22121 0",
        "[[0, -1, 0], [-1, 5, -1], [0, -1, 0]] / 1",
        "0 -2 0\n-2 10 -2\n0 -2 0 / 2",
    ],
)
def test_one_matrix_in_many_writings(text):
    """JSON, NumPy, PyTorch, MATLAB, C and plain rows all give the same kernel."""
    np.testing.assert_array_equal(parse(text).values, SHARPEN)


@pytest.mark.parametrize(
    "text",
    [
        "1 2 1\n2 4 2\n1 2 1 / 16",
        "1 2 1\n2 4 2\n1 2 1\n/16",
        "[[1,2,1],[2,4,2],[1,2,1]]/16",
        "np.array([[1,2,1],[2,4,2],[1,2,1]]) / 16.0",
        "[[1/16, 1/8, 1/16], [1/8, 1/4, 1/8], [1/16, 1/8, 1/16]]",
        "[[1 / 16, 1 / 8, 1 / 16], [1 / 8, 1 / 4, 1 / 8], [1 / 16, 1 / 8, 1 / 16]]",
        "1/16 1/8 1/16; 1/8 1/4 1/8; 1/16 1/8 1/16",
        "1/2 1 1/2; 1 2 1; 1/2 1 1/2 / 8",
    ],
)
def test_fractions_and_divisors(text):
    """Fractions inside the matrix and a divisor behind it are worked out."""
    np.testing.assert_array_equal(parse(text).values, BINOMIAL / 16)


def test_the_divisor_field_divides_too():
    """The divisor given beside the text divides what the text gives."""
    np.testing.assert_array_equal(parse("1 2 1;2 4 2;1 2 1", 16).values, BINOMIAL / 16)


@pytest.mark.parametrize("size", [3, 15, 31])
def test_json_brings_back_every_bit(size):
    """A kernel written as JSON is read back exactly, up to the largest size."""
    values = random(size, 1).values
    np.testing.assert_array_equal(parse(json.dumps(values.tolist())).values, values)


def test_numpys_own_print_is_read():
    """What str() and repr() of an array show is read back."""
    values = np.round(random(5, 2).values, 3)
    np.testing.assert_array_equal(parse(str(values)).values, values)
    np.testing.assert_array_equal(parse(repr(values)).values, values)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "nothing"),
        (" \n ; ", "nothing"),
        ("[]", "nothing"),
        ("[[]]", "nothing"),
        ("hello", "'hello'"),
        ("1 2\n3 4", "2 × 2"),
        ("1 2 3\n4 5\n6 7 8", "different lengths"),
        ("1 2 3\n4 5 6", "2 × 3"),
        ("[1, 2, 3]", "1 × 3"),
        ("[[1, 2, 3], [4, x, 6], [7, 8, 9]]", "'x'"),
        ("[[1, 2, 3], [4, , 6], [7, 8, 9]]", "empty cell"),
        ("[[1, 2, 3], [4, NaN, 6], [7, 8, 9]]", "NaN or Infinity"),
        ("[[1, 2, 3], [4, Infinity, 6], [7, 8, 9]]", "NaN or Infinity"),
        ("1 2 3\n4 1e999 6\n7 8 9", "NaN or Infinity"),
        ("1 2 3\n4 1e9 6\n7 8 9", "million"),
        ("1 2 3\n4 1/0 6\n7 8 9", "fraction"),
        ("1 2 3\n4 1/2/3 6\n7 8 9", "'1/2/3'"),
        ("1 2 3\n4 5 6\n7 8 9 / 0", "divisor of 0"),
        ("1 2 3\n4 5 6\n7 8 9 / two", "'two'"),
        ("[[1, 2, 3], [4, 5, 6], [7, 8, 9]", "brackets"),
        ("[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]", "brackets"),
        ("[1, 2, 3], [4, 5, 6], [7, 8, 9]", "brackets"),
        ("]0 1 0[", "brackets"),
        ("[0 1 0", "brackets"),
        ("np.array([[1, 2, 3], [4, 5, 6], [7, 8, 9]]", "array"),
        ("np.array([[1,2,3],[4,5,6],[7,8,9]]).astype(int)", "array"),
        ("np.array(5)", "array"),
        ("__import__('os').getcwd()", "__import__"),
        ("0\n0\n0", "3 × 1"),
        ("0 0 0;0 0 0;0 0 0", "zeros only"),
        ("1 " * MAX_TEXT, "100,000 characters"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_reason(text, word):
    """Text that is no kernel is refused in one short sentence with the place or the reason."""
    with pytest.raises(DemoError, match=word) as error:
        parse(text)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize("divisor", [0, float("nan"), float("inf")])
def test_a_divisor_that_divides_nothing_is_refused(divisor):
    """Zero, NaN and infinity are no divisors."""
    with pytest.raises(DemoError, match="divisor"):
        parse("0 -1 0;-1 5 -1;0 -1 0", divisor)


@pytest.mark.parametrize(
    "filler", ["[", "]", "1", " ", "/", "1/", ",", "\n", "[1", "array(", ".", "-"]
)
def test_hostile_text_is_refused(filler):
    """Fifty thousand repetitions of anything are refused (in time that grows with their length)."""
    with pytest.raises(DemoError):
        parse(filler * (MAX_TEXT // len(filler)))


def test_resolve_takes_names_random_and_matrices():
    """resolve() reads a catalogue name, "random" with its seed, or a matrix of its own size."""
    np.testing.assert_array_equal(resolve("gaussian", 5).values, named("gaussian", 5).values)
    np.testing.assert_array_equal(resolve("random", 9, 4).values, random(9, 4).values)
    np.testing.assert_array_equal(resolve(json.dumps(SHARPEN), size=7).values, SHARPEN)
    np.testing.assert_array_equal(resolve(SHARPEN).values, SHARPEN)
    angled = resolve("motion_blur", 5, angle=90).values
    np.testing.assert_array_equal(angled, named("motion_blur", 5, 90).values)


@pytest.mark.parametrize("text", ["", "sobel", "../../etc/passwd", "random x", None, 5])
def test_resolve_refuses_the_rest(text):
    """Neither name nor matrix: refused."""
    with pytest.raises(DemoError):
        resolve(text)
