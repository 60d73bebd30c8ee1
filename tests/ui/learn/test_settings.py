"""The table of the settings: what is read, and what a link brings back."""

from urllib.parse import parse_qsl

import pytest

from kernel_demo.errors import DemoError
from kernel_demo.ui.components.race_chart import LABELS as RACERS
from kernel_demo.ui.learn import link, run, settings
from kernel_demo.ui.learn.session import Session
from kernel_demo.ui.learn.settings import BY_NAME, START, experiment

OTHER = {
    "source": "hub", "count": 5, "dataset_id": "owner/name", "split": "test", "column": "photo",
    "channel": "green", "kernel": "gabor", "size": 7, "angle": 35, "noise": 2.5, "eight_bit": True,
    "learning_rate": 0.0123456789012345, "batch": 16, "tile": 32, "accumulation": 2, "steps": 900,
    "init": "zeros", "seed": 2**32 - 1, "patience": 40, "mixed_precision": True, "edges": "wrap",
}  # fmt: skip


@pytest.mark.parametrize(
    "changes",
    [
        OTHER | {"method": "adam"},
        OTHER | {"method": "exact", "optimizer": "lbfgs", "steps": 70_000},
        OTHER | {"method": "closed_form"},
        {"kernel": "random", "size": 21, "kernel_seed": 41},
        {"kernel": "own", "editor": {"rows": [["0.1"] * 5] * 5}},
    ],
)
def test_a_link_opens_the_same_experiment(changes):
    """Every setting that counts, to its last digit."""
    values = START | changes
    start = {setting.key: setting.value for setting in link.SHARED.values()}
    said = link.query(start, {key: values[each.name] for key, each in link.SHARED.items()})
    opened, ignored = link.settings(start, dict(parse_qsl(said.lstrip("?"))))
    assert ignored == ()
    brought = {link.SHARED[key].name: value for key, value in opened.items()}
    assert experiment(START | brought) == experiment(values)
    assert (START | brought)["edges"] == values["edges"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("source", "evil"), ("channel", None), ("kernel", "[[1]]"), ("noise", 21), ("batch", 257),
     ("tile", 63), ("steps", 0), ("patience", None), ("seed", 2**32)],
)  # fmt: skip
def test_what_a_control_cannot_give_is_refused(name, value):
    """A client may send anything in place of a control's value."""
    with pytest.raises(DemoError):
        experiment(START | {name: value})


@pytest.mark.parametrize("rate", [-1, 101, float("nan")])
def test_a_rate_that_is_none_says_what_one_is(rate):
    """Before a run and during one: the bounds in words, and that the field may be left empty."""
    values = START | {"method": "adam", "learning_rate": rate}
    with pytest.raises(DemoError) as refused:
        experiment(values)
    told = str(refused.value)
    assert told == (
        f"Expected a learning rate above 0, up to 100; got {rate}. "
        "Leave it empty for the method's own."
    )
    _, begun = run.learn({}, Session(), START | {"method": "adam"})
    assert run.rate({"step": 0, "rate": rate}, begun)[0]["error"] == told
    for own in (None, 0):
        assert experiment(values | {"learning_rate": own}).settings.learning_rate is None


def test_what_has_no_address_stays_with_its_visitor():
    """All settings but the uploads can be shared."""
    assert [name for name, setting in BY_NAME.items() if not setting.key] == ["uploads"]


def test_the_menu_names_every_racer():
    """Each by its name in the race; those on exact sums share one entry of the menu."""
    exact = "Exact K-FAC, Adam, SGD, L-BFGS"
    assert settings.LABELS["method"] | {"exact": ""} == {
        key: RACERS[key] for key in ("kfac", "adam", "sgd", "closed_form")
    } | {"exact": ""}
    assert settings.LABELS["method"]["exact"] == exact
    assert [*settings.LABELS["optimizer"].values()] == [
        f"Exact {name}" for name in exact.removeprefix("Exact ").split(", ")
    ]
    assert {*settings.LABELS["optimizer"].values()} < {*RACERS.values()}
