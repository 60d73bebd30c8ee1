"""An experiment as a link."""

from types import SimpleNamespace
from urllib.parse import parse_qsl, urlencode

import gradio as gr
import numpy as np
import pytest

from kernel_demo.errors import DemoError
from kernel_demo.learning.training import MAX_RATE
from kernel_demo.ui.components import kernel_editor
from kernel_demo.ui.learn import link, run, settings, tab
from kernel_demo.ui.learn import link as learn
from kernel_demo.ui.learn.session import Session

START = {
    "source": "bundled",
    "n": 8,
    "data": "a/b",
    "split": "",
    "column": "",
    "grey": "luminance",
    "kernel": "sobel_x",
    "size": 3,
    "angle": 0,
    "seed": 0,
    "own": {"rows": [["1"]]},
    "noise": 0,
    "bits": False,
    "method": "kfac",
    "by": "kfac",
    "rate": 0,
    "batch": 32,
    "tile": 64,
    "sum": 1,
    "steps": 200,
    "start": "normal",
    "order": 0,
    "wait": 200,
    "half": False,
    "edges": "reflect",
}
TABLE = link.keys(list(START.values()))


def opened(query: str):
    return link.settings(TABLE, dict(parse_qsl(query.lstrip("?"))))


def test_defaults_are_left_out():
    """The page as it is at first paint has a bare address."""
    assert link.query(TABLE, START) == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"kernel": "random", "size": 9, "seed": 41},
        {"source": "hub", "data": "owner/name", "split": "test", "n": 3},
        {"kernel": "own", "own": {"rows": [["0", "-1", "0"], ["1.5", "2", "1e-3"], ["0"] * 3]}},
        {"kernel": "gabor", "size": 7, "angle": 35.0, "edges": "wrap", "grey": "red"},
        {"method": "adam", "rate": 0.01, "batch": 16, "tile": 32, "sum": 2, "steps": 900,
         "start": "zeros", "order": 5, "wait": 40, "noise": 2.5, "bits": True, "half": True},
    ],
)  # fmt: skip
def test_a_link_brings_the_settings_back(changed):
    """What is changed, and only that, is in the link, and comes out of it as it went in."""
    values, ignored = opened(link.query(TABLE, START | changed))
    assert values == changed
    assert ignored == ()


def test_a_kernel_of_ones_own_has_the_size_of_its_rows():
    """Sizes that can be pasted but not chosen open as well: nothing is refused."""
    own = {"rows": [["0"] * 16 + ["1"]] * 17}
    values, ignored = opened(link.query(TABLE, START | {"kernel": "own", "own": own, "size": 17}))
    assert values == {"kernel": "own", "own": own}
    assert ignored == ()


def test_own_pictures_stay_with_their_visitor():
    """A link says nothing of uploads but that there were some: who opens it, or reloads, is told in
    a sentence that they are gone, and has the pictures of the first paint."""
    query = link.query(TABLE, START | {"source": "mine", "n": 12})
    assert query == "?source=mine"
    values, passed = opened(query)
    assert values == {}
    assert learn.ignored(passed, {"source": "mine"}) == learn.OWN_GONE
    both = learn.ignored(("size", "source"), {"source": "mine", "size": "4"})
    assert both.startswith(f"{learn.OWN_GONE} This link has a setting")


OWN = {"rows": [["1/3", "-2/9", "0.12345678901234567"], ["0"] * 3, ["-1e-7", "2", "0"]]}
BAD = {"rows": [["abc", "0", "0"], ["0"] * 3, ["0"] * 3]}


def test_what_cannot_be_used_is_not_in_the_address():
    """A bad cell, zeros only, a rate below zero: nobody who opens the address, or reloads, is told
    of a setting that is not set."""
    before = link.query(TABLE, START | {"kernel": "own", "own": OWN})
    for bad in (BAD, {"rows": [["0"] * 3] * 3}, {"rows": []}):
        values = START | {"kernel": "own", "own": bad, "method": "adam", "rate": -1, "noise": 2}
        query = link.query(TABLE, values, before)
        expected = {"kernel": "own", "own": OWN, "method": "adam", "noise": 2}
        assert opened(query) == (expected, ())
        assert opened(link.query(TABLE, values, "")) == ({"method": "adam", "noise": 2}, ())


