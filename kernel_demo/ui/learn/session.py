"""What one visitor is doing: the experiment, how far it has come, and the pictures that it shows.

The records are frozen: an event gets one, and returns the next. They hold plain values and small
arrays only, never pictures, so that a visitor who leaves costs nothing.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import NamedTuple

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.imaging.filtering import correlate
from kernel_demo.imaging.operators import degrade
from kernel_demo.learning.exact import ExactSettings
from kernel_demo.learning.statistics import Statistics, accumulate, trusted
from kernel_demo.learning.training import Cause, Progress, Stop, TrainSettings
from kernel_demo.sources.decoding import Photo
from kernel_demo.ui.components.kept import Kept, Record
from kernel_demo.ui.pictures import PictureChoice, gather, grey

Settings = TrainSettings | ExactSettings | None  # None: the closed form
MARKED_BYTES = 8 * 2**20  # of one visitor, for steps that a run can be taken up again from


@dataclass(frozen=True)
class Damage:
    """What happens to the after pictures on their way to the learner."""

    noise: float = 0.0  # standard deviation of Gaussian noise, grey levels
    eight_bit: bool = False  # rounded and clipped, as files are
    # What the filter adds to them, before that; white is 1. The page adds nothing: endpoints do.
    offset: float = 0.0


@dataclass(frozen=True)
class Experiment:
    """All that decides what is learned, and how."""

    choice: PictureChoice
    weights: tuple[tuple[float, ...], ...]  # the true kernel, k rows of k
    damage: Damage
    settings: Settings

    @property
    def truth(self) -> np.ndarray:
        """(k, k) float64, the true kernel."""
        return np.array(self.weights)

    @cached_property
    def key(self) -> str:
        """A name that no other experiment has."""
        return _name(self)

    @cached_property
    def lesson(self) -> str:
        """The same of all that decides what the learner is shown."""
        return _name(self.taught)

    @property
    def taught(self) -> tuple[PictureChoice, tuple, Damage]:
        """All that decides what the learner is shown."""
        return self.choice, self.weights, self.damage


def _name(record) -> str:
    """Of a record of plain values: whoever reads it learns nothing of them, as of files' paths."""
    return hashlib.sha256(repr(record).encode()).hexdigest()[:16]


class Mark(NamedTuple):
    """A step that a run can be taken up again from."""

    progress: Progress
    place: int  # among the kept steps
    bytes: int


@dataclass(frozen=True, eq=False)
class Marks:
    """Marks, evenly over the kept steps of a run; bounded in bytes."""

    all: tuple[Mark, ...] = ()
    stride: int = 1

    def add(self, place: int, progress: Progress) -> "Marks":
        """These and one more, unless its place is between two strides; the start needs none."""
        if place == 0 or place % self.stride:
            return self
        marks = replace(self, all=(*self.all, Mark(progress, place, _size(progress))))
        while sum(mark.bytes for mark in marks.all) > MARKED_BYTES:
            stride = 2 * marks.stride
            marks = Marks(tuple(mark for mark in marks.all if mark.place % stride == 0), stride)
        return marks

    def until(self, step: int) -> "Marks":
        """Those up to a step."""
        return replace(self, all=tuple(mark for mark in self.all if mark.progress.step <= step))


@dataclass(frozen=True, eq=False)
class Look:
    """What the stage shows beside the numbers of a run."""

    chips: dict | None = None  # see `showing.look`
    border: str = "reflect"
    piece: dict | None = None  # see `showing.piece`
    picture: int = 0  # which of the pictures learned from it is of


@dataclass(frozen=True)
class Notice:
    """What a link could not set: told as long as the page is set to just what it did set."""

    said: str = ""
    of: str = ""  # the page's address, see `link.address_of`


