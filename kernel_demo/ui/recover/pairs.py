"""A visitor's files as pairs of pictures: raw samples, before beside after."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.numbers import count
from kernel_demo.sources.decoding import Room, samples
from kernel_demo.sources.uploads import display_name
from kernel_demo.ui.html import filled, joined, quiet
from kernel_demo.ui.pictures import thumbnail

MAX_PAIRS = 16
MAX_TOTAL = 40_000_000  # pixels of all befores together, and of all afters
BEFORE, AFTER = "Before", "After"


@dataclass(frozen=True, eq=False)
class Opened:
    """One file, as it is stored."""

    name: str
    samples: np.ndarray = field(repr=False)  # H x W (x 2 to 4), uint8 or uint16, read-only
    notes: tuple[str, ...] = ()


Pair = tuple[Opened, Opened]


def listed(paths: Sequence[str] | str | None) -> tuple[str, ...]:
    """The files of one side as gradio may hand them over: several, one or none."""
    return (paths,) if isinstance(paths, str) else tuple(paths or ())


def open_side(paths: Sequence[str] | str | None, keep_alpha: bool = False) -> list[Opened]:
    """The files of one side, in order. DemoError for one that is no picture or too large.

    keep_alpha: with transparency as the last channel, for finding the filter; else to be drawn.
    """
    paths = listed(paths)
    if len(paths) > MAX_PAIRS:
        raise DemoError(f"at most {MAX_PAIRS} pairs", f"{len(paths)} files", "Remove some.")
    opened, room = [], Room(MAX_TOTAL, of="all files of one side")
    for path in paths:
        name = display_name(path)
        values, notes = samples(path, name, keep_alpha=keep_alpha, room=room)
        opened.append(Opened(name, values, tuple(f"“{name}”: {note}" for note in notes)))
        room = room.less(values)
    return opened


def match(befores: Sequence[Opened], afters: Sequence[Opened]) -> tuple[Pair, ...]:
    """The pairs, matched in order. DemoError where a file is missing."""
    for side, opened in ((BEFORE, befores), (AFTER, afters)):
        if not opened:
            raise DemoError(f"a picture {side.lower()}", "none", "Choose a file.")
    if len(befores) != len(afters):
        raise DemoError(
            "as many pictures after as before",
            f"{len(befores)} before and {len(afters)} after",
            "Add or remove some; they are matched in order.",
        )
    return tuple(zip(befores, afters, strict=True))


def thumbnails(befores: Sequence[Opened], afters: Sequence[Opened]) -> str:
    """What was chosen, pair by pair, and what is missing (HTML); nothing for no file."""
    if not befores and not afters:
        return ""
    rows = []
    for number in range(max(len(befores), len(afters))):
        cells = (
            thumbnail(side[number].samples, side[number].name) if number < len(side) else "<i></i>"
            for side in (befores, afters)
        )
        rows.append('<span aria-hidden="true">→</span>'.join(cells))
    told = many(befores)
    if len(befores) != len(afters):
        missing = AFTER if len(befores) > len(afters) else BEFORE
        told = f"Now the picture {missing.lower()}."
    if sizes := _sizes(befores, afters):
        told = " ".join([f"{told.removesuffix('.')}.", *sizes])
    return filled('<div class="kd-pairs">{}</div>', joined(rows)) + quiet(told)


def _sizes(befores: Sequence[Opened], afters: Sequence[Opened]) -> list[str]:
    """A sentence on each pair of which the two have different sizes."""
    told = []
    for number, (before, after) in enumerate(zip(befores, afters, strict=False), 1):
        if before.samples.shape[:2] != after.samples.shape[:2]:
            pair = f"Pair {number}: before" if len(befores) > 1 else "Before"
            sides = (f"{one.samples.shape[1]} × {one.samples.shape[0]}" for one in (before, after))
            told.append("{} is {} pixels, after {}.".format(pair, *sides))
    return told


def many(befores: Sequence[Opened], between: str = " · ") -> str:
    """How many pairs: 2 pairs · 0.3 Mpx; small pictures in pixels."""
    pixels = sum(one.samples.shape[0] * one.samples.shape[1] for one in befores)
    noun = "pair" if len(befores) == 1 else "pairs"
    size = f"{pixels / 1e6:.1f} Mpx" if pixels >= 1e5 else f"{count(pixels)} pixels"
    return f"{len(befores)} {noun}{between}{size}"
