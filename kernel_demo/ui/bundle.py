"""Gradio's own files that every visit needs, without a journey for each.

Its frontend (6.31) asks for a hundred small files, most of them only once others have come. Here
the styles of its components travel with the theme's, behind which they come anyway, and the page
says from the start which scripts it will need. assets.txt has their names, which are hashes: of
another gradio none is there, and all is as gradio has it.
"""

from pathlib import Path

import gradio as gr

FOLDER = Path(gr.__file__).parent / "templates" / "frontend" / "assets"
LIST = Path(__file__).with_name("assets.txt")


def styles() -> str:
    """The style sheets of the components, in gradio's order."""
    return "\n".join((FOLDER / name).read_text("utf-8") for name in _named(".css"))


def hints() -> str:
    """For the page's head: which scripts will be needed, and which styles are there (HTML).

    Gradio does not load a style sheet anew for which the page has a link; no browser loads one that
    is disabled.
    """
    scripts = (
        f'<link rel="modulepreload" crossorigin href="./assets/{name}">' for name in _named(".js")
    )
    there = (f'<link rel="stylesheet" disabled href="./assets/{name}">' for name in _named(".css"))
    return "".join((*scripts, *there))


def _named(ending: str) -> list[str]:
    names = LIST.read_text("utf-8").split()
    there = all((FOLDER / name).is_file() for name in names)
    return [name for name in names if name.endswith(ending)] if there else []
