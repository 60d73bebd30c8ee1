"""What one update carries: the numbers themselves, bounded, and only what changed."""

import base64
import json
import re
import sys
from dataclasses import FrozenInstanceError
from types import SimpleNamespace

import numpy as np
import pytest
from gradio.utils import diff

from kernel_demo import numbers
from kernel_demo.ui import theme
from kernel_demo.ui.components import stage
from kernel_demo.ui.components.history import CHUNK, Curve, History

# float32 keeps 24 bits of a number.
FLOAT32 = 2.0**-24


def floats(text):
    return np.frombuffer(base64.b64decode(text), "<f4")


def points(chunks):
    return np.concatenate([floats(chunk).reshape(-1, 2) for chunk in chunks])


def progress(**changes):
    values = {
        "step": 3,
        "steps": 60,
        "loss": 0.01,
        "validation_loss": None,
        "kernel": np.eye(3),
        "kernel_error": 0.25,
        "seconds": 0.5,
        "device": "CPU · 2 cores",
        "done": False,
        "stopped_because": "",
    }
    return SimpleNamespace(**(values | changes))


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
    start = History().add([progress(step=0)])
    sent = start.encode()
    longer = start.add([progress(step=step) for step in range(1, 500)])
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
        longer = history.add([progress(step=0), progress(step=1)])
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
        new = progress(step=step, loss=loss, validation_loss=validation, kernel_error=loss)
        history = history.add([new])
    sent = history.encode()
    np.testing.assert_array_equal(points(sent["loss"])[:, 0], np.arange(100))
    np.testing.assert_allclose(points(sent["loss"])[:, 1], losses, rtol=FLOAT32)
    np.testing.assert_allclose(points(sent["error"])[:, 1], losses, rtol=FLOAT32)
    np.testing.assert_array_equal(points(sent["validation"])[:, 0], np.arange(0, 100, 10))
    assert [len(points([chunk])) for chunk in sent["loss"][:-1]] == [CHUNK] * 3


@pytest.mark.parametrize("size", [3, 9, 31])
def test_the_kernels_decode_to_the_same_numbers(size):
    """True and learned kernel arrive in float32, row by row."""
    truth, learned = np.random.default_rng(size).normal(size=(2, size, size))
    value = stage.frame(1, progress(kernel=learned), truth, History())
    assert value["size"] == size
    for name, matrix in (("truth", truth), ("learned", learned), ("difference", truth - learned)):
        np.testing.assert_array_equal(floats(value[name]), matrix.astype("<f4").ravel())


def test_a_difference_below_float32_arrives():
    """1 - (1 - 1e-9) is subtracted in float64: in float32 it would be zero."""
    value = stage.frame(1, progress(kernel=np.full((3, 3), 1 - 1e-9)), np.ones((3, 3)), History())
    np.testing.assert_allclose(floats(value["difference"]), 1e-9, rtol=1e-6)


@pytest.mark.parametrize("bad", [None, float("nan"), float("inf")])
def test_every_value_is_json(bad):
    """No NaN and no infinity reaches the wire, whatever the run came to."""
    state = progress(loss=bad, validation_loss=bad, kernel_error=bad)
    value = stage.frame(1, state, np.eye(3), History().add([state]))
    assert value["kernel_error"] is None
    for each in (value, stage.idle(None), stage.idle(np.eye(5)), stage.failed("no")):
        json.dumps(each, allow_nan=False)


def test_a_run_without_a_true_or_a_learned_kernel_is_shown():
    """A deep net has no kernel, a real pair no truth: what is unknown is None, not an error."""
    deep = stage.frame(1, progress(kernel=None, kernel_error=None), np.eye(3), History())
    blind = stage.frame(1, progress(kernel_error=None), None, History())
    assert (deep["learned"], deep["difference"]) == (None, None)
    assert (blind["truth"], blind["difference"]) == (None, None)


