"""What was found out about a pair of pictures."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from kernel_demo import records
from kernel_demo.learning.certificate import ROUNDING
from kernel_demo.recovery import explanations
from kernel_demo.recovery.explanations import Channels, Edge, Left, Told, Verdict
from kernel_demo.recovery.families import Found
from kernel_demo.recovery.fitting import MANY_ROUNDINGS, ONE_ROUNDING, box
from kernel_demo.recovery.fractions import Fractions
from kernel_demo.recovery.known import Name
from kernel_demo.recovery.polytope import Chebyshev, Interval, Polytope, allowed
from kernel_demo.recovery.rivals import Alternative
from kernel_demo.recovery.smoothing import Smoothing

# What lies beyond the top, bottom, left and right: one of filtering.MODES or an Edge; None: not
# seen.
Sides = tuple[str | Edge | None, str | Edge | None, str | Edge | None, str | Edge | None]
UNSEEN: Sides = (None, None, None, None)
PATIENCE = 20.0  # seconds that an interval may take


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Pixels that something else than the kernel has changed."""

    share: float = 0.0  # of the pixels whose patch lies inside
    reasons: tuple[Left, ...] = ()
    mask: np.ndarray | None = field(default=None, repr=False)  # h x w bool, like after
    pixels: int = 0  # how many, of all pairs


