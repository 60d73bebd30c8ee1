"""What can be said of a pair: codes, and in this one place the sentences made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from string import Formatter
from typing import TYPE_CHECKING

import numpy as np

from kernel_demo.imaging.catalogue import identity
from kernel_demo.imaging.filtering import CONSTANT, MODES
from kernel_demo.numbers import at_least, at_most, count, figure, percent, rounded_up, within

if TYPE_CHECKING:  # the record is made of these codes
    from kernel_demo.recovery.families import Found
    from kernel_demo.recovery.fractions import Fractions
    from kernel_demo.recovery.record import Recovery


class Phrase(str, Enum):
    """A code that is written as its value, in JSON too."""

    def __str__(self) -> str:
        return self.value


IDENTITY = identity(3)


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


ROUNDED = {
    Rounding.HALF_UP: "rounded half up",
    Rounding.HALF_EVEN: "rounded half to even",
    Rounding.TRUNCATE: "cut off",
}


class Edge(Phrase):
    """What a tool does along the border instead of going on beyond it."""

    RENORMALISED = "renormalised"  # weights inside divided by their share of all

    COPIED = "copied"  # pixels left as they were
    BLACK = "black"
    PLAIN = "one value"  # all pixels of one, not black


class Left(Phrase):
    """What pixels are that no kernel explains while it explains the others."""

    COPIED = "copied border"  # left as they were, deeper than the kernel reaches
    PLAIN = "border of one value"
    CHANGED = "changed pixels"
    RAN_OVER = "sums that ran over 255 or below 0"


class Split(Phrase):
    """Halves of the pixels that a wrong model treats differently; n where it is of every n-th."""

    TEXTURE = "its smooth and its textured parts"
    BRIGHTNESS = "its dark and its bright parts"
    ACROSS = "its left and its right half"
    DOWN = "its upper and its lower half"
    ROWS = "one row in {n} and the others"
    COLUMNS = "one column in {n} and the others"
    CHECKS = "the black and the white fields of a chessboard"
    BORDER = "its border of {n} pixels and its inside"
    PLACE = "parts of it that lie apart"


class Turn(Phrase):
    """How a picture lies otherwise than before."""

    ACROSS = "left for right"
    DOWN = "upside down"
    HALF = "by 180 degrees"


class Curve(Phrase):
    """What makes each pixel by itself."""

    THRESHOLD = "threshold"
    POSTERISED = "posterisation"
    GAMMA = "gamma"
    TO_LIGHT = "sRGB to light"
    FROM_LIGHT = "light to sRGB"
    EQUALISED = "equalisation"
    FREE = "tone curve"


CURVES = {
    Curve.THRESHOLD: "a threshold",
    Curve.POSTERISED: "a posterisation to {levels} levels",
    Curve.GAMMA: "a gamma curve with exponent {exponent:.2f}",
    Curve.TO_LIGHT: "the curve that decodes sRGB to light",
    Curve.FROM_LIGHT: "the curve that encodes light as sRGB",
    Curve.EQUALISED: "a histogram equalisation",
    Curve.FREE: "a tone curve: each pixel by itself",
}


class Reason(Enum):
    """Why a pair is undetermined, and the remedy."""

    SMOOTH = (
        "Several kernels explain the pair alike: the picture before is too smooth or plain, or the "
        "tool leaves too little contrast, to tell them apart.",
        "Send a picture with more fine detail, or a probe of random noise, through the same tool.",
    )
    ROUNDED = (
        "Rounding hides which filter it is: the tool's results lie so near to whole grey levels "
        "that its errors follow the picture.",
        "Save the picture after with 16 bits a sample, or use another strength of the tool.",
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
        "The kernel is larger than the largest size searched, {size} × {size}: a ring about it "
        "explains more.",
        "Search again with a larger size, up to 31.",
    )
    GOES_ON = (
        "A ring about the largest size searched, {size} × {size}, explains a little more: the "
        "kernel reaches further, or the filter is not quite a convolution.",
        "Search up to another size, 31 at most; if that says the same, send a probe of random "
        "noise through the same tool.",
    )
    TOO_LARGE = (
        "The kernel is larger than can be searched, {size} × {size}.",
        "Use a smaller radius in the tool, or halve both pictures: that halves the kernel.",
    )
    TARGET = (
        "The picture before is small or repeats itself: it shows {patches} different patches, too "
        "few to tell kernels apart.",
        "Send a photo, or a probe of random noise, through the same tool.",
    )
    FEW_LEVELS = (
        "The picture after has {levels} grey levels only: rounding hides what the kernel is.",
        "Use a setting of the tool that gives more contrast, or a file of 16 bits.",
    )
    UNSTEADY = (
        "The picture asks for different kernels in {split}, by more than chance: no single one "
        "made all of it, or the tool rounds between several passes.",
        "Send a probe of random noise through the same tool: it tells the two apart.",
    )
    UNCLEAR = (
        "What the best kernel leaves goes with the picture: the filter is not quite a "
        "convolution, or the picture was changed once more on its way.",
        "Send a probe of random noise through the same tool, and take the file as the tool wrote "
        "it.",
    )
    PERIODIC = (
        "What the best kernel leaves comes again every {period:.2g} {along}: pixels were not all "
        "filtered alike, as by a change of size and back, or a lossy file left its blocks.",
        "Turn off what changes the size in the tool, and take the file as the tool wrote it.",
    )
    NOISE_BEFORE = (
        "The picture before looks as if it had noise of about {sigma:.1f} grey levels that the "
        "tool did not see, which makes weights smaller than they are; rounding between several "
        "passes of a tool looks alike.",
        "Use the very file that went into the tool, not another copy or photograph of it, and one "
        "pass of the tool.",
    )
    FEW = (
        "In so few pixels noise cannot be told from what a lossy file leaves, which bends kernels.",
        "Send a picture of more pixels through the same tool, and take the file as it wrote it.",
    )
    FAINT = (
        "The picture after looks like that before with noise and a faint smoothing: a faint blur "
        "would leave it so, and so would noise in the picture before, which makes weights smaller.",
        "Turn the tool up, or send a probe of random noise through it, and use the very file that "
        "went into it.",
    )
    LOSSY = (
        "The picture after went through {file}, and its losses hide which kernel it was.",
        "Save the picture after as PNG or TIFF instead, and try again.",
    )
    LOSSY_UNLIKE = (
        "The picture after went through {file}, and the nearest kernel explains less than half of "
        "it: the losses are too large, or it is another picture.",
        "Check that both files show the same picture, neither turned nor scaled, and save the one "
        "after as PNG or TIFF.",
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
        "A mixture of the channels explains most of it, but not all: another colour operation has "
        "a part in it.",
        "Turn off what changes colours in the tool, and try again.",
    )
    TOO_SMALL = (
        "There are pixels enough to look for kernels of up to {size} × {size} only, and none of "
        "them explains the pair.",
        "Use pictures of more pixels, with fewer black and white ones.",
    )
    ONE_COLOUR = (
        "A kernel explains all but {share} of the pixels, but those are just the pixels of one "
        "colour: the tool has replaced it.",
        "Turn off what replaces a colour in the tool, or send a probe of random noise through it.",
    )
    TINY = (
        "The pictures are too small to tell a filter from: whole patches of 3 × 3 pixels in them "
        "number {patches}, and it takes some {needed} to tell even the smallest kernels apart.",
        "Send a picture of more pixels, or a probe of random noise, through the same tool.",
    )
    NO_COLOURS = (
        "The picture before is grey, and the one after has colours that no kernel makes of it: "
        "they were not in this picture before.",
        "Bring the colour picture that the tool was given as the one before, or make both grey.",
    )
    SIZES = ("{note}", "Bring both pictures to the same size and view, and try again.")


# What the best kernel leaves goes with the picture, whatever is the cause; or comes again in it.
UNEXPLAINED = frozenset({Reason.UNSTEADY, Reason.UNCLEAR, Reason.NOISE_BEFORE})
PATTERNED = UNEXPLAINED | {Reason.PERIODIC}
# What a probe answers, and what a lossy file explains where one was seen.
PROBED = {
    *(Reason.SMOOTH, Reason.TARGET, Reason.UNSTEADY, Reason.UNCLEAR, Reason.ONE_COLOUR),
    *(Reason.GOES_ON, Reason.TINY, Reason.FAINT),
}
THROUGH_LOSSES = {Reason.UNCLEAR: Reason.LOSSY, Reason.COLOURS: Reason.LOSSY_COLOURS}


class Other(Enum):
    """What explains a pair better than a kernel does: its name in a sentence, and the next step."""

    OPERATION = (
        "{operation}",
        "Use that operation instead of a kernel, or turn it off in the tool and try again.",
    )
    CURVE = (
        "{curve}",
        "Change each pixel by that curve instead of a kernel, or turn it off in the tool and try "
        "again.",
    )
    LIGHT = (
        "a convolution of the light (gamma decoded and encoded)",
        "Decode the picture to light, filter that with the kernel, and encode it again.",
    )
    MATRIX = (
        "a colour matrix, each pixel by itself",
        "Multiply the channels of each pixel by that matrix, before they are rounded and cut off.",
    )
    GREY = (
        "grey of {red:.3f} red, {green:.3f} green and {blue:.3f} blue",
        "Add up the channels of each pixel by those weights, before the sum is rounded.",
    )
    COLOUR = (
        "a colour operation beyond a matrix, such as saturation or hue",
        "Turn off what changes saturation or hue in the tool, and try again.",
    )
    GEOMETRY = (
        "a change of geometry (rotation, scaling) or another picture",
        "Check that both files show the same picture, neither turned nor scaled.",
    )
    TURNED = (
        "the picture turned {turn}",
        "Turn one of the files back, and try again: what else was done to it then shows.",
    )
    CUT = (
        "a part of the picture before, cut out {rows} rows down and {columns} columns to the right",
        "Cut the same part out of before, and try again: a faint filter then shows.",
    )
    VARYING = (
        "a filter that varies over the picture, such as a varying blur",
        "Cut the same small part out of both pictures, where the filter hardly varies, and try "
        "again.",
    )
    POSITION = (
        "an operation that differs between {place} (a mosaic, a change of size, interlacing)",
        "Turn off what scales, pixelates or interlaces the picture in the tool, and try again.",
    )
    WRAPPED = (
        "a kernel whose sums run over at 256 (8-bit arithmetic that does not clip)",
        "Let the tool reckon with wider numbers (16 bits or floating point), and try again.",
    )
    EDIT = (
        "an edit of a part of the picture ({share} of its pixels are changed)",
        "Cut the part that was edited out of both pictures, or send the picture through the filter "
        "alone, and try again.",
    )
    LOSSES = (
        "lossy compression and no filter",
        "If the tool should have filtered, check its setting; a faint filter shows in a PNG or "
        "TIFF.",
    )
    NOISE = (
        "noise and no filter",
        "If the tool should have filtered, check its setting, or turn it up against the noise.",
    )


# Two pictures of different things might be taken for one of these (None: no alternative either).
STRANGERS = {
    *(None, Other.OPERATION, Other.CURVE, Other.LIGHT),
    *(*PATTERNED, Reason.GOES_ON, Reason.TOO_SMALL),
    *(Reason.LOSSY, Reason.COLOURS, Reason.LOSSY_COLOURS),
}
SAME_PICTURE = (
    "Check first that both files show the same picture, neither turned nor scaled: the nearest "
    "kernel explains less than half of it."
)


MODULO = "where a sum lies outside 0 to 255, take it modulo 256, as the tool does"
ABOUT_ONE = "expect differences of about one grey level"


class Note(Enum):
    """What was done to a pair first, or is worth knowing beside the verdict."""

    GREY = "The three channels of {name} are equal: it was taken as grey."
    DEPTHS = "One file has 8 bits a sample and the other 16; white was set equal."
    ALPHA = "The alpha channel was left out, and so were pixels that are not opaque."
    HIDDEN = "The alpha channel was left out: hardly any pixel is opaque."
    SMALLER = "After is smaller by {pixels} pixels on each axis: it was laid over the middle."
    OTHER_SIZE = (
        "After differs in size by {columns:+d} columns and {rows:+d} rows: it was laid over the "
        "middle of before, and what overlaps was used."
    )
    TURNED = "Before is {before} pixels and after {after}: one of them is turned by 90 degrees."
    STRANGERS = "Before is {before} pixels and after {after}: they do not lie over each other."
    LEFT_OUT = "Of {all} pairs, {which} did not go with the others, and nothing here is of it."
    SHIFTED = "After is shifted by {rows} rows and {columns} columns against before: undone."
    SWAPPED = "The files were swapped: the filter leads from the second to the first."
    OFF_CENTRE = (
        "The kernel is {height} × {width} and its middle lies {down:+g} rows and {right:+g} "
        "columns from the pixel: where the two lie over each other, after shows what is in before "
        "{moved}."
    )
    CUT_OFF = "An offset of −0.5: the tool cuts fractions off instead of rounding them."
    OFFSETS = (
        "Any offset from {low:+g} up to {high:+g} makes the same pixels: before it is added, "
        "results are whole numbers over {divisor}."
    )


class _Written(Formatter):
    """Numbers as the page writes them: thousands apart by thin spaces, minus signs."""

    def format_field(self, value: object, spec: str) -> str:
        if isinstance(value, int) and not spec:
            return count(value).replace("-", "−")
        text = super().format_field(value, spec)
        return text.replace("-", "−") if isinstance(value, (int, float)) else text


@dataclass(frozen=True)
class Told:
    """A code with the figures that its sentences name."""

    code: Reason | Other | Note
    figures: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """All of it; of a reason the explanation and the next step."""
        return " ".join(self.sentences())

    def sentences(self) -> tuple[str, ...]:
        """One of a note, two of a reason."""
        texts = (self.code.value,) if isinstance(self.code, Note) else self.code.value
        return tuple(_Written().format(text, **self.figures) for text in texts)


def notes(found: Recovery) -> tuple[str, ...]:
    """What was done to a Recovery's pair first, and what is odd in its kernel, a sentence each.

    What the explanation says is not said again.
    """
    said = () if found.reason is None else found.reason.figures.values()
    told = [note for note in found.noted if note.code != Note.SWAPPED and note not in said]
    if found.verdict.linear:
        top, left, height, width = found.support
        down = top + (height - 1) / 2 - found.size // 2
        right = left + (width - 1) / 2 - found.size // 2
        if max(abs(down), abs(right)) >= 1:
            figures = {"height": height, "width": width, "down": down, "right": right}
            told.append(Told(Note.OFF_CENTRE, {**figures, "moved": _moved(-down, -right)}))
        if found.cuts_off:
            told.append(Told(Note.CUT_OFF))
        for whole in found.fractions if len(found.fractions) == 1 and found.white == 255 else ():
            if whole.offset % 0.5 and whole.rounding == Rounding.HALF_UP:
                low, high = whole.same_offsets
                figures = {"low": low, "high": high, "divisor": whole.divisor}
                told.append(Told(Note.OFFSETS, figures))
    return tuple(map(str, told))


def _moved(down: float, right: float) -> str:
    """ "3 rows further down and 5 columns further right" """
    ways = ((down, "row", ("up", "down")), (right, "column", ("left", "right")))
    return " and ".join(
        f"{abs(by):g} {what}{'s' * (abs(by) != 1)} further {sides[by > 0]}"
        for by, what, sides in ways
        if by
    )


def cuts_off(offset: float | Sequence[float]) -> bool:
    """Whether an offset, or one for each channel, is that of sums cut off instead of rounded."""
    return bool(np.abs(np.atleast_1d(offset) + 0.5).max() <= 0.05)


def explain(found: Recovery, numbers: bool = True) -> tuple[str, str]:
    """(explanation, next step) of a Recovery.

    numbers: with the whole numbers of an exact kernel, where they are not shown beside it.
    """
    if found.verdict == Verdict.CONVOLUTION:
        return _certain(found, numbers)
    if found.verdict == Verdict.NOISY:
        return _noisy(found)
    return _not(found) if found.reason is None else _open(found, found.reason)


def probe_helps(found: Recovery) -> bool:
    """Whether the next step is to send a probe through the tool."""
    return found.reason is not None and _code(found) in PROBED and not _strangers(found)


def bars(found: Recovery) -> str:
    """What the bars of a Recovery's kernel are, where it is `sure`; reads its interval."""
    if not sure(found):
        return "estimated: standard errors"
    left = f" but {_pixels_left_out(found)}" if found.left_out.pixels else ""
    return (
        "guaranteed: no kernel of this size with a weight beyond its bar made this file in one "
        f"rounding{left}{_alone(found)}"
    )


