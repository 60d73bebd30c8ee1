"""One run of the page: computed at full speed, and taken up again from any step that is shown."""

import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.learning.exact import ExactSettings, train_exact
from kernel_demo.learning.layers import SingleConv
from kernel_demo.learning.statistics import accumulate
from kernel_demo.learning.training import Cause, TrainSettings, train
from kernel_demo.ui import device as gpu
from kernel_demo.ui.components.kept import spread
from kernel_demo.ui.learn import run as events
from kernel_demo.ui.learn import session as sessions
from kernel_demo.ui.learn import showing
from kernel_demo.ui.learn.run import run
from kernel_demo.ui.learn.session import Damage, Experiment, Session, Shown, prepare
from kernel_demo.ui.learn.settings import START, experiment
from kernel_demo.ui.pictures import PictureChoice
from kernel_demo.ui.serving import jobs

ADAM = TrainSettings("adam", steps=40, learning_rate=0.1, check_every=7)
SGD = TrainSettings("sgd", steps=40, check_every=7)
KFAC = TrainSettings("kfac", steps=20)
EXACT = ExactSettings("adam", steps=400, learning_rate=0.01)
LBFGS = ExactSettings("lbfgs", steps=400)
EVERY = [ADAM, SGD, KFAC, EXACT, LBFGS]


def name(settings) -> str:
    return showing.run_name(settings)


def session(settings=KFAC, source="bundled") -> Session:
    return Session(
        experiment=Experiment(
            choice=PictureChoice(source=source, count=2),
            weights=tuple(map(tuple, kernels.named("sobel_x").values.tolist())),
            damage=Damage(noise=2.0),
            settings=settings,
        )
    )


def ran(begun: Session) -> Session:
    *_, last = run(begun)
    return last


def told_by_core(settings, resume=None, at=lambda _: True):
    """The same experiment by the core alone, told at every step that is wanted."""
    wanted = session(settings).experiment
    pairs, truth = prepare(wanted).pairs, wanted.truth
    if isinstance(settings, ExactSettings):
        return train_exact(accumulate(pairs, 3)[0], settings, truth, resume=resume, report=at)
    tiles = gpu.tiles(pairs, 3, settings)
    return train(SingleConv(3), tiles, settings, truth=truth, resume=resume, report=at)


def by_core(settings, resume=None, until=None):
    """The last Progress of the core alone, or that of a step."""
    for progress in told_by_core(settings, resume, lambda step: step == until):
        if progress.step == until:
            break
    return progress


def test_a_run_ends_with_the_true_kernel():
    """The page's own way through the core recovers Sobel from bundled photos."""
    begun = session(TrainSettings())
    last = ran(replace(begun, experiment=replace(begun.experiment, damage=Damage())))
    assert last.progress.done
    assert not last.running
    assert np.abs(last.progress.kernel - last.experiment.truth).max() < 1e-5


