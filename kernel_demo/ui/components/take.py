"""The card "Take it with you": code for nine tools, and the kernel and the model as files.

All of it travels in the component's value, the files as data URLs: nothing lies on the server, and
no other visitor can ask for it. A 31 x 31 kernel with everything takes about 300 KB, a 3 x 3 15 KB.
"""

import base64
import re
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.export import files
from kernel_demo.export.code import snippets
from kernel_demo.export.compression import compress
from kernel_demo.imaging.filtering import BORDERS
from kernel_demo.ui.components import take_words as wording
from kernel_demo.ui.learn.session import Session

_HERE = Path(__file__).parent


@dataclass(frozen=True, eq=False)
class Taken:
    """One kernel that can be taken away."""

    kernel: np.ndarray  # (k, k) float64
    offset: float = 0.0  # where white is 1
    border: str = "reflect"
    name: str = "kernel"  # of the files, and in them
    note: str = ""  # what must be known to use it; one or two sentences
    report: bytes = b""  # everything that was found, as JSON, where there is more than the kernel


def build(elem_id: str) -> gr.HTML:
    """The card, hidden until its value is what `value()` returns."""
    template = (_HERE / "take.html").read_text(encoding="utf-8")
    words = {"title": wording.TITLE, "code": wording.CODE, "tools": wording.TOOLS}
    for name, word in words.items():
        template = template.replace(f"@{name}@", word)
    return gr.HTML(
        value=None,
        html_template=template,
        js_on_load="\n".join(
            (_HERE / name).read_text(encoding="utf-8") for name in ("clipboard.js", "take.js")
        ),
        elem_id=elem_id,
        apply_default_css=False,
        words={"copy": wording.COPY, "copied": wording.COPIED, "cannot": wording.CANNOT},
    )


def value(taken: Taken) -> dict:
    """What the card shows for one kernel."""
    kernel = np.pad(taken.kernel, 1) if len(taken.kernel) == 1 else taken.kernel
    border = taken.border if taken.border in BORDERS else "reflect"
    stem = re.sub(r"\W+", "_", taken.name).strip("_").lower() or "kernel"
    costs = (compress(kernel, kind).largest_error for kind in ("int8", "float16"))
    return {
        "snippets": [
            {"tool": made.tool, "code": made.code, "note": made.note}
            for made in snippets(kernel, taken.offset, border)
        ],
        "files": _files(kernel, taken, border, stem),
        "note": " ".join(filter(None, (taken.note, wording.about(border, *costs)))),
    }


def learned(session: Session, border: str):
    """The value for the kernel that a session learned; None, an empty card, where there is none."""
    if session.progress is None or session.running:
        return gr.skip()
    if session.kernel is None:
        return None
    try:
        return value(Taken(session.kernel, session.progress.offset, border, "learned kernel"))
    except DemoError:  # all zeros, or beyond what files and tools can hold
        return None


def _files(kernel: np.ndarray, taken: Taken, border: str, stem: str) -> list[dict]:
    """The groups of links: [{label, links: [{text, name, size, url}]}]."""
    offset = taken.offset
    plain = [
        _link("JSON", f"{stem}.json", files.kernel_json(kernel, offset, border, taken.name)),
        _link(".npy", f"{stem}.npy", files.kernel_npy(kernel)),
    ]
    if taken.report:
        plain.append(_link("report", f"{stem}_report.json", taken.report))
    groups = [{"label": wording.KERNEL, "links": plain}]
    for label, suffix, write in (
        (wording.MODEL, "safetensors", files.model_safetensors),
        (wording.GRAPH, "onnx", files.model_onnx),
    ):
        links = [
            _link(word, f"{stem}_{kind}.{suffix}", write(kernel, offset, border, kind))
            for kind, word in wording.PRECISIONS.items()
        ]
        groups.append({"label": label, "links": links})
    return groups


def _link(text: str, name: str, data: bytes) -> dict:
    kind = "application/json" if name.endswith(".json") else "application/octet-stream"
    url = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return {"text": text, "name": name, "size": wording.file_size(len(data)), "url": url}