def _alone(found: Recovery) -> str:
    """That the whole numbers are the only ones, if they are."""
    if not found.unrivalled:
        return ""
    divisor = max(whole.divisor for whole in found.fractions)
    among = f" over {divisor} or less" if divisor > 1 else ""
    return f"; no other whole numbers{among} lie between"


def sure(found: Recovery) -> bool:
    """Whether the bars are the ends of the interval: there is one, of the set itself."""
    ends = found.interval
    return ends is not None and ends.tight and bool(np.isfinite([ends.low, ends.high]).all())


def one_rounding(found: Recovery) -> str:
    """What one rounding allows, of a Recovery whose `smallest_bound` may take seconds; or ""."""
    if found.one_rounding is None:
        return ""
    without = f"; {_pixels_left_out(found)} left out" if found.left_out.pixels else ""
    pairs = zip(found.middles, found.bounds, strict=True)
    middle, bound = max(pairs, key=lambda pair: pair[0].least - pair[1])
    allowed = f"½ grey level, and {at_most(bound - 0.5)} for the arithmetic"
    if found.one_rounding:
        # The kernel of the tool's steps is not the one that makes the file at once.
        whose = "of another kernel near this one " if several(found) else ""
        return f"{whose}can have made it: no pixel is off by more than {allowed}{without}"
    size = f"{found.size} × {found.size}"
    return (
        f"no kernel of {size} made this file in one rounding: each is {at_least(middle.least)} "
        f"grey levels off somewhere, or more, and one rounding allows {allowed}{without}"
    )


