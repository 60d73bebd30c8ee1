"""A Recovery as the page shows it: verdict, kernel with its error bars, pictures, what to take."""

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from markupsafe import Markup
from PIL import ImageFilter

from kernel_demo.export import tools
from kernel_demo.imaging.filtering import BORDERS, CONSTANT, MODES
from kernel_demo.numbers import at_most, count, factor, figure, percent
from kernel_demo.recovery import (
    Channels,
    Edge,
    Recovery,
    Verdict,
    explanations,
    leftover,
    operations,
)
from kernel_demo.recovery.explanations import ROUNDED, Note, explain
from kernel_demo.recovery.fractions import Fractions
from kernel_demo.ui.components import comparison, worked
from kernel_demo.ui.components.take import Program, Taken, probe_link
from kernel_demo.ui.html import NUMBERS_UP_TO, each, filled, joined, listed, matrix, quiet, title
from kernel_demo.ui.pictures import data_url
from kernel_demo.ui.recover import operation
from kernel_demo.ui.recover.pairs import AFTER, BEFORE

SHOWN_SHARE = 0.995  # of the residual's pixels are within full opacity
NOTHING = 1e-12  # a weight that is none
PILLOWS = (
    "BLUR", "CONTOUR", "DETAIL", "EDGE_ENHANCE", "EDGE_ENHANCE_MORE", "EMBOSS", "FIND_EDGES",
    "SHARPEN", "SMOOTH", "SMOOTH_MORE",
)  # fmt: skip
LEFT_OUT = (128, 128, 128, 255)  # a pixel that is

VERDICTS = {
    Verdict.CONVOLUTION: "A convolution",
    Verdict.NOISY: "A convolution, with noise",
    Verdict.NOT: "Not a convolution",
    Verdict.UNDETERMINED: "These pictures cannot tell",
}
EMPTY = "Bring a picture before and after a filter, and leave with the kernel, proof and code."
EMPTY_POINTS = (
    "Every pixel that was not clipped goes into exact sums: 8-bit files give the kernel to the "
    "fourth digit, simple fractions exactly.",
    "What is left over tells the rest: rounding, compression, or something no kernel can do.",
    "Lossless files (PNG, TIFF) tell most; JPEG and WebP work. Crop, resize or turn nothing.",
)
Facts = list[tuple[str, str]]
CLIPPED = "at black or white, where clipping cannot be excluded"
ESTIMATED = "estimated: standard errors"
BARS_TO_COME = "estimated: standard errors; what is guaranteed is being worked out…"
CHANNELS = ("red", "green", "blue")
SIDES = ("top", "bottom", "left", "right")
EDGES = {name: border.label.lower() for name, border in BORDERS.items()} | {
    Edge.RENORMALISED: "nothing around: a mean of what is inside, weights renormalised",
    Edge.COPIED: "unchanged, as in the picture before",
    Edge.BLACK: "black",
    Edge.PLAIN: "of one value, {value}",
    CONSTANT: "one value around, {value}",
    None: "this pair does not tell",
}
ARRANGEMENTS = {
    Channels.ONE: "one kernel for all",
    Channels.EACH: "a kernel for each",
    Channels.MIXTURE: "mixed: a kernel from each into each",
}


def verdict(found: Recovery, notes: tuple[str, ...] = ()) -> str:
    """The verdict in one sentence, what to do next, and what was done to the files (HTML)."""
    sure = "" if found.verdict.linear else " kd-unsure"
    link = probe_link() if found.probe_helps else ""
    explanation, step = explain(found, numbers=False)  # which stand beside the kernel
    return filled(
        '<section class="kd-verdict{}" data-verdict="{}">{}<p>{}</p><p><b>Next:</b> {}</p>{}'
        "</section>",
        sure,
        found.verdict,
        joined([title(VERDICTS[found.verdict])]),
        explanation,
        step,
        joined([link, *map(quiet, (*notes, *found.notes))]),
    )


def empty() -> str:
    """What the place of the verdict says before there is one (HTML)."""
    return filled(
        '<section class="kd-card kd-recover-empty">{}<p>{}</p><ul>{}</ul></section>',
        joined([title("Which filter was it?")]),
        EMPTY,
        each("<li>{}</li>", zip(EMPTY_POINTS)),
    )


# The kernel


