"""`python -m kernel_demo recover BEFORE AFTER`: the filter between two pictures, or two folders."""

import argparse
import json
import sys
from pathlib import Path

import numpy as np

from kernel_demo.commands import readable
from kernel_demo.errors import DemoError
from kernel_demo.export import tools
from kernel_demo.numbers import percent, rounded_up
from kernel_demo.recovery import Recovery, recover_common, recover_many
from kernel_demo.recovery.rivals import Alternative
from kernel_demo.recovery.several import Obedience
from kernel_demo.sources.decoding import samples

ENDINGS = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the subcommand `recover`."""
    parser.description = (
        "Find the filter that made one picture of another: PNG, JPEG, WebP or TIFF, 8 or 16 bits. "
        "Several pairs of one filter may follow each other; or name two folders, whose pictures go "
        "together by name: then it says which of them do not obey the filter that the others have."
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="BEFORE AFTER")
    parser.add_argument("--json", action="store_true", help="print everything found, as JSON")
    parser.add_argument(
        "--max-size", type=int, default=15, help="largest kernel, odd, 3 to 31 (default: 15)"
    )


def run(options: argparse.Namespace) -> int:
    """Find the filter and print it; problems go to stderr."""
    try:
        folders = len(options.files) == 2 and all(path.is_dir() for path in options.files)
        files, notes = _matched(*options.files) if folders else (_in_turn(options.files), [])
        pairs = [(_opened(before, notes), _opened(after, notes)) for before, after in files]
        name = options.files[1].name
        if folders:
            found, obedience = recover_common(pairs, options.max_size, name)
        else:
            found, obedience = recover_many(pairs, options.max_size, name), ()
    except DemoError as error:
        print(error, file=sys.stderr)
        return 2
    names = [after.name for _, after in files]
    if options.json:
        made_by = tools.program(found)
        told = found.as_dict(proved=True) | {"files": notes, "code": made_by and made_by.code}
        if folders:
            told["pairs"] = [
                {"name": name} | vars(one) for name, one in zip(names, obedience, strict=True)
            ]
        print(json.dumps(told, indent=2))
    else:
        print("\n".join([*_lines(found), *_disobedient(names, obedience), *notes]))
    return 0


def _in_turn(files: list[Path]) -> list[tuple[Path, Path]]:
    if any(path.is_dir() for path in files):
        raise DemoError("two files, or two folders", "a folder among files", "Name two folders.")
    if len(files) % 2:
        received = "1 file" if len(files) == 1 else f"{len(files)} files"
        raise DemoError(
            "a picture before and one after, in turn", received, "Name the missing one."
        )
    return list(zip(files[::2], files[1::2], strict=True))


def _matched(before: Path, after: Path) -> tuple[list[tuple[Path, Path]], list[str]]:
    """The pictures of two folders that have the same name but for its ending, and the others."""
    sides = [_pictures(folder) for folder in (before, after)]
    befores, afters = ({path.stem: path for path in reversed(side)} for side in sides)
    both = sorted(befores.keys() & afters.keys())
    if not both:
        raise DemoError(
            f"pictures of the same names in “{before.name}” and “{after.name}”", "none",
            "Name each picture after as the one before; the endings may differ.",
        )  # fmt: skip
    pairs = [(befores[stem], afters[stem]) for stem in both]
    alone = [path for side in sides for path in side if not any(path in pair for pair in pairs)]
    return pairs, [f"{path.parent.name}/{path.name}: has no partner" for path in alone]


def _pictures(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.suffix.lower() in ENDINGS]


def _opened(path: Path, notes: list[str]) -> np.ndarray:
    values, told = samples(readable(path), path.name, keep_alpha=True)
    notes += [f"{path.name}: {note}" for note in told]
    return values


def _disobedient(names: list[str], told: tuple[Obedience, ...]) -> list[str]:
    """Which pairs do not obey the filter, and how far they are from it."""
    if not told:
        return []
    pairs = f"{len(told)} pair" + ("s" if len(told) > 1 else "")
    others = [(name, one) for name, one in zip(names, told, strict=True) if not one.obeys]
    if not others:
        return ["", f"all of {pairs} obey it"]
    lines = [f"{len(told) - len(others)} of {pairs} obey it; these do not:"]
    for name, one in others:
        left = "nothing to compare it with"
        if one.residual is not None and one.reproduced is not None:
            left = f"{one.residual:.3g} grey levels RMS left, {percent(one.reproduced)} reproduced"
        lines.append(f"  {name}: {left}")
    return ["", *lines]


def _lines(found: Recovery) -> list[str]:
    """What a person wants to read of it."""
    lines = [f"{found.title}: {found.verdict}", found.explanation, found.next_step]
    kernel, bars = found.kernel, found.standard_error
    if found.verdict.linear and kernel is not None and bars is not None:
        lines += ["", f"kernel ({found.size} x {found.size}, {found.channels}):"]
        with np.printoptions(precision=5, suppress=True, linewidth=120, threshold=1000):
            lines.append(str(kernel.squeeze() + 0.0))
        lines.append(f"offset: {_rounded(found.offset)}")
        lines.append(f"standard errors: up to {rounded_up(bars.max(), 2)}")
        lines.append(f"border: {_border(found)}")
        lines.append(f"pixels used: {percent(found.used_fraction)}")
        if found.left_out.share:
            reasons = ", ".join(found.left_out.reasons)
            share = rounded_up(100 * found.left_out.share, 2)
            lines.append(f"pixels left out: {share} % ({reasons})")
        lines.append(f"pixels reproduced: {percent(found.reproduced)}")
        made_by = tools.program(found)
        lines += [] if made_by is None else ["", f"{made_by.tool}:", made_by.code]
    return [*lines, *_beside(found.alternative), *(f"note: {note}" for note in found.notes)]


def _beside(other: Alternative | None) -> list[str]:
    """What is known beside a kernel and can be done again."""
    if other is None or not other.code or other.residual is None or other.reproduced is None:
        return []
    left = f"{other.residual:.3g} grey levels RMS left, {percent(other.reproduced)} reproduced"
    return ["", f"{other.name}: {left}", "", other.code]


def _border(found: Recovery) -> str:
    """The mode, or that of each side, and the value of one that has a value."""
    value = "" if found.padding_value is None else f" ({_rounded(found.padding_value)})"
    if found.padding or not any(found.padding_sides):
        return (found.padding or "not seen") + value
    sides = zip(("top", "bottom", "left", "right"), found.padding_sides, strict=True)
    return ", ".join(f"{side} {mode or 'not seen'}" for side, mode in sides) + value


def _rounded(offset: float | tuple[float, ...]) -> str:
    values = offset if isinstance(offset, tuple) else (offset,)
    return ", ".join(f"{value:.7g}" for value in values) + " grey levels"
