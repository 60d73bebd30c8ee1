"""The commands, one a file: add_arguments(parser) and run(options). The only place that prints."""

import os
from pathlib import Path

from kernel_demo.errors import DemoError


def readable(path: Path) -> Path:
    """The path of a file that can be read; else DemoError, with what helps at a terminal."""
    if not (os.access(path, os.R_OK) and path.is_file()):
        raise DemoError(
            "a picture file", f"“{path.name}”, which cannot be opened", "Check its name."
        )
    return path
