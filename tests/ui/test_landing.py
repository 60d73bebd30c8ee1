"""Where a link lands, and what of it is told instead."""

import pytest

from kernel_demo.ui import landing
from kernel_demo.ui.learn import link, race, settings
from kernel_demo.ui.questions import limits
from kernel_demo.ui.questions import tab as questions
from kernel_demo.ui.recover import tab as recover

PLACES = (
    landing.Place("challenge", "questions", "a challenge", "3-17", limits.find),
    landing.Place("question", "questions", "a question", "limits", questions.find),
    landing.Place("example", "recover", "an example", "camera_emboss", recover.find),
    landing.Place("race", "learn", "a race", "kfac,adam", race.find),
)


@pytest.mark.parametrize(
    ("asked", "target", "press"),
    [
        ({"challenge": "3-17"}, "challenge", "challenge-learn"),
        ({"question": "depth"}, "question-depth", "try-depth"),
        ({"question": "1"}, "question-size", "try-size"),
        ({"question": "8"}, "question-limits", "try-limits"),
        ({"example": "cat_sharpen"}, "example-cat_sharpen", "example-cat_sharpen"),
        ({"race": "adam,kfac"}, "race-card", "race"),
    ],
)
@pytest.mark.parametrize("run", ["", "0", "1"])
def test_what_a_link_opens(asked, target, press, run):
    """Each kind of link has its place; only run=1 starts it."""
    landed = landing.read(asked | ({"run": run} if run else {}), PLACES)
    assert (landed.found.target, landed.found.press) == (target, press)
    assert landed.run == (run == "1")
    assert landed.said == ""


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (
            {"question": "why"},
            "a question that there is not, “why”; one that there is: question=li",
        ),
        ({"question": "99"}, "a question that there is not, “99”"),
        ({"question": "0"}, "a question that there is not, “0”"),
        ({"example": "../x"}, "an example that there is not, “../x”"),
        ({"race": "kfac"}, "a race that there is not, “kfac”"),
        ({"race": "kfac,kfac"}, "a race"),
        ({"challenge": "4-1"}, "a challenge that there is not"),
        ({"challenge": "x" * 500}, "“" + "x" * 20 + "”"),
        ({"question": "size", "race": "kfac,adam"}, "several places"),
        ({"run": "yes"}, "run=1 starts what it opens"),
    ],
)
def test_what_cannot_be_opened_is_one_sentence(asked, said):
    """It names what was asked for, cut short, and what would do; nothing of it is started."""
    landed = landing.read(asked | {"run": asked.get("run", "1")}, PLACES)
    assert said in landed.said
    assert landed.said.endswith(".")
    assert ". " not in landed.said
    assert landed.run == (landed.found is not None)


def test_the_examples_of_the_sentences_are_there():
    """Whoever follows a sentence's example lands."""
    assert all(place.find(place.like) for place in PLACES)


def test_nothing_is_started_that_was_not_shared():
    """A link whose settings could not all be set runs nothing, and says so; another names the
    experiment that the page is then set to.
    """
    told, key = link.told({"kernel": "box", "size": "4", "run": "1"})
    assert "“Size”" in told
    value = landing._value(landing.read({"run": "1"}, PLACES), told, key)
    assert not value["experiment"]
    assert value["said"] == landing.NOT_RUN
    told, key = link.told({"kernel": "box", "size": "5", "run": "1"})
    assert told == ""
    assert key == settings.experiment(settings.START | {"kernel": "box", "size": 5}).key
    value = landing._value(landing.read({"run": "1"}, PLACES), told, key)
    assert (value["experiment"], value["said"]) == (key, "")


def test_a_bare_link_lands_nowhere():
    """Neither an address without a word nor one with settings alone moves the page."""
    for asked in ({}, {"kernel": "box"}):
        assert landing._value(landing.read(asked, PLACES), *link.told(asked)) is None


def test_what_a_link_sets_is_named_by_its_panel():
    """Only what differs from the page at first paint, by the label that a visitor reads."""
    asked = {"kernel": "random", "size": "5", "seed": "7", "method": "kfac", "n": "99"}
    assert link.linked(asked, ["kernel", "size", "seed"]) == {
        "kernel": ["Kernel", "random"], "size": ["Size", "5"], "seed": ["Seed", "7"]
    }  # fmt: skip
    assert link.linked(asked, ["method", "rate", "n"]) == {}
