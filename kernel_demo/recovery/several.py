"""Several pairs of which most are of one filter: which filter, and which pairs do not obey it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from kernel_demo.recovery import alignment, channels, reproduction
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.fitting import ONE_ROUNDING
from kernel_demo.recovery.record import Recovery
from kernel_demo.recovery.search import Files, recover_many

ALONE = 12  # pairs of which each is asked for its own filter
# Of what the filter leaves in the pairs that it was found in: noise differs from pair to pair.
AS_MUCH = 1.5


@dataclass(frozen=True)
class Obedience:
    """How far a pair is what the common filter makes."""

    obeys: bool
    residual: float | None  # RMS in grey levels of after; None: nothing to compare it with
    reproduced: float | None  # share of the pixels


STRANGE = Obedience(False, None, None)


def recover_common(
    pairs: Sequence[Files], max_size: int = 15, name: str = ""
) -> tuple[Recovery, tuple[Obedience, ...]]:
    """The filter that most pairs (before, after) obey, and for each how far it does.

    Where all together have no filter, each of some is asked for its own; the one that most obey is
    found anew from these. Pairs as `recover` takes them; DemoError alike.
    """
    pairs = list(pairs)
    found = recover_many(pairs, max_size, name)
    told = _all(found, pairs, max_size)
    if all(one.obeys for one in told) or len(pairs) < 2:
        return found, told
    for pair in pairs[:: -(-len(pairs) // ALONE)]:
        alone = recover_many([pair], max_size, name)
        others = _all(alone, pairs, max_size)
        if _rank(others) > _rank(told):
            found, told = alone, others
    obeying = [pair for pair, one in zip(pairs, told, strict=True) if one.obeys]
    if len(obeying) > 1:
        again = recover_many(obeying, max_size, name)
        others = _all(again, pairs, max_size)
        if _rank(others)[0] >= _rank(told)[0]:
            found, told = again, others
    return found, told


def _rank(told: Sequence[Obedience]) -> tuple[int, float]:
    """How many obey, and how little is left in these."""
    left = [one.residual for one in told if one.obeys and one.residual is not None]
    return len(left), -sum(left)


def _all(found: Recovery, pairs: Sequence[Files], max_size: int) -> tuple[Obedience, ...]:
    return tuple(_obedience(found, before, after, max_size) for before, after in pairs)


def _obedience(found: Recovery, before: np.ndarray, after: np.ndarray, max_size: int) -> Obedience:
    if not found.verdict.linear:
        return STRANGE
    pair = alignment.prepare(*((after, before) if found.swapped else (before, after)), max_size)[0]
    if pair is None or pair.peak // pair.step != found.white or not _fits(found, pair):
        return STRANGE
    residual, reproduced = reproduction.compared(found, _as_found(found, pair))
    limit = max(ONE_ROUNDING * found.rounding_floor, AS_MUCH * found.residual)
    return Obedience(residual <= limit, residual, reproduced)


def _fits(found: Recovery, pair: Pair) -> bool:
    """Whether the pair has the channels that the kernels want."""
    if found.kernel is None:
        return False
    outputs, inputs = found.kernel.shape[:2]
    colours = 3 if found.channel_weights is not None else inputs
    return pair.before.shape[2] >= colours and (outputs == 1 or pair.after.shape[2] == outputs)


def _as_found(found: Recovery, pair: Pair) -> Pair:
    """The pair displaced, and before made grey, as that of the record was."""
    if found.shift != (0, 0):
        pair = replace(pair, origin=found.shift)
    if found.channel_weights is None:
        return pair
    known = [way for way in channels.CONVERSIONS if tuple(way.weights) == found.channel_weights]
    known = known or [channels.Conversion(found.channel_weights, None)]
    ways = [channels.made_grey(pair, way) for way in known]
    return max(ways, key=lambda grey: reproduction.compared(found, grey)[1])
