"""Each answer knows the pictures and choices that it was made from."""

import cv2
import numpy as np
import pytest
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from kernel_demo.ui.questions import models
from tests.ui.visitor import Visitor

GUESS = {"rows": [["1", "0", "0"]] * 3}
# What is pressed, how, which input is then changed, how its change is called, and to what.
KINDS = {
    "try-size": ("click", "question-source", "change", "mine"),
    "try-edges": ("click", "question-source", "change", "mine"),
    "try-small": ("click", "small-kernel", "change", "gaussian 9"),
    "try-stack": ("click", "question-source", "change", "mine"),
    "limits-way": ("input", "question-source", "change", "mine"),
    "challenge-guess": ("click", "challenge-editor", "edit", GUESS),
    "apply": ("upload", "apply-kernel", "change", "box 15"),
}
PLACES = {"limits-way": "limits-one"}  # of the answers: else the button's name and -result


@pytest.fixture
def visitor(address):
    visitor = Visitor(address)
    visitor.shown["limits-way"]["value"] = "constant"
    noise = np.random.default_rng(0).integers(0, 256, (90, 80)).astype(np.uint8)
    data = cv2.imencode(".png", noise)[1].tobytes()
    path = save_bytes_to_cache(data, "mine.png", cache_dir=get_upload_folder())
    visitor.shown["apply"]["value"] = {"path": path, "meta": {"_type": "gradio.FileData"}}
    return visitor


def change(visitor, name, event, value):
    visitor.shown[name]["value"] = value
    visitor.press(name, event)


@pytest.mark.parametrize("name", KINDS)
def test_another_input_marks_an_answer(visitor, monkeypatch, name):
    """Stale as soon as one of its inputs differs, and current when it is set back."""
    monkeypatch.setattr(models, "STACK_STEPS", 4)
    event, other, changed, value = KINDS[name]
    result, mark = PLACES.get(name, f"{name}-result"), f"{PLACES.get(name, name)}-stale"
    was = visitor.shown[other]["value"]
    change(visitor, other, changed, value)
    assert not visitor.stale(mark)  # there is no answer yet
    change(visitor, other, changed, was)
    visitor.press(name, event)
    assert 'data-done="true"' in visitor.shown[result]["value"]
    assert not visitor.stale(mark)
    change(visitor, other, changed, value)
    assert visitor.stale(mark)
    change(visitor, other, changed, was)
    assert not visitor.stale(mark)


def test_an_answer_stays_marked_until_the_next_one(visitor, monkeypatch):
    """Through the whole new run, until what it shows is the new answer."""
    seen, real = [], models.compress

    def watched(*arguments):
        seen.append(visitor.stale("try-small-stale"))
        return real(*arguments)

    visitor.press("try-small")
    visitor.choose("small-kernel", "gaussian 9")
    monkeypatch.setattr(models, "compress", watched)
    visitor.press("try-small")
    assert set(seen) == {True}
    assert not visitor.stale("try-small-stale")


def test_files_that_do_not_count_change_nothing(visitor):
    """Files beside the bundled pictures are not what an answer was made from."""
    visitor.press("try-small")
    visitor.choose("question-uploads", [visitor.shown["apply"]["value"]])
    assert not visitor.stale("try-small-stale")
    visitor.choose("question-source", "mine")
    assert visitor.stale("try-small-stale")


def test_another_challenge_has_no_answer(visitor):
    """With another number its score is gone, and the mark with it."""
    visitor.press("challenge-guess")
    change(visitor, "challenge-editor", "edit", GUESS)
    assert visitor.stale("challenge-guess-stale")
    visitor.choose("challenge-number", (visitor.shown["challenge-number"]["value"] + 1) % 9999)
    assert visitor.shown["challenge-guess-result"]["value"] == ""
    assert not visitor.stale("challenge-guess-stale")


def test_an_answer_that_an_error_takes_away_is_not_stale(visitor):
    """After a problem there is no answer that could be marked."""
    visitor.press("try-edges")
    visitor.choose("question-source", "mine")
    assert visitor.stale("try-edges-stale")
    visitor.press("try-edges")
    assert "Expected" in visitor.shown["try-edges-status"]["value"]
    assert visitor.shown["try-edges-result"]["value"] == ""
    assert not visitor.stale("try-edges-stale")
