"""The catalogue, random kernels, matrices as people paste them, and the check of them all."""

import json

import cv2
import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.imaging.catalogue import CATALOGUE, ODD_SIZES
from kernel_demo.imaging.kernels import (
    MAX_SIZE,
    MAX_TEXT,
    MIN_SIZE,
    Kernel,
    check,
    named,
    parse,
    random,
    resolve,
)

EVERY = [(key, size) for key, entry in CATALOGUE.items() for size in entry.sizes]
SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]
BINOMIAL = np.outer([1, 2, 1], [1, 2, 1])
SMOOTH = ("box", "gaussian", "motion_blur", "identity", "sharpen", "unsharp", "emboss")


@pytest.mark.parametrize(("key", "size"), EVERY)
def test_every_entry_builds_a_valid_kernel(key, size):
    """Each named kernel exists in each of its sizes, is finite and keeps its size and key."""
    kernel = named(key, size, angle=30)
    assert kernel.size == size == len(kernel.values)
    assert kernel.purpose == CATALOGUE[key].purpose
    assert len(kernel.purpose) < 90


@pytest.mark.parametrize(("key", "size"), EVERY)
def test_flat_areas_keep_their_brightness_or_become_black(key, size):
    """Blurs and sharpeners sum to 1, derivatives to 0 (Gabor is a wave: neither)."""
    if key == "gabor":
        return
    expected = 1 if key in SMOOTH else 0
    # Rounding of at most 225 sums of values up to 100.
    assert named(key, size, angle=20).values.sum() == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("size", CATALOGUE["sobel_x"].sizes)
@pytest.mark.parametrize("axis", ["x", "y"])
def test_sobel_is_opencvs(size, axis):
    """Our Sobel gives cv2.Sobel's picture, exactly: both are sums of integers."""
    picture = np.random.default_rng(0).integers(0, 256, (40, 50)).astype(np.float64)
    ours = cv2.filter2D(picture, -1, named(f"sobel_{axis}", size).values)
    theirs = cv2.Sobel(picture, -1, int(axis == "x"), int(axis == "y"), ksize=size)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("axis", ["x", "y"])
def test_scharr_is_opencvs(axis):
    """Our Scharr is OpenCV's pair of one-dimensional kernels, multiplied out."""
    x, y = cv2.getDerivKernels(int(axis == "x"), int(axis == "y"), cv2.FILTER_SCHARR)
    np.testing.assert_array_equal(named(f"scharr_{axis}").values, np.outer(y, x))


def test_laplacian_is_opencvs():
    """The Laplacian with four neighbours gives cv2.Laplacian's picture."""
    picture = np.random.default_rng(1).integers(0, 256, (30, 20)).astype(np.float64)
    ours = cv2.filter2D(picture, -1, named("laplacian_4").values)
    np.testing.assert_array_equal(ours, cv2.Laplacian(picture, -1, ksize=1))


@pytest.mark.parametrize("size", ODD_SIZES)
def test_gaussian_and_box_are_opencvs(size):
    """Gaussian and box blur equal cv2.GaussianBlur and cv2.blur on an impulse."""
    impulse = np.zeros((2 * size + 1, 2 * size + 1))
    impulse[size, size] = 1
    for ours, theirs in (
        (named("gaussian", size), cv2.GaussianBlur(impulse, (size, size), 0)),
        (named("box", size), cv2.blur(impulse, (size, size))),
    ):
        response = cv2.filter2D(impulse, -1, ours.values)
        np.testing.assert_allclose(response, theirs, atol=1e-15)


@pytest.mark.parametrize("size", CATALOGUE["gabor"].sizes)
@pytest.mark.parametrize("angle", [0, 30, 90, 135])
def test_gabor_is_opencvs(size, angle):
    """Gabor equals cv2.getGaborKernel (whose angle runs clockwise), scaled to absolute sum 1."""
    theirs = cv2.getGaborKernel((size, size), size / 5, np.radians(-angle), size / 2, 1.0, 0.0)
    expected = theirs / np.abs(theirs).sum()
    np.testing.assert_allclose(named("gabor", size, angle).values, expected, atol=1e-12)


def test_prewitt_3_is_the_textbooks():
    """Prewitt x at 3 x 3 is three rows of -1 0 1, and y is the same downwards."""
    np.testing.assert_array_equal(named("prewitt_x").values, [[-1, 0, 1]] * 3)
    np.testing.assert_array_equal(named("prewitt_y").values, np.transpose([[-1, 0, 1]] * 3))