def kernel(found: Recovery, facts: Facts | None = None, proved: bool = False) -> str:
    """What is known: the kernels with their bars, and what else is; or what is no kernel (HTML).

    facts: those of `facts`, where the record has no pictures any more. proved: with the interval
    and what one rounding allows, which takes seconds to work out.
    """
    facts = facts_of(found) if facts is None else facts
    other = operation.known(found)
    kernels = "" if found.kernel is None else _kernels(found, facts, proved)
    if other is None:
        return kernels
    beside = "As kernels" if found.verdict.linear else "The nearest kernel, which does not do it"
    folded = "" if found.kernel is None else filled(
        '<details class="kd-details kd-nearest"><summary>{}</summary>{}</details>',
        beside, joined([kernels]),
    )  # fmt: skip
    return operation.card(found, other, proved) + folded


def _kernels(found: Recovery, facts: Facts, proved: bool) -> str:
    labelled = labelled_kernels(found)
    largest = max(float(np.abs(values).max()) for _, values, _ in labelled) or 1.0
    together = found.channels == Channels.MIXTURE  # their sums are one picture
    most = {1: NUMBERS_UP_TO, 3: 5}.get(len(labelled), 3)
    ends = _ends(found) if proved else [None] * len(labelled)
    drawn = [
        matrix(
            np.where(np.abs(values) < NOTHING, 0.0, values),
            errors=errors if found.verdict.linear else None,
            ends=end,
            caption=label,
            scale=largest if together else None,
            numbers=found.size <= most,
        )
        for (label, values, errors), end in zip(labelled, ends, strict=True)
    ]
    if found.size > most:
        below = " The code and files below hold every weight." if found.verdict.linear else ""
        drawn.append(quiet(f"Larger than {most} × {most}: point at a cell to read it.{below}"))
    heading = title("The kernel" if found.verdict.linear else "The nearest kernel")
    return heading + filled(
        '<div class="kd-recovered kd-recovered-{}" style="--kd-room:{}px">'
        '<div class="kd-recovered-kernels">{}</div><dl class="kd-facts">{}</dl></div>{}',
        {1: "one", 3: "three"}.get(len(labelled), "nine"),
        operation.ROOM if found.size <= 5 else operation.WIDE_ROOM,
        joined(drawn),
        each("<div><dt>{}</dt><dd>{}</dd></div>", [*facts, *_proofs(found, proved)]),
        _exactly(found),
    )


def _ends(found: Recovery) -> list[tuple[np.ndarray, np.ndarray] | None]:
    """For each kernel between which ends its weights are for sure; None: not known, or too wide."""
    shape = (-1, found.size, found.size)
    if not explanations.sure(found):
        return [None] * len(found.kernel.reshape(shape))
    ends = (end.reshape(shape) for end in (found.interval.low, found.interval.high))
    return list(zip(*ends, strict=True))


def _proofs(found: Recovery, proved: bool) -> Facts:
    """What the bars are, and what one rounding allows; before that is known, that it will be."""
    told = explanations.bars(found) if proved else BARS_TO_COME if to_come(found) else ESTIMATED
    facts = [("Bars", told)] if found.verdict.linear else []
    rounding = explanations.one_rounding(found) if proved else ""
    return [*facts, *([("One rounding", rounding)] if rounding else [])]


def to_come(found: Recovery) -> bool:
    """Whether the interval, or what one rounding allows, can be worked out."""
    return bool(found.polytopes)


def without_pictures(found: Recovery) -> Recovery:
    """The record as it is kept until its interval is known."""
    left_out = replace(found.left_out, mask=None)
    other = found.alternative
    if other is not None:
        other = replace(other, reproduction=None, residual_map=None)
    bare = replace(found, left_out=left_out, alternative=other)
    return replace(bare, reproduction=None, residual_map=None)


