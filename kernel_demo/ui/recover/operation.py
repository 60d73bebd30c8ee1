"""What is known beside a kernel, as the page shows it: its parameters, what it makes, its code."""

import json
from dataclasses import replace

import numpy as np
from markupsafe import Markup

from kernel_demo.numbers import figure, percent
from kernel_demo.recovery import Recovery, explanations
from kernel_demo.recovery.explanations import Other
from kernel_demo.recovery.known import kernel as kernel_name
from kernel_demo.recovery.rivals import Alternative
from kernel_demo.ui.components.take import Program
from kernel_demo.ui.html import NUMBERS_UP_TO, each, filled, joined, matrix, quiet, title

NOTE = "pip install opencv-python-headless. It reads before.png and writes after.png."
TITLES = {
    Other.OPERATION: "The operation",
    Other.CURVE: "The curve",
    Other.LIGHT: "The kernel of the light",
    Other.MATRIX: "The colour matrix",
    Other.GREY: "Grey from colour",
}
# Parameters as facts, in this order; those that say nothing (a factor of 1) are left out.
WORDS = {
    "exponent": ("Exponent", None),
    "levels": ("Levels", None),
    "from": ("From level", None),
    "below": ("Below that", None),
    "above": ("From there on", None),
    "sigma": ("Sigma, pixels", None),
    "tone": ("Tone, grey levels", None),
    "reach": ("Reach, pixels", None),
    "factor": ("Times", 1),
    "offset": ("Plus, grey levels", 0),
}
ROOM, WIDE_ROOM = 340, 480  # CSS pixels for what is drawn, so that its numbers can be read
INKS = ("#d0453e", "#2f8f4e", "#3b6fd4")  # of red, green and blue


def known(found: Recovery) -> Alternative | None:
    """What can be done again."""
    other = found.alternative
    return other if other is not None and other.code else None


def instead(found: Recovery) -> Recovery:
    """The record with the picture that the operation makes, where that is no convolution."""
    other = known(found)
    if other is None or found.verdict.linear:
        return found
    pictures = {"reproduction": other.reproduction, "residual_map": other.residual_map}
    return replace(found, kernel=None, reproduced=other.reproduced, **pictures)


def program(found: Recovery) -> tuple[tuple[str, Program], ...]:
    """(label, what can be taken away), or nothing."""
    other = known(found)
    if other is None:
        return ()
    report = json.dumps(found.as_dict(), indent=2).encode()
    return (
        (TITLES[other.kind].lower(), Program(other.code, other.name, note=NOTE, report=report)),
    )


def card(found: Recovery, other: Alternative, proved: bool) -> str:
    """The operation in numbers: a kernel, a matrix or a curve, and its parameters (HTML)."""
    drawn = _drawn(found, other, proved)
    shape = "kd-recovered kd-recovered-one" if drawn else "kd-recovered kd-recovered-three"
    wide = other.kernel is not None and len(other.kernel) > 5
    return title(TITLES[other.kind]) + filled(
        '<div class="{}" style="--kd-room:{}px">{}<dl class="kd-facts">{}</dl></div>',
        shape,
        WIDE_ROOM if wide else ROOM,
        filled_if('<div class="kd-recovered-kernels">{}</div>', drawn),
        each("<div><dt>{}</dt><dd>{}</dd></div>", _facts(found, other, proved)),
    )


def filled_if(template: str, drawn: list[str]) -> Markup:
    """The template with what is drawn, or nothing."""
    return joined([filled(template, joined(drawn))] if drawn else [])


def _drawn(found: Recovery, other: Alternative, proved: bool) -> list[str]:
    if other.kernel is not None:
        numbers = len(other.kernel) <= NUMBERS_UP_TO
        drawn = [matrix(other.kernel, errors=other.standard_error, numbers=numbers)]
        return drawn + ([] if numbers else [quiet("Point at a cell to read it.")])
    if other.kind == Other.MATRIX:
        caption = "red, green, blue after (rows) of those before (columns)"
        ends = _ends(found) if proved else None
        return [matrix(other.matrix, errors=other.standard_error, ends=ends, caption=caption)]
    return [_curve(np.atleast_2d(other.curve))] if other.curve is not None else []


def _ends(found: Recovery) -> tuple[np.ndarray, np.ndarray] | None:
    if not explanations.sure(found):
        return None
    middle = np.s_[..., found.size // 2, found.size // 2]
    return found.interval.low[middle], found.interval.high[middle]


def _facts(found: Recovery, other: Alternative, proved: bool) -> list[tuple[str, str]]:
    facts = [("It is" if other.reproduced == 1 else "It looks like", other.name)]
    if other.kernel is not None:
        name = kernel_name(other.kernel, errors=other.standard_error)
        facts += [("Name", str(name))] if name else []
        facts += [("Size", f"{len(other.kernel)} × {len(other.kernel)}")]
        facts += [("Light", other.parameters["curve"]), ("Bars", "estimated: standard errors")]
    for key, (label, nothing) in WORDS.items():
        told = _told(other.parameters.get(key, nothing))
        facts += [(label, told)] if told and told != _told(nothing) else []
    if explanations.cuts_off(other.parameters.get("offset", 0)):
        label, told = facts.pop()
        facts.append((label, f"{told}, which is to cut fractions off instead of rounding"))
    if other.kind == Other.MATRIX:
        told = explanations.bars(found) if proved else "estimated: standard errors"
        facts.append(("Bars", told))
    facts.append(("Reproduces", _reproduces(found, other)))
    against = "" if found.verdict.linear or found.kernel is None else (
        f"; the nearest kernel {figure(found.residual)}"
    )  # fmt: skip
    exact = " before rounding; rounded, nothing is left" if other.reproduced == 1 else ""
    left = exact if figure(other.residual) != "0" else ""
    facts.append(("Left over", f"{figure(other.residual)} grey levels RMS{left}{against}"))
    return facts


def _reproduces(found: Recovery, other: Alternative) -> str:
    """The share that its program makes; where kernels are certified and shown, theirs beside it."""
    several = other.matrix is not None and len(other.matrix) > 1
    what = "values (three a pixel)" if several else "pixels"
    share, kernels = (percent(part, 2) for part in (other.reproduced, found.reproduced))
    told = f"{share} of the {what} that count"
    if not found.verdict.linear or share == kernels:
        return told
    return f"{told}, by the numbers of its program; as kernels, with every digit, {kernels}"


def _told(value) -> str:
    """A parameter, or several; nothing for none, and for as many as nobody reads."""
    if value is None:
        return ""
    values = value if isinstance(value, list) else [value]
    if len(values) > 8:
        return ""
    words = [figure(part) for part in values]
    return words[0] if len(set(words)) == 1 else ", ".join(words)


def _curve(curves: np.ndarray) -> str:
    """Curves from before (across) to after (up), 0 to 255 each."""
    inks = INKS if len(curves) == 3 else ("var(--kd-accent)",)
    lines = (
        (" ".join(f"{x},{255 - y:.5g}" for x, y in enumerate(curve.tolist())), ink)
        for curve, ink in zip(curves, inks, strict=True)
    )
    return filled(
        '<figure class="kd-curve"><svg viewBox="-1 -1 257 257" role="img" aria-label="{}">'
        '<path d="M0 255H255V0"/><path d="M0 255L255 0"/>{}</svg>'
        "<figcaption>grey levels before, across, and after, up: 0 to 255</figcaption></figure>",
        "The curve from grey levels before to grey levels after",
        each('<polyline points="{}" style="stroke:{}"/>', lines),
    )
