"""Learning from the bundled photos, stopping, and going on as if it had never stopped."""

import gc
import weakref
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from torch import nn

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.learning import training
from kernel_demo.learning.certificate import Optimum
from kernel_demo.learning.choices import METHODS
from kernel_demo.learning.layers import SingleConv
from kernel_demo.learning.pairs import build, teacher
from kernel_demo.learning.statistics import Statistics
from kernel_demo.learning.training import CHECK_EVERY, Loop, TrainSettings, train

BAD_SETTINGS = [
    {"method": "lbfgs"},
    {"init": "xavier"},
    {"device": "tpu"},
    {"steps": 0},
    {"steps": 10**9},
    {"steps": 1.5},
    {"steps": "many"},
    {"steps": True},
    {"steps": float("nan")},
    {"steps": None},
    {"batch": 0},
    {"batch": 1025},
    {"accumulation": -1},
    {"tile": 4},
    {"tile": 513},
    {"batch": 1024, "tile": 512},
    {"seed": -1},
    {"seed": 2**32},
    {"patience": 0},
    {"check_every": 0},
    {"learning_rate": 0.0},
    {"learning_rate": -1.0},
    {"learning_rate": 1e9},
    {"learning_rate": float("nan")},
    {"learning_rate": float("inf")},
    {"learning_rate": "fast"},
]

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def photos():
    files = sorted(EXAMPLES.glob("*.jpg"))
    return [cv2.imread(str(file), cv2.IMREAD_GRAYSCALE).astype(np.float32) / 255 for file in files]


@pytest.fixture(scope="module")
def sobel(photos):
    """Tiles of one photo and its Sobel x."""
    kernel = kernels.named("sobel_x")
    return build(photos[:1], teacher(photos[:1], kernel), 3), kernel.values


def run(pairs, size=3, truth=None, resume=None, **settings):
    model = SingleConv(size, seed=3)
    return list(train(model, pairs, TrainSettings(**settings), truth=truth, resume=resume))


@pytest.mark.parametrize(
    ("name", "size"),
    [("sobel_x", 3), ("random", 3), ("gaussian", 5), ("log", 7), ("random", 9), ("random", 15)],
)
def test_kfac_finds_the_kernel_of_real_photos(photos, device, name, size):
    """From two bundled photos K-FAC learns the kernel to 1e-5 within 100 steps."""
    kernel = kernels.resolve(name, size, seed=1)
    pairs = build(photos[:2], teacher(photos[:2], kernel), size)
    last = run(pairs, size, kernel.values, steps=100, batch=16, device=device)[-1]
    assert last.kernel_error <= 1e-5
    assert last.kernel_error == np.abs(last.kernel - kernel.values).max()


def test_offset_is_learned_too(photos, device):
    """An offset, as in Pillow's EMBOSS, is learned along with the kernel."""
    kernel = kernels.named("emboss")
    pairs = build(photos[:1], teacher(photos[:1], kernel, offset=128 / 255), 3)
    model = SingleConv(3, offset=True)
    *_, last = train(model, pairs, TrainSettings(steps=60, device=device), truth=kernel.values)
    assert last.kernel_error <= 1e-5
    assert last.offset == pytest.approx(128 / 255, abs=1e-5)


def test_masked_pixels_do_no_harm(photos, device):
    """Clipped as files are, Sobel is found with the clipped pixels masked, and not without.

    Sobel of an 8-bit picture is whole grey levels, so that rounding as such changes nothing.
    """
    kernel = kernels.named("sobel_x")
    exact = teacher(photos[:1], kernel)
    rounded = [np.round(np.clip(after, 0, 1) * 255) / 255 for after in exact]
    masks = [(after > 0) & (after < 1) for after in rounded]
    pairs = build(photos[:1], rounded, 3, masks=masks)
    settings = {"steps": 40, "batch": 16, "device": device}
    assert run(pairs, truth=kernel.values, **settings)[-1].kernel_error <= 1e-5
    naive = build(photos[:1], rounded, 3)
    assert run(naive, truth=kernel.values, **settings)[-1].kernel_error > 0.3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("accumulation", [1, 2])