@pytest.mark.parametrize("settings", EVERY, ids=name)
def test_every_kept_step_arrives(settings):
    """However seldom a message is sent: of each step that is kept by its number, the figures and
    the kernel that the core has there."""
    last = ran(session(settings))
    end = last.progress.step
    planned = {step for step in range(end + 1) if spread(step, settings.steps)}
    assert planned | {end} <= set(last.kept.steps)
    looked = {0, 1, end, *last.kept.steps[1 :: len(last.kept.steps) // 4]}
    core = {p.step: p for p in told_by_core(settings, at=looked.__contains__)}
    for step in looked:
        kept, expected = last.kept.at(step), core[step]
        apart = last.experiment.truth - expected.kernel
        np.testing.assert_array_equal(kept.difference, apart.astype("<f4"))
        assert kept.kernel_error == np.float32(expected.kernel_error)
        assert kept.loss == np.float32(expected.loss)


def test_a_run_travels_between_processes(monkeypatch):
    """What a device on loan is given, and what it yields, is pickled on ZeroGPU."""
    real = gpu.learn

    def lent(*arguments):
        for progress in real(*pickle.loads(pickle.dumps(arguments))):
            yield pickle.loads(pickle.dumps(progress))

    monkeypatch.setattr(gpu, "learn", lent)
    _, stepping = step(ran(session(ADAM)), 9)
    np.testing.assert_array_equal(ran(stepping).progress.kernel, by_core(ADAM, until=10).kernel)


def test_messages_are_few_and_each_has_all_until_then(monkeypatch):
    """At most one each FRAME_SECONDS; each has the records up to what it is about, also when later
    ones were made since."""
    assert events.FRAME_SECONDS >= 0.1
    monkeypatch.setattr(events, "FRAME_SECONDS", 0)
    frames = list(run(session(TrainSettings(steps=12, check_every=2))))
    assert [frame.kept.steps for frame in frames] == [tuple(range(step + 1)) for step in range(13)]
    assert [frame.progress.step for frame in frames] == [*range(13)]
    monkeypatch.setattr(events, "FRAME_SECONDS", 1000)
    assert len(list(run(session(TrainSettings(steps=12))))) == 2


# ---- Taken up again


@pytest.mark.sweep(3)
@pytest.mark.parametrize("settings", EVERY, ids=name)
@pytest.mark.parametrize("marked", [8 * 2**20, 0], ids=["marks", "no marks"])
def test_step_counts_from_what_is_shown(monkeypatch, settings, marked):
    """A run that is through is looked back at, and Step is pressed: what was beyond is gone, and
    the weights of the next step are those of a run that was stopped there, bit for bit; with marks
    on the way, or anew from the start."""
    monkeypatch.setattr(sessions, "MARKED_BYTES", marked)
    through = ran(session(settings))
    for shown in (through.kept.steps[len(through.kept.steps) // 2], 3, 1):
        _, asked = step(through, shown)
        assert (asked.progress.step, asked.kept.steps[-1]) == (shown, shown)
        frames = list(run(asked))
        last = frames[-1]
        assert {frame.kept.steps[-1] for frame in frames} <= {shown, shown + 1}  # silently
        assert last.paused
        assert last.place == (through.number, shown + 1)
        assert last.kept.steps[-2:] == (shown, shown + 1)
        core = by_core(settings, until=shown + 1)
        np.testing.assert_array_equal(last.progress.kernel, core.kernel)
        np.testing.assert_array_equal(ran(on(last)).progress.kernel, through.progress.kernel)


def step(begun: Session, shown: int) -> tuple:
    """The event, of a page that is set to just this run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "experiment", lambda _: begun.experiment)
        return events.step({"step": shown}, begun, START)


def on(paused: Session) -> Session:
    return events.resume({}, paused)[1]


def test_step_after_step_arrives_where_a_run_does():
    """Step, Step, Step from nothing is a run of three steps, bit for bit."""
    values = START | {"count": 2, "noise": 2.0}
    _, stepped = events.step({"step": 0}, Session(), values)
    for shown in (1, 2):
        stepped = ran(stepped)
        assert (stepped.paused, stepped.progress.step) == (True, shown)
        _, stepped = events.step({"step": shown}, stepped, values)
    stepped = ran(stepped)
    assert stepped.kept.steps == (0, 1, 2, 3)
    np.testing.assert_array_equal(
        stepped.progress.kernel, by_core(stepped.experiment.settings, until=3).kernel
    )


@pytest.mark.sweep(5)
@pytest.mark.parametrize("settings", [ADAM, SGD, EXACT], ids=name)
@pytest.mark.parametrize("marked", [8 * 2**20, 0], ids=["marks", "no marks"])
def test_a_rate_counts_from_what_is_shown(monkeypatch, settings, marked):
    """Two changes of the rate on the way: the weights are, bit for bit, those of a run in three
    parts by the core; what is told of the first part is what was."""
    monkeypatch.setattr(sessions, "MARKED_BYTES", marked)
    running = replace(ran(session(settings)), running=True)
    before = running.kept
    for shown, new in ((9, 0.05), (21, 0.02)):
        _, running = events.rate({"step": shown, "rate": new}, running)
        assert running.running
        assert running.kept.steps[-1] == shown
        running = ran(running)
    assert running.rates == ((0, settings.learning_rate), (9, 0.05), (21, 0.02))
    assert running.kept.records[:10] == before.records[:10]
    part = by_core(settings, until=9)
    part = by_core(replace(settings, learning_rate=0.05), resume=part, until=21)
    whole = by_core(replace(settings, learning_rate=0.02), resume=part)
    assert running.progress.step == whole.step
    np.testing.assert_array_equal(running.progress.kernel, whole.kernel)
    assert running.experiment.settings.learning_rate == 0.02  # as the page is set now
    _, again = step(running, 15)  # before the second change: the page's rate counts from here
    assert again.rates == ((0, settings.learning_rate), (9, 0.05), (15, 0.02))
    np.testing.assert_array_equal(
        ran(again).progress.kernel,
        by_core(
            replace(settings, learning_rate=0.02),
            resume=by_core(
                replace(settings, learning_rate=0.05), resume=by_core(settings, until=9), until=15
            ),
            until=16,
        ).kernel,
    )


def test_a_rate_leaves_a_paused_run_paused():
    """And one that was computed, but not shown to its end, goes on; at its very end, or by a method
    that has no such rate, nothing changes; what is no rate is refused."""
    through = ran(session(ADAM))
    _, paused = events.pause({"step": 9}, through)
    value, slower = events.rate({"step": 9, "rate": 0.05}, paused)
    assert (value["computing"], value["paused"], value["rates"]) == (False, True, [[9, 0.05]])
    assert (slower.running, slower.progress.step) == (False, 9)
    assert events.rate({"step": 9, "rate": 0.05}, through)[1].running
    assert events.rate({"step": 40, "rate": 0.05}, through)[1] is through
    kfac = ran(session(KFAC))
    assert events.rate({"step": 9, "rate": 0.05}, kfac)[1] is kfac
    for rate in ("fast", None, -1, float("nan"), 1e9):
        value, same = events.rate({"step": 9, "rate": rate}, paused)
        assert "learning rate" in value["error"]
        assert same.experiment == paused.experiment
    own = events.rate({"step": 9, "rate": 0}, paused)[1]
    assert own.experiment.settings.learning_rate is None


@pytest.mark.parametrize("settings", [KFAC, ADAM, EXACT], ids=name)
def test_more_steps_go_on_from_the_end(settings):
    """Whatever was looked at last: the weights are those of a run of so many steps from the start,
    and the records ascend."""
    through = ran(session(settings))
    _, looked_back = events.pause({"step": 2}, through)
    value, longer = events.more({"step": 2, "steps": 15}, looked_back)
    assert (value["computing"], value["steps"]) == (True, settings.steps + 15)
    longer = ran(longer)
    whole = by_core(replace(settings, steps=settings.steps + 15))
    assert longer.progress.step == whole.step == settings.steps + 15
    np.testing.assert_array_equal(longer.progress.kernel, whole.kernel)
    assert (np.diff(longer.kept.steps) > 0).all()
    before = set(through.kept.records)
    assert all(
        (step > settings.steps) != (record in before)
        for step, record in zip(longer.kept.steps, longer.kept.records, strict=True)
    )
    assert {0, settings.steps} <= set(longer.kept.steps)
    assert longer.experiment == through.experiment  # the page is set to the same


@pytest.mark.parametrize("steps", [0, -3, "many", None, 10**9])
def test_more_steps_are_some(steps):
    """What is no number of steps is refused, and the run stays as it is."""
    through = ran(session(KFAC))
    value, same = events.more({"steps": steps}, through)
    assert "steps" in value["error"]
    assert same.progress is through.progress
    assert not same.running


GATE = 12


@pytest.fixture
def gate(monkeypatch):
    """A run that stands still before its step GATE, which is in the core and not on the page.

    (reached, opened): events; the first frame is shown, and after it only the last one.
    """
    reached, opened = threading.Event(), threading.Event()
    real = gpu.learn

    def gated(*arguments):
        for progress in real(*arguments):
            if progress.step == GATE and not opened.is_set():
                reached.set()
                assert opened.wait(60)
            yield progress

    monkeypatch.setattr(gpu, "learn", gated)
    monkeypatch.setattr(events, "FRAME_SECONDS", 1000)
    return reached, opened


@pytest.mark.parametrize("settings", [ExactSettings(optimizer="adam", steps=24),
                                      TrainSettings(steps=24, check_every=2)])  # fmt: skip
def test_a_paused_run_goes_on_where_its_records_end(gate, settings):
    """Paused while the core is steps ahead of the page: the records only ascend, and the weights
    are, bit for bit, those of a run that was never paused."""
    begun = session(settings)
    reached, opened = gate
    running = run(begun)
    shown = next(running)  # what the page has when Pause is pressed
    with ThreadPoolExecutor(1) as core:
        core.submit(next, running)
        assert reached.wait(60)
        _, paused = events.pause({"step": 0}, shown)
        before = paused.kept.steps
        opened.set()
    assert paused.kept.steps == before == (0,)  # and what the core did meanwhile is not in it
    resumed, unbroken = ran(on(paused)), ran(begun)
    assert resumed.progress.step == unbroken.progress.step == 24
    np.testing.assert_array_equal(resumed.progress.kernel, unbroken.progress.kernel)
    assert resumed.kept.steps == unbroken.kept.steps


def test_the_kernel_of_a_paused_run_is_the_one_shown():
    """Looking back, the kernel, its error and its place are those of the step shown, in the page's
    own numbers or better; Resume goes on from where computing stood, and has the end in view."""
    through = ran(session(ADAM))
    for marks in (through.marks, sessions.Marks()):
        value, paused = events.pause({"step": 9}, replace(through, marks=marks))
        core = by_core(ADAM, until=9)
        assert paused.place == (0, 9)
        np.testing.assert_allclose(paused.kernel, core.kernel, rtol=0, atol=2e-7)
        assert paused.progress.kernel_error == pytest.approx(core.kernel_error, rel=1e-6)
        assert paused.progress.stop is None
        assert (value["computing"], value["paused"]) == (False, False)
        assert value["end"]["cause"] == "STEPS"
        assert len(paused.kept.steps) == 41  # nothing is dropped
        value, again = events.resume({}, paused)
        assert not again.running
        np.testing.assert_array_equal(again.kernel, through.kernel)


# ---- Seconds, states, and what is told


@pytest.mark.parametrize("settings", [ADAM, EXACT], ids=name)
def test_no_second_of_computing_is_told_twice(settings):
    """A step that is computed a second time takes no time: the seconds of all that follows go on
    from those that were told of the step shown."""
    through = ran(session(settings))
    told = {step: through.kept.at(step).seconds for step in through.kept.steps}
    for marks in (through.marks, sessions.Marks()):
        _, asked = step(replace(through, marks=marks), 20)
        slow = replace(asked, kept=slower(asked.kept, 1000.0))  # as if it had taken so long
        stepped = ran(slow)
        assert stepped.kept.at(20).seconds == pytest.approx(told[20] + 1000)
        since = stepped.kept.at(21).seconds - stepped.kept.at(20).seconds
        assert 0 <= since < 60
        assert stepped.progress.seconds == pytest.approx(stepped.kept.at(21).seconds)
        resumed = ran(on(stepped))
        seconds = [resumed.kept.at(step).seconds for step in resumed.kept.steps[20:]]
        assert (np.diff(seconds) >= 0).all()
        assert seconds[-1] < told[20] + 1060


def slower(kept, seconds):
    """The records, with so many seconds more in each."""
    records = []
    for record in kept.records:
        values = np.frombuffer(record, "<f4").copy()
        values[4] += seconds
        records.append(values.tobytes())
    return replace(kept, records=tuple(records))


def test_uploads_without_files_are_refused():
    """Learning from "my pictures" without any says so."""
    with pytest.raises(DemoError, match="at least one picture"):
        next(run(session(source="mine")))


def test_who_waits_and_stops_is_where_they_were():
    """Stop while it waits for its place: the run before it is in view as it was, or the start; Stop
    while it learns ends the run with what it has."""
    value, asked = events.learn({}, Session(), START)
    assert (value["kind"], value["computing"], value["session"]) == ("frame", True, 1)
    assert value["records"] == showing.idle(START)["records"]
    value, still = events.stop({}, asked)
    assert (value["kind"], value["computing"], value["session"]) == ("idle", False, 0)
    assert not still.unfinished
    through = ran(replace(session(KFAC), number=4))
    again = replace(through, number=5, progress=None, stand=None, kept=None, running=True,
                    waits=True)  # fmt: skip
    value, still = events.stop({}, again, Shown(through, "reflect"))
    assert (value["kind"], value["session"], value["end"]["cause"]) == ("frame", 4, "STEPS")
    _, stepping = step(through, 5)
    value, still = events.stop({}, stepping)
    assert (value["paused"], value["end"], still.place) == (True, None, (4, 5))
    begun = replace(stepping, waits=False)
    value, still = events.stop({}, begun)
    assert (value["end"]["cause"], value["end"]["sentence"]) == (
        "VISITOR",
        str(Cause.VISITOR.value),
    )
    assert still.kernel is not None
    longer = ran(events.more({"steps": 7}, still)[1])
    assert longer.progress.step == 12


def test_what_a_client_says_besides_is_refused_or_nothing():
    """Steps that are none, events without a run, data that are none: no error, and no run."""
    for event in (events.resume, events.more, events.pause, events.stop):
        value, still = event({"step": 3, "steps": 5}, Session())
        assert not still.running
        assert value["error"] == events.GONE
    value, still = events.rate({"step": 3, "rate": 0.1}, Session())
    assert (value["error"], still.running) == (events.GONE, False)
    through = ran(session(KFAC))
    for said in ("x", -1, [], 1.5):
        value, same = step_said(through, said)
        assert "step" in value["error"]
        assert same.kept is through.kept
    last = step_said(through, 20)[1]
    assert not last.running  # there is none beyond the end
    assert last.progress.done


def step_said(begun, said):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "experiment", lambda _: begun.experiment)
        return events.step({"step": said}, begun, START)


@pytest.mark.parametrize("event", [events.learn, events.step])
@pytest.mark.parametrize("ran_before", [True, False])
def test_what_cannot_be_read_is_not_learned(event, ran_before):
    """A bad cell, and another method than that of the run before: the sentence comes alone, without
    that run, and the chips say what is set; the run before is still there to be set back to."""
    before = ran(session(ADAM)) if ran_before else Session()
    grid = {"rows": [["abc", "0", "0"], ["0"] * 3, ["0"] * 3]}
    value, same = event({}, before, START | {"kernel": "own", "editor": grid})
    assert (value["kind"], "records" in value) == ("error", False)
    assert "row 1, column 1" in value["error"]
    assert value["chips"]["method"] == {"text": "K-FAC", "note": ""}
    assert value["chips"]["filter"]["text"] == "No filter yet"
    assert same is before


def test_a_step_of_another_experiment_is_a_run_of_its_own():
    """The page was set otherwise since: Step begins anew, and stops after one update."""
    through = ran(replace(session(KFAC), number=4))
    value, asked = events.step({"step": 9}, through, START)
    assert (asked.number, asked.goal, asked.kept.steps) == (5, 1, (0,))
    assert asked.experiment == experiment(START)
    assert ran(asked).place == (5, 1)


def test_values_ascend_whatever_the_clock_says(monkeypatch):
    """Running, paused, resumed, the next run: each update has a number above the one before it,
    though the clock is set back an hour from each to the next."""
    hours = iter(range(1000, 0, -1))
    clocks = {"time": 1, "monotonic": 1, "time_ns": 10**9, "monotonic_ns": 10**9}
    clock = SimpleNamespace(
        **{name: lambda unit=unit: 3600 * unit * next(hours) for name, unit in clocks.items()}
    )
    begun = next(run(replace(session(KFAC), number=1)))
    for module in (events, showing, jobs):  # not of the process: a server's loop lives by it
        monkeypatch.setattr(module, "time", clock, raising=False)
    values = [
        events.resume({}, begun)[0],
        events.pause({"step": 0}, begun)[0],
        events.waits(1, begun)[0],
        events.stop({}, begun)[0],
        showing.idle(START),
        showing.failed("no", begun),
        showing.failed("no"),
        events.pause({"step": 0}, replace(begun, number=2))[0],
    ]
    numbers = [value["number"] for value in values]
    assert numbers == sorted(set(numbers))
    assert len({value["server"] for value in values}) == 1
