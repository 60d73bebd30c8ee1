"""Pictures that a visitor uploaded."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from kernel_demo.errors import DemoError
from kernel_demo.sources.decoding import MAX_PIXELS, READABLE, Photo, Room, decode

MAX_FILES = 32
MAX_TOTAL = 80_000_000  # pixels of all files together: 1 GB of float32 colour
TOLD = 4  # bad files that one sentence names


def open_uploads(paths: Sequence[str | Path]) -> tuple[tuple[Photo, ...], tuple[DemoError, ...]]:
    """(the pictures that can be used, what is wrong with each file that cannot).

    paths: files on this server, named as the visitor named them. At most MAX_FILES are opened,
    and at most MAX_TOTAL pixels in all; what is beyond is told among the problems. Never raises
    for what is wrong with a file, and shows nothing of a path but the file's own name.
    """
    photos, problems, room = [], [], Room(MAX_TOTAL)
    for path in paths[:MAX_FILES]:
        try:
            photo = decode(path, display_name(path), room=room)
        except DemoError as error:
            problems.append(error)
            continue
        room = room.less(photo.pixels)
        photos.append(photo)
    if len(paths) > MAX_FILES:
        received = f"{len(paths)} files, of which the first {MAX_FILES} were opened"
        problems.append(DemoError(f"at most {MAX_FILES} files", received, "Upload fewer."))
    return tuple(photos), tuple(problems)


def together(problems: Sequence[DemoError]) -> DemoError:
    """The problems of at least one file as one error, in one sentence: each reason once."""
    problems = [*{problem.received: problem for problem in problems}.values()]  # chosen twice
    if len(problems) == 1:
        return problems[0]
    reasons = [problem.received for problem in problems[:TOLD]]
    if len(problems) > TOLD:
        reasons.append(f"{len(problems) - TOLD} more")
    limit = f"at most {MAX_PIXELS / 1e6:g} megapixels each"
    return DemoError(
        f"pictures ({READABLE}, {limit})",
        "; ".join(reasons),
        "Choose other files, or save the pictures as PNG.",
    )


def display_name(path: str | Path) -> str:
    """The file's own name, fit for a message: no folders, no control characters, 60 at most."""
    name = PurePosixPath(str(path).replace("\\", "/")).name
    name = re.sub(r"[^\w .,()+@=&#'-]", "", name).strip() or "unnamed"
    return name if len(name) <= 60 else f"{name[:40]}…{name[-19:]}"