def labelled_kernels(found: Recovery) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(label, kernel (k, k), standard errors (k, k)) of each kernel of the recovery."""
    size = found.kernel.shape[-1]
    kernels = found.kernel.reshape(-1, size, size)
    errors = found.standard_error.reshape(-1, size, size)
    mixed = [f"{before} → {after}" for after in CHANNELS for before in CHANNELS]
    labels = {1: [""], 3: CHANNELS}.get(len(kernels)) or mixed
    return list(zip(labels, kernels, errors, strict=True))


def facts_of(found: Recovery) -> Facts:
    """What else is known of the kernels, but for their bars."""
    if found.kernel is None:
        return []
    height, width = found.support[2:]
    size = f"{found.size} × {found.size}"
    if 0 < height * width < found.size**2:
        size += f" (its weights lie in {height} × {width})"
    facts = [
        ("Name", "" if found.unlike else found.catalogue_name),
        ("The same as", _in_pillow(found)),
        ("Size", size),
        ("Offset", _offset(np.atleast_1d(found.offset).tolist())),
        ("Edges", edges(found)),
        ("Channels", _arrangement(found)),
        ("Left over", f"{figure(found.residual)} grey levels RMS{_rounding(found)}"),
        ("Rounded", _rounded(found)),
        ("Left over by channel", _by_channel(found)),
        ("Left over unevenly", _unevenly(found)),
        ("Pixels used", used(found.used_fraction, _unused(found))),
        ("Left out", _left_out(found)),
        ("Cut off", _cut_off(found)),
        ("After file", _file(found)),
    ]
    return [(name, text) for name, text in facts if text]


def _in_pillow(found: Recovery) -> str:
    """Pillow's own filter with this very kernel and offset, in whole numbers; "" for none."""
    if not found.bit_exact or found.channels != Channels.ONE or len(found.fractions) != 1:
        return ""
    whole = found.fractions[0]
    for name in PILLOWS:
        size, scale, offset, table = getattr(ImageFilter, name).filterargs
        rows = np.reshape(table, size)[::-1]  # Pillow lays them on the picture from below
        if rows.shape != whole.numerators.shape or offset != whole.offset:
            continue
        if np.array_equal(rows * whole.divisor, whole.numerators * scale):
            return f"ImageFilter.{name} of Pillow"
    return ""


def _rounding(found: Recovery) -> str:
    """What of the residual, which is of sums before they are rounded, rounding explains."""
    if found.bit_exact and not found.in_steps:
        return " before rounding; rounded, as the tool does, nothing"
    return f"; rounding alone leaves {figure(found.rounding_floor)}"


def _rounded(found: Recovery) -> str:
    """How often, where that is more than once."""
    if not explanations.several(found):
        return ""
    return f"{found.roundings} times on its way; what is left over and reproduced is of all of them"


def _file(found: Recovery) -> str:
    """What the file went through, and the proof of the kernel that lies in it."""
    if found.coefficients is None or not found.verdict.linear:
        return found.compression
    alike, same = percent(found.coefficients, 2), percent(found.reproduced, 2)
    return (
        f"{found.compression}; what the kernel makes, saved in the same way, has {alike} of the "
        f"numbers that this file stores. Before it is saved, {same} of its pixels are those of the "
        "file: compression changes pixels"
    )


def _offset(values: Sequence[float]) -> str:
    """The offset, or one for each channel; below a hundredth of a grey level it is none."""
    told = [
        f"{'+' if value > 0 else ''}{figure(value)} grey levels" if abs(value) >= 0.005 else "0"
        for value in values
    ]
    if len(set(told)) == 1:
        return told[0]
    return ", ".join(f"{name} {text}" for name, text in zip(CHANNELS, told, strict=True))


def edges(found: Recovery) -> str:
    """The border mode, or that of the sides that have it, where they differ."""
    if found.kernel is not None and not found.reaches_out:
        return "no weight reaches beyond them"
    if found.padding or not any(found.padding_sides):
        return _edge(found, found.padding)
    alike = {mode: [] for mode in found.padding_sides}
    for side, mode in zip(SIDES, found.padding_sides, strict=True):
        alike[mode].append(side)
    return "; ".join(f"{listed(sides)}: {_edge(found, mode)}" for mode, sides in alike.items())


def _edge(found: Recovery, mode: str | None) -> str:
    """What a border mode is called, with its value if it has one."""
    values = np.atleast_1d(found.padding_value if mode in (CONSTANT, Edge.PLAIN) else 0)
    named = zip(CHANNELS if len(values) > 1 else ("",), values.tolist(), strict=False)
    value = ", ".join(f"{name} {count(round(value))}".strip() for name, value in named)
    return EDGES[mode].format(value=value)


def _arrangement(found: Recovery) -> str:
    """How the channels go together."""
    if found.channel_weights is not None:
        return f"grey from colour: {_shares(found)}"
    return ARRANGEMENTS[found.channels]


