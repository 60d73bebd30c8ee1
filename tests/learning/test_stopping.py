"""Why a run stopped: a code, whose sentence is made in one place."""

import ast
import pickle
from pathlib import Path

import numpy as np
import pytest

import kernel_demo
from kernel_demo.learning.exact import ExactSettings, closed_form, train_exact
from kernel_demo.learning.statistics import Singularity, Statistics
from kernel_demo.learning.training import Cause, Stop

FLAT = np.full((30, 30), 0.5)
OPEN = Statistics.from_pair(FLAT, FLAT, 3).solve(offset=False)
ONLY_ONE = "The pictures determine only 1 of the 9 combinations of weights."
TINY = np.arange(16.0).reshape(4, 4) / 16
SENTENCES = {
    Stop(Cause.STEPS, 10_000_000): "All 10000000 steps are done.",
    Stop(Cause.TIME, 18.0): "The time is up: 18 seconds.",
    Stop(Cause.TIME, 0.25): "The time is up: 0.25 seconds.",
    Stop(Cause.DIVERGED): (
        "Learning diverged: the loss grew without bound. Lower the learning rate."
    ),
    Stop(Cause.FLOOR): "The loss is at the floor of 32-bit arithmetic: more steps bring the kernel "
    "no nearer.",
    Stop(Cause.OPTIMUM): (
        "Nothing left to learn: the kernel is within 0.1 standard errors of the best these "
        "pictures allow."
    ),
    Stop(Cause.PATIENCE, 200): "The validation loss has not fallen for 200 steps.",
    Stop(Cause.SOLVED): "One solve gave the best kernel that these pictures allow.",
    Stop(Cause.SINGULAR, OPEN): (
        "The pictures determine only 1 of the 9 combinations of weights. Add more or sharper "
        "pictures, or send the probe picture through the tool."
    ),
    Stop(Cause.VISITOR): "Stopped by you.",
}


@pytest.mark.parametrize("stop", SENTENCES, ids=lambda stop: stop.cause.name)
def test_each_code_has_its_sentence(stop):
    """The words that visitors and scripts read."""
    assert str(stop) == SENTENCES[stop]


def test_every_code_is_in_the_table():
    """A cause that is added gets its sentence here, and is complete or not."""
    assert {stop.cause for stop in SENTENCES} == set(Cause)
    complete = {stop.cause for stop in SENTENCES if stop.complete}
    assert complete == {Cause.FLOOR, Cause.OPTIMUM}


@pytest.mark.parametrize(
    ("picture", "offset", "singularity", "cause"),
    [
        (FLAT, False, Singularity.OPEN_COMBINATIONS, ONLY_ONE),
        (TINY, True, Singularity.TOO_FEW_PIXELS, "There are 4 usable pixels for 10 unknowns."),
        (np.random.default_rng(0).random((30, 30)), True, None, ""),
    ],
)
def test_a_singular_system_has_a_code(picture, offset, singularity, cause):
    """Too few pixels comes first, then open combinations; a regular system has no words."""
    solution = Statistics.from_pair(picture, picture, 3).solve(offset)
    assert solution.singularity is singularity
    assert solution.singular == (singularity is not None) == bool(solution.remedy)
    assert solution.cause == cause


def test_a_progress_travels_and_its_state_resumes():
    """Through pickle, as a Space sends it: the code comes back, and the state is enough."""
    picture = np.random.default_rng(0).random((30, 30))
    statistics = Statistics.from_pair(picture, picture, 3)
    *_, paused = train_exact(statistics, ExactSettings("adam", steps=20))
    *_, whole = train_exact(statistics, ExactSettings("adam", steps=40))
    sent = pickle.loads(pickle.dumps(paused))  # noqa: S301 - our own bytes
    assert sent.stop == Stop(Cause.STEPS, 20)
    assert sent.done
    *_, resumed = train_exact(statistics, ExactSettings("adam", steps=40), resume=sent)
    np.testing.assert_array_equal(resumed.kernel, whole.kernel)
    told = closed_form(Statistics.from_pair(FLAT, FLAT, 3))
    assert pickle.loads(pickle.dumps(told)).stopped_because == told.stopped_because  # noqa: S301


def steers(source: str) -> bool:
    """Whether some code compares `stopped_because`, takes a part of it, or calls its methods."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare):
            parts = [node.left, *node.comparators]
        elif isinstance(node, ast.Attribute | ast.Subscript):
            parts = [node.value]
        else:
            continue
        if any(getattr(part, "attr", "") == "stopped_because" for part in parts):
            return True
    return False


@pytest.mark.parametrize(
    ("source", "steered"),
    [
        ("progress.stopped_because == LOST", True),
        ("'diverged' in progress.stopped_because", True),
        ("progress.stopped_because.startswith('Nothing')", True),
        ("lane.stopped_because[:7]", True),
        ("{'reason': lane.stopped_because}", False),
    ],
)
def test_steering_is_found(source, steered):
    """The search below finds what it looks for."""
    assert steers(source) == steered


def test_no_sentence_steers():
    """Nothing in the package compares or cuts the sentence: causes are codes."""
    paths = Path(kernel_demo.__file__).parent.rglob("*.py")
    assert [path.name for path in paths if steers(path.read_text("utf-8"))] == []
