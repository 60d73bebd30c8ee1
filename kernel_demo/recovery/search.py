"""A pair, or several of one filter, from the arrays to the Recovery.

The work in its order: pairs that go together (alignment), the kernels that explain them (channels),
the verdict (judging), all of it once more for pictures that are displaced or swapped, and then the
record: round numbers (fractions), the border and the picture (reproduction), the name (known).
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from kernel_demo.errors import DemoError, odd
from kernel_demo.imaging.filtering import correlate_valid
from kernel_demo.learning.certificate import ROUNDING
from kernel_demo.recovery import (
    alignment,
    alternatives,
    channels,
    families,
    fitting,
    fractions,
    judging,
    known,
    luma,
    outliers,
    periods,
    polytope,
    redone,
    reproduction,
)
from kernel_demo.recovery.alignment import Pair, Plane
from kernel_demo.recovery.channels import Arrangement
from kernel_demo.recovery.evidence import betrayed
from kernel_demo.recovery.explanations import (
    PATTERNED,
    Channels,
    Note,
    Other,
    Reason,
    Told,
    Verdict,
)
from kernel_demo.recovery.fractions import Fractions
from kernel_demo.recovery.judging import Judgement
from kernel_demo.recovery.known import Name
from kernel_demo.recovery.polytope import Chebyshev, Polytope
from kernel_demo.recovery.recompression import share_alike
from kernel_demo.recovery.record import UNSEEN, Recovery
from kernel_demo.recovery.rivals import Alternative

MIN_SIZE, MAX_SIZE = 3, 31
Files: TypeAlias = tuple[np.ndarray, np.ndarray]  # before and after
# What is more off than this many grey levels, or this many times the residual, is not the kernel's.
TWO_LEVELS, GROSS = 2.0, 6.0
RARELY = 0.2  # ... so many times the residual leave half of the pixels, at most, where few are off
# Share of the other pixels' variance that a kernel must explain for an edit to be told: where after
# is of one level, any kernel with no weight is obeyed.
LEAST = 0.5
# ... and of a moved picture, at least, for it to be looked at as closely: by a kernel of that size
# and pixels from everywhere, or in a few tiles, of which a wide kernel explains some by chance.
NARROW, SOMETHING, SOMETHING_IN_TILES = 7, 0.03, 0.25
NEARLY_ALL = 0.9  # ... and that the middle of a larger kernel must, to be told
# Grey levels by which the channels of a picture of colours differ, and the share of the variance of
# that which no kernel of a grey picture makes, where the colours are not of that picture.
COLOURED, FROM_ELSEWHERE = 2.0, 0.5
PAINTED = (Other.EDIT, Other.TURNED, Other.CUT)  # what is said of such a picture holds in grey too
# Times the errors of arithmetic that must be left beyond one rounding for kernels to be too small.
CLEARLY = 4.0
# Reasons that several roundings look like, or a kernel of which only the middle was searched.
HIDDEN = PATTERNED | {Reason.ROUNDED, Reason.LARGER, Reason.GOES_ON, Reason.TOO_LARGE}
OF_TOOLS = 0.02  # grey levels that the arithmetic of a kernel with a name may err by, at most
SEVERAL = 0.8  # grey levels RMS that several roundings leave, at most, of a kernel whose peak is 1
# Grey levels: where no residual of the middle comes so near to one half, the set has room; and the
# seconds in which its extent is worked out.
FULL, WIDENED = 0.495, 3.0
# Pixels beside the border of which noise is as strong as elsewhere: not so many times, squared.
# Of smaller pictures than have half of their pixels within, none is told.
BORDER, FRAMED, WITHIN = 4, 10.0, 0.5
RANK = (Verdict.UNDETERMINED, Verdict.NOT, Verdict.NOISY, Verdict.CONVOLUTION)


@dataclass(frozen=True, eq=False)
class Analysis:
    """What explains some pairs, and the verdict on it."""

    pairs: list[Pair]
    notes: tuple[Told, ...]  # what was done to them first
    found: Arrangement | None  # None: nothing could be fitted
    judgement: Judgement


def recover(before: np.ndarray, after: np.ndarray, max_size: int = 15, name: str = "") -> Recovery:
    """The filter that made `after` of `before`.

    before, after: uint8 or uint16, H x W or H x W x C (C = 1 to 4; an alpha channel is left out).
    max_size: the largest kernel to look for, odd, 3 to 31. name: what to call the pair.
    Any two pictures have a Recovery; DemoError is for arrays that are no pictures, or the size.
    """
    return recover_many([(before, after)], max_size, name)


def recover_many(pairs: Sequence[Files], max_size: int = 15, name: str = "") -> Recovery:
    """The one filter behind several pairs (before, after); pictures are the first pair's."""
    max_size = odd("max_size", max_size, MIN_SIZE, MAX_SIZE)
    if not pairs:
        raise DemoError("at least one pair of pictures", "none", "Choose a before and an after.")
    usable, notes = _prepared(pairs, max_size)
    frames = [] if usable else [_framed(before, after) for before, after in pairs]
    if frames and all(frames):
        return Recovery(Verdict.NOT, alternative=frames[0], noted=notes[:-1], title=name)
    if not usable:
        reason = Told(Reason.SIZES, {"note": notes[-1]})
        return Recovery(Verdict.UNDETERMINED, reason, noted=notes, title=name)
    seen = _analysed(usable, notes, max_size)
    if seen.judgement.verdict != Verdict.CONVOLUTION:
        seen = _turned(_displaced(seen, max_size) or seen)
    result = _told_apart(_reported(seen, name), usable)
    return result if result.fractions else _swapped(pairs, max_size, result) or result


