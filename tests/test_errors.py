"""Errors are one sentence and a remedy, wherever in the code they are made."""

import ast
import pickle
from pathlib import Path

import numpy as np
import pytest

from kernel_demo.errors import DemoError, finite, odd, one_of, whole

PACKAGE = Path(__file__).parents[1] / "kernel_demo"
MADE_OF_SENTENCES = {"error", "problem", "problems", "refused"}  # names that hold whole ones


def made() -> list[tuple[str, list[ast.expr]]]:
    """(file:line, arguments) of every DemoError(expected, received, remedy) in the package."""
    return [
        (f"{path.name}:{node.lineno}", node.args)
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DemoError"
    ]


def ending(argument: ast.expr) -> str | None:
    """The last words of a text that is written out, as far as they are."""
    last = argument.values[-1] if isinstance(argument, ast.JoinedStr) else argument
    return str(last.value) if isinstance(last, ast.Constant) else None


def test_no_sentence_stands_in_a_sentence():
    """What was expected and received are no sentences, nor made of other errors'; a remedy is."""
    errors = made()
    assert len(errors) > 50
    for place, (*parts, last) in errors:
        for part in parts[:2]:
            assert not (ending(part) or "").endswith("."), place
            names = {node.id for node in ast.walk(part) if isinstance(node, ast.Name)}
            assert not names & MADE_OF_SENTENCES, place
        if len(parts) == 2 and ending(last) is not None:
            assert ending(last).endswith((".", "?")), place


def test_an_error_survives_a_journey_between_processes():
    """ZeroGPU pickles what a run raises: sentence and parts arrive."""
    error = pickle.loads(pickle.dumps(DemoError("an odd size", "size 4", "Choose 3 or 5.")))
    assert str(error) == "Expected an odd size; got size 4. Choose 3 or 5."
    assert error.remedy == "Choose 3 or 5."


@pytest.mark.parametrize("value", [None, "3", True, 2.5, float("nan"), float("inf"), 2, 32, [3]])
def test_what_is_no_whole_number_in_range_is_told(value):
    """Neither text nor truth values, fractions, infinities or what is out of bounds pass."""
    with pytest.raises(DemoError, match="size as a whole number from 3 to 31"):
        whole("size", value, 3, 31)
    with pytest.raises(DemoError, match="an odd size from 3 to 31"):
        odd("size", value, 3, 31)


def test_numbers_pass_in_their_own_kind():
    """32.0 from a JSON client is 32; bounds belong to the range; NumPy's numbers are numbers."""
    assert [whole("n", value, 1, 32) for value in (1, 32.0, np.int64(7))] == [1, 32, 7]
    assert [odd("n", value, 3, 31) for value in (3, 31.0, np.uint8(15))] == [3, 31, 15]
    assert finite("n", np.float32(0.5), 0, 1) == 0.5
    assert finite("n", 1, 0, 1) == 1.0
    for value in ("1", True, None, float("nan"), 1.01, -0.01):
        with pytest.raises(DemoError, match="n as a number from 0 to 1; got"):
            finite("n", value, 0, 1)


def test_a_choice_is_one_of_those():
    """What is no choice is shown, cut, beside all that are."""
    assert one_of("a size", 3, (3, 5)) == 3
    with pytest.raises(DemoError, match="a border mode, one of zero, wrap; got 'x+[.]") as caught:
        one_of("a border mode", "x" * 1000, ["zero", "wrap"])
    assert len(str(caught.value)) < 200
