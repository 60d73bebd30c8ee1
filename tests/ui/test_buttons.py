"""No button stays dead: whatever goes wrong under it, it is there again and the page says so."""

import base64
import contextlib
import json

import numpy as np
import pytest

from kernel_demo.ui import device as gpu
from kernel_demo.ui.learn import run as learning_run
from kernel_demo.ui.serving.jobs import FAILED
from tests.ui.visitor import Visitor

EXAMPLE = "kd-example"  # the class of the buttons of the examples; the first one is pressed
SECRET = "hidden in /srv/secret"
# What starts something and is disabled meanwhile: (what its event is called, what is under it,
# where the visitor is told).
STARTS = {
    "race": ("click", "kernel_demo.ui.learn.race._runners", "race-view"),
    "recover": ("click", "kernel_demo.ui.recover.pairs.match", "recover-progress"),
    EXAMPLE: ("click", "kernel_demo.ui.recover.pairs.match", "recover-progress"),
    "apply": ("upload", "kernel_demo.ui.questions.apply._applied", "apply-result"),
    "try-size": ("click", "kernel_demo.lab.pixels.compare", "try-size-status"),
    "try-edges": ("click", "kernel_demo.lab.pixels.side_by_side", "try-edges-status"),
    "try-anywhere": ("click", "kernel_demo.ui.questions.pixels.train", "try-anywhere-status"),
    "try-speed": ("click", "kernel_demo.ui.questions.models.rows", "try-speed-status"),
    "try-small": ("click", "kernel_demo.ui.questions.models.compress", "try-small-status"),
    "try-complete": ("click", "kernel_demo.ui.questions.models.watch", "try-complete-status"),
    "try-depth": ("click", "kernel_demo.lab.depth.compare", "try-depth-status"),
    "try-stack": ("click", "kernel_demo.lab.depth.compare_stack", "try-stack-status"),
    "try-limits": ("click", "kernel_demo.ui.questions.limits.break_it", "try-limits-status"),
    "challenge-guess": (
        "click", "kernel_demo.ui.questions.limits.score", "challenge-guess-status",
    ),
    "challenge-learn": (
        "click", "kernel_demo.ui.questions.limits.train", "challenge-learn-status",
    ),
}  # fmt: skip
# What starts something and disables nothing.
LOADS = {
    "source": ("change", "kernel_demo.ui.pictures.gather", "live"),
    "try-own": ("upload", "kernel_demo.ui.learn.result.render", "result-empty"),
    **{
        f"save-{which}": ("click", "kernel_demo.ui.components.save._saved", "result-saved")
        for which in ("learned", "true", "difference")
    },
    "edit": ("click", "kernel_demo.ui.learn.settings.truth", "filter-problem"),
    "use-matrix": ("click", "kernel_demo.imaging.kernels.parse", "filter-problem"),
    "limits-way": ("input", "kernel_demo.ui.questions.limits.break_it", "limits-one"),
    "recover-before": ("change", "kernel_demo.ui.recover.pairs.open_side", "recover-chosen"),
    "recover-views": ("input", "kernel_demo.ui.recover.pairs.open_side", "recover-lost"),
    "recover-which": ("input", "kernel_demo.ui.components.take.value", "recover-lost"),
    "question-source": ("input", "kernel_demo.ui.pictures.gather", "question-gallery"),
}
QUEUED = STARTS | LOADS
# What is there only after something else: that is pressed first.
AFTER = {"recover-views": EXAMPLE, "recover-which": EXAMPLE}
HALTS = {"race-stop", "apply-stop", "challenge-learn-stop"} | {
    f"try-{key}-stop" for key in ("anywhere", "speed", "complete", "depth", "stack", "limits")
}
AT_ONCE = {"challenge-another", "open-certificate"}  # nothing there to fail
BUTTONS = ("button", "uploadbutton", "downloadbutton")
# The stage has buttons of its own, which follow what it is told: what the browser says with each
# event, and what came before it.
STAGE = {
    "learn": ({}, []),
    "resume": ({}, [("step", {"step": 0})]),
    "step": ({"step": 9}, [("learn", {})]),
    "rate": ({"step": 9, "rate": 0.01}, [("learn", {})]),
    "more": ({"steps": 10}, [("learn", {})]),
}


