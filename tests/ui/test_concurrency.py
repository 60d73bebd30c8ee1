"""Several things at once: visitors side by side, and a pause while the run goes on."""

import base64
import itertools
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from kernel_demo.imaging import kernels
from kernel_demo.ui import device as gpu
from kernel_demo.ui.learn import run as learning_run
from kernel_demo.ui.learn.session import Session
from kernel_demo.ui.learn.settings import START, experiment
from kernel_demo.ui.serving import jobs
from kernel_demo.ui.serving.jobs import FAILED
from tests.ui.visitor import PATIENCE, Visitor


def floats(*chunks):
    return np.frombuffer(b"".join(map(base64.b64decode, chunks)), "<f4")


def stage(visitor):
    return visitor.shown["live"]["value"]


def records(visitor):
    """A row each: step, loss, validation loss, kernel error, seconds, then true - learned."""
    values = floats(*stage(visitor)["records"])
    return values.reshape(-1, 5 + stage(visitor)["size"] ** 2)


def steps(visitor):
    """The steps of the records."""
    return records(visitor)[:, 0].astype(int)


def truth(visitor):
    return np.frombuffer(base64.b64decode(stage(visitor)["truth"]), "<f8")


def learn(visitor):
    visitor.press("live", "learn", data={})


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
        list(pool.map(learn, visitors.values()))
    for name, visitor in visitors.items():
        assert stage(visitor)["end"]["complete"]
        np.testing.assert_array_equal(truth(visitor), kernels.named(name).values.ravel())
        np.testing.assert_allclose(records(visitor)[-1, 5:], 0, atol=1e-5)
        np.testing.assert_array_equal(steps(visitor), np.arange(len(steps(visitor))))


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
    learning = threading.Thread(target=learn, args=[visitor])
    learning.start()
    assert reached.wait(PATIENCE)
    yield visitor, opened
    opened.set()
    learning.join(PATIENCE)
    assert not learning.is_alive()


def test_paused_while_it_runs_and_resumed(halfway):
    """Pause is pressed while the core is ahead of the page; Resume goes on from what was sent: the
    steps ascend, and the weights are, bit for bit, those of a run that was never paused."""
    visitor, opened = halfway
    visitor.press("live", "pause", after=opened.set, data={"step": 0})
    assert (stage(visitor)["paused"], stage(visitor)["computing"]) == (True, False)
    assert steps(visitor).tolist() == [0]
    visitor.press("live", "resume", data={"step": 0})
    *_, unbroken = learning_run.run(Session(experiment=experiment(START)))
    np.testing.assert_array_equal(
        floats(*stage(visitor)["records"])[-9:],
        (unbroken.experiment.truth - unbroken.progress.kernel).astype("<f4").ravel(),
    )
    assert steps(visitor).tolist() == [*range(unbroken.progress.step + 1)]
    assert unbroken.progress.step > 5
    assert FAILED not in json.dumps([new for _, new in visitor.history])


@pytest.mark.parametrize(("event", "resumable"), [("pause", True), ("stop", False)])
def test_who_halts_a_run_is_not_told_of_a_failure(halfway, event, resumable):
    """Gradio calls a run that was cancelled a failure, too; the page does not."""
    visitor, opened = halfway
    visitor.press("live", event, after=opened.set, data={"step": 0})
    assert stage(visitor)["paused"] == resumable
    assert (stage(visitor)["end"] is None) == resumable
    assert not stage(visitor)["computing"]
    assert FAILED not in json.dumps([new for _, new in visitor.history])
    assert_ascending(visitor)


def assert_ascending(visitor):
    numbers = [new["value"]["number"] for part, new in visitor.history
               if part == visitor.part("live") and "value" in new]  # fmt: skip
    assert numbers[-1] == max(numbers)


def test_another_rate_takes_the_place_of_the_run_that_is_at_work(address, monkeypatch):
    """The rate is changed while the core is steps ahead: of the old run nothing is drawn any more,
    and the new one has the rate from the step shown; its end is that of a run in two parts, and
    what the server keeps is that run, too."""
    reached, opened = threading.Event(), threading.Event()

    def arrive():
        reached.set()
        assert opened.wait(PATIENCE)

    monkeypatch.setattr(learning_run, "FRAME_SECONDS", 0)
    visitor = Visitor(address, about="live")
    visitor.shown["method"]["value"], visitor.shown["steps"]["value"] = "adam", 30
    learning = threading.Thread(target=learn, args=[visitor])
    with monkeypatch.context() as patch:
        on_the_way(patch, arrive, step=5)
        learning.start()
        assert reached.wait(PATIENCE)
    visitor.press("live", "rate", data={"step": 3, "rate": 0.2})
    opened.set()
    learning.join(PATIENCE)
    # Until the new run's first frame comes, those of the old one that were on their way are drawn.
    told = [*itertools.dropwhile(lambda value: not value["rates"], drawn(visitor))]
    assert len(told) > 10
    assert all(value["rates"] == [[3, 0.2]] for value in told)
    visitor.shown["live"]["value"] = told[-1]
    assert steps(visitor).tolist() == [*range(31)]
    assert stage(visitor)["end"]["cause"] == "STEPS"
    set_to = experiment(START | {"method": "adam", "steps": 30})
    *_, whole = learning_run.run(Session(experiment=set_to, rates=((0, None), (3, 0.2))))
    apart = (whole.experiment.truth - whole.progress.kernel).astype("<f4")
    np.testing.assert_array_equal(records(visitor)[-1, 5:], apart.ravel())
    visitor.press("live", "pause", data={"step": 30})
    assert (stage(visitor)["rates"], steps(visitor)[-1]) == ([[3, 0.2]], 30)
    assert FAILED not in json.dumps([new for _, new in visitor.history])