def _told_apart(result: Recovery, pairs: Sequence[Pair]) -> Recovery:
    """What is not certified, by the plainest reason: too few pixels, or colours from elsewhere."""
    if result.verdict.linear:
        return result
    sides = (pair.overlap()[1].shape[:2] for pair in pairs)
    patches = sum(max(0, height - 2) * max(0, width - 2) for height, width in sides)
    needed = judging.DISTINCT * MIN_SIZE**2
    if result.verdict == Verdict.UNDETERMINED and patches < needed:
        tiny = Told(Reason.TINY, {"patches": patches, "needed": needed})
        return _judged(result, Judgement(Verdict.UNDETERMINED, reason=tiny))
    if _coloured(result, pairs[0]):
        return _judged(result, Judgement(Verdict.UNDETERMINED, reason=Told(Reason.NO_COLOURS)))
    return result


def _coloured(result: Recovery, pair: Pair) -> bool:
    """Whether after has colours that nothing makes of a grey picture before.

    A tint, or kernels of their own for red, green and blue, leave little of the differences between
    channels; so does a filter that is no kernel, whose picture is tinted.
    """
    if (pair.before.shape[2], pair.after.shape[2]) != (1, 3) or result.residual_map is None:
        return False
    other, reason = result.alternative, result.reason
    known_why = reason is not None and reason.code == Reason.ONE_COLOUR
    if known_why or _explained(other) or (other is not None and other.kind in PAINTED):
        return False
    maps = [result.residual_map, *([] if other is None else [other.residual_map])]
    left = min(_colour(one) for one in maps if one is not None)
    all_of_it = _colour(pair.levels)
    some = COLOURED * result.white / 255
    return all_of_it > some**2 and left > FROM_ELSEWHERE * all_of_it


def _colour(picture: np.ndarray) -> float:
    """Variance of what each channel (h x w x 3) has beside the mean of the three."""
    beside = picture - picture.mean(axis=2, keepdims=True, dtype=np.float32)
    return float(beside.var(axis=(0, 1)).mean())


def _framed(before: np.ndarray, after: np.ndarray) -> Alternative | None:
    """What made after of another size, where no filter did; None: that is open."""
    # A kernel whose results are all kept adds its size less 1.
    if max(np.subtract(after.shape[:2], before.shape[:2])) >= MAX_SIZE:
        return Alternative(Other.GEOMETRY)
    place = alignment.cut_out(before, after)
    if place is None:
        return None
    return Alternative(Other.CUT, figures=dict(zip(("rows", "columns"), place, strict=True)))


