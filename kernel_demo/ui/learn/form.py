"""All inputs that decide what is learned, read together."""

from dataclasses import fields
from itertools import islice

from kernel_demo.ui.learn import settings as learn_controls
from kernel_demo.ui.learn.cards import (
    DamageControls,
    FilterCard,
    FilterControls,
    LearnCard,
    PictureCard,
    PictureControls,
    TrainingControls,
    components,
)
from kernel_demo.ui.learn.session import Experiment

RECORDS = (PictureControls, FilterControls, DamageControls, TrainingControls)


def inputs(pictures: PictureCard, filters: FilterCard, training: LearnCard) -> list:
    """The components, in the order that `experiment` takes their values."""
    records = (pictures.controls, filters.controls, filters.damage, training.controls)
    return [component for record in records for component in components(record)]


def experiment(*values) -> Experiment:
    """What the page is set to. Raises DemoError for an input that cannot be used."""
    rest = iter(values)
    choice, truth, damage, settings = (
        tuple(islice(rest, len(fields(record)))) for record in RECORDS
    )
    return Experiment(
        choice=learn_controls.choice(*choice),
        weights=tuple(map(tuple, learn_controls.truth(*truth).tolist())),
        damage=learn_controls.damage(*damage),
        settings=learn_controls.settings(*settings),
    )
