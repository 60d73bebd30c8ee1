"""The left column of the tab "Learn": three numbered cards, and what they say when read."""

from dataclasses import fields

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging import kernels
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.imaging.filtering import BORDERS
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.training import MAX_RATE, TrainSettings
from kernel_demo.sources import bundled, hub
from kernel_demo.ui.components import kernel_editor
from kernel_demo.ui.learn import words as wording
from kernel_demo.ui.learn.cards import (
    DamageControls,
    FilterControls,
    PictureControls,
    TrainingControls,
)
from kernel_demo.ui.learn.session import Damage, Experiment, PictureChoice, Settings

FREE_SIZES = tuple(range(3, 16, 2)) + (21, 31)  # for random kernels and those made by hand
START_KERNEL = "sobel_x"
MAX_ANGLE = 175  # degrees: 180 is 0 again
MAX_EXACT_STEPS = 100_000  # of one run on the exact gradient
MAX_NOISE = 20  # grey levels
MAX_STEPS = 5000  # of one run on the page or by the endpoint
MAX_BATCH, MAX_ACCUMULATION = 256, 16
TILES = (16, 32, 64, 128, 256)


def start() -> Experiment:
    """What the page is set to at first paint."""
    weights = kernels.named(START_KERNEL).values
    return Experiment(PictureChoice(), tuple(map(tuple, weights)), Damage(), TrainSettings())


def picture_controls() -> PictureControls:
    """Build card 1's inputs inside the current layout."""
    source = gr.Radio(
        wording.SOURCES, value="bundled", show_label=False, container=False,
        elem_classes="kd-segmented", elem_id="source",
    )  # fmt: skip
    dataset_id = gr.Dropdown(
        [(dataset.label, dataset.id) for dataset in hub.DATASETS],
        value=hub.DATASETS[0].id, allow_custom_value=True, filterable=True, visible=False,
        label=wording.DATASET, info=wording.DATASET_INFO, elem_id="dataset",
    )  # fmt: skip
    uploads = gr.File(
        file_count="multiple", type="filepath", label=wording.UPLOAD, visible=False, height=120,
        elem_id="uploads",
    )  # fmt: skip
    count = gr.Slider(1, bundled.COUNT, value=8, step=1, label=wording.COUNT, elem_id="count")
    with gr.Accordion(wording.SPLIT_AND_COLUMN, open=False, elem_classes="kd-fold"):
        channel = gr.Dropdown(wording.CHANNELS, value="luminance", label=wording.CHANNEL)
        with gr.Row():
            split = gr.Textbox("", label="Split", placeholder=wording.SPLIT_INFO, max_lines=1)
            column = gr.Textbox("", label="Column", placeholder=wording.SPLIT_INFO, max_lines=1)
    return PictureControls(source, count, dataset_id, split, column, uploads, channel)


def filter_controls(values: np.ndarray) -> tuple[FilterControls, gr.Dropdown]:
    """Build card 2's inputs: the controls and, apart from them, the border mode."""
    choices = [(named.label, key) for key, named in CATALOGUE.items()]
    choices += [(wording.RANDOM, "random"), (wording.OWN, "own")]
    kernel = gr.Dropdown(
        choices, value=START_KERNEL, label=wording.KERNEL, elem_classes="kd-field", elem_id="kernel"
    )
    size = gr.Dropdown(
        size_choices(CATALOGUE[START_KERNEL].sizes), value=3, label=wording.SIZE,
        elem_classes="kd-field", elem_id="size",
    )  # fmt: skip
    edges = gr.Dropdown(
        border_choices(), value="reflect", label=wording.EDGES, elem_classes="kd-field",
        elem_id="edges",
    )  # fmt: skip
    angle = gr.Slider(0, MAX_ANGLE, value=0, step=5, label=wording.ANGLE, visible=False)
    seed = gr.Number(
        0, label=wording.SEED, precision=0, minimum=0, visible=False, elem_id="seed",
        elem_classes="kd-field",
    )  # fmt: skip
    editor = kernel_editor.component(values, "editor")
    editor.visible = False
    return FilterControls(kernel, size, angle, seed, editor), edges


def damage_controls() -> DamageControls:
    """Build what can happen to the after pictures, folded away."""
    with gr.Accordion(wording.DAMAGE, open=False, elem_classes="kd-fold", elem_id="damage"):
        noise = gr.Slider(0, MAX_NOISE, value=0, step=0.5, label=wording.NOISE, elem_id="noise")
        eight_bit = gr.Checkbox(False, label=wording.EIGHT_BIT, elem_id="eight-bit")
    return DamageControls(noise, eight_bit)


