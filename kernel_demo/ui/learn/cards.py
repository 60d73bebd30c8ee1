"""What the tab "Learn" is made of: its components, card by card."""

from dataclasses import dataclass, fields

import gradio as gr


@dataclass(frozen=True)
class PictureControls:
    """Card 1. The order of the fields is the order of the arguments of `choice`."""

    source: gr.Radio
    count: gr.Slider
    dataset_id: gr.Dropdown
    split: gr.Textbox
    column: gr.Textbox
    uploads: gr.File
    channel: gr.Dropdown


@dataclass(frozen=True)
class FilterControls:
    """Card 2. The order of the fields is the order of the arguments of `truth`."""

    kernel: gr.Dropdown
    size: gr.Dropdown
    angle: gr.Slider
    seed: gr.Number
    editor: gr.HTML


@dataclass(frozen=True)
class DamageControls:
    """What happens to the after pictures, folded away in card 2."""

    noise: gr.Slider
    eight_bit: gr.Checkbox


@dataclass(frozen=True)
class TrainingControls:
    """Card 3. The names of the fields after the second are those of TrainSettings."""

    method: gr.Dropdown
    optimizer: gr.Dropdown
    learning_rate: gr.Number
    batch: gr.Slider
    tile: gr.Dropdown
    accumulation: gr.Slider
    steps: gr.Slider
    init: gr.Dropdown
    seed: gr.Number
    patience: gr.Number
    mixed_precision: gr.Checkbox


def components(controls: object) -> list:
    """The components of one of the records above, in order."""
    return [getattr(controls, field.name) for field in fields(controls)]


@dataclass(frozen=True)
class PictureCard:
    """Card 1."""

    controls: PictureControls
    load: gr.Button
    gallery: gr.HTML
    notice: gr.HTML


@dataclass(frozen=True)
class FilterCard:
    """Card 2."""

    controls: FilterControls
    damage: DamageControls
    edges: gr.Dropdown
    random: gr.Button
    edit: gr.Button
    paste: gr.Accordion
    text: gr.Textbox
    divisor: gr.Number
    use: gr.Button
    problem: gr.HTML
    purpose: gr.HTML


@dataclass(frozen=True)
class LearnCard:
    """Card 3. Learn, Pause and Resume share one place."""

    controls: TrainingControls
    purpose: gr.HTML
    learn: gr.Button
    pause: gr.Button
    resume: gr.Button
    step: gr.Button
    stop: gr.Button
    copy: gr.Button


@dataclass(frozen=True)
class Stage:
    """The right column, and the session behind it."""

    session: gr.State
    live: gr.HTML
    picture: gr.Dropdown
    try_own: gr.UploadButton
    own_path: gr.State
    empty: gr.HTML
    result: gr.HTML
    certificate: gr.HTML
