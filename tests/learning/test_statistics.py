"""The record of the exact sums: merging, shrinking, loss and gradient, and what it refuses."""

import numpy as np
import pytest
import torch

from kernel_demo.errors import DemoError
from kernel_demo.learning.statistics import Statistics, accumulate
from tests.learning.explicit import FIELDS, assert_close, assert_same_bits, picture


def values(statistics):
    return [getattr(statistics, name) for name in FIELDS]


class TestTheRecord:
    def test_only_the_interior_of_after_is_read(self):
        """What stands in after's border changes nothing: it depends on the padding."""
        before, after = picture((30, 40), np.uint8, 1), picture((30, 40), np.uint8, 2)
        other = after.copy()
        other[:2], other[:, -2:] = 99, 7
        one, two = Statistics.from_pair(before, after, 5), Statistics.from_pair(before, other, 5)
        assert_same_bits(values(one), values(two))

    def test_worked_by_hand(self):
        """A 4 x 3 picture has two 3 x 3 patches; the corner entries of X'X are two products."""
        before = np.arange(12, dtype=np.uint8).reshape(4, 3)
        after = before + np.uint8(1)
        s = Statistics.from_pair(before, after, 3)
        assert (s.count, s.energy, s.after_sum) == (2, 5**2 + 8**2, 5 + 8)
        assert s.gram[0, 8] == 0 * 8 + 3 * 11
        assert s.cross[1] == 1 * 5 + 4 * 8
        assert s.patch_sum[4] == 4 + 7
        assert s.peak == 255


class TestAddingUp:
    @pytest.mark.parametrize("size", [3, 9, 15])
    def test_tiles_and_any_order_give_the_same_bits(self, size):
        """8-bit: cut into tiles with a halo and merged in any order equals the whole."""
        before, after = picture((120, 150), np.uint8, 1), picture((120, 150), np.uint8, 2)
        edge, step = size // 2, 50
        tiles = [
            np.s_[max(y - edge, 0) : y + step + edge, max(x - edge, 0) : x + step + edge]
            for y in range(edge, 120 - edge, step)
            for x in range(edge, 150 - edge, step)
        ]
        parts = [Statistics.from_pair(before[t], after[t], size) for t in tiles]
        whole = Statistics.from_pair(before, after, size)
        for seed in range(3):
            order = np.random.default_rng(seed).permutation(len(parts))
            total = sum((parts[i] for i in order), Statistics.zero(size))
            assert_same_bits(values(total), values(whole))

    def test_float_tiles_agree_with_the_whole(self):
        """Float: to 1e-12, as sums in float64 do."""
        before, after = picture((90, 80), np.float32, 1), picture((90, 80), np.float32, 2)
        top = Statistics.from_pair(before[:50], after[:50], 7)
        bottom = Statistics.from_pair(before[44:], after[44:], 7)
        assert_close(values(top + bottom), values(Statistics.from_pair(before, after, 7)))

    @pytest.mark.parametrize("smaller", [1, 3, 5, 7])
    def test_shrinking_is_the_smaller_kernel_on_the_same_pixels(self, smaller):
        """Sub-blocks: what a pass at the smaller size gives on the larger one's valid pixels."""
        before, after = picture((40, 50), np.uint8, 1), picture((40, 50), np.uint8, 2)
        edge = (9 - smaller) // 2
        inner = np.s_[edge : 40 - edge, edge : 50 - edge]
        expected = Statistics.from_pair(before[inner], after[inner], smaller)
        found = Statistics.from_pair(before, after, 9).shrink(smaller)
        assert_same_bits(values(found), values(expected))

    def test_sizes_and_ranges_do_not_mix(self):
        """Sums of other sizes or bit depths are refused, with the reason."""
        eight = Statistics.from_pair(picture((9, 9), np.uint8), picture((9, 9), np.uint8), 3)
        sixteen = Statistics.from_pair(picture((9, 9), np.uint16), picture((9, 9), np.uint16), 3)
        with pytest.raises(DemoError, match="one size"):
            eight + Statistics.zero(5)
        with pytest.raises(DemoError, match="one range"):
            eight + sixteen
        with pytest.raises(DemoError, match="from 1 to 3"):
            eight.shrink(5)

    def test_sums_cannot_be_changed(self):
        """The record owns its arrays and keeps them."""
        with pytest.raises(ValueError, match="read-only"):
            Statistics.zero(3).gram[0, 0] = 1


