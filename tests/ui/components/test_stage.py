"""What one update carries: the numbers themselves, bounded, and only what changed."""

import base64
import json
from types import SimpleNamespace

import numpy as np
import pytest
from gradio.utils import diff
from kernel_demo.ui.components.history import History

from kernel_demo.ui.components import stage


def floats(text):
    return np.frombuffer(base64.b64decode(text), "<f4")


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
