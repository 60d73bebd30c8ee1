"""The tab "Recover": a picture before and after on the left; which filter it was on the right."""

from dataclasses import dataclass

import gradio as gr

from kernel_demo.ui.components import comparison as result_view
from kernel_demo.ui.components import take as take_card
from kernel_demo.ui.html import block, quiet, step_title, title
from kernel_demo.ui.recover import events as recover_events
from kernel_demo.ui.recover import examples as recover_examples
from kernel_demo.ui.recover import finding as recover_view
from kernel_demo.ui.recover import words as wording

SIZES = (3, 5, 7, 9, 11, 15, 21, 31)
SESSION_SECONDS = 3600  # how long the small state of a visitor who left is kept


@dataclass(frozen=True)
class PairCard:
    """The left column."""

    before: gr.File
    after: gr.File
    chosen: gr.HTML
    max_size: gr.Dropdown
    recover: gr.Button
    progress: gr.HTML


@dataclass(frozen=True)
class FindingCards:
    """The right column, and what a visitor can take from it."""

    state: gr.State
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
    examples: tuple[gr.Button, ...]


def build() -> None:
    """Lay the tab out and connect its events; call inside a gr.Tab."""
    with gr.Row(elem_classes="kd-columns", equal_height=False):
        with gr.Column(scale=3, min_width=300, elem_classes="kd-left"):
            pair_card = _pair_card()
        with gr.Column(scale=7, min_width=320, elem_classes="kd-right"):
            finding = _finding()
    recover_events.connect(pair_card, finding)


def _pair_card() -> PairCard:
    with gr.Column(elem_classes="kd-card"):
        block(step_title(1, wording.PAIR) + quiet(wording.PAIR_INFO))
        with gr.Row(elem_classes="kd-drops"):
            before, after = _drop(wording.BEFORE), _drop(wording.AFTER)
        chosen = block("", "recover-chosen")
        block(take_card.probe_link())
    with gr.Column(elem_classes="kd-card"):
        block(step_title(2, wording.TAB))
        max_size = gr.Dropdown(
            [(f"{size} × {size}", size) for size in SIZES], value=15, label=wording.LARGEST,
            elem_classes="kd-field", elem_id="recover-size",
        )  # fmt: skip
        recover = gr.Button(wording.RECOVER, variant="primary", elem_id="recover")
        progress = block(quiet(wording.SEVERAL), "recover-progress")
    return PairCard(before, after, chosen, max_size, recover, progress)


def _drop(label: str) -> gr.File:
    return gr.File(
        file_count="multiple", type="filepath", label=label, height=86, min_width=120,
        allow_reordering=True, elem_id=f"recover-{label.lower()}", elem_classes="kd-drop",
    )  # fmt: skip


def _examples() -> tuple[gr.Button, ...]:
    found = recover_examples.examples()
    if not found:
        return ()
    with gr.Column(elem_classes="kd-card"):
        block(title(wording.EXAMPLES))
        with gr.Column(elem_classes="kd-examples"):
            return tuple(
                gr.Button(f"{example.name}\n{example.command}", elem_classes="kd-example")
                for example in found
            )


def _finding() -> FindingCards:
    state = gr.State(None, time_to_live=SESSION_SECONDS)
    verdict = block(recover_view.empty(), "recover-verdict", spoken=True)
    with gr.Column(elem_classes="kd-card", visible=False, elem_id="recover-kernel") as kernel_card:
        kernel = block("")
    with gr.Column(elem_classes="kd-card", visible=False, elem_id="recover-pictures") as pictures:
        block(title(wording.PICTURES))
        views = gr.Radio(
            wording.VIEWS, value="reproduced", show_label=False, container=False,
            elem_classes="kd-segmented", elem_id="recover-views",
        )  # fmt: skip
        reproduced = result_view.component(elem_id="recover-reproduced")
        pair = result_view.component(elem_id="recover-pair")
        pair.visible = False
        lost = block("", "recover-lost", spoken=True)
    which = gr.Dropdown(
        [], label=wording.WHICH, visible=False, elem_classes="kd-field", elem_id="recover-which"
    )
    take = take_card.component("recover-take")
    return FindingCards(
        state, verdict, kernel_card, kernel, pictures, views, reproduced, pair, lost, which, take,
        _examples(),
    )  # fmt: skip