def _shares(found: Recovery) -> str:
    named = zip(CHANNELS, found.channel_weights, strict=False)
    return ", ".join(f"{share:.3f} {name}" for name, share in named)


def used(share: float, others: str = CLIPPED) -> str:
    """The share of the pixels that the kernel was found from, and what the others are."""
    if share == 1:
        return "all"
    return f"{percent(share)}, to find the kernel; the others are {others}"


def _transparent(found: Recovery) -> bool:
    return any(told.code == Note.ALPHA for told in found.noted)


def _unused(found: Recovery) -> str:
    """What pixels are that were not used."""
    transparent = _transparent(found)
    low, high = found.clip
    ends = "black or white" if (low, high) == (0, found.white) else f"grey level {low} or {high}"
    clipped = CLIPPED.replace("black or white", ends)
    kinds = {clipped: True, "not opaque": transparent, "left out": found.left_out.share > 0}
    return ", or ".join(kind for kind, there in kinds.items() if there)


def _by_channel(found: Recovery) -> str:
    """What each channel leaves, where that differs."""
    named = zip(CHANNELS, leftover.by_channel(found), strict=False)
    told = ", ".join(f"{name} {figure(value)}" for name, value in named)
    return f"{told} grey levels RMS" if told else ""


def _unevenly(found: Recovery) -> str:
    """Where the kernel leaves most, if what it leaves is not spread evenly."""
    told = leftover.uneven(found)
    if told is None:
        return ""
    first, second = map(figure, told.parts)
    return f"{first} and {second} grey levels RMS in {told}"


def _left_out(found: Recovery) -> str:
    """The share that something else has changed, and what it is; "" if there is none."""
    share, reasons = found.left_out.share, ", ".join(found.left_out.reasons)
    return f"{at_most(100 * share)} %: {reasons}" if share else ""


def _cut_off(found: Recovery) -> str:
    """The grey levels beyond which the tool cuts off, where they are not black and white."""
    low, high = found.clip
    below = [f"below {low}"] if low > 0 else []
    return " and ".join(below + ([f"above {high}"] if high < found.white else []))


def _exactly(found: Recovery) -> Markup:
    if not found.fractions:
        return Markup()
    names = CHANNELS if len(found.fractions) > 1 else [""]
    lines = zip(names, map(_fractions, found.fractions), strict=False)
    told = each("<p>{} {}</p>", lines)
    return each('<div class="kd-exactly"><b>In whole numbers</b>{}</div>', [[told]])


def _fractions(whole: Fractions) -> str:
    """The kernel in whole numbers, and what they do not reproduce."""
    sign = "−" if whole.offset < 0 else "+"
    offset = f" {sign} {abs(whole.offset):g}" if whole.offset else ""
    values = str(whole.numerators.tolist()).replace("-", "−")
    divisor = f" / {whole.divisor}" if whole.divisor != 1 else ""
    rounding = f", {ROUNDED[whole.rounding]}" if whole.rounding in ROUNDED else ""
    reproduced = ""
    if whole.undecided:
        some = count(whole.pixels - whole.undecided)
        reproduced = f": {some} of {count(whole.pixels)} values are reproduced"
    return f"{values}{divisor}{offset}{rounding}{reproduced}"


# The pictures


def reproduced(found: Recovery, pairs: Sequence[tuple[np.ndarray, np.ndarray]] = ()) -> dict | None:
    """After and reproduced under the divider, and the residual: the value of a comparison.

    pairs: the samples (before, after) it was found in; with them, how each pixel comes about.
    """
    found = operation.instead(found)
    if found.reproduction is None:
        return None
    made = found.reproduction.astype(np.float32)
    after = made + found.residual_map.reshape(made.shape)
    left = np.abs(_counted(found))
    shown = comparison.view(
        after / found.white,
        made / found.white,
        (AFTER.lower(), "reproduced"),
        is_map=False,
        figures=figures(
            round(float(left.max())),
            found.reproduced,
            colours=made.ndim == 3,
            opaque=not _transparent(found),
        ),
        arithmetic=_arithmetic(found, after, pairs),
    )
    residual, gain = _residual(found)
    shown |= {"difference": residual, "gain": gain}
    return comparison.saved(shown, "reproduced", "residual")