def test_a_broken_kernel_of_ones_own_names_no_other():
    """The page does not say "Your own" over the numbers of another kernel."""
    assert opened("kernel=own&own=abc,0,0;0,0,0;0,0,0&n=3") == ({"n": 3}, ("own",))


@pytest.mark.parametrize("size", [3, 15, 31])
def test_a_kernel_of_ones_own_keeps_its_digits(size):
    """All of them, and fractions as they were written; six where an address has no room."""
    assert opened(link.query(TABLE, START | {"kernel": "own", "own": OWN}))[0]["own"] == OWN
    kernel = np.random.default_rng(size).normal(size=(size, size))
    own = kernel_editor.editor_value(kernel)
    values, passed = opened(link.query(TABLE, START | {"kernel": "own", "own": own}))
    assert passed == ()
    read = kernel_editor.read(values["own"])
    np.testing.assert_allclose(read, kernel, rtol=1e-5 if size == 31 else 0, atol=0)


@pytest.mark.parametrize(
    "query",
    [
        "kernel=evil", "size=4", "size=9", "n=9", "steps=5001",
        "size=31337", "seed=-1", "seed=1e9", "noise=nan", "noise=inf",
        "rate=-1", "angle=180", "steps=99999999999", "own=1,2;3,4", "own=1,x,3;4,5,6;7,8,9", "n=0",
        "source=mine",
        "source=/etc/passwd", "edges=mirror", "bits=2", "data=" + "a" * 300, "unknown=1", "tile=63",
        "own=" + "9" * 20_000, "seed=" + "9" * 5000,
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_named_and_left_alone(query):
    """A broken or hostile value changes nothing, and its key is told."""
    values, ignored = opened(query)
    assert values == {}
    assert ignored == (query.partition("=")[0],)


@pytest.fixture(scope="module")
def controls():
    """The controls of the page, by the key of their setting."""
    made = {}
    with gr.Blocks():
        settings.place(made, *settings.NAMES)
    return {setting.key: made[setting.name] for setting in settings.TABLE}


@pytest.mark.parametrize("name", ["n", "angle", "noise", "batch", "sum", "steps"])
def test_a_link_has_the_bounds_of_the_control(controls, name):
    """The least and the most that a slider gives come back; one beyond is named and left alone."""
    lowest, highest = controls[name].minimum, controls[name].maximum
    for value in (lowest, highest):
        assert _alone(name, value) == ({name: value}, ())
    for value in (lowest - 1, highest + 1, highest * 20 + 1):
        assert _alone(name, value) == ({}, (name,))


@pytest.mark.parametrize("name", ["grey", "kernel", "method", "by", "tile", "start", "edges"])
def test_a_link_has_the_choices_of_the_control(controls, name):
    """Whatever can be chosen comes back."""
    for _, value in controls[name].choices:
        assert _alone(name, value) == ({name: value}, ())


def _alone(name, value) -> tuple:
    """What comes of a link that says one setting, in the digits of a page's own link."""
    return opened(said_of({name: value}))


def said_of(values: dict) -> str:
    """A link to these, whether or not they can be used."""
    return urlencode({key: link.SHARED[key].write(value) for key, value in values.items()})


@pytest.mark.parametrize(
    ("said", "name", "most"),
    [
        ({"kernel": "random", "seed": 2**31}, "seed", 2**32 - 1),
        ({"order": 2**31}, "order", 2**32 - 1),
        ({"wait": 1}, "wait", 100_000),
        ({"rate": 0.01}, "rate", MAX_RATE),
        ({"method": "exact", "steps": 5001}, "steps", 100_000),
        ({"method": "adam", "steps": 4999}, "steps", 5000),
        ({"source": "hub", "n": 9}, "n", 16),
        ({"kernel": "random", "size": 9}, "size", 31),
        ({"kernel": "box", "size": 9}, "size", 15),
    ],
)
def test_a_bound_hangs_on_what_else_the_link_says(said, name, most):
    """Up to the most that the page takes in that place all comes back; beyond, only the rest."""
    for value in (said[name], most):
        asked = said | {name: value}
        assert opened(link.query(TABLE, START | asked)) == (asked, ())
    rest = {key: value for key, value in said.items() if key != name}
    assert opened(said_of(said | {name: 2 * most + 1})) == (rest, (name,))


@pytest.mark.parametrize("seed", [0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32])
def test_a_seed_that_can_be_learned_from_can_be_shared(seed):
    """The page and its link refuse the same seeds, of a kernel as of a start."""
    for name, use in (("seed", _random_kernel), ("order", _training)):
        values, _ = opened(f"kernel=random&{name}={seed}")
        try:
            use(seed)
        except DemoError:
            assert name not in values
        else:
            assert values[name] == seed


def _random_kernel(seed):
    settings.truth(settings.START | {"kernel": "random", "kernel_seed": seed})


def _training(seed):
    settings.training(settings.START | {"seed": seed})


@pytest.mark.parametrize(
    ("query", "bounds"),
    [
        ("kernel=box", {"n": 8, "steps": 5000}),
        ("method=exact", {"n": 8, "steps": 100_000}),
        ("method=exact&steps=7000", {"n": 8, "steps": 100_000}),
        ("source=hub&n=9&steps=100000", {"n": 16, "steps": 5000}),
    ],
)
def test_an_opened_link_sets_the_bounds_of_the_sliders(query, bounds):
    """A slider goes as far as its setting may there, whatever number the link brings."""
    request = SimpleNamespace(query_params=dict(parse_qsl(query)))
    _, *updates = link.open_link(Session(), request)
    by_name = dict(zip(link.NAMES, updates, strict=True))
    assert {name: by_name[name]["maximum"] for name in bounds} == bounds


def test_a_rate_keeps_every_digit():
    """A number that a visitor typed is the same number for the next one."""
    rate = {"rate": 0.1234567890123456}
    assert opened(link.query(TABLE, START | rate)) == (rate, ())


def test_the_rest_of_a_broken_link_still_counts():
    """One bad key takes no good one with it; gradio's keys and the challenge are not ours."""
    values, ignored = opened("kernel=box&size=x&edges=zero&__theme=dark&challenge=3-17")
    assert values == {"kernel": "box", "edges": "zero"}
    assert ignored == ("size",)


def test_the_notice_counts():
    """One setting is not spoken of as many, and each by the page's own word for it."""
    one, two = learn.ignored(("size",)), learn.ignored(("own", "n", "nonsense"))
    assert one == "This link has a setting that cannot be used, left as it was: “Size”."
    assert two == (
        "This link has settings that cannot be used, left as they were: "
        "“The numbers of your own kernel”, “How many”, nonsense."
    )
    assert all(setting.label for setting in link.SHARED.values())


def test_what_a_link_could_not_set_is_told_on_the_stage():
    """In the verdict's line, where no line is pushed down; until anything is set otherwise, or a
    run begins. Set back, it is told again."""
    request = SimpleNamespace(query_params={"kernel": "box", "size": "4", "method": "adam"})
    session, *_ = link.open_link(Session(), request)
    told = settings.START | {"kernel": "box", "method": "adam"}
    for values, said in ((told, True), (told | {"steps": 90}, False), (told, True)):
        stage, _ = tab.on_stage(session, values)
        assert stage["kind"] == "idle"
        assert ("“Size”" in stage.get("error", "")) == said
    _, begun = run.learn({}, session, told)
    assert "error" not in tab.on_stage(begun.still(), told)[0]
    clean, *_ = link.open_link(Session(), SimpleNamespace(query_params={"kernel": "box"}))
    assert not isinstance(clean, Session)  # nothing is said, nothing is changed
