"""One pass over a pair, by every way there is, against sums over explicit patches."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.learning import sums
from kernel_demo.learning.statistics import Statistics
from kernel_demo.learning.sums import patch_sums
from tests.learning.explicit import assert_close, assert_same_bits, picture


def rows(before, after, size, mask=None):
    """Patches (n, k*k) and answers (n,), as float64: the matrix X and the vector y."""
    edge = size // 2
    inside = np.s_[edge : before.shape[0] - edge, edge : before.shape[1] - edge]
    patches = sliding_window_view(before, (size, size)).reshape(-1, size * size)
    answers = after[inside].ravel()
    keep = slice(None) if mask is None else mask[inside].ravel()
    return patches[keep].astype(np.float64), answers[keep].astype(np.float64)


def brute_force(before, after, size, mask=None):
    """The six sums, in Python's way: whole numbers stay whole numbers."""
    patches, answers = rows(before, after, size, mask)
    if before.dtype.kind == after.dtype.kind == "u":
        patches, answers = patches.astype(np.int64), answers.astype(np.int64)
    products = (patches.T @ patches, patches.T @ answers, patches.sum(0))
    return (*products, answers @ answers, answers.sum(), len(answers))


SHAPES = [(3, (3, 3)), (3, (40, 31)), (5, (5, 90)), (7, (64, 64)), (9, (33, 70)), (13, (40, 57))]


@pytest.fixture(autouse=True)
def small_pictures_go_the_long_way(monkeypatch):
    """Test the lags on pictures for which the program would add up patches."""
    monkeypatch.setattr(sums, "SMALL", 0)


class TestSumsAgainstExplicitPatches:
    @pytest.mark.parametrize("share", [None, 0.8, 0.3], ids=["whole", "few out", "few in"])
    @pytest.mark.parametrize(("size", "shape"), SHAPES)
    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_whole_numbers_are_exact(self, device64, dtype, size, shape, share):
        """For 8 and 16-bit pictures every sum is the integer that integers give."""
        before, after = picture(shape, dtype, 1), picture(shape, dtype, 2)
        mask = None if share is None else np.random.default_rng(3).random(shape) < share
        if mask is not None and mask.mean() * (shape[0] - size) * (shape[1] - size) < size**2 * 2:
            mask = np.ones(shape, bool)
        found = patch_sums(before, after, size, mask, device64)
        assert_same_bits(found, brute_force(before, after, size, mask))

    @pytest.mark.parametrize("share", [None, 0.8, 0.3], ids=["whole", "few out", "few in"])
    @pytest.mark.parametrize(("size", "shape"), SHAPES)
    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_floats_agree_to_rounding(self, device64, dtype, size, shape, share):
        """For float pictures every sum is right to 1e-12 of the largest of its kind."""
        before, after = picture(shape, dtype, 1), picture(shape, dtype, 2)
        mask = None if share is None else np.random.default_rng(3).random(shape) < share
        found = patch_sums(before, after, size, mask, device64)
        assert_close(found, brute_force(before, after, size, mask))

    @pytest.mark.parametrize(
        ("way", "level"), [(sums.Norms, 0.0), (sums.Products, 128.0), (sums.Transforms, 128.0)]
    )
    @pytest.mark.parametrize("size", [1, 3, 7, 11, 31])
    def test_every_way_to_the_lags_is_exact(self, monkeypatch, device64, way, level, size):
        """Norms, products and transforms give the same whole numbers, also at the largest size."""
        monkeypatch.setattr(sums, "_quickest", lambda *_: (way, level))
        before, after = picture((70, 290), np.uint8, 4), picture((70, 290), np.uint8, 5)
        patches, answers = rows(before, after, size)  # float64 holds these sums exactly
        edge = size // 2
        target = after[edge : len(after) - edge, edge : after.shape[1] - edge]
        # On a GPU, pictures of 8 bits have a way of their own: this asks for the one that is named.
        found = sums._whole(before, target, size, device64)
        np.testing.assert_array_equal(found.gram, patches.T @ patches)
        np.testing.assert_array_equal(found.cross, patches.T @ answers)

    @pytest.mark.parametrize("size", [3, 15])
    def test_extreme_pictures_stay_exact(self, device64, size):
        """All black and all white are the largest sums about mid-grey: still no rounding."""
        for before, after in [(0, 255), (255, 0), (255, 255)]:
            shape = (600, 700)
            b, a = np.full(shape, before, np.uint8), np.full(shape, after, np.uint8)
            found = patch_sums(b, a, size, device=device64)
            count = (shape[0] - size + 1) * (shape[1] - size + 1)
            assert (found.gram == before * before * count).all()
            assert (found.cross == before * after * count).all()
            assert found.energy == after * after * count

    def test_a_picture_wider_than_one_cut(self, device64):
        """Wider than the widest strip: cut into parts that overlap by k - 1, nothing lost."""
        shape = (9, 2 * sums.WIDEST + 100)
        before, after = picture(shape, np.uint8, 6), picture(shape, np.uint8, 7)
        found = patch_sums(before, after, 5, device=device64)
        assert_same_bits(found, brute_force(before, after, 5))

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
    def test_the_short_way_of_small_pictures(self, monkeypatch, dtype):
        """Adding up the patches of a small picture gives the same whole numbers."""
        before, after = picture((40, 50), dtype, 1), picture((40, 50), dtype, 2)
        long = patch_sums(before, after, 5)
        monkeypatch.setattr(sums, "SMALL", 2**30)
        assert_same_bits(patch_sums(before, after, 5), long)

    def test_a_view_of_a_picture(self, device64):
        """Slices, transposes and read-only pictures are taken as they are."""
        whole = picture((80, 90), np.uint8, 8)
        before, after = whole[::2, ::-1].T, whole[1::2].T
        before.setflags(write=False)
        found = patch_sums(before, after, 3, device=device64)
        assert_same_bits(found, brute_force(before, after, 3))

    @pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32, np.float64])
    @pytest.mark.parametrize("size", [3, 17])
    def test_read_only_pictures_are_only_read(self, warnings_raise, dtype, size):
        """Torch need not warn of what nobody does: no warning, no filter, the very same sums."""
        pair = [picture((120, 90), dtype, seed) for seed in (1, 2)]
        mask = picture((120, 90), np.uint8, 3) > 20
        kept = [each.copy() for each in pair]
        expected = [patch_sums(*pair, size), patch_sums(*pair, size, mask)]
        for each in pair:
            each.setflags(write=False)
        found = [patch_sums(*pair, size), patch_sums(*pair, size, mask)]
        for one, other in zip(found, expected, strict=True):
            assert_same_bits(one, other)
        for one, other in zip(pair, kept, strict=True):
            np.testing.assert_array_equal(one, other)