def several(found: Recovery) -> bool:
    """Whether what is shown comes of more than one rounding."""
    return found.in_steps and found.steps is not None and found.steps.way.roundings > 1


def _pixels_left_out(found: Recovery) -> str:
    number = found.left_out.pixels
    return f"{count(number)} pixel" + ("" if number == 1 else "s")


def _strangers(found: Recovery) -> bool:
    """Whether a picture of something else would look so."""
    code = found.alternative and found.alternative.kind
    return (code if found.reason is None else _code(found)) in STRANGERS and found.unlike


def _code(found: Recovery) -> Reason | None:
    """Why it is undetermined, if so; losses only of a file that was seen to be lossy."""
    code = None if found.reason is None else found.reason.code
    if not isinstance(code, Reason):
        return None
    return THROUGH_LOSSES.get(code, code) if found.compression else code


def _open(found: Recovery, reason: Told) -> tuple[str, str]:
    code, strangers = _code(found) or reason.code, _strangers(found)
    if strangers and found.compression:
        code = Reason.LOSSY_UNLIKE
    said, step = Told(code, {"file": found.compression, **reason.figures}).sentences()
    return said, SAME_PICTURE if strangers and not found.compression else step


def _certain(found: Recovery, numbers: bool) -> tuple[str, str]:
    is_a = f"{_this(found)} is a convolution{_called(found)}"
    apply = f"Apply the kernel{_where(found)}"
    if not found.fractions:
        if found.steps is not None:
            return _in_steps(
                found, found.steps, is_a
            ), f"{apply}; {_step_by_step(found, found.steps)}."
        once = found.in_one_step or found.roundings == 1
        rounding = "rounding" if once else "rounding in several steps"
        small = _small(found.residual)
        as_much = f"{small} grey levels RMS, as {rounding} does" if small != "0" else "nothing"
        left = f"the kernel leaves {as_much}"
        return (
            f"{is_a}: {left}{_but(found)}.",
            f"{apply}; {MODULO if _ran_over(found) else ABOUT_ONE}.",
        )
    is_a += f": {_in_numbers(found)};" if numbers else " in whole numbers:"
    pixels = sum(whole.pixels for whole in found.fractions)
    if undecided := sum(whole.undecided for whole in found.fractions):
        share = 100 * undecided / max(pixels, 1)
        return (
            f"{is_a} every pixel is reproduced but {share:.2g} % "
            f"that lie exactly between two grey levels, which the tool rounds now up, now down"
            f"{_but(found)}.",
            f"{apply}; such pixels may differ by one grey level.",
        )
    if found.left_out.pixels:
        look = "look at the pixels that differ by themselves"
        return (
            f"{is_a} every pixel is reproduced exactly but {count(found.left_out.pixels)}, "
            f"{_why(found)}.",
            f"{apply}; {MODULO if _ran_over(found) else look}.",
        )
    values = "pixels" if _one_each(found) else "values (three a pixel)"
    proof = f"every one of the {count(pixels)} {values} is reproduced exactly"
    if _unchanged(found):
        return (
            f"Before and after are the same: the kernel is the identity; {proof}{_but(found)}.",
            "If the tool should have changed something, check that the file after is its result.",
        )
    return f"{is_a} {proof}{_but(found)}.", f"{apply}; {_exactness(found)}."


