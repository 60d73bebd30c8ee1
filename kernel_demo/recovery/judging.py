"""The verdict on an arrangement: rounding, noise, or something that no kernel can do."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from kernel_demo.imaging import formulas
from kernel_demo.recovery import mixture, nonlinearity, operations
from kernel_demo.recovery.channels import Arrangement, planes
from kernel_demo.recovery.explanations import Reason, Told, Verdict
from kernel_demo.recovery.fitting import ONE_ROUNDING, Fit
from kernel_demo.recovery.operations import Alternative

# Standard errors above this share of the largest weight: the picture cannot tell.
VAGUE = 0.1
# ... and above this share where the rounding follows the picture (correlation of its square with
# the local variance above the second), as in skies: it is no noise then, and errors are larger
# than standard errors. Measured on 175 pairs of 100 x 100 pixels.
VAGUE_IN_SKIES, IN_SKIES = 0.01, 0.1
# What leaves less, in grey levels RMS, explains a pair to the rounding.
EXPLAINED = 0.6
# A kernel this close to leaving the picture as it is, with noise, is no filter.
IDENTITY, SAME = 0.1, 0.002
# What a kernel that was cut off leaves is smooth: autocorrelation above this.
CUT_OFF = 0.5
# A mixture that leaves more than this many roundings' variance might be anything.
MIXTURE_NOISE = 8.0
COLOUR_OPERATION = Alternative(
    "a colour operation beyond a matrix, such as saturation or hue", None
)


@dataclass(frozen=True)
class Judgement:
    """A verdict, and what goes with it."""

    verdict: Verdict
    alternative: Alternative | None = None  # for NOT
    reason: Told | None = None  # for UNDETERMINED


def judge(found: Arrangement | None, max_size: int, pairs) -> Judgement:
    """The verdict on the best arrangement of the pairs (None: nothing could be fitted)."""
    if found is None:
        curve = _curve(pairs)
        if curve is not None:
            return Judgement(Verdict.NOT, curve)
        return Judgement(Verdict.UNDETERMINED, reason=Told(Reason.CLIPPED))
    if all(_blank(pair.after) and not _blank(pair.before) for pair in pairs):
        return Judgement(Verdict.UNDETERMINED, reason=Told(Reason.BLANK))
    if found.mixed is not None:
        return _mixture(found)
    if found.weights is not None and not found.at_floor and found.curved > mixture.CURVED:
        return Judgement(Verdict.NOT, operations.better(found.fits[0], None, found.planes()))
    rounding_only = found.at_floor and not _merely_noise(found)
    certain = Judgement(Verdict.CONVOLUTION)
    judgement = certain if rounding_only else _beyond_rounding(found, max_size)
    searched = min(fit.searched for fit in found.fits)
    if searched < max_size and not judgement.verdict.linear:
        known = judgement.alternative
        if known is None or known.residual is None or known.residual > EXPLAINED:
            reason = Told(Reason.TOO_SMALL, {"size": searched})
            return Judgement(Verdict.UNDETERMINED, reason=reason)
    if judgement.verdict != Verdict.NOT and any(_vague(fit) for fit in found.fits):
        return Judgement(Verdict.UNDETERMINED, reason=judgement.reason or Told(Reason.SMOOTH))
    return judgement


def _mixture(found: Arrangement) -> Judgement:
    if found.at_floor:
        return Judgement(Verdict.CONVOLUTION)
    if found.mixed.curved > mixture.CURVED:
        return Judgement(Verdict.NOT, COLOUR_OPERATION)
    if found.variance < MIXTURE_NOISE * found.mixed.floor**2:
        return Judgement(Verdict.NOISY)
    if found.compressed is not None:
        return Judgement(Verdict.UNDETERMINED, reason=Told(Reason.LOSSY_COLOURS))
    return Judgement(Verdict.NOT)


def _beyond_rounding(found: Arrangement, max_size: int) -> Judgement:
    """The verdict where more is left than rounding."""
    # What JPEG's rounding explains to the last coefficient needs no further evidence.
    unexplained = found.fits if found.censored is None else []
    for index, fit in enumerate(unexplained):
        evidence = nonlinearity.examine(fit)
        own = found.planes(index if len(found.fits) > 1 else None)
        cut_off = fit.reaches_edge and fit.noise.autocorrelation > CUT_OFF
        if cut_off and not (evidence and evidence.varying):
            known = operations.better(fit, evidence, own)
            if known is None:
                reason = Told(Reason.LARGER, {"size": max_size})
                return Judgement(Verdict.UNDETERMINED, reason=reason)
            return Judgement(Verdict.NOT, known)
        if not fit.in_passes and (evidence is None or evidence.nonlinear):
            return Judgement(Verdict.NOT, operations.better(fit, evidence, own))
        curve = operations.tone_curve(own)
        if curve is not None and curve.residual < 0.5 * fit.residual / own[0].step:
            return Judgement(Verdict.NOT, curve)
    if _merely_noise(found):
        lossy = "JPEG compression" if found.compressed else "noise or lossy compression"
        return Judgement(Verdict.NOT, Alternative(f"{lossy} and no filter", None))
    return Judgement(Verdict.NOISY)


def _blank(picture: np.ndarray) -> bool:
    return not np.ptp(picture, axis=(0, 1)).any()


def unproved(judgement: Judgement, found: Arrangement) -> Judgement:
    """The same where no round numbers prove the kernels: error bars must then be good ones."""
    if judgement.verdict == Verdict.NOT or not any(map(_misleading, found.fits)):
        return judgement
    return Judgement(Verdict.UNDETERMINED, reason=judgement.reason or Told(Reason.SMOOTH))


def _misleading(fit: Fit) -> bool:
    small = fit.residual <= ONE_ROUNDING * fit.floor
    return small and fit.noise.with_texture > IN_SKIES and _vague(fit, VAGUE_IN_SKIES)


def _vague(fit: Fit, share: float = VAGUE) -> bool:
    largest = np.abs(fit.kernel).max()
    return fit.singular or not (fit.standard_error.max() <= share * max(largest, 1e-12))


def _merely_noise(found: Arrangement) -> bool:
    """The picture as it was, but for what no identity would change."""
    if found.weights is not None:
        return False
    kernels = [fit.kernel for fit in found.fits]
    if found.censored is not None:
        kernels = [found.censored.kernel]
    for fit, kernel in zip(found.fits, kernels, strict=True):
        off = np.abs(kernel - formulas.identity(len(kernel))).max()
        changed = off <= SAME and abs(fit.offset) < 0.1 * fit.floor and fit.residual > 1e-3
        noisy = off <= IDENTITY and fit.residual > ONE_ROUNDING * fit.floor
        if not (changed or noisy):
            return False
    return True


def _curve(pairs) -> Alternative | None:
    answers = pairs[0].after.shape[2]
    if pairs[0].before.shape[2] > answers:
        return None
    found = [operations.tone_curve(planes(pairs, c)) for c in range(answers)]
    if any(curve is None or curve.residual > EXPLAINED for curve in found):
        return None
    return found[0]
