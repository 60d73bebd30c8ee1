"""A Recovery as the page shows it: verdict, kernel with its error bars, pictures, what to take."""

import json
from html import escape

import numpy as np

from kernel_demo.imaging.filtering import BORDERS
from kernel_demo.recovery import Recovery, Verdict
from kernel_demo.ui.components import comparison as result_view
from kernel_demo.ui.components.take import Taken, probe_link
from kernel_demo.ui.html import NUMBERS_UP_TO, matrix, quiet, title
from kernel_demo.ui.pictures import data_url
from kernel_demo.ui.recover import words as wording

ROOM, WIDE_ROOM = 340, 480  # CSS pixels for the one kernel, so that its numbers can be read
SHOWN_SHARE = 0.995  # of the residual's pixels are within full opacity


def verdict(found: Recovery, notes: tuple[str, ...] = ()) -> str:
    """The verdict in one sentence, what to do next, and what was done to the files (HTML)."""
    sure = "" if found.verdict.linear else " kd-unsure"
    link = probe_link() if found.verdict == Verdict.UNDETERMINED else ""
    told = "".join(map(quiet, (*notes, *found.notes)))
    return (
        f'<section class="kd-verdict{sure}" data-verdict="{escape(found.verdict)}">'
        f"{title(wording.VERDICTS[found.verdict])}<p>{escape(found.explanation)}</p>"
        f"<p><b>{wording.NEXT}</b> {escape(found.next_step)}</p>{link}{told}</section>"
    )


def empty() -> str:
    """What the place of the verdict says before there is one (HTML)."""
    points = "".join(f"<li>{escape(point)}</li>" for point in wording.EMPTY_POINTS)
    return (
        f'<section class="kd-card kd-recover-empty">{title(wording.EMPTY_TITLE)}'
        f"<p>{escape(wording.EMPTY)}</p><ul>{points}</ul></section>"
    )


def kernel(found: Recovery) -> str:
    """The kernels with their error bars, and beside them what else is known (HTML)."""
    if found.kernel is None:
        return ""
    sure = found.verdict.linear
    heading = wording.KERNEL if sure else wording.BEST_KERNEL
    labelled = labelled_kernels(found)
    scale = max(float(np.abs(values).max()) for _, values, _ in labelled) or 1.0
    most = NUMBERS_UP_TO if len(labelled) < 9 else 3
    drawn = "".join(_matrix(*one, scale, found.size <= most) for one in labelled)
    large = quiet(wording.larger(most, sure)) if found.size > most else ""
    facts = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in _facts(found)
    )
    count = {1: "one", 3: "three"}.get(len(labelled), "nine")
    return (
        f'{title(heading)}<div class="kd-recovered kd-recovered-{count}" '
        f'style="--kd-room:{ROOM if found.size <= 5 else WIDE_ROOM}px">'
        f'<div class="kd-recovered-kernels">{drawn}{large}</div>'
        f'<dl class="kd-facts">{facts}</dl></div>{_exactly(found)}'
    )


def _matrix(label, values, errors, scale: float, numbers: bool) -> str:
    """One kernel with its error bars: none where a weight is zero for sure, ? where unknown."""
    values = np.where(np.abs(values) < 1e-12, 0.0, values)
    drawn = matrix(values, errors=errors, caption=label, scale=scale, numbers=numbers)
    return drawn.replace("<small>±0e+00</small>", "").replace("±inf", "±?").replace("±nan", "±?")


def labelled_kernels(found: Recovery) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """(label, kernel (k, k), standard errors (k, k)) of each kernel of the recovery."""
    size = found.kernel.shape[-1]
    kernels = found.kernel.reshape(-1, size, size)
    errors = found.standard_error.reshape(-1, size, size)
    names = wording.CHANNELS
    labels = {1: [""], 3: names}.get(len(kernels)) or [f"{b} → {a}" for a in names for b in names]
    return list(zip(labels, kernels, errors, strict=True))


