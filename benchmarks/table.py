"""What a benchmark measured, as a table: asked for, got, and what people would use instead.

A benchmark is a module in this folder with a function `run(report)`:

    TITLE = "Learning a known kernel"   # heads the table; default: the module's name
    NEEDS = ("sklearn",)                # modules beyond torch, NumPy and OpenCV; default: none
    LONG = True                         # takes many minutes: runs by name only; default: False

    def run(report):
        error = ...
        report.row("kernel error, Sobel x", asked="<= 1e-5", got=f"{error:.0e}",
                   beside="Adam 0.014", met=error <= 1e-5)
        report.note("Eight bundled photos, 2 Mpx, batch 32.")

Every figure is given as text: its author knows how many of its digits mean anything. `met` says
whether the figure is the one asked for; leave it out where nothing was asked. Rows and notes show
up in the order in which they are made, so a slow benchmark shows what it has. A module that is
missing on this machine belongs in NEEDS: the runner then skips the benchmark and says so.

`python -m benchmarks` runs every benchmark that is not LONG, and says which it skips;
`python -m benchmarks learning` only that one, long or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

HEADINGS = ("what", "asked", "got", "beside", "met")


@dataclass(frozen=True)
class Row:
    """One figure."""

    what: str  # what was measured, with its unit if it has one
    asked: str  # the figure to reach, "" if none was set
    got: str  # the figure reached
    beside: str  # the same by what people would use instead, "" if there is nothing
    met: bool | None  # got what was asked; None where nothing was asked

    def cells(self) -> tuple[str, ...]:
        verdict = {True: "yes", False: "NO", None: ""}[self.met]
        return (self.what, self.asked, self.got, self.beside, verdict)


def _silent(_: str) -> None:
    pass


@dataclass(frozen=True)
class Report:
    """Collects the rows and notes of one benchmark."""

    title: str  # heads the table
    announce: Callable[[str], None] = _silent  # told of each row as it is made
    rows: list[Row] = field(default_factory=list)  # in the order measured
    notes: list[str] = field(default_factory=list)  # sentences under the table

    def row(
        self, what: str, asked: str = "", got: str = "", beside: str = "", met: bool | None = None
    ) -> None:
        """Add one figure."""
        # NumPy's own booleans are welcome here, but JSON does not know them.
        row = Row(what, asked, got, beside, None if met is None else bool(met))
        self.rows.append(row)
        self.announce(" | ".join(cell for cell in row.cells() if cell))

    def note(self, text: str) -> None:
        """Add a sentence on how the figures came about."""
        self.notes.append(text)
        self.announce(text)

    def markdown(self) -> str:
        """The table in Markdown, its columns aligned so that a terminal shows it well too."""
        parts = [f"## {self.title}"]
        if self.rows:
            parts.append(table(HEADINGS, [row.cells() for row in self.rows]))
        parts.extend(self.notes)
        return "\n\n".join(parts)


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A Markdown table; columns that are empty in every row are left out."""
    columns = list(zip(headings, *rows, strict=True))
    kept = [[_cell(text) for text in column] for column in columns if any(column[1:])]
    padded = []
    for column in kept:
        width = max(3, *map(len, column))
        padded.append([column[0].ljust(width), "-" * width, *(c.ljust(width) for c in column[1:])])
    return "\n".join("| " + " | ".join(line) + " |" for line in zip(*padded, strict=True))


def _cell(text: str) -> str:
    # A bar or a line break would end the cell: |x| is common in figures such as max |w - w*|.
    return text.replace("|", "\\|").replace("\n", " ")