@dataclass(frozen=True, eq=False)
class Recovery:
    """The filter between two pictures, and how sure that is.

    Grey levels are those of the after file: 0..255, or 0..65535 for 16-bit samples. Kernels are
    for correlation and relative: white before counts as white after, whatever the bit depths.
    `kernel` is (outputs, inputs, k, k), k odd, and so is `standard_error`:
    (1, 1, k, k) for ONE and for GREY: every channel, or the grey of `channel_weights`, through it;
    (3, 1, k, k) for EACH: every channel of after from its own of before (or from the only one);
    (3, 3, k, k) for MIXTURE: every channel of after is a sum over those of before.
    `offset` is a number for one output, else one for each, and `fractions` one for each. An even
    or off-centre kernel lies in its square as `support` says.
    `padding_value` is in grey levels of the after file, 0..white: under `constant` that of all
    pixels beyond before (a number, or one for each channel of before where they differ), under
    Edge.PLAIN that of after along the border (a number, or one for each channel of after).
    `residual`, `reproduced`, `reproduction` and the border are those of the steps where the record
    is `in_steps`: a tool's several roundings, of which the kernel is what one rounding comes near.
    `smallest_bound` and `interval` are worked out when they are first read: that takes seconds.
    """

    verdict: Verdict
    """str() of it: convolution, convolution with noise, not a convolution, undetermined."""
    reason: Told | None = None
    """Why it is undetermined."""
    kernel: np.ndarray | None = None
    """(outputs, inputs, k, k); None only where nothing could be fitted."""
    offset: float | tuple[float, ...] = 0.0
    """In grey levels; for results that are rounded half up."""
    standard_error: np.ndarray | None = None
    """Of each weight. Of whole numbers 0 outside the support, but where rounding would hide
    one; of others the largest there."""
    shift: tuple[int, int] = (0, 0)
    """The kernel applies to before[y + shift[0], x + shift[1]]."""
    residual: float = 0.0
    """RMS of after - (kernel * before + offset), where that is not clipped."""
    reproduced: float = 0.0
    """Share of the pixels that count to which the kernel gives their level."""
    left_out: LeftOut = LeftOut()
    """Pixels that something else has changed, such as a caption: share, reasons, mask."""
    rounding_floor: float = ROUNDING
    """RMS of rounding alone, in grey levels."""
    used_fraction: float = 0.0
    """Share of the pixels that were not clipped."""
    padding_sides: Sides = UNSEEN
    """The border at the top, bottom, left and right, each as `padding`; None: not seen."""
    padding_value: float | tuple[float, ...] | None = None
    """In grey levels: what `constant` and `one value` have there."""
    border_missed: int = 0
    """Of the first pair, pixels along the border that `reproduction` has otherwise; 0 where no one
    mode is told."""
    fractions: tuple[Fractions, ...] = ()
    """Round numbers for the kernels; none for a mixture."""
    name: Name | None = None
    """Of the only kernel, where it has one in the catalogue; see `catalogue_name`."""
    channels: Channels = Channels.ONE
    """str() of it: one kernel, per channel, grey from colour, mixture."""
    channel_weights: tuple[float, float, float] | None = None
    """Of red, green, blue where it is grey from colour."""
    swapped: bool = False
    """The files were taken the other way round: what they show is `kernel`."""
    compression: str = ""
    """What the after file went through: "JPEG, quality 95"."""
    coefficients: float | None = None
    """Share of the file's coefficients that the kernel's picture has as well, if compressed so."""
    smoothing: Smoothing | None = None
    """What alone is known of the kernel through a JPEG file."""
    alternative: Alternative | None = None
    """What explains a "not a convolution" (name, parameters, code that makes it again); or, more
    plainly, kernels that are a matrix of channels."""
    white: int = 255
    """Of the after file: 255 or 65535."""
    clip: tuple[int, int] = (0, 255)
    """Grey levels at which the after file is cut off."""
    noted: tuple[Told, ...] = ()
    """What was done to the pair first."""
    title: str = ""
    """The caller's name for the pair."""
    steps: Found | None = None
    """How a tool of several roundings, or a family, makes the file."""
    polytopes: tuple[Polytope, ...] = field(default=(), repr=False)
    """For each output, the kernels of this size that one rounding allows; none where more
    is left."""
    reproduction: np.ndarray | None = field(default=None, repr=False)
    """What it makes of before, like after and of its dtype."""
    residual_map: np.ndarray | None = field(default=None, repr=False)
    """After - reproduction, float32."""

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
        """What was done to the pair first, and what is odd in the kernel, a sentence each."""
        return explanations.notes(self)

    @property
    def probe_helps(self) -> bool:
        """Whether the next step is to send a probe through the tool."""
        return explanations.probe_helps(self)

    @property
    def unlike(self) -> bool:
        """Neither the kernel nor the alternative explains half of the variance of after."""
        if self.residual_map is None or self.residual_map.size == 0:
            return False
        other = np.inf if self.alternative is None else self.alternative.residual
        left = min(float(self.residual_map.std()), np.inf if other is None else other)
        return left**2 > float((self.reproduction + self.residual_map).var()) / 2

    @property
    def size(self) -> int:
        """k; 0 without a kernel."""
        return 0 if self.kernel is None else self.kernel.shape[-1]

    @property
    def support(self) -> tuple[int, int, int, int]:
        """top, left, height, width of the box with every weight that is not 0 in any kernel."""
        return (0,) * 4 if self.kernel is None else box((self.kernel != 0).any(axis=(0, 1)))

    @property
    def reaches_out(self) -> bool:
        """Whether a weight lies beyond the edges somewhere: all but those of the pixel itself."""
        return self.support != (self.size // 2, self.size // 2, 1, 1)

    @property
    def padding(self) -> str | Edge | None:
        """The border mode, as `apply` takes it; `renormalised`: the mean of what lies inside.

        `copied`, `black`, `one value`: the tool does not filter along the border. None: not seen,
        or sides differ.
        """
        return self.padding_sides[0] if len(set(self.padding_sides)) == 1 else None

    @property
    def bit_exact(self) -> bool:
        """`fractions` reproduce every pixel whose patch lies inside."""
        return bool(self.fractions) and not any(w.undecided or w.left_out for w in self.fractions)

    @property
    def middles(self) -> tuple[Chebyshev, ...]:
        """For each output, the kernel whose largest residual is smallest; none: not known."""
        middles = [polytope.middle for polytope in self.polytopes]
        found = tuple(middle for middle in middles if middle is not None and middle.known)
        return found if len(found) == len(middles) else ()

    @property
    def bounds(self) -> tuple[float, ...]:
        """For each output, the residual that one rounding leaves at most, in grey levels: 1/2 + e.

        e is for the tool's arithmetic.
        """
        if self.kernel is None:
            return ()
        offsets = np.broadcast_to(self.offset, len(self.kernel)).tolist()
        return tuple(allowed(*part, self.white) for part in zip(self.kernel, offsets, strict=True))

    @cached_property
    def smallest_bound(self) -> float | None:
        """No kernel of this size keeps the residuals of all pixels that count below that.

        In grey levels. None: not known. Above `bounds`, no kernel made it in one rounding.
        """
        return max((float(middle.least) for middle in self.middles), default=None)

    @property
    def one_rounding(self) -> bool | None:
        """Whether a kernel of this size can have made the pair in one rounding. None: not known."""
        pairs = list(zip(self.middles, self.bounds, strict=False))
        if any(middle.least > bound for middle, bound in pairs):
            return False
        return True if pairs and all(m.largest <= bound for m, bound in pairs) else None

    @cached_property
    def interval(self) -> Interval | None:
        """No kernel of this size with a weight outside made the pair in one rounding.

        `low` and `high`, each like `kernel`. It holds for all pixels but those left out, and
        arithmetic within `bounds`. None: no kernel did, or not the one told, or not known.
        """
        kernel = self.kernel
        if kernel is None or not self.polytopes or self.verdict != Verdict.CONVOLUTION:
            return None
        until = time.monotonic() + PATIENCE
        found = [p.interval(b, until) for p, b in zip(self.polytopes, self.bounds, strict=True)]
        parts = [part for part in found if part is not None]
        if len(parts) < len(found):
            return None
        low, high = (
            np.stack([getattr(part, end) for part in parts]).reshape(kernel.shape)
            for end in ("low", "high")
        )
        inside = (low <= kernel) & (kernel <= high)
        return Interval(low, high, all(part.tight for part in parts)) if inside.all() else None

    @property
    def roundings(self) -> int | None:
        """How many times the tool made whole levels: 1 where one is proved to do. None: unknown."""
        if self.steps is not None:
            return self.steps.way.roundings
        within = zip(self.middles, self.bounds, strict=False)
        one = bool(self.middles) and all(middle.largest < bound for middle, bound in within)
        return 1 if self.bit_exact or (one and self.verdict == Verdict.CONVOLUTION) else None

    @cached_property
    def cuts_off(self) -> bool:
        """Whether the tool cuts fractions off instead of rounding them: by an offset of -1/2.

        Only where no kernel without an offset makes all pixels in one rounding.
        """
        if self.verdict != Verdict.CONVOLUTION or not explanations.cuts_off(self.offset):
            return False
        ends = [p.offsets(b) for p, b in zip(self.polytopes, self.bounds, strict=False)]
        return all(end is None or end[1] < 0 for end in ends)

    @property
    def in_steps(self) -> bool:
        """Whether what is certified, and shown, are the steps, and no kernel in whole numbers."""
        return self.steps is not None and not self.fractions

    @property
    def parameters(self) -> dict[str, dict[str, float]] | None:
        """Of the family that makes the file: {name: {value, standard_error}}. None: of no family.

        standard_error: 0 for what has no fractions, such as a size.
        """
        if self.steps is None or self.steps.way.family is None:
            return None
        errors = self.steps.errors
        return {
            name: {"value": value, "standard_error": errors.get(name, 0.0)}
            for name, value in self.steps.way.parameters.items()
        }

    @property
    def unrivalled(self) -> bool:
        """Whether `interval` proves that no other whole numbers over such divisors are possible."""
        if not self.fractions or self.interval is None or self.kernel is None:
            return False
        parts = zip(self.interval.low, self.interval.high, self.kernel, self.fractions, strict=True)
        return all(
            Interval(low, high).hold_alone(np.rint(kernel * whole.divisor), whole.divisor)
            for low, high, kernel, whole in parts
        )

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
        """The kernel's name with its scale, "" if it has none, or if it is not known for sure."""
        return str(self.name) if self.name is not None and self.verdict.linear else ""

    @property
    def relative_offset(self) -> float | tuple[float, ...]:
        """The offset as filtering.correlate takes it, where white is 1."""
        if isinstance(self.offset, tuple):
            return tuple(value / self.white for value in self.offset)
        return self.offset / self.white

    def as_dict(self, proved: bool = False) -> dict[str, Any]:
        """Everything but the pictures in plain types, for JSON; None: a number not known.

        What there is one of is no list: kernel and standard_error are k x k for one kernel, and
        3 x k x k for one a channel. No bar is told of a kernel that is not certified.
        proved: with `smallest_bound` and `interval`, which may take PATIENCE.
        """
        found = {
            "verdict": self.verdict,
            "kernel": _flat(self.kernel),
            "size": self.size,
            "offset": self.offset,
            "standard_error": _flat(self.standard_error) if self.verdict.linear else None,
            "residual": self.residual,
            "rounding_floor": self.rounding_floor,
            "reproduced": self.reproduced,
            "left_out": {"share": self.left_out.share, "reasons": self.left_out.reasons},
            "used_fraction": self.used_fraction,
            "padding": self.padding,
            "padding_sides": self.padding_sides,
            "padding_value": self.padding_value,
            "bit_exact": self.bit_exact,
            "explanation": self.explanation,
            "next_step": self.next_step,
            "fractions": self.fractions[0] if len(self.fractions) == 1 else self.fractions or None,
            "name": self.catalogue_name,
            "parameters": self.parameters,
            "flipped": self.name is not None and self.name.flipped,
            "channels": self.channels,
            "channel_weights": self.channel_weights,
            "support": self.support,
            "shift": self.shift,
            "swapped": self.swapped,
            "compression": self.compression,
            "coefficients": self.coefficients if self.verdict.linear else None,
            "alternative": self._alternative(proved),
            "alternative_name": None if self.alternative is None else self.alternative.name,
            "white": self.white,
            "clip": self.clip,
            "notes": self.notes,
        }
        if proved:
            ends = None if self.interval is None else vars(self.interval)
            found["smallest_bound"] = self.smallest_bound
            found["roundings"] = self.roundings
            found["interval"] = ends and {end: _flat(ends[end]) for end in ("low", "high")}
        return {key: records.plain(value) for key, value in found.items()}

    def _repr_html_(self) -> str:
        bars = self.standard_error
        tables = []
        if self.kernel is not None and self.verdict.linear:
            for place in np.ndindex(self.kernel.shape[:2]):
                errors = None if bars is None else bars[place]
                tables.append(records.heat_map(self.kernel[place], errors))
        said = f"{self.verdict}. {self.explanation} {self.next_step}"
        return records.shown(said[:1].upper() + said[1:], *tables, *self.notes)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write it as .json (as_dict(), proved) or its kernel (outputs, inputs, k, k) as .npy.

        Returns the path. The proof may take twenty seconds.
        """
        return records.save(path, self.kernel, self.as_dict(proved=True))

    def _alternative(self, proved: bool) -> dict[str, Any] | None:
        """What is known beside the kernel; None: nothing, or a number that does not apply."""
        other, interval = self.alternative, None
        if other is None:
            return None
        if proved and other.matrix is not None and other.standard_error is not None:
            middle = np.s_[..., self.size // 2, self.size // 2]
            ends = {} if self.interval is None else vars(self.interval)
            interval = {end: ends[end][middle] for end in ("low", "high")} if ends else None
        plain = ("name", "parameters", "kernel", "standard_error", "curve", "matrix", "residual",
                 "reproduced", "code")  # fmt: skip
        told = {key: getattr(other, key) for key in plain}
        return told | {"interval": interval, "code": other.code or None}


def _flat(values: np.ndarray | None) -> np.ndarray | None:
    """(outputs, inputs, k, k) without the axes that are 1 long."""
    return None if values is None else values.squeeze()