@dataclass(frozen=True, eq=False)
class Session:
    """One visitor's run, from the click on Learn to its result."""

    number: int = 0  # counts the runs of this visitor: the live view tells them apart by it
    experiment: Experiment | None = None  # its settings have the latest learning rate
    progress: Progress | None = None  # of a kept step: the latest, or the one it paused at
    stand: Progress | None = None  # where computing stands, and goes on from; None: at the start
    kept: Kept | None = None  # what the browser shows: never beyond what was computed
    marks: Marks = Marks()
    rates: tuple[tuple[int, float | None], ...] = ()  # from which step on which rate; None: its own
    extra: int = 0  # steps beyond those of the settings; below 0 where it ended before
    shift: float = 0.0  # seconds to be added to those of `stand`: nothing is counted twice
    goal: int | None = None  # the step at which it is to pause
    filter: str = ""  # what the true kernel was called when the run began
    look: Look = Look()
    notice: Notice = Notice()
    running: bool = False  # or asked for
    waits: bool = False  # asked for, and not begun yet

    @property
    def kernel(self) -> np.ndarray | None:
        """(k, k) as learned so far; None before learning, and after learning diverged."""
        progress = self.progress
        if progress is None or (progress.stop and progress.stop.cause is Cause.DIVERGED):
            return None
        return progress.kernel if np.isfinite(progress.kernel).all() else None

    @property
    def place(self) -> tuple[int, int] | None:
        """Which run it is, and its step; None before the first one."""
        return None if self.progress is None else (self.number, self.progress.step)

    @property
    def most(self) -> int:
        """The last step there will be."""
        settings = self.experiment.settings
        return 1 if settings is None else settings.steps + self.extra

    @property
    def unfinished(self) -> bool:
        """Whether there is a run to go on with."""
        stand = self.stand or self.progress
        return self.progress is not None and not stand.done

    @property
    def paused(self) -> bool:
        """Whether such a run stands still."""
        return self.unfinished and not self.running

    @property
    def at_end(self) -> bool:
        """Whether computing has ended, and its end is in view."""
        done = self.stand is not None and self.stand.done
        return done and self.progress.step == self.kept.steps[-1]

    def still(self) -> "Session":
        """The same, at rest."""
        return replace(self, running=False, waits=False, goal=None)

    def after(self, progress: Progress) -> "Session":
        """The same run with the next Progress of the core; in view is the latest kept step.

        What is computed once more up to the last kept step is nothing new, and costs no seconds.
        """
        kept, shift, last = self.kept, self.shift, self.kept.steps[-1]
        if progress.step == last > 0:
            shift = kept.at(last).seconds - progress.seconds
        told = replace(progress, seconds=progress.seconds + shift)
        kept = kept.add(told, self.experiment.truth, asked=progress.step == self.goal)
        new = kept is not self.kept
        over = progress.done or (self.goal is not None and progress.step >= self.goal)
        return replace(
            self,
            progress=told if new or progress.step == last else self.progress,
            stand=progress,
            kept=kept,
            marks=self.marks.add(len(kept.steps) - 1, progress) if new else self.marks,
            shift=shift,
            goal=None if over else self.goal,
            running=not over,
        )

    def seen(self, step: int) -> "Session":
        """The same run, standing still; in view is what was kept at this step, or before it."""
        record = self.kept.at(step) if self.kept is not None else None
        if record is None or self.progress is None:
            return self.still()
        exact = [one for one in self._known() if one.step == record.step]
        told = replace(exact[0], seconds=record.seconds) if exact else self._read(record)
        return replace(self.still(), progress=told)

    def cut(self, step: int) -> "Session":
        """The same run up to a kept step: what is beyond has not been.

        From there on it learns at the rate of its settings. Computing goes on from the nearest mark
        before that step, and until it has passed the step nothing is new.
        """
        seen = self.seen(step)
        if seen.progress is None:
            return seen
        at = seen.progress.step
        stands = [one for one in self._known() if one.step <= at]
        return replace(
            seen,
            kept=self.kept.until(at),
            marks=self.marks.until(at),
            stand=max(stands, key=lambda one: one.step, default=None),
            rates=self._rates(at),
        )

    def stopped(self) -> "Session":
        """The same run, ended by the visitor at the step in view."""
        if not self.unfinished:
            return self.still()
        ended = replace(self.progress, stop=Stop(Cause.VISITOR))
        return replace(self.cut(ended.step), progress=ended, stand=ended)

    def _known(self) -> list[Progress]:
        """What a run can be taken up again from."""
        stand = [self.stand] if self.stand is not None and self.stand.state else []
        return [*(mark.progress for mark in self.marks.all), *stand]

    def _rates(self, step: int) -> tuple:
        """The rates up to a step, and the one that counts from it on."""
        rate = getattr(self.experiment.settings, "learning_rate", None)
        before = tuple(one for one in self.rates if one[0] < step)
        if before and before[-1][1] == rate:
            return before
        return (*before, (step if before else 0, rate))

    def _read(self, record: Record) -> Progress:
        """What a record tells, as a Progress that nothing goes on from."""
        figures = {name: getattr(record, name) for name in Record._fields if name != "difference"}
        kernel = self.experiment.truth - record.difference
        return replace(
            self.progress, **figures, kernel=kernel, excess_loss=None, stop=None, state={}
        )