def _prepared(pairs: Sequence[Files], max_size: int) -> tuple[list[Pair], tuple[Told, ...]]:
    """The pairs that can be used together, and notes on all."""
    prepared: list[Pair | None] = []
    notes: list[Told] = []
    for before, after in pairs:
        pair, told = alignment.prepare(before, after, max_size)
        prepared.append(pair)
        notes += [note for note in told if note not in notes]
    kinds = [p and (p.before.shape[2], p.after.shape[2], p.peak, p.step) for p in prepared]
    if not any(kinds):
        return [], tuple(notes)
    ((usual, _),) = Counter(filter(None, kinds)).most_common(1)
    others = [str(number) for number, kind in enumerate(kinds, 1) if kind != usual]
    if others:
        which = ("pair " if len(others) == 1 else "pairs ") + " and ".join(others)
        notes.append(Told(Note.LEFT_OUT, {"which": which, "all": len(pairs)}))
    matching = zip(prepared, kinds, strict=True)
    return [pair for pair, kind in matching if pair and kind == usual], tuple(notes)


def _analysed(pairs: list[Pair], notes: tuple[Told, ...], max_size: int) -> Analysis:
    found = channels.arrange(pairs, max_size)
    if found is None:
        return Analysis(pairs, notes, None, judging.judge(None, max_size, pairs))
    if not found.at_floor:
        found = luma.settled(channels.through_jpeg(found))
    changed = None
    rings = None if found.at_floor or found.mode == Channels.GREY else outliers.copied(pairs)
    rest = channels.arrange(rings, max_size) if rings else None
    if rings is not None and rest is not None and rest.in_one_rounding:
        pairs, found = rings, rest
    if not found.at_floor and found.censored is None and found.mode != Channels.GREY:
        changed = outliers.find(pairs)
    if changed is not None and not changed.wrapped:
        rest = channels.arrange(changed.pairs, max_size) if changed.told else None
        if rest is None or not rest.in_one_rounding or rest.explained < LEAST:
            changed = None
        elif changed.few:
            pairs, found, changed = changed.pairs, rest, None
    if found.censored is None:
        found = channels.doubted(found)
    judgement = judging.judge(found, max_size, pairs)
    lossy = found.compressed is not None and found.mode == Channels.ONE
    if lossy and judgement.verdict == Verdict.UNDETERMINED:
        fit = found.fits[0]
        shares = [outliers.painted(pair, fit.kernel, fit.offset) for pair in pairs]
        judgement = judging.edit(float(np.mean(shares))) if all(shares) else judgement
    if changed is not None:
        judgement = judging.edited(judgement, changed)
    return Analysis(pairs, notes, found, judgement)


