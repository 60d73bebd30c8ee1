"""What the stage is made of: every word it needs, every script it stands on."""

import re

import pytest

from kernel_demo.learning.training import Cause
from kernel_demo.ui.components import FOLDER, stage

SCRIPTS = {name: (FOLDER / f"{name}.js").read_text("utf-8") for name in (*stage.SCRIPTS, "stage")}


def test_every_word_that_the_scripts_use_is_there():
    """No gap in a sentence: what the scripts look up in `words` stands in WORDS."""
    asked = {name for text in SCRIPTS.values() for name in re.findall(r"words\.(\w+)", text)}
    assert asked <= set(stage.WORDS)
    told = set(re.findall(r"tell\('(\w+)'", SCRIPTS["verdict"]))
    assert told <= set(stage.VERDICT)


def test_every_figure_in_a_sentence_is_made():
    """What stands in braces in the verdict's sentences is a figure of verdict.js."""
    named = {name for text in stage.VERDICT.values() for name in re.findall(r"{(\w+)}", text)}
    made = set(re.findall(r"^    (\w+)[:,]", SCRIPTS["verdict"], re.MULTILINE))
    assert named - {"place"} <= made  # the place in the queue is said by itself


def test_the_causes_are_those_of_learning():
    """The ends that the script knows by name are codes that learning has."""
    known = set(re.findall(r"'([A-Z]{4,})'", SCRIPTS["verdict"]))
    assert known
    assert known <= {cause.name for cause in Cause}


def test_the_main_button_has_a_word_for_every_state():
    """before, waiting, running, paused, finished: one button, five words."""
    states = set(re.findall(r"return '(\w+)';", SCRIPTS["show"].split("function stateOf")[1]))
    assert states == set(stage.MAIN)


@pytest.mark.parametrize("word", ["${", "{{"])
def test_the_markup_holds_no_template_of_gradio(word):
    """Gradio fills such places itself: none is left."""
    assert word not in stage.component("live", None).html_template
