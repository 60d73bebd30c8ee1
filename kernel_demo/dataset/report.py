"""What a run tells: how far it has come; in the end everything as JSON, and one page."""

from __future__ import annotations

import html
import json
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from kernel_demo import records
from kernel_demo.dataset.fitting import Ended, Progress, Result
from kernel_demo.dataset.merging import COHERENT, Point
from kernel_demo.dataset.outliers import Outliers
from kernel_demo.dataset.reference import ONE_ROUNDING
from kernel_demo.learning.evaluation import kernel_error
from kernel_demo.numbers import at_most, count, duration, figure

WIDTH, HEIGHT, LEFT, BELOW = 560, 220, 64, 34  # of the chart, and of its margins
STYLE = """
:root { color-scheme: light dark; --ink: #1f2430; --quiet: #667; --line: #d8dbe2; --paper: #fff;
  --bar: #2f6fb0; --error: #c8641c }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8ee; --quiet: #9aa0ae; --line: #3a3f4b;
  --paper: #16181d; --bar: #5b9bd5; --error: #ea9350 } }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper);
  max-width: 46rem; margin: 2.5rem auto; padding: 0 1.2rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 .3rem }
h2 { font-size: 1.05rem; margin: 2rem 0 .5rem }
.lead { font-size: 1.1rem; margin: 0 0 1rem } .quiet { color: var(--quiet) }
.wide { overflow-x: auto }
.wide table { background: #fff; color: #1f2430 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .15rem 1.2rem }
dt { color: var(--quiet) } dd { margin: 0 } table.list { border-collapse: collapse; width: 100% }
table.list :is(td, th) { text-align: left; padding: .25rem .8rem .25rem 0;
  border-bottom: 1px solid var(--line); overflow-wrap: anywhere }
svg { max-width: 100%; height: auto } svg text { fill: var(--quiet); font-size: 11px }
"""


def as_dict(result: Result) -> dict[str, Any]:
    """All of it in plain types; infinity and NaN are null."""
    solution, settings, certificate = result.solution, result.settings, result.certificate
    truth = settings.truth
    told = {
        "kernel": solution and solution.kernel,
        "standard_error": solution and solution.standard_error,
        "offset": solution and solution.offset,
        "kernel_error": None if solution is None or truth is None
        else kernel_error(solution.kernel, truth),
        "residual": solution and solution.residual,
        "condition": solution and solution.condition,
        "rank": solution and solution.rank,
        "undetermined": (solution.cause or None) if solution else None,
        "white": result.peak or None,
        "exact": result.exact,
        "pictures": result.pictures,
        "pixels": result.pixels,
        "clipped_pixels": result.clipped,
        "left_out": _left_out(result.left_out, result.faults),
        "shards": result.shards,
        "shards_read": result.shards_read,
        "shards_taken_up": result.shards_taken_up,
        "shards_repeated": result.shards_repeated,
        "shards_failed": _left_out(len(result.failed), result.failed),
        "outliers": _outliers(result.outliers),
        "curve": result.curve,
        "ended": result.ended,
        "seconds": round(result.seconds, 3),
        "weak_combinations": certificate and certificate.weak_count,
        "settings": {
            "size": settings.size, "filter": settings.weights, "channel": settings.channel,
            "fields": settings.wanted,
        },
    }  # fmt: skip
    plain: dict[str, Any] = records.plain(told)
    return plain


def _left_out(number: int, faults: Sequence[Any]) -> dict[str, Any]:
    first = [{"name": fault.name, "reason": fault.reason} for fault in faults[:100]]
    return {"count": number, "first": first}


def _outliers(found: Outliers | None) -> dict[str, Any] | None:
    if found is None:
        return None
    told = "These pictures are not in the kernel."
    if not found.common:
        told = "Most pictures contradict each other: there is no common filter."
    elif not found.count:
        told = "None."
    if found.strange:
        told += (
            f" {count(found.strange)} more are not in it either, and were not looked at one by "
            "one: the first pictures of their shards have another kernel."
        )
    if found.untested:
        told += (
            f" {count(found.untested)} pictures were not looked at, and are in the kernel: the "
            "first of their shards have no kernel in common, or do not determine one."
        )
    return {"tested": found.tested, "count": found.count, "common": found.common,
            "untested": found.untested, "of_other_shards": found.strange,
            "first": list(found.first), "note": told}  # fmt: skip


def as_json(result: Result) -> bytes:
    """report.json"""
    return json.dumps(as_dict(result), indent=2, allow_nan=False).encode()


def state(progress: Progress) -> str:
    """How far a run has come, in one line."""
    shards = f"{count(progress.shards)}/{count(progress.of)} shards"
    return ", ".join([shards, f"{count(progress.pictures)} pictures", *known(progress)])