@pytest.mark.parametrize(("size", "most"), [(3, 3000), (9, 4096), (15, 6000)])
def test_an_update_is_small(size, most):
    """Gradio sends the difference of two values: under 4 KB for kernels up to 9 x 9.

    The exception is the update at which the curves are thinned: it sends them anew.
    """
    generator = np.random.default_rng(0)
    truth = generator.normal(size=(size, size))
    patch = generator.integers(0, 256, (200, 256), dtype=np.uint8)
    history, previous, sizes = History(), None, []
    for step in range(1000):
        state = progress(step=step, steps=1000, kernel=generator.normal(size=(size, size)))
        state.loss = state.validation_loss = state.kernel_error = 0.9**step
        history = history.add([state])
        value = stage.frame(7, state, truth, history, patch)
        if previous is not None:
            edits = diff(previous, value)
            assert not any(edit[1][0] in ("patch", "truth") for edit in edits)
            sizes.append(len(json.dumps(edits)))
        previous = value
    sizes.sort()
    assert sizes[-3] < most
    assert sizes[-1] < most + 6000


@pytest.mark.parametrize("levels", [np.uint8, np.float32])
def test_the_picture_arrives_in_grey_levels(levels):
    """uint8 as it is; 0..1 rounded to grey levels, what lies outside clipped."""
    grey = np.array([[0, 1, 127], [128, 254, 255]], np.uint8)
    patch = grey if levels is np.uint8 else (grey / 255).astype(np.float32)
    sent = stage.idle(np.eye(3), patch)["patch"]
    assert (sent["height"], sent["width"]) == grey.shape
    assert base64.b64decode(sent["pixels"]) == grey.tobytes()
    over = stage.idle(None, np.array([[-0.5, 1.5]]))["patch"]
    assert base64.b64decode(over["pixels"]) == b"\x00\xff"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "–"),
        (float("nan"), "–"),
        (0.0, "0"),
        (2.0, "2.00"),
        (-0.0123, "−0.0123"),
        (1234.5, "1234"),
        (0.9996, "1.00"),
        (2.06e-8, "2.1·10⁻⁸"),
        (-3e12, "−3.0·10¹²"),
    ],
)
def test_figures_are_short(value, text):
    """Three digits, or two and a power of ten; a real minus sign; a dash for what is unknown."""
    assert numbers.figure(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "0.0 s"),
        (9.94, "9.9 s"),
        (9.96, "10 s"),
        (59.4, "59 s"),
        (59.6, "1 min 00 s"),
        (185, "3 min 05 s"),
    ],
)
def test_durations_are_short(seconds, text):
    """Tenths below ten seconds, then seconds, then minutes."""
    assert numbers.duration(seconds) == text


def test_the_sentences_follow_the_run():
    """Time to go while it runs, `paused` while it does not, and in the end why it stopped."""

    def told(paused=False, **changes):
        return stage.frame(1, progress(**changes), np.eye(3), History(), paused=paused)["text"]

    assert told(step=15, seconds=3.0)["to_go"] == "about 9.0 s to go"
    assert told(step=0)["to_go"] == ""
    assert told(paused=True)["to_go"] == "paused"
    assert told()["verdict"] == "Learning on CPU · 2 cores."
    assert "Learning" not in told(paused=True)["verdict"]
    ended = told(done=True, stopped_because="The last step was made.")
    assert (ended["verdict"], ended["to_go"]) == ("The last step was made.", "finished")


def test_the_colours_are_all_there():
    """Every --kd property in use is defined, those of the light page for the dark one too."""
    css = theme.style()
    light, dark = re.findall(r"^:root[^{]*\{([^}]*)\}", css, re.MULTILINE)
    names = [set(re.findall(r"(--kd-[\w-]+):", block)) for block in (light, dark)]
    used = set(re.findall(r"var\((--kd-[\w-]+)\)", theme.build()._get_theme_css()))
    assert used <= names[0]
    assert names[0] == names[1]


def test_the_theme_asks_nobody_outside():
    """Fonts and style sheets come from the page's own address."""
    built = theme.build()
    assert built._stylesheets == []
    addresses = re.findall(r"https?://[^'\")\s]+", built._get_theme_css())
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}  # a name, not an address