@pytest.fixture
def visitor(address):
    return Visitor(address)


def press(visitor, name):
    event = QUEUED[name][0]
    if name == EXAMPLE:
        name = next(key for key, props in visitor.props.items()
                    if EXAMPLE in (props.get("elem_classes") or ()))  # fmt: skip
    visitor.press(name, event)


def usable(visitor):
    """Of each button of the page, whether it can be seen and pressed."""
    return {
        key: (props["visible"], props.get("interactive") is not False)
        for key, props in visitor.props.items()
        if props.get("name") in BUTTONS
    }


def assert_as_before(visitor, before, place):
    told = json.dumps(visitor.shown[place]["value"])
    assert FAILED in told
    assert usable(visitor) == before
    assert visitor.failures
    everything = json.dumps([new for _, new in visitor.history])
    assert not any(word in everything for word in ("secret", "Traceback", "RuntimeError"))


def disabled(visitor):
    return any(new.get("interactive") is False for _, new in visitor.history)


@pytest.mark.sweep(3)
@pytest.mark.parametrize("name", QUEUED)
def test_an_unexpected_error_gives_the_button_back(visitor, monkeypatch, name):
    """What is under the button raises: all buttons are as before, the visitor is told where they
    look, and nothing of the error is shown."""
    if name in AFTER:
        press(visitor, AFTER[name])
    if name == "recover-views":
        visitor.shown[name]["value"] = "pair"
    before = usable(visitor)
    visitor.history.clear()

    def broken(*_, **__):
        raise RuntimeError(SECRET)

    monkeypatch.setattr(QUEUED[name][1], broken)
    press(visitor, name)
    assert disabled(visitor) == (name in STARTS)
    assert_as_before(visitor, before, QUEUED[name][2])


@pytest.mark.parametrize("name", QUEUED)
def test_a_full_queue_gives_the_button_back(visitor, page, monkeypatch, name):
    """The queue has no place: the same, and what was under way before is still there."""
    if name in AFTER:
        press(visitor, AFTER[name])
    if name == "recover-views":
        visitor.shown[name]["value"] = "pair"
    before = usable(visitor)
    visitor.history.clear()
    monkeypatch.setattr(page._queue, "max_size", 0)
    press(visitor, name)
    assert_as_before(visitor, before, QUEUED[name][2])


@pytest.fixture
def stage(visitor):
    """A visitor who learns by Adam, and presses one of STAGE when what it comes after is done."""
    visitor.shown["method"]["value"], visitor.shown["steps"]["value"] = "adam", 12

    def press(name, broken):
        said, earlier = STAGE[name]
        for event, data in earlier:
            visitor.press("live", event, data=data)
        visitor.history.clear()
        before = usable(visitor)
        with broken:
            visitor.press("live", name, data=said)
        return visitor.shown["live"]["value"], before

    return press


def raising(monkeypatch):
    @contextlib.contextmanager
    def broken():
        def fails(*_, **__):
            raise RuntimeError(SECRET)

        with monkeypatch.context() as patch:
            patch.setattr("kernel_demo.ui.learn.run.run", fails)
            yield

    return broken()


def full(monkeypatch, page):
    @contextlib.contextmanager
    def broken():
        with monkeypatch.context() as patch:
            patch.setattr(page._queue, "max_size", 0)
            yield

    return broken()


