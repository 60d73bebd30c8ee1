"""Where a kernel leaves most, against pictures of which that is known."""

import cv2
import numpy as np
import pytest

from kernel_demo.recovery import Recovery, Verdict, leftover
from kernel_demo.recovery.explanations import Split
from kernel_demo.recovery.record import LeftOut

HEIGHT, WIDTH = 160, 200
ROWS, COLUMNS = np.mgrid[:HEIGHT, :WIDTH]
GENERATOR = np.random.default_rng(0)
# Dark to bright from left to right, plain above and textured below.
MADE = np.rint(30 + COLUMNS + (ROWS >= 80) * GENERATOR.normal(0, 8, COLUMNS.shape))
NOISE = GENERATOR.normal(0, 1, MADE.shape)


def record(left, made=MADE, **more):
    return Recovery(
        Verdict.NOISY,
        kernel=np.zeros((1, 1, 5, 5)),
        reproduction=made.astype(np.float32),
        residual_map=left.astype(np.float32),
        **more,
    )


EDGE = np.ones(MADE.shape, bool)
EDGE[16:-16, 16:-16] = False
SPLITS = [
    (ROWS >= 80, Split.TEXTURE, 0, (1, 4)),
    (COLUMNS >= 100, Split.BRIGHTNESS, 0, (1, 4)),
    (EDGE, Split.BORDER, 16, (4, 1)),
    (ROWS % 3 == 1, Split.ROWS, 3, (4, 1)),
    (COLUMNS % 5 == 2, Split.COLUMNS, 5, (4, 1)),
]


@pytest.mark.parametrize(("where", "split", "every", "parts"), SPLITS)
def test_where_four_times_as_much_is_left_is_told(where, split, every, parts):
    """The parts, what each leaves in grey levels, and in which order."""
    told = leftover.uneven(record(NOISE * np.where(where, 4, 1)))
    assert (told.split, told.every) == (split, every)
    # Texture itself makes some pixels of the dark half bright ones.
    assert told.parts == pytest.approx(parts, rel=0.2)
    assert "{" not in str(told)


def test_what_is_left_evenly_is_not_told():
    """White noise, and what rounding leaves, have no part where they are more."""
    assert leftover.uneven(record(3 * NOISE)) is None
    assert leftover.uneven(record(0.1 * NOISE * np.where(ROWS >= 80, 4, 1))) is None


def test_what_does_not_count_is_not_counted():
    """Pixels left out, cut off, or whose patch leaves the picture say nothing."""
    odd = (ROWS < 20) & (COLUMNS < 60)
    left = np.where(odd, 90, NOISE)
    left[:2] = left[-2:] = 90
    left[:, :2] = left[:, -2:] = 90
    assert leftover.uneven(record(left)) is not None
    assert leftover.uneven(record(left, left_out=LeftOut(0.03, mask=odd))) is None
    assert leftover.uneven(record(left, made=np.where(odd, 255, MADE))) is None


def test_channels_that_leave_more_are_told():
    """Each by itself, as OpenCV has it; nothing where they are alike, and of grey."""
    colours = np.dstack([MADE] * 3)
    left = np.dstack([NOISE, 3 * NOISE, NOISE])
    found = record(left, colours)
    inside = (left**2)[2:-2, 2:-2]
    assert leftover.by_channel(found) == pytest.approx(np.sqrt(cv2.mean(inside)[:3]), rel=1e-4)
    assert leftover.by_channel(record(np.dstack([NOISE] * 3), colours)) == ()
    assert leftover.by_channel(record(NOISE)) == ()


def test_pictures_without_a_record_have_none():
    """No kernel, no picture, or one too small to have parts."""
    assert leftover.uneven(Recovery(Verdict.UNDETERMINED)) is None
    assert leftover.by_channel(Recovery(Verdict.UNDETERMINED)) == ()
    assert leftover.uneven(record(9 * NOISE[:40, :40], MADE[:40, :40])) is None
