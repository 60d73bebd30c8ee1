"""Whether anything proves the kernels: round numbers, or that all pixels obey them, or good bars.

What round numbers do not reproduce has been changed, unless kernels near them make that, too. Where
there are none, what is left must neither go with the picture nor come again in it, but of kernels
that all pixels obey to the last one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice

import numpy as np

from kernel_demo.recovery import (
    alignment,
    channels,
    evidence,
    fitting,
    fractions,
    periods,
    polytope,
)
from kernel_demo.recovery.alignment import Plane
from kernel_demo.recovery.channels import CURVED, Arrangement
from kernel_demo.recovery.explanations import UNEXPLAINED, Reason, Verdict
from kernel_demo.recovery.fitting import NEARLY_EXACT, ONE_ROUNDING, VAGUE, Fit, vague
from kernel_demo.recovery.fractions import Fractions
from kernel_demo.recovery.periods import Period
from kernel_demo.recovery.polytope import Polytope
from kernel_demo.recovery.verdicts import SMOOTH, UNCLEAR, Judgement, undetermined

# Bars above this share of the largest weight tell nothing where the rounding follows the picture
# (correlation of its square with the local variance above the second), as in skies: it is no noise
# then, and errors are larger than standard errors. Measured on 175 pairs of 100 x 100 pixels.
VAGUE_IN_SKIES, IN_SKIES = 0.01, 0.1
# Bars by which rounding may bend a kernel (3 in clean photos, 13 and more in skies), and the share
# of rounding's residual below which the fit has taken it for the picture.
BENT, TOO_LITTLE = 4.0, 0.8
LEVELS = 12  # fewer grey levels: errors of rounding are no noise
BY_PERIOD = UNEXPLAINED | {Reason.FAINT}  # what a period in the rest explains
# Times the errors of arithmetic that must be left beyond one rounding for kernels to be too small.
CLEARLY = 4.0
ACCUSED = 500  # pixels said to be changed that another kernel is asked to make


@dataclass(frozen=True, eq=False)
class _Signs:
    """What tells that an arrangement is not all; each is looked for when it is first asked."""

    found: Arrangement

    @property
    def left(self) -> bool:
        """More is left than the arithmetic's."""
        return self.found.variance**0.5 > NEARLY_EXACT * self.found.pairs[0].step

    @cached_property
    def betrayed(self) -> bool:
        """What is left goes with the picture."""
        return self.left and evidence.betrayed(self.found)

    @cached_property
    def period(self) -> Period | None:
        """What comes again in what is left."""
        return periods.find(self.found) if self.left else None


def proved(
    found: Arrangement, judgement: Judgement
) -> tuple[Arrangement, Judgement, tuple[Fractions, ...]]:
    """The same as far as they are proved, and the round numbers that do it.

    Without those, by kernels that all pixels obey, or else by good bars.
    """
    exact = _exact(found) if judgement.verdict == Verdict.CONVOLUTION else ()
    if any(map(_hidden, exact)):
        exact, judgement = (), SMOOTH
    if exact and not _made_by_others(found, exact):
        return _without_changed(found, exact), judgement, exact
    signs = _Signs(found)
    obeyed = _obeyed(signs) if judgement.verdict == Verdict.CONVOLUTION else None
    if obeyed is None or obeyed is found:
        judgement = _unproved(judgement, signs, obeyed is not None)
    return obeyed or found, judgement, ()


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


def _hidden(whole: Fractions) -> bool:
    """Whether kernels that differ visibly from round numbers make every pixel as well."""
    return whole.hidden > VAGUE * float(np.abs(whole.kernel).max())


def _made_by_others(found: Arrangement, exact: tuple[Fractions, ...]) -> bool:
    """Whether kernels near round numbers make the pixels, too, that these say were changed.

    A kernel that is a little off round numbers misses a pixel of thousands, where a sum is large;
    if something changed those, no kernel makes them and the others in one rounding. All of them
    are asked for, and of the others some. Whole numbers and a half would leave it open of each
    pixel: of these less than a half is asked for.
    """
    for (_, planes), whole in zip(found.explaining(), exact, strict=True):
        if whole.left_out == 0:
            continue
        peak, step = planes[0].peak, planes[0].step
        bound = polytope.allowed(whole.kernel, whole.offset, peak / step)
        if whole.divisor == 1:
            bound = polytope.ROUNDING - polytope.LEAST
        near = Polytope.of(planes, np.ones(whole.numerators.shape, bool))
        tiles = (*near.tiles, *islice(_left_out(whole, planes), ACCUSED))
        if replace(near, tiles=tiles).middle_within(bound) is not None:
            return True
    return False


