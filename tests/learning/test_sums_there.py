"""Sums of 8-bit pictures that lie on a device, and the GPU's fused way, against the CPU's.

The fused way runs on CUDA; where there is Triton, in its interpreter too, which takes a minute:
`TRITON_INTERPRET=1 python -m pytest tests/learning/test_sums_there.py`.
"""

import os

import numpy as np
import pytest
import torch

from kernel_demo.errors import DemoError
from kernel_demo.learning import sums
from kernel_demo.learning.statistics import Statistics
from tests.learning.explicit import assert_same_bits, picture

INTERPRETED = os.environ.get("TRITON_INTERPRET") == "1"
cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
# One column of programs or two, one row of them or several, rows that are whole words or not.
SHAPES = [(3, (3, 3)), (3, (14, 8)), (3, (4, 517)), (5, (7, 21)), (7, (7, 7))]
LARGER = [(3, (701, 1030)), (5, (130, 517)), (7, (333, 640)), (7, (64, 64))]


def on(device, *pictures):
    return [torch.from_numpy(each).to(device) for each in pictures]


def pair(shape):
    return picture(shape, np.uint8, 1), picture(shape, np.uint8, 2)


@pytest.mark.parametrize(
    ("size", "shape"), [(1, (9, 7)), (3, (40, 31)), (9, (9, 70)), (15, (70, 290)), (31, (70, 90))]
)
def test_without_the_fused_way_the_same_bits(monkeypatch, device64, size, shape):
    """Where there is no Triton, or the kernel is too large for it: the CPU's whole numbers."""
    monkeypatch.setattr(sums, "fused_way", lambda: None)
    before, after = pair(shape)
    found = sums.patch_sums_there(*on(device64, before, after), size)
    assert_same_bits(found, sums.patch_sums(before, after, size))


def test_wider_than_one_cut(monkeypatch, device64):
    """Wider than the widest strip: cut into parts that overlap by k - 1, nothing lost."""
    monkeypatch.setattr(sums, "fused_way", lambda: None)
    monkeypatch.setattr(sums, "WIDEST", 50)
    before, after = pair((30, 140))
    found = sums.patch_sums_there(*on(device64, before, after), 5)
    assert_same_bits(found, sums.patch_sums(before, after, 5))


@pytest.mark.parametrize(("size", "shape"), SHAPES if INTERPRETED else SHAPES + LARGER)
def test_the_fused_way_has_the_same_bits(device64, size, shape):
    """Each pixel read once, each whole number that of the CPU."""
    fused = sums.fused_way()
    trouble = fused.trouble(torch.device(device64)) if fused else "there is no Triton"
    if trouble:
        pytest.skip(trouble)
    before, after = pair(shape)
    found = sums.patch_sums_there(*on(device64, before, after), size)
    assert_same_bits(found, sums.patch_sums(before, after, size))


@cuda
@pytest.mark.parametrize("size", [3, 5, 7, 15])
def test_extreme_pictures_do_not_overflow_on_the_gpu(size):
    """All black is the largest product about mid-grey, on as many rows as a program has."""
    shape = (4099, 4100)
    count = (shape[0] - size + 1) * (shape[1] - size + 1)
    for before, after in [(0, 0), (0, 255), (255, 255)]:
        b, a = (torch.full(shape, v, dtype=torch.uint8, device="cuda") for v in (before, after))
        found = Statistics.from_pair(b, a, size)
        assert (found.gram == before * before * count).all()
        assert (found.cross == before * after * count).all()
        assert found.energy == after * after * count


@cuda
@pytest.mark.parametrize("size", [3, 7, 9])
def test_pictures_on_the_gpu(size):
    """Views, transposes and odd widths too; the sums are those of the same pictures at home."""
    before, after = pair((310, 423))
    for cut in (np.s_[:, :], np.s_[5:, 3:], np.s_[::2, ::3], np.s_[:, 1:421]):
        expected = Statistics.from_pair(before[cut], after[cut], size)
        there = [each[cut] for each in on("cuda", before, after)]
        turned = Statistics.from_pair(before[cut].T, after[cut].T, size)
        for found, right in (
            (Statistics.from_pair(*there, size), expected),
            (Statistics.from_pair(*(each.T for each in there), size), turned),
        ):
            np.testing.assert_array_equal(found.gram, right.gram)
            np.testing.assert_array_equal(found.cross, right.cross)
            np.testing.assert_array_equal(found.patch_sum, right.patch_sum)
            assert (found.energy, found.after_sum) == (right.energy, right.after_sum)
            assert (found.count, found.peak) == (right.count, 255)


@cuda
def test_two_sizes_on_the_gpu_are_refused():
    """With the sentence that arrays get."""
    there = [torch.zeros(shape, dtype=torch.uint8, device="cuda") for shape in ((9, 9), (9, 8))]
    with pytest.raises(DemoError, match="9 × 9 and 9 × 8"):
        Statistics.from_pair(*there, 3)


def test_tensors_are_taken_like_arrays(device):
    """In any type that arrays have, with a mask, and one of each: the sums of the arrays."""
    for dtype in (np.uint8, np.float32):
        before, after = picture((40, 50), dtype, 1), picture((40, 50), dtype, 2)
        mask = picture((40, 50), np.uint8, 3) > 20
        there = on(device, before, after)
        for how in (there, (before, there[1])):
            for chosen in (None, mask):
                found = Statistics.from_pair(*how, 3, chosen)
                expected = Statistics.from_pair(before, after, 3, chosen)
                np.testing.assert_array_equal(found.gram, expected.gram)