def _in_steps(found: Recovery, steps: Found, is_a: str) -> str:
    """How many pixels its passes make, or its parameters."""
    made = percent(found.reproduced)
    bars = ", ".join(f"{name} {within(rounded_up(e, 1))}" for name, e in steps.errors.items())
    known = f", known to {bars}" if bars else ""
    if steps.way.roundings == 1:
        return f"{is_a}{known}: it makes {made} of the pixels exactly{_but(found)}."
    return (
        f"{is_a}{known}, rounded {steps.way.roundings} times on its way: so it makes {made} of the "
        f"pixels exactly, which its kernel in one rounding does not{_but(found)}."
    )


def _step_by_step(found: Recovery, steps: Found) -> str:
    if steps.way.roundings == 1:
        missed = "" if found.reproduced == 1 else " but for some pixels"
        return f"rounded as the file is, it gives the tool's own result{missed or _along(found)}"
    return (
        "in one rounding, expect differences of about one grey level; a program rounds as often as "
        "the tool"
    )


def _in_numbers(found: Recovery) -> str:
    names = ("red ", "green ", "blue ") if len(found.fractions) > 1 else ("",)
    named = zip(names, found.fractions, strict=False)
    return "; ".join(name + _written(fractions) for name, fractions in named)


def _this(found: Recovery) -> str:
    return "With the two files swapped, this" if found.swapped else "This"


