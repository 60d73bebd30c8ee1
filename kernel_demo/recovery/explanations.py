"""The verdict in one sentence, and what to do next in another."""

from __future__ import annotations

import numpy as np

from kernel_demo.numbers import rounded_up
from kernel_demo.recovery.fitting import MANY_ROUNDINGS, ONE_ROUNDING
from kernel_demo.recovery.fractions import Fractions
from kernel_demo.recovery.record import CONVOLUTION, NOISY, Recovery

# Why a pair is undetermined, and the remedy.
SMOOTH = (
    "The picture before is too smooth or plain to tell kernels apart: several explain it alike.",
    "Send a picture with more fine detail, or a probe of random noise, through the same tool.",
)
CLIPPED = (
    "Too few pixels lie between black and white to find a kernel from.",
    "Use a picture of middle tones, or a setting of the tool that does not clip.",
)
BLANK = (
    "The picture after is of one colour all over: it shows no filter.",
    "Choose another picture after, or another setting of the tool.",
)
LARGER = (
    "The kernel reaches the edge of the largest size searched, {size} x {size}, and something is "
    "left over: it is probably larger.",
    "Search again with a larger size, up to 31.",
)
LOSSY_COLOURS = (
    "A mixture of the channels explains most of it, but JPEG's losses hide whether that is all.",
    "Save the picture after as PNG or TIFF instead of a lossy file, and try again.",
)
TOO_SMALL = (
    "There are pixels enough to look for kernels of up to {size} x {size} only, and none of them "
    "explains the pair.",
    "Use larger pictures, with fewer black and white pixels.",
)
SIZES = ("{note}", "Bring both pictures to the same size and view, and try again.")


def explain(found: Recovery) -> tuple[str, str]:
    """(explanation, next step) for every verdict but "undetermined"."""
    if found.verdict == CONVOLUTION:
        return _certain(found)
    if found.verdict == NOISY:
        return _noisy(found)
    return _not(found)


def _certain(found: Recovery) -> tuple[str, str]:
    swapped = "With the two files swapped, this" if found.swapped else "This"
    is_a = f"{swapped} is a convolution{_called(found)}"
    several = found.fractions if isinstance(found.fractions, tuple) else (found.fractions,)
    first = several[0]
    if found.bit_exact:
        proof = f"every one of the {first.pixels:,} pixels is reproduced exactly"
        return f"{is_a}: {_written(found.fractions)}; {proof}.", _use(several)
    apply = "Apply the kernel with " + (
        f"border mode “{found.padding}”" if found.padding else "any border mode"
    )
    if first is not None:
        share = 100 * first.undecided / max(first.pixels, 1)
        return (
            f"{is_a}: {_written(found.fractions)}; every pixel is reproduced but {share:.2g} % "
            "that lie exactly between two grey levels, which the tool rounds now up, now down.",
            f"{apply}; such pixels may differ by one grey level.",
        )
    in_steps = found.residual > ONE_ROUNDING * found.rounding_floor
    rounding = "rounding in several steps" if in_steps else "the rounding of the file"
    return (
        f"{is_a}: what the kernel leaves, {found.residual:.2f} grey levels RMS, is {rounding}.",
        f"{apply}; expect differences of about one grey level.",
    )


def _use(several: tuple[Fractions, ...]) -> str:
    """How far exact fractions give the tool's own result where sums are rounded half up."""
    if any(f.rounding == "half even" or f.arithmetic != "exact" for f in several):
        return (
            "Use it as it stands; only sums exactly between two grey levels may fall otherwise "
            "than the tool's."
        )
    return "Use it as it stands: rounded half up, it gives the tool's own result, bit for bit."


def _noisy(found: Recovery) -> tuple[str, str]:
    left = f"{found.residual:.2f} grey levels RMS"
    known = f"every weight is known to ±{rounded_up(_worst_share(found), 1)} % of the largest"
    if not found.compression and found.residual <= MANY_ROUNDINGS * found.rounding_floor:
        return (
            f"This is a convolution{_called(found)}, with a little noise: {left} are left, as "
            f"rounding after each of several passes leaves them; {known}.",
            "Apply the kernel and expect differences of one or two grey levels.",
        )
    source = f" of {found.compression}" if found.compression else ""
    return (
        f"This is a convolution{_called(found)}, with noise{source}: {left} are left (rounding "
        f"alone leaves {found.rounding_floor:.2f}) and do not depend on the picture; {known}.",
        "Save the picture after as PNG or TIFF instead of a lossy file to get the kernel exactly.",
    )


def _not(found: Recovery) -> tuple[str, str]:
    if found.alternative is None:
        return (
            f"This is not a convolution: the best kernel leaves {found.residual:.1f} grey levels "
            "RMS, which depend on what is in the picture.",
            "Look where the residual is large: there the tool does something that no kernel can.",
        )
    left = found.alternative.residual
    beside = "" if left is None else f", against {left:.1f} by that"
    return (
        f"This is not a convolution; it looks like {found.alternative.name}: the best kernel "
        f"leaves {found.residual:.1f} grey levels RMS{beside}.",
        "Use that operation instead of a kernel, or turn it off in the tool and try again.",
    )


def _called(found: Recovery) -> str:
    called = f" ({found.catalogue_name})" if found.catalogue_name else ""
    return called + {
        "per channel": ", with another kernel for each channel",
        "grey from colour": " of the picture made grey",
        "mixture": " that mixes the channels",
    }.get(found.channels, "")


def _worst_share(found: Recovery) -> float:
    """The largest standard error in per cent of the largest weight."""
    finite = found.standard_error[np.isfinite(found.standard_error)]
    return 100 * float(finite.max(initial=0)) / max(float(np.abs(found.kernel).max()), 1e-12)


def _written(fractions: Fractions | tuple[Fractions, ...]) -> str:
    """ "[[-1, 0, 1], ...] / 4 + 128, rounded half up" """
    if isinstance(fractions, tuple):
        return "; ".join(
            f"{name} {_written(f)}"
            for name, f in zip(("red", "green", "blue"), fractions, strict=True)
        )
    numerators = fractions.numerators
    text = (
        str(numerators.tolist())
        if numerators.size <= 25
        else f"{len(numerators)} x {len(numerators)} whole numbers"
    )
    if fractions.divisor != 1:
        text += f" / {fractions.divisor}"
    if fractions.offset:
        text += f" {'+' if fractions.offset > 0 else '-'} {abs(fractions.offset):g}"
    words = {
        "half up": "rounded half up",
        "half even": "rounded half to even",
        "truncate": "cut off",
    }
    rule = words.get(fractions.rounding)
    return f"{text}, {rule}" if rule else text