def test_resumed_equals_never_stopped(sobel, device, method, accumulation):
    """From any Progress the rest of the way is the same, to the last bit."""
    pairs, truth = sobel
    settings = {
        "method": method,
        "accumulation": accumulation,
        "batch": 8,
        "steps": 17,
        "check_every": 3,
        "seed": 5,
        "device": device,
    }
    whole = run(pairs, truth=truth, **settings)
    for start in (whole[0], next(p for p in whole if p.step >= 7)):
        rest = run(pairs, truth=truth, resume=start, **settings)
        assert rest[0].step == start.step
        assert np.array_equal(rest[0].kernel, start.kernel)
        assert np.array_equal(rest[-1].kernel, whole[-1].kernel)
        assert rest[-1].step == 17
        same = (p.validation_loss for p in (whole[-1], rest[-1]))
        assert next(same) == next(same)


def test_resumed_remembers_its_patience(sobel, device):
    """Stopping early happens at the same step, interrupted or not."""
    pairs, _ = sobel
    settings = {"steps": 200, "seed": 2, "batch": 8, "device": device}
    whole = run(pairs, **settings)
    rest = run(pairs, resume=whole[12], **settings)
    assert 12 < rest[-1].step == whole[-1].step < 200
    assert rest[-1].stopped_because == whole[-1].stopped_because


def test_who_goes_on_after_the_end_goes_on(sobel, device):
    """Resumed with more steps, a finished run makes them."""
    pairs, _ = sobel
    settings = {"method": "adam", "device": device}
    first = run(pairs, steps=5, **settings)[-1]
    assert first.done
    more = run(pairs, steps=9, resume=first, **settings)
    assert more[-1].step == 9
    assert np.array_equal(more[-1].kernel, run(pairs, steps=9, **settings)[-1].kernel)


def test_reporting_does_not_change_learning(sobel, device, monkeypatch):
    """However often a Progress is made for people to watch, the kernel is the same."""
    pairs, _ = sobel
    settings = {"method": "adam", "steps": 40, "batch": 8, "device": device}
    monkeypatch.setattr(training, "REPORT_SECONDS", 0.0)
    often = run(pairs, **settings)
    monkeypatch.setattr(training, "REPORT_SECONDS", 3600.0)
    seldom = run(pairs, **settings)
    assert [p.step for p in often] == list(range(41))
    assert [p.step for p in seldom] == [0, CHECK_EVERY["adam"], 40]
    assert np.array_equal(often[-1].kernel, seldom[-1].kernel)
    assert often[-1].stopped_because == seldom[-1].stopped_because


@pytest.mark.parametrize("method", METHODS)
def test_a_report_changes_neither_weights_nor_end(sobel, device, monkeypatch, method):
    """A Progress at the steps that are wanted, beside the checks; the weights at each step that
    both runs tell, and where and why they end, are those of a run that nobody watches. From a step
    that was only reported, too, it goes on as if it had never stopped."""
    pairs, truth = sobel
    monkeypatch.setattr(training, "REPORT_SECONDS", 3600.0)
    settings = TrainSettings(method, steps=60, batch=8, check_every=10, device=device)
    wanted = {1, 2, 3, 17, 33, 59}

    def run(**how):
        return list(train(SingleConv(3), pairs, settings, truth=truth, **how))

    alone, told = run(), run(report=wanted.__contains__)
    assert {p.step for p in told} == {p.step for p in alone} | {
        s for s in wanted if s < told[-1].step
    }
    same = {p.step: p for p in told}
    for progress in alone:
        np.testing.assert_array_equal(same[progress.step].kernel, progress.kernel)
    assert (told[-1].step, told[-1].stop) == (alone[-1].step, alone[-1].stop)
    resumed = run(resume=same[17])
    np.testing.assert_array_equal(resumed[-1].kernel, alone[-1].kernel)
    assert resumed[-1].step == alone[-1].step


def test_what_the_pictures_allow_is_told_once_it_is_known(sobel):
    """The largest standard error of the exact optimum: from the second Progress on."""
    pairs, truth = sobel
    before = np.random.default_rng(0).random((60, 60)).astype(np.float32)
    noise = 0.01 * np.random.default_rng(1).standard_normal((58, 58))
    after = np.pad(correlate_valid(before, truth) + noise, 1)
    best = Optimum(Statistics.from_pair(before, after, 3), offset=False)
    first, *rest = train(SingleConv(3), pairs, TrainSettings(steps=3), optimum=lambda: best)
    assert first.allowed is None
    assert {p.allowed for p in rest} == {best.solution.standard_error.max()}
    assert rest[0].allowed > 0


