"""The look of the page: complete in light and in dark, and all of it at hand."""

import re

from kernel_demo.ui import theme


def test_the_colours_are_all_there():
    """Every --kd property in use is defined, those of the light page for the dark one too."""
    light, dark = re.findall(r"^:root[^{]*\{([^}]*)\}", theme.style(), re.MULTILINE)
    names = [set(re.findall(r"(--kd-[\w-]+):", block)) for block in (light, dark)]
    used = set(re.findall(r"var\((--kd-[\w-]+)\)", theme.build()._get_theme_css()))
    assert used <= names[0]
    assert names[0] == names[1]


def test_the_theme_asks_nobody_outside():
    """Fonts and style sheets come from the page's own address."""
    built = theme.build()
    assert built._stylesheets == []
    addresses = re.findall(r"https?://[^'\")\s]+", built._get_theme_css())
    assert set(addresses) <= {"http://www.w3.org/2000/svg"}  # a name, not an address


def test_a_colour_is_that_of_the_light_page():
    """What pictures are painted with is what the style sheet says first."""
    assert theme.colour("ink") == (0x15, 0x18, 0x1E)


def test_every_style_sheet_is_on_the_page():
    """Those of the frame, of the components and of the tabs; the frame's come first."""
    assert {*theme.STYLE_SHEETS} == {*theme.FOLDER.rglob("*.css")}
    assert theme.STYLE_SHEETS[0].name == "theme.css"


def test_the_fonts_have_what_the_page_writes():
    """Else a visitor is sent a whole font for a single sign: run .ci/fonts.py."""
    root = theme.FOLDER.parent
    files = [file for kind in ("py", "js", "html", "css") for file in root.rglob(f"*.{kind}")]
    written = {letter for file in files for letter in file.read_text("utf-8")}
    had = (theme.FOLDER / "fonts" / "characters.txt").read_text("utf-8")
    assert written - {"\n", "\r", "\t"} <= set(had)
