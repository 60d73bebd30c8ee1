"""A visitor's files as pairs of pictures: raw samples, before beside after."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.sources.decoding import Room, samples
from kernel_demo.sources.uploads import display_name
from kernel_demo.ui.pictures import thumbnail
from kernel_demo.ui.recover import words as wording

MAX_PAIRS = 16
MAX_TOTAL = 40_000_000  # pixels of all befores together, and of all afters


@dataclass(frozen=True, eq=False)
class Opened:
    """One file, as it is stored."""

    name: str
    samples: np.ndarray = field(repr=False)  # H x W (x 2 to 4), uint8 or uint16, read-only
    notes: tuple[str, ...] = ()

    @property
    def pixels(self) -> int:
        """H W"""
        return self.samples.shape[0] * self.samples.shape[1]


def open_side(paths: Sequence[str] | str | None, keep_alpha: bool = False) -> list[Opened]:
    """The files of one side, in order. DemoError for one that is no picture or too large.

    keep_alpha: with transparency as the last channel, for finding the filter; else to be drawn.
    """
    paths = [paths] if isinstance(paths, str) else list(paths or ())
    if len(paths) > MAX_PAIRS:
        raise DemoError(f"at most {MAX_PAIRS} pairs", f"{len(paths)} files", "Remove some.")
    opened, room = [], Room(MAX_TOTAL, of="all files of one side")
    for path in paths:
        name = display_name(path)
        values, notes = samples(path, name, keep_alpha=keep_alpha, room=room)
        opened.append(Opened(name, values, tuple(f"“{name}”: {note}" for note in notes)))
        room = room.less(values)
    return opened


def open_pairs(befores, afters) -> tuple[tuple[Opened, Opened], ...]:
    """The pairs, matched in order. DemoError where a file is missing or cannot be used."""
    for side, paths in ((wording.BEFORE, befores), (wording.AFTER, afters)):
        if not paths:
            raise DemoError(f"a picture {side.lower()}", "none", "Choose a file.")
    first, second = open_side(befores, keep_alpha=True), open_side(afters, keep_alpha=True)
    if len(first) != len(second):
        raise DemoError(
            "as many pictures after as before",
            f"{len(first)} before and {len(second)} after",
            "Add or remove some; they are matched in order.",
        )
    return tuple(zip(first, second, strict=True))


def thumbnails(befores: Sequence[Opened], afters: Sequence[Opened]) -> str:
    """What was chosen, pair by pair, and what is missing (HTML); nothing for no file."""
    if not befores and not afters:
        return ""
    rows = []
    for number in range(max(len(befores), len(afters))):
        cells = (_thumbnail(side, number) for side in (befores, afters))
        rows.append('<span aria-hidden="true">→</span>'.join(cells))
    pixels = sum(opened.pixels for opened in befores or afters)
    if len(befores) == len(afters):
        told = wording.pair_count(len(befores), pixels)
    else:
        told = wording.waiting(wording.AFTER if len(befores) > len(afters) else wording.BEFORE)
    return f'<div class="kd-pairs">{"".join(rows)}</div><p class="kd-note">{escape(told)}</p>'


def _thumbnail(side: Sequence[Opened], number: int) -> str:
    return thumbnail(side[number].samples, side[number].name) if number < len(side) else "<i></i>"
