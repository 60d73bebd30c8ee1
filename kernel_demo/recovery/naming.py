"""The record with its name: that of its kernel, or of the tool whose steps make the file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from kernel_demo.recovery import alignment, families, known, reproduction
from kernel_demo.recovery.alignment import Pair
from kernel_demo.recovery.channels import Arrangement
from kernel_demo.recovery.explanations import PATTERNED, Reason, Verdict
from kernel_demo.recovery.known import Name
from kernel_demo.recovery.polytope import Polytope
from kernel_demo.recovery.recompression import share_alike
from kernel_demo.recovery.record import Recovery

# Reasons that several roundings look like, or a kernel of which only the middle was searched.
HIDDEN = PATTERNED | {Reason.ROUNDED, Reason.LARGER, Reason.GOES_ON, Reason.TOO_LARGE}
OF_TOOLS = 0.02  # grey levels that the arithmetic of a kernel with a name may err by, at most
SEVERAL = 0.8  # grey levels RMS that several roundings leave, at most, of a kernel whose peak is 1


def called(result: Recovery, behind: Arrangement | None = None) -> Recovery:
    """The record with the name that its weights and their bars allow; several kernels have none.

    behind: what was fitted, whose sums are asked where there is noise.
    """
    if result.kernel is None or np.size(result.offset) > 1:
        return replace(result, name=None)
    errors = None if result.fractions else result.standard_error
    bars = None if errors is None else errors[0, 0]
    name = known.kernel(result.kernel[0, 0], errors=bars)
    if name is not None and behind is not None and result.verdict == Verdict.NOISY:
        name = _behind(name, behind, len(result.kernel[0, 0]))
    return replace(result, name=None if name is None else _borne_out(result, name))


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


def _borne_out(result: Recovery, name: Name) -> Name | None:
    """The name as the pixels allow it; next to a simple scale there may be the one that it is."""
    told = [name] if name.simple is None else [name, replace(name, near=0)]
    return next(filter(None, (_suited(result, one) for one in told)), None)


def _suited(result: Recovery, name: Name) -> Name | None:
    """The name, with the factor that suits the pixels best; None: it is not to be told.

    They contradict it where its kernel leaves more than one rounding and another leaves no more; or
    they allow a simpler factor than its digits.
    """
    if name.kernel is None or result.fractions or not result.polytopes:
        return name
    if result.verdict != Verdict.CONVOLUTION:
        return name
    shape, allowed, suited = result.polytopes[0], result.bounds[0] + OF_TOOLS, name
    if name.simple is not None:
        left = shape.left_by(float(name.simple) * name.kernel)
    elif (best := shape.best_multiple(name.kernel, name.scale)) is None:
        left = None
    else:
        suited, left = replace(name, scale=best[0], near=0), best[1]
    if left is not None and left > allowed:
        # Whether one rounding is all is a linear program: asked where it matters.
        return None if result.one_rounding is True else name
    return None if name.simple is None and _simpler(result, name.kernel, name.scale) else suited


def _simpler(result: Recovery, kernel: np.ndarray, scale: float) -> bool:
    """Whether a whole number, or the inverse of one, is as good a factor in one rounding."""
    size = abs(scale)
    for number in (max(round(size), 1), 1 / max(round(1 / size), 1)):
        left = result.polytopes[0].left_by(np.copysign(number, scale) * kernel)
        if left is not None and left <= result.bounds[0]:
            return True
    return False


def by_a_tool(result: Recovery, found: Arrangement) -> Recovery:
    """The record with the family, or the roundings, that make the file.

    They prove themselves by the pixels where evidence leaves a kernel open. No formula is named in
    a picture of 8 bits that it does not make.
    """
    first, *others = found.pairs
    of_8_bits = first.peak == 255 and first.before.dtype == np.uint8
    if len(found.fits) != 1 or found.censored is not None or not of_8_bits:
        return result
    fit, linear = found.fits[0], result.verdict.linear
    if result.verdict == Verdict.CONVOLUTION and result.name is not None:
        kept = None if result.name.formula else _borne_out(result, result.name)
        result = replace(result, name=kept)
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
