"""Pictures that a visitor uploaded."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from kernel_demo.errors import DemoError
from kernel_demo.sources.decoding import MAX_PIXELS, Photo, decode

MAX_FILES = 32
MAX_TOTAL = 80_000_000  # pixels of all files together: 1 GB of float32 colour
_TOGETHER = f"All files together may have {MAX_TOTAL / 1e6:g} megapixels."


def open_uploads(paths: Sequence[str | Path]) -> tuple[tuple[Photo, ...], tuple[str, ...]]:
    """(the pictures that can be used, what is wrong with each file that cannot).

    paths: files on this server, named as the visitor named them. At most MAX_FILES are opened,
    and at most MAX_TOTAL pixels in all; what is beyond is told among the problems. Never raises
    for what is wrong with a file, and shows nothing of a path but the file's own name.
    """
    photos, problems, left = [], [], MAX_TOTAL
    for path in paths[:MAX_FILES]:
        name = display_name(path)
        try:
            photo = decode(path, name, min(left, MAX_PIXELS))
        except DemoError as error:
            shared = left < MAX_PIXELS and "megapixels" in error.expected
            problems.append(f"{error} {_TOGETHER}" if shared else str(error))
            continue
        left -= photo.pixels.shape[0] * photo.pixels.shape[1]
        photos.append(photo)
    if len(paths) > MAX_FILES:
        problems.append(
            f"Only the first {MAX_FILES} of {len(paths)} files were opened. Upload fewer."
        )
    return tuple(photos), tuple(problems)


def display_name(path: str | Path) -> str:
    """The file's own name, fit for a message: no folders, no control characters, 60 at most."""
    name = PurePosixPath(str(path).replace("\\", "/")).name
    name = re.sub(r"[^\w .,()+@=&#'-]", "", name).strip() or "unnamed"
    return name if len(name) <= 60 else f"{name[:40]}…{name[-19:]}"
