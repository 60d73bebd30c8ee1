"""The settings of the tab "Learn", a row each; its controls, its link and what is learned follow.

A value goes by the name of its setting. What a control allows is said in its row, and once more
only where it hangs on another setting: `sizes`, `most_pictures`, `most_steps`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import gradio as gr
import numpy as np

from kernel_demo.errors import DemoError, finite, odd, one_of, whole
from kernel_demo.imaging import kernels
from kernel_demo.imaging.catalogue import CATALOGUE
from kernel_demo.imaging.filtering import BORDERS, CHANNELS
from kernel_demo.learning.choices import default_rate
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.training import MAX_RATE, MAX_SEED, TrainSettings
from kernel_demo.learning.training import MAX_STEPS as MAX_PATIENCE
from kernel_demo.numbers import short
from kernel_demo.sources import bundled, hub
from kernel_demo.ui.components import kernel_editor
from kernel_demo.ui.components.race_chart import LABELS as RACERS
from kernel_demo.ui.html import square
from kernel_demo.ui.learn.session import Damage, Experiment, Settings
from kernel_demo.ui.pictures import MAX_PICTURES, PictureChoice

FREE_SIZES = tuple(range(3, 16, 2)) + (21, 31)  # for random kernels and those made by hand
START_KERNEL = "sobel_x"
MAX_STEPS, MAX_EXACT_STEPS = 5000, 100_000  # of one run; the second on the exact gradient
MAX_TEXT = 200  # characters in a link: of a dataset id, a split or a column
MAX_MATRIX = 12_000  # of a kernel made by hand: 31 x 31 weights of twelve
TRAINED = TrainSettings()


@dataclass(frozen=True)
class Setting:
    """One row: a control, and its value as it is read and as it stands in an address."""

    name: str  # of what is read
    key: str  # in an address; empty: it stays with its visitor
    value: Any  # at first paint
    control: Callable[[], gr.components.Component]  # makes it inside the current layout
    read: Callable[[Any], Any]  # of the control's value; DemoError for what cannot be used
    parse: Callable[[str], Any]  # of an address; an error for what cannot be used
    write: Callable[[Any], str] = str
    label: str = ""  # what a visitor reads beside the control


def _choice(name, key, label, choices, value, make=gr.Dropdown, kept=(), **look) -> Setting:
    """One of the choices: values, or pairs of (label, value). kept: those that no link may ask."""
    values = [choice[1] if isinstance(choice, tuple) else choice for choice in choices]
    return Setting(
        name, key, value,
        lambda: make(choices, value=value, label=label, **look),
        lambda chosen: one_of(_mid_sentence(label), chosen, values),
        {str(each): each for each in values if each not in kept}.__getitem__,
        label=label,
    )  # fmt: skip


def _number(name, key, label, check, low, high, value, make=gr.Number, empty=None, **look):
    """A number, checked by `whole` or `finite`. empty: what an emptied field stands for."""
    what, kind = _mid_sentence(label), int if check is whole else float
    return Setting(
        name, key, value,
        lambda: make(value=value, label=label, **look),
        lambda given: check(what, empty if given is None else given, low, high),
        lambda text: check(what, kind(text), low, high),
        lambda given: str(int(given)) if float(given).is_integer() else repr(given),  # every digit
        label,
    )  # fmt: skip


def _slider(name, key, label, check, low, high, value, step=1, most=None, **look) -> Setting:
    """most: how far it goes at first paint, where that hangs on another setting."""
    look |= {"minimum": low, "maximum": most or high, "step": step}
    return _number(name, key, label, check, low, high, value, gr.Slider, **look)


def _flag(name, key, label, **look) -> Setting:
    control = lambda: gr.Checkbox(False, label=label, **look)  # noqa: E731
    return Setting(name, key, False, control, bool, {"0": False, "1": True}.__getitem__,
                   lambda on: "1" if on else "0", label)  # fmt: skip


def _text(name, key, value, make, **look) -> Setting:
    control = lambda: make(value=value, **look)  # noqa: E731
    return Setting(name, key, value, control, lambda text: str(text or "").strip(), _plain,
                   label=look["label"])  # fmt: skip


def _plain(text: str) -> str:
    if len(text) > MAX_TEXT or not text.isprintable():
        raise ValueError(text[:20])
    return text


def _grid(name, key, label, values: np.ndarray) -> Setting:
    """A kernel made by hand; in an address, rows such as 1,0,-1;1/2,0,-1/2;1,0,-1.

    Each cell as it was written, with every digit; with six where an address has no room for more.
    """

    def control() -> gr.HTML:
        editor = kernel_editor.component(values, "editor")
        editor.visible = False
        return editor

    def parse(text: str) -> dict:
        if len(text) > MAX_MATRIX:
            raise ValueError("too long")
        rows = [row.split(",") for row in text.split(";")]
        kernels.check([[kernels.number(cell) for cell in row] for row in rows])
        return {"rows": rows}

    def write(editor: Mapping) -> str:
        whole = _rows(editor["rows"])
        if len(whole) <= MAX_MATRIX:
            return whole
        return _rows(
            [[f"{kernels.number(str(cell)):.6g}" for cell in row] for row in editor["rows"]]
        )

    start = kernel_editor.editor_value(values)
    return Setting(name, key, start, control, kernel_editor.read, parse, write, label)


def _rows(rows: Sequence[Sequence]) -> str:
    return ";".join(",".join(map(str, row)) for row in rows)


def _mid_sentence(label: str) -> str:
    return label[0].lower() + label[1:]


def _size(name, key, label) -> Setting:
    """The size of a kernel: which ones, hangs on the kernel."""

    def control() -> gr.Dropdown:
        # Gradio takes any value: what is under way while another kernel is chosen may still have
        # the size of the one before. Nothing can be typed.
        start = square(CATALOGUE[START_KERNEL].sizes)
        made = gr.Dropdown(start, value=3, label=label, allow_custom_value=True, elem_id="size",
                           **_HALF)  # fmt: skip
        made.filterable = False
        return made

    return Setting(
        name, key, 3, control,
        lambda size: odd("size", size or 3, kernels.MIN_SIZE, kernels.MAX_SIZE),
        {str(size): size for size in FREE_SIZES}.__getitem__,
        label=label,
    )  # fmt: skip


def learning_rate(what: str, value: Any, low: float, high: float) -> float:
    """A learning rate; 0 stands for the method's own. DemoError for what is none."""
    try:
        return finite(what, value, low, high)
    except DemoError as other:
        remedy = "Leave it empty for the method's own."
        raise DemoError(f"a {what} above {low:g}, up to {high:g}", other.received, remedy) from None


