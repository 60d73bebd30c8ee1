"""Files of the endpoints: what a client sends, in each way that clients have, and what it gets."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from kernel_demo.errors import DemoError
from kernel_demo.sources.decoding import READABLE
from kernel_demo.sources.uploads import display_name

# Between the address of this server and the path of a file on it.
OWN_FILE = "/gradio_api/file="
KINDS = {".png": "image/png", ".json": "application/json"}


def sent(file: Any, role: str = "") -> tuple[str, str]:
    """(its path on this server, its name fit for a message) of what a client sends for a file.

    file: a gradio FileData or its dict; or text, as generated clients and assistants send it: the
    path that an upload was answered with, the address of a file on this server, or a data URL.
    role: what it is for, "before". DemoError for what was not uploaded: gradio looks only at what
    is marked as a file, and a client may leave the mark out. Nothing that is sent is told as it is.
    """
    held = file if isinstance(file, dict) else getattr(file, "__dict__", {})
    path = _named(file) if isinstance(file, str) else held.get("path")
    if not isinstance(path, str) or not _is_uploaded(path):
        expected = f"a picture file as {role}" if role else "a picture file"
        raise DemoError(expected, "none", "Upload one.")
    return path, display_name(held.get("orig_name") or path)


def file(name: str, data: bytes) -> gr.FileData:
    """A file for a client, which the page forgets as it does uploads."""
    path = save_bytes_to_cache(data, name, cache_dir=get_upload_folder())
    kind = KINDS.get(Path(name).suffix, "application/octet-stream")
    return gr.FileData(path=path, orig_name=name, size=len(data), mime_type=kind)


def exported(cards: Iterable[tuple[str, Mapping]]) -> dict:
    """What cards "Take it with you" hold, each with its label: their files, and their programs."""
    cards = [*cards]
    links = [link for _, card in cards for group in card["files"] for link in group["links"]]
    programs = [
        {"of": label, **snippet}
        for label, card in cards
        for snippet in card["snippets"]
        if snippet["code"]
    ]
    contents = {link["name"]: base64.b64decode(link["url"].partition(",")[2]) for link in links}
    files = {name: file(name, data).model_dump() for name, data in contents.items()}
    return {"files": files, "programs": programs}


def _named(text: str) -> str:
    """The path of the file that a text stands for."""
    if text.startswith("data:"):
        return _within(text)
    path = unquote(text.rpartition(OWN_FILE)[2])
    if path.strip().lower().startswith(("http:", "https:")):
        remedy = "Download it and upload the file."
        raise DemoError("an uploaded file", "a web address", remedy)
    return path


def _within(url: str) -> str:
    """The path of a file with what a data URL holds."""
    head, _, body = url.partition(",")
    try:
        data = base64.b64decode(body, validate=True) if head.endswith(";base64") else b""
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        expected = f"a picture ({READABLE}) as base64 in a data URL"
        raise DemoError(expected, "another text", "Encode the whole file, or upload it.")
    return save_bytes_to_cache(data, "picture.png", cache_dir=get_upload_folder())


def _is_uploaded(path: str) -> bool:
    try:
        return Path(path).resolve().is_relative_to(Path(get_upload_folder()).resolve())
    except (ValueError, OSError):  # a NUL in the path, or a path too long
        return False