def border_choices() -> list[tuple[str, str]]:
    """The border modes as (label, name)."""
    return [(border.label, name) for name, border in BORDERS.items()]


def size_choices(sizes: tuple[int, ...]) -> list[tuple[str, int]]:
    """Sizes as (label, value)."""
    return [(f"{size} × {size}", size) for size in sizes]


def training_controls() -> TrainingControls:
    """Build card 3's inputs inside the current layout."""
    default = TrainSettings()
    method = gr.Dropdown(
        wording.METHODS, value=default.method, label=wording.METHOD, elem_classes="kd-field",
        elem_id="method",
    )  # fmt: skip
    optimizer = gr.Dropdown(
        wording.OPTIMIZERS, value="kfac", label=wording.OPTIMIZER, elem_classes="kd-field",
        visible=False, elem_id="optimizer",
    )  # fmt: skip
    with gr.Accordion(wording.DETAILS, open=False, elem_classes="kd-fold", elem_id="details"):
        steps = gr.Slider(
            1, MAX_STEPS, value=default.steps, step=1, label=wording.STEPS, elem_id="steps"
        )
        rate = gr.Number(
            0, label=wording.RATE, info=wording.RATE_INFO, minimum=0, maximum=MAX_RATE, step=0.001
        )
        batch = gr.Slider(1, MAX_BATCH, value=default.batch, step=1, label=wording.BATCH)
        tile = gr.Dropdown(TILES, value=default.tile, label=wording.TILE)
        accumulation = gr.Slider(
            1, MAX_ACCUMULATION, value=default.accumulation, step=1, label=wording.ACCUMULATION
        )
        init = gr.Dropdown(wording.STARTS, value=default.init, label=wording.START)
        seed = gr.Number(default.seed, label=wording.START_SEED, precision=0, minimum=0)
        patience = gr.Number(default.patience, label=wording.PATIENCE, precision=0, minimum=1)
        mixed = gr.Checkbox(default.mixed_precision, label=wording.MIXED)
    return TrainingControls(
        method, optimizer, rate, batch, tile, accumulation, steps, init, seed, patience, mixed
    )


def choice(source, count, dataset_id, split, column, uploads, channel) -> PictureChoice:
    """Card 1 as it stands; the arguments are the values of PictureControls."""
    channels = [name for _, name in wording.CHANNELS]
    sources = [name for _, name in wording.SOURCES]
    if source not in sources:
        raise DemoError(f"one of {', '.join(sources)}", repr(source)[:40], "Choose one of them.")
    if channel not in channels:
        raise DemoError(f"one of {', '.join(channels)}", repr(channel)[:40], "Choose one of them.")
    return PictureChoice(
        source=source,
        count=int(count or 1),
        dataset_id=str(dataset_id or "").strip(),
        split=str(split or "").strip(),
        column=str(column or "").strip(),
        uploads=tuple(uploads or ()),
        channel=channel,
    )


def truth(kernel, size, angle, seed, editor) -> np.ndarray:
    """Card 2 as it stands, as a (k, k) float64 kernel; the arguments are FilterControls' values."""
    if kernel == "own":
        return kernel_editor.read(editor)
    return kernels.resolve(
        str(kernel), size=int(size or 3), seed=int(seed or 0), angle=float(angle or 0)
    ).values


def damage(noise, eight_bit) -> Damage:
    """What happens to the after pictures; the arguments are the values of DamageControls."""
    noise = float(noise or 0)
    if not 0 <= noise <= MAX_NOISE:
        expected = f"noise from 0 to {MAX_NOISE} grey levels"
        raise DemoError(expected, f"{noise:g}", "Choose a number in that range.")
    return Damage(noise, bool(eight_bit))


def settings(method, optimizer, *values) -> Settings:
    """Card 3 as it stands; the arguments are the values of TrainingControls, in order."""
    names = [field.name for field in fields(TrainingControls)][2:]
    named = dict(zip(names, values, strict=True))
    rate = named["learning_rate"] or None
    if method == "closed_form":
        return None
    if method == "exact":
        return ExactSettings(optimizer, rate, named["steps"], named["init"], named["seed"])
    return TrainSettings(**{**named, "method": method, "learning_rate": rate})