def known(progress: Progress) -> list[str]:
    """Beside how much was read: speed, time to go, how sure, what was left out."""
    parts = []
    if progress.read_pixels and progress.seconds > 0:
        parts.append(f"{figure(progress.read_pixels / 1e6 / progress.seconds)} Mpx/s")
    own = progress.shards - progress.taken_up
    if own > 0 and progress.of > progress.shards:
        parts.append(f"{duration(progress.seconds / own * (progress.of - progress.shards))} to go")
    point = progress.point
    if point is not None and point.kernel_error is not None:
        parts.append(f"kernel error {figure(point.kernel_error)}")
    elif point is not None:
        parts.append(f"error bars up to {figure(point.largest_bar)}")
    if progress.left_out:
        parts.append(f"{count(progress.left_out)} left out")
    return parts


def sentence(result: Result) -> str:
    """What was learned, in a line or two."""
    solution = result.solution
    if result.outliers is not None and not result.outliers.common:
        found = result.outliers
        odd, of = found.count + found.strange, found.tested + found.strange
        many = f"{count(odd)} of {count(of)} pictures"
        return f"There is no common filter: {many} contradict the kernel of all."
    if solution is None and result.ended is Ended.HANDED_OVER:
        return "Nothing has been read yet."
    if solution is None:
        if result.settings.weights is None:
            hint = "Pictures that have no after need a --filter."
            return f"Nothing was learned: no pair could be used. {hint}"
        return "Nothing was learned: no picture could be used."
    if solution.singular:
        return f"The kernel is not determined. {solution.cause} {solution.remedy}"
    size = result.settings.size
    told = (
        f"A kernel of {size} × {size} from {count(result.pictures)} pictures "
        f"({figure(result.pixels / 1e6)} Mpx), every error bar at most "
        f"{at_most(float(solution.standard_error.max()))}."
    )
    if result.outliers is not None and result.outliers.count:
        found = result.outliers
        told += (
            f" {count(found.count)} of {count(found.tested)} pairs were not made by it alone, and "
            "are left out."
        )
    if result.outliers is not None and result.outliers.strange:
        told += (
            f" {count(result.outliers.strange)} pairs of shards that have another kernel are left "
            "out, too."
        )
    return told


def doubt(result: Result) -> str:
    """What speaks against trusting the error bars of pairs; "" for nothing that the sums show."""
    solution = result.solution
    if solution is None or result.settings.weights is not None or not result.peak:
        return ""
    left = solution.residual * 255 / result.peak
    if left < ONE_ROUNDING:
        return ""
    return (
        f"{figure(left)} grey levels RMS are left unexplained, more than one rounding leaves "
        "(0.29): noise, JPEG, or no convolution. Only of noise do the bars know."
    )


def as_html(result: Result, title: str) -> bytes:
    """report.html: the kernel, how sure it is, how that came about, and what is odd."""
    solution, parts = result.solution, []
    if solution is not None:
        parts.append(
            f'<div class="wide">{records.heat_map(solution.kernel, solution.standard_error)}</div>'
        )
        parts.append('<p class="quiet">Point at a weight for all its digits and its error bar.</p>')
        parts += ["<h2>How sure</h2>", _certificate(result)]
    if len(result.curve) > 1:
        parts += ["<h2>Error bars against pictures read</h2>", chart(result.curve)]
        if result.outliers is not None and result.outliers.count:
            parts.append('<p class="quiet">Of all pictures, those below among them.</p>')
    parts += _odd(result)
    body = "\n".join(parts)
    lead = html.escape(sentence(result))
    if result.ended is not Ended.ALL_READ:
        lead += f"<br>{html.escape(result.ended.value)}"
    page = (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}</style></head>\n<body>"
        f'<h1>{html.escape(title)}</h1><p class="lead">{lead}</p>\n{body}\n</body></html>\n'
    )
    return page.encode()


