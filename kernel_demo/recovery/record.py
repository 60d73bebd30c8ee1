"""What was found out about a pair of pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from kernel_demo.learning.certificate import ROUNDING
from kernel_demo.recovery import explanations
from kernel_demo.recovery.explanations import Channels, Edge, Phrase, Told, Verdict
from kernel_demo.recovery.fitting import MANY_ROUNDINGS, ONE_ROUNDING
from kernel_demo.recovery.fractions import Fractions
from kernel_demo.recovery.naming import Name
from kernel_demo.recovery.operations import Alternative


@dataclass(frozen=True, eq=False)
class Recovery:
    """The filter between two pictures, and how sure that is.

    Grey levels are those of the after file: 0..255, or 0..65535 for 16-bit samples. Kernels are
    for correlation and relative: white before counts as white after, whatever the bit depths. With
    several channels `kernel` is (3, k, k), a kernel for each (EACH), or (3, 3, k, k), from
    the second axis' channel into the first's (MIXTURE); else it is (k, k). `standard_error` goes
    with it; `offset` and `fractions` are then tuples of three. k is odd; an even or off-centre
    kernel lies in it as `support` says.
    """

    verdict: Verdict
    reason: Told | None = None  # of UNDETERMINED
    kernel: np.ndarray | None = None  # None only where nothing could be fitted
    offset: float | tuple[float, ...] = 0.0  # grey levels; for results that are rounded half up
    standard_error: np.ndarray | None = None  # of each weight; 0 outside the support
    size: int = 0  # k
    support: tuple[int, int, int, int] = (0, 0, 0, 0)  # top, left, height, width of what is not 0
    shift: tuple[int, int] = (0, 0)  # the kernel applies to before[y + shift[0], x + shift[1]]
    residual: float = 0.0  # RMS in grey levels
    rounding_floor: float = ROUNDING  # RMS of rounding alone, in grey levels
    used_fraction: float = 0.0  # share of the pixels that were not clipped
    condition: float = float("inf")  # of X'X
    padding: str | Edge | None = None  # a border mode or an Edge; None: not seen, or sides differ
    padding_sides: tuple[str | Edge | None, ...] = (None,) * 4  # top, bottom, left, right
    bit_exact: bool = False  # `fractions` reproduce every pixel whose patch lies inside
    fractions: Fractions | tuple[Fractions, ...] | None = None
    name: Name | None = None  # the kernel's name, with scale and flip
    channels: Channels = Channels.ONE
    channel_weights: tuple[float, ...] | None = None  # of red, green, blue in GREY
    swapped: bool = False  # the files were taken the other way round: what they show is `kernel`
    compression: str = ""  # what the after file went through: "JPEG, quality 95"
    alternative: Alternative | None = None  # the operation that explains a "not a convolution"
    peak: int = 255  # white in the after file
    noted: tuple[Told, ...] = ()  # what was done to the pair first
    title: str = ""  # the caller's name for the pair
    reproduced: np.ndarray | None = field(default=None, repr=False)  # like after, same dtype
    residual_map: np.ndarray | None = field(default=None, repr=False)  # float32: after - reproduced

    @property
    def explanation(self) -> str:
        """The verdict and its reason, one sentence."""
        return explanations.explain(self)[0]

    @property
    def next_step(self) -> str:
        """What to do now, one sentence."""
        return explanations.explain(self)[1]

    @property
    def notes(self) -> tuple[str, ...]:
        """What was done to the pair first, a sentence each."""
        return tuple(map(str, self.noted))

    @property
    def in_one_step(self) -> bool:
        """As little is left as one rounding leaves."""
        return self.residual <= ONE_ROUNDING * self.rounding_floor

    @property
    def in_passes(self) -> bool:
        """As little is left as rounding after each of many passes leaves."""
        return self.residual <= MANY_ROUNDINGS * self.rounding_floor

    @property
    def catalogue_name(self) -> str:
        """The kernel's name with its scale, "" if it has none."""
        return "" if self.name is None else str(self.name)

    @property
    def flipped(self) -> bool:
        """The named kernel is turned by 180 degrees: the tool convolves where we correlate."""
        return self.name is not None and self.name.flipped

    @property
    def relative_offset(self) -> float | tuple[float, ...]:
        """The offset as filtering.correlate takes it, where white is 1."""
        if isinstance(self.offset, tuple):
            return tuple(value / self.peak for value in self.offset)
        return self.offset / self.peak

    def as_dict(self) -> dict:
        """Everything but the pictures in plain types, for JSON; None: a number not known."""
        found = {
            "verdict": self.verdict,
            "kernel": None if self.kernel is None else self.kernel.tolist(),
            "size": self.size,
            "offset": self.offset,
            "standard_error": None if self.kernel is None else self.standard_error.tolist(),
            "residual": self.residual,
            "rounding_floor": self.rounding_floor,
            "used_fraction": self.used_fraction,
            "padding": self.padding,
            "padding_sides": self.padding_sides,
            "bit_exact": self.bit_exact,
            "explanation": self.explanation,
            "next_step": self.next_step,
            "fractions": self.fractions,
            "name": self.catalogue_name,
            "flipped": self.flipped,
            "channels": self.channels,
            "channel_weights": self.channel_weights,
            "support": self.support,
            "shift": self.shift,
            "swapped": self.swapped,
            "compression": self.compression,
            "alternative": None if self.alternative is None else self.alternative.name,
            "white": self.peak,
            "notes": self.notes,
        }
        return {key: _plain(value) for key, value in found.items()}


def _plain(value):
    """The same in plain types, with None for infinity and NaN: JSON has neither."""
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, Fractions):
        return {
            "numerators": value.numerators.tolist(),
            "divisor": value.divisor,
            "offset": value.offset,
            "rounding": value.rounding.value,
            "arithmetic": value.arithmetic,
            "pixels": value.pixels,
            "undecided": value.undecided,
        }
    if isinstance(value, Phrase):
        return value.value
    if isinstance(value, (float, np.floating)):
        return float(value) if np.isfinite(value) else None
    return value.item() if isinstance(value, np.generic) else value