class TestThreads:
    def test_shared_among_threads_nothing_changes(self, monkeypatch):
        """Four threads or one: the same whole numbers."""
        monkeypatch.setattr(sums, "STRIP_PIXELS", 2**12)
        before, after = picture((200, 150), np.uint8, 1), picture((200, 150), np.uint8, 2)
        for size in (5, 15, 17):
            monkeypatch.setattr(sums, "_workers", lambda *_: 1)
            alone = patch_sums(before, after, size)
            monkeypatch.setattr(sums, "_workers", lambda *_: 4)
            assert_same_bits(patch_sums(before, after, size), alone)


@pytest.mark.parametrize(
    ("size", "shape"), [(3, (200, 300)), (7, (150, 210)), (17, (60, 90)), (3, (9, 5000))]
)
def test_eight_bits_before_and_floats_after(size, shape):
    """X'X is exact as of 8-bit pairs; X'y is what float64 makes of it, of whole numbers exactly."""
    rng = np.random.default_rng(size)
    before = rng.integers(0, 256, shape).astype(np.uint8)
    after = rng.normal(0, 100, shape)
    found, deep = (
        Statistics.from_pair(before.astype(kind), after, size) for kind in (np.uint8, np.float64)
    )
    assert found.cross == pytest.approx(deep.cross, rel=1e-11, abs=1e-11 * np.abs(deep.cross).max())
    assert np.array_equal(found.gram, np.rint(found.gram))
    assert found.gram == pytest.approx(deep.gram, rel=1e-12)
    whole = np.rint(after)
    exact = Statistics.from_pair(before, whole, size)
    inside = before[: shape[0] - size + 1, : shape[1] - size + 1].astype(np.int64).ravel()
    edge = size // 2
    y = whole[edge : shape[0] - edge, edge : shape[1] - edge].astype(np.int64).ravel()
    assert exact.cross[0] == inside @ y
