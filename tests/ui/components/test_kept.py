"""The curves of a run: bounded, even, and never changed under a reader."""

import base64
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from kernel_demo.ui.components.history import CHUNK, Curve, History, Measured

# float32 keeps 24 bits of a number.
FLOAT32 = 2.0**-24


def points(chunks):
    raw = b"".join(base64.b64decode(chunk) for chunk in chunks)
    return np.frombuffer(raw, "<f4").reshape(-1, 2)


def measured(step, loss=0.01, validation_loss=None, kernel_error=0.25):
    return Measured(step, loss, validation_loss, kernel_error)


@pytest.mark.parametrize("limit", [4, 9, 400])
@pytest.mark.parametrize("count", [1, 2, 3, 8, 399, 400, 401, 5000])
def test_a_curve_is_bounded_and_keeps_its_ends(count, limit):
    """However long the run: at most `limit` points, in order, the first and the last among them."""
    curve, batch = Curve(limit), max(1, count // 7)
    for start in range(0, count, batch):
        steps = range(start, min(start + batch, count))
        curve = curve.add((step, 1.0 / (step + 1)) for step in steps)
    kept = curve.points()
    steps = [step for step, _ in kept]
    assert len(kept) <= limit
    assert steps == sorted(set(steps))
    assert (steps[0], steps[-1]) == (0, count - 1)
    assert all(value == 1.0 / (step + 1) for step, value in kept)


def test_a_thinned_curve_stays_even():
    """Thinning keeps the whole run visible: no gap is wider than twice the others."""
    curve = Curve(400).add((step, 1.0) for step in range(100_000))
    gaps = np.diff([step for step, _ in curve.points()][:-1])
    assert gaps.max() == gaps.min()


@pytest.mark.parametrize("value", [None, float("nan"), float("inf"), -float("inf"), 1e39])
def test_a_curve_leaves_out_what_cannot_be_drawn(value):
    """A loss that diverged, or was not measured, is no point of the curve."""
    assert Curve().add([(0, 1.0), (1, value)]).points() == ((0, 1.0),)


def test_a_curve_never_runs_backwards():
    """A run that goes on begins with the Progress it was paused at: no step comes twice."""
    curve = Curve().add([(0, 1.0), (3, 0.5)]).add([(3, 0.5), (2, 9.0), (4, 0.25)])
    assert curve.points() == ((0, 1.0), (3, 0.5), (4, 0.25))


def test_a_history_does_not_change_under_its_reader():
    """Whatever else is added, and in whichever thread, a history keeps the points that it had."""
    start = History().add([measured(step=0)])
    sent = start.encode()
    longer = start.add([measured(step=step) for step in range(1, 500)])
    assert start.encode() == sent
    assert len(points(longer.encode()["loss"])) > 200
    with pytest.raises(FrozenInstanceError):
        start.loss.last = (1, 1.0)


def test_a_history_can_be_read_while_it_is_added_to():
    """Another thread may read at every line of add(): it finds the history as it was."""
    history, read = History(), []

    def read_at_each_line(*_):
        read.append(history.loss.points())
        return read_at_each_line

    sys.settrace(read_at_each_line)
    try:
        longer = history.add([measured(step=0), measured(step=1)])
    finally:
        sys.settrace(None)
    assert len(read) > 20
    assert set(read) == {()}
    assert [step for step, _ in longer.loss.points()] == [0, 1]


def test_the_curves_decode_to_what_was_added():
    """Steps are exact; values agree to float32."""
    history = History()
    generator = np.random.default_rng(0)
    losses = 10.0 ** generator.uniform(-15, 3, 100)
    for step, loss in enumerate(losses):
        validation = loss * 2 if step % 10 == 0 else None
        new = measured(step=step, loss=loss, validation_loss=validation, kernel_error=loss)
        history = history.add([new])
    sent = history.encode()
    np.testing.assert_array_equal(points(sent["loss"])[:, 0], np.arange(100))
    np.testing.assert_allclose(points(sent["loss"])[:, 1], losses, rtol=FLOAT32)
    np.testing.assert_allclose(points(sent["error"])[:, 1], losses, rtol=FLOAT32)
    np.testing.assert_array_equal(points(sent["validation"])[:, 0], np.arange(0, 100, 10))
    assert [len(points([chunk])) for chunk in sent["loss"][:-1]] == [CHUNK] * 3
