"""The record of what explains pairs: its kernels, what they make, what explains more than they.

Kernels are held once more against all of the picture, where they were not fitted to it as well.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from kernel_demo.learning.certificate import ROUNDING
from kernel_demo.recovery import (
    alignment,
    alternatives,
    fitting,
    judging,
    naming,
    outliers,
    polytope,
    proving,
    redone,
    reproduction,
)
from kernel_demo.recovery.alignment import Pair, Plane
from kernel_demo.recovery.channels import Arrangement
from kernel_demo.recovery.explanations import Channels, Other, Told, Verdict, cuts_off
from kernel_demo.recovery.fractions import Fractions
from kernel_demo.recovery.polytope import Chebyshev, Polytope
from kernel_demo.recovery.record import UNSEEN, Recovery
from kernel_demo.recovery.rivals import Alternative
from kernel_demo.recovery.verdicts import UNCLEAR, Judgement, edit, one_colour

# What is more off than this many grey levels, or this many times the residual, is not the kernel's.
TWO_LEVELS, GROSS = 2.0, 6.0
RARELY = 0.2  # ... so many times the residual leave half of the pixels, at most, where few are off
# Grey levels: where no residual of the middle comes so near to one half, the set has room; and the
# seconds in which its extent is worked out.
FULL, WIDENED, HALF = 0.495, 3.0, 0.5
# Weights whose extent is asked first, and up to which all of them are: it takes a second.
ASKED, MANY = 9, 49
# Pixels beside the border of which noise is as strong as elsewhere: not so many times, squared.
# Of smaller pictures than have half of their pixels within, none is told.
BORDER, FRAMED, WITHIN = 4, 10.0, 0.5


@dataclass(frozen=True, eq=False)
class Analysis:
    """What explains some pairs, and the verdict on it."""

    pairs: list[Pair]
    notes: tuple[Told, ...]  # what was done to them first
    found: Arrangement | None  # None: nothing could be fitted
    judgement: Judgement


def reported(seen: Analysis, title: str, swapped: bool = False) -> Recovery:
    """Everything that can be told of the pairs; pictures are those of the first."""
    result = _by_kernels(seen, title, swapped)
    weights = None if seen.found is None else seen.found.weights
    if result.verdict.linear:
        return replace(result, alternative=alternatives.matrix(result, seen.pairs))
    if result.verdict == Verdict.UNDETERMINED:
        return _redone(result, seen.pairs)
    other = result.alternative
    if other is None or other.residual is None:
        other = alternatives.curve(seen.pairs) or other
    elif not other.code:
        other = alternatives.told(other, seen.pairs, weights)
    if weights is not None:
        other = alternatives.greyed(other, seen.pairs)
    if other is not None and other.residual is not None and not explained(other):
        plainer = redone.by_pixel(seen.pairs, result)
        left = np.inf if plainer is None or plainer.residual is None else plainer.residual
        other = plainer if left < other.residual else other
    if _refuted(other, result) or _straight(other, seen.pairs, weights):
        return _redone(judged(result, UNCLEAR), seen.pairs)
    return replace(result, alternative=other)


def _redone(result: Recovery, pairs: list[Pair]) -> Recovery:
    """What is undetermined, unless an operation that is no kernel makes the file again."""
    known_why = result.reason is None or result.reason.code not in redone.OPEN
    other = None if known_why else redone.find(pairs, result)
    return result if other is None else judged(result, Judgement(Verdict.NOT, other))


def _refuted(other: Alternative | None, result: Recovery) -> bool:
    """Whether the kernel leaves less of the whole picture than what is to explain it better.

    A matrix that leaves one rounding of a picture may be one that was cut off, where many pixels
    were; so may grey behind JPEG, which smears what was cut off over what was not.
    """
    if result.kernel is None:
        return False
    cut_off = result.used_fraction < judging.MOSTLY
    if cut_off and result.channels == Channels.GREY and not explained(other):
        return True
    if other is not None and other.kind == Other.COLOUR:
        return cut_off and result.residual <= fitting.ONE_ROUNDING * ROUNDING
    return other is not None and (other.residual or 0) > result.residual


def _straight(
    other: Alternative | None, pairs: list[Pair], weights: Sequence[float] | None
) -> bool:
    """Whether what looks like a curve may be a line that was cut off, and saved as JPEG."""
    if other is None or other.kind != Other.CURVE or explained(other):
        return False
    return redone.line_as_well(other, pairs, weights)


def explained(other: Alternative | None) -> bool:
    """Whether it makes all but a few pixels."""
    return other is not None and other.explains


def _by_kernels(seen: Analysis, title: str, swapped: bool) -> Recovery:
    """All but what is known beside the kernels."""
    found, judgement, pair = seen.found, seen.judgement, seen.pairs[0]
    exact: tuple[Fractions, ...] = ()
    if found is not None:
        found, judgement, exact = proving.proved(found, judgement)
    low, high = (level // pair.step for level in pair.clip)
    bare = Recovery(
        judgement.verdict,
        judgement.reason,
        alternative=judgement.alternative,
        fractions=exact,
        swapped=swapped,
        white=pair.peak // pair.step,
        clip=(low, high),
        noted=seen.notes,
        title=title,
    )
    if found is not None:
        result = _of_all(_applied(bare, found), found)
        result = _without_a_colour(_without_an_edit(result, found.pairs), found.pairs[0])
        return naming.by_a_tool(result, found)
    open_range = [alignment.between(p.after, p.clip).mean() for p in seen.pairs]
    return replace(bare, used_fraction=float(np.mean(open_range)))


def _applied(bare: Recovery, found: Arrangement) -> Recovery:
    """The record with its kernels, what they are called and what they make of the picture."""
    pair, (kernels, offsets, errors) = found.pairs[0], found.kernels(bare.fractions)
    alone, censored = len(offsets) == 1, found.censored
    if not bare.fractions:
        # Weights that the fit went without are as sure as the others, not certainly 0.
        errors = np.where(errors > 0, errors, errors.max(axis=(2, 3), keepdims=True))
    result = replace(
        bare,
        kernel=kernels,
        offset=offsets[0] if alone else tuple(offsets),
        standard_error=errors,
        shift=pair.origin,
        residual=float(found.variance**0.5 / pair.step),  # until it is known of these very kernels
        used_fraction=found.used,
        channels=found.mode,
        channel_weights=found.weights,
        compression="" if found.compressed is None else str(found.compressed),
        coefficients=None if censored is None else censored.alike,
        smoothing=None if censored is None else censored.smoothing,
    )
    return _told(naming.called(result, behind=found), found.pairs)


def _told(result: Recovery, pairs: list[Pair]) -> Recovery:
    """The record with what its kernels make, and what one rounding allows.

    Where no round numbers are known, the kernels are the middle of those that it allows.
    """
    kernels, whole_levels = result.kernel, pairs[0].before.dtype.kind == "u"
    if kernels is None or result.verdict == Verdict.NOT or not (result.in_passes and whole_levels):
        return reproduction.told(result, pairs)
    outputs, anywhere = _of_outputs(kernels, pairs), np.ones(kernels[0].squeeze().shape, bool)
    result = replace(result, polytopes=tuple(Polytope.of(o, anywhere) for o in outputs))
    if result.verdict == Verdict.CONVOLUTION and not result.fractions:
        result = _centred(result)
    elif cuts_off(result.offset) and result.verdict == Verdict.CONVOLUTION and not result.cuts_off:
        result = _widened(result)
    return reproduction.told(result, pairs)


def _centred(result: Recovery) -> Recovery:
    """The same with the kernels whose largest residual is smallest, where that is one rounding.

    Where next to nothing was rounded, as of whole numbers, least squares is exact already. Bars are
    those of least squares, which takes rounding for noise. Where the middle leaves room beside it,
    as in smooth pictures, or the set reaches beyond those bars, as where sums take few values,
    rounding is none: anything within the interval is as likely, and its centre is told.
    """
    if result.residual <= fitting.NEARLY_EXACT:
        return result
    assert result.kernel is not None  # of a convolution
    assert result.standard_error is not None
    kernels, offsets = result.kernel.copy(), np.array(result.offset, ndmin=1)
    errors = result.standard_error.copy()
    for output, (part, bound) in enumerate(zip(result.polytopes, result.bounds, strict=True)):
        free = part.free & (kernels[output] != 0).squeeze()
        if not free.any():  # a channel of one level has no kernel
            continue
        shape = replace(part, free=free)
        middle = shape.middle_within(bound) if free.sum() < polytope.WIDEST else None
        if middle is None:
            return result
        kernels[output] = middle.kernel
        offsets[output] = middle.offset
        roomy = middle.largest < FULL
        errors[output], centre = _as_far_as_allowed(shape, bound, middle, errors[output], roomy)
        if centre is not None:
            kernels[output], offsets[output] = centre
    offset = float(offsets[0]) if len(offsets) == 1 else tuple(offsets.tolist())
    return naming.called(replace(result, kernel=kernels, standard_error=errors, offset=offset))


def _widened(result: Recovery) -> Recovery:
    """The same with bars of round numbers, cut off, as wide as one rounding allows others.

    Where sums take so few values that a kernel without an offset makes the same of them, rounding
    is no noise, and bars of least squares are too small.
    """
    kernels, bars = result.kernel, result.standard_error
    assert kernels is not None  # of a convolution
    assert bars is not None
    errors = bars.copy()
    for output, (part, bound) in enumerate(zip(result.polytopes, result.bounds, strict=True)):
        shape = replace(part, free=part.free & (kernels[output] != 0).squeeze())
        middle = shape.middle_within(bound) if shape.free.sum() < polytope.WIDEST else None
        if middle is not None:
            errors[output], _ = _as_far_as_allowed(shape, bound, middle, errors[output])
    return replace(result, standard_error=errors)


def _as_far_as_allowed(
    shape: Polytope, bound: float, middle: Chebyshev, errors: np.ndarray, roomy: bool = False
) -> tuple[np.ndarray, tuple[np.ndarray, float] | None]:
    """Bars that reach half of the way that one rounding allows weights, and its centre.

    None: it does not reach beyond the bars (errors), or its centre is not known. That the largest
    weights reach beyond theirs is asked first, unless it is `roomy`; of many weights all bars grow
    as theirs do.
    """
    at, room = shape.room(bound, middle, ASKED)
    bars = errors.ravel()[at]
    beyond = bool((room > bars).any())
    few = shape.free.sum() <= MANY
    wide = None
    if roomy or (beyond and few):
        wide = shape.interval(bound, time.monotonic() + WIDENED, middle)
    if wide is not None and (roomy or wide.tight):
        errors = np.maximum(errors, HALF * (wide.high - wide.low).reshape(errors.shape))
    elif beyond and np.isfinite(room).all() and bars.all():
        errors = errors * float((room / bars).max())
    if not beyond or wide is None or wide.centre is None:
        return errors, None
    return errors, (wide.centre, wide.centre_offset)


def _of_outputs(kernels: np.ndarray, pairs: list[Pair]) -> Iterator[list[Plane]]:
    """For each kernel of a record the planes that it explains; of a mixture, all inputs."""
    outputs, inputs = kernels.shape[:2]
    for output in range(outputs):
        if inputs == 1:
            yield alignment.planes_of(pairs, output if outputs > 1 else None)
        else:
            planes = (pair.plane() for pair in pairs)
            yield [replace(plane, after=plane.after[..., output]) for plane in planes]


def _of_all(result: Recovery, found: Arrangement) -> Recovery:
    """The same, unless the kernel fails where pixels were not fitted to: at the clip levels."""
    pair = found.pairs[0]
    if not result.verdict.linear:
        return result
    assert result.residual_map is not None  # _told() has made it
    left = float(found.variance**0.5 / pair.step)
    lost = np.abs(result.residual_map.reshape(pair.after.shape)).max(axis=2)
    gross = lost > max(TWO_LEVELS, GROSS * left)
    radius = result.size // 2 + max(map(abs, result.shift))
    gross[:radius] = gross[:, :radius] = False
    gross[gross.shape[0] - radius :] = gross[:, gross.shape[1] - radius :] = False
    if pair.counted is not None:
        gross &= pair.counted
    beyond = np.count_nonzero(gross) / gross.size
    noisy = result.verdict == Verdict.NOISY
    if noisy and (_more_outside(lost, pair.counted) or _rare(result, lost, left)):
        return judged(result, UNCLEAR)
    if beyond > outliers.SPOKEN_OF:
        judgement = edit(beyond) if outliers.together([gross]) else UNCLEAR
        return judged(result, judgement)
    if beyond == 0 or result.verdict != Verdict.CONVOLUTION:
        return result
    mask = gross if pair.outliers is None else gross | pair.outliers
    return _told(result, [replace(pair, outliers=mask), *found.pairs[1:]])


def _more_outside(lost: np.ndarray, counted: np.ndarray | None) -> bool:
    """Whether far more is left beside the border than within: a frame, and no noise."""
    squares = lost**2 if counted is None else np.where(counted, lost**2, np.nan)
    inner = np.zeros(lost.shape, bool)
    inner[BORDER:-BORDER, BORDER:-BORDER] = True
    if inner.mean() < WITHIN:
        return False
    return bool(np.nanmean(squares[~inner]) > FRAMED * np.nanmean(squares[inner]))


def _rare(result: Recovery, lost: np.ndarray, left: float) -> bool:
    """Whether few pixels leave nearly all: something has changed them, and noise all pixels.

    Half of all errors are within 0.67 of what normal noise leaves (RMS), where nothing is cut off.
    Losses are few in skies.
    """
    assert result.reproduction is not None  # _told() has made it
    made = result.reproduction.reshape(*lost.shape, -1)
    lost = lost[alignment.between(made, result.clip).all(axis=2)]
    if result.compression or left <= TWO_LEVELS or lost.size == 0:
        return False
    return float(np.median(lost)) < RARELY * left


def _without_an_edit(result: Recovery, pairs: list[Pair]) -> Recovery:
    """The same, unless all but what is left out is as it was before: then that edit is all.

    What is left out where the picture is busy may be a filter's, of a picture that is plain else.
    """
    mask = result.left_out.mask
    if mask is None or not result.verdict.linear:
        return result
    first = replace(pairs[0], outliers=mask)
    if not all(outliers.only_edited(pair) for pair in (first, *pairs[1:])):
        return result
    if outliers.among_details(first, mask):
        return judged(result, UNCLEAR)
    return judged(result, edit(result.left_out.share))


def _without_a_colour(result: Recovery, pair: Pair) -> Recovery:
    """The same, unless what is left out are the pixels of a colour, before or as filtered."""
    mask = result.left_out.mask
    if mask is None or not result.verdict.linear:
        return result
    assert result.reproduction is not None  # _told() has made it
    there, here = alignment.common(pair.before, pair.after, pair.origin)
    made = result.reproduction.reshape(pair.after.shape)
    seen = (pair.before[there], made[here])
    if any(outliers.of_one_colour(picture, mask[here]) for picture in seen):
        if alignment.heaped(pair.after, pair.peak):  # it was cut off at that level
            return judged(result, UNCLEAR)
        return judged(result, one_colour(result.left_out.share))
    return result


def judged(result: Recovery, judgement: Judgement) -> Recovery:
    """The record with another verdict, and without what only a kernel can tell."""
    bare = replace(result, padding_sides=UNSEEN, padding_value=None, fractions=())
    return replace(
        bare,
        verdict=judgement.verdict,
        reason=judgement.reason,
        alternative=judgement.alternative,
    )
