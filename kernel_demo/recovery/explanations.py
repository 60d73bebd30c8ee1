"""What can be said of a pair: codes, and in this one place the sentences made of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np

from kernel_demo.numbers import rounded_up


class Phrase(str, Enum):
    """A code that is written as its value, in JSON too."""

    def __str__(self) -> str:
        return self.value


class Verdict(Phrase):
    """What the filter between two pictures is."""

    CONVOLUTION = "convolution"
    NOISY = "convolution with noise"
    NOT = "not a convolution"
    UNDETERMINED = "undetermined"

    @property
    def linear(self) -> bool:
        """A kernel explains the pair, with noise or without."""
        return self in (Verdict.CONVOLUTION, Verdict.NOISY)


class Channels(Phrase):
    """Which channels go into which."""

    ONE = "one kernel"  # for all channels
    EACH = "per channel"  # a kernel for each
    GREY = "grey from colour"  # channels weighted, then one kernel
    MIXTURE = "mixture"  # a kernel from each channel into each


class Rounding(Phrase):
    """How a tool makes whole grey levels of sums."""

    NONE = "none needed"
    HALF_UP = "half up"
    HALF_EVEN = "half even"
    TRUNCATE = "truncate"


class Edge(Phrase):
    """What a tool does along the border instead of going on beyond it."""

    COPIED = "copied"  # pixels left as they were
    BLACK = "black"
    PLAIN = "one value"  # all pixels of one, not black


class Left(Phrase):
    """What pixels are that no kernel explains while it explains the others."""

    COPIED = "copied border"  # left as they were, deeper than the kernel reaches
    PLAIN = "border of one value"
    CHANGED = "changed pixels"


class Split(Phrase):
    """Halves of the pixels that a wrong model treats differently; n where it is of every n-th."""

    TEXTURE = "its smooth and its textured parts"
    BRIGHTNESS = "its dark and its bright parts"
    ACROSS = "its left and its right half"
    DOWN = "its upper and its lower half"
    ROWS = "one row in {n} and the others"
    COLUMNS = "one column in {n} and the others"
    CHECKS = "the black and the white fields of a chessboard"


class Reason(Enum):
    """Why a pair is undetermined, and the remedy."""

    SMOOTH = (
        "The picture before is too smooth or plain to tell kernels apart: several explain it "
        "alike.",
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
        "The kernel is larger than the largest size searched, {size} x {size}: a ring about it "
        "explains more.",
        "Search again with a larger size, up to 31.",
    )
    TOO_LARGE = (
        "The kernel is larger than can be searched, {size} x {size}.",
        "Use a smaller radius in the tool, or halve both pictures: that halves the kernel.",
    )
    TARGET = (
        "The picture before repeats itself: only {patches} of its patches differ, and several "
        "kernels explain them alike.",
        "Send a photo, or a probe of random noise, through the same tool.",
    )
    FEW_LEVELS = (
        "The picture after has {levels} grey levels only: rounding hides what the kernel is.",
        "Use a setting of the tool that gives more contrast, or a file of 16 bits.",
    )
    UNSTEADY = (
        "The picture asks for different kernels in {split}: no single one explains all of it.",
        "Send a probe of random noise through the same tool: it shows what the tool does.",
    )
    UNCLEAR = (
        "What the best kernel leaves goes with the picture a little: lossy compression does that, "
        "and so does a filter that is nearly a convolution.",
        "Send a probe of random noise through the same tool, with no lossy file on the way.",
    )
    NOISE_BEFORE = (
        "The picture before has noise of its own, about {sigma:.1f} grey levels, that the tool "
        "did not see: every kernel found from it is off.",
        "Use the very file that went into the tool, not another copy or photograph of it.",
    )
    LOSSY = (
        "The picture after went through {file}, and its losses hide which kernel it was.",
        "Save the picture after as PNG or TIFF instead, and try again.",
    )
    ALPHA_ALONE = (
        "Only the alpha channel was changed; the colours are as they were.",
        "To find what was done to it, save the alpha channel before and after as grey pictures.",
    )
    LOSSY_COLOURS = (
        "A mixture of the channels explains most of it, but JPEG's losses hide whether that is "
        "all.",
        "Save the picture after as PNG or TIFF instead of a lossy file, and try again.",
    )
    COLOURS = (
        "A mixture of the channels explains most of it, but not all: it is another colour "
        "operation, or lossy compression hides which mixture it is.",
        "Turn off what changes colours in the tool, and keep lossy files out of the way.",
    )
    TOO_SMALL = (
        "There are pixels enough to look for kernels of up to {size} x {size} only, and none of "
        "them explains the pair.",
        "Use larger pictures, with fewer black and white pixels.",
    )
    ONE_COLOUR = (
        "A kernel explains all but {share} of the pixels, but those are just the pixels of one "
        "colour: the tool has replaced it.",
        "Turn off what replaces a colour in the tool, or send a probe of random noise through it.",
    )
    SIZES = ("{note}", "Bring both pictures to the same size and view, and try again.")


class Note(Enum):
    """What was done to a pair first, or is worth knowing beside the verdict."""

    GREY = "The three channels of {name} are equal: it was taken as grey."
    UNCHANGED = "Both pictures are the same, pixel for pixel: the tool has changed nothing."
    DEPTHS = "One file has 8 bits a sample and the other 16; white was set equal."
    ALPHA = "The alpha channel was left out, and so were pixels that are not opaque."
    HIDDEN = "The alpha channel was left out: hardly any pixel is opaque."
    SMALLER = "After is smaller by {pixels} pixels on each axis: it was laid over the middle."
    OTHER_SIZE = (
        "After differs in size by {columns:+d} columns and {rows:+d} rows; what overlaps was used."
    )
    TURNED = "Before is {before} pixels and after {after}: one of them is turned by 90 degrees."
    STRANGERS = "Before is {before} pixels and after {after}: they do not lie over each other."
    LEFT_OUT = "{some} of {all} pairs did not go with the others."
    SHIFTED = "After is shifted by {rows} rows and {columns} columns against before: undone."
    SWAPPED = "The files were swapped: the filter leads from the second to the first."
    OFF_CENTRE = (
        "The kernel is {height} x {width} and its middle lies {down:+g} rows and {right:+g} "
        "columns from the pixel: after is shifted by as much the other way."
    )
    CUT_OFF = "An offset of -0.5: the tool cuts fractions off instead of rounding them."


@dataclass(frozen=True)
class Told:
    """A reason or a note with the figures that its sentences name."""

    code: Reason | Note
    figures: dict[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """All of it; of a reason the explanation and the next step."""
        return " ".join(self.sentences())

    def sentences(self) -> tuple[str, ...]:
        """One of a note, two of a reason."""
        texts = (self.code.value,) if isinstance(self.code, Note) else self.code.value
        return tuple(text.format(**self.figures) for text in texts)


def notes(found) -> tuple[str, ...]:
    """What was done to a Recovery's pair first, and what is odd in its kernel, a sentence each."""
    told = list(found.noted)
    if found.kernel is not None:
        top, left, height, width = found.support
        down = top + (height - 1) / 2 - found.size // 2
        right = left + (width - 1) / 2 - found.size // 2
        if max(abs(down), abs(right)) >= 1:
            figures = {"height": height, "width": width, "down": down, "right": right}
            told.append(Told(Note.OFF_CENTRE, figures))
        cut_off = np.abs(np.atleast_1d(found.offset) + 0.5).max() <= 0.05
        if found.verdict == Verdict.CONVOLUTION and cut_off:
            told.append(Told(Note.CUT_OFF))
    return tuple(map(str, told))