_FIELD = {"elem_classes": "kd-field"}
_HALF = _FIELD | {"scale": 1, "min_width": 120}  # two share a line
_FOUND = {"placeholder": "empty: found by itself", "max_lines": 1}
_SOURCES = [("Dataset", "hub"), ("Bundled", "bundled"), ("Mine", "mine")]
_DATASETS = [(dataset.label, dataset.id) for dataset in hub.DATASETS]
_CHANNELS = [(channel.capitalize(), channel) for channel in CHANNELS]
_KERNELS = [(named.label, key) for key, named in CATALOGUE.items()]
_KERNELS += [("Random", "random"), ("Your own", "own")]
_BORDERS = [(border.label, name) for name, border in BORDERS.items()]
_OPTIMIZERS = [(RACERS[f"exact_{key}"], key) for key in ("kfac", "adam", "sgd", "lbfgs")]
# A name, and below it what the method does; the first line is set in bold. Under the same names
# they race.
_METHODS = [
    (f"{RACERS['kfac']}\n"
     "Natural gradient: each step is corrected for how alike neighbouring pixels are.", "kfac"),
    (f"{RACERS['adam']}\n"
     "What most people would use. Its loss is soon small; watch the kernel error.", "adam"),
    (f"{RACERS['sgd']}\n"
     "Plain gradients with momentum: quick on the smooth, very slow on the fine.", "sgd"),
    (f"{', '.join(label for label, _ in _OPTIMIZERS).replace(', Exact', ',')}\n"
     "One pass over the pictures; full-batch steps then need only its sums.", "exact"),
    (f"{RACERS['closed_form']}\n"
     "One pass over the pictures, one solve: the best kernel they allow.", "closed_form"),
]  # fmt: skip
_STARTS = [("small random numbers", "normal"), ("zeros", "zeros"),
           ("PyTorch's default", "uniform"), ("the identity", "identity")]  # fmt: skip

