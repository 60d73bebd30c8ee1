"""`python -m kernel_demo recover BEFORE AFTER`: the filter between two pictures."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from kernel_demo.commands import readable
from kernel_demo.errors import DemoError
from kernel_demo.numbers import percent, rounded_up
from kernel_demo.recovery import Recovery, recover_many
from kernel_demo.sources.decoding import samples


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the subcommand `recover`."""
    parser.description = (
        "Find the filter that made one picture of another: PNG, JPEG, WebP or TIFF, 8 or 16 bits. "
        "Several pairs of one filter may follow each other."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="BEFORE AFTER")
    parser.add_argument("--json", action="store_true", help="print everything found, as JSON")
    parser.add_argument(
        "--max-size", type=int, default=15, help="largest kernel, odd, 3 to 31 (default: 15)"
    )


def run(options: argparse.Namespace) -> int:
    """Find the filter and print it; problems go to stderr."""
    try:
        count = len(options.files)
        if count % 2:
            received = "1 file" if count == 1 else f"{count} files"
            raise DemoError(
                "a picture before and one after, in turn", received, "Name the missing one."
            )
        pictures, notes = [], []
        for path in options.files:
            values, told = samples(readable(path), path.name, keep_alpha=True)
            pictures.append(values)
            notes += [f"{path.name}: {note}" for note in told]
        pairs = list(zip(pictures[::2], pictures[1::2], strict=True))
        found = recover_many(pairs, options.max_size, options.files[1].name)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 2
    if options.json:
        print(json.dumps(found.as_dict(proved=True) | {"files": notes}, indent=2))
    else:
        print("\n".join([*_lines(found), *notes]))
    return 0


def _lines(found: Recovery) -> list[str]:
    """What a person wants to read of it."""
    lines = [f"{found.title}: {found.verdict}", found.explanation, found.next_step]
    if found.verdict.linear:
        lines += ["", f"kernel ({found.size} x {found.size}, {found.channels}):"]
        with np.printoptions(precision=5, suppress=True, linewidth=120, threshold=1000):
            lines.append(str(found.kernel.squeeze() + 0.0))
        lines.append(f"offset: {_rounded(found.offset)}")
        lines.append(f"standard errors: up to {rounded_up(found.standard_error.max(), 2)}")
        lines.append(f"border: {_border(found)}")
        lines.append(f"pixels used: {percent(found.used_fraction)}")
        if found.left_out.share:
            reasons = ", ".join(found.left_out.reasons)
            share = rounded_up(100 * found.left_out.share, 2)
            lines.append(f"pixels left out: {share} % ({reasons})")
        lines.append(f"pixels reproduced: {percent(found.reproduced)}")
    return lines + [f"note: {note}" for note in found.notes]


def _border(found: Recovery) -> str:
    """The mode, or that of each side, and the value of one that has a value."""
    value = "" if found.padding_value is None else f" ({_rounded(found.padding_value)})"
    if found.padding or not any(found.padding_sides):
        return (found.padding or "not seen") + value
    sides = zip(("top", "bottom", "left", "right"), found.padding_sides, strict=True)
    return ", ".join(f"{side} {mode or 'not seen'}" for side, mode in sides) + value


def _rounded(offset) -> str:
    values = offset if isinstance(offset, tuple) else (offset,)
    return ", ".join(f"{value:.7g}" for value in values) + " grey levels"