def test_first_progress_is_the_start(sobel):
    """The first Progress is step 0, before any update, with the model's own start."""
    pairs, truth = sobel
    model = SingleConv(3, seed=3)
    start = model.kernel()
    progress = next(train(model, pairs, TrainSettings(), truth=truth))
    assert (progress.step, progress.steps, progress.done) == (0, 200, False)
    assert np.array_equal(progress.kernel, start)
    assert progress.kernel_error == np.abs(start - truth).max()
    assert progress.stopped_because == ""


def test_losses_are_those_of_the_formula(sobel, device):
    """loss and validation_loss are weighted means of squares over batch and held-out tiles."""
    pairs, _ = sobel
    model = SingleConv(3, seed=3)

    def expected(tiles):
        with torch.no_grad():
            error = model.double()(pairs.before[tiles].double()) - pairs.after[tiles]
        weight = pairs.weight[tiles]
        return ((weight * error.square()).sum() / weight.sum()).item()

    everything = TrainSettings(batch=len(pairs.training), device=device)
    progress = next(train(SingleConv(3, seed=3), pairs, everything))
    # float32 sums of many squares: seven digits, less the logarithm of their number.
    assert progress.loss == pytest.approx(expected(pairs.training), rel=1e-5)
    assert progress.validation_loss == pytest.approx(expected(pairs.validation), rel=1e-5)


@pytest.mark.parametrize("method", METHODS)
def test_each_loss_is_that_of_the_kernel_beside_it(sobel, device, method):
    """At the start, on the way and at the end: the mean square over the batch of the next step by
    the very kernel of that Progress. To look at it changes no weight."""
    pairs, _ = sobel
    settings = TrainSettings(
        method, batch=8, accumulation=2, steps=5, check_every=1, device=device, seed=4
    )
    told = list(train(SingleConv(3, seed=3), pairs, settings))
    bare = Loop(SingleConv(3, seed=3), pairs, settings, torch.device(device))
    assert [progress.step for progress in told] == [0, 1, 2, 3, 4, 5]
    for progress in told:
        if progress.step:
            bare.update(progress.step)  # never looked at
        np.testing.assert_array_equal(progress.kernel, bare.model.kernel())
        weights = torch.from_numpy(progress.kernel)[None, None]
        chosen = bare._chosen(progress.step + 1).cpu()
        made = torch.nn.functional.conv2d(pairs.before[chosen].double(), weights)
        weight = pairs.weight[chosen]
        squares = weight * (made - pairs.after[chosen]).square()
        assert progress.loss == pytest.approx((squares.sum() / weight.sum()).item(), rel=1e-4)


def test_each_epoch_goes_once_through_all(sobel, device):
    """The batches of an epoch are disjoint and make up the training tiles."""
    pairs, _ = sobel
    loop = Loop(SingleConv(3), pairs, TrainSettings(batch=8), torch.device(device))
    per_epoch = len(pairs.training) // 8
    for epoch in range(2):
        steps = range(epoch * per_epoch + 1, (epoch + 1) * per_epoch + 1)
        chosen = torch.cat([loop._chosen(step) for step in steps]).tolist()
        assert len(set(chosen)) == len(chosen) == per_epoch * 8
        assert set(chosen) <= set(pairs.training.tolist())


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"steps": 6, "method": "adam"}, "All 6 steps are done."),
        ({"steps": 200}, "floor of 32-bit arithmetic"),
        ({"steps": 400, "method": "sgd", "learning_rate": 1e-9, "patience": 50}, "has not fallen"),
        ({"steps": 200, "method": "sgd", "learning_rate": 90.0}, "Lower the learning rate"),
    ],
)
def test_it_says_why_it_stopped(sobel, device, settings, reason):
    """The last Progress, and only it, is done and says why."""
    pairs, _ = sobel
    progresses = run(pairs, batch=8, device=device, **settings)
    assert reason in progresses[-1].stopped_because
    assert [p.done for p in progresses] == [False] * (len(progresses) - 1) + [True]
    assert all((p.stopped_because != "") == p.done for p in progresses)


def test_deadline_ends_it(sobel):
    """Past its deadline it stops and says so."""
    pairs, _ = sobel
    *_, last = train(SingleConv(3), pairs, TrainSettings(steps=100_000), deadline=0.0)
    assert last.done
    assert last.stopped_because == "The time is up: 0 seconds."