@pytest.mark.parametrize("size", CATALOGUE["log"].sizes)
def test_laplacian_of_gaussian_is_one(size):
    """The LoG is close to the numerical Laplacian of a Gaussian picture, times sigma squared."""
    sigma, steps = size / 6, 8  # eight samples a pixel: second differences err by h^2 / 12
    wide = np.arange(-(size // 2) * steps - 1, (size // 2) * steps + 2) / steps
    bell = np.exp(-(wide[:, None] ** 2 + wide**2) / (2 * sigma**2))
    laplacian = cv2.Laplacian(bell, -1, ksize=1)[1:-1, 1:-1][::steps, ::steps] * steps**2
    scale = bell[1:-1, 1:-1][::steps, ::steps].sum()
    expected = sigma**2 * laplacian / scale
    kernel = named("log", size).values
    np.testing.assert_allclose(kernel, expected - expected.mean(), atol=0.02)


@pytest.mark.parametrize(
    ("angle", "expected"),
    [
        (0, [[0, 0, 0], [1, 1, 1], [0, 0, 0]]),
        (90, [[0, 1, 0], [0, 1, 0], [0, 1, 0]]),
        (180, [[0, 0, 0], [1, 1, 1], [0, 0, 0]]),
    ],
)
def test_motion_blur_along_the_axes_is_a_line(angle, expected):
    """At 0 and 90 degrees the blur is a plain mean along the row or the column."""
    np.testing.assert_allclose(named("motion_blur", 3, angle).values, np.divide(expected, 3))


def test_motion_blur_turns_counter_clockwise():
    """At 45 degrees the line rises to the right: top right and bottom left, as on the screen."""
    kernel = named("motion_blur", 9, 45).values
    assert kernel[2, 6] > 0
    assert kernel[6, 2] > 0
    assert kernel[2, 2] == kernel[6, 6] == 0


@pytest.mark.parametrize("size", ODD_SIZES)
@pytest.mark.parametrize("angle", [0, 17, 45, 90, 133])
def test_motion_blur_keeps_the_picture_in_place(size, angle):
    """The line is symmetric about its centre: blurring moves nothing."""
    kernel = named("motion_blur", size, angle).values
    np.testing.assert_allclose(kernel, kernel[::-1, ::-1], atol=1e-15)


def test_random_kernels_come_again_by_their_seed():
    """The same seed gives the same kernel, another seed another one."""
    np.testing.assert_array_equal(random(7, 5).values, random(7, 5).values)
    assert np.abs(random(7, 5).values - random(7, 6).values).max() > 0.1


def test_random_kernels_are_standard_normal_over_k():
    """Values of a random 31 x 31 kernel spread by 1 / 31 (961 values: within 10 %)."""
    assert random(31, 0).values.std() * 31 == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("size", "seed"), [(4, 0), (1, 0), (33, 0), (3, -1), (3, 2**32), (3.5, 0), (3, "1")]
)
def test_random_refuses_what_it_cannot_make(size, seed):
    """Sizes that are even or out of range and seeds that are no seeds are refused."""
    with pytest.raises(DemoError):
        random(size, seed)


@pytest.mark.parametrize(
    ("key", "size", "angle", "word"),
    [
        ("nothing", 3, 0, "catalogue"),
        ("scharr_x", 5, 0, "size of Scharr x, one of 3;"),
        ("log", 3, 0, "5, 7, 9"),
        ("box", 17, 0, "15"),
        ("box", 4, 0, "size"),
        ("box", "3", 0, "size"),
        ("motion_blur", 5, float("nan"), "angle"),
    ],
)
def test_named_refuses_and_says_what_there_is(key, size, angle, word):
    """An unknown name, size or angle is refused with the choices."""
    with pytest.raises(DemoError, match=word):
        named(key, size, angle)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ([], "nothing"),
        ([[]], "nothing"),
        (5, "a single number"),
        ([1, 2, 3], "as many rows"),
        ([[1, 2, 3], [4, 5, 6]], "2 × 3"),
        ([[1, 2, 3], [4, 5], [6, 7, 8]], "different lengths"),
        (np.ones((4, 4)), "4 × 4.*row and a column of zeros"),
        ([[1]], "1 × 1"),
        (np.ones((33, 33)), "33 × 33"),
        (np.ones((3, 3, 3)), "3 × 3 × 3"),
        (np.full((3, 3), np.nan), "NaN or Infinity"),
        ([[1, 2, 3], [4, np.inf, 6], [7, 8, 9]], "NaN or Infinity"),
        ([[1, 2, 3], [4, "five", 6], [7, 8, 9]], "not a number"),
        ([[1, 2, 3], [4, None, 6], [7, 8, 9]], "not a number"),
        ([[1, 2, 3], [4, 5j, 6], [7, 8, 9]], "not a number"),
        ([[1, 2, 3], [4, 10**400, 6], [7, 8, 9]], "not a number"),
        ([[1, 2, 3], [4, -2e6, 6], [7, 8, 9]], "^Expected weights up to a million; got -2e.06"),
        (np.zeros((3, 3)), "^Expected at least one weight other than 0; got zeros only"),
        ({"kernel": 3}, "not a number"),
    ],
)
def test_check_refuses_with_the_reason(values, word):
    """What is no kernel is refused in one sentence that says why."""
    with pytest.raises(DemoError, match=word):
        check(values)


@pytest.mark.parametrize("size", [MIN_SIZE, 17, MAX_SIZE])
def test_check_copies(size):
    """check() gives float64 that shares nothing with what was given."""
    given = np.ones((size, size), np.int16)
    checked = check(given)
    assert checked.dtype == np.float64
    checked[0, 0] = 7
    assert given[0, 0] == 1


def test_a_kernel_cannot_be_changed():
    """A Kernel owns a read-only copy of its values."""
    values = np.eye(3)
    kernel = Kernel("diagonal", values)
    values[0, 0] = 9
    assert kernel.values[0, 0] == 1
    with pytest.raises(ValueError, match="read-only"):
        kernel.values[0, 0] = 2


def test_a_kernel_serves_as_an_array():
    """NumPy takes a Kernel for its values."""
    np.testing.assert_array_equal(np.asarray(Kernel("diagonal", np.eye(3))), np.eye(3))


@pytest.mark.parametrize("key", ["scharr_x", "scharr_y", "emboss"])
def test_a_drawn_kernel_cannot_be_changed(key):
    """Who takes a kernel from the catalogue changes it for nobody else."""
    drawn = CATALOGUE[key].build(3, 0)
    with pytest.raises(ValueError, match="read-only"):
        drawn[0, 0] = 7


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
        ("1 " * MAX_TEXT, "100 thousand characters"),
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
