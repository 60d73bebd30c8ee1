"""The endpoint /learn: a kernel learned from pictures, step by step."""

from collections.abc import Mapping
from typing import Any, Literal

from kernel_demo.errors import DemoError, finite, one_of, whole
from kernel_demo.imaging import kernels
from kernel_demo.sources.uploads import MAX_FILES
from kernel_demo.ui.api.files import exported, sent
from kernel_demo.ui.components.kept import plain
from kernel_demo.ui.learn import result
from kernel_demo.ui.learn.run import run
from kernel_demo.ui.learn.session import Damage, Experiment, Session
from kernel_demo.ui.learn.settings import BY_NAME, START, most_pictures, most_steps, training
from kernel_demo.ui.pictures import PictureChoice
from kernel_demo.ui.serving.jobs import in_words

MAX_OFFSET = 1.0  # white: far beyond it nothing of an 8-bit file is left
# Parameters that are settings of the page, by the names of their rows in its table.
ROWS = {
    name: name
    for name in (
        "method", "angle", "noise", "optimizer", "learning_rate", "batch", "tile", "accumulation",
        "init", "patience", "channel", "split", "column", "dataset_id",
    )
} | {"order": "seed", "padding": "edges"}  # fmt: skip


# gr.api reads the type of one yielded item from the annotation, hence dict and not Iterator[dict];
# and what it shows of a parameter, from its line below "Args".
def learn(
    kernel: str = "sobel_x",
    size: int = 3,
    seed: int = 0,
    method: Literal["kfac", "adam", "sgd", "exact", "closed_form"] = "kfac",
    steps: int = 200,
    source: Literal["bundled", "hub"] = "bundled",
    images: int = 8,
    dataset_id: str = "",
    pictures: list[str] = (),
    angle: float = 0.0,
    offset: float = 0.0,
    noise: float = 0.0,
    eight_bit: bool = False,
    padding: Literal["zero", "replicate", "reflect", "symmetric", "wrap"] = "reflect",
    optimizer: Literal["kfac", "adam", "sgd", "lbfgs"] = "kfac",
    learning_rate: float = 0.0,
    batch: int = START["batch"],
    tile: int = START["tile"],
    accumulation: int = START["accumulation"],
    init: Literal["normal", "zeros", "uniform", "identity"] = START["init"],
    order: int = START["seed"],
    patience: int = START["patience"],
    mixed_precision: bool = False,
    channel: Literal["luminance", "red", "green", "blue"] = "luminance",
    split: str = "",
    column: str = "",
    files: bool = False,
) -> dict:
    """Learn an image filter from pictures alone, and tell how near to the true one it comes.

    The pictures are filtered by the kernel that you name; a network of one convolution layer then
    sees them before and after, and learns its weights from them. Use it to show how learning goes
    (what a method, noise or 8-bit files do to it); to find an unknown filter, use recover.
    The answer has step, loss (mean squared, white is 1), validation_loss, kernel_error (the largest
    |learned - true| of a weight), kernel (rows of numbers, correlated with the picture and not
    flipped), done, stopped_because (a sentence), seconds and device. A client that streams gets one
    for each stretch of steps; the last one has done = true.

    Args:
        kernel: the true filter: a name such as sobel_x, random, or rows as [[0, -1, 0], ...].
        size: of a named or random kernel, odd, 3 to 31; rows of numbers have their own.
        seed: of a random kernel.
        method: kfac learns every kernel in tens of steps; exact: by the sums over all pixels.
        steps: the most that there will be: up to 5000, of the method exact up to 100000.
        source: of the pictures, where none are given: 8 bundled photos, or a dataset of the Hub.
        images: how many of that source: up to 8 bundled ones, 16 of a dataset.
        dataset_id: on the Hugging Face Hub, owner/name; empty: the first of the page's list.
        pictures: your own to learn from, up to 32: addresses of files uploaded here, or data URLs.
        angle: degrees, 0 to 175, of motion_blur and gabor.
        offset: what the filter adds to each pixel, -1 to 1 (white); it is then learned, too.
        noise: standard deviation of noise on the filtered pictures, 0 to 20 grey levels of 255.
        eight_bit: round and clip the filtered pictures to 8 bits, as files are.
        padding: how a picture goes on beyond its edges, in the files; nothing is learned from it.
        optimizer: of the method exact.
        learning_rate: 0: the method's own, found by a search.
        batch: tiles in a batch, 1 to 256.
        tile: side of a tile in pixels: 16, 32, 64, 128 or 256.
        accumulation: batches per step, 1 to 16.
        init: what the weights are at the start.
        order: seed of the start and of the order of the tiles.
        patience: checks without a lower loss until it stops.
        mixed_precision: bfloat16, on a GPU that has it.
        channel: the grey to learn from, of colour pictures.
        split: of the dataset; empty: found by itself.
        column: of the dataset; empty: found by itself.
        files: also give the kernel as files (JSON, npy, safetensors, ONNX) and as programs.

    Returns:
        the latest progress; its last one also has offset, files and programs, where asked for.
    """
    asked = locals().copy()
    with in_words():
        wanted = _experiment(asked)
        for session in run(Session(experiment=wanted)):
            progress = session.stand
            told = {
                "step": progress.step,
                "loss": plain(progress.loss),
                "validation_loss": plain(progress.validation_loss),
                "kernel_error": plain(progress.kernel_error),
                "kernel": progress.kernel.tolist(),
                "done": progress.done,
                "stopped_because": progress.stopped_because,
                "seconds": progress.seconds,
                "device": progress.device,
            }
            if offset:
                told["offset"] = plain(progress.offset)
            if asked["files"] and progress.done:
                card = result.taken(session, asked["padding"])
                told |= exported([("", card)] if card else [])
            yield told


