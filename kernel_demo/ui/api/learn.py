"""The endpoint /learn: a kernel learned from pictures, step by step."""

from kernel_demo.errors import one_of, whole
from kernel_demo.imaging import kernels
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.training import TrainSettings
from kernel_demo.ui import pictures
from kernel_demo.ui.components.kept import plain
from kernel_demo.ui.jobs import in_words
from kernel_demo.ui.learn.run import run
from kernel_demo.ui.learn.session import Damage, Experiment, Session, Settings
from kernel_demo.ui.learn.settings import MAX_STEPS, most_pictures
from kernel_demo.ui.pictures import PictureChoice


# gr.api reads the type of one yielded item from the annotation, hence dict and not Iterator[dict].
def learn(
    kernel: str = "sobel_x",
    size: int = 3,
    seed: int = 0,
    method: str = "kfac",
    steps: int = 200,
    source: str = "bundled",
    images: int = 8,
    dataset_id: str = "",
) -> dict:
    """Learn a kernel from pictures and yield the progress.

    method: "kfac", "adam", "sgd", "exact" (K-FAC on the exact gradient) or "closed_form".
    kernel: a name from the catalogue, "random", or a JSON matrix (its own size then counts).
    source: "bundled", or "hub" with a dataset_id (empty: the first of the page's list); an error
    says why where its pictures cannot be had.
    """
    with in_words():
        size = whole("size", size, kernels.MIN_SIZE, kernels.MAX_SIZE)
        seed = whole("seed", seed, 0, kernels.MAX_SEED)
        steps = whole("steps", steps, 1, MAX_STEPS)
        source = one_of("source", source, ("bundled", "hub"))
        images = whole("images", images, 1, most_pictures(source))
        truth = kernels.resolve(str(kernel), size=size, seed=seed).values
        wanted = Experiment(
            choice=PictureChoice(source=source, count=images, dataset_id=str(dataset_id)),
            weights=tuple(map(tuple, truth.tolist())),
            damage=Damage(),
            settings=_settings(method, steps),
        )
        if source == "hub":
            pictures.from_hub(wanted.choice)  # a script must not learn from others unawares
        for latest in run(Session(experiment=wanted)):
            progress = latest.stand
            yield {
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


def _settings(method: str, steps: int) -> Settings:
    if method == "closed_form":
        return None
    return ExactSettings(steps=steps) if method == "exact" else TrainSettings(method, steps=steps)