def _one_each(found: Recovery) -> bool:
    """Whether a pixel of after has one value, not three."""
    return found.reproduction is None or found.reproduction.ndim == 2


def _unchanged(found: Recovery) -> bool:
    still = found.shift == (0, 0) and not np.any(found.offset) and found.size == 3
    if not still or found.kernel is None or found.channels != Channels.ONE:
        return False
    return bool((found.kernel == IDENTITY).all())


def _but(found: Recovery) -> str:
    """The pixels left out, if there are any."""
    if not found.left_out.pixels:
        return ""
    are = "pixel is" if found.left_out.pixels == 1 else "pixels are"
    return f"; {count(found.left_out.pixels)} {are} left out, {_why(found)}"


def _why(found: Recovery) -> str:
    """What befell the pixels left out."""
    if _ran_over(found):
        return "where the tool's sums ran over 255 or below 0 and began anew"
    return "which something else has changed"


def _ran_over(found: Recovery) -> bool:
    return Left.RAN_OVER in found.left_out.reasons


def _where(found: Recovery) -> str:
    """How far the kernel gives the tool's picture: " with border mode “reflect”"."""
    low, high = found.clip
    cut = [f"below {low}"] * (low > 0) + [f"above {high}"] * (high < found.white)
    cut_off = f", cut off {' and '.join(cut)}" if cut else ""
    by = _moved(-found.shift[0], -found.shift[1])
    return _at_edges(found) + cut_off + (f", moved {by}" if by else "")


