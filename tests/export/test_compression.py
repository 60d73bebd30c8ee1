"""What each way to store a kernel costs and keeps."""

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.export.compression import KINDS, apply, compress, measure
from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.kernels import named, random

SOBEL = np.array([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]])
PICTURE = np.random.default_rng(0).random((60, 81))


@pytest.mark.parametrize(
    ("kind", "size", "expected"),
    [
        ("float32", 3, 36),
        ("float16", 3, 18),
        ("bfloat16", 3, 18),
        ("int8", 3, 9 + 4),
        ("int4", 3, 5 + 4),  # nine half bytes, rounded up
        ("separable", 3, 24),  # six numbers for nine
        ("int8", 15, 225 + 4),
    ],
)
def test_bytes(kind, size, expected):
    """The bytes are those of the numbers and the scale."""
    kernel = SOBEL if size == 3 else random(size, 0).values
    assert compress(kernel, kind).bytes == expected


@pytest.mark.parametrize(
    ("kind", "bound"), [("float32", 2**-24), ("float16", 2**-11), ("bfloat16", 2**-8)]
)
def test_floats_err_by_half_a_unit(kind, bound):
    """Half a unit in the last place of the largest weight; the reported error is the real one."""
    kernel = random(7, 3).values
    compressed = compress(kernel, kind)
    error = np.abs(kernel - compressed.kernel).max()
    assert compressed.largest_error == error
    assert 0 < error <= bound * np.abs(kernel).max()


@pytest.mark.parametrize("kind", ["int8", "int4"])
@pytest.mark.parametrize("kernel", [random(7, 3), named("gaussian", 15), named("log", 7)])
def test_integers_err_by_less_than_one_step_and_keep_the_sum(kernel, kind):
    """No weight is off by a whole step, nor the sum by more than half a step: flat stays flat."""
    compressed = compress(kernel.values, kind)
    integers, scale, centre = compressed.stored
    assert centre == 0
    np.testing.assert_array_equal(compressed.kernel, integers * float(scale))
    assert compressed.largest_error < scale
    # 1 + 1e-6: the scale is itself a rounded float32.
    drift = abs(compressed.kernel.sum() - kernel.values.sum())
    assert drift <= scale / 2 * (1 + 1e-6) + 1e-7


def test_a_large_centre_is_stored_by_itself():
    """An unsharp mask of 15 x 15 keeps its faint rim in 8 bits, at four bytes more."""
    unsharp = named("unsharp", 15).values
    compressed = compress(unsharp, "int8")
    assert compressed.bytes == 225 + 4 + 4
    assert compressed.stored[2] == np.float32(unsharp[7, 7])
    assert compressed.largest_error < 2e-4


@pytest.mark.parametrize("kind", ["int8", "separable", "float16", "bfloat16"])
def test_sobel_survives_exactly(kind):
    """Small integers lose nothing, in 8 bits too: the search finds the scale 1."""
    compressed = compress(SOBEL, kind)
    assert compressed.largest_error == 0
    if kind == "int8":
        np.testing.assert_array_equal(compressed.stored[0], SOBEL)
        assert compressed.stored[1] == 1


def test_any_integer_kernel_up_to_127_survives_8_bits():
    """Every integer is kept, whatever the largest; and so are its fractions of 16."""
    for seed in range(20):
        generator = np.random.default_rng(seed)
        kernel = generator.integers(-127, 128, (5, 5)).astype(float)
        assert compress(kernel, "int8").largest_error == 0
        assert compress(kernel / 16, "int8").largest_error == 0


def test_sobel_is_an_outer_product():
    """Sobel x is the column 1 2 1 times the row -1 0 1: rank 1."""
    compressed = compress(SOBEL, "separable")
    column, row = compressed.stored
    sign = np.sign(row[0, 2])
    np.testing.assert_array_equal(column[:, 0] * sign, [1, 2, 1])
    np.testing.assert_array_equal(row[0] * sign, [-1, 0, 1])
    assert compressed.rank == 1


@pytest.mark.parametrize(
    ("kernel", "rank"),
    [(named("gaussian", 9), 1), (named("laplacian_4", 3), 2), (random(7, 0), 7)],
)
def test_rank(kernel, rank):
    """The rank is the number of outer products that the kernel really needs."""
    compressed = compress(kernel.values, "separable")
    assert compressed.rank == rank
    assert compressed.largest_error < 1e-6


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", [(60, 81), (60, 81, 3)])
def test_applying_is_the_reference_filter_of_the_restored_kernel(kind, shape):
    """One pass or two, grey or colour: within float32 of the reference filter."""
    compressed = compress(random(5, 1).values, kind)
    picture = np.random.default_rng(1).random(shape)
    expected = correlate(picture, compressed.kernel, "wrap")
    np.testing.assert_allclose(apply(compressed, picture, "wrap"), expected, atol=1e-5)


def test_the_output_error_is_measured_in_grey_levels():
    """A kernel that is off by e at its centre errs by e * 255 on a white picture."""
    kernel = np.zeros((3, 3))
    kernel[1, 1], kernel[0, 0] = 1.0, 0.37  # no fraction of 1 to 7: some error is left
    compressed = compress(kernel, "int4")
    effect = measure(kernel, compressed, np.ones((9, 9)), repeats=1)
    assert effect.output_error == pytest.approx(compressed.largest_error * 255, rel=1e-4)
    assert effect.seconds > 0
    assert effect.passes == "3 × 3"
    assert measure(SOBEL, compress(SOBEL, "separable"), PICTURE).passes == "3 + 3"


def test_another_kind_is_told():
    """An unknown kind raises DemoError."""
    with pytest.raises(DemoError):
        compress(SOBEL, "int2")
