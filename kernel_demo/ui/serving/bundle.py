"""Gradio's own files that every visit needs, without a journey for each.

Its frontend (6.31) asks for a hundred small files, most of them only once others have come. Here
the page says from the start which scripts it will need. Of the styles, those that come before the
theme's are one file, and those of its components travel with the theme's, behind which they come
anyway. assets.txt has their names, which are hashes: of another gradio none is there, and all is as
gradio has it.
"""

from pathlib import Path

import gradio as gr

from kernel_demo.ui import served

FOLDER = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
LIST = Path(__file__).with_name("assets.txt")
THEME = "theme.css"  # the list has it at its place


def styles() -> str:
    """The style sheets of the components, in gradio's order."""
    _, after = _sheets()
    return _text(after)


def hints() -> str:
    """For the page's head: which scripts will be needed, and which styles are there (HTML).

    Gradio does not load a style sheet anew for which the page has a link; no browser loads one that
    is disabled.
    """
    before, after = _sheets()
    first = served.sheet([_text(before)]) if before else ""
    scripts = (
        f'<link rel="modulepreload" crossorigin href="./assets/{name}">' for name in named(".js")
    )
    there = (
        f'<link rel="stylesheet" disabled href="./assets/{name}">' for name in (*before, *after)
    )
    return "".join((*scripts, first, *there))


def _sheets() -> tuple[list[str], list[str]]:
    """The names of the style sheets that come before the theme's, and of those that come after."""
    names = named(".css")
    if not names:
        return [], []
    theme = names.index(THEME)
    return names[:theme], names[theme + 1 :]


def _text(names: list[str]) -> str:
    return "\n".join((FOLDER / name).read_text("utf-8") for name in names)


def named(ending: str) -> list[str]:
    """The names of the files that every visit needs, in their order; none of another gradio."""
    names = LIST.read_text("utf-8").split()
    there = all((FOLDER / name).is_file() for name in names if name != THEME)
    return [name for name in names if name.endswith(ending)] if there else []