def _at_edges(found: Recovery) -> str:
    if found.padding is not None and found.padding in (*Edge, CONSTANT):
        values = np.unique(0.0 if found.padding_value is None else found.padding_value)
        value = f"value {count(round(values[0]))}" if len(values) == 1 else "value of each channel"
        return {
            CONSTANT: f" with the {value} around",
            Edge.RENORMALISED: ", and divide along the edge by the share of the weights inside",
            Edge.COPIED: ", and leave the pixels along the edge as they were",
            Edge.BLACK: ", and make the pixels along the edge black",
            Edge.PLAIN: f", and give the pixels along the edge the {value}",
        }[found.padding]
    if not found.reaches_out:
        return ""
    modes = {*found.padding_sides} - {None}
    if len(modes) == 1 and modes <= {*MODES}:
        return f" with border mode “{modes.pop()}”"
    return f" inside the picture ({'its sides differ' if modes else 'its edges tell no border'})"


def _along(found: Recovery) -> str:
    """The pixels along the border that are not the tool's, if there are any."""
    missed = found.border_missed
    pixels = "pixel" if missed == 1 else "pixels"
    return f" but for {count(missed)} {pixels} along the border" if missed else ""


def _exactness(found: Recovery) -> str:
    """By what rounding exact fractions give the tool's own result."""
    fractions = found.fractions
    own = f"it gives the tool's own result{_along(found) or ', bit for bit'}"
    if all(whole.by_half_up for whole in fractions):
        return f"rounded half up, {own}"
    even = {whole.rounding for whole in fractions} == {Rounding.HALF_EVEN}
    if even and all(whole.arithmetic == "exact" for whole in fractions):
        return f"{ROUNDED[Rounding.HALF_EVEN]}, {own}"
    return "only sums exactly between two grey levels may fall otherwise than the tool's"


