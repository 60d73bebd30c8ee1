"""The verdict on an arrangement: rounding, noise, or something that no kernel can do.

What speaks against a kernel is weighed here: the evidence, the halves, the operations with a name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from kernel_demo.imaging.kernels import MAX_SIZE
from kernel_demo.recovery import fitting, places, rivals, unfiltered
from kernel_demo.recovery.alignment import Pair, Plane, common, heaped
from kernel_demo.recovery.channels import CURVED, Arrangement, Mixture
from kernel_demo.recovery.evidence import NO_NOISE, PICTURE_LIKE, Evidence, examine
from kernel_demo.recovery.explanations import Channels, Other, Reason, Split, Verdict
from kernel_demo.recovery.fitting import Fit
from kernel_demo.recovery.halves import Doubts
from kernel_demo.recovery.quantisation import Compression
from kernel_demo.recovery.registration import displacement
from kernel_demo.recovery.rivals import Alternative
from kernel_demo.recovery.unfiltered import COLOURED
from kernel_demo.recovery.verdicts import UNCLEAR, Judgement, larger, undetermined

APART = undetermined(Reason.UNSTEADY, split=str(Split.PLACE))
DISTINCT = 10  # fewer different patches for each weight: errors of rounding are no noise
PALETTE = 128  # levels of a channel, as of a GIF: what that takes goes with the picture
# What a kernel that was cut off leaves is smooth: autocorrelation above this.
CUT_OFF = 0.5
SMALL = 4.0  # roundings: less than this is left where a kernel explains nearly all
# A mixture that leaves more than this many roundings' variance might be anything.
MIXTURE_NOISE = 8.0
TELLING = 1.5  # grey levels that must be left: noise in smooth parts of before makes less
AS_MUCH = 1.2  # times what is left: more, noise of before cannot leave
# Pixels up to which the losses of half of all JPEGs are not seen, and from which on of nearly all;
# deviations of the autocorrelation of noise that is white.
UNSEEN, SEEN, CHANCE = 64**2, 128**2, 2.0
# Share of what is left that JPEG's losses do not make go with so small a picture: 0.21 was seen; of
# other operations there 0.4 to 0.7.
NO_LOSSES = 0.3
MOSTLY = 0.9  # share of the pixels that must not be clipped, for what is left to tell anything
ONCE_MORE = 0.3  # share of what is left that the picture explains, laid aside
# Side of the windows in which a picture is compared with itself, what is no variance there, and
# the squared correlation of what stayed in its place: of equalised contrast 0.92 to 1, where it is
# strong in noise 0.73; of what was turned by a degree or scaled by 2 % 0.6 at most.
WINDOW, NOTHING, IN_PLACE = 15, 1e-12, 0.9
STRANGE = 0.6  # share of the variance that a kernel explains, at most, of another picture


def _cut_off(evidence: Evidence | None, size: int) -> Judgement:
    """The reason where a ring about the largest size explains a little more."""
    if size == MAX_SIZE or evidence is None or not evidence.nonlinear:
        return larger(size)
    return undetermined(Reason.GOES_ON, size=size)


def judge(found: Arrangement | None, max_size: int, pairs: list[Pair]) -> Judgement:
    """The verdict on the best arrangement of the pairs (None: nothing could be fitted)."""
    if found is None:
        return _by_curve(pairs)
    at_once = _at_once(found, pairs)
    if at_once is not None:
        return at_once
    judgement = _certain(found, max_size) if found.at_floor else None
    if judgement is None or unfiltered.merely_noise(found):
        judgement = _beyond_rounding(found, max_size)
    searched = min(fit.searched for fit in found.fits)
    if searched < max_size and not judgement.verdict.linear:
        better = judgement.alternative
        if better is None or better.residual is None or better.residual > rivals.EXPLAINED:
            return undetermined(Reason.TOO_SMALL, size=searched)
    if not judgement.verdict.linear:
        return judgement
    if found.censored is not None:
        return APART if found.censored.changes else judgement
    return _unsure(found, judgement.verdict) or judgement


def _at_once(found: Arrangement, pairs: list[Pair]) -> Judgement | None:
    """The verdict where none of the fits need be looked at, or none of them can tell any."""
    if all(_blank(pair.after) and not _blank(pair.before) for pair in pairs):
        return undetermined(Reason.BLANK)
    if all(_blank(pair.before) for pair in pairs):
        return undetermined(Reason.SMOOTH)
    if all(pair.alpha_changed for pair in pairs) and unfiltered.unchanged(found):
        return undetermined(Reason.ALPHA_ALONE)
    if found.mixed is not None:
        return _mixture(found, found.mixed)
    if found.mode == Channels.GREY and not found.at_floor and found.curved > CURVED:
        return Judgement(Verdict.NOT, rivals.operation(*next(found.explaining())))
    if not any(fit.kernel.any() for fit in found.fits):
        if any(fit.singular for fit in found.fits):
            return undetermined(Reason.SMOOTH)
        return _by_curve(pairs)
    patches = _patches(found)
    if patches is not None:
        return undetermined(Reason.TARGET, patches=patches)
    if not found.at_floor and any(fit.singular for fit in found.fits):
        return undetermined(Reason.SMOOTH)
    return None


def _by_curve(pairs: list[Pair]) -> Judgement:
    """The verdict where no kernel has a weight: too much is cut off, if it is not each pixel's."""
    curve = rivals.curve_of(pairs)
    return Judgement(Verdict.NOT, curve) if curve else undetermined(Reason.CLIPPED)


