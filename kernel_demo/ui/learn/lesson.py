"""The picture pairs of an experiment: what the learner is shown, and their exact sums."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.operators import degrade
from kernel_demo.learning.statistics import Statistics, accumulate, trusted
from kernel_demo.ui import pictures
from kernel_demo.ui.learn.session import Damage, Experiment, PictureChoice


@dataclass(frozen=True, eq=False)
class Lesson:
    """Pictures before and after the true kernel, H x W float32 each; all arrays are read-only."""

    befores: tuple[np.ndarray, ...]
    afters: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray | None, ...]  # False where an after pixel is not to be trusted
    note: str = ""  # what should be said of the pictures; one line

    def __post_init__(self) -> None:
        for array in (*self.befores, *self.afters, *self.masks):
            if array is not None:
                array.setflags(write=False)  # one lesson serves all visitors who choose it

    def pairs(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
        """(before, after, mask) of each picture."""
        return zip(self.befores, self.afters, self.masks, strict=True)


def prepare(experiment: Experiment) -> Lesson:
    """Load the pictures, filter them by the true kernel, and damage the results as asked.

    Raises DemoError where there is no picture to be had.
    """
    taught = (experiment.choice, experiment.weights, experiment.damage)
    # The bundled photos are the same for everybody, and small; others' pictures are not kept.
    return (_prepare_bundled if experiment.choice.source == "bundled" else _prepare)(*taught)


def sums(lesson: Lesson, size: int) -> tuple[Statistics, tuple[str, ...]]:
    """The exact sums of a lesson for a kernel of that size, and what must be said of them."""
    statistics, problems = accumulate(lesson.pairs(), size)
    return statistics, (*filter(None, [lesson.note]), *problems)


def _prepare(choice: PictureChoice, weights: tuple, damage: Damage) -> Lesson:
    truth = np.array(weights)
    gathered = pictures.gather(choice)
    befores = pictures.grey(gathered.photos, choice.channel)
    afters = [correlate(before, truth) for before in befores]
    masks = [None] * len(afters)
    if damage.noise or damage.eight_bit:
        damaged = [
            degrade(after, damage.noise, damage.eight_bit, seed)
            for seed, after in enumerate(afters)
        ]
        afters, masks = (list(part) for part in zip(*damaged, strict=True))
    if damage.eight_bit:
        masks = trusted(befores, afters, masks, len(truth))
    return Lesson(tuple(befores), tuple(afters), tuple(masks), gathered.note)


_prepare_bundled = lru_cache(maxsize=4)(_prepare)