def _arithmetic(found: Recovery, after: np.ndarray, pairs: Sequence[tuple]) -> dict | None:
    """The kernels at work on the first pair's before, and after's own level; None: without them."""
    before = _before(found, after, pairs)
    if found.kernel is None or before is None:
        return None
    grey = found.channel_weights is not None and before.ndim == 3
    planes = [found.channel_weights] if grey else worked.planes_of(before)
    border = found.padding if found.padding in MODES else None
    around = np.atleast_1d(found.padding_value if border == CONSTANT else 0) / found.white
    count = 1 if after.ndim == 2 else after.shape[2]
    offsets = np.broadcast_to(np.asarray(found.offset) / found.white, count)
    outputs = []
    for channel, offset in enumerate(offsets.tolist()):
        kernels = found.kernel[min(channel, len(found.kernel) - 1)]
        own = [(min(channel, len(planes) - 1), kernels[0])]
        terms = list(enumerate(kernels)) if len(kernels) > 1 else own
        name = CHANNELS[channel] if count > 1 else ""
        side = worked.side(terms, border, offset, around)
        outputs.append({"name": name, "side": side, "beside": None})
    deep = np.uint8 if found.white == worked.LEVELS else np.uint16
    target = worked.piece(np.rint(after).astype(deep))
    if deep == np.uint8 and max(after.shape[:2]) <= comparison.LONGEST:
        target["url"] = ""  # it is under the divider already
    name = "in one rounding" if explanations.several(found) else "recovered"
    return worked.record(
        worked.piece(before), found.size, outputs, name=name, beside="the after file {sum}",
        planes=planes, shift=found.shift, target=target,
    )  # fmt: skip


def _before(found: Recovery, after: np.ndarray, pairs: Sequence[tuple]) -> np.ndarray | None:
    """The picture under the one that is shown, H x W or H x W x 3."""
    for pair in pairs:
        before, own = map(_opaque, pair[::-1] if found.swapped else pair)
        if own.shape == after.shape and (_levels(own, found.white) == after).all():
            return before
    return None


def _opaque(samples: np.ndarray) -> np.ndarray:
    """Grey, H x W, or colours, H x W x 3, as recovery takes them: three equal channels are one."""
    if samples.ndim == 2 or samples.shape[2] < 3:
        return samples if samples.ndim == 2 else samples[..., 0]
    colours = samples[..., :3]
    equal = (colours == colours[..., :1]).all()
    return colours[..., 0] if equal else colours


def _levels(samples: np.ndarray, white: int) -> np.ndarray:
    return samples // (np.iinfo(samples.dtype).max // white)


def figures(
    largest: int, share: float, colours: bool = False, opaque: bool = True
) -> tuple[tuple[str, str], ...]:
    """The figures under the pictures: (number, meaning). opaque: no pixel is transparent."""
    what = "values (three a pixel)" if colours else "pixels"
    where = "which is at its edges" if share == 1 and largest and opaque else "edges included"
    return (
        (percent(share, 2), f"of the {what} that count are reproduced exactly"),
        (count(largest), f"largest difference in grey levels, {where}"),
    )


def _counted(found: Recovery) -> np.ndarray:
    """After minus reproduced, 0 where a pixel is left out."""
    left = found.residual_map.copy()
    if found.left_out.mask is not None:
        left[found.left_out.mask] = 0
    return left


def _residual(found: Recovery) -> tuple[str, str]:
    """After minus reproduced as a picture, and its gain: 1, 2 or 5 times a power of ten.

    Pixels left out are grey in it.
    """
    left = comparison.strongest(_counted(found) / found.white, comparison.LONGEST)
    high = float(np.quantile(np.abs(left), SHOWN_SHARE)) or float(np.abs(left).max())
    gains = [step * 10.0**power for power in range(7) for step in (1, 2, 5)]
    gain = max((gain for gain in gains if gain * high <= 1), default=1.0) if high else 1.0
    told = f"residual {factor(gain)}" if high else "residual: none"
    picture = comparison.signed(left * gain, 1.0)
    if found.left_out.mask is not None:
        mask = comparison.strongest(found.left_out.mask.astype(np.float32), comparison.LONGEST)
        picture[mask > 0] = LEFT_OUT
        told += " · grey: left out"
    return data_url(picture), told


