"""How components are made from the files that lie beside them."""

import pytest
from jinja2 import UndefinedError

from kernel_demo.ui.components import FOLDER, from_files, script


def test_words_are_escaped():
    """What a component is told to say is text, whatever it holds."""
    part = from_files("freshness", None, "fresh", words={"stale": "<b>"})
    assert "&lt;b&gt;" in part.html_template


def test_a_missing_word_is_an_error():
    """No component comes to the page with a gap in its sentence."""
    with pytest.raises(UndefinedError):
        from_files("freshness", None, "fresh")


def test_shared_scripts_come_first():
    """What a script stands on is defined before it runs."""
    part = from_files("kernel_editor", None, "editor", shared=("drawing",))
    assert part.js_on_load == script("drawing", "kernel_editor")
    assert part.js_on_load.startswith((FOLDER / "drawing.js").read_text("utf-8"))
