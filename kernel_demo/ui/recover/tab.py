"""The tab "Recover": a picture before and after on the left; which filter it was on the right."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from kernel_demo.ui.components import comparison, take
from kernel_demo.ui.components.freshness import Freshness
from kernel_demo.ui.html import block, quiet, step_title, title
from kernel_demo.ui.recover import events, finding
from kernel_demo.ui.recover.pairs import AFTER, BEFORE

TAB = "Recover"
PAIR_INFO = "The same picture twice: as it was, and as the tool, camera or code made it."
SEVERAL = "Several pairs of one filter are welcome: they are matched in order."
STALE = (
    "This was found in another pair, or up to another largest size. Press “Recover the filter” "
    "to look again."
)
VIEWS = [("After and reproduced", "reproduced"), ("Before and after", "pair")]
SIZES = (3, 5, 7, 9, 11, 15, 21, 31)
SESSION_SECONDS = 3600  # how long the small state of a visitor who left is kept
FOLDER = Path(__file__).resolve().parents[3] / "examples" / "recover"
COMMANDS = FOLDER / "COMMANDS.md"


@dataclass(frozen=True)
class Example:
    """A pair made by a real tool."""

    name: str  # "Pillow: emboss"
    command: str  # that made it
    before: Path
    after: Path

    def files(self) -> tuple[list[str], list[str]]:
        """Both files in gradio's own cache, from where it may show them: values of gr.File."""
        return tuple(
            [save_bytes_to_cache(path.read_bytes(), path.name, cache_dir=get_upload_folder())]
            for path in (self.before, self.after)
        )


@cache
def examples() -> tuple[Example, ...]:
    """Those that COMMANDS.md lists as `| before | after | name | command |` and that are there."""
    if not COMMANDS.is_file():
        return ()
    found = []
    for line in COMMANDS.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip().strip("`") for cell in line.strip().strip("|").split(" | ")]
        if len(cells) != 4:
            continue
        before, after = FOLDER / cells[0], FOLDER / cells[1]
        if before.is_file() and after.is_file():
            found.append(Example(cells[2], cells[3], before, after))
    return tuple(found)


@dataclass(frozen=True)
class Parts:
    """The components of the tab."""

    # The left column.
    before: gr.File
    after: gr.File
    chosen: gr.HTML
    max_size: gr.Dropdown
    recover: gr.Button
    progress: gr.HTML
    refused: gr.State  # the files that cannot be used, once Recover has said so
    # The right column, and what a visitor can take from it.
    state: gr.State  # of the latest finding, an `events.Found`
    made: gr.State  # what it was made from, as `events.made_from` has it
    fresh: Freshness
    verdict: gr.HTML
    kernel_card: gr.Column
    kernel: gr.HTML
    picture_card: gr.Column
    views: gr.Radio
    reproduced: gr.HTML
    pair: gr.HTML
    lost: gr.HTML
    which: gr.Dropdown
    take: gr.HTML
    examples: tuple[tuple[gr.Button, Example], ...]


def build() -> None:
    """Lay the tab out and connect its events; call inside a gr.Tab."""
    with gr.Row(elem_classes="kd-columns", equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="kd-left"):
            asked = _pair_cards()
        with gr.Column(scale=7, min_width=320, elem_classes="kd-right"):
            found = _finding_cards()
    events.connect(Parts(**asked, **found))


def _pair_cards() -> dict:
    with gr.Column(elem_classes="kd-card"):
        block(step_title(1, "Before and after") + quiet(PAIR_INFO))
        with gr.Row(elem_classes="kd-drops"):
            before, after = _drop(BEFORE), _drop(AFTER)
        chosen = block("", "recover-chosen")
        block(take.probe_link())
    with gr.Column(elem_classes="kd-card"):
        block(step_title(2, TAB))
        max_size = gr.Dropdown(
            [(f"{size} × {size}", size) for size in SIZES], value=15, label="Largest size",
            elem_classes="kd-field", elem_id="recover-size",
        )  # fmt: skip
        recover = gr.Button("Recover the filter", variant="primary", elem_id="recover")
        progress = block(quiet(SEVERAL), "recover-progress")
    return {
        "before": before, "after": after, "chosen": chosen, "max_size": max_size,
        "recover": recover, "progress": progress, "refused": gr.State(None),
    }  # fmt: skip


def _drop(label: str) -> gr.File:
    return gr.File(
        file_count="multiple", type="filepath", label=label, height=86, min_width=120,
        allow_reordering=True, elem_id=f"recover-{label.lower()}", elem_classes="kd-drop",
    )  # fmt: skip


def _finding_cards() -> dict:
    results = ["recover-verdict", "recover-kernel", "recover-pictures", "recover-which"]
    fresh = Freshness("recover-stale", results, ["recover-take"], STALE)
    verdict = block(finding.empty(), "recover-verdict", spoken=True)
    with gr.Column(elem_classes="kd-card", visible=False, elem_id="recover-kernel") as kernel_card:
        kernel = block("")
    with gr.Column(elem_classes="kd-card", visible=False, elem_id="recover-pictures") as pictures:
        block(title("How well it explains the picture"))
        views = gr.Radio(
            VIEWS, value="reproduced", show_label=False, container=False,
            elem_classes="kd-segmented", elem_id="recover-views",
        )  # fmt: skip
        reproduced = comparison.component("recover-reproduced")
        pair = comparison.component("recover-pair")
        pair.visible = False
        lost = block("", "recover-lost", spoken=True)
    which = gr.Dropdown(
        [], label="Kernel to take", visible=False, elem_classes="kd-field", elem_id="recover-which"
    )
    return {
        "state": gr.State(None, time_to_live=SESSION_SECONDS), "made": gr.State(None),
        "fresh": fresh, "verdict": verdict, "kernel_card": kernel_card, "kernel": kernel,
        "picture_card": pictures, "views": views, "reproduced": reproduced, "pair": pair,
        "lost": lost, "which": which, "take": take.component("recover-take"),
        "examples": _example_buttons(),
    }  # fmt: skip


def _example_buttons() -> tuple[tuple[gr.Button, Example], ...]:
    if not examples():
        return ()
    with gr.Column(elem_classes="kd-card"):
        block(title("Try one that a real tool made"))
        with gr.Column(elem_classes="kd-examples"):
            return tuple(
                (gr.Button(f"{one.name}\n{one.command}", elem_classes="kd-example"), one)
                for one in examples()
            )