def _size(progress: Progress) -> int:
    """About how many bytes it takes."""

    def size(value) -> int:
        if isinstance(value, dict):
            return sum(map(size, value.values()))
        if isinstance(value, (list, tuple)):
            return sum(map(size, value))
        return 64 + getattr(value, "nbytes", 0)

    return 1024 + size(progress.state) + progress.kernel.nbytes


@dataclass(frozen=True, eq=False)
class Shown:
    """What the result, and what can be taken along, were made from."""

    session: Session
    edges: str


@dataclass(frozen=True, eq=False)
class Lesson:
    """What the learner is shown; all arrays are read-only."""

    # Before and after the true kernel, H x W float32 each, and a mask: False where an after pixel
    # is not to be trusted; None: all are.
    pairs: tuple[tuple[np.ndarray, np.ndarray, np.ndarray | None], ...]
    note: str = ""  # what should be said of the pictures; one line
    photos: tuple[Photo, ...] = ()  # as they came

    def __post_init__(self) -> None:
        for array in (array for pair in self.pairs for array in pair if array is not None):
            array.setflags(write=False)  # one lesson serves all visitors who choose it

    def sums(self, size: int) -> tuple[Statistics, tuple[str, ...]]:
        """The exact sums for a kernel of that size, and of which pictures they are not, and why."""
        reasons = [_useless(before, mask, size) for before, _, mask in self.pairs]
        usable = (pair for pair, reason in zip(self.pairs, reasons, strict=True) if not reason)
        statistics, problems = accumulate(usable, size)
        left_out = [
            f"“{photo.name}” was left out: {reason}"
            for photo, reason in zip(self.photos, reasons, strict=True)
            if reason
        ]
        return statistics, (*left_out, *problems)


def _useless(before: np.ndarray, mask: np.ndarray | None, size: int) -> str:
    """Why a picture has too few pixels for sums of a kernel of that size; empty: it has enough."""
    (height, width), edge, least = before.shape, size // 2, size * size + 1
    inside = max(0, height - 2 * edge) * max(0, width - 2 * edge)
    if not inside or (mask is not None and inside < least):
        side = 2 * size if inside else size  # (2 k - 2 r)^2 = (k + 1)^2 pixels are enough
        return (
            f"at least {side} × {side} pixels are needed for a {size} × {size} kernel; "
            f"got {width} × {height}."
        )
    used = inside if mask is None else int(mask[edge : height - edge, edge : width - edge].sum())
    if mask is None or used >= least:
        return ""
    return f"{used} of its filtered pixels lie between black and white, and {least} are needed."


def prepare(experiment: Experiment) -> Lesson:
    """Load the pictures, filter them by the true kernel, and damage the results as asked.

    Raises DemoError where there is no picture to be had.
    """
    # The bundled photos are the same for everybody, and small; others' pictures are not kept.
    bundled = experiment.choice.source == "bundled"
    return (_prepare_bundled if bundled else _prepare)(*experiment.taught)


def _prepare(choice: PictureChoice, weights: tuple, damage: Damage) -> Lesson:
    truth = np.array(weights)
    gathered = gather(choice)
    befores = grey(gathered.photos, choice.channel)
    afters = [correlate(before, truth, offset=damage.offset) for before in befores]
    masks = [None] * len(afters)
    if damage.noise or damage.eight_bit:
        damaged = [
            degrade(after, damage.noise, damage.eight_bit, seed)
            for seed, after in enumerate(afters)
        ]
        afters, masks = (list(part) for part in zip(*damaged, strict=True))
    if damage.eight_bit:
        masks = trusted(befores, afters, masks, len(truth), bool(damage.offset))
    pairs = tuple(zip(befores, afters, masks, strict=True))
    if choice.strict and choice.uploads:
        _check_each(gathered.photos, pairs, len(truth))
    return Lesson(pairs, gathered.note, gathered.photos)


def _check_each(photos: tuple[Photo, ...], pairs: tuple, size: int) -> None:
    """DemoError for a picture that nothing would be learned from, unawares."""
    for photo, (before, _, mask) in zip(photos, pairs, strict=True):
        if reason := _useless(before, mask, size):
            received = f"“{photo.name}”: {reason.rstrip('.')}"
            raise DemoError("pictures with enough pixels", received, "Leave it out.")


_prepare_bundled = lru_cache(maxsize=4)(_prepare)
