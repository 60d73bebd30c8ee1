"""What choosing pictures, a kernel or a method does."""

import re
import threading
from dataclasses import replace

import numpy as np
import pytest

from kernel_demo.learning.layers import SingleConv
from kernel_demo.learning.model import make
from kernel_demo.sources import hub
from kernel_demo.sources.memory import Memory
from kernel_demo.ui import pictures
from kernel_demo.ui.components import kernel_editor
from kernel_demo.ui.learn import run, tab
from kernel_demo.ui.learn.session import Session
from kernel_demo.ui.learn.settings import START, experiment
from tests.sources.fake_hub import FakeHub
from tests.ui.visitor import PATIENCE, Visitor


def size_of(*chosen):
    update = tab.kernel_chosen(*chosen)[0]
    assert update["value"] in [value for _, value in update["choices"]]
    return update["value"]


@pytest.mark.parametrize(("rows", "before"), [(3, 9), (9, 3), (17, 3)])
def test_ones_own_kernel_has_the_size_of_its_grid(rows, before):
    """Size says what is learned, whatever it said for the kernel chosen before."""
    grid = kernel_editor.editor_value(np.eye(rows))
    assert size_of("own", before, grid) == rows


@pytest.mark.parametrize(
    ("kernel", "before", "size"), [("random", 9, 9), ("random", 17, 15), ("sobel_x", 3, 3)]
)
def test_other_kernels_keep_the_size_or_take_the_nearest(kernel, before, size):
    """The grid, which is out of sight, does not count."""
    assert size_of(kernel, before, kernel_editor.editor_value(np.eye(5))) == size


def test_another_size_than_before_is_said():
    """Who goes from 15 to a Sobel reads why it is 7 now; who keeps the size reads nothing of it."""
    told = [tab.kernel_chosen("sobel_x", size, None)[-1] for size in (15, 7)]
    assert "does not come in 15 × 15: 7 × 7 is the nearest" in told[0]
    assert "nearest" not in told[1]


@pytest.mark.parametrize("kernel", ["sobel_x", "random", "own"])
def test_what_is_open_is_not_offered(kernel):
    """The numbers of one's own kernel are there to be edited: of another one they can be."""
    *_, editor, _, edit, _ = tab.kernel_chosen(kernel, 3, kernel_editor.editor_value(np.eye(3)))
    assert (editor["visible"], edit["visible"]) == (kernel == "own", kernel != "own")


@pytest.mark.parametrize("grid", [None, {}, {"rows": []}])
def test_no_grid_changes_no_size(grid):
    """A client may send anything in place of the grid."""
    assert size_of("own", 5, grid) == 5


def test_what_is_wrong_is_told_in_its_panel_and_on_the_stage():
    """A seed that is none is told beside it and in the verdict, in no other panel."""
    values = START | {"kernel": "random", "kernel_seed": -1}
    stage, gallery, notice, beside, method, _ = tab.changed(Session(), values)
    assert "got -1" in beside
    assert "got -1" in stage["error"]
    assert gallery.count("<img") == 8
    assert (notice, method) == ("", "")


@pytest.mark.parametrize(("method", "size"), [("adam", 3), ("sgd", 3), ("sgd", 9), ("kfac", 5)])
def test_the_rates_field_says_the_methods_own(method, size):
    """The number in the empty field is the one that the optimizer itself has."""
    optimizer = make(method, SingleConv(size))
    rate = optimizer.param_groups[0]["lr"]
    values = START | {"kernel": "random", "size": size, "method": method}
    *_, field = tab.changed(Session(), values)
    assert float(field["placeholder"]) == pytest.approx(rate, rel=1e-2)
    assert field["interactive"]
    said = {"adam": f"best of 9 tried at {size} × {size}", "sgd": "no picture", "kfac": "its own"}
    assert said[method] in field["info"].replace("\u00a0", " ")


@pytest.mark.parametrize(
    "others", [{"method": "closed_form"}, {"method": "exact", "optimizer": "lbfgs"}]
)
def test_what_needs_no_rate_says_so(others):
    """Nothing can be typed where it would mean nothing."""
    *_, field = tab.changed(Session(), START | others)
    assert (field["placeholder"], field["interactive"]) == ("none", False)


def test_a_rate_set_by_hand_is_that_of_one_method(address):
    """Another method, chosen by hand, begins with its own rate, and the chip says none."""
    visitor = Visitor(address)
    for method, rate in (("adam", 0.2), ("kfac", None)):
        visitor.choose("method", method)
        visitor.press("method", "input")
        assert visitor.shown["rate"]["value"] is None
        visitor.shown["rate"]["value"] = rate
        visitor.press("live", "set", data={})
    note = visitor.shown["live"]["value"]["chips"]["method"]["note"]
    assert (visitor.shown["rate"]["placeholder"], note) == ("0.5", "")


