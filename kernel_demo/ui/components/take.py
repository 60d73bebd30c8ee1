"""What can be taken away: the card "Take it with you", and the probe.

The card holds code for nine tools, and the kernel and the model as files. All of it travels in the
component's value, the files as data URLs: nothing lies on the server, and no other visitor can ask
for it. A 31 x 31 kernel with everything takes about 300 KB, a 3 x 3 15 KB.
"""

import base64
import re
from dataclasses import dataclass
from functools import lru_cache

import gradio as gr
import numpy as np

from kernel_demo.export import files
from kernel_demo.export.code import Snippet, snippets
from kernel_demo.export.compression import compress
from kernel_demo.imaging.filtering import CONSTANT, MODES
from kernel_demo.imaging.probe import probe
from kernel_demo.numbers import at_most, short
from kernel_demo.recovery import Rounding
from kernel_demo.ui.components import from_files
from kernel_demo.ui.html import filled
from kernel_demo.ui.pictures import file_url

WORDS = {
    "title": "Take it with you",
    "code": "Code to use it",
    "tools": "Tool",
    "copy": "Copy",
    "copied": "Copied",
    "cannot": "not by this tool",
}
PRECISIONS = {"float32": "float32", "float16": "float16", "int8": "8-bit"}
PROBE = (
    "Where you can run the tool yourself, send our test picture through it and bring both here. It "
    "is noise, as it holds every pattern: it tells every filter that this page names. Should it "
    "come back all black or white, it tells nothing."
)


@dataclass(frozen=True, eq=False)
class Taken:
    """One kernel that can be taken away."""

    kernel: np.ndarray  # (k, k) float64
    offset: float = 0.0  # where white is 1
    border: str = "reflect"
    name: str = "kernel"  # of the files, and in them
    note: str = ""  # what must be known to use it; one or two sentences
    report: bytes = b""  # everything that was found, as JSON, where there is more than the kernel
    around: float = 0.0  # beyond the picture under the border mode CONSTANT; white is 1
    own: Snippet | None = None  # the call of the tool itself, where that is known
    bars: np.ndarray | None = None  # (k, k), how far a weight may be off; None: every digit counts
    clipped: bool = False  # the code makes an 8-bit file, whatever that cuts off
    rounding: Rounding | None = None  # in that file, as far as it is known


@dataclass(frozen=True, eq=False)
class Program:
    """What is no kernel and can be taken away as code."""

    code: str
    name: str  # of the files
    tool: str = "OpenCV"
    note: str = ""  # how it is run
    report: bytes = b""  # everything that was found, as JSON


def component(elem_id: str) -> gr.HTML:
    """The card, hidden until its value is what `value()` returns."""
    return from_files("take", None, elem_id, words=WORDS, shared=("clipboard",))


def value(taken: Taken | Program) -> dict:
    """What the card shows for one kernel, or for a program."""
    if isinstance(taken, Program):
        return _of_program(taken)
    kernel = np.pad(taken.kernel, 1) if len(taken.kernel) == 1 else taken.kernel
    border = taken.border if taken.border in MODES else "reflect"
    stem = _stem(taken.name)
    made = snippets(
        kernel,
        taken.offset,
        border,
        taken.around,
        bars=taken.bars,
        clipped=taken.clipped,
        rounding=taken.rounding,
    )
    costs = (compress(kernel, kind).largest_error for kind in ("int8", "float16"))
    return {
        "snippets": [
            {"tool": one.tool, "code": one.code, "note": one.note}
            for one in _own_first(taken.own, made)
        ],
        "files": _files(kernel, taken, border, stem),
        "note": " ".join(filter(None, (taken.note, about(border, *costs, taken.around)))),
    }


def _of_program(taken: Program) -> dict:
    link = _link("report", f"{_stem(taken.name)}_report.json", taken.report)
    return {
        "snippets": [{"tool": taken.tool, "code": taken.code, "note": taken.note}],
        "files": [{"label": "Report", "links": [link]}],
        "note": "",
    }


def _stem(name: str) -> str:
    """The beginning of the names of files."""
    return re.sub(r"\W+", "_", name).strip("_").lower() or "kernel"


def _own_first(own: Snippet | None, made: tuple[Snippet, ...]) -> list[Snippet]:
    """The tool's own call in place of what makes the kernel's pixels with that tool."""
    return [*made] if own is None else [own, *(other for other in made if other.tool != own.tool)]


def _files(kernel: np.ndarray, taken: Taken, border: str, stem: str) -> list[dict]:
    """The groups of links: [{label, links: [{text, name, size, url}]}]."""
    offset, around = taken.offset, taken.around
    record = files.kernel_json(kernel, offset, border, taken.name, around)
    plain = [
        _link("JSON", f"{stem}.json", record),
        _link(".npy", f"{stem}.npy", files.kernel_npy(kernel)),
    ]
    if taken.report:
        plain.append(_link("report", f"{stem}_report.json", taken.report))
    groups = [{"label": "Kernel", "links": plain}]
    for label, suffix, write in (
        ("safetensors", "safetensors", files.model_safetensors),
        ("ONNX", "onnx", files.model_onnx),
    ):
        links = [
            _link(word, f"{stem}_{kind}.{suffix}", write(kernel, offset, border, kind, around))
            for kind, word in PRECISIONS.items()
        ]
        groups.append({"label": label, "links": links})
    return groups


def _link(text: str, name: str, data: bytes) -> dict:
    kind = "application/json" if name.endswith(".json") else "application/octet-stream"
    url = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    size = f"{len(data)} bytes" if len(data) < 1000 else f"{len(data) / 1000:.1f} KB"
    return {"text": text, "name": name, "size": size, "url": url}


def about(border: str, int8_error: float, float16_error: float, around: float = 0.0) -> str:
    """One line under the files: the border that they use, and what smaller numbers cost."""
    label = MODES[border].label.lower()
    if border == CONSTANT:
        label += f", grey level {short(255 * around)} of 255"
    if not int8_error and not float16_error:
        return f"Edges: {label}. Every precision stores these weights exactly."
    return (
        f"Edges: {label}. Stored as float16, a weight moves by at most {at_most(float16_error)}; "
        f"in 8 bits by at most {at_most(int8_error)}."
    )


@lru_cache(maxsize=1)
def probe_link() -> str:
    """What to send through a tool where pictures cannot tell, and what it is good for (HTML)."""
    return filled(
        '<p class="kd-note">{} <a class="kd-link" download="probe.png" href="{}">'
        "Download a probe picture</a></p>",
        PROBE,
        file_url(probe()),
    )