def explain(found) -> tuple[str, str]:
    """(explanation, next step) of a Recovery."""
    if found.reason is not None:
        return found.reason.sentences()
    if found.verdict == Verdict.CONVOLUTION:
        return _certain(found)
    if found.verdict == Verdict.NOISY:
        return _noisy(found)
    return _not(found)


def _certain(found) -> tuple[str, str]:
    swapped = "With the two files swapped, this" if found.swapped else "This"
    is_a = f"{swapped} is a convolution{_called(found)}"
    names = ("red ", "green ", "blue ") if len(found.fractions) > 1 else ("",)
    named = zip(names, found.fractions, strict=False)
    exact = "; ".join(name + _written(fractions) for name, fractions in named)
    if found.bit_exact:
        proof = f"every one of the {found.fractions[0].pixels:,} pixels is reproduced exactly"
        return f"{is_a}: {exact}; {proof}.", _use(found.fractions)
    apply = "Apply the kernel with " + (
        f"border mode “{found.padding}”" if found.padding else "any border mode"
    )
    if any(whole.left_out for whole in found.fractions):
        some = sum(whole.left_out for whole in found.fractions)
        return (
            f"{is_a}: {exact}; every pixel is reproduced exactly but {some:,}, which something "
            "else has changed.",
            f"{apply}; look at the pixels that differ by themselves.",
        )
    if found.fractions:
        share = 100 * found.fractions[0].undecided / max(found.fractions[0].pixels, 1)
        return (
            f"{is_a}: {exact}; every pixel is reproduced but {share:.2g} % "
            "that lie exactly between two grey levels, which the tool rounds now up, now down.",
            f"{apply}; such pixels may differ by one grey level.",
        )
    rounding = "the rounding of the file" if found.in_one_step else "rounding in several steps"
    return (
        f"{is_a}: what the kernel leaves, {found.residual:.2f} grey levels RMS, is {rounding}.",
        f"{apply}; expect differences of about one grey level.",
    )