def drawn(visitor):
    """What a browser draws of all that it was sent: nothing that was made before what it shows."""
    values, latest = [], 0
    for part, new in visitor.history:
        if part == visitor.part("live") and new.get("value", {}).get("number", 0) > latest:
            values.append(new["value"])
            latest = new["value"]["number"]
    return values


def test_who_waits_is_told_the_place(address, monkeypatch):
    """Two are at work, two wait: one is the next, the other comes after; when the first of them
    leaves, the second is the next, and then begins."""
    monkeypatch.setattr(jobs, "TELL_FIRST", 0.05)
    monkeypatch.setattr(jobs, "TELL_AGAIN", 0.05)
    opened, at_work = threading.Event(), threading.Semaphore(0)

    def arrive():
        at_work.release()
        assert opened.wait(PATIENCE)

    on_the_way(monkeypatch, arrive, step=1)
    with ThreadPoolExecutor(8) as pool:
        working = [pool.submit(learn, Visitor(address, about="live")) for _ in range(2)]
        for _ in working:
            assert at_work.acquire(timeout=PATIENCE)
        first, second = (waiting(address, pool) for _ in range(2))
        assert until(lambda: stage(second)["waiting"] == 2)
        assert stage(first)["waiting"] == 1
        assert stage(second)["computing"]
        first.press("live", "stop", data={})
        assert until(lambda: stage(second)["waiting"] == 1)
        assert (stage(first)["kind"], stage(first)["waiting"]) == ("idle", None)
        opened.set()
        assert until(lambda: stage(second)["end"] is not None)
        assert stage(second)["waiting"] is None
    assert stage(first)["kind"] == "idle"


def waiting(address, pool):
    """A visitor who has pressed Learn, and is told what happens meanwhile, as in a browser."""
    visitor = Visitor(address, about="live")
    runs, tell = in_turn(visitor, visitor.of("live", "learn")[0])
    del visitor.events[tell["id"]]
    pool.submit(learn, visitor)
    assert until(lambda: runs["id"] in visitor.running)
    pool.submit(visitor.dispatch, tell)
    return visitor


def in_turn(visitor, heard):
    """What follows who was heard: the run, and what tells the place of who waits."""
    return [event for event in visitor.after(heard["id"]) if not event["trigger_only_on_failure"]]


def until(true):
    """Whether it comes true in good time."""
    end = time.monotonic() + PATIENCE
    while not true() and time.monotonic() < end:
        time.sleep(0.01)
    return true()


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
    ("start", "halt", "place"),
    [
        (("live", "learn"), ("live", "pause"), "live"),
        (("live", "learn"), ("live", "stop"), "live"),
        (("race", "click"), ("race-stop", "click"), "race-view"),
    ],
)
def test_what_was_halted_before_its_turn_does_not_begin(address, start, halt, place):
    """The halt is heard before the queue has the run, so that there is nothing yet to cancel."""
    visitor = Visitor(address, about=place)
    later = in_turn(visitor, visitor.of(*start)[0])
    for event in later:
        del visitor.events[event["id"]]
    visitor.press(*start)
    visitor.press(*halt)
    halted = len(visitor.history)
    for event in later:
        visitor.events[event["id"]] = event
        visitor.dispatch(event)
    drawn = [new for part, new in visitor.history[halted:] if part == visitor.part(place)]
    assert not any("value" in new for new in drawn)
    if place == "live":
        assert (stage(visitor)["kind"], stage(visitor)["computing"]) == ("idle", False)
    else:
        assert visitor.shown["race"]["interactive"] is not False


def test_another_picture_while_it_runs_stays(halfway):
    """Chosen while the core is at work: nothing that is under way takes it back, and the records
    go on."""
    visitor, opened = halfway
    first = stage(visitor)["picture"]["name"]
    visitor.press("live", "picture", data={"index": 2})
    assert stage(visitor)["picture"]["name"] == first  # it comes with the next update
    opened.set()
    assert until(lambda: stage(visitor)["end"] is not None)
    assert stage(visitor)["picture"]["name"] != first
    assert len(steps(visitor)) > 5
