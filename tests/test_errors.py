"""Errors are one sentence and a remedy, wherever in the code they are made."""

import ast
import pickle
from pathlib import Path

from kernel_demo.errors import DemoError

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