def _experiment(asked: Mapping[str, Any]) -> Experiment:
    """What a call asks for. DemoError for what cannot be used, by the name of the parameter."""
    size = whole("size", asked["size"], kernels.MIN_SIZE, kernels.MAX_SIZE)
    seed = whole("seed", asked["seed"], 0, kernels.MAX_SEED)
    for name in ("eight_bit", "mixed_precision", "files"):
        one_of(name, asked[name], (False, True))
    values = START | {row: _read(name, row, asked[name]) for name, row in ROWS.items()}
    values["steps"] = whole("steps", asked["steps"], 1, most_steps(values["method"]))
    values["mixed_precision"] = asked["mixed_precision"]
    kernel = asked["kernel"] if isinstance(asked["kernel"], list) else str(asked["kernel"])
    truth = kernels.resolve(kernel, size=size, seed=seed, angle=values["angle"]).values
    offset = finite("offset", asked["offset"], -MAX_OFFSET, MAX_OFFSET)
    return Experiment(
        choice=_choice(asked, values),
        weights=tuple(map(tuple, truth.tolist())),
        damage=Damage(values["noise"], asked["eight_bit"], offset),
        settings=training(values),
    )


def _choice(asked: Mapping[str, Any], values: Mapping[str, Any]) -> PictureChoice:
    """The pictures that a call asks for; a script must not learn from others unawares."""
    source = one_of("source", asked["source"], ("bundled", "hub"))
    images = whole("images", asked["images"], 1, most_pictures(source))
    pictures = asked["pictures"] or ()
    if not pictures:
        found = (values[name] for name in ("dataset_id", "split", "column"))
        return PictureChoice(source, images, *found, channel=values["channel"], strict=True)
    if not isinstance(pictures, (list, tuple)) or len(pictures) > MAX_FILES:
        received = f"{len(pictures)}" if isinstance(pictures, (list, tuple)) else "something else"
        raise DemoError(f"pictures as a list of up to {MAX_FILES} files", received, "Send fewer.")
    if source == "hub":
        received = "pictures, and the source hub"
        raise DemoError("one source of pictures", received, "Leave one of them out.")
    uploaded = tuple(sent(each)[0] for each in pictures)
    return PictureChoice("mine", uploads=uploaded, channel=values["channel"], strict=True)


def _read(name: str, row: str, value: Any) -> Any:
    """A parameter as its row reads it; what is wrong with it is told by its own name."""
    try:
        return BY_NAME[row].read(value)
    except DemoError as told:
        if name.replace("_", " ") in told.expected:
            raise
        raise DemoError(f"{name}: {told.expected}", told.received, told.remedy) from None
