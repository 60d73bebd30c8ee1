"""The tab "Recover": a picture before and after on the left; which filter it was on the right."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from kernel_demo.sources import bundled
from kernel_demo.ui.components import capture, comparison, take
from kernel_demo.ui.components.freshness import Freshness
from kernel_demo.ui.html import (
    block,
    dropdown,
    each,
    filled,
    joined,
    quiet,
    segmented,
    square,
    step_title,
    title,
    upload_field,
)
from kernel_demo.ui.landing import EXAMPLE, RUN, Found, Place
from kernel_demo.ui.recover import events, finding
from kernel_demo.ui.recover.pairs import AFTER, BEFORE

TAB = "Recover"
PAIR_INFO = "The same picture twice: as it was, and as the tool, camera or code made it."
ANEW = "Take these away"
PROBE = "No good picture at hand?"
STALE = (
    "This was found in another pair, or up to another largest size. With both pictures here, "
    "“Recover the filter” looks again."
)
VIEWS = [("After and reproduced", "reproduced"), ("Before and after", "pair")]
SIZES = (3, 5, 7, 9, 11, 15, 21, 31)
SESSION_SECONDS = 3600  # how long the small state of a visitor who left is kept
FOLDER = bundled.FOLDER / "recover"
LINKS = "Copy a link to one of them"
EXAMPLE_LINK = '<a class="kd-link kd-share" href="?{}={}&amp;{}=1">{}</a> '
FOLDED = '<details class="kd-details"><summary>{}</summary>{}</details>'
COMMANDS = FOLDER / "COMMANDS.md"


@dataclass(frozen=True)
class Example:
    """A pair made by a real tool."""

    name: str  # "Pillow: emboss"
    command: str  # that made it
    before: Path
    after: Path

    @property
    def key(self) -> str:
        """Its name in a link: that of the file after."""
        return self.after.stem

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


class Tab:
    """The components of the tab; made inside a gr.Tab, it is laid out and connected."""

    def __init__(self) -> None:
        with gr.Row(elem_classes="kd-columns", equal_height=False):
            with gr.Column(scale=3, min_width=300, elem_classes="kd-left"):
                self._pair_cards()
            with gr.Column(scale=7, min_width=320, elem_classes="kd-right"):
                self._finding_cards()
        events.connect(self)

    def _pair_cards(self) -> None:
        with gr.Column(elem_classes="kd-card"):
            block(step_title(1, "Before and after") + quiet(PAIR_INFO))
            with gr.Row(elem_classes="kd-drops"):
                self.before, self.after = _drop(BEFORE), _drop(AFTER)
            capture.component("recover-capture", FIELDS, several=False, camera=False)
            self.chosen = block("", "recover-chosen")
            self.anew = gr.Button(ANEW, size="sm", elem_id="recover-anew", visible=False)
            block(_folded(PROBE, take.probe_link()))
        with gr.Column(elem_classes="kd-card"):
            block(step_title(2, TAB))
            self.max_size = dropdown(square(SIZES), "Largest size", "recover-size", value=15)
            self.recover = gr.Button("Recover the filter", variant="primary", elem_id="recover")
            self.progress = block(quiet(events.SEVERAL), "recover-progress")
        self.searching = gr.State(False)  # what stands there meanwhile is about to change
        self.refused = gr.State(None)  # the files that cannot be used, once Recover has said so

    def _finding_cards(self) -> None:
        results = ["recover-verdict", "recover-kernel", "recover-pictures", "recover-which"]
        self.fresh = Freshness("recover-stale", results, ["recover-take"], STALE)
        self.verdict = block(finding.empty(), "recover-verdict", spoken=True)
        hidden = {"elem_classes": "kd-card", "visible": False}
        with gr.Column(elem_id="recover-kernel", **hidden) as self.kernel_card:
            self.kernel = block("")
        with gr.Column(elem_id="recover-pictures", **hidden) as self.picture_card:
            block(title("How well it explains the picture"))
            self.views = segmented(VIEWS, "Which pictures", "recover-views")
            self.reproduced = comparison.component("recover-reproduced")
            self.pair = comparison.component("recover-pair")
            self.pair.visible = False
            self.lost = block("", "recover-lost", spoken=True)
        self.which = dropdown([], "Kernel to take", "recover-which", visible=False)
        # Of the latest finding, an `events.Found`; and what that was made from.
        self.state, self.made = gr.State(None, time_to_live=SESSION_SECONDS), gr.State(None)
        self.take = take.component("recover-take")
        self.examples = _example_buttons()
        self.place = Place(EXAMPLE, "recover", "an example", "camera_emboss", find)


def find(asked: str) -> Found | None:
    """The example that a link names by the file that its tool made."""
    for one in examples():
        if one.key == asked:
            about = f"Before and after {one.name}: which filter was it, and how sure is that?"
            press = f"example-{asked}"
            return Found(press, press, f"Recover the filter: {one.name}", about)
    return None


def breakable(command: str) -> str:
    """The command with its lines broken between words alone, at brackets and before a method."""
    parted = re.sub(r"(?<=\()(?=\S)|(?<=\))(?=\.)", "\u200b", command)  # a place to break
    return re.sub(r"(?<=-)(?=\w)", "\u2060", parted)  # no place to break


def _field(label: str) -> str:
    return f"recover-{label.lower()}"


FIELDS = (_field(BEFORE), _field(AFTER))


def _drop(label: str) -> gr.File:
    return upload_field(
        label, _field(label), height=86, min_width=120, allow_reordering=True,
        elem_classes="kd-drop",
    )  # fmt: skip


def _example_buttons() -> tuple[tuple[gr.Button, Example], ...]:
    if not examples():
        return ()
    with gr.Column(elem_classes="kd-card"):
        block(title("Try one that a real tool made"))
        with gr.Column(elem_classes="kd-examples"):
            made = tuple((_example_button(one), one) for one in examples())
        links = each(EXAMPLE_LINK, ((EXAMPLE, one.key, RUN, one.name) for one in examples()))
        block(_folded(LINKS, links))
    return made


def _folded(summary: str, html: str) -> str:
    return filled(FOLDED, summary, joined([html]))


def _example_button(one: Example) -> gr.Button:
    text = f"{one.name}\n{breakable(one.command)}"
    return gr.Button(text, elem_classes="kd-example", elem_id=f"example-{one.key}")
