"""Verdicts, reasons and notes are codes: written as phrases, and never told apart by sentences."""

import ast
import json
import pickle
from pathlib import Path

import numpy as np
import pytest

import kernel_demo
from kernel_demo.recovery import Channels, Edge, Recovery, Rounding, Verdict
from kernel_demo.recovery.explanations import Left, Note, Other, Reason, Told, Turn

PHRASES = {
    Verdict.CONVOLUTION: "convolution",
    Verdict.NOISY: "convolution with noise",
    Verdict.NOT: "not a convolution",
    Verdict.UNDETERMINED: "undetermined",
    Channels.ONE: "one kernel",
    Channels.EACH: "per channel",
    Channels.GREY: "grey from colour",
    Channels.MIXTURE: "mixture",
    Rounding.NONE: "none needed",
    Rounding.HALF_UP: "half up",
    Rounding.HALF_EVEN: "half even",
    Rounding.TRUNCATE: "truncate",
    Edge.RENORMALISED: "renormalised",
    Edge.COPIED: "copied",
    Edge.BLACK: "black",
    Edge.PLAIN: "one value",
    Turn.ACROSS: "left for right",
    Turn.DOWN: "upside down",
    Turn.HALF: "by 180 degrees",
    Left.COPIED: "copied border",
    Left.PLAIN: "border of one value",
    Left.CHANGED: "changed pixels",
    Left.RAN_OVER: "sums that ran over 255 or below 0",
}


@pytest.mark.parametrize(("code", "phrase"), PHRASES.items())
def test_a_code_is_written_as_its_phrase(code, phrase):
    """In str(), in an f-string, in JSON, as a key and after pickling, on any Python."""
    assert str(code) == f"{code}" == code == phrase
    assert f"{code:>30}" == f"{phrase:>30}"
    assert (
        json.dumps({code: code})
        == json.dumps({code: code}, indent=None)
        == json.dumps({phrase: phrase})
    )
    assert json.dumps([code], indent=1) == json.dumps([phrase], indent=1)
    assert {phrase: 1}[code] == {code: 1}[phrase] == 1
    assert pickle.loads(pickle.dumps(code)) is code


def test_every_code_has_its_phrase():
    """No code is without a phrase in the table above."""
    assert set(PHRASES) == {*Verdict, *Channels, *Rounding, *Edge, *Left, *Turn}


FIGURES = {
    "turn": Turn.DOWN, "period": 2.0, "along": "rows",
    "size": 5, "name": "after", "pixels": 2, "rows": 3, "columns": -4, "before": "9 x 9",
    "red": 0.3, "green": 0.6, "blue": 0.1, "low": 0.25, "high": 0.3125, "divisor": 16,
    "after": "4 x 4", "which": "pair 2", "all": 3, "height": 3, "width": 5,
    "down": 1.0, "right": -2.5,
    "patches": 12, "needed": 90, "moved": "3 rows further down", "levels": 3,
    "split": "its dark and its bright parts", "sigma": 1.0,
    "file": "JPEG, quality 75",
    "operation": "a median", "curve": "a threshold", "place": "one row in 2", "share": "22 %",
    "note": Told(Note.STRANGERS, {"before": "9 x 9", "after": "4 x 4"}),
}  # fmt: skip


@pytest.mark.parametrize("code", [*Reason, *Other, *Note])
def test_every_code_has_whole_sentences(code):
    """With the figures that it needs, a code becomes sentences; they survive pickling."""
    told = pickle.loads(pickle.dumps(Told(code, FIGURES)))
    assert all(sentence.endswith(".") for sentence in told.sentences()[isinstance(code, Other) :])
    assert len(told.sentences()) == (1 if isinstance(code, Note) else 2)
    assert "{" not in str(told)


def test_a_record_says_its_codes():
    """Explanation, next step and notes of a record are the sentences of its codes."""
    found = Recovery(
        Verdict.UNDETERMINED,
        Told(Reason.TOO_SMALL, {"size": 7}),
        noted=(Told(Note.OTHER_SIZE, {"columns": 3, "rows": -1}),),
    )
    assert "kernels of up to 7 × 7 only" in found.explanation
    assert found.next_step == "Use pictures of more pixels, with fewer black and white ones."
    assert found.notes == (
        "After differs in size by +3 columns and −1 rows: it was laid over the middle of before, "
        "and what overlaps was used.",
    )
    assert pickle.loads(pickle.dumps(found)).as_dict() == found.as_dict()


def test_plain_words_leave_the_record():
    """as_dict() holds strings alone, whatever the codes are: they go through JSON and pickle."""
    kernel = np.eye(3)[None, None]
    found = Recovery(
        Verdict.NOISY,
        kernel=kernel,
        standard_error=kernel,
        padding_sides=(Edge.COPIED,) * 4,
        channels=Channels.ONE,
    ).as_dict()
    assert {type(found[key]) for key in ("verdict", "padding", "channels")} == {str}
    assert {type(side) for side in found["padding_sides"]} == {str}


CODED = {"verdict", "explanation", "next_step", "notes", "channels", "rounding"}


def test_nothing_compares_sentences():
    """No module tells a verdict, a cause or an arrangement from another by written-out words."""
    root = Path(kernel_demo.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare):
                sides = [part for side in (node.left, *node.comparators) for part in ast.walk(side)]
                coded = any(isinstance(s, ast.Attribute) and s.attr in CODED for s in sides)
                words = any(isinstance(s, ast.Constant) and isinstance(s.value, str) for s in sides)
                assert not (coded and words), f"{path.name}:{node.lineno}"
