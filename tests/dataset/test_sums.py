"""A shard's sums, against the patches themselves; and what is left out of them."""

import io

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from kernel_demo.dataset.settings import settings
from kernel_demo.dataset.sums import ShardSums, sum_shard
from kernel_demo.dataset.totals import packed
from kernel_demo.imaging.kernels import named, random
from kernel_demo.learning.statistics import Statistics
from kernel_demo.sources.shards import plan
from tests.dataset.making import KERNEL, filtered, pair, picture, png, tar, tars

PAIRS = settings(3, None)


def summed(path, asked=PAIRS):
    return sum_shard(plan([str(path)], pairs=asked.weights is None).shards[0], asked)


def brute(pairs, size) -> list[int]:
    """The sums in Python's whole numbers, patch by patch."""
    edge, total = size // 2, None
    for before, after in pairs:
        patches = sliding_window_view(before, (size, size)).reshape(-1, size**2).astype(object)
        y = after[edge : len(after) - edge, edge : after.shape[1] - edge].ravel().astype(object)
        gram = (patches.T @ patches)[np.triu_indices(size**2)]
        vector = [*gram, *(patches.T @ y), *patches.sum(0), y @ y, y.sum()]
        total = vector if total is None else [a + b for a, b in zip(total, vector, strict=True)]
    return total


@pytest.mark.parametrize("size", [3, 5])
def test_the_sums_of_a_tar(tmp_path, size):
    """Equal to Python's own whole numbers, patch by patch; and exact, as is said."""
    (path,) = tars(tmp_path, 1, 3)
    found = summed(path, settings(size, None))
    befores = [picture(seed) for seed in range(3)]
    assert found.total.high.tolist() == brute([(b, filtered(b)) for b in befores], size)
    assert not found.total.low.any()
    assert found.whole
    assert (found.pictures, found.pixels, found.left_out, found.clipped) == (
        3, 3 * (61 - size) * (71 - size), 0, 0
    )  # fmt: skip


def test_colours_are_a_plane_each(tmp_path):
    """A colour pair has the sums of its three channels, or of the one that was chosen."""
    before = np.dstack([picture(seed) for seed in range(3)])
    after = filtered(before)
    members = [("a.before.png", png(before)), ("a.after.png", png(after))]
    path = tar(tmp_path / "c.tar", members)
    planes = [(before[..., n], after[..., n]) for n in range(3)]  # blue, green, red
    assert summed(path).total.high.tolist() == brute(planes, 3)
    green = summed(path, settings(3, None, channel="green"))
    assert green.total.high.tolist() == brute(planes[1:2], 3)


def test_a_filter_of_ours_is_opencv_s(tmp_path):
    """--filter: the luminance before, and after it what OpenCV makes in float64."""
    (tmp_path / "p").mkdir()
    jpeg = cv2.imencode(".jpg", np.dstack([picture(seed) for seed in range(3)]))[1].tobytes()
    (tmp_path / "p" / "a.jpg").write_bytes(jpeg)
    kernel = random(5, 0)
    found = summed(tmp_path / "p", settings(7, kernel))
    before = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    after = cv2.filter2D(before.astype(np.float64), -1, kernel.values)
    sums = packed(Statistics.from_pair(before, after, 7))
    assert found.total.high == pytest.approx(sums, rel=1e-12)
    assert not found.whole
    assert found.pictures == 1


def test_sixteen_bits(tmp_path):
    """White is 65535, and the sums are exact."""
    before = picture(0).astype(np.uint16) * 257
    after = filtered(before)
    path = tar(tmp_path / "d.tar", [("a.before.png", png(before)), ("a.after.png", png(after))])
    found = summed(path)
    assert found.peak == 65535
    assert found.total.high.tolist() == brute([(before, after)], 3)
    assert found.whole


def parquet(path, rows, names=("before", "after")):
    kind = pa.struct({"bytes": pa.binary(), "path": pa.string()})
    columns = [
        pa.array([None if c is None else {"bytes": c, "path": "x"} for c in column], kind)
        for column in zip(*rows, strict=True)
    ]
    pq.write_table(pa.table(dict(zip(names, columns, strict=True))), path)
    return path


def test_a_parquet_file_has_the_sums_of_a_tar(tmp_path):
    """Columns before and after; a row without one is left out and named."""
    rows = [tuple(content for _, content in pair(seed)[:2]) for seed in range(3)]
    path = parquet(tmp_path / "p.parquet", [*rows, (rows[0][0], None)])
    found = summed(path)
    (same,) = tars(tmp_path, 1, 3)
    assert found.total.high.tobytes() == summed(same).total.high.tobytes()
    assert found.left_out == 1
    assert found.faults[0].name.endswith("p.parquet/3")


def test_a_parquet_file_without_the_columns(tmp_path):
    """It is left out, and its columns are told."""
    path = parquet(tmp_path / "p.parquet", [(png(picture(0)),)], ("photo",))
    found = summed(path)
    assert "no column “before”, only photo" in found.faults[0].reason
    assert summed(path, settings(3, named("sobel_x"))).pictures == 1


