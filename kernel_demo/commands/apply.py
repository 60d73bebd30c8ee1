"""`python -m kernel_demo apply IN OUT --kernel sobel_x`: a filter on a picture of up to 200 Mpx."""

import argparse
import sys
import time
from pathlib import Path
from typing import TextIO

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.export.png import PngFile
from kernel_demo.export.rows import NpyFile
from kernel_demo.imaging import kernels
from kernel_demo.imaging.borders import BORDERS
from kernel_demo.imaging.tiles import apply_tiles
from kernel_demo.sources.large import MAX_PIXELS, open_large

TILE = 1024
SHOW_SECONDS = 0.2  # between two updates of the bar
DESCRIPTION = (
    "Filter a picture tile by tile. "
    f"IN: PNG, JPEG, WebP, TIFF, BMP or GIF (up to 256 MB), or .npy of uint8 or uint16, up to "
    f"{MAX_PIXELS / 1e6:g} megapixels. OUT: .png or .npy, of the same depth. Beyond the decoded "
    "picture the filter needs some dozens of megabytes; reading a picture file needs it twice for "
    "a moment, a .npy file is mapped and needs nothing."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of the subcommand `apply`."""
    parser.description = DESCRIPTION
    parser.add_argument("source", metavar="IN", type=Path)
    parser.add_argument("target", metavar="OUT", type=Path)
    parser.add_argument(
        "--kernel", required=True, help="a name such as sobel_x, random, or a JSON matrix"
    )
    parser.add_argument("--size", type=int, default=3, help="of a named kernel (default: 3)")
    parser.add_argument("--seed", type=int, default=0, help="of a random one (default: 0)")
    parser.add_argument(
        "--border", choices=list(BORDERS), default="reflect", help="default: %(default)s"
    )
    parser.add_argument(
        "--offset", type=float, default=0.0, help="added to every pixel, in its own levels"
    )
    parser.add_argument(
        "--offset-levels", type=float, default=0.0, metavar="LEVELS",
        help="added as well, in 255ths of white: 255 * offset / white of `recover --json`",
    )  # fmt: skip


def run(options: argparse.Namespace, progress: TextIO = sys.stderr) -> int:
    """Do it; progress and problems go to `progress`. Returns the exit status: 0, or 2."""
    try:
        apply_file(
            options.source, options.target, options.kernel, options.size, options.seed,
            options.border, options.offset, options.offset_levels, progress,
        )  # fmt: skip
    except DemoError as error:
        progress.write(f"{error}\n")
        return 2
    return 0


def apply_file(
    source: Path,
    target: Path,
    kernel: str,
    size: int = 3,
    seed: int = 0,
    border: str = "reflect",
    offset: float = 0.0,
    offset_levels: float = 0.0,
    progress: TextIO = sys.stderr,
) -> None:
    """Filter the picture in `source` into `target`, rounded and clipped to the source's range.

    Every pixel gets offset, in the picture's own levels, and offset_levels, in 255ths of white.
    DemoError: a bad kernel or picture, an offset that is no number, or a target that is neither
    PNG nor NumPy, or is the source. A target that cannot be finished stays as it was.
    """
    weights = kernels.resolve(kernel, size=size, seed=seed).values
    if not np.isfinite(offset + offset_levels):
        raise DemoError(
            "an offset in grey levels", f"{offset + offset_levels}", "Give a number, such as 128."
        )
    if target.suffix.lower() not in (".png", ".npy") or target.resolve() == source.resolve():
        raise DemoError(
            "another file, .png or .npy, to write to", f"“{target.name}”", "Name it out.png."
        )
    picture, notes = open_large(source, source.name)
    for note in notes:
        progress.write(f"{note}\n")
    offset += offset_levels * (np.iinfo(picture.dtype).max // 255)
    form = PngFile if target.suffix.lower() == ".png" else NpyFile
    try:
        with form(target, picture.shape, picture.dtype) as sink:
            _filter(picture, sink, weights, border, offset, progress)
    except OSError as error:
        reason = error.strerror or "an error"
        raise DemoError("a place to write to", f"“{target}”: {reason}", "Choose another.") from None


def _filter(picture, sink, weights, border, offset, progress: TextIO) -> None:
    height, width = picture.shape[:2]
    began = shown = time.monotonic()
    # Halves are rounded up: an 8-bit result needs float64, float32 could fall on the other side.
    for done in apply_tiles(picture, sink, weights, border, offset, TILE, working=np.float64):
        if time.monotonic() - shown >= SHOW_SECONDS:
            shown = time.monotonic()
            progress.write(f"\r{done:4.0%} of {width} x {height}")
            progress.flush()
    seconds = time.monotonic() - began
    progress.write(f"\r{1:4.0%} of {width} x {height} pixels in {seconds:.1f} s\n")