def _displaced(seen: Analysis, max_size: int) -> Analysis | None:
    """The same after laying after over before anew, where that explains more."""
    moved = []
    for pair in seen.pairs:
        origin = alignment.displacement(pair) or pair.origin
        distance = max(abs(a - b) for a, b in zip(origin, pair.origin, strict=True))
        # What is nearer lies well inside the largest kernel and has been found without this.
        moved.append(replace(pair, origin=origin) if distance > max_size // 4 else pair)
    stayed = all(a.origin == b.origin for a, b in zip(moved, seen.pairs, strict=True))
    least = min(min(pair.overlap()[1].shape[:2]) for pair in moved)
    if stayed or least < 8 * MIN_SIZE:
        return None
    if not _promising(moved, max_size):
        return None
    rows, columns = moved[0].origin
    shifted = Told(Note.SHIFTED, {"rows": -rows, "columns": -columns})
    # What overlaps little shows small kernels only, and noise may make anything of it.
    size = min(max_size, least // 4 - 1 | 1)
    other = _analysed(moved, (*seen.notes, shifted), size)
    if size < max_size and other.judgement.verdict != Verdict.CONVOLUTION:
        return None
    return other if _explains_more(other, seen) else None


def _promising(moved: list[Pair], max_size: int) -> bool:
    """Whether a kernel explains something of the moved pairs, by some of their pixels.

    A small mixture of all channels sees what any kernel makes of a photo; what weights far from the
    middle make of noise, a wide kernel of each channel.
    """
    shares = (
        channels.explained(moved, NARROW),
        fitting.explained(alignment.planes_of(moved), max_size),
    )
    least = SOMETHING, SOMETHING_IN_TILES
    return any(a is None or a > b for a, b in zip(shares, least, strict=True))


def _turned(seen: Analysis) -> Analysis:
    """The same, but for a picture that shows what it did before turned, and no kernel explains."""
    if seen.judgement.verdict.linear or (seen.found and seen.found.explained > LEAST):
        return seen
    turns = {alignment.turned(pair) for pair in seen.pairs}
    if len(turns) > 1 or None in turns:
        return seen
    turn = Alternative(Other.TURNED, figures={"turn": turns.pop()})
    return replace(seen, judgement=Judgement(Verdict.NOT, turn))


def _explains_more(other: Analysis, seen: Analysis) -> bool:
    """A convolution where there was none, or a much clearer one; or most of a larger one."""
    verdict, reason = other.judgement.verdict, other.judgement.reason
    if seen.found and reason is not None and reason.code in (Reason.LARGER, Reason.TOO_LARGE):
        nearly = other.found is not None and other.found.explained > NEARLY_ALL
        return seen.found.explained < LEAST and nearly
    better = RANK.index(verdict) - RANK.index(seen.judgement.verdict)
    if not verdict.linear or better < 0:
        return False
    if seen.found is None or other.found is None:
        return better > 0
    clearer = other.found.variance < 0.5 * seen.found.variance
    return (better > 0 or clearer) and other.found.explained > seen.found.explained


def _swapped(pairs: Sequence[Files], max_size: int, straight: Recovery) -> Recovery | None:
    """The recovery with before and after exchanged, if that is clearly the way it was.

    The way back from a mild sharpening is close to a blur, and a blur makes noise small: only
    fractions that are exact prove the exchange.
    """
    usable, notes = _prepared([(after, before) for before, after in pairs], max_size)
    if not usable or usable[0].before.shape[2] != usable[0].after.shape[2]:
        return None
    planes = alignment.planes_of(usable, 0)
    if fitting.hopeless(planes, max_size):
        return None
    quick = fitting.fit(alignment.sample(planes, fitting.SAMPLE), max_size)
    if quick is None or not quick.at_floor:
        return None
    seen = _analysed(usable, (*notes, Told(Note.SWAPPED)), max_size)
    if seen.judgement.verdict != Verdict.CONVOLUTION:
        return None
    result = _reported(seen, straight.title, swapped=True)
    return result if result.bit_exact else None


def _reported(seen: Analysis, title: str, swapped: bool = False) -> Recovery:
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
    if other is not None and other.residual is not None and not _explained(other):
        plainer = redone.by_pixel(seen.pairs, result)
        left = np.inf if plainer is None or plainer.residual is None else plainer.residual
        other = plainer if left < other.residual else other
    if _refuted(other, result) or _straight(other, seen.pairs, weights):
        return _redone(_judged(result, judging.UNCLEAR), seen.pairs)
    return replace(result, alternative=other)


def _redone(result: Recovery, pairs: list[Pair]) -> Recovery:
    """What is undetermined, unless an operation that is no kernel makes the file again."""
    known_why = result.reason is None or result.reason.code not in redone.OPEN
    other = None if known_why else redone.find(pairs, result)
    return result if other is None else _judged(result, Judgement(Verdict.NOT, other))


def _refuted(other: Alternative | None, result: Recovery) -> bool:
    """Whether the kernel leaves less of the whole picture than what is to explain it better.

    A matrix that leaves one rounding of a picture may be one that was cut off, where many pixels
    were; so may grey behind JPEG, which smears what was cut off over what was not.
    """
    if result.kernel is None:
        return False
    cut_off = result.used_fraction < judging.MOSTLY
    if cut_off and result.channels == Channels.GREY and not _explained(other):
        return True
    if other is not None and other.kind == Other.COLOUR:
        return cut_off and result.residual <= fitting.ONE_ROUNDING * ROUNDING
    return other is not None and (other.residual or 0) > result.residual


def _straight(
    other: Alternative | None, pairs: list[Pair], weights: Sequence[float] | None
) -> bool:
    """Whether what looks like a curve may be a line that was cut off, and saved as JPEG."""
    if other is None or other.kind != Other.CURVE or _explained(other):
        return False
    return redone.line_as_well(other, pairs, weights)


def _explained(other: Alternative | None) -> bool:
    """Whether it makes all but a few pixels."""
    return other is not None and other.explains


def _by_kernels(seen: Analysis, title: str, swapped: bool) -> Recovery:
    """All but what is known beside the kernels."""
    found, judgement, pair = seen.found, seen.judgement, seen.pairs[0]
    certain = judgement.verdict == Verdict.CONVOLUTION
    exact = _exact(found) if found is not None and certain else ()
    if any(judging.hidden(whole) for whole in exact):
        exact, judgement = (), judging.SMOOTH
    if found is not None and _made_by_others(found, exact):
        exact = ()
    if found is not None and not exact:
        obeyed = _obeyed(found) if judgement.verdict == Verdict.CONVOLUTION else None
        if obeyed is None or obeyed is found:
            judgement = judging.unproved(judgement, found, obeyed is not None)
        found = obeyed or found
    if found is not None and exact:
        found = _without_changed(found, exact)
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
        return _by_a_tool(result, found)
    open_range = [alignment.between(p.after, p.clip).mean() for p in seen.pairs]
    return replace(bare, used_fraction=float(np.mean(open_range)))


def _made_by_others(found: Arrangement, exact: tuple[Fractions, ...]) -> bool:
    """Whether kernels near round numbers make the pixels, too, that these say were changed.

    What a kernel over a divisor makes lies at least half its unit from the next level: one that is
    a little off misses a pixel of thousands, and no other kernel would if something changed that.
    (Whole numbers leave so much room that it would.)
    """
    if not exact:
        return False
    for (_, planes), whole in zip(found.explaining(), exact, strict=True):
        if whole.left_out == 0 or whole.divisor == 1:
            continue
        peak, step = planes[0].peak, planes[0].step
        bound = polytope.allowed(whole.kernel, whole.offset, peak / step)
        near = Polytope.of(planes, np.ones(whole.numerators.shape, bool)).middle_within(bound)
        # Of a large picture those pixels may not be among the ones that it was told by.
        if near is not None and all(_makes(near, whole, plane, bound) for plane in planes):
            return True
    return False


def _makes(near: Chebyshev, whole: Fractions, plane: Plane, bound: float) -> bool:
    """Whether it makes, within the bound, what round numbers leave out of a plane."""
    inside = plane.inside(len(whole.numerators))
    made = correlate_valid(plane.before / plane.step, near.kernel, near.offset)
    left = np.abs(plane.after[inside] / plane.step - made)
    return not (left[fractions.disobeying(whole, plane)[inside]] > bound).any()


def _obeyed(found: Arrangement) -> Arrangement | None:
    """The kernels that all pixels obey, though what is left goes with the picture or comes again.

    As they are: rounding of what is nearly a round number does so. Or with the next ring, where all
    pixels obey that and not the kernels as they are: a ring that is too faint for least squares
    does so, too. Nothing is left then beyond one rounding and the arithmetic, of any pixel. Of a
    hundredth of a median filter, another ring takes two fifths at most, and never all.
    """
    if not found.in_one_rounding or found.mixed is not None:
        return None
    if not betrayed(found) and periods.find(found) is None:
        return None
    fits = []
    for fit, planes in found.explaining():
        size = len(fit.kernel)
        bound = polytope.allowed(fit.kernel, fit.offset / fit.step, planes[0].peak / fit.step)
        inner = Polytope.of(planes, np.ones((size, size), bool)).middle
        if inner is not None and inner.largest <= bound:
            fits.append(fit)
            continue
        clearly = polytope.ROUNDING + CLEARLY * (bound - polytope.ROUNDING)
        if inner is None or inner.least < clearly or size + 2 > fit.searched:
            return None
        outer = Polytope.of(planes, np.ones((size + 2, size + 2), bool)).middle
        if outer is None or outer.largest > bound:
            return None
        wider = fitting.fit(planes, fit.searched, size + 2)
        if wider is None or not wider.in_one_rounding:
            return None
        fits.append(wider)
    if all(fit is own for fit, own in zip(fits, found.fits, strict=True)):
        return found
    return channels.doubted(replace(found, fits=fits))


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
    return _told(_called(result, behind=found), found.pairs)


def _called(
    result: Recovery, by_formula: bool = True, behind: Arrangement | None = None
) -> Recovery:
    """The record with the name that its weights and their bars allow; several kernels have none.

    behind: what was fitted, whose sums are asked where there is noise.
    """
    if result.kernel is None or np.size(result.offset) > 1:
        return replace(result, name=None)
    errors = None if result.fractions else result.standard_error
    bars = None if errors is None else errors[0, 0]
    name = known.kernel(result.kernel[0, 0], by_formula, bars)
    if name is not None and behind is not None and result.verdict == Verdict.NOISY:
        name = _behind(name, behind, len(result.kernel[0, 0]))
    # Next to a simple scale there may be the one that it is.
    told = [] if name is None else [name] if name.simple is None else [name, replace(name, near=0)]
    return replace(result, name=next((n for n in told if not _contradicted(result, n)), None))


def _behind(name: Name, found: Arrangement, size: int) -> Name | None:
    """The name of a size x size kernel, where what hides it leaves it as likely as the best."""
    if (censored := found.censored) is not None:
        assert found.compressed is not None  # else it is not censored
        pairs, compressed = found.pairs, found.compressed
        return known.behind_losses(
            name, censored.alike,
            lambda kernel: share_alike(pairs, compressed, kernel, censored.offset),
        )  # fmt: skip
    return known.behind_noise(name, found.fits[0].total.shrink(size)) if found.fits else None


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
    return reproduction.told(result, pairs)


def _centred(result: Recovery) -> Recovery:
    """The same with the kernels whose largest residual is smallest, where that is one rounding.

    Where next to nothing was rounded, as of whole numbers, least squares is exact already. Bars are
    those of least squares, which takes rounding for noise. Where the middle leaves room beside it,
    as in smooth pictures, rounding is none: anything within the interval is as likely.
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
        if middle.largest < FULL:
            wide = shape.interval(bound, time.monotonic() + WIDENED, middle)
            assert wide is not None  # the middle is in it
            errors[output] = np.maximum(errors[output], ROUNDING * (wide.high - wide.low))
        kernels[output] = middle.kernel
        offsets[output] = middle.offset
    offset = float(offsets[0]) if len(offsets) == 1 else tuple(offsets.tolist())
    return _called(replace(result, kernel=kernels, standard_error=errors, offset=offset))


def _contradicted(result: Recovery, name: Name) -> bool:
    """Whether the kernel of a name leaves more than one rounding, where another leaves no more."""
    if name.kernel is None or result.fractions or not result.polytopes:
        return False
    if result.verdict != Verdict.CONVOLUTION:
        return False
    if name.simple is None:
        left = result.polytopes[0].left_by(name.kernel, near=name.scale)
    else:
        left = result.polytopes[0].left_by(float(name.simple) * name.kernel)
    beyond = left is not None and left > result.bounds[0] + OF_TOOLS
    return beyond and result.one_rounding is True  # a linear program: where it matters


def _by_a_tool(result: Recovery, found: Arrangement) -> Recovery:
    """The record with the family, or the roundings, that make the file.

    They prove themselves by the pixels where evidence leaves a kernel open. No formula is named in
    a picture of 8 bits that it does not make.
    """
    first, *others = found.pairs
    of_8_bits = first.peak == 255 and first.before.dtype == np.uint8
    if len(found.fits) != 1 or found.censored is not None or not of_8_bits:
        return result
    fit, linear = found.fits[0], result.verdict.linear
    if result.verdict == Verdict.CONVOLUTION:
        result = _called(result, by_formula=False)
    if result.bit_exact and result.kernel is not None:
        steps = families.by_opencv(result.kernel[0, 0], alignment.planes_of(found.pairs))
        return result if steps is None else replace(result, name=_named(steps), steps=steps)
    if result.fractions:  # whole numbers for all but a few pixels
        return result
    hidden = result.reason is not None and result.reason.code in HIDDEN
    if not (linear or hidden) or fit.residual > SEVERAL * max(1.0, float(fit.kernel.max())):
        return result
    # Where there is no kernel yet, what was left out speaks against one, too.
    mask = first.outliers if result.left_out.mask is None else result.left_out.mask
    pairs = [replace(first, outliers=mask), *others]
    pairs = pairs if linear else [replace(pair, outliers=None) for pair in pairs]
    steps = families.find(fit.kernel, fit.offset, alignment.planes_of(pairs), result.reproduced)
    return result if steps is None else _made_by(steps, result, pairs)


def _made_by(steps: families.Found, result: Recovery, pairs: list[Pair]) -> Recovery:
    """The record with the kernel of a way that makes the pairs, and what the way makes of them."""
    kernel = steps.way.kernel[None, None]
    planes, anywhere = alignment.planes_of(pairs), np.ones(kernel[0, 0].shape, bool)
    made = replace(
        result,
        verdict=Verdict.CONVOLUTION,
        reason=None,
        alternative=None,
        kernel=kernel,
        offset=steps.way.offset,
        standard_error=steps.standard_error[None, None],
        fractions=(),
        name=_named(steps) or known.kernel(kernel[0, 0], False, steps.standard_error),
        polytopes=(Polytope.of(planes, anywhere),),
        steps=steps,
    )
    made = reproduction.told(made, pairs)
    # It was told by a sample of a large picture, if that is one.
    return made if made.reproduced >= min(steps.share, families.NEARLY_ALL) else result


def _named(steps: families.Found) -> Name | None:
    return Name(steps.way.name, 1.0) if steps.way.family else None


def _of_outputs(kernels: np.ndarray, pairs: list[Pair]) -> Iterator[list[Plane]]:
    """For each kernel of a record the planes that it explains; of a mixture, all inputs."""
    outputs, inputs = kernels.shape[:2]
    for output in range(outputs):
        if inputs == 1:
            yield alignment.planes_of(pairs, output if outputs > 1 else None)
        else:
            planes = (pair.plane() for pair in pairs)
            yield [replace(plane, after=plane.after[..., output]) for plane in planes]


def _without_changed(found: Arrangement, exact: tuple[Fractions, ...]) -> Arrangement:
    """The same with the pixels left out that round numbers say were changed."""
    if not any(whole.left_out for whole in exact):
        return found
    marked = []
    for pair in found.pairs:
        _, here = alignment.common(pair.before, pair.after, pair.origin)
        mask = np.zeros(pair.after.shape[:2], bool) if pair.outliers is None else pair.outliers
        for channel, plane in enumerate(alignment.planes_of([pair])):
            whole = exact[min(channel, len(exact) - 1)]
            mask = mask.copy()
            mask[here] |= fractions.disobeying(whole, plane)
        marked.append(replace(pair, outliers=mask))
    return replace(found, pairs=marked)


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
        return _judged(result, judging.UNCLEAR)
    if beyond > outliers.SPOKEN_OF:
        judgement = judging.edit(beyond) if outliers.together([gross]) else judging.UNCLEAR
        return _judged(result, judgement)
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
        return _judged(result, judging.UNCLEAR)
    return _judged(result, judging.edit(result.left_out.share))


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
            return _judged(result, judging.UNCLEAR)
        return _judged(result, judging.one_colour(result.left_out.share))
    return result


def _judged(result: Recovery, judgement: Judgement) -> Recovery:
    """The record with another verdict, and without what only a kernel can tell."""
    bare = replace(result, padding_sides=UNSEEN, padding_value=None, fractions=())
    return replace(
        bare,
        verdict=judgement.verdict,
        reason=judgement.reason,
        alternative=judgement.alternative,
    )


def _exact(found: Arrangement) -> tuple[Fractions, ...]:
    """Round numbers for every fit, or none at all."""
    exact = []
    for fit, planes in found.explaining():
        whole_levels = all(plane.before.dtype.kind == "u" for plane in planes)
        whole = fractions.find(fit, planes) if whole_levels else None
        if whole is None:
            return ()
        exact.append(whole)
    return tuple(exact)
