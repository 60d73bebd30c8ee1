"""A shard -> its sums: a pure function, and the small file that they are kept in."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import chain, islice
from zipfile import BadZipFile

import numpy as np

from kernel_demo.dataset import planes
from kernel_demo.dataset.planes import Plane, Prediction
from kernel_demo.dataset.reference import Reference, reference
from kernel_demo.dataset.settings import Settings
from kernel_demo.dataset.totals import Array, Total, length, packed
from kernel_demo.errors import DemoError
from kernel_demo.learning.statistics import Statistics
from kernel_demo.sources.members import Sample, members
from kernel_demo.sources.shards import Fault, Shard

OWN = ("counts", "own", "kernels", "each", "agreed", "odd", "apart")  # arrays of single pictures
NAMED = 100  # faults that are named; the others are counted


@dataclass(frozen=True, eq=False)
class ShardSums:
    """What one shard leaves, and all that is ever sent of it."""

    size: int  # k
    total: Total
    peak: float  # white: 255 or 65535; 0 of no picture
    whole: bool  # whether all sums are whole numbers, and exact
    pictures: int  # used
    pixels: int  # used
    clipped: int  # pixels that may have been clipped, and are not used
    left_out: int  # pictures
    faults: tuple[Fault, ...]  # the first of those left out
    names: tuple[str, ...] = ()  # of the pictures used, where their own sums are kept
    counts: Array = field(default_factory=lambda: np.zeros(0))  # (pictures,) pixels of each
    own: Array = field(default_factory=lambda: np.zeros(0))  # squared error of each's own kernel
    # (pictures, k*k + 1): each's own kernel and offset, NaN where it does not tell.
    kernels: Array = field(default_factory=lambda: np.zeros((0, 1)))
    # (pictures, length(k)): the sums of each; or, of larger kernels, (pictures, 1): the squared
    # error of the kernel that the shard's first pictures have in common, NaN where they have none.
    each: Array = field(default_factory=lambda: np.zeros((0, 0)))
    # Of larger kernels: that kernel and its offset (k*k + 1,), empty where there is none; which
    # pictures contradict those (pictures,), 0 or 1; and their sums (2, length(k)), high and low.
    agreed: Array = field(default_factory=lambda: np.zeros(0))
    odd: Array = field(default_factory=lambda: np.zeros(0))
    apart: Array = field(default_factory=lambda: np.zeros((0, 0)))

    @property
    def kept(self) -> Total:
        """The sums of those pictures that do not contradict the first ones."""
        return self.total + -Total(*self.apart) if len(self.apart) else self.total

    def to_bytes(self) -> bytes:
        """As a .npz file."""
        told = {
            "size": self.size, "peak": self.peak, "whole": self.whole, "pictures": self.pictures,
            "pixels": self.pixels, "clipped": self.clipped, "left_out": self.left_out,
            "faults": [[fault.name, fault.reason] for fault in self.faults], "names": self.names,
        }  # fmt: skip
        file = io.BytesIO()
        np.savez_compressed(
            file,
            told=np.frombuffer(json.dumps(told).encode(), np.uint8),
            high=self.total.high, low=self.total.low,
            **{name: getattr(self, name) for name in OWN},
        )  # fmt: skip
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> ShardSums:
        """What to_bytes() wrote. ValueError for anything else, such as half a file."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as held:
                arrays = {name: held[name] for name in held.files}
            told = json.loads(arrays["told"].tobytes())
            faults = tuple(Fault(*fault) for fault in told.pop("faults"))
            names = tuple(told.pop("names"))
            total = Total(arrays["high"], arrays["low"])
            if len(total.high) != length(told["size"]):
                raise ValueError("sums of another size")
            own = {name: arrays[name] for name in OWN}
            return cls(total=total, faults=faults, names=names, **told, **own)
        except (BadZipFile, KeyError, TypeError, EOFError, OSError, ValueError) as error:
            raise ValueError(f"no file of sums: {error}") from None


def sum_shard(
    shard: Shard, settings: Settings, seen: Callable[[int], None] = lambda pixels: None
) -> ShardSums:
    """The sums of all pictures of a shard, in its own order.

    seen: told the pixels of each picture that was read. OSError where the shard cannot be read; a
    picture that cannot is counted and named.
    """
    gathered = _Gathering(settings)
    pairs = _read(shard, settings, seen, gathered.leave_out)
    # What a filter of ours makes is neither rounded nor clipped: it needs no prediction.
    first = [] if settings.weights else list(islice(pairs, planes.GUESSED))
    guess = planes.prediction([plane for _, pair in first for plane in pair], settings.size)
    for name, pair in chain(first, pairs):
        gathered.take(name, pair, guess)
    return gathered.result(guess)