def test_a_size_that_the_kernel_before_had_is_brought_to_it():
    """Sobel chosen after a box of 15 is Sobel at 7, and no error on the way."""
    stage, *_ = tab.changed(Session(), START | {"size": 15})
    assert (stage["kind"], stage["size"]) == ("idle", 7)


def test_a_grid_that_is_no_kernel_is_no_filter():
    """Zeros only: the stage says why, and that there is no filter, not the name of one before."""
    zeros = kernel_editor.editor_value(np.zeros((15, 15)))
    stage, *_, beside, _, _ = tab.changed(Session(), START | {"kernel": "own", "editor": zeros})
    assert "zeros only" in beside
    assert "zeros only" in stage["error"]
    assert stage["chips"]["filter"]["text"] == "No filter yet"


def test_another_picture_stays_on_the_stage():
    """The chosen thumbnail is shown, and stays so whatever else is set; beyond the last, the last.

    The gallery marks it.
    """
    _, session = tab.choose({"index": 2}, Session(), START)
    stage, gallery, *_ = tab.changed(session, START | {"method": "adam"})
    assert stage["picture"]["name"] == "Chelsea the cat"
    assert re.findall(r'data-index="(\d)" aria-pressed="true"', gallery) == ["2"]
    stage, gallery, *_ = tab.changed(session, START | {"count": 2})
    assert stage["picture"]["name"] == "Astronaut Eileen Collins"
    assert re.findall(r'data-index="(\d)" aria-pressed="true"', gallery) == ["1"]


@pytest.mark.parametrize("index", [-1, "2", None, 1.5])
def test_a_picture_that_is_none_is_told(index):
    """A client may send anything in place of a number."""
    stage, session = tab.choose({"index": index}, Session(), START)
    assert "picture" in stage["error"]
    assert "value" not in session


def test_what_was_asked_before_learn_comes_too_late(monkeypatch):
    """Settings that take long to show, as large pictures do: Learn is pressed meanwhile, and the
    stage that was asked for before it is passed over by the browser, which goes by the numbers."""
    pressed = []

    def slow(*_):
        pressed.append(run.learn({}, Session(), START)[0])
        return "", ""

    monkeypatch.setattr(tab, "show_gallery", slow)
    for values in (START, START | {"source": "mine", "uploads": ["/none.png"]}):
        stage, *_ = tab.changed(Session(), values)
        assert stage["server"] == pressed[-1]["server"]
        assert stage["number"] < pressed[-1]["number"]


def test_edges_dress_the_run_in_view():
    """Another border mode is on the stage with the same run, which keeps it."""
    ended = replace(Session(), experiment=experiment(START | {"method": "closed_form"}))
    *_, ended = run.run(ended)
    stage, session = tab.on_stage(
        replace(ended, running=False), START | {"method": "closed_form", "edges": "wrap"}
    )
    assert (stage["kind"], stage["border"], session.look.border) == ("frame", "wrap", "wrap")


@pytest.mark.tool
def test_photos_of_a_dataset_are_shown_when_they_have_come(monkeypatch):
    """Until then the bundled ones are, and it is said; then its own, for every number of them."""
    values = START | {"source": "hub", "dataset_id": "demo/good"}
    monkeypatch.setattr(hub, "_memory", Memory(2**20))
    monkeypatch.setattr(pictures, "HUB_DEADLINE", 200.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    with FakeHub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        stage, gallery, notice, *_ = tab.changed(Session(), values)
        assert (stage["picture"]["name"], tab.FETCHING in notice) == ("Coffee cup", True)
        assert server.requests == []
        pictures.fetch("hub", "demo/good", "", "")
        asked = len(server.requests)
        stage, gallery, notice, *_ = tab.changed(Session(), values)
        assert stage["picture"]["name"].startswith("Picture ")
        assert (gallery.count("<img"), "demo/good" in notice) == (8, True)
        _, gallery, *_ = tab.changed(Session(), values | {"count": 11})
        assert (gallery.count("<img"), len(server.requests)) == (11, asked)


def test_opening_the_panel_fetches_and_waits_for_nothing(address, monkeypatch):
    """The photos of the first dataset are asked for when the panel of pictures is first opened."""
    asked, answered = threading.Event(), threading.Event()

    def load(dataset_id, *_, **__):
        assert dataset_id == hub.DATASETS[0].id
        asked.set()
        assert answered.wait(PATIENCE)

    monkeypatch.setattr(hub, "load", load)
    visitor = Visitor(address)
    assert not asked.is_set()
    visitor.press("gallery", "opened")
    assert asked.wait(PATIENCE)
    answered.set()
    assert visitor.failures == []
