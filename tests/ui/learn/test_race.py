"""The card "Race": what travels to the browser, and what is said."""

import base64
import json
from types import SimpleNamespace

import numpy as np
import pytest

from kernel_demo.imaging import kernels
from kernel_demo.learning.choices import quickest_sgd
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.race import GOALS, RUNNERS, Arrival, Lane, Snapshot
from kernel_demo.learning.training import TrainSettings
from kernel_demo.ui import device
from kernel_demo.ui.components import race_chart as race_view
from kernel_demo.ui.learn import race as race_card
from kernel_demo.ui.learn.session import Damage, Experiment, prepare
from kernel_demo.ui.pictures import PictureChoice

FLOAT32 = 2.0**-24  # half the spacing of float32, relative


def decoded(texts):
    raw = b"".join(base64.b64decode(text) for text in texts)
    return np.frombuffer(raw, "<f4").reshape(-1, 3)


def lane(steps, seconds, errors, arrivals=(), name="adam", done=True):
    arrays = np.asarray(steps, np.int64), np.asarray(seconds, float), np.asarray(errors, float)
    return Lane(name, *arrays, None, tuple(arrivals), done, None)


def experiment(**changes):
    weights = tuple(map(tuple, kernels.named("sobel_x").values.tolist()))
    values = {"choice": PictureChoice(count=1), "weights": weights, "damage": Damage()}
    return Experiment(**(values | {"settings": TrainSettings()} | changes))


@pytest.fixture(scope="module")
def finished():
    """Every value of a race on one photo; time enough for K-FAC on the busiest machine."""
    names = ["kfac", "exact_lbfgs", "closed_form"]
    return list(race_card.stream(names, experiment(), limit=60.0))


def test_the_curves_are_the_races_own_numbers():
    """Steps, seconds and errors decode to float32 of what the race measured; few: all of them."""
    generator = np.random.default_rng(0)
    seconds = np.cumsum(generator.uniform(0.1, 0.3, 12))
    errors = 10.0 ** generator.uniform(-10, 1, 12)
    sent = decoded(race_view.chunks(lane(np.arange(12), seconds, errors)))
    np.testing.assert_array_equal(sent[:, 0], np.arange(12))
    np.testing.assert_allclose(sent[:, 1:], np.stack([seconds, errors], 1), rtol=FLOAT32)


def test_a_long_curve_is_bounded_and_keeps_what_matters():
    """A million steps: under 400 points; the first, the arrivals and the last are among them."""
    steps = np.arange(0, 1_000_000, 50)
    errors = 10.0 ** (-steps / 1e5)
    arrivals = [Arrival(goal, steps[i] * 6e-6, steps[i])
                for goal in GOALS for i in [int(np.argmax(errors <= goal))]]  # fmt: skip
    texts = race_view.chunks(lane(steps, steps * 6e-6, errors, arrivals))
    kept = decoded(texts)[:, 0]
    assert len(kept) < 400
    assert sum(map(len, texts)) < 8000
    assert {0, steps[-1], *(arrival.step for arrival in arrivals)} <= set(kept)
    assert (np.diff(kept) > 0).all()


def test_full_chunks_never_change():
    """Each update sends only the last chunk anew, however the race goes on."""
    seconds = np.geomspace(0.01, 6, 2000)
    steps, errors = np.arange(2000), np.geomspace(1, 1e-9, 2000)
    before = race_view.chunks(lane(steps[:900], seconds[:900], errors[:900]))
    after = race_view.chunks(lane(steps, seconds, errors))
    assert len(before) > 2
    assert after[: len(before) - 1] == before[:-1]


@pytest.mark.parametrize("bad", [np.nan, np.inf, 1e300])
def test_what_diverged_is_no_point(bad):
    """An error that is no number does not reach the page, and the update stays JSON."""
    broken = lane([0, 1, 2], [0.1, 0.2, 0.3], [1.0, bad, bad])
    np.testing.assert_allclose(decoded(race_view.chunks(broken)), [[0, 0.1, 1]], rtol=FLOAT32)
    value = race_view.frame("a", 1, Snapshot((broken,), True), 6.0)
    json.dumps(value, allow_nan=False)