def _use(fractions) -> str:
    """How far exact fractions give the tool's own result where sums are rounded half up."""
    if not all(whole.by_half_up for whole in fractions):
        return (
            "Use it as it stands; only sums exactly between two grey levels may fall otherwise "
            "than the tool's."
        )
    return "Use it as it stands: rounded half up, it gives the tool's own result, bit for bit."


def _noisy(found) -> tuple[str, str]:
    left = f"{found.residual:.2f} grey levels RMS"
    known = f"every weight is known to ±{rounded_up(_worst_share(found), 1)} % of the largest"
    if not found.compression and found.in_passes:
        return (
            f"This is a convolution{_called(found)}, with a little noise: {left} are left, as "
            f"rounding after each of several passes leaves them; {known}.",
            "Apply the kernel and expect differences of one or two grey levels.",
        )
    source = f" of {found.compression}" if found.compression else ""
    remedy = (
        "Save the picture after as PNG or TIFF instead of a lossy file to get the kernel exactly."
        if found.compression
        else "Average several pictures that the tool made of one, or use a larger one: bars shrink."
    )
    return (
        f"This is a convolution{_called(found)}, with noise{source}: {left} are left (rounding "
        f"alone leaves {found.rounding_floor:.2f}) and do not depend on the picture; {known}.",
        remedy,
    )


def _not(found) -> tuple[str, str]:
    best = f"the best kernel leaves {found.residual:.1f} grey levels RMS"
    if found.alternative is None:
        return (
            f"This is not a convolution: {best}, which depend on what is in the picture.",
            "Look where the residual is large: there the tool does something that no kernel can.",
        )
    left = found.alternative.residual
    beside = "" if left is None else f", against {left:.1f} by that"
    compared = "" if found.kernel is None else f": {best}{beside}"
    return (
        f"This is not a convolution; it looks like {found.alternative.name}{compared}.",
        found.alternative.remedy
        or "Use that operation instead of a kernel, or turn it off in the tool and try again.",
    )


def _called(found) -> str:
    called = f" ({found.catalogue_name})" if found.catalogue_name else ""
    return called + {
        Channels.EACH: ", with another kernel for each channel",
        Channels.GREY: " of the picture made grey",
        Channels.MIXTURE: " that mixes the channels",
    }.get(found.channels, "")


def _worst_share(found) -> float:
    """The largest standard error in per cent of the largest weight."""
    finite = found.standard_error[np.isfinite(found.standard_error)]
    return 100 * float(finite.max(initial=0)) / max(float(np.abs(found.kernel).max()), 1e-12)


def _written(fractions) -> str:
    """ "[[-1, 0, 1], ...] / 4 + 128, rounded half up" """
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
        Rounding.HALF_UP: "rounded half up",
        Rounding.HALF_EVEN: "rounded half to even",
        Rounding.TRUNCATE: "cut off",
    }
    rule = words.get(fractions.rounding)
    return f"{text}, {rule}" if rule else text