def pair(before: np.ndarray, after: np.ndarray, shift: tuple[int, int]) -> dict:
    """Before and after under the divider, both H x W (x 3) samples, cut to what both show."""
    rows, columns = (_common(before.shape[axis], after.shape[axis], shift[axis]) for axis in (0, 1))
    first = _light(before[rows[0], columns[0]])
    second = _light(after[rows[1], columns[1]])
    if first.ndim != second.ndim:
        first, second = (
            p if p.ndim == 3 else np.repeat(p[..., None], 3, 2) for p in (first, second)
        )
    mean = figure(float(np.abs(first - second).mean() * 255))
    names, figures = (BEFORE.lower(), AFTER.lower()), ((mean, "mean difference, grey levels"),)
    return comparison.view(first, second, names, is_map=False, figures=figures)


def _common(there: int, here: int, origin: int) -> tuple[slice, slice]:
    """The parts of an axis that lie over each other, in before and in after."""
    first, last = max(0, -origin), min(here, there - origin)
    return slice(first + origin, last + origin), slice(first, last)


def _light(values: np.ndarray) -> np.ndarray:
    return np.divide(values, np.iinfo(values.dtype).max, dtype=np.float32)


# What to take


def taken(found: Recovery) -> tuple[tuple[str, Taken | Program], ...]:
    """(label, what can be taken away): a program for what is no kernel, and kernels."""
    program = operation.program(found)
    if found.kernel is None or not found.verdict.linear:
        return program
    border, around = _around(found)
    note = _note(found)
    report = json.dumps(found.as_dict(), indent=2).encode()
    offsets = np.atleast_1d(found.relative_offset).tolist()
    labelled = labelled_kernels(found)
    each = len(labelled) // len(offsets)  # kernels into one channel; the first has its offset
    name = found.name.name if found.name else "recovered kernel"
    own, roundings = tools.program(found), tools.roundings(found)
    return program + tuple(
        (
            label or ("kernel" if program else ""),
            Taken(
                values,
                0.0 if number % each else offsets[number // each],
                border,
                f"{name} {label}".strip(),
                note,
                report,
                around[number % len(around)],
                own,
                clipped=True,  # as the after file is
                rounding=roundings[number * len(roundings) // len(labelled)],
            ),
        )
        for number, (label, values, _) in enumerate(labelled)
        if values.any()  # a channel that the tool makes constant has no kernel
    )


def _around(found: Recovery) -> tuple[str, list[float]]:
    """The border mode of what is taken, and the value around for each channel of before."""
    values = np.atleast_1d(found.padding_value if found.padding == CONSTANT else 0) / found.white
    one_for_all = len(found.kernel) == 1 and len(values) > 1
    known = found.padding in MODES and not one_for_all
    return found.padding if known else "reflect", values.tolist()


def _note(found: Recovery) -> str:
    """What must be known beside the kernel to use it."""
    told = []
    if explanations.several(found):
        told.append(
            "The first program rounds as often as the tool; the others, and the files, apply the "
            "kernel in one rounding."
        )
    if found.channel_weights is not None:
        told.append(f"First make the picture grey: {_shares(found)}.")
    elif found.channels == Channels.EACH:
        told.append("Each channel has a kernel of its own: choose it above.")
    elif found.channels == Channels.MIXTURE:
        told.append(
            "Each channel of the result is a sum over three channels before, each through a kernel "
            "of its own: add up what they make before it is rounded and cut off."
        )
    if found.padding == CONSTANT and _around(found)[0] != CONSTANT:
        told.append(f"Around the picture the tool has {edges(found)}; this code reflects instead.")
    elif found.padding == Edge.RENORMALISED:
        told.append("Only the first program divides along the edge; the others reflect.")
    elif found.padding in tuple(Edge):
        along = edges(found)
        told.append(f"The tool's pixels along the edge are {along}; this code goes on instead.")
    elif found.padding is None and found.reaches_out:
        told.append("The pair does not show one way beyond the edges; this code reflects.")
    if found.shift != (0, 0):
        told.append("The tool moves its result, as said above; this code leaves it in its place.")
    if found.white != operations.WHITE:
        told.append("The pictures have 16 bits; this code reads and writes 8 of them.")
    if _cut_off(found):
        told.append(f"The tool cuts off {_cut_off(found)}; this code at black and white.")
    return " ".join(told)