def _facts(found: Recovery) -> list[tuple[str, str]]:
    facts = [
        (wording.NAME, found.catalogue_name),
        (wording.SIZE, wording.size(found.size, found.support)),
        (wording.OFFSET, wording.offset(np.atleast_1d(found.offset).tolist())),
        (wording.BORDER, wording.border(found.padding, found.padding_sides)),
        (wording.ARRANGEMENT, wording.arrangement(found.channels, found.channel_weights)),
        (wording.LEFT_OVER, wording.left_over(found.residual, found.rounding_floor)),
        (wording.USED, wording.used(found.used_fraction)),
        (wording.FILE, found.compression),
    ]
    return [(name, text) for name, text in facts if text]


def _exactly(found: Recovery) -> str:
    if not found.fractions:
        return ""
    lines = "".join(
        f"<p>{name if len(found.fractions) > 1 else ''} {escape(wording.fractions(whole))}</p>"
        for name, whole in zip(wording.CHANNELS, found.fractions, strict=False)
    )
    return f'<div class="kd-exactly"><b>{wording.EXACTLY}</b>{lines}</div>'


def reproduced(found: Recovery) -> dict | None:
    """After and reproduced under the divider, and the residual: the result view's value."""
    if found.reproduced is None:
        return None
    made = found.reproduced.astype(np.float32)
    after = made + found.residual_map.reshape(made.shape)
    left = np.abs(found.residual_map)
    shown = result_view.view(
        after / found.peak,
        made / found.peak,
        (wording.AFTER.lower(), wording.REPRODUCED),
        is_map=False,
        figures=wording.figures(float(left.max()), float((left < 0.5).mean())),
    )
    residual, gain = _residual(found)
    return {**shown, "difference": residual, "gain": gain}


def _residual(found: Recovery) -> tuple[str, str]:
    """After minus reproduced as a picture, and its gain: 1, 2 or 5 times a power of ten."""
    left = result_view.strongest(found.residual_map / found.peak, result_view.LONGEST)
    high = float(np.quantile(np.abs(left), SHOWN_SHARE)) or float(np.abs(left).max())
    gains = [step * 10.0**power for power in range(7) for step in (1, 2, 5)]
    gain = max((gain for gain in gains if gain * high <= 1), default=1.0) if high else 1.0
    picture = data_url(result_view.signed(left * gain, 1.0))
    return picture, wording.residual(gain if high else 0.0)


def pair(before: np.ndarray, after: np.ndarray, shift: tuple[int, int]) -> dict:
    """Before and after under the divider, both H x W (x 3) samples, cut to what both show."""
    rows, columns = (_common(before.shape[axis], after.shape[axis], shift[axis]) for axis in (0, 1))
    first = _light(before[rows[0], columns[0]])
    second = _light(after[rows[1], columns[1]])
    if first.ndim != second.ndim:
        first, second = (
            p if p.ndim == 3 else np.repeat(p[..., None], 3, 2) for p in (first, second)
        )
    mean = float(np.abs(first - second).mean() * 255)
    names = wording.BEFORE.lower(), wording.AFTER.lower()
    return result_view.view(first, second, names, is_map=False, figures=wording.pair_figures(mean))


def _common(there: int, here: int, origin: int) -> tuple[slice, slice]:
    """The parts of an axis that lie over each other, in before and in after."""
    first, last = max(0, -origin), min(here, there - origin)
    return slice(first + origin, last + origin), slice(first, last)


def _light(values: np.ndarray) -> np.ndarray:
    return np.divide(values, np.iinfo(values.dtype).max, dtype=np.float32)


def taken(found: Recovery) -> tuple[tuple[str, Taken], ...]:
    """(label, kernel to take away); none where the filter is no convolution."""
    if found.kernel is None or not found.verdict.linear:
        return ()
    border = found.padding if found.padding in BORDERS else "reflect"
    note = wording.take_note(found.channels, found.channel_weights, found.padding, found.bit_exact)
    report = json.dumps(found.as_dict(), indent=2).encode()
    offsets = np.atleast_1d(found.relative_offset).tolist()
    labelled = labelled_kernels(found)
    each = len(labelled) // len(offsets)  # kernels into one channel
    name = found.name.name if found.name else "recovered kernel"
    return tuple(
        (
            label,
            Taken(values, offsets[number // each], border, f"{name} {label}".strip(), note, report),
        )
        for number, (label, values, _) in enumerate(labelled)
        if values.any()  # a channel that the tool makes constant has no kernel
    )
