"""One component a place, its .py, .js, .css and .html together. They know no tab."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import gradio as gr
from jinja2 import Environment, FileSystemLoader, StrictUndefined

FOLDER = Path(__file__).parent
_TEMPLATES = Environment(
    loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined
)


def from_files(
    name: str,
    value: Any,
    elem_id: str,
    *,
    words: Mapping[str, str] | None = None,
    shared: tuple[str, ...] = (),
    **props: Any,
) -> gr.HTML:
    """A component whose markup is NAME.html and whose script is NAME.js; its look is in the theme.

    words and props fill the markup by Jinja2, escaped, and are what the script finds in `props`
    beside the value. shared: scripts that come before its own.

    No subclass of gr.HTML: gradio would write a stub beside the source of each.
    """
    props["words"] = dict(words or {})
    return gr.HTML(
        value,
        html_template=rendered(name, **props),
        js_on_load=script(*shared, name),
        apply_default_css=False,
        elem_id=elem_id,
        **props,
    )


def rendered(name: str, **words: Any) -> str:
    """NAME.html, filled: every text is escaped."""
    return _TEMPLATES.get_template(f"{name}.html").render(words)


def changes(parts: Iterable[gr.components.Component]) -> list:
    """What tells that one of them has another value; of a grid made by hand, its `edit`."""
    return [part.edit if isinstance(part, gr.HTML) else part.change for part in parts]


def script(*names: str) -> str:
    """These scripts, one after the other."""
    return "\n".join((FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in names)