def _read(
    shard: Shard, settings: Settings, seen: Callable[[int], None], fault: Callable[[Fault], None]
) -> Iterator[tuple[str, list[Plane]]]:
    """The pictures of a shard as planes, by name; what cannot be one is told to `fault`."""
    for item in members(shard, settings.wanted):
        if isinstance(item, Fault):
            fault(item)
            continue
        assert isinstance(item, Sample)
        try:
            pair = planes.planes(item, settings)
        except DemoError as error:
            fault(Fault(item.name, _reason(error)))
        else:
            seen(sum(plane.before.size for plane in pair))
            yield item.name, pair


def _reason(error: DemoError) -> str:
    return f"expected {error.expected}, got {error.received}"


class _Gathering:
    """The sums of the pictures so far."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.total = Total.zero(settings.size)
        self.peak, self.whole = 0.0, True
        self.pictures = self.pixels = self.clipped = self.left_out = 0
        self.faults: list[Fault] = []
        self.names: list[str] = []
        self.counts: list[int] = []
        self.own: list[float] = []
        self.kernels: list[Array] = []
        self.each: list[Array] = []
        self.waiting: list[Statistics] = []  # to be judged when there is a reference
        self.judging = False
        self.reference: Reference | None = None
        self.odd: list[bool] = []
        self.apart: Total | None = None

    def leave_out(self, fault: Fault) -> None:
        self.left_out += 1
        if len(self.faults) < NAMED:
            self.faults.append(fault)

    def take(self, name: str, pair: list[Plane], guess: Prediction | None) -> None:
        """Add a picture's sums, or say why it has none."""
        size, sums, reason = self.settings.size, None, ""
        for plane in pair:
            try:
                mask = planes.counted(plane, guess)
                new = Statistics.from_pair(plane.before, plane.after, size, mask)
            except DemoError as error:
                reason = reason or _reason(error)
                continue
            sums = new if sums is None else sums + new
        if sums is None or (self.peak and sums.peak != self.peak):
            depth = f"has a white of {sums.peak:g}, not {self.peak:g}" if sums else ""
            self.leave_out(Fault(name, depth or reason))
            return
        vector = packed(sums)
        self.total = self.total + Total.of(vector)
        self.peak = sums.peak
        self.whole &= self.settings.weights is None and bool(np.abs(vector).max() < 2.0**53)
        self.pictures += 1
        self.pixels += sums.count
        edge = size // 2 * 2
        inside = sum((p.before.shape[0] - edge) * (p.before.shape[1] - edge) for p in pair)
        self.clipped += inside - sums.count
        if self.settings.own:
            self.names.append(name)
            self.counts.append(sums.count)
            if self.settings.whole:
                self._keep(sums, vector)
            else:
                self._judge(sums, guess)

    def _keep(self, sums: Statistics, vector: Array) -> None:
        """What tells this picture apart from the others, without a second reading."""
        solution = sums.solve()
        self.own.append(solution.residual**2 * sums.count)
        kernel = np.append(solution.kernel, solution.offset)
        self.kernels.append(kernel * (np.nan if solution.singular else 1.0))
        self.each.append(vector)

    def _judge(self, sums: Statistics | None, guess: Prediction | None) -> None:
        """The same of a large kernel, whose sums are not kept: is it that of the first ones?

        sums: None: there are no more.
        """
        if not self.judging:
            self.waiting += [sums] if sums else []
            if sums and len(self.waiting) < planes.GUESSED:
                return
            self.judging, self.reference = True, reference(self.waiting, guess)
        else:
            self.waiting = [sums] if sums else []
        for one in self.waiting:
            found = self.reference.judge(one) if self.reference else None
            self.own.append(found.own if found else np.nan)
            self.each.append(np.array([found.left if found else np.nan]))
            self.odd.append(bool(found and found.contradicts))
            if self.odd[-1]:
                more = Total.of(packed(one))
                self.apart = more if self.apart is None else self.apart + more
        self.waiting = []

    def result(self, guess: Prediction | None) -> ShardSums:
        if self.settings.own and not self.settings.whole:
            self._judge(None, guess)
        k2, apart = self.settings.size**2, self.apart
        return ShardSums(
            self.settings.size, self.total, self.peak, self.whole, self.pictures, self.pixels,
            self.clipped, self.left_out, tuple(self.faults), tuple(self.names),
            np.array(self.counts, np.float64), np.array(self.own, np.float64),
            np.array(self.kernels).reshape(-1, k2 + 1),
            np.array(self.each).reshape(len(self.each), len(self.each[0]) if self.each else 0),
            self.reference.weights if self.reference else np.zeros(0),
            np.array(self.odd, np.float64),
            np.zeros((0, 0)) if apart is None else np.array([apart.high, apart.low]),
        )  # fmt: skip