def test_the_race_of_the_page(finished):
    """K-FAC and the exact methods come within 1e-6 of Sobel; the first one is marked."""
    assert [value["done"] for value in finished] == [False] * (len(finished) - 1) + [True]
    assert [value["number"] for value in finished] == list(range(len(finished)))
    lanes = {lane["name"]: lane for lane in finished[-1]["lanes"]}
    for name in ("kfac", "exact_lbfgs", "closed_form"):
        assert None not in lanes[name]["cells"], name
        assert decoded(lanes[name]["points"])[-1, 2] <= 1e-6
    assert sum(bool(each["cells"][2] and each["cells"][2]["first"]) for each in lanes.values()) == 1
    assert "First within a millionth" in finished[-1]["verdict"]
    assert "condition number" in finished[-1]["why"]


def test_every_update_is_small_json(finished):
    """No NaN, and a few KB at most."""
    assert max(len(json.dumps(value, allow_nan=False)) for value in finished) < 12_000


def test_the_start_is_the_pages():
    """The exact methods begin where the settings of the page say, whichever sort they are."""
    for settings in (TrainSettings(seed=3, init="zeros"), ExactSettings(seed=3, init="zeros")):
        values = race_card.stream(["exact_sgd", "exact_lbfgs"], experiment(settings=settings), 0.01)
        first = [decoded(lane["points"])[0] for lane in list(values)[-1]["lanes"]]
        for step, _, error in first:  # zeros differ from Sobel by its largest weight
            assert (step, error) == (0, 2)


def test_noise_is_said_to_be_the_limit():
    """With noise, the sentence tells how near the best kernel of these pictures is."""
    noisy = experiment(damage=Damage(noise=5.0))
    last = list(race_card.stream(["exact_kfac", "closed_form"], noisy, 2.0))[-1]
    assert "Even the best kernel" in last["why"]


def test_leaving_closes_the_race(monkeypatch):
    """A visitor who goes away ends every runner."""
    closed = []
    progress = SimpleNamespace(
        step=1, seconds=0.1, kernel_error=1.0, kernel=None, done=False, stop=None
    )

    def runner(name):
        try:
            while True:
                yield progress
        finally:
            closed.append(name)

    runners = {name: runner(name) for name in ("kfac", "adam")}
    monkeypatch.setattr(race_card, "_runners", lambda *_: (runners, "", {}))
    updates = race_card.stream(["kfac", "adam"], experiment(), limit=6.0)
    shown = [next(updates) for _ in range(3)]
    assert shown[-1]["lanes"][1]["points"]
    updates.close()
    assert sorted(closed) == ["adam", "kfac"]


@pytest.mark.parametrize(
    ("names", "size", "reason"),
    [(["kfac"], 3, race_card.TOO_FEW), (["kfac", "sgd"], 31, "15 × 15"), (["kfac", "sgd"], 15, "")],
)
def test_race_cannot_be_pressed_without_a_reason(names, size, reason):
    """One method is no race, and a large kernel takes too long: the button says so."""
    button, said = race_card.ready(names, size)
    assert button["interactive"] == (not reason)
    assert reason in said


def test_a_rate_that_was_searched_for_is_told():
    """Adam and SGD, by batches and exact, race by the rates below their names; K-FAC has none."""
    names = ["kfac", "adam", "sgd", "exact_adam", "exact_sgd"]
    wanted = experiment()
    last = list(race_card.stream(names, wanted, 0.05))[-1]
    tiles = device.tiles(prepare(wanted).pairs, 3, wanted.settings)
    sgd = f"rate {quickest_sgd(3, float(tiles.before.square().mean())):.3g}"
    assert [lane["rate"] for lane in last["lanes"]] == ["", "rate 0.2", sgd, "rate 0.2", sgd]


def test_nobody_arrived():
    """A race that nobody won is told as one."""
    slow = lane([0, 5], [0.1, 6.0], [2.0, 0.5])
    assert race_view.verdict([slow, slow], 6.0) == "Nobody came within a hundredth in 6 seconds."


def test_every_racer_has_a_name():
    """All runners are on offer, each with a label."""
    assert sorted(race_view.LABELS) == sorted(RUNNERS)
