"""The notebook in examples/ does what it shows."""

import ast
import contextlib
import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

NOTEBOOK = Path(__file__).parents[1] / "examples" / "04_the_story.ipynb"


def run(source: str, names: dict):
    """Run a cell as a notebook does: the value of its last line, if that is an expression."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, NOTEBOOK.name, "exec"), names)
    return eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval"), names) if last else None


@pytest.fixture(scope="module")
def told() -> tuple[dict, list]:
    """What the names of the notebook stand for in the end, and for each cell of code what it
    shows: (text that it prints, value, the outputs that are stored with it)."""
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    names, shown = {}, []
    for cell in cells:
        if cell["cell_type"] == "code":
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                value = run("".join(cell["source"]), names)
            shown.append((printed.getvalue(), value, cell["outputs"]))
    return names, shown


def test_it_tells_what_is_so(told):
    """Adam's loss is small and its kernel wrong; K-FAC's is right; the bars are of the size of the
    errors; Pillow's emboss is found in whole numbers, and its median called none."""
    names, _ = told
    sobel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
    assert names["adam"].loss < names["first"].loss / 1000
    assert abs(names["adam"].kernel - sobel).max() > 0.1
    assert abs(names["kfac"].kernel - sobel).max() < 1e-6
    errors = abs(names["found"].kernel - names["secret"].values)
    assert errors.max() < 5 * names["found"].standard_error.max()
    np.testing.assert_array_equal(names["emboss"].kernel[0, 0], [[0, 0, 0], [0, 1, 0], [-1, 0, 0]])
    assert names["emboss"].bit_exact
    assert str(names["median"].verdict) == "not a convolution"


def test_each_cell_shows_something(told):
    """Each ends with a record, which a notebook draws, and what is stored has the same words."""
    _, shown = told
    assert len(shown) == 5
    for printed, value, stored in shown:
        assert value._repr_html_().count("<table") == 1
        kinds = [output["output_type"] for output in stored]
        assert kinds == (["stream"] if printed else []) + ["execute_result"]
        if printed:
            # The same words: in figures processors may differ.
            said = [
                re.sub(r"[\d.e+-]+", "#", text) for text in ("".join(stored[0]["text"]), printed)
            ]
            assert said[0] == said[1]