def _unsure(found: Arrangement, verdict: Verdict) -> Judgement | None:
    """What keeps fits from being told, that leave nothing but rounding or noise."""
    if not all(fit.unbiased for fit in found.fits):
        return undetermined(Reason.CLIPPED)
    if any(fit.vague() for fit in found.fits):
        return _open(found)
    more = [fit for fit in found.fits if not fit.in_one_rounding]
    if any(places.differ(*_left(fit)) or places.in_lines(*_left(fit)) for fit in more):
        return UNCLEAR
    # Roundings between passes follow the picture, which changes from place to place.
    if any(places.grow(*_left(fit)) for fit in more if not fit.in_passes):
        return APART
    if verdict == Verdict.NOISY and _may_be_lossy(found, more):
        return undetermined(Reason.FEW)
    return None


def _left(fit: Fit) -> tuple[np.ndarray, float, float, list[Plane]]:
    """Of a fit, what functions of places ask for."""
    return fit.kernel, fit.offset, fit.residual, fit.tiles


def _may_be_lossy(found: Arrangement, fits: Sequence[Fit]) -> bool:
    """Whether the pictures are too small to show what a lossy file did, and it may have done that.

    fits: those that leave more than rounding.
    """
    pixels = _pixels(found)
    coloured = any(abs(f.noise.autocorrelation) > CHANCE / f.core.count**0.5 for f in fits)
    return pixels < UNSEEN or (pixels < SEEN and coloured)


def _pixels(found: Arrangement) -> int:
    return sum(pair.after.shape[0] * pair.after.shape[1] for pair in found.pairs)


def _patches(found: Arrangement) -> int | None:
    """How many patches differ where they are too few for a fit; None: there are enough."""
    for fit in found.fits:
        drawn = fit.drawn
        if drawn is not None and drawn.distinct < DISTINCT * drawn.patches.shape[1]:
            return drawn.distinct
    return None


def _certain(found: Arrangement, max_size: int) -> Judgement | None:
    """The verdict where nothing is left but rounding. None: more is to be said."""
    reaching = next((fit for fit in found.fits if fit.larger), None)
    if reaching is not None:
        return _cut_off(examine(reaching), max_size)
    doubts = [doubt for doubt in found.doubts if doubt is not None]
    if any(doubt.noise_before or doubt.position for doubt in doubts):
        return None
    return Judgement(Verdict.CONVOLUTION)


def _open(found: Arrangement) -> Judgement:
    """Undetermined, since bars are too wide: by what halves of the picture say, or as it is."""
    for doubt in found.doubts:
        if doubt is not None and doubt.worst is not None:
            return undetermined(Reason.UNSTEADY, split=str(doubt.worst))
    return undetermined(Reason.SMOOTH)


