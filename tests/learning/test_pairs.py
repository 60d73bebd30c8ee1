"""Tiles that hold every valid pixel once, and what is left out or refused."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import correlate, correlate_valid
from kernel_demo.learning import pairs
from kernel_demo.learning.pairs import build, teacher

KERNEL = np.array([[1, 2, 0], [0, -5, 3], [0, 1, -1.0]])


def pictures(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.random(shape, dtype=np.float32) for shape in shapes]


def valid_pixels(shapes, size):
    return sum((h - size + 1) * (w - size + 1) for h, w in shapes)


# Exact multiples of the tile, remainders, one axis smaller than the tile, as small as the kernel.
SHAPES = [(66, 34), (70, 45), (20, 100), (100, 9), (3, 3), (3, 40), (17, 17)]


@pytest.mark.parametrize("shape", SHAPES)
def test_every_valid_pixel_counts_once(shape):
    """Spread back to where they came from, the weights are 1 on every valid pixel."""
    height, width = shape
    before = np.arange(height * width, dtype=np.float32).reshape(shape)  # each pixel its own name
    tiles = build([before], [before], size=3, tile=16)
    counted = tiles.after[tiles.weight == 1].numpy()
    assert np.array_equal(np.sort(counted), before[1:-1, 1:-1].ravel())
    assert set(np.unique(tiles.weight)) <= {0.0, 1.0}


@pytest.mark.parametrize("size", [3, 7, 15])
def test_sum_of_weights(size):
    """Over several pictures the weights sum to the number of valid pixels."""
    shapes = [(66, 34), (70, 45), (20, 100), (15, 15)]
    befores = pictures(*shapes)
    tiles = build(befores, befores, size, tile=16)
    assert tiles.weight.sum().item() == valid_pixels(shapes, size)


@pytest.mark.parametrize("size", [3, 5, 9])
def test_loss_over_tiles_is_the_mean_over_valid_pixels(size):
    """sum w (out - after)^2 / sum w over the tiles is the mean squared error of whole pictures."""
    befores = pictures((50, 70), (33, 20), (9, 64))
    true, other = np.random.default_rng(1).standard_normal((2, size, size))
    afters = teacher(befores, true)
    tiles = build(befores, afters, size, tile=16)
    out = F.conv2d(tiles.before.double(), torch.from_numpy(other)[None, None])
    loss = (tiles.weight * (out - tiles.after).square()).sum() / tiles.weight.sum()
    errors = [
        correlate_valid(before.astype(np.float64), other)
        - after[size // 2 : -(size // 2), size // 2 : -(size // 2)]
        for before, after in zip(befores, afters, strict=True)
    ]
    expected = np.mean(np.concatenate([error.ravel() for error in errors]) ** 2)
    assert loss.item() == pytest.approx(expected, rel=1e-12)  # both in float64


@pytest.mark.parametrize("shape", [(66, 34), (20, 100), (9, 12)])
def test_tiles_of_a_true_pair_agree_with_its_kernel(shape):
    """Wherever a pixel counts, the kernel on the tile's halo gives the tile's after."""
    before = pictures(shape)
    tiles = build(before, teacher(before, KERNEL), size=3, tile=16)
    out = F.conv2d(tiles.before, torch.from_numpy(KERNEL).float()[None, None])
    assert (tiles.weight * (out - tiles.after)).abs().max() < 1e-5  # float32, values up to 12


def test_border_of_the_after_is_never_read():
    """Whatever stands in the border of the after pictures, the tiles are the same."""
    (before,) = pictures((40, 50))
    after = correlate(before, KERNEL)
    spoilt = np.full_like(after, 1e9)
    spoilt[1:-1, 1:-1] = after[1:-1, 1:-1]
    assert torch.equal(build([before], [after], 3).after, build([before], [spoilt], 3).after)


def test_masked_pixels_do_not_count():
    """A mask takes its pixels out, even NaN, and nothing else."""
    (before,) = pictures((40, 50))
    after = correlate(before, KERNEL)
    mask = np.random.default_rng(2).random(after.shape) > 0.3
    after[~mask] = np.nan
    tiles = build([before], [after], 3, tile=16, masks=[mask])
    assert tiles.weight.sum().item() == mask[1:-1, 1:-1].sum()
    assert torch.isfinite(tiles.after).all()


def test_tiles_without_a_pixel_that_counts_are_left_out():
    """A tile that the mask empties is not laid on the device."""
    (before,) = pictures((34, 50))
    mask = np.ones(before.shape, bool)
    mask[:, :17] = False
    whole = build([before], [before], 3, tile=16)
    masked = build([before], [before], 3, tile=16, masks=[mask])
    assert (len(whole.before), len(masked.before)) == (6, 4)


@pytest.mark.parametrize(("shape", "held"), [((162, 162), 10), ((34, 18), 1), ((50, 114), 2)])
def test_a_tenth_is_held_out(shape, held):
    """Training and validation share no tile, make up all, and a tenth (at least one) is held."""
    before = pictures(shape)
    tiles = build(before, before, 3, tile=16, seed=4)
    training, validation = set(tiles.training.tolist()), set(tiles.validation.tolist())
    assert len(validation) == held
    assert training | validation == set(range(len(tiles.before)))
    assert not training & validation


def test_seed_chooses_what_is_held_out():
    """The same seed holds out the same tiles, another seed others."""
    before = pictures((162, 162))
    first, again, other = (build(before, before, 3, tile=16, seed=s).validation for s in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_a_single_tile_is_both():
    """With one tile nothing can be held out: it validates too."""
    before = pictures((20, 20))
    tiles = build(before, before, 3)
    assert tiles.training.tolist() == tiles.validation.tolist() == [0]


def test_small_pictures_are_left_out():
    """Pictures smaller than the kernel are left out; the others are used."""
    befores = pictures((40, 40), (4, 40), (40, 40), (40, 2))
    tiles = build(befores, befores, 5, tile=16)
    assert tiles.weight.sum().item() == 2 * 36 * 36


def test_memory_is_bounded(monkeypatch):
    """Past the bound a random choice of tiles is used."""
    befores = pictures((162, 162))
    tile_bytes = 4 * (18**2 + 2 * 16**2)
    monkeypatch.setattr(pairs, "MAX_BYTES", 30 * tile_bytes)
    tiles = build(befores, befores, 3, tile=16)
    assert len(tiles.before) == 30
    assert tiles.weight.sum().item() == 30 * 16 * 16


def test_same_device_costs_nothing():
    """to() the device where the tiles lie copies nothing."""
    before = pictures((40, 40))
    tiles = build(before, before, 3)
    assert tiles.to("cpu").before.data_ptr() == tiles.before.data_ptr()


def spoilt(value):
    (picture,) = pictures((20, 20))
    picture[3, 4] = value
    return picture


GOOD, OTHER = pictures((20, 20), (20, 21))
CONSTANT = np.full((30, 30), 0.5, np.float32)
REFUSED = {
    "no picture": ([], [], None, "at least one picture"),
    "one after is missing": ([GOOD, GOOD], [GOOD], None, "an after picture for every"),
    "another shape": ([GOOD], [OTHER], None, "20 × 20 and 20 × 21"),
    "a mask of another shape": ([GOOD], [GOOD], [OTHER > 0], "one height and width"),
    "colour": ([np.zeros((20, 20, 3))], [np.zeros((20, 20, 3))], None, "in grey"),
    "NaN before": ([GOOD, spoilt(np.nan)], [GOOD, GOOD], None, "infinity in picture 2"),
    "infinity after": ([GOOD], [spoilt(np.inf)], None, "infinity in picture 1"),
    "all too small": (
        [GOOD[:4]],
        [GOOD[:4]],
        None,
        "at least 5 × 5 pixels for a 5 × 5.*, up to \\d+ × 4",
    ),
    "constant": ([CONSTANT], [CONSTANT], None, "cannot tell kernels apart"),
    "all constant": ([CONSTANT, CONSTANT / 2], [CONSTANT, CONSTANT / 2], None, "cannot tell"),
    "all masked": ([GOOD], [GOOD], [np.zeros(GOOD.shape, bool)], "masks that leave none"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case):
    """Pictures that cannot teach a kernel are refused, and the message names the reason."""
    befores, afters, masks, message = REFUSED[case]
    with pytest.raises(DemoError, match=message):
        build(befores, afters, 5, masks=masks)


@pytest.mark.parametrize(("size", "tile"), [(4, 64), (33, 64), (1, 64), (3, 4), (3, 1000)])
def test_impossible_sizes_are_refused(size, tile):
    """Kernel and tile sizes out of their bounds are refused."""
    with pytest.raises(DemoError):
        build([GOOD], [GOOD], size, tile)
