"""Whether after is before and nothing else: the same, with noise, or with the losses of a file."""

from __future__ import annotations

import numpy as np

from kernel_demo.imaging.catalogue import identity
from kernel_demo.recovery import chroma, known
from kernel_demo.recovery.channels import Arrangement
from kernel_demo.recovery.explanations import Channels, Other, Reason, Verdict
from kernel_demo.recovery.fitting import ONE_ROUNDING, SEVERAL_ROUNDINGS
from kernel_demo.recovery.quantisation import Compression
from kernel_demo.recovery.rivals import Alternative
from kernel_demo.recovery.verdicts import HALF, UNCLEAR, Judgement, undetermined

# A kernel this close to leaving the picture as it is, with noise, is no filter.
IDENTITY, SAME = 0.1, 0.002
CERTAINLY = 5.0  # bars
WAVES, GAIN = 32, 0.01  # of a smoothing: frequencies along a side, and how far it may leave more
COLOURED, WHITE = 0.1, 0.02  # autocorrelation of noise that is not white, and of such as is


def merely_noise(found: Arrangement) -> bool:
    """The picture as it was, but for what no identity would change."""
    if found.mode == Channels.GREY or any(pair.outliers is not None for pair in found.pairs):
        return False
    if any(pair.origin != (0, 0) and pair.before.shape == pair.after.shape for pair in found.pairs):
        return False  # it was moved
    kernels, _, _ = found.kernels()
    distances = np.abs(kernels - identity(kernels.shape[-1])).max(axis=(1, 2, 3))
    for fit, off in zip(found.fits, distances, strict=True):
        if abs(fit.offset) > found.pairs[0].step:  # brighter or darker: that is a filter
            return False
        changed = off <= SAME and abs(fit.offset) < 0.1 * fit.floor and fit.residual > 1e-3
        known_well = fit.standard_error.max() <= IDENTITY / 2
        noisy = off <= IDENTITY and known_well and fit.residual > ONE_ROUNDING * fit.floor
        if not (changed or noisy):
            return False
    return True


def judged(found: Arrangement) -> Judgement | None:
    """The verdict where after is merely_noise(). None: its kernels are judged as any others."""
    if found.used < HALF:
        return undetermined(Reason.CLIPPED)
    # A factor near 1, or a faint blur, leaves as much as a few roundings do.
    if all(fit.residual <= SEVERAL_ROUNDINGS * fit.floor for fit in found.fits):
        return undetermined(Reason.ROUNDED)
    lossy = found.compressed
    return _with_noise(found) if lossy is None else _through_losses(found, lossy)


def _with_noise(found: Arrangement) -> Judgement | None:
    certain = _is_off_identity(found) or _spoken_against(found, known.TWICE)
    if not certain:
        return Judgement(Verdict.NOT, Alternative(Other.NOISE)) if _plain_noise(found) else UNCLEAR
    return undetermined(Reason.FAINT) if _smooths(found) else None


def _through_losses(found: Arrangement, lossy: Compression) -> Judgement | None:
    hidden, certain = undetermined(Reason.LOSSY, file=str(lossy)), _is_off_identity(found)
    if any(chroma.recoloured(pair, lossy) for pair in found.pairs):
        return hidden
    if not certain and all(chroma.losses_alone(pair, lossy) for pair in found.pairs):
        return Judgement(Verdict.NOT, Alternative(Other.LOSSES))
    return None if certain and found.censored is not None else hidden


def _plain_noise(found: Arrangement) -> bool:
    """Whether what the kernels leave is as noise is, and the identity leaves no more.

    Independent from pixel to pixel: what codecs leave that are not known from the file is not (0.15
    and more), nor is dither; they take away what a faint sharpening adds.
    """
    noises = [fit.noise for fit in found.fits]
    white = all(abs(n.autocorrelation) < WHITE and n.with_texture < COLOURED for n in noises)
    return white and not _spoken_against(found, 1.0)


def _is_off_identity(found: Arrangement) -> bool:
    """Of a kernel near the identity: whether it is off it by more than chance.

    A faint filter is; so is a kernel behind noise in before, or behind a lossy file.
    """
    kernels, _, errors = found.kernels()
    off = np.abs(kernels - identity(kernels.shape[-1]))
    allowed = SAME + CERTAINLY * errors.max(axis=(1, 2, 3), keepdims=True)
    return bool((off > allowed).any())


def _spoken_against(found: Arrangement, times: float) -> bool:
    """Whether noise speaks against the identity: a faint change of contrast is in all weights."""
    sums = (fit.total.shrink(min(len(fit.kernel), fit.total.size)) for fit in found.fits)
    return any(known.spoken_against(identity(total.size), total, times) for total in sums)


def _smooths(found: Arrangement) -> bool:
    """Whether the kernels are such as noise in before makes of the identity.

    It leaves P / (P + sigma^2) of a wave of power P: nearly all of what is wide, of everything else
    no more.
    """
    kernels, _, _ = found.kernels()
    waves = np.fft.fft2(kernels, (WAVES, WAVES))
    size = kernels.shape[-1]
    phases = np.exp(2j * np.pi * np.fft.fftfreq(WAVES) * (size // 2))
    response = (waves * phases[:, None] * phases).real
    gain, most = response[..., 0, 0], response.max(axis=(-1, -2))
    return bool((np.abs(gain - 1) <= GAIN).all() and (most <= 1 + GAIN).all())


def unchanged(found: Arrangement) -> bool:
    """The colours are as they were, to the last level."""
    overlaps = (np.broadcast_arrays(*pair.overlap()[:2]) for pair in found.pairs)
    return all(np.array_equal(before, after) for before, after in overlaps)