def _mixture(found: Arrangement, mixed: Mixture) -> Judgement:
    if found.at_floor:
        return Judgement(Verdict.CONVOLUTION)
    if found.compressed is not None:
        return undetermined(Reason.LOSSY_COLOURS)
    if found.curved > CURVED:
        return Judgement(Verdict.NOT, Alternative(Other.COLOUR))
    small = found.variance < MIXTURE_NOISE * mixed.floor**2
    return Judgement(Verdict.NOISY) if small else undetermined(Reason.COLOURS)


def _beyond_rounding(found: Arrangement, max_size: int) -> Judgement:
    """The verdict where more is left than rounding."""
    # What JPEG's rounding explains to the last coefficient needs no further evidence.
    if found.censored is None:
        for number, (fit, planes) in enumerate(found.explaining()):
            doubt = found.doubts[number] if found.doubts else None
            judgement = _against(found, fit, doubt, planes, max_size)
            if judgement is not None:
                return judgement
    as_it_was = unfiltered.judged(found) if unfiltered.merely_noise(found) else None
    if as_it_was is not None:
        return as_it_was
    if found.compressed is not None and found.censored is None:
        return undetermined(Reason.LOSSY, file=str(found.compressed))
    # Of a picture of noise, what weights out of reach add is noise as well.
    if found.censored is None and any(_ghost(found, fit) for fit in found.fits):
        return larger(max_size)
    return Judgement(Verdict.NOISY)


def _against(
    found: Arrangement, fit: Fit, doubt: Doubts | None, planes: list[Plane], max_size: int
) -> Judgement | None:
    """What speaks against a kernel with noise for one of the fits; None: nothing does."""
    evidence, lossy = examine(fit), found.compressed is not None
    reaching = _reaching_out(fit, evidence, planes, found.compressed, max_size)
    if reaching is not None:
        return reaching
    nonlinear = not fit.in_passes and (evidence is None or evidence.nonlinear)
    better = _better(fit, evidence, planes) if nonlinear else None
    if better is not None and better.residual is not None:
        return Judgement(Verdict.NOT, better)
    if doubt is not None and doubt.noise_before:
        return _noise_before(fit, evidence, doubt)
    if lossy and (nonlinear or (doubt is not None and doubt.position)):
        return undetermined(Reason.LOSSY, file=str(found.compressed))
    if doubt is not None and doubt.position is not None:
        if better is not None and evidence is not None and evidence.varying:
            return Judgement(Verdict.NOT, better)
        place = {"place": str(doubt.position)}
        return Judgement(Verdict.NOT, Alternative(Other.POSITION, figures=place))
    if fit.coarse > 1:
        return undetermined(Reason.FEW_LEVELS, levels=fit.levels)
    if nonlinear:
        if fit.noise.autocorrelation > PICTURE_LIKE and better is None and _ghost(found, fit):
            return larger(max_size)
        share = NO_NOISE if _pixels(found) >= SEEN else NO_LOSSES
        clear = _clear(fit, evidence, doubt, better, planes, share)
        if clear and better is None and fit.levels <= PALETTE:
            return undetermined(Reason.FEW_LEVELS, levels=fit.levels)
        return Judgement(Verdict.NOT, better) if clear else UNCLEAR
    coloured = max(abs(fit.noise.autocorrelation), abs(fit.noise.with_texture)) > COLOURED
    if not fit.in_passes and coloured and fit.used <= MOSTLY:
        return UNCLEAR
    curve = rivals.tone_curve(planes)
    left = None if curve is None else curve.residual
    if left is not None and left < 0.5 * fit.residual / planes[0].step:
        return Judgement(Verdict.NOT, curve)
    return None


def _noise_before(fit: Fit, evidence: Evidence | None, doubt: Doubts) -> Judgement:
    """The reason where halves differ as by noise in before.

    Noise of before goes with what nonlinear filters see, but not so clearly; and the kernel leaves
    at least that noise as it filters it.
    """
    filtered = doubt.noise_before * float(np.square(fit.kernel).sum()) ** 0.5
    seen = evidence is not None and evidence.features > NO_NOISE
    if seen or filtered > AS_MUCH * fit.residual:
        return UNCLEAR
    return undetermined(Reason.NOISE_BEFORE, sigma=doubt.noise_before / fit.step)


