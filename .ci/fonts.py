"""Make the page's fonts smaller: python .ci/fonts.py, with fonttools and brotli installed

Of the fonts that come with gradio this keeps the characters that the page itself writes, in
kernel_demo/ui/fonts/: a fifth of the bytes. Whatever else a visitor brings in the name of a file is
drawn by the whole font, which whole.css has asked for only then. Once the page writes a character
that is not among them, tests/ui/test_theme.py says so: run this again.

The name "Plex" is reserved by the licence for the whole fonts.
"""

from pathlib import Path

import gradio
from fontTools import subset
from fontTools.ttLib import TTFont

ROOT = Path(__file__).parents[1] / "kernel_demo"
FOLDER = ROOT / "ui" / "fonts"
WHOLE = Path(gradio.__file__).parent / "templates" / "frontend" / "static" / "fonts"
# Ours: (the whole font, and what it is called now)
FONTS = {
    "sans-400": ("IBMPlexSans/IBMPlexSans-Regular", "Kernel Sans"),
    "sans-700": ("IBMPlexSans/IBMPlexSans-Bold", "Kernel Sans"),
    "mono-400": ("IBMPlexMono/IBMPlexMono-Regular", "Kernel Mono"),
}
# Written by codes: a no-break space, a narrow one; and by gradio: to reset, to unfold.
BESIDES = "\u00a0\u202f\u21ba\u25bc"
NOTE = "/* Made by .ci/fonts.py: gradio's fonts, for what ours do not have. */\n"
FEATURES = ["kern", "liga", "calt", "ccmp", "mark", "mkmk", "tnum", "locl"]


def main() -> None:
    """Write the fonts, the characters that they have, and where the others are."""
    files = (file for kind in ("py", "js", "html", "css") for file in ROOT.rglob(f"*.{kind}"))
    written = {letter for file in files for letter in file.read_text("utf-8")}
    wanted = {each for each in written | {*map(chr, range(32, 127)), *BESIDES} if ord(each) >= 32}
    (FOLDER / "characters.txt").write_text("".join(sorted(wanted)) + "\n", encoding="utf-8")
    faces = []
    for ours, (whole, name) in FONTS.items():
        font = TTFont(WHOLE / f"{whole}.woff2")
        faces.append(_face(font, whole, wanted, ours.rpartition("-")[2]))
        options = subset.Options(layout_features=FEATURES, name_IDs=[0, 1, 2, 3, 4, 6, 13, 14])
        cut = subset.Subsetter(options)
        cut.populate(unicodes=map(ord, wanted))
        cut.subset(font)
        for record in font["name"].names:
            if record.nameID in (1, 3, 4, 6):
                record.string = name if record.nameID != 6 else name.replace(" ", "")
        font.flavor = "woff2"
        font.save(FOLDER / f"{ours}.woff2")
    (FOLDER / "whole.css").write_text(NOTE + "".join(faces), encoding="utf-8")


def _face(font: TTFont, file: str, ours: set[str], weight: str) -> str:
    """The whole font, for the characters that it alone has."""
    runs: list[list[int]] = []
    for code in sorted({*font.getBestCmap()} - {*map(ord, ours)}):
        if runs and runs[-1][1] == code - 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    ranges = ", ".join(f"U+{first:X}" + f"-{last:X}" * (last > first) for first, last in runs)
    return (
        f"@font-face {{\n  font-family: '{font['name'].getDebugName(1)}'; font-weight: {weight};\n"
        f"  src: url('static/fonts/{file}.woff2') format('woff2');\n"
        f"  unicode-range: {ranges};\n}}\n"
    )


if __name__ == "__main__":
    main()
