"""Files of the page's own, each named by its content: who has seen one never asks for it again.

What stands in the page itself travels at every visit, and twice where an event brings it again. So
what is large and the same for all visitors is a file: the bundled photos, scripts, style sheets. A
visitor's own pictures are none: nobody else may have them, and they are not to be kept.
"""

import hashlib
import re
from collections.abc import Iterable
from pathlib import Path

import gradio as gr

PLACE = "kept/"  # below the page's own address
_LARGE = 1000  # characters of a script that is worth a file
_NAMES = "element, trigger, props, server, upload, watch"  # what gradio (6.31) hands to a script
_FILES: dict[str, bytes] = {}  # by name


def address(content: bytes | str, ending: str) -> str:
    """Where these bytes are from now on, as seen from the page. ending: "png", "js", ..."""
    content = content.encode() if isinstance(content, str) else content
    name = f"{hashlib.sha256(content).hexdigest()[:20]}.{ending}"
    _FILES.setdefault(name, content)
    return PLACE + name


def content(name: str) -> bytes | None:
    """The bytes of a file by what comes after PLACE in its address; None: there is none."""
    return _FILES.get(name)


def sheet(rules: Iterable[str]) -> str:
    """A style sheet for what stands beside it (HTML)."""
    return f'<link rel="stylesheet" href="{address("".join(rules), "css")}">'


def head(*files: Path) -> str:
    """Scripts for the page's head, which run before gradio's own (HTML)."""
    return _script("".join(map(_read, files)))


def scripts(page: gr.Blocks) -> str:
    """Put the scripts of all components into one file, each once. Returns its tag for the head.

    To be called once the events are connected: gradio finds their names in the scripts.
    """
    made: dict[str, str] = {}  # by their text
    for part in page.blocks.values():
        text = getattr(part, "js_on_load", None) if isinstance(part, gr.HTML) else None
        if text and len(text) > _LARGE:
            number = made.setdefault(text, f"window.kdScripts[{len(made)}]")
            part.js_on_load = f"{number}({_NAMES});"
    bodies = ",\n".join(f"function ({_NAMES}) {{\n{_bare(text)}\n}}" for text in made)
    return _script(f"window.kdScripts = [{bodies}];")


def _script(text: str) -> str:
    # In the order of the page, like gradio's modules, and meanwhile the page is read on.
    return f'<script defer fetchpriority="high" src="{address(_bare(text), "js")}"></script>'


def _bare(script: str) -> str:
    """A script without the lines that say something to its readers alone."""
    return re.sub(r"^\s*//.*\n", "", script, flags=re.MULTILINE)


def _read(file: Path) -> str:
    return file.read_text("utf-8")
