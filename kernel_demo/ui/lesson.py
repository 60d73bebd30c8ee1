"""The picture pairs of an experiment: what the learner is shown."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.operators import degrade
from kernel_demo.learning.statistics import Statistics, accumulate
from kernel_demo.ui import pictures
from kernel_demo.ui.session import Experiment


@dataclass(frozen=True, eq=False)
class Lesson:
    """Pictures before and after the true kernel, H x W float32 each."""

    befores: tuple[np.ndarray, ...]
    afters: tuple[np.ndarray, ...]
    masks: tuple[np.ndarray | None, ...]  # False where an after pixel was clipped; None: nowhere

    def pairs(self) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray | None]]:
        """(before, after, mask) of each picture."""
        return zip(self.befores, self.afters, self.masks, strict=True)


def prepare(experiment: Experiment) -> Lesson:
    """Load the pictures, filter them by the true kernel, and damage the results as asked.

    Raises DemoError where there is no picture to be had.
    """
    photos = pictures.gather(experiment.choice).photos
    befores = pictures.grey(photos, experiment.choice.channel)
    afters = [correlate(before, experiment.truth) for before in befores]
    damage = experiment.damage
    if damage.noise or damage.eight_bit:
        damaged = [
            degrade(after, damage.noise, damage.eight_bit, seed)
            for seed, after in enumerate(afters)
        ]
        afters, masks = [list(part) for part in zip(*damaged, strict=True)]
    else:
        masks = [None] * len(afters)
    return Lesson(tuple(befores), tuple(afters), tuple(masks))


def sums(lesson: Lesson, size: int) -> tuple[Statistics, tuple[str, ...]]:
    """The exact sums of a lesson for a kernel of that size, and what was left out and why."""
    return accumulate(lesson.pairs(), size)
