"""The record of a recovery: one shape inside, flattened where it leaves as plain data."""

import json

import numpy as np
import pytest
from PIL import Image

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import LUMINANCE, correlate
from kernel_demo.recovery import Channels, recover
from kernel_demo.sources.bundled import FOLDER

COLOUR = np.asarray(Image.open(FOLDER / "cat.jpg").convert("RGB"))[60:200, 100:260]
SMOOTH = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]]) / 16
SHARPEN = np.array([[0, -1, 0], [-1, 8, -1], [0, -1, 0]]) / 4
SKEW = np.array([[0, 1, 2], [-1, 4, 1], [-2, -1, 0]]) / 4
SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
PIXEL = np.pad([[1.0]], 1)

# (before, true kernels as (outputs, inputs, 3, 3), offsets, the same as plain data)
PAIRS = {
    Channels.ONE: (COLOUR, SHARPEN[None, None], 3, SHARPEN),
    Channels.EACH: (COLOUR, np.stack([SMOOTH, SHARPEN, SKEW])[:, None], 0, [SMOOTH, SHARPEN, SKEW]),
    Channels.MIXTURE: (
        COLOUR,
        np.multiply.outer(SEPIA, PIXEL),
        0,
        np.multiply.outer(SEPIA, PIXEL),
    ),
    Channels.GREY: (COLOUR, SMOOTH[None, None], 0, SMOOTH),
}


def applied(before: np.ndarray, kernels: np.ndarray, offset) -> np.ndarray:
    """H x W x C through (outputs, inputs, k, k), as the record's docstring says it; unrounded."""
    planes = np.moveaxis(before.astype(float), -1, 0)
    outputs, inputs = kernels.shape[:2]
    offsets = np.broadcast_to(offset, max(outputs, len(planes)))
    found = []
    for a in range(max(outputs, len(planes))):
        own = planes if inputs > 1 else planes[[a]]
        row = kernels[min(a, outputs - 1)]
        pairs = zip(own, row, strict=True)
        found.append(sum(correlate(p, k, "replicate") for p, k in pairs) + offsets[a])
    return np.stack(found, axis=-1)


def as_file(values: np.ndarray) -> np.ndarray:
    return np.clip(np.floor(values + 0.5), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=PAIRS, ids=lambda mode: mode.name)
def pair(request):
    """(arrangement, what the kernels are applied to, true kernels, plain kernels, the record)."""
    before, true, offset, plain = PAIRS[request.param]
    through = before
    if request.param == Channels.GREY:
        through = as_file(before @ np.array(LUMINANCE))[..., None]
    after = as_file(applied(through, true, offset))
    found = recover(before, after, max_size=5)
    return request.param, through, true, np.asarray(plain), found


def test_kernels_have_one_shape(pair):
    """(outputs, inputs, k, k) with errors alike: applied as told, they make the picture after."""
    mode, through, true, _, found = pair
    assert found.channels == mode
    assert found.kernel.shape == found.standard_error.shape == true.shape
    np.testing.assert_allclose(found.kernel, true, atol=2e-3)
    inside = np.s_[1:-1, 1:-1]
    made = applied(through, found.kernel, found.offset)[inside]
    reproduced = found.reproduction.reshape(through.shape)[inside]
    # Ties between two levels may fall otherwise here: nowhere is a pixel off by more than one.
    assert np.abs(as_file(made).astype(int) - reproduced).max() <= 1


def test_plain_data_is_flat(pair):
    """Endpoints, --json and reports: k x k for one kernel, and what there is one of is no list."""
    mode, _, true, plain, found = pair
    told = json.loads(json.dumps(found.as_dict()))
    assert np.shape(told["kernel"]) == np.shape(told["standard_error"]) == plain.shape
    np.testing.assert_allclose(told["kernel"], plain, atol=2e-3)
    alone = len(true) == 1
    assert np.shape(told["offset"]) == (() if alone else (3,))
    fractions = told["fractions"]
    if mode == Channels.MIXTURE:
        assert fractions is None
    elif mode == Channels.EACH:
        assert [whole["divisor"] for whole in fractions] == [16, 4, 4]
    else:
        assert np.allclose(np.array(fractions["numerators"]) / fractions["divisor"], plain)
    if mode == Channels.GREY:
        assert told["channel_weights"] == pytest.approx(LUMINANCE, abs=1e-3)
    else:
        assert told["channel_weights"] is None
    assert (told["size"], told["channels"]) == (3, str(mode))


@pytest.mark.parametrize("size", [4, 1, 33, "many", True, float("nan")])
def test_a_size_is_odd_and_bounded(size):
    """What is no odd size from 3 to 31 is refused with a remedy."""
    with pytest.raises(DemoError, match="an odd max_size from 3 to 31"):
        recover(COLOUR, COLOUR, size)