def _left_out(whole: Fractions, planes: list[Plane]) -> Iterator[Plane]:
    """The patches of the pixels that round numbers leave out, each by itself."""
    edge = len(whole.numerators) // 2
    for plane in planes:
        for row, column in np.argwhere(fractions.disobeying(whole, plane)):
            at = np.s_[row - edge : row + edge + 1, column - edge : column + edge + 1]
            yield replace(plane, before=plane.before[at], after=plane.after[at],
                          counted=None)  # fmt: skip


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


def _obeyed(signs: _Signs) -> Arrangement | None:
    """The kernels that all pixels obey, though what is left goes with the picture or comes again.

    As they are: rounding of what is nearly a round number does so. Or with the next ring, where all
    pixels obey that and not the kernels as they are: a ring that is too faint for least squares
    does so, too. Nothing is left then beyond one rounding and the arithmetic, of any pixel. Of a
    hundredth of a median filter, another ring takes two fifths at most, and never all.
    """
    found = signs.found
    if not found.in_one_rounding or found.mixed is not None:
        return None
    if not signs.betrayed and signs.period is None:
        return None
    fits = []
    for fit, planes in found.explaining():
        obeyed = _fit_obeyed(fit, planes)
        if obeyed is None:
            return None
        fits.append(obeyed)
    if all(fit is own for fit, own in zip(fits, found.fits, strict=True)):
        return found
    return channels.doubted(replace(found, fits=fits))


def _fit_obeyed(fit: Fit, planes: list[Plane]) -> Fit | None:
    """The fit that all pixels of its planes obey: this one, or one with the next ring."""
    size = len(fit.kernel)
    bound = polytope.allowed(fit.kernel, fit.offset / fit.step, planes[0].peak / fit.step)
    inner = Polytope.of(planes, np.ones((size, size), bool)).middle
    if inner is not None and inner.largest <= bound:
        return fit
    clearly = polytope.ROUNDING + CLEARLY * (bound - polytope.ROUNDING)
    if inner is None or inner.least < clearly or size + 2 > fit.searched:
        return None
    outer = Polytope.of(planes, np.ones((size + 2, size + 2), bool)).middle
    if outer is None or outer.largest > bound:
        return None
    wider = fitting.fit(planes, fit.searched, size + 2)
    return wider if wider is not None and wider.in_one_rounding else None


def _unproved(judgement: Judgement, signs: _Signs, obeyed: bool) -> Judgement:
    """The same where no round numbers prove the kernels: bars must then be good ones.

    obeyed: whether every pixel is within one rounding of what kernels of their sizes make.
    """
    found, reason = signs.found, judgement.reason
    doubtful = judgement.verdict.linear or (reason is not None and reason.code in BY_PERIOD)
    period = signs.period if doubtful and not obeyed and found.compressed is None else None
    if period is not None and period.clear:
        along = ("rows", "columns")[period.axis]
        return undetermined(Reason.PERIODIC, period=period.length, along=along)
    if period is not None and judgement.verdict.linear:
        return UNCLEAR
    if not judgement.verdict.linear or found.censored is not None:
        return judgement
    if found.mixed is not None and found.curved > CURVED:
        return undetermined(Reason.COLOURS)
    misled = next(filter(None, map(_misled, found.fits)), None)
    if misled is not None:
        return undetermined(misled)
    if not obeyed and signs.betrayed:
        return UNCLEAR
    return _too_few(found) or judgement


def _too_few(found: Arrangement) -> Judgement | None:
    """The verdict where levels, or patches that differ, are too few for good bars; else None."""
    for fit in found.fits:
        drawn = fit.drawn
        # A channel of one level needs no proof: it has no kernel.
        if drawn is None or not fit.kernel.any():
            continue
        if fit.at_floor and fit.levels < LEVELS:
            return undetermined(Reason.FEW_LEVELS, levels=fit.levels)
        if vague(drawn.error(fit.floor), fit.kernel):
            return undetermined(Reason.TARGET, patches=drawn.distinct)
    return None


def _misled(fit: Fit) -> Reason | None:
    """Why rounding goes with the picture: its errors are then no noise, and bars say nothing."""
    vague = fit.vague(VAGUE_IN_SKIES)
    if fit.in_passes and (fit.residual < TOO_LITTLE * fit.floor or (vague and fit.bent > BENT)):
        if fit.residual <= NEARLY_EXACT * fit.step:
            return None
        return Reason.SMOOTH if vague else Reason.ROUNDED
    small = fit.residual <= ONE_ROUNDING * fit.floor
    return Reason.SMOOTH if small and vague and fit.noise.with_texture > IN_SKIES else None