class TestBadInput:
    GOOD = (picture((20, 20), np.uint8, 1), picture((20, 20), np.uint8, 2))

    @pytest.mark.parametrize(
        ("before", "after", "mask", "words"),
        [
            (np.zeros((2, 9), np.uint8), np.zeros((2, 9), np.uint8), None, "at least 3 × 3"),
            (np.zeros((9, 9), np.uint8), np.zeros((9, 8), np.uint8), None, "one size"),
            (np.zeros((9, 9, 3), np.uint8), np.zeros((9, 9, 3), np.uint8), None, "grey picture"),
            (np.zeros((0, 9), np.uint8), np.zeros((0, 9), np.uint8), None, "grey picture"),
            (np.zeros((9, 9), np.int32), np.zeros((9, 9), np.int32), None, "uint8"),
            (np.full((9, 9), np.nan), np.zeros((9, 9)), None, "81 pixels that are NaN"),
            (np.zeros((9, 9)), np.full((9, 9), np.inf), None, "finite numbers in after"),
            (*GOOD, np.ones((20, 19), bool), "20 × 20"),
            (*GOOD, np.ones(20, bool), "20 × 20"),
            (*GOOD, np.eye(20, dtype=bool) & (np.arange(20) < 10), "at least 10 pixels"),
        ],
    )
    def test_is_named(self, before, after, mask, words):
        """What is wrong with a pair is said, with what came and what to do."""
        with pytest.raises(DemoError, match=words):
            Statistics.from_pair(before, after, 3, mask)

    @pytest.mark.parametrize("size", [0, 2, 35, -3])
    def test_sizes_that_are_none(self, size):
        """Even, negative and oversized kernels are refused."""
        with pytest.raises(DemoError, match="odd size"):
            Statistics.from_pair(*self.GOOD, size)

    def test_sums_on_each_device(self, device):
        """By the device's name, `auto` too, the sums are those of the CPU: whole numbers."""
        expected = values(Statistics.from_pair(*self.GOOD, 3))
        for name in (device, "auto"):
            assert_same_bits(values(Statistics.from_pair(*self.GOOD, 3, device=name)), expected)
            assert_same_bits(values(accumulate([self.GOOD], 3, name)[0]), expected)

    @pytest.mark.parametrize("choice", ["mps", "cuda", "tpu"])
    def test_a_device_that_is_not_there(self, monkeypatch, choice):
        """It is refused with what there is, also of many pairs: it is no fault of a pair."""
        monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
        with pytest.raises(DemoError, match="a device"):
            Statistics.from_pair(*self.GOOD, 3, device=choice)
        with pytest.raises(DemoError, match="a device"):
            accumulate([self.GOOD], 3, choice)

    def test_one_broken_pair_in_a_thousand_is_left_out(self):
        """The rest is used, to the bit; the broken pair is named by its number."""
        good = [(picture((8, 8), np.uint8, 1), picture((8, 8), np.uint8, 2))]
        pairs = good * 999
        broken = (np.full((8, 8), np.nan), np.zeros((8, 8)))
        total, problems = accumulate([*pairs[:400], broken, *pairs[400:]], 3)
        assert len(problems) == 1
        assert problems[0].startswith("pair 401: Expected finite numbers in before")
        assert total.count == 999 * 36
        np.testing.assert_array_equal(total.gram, 999 * Statistics.from_pair(*good[0], 3).gram)

    def test_masks_and_other_bit_depths_are_left_out_too(self):
        """A wrong mask or a pair of another range does not stop the pass."""
        wrong_mask = (*self.GOOD, np.ones((3, 3), bool))
        other_range = tuple(p.astype(np.float32) / 255 for p in self.GOOD)
        total, problems = accumulate([self.GOOD, wrong_mask, other_range], 3)
        assert [p.split(":")[0] for p in problems] == ["pair 2", "pair 3"]
        assert total.count == 18 * 18

    def test_nothing_usable_is_a_value(self):
        """No pair at all: zero sums, and a solution that says why it is none."""
        total, problems = accumulate([], 3)
        assert (total.count, problems) == (0, ())
        solution = total.solve()
        assert solution.singular
        assert "0 usable pixels" in solution.cause
        assert solution.remedy
