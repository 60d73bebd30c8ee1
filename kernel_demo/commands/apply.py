"""`python -m kernel_demo apply IN OUT --kernel sobel_x`: a filter on a picture of up to 200 Mpx."""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from kernel_demo.commands import readable
from kernel_demo.errors import DemoError, finite
from kernel_demo.export.pictures import NpyFile, PngFile, RowFile
from kernel_demo.imaging import kernels
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.imaging.filtering import MODES
from kernel_demo.imaging.tiles import apply_tiles
from kernel_demo.sources.decoding import MAX_LARGE, open_large

TILE = 1024
SHOW_SECONDS = 0.2  # between two updates of the bar
DESCRIPTION = (
    "Filter a picture tile by tile. "
    f"IN: PNG, JPEG, WebP, TIFF, BMP or GIF (up to 256 MB), or .npy of uint8 or uint16, up to "
    f"{MAX_LARGE / 1e6:g} megapixels. OUT: .png or .npy, of the same depth. Beyond the decoded "
    "picture the filter needs some dozens of megabytes; reading a picture file needs it twice for "
    "a moment, a .npy file is mapped and needs nothing."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the subcommand `apply`."""
    parser.description = DESCRIPTION
    parser.add_argument("source", metavar="IN", type=Path)
    parser.add_argument("target", metavar="OUT", type=Path)
    parser.add_argument(
        "--kernel", required=True,
        help=f"{', '.join(CATALOGUE)}; random; a JSON matrix; or a file of one, .json (as `recover "
        "--json` and a record's save() write it) or .npy",
    )  # fmt: skip
    parser.add_argument("--size", type=int, default=3, help="of a named kernel (default: 3)")
    parser.add_argument("--seed", type=int, default=0, help="of a random one (default: 0)")
    parser.add_argument(
        "--border", choices=list(MODES), default="reflect", help="default: %(default)s"
    )
    parser.add_argument(
        "--offset", type=float, default=0.0, help="added to every pixel, in its own levels"
    )
    parser.add_argument(
        "--offset-levels", type=float, default=0.0, metavar="LEVELS",
        help="added as well, in 255ths of white: 255 * offset / white of `recover --json`",
    )  # fmt: skip
    parser.add_argument(
        "--border-levels", type=float, default=0.0, metavar="LEVELS",
        help="what the border “constant” puts around, in 255ths of white as well: "
        "255 * padding_value / white",
    )  # fmt: skip


def run(options: argparse.Namespace) -> int:
    """Filter the picture; progress and problems go to stderr. Returns the exit status: 0, or 2."""
    try:
        _apply(options)
    except DemoError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _apply(options: argparse.Namespace) -> None:
    """Filter the picture in `source` into `target`, rounded and clipped to the source's range.

    Every pixel gets offset, in the picture's own levels, and offset_levels, in 255ths of white.
    DemoError: a bad kernel or picture, an offset that is no number, or a target that is neither
    PNG nor NumPy, or is the source. A target that cannot be finished stays as it was.
    """
    source, target = options.source, options.target
    weights = _kernel(options).values
    offset = options.offset + options.offset_levels
    finite("an offset in grey levels", offset, -kernels.MAX_VALUE, kernels.MAX_VALUE)
    around = finite("border levels", options.border_levels, 0, 255)
    if target.suffix.lower() not in (".png", ".npy") or target.resolve() == source.resolve():
        raise DemoError(
            "another file, .png or .npy, to write to", f"“{target.name}”", "Name it out.png."
        )
    picture, notes = open_large(readable(source), source.name)
    for note in notes:
        print(note, file=sys.stderr)
    level = np.iinfo(picture.dtype).max // 255
    offset = options.offset + options.offset_levels * level
    form = PngFile if target.suffix.lower() == ".png" else NpyFile
    try:
        with form(target, picture.shape, picture.dtype) as sink:
            _filter(picture, sink, weights, options.border, offset, around * level)
    except OSError as error:
        reason = error.strerror or "an error"
        raise DemoError("a place to write to", f"“{target}”: {reason}", "Choose another.") from None


def _kernel(options: argparse.Namespace) -> kernels.Kernel:
    """The kernel that is named, written out, or in a file."""
    path = Path(options.kernel)
    try:
        if path.suffix == ".npy":
            return kernels.resolve(np.load(path))
        if path.suffix == ".json":
            told = json.loads(path.read_text(encoding="utf-8"))
            return kernels.resolve(told["kernel"] if isinstance(told, dict) else told)
    except (OSError, ValueError, KeyError):
        expected = "a file with a kernel, .json or .npy"
        raise DemoError(expected, f"“{path.name}”", "Check its name, or save() it anew.") from None
    return kernels.resolve(options.kernel, size=options.size, seed=options.seed)


def _filter(
    picture: np.ndarray,
    sink: RowFile,
    weights: np.ndarray,
    border: str,
    offset: float,
    around: float,
) -> None:
    height, width = picture.shape[:2]
    began = shown = time.monotonic()
    # Halves are rounded up: an 8-bit result needs float64, float32 could fall on the other side.
    for done in apply_tiles(picture, sink, weights, border, offset, TILE, np.float64, around):
        if time.monotonic() - shown >= SHOW_SECONDS:
            shown = time.monotonic()
            print(f"\r{done:4.0%} of {width} x {height}", end="", file=sys.stderr, flush=True)
    seconds = time.monotonic() - began
    print(f"\r{1:4.0%} of {width} x {height} pixels in {seconds:.1f} s", file=sys.stderr)