def _noisy(found: Recovery) -> tuple[str, str]:
    left = f"{_small(found.residual)} grey levels RMS"
    known = _known(found)
    is_a = f"{_this(found)} is a convolution{_called(found)}"
    if not found.compression and found.in_passes:
        return (
            f"{is_a}, with a little noise: {left} are left, as rounding after each of several "
            f"passes leaves them; {known}{_but(found)}.",
            f"Apply the kernel{_where(found)}; expect differences of one or two grey levels.",
        )
    floor = f"rounding alone leaves {figure(found.rounding_floor)}"
    if found.compression:
        return (
            f"{is_a}, with the losses of {found.compression}: {left} are left ({floor}); {known}"
            f"{_but(found)}.",
            "Save the picture after as PNG or TIFF instead to be sure of each digit of the kernel.",
        )
    return (
        f"{is_a}, with noise: {left} are left ({floor}) and do not depend on the picture; {known}"
        f"{_but(found)}.",
        "Average several pictures that the tool made of one, or use one of more pixels: bars "
        "shrink.",
    )


def _known(found: Recovery) -> str:
    """How well the kernel is known: by its weights, or by its family alone."""
    of = found.smoothing
    if of is None:
        share = within(rounded_up(_worst_share(found), 1))
        return f"every weight is known to {share} % of the largest"
    bar = within(rounded_up(max(of.bar, 0.001), 1))
    width = f"{of.width:.3f} {bar}"
    measure = f"sigma {width}" if of.family == "Gaussian" else f"{width} pixels"
    return (
        f"it is known as a {of.family} of {measure}; the single weights are not in this file "
        "(those shown are the family's)"
    )


def _not(found: Recovery) -> tuple[str, str]:
    best = f"the best kernel leaves {_small(found.residual)} grey levels RMS"
    other, strangers = found.alternative, _strangers(found)
    if other is None:
        return (
            f"This is not a convolution: {best}, which depend on what is in the picture.",
            SAME_PICTURE
            if strangers
            else "Look where the residual is large: there the tool does what no kernel can.",
        )
    if other.reproduced == 1:
        all_of_them = "every pixel that counts is reproduced exactly"
        return f"This is not a convolution: it is {other.name}; {all_of_them}.", other.remedy
    beside = "" if other.residual is None else f", against {_small(other.residual)} by that"
    if other.reproduced is not None:
        beside += f", which reproduces {percent(other.reproduced)} of the pixels"
    compared = "" if found.kernel is None else f"; {best}{beside}"
    step = SAME_PICTURE if strangers else other.remedy
    return f"This is not a convolution: it looks like {other.name}{compared}.", step


def _small(left: float) -> str:
    """Grey levels RMS; dust of floating point is none."""
    return figure(left if left > 1e-3 else 0)


def _called(found: Recovery) -> str:
    called = f" ({found.catalogue_name})" if found.catalogue_name else ""
    return called + {
        Channels.EACH: ", with another kernel for each channel",
        Channels.GREY: " of the picture made grey",
        Channels.MIXTURE: " that mixes the channels",
    }.get(found.channels, "")


def _worst_share(found: Recovery) -> float:
    """The largest standard error in per cent of the largest weight."""
    kernel, errors = found.kernel, found.standard_error
    if kernel is None or errors is None:
        return np.inf
    finite = errors[np.isfinite(errors)]
    return 100 * float(finite.max(initial=0)) / max(float(np.abs(kernel).max()), 1e-12)


def _written(fractions: Fractions) -> str:
    """ "[[-1, 0, 1], ...] / 4 + 128, rounded half up" """
    numerators = fractions.numerators
    text = (
        str(numerators.tolist()).replace("-", "−")
        if numerators.size <= 25
        else f"{len(numerators)} × {len(numerators)} whole numbers"
    )
    if fractions.divisor != 1:
        text += f" / {fractions.divisor}"
    if fractions.offset:
        text += f" {'+' if fractions.offset > 0 else '−'} {abs(fractions.offset):g}"
    rule = ROUNDED.get(fractions.rounding)
    return f"{text}, {rule}" if rule else text
