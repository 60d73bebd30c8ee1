"""A pair, or several of one filter, from the arrays to the Recovery."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from kernel_demo.errors import DemoError
from kernel_demo.recovery import alignment, channels, fitting, judging, reporting
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.channels import Arrangement
from kernel_demo.recovery.explanations import Note, Reason, Told, Verdict
from kernel_demo.recovery.judging import Judgement
from kernel_demo.recovery.record import Recovery

MIN_SIZE, MAX_SIZE = 3, 31


def recover(before: np.ndarray, after: np.ndarray, max_size: int = 15, name: str = "") -> Recovery:
    """The filter that made `after` of `before`.

    before, after: uint8 or uint16, H x W or H x W x C (C = 1 to 4; an alpha channel is left out).
    max_size: the largest kernel to look for, odd, 3 to 31. name: what to call the pair.
    Any two pictures have a Recovery; DemoError is for arrays that are no pictures, or the size.
    """
    return recover_many([(before, after)], max_size, name)


def recover_many(pairs: list[tuple], max_size: int = 15, name: str = "") -> Recovery:
    """The one filter behind several pairs (before, after); pictures are the first pair's."""
    if max_size not in range(MIN_SIZE, MAX_SIZE + 1, 2):
        raise DemoError(f"an odd size from {MIN_SIZE} to {MAX_SIZE}", f"{max_size}", "Choose 15.")
    if not pairs:
        raise DemoError("at least one pair of pictures", "none", "Choose a before and an after.")
    usable, notes = _prepared(pairs, max_size)
    if not usable:
        reason = Told(Reason.SIZES, {"note": notes[-1]})
        return Recovery(Verdict.UNDETERMINED, reason, noted=notes, title=name)
    found, judgement = _analysed(usable, max_size)
    if judgement.verdict != Verdict.CONVOLUTION:
        found, judgement, more = _displaced(usable, found, judgement, max_size)
        notes += more
    if found is None:
        result = _nothing_fitted(usable, judgement, notes, name)
    else:
        result = reporting.report(found, judgement, notes, name)
    return result if result.bit_exact else _swapped(pairs, max_size, result) or result


def _prepared(pairs: list[tuple], max_size: int) -> tuple[list[Pair], tuple[Told, ...]]:
    """The pairs that can be used together, and notes on all."""
    prepared, notes = [], []
    for before, after in pairs:
        pair, told = alignment.prepare(before, after, max_size)
        prepared.append(pair)
        notes += [note for note in told if note not in notes]
    kinds = [_kind(pair) for pair in prepared if pair is not None]
    if not kinds:
        return [], tuple(notes)
    kind, count = Counter(kinds).most_common(1)[0]
    if count < len(pairs):
        notes.append(Told(Note.LEFT_OUT, {"some": len(pairs) - count, "all": len(pairs)}))
    return [pair for pair in prepared if pair is not None and _kind(pair) == kind], tuple(notes)


def _kind(pair: Pair) -> tuple:
    return pair.before.shape[2], pair.after.shape[2], pair.peak, pair.step


def _analysed(pairs: list[Pair], max_size: int) -> tuple[Arrangement | None, Judgement]:
    found = channels.arrange(pairs, max_size)
    if found is not None and not found.at_floor:
        found = channels.through_jpeg(found)
    return found, judging.judge(found, max_size, pairs)


_RANK = (Verdict.UNDETERMINED, Verdict.NOT, Verdict.NOISY, Verdict.CONVOLUTION)


def _displaced(pairs, found, judgement, max_size):
    """The same after laying after over before anew, where that explains more."""
    moved = []
    for pair in pairs:
        origin = alignment.displacement(pair) or pair.origin
        distance = max(abs(a - b) for a, b in zip(origin, pair.origin, strict=True))
        # What is nearer lies well inside the largest kernel and has been found without this.
        moved.append(replace(pair, origin=origin) if distance > max_size // 4 else pair)
    if all(a.origin == b.origin for a, b in zip(moved, pairs, strict=True)):
        return found, judgement, ()
    if any(min(pair.overlap()[1].shape[:2]) < 4 * max_size for pair in moved):
        return found, judgement, ()
    other, verdict = _analysed(moved, max_size)
    better = _RANK.index(verdict.verdict) - _RANK.index(judgement.verdict)
    clearer = other and found and other.variance < 0.5 * found.variance
    if not verdict.verdict.linear or better < 0 or (better == 0 and not clearer):
        return found, judgement, ()
    if found is not None and other.explained <= found.explained:
        return found, judgement, ()
    rows, columns = moved[0].origin
    return (
        other,
        verdict,
        (Told(Note.SHIFTED, {"rows": -rows, "columns": -columns}),),
    )


def _swapped(pairs: list[tuple], max_size: int, straight: Recovery) -> Recovery | None:
    """The recovery with before and after exchanged, if that is clearly the way it was.

    The way back from a mild sharpening is close to a blur, and a blur makes noise small: only
    fractions that are exact prove the exchange. Where straight on there is no convolution at all,
    a residual of just the size of rounding will do.
    """
    usable, notes = _prepared([(after, before) for before, after in pairs], max_size)
    if not usable or usable[0].before.shape[2] != usable[0].after.shape[2]:
        return None
    quick = fitting.fit(channels.planes(usable, 0), max_size)
    if quick is None or not quick.at_floor:
        return None
    found, judgement = _analysed(usable, max_size)
    if found is None or judgement.verdict != Verdict.CONVOLUTION:
        return None
    notes = (*notes, Told(Note.SWAPPED))
    result = reporting.report(found, judgement, notes, straight.title, swapped=True)
    just_rounding = abs(result.residual / result.rounding_floor - 1) < 0.1
    plain = not straight.verdict.linear and just_rounding
    return result if result.bit_exact or plain else None


def _nothing_fitted(pairs, judgement: Judgement, notes, name: str) -> Recovery:
    step, used = pairs[0].step, np.mean([_open_share(pair) for pair in pairs])
    return Recovery(
        judgement.verdict,
        judgement.reason,
        used_fraction=float(used),
        alternative=judgement.alternative,
        peak=pairs[0].peak // step,
        noted=notes,
        title=name,
    )


def _open_share(pair: Pair) -> float:
    return float(((pair.after > 0) & (pair.after < pair.peak)).mean())