BROKEN = {
    "empty member": ([("9.before.png", b""), ("9.after.png", b"x")], "is empty"),
    "missing partner": ([("9.before.png", png(picture(9)))], "has no “after”"),
    "no picture": ([("9.before.png", b"nothing"), ("9.after.png", b"nothing")], "no picture"),
    "cut short": (
        [("9.before.png", png(picture(9))[:900]), ("9.after.png", png(picture(9)))], "damaged",
    ),
    "sizes": (
        [("9.before.png", png(picture(9))), ("9.after.png", png(picture(9, 60, 71)))],
        "70 × 60 and 71 × 60",
    ),
    "colours": (
        [("9.before.png", png(np.dstack([picture(9)] * 3))), ("9.after.png", png(picture(9)))],
        "colour of 8 bits and grey of 8 bits",
    ),
    "depths": (
        [("9.before.png", png(picture(9))), ("9.after.png", png(picture(9).astype(np.uint16)))],
        "grey of 8 bits and grey of 16 bits",
    ),
    "too small": (
        [("9.before.png", png(picture(9)[:2])), ("9.after.png", png(picture(9)[:2]))],
        "at least 3 × 3",
    ),
}  # fmt: skip


@pytest.mark.parametrize("how", BROKEN)
def test_what_is_broken_is_counted_and_named(tmp_path, how):
    """The pairs on either side of it are used, and have the sums that they have alone."""
    members, reason = BROKEN[how]
    found = summed(tar(tmp_path / "b.tar", [*pair(0), *members, *pair(1)]))
    whole = summed(tar(tmp_path / "w.tar", [*pair(0), *pair(1)]))
    assert found.total.high.tobytes() == whole.total.high.tobytes()
    assert (found.pictures, found.left_out) == (2, 1)
    assert found.faults[0].name == f"{tmp_path.name}/b.tar/9"
    assert reason in found.faults[0].reason


@pytest.mark.parametrize("left", [0, 300, 2000, 6000, 6656, 9000, 9300, -1024, -10240])
def test_a_truncated_tar(tmp_path, left):
    """Wherever it is cut, what is whole is used, once, and the loss is told."""
    (path,) = tars(tmp_path, 1, 3)
    content = path.read_bytes()
    path.write_bytes(content[:left])
    found = summed(path)
    befores = [picture(seed) for seed in range(found.pictures)]
    if befores:
        assert found.total.high.tolist() == brute([(b, filtered(b)) for b in befores], 3)
    assert found.pictures < 3 or left < 0
    assert found.left_out >= 1 or left == -1024


def test_damage_in_the_middle_of_a_tar(tmp_path):
    """What is no header is not taken for the end: the rest is told as lost."""
    (path,) = tars(tmp_path, 1, 3)
    content = bytearray(path.read_bytes())
    at = content.index(b"000001.before.png")
    content[at : at + 512] = b"x" * 512
    path.write_bytes(content)
    found = summed(path)
    assert (found.pictures, found.left_out) == (1, 1)
    assert "damaged" in found.faults[0].reason


def test_clipped_pixels_do_not_bend_the_kernel(tmp_path):
    """Half of what Sobel makes is below black. Naive least squares is off by 0.5 and more."""
    sobel = named("sobel_x").values
    members = []
    for seed in range(10):
        before = picture(seed)
        after = png(filtered(before, sobel))
        members += [(f"{seed}.before.png", png(before)), (f"{seed}.after.png", after)]
    found = summed(tar(tmp_path / "c.tar", members))
    solution = found.total.statistics(3, found.pixels, found.peak).solve()
    assert np.abs(solution.kernel - sobel).max() < 0.02
    assert found.clipped > found.pixels / 2
    naive = sum(
        (Statistics.from_pair(picture(s), filtered(picture(s), sobel), 3) for s in range(10)),
        Statistics.zero(3),
    )
    assert np.abs(naive.solve().kernel - sobel).max() > 0.5


def test_the_file_of_sums(tmp_path):
    """Written and read, it is the same; half of it is refused."""
    (path,) = tars(tmp_path, 1, 3)
    found = summed(path)
    content = found.to_bytes()
    back = ShardSums.from_bytes(content)
    for name, value in vars(found).items():
        if name != "total":
            assert np.array_equal(getattr(back, name), value), name
    assert back.total.high.tobytes() == found.total.high.tobytes()
    for part in (b"", content[: len(content) // 2], b"nothing"):
        with pytest.raises(ValueError, match="no file of sums"):
            ShardSums.from_bytes(part)


def test_it_is_a_pure_function(tmp_path):
    """Twice the same shard: the same bytes."""
    (path,) = tars(tmp_path, 1, 3)
    first, second = (np.load(io.BytesIO(summed(path).to_bytes())) for _ in range(2))
    for name in first.files:
        assert first[name].tobytes() == second[name].tobytes()
    assert KERNEL.shape == (3, 3)
