"""A file as a client of the endpoints sends it: where it lies, and what to call it."""

from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder

from kernel_demo.errors import DemoError
from kernel_demo.sources.uploads import display_name


def opened(file: Any, role: str = "") -> tuple[str, str]:
    """(its path on this server, its name fit for a message) of a gradio FileData or its dict.

    role: what it is for, "before". DemoError for what was not uploaded: gradio looks only at what
    is marked as a file, and a client may leave the mark out. Nothing that is sent is told as it is.
    """
    held = file if isinstance(file, dict) else getattr(file, "__dict__", {})
    path = held.get("path")
    if not isinstance(path, str) or not _is_uploaded(path):
        expected = f"a picture file as {role}" if role else "a picture file"
        raise DemoError(expected, "none", "Upload one.")
    return path, display_name(held.get("orig_name") or path)


def _is_uploaded(path: str) -> bool:
    try:
        return Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve())
    except ValueError:  # a NUL in the path
        return False