# What an empty field stands for, by what makes the steps; {tried} rates at {size}.
OWN_RATE = {
    "kfac": "empty: its own",
    "adam": "empty: best of {tried} tried at {size}",
    "sgd": "empty: no picture makes it diverge",
}

TABLE = (
    # Which pictures: the fields of PictureChoice.
    _choice("source", "source", "Source", _SOURCES, "bundled", gr.Radio, kept=["mine"],
            show_label=False, container=False, elem_classes="kd-segmented", elem_id="source"),
    _slider("count", "n", "How many", whole, 1, MAX_PICTURES, 8, most=bundled.COUNT,
            elem_id="count"),
    _text("dataset_id", "data", hub.DATASETS[0].id, gr.Dropdown, choices=_DATASETS,
          label="Dataset on the Hugging Face Hub",
          info="Choose one, or type any public id: owner/name", allow_custom_value=True,
          filterable=True, visible=False, elem_id="dataset"),
    _text("split", "split", "", gr.Textbox, label="Split", **_FOUND),
    _text("column", "column", "", gr.Textbox, label="Column", **_FOUND),
    Setting("uploads", "", None, lambda: gr.File(
        file_count="multiple", type="filepath", label="Your pictures",
        visible=False, height=134, elem_id="uploads"),
        lambda files: tuple(files or ()), str, label="Your pictures"),
    _choice("channel", "grey", "Grey to learn from", _CHANNELS, "luminance"),
    # Which filter.
    _choice("kernel", "kernel", "Kernel", _KERNELS, START_KERNEL, gr.Radio, show_label=False,
            container=False, elem_id="kernel"),
    _size("size", "size", "Size"),
    _slider("angle", "angle", "Angle, degrees", finite, 0, 175, 0, step=5, visible=False),  # 180: 0
    _number("kernel_seed", "seed", "Seed", whole, 0, kernels.MAX_SEED, 0, empty=0,
            visible=False, elem_id="seed", precision=0, **_FIELD),
    _grid("editor", "own", "The numbers of your own kernel", kernels.named(START_KERNEL).values),
    # What happens to the after pictures: the fields of Damage.
    _slider("noise", "noise", "Noise, grey levels", finite, 0, 20, 0, step=0.5, elem_id="noise"),
    _flag("eight_bit", "bits", "Round and clip to 8 bits, as files are", elem_id="eight-bit"),
    # How to learn: the fields of TrainSettings, or of ExactSettings.
    _choice("method", "method", "Method", _METHODS, TRAINED.method, gr.Radio, show_label=False,
            container=False, elem_id="method"),
    _choice("optimizer", "by", "Exact method", _OPTIMIZERS, "kfac", visible=False,
            elem_id="optimizer", **_FIELD),
    _number("learning_rate", "rate", "Learning rate", learning_rate, 0, MAX_RATE, 0, empty=0,
            placeholder=short(default_rate(TRAINED.method, 3)), info=OWN_RATE["kfac"],
            step=0.001, elem_id="rate"),
    _slider("batch", "batch", "Tiles in a batch", whole, 1, 256, TRAINED.batch),
    _choice("tile", "tile", "Tile side, pixels", (16, 32, 64, 128, 256), TRAINED.tile, **_FIELD),
    _slider("accumulation", "sum", "Batches per step", whole, 1, 16, TRAINED.accumulation),
    _slider("steps", "steps", "Steps", whole, 1, MAX_EXACT_STEPS, TRAINED.steps, most=MAX_STEPS,
            elem_id="steps"),
    _choice("init", "start", "Weights start as", _STARTS, TRAINED.init, **_FIELD),
    _number("seed", "order", "Seed of start and batches", whole, 0, MAX_SEED, TRAINED.seed,
            precision=0, **_FIELD),
    _number("patience", "wait", "Patience, checks without progress", whole, 1, MAX_PATIENCE,
            TRAINED.patience, precision=0, **_FIELD),
    _flag("mixed_precision", "half", "Mixed precision"),
    # How a filter goes on beyond the edge: of no matter to what is learned.
    _choice("edges", "edges", "Edges", _BORDERS, "reflect", elem_id="edges", **_HALF),
)  # fmt: skip
BY_NAME = {setting.name: setting for setting in TABLE}
NAMES = tuple(BY_NAME)
ARRANGING = ("method",)  # what is chosen there decides what steps allow
START = {setting.name: setting.value for setting in TABLE}
# What a visitor reads for a value, by the name of its setting.
LABELS = {
    name: {key: label.partition("\n")[0] for label, key in choices}
    for name, choices in (("kernel", _KERNELS), ("method", _METHODS), ("optimizer", _OPTIMIZERS))
}
# Of a source of pictures: what is read beside it and the channel.
CHOSEN = {"bundled": ("count",), "hub": ("count", "dataset_id", "split", "column"),
          "mine": ("uploads",)}  # fmt: skip