@pytest.mark.sweep(3)
@pytest.mark.parametrize("how", ["error", "full queue"])
@pytest.mark.parametrize("name", STAGE)
def test_a_failure_is_told_in_the_stage(visitor, stage, page, monkeypatch, name, how):
    """Whatever was asked for, and whatever went wrong under it: the sentence is there, nothing is
    computing any more, what there was to go on with is, and it can be learned from again."""
    broken = raising(monkeypatch) if how == "error" else full(monkeypatch, page)
    told, before = stage(name, broken)
    assert told["error"] == FAILED
    assert not told["computing"]
    assert told["waiting"] is None
    assert told["records"]
    assert told["session"] == (name != "learn")
    assert told["paused"] == (name in ("resume", "step", "rate"))
    everything = json.dumps([new for _, new in visitor.history])
    assert not any(word in everything for word in ("secret", "Traceback", "RuntimeError"))
    assert usable(visitor) == before
    assert not disabled(visitor)
    assert visitor.failures
    visitor.press("live", "learn", data={})
    told = visitor.shown["live"]["value"]
    assert (told["end"]["cause"], told["computing"]) == ("STEPS", False)
    assert "error" not in told


def test_an_error_on_the_way_leaves_a_run_to_go_on_with(visitor, monkeypatch):
    """Learning fails after its first frames: they stay in view, Resume is offered, and it ends."""
    real = gpu.learn

    def stumbles(*arguments):
        for progress in real(*arguments):
            yield progress
            if progress.step >= 3:
                raise RuntimeError(SECRET)

    monkeypatch.setattr(gpu, "learn", stumbles)
    monkeypatch.setattr(learning_run, "FRAME_SECONDS", 0)
    visitor.press("live", "learn", data={})
    told = visitor.shown["live"]["value"]
    assert told["error"] == FAILED
    assert (told["computing"], told["paused"], told["end"]) == (False, True, None)
    assert len(steps_of(told)) >= 4
    monkeypatch.undo()
    visitor.press("live", "resume", data={"step": 2})
    told = visitor.shown["live"]["value"]
    assert told["end"]["complete"]
    assert "error" not in told
    assert (np.diff(steps_of(told)) > 0).all()


def steps_of(told):
    """The steps of its records."""
    raw = b"".join(map(base64.b64decode, told["records"]))
    return np.frombuffer(raw, "<f4").reshape(-1, 5 + told["size"] ** 2)[:, 0].astype(int)


def elements(page):
    return {part["id"]: part["props"] for part in page.config["components"]}


def names(page, part):
    props = elements(page).get(part, {})
    return EXAMPLE if EXAMPLE in (props.get("elem_classes") or ()) else props.get("elem_id")


def test_every_button_is_in_a_table(page):
    """A new button must say what it is: something that starts, halts, or is done at once."""
    pressed = {
        names(page, part)
        for event in page.config["dependencies"]
        for part, kind in event["targets"]
        if event["backend_fn"] and kind in ("click", "upload")
    }
    assert pressed - set(LOADS) == set(STARTS) | HALTS | AT_ONCE


@pytest.mark.parametrize("name", STARTS)
def test_every_event_that_disables_has_a_way_back(page, name):
    """Each event of a start that updates its buttons has a handler of failures for all of them."""
    events = page.config["dependencies"]
    parts = elements(page)

    def after(event, failure):
        return [other for other in events if other["trigger_after"] == event["id"]
                and other["trigger_only_on_failure"] == failure]  # fmt: skip

    chain = [event for event in events
             if any((names(page, part), kind) == (name, STARTS[name][0])
                    for part, kind in event["targets"])]  # fmt: skip
    for event in chain:  # grows
        chain += after(event, failure=False)
    buttons = {part for event in chain if event["queue"] is False for part in event["outputs"]
               if parts[part]["name"] in BUTTONS}  # fmt: skip
    assert buttons
    changing = [event for event in chain if buttons & set(event["outputs"])]
    assert len(changing) >= 2  # the answer at once, and what it starts
    for event in changing:
        restored = {part for handler in after(event, failure=True) for part in handler["outputs"]}
        assert buttons <= restored
