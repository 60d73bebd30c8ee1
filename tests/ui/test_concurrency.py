"""Several things at once: visitors side by side, and a pause while the run goes on."""

import base64
import json
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kernel_demo.imaging import kernels
from kernel_demo.ui import device as gpu
from kernel_demo.ui.jobs import FAILED
from kernel_demo.ui.learn import run as learning_run
from kernel_demo.ui.learn.session import Session
from kernel_demo.ui.learn.settings import START, experiment
from tests.ui.visitor import PATIENCE, Visitor


def floats(*chunks):
    return np.frombuffer(b"".join(map(base64.b64decode, chunks)), "<f4")


def stage(visitor):
    return visitor.shown["live"]["value"]


def steps(visitor):
    """The steps of the curve of the loss."""
    return floats(*stage(visitor)["curves"]["loss"])[::2].astype(int)


def on_the_way(monkeypatch, arrive, step):
    """Let each run call `arrive` before it goes on from the first Progress at or after `step`."""
    real = gpu.learn

    def gated(*arguments):
        arrived = False
        for progress in real(*arguments):
            if progress.step >= step and not arrived:
                arrived = True
                arrive()
            yield progress

    monkeypatch.setattr(gpu, "learn", gated)


def test_two_who_learn_at_once_get_their_own(address, monkeypatch):
    """Two visitors whose runs wait for one another: each ends with the kernel that they chose,
    under their own truth, and a curve of one run."""
    both = threading.Barrier(2)
    on_the_way(monkeypatch, lambda: both.wait(PATIENCE), step=2)
    visitors = {name: Visitor(address, about="live") for name in ("sobel_x", "emboss")}
    for name, visitor in visitors.items():
        visitor.shown["kernel"]["value"] = name
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda visitor: visitor.press("learn"), visitors.values()))
    for name, visitor in visitors.items():
        truth, shown = kernels.named(name).values.ravel(), stage(visitor)
        assert shown["done"]
        np.testing.assert_array_equal(floats(shown["truth"]), truth.astype("<f4"))
        np.testing.assert_allclose(floats(shown["learned"]), truth, atol=1e-5)
        assert (np.diff(steps(visitor)) > 0).all()
        assert (steps(visitor)[0], steps(visitor)[-1]) == (0, shown["step"])


@pytest.fixture
def halfway(address, monkeypatch):
    """A visitor whose run stands at step 5, steps ahead of what was shown.

    (visitor, opened): opened lets the run go on. The thread that pressed Learn is joined at last.
    """
    reached, opened = threading.Event(), threading.Event()

    def arrive():
        reached.set()
        assert opened.wait(PATIENCE)

    monkeypatch.setattr(learning_run, "FRAME_SECONDS", 1000)  # the first frame, then the last
    on_the_way(monkeypatch, arrive, step=5)
    visitor = Visitor(address, about="live")
    learning = threading.Thread(target=visitor.press, args=["learn"])
    learning.start()
    assert reached.wait(PATIENCE)
    yield visitor, opened
    opened.set()
    learning.join(PATIENCE)
    assert not learning.is_alive()


def test_paused_while_it_runs_and_resumed(halfway):
    """Pause is pressed while the core is ahead of the page; Resume goes on from what is shown: the
    curve ascends, and the weights are, bit for bit, those of a run that was never paused."""
    visitor, opened = halfway
    visitor.press("pause", after=opened.set)
    assert visitor.shown["resume"]["visible"]
    assert steps(visitor)[-1] == stage(visitor)["step"] == 0
    visitor.press("resume")
    *_, unbroken = learning_run.run(Session(experiment=experiment(START)))
    assert stage(visitor)["step"] == unbroken.progress.step > 5
    assert (
        stage(visitor)["learned"]
        == base64.b64encode(unbroken.progress.kernel.astype("<f4").tobytes()).decode()
    )
    assert (np.diff(steps(visitor)) > 0).all()
    assert FAILED not in json.dumps([new for _, new in visitor.history])


@pytest.mark.parametrize(("button", "resumable"), [("pause", True), ("stop", False)])
def test_who_halts_a_run_is_not_told_of_a_failure(halfway, button, resumable):
    """Gradio calls a run that was cancelled a failure, too; the page does not."""
    visitor, opened = halfway
    visitor.press(button, after=opened.set)
    assert visitor.shown["resume"]["visible"] == resumable
    assert visitor.shown["learn"]["visible"] != resumable
    assert FAILED not in json.dumps([new for _, new in visitor.history])
    numbers = [new["value"]["number"] for part, new in visitor.history
               if part == visitor.part("live") and "value" in new]  # fmt: skip
    assert numbers[-1] == max(numbers)


def test_who_begins_anew_is_not_stopped_by_the_stop_before(address):
    """Stop is said twice; the second time does not end what was begun between the two."""
    visitor = Visitor(address, about="race-view")
    said = visitor.of("race-stop")[0]
    (again,) = (
        event for event in visitor.after(said["id"]) if not event["trigger_only_on_failure"]
    )
    del visitor.events[again["id"]]
    visitor.press("race-stop")
    for event in visitor.after(visitor.of("race")[0]["id"]):  # heard, and waits for its turn
        del visitor.events[event["id"]]
    visitor.press("race")
    visitor.dispatch(again)
    assert visitor.shown["race"]["interactive"] is False
    assert visitor.shown["race-view"]["value"]["kind"] == "race"


@pytest.mark.parametrize(
    ("start", "halt", "place"), [("learn", "pause", "live"), ("race", "race-stop", "race-view")]
)
def test_what_was_halted_before_its_turn_does_not_begin(address, start, halt, place):
    """The halt is heard before the queue has the run, so that there is nothing yet to cancel."""
    visitor = Visitor(address, about=place)
    (runs,) = (
        event for event in visitor.after(visitor.of(start)[0]["id"])
        if not event["trigger_only_on_failure"]
    )  # fmt: skip
    del visitor.events[runs["id"]]
    visitor.press(start)
    visitor.press(halt)
    halted = len(visitor.history)
    visitor.events[runs["id"]] = runs
    visitor.dispatch(runs)
    drawn = [new for part, new in visitor.history[halted:] if part == visitor.part(place)]
    assert not any("value" in new for new in drawn)
    assert visitor.shown[start]["interactive"] is not False
    assert visitor.shown[start].get("visible") is not False


def test_buttons_that_came_late_are_put_right_by_the_run(address, monkeypatch):
    """Clicks follow each other faster than their answers, and Resume of an old one comes over a run
    that goes on: with one of its next frames, long before its end, the run brings Pause back."""
    visitor, real = Visitor(address, about="live"), gpu.learn
    came_late, put_right = threading.Event(), threading.Event()

    def late(*arguments):
        for progress in real(*arguments):
            if progress.step == 5:
                visitor.shown["pause"]["visible"], visitor.shown["resume"]["visible"] = False, True
                came_late.set()
            if progress.step == 20:
                assert put_right.wait(PATIENCE)
            yield progress

    def show(event, data, shown=visitor._show):
        shown(event, data)
        if came_late.is_set() and visitor.shown["pause"]["visible"]:
            put_right.set()

    monkeypatch.setattr(gpu, "learn", late)
    monkeypatch.setattr(visitor, "_show", show)
    monkeypatch.setattr(learning_run, "FRAME_SECONDS", 0)
    monkeypatch.setattr(learning_run, "SETTLE_SECONDS", 0)
    visitor.press("learn")
    assert stage(visitor)["done"]
    assert not visitor.shown["resume"]["visible"]
    assert FAILED not in json.dumps([new for _, new in visitor.history])
