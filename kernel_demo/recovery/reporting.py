"""The Recovery of an arrangement: its kernels refined and proved, the picture reproduced."""

from __future__ import annotations

import numpy as np

from kernel_demo.recovery import border, channels, fractions, jpeg, judging, naming
from kernel_demo.recovery.channels import Arrangement
from kernel_demo.recovery.explanations import Note, Told, Verdict
from kernel_demo.recovery.fractions import Fractions
from kernel_demo.recovery.judging import Judgement
from kernel_demo.recovery.prediction import Kernels, fitted_size, reproduce
from kernel_demo.recovery.record import Recovery


def report(
    found: Arrangement,
    judgement: Judgement,
    notes: tuple[Told, ...],
    title: str,
    swapped: bool = False,
) -> Recovery:
    """Everything that can be told of the pairs; pictures are those of the first."""
    pair = found.pairs[0]
    exact = _fractions(found) if judgement.verdict == Verdict.CONVOLUTION else []
    if not exact:
        judgement = judging.unproved(judgement, found)
    kernels = _kernels(found, exact)
    after = pair.after // pair.step
    proven = bool(exact) and not any(f.undecided for f in exact)
    residual = float(found.variance**0.5 / pair.step)
    padding, sides = (
        border.find(pair, kernels, residual) if judgement.verdict.linear else (None, border.UNSEEN)
    )
    reproduced = reproduce(pair, kernels, padding, sides, proven)
    single = len(found.fits) == 1
    return Recovery(
        verdict=judgement.verdict,
        reason=judgement.reason,
        kernel=kernels.values[0] if single else kernels.values,
        offset=float(kernels.offsets[0]) if single else tuple(map(float, kernels.offsets)),
        standard_error=kernels.errors[0] if single else kernels.errors,
        size=kernels.size,
        support=_support(kernels),
        shift=pair.origin,
        residual=residual,
        used_fraction=_used(found),
        condition=found.mixed.condition if found.mixed else max(f.condition for f in found.fits),
        padding=padding,
        padding_sides=sides,
        bit_exact=proven,
        fractions=None if not exact else exact[0] if single else tuple(exact),
        name=naming.name(kernels.values[0]) if single else None,
        channels=found.mode,
        channel_weights=found.weights,
        swapped=swapped,
        compression=_compression_name(found.compressed),
        alternative=judgement.alternative,
        peak=pair.peak // pair.step,
        noted=notes + _off_centre(kernels) + _cut_off(judgement, kernels),
        title=title,
        reproduced=reproduced.squeeze(axis=-1) if reproduced.shape[-1] == 1 else reproduced,
        residual_map=(after.astype(np.float32) - reproduced).squeeze(),
    )


def _fractions(found: Arrangement) -> list[Fractions]:
    """Round numbers for every fit, or none at all."""
    exact = []
    for index, fit in enumerate(found.fits):
        planes = found.planes(index if len(found.fits) > 1 else None)
        if any(plane.before.dtype.kind != "u" for plane in planes):
            return []
        whole = fractions.find(fit, planes)
        if whole is None:
            return []
        exact.append(whole)
    return exact


def _kernels(found: Arrangement, exact: list[Fractions]) -> Kernels:
    """The kernels in one size, offsets in grey levels."""
    step = found.pairs[0].step
    if found.mixed is not None:
        mixed = found.mixed
        return Kernels(mixed.kernels, mixed.offsets / step, mixed.standard_error)
    if found.censored is not None:
        kernel = found.censored
        return Kernels(kernel.kernel[None], np.array([kernel.offset]), kernel.standard_error[None])
    values = [f.kernel for f in exact] or [fit.kernel for fit in found.fits]
    offsets = [f.offset_of_rounding for f in exact] or [fit.offset / step for fit in found.fits]
    size = max(map(len, values))
    return Kernels(
        np.stack([fitted_size(v, size) for v in values]),
        np.array(offsets),
        np.stack([fitted_size(fit.standard_error, size) for fit in found.fits]),
    )


def _compression_name(compressed: jpeg.Compression | None) -> str:
    if compressed is None:
        return ""
    return "JPEG" if compressed.quality is None else f"JPEG, quality {compressed.quality}"


def _support(kernels: Kernels) -> tuple[int, int, int, int]:
    """top, left, height, width of the box with every weight that is not zero in any kernel."""
    used = (kernels.values != 0).reshape(-1, kernels.size, kernels.size).any(axis=0)
    rows, columns = np.nonzero(used)
    if len(rows) == 0:
        return kernels.size // 2, kernels.size // 2, 1, 1
    height, width = int(np.ptp(rows)) + 1, int(np.ptp(columns)) + 1
    return int(rows.min()), int(columns.min()), height, width


def _off_centre(kernels: Kernels) -> tuple[Told, ...]:
    top, left, height, width = _support(kernels)
    down, right = (
        top + (height - 1) / 2 - kernels.size // 2,
        left + (width - 1) / 2 - kernels.size // 2,
    )
    if max(abs(down), abs(right)) < 1:
        return ()
    figures = {"height": height, "width": width, "down": down, "right": right}
    return (Told(Note.OFF_CENTRE, figures),)


def _cut_off(judgement: Judgement, kernels: Kernels) -> tuple[Told, ...]:
    if judgement.verdict != Verdict.CONVOLUTION or np.abs(kernels.offsets + 0.5).max() > 0.05:
        return ()
    return (Told(Note.CUT_OFF),)


def _used(found: Arrangement) -> float:
    if found.fits:
        return float(np.mean([fit.used for fit in found.fits]))
    return float(np.mean([plane.unclipped().mean() for plane in channels.planes(found.pairs)]))