def test_progress_owns_its_arrays(sobel, device):
    """A Progress does not change when training goes on."""
    pairs, _ = sobel
    settings = TrainSettings(method="adam", check_every=1, device=device)
    iterator = train(SingleConv(3, seed=3), pairs, settings)
    first = next(iterator)
    kept = first.kernel.copy(), first.state["weights"]["conv.weight"].copy()
    second = next(iterator)
    assert np.array_equal(first.kernel, kept[0])
    assert np.array_equal(first.state["weights"]["conv.weight"], kept[1])
    assert not np.array_equal(second.kernel, first.kernel)


@pytest.mark.parametrize("method", METHODS)
def test_stopping_frees_everything(sobel, device, method):
    """Closed in the middle, nothing of the run is alive, and the model is as it was given."""
    pairs, _ = sobel
    model = SingleConv(3)
    settings = TrainSettings(method=method, check_every=1, device=device)
    iterator = train(model, pairs, settings)
    for _ in range(3):
        next(iterator)
    loop = weakref.ref(iterator.gi_frame.f_locals["loop"])
    iterator.close()
    gc.collect()
    assert loop() is None
    assert model.conv.weight.grad is None
    assert model.conv.weight.device.type == "cpu"
    assert not model.conv._forward_pre_hooks


def test_any_model_can_learn(photos, device):
    """A deep net goes through the same train(): its loss falls, and it has no kernel."""
    magnitude = [np.hypot(*np.gradient(photo)).astype(np.float32) for photo in photos[:1]]
    pairs = build(photos[:1], magnitude, 5)
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Conv2d(8, 1, 3))
    settings = TrainSettings("adam", learning_rate=0.01, steps=40, batch=8, device=device)
    first, *_, last = train(net, pairs, settings, truth=np.eye(3))
    assert last.validation_loss < first.validation_loss / 2
    assert last.kernel is None
    assert last.kernel_error is None


def test_global_generator_is_left_alone(sobel, device):
    """Training draws nothing from the global generators, hence visitors do not meet there."""
    pairs, _ = sobel
    torch.manual_seed(1)
    np.random.seed(1)
    before = torch.get_rng_state(), np.random.get_state()[2]
    run(pairs, steps=5, device=device)
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == np.random.get_state()[2]


def test_refused_at_the_call(sobel):
    """train() checks before it yields: no next() is needed to learn of a mistake."""
    pairs, _ = sobel
    deep = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Conv2d(2, 1, 1))
    with pytest.raises(DemoError, match="one convolution"):
        train(deep, pairs, TrainSettings())
    with pytest.raises(DemoError, match="bfloat16"):
        train(SingleConv(3), pairs, TrainSettings(device="cpu", mixed_precision=True))
    paused = run(pairs, steps=1)[-1]
    with pytest.raises(DemoError, match="adam after kfac"):
        train(SingleConv(3), pairs, TrainSettings(method="adam"), resume=paused)
    with pytest.raises(DemoError, match="model that was paused"):
        train(SingleConv(3, offset=True), pairs, TrainSettings(), resume=paused)
    with pytest.raises(DemoError, match="5 × 5"):
        train(SingleConv(5), pairs, TrainSettings())


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("method", METHODS)
def test_steps_do_not_wait_for_the_gpu(sobel, method):
    """Between two Progress nothing synchronises host and device."""
    loop = Loop(SingleConv(3), sobel[0], TrainSettings(method=method), torch.device("cuda"))
    loop.update(1)  # loads libraries and the first epoch's order
    torch.cuda.set_sync_debug_mode("error")
    try:
        for step in range(2, len(sobel[0].training) // 32 + 1):
            loop.update(step)
    finally:
        torch.cuda.set_sync_debug_mode("default")
        loop.close()


@pytest.mark.parametrize("settings", BAD_SETTINGS, ids=str)
def test_settings_out_of_range_are_refused(settings):
    """Values of the wrong kind or out of bounds are refused, and the message says what would do."""
    with pytest.raises(DemoError, match="Expected"):
        TrainSettings(**settings)


def test_whole_numbers_as_json_sends_them():
    """32.0 is 32."""
    settings = TrainSettings(batch=32.0, steps=np.int64(7))
    assert (settings.batch, settings.steps) == (32, 7)
    assert type(settings.batch) is type(settings.steps) is int