def _certificate(result: Result) -> str:
    solution, certificate = result.solution, result.certificate
    assert solution is not None
    assert certificate is not None
    grey = (result.peak or 1.0) / 255
    rows = [
        ("largest error bar", at_most(float(solution.standard_error.max()))),
        ("offset", f"{figure(solution.offset / grey)} grey levels"),
        ("left unexplained", f"{figure(solution.residual / grey)} grey levels RMS"),
        ("condition number of X'X", figure(solution.condition)),
        ("combinations determined", f"{solution.rank} of {solution.kernel.size}"),
        ("pixels used", count(result.pixels)),
        ("left out, as they may be clipped", count(result.clipped)),
        ("sums", "whole numbers, exact" if result.exact else "compensated, in the shards' order"),
        ("shards", f"{count(result.shards_read)} read, {count(result.shards_taken_up)} taken up, "
         f"{count(len(result.failed))} failed"),
        ("ended", f"{result.ended.value} {duration(result.seconds)}"),
    ]  # fmt: skip
    truth = result.settings.truth
    if truth is not None:
        rows.insert(0, ("kernel error", at_most(kernel_error(solution.kernel, truth))))
    told = "".join(f"<dt>{html.escape(a)}</dt><dd>{html.escape(b)}</dd>" for a, b in rows)
    note = (
        "The bars take what is left as noise of one strength, and end at those of "
        f"{count(int(COHERENT))} pixels: rounding goes with what is in the pictures, and does not "
        "average out. They do not tell whether a convolution made the pictures: kernel-demo "
        f"recover does, of some of the pairs. {doubt(result)}"
    )
    if truth is not None:
        note = "The afters were made here by the known filter, neither rounded nor clipped."
    if solution.singular:
        note = f"{solution.cause} {solution.remedy}"
    return f'<dl>{told}</dl><p class="quiet">{html.escape(note)}</p>'


def _odd(result: Result) -> list[str]:
    parts = []
    found = result.outliers
    if found is not None and found.tested + found.untested + found.strange:
        parts.append("<h2>Pictures that contradict the kernel</h2>")
        told = _outliers(found)
        assert told is not None
        parts.append(
            f"<p>{count(found.count)} of {count(found.tested)}. {html.escape(told['note'])}</p>"
        )
        rows = [
            (one.name, figure(one.left), figure(one.own)) for one in found.first
        ]  # fmt: skip
        if rows:
            heads = ("picture", "left by the common kernel", "by its own, in grey levels RMS")
            parts.append(_table(heads, rows))
    for heading, number, faults in (
        ("Pictures left out", result.left_out, result.faults),
        ("Shards that failed", len(result.failed), result.failed),
    ):
        if number:
            parts.append(f"<h2>{heading}: {count(number)}</h2>")
            parts.append(_table(("name", "why"), [(one.name, one.reason) for one in faults[:100]]))
    return parts


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{html.escape(each)}</th>" for each in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<table class="list"><tr>{head}</tr>{body}</table>'


def chart(curve: Sequence[Point]) -> str:
    """The largest bar (and the kernel error) against pictures, both by powers of ten, as SVG."""
    lines = [("var(--bar)", "largest error bar", [(p.pictures, p.largest_bar) for p in curve])]
    errors = [(p.pictures, p.kernel_error) for p in curve if p.kernel_error is not None]
    if errors:
        lines.append(("var(--error)", "kernel error", errors))
    shown = [(colour, name, [(math.log10(x), math.log10(y)) for x, y in points
                             if y is not None and 0 < y < math.inf])
             for colour, name, points in lines]  # fmt: skip
    everything = np.array([point for _, _, points in shown for point in points])
    if len(everything) < 2:
        return '<p class="quiet">Too few points for a curve.</p>'
    low, high = everything.min(0), everything.max(0)
    low, high = np.floor(low), np.maximum(np.ceil(high), np.floor(low) + 1)

    def place(x: float, y: float) -> tuple[float, float]:
        across = LEFT + (x - low[0]) / (high[0] - low[0]) * (WIDTH - LEFT - 12)
        down = 12 + (high[1] - y) / (high[1] - low[1]) * (HEIGHT - BELOW - 12)
        return round(float(across), 1), round(float(down), 1)

    parts = []
    for power in _ticks(low[1], high[1]):
        x, y = place(low[0], power)
        parts.append(f'<path d="M{x} {y}H{WIDTH - 12}" stroke="var(--line)"/>')
        parts.append(_label(x - 8, y + 4, "end", figure(10.0**power)))
    for power in _ticks(low[0], high[0]):
        x, y = place(power, low[1])
        parts.append(_label(x, y + 16, "middle", count(round(10**power))))
    for at, (colour, name, points) in enumerate(shown):
        places = [place(*point) for point in points]
        path = " ".join(f"{x},{y}" for x, y in places)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x}" cy="{y}" r="2.5" fill="{colour}"/>' for x, y in places]
        parts.append(_label(WIDTH - 16, 24 + 14 * at, "end", name, colour))
    parts.append(_label(WIDTH - 12, HEIGHT - 2, "end", "pictures read"))
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" role="img" '
        f'aria-label="Error bars against pictures read">{"".join(parts)}</svg>'
    )


def _label(x: float, y: float, anchor: str, text: str, colour: str = "var(--quiet)") -> str:
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" style="fill: {colour}">{text}</text>'


def _ticks(low: float, high: float) -> list[int]:
    step = max(1, math.ceil((high - low) / 5))
    return list(range(int(low), int(high) + 1, step))
