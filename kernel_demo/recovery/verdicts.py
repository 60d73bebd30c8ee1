"""A verdict with its reason or its alternative, and those that are come to in several places."""

from __future__ import annotations

from dataclasses import dataclass

from kernel_demo.imaging.kernels import MAX_SIZE
from kernel_demo.numbers import percent, rounded_up
from kernel_demo.recovery.explanations import Other, Reason, Told, Verdict
from kernel_demo.recovery.outliers import Changed
from kernel_demo.recovery.rivals import Alternative

# Share of the pixels for which a kernel must hold, at least, and for no filter to be told: one that
# clips is not seen where all is clipped.
HALF = 0.5
TENTH = 0.001  # of the pixels: less would be written as 0.0 %


@dataclass(frozen=True)
class Judgement:
    """A verdict, and what goes with it."""

    verdict: Verdict
    alternative: Alternative | None = None  # for NOT
    reason: Told | None = None  # for UNDETERMINED


def undetermined(reason: Reason, **figures: object) -> Judgement:
    """figures: those that the reason's sentences name."""
    return Judgement(Verdict.UNDETERMINED, reason=Told(reason, figures))


def larger(size: int) -> Judgement:
    """The verdict where a kernel of the largest size searched is cut off."""
    return undetermined(Reason.LARGER if size < MAX_SIZE else Reason.TOO_LARGE, size=size)


UNCLEAR = undetermined(Reason.UNCLEAR)
SMOOTH = undetermined(Reason.SMOOTH)


def edited(judgement: Judgement, changed: Changed) -> Judgement:
    """The same where a kernel holds for most pixels, and something else has changed the others."""
    if changed.wrapped:
        return Judgement(Verdict.NOT, Alternative(Other.WRAPPED))
    named = judgement.alternative is not None and judgement.alternative.residual is not None
    if named:
        return judgement
    return edit(changed.share)


def edit(share: float) -> Judgement:
    """The verdict where a kernel holds, but for a share of the pixels that is not a few.

    Most of a picture is no part of it: a kernel that holds for the rest may be chance.
    """
    if share > HALF:
        return UNCLEAR
    told = percent(share) if share > TENTH else f"{rounded_up(100 * share, 1)} %"
    return Judgement(Verdict.NOT, Alternative(Other.EDIT, figures={"share": told}))


def one_colour(share: float) -> Judgement:
    """The verdict where a kernel holds, but for the pixels of one colour."""
    return undetermined(Reason.ONE_COLOUR, share=percent(share))