def _reaching_out(
    fit: Fit,
    evidence: Evidence | None,
    planes: list[Plane],
    lossy: Compression | None,
    max_size: int,
) -> Judgement | None:
    """What a ring about the largest size speaks for, where it explains more; None: it does not.

    lossy: what after went through, or None.
    """
    small = fit.residual <= SMALL * fit.floor
    far = fit.larger and fit.searched < MAX_SIZE - 2 and fitting.goes_on(fit)
    cut_off = far or (fit.larger and (small or fit.noise.autocorrelation > CUT_OFF))
    if not cut_off or (evidence and evidence.varying):
        return None
    better = _better(fit, evidence, planes)
    if better is not None and better.residual is not None:
        return Judgement(Verdict.NOT, better)
    if far:
        return larger(max_size)
    if lossy is not None:
        return undetermined(Reason.LOSSY, file=str(lossy))
    return Judgement(Verdict.NOT, better) if better is not None else _cut_off(evidence, max_size)


def _clear(
    fit: Fit,
    evidence: Evidence | None,
    doubt: Doubts | None,
    better: Alternative | None,
    planes: list[Plane],
    share: float,
) -> bool:
    """Whether what goes with the picture is no kernel's, nor of losses, clipping or noise.

    share: of what is left, that must go with the picture.
    Lossy compression smears what was clipped over what was not: that follows the picture. Noise in
    before, where it is not as clear, does this as well.
    """
    if fit.used <= MOSTLY or fit.residual <= TELLING * fit.step:
        return False
    if any(heaped(plane.after, plane.peak) for plane in planes):
        return False
    if doubt is not None and doubt.worst is not None and doubt.worst.split == Split.TEXTURE:
        return evidence is not None and evidence.features > share
    # Parts that differ a little may have been edited, or be of another picture.
    alone = evidence is not None and max(evidence.features, evidence.tones) > share
    return better is not None or alone


def _ghost(found: Arrangement, fit: Fit) -> bool:
    """Whether what the kernel leaves is the picture once more, further off than was searched."""
    pair, reach = found.pairs[0], fit.searched // 2
    grey = pair.before.mean(axis=2)
    left = pair.after.mean(axis=2)[:, :, None]
    made = cv2.filter2D(grey, cv2.CV_64F, fit.kernel, borderType=cv2.BORDER_REFLECT_101)
    there, here = common(pair.before, pair.after, pair.origin)
    left[here] -= made[there][:, :, None] + fit.offset
    place = displacement(replace(pair, after=left))
    if place is None:
        return False
    there, here = common(pair.before, pair.after, place)
    once_more = np.corrcoef(grey[there].ravel(), left[here].ravel())[0, 1] ** 2
    far = max(abs(a - b) for a, b in zip(place, pair.origin, strict=True)) > reach
    return far and once_more > ONCE_MORE


def _better(fit: Fit, evidence: Evidence | None, planes: list[Plane]) -> Alternative | None:
    """What explains the planes better than the kernel does, or what the evidence betrays."""
    named = rivals.operation(fit, planes)
    if named is not None or evidence is None:
        return named
    strange = abs(evidence.autocorrelation) > PICTURE_LIKE and fit.explained < STRANGE
    if strange and not _in_place(fit.tiles):
        return Alternative(Other.GEOMETRY)
    if evidence.varying:
        return Alternative(Other.VARYING)
    return None


def _in_place(tiles: list[Plane]) -> bool:
    """Whether what the picture shows lies where it lay before, however its contrast was changed.

    By the correlation of before and after in small windows, of those with more texture the median.
    """
    found = []
    for tile in tiles:
        before, after = (part.astype(np.float32) / tile.peak for part in (tile.before, tile.after))
        b, a, bb, aa, ab = (
            cv2.blur(part, (WINDOW, WINDOW))
            for part in (before, after, before**2, after**2, before * after)
        )
        spread = bb - b**2
        alike = (ab - a * b) ** 2 / np.maximum(spread * (aa - a**2), NOTHING)
        found.append(alike[spread > np.median(spread)])
    alike = np.concatenate(found)
    return len(alike) > 0 and float(np.median(alike)) > IN_PLACE


def _blank(picture: np.ndarray) -> bool:
    few = picture[::16, ::16]
    return bool((few == picture[0, 0]).all() and (picture == picture[0, 0]).all())