def sizes(kernel: str) -> tuple[int, ...]:
    """The sizes that a kernel comes in."""
    return CATALOGUE[kernel].sizes if kernel in CATALOGUE else FREE_SIZES


def nearest(sizes: Sequence[int], size: int | None) -> int:
    """The size, or the one of these that is nearest to it."""
    return min(sizes, key=lambda other: abs(other - int(size or 3)))


def most_pictures(source: str) -> int:
    """How many pictures a source has at most."""
    return bundled.COUNT if source == "bundled" else MAX_PICTURES


def most_steps(method: str) -> int:
    """How many steps a method may take."""
    return MAX_EXACT_STEPS if method == "exact" else MAX_STEPS


def place(controls: dict, *names: str) -> None:
    """Make the controls of these settings inside the current layout."""
    controls.update({name: BY_NAME[name].control() for name in names})


def named(function: Callable, names: Sequence[str] = NAMES) -> Callable:
    """`function` as gradio calls it: it wants the values of these settings as one dict, at last."""

    def called(*values):
        others = len(values) - len(names)
        return function(*values[:others], dict(zip(names, values[others:], strict=True)))

    return called


def fitting(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values with a size that the kernel has: another kernel may just have been chosen."""
    kernel, size = BY_NAME["kernel"].read(values["kernel"]), values["size"]
    return {**values, "size": nearest(sizes(kernel), size) if kernel in CATALOGUE else size}


def experiment(values: Mapping[str, Any]) -> Experiment:
    """What the page is set to. Raises DemoError for an input that cannot be used."""
    kernel, damage = effect(values)
    return Experiment(
        choice=choice(values),
        weights=tuple(map(tuple, kernel.tolist())),
        damage=damage,
        settings=training(values),
    )


def choice(values: Mapping[str, Any]) -> PictureChoice:
    """The pictures; what does not count for their source is as it is by default."""
    source = BY_NAME["source"].read(values["source"])
    return PictureChoice(source, **_read(values, "channel", *CHOSEN[source]))


def truth(values: Mapping[str, Any]) -> np.ndarray:
    """The true kernel, (k, k) float64."""
    kernel = BY_NAME["kernel"].read(values["kernel"])
    if kernel == "own":
        return BY_NAME["editor"].read(values["editor"])
    if kernel == "random":
        said = _read(values, "size", "kernel_seed")
        return kernels.random(said["size"], said["kernel_seed"]).values
    return kernels.named(kernel, **_read(values, "size", "angle")).values


def effect(values: Mapping[str, Any]) -> tuple[np.ndarray, Damage]:
    """The true kernel, and what else happens to the after pictures."""
    return truth(values), Damage(**_read(values, *_rows_of(Damage)))


def training(values: Mapping[str, Any]) -> Settings:
    """The method and all that it is told."""
    if values["method"] == "closed_form":
        return None
    kind = ExactSettings if values["method"] == "exact" else TrainSettings
    said = _read(values, *_rows_of(kind))
    return kind(**said | {"learning_rate": said["learning_rate"] or None})


def _rows_of(kind: type) -> list[str]:
    """The settings that are fields of a record, by name."""
    return [field.name for field in fields(kind) if field.name in BY_NAME]


def _read(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: BY_NAME[name].read(values[name]) for name in names}
