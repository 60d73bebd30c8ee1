"""Pictures that contradict the kernel of all, found by their sums alone."""

import cv2
import numpy as np
import pytest

from kernel_demo.dataset import report
from kernel_demo.dataset.fitting import fit
from kernel_demo.dataset.settings import settings
from kernel_demo.dataset.store import Store
from kernel_demo.sources.shards import plan
from tests.dataset.engines import Inline
from tests.dataset.making import KERNEL, OTHER, filtered, picture, png, tar, tars


def run(path, store, size=3, **options):
    planned = plan([str(path)], True)
    (*_, last) = fit(planned, settings(size, None, **options), Store.at(str(store)), Inline())
    return last.result


def named_outliers(result) -> list[str]:
    return sorted(one.name.split("/")[-1] for one in result.outliers.first)


@pytest.mark.parametrize("size", [3, 5])
@pytest.mark.parametrize("strange", [(), (4,), (0, 7, 15), tuple(range(9))], ids=len)
def test_pairs_of_another_filter(tmp_path, strange, size):
    """Exactly these are named, up to nearly half of all; the kernel is that of the others."""
    tars(tmp_path, 4, 5, strange)
    result = run(tmp_path / "*.tar", tmp_path / "store", size)
    assert named_outliers(result) == [f"{seed:06d}" for seed in strange]
    assert result.outliers.tested == 20
    truth = np.pad(KERNEL, (size - 3) // 2)
    assert np.abs(result.solution.kernel - truth).max() < 3e-3
    if strange:
        assert f"{len(strange)} of 20 pairs" in report.sentence(result)


def test_without_outliers_the_kernel_is_that_of_the_others_alone(tmp_path):
    """To the last bit: what is taken away of whole numbers is gone."""
    tars(tmp_path / "some", 4, 5, (0, 7, 15))
    others = [seed for seed in range(20) if seed not in (0, 7, 15)]
    members = []
    for seed in others:
        before = picture(seed)
        members += [(f"{seed:06d}.before.png", png(before)),
                    (f"{seed:06d}.after.png", png(filtered(before)))]  # fmt: skip
    tar(tmp_path / "others.tar", members)
    some = run(tmp_path / "some/*.tar", tmp_path / "store")
    alone = run(tmp_path / "others.tar", tmp_path / "store")
    assert alone.outliers.count == 0
    assert some.solution.kernel.tobytes() == alone.solution.kernel.tobytes()
    assert some.solution.standard_error.tobytes() == alone.solution.standard_error.tobytes()


def many(folder, made, number=24):
    """A tar of so many pairs, each after as made(before, n)."""
    members = []
    for n in range(number):
        before = picture(n, 120, 140)
        before, after = made(before, n)
        members += [(f"{n:06d}.before.png", png(before)), (f"{n:06d}.after.png", png(after))]
    return tar(folder / "many.tar", members)


def jpeg(values, quality):
    data = cv2.imencode(".jpg", values, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def noisy(values, n):
    noise = np.random.default_rng(1000 + n).normal(0, n / 4, values.shape)
    return np.clip(np.rint(values + noise), 0, 255).astype(np.uint8)


INNOCENT = {
    "noise of any strength": lambda b, n: (b, noisy(filtered(b), n)),
    "JPEG of any quality": lambda b, n: (b, jpeg(filtered(b), 60 + n)),
    "JPEG before and after": lambda b, n: (jpeg(b, 50 + 2 * n), jpeg(filtered(b), 50 + 2 * n)),
    "smooth and rough pictures": lambda b, n: (
        (s := cv2.GaussianBlur(b, (0, 0), 0.5 + n / 8)), filtered(s),
    ),
    "rough pictures behind smooth ones": lambda b, n: (
        (s := cv2.GaussianBlur(b, (0, 0), 3.5 - n / 7)), filtered(s),
    ),
    "nearly flat pictures": lambda b, n: ((f := b // (1 + 4 * n) + 50), filtered(f)),
    "small and noisy pictures": lambda b, n: (b[:14, :16], noisy(filtered(b)[:14, :16], 40)),
    "clipped ones": lambda b, n: (b, filtered(b, KERNEL * 1.6)),
}  # fmt: skip


@pytest.mark.parametrize("how", INNOCENT)
def test_the_same_filter_is_not_accused(tmp_path, how):
    """One filter with noise, JPEG, clipping, of smooth and rough pictures: none is named."""
    result = run(many(tmp_path, INNOCENT[how]), tmp_path / "store")
    assert result.outliers.count == 0


def test_what_no_kernel_made(tmp_path):
    """Two pairs of other photos, and a median filter of strong noise: they are named."""

    def made(before, n):
        if n in (3, 17):
            return before, picture(100 + n, 120, 140)
        return before, filtered(before)

    result = run(many(tmp_path, made), tmp_path / "store")
    assert named_outliers(result) == ["000003", "000017"]
    assert np.abs(result.solution.kernel - KERNEL).max() < 1e-3


def test_no_common_filter(tmp_path):
    """Each pair by a filter of its own: that is said, instead of a kernel of all."""

    def made(before, n):
        return before, filtered(
            before, np.random.default_rng(n).dirichlet(np.ones(9)).reshape(3, 3)
        )

    result = run(many(tmp_path, made), tmp_path / "store")
    assert not result.outliers.common
    assert report.sentence(result).startswith("There is no common filter")
    told = report.as_dict(result)
    assert told["outliers"]["common"] is False
    assert told["kernel"] is told["standard_error"] is None


LARGE = 11  # a size at which no picture's own sums are kept


@pytest.mark.sweep(2)
@pytest.mark.parametrize("strange", [(), (15,), (0, 2, 5, 15, 23)], ids=len)
def test_of_large_kernels(tmp_path, strange):
    """Beyond 9 x 9: exactly these are named, first ones too; the kernel is that of the others."""

    def made(before, n):
        return before, filtered(before, OTHER if n in strange else KERNEL)

    result = run(many(tmp_path, made), tmp_path / "store", LARGE)
    assert named_outliers(result) == [f"{n:06d}" for n in strange]
    assert all(one.own < 0.35 < 0.5 < one.left for one in result.outliers.first)
    assert (result.outliers.tested, result.outliers.untested, result.outliers.strange) == (24, 0, 0)
    (tmp_path / "o").mkdir()
    rest = [n for n in range(24) if n not in strange]
    alone = run(of(tmp_path / "o", rest), tmp_path / "others", LARGE)
    assert result.solution.kernel.tobytes() == alone.solution.kernel.tobytes()
    assert result.solution.standard_error.tobytes() == alone.solution.standard_error.tobytes()


def of(folder, numbers, kernel=KERNEL):
    """A tar of these pairs alone."""
    members = []
    for n in numbers:
        before = picture(n, 120, 140)
        members += [(f"{n:06d}.before.png", png(before))]
        members += [(f"{n:06d}.after.png", png(filtered(before, kernel)))]
    return tar(folder / f"{numbers[0]:06d}.tar", members)


@pytest.mark.sweep(2)
@pytest.mark.parametrize("how", INNOCENT)
def test_the_same_large_filter_is_not_accused(tmp_path, how):
    """As for small ones: smooth first pictures leave open what rough ones then decide."""
    result = run(many(tmp_path, INNOCENT[how]), tmp_path / "store", LARGE)
    assert (result.outliers.count, result.outliers.strange) == (0, 0)


def test_a_shard_that_begins_with_another_filter(tmp_path):
    """Its other pictures, which are right, are not accused, nor is a word said for the first."""
    for start in (0, 24, 48):
        of(tmp_path, range(start, start + 12))
    odd = [m for n in range(6) for m in second(n, OTHER)] + [
        m for n in range(6, 24) for m in second(n, KERNEL)
    ]
    tar(tmp_path / "x.tar", odd)
    result = run(tmp_path / "*.tar", tmp_path / "store", LARGE)
    found = result.outliers
    assert (found.count, found.tested, found.strange) == (0, 36, 24)
    assert np.abs(result.solution.kernel - np.pad(KERNEL, (LARGE - 3) // 2)).max() < 3e-3
    assert "24 pairs of shards that have another kernel are left out" in report.sentence(result)
    assert "not looked at one by one" in report.as_dict(result)["outliers"]["note"]


def second(n, kernel):
    before = picture(100 + n, 120, 140)
    return [(f"{n:06d}.before.png", png(before)),
            (f"{n:06d}.after.png", png(filtered(before, kernel)))]  # fmt: skip


def test_a_shard_whose_first_pictures_disagree(tmp_path):
    """Four of eight by another filter: nobody is accused, and the report says so."""
    odd = [m for n in range(12) for m in second(n, OTHER if n % 2 else KERNEL)]
    tar(tmp_path / "x.tar", odd)
    of(tmp_path, range(24))
    result = run(tmp_path / "*.tar", tmp_path / "store", LARGE)
    assert (result.outliers.count, result.outliers.untested) == (0, 12)
    assert "12 pictures were not looked at" in report.as_dict(result)["outliers"]["note"]


def test_it_can_be_left_out(tmp_path):
    """No picture's own sums are kept then, and nothing is said of outliers."""
    tars(tmp_path, 2, 3, (1,))
    result = run(tmp_path / "*.tar", tmp_path / "store", outliers=False)
    assert result.outliers is None
    assert report.as_dict(result)["outliers"] is None
