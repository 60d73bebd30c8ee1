"""A pair, or several of one filter, from the arrays to the Recovery.

The work in its order: pairs that go together (alignment), the kernels that explain them (channels),
the verdict (judging), all of it once more for pictures that are displaced or swapped, and then the
record (reporting).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np

from kernel_demo.errors import DemoError, odd
from kernel_demo.recovery import (
    alignment,
    channels,
    fitting,
    judging,
    luma,
    outliers,
    registration,
    verdicts,
)
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.explanations import Channels, Note, Other, Reason, Told, Verdict
from kernel_demo.recovery.record import Recovery
from kernel_demo.recovery.reporting import Analysis, explained, judged, reported
from kernel_demo.recovery.rivals import Alternative
from kernel_demo.recovery.verdicts import Judgement

MIN_SIZE, MAX_SIZE = 3, 31
Files: TypeAlias = tuple[np.ndarray, np.ndarray]  # before and after
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
RANK = (Verdict.UNDETERMINED, Verdict.NOT, Verdict.NOISY, Verdict.CONVOLUTION)


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
    result = _told_apart(reported(seen, name), usable)
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
        return judged(result, Judgement(Verdict.UNDETERMINED, reason=tiny))
    if _coloured(result, pairs[0]):
        return judged(result, Judgement(Verdict.UNDETERMINED, reason=Told(Reason.NO_COLOURS)))
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
    if known_why or explained(other) or (other is not None and other.kind in PAINTED):
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
    place = registration.cut_out(before, after)
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
        judgement = verdicts.edit(float(np.mean(shares))) if all(shares) else judgement
    if changed is not None:
        judgement = verdicts.edited(judgement, changed)
    return Analysis(pairs, notes, found, judgement)


def _displaced(seen: Analysis, max_size: int) -> Analysis | None:
    """The same after laying after over before anew, where that explains more."""
    moved = []
    for pair in seen.pairs:
        origin = registration.displacement(pair) or pair.origin
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
    turns = {registration.turned(pair) for pair in seen.pairs}
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
    result = reported(seen, straight.title, swapped=True)
    return result if result.bit_exact else None
